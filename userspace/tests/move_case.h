/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Programs at work on a GPU that leaves: real ones with the library, real movers,
 * a real store; only the kernel and its GPUs are the tests' own.
 */
#ifndef TESTS_MOVE_CASE_H
#define TESTS_MOVE_CASE_H

#include "../egpud/work.h"
#include "desk.h"
#include "worker.h"

#define PROGRAMS_MAX 8

extern struct egpu_device *gpu;
extern struct egpu_removal *rem;
extern struct worker *program[PROGRAMS_MAX];
extern size_t n_programs;
extern uint64_t later_than;

int move_setup(void **state);
int move_teardown(void **state);
struct worker *add_program(void);
struct session *session_of(const struct worker *one);
bool all_placed(void);
void start_all(void);
bool all_moved(void);
bool has_checkpoint(void);
bool goes_on(void);
void assert_works_on(void);
size_t count_checkpoints(void);
void eject(void);
void pull(void);
bool failed_or_moved(void);
void start_with_checkpoints(unsigned int interval_ms);
bool is_swept(void);
bool is_restoring(void);

#endif

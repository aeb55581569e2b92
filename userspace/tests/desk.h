/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A daemon at work in the tests: with the kernel of the tests behind it, a world
 * around it, and GPUs in both.
 */
#ifndef TESTS_DESK_H
#define TESTS_DESK_H

#include "../egpud/egpud.h"
#include "kernel.h"
#include "world.h"

extern struct world desk_world;
extern struct kernel desk_kernel;
extern struct daemon desk_daemon;

void desk_make(void);
void desk_free(void);
void desk_set_daemon(void);
void desk_configure(const char *text);
void desk_start(void);
void desk_stop(void);

struct egpu_device *desk_add(const char *address, unsigned int card);
struct egpu_removal *desk_begin(struct egpu_device *dev, uint32_t origin);
struct removal *desk_removal(void);
bool desk_run_until(bool (*done)(void));
bool desk_run_to(enum txn_state state);
void desk_settle(void);
bool desk_over(void);
void desk_drained(struct egpu_device *dev);
void desk_leave(struct egpu_removal *rem, unsigned int card);
const struct kernel_call *desk_call(uint8_t cmd);

#endif

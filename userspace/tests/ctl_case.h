/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of egpuctl share: a kernel with an internal GPU (1) and an
 * external one (2), the machine that belongs to it, and one run at a time.
 */
#ifndef TESTS_CTL_CASE_H
#define TESTS_CTL_CASE_H

#include "ctl_roots.h"
#include "kernel.h"
#include "run_ctl.h"

extern struct kernel ctl_kernel;
extern struct run_ctl ctl_run;

int ctl_setup(void **state);
int ctl_teardown(void **state);

/* Runs a command line and expects an exit code. */
void ctl_expect(int code, const char *line);

/* Expects a text in what it wrote. */
void ctl_says(const char *text);

/* A client of a GPU, and the process that has it. */
void ctl_add_client(uint32_t id, pid_t pid, const char *comm);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Running egpuctl inside a test, with its output in memory.
 */
#ifndef TESTS_RUN_CTL_H
#define TESTS_RUN_CTL_H

#include "../egpuctl/ctl.h"

/**
 * struct run_ctl - one run of egpuctl
 * @ctl: set .terminal, .color and .width before it if wanted
 * @code: exit code
 * @out: what it wrote to standard output
 * @err: what it wrote to standard error
 */
struct run_ctl {
	struct ctl ctl;
	int code;
	char *out;
	char *err;
};

/* Splits @line at spaces; the result is to be freed by run_ctl_free(). */
void run_ctl(struct run_ctl *run, const char *line);
void run_ctl_free(struct run_ctl *run);

#endif

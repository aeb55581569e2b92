/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine for egpuctl to look at, in a temporary directory: GPUs below sys,
 * their nodes below dev, processes below proc.
 *
 * The nodes are links to devices that any machine has, so that their numbers
 * can be had without being root.
 */
#ifndef TESTS_CTL_ROOTS_H
#define TESTS_CTL_ROOTS_H

#include "../usage/usage.h"

/**
 * struct ctl_process - a process that may have the render node of a GPU open
 * @pid: its pid
 * @comm: its name
 * @uid: its user
 * @client: DRM client id of the file, 0 when it has none open
 * @hangs: it is in state D
 */
struct ctl_process {
	int pid;
	const char *comm;
	unsigned int uid;
	unsigned int client;
	bool hangs;
};

/* Makes an empty one in place of the one before; removed at exit. */
const struct usage_roots *ctl_roots_new(void);
const struct usage_roots *ctl_roots(void);

/* One GPU at most has nodes: there is only one such device to link to. */
void ctl_roots_add_gpu(const char *address, unsigned int index, bool nodes);
void ctl_roots_add_process(const struct ctl_process *process);

void ctl_roots_remove(const char *path);

/* Writes a file below the directory; @path may be new. Returns its full path. */
const char *ctl_roots_write(const char *path, const char *text);

#endif

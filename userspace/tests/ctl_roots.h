/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine for egpuctl to look at: GPUs below sys, their nodes below dev,
 * processes below proc. There is one at a time, see tree.h.
 *
 * The nodes are links to devices that any machine has, so that their numbers
 * can be had without being root.
 */
#ifndef TESTS_CTL_ROOTS_H
#define TESTS_CTL_ROOTS_H

#include "tree.h"

extern struct tree ctl_tree;

/* Makes an empty one in place of the one before; removed at exit. */
void ctl_roots_new(void);
const struct usage_roots *ctl_roots(void);

/* One GPU at most has nodes: there is only one such device to link to. */
void ctl_roots_add_gpu(const char *address, unsigned int index, bool nodes);

/* A process with the render node open, as a DRM client; 0 for none. */
void ctl_roots_add_process(const struct tree_process *process,
			   unsigned int client);

#endif

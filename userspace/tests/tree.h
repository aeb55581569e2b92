/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Another machine for unit tests: a temporary directory with proc, sys and dev
 * below it.
 */
#ifndef TESTS_TREE_H
#define TESTS_TREE_H

#include "../usage/usage.h"

/**
 * struct tree - a machine
 * @top: the directory
 * @roots: what to pass to what is tested
 * @proc: room for a path
 * @sys: room for a path
 * @dev: room for a path
 */
struct tree {
	char top[64];
	struct usage_roots roots;
	char proc[80];
	char sys[80];
	char dev[80];
};

void tree_new(struct tree *tree);
void tree_free(struct tree *tree);
const char *tree_path(const struct tree *tree, const char *path);
void tree_dir(const struct tree *tree, const char *path);
void tree_file(const struct tree *tree, const char *path, const char *format,
	       ...) __attribute__((format(printf, 3, 4)));
void tree_link(const struct tree *tree, const char *path, const char *target);

/**
 * struct tree_process - a process of the machine; what is 0 has a usual value
 * @pid: its pid
 * @comm: its name
 * @state: letter, S
 * @uid: its user
 * @flags: as in stat
 * @cgroup: text of its file, "0::/test"
 * @maps: text of its file
 */
struct tree_process {
	pid_t pid;
	const char *comm;
	char state;
	unsigned int uid;
	unsigned int flags;
	const char *cgroup;
	const char *maps;
};

void tree_process(const struct tree *tree, const struct tree_process *process);
void tree_fd(const struct tree *tree, pid_t pid, int fd, const char *target,
	     const char *fdinfo);

/* Start time of the processes: this and their pid. */
#define TREE_START 1000

#endif

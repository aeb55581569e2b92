/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine for the tests of egpud: folders for /dev, /sys and /run with GPUs in
 * them, and processes that use one.
 *
 * A GPU has two nodes. "card" has the number of a terminal of our own, so that a
 * process which opens that terminal holds the GPU, without rights and without
 * a device. "render" is a plain file, which can be closed and put back.
 */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include <sys/stat.h>

#include "../usage/usage.h"

#define WORLD_GPU  "0000:07:00.0"
#define WORLD_GPU2 "0000:08:00.0"

/**
 * struct world - see above
 * @dir: the folder that all is in
 * @dev: the /dev in it
 * @sys: the /sys in it
 * @run: the run directory of the daemon in it, not made yet
 * @roots: the same for the daemon; processes are those of this machine
 * @terminal: our end of the terminal
 * @name: path of its other end
 * @number: device number of that
 */
struct world {
	char dir[64];
	char dev[96];
	char sys[96];
	char run[96];
	struct usage_roots roots;
	int terminal;
	char name[64];
	dev_t number;
};

void world_make(struct world *world);
void world_free(struct world *world);
void world_add_gpu(struct world *world, const char *address, unsigned int card);
void world_remove_gpu(struct world *world, const char *address,
		      unsigned int card);
void world_file(const char *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void world_node(const struct world *world, unsigned int card, char *path,
		size_t size);
bool world_node_is(const struct world *world, unsigned int card,
		   const struct stat *before);
bool world_is_fenced(const struct world *world);

/**
 * enum user_kind - a process that uses the GPU
 * @USER_PLAIN: ends when it is asked to
 * @USER_STUBBORN: does not
 */
enum user_kind {
	USER_PLAIN,
	USER_STUBBORN,
};

pid_t world_user(const struct world *world, enum user_kind kind,
		 const char *comm);
void world_end_user(pid_t pid);
char world_state(pid_t pid);
bool world_stands_still(pid_t pid);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of mover share and nobody else sees. One section per .c file.
 */
#ifndef MOVER_PRIVATE_H
#define MOVER_PRIVATE_H

#include "mover.h"

/* ------------------------------------------------------------- mover.c */

/**
 * struct work - what a child is to do
 * @name: what it calls itself
 * @run: does it, in the child
 * @job: argument of @run
 * @n: entries of @keep
 * @keep: descriptors that it needs, in any order; is sorted
 */
struct work {
	const char *name;
	void (*run)(int sock, const void *job);
	const void *job;
	size_t n;
	int *keep;
};

int mover_start(struct mover *mover, struct work *work);

/* ------------------------------------------------------------- child.c */

void child_enter(const struct work *work, int sock, pid_t parent);
void child_become(int sock, uid_t uid, gid_t gid, const gid_t *groups,
		  size_t n_groups);
void child_lower(int sock);
void child_say(int sock, const struct mover_message *message, int fd);
void child_fail(int sock, int err, const char *format, ...)
	__attribute__((noreturn, format(printf, 3, 4)));
uint64_t mover_now_ns(void);
bool device_is_there(const char *sys, const char *address);

/* ------------------------------------------------------------- save.c */

/**
 * struct saving - a checkpoint that is being written
 * @sock: to the parent
 * @head: what it is of
 * @writer: of the store
 * @rate: bytes per second at most, 0 for no limit
 * @of_device: something was read that is not just memory
 * @begun: when
 * @bytes: read so far
 */
struct saving {
	int sock;
	struct store_head head;
	struct store_writer *writer;
	uint64_t rate;
	bool of_device;
	uint64_t begun;
	uint64_t bytes;
};

void saving_begin(struct saving *saving, struct store *store,
		  const struct store_buffer *buffer, size_t n);
void saving_write(struct saving *saving, size_t index, uint32_t id,
		  const struct mapping *map, uint64_t size, bool sync);
void saving_fail(struct saving *saving, int err, const char *what)
	__attribute__((noreturn));
void saving_finish(struct saving *saving, const char *text);

/* ------------------------------------------------------------- restore.c */

/*
 * For the tests: called with what has been written to new memory, to change it
 * there, which then is treated as a device's; and what strides in memory are
 * made multiples of.
 */
extern void (*mover_written)(void *data, size_t len);
extern uint32_t mover_align;

#endif

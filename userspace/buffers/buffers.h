/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory of buffers: where it can be read without asking a vendor, and new
 * buffers on another device, by its own driver, or in memory.
 *
 * What calls into a driver or touches what a program gave may hang or end in
 * SIGBUS: that is for a process that can be lost (../mover). Exceptions are
 * marked as safe for the daemon itself.
 */
#ifndef EGPU_BUFFERS_BUFFERS_H
#define EGPU_BUFFERS_BUFFERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../common/wire.h"

#define BUFFERS_ERROR 256

/* What fails says why, in words, in @error of BUFFERS_ERROR bytes. */

/* --- check.c: safe for the daemon itself: no driver, no file system is asked */

int buffer_check(const struct wire_buffer *buffer, int fd, uint64_t *inode,
		 char *error);
int buffer_check_state(int fd, uint32_t size, char *error);

/* ------------------------------------------------------------- format.c */

const char *buffer_not_portable(const struct wire_buffer *buffer);
uint32_t buffer_line_bytes(const struct wire_buffer *buffer);

/* ------------------------------------------------------------- fence.c */

int buffer_poll(const struct wire_buffer *buffer, int fd, int timeout_ms);

/* ------------------------------------------------------------- map.c */

/**
 * struct mapping - the memory of a buffer
 * @data: where it is
 * @size: in bytes, at least that of the buffer
 * @fd: its dma-buf, ours, for buffer_sync(); or -1
 * @slow: reading may go past the cache: never read it twice
 */
struct mapping {
	void *data;
	size_t size;
	int fd;
	bool slow;
};

int buffer_map(const struct wire_buffer *buffer, int fd, bool write,
	       struct mapping *mapping, char *error);
void buffer_unmap(struct mapping *mapping);
int buffer_sync(const struct mapping *mapping, bool begin, bool write);
void buffer_copy_out(void *to, const void *from, size_t len);
void buffer_copy_in(void *to, const void *from, size_t len);

/* ------------------------------------------------------------- target.c */

/**
 * struct target - where new buffers are made
 * @cpu: in memory
 * @drm: the node, or -1
 * @can_export: its driver gives dma-bufs
 * @align: in memory strides are made multiples of this; 0 leaves them
 */
struct target {
	bool cpu;
	int drm;
	bool can_export;
	uint32_t align;
};

/**
 * struct made - a new buffer
 * @buffer: as the program is to know it: kind, handle, stride, size
 * @fd: what the program gets, or -1
 * @map: its memory, for us
 */
struct made {
	struct wire_buffer buffer;
	int fd;
	struct mapping map;
};

int target_open(struct target *target, const char *node, char *error);
void target_close(struct target *target);
int target_make(struct target *target, const struct wire_buffer *like,
		struct made *made, char *error);
void made_close(struct made *made);

/* ------------------------------------------------------------- plain.c */

/**
 * struct plain_buffer - a buffer of a program that knows nothing of us
 * @buffer: as far as it is known
 * @fd: a copy of the program's own open node; shared by its buffers
 */
struct plain_buffer {
	struct wire_buffer buffer;
	int fd;
};

int plain_open_files(pid_t pid, uint32_t minor, int **fds, size_t *n,
		     char *error);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libegpu, the side of a program whose work is to outlive its GPU.
 *
 * A program opens a session with egpud, adds the buffers that its work consists
 * of, and says at its own safe points that it is at one. egpud copies what has
 * changed, and when the GPU leaves, or has gone, gives the program new buffers on
 * another device, with their contents.
 *
 *	struct egpu_session *s;
 *
 *	egpu_session_open(&s, "simulation", &ops, me);
 *	egpu_session_add_dmabuf(s, &buffer, fd);
 *	while (compute_a_step())
 *		egpu_session_safe(s, step, &state, sizeof(state));
 *	egpu_session_close(s);
 *
 * Needs no privilege. A session is used by one thread at a time. Without egpud
 * everything but egpu_session_open() still does nothing and fails with
 * -ENOTCONN, so a program may simply go on.
 */
#ifndef EGPU_SESSION_H
#define EGPU_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct egpu_session;

/* What a buffer is, see egpu_session_buffer.kind. */
enum egpu_session_kind {
	EGPU_SESSION_DMABUF = 1,
	EGPU_SESSION_HANDLE,
	EGPU_SESSION_MEMORY,
};

/* The program calls egpu_session_dirty() for what it writes. */
#define EGPU_SESSION_DECLARED 1u

/**
 * struct egpu_session_buffer - a buffer
 * @id: the program's own number for it, not 0; the same after a move
 * @kind: enum egpu_session_kind; filled in by the function that adds it
 * @flags: EGPU_SESSION_DECLARED or 0
 * @handle: GEM handle of EGPU_SESSION_HANDLE, else 0
 * @size: in bytes
 * @format: DRM fourcc, or 0 for bytes without a format
 * @width: in pixels, 0 without a format
 * @height: in lines, 0 without a format
 * @stride: bytes from line to line, 0 without a format; may differ after a move
 * @modifier: DRM format modifier; what is not linear is refused
 * @name: for people, may be empty
 */
struct egpu_session_buffer {
	uint32_t id;
	uint32_t kind;
	uint32_t flags;
	uint32_t handle;
	uint64_t size;
	uint32_t format;
	uint32_t width;
	uint32_t height;
	uint32_t stride;
	uint64_t modifier;
	char name[32];
};

/**
 * struct egpu_session_move - where the work goes on
 * @lost: the old device has gone: what was done after @step is lost, the old
 *	buffers are worth nothing
 * @step: the step that the new buffers hold
 * @lost_ns: time between that checkpoint and the loss, in ns; 0 if not @lost
 * @cpu: the new buffers are memory, there is no device
 * @address: PCI address of the new device; empty for @cpu
 * @node: its DRM node; empty for @cpu
 * @checkpoint: id of the checkpoint that the buffers were filled from
 * @state: the state that was given with @step, valid during the callback
 * @state_size: its size in bytes
 * @n: entries of @buffer and @fd
 * @buffer: the new buffers, in the order in which the old ones were added
 * @fd: a descriptor for each: dma-buf, DRM node or memfd as .kind says. They
 *	are the program's when it returns 0, and closed by the library if not.
 */
struct egpu_session_move {
	bool lost;
	uint64_t step;
	uint64_t lost_ns;
	bool cpu;
	const char *address;
	const char *node;
	const char *checkpoint;
	const void *state;
	size_t state_size;
	size_t n;
	const struct egpu_session_buffer *buffer;
	const int *fd;
};

/**
 * struct egpu_session_ops - what the library tells the program
 * @reach: come to a safe point and call egpu_session_safe() there, by @deadline
 *	(CLOCK_BOOTTIME, ns); @for_move tells a move from a mere checkpoint
 * @go_on: the safe point is over, nothing has changed
 * @lost: the device has gone; a move, or failed, follows
 * @move: here are the new buffers. Return 0 to go on with them, then the old
 *	ones must be let go of; a negative errno keeps to the old ones
 * @failed: the work cannot go on from a checkpoint, and why
 *
 * Each may be NULL; without @move nothing can be moved. They are called from
 * egpu_session_process() and egpu_session_safe() only.
 */
struct egpu_session_ops {
	void (*reach)(struct egpu_session *session, uint64_t deadline,
		      bool for_move, void *arg);
	void (*go_on)(struct egpu_session *session, void *arg);
	void (*lost)(struct egpu_session *session, void *arg);
	int (*move)(struct egpu_session *session,
		    const struct egpu_session_move *move, void *arg);
	void (*failed)(struct egpu_session *session, const char *why, void *arg);
};

int egpu_session_open(struct egpu_session **session, const char *name,
		      const struct egpu_session_ops *ops, void *arg);
int egpu_session_open_at(struct egpu_session **session, const char *path,
			 const char *name, const struct egpu_session_ops *ops,
			 void *arg);
void egpu_session_close(struct egpu_session *session);
const char *egpu_session_error(const struct egpu_session *session);
uint32_t egpu_session_interval_ms(const struct egpu_session *session);

int egpu_session_add_dmabuf(struct egpu_session *session,
			    const struct egpu_session_buffer *buffer, int fd);
int egpu_session_add_handle(struct egpu_session *session,
			    const struct egpu_session_buffer *buffer,
			    int drm_fd);
int egpu_session_add_memory(struct egpu_session *session,
			    const struct egpu_session_buffer *buffer, int fd);
int egpu_session_memory(uint64_t size, const char *name);
int egpu_session_remove(struct egpu_session *session, uint32_t id);
int egpu_session_dirty(struct egpu_session *session, uint32_t id);

int egpu_session_fd(const struct egpu_session *session);
int egpu_session_process(struct egpu_session *session, int timeout_ms);
bool egpu_session_wanted(const struct egpu_session *session);
int egpu_session_safe(struct egpu_session *session, uint64_t step,
		      const void *state, size_t size);
int egpu_session_unable(struct egpu_session *session, const char *why);

#ifdef __cplusplus
}
#endif

#endif

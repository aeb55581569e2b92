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
 * everything but egpu_session_open() fails with -ENOTCONN, so a program may
 * simply go on; the library looks for egpud again, and gives it the buffers.
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

/**
 * egpu_session_open() - open a session with egpud
 * @session: where to put it
 * @name: of the work, for people; less than 32 bytes of printable text
 * @ops: what to call, copied; may be NULL
 * @arg: passed to @ops
 *
 * Succeeds without egpud as well: then egpu_session_fd() is -1,
 * egpu_session_error() says why, and egpud is looked for again by
 * egpu_session_safe() and egpu_session_process(), once a second at most.
 *
 * Return: 0; -EINVAL for a name that cannot be; -ENOMEM.
 */
int egpu_session_open(struct egpu_session **session, const char *name,
		      const struct egpu_session_ops *ops, void *arg);

/**
 * egpu_session_open_at() - the same, at another socket
 * @session: where to put it
 * @path: of the socket, not that of WIRE_PATH
 * @name: of the work
 * @ops: what to call, copied; may be NULL
 * @arg: passed to @ops
 *
 * Return: as egpu_session_open(); -EINVAL also for a path that is too long.
 */
int egpu_session_open_at(struct egpu_session **session, const char *path,
			 const char *name, const struct egpu_session_ops *ops,
			 void *arg);

/**
 * egpu_session_close() - end a session
 * @session: the session or NULL; not from a callback
 *
 * The buffers stay the program's; what egpud has stored of them is removed.
 */
void egpu_session_close(struct egpu_session *session);

/**
 * egpu_session_error() - why the last call has failed
 * @session: the session
 *
 * Return: a sentence, valid until the next call.
 */
const char *egpu_session_error(const struct egpu_session *session);

/**
 * egpu_session_interval_ms() - how much work a surprise costs at most
 * @session: the session
 *
 * Return: the interval of pre-copies in ms, which is kept where the program comes
 * to a safe point in time and writes no more than can be copied in it; 0 when
 * there are none.
 */
uint32_t egpu_session_interval_ms(const struct egpu_session *session);

/**
 * egpu_session_add_dmabuf() - a dma-buf is part of the work
 * @session: the session
 * @buffer: what it is; .kind and .handle do not count
 * @fd: the dma-buf; stays the program's
 *
 * Without egpud the buffer is remembered, and given to egpud when that is there.
 *
 * Return: 0; -ENOTCONN without egpud; -EINVAL, -EEXIST or -ENOSPC when it cannot
 * be; another negative errno, egpud's answer, whose reason is in
 * egpu_session_error().
 */
int egpu_session_add_dmabuf(struct egpu_session *session,
			    const struct egpu_session_buffer *buffer, int fd);

/**
 * egpu_session_add_handle() - a GEM object is part of the work
 * @session: the session
 * @buffer: what it is, with .handle
 * @drm_fd: the DRM node in which the handle means it; stays the program's
 *
 * For drivers that cannot export a dma-buf.
 *
 * Return: as egpu_session_add_dmabuf().
 */
int egpu_session_add_handle(struct egpu_session *session,
			    const struct egpu_session_buffer *buffer,
			    int drm_fd);

/**
 * egpu_session_add_memory() - host memory is part of the work
 * @session: the session
 * @buffer: what it is
 * @fd: memfd that is sealed against shrinking, see egpu_session_memory(); stays
 *	the program's
 *
 * Return: as egpu_session_add_dmabuf().
 */
int egpu_session_add_memory(struct egpu_session *session,
			    const struct egpu_session_buffer *buffer, int fd);

/**
 * egpu_session_memory() - make memory that can be part of the work
 * @size: in bytes
 * @name: for people, may be NULL
 *
 * Return: a memfd, the program's to map and to close, or a negative errno.
 */
int egpu_session_memory(uint64_t size, const char *name);

/**
 * egpu_session_remove() - a buffer is no longer part of the work
 * @session: the session
 * @id: of the buffer
 *
 * Also lets go of the library's own descriptor of it.
 *
 * Return: 0; -ENOENT when there is none; -ENOTCONN without egpud, and then it is
 * removed all the same.
 */
int egpu_session_remove(struct egpu_session *session, uint32_t id);

/**
 * egpu_session_dirty() - a buffer is being written
 * @session: the session
 * @id: of a buffer with EGPU_SESSION_DECLARED
 *
 * To be called after a safe point and before the next for each buffer that is
 * written between them; more often costs nothing. Never waits.
 *
 * Return: 0; -ENOENT when there is none; -ENOTCONN without egpud.
 */
int egpu_session_dirty(struct egpu_session *session, uint32_t id);

/**
 * egpu_session_fd() - what to poll for
 * @session: the session
 *
 * Return: a descriptor that is readable when egpu_session_process() has something
 * to do, -1 without egpud. It may be another after each call.
 */
int egpu_session_fd(const struct egpu_session *session);

/**
 * egpu_session_process() - listen to egpud outside of a safe point
 * @session: the session
 * @timeout_ms: how long to wait if egpud has said nothing; -1 for ever
 *
 * For programs that wait for other things, too. After a loss it can bring the
 * move, for there is nothing left to stand still for.
 *
 * Return: 0; -ENODEV as of egpu_session_safe(), which does not say it again;
 * -ENOTCONN without egpud; -EBUSY from a callback.
 */
int egpu_session_process(struct egpu_session *session, int timeout_ms);

/**
 * egpu_session_wanted() - is a safe point wanted
 * @session: the session
 *
 * For programs whose state takes long to gather. Does not ask egpud; after
 * egpu_session_process() it is up to date.
 *
 * Return: whether egpu_session_safe() would stand still.
 */
bool egpu_session_wanted(const struct egpu_session *session);

/**
 * egpu_session_safe() - the program is at a safe point
 * @session: the session
 * @step: the program's own count of progress
 * @state: what it needs beside its buffers to go on from here; may be NULL
 * @size: of @state in bytes
 *
 * Nothing may write to the buffers meanwhile. If egpud wants nothing, this costs
 * one look at the socket. If it does, or if the device has gone, this returns when
 * the program may go on: as it was, or after the callback .move, with what that
 * was given. A signal does not end it; that egpud ends, or says nothing for two
 * minutes, does.
 *
 * Return: 0: go on; -ENODEV: the device has gone and there is no checkpoint to go
 * on from, .failed was called; -ENOTCONN without egpud, and then the program goes
 * on as it was; -EMSGSIZE or another negative errno when @state cannot be passed,
 * which egpud has been told.
 */
int egpu_session_safe(struct egpu_session *session, uint64_t step,
		      const void *state, size_t size);

/**
 * egpu_session_unable() - the program cannot come to a safe point
 * @session: the session
 * @why: for people
 *
 * Can be called from the callback .reach. Without a wish of egpud it does nothing.
 *
 * Return: 0; -ENOTCONN without egpud.
 */
int egpu_session_unable(struct egpu_session *session, const char *why);

#ifdef __cplusplus
}
#endif

#endif

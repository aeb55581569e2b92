/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Children that move data. A driver can hang and memory that a program gave can
 * vanish under the reader; so whoever touches either is a process that can be
 * killed and is bound by a time limit. It has no descriptor of the daemon's but
 * those of its job, and no rights but those it needs.
 *
 * A mover says what happens over a socket; when it ends without a last word, it
 * has failed.
 */
#ifndef EGPU_MOVER_MOVER_H
#define EGPU_MOVER_MOVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../buffers/buffers.h"
#include "../store/store.h"

/**
 * struct job_buffer - a buffer of a job
 * @buffer: what it is
 * @fd: its descriptor; stays the caller's
 * @same: has not been written since the parent
 * @origin: enum wire_kind that it had when the program added it, 0 for that of
 *	@buffer: what was memory from the start stays memory on any device, what
 *	is memory for want of a device does not
 */
struct job_buffer {
	struct wire_buffer buffer;
	int fd;
	bool same;
	uint32_t origin;
};

/**
 * struct save_job - write a checkpoint
 * @store: where to
 * @head: what of; .id is filled in by mover_save() if it is empty
 * @n: entries of @buffer
 * @buffer: the buffers; those with a fence are waited for first
 * @state: descriptor of the state, or -1
 * @state_size: its bytes
 * @wait_ms: how long fences may take
 * @rate: bytes per second at most, 0 for no limit
 */
struct save_job {
	struct store *store;
	struct store_head *head;
	size_t n;
	const struct job_buffer *buffer;
	int state;
	uint32_t state_size;
	uint32_t wait_ms;
	uint64_t rate;
};

/**
 * struct restore_job - make the buffers of a checkpoint anew
 * @store: where from
 * @id: which
 * @node: DRM node of the device, or NULL for memory
 * @uid: user who must have the right to open @node; who is not root can only
 *	name itself
 * @gid: that user's group
 * @n_groups: entries of @groups
 * @groups: and other groups
 */
struct restore_job {
	struct store *store;
	const char *id;
	const char *node;
	uid_t uid;
	gid_t gid;
	size_t n_groups;
	const gid_t *groups;
};

/**
 * struct plain_job - write what a frozen program has on a GPU
 * @store: where to
 * @head: what of; .id is filled in by mover_plain() if it is empty
 * @pid: the program
 * @minor: index of its DRM minor
 * @n: entries of @handle
 * @handle: its GEM handles, from the kernel's list
 * @size: and how large each is
 * @wait_ms: how long fences may take, for all of them; who is busy then is left
 *	out
 */
struct plain_job {
	struct store *store;
	struct store_head *head;
	pid_t pid;
	uint32_t minor;
	size_t n;
	const uint32_t *handle;
	const uint64_t *size;
	uint32_t wait_ms;
};

/**
 * struct measure_job - how fast can a device be written and read?
 * @node: DRM node
 */
struct measure_job {
	const char *node;
};

/**
 * enum mover_event - what a mover says
 * @MOVER_COPIED: all was read, the program may write again
 * @MOVER_BUFFER: a buffer was made and verified, see .buffer; .fd is the caller's
 * @MOVER_STATE: the state, in a sealed memfd; .fd is the caller's
 * @MOVER_DONE: the last word: all is well (a checkpoint is durable)
 * @MOVER_FAILED: the last word: see .error and .text
 */
enum mover_event {
	MOVER_COPIED = 1,
	MOVER_BUFFER,
	MOVER_STATE,
	MOVER_DONE,
	MOVER_FAILED,
};

/**
 * struct mover_message - one thing it says
 * @event: what
 * @error: negative errno of MOVER_FAILED
 * @text: why, in words; of MOVER_DONE after mover_plain() what was left out
 * @buffer: of MOVER_BUFFER
 * @fd: of MOVER_BUFFER and MOVER_STATE, else -1
 * @state_size: of MOVER_STATE
 * @stats: of MOVER_DONE after saving
 * @step: of MOVER_DONE after restoring: as in the checkpoint
 * @write_rate: of MOVER_DONE after measuring, bytes per second; 0 unknown
 * @read_rate: likewise
 */
struct mover_message {
	enum mover_event event;
	int error;
	char text[160];
	struct wire_buffer buffer;
	int fd;
	uint32_t state_size;
	struct store_stats stats;
	uint64_t step;
	uint64_t write_rate;
	uint64_t read_rate;
};

/**
 * struct mover - a child at work
 * @pid: its pid
 * @pidfd: becomes readable when it ends
 * @sock: what it says comes from here
 * @ended: has said its last word
 */
struct mover {
	pid_t pid;
	int pidfd;
	int sock;
	bool ended;
};

int mover_save(struct mover *mover, const struct save_job *job);
int mover_restore(struct mover *mover, const struct restore_job *job);
int mover_plain(struct mover *mover, const struct plain_job *job);
int mover_measure(struct mover *mover, const struct measure_job *job);
int mover_receive(struct mover *mover, struct mover_message *message);
void mover_kill(struct mover *mover);
bool mover_reap(struct mover *mover);

#endif

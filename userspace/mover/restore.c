// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Makes the buffers of a checkpoint anew.
 *
 * What comes out of the store has been verified. What is written to a device's
 * memory is read back from there and compared, piece by piece; only a buffer
 * that is right to the last byte is given away.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "private.h"

#define CHUNK (16 * STORE_BLOCK)

/* What stays in the processor's cache between two copies. */
#define CHUNK_MEMORY (4 * STORE_BLOCK)

/* A second thread is not worth its memory for less. */
#define SHARE_MIN (UINT64_C(32) << 20)

void (*mover_written)(void *data, size_t len);
uint32_t mover_align;

/**
 * struct restoring - a checkpoint that is being restored, by one thread
 * @sock: to the parent
 * @reader: of the store; each thread has its own
 * @device: where buffers of a device go
 * @memory: where others go
 * @staging: CHUNK bytes, verified, from the store
 * @back: CHUNK bytes, from the new buffer
 * @first: the first buffer that is this thread's
 * @end: the first that no longer is
 * @made: for each buffer what was made; of all threads
 */
struct restoring {
	int sock;
	struct store_reader *reader;
	struct target device;
	struct target memory;
	char *staging;
	char *back;
	size_t first;
	size_t end;
	struct made *made;
};

static void put(const struct restoring *restoring, uint32_t id, char *to,
		const char *from, size_t len)
{
	buffer_copy_in(to, from, len);
	if (mover_written)
		mover_written(to, len);
	buffer_copy_out(restoring->back, to, len);
	if (memcmp(restoring->back, from, len))
		child_fail(restoring->sock, -EIO,
			   "buffer %u: the new memory does not hold what was written",
			   id);
}

static void take(const struct restoring *restoring, size_t index,
		 uint64_t offset, size_t len)
{
	int err = store_read(restoring->reader, index, offset,
			     restoring->staging, len);

	if (err)
		child_fail(restoring->sock, err, "%s",
			   store_reader_error(restoring->reader));
}

/* Bytes that lie as they did. */
static void fill_span(const struct restoring *restoring, size_t index,
		      uint64_t offset, const struct made *made, uint64_t to,
		      uint64_t len)
{
	size_t n;

	for (; len; len -= n, offset += n, to += n) {
		n = len < CHUNK ? len : CHUNK;
		take(restoring, index, offset, n);
		put(restoring, made->buffer.id, (char *)made->map.data + to,
		    restoring->staging, n);
	}
}

static bool is_zero(const char *data, size_t len)
{
	return !data[0] && !memcmp(data, data + 1, len - 1);
}

static int put_all(int fd, const void *data, size_t len, off_t at)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pwrite(fd, (const char *)data + done, len - done,
			   at + (off_t)done);
		if (n > 0)
			done += (size_t)n;
		else if (!n || errno != EINTR)
			return n ? -errno : -ENOMEM;
	}
	return 0;
}

/*
 * New memory is zero, and none of it is there before it is written: a terabyte of
 * zeros, which is a small checkpoint, stays nothing.
 *
 * A write takes new pages as they are; through a mapping each would be zeroed in
 * a fault of its own first. Reading them back would show what the processor's
 * cache holds, nothing else: this is memory as that of the staging is.
 */
static void fill_memory(const struct restoring *restoring, size_t index,
			const struct made *made, uint64_t len)
{
	uint64_t at = 0;
	size_t n;
	int err;

	for (; at < len; at += n) {
		n = len - at < CHUNK_MEMORY ? len - at : CHUNK_MEMORY;
		take(restoring, index, at, n);
		if (is_zero(restoring->staging, n))
			continue;
		err = put_all(made->fd, restoring->staging, n, (off_t)at);
		if (err)
			child_fail(restoring->sock, err,
				   "buffer %u: no memory is left",
				   made->buffer.id);
	}
}

/* The pixels of each line; what is between the lines is nobody's. */
static void fill_lines(const struct restoring *restoring, size_t index,
		       const struct wire_buffer *like, const struct made *made)
{
	uint32_t bytes = buffer_line_bytes(like);
	uint32_t step = CHUNK / like->stride;
	uint32_t line, n, i;

	if (!step) {
		for (line = 0; line < like->height; line++)
			fill_span(restoring, index,
				  (uint64_t)line * like->stride, made,
				  (uint64_t)line * made->buffer.stride, bytes);
		return;
	}
	for (line = 0; line < like->height; line += n) {
		n = like->height - line < step ? like->height - line : step;
		take(restoring, index, (uint64_t)line * like->stride,
		     (size_t)n * like->stride);
		for (i = 0; i < n; i++)
			put(restoring, made->buffer.id,
			    (char *)made->map.data +
				    (uint64_t)(line + i) * made->buffer.stride,
			    restoring->staging + (size_t)i * like->stride,
			    bytes);
	}
}

static void fill(const struct restoring *restoring, size_t index,
		 const struct wire_buffer *like, const struct made *made)
{
	int err;

	if (made->buffer.kind == WIRE_MEMORY && !mover_written &&
	    made->buffer.stride == like->stride) {
		fill_memory(restoring, index, made, like->size);
		return;
	}
	err = buffer_sync(&made->map, true, true);
	if (err)
		child_fail(restoring->sock, err,
			   "buffer %u cannot be made writable: %s", like->id,
			   strerror(-err));
	if (made->buffer.stride == like->stride)
		fill_span(restoring, index, 0, made, 0, like->size);
	else
		fill_lines(restoring, index, like, made);
	err = buffer_sync(&made->map, false, true);
	if (err)
		child_fail(restoring->sock, err,
			   "buffer %u cannot be given to its device: %s",
			   like->id, strerror(-err));
}

static void describe(const struct store_buffer *from, struct wire_buffer *to)
{
	*to = (struct wire_buffer){
		.id = from->id,
		.kind = from->kind,
		.size = from->size,
		.format = from->format,
		.width = from->width,
		.height = from->height,
		.stride = from->stride,
		.modifier = from->modifier,
	};
	memcpy(to->name, from->name, sizeof(to->name));
}

static void restore_buffer(struct restoring *restoring, size_t index)
{
	const struct store_buffer *buffer =
		&store_buffers(restoring->reader, NULL)[index];
	struct target *target = buffer->kind == WIRE_MEMORY ?
					&restoring->memory :
					&restoring->device;
	struct made *made = &restoring->made[index];
	char error[BUFFERS_ERROR];
	struct wire_buffer like;
	int err;

	describe(buffer, &like);
	err = target_make(target, &like, made, error);
	if (err)
		child_fail(restoring->sock, err, "buffer %u: %s", like.id,
			   error);
	fill(restoring, index, &like, made);
	buffer_unmap(&made->map);
}

static void say_made(const struct restoring *restoring, size_t index)
{
	struct made *made = &restoring->made[index];
	struct mover_message message;

	memset(&message, 0, sizeof(message));
	message.event = MOVER_BUFFER;
	message.buffer = made->buffer;
	child_say(restoring->sock, &message, made->fd);
	made_close(made);
}

/* ------------------------------------------------------------- two threads */

/*
 * New memory costs the processor more than the disk, so two of its cores do it.
 * A driver is asked by one thread only.
 */
static bool is_shared(const struct restore_job *job,
		      const struct store_buffer *buffer, size_t n)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (job->node && buffer[i].kind != WIRE_MEMORY)
			return false;
		bytes += buffer[i].size;
	}
	return bytes >= SHARE_MIN && sysconf(_SC_NPROCESSORS_ONLN) > 1;
}

/* How many of the buffers have half of the bytes. */
static size_t half_of(const struct store_buffer *buffer, size_t n)
{
	uint64_t bytes = 0, sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		bytes += buffer[i].size;
	for (i = 0; i < n && sum + buffer[i].size / 2 < bytes / 2; i++)
		sum += buffer[i].size;
	return i;
}

static void *restore_rest(void *arg)
{
	struct restoring *rest = arg;
	size_t i;

	for (i = rest->first; i < rest->end; i++)
		restore_buffer(rest, i);
	return NULL;
}

/* What @rest makes is told of behind what @restoring makes, as it has to be. */
static void restore_buffers(struct restoring *restoring, struct restoring *rest)
{
	pthread_t thread;
	bool has_thread = false;
	size_t i;

	if (rest->first < rest->end)
		has_thread = !pthread_create(&thread, NULL, restore_rest, rest);
	for (i = restoring->first; i < restoring->end; i++) {
		restore_buffer(restoring, i);
		say_made(restoring, i);
	}
	if (has_thread)
		pthread_join(thread, NULL);
	for (i = rest->first; i < rest->end; i++) {
		if (!has_thread)
			restore_buffer(rest, i);
		say_made(rest, i);
	}
}

/* Sealed: who gets it has what was in the checkpoint. */
static int hold_state(const void *state, size_t len)
{
	int fd = memfd_create("egpu-state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t at = 0;
	ssize_t n = 1;

	if (fd < 0)
		return -errno;
	for (; at < len && n > 0; at += n > 0 ? (size_t)n : 0)
		n = write(fd, (const char *)state + at, len - at);
	if (at == len &&
	    !fcntl(fd, F_ADD_SEALS,
		   F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL))
		return fd;
	close(fd);
	return -ENOMEM;
}

static void restore_state(const struct restoring *restoring)
{
	struct mover_message message;
	void *state = NULL;
	size_t len = 0;
	int err, fd;

	err = store_read_state(restoring->reader, &state, &len);
	if (err)
		child_fail(restoring->sock, err, "%s",
			   store_reader_error(restoring->reader));
	if (!len)
		return;
	fd = hold_state(state, len);
	if (fd < 0)
		child_fail(restoring->sock, fd, "no memory for the state");
	memset(&message, 0, sizeof(message));
	message.event = MOVER_STATE;
	message.state_size = (uint32_t)len;
	child_say(restoring->sock, &message, fd);
	close(fd);
	free(state);
}

/* ------------------------------------------------------------- the job */

static void open_checkpoint(struct restoring *restoring,
			    const struct restore_job *job)
{
	const struct store_head *head;
	char error[STORE_ERROR] = "";
	int err;

	restoring->staging = malloc(CHUNK);
	restoring->back = malloc(CHUNK);
	if (!restoring->staging || !restoring->back)
		child_fail(restoring->sock, -ENOMEM, "no memory to copy with");
	err = store_load(job->store, job->id, &restoring->reader, error);
	if (err)
		child_fail(restoring->sock, err, "%s", error);
	head = store_head(restoring->reader);
	if (head->rough || head->plain)
		child_fail(restoring->sock, -EINVAL,
			   "checkpoint %s is not one to go on from", job->id);
}

/* Who does what; the second has nothing to do when there is one thread. */
static void share(struct restoring *restoring, struct restoring *rest,
		  const struct restore_job *job)
{
	const struct store_buffer *buffer;
	size_t n;

	buffer = store_buffers(restoring->reader, &n);
	restoring->made = calloc(n + 1, sizeof(*restoring->made));
	if (!restoring->made)
		child_fail(restoring->sock, -ENOMEM, "no memory for a list");
	restoring->end = n;
	if (is_shared(job, buffer, n)) {
		restoring->end = half_of(buffer, n);
		open_checkpoint(rest, job);
	}
	rest->made = restoring->made;
	rest->first = restoring->end;
	rest->end = n;
}

static void run_restore(int sock, const void *arg)
{
	const struct restore_job *job = arg;
	struct restoring restoring = { .sock = sock };
	struct restoring rest = { .sock = sock };
	struct mover_message message;
	char error[BUFFERS_ERROR];
	int err;

	open_checkpoint(&restoring, job);
	share(&restoring, &rest, job);
	/* The files are open, and now it is the user who opens the device. */
	child_become(sock, job->uid, job->gid, job->groups, job->n_groups);
	if (!geteuid())
		child_lower(sock);
	target_open(&restoring.memory, NULL, error);
	err = target_open(&restoring.device, job->node, error);
	if (err)
		child_fail(sock, err, "%s", error);
	restoring.memory.align = mover_align;
	restoring.device.align = mover_align;
	rest.memory = restoring.memory;
	rest.device = restoring.device;
	restore_buffers(&restoring, &rest);
	restore_state(&restoring);
	memset(&message, 0, sizeof(message));
	message.event = MOVER_DONE;
	message.step = store_head(restoring.reader)->step;
	child_say(sock, &message, -1);
}

/**
 * mover_restore() - make the buffers of a checkpoint anew
 * @mover: set
 * @job: which and where; used before this returns only
 *
 * Says MOVER_BUFFER for each in the order of the checkpoint, MOVER_STATE if
 * there is a state, then MOVER_DONE. What came before MOVER_FAILED is to be
 * closed.
 *
 * Return: 0 or a negative errno.
 */
int mover_restore(struct mover *mover, const struct restore_job *job)
{
	int keep[1] = { store_fd(job->store) };
	struct work work = {
		.name = "egpud-restore",
		.run = run_restore,
		.job = job,
		.n = 1,
		.keep = keep,
	};

	return mover_start(mover, &work);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Writes buffers into a checkpoint.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "private.h"

/* With a bounded rate, how much is read between two looks at the clock. */
#define PIECE (16 * STORE_BLOCK)

/* The buffer that is being read, if it is memory; a copy is told no more. */
static struct {
	int sock;
	int fd;
	const char *start;
} memory = { .fd = -1 };

/*
 * Read, not touched: a program may give a terabyte of memory that is not there,
 * of which each page that is touched through a mapping would be made, for us.
 */
static void copy_memory(void *to, const void *from, size_t len)
{
	off_t at = (const char *)from - memory.start;
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pread(memory.fd, (char *)to + done, len - done,
			  at + (off_t)done);
		if (n > 0)
			done += (size_t)n;
		else if (!n || errno != EINTR)
			child_fail(memory.sock, n ? -errno : -EFAULT,
				   "the memory of a buffer vanished");
	}
}

/* How to read what is mapped. */
static store_copy_fn *copy_of(const struct mapping *map)
{
	if (memory.fd >= 0)
		return copy_memory;
	return map->slow ? buffer_copy_out : NULL;
}

/**
 * saving_fail() - the checkpoint cannot be written
 * @saving: it
 * @err: negative errno
 * @what: why, in words
 */
void saving_fail(struct saving *saving, int err, const char *what)
{
	char text[BUFFERS_ERROR];

	snprintf(text, sizeof(text), "%s", what);
	if (saving->writer)
		store_abort(saving->writer);
	child_fail(saving->sock, err, "%s", text);
}

/**
 * saving_begin() - begin to write
 * @saving: .sock, .head and .rate are set
 * @store: where to
 * @buffer: what is to come
 * @n: how many
 */
void saving_begin(struct saving *saving, struct store *store,
		  const struct store_buffer *buffer, size_t n)
{
	char error[STORE_ERROR] = "";
	int err = store_begin(store, &saving->head, buffer, n, &saving->writer,
			      error);

	if (err)
		child_fail(saving->sock, err, "%s", error);
	saving->begun = mover_now_ns();
}

/* Sleeps until as many bytes may have been read. */
static void keep_pace(const struct saving *saving)
{
	uint64_t due, spent;
	struct timespec rest;

	if (!saving->rate)
		return;
	due = (uint64_t)((double)saving->bytes / (double)saving->rate * 1e9);
	spent = mover_now_ns() - saving->begun;
	if (spent >= due)
		return;
	rest.tv_sec = (time_t)((due - spent) / 1000000000u);
	rest.tv_nsec = (long)((due - spent) % 1000000000u);
	nanosleep(&rest, NULL);
}

/**
 * saving_write() - write a buffer
 * @saving: into this
 * @index: which of those that were announced
 * @id: as it is called
 * @map: its memory
 * @size: bytes
 * @sync: nobody works on it: the device's view and ours can be made one
 */
void saving_write(struct saving *saving, size_t index, uint32_t id,
		  const struct mapping *map, uint64_t size, bool sync)
{
	char text[80];
	uint64_t piece = saving->rate ? PIECE : size;
	uint64_t at, len;
	int err = 0;

	if (sync)
		err = buffer_sync(map, true, false);
	if (err) {
		snprintf(text, sizeof(text),
			 "buffer %u cannot be made readable: %s", id,
			 strerror(-err));
		saving_fail(saving, err, text);
	}
	for (at = 0; at < size; at += len) {
		len = size - at < piece ? size - at : piece;
		err = store_write(saving->writer, index, at,
				  (const char *)map->data + at, len,
				  copy_of(map));
		if (err)
			saving_fail(saving, err,
				    store_writer_error(saving->writer));
		saving->bytes += len;
		keep_pace(saving);
	}
	if (sync)
		buffer_sync(map, false, false);
}

/**
 * saving_finish() - make it durable, and say so
 * @saving: it
 * @text: what else there is to say, or empty
 */
void saving_finish(struct saving *saving, const char *text)
{
	struct mover_message message;
	int err;

	if (saving->of_device && *saving->head.address &&
	    !device_is_there("/sys", saving->head.address))
		saving_fail(saving, -ENODEV, "the device has gone meanwhile");
	memset(&message, 0, sizeof(message));
	message.event = MOVER_COPIED;
	child_say(saving->sock, &message, -1);
	err = store_finish(saving->writer, &message.stats);
	if (err)
		child_fail(saving->sock, err, "%s",
			   store_writer_error(saving->writer));
	message.event = MOVER_DONE;
	snprintf(message.text, sizeof(message.text), "%s", text);
	child_say(saving->sock, &message, -1);
}

static void describe(const struct job_buffer *from, struct store_buffer *to)
{
	const struct wire_buffer *buffer = &from->buffer;

	*to = (struct store_buffer){
		.id = buffer->id,
		.kind = from->origin ? from->origin : buffer->kind,
		.size = buffer->size,
		.format = buffer->format,
		.width = buffer->width,
		.height = buffer->height,
		.stride = buffer->stride,
		.modifier = buffer->modifier,
	};
	memcpy(to->name, buffer->name, sizeof(to->name));
}

/*
 * A rough copy is only there to have less to do later, so a buffer that is
 * being worked on is read as it is.
 */
static bool wait_for(int sock, const struct job_buffer *one, bool rough,
		     uint64_t end)
{
	uint64_t now = mover_now_ns();
	int idle = buffer_poll(&one->buffer, one->fd,
			       rough || now >= end ?
				       0 :
				       (int)((end - now) / 1000000u));

	if (!idle && !rough)
		child_fail(sock, -ETIMEDOUT,
			   "buffer %u is still being worked on", one->buffer.id);
	if (idle < 0 && idle != -EOPNOTSUPP)
		child_fail(sock, idle, "buffer %u cannot be waited for: %s",
			   one->buffer.id, strerror(-idle));
	return idle != 0;
}

/* Whether it is in the parent; what is not has to be written after all. */
static bool keep(struct saving *saving, size_t index)
{
	int err = store_keep(saving->writer, index);

	if (err && err != -ENOENT)
		saving_fail(saving, err, store_writer_error(saving->writer));
	return !err;
}

static void save_buffer(struct saving *saving, size_t index,
			const struct job_buffer *one, bool sync)
{
	char error[BUFFERS_ERROR], text[BUFFERS_ERROR + 32];
	struct mapping map;
	int err;

	if (one->same && keep(saving, index))
		return;
	err = buffer_map(&one->buffer, one->fd, false, &map, error);
	if (err) {
		snprintf(text, sizeof(text), "buffer %u: %s", one->buffer.id,
			 error);
		saving_fail(saving, err, text);
	}
	memory.sock = saving->sock;
	memory.fd = one->buffer.kind == WIRE_MEMORY ? one->fd : -1;
	memory.start = map.data;
	saving_write(saving, index, one->buffer.id, &map, one->buffer.size,
		     sync);
	memory.fd = -1;
	buffer_unmap(&map);
}

static void save_state(struct saving *saving, int fd, uint32_t size)
{
	char *state = malloc(size ? size : 1);
	uint32_t have = 0;
	ssize_t n;
	int err;

	if (!state)
		saving_fail(saving, -ENOMEM, "no memory for the state");
	while (have < size) {
		n = pread(fd, state + have, size - have, have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			saving_fail(saving, n ? -errno : -ERANGE,
				    "the state cannot be read");
		have += (uint32_t)n;
	}
	err = store_state(saving->writer, state, size);
	if (err)
		saving_fail(saving, err, store_writer_error(saving->writer));
	free(state);
}

static void run_save(int sock, const void *arg)
{
	const struct save_job *job = arg;
	struct saving saving = { .sock = sock,
				 .head = *job->head,
				 .rate = job->rate };
	uint64_t end = mover_now_ns() + job->wait_ms * UINT64_C(1000000);
	struct store_buffer *buffer = calloc(job->n + 1, sizeof(*buffer));
	bool *idle = calloc(job->n + 1, sizeof(*idle));
	size_t i;

	child_lower(sock);
	if (!buffer || !idle)
		child_fail(sock, -ENOMEM, "no memory for a list of buffers");
	for (i = 0; i < job->n; i++) {
		describe(&job->buffer[i], &buffer[i]);
		saving.of_device |= job->buffer[i].buffer.kind != WIRE_MEMORY;
		idle[i] = job->buffer[i].same ||
			  wait_for(sock, &job->buffer[i], job->head->rough, end);
	}
	saving_begin(&saving, job->store, buffer, job->n);
	for (i = 0; i < job->n; i++)
		save_buffer(&saving, i, &job->buffer[i], idle[i]);
	if (job->state >= 0)
		save_state(&saving, job->state, job->state_size);
	saving_finish(&saving, "");
}

/**
 * mover_save() - write a checkpoint
 * @mover: set
 * @job: what of; used before this returns only
 *
 * Says MOVER_COPIED, then MOVER_DONE.
 *
 * Return: 0 or a negative errno.
 */
int mover_save(struct mover *mover, const struct save_job *job)
{
	struct work work = {
		.name = "egpud-save",
		.run = run_save,
		.job = job,
	};
	int *fds = calloc(job->n + 2, sizeof(*fds));
	size_t i;
	int err;

	if (!fds)
		return -ENOMEM;
	if (!*job->head->id)
		store_new_id(job->head->id);
	for (i = 0; i < job->n; i++)
		fds[i] = job->buffer[i].fd;
	fds[i++] = job->state;
	fds[i++] = store_fd(job->store);
	work.keep = fds;
	work.n = i;
	err = mover_start(mover, &work);
	free(fds);
	return err;
}

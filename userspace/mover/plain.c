// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Writes what a program that knows nothing of us has on a GPU. It stands still;
 * its handles come from the kernel, its open nodes from the program itself.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "private.h"

/**
 * struct found - a buffer of the program
 * @handle: its GEM handle
 * @size: bytes
 * @file: in which of its open nodes
 * @map: its memory
 */
struct found {
	uint32_t handle;
	uint64_t size;
	size_t file;
	struct mapping map;
};

/**
 * struct plain - the program
 * @n_files: entries of @file
 * @file: its open nodes
 * @n: entries of @found
 * @found: what can be read
 * @n_left: buffers that cannot
 * @left: which, in words
 * @why: why the last of them cannot
 */
struct plain {
	size_t n_files;
	int *file;
	size_t n;
	struct found *found;
	size_t n_left;
	char left[80];
	char why[BUFFERS_ERROR];
};

static void leave_out(struct plain *plain, uint32_t handle, const char *why)
{
	size_t len = strlen(plain->left);

	plain->n_left++;
	if (len < sizeof(plain->left) - 16)
		snprintf(plain->left + len, sizeof(plain->left) - len, "%s%u",
			 len ? ", " : "", handle);
	else if (plain->left[len - 1] != '.')
		snprintf(plain->left + len, sizeof(plain->left) - len, " ...");
	if (why != plain->why)
		snprintf(plain->why, sizeof(plain->why), "%s", why);
}

static bool is_taken(const struct plain *plain, size_t file, uint32_t handle)
{
	size_t i;

	for (i = 0; i < plain->n; i++) {
		if (plain->found[i].file == file &&
		    plain->found[i].handle == handle)
			return true;
	}
	return false;
}

/* The same number in another open node is another buffer, of another size. */
static bool is_it(const struct mapping *map, uint64_t size)
{
	return map->fd < 0 || (uint64_t)lseek(map->fd, 0, SEEK_END) == size;
}

static bool is_idle(const struct mapping *map, uint64_t end)
{
	struct wire_buffer buffer = { .kind = WIRE_DMABUF };
	uint64_t now = mover_now_ns();

	return map->fd < 0 ||
	       buffer_poll(&buffer, map->fd,
			   now < end ? (int)((end - now) / 1000000u) : 0) == 1;
}

static void look_for(struct plain *plain, uint32_t handle, uint64_t size,
		     uint64_t end)
{
	struct wire_buffer buffer = {
		.kind = WIRE_HANDLE,
		.handle = handle,
		.size = size,
	};
	struct found *found = &plain->found[plain->n];
	size_t i;

	snprintf(plain->why, sizeof(plain->why),
		 "its program has no such buffer");
	for (i = 0; i < plain->n_files; i++) {
		if (is_taken(plain, i, handle) ||
		    buffer_map(&buffer, plain->file[i], false, &found->map,
			       plain->why))
			continue;
		if (is_it(&found->map, size) && is_idle(&found->map, end)) {
			found->handle = handle;
			found->size = size;
			found->file = i;
			plain->n++;
			return;
		}
		snprintf(plain->why, sizeof(plain->why), "%s",
			 is_it(&found->map, size) ?
				 "it is still being worked on" :
				 "it has another size");
		buffer_unmap(&found->map);
	}
	leave_out(plain, handle, plain->why);
}

static void look(struct plain *plain, const struct plain_job *job, int sock)
{
	uint64_t end = mover_now_ns() + job->wait_ms * UINT64_C(1000000);
	size_t i;

	plain->found = calloc(STORE_BUFFERS, sizeof(*plain->found));
	if (!plain->found)
		child_fail(sock, -ENOMEM, "no memory for a list of buffers");
	for (i = 0; i < job->n; i++) {
		if (plain->n == STORE_BUFFERS)
			leave_out(plain, job->handle[i],
				  "a checkpoint has no room for more");
		else if (!job->size[i] || job->size[i] > WIRE_SIZE_MAX)
			leave_out(plain, job->handle[i], "it has no size");
		else
			look_for(plain, job->handle[i], job->size[i], end);
	}
	if (job->n && !plain->n)
		child_fail(sock, -ENODATA, "none of %zu buffers can be read: %s",
			   job->n, plain->why);
}

static void write_all(const struct plain *plain, const struct plain_job *job,
		      struct saving *saving)
{
	struct store_buffer *buffer = calloc(plain->n + 1, sizeof(*buffer));
	size_t i;

	if (!buffer)
		child_fail(saving->sock, -ENOMEM,
			   "no memory for a list of buffers");
	for (i = 0; i < plain->n; i++) {
		buffer[i].id = (uint32_t)i + 1;
		buffer[i].kind = WIRE_HANDLE;
		buffer[i].size = plain->found[i].size;
		snprintf(buffer[i].name, sizeof(buffer[i].name),
			 "file %zu handle %u", plain->found[i].file + 1,
			 plain->found[i].handle);
	}
	saving_begin(saving, job->store, buffer, plain->n);
	for (i = 0; i < plain->n; i++)
		saving_write(saving, i, buffer[i].id, &plain->found[i].map,
			     plain->found[i].size, true);
	free(buffer);
}

static void run_plain(int sock, const void *arg)
{
	const struct plain_job *job = arg;
	struct saving saving = { .sock = sock,
				 .head = *job->head,
				 .of_device = true };
	char error[BUFFERS_ERROR], text[BUFFERS_ERROR + 256] = "";
	struct plain plain = { 0 };
	int err;

	saving.head.plain = true;
	err = plain_open_files(job->pid, job->minor, &plain.file,
			       &plain.n_files, error);
	/* To look into the program needed rights, the rest does not. */
	child_lower(sock);
	if (err)
		child_fail(sock, err, "%s", error);
	look(&plain, job, sock);
	write_all(&plain, job, &saving);
	if (plain.n_left)
		snprintf(text, sizeof(text),
			 "left out %zu of %zu buffers (handles %s): %s",
			 plain.n_left, job->n, plain.left, plain.why);
	saving_finish(&saving, text);
}

/**
 * mover_plain() - write what a frozen program has on a GPU
 * @mover: set
 * @job: which; used before this returns only
 *
 * Says MOVER_COPIED, then MOVER_DONE with what had to be left out.
 *
 * Return: 0 or a negative errno.
 */
int mover_plain(struct mover *mover, const struct plain_job *job)
{
	int keep[1] = { store_fd(job->store) };
	struct work work = {
		.name = "egpud-plain",
		.run = run_plain,
		.job = job,
		.n = 1,
		.keep = keep,
	};

	if (!*job->head->id)
		store_new_id(job->head->id);
	return mover_start(mover, &work);
}

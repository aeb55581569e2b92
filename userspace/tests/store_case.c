// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_case.h"
#include "test.h"

/* @under: a directory such as /tmp, on a disk or in memory. */
void store_case_begin(struct store_case *c, const char *under,
		      const struct store_options *options)
{
	memset(c, 0, sizeof(*c));
	snprintf(c->dir, sizeof(c->dir), "%s/egpu-store-XXXXXX", under);
	assert_non_null(mkdtemp(c->dir));
	store_case_reopen(c, options);
}

void store_case_reopen(struct store_case *c, const struct store_options *options)
{
	store_close(c->store);
	if (store_open(&c->store, c->dir, options, c->error))
		fail_msg("%s", c->error);
}

void store_case_end(struct store_case *c)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir = opendir(c->dir);

	store_close(c->store);
	while (dir && (entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", c->dir, entry->d_name);
		unlink(path);
	}
	if (dir)
		closedir(dir);
	assert_int_equal(rmdir(c->dir), 0);
}

void store_case_path(const struct store_case *c, const char *id, char *path,
		     size_t size)
{
	snprintf(path, size, "%s/%s%s", c->dir, id, STORE_SUFFIX);
}

/* How many files there are, of whatever name. */
size_t store_case_files(const struct store_case *c)
{
	DIR *dir = opendir(c->dir);
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
	closedir(dir);
	return n;
}

/* The file of a checkpoint, for free(). */
uint8_t *store_case_bytes(const struct store_case *c, const char *id,
			  size_t *len)
{
	char path[PATH_MAX];
	struct stat st;
	uint8_t *bytes;
	int fd;

	store_case_path(c, id, path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	*len = (size_t)st.st_size;
	bytes = malloc(*len + 1);
	assert_non_null(bytes);
	assert_int_equal(read(fd, bytes, *len), *len);
	close(fd);
	return bytes;
}

/* Puts a file there as if it were that checkpoint. */
void store_case_put(const struct store_case *c, const char *id,
		    const void *bytes, size_t len)
{
	char path[PATH_MAX];
	int fd;

	store_case_path(c, id, path, sizeof(path));
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

/* ------------------------------------------------------------- work */

/* Bytes of which no two pieces are alike. */
void work_fill(uint8_t *to, size_t len, uint64_t seed)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15 + 1;
	size_t i;

	for (i = 0; i < len; i++) {
		if (i % 8 == 0) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
		}
		to[i] = (uint8_t)(x >> (i % 8 * 8));
	}
}

void work_begin(struct work *work, const uint64_t *size, size_t n,
		size_t state_size, uint64_t seed)
{
	size_t i;

	assert_true(n <= WORK_BUFFERS);
	memset(work, 0, sizeof(*work));
	work->n = n;
	for (i = 0; i < n; i++) {
		work->buffer[i].id = (uint32_t)(7 * i + 1);
		work->buffer[i].kind = 3;
		work->buffer[i].size = size[i];
		snprintf(work->buffer[i].name, sizeof(work->buffer[i].name),
			 "buffer %zu", i);
		work->data[i] = malloc(size[i]);
		assert_non_null(work->data[i]);
		work_fill(work->data[i], size[i], seed + i);
	}
	work->state_size = state_size;
	work->state = malloc(state_size + 1);
	assert_non_null(work->state);
	work_fill(work->state, state_size, seed + 1000);
	strcpy(work->head.program, "test");
	strcpy(work->head.name, "a piece of work");
	strcpy(work->head.address, "0000:07:00.0");
	strcpy(work->head.driver, "bochs-drm");
	work->head.session = 4711;
	work->head.step = seed;
	work->head.pid = 42;
	work->head.uid = 1000;
}

void work_end(struct work *work)
{
	size_t i;

	for (i = 0; i < work->n; i++)
		free(work->data[i]);
	free(work->state);
}

static int write_work(struct store_writer *writer, const struct work *work)
{
	int err = 0;
	size_t i;

	for (i = 0; !err && i < work->n; i++) {
		if (work->keep & (1u << i))
			err = store_keep(writer, i);
		else
			err = store_write(writer, i, 0, work->data[i],
					  work->buffer[i].size, NULL);
	}
	if (!err && work->state_size)
		err = store_state(writer, work->state, work->state_size);
	return err;
}

/* Its id is in @work->head.id then. @parent: of which one, or NULL. */
int work_save(struct store_case *c, struct work *work, const char *parent,
	      struct store_stats *stats)
{
	struct store_head *head = &work->head;
	struct store_writer *writer;
	char of[STORE_ID_SIZE] = "";
	int err;

	if (parent)
		strcpy(of, parent);
	c->error[0] = '\0';
	head->created = 0;
	memset(head->id, 0, sizeof(head->id));
	memcpy(head->parent, of, sizeof(of));
	err = store_begin(c->store, head, work->buffer, work->n, &writer,
			  c->error);
	if (err)
		return err;
	err = write_work(writer, work);
	if (!err)
		err = store_finish(writer, stats);
	if (err) {
		snprintf(c->error, sizeof(c->error), "%s",
			 store_writer_error(writer));
		store_abort(writer);
	}
	return err;
}

/* 0 if it is as in @work, 1 if not, a negative errno if it cannot be read. */
static int compare_buffer(struct store_reader *reader, size_t index,
			  const struct work *work)
{
	uint64_t size = work->buffer[index].size;
	uint8_t *data = malloc(size);
	int err;

	assert_non_null(data);
	err = store_read(reader, index, 0, data, size);
	if (!err)
		err = memcmp(data, work->data[index], size) != 0;
	free(data);
	return err;
}

static int compare_work(struct store_reader *reader, const struct work *work)
{
	const struct store_buffer *buffer;
	void *state;
	size_t n, i;
	int err = 0;

	buffer = store_buffers(reader, &n);
	if (n != work->n || memcmp(buffer, work->buffer, n * sizeof(*buffer)))
		return 1;
	for (i = 0; !err && i < n; i++)
		err = compare_buffer(reader, i, work);
	if (!err)
		err = store_read_state(reader, &state, &n);
	if (err)
		return err;
	err = n != work->state_size ||
	      memcmp(state ? state : "", work->state, n) != 0;
	free(state);
	return err;
}

/*
 * Loads, verifies and reads a checkpoint: 0, or what refuses it. One that is
 * accepted and wrong is the end of the test.
 */
int work_look(struct store_case *c, const char *id, const struct work *work)
{
	struct store_reader *reader;
	int err = store_load(c->store, id, &reader, c->error);

	if (err)
		return err;
	err = store_verify(reader);
	if (!err)
		err = compare_work(reader, work);
	if (err > 0)
		fail_msg("checkpoint %s was accepted and is wrong", id);
	if (err)
		snprintf(c->error, sizeof(c->error), "%s",
			 store_reader_error(reader));
	store_unload(reader);
	return err;
}

/* It must be there, whole and right. */
void work_expect(struct store_case *c, const char *id, const struct work *work)
{
	struct store_reader *reader;
	struct store_head head;

	if (work_look(c, id, work))
		fail_msg("%s", c->error);
	assert_int_equal(store_load(c->store, id, &reader, c->error), 0);
	head = *store_head(reader);
	store_unload(reader);
	if (!strcmp(head.id, work->head.id))
		assert_memory_equal(&head, &work->head, sizeof(head));
}

unsigned int open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The store: what was written is what is read, and who may do what.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_case.h"
#include "test.h"

/* On a disk by the ring, on it by plain calls, in memory. */
static const struct {
	const char *under;
	struct store_options options;
} places[] = {
	{ "/tmp", { .no_ring = false } },
	{ "/tmp", { .no_ring = true } },
	{ "/dev/shm", { .no_ring = false } },
};

static void save(struct store_case *c, struct work *work, const char *parent,
		 struct store_stats *stats)
{
	if (work_save(c, work, parent, stats))
		fail_msg("%s", c->error);
}

/* Sizes on both sides of every border there is. */
static void sizes(void **state)
{
	static const uint64_t size[] = {
		1,
		2,
		4095,
		4096,
		4097,
		65535,
		65536,
		65537,
		69632,
		131071,
		131073,
		127 * 65536,
		127 * 65536 + 1,
		128 * 65536 - 1,
		3 * 127 * 65536 + 4097,
	};
	static const size_t states[] = { 0, 1, 65536, 65537 };
	struct store_case c;
	struct work work;
	size_t p, i;

	(void)state;
	for (p = 0; p < ARRAY_SIZE(places); p++) {
		store_case_begin(&c, places[p].under, &places[p].options);
		for (i = 0; i < ARRAY_SIZE(size); i++) {
			work_begin(&work, &size[i], 1, states[i % 4], i + 1);
			save(&c, &work, NULL, NULL);
			work_expect(&c, work.head.id, &work);
			work_end(&work);
		}
		/* And several of them, which share tables. */
		work_begin(&work, size + 4, WORK_BUFFERS, 100, 99);
		save(&c, &work, NULL, NULL);
		work_expect(&c, work.head.id, &work);
		work_end(&work);
		store_case_end(&c);
	}
}

static void nothing_at_all(void **state)
{
	struct store_case c;
	struct work work;

	(void)state;
	store_case_begin(&c, "/tmp", NULL);
	work_begin(&work, NULL, 0, 0, 1);
	save(&c, &work, NULL, NULL);
	work_expect(&c, work.head.id, &work);
	work_end(&work);
	work_begin(&work, NULL, 0, STORE_STATE, 1);
	save(&c, &work, NULL, NULL);
	work_expect(&c, work.head.id, &work);
	work_end(&work);
	store_case_end(&c);
}

/* Zeros take no room, and neither does what the parent has. */
static void zeros_and_the_same(void **state)
{
	static const uint64_t size[] = { 64 * 65536, 10 * 65536 + 5 };
	struct store_stats stats;
	struct store_case c;
	char first[STORE_ID_SIZE];
	struct work work;

	(void)state;
	store_case_begin(&c, "/tmp", NULL);
	work_begin(&work, size, 2, 10, 5);
	memset(work.data[0], 0, 32 * 65536);
	work.data[0][5 * 65536 + 65535] = 1;
	save(&c, &work, NULL, &stats);
	work_expect(&c, work.head.id, &work);
	assert_int_equal(stats.zero, 31 * 65536);
	assert_int_equal(stats.same, 0);
	assert_true(stats.written < (64 + 11 - 31 + 2) * 65536);
	memcpy(first, work.head.id, sizeof(first));
	/* One byte, a block that becomes zero, one that no longer is. */
	work.data[1][65536] ^= 1;
	memset(work.data[0] + 40 * 65536, 0, 65536);
	work.data[0][0] = 1;
	save(&c, &work, first, &stats);
	work_expect(&c, work.head.id, &work);
	assert_int_equal(stats.zero, 31 * 65536);
	assert_int_equal(stats.same, (64 + 10 - 31 - 2) * 65536 + 5);
	assert_true(stats.written < 4 * 65536);
	work_end(&work);
	store_case_end(&c);
}

/* Each adds to the one before; the last possible is the sixteenth. */
static void chain(void **state)
{
	static const uint64_t size[] = { 200 * 65536, 3 * 65536, 77 };
	char id[STORE_CHAIN][STORE_ID_SIZE];
	struct store_case c;
	struct work work;
	int i;

	(void)state;
	store_case_begin(&c, "/tmp", NULL);
	work_begin(&work, size, 3, 1000, 5);
	for (i = 0; i < STORE_CHAIN; i++) {
		work_fill(work.data[0] + (size_t)i * 11 * 65536, 65536, i + 50);
		work_fill(work.state, 1000, i);
		work.keep = 6;
		if (i == 0 || i == 8) {
			work.keep = 0;
			work.data[1][i] ^= 1;
		}
		save(&c, &work, i ? id[i - 1] : NULL, NULL);
		memcpy(id[i], work.head.id, sizeof(id[i]));
		work_expect(&c, id[i], &work);
	}
	assert_int_equal(work_save(&c, &work, id[STORE_CHAIN - 1], NULL),
			 -EMLINK);
	assert_non_null(strstr(c.error, "make a full one"));
	/* All are needed, but the last. */
	assert_int_equal(store_remove(c.store, id[0], c.error), -EBUSY);
	assert_int_equal(store_remove(c.store, id[14], c.error), -EBUSY);
	work_expect(&c, id[15], &work);
	assert_int_equal(store_remove(c.store, id[15], c.error), 0);
	assert_int_equal(store_remove(c.store, id[15], c.error), -ENOENT);
	work_end(&work);
	store_case_end(&c);
}

/* A parent that is gone, or another under its name, is found. */
static void lost_parent(void **state)
{
	static const uint64_t size[] = { 3 * 65536 };
	char first[STORE_ID_SIZE], path[PATH_MAX];
	struct store_case c;
	struct work work;
	uint8_t *bytes;
	size_t len;

	(void)state;
	store_case_begin(&c, "/tmp", NULL);
	work_begin(&work, size, 1, 0, 5);
	save(&c, &work, NULL, NULL);
	memcpy(first, work.head.id, sizeof(first));
	save(&c, &work, first, NULL);
	work_expect(&c, work.head.id, &work);
	bytes = store_case_bytes(&c, work.head.id, &len);
	store_case_put(&c, first, bytes, len);
	assert_int_equal(work_look(&c, work.head.id, &work), -EBADMSG);
	assert_int_equal(work_look(&c, first, &work), -EBADMSG);
	store_case_path(&c, first, path, sizeof(path));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(work_look(&c, work.head.id, &work), -ENOENT);
	assert_non_null(strstr(c.error, first));
	assert_int_equal(work_save(&c, &work, first, NULL), -ENOENT);
	free(bytes);
	work_end(&work);
	store_case_end(&c);
}

/* A parent that was made anew is another one, even under the same id. */
static void another_parent(void **state)
{
	static const uint64_t size[] = { 3 * 65536 };
	char first[STORE_ID_SIZE], path[PATH_MAX];
	struct store_writer *writer;
	struct store_reader *reader;
	struct store_head head;
	struct store_case c;
	struct work work;

	(void)state;
	store_case_begin(&c, "/tmp", NULL);
	work_begin(&work, size, 1, 0, 5);
	save(&c, &work, NULL, NULL);
	head = work.head;
	memcpy(first, work.head.id, sizeof(first));
	save(&c, &work, first, NULL);
	store_case_path(&c, first, path, sizeof(path));
	assert_int_equal(unlink(path), 0);
	work.data[0][0] ^= 1;
	assert_int_equal(store_begin(c.store, &head, work.buffer, 1, &writer,
				     c.error),
			 0);
	assert_int_equal(store_write(writer, 0, 0, work.data[0], size[0], NULL),
			 0);
	assert_int_equal(store_finish(writer, NULL), 0);
	assert_int_equal(work_look(&c, first, &work), 0);
	assert_int_equal(store_load(c.store, work.head.id, &reader, c.error),
			 -EBADMSG);
	assert_non_null(strstr(c.error, "is not the one"));
	work_end(&work);
	store_case_end(&c);
}

/* One that loses its parent while it is written does not get a name. */
static void parent_removed_meanwhile(void **state)
{
	static const uint64_t size[] = { 65536 };
	struct store_writer *writer;
	struct store_head head = { 0 };
	struct store_case c;
	struct work work;

	(void)state;
	store_case_begin(&c, "/tmp", NULL);
	work_begin(&work, size, 1, 0, 5);
	save(&c, &work, NULL, NULL);
	strcpy(head.parent, work.head.id);
	assert_int_equal(store_begin(c.store, &head, work.buffer, 1, &writer,
				     c.error),
			 0);
	assert_int_equal(store_remove(c.store, work.head.id, c.error), 0);
	assert_int_equal(store_keep(writer, 0), 0);
	assert_int_equal(store_finish(writer, NULL), -ESTALE);
	store_abort(writer);
	assert_int_equal(store_case_files(&c), 0);
	work_end(&work);
	store_case_end(&c);
}

static void reads(struct store_reader *reader, const struct work *work,
		  size_t index, uint64_t offset, size_t len)
{
	uint8_t *to = malloc(len + 1);

	assert_non_null(to);
	to[len] = 0xa5;
	assert_int_equal(store_read(reader, index, offset, to, len), 0);
	assert_memory_equal(to, work->data[index] + offset, len);
	assert_int_equal(to[len], 0xa5);
	free(to);
}

static void any_order(void **state)
{
	static const uint64_t size[] = { 300 * 65536 + 11, 5, 250 * 65536 };
	struct store_reader *reader;
	struct store_case c;
	struct work work;
	unsigned int x = 1;
	size_t p, index, offset;
	int i;

	(void)state;
	for (p = 0; p < ARRAY_SIZE(places); p++) {
		store_case_begin(&c, places[p].under, &places[p].options);
		work_begin(&work, size, 3, 0, 5);
		memset(work.data[0] + 20 * 65536, 0, 200 * 65536);
		save(&c, &work, NULL, NULL);
		assert_int_equal(store_load(c.store, work.head.id, &reader,
					    c.error),
				 0);
		for (i = 0; i < 300; i++) {
			x = x * 1103515245 + 12345;
			index = x >> 16 & 1 ? 2 : 0;
			offset = (x >> 3) % size[index];
			reads(reader, &work, index, offset,
			      (size_t)(x >> 20) * 97 % (size[index] - offset));
		}
		/* In pieces that do not end where blocks do. */
		for (offset = 0; offset + 100001 < size[2]; offset += 100001)
			reads(reader, &work, 2, offset, 100001);
		reads(reader, &work, 1, 0, 5);
		reads(reader, &work, 1, 5, 0);
		assert_int_equal(store_read(reader, 1, 5, &i, 1), -EINVAL);
		assert_int_equal(store_read(reader, 1, UINT64_MAX, &i, 2),
				 -EINVAL);
		assert_int_equal(store_read(reader, 3, 0, &i, 1), -EINVAL);
		store_unload(reader);
		work_end(&work);
		store_case_end(&c);
	}
}

static void wrong_order(void **state)
{
	static const uint64_t size[] = { 3 * 65536, 65536 };
	struct store_writer *writer;
	struct store_head head;
	struct store_case c;
	struct work work;
	int i, err;

	(void)state;
	store_case_begin(&c, "/tmp", NULL);
	work_begin(&work, size, 2, 0, 5);
	for (i = 0; i < 6; i++) {
		memset(&head, 0, sizeof(head));
		assert_int_equal(store_begin(c.store, &head, work.buffer, 2,
					     &writer, c.error),
				 0);
		if (i == 0)
			err = store_write(writer, 1, 0, work.data[1], 65536,
					  NULL);
		else if (i == 1)
			err = store_write(writer, 0, 65536, work.data[0], 65536,
					  NULL);
		else if (i == 2)
			err = store_write(writer, 0, 0, work.data[0], 100, NULL);
		else if (i == 3)
			err = store_write(writer, 0, 0, work.data[0], 4 * 65536,
					  NULL);
		else if (i == 4)
			err = store_finish(writer, NULL);
		else
			err = store_state(writer, "", STORE_STATE + 1);
		assert_int_equal(err, i == 5 ? -E2BIG : -EINVAL);
		/* From then on it is lost, and says the same. */
		assert_int_equal(store_finish(writer, NULL), err);
		assert_true(*store_writer_error(writer));
		store_abort(writer);
	}
	/* Without a parent nothing can be kept, but then it can be written. */
	memset(&head, 0, sizeof(head));
	assert_int_equal(store_begin(c.store, &head, work.buffer, 1, &writer,
				     c.error),
			 0);
	assert_int_equal(store_keep(writer, 0), -ENOENT);
	assert_int_equal(store_write(writer, 0, 0, work.data[0], size[0], NULL),
			 0);
	assert_int_equal(store_finish(writer, NULL), 0);
	assert_int_equal(store_case_files(&c), 1);
	work_end(&work);
	store_case_end(&c);
}

static void ids(void **state)
{
	static const char *const wrong[] = {
		"",
		"..",
		"../../etc/passwd",
		"0",
		".",
		"01234567-89ab-cdef-0123-456789abcde",
		"01234567-89ab-cdef-0123-456789abcdef0",
		"01234567-89AB-cdef-0123-456789abcdef",
		"01234567/89ab-cdef-0123-456789abcdef",
		"0123456789abcdef0123456789abcdef0123",
	};
	struct store_head head = { 0 };
	struct store_reader *reader;
	struct store_writer *writer;
	char id[STORE_ID_SIZE];
	struct store_case c;
	size_t i;

	(void)state;
	store_case_begin(&c, "/tmp", NULL);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_false(store_is_id(wrong[i]));
		assert_int_equal(store_load(c.store, wrong[i], &reader, c.error),
				 -ENOENT);
		assert_int_equal(store_remove(c.store, wrong[i], c.error),
				 -ENOENT);
	}
	strcpy(head.id, "../x");
	assert_int_equal(store_begin(c.store, &head, NULL, 0, &writer, c.error),
			 -EINVAL);
	/* One that was chosen before counts; twice it does not. */
	store_new_id(id);
	assert_true(store_is_id(id));
	strcpy(head.id, id);
	for (i = 0; i < 2; i++) {
		assert_int_equal(store_begin(c.store, &head, NULL, 0, &writer,
					     c.error),
				 0);
		assert_int_equal(store_finish(writer, NULL), i ? -EEXIST : 0);
		if (i)
			store_abort(writer);
	}
	assert_int_equal(store_load(c.store, id, &reader, c.error), 0);
	store_unload(reader);
	store_case_end(&c);
}

/* The directory is ours alone, and no way to it can be bent. */
static void directories(void **state)
{
	char base[] = "/tmp/egpu-store-XXXXXX", dir[64], link[64];
	struct store_options look = { .no_create = true };
	char error[STORE_ERROR];
	struct store *store;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(base));
	snprintf(dir, sizeof(dir), "%s/a/b", base);
	assert_int_equal(store_open(&store, dir, &look, error), -ENOENT);
	assert_int_equal(store_open(&store, dir, NULL, error), 0);
	store_close(store);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(store_open(&store, dir, &look, error), 0);
	store_close(store);
	snprintf(link, sizeof(link), "%s/link", base);
	assert_int_equal(symlink(dir, link), 0);
	assert_int_equal(store_open(&store, link, NULL, error), -EPERM);
	assert_int_equal(unlink(link), 0);
	chmod(dir, 0770);
	assert_int_equal(store_open(&store, dir, NULL, error), -EPERM);
	assert_non_null(strstr(error, "writable by nobody else"));
	chmod(dir, 0700);
	chmod(base, 0777);
	assert_int_equal(store_open(&store, dir, NULL, error), -EPERM);
	assert_non_null(strstr(error, "others may change"));
	chmod(base, 0700);
	assert_int_equal(store_open(&store, "", NULL, error), -EINVAL);
	assert_int_equal(store_open(&store, "/", NULL, error), -EINVAL);
	assert_int_equal(rmdir(dir), 0);
	snprintf(dir, sizeof(dir), "%s/a", base);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(rmdir(base), 0);
}

/* ------------------------------------------------------------- tidying up */

static enum store_verdict judge(const struct store_info *info, void *arg)
{
	const enum store_verdict *verdict = arg;

	return verdict[info->head.step];
}

static enum store_verdict drop_all(const struct store_info *info, void *arg)
{
	(void)info;
	(void)arg;
	return STORE_DROP;
}

static size_t count(struct store_case *c, uint64_t *freed,
		    enum store_verdict *verdict)
{
	assert_int_equal(store_collect(c->store, verdict ? judge : NULL,
				       verdict, freed, c->error),
			 0);
	return store_case_files(c);
}

/* Two lines: 0 <- 1 <- 2, and 3. */
static void collect(void **state)
{
	static const uint64_t size[] = { 10 * 65536 };
	enum store_verdict verdict[4] = { STORE_DROP, STORE_DROP, STORE_PIN,
					  STORE_KEEP };
	struct store_options options = { 0 };
	char id[4][STORE_ID_SIZE];
	struct store_info *list;
	struct store_case c;
	struct work work;
	uint64_t freed;
	size_t n, i;

	(void)state;
	store_case_begin(&c, "/tmp", &options);
	work_begin(&work, size, 1, 0, 5);
	for (i = 0; i < 4; i++) {
		work.head.step = i;
		work.data[0][i * 65536] ^= 1;
		save(&c, &work, i == 1 || i == 2 ? id[i - 1] : NULL, NULL);
		memcpy(id[i], work.head.id, sizeof(id[i]));
	}
	assert_int_equal(store_list(c.store, &list, &n, c.error), 0);
	assert_int_equal(n, 4);
	for (i = 0; i < 4; i++) {
		assert_string_equal(list[i].head.id, id[i]);
		assert_int_equal(list[i].error, 0);
		assert_int_equal(list[i].bytes, size[0]);
		assert_int_equal(list[i].needed_by, i == 0 ? 2 : i == 1);
		assert_int_equal(list[i].depth, i == 3 ? 1 : i + 1);
	}
	free(list);
	/* What is needed stays, whoever does not want it. */
	assert_int_equal(count(&c, &freed, verdict), 4);
	assert_int_equal(freed, 0);
	/* Too much: what is pinned stays, what is only kept goes. */
	options.max_bytes = 1;
	store_case_reopen(&c, &options);
	assert_int_equal(count(&c, &freed, verdict), 3);
	assert_true(freed >= size[0]);
	assert_int_equal(work_look(&c, id[3], &work), -ENOENT);
	/* The line goes from its end. */
	verdict[2] = STORE_DROP;
	options.max_bytes = 0;
	store_case_reopen(&c, &options);
	assert_int_equal(count(&c, &freed, NULL), 3);
	assert_int_equal(count(&c, &freed, verdict), 0);
	work_end(&work);
	store_case_end(&c);
}

/* Makes room first; leaves none of both. */
static void two_at_once(struct store_case *c, struct work *work)
{
	struct store_head head[2] = { 0 };
	struct store_writer *writer[2];
	int i;

	assert_int_equal(store_collect(c->store, drop_all, NULL, NULL, c->error),
			 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(store_begin(c->store, &head[i], work->buffer,
					     1, &writer[i], c->error),
				 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(store_write(writer[i], 0, 0, work->data[0],
					     work->buffer[0].size, NULL),
				 0);
	assert_int_equal(store_finish(writer[0], NULL), 0);
	assert_int_equal(store_finish(writer[1], NULL), -ENOSPC);
	assert_non_null(strstr(store_writer_error(writer[1]), "does not fit"));
	store_abort(writer[1]);
	assert_int_equal(store_case_files(c), 1);
	assert_int_equal(store_remove(c->store, head[0].id, c->error), 0);
}

static void too_large(void **state)
{
	static const uint64_t size[] = { 100 * 65536 };
	struct store_options options = { .max_bytes = 120 * 65536 };
	char first[STORE_ID_SIZE];
	struct store_case c;
	struct work work;

	(void)state;
	store_case_begin(&c, "/tmp", &options);
	work_begin(&work, size, 1, 0, 5);
	save(&c, &work, NULL, NULL);
	memcpy(first, work.head.id, sizeof(first));
	/* A second full one does not fit, one that adds little does. */
	assert_int_equal(work_save(&c, &work, NULL, NULL), -ENOSPC);
	assert_non_null(strstr(c.error, "does not fit"));
	save(&c, &work, first, NULL);
	/* One that turns out to add too much is stopped in the midst. */
	work_fill(work.data[0], size[0], 77);
	assert_int_equal(work_save(&c, &work, first, NULL), -ENOSPC);
	assert_non_null(strstr(c.error, "does not fit"));
	assert_int_equal(store_case_files(&c), 2);
	/* Two at once that would fit alone: the second gets no name. */
	options.max_bytes = 150 * 65536;
	store_case_reopen(&c, &options);
	two_at_once(&c, &work);
	assert_int_equal(store_case_files(&c), 0);
	work_fill(work.data[0], size[0], 5);
	save(&c, &work, NULL, NULL);
	memcpy(first, work.head.id, sizeof(first));
	save(&c, &work, first, NULL);
	/* What is to stay free stays free. */
	options.max_bytes = 0;
	options.keep_free = UINT64_MAX;
	store_case_reopen(&c, &options);
	assert_int_equal(work_save(&c, &work, NULL, NULL), -ENOSPC);
	assert_int_equal(work_save(&c, &work, first, NULL), -ENOSPC);
	assert_int_equal(store_case_files(&c), 2);
	work_end(&work);
	store_case_end(&c);
}

/* ------------------------------------------------------------- memory */

/* Writes and reads so many MiB in a process of its own; how large it grew. */
static long peak_of(struct store_case *c, size_t mib)
{
	struct store_buffer buffer = {
		.id = 1,
		.kind = 3,
		.size = (uint64_t)mib << 20,
	};
	struct store_head head = { 0 };
	struct store_writer *writer;
	struct store_reader *reader;
	static uint8_t piece[1 << 20];
	struct rusage usage;
	int status;
	size_t i;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		if (store_begin(c->store, &head, &buffer, 1, &writer, c->error))
			_exit(1);
		for (i = 0; i < mib; i++) {
			work_fill(piece, sizeof(piece), i);
			if (store_write(writer, 0, i << 20, piece,
					sizeof(piece), NULL))
				_exit(2);
		}
		if (store_finish(writer, NULL) ||
		    store_load(c->store, head.id, &reader, c->error) ||
		    store_verify(reader))
			_exit(3);
		store_unload(reader);
		_exit(0);
	}
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return usage.ru_maxrss;
}

/* Eight times as much takes no more memory. */
static void memory_does_not_grow(void **state)
{
	struct store_case c;
	long small, large;

	(void)state;
	store_case_begin(&c, "/tmp", NULL);
	small = peak_of(&c, 32);
	large = peak_of(&c, 256);
	assert_true(large < small + 4096);
	store_case_end(&c);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(sizes),
	cmocka_unit_test(nothing_at_all),
	cmocka_unit_test(zeros_and_the_same),
	cmocka_unit_test(chain),
	cmocka_unit_test(lost_parent),
	cmocka_unit_test(another_parent),
	cmocka_unit_test(parent_removed_meanwhile),
	cmocka_unit_test(any_order),
	cmocka_unit_test(wrong_order),
	cmocka_unit_test(ids),
	cmocka_unit_test(directories),
	cmocka_unit_test(collect),
	cmocka_unit_test(too_large),
	cmocka_unit_test(memory_does_not_grow),
};

TEST_MAIN(tests, NULL, NULL)

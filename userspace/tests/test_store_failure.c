// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The store when the machine fails it: each system call in turn, and the power
 * at each point of a save.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_case.h"
#include "test.h"

/* ------------------------------------------------------------- the machine */

/* What a call was; the tests look at the order. */
enum what {
	OPEN,
	READ,
	WRITE,
	ALLOCATE,
	TRUNCATE,
	DATASYNC,
	SYNC,
	LINK,
	UNLINK
};

/**
 * struct done - a call that changed something
 * @what: which
 * @offset: where to
 * @len: bytes
 * @data: them
 */
struct done {
	enum what what;
	uint64_t offset;
	size_t len;
	uint8_t *data;
};

#define DONE_MAX 256

/**
 * struct machine - what the system calls below do
 * @fail_at: number of the call that fails, from 1; 0 for none
 * @err: how it does
 * @calls: made so far
 * @seen: @fail_at was reached
 * @partial: writes and reads do only so many bytes
 * @record: keep what is done
 * @n: entries of @done
 * @done: what was done
 */
static struct machine {
	unsigned int fail_at;
	int err;
	unsigned int calls;
	bool seen;
	size_t partial;
	bool record;
	size_t n;
	struct done done[DONE_MAX];
} machine;

static void machine_reset(void)
{
	size_t i;

	for (i = 0; i < machine.n; i++)
		free(machine.done[i].data);
	memset(&machine, 0, sizeof(machine));
}

/* True when this call is the one that fails. */
static bool fails(void)
{
	if (++machine.calls != machine.fail_at)
		return false;
	machine.seen = true;
	errno = machine.err;
	return true;
}

static void record(enum what what, uint64_t offset, const void *data, size_t len)
{
	struct done *done = &machine.done[machine.n];

	if (!machine.record)
		return;
	assert_true(machine.n < DONE_MAX);
	machine.n++;
	*done = (struct done){ .what = what, .offset = offset, .len = len };
	if (!data)
		return;
	done->data = malloc(len);
	assert_non_null(done->data);
	memcpy(done->data, data, len);
}

static int do_open(int dir, const char *name, int flags, mode_t mode)
{
	return fails() ? -1 : store_io_real.open(dir, name, flags, mode);
}

static ssize_t do_pread(int fd, void *to, size_t len, off_t offset)
{
	if (machine.partial && len > machine.partial)
		len = machine.partial;
	return fails() ? -1 : pread(fd, to, len, offset);
}

static ssize_t do_pwrite(int fd, const void *from, size_t len, off_t offset)
{
	if (fails())
		return -1;
	if (machine.partial && len > machine.partial)
		len = machine.partial;
	record(WRITE, (uint64_t)offset, from, len);
	return pwrite(fd, from, len, offset);
}

static ssize_t do_write(int fd, const void *from, size_t len)
{
	if (machine.partial && len > machine.partial)
		len = machine.partial;
	return fails() ? -1 : write(fd, from, len);
}

static ssize_t do_read(int fd, void *to, size_t len)
{
	return fails() ? -1 : read(fd, to, len);
}

static int do_allocate(int fd, off_t offset, off_t len)
{
	return fails() ? -1 : store_io_real.allocate(fd, offset, len);
}

static int do_truncate(int fd, off_t len)
{
	record(TRUNCATE, (uint64_t)len, NULL, 0);
	return fails() ? -1 : ftruncate(fd, len);
}

static int do_datasync(int fd)
{
	record(DATASYNC, 0, NULL, 0);
	return fails() ? -1 : fdatasync(fd);
}

static int do_sync(int fd)
{
	record(SYNC, 0, NULL, 0);
	return fails() ? -1 : fsync(fd);
}

static int do_link(int fd, int dir, const char *name)
{
	record(LINK, 0, NULL, 0);
	return fails() ? -1 : store_io_real.link(fd, dir, name);
}

static int do_unlink(int dir, const char *name)
{
	record(UNLINK, 0, NULL, 0);
	return fails() ? -1 : unlinkat(dir, name, 0);
}

static int do_statvfs(int fd, struct statvfs *st)
{
	return fails() ? -1 : fstatvfs(fd, st);
}

/* What the ring has done may have failed, or be only a part. */
static int do_ring(bool write, const void *data, size_t len, off_t offset,
		   int result)
{
	(void)write;
	(void)data;
	(void)offset;
	if (fails())
		return -machine.err;
	if (machine.partial && result > (int)machine.partial &&
	    len > machine.partial)
		return (int)machine.partial;
	return result;
}

static const struct store_io machine_io = {
	.open = do_open,
	.pread = do_pread,
	.pwrite = do_pwrite,
	.write = do_write,
	.read = do_read,
	.allocate = do_allocate,
	.truncate = do_truncate,
	.datasync = do_datasync,
	.sync = do_sync,
	.link = do_link,
	.unlink = do_unlink,
	.statvfs = do_statvfs,
	.ring = do_ring,
};

static const struct {
	const char *under;
	struct store_options options;
} places[] = {
	{ "/tmp", { .io = &machine_io } },
	{ "/dev/shm", { .io = &machine_io, .no_ring = true } },
};

static const int errors[] = { EIO, ENOSPC };

static void save(struct store_case *c, struct work *work, const char *parent)
{
	if (work_save(c, work, parent, NULL))
		fail_msg("%s", c->error);
}

/* ------------------------------------------------------------- each call */

/*
 * Lets each call of a save fail once. It then says so and leaves nothing behind,
 * or it did without that call and has written what it should.
 */
static void save_with_failures(struct store_case *c, struct work *old,
			       struct work *new, int error)
{
	unsigned int files, i, failed = 0;
	int err;

	for (i = 1;; i++) {
		machine_reset();
		machine.fail_at = i;
		machine.err = error;
		files = open_files();
		err = work_save(c, new, old->head.id, NULL);
		machine.fail_at = 0;
		assert_int_equal(open_files(), files);
		work_expect(c, old->head.id, old);
		if (err) {
			assert_true(*c->error);
			assert_int_equal(store_case_files(c), 1);
			failed++;
		} else {
			work_expect(c, new->head.id, new);
			assert_int_equal(store_remove(c->store, new->head.id,
						      c->error),
					 0);
		}
		if (!machine.seen)
			break;
	}
	/* Opening, writing, syncing, linking, and the directory at least. */
	assert_true(failed >= 6);
}

static void save_fails(void **state)
{
	static const uint64_t size[] = { 10 * 65536, 3 * 65536 + 5 };
	struct work old, new;
	struct store_case c;
	size_t p, e;

	(void)state;
	for (p = 0; p < ARRAY_SIZE(places); p++) {
		store_case_begin(&c, places[p].under, &places[p].options);
		work_begin(&old, size, 2, 100, 1);
		save(&c, &old, NULL);
		work_begin(&new, size, 2, 200000, 7);
		for (e = 0; e < ARRAY_SIZE(errors); e++)
			save_with_failures(&c, &old, &new, errors[e]);
		machine_reset();
		work_end(&old);
		work_end(&new);
		store_case_end(&c);
	}
}

/* Each call of reading: an error, never wrong bytes. */
static void reading_fails(void **state)
{
	static const uint64_t size[] = { 200 * 65536, 30 * 65536 + 5 };
	unsigned int files, i, failed;
	struct store_case c;
	struct work work;
	int err;
	size_t p;

	(void)state;
	for (p = 0; p < ARRAY_SIZE(places); p++) {
		store_case_begin(&c, places[p].under, &places[p].options);
		work_begin(&work, size, 2, 100, 1);
		save(&c, &work, NULL);
		failed = 0;
		for (i = 1;; i++) {
			machine_reset();
			machine.fail_at = i;
			machine.err = EIO;
			files = open_files();
			err = work_look(&c, work.head.id, &work);
			machine.fail_at = 0;
			assert_int_equal(open_files(), files);
			/* What was read ahead and not wanted may fail. */
			assert_true(!err || (err == -EIO && machine.seen));
			assert_true(!err || *c.error);
			failed += err != 0;
			if (!machine.seen)
				break;
		}
		assert_true(failed >= 6);
		machine_reset();
		work_expect(&c, work.head.id, &work);
		work_end(&work);
		store_case_end(&c);
	}
}

/* A kernel that does less than it was asked for is asked again. */
static void in_parts(void **state)
{
	static const uint64_t size[] = { 200 * 65536, 30 * 65536 + 5 };
	static const size_t parts[] = { 4096, 3 * 4096, 1000 };
	struct store_case c;
	struct work work;
	size_t p, i;

	(void)state;
	for (p = 0; p < ARRAY_SIZE(places); p++) {
		/* Direct I/O is in whole pages. */
		for (i = 0; i < ARRAY_SIZE(parts) - (p == 0); i++) {
			store_case_begin(&c, places[p].under,
					 &places[p].options);
			work_begin(&work, size, 2, 100, i);
			machine_reset();
			machine.partial = parts[i];
			save(&c, &work, NULL);
			work_expect(&c, work.head.id, &work);
			machine_reset();
			work_expect(&c, work.head.id, &work);
			work_end(&work);
			store_case_end(&c);
		}
	}
}

/* Removing and collecting: what could not be removed is still there and whole. */
static void removing_fails(void **state)
{
	static const uint64_t size[] = { 65536 };
	struct store_case c;
	struct work work;
	unsigned int i;
	int err;

	(void)state;
	store_case_begin(&c, "/tmp", &places[0].options);
	work_begin(&work, size, 1, 0, 1);
	for (i = 1;; i++) {
		machine_reset();
		save(&c, &work, NULL);
		machine.calls = 0;
		machine.fail_at = i;
		machine.err = EIO;
		err = store_remove(c.store, work.head.id, c.error);
		machine.fail_at = 0;
		assert_true(!err || *c.error);
		if (store_case_files(&c)) {
			work_expect(&c, work.head.id, &work);
			assert_int_equal(store_remove(c.store, work.head.id,
						      c.error),
					 0);
		}
		if (!machine.seen)
			break;
	}
	assert_true(i > 4);
	machine_reset();
	work_end(&work);
	store_case_end(&c);
}

/* ------------------------------------------------------------- the power */

/* The file as it would be with the first @n writes, but without number @lost. */
static uint8_t *replay(size_t n, size_t lost, size_t *len)
{
	uint8_t *bytes = calloc(1, 16 << 20);
	const struct done *done;
	size_t i;

	assert_non_null(bytes);
	*len = 0;
	for (i = 0; i < n; i++) {
		done = &machine.done[i];
		if (done->what != WRITE || i == lost)
			continue;
		assert_true(done->offset + done->len <= 16 << 20);
		memcpy(bytes + done->offset, done->data, done->len);
		if (done->offset + done->len > *len)
			*len = done->offset + done->len;
	}
	return bytes;
}

/* Saves with all calls written down, so that they can be looked at. */
static void save_recorded(struct store_case *c, struct work *work)
{
	machine_reset();
	machine.record = true;
	machine.partial = 100000;
	save(c, work, NULL);
	machine.record = false;
	machine.partial = 0;
}

/*
 * The name comes after the bytes are on the disk, and we come back after the
 * name is: so at no point is there a name for less than all. Of a file without a
 * name some file systems bring no more than the bytes to the disk.
 */
static void order_of_calls(void **state)
{
	static const uint64_t size[] = { 20 * 65536 };
	size_t i, writes = 0;
	struct store_case c;
	struct work work;

	(void)state;
	store_case_begin(&c, "/dev/shm", &places[1].options);
	work_begin(&work, size, 1, 100, 1);
	save_recorded(&c, &work);
	for (i = 0; i < machine.n && machine.done[i].what == WRITE; i++)
		writes++;
	assert_true(writes > 10);
	assert_int_equal(machine.n, writes + 4);
	assert_int_equal(machine.done[i].what, DATASYNC);
	assert_int_equal(machine.done[i + 1].what, LINK);
	assert_int_equal(machine.done[i + 2].what, DATASYNC);
	assert_int_equal(machine.done[i + 3].what, SYNC);
	machine_reset();
	work_end(&work);
	store_case_end(&c);
}

/* Each directory that is made for a store is brought to the disk by its parent. */
static void new_directories(void **state)
{
	char dir[] = "/tmp/egpu-new-XXXXXX", path[40], error[STORE_ERROR];
	/* Neither stays; the first stays; all is well. */
	static const unsigned int fail[] = { 1, 2, 0 }, syncs[] = { 1, 2, 1 };
	struct store_options options = { .io = &machine_io };
	struct store *store;
	size_t i;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a/b", dir);
	for (i = 0; i < ARRAY_SIZE(fail); i++) {
		machine_reset();
		machine.record = true;
		machine.fail_at = fail[i];
		machine.err = EIO;
		assert_int_equal(store_open(&store, path, &options, error),
				 fail[i] ? -EIO : 0);
		assert_int_equal(machine.n, syncs[i]);
		assert_int_equal(machine.done[0].what, SYNC);
	}
	store_close(store);
	assert_int_equal(rmdir(path), 0);
	*strrchr(path, '/') = '\0';
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(dir), 0);
	machine_reset();
}

/*
 * A disk that lies about what it has written: the file has its name, but one
 * write, or all after some point, never came.
 */
static void lost_writes(void **state)
{
	static const uint64_t size[] = { 20 * 65536, 5000 };
	struct store_case c;
	struct work work;
	size_t i, n, len;
	uint8_t *bytes;

	(void)state;
	store_case_begin(&c, "/dev/shm", &places[1].options);
	work_begin(&work, size, 2, 100, 1);
	save_recorded(&c, &work);
	n = machine.n;
	for (i = 0; i < n && machine.done[i].what == WRITE; i++) {
		bytes = replay(i, n, &len);
		store_case_put(&c, work.head.id, bytes, len);
		assert_int_equal(work_look(&c, work.head.id, &work), -EBADMSG);
		free(bytes);
		bytes = replay(n, i, &len);
		store_case_put(&c, work.head.id, bytes, len);
		assert_int_equal(work_look(&c, work.head.id, &work), -EBADMSG);
		free(bytes);
	}
	bytes = replay(n, n, &len);
	store_case_put(&c, work.head.id, bytes, len);
	work_expect(&c, work.head.id, &work);
	free(bytes);
	machine_reset();
	work_end(&work);
	store_case_end(&c);
}

/*
 * The same by the sector, with zeros there and with what an older checkpoint of
 * the same work had at that place.
 */
static void lost_sectors(void **state)
{
	static const uint64_t size[] = { 3 * 65536, 5000 };
	uint8_t *old, *new, *torn;
	struct store_case c;
	struct work work;
	size_t len, same, at;
	int kind;

	(void)state;
	store_case_begin(&c, "/dev/shm", &places[1].options);
	work_begin(&work, size, 2, 100, 1);
	save(&c, &work, NULL);
	old = store_case_bytes(&c, work.head.id, &same);
	work_fill(work.data[0], size[0], 50);
	work_fill(work.data[1], size[1], 51);
	work.head.step++;
	save(&c, &work, NULL);
	new = store_case_bytes(&c, work.head.id, &len);
	assert_int_equal(len, same);
	torn = malloc(len);
	assert_non_null(torn);
	for (kind = 0; kind < 2; kind++) {
		for (at = 0; at < len; at += 512) {
			memcpy(torn, new, len);
			if (kind)
				memcpy(torn + at, old + at, 512);
			else
				memset(torn + at, 0, 512);
			store_case_put(&c, work.head.id, torn, len);
			if (memcmp(torn, new, len))
				assert_int_equal(work_look(&c, work.head.id,
							   &work),
						 -EBADMSG);
			else
				work_expect(&c, work.head.id, &work);
		}
	}
	free(torn);
	free(new);
	free(old);
	work_end(&work);
	store_case_end(&c);
}

/* Gone before the name: the next start finds what was there before. */
static void stopped_before_the_name(void **state)
{
	static const uint64_t size[] = { 20 * 65536 };
	struct store_writer *writer;
	struct store_head head = { 0 };
	struct store_case c;
	struct work work;
	size_t at;

	(void)state;
	store_case_begin(&c, "/tmp", NULL);
	work_begin(&work, size, 1, 100, 1);
	save(&c, &work, NULL);
	for (at = 0; at <= size[0]; at += 5 * 65536) {
		memset(&head, 0, sizeof(head));
		assert_int_equal(store_begin(c.store, &head, work.buffer, 1,
					     &writer, c.error),
				 0);
		if (at)
			assert_int_equal(store_write(writer, 0, 0, work.data[0],
						     at, NULL),
					 0);
		assert_int_equal(store_case_files(&c), 1);
		store_abort(writer);
		assert_int_equal(store_case_files(&c), 1);
	}
	work_expect(&c, work.head.id, &work);
	work_end(&work);
	store_case_end(&c);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(save_fails),
	cmocka_unit_test(reading_fails),
	cmocka_unit_test(in_parts),
	cmocka_unit_test(removing_fails),
	cmocka_unit_test(order_of_calls),
	cmocka_unit_test(new_directories),
	cmocka_unit_test(lost_writes),
	cmocka_unit_test(lost_sectors),
	cmocka_unit_test(stopped_before_the_name),
};

TEST_MAIN(tests, NULL, NULL)

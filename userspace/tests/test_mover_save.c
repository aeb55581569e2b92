// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A mover writes a checkpoint, or says why not and leaves nothing behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../store/private.h"
#include "mover_case.h"
#include "test.h"

#define MIB 1048576u

/* Two buffers and a state, as most tests have them. */
static struct store_head head;
static struct job_buffer buffer[2];
static struct save_job job;

static int setup(void **state)
{
	mover_setup(state);
	head = (struct store_head){ .step = 9, .session = 1, .program = "p" };
	buffer[0] = mover_buffer(3, mover_memory(MIB, 1), MIB);
	buffer[1] = mover_buffer(1, mover_memory(100000, 2), 99999);
	job = (struct save_job){
		.store = mover_store,
		.head = &head,
		.n = 2,
		.buffer = buffer,
		.state = mover_memory(1000, 3),
		.state_size = 1000,
	};
	return 0;
}

static int teardown(void **state)
{
	close(buffer[0].fd);
	close(buffer[1].fd);
	close(job.state);
	return mover_teardown(state);
}

static struct store_reader *load(const char *id)
{
	struct store_reader *reader;
	char error[STORE_ERROR];

	if (store_load(mover_store, id, &reader, error))
		fail_msg("%s", error);
	return reader;
}

static void assert_holds(struct store_reader *reader, size_t index, size_t size,
			 unsigned int seed)
{
	char *wanted = malloc(size), *found = malloc(size);

	mover_fill(wanted, size, seed);
	assert_int_equal(store_read(reader, index, 0, found, size), 0);
	assert_memory_equal(found, wanted, size);
	free(wanted);
	free(found);
}

/* The checkpoint of setup(), whatever has happened to the buffers since. */
static void assert_whole(const char *id)
{
	struct store_reader *reader = load(id);
	const struct store_buffer *list;
	char wanted[1000];
	void *state;
	size_t n;

	list = store_buffers(reader, &n);
	assert_int_equal(n, 2);
	assert_int_equal(list[0].id, 3);
	assert_int_equal(list[1].id, 1);
	assert_int_equal(store_head(reader)->step, 9);
	assert_holds(reader, 0, MIB, 1);
	assert_holds(reader, 1, 99999, 2);
	assert_int_equal(store_read_state(reader, &state, &n), 0);
	mover_fill(wanted, sizeof(wanted), 3);
	assert_int_equal(n, sizeof(wanted));
	assert_memory_equal(state, wanted, sizeof(wanted));
	free(state);
	store_unload(reader);
}

static void saved(void **state)
{
	(void)state;
	mover_save_all(&job);
	assert_true(store_is_id(head.id));
	assert_whole(head.id);
	assert_int_equal(mover_checkpoints(), 1);
}

static void nothing_to_save(void **state)
{
	int fd = job.state;

	(void)state;
	job.n = 0;
	job.state = -1;
	mover_save_all(&job);
	assert_int_equal(mover_checkpoints(), 1);
	job.state = fd;
}

/* What was said to be the same is not read; what the parent lacks is. */
static void incremental(void **state)
{
	struct mover_message message;
	struct store_reader *reader;
	struct mover mover;

	(void)state;
	mover_save_all(&job);
	strcpy(head.parent, head.id);
	head.id[0] = '\0';
	mover_overwrite(buffer[0].fd, MIB);
	mover_overwrite(buffer[1].fd, 65536);
	buffer[0].same = true;
	assert_int_equal(mover_save(&mover, &job), 0);
	while (mover_hear(&mover, &message) && message.event == MOVER_COPIED)
		continue;
	assert_int_equal(message.event, MOVER_DONE);
	assert_true(message.stats.same >= MIB);
	assert_true(message.stats.written > 0);
	mover_end(&mover);
	reader = load(head.id);
	assert_holds(reader, 0, MIB, 1);
	store_unload(reader);
	strcpy(head.parent, head.id);
	head.id[0] = '\0';
	buffer[0].buffer.id = 77;
	mover_save_all(&job);
}

/* A buffer that is in memory for want of a device is none of the memory's. */
static void where_it_is_from(void **state)
{
	const struct store_buffer *list;
	struct store_reader *reader;
	size_t n;

	(void)state;
	buffer[1].origin = WIRE_DMABUF;
	mover_save_all(&job);
	reader = load(head.id);
	list = store_buffers(reader, &n);
	assert_int_equal(list[0].kind, WIRE_MEMORY);
	assert_int_equal(list[1].kind, WIRE_DMABUF);
	store_unload(reader);
}

/*
 * Once it has said that all is copied the program writes again. The bound on the
 * rate makes it take a quarter of a second.
 */
static void copied_is_copied(void **state)
{
	struct mover_message message;
	struct mover mover;

	(void)state;
	job.rate = 4 * MIB;
	assert_int_equal(mover_save(&mover, &job), 0);
	assert_true(mover_hear(&mover, &message));
	assert_int_equal(message.event, MOVER_COPIED);
	mover_overwrite(buffer[0].fd, MIB);
	mover_overwrite(buffer[1].fd, 99999);
	mover_overwrite(job.state, 1000);
	assert_true(mover_hear(&mover, &message));
	assert_int_equal(message.event, MOVER_DONE);
	mover_end(&mover);
	assert_whole(head.id);
}

static void within_the_rate(void **state)
{
	struct timespec begin, end;
	int64_t ms;

	(void)state;
	job.rate = 4 * MIB;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	mover_save_all(&job);
	clock_gettime(CLOCK_MONOTONIC, &end);
	ms = (end.tv_sec - begin.tv_sec) * 1000 +
	     (end.tv_nsec - begin.tv_nsec) / 1000000;
	/* 1.09 MiB at 4 MiB/s; a loaded machine only makes it longer. */
	assert_true(ms >= 250);
}

static void memory_that_vanishes(void **state)
{
	int fd = buffer[1].fd;
	struct mover mover;

	(void)state;
	buffer[1].fd = memfd_create("empty", MFD_CLOEXEC);
	assert_int_equal(mover_save(&mover, &job), 0);
	mover_expect_failed(&mover, -EFAULT, "the memory of a buffer vanished");
	assert_int_equal(mover_checkpoints(), 0);
	close(buffer[1].fd);
	buffer[1].fd = fd;
}

/* Neither is it made by looking at it. */
static void memory_that_is_not_there(void **state)
{
	int fd = buffer[0].fd;
	struct stat st;

	(void)state;
	buffer[0].fd = memfd_create("sparse", MFD_CLOEXEC);
	assert_int_equal(ftruncate(buffer[0].fd, 64 * MIB), 0);
	assert_int_equal(pwrite(buffer[0].fd, "x", 1, 33 * MIB), 1);
	buffer[0].buffer.size = 64 * MIB;
	mover_save_all(&job);
	assert_int_equal(fstat(buffer[0].fd, &st), 0);
	assert_true(st.st_blocks * 512 < 8 * MIB);
	close(buffer[0].fd);
	buffer[0].fd = fd;
}

static void wrong_jobs(void **state)
{
	struct mover mover;

	(void)state;
	job.state_size = 1001;
	assert_int_equal(mover_save(&mover, &job), 0);
	mover_expect_failed(&mover, -ERANGE, "the state cannot be read");
	job.state_size = 1000;
	buffer[0].buffer.kind = WIRE_DMABUF;
	assert_int_equal(mover_save(&mover, &job), 0);
	mover_expect_failed(&mover, -ENOTTY, "buffer 3 cannot be made readable");
	buffer[0].buffer.kind = WIRE_MEMORY;
	buffer[0].buffer.id = buffer[1].buffer.id;
	assert_int_equal(mover_save(&mover, &job), 0);
	mover_expect_failed(&mover, -EINVAL, "");
	buffer[0].buffer.id = 3;
	head.id[0] = '\0';
	strcpy(head.parent, "20260101-000000-0000000000000000");
	assert_int_equal(mover_save(&mover, &job), 0);
	assert_int_not_equal(mover_checkpoints(), 1);
	mover_kill(&mover);
	mover_end(&mover);
	assert_int_equal(mover_checkpoints(), 0);
}

/* It would take for ever; its time is up. */
static void time_limit(void **state)
{
	struct mover mover;

	(void)state;
	job.rate = 1;
	assert_int_equal(mover_save(&mover, &job), 0);
	usleep(50000);
	assert_false(mover_reap(&mover));
	mover_kill(&mover);
	mover_expect_failed(&mover, -EIO, "in the midst of its work");
	assert_int_equal(mover_checkpoints(), 0);
}

/* --- killed at each call of the system that the store makes ------------------*/

static int calls_left;

static void one_call(void)
{
	if (!calls_left--)
		raise(SIGKILL);
}

static int killed_open(int dir, const char *name, int flags, mode_t mode)
{
	one_call();
	return store_io_real.open(dir, name, flags, mode);
}

static ssize_t killed_pwrite(int fd, const void *from, size_t len, off_t offset)
{
	one_call();
	return store_io_real.pwrite(fd, from, len, offset);
}

static int killed_allocate(int fd, off_t offset, off_t len)
{
	one_call();
	return store_io_real.allocate(fd, offset, len);
}

static int killed_datasync(int fd)
{
	one_call();
	return store_io_real.datasync(fd);
}

static int killed_sync(int fd)
{
	one_call();
	return store_io_real.sync(fd);
}

static int killed_link(int fd, int dir, const char *name)
{
	one_call();
	return store_io_real.link(fd, dir, name);
}

static void killed_anywhere(void **state)
{
	struct store_io io = store_io_real;
	struct store_options options = { .no_ring = true, .io = &io };
	struct mover_message message;
	struct mover mover;
	int call, event;

	(void)state;
	io.open = killed_open;
	io.pwrite = killed_pwrite;
	io.allocate = killed_allocate;
	io.datasync = killed_datasync;
	io.sync = killed_sync;
	io.link = killed_link;
	/* Until it comes through; then there is nowhere else to be killed. */
	for (call = 0, event = 0; event != MOVER_DONE; call++) {
		calls_left = 1 << 20;
		mover_reopen(&options);
		job.store = mover_store;
		head.id[0] = '\0';
		calls_left = call;
		assert_int_equal(mover_save(&mover, &job), 0);
		calls_left = 1 << 20;
		while (mover_hear(&mover, &message))
			event = (int)message.event;
		mover_end(&mover);
		/* What has a name is whole, told of or not. */
		if (mover_checkpoints())
			assert_whole(head.id);
		else
			assert_int_equal(event, MOVER_FAILED);
	}
	assert_true(call > 5);
	/* Killed behind the name, at both calls that bring it to the disk, and done. */
	assert_int_equal(mover_checkpoints(), 3);
}

/* --- programs that know nothing ----------------------------------------------*/

static void plain_without_a_gpu(void **state)
{
	static const uint32_t handle = 1;
	static const uint64_t size = 4096;
	struct plain_job plain = {
		.store = mover_store,
		.head = &head,
		.pid = getpid(),
		.n = 1,
		.handle = &handle,
		.size = &size,
	};
	struct mover mover;

	(void)state;
	assert_int_equal(mover_plain(&mover, &plain), 0);
	mover_expect_failed(&mover, -ENODATA, "none of 1 buffers can be read");
	plain.pid = 0x3fffff;
	assert_int_equal(mover_plain(&mover, &plain), 0);
	mover_expect_failed(&mover, -ESRCH, "process 4194303");
	assert_int_equal(mover_checkpoints(), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	CASE(saved),
	CASE(nothing_to_save),
	CASE(incremental),
	CASE(where_it_is_from),
	CASE(copied_is_copied),
	CASE(within_the_rate),
	CASE(memory_that_vanishes),
	CASE(memory_that_is_not_there),
	CASE(wrong_jobs),
	CASE(time_limit),
	CASE(killed_anywhere),
	CASE(plain_without_a_gpu),
};

TEST_MAIN(tests, NULL, NULL)

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is restored is what was saved, to the last byte, or it is not given away.
 * In memory; devices are in the scenario "buffers".
 */
#include <drm_fourcc.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../mover/private.h"
#include "mover_case.h"
#include "test.h"

#define SIZE   (3u << 20)
#define NOBODY 65534

static struct store_head head;
static struct restore_job job;

static int setup(void **state)
{
	mover_setup(state);
	mover_written = NULL;
	mover_align = 0;
	head = (struct store_head){ .step = 12 };
	job = (struct restore_job){
		.store = mover_store,
		.id = head.id,
		.uid = geteuid(),
		.gid = getegid(),
	};
	return 0;
}

/* Saves one buffer, and its state if there is to be one. */
static void save(const struct wire_buffer *like, uint32_t state_size)
{
	struct job_buffer buffer = { .buffer = *like, .origin = like->kind };
	struct save_job save_job = {
		.store = mover_store,
		.head = &head,
		.n = 1,
		.buffer = &buffer,
		.state = state_size ? mover_memory(state_size, 8) : -1,
		.state_size = state_size,
	};

	buffer.buffer.kind = WIRE_MEMORY;
	buffer.fd = mover_memory(like->size, 7);
	head.id[0] = '\0';
	mover_save_all(&save_job);
	close(buffer.fd);
	if (state_size)
		close(save_job.state);
}

static const struct wire_buffer bytes = {
	.id = 4,
	.kind = WIRE_DMABUF,
	.size = SIZE + 77,
	.name = "bytes",
};

static void assert_memory(int fd, size_t size, unsigned int seed)
{
	char *found = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	char *wanted = malloc(size);

	assert_true(found != MAP_FAILED);
	mover_fill(wanted, size, seed);
	assert_memory_equal(found, wanted, size);
	free(wanted);
	munmap(found, size);
}

static void expect_buffer(struct mover *mover, struct mover_message *message)
{
	assert_int_equal(mover_restore(mover, &job), 0);
	assert_true(mover_hear(mover, message));
	if (message->event != MOVER_BUFFER)
		fail_msg("event %d, \"%s\"", message->event, message->text);
}

static void expect_done(struct mover *mover)
{
	struct mover_message message;

	assert_true(mover_hear(mover, &message));
	if (message.event != MOVER_DONE)
		fail_msg("event %d, \"%s\"", message.event, message.text);
	assert_int_equal(message.step, 12);
	mover_end(mover);
}

static void expect_restored(void)
{
	struct mover_message message;
	struct mover mover;

	expect_buffer(&mover, &message);
	assert_int_equal(message.buffer.id, 4);
	assert_int_equal(message.buffer.kind, WIRE_MEMORY);
	assert_int_equal(message.buffer.size, bytes.size);
	assert_string_equal(message.buffer.name, "bytes");
	assert_memory(message.fd, bytes.size, 7);
	close(message.fd);
	expect_done(&mover);
}

static void restored(void **state)
{
	(void)state;
	save(&bytes, 0);
	expect_restored();
}

/* So much that two threads make them: right, and in order all the same. */
static void in_two_threads(void **state)
{
	enum { N = 5, EACH = (9 << 20) + 77 };
	struct job_buffer buffers[N] = { 0 };
	struct save_job save_job = {
		.store = mover_store,
		.head = &head,
		.n = N,
		.buffer = buffers,
		.state = -1,
	};
	struct mover_message message;
	struct mover mover;
	uint32_t i;

	(void)state;
	head.id[0] = '\0';
	for (i = 0; i < N; i++)
		buffers[i] =
			mover_buffer(i + 1, mover_memory(EACH, i + 1), EACH);
	mover_save_all(&save_job);
	assert_int_equal(mover_restore(&mover, &job), 0);
	for (i = 0; i < N; i++) {
		close(buffers[i].fd);
		assert_true(mover_hear(&mover, &message));
		assert_int_equal(message.event, MOVER_BUFFER);
		assert_int_equal(message.buffer.id, i + 1);
		assert_memory(message.fd, EACH, i + 1);
		close(message.fd);
	}
	expect_done(&mover);
}

/* Zeros take no memory; what is between them is where it was. */
static void mostly_zero(void **state)
{
	enum { ALL = 40 << 20, AT = 21 << 20 };
	struct job_buffer buffer =
		mover_buffer(1, memfd_create("sparse", MFD_CLOEXEC), ALL);
	struct save_job save_job = {
		.store = mover_store,
		.head = &head,
		.n = 1,
		.buffer = &buffer,
		.state = -1,
	};
	struct mover_message message;
	struct mover mover;
	struct stat st;
	char *found;

	(void)state;
	assert_int_equal(ftruncate(buffer.fd, ALL), 0);
	assert_int_equal(pwrite(buffer.fd, "xyz", 3, AT - 1), 3);
	head.id[0] = '\0';
	mover_save_all(&save_job);
	close(buffer.fd);
	expect_buffer(&mover, &message);
	expect_done(&mover);
	assert_int_equal(fstat(message.fd, &st), 0);
	assert_int_equal(st.st_size, ALL);
	assert_true(st.st_blocks * 512 < 8 << 20);
	found = calloc(1, ALL);
	assert_non_null(found);
	assert_int_equal(pread(message.fd, found, ALL, 0), ALL);
	assert_memory_equal(found + AT - 1, "xyz", 3);
	memset(found + AT - 1, 0, 3);
	assert_true(!found[0] && !memcmp(found, found + 1, ALL - 1));
	free(found);
	close(message.fd);
}

static void with_its_state(void **state)
{
	struct mover_message message;
	struct mover mover;
	int seals;

	(void)state;
	save(&bytes, 5000);
	expect_buffer(&mover, &message);
	close(message.fd);
	assert_true(mover_hear(&mover, &message));
	assert_int_equal(message.event, MOVER_STATE);
	assert_int_equal(message.state_size, 5000);
	assert_memory(message.fd, 5000, 8);
	seals = fcntl(message.fd, F_GET_SEALS);
	assert_true(seals & F_SEAL_SHRINK && seals & F_SEAL_WRITE);
	close(message.fd);
	expect_done(&mover);
}

static void as_another_user(void **state)
{
	static const gid_t groups[] = { NOBODY, 1 };

	(void)state;
	if (geteuid()) {
		print_message("skipped: only root can act as another user\n");
		return;
	}
	save(&bytes, 0);
	job.uid = NOBODY;
	job.gid = NOBODY;
	job.groups = groups;
	job.n_groups = 2;
	expect_restored();
}

/* --- pictures ----------------------------------------------------------------*/

/* Each line of the new one is the pixels of the old one. */
static void assert_lines(const struct wire_buffer *like,
			 const struct mover_message *message)
{
	const struct wire_buffer *buffer = &message->buffer;
	uint32_t line, used = buffer_line_bytes(like);
	char *wanted = malloc(like->size);
	char *found =
		mmap(NULL, buffer->size, PROT_READ, MAP_SHARED, message->fd, 0);

	assert_true(found != MAP_FAILED);
	mover_fill(wanted, like->size, 7);
	for (line = 0; line < like->height; line++)
		assert_memory_equal(found + (size_t)line * buffer->stride,
				    wanted + (size_t)line * like->stride, used);
	munmap(found, buffer->size);
	free(wanted);
}

static void another_stride(void **state)
{
	static const struct wire_buffer pictures[] = {
		{ 4, 1, 0, 0, 404 * 100, DRM_FORMAT_XRGB8888, 99, 100, 404, 0,
		  "small" },
		{ 4, 1, 0, 0, 303 * 37 + 5, DRM_FORMAT_RGB888, 100, 37, 303,
		  DRM_FORMAT_MOD_INVALID, "odd" },
		{ 4, 1, 0, 0, 5124 * 900, DRM_FORMAT_ARGB8888, 1280, 900, 5124,
		  0, "more than a chunk" },
		{ 4, 1, 0, 0, 2 * 2400004, DRM_FORMAT_ABGR16161616F, 300000, 2,
		  2400004, 0, "a line is more than a chunk" },
	};
	struct mover_message message;
	struct mover mover;
	size_t i;

	(void)state;
	mover_align = 256;
	for (i = 0; i < sizeof(pictures) / sizeof(pictures[0]); i++) {
		save(&pictures[i], 0);
		expect_buffer(&mover, &message);
		assert_int_equal(message.buffer.stride % 256, 0);
		assert_int_not_equal(message.buffer.stride, pictures[i].stride);
		assert_int_equal(message.buffer.size,
				 (uint64_t)message.buffer.stride *
					 message.buffer.height);
		assert_lines(&pictures[i], &message);
		close(message.fd);
		expect_done(&mover);
	}
}

static void not_portable(void **state)
{
	struct wire_buffer tiled = bytes;
	struct mover mover;

	(void)state;
	tiled.modifier = I915_FORMAT_MOD_X_TILED;
	save(&tiled, 0);
	assert_int_equal(mover_restore(&mover, &job), 0);
	mover_expect_failed(&mover, -EINVAL, "buffer 4: it is not laid out");
}

/* --- what must not be taken for good -----------------------------------------*/

static void flip(void *data, size_t len)
{
	((char *)data)[len - 1] ^= 1;
}

/* New memory that does not keep what it was given. */
static void bad_memory(void **state)
{
	struct mover mover;

	(void)state;
	save(&bytes, 0);
	mover_written = flip;
	assert_int_equal(mover_restore(&mover, &job), 0);
	mover_expect_failed(&mover, -EIO, "does not hold what was written");
}

/* A bit of the data in the file; its place is found by what is in it. */
static void bad_file(void **state)
{
	static uint8_t file[SIZE * 2];
	uint32_t wanted[4];
	struct mover mover;
	char path[160];
	ssize_t len, at;
	int fd;

	(void)state;
	save(&bytes, 0);
	snprintf(path, sizeof(path), "%s/%s.ckpt", mover_dir, head.id);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	len = read(fd, file, sizeof(file));
	mover_fill(file + sizeof(file) - 16, 16, 7);
	memcpy(wanted, file + sizeof(file) - 16, 16);
	for (at = 0; at + 16 < len && memcmp(file + at, wanted, 16); at++)
		continue;
	assert_true(at + 16 < len);
	file[at + 1000] ^= 4;
	assert_int_equal(pwrite(fd, &file[at + 1000], 1, at + 1000), 1);
	close(fd);
	assert_int_equal(mover_restore(&mover, &job), 0);
	assert_false(mover.ended);
	mover_expect_failed(&mover, -EBADMSG, head.id);
}

static void none_to_go_on_from(void **state)
{
	struct mover mover;

	(void)state;
	head.rough = true;
	save(&bytes, 0);
	assert_int_equal(mover_restore(&mover, &job), 0);
	mover_expect_failed(&mover, -EINVAL, "is not one to go on from");
	job.id = "there-is-none";
	assert_int_equal(mover_restore(&mover, &job), 0);
	mover_expect_failed(&mover, -ENOENT, "there-is-none");
}

static void no_device(void **state)
{
	struct measure_job measure = { .node = "/dev/null" };
	struct mover mover;

	(void)state;
	save(&bytes, 0);
	job.node = "/dev/null";
	assert_int_equal(mover_restore(&mover, &job), 0);
	mover_expect_failed(&mover, -EINVAL, "/dev/null is not a DRM node");
	assert_int_equal(mover_measure(&mover, &measure), 0);
	mover_expect_failed(&mover, -EINVAL, "/dev/null is not a DRM node");
}

/* Ended before all was heard: nobody has its buffers then. */
static void ended_early(void **state)
{
	struct mover_message message;
	struct mover mover;

	(void)state;
	save(&bytes, 100);
	expect_buffer(&mover, &message);
	close(message.fd);
	mover_kill(&mover);
	mover_end(&mover);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, mover_teardown)

static const struct CMUnitTest tests[] = {
	CASE(restored),		  CASE(in_two_threads),	 CASE(mostly_zero),
	CASE(with_its_state),	  CASE(as_another_user), CASE(another_stride),
	CASE(not_portable),	  CASE(bad_memory),	 CASE(bad_file),
	CASE(none_to_go_on_from), CASE(no_device),	 CASE(ended_early),
};

TEST_MAIN(tests, NULL, NULL)

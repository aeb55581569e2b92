// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Copies are exact wherever they begin, and memory is what its kind promises.
 * Devices are in the scenario "buffers".
 */
#include <drm_fourcc.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../buffers/buffers.h"
#include "test.h"

#define SIZE 65536

static char error[BUFFERS_ERROR];

static void fill(unsigned char *to, size_t len, unsigned int seed)
{
	size_t i;

	for (i = 0; i < len; i++)
		to[i] = (unsigned char)(i * 31 + (i >> 8) * 7 + seed);
}

/* Each begin against each alignment, and lengths about the lines of a cache. */
static void copies(void **state)
{
	static const size_t lengths[] = { 0,   1,   15,	  16,	17,  63,
					  64,  65,  127,  128,	129, 191,
					  192, 200, 1000, 4096, 4103 };
	unsigned char *from = aligned_alloc(64, 8192);
	unsigned char *to = aligned_alloc(64, 8192);
	size_t i, at;

	(void)state;
	fill(from, 8192, 1);
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		for (at = 0; at < 130; at++) {
			size_t len = lengths[i], there = (at * 7) % 64;

			memset(to, 0xee, 8192);
			buffer_copy_out(to + 1 + there, from + at, len);
			assert_memory_equal(to + 1 + there, from + at, len);
			assert_int_equal(to[there], 0xee);
			assert_int_equal(to[1 + there + len], 0xee);
			memset(to, 0xee, 8192);
			buffer_copy_in(to + 1 + there, from + at, len);
			assert_memory_equal(to + 1 + there, from + at, len);
			assert_int_equal(to[there], 0xee);
			assert_int_equal(to[1 + there + len], 0xee);
		}
	}
	free(from);
	free(to);
}

static void map_of_memory(void **state)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	struct wire_buffer buffer = { .kind = WIRE_MEMORY, .size = SIZE - 5 };
	struct mapping map;

	(void)state;
	assert_int_equal(ftruncate(fd, SIZE), 0);
	assert_int_equal(buffer_map(&buffer, fd, true, &map, error), 0);
	assert_true(map.size >= buffer.size && !map.slow);
	assert_int_equal(map.fd, -1);
	memset(map.data, 7, map.size);
	assert_int_equal(buffer_sync(&map, true, true), 0);
	assert_int_equal(buffer_sync(&map, false, true), 0);
	assert_int_equal(buffer_poll(&buffer, fd, 0), 1);
	buffer_unmap(&map);
	assert_null(map.data);
	buffer_unmap(&map);
	close(fd);
}

/* What is no dma-buf and no DRM node is refused by who would use it, too. */
static void map_of_others(void **state)
{
	struct wire_buffer buffer = { .handle = 1, .size = 4096 };
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct mapping map;

	(void)state;
	for (buffer.kind = 0; buffer.kind < 6; buffer.kind++) {
		error[0] = '\0';
		assert_true(buffer_map(&buffer, fd, false, &map, error) < 0);
		assert_int_not_equal(error[0], '\0');
		assert_null(map.data);
		assert_int_equal(map.fd, -1);
	}
	buffer.kind = WIRE_HANDLE;
	assert_true(buffer_poll(&buffer, fd, 0) < 0);
	close(fd);
}

static void make(struct target *target, const struct wire_buffer *like,
		 struct made *made)
{
	assert_int_equal(target_make(target, like, made, error), 0);
	assert_int_equal(made->buffer.kind, WIRE_MEMORY);
	assert_int_equal(made->buffer.id, like->id);
	assert_int_equal(made->buffer.handle, 0);
	assert_int_equal(fcntl(made->fd, F_GET_SEALS) &
				 (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL),
			 F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	assert_int_equal(ftruncate(made->fd, 1), -1);
	memset(made->map.data, 1, made->buffer.size);
}

static void new_memory(void **state)
{
	struct wire_buffer like = {
		.id = 5,
		.kind = WIRE_HANDLE,
		.handle = 9,
		.size = SIZE + 1,
		.modifier = DRM_FORMAT_MOD_INVALID,
	};
	struct target target;
	struct made made;
	uint64_t inode;
	int fd;

	(void)state;
	assert_int_equal(target_open(&target, NULL, error), 0);
	make(&target, &like, &made);
	assert_int_equal(made.buffer.size, SIZE + 1);
	assert_int_equal(buffer_check(&made.buffer, made.fd, &inode, error), 0);
	fd = made.fd;
	made_close(&made);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	made_close(&made);
	target_close(&target);
}

static void new_picture(void **state)
{
	struct wire_buffer like = {
		.id = 5,
		.size = 100 * 400 + 50,
		.format = DRM_FORMAT_XRGB8888,
		.width = 99,
		.height = 100,
		.stride = 400,
	};
	struct target target;
	struct made made;

	(void)state;
	assert_int_equal(target_open(&target, NULL, error), 0);
	make(&target, &like, &made);
	assert_int_equal(made.buffer.stride, 400);
	assert_int_equal(made.buffer.size, like.size);
	made_close(&made);
	target.align = 256;
	make(&target, &like, &made);
	assert_int_equal(made.buffer.stride, 512);
	assert_int_equal(made.buffer.size, 51200);
	made_close(&made);
	like.modifier = DRM_FORMAT_MOD_LINEAR + 1;
	assert_int_equal(target_make(&target, &like, &made, error), -EINVAL);
	assert_non_null(strstr(error, "not linear"));
	like.modifier = 0;
	like.size = WIRE_SIZE_MAX + 1;
	assert_int_equal(target_make(&target, &like, &made, error), -ERANGE);
	assert_int_equal(made.fd, -1);
}

static void no_target(void **state)
{
	struct target target;

	(void)state;
	assert_int_equal(target_open(&target, "/dev/null", error), -EINVAL);
	assert_string_equal(error, "/dev/null is not a DRM node");
	assert_int_equal(target.drm, -1);
	assert_int_equal(target_open(&target, "/dev/there-is-none", error),
			 -ENOENT);
	assert_int_equal(target_open(&target, "/dev/fd", error), -ELOOP);
}

static void no_files(void **state)
{
	size_t n = 7;
	int *fds;

	(void)state;
	assert_int_equal(plain_open_files(getpid(), 0, &fds, &n, error), 0);
	assert_int_equal(n, 0);
	assert_null(fds);
	assert_int_equal(plain_open_files(0x3fffff, 0, &fds, &n, error), -ESRCH);
	assert_int_not_equal(error[0], '\0');
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(copies),	 cmocka_unit_test(map_of_memory),
	cmocka_unit_test(map_of_others), cmocka_unit_test(new_memory),
	cmocka_unit_test(new_picture),	 cmocka_unit_test(no_target),
	cmocka_unit_test(no_files),
};

TEST_MAIN(tests, NULL, NULL)

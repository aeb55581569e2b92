// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a program gives is what it says, or is refused in words; nothing of it
 * can make who asks wait.
 */
#include <drm_fourcc.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "../buffers/buffers.h"
#include "fuse.h"
#include "test.h"

#define SIZE 65536

static char error[BUFFERS_ERROR];
static uint64_t inode;

static int setup(void **state)
{
	(void)state;
	/* What waits for ever is a failure, too. */
	alarm(10);
	memset(error, 0, sizeof(error));
	inode = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	alarm(0);
	return 0;
}

static int memory(size_t size, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static int check(uint32_t kind, int fd, uint64_t size)
{
	struct wire_buffer buffer = {
		.id = 1,
		.kind = kind,
		.handle = kind == WIRE_HANDLE,
		.size = size,
	};
	int err;

	error[0] = '\0';
	err = buffer_check(&buffer, fd, &inode, error);
	assert_int_equal(!err, !error[0]);
	return err;
}

static void good_memory(void **state)
{
	int fd = memory(SIZE, F_SEAL_SHRINK);
	struct stat st;

	(void)state;
	assert_int_equal(check(WIRE_MEMORY, fd, SIZE), 0);
	assert_int_equal(check(WIRE_MEMORY, fd, 1), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(inode, st.st_ino);
	assert_int_equal(buffer_check_state(fd, SIZE, error), 0);
	close(fd);
}

static void lying_sizes(void **state)
{
	int fd = memory(SIZE, F_SEAL_SHRINK);

	(void)state;
	assert_int_equal(check(WIRE_MEMORY, fd, SIZE + 1), -ERANGE);
	assert_string_equal(error, "the memfd has 65536 bytes, not 65537");
	assert_int_equal(check(WIRE_MEMORY, fd, UINT64_MAX), -ERANGE);
	assert_int_equal(check(WIRE_MEMORY, fd, 1ull << 63), -ERANGE);
	assert_int_equal(check(WIRE_MEMORY, fd, 0), -ERANGE);
	assert_int_equal(buffer_check_state(fd, SIZE + 1, error), -ERANGE);
	assert_int_equal(buffer_check_state(fd, WIRE_STATE_MAX + 1, error),
			 -ERANGE);
	assert_string_equal(error,
			    "a state of 16777217 bytes is too large, 16777216 are allowed");
	close(fd);
}

static void memory_that_can_shrink(void **state)
{
	int fd = memory(SIZE, F_SEAL_GROW);

	(void)state;
	assert_int_equal(check(WIRE_MEMORY, fd, SIZE), -EPERM);
	assert_string_equal(error,
			    "the memfd can shrink, seal it with F_SEAL_SHRINK");
	assert_int_equal(buffer_check_state(fd, SIZE, error), -EPERM);
	close(fd);
}

/* The same memory through descriptors that allow less. */
static void other_access(void **state)
{
	int fd = memory(SIZE, F_SEAL_SHRINK);
	char path[32];
	int other;

	(void)state;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	other = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(check(WIRE_MEMORY, other, SIZE), 0);
	close(other);
	other = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(check(WIRE_MEMORY, other, SIZE), -EACCES);
	close(other);
	other = open(path, O_PATH | O_CLOEXEC);
	assert_int_equal(check(WIRE_MEMORY, other, SIZE), -EBADF);
	close(other);
	assert_int_equal(check(WIRE_MEMORY, other, SIZE), -EBADF);
	close(fd);
}

static void assert_nothing(const char *what, int fd)
{
	uint32_t kind;

	if (fd < 0)
		fail_msg("no %s: %s", what, strerror(errno));
	for (kind = 0; kind <= 5; kind++) {
		if (!check(kind, fd, 1))
			fail_msg("%s is taken for kind %u", what, kind);
	}
	assert_int_not_equal(buffer_check_state(fd, 1, error), 0);
	close(fd);
}

/* Files that are none, and some that have the name or the number of one. */
static void other_kinds(void **state)
{
	char dir[] = "/dev/shm/egpu-test-XXXXXX", path[64];
	int pair[2];
	sigset_t set;

	(void)state;
	assert_int_equal(pipe(pair), 0);
	assert_nothing("reading end", pair[0]);
	assert_nothing("writing end", pair[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_nothing("socket", pair[0]);
	close(pair[1]);
	assert_nothing("epoll", epoll_create1(0));
	assert_nothing("eventfd", eventfd(1, 0));
	assert_nothing("timerfd", timerfd_create(CLOCK_MONOTONIC, 0));
	assert_nothing("inotify", inotify_init());
	assert_nothing("pidfd", pidfd_open(getpid(), 0));
	sigemptyset(&set);
	assert_nothing("signalfd", signalfd(-1, &set, 0));
	assert_nothing("directory", open("/", O_RDONLY));
	assert_nothing("path of a node", open("/dev/null", O_PATH));
	assert_nothing("null", open("/dev/null", O_RDWR));
	assert_nothing("zero", open("/dev/zero", O_RDWR));
	assert_nothing("terminal", open("/dev/ptmx", O_RDWR | O_NOCTTY));
	assert_nothing("file of proc", open("/proc/self/maps", O_RDONLY));
	assert_nothing("memory without seals", memory(SIZE, 0));
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/dmabuf:x", dir);
	assert_nothing("file of a tmpfs", open(path, O_RDWR | O_CREAT, 0600));
	unlink(path);
	rmdir(dir);
}

/* It would hang in the question of how large the file is. */
static void file_system_that_does_not_answer(void **state)
{
	struct fuse fuse;
	const char *why = fuse_mount(&fuse);

	(void)state;
	if (why) {
		print_message("skipped: %s\n", why);
		return;
	}
	assert_nothing("its file", fuse_open(&fuse, O_RDWR));
	assert_nothing("its path", fuse_open(&fuse, O_PATH));
	fuse_unmount(&fuse);
}

static struct wire_buffer picture(void)
{
	return (struct wire_buffer){
		.id = 1,
		.kind = WIRE_DMABUF,
		.size = 640 * 4 * 480,
		.format = DRM_FORMAT_XRGB8888,
		.width = 640,
		.height = 480,
		.stride = 640 * 4,
	};
}

static void portable(void **state)
{
	struct wire_buffer buffer = picture();
	struct wire_buffer bytes = { .id = 1, .size = 4096 };

	(void)state;
	assert_null(buffer_not_portable(&buffer));
	assert_int_equal(buffer_line_bytes(&buffer), 2560);
	buffer.modifier = DRM_FORMAT_MOD_INVALID;
	assert_null(buffer_not_portable(&buffer));
	buffer.format = DRM_FORMAT_RGB888;
	assert_null(buffer_not_portable(&buffer));
	assert_int_equal(buffer_line_bytes(&buffer), 1920);
	assert_null(buffer_not_portable(&bytes));
	assert_int_equal(buffer_line_bytes(&bytes), 0);
}

static void assert_why(const struct wire_buffer *buffer, const char *words)
{
	const char *why = buffer_not_portable(buffer);

	assert_non_null(why);
	if (!strstr(why, words))
		fail_msg("\"%s\" has no \"%s\"", why, words);
}

static void not_portable(void **state)
{
	struct wire_buffer buffer = picture();

	(void)state;
	buffer.modifier = I915_FORMAT_MOD_X_TILED;
	assert_why(&buffer, "not linear");
	buffer.format = 0;
	assert_why(&buffer, "not linear");
	buffer.modifier = DRM_FORMAT_MOD_LINEAR;
	assert_why(&buffer, "no format");
	buffer = picture();
	buffer.format = DRM_FORMAT_NV12;
	assert_why(&buffer, "format");
	buffer.format = fourcc_code('?', '?', '?', '?');
	assert_why(&buffer, "format");
	buffer = picture();
	buffer.stride--;
	assert_why(&buffer, "longer than its stride");
	buffer = picture();
	buffer.size--;
	assert_why(&buffer, "more bytes");
	buffer = picture();
	buffer.width = 0;
	assert_why(&buffer, "no pixels");
	buffer = picture();
	buffer.height = 0;
	assert_why(&buffer, "no pixels");
}

/* Products that do not fit into 32 bits are no way around. */
static void large_numbers(void **state)
{
	struct wire_buffer buffer = picture();

	(void)state;
	buffer.width = 0x40000001;
	assert_why(&buffer, "longer than its stride");
	buffer = picture();
	buffer.width = 1;
	buffer.height = 0x80000000;
	buffer.stride = 0x80000004;
	assert_why(&buffer, "more bytes");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	CASE(good_memory),
	CASE(lying_sizes),
	CASE(memory_that_can_shrink),
	CASE(other_access),
	CASE(other_kinds),
	CASE(file_system_that_does_not_answer),
	CASE(portable),
	CASE(not_portable),
	CASE(large_numbers),
};

TEST_MAIN(tests, NULL, NULL)

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A program of the tests that speaks with the daemon message by message.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "desk.h"
#include "peer.h"
#include "test.h"

struct egpu_device *peer_gpu;
int peer_sock = -1;
struct wire_message peer_answer;
static int peer_answer_fd = -1;

/* ------------------------------------------------------------- a program */

int peer_connect(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0);

	assert_true(fd >= 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/client",
		 desk_world.run);
	assert_int_equal(connect(fd, (struct sockaddr *)&address,
				 sizeof(address)),
			 0);
	return fd;
}

static bool peer_has_answer(void)
{
	const char *why;
	int err;

	if (peer_answer_fd >= 0)
		close(peer_answer_fd);
	peer_answer_fd = -1;
	err = wire_receive(peer_sock, WIRE_DAEMON, &peer_answer,
			   &peer_answer_fd, &why);
	if (err == -EPROTO)
		fail_msg("the daemon has sent no message: %s", why);
	if (err == -ENOTCONN) {
		memset(&peer_answer, 0, sizeof(peer_answer));
		return true;
	}
	return !err;
}

void peer_expect(uint32_t type)
{
	assert_true(desk_run_until(peer_has_answer));
	if (peer_answer.type != type)
		fail_msg("%s came, not %s: %s", wire_type_name(peer_answer.type),
			 wire_type_name(type), peer_answer.result.text);
}

void peer_expect_end(void)
{
	assert_true(desk_run_until(peer_has_answer));
	assert_int_equal(peer_answer.type, 0);
}

void peer_expect_error(const char *because)
{
	peer_expect(WIRE_ERROR);
	if (!strstr(peer_answer.result.text, because))
		fail_msg("'%s', not '%s'", peer_answer.result.text, because);
	peer_expect_end();
}

void peer_expect_reply(int error, const char *because)
{
	peer_expect(WIRE_REPLY);
	assert_int_equal(peer_answer.result.error, error);
	if (!strstr(peer_answer.result.text, because))
		fail_msg("'%s', not '%s'", peer_answer.result.text, because);
}

/* Whatever it is: nobody checks it on the way. */
void peer_send_raw(const void *data, size_t len, const int *fds, size_t n)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data,
			     .iov_len = len };
	char space[CMSG_SPACE(8 * sizeof(int))] = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *head;

	if (n) {
		msg.msg_control = space;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		head = CMSG_FIRSTHDR(&msg);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(head), fds, n * sizeof(int));
	}
	assert_int_equal(sendmsg(peer_sock, &msg, MSG_NOSIGNAL), len);
}

void peer_say(const struct wire_message *message, int fd)
{
	peer_send_raw(message, wire_size(message->type), &fd, fd >= 0);
}

void peer_hello(void)
{
	const struct wire_message message = {
		.type = WIRE_HELLO,
		.serial = 7,
		.hello = { .version = WIRE_VERSION, .name = "test" },
	};

	peer_say(&message, -1);
}

void peer_open(void)
{
	peer_sock = peer_connect();
	peer_hello();
	peer_expect(WIRE_WELCOME);
	assert_int_equal(peer_answer.serial, 7);
}

int peer_memory(size_t size, unsigned int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	if (seals)
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

struct wire_message peer_add_message(uint32_t id, uint64_t size)
{
	return (struct wire_message){
		.type = WIRE_ADD,
		.serial = 100 + id,
		.buffer = { .id = id, .kind = WIRE_MEMORY, .size = size },
	};
}

void peer_add_buffer(uint32_t id)
{
	const struct wire_message message = peer_add_message(id, PEER_BYTES);
	int fd = peer_memory(PEER_BYTES, F_SEAL_SHRINK);

	peer_say(&message, fd);
	close(fd);
	peer_expect_reply(0, "");
	assert_int_equal(peer_answer.serial, 100 + id);
}

void peer_safe(uint32_t serial, uint64_t step)
{
	const struct wire_message message = {
		.type = WIRE_SAFE,
		.serial = serial,
		.safe = { .step = step },
	};

	peer_say(&message, -1);
}

/* ------------------------------------------------------------- the daemon */

struct session *peer_session(void)
{
	return desk_daemon.work->sessions;
}

/* With all that was its own. */
bool peer_gone(void)
{
	const struct work *work = desk_daemon.work;

	return !work->sessions && !work->dead && !work->runs &&
	       !work->sweep.pid && !work->sweep.soon && !discard_count();
}

size_t peer_count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

size_t peer_fds;

void peer_hang_up(void)
{
	if (peer_answer_fd >= 0)
		close(peer_answer_fd);
	peer_answer_fd = -1;
	if (peer_sock >= 0)
		close(peer_sock);
	peer_sock = -1;
}

int peer_setup(void **state)
{
	(void)state;
	desk_make();
	peer_gpu = desk_add(WORLD_GPU, 1);
	desk_configure("interval = 0s\n");
	desk_start();
	desk_settle();
	/* Looks at whether the GPU is ready have descriptors, now and then. */
	probe_free_all(&desk_daemon);
	/* What the loop takes once for all is there after this. */
	peer_open();
	peer_add_buffer(1);
	peer_hang_up();
	assert_true(desk_run_until(peer_gone));
	desk_settle();
	peer_fds = peer_count_fds();
	return 0;
}

/* Whatever was done to it: it lives, and has nothing left of it. */
int peer_teardown(void **state)
{
	(void)state;
	peer_hang_up();
	assert_true(desk_run_until(peer_gone));
	peer_open();
	peer_add_buffer(1);
	peer_hang_up();
	assert_true(desk_run_until(peer_gone));
	desk_settle();
	assert_int_equal(peer_count_fds(), peer_fds);
	desk_free();
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the daemon does with programs that lie, flood or say nothing: each is told
 * what is wrong, and nothing of it is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "desk.h"
#include "peer.h"
#include "test.h"

/* ------------------------------------------------------------- hostile ones */

static void another_version(void **state)
{
	const struct wire_message message = {
		.type = WIRE_HELLO,
		.hello = { .version = 9 },
	};

	(void)state;
	peer_sock = peer_connect();
	peer_say(&message, -1);
	peer_expect_error("version 1");
}

static void second_hello(void **state)
{
	(void)state;
	peer_open();
	peer_hello();
	peer_expect_error("second HELLO");
}

static void before_hello(void **state)
{
	const struct wire_message message = peer_add_message(1, PEER_BYTES);
	int fd = peer_memory(PEER_BYTES, F_SEAL_SHRINK);

	(void)state;
	peer_sock = peer_connect();
	peer_say(&message, fd);
	close(fd);
	peer_expect_error("ADD came before HELLO");
}

static void wrong_sizes(void **state)
{
	struct wire_message message = peer_add_message(1, PEER_BYTES);
	size_t len;

	(void)state;
	for (len = 1; len < 200; len += 7) {
		char junk[256] = { 0 };

		if (len == wire_size(WIRE_ADD))
			continue;
		peer_open();
		memcpy(junk, &message,
		       len < sizeof(message) ? len : sizeof(message));
		peer_send_raw(junk, len, NULL, 0);
		peer_expect(WIRE_ERROR);
		peer_expect_end();
		peer_hang_up();
	}
}

static void too_many_descriptors(void **state)
{
	struct wire_message message = peer_add_message(1, PEER_BYTES);
	int fds[3], i;

	(void)state;
	peer_open();
	for (i = 0; i < 3; i++)
		fds[i] = peer_memory(PEER_BYTES, F_SEAL_SHRINK);
	peer_send_raw(&message, wire_size(WIRE_ADD), fds, 3);
	for (i = 0; i < 3; i++)
		close(fds[i]);
	peer_expect_error("descriptor");
}

/* Each is told what is wrong with it, and the session goes on. */
static void other_kinds_of_descriptors(void **state)
{
	struct wire_message message = peer_add_message(1, PEER_BYTES);
	int ends[2], fd;

	(void)state;
	peer_open();
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	peer_say(&message, fd);
	close(fd);
	peer_expect_reply(EINVAL, "");
	assert_int_equal(pipe(ends), 0);
	peer_say(&message, ends[0]);
	close(ends[0]);
	close(ends[1]);
	peer_expect_reply(EINVAL, "");
	peer_say(&message, peer_sock);
	peer_expect_reply(EINVAL, "");
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	peer_say(&message, fd);
	close(fd);
	peer_expect(WIRE_REPLY);
	assert_int_not_equal(peer_answer.result.error, 0);
	/* One that could shrink while it is read. */
	fd = peer_memory(PEER_BYTES, 0);
	peer_say(&message, fd);
	close(fd);
	peer_expect_reply(EPERM, "");
	/* One that is smaller than is said. */
	fd = peer_memory(PEER_BYTES / 2, F_SEAL_SHRINK);
	peer_say(&message, fd);
	close(fd);
	peer_expect_reply(ERANGE, "");
	/* A dma-buf it is not, nor a node. */
	message.buffer.kind = WIRE_DMABUF;
	fd = peer_memory(PEER_BYTES, F_SEAL_SHRINK);
	peer_say(&message, fd);
	peer_expect_reply(EINVAL, "dma-buf");
	message.buffer.kind = WIRE_HANDLE;
	message.buffer.handle = 1;
	peer_say(&message, fd);
	close(fd);
	peer_expect_reply(EINVAL, "");
	assert_int_equal(peer_session()->n, 0);
	peer_add_buffer(1);
}

/* ------------------------------------------------------------- ends that wait */

/* Long after a daemon that waits for it has been given up. */
#define LINGER_S   3600
#define GIVEN_UP_S 120

static int other_end = -1;

/*
 * A connection whose last close() waits, for the other end has no room for what
 * is under way. A file system that a user serves does the same to any close().
 */
static int lingering(void)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = LINGER_S };
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	static const char junk[65536];
	int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), room = 4096;

	setsockopt(door, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(door, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(door, 1) ||
	    getsockname(door, (struct sockaddr *)&address, &len) ||
	    connect(sock, (struct sockaddr *)&address, sizeof(address))) {
		close(door);
		close(sock);
		return -1;
	}
	other_end = accept4(door, NULL, NULL, SOCK_CLOEXEC);
	close(door);
	assert_true(other_end >= 0);
	while (send(sock, junk, sizeof(junk), MSG_DONTWAIT) > 0)
		;
	assert_int_equal(setsockopt(sock, SOL_SOCKET, SO_LINGER, &linger,
				    sizeof(linger)),
			 0);
	return sock;
}

static bool all_discarded(void)
{
	return !discard_count();
}

static bool all_discarded_but_one(void)
{
	return discard_count() == 1;
}

/* It lives although one of its children waits, until that has waited enough. */
static void expect_one_that_waits(void)
{
	assert_int_equal(discard_count(), 1);
	peer_hang_up();
	peer_open();
	peer_add_buffer(2);
	close(other_end);
	assert_true(desk_run_until(all_discarded));
	alarm(0);
}

static void with_a_lingering_one(void (*send_it)(int fd))
{
	int fd;

	peer_open();
	fd = lingering();
	if (fd < 0) {
		print_message("no connection to ourselves can be made\n");
		skip();
	}
	alarm(GIVEN_UP_S);
	send_it(fd);
	expect_one_that_waits();
}

static void send_as_buffer(int fd)
{
	const struct wire_message message = peer_add_message(1, PEER_BYTES);

	peer_say(&message, fd);
	close(fd);
	peer_expect_reply(EINVAL, "");
}

static void send_as_one_of_three(int fd)
{
	const struct wire_message message = peer_add_message(1, PEER_BYTES);
	const int fds[] = { STDOUT_FILENO, STDOUT_FILENO, fd };

	peer_send_raw(&message, wire_size(WIRE_ADD), fds, 3);
	close(fd);
	peer_expect_error("descriptor");
	assert_true(desk_run_until(all_discarded_but_one));
}

static void send_behind_rubbish(int fd)
{
	const struct wire_message message = peer_add_message(1, PEER_BYTES);

	peer_send_raw("rubbish!", 8, NULL, 0);
	peer_say(&message, fd);
	close(fd);
	peer_expect(WIRE_ERROR);
}

static void send_unasked(int fd)
{
	const struct wire_message message = {
		.type = WIRE_SAFE,
		.safe = { .state_size = 1 },
	};

	peer_say(&message, fd);
	close(fd);
	desk_settle();
}

static void too_many_at_a_time(void **state)
{
	const struct wire_message message = peer_add_message(1, PEER_BYTES);
	int fd[DISCARDS_UID_MAX], end[DISCARDS_UID_MAX], i;

	(void)state;
	peer_open();
	for (i = 0; i < DISCARDS_UID_MAX; i++) {
		fd[i] = lingering();
		if (fd[i] < 0)
			skip();
		end[i] = other_end;
	}
	alarm(GIVEN_UP_S);
	discard_for(getuid());
	for (i = 0; i < DISCARDS_UID_MAX; i++)
		discard(fd[i]);
	assert_int_equal(discard_of(getuid() + 1), 0);
	peer_say(&message, STDOUT_FILENO);
	peer_expect_error("cannot be closed");
	peer_hang_up();
	peer_sock = peer_connect();
	peer_expect_error("cannot be closed");
	for (i = 0; i < DISCARDS_UID_MAX; i++)
		close(end[i]);
	assert_true(desk_run_until(all_discarded));
	alarm(0);
}

static void a_buffer_that_cannot_be_closed(void **state)
{
	(void)state;
	with_a_lingering_one(send_as_buffer);
}

static void too_many_that_cannot_be_closed(void **state)
{
	(void)state;
	with_a_lingering_one(send_as_one_of_three);
}

static void unread_that_cannot_be_closed(void **state)
{
	(void)state;
	with_a_lingering_one(send_behind_rubbish);
}

static void a_state_that_cannot_be_closed(void **state)
{
	(void)state;
	with_a_lingering_one(send_unasked);
}

static void the_same_number_twice(void **state)
{
	const struct wire_message message = peer_add_message(1, PEER_BYTES);
	int fd = peer_memory(PEER_BYTES, F_SEAL_SHRINK);

	(void)state;
	peer_open();
	peer_add_buffer(1);
	peer_say(&message, fd);
	close(fd);
	peer_expect_reply(EEXIST, "already");
	assert_int_equal(peer_session()->n, 1);
}

static void more_bytes_than_may_be(void **state)
{
	struct wire_message message;
	int fd = peer_memory(1ull << 39, F_SEAL_SHRINK), i;

	(void)state;
	peer_open();
	for (i = 1; i <= 2; i++) {
		message = peer_add_message((uint32_t)i, 1ull << 39);
		peer_say(&message, fd);
		peer_expect_reply(0, "");
	}
	message = peer_add_message(3, PEER_BYTES);
	peer_say(&message, fd);
	close(fd);
	peer_expect_reply(ENOSPC, "more bytes");
}

static void more_buffers_than_may_be(void **state)
{
	struct wire_message message;
	int fd = peer_memory(PEER_BYTES, F_SEAL_SHRINK);
	uint32_t id;

	(void)state;
	peer_open();
	for (id = 1; id <= WIRE_BUFFERS_MAX; id++) {
		message = peer_add_message(id, PEER_BYTES);
		peer_say(&message, fd);
		peer_expect_reply(0, "");
	}
	message = peer_add_message(id, PEER_BYTES);
	peer_say(&message, fd);
	close(fd);
	peer_expect_reply(ENOSPC, "1024");
}

static void too_many_sessions(void **state)
{
	int socks[SESSIONS_UID_MAX], i;

	(void)state;
	for (i = 0; i < SESSIONS_UID_MAX; i++) {
		peer_open();
		socks[i] = peer_sock;
	}
	peer_sock = peer_connect();
	peer_expect_error("too many sessions");
	peer_hang_up();
	for (i = 0; i < SESSIONS_UID_MAX; i++)
		close(socks[i]);
	assert_true(desk_run_until(peer_gone));
}

/* Who asks and never reads the answers costs a bounded amount, then nothing. */
static void never_reads(void **state)
{
	const struct wire_message remove = { .type = WIRE_REMOVE,
					     .ref = { .id = 2 } };
	int i;

	(void)state;
	peer_open();
	for (i = 0; i < 100000 && peer_session(); i++) {
		if (send(peer_sock, &remove, wire_size(WIRE_REMOVE),
			 MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			sd_event_run(desk_daemon.loop, 1000);
	}
	assert_null(peer_session());
}

static void floods(void **state)
{
	const struct wire_message dirty = { .type = WIRE_DIRTY,
					    .ref = { .id = 2 } };
	int i;

	(void)state;
	peer_open();
	for (i = 0; i < 10000000 && peer_session(); i++) {
		/* Within one second, whatever the host is at. */
		peer_session()->turn = work_now(desk_daemon.work) / 1000000000;
		if (send(peer_sock, &dirty, wire_size(WIRE_DIRTY),
			 MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			sd_event_run(desk_daemon.loop, 1000);
	}
	peer_expect_error("messages came in a second");
}

static void says_nothing(void **state)
{
	(void)state;
	peer_sock = peer_connect();
	peer_expect_error("no HELLO");
}

static void bad_state(void **state)
{
	struct wire_message message = {
		.type = WIRE_SAFE,
		.safe = { .step = 1, .state_size = PEER_BYTES },
	};
	int fd = peer_memory(PEER_BYTES / 2, F_SEAL_SHRINK);

	(void)state;
	desk_daemon.config.interval_ms = 100;
	peer_open();
	peer_add_buffer(1);
	peer_expect(WIRE_REACH);
	message.serial = peer_answer.serial;
	peer_say(&message, fd);
	close(fd);
	peer_expect_error("the state cannot be used");
}

static void confirms_what_nobody_offered(void **state)
{
	const struct wire_message message = { .type = WIRE_CONFIRM,
					      .serial = 99 };
	const struct wire_message unable = {
		.type = WIRE_UNABLE,
		.serial = 99,
		.result = { .error = EBUSY },
	};

	(void)state;
	peer_open();
	peer_say(&message, -1);
	peer_say(&unable, -1);
	peer_add_buffer(1);
}

static void speaks_as_the_daemon(void **state)
{
	const struct wire_message message = { .type = WIRE_GO_ON };

	(void)state;
	peer_open();
	peer_say(&message, -1);
	peer_expect_error("other side");
}

#define T(name) cmocka_unit_test_setup_teardown(name, peer_setup, peer_teardown)

static const struct CMUnitTest tests[] = {
	T(another_version),
	T(second_hello),
	T(before_hello),
	T(wrong_sizes),
	T(too_many_descriptors),
	T(other_kinds_of_descriptors),
	T(a_buffer_that_cannot_be_closed),
	T(too_many_that_cannot_be_closed),
	T(unread_that_cannot_be_closed),
	T(a_state_that_cannot_be_closed),
	T(too_many_at_a_time),
	T(the_same_number_twice),
	T(more_bytes_than_may_be),
	T(more_buffers_than_may_be),
	T(too_many_sessions),
	T(never_reads),
	T(floods),
	T(says_nothing),
	T(bad_state),
	T(confirms_what_nobody_offered),
	T(speaks_as_the_daemon),
};

TEST_MAIN(tests, NULL, NULL)

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The messages between a program and egpud: what is one, what is none, and what
 * becomes of descriptors.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../common/text.h"
#include "../common/wire.h"
#include "test.h"
#include "wire_samples.h"

struct pair {
	int a;
	int b;
	unsigned int before;
};

static int open_pair(void **state)
{
	static struct pair pair;
	int fd[2];

	pair.before = open_descriptors();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd))
		return -1;
	pair.a = fd[0];
	pair.b = fd[1];
	*state = &pair;
	return 0;
}

static int close_pair(void **state)
{
	struct pair *pair = *state;

	if (pair->a >= 0)
		close(pair->a);
	close(pair->b);
	/* Every test fails that leaves a descriptor open. */
	return open_descriptors() == pair->before ? 0 : -1;
}

static void every_message_goes_through(void **state)
{
	struct pair *pair = *state;
	struct wire_message out, in;
	const char *why;
	size_t i;
	int fd;

	for (i = 0; i < wire_types_n; i++) {
		uint32_t type = wire_types[i];
		bool with = wire_sample_has_fd(type);

		wire_sample(&out, type);
		assert_int_equal(wire_send(pair->a, &out, with ? 0 : -1), 0);
		memset(&in, 0xff, sizeof(in));
		assert_int_equal(wire_receive(pair->b, wire_sample_side(type),
					      &in, &fd, &why),
				 0);
		assert_memory_equal(&in, &out, sizeof(in));
		assert_int_equal(with, fd >= 0);
		if (with) {
			assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
			close(fd);
		}
	}
}

static void names_and_sizes(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < wire_types_n; i++) {
		assert_string_not_equal(wire_type_name(wire_types[i]),
					"unknown");
		assert_in_range(wire_size(wire_types[i]), 8,
				sizeof(struct wire_message));
	}
	assert_string_equal(wire_type_name(WIRE_MOVE_BEGIN), "MOVE_BEGIN");
	assert_int_equal(wire_size(WIRE_GO_ON), 8);
	assert_int_equal(wire_size(WIRE_ADD), 88);
	for (i = 0; i < 3; i++) {
		static const uint32_t none[] = { 0, 20, UINT32_MAX };

		assert_string_equal(wire_type_name(none[i]), "unknown");
		assert_int_equal(wire_size(none[i]), 0);
	}
}

/* A good message must be refused from the other side, and in any other length. */
static void wrong_frames(void **state)
{
	struct wire_message message;
	size_t i, len;

	(void)state;
	for (i = 0; i < wire_types_n; i++) {
		uint32_t type = wire_types[i];
		enum wire_side side = wire_sample_side(type);
		bool with = wire_sample_has_fd(type);

		wire_sample(&message, type);
		for (len = 0; len <= sizeof(message); len++) {
			const char *why = wire_check(&message, len, side, with);

			assert_int_equal(!why, len == wire_size(type));
		}
		assert_non_null(wire_check(&message, wire_size(type), !side,
					   with));
		if (type != WIRE_MOVE_END)
			assert_non_null(wire_check(&message, wire_size(type),
						   side, !with));
	}
	wire_sample(&message, 30);
	assert_string_equal(wire_check(&message, 8, WIRE_PROGRAM, false),
			    "there is no message of this type");
}

/* A change to the sample of @type that makes it @good or not. */
struct change {
	uint32_t type;
	size_t offset;
	size_t size;
	uint64_t value;
	bool good;
};

#define CHANGE(type, field, value, good)                                       \
	{                                                                      \
		type, offsetof(struct wire_message, field),                    \
			sizeof(((struct wire_message *)0)->field), value, good \
	}
#define BAD(type, field, value)	 CHANGE(type, field, value, false)
#define GOOD(type, field, value) CHANGE(type, field, value, true)

static const struct change changes[] = {
	BAD(WIRE_HELLO, hello.version, 0),
	GOOD(WIRE_HELLO, hello.version, 9),
	BAD(WIRE_HELLO, hello.reserved, 1),
	BAD(WIRE_HELLO, hello.name[0], '\n'),
	BAD(WIRE_HELLO, hello.name[3], 0xff),
	BAD(WIRE_HELLO, hello.name[WIRE_NAME - 1], 'x'),
	BAD(WIRE_WELCOME, welcome.version, 0),
	BAD(WIRE_WELCOME, welcome.buffers_max, 0),
	BAD(WIRE_WELCOME, welcome.buffers_max, WIRE_BUFFERS_MAX + 1),
	BAD(WIRE_WELCOME, welcome.state_max, WIRE_STATE_MAX + 1),
	BAD(WIRE_WELCOME, welcome.bytes_max, 0),
	GOOD(WIRE_WELCOME, welcome.interval_ms, 0),
	BAD(WIRE_ADD, buffer.id, 0),
	GOOD(WIRE_ADD, buffer.id, UINT32_MAX),
	BAD(WIRE_ADD, buffer.kind, 0),
	BAD(WIRE_ADD, buffer.kind, 4),
	BAD(WIRE_ADD, buffer.kind, WIRE_DMABUF),
	BAD(WIRE_ADD, buffer.handle, 0),
	BAD(WIRE_ADD, buffer.flags, 2),
	GOOD(WIRE_ADD, buffer.flags, 0),
	BAD(WIRE_ADD, buffer.size, 0),
	BAD(WIRE_ADD, buffer.size, WIRE_SIZE_MAX + 1),
	GOOD(WIRE_ADD, buffer.size, WIRE_SIZE_MAX),
	BAD(WIRE_ADD, buffer.size, 47 * 256),
	GOOD(WIRE_ADD, buffer.size, 47 * 256 + 1),
	BAD(WIRE_ADD, buffer.format, 0),
	BAD(WIRE_ADD, buffer.width, 0),
	BAD(WIRE_ADD, buffer.width, WIRE_SIDE_MAX + 1),
	BAD(WIRE_ADD, buffer.height, 0),
	BAD(WIRE_ADD, buffer.height, WIRE_SIDE_MAX + 1),
	BAD(WIRE_ADD, buffer.stride, 0),
	BAD(WIRE_ADD, buffer.stride, UINT32_MAX),
	GOOD(WIRE_ADD, buffer.modifier, UINT64_MAX),
	BAD(WIRE_ADD, buffer.name[0], 0),
	BAD(WIRE_ADD, buffer.name[0], 0x7f),
	BAD(WIRE_MOVE_BUFFER, buffer.id, 0),
	BAD(WIRE_MOVE_BUFFER, buffer.size, 0),
	BAD(WIRE_REMOVE, ref.id, 0),
	BAD(WIRE_REMOVE, ref.reserved, 1),
	BAD(WIRE_DIRTY, ref.id, 0),
	BAD(WIRE_DIRTY, ref.reserved, 1),
	BAD(WIRE_SAFE, safe.state_size, 0),
	BAD(WIRE_SAFE, safe.state_size, WIRE_STATE_MAX + 1),
	GOOD(WIRE_SAFE, safe.state_size, WIRE_STATE_MAX),
	BAD(WIRE_SAFE, safe.reserved, 1),
	BAD(WIRE_UNABLE, result.error, 0),
	BAD(WIRE_UNABLE, result.error, -EBUSY),
	BAD(WIRE_FAILED, result.error, 0),
	BAD(WIRE_ERROR, result.error, 0),
	BAD(WIRE_REPLY, result.error, -1),
	BAD(WIRE_REPLY, result.error, 4096),
	GOOD(WIRE_REPLY, result.error, 4095),
	BAD(WIRE_CONFIRM, result.error, INT32_MIN),
	BAD(WIRE_REPLY, result.reserved, 1),
	BAD(WIRE_ERROR, result.text[WIRE_TEXT - 1], '.'),
	BAD(WIRE_REACH, reach.reason, 0),
	BAD(WIRE_REACH, reach.reason, 3),
	BAD(WIRE_REACH, reach.reserved, 1),
	GOOD(WIRE_REACH, reach.deadline, UINT64_MAX),
	BAD(WIRE_MOVE_BEGIN, move.lost, 2),
	BAD(WIRE_MOVE_BEGIN, move.lost, 0),
	GOOD(WIRE_MOVE_BEGIN, move.lost_ns, 0),
	BAD(WIRE_MOVE_BEGIN, move.cpu, 1),
	BAD(WIRE_MOVE_BEGIN, move.cpu, 2),
	BAD(WIRE_MOVE_BEGIN, move.n_buffers, WIRE_BUFFERS_MAX + 1),
	GOOD(WIRE_MOVE_BEGIN, move.n_buffers, 0),
	BAD(WIRE_MOVE_BEGIN, move.state_size, WIRE_STATE_MAX + 1),
	BAD(WIRE_MOVE_BEGIN, move.address[0], 0x1b),
	GOOD(WIRE_MOVE_BEGIN, move.node[1], 'x'),
	BAD(WIRE_MOVE_BEGIN, move.node[0], 'x'),
	BAD(WIRE_MOVE_BEGIN, move.checkpoint[WIRE_ID - 1], 'x'),
};

/* The machine that runs this is little endian, as is every one with such a cable. */
static void wrong_values(void **state)
{
	struct wire_message message;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const struct change *change = &changes[i];

		wire_sample(&message, change->type);
		memcpy((char *)&message + change->offset, &change->value,
		       change->size);
		why = wire_check(&message, wire_size(change->type),
				 wire_sample_side(change->type),
				 wire_sample_has_fd(change->type));
		if (!why != change->good)
			fail_msg("row %zu (%s): %s", i,
				 wire_type_name(change->type),
				 why ? why : "taken");
	}
}

static void other_shapes(void **state)
{
	struct wire_message message;

	(void)state;
	/* Bytes without a format. */
	wire_sample(&message, WIRE_ADD);
	message.buffer.kind = WIRE_MEMORY;
	message.buffer.handle = 0;
	message.buffer.format = 0;
	message.buffer.width = 0;
	message.buffer.height = 0;
	message.buffer.stride = 0;
	assert_null(wire_check(&message, 88, WIRE_PROGRAM, true));
	message.buffer.modifier = 1;
	assert_non_null(wire_check(&message, 88, WIRE_PROGRAM, true));
	/* A safe point without a state. */
	wire_sample(&message, WIRE_SAFE);
	message.safe.state_size = 0;
	assert_null(wire_check(&message, 24, WIRE_PROGRAM, false));
	/* The CPU. */
	wire_sample(&message, WIRE_MOVE_BEGIN);
	message.move.cpu = 1;
	memset(message.move.address, 0, sizeof(message.move.address));
	memset(message.move.node, 0, sizeof(message.move.node));
	assert_null(wire_check(&message, wire_size(WIRE_MOVE_BEGIN),
			       WIRE_DAEMON, false));
	/* A device that is none of PCI's has a node only. */
	message.move.cpu = 0;
	assert_non_null(wire_check(&message, wire_size(WIRE_MOVE_BEGIN),
				   WIRE_DAEMON, false));
	strcpy(message.move.node, "/dev/dri/card0");
	assert_null(wire_check(&message, wire_size(WIRE_MOVE_BEGIN),
			       WIRE_DAEMON, false));
	wire_sample(&message, WIRE_MOVE_END);
	assert_null(wire_check(&message, 8, WIRE_DAEMON, false));
	assert_null(wire_check(&message, 8, WIRE_DAEMON, true));
}

/* Sends what wire_send() would not: @len bytes and @n descriptors. */
static void send_raw(int sock, const void *data, size_t len, unsigned int n)
{
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(8 * sizeof(int))];
	} control = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *header;

	if (n) {
		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		header = CMSG_FIRSTHDR(&msg);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(n * sizeof(int));
		/* Descriptor 0 n times. */
	}
	assert_int_equal(sendmsg(sock, &msg, 0), len);
}

static void assert_refused(struct pair *pair, const char *expected)
{
	struct wire_message message;
	const char *why;
	int fd;

	assert_int_equal(wire_receive(pair->b, WIRE_PROGRAM, &message, &fd, &why),
			 -EPROTO);
	assert_int_equal(fd, -1);
	assert_string_equal(why, expected);
}

static void hostile_packets(void **state)
{
	struct pair *pair = *state;
	struct wire_message message;
	char large[4096] = { 0 };

	wire_sample(&message, WIRE_ADD);
	send_raw(pair->a, &message, wire_size(WIRE_ADD), 2);
	assert_refused(pair, "more than one descriptor came with it");
	send_raw(pair->a, &message, wire_size(WIRE_ADD), 8);
	assert_refused(pair, "more than one descriptor came with it");
	send_raw(pair->a, &message, wire_size(WIRE_ADD), 0);
	assert_refused(pair, "its descriptor is missing");
	wire_sample(&message, WIRE_DIRTY);
	send_raw(pair->a, &message, wire_size(WIRE_DIRTY), 1);
	assert_refused(pair, "a descriptor came with it");
	send_raw(pair->a, large, sizeof(large), 1);
	assert_refused(pair, "it is longer than any message");
	send_raw(pair->a, large, 7, 1);
	assert_refused(pair, "it is shorter than any message");
}

static void no_descriptor_is_free(void **state)
{
	struct pair *pair = *state;
	struct wire_message message;
	struct rlimit was, none;

	wire_sample(&message, WIRE_ADD);
	assert_int_equal(wire_send(pair->a, &message, 0), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_refused(pair,
		       "its descriptor could not be taken, are too many open?");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
}

static void nothing_there_and_the_end(void **state)
{
	struct pair *pair = *state;
	struct wire_message message;
	const char *why;
	int fd;

	assert_int_equal(wire_receive(pair->b, WIRE_PROGRAM, &message, &fd, &why),
			 -EAGAIN);
	/* An empty packet is as good as the end. */
	send_raw(pair->a, "", 0, 1);
	assert_int_equal(wire_receive(pair->b, WIRE_PROGRAM, &message, &fd, &why),
			 -ENOTCONN);
	assert_int_equal(fd, -1);
	close(pair->a);
	pair->a = -1;
	assert_int_equal(wire_receive(pair->b, WIRE_PROGRAM, &message, &fd, &why),
			 -ENOTCONN);
	wire_sample(&message, WIRE_GO_ON);
	assert_int_equal(wire_send(pair->b, &message, -1), -ENOTCONN);
}

static void one_that_does_not_read(void **state)
{
	struct pair *pair = *state;
	struct wire_message message;
	int err, n = 0;

	wire_sample(&message, WIRE_DIRTY);
	do {
		err = wire_send(pair->a, &message, -1);
	} while (!err && n++ < 1000000);
	assert_int_equal(err, -EAGAIN);
}

static void what_is_no_message_is_not_sent(void **state)
{
	struct pair *pair = *state;
	struct wire_message message;
	const char *why;
	int fd;

	wire_sample(&message, WIRE_ADD);
	assert_int_equal(wire_send(pair->a, &message, -1), -EINVAL);
	message.buffer.size = 0;
	assert_int_equal(wire_send(pair->a, &message, 0), -EINVAL);
	wire_sample(&message, 30);
	assert_int_equal(wire_send(pair->a, &message, -1), -EINVAL);
	assert_int_equal(wire_receive(pair->b, WIRE_PROGRAM, &message, &fd, &why),
			 -EAGAIN);
}

static void printable(void **state)
{
	(void)state;
	assert_true(text_is_printable(""));
	assert_true(text_is_printable("gr\xc3\xbc\xc3\x9f dich"));
	assert_false(text_is_printable("a\033[2J"));
	assert_false(text_is_printable("tab\t"));
	assert_false(text_is_printable("\xff"));
	assert_false(text_is_printable("\xc2\x9b"));
	assert_false(text_is_printable("\x7f"));
}

#define WITH_PAIR(test)                                                        \
	cmocka_unit_test_setup_teardown(test, open_pair, close_pair)

static const struct CMUnitTest tests[] = {
	WITH_PAIR(every_message_goes_through),
	cmocka_unit_test(names_and_sizes),
	cmocka_unit_test(wrong_frames),
	cmocka_unit_test(wrong_values),
	cmocka_unit_test(other_shapes),
	WITH_PAIR(hostile_packets),
	WITH_PAIR(no_descriptor_is_free),
	WITH_PAIR(nothing_there_and_the_end),
	WITH_PAIR(one_that_does_not_read),
	WITH_PAIR(what_is_no_message_is_not_sent),
	cmocka_unit_test(printable),
};

TEST_MAIN(tests, NULL, NULL)

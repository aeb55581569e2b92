// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sessions with the daemon, message by message: what it grants, and what it does
 * with programs that lie, flood, say nothing or go away in the middle.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../egpud/work.h"
#include "desk.h"
#include "test.h"

#define BYTES 65536

static struct egpu_device *gpu;
static int sock = -1;
static struct wire_message answer;
static int answer_fd = -1;

/* ------------------------------------------------------------- a program */

static int connect_one(void)
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

static bool has_answer(void)
{
	const char *why;
	int err;

	if (answer_fd >= 0)
		close(answer_fd);
	answer_fd = -1;
	err = wire_receive(sock, WIRE_DAEMON, &answer, &answer_fd, &why);
	if (err == -EPROTO)
		fail_msg("the daemon has sent no message: %s", why);
	if (err == -ENOTCONN) {
		memset(&answer, 0, sizeof(answer));
		return true;
	}
	return !err;
}

static void expect(uint32_t type)
{
	assert_true(desk_run_until(has_answer));
	if (answer.type != type)
		fail_msg("%s came, not %s: %s", wire_type_name(answer.type),
			 wire_type_name(type), answer.result.text);
}

static void expect_end(void)
{
	assert_true(desk_run_until(has_answer));
	assert_int_equal(answer.type, 0);
}

static void expect_error(const char *because)
{
	expect(WIRE_ERROR);
	if (!strstr(answer.result.text, because))
		fail_msg("'%s', not '%s'", answer.result.text, because);
	expect_end();
}

static void expect_reply(int error, const char *because)
{
	expect(WIRE_REPLY);
	assert_int_equal(answer.result.error, error);
	if (!strstr(answer.result.text, because))
		fail_msg("'%s', not '%s'", answer.result.text, because);
}

/* Whatever it is: nobody checks it on the way. */
static void send_raw(const void *data, size_t len, const int *fds, size_t n)
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
	assert_int_equal(sendmsg(sock, &msg, MSG_NOSIGNAL), len);
}

static void say(const struct wire_message *message, int fd)
{
	send_raw(message, wire_size(message->type), &fd, fd >= 0);
}

static void hello(void)
{
	const struct wire_message message = {
		.type = WIRE_HELLO,
		.serial = 7,
		.hello = { .version = WIRE_VERSION, .name = "test" },
	};

	say(&message, -1);
}

static void open_session(void)
{
	sock = connect_one();
	hello();
	expect(WIRE_WELCOME);
	assert_int_equal(answer.serial, 7);
}

static int make_memory(size_t size, unsigned int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	if (seals)
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static struct wire_message add_message(uint32_t id, uint64_t size)
{
	return (struct wire_message){
		.type = WIRE_ADD,
		.serial = 100 + id,
		.buffer = { .id = id, .kind = WIRE_MEMORY, .size = size },
	};
}

static void add_buffer(uint32_t id)
{
	const struct wire_message message = add_message(id, BYTES);
	int fd = make_memory(BYTES, F_SEAL_SHRINK);

	say(&message, fd);
	close(fd);
	expect_reply(0, "");
	assert_int_equal(answer.serial, 100 + id);
}

static void safe(uint32_t serial, uint64_t step)
{
	const struct wire_message message = {
		.type = WIRE_SAFE,
		.serial = serial,
		.safe = { .step = step },
	};

	say(&message, -1);
}

/* ------------------------------------------------------------- the daemon */

static struct session *first(void)
{
	return desk_daemon.work->sessions;
}

static bool nobody_there(void)
{
	const struct work *work = desk_daemon.work;

	return !work->sessions && !work->dead && !work->runs &&
	       !work->sweep.pid && !work->sweep.soon;
}

static size_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static size_t fds_before;

static void hang_up(void)
{
	if (answer_fd >= 0)
		close(answer_fd);
	answer_fd = -1;
	if (sock >= 0)
		close(sock);
	sock = -1;
}

static int setup(void **state)
{
	(void)state;
	desk_make();
	gpu = desk_add(WORLD_GPU, 1);
	desk_configure("interval = 0s\n");
	desk_start();
	desk_settle();
	/* Looks at whether the GPU is ready have descriptors, now and then. */
	probe_free_all(&desk_daemon);
	/* What the loop takes once for all is there after this. */
	open_session();
	add_buffer(1);
	hang_up();
	assert_true(desk_run_until(nobody_there));
	desk_settle();
	fds_before = count_fds();
	return 0;
}

/* Whatever was done to it: it lives, and has nothing left of it. */
static int teardown(void **state)
{
	(void)state;
	hang_up();
	assert_true(desk_run_until(nobody_there));
	open_session();
	add_buffer(1);
	hang_up();
	assert_true(desk_run_until(nobody_there));
	desk_settle();
	assert_int_equal(count_fds(), fds_before);
	desk_free();
	return 0;
}

/* ------------------------------------------------------------- the way */

static void is_welcome(void **state)
{
	struct stat st;
	char path[128];

	(void)state;
	open_session();
	assert_int_equal(answer.welcome.version, WIRE_VERSION);
	assert_int_equal(answer.welcome.buffers_max, WIRE_BUFFERS_MAX);
	assert_int_equal(answer.welcome.state_max, WIRE_STATE_MAX);
	assert_int_equal(answer.welcome.interval_ms, 0);
	assert_true(answer.welcome.session != 0);
	snprintf(path, sizeof(path), "%s/client", desk_world.run);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0666);
	assert_int_equal(stat(desk_world.run, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0711);
}

static void buffers_come_and_go(void **state)
{
	const struct wire_message remove = { .type = WIRE_REMOVE,
					     .serial = 50,
					     .ref = { .id = 2 } };
	(void)state;
	open_session();
	add_buffer(1);
	add_buffer(2);
	add_buffer(3);
	assert_int_equal(first()->n, 3);
	assert_int_equal(first()->bytes, 3 * BYTES);
	say(&remove, -1);
	expect_reply(0, "");
	assert_int_equal(first()->n, 2);
	assert_int_equal(first()->buffer[1].buffer.id, 3);
	say(&remove, -1);
	expect_reply(ENOENT, "no such buffer");
}

static bool is_published(void)
{
	return !desk_daemon.work->publish;
}

static void are_published(void **state)
{
	struct session_lines lines;
	struct process self;
	char path[128];

	(void)state;
	open_session();
	add_buffer(1);
	assert_true(desk_run_until(is_published));
	snprintf(path, sizeof(path), "%s/" PUBLISH_FILE, desk_world.run);
	assert_int_equal(sessions_read(path, &lines), 0);
	assert_int_equal(lines.n, 1);
	assert_int_equal(process_read(&usage_roots_here, getpid(), &self), 0);
	assert_int_equal(lines.item[0].pid, getpid());
	assert_int_equal(lines.item[0].start, self.start);
	assert_int_equal(lines.item[0].buffers, 1);
	assert_int_equal(lines.item[0].bytes, BYTES);
	assert_string_equal(lines.item[0].name, "test");
	hang_up();
	assert_true(desk_run_until(nobody_there));
	assert_true(desk_run_until(is_published));
	assert_int_equal(sessions_read(path, &lines), 0);
	assert_int_equal(lines.n, 0);
}

/* ------------------------------------------------------------- places */

static void place_by(void (*tell)(void), uint32_t expected)
{
	open_session();
	tell();
	add_buffer(1);
	place_all(desk_daemon.work);
	assert_int_equal(first()->device, expected);
}

static void is_a_client(void)
{
	desk_kernel.clients[0] = (struct egpu_client){
		.present = ~0ull, .id = gpu->id, .pid = (uint32_t)getpid()
	};
	desk_kernel.n_clients = 1;
}

static void is_no_client(void)
{
	desk_kernel.clients[0] = (struct egpu_client){ .present = ~0ull,
						       .id = gpu->id,
						       .pid = 1 };
	desk_kernel.n_clients = 1;
}

static void who_has_the_gpu_open_is_there(void **state)
{
	(void)state;
	place_by(is_a_client, gpu->id);
}

static void who_has_not_is_on_the_cpu(void **state)
{
	(void)state;
	place_by(is_no_client, 0);
}

/* By the inode of a dma-buf, or by the node that a handle is of. */
static void buffers_tell_where_it_is(void **state)
{
	(void)state;
	open_session();
	add_buffer(1);
	desk_kernel.buffers[0] = (struct egpu_buffer){
		.present = ~0ull, .id = gpu->id, .dma_buf = 4711, .size = 1
	};
	desk_kernel.n_buffers = 1;
	place_all(desk_daemon.work);
	assert_int_equal(first()->device, 0);
	first()->buffer[0].inode = 4711;
	place_all(desk_daemon.work);
	assert_int_equal(first()->device, gpu->id);
	/* What it has imported from elsewhere is elsewhere. */
	desk_kernel.buffers[0].imported = true;
	place_all(desk_daemon.work);
	assert_int_equal(first()->device, 0);
	first()->buffer[0].inode = 0;
	first()->buffer[0].rdev = desk_world.number;
	place_all(desk_daemon.work);
	assert_int_equal(first()->device, gpu->id);
}

/* ------------------------------------------------------------- writes */

static bool is_dirty_after(uint32_t flags, uint32_t kind, uint64_t seqno)
{
	struct session_buffer *buffer = &first()->buffer[0];

	buffer->buffer.kind = kind;
	buffer->buffer.flags = flags;
	buffer->inode = kind == WIRE_DMABUF ? 4711 : 0;
	first()->device = gpu->id;
	desk_kernel.buffers[0] = (struct egpu_buffer){
		.present = ~0ull,	.id = gpu->id, .dma_buf = 4711,
		.write_context = 3,	.write_seqno = 10,
		.size = 1,
	};
	desk_kernel.n_buffers = 1;
	place_writes(first(), true);
	buffer->dirty = false;
	desk_kernel.buffers[0].write_seqno = seqno;
	place_writes(first(), false);
	return buffer->dirty;
}

static void what_may_have_been_written_is_read(void **state)
{
	(void)state;
	open_session();
	add_buffer(1);
	/* Nobody speaks for it. */
	assert_true(is_dirty_after(0, WIRE_MEMORY, 10));
	assert_true(is_dirty_after(0, WIRE_DMABUF, 10));
	/* The program does, and of memory nobody else can. */
	assert_false(is_dirty_after(WIRE_DECLARED, WIRE_MEMORY, 11));
	/* The program does, but the kernel has seen a write. */
	assert_false(is_dirty_after(WIRE_DECLARED, WIRE_DMABUF, 10));
	assert_true(is_dirty_after(WIRE_DECLARED, WIRE_DMABUF, 11));
	/* The kernel cannot tell. */
	is_dirty_after(WIRE_DECLARED, WIRE_DMABUF, 10);
	desk_kernel.n_buffers = 0;
	place_writes(first(), false);
	assert_true(first()->buffer[0].dirty);
	first()->buffer[0].buffer.kind = WIRE_MEMORY;
}

/* ------------------------------------------------------------- checkpoints */

static bool is_accepted(void)
{
	return *first()->accepted;
}

static void a_checkpoint_is_made(void **state)
{
	struct store_reader *reader;
	char error[STORE_ERROR];

	(void)state;
	desk_daemon.config.interval_ms = 100;
	open_session();
	add_buffer(1);
	expect(WIRE_REACH);
	assert_int_equal(answer.reach.reason, WIRE_FOR_CHECKPOINT);
	safe(answer.serial, 42);
	expect(WIRE_GO_ON);
	assert_true(desk_run_until(is_accepted));
	assert_int_equal(store_load(desk_daemon.work->store, first()->accepted,
				    &reader, error),
			 0);
	assert_int_equal(store_head(reader)->step, 42);
	assert_int_equal(store_head(reader)->pid, getpid());
	assert_int_equal(store_verify(reader), 0);
	store_unload(reader);
	assert_int_equal(desk_call(EGPU_CMD_MIGRATE) != NULL, 1);
}

/* An answer to another question is none. */
static void safe_without_being_asked(void **state)
{
	(void)state;
	open_session();
	add_buffer(1);
	safe(5, 1);
	desk_settle();
	assert_int_equal(first()->stand, STAND_RUNS);
	add_buffer(2);
}

/* ------------------------------------------------------------- hostile ones */

static void another_version(void **state)
{
	const struct wire_message message = {
		.type = WIRE_HELLO,
		.hello = { .version = 9 },
	};

	(void)state;
	sock = connect_one();
	say(&message, -1);
	expect_error("version 1");
}

static void second_hello(void **state)
{
	(void)state;
	open_session();
	hello();
	expect_error("second HELLO");
}

static void before_hello(void **state)
{
	const struct wire_message message = add_message(1, BYTES);
	int fd = make_memory(BYTES, F_SEAL_SHRINK);

	(void)state;
	sock = connect_one();
	say(&message, fd);
	close(fd);
	expect_error("ADD came before HELLO");
}

static void wrong_sizes(void **state)
{
	struct wire_message message = add_message(1, BYTES);
	size_t len;

	(void)state;
	for (len = 1; len < 200; len += 7) {
		char junk[256] = { 0 };

		if (len == wire_size(WIRE_ADD))
			continue;
		open_session();
		memcpy(junk, &message, len < sizeof(message) ? len :
							       sizeof(message));
		send_raw(junk, len, NULL, 0);
		expect(WIRE_ERROR);
		expect_end();
		hang_up();
	}
}

static void too_many_descriptors(void **state)
{
	struct wire_message message = add_message(1, BYTES);
	int fds[3], i;

	(void)state;
	open_session();
	for (i = 0; i < 3; i++)
		fds[i] = make_memory(BYTES, F_SEAL_SHRINK);
	send_raw(&message, wire_size(WIRE_ADD), fds, 3);
	for (i = 0; i < 3; i++)
		close(fds[i]);
	expect_error("descriptor");
}

/* Each is told what is wrong with it, and the session goes on. */
static void other_kinds_of_descriptors(void **state)
{
	struct wire_message message = add_message(1, BYTES);
	int ends[2], fd;

	(void)state;
	open_session();
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	say(&message, fd);
	close(fd);
	expect_reply(EINVAL, "");
	assert_int_equal(pipe(ends), 0);
	say(&message, ends[0]);
	close(ends[0]);
	close(ends[1]);
	expect_reply(EINVAL, "");
	say(&message, sock);
	expect_reply(EINVAL, "");
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	say(&message, fd);
	close(fd);
	expect(WIRE_REPLY);
	assert_int_not_equal(answer.result.error, 0);
	/* One that could shrink while it is read. */
	fd = make_memory(BYTES, 0);
	say(&message, fd);
	close(fd);
	expect_reply(EPERM, "");
	/* One that is smaller than is said. */
	fd = make_memory(BYTES / 2, F_SEAL_SHRINK);
	say(&message, fd);
	close(fd);
	expect_reply(ERANGE, "");
	/* A dma-buf it is not, nor a node. */
	message.buffer.kind = WIRE_DMABUF;
	fd = make_memory(BYTES, F_SEAL_SHRINK);
	say(&message, fd);
	expect_reply(EINVAL, "dma-buf");
	message.buffer.kind = WIRE_HANDLE;
	message.buffer.handle = 1;
	say(&message, fd);
	close(fd);
	expect_reply(EINVAL, "");
	assert_int_equal(first()->n, 0);
	add_buffer(1);
}

static void the_same_number_twice(void **state)
{
	const struct wire_message message = add_message(1, BYTES);
	int fd = make_memory(BYTES, F_SEAL_SHRINK);

	(void)state;
	open_session();
	add_buffer(1);
	say(&message, fd);
	close(fd);
	expect_reply(EEXIST, "already");
	assert_int_equal(first()->n, 1);
}

static void more_bytes_than_may_be(void **state)
{
	struct wire_message message;
	int fd = make_memory(1ull << 39, F_SEAL_SHRINK), i;

	(void)state;
	open_session();
	for (i = 1; i <= 2; i++) {
		message = add_message((uint32_t)i, 1ull << 39);
		say(&message, fd);
		expect_reply(0, "");
	}
	message = add_message(3, BYTES);
	say(&message, fd);
	close(fd);
	expect_reply(ENOSPC, "more bytes");
}

static void more_buffers_than_may_be(void **state)
{
	struct wire_message message;
	int fd = make_memory(BYTES, F_SEAL_SHRINK);
	uint32_t id;

	(void)state;
	open_session();
	for (id = 1; id <= WIRE_BUFFERS_MAX; id++) {
		message = add_message(id, BYTES);
		say(&message, fd);
		expect_reply(0, "");
	}
	message = add_message(id, BYTES);
	say(&message, fd);
	close(fd);
	expect_reply(ENOSPC, "1024");
}

static void too_many_sessions(void **state)
{
	int socks[SESSIONS_UID_MAX], i;

	(void)state;
	for (i = 0; i < SESSIONS_UID_MAX; i++) {
		open_session();
		socks[i] = sock;
	}
	sock = connect_one();
	expect_error("too many sessions");
	hang_up();
	for (i = 0; i < SESSIONS_UID_MAX; i++)
		close(socks[i]);
	assert_true(desk_run_until(nobody_there));
}

/* Who asks and never reads the answers costs a bounded amount, then nothing. */
static void never_reads(void **state)
{
	const struct wire_message remove = { .type = WIRE_REMOVE,
					     .ref = { .id = 2 } };
	int i;

	(void)state;
	open_session();
	for (i = 0; i < 100000 && first(); i++) {
		if (send(sock, &remove, wire_size(WIRE_REMOVE),
			 MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			sd_event_run(desk_daemon.loop, 1000);
	}
	assert_null(first());
}

static void floods(void **state)
{
	const struct wire_message dirty = { .type = WIRE_DIRTY,
					    .ref = { .id = 2 } };
	int i;

	(void)state;
	open_session();
	for (i = 0; i < 10000000 && first(); i++) {
		/* Within one second, whatever the host is at. */
		first()->turn = work_now(desk_daemon.work) / 1000000000;
		if (send(sock, &dirty, wire_size(WIRE_DIRTY),
			 MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			sd_event_run(desk_daemon.loop, 1000);
	}
	expect_error("messages came in a second");
}

static void says_nothing(void **state)
{
	(void)state;
	sock = connect_one();
	expect_error("no HELLO");
}

static void bad_state(void **state)
{
	struct wire_message message = {
		.type = WIRE_SAFE,
		.safe = { .step = 1, .state_size = BYTES },
	};
	int fd = make_memory(BYTES / 2, F_SEAL_SHRINK);

	(void)state;
	desk_daemon.config.interval_ms = 100;
	open_session();
	add_buffer(1);
	expect(WIRE_REACH);
	message.serial = answer.serial;
	say(&message, fd);
	close(fd);
	expect_error("the state cannot be used");
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
	open_session();
	say(&message, -1);
	say(&unable, -1);
	add_buffer(1);
}

static void speaks_as_the_daemon(void **state)
{
	const struct wire_message message = { .type = WIRE_GO_ON };

	(void)state;
	open_session();
	say(&message, -1);
	expect_error("other side");
}

/* ------------------------------------------------------------- goes away */

static bool is_at(enum migration_state state)
{
	return desk_daemon.work->migrations &&
	       desk_daemon.work->migrations->state == state;
}

static bool is_saving(void)
{
	return is_at(MIGRATION_SAVE);
}

static bool is_restoring(void)
{
	return is_at(MIGRATION_RESTORE);
}

static bool is_offering(void)
{
	return is_at(MIGRATION_OFFER);
}

static void begin_to_move(void)
{
	open_session();
	add_buffer(1);
	first()->device = gpu->id;
	migration_want(first(), MIGRATION_STRATEGY, 0, "a test");
	migrations_next(desk_daemon.work);
	expect(WIRE_REACH);
	assert_int_equal(answer.reach.reason, WIRE_FOR_MOVE);
}

static void goes_away_at_each_step(void **state)
{
	bool (*const until[])(void) = { is_saving, is_restoring, is_offering };
	size_t i;

	(void)state;
	begin_to_move();
	hang_up();
	assert_true(desk_run_until(nobody_there));
	for (i = 0; i < 3; i++) {
		begin_to_move();
		safe(answer.serial, 3);
		assert_true(desk_run_until(until[i]));
		hang_up();
		assert_true(desk_run_until(nobody_there));
		assert_null(desk_daemon.work->migrations);
		desk_settle();
		assert_int_equal(count_fds(), fds_before);
	}
}

/* A confirmation that comes when it was given up: nobody knows who has what. */
static void confirms_too_late(void **state)
{
	struct wire_message message = { .type = WIRE_CONFIRM };

	(void)state;
	desk_daemon.config.limit_ms = 500;
	begin_to_move();
	safe(answer.serial, 3);
	expect(WIRE_MOVE_BEGIN);
	assert_int_equal(answer.move.step, 3);
	assert_int_equal(answer.move.cpu, 1);
	expect(WIRE_MOVE_BUFFER);
	expect(WIRE_MOVE_END);
	message.serial = answer.serial;
	expect(WIRE_GO_ON);
	say(&message, -1);
	expect_error("too late");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(is_welcome),
	T(buffers_come_and_go),
	T(are_published),
	T(who_has_the_gpu_open_is_there),
	T(who_has_not_is_on_the_cpu),
	T(buffers_tell_where_it_is),
	T(what_may_have_been_written_is_read),
	T(a_checkpoint_is_made),
	T(safe_without_being_asked),
	T(another_version),
	T(second_hello),
	T(before_hello),
	T(wrong_sizes),
	T(too_many_descriptors),
	T(other_kinds_of_descriptors),
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
	T(goes_away_at_each_step),
	T(confirms_too_late),
};

TEST_MAIN(tests, NULL, NULL)

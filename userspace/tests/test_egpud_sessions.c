// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sessions with the daemon, message by message: what it grants, where it takes
 * them to be, and programs that go away in the middle.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "desk.h"
#include "peer.h"
#include "test.h"

/* ------------------------------------------------------------- the way */

static void is_welcome(void **state)
{
	struct stat st;
	char path[128];

	(void)state;
	peer_open();
	assert_int_equal(peer_answer.welcome.version, WIRE_VERSION);
	assert_int_equal(peer_answer.welcome.buffers_max, WIRE_BUFFERS_MAX);
	assert_int_equal(peer_answer.welcome.state_max, WIRE_STATE_MAX);
	assert_int_equal(peer_answer.welcome.interval_ms, 0);
	assert_true(peer_answer.welcome.session != 0);
	/* All who read JSON can tell it from the next one. */
	assert_true(peer_answer.welcome.session < UINT64_C(1) << 53);
	assert_true(desk_daemon.work->next_migration < UINT64_C(1) << 53);
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
	peer_open();
	peer_add_buffer(1);
	peer_add_buffer(2);
	peer_add_buffer(3);
	assert_int_equal(peer_session()->n, 3);
	assert_int_equal(peer_session()->bytes, 3 * PEER_BYTES);
	peer_say(&remove, -1);
	peer_expect_reply(0, "");
	assert_int_equal(peer_session()->n, 2);
	assert_int_equal(peer_session()->buffer[1].buffer.id, 3);
	peer_say(&remove, -1);
	peer_expect_reply(ENOENT, "no such buffer");
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
	peer_open();
	peer_add_buffer(1);
	assert_true(desk_run_until(is_published));
	snprintf(path, sizeof(path), "%s/" PUBLISH_FILE, desk_world.run);
	assert_int_equal(sessions_read(path, &lines), 0);
	assert_int_equal(lines.n, 1);
	assert_int_equal(process_read(&usage_roots_here, getpid(), &self), 0);
	assert_int_equal(lines.item[0].pid, getpid());
	assert_int_equal(lines.item[0].start, self.start);
	assert_int_equal(lines.item[0].buffers, 1);
	assert_int_equal(lines.item[0].bytes, PEER_BYTES);
	assert_string_equal(lines.item[0].name, "test");
	peer_hang_up();
	assert_true(desk_run_until(peer_gone));
	assert_true(desk_run_until(is_published));
	assert_int_equal(sessions_read(path, &lines), 0);
	assert_int_equal(lines.n, 0);
}

/* ------------------------------------------------------------- places */

static void place_by(void (*tell)(void), uint32_t expected)
{
	peer_open();
	tell();
	peer_add_buffer(1);
	place_all(desk_daemon.work);
	assert_int_equal(peer_session()->device, expected);
}

static void is_a_client(void)
{
	desk_kernel.clients[0] =
		(struct egpu_client){ .present = ~0ull,
				      .id = peer_gpu->id,
				      .pid = (uint32_t)getpid() };
	desk_kernel.n_clients = 1;
}

static void is_no_client(void)
{
	desk_kernel.clients[0] = (struct egpu_client){ .present = ~0ull,
						       .id = peer_gpu->id,
						       .pid = 1 };
	desk_kernel.n_clients = 1;
}

static void who_has_the_gpu_open_is_there(void **state)
{
	(void)state;
	place_by(is_a_client, peer_gpu->id);
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
	peer_open();
	peer_add_buffer(1);
	desk_kernel.buffers[0] = (struct egpu_buffer){ .present = ~0ull,
						       .id = peer_gpu->id,
						       .dma_buf = 4711,
						       .size = 1 };
	desk_kernel.n_buffers = 1;
	place_all(desk_daemon.work);
	assert_int_equal(peer_session()->device, 0);
	peer_session()->buffer[0].inode = 4711;
	place_all(desk_daemon.work);
	assert_int_equal(peer_session()->device, peer_gpu->id);
	/* What it has imported from elsewhere is elsewhere. */
	desk_kernel.buffers[0].imported = true;
	place_all(desk_daemon.work);
	assert_int_equal(peer_session()->device, 0);
	peer_session()->buffer[0].inode = 0;
	peer_session()->buffer[0].rdev = desk_world.number;
	place_all(desk_daemon.work);
	assert_int_equal(peer_session()->device, peer_gpu->id);
}

/* ------------------------------------------------------------- writes */

static bool is_dirty_after(uint32_t flags, uint32_t kind, uint64_t seqno)
{
	struct session_buffer *buffer = &peer_session()->buffer[0];

	buffer->buffer.kind = kind;
	buffer->buffer.flags = flags;
	buffer->inode = kind == WIRE_DMABUF ? 4711 : 0;
	peer_session()->device = peer_gpu->id;
	desk_kernel.buffers[0] = (struct egpu_buffer){
		.present = ~0ull,
		.id = peer_gpu->id,
		.dma_buf = 4711,
		.write_context = 3,
		.write_seqno = 10,
		.size = 1,
	};
	desk_kernel.n_buffers = 1;
	place_writes(peer_session(), true);
	buffer->dirty = false;
	desk_kernel.buffers[0].write_seqno = seqno;
	place_writes(peer_session(), false);
	return buffer->dirty;
}

static void what_may_have_been_written_is_read(void **state)
{
	(void)state;
	peer_open();
	peer_add_buffer(1);
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
	place_writes(peer_session(), false);
	assert_true(peer_session()->buffer[0].dirty);
	peer_session()->buffer[0].buffer.kind = WIRE_MEMORY;
}

/* ------------------------------------------------------------- checkpoints */

static bool is_accepted(void)
{
	return *peer_session()->accepted;
}

static void a_checkpoint_is_made(void **state)
{
	struct store_reader *reader;
	char error[STORE_ERROR];

	(void)state;
	desk_daemon.config.interval_ms = 100;
	peer_open();
	peer_add_buffer(1);
	peer_expect(WIRE_REACH);
	assert_int_equal(peer_answer.reach.reason, WIRE_FOR_CHECKPOINT);
	peer_safe(peer_answer.serial, 42);
	peer_expect(WIRE_GO_ON);
	assert_true(desk_run_until(is_accepted));
	assert_int_equal(store_load(desk_daemon.work->store,
				    peer_session()->accepted, &reader, error),
			 0);
	assert_int_equal(store_head(reader)->step, 42);
	assert_int_equal(store_head(reader)->pid, getpid());
	assert_int_equal(store_verify(reader), 0);
	store_unload(reader);
	assert_non_null(desk_call(EGPU_CMD_MIGRATE));
}

/*
 * Much is copied roughly first. Whether a write came before or after that nobody
 * knows, so what may have been written still may have been.
 */
static void a_rough_copy_cleans_nothing(void **state)
{
	struct wire_message message = peer_add_message(1, 32 << 20);
	int fd = peer_memory(32 << 20, F_SEAL_SHRINK);

	(void)state;
	message.buffer.flags = WIRE_DECLARED;
	desk_daemon.config.interval_ms = 100;
	peer_open();
	peer_say(&message, fd);
	close(fd);
	peer_expect_reply(0, "");
	peer_expect(WIRE_REACH);
	assert_int_equal(peer_session()->chain.n, 1);
	assert_string_equal(peer_session()->accepted, "");
	assert_true(peer_session()->buffer[0].dirty);
	peer_safe(peer_answer.serial, 1);
	peer_expect(WIRE_GO_ON);
	assert_true(desk_run_until(is_accepted));
	assert_int_equal(peer_session()->chain.n, 2);
	assert_false(peer_session()->buffer[0].dirty);
}

/* An answer to another question is none. */
static void safe_without_being_asked(void **state)
{
	(void)state;
	peer_open();
	peer_add_buffer(1);
	peer_safe(5, 1);
	desk_settle();
	assert_int_equal(peer_session()->stand, STAND_RUNS);
	peer_add_buffer(2);
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
	peer_open();
	peer_add_buffer(1);
	peer_session()->device = peer_gpu->id;
	migration_want(peer_session(), MIGRATION_STRATEGY, 0, "a test");
	migrations_next(desk_daemon.work);
	peer_expect(WIRE_REACH);
	assert_int_equal(peer_answer.reach.reason, WIRE_FOR_MOVE);
}

static void goes_away_at_each_step(void **state)
{
	bool (*const until[])(void) = { is_saving, is_restoring, is_offering };
	size_t i;

	(void)state;
	begin_to_move();
	peer_hang_up();
	assert_true(desk_run_until(peer_gone));
	for (i = 0; i < 3; i++) {
		begin_to_move();
		peer_safe(peer_answer.serial, 3);
		assert_true(desk_run_until(until[i]));
		peer_hang_up();
		assert_true(desk_run_until(peer_gone));
		assert_null(desk_daemon.work->migrations);
		desk_settle();
		assert_int_equal(peer_count_fds(), peer_fds);
	}
}

/* Until an offer was made and given up; its serial. */
static uint32_t offer_too_long(void)
{
	uint32_t serial;

	begin_to_move();
	peer_safe(peer_answer.serial, 3);
	peer_expect(WIRE_MOVE_BEGIN);
	assert_int_equal(peer_answer.move.step, 3);
	assert_int_equal(peer_answer.move.cpu, 1);
	peer_expect(WIRE_MOVE_BUFFER);
	peer_expect(WIRE_MOVE_END);
	serial = peer_answer.serial;
	migration_input(desk_daemon.work->migrations, MIGRATION_LATE);
	peer_expect(WIRE_GO_ON);
	return serial;
}

/* A confirmation that comes when it was given up: nobody knows who has what. */
static void confirms_too_late(void **state)
{
	struct wire_message message = { .type = WIRE_CONFIRM };

	(void)state;
	message.serial = offer_too_long();
	peer_say(&message, -1);
	peer_expect_error("too late");
}

/* The same when it is asked to move again: its old buffers are not its work. */
static void confirms_in_the_next_move(void **state)
{
	struct wire_message message = { .type = WIRE_CONFIRM };

	(void)state;
	message.serial = offer_too_long();
	peer_session()->device = peer_gpu->id;
	migration_want(peer_session(), MIGRATION_STRATEGY, 0, "a test");
	migrations_next(desk_daemon.work);
	peer_expect(WIRE_REACH);
	peer_say(&message, -1);
	peer_expect_error("too late");
}

#define T(name) cmocka_unit_test_setup_teardown(name, peer_setup, peer_teardown)

static const struct CMUnitTest tests[] = {
	T(is_welcome),
	T(buffers_come_and_go),
	T(are_published),
	T(who_has_the_gpu_open_is_there),
	T(who_has_not_is_on_the_cpu),
	T(buffers_tell_where_it_is),
	T(what_may_have_been_written_is_read),
	T(a_checkpoint_is_made),
	T(a_rough_copy_cleans_nothing),
	T(safe_without_being_asked),
	T(goes_away_at_each_step),
	T(confirms_too_late),
	T(confirms_in_the_next_move),
};

TEST_MAIN(tests, NULL, NULL)

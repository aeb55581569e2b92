// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The program's side of a session, as egpud would have it: buffers, safe points,
 * moves, losses.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "session_case.h"
#include "test.h"
#include "wire_samples.h"

#define SAFE(program, state)                                                   \
	egpu_session_safe((program)->session, 41, state, strlen(state))

static void no_egpud(void **state)
{
	struct program *program = *state;
	struct egpu_session_buffer buffer;
	struct egpu_session *s;
	int fd = egpu_session_memory(4096, NULL);

	assert_int_equal(egpu_session_open_at(&s, "/nowhere/client", "x",
					      &program_ops, program),
			 0);
	assert_int_equal(egpu_session_fd(s), -1);
	assert_int_equal(egpu_session_interval_ms(s), 0);
	assert_non_null(strstr(egpu_session_error(s), "/nowhere/client"));
	describe_memory(&buffer, 1);
	assert_int_equal(egpu_session_add_memory(s, &buffer, fd), -ENOTCONN);
	assert_int_equal(egpu_session_safe(s, 1, NULL, 0), -ENOTCONN);
	assert_int_equal(egpu_session_process(s, 1000), -ENOTCONN);
	assert_int_equal(egpu_session_unable(s, "busy"), -ENOTCONN);
	assert_int_equal(egpu_session_remove(s, 1), -ENOTCONN);
	assert_int_equal(egpu_session_remove(s, 1), -ENOENT);
	close(fd);
	egpu_session_close(s);
	egpu_session_close(NULL);
}

static void bad_arguments(void **state)
{
	struct egpu_session *s;
	char path[200];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[199] = '\0';
	assert_int_equal(egpu_session_open_at(&s, path, "x", NULL, NULL),
			 -EINVAL);
	assert_int_equal(egpu_session_open_at(&s, "/x", "a\nb", NULL, NULL),
			 -EINVAL);
	path[WIRE_NAME] = '\0';
	assert_int_equal(egpu_session_open_at(&s, "/x", path, NULL, NULL),
			 -EINVAL);
	assert_null(s);
	assert_int_equal(egpu_session_memory(0, NULL), -EINVAL);
	assert_int_equal(egpu_session_memory(UINT64_MAX, NULL), -EINVAL);
}

static void greets_only(struct fake *fake)
{
	fake_greet(fake);
	fake_check(fake, !strcmp(fake->message.hello.name, "simulation"),
		   "the name is not that of HELLO");
	fake_check(fake, fake->message.hello.version == 1, "version");
	fake_expect_end(fake);
}

static void greeting(void **state)
{
	struct program *program = *state;

	program_start(program, greets_only);
	assert_true(egpu_session_fd(program->session) >= 0);
	assert_int_equal(egpu_session_interval_ms(program->session), 1000);
	assert_false(egpu_session_wanted(program->session));
	assert_int_equal(egpu_session_safe(program->session, 1, NULL, 0), 0);
	assert_int_equal(egpu_session_unable(program->session, "busy"), 0);
	program_end(program);
}

static void adds_and_removes(struct fake *fake)
{
	char content[4] = { 0 };

	fake_greet(fake);
	fake_expect(fake, WIRE_ADD);
	fake_check(fake,
		   fake->message.buffer.kind == WIRE_MEMORY &&
			   fake->message.buffer.id == 1 &&
			   fake->message.buffer.size == 4096,
		   "another buffer");
	fake_check(fake,
		   pread(fake->fd, content, 4, 0) == 4 &&
			   !memcmp(content, "abc", 4),
		   "another memory");
	fake_reply(fake, 0, "");
	fake_expect(fake, WIRE_ADD);
	fake_check(fake, fake->message.buffer.handle == 5, "handle");
	fake_reply(fake, EOPNOTSUPP, "it is not linear");
	fake_expect(fake, WIRE_REMOVE);
	fake_check(fake, fake->message.ref.id == 1, "another one is removed");
	fake_reply(fake, 0, "");
	fake_expect_end(fake);
}

static void buffers(void **state)
{
	struct program *program = *state;
	struct egpu_session_buffer buffer;
	int fd = egpu_session_memory(4096, "x");

	assert_int_equal(pwrite(fd, "abc", 4, 0), 4);
	program_start(program, adds_and_removes);
	describe_memory(&buffer, 1);
	assert_int_equal(egpu_session_add_memory(program->session, &buffer, fd),
			 0);
	assert_int_equal(egpu_session_add_memory(program->session, &buffer, fd),
			 -EEXIST);
	buffer.id = 2;
	assert_int_equal(egpu_session_add_handle(program->session, &buffer, 0),
			 -EINVAL);
	buffer.handle = 5;
	assert_int_equal(egpu_session_add_handle(program->session, &buffer, 0),
			 -EOPNOTSUPP);
	assert_string_equal(egpu_session_error(program->session),
			    "it is not linear");
	/* What was refused is forgotten. */
	assert_int_equal(egpu_session_dirty(program->session, 2), -ENOENT);
	assert_int_equal(egpu_session_remove(program->session, 1), 0);
	program_end(program);
	close(fd);
}

static void memory_that_is_none(void **state)
{
	struct program *program = *state;
	struct egpu_session_buffer buffer;
	int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int sealed = egpu_session_memory(4096, "x");

	program_start(program, greets_only);
	describe_memory(&buffer, 1);
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(egpu_session_add_memory(program->session, &buffer, fd),
			 -EINVAL);
	assert_int_equal(egpu_session_add_memory(program->session, &buffer, 0),
			 -EINVAL);
	assert_int_equal(ftruncate(sealed, 100), -1);
	buffer.size = 4097;
	assert_int_equal(egpu_session_add_memory(program->session, &buffer,
						 sealed),
			 -EINVAL);
	buffer.size = 4096;
	memset(buffer.name, 'x', sizeof(buffer.name));
	assert_int_equal(egpu_session_add_memory(program->session, &buffer,
						 sealed),
			 -EINVAL);
	program_end(program);
	close(sealed);
	close(fd);
}

static void checkpoints_once(struct fake *fake)
{
	char text[8] = { 0 };

	fake_greet(fake);
	fake_take_buffers(fake, 2);
	fake_expect(fake, WIRE_DIRTY);
	fake_check(fake, fake->message.ref.id == 2, "another one is dirty");
	fake_reach_safe(fake);
	fake_check(fake, fake->message.safe.step == 41, "step");
	fake_check(fake,
		   pread(fake->fd, text, 8, 0) == 5 && !strcmp(text, "state"),
		   "state");
	fake_check(fake,
		   (fcntl(fake->fd, F_GET_SEALS) &
		    (F_SEAL_WRITE | F_SEAL_SHRINK)) ==
			   (F_SEAL_WRITE | F_SEAL_SHRINK),
		   "the state is not sealed");
	fake_say(fake, WIRE_GO_ON, 77);
	/* After the safe point it is said once more, and once only. */
	fake_expect(fake, WIRE_DIRTY);
	fake_expect_end(fake);
}

static void a_checkpoint(void **state)
{
	struct program *program = *state;

	program_start(program, checkpoints_once);
	program_add(program, 1, 0);
	program_add(program, 2, EGPU_SESSION_DECLARED);
	assert_int_equal(egpu_session_dirty(program->session, 1), 0);
	assert_int_equal(egpu_session_dirty(program->session, 2), 0);
	assert_int_equal(egpu_session_dirty(program->session, 2), 0);
	assert_int_equal(egpu_session_dirty(program->session, 3), -ENOENT);
	assert_int_equal(egpu_session_process(program->session, 10000), 0);
	assert_true(egpu_session_wanted(program->session));
	assert_int_equal(SAFE(program, "state"), 0);
	assert_false(egpu_session_wanted(program->session));
	assert_int_equal(SAFE(program, "state"), 0);
	assert_string_equal(program->log, "reach, go-on, ");
	egpu_session_dirty(program->session, 2);
	egpu_session_dirty(program->session, 2);
	program_end(program);
}

static void withdraws(struct fake *fake)
{
	fake_greet(fake);
	fake_say(fake, WIRE_REACH, 1);
	fake_say(fake, WIRE_GO_ON, 1);
	fake_take_buffers(fake, 1);
	/* The first is withdrawn while it stands still for it; the second holds. */
	fake_reach_safe(fake);
	fake_say(fake, WIRE_REACH, 78);
	fake_say(fake, WIRE_GO_ON, 77);
	fake_expect(fake, WIRE_UNABLE);
	fake_check(fake, fake->message.serial == 78, "UNABLE answers REACH");
	fake_check(fake, !strcmp(fake->message.result.text, "no? time"),
		   fake->message.result.text);
	fake_expect_end(fake);
}

static void a_reach_that_is_withdrawn(void **state)
{
	struct program *program = *state;

	program_start(program, withdraws);
	program_add(program, 1, 0);
	/* Both came before the answer to ADD; the program is told later. */
	assert_string_equal(program->log, "");
	while (!strstr(program->log, "go-on"))
		assert_int_equal(egpu_session_process(program->session, 1000),
				 0);
	while (!egpu_session_wanted(program->session))
		assert_int_equal(egpu_session_process(program->session, 1000),
				 0);
	assert_int_equal(SAFE(program, ""), 0);
	assert_string_equal(program->log, "reach, go-on, reach, reach, go-on, ");
	assert_true(egpu_session_wanted(program->session));
	assert_int_equal(egpu_session_unable(program->session, "no\n time"), 0);
	assert_false(egpu_session_wanted(program->session));
	program_end(program);
}

static void moves(struct fake *fake)
{
	fake_greet(fake);
	fake_take_buffers(fake, 2);
	fake_reach_safe(fake);
	fake_offer(fake, false, 2, "state");
	fake_expect(fake, WIRE_CONFIRM);
	fake_check(fake, !fake->message.result.error, "it does not confirm");
	fake_check(fake, fake->message.serial == 99, "CONFIRM answers MOVE_END");
	fake_expect(fake, WIRE_DIRTY);
	fake_expect_end(fake);
}

/* Until a REACH is there. */
static void until_wanted(struct program *program)
{
	while (!egpu_session_wanted(program->session))
		assert_int_equal(egpu_session_process(program->session, 1000),
				 0);
}

static void a_move(void **state)
{
	struct program *program = *state;

	program_start(program, moves);
	program_add(program, 1, EGPU_SESSION_DECLARED);
	program_add(program, 2, 0);
	until_wanted(program);
	assert_in_range(descriptors_of("memfd:test"), 2, 3);
	assert_int_equal(SAFE(program, "state"), 0);
	assert_string_equal(program->log, "reach, move, ");
	assert_int_equal(program->move.n, 2);
	assert_int_equal(program->move.step, 41);
	assert_false(program->move.lost);
	assert_string_equal(program->node, "/dev/dri/card1");
	assert_string_equal(program->state, "state");
	assert_string_equal(program->content, "restored");
	/* In the program's order, and with what it has declared. */
	assert_int_equal(program->buffer[0].id, 1);
	assert_int_equal(program->buffer[0].flags, EGPU_SESSION_DECLARED);
	assert_int_equal(program->buffer[1].id, 2);
	/* The library has let go of the old ones. */
	assert_int_equal(descriptors_of("memfd:test"), 0);
	assert_int_equal(egpu_session_dirty(program->session, 1), 0);
	program_end(program);
}

static void offers_until_taken(struct fake *fake)
{
	struct wire_message begin;

	fake_greet(fake);
	fake_take_buffers(fake, 1);
	fake_reach_safe(fake);
	fake_offer(fake, false, 1, NULL);
	fake_expect(fake, WIRE_CONFIRM);
	fake_check(fake, fake->message.result.error == ENOMEM, "no refusal");
	/* One that is broken off, then the next. */
	wire_sample(&begin, WIRE_MOVE_BEGIN);
	fake_send(fake, &begin, -1);
	fake_offer(fake, false, 1, NULL);
	fake_expect(fake, WIRE_CONFIRM);
	fake_check(fake, fake->message.result.error == ENOMEM, "no refusal");
	fake_say(fake, WIRE_GO_ON, 77);
	/* It has gone on; an offer that comes now is too late. */
	fake_offer(fake, false, 1, NULL);
	fake_expect(fake, WIRE_CONFIRM);
	fake_check(fake, fake->message.result.error == ESTALE, "taken late");
	fake_say(fake, WIRE_REACH, 78);
	fake_expect_end(fake);
}

static void a_move_that_is_not_taken(void **state)
{
	struct program *program = *state;

	program_start(program, offers_until_taken);
	program->answer = -ENOMEM;
	program_add(program, 1, 0);
	until_wanted(program);
	assert_int_equal(SAFE(program, ""), 0);
	until_wanted(program);
	assert_string_equal(program->log, "reach, move, move, go-on, reach, ");
	program_end(program);
}

static void offers_to_the_immovable(struct fake *fake)
{
	fake_greet(fake);
	fake_reach_safe(fake);
	fake_offer(fake, false, 0, NULL);
	fake_expect(fake, WIRE_CONFIRM);
	fake_check(fake, fake->message.result.error == EOPNOTSUPP, "taken");
	fake_say(fake, WIRE_GO_ON, 77);
	fake_expect_end(fake);
}

static void a_program_that_cannot_be_moved(void **state)
{
	struct program *program = *state;

	fake_start(&program->fake, offers_to_the_immovable);
	assert_int_equal(egpu_session_open_at(&program->session,
					      program->fake.path, "x", NULL,
					      NULL),
			 0);
	until_wanted(program);
	assert_int_equal(SAFE(program, ""), 0);
	program_end(program);
}

static void loses(struct fake *fake)
{
	fake_greet(fake);
	fake_take_buffers(fake, 1);
	fake_say(fake, WIRE_LOST, 0);
	/* What has gone is not asked for. */
	fake_say(fake, WIRE_REACH, 5);
	fake_offer(fake, true, 2, "old");
	/* Wanted at once again, with what the program has given before the loss. */
	fake_say(fake, WIRE_REACH, 77);
	fake_expect(fake, WIRE_CONFIRM);
	fake_check(fake, !fake->message.result.error, "it does not confirm");
	fake_expect(fake, WIRE_SAFE);
	fake_check(fake, fake->message.safe.step == 42,
		   "a safe point of the time before the loss");
	fake_say(fake, WIRE_GO_ON, 77);
	fake_expect_end(fake);
}

static void a_loss(void **state)
{
	struct program *program = *state;

	program_start(program, loses);
	program_add(program, 1, 0);
	while (!strstr(program->log, "move"))
		assert_int_equal(SAFE(program, "new"), 0);
	assert_true(program->move.lost);
	assert_int_equal(program->move.lost_ns, 5);
	assert_string_equal(program->state, "old");
	/* A buffer of the checkpoint that the program had no more: it is back. */
	assert_int_equal(program->move.n, 2);
	assert_int_equal(program->buffer[1].id, 2);
	while (!strstr(program->log, "go-on"))
		assert_int_equal(egpu_session_safe(program->session, 42, NULL, 0),
				 0);
	assert_string_equal(program->log, "lost, move, reach, go-on, ");
	program_end(program);
}

static void loses_during_an_add(struct fake *fake)
{
	fake_greet(fake);
	fake_take_buffers(fake, 1);
	fake_expect(fake, WIRE_ADD);
	fake_say(fake, WIRE_LOST, 0);
	fake_offer(fake, true, 1, "old");
	fake_reply(fake, 0, "");
	fake_expect(fake, WIRE_CONFIRM);
	fake_check(fake, !fake->message.result.error, "it does not confirm");
	fake_expect_end(fake);
}

/* What comes while an answer is awaited is kept, with its descriptors. */
static void a_loss_during_an_add(void **state)
{
	struct program *program = *state;

	program_start(program, loses_during_an_add);
	program_add(program, 1, 0);
	program_add(program, 2, 0);
	assert_string_equal(program->log, "");
	assert_int_equal(SAFE(program, "new"), 0);
	assert_string_equal(program->log, "lost, move, ");
	assert_string_equal(program->state, "old");
	assert_string_equal(program->content, "restored");
	assert_int_equal(egpu_session_dirty(program->session, 2), -ENOENT);
	program_end(program);
}

static void loses_while_it_stands(struct fake *fake)
{
	fake_greet(fake);
	fake_take_buffers(fake, 1);
	fake_reach_safe(fake);
	fake_say(fake, WIRE_LOST, 0);
	fake_say(fake, WIRE_GO_ON, 77);
	fake_offer(fake, false, 1, NULL);
	fake_expect(fake, WIRE_CONFIRM);
	fake_check(fake, !fake->message.result.error, "it does not confirm");
	fake_say(fake, WIRE_LOST, 0);
	fake_say(fake, WIRE_FAILED, 0);
	fake_expect_end(fake);
}

static void a_loss_at_the_safe_point(void **state)
{
	struct program *program = *state;
	int err;

	program_start(program, loses_while_it_stands);
	program_add(program, 1, 0);
	until_wanted(program);
	err = SAFE(program, "");
	while (!err)
		err = SAFE(program, "");
	assert_int_equal(err, -ENODEV);
	assert_string_equal(program->log, "reach, lost, move, lost, failed, ");
	assert_string_equal(program->why, "it is in the midst of something");
	program_end(program);
}

static void fails_while_it_runs(struct fake *fake)
{
	fake_greet(fake);
	fake_take_buffers(fake, 1);
	fake_say(fake, WIRE_LOST, 0);
	fake_say(fake, WIRE_FAILED, 0);
	fake_expect_end(fake);
}

/* Said once, by the call in which it has come. */
static void a_failure_outside_of_a_safe_point(void **state)
{
	struct program *program = *state;
	int err = 0;

	program_start(program, fails_while_it_runs);
	program_add(program, 1, 0);
	while (!err)
		err = egpu_session_process(program->session, 1000);
	assert_int_equal(err, -ENODEV);
	assert_string_equal(program->log, "lost, failed, ");
	assert_int_equal(egpu_session_process(program->session, 0), 0);
	assert_int_equal(SAFE(program, ""), 0);
	program_end(program);
}

static void takes_no_state(struct fake *fake)
{
	struct wire_message welcome;

	fake_accept(fake);
	fake_expect(fake, WIRE_HELLO);
	wire_sample(&welcome, WIRE_WELCOME);
	welcome.welcome.state_max = 4;
	fake_send(fake, &welcome, -1);
	fake_say(fake, WIRE_REACH, 77);
	fake_expect(fake, WIRE_UNABLE);
	fake_expect_end(fake);
}

static void a_state_that_is_too_large(void **state)
{
	struct program *program = *state;

	program_start(program, takes_no_state);
	until_wanted(program);
	assert_int_equal(SAFE(program, "12345"), -EMSGSIZE);
	assert_int_equal(SAFE(program, "12345"), 0);
	program_end(program);
}

#define CASE(test)                                                             \
	cmocka_unit_test_setup_teardown(test, program_setup, program_teardown)

static const struct CMUnitTest tests[] = {
	CASE(no_egpud),
	CASE(bad_arguments),
	CASE(greeting),
	CASE(buffers),
	CASE(memory_that_is_none),
	CASE(a_checkpoint),
	CASE(a_reach_that_is_withdrawn),
	CASE(a_move),
	CASE(a_move_that_is_not_taken),
	CASE(a_program_that_cannot_be_moved),
	CASE(a_loss),
	CASE(a_loss_during_an_add),
	CASE(a_loss_at_the_safe_point),
	CASE(a_failure_outside_of_a_safe_point),
	CASE(a_state_that_is_too_large),
};

TEST_MAIN(tests, NULL, NULL)

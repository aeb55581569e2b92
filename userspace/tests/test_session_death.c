// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An egpud that ends, or breaks the protocol, at any point: the program goes on,
 * nothing is left open, and a new egpud gets the buffers again.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "../lib/session.h"
#include "session_case.h"
#include "test.h"
#include "wire_samples.h"

/* What the program does until its session ends: all that it can. */
static int live(struct program *program)
{
	unsigned int turns;
	int err = 0;

	for (turns = 0; !err && turns < 10000; turns++) {
		egpu_session_dirty(program->session, 1);
		err = egpu_session_safe(program->session, turns, "state", 5);
		if (!err)
			err = egpu_session_process(program->session, 10);
	}
	return err;
}

/* A life of a session, of which the script does the first so many steps. */
static unsigned int steps_wanted;

static void life(struct fake *fake)
{
	struct wire_message begin;
	unsigned int step = 0;

#define STEP(action)                                                           \
	do {                                                                   \
		if (step++ == steps_wanted)                                    \
			return;                                                \
		action;                                                        \
	} while (0)
	STEP(fake_accept(fake));
	STEP(fake_expect(fake, WIRE_HELLO));
	STEP(fake_say(fake, WIRE_WELCOME, 1));
	STEP(fake_expect(fake, WIRE_ADD));
	STEP(fake_reply(fake, 0, ""));
	STEP(fake_expect(fake, WIRE_DIRTY));
	STEP(fake_say(fake, WIRE_REACH, 77));
	STEP(fake_expect(fake, WIRE_SAFE));
	STEP(fake_say(fake, WIRE_GO_ON, 77));
	STEP(fake_expect(fake, WIRE_DIRTY));
	STEP(fake_say(fake, WIRE_REACH, 78));
	STEP(fake_expect(fake, WIRE_SAFE));
	wire_sample(&begin, WIRE_MOVE_BEGIN);
	STEP(fake_send(fake, &begin, -1));
	STEP(fake_offer(fake, false, 1, "state"));
	STEP(fake_expect(fake, WIRE_CONFIRM));
	STEP(fake_say(fake, WIRE_LOST, 0));
	STEP(fake_offer(fake, true, 1, NULL));
#undef STEP
}

static void the_end_at_each_step(void **state)
{
	struct program *program = *state;
	struct egpu_session_buffer buffer;
	int fd, err;

	describe_memory(&buffer, 1);
	buffer.flags = EGPU_SESSION_DECLARED;
	for (steps_wanted = 0; steps_wanted < 18; steps_wanted++) {
		memset(program->log, 0, sizeof(program->log));
		program_start(program, life);
		fd = egpu_session_memory(4096, "test");
		err = egpu_session_add_memory(program->session, &buffer, fd);
		close(fd);
		assert_true(!err || err == -ENOTCONN);
		if (steps_wanted)
			assert_int_equal(live(program), -ENOTCONN);
		assert_false(egpu_session_wanted(program->session));
		assert_int_equal(egpu_session_fd(program->session), -1);
		program_end(program);
	}
}

static void dies_and_comes_back(struct fake *fake)
{
	fake_greet(fake);
	fake_take_buffers(fake, 20);
	fake_reach_safe(fake);
	/* In the midst of a checkpoint. */
	fake_greet(fake);
	fake_take_buffers(fake, 20);
	fake_expect(fake, WIRE_DIRTY);
	fake_reach_safe(fake);
	fake_say(fake, WIRE_GO_ON, 77);
	fake_expect_end(fake);
}

static void a_new_egpud(void **state)
{
	struct program *program = *state;
	unsigned int i;

	program_start(program, dies_and_comes_back);
	for (i = 1; i <= 20; i++)
		program_add(program, i, i == 1 ? EGPU_SESSION_DECLARED : 0);
	while (!egpu_session_safe(program->session, 1, NULL, 0))
		usleep(1000);
	egpu_session_dirty(program->session, 1);
	while (!strstr(program->log, "go-on")) {
		egpu_session_safe(program->session, 2, NULL, 0);
		usleep(1000);
	}
	assert_string_equal(program->log, "reach, reach, go-on, ");
	program_end(program);
}

/* What must not come: a script does it, and then waits for the end. */
static void (*mischief)(struct fake *fake);

static void does_mischief(struct fake *fake)
{
	fake_greet(fake);
	fake_take_buffers(fake, 2);
	mischief(fake);
	fake_expect_end(fake);
}

static void no_message(struct fake *fake)
{
	fake_raw(fake, "rubbish!", 8);
}

static void cut_message(struct fake *fake)
{
	struct wire_message message;

	wire_sample(&message, WIRE_REACH);
	fake_raw(fake, &message, wire_size(WIRE_REACH) - 1);
}

static void long_message(struct fake *fake)
{
	char large[5000] = { WIRE_REACH };

	fake_raw(fake, large, sizeof(large));
}

static void our_own_message(struct fake *fake)
{
	struct wire_message message;

	wire_sample(&message, WIRE_DIRTY);
	fake_raw(fake, &message, wire_size(WIRE_DIRTY));
}

static void second_welcome(struct fake *fake)
{
	fake_say(fake, WIRE_WELCOME, 1);
}

static void reply_to_nothing(struct fake *fake)
{
	fake_reply(fake, 0, "");
}

static void buffer_without_begin(struct fake *fake)
{
	struct wire_message message;

	wire_sample(&message, WIRE_MOVE_BUFFER);
	fake_send(fake, &message, 0);
}

static void end_without_begin(struct fake *fake)
{
	fake_say(fake, WIRE_MOVE_END, 1);
}

static void begin(struct fake *fake, uint32_t n, uint32_t state_size)
{
	struct wire_message message;

	wire_sample(&message, WIRE_MOVE_BEGIN);
	message.move.lost = 0;
	message.move.lost_ns = 0;
	message.move.n_buffers = n;
	message.move.state_size = state_size;
	fake_send(fake, &message, -1);
}

static void end_too_early(struct fake *fake)
{
	begin(fake, 2, 0);
	buffer_without_begin(fake);
	end_without_begin(fake);
}

static void too_many_buffers(struct fake *fake)
{
	struct wire_message message;

	begin(fake, 1, 0);
	wire_sample(&message, WIRE_MOVE_BUFFER);
	fake_send(fake, &message, 0);
	message.buffer.id++;
	fake_send(fake, &message, 0);
}

static void the_same_buffer_twice(struct fake *fake)
{
	begin(fake, 2, 0);
	buffer_without_begin(fake);
	buffer_without_begin(fake);
}

static void end_without_the_state(struct fake *fake)
{
	begin(fake, 0, 5);
	end_without_begin(fake);
}

static void end_with_a_state_that_is_none(struct fake *fake)
{
	struct wire_message message = { .type = WIRE_MOVE_END };

	begin(fake, 0, 0);
	fake_send(fake, &message, 0);
}

static void an_error(struct fake *fake)
{
	fake_say(fake, WIRE_ERROR, 0);
}

static const struct {
	void (*mischief)(struct fake *fake);
	const char *error;
} rows[] = {
	{ no_message, "no message: there is no message of this type" },
	{ cut_message, "no message: its length" },
	{ long_message, "no message: it is longer" },
	{ our_own_message, "no message: this message comes from the other" },
	{ second_welcome, "protocol: WELCOME must not come now" },
	{ reply_to_nothing, "protocol: REPLY must not come now" },
	{ buffer_without_begin, "protocol: MOVE_BUFFER that was not announced" },
	{ end_without_begin, "protocol: MOVE_END before all buffers" },
	{ end_too_early, "protocol: MOVE_END before all buffers" },
	{ too_many_buffers, "protocol: MOVE_BUFFER that was not announced" },
	{ the_same_buffer_twice, "protocol: MOVE_BUFFER that was not announced" },
	{ end_without_the_state, "protocol: MOVE_END with another state" },
	{ end_with_a_state_that_is_none,
	  "protocol: MOVE_END with another state" },
	{ an_error, "egpud says: it is in the midst of something" },
};

static void all_mischief(void **state)
{
	struct program *program = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		mischief = rows[i].mischief;
		program_start(program, does_mischief);
		program_add(program, 1, 0);
		program_add(program, 2, 0);
		while (!egpu_session_safe(program->session, 1, NULL, 0))
			usleep(100);
		if (!strstr(egpu_session_error(program->session), rows[i].error))
			fail_msg("row %zu: %s", i,
				 egpu_session_error(program->session));
		program_end(program);
	}
	assert_string_equal(program->log, "");
}

/* Offers that are well said but wrong: refused, and all is as before. */
static int wrong_offer;

static void offers_wrongly(struct fake *fake)
{
	struct wire_message message;
	int fd = egpu_session_memory(4096, "new");

	fake_greet(fake);
	fake_take_buffers(fake, 1);
	fake_reach_safe(fake);
	begin(fake, 1, wrong_offer == 2 ? 9000 : 0);
	message = (struct wire_message){ .type = WIRE_MOVE_BUFFER };
	message.buffer.id = wrong_offer == 0 ? 2 : 1;
	message.buffer.kind = WIRE_MEMORY;
	message.buffer.size = wrong_offer == 1 ? 8192 : 4096;
	fake_send(fake, &message, fd);
	message = (struct wire_message){ .type = WIRE_MOVE_END };
	/* A state that is shorter than was said. */
	fake_send(fake, &message, wrong_offer == 2 ? fd : -1);
	close(fd);
	fake_expect(fake, WIRE_CONFIRM);
	fake_check(fake, fake->message.result.error, "it takes what is wrong");
	fake_say(fake, WIRE_GO_ON, 77);
	fake_expect_end(fake);
}

static void wrong_offers(void **state)
{
	struct program *program = *state;

	for (wrong_offer = 0; wrong_offer < 3; wrong_offer++) {
		program->log[0] = '\0';
		program_start(program, offers_wrongly);
		program_add(program, 1, 0);
		while (!egpu_session_wanted(program->session))
			egpu_session_process(program->session, 1000);
		assert_int_equal(egpu_session_safe(program->session, 1, NULL, 0),
				 0);
		assert_string_equal(program->log, "reach, go-on, ");
		program_end(program);
	}
}

static void says_no_more(struct fake *fake)
{
	fake_greet(fake);
	fake_take_buffers(fake, 1);
	fake_reach_safe(fake);
	fake_expect_end(fake);
}

static void on_alarm(int number)
{
	(void)number;
}

/* Two minutes are much for a test; the signals would make them last for ever. */
static void an_egpud_that_hangs(void **state)
{
	const struct itimerval often = { { 0, 5000 }, { 0, 5000 } };
	const struct itimerval never = { 0 };
	struct program *program = *state;
	struct sigaction handler = { .sa_handler = on_alarm }, before;

	program_start(program, says_no_more);
	assert_int_equal(program->session->patience_ms, SESSION_PATIENCE_MS);
	program->session->patience_ms = 100;
	program_add(program, 1, 0);
	while (!egpu_session_wanted(program->session))
		egpu_session_process(program->session, 1000);
	sigaction(SIGALRM, &handler, &before);
	setitimer(ITIMER_REAL, &often, NULL);
	assert_int_equal(egpu_session_safe(program->session, 1, NULL, 0),
			 -ENOTCONN);
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &before, NULL);
	assert_string_equal(egpu_session_error(program->session),
			    "egpud has been silent for too long");
	assert_int_equal(egpu_session_fd(program->session), -1);
	program_end(program);
}

static void other_version(struct fake *fake)
{
	struct wire_message welcome;

	fake_accept(fake);
	fake_expect(fake, WIRE_HELLO);
	wire_sample(&welcome, WIRE_WELCOME);
	welcome.welcome.version = 2;
	fake_send(fake, &welcome, -1);
	fake_expect_end(fake);
}

static void says_no(struct fake *fake)
{
	fake_accept(fake);
	fake_expect(fake, WIRE_HELLO);
	fake_say(fake, WIRE_ERROR, 1);
}

static void refused(void **state)
{
	struct program *program = *state;

	program_start(program, other_version);
	assert_int_equal(egpu_session_fd(program->session), -1);
	assert_non_null(strstr(egpu_session_error(program->session),
			       "egpud speaks version 2"));
	program_end(program);
	program_start(program, says_no);
	assert_int_equal(egpu_session_fd(program->session), -1);
	assert_non_null(strstr(egpu_session_error(program->session),
			       "egpud says: "));
	program_end(program);
}

#define CASE(test)                                                             \
	cmocka_unit_test_setup_teardown(test, program_setup, program_teardown)

static const struct CMUnitTest tests[] = {
	CASE(the_end_at_each_step), CASE(a_new_egpud),
	CASE(all_mischief),	    CASE(wrong_offers),
	CASE(an_egpud_that_hangs),  CASE(refused),
};

TEST_MAIN(tests, NULL, NULL)

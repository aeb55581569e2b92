// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The example goes on across moves, losses and the end of egpud, and each step
 * that it prints is right; in memory, for there may be no GPU here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/egpu-session.h"
#include "session_case.h"
#include "test.h"
#include "wire_samples.h"

#define STEPS 60
#define BYTES (128 * 128 * 4)

/* What the example has given. */
struct given {
	struct wire_buffer buffer[2];
	int fd[2];
	char state[64];
	uint32_t state_size;
	char content[2][BYTES];
};

static struct given given;

/* Its two buffers, in the order in which it adds them. */
static void take_both(struct fake *fake)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		fake_expect(fake, WIRE_ADD);
		given.buffer[i] = fake->message.buffer;
		fake_check(fake, given.buffer[i].size == BYTES, "its size");
		given.fd[i] = fake->fd;
		fake->fd = -1;
		fake_reply(fake, 0, "");
	}
}

static void let_go(void)
{
	close(given.fd[0]);
	close(given.fd[1]);
}

/* It says in between what it writes. */
static void expect_past_dirty(struct fake *fake, uint32_t type)
{
	const char *why;
	int err;

	if (fake->fd >= 0)
		close(fake->fd);
	do {
		while ((err = wire_receive(fake->sock, WIRE_PROGRAM,
					   &fake->message, &fake->fd, &why)) ==
		       -EAGAIN)
			usleep(1000);
	} while (!err && fake->message.type == WIRE_DIRTY);
	fake_check(fake, !err && fake->message.type == type,
		   wire_type_name(type));
}

/* Asks for a safe point and keeps what is there, as a checkpoint would. */
static void copy_at_safe_point(struct fake *fake)
{
	unsigned int i;

	fake_say(fake, WIRE_REACH, 1);
	expect_past_dirty(fake, WIRE_SAFE);
	given.state_size = fake->message.safe.state_size;
	fake_check(fake,
		   pread(fake->fd, given.state, sizeof(given.state), 0) ==
			   given.state_size,
		   "its state");
	for (i = 0; i < 2; i++)
		fake_check(fake,
			   pread(given.fd[i], given.content[i], BYTES, 0) ==
				   BYTES,
			   "its picture");
}

/* So many steps, each of which says what it writes. */
static void let_it_run(struct fake *fake, unsigned int steps)
{
	fake_say(fake, WIRE_GO_ON, 1);
	usleep(steps * 5000);
}

/* New memory whose lines are longer, filled from what was kept. */
static int restored(struct fake *fake, unsigned int i, uint32_t stride)
{
	int fd = egpu_session_memory(128 * stride, "restored");
	unsigned int y;

	for (y = 0; y < 128; y++)
		fake_check(fake,
			   pwrite(fd, given.content[i] + y * 512, 512,
				  y * stride) == 512,
			   "pwrite");
	return fd;
}

static void give_back(struct fake *fake, bool lost, uint32_t stride)
{
	struct wire_message message;
	unsigned int i;
	int fd;

	wire_sample(&message, WIRE_MOVE_BEGIN);
	message.move.lost = lost;
	message.move.lost_ns = lost ? 1000 : 0;
	message.move.n_buffers = 2;
	message.move.state_size = given.state_size;
	message.move.cpu = 1;
	memset(message.move.address, 0, sizeof(message.move.address));
	memset(message.move.node, 0, sizeof(message.move.node));
	fake_send(fake, &message, -1);
	for (i = 0; i < 2; i++) {
		message = (struct wire_message){ .type = WIRE_MOVE_BUFFER };
		message.buffer = given.buffer[i];
		message.buffer.stride = stride;
		message.buffer.size = 128 * stride;
		fd = restored(fake, i, stride);
		fake_send(fake, &message, fd);
		close(given.fd[i]);
		given.fd[i] = fd;
	}
	fd = egpu_session_memory(given.state_size, "state");
	fake_check(fake, pwrite(fd, given.state, given.state_size, 0) > 0,
		   "pwrite");
	message = (struct wire_message){ .type = WIRE_MOVE_END, .serial = 9 };
	fake_send(fake, &message, fd);
	close(fd);
	expect_past_dirty(fake, WIRE_CONFIRM);
	fake_check(fake, !fake->message.result.error, "it does not take it");
}

static void moves_and_loses(struct fake *fake)
{
	fake_greet(fake);
	take_both(fake);
	copy_at_safe_point(fake);
	let_it_run(fake, 2);
	copy_at_safe_point(fake);
	give_back(fake, false, 1024);
	/* Its lines are longer now; what is kept is as it was. */
	usleep(20000);
	fake_say(fake, WIRE_LOST, 0);
	give_back(fake, true, 512);
	usleep(20000);
	let_go();
	/* Then egpud ends, and the program goes on. */
}

static void loses_and_dies(struct fake *fake)
{
	fake_greet(fake);
	take_both(fake);
	let_it_run(fake, 3);
	fake_say(fake, WIRE_LOST, 0);
	usleep(20000);
	let_go();
}

/* What a program prints, to be freed. */
static char *output_of(const char *arguments)
{
	const char *build = getenv("EGPU_BUILD");
	char command[300];
	char *text = calloc(1, 65536);
	FILE *f;

	assert_non_null(text);
	snprintf(command, sizeof(command), "%s/examples/egpu-example %s",
		 build ? build : "../build/userspace", arguments);
	f = popen(command, "re");
	assert_non_null(f);
	assert_true(fread(text, 1, 65535, f) > 0);
	assert_int_equal(pclose(f), 0);
	return text;
}

/* Each line with a step has the checksum that the reference has there. */
static void assert_right(const char *text)
{
	char *reference = output_of("--verify=60"), *copy = strdup(text);
	char wanted[80], *line, *rest = copy, *at;
	unsigned int n = 0;

	while ((line = strsep(&rest, "\n"))) {
		at = strstr(line, " step=");
		if (!at || at != strchr(line, ' '))
			continue;
		snprintf(wanted, sizeof(wanted), "%s\n", at);
		if (!strstr(reference, wanted))
			fail_msg("a wrong step: %s", line);
		n++;
	}
	assert_true(n >= STEPS);
	free(reference);
	free(copy);
}

static char *run_example(struct program *program,
			 void (*script)(struct fake *fake))
{
	char arguments[200], *text;

	fake_start(&program->fake, script);
	snprintf(arguments, sizeof(arguments),
		 "--cpu --side 128 --ms 5 --steps %d --check --socket %s",
		 STEPS, program->fake.path);
	text = output_of(arguments);
	fake_finish(&program->fake);
	return text;
}

static void across_a_move_and_a_loss(void **state)
{
	char *text = run_example(*state, moves_and_loses);

	assert_non_null(strstr(text, " session connected=1"));
	assert_non_null(strstr(text, " moved cpu=1 address= node= step="));
	assert_non_null(strstr(text,
			       " lost=0 lost_ns=0 lost_steps=0 stride=1024"));
	assert_non_null(strstr(text, " lost step="));
	assert_non_null(strstr(text, " lost=1 lost_ns=1000 lost_steps="));
	assert_non_null(strstr(text, " finished step=60"));
	assert_non_null(strstr(text, " right\n"));
	assert_right(text);
	free(text);
}

static void across_the_end_of_egpud(void **state)
{
	char *text = run_example(*state, loses_and_dies);

	assert_non_null(strstr(text, " lost step="));
	assert_non_null(strstr(text, " restarted step=0"));
	assert_right(text);
	free(text);
}

static void alone(void **state)
{
	char *text = output_of("--cpu --ms 0 --steps 60 --check --socket /no");

	(void)state;
	assert_non_null(strstr(text, " session connected=0"));
	assert_right(text);
	free(text);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(across_a_move_and_a_loss, program_setup,
					program_teardown),
	cmocka_unit_test_setup_teardown(across_the_end_of_egpud, program_setup,
					program_teardown),
	cmocka_unit_test(alone),
};

TEST_MAIN(tests, NULL, NULL)

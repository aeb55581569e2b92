// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A program with a session, and what it was called back with.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "session_case.h"
#include "test.h"
#include "wire_samples.h"

#define SIZE 4096

static void on_reach(struct egpu_session *session, uint64_t deadline,
		     bool for_move, void *arg)
{
	struct program *program = arg;

	assert_int_equal(deadline, 1000);
	assert_true(egpu_session_wanted(session));
	/* Nothing may begin anew inside of a callback. */
	assert_int_equal(egpu_session_safe(session, 0, NULL, 0), -EBUSY);
	assert_int_equal(egpu_session_process(session, 0), -EBUSY);
	assert_int_equal(egpu_session_remove(session, 1), -EBUSY);
	strcat(program->log, for_move ? "reach, " : "reach-checkpoint, ");
}

static void on_go_on(struct egpu_session *session, void *arg)
{
	(void)session;
	strcat(((struct program *)arg)->log, "go-on, ");
}

static void on_lost(struct egpu_session *session, void *arg)
{
	(void)session;
	strcat(((struct program *)arg)->log, "lost, ");
}

static int on_move(struct egpu_session *session,
		   const struct egpu_session_move *move, void *arg)
{
	struct program *program = arg;
	size_t i;

	(void)session;
	strcat(program->log, "move, ");
	program->move = *move;
	program->move.buffer = NULL;
	program->move.fd = NULL;
	if (move->state_size)
		memcpy(program->state, move->state, move->state_size);
	strcpy(program->node, move->node);
	if (program->answer)
		return program->answer;
	for (i = 0; i < move->n; i++) {
		assert_true(i < 4);
		program->buffer[i] = move->buffer[i];
		if (!i)
			assert_int_equal(pread(move->fd[i], program->content,
					       sizeof(program->content), 0),
					 sizeof(program->content));
		close(move->fd[i]);
	}
	return 0;
}

static void on_failed(struct egpu_session *session, const char *why, void *arg)
{
	struct program *program = arg;

	(void)session;
	strcat(program->log, "failed, ");
	strcpy(program->why, why);
}

const struct egpu_session_ops program_ops = {
	.reach = on_reach,
	.go_on = on_go_on,
	.lost = on_lost,
	.move = on_move,
	.failed = on_failed,
};

int program_setup(void **state)
{
	static struct program program;

	memset(&program, 0, sizeof(program));
	program.before = open_descriptors();
	*state = &program;
	return 0;
}

/* Each test fails that leaves a descriptor open on either side. */
int program_teardown(void **state)
{
	struct program *program = *state;
	unsigned int now = open_descriptors();

	if (now == program->before)
		return 0;
	fprintf(stderr, "%u descriptors were open, now %u\n", program->before,
		now);
	return -1;
}

void program_start(struct program *program, void (*script)(struct fake *fake))
{
	fake_start(&program->fake, script);
	assert_int_equal(egpu_session_open_at(&program->session,
					      program->fake.path, "simulation",
					      &program_ops, program),
			 0);
}

void program_end(struct program *program)
{
	egpu_session_close(program->session);
	fake_finish(&program->fake);
}

void describe_memory(struct egpu_session_buffer *buffer, uint32_t id)
{
	memset(buffer, 0, sizeof(*buffer));
	buffer->id = id;
	buffer->size = SIZE;
	snprintf(buffer->name, sizeof(buffer->name), "buffer %u", id);
}

void program_add(struct program *program, uint32_t id, uint32_t flags)
{
	struct egpu_session_buffer buffer;
	int fd = egpu_session_memory(SIZE, "test");

	assert_true(fd >= 0);
	describe_memory(&buffer, id);
	buffer.flags = flags;
	assert_int_equal(egpu_session_add_memory(program->session, &buffer, fd),
			 0);
	close(fd);
}

void fake_take_buffers(struct fake *fake, unsigned int n)
{
	while (n--) {
		fake_expect(fake, WIRE_ADD);
		fake_reply(fake, 0, "");
	}
}

/* To the point at which the program stands still. */
void fake_reach_safe(struct fake *fake)
{
	fake_say(fake, WIRE_REACH, 77);
	fake_expect(fake, WIRE_SAFE);
	fake_check(fake, fake->message.serial == 77, "SAFE answers REACH");
}

/* A move of buffers n to 1, so against the order in which they were added. */
void fake_offer(struct fake *fake, bool lost, unsigned int n, const char *state)
{
	struct wire_message message;
	char content[16] = "restored";
	int fd;

	wire_sample(&message, WIRE_MOVE_BEGIN);
	message.move.lost = lost;
	message.move.lost_ns = lost ? 5 : 0;
	message.move.n_buffers = n;
	message.move.state_size = state ? strlen(state) : 0;
	fake_send(fake, &message, -1);
	while (n) {
		fd = egpu_session_memory(SIZE, "new");
		fake_check(fake, pwrite(fd, content, 16, 0) == 16, "pwrite");
		message = (struct wire_message){ .type = WIRE_MOVE_BUFFER };
		message.buffer.id = n--;
		message.buffer.kind = WIRE_MEMORY;
		message.buffer.size = SIZE;
		fake_send(fake, &message, fd);
		close(fd);
	}
	message = (struct wire_message){ .type = WIRE_MOVE_END, .serial = 99 };
	fd = -1;
	if (state) {
		fd = egpu_session_memory(strlen(state), "state");
		fake_check(fake, pwrite(fd, state, strlen(state), 0) > 0,
			   "pwrite");
	}
	fake_send(fake, &message, fd);
	if (fd >= 0)
		close(fd);
}

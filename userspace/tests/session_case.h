/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program with a session, and what it was called back with.
 */
#ifndef TESTS_SESSION_CASE_H
#define TESTS_SESSION_CASE_H

#include "../lib/egpu-session.h"
#include "fake_egpud.h"

/**
 * struct program - a program under test
 * @fake: its egpud
 * @session: its session
 * @log: the names of the callbacks that came, a blank behind each
 * @answer: what it says to a move
 * @move: what it was told; .buffer and .fd are NULL
 * @buffer: the first new buffers
 * @content: what the first of them has in its first bytes
 * @state: the state
 * @node: of the move
 * @why: the text of failed
 * @before: descriptors that were open before
 */
struct program {
	struct fake fake;
	struct egpu_session *session;
	char log[200];
	int answer;
	struct egpu_session_move move;
	struct egpu_session_buffer buffer[4];
	char content[16];
	char state[32];
	char node[WIRE_NODE];
	char why[WIRE_TEXT];
	unsigned int before;
};

extern const struct egpu_session_ops program_ops;

int program_setup(void **state);
int program_teardown(void **state);
void program_start(struct program *program, void (*script)(struct fake *fake));
void program_end(struct program *program);
void program_add(struct program *program, uint32_t id, uint32_t flags);
void describe_memory(struct egpu_session_buffer *buffer, uint32_t id);

/* For scripts. */
void fake_take_buffers(struct fake *fake, unsigned int n);
void fake_reach_safe(struct fake *fake);
void fake_offer(struct fake *fake, bool lost, unsigned int n, const char *state);

#endif

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The way of a program's work to another device: which state follows which. What
 * is done in a state is in migrate.c.
 *
 * Nothing here does anything, so that each case can be tried.
 */
#include "../work.h"

/* Until the program has been told of a new device it can stay where it is. */
#define BEFORE_OFFER                                                           \
	[MIGRATION_FAIL] = MIGRATION_FAILED + 1,                               \
	[MIGRATION_LATE] = MIGRATION_FAILED + 1,                               \
	[MIGRATION_OFF] = MIGRATION_FAILED + 1,                                \
	[MIGRATION_CLOSED] = MIGRATION_FAILED + 1

/* The state after an input, plus 1; 0 where the input changes nothing. */
static const unsigned char next[MIGRATION_STATES][MIGRATION_INPUTS] = {
	/* Who waits in the queue has all its time before it. */
	[MIGRATION_QUEUED] = {
		[MIGRATION_STEP] = MIGRATION_REACH + 1,
		[MIGRATION_FAIL] = MIGRATION_FAILED + 1,
		[MIGRATION_OFF] = MIGRATION_FAILED + 1,
		[MIGRATION_CLOSED] = MIGRATION_FAILED + 1,
	},
	/* What is gone cannot be copied: the last checkpoint has to do. */
	[MIGRATION_REACH] = {
		BEFORE_OFFER,
		[MIGRATION_STEP] = MIGRATION_SAVE + 1,
		[MIGRATION_GONE] = MIGRATION_SELECT + 1,
	},
	[MIGRATION_SAVE] = {
		BEFORE_OFFER,
		[MIGRATION_STEP] = MIGRATION_HOLD + 1,
		[MIGRATION_GONE] = MIGRATION_SELECT + 1,
	},
	/* Others take the GPU away; it is not asked for another before that. */
	[MIGRATION_HOLD] = {
		BEFORE_OFFER,
		[MIGRATION_STEP] = MIGRATION_SELECT + 1,
		[MIGRATION_GONE] = MIGRATION_SELECT + 1,
	},
	[MIGRATION_SELECT] = {
		BEFORE_OFFER,
		[MIGRATION_STEP] = MIGRATION_RESTORE + 1,
	},
	/* A device that cannot do it is no reason to give up: there are others. */
	[MIGRATION_RESTORE] = {
		[MIGRATION_STEP] = MIGRATION_OFFER + 1,
		[MIGRATION_FAIL] = MIGRATION_SELECT + 1,
		[MIGRATION_TARGET_GONE] = MIGRATION_SELECT + 1,
		[MIGRATION_LATE] = MIGRATION_FAILED + 1,
		[MIGRATION_OFF] = MIGRATION_FAILED + 1,
		[MIGRATION_CLOSED] = MIGRATION_FAILED + 1,
	},
	/* The program may be there already, so nothing is called off any more. */
	[MIGRATION_OFFER] = {
		[MIGRATION_STEP] = MIGRATION_DONE + 1,
		[MIGRATION_FAIL] = MIGRATION_SELECT + 1,
		[MIGRATION_TARGET_GONE] = MIGRATION_SELECT + 1,
		[MIGRATION_LATE] = MIGRATION_FAILED + 1,
		[MIGRATION_CLOSED] = MIGRATION_FAILED + 1,
	},
};

/**
 * migration_next() - the state that follows
 * @state: the state
 * @input: what has happened
 *
 * Return: the state then; @state itself when the input changes nothing.
 */
enum migration_state migration_next(enum migration_state state,
				    enum migration_input input)
{
	unsigned char then = next[state][input];

	return then ? (enum migration_state)(then - 1) : state;
}

/* The name of a state, for the log. */
const char *migration_state_name(enum migration_state state)
{
	static const char *const names[] = {
		[MIGRATION_QUEUED] = "queued", [MIGRATION_REACH] = "reach",
		[MIGRATION_SAVE] = "save",     [MIGRATION_HOLD] = "hold",
		[MIGRATION_SELECT] = "select", [MIGRATION_RESTORE] = "restore",
		[MIGRATION_OFFER] = "offer",   [MIGRATION_DONE] = "done",
		[MIGRATION_FAILED] = "failed",
	};

	return names[state];
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The machine of a migration: every state with every input.
 */
#include "../egpud/work.h"
#include "test.h"

#define QUEUED	MIGRATION_QUEUED
#define REACH	MIGRATION_REACH
#define SAVE	MIGRATION_SAVE
#define HOLD	MIGRATION_HOLD
#define SELECT	MIGRATION_SELECT
#define RESTORE MIGRATION_RESTORE
#define OFFER	MIGRATION_OFFER
#define DONE	MIGRATION_DONE
#define FAILED	MIGRATION_FAILED

/* In the order of the inputs, from MIGRATION_NOTHING to MIGRATION_CLOSED. */
static const enum migration_state expected[MIGRATION_STATES][MIGRATION_INPUTS] = {
	/* nothing, step, fail, late, off, gone, target gone, closed */
	[QUEUED] = { QUEUED, REACH, FAILED, QUEUED, FAILED, QUEUED, QUEUED,
		     FAILED },
	[REACH] = { REACH, SAVE, FAILED, FAILED, FAILED, SELECT, REACH, FAILED },
	[SAVE] = { SAVE, HOLD, FAILED, FAILED, FAILED, SELECT, SAVE, FAILED },
	[HOLD] = { HOLD, SELECT, FAILED, FAILED, FAILED, SELECT, HOLD, FAILED },
	[SELECT] = { SELECT, RESTORE, FAILED, FAILED, FAILED, SELECT, SELECT,
		     FAILED },
	[RESTORE] = { RESTORE, OFFER, SELECT, FAILED, FAILED, RESTORE, SELECT,
		      FAILED },
	[OFFER] = { OFFER, DONE, SELECT, FAILED, OFFER, OFFER, SELECT, FAILED },
	[DONE] = { DONE, DONE, DONE, DONE, DONE, DONE, DONE, DONE },
	[FAILED] = { FAILED, FAILED, FAILED, FAILED, FAILED, FAILED, FAILED,
		     FAILED },
};

static void every_state_with_every_input(void **state)
{
	int from, input;

	(void)state;
	for (from = 0; from < MIGRATION_STATES; from++) {
		for (input = 0; input < MIGRATION_INPUTS; input++) {
			if (migration_next(from, input) != expected[from][input])
				fail_msg("%s with input %d leads to %s",
					 migration_state_name(from), input,
					 migration_state_name(migration_next(from,
									     input)));
		}
	}
}

/* Whoever has begun has a limit, and the end of a program is that of it. */
static void every_state_ends(void **state)
{
	int from;

	(void)state;
	for (from = 0; from < MIGRATION_DONE; from++) {
		assert_int_equal(migration_next(from, MIGRATION_CLOSED),
				 MIGRATION_FAILED);
		if (from > MIGRATION_QUEUED)
			assert_int_equal(migration_next(from, MIGRATION_LATE),
					 MIGRATION_FAILED);
	}
}

/* Only the search for a device is begun again; the program is asked once. */
static void only_the_search_is_repeated(void **state)
{
	int from, input, then;

	(void)state;
	for (from = 0; from < MIGRATION_STATES; from++) {
		for (input = 0; input < MIGRATION_INPUTS; input++) {
			then = migration_next(from, input);
			if (then < from)
				assert_int_equal(then, MIGRATION_SELECT);
		}
	}
}

/* It is done by the program's word and by nothing else. */
static void done_only_after_an_offer(void **state)
{
	int from, input;

	(void)state;
	for (from = 0; from < MIGRATION_DONE; from++) {
		for (input = 0; input < MIGRATION_INPUTS; input++) {
			if (migration_next(from, input) != MIGRATION_DONE)
				continue;
			assert_int_equal(from, MIGRATION_OFFER);
			assert_int_equal(input, MIGRATION_STEP);
		}
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(every_state_with_every_input),
	cmocka_unit_test(every_state_ends),
	cmocka_unit_test(only_the_search_is_repeated),
	cmocka_unit_test(done_only_after_an_offer),
};

TEST_MAIN(tests, NULL, NULL)

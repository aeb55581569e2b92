// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The machine of a removal's transaction: every state with every input.
 */
#include "../egpud/egpud.h"
#include "test.h"

#define FENCE  TXN_FENCE
#define ASK    TXN_ASK
#define FREEZE TXN_FREEZE
#define DRAIN  TXN_DRAIN
#define SAVE   TXN_SAVE
#define LEAVE  TXN_LEAVE
#define GO     TXN_GO
#define UNDONE TXN_UNDONE
#define ENDED  TXN_ENDED

/* In the order of the inputs, from TXN_NOTHING to TXN_LEFT. */
static const enum txn_state expected[TXN_STATES][TXN_INPUTS] = {
	/* nothing, done, failed, late, hurry, released, off, gone, unbound, left */
	[FENCE] = { FENCE, ASK, UNDONE, FENCE, FREEZE, LEAVE, UNDONE, GO, GO,
		    ENDED },
	[ASK] = { ASK, FREEZE, UNDONE, ASK, FREEZE, LEAVE, UNDONE, GO, GO,
		  ENDED },
	[FREEZE] = { FREEZE, DRAIN, UNDONE, FREEZE, FREEZE, LEAVE, UNDONE, GO,
		     GO, ENDED },
	[DRAIN] = { DRAIN, SAVE, UNDONE, DRAIN, DRAIN, LEAVE, UNDONE, GO, GO,
		    ENDED },
	[SAVE] = { SAVE, LEAVE, UNDONE, SAVE, SAVE, LEAVE, UNDONE, GO, GO,
		   ENDED },
	[LEAVE] = { LEAVE, LEAVE, UNDONE, GO, LEAVE, LEAVE, UNDONE, GO, GO,
		    ENDED },
	[GO] = { GO, GO, GO, GO, GO, GO, UNDONE, GO, GO, ENDED },
	[UNDONE] = { UNDONE, UNDONE, UNDONE, UNDONE, UNDONE, UNDONE, UNDONE,
		     UNDONE, UNDONE, UNDONE },
	[ENDED] = { ENDED, ENDED, ENDED, ENDED, ENDED, ENDED, ENDED, ENDED,
		    ENDED, ENDED },
};

static void every_state_with_every_input(void **state)
{
	int from, input;

	(void)state;
	for (from = 0; from < TXN_STATES; from++) {
		for (input = 0; input < TXN_INPUTS; input++) {
			if (txn_next(from, input) != expected[from][input])
				fail_msg("%s with input %d leads to %s",
					 txn_state_name(from), input,
					 txn_state_name(txn_next(from, input)));
		}
	}
}

/* Wherever a removal is, there are two ways out that nothing can bar. */
static void every_state_ends(void **state)
{
	int from;

	(void)state;
	for (from = 0; from < TXN_UNDONE; from++) {
		assert_int_equal(txn_next(from, TXN_OFF), TXN_UNDONE);
		assert_int_equal(txn_next(from, TXN_LEFT), TXN_ENDED);
	}
}

/* No input leads back, so no step is done twice. */
static void nothing_leads_back(void **state)
{
	int from, input;

	(void)state;
	for (from = 0; from < TXN_STATES; from++) {
		for (input = 0; input < TXN_INPUTS; input++)
			assert_true((int)txn_next(from, input) >= from);
	}
}

static enum txn_input input_of(uint32_t phase, uint32_t release, uint32_t cause)
{
	struct egpu_removal removal = {
		.phase = phase,
		.release = release,
		.cause = cause,
	};

	return txn_input_of(&removal, false);
}

static void phases(void **state)
{
	const uint32_t graceful = EGPU_CAUSE_GRACEFUL;

	(void)state;
	assert_int_equal(input_of(EGPU_PHASE_PENDING, 0, graceful), TXN_NOTHING);
	assert_int_equal(input_of(EGPU_PHASE_ACCEPTED, 0, graceful),
			 TXN_NOTHING);
	assert_int_equal(input_of(EGPU_PHASE_RELEASED, EGPU_RELEASE_ACKED,
				  graceful),
			 TXN_NOTHING);
	assert_int_equal(input_of(EGPU_PHASE_RELEASED, EGPU_RELEASE_TIMED_OUT,
				  graceful),
			 TXN_RELEASED);
	assert_int_equal(input_of(EGPU_PHASE_RELEASED, EGPU_RELEASE_OVERTAKEN,
				  EGPU_CAUSE_SURPRISE),
			 TXN_GONE);
	/* Pulled after the acknowledgment is pulled all the same. */
	assert_int_equal(input_of(EGPU_PHASE_RELEASED, EGPU_RELEASE_ACKED,
				  EGPU_CAUSE_SURPRISE),
			 TXN_GONE);
	assert_int_equal(input_of(EGPU_PHASE_UNBOUND, EGPU_RELEASE_ACKED,
				  graceful),
			 TXN_UNBOUND);
	assert_int_equal(input_of(EGPU_PHASE_DONE, EGPU_RELEASE_ACKED, graceful),
			 TXN_LEFT);
	assert_int_equal(input_of(EGPU_PHASE_CANCELLED, EGPU_RELEASE_WITHDRAWN,
				  graceful),
			 TXN_OFF);
	assert_int_equal(input_of(EGPU_PHASE_REFUSED, EGPU_RELEASE_ACKED,
				  graceful),
			 TXN_OFF);
	/* One that a newer kernel has added ends it as well. */
	assert_int_equal(input_of(77, 0, graceful), TXN_OFF);
}

static void overtaken_by_others(void **state)
{
	static const uint32_t evidence[] = {
		EGPU_EVIDENCE_HOTPLUG_THREAD,
		EGPU_EVIDENCE_SYSFS_REMOVE,
		EGPU_EVIDENCE_DRIVER_UNLOAD,
		EGPU_EVIDENCE_USER_TASK,
	};
	struct egpu_removal removal = {
		.origin = EGPU_ORIGIN_EJECT,
		.phase = EGPU_PHASE_ACCEPTED,
	};
	size_t i;

	(void)state;
	removal.evidence = EGPU_EVIDENCE_EJECT | EGPU_EVIDENCE_PRESENT;
	assert_int_equal(txn_input_of(&removal, false), TXN_NOTHING);
	for (i = 0; i < sizeof(evidence) / sizeof(evidence[0]); i++) {
		removal.origin = EGPU_ORIGIN_EJECT;
		removal.evidence = EGPU_EVIDENCE_EJECT | evidence[i];
		assert_int_equal(txn_input_of(&removal, false), TXN_HURRY);
		/* Theirs from the beginning is in a hurry anyway. */
		removal.origin = EGPU_ORIGIN_OTHERS;
		assert_int_equal(txn_input_of(&removal, false), TXN_NOTHING);
	}
	assert_int_equal(txn_input_of(&removal, true), TXN_LEFT);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(every_state_with_every_input),
	cmocka_unit_test(every_state_ends),
	cmocka_unit_test(nothing_leads_back),
	cmocka_unit_test(phases),
	cmocka_unit_test(overtaken_by_others),
};

TEST_MAIN(tests, NULL, NULL)

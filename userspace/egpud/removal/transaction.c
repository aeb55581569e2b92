// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The transaction that a removal is: which state follows which. What is done in
 * a state is in steps.c, undoing it in undo.c.
 *
 * Nothing here does anything, so that each case can be tried.
 */
#include <stddef.h>

#include "../egpud.h"

/* What can end every state before the acknowledgment, in the same way. */
#define BEFORE_ACK                                                             \
	[TXN_FAILED] = TXN_UNDONE + 1, [TXN_OFF] = TXN_UNDONE + 1,             \
	[TXN_GONE] = TXN_GO + 1, [TXN_RELEASED] = TXN_LEAVE + 1,               \
	[TXN_UNBOUND] = TXN_GO + 1, [TXN_LEFT] = TXN_ENDED + 1

/* The state after an input, plus 1; 0 where the input changes nothing. */
static const unsigned char next[TXN_STATES][TXN_INPUTS] = {
	[TXN_FENCE] = {
		BEFORE_ACK,
		[TXN_DONE] = TXN_ASK + 1,
		/* Others hold the removal: no time to ask anybody. */
		[TXN_HURRY] = TXN_FREEZE + 1,
	},
	[TXN_ASK] = {
		BEFORE_ACK,
		[TXN_DONE] = TXN_FREEZE + 1,
		[TXN_HURRY] = TXN_FREEZE + 1,
	},
	[TXN_FREEZE] = {
		BEFORE_ACK,
		[TXN_DONE] = TXN_DRAIN + 1,
	},
	[TXN_DRAIN] = {
		BEFORE_ACK,
		[TXN_DONE] = TXN_SAVE + 1,
	},
	[TXN_SAVE] = {
		BEFORE_ACK,
		[TXN_DONE] = TXN_LEAVE + 1,
	},
	/* A driver that hangs must not keep programs from going on. */
	[TXN_LEAVE] = {
		[TXN_FAILED] = TXN_UNDONE + 1,
		[TXN_OFF] = TXN_UNDONE + 1,
		[TXN_LATE] = TXN_GO + 1,
		[TXN_GONE] = TXN_GO + 1,
		[TXN_UNBOUND] = TXN_GO + 1,
		[TXN_LEFT] = TXN_ENDED + 1,
	},
	[TXN_GO] = {
		[TXN_OFF] = TXN_UNDONE + 1,
		[TXN_LEFT] = TXN_ENDED + 1,
	},
};

/**
 * txn_next() - the state that follows
 * @state: the state
 * @input: what has happened
 *
 * Return: the state then; @state itself when the input changes nothing.
 */
enum txn_state txn_next(enum txn_state state, enum txn_input input)
{
	unsigned char then = next[state][input];

	return then ? (enum txn_state)(then - 1) : state;
}

/* The name of a state, for the log. */
const char *txn_state_name(enum txn_state state)
{
	static const char *const names[] = {
		[TXN_FENCE] = "fence",	 [TXN_ASK] = "ask",
		[TXN_FREEZE] = "freeze", [TXN_DRAIN] = "drain",
		[TXN_SAVE] = "save",	 [TXN_LEAVE] = "leave",
		[TXN_GO] = "go",	 [TXN_UNDONE] = "undone",
		[TXN_ENDED] = "ended",
	};

	return names[state];
}

/* By what somebody else's removal is known, also in an eject it overtakes. */
#define BY_OTHERS                                                              \
	(EGPU_EVIDENCE_HOTPLUG_THREAD | EGPU_EVIDENCE_SYSFS_REMOVE |           \
	 EGPU_EVIDENCE_DRIVER_UNLOAD | EGPU_EVIDENCE_USER_TASK)

/**
 * txn_input_of() - what an event of a removal means to its transaction
 * @removal: the removal as it is now
 * @disconnected: the GPU is off the bus
 *
 * Return: the input.
 */
enum txn_input txn_input_of(const struct egpu_removal *removal,
			    bool disconnected)
{
	if (disconnected)
		return TXN_LEFT;
	switch (removal->phase) {
	case EGPU_PHASE_PENDING:
	case EGPU_PHASE_ACCEPTED:
		if (removal->origin == EGPU_ORIGIN_EJECT &&
		    removal->evidence & BY_OTHERS)
			return TXN_HURRY;
		return TXN_NOTHING;
	case EGPU_PHASE_RELEASED:
		if (removal->cause == EGPU_CAUSE_SURPRISE)
			return TXN_GONE;
		return removal->release == EGPU_RELEASE_ACKED ? TXN_NOTHING :
								TXN_RELEASED;
	case EGPU_PHASE_UNBOUND:
		return TXN_UNBOUND;
	case EGPU_PHASE_DONE:
		return TXN_LEFT;
	default:
		/* Cancelled, refused, or a new way in which nothing leaves. */
		return TXN_OFF;
	}
}

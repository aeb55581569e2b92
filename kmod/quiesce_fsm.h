/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How far the clients of a GPU are stopped, as a pure state machine.
 *
 *              fence             drain              clean twice
 *    RUNNING ---------> FENCED ---------> DRAINING -------------> QUIESCED
 *                       ^ ^  ^               |                       |
 *                       | |  `---------------'                       |
 *                       | |   deadline, gone, no memory              |
 *                       | `------------------------------------------'
 *                       |                    a driver is bound anew
 *                       | fence
 *                    RESUMED <--- resume, death, unload --- all but RUNNING
 *
 * FENCED is a helper's word that it keeps new clients away. After a drain that
 * has failed it can be drained again. No kernel object, no lock, no clock: time
 * is passed in. quiesce.c gives it a lock, a wait queue and events.
 */
#ifndef _EGPU_QUIESCE_FSM_H
#define _EGPU_QUIESCE_FSM_H

#include <linux/types.h>
#include <uapi/linux/egpu.h>

/* Looks in a row that must find nothing: what was being submitted during the
 * first of them is seen by the second.
 */
#define EGPU_QUIESCE_LOOKS 2

/**
 * enum egpu_quiesce_input - what can happen
 * @EGPU_QUIESCE_FENCE: a helper says that it keeps new clients away
 * @EGPU_QUIESCE_DRAIN: it wants to wait for the work in flight
 * @EGPU_QUIESCE_RESUME: it lets clients come again
 * @EGPU_QUIESCE_CLEAN: a whole look has found nothing in flight
 * @EGPU_QUIESCE_BUSY: a look has found something
 * @EGPU_QUIESCE_TICK: time has passed
 * @EGPU_QUIESCE_GONE: the device has gone, is going, or answers nothing
 * @EGPU_QUIESCE_NO_MEMORY: there is no memory to look
 * @EGPU_QUIESCE_BOUND: a driver was bound, what is known is of the one before
 * @EGPU_QUIESCE_OWNER_GONE: a netlink port was closed
 * @EGPU_QUIESCE_UNLOAD: the module goes
 */
enum egpu_quiesce_input {
	EGPU_QUIESCE_FENCE,
	EGPU_QUIESCE_DRAIN,
	EGPU_QUIESCE_RESUME,
	EGPU_QUIESCE_CLEAN,
	EGPU_QUIESCE_BUSY,
	EGPU_QUIESCE_TICK,
	EGPU_QUIESCE_GONE,
	EGPU_QUIESCE_NO_MEMORY,
	EGPU_QUIESCE_BOUND,
	EGPU_QUIESCE_OWNER_GONE,
	EGPU_QUIESCE_UNLOAD,
};

/**
 * struct egpu_quiesce_fsm - state of one GPU
 * @state: how far its clients are stopped
 * @result: how the last drain ended
 * @owner: netlink port of the helper that has fenced it; 0 for none, or for an
 *	eject of our own
 * @run: number of the last drain, so that who drains can tell its own
 * @clean: looks in a row that have found nothing
 * @deadline: ns, end of the drain
 * @started: ns at which the last drain began, 0 before the first
 * @ended: ns at which it ended, 0 while it goes on
 */
struct egpu_quiesce_fsm {
	enum egpu_quiesce_state state;
	enum egpu_drain_result result;
	u32 owner;
	u32 run;
	u32 clean;
	u64 deadline;
	u64 started;
	u64 ended;
};

/**
 * struct egpu_quiesce_message - an input with what comes with it
 * @input: what has happened
 * @port: netlink port it came from; of fence, drain, resume and owner-gone
 * @wait_ns: how long a drain may take
 * @now: ns
 */
struct egpu_quiesce_message {
	enum egpu_quiesce_input input;
	u32 port;
	u64 wait_ns;
	u64 now;
};

int egpu_quiesce_fsm_step(struct egpu_quiesce_fsm *fsm,
			  const struct egpu_quiesce_message *message,
			  const char **why);

/**
 * egpu_quiesce_fsm_fenced - is somebody said to keep new clients away
 * @fsm: the state
 *
 * Return: true in the states fenced, draining and quiesced.
 */
static inline bool egpu_quiesce_fsm_fenced(const struct egpu_quiesce_fsm *fsm)
{
	return fsm->state == EGPU_QUIESCE_STATE_FENCED ||
	       fsm->state == EGPU_QUIESCE_STATE_DRAINING ||
	       fsm->state == EGPU_QUIESCE_STATE_QUIESCED;
}

#endif /* _EGPU_QUIESCE_FSM_H */

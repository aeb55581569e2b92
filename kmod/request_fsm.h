/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The life of one removal request, as a pure state machine.
 *
 *                 accept            ack, death, deadline, surprise, unload
 *    PENDING ---------------> ACCEPTED ------------------------.
 *       | \                      |                             v
 *       |  `-- nobody, deadline, surprise, unload -------> RELEASED
 *       |                        |                          |    \ unbound
 *       | cancel, unload (eject) |          refuse (eject)  |     v
 *       v                        v          .---------------'  UNBOUND
 *    CANCELLED <-----------------+          v                     | done
 *                                `----> REFUSED                   v
 *                        refuse (eject)                         DONE
 *
 * No kernel object, no lock, no clock: time is passed in. request.c gives it
 * a lock, a wait queue and events.
 */
#ifndef _EGPU_REQUEST_FSM_H
#define _EGPU_REQUEST_FSM_H

#include <linux/types.h>
#include <uapi/linux/egpu.h>

/**
 * enum egpu_fsm_input - what can happen to a request
 * @EGPU_FSM_ACCEPT: a helper takes it
 * @EGPU_FSM_ACK: a helper says that it is done
 * @EGPU_FSM_REPORT: a helper says what it is doing
 * @EGPU_FSM_CANCEL: a user calls the eject off
 * @EGPU_FSM_REFUSE: the eject finds the GPU in use, or its helper says that it
 *	is and stays so
 * @EGPU_FSM_TICK: time has passed
 * @EGPU_FSM_HELPER_GONE: a netlink port was closed
 * @EGPU_FSM_NO_HELPER: nobody listens as a helper any more
 * @EGPU_FSM_SURPRISE: the device has gone
 * @EGPU_FSM_UNLOAD: the module goes
 * @EGPU_FSM_UNBOUND: the driver has let go
 * @EGPU_FSM_DONE: off the bus, or (cause unbind) free of its driver for good
 */
enum egpu_fsm_input {
	EGPU_FSM_ACCEPT,
	EGPU_FSM_ACK,
	EGPU_FSM_REPORT,
	EGPU_FSM_CANCEL,
	EGPU_FSM_REFUSE,
	EGPU_FSM_TICK,
	EGPU_FSM_HELPER_GONE,
	EGPU_FSM_NO_HELPER,
	EGPU_FSM_SURPRISE,
	EGPU_FSM_UNLOAD,
	EGPU_FSM_UNBOUND,
	EGPU_FSM_DONE,
};

/**
 * struct egpu_fsm - state of one request
 * @origin: who began it
 * @phase: where it is
 * @release: why it stopped waiting; NOT_YET while it waits
 * @cause: why the GPU leaves
 * @evidence: EGPU_EVIDENCE_* flags
 * @taken_over: an eject that somebody else's removal has overtaken
 * @helper: netlink port of the accepting helper, 0 for none
 * @accept_by: ns, end of the time to accept
 * @deadline: ns, end of all waiting
 * @created: ns of each phase's begin, 0 when not reached, as those below
 * @accepted: a helper took it
 * @released: the waiting ended
 * @unbound: the driver had let go
 * @finished: done, cancelled or refused
 */
struct egpu_fsm {
	enum egpu_origin origin;
	enum egpu_phase phase;
	enum egpu_release release;
	enum egpu_cause cause;
	u32 evidence;
	bool taken_over;
	u32 helper;
	u64 accept_by;
	u64 deadline;
	u64 created;
	u64 accepted;
	u64 released;
	u64 unbound;
	u64 finished;
};

/**
 * struct egpu_fsm_start - what is known when a request begins
 * @origin: who began it
 * @cause: presumed cause
 * @evidence: EGPU_EVIDENCE_* flags
 * @gone: the device has left already
 * @external: it hangs on a cable; removals of others are never held
 * @helpers: somebody listens as a helper
 * @now: ns
 * @accept_ns: time to accept
 * @wait_ns: time to the deadline
 */
struct egpu_fsm_start {
	enum egpu_origin origin;
	enum egpu_cause cause;
	u32 evidence;
	bool gone;
	bool external;
	bool helpers;
	u64 now;
	u64 accept_ns;
	u64 wait_ns;
};

void egpu_fsm_begin(struct egpu_fsm *fsm, const struct egpu_fsm_start *start);
int egpu_fsm_step(struct egpu_fsm *fsm, enum egpu_fsm_input input, u32 port,
		  u64 now, const char **why);
void egpu_fsm_take_over(struct egpu_fsm *fsm, enum egpu_cause cause,
			u32 evidence, u64 wait_ns, u64 now);
void egpu_fsm_left_bus(struct egpu_fsm *fsm, bool marked);
u64 egpu_fsm_wake_at(const struct egpu_fsm *fsm);

/**
 * egpu_fsm_waiting - does the request still wait
 * @fsm: the request
 *
 * Return: true in the phases pending and accepted.
 */
static inline bool egpu_fsm_waiting(const struct egpu_fsm *fsm)
{
	return fsm->phase == EGPU_PHASE_PENDING ||
	       fsm->phase == EGPU_PHASE_ACCEPTED;
}

/**
 * egpu_fsm_finished - is the request at its end
 * @fsm: the request
 *
 * Return: true in the phases done, cancelled and refused.
 */
static inline bool egpu_fsm_finished(const struct egpu_fsm *fsm)
{
	return fsm->phase == EGPU_PHASE_DONE ||
	       fsm->phase == EGPU_PHASE_CANCELLED ||
	       fsm->phase == EGPU_PHASE_REFUSED;
}

#endif /* _EGPU_REQUEST_FSM_H */

// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/minmax.h>

#include "request_fsm.h"

static void release(struct egpu_fsm *fsm, enum egpu_release why, u64 now)
{
	fsm->phase = EGPU_PHASE_RELEASED;
	fsm->release = why;
	fsm->released = now;
}

static void finish(struct egpu_fsm *fsm, enum egpu_phase phase, u64 now)
{
	fsm->phase = phase;
	fsm->finished = now;
}

static int no(const char **why, int error, const char *text)
{
	*why = text;
	return error;
}

/**
 * egpu_fsm_begin - begin a request
 * @fsm: overwritten
 * @start: what is known
 *
 * The request is pending when somebody may have something to do, else it is
 * released at once. An eject of a GPU with clients is checked by the caller.
 */
void egpu_fsm_begin(struct egpu_fsm *fsm, const struct egpu_fsm_start *start)
{
	*fsm = (struct egpu_fsm){
		.origin = start->origin,
		.phase = EGPU_PHASE_PENDING,
		.release = EGPU_RELEASE_NOT_YET,
		.cause = start->cause,
		.evidence = start->evidence,
		.created = start->now,
		.deadline = start->now + start->wait_ns,
		.accept_by = start->now + min(start->accept_ns, start->wait_ns),
	};

	if (start->gone)
		release(fsm, EGPU_RELEASE_GONE, start->now);
	else if (!start->external)
		release(fsm, EGPU_RELEASE_INTERNAL, start->now);
	else if (!start->helpers)
		release(fsm, EGPU_RELEASE_UNATTENDED, start->now);
	else if (!start->wait_ns)
		release(fsm, EGPU_RELEASE_TIMED_OUT, start->now);
}

static int step_accept(struct egpu_fsm *fsm, u32 port, u64 now, const char **why)
{
	if (fsm->phase == EGPU_PHASE_ACCEPTED && fsm->helper == port)
		return no(why, -EALREADY,
			  "you have accepted this removal already");
	if (fsm->phase == EGPU_PHASE_ACCEPTED)
		return no(why, -EBUSY,
			  "another helper has accepted this removal");
	if (fsm->phase != EGPU_PHASE_PENDING)
		return no(why, -ETIME,
			  "too late to accept, this removal waits no more");
	fsm->phase = EGPU_PHASE_ACCEPTED;
	fsm->helper = port;
	fsm->accepted = now;
	return 1;
}

static int step_ack(struct egpu_fsm *fsm, u32 port, u64 now, const char **why)
{
	if (fsm->phase == EGPU_PHASE_PENDING)
		return no(why, -EPROTO,
			  "accept this removal before acknowledging it");
	if (fsm->helper != port)
		return no(why, -EPERM,
			  "only the helper that accepted this removal may acknowledge it");
	if (fsm->release == EGPU_RELEASE_ACKED)
		return no(why, -EALREADY,
			  "you have acknowledged this removal already");
	if (fsm->phase != EGPU_PHASE_ACCEPTED)
		return no(why, -ETIME,
			  "too late to acknowledge, this removal waits no more");
	release(fsm, EGPU_RELEASE_ACKED, now);
	return 1;
}

/* What is done is for the caller to keep; here is who may say so, and when. */
static int step_report(const struct egpu_fsm *fsm, u32 port, const char **why)
{
	if (fsm->phase == EGPU_PHASE_PENDING)
		return no(why, -EPROTO,
			  "accept this removal before reporting on it");
	if (fsm->helper != port)
		return no(why, -EPERM,
			  "only the helper that accepted this removal may report on it");
	if (fsm->phase != EGPU_PHASE_ACCEPTED)
		return no(why, -ETIME,
			  "too late to report, this removal waits no more");
	return 1;
}

static int step_cancel(struct egpu_fsm *fsm, u64 now, const char **why)
{
	if (fsm->origin != EGPU_ORIGIN_EJECT)
		return no(why, -EOPNOTSUPP,
			  "only an eject can be cancelled, this removal was begun by others");
	if (fsm->phase == EGPU_PHASE_CANCELLED)
		return no(why, -EALREADY, "this eject is cancelled already");
	if (egpu_fsm_finished(fsm))
		return no(why, -ESTALE, "this eject has ended already");
	if (fsm->taken_over)
		return no(why, -EBUSY,
			  "somebody else has begun to remove the GPU by now");
	if (!egpu_fsm_waiting(fsm))
		return no(why, -EBUSY,
			  "too late to cancel, the GPU is being removed");
	fsm->release = EGPU_RELEASE_WITHDRAWN;
	fsm->released = now;
	finish(fsm, EGPU_PHASE_CANCELLED, now);
	return 1;
}

static int refuse_by_helper(struct egpu_fsm *fsm, u32 port, u64 now,
			    const char **why)
{
	if (fsm->phase == EGPU_PHASE_PENDING)
		return no(why, -EPROTO, "accept this eject before refusing it");
	if (fsm->helper != port)
		return no(why, -EPERM,
			  "only the helper that accepted this eject may refuse it");
	if (fsm->phase != EGPU_PHASE_ACCEPTED)
		return no(why, -EINVAL,
			  "too late to refuse, this eject waits no more");
	fsm->release = EGPU_RELEASE_WITHDRAWN;
	fsm->released = now;
	finish(fsm, EGPU_PHASE_REFUSED, now);
	return 1;
}

/*
 * Between its release and the removal an eject looks for clients again. That
 * refusal is ours and comes from port 0, a helper's comes before the release.
 */
static int step_refuse(struct egpu_fsm *fsm, u32 port, u64 now, const char **why)
{
	if (fsm->origin != EGPU_ORIGIN_EJECT)
		return no(why, -EINVAL,
			  "only an eject can be refused, this removal was begun by others");
	if (fsm->taken_over)
		return no(why, -EINVAL,
			  "too late to refuse, somebody else has begun to remove the GPU");
	if (port)
		return refuse_by_helper(fsm, port, now, why);
	if (fsm->phase != EGPU_PHASE_RELEASED)
		return no(why, -EINVAL,
			  "only an eject that has not begun to remove can be refused");
	finish(fsm, EGPU_PHASE_REFUSED, now);
	return 1;
}

static int step_tick(struct egpu_fsm *fsm, u64 now)
{
	if (fsm->phase == EGPU_PHASE_PENDING && now >= fsm->accept_by)
		release(fsm, EGPU_RELEASE_NOT_ACCEPTED, now);
	else if (fsm->phase == EGPU_PHASE_ACCEPTED && now >= fsm->deadline)
		release(fsm, EGPU_RELEASE_TIMED_OUT, now);
	else
		return 0;
	return 1;
}

/*
 * After the release there is nobody left to tell, but the cause is worth
 * mending until the driver has let go: what unplugs during the driver's own
 * remove was a surprise to the driver.
 */
static int step_surprise(struct egpu_fsm *fsm, u64 now)
{
	if (egpu_fsm_finished(fsm) || fsm->cause == EGPU_CAUSE_SURPRISE)
		return 0;
	fsm->cause = EGPU_CAUSE_SURPRISE;
	fsm->evidence |= EGPU_EVIDENCE_OVERTAKEN;
	if (egpu_fsm_waiting(fsm))
		release(fsm, EGPU_RELEASE_OVERTAKEN, now);
	return 1;
}

static int step_unload(struct egpu_fsm *fsm, u64 now)
{
	if (!egpu_fsm_waiting(fsm))
		return 0;
	release(fsm, EGPU_RELEASE_UNLOADED, now);
	if (fsm->origin == EGPU_ORIGIN_EJECT && !fsm->taken_over)
		finish(fsm, EGPU_PHASE_CANCELLED, now);
	return 1;
}

static int release_if_waiting(struct egpu_fsm *fsm, enum egpu_release why,
			      u64 now)
{
	if (!egpu_fsm_waiting(fsm))
		return 0;
	release(fsm, why, now);
	return 1;
}

/**
 * egpu_fsm_step - something happened
 * @fsm: the request
 * @input: what
 * @port: netlink port it came from; used by accept, ack, report, refuse (0 when
 *	it is our own) and helper-gone
 * @now: ns
 * @why: set to a sentence when an error is returned, static storage
 *
 * Return: 1 when the request changed, 0 when the input did not concern it, or
 * an error that leaves it as it was: -EALREADY said before, -EBUSY somebody
 * else has it, -ETIME and -ESTALE too late, -EPERM not the accepter, -EPROTO
 * not accepted yet, -EOPNOTSUPP not an eject, -EINVAL not in this phase.
 */
int egpu_fsm_step(struct egpu_fsm *fsm, enum egpu_fsm_input input, u32 port,
		  u64 now, const char **why)
{
	switch (input) {
	case EGPU_FSM_ACCEPT:
		return step_accept(fsm, port, now, why);
	case EGPU_FSM_ACK:
		return step_ack(fsm, port, now, why);
	case EGPU_FSM_REPORT:
		return step_report(fsm, port, why);
	case EGPU_FSM_CANCEL:
		return step_cancel(fsm, now, why);
	case EGPU_FSM_REFUSE:
		return step_refuse(fsm, port, now, why);
	case EGPU_FSM_TICK:
		return step_tick(fsm, now);
	case EGPU_FSM_HELPER_GONE:
		if (fsm->phase != EGPU_PHASE_ACCEPTED || fsm->helper != port)
			return 0;
		return release_if_waiting(fsm, EGPU_RELEASE_HELPER_DIED, now);
	case EGPU_FSM_NO_HELPER:
		if (fsm->phase != EGPU_PHASE_PENDING)
			return 0;
		return release_if_waiting(fsm, EGPU_RELEASE_UNATTENDED, now);
	case EGPU_FSM_SURPRISE:
		return step_surprise(fsm, now);
	case EGPU_FSM_UNLOAD:
		return step_unload(fsm, now);
	case EGPU_FSM_UNBOUND:
		if (egpu_fsm_finished(fsm) || fsm->phase == EGPU_PHASE_UNBOUND)
			return 0;
		release_if_waiting(fsm, EGPU_RELEASE_GONE, now);
		fsm->phase = EGPU_PHASE_UNBOUND;
		fsm->unbound = now;
		return 1;
	case EGPU_FSM_DONE:
		if (egpu_fsm_finished(fsm))
			return 0;
		release_if_waiting(fsm, EGPU_RELEASE_GONE, now);
		finish(fsm, EGPU_PHASE_DONE, now);
		return 1;
	}
	return no(why, -EINVAL, "unknown input");
}

/**
 * egpu_fsm_take_over - somebody else removes what was to be ejected
 * @fsm: an eject that is not finished
 * @cause: presumed cause of the other removal
 * @evidence: its evidence
 * @wait_ns: longest time the other removal may wait
 * @now: ns
 *
 * The helper goes on with the request it knows, but from here on the wait
 * runs inside the other removal and so has the short bound.
 */
void egpu_fsm_take_over(struct egpu_fsm *fsm, enum egpu_cause cause,
			u32 evidence, u64 wait_ns, u64 now)
{
	fsm->taken_over = true;
	fsm->evidence |= evidence;
	if (cause == EGPU_CAUSE_SURPRISE) {
		step_surprise(fsm, now);
		return;
	}
	fsm->cause = cause;
	fsm->deadline = min(fsm->deadline, now + wait_ns);
	fsm->accept_by = min(fsm->accept_by, fsm->deadline);
}

/**
 * egpu_fsm_left_bus - the device is being taken off the bus
 * @fsm: a request that is not finished
 * @marked: the PCI core has it marked as disconnected
 *
 * Settles the cause: what looked like an unbind was the first half of a
 * removal, and what was marked since then went before the end.
 */
void egpu_fsm_left_bus(struct egpu_fsm *fsm, bool marked)
{
	if (marked && fsm->cause != EGPU_CAUSE_SURPRISE) {
		fsm->cause = EGPU_CAUSE_SURPRISE;
		fsm->evidence |= EGPU_EVIDENCE_MARKED | EGPU_EVIDENCE_OVERTAKEN;
	} else if (fsm->cause == EGPU_CAUSE_UNBIND) {
		fsm->cause = EGPU_CAUSE_GRACEFUL;
	}
}

/**
 * egpu_fsm_wake_at - when does the request change by itself
 * @fsm: the request
 *
 * Return: ns at which the next tick is due, U64_MAX when none is.
 */
u64 egpu_fsm_wake_at(const struct egpu_fsm *fsm)
{
	if (fsm->phase == EGPU_PHASE_PENDING)
		return fsm->accept_by;
	if (fsm->phase == EGPU_PHASE_ACCEPTED)
		return fsm->deadline;
	return U64_MAX;
}

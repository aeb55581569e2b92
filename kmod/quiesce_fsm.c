// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>

#include "quiesce_fsm.h"

static int no(const char **why, int error, const char *text)
{
	*why = text;
	return error;
}

static int step_fence(struct egpu_quiesce_fsm *fsm, u32 port, const char **why)
{
	if (egpu_quiesce_fsm_fenced(fsm) && fsm->owner == port)
		return no(why, -EALREADY, "you have fenced this GPU already");
	if (egpu_quiesce_fsm_fenced(fsm))
		return no(why, -EBUSY, "another has fenced this GPU");
	fsm->state = EGPU_QUIESCE_STATE_FENCED;
	fsm->owner = port;
	return 1;
}

static int step_drain(struct egpu_quiesce_fsm *fsm,
		      const struct egpu_quiesce_message *message,
		      const char **why)
{
	if (!egpu_quiesce_fsm_fenced(fsm))
		return no(why, -EPROTO, "fence this GPU before draining it");
	if (fsm->owner != message->port)
		return no(why, -EPERM,
			  "only who has fenced this GPU may drain it");
	if (fsm->state == EGPU_QUIESCE_STATE_DRAINING)
		return no(why, -EALREADY, "this GPU is being drained already");
	if (fsm->state == EGPU_QUIESCE_STATE_QUIESCED)
		return no(why, -EALREADY,
			  "this GPU is quiesced already; to look again, resume it first");
	fsm->state = EGPU_QUIESCE_STATE_DRAINING;
	fsm->result = EGPU_DRAIN_RESULT_NONE;
	fsm->run++;
	fsm->clean = 0;
	fsm->started = message->now;
	fsm->ended = 0;
	fsm->deadline = message->now + message->wait_ns;
	return 1;
}

static int end_drain(struct egpu_quiesce_fsm *fsm, enum egpu_quiesce_state state,
		     enum egpu_drain_result result, u64 now)
{
	if (fsm->state != EGPU_QUIESCE_STATE_DRAINING)
		return 0;
	fsm->state = state;
	fsm->result = result;
	fsm->ended = now;
	return 1;
}

static int call_off(struct egpu_quiesce_fsm *fsm, u64 now)
{
	if (!egpu_quiesce_fsm_fenced(fsm))
		return 0;
	end_drain(fsm, EGPU_QUIESCE_STATE_RESUMED, EGPU_DRAIN_RESULT_STOPPED,
		  now);
	fsm->state = EGPU_QUIESCE_STATE_RESUMED;
	fsm->owner = 0;
	return 1;
}

static int step_resume(struct egpu_quiesce_fsm *fsm, u32 port, u64 now,
		       const char **why)
{
	if (!egpu_quiesce_fsm_fenced(fsm))
		return no(why, -EALREADY, "this GPU is not fenced");
	if (fsm->owner != port)
		return no(why, -EPERM,
			  "only who has fenced this GPU may resume it");
	return call_off(fsm, now);
}

static int step_clean(struct egpu_quiesce_fsm *fsm, u64 now)
{
	if (fsm->state != EGPU_QUIESCE_STATE_DRAINING)
		return 0;
	fsm->clean++;
	if (fsm->clean < EGPU_QUIESCE_LOOKS)
		return 0;
	return end_drain(fsm, EGPU_QUIESCE_STATE_QUIESCED,
			 EGPU_DRAIN_RESULT_DRAINED, now);
}

/**
 * egpu_quiesce_fsm_step - something happened
 * @fsm: the state
 * @message: what, from whom, and when
 * @why: set to a sentence when an error is returned, static storage
 *
 * Return: 1 when the state changed, 0 when it did not, or an error that leaves
 * it as it was: -EALREADY it is so already, -EBUSY another has fenced it,
 * -EPERM fenced by another, -EPROTO drain before fence.
 */
int egpu_quiesce_fsm_step(struct egpu_quiesce_fsm *fsm,
			  const struct egpu_quiesce_message *message,
			  const char **why)
{
	u64 now = message->now;

	switch (message->input) {
	case EGPU_QUIESCE_FENCE:
		return step_fence(fsm, message->port, why);
	case EGPU_QUIESCE_DRAIN:
		return step_drain(fsm, message, why);
	case EGPU_QUIESCE_RESUME:
		return step_resume(fsm, message->port, now, why);
	case EGPU_QUIESCE_CLEAN:
		return step_clean(fsm, now);
	case EGPU_QUIESCE_BUSY:
		fsm->clean = 0;
		return 0;
	case EGPU_QUIESCE_TICK:
		if (now < fsm->deadline)
			return 0;
		return end_drain(fsm, EGPU_QUIESCE_STATE_FENCED,
				 EGPU_DRAIN_RESULT_TIMED_OUT, now);
	case EGPU_QUIESCE_GONE:
		return end_drain(fsm, EGPU_QUIESCE_STATE_FENCED,
				 EGPU_DRAIN_RESULT_GONE, now);
	case EGPU_QUIESCE_NO_MEMORY:
		return end_drain(fsm, EGPU_QUIESCE_STATE_FENCED,
				 EGPU_DRAIN_RESULT_NO_MEMORY, now);
	case EGPU_QUIESCE_BOUND:
		fsm->clean = 0;
		if (fsm->state != EGPU_QUIESCE_STATE_QUIESCED)
			return 0;
		fsm->state = EGPU_QUIESCE_STATE_FENCED;
		return 1;
	case EGPU_QUIESCE_OWNER_GONE:
		return message->port && fsm->owner == message->port ?
			       call_off(fsm, now) :
			       0;
	case EGPU_QUIESCE_UNLOAD:
		return call_off(fsm, now);
	}
	return no(why, -EINVAL, "unknown input");
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A removal as a row of steps, each with its share of the time.
 */
#include "ctl.h"

static void add(struct ctl_step *steps, size_t *n, uint32_t phase, uint64_t at)
{
	uint64_t first = *n ? steps[0].at : at;
	uint64_t last = *n ? steps[*n - 1].at : at;

	if (!at)
		return;
	steps[*n].phase = phase;
	steps[*n].at = at;
	/* The clock does not go back; a message might claim so. */
	steps[*n].after = at > first ? at - first : 0;
	steps[*n].took = at > last ? at - last : 0;
	(*n)++;
}

/**
 * steps_of() - the steps of a removal
 * @removal: removal
 * @steps: where to put them, in the order in which they come
 *
 * Return: how many.
 */
size_t steps_of(const struct egpu_removal *removal,
		struct ctl_step steps[STEPS_MAX])
{
	uint32_t last = EGPU_PHASE_DONE;
	size_t n = 0;

	if (removal->phase == EGPU_PHASE_CANCELLED ||
	    removal->phase == EGPU_PHASE_REFUSED)
		last = removal->phase;
	add(steps, &n, EGPU_PHASE_PENDING, removal->created);
	add(steps, &n, EGPU_PHASE_ACCEPTED, removal->accepted);
	add(steps, &n, EGPU_PHASE_RELEASED, removal->released);
	add(steps, &n, EGPU_PHASE_UNBOUND, removal->unbound);
	add(steps, &n, last, removal->finished);
	return n;
}

/**
 * steps_meaning() - what the time before a step went into
 * @removal: removal
 * @step: one of its steps
 *
 * Return: a text.
 */
const char *steps_meaning(const struct egpu_removal *removal,
			  const struct ctl_step *step)
{
	switch (step->phase) {
	case EGPU_PHASE_PENDING:
		return removal->origin == EGPU_ORIGIN_EJECT ?
			       "eject was asked for" :
			       "driver was about to be unbound";
	case EGPU_PHASE_ACCEPTED:
		return "until a helper accepted";
	case EGPU_PHASE_RELEASED:
		return describe_release(removal->release);
	case EGPU_PHASE_UNBOUND:
		return "the driver let go";
	case EGPU_PHASE_DONE:
		return removal->cause == EGPU_CAUSE_UNBIND ?
			       "free of its driver, still on the bus" :
			       "off the bus";
	case EGPU_PHASE_CANCELLED:
		return "called off, nothing was removed";
	case EGPU_PHASE_REFUSED:
		return "nothing was removed";
	default:
		return "";
	}
}

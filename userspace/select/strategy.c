// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * When work is to leave a device that is not leaving itself. Pure: two looks at
 * the sensors go in, at most one device comes out.
 *
 * A device that was reported is not reported again before it has recovered; else
 * each look would move what the one before has moved.
 */
#include <stdarg.h>
#include <string.h>

#include "private.h"

/* So much better it must be before it counts as recovered. */
#define HEAT_BACK   5.0
#define MEMORY_BACK 0.05

/* A link does not lose less than this; what is below is rounding. */
#define LINK_LOSS 0.05

/* Below this load a driver may have slowed the link down to save power. */
#define IDLE 0.1

__attribute__((format(printf, 3, 4))) static void
report(struct trigger *trigger, struct candidate *item, const char *format, ...)
{
	char who[WHO_TEXT];
	va_list args;
	size_t at;

	item->tripped = true;
	trigger->id = item->id;
	trigger->count = item->sessions;
	at = snprintf(trigger->why, sizeof(trigger->why), "%s ",
		      who_text(item, who));
	va_start(args, format);
	vsnprintf(trigger->why + at, sizeof(trigger->why) - at, format, args);
	va_end(args);
}

/* One from which anything could be moved: it has work and it stays. */
static bool has_work(const struct candidate *candidate)
{
	return !candidate->cpu && !candidate->leaving && candidate->sessions;
}

static const struct candidate *find(const struct candidates *candidates,
				    uint32_t id)
{
	size_t i;

	for (i = 0; candidates && i < candidates->n; i++) {
		if (!candidates->item[i].cpu && candidates->item[i].id == id)
			return &candidates->item[i];
	}
	return NULL;
}

/* Share of memory that is free, or 1 when that is not known. */
static double memory_share(const struct candidate *candidate)
{
	const struct reading *total = &candidate->memory_total;
	const struct reading *left = &candidate->memory_free;

	if (!reading_usable(total) || !reading_usable(left) ||
	    total->estimate || !(total->value > 0))
		return 1;
	return left->value / total->value;
}

/* Degrees, or 0 when they are not known. */
static double heat_of(const struct candidate *candidate)
{
	return reading_usable(&candidate->temperature) ?
		       candidate->temperature.value :
		       0;
}

static bool judge_eager(const struct strategy_config *config,
			struct candidate *now, struct trigger *trigger)
{
	double heat = heat_of(now), share = memory_share(now);

	if (now->tripped) {
		now->tripped = heat > config->heat - HEAT_BACK ||
			       share < config->memory_low + MEMORY_BACK;
		return false;
	}
	if (!has_work(now))
		return false;
	if (heat > 0 && heat >= config->heat)
		report(trigger, now,
		       "is at %.0f degrees Celsius, %.0f are too hot", heat,
		       config->heat);
	else if (share < 1 && share <= config->memory_low)
		report(trigger, now,
		       "has %.1f %% of its memory free, %.0f %% are too little",
		       100 * share, 100 * config->memory_low);
	return trigger->id;
}

/* How many errors are new; what was not known before is not. */
static double new_errors(const struct candidate *before,
			 const struct candidate *now)
{
	if (!reading_usable(&before->errors) || !reading_usable(&now->errors) ||
	    strcmp(before->errors.source, now->errors.source) != 0)
		return 0;
	return now->errors.value - before->errors.value;
}

static bool is_idle(const struct candidate *candidate)
{
	return reading_usable(&candidate->load) && candidate->load.value < IDLE;
}

/* What the link has lost, if that is not because it has nothing to do. */
static double link_loss(const struct candidate *before,
			const struct candidate *now)
{
	if (!reading_usable(&before->link_share) ||
	    !reading_usable(&now->link_share) || is_idle(now))
		return 0;
	return before->link_share.value - now->link_share.value;
}

static bool judge_preemptive(const struct candidates *before_all,
			     struct candidate *now, struct trigger *trigger)
{
	const struct candidate *before = find(before_all, now->id);
	double errors, loss;

	if (!before)
		return false;
	errors = new_errors(before, now);
	loss = link_loss(before, now);
	if (now->tripped) {
		now->tripped = errors > 0 || loss > LINK_LOSS;
		return false;
	}
	if (!has_work(now))
		return false;
	if (errors > 0)
		report(trigger, now,
		       "has had %.0f more errors on its link, %.0f in all",
		       errors, now->errors.value);
	else if (loss > LINK_LOSS)
		report(trigger, now,
		       "has a slower link than before: %.0f %% of what it can do, not %.0f %%",
		       100 * now->link_share.value,
		       100 * before->link_share.value);
	return trigger->id;
}

/* Work could go on with it: a GPU that is there and has a node. */
static bool can_take(const struct candidate *candidate)
{
	return !candidate->cpu && !candidate->leaving && candidate->driver[0] &&
	       candidate->node[0];
}

static struct candidate *busiest(struct candidates *candidates)
{
	struct candidate *best = NULL;
	size_t i;

	for (i = 0; i < candidates->n; i++) {
		struct candidate *item = &candidates->item[i];

		if (has_work(item) && (!best || item->sessions > best->sessions))
			best = item;
	}
	return best;
}

/* Of those with as few the one whose address is lowest. */
static const struct candidate *emptiest(const struct candidates *candidates)
{
	const struct candidate *best = NULL;
	size_t i;

	for (i = 0; i < candidates->n; i++) {
		const struct candidate *item = &candidates->item[i];

		if (can_take(item) &&
		    (!best || item->sessions < best->sessions ||
		     (item->sessions == best->sessions &&
		      strcmp(item->address, best->address) < 0)))
			best = item;
	}
	return best;
}

/* Programs that one has more than the one that has fewest. */
static unsigned int imbalance_of(const struct candidates *candidates,
				 uint32_t id)
{
	const struct candidate *from = find(candidates, id);
	const struct candidate *to = from ? emptiest(candidates) : NULL;

	return to && from->sessions > to->sessions ?
		       from->sessions - to->sessions :
		       0;
}

/* It must have been so at the look before: one that just begins may just end. */
static void judge_balanced(const struct strategy_config *config,
			   const struct candidates *before,
			   struct candidates *now, struct trigger *trigger)
{
	struct candidate *from = busiest(now);
	const struct candidate *to = emptiest(now);
	unsigned int least, more;
	char who[WHO_TEXT];

	if (!from || !to)
		return;
	/* To move one makes no difference of one smaller. */
	least = config->imbalance < 2 ? 2 : config->imbalance;
	more = imbalance_of(now, from->id);
	if (more < least || imbalance_of(before, from->id) < least)
		return;
	report(trigger, from, "has %u programs, %s has %u", from->sessions,
	       who_text(to, who), to->sessions);
	from->tripped = false;
	trigger->count = 1;
	trigger->to = to->id;
}

/* What was reported before is still so until it has recovered. */
static void take_over(const struct candidates *before, struct candidates *now)
{
	size_t i;

	for (i = 0; i < now->n; i++) {
		const struct candidate *old = find(before, now->item[i].id);

		now->item[i].tripped = old && old->tripped;
	}
}

/**
 * strategy_judge() - is work to leave a device?
 * @config: the strategy and its limits
 * @before: the look before this one, as it was left, or NULL for the first
 * @now: this look, with .sessions filled in; .tripped is set for the next
 * @trigger: where to put the device; .id is 0 when there is none
 *
 * Of several devices the first of @now is reported, and the next one at the
 * next look. Only GPUs with work that stay are.
 */
void strategy_judge(const struct strategy_config *config,
		    const struct candidates *before, struct candidates *now,
		    struct trigger *trigger)
{
	size_t i;

	memset(trigger, 0, sizeof(*trigger));
	take_over(before, now);
	if (config->strategy == STRATEGY_BALANCED) {
		judge_balanced(config, before, now, trigger);
		return;
	}
	for (i = 0; i < now->n; i++) {
		struct candidate *item = &now->item[i];

		if (item->cpu)
			continue;
		if (config->strategy == STRATEGY_EAGER &&
		    judge_eager(config, item, trigger))
			return;
		if (config->strategy == STRATEGY_PREEMPTIVE &&
		    judge_preemptive(before, item, trigger))
			return;
	}
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Work that is moved before its GPU leaves: the sensors are looked at as long as
 * there is a session and the strategy wants it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "../work.h"

/* Who was moved stays for a while, or two devices would play with it. */
#define MOVED_PAUSE (60000 * WORK_MS)

static bool wanted(const struct work *work)
{
	return work->daemon->config.strategy != STRATEGY_LAZY &&
	       work->daemon->config.sample_ms && work->sessions;
}

static bool may_move(const struct session *session, uint32_t device)
{
	uint64_t now = work_now(session->work);

	return session->greeted && session->n && session->device == device &&
	       !session->gone && !session->migration &&
	       (!session->moved || now - session->moved > MOVED_PAUSE);
}

static void move(struct work *work, const struct trigger *trigger)
{
	struct migration *migration;
	unsigned int left = trigger->count;
	struct session *session;

	for (session = work->sessions; session && left; session = session->next) {
		if (!may_move(session, trigger->id))
			continue;
		session_log(LOG_NOTICE, session, "is to be moved: %s",
			    trigger->why);
		session->moved = work_now(work);
		migration = migration_want(session, MIGRATION_STRATEGY, 0,
					   trigger->why);
		if (migration)
			migration->to = trigger->to;
		left--;
	}
	migrations_next(work);
}

static void judge(struct work *work, struct candidates *now)
{
	const struct policy_config *config = &work->daemon->config;
	const struct strategy_config strategy = {
		.strategy = config->strategy,
		.heat = config->heat,
		.memory_low = config->memory_low,
		.imbalance = config->imbalance,
	};
	struct trigger trigger;

	memset(&trigger, 0, sizeof(trigger));
	strategy_judge(&strategy, work->has_before ? &work->before : NULL, now,
		       &trigger);
	work->before = *now;
	work->has_before = true;
	if (trigger.id)
		move(work, &trigger);
}

static int on_sample(sd_event_source *source, uint64_t usec, void *arg)
{
	struct work *work = arg;
	struct candidates *now;

	(void)source;
	(void)usec;
	work->sample = sd_event_source_disable_unref(work->sample);
	if (!wanted(work))
		return 0;
	/* Who is on its way is neither here nor there. */
	if (work->migrations) {
		strategy_watch(work);
		return 0;
	}
	now = calloc(1, sizeof(*now));
	if (now && !target_gather(work, now))
		judge(work, now);
	free(now);
	strategy_watch(work);
	return 0;
}

/**
 * strategy_watch() - look at the sensors, if anything comes of it
 * @work: whose
 */
void strategy_watch(struct work *work)
{
	if (!wanted(work))
		work->sample = sd_event_source_disable_unref(work->sample);
	else if (!work->sample)
		work_timer(work, &work->sample,
			   work->daemon->config.sample_ms * WORK_MS, on_sample,
			   work);
}

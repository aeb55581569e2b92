// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Checkpoints made ahead, so that a GPU that is pulled costs an interval of work
 * at most, and an eject has little left to copy.
 *
 * When much is dirty, it is first copied roughly while the program works, at a
 * share of what the link can do; then the program has to stand still only for
 * what it has written since.
 */
#include <inttypes.h>
#include <string.h>
#include <syslog.h>

#include "../work.h"

/* Less than that is read faster than it is worth two passes. */
#define ROUGH_MIN (16ull << 20)
/* Of a link that nobody has measured, in bytes per second. */
#define RATE_UNKNOWN (256ull << 20)
/* Of work that is in memory there is no link. */
#define RATE_MEMORY (4ull << 30)
/* What a program may take to come to a safe point before the log is told. */
#define REACH_LIMIT (10000 * WORK_MS)

static uint64_t interval_of(const struct session *session)
{
	return session->work->daemon->config.interval_ms * WORK_MS;
}

/**
 * precopy_rate() - how fast its buffers may be copied while it works
 * @session: whose
 *
 * Return: bytes per second.
 */
uint64_t precopy_rate(const struct session *session)
{
	double share = session->work->daemon->config.share;
	uint64_t rate = session->rate ? session->rate : RATE_UNKNOWN;

	if (!session->device)
		rate = RATE_MEMORY;
	rate = (uint64_t)((double)rate * share);
	return rate ? rate : 1;
}

void precopy_stop(struct session *session)
{
	session->precopy = sd_event_source_disable_unref(session->precopy);
	session->rough_made = false;
}

static bool wanted(const struct session *session)
{
	return session->greeted && session->sock >= 0 && session->work->store &&
	       interval_of(session) && !session->gone && !session->migration &&
	       !session->save;
}

static void ask(struct session *session)
{
	session_ask(session, WIRE_FOR_CHECKPOINT,
		    work_now(session->work) + REACH_LIMIT);
}

static void complain(struct session *session, const char *error)
{
	if (!session->behind)
		session_log(LOG_WARNING, session, "no checkpoint: %s", error);
	session->behind = true;
}

static int on_precopy(sd_event_source *source, uint64_t usec, void *arg)
{
	struct session *session = arg;
	char error[STORE_ERROR];

	(void)source;
	(void)usec;
	session->precopy = sd_event_source_disable_unref(session->precopy);
	if (!wanted(session) || session->stand != STAND_RUNS)
		return 0;
	/* Without a buffer there is nothing yet that could be lost. */
	if (!session->n) {
		precopy_later(session);
		return 0;
	}
	session->begun = work_now(session->work);
	place_writes(session, false);
	if (save_dirty_bytes(session) <= ROUGH_MIN) {
		ask(session);
	} else if (save_begin(session, true, error)) {
		complain(session, error);
		precopy_later(session);
	}
	return 0;
}

/**
 * precopy_later() - make the next checkpoint when it is time
 * @session: of whom
 *
 * The interval is between the safe points of two checkpoints and the time at
 * which the second one is there, so what it takes to make one is begun earlier.
 */
void precopy_later(struct session *session)
{
	uint64_t interval = interval_of(session), at;
	uint64_t now = work_now(session->work), cost = session->cost;

	precopy_stop(session);
	if (!wanted(session))
		return;
	if (cost > interval - interval / 4)
		cost = interval - interval / 4;
	at = *session->accepted ? session->accepted_still : now;
	at += interval - cost;
	if (at < session->rest_until)
		at = session->rest_until;
	if (at < now + interval / 4)
		at = now + interval / 4;
	work_timer(session->work, &session->precopy, at - now, on_precopy,
		   session);
}

/* The program stands still for a checkpoint. */
void precopy_came(struct session *session)
{
	char error[STORE_ERROR];

	/* A rough copy that is still being made is not worth waiting for. */
	save_stop(session);
	if (!save_begin(session, false, error))
		return;
	complain(session, error);
	session_go_on(session);
	precopy_later(session);
}

/* The share of the link is kept over all, not only while it is copied roughly. */
static void rest(struct session *session, const struct save *save)
{
	uint64_t rate = precopy_rate(session);
	uint64_t ms = save->stats.bytes / (rate / 1000 + 1);

	session->rest_until = session->begun + ms * WORK_MS;
}

static void judge_interval(struct session *session, uint64_t before)
{
	uint64_t interval = interval_of(session);
	uint64_t now = work_now(session->work);
	bool behind = before && now - before > interval + interval / 2;

	if (behind && !session->behind)
		session_log(LOG_NOTICE, session,
			    "%llu ms of its work could be lost, not %llu: a checkpoint of %" PRIu64
			    " MiB took %llu ms",
			    (now - before) / WORK_MS, interval / WORK_MS,
			    session->bytes >> 20, session->cost / WORK_MS);
	else if (!behind && session->behind)
		session_log(LOG_INFO, session, "the interval is kept again");
	session->behind = behind;
}

/**
 * precopy_saved() - a checkpoint was written, or not
 * @session: of whom
 * @save: which; freed after this
 * @error: why not, or NULL
 */
void precopy_saved(struct session *session, const struct save *save,
		   const char *error)
{
	if (error)
		complain(session, error);
	if (save->rough) {
		rest(session, save);
		/* Without it the program stands still for longer, that is all. */
		ask(session);
		return;
	}
	if (!error) {
		session->cost = work_now(session->work) - session->begun;
		judge_interval(session, session->guarded);
		session->guarded = save->still;
	}
	precopy_later(session);
}

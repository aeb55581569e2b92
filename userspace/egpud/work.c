// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The side of the daemon that takes care of programs' work, as a whole. Without
 * it, ejects still go on as for programs that know nothing of us.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

#include "work.h"

/* Time as it is in what we tell programs and the kernel. */
uint64_t work_now(const struct work *work)
{
	return work->daemon->now();
}

/**
 * work_timer() - call something once, after a time
 * @work: whose loop
 * @timer: one that is there is replaced
 * @ns: the time
 * @handler: what
 * @arg: for @handler
 *
 * Return: 0 or more, or a negative errno.
 */
int work_timer(struct work *work, sd_event_source **timer, uint64_t ns,
	       sd_event_time_handler_t handler, void *arg)
{
	*timer = sd_event_source_disable_unref(*timer);
	return sd_event_add_time_relative(work->daemon->loop, timer,
					  CLOCK_BOOTTIME, ns / 1000, 1000,
					  handler, arg);
}

static void open_store(struct work *work)
{
	const struct policy_config *config = &work->daemon->config;
	const struct store_options options = {
		.max_bytes = config->store_max,
		.keep_free = config->store_free,
	};

	if (!store_open(&work->store, config->store, &options, work->store_error))
		return;
	work->store = NULL;
	log_line(LOG_ERR, "no checkpoints can be made: %s", work->store_error);
}

/**
 * work_start() - open the store and take sessions in
 * @daemon: daemon with a loop and a context
 *
 * Return: 0 or a negative errno, of which the log tells.
 */
int work_start(struct daemon *daemon)
{
	struct work *work = calloc(1, sizeof(*work));

	if (!work) {
		log_line(LOG_ERR, "no sessions: out of memory");
		return -ENOMEM;
	}
	work->daemon = daemon;
	work->listen = -1;
	/*
	 * Numbers that no daemon before us has given: in us, for many who read
	 * JSON take no number beyond 2^53 for what it is.
	 */
	work->next_session = chain_time() / 1000;
	work->next_migration = work->next_session;
	snprintf(work->bandwidths, sizeof(work->bandwidths), "%s/bandwidth",
		 daemon->run_dir);
	daemon->work = work;
	discard_start(work);
	open_store(work);
	sweep_collect(work);
	publish_now(work);
	return sessions_listen(work);
}

/**
 * work_reload() - the configuration has changed
 * @daemon: daemon with the new one
 *
 * What is under way goes on as it was begun. The store changes its place only
 * when nobody uses the old one.
 */
void work_reload(struct daemon *daemon)
{
	struct work *work = daemon->work;
	struct session *session;

	if (!work)
		return;
	if (!work->sessions) {
		store_close(work->store);
		open_store(work);
	} else {
		log_line(LOG_INFO,
			 "the store stays as it is while there are sessions");
	}
	for (session = work->sessions; session; session = session->next)
		precopy_later(session);
	work->sample = sd_event_source_disable_unref(work->sample);
	work->has_before = false;
	strategy_watch(work);
	migrations_next(work);
}

/* From now on programs that are let go of are not at fault. */
void work_ends(struct work *work)
{
	work->ending = true;
}

/**
 * work_stop() - let go of everything
 * @daemon: daemon
 */
void work_stop(struct daemon *daemon)
{
	struct work *work = daemon->work;

	if (!work)
		return;
	sessions_end(work);
	mover_runs_end(work);
	discard_stop();
	sweep_end(work);
	publish_now(work);
	sd_event_source_disable_unref(work->publish);
	sd_event_source_disable_unref(work->locate);
	sd_event_source_disable_unref(work->sample);
	sd_event_source_disable_unref(work->wake);
	store_close(work->store);
	free(work);
	daemon->work = NULL;
}

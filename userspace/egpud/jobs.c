// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Removals that we have accepted: accept, let the policy work, acknowledge.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

#include "egpud.h"

static void log_job(int level, uint64_t cookie, uint32_t id, const char *what)
{
	char cookie_text[24], id_text[16];
	const struct log_field fields[] = {
		{ "cookie", cookie_text },
		{ "id", id_text },
		{ NULL, NULL },
	};

	snprintf(cookie_text, sizeof(cookie_text), "%" PRIu64, cookie);
	snprintf(id_text, sizeof(id_text), "%" PRIu32, id);
	log_fields(level, fields, "%s", what);
}

static struct job *find(struct daemon *daemon, uint64_t cookie)
{
	struct job *job;

	for (job = daemon->jobs; job; job = job->next) {
		if (job->cookie == cookie)
			return job;
	}
	return NULL;
}

static void forget(struct job *job)
{
	struct job **link = &job->daemon->jobs;

	while (*link != job)
		link = &(*link)->next;
	*link = job->next;
	free(job);
}

/**
 * job_done() - nothing is left to do for a removal
 * @job: job, which is freed
 *
 * Acknowledges the removal. That it went on without us in the meantime is no
 * error: the kernel does not wait for ever.
 */
void job_done(struct job *job)
{
	struct daemon *daemon = job->daemon;
	int err;

	err = egpu_ack(daemon->ctx, job->cookie);
	if (!err)
		log_job(LOG_INFO, job->cookie, job->id, "acknowledged");
	else
		log_job(LOG_WARNING, job->cookie, job->id,
			egpu_error(daemon->ctx));
	forget(job);
}

static void stop(struct job *job, const char *why)
{
	log_job(LOG_WARNING, job->cookie, job->id, why);
	job->daemon->policy->stop(job);
	forget(job);
}

static void begin(struct daemon *daemon, struct job *job)
{
	job->next = daemon->jobs;
	daemon->jobs = job;
	if (daemon->policy->begin(job) == POLICY_DONE)
		job_done(job);
}

/* -EBUSY and the like: another helper was first, or it is over. Nothing lost. */
static bool is_race(int err)
{
	return err == -EBUSY || err == -EALREADY || err == -ETIME ||
	       err == -ENOENT || err == -EPROTONOSUPPORT;
}

static void accept_removal(struct daemon *daemon,
			   const struct egpu_removal *removal)
{
	struct job *job = calloc(1, sizeof(*job));
	int err;

	/* Not accepted what cannot be worked on, so that nobody waits for it. */
	if (!job) {
		log_job(LOG_ERR, removal->cookie, removal->id,
			"cannot accept the removal: out of memory");
		return;
	}
	job->daemon = daemon;
	job->cookie = removal->cookie;
	job->id = removal->id;
	err = egpu_accept(daemon->ctx, removal->cookie);
	if (err) {
		log_job(is_race(err) ? LOG_NOTICE : LOG_ERR, removal->cookie,
			removal->id, egpu_error(daemon->ctx));
		free(job);
		return;
	}
	log_job(LOG_INFO, job->cookie, job->id, "accepted");
	begin(daemon, job);
}

/* Whether a removal waits for the helper that has accepted it. */
static bool waits_for_ack(const struct egpu_removal *removal)
{
	return removal->phase == EGPU_PHASE_ACCEPTED &&
	       removal->release == EGPU_RELEASE_NOT_YET;
}

/**
 * jobs_take_removal() - a removal began or went on
 * @daemon: daemon
 * @removal: the removal as it is now
 */
void jobs_take_removal(struct daemon *daemon, const struct egpu_removal *removal)
{
	struct job *job = find(daemon, removal->cookie);

	if (job) {
		/* While it is pending, our accept is still on its way to us. */
		if (!waits_for_ack(removal) &&
		    removal->phase != EGPU_PHASE_PENDING)
			stop(job,
			     "the removal went on before its work was done");
		return;
	}
	if (removal->phase == EGPU_PHASE_PENDING &&
	    daemon->policy->wants(removal))
		accept_removal(daemon, removal);
}

/**
 * jobs_take_state() - events were lost, so look which jobs are still wanted
 * @daemon: daemon
 * @removals: all removals that the kernel remembers
 *
 * Removals that are new are told by events of their own.
 */
void jobs_take_state(struct daemon *daemon,
		     const struct egpu_removal_list *removals)
{
	struct job *job, *next;
	size_t i;

	for (job = daemon->jobs; job; job = next) {
		next = job->next;
		for (i = 0; i < removals->count; i++) {
			if (removals->item[i]->cookie == job->cookie)
				break;
		}
		if (i == removals->count || !waits_for_ack(removals->item[i]))
			stop(job,
			     "the removal went on before its work was done");
	}
}

/* The module went or we do; either way nobody waits for us any more. */
void jobs_stop_all(struct daemon *daemon, const char *why)
{
	while (daemon->jobs)
		stop(daemon->jobs, why);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which checkpoints of a session there are, and which of them can go. The newest
 * one that the work can go on from stays, with all that it needs, until there is
 * a newer one.
 */
#include <inttypes.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "../work.h"

/* A chain that is longer takes too long to be read; the next one is full. */
#define CHAIN_MAX 12

_Static_assert(CHAIN_MAX < STORE_CHAIN, "room for one more");

/* CLOCK_REALTIME in ns, as checkpoints are dated. */
uint64_t chain_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Whether the next checkpoint is to be a full one. */
bool chain_is_full(const struct session *session)
{
	return !session->chain.n || session->chain.n >= CHAIN_MAX;
}

/* The id of the checkpoint that the next one adds to, empty for a full one. */
const char *chain_parent(const struct session *session)
{
	if (chain_is_full(session))
		return "";
	return session->chain.id[session->chain.n - 1];
}

static void remove_all(struct session *session, struct chain *chain)
{
	/* The youngest first: it needs the others. */
	while (chain->n)
		sweep_add(session->work, chain->id[--chain->n]);
}

static bool holds(const struct chain *chain, const char *id)
{
	size_t i;

	for (i = 0; i < chain->n; i++) {
		if (!strcmp(chain->id[i], id))
			return true;
	}
	return false;
}

/**
 * chain_restart() - the next checkpoint needs none of those there are
 * @session: whose; the one that the work can go on from is kept until then
 */
void chain_restart(struct session *session)
{
	struct chain *chain = &session->chain, *old = &session->old;

	if (holds(chain, session->accepted)) {
		remove_all(session, old);
		*old = *chain;
		chain->n = 0;
	} else {
		remove_all(session, chain);
	}
}

/**
 * chain_add() - a checkpoint was written
 * @session: whose
 * @id: its id
 * @full: it needs no other
 */
void chain_add(struct session *session, const char *id, bool full)
{
	struct chain *chain = &session->chain;

	if (full)
		chain_restart(session);
	strcpy(chain->id[chain->n++], id);
}

/* When a program was started, CLOCK_REALTIME in ns. */
static uint64_t start_of(const struct session *session)
{
	uint64_t tick = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);
	uint64_t age = daemon_clock() - session->process.start * tick;

	return chain_time() - age;
}

/* Something that an earlier session of this program has left, and has again. */
static bool is_left_by(const struct store_head *head,
		       const struct session *session)
{
	return *session->accepted && head->session != session->id &&
	       head->pid == (uint32_t)session->process.pid &&
	       head->uid == session->uid && !head->plain &&
	       head->created >= start_of(session) &&
	       !strcmp(head->name, session->name);
}

/**
 * chain_accept() - the work can go on from the youngest checkpoint
 * @session: whose; what came before is removed
 */
void chain_accept(struct session *session)
{
	const struct chain *chain = &session->chain;

	strcpy(session->accepted, chain->id[chain->n - 1]);
	if (session->work->daemon->config.keep) {
		session->old.n = 0;
		return;
	}
	remove_all(session, &session->old);
	if (!session->before)
		sweep_collect(session->work);
	session->before = true;
}

static bool has_died(const struct session *session)
{
	return !process_is(session->work->daemon->roots, session->process.pid,
			   session->process.start);
}

/**
 * chain_close() - the session ends
 * @session: its checkpoints go, unless they are all that there is of the work
 *
 * A program that has ended after its GPU was lost has most likely died of that.
 * One that did not end by itself, but because we do, will come back to us.
 */
void chain_close(struct session *session)
{
	if (session->work->daemon->config.keep || session->work->ending)
		return;
	if (session->gone && *session->accepted && has_died(session)) {
		session_log(LOG_NOTICE, session,
			    "ended after its GPU was lost; checkpoint %s is kept",
			    session->accepted);
		return;
	}
	remove_all(session, &session->chain);
	remove_all(session, &session->old);
}

static enum store_verdict judge(const struct store_info *info, void *arg)
{
	const struct work *work = arg;
	const struct session *session;
	bool replaced = false;

	if (info->error)
		return STORE_KEEP;
	for (session = work->sessions; session; session = session->next) {
		if (session->id == info->head.session)
			return STORE_PIN;
		replaced |= is_left_by(&info->head, session);
	}
	if (work->daemon->config.keep && !info->head.rough)
		return STORE_KEEP;
	return info->head.rough || replaced ? STORE_DROP : STORE_KEEP;
}

/**
 * chain_collect() - tidy up what daemons before us have left
 * @work: whose store
 *
 * Rough copies go unless another one needs them. What work can go on from stays
 * until its program has a newer one, or the store is full. Reads all of the
 * store, so it is for a child, see sweep.c.
 */
void chain_collect(struct work *work)
{
	char error[STORE_ERROR];
	uint64_t freed = 0;

	if (!store_collect(work->store, judge, work, &freed, error) && freed)
		log_line(LOG_INFO,
			 "%" PRIu64 " MiB of old checkpoints were removed",
			 freed >> 20);
}

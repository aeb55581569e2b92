// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Between a removal and the work that it makes move: who is asked to, who is
 * waited for, and what a removal hears of it.
 */
#include <stdlib.h>
#include <syslog.h>

#include "../work.h"

static bool is_for(const struct removal *removal,
		   const struct migration *migration)
{
	return migration->cookie == removal->cookie;
}

static bool is_there(const struct removal *removal,
		     const struct session *session)
{
	return session->greeted && session->device == removal->id &&
	       !session->gone;
}

static struct holder *holder_of(const struct removal *removal,
				const struct process *process)
{
	size_t i;

	for (i = 0; i < removal->holders.n; i++) {
		struct holder *holder = &removal->holders.item[i];

		if (holder->process.pid == process->pid &&
		    holder->process.start == process->start)
			return holder;
	}
	return NULL;
}

/* What a mover has made for a program shows in no list of the kernel's. */
static struct holder *add_holder(struct removal *removal,
				 const struct session *session)
{
	struct holders *holders = &removal->holders;
	struct holder *item;

	item = reallocarray(holders->item, holders->n + 1, sizeof(*item));
	if (!item)
		return NULL;
	holders->item = item;
	holders->size = holders->n + 1;
	item = &holders->item[holders->n++];
	*item = (struct holder){
		.process = session->process,
		.how = HOLDER_DMABUF,
		.role = holder_role_of(&session->process),
		.buffers = (uint32_t)session->n,
		.bytes = session->bytes,
	};
	return item;
}

/**
 * moving_mark() - note which holders cooperate
 * @removal: its .holders were just looked up; who has work on the GPU and is
 *	not among them is added
 */
void moving_mark(struct removal *removal)
{
	struct work *work = removal->daemon->work;
	struct session *session;
	struct holder *holder;

	if (work && work->locate)
		place_all(work);
	for (session = work ? work->sessions : NULL; session;
	     session = session->next) {
		if (!is_there(removal, session))
			continue;
		holder = holder_of(removal, &session->process);
		if (!holder)
			holder = add_holder(removal, session);
		if (holder)
			holder->cooperates = true;
	}
}

/**
 * moving_begin() - the work of a program is to leave the GPU of a removal
 * @removal: eject
 * @process: the program
 *
 * Begins with moving_go().
 */
void moving_begin(struct removal *removal, const struct process *process)
{
	struct work *work = removal->daemon->work;
	struct session *session = NULL;

	while (work && (session = sessions_of(work, process, session))) {
		if (is_there(removal, session))
			migration_want(session, MIGRATION_EJECT,
				       removal->cookie, NULL);
	}
}

void moving_go(struct removal *removal)
{
	if (removal->daemon->work)
		migrations_next(removal->daemon->work);
}

/**
 * moving_hold() - others take a GPU away: what is on it is saved
 * @removal: removal by others
 */
void moving_hold(struct removal *removal)
{
	struct work *work = removal->daemon->work;
	struct migration *migration;
	struct session *session;

	if (!work)
		return;
	if (work->locate)
		place_all(work);
	for (session = work->sessions; session; session = session->next) {
		if (!is_there(removal, session))
			continue;
		migration = migration_want(session, MIGRATION_OTHERS,
					   removal->cookie, NULL);
		if (migration)
			migration->deadline = removal->deadline -
					      removal->margin;
	}
	migrations_next(work);
}

/**
 * moving_state() - how far the work is that has to be saved before a GPU leaves
 * @removal: removal
 * @process: of this program, or NULL for any
 *
 * Return: the earliest state of any of it, MIGRATION_HOLD or later when all is
 * saved, MIGRATION_FAILED when there is nothing.
 */
enum migration_state moving_state(const struct removal *removal,
				  const struct process *process)
{
	const struct work *work = removal->daemon->work;
	enum migration_state least = MIGRATION_FAILED;
	const struct migration *migration;

	if (!work)
		return least;
	for (migration = work->migrations; migration;
	     migration = migration->next) {
		if (!is_for(removal, migration))
			continue;
		if (process &&
		    (migration->session->process.pid != process->pid ||
		     migration->session->process.start != process->start))
			continue;
		if (migration->state < least)
			least = migration->state;
	}
	return least;
}

/* Why a removal cannot wait any longer; whether it is because of this. */
bool moving_reason(struct removal *removal)
{
	const struct work *work = removal->daemon->work;
	const struct migration *migration;
	char who[96];

	for (migration = work ? work->migrations : NULL; migration;
	     migration = migration->next) {
		if (!is_for(removal, migration))
			continue;
		reason_who(&migration->session->process, who, sizeof(who));
		reason_set(removal->reason,
			   "no time is left to move %s: it is in step %s", who,
			   migration_state_name(migration->state));
		return true;
	}
	return false;
}

static int on_wake(sd_event_source *source, void *arg)
{
	struct work *work = arg;
	struct removal *removal, *next;

	work->wake = sd_event_source_disable_unref(source);
	for (removal = work->daemon->removals; removal; removal = next) {
		next = removal->next;
		removal_input(removal, step_tick(removal));
	}
	return 0;
}

/* Removals look again, but not from within what they have begun. */
void moving_wake(struct work *work)
{
	if (!work->wake)
		sd_event_add_defer(work->daemon->loop, &work->wake, on_wake,
				   work);
}

/* It has come to its end: what waits for it looks again. */
void moving_ended(const struct migration *migration)
{
	struct work *work = migration->session->work;
	const struct process *process = &migration->session->process;
	struct removal *removal;
	char who[96];

	moving_wake(work);
	/* Who has ended lets go by itself, or else is waited for like others. */
	if (migration->session->sock < 0)
		return;
	for (removal = work->daemon->removals; removal; removal = removal->next) {
		if (!is_for(removal, migration) ||
		    migration->state != MIGRATION_FAILED)
			continue;
		reason_who(process, who, sizeof(who));
		ask_failed(removal, process, "cannot move %s: %s", who,
			   migration->reason);
	}
}

/* Saved, and only waits for the GPU to be off. */
void moving_held(const struct migration *migration)
{
	moving_wake(migration->session->work);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Work that is on its way to another device: who is first, what happens to it
 * from outside, and its end.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "../work.h"

static bool is_over(const struct migration *migration)
{
	return migration->state >= MIGRATION_DONE;
}

static void forget(struct migration *migration)
{
	struct migration **link = &migration->session->work->migrations;

	while (*link != migration)
		link = &(*link)->next;
	*link = migration->next;
}

/* What waits for it hears of it when it is no more. */
static void end(struct migration *migration)
{
	struct session *session = migration->session;
	struct work *work = session->work;

	forget(migration);
	session->migration = NULL;
	sd_event_source_disable_unref(migration->limit);
	restore_forget(migration);
	if (session->sock >= 0)
		precopy_later(session);
	if (migration->cookie && !work->ending)
		moving_ended(migration);
	free(migration);
	migrations_next(work);
}

/* Of two inputs at once the one that nothing can follow counts. */
static void keep_for_later(struct migration *migration,
			   enum migration_input input)
{
	if (migration->pending != MIGRATION_CLOSED)
		migration->pending = input;
}

/**
 * migration_input() - something has happened
 * @migration: migration; freed when it has come to its end
 * @input: what
 */
void migration_input(struct migration *migration, enum migration_input input)
{
	enum migration_state then;

	if (migration->busy) {
		keep_for_later(migration, input);
		return;
	}
	migration->busy = true;
	while (input != MIGRATION_NOTHING) {
		then = migration_next(migration->state, input);
		input = MIGRATION_NOTHING;
		if (then != migration->state) {
			migrate_leave(migration);
			migration->state = then;
			session_log(LOG_DEBUG, migration->session,
				    "migration: %s", migration_state_name(then));
			input = migrate_enter(migration);
		}
		if (migration->pending != MIGRATION_NOTHING) {
			input = migration->pending;
			migration->pending = MIGRATION_NOTHING;
		}
	}
	migration->busy = false;
	if (is_over(migration))
		end(migration);
}

static int on_limit(sd_event_source *source, uint64_t usec, void *arg)
{
	struct migration *migration = arg;

	(void)source;
	(void)usec;
	reason_set(migration->reason, "it took longer than %u ms in step %s",
		   migration->session->work->daemon->config.limit_ms,
		   migration_state_name(migration->state));
	migration_input(migration, MIGRATION_LATE);
	return 0;
}

static void start(struct migration *migration)
{
	struct work *work = migration->session->work;
	uint64_t limit = work->daemon->config.limit_ms * WORK_MS;

	if (migration->state == MIGRATION_HOLD) {
		migration_input(migration, MIGRATION_GONE);
		return;
	}
	if (!migration->deadline)
		migration->deadline = work_now(work) + limit;
	if (work_timer(work, &migration->limit, limit, on_limit, migration) < 0) {
		reason_set(migration->reason, "egpud cannot set a timer");
		migration_input(migration, MIGRATION_FAIL);
	} else {
		migration_input(migration, MIGRATION_STEP);
	}
}

static bool waits_for_gpu(const struct migration *migration)
{
	return migration->state == MIGRATION_HOLD && !migration->session->gone;
}

static bool waits_for_room(const struct migration *migration)
{
	return migration->state == MIGRATION_QUEUED ||
	       migration->state == MIGRATION_HOLD;
}

/* The first that waits, when one more may be under way; else NULL. */
static struct migration *next_of(const struct work *work)
{
	struct migration *migration, *first = NULL;
	unsigned int active = 0;

	for (migration = work->migrations; migration;
	     migration = migration->next) {
		if (waits_for_gpu(migration))
			continue;
		if (!waits_for_room(migration))
			active++;
		else if (!first && !migration->busy)
			first = migration;
	}
	return active < work->daemon->config.migrations ? first : NULL;
}

/**
 * migrations_next() - begin with those for which there is room
 * @work: whose
 */
void migrations_next(struct work *work)
{
	struct migration *migration;

	while ((migration = next_of(work)))
		start(migration);
}

static struct migration *add(struct session *session, enum migration_kind kind)
{
	struct work *work = session->work;
	struct migration *migration = calloc(1, sizeof(*migration));
	struct migration **link = &work->migrations;

	if (!migration)
		return NULL;
	migration->session = session;
	migration->number = work->next_migration++;
	migration->kind = kind;
	migration->source = session->device;
	migration->begun = work_now(work);
	migration->state_fd = -1;
	while (*link)
		link = &(*link)->next;
	*link = migration;
	session->migration = migration;
	precopy_stop(session);
	return migration;
}

/**
 * migration_want() - the work of a session is to go to another device
 * @session: whose
 * @kind: why
 * @cookie: the removal that it is for, or 0
 * @why: of a strategy, else NULL
 *
 * It begins when there is room, with migrations_next(). What is on its way
 * already goes on, for the new reason.
 *
 * Return: the migration, or NULL without memory.
 */
struct migration *migration_want(struct session *session,
				 enum migration_kind kind, uint64_t cookie,
				 const char *why)
{
	struct migration *migration = session->migration;

	if (!migration)
		migration = add(session, kind);
	if (!migration)
		return NULL;
	if (cookie) {
		migration->cookie = cookie;
		migration->kind = kind;
		/* It has to leave now, so any other device is as good. */
		migration->to = 0;
	}
	if (why)
		reason_set(migration->reason, "%s", why);
	return migration;
}

static void send_lost(struct session *session)
{
	struct wire_message message = { .type = WIRE_LOST };

	crash_point();
	session_post(session, &message, -1);
}

/* Its GPU has gone. Whatever stands still with all its work saved loses none. */
static void lose(struct session *session, uint64_t when)
{
	struct migration *migration = session->migration;

	session->gone = true;
	if (migration && migration->state >= MIGRATION_HOLD)
		return;
	migration = migration_want(session, MIGRATION_SURPRISE, 0, NULL);
	if (!migration) {
		session_close(session, "egpud is out of memory");
		return;
	}
	migration->lost = true;
	migration->lost_at = when;
	/* It may wait in the queue; what is read from now on is not its work. */
	if (session->save && !session->save->copied)
		save_stop(session);
	session_log(LOG_WARNING, session,
		    "its GPU has gone; it goes on from checkpoint %s",
		    *session->accepted ? session->accepted : "(none)");
	send_lost(session);
	if (session->migration)
		migration_input(session->migration, MIGRATION_GONE);
}

/* The sessions that are on a GPU, one after the other; the list may change. */
static struct session *on_device(struct work *work, uint32_t id)
{
	struct session *session;

	for (session = work->sessions; session; session = session->next) {
		if (session->device == id && !session->gone && session->greeted)
			return session;
	}
	return NULL;
}

static bool goes_to(const struct migration *migration, uint32_t id)
{
	return migration->has_target && !migration->cpu &&
	       migration->target == id &&
	       (migration->state == MIGRATION_RESTORE ||
		migration->state == MIGRATION_OFFER);
}

/*
 * The program may have taken the offer, and worked on since; or it is about to.
 * Whichever it is, it waits for the next one after this.
 */
static void take_back(struct migration *migration)
{
	migration->lost = true;
	if (migration->still)
		migration->lost_ns = work_now(migration->session->work) -
				     migration->still;
	send_lost(migration->session);
}

static void leave_target(struct migration *migration)
{
	struct session *session = migration->session;

	session_log(LOG_WARNING, session,
		    "%s leaves as well, another device is looked for",
		    migration->address);
	if (migration->state == MIGRATION_OFFER)
		take_back(migration);
	/* Who has died meanwhile is known to have when it is told. */
	if (session->migration != migration)
		return;
	target_exclude(migration);
	migration_input(migration, MIGRATION_TARGET_GONE);
}

/**
 * migrations_leaving() - a GPU is about to leave, nobody is to go there
 * @daemon: daemon
 * @id: device id
 */
void migrations_leaving(struct daemon *daemon, uint32_t id)
{
	struct migration *migration, *next;

	if (!daemon->work)
		return;
	for (migration = daemon->work->migrations; migration; migration = next) {
		next = migration->next;
		if (!goes_to(migration, id))
			continue;
		leave_target(migration);
		/* One that has ended may have begun another. */
		next = daemon->work->migrations;
	}
}

/**
 * migrations_gone() - a GPU has gone, or its driver has let go of it
 * @daemon: daemon
 * @id: device id
 * @when: CLOCK_BOOTTIME in ns
 */
void migrations_gone(struct daemon *daemon, uint32_t id, uint64_t when)
{
	struct session *session;

	if (!daemon->work)
		return;
	migrations_leaving(daemon, id);
	while ((session = on_device(daemon->work, id)))
		lose(session, when);
	migrations_next(daemon->work);
}

/* Whatever it is saved from has been read, or need not be any more. */
static bool was_read(const struct session *session)
{
	const struct save *save = session->save;

	if (session->migration && session->migration->state >= MIGRATION_HOLD)
		return true;
	return session->migration && save && save->copied && !save->rough &&
	       save->still == session->still && session->stand == STAND_STILL;
}

/* Who is about to be read from a GPU that may not be there any more. */
static struct session *unread_on(struct work *work, uint32_t id, bool sure)
{
	struct session *session;

	for (session = work->sessions; session; session = session->next) {
		if (session->device != id || session->gone ||
		    !session->greeted || was_read(session))
			continue;
		if (sure || session->migration ||
		    (session->save && !session->save->copied))
			return session;
	}
	return NULL;
}

static void give_up(struct session *session)
{
	save_stop(session);
	if (session->migration) {
		reason_set(session->migration->reason,
			   "the GPU leaves before its work is saved");
		migration_input(session->migration, MIGRATION_FAIL);
		return;
	}
	session_go_on(session);
	precopy_later(session);
}

/**
 * migrations_released() - nothing keeps a driver from letting go of its GPU
 * @daemon: daemon
 * @id: device id
 * @when: CLOCK_BOOTTIME in ns
 * @sure: it will; else the kernel may find that it is in use
 *
 * From here on its memory may read as zeros at any moment, without an error: a
 * checkpoint that was not read by now is none. What was saved is waited with
 * until the driver has let go.
 */
void migrations_released(struct daemon *daemon, uint32_t id, uint64_t when,
			 bool sure)
{
	struct session *session;

	if (!daemon->work)
		return;
	while ((session = unread_on(daemon->work, id, sure))) {
		if (sure)
			lose(session, when);
		else
			give_up(session);
	}
	migrations_next(daemon->work);
}

static struct migration *last_for(const struct work *work, uint64_t cookie)
{
	struct migration *migration, *last = NULL;

	for (migration = work->migrations; migration;
	     migration = migration->next) {
		if (migration->cookie == cookie)
			last = migration;
	}
	return last;
}

/**
 * migrations_off() - a removal does not take place
 * @daemon: daemon
 * @cookie: which
 *
 * Who is still where it was stays there.
 */
void migrations_off(struct daemon *daemon, uint64_t cookie)
{
	struct migration *migration;

	if (!daemon->work || !cookie)
		return;
	/* The last ones first, so that none begins because another one ends. */
	while ((migration = last_for(daemon->work, cookie))) {
		migration->cookie = 0;
		if (migration->lost)
			continue;
		reason_set(migration->reason, "the GPU does not leave");
		migration_input(migration, MIGRATION_OFF);
	}
	place_soon(daemon->work);
}

/* Nothing is known any more of where anything is. */
void migrations_module_gone(struct daemon *daemon)
{
	struct session *session;

	if (!daemon->work)
		return;
	for (session = daemon->work->sessions; session; session = session->next)
		session->device = 0;
	place_soon(daemon->work);
}

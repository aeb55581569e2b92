// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is done in each state of a migration. The buffers of the old device stay
 * what they are until the program has confirmed the new ones.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "../work.h"

static enum migration_input enter_reach(struct migration *migration)
{
	struct session *session = migration->session;

	crash_point();
	tell_migration(migration, EGPU_MIGRATION_PHASE_STARTED);
	if (session->gone)
		return MIGRATION_GONE;
	if (session->stand == STAND_STILL)
		return MIGRATION_STEP;
	session_ask(session, WIRE_FOR_MOVE, migration->deadline);
	return MIGRATION_NOTHING;
}

/* The program stands still. */
void migrate_came(struct migration *migration)
{
	migration->still = migration->session->still;
	if (migration->state == MIGRATION_REACH)
		migration_input(migration, MIGRATION_STEP);
}

static enum migration_input begin_save(struct migration *migration)
{
	char error[STORE_ERROR];

	if (!save_begin(migration->session, false, error))
		return MIGRATION_NOTHING;
	reason_set(migration->reason, "cannot save its work: %s", error);
	return MIGRATION_FAIL;
}

static enum migration_input enter_save(struct migration *migration)
{
	struct session *session = migration->session;

	migration->still = session->still;
	if (migration->cookie)
		moving_wake(session->work);
	if (session->save && session->save->rough)
		save_stop(session);
	/* That of this safe point is what is wanted; another must end first. */
	return session->save ? MIGRATION_NOTHING : begin_save(migration);
}

/**
 * migrate_saved() - a checkpoint was written, or not
 * @migration: of the session that it is of
 * @save: which; freed after this
 * @error: why not, or NULL
 */
void migrate_saved(struct migration *migration, const struct save *save,
		   const char *error)
{
	enum migration_input input = MIGRATION_STEP;

	if (migration->state != MIGRATION_SAVE)
		return;
	if (save->rough || save->still != migration->still) {
		input = begin_save(migration);
	} else if (error) {
		reason_set(migration->reason, "cannot save its work: %s", error);
		input = MIGRATION_FAIL;
	} else {
		strcpy(migration->checkpoint, save->head.id);
		migration->step = save->step;
	}
	migration_input(migration, input);
}

static enum migration_input enter_hold(struct migration *migration)
{
	if (migration->kind != MIGRATION_OTHERS || migration->session->gone)
		return MIGRATION_STEP;
	moving_held(migration);
	return MIGRATION_NOTHING;
}

/* What the program had not saved is lost: how much, and where it goes on. */
static enum migration_input go_back(struct migration *migration)
{
	struct session *session = migration->session;

	save_stop(session);
	if (!*session->accepted) {
		reason_set(migration->reason, "no checkpoint was made yet");
		return MIGRATION_FAIL;
	}
	strcpy(migration->checkpoint, session->accepted);
	migration->step = session->accepted_step;
	migration->lost = true;
	if (migration->lost_at > session->accepted_still)
		migration->lost_ns = migration->lost_at -
				     session->accepted_still;
	return MIGRATION_NOTHING;
}

static enum migration_input enter_select(struct migration *migration)
{
	enum migration_input input = MIGRATION_NOTHING;

	restore_forget(migration);
	if (!*migration->checkpoint)
		input = go_back(migration);
	return input == MIGRATION_NOTHING ? target_choose(migration) : input;
}

/**
 * migrate_confirmed() - the program has taken the offer, or not
 * @migration: migration
 * @message: CONFIRM
 */
void migrate_confirmed(struct migration *migration,
		       const struct wire_message *message)
{
	/* The answer to an offer that was taken back: another one follows. */
	if (migration->state != MIGRATION_OFFER ||
	    message->serial != migration->offer)
		return;
	if (!message->result.error) {
		migration_input(migration, MIGRATION_STEP);
		return;
	}
	reason_set(migration->reason, "it does not take %s: %s",
		   migration->cpu ? "the CPU" : migration->address,
		   *message->result.text ? message->result.text :
					   strerror(message->result.error));
	session_log(LOG_WARNING, migration->session, "%s", migration->reason);
	target_exclude(migration);
	migration_input(migration, MIGRATION_FAIL);
}

static enum migration_input enter_done(struct migration *migration)
{
	struct session *session = migration->session;

	session_log(LOG_NOTICE, session,
		    "works on %s from step %" PRIu64 ", %llu ms of work lost",
		    migration->cpu ? "the CPU" : migration->address,
		    migration->step, migration->lost_ns / WORK_MS);
	tell_migration(migration, EGPU_MIGRATION_PHASE_COMPLETED);
	restore_take_over(migration);
	return MIGRATION_NOTHING;
}

static void send_failed(struct migration *migration)
{
	struct wire_message message = {
		.type = WIRE_FAILED,
		.result = { .error = EIO },
	};

	snprintf(message.result.text, sizeof(message.result.text), "%.159s",
		 migration->reason);
	migration->session->stand = STAND_RUNS;
	crash_point();
	session_post(migration->session, &message, -1);
}

static enum migration_input enter_failed(struct migration *migration)
{
	struct session *session = migration->session;

	if (session->sock < 0)
		reason_set(migration->reason, "it has ended its session");
	session_log(LOG_WARNING, session, "was not moved: %s",
		    migration->reason);
	save_stop(session);
	if (session->gone)
		send_failed(migration);
	else
		session_go_on(session);
	session_forget_state(session);
	tell_migration(migration, EGPU_MIGRATION_PHASE_FAILED);
	return MIGRATION_NOTHING;
}

/* What belongs to the state that ends now. */
void migrate_leave(struct migration *migration)
{
	if (migration->restore)
		mover_run_drop(migration->restore);
	migration->restore = NULL;
	if (migration->state == MIGRATION_OFFER)
		migration->session->late_offer = migration->offer;
}

/**
 * migrate_enter() - begin with the state that a migration has entered
 * @migration: migration
 *
 * Return: what has come of it at once.
 */
enum migration_input migrate_enter(struct migration *migration)
{
	switch (migration->state) {
	case MIGRATION_REACH:
		return enter_reach(migration);
	case MIGRATION_SAVE:
		return enter_save(migration);
	case MIGRATION_HOLD:
		return enter_hold(migration);
	case MIGRATION_SELECT:
		return enter_select(migration);
	case MIGRATION_RESTORE:
		return restore_begin(migration);
	case MIGRATION_OFFER:
		return restore_offer(migration);
	case MIGRATION_DONE:
		return enter_done(migration);
	case MIGRATION_FAILED:
		return enter_failed(migration);
	default:
		return MIGRATION_NOTHING;
	}
}

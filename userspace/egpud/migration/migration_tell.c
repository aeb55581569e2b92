// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Everybody is told of migrations and checkpoints, through the kernel.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "../work.h"

static void fill_session(struct egpu_migration *event,
			 const struct session *session)
{
	event->size = sizeof(*event);
	event->pid = (uint32_t)session->process.pid;
	event->bytes = session->bytes;
	snprintf(event->comm, sizeof(event->comm), "%.15s",
		 session->process.comm);
}

/* A GPU or a removal that the kernel has forgotten is left out. */
static void tell(struct session *session, struct egpu_migration *event)
{
	struct egpu_ctx *ctx = session->work->daemon->ctx;
	int err;

	crash_point();
	err = egpu_migrate(ctx, event);
	if (err == -ENOENT || err == -ENODEV) {
		event->cookie = 0;
		event->id = 0;
		event->target = 0;
		err = egpu_migrate(ctx, event);
	}
	if (err)
		session_log(LOG_DEBUG, session, "nobody was told: %s",
			    egpu_error(ctx));
}

/**
 * tell_migration() - say how a migration goes
 * @migration: migration
 * @phase: EGPU_MIGRATION_PHASE_STARTED, COMPLETED or FAILED
 */
void tell_migration(struct migration *migration, uint32_t phase)
{
	struct session *session = migration->session;
	struct egpu_migration event = {
		.migration = migration->number,
		.phase = phase,
		.id = migration->source,
		.cookie = migration->cookie,
	};
	uint64_t now = work_now(session->work);

	fill_session(&event, session);
	snprintf(event.reason, sizeof(event.reason), "%s", migration->reason);
	if (phase != EGPU_MIGRATION_PHASE_STARTED) {
		snprintf(event.checkpoint, sizeof(event.checkpoint), "%s",
			 migration->checkpoint);
		event.duration = now - migration->begun;
		event.still = migration->still ? now - migration->still : 0;
	}
	if (phase == EGPU_MIGRATION_PHASE_COMPLETED) {
		event.cpu = migration->cpu;
		event.target = migration->cpu ? 0 : migration->target;
		event.lost = migration->lost_ns;
	}
	tell(session, &event);
}

/**
 * tell_checkpoint() - say that there is a checkpoint
 * @session: of whom
 * @save: which
 */
void tell_checkpoint(struct session *session, const struct save *save)
{
	struct egpu_migration event = {
		.migration = session->migration ?
				     session->migration->number :
				     session->work->next_migration++,
		.phase = EGPU_MIGRATION_PHASE_CHECKPOINTED,
		.id = session->device,
	};

	fill_session(&event, session);
	snprintf(event.checkpoint, sizeof(event.checkpoint), "%s",
		 save->head.id);
	tell(session, &event);
}

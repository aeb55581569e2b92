// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * New buffers: made and filled by a mover, which has verified them, kept until
 * all are there, then offered to the program.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "../work.h"

/* Also what was offered: the program has descriptors of its own. */
void restore_forget(struct migration *migration)
{
	size_t i;

	for (i = 0; i < migration->n_made; i++)
		session_buffer_close(&migration->made[i]);
	free(migration->made);
	migration->made = NULL;
	migration->n_made = 0;
	if (migration->state_fd >= 0)
		close(migration->state_fd);
	migration->state_fd = -1;
	migration->state_size = 0;
}

/* What is not in a checkpoint: whether the program speaks for it, for one. */
static void inherit(const struct session *session, struct session_buffer *made)
{
	size_t i;

	made->origin = made->buffer.kind;
	for (i = 0; i < session->n; i++) {
		const struct session_buffer *old = &session->buffer[i];

		if (old->buffer.id != made->buffer.id)
			continue;
		made->buffer.flags = old->buffer.flags;
		made->origin = old->origin;
	}
}

static void add(struct migration *migration, struct mover_message *message)
{
	struct session_buffer *made;

	made = reallocarray(migration->made, migration->n_made + 1,
			    sizeof(*made));
	if (made)
		migration->made = made;
	/* Without all of them MOVER_DONE is no success; see finish(). */
	if (!made || migration->n_made == WIRE_BUFFERS_MAX) {
		close(message->fd);
		migration->incomplete = true;
		return;
	}
	made = &migration->made[migration->n_made++];
	memset(made, 0, sizeof(*made));
	made->buffer = message->buffer;
	made->fd = message->fd;
	made->dirty = true;
	inherit(migration->session, made);
}

static void fail(struct migration *migration, const char *why)
{
	reason_set(migration->reason, "%s cannot take it: %s",
		   migration->cpu ? "the CPU" : migration->address, why);
	session_log(LOG_WARNING, migration->session, "%s", migration->reason);
	target_exclude(migration);
	migration_input(migration, MIGRATION_FAIL);
}

static void finish(struct migration *migration)
{
	if (migration->incomplete)
		fail(migration, "egpud is out of memory");
	else
		migration_input(migration, MIGRATION_STEP);
}

static void take(struct mover_run *run, struct mover_message *message, void *arg)
{
	struct migration *migration = arg;

	(void)run;
	switch (message->event) {
	case MOVER_BUFFER:
		add(migration, message);
		return;
	case MOVER_STATE:
		if (migration->state_fd >= 0)
			close(migration->state_fd);
		migration->state_fd = message->fd;
		migration->state_size = message->state_size;
		return;
	case MOVER_DONE:
		migration->restore = NULL;
		finish(migration);
		return;
	case MOVER_FAILED:
		migration->restore = NULL;
		fail(migration, message->text);
		return;
	default:
		return;
	}
}

/**
 * restore_begin() - make the buffers on the target
 * @migration: migration with a target and a checkpoint
 *
 * Return: what has come of it at once.
 */
enum migration_input restore_begin(struct migration *migration)
{
	struct session *session = migration->session;
	const struct restore_job job = {
		.store = session->work->store,
		.id = migration->checkpoint,
		.node = migration->cpu ? NULL : migration->node,
		.uid = session->uid,
		.gid = session->gid,
		.n_groups = session->n_groups,
		.groups = session->groups,
	};
	uint64_t limit = session->work->daemon->config.limit_ms * WORK_MS;
	struct mover mover;
	int err = -ENOENT;

	migration->incomplete = false;
	crash_point();
	if (job.store)
		err = mover_restore(&mover, &job);
	if (!err) {
		migration->restore = mover_run_begin(session->work, &mover,
						     limit, take, migration);
		if (migration->restore)
			return MIGRATION_NOTHING;
		err = -ENOMEM;
	}
	reason_set(migration->reason,
		   "cannot start a process to restore it: %s", strerror(-err));
	target_exclude(migration);
	return MIGRATION_FAIL;
}

static int send_begin(struct migration *migration)
{
	struct wire_message message = {
		.type = WIRE_MOVE_BEGIN,
		.serial = migration->offer,
		.move = {
			.lost = migration->lost,
			.n_buffers = (uint32_t)migration->n_made,
			.step = migration->step,
			.lost_ns = migration->lost ? migration->lost_ns : 0,
			.state_size = migration->state_size,
			.cpu = migration->cpu,
		},
	};
	struct wire_move *move = &message.move;

	snprintf(move->address, sizeof(move->address), "%s", migration->address);
	snprintf(move->node, sizeof(move->node), "%s", migration->node);
	snprintf(move->checkpoint, sizeof(move->checkpoint), "%s",
		 migration->checkpoint);
	return session_post(migration->session, &message, -1);
}

static int send_buffers(struct migration *migration)
{
	struct wire_message message = {
		.type = WIRE_MOVE_BUFFER,
		.serial = migration->offer,
	};
	size_t i;
	int err;

	for (i = 0; i < migration->n_made; i++) {
		message.buffer = migration->made[i].buffer;
		err = session_post(migration->session, &message,
				   migration->made[i].fd);
		if (err)
			return err;
	}
	return 0;
}

/**
 * restore_offer() - tell the program of its new device
 * @migration: migration with all buffers made
 *
 * Return: what has come of it at once; a program that does not read has been
 * let go, which is another input.
 */
enum migration_input restore_offer(struct migration *migration)
{
	struct session *session = migration->session;
	struct wire_message message = { .type = WIRE_MOVE_END };

	migration->offer = ++session->serial;
	message.serial = migration->offer;
	crash_point();
	if (!session_make_room(session, migration->n_made + 2) &&
	    !send_begin(migration) && !send_buffers(migration))
		session_post(session, &message, migration->state_fd);
	return MIGRATION_NOTHING;
}

static void settle(struct session_buffer *buffer)
{
	struct stat st;

	if (fstat(buffer->fd, &st))
		return;
	if (buffer->buffer.kind == WIRE_HANDLE)
		buffer->rdev = st.st_rdev;
	else if (buffer->buffer.kind == WIRE_DMABUF)
		buffer->inode = st.st_ino;
}

/**
 * restore_take_over() - the program goes on with the new buffers
 * @migration: migration; the old ones are closed
 */
void restore_take_over(struct migration *migration)
{
	struct session *session = migration->session;
	size_t i;

	for (i = 0; i < session->n; i++)
		session_buffer_close(&session->buffer[i]);
	free(session->buffer);
	session->buffer = migration->made;
	session->n = migration->n_made;
	session->size = migration->n_made;
	migration->made = NULL;
	migration->n_made = 0;
	session->bytes = 0;
	for (i = 0; i < session->n; i++) {
		settle(&session->buffer[i]);
		session->bytes += session->buffer[i].buffer.size;
	}
	session->device = migration->cpu ? 0 : migration->target;
	strcpy(session->address, migration->address);
	snprintf(session->driver, sizeof(session->driver), "%s",
		 migration->driver);
	session->put = !migration->cpu;
	session->rate = 0;
	session->gone = false;
	session->stand = STAND_RUNS;
	session->step = migration->step;
	session->late_offer = 0;
	session_forget_state(session);
	/* What was saved on the old device stays until there is a newer one. */
	chain_restart(session);
	place_soon(session->work);
	publish_soon(session->work);
}

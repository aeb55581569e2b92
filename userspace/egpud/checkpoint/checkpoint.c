// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Writing a checkpoint of a session: rough ones while the program works, which
 * are only good to build on, and those of a safe point, from which it can go on.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "../work.h"

static void fill_head(struct save *save, const char *parent)
{
	const struct session *session = save->session;
	struct store_head *head = &save->head;

	strcpy(head->parent, parent);
	head->created = chain_time();
	head->step = session->step;
	head->session = session->id;
	head->pid = (uint32_t)session->process.pid;
	head->uid = session->uid;
	head->rough = save->rough;
	snprintf(head->program, sizeof(head->program), "%.15s",
		 session->process.comm);
	snprintf(head->name, sizeof(head->name), "%.31s", session->name);
	snprintf(head->address, sizeof(head->address), "%s", session->address);
	snprintf(head->driver, sizeof(head->driver), "%s", session->driver);
}

/* What was not written since the parent need not be read. */
static struct job_buffer *list_buffers(struct save *save)
{
	const struct session *session = save->session;
	bool full = !*save->head.parent;
	struct job_buffer *list = calloc(session->n + 1, sizeof(*list));
	size_t i;

	for (i = 0; list && i < session->n; i++) {
		const struct session_buffer *buffer = &session->buffer[i];

		list[i].buffer = buffer->buffer;
		list[i].fd = buffer->fd;
		list[i].origin = buffer->origin;
		list[i].same = !full && !buffer->dirty;
		if (!list[i].same)
			save->bytes += buffer->buffer.size;
	}
	return list;
}

static void set_dirty(struct session *session, bool dirty)
{
	size_t i;

	for (i = 0; i < session->n; i++)
		session->buffer[i].dirty = dirty;
}

/* Its last word. The program stands still no longer than it has to. */
static void finish(struct save *save, const char *error)
{
	struct session *session = save->session;

	session->save = NULL;
	if (error && !save->rough)
		set_dirty(session, true);
	if (!session->migration && !save->rough && session->still == save->still)
		session_go_on(session);
	if (session->sock < 0)
		;
	else if (session->migration)
		migrate_saved(session->migration, save, error);
	else
		precopy_saved(session, save, error);
	free(save);
}

static void done(struct save *save)
{
	struct session *session = save->session;

	chain_add(session, save->head.id, !*save->head.parent);
	if (!save->rough) {
		session->accepted_still = save->still;
		session->accepted_step = save->step;
		chain_accept(session);
		tell_checkpoint(session, save);
		publish_soon(session->work);
	}
	finish(save, NULL);
}

static void take(struct mover_run *run, struct mover_message *message, void *arg)
{
	struct save *save = arg;
	struct session *session = save->session;

	(void)run;
	switch (message->event) {
	case MOVER_COPIED:
		save->copied = true;
		if (!session->migration && !save->rough &&
		    session->still == save->still)
			session_go_on(session);
		return;
	case MOVER_DONE:
		save->stats = message->stats;
		done(save);
		return;
	case MOVER_FAILED:
		finish(save, message->text);
		return;
	default:
		if (message->fd >= 0)
			close(message->fd);
	}
}

static int start(struct save *save, char *error)
{
	struct session *session = save->session;
	const struct policy_config *config = &session->work->daemon->config;
	struct save_job job = {
		.store = session->work->store,
		.head = &save->head,
		.n = session->n,
		.state = save->rough ? -1 : session->state,
		.state_size = save->rough ? 0 : session->state_size,
		.wait_ms = config->drain_ms,
		.rate = save->rough ? precopy_rate(session) : 0,
	};
	struct job_buffer *list = list_buffers(save);
	struct mover mover;
	int err = -ENOMEM;

	job.buffer = list;
	crash_point();
	if (list)
		err = mover_save(&mover, &job);
	free(list);
	if (!err) {
		save->run = mover_run_begin(session->work, &mover,
					    config->limit_ms * WORK_MS, take,
					    save);
		err = save->run ? 0 : -ENOMEM;
	}
	if (err)
		snprintf(error, STORE_ERROR,
			 "cannot start a process to copy it: %s",
			 strerror(-err));
	return err;
}

/**
 * save_begin() - begin to write a checkpoint
 * @session: of whom; nothing of it is being written yet
 * @rough: while the program works; else it stands still
 * @error: gets why it cannot, STORE_ERROR bytes
 *
 * How it ends is told to the migration of the session, or to precopy_saved().
 *
 * Return: 0 or a negative errno.
 */
int save_begin(struct session *session, bool rough, char *error)
{
	struct save *save;
	int err;

	if (!session->work->store) {
		snprintf(error, STORE_ERROR, "there is no store: %.200s",
			 session->work->store_error);
		return -ENOENT;
	}
	save = calloc(1, sizeof(*save));
	if (!save) {
		snprintf(error, STORE_ERROR, "egpud is out of memory");
		return -ENOMEM;
	}
	save->session = session;
	save->rough = rough;
	save->still = rough ? 0 : session->still;
	save->step = session->step;
	place_writes(session, !rough);
	fill_head(save, chain_parent(session));
	err = start(save, error);
	if (err) {
		free(save);
		return err;
	}
	session->save = save;
	/*
	 * Who writes after this says so after this. A rough copy tells nothing:
	 * whether the write came before or after it is not known.
	 */
	if (!rough)
		set_dirty(session, false);
	return 0;
}

/* What is being written is not wanted any more. */
void save_stop(struct session *session)
{
	struct save *save = session->save;

	if (!save)
		return;
	session->save = NULL;
	mover_run_drop(save->run);
	/* It may have been done in this very moment. */
	sweep_add(session->work, save->head.id);
	if (!save->rough)
		set_dirty(session, true);
	free(save);
}

/* How much would have to be read now. */
uint64_t save_dirty_bytes(const struct session *session)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < session->n; i++) {
		if (session->buffer[i].dirty || chain_is_full(session))
			bytes += session->buffer[i].buffer.size;
	}
	return bytes;
}

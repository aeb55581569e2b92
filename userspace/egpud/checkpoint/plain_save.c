// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Copies of what programs have on a GPU that know nothing of us: made while they
 * are frozen and about to lose it, for people to look at. Nothing depends on
 * them, so what fails is only logged.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "../work.h"

/**
 * struct plain_save - a copy of what one program has in one node of a GPU
 * @next: the next one
 * @removal: for which
 * @process: the program
 * @minor: index of the node
 * @n: entries of @handle
 * @handle: GEM handles
 * @size: and their sizes
 * @id: of the checkpoint
 * @run: who makes it, NULL when it was not begun yet
 */
struct plain_save {
	struct plain_save *next;
	struct removal *removal;
	struct process process;
	uint32_t minor;
	size_t n;
	uint32_t *handle;
	uint64_t *size;
	char id[STORE_ID_SIZE];
	struct mover_run *run;
};

static void forget(struct plain_save *save)
{
	struct plain_save **link = &save->removal->plain;

	while (*link != save)
		link = &(*link)->next;
	*link = save->next;
	free(save->handle);
	free(save->size);
	free(save);
}

static void take(struct mover_run *run, struct mover_message *message, void *arg)
{
	struct plain_save *save = arg;
	struct removal *removal = save->removal;
	char who[96];

	(void)run;
	if (message->fd >= 0)
		close(message->fd);
	if (message->event != MOVER_DONE && message->event != MOVER_FAILED)
		return;
	reason_who(&save->process, who, sizeof(who));
	if (message->event == MOVER_DONE)
		removal_log(LOG_INFO, removal,
			    "what %s has on the GPU was saved, %" PRIu64
			    " MiB: checkpoint %s%s%s",
			    who, message->stats.bytes >> 20, save->id,
			    *message->text ? "; " : "", message->text);
	else
		removal_log(LOG_WARNING, removal,
			    "what %s has on the GPU was not saved: %s", who,
			    message->text);
	forget(save);
	moving_wake(removal->daemon->work);
}

static int start(struct plain_save *save, uint64_t limit)
{
	struct removal *removal = save->removal;
	struct work *work = removal->daemon->work;
	struct store_head head = {
		.created = chain_time(),
		.session = work->next_session++,
		.pid = (uint32_t)save->process.pid,
		.uid = save->process.uid,
		.plain = true,
	};
	const struct plain_job job = {
		.store = work->store,
		.head = &head,
		.pid = save->process.pid,
		.minor = save->minor,
		.n = save->n,
		.handle = save->handle,
		.size = save->size,
		.wait_ms = (uint32_t)(limit / WORK_MS / 4),
	};
	struct mover mover;
	int err;

	snprintf(head.program, sizeof(head.program), "%.15s",
		 save->process.comm);
	snprintf(head.address, sizeof(head.address), "%s", removal->address);
	crash_point();
	err = mover_plain(&mover, &job);
	strcpy(save->id, head.id);
	if (!err)
		save->run = mover_run_begin(work, &mover, limit, take, save);
	return save->run ? 0 : -1;
}

static struct plain_save *find(struct removal *removal,
			       const struct process *process, uint32_t minor)
{
	struct plain_save *save;

	for (save = removal->plain; save; save = save->next) {
		if (save->process.pid == process->pid && save->minor == minor)
			return save;
	}
	save = calloc(1, sizeof(*save));
	if (!save)
		return NULL;
	save->removal = removal;
	save->process = *process;
	save->minor = minor;
	save->next = removal->plain;
	removal->plain = save;
	return save;
}

static void add(struct removal *removal, const struct process *process,
		const struct egpu_buffer *buffer)
{
	struct plain_save *save = find(removal, process, buffer->minor.index);
	uint32_t *handle;
	uint64_t *size;

	if (!save || save->n == STORE_BUFFERS)
		return;
	handle = reallocarray(save->handle, save->n + 1, sizeof(*handle));
	if (handle)
		save->handle = handle;
	size = reallocarray(save->size, save->n + 1, sizeof(*size));
	if (size)
		save->size = size;
	if (!handle || !size)
		return;
	handle[save->n] = buffer->handle;
	size[save->n++] = buffer->size;
}

/* Who stands still for this removal, and has buffers that are the GPU's own. */
static const struct process *owner_of(const struct removal *removal,
				      const struct egpu_buffer *buffer)
{
	size_t i;

	for (i = 0; i < removal->holders.n; i++) {
		const struct holder *holder = &removal->holders.item[i];

		if ((uint32_t)holder->process.pid == buffer->pid &&
		    !holder->cooperates && holder->role == ROLE_PROGRAM)
			return &holder->process;
	}
	return NULL;
}

static bool wanted(const struct removal *removal)
{
	const struct daemon *daemon = removal->daemon;

	return daemon->config.save_plain && daemon->work &&
	       daemon->work->store && removal->frozen.n;
}

static void begin_all(struct removal *removal, uint64_t limit)
{
	struct plain_save *save, *next;

	for (save = removal->plain; save; save = next) {
		next = save->next;
		if (!save->run && start(save, limit))
			forget(save);
	}
}

/**
 * plain_begin() - save what frozen programs have on the GPU
 * @removal: all that is to stand still does
 * @limit: time there is, in ns
 */
void plain_begin(struct removal *removal, uint64_t limit)
{
	struct egpu_buffer_list *list = NULL;
	const struct process *process;
	size_t i;

	if (!wanted(removal) ||
	    egpu_buffer_list(removal->daemon->ctx, removal->id, &list))
		return;
	for (i = 0; i < list->count; i++) {
		process = owner_of(removal, list->item[i]);
		if (process && list->item[i]->size && !list->item[i]->imported)
			add(removal, process, list->item[i]);
	}
	egpu_buffer_list_free(list);
	begin_all(removal, limit);
}

/**
 * plain_stop() - what is not saved by now is not saved
 * @removal: removal
 */
void plain_stop(struct removal *removal)
{
	while (removal->plain) {
		struct plain_save *save = removal->plain;

		if (save->run) {
			removal_log(LOG_WARNING, removal,
				    "no time was left to save what %s has on the GPU",
				    save->process.comm);
			mover_run_drop(save->run);
		}
		forget(save);
	}
}

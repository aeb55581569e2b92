// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which GPU the work of a session is on, and which of its buffers were written
 * there. The kernel is asked, the program is not believed, and no file of a GPU
 * in sysfs is looked at: its removal may be held.
 */
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <syslog.h>

#include "../work.h"

/* Programs add many buffers at a time; one look at all is enough. */
#define PLACE_DELAY (20 * WORK_MS)

#define DRM_MAJOR 226

/**
 * struct place - a GPU, and what the kernel lists for it
 * @work: who asks
 * @device: the GPU
 * @buffers: its buffers, or NULL
 * @clients: its clients, or NULL
 */
struct place {
	struct work *work;
	const struct egpu_device *device;
	struct egpu_buffer_list *buffers;
	struct egpu_client_list *clients;
};

static void look_at(struct place *place)
{
	struct egpu_ctx *ctx = place->work->daemon->ctx;

	if (egpu_buffer_list(ctx, place->device->id, &place->buffers))
		place->buffers = NULL;
	if (egpu_client_list(ctx, place->device->id, &place->clients))
		place->clients = NULL;
}

static void forget(struct place *place)
{
	egpu_buffer_list_free(place->buffers);
	egpu_client_list_free(place->clients);
}

static bool has_node(const struct place *place, dev_t rdev)
{
	const struct egpu_device *device = place->device;
	const struct card *card = card_find(place->work->daemon, device->id);
	size_t i;

	for (i = 0; card && i < card->nodes.n; i++) {
		if (card->nodes.item[i].rdev == rdev)
			return true;
	}
	for (i = 0; i < device->n_minors; i++) {
		if (major(rdev) == DRM_MAJOR &&
		    minor(rdev) == device->minors[i].index)
			return true;
	}
	return false;
}

static bool has_dma_buf(const struct place *place, uint64_t inode)
{
	size_t i;

	for (i = 0; place->buffers && i < place->buffers->count; i++) {
		if (place->buffers->item[i]->dma_buf == inode &&
		    !place->buffers->item[i]->imported)
			return true;
	}
	return false;
}

static bool has_buffer_of(const struct place *place,
			  const struct session *session)
{
	size_t i;

	for (i = 0; i < session->n; i++) {
		const struct session_buffer *buffer = &session->buffer[i];

		if (buffer->rdev && has_node(place, buffer->rdev))
			return true;
		if (buffer->inode && has_dma_buf(place, buffer->inode))
			return true;
	}
	return false;
}

/* Who keeps all in memory and computes on a GPU has it open at least. */
static bool has_client(const struct place *place, const struct session *session)
{
	size_t i;

	for (i = 0; place->clients && i < place->clients->count; i++) {
		if (place->clients->item[i]->pid ==
		    (uint32_t)session->process.pid)
			return true;
	}
	return false;
}

/* From this weight on it is sure, because buffers of the session are there. */
#define WEIGHT_BUFFERS 3

/* How sure it is that a session is on a GPU; what can leave counts more. */
static int weigh(const struct place *place, const struct session *session)
{
	if (has_buffer_of(place, session))
		return WEIGHT_BUFFERS + place->device->external;
	if (has_client(place, session))
		return place->device->external ? 2 : 1;
	return 0;
}

/* Reads files of the GPU, so not while it leaves. */
static uint64_t rate_of(const struct work *work,
			const struct egpu_device *device)
{
	uint64_t rate;

	if (device->cookie || device->state == EGPU_DEVICE_STATE_LEAVING ||
	    bandwidth_load(work->bandwidths, work->daemon->roots,
			   device->address, &rate))
		return 0;
	return rate;
}

static void settle(struct session *session, const struct egpu_device *device)
{
	uint32_t before = session->device;

	session->device = device ? device->id : 0;
	snprintf(session->address, sizeof(session->address), "%s",
		 device ? device->address : "");
	snprintf(session->driver, sizeof(session->driver), "%.31s",
		 device ? device->driver : "");
	if (before == session->device)
		return;
	session->rate = device ? rate_of(session->work, device) : 0;
	session_log(LOG_DEBUG, session, "its work is on %s",
		    device ? device->address : "the CPU");
	publish_soon(session->work);
}

/*
 * Whether a session stays where it is, although it looks @weight elsewhere. What
 * a mover has made for a program is in no list of handles, as long as the program
 * has not imported it; but it is where we have put it, also when the program still
 * has the GPU open that it comes from.
 */
static bool stays(const struct session *session, int weight)
{
	/* Memory, without a device, is in no list at all. */
	return session->put && session->n && weight < WEIGHT_BUFFERS;
}

/*
 * Where it was is going, or has gone, as the kernel knows and we are about to
 * hear. Were it forgotten before that nobody would tell the program.
 */
static bool is_losing(const struct session *session, const struct place *place,
		      size_t n)
{
	while (n--) {
		if (place[n].device->id == session->device)
			return place[n].device->state != EGPU_DEVICE_STATE_READY;
	}
	return session->device;
}

/* Where what has gone was is known, and what moves is about to be elsewhere. */
static bool may_be_placed(const struct session *session)
{
	return session->greeted && !session->gone && !session->migration;
}

static void place_on(struct work *work, const struct egpu_device_list *devices)
{
	struct place place[CANDIDATES_MAX];
	struct session *session;
	size_t n = devices->count, i;

	if (n > CANDIDATES_MAX)
		n = CANDIDATES_MAX;
	for (i = 0; i < n; i++) {
		place[i] = (struct place){ .work = work,
					   .device = devices->item[i] };
		look_at(&place[i]);
	}
	for (session = work->sessions; session; session = session->next) {
		const struct egpu_device *found = NULL;
		int best = 0, weight;

		if (!may_be_placed(session) || is_losing(session, place, n))
			continue;
		for (i = 0; i < n; i++) {
			weight = weigh(&place[i], session);
			if (weight <= best)
				continue;
			best = weight;
			found = place[i].device;
		}
		if (stays(session, best))
			continue;
		session->put = false;
		settle(session, found);
	}
	for (i = 0; i < n; i++)
		forget(&place[i]);
}

/**
 * place_all() - look which GPU each session is on
 * @work: all sessions
 */
void place_all(struct work *work)
{
	struct egpu_device_list *devices = NULL;

	work->locate = sd_event_source_disable_unref(work->locate);
	if (!work->sessions || egpu_device_list(work->daemon->ctx, &devices))
		return;
	place_on(work, devices);
	egpu_device_list_free(devices);
	strategy_watch(work);
}

static int on_place(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source;
	(void)usec;
	place_all(arg);
	return 0;
}

/* Something has changed that may put a session elsewhere. */
void place_soon(struct work *work)
{
	if (!work->locate)
		work_timer(work, &work->locate, PLACE_DELAY, on_place, work);
}

/* The kernel's entry for a buffer, or NULL when there is none or no one. */
static const struct egpu_buffer *entry_of(const struct egpu_buffer_list *list,
					  const struct session *session,
					  const struct session_buffer *buffer)
{
	const struct egpu_buffer *found = NULL;
	size_t i;

	for (i = 0; i < list->count; i++) {
		const struct egpu_buffer *item = list->item[i];

		/* Handles of one dma-buf mean one buffer, so any of them will do. */
		if (buffer->inode && item->dma_buf == buffer->inode)
			return item;
		if (buffer->inode || !buffer->rdev ||
		    item->pid != (uint32_t)session->process.pid ||
		    item->handle != buffer->buffer.handle ||
		    item->minor.index != minor(buffer->rdev))
			continue;
		/* The same number in two files of the program: which is ours? */
		if (found)
			return NULL;
		found = item;
	}
	return found;
}

static bool tells_writes(const struct egpu_buffer *entry)
{
	return entry && EGPU_HAS(entry, EGPU_A_BUFFER_WRITE_CONTEXT) &&
	       EGPU_HAS(entry, EGPU_A_BUFFER_WRITE_SEQNO);
}

static void compare(struct session_buffer *buffer,
		    const struct egpu_buffer *entry, bool remember)
{
	bool known = tells_writes(entry);

	/* Of memory there is nobody but the program who could tell. */
	if (buffer->buffer.kind == WIRE_MEMORY)
		return;
	if (!known || !buffer->tracked ||
	    entry->write_context != buffer->context ||
	    entry->write_seqno != buffer->seqno)
		buffer->dirty = true;
	if (!remember)
		return;
	/* Of several that are in flight another may be the last in the end. */
	buffer->tracked = known && !entry->pending;
	buffer->context = known ? entry->write_context : 0;
	buffer->seqno = known ? entry->write_seqno : 0;
}

/**
 * place_writes() - which buffers may have been written since the last time?
 * @session: their .dirty is set
 * @remember: this is the next time to compare with
 *
 * A buffer that the program does not speak for may always have been; one that it
 * speaks for may when the kernel has seen a write, or cannot tell.
 */
void place_writes(struct session *session, bool remember)
{
	struct egpu_buffer_list *list = NULL;
	size_t i;

	if (session->device && egpu_buffer_list(session->work->daemon->ctx,
						session->device, &list))
		list = NULL;
	for (i = 0; i < session->n; i++) {
		struct session_buffer *buffer = &session->buffer[i];

		if (!(buffer->buffer.flags & WIRE_DECLARED))
			buffer->dirty = true;
		compare(buffer, list ? entry_of(list, session, buffer) : NULL,
			remember);
	}
	egpu_buffer_list_free(list);
}

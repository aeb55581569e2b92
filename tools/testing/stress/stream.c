// SPDX-License-Identifier: GPL-2.0
#include "stream.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool complain(struct stream *stream, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool complain(struct stream *stream, const char *format, ...)
{
	va_list args;

	/* The first is the cause, the others may follow from it. */
	if (stream->complaint[0])
		return false;
	va_start(args, format);
	vsnprintf(stream->complaint, sizeof(stream->complaint), format, args);
	va_end(args);
	return false;
}

static uint64_t hash_of(const unsigned char *bytes, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325;

	while (len--)
		hash = (hash ^ *bytes++) * 0x100000001b3;
	return hash;
}

/**
 * event_read - take an event apart
 * @event: overwritten
 * @cmd: what it is
 * @attrs: its attributes
 * @len: their bytes
 */
void event_read(struct event *event, uint8_t cmd, const void *attrs, size_t len)
{
	memset(event, 0, sizeof(*event));
	event->cmd = cmd;
	event->hash = hash_of(attrs, len);
	if (cmd == EGPU_CMD_CONNECTED || cmd == EGPU_CMD_CHANGED) {
		gpu_read(&event->gpu, attrs, len);
		event->seq = attr_u64(attrs, len, EGPU_A_DEVICE_SEQ);
	} else if (cmd == EGPU_CMD_QUIESCE) {
		quiesce_read(&event->quiesce, attrs, len);
		event->seq = event->quiesce.seq;
	} else if (cmd == EGPU_CMD_MIGRATION) {
		migration_read(&event->migration, attrs, len);
		event->seq = event->migration.seq;
	} else {
		removal_read(&event->removal, attrs, len);
		event->seq = event->removal.seq;
	}
}

/**
 * stream_gpu - find a GPU
 * @stream: what was heard
 * @id: of the GPU
 *
 * Return: the GPU, or NULL when it is not on the bus.
 */
struct gpu *stream_gpu(struct stream *stream, uint32_t id)
{
	unsigned int i;

	for (i = 0; i < stream->gpus; i++)
		if (stream->gpu[i].id == id)
			return &stream->gpu[i];
	return NULL;
}

/**
 * stream_removal - find a removal
 * @stream: what was heard
 * @cookie: of the removal
 *
 * Return: the removal, NULL when it was not heard of or is long past.
 */
struct stream_removal *stream_removal(struct stream *stream, uint64_t cookie)
{
	struct stream_removal *removal =
		&stream->removal[cookie % STREAM_REMOVALS];

	return cookie && removal->now.cookie == cookie ? removal : NULL;
}

static bool is_end(uint32_t phase)
{
	return phase == EGPU_PHASE_DONE || phase == EGPU_PHASE_CANCELLED ||
	       phase == EGPU_PHASE_REFUSED;
}

/**
 * stream_begin - begin to listen
 * @stream: overwritten
 * @snapshot: what was there when it began
 */
void stream_begin(struct stream *stream, const struct snapshot *snapshot)
{
	struct stream_removal *removal;
	unsigned int i;

	memset(stream, 0, sizeof(*stream));
	stream->from = snapshot->seq;
	stream->seq = snapshot->seq;
	stream->gpus = snapshot->gpus;
	memcpy(stream->gpu, snapshot->gpu, sizeof(stream->gpu));
	for (i = 0; i < stream->gpus; i++)
		if (stream->gpu[i].id > stream->last_id)
			stream->last_id = stream->gpu[i].id;
	for (i = 0; i < snapshot->quiesces; i++)
		stream->quiesce[snapshot->quiesce[i].id % STREAM_GPUS] =
			snapshot->quiesce[i];
	for (i = 0; i < snapshot->removals; i++) {
		const struct removal *now = &snapshot->removal[i];

		removal = &stream->removal[now->cookie % STREAM_REMOVALS];
		removal->now = *now;
		removal->at_begin = true;
		removal->ended = is_end(now->phase);
		removal->disconnected = now->phase == EGPU_PHASE_DONE;
		if (now->cookie > stream->last_cookie)
			stream->last_cookie = now->cookie;
		if (now->id > stream->last_id)
			stream->last_id = now->id;
	}
}

static bool on_connected(struct stream *stream, const struct gpu *gpu)
{
	/* A listener that began with nothing there cannot know the number. */
	if (stream->last_id && gpu->id != stream->last_id + 1)
		return complain(stream,
				"GPU %u connected, the one before was %u",
				gpu->id, stream->last_id);
	if (stream->gpus == STREAM_GPUS)
		return complain(stream, "more GPUs than there are ports");
	stream->last_id = gpu->id;
	stream->gpu[stream->gpus++] = *gpu;
	return true;
}

static bool on_changed(struct stream *stream, const struct gpu *gpu)
{
	struct gpu *known = stream_gpu(stream, gpu->id);

	if (!known)
		return complain(stream, "GPU %u changed, it is not connected",
				gpu->id);
	if (strcmp(known->address, gpu->address))
		return complain(stream, "GPU %u moved from %s to %s", gpu->id,
				known->address, gpu->address);
	if (gpu->state == EGPU_DEVICE_STATE_GONE)
		return complain(stream, "GPU %u changed to gone", gpu->id);
	*known = *gpu;
	return true;
}

static struct stream_removal *open_removal(struct stream *stream, uint32_t id)
{
	unsigned int i;

	for (i = 0; i < STREAM_REMOVALS; i++)
		if (stream->removal[i].now.cookie &&
		    !stream->removal[i].ended && stream->removal[i].now.id == id)
			return &stream->removal[i];
	return NULL;
}

static bool on_pending(struct stream *stream, const struct removal *now)
{
	struct stream_removal *removal =
		&stream->removal[now->cookie % STREAM_REMOVALS];

	if (now->cookie != stream->last_cookie + 1)
		return complain(stream,
				"removal %" PRIu64
				" begins, the one before was %" PRIu64,
				now->cookie, stream->last_cookie);
	if (!stream_gpu(stream, now->id))
		return complain(stream,
				"removal %" PRIu64
				" of GPU %u, which is not connected",
				now->cookie, now->id);
	if (open_removal(stream, now->id))
		return complain(stream,
				"removal %" PRIu64
				" of GPU %u begins while %" PRIu64 " is open",
				now->cookie, now->id,
				open_removal(stream, now->id)->now.cookie);
	if (now->phase != EGPU_PHASE_PENDING && now->phase != EGPU_PHASE_RELEASED)
		return complain(stream, "removal %" PRIu64 " begins as %s",
				now->cookie, phase_names[now->phase]);
	if (removal->now.cookie && !removal->ended)
		return complain(stream, "removal %" PRIu64 " has not ended",
				removal->now.cookie);
	memset(removal, 0, sizeof(*removal));
	removal->now = *now;
	stream->last_cookie = now->cookie;
	stream_gpu(stream, now->id)->state = EGPU_DEVICE_STATE_LEAVING;
	return true;
}

/* Ids are counted up, and far fewer GPUs are there at a time. */
static struct quiesce *quiesce_of(struct stream *stream, uint32_t id)
{
	struct quiesce *quiesce = &stream->quiesce[id % STREAM_GPUS];

	if (quiesce->id != id) {
		memset(quiesce, 0, sizeof(*quiesce));
		quiesce->id = id;
	}
	return quiesce;
}

#define STATE(name) (1 << EGPU_QUIESCE_STATE_##name)

/* Bits of the states that may follow each. */
static const uint32_t quiesce_follows[] = {
	[EGPU_QUIESCE_STATE_RUNNING] = STATE(FENCED),
	[EGPU_QUIESCE_STATE_FENCED] = STATE(DRAINING) | STATE(RESUMED),
	[EGPU_QUIESCE_STATE_DRAINING] = STATE(DRAINING) | STATE(QUIESCED) |
					STATE(FENCED) | STATE(RESUMED),
	[EGPU_QUIESCE_STATE_QUIESCED] = STATE(FENCED) | STATE(RESUMED),
	[EGPU_QUIESCE_STATE_RESUMED] = STATE(FENCED),
};

static bool result_fits(const struct quiesce *now)
{
	switch (now->state) {
	case EGPU_QUIESCE_STATE_DRAINING:
		return now->result == EGPU_DRAIN_RESULT_NONE && !now->ended;
	case EGPU_QUIESCE_STATE_QUIESCED:
		return now->result == EGPU_DRAIN_RESULT_DRAINED &&
		       !now->pending && now->passes > 1;
	case EGPU_QUIESCE_STATE_RUNNING:
		return false;
	default:
		return true;
	}
}

static bool on_quiesce(struct stream *stream, const struct quiesce *now)
{
	struct quiesce *before = quiesce_of(stream, now->id);

	if (!stream_gpu(stream, now->id))
		return complain(stream, "GPU %u is %s, and is not connected",
				now->id, quiesce_names[now->state]);
	if (!(quiesce_follows[before->state] & 1 << now->state))
		return complain(stream, "GPU %u went from %s to %s", now->id,
				quiesce_names[before->state],
				quiesce_names[now->state]);
	if (!result_fits(now))
		return complain(stream,
				"GPU %u is %s with result %s, %u pending",
				now->id, quiesce_names[now->state],
				drain_names[now->result], now->pending);
	if (before->state == EGPU_QUIESCE_STATE_DRAINING &&
	    now->state == EGPU_QUIESCE_STATE_DRAINING &&
	    now->passes < before->passes)
		return complain(stream, "GPU %u drains backwards", now->id);
	*before = *now;
	return true;
}

static struct migration *open_migration(struct stream *stream, uint64_t number)
{
	unsigned int i;

	for (i = 0; i < stream->migrations; i++)
		if (stream->migration[i].migration == number)
			return &stream->migration[i];
	return NULL;
}

static bool on_started(struct stream *stream, const struct migration *now)
{
	/* What a daemon that was killed has begun, nobody ends. */
	if (stream->migrations && stream->migration[0].helper != now->helper)
		stream->migrations = 0;
	if (open_migration(stream, now->migration))
		return complain(stream, "migration %" PRIu64 " is started twice",
				now->migration);
	if (stream->migrations == STREAM_MIGRATIONS)
		return complain(stream, "migration %" PRIu64 " is one too many",
				now->migration);
	stream->migration[stream->migrations++] = *now;
	stream->last_migration = now->migration;
	return true;
}

static bool on_migration(struct stream *stream, const struct migration *now)
{
	struct migration *begun = open_migration(stream, now->migration);

	if (now->phase > EGPU_MIGRATION_PHASE_CHECKPOINTED || !now->helper)
		return complain(stream,
				"migration %" PRIu64 ": phase %u of helper %u",
				now->migration, now->phase, now->helper);
	if (now->phase == EGPU_MIGRATION_PHASE_STARTED)
		return on_started(stream, now);
	if (now->phase == EGPU_MIGRATION_PHASE_CHECKPOINTED) {
		stream->checkpoints++;
		return true;
	}
	/* Who began to listen in the middle cannot know its begin. */
	if (!begun && (!stream->from || now->migration <= stream->last_migration))
		return complain(stream,
				"migration %" PRIu64 " is %s, not started",
				now->migration, migration_names[now->phase]);
	if (begun)
		*begun = stream->migration[--stream->migrations];
	stream->completed += now->phase == EGPU_MIGRATION_PHASE_COMPLETED;
	return true;
}

/* Bits of the phases that may follow each. */
static const uint32_t follows[] = {
	[EGPU_PHASE_PENDING] = 1 << EGPU_PHASE_ACCEPTED |
			       1 << EGPU_PHASE_RELEASED |
			       1 << EGPU_PHASE_UNBOUND | 1 << EGPU_PHASE_DONE |
			       1 << EGPU_PHASE_CANCELLED,
	[EGPU_PHASE_ACCEPTED] = 1 << EGPU_PHASE_RELEASED |
				1 << EGPU_PHASE_UNBOUND | 1 << EGPU_PHASE_DONE |
				1 << EGPU_PHASE_CANCELLED |
				1 << EGPU_PHASE_REFUSED,
	[EGPU_PHASE_RELEASED] = 1 << EGPU_PHASE_UNBOUND | 1 << EGPU_PHASE_DONE |
				1 << EGPU_PHASE_REFUSED,
	[EGPU_PHASE_UNBOUND] = 1 << EGPU_PHASE_DONE,
};

static bool same_news(const struct removal *a, const struct removal *b)
{
	return a->phase == b->phase && a->release == b->release &&
	       a->cause == b->cause && a->evidence == b->evidence &&
	       a->step == b->step && a->vouched == b->vouched;
}

static bool times_in_order(const struct removal *now)
{
	const uint64_t at[] = { now->created, now->accepted, now->released,
				now->unbound, now->finished };
	uint64_t last = 0;
	unsigned int i;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		if (!at[i])
			continue;
		if (at[i] < last)
			return false;
		last = at[i];
	}
	return now->created;
}

static bool check_step(struct stream *stream, const struct removal *before,
		       const struct removal *now)
{
	if (now->phase != before->phase &&
	    !(follows[before->phase] & 1 << now->phase))
		return complain(stream, "removal %" PRIu64 " went from %s to %s",
				now->cookie, phase_names[before->phase],
				phase_names[now->phase]);
	if (before->cause == EGPU_CAUSE_SURPRISE &&
	    now->cause != EGPU_CAUSE_SURPRISE)
		return complain(stream,
				"removal %" PRIu64 " was a surprise and is not",
				now->cookie);
	if (before->release && now->release != before->release)
		return complain(stream,
				"removal %" PRIu64
				" was released as %s and then as %s",
				now->cookie, release_names[before->release],
				release_names[now->release]);
	if (!times_in_order(now))
		return complain(stream,
				"removal %" PRIu64 " has times out of order",
				now->cookie);
	return true;
}

static bool check_end(struct stream *stream, struct stream_removal *removal)
{
	const struct removal *now = &removal->now;

	if (!now->release)
		return complain(stream,
				"removal %" PRIu64 " ended and was not released",
				now->cookie);
	if (!now->finished)
		return complain(stream,
				"removal %" PRIu64 " ended and has no end",
				now->cookie);
	if (now->phase == EGPU_PHASE_DONE && !removal->disconnected &&
	    now->cause != EGPU_CAUSE_UNBIND)
		return complain(stream,
				"removal %" PRIu64
				" is done with cause %u, its GPU is still there",
				now->cookie, now->cause);
	if (now->phase != EGPU_PHASE_DONE && removal->disconnected)
		return complain(stream,
				"removal %" PRIu64 " is %s, its GPU has gone",
				now->cookie, phase_names[now->phase]);
	removal->ended = true;
	return true;
}

static struct stream_removal *known_removal(struct stream *stream,
					    const struct removal *now)
{
	struct stream_removal *removal = stream_removal(stream, now->cookie);

	if (!removal)
		complain(stream, "removal %" PRIu64 " was never announced",
			 now->cookie);
	else if (removal->ended)
		complain(stream, "removal %" PRIu64 " goes on after its end",
			 now->cookie);
	else if (removal->now.id != now->id)
		complain(stream, "removal %" PRIu64 " changed its GPU",
			 now->cookie);
	else
		return removal;
	return NULL;
}

static bool on_progress(struct stream *stream, const struct removal *now)
{
	struct stream_removal *removal = known_removal(stream, now);

	if (!removal)
		return false;
	if (!removal->at_begin && same_news(&removal->now, now))
		return complain(stream,
				"removal %" PRIu64
				" is told to be %s a second time",
				now->cookie, phase_names[now->phase]);
	if (removal->disconnected && now->phase != EGPU_PHASE_DONE)
		return complain(stream,
				"removal %" PRIu64
				" is %s after its GPU has gone",
				now->cookie, phase_names[now->phase]);
	if (!check_step(stream, &removal->now, now))
		return false;
	if (removal->disconnected && removal->now.cause != now->cause)
		return complain(stream,
				"removal %" PRIu64
				" has another cause at its end",
				now->cookie);
	removal->now = *now;
	return is_end(now->phase) ? check_end(stream, removal) : true;
}

static bool on_disconnected(struct stream *stream, const struct removal *now)
{
	struct stream_removal *removal = known_removal(stream, now);
	struct gpu *gpu = stream_gpu(stream, now->id);

	if (!removal)
		return false;
	if (removal->disconnected || !gpu)
		return complain(stream, "GPU %u disconnected a second time",
				now->id);
	if (now->cause == EGPU_CAUSE_UNBIND || now->cause == EGPU_CAUSE_UNKNOWN)
		return complain(stream, "GPU %u disconnected with cause %u",
				now->id, now->cause);
	if (!check_step(stream, &removal->now, now))
		return false;
	removal->now = *now;
	removal->disconnected = true;
	*gpu = stream->gpu[--stream->gpus];
	return true;
}

/**
 * stream_event - hear an event
 * @stream: what was heard before
 * @event: the event; one that the snapshot has in it already is left out
 *
 * Return: false when it cannot be true; the complaint says why.
 */
bool stream_event(struct stream *stream, const struct event *event)
{
	if (event->seq && event->seq <= stream->from)
		return true;
	if (event->seq != stream->seq + 1)
		return complain(stream, "event %" PRIu64 " came after %" PRIu64,
				event->seq, stream->seq);
	stream->seq = event->seq;
	switch (event->cmd) {
	case EGPU_CMD_CONNECTED:
		return on_connected(stream, &event->gpu);
	case EGPU_CMD_CHANGED:
		return on_changed(stream, &event->gpu);
	case EGPU_CMD_REMOVAL_PENDING:
		return on_pending(stream, &event->removal);
	case EGPU_CMD_REMOVAL_PROGRESS:
		return on_progress(stream, &event->removal);
	case EGPU_CMD_DISCONNECTED:
		return on_disconnected(stream, &event->removal);
	case EGPU_CMD_QUIESCE:
		return on_quiesce(stream, &event->quiesce);
	case EGPU_CMD_MIGRATION:
		return on_migration(stream, &event->migration);
	}
	return complain(stream, "event %u is none that is known", event->cmd);
}

/**
 * stream_rests - has everything that began come to its end
 * @stream: what was heard
 *
 * Return: true when no removal is open.
 */
bool stream_rests(const struct stream *stream)
{
	unsigned int i;

	for (i = 0; i < STREAM_REMOVALS; i++)
		if (stream->removal[i].now.cookie && !stream->removal[i].ended)
			return false;
	return true;
}

static bool same_gpu(struct stream *stream, const struct gpu *there)
{
	const struct gpu *heard = stream_gpu(stream, there->id);

	if (!heard)
		return complain(stream, "GPU %u at %s was not heard of",
				there->id, there->address);
	if (heard->state != there->state || heard->external != there->external)
		return complain(stream,
				"GPU %u is in state %u, external %d; heard was %u, %d",
				there->id, there->state, there->external,
				heard->state, heard->external);
	return true;
}

static bool same_removal(struct stream *stream, const struct removal *there)
{
	const struct stream_removal *heard =
		stream_removal(stream, there->cookie);

	if (!heard)
		return complain(stream, "removal %" PRIu64 " was not heard of",
				there->cookie);
	if (!is_end(there->phase))
		return complain(stream, "removal %" PRIu64 " is still %s",
				there->cookie, phase_names[there->phase]);
	if (!same_news(&heard->now, there) || heard->now.id != there->id)
		return complain(stream,
				"removal %" PRIu64
				" is %s, %s, cause %u; heard was %s, %s, %u",
				there->cookie, phase_names[there->phase],
				release_names[there->release], there->cause,
				phase_names[heard->now.phase],
				release_names[heard->now.release],
				heard->now.cause);
	return true;
}

static bool same_quiesce(struct stream *stream, const struct quiesce *there)
{
	const struct quiesce *heard = quiesce_of(stream, there->id);
	bool fenced = there->state == EGPU_QUIESCE_STATE_FENCED ||
		      there->state == EGPU_QUIESCE_STATE_QUIESCED;

	if (there->state == EGPU_QUIESCE_STATE_DRAINING)
		return complain(stream, "GPU %u still drains", there->id);
	if (heard->state != there->state || heard->result != there->result)
		return complain(stream, "GPU %u is %s, %s; heard was %s, %s",
				there->id, quiesce_names[there->state],
				drain_names[there->result],
				quiesce_names[heard->state],
				drain_names[heard->result]);
	if (fenced != !!there->owner)
		return complain(stream, "GPU %u is %s with owner %u", there->id,
				quiesce_names[there->state], there->owner);
	return true;
}

/**
 * stream_agrees - is what was heard what is there
 * @stream: what was heard; at rest
 * @snapshot: what is there
 *
 * Return: false when it is not; the complaint says where.
 */
bool stream_agrees(struct stream *stream, const struct snapshot *snapshot)
{
	unsigned int i;

	if (stream->seq != snapshot->seq)
		return complain(stream,
				"the last event is %" PRIu64
				", heard was %" PRIu64,
				snapshot->seq, stream->seq);
	if (stream->gpus != snapshot->gpus)
		return complain(stream, "%u GPUs are there, %u were heard of",
				snapshot->gpus, stream->gpus);
	for (i = 0; i < snapshot->gpus; i++)
		if (!same_gpu(stream, &snapshot->gpu[i]))
			return false;
	for (i = 0; i < snapshot->quiesces; i++)
		if (!same_quiesce(stream, &snapshot->quiesce[i]))
			return false;
	for (i = 0; i < snapshot->removals; i++)
		if (!same_removal(stream, &snapshot->removal[i]))
			return false;
	return true;
}

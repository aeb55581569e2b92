/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one listener hears, held against what a module may say. No socket and no
 * clock, so that it can be tried with events made by hand.
 */
#ifndef EGPU_STRESS_STREAM_H
#define EGPU_STRESS_STREAM_H

#include "../selftests/egpu/family.h"

#define STREAM_GPUS	16
#define STREAM_REMOVALS 128

/* Programs whose work is moved at once, at most: egpud's default. */
#define STREAM_MIGRATIONS 4

/**
 * struct event - one event
 * @cmd: EGPU_CMD_CONNECTED ...
 * @seq: its number
 * @hash: of its bytes
 * @gpu: of connected and changed
 * @quiesce: of quiesce
 * @migration: of migration
 * @removal: of the others
 */
struct event {
	uint8_t cmd;
	uint64_t seq;
	uint64_t hash;
	struct gpu gpu;
	struct removal removal;
	struct quiesce quiesce;
	struct migration migration;
};

/**
 * struct stream_removal - a removal as far as it was heard of
 * @now: as last told
 * @disconnected: its GPU has left the bus
 * @ended: done, cancelled or refused
 * @at_begin: it was there before the listener
 */
struct stream_removal {
	struct removal now;
	bool disconnected;
	bool ended;
	bool at_begin;
};

/**
 * struct snapshot - everything at one moment
 * @seq: number of the last event before it
 * @helpers: somebody listens as a helper
 * @gpus: entries in use
 * @gpu: GPUs
 * @quiesces: entries in use
 * @quiesce: how far the clients of each GPU are stopped
 * @removals: entries in use
 * @removal: removals, open and finished
 */
struct snapshot {
	uint64_t seq;
	bool helpers;
	unsigned int gpus;
	struct gpu gpu[STREAM_GPUS];
	unsigned int quiesces;
	struct quiesce quiesce[STREAM_GPUS];
	unsigned int removals;
	struct removal removal[STREAM_REMOVALS];
};

/**
 * struct stream - what a listener has heard so far
 * @from: events up to this one were in the snapshot
 * @seq: number of the last event
 * @last_id: the newest GPU's
 * @last_cookie: the newest removal's
 * @gpus: entries in use
 * @gpu: GPUs on the bus
 * @quiesce: how far the clients of each are stopped
 * @removal: the newest removals, by cookie
 * @migrations: entries in use
 * @migration: those that have begun and not ended
 * @last_migration: the newest that has begun
 * @checkpoints: copies that were made
 * @completed: migrations that were
 * @complaint: what was wrong, or empty
 */
struct stream {
	uint64_t from;
	uint64_t seq;
	uint32_t last_id;
	uint64_t last_cookie;
	unsigned int gpus;
	struct gpu gpu[STREAM_GPUS];
	struct quiesce quiesce[STREAM_GPUS];
	struct stream_removal removal[STREAM_REMOVALS];
	unsigned int migrations;
	struct migration migration[STREAM_MIGRATIONS];
	uint64_t last_migration;
	unsigned int checkpoints;
	unsigned int completed;
	char complaint[256];
};

void event_read(struct event *event, uint8_t cmd, const void *attrs, size_t len);
void stream_begin(struct stream *stream, const struct snapshot *snapshot);
bool stream_event(struct stream *stream, const struct event *event);
bool stream_rests(const struct stream *stream);
bool stream_agrees(struct stream *stream, const struct snapshot *snapshot);
struct stream_removal *stream_removal(struct stream *stream, uint64_t cookie);
struct gpu *stream_gpu(struct stream *stream, uint32_t id);

#endif /* EGPU_STRESS_STREAM_H */

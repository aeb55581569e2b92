// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How fast a GPU that has come can be written and read: measured once, while it
 * is awake and nobody uses it yet, for the choice of a device and the share of
 * the link that copies may take.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "../work.h"

#define MEASURE_LIMIT (10000 * WORK_MS)

/**
 * struct measure - a GPU that is measured
 * @work: who wants to know
 * @id: device id
 * @address: PCI address
 */
struct measure {
	struct work *work;
	uint32_t id;
	char address[EGPU_ADDRESS_LEN + 1];
};

static void keep(const struct measure *measure,
		 const struct mover_message *message)
{
	const struct work *work = measure->work;
	uint64_t rate = message->read_rate;

	if (!rate || (message->write_rate && message->write_rate < rate))
		rate = message->write_rate;
	/* Its files are not looked at when it has begun to leave meanwhile. */
	if (!rate || !card_find(work->daemon, measure->id) ||
	    work->daemon->removals)
		return;
	log_line(LOG_INFO,
		 "%s: %" PRIu64 " MiB/s to it, %" PRIu64 " MiB/s from it",
		 measure->address, message->write_rate >> 20,
		 message->read_rate >> 20);
	if (bandwidth_save(work->bandwidths, work->daemon->roots,
			   measure->address, rate))
		log_line(LOG_DEBUG, "%s: the figures cannot be kept",
			 measure->address);
}

static void take(struct mover_run *run, struct mover_message *message, void *arg)
{
	struct measure *measure = arg;

	(void)run;
	if (message->fd >= 0)
		close(message->fd);
	if (message->event == MOVER_DONE)
		keep(measure, message);
	else if (message->event == MOVER_FAILED)
		log_line(LOG_INFO, "%s was not measured: %s", measure->address,
			 message->text);
	else
		return;
	free(measure);
}

static const char *node_of(const struct card *card)
{
	const char *found = NULL;
	size_t i;

	for (i = 0; i < card->nodes.n; i++) {
		const struct node *node = &card->nodes.item[i];

		if (node->kind != NODE_DRM)
			continue;
		if (!found || strstr(node->path, "renderD"))
			found = node->path;
	}
	return found;
}

/**
 * measure_stop() - a GPU is about to leave, whether it was measured or not
 * @daemon: daemon
 * @id: device id
 *
 * The child has the GPU open, and is killed.
 */
void measure_stop(struct daemon *daemon, uint32_t id)
{
	struct mover_run *run = daemon->work ? daemon->work->runs : NULL;

	for (; run; run = run->next) {
		struct measure *measure = run->arg;

		if (run->take != take || measure->id != id)
			continue;
		mover_run_drop(run);
		free(measure);
	}
}

/**
 * measure_card() - measure a GPU that is ready
 * @daemon: daemon
 * @card: the GPU
 */
void measure_card(struct daemon *daemon, const struct card *card)
{
	const struct measure_job job = { .node = node_of(card) };
	struct measure *measure;
	struct mover mover;

	if (!daemon->work || !job.node || daemon->removals)
		return;
	measure = calloc(1, sizeof(*measure));
	if (!measure)
		return;
	measure->work = daemon->work;
	measure->id = card->id;
	strcpy(measure->address, card->address);
	if (mover_measure(&mover, &job) ||
	    !mover_run_begin(daemon->work, &mover, MEASURE_LIMIT, take, measure))
		free(measure);
}

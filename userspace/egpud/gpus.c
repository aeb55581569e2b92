// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What happens to GPUs, for the log and for systemd's status line.
 */
#include <inttypes.h>
#include <stdio.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>

#include "egpud.h"

/* Tells systemd how things are. */
void gpus_update_status(struct daemon *daemon)
{
	if (!daemon->loaded)
		sd_notify(0, "STATUS=Waiting for the egpu module.");
	else
		sd_notifyf(0,
			   "STATUS=Watching %" PRIu32 " GPUs, %" PRIu32
			   " of them external.%s%s",
			   daemon->n_gpus, daemon->n_external,
			   *daemon->verdict ? " " : "", daemon->verdict);
}

static void log_device(const struct egpu_event *event)
{
	const struct egpu_device *dev = event->device;
	char id[16], seq[24], state[EGPU_NAME_SIZE], marker[EGPU_NAME_SIZE];
	const struct log_field fields[] = {
		{ "id", id },
		{ "address", dev->address },
		{ "state", egpu_name_text(EGPU_NAMES_STATE, dev->state, state,
					  sizeof(state)) },
		{ "external", dev->external ? "1" : "0" },
		{ "marker", egpu_name_text(EGPU_NAMES_MARKER, dev->marker,
					   marker, sizeof(marker)) },
		{ "driver", dev->driver },
		{ "seq", seq },
		{ NULL, NULL },
	};

	snprintf(id, sizeof(id), "%" PRIu32, dev->id);
	snprintf(seq, sizeof(seq), "%" PRIu64, event->seq);
	log_fields(event->type == EGPU_EVENT_CONNECTED ? LOG_INFO : LOG_DEBUG,
		   fields, "%s", egpu_name(EGPU_NAMES_EVENT, event->type));
}

static void log_removal(const struct egpu_event *event)
{
	const struct egpu_removal *rem = event->removal;
	char cookie[24], id[16], seq[24], phase[EGPU_NAME_SIZE];
	char release[EGPU_NAME_SIZE], cause[EGPU_NAME_SIZE];
	const struct log_field fields[] = {
		{ "cookie", cookie },
		{ "id", id },
		{ "address", rem->address },
		{ "phase", egpu_name_text(EGPU_NAMES_PHASE, rem->phase, phase,
					  sizeof(phase)) },
		{ "release", egpu_name_text(EGPU_NAMES_RELEASE, rem->release,
					    release, sizeof(release)) },
		{ "cause", egpu_name_text(EGPU_NAMES_CAUSE, rem->cause, cause,
					  sizeof(cause)) },
		{ "seq", seq },
		{ NULL, NULL },
	};
	int level = LOG_INFO;

	if (event->type == EGPU_EVENT_DISCONNECTED &&
	    rem->cause == EGPU_CAUSE_SURPRISE)
		level = LOG_WARNING;
	snprintf(cookie, sizeof(cookie), "%" PRIu64, rem->cookie);
	snprintf(id, sizeof(id), "%" PRIu32, rem->id);
	snprintf(seq, sizeof(seq), "%" PRIu64, event->seq);
	log_fields(level, fields, "%s",
		   egpu_name(EGPU_NAMES_EVENT, event->type));
}

static void log_state(struct daemon *daemon, const struct egpu_event *event)
{
	char buf[EGPU_NAME_SIZE];

	if (event->type == EGPU_EVENT_RESYNC)
		log_line(LOG_WARNING, "events were lost (%s), resynchronised",
			 egpu_name_text(EGPU_NAMES_LOSS, event->loss, buf,
					sizeof(buf)));
	else if (daemon->loaded)
		log_line(LOG_NOTICE, "the egpu module is loaded");
	else
		log_line(LOG_NOTICE, "waiting for the egpu module");
}

/* A state starts the count anew; its GPUs follow as events of their own. */
static void count_state(struct daemon *daemon, const struct egpu_event *event)
{
	size_t i;

	daemon->loaded = event->type != EGPU_EVENT_START || event->loaded;
	daemon->n_gpus = (uint32_t)event->devices->count;
	daemon->n_external = 0;
	for (i = 0; i < event->devices->count; i++)
		daemon->n_external += event->devices->item[i]->external;
}

static void count_event(struct daemon *daemon, const struct egpu_event *event)
{
	/* The count of a state has all that the synthetic events tell. */
	if (event->synthetic)
		return;
	if (event->type == EGPU_EVENT_CONNECTED) {
		daemon->n_gpus++;
		daemon->n_external += event->device->external;
	} else if (event->type == EGPU_EVENT_DISCONNECTED) {
		daemon->n_gpus -= daemon->n_gpus > 0;
		if (event->removal->external && daemon->n_external)
			daemon->n_external--;
	}
}

/**
 * gpus_take_event() - log an event and keep the status line
 * @daemon: daemon
 * @event: event
 */
void gpus_take_event(struct daemon *daemon, const struct egpu_event *event)
{
	if (event->devices) {
		count_state(daemon, event);
		log_state(daemon, event);
	} else if (event->type == EGPU_EVENT_MODULE_GONE) {
		daemon->loaded = false;
		log_line(LOG_NOTICE, "the egpu module was unloaded");
	} else if (event->removal) {
		count_event(daemon, event);
		log_removal(event);
	} else if (event->migration) {
		/* It was us who said so. */
	} else if (event->device) {
		count_event(daemon, event);
		log_device(event);
	}
	gpus_update_status(daemon);
}

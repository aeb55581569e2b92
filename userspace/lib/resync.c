// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How a monitor gets back to the truth.
 *
 * The order is what makes it right:
 *
 * 1. Empty the socket. As long as a socket that has overflowed is not empty the
 *    kernel drops further events without another error.
 * 2. Look for the family, and join its groups if it is another than before.
 *    From here on nothing can happen that does not end up in the socket.
 * 3. Read the event number, dump, read the number again. If it is the same, the
 *    dump is the state at that number; else the dump may be a mixture and is
 *    made again.
 * 4. Tell the user, and discard all events up to that number.
 */
#include <errno.h>
#include <string.h>

#include "private.h"

/* A dump takes well under a millisecond, a storm of events takes an end. */
#define RESYNC_TRIES 64

/* So that a flood cannot keep step 1 going for ever. */
#define DRAIN_MAX 65536

static int drain(struct egpu_monitor *mon)
{
	ssize_t len = 0;
	int i;

	for (i = 0; i < DRAIN_MAX && len != -EAGAIN; i++) {
		len = mon->link->ops->recv(mon->link, mon->buf,
					   sizeof(mon->buf), 0);
		if (len < 0 && len != -EAGAIN && len != -ENOBUFS &&
		    len != -EMSGSIZE) {
			egpu_what(mon->ctx, "read the events");
			return egpu_fail_errno(mon->ctx, (int)len);
		}
	}
	return 0;
}

static int join(struct egpu_monitor *mon, const char *name, uint32_t group)
{
	int err;

	egpu_what(mon->ctx, "join the group '%s'", name);
	if (!group)
		return egpu_fail(mon->ctx, -EOPNOTSUPP,
				 "the egpu module does not have it");
	err = mon->link->ops->join(mon->link, group);
	return err ? egpu_fail_errno(mon->ctx, err) : 0;
}

/* The members of a group are forgotten when its family is unregistered. */
static int join_family(struct egpu_monitor *mon,
		       const struct egpu_family *family)
{
	int err;

	if (mon->joined.id == family->id && mon->joined.events == family->events)
		return 0;
	err = join(mon, EGPU_MCGRP_EVENTS, family->events);
	if (!err && (mon->flags & EGPU_MONITOR_HELPER))
		err = join(mon, EGPU_MCGRP_HELPER, family->helper);
	if (!err)
		mon->joined = *family;
	return err;
}

/**
 * struct snapshot - a state of which it is known when it was
 * @mirror: the state
 * @instance: which load of the module
 * @seq: number of the last event that is in it
 */
struct snapshot {
	struct egpu_mirror mirror;
	uint64_t instance;
	uint64_t seq;
};

static int read_position(struct egpu_ctx *ctx, uint64_t *instance, uint64_t *seq)
{
	struct egpu_settings *settings;
	int err = egpu_settings_get(ctx, &settings);

	if (err)
		return err;
	*instance = settings->instance;
	*seq = settings->seq;
	egpu_settings_free(settings);
	return 0;
}

/* -EAGAIN when something happened during it. */
static int take_snapshot(struct egpu_ctx *ctx, struct snapshot *snap)
{
	uint64_t instance, seq;
	int err;

	err = read_position(ctx, &snap->instance, &snap->seq);
	if (!err)
		err = egpu_dump_devices(ctx, &snap->mirror.devices);
	if (!err)
		err = egpu_dump_removals(ctx, &snap->mirror.removals);
	if (!err)
		err = read_position(ctx, &instance, &seq);
	if (err == -EINTR)
		return -EAGAIN;
	if (err)
		return err;
	return instance == snap->instance && seq == snap->seq ? 0 : -EAGAIN;
}

/* Steps 1 to 3, once. @snap stays empty when the module is not there. */
static int attempt(struct egpu_monitor *mon, struct snapshot *snap, bool *loaded)
{
	struct egpu_family family;
	int err;

	err = drain(mon);
	if (err)
		return err;
	egpu_what(mon->ctx, "look for the egpu module");
	err = egpu_family_find(mon->ctx, &family);
	if (err)
		return err == -EINTR ? -EAGAIN : err;
	mon->ctx->family = family;
	*loaded = family.id;
	if (!family.id)
		return 0;
	err = join_family(mon, &family);
	if (!err)
		err = take_snapshot(mon->ctx, snap);
	/* Unloaded under our hands; look again. */
	if (err == -EPROTONOSUPPORT)
		err = -EAGAIN;
	if (err)
		egpu_mirror_clear(&snap->mirror);
	return err;
}

/* Makes @snap the monitor's state and queues all that this means. */
static int adopt(struct egpu_monitor *mon, struct snapshot *snap)
{
	struct egpu_mirror old;
	bool from_nothing;
	uint32_t type;
	int err = 0;

	if (mon->loaded && mon->instance != snap->instance)
		err = egpu_monitor_module_gone(mon);
	if (err || mon->ended) {
		egpu_mirror_clear(&snap->mirror);
		return err;
	}
	from_nothing = !mon->loaded;
	type = !mon->started ? EGPU_EVENT_START :
	       from_nothing  ? EGPU_EVENT_MODULE_BACK :
			       EGPU_EVENT_RESYNC;
	old = mon->mirror;
	mon->mirror = snap->mirror;
	mon->instance = snap->instance;
	mon->seq = snap->seq;
	mon->loaded = true;
	err = egpu_monitor_queue_state(mon, type);
	if (!err)
		err = egpu_monitor_diff(mon, &old, from_nothing);
	egpu_mirror_clear(&old);
	mon->started = true;
	return err;
}

static int adopt_absence(struct egpu_monitor *mon)
{
	int err;

	memset(&mon->joined, 0, sizeof(mon->joined));
	if (mon->loaded)
		return egpu_monitor_module_gone(mon);
	if (mon->started)
		return 0;
	if (!(mon->flags & EGPU_MONITOR_WAIT)) {
		egpu_what(mon->ctx, "listen for events");
		return egpu_fail_errno(mon->ctx, -EPROTONOSUPPORT);
	}
	err = egpu_monitor_queue_state(mon, EGPU_EVENT_START);
	mon->started = !err;
	return err;
}

/**
 * egpu_monitor_resync() - find out what is, and queue what that means
 * @mon: monitor
 *
 * Return: 0; -EAGAIN when too much is going on, in which case an event is on
 * its way after which it can be tried again; or another errno.
 */
int egpu_monitor_resync(struct egpu_monitor *mon)
{
	struct snapshot snap = { 0 };
	bool loaded = false;
	int err, tries = RESYNC_TRIES;

	do {
		err = attempt(mon, &snap, &loaded);
	} while (err == -EAGAIN && --tries);
	if (err)
		return err;
	mon->stale = false;
	err = loaded ? adopt(mon, &snap) : adopt_absence(mon);
	mon->loss = EGPU_LOSS_NONE;
	if (err)
		mon->stale = true;
	return err;
}

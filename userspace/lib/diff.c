// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The events that lead from what a monitor's user was last told to what is.
 */
#include <errno.h>
#include <string.h>

#include "private.h"

/**
 * struct diff - two states and where the events go
 * @mon: monitor; its mirror is the new state
 * @old: the state that the user knows
 * @from_nothing: the user knows nothing, so what is over is of no interest
 */
struct diff {
	struct egpu_monitor *mon;
	const struct egpu_mirror *old;
	bool from_nothing;
};

static int queue_device(struct diff *d, uint32_t type,
			const struct egpu_device *dev)
{
	const struct egpu_event event = {
		.type = type,
		.synthetic = true,
		.seq = d->mon->seq,
		.instance = d->mon->instance,
		.device = dev,
	};

	return egpu_monitor_queue(d->mon, &event);
}

/* The GPU as it is now or, if it is gone, as the user last knew it. */
static const struct egpu_device *last_known(struct diff *d, uint32_t id)
{
	const struct egpu_device *dev;

	dev = egpu_mirror_device(&d->mon->mirror, id);
	return dev ? dev : egpu_mirror_device(d->old, id);
}

static int queue_removal(struct diff *d, uint32_t type,
			 const struct egpu_removal *rem)
{
	const struct egpu_event event = {
		.type = type,
		.synthetic = true,
		.seq = d->mon->seq,
		.instance = d->mon->instance,
		.device = last_known(d, rem->id),
		.removal = rem,
	};

	return egpu_monitor_queue(d->mon, &event);
}

static bool has_left(struct diff *d, uint32_t id)
{
	return egpu_mirror_device(d->old, id) &&
	       !egpu_mirror_device(&d->mon->mirror, id);
}

/* The removal with which a GPU went: the latest of its id, if still known. */
static const struct egpu_removal *last_removal(struct diff *d, uint32_t id)
{
	const struct egpu_vec *vec = &d->mon->mirror.removals;
	size_t i;

	for (i = vec->count; i-- > 0;) {
		const struct egpu_removal *rem = vec->item[i];

		if (rem->id == id)
			return rem;
	}
	return NULL;
}

/* As the kernel has it: a GPU is off the bus before its removal is done. */
static int diff_removal(struct diff *d, const struct egpu_removal *rem)
{
	const struct egpu_removal *known;
	uint32_t type = EGPU_EVENT_REMOVAL_PROGRESS;
	int err;

	if (d->from_nothing && egpu_removal_is_over(rem))
		return 0;
	if (has_left(d, rem->id) && last_removal(d, rem->id) == rem) {
		err = queue_removal(d, EGPU_EVENT_DISCONNECTED, rem);
		if (err)
			return err;
	}
	known = egpu_mirror_removal(d->old, rem->cookie);
	if (known && egpu_removal_same(known, rem))
		return 0;
	if (!known && rem->phase == EGPU_PHASE_PENDING)
		type = EGPU_EVENT_REMOVAL_PENDING;
	return queue_removal(d, type, rem);
}

/* A GPU that left so long ago that the kernel has forgotten its removal. */
static int diff_forgotten(struct diff *d, const struct egpu_device *dev)
{
	struct egpu_removal rem = { .id = dev->id };

	if (!has_left(d, dev->id) || last_removal(d, dev->id))
		return 0;
	memcpy(rem.address, dev->address, sizeof(rem.address));
	rem.phase = EGPU_PHASE_DONE;
	rem.origin = EGPU_ORIGIN_OTHERS;
	rem.external = dev->external;
	rem.vendor = dev->vendor;
	rem.device = dev->device;
	memcpy(rem.driver, dev->driver, sizeof(rem.driver));
	memcpy(rem.port, dev->port, sizeof(rem.port));
	return queue_removal(d, EGPU_EVENT_DISCONNECTED, &rem);
}

static int diff_device(struct diff *d, const struct egpu_device *dev)
{
	const struct egpu_device *known = egpu_mirror_device(d->old, dev->id);

	if (!known)
		return queue_device(d, EGPU_EVENT_CONNECTED, dev);
	if (!egpu_device_same(known, dev))
		return queue_device(d, EGPU_EVENT_CHANGED, dev);
	return 0;
}

/**
 * egpu_monitor_diff() - queue the differences between two states
 * @mon: monitor, whose mirror is the new state
 * @old: the state before
 * @from_nothing: @old is empty because the user knows nothing yet
 *
 * Return: 0 or -ENOMEM.
 */
int egpu_monitor_diff(struct egpu_monitor *mon, const struct egpu_mirror *old,
		      bool from_nothing)
{
	struct diff d = { .mon = mon, .old = old, .from_nothing = from_nothing };
	int err = 0;
	size_t i;

	for (i = 0; !err && i < old->devices.count; i++)
		err = diff_forgotten(&d, old->devices.item[i]);
	for (i = 0; !err && i < mon->mirror.removals.count; i++)
		err = diff_removal(&d, mon->mirror.removals.item[i]);
	for (i = 0; !err && i < mon->mirror.devices.count; i++)
		err = diff_device(&d, mon->mirror.devices.item[i]);
	return err;
}

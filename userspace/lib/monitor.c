// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Monitors: from datagrams to events, in order and without holes.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

static void free_queued(struct egpu_queued *queued)
{
	if (!queued)
		return;
	egpu_device_free(queued->device);
	egpu_removal_free(queued->removal);
	egpu_quiesce_free(queued->quiesce);
	free(queued->migration);
	egpu_device_free(queued->target);
	egpu_device_list_free(queued->devices);
	egpu_removal_list_free(queued->removals);
	free(queued);
}

static int push_queued(struct egpu_monitor *mon, struct egpu_queued *queued)
{
	queued->event.device = queued->device;
	queued->event.removal = queued->removal;
	queued->event.quiesce = queued->quiesce;
	queued->event.migration = queued->migration;
	queued->event.target = queued->target;
	queued->event.devices = queued->devices;
	queued->event.removals = queued->removals;
	if (!egpu_vec_push(&mon->queue, queued))
		return 0;
	free_queued(queued);
	return -ENOMEM;
}

/* What is not there needs no copy. @to points to a pointer. */
static int copy(void *to, const void *object, size_t size)
{
	void *made = object ? egpu_memdup(object, size) : NULL;

	memcpy(to, &made, sizeof(made));
	return object && !made ? -ENOMEM : 0;
}

/**
 * egpu_monitor_queue() - queue an event about one GPU
 * @mon: monitor
 * @event: event; what it points to is copied
 *
 * Return: 0 or -ENOMEM.
 */
int egpu_monitor_queue(struct egpu_monitor *mon, const struct egpu_event *event)
{
	struct egpu_queued *queued = calloc(1, sizeof(*queued));

	if (!queued)
		return -ENOMEM;
	queued->event = *event;
	if (copy(&queued->device, event->device, sizeof(*event->device)) ||
	    copy(&queued->removal, event->removal, sizeof(*event->removal)) ||
	    copy(&queued->quiesce, event->quiesce, sizeof(*event->quiesce)) ||
	    copy(&queued->migration, event->migration,
		 sizeof(*event->migration)) ||
	    copy(&queued->target, event->target, sizeof(*event->target))) {
		free_queued(queued);
		return -ENOMEM;
	}
	return push_queued(mon, queued);
}

/**
 * egpu_monitor_queue_state() - queue an event with the whole state
 * @mon: monitor
 * @type: EGPU_EVENT_START, EGPU_EVENT_RESYNC or EGPU_EVENT_MODULE_BACK
 *
 * Return: 0 or -ENOMEM.
 */
int egpu_monitor_queue_state(struct egpu_monitor *mon, uint32_t type)
{
	struct egpu_queued *queued = calloc(1, sizeof(*queued));
	struct egpu_mirror copy = { 0 };

	if (!queued)
		return -ENOMEM;
	queued->event.type = type;
	queued->event.synthetic = true;
	queued->event.loaded = mon->loaded;
	queued->event.loss = type == EGPU_EVENT_RESYNC ? mon->loss :
							 EGPU_LOSS_NONE;
	queued->event.seq = mon->seq;
	queued->event.instance = mon->instance;
	if (!egpu_mirror_copy(&copy, &mon->mirror)) {
		queued->devices = egpu_vec_to_devices(&copy.devices);
		queued->removals = egpu_vec_to_removals(&copy.removals);
	}
	if (!queued->devices || !queued->removals) {
		egpu_mirror_clear(&copy);
		free_queued(queued);
		return -ENOMEM;
	}
	return push_queued(mon, queued);
}

/* The module was unloaded: all ids and cookies are void. */
int egpu_monitor_module_gone(struct egpu_monitor *mon)
{
	const struct egpu_event event = {
		.type = EGPU_EVENT_MODULE_GONE,
		.synthetic = true,
		.seq = mon->seq,
		.instance = mon->instance,
	};
	int err;

	err = egpu_monitor_queue(mon, &event);
	if (err)
		return err;
	egpu_mirror_clear(&mon->mirror);
	mon->loaded = false;
	mon->instance = 0;
	mon->seq = 0;
	mon->ended = !(mon->flags & EGPU_MONITOR_WAIT);
	return 0;
}

static void lose(struct egpu_monitor *mon, uint32_t loss)
{
	mon->stale = true;
	mon->loss = loss;
}

/* CONNECTED and CHANGED, of which the mirror decides which it is. */
static int take_device(struct egpu_monitor *mon, const struct egpu_device *dev)
{
	struct egpu_event event = {
		.type = EGPU_EVENT_CHANGED,
		.seq = dev->seq,
		.time = dev->time,
		.instance = mon->instance,
		.device = dev,
	};
	int err;

	/* After a resync the GPU may be known before the kernel has said so. */
	if (!egpu_mirror_device(&mon->mirror, dev->id))
		event.type = EGPU_EVENT_CONNECTED;
	err = egpu_mirror_put_device(&mon->mirror, dev);
	return err ? err : egpu_monitor_queue(mon, &event);
}

static int take_removal(struct egpu_monitor *mon, uint32_t type,
			const struct egpu_removal *rem)
{
	struct egpu_event event = {
		.type = type,
		.seq = rem->seq,
		.time = rem->time,
		.instance = mon->instance,
		.device = egpu_mirror_device(&mon->mirror, rem->id),
		.removal = rem,
	};
	int err;

	/* After a resync it may be known that it left before the kernel says so. */
	if (type == EGPU_EVENT_DISCONNECTED && !event.device)
		event.type = EGPU_EVENT_REMOVAL_PROGRESS;
	err = egpu_mirror_put_removal(&mon->mirror, rem);
	if (!err)
		err = egpu_monitor_queue(mon, &event);
	if (type == EGPU_EVENT_DISCONNECTED)
		egpu_mirror_drop_device(&mon->mirror, rem->id);
	return err;
}

/* Nothing of it is kept, so there is nothing that a resync could compare. */
static int take_quiesce(struct egpu_monitor *mon,
			const struct egpu_quiesce *quiesce)
{
	const struct egpu_event event = {
		.type = EGPU_EVENT_QUIESCE,
		.seq = quiesce->seq,
		.time = quiesce->time,
		.instance = mon->instance,
		.device = egpu_mirror_device(&mon->mirror, quiesce->id),
		.quiesce = quiesce,
	};

	return egpu_monitor_queue(mon, &event);
}

/* The kernel keeps nothing of it either. */
static int take_migration(struct egpu_monitor *mon,
			  const struct egpu_migration *migration)
{
	const struct egpu_event event = {
		.type = EGPU_EVENT_MIGRATION,
		.seq = migration->seq,
		.time = migration->time,
		.instance = mon->instance,
		.device = egpu_mirror_device(&mon->mirror, migration->id),
		.migration = migration,
		.target = egpu_mirror_device(&mon->mirror, migration->target),
	};

	return egpu_monitor_queue(mon, &event);
}

static uint64_t seq_of(const struct egpu_decoded *decoded)
{
	if (decoded->device)
		return decoded->device->seq;
	if (decoded->removal)
		return decoded->removal->seq;
	return decoded->quiesce ? decoded->quiesce->seq :
				  decoded->migration->seq;
}

/* Puts an event in its place: next, long known, or with something missing. */
static int take_decoded(struct egpu_monitor *mon, struct egpu_decoded *decoded)
{
	uint64_t seq = seq_of(decoded);
	int err;

	if (!seq) {
		lose(mon, EGPU_LOSS_MALFORMED);
		return 0;
	}
	if (seq <= mon->seq)
		return 0;
	if (seq != mon->seq + 1) {
		lose(mon, EGPU_LOSS_GAP);
		return 0;
	}
	if (decoded->device)
		err = take_device(mon, decoded->device);
	else if (decoded->removal)
		err = take_removal(mon, decoded->type, decoded->removal);
	else if (decoded->quiesce)
		err = take_quiesce(mon, decoded->quiesce);
	else
		err = take_migration(mon, decoded->migration);
	mon->seq = seq;
	return err;
}

static int take_event(struct egpu_monitor *mon, struct nlmsghdr *nlh)
{
	struct egpu_decoded decoded;
	int err;

	err = egpu_decode_event(nlh, &decoded);
	/* What a newer kernel says as well; its number will be missed. */
	if (err == -ENOMSG)
		return 0;
	if (err == -EBADMSG) {
		lose(mon, EGPU_LOSS_MALFORMED);
		return 0;
	}
	if (err)
		return err;
	err = take_decoded(mon, &decoded);
	egpu_device_free(decoded.device);
	egpu_removal_free(decoded.removal);
	egpu_quiesce_free(decoded.quiesce);
	free(decoded.migration);
	return err;
}

static int take_notice(struct egpu_monitor *mon, struct nlmsghdr *nlh)
{
	struct egpu_family_notice notice;

	egpu_family_notice(nlh, &notice);
	if (notice.cmd == CTRL_CMD_DELFAMILY && notice.id == mon->joined.id) {
		memset(&mon->joined, 0, sizeof(mon->joined));
		memset(&mon->ctx->family, 0, sizeof(mon->ctx->family));
		return mon->loaded ? egpu_monitor_module_gone(mon) : 0;
	}
	if (notice.cmd == CTRL_CMD_NEWFAMILY && notice.id != mon->joined.id)
		lose(mon, EGPU_LOSS_NONE);
	return 0;
}

static int take_datagram(struct egpu_monitor *mon, int len)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)mon->buf;
	int err = 0;

	for (; !err && !mon->stale && !mon->ended && nlmsg_ok(nlh, len);
	     nlh = nlmsg_next(nlh, &len)) {
		if (nlh->nlmsg_type == GENL_ID_CTRL)
			err = take_notice(mon, nlh);
		else if (mon->joined.id && nlh->nlmsg_type == mon->joined.id)
			err = take_event(mon, nlh);
	}
	return err;
}

/* Takes one datagram in; 0 when there was none, 1 when there may be more. */
static int advance(struct egpu_monitor *mon)
{
	ssize_t len;
	int err;

	if (mon->stale) {
		err = egpu_monitor_resync(mon);
		if (err)
			return err == -EAGAIN ? 0 : err;
		return 1;
	}
	len = mon->link->ops->recv(mon->link, mon->buf, sizeof(mon->buf), 0);
	if (len == -EAGAIN)
		return 0;
	if (len == -ENOBUFS || len == -EMSGSIZE) {
		lose(mon, len == -ENOBUFS ? EGPU_LOSS_OVERFLOW :
					    EGPU_LOSS_MALFORMED);
		return 1;
	}
	egpu_what(mon->ctx, "read the events");
	if (len < 0)
		return egpu_fail_errno(mon->ctx, (int)len);
	err = take_datagram(mon, (int)len);
	if (err) {
		lose(mon, EGPU_LOSS_OVERFLOW);
		return egpu_fail_errno(mon->ctx, err);
	}
	return 1;
}

int egpu_monitor_next(struct egpu_monitor *monitor,
		      const struct egpu_event **event)
{
	int more;

	*event = NULL;
	free_queued(monitor->current);
	monitor->current = NULL;
	while (!monitor->queue.count) {
		if (monitor->ended) {
			egpu_what(monitor->ctx, "read the events");
			return egpu_fail_errno(monitor->ctx, -EPROTONOSUPPORT);
		}
		more = advance(monitor);
		if (more <= 0)
			return more;
	}
	monitor->current = monitor->queue.item[0];
	egpu_vec_drop(&monitor->queue, 0);
	*event = &monitor->current->event;
	return 1;
}

int egpu_monitor_fd(const struct egpu_monitor *monitor)
{
	return monitor->link->fd;
}

void egpu_monitor_free(struct egpu_monitor *monitor)
{
	size_t i;

	if (!monitor)
		return;
	free_queued(monitor->current);
	for (i = 0; i < monitor->queue.count; i++)
		free_queued(monitor->queue.item[i]);
	monitor->queue.count = 0;
	egpu_vec_clear(&monitor->queue);
	egpu_mirror_clear(&monitor->mirror);
	if (monitor->link)
		monitor->link->ops->close(monitor->link);
	free(monitor);
}

/* The socket, a member of nlctrl's group so that it hears the family come. */
static int open_link(struct egpu_monitor *mon)
{
	const struct egpu_transport *transport = mon->ctx->transport;
	int err;

	err = transport->open(transport, &mon->link);
	if (!err)
		err = mon->link->ops->join(mon->link, EGPU_NLCTRL_GROUP);
	return err ? egpu_fail_errno(mon->ctx, err) : 0;
}

int egpu_monitor_new(struct egpu_ctx *ctx, unsigned int flags,
		     struct egpu_monitor **monitor)
{
	struct egpu_monitor *made;
	int err;

	*monitor = NULL;
	egpu_what(ctx, "listen for events");
	if (flags & ~(EGPU_MONITOR_HELPER | EGPU_MONITOR_WAIT))
		return egpu_fail(ctx, -EINVAL, "unknown flags %#x", flags);
	made = calloc(1, sizeof(*made));
	if (!made)
		return egpu_fail_errno(ctx, -ENOMEM);
	made->ctx = ctx;
	made->flags = flags;
	made->stale = true;
	err = open_link(made);
	if (!err)
		err = egpu_monitor_resync(made);
	/* With events pouring in, egpu_monitor_next() will get there. */
	if (err && err != -EAGAIN) {
		egpu_monitor_free(made);
		return err;
	}
	*monitor = made;
	return 0;
}

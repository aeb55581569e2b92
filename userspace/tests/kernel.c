// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sockets, groups and state of the kernel for unit tests. What it answers to
 * requests is in answer.c.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>

#include "answer.h"

/* egpu_open has no argument, so neither has its stand-in. */
static struct kernel *in_use;
static unsigned int to_lose;

struct datagram {
	size_t len;
	char data[];
};

/* Makes the descriptor readable when there is something in the queue. */
static void count(struct kernel_link *link)
{
	uint64_t number = 1;
	ssize_t len;

	if (link->queue.count) {
		len = write(link->base.fd, &number, sizeof(number));
		assert_int_equal(len, sizeof(number));
	} else {
		len = read(link->base.fd, &number, sizeof(number));
		assert_true(len == sizeof(number) || errno == EAGAIN);
	}
}

/* As netlink: once full, everything is dropped until the queue is empty. */
void link_push(struct kernel_link *link, const void *buf, size_t len, bool event)
{
	struct datagram *d;

	if (event &&
	    (link->congested || link->queue.count >= link->kernel->queue_max)) {
		if (!link->congested)
			link->overflow = true;
		link->congested = true;
		return;
	}
	d = malloc(sizeof(*d) + len);
	assert_non_null(d);
	d->len = len;
	memcpy(d->data, buf, len);
	assert_int_equal(egpu_vec_push(&link->queue, d), 0);
	count(link);
}

static struct kernel_link *to_kernel_link(struct egpu_link *link)
{
	return (struct kernel_link *)link;
}

static void fake_close(struct egpu_link *base)
{
	struct kernel_link *link = to_kernel_link(base);
	size_t i;

	for (i = 0; i < KERNEL_MAX; i++) {
		if (link->kernel->links[i] == link)
			link->kernel->links[i] = NULL;
	}
	egpu_vec_clear(&link->queue);
	close(base->fd);
	free(link);
}

static ssize_t fake_recv(struct egpu_link *base, void *buf, size_t size,
			 int timeout_ms)
{
	struct kernel_link *link = to_kernel_link(base);
	struct datagram *d;
	ssize_t len;

	(void)timeout_ms;
	if (!link->queue.count)
		link->congested = false;
	if (link->overflow) {
		link->overflow = false;
		return -ENOBUFS;
	}
	if (!link->queue.count)
		return -EAGAIN;
	d = link->queue.item[0];
	egpu_vec_drop(&link->queue, 0);
	if (!link->queue.count)
		link->congested = false;
	count(link);
	len = d->len > size ? -EMSGSIZE : (ssize_t)d->len;
	if (len > 0)
		memcpy(buf, d->data, d->len);
	free(d);
	return len;
}

static int fake_join(struct egpu_link *base, uint32_t group)
{
	struct kernel_link *link = to_kernel_link(base);
	struct kernel *kernel = link->kernel;

	if (group == GENL_ID_CTRL) {
		link->notify = true;
		return 0;
	}
	if (kernel->loaded && group == kernel->family.events) {
		link->events = true;
		return 0;
	}
	if (!kernel->loaded || group != kernel->family.helper)
		return -EINVAL;
	if (!kernel->admin)
		return -EPERM;
	link->helper = true;
	kernel->settings.helpers = true;
	return 0;
}

static int fake_send(struct egpu_link *base, const void *buf, size_t len)
{
	struct kernel_link *link = to_kernel_link(base);
	struct nlmsghdr *nlh = malloc(len);

	/* A copy of exactly that length, so that ASan sees who reads on. */
	assert_non_null(nlh);
	memcpy(nlh, buf, len);
	assert_true(len >= sizeof(*nlh) && nlh->nlmsg_len == len);
	kernel_answer(link->kernel, link, nlh);
	free(nlh);
	return 0;
}

static const struct egpu_link_ops fake_ops = {
	.close = fake_close,
	.send = fake_send,
	.recv = fake_recv,
	.join = fake_join,
};

static int fake_open(const struct egpu_transport *transport,
		     struct egpu_link **base)
{
	struct kernel *kernel = transport->arg;
	struct kernel_link *link = calloc(1, sizeof(*link));
	size_t i;

	assert_non_null(link);
	link->base.ops = &fake_ops;
	link->base.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_true(link->base.fd >= 0);
	link->kernel = kernel;
	link->port = ++kernel->next_port;
	for (i = 0; kernel->links[i]; i++)
		assert_true(i + 1 < KERNEL_MAX);
	kernel->links[i] = link;
	*base = &link->base;
	return 0;
}

void kernel_init(struct kernel *kernel)
{
	memset(kernel, 0, sizeof(*kernel));
	kernel->transport.open = fake_open;
	kernel->transport.arg = kernel;
	kernel->admin = true;
	kernel->queue_max = 1000;
	kernel->next_attr = -1;
	kernel->next_cookie = 100;
	kernel->family.id = 0x20;
	kernel->settings.hold_ms = 2000;
	kernel->settings.accept_ms = 500;
	kernel->settings.eject_ms = 30000;
	kernel->settings.drain_ms = 2000;
	strcpy(kernel->settings.version, "0.1.0");
	to_lose = 0;
	kernel_load(kernel, false);
	kernel_use(kernel);
}

void kernel_use(struct kernel *kernel)
{
	in_use = kernel;
}

int kernel_open(struct egpu_ctx **ctx)
{
	return egpu_open_transport(&in_use->transport, ctx);
}

size_t kernel_open_links(const struct kernel *kernel)
{
	size_t n = 0, i;

	for (i = 0; i < KERNEL_MAX; i++)
		n += !!kernel->links[i];
	return n;
}

static void notify(struct kernel *kernel, uint8_t cmd)
{
	struct nl_msg *msg = encode_family(kernel, cmd, 0);
	size_t i;

	for (i = 0; i < KERNEL_MAX; i++) {
		if (kernel->links[i] && kernel->links[i]->notify)
			link_push(kernel->links[i], nlmsg_hdr(msg),
				  nlmsg_hdr(msg)->nlmsg_len, true);
	}
	nlmsg_free(msg);
}

void kernel_load(struct kernel *kernel, bool tell)
{
	kernel->loaded = true;
	kernel->family.id++;
	kernel->family.events = kernel->family.id + 100u;
	kernel->family.helper = kernel->family.id + 200u;
	kernel->settings.instance += 0x1000;
	kernel->settings.seq = 0;
	kernel->n_devices = 0;
	kernel->n_removals = 0;
	if (tell)
		notify(kernel, CTRL_CMD_NEWFAMILY);
}

void kernel_unload(struct kernel *kernel, bool tell)
{
	size_t i;

	kernel->loaded = false;
	kernel->settings.helpers = false;
	for (i = 0; i < KERNEL_MAX; i++) {
		if (kernel->links[i])
			kernel->links[i]->events = false;
		if (kernel->links[i])
			kernel->links[i]->helper = false;
	}
	if (tell)
		notify(kernel, CTRL_CMD_DELFAMILY);
}

void kernel_lose(unsigned int events)
{
	to_lose = events;
}

void kernel_send_raw(struct kernel *kernel, const void *buf, size_t len)
{
	size_t i;

	if (to_lose) {
		to_lose--;
		return;
	}
	for (i = 0; i < KERNEL_MAX; i++) {
		if (kernel->links[i] && kernel->links[i]->events)
			link_push(kernel->links[i], buf, len, true);
	}
}

static void send_event(struct kernel *kernel, struct nl_msg *msg)
{
	kernel_send_raw(kernel, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len);
	nlmsg_free(msg);
}

/* A clock that is easy to read: event 5 was made at 5 s. */
static uint64_t now(const struct kernel *kernel)
{
	return kernel->settings.seq * 1000000000;
}

static void device_event(struct kernel *kernel, uint8_t cmd,
			 struct egpu_device *dev)
{
	dev->seq = ++kernel->settings.seq;
	dev->time = now(kernel);
	send_event(kernel, encode_device(kernel->family.id, cmd, dev, true));
}

static void removal_event(struct kernel *kernel, uint8_t cmd,
			  struct egpu_removal *rem)
{
	rem->seq = ++kernel->settings.seq;
	rem->time = now(kernel);
	send_event(kernel, encode_removal(kernel->family.id, cmd, rem, true));
}

struct egpu_device *kernel_device(struct kernel *kernel, uint32_t id)
{
	size_t i;

	for (i = 0; i < kernel->n_devices; i++) {
		if (kernel->devices[i].id == id)
			return &kernel->devices[i];
	}
	return NULL;
}

struct egpu_device *kernel_add(struct kernel *kernel, const char *address,
			       bool external)
{
	struct egpu_device *dev = &kernel->devices[kernel->n_devices];

	assert_true(kernel->n_devices < KERNEL_MAX);
	memset(dev, 0, sizeof(*dev));
	dev->id = kernel->n_devices ? dev[-1].id + 1 : 1;
	kernel->n_devices++;
	strcpy(dev->address, address);
	dev->state = EGPU_DEVICE_STATE_READY;
	dev->external = external;
	dev->marker = external ? EGPU_MARKER_THUNDERBOLT : EGPU_MARKER_NONE;
	dev->vendor = 0x1234;
	dev->device = 0x1111;
	dev->subsystem_vendor = 0x1af4;
	dev->subsystem_device = 0x1100;
	dev->class_code = 0x030000;
	strcpy(dev->driver, "bochs-drm");
	strcpy(dev->port, external ? "0000:00:04.0" : "");
	dev->link_speed = 8000;
	dev->link_width = 4;
	dev->n_minors = 2;
	dev->minors[0].type = EGPU_MINOR_TYPE_PRIMARY;
	dev->minors[0].index = dev->id;
	dev->minors[1].type = EGPU_MINOR_TYPE_RENDER;
	dev->minors[1].index = 128 + dev->id;
	dev->since = now(kernel);
	device_event(kernel, EGPU_CMD_CONNECTED, dev);
	return dev;
}

void kernel_change(struct kernel *kernel, struct egpu_device *dev,
		   uint32_t state)
{
	dev->state = state;
	device_event(kernel, EGPU_CMD_CHANGED, dev);
}

struct egpu_removal *kernel_begin(struct kernel *kernel,
				  struct egpu_device *dev, uint32_t origin)
{
	struct egpu_removal *rem = &kernel->removals[kernel->n_removals++];

	assert_true(kernel->n_removals <= KERNEL_MAX);
	memset(rem, 0, sizeof(*rem));
	rem->cookie = kernel->next_cookie++;
	rem->id = dev->id;
	memcpy(rem->address, dev->address, sizeof(rem->address));
	rem->origin = origin;
	rem->cause = EGPU_CAUSE_GRACEFUL;
	rem->evidence = EGPU_EVIDENCE_PRESENT |
			(origin == EGPU_ORIGIN_EJECT ? EGPU_EVIDENCE_EJECT : 0);
	rem->timeout_ms = origin == EGPU_ORIGIN_EJECT ?
				  kernel->settings.eject_ms :
				  kernel->settings.hold_ms;
	rem->created = now(kernel) + 1000000;
	rem->external = dev->external;
	rem->vendor = dev->vendor;
	rem->device = dev->device;
	memcpy(rem->driver, dev->driver, sizeof(rem->driver));
	memcpy(rem->port, dev->port, sizeof(rem->port));
	rem->n_minors = dev->n_minors;
	memcpy(rem->minors, dev->minors, sizeof(rem->minors));
	dev->cookie = rem->cookie;
	dev->state = EGPU_DEVICE_STATE_LEAVING;
	removal_event(kernel, EGPU_CMD_REMOVAL_PENDING, rem);
	return rem;
}

/* Each phase comes so many ms after the removal began. */
void kernel_phase(struct kernel *kernel, struct egpu_removal *rem,
		  uint32_t phase, uint32_t release)
{
	rem->phase = phase;
	rem->release = release;
	switch (phase) {
	case EGPU_PHASE_ACCEPTED:
		rem->accepted = rem->created + 2500000;
		break;
	case EGPU_PHASE_RELEASED:
		rem->released = rem->created + 102500000;
		break;
	case EGPU_PHASE_UNBOUND:
		rem->unbound = rem->created + 802500000;
		break;
	default:
		rem->finished = rem->created + 812345678;
	}
	removal_event(kernel, EGPU_CMD_REMOVAL_PROGRESS, rem);
	if (phase >= EGPU_PHASE_CANCELLED && kernel_device(kernel, rem->id)) {
		kernel_device(kernel, rem->id)->cookie = 0;
		kernel_change(kernel, kernel_device(kernel, rem->id),
			      EGPU_DEVICE_STATE_READY);
	}
}

void kernel_step(struct kernel *kernel, struct egpu_removal *rem, uint32_t step)
{
	rem->step = step;
	removal_event(kernel, EGPU_CMD_REMOVAL_PROGRESS, rem);
}

/* Quiescing has no life of its own: it goes with the GPU. */
struct egpu_quiesce *kernel_quiesce_of(struct kernel *kernel, uint32_t id)
{
	struct egpu_device *dev = kernel_device(kernel, id);
	struct egpu_quiesce *quiesce;

	if (!dev)
		return NULL;
	quiesce = &kernel->quiesce[dev - kernel->devices];
	if (quiesce->id != id)
		*quiesce = (struct egpu_quiesce){ .id = id };
	return quiesce;
}

void kernel_quiesce(struct kernel *kernel, struct egpu_quiesce *quiesce,
		    uint32_t state)
{
	quiesce->state = state;
	quiesce->seq = ++kernel->settings.seq;
	quiesce->time = now(kernel);
	send_event(kernel, encode_quiesce(kernel->family.id, EGPU_CMD_QUIESCE,
					  quiesce, true));
}

void kernel_migration(struct kernel *kernel, struct egpu_migration *migration)
{
	migration->seq = ++kernel->settings.seq;
	migration->time = now(kernel);
	send_event(kernel, encode_migration(kernel->family.id,
					    EGPU_CMD_MIGRATION, migration));
}

/* A program leaves for GPU 1, or does not, and then one of another removal. */
void kernel_move(struct kernel *kernel, const struct egpu_removal *rem,
		 bool well)
{
	struct egpu_migration mig = {
		.migration = 1,
		.id = rem->id,
		.target = 1,
		.cookie = rem->cookie,
		.pid = 1234,
		.comm = "render\033er",
		.reason = "it takes too long",
	};

	kernel_migration(kernel, &mig);
	mig.phase = well ? EGPU_MIGRATION_PHASE_COMPLETED :
			   EGPU_MIGRATION_PHASE_FAILED;
	kernel_migration(kernel, &mig);
	mig.cookie++;
	kernel_migration(kernel, &mig);
}

void kernel_disconnect(struct kernel *kernel, struct egpu_removal *rem)
{
	struct egpu_device *dev = kernel_device(kernel, rem->id);
	size_t at = dev - kernel->devices;

	assert_non_null(dev);
	kernel->n_devices--;
	memmove(dev, dev + 1, (kernel->n_devices - at) * sizeof(*dev));
	removal_event(kernel, EGPU_CMD_DISCONNECTED, rem);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a monitor delivers, above all after something was lost.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "kernel.h"
#include "test.h"

static struct kernel kernel;
static struct egpu_ctx *ctx;
static struct egpu_monitor *mon;
static const struct egpu_event *ev;

static int setup(void **state)
{
	(void)state;
	kernel_init(&kernel);
	mon = NULL;
	return kernel_open(&ctx);
}

static int teardown(void **state)
{
	(void)state;
	egpu_monitor_free(mon);
	egpu_close(ctx);
	return (int)kernel_open_links(&kernel);
}

static void next(uint32_t type)
{
	int got = egpu_monitor_next(mon, &ev);

	if (got != 1)
		fail_msg("no event but %d: %s", got, egpu_error(ctx));
	assert_string_equal(egpu_name(EGPU_NAMES_EVENT, ev->type),
			    egpu_name(EGPU_NAMES_EVENT, type));
}

static void nothing(void)
{
	struct pollfd pfd = { .events = POLLIN };

	assert_int_equal(egpu_monitor_next(mon, &ev), 0);
	assert_null(ev);
	pfd.fd = egpu_monitor_fd(mon);
	assert_int_equal(poll(&pfd, 1, 0), 0);
}

static void readable(void)
{
	struct pollfd pfd = { .fd = egpu_monitor_fd(mon), .events = POLLIN };

	assert_int_equal(poll(&pfd, 1, 0), 1);
}

static void subscribe(unsigned int flags)
{
	assert_int_equal(egpu_monitor_new(ctx, flags, &mon), 0);
}

/* A removal to its end, as others begin it when nobody helps. */
static struct egpu_removal *remove_device(struct egpu_device *dev)
{
	struct egpu_removal *rem =
		kernel_begin(&kernel, dev, EGPU_ORIGIN_OTHERS);

	kernel_phase(&kernel, rem, EGPU_PHASE_RELEASED, EGPU_RELEASE_UNATTENDED);
	kernel_phase(&kernel, rem, EGPU_PHASE_UNBOUND, EGPU_RELEASE_UNATTENDED);
	kernel_disconnect(&kernel, rem);
	kernel_phase(&kernel, rem, EGPU_PHASE_DONE, EGPU_RELEASE_UNATTENDED);
	return rem;
}

static void start_tells_the_state(void **state)
{
	(void)state;
	remove_device(kernel_add(&kernel, "0000:08:00.0", true));
	kernel_add(&kernel, "0000:07:00.0", true);
	kernel_begin(&kernel, &kernel.devices[0], EGPU_ORIGIN_OTHERS);
	subscribe(0);
	next(EGPU_EVENT_START);
	assert_true(ev->loaded && ev->synthetic);
	assert_int_equal(ev->seq, kernel.settings.seq);
	assert_int_equal(ev->instance, kernel.settings.instance);
	assert_int_equal(ev->devices->count, 1);
	assert_int_equal(ev->removals->count, 2);
	/* What is open is told, what is over is not. */
	next(EGPU_EVENT_REMOVAL_PENDING);
	assert_true(ev->synthetic);
	assert_int_equal(ev->removal->cookie, 101);
	assert_string_equal(ev->device->address, "0000:07:00.0");
	next(EGPU_EVENT_CONNECTED);
	assert_true(ev->synthetic);
	nothing();
}

static void events_in_order(void **state)
{
	struct egpu_device *dev;

	(void)state;
	subscribe(0);
	next(EGPU_EVENT_START);
	nothing();
	dev = kernel_add(&kernel, "0000:07:00.0", true);
	readable();
	kernel_change(&kernel, dev, EGPU_DEVICE_STATE_READY);
	remove_device(dev);
	next(EGPU_EVENT_CONNECTED);
	assert_false(ev->synthetic);
	assert_int_equal(ev->seq, 1);
	assert_int_equal(ev->time, 1000000000);
	next(EGPU_EVENT_CHANGED);
	next(EGPU_EVENT_REMOVAL_PENDING);
	assert_int_equal(ev->removal->n_minors, 2);
	assert_int_equal(ev->device->id, 1);
	next(EGPU_EVENT_REMOVAL_PROGRESS);
	assert_int_equal(ev->removal->phase, EGPU_PHASE_RELEASED);
	next(EGPU_EVENT_REMOVAL_PROGRESS);
	next(EGPU_EVENT_DISCONNECTED);
	assert_int_equal(ev->device->id, 1);
	next(EGPU_EVENT_REMOVAL_PROGRESS);
	assert_int_equal(ev->removal->phase, EGPU_PHASE_DONE);
	assert_null(ev->device);
	assert_int_equal(ev->seq, 7);
	nothing();
}

static void quiesce_in_order(void **state)
{
	struct egpu_quiesce *quiesce;

	(void)state;
	kernel_add(&kernel, "0000:07:00.0", true);
	subscribe(0);
	next(EGPU_EVENT_START);
	next(EGPU_EVENT_CONNECTED);
	quiesce = kernel_quiesce_of(&kernel, 1);
	kernel_quiesce(&kernel, quiesce, EGPU_QUIESCE_STATE_FENCED);
	kernel_change(&kernel, &kernel.devices[0], EGPU_DEVICE_STATE_READY);
	quiesce->buffers = 9;
	kernel_quiesce(&kernel, quiesce, EGPU_QUIESCE_STATE_DRAINING);
	next(EGPU_EVENT_QUIESCE);
	assert_false(ev->synthetic);
	assert_int_equal(ev->seq, 2);
	assert_int_equal(ev->time, 2000000000);
	assert_int_equal(ev->quiesce->state, EGPU_QUIESCE_STATE_FENCED);
	assert_string_equal(ev->device->address, "0000:07:00.0");
	assert_null(ev->removal);
	next(EGPU_EVENT_CHANGED);
	assert_null(ev->quiesce);
	next(EGPU_EVENT_QUIESCE);
	assert_int_equal(ev->quiesce->state, EGPU_QUIESCE_STATE_DRAINING);
	assert_int_equal(ev->quiesce->buffers, 9);
	nothing();
}

/* It has a number like any event, but there is nothing to tell it anew from. */
static void quiesce_lost(void **state)
{
	struct egpu_quiesce *quiesce;

	(void)state;
	kernel_add(&kernel, "0000:07:00.0", true);
	subscribe(0);
	next(EGPU_EVENT_START);
	next(EGPU_EVENT_CONNECTED);
	quiesce = kernel_quiesce_of(&kernel, 1);
	kernel_lose(1);
	kernel_quiesce(&kernel, quiesce, EGPU_QUIESCE_STATE_FENCED);
	kernel_quiesce(&kernel, quiesce, EGPU_QUIESCE_STATE_DRAINING);
	next(EGPU_EVENT_RESYNC);
	assert_int_equal(ev->loss, EGPU_LOSS_GAP);
	nothing();
	kernel_quiesce(&kernel, quiesce, EGPU_QUIESCE_STATE_QUIESCED);
	next(EGPU_EVENT_QUIESCE);
	assert_int_equal(ev->quiesce->state, EGPU_QUIESCE_STATE_QUIESCED);
	nothing();
}

static void quiesce_without_number(void **state)
{
	struct egpu_quiesce quiesce = { .id = 1 };
	struct nl_msg *msg;

	(void)state;
	subscribe(0);
	next(EGPU_EVENT_START);
	msg = encode_quiesce(kernel.family.id, EGPU_CMD_QUIESCE, &quiesce, true);
	kernel_send_raw(&kernel, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len);
	nlmsg_free(msg);
	next(EGPU_EVENT_RESYNC);
	assert_int_equal(ev->loss, EGPU_LOSS_MALFORMED);
	nothing();
}

/* What the helper was doing is a difference like another phase. */
static void step_after_loss(void **state)
{
	struct egpu_removal *rem;

	(void)state;
	kernel_add(&kernel, "0000:07:00.0", true);
	rem = kernel_begin(&kernel, &kernel.devices[0], EGPU_ORIGIN_EJECT);
	kernel_phase(&kernel, rem, EGPU_PHASE_ACCEPTED, EGPU_RELEASE_NOT_YET);
	subscribe(0);
	next(EGPU_EVENT_START);
	next(EGPU_EVENT_REMOVAL_PROGRESS);
	next(EGPU_EVENT_CONNECTED);
	kernel_step(&kernel, rem, EGPU_STEP_ASK);
	next(EGPU_EVENT_REMOVAL_PROGRESS);
	assert_int_equal(ev->removal->step, EGPU_STEP_ASK);
	kernel_lose(1);
	kernel_step(&kernel, rem, EGPU_STEP_FREEZE);
	kernel_change(&kernel, &kernel.devices[0], EGPU_DEVICE_STATE_LEAVING);
	next(EGPU_EVENT_RESYNC);
	next(EGPU_EVENT_REMOVAL_PROGRESS);
	assert_true(ev->synthetic);
	assert_int_equal(ev->removal->step, EGPU_STEP_FREEZE);
	nothing();
}

static void gap(void **state)
{
	struct egpu_device *dev;

	(void)state;
	subscribe(0);
	next(EGPU_EVENT_START);
	kernel_lose(1);
	dev = kernel_add(&kernel, "0000:07:00.0", true);
	nothing();
	kernel_change(&kernel, dev, EGPU_DEVICE_STATE_DETACHED);
	next(EGPU_EVENT_RESYNC);
	assert_int_equal(ev->loss, EGPU_LOSS_GAP);
	assert_int_equal(ev->seq, 2);
	assert_int_equal(ev->devices->count, 1);
	next(EGPU_EVENT_CONNECTED);
	assert_true(ev->synthetic);
	/* The state as it is, not one that is past. */
	assert_int_equal(ev->device->state, EGPU_DEVICE_STATE_DETACHED);
	nothing();
	kernel_change(&kernel, dev, EGPU_DEVICE_STATE_READY);
	next(EGPU_EVENT_CHANGED);
	assert_false(ev->synthetic);
	nothing();
}

/* The reader was stuck while a GPU left, another came and one changed. */
static void overflow(void **state)
{
	struct egpu_device *gone, *stays;

	(void)state;
	gone = kernel_add(&kernel, "0000:07:00.0", true);
	kernel_add(&kernel, "0000:08:00.0", true);
	subscribe(0);
	next(EGPU_EVENT_START);
	next(EGPU_EVENT_CONNECTED);
	next(EGPU_EVENT_CONNECTED);
	nothing();
	kernel.queue_max = 2;
	remove_device(gone);
	stays = kernel_device(&kernel, 2);
	kernel_change(&kernel, stays, EGPU_DEVICE_STATE_DETACHED);
	kernel_add(&kernel, "0000:09:00.0", true);
	/* What is in the socket is older than the state, so it is not told. */
	next(EGPU_EVENT_RESYNC);
	/* This would be dropped without a word if the socket were full still. */
	kernel_change(&kernel, kernel_device(&kernel, 2),
		      EGPU_DEVICE_STATE_READY);
	assert_int_equal(ev->loss, EGPU_LOSS_OVERFLOW);
	assert_int_equal(ev->devices->count, 2);
	next(EGPU_EVENT_DISCONNECTED);
	assert_true(ev->synthetic);
	assert_int_equal(ev->removal->id, 1);
	assert_int_equal(ev->removal->phase, EGPU_PHASE_DONE);
	assert_int_equal(ev->device->id, 1);
	next(EGPU_EVENT_REMOVAL_PROGRESS);
	next(EGPU_EVENT_CHANGED);
	assert_int_equal(ev->device->id, 2);
	next(EGPU_EVENT_CONNECTED);
	assert_int_equal(ev->device->id, 3);
	next(EGPU_EVENT_CHANGED);
	assert_false(ev->synthetic);
	assert_int_equal(ev->device->state, EGPU_DEVICE_STATE_READY);
	nothing();
	/* After it the socket is good for new events, and none is lost. */
	kernel.queue_max = 1000;
	kernel_change(&kernel, kernel_device(&kernel, 3),
		      EGPU_DEVICE_STATE_READY);
	next(EGPU_EVENT_CHANGED);
	assert_int_equal(ev->seq, kernel.settings.seq);
	nothing();
}

/* Events that happen while the state is dumped must come out exactly once. */
static void change_in_dump(struct kernel *k)
{
	static int times;

	if (times++ < 2)
		kernel_change(k, &k->devices[0], EGPU_DEVICE_STATE_DETACHED);
}

static void changes_during_the_dump(void **state)
{
	(void)state;
	kernel_add(&kernel, "0000:07:00.0", true);
	kernel.in_dump = change_in_dump;
	subscribe(0);
	next(EGPU_EVENT_START);
	assert_int_equal(kernel.dumps, 3);
	assert_int_equal(ev->seq, 3);
	assert_int_equal(ev->devices->item[0]->state,
			 EGPU_DEVICE_STATE_DETACHED);
	next(EGPU_EVENT_CONNECTED);
	nothing();
}

static void change_in_lookup(struct kernel *k)
{
	k->in_lookup = NULL;
	kernel_change(k, &k->devices[0], EGPU_DEVICE_STATE_DETACHED);
}

/* An event that is in the socket and in the dump is told once, as the state. */
static void change_before_the_dump(void **state)
{
	(void)state;
	kernel_add(&kernel, "0000:07:00.0", true);
	subscribe(0);
	next(EGPU_EVENT_START);
	next(EGPU_EVENT_CONNECTED);
	kernel.in_lookup = change_in_lookup;
	kernel_lose(1);
	kernel_change(&kernel, &kernel.devices[0], EGPU_DEVICE_STATE_READY);
	kernel_change(&kernel, &kernel.devices[0], EGPU_DEVICE_STATE_READY);
	next(EGPU_EVENT_RESYNC);
	next(EGPU_EVENT_CHANGED);
	assert_true(ev->synthetic);
	nothing();
}

static void change_always(struct kernel *k)
{
	kernel_change(k, &k->devices[0], EGPU_DEVICE_STATE_READY);
}

/* No consistent state to be had: none is told, until there is one. */
static void storm(void **state)
{
	(void)state;
	kernel_add(&kernel, "0000:07:00.0", true);
	kernel.in_dump = change_always;
	subscribe(0);
	assert_int_equal(egpu_monitor_next(mon, &ev), 0);
	readable();
	kernel.in_dump = NULL;
	next(EGPU_EVENT_START);
	next(EGPU_EVENT_CONNECTED);
	nothing();
}

/* The dump no longer has the GPU, its event is yet to come: one DISCONNECTED. */
static void disconnect_once(void **state)
{
	struct egpu_device *dev = kernel_add(&kernel, "0000:07:00.0", true);
	struct egpu_removal *rem;
	size_t n = kernel.n_devices;

	(void)state;
	subscribe(0);
	next(EGPU_EVENT_START);
	next(EGPU_EVENT_CONNECTED);
	rem = kernel_begin(&kernel, dev, EGPU_ORIGIN_OTHERS);
	next(EGPU_EVENT_REMOVAL_PENDING);
	/* The real kernel takes it off its list before it says so. */
	kernel.n_devices = 0;
	kernel_lose(1);
	kernel_phase(&kernel, rem, EGPU_PHASE_RELEASED, EGPU_RELEASE_ACKED);
	kernel_phase(&kernel, rem, EGPU_PHASE_UNBOUND, EGPU_RELEASE_ACKED);
	next(EGPU_EVENT_RESYNC);
	next(EGPU_EVENT_DISCONNECTED);
	next(EGPU_EVENT_REMOVAL_PROGRESS);
	nothing();
	kernel.n_devices = n;
	kernel_disconnect(&kernel, rem);
	next(EGPU_EVENT_REMOVAL_PROGRESS);
	nothing();
}

/* A GPU goes with the last of its removals, not with one that was refused. */
static void leaves_with_its_last_removal(void **state)
{
	struct egpu_device *dev = kernel_add(&kernel, "0000:07:00.0", true);
	struct egpu_removal *rem;

	(void)state;
	subscribe(0);
	next(EGPU_EVENT_START);
	next(EGPU_EVENT_CONNECTED);
	kernel_lose(6);
	rem = kernel_begin(&kernel, dev, EGPU_ORIGIN_EJECT);
	kernel_phase(&kernel, rem, EGPU_PHASE_REFUSED, EGPU_RELEASE_WITHDRAWN);
	remove_device(dev);
	next(EGPU_EVENT_RESYNC);
	next(EGPU_EVENT_REMOVAL_PROGRESS);
	assert_int_equal(ev->removal->phase, EGPU_PHASE_REFUSED);
	next(EGPU_EVENT_DISCONNECTED);
	assert_int_equal(ev->removal->cookie, 101);
	next(EGPU_EVENT_REMOVAL_PROGRESS);
	assert_int_equal(ev->removal->phase, EGPU_PHASE_DONE);
	nothing();
}

/* The kernel has forgotten with which removal it went. */
static void forgotten_removal(void **state)
{
	struct egpu_device *dev = kernel_add(&kernel, "0000:07:00.0", true);

	(void)state;
	subscribe(0);
	next(EGPU_EVENT_START);
	next(EGPU_EVENT_CONNECTED);
	kernel_lose(5);
	remove_device(dev);
	kernel.n_removals = 0;
	kernel_add(&kernel, "0000:08:00.0", true);
	kernel.devices[0].id = 2;
	next(EGPU_EVENT_RESYNC);
	next(EGPU_EVENT_DISCONNECTED);
	assert_int_equal(ev->removal->id, 1);
	assert_int_equal(ev->removal->cookie, 0);
	assert_string_equal(ev->removal->address, "0000:07:00.0");
	next(EGPU_EVENT_CONNECTED);
	nothing();
}

static void open_removal_after_loss(void **state)
{
	struct egpu_device *dev = kernel_add(&kernel, "0000:07:00.0", true);

	(void)state;
	subscribe(0);
	next(EGPU_EVENT_START);
	next(EGPU_EVENT_CONNECTED);
	kernel_lose(1);
	kernel_begin(&kernel, dev, EGPU_ORIGIN_OTHERS);
	kernel_change(&kernel, dev, EGPU_DEVICE_STATE_LEAVING);
	next(EGPU_EVENT_RESYNC);
	next(EGPU_EVENT_REMOVAL_PENDING);
	assert_true(ev->synthetic);
	assert_int_equal(ev->removal->phase, EGPU_PHASE_PENDING);
	next(EGPU_EVENT_CHANGED);
	nothing();
}

static void malformed_event(void **state)
{
	struct egpu_device dev = { .id = 1 };
	struct nl_msg *msg;

	(void)state;
	subscribe(0);
	next(EGPU_EVENT_START);
	msg = encode_device(kernel.family.id, EGPU_CMD_CONNECTED, &dev, true);
	assert_int_equal(nla_put_u8(msg, EGPU_A_DEVICE_COOKIE, 1), 0);
	kernel_send_raw(&kernel, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len);
	nlmsg_free(msg);
	next(EGPU_EVENT_RESYNC);
	assert_int_equal(ev->loss, EGPU_LOSS_MALFORMED);
	nothing();
	/* Half a header is no message at all. */
	kernel_send_raw(&kernel, "abc", 3);
	nothing();
}

static void event_of_a_newer_kernel(void **state)
{
	struct egpu_device dev = { .id = 1, .seq = 1 };
	struct nl_msg *msg;

	(void)state;
	subscribe(0);
	next(EGPU_EVENT_START);
	kernel.settings.seq++;
	msg = encode_device(kernel.family.id, 200, &dev, true);
	kernel_send_raw(&kernel, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len);
	nlmsg_free(msg);
	nothing();
	/* It counted, so the next one shows that something is not known. */
	kernel_add(&kernel, "0000:07:00.0", true);
	next(EGPU_EVENT_RESYNC);
	next(EGPU_EVENT_CONNECTED);
	nothing();
}

static void module_goes_and_comes(void **state)
{
	(void)state;
	kernel_add(&kernel, "0000:07:00.0", true);
	subscribe(EGPU_MONITOR_WAIT);
	next(EGPU_EVENT_START);
	next(EGPU_EVENT_CONNECTED);
	kernel_unload(&kernel, true);
	readable();
	next(EGPU_EVENT_MODULE_GONE);
	nothing();
	kernel_load(&kernel, true);
	next(EGPU_EVENT_MODULE_BACK);
	assert_int_equal(ev->instance, kernel.settings.instance);
	assert_int_equal(ev->devices->count, 0);
	nothing();
	kernel_add(&kernel, "0000:07:00.0", true);
	next(EGPU_EVENT_CONNECTED);
	assert_false(ev->synthetic);
	nothing();
}

static void waits_for_the_module(void **state)
{
	(void)state;
	kernel_unload(&kernel, false);
	assert_int_equal(egpu_monitor_new(ctx, 0, &mon), -EPROTONOSUPPORT);
	assert_null(mon);
	subscribe(EGPU_MONITOR_WAIT);
	next(EGPU_EVENT_START);
	assert_false(ev->loaded);
	assert_int_equal(ev->devices->count, 0);
	nothing();
	kernel_load(&kernel, true);
	kernel_add(&kernel, "0000:07:00.0", true);
	next(EGPU_EVENT_MODULE_BACK);
	next(EGPU_EVENT_CONNECTED);
	nothing();
	assert_int_equal(kernel.named, 0);
}

/* Unloaded and loaded again, and the sockets heard of neither. */
static void reload_behind_our_back(void **state)
{
	(void)state;
	kernel_add(&kernel, "0000:07:00.0", true);
	subscribe(EGPU_MONITOR_WAIT);
	next(EGPU_EVENT_START);
	next(EGPU_EVENT_CONNECTED);
	kernel.queue_max = 0;
	kernel_unload(&kernel, true);
	kernel_load(&kernel, true);
	kernel.queue_max = 1000;
	kernel_add(&kernel, "0000:08:00.0", true);
	next(EGPU_EVENT_MODULE_GONE);
	next(EGPU_EVENT_MODULE_BACK);
	assert_int_equal(ev->devices->count, 1);
	next(EGPU_EVENT_CONNECTED);
	assert_string_equal(ev->device->address, "0000:08:00.0");
	nothing();
	/* The groups are others now, and it is in them. */
	kernel_change(&kernel, kernel_device(&kernel, 1),
		      EGPU_DEVICE_STATE_READY);
	next(EGPU_EVENT_CHANGED);
	nothing();
}

static void module_gone_is_the_end_without_wait(void **state)
{
	(void)state;
	subscribe(0);
	next(EGPU_EVENT_START);
	kernel_unload(&kernel, true);
	next(EGPU_EVENT_MODULE_GONE);
	assert_int_equal(egpu_monitor_next(mon, &ev), -EPROTONOSUPPORT);
	assert_int_equal(egpu_monitor_next(mon, &ev), -EPROTONOSUPPORT);
}

/* A late notice about the family of before is about nobody. */
static void notice_of_another_id(void **state)
{
	uint16_t id = kernel.family.id;

	(void)state;
	kernel_unload(&kernel, false);
	kernel_load(&kernel, false);
	subscribe(EGPU_MONITOR_WAIT);
	next(EGPU_EVENT_START);
	kernel.family.id = id;
	kernel_unload(&kernel, true);
	kernel.loaded = true;
	kernel.family.id = id + 1;
	nothing();
}

static void helper_joins_both_groups(void **state)
{
	(void)state;
	assert_false(kernel.settings.helpers);
	subscribe(EGPU_MONITOR_HELPER);
	assert_true(kernel.settings.helpers);
	next(EGPU_EVENT_START);
	kernel_add(&kernel, "0000:07:00.0", true);
	next(EGPU_EVENT_CONNECTED);
	nothing();
}

static void helper_without_rights(void **state)
{
	(void)state;
	kernel.admin = false;
	assert_int_equal(egpu_monitor_new(ctx, EGPU_MONITOR_HELPER, &mon),
			 -EPERM);
	assert_non_null(strstr(egpu_error(ctx), "join the group 'helper'"));
	assert_int_equal(kernel_open_links(&kernel), 1);
	/* Anybody may listen. */
	subscribe(0);
	next(EGPU_EVENT_START);
}

static void helper_again_after_reload(void **state)
{
	(void)state;
	subscribe(EGPU_MONITOR_HELPER | EGPU_MONITOR_WAIT);
	next(EGPU_EVENT_START);
	kernel_unload(&kernel, true);
	next(EGPU_EVENT_MODULE_GONE);
	kernel_load(&kernel, true);
	next(EGPU_EVENT_MODULE_BACK);
	assert_true(kernel.settings.helpers);
}

/* Years of plugging must not make the mirror grow. */
static void mirror_is_bounded(void **state)
{
	struct egpu_mirror mirror = { 0 };
	struct egpu_removal rem = { .id = 1, .phase = EGPU_PHASE_DONE };
	uint64_t open = 5;

	(void)state;
	for (rem.cookie = 1; rem.cookie < 2000; rem.cookie++) {
		rem.phase = rem.cookie == open ? EGPU_PHASE_ACCEPTED :
						 EGPU_PHASE_DONE;
		assert_int_equal(egpu_mirror_put_removal(&mirror, &rem), 0);
	}
	assert_int_equal(mirror.removals.count, EGPU_MIRROR_REMOVALS_MAX);
	/* What is open is never forgotten. */
	assert_non_null(egpu_mirror_removal(&mirror, open));
	assert_null(egpu_mirror_removal(&mirror, open + 1));
	egpu_mirror_clear(&mirror);
}

static void unknown_flags(void **state)
{
	(void)state;
	assert_int_equal(egpu_monitor_new(ctx, 0x80, &mon), -EINVAL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(start_tells_the_state),
	T(events_in_order),
	T(quiesce_in_order),
	T(quiesce_lost),
	T(quiesce_without_number),
	T(step_after_loss),
	T(gap),
	T(overflow),
	T(changes_during_the_dump),
	T(change_before_the_dump),
	T(storm),
	T(disconnect_once),
	T(leaves_with_its_last_removal),
	T(forgotten_removal),
	T(open_removal_after_loss),
	T(malformed_event),
	T(event_of_a_newer_kernel),
	T(module_goes_and_comes),
	T(waits_for_the_module),
	T(reload_behind_our_back),
	T(module_gone_is_the_end_without_wait),
	T(notice_of_another_id),
	T(helper_joins_both_groups),
	T(helper_without_rights),
	T(helper_again_after_reload),
	T(mirror_is_bounded),
	T(unknown_flags),
};

TEST_MAIN(tests, NULL, NULL)

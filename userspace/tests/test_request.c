// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Requests, what the kernel answers, and the errors that come of it.
 */
#include <errno.h>
#include <string.h>

#include "kernel.h"
#include "test.h"

static struct kernel kernel;
static struct egpu_ctx *ctx;

static int setup(void **state)
{
	(void)state;
	kernel_init(&kernel);
	return kernel_open(&ctx);
}

static int teardown(void **state)
{
	(void)state;
	egpu_close(ctx);
	return (int)kernel_open_links(&kernel);
}

static void lists_are_sorted_and_whole(void **state)
{
	struct egpu_device_list *list;

	(void)state;
	kernel_add(&kernel, "0000:07:00.0", true);
	kernel_add(&kernel, "0000:01:00.0", false);
	kernel.devices[0].id = 9;
	assert_int_equal(egpu_device_list(ctx, &list), 0);
	assert_int_equal(list->count, 2);
	assert_int_equal(list->item[0]->id, 2);
	assert_int_equal(list->item[1]->id, 9);
	egpu_device_list_free(list);
}

static void empty_lists(void **state)
{
	struct egpu_device_list *devices;
	struct egpu_override_list *rules;
	struct egpu_client_list *clients;

	(void)state;
	assert_int_equal(egpu_device_list(ctx, &devices), 0);
	assert_int_equal(devices->count, 0);
	egpu_device_list_free(devices);
	assert_int_equal(egpu_override_list(ctx, &rules), 0);
	assert_int_equal(rules->count, 0);
	egpu_override_list_free(rules);
	assert_int_equal(egpu_client_list(ctx, 5, &clients), 0);
	assert_int_equal(clients->count, 0);
	egpu_client_list_free(clients);
}

static void one_object(void **state)
{
	struct egpu_device *dev;
	struct egpu_removal *rem;

	(void)state;
	kernel_add(&kernel, "0000:07:00.0", true);
	assert_int_equal(egpu_device_get(ctx, 1, NULL, &dev), 0);
	assert_string_equal(dev->address, "0000:07:00.0");
	egpu_device_free(dev);
	assert_int_equal(egpu_device_get(ctx, 0, "0000:07:00.0", &dev), 0);
	assert_int_equal(dev->id, 1);
	egpu_device_free(dev);
	assert_int_equal(egpu_device_get(ctx, 2, NULL, &dev), -ENODEV);
	assert_null(dev);
	assert_int_equal(egpu_device_get(ctx, 0, NULL, &dev), -EINVAL);
	assert_int_equal(egpu_removal_get(ctx, 5, &rem), -ENOENT);
	assert_null(rem);
}

static void eject_sends_what_is_asked(void **state)
{
	const struct egpu_eject_options options = {
		.size = sizeof(options),
		.timeout_ms = 1234,
		.force = true,
	};
	const struct egpu_eject_options no_size = { .timeout_ms = 1 };
	uint64_t cookie = 0;

	(void)state;
	kernel_add(&kernel, "0000:07:00.0", true);
	assert_int_equal(egpu_eject(ctx, 1, &no_size, NULL), -EINVAL);
	assert_int_equal(egpu_eject(ctx, 1, &options, &cookie), 0);
	assert_int_equal(cookie, 100);
	assert_int_equal(kernel.n_calls, 1);
	assert_int_equal(kernel.calls[0].cmd, EGPU_CMD_EJECT);
	assert_int_equal(kernel.calls[0].id, 1);
	assert_int_equal(kernel.calls[0].value, 1234);
	assert_true(kernel.calls[0].force);
}

/* A caller of an older library has a shorter struct, with no force in it. */
static void eject_options_of_old(void **state)
{
	struct egpu_eject_options options = {
		.size = offsetof(struct egpu_eject_options, force),
		.timeout_ms = 77,
		.force = true,
	};

	(void)state;
	kernel_add(&kernel, "0000:07:00.0", true);
	assert_int_equal(egpu_eject(ctx, 1, &options, NULL), 0);
	assert_int_equal(kernel.calls[0].value, 77);
	assert_false(kernel.calls[0].force);
}

/* The kernel knows a helper by its socket. */
static void accept_and_ack_from_one_socket(void **state)
{
	struct egpu_removal *rem;

	(void)state;
	kernel_add(&kernel, "0000:07:00.0", true);
	kernel_begin(&kernel, &kernel.devices[0], EGPU_ORIGIN_OTHERS);
	assert_int_equal(egpu_ack(ctx, 100), -EPROTO);
	assert_int_equal(egpu_accept(ctx, 100), 0);
	assert_int_equal(egpu_ack(ctx, 100), 0);
	assert_int_equal(kernel.calls[1].port, kernel.calls[2].port);
	assert_int_equal(egpu_accept(ctx, 999), -ENOENT);
	assert_int_equal(egpu_removal_get(ctx, 100, &rem), 0);
	assert_int_equal(rem->release, EGPU_RELEASE_ACKED);
	egpu_removal_free(rem);
}

static void steps_are_told(void **state)
{
	struct egpu_removal *rem;

	(void)state;
	kernel_add(&kernel, "0000:07:00.0", true);
	kernel_begin(&kernel, &kernel.devices[0], EGPU_ORIGIN_EJECT);
	assert_int_equal(egpu_report(ctx, 100, EGPU_STEP_ASK), -EPROTO);
	assert_int_equal(egpu_accept(ctx, 100), 0);
	assert_int_equal(egpu_report(ctx, 100, EGPU_STEP_ASK), 0);
	assert_int_equal(kernel.calls[2].cmd, EGPU_CMD_REPORT);
	assert_int_equal(kernel.calls[2].step, EGPU_STEP_ASK);
	assert_int_equal(egpu_removal_get(ctx, 100, &rem), 0);
	assert_int_equal(rem->step, EGPU_STEP_ASK);
	assert_false(rem->vouched);
	egpu_removal_free(rem);
	assert_int_equal(egpu_ack_vouched(ctx, 100), 0);
	assert_int_equal(kernel.calls[3].cmd, EGPU_CMD_ACK);
	assert_true(kernel.calls[3].vouched);
	assert_int_equal(egpu_removal_get(ctx, 100, &rem), 0);
	assert_true(rem->vouched);
	egpu_removal_free(rem);
	assert_int_equal(egpu_report(ctx, 100, EGPU_STEP_DRAIN), -ETIME);
	assert_string_equal(egpu_error(ctx),
			    "cannot report a step of removal 100: Timer expired");
}

/* A plain ack must not vouch for anybody. */
static void ack_vouches_for_nobody(void **state)
{
	(void)state;
	kernel_add(&kernel, "0000:07:00.0", true);
	kernel_begin(&kernel, &kernel.devices[0], EGPU_ORIGIN_EJECT);
	assert_int_equal(egpu_accept(ctx, 100), 0);
	assert_int_equal(egpu_ack(ctx, 100), 0);
	assert_false(kernel.calls[1].vouched);
}

static void refuse(void **state)
{
	struct egpu_removal *rem;

	(void)state;
	kernel_add(&kernel, "0000:07:00.0", true);
	kernel_begin(&kernel, &kernel.devices[0], EGPU_ORIGIN_EJECT);
	assert_int_equal(egpu_accept(ctx, 100), 0);
	assert_int_equal(egpu_refuse(ctx, 100, "Xorg draws the desktop"), 0);
	assert_int_equal(kernel.calls[1].cmd, EGPU_CMD_REFUSE);
	assert_int_equal(egpu_removal_get(ctx, 100, &rem), 0);
	assert_int_equal(rem->phase, EGPU_PHASE_REFUSED);
	assert_string_equal(rem->reason, "Xorg draws the desktop");
	egpu_removal_free(rem);
	kernel_begin(&kernel, &kernel.devices[0], EGPU_ORIGIN_OTHERS);
	assert_int_equal(egpu_accept(ctx, 101), 0);
	assert_int_equal(egpu_refuse(ctx, 101, NULL), -EINVAL);
	assert_string_equal(kernel.calls[3].text, "");
}

/* The socket that has fenced owns the fence. */
static void fence_drain_resume(void **state)
{
	struct egpu_quiesce *quiesce;
	struct egpu_ctx *other;

	(void)state;
	kernel_add(&kernel, "0000:07:00.0", true);
	kernel_add(&kernel, "0000:00:02.0", false);
	assert_int_equal(egpu_fence(ctx, 2), -EOPNOTSUPP);
	assert_int_equal(egpu_drain(ctx, 1, 100), -EPROTO);
	assert_int_equal(egpu_fence(ctx, 1), 0);
	assert_int_equal(egpu_fence(ctx, 1), -EALREADY);
	assert_int_equal(kernel_open(&other), 0);
	assert_int_equal(egpu_fence(other, 1), -EBUSY);
	assert_int_equal(egpu_drain(other, 1, 100), -EPERM);
	egpu_close(other);
	assert_int_equal(egpu_drain(ctx, 1, 1500), 0);
	assert_int_equal(egpu_quiesce_get(ctx, 1, &quiesce), 0);
	assert_int_equal(quiesce->state, EGPU_QUIESCE_STATE_DRAINING);
	assert_int_equal(quiesce->timeout_ms, 1500);
	egpu_quiesce_free(quiesce);
	assert_int_equal(egpu_resume(ctx, 1), 0);
	assert_int_equal(egpu_resume(ctx, 1), -EALREADY);
	assert_int_equal(egpu_resume(ctx, 9), -ENODEV);
	assert_int_equal(egpu_quiesce_get(ctx, 9, &quiesce), -ENODEV);
	assert_null(quiesce);
}

/* Without a time the kernel would take one of its own. */
static void drain_without_time(void **state)
{
	(void)state;
	assert_int_equal(egpu_drain(ctx, 1, 0), -EINVAL);
	assert_string_equal(egpu_error(ctx),
			    "cannot drain GPU 1: the time is 0");
	assert_int_equal(kernel.n_calls, 0);
}

static void buffers_of_one_gpu(void **state)
{
	struct egpu_buffer_list *list;

	(void)state;
	kernel_add(&kernel, "0000:07:00.0", true);
	kernel.buffers[0] = (struct egpu_buffer){ .id = 1, .handle = 5 };
	kernel.buffers[1] = (struct egpu_buffer){ .id = 2, .handle = 6 };
	kernel.buffers[2] = (struct egpu_buffer){ .id = 1, .handle = 4 };
	kernel.n_buffers = 3;
	assert_int_equal(egpu_buffer_list(ctx, 1, &list), 0);
	assert_int_equal(list->count, 2);
	assert_int_equal(list->item[0]->handle, 5);
	assert_int_equal(list->item[1]->handle, 4);
	egpu_buffer_list_free(list);
	assert_int_equal(egpu_buffer_list(ctx, 9, &list), -ENODEV);
	assert_int_equal(egpu_buffer_list(ctx, 0, &list), -ENODEV);
}

static void whom_a_removal_has_hit(void **state)
{
	struct egpu_client_list *list;

	(void)state;
	kernel_add(&kernel, "0000:07:00.0", true);
	kernel_begin(&kernel, &kernel.devices[0], EGPU_ORIGIN_OTHERS);
	kernel.clients[0] = (struct egpu_client){ .id = 1, .pid = 1 };
	kernel.n_clients = 1;
	kernel.victims[0] = (struct egpu_client){ .id = 1, .pid = 77 };
	kernel.n_victims = 1;
	assert_int_equal(egpu_client_list_of(ctx, 100, &list), 0);
	assert_int_equal(list->count, 1);
	assert_int_equal(list->item[0]->pid, 77);
	egpu_client_list_free(list);
	assert_int_equal(egpu_client_list_of(ctx, 5, &list), -ENOENT);
	/* No cookie must not list who has GPUs open now. */
	assert_int_equal(egpu_client_list_of(ctx, 0, &list), -ENOENT);
}

static void settings_and_overrides(void **state)
{
	const int attrs[] = { EGPU_A_SETTINGS_HOLD_MS, EGPU_A_SETTINGS_EJECT_MS,
			      EGPU_A_SETTINGS_DRAIN_MS };
	const uint32_t values[] = { 0, 5, 60000 };
	struct egpu_settings *set;
	struct egpu_override_list *rules;

	(void)state;
	assert_int_equal(egpu_settings_set(ctx, attrs, values, 3), 0);
	assert_int_equal(egpu_setting_set(ctx, EGPU_A_SETTINGS_VERSION, 1),
			 -EINVAL);
	assert_int_equal(egpu_settings_set(ctx, attrs, values, 0), -EINVAL);
	assert_int_equal(egpu_settings_get(ctx, &set), 0);
	assert_int_equal(set->hold_ms, 0);
	assert_int_equal(set->accept_ms, 500);
	assert_int_equal(set->eject_ms, 5);
	assert_int_equal(set->drain_ms, 60000);
	egpu_settings_free(set);
	assert_int_equal(egpu_override_set(ctx, "0000:03:00.0",
					   EGPU_PLACEMENT_EXTERNAL),
			 0);
	assert_int_equal(egpu_override_list(ctx, &rules), 0);
	assert_int_equal(rules->count, 1);
	assert_int_equal(rules->item[0]->placement, EGPU_PLACEMENT_EXTERNAL);
	egpu_override_list_free(rules);
}

static void the_kernels_own_words(void **state)
{
	kernel.next_error = -ERANGE;
	kernel.next_text = "hold-ms is at most 5000";
	kernel.next_attr = EGPU_A_SETTINGS_HOLD_MS;

	(void)state;
	assert_int_equal(egpu_setting_set(ctx, EGPU_A_SETTINGS_HOLD_MS, 9999),
			 -ERANGE);
	assert_string_equal(egpu_error(ctx),
			    "cannot change the settings: hold-ms is at most 5000 (attribute hold-ms)");
	assert_string_equal(egpu_error_attribute(ctx), "hold-ms");
	/* The next error does not inherit the attribute. */
	kernel.next_error = -EBUSY;
	kernel.next_text = NULL;
	kernel.next_attr = -1;
	assert_int_equal(egpu_cancel(ctx, 3, NULL), -EBUSY);
	assert_null(egpu_error_attribute(ctx));
	assert_string_equal(egpu_error(ctx),
			    "cannot cancel removal 3: Device or resource busy");
}

static void attribute_without_words(void **state)
{
	kernel.next_error = -EINVAL;
	kernel.next_text = NULL;
	kernel.next_attr = EGPU_A_REMOVAL_TIMEOUT_MS;
	const struct egpu_eject_options options = {
		.size = sizeof(options),
		.timeout_ms = 1,
	};

	(void)state;
	assert_int_equal(egpu_eject(ctx, 1, &options, NULL), -EINVAL);
	assert_string_equal(egpu_error(ctx),
			    "cannot eject GPU 1: Invalid argument (attribute timeout-ms)");
}

static void permission(void **state)
{
	(void)state;
	kernel.admin = false;
	assert_int_equal(egpu_accept(ctx, 1), -EPERM);
	assert_non_null(strstr(egpu_error(ctx), "CAP_NET_ADMIN"));
}

static void reason_too_long(void **state)
{
	char reason[EGPU_REASON_LEN + 2];

	(void)state;
	memset(reason, 'x', sizeof(reason));
	reason[sizeof(reason) - 1] = '\0';
	assert_int_equal(egpu_cancel(ctx, 1, reason), -EINVAL);
	assert_int_equal(egpu_refuse(ctx, 1, reason), -EINVAL);
	assert_string_equal(egpu_error(ctx),
			    "cannot refuse removal 1: the reason is longer than 127 bytes");
	assert_int_equal(kernel.n_calls, 0);
}

static void module_absent(void **state)
{
	struct egpu_device_list *list;

	(void)state;
	kernel_unload(&kernel, false);
	assert_int_equal(egpu_device_list(ctx, &list), -EPROTONOSUPPORT);
	assert_non_null(strstr(egpu_error(ctx), "modprobe egpu"));
	/* Asking by name would load it behind everybody's back. */
	assert_int_equal(kernel.named, 0);
	assert_true(kernel.lookups > 0);
}

/* The id of the family is another after a reload, which nobody needs to see. */
static void module_reloaded(void **state)
{
	struct egpu_settings *set;

	(void)state;
	assert_int_equal(egpu_settings_get(ctx, &set), 0);
	egpu_settings_free(set);
	kernel_unload(&kernel, false);
	assert_int_equal(egpu_settings_get(ctx, &set), -EPROTONOSUPPORT);
	kernel_load(&kernel, false);
	assert_int_equal(egpu_settings_get(ctx, &set), 0);
	egpu_settings_free(set);
	kernel_unload(&kernel, false);
	kernel_load(&kernel, false);
	assert_int_equal(egpu_settings_get(ctx, &set), 0);
	egpu_settings_free(set);
}

/* An ENOENT of the request's own must not be taken for a reload. */
static void unknown_cookie_keeps_its_words(void **state)
{
	kernel.next_error = -ENOENT;
	kernel.next_text = "no such removal";

	(void)state;
	assert_int_equal(egpu_ack(ctx, 5), -ENOENT);
	assert_string_equal(egpu_error(ctx),
			    "cannot acknowledge removal 5: no such removal");
	assert_int_equal(kernel.n_calls, 0);
}

static void interrupted_dump_is_made_again(void **state)
{
	struct egpu_device_list *list;

	(void)state;
	kernel_add(&kernel, "0000:07:00.0", true);
	kernel.interrupted = 3;
	assert_int_equal(egpu_device_list(ctx, &list), 0);
	assert_int_equal(list->count, 1);
	assert_int_equal(kernel.dumps, 4);
	egpu_device_list_free(list);
}

/* The answer to a request that was given up must not answer the next one. */
static void left_over_answer(void **state)
{
	struct egpu_settings *set;

	(void)state;
	kernel.stray = true;
	assert_int_equal(egpu_settings_get(ctx, &set), 0);
	egpu_settings_free(set);
	assert_int_equal(egpu_override_set(ctx, "0000:03:00.0",
					   EGPU_PLACEMENT_EXTERNAL),
			 0);
	assert_int_equal(kernel.n_overrides, 1);
}

static void dump_that_never_settles(void **state)
{
	struct egpu_device_list *list;

	(void)state;
	kernel.interrupted = 1000;
	assert_int_equal(egpu_device_list(ctx, &list), -EINTR);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(lists_are_sorted_and_whole),
	T(empty_lists),
	T(one_object),
	T(eject_sends_what_is_asked),
	T(eject_options_of_old),
	T(accept_and_ack_from_one_socket),
	T(steps_are_told),
	T(ack_vouches_for_nobody),
	T(refuse),
	T(fence_drain_resume),
	T(drain_without_time),
	T(buffers_of_one_gpu),
	T(whom_a_removal_has_hit),
	T(settings_and_overrides),
	T(the_kernels_own_words),
	T(attribute_without_words),
	T(permission),
	T(reason_too_long),
	T(module_absent),
	T(module_reloaded),
	T(unknown_cookie_keeps_its_words),
	T(interrupted_dump_is_made_again),
	T(left_over_answer),
	T(dump_that_never_settles),
};

TEST_MAIN(tests, NULL, NULL)

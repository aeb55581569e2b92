// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpuctl eject: how one goes, ends and is told.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "ctl_case.h"
#include "test.h"

static void eject_to_the_end(void **state)
{
	(void)state;
	ctl_expect(EXIT_OK, "eject 2 --timeout 1.5 --force");
	ctl_says("GPU 2 (0000:07:00.0, bochs-drm) is safe to unplug: it is off the bus.\n");
	assert_int_equal(ctl_kernel.calls[0].value, 1500);
	assert_true(ctl_kernel.calls[0].force);
	assert_string_equal(ctl_run.err, "");
}

static void eject_shows_each_step_on_a_terminal(void **state)
{
	(void)state;
	ctl_run.ctl.terminal = true;
	ctl_expect(EXIT_OK, "eject 2");
	ctl_says("812.346 ms  done");
	ctl_says("is safe to unplug");
}

static void eject_in_json(void **state)
{
	(void)state;
	ctl_expect(EXIT_OK, "--json eject 2");
	ctl_says("{\"schema\":1,\"eject\":{\"cookie\":100,\"verdict\":"
		 "\"safe-to-unplug\",\"safe\":true,"
		 "\"reasons\":[\"it is off the bus\"],"
		 "\"removal\":{\"cookie\":100,");
	assert_string_equal(strchr(ctl_run.out, '\n'), "\n");
	assert_string_equal(ctl_run.err, "");
}

static void eject_without_waiting(void **state)
{
	(void)state;
	ctl_kernel.outcome = OUTCOME_HANG;
	ctl_expect(EXIT_OK, "eject 2 --no-wait");
	ctl_says("it is removal 100; do not unplug it yet");
	kernel_init(&ctl_kernel);
	kernel_add(&ctl_kernel, "0000:07:00.0", true);
	ctl_kernel.outcome = OUTCOME_HANG;
	ctl_expect(EXIT_OK, "eject 1 -n --json");
	ctl_says("\"verdict\":\"pending\"");
}

static void eject_refused_by_its_helper(void **state)
{
	(void)state;
	ctl_kernel.outcome = OUTCOME_HELPER_REFUSED;
	ctl_add_client(2, 4242, "blender");
	ctl_run.ctl.terminal = true;
	ctl_expect(EXIT_BUSY, "eject 2");
	ctl_says("ask        programs are asked to let go\n"
		 "                          blender (4242) is waited for\n");
	ctl_says("moves      render?er (1234) to GPU 1 (");
	ctl_says("stays      render?er (1234): it takes too long\n");
	/* It is in the event of the refusal as well. */
	assert_null(strstr(strstr(ctl_run.out, "ask  ") + 1, "ask  "));
	ctl_says("the last eject was refused: blender (4242) was asked to quit in vain.\n");
	ctl_says("blender program node");
}

/* The audio function of the GPU's slot is still there. */
static void eject_with_something_left(void **state)
{
	(void)state;
	ctl_roots_add_gpu("0000:07:00.1", 0, false);
	ctl_expect(EXIT_OTHER, "eject 2");
	ctl_says("is not safe to unplug: 1 other function of its slot is still on the bus.\n");
}

static void eject_refused_later(void **state)
{
	(void)state;
	ctl_kernel.outcome = OUTCOME_REFUSED;
	ctl_add_client(2, 4242, "blender");
	ctl_expect(EXIT_BUSY, "eject 2");
	ctl_says("is not safe to unplug: the last eject was refused: 1 client has it open.\n");
	ctl_says("4242 blender program node");
	ctl_says("is waited for");
	ctl_says("eject with --force");
	ctl_expect(EXIT_BUSY, "eject 2 --json");
	ctl_says("\"verdict\":\"refused\",\"safe\":false,\"reasons\":[");
	ctl_says("\"clients\":[{\"id\":2,\"client_id\":5,\"pid\":4242,");
	ctl_says("\"usage\":{\"id\":2,");
	ctl_says("\"outcome\":\"is waited for\"");
	/* Whoever has said --force need not be told of it. */
	ctl_expect(EXIT_BUSY, "eject 2 --force");
	ctl_says("is frozen, loses the GPU and goes on");
	assert_null(strstr(ctl_run.out, "--force"));
}

static void eject_refused_at_once(void **state)
{
	(void)state;
	ctl_add_client(2, 4242, "blender");
	ctl_kernel.refuse = -EBUSY;
	ctl_expect(EXIT_BUSY, "eject 2");
	ctl_says("cannot eject GPU 2: ");
	ctl_says("blender");
	ctl_expect(EXIT_BUSY, "eject 2 --json");
	ctl_says("{\"schema\":1,\"error\":{\"code\":\"busy\",\"errno\":16,");
	ctl_says("\"comm\":\"blender\"");
	assert_string_equal(ctl_run.err, "");
}

static void eject_of_an_internal_gpu(void **state)
{
	(void)state;
	ctl_expect(EXIT_NOT_EXTERNAL, "eject 1");
	assert_string_equal(ctl_run.out, "");
}

static void eject_overtaken(void **state)
{
	(void)state;
	ctl_kernel.outcome = OUTCOME_SURPRISE;
	ctl_expect(EXIT_SURPRISE, "eject 2");
	ctl_says("was not safe to unplug: it was gone before its eject had ended");
}

static void eject_that_hangs_in_the_driver(void **state)
{
	(void)state;
	ctl_kernel.outcome = OUTCOME_RELEASED;
	ctl_run.ctl.driver_ms = 1;
	ctl_expect(EXIT_TIMEOUT, "eject 2 --timeout 0.001");
	ctl_says("is not safe to unplug: the eject was not done in time: its driver is letting go");
	ctl_expect(EXIT_TIMEOUT, "eject 2 --json");
	ctl_says("\"verdict\":\"timed-out\"");
}

static void eject_of_what_is_leaving(void **state)
{
	struct egpu_removal *rem;

	(void)state;
	rem = kernel_begin(&ctl_kernel, kernel_device(&ctl_kernel, 2),
			   EGPU_ORIGIN_EJECT);
	rem->timeout_ms = 1;
	ctl_run.ctl.driver_ms = 1;
	ctl_expect(EXIT_TIMEOUT, "eject 2");
	ctl_says("is leaving already, watching that removal");
}

/* Ctrl-C while the eject waits: it is cancelled, and that is the verdict. */
static void eject_interrupted(void **state)
{
	sigset_t set;

	(void)state;
	ctl_kernel.outcome = OUTCOME_HANG;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGINT);
	ctl_expect(EXIT_CANCELLED, "eject 2");
	ctl_says("is not safe to unplug: the last eject was called off: interrupted.\n");
	assert_int_equal(ctl_kernel.calls[1].cmd, EGPU_CMD_CANCEL);
	assert_string_equal(ctl_kernel.calls[1].text, "interrupted");
}

/* Once released it cannot be called off; a second Ctrl-C stops watching. */
static void eject_interrupted_too_late(void **state)
{
	sigset_t set;

	(void)state;
	ctl_kernel.outcome = OUTCOME_RELEASED;
	ctl_run.ctl.driver_ms = 200;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGINT);
	ctl_expect(EXIT_TIMEOUT, "eject 2 --timeout 0.001");
	ctl_says("too late to cancel");
}

static void lose_module(struct kernel *k)
{
	kernel_unload(k, true);
}

static void eject_and_the_module_goes(void **state)
{
	(void)state;
	ctl_kernel.outcome = OUTCOME_HANG;
	ctl_kernel.after_eject = lose_module;
	ctl_expect(EXIT_OTHER, "eject 2");
	ctl_says("is not known to be safe to unplug");
}

#define T(name) cmocka_unit_test_setup_teardown(name, ctl_setup, ctl_teardown)

static const struct CMUnitTest tests[] = {
	T(eject_to_the_end),
	T(eject_shows_each_step_on_a_terminal),
	T(eject_in_json),
	T(eject_without_waiting),
	T(eject_refused_by_its_helper),
	T(eject_with_something_left),
	T(eject_refused_later),
	T(eject_refused_at_once),
	T(eject_of_an_internal_gpu),
	T(eject_overtaken),
	T(eject_that_hangs_in_the_driver),
	T(eject_of_what_is_leaving),
	T(eject_interrupted),
	T(eject_interrupted_too_late),
	T(eject_and_the_module_goes),
};

TEST_MAIN(tests, NULL, NULL)

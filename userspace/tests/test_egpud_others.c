// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A removal that others have begun as a transaction: there is nothing to refuse,
 * and little time.
 */
#include "desk.h"
#include "test.h"

static struct egpu_device *gpu;
static struct egpu_removal *rem;
static pid_t user;

static int setup(void **state)
{
	(void)state;
	desk_make();
	gpu = desk_add(WORLD_GPU, 1);
	desk_start();
	user = world_user(&desk_world, USER_PLAIN, "user");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_end_user(user);
	desk_free();
	return 0;
}

static bool is_running(void)
{
	return world_state(user) != 'T';
}

static void others_freeze_drain_and_acknowledge(void **state)
{
	(void)state;
	rem = desk_begin(gpu, EGPU_ORIGIN_OTHERS);
	desk_settle();
	assert_true(desk_run_to(TXN_DRAIN));
	assert_false(is_running());
	/* Too late to close nodes. */
	assert_false(world_is_fenced(&desk_world));
	desk_drained(gpu);
	desk_settle();
	assert_int_equal(rem->release, EGPU_RELEASE_ACKED);
	assert_false(is_running());
	kernel_phase(&desk_kernel, rem, EGPU_PHASE_UNBOUND, rem->release);
	desk_settle();
	assert_true(is_running());
	desk_leave(rem, 1);
	desk_settle();
	assert_null(desk_removal());
}

/* There is nothing to refuse, so what cannot be awaited is acknowledged. */
static void others_do_not_wait_for_ever(void **state)
{
	(void)state;
	desk_daemon.config.drain_ms = 50;
	rem = desk_begin(gpu, EGPU_ORIGIN_OTHERS);
	assert_true(desk_run_to(TXN_LEAVE));
	assert_int_equal(rem->release, EGPU_RELEASE_ACKED);
	assert_false(is_running());
}

static void others_without_time(void **state)
{
	(void)state;
	desk_kernel.settings.hold_ms = 0;
	rem = desk_begin(gpu, EGPU_ORIGIN_OTHERS);
	assert_true(desk_run_to(TXN_LEAVE));
	assert_int_equal(rem->release, EGPU_RELEASE_ACKED);
}

static void others_overtake_an_eject(void **state)
{
	(void)state;
	desk_kernel.settings.hold_ms = 1000;
	rem = desk_begin(gpu, EGPU_ORIGIN_EJECT);
	desk_settle();
	assert_int_equal(desk_removal()->state, TXN_ASK);
	rem->evidence |= EGPU_EVIDENCE_SYSFS_REMOVE;
	kernel_phase(&desk_kernel, rem, EGPU_PHASE_ACCEPTED,
		     EGPU_RELEASE_NOT_YET);
	/* No drain ends, but the time of the hold does. */
	assert_true(desk_run_to(TXN_LEAVE));
	assert_false(is_running());
	assert_int_equal(rem->release, EGPU_RELEASE_ACKED);
	desk_leave(rem, 1);
	desk_settle();
	assert_true(is_running());
	assert_false(world_is_fenced(&desk_world));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(others_freeze_drain_and_acknowledge),
	T(others_do_not_wait_for_ever),
	T(others_without_time),
	T(others_overtake_an_eject),
};

TEST_MAIN(tests, NULL, NULL)

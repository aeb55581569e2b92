// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Death of the daemon at each of its steps, then another daemon: the machine is
 * as it was before, or the removal is completed. Never anything in between.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "desk.h"
#include "test.h"

/* More steps than any transaction has. */
#define STEPS_MAX 200

/**
 * struct story - what happens to a removal
 * @origin: who begins it
 * @cancel: it is called off once the work in flight is awaited
 */
struct story {
	uint32_t origin;
	bool cancel;
};

static pid_t users[2];
static struct stat before;

/* In a process of its own, which dies at a step or comes to the end. */
static void play(const struct story *story, unsigned int step)
{
	struct egpu_device *gpu = kernel_add(&desk_kernel, WORLD_GPU, true);
	struct egpu_removal *rem;

	desk_start();
	desk_daemon.config.others = ACTION_IGNORE;
	crash_at(step);
	rem = desk_begin(gpu, story->origin);
	if (!desk_run_to(TXN_DRAIN))
		_exit(2);
	if (story->cancel) {
		kernel_phase(&desk_kernel, rem, EGPU_PHASE_CANCELLED,
			     EGPU_RELEASE_WITHDRAWN);
	} else {
		desk_drained(gpu);
		if (!desk_run_to(TXN_LEAVE))
			_exit(3);
		desk_leave(rem, 1);
	}
	desk_settle();
	if (desk_removal())
		_exit(4);
	daemon_stop(&desk_daemon);
	_exit(0);
}

/* Whether it was killed at the step; else it has come to the end. */
static bool run_story(const struct story *story, unsigned int step)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid)
		play(story, step);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return true;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("step %u: ended with %#x", step, status);
	return false;
}

/* The driver has let go when its directory in sysfs has gone. */
static bool gpu_is_there(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/bus/pci/devices/" WORLD_GPU,
		 desk_world.sys);
	return !access(path, F_OK);
}

static void assert_mended(unsigned int step)
{
	char path[256];
	size_t i;

	world_node(&desk_world, 1, path, sizeof(path));
	for (i = 0; i < 2; i++) {
		if (world_state(users[i]) == 'T')
			fail_msg("step %u: process %zu stands still", step, i);
	}
	if (world_is_fenced(&desk_world))
		fail_msg("step %u: nodes are closed", step);
	if (gpu_is_there() && !world_node_is(&desk_world, 1, &before))
		fail_msg("step %u: the node is not what it was", step);
	if (!gpu_is_there() && !access(path, F_OK))
		fail_msg("step %u: a node is left of a GPU that has gone", step);
}

static void make_all(void)
{
	char path[256];
	size_t i;

	desk_make();
	world_add_gpu(&desk_world, WORLD_GPU, 1);
	world_node(&desk_world, 1, path, sizeof(path));
	assert_int_equal(stat(path, &before), 0);
	for (i = 0; i < 2; i++)
		users[i] = world_user(&desk_world, USER_PLAIN, "user");
}

static void free_all(void)
{
	world_end_user(users[0]);
	world_end_user(users[1]);
	desk_free();
}

/* The number of steps is not known, so it goes on until nobody dies. */
static void die_at_each_step(const struct story *story, unsigned int least)
{
	unsigned int step;
	bool killed = true;

	for (step = 1; killed && step < STEPS_MAX; step++) {
		make_all();
		killed = run_story(story, step);
		/* The next daemon mends it before it does anything else. */
		desk_start();
		assert_mended(step);
		desk_stop();
		/* And what comes after that finds nothing to do. */
		desk_start();
		assert_mended(step);
		free_all();
	}
	assert_false(killed);
	/* The last one was not killed. */
	assert_true(step - 2 >= least);
}

static void eject_that_is_done(void **state)
{
	const struct story story = { .origin = EGPU_ORIGIN_EJECT };

	(void)state;
	die_at_each_step(&story, 14);
}

static void eject_that_is_cancelled(void **state)
{
	const struct story story = {
		.origin = EGPU_ORIGIN_EJECT,
		.cancel = true,
	};

	(void)state;
	die_at_each_step(&story, 12);
}

static void removal_by_others(void **state)
{
	const struct story story = { .origin = EGPU_ORIGIN_OTHERS };

	(void)state;
	die_at_each_step(&story, 10);
}

/* Who stood still before the daemon came does so after it has died. */
static void stopped_before_stays_stopped(void **state)
{
	const struct story story = { .origin = EGPU_ORIGIN_EJECT };
	unsigned int step;
	bool killed = true;

	(void)state;
	for (step = 1; killed && step < STEPS_MAX; step++) {
		make_all();
		kill(users[0], SIGSTOP);
		assert_true(world_stands_still(users[0]));
		killed = run_story(&story, step);
		desk_start();
		assert_int_equal(world_state(users[0]), 'T');
		assert_int_not_equal(world_state(users[1]), 'T');
		free_all();
	}
	assert_false(killed);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(eject_that_is_done),
	cmocka_unit_test(eject_that_is_cancelled),
	cmocka_unit_test(removal_by_others),
	cmocka_unit_test(stopped_before_stays_stopped),
};

TEST_MAIN(tests, NULL, NULL)

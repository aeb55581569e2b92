// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What strategies make of simulated sensors: a real program, real movers; only
 * the kernel and its GPUs are the tests' own.
 */
#include <stdio.h>

#include "../egpud/work.h"
#include "desk.h"
#include "worker.h"
#include "test.h"

static struct egpu_device *gpu;
static struct worker *program;
static char socket_path[128];
static uint32_t second_id;
static bool went_there;
static uint64_t wake;

static int setup(void **state)
{
	(void)state;
	desk_make();
	snprintf(socket_path, sizeof(socket_path), "%s/client", desk_world.run);
	gpu = desk_add(WORLD_GPU, 1);
	desk_configure("interval = 0s\n");
	desk_start();
	program = worker_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	worker_end(program);
	desk_free();
	return 0;
}

static bool is_placed(void)
{
	const struct session *session = desk_daemon.work->sessions;

	return program->ready && session && session->device == gpu->id &&
	       !desk_daemon.work->locate;
}

/* The kernel says that it uses the GPU until its place is known. */
static void start(void)
{
	worker_start(program, &desk_world, socket_path);
	desk_kernel.clients[0] = (struct egpu_client){
		.present = ~0ull,
		.id = gpu->id,
		.pid = (uint32_t)program->pid,
	};
	desk_kernel.n_clients = 1;
	assert_true(desk_run_until(is_placed));
	desk_kernel.n_clients = 0;
}

static bool is_moved(void)
{
	const struct migration *migration = desk_daemon.work->migrations;

	went_there |= migration && migration->has_target && !migration->cpu &&
		      migration->target == second_id;
	return program->moves && !migration;
}

static bool is_late_or_moves(void)
{
	return daemon_clock() > wake || program->moves ||
	       desk_daemon.work->migrations;
}

static void heat(const char *address, const char *text)
{
	world_file(text, "%s/bus/pci/devices/%s/hwmon/hwmon0/temp1_input",
		   desk_world.sys, address);
}

static void be_eager(void)
{
	desk_daemon.config.strategy = STRATEGY_EAGER;
	desk_daemon.config.sample_ms = 20;
	work_reload(&desk_daemon);
}

/* From a GPU that is too hot it does not go to one that is hotter. */
static void hotter_is_no_place_to_go(void **state)
{
	(void)state;
	heat(WORLD_GPU, "95000\n");
	heat(WORLD_GPU2, "97000\n");
	went_there = false;
	second_id = kernel_add(&desk_kernel, WORLD_GPU2, true)->id;
	start();
	be_eager();
	assert_true(desk_run_until(is_moved));
	assert_false(went_there);
	assert_int_equal(program->wrong, 0);
}

/* But it goes to one that is not; that this one cannot be opened is another matter. */
static void cooler_is_one(void **state)
{
	(void)state;
	heat(WORLD_GPU, "95000\n");
	heat(WORLD_GPU2, "89000\n");
	went_there = false;
	second_id = kernel_add(&desk_kernel, WORLD_GPU2, true)->id;
	start();
	be_eager();
	assert_true(desk_run_until(is_moved));
	assert_true(went_there);
	assert_int_equal(program->wrong, 0);
}

/* Sensors can take seconds, and a removal that is held has none to give away. */
static void sensors_can_wait_for_a_removal(void **state)
{
	struct egpu_device *second = desk_add(WORLD_GPU2, 2);
	struct egpu_removal *other;

	(void)state;
	start();
	other = desk_begin(second, EGPU_ORIGIN_OTHERS);
	assert_true(desk_run_to(TXN_DRAIN));
	heat(WORLD_GPU, "95000\n");
	be_eager();
	wake = daemon_clock() + 300000000;
	assert_true(desk_run_until(is_late_or_moves));
	assert_int_equal(program->moves, 0);
	assert_null(desk_daemon.work->migrations);
	desk_drained(second);
	assert_true(desk_run_to(TXN_LEAVE));
	desk_leave(other, 2);
	assert_true(desk_run_until(is_moved));
	assert_int_equal(program->wrong, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(hotter_is_no_place_to_go),
	T(cooler_is_one),
	T(sensors_can_wait_for_a_removal),
};

TEST_MAIN(tests, NULL, NULL)

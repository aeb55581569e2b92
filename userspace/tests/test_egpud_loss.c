// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A GPU goes, and egpud hears of it late, or not at all: the program is told all
 * the same, and goes on from its checkpoint.
 */
#include <stdio.h>

#include "../egpud/work.h"
#include "desk.h"
#include "worker.h"
#include "test.h"

static struct egpu_device *gpu;
static struct worker *program;
static char socket_path[128];

static struct session *session(void)
{
	return desk_daemon.work->sessions;
}

static bool is_placed(void)
{
	return program->ready && session() && session()->device == gpu->id &&
	       !desk_daemon.work->locate;
}

static bool has_checkpoint(void)
{
	return *session()->accepted;
}

static bool has_moved(void)
{
	return program->moves && !desk_daemon.work->migrations;
}

/* A program works on the GPU, and has a checkpoint. */
static int setup(void **state)
{
	(void)state;
	desk_make();
	snprintf(socket_path, sizeof(socket_path), "%s/client", desk_world.run);
	gpu = desk_add(WORLD_GPU, 1);
	desk_configure("interval = 0s\n");
	desk_start();
	program = worker_new();
	worker_start(program, &desk_world, socket_path);
	desk_kernel.clients[0] = (struct egpu_client){
		.present = ~0ull,
		.id = gpu->id,
		.pid = (uint32_t)program->pid,
	};
	desk_kernel.n_clients = 1;
	assert_true(desk_run_until(is_placed));
	desk_kernel.n_clients = 0;
	desk_daemon.config.interval_ms = 50;
	precopy_later(session());
	assert_true(desk_run_until(has_checkpoint));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	worker_end(program);
	desk_free();
	return 0;
}

static struct egpu_removal *begin_pull(void)
{
	struct egpu_removal *rem =
		kernel_begin(&desk_kernel, gpu, EGPU_ORIGIN_OTHERS);

	rem->cause = EGPU_CAUSE_SURPRISE;
	kernel_phase(&desk_kernel, rem, EGPU_PHASE_RELEASED,
		     EGPU_RELEASE_OVERTAKEN);
	return rem;
}

static void assert_told(void)
{
	assert_true(desk_run_until(has_moved));
	assert_int_equal(program->moves, 1);
	assert_true(program->lost);
	assert_int_equal(program->wrong, 0);
}

/* The lists of the kernel are ahead of its events. */
static void looked_for_when_it_has_gone(void **state)
{
	uint32_t id = gpu->id;

	(void)state;
	desk_leave(begin_pull(), 1);
	place_all(desk_daemon.work);
	assert_int_equal(session()->device, id);
	assert_told();
}

static void looked_for_while_it_goes(void **state)
{
	struct egpu_removal *rem = begin_pull();
	uint32_t id = gpu->id;

	(void)state;
	place_all(desk_daemon.work);
	assert_int_equal(session()->device, id);
	desk_leave(rem, 1);
	assert_told();
}

static void gone_while_events_were_lost(void **state)
{
	(void)state;
	desk_kernel.queue_max = 0;
	desk_leave(begin_pull(), 1);
	desk_kernel.queue_max = 1000;
	assert_told();
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(looked_for_when_it_has_gone, setup,
					teardown),
	cmocka_unit_test_setup_teardown(looked_for_while_it_goes, setup,
					teardown),
	cmocka_unit_test_setup_teardown(gone_while_events_were_lost, setup,
					teardown),
};

TEST_MAIN(tests, NULL, NULL)

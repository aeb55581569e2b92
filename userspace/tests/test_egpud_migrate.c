// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Work that outlives its GPU: real programs with the library, real movers, a
 * real store; only the kernel and its GPUs are the tests' own.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../egpud/work.h"
#include "desk.h"
#include "program.h"
#include "test.h"

#define PROGRAMS_MAX 8

static struct egpu_device *gpu;
static struct egpu_removal *rem;
static struct program *program[PROGRAMS_MAX];
static size_t n_programs;
static char socket_path[128];

static int setup(void **state)
{
	(void)state;
	desk_make();
	snprintf(socket_path, sizeof(socket_path), "%s/client", desk_world.run);
	gpu = desk_add(WORLD_GPU, 1);
	n_programs = 0;
	desk_configure("interval = 0s\n");
	desk_start();
	return 0;
}

static int teardown(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < n_programs; i++)
		program_end(program[i]);
	desk_free();
	return 0;
}

static struct program *add_program(void)
{
	program[n_programs] = program_new();
	return program[n_programs++];
}

static struct session *session_of(const struct program *one)
{
	struct session *session;

	for (session = desk_daemon.work->sessions; session;
	     session = session->next) {
		if (session->process.pid == one->pid)
			return session;
	}
	return NULL;
}

static bool all_placed(void)
{
	size_t i;

	for (i = 0; i < n_programs; i++) {
		const struct session *session = session_of(program[i]);

		if (!program[i]->ready || !session || session->device != gpu->id)
			return false;
	}
	return true;
}

/* The kernel says that they use the GPU until their place is known. */
static void start_all(void)
{
	size_t i;

	for (i = 0; i < n_programs; i++) {
		program_start(program[i], &desk_world, socket_path);
		desk_kernel.clients[i] = (struct egpu_client){
			.present = ~0ull,
			.id = gpu->id,
			.pid = (uint32_t)program[i]->pid,
		};
	}
	desk_kernel.n_clients = n_programs;
	assert_true(desk_run_until(all_placed));
	desk_kernel.n_clients = 0;
}

static bool all_moved(void)
{
	size_t i;

	for (i = 0; i < n_programs; i++) {
		if (!program[i]->moves || desk_daemon.work->migrations)
			return false;
	}
	return true;
}

static bool has_checkpoint(void)
{
	return *session_of(program[0])->accepted;
}

static uint64_t later_than;

static bool goes_on(void)
{
	return program[0]->step > later_than;
}

static void assert_works_on(void)
{
	size_t i;

	later_than = program[0]->step + 3;
	assert_true(desk_run_until(goes_on));
	for (i = 0; i < n_programs; i++)
		assert_int_equal(program[i]->wrong, 0);
}

/* Files in the store. */
static size_t count_checkpoints(void)
{
	struct store_info *list = NULL;
	char error[STORE_ERROR];
	size_t n = 0;

	assert_int_equal(store_list(desk_daemon.work->store, &list, &n, error),
			 0);
	free(list);
	return n;
}

static void eject(void)
{
	rem = desk_begin(gpu, EGPU_ORIGIN_EJECT);
}

/* The GPU is off without a word before. */
static void pull(void)
{
	rem = kernel_begin(&desk_kernel, gpu, EGPU_ORIGIN_OTHERS);
	rem->cause = EGPU_CAUSE_SURPRISE;
	kernel_phase(&desk_kernel, rem, EGPU_PHASE_RELEASED,
		     EGPU_RELEASE_OVERTAKEN);
	desk_leave(rem, 1);
}

/* ------------------------------------------------------------- ejects */

static void eject_to_the_cpu(void **state)
{
	(void)state;
	add_program();
	start_all();
	eject();
	assert_true(desk_run_until(all_moved));
	assert_true(program[0]->cpu);
	assert_false(program[0]->lost);
	/* Not a step is done twice. */
	assert_int_equal(program[0]->back_to, program[0]->was_at);
	/* It has let go, so the eject goes on. */
	assert_true(desk_run_to(TXN_DRAIN));
	desk_drained(gpu);
	assert_true(desk_run_to(TXN_LEAVE));
	assert_false(desk_call(EGPU_CMD_ACK)->vouched);
	desk_leave(rem, 1);
	assert_works_on();
	assert_int_equal(session_of(program[0])->device, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(eject_to_the_cpu, setup, teardown),
};

TEST_MAIN(tests, NULL, NULL)

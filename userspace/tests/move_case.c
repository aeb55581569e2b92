// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Programs at work on a GPU that leaves.
 */
#include <stdio.h>
#include <stdlib.h>

#include "move_case.h"
#include "test.h"

struct egpu_device *gpu;
struct egpu_removal *rem;
struct worker *program[PROGRAMS_MAX];
size_t n_programs;
uint64_t later_than;
static char socket_path[128];

int move_setup(void **state)
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

int move_teardown(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < n_programs; i++)
		worker_end(program[i]);
	desk_free();
	return 0;
}

struct worker *add_program(void)
{
	program[n_programs] = worker_new();
	return program[n_programs++];
}

struct session *session_of(const struct worker *one)
{
	struct session *session;

	for (session = desk_daemon.work->sessions; session;
	     session = session->next) {
		if (session->process.pid == one->pid)
			return session;
	}
	return NULL;
}

bool all_placed(void)
{
	size_t i;

	for (i = 0; i < n_programs; i++) {
		const struct session *session = session_of(program[i]);

		if (!program[i]->ready || !session || session->device != gpu->id)
			return false;
	}
	return !desk_daemon.work->locate;
}

/* The kernel says that they use the GPU until their place is known. */
void start_all(void)
{
	size_t i;

	for (i = 0; i < n_programs; i++) {
		worker_start(program[i], &desk_world, socket_path);
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

bool all_moved(void)
{
	size_t i;

	for (i = 0; i < n_programs; i++) {
		if (!program[i]->moves || desk_daemon.work->migrations)
			return false;
	}
	return true;
}

bool has_checkpoint(void)
{
	return *session_of(program[0])->accepted;
}

bool goes_on(void)
{
	return program[0]->step > later_than;
}

void assert_works_on(void)
{
	size_t i;

	later_than = program[0]->step + 3;
	assert_true(desk_run_until(goes_on));
	for (i = 0; i < n_programs; i++)
		assert_int_equal(program[i]->wrong, 0);
}

/* Files in the store. */
size_t count_checkpoints(void)
{
	struct store_info *list = NULL;
	char error[STORE_ERROR];
	size_t n = 0;

	assert_int_equal(store_list(desk_daemon.work->store, &list, &n, error),
			 0);
	free(list);
	return n;
}

void eject(void)
{
	rem = desk_begin(gpu, EGPU_ORIGIN_EJECT);
}

/* The GPU is off without a word before. */
void pull(void)
{
	rem = kernel_begin(&desk_kernel, gpu, EGPU_ORIGIN_OTHERS);
	rem->cause = EGPU_CAUSE_SURPRISE;
	kernel_phase(&desk_kernel, rem, EGPU_PHASE_RELEASED,
		     EGPU_RELEASE_OVERTAKEN);
	desk_leave(rem, 1);
}

bool failed_or_moved(void)
{
	return (program[0]->failed || program[0]->moves) &&
	       !desk_daemon.work->migrations;
}

void start_with_checkpoints(unsigned int interval_ms)
{
	start_all();
	desk_daemon.config.interval_ms = interval_ms;
	precopy_later(session_of(program[0]));
	assert_true(desk_run_until(has_checkpoint));
}

bool is_swept(void)
{
	const struct sweep *sweep = &desk_daemon.work->sweep;

	return !sweep->n && !sweep->pid && !sweep->soon;
}

bool is_restoring(void)
{
	const struct migration *migration = desk_daemon.work->migrations;

	return migration && migration->state == MIGRATION_RESTORE;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Death of the daemon at each step of a migration: the program goes on, with all
 * its work, on one side or the other, and every checkpoint in the store is whole.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../egpud/work.h"
#include "desk.h"
#include "test.h"
#include "worker.h"

/* More steps than any migration has. */
#define STEPS_MAX 200

/**
 * enum story - what happens to the GPU
 * @STORY_EJECT: it is ejected
 * @STORY_OTHERS: others remove it
 * @STORY_PULL: it is pulled
 */
enum story {
	STORY_EJECT,
	STORY_OTHERS,
	STORY_PULL,
};

static struct worker *program;
static struct egpu_device *gpu;
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

static void start_program(void)
{
	worker_start(program, &desk_world, socket_path);
	desk_kernel.clients[0] = (struct egpu_client){
		.present = ~0ull,
		.id = gpu->id,
		.pid = (uint32_t)program->pid,
	};
	desk_kernel.n_clients = 1;
	if (!desk_run_until(is_placed))
		_exit(2);
	desk_kernel.n_clients = 0;
	desk_daemon.config.interval_ms = 50;
	precopy_later(session());
}

static void remove_it(struct egpu_removal *rem)
{
	if (!desk_run_to(TXN_DRAIN))
		_exit(3);
	desk_drained(gpu);
	if (!desk_run_to(TXN_LEAVE))
		_exit(4);
	desk_leave(rem, 1);
}

static void pull(void)
{
	struct egpu_removal *rem =
		kernel_begin(&desk_kernel, gpu, EGPU_ORIGIN_OTHERS);

	rem->cause = EGPU_CAUSE_SURPRISE;
	kernel_phase(&desk_kernel, rem, EGPU_PHASE_RELEASED,
		     EGPU_RELEASE_OVERTAKEN);
	desk_leave(rem, 1);
}

/* In a process of its own, which dies at a step or comes to the end. */
static void play(enum story story, unsigned int step)
{
	desk_start();
	start_program();
	if (story == STORY_PULL && !desk_run_until(has_checkpoint))
		_exit(5);
	crash_at(step);
	if (story == STORY_PULL)
		pull();
	else
		remove_it(desk_begin(gpu, story == STORY_EJECT ?
						  EGPU_ORIGIN_EJECT :
						  EGPU_ORIGIN_OTHERS));
	if (!desk_run_until(has_moved))
		_exit(6);
	crash_at(0);
	daemon_stop(&desk_daemon);
	_exit(0);
}

static bool run_story(enum story story, unsigned int step)
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

/* Without a daemon, and whatever it was told last. */
static void assert_goes_on(unsigned int step)
{
	uint64_t at = program->step;
	int tries;

	for (tries = 0; tries < 10000 && program->step < at + 3; tries++)
		usleep(1000);
	if (program->step < at + 3)
		fail_msg("step %u: the program hangs", step);
	if (program->wrong)
		fail_msg("step %u: its work is not what it was", step);
}

static void assert_store_is_whole(unsigned int step)
{
	struct store *store = desk_daemon.work->store;
	struct store_reader *reader;
	struct store_info *list;
	char error[STORE_ERROR];
	size_t n, i;

	assert_int_equal(store_list(store, &list, &n, error), 0);
	for (i = 0; i < n; i++) {
		if (store_load(store, list[i].head.id, &reader, error))
			fail_msg("step %u: %s", step, error);
		if (store_verify(reader))
			fail_msg("step %u: %s", step,
				 store_reader_error(reader));
		store_unload(reader);
	}
	free(list);
}

static void make_all(void)
{
	desk_make();
	snprintf(socket_path, sizeof(socket_path), "%s/client", desk_world.run);
	gpu = desk_add(WORLD_GPU, 1);
	desk_configure("interval = 0s\n");
	program = worker_new();
	program->outlives = true;
	program->bytes = 64 << 10;
	program->n = 2;
}

static void die_at_each_step(enum story story, unsigned int least)
{
	unsigned int step;
	bool killed = true;

	/* The program is left to us when its daemon dies. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (step = 1; killed && step < STEPS_MAX; step++) {
		make_all();
		killed = run_story(story, step);
		assert_goes_on(step);
		desk_start();
		assert_store_is_whole(step);
		assert_false(world_is_fenced(&desk_world));
		assert_goes_on(step);
		worker_end(program);
		program = NULL;
		desk_free();
	}
	assert_false(killed);
	if (step - 2 < least)
		fail_msg("only %u steps", step - 2);
}

/* After a failure it is still there. */
static int end_program(void **state)
{
	(void)state;
	if (program)
		worker_end(program);
	program = NULL;
	return 0;
}

static void eject(void **state)
{
	(void)state;
	die_at_each_step(STORY_EJECT, 11);
}

static void removal_by_others(void **state)
{
	(void)state;
	die_at_each_step(STORY_OTHERS, 8);
}

static void surprise(void **state)
{
	(void)state;
	die_at_each_step(STORY_PULL, 4);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_teardown(eject, end_program),
	cmocka_unit_test_teardown(removal_by_others, end_program),
	cmocka_unit_test_teardown(surprise, end_program),
};

TEST_MAIN(tests, NULL, NULL)

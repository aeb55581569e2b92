// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Work that moves while something else happens as well: a death, a second wish,
 * a removal that waits no more.
 */
#include <signal.h>
#include <stdio.h>

#include "move_case.h"
#include "test.h"

static unsigned int most;

/* What it has open for a moment longer does not mean that its work is there. */
static void who_closes_late_has_moved(void **state)
{
	(void)state;
	add_program();
	start_all();
	eject();
	assert_true(desk_run_until(all_moved));
	desk_kernel.n_clients = 1;
	place_all(desk_daemon.work);
	desk_kernel.n_clients = 0;
	assert_int_equal(session_of(program[0])->device, 0);
	assert_true(desk_run_to(TXN_DRAIN));
	desk_drained(gpu);
	assert_true(desk_run_to(TXN_LEAVE));
	desk_leave(rem, 1);
	assert_true(desk_run_until(desk_over));
	assert_works_on();
	assert_int_equal(program[0]->moves, 1);
	assert_false(program[0]->lost);
}

/* It was asked to stand still for a copy when the one before it in the queue hangs. */
static void who_waits_in_the_queue_works(void **state)
{
	(void)state;
	add_program();
	add_program()->deaf = true;
	start_all();
	desk_daemon.config.migrations = 1;
	migration_want(session_of(program[1]), MIGRATION_STRATEGY, 0, "a test");
	migrations_next(desk_daemon.work);
	session_ask(session_of(program[0]), WIRE_FOR_CHECKPOINT, 0);
	migration_want(session_of(program[0]), MIGRATION_STRATEGY, 0, "a test");
	migrations_next(desk_daemon.work);
	assert_works_on();
	assert_int_equal(session_of(program[0])->migration->state,
			 MIGRATION_QUEUED);
	program[1]->deaf = false;
	assert_true(desk_run_until(all_moved));
	assert_works_on();
}

static bool nobody_is_there(void)
{
	return !desk_daemon.work->sessions;
}

/* What has died of the loss has a checkpoint left, as its only trace. */
static void what_dies_of_it_leaves_a_checkpoint(void **state)
{
	(void)state;
	add_program();
	start_with_checkpoints(50);
	desk_daemon.config.cpu_fallback = false;
	pull();
	assert_true(desk_run_until(failed_or_moved));
	assert_int_equal(program[0]->failed, 1);
	/* Nobody has asked for it yet, so it is still listed. */
	kill(program[0]->pid, SIGKILL);
	assert_true(desk_run_until(nobody_is_there));
	assert_true(desk_run_until(is_swept));
	assert_true(count_checkpoints() > 0);
}

static bool has_tried(void)
{
	return session_of(program[0])->behind;
}

/* A disk that does not take it is not tried again as fast as it goes. */
static void what_cannot_be_saved_waits(void **state)
{
	struct session *session;

	(void)state;
	add_program();
	start_all();
	session = session_of(program[0]);
	desk_daemon.config.interval_ms = 60000;
	session_ask(session, WIRE_FOR_CHECKPOINT, 0);
	store_close(desk_daemon.work->store);
	desk_daemon.work->store = NULL;
	assert_true(desk_run_until(has_tried));
	assert_works_on();
	assert_true(session->rest_until >
		    work_now(desk_daemon.work) + 30000 * WORK_MS);
}

static bool is_offered(void)
{
	const struct migration *migration = desk_daemon.work->migrations;

	return migration && migration->state == MIGRATION_OFFER;
}

/* The program dies first, but it is the second GPU that is heard of first. */
static void target_leaves_and_the_program_is_dead(void **state)
{
	struct egpu_device *second;

	(void)state;
	add_program();
	second = kernel_add(&desk_kernel, WORLD_GPU2, true);
	start_all();
	eject();
	assert_true(desk_run_until(is_restoring));
	/* It cannot have answered what it has not seen. */
	kill(program[0]->pid, SIGSTOP);
	assert_true(desk_run_until(is_offered));
	desk_daemon.work->migrations->cpu = false;
	desk_daemon.work->migrations->target = second->id;
	worker_end(program[0]);
	n_programs = 0;
	kernel_begin(&desk_kernel, second, EGPU_ORIGIN_OTHERS);
	assert_true(desk_run_until(nobody_is_there));
	assert_null(desk_daemon.work->migrations);
}

/* Where a strategy wanted it to go does not matter any more. */
static void an_eject_takes_a_move_over(void **state)
{
	struct session *session;

	(void)state;
	add_program()->deaf = true;
	start_all();
	session = session_of(program[0]);
	migration_want(session, MIGRATION_STRATEGY, 0, "a test")->to = 77;
	migrations_next(desk_daemon.work);
	assert_int_equal(session->migration->state, MIGRATION_REACH);
	eject();
	assert_true(desk_run_to(TXN_ASK));
	program[0]->deaf = false;
	assert_true(desk_run_until(all_moved));
	assert_true(desk_run_to(TXN_DRAIN));
	assert_works_on();
}

/* What is still being copied when the driver may let go is no copy. */
static void copies_end_with_the_release(void **state)
{
	pid_t user = world_user(&desk_world, USER_PLAIN, "plain");

	(void)state;
	desk_daemon.config.others = ACTION_IGNORE;
	desk_kernel.buffers[0] = (struct egpu_buffer){
		.present = ~0ull,
		.id = gpu->id,
		.pid = (uint32_t)user,
		.handle = 1,
		.size = 4096,
	};
	desk_kernel.n_buffers = 1;
	eject();
	assert_true(desk_run_to(TXN_DRAIN));
	desk_drained(gpu);
	assert_true(desk_run_to(TXN_SAVE));
	kernel_phase(&desk_kernel, rem, EGPU_PHASE_RELEASED,
		     EGPU_RELEASE_TIMED_OUT);
	assert_true(desk_run_to(TXN_LEAVE));
	assert_null(desk_removal()->plain);
	desk_leave(rem, 1);
	assert_true(desk_run_until(desk_over));
	world_end_user(user);
}

static unsigned int movers(void)
{
	const struct mover_run *run;
	unsigned int n = 0;

	for (run = desk_daemon.work->runs; run; run = run->next)
		n += !run->over;
	return n;
}

static bool all_left(void)
{
	unsigned int n = movers();

	if (n > most)
		most = n;
	return desk_removal() && desk_removal()->state == TXN_LEAVE;
}

/* Of many programs a few are copied at a time, and all of them in the end. */
static void many_plain_ones(void **state)
{
	pid_t user[5];
	size_t i;

	(void)state;
	desk_daemon.config.others = ACTION_IGNORE;
	desk_daemon.config.migrations = 2;
	for (i = 0; i < 5; i++) {
		user[i] = world_user(&desk_world, USER_PLAIN, "plain");
		desk_kernel.buffers[i] = (struct egpu_buffer){
			.present = ~0ull,
			.id = gpu->id,
			.pid = (uint32_t)user[i],
			.handle = 1,
			.size = 4096,
		};
	}
	desk_kernel.n_buffers = 5;
	eject();
	assert_true(desk_run_to(TXN_DRAIN));
	desk_drained(gpu);
	most = 0;
	assert_true(desk_run_until(all_left));
	assert_int_equal(most, 2);
	assert_null(desk_removal()->plain);
	desk_leave(rem, 1);
	assert_true(desk_run_until(desk_over));
	for (i = 0; i < 5; i++)
		world_end_user(user[i]);
}

static bool is_asked(void)
{
	return session_of(program[0])->stand == STAND_ASKED;
}

/* A removal whose time is up before the program has answered. */
static void begin_late(uint32_t origin)
{
	add_program();
	start_with_checkpoints(50);
	desk_daemon.config.interval_ms = 0;
	program[0]->deaf = true;
	rem = desk_begin(gpu, origin);
	assert_true(desk_run_until(is_asked));
	kernel_phase(&desk_kernel, rem, EGPU_PHASE_RELEASED,
		     EGPU_RELEASE_TIMED_OUT);
	program[0]->deaf = false;
}

/* What can be read while the driver lets go may be anything: it is not saved. */
static void too_late_to_be_saved(void **state)
{
	(void)state;
	begin_late(EGPU_ORIGIN_OTHERS);
	assert_true(desk_run_until(all_moved));
	assert_true(program[0]->lost);
	assert_works_on();
	desk_leave(rem, 1);
	assert_works_on();
	assert_int_equal(program[0]->moves, 1);
}

/* The kernel can still refuse that eject, so nothing is lost yet. */
static void a_late_eject_may_still_be_refused(void **state)
{
	(void)state;
	begin_late(EGPU_ORIGIN_EJECT);
	kernel_phase(&desk_kernel, rem, EGPU_PHASE_REFUSED,
		     EGPU_RELEASE_TIMED_OUT);
	assert_true(desk_run_until(desk_over));
	assert_works_on();
	assert_int_equal(program[0]->moves, 0);
	assert_null(session_of(program[0])->migration);
}

#define T(name) cmocka_unit_test_setup_teardown(name, move_setup, move_teardown)

static const struct CMUnitTest tests[] = {
	T(who_closes_late_has_moved),
	T(who_waits_in_the_queue_works),
	T(what_dies_of_it_leaves_a_checkpoint),
	T(what_cannot_be_saved_waits),
	T(target_leaves_and_the_program_is_dead),
	T(an_eject_takes_a_move_over),
	T(copies_end_with_the_release),
	T(many_plain_ones),
	T(too_late_to_be_saved),
	T(a_late_eject_may_still_be_refused),
};

TEST_MAIN(tests, NULL, NULL)

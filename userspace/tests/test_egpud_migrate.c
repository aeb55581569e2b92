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
#include "move_case.h"
#include "test.h"

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

/* A device that one of them refuses is not the end: there is the CPU at last. */
static bool is_refused(void)
{
	return rem->phase == EGPU_PHASE_REFUSED && desk_over();
}

static void assert_stays(const char *because)
{
	assert_true(desk_run_until(is_refused));
	if (!strstr(rem->reason, because))
		fail_msg("refused because '%s', not '%s'", rem->reason, because);
	assert_int_equal(program[0]->moves, 0);
	assert_works_on();
	assert_int_equal(session_of(program[0])->stand, STAND_RUNS);
}

/* The program does not like where it is to go, and there is nothing else. */
static void who_does_not_take_it_stays(void **state)
{
	(void)state;
	add_program()->refuse = 100;
	start_all();
	eject();
	assert_stays("does not take the CPU");
}

static void who_cannot_stop_stays(void **state)
{
	(void)state;
	add_program()->unable = true;
	start_all();
	eject();
	assert_stays("too busy");
}

static void who_does_not_answer_stays(void **state)
{
	(void)state;
	add_program()->deaf = true;
	start_all();
	desk_daemon.config.limit_ms = 300;
	eject();
	assert_stays("longer than 300 ms in step reach");
	assert_int_equal(program[0]->gone_on, 0);
}

static void without_a_store_it_stays(void **state)
{
	(void)state;
	add_program();
	start_all();
	store_close(desk_daemon.work->store);
	desk_daemon.work->store = NULL;
	strcpy(desk_daemon.work->store_error, "the disk is gone");
	eject();
	assert_stays("the disk is gone");
}

static void without_the_cpu_it_stays(void **state)
{
	(void)state;
	add_program();
	start_all();
	desk_daemon.config.cpu_fallback = false;
	eject();
	assert_stays("cannot move program");
}

/* It has moved, but keeps the GPU open: it is waited for, then named. */
static void moved_but_still_there(void **state)
{
	(void)state;
	desk_daemon.config.ask_ms = 3000;
	add_program()->stubborn = true;
	start_all();
	eject();
	assert_true(desk_run_until(all_moved));
	assert_true(desk_run_until(is_refused));
	assert_non_null(strstr(rem->reason, "still uses the GPU"));
	assert_works_on();
}

static void cancelled_while_it_stands_still(void **state)
{
	(void)state;
	add_program()->deaf = true;
	start_all();
	eject();
	assert_true(desk_run_to(TXN_ASK));
	kernel_phase(&desk_kernel, rem, EGPU_PHASE_CANCELLED,
		     EGPU_RELEASE_WITHDRAWN);
	assert_true(desk_run_until(desk_over));
	program[0]->deaf = false;
	assert_works_on();
	assert_int_equal(program[0]->moves, 0);
	assert_null(session_of(program[0])->migration);
}

/* Two at once, eight are wanted: never more than two are under way. */
static unsigned int most;

static bool all_moved_two_at_a_time(void)
{
	const struct migration *migration;
	unsigned int active = 0;

	for (migration = desk_daemon.work->migrations; migration;
	     migration = migration->next)
		active += migration->state != MIGRATION_QUEUED;
	if (active > most)
		most = active;
	return all_moved();
}

static void many_at_once(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < PROGRAMS_MAX; i++) {
		add_program()->pace_us = 20000;
		program[i]->bytes = 64 << 10;
	}
	start_all();
	desk_daemon.config.migrations = 2;
	most = 0;
	eject();
	assert_true(desk_run_until(all_moved_two_at_a_time));
	assert_int_equal(most, 2);
	assert_true(desk_run_to(TXN_DRAIN));
	for (i = 0; i < PROGRAMS_MAX; i++) {
		assert_int_equal(program[i]->wrong, 0);
		assert_int_equal(program[i]->back_to, program[i]->was_at);
	}
}

static void a_forced_eject_does_not_wait_for_who_cannot(void **state)
{
	(void)state;
	add_program()->refuse = 100;
	start_all();
	/* The loss is noticed, and the state tells of the flag. */
	kernel_lose(1);
	eject();
	rem->force = true;
	kernel_change(&desk_kernel, gpu, EGPU_DEVICE_STATE_LEAVING);
	assert_true(desk_run_to(TXN_DRAIN));
	assert_int_equal(program[0]->moves, 0);
	desk_drained(gpu);
	assert_true(desk_run_to(TXN_LEAVE));
}

/* ------------------------------------------------------------- surprises */

static void pulled_without_a_checkpoint(void **state)
{
	(void)state;
	add_program();
	start_all();
	pull();
	assert_true(desk_run_until(failed_or_moved));
	assert_int_equal(program[0]->moves, 0);
	assert_string_equal(program[0]->why, "no checkpoint was made yet");
}

static void pulled_with_a_checkpoint(void **state)
{
	(void)state;
	add_program();
	start_with_checkpoints(100);
	assert_works_on();
	pull();
	assert_true(desk_run_until(failed_or_moved));
	assert_int_equal(program[0]->moves, 1);
	assert_true(program[0]->lost);
	assert_true(program[0]->cpu);
	assert_true(program[0]->back_to <= program[0]->was_at);
	assert_true(program[0]->lost_ns > 0);
	assert_works_on();
	/* And from there on it is looked after as before. */
	desk_daemon.work->sessions->accepted[0] = '\0';
	assert_true(desk_run_until(has_checkpoint));
	assert_works_on();
}

/* What it says it has not written is not read, and is right all the same. */
static void pulled_with_declared_buffers(void **state)
{
	(void)state;
	add_program()->declared = true;
	start_with_checkpoints(50);
	later_than = program[0]->step + 200;
	assert_true(desk_run_until(goes_on));
	pull();
	assert_true(desk_run_until(failed_or_moved));
	assert_int_equal(program[0]->moves, 1);
	assert_works_on();
}

static bool many_checkpoints(void)
{
	return session_of(program[0])->chain.n >= 2 && program[0]->gone_on >= 30;
}

/* Chains end, and what nobody needs any more goes. */
static void checkpoints_do_not_pile_up(void **state)
{
	(void)state;
	add_program();
	start_with_checkpoints(10);
	assert_true(desk_run_until(many_checkpoints));
	assert_true(desk_run_until(is_swept));
	assert_true(count_checkpoints() <= 16);
	assert_works_on();
	worker_end(program[0]);
	n_programs = 0;
	while (desk_daemon.work->sessions)
		sd_event_run(desk_daemon.loop, 10000);
	assert_true(desk_run_until(is_swept));
	assert_int_equal(count_checkpoints(), 0);
}

static void pulled_during_an_eject(void **state)
{
	(void)state;
	add_program()->deaf = true;
	start_all();
	eject();
	assert_true(desk_run_to(TXN_ASK));
	rem->cause = EGPU_CAUSE_SURPRISE;
	kernel_phase(&desk_kernel, rem, EGPU_PHASE_RELEASED,
		     EGPU_RELEASE_OVERTAKEN);
	desk_leave(rem, 1);
	program[0]->deaf = false;
	assert_true(desk_run_until(failed_or_moved));
	assert_int_equal(program[0]->failed, 1);
}

/* ------------------------------------------------------------- put there */

/* What a mover has made is in nobody's list of handles, and needs no node. */
static void start_put_there(void)
{
	add_program()->blind = true;
	start_all();
	session_of(program[0])->put = true;
	place_all(desk_daemon.work);
	assert_int_equal(session_of(program[0])->device, gpu->id);
}

static void who_was_put_there_is_ejected(void **state)
{
	(void)state;
	start_put_there();
	eject();
	assert_true(desk_run_until(all_moved));
	assert_int_equal(program[0]->back_to, program[0]->was_at);
	assert_true(desk_run_to(TXN_DRAIN));
	assert_works_on();
}

static void who_was_put_there_is_pulled(void **state)
{
	(void)state;
	start_put_there();
	desk_daemon.config.interval_ms = 100;
	precopy_later(session_of(program[0]));
	assert_true(desk_run_until(has_checkpoint));
	pull();
	assert_true(desk_run_until(failed_or_moved));
	assert_int_equal(program[0]->moves, 1);
	assert_true(program[0]->lost);
	assert_works_on();
}

/* ------------------------------------------------------------- targets */

static bool has_offer(void)
{
	const struct migration *migration = desk_daemon.work->migrations;

	return program[0]->moves ||
	       (migration && migration->state == MIGRATION_OFFER);
}

/* As if it went to a second GPU, which then leaves as well. */
static void target_leaves(bool (*when)(void))
{
	struct egpu_device *second;
	struct egpu_removal *other;
	struct migration *migration;

	add_program();
	second = kernel_add(&desk_kernel, WORLD_GPU2, true);
	start_all();
	eject();
	assert_true(desk_run_until(when));
	migration = desk_daemon.work->migrations;
	if (migration) {
		migration->cpu = false;
		migration->target = second->id;
	}
	/* The program may have said by now that it is there: then it has lost it. */
	other = kernel_begin(&desk_kernel, second, EGPU_ORIGIN_OTHERS);
	other->cause = EGPU_CAUSE_SURPRISE;
	kernel_phase(&desk_kernel, other, EGPU_PHASE_RELEASED,
		     EGPU_RELEASE_OVERTAKEN);
	kernel_disconnect(&desk_kernel, other);
	assert_true(desk_run_until(all_moved));
	assert_true(program[0]->cpu);
	assert_works_on();
}

static void target_leaves_while_it_is_filled(void **state)
{
	(void)state;
	target_leaves(is_restoring);
	assert_false(program[0]->lost);
	assert_int_equal(program[0]->back_to, program[0]->was_at);
}

/* It may have worked there already, so it goes back to what is known. */
static void target_leaves_when_it_was_offered(void **state)
{
	(void)state;
	target_leaves(has_offer);
}

/* ------------------------------------------------------------- strategies */

static void too_hot(void **state)
{
	(void)state;
	desk_daemon.config.strategy = STRATEGY_EAGER;
	desk_daemon.config.sample_ms = 50;
	world_file("95000\n",
		   "%s/bus/pci/devices/" WORLD_GPU "/hwmon/hwmon0/temp1_input",
		   desk_world.sys);
	add_program();
	start_all();
	assert_true(desk_run_until(all_moved));
	assert_false(program[0]->lost);
	assert_works_on();
	assert_true(session_of(program[0])->moved != 0);
}

/* It waits until it is asked, whatever the sensors say. */
static void lazy_looks_at_nothing(void **state)
{
	(void)state;
	desk_daemon.config.sample_ms = 10;
	add_program();
	start_all();
	assert_works_on();
	assert_null(desk_daemon.work->sample);
	desk_daemon.config.strategy = STRATEGY_EAGER;
	work_reload(&desk_daemon);
	assert_non_null(desk_daemon.work->sample);
	desk_daemon.config.strategy = STRATEGY_LAZY;
	work_reload(&desk_daemon);
	assert_null(desk_daemon.work->sample);
}

/* ------------------------------------------------------------- plain ones */

/* It knows nothing of us: frozen, copied if that is possible, and gone over. */
static void what_cannot_be_saved_holds_nobody_up(void **state)
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
	assert_non_null(desk_removal()->plain);
	assert_true(desk_run_to(TXN_LEAVE));
	assert_null(desk_removal()->plain);
	desk_leave(rem, 1);
	assert_true(desk_run_until(desk_over));
	world_end_user(user);
}

/* ------------------------------------------------------------- others */

static bool is_held(void)
{
	const struct migration *migration = desk_daemon.work->migrations;

	return migration && migration->state == MIGRATION_HOLD;
}

/* They wait for a moment only: it is enough to save all, so nothing is lost. */
static void taken_away_by_others(void **state)
{
	(void)state;
	add_program();
	start_all();
	rem = desk_begin(gpu, EGPU_ORIGIN_OTHERS);
	assert_true(desk_run_until(is_held));
	assert_true(desk_run_to(TXN_DRAIN));
	/* It stands still at a point of its own and is not frozen. */
	assert_null(desk_daemon.freezer.list);
	desk_drained(gpu);
	assert_true(desk_run_to(TXN_LEAVE));
	assert_int_equal(program[0]->offers, 0);
	desk_leave(rem, 1);
	assert_true(desk_run_until(all_moved));
	assert_false(program[0]->lost);
	assert_int_equal(program[0]->back_to, program[0]->was_at);
	assert_works_on();
}

#define T(name) cmocka_unit_test_setup_teardown(name, move_setup, move_teardown)

static const struct CMUnitTest tests[] = {
	T(eject_to_the_cpu),
	T(who_does_not_take_it_stays),
	T(who_cannot_stop_stays),
	T(who_does_not_answer_stays),
	T(without_a_store_it_stays),
	T(without_the_cpu_it_stays),
	T(moved_but_still_there),
	T(cancelled_while_it_stands_still),
	T(many_at_once),
	T(a_forced_eject_does_not_wait_for_who_cannot),
	T(pulled_without_a_checkpoint),
	T(pulled_with_a_checkpoint),
	T(pulled_with_declared_buffers),
	T(checkpoints_do_not_pile_up),
	T(pulled_during_an_eject),
	T(who_was_put_there_is_ejected),
	T(who_was_put_there_is_pulled),
	T(target_leaves_while_it_is_filled),
	T(target_leaves_when_it_was_offered),
	T(too_hot),
	T(lazy_looks_at_nothing),
	T(what_cannot_be_saved_holds_nobody_up),
	T(taken_away_by_others),
};

TEST_MAIN(tests, NULL, NULL)

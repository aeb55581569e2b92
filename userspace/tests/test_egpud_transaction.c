// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An eject as a transaction: the way it goes, every step at which it can fail
 * or be called off, and that everything is as it was after that.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "desk.h"
#include "test.h"

static struct egpu_device *gpu;
static struct egpu_removal *rem;
static struct stat before;
static pid_t user;

static int setup(void **state)
{
	char path[256];

	(void)state;
	desk_make();
	user = 0;
	gpu = desk_add(WORLD_GPU, 1);
	world_node(&desk_world, 1, path, sizeof(path));
	assert_int_equal(stat(path, &before), 0);
	desk_start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (user > 0)
		world_end_user(user);
	desk_free();
	return 0;
}

static void use_it(enum user_kind kind, const char *comm)
{
	user = world_user(&desk_world, kind, comm);
}

static void eject(void)
{
	rem = desk_begin(gpu, EGPU_ORIGIN_EJECT);
	desk_settle();
}

static bool moves(void)
{
	return world_state(user) != 'T';
}

/* Everything is as if nobody had ever asked. */
static void assert_as_before(void)
{
	assert_true(world_node_is(&desk_world, 1, &before));
	assert_false(world_is_fenced(&desk_world));
	assert_true(!user || moves());
	assert_null(desk_daemon.removals);
	assert_null(desk_daemon.freezer.list);
	if (desk_kernel.loaded && kernel_device(&desk_kernel, 1))
		assert_int_equal(kernel_quiesce_of(&desk_kernel, 1)->owner, 0);
}

static void assert_refused(const char *because)
{
	assert_int_equal(rem->phase, EGPU_PHASE_REFUSED);
	if (!strstr(rem->reason, because))
		fail_msg("refused because '%s', not '%s'", rem->reason, because);
	assert_null(desk_call(EGPU_CMD_ACK));
	assert_as_before();
}

/* ------------------------------------------------------------- the way */

static void nobody_uses_it(void **state)
{
	(void)state;
	eject();
	assert_int_equal(desk_removal()->state, TXN_DRAIN);
	assert_int_equal(rem->step, EGPU_STEP_DRAIN);
	assert_true(world_is_fenced(&desk_world));
	assert_false(world_node_is(&desk_world, 1, &before));
	desk_drained(gpu);
	desk_settle();
	assert_int_equal(desk_removal()->state, TXN_LEAVE);
	assert_int_equal(rem->release, EGPU_RELEASE_ACKED);
	assert_false(desk_call(EGPU_CMD_ACK)->vouched);
	desk_leave(rem, 1);
	desk_settle();
	assert_null(desk_removal());
	assert_false(world_is_fenced(&desk_world));
}

static void steps_are_reported(void **state)
{
	static const uint32_t steps[] = { EGPU_STEP_FENCE, EGPU_STEP_ASK,
					  EGPU_STEP_FREEZE, EGPU_STEP_DRAIN };
	size_t i, n = 0;

	(void)state;
	eject();
	for (i = 0; i < desk_kernel.n_calls; i++) {
		if (desk_kernel.calls[i].cmd == EGPU_CMD_REPORT)
			assert_int_equal(desk_kernel.calls[i].step, steps[n++]);
	}
	assert_int_equal(n, 4);
}

static void waits_until_it_is_closed(void **state)
{
	(void)state;
	use_it(USER_PLAIN, "user");
	eject();
	assert_int_equal(desk_removal()->state, TXN_ASK);
	assert_true(world_is_fenced(&desk_world));
	/* Waiting is all: nobody is sent a signal. */
	assert_int_equal(waitpid(user, NULL, WNOHANG), 0);
	world_end_user(user);
	user = 0;
	assert_true(desk_run_to(TXN_DRAIN));
	desk_drained(gpu);
	desk_settle();
	assert_false(desk_call(EGPU_CMD_ACK)->vouched);
}

static void who_does_not_close_it_is_named(void **state)
{
	char who[32];

	(void)state;
	desk_daemon.config.ask_ms = 100;
	use_it(USER_PLAIN, "busy one");
	eject();
	assert_true(desk_run_until(desk_over));
	snprintf(who, sizeof(who), "busy one (pid %d) still uses", user);
	assert_refused(who);
}

/* Whatever the configuration allows, it is we who say how it ends. */
static void deadline_bounds_all_steps(void **state)
{
	(void)state;
	desk_kernel.settings.eject_ms = 400;
	desk_daemon.config.ask_ms = 600000;
	use_it(USER_PLAIN, "user");
	eject();
	assert_true(desk_run_until(desk_over));
	assert_refused("user (pid");
}

static void asked_to_quit(void **state)
{
	int status;

	(void)state;
	desk_daemon.config.others = ACTION_QUIT;
	use_it(USER_PLAIN, "user");
	eject();
	assert_int_equal(waitpid(user, &status, 0), user);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	user = 0;
	assert_true(desk_run_to(TXN_DRAIN));
}

/* To ask is not to kill. */
static void does_not_quit(void **state)
{
	(void)state;
	desk_daemon.config.others = ACTION_QUIT;
	desk_daemon.config.ask_ms = 100;
	use_it(USER_STUBBORN, "user");
	eject();
	assert_true(desk_run_until(desk_over));
	assert_refused("user (pid");
	assert_int_equal(waitpid(user, NULL, WNOHANG), 0);
}

static void killed_when_the_time_is_up(void **state)
{
	int status;

	(void)state;
	desk_daemon.config.others = ACTION_KILL;
	desk_daemon.config.ask_ms = 100;
	use_it(USER_STUBBORN, "user");
	eject();
	assert_true(desk_run_to(TXN_DRAIN));
	assert_int_equal(waitpid(user, &status, 0), user);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	user = 0;
}

static void ignored_is_frozen_and_vouched_for(void **state)
{
	(void)state;
	desk_daemon.config.others = ACTION_IGNORE;
	use_it(USER_PLAIN, "user");
	eject();
	assert_true(desk_run_to(TXN_DRAIN));
	assert_false(moves());
	desk_drained(gpu);
	desk_settle();
	assert_true(desk_call(EGPU_CMD_ACK)->vouched);
	assert_false(moves());
	/* It goes on as soon as the driver has let go. */
	kernel_phase(&desk_kernel, rem, EGPU_PHASE_UNBOUND, rem->release);
	desk_settle();
	assert_true(moves());
	assert_int_equal(desk_removal()->state, TXN_GO);
	desk_leave(rem, 1);
	desk_settle();
	assert_null(desk_removal());
}

static struct egpu_removal *begin_forced(void)
{
	struct egpu_removal *forced;

	kernel_lose(1);
	forced = desk_begin(gpu, EGPU_ORIGIN_EJECT);
	forced->force = true;
	/* The loss is noticed, and the state tells of the flag. */
	kernel_change(&desk_kernel, gpu, EGPU_DEVICE_STATE_LEAVING);
	desk_settle();
	return forced;
}

static void force_freezes(void **state)
{
	(void)state;
	use_it(USER_PLAIN, "user");
	rem = begin_forced();
	assert_true(desk_run_to(TXN_DRAIN));
	assert_false(moves());
	desk_drained(gpu);
	desk_settle();
	assert_true(desk_call(EGPU_CMD_ACK)->vouched);
	desk_leave(rem, 1);
	desk_settle();
	assert_true(moves());
}

/* Frozen, nobody could log in any more; so it just loses the GPU. */
static void force_leaves_the_display_alone(void **state)
{
	(void)state;
	use_it(USER_PLAIN, "Xorg");
	rem = begin_forced();
	assert_true(desk_run_to(TXN_DRAIN));
	assert_true(moves());
	desk_drained(gpu);
	desk_settle();
	assert_true(desk_call(EGPU_CMD_ACK)->vouched);
}

static void display_may_not_be_frozen(void **state)
{
	(void)state;
	desk_daemon.config.others = ACTION_IGNORE;
	use_it(USER_PLAIN, "Xorg");
	eject();
	assert_true(desk_run_until(desk_over));
	assert_refused("display-server Xorg (pid");
	assert_true(moves());
}

static void unless_it_may(void **state)
{
	(void)state;
	desk_daemon.config.n_rules = 1;
	strcpy(desk_daemon.config.rules[0].program, "Xorg");
	desk_daemon.config.rules[0].action = ACTION_IGNORE;
	desk_daemon.config.rules[0].may_freeze = true;
	use_it(USER_PLAIN, "Xorg");
	eject();
	assert_true(desk_run_to(TXN_DRAIN));
	assert_false(moves());
}

/* A client that no process is known for is not left to its fate. */
static void client_of_nobody(void **state)
{
	(void)state;
	desk_daemon.config.ask_ms = 100;
	desk_kernel.n_clients = 1;
	desk_kernel.clients[0].id = gpu->id;
	desk_kernel.clients[0].present = ~0ull;
	eject();
	assert_true(desk_run_until(desk_over));
	assert_refused("no process is known for");
}

/* One that was just closed, or is with another process by now, is no reason. */
static void client_of_nobody_for_a_moment(void **state)
{
	struct removal *removal;

	(void)state;
	desk_kernel.n_clients = 1;
	desk_kernel.clients[0].id = gpu->id;
	desk_kernel.clients[0].present = ~0ull;
	eject();
	assert_true(desk_run_to(TXN_ASK));
	removal = desk_removal();
	/* As if it had been opened after everybody was asked. */
	removal->state = TXN_FREEZE;
	removal_input(removal, step_enter(removal));
	assert_ptr_equal(desk_removal(), removal);
	assert_int_equal(removal->state, TXN_FREEZE);
	desk_kernel.n_clients = 0;
	assert_true(desk_run_to(TXN_DRAIN));
}

/* ------------------------------------------------------------- called off */

/* Takes an eject of a GPU in use as far as a state. */
static void go_to(enum txn_state state)
{
	if (state != TXN_ASK)
		desk_daemon.config.others = ACTION_IGNORE;
	use_it(USER_PLAIN, "user");
	eject();
	if (state == TXN_LEAVE) {
		assert_true(desk_run_to(TXN_DRAIN));
		desk_drained(gpu);
	}
	assert_true(desk_run_to(state));
}

static const enum txn_state stages[] = { TXN_ASK, TXN_DRAIN, TXN_LEAVE };

#define N_STAGES (sizeof(stages) / sizeof(stages[0]))

/* Begins anew with the next stage. */
static void again(void **state)
{
	teardown(state);
	setup(state);
}

static void cancelled_at_each_step(void **state)
{
	size_t i;

	for (i = 0; i < N_STAGES; i++) {
		go_to(stages[i]);
		kernel_phase(&desk_kernel, rem, EGPU_PHASE_CANCELLED,
			     EGPU_RELEASE_WITHDRAWN);
		desk_settle();
		assert_as_before();
		/* Nothing is left to be said to who called it off. */
		assert_null(desk_call(EGPU_CMD_REFUSE));
		again(state);
	}
}

/* The kernel has found clients that we have not vouched for. */
static void refused_by_the_kernel(void **state)
{
	(void)state;
	go_to(TXN_LEAVE);
	kernel_phase(&desk_kernel, rem, EGPU_PHASE_REFUSED, rem->release);
	desk_settle();
	assert_as_before();
}

static void pulled_at_each_step(void **state)
{
	size_t i;

	for (i = 0; i < N_STAGES; i++) {
		go_to(stages[i]);
		rem->cause = EGPU_CAUSE_SURPRISE;
		kernel_phase(&desk_kernel, rem, EGPU_PHASE_RELEASED,
			     EGPU_RELEASE_OVERTAKEN);
		desk_settle();
		/* At once, not when the driver has noticed. */
		assert_true(moves());
		desk_leave(rem, 1);
		desk_settle();
		assert_null(desk_removal());
		assert_false(world_is_fenced(&desk_world));
		assert_null(desk_daemon.freezer.list);
		again(state);
	}
}

static void module_unloaded_at_each_step(void **state)
{
	size_t i;

	for (i = 0; i < N_STAGES; i++) {
		go_to(stages[i]);
		kernel_unload(&desk_kernel, true);
		desk_settle();
		assert_as_before();
		again(state);
	}
}

static void daemon_ends_at_each_step(void **state)
{
	size_t i;

	for (i = 0; i < N_STAGES; i++) {
		go_to(stages[i]);
		daemon_stop(&desk_daemon);
		desk_set_daemon();
		assert_true(world_node_is(&desk_world, 1, &before));
		assert_true(moves());
		if (stages[i] != TXN_LEAVE)
			assert_int_equal(rem->phase, EGPU_PHASE_REFUSED);
		again(state);
	}
}

/* The removal ended and was forgotten while events were lost. */
static void forgotten_at_each_step(void **state)
{
	size_t i;

	for (i = 0; i < N_STAGES; i++) {
		go_to(stages[i]);
		desk_kernel.n_removals = 0;
		kernel_lose(1);
		kernel_change(&desk_kernel, gpu, EGPU_DEVICE_STATE_DETACHED);
		kernel_change(&desk_kernel, gpu, EGPU_DEVICE_STATE_READY);
		desk_settle();
		assert_as_before();
		again(state);
	}
}

/* Nobody waits for us any more, but the driver has yet to let go. */
static void released_at_each_step(void **state)
{
	size_t i;

	for (i = 0; i < 2; i++) {
		go_to(stages[i]);
		kernel_phase(&desk_kernel, rem, EGPU_PHASE_RELEASED,
			     EGPU_RELEASE_TIMED_OUT);
		desk_settle();
		assert_int_equal(desk_removal()->state, TXN_LEAVE);
		assert_null(desk_call(EGPU_CMD_ACK));
		desk_leave(rem, 1);
		desk_settle();
		assert_null(desk_removal());
		assert_true(moves());
		again(state);
	}
}

/* ------------------------------------------------------------- failures */

static void fenced_by_another(void **state)
{
	(void)state;
	kernel_quiesce_of(&desk_kernel, gpu->id)->owner = 4711;
	eject();
	kernel_quiesce_of(&desk_kernel, gpu->id)->owner = 0;
	assert_refused("cannot fence the GPU");
}

static void nodes_cannot_be_closed(void **state)
{
	char path[256];

	(void)state;
	snprintf(path, sizeof(path), "%s/" FENCE_DIR, desk_world.dev);
	assert_int_equal(mkdir(path, 0755), 0);
	eject();
	assert_int_equal(rmdir(path), 0);
	assert_refused(FENCE_DIR);
}

static void rights_are_missing(void **state)
{
	(void)state;
	desk_daemon.lacks = "CAP_KILL";
	eject();
	assert_refused("egpud lacks CAP_KILL");
	assert_null(desk_call(EGPU_CMD_FENCE));
}

static void nobody_can_be_looked_up(void **state)
{
	(void)state;
	desk_world.roots.proc = "/nowhere";
	eject();
	assert_refused("cannot find out who");
}

static void freezing_cannot_be_recorded(void **state)
{
	(void)state;
	desk_daemon.config.others = ACTION_IGNORE;
	use_it(USER_PLAIN, "user");
	close(desk_daemon.journal.file);
	desk_daemon.journal.file = -1;
	eject();
	assert_true(desk_run_until(desk_over));
	assert_refused("cannot freeze user (pid");
}

static void drain_is_not_begun(void **state)
{
	(void)state;
	use_it(USER_PLAIN, "user");
	eject();
	kernel_quiesce_of(&desk_kernel, gpu->id)->state =
		EGPU_QUIESCE_STATE_QUIESCED;
	world_end_user(user);
	user = 0;
	assert_true(desk_run_until(desk_over));
	assert_refused("cannot await work in flight");
}

static void drain_times_out(void **state)
{
	struct egpu_quiesce *quiesce;

	(void)state;
	go_to(TXN_DRAIN);
	quiesce = kernel_quiesce_of(&desk_kernel, gpu->id);
	quiesce->result = EGPU_DRAIN_RESULT_TIMED_OUT;
	quiesce->n_culprits = 2;
	quiesce->culprits[0].pid = 4242;
	quiesce->culprits[0].fences = 3;
	strcpy(quiesce->culprits[0].comm, "spinner");
	strcpy(quiesce->culprits[1].comm, "another");
	kernel_quiesce(&desk_kernel, quiesce, EGPU_QUIESCE_STATE_FENCED);
	desk_settle();
	assert_refused("work of spinner (pid 4242) does not end: 3 fences");
}

/* The event with the end of the drain got lost. */
static void end_of_the_drain_is_lost(void **state)
{
	(void)state;
	desk_daemon.config.drain_ms = 2000;
	go_to(TXN_DRAIN);
	kernel_lose(1);
	desk_drained(gpu);
	assert_true(desk_run_to(TXN_LEAVE));
}

static void drain_never_ends(void **state)
{
	(void)state;
	desk_daemon.config.drain_ms = 50;
	desk_daemon.config.others = ACTION_IGNORE;
	use_it(USER_PLAIN, "user");
	eject();
	assert_true(desk_run_until(desk_over));
	assert_refused("the drain does not end");
}

static void acknowledgment_fails(void **state)
{
	(void)state;
	go_to(TXN_DRAIN);
	rem->helper = 4711;
	desk_drained(gpu);
	desk_settle();
	assert_as_before();
	assert_int_equal(rem->release, EGPU_RELEASE_NOT_YET);
}

/* ------------------------------------------------------------- several */

static void process_that_uses_two(void **state)
{
	struct egpu_device *gpu2 = desk_add(WORLD_GPU2, 2);
	struct egpu_removal *rem2;

	(void)state;
	desk_daemon.config.others = ACTION_IGNORE;
	use_it(USER_PLAIN, "user");
	desk_settle();
	eject();
	assert_true(desk_run_to(TXN_DRAIN));
	rem2 = desk_begin(gpu2, EGPU_ORIGIN_EJECT);
	desk_settle();
	assert_true(desk_run_to(TXN_DRAIN));
	assert_non_null(desk_removal()->next);
	assert_false(moves());
	kernel_phase(&desk_kernel, rem, EGPU_PHASE_CANCELLED,
		     EGPU_RELEASE_WITHDRAWN);
	desk_settle();
	/* The other still needs it to stand still. */
	assert_false(moves());
	kernel_phase(&desk_kernel, rem2, EGPU_PHASE_CANCELLED,
		     EGPU_RELEASE_WITHDRAWN);
	desk_settle();
	assert_as_before();
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(nobody_uses_it),
	T(steps_are_reported),
	T(waits_until_it_is_closed),
	T(who_does_not_close_it_is_named),
	T(deadline_bounds_all_steps),
	T(asked_to_quit),
	T(does_not_quit),
	T(killed_when_the_time_is_up),
	T(ignored_is_frozen_and_vouched_for),
	T(force_freezes),
	T(force_leaves_the_display_alone),
	T(display_may_not_be_frozen),
	T(unless_it_may),
	T(client_of_nobody),
	T(client_of_nobody_for_a_moment),
	T(cancelled_at_each_step),
	T(refused_by_the_kernel),
	T(pulled_at_each_step),
	T(module_unloaded_at_each_step),
	T(daemon_ends_at_each_step),
	T(forgotten_at_each_step),
	T(released_at_each_step),
	T(fenced_by_another),
	T(nodes_cannot_be_closed),
	T(rights_are_missing),
	T(nobody_can_be_looked_up),
	T(freezing_cannot_be_recorded),
	T(drain_is_not_begun),
	T(drain_times_out),
	T(end_of_the_drain_is_lost),
	T(drain_never_ends),
	T(acknowledgment_fails),
	T(process_that_uses_two),
};

TEST_MAIN(tests, NULL, NULL)

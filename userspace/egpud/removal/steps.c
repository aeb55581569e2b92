// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is done in each state of a removal's transaction, and for how long.
 *
 * Nothing here blocks: what takes time is looked at again when a timer, a pidfd
 * or an event of the kernel says so.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "../work.h"

#define MS 1000000ull

/* Programs that do not say when they let go are looked at so often. */
#define ASK_TICK    (250 * MS)
#define FREEZE_TICK (5 * MS)
#define NAME_TICK   (50 * MS)
/* For a program to end that was killed. */
#define KILL_LIMIT (1000 * MS)
/* The kernel ends a drain by itself; this is for an event that got lost. */
#define DRAIN_GRACE (200 * MS)
/* A driver that has not let go by then hangs. */
#define LEAVE_LIMIT (30000 * MS)

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Time that is left for work of ours, in ns. */
static uint64_t time_left(const struct removal *removal)
{
	uint64_t now = removal->daemon->now() + removal->margin;

	return removal->deadline > now ? removal->deadline - now : 0;
}

/*
 * A step cannot be done. What was begun by others, or is forced, goes on all
 * the same; else everything is put back.
 */
static enum txn_input fail(struct removal *removal)
{
	if (!removal->eject || (removal->force && removal->state != TXN_FENCE)) {
		removal_log(LOG_WARNING, removal, "%s; going on all the same",
			    removal->reason);
		*removal->reason = '\0';
		return TXN_DONE;
	}
	removal->refuse = true;
	return TXN_FAILED;
}

static int on_limit(sd_event_source *source, uint64_t usec, void *arg)
{
	struct removal *removal = arg;

	(void)source;
	(void)usec;
	removal_input(removal, step_late(removal));
	return 0;
}

static int on_tick(sd_event_source *source, uint64_t usec, void *arg)
{
	struct removal *removal = arg;

	(void)source;
	(void)usec;
	removal_input(removal, step_tick(removal));
	return 0;
}

static int arm(struct removal *removal, sd_event_source **timer, uint64_t ns,
	       sd_event_time_handler_t handler)
{
	*timer = sd_event_source_disable_unref(*timer);
	return sd_event_add_time_relative(removal->daemon->loop, timer,
					  CLOCK_BOOTTIME, ns / 1000, 1000,
					  handler, removal);
}

/* Nothing is waited for without a limit. 0 for a time sets no timer. */
static enum txn_input wait_for(struct removal *removal, uint64_t limit,
			       uint64_t tick)
{
	int err = 0;

	if (!removal->limit)
		err = arm(removal, &removal->limit, limit, on_limit);
	if (err >= 0 && tick)
		err = arm(removal, &removal->tick, tick, on_tick);
	if (err >= 0)
		return TXN_NOTHING;
	reason_set(removal->reason, "egpud cannot set a timer: %s",
		   strerror(-err));
	return fail(removal);
}

void step_stop_timers(struct removal *removal)
{
	removal->limit = sd_event_source_disable_unref(removal->limit);
	removal->tick = sd_event_source_disable_unref(removal->tick);
}

/* Only tells others, so a failure changes nothing; events say if it is over. */
static void report(struct removal *removal, uint32_t step)
{
	struct egpu_ctx *ctx = removal->daemon->ctx;

	if (egpu_report(ctx, removal->cookie, step))
		removal_log(LOG_DEBUG, removal, "cannot report: %s",
			    egpu_error(ctx));
}

/* ------------------------------------------------------------- fence */

static int own_quiesce(struct removal *removal)
{
	struct egpu_ctx *ctx = removal->daemon->ctx;
	int err;

	if (removal->owned)
		return 0;
	crash_point();
	err = egpu_fence(ctx, removal->id);
	if (err)
		reason_set(removal->reason, "cannot fence the GPU: %s",
			   egpu_error(ctx));
	else
		removal->owned = true;
	return err;
}

/* What was known when the GPU came may lack what another driver made later. */
static int renew_nodes(struct removal *removal)
{
	struct nodes nodes = { 0 };
	int err = nodes_find(removal->daemon->roots, removal->address, &nodes);

	if (err) {
		nodes_free(&nodes);
		reason_set(removal->reason,
			   "cannot find the nodes of the GPU: %s",
			   strerror(-err));
		return err;
	}
	nodes_free(&removal->nodes);
	removal->nodes = nodes;
	return 0;
}

static enum txn_input enter_fence(struct removal *removal)
{
	struct daemon *daemon = removal->daemon;
	char error[256];

	report(removal, EGPU_STEP_FENCE);
	if (daemon->lacks) {
		reason_set(removal->reason, "egpud lacks %s, see egpud(8)",
			   daemon->lacks);
		return fail(removal);
	}
	if (renew_nodes(removal) || own_quiesce(removal))
		return fail(removal);
	removal->fenced = true;
	if (node_fence_close(daemon->roots, removal->address, &removal->nodes,
			     error, sizeof(error))) {
		reason_set(removal->reason, "%s", error);
		return fail(removal);
	}
	return TXN_DONE;
}

/* ------------------------------------------------------------- ask */

static enum txn_input cannot_look(struct removal *removal)
{
	reason_set(removal->reason, "cannot find out who uses the GPU");
	return fail(removal);
}

/* Asking leaves time for what comes after it. */
static uint64_t ask_limit(const struct removal *removal)
{
	const struct policy_config *config = &removal->daemon->config;
	uint64_t left = time_left(removal);
	uint64_t rest = (config->freeze_ms + (uint64_t)config->drain_ms) * MS;

	return least(config->ask_ms * MS, left - least(rest, left / 3));
}

static enum txn_input tick_ask(struct removal *removal)
{
	if (look(removal))
		return cannot_look(removal);
	if (ask_in_vain(removal))
		return fail(removal);
	if (!ask_look(removal))
		return TXN_DONE;
	return wait_for(removal, ask_limit(removal), ASK_TICK);
}

static enum txn_input enter_ask(struct removal *removal)
{
	report(removal, EGPU_STEP_ASK);
	return tick_ask(removal);
}

static enum txn_input late_ask(struct removal *removal)
{
	if (look(removal))
		return cannot_look(removal);
	if (!ask_look(removal))
		return TXN_DONE;
	if (ask_kill(removal))
		return wait_for(removal, least(KILL_LIMIT, time_left(removal)),
				ASK_TICK);
	if (!moving_reason(removal))
		reason_holders(removal->reason, &removal->holders,
			       ask_waits_for, removal);
	return fail(removal);
}

/* ------------------------------------------------------------- freeze */

/* Who is on its way to a safe point is not to be frozen before that. */
static bool is_moving(const struct removal *removal, const struct holder *holder)
{
	return moving_state(removal, &holder->process) < MIGRATION_DONE;
}

static bool must_stand_still(const struct removal *removal,
			     const struct holder *holder)
{
	if (is_moving(removal, holder))
		return false;
	if (holder->role == ROLE_PROGRAM && look_may_stay(holder))
		return false;
	return policy_may_freeze(&removal->daemon->config, holder);
}

/* Who may neither be frozen nor be left to lose the GPU unprepared. */
static bool is_in_the_way(const struct holder *holder, const void *arg)
{
	const struct removal *removal = arg;

	if (ask_waits_for(holder, removal))
		return true;
	return !must_stand_still(removal, holder) && !look_may_stay(holder);
}

static bool anybody_in_the_way(const struct removal *removal)
{
	size_t i;

	for (i = 0; i < removal->holders.n; i++) {
		if (is_in_the_way(&removal->holders.item[i], removal))
			return true;
	}
	return false;
}

/*
 * A file that no process is known for is on its way from one to another, or was
 * just closed. Only who still cannot be named when the time is up is refused.
 */
static bool awaits_a_name(const struct removal *removal)
{
	return removal->holders.unnamed && removal->limit;
}

static int freeze_holders(struct removal *removal)
{
	const struct holders *holders = &removal->holders;
	const struct process *failed = NULL;
	struct process *list;
	char who[96];
	size_t n = 0, i;
	int err;

	list = calloc(holders->n + 1, sizeof(*list));
	if (!list) {
		reason_set(removal->reason, "egpud is out of memory");
		return -ENOMEM;
	}
	for (i = 0; i < holders->n; i++) {
		if (must_stand_still(removal, &holders->item[i]))
			list[n++] = holders->item[i].process;
	}
	err = freeze_add(&removal->daemon->freezer, &removal->frozen, list, n,
			 &failed);
	if (err)
		reason_set(removal->reason, "cannot freeze %s: %s",
			   reason_who(failed, who, sizeof(who)), strerror(-err));
	free(list);
	return err;
}

/*
 * Freezes who holds the GPU, looks again for who has got it from them in the
 * meantime, and is done when there is nobody new and all stand still.
 */
static enum txn_input tick_freeze(struct removal *removal)
{
	size_t before = removal->frozen.n;
	char state;

	if (before &&
	    freeze_culprit(&removal->daemon->freezer, &removal->frozen, &state))
		return wait_for(removal, 0, FREEZE_TICK);
	if (look(removal))
		return cannot_look(removal);
	removal->vouched = look_anybody(removal);
	if (removal->eject && !removal->force &&
	    (anybody_in_the_way(removal) || removal->holders.unnamed)) {
		if (!anybody_in_the_way(removal) && awaits_a_name(removal))
			return wait_for(removal, 0, NAME_TICK);
		reason_holders(removal->reason, &removal->holders,
			       is_in_the_way, removal);
		return fail(removal);
	}
	if (freeze_holders(removal))
		return fail(removal);
	if (removal->frozen.n != before)
		return tick_freeze(removal);
	/* Who cooperates stands still by itself, at a point of its own. */
	if (!removal->unreached && moving_state(removal, NULL) < MIGRATION_SAVE)
		return wait_for(removal, 0, ASK_TICK);
	return TXN_DONE;
}

static enum txn_input enter_freeze(struct removal *removal)
{
	struct daemon *daemon = removal->daemon;
	uint64_t limit =
		least(daemon->config.freeze_ms * MS, time_left(removal) / 2);
	enum txn_input input;

	report(removal, EGPU_STEP_FREEZE);
	if (daemon->lacks) {
		reason_set(removal->reason,
			   "nobody is frozen, egpud lacks %s, see egpud(8)",
			   daemon->lacks);
		return fail(removal);
	}
	if (!removal->eject)
		moving_hold(removal);
	input = wait_for(removal, limit, 0);
	return input == TXN_NOTHING ? tick_freeze(removal) : input;
}

/* A cgroup does not tell which of its processes keeps it from being frozen. */
static const struct process *stuck_holder(const struct removal *removal)
{
	struct process now;
	size_t i;

	for (i = 0; i < removal->holders.n; i++) {
		const struct holder *holder = &removal->holders.item[i];

		if (must_stand_still(removal, holder) &&
		    !process_read(removal->daemon->roots, holder->process.pid,
				  &now) &&
		    now.start == holder->process.start && now.state == 'D')
			return &holder->process;
	}
	return NULL;
}

static enum txn_input late_freeze(struct removal *removal)
{
	const struct process *culprit, *stuck;
	char who[96], state;

	culprit = freeze_culprit(&removal->daemon->freezer, &removal->frozen,
				 &state);
	if (!culprit) {
		removal->unreached = true;
		return tick_freeze(removal);
	}
	stuck = stuck_holder(removal);
	if (stuck) {
		culprit = stuck;
		state = 'D';
	}
	reason_who(culprit, who, sizeof(who));
	reason_set(removal->reason, "%s cannot be frozen in time: %s", who,
		   state == 'D' ? "it is in an uninterruptible wait, state D" :
				  "it runs on");
	return fail(removal);
}

/* ------------------------------------------------------------- drain */

static enum txn_input drain_ended(struct removal *removal,
				  const struct egpu_quiesce *quiesce)
{
	char name[EGPU_NAME_SIZE];

	if (quiesce->state == EGPU_QUIESCE_STATE_QUIESCED) {
		removal_log(LOG_INFO, removal,
			    "drained: %u clients, %u buffers, %u fences waited for",
			    quiesce->clients, quiesce->buffers, quiesce->waited);
		return TXN_DONE;
	}
	if (quiesce->result == EGPU_DRAIN_RESULT_TIMED_OUT)
		reason_culprits(removal->reason, quiesce);
	else
		reason_set(removal->reason, "work in flight was not awaited: %s",
			   egpu_name_text(EGPU_NAMES_DRAIN, quiesce->result,
					  name, sizeof(name)));
	return fail(removal);
}

/* An event can be older than our request, so the kernel is asked for the truth. */
static enum txn_input look_at_drain(struct removal *removal)
{
	struct egpu_ctx *ctx = removal->daemon->ctx;
	struct egpu_quiesce *quiesce;
	enum txn_input input;

	if (egpu_quiesce_get(ctx, removal->id, &quiesce)) {
		reason_set(removal->reason, "cannot see how the drain goes: %s",
			   egpu_error(ctx));
		return fail(removal);
	}
	input = quiesce->state == EGPU_QUIESCE_STATE_DRAINING ?
			TXN_NOTHING :
			drain_ended(removal, quiesce);
	egpu_quiesce_free(quiesce);
	return input;
}

static enum txn_input enter_drain(struct removal *removal)
{
	struct daemon *daemon = removal->daemon;
	uint64_t limit = least(daemon->config.drain_ms * MS, time_left(removal));

	report(removal, EGPU_STEP_DRAIN);
	if (limit < MS) {
		reason_set(removal->reason,
			   "no time is left to await work in flight");
		return fail(removal);
	}
	if (own_quiesce(removal))
		return fail(removal);
	crash_point();
	if (egpu_drain(daemon->ctx, removal->id, (uint32_t)(limit / MS))) {
		reason_set(removal->reason, "cannot await work in flight: %s",
			   egpu_error(daemon->ctx));
		return fail(removal);
	}
	return wait_for(removal, limit + DRAIN_GRACE, 0);
}

static enum txn_input late_drain(struct removal *removal)
{
	enum txn_input input = look_at_drain(removal);

	if (input != TXN_NOTHING)
		return input;
	reason_set(removal->reason, "the drain does not end");
	return fail(removal);
}

/* ------------------------------------------------------------- save */

/* Nothing is refused for what cannot be saved: whose GPU it is wants it to go. */
static enum txn_input tick_save(struct removal *removal)
{
	if (!removal->plain && moving_state(removal, NULL) > MIGRATION_SAVE)
		return TXN_DONE;
	return TXN_NOTHING;
}

static enum txn_input enter_save(struct removal *removal)
{
	uint64_t left = time_left(removal);
	enum txn_input input;

	plain_begin(removal, left);
	input = tick_save(removal);
	return input == TXN_NOTHING ? wait_for(removal, left, 0) : input;
}

static enum txn_input late_save(struct removal *removal)
{
	plain_stop(removal);
	return TXN_DONE;
}

/* ------------------------------------------------------------- leave */

static int acknowledge(struct removal *removal)
{
	struct egpu_ctx *ctx = removal->daemon->ctx;
	bool vouch = removal->eject && removal->vouched;

	crash_point();
	return vouch ? egpu_ack_vouched(ctx, removal->cookie) :
		       egpu_ack(ctx, removal->cookie);
}

static enum txn_input enter_leave(struct removal *removal)
{
	int err = removal->released ? 0 : acknowledge(removal);

	if (!err) {
		removal_log(LOG_INFO, removal,
			    removal->released ?
				    "the removal went on before its work was done" :
				    "acknowledged");
	} else {
		removal_log(LOG_WARNING, removal, "%s",
			    egpu_error(removal->daemon->ctx));
		/* Too late is no failure: the kernel does not wait for ever. */
		if (err != -ETIME && err != -EALREADY)
			return TXN_FAILED;
	}
	return wait_for(removal, LEAVE_LIMIT, 0);
}

static enum txn_input late_leave(struct removal *removal)
{
	if (removal->frozen.n)
		removal_log(LOG_WARNING, removal,
			    "the driver does not let go of the GPU; what was frozen goes on");
	return TXN_LATE;
}

/* ------------------------------------------------------------- the rest */

static enum txn_input enter_go(struct removal *removal)
{
	undo_freeze(removal);
	return TXN_NOTHING;
}

static enum txn_input enter_end(struct removal *removal)
{
	undo_all(removal);
	return TXN_NOTHING;
}

/**
 * struct step - a state
 * @enter: begins with it
 * @tick: looks again, or NULL
 * @late: its time is up, or NULL
 */
struct step {
	enum txn_input (*enter)(struct removal *removal);
	enum txn_input (*tick)(struct removal *removal);
	enum txn_input (*late)(struct removal *removal);
};

static const struct step steps[TXN_STATES] = {
	[TXN_FENCE] = { enter_fence, NULL, NULL },
	[TXN_ASK] = { enter_ask, tick_ask, late_ask },
	[TXN_FREEZE] = { enter_freeze, tick_freeze, late_freeze },
	[TXN_DRAIN] = { enter_drain, NULL, late_drain },
	[TXN_SAVE] = { enter_save, tick_save, late_save },
	[TXN_LEAVE] = { enter_leave, NULL, late_leave },
	[TXN_GO] = { enter_go, NULL, NULL },
	[TXN_UNDONE] = { enter_end, NULL, NULL },
	[TXN_ENDED] = { enter_end, NULL, NULL },
};

/**
 * step_enter() - begin with the state that a removal has entered
 * @removal: removal
 *
 * Return: what has come of it at once.
 */
enum txn_input step_enter(struct removal *removal)
{
	step_stop_timers(removal);
	if (removal->state != TXN_ASK)
		ask_stop(removal);
	return steps[removal->state].enter(removal);
}

/* Something may be different now. */
enum txn_input step_tick(struct removal *removal)
{
	const struct step *step = &steps[removal->state];

	return step->tick ? step->tick(removal) : TXN_NOTHING;
}

/* The time for the state is up. */
enum txn_input step_late(struct removal *removal)
{
	const struct step *step = &steps[removal->state];

	removal->limit = sd_event_source_disable_unref(removal->limit);
	return step->late ? step->late(removal) : TXN_NOTHING;
}

/* The deadline is nearer than it was; what goes on gets what is left. */
void step_hurry(struct removal *removal)
{
	uint64_t left = time_left(removal);

	/* Who still freezes has yet to drain. */
	if (removal->state == TXN_FREEZE)
		left /= 2;
	if (removal->limit && removal->state < TXN_LEAVE &&
	    arm(removal, &removal->limit, left, on_limit) < 0)
		removal_log(LOG_ERR, removal, "cannot set a timer");
}

/**
 * step_quiesce() - the kernel has something to say about the quiescing
 * @removal: removal of the GPU that it is about
 *
 * Return: what that means.
 */
enum txn_input step_quiesce(struct removal *removal)
{
	return removal->state == TXN_DRAIN ? look_at_drain(removal) :
					     TXN_NOTHING;
}

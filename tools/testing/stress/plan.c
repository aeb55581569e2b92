// SPDX-License-Identifier: GPL-2.0
#include "stress.h"

#include <string.h>

static bool chance(struct rng *rng, unsigned int percent)
{
	return rng_below(rng, 100) < percent;
}

static uint32_t one_of(struct rng *rng, const uint32_t *from, unsigned int n)
{
	return from[rng_below(rng, n)];
}

#define ONE_OF(rng, array)                                                     \
	one_of(rng, array, sizeof(array) / sizeof((array)[0]))

struct weight {
	enum act_kind kind;
	unsigned int weight;
};

static const struct weight when_absent[] = { { ADD, 1 }, { ACT_KINDS, 0 } };

static const struct weight when_bound[] = {
	{ PULL, 40 },	      { SYSFS_REMOVE, 60 },   { BRIDGE_REMOVE, 4 },
	{ SLOT_OFF, 10 },     { BUTTON, 2 },	      { UNBIND, 25 },
	{ REBIND, 40 },	      { UNBIND_REMOVE, 12 },  { UNBIND_PULL, 6 },
	{ REMOVE_PULL, 16 },  { EJECT, 60 },	      { EJECT_TWICE, 15 },
	{ EJECT_PULL, 16 },   { EJECT_REMOVE, 20 },   { EJECT_CANCEL, 20 },
	{ EJECT_UNBIND, 10 }, { EJECT_LEAVING, 15 },  { QUIESCE, 25 },
	{ QUIESCE_DROP, 12 }, { QUIESCE_REMOVE, 12 }, { QUIESCE_PULL, 8 },
	{ OPEN_CLIENT, 30 },  { CLOSE_CLIENT, 20 },   { ACT_KINDS, 0 },
};

static const struct weight when_detached[] = {
	{ BIND, 10 },	      { PULL, 1 },  { SYSFS_REMOVE, 3 },
	{ BRIDGE_REMOVE, 1 }, { EJECT, 4 }, { EJECT_PULL, 1 },
	{ ACT_KINDS, 0 },
};

static const struct weight when_removed[] = {
	{ RESCAN, 12 },
	{ UNPLUG, 1 },
	{ ACT_KINDS, 0 },
};

static const struct weight when_cut_off[] = { { ACT_KINDS, 0 } };

static const struct weight *const by_place[] = {
	[ABSENT] = when_absent,	    [BOUND] = when_bound,
	[DETACHED] = when_detached, [REMOVED] = when_removed,
	[CUT_OFF] = when_cut_off,
};

static const struct weight in_world[] = {
	{ HELPER_COME, 60 }, { HELPER_GO, 30 },	  { HELPER_STOP, 5 },
	{ HELPER_CONT, 15 }, { EGPUD_START, 12 }, { EGPUD_TERM, 4 },
	{ EGPUD_KILL, 4 },   { EGPUD_STOP, 4 },	  { EGPUD_CONT, 12 },
	{ STALL, 12 },	     { RESUME, 6 },	  { VISIT, 10 },
	{ LEAVE, 10 },	     { DUMPS, 15 },	  { SETTINGS, 12 },
	{ RULE, 15 },	     { LOAD, 300 },	  { UNLOAD, 6 },
	{ RELOAD, 12 },	     { ACT_KINDS, 0 },
};

static const uint32_t hold_values[] = { 0, 100, 300, 800 };
static const uint32_t accept_values[] = { 50, 150, 400 };
static const uint32_t eject_values[] = { 200, 500, 1000 };

/**
 * model_begin - nothing is plugged in, nobody listens, the module is loaded
 * @model: overwritten
 */
void model_begin(struct model *model)
{
	memset(model, 0, sizeof(*model));
	model->loaded = true;
	model->setting[0] = 150;
	model->setting[1] = 150;
	model->setting[2] = 500;
}

/**
 * model_external - must the GPU of a port be external
 * @model: the model
 * @port: which
 *
 * Return: true when it must.
 */
bool model_external(const struct model *model, int port)
{
	if (model->rule[port])
		return model->rule[port] == EGPU_PLACEMENT_EXTERNAL;
	return port_is_marked(port);
}

static bool is_eject(enum act_kind kind)
{
	return kind >= EJECT && kind <= EJECT_LEAVING;
}

static bool is_quiesce(enum act_kind kind)
{
	return kind >= QUIESCE && kind <= QUIESCE_PULL;
}

/* How often a client is closed depends on there being one. */
static bool possible_at(const struct model *model, int port, enum act_kind kind,
			const struct plan *plan)
{
	uint32_t open = model->clients[port];

	if (is_eject(kind) || is_quiesce(kind))
		return model->loaded && !plan->loads;
	if (kind == OPEN_CLIENT)
		return open != BIT(CLIENTS) - 1;
	if (kind == CLOSE_CLIENT)
		return open;
	return true;
}

static bool any(const bool *flags, bool wanted, const bool *also)
{
	int i;

	for (i = 0; i < HELPERS; i++)
		if (flags[i] == wanted && (!also || also[i]))
			return true;
	return false;
}

static bool possible_in_world(const struct model *model, enum act_kind kind)
{
	switch (kind) {
	case HELPER_COME:
		return any(model->helper, false, NULL);
	case HELPER_GO:
		return any(model->helper, true, NULL);
	case HELPER_STOP:
		return any(model->helper_stopped, false, model->helper);
	case HELPER_CONT:
		return any(model->helper_stopped, true, model->helper);
	case EGPUD_START:
		return model->daemon == NOT_RUNNING;
	case EGPUD_TERM:
	case EGPUD_STOP:
		return model->daemon == RUNNING;
	case EGPUD_KILL:
		return model->daemon != NOT_RUNNING;
	case EGPUD_CONT:
		return model->daemon == STOPPED;
	case STALL:
		return model->loaded && !model->stalled;
	case RESUME:
		return model->loaded && model->stalled;
	case VISIT:
		return model->loaded && !model->visitor;
	case LEAVE:
		return model->visitor;
	case LOAD:
		return !model->loaded;
	default:
		return model->loaded;
	}
}

typedef bool (*possible_fn)(const struct model *model, int port,
			    enum act_kind kind, const struct plan *plan);

static bool world_wrapper(const struct model *model, int port,
			  enum act_kind kind, const struct plan *plan)
{
	(void)port;
	(void)plan;
	return possible_in_world(model, kind);
}

static enum act_kind draw(struct rng *rng, const struct weight *weights,
			  possible_fn possible, const struct model *model,
			  int port, const struct plan *plan)
{
	unsigned int sum = 0, at;
	const struct weight *w;

	for (w = weights; w->weight; w++)
		if (possible(model, port, w->kind, plan))
			sum += w->weight;
	if (!sum)
		return ACT_KINDS;
	at = rng_below(rng, sum);
	for (w = weights; w->weight; w++) {
		if (!possible(model, port, w->kind, plan))
			continue;
		if (at < w->weight)
			break;
		at -= w->weight;
	}
	return w->kind;
}

static struct act *new_act(struct plan *plan, struct model *model,
			   enum act_kind kind, int port)
{
	struct act *act = &plan->act[plan->acts++];

	memset(act, 0, sizeof(*act));
	act->kind = kind;
	act->port = port;
	model->count[kind]++;
	return act;
}

/* --- acts of the world -------------------------------------------------------- */

static int pick_helper(struct rng *rng, const bool *flags, bool wanted,
		       const bool *also)
{
	int i, at = rng_below(rng, HELPERS);

	for (i = 0; i < HELPERS; i++, at = (at + 1) % HELPERS)
		if (flags[at] == wanted && (!also || also[at]))
			break;
	return at;
}

static void draw_manners(struct rng *rng, struct manners *manners)
{
	static const uint32_t accept[] = { 0, 0, 0, 20, 100, NEVER };
	static const uint32_t ack[] = { 0, 0, 30, 200, NEVER, NEVER };

	manners->accept_ms = ONE_OF(rng, accept);
	manners->ack_ms = ONE_OF(rng, ack);
	manners->dies = chance(rng, 30);
	manners->leaves = chance(rng, 10);
	manners->quiesces = chance(rng, 60);
	manners->refuses = chance(rng, 15);
}

static void plan_helper(struct act *act, struct model *model, struct rng *rng)
{
	switch (act->kind) {
	case HELPER_COME:
		act->which = pick_helper(rng, model->helper, false, NULL);
		draw_manners(rng, &act->manners);
		model->manners[act->which] = act->manners;
		model->helper[act->which] = true;
		model->helper_stopped[act->which] = false;
		break;
	case HELPER_GO:
		act->which = pick_helper(rng, model->helper, true, NULL);
		model->helper[act->which] = false;
		model->helper_stopped[act->which] = false;
		break;
	case HELPER_STOP:
		act->which = pick_helper(rng, model->helper_stopped, false,
					 model->helper);
		model->helper_stopped[act->which] = true;
		break;
	default:
		act->which = pick_helper(rng, model->helper_stopped, true,
					 model->helper);
		model->helper_stopped[act->which] = false;
	}
}

static void draw_settings(struct act *act, struct model *model, struct rng *rng)
{
	act->setting[0] = ONE_OF(rng, hold_values);
	act->setting[1] = ONE_OF(rng, accept_values);
	act->setting[2] = ONE_OF(rng, eject_values);
	memcpy(model->setting, act->setting, sizeof(model->setting));
}

/* A module that is only reloaded gets what it had, so that what others do in this
 * step does not depend on when that was.
 */
static void plan_module(struct plan *plan, struct act *act, struct model *model,
			struct rng *rng)
{
	int i;

	plan->disturbed = true;
	if (act->kind == LOAD) {
		plan->loads = true;
		draw_settings(act, model, rng);
		for (i = 0; i < PORTS; i++)
			model->rule[i] = chance(rng, 20) ? rng_below(rng, 3) : 0;
	}
	memcpy(act->setting, model->setting, sizeof(act->setting));
	memcpy(act->rule, model->rule, sizeof(act->rule));
	model->loaded = act->kind != UNLOAD;
}

static void plan_world(struct plan *plan, struct model *model, struct rng *rng)
{
	enum act_kind kind = draw(rng, in_world, world_wrapper, model, -1, plan);
	struct act *act = new_act(plan, model, kind, -1);

	act->delay_ms = chance(rng, 50) ? 0 : rng_below(rng, 500);
	switch (kind) {
	case HELPER_COME:
	case HELPER_GO:
	case HELPER_STOP:
	case HELPER_CONT:
		plan_helper(act, model, rng);
		break;
	case EGPUD_START:
	case EGPUD_CONT:
		model->daemon = RUNNING;
		break;
	case EGPUD_TERM:
		model->daemon = NOT_RUNNING;
		break;
	case EGPUD_KILL:
		/* And started again, as systemd does it. */
		model->daemon = RUNNING;
		break;
	case EGPUD_STOP:
		model->daemon = STOPPED;
		break;
	case STALL:
	case RESUME:
		model->stalled = kind == STALL;
		break;
	case VISIT:
	case LEAVE:
		model->visitor = kind == VISIT;
		break;
	case SETTINGS:
		draw_settings(act, model, rng);
		break;
	case RULE:
		act->which = rng_below(rng, PORTS);
		act->rule[act->which] = rng_below(rng, 3);
		model->rule[act->which] = act->rule[act->which];
		break;
	case LOAD:
	case UNLOAD:
	case RELOAD:
		plan_module(plan, act, model, rng);
		break;
	default:
		break;
	}
}

/* --- acts of a port ----------------------------------------------------------- */

static void expect(struct act *act, uint32_t causes, int min, int max)
{
	act->causes = causes;
	act->removals_min = min;
	act->removals_max = max;
}

#define GRACEFUL BIT(EGPU_CAUSE_GRACEFUL)
#define SURPRISE BIT(EGPU_CAUSE_SURPRISE)
#define UNBOUND	 BIT(EGPU_CAUSE_UNBIND)

static enum place plan_client(struct act *act, struct model *model,
			      struct rng *rng)
{
	uint32_t *open = &model->clients[act->port];
	bool wanted = act->kind == CLOSE_CLIENT;

	act->which = rng_below(rng, CLIENTS);
	while (!!(*open & BIT(act->which)) != wanted)
		act->which = (act->which + 1) % CLIENTS;
	*open ^= BIT(act->which);
	return BOUND;
}

/* Ejects end the same way whatever comes first: what is not removed by the eject
 * is removed by the act in the end, unless it must stay.
 */
static enum place plan_eject(struct act *act, const struct model *model,
			     struct rng *rng)
{
	static const uint32_t timeouts[] = { 0, 50, 300, 800 };
	static const uint32_t long_timeouts[] = { 400, 20000 };
	enum place now = model->place[act->port];
	bool used = now == BOUND && model->clients[act->port];
	bool only_eject = act->kind == EJECT || act->kind == EJECT_TWICE;
	bool external = model_external(model, act->port);

	act->force = act->kind != EJECT_CANCEL && chance(rng, 40);
	/* Its node is kept open, see act.c. */
	if (act->kind == EJECT_REMOVE || act->kind == EJECT_UNBIND ||
	    act->kind == EJECT_LEAVING)
		act->force = true;
	act->timeout_ms = only_eject ? ONE_OF(rng, timeouts) :
				       ONE_OF(rng, long_timeouts);
	act->stays = !external || (used && !act->force);
	expect(act, GRACEFUL, external && !act->stays, 2);
	if (only_eject) {
		act->removals_max = act->stays ? 2 : 1;
		return act->stays ? now : REMOVED;
	}
	act->removals_min = 1;
	switch (act->kind) {
	case EJECT_CANCEL:
		act->removals_min = 0;
		return now;
	case EJECT_PULL:
		act->causes |= SURPRISE;
		return ABSENT;
	case EJECT_UNBIND:
		act->causes |= UNBOUND;
		act->removals_max = 3;
		return REMOVED;
	default:
		return REMOVED;
	}
}

static enum place plan_removal(struct act *act)
{
	switch (act->kind) {
	case PULL:
	case QUIESCE_PULL:
		expect(act, SURPRISE, 1, 1);
		return ABSENT;
	case SLOT_OFF:
	case BUTTON:
		expect(act, GRACEFUL, 1, 1);
		return ABSENT;
	case SYSFS_REMOVE:
	case QUIESCE_REMOVE:
		expect(act, GRACEFUL, 1, 1);
		return REMOVED;
	case BRIDGE_REMOVE:
		expect(act, GRACEFUL, 1, 1);
		return CUT_OFF;
	case UNBIND:
		expect(act, UNBOUND, 1, 1);
		return DETACHED;
	case REBIND:
		expect(act, UNBOUND, 1, 1);
		return BOUND;
	case UNBIND_REMOVE:
		expect(act, UNBOUND | GRACEFUL, 1, 2);
		return REMOVED;
	case UNBIND_PULL:
		expect(act, UNBOUND | SURPRISE, 1, 2);
		return ABSENT;
	case REMOVE_PULL:
		expect(act, GRACEFUL | SURPRISE, 1, 1);
		return ABSENT;
	case UNPLUG:
		return ABSENT;
	default: /* ADD, BIND, RESCAN, QUIESCE, QUIESCE_DROP */
		return BOUND;
	}
}

static void plan_port(struct plan *plan, struct model *model, struct rng *rng,
		      int port)
{
	enum place before = model->place[port], after;
	enum act_kind kind;
	struct act *act;

	kind = draw(rng, by_place[before], possible_at, model, port, plan);
	if (kind == ACT_KINDS)
		return;
	act = new_act(plan, model, kind, port);
	act->moment = rng_below(rng, WHEN_ACCEPTED + 1);
	act->delay_ms = rng_below(rng, chance(rng, 70) ? 150 : 1200);
	if (kind == OPEN_CLIENT || kind == CLOSE_CLIENT)
		after = plan_client(act, model, rng);
	else if (is_eject(kind))
		after = plan_eject(act, model, rng);
	else
		after = plan_removal(act);
	act->leaves = (before == BOUND || before == DETACHED) &&
		      after != BOUND && after != DETACHED;
	if (act->leaves || kind == UNBIND || kind == REBIND)
		model->cycles++;
	if (kind == REBIND || (before == BOUND && after != BOUND))
		model->clients[port] = 0;
	model->place[port] = after;
}

static void plan_rescan_all(struct plan *plan, struct model *model)
{
	struct act *act = new_act(plan, model, RESCAN_ALL, -1);
	int i;

	for (i = 0; i < PORTS; i++) {
		if (model->place[i] != REMOVED && model->place[i] != CUT_OFF)
			continue;
		model->place[i] = BOUND;
		act->which |= BIT(i);
	}
}

static bool plan_empty_ports(struct plan *plan, struct model *model)
{
	struct act *act;
	int i;

	for (i = 0; i < PORTS; i++) {
		if (model->place[i] == ABSENT)
			continue;
		act = new_act(plan, model,
			      model->place[i] == REMOVED ? UNPLUG : PULL, i);
		plan_removal(act);
		act->leaves = act->kind == PULL;
		model->cycles += act->leaves;
		model->place[i] = ABSENT;
		model->clients[i] = 0;
	}
	return plan->acts;
}

static bool plan_quiet(struct plan *plan, struct model *model)
{
	int i;

	for (i = 0; i < HELPERS; i++) {
		if (!model->helper[i])
			continue;
		new_act(plan, model, HELPER_GO, -1)->which = i;
		model->helper[i] = false;
		model->helper_stopped[i] = false;
	}
	if (model->daemon != NOT_RUNNING)
		new_act(plan, model,
			model->daemon == RUNNING ? EGPUD_TERM : EGPUD_CONT, -1);
	model->daemon = model->daemon == STOPPED ? RUNNING : NOT_RUNNING;
	if (model->stalled)
		new_act(plan, model, RESUME, -1);
	model->stalled = false;
	if (model->visitor)
		new_act(plan, model, LEAVE, -1);
	model->visitor = false;
	return plan->acts;
}

/* --- a program whose work outlives its GPU ------------------------------------ */

static const enum act_kind work_kinds[] = { WORK_EJECT, WORK_EJECT, WORK_EJECT,
					    WORK_PULL,	WORK_PULL,  WORK_REMOVE,
					    WORK_KILL };

/* A GPU that nobody uses, so that who is moved is the program alone. */
static int work_port(const struct model *model, struct rng *rng)
{
	int i, at = rng_below(rng, PORTS);

	for (i = 0; i < PORTS; i++, at = (at + 1) % PORTS)
		if (model->place[at] == BOUND && !model->clients[at] &&
		    model_external(model, at))
			return at;
	return -1;
}

/* Helpers of ours would take the removal that the daemon has to carry out. */
static bool plan_only_daemon(struct plan *plan, struct model *model)
{
	int i;

	for (i = 0; i < HELPERS; i++) {
		if (!model->helper[i])
			continue;
		new_act(plan, model, HELPER_GO, -1)->which = i;
		model->helper[i] = false;
		model->helper_stopped[i] = false;
	}
	if (model->daemon == NOT_RUNNING)
		new_act(plan, model, EGPUD_START, -1);
	else if (model->daemon == STOPPED)
		new_act(plan, model, EGPUD_CONT, -1);
	model->daemon = RUNNING;
	return plan->acts;
}

/* The time that a program's work needs to be moved, and nothing else goes on. */
static void plan_work(struct plan *plan, struct model *model, struct rng *rng,
		      int port)
{
	static const uint32_t setting[] = { 800, 5000, 30000 };
	struct act *act = new_act(plan, model, SETTINGS, -1);

	memcpy(act->setting, setting, sizeof(act->setting));
	memcpy(model->setting, setting, sizeof(model->setting));
	act = new_act(plan, model,
		      work_kinds[rng_below(rng, sizeof(work_kinds) /
							sizeof(work_kinds[0]))],
		      port);
	act->delay_ms = rng_below(rng, 600);
	model->work = WORK_DONE;
	if (act->kind == WORK_KILL)
		return;
	expect(act, act->kind == WORK_PULL ? SURPRISE : GRACEFUL, 1, 1);
	act->leaves = true;
	model->cycles++;
	model->place[port] = act->kind == WORK_PULL ? ABSENT : REMOVED;
}

/* Return: whether the step has something to do with such a program. */
static bool plan_works(struct plan *plan, struct model *model, struct rng *rng)
{
	int port;

	if (model->work == WORK_DONE && model->loaded) {
		draw_settings(new_act(plan, model, SETTINGS, -1), model, rng);
		model->work = NO_WORK;
		return true;
	}
	if (model->work == NO_WORK && model->loaded && chance(rng, 8))
		model->work = WORK_NEXT;
	if (model->work != WORK_NEXT || !model->loaded)
		return false;
	port = work_port(model, rng);
	if (port < 0)
		return false;
	if (!plan_only_daemon(plan, model))
		plan_work(plan, model, rng, port);
	return true;
}

static bool cut_off(const struct model *model)
{
	int i;

	for (i = 0; i < PORTS; i++)
		if (model->place[i] == CUT_OFF)
			return true;
	return false;
}

static void begin_plan(struct plan *plan)
{
	unsigned int number = plan->number + 1;

	memset(plan, 0, sizeof(*plan));
	plan->number = number;
}

/**
 * plan_rest - the next step on the way to where nothing is left
 * @plan: overwritten but for its number, which is counted up
 * @model: what is there; becomes what must be there afterwards
 *
 * Return: false when nothing is left: no card, no helper, no module.
 */
bool plan_rest(struct plan *plan, struct model *model)
{
	struct act *act;

	begin_plan(plan);
	if (cut_off(model)) {
		plan_rescan_all(plan, model);
		return true;
	}
	if (plan_empty_ports(plan, model) || plan_quiet(plan, model))
		return true;
	if (model->loaded) {
		act = new_act(plan, model, UNLOAD, -1);
		plan->disturbed = true;
		model->loaded = act->kind != UNLOAD;
		return true;
	}
	plan->number--;
	return false;
}

/**
 * plan_step - choose the next step
 * @plan: overwritten but for its number, which is counted up
 * @model: what is there; becomes what must be there afterwards
 * @rng: the seed's numbers
 */
void plan_step(struct plan *plan, struct model *model, struct rng *rng)
{
	int i;

	begin_plan(plan);
	if (cut_off(model) && chance(rng, 60)) {
		/* Finds the cards of all ports, so nothing else goes on. */
		plan_rescan_all(plan, model);
		return;
	}
	if (plan_works(plan, model, rng))
		return;
	if (chance(rng, model->loaded ? 60 : 80))
		plan_world(plan, model, rng);
	for (i = 0; i < PORTS; i++)
		if (chance(rng, 75))
			plan_port(plan, model, rng, i);
}

// SPDX-License-Identifier: GPL-2.0
#include "stress.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define REST_MS 20000

/* What a removal may take beyond its own bound, on a machine under load. */
#define LATE_MS 5000

struct why {
	const char *invariant;
	char text[400];
};

static struct model before;
static uint64_t first_cookie;

/**
 * check_begin - a step begins
 * @model: what is there
 */
void check_begin(const struct model *model)
{
	before = *model;
	pthread_mutex_lock(&lock);
	first_cookie = reference()->last_cookie;
	pthread_mutex_unlock(&lock);
}

/* --- at rest ------------------------------------------------------------------ */

static bool on_bus(const struct model *model, int port)
{
	return model->place[port] == BOUND || model->place[port] == DETACHED;
}

static bool gpu_fits(const struct model *model, int port, const struct gpu *gpu,
		     struct why *why)
{
	bool bound = model->place[port] == BOUND;
	unsigned int clients =
		bound ? __builtin_popcount(model->clients[port]) : 0;

	why->invariant = "a dump shows what must be there";
	if (!on_bus(model, port))
		snprintf(why->text, sizeof(why->text),
			 "GPU %u is at %s, where the card is %s", gpu->id,
			 port_name(port), place_names[model->place[port]]);
	else if (bound ? gpu->state != EGPU_DEVICE_STATE_READY :
			 gpu->state != EGPU_DEVICE_STATE_DETACHED &&
				 gpu->state != EGPU_DEVICE_STATE_PRESENT)
		snprintf(why->text, sizeof(why->text),
			 "the GPU at %s is in state %u and must be %s",
			 port_name(port), gpu->state,
			 place_names[model->place[port]]);
	else if (gpu->external != model_external(model, port))
		snprintf(why->text, sizeof(why->text), "the GPU at %s is %s",
			 port_name(port),
			 gpu->external ? "external" : "internal");
	else if (gpu->clients != clients)
		snprintf(why->text, sizeof(why->text),
			 "the GPU at %s has %u clients instead of %u",
			 port_name(port), gpu->clients, clients);
	else if (gpu->cookie)
		snprintf(why->text, sizeof(why->text),
			 "the GPU at %s is still in removal %" PRIu64,
			 port_name(port), gpu->cookie);
	else
		return true;
	return false;
}

/* Whoever keeps clients away must be there to let them in again. */
static bool owners_live(const struct model *model,
			const struct snapshot *snapshot, struct why *why)
{
	const struct quiesce *now;
	unsigned int i;

	why->invariant = "no GPU stays fenced without an owner";
	for (i = 0; i < snapshot->quiesces; i++) {
		now = &snapshot->quiesce[i];
		if (!now->owner || helpers_own(now->owner) ||
		    model->daemon == STOPPED)
			continue;
		snprintf(why->text, sizeof(why->text),
			 "GPU %u is %s by port %u, which has no reason to",
			 now->id, quiesce_names[now->state], now->owner);
		return false;
	}
	return true;
}

static bool dump_fits(const struct model *model,
		      const struct snapshot *snapshot, struct why *why)
{
	bool listens = model->daemon == RUNNING;
	unsigned int i, n = 0;
	int port;

	for (i = 0; i < snapshot->gpus; i++) {
		port = port_of_address(snapshot->gpu[i].address);
		if (port >= 0 && !gpu_fits(model, port, &snapshot->gpu[i], why))
			return false;
		n += port >= 0;
	}
	for (port = 0; port < PORTS; port++)
		n -= on_bus(model, port);
	if (n) {
		snprintf(why->text, sizeof(why->text),
			 "%d GPUs more are listed than are there", (int)n);
		return false;
	}
	for (i = 0; i < HELPERS; i++)
		listens |= model->helper[i];
	/* A daemon that was stopped cannot join again when the module comes back. */
	if (!listens && model->daemon == STOPPED)
		return true;
	why->invariant = "who listens is known";
	snprintf(why->text, sizeof(why->text), "a helper is %s",
		 listens ? "there, the module says no" :
			   "not there, the module says yes");
	return listens == snapshot->helpers;
}

/* Whose work was on its way to another GPU has come to an end of it, unless the
 * daemon that carried it was killed.
 */
static bool work_rests(const struct plan *plan, struct why *why)
{
	struct stream *stream = reference();
	int i;

	for (i = 0; i < plan->acts; i++)
		if (plan->act[i].kind == WORK_KILL)
			stream->migrations = 0;
	why->invariant = "every migration ends";
	snprintf(why->text, sizeof(why->text), "%u are still open",
		 stream->migrations);
	if (stream->migrations)
		return false;
	why->invariant = "egpud lets go of all that it did";
	return daemon_rests(why->text, sizeof(why->text));
}

static bool rests(const struct plan *plan, const struct model *model,
		  struct why *why)
{
	static struct snapshot snapshot;
	bool fine = false;

	why->invariant = "the module answers";
	snprintf(why->text, sizeof(why->text), "it does not");
	if (ask_snapshot(&snapshot))
		return false;
	pthread_mutex_lock(&lock);
	why->invariant = "all who keep up hear all, in order, and the same";
	if (!listeners_caught_up(snapshot.seq, why->text, sizeof(why->text)))
		goto unlock;
	why->invariant = "every removal ends";
	snprintf(why->text, sizeof(why->text), "one is still open");
	if (!stream_rests(reference()))
		goto unlock;
	if (!dump_fits(model, &snapshot, why) ||
	    !owners_live(model, &snapshot, why))
		goto unlock;
	why->invariant = "no node is kept closed, no process stopped";
	if (model->daemon == RUNNING &&
	    !session_is_whole(why->text, sizeof(why->text)))
		goto unlock;
	if (model->daemon == RUNNING && !work_rests(plan, why))
		goto unlock;
	why->invariant = "what was heard is what is there";
	fine = listeners_agree(&snapshot, why->text, sizeof(why->text));
unlock:
	pthread_mutex_unlock(&lock);
	return fine;
}

static void wait_rest(const struct plan *plan, const struct model *model)
{
	uint64_t end = now_ns() + REST_MS * slow * 1000000ULL;
	struct why why;

	while (!rests(plan, model, &why)) {
		pthread_mutex_lock(&lock);
		/* What cannot be true does not become true. */
		if (reference()->complaint[0] || now_ns() > end)
			fail(why.invariant, "%s", why.text);
		listeners_wait(20);
		pthread_mutex_unlock(&lock);
	}
}

/* --- removals ----------------------------------------------------------------- */

static const struct act *act_at(const struct plan *plan, int port)
{
	int i;

	for (i = 0; i < plan->acts; i++)
		if (plan->act[i].port == port)
			return &plan->act[i];
	return NULL;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Was somebody listening all the time, or nobody at any time? */
static void who_listened(const struct model *model, bool *always, bool *never)
{
	int i;

	*always = false;
	*never = true;
	for (i = 0; i < HELPERS; i++) {
		const struct manners *manners = &model->manners[i];

		if (before.helper[i] || model->helper[i])
			*never = false;
		if (before.helper[i] && model->helper[i] && !manners->dies &&
		    !manners->leaves)
			*always = true;
	}
	if (before.daemon != NOT_RUNNING || model->daemon != NOT_RUNNING)
		*never = false;
}

static void bad(const struct removal *removal, const char *invariant,
		const char *what)
{
	fail(invariant,
	     "removal %" PRIu64
	     " of the GPU at %s: %s, %s, cause %u, origin %u, %llu ms of %u: %s",
	     removal->cookie, removal->address, phase_names[removal->phase],
	     release_names[removal->release], removal->cause, removal->origin,
	     (unsigned long long)(removal->released - removal->created) / 1000000,
	     removal->timeout_ms, what);
}

static void check_wait(const struct removal *removal, const struct model *model)
{
	uint64_t waited = removal->released - removal->created;
	uint64_t bound = removal->timeout_ms, accept = model->setting[1];

	if (waited > (removal->timeout_ms + LATE_MS * slow) * 1000000ULL)
		bad(removal, "a wait is bounded", "it was too long");
	/* Somebody else's removal shortens the time of an eject. */
	if (removal->origin == EGPU_ORIGIN_EJECT)
		bound = least(bound, model->setting[0]);
	if (removal->release == EGPU_RELEASE_TIMED_OUT &&
	    waited < bound * 1000000ULL)
		bad(removal, "a wait lasts as long as it may",
		    "timed out too early");
	if (removal->release == EGPU_RELEASE_NOT_ACCEPTED &&
	    waited < least(bound, accept) * 1000000ULL)
		bad(removal, "a wait lasts as long as it may",
		    "nobody had the time to accept it");
}

static void check_helpers(const struct removal *removal,
			  const struct model *model)
{
	const struct dealing *dealing = dealing_of(removal->cookie);
	bool daemon = before.daemon != NOT_RUNNING ||
		      model->daemon != NOT_RUNNING;
	bool acked = removal->release == EGPU_RELEASE_ACKED;
	bool withdrawn = removal->release == EGPU_RELEASE_WITHDRAWN;
	bool always, never;

	who_listened(model, &always, &never);
	if (dealing->acked != acked && (dealing->acked || !daemon))
		bad(removal,
		    "an ack that was taken releases, and nothing else is acked",
		    dealing->acked ? "acked" : "not acked by anybody");
	/* The daemon refuses, too. */
	if (dealing->withdrawn != withdrawn && (dealing->withdrawn || !daemon))
		bad(removal, "a cancel or a refusal that was granted holds",
		    dealing->withdrawn ? "it was granted" : "it was not");
	if (dealing->closed_at && removal->released > dealing->closed_at)
		bad(removal, "nothing waits for a helper that has gone",
		    "it had gone before");
	if (removal->release == EGPU_RELEASE_HELPER_DIED &&
	    !dealing->closed_at && !daemon)
		bad(removal, "a helper that lives has not died", "it lives");
	if (always && removal->release == EGPU_RELEASE_UNATTENDED)
		bad(removal, "a removal waits for who listens",
		    "a helper listened");
	if (never && (removal->accepted ||
		      removal->release == EGPU_RELEASE_NOT_ACCEPTED))
		bad(removal, "without a helper nothing waits", "none listened");
}

static void check_release(const struct removal *removal, const struct act *act,
			  const struct model *model)
{
	bool pulled = act->pulled_from;

	if (removal->external != model_external(model, act->port))
		bad(removal, "a removal knows whether its GPU is external",
		    removal->external ? "external" : "internal");
	if (!removal->external && removal->release != EGPU_RELEASE_INTERNAL &&
	    removal->release != EGPU_RELEASE_GONE)
		bad(removal, "what is internal is not held", "it is internal");
	if (removal->external && removal->release == EGPU_RELEASE_INTERNAL)
		bad(removal, "what is external is asked about",
		    "it is external");
	if (removal->release == EGPU_RELEASE_UNLOADED)
		bad(removal, "only an unload releases as unloaded",
		    "nothing was unloaded");
	if (removal->release == EGPU_RELEASE_OVERTAKEN && !pulled)
		bad(removal, "only a pull overtakes", "nothing was pulled");
	if (removal->release == EGPU_RELEASE_GONE && !pulled &&
	    removal->origin != EGPU_ORIGIN_EJECT)
		bad(removal, "only what was pulled has gone",
		    "nothing was pulled");
	check_wait(removal, model);
	check_helpers(removal, model);
}

static void check_cause(const struct removal *removal, const struct act *act)
{
	static const char *const name = "the cause is right";

	if (removal->phase != EGPU_PHASE_DONE)
		return;
	if (!(act->causes & BIT(removal->cause)))
		bad(removal, name, act_names[act->kind]);
	if (!act->pulled_from)
		return;
	if (removal->created > act->pulled_to &&
	    removal->cause != EGPU_CAUSE_SURPRISE)
		bad(removal, name, "it was pulled before");
	if (removal->finished < act->pulled_from &&
	    removal->cause == EGPU_CAUSE_SURPRISE)
		bad(removal, name, "it was pulled afterwards");
	if (removal->release == EGPU_RELEASE_OVERTAKEN &&
	    !(removal->evidence & EGPU_EVIDENCE_OVERTAKEN))
		bad(removal, name, "overtaken without the flag");
}

/* Nothing is in flight, so a drain that is left alone ends well. */
static void check_quiesce(const struct act *act, const struct model *model)
{
	bool external = model_external(model, act->port);
	bool others = model->daemon != NOT_RUNNING ||
		      before.daemon != NOT_RUNNING;
	int i;

	for (i = 0; i < HELPERS; i++)
		others |= before.helper[i] || model->helper[i];
	if (external ? act->error && (act->error != -EBUSY || !others) :
		       act->error != -EOPNOTSUPP)
		fail("an external GPU can be quiesced, no other can",
		     "%s at %s: error %d", act_names[act->kind],
		     port_name(act->port), act->error);
	if (act->kind == QUIESCE && !act->error &&
	    act->drained != EGPU_DRAIN_RESULT_DRAINED)
		fail("what has nothing in flight drains", "%s: %s",
		     port_name(act->port), drain_names[act->drained]);
}

/* An eject that a helper has refused: what has removed the GPU is our second try. */
static bool was_refused(const struct act *act)
{
	struct stream_removal *removal =
		stream_removal(reference(), act->cookie);

	return removal && removal->now.phase == EGPU_PHASE_REFUSED &&
	       removal->now.release == EGPU_RELEASE_WITHDRAWN;
}

static void check_act(const struct act *act, int removals, int left)
{
	bool refused = act->fell_back && was_refused(act);
	int expected = act->leaves;

	/* The cancel may come too late; then the GPU was found again. */
	if (act->kind == EJECT_CANCEL && !act->cancelled && !act->error)
		expected = left <= 1 ? left : 1;
	if (left != expected)
		fail("a GPU leaves once",
		     "%s at %s: disconnected %d times instead of %d",
		     act_names[act->kind], port_name(act->port), left, expected);
	if (removals < act->removals_min ||
	    removals > act->removals_max + refused)
		fail("a removal is one request",
		     "%s at %s: %d removals instead of %d to %d",
		     act_names[act->kind], port_name(act->port), removals,
		     act->removals_min, act->removals_max);
	if (act->fell_back && !refused)
		fail("an eject ejects", "%s at %s: error %d, removal %" PRIu64,
		     act_names[act->kind], port_name(act->port), act->error,
		     act->cookie);
}

static void check_removals(const struct plan *plan, const struct model *model)
{
	int removals[PORTS] = {}, left[PORTS] = {};
	struct stream_removal *removal;
	const struct act *act;
	uint64_t cookie;
	int port;

	for (cookie = first_cookie + 1; cookie <= reference()->last_cookie;
	     cookie++) {
		removal = stream_removal(reference(), cookie);
		port = removal ? port_of_address(removal->now.address) : -1;
		act = port < 0 ? NULL : act_at(plan, port);
		if (!act)
			fail("nothing is removed by itself", "removal %" PRIu64,
			     cookie);
		removals[port]++;
		left[port] += removal->disconnected;
		check_release(&removal->now, act, model);
		check_cause(&removal->now, act);
	}
	for (port = 0; port < PORTS; port++) {
		act = act_at(plan, port);
		if (act)
			check_act(act, removals[port], left[port]);
		if (act && act->kind >= QUIESCE && act->kind <= QUIESCE_PULL)
			check_quiesce(act, model);
	}
}

/**
 * check_rest - wait for everything to come to rest, then look at it
 * @plan: the step that was done
 * @model: what must be there
 */
void check_rest(const struct plan *plan, const struct model *model)
{
	int port;

	for (port = 0; port < PORTS; port++)
		if (gpu_on_bus(port) != on_bus(model, port))
			fail("the bus has what it must have",
			     "the card in %s must be %s", port_name(port),
			     place_names[model->place[port]]);
	if (!model->loaded)
		return;
	helpers_return();
	wait_rest(plan, model);
	if (plan->disturbed)
		return;
	pthread_mutex_lock(&lock);
	check_removals(plan, model);
	pthread_mutex_unlock(&lock);
}

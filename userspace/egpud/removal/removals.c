// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Removals that we have accepted, several at a time: which of them an event is
 * about, and the machine that takes them from state to state.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "../work.h"

#define MS 1000000ull

/* Before the deadline, so that it is we who say how it ends. */
#define EJECT_MARGIN (500 * MS)
#define HOLD_MARGIN  (300 * MS)
/* Longest hold there is, for a kernel that does not say. */
#define HOLD_MS 2000

void removal_log(int level, const struct removal *removal, const char *format,
		 ...)
{
	char message[512], cookie[24], id[16];
	const struct log_field fields[] = {
		{ "cookie", cookie },
		{ "id", id },
		{ "address", removal->address },
		{ "step", txn_state_name(removal->state) },
		{ NULL, NULL },
	};
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	snprintf(cookie, sizeof(cookie), "%" PRIu64, removal->cookie);
	snprintf(id, sizeof(id), "%" PRIu32, removal->id);
	log_fields(level, fields, "%s", message);
}

static struct removal *find(struct daemon *daemon, uint64_t cookie)
{
	struct removal *removal;

	for (removal = daemon->removals; removal; removal = removal->next) {
		if (removal->cookie == cookie)
			return removal;
	}
	return NULL;
}

static void free_removal(struct removal *removal)
{
	step_stop_timers(removal);
	ask_stop(removal);
	plain_stop(removal);
	nodes_free(&removal->nodes);
	holders_free(&removal->holders);
	free(removal->frozen.item);
	free(removal);
}

static void forget(struct removal *removal)
{
	struct removal **link = &removal->daemon->removals;

	while (*link != removal)
		link = &(*link)->next;
	*link = removal->next;
	free_removal(removal);
}

/**
 * removal_input() - something has happened
 * @removal: removal; freed when it has come to its end
 * @input: what
 */
void removal_input(struct removal *removal, enum txn_input input)
{
	enum txn_state then;

	while (input != TXN_NOTHING) {
		then = txn_next(removal->state, input);
		if (then == removal->state)
			break;
		if (input == TXN_RELEASED)
			removal->released = true;
		removal->state = then;
		removal_log(LOG_DEBUG, removal, "enters a step");
		input = step_enter(removal);
	}
	if (removal->state >= TXN_UNDONE)
		forget(removal);
}

/* Others hold the removal now: a short time is left and nothing to refuse. */
static void hurry(struct removal *removal)
{
	struct daemon *daemon = removal->daemon;
	struct egpu_settings *settings = NULL;
	uint64_t deadline = HOLD_MS * MS;

	if (!egpu_settings_get(daemon->ctx, &settings))
		deadline = settings->hold_ms * MS;
	egpu_settings_free(settings);
	deadline += daemon->now();
	if (deadline < removal->deadline)
		removal->deadline = deadline;
	removal->margin = HOLD_MARGIN;
	removal->eject = false;
	removal_log(LOG_WARNING, removal,
		    "somebody else removes the GPU that was to be ejected");
	step_hurry(removal);
}

static void update(struct removal *removal, const struct egpu_removal *now,
		   bool disconnected)
{
	enum txn_input input = txn_input_of(now, disconnected);

	if (input == TXN_HURRY && !removal->eject)
		return;
	if (input == TXN_HURRY)
		hurry(removal);
	removal_input(removal, input);
}

static uint64_t margin_of(const struct egpu_removal *removal)
{
	uint64_t margin = EJECT_MARGIN;

	if (removal->origin != EGPU_ORIGIN_EJECT)
		margin = HOLD_MARGIN;
	/* Of a short time most is for work all the same. */
	if (margin > removal->timeout_ms * MS / 4)
		margin = removal->timeout_ms * MS / 4;
	return margin;
}

static struct removal *new_removal(struct daemon *daemon,
				   const struct egpu_removal *from)
{
	struct removal *removal = calloc(1, sizeof(*removal));
	const struct card *card = card_find(daemon, from->id);

	if (!removal)
		return NULL;
	removal->daemon = daemon;
	removal->cookie = from->cookie;
	removal->id = from->id;
	strcpy(removal->address, from->address);
	removal->eject = from->origin == EGPU_ORIGIN_EJECT;
	removal->force = from->force;
	removal->deadline = from->created + from->timeout_ms * MS;
	removal->margin = margin_of(from);
	removal->state = removal->eject ? TXN_FENCE : TXN_FREEZE;
	if (card && card_copy_nodes(card, &removal->nodes)) {
		free(removal);
		return NULL;
	}
	return removal;
}

/* -EBUSY and the like: another helper was first, or it is over. Nothing lost. */
static bool is_race(int err)
{
	return err == -EBUSY || err == -EALREADY || err == -ETIME ||
	       err == -ENOENT || err == -EPROTONOSUPPORT;
}

static void accept_removal(struct daemon *daemon,
			   const struct egpu_removal *from)
{
	struct removal *removal = new_removal(daemon, from);
	int err;

	/* Not accepted what cannot be worked on, so that nobody waits for it. */
	if (!removal) {
		log_line(LOG_ERR,
			 "cannot accept the removal of %s: out of memory",
			 from->address);
		return;
	}
	crash_point();
	err = egpu_accept(daemon->ctx, from->cookie);
	if (err) {
		removal_log(is_race(err) ? LOG_NOTICE : LOG_ERR, removal, "%s",
			    egpu_error(daemon->ctx));
		free_removal(removal);
		return;
	}
	removal->next = daemon->removals;
	daemon->removals = removal;
	removal_log(LOG_INFO, removal, "accepted");
	measure_stop(daemon, removal->id);
	removal_input(removal, step_enter(removal));
}

/**
 * removals_take() - a removal began or went on
 * @daemon: daemon
 * @removal: the removal as it is now
 * @disconnected: the GPU is off the bus
 */
void removals_take(struct daemon *daemon, const struct egpu_removal *removal,
		   bool disconnected)
{
	struct removal *ours = find(daemon, removal->cookie);

	if (ours)
		update(ours, removal, disconnected);
	/* The kernel holds no others, but what it holds is for it to say. */
	else if (removal->phase == EGPU_PHASE_PENDING && removal->external &&
		 !disconnected)
		accept_removal(daemon, removal);
}

/**
 * removals_take_state() - events were lost, so look how ours have gone on
 * @daemon: daemon
 * @list: all removals that the kernel remembers
 *
 * Removals that are new are told by events of their own.
 */
void removals_take_state(struct daemon *daemon,
			 const struct egpu_removal_list *list)
{
	struct removal *removal, *next;
	size_t i;

	for (removal = daemon->removals; removal; removal = next) {
		next = removal->next;
		for (i = 0; i < list->count; i++) {
			if (list->item[i]->cookie == removal->cookie)
				break;
		}
		if (i == list->count)
			removal_input(removal, TXN_LEFT);
		else
			update(removal, list->item[i], false);
	}
	/* How a drain goes is not among what a resync tells. */
	for (removal = daemon->removals; removal; removal = next) {
		next = removal->next;
		removal_input(removal, step_quiesce(removal));
	}
}

/**
 * removals_take_quiesce() - the quiescing of a GPU goes on
 * @daemon: daemon
 * @quiesce: of which GPU
 */
void removals_take_quiesce(struct daemon *daemon,
			   const struct egpu_quiesce *quiesce)
{
	struct removal *removal, *next;

	if (quiesce->state == EGPU_QUIESCE_STATE_DRAINING)
		return;
	for (removal = daemon->removals; removal; removal = next) {
		next = removal->next;
		if (removal->id == quiesce->id)
			removal_input(removal, step_quiesce(removal));
	}
}

/**
 * removals_stop() - put everything back
 * @daemon: daemon
 * @why: for the log, and the reason for which ejects are refused
 * @refuse: there is still somebody to be told
 */
void removals_stop(struct daemon *daemon, const char *why, bool refuse)
{
	struct removal *removal;

	while ((removal = daemon->removals)) {
		removal_log(LOG_WARNING, removal, "%s", why);
		if (refuse && removal->eject && removal->state < TXN_LEAVE) {
			reason_set(removal->reason, "%s", why);
			removal->refuse = true;
		}
		removal_input(removal, TXN_OFF);
	}
}

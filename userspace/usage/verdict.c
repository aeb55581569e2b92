// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whether the cable of a GPU can be pulled. Pure: facts are passed in.
 *
 * One name and the reasons for it. What is going on counts first, then how the
 * last eject ended, then how things are.
 */
#include <stdarg.h>
#include <string.h>

#include "../common/text.h"
#include "private.h"

__attribute__((format(printf, 2, 3))) static void
add_reason(struct verdict *verdict, const char *format, ...)
{
	va_list args;

	if (verdict->n == VERDICT_REASONS_MAX)
		return;
	va_start(args, format);
	vsnprintf(verdict->reason[verdict->n++], VERDICT_REASON_SIZE, format,
		  args);
	va_end(args);
}

/* Does it stand in the way? Who has only opened it for others does not. */
static bool counts(const struct holder *holder)
{
	return holder->role != ROLE_SELF && !(holder->how & HOLDER_OPENED_FOR);
}

static size_t count_holders(const struct holders *holders)
{
	size_t i, n = 0;

	for (i = 0; holders && i < holders->n; i++)
		n += counts(&holders->item[i]);
	return n;
}

static void add_holder(struct verdict *verdict, const struct holder *holder)
{
	char comm[PROCESS_COMM_SIZE], how[64];

	add_reason(verdict, "%s (process %d%s) uses it: %s",
		   text_printable(holder->process.comm, comm, sizeof(comm)),
		   (int)holder->process.pid,
		   holder->master ? ", shows a picture" : "",
		   holder_how_text(holder->how, how, sizeof(how)));
}

/* The display first; one reason is kept for how many more there are. */
static void add_holders(struct verdict *verdict, const struct holders *holders)
{
	size_t left = count_holders(holders), i;
	int pass;

	for (pass = 0; holders && pass < 2; pass++) {
		for (i = 0; i < holders->n; i++) {
			const struct holder *holder = &holders->item[i];

			if (!counts(holder) || holder->master == pass)
				continue;
			if (verdict->n == VERDICT_REASONS_MAX - 1 && left > 1)
				break;
			add_holder(verdict, holder);
			left--;
		}
	}
	if (left)
		add_reason(verdict, "%zu more processes use it", left);
}

/* What may be hidden from us. */
static void add_doubts(struct verdict *verdict, const struct holders *holders)
{
	if (!holders) {
		add_reason(verdict, "who uses it is not known");
		return;
	}
	if (holders->unnamed)
		add_reason(verdict,
			   "%u open DRM file%s of it belong%s to no process that could be seen",
			   holders->unnamed, holders->unnamed == 1 ? "" : "s",
			   holders->unnamed == 1 ? "s" : "");
	if (holders->unseen)
		add_reason(verdict,
			   "%u process%s could not be looked into, root sees more",
			   holders->unseen, holders->unseen == 1 ? "" : "es");
}

static bool is_open(const struct egpu_removal *removal)
{
	return removal->phase < EGPU_PHASE_DONE;
}

static const char *doing(const struct egpu_removal *removal)
{
	static const char *const step[] = {
		[EGPU_STEP_NONE] = "the helper works on it",
		[EGPU_STEP_FENCE] = "it is being closed to new programs",
		[EGPU_STEP_ASK] = "its programs are asked to let go",
		[EGPU_STEP_FREEZE] = "its programs are being frozen",
		[EGPU_STEP_DRAIN] = "its work in flight is awaited",
		[EGPU_STEP_REMOVE] = "it is about to be removed",
	};

	switch (removal->phase) {
	case EGPU_PHASE_PENDING:
		return "its removal waits for a helper";
	case EGPU_PHASE_RELEASED:
		return "its driver is letting go";
	case EGPU_PHASE_UNBOUND:
		return "its driver has let go, it is being taken off the bus";
	}
	return removal->step < ARRAY_SIZE(step) ? step[removal->step] :
						  step[EGPU_STEP_NONE];
}

/* A removal is going on. */
static void judge_open(const struct verdict_facts *facts,
		       struct verdict *verdict)
{
	if (facts->overdue) {
		verdict->name = "timed-out";
		add_reason(verdict, "the eject was not done in time: %s",
			   doing(facts->removal));
	} else {
		verdict->name = "leaving";
		add_reason(verdict, "%s", doing(facts->removal));
	}
}

/* The GPU is off the bus. */
static void judge_gone(const struct verdict_facts *facts,
		       struct verdict *verdict)
{
	const struct egpu_removal *removal = facts->removal;

	if (removal && removal->cause == EGPU_CAUSE_SURPRISE) {
		verdict->name = "surprise";
		add_reason(verdict, "it %s, what its programs had on it is lost",
			   removal->origin == EGPU_ORIGIN_EJECT ?
				   "was gone before its eject had ended" :
				   "went without having been asked for");
	} else if (removal && is_open(removal)) {
		judge_open(facts, verdict);
	} else if (facts->left) {
		verdict->name = "attached";
	} else {
		verdict->name = "safe-to-unplug";
		verdict->safe = true;
		add_reason(verdict, "it is off the bus");
	}
	if (facts->left)
		add_reason(verdict,
			   "%u other function%s of its slot %s still on the bus",
			   facts->left, facts->left == 1 ? "" : "s",
			   facts->left == 1 ? "is" : "are");
}

/* How the last removal of a GPU that is still here ended, or NULL. */
static const char *name_of_end(const struct egpu_removal *removal)
{
	if (removal->phase == EGPU_PHASE_CANCELLED)
		return "cancelled";
	if (removal->phase != EGPU_PHASE_REFUSED)
		return NULL;
	return removal->release == EGPU_RELEASE_TIMED_OUT ? "timed-out" :
							    "refused";
}

static void add_end(struct verdict *verdict, const struct egpu_removal *removal)
{
	char reason[EGPU_REASON_LEN + 1];

	text_printable(removal->reason, reason, sizeof(reason));
	if (!strcmp(verdict->name, "cancelled"))
		add_reason(verdict, "the last eject was called off%s%s",
			   *reason ? ": " : "", reason);
	else if (!strcmp(verdict->name, "timed-out"))
		add_reason(verdict, "the last eject was not done in time%s%s",
			   *reason ? ": " : "", reason);
	else
		add_reason(verdict, "the last eject was refused%s%s",
			   *reason ? ": " : "", reason);
}

/* Neither leaving nor just kept from it. */
static void judge_at_rest(const struct verdict_facts *facts,
			  struct verdict *verdict)
{
	const struct egpu_device *device = facts->device;
	const struct holders *holders = facts->holders;
	bool used = count_holders(holders) || (holders && holders->unnamed);

	/* The kernel's count is of use where we cannot see for ourselves. */
	if (!holders || holders->unseen)
		used |= device->clients > 0;

	if (device->state == EGPU_DEVICE_STATE_DETACHED) {
		verdict->name = "unbound";
		add_reason(verdict,
			   "its driver has let go, but it is still on the bus; eject it");
	} else if (used) {
		verdict->name = "in-use";
	} else {
		verdict->name = "attached";
		add_reason(verdict, device->external ?
					    "it is on the bus; eject it first" :
					    "it is internal, it has no cable");
	}
}

static bool is_known_state(uint32_t state)
{
	return state <= EGPU_DEVICE_STATE_GONE;
}

/* One that has just been kept from leaving is still so called for a moment. */
static bool is_leaving(const struct egpu_device *device,
		       const struct egpu_removal *removal)
{
	if (device->cookie && removal && device->cookie == removal->cookie)
		return !name_of_end(removal);
	return device->cookie || device->state == EGPU_DEVICE_STATE_LEAVING;
}

/* The GPU is on the bus. */
static void judge_present(const struct verdict_facts *facts,
			  struct verdict *verdict)
{
	const struct egpu_removal *removal = facts->removal;
	const struct egpu_device *device = facts->device;

	/* That of a GPU that was here before says nothing of this one. */
	if (removal && removal->id != device->id)
		removal = NULL;
	if (!is_known_state(device->state)) {
		verdict->name = "unknown";
		add_reason(verdict, "it is in a state that is not known here");
	} else if (removal && is_open(removal)) {
		judge_open(facts, verdict);
	} else if (is_leaving(device, removal)) {
		verdict->name = "leaving";
		add_reason(verdict, "its driver is being unbound");
	} else if (removal && name_of_end(removal)) {
		verdict->name = name_of_end(removal);
		add_end(verdict, removal);
	} else {
		judge_at_rest(facts, verdict);
	}
	add_holders(verdict, facts->holders);
	add_doubts(verdict, facts->holders);
}

/**
 * verdict_of() - whether the cable of a GPU can be pulled
 * @facts: what is known
 * @verdict: where to put the answer
 */
void verdict_of(const struct verdict_facts *facts, struct verdict *verdict)
{
	memset(verdict, 0, sizeof(*verdict));
	if (facts->lost) {
		verdict->name = "unknown";
		add_reason(verdict,
			   "the egpu module was unloaded or has forgotten it, see 'egpuctl list'");
		return;
	}
	if (facts->device && facts->device->state != EGPU_DEVICE_STATE_GONE)
		judge_present(facts, verdict);
	else
		judge_gone(facts, verdict);
}

/**
 * verdict_text() - a verdict for people
 * @verdict: verdict
 * @reasons: how many of its reasons to tell at most
 * @buf: where to put "is not safe to unplug: this; that"
 * @size: size of @buf, VERDICT_TEXT_SIZE is enough
 *
 * Return: @buf, the end of a sentence that begins with the GPU.
 */
const char *verdict_text(const struct verdict *verdict, size_t reasons,
			 char *buf, size_t size)
{
	const char *how = verdict->safe ? "is safe" : "is not safe";
	size_t at, i;
	int len;

	/* Somebody has pulled it, so that is no question any more. */
	if (!strcmp(verdict->name, "surprise"))
		how = "was not safe";
	else if (!strcmp(verdict->name, "unknown"))
		how = "is not known to be safe";
	at = snprintf(buf, size, "%s to unplug", how);
	for (i = 0; i < verdict->n && i < reasons && at < size; i++) {
		len = snprintf(buf + at, size - at, "%s%s", i ? "; " : ": ",
			       verdict->reason[i]);
		at += len > 0 ? len : 0;
	}
	return buf;
}

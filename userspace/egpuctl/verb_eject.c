// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpuctl eject: make a GPU safe to unplug, and say when it is
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../common/text.h"
#include "ctl.h"

/**
 * struct eject - an eject being watched
 * @ctl: where to report
 * @mon: the events, from before the eject was asked for
 * @signals: descriptor of Ctrl-C
 * @device: the GPU as it was before, with what @devices owns
 * @devices: all GPUs as they were before
 * @cookie: the removal
 * @shown: how many phases of the removal were shown
 * @step: the helper's step that was shown last
 * @quiesce: state of the quiescing that was shown last
 * @removal: the removal as last heard of, or NULL; owned
 * @deadline: CLOCK_MONOTONIC in ms after which it is of no use to wait
 * @lost: the kernel has forgotten the removal, or was unloaded
 * @overdue: @deadline has passed
 * @interrupts: how often Ctrl-C was pressed
 */
struct eject {
	struct ctl *ctl;
	struct egpu_monitor *mon;
	int signals;
	const struct egpu_device *device;
	struct egpu_device_list *devices;
	uint64_t cookie;
	size_t shown;
	uint32_t step;
	uint32_t quiesce;
	struct egpu_removal *removal;
	uint64_t deadline;
	bool lost;
	bool overdue;
	int interrupts;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_over(const struct eject *ej)
{
	return ej->lost || ej->overdue ||
	       (ej->removal && (ej->removal->phase == EGPU_PHASE_DONE ||
				ej->removal->phase == EGPU_PHASE_CANCELLED ||
				ej->removal->phase == EGPU_PHASE_REFUSED));
}

/* Asks for the removal anew; that of the events has not all that a reply has. */
static int refresh(struct eject *ej)
{
	struct egpu_removal *removal;
	int err;

	err = egpu_removal_get(ej->ctl->ctx, ej->cookie, &removal);
	if (err)
		return err;
	egpu_removal_free(ej->removal);
	ej->removal = removal;
	return 0;
}

/* ------------------------------------------------------------- progress */

static bool shows_progress(const struct eject *ej)
{
	return ej->ctl->terminal && !ej->ctl->json;
}

/* Shows the phases since the last time; several may come in one go. */
static void show_phases(struct eject *ej, const struct egpu_removal *rem)
{
	char phase[EGPU_NAME_SIZE];
	struct ctl_step steps[STEPS_MAX];
	size_t n = steps_of(rem, steps);

	if (!shows_progress(ej))
		return;
	for (; ej->shown < n; ej->shown++)
		fprintf(ej->ctl->out, "%10.3f ms  %-10s %s\n",
			(double)steps[ej->shown].after / 1e6,
			egpu_name_text(EGPU_NAMES_PHASE, steps[ej->shown].phase,
				       phase, sizeof(phase)),
			steps_meaning(rem, &steps[ej->shown]));
	fflush(ej->ctl->out);
}

/* A line between two phases; what is made up after a loss has no time. */
static void show_between(struct eject *ej, uint64_t time, const char *what,
			 const char *meaning)
{
	uint64_t created = ej->removal ? ej->removal->created : 0;

	if (!shows_progress(ej))
		return;
	if (time > created && created)
		fprintf(ej->ctl->out, "%10.3f ms  ",
			(double)(time - created) / 1e6);
	else
		fprintf(ej->ctl->out, "%15s", "");
	fprintf(ej->ctl->out, "%-10s %s\n", what, meaning);
	fflush(ej->ctl->out);
}

/* Whom the person at the terminal may help to let go. */
static void show_asked(struct eject *ej)
{
	char comm[PROCESS_COMM_SIZE], text[TEXT_SIZE];
	struct ctl_held held;
	size_t i;

	if (!shows_progress(ej))
		return;
	/* By now they may be gone, and the GPU with them. */
	if (!ctl_holders(ej->ctl, ej->device, &held)) {
		for (i = 0; i < held.holders.n; i++) {
			const struct holder *holder = &held.holders.item[i];

			text_printable(holder->process.comm, comm, sizeof(comm));
			snprintf(text, sizeof(text), "%s (%d) %s", comm,
				 (int)holder->process.pid,
				 ctl_outcome(ej->ctl, holder));
			show_between(ej, 0, "", text);
		}
	}
	ctl_holders_free(&held);
}

/* That the helper is done, the phase that follows says as well. */
static void show_step(struct eject *ej, const struct egpu_event *event)
{
	uint32_t step = event->removal->step;
	char name[EGPU_NAME_SIZE];

	if (step == ej->step)
		return;
	ej->step = step;
	if (step != EGPU_STEP_NONE && step != EGPU_STEP_REMOVE)
		show_between(ej, event->time,
			     egpu_name_text(EGPU_NAMES_STEP, step, name,
					    sizeof(name)),
			     describe_step(step));
	if (step == EGPU_STEP_ASK)
		show_asked(ej);
}

/* How a drain has ended; what comes before is only counting. */
static void show_quiesce(struct eject *ej, const struct egpu_event *event)
{
	const struct egpu_quiesce *quiesce = event->quiesce;
	bool was_draining = ej->quiesce == EGPU_QUIESCE_STATE_DRAINING;
	char name[EGPU_NAME_SIZE], text[TEXT_SIZE];

	ej->quiesce = quiesce->state;
	if (was_draining && quiesce->state != EGPU_QUIESCE_STATE_DRAINING)
		show_between(ej, event->time,
			     egpu_name_text(EGPU_NAMES_DRAIN, quiesce->result,
					    name, sizeof(name)),
			     describe_quiesce(quiesce, text));
}

/* Where a program goes, and why it does not. */
static void show_migration(struct eject *ej, const struct egpu_event *event)
{
	static const char *const words[] = {
		[EGPU_MIGRATION_PHASE_STARTED] = "moves",
		[EGPU_MIGRATION_PHASE_COMPLETED] = "moved",
		[EGPU_MIGRATION_PHASE_FAILED] = "stays",
		[EGPU_MIGRATION_PHASE_CHECKPOINTED] = "saved",
	};
	const struct egpu_migration *mig = event->migration;
	char comm[EGPU_STRING_MAX], reason[EGPU_REASON_LEN + 1];
	char where[TEXT_SIZE] = "", text[2 * TEXT_SIZE], pid[16] = "";

	if (mig->phase >= sizeof(words) / sizeof(words[0]))
		return;
	if (mig->cpu)
		strcpy(where, "the CPU");
	else if (event->target)
		describe_device(event->target, where);
	/* Who has ended has none. */
	if (mig->pid)
		snprintf(pid, sizeof(pid), " (%u)", mig->pid);
	text_printable(mig->comm, comm, sizeof(comm));
	text_printable(mig->reason, reason, sizeof(reason));
	if (mig->phase == EGPU_MIGRATION_PHASE_FAILED)
		snprintf(text, sizeof(text), "%s%s: %s", comm, pid, reason);
	else
		snprintf(text, sizeof(text), "%s%s%s%s", comm, pid,
			 *where ? " to " : "", where);
	show_between(ej, event->time, words[mig->phase], text);
}

static void say(struct eject *ej, const char *text)
{
	if (!ej->ctl->json)
		fprintf(ej->ctl->err, "egpuctl: %s\n", text);
}

/* The removal may have become an old story while events were lost. */
static void take_state(struct eject *ej, const struct egpu_event *event)
{
	size_t i;

	for (i = 0; i < event->removals->count; i++) {
		if (event->removals->item[i]->cookie == ej->cookie)
			return;
	}
	ej->lost = true;
}

static void take_event(struct eject *ej, const struct egpu_event *event)
{
	if (event->type == EGPU_EVENT_MODULE_GONE) {
		ej->lost = true;
		return;
	}
	if (event->type == EGPU_EVENT_RESYNC) {
		take_state(ej, event);
		return;
	}
	if (event->quiesce && event->quiesce->id == ej->device->id)
		show_quiesce(ej, event);
	if (event->migration && event->migration->cookie == ej->cookie)
		show_migration(ej, event);
	if (!event->removal || event->removal->cookie != ej->cookie)
		return;
	/* That of the event is the library's; the reply is ours to keep. */
	refresh(ej);
	show_phases(ej, event->removal);
	show_step(ej, event);
}

/* All that are there, although it may be over already: they are its story. */
static int take_events(struct eject *ej)
{
	const struct egpu_event *event;
	int more = 0;

	while (!ej->lost) {
		more = egpu_monitor_next(ej->mon, &event);
		if (more <= 0)
			break;
		take_event(ej, event);
	}
	return more < 0 ? ctl_fail_lib(ej->ctl, more) : EXIT_OK;
}

/* The first Ctrl-C calls the eject off, the second one only stops watching. */
static void take_interrupt(struct eject *ej)
{
	if (!signals_taken(ej->signals))
		return;
	if (ej->interrupts++)
		return;
	if (egpu_cancel(ej->ctl->ctx, ej->cookie, "interrupted"))
		say(ej,
		    "too late to cancel, the removal goes on; interrupt again to stop watching");
	else
		say(ej, "cancelling");
}

static int wait_some(struct eject *ej)
{
	struct pollfd fds[] = {
		{ .fd = egpu_monitor_fd(ej->mon), .events = POLLIN },
		{ .fd = ej->signals, .events = POLLIN },
	};
	uint64_t now = now_ms();
	int ready;

	if (now >= ej->deadline) {
		ej->overdue = true;
		return EXIT_OK;
	}
	ready = poll(fds, 2, (int)(ej->deadline - now));
	if (ready < 0 && errno != EINTR)
		return ctl_fail(ej->ctl, EXIT_OTHER, -errno,
				"cannot wait for the eject: %s",
				strerror(errno));
	if (ready > 0 && fds[1].revents)
		take_interrupt(ej);
	return EXIT_OK;
}

/* Until it is over, one way or another. */
static int watch(struct eject *ej)
{
	int code = EXIT_OK;

	while (!code) {
		code = take_events(ej);
		if (code || is_over(ej) || ej->interrupts > 1)
			break;
		code = wait_some(ej);
	}
	return code;
}

/* ------------------------------------------------------------- verdict */

/**
 * struct end - how an eject ended
 * @now: the GPU as it is now, or NULL when it is off the bus
 * @refused: which is explained by a list of who holds it
 * @held: who holds it, as far as is known
 * @listed: what the kernel lists for it, or NULL
 * @verdict: whether its cable can be pulled
 * @code: exit code
 */
struct end {
	struct egpu_device *now;
	bool refused;
	struct ctl_held held;
	struct egpu_client_list *listed;
	struct verdict verdict;
	enum ctl_exit code;
};

/* The verdict is for people who want to pull a cable, this one for scripts. */
static enum ctl_exit exit_code(const struct eject *ej,
			       const struct verdict *verdict)
{
	const struct egpu_removal *rem = ej->removal;

	if (ej->lost || !rem)
		return EXIT_OTHER;
	switch (rem->phase) {
	case EGPU_PHASE_CANCELLED:
		return EXIT_CANCELLED;
	case EGPU_PHASE_REFUSED:
		return EXIT_BUSY;
	case EGPU_PHASE_DONE:
		break;
	default:
		return ej->overdue ? EXIT_TIMEOUT : EXIT_OTHER;
	}
	if (rem->cause == EGPU_CAUSE_SURPRISE)
		return EXIT_SURPRISE;
	return verdict->safe ? EXIT_OK : EXIT_OTHER;
}

/* Without an answer there is still to tell how the eject ended. */
static void who_holds(struct ctl *ctl, const struct egpu_device *device,
		      struct ctl_held *held, struct egpu_client_list **listed)
{
	ctl_holders(ctl, device, held);
	*listed = NULL;
	if (ctl->json && egpu_client_list(ctl->ctx, device->id, listed))
		*listed = NULL;
}

static void who_holds_to_json(struct ctl *ctl, struct json *json,
			      const struct ctl_held *held,
			      const struct egpu_client_list *listed)
{
	if (listed)
		tojson_clients(json, listed);
	if (held->known)
		tojson_held(ctl, json, "usage", held);
}

static void judge(struct eject *ej, struct end *end)
{
	struct ctl *ctl = ej->ctl;
	struct verdict_facts facts = { .removal = ej->removal };

	if (egpu_device_get(ctl->ctx, ej->device->id, NULL, &end->now))
		end->now = NULL;
	end->refused = ej->removal && ej->removal->phase == EGPU_PHASE_REFUSED;
	if (end->now)
		who_holds(ctl, end->now, &end->held, &end->listed);
	facts.device = end->now;
	facts.holders = end->held.known ? &end->held.holders : NULL;
	facts.left = nodes_left(ctl->roots, ej->device->address);
	facts.lost = ej->lost || !ej->removal;
	facts.overdue = ej->overdue;
	verdict_of(&facts, &end->verdict);
	end->code = exit_code(ej, &end->verdict);
}

static void print_in_use(struct ctl *ctl, const struct ctl_held *held)
{
	if (!is_held(held))
		return;
	fputs("These hold it:\n", ctl->out);
	print_holders(ctl, held, 1);
	if (!ctl->force)
		fputs("Close them, or eject with --force.\n", ctl->out);
}

/* The cable that is safe for one GPU may carry another. */
static void print_neighbours(const struct eject *ej)
{
	size_t i;

	for (i = 0; i < ej->devices->count; i++) {
		const struct egpu_device *dev = ej->devices->item[i];

		if (dev == ej->device || !dev->external || !dev->port[0] ||
		    strcmp(dev->port, ej->device->port))
			continue;
		fprintf(ej->ctl->out,
			"Mind that GPU %u hangs on the same port.\n", dev->id);
	}
}

static void end_to_text(const struct eject *ej, const struct end *end)
{
	char who[TEXT_SIZE], raw[VERDICT_TEXT_SIZE], text[VERDICT_TEXT_SIZE];
	bool table = end->refused && is_held(&end->held);
	const char *color = "", *plain = "";
	struct ctl *ctl = ej->ctl;

	if (ctl->color) {
		color = end->verdict.safe ? "\033[1;32m" : "\033[1;31m";
		plain = "\033[0m";
	}
	/* Whoever holds it is in the table that follows. */
	verdict_text(&end->verdict, table ? 1 : VERDICT_REASONS_MAX, raw,
		     sizeof(raw));
	fprintf(ctl->out, "%s%s %s.%s\n", color,
		describe_device(ej->device, who),
		text_printable(raw, text, sizeof(text)), plain);
	if (table)
		print_in_use(ctl, &end->held);
	if (end->verdict.safe)
		print_neighbours(ej);
}

static void end_to_json(const struct eject *ej, const struct end *end)
{
	struct json json;

	tojson_begin(ej->ctl, &json);
	json_object(&json, "eject");
	json_uint(&json, "cookie", ej->cookie);
	json_string(&json, "verdict", end->verdict.name);
	tojson_reasons(&json, &end->verdict);
	if (ej->removal)
		tojson_removal(&json, "removal", ej->removal, true);
	else
		json_null(&json, "removal");
	if (end->refused)
		who_holds_to_json(ej->ctl, &json, &end->held, end->listed);
	json_object_end(&json);
	tojson_end(&json);
}

static int report_end(struct eject *ej)
{
	struct end end = { 0 };

	judge(ej, &end);
	if (ej->ctl->json)
		end_to_json(ej, &end);
	else
		end_to_text(ej, &end);
	egpu_client_list_free(end.listed);
	ctl_holders_free(&end.held);
	egpu_device_free(end.now);
	return end.code;
}

/* ------------------------------------------------------------- beginning */

/* The kernel refused at once because nobody could free the GPU. */
static int refused_at_once(struct eject *ej)
{
	struct egpu_client_list *listed;
	struct ctl_held held;
	char error[512];
	struct json json;

	snprintf(error, sizeof(error), "%s", egpu_error(ej->ctl->ctx));
	who_holds(ej->ctl, ej->device, &held, &listed);
	if (ej->ctl->json) {
		tojson_begin(ej->ctl, &json);
		ctl_json_error(ej->ctl, &json, EXIT_BUSY, -EBUSY, error);
		who_holds_to_json(ej->ctl, &json, &held, listed);
		json_object_end(&json);
		tojson_end(&json);
	} else {
		ctl_fail(ej->ctl, EXIT_BUSY, -EBUSY, "%s", error);
		print_in_use(ej->ctl, &held);
	}
	egpu_client_list_free(listed);
	ctl_holders_free(&held);
	return EXIT_BUSY;
}

/* It is leaving already, which is what was asked for: watch that removal. */
static int join_removal(struct eject *ej)
{
	struct egpu_device *dev;
	int err;

	err = egpu_device_get(ej->ctl->ctx, ej->device->id, NULL, &dev);
	if (err)
		return ctl_fail_lib(ej->ctl, err);
	ej->cookie = dev->cookie;
	egpu_device_free(dev);
	if (!ej->cookie)
		return ctl_fail(ej->ctl, EXIT_BUSY, -EALREADY,
				"GPU %u is leaving already", ej->device->id);
	say(ej, "this GPU is leaving already, watching that removal");
	return EXIT_OK;
}

static int begin(struct eject *ej)
{
	const struct egpu_eject_options options = {
		.size = sizeof(options),
		.timeout_ms = ej->ctl->timeout_ms,
		.force = ej->ctl->force,
	};
	int err;

	err = egpu_eject(ej->ctl->ctx, ej->device->id, &options, &ej->cookie);
	if (err == -EALREADY)
		return join_removal(ej);
	if (err == -EBUSY)
		return refused_at_once(ej);
	return err ? ctl_fail_lib(ej->ctl, err) : EXIT_OK;
}

static int only_begun(const struct eject *ej)
{
	struct json json;

	if (ej->ctl->json) {
		tojson_begin(ej->ctl, &json);
		json_object(&json, "eject");
		json_uint(&json, "cookie", ej->cookie);
		json_string(&json, "verdict", "pending");
		json_null(&json, "removal");
		json_object_end(&json);
		tojson_end(&json);
	} else {
		fprintf(ej->ctl->out,
			"The eject of GPU %u has begun, it is removal %" PRIu64
			"; do not unplug it yet.\n",
			ej->device->id, ej->cookie);
	}
	return EXIT_OK;
}

/* Begins it, watches it, says how it ended. */
static int run(struct eject *ej)
{
	int code;

	code = begin(ej);
	if (code)
		return code;
	if (ej->ctl->no_wait)
		return only_begun(ej);
	/* It may be over before the first event is read. */
	if (!refresh(ej) && ej->removal->timeout_ms)
		ej->deadline = now_ms() + ej->removal->timeout_ms +
			       ej->ctl->driver_ms;
	code = watch(ej);
	if (code)
		return code;
	if (ej->removal)
		show_phases(ej, ej->removal);
	return report_end(ej);
}

static int prepare(struct eject *ej, const char *name)
{
	struct ctl *ctl = ej->ctl;
	int err, code;

	err = egpu_device_list(ctl->ctx, &ej->devices);
	if (err)
		return ctl_fail_lib(ctl, err);
	code = ctl_find_gpu(ctl, ej->devices, name, &ej->device);
	if (code)
		return code;
	/* Signals and events before the eject, so that neither can be missed. */
	ej->signals = signals_open();
	if (ej->signals < 0)
		return ctl_fail(ctl, EXIT_OTHER, ej->signals,
				"cannot wait for signals: %s",
				strerror(-ej->signals));
	err = egpu_monitor_new(ctl->ctx, 0, &ej->mon);
	return err ? ctl_fail_lib(ctl, err) : EXIT_OK;
}

int verb_eject(struct ctl *ctl, int argc, char **argv)
{
	struct eject ej = { .ctl = ctl, .signals = -1 };
	int code;

	(void)argc;
	code = ctl_open(ctl);
	if (code)
		return code;
	ej.deadline = now_ms() + EGPU_EJECT_MS_MAX + ctl->driver_ms;
	code = prepare(&ej, argv[0]);
	if (!code)
		code = run(&ej);
	egpu_monitor_free(ej.mon);
	if (ej.signals >= 0)
		close(ej.signals);
	egpu_removal_free(ej.removal);
	egpu_device_list_free(ej.devices);
	return code;
}

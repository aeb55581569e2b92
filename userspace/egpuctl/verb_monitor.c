// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpuctl monitor: events as they come
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "../common/text.h"
#include "ctl.h"

static bool has_state(const struct egpu_event *event)
{
	return event->type == EGPU_EVENT_START ||
	       event->type == EGPU_EVENT_RESYNC ||
	       event->type == EGPU_EVENT_MODULE_BACK;
}

static void state_to_json(struct json *json, const struct egpu_event *event)
{
	size_t i;

	json_array(json, "devices");
	for (i = 0; i < event->devices->count; i++)
		tojson_device(json, NULL, event->devices->item[i]);
	json_array_end(json);
	json_array(json, "removals");
	for (i = 0; i < event->removals->count; i++)
		tojson_removal(json, NULL, event->removals->item[i], false);
	json_array_end(json);
}

static void write_json(struct ctl *ctl, const struct egpu_event *event)
{
	char buf[EGPU_NAME_SIZE];
	struct json json;

	tojson_begin(ctl, &json);
	json_string(&json, "event",
		    egpu_name_text(EGPU_NAMES_EVENT, event->type, buf,
				   sizeof(buf)));
	json_uint(&json, "seq", event->seq);
	if (event->time)
		json_uint(&json, "time_ns", event->time);
	else
		json_null(&json, "time_ns");
	json_bool(&json, "synthetic", event->synthetic);
	if (event->type == EGPU_EVENT_START)
		json_bool(&json, "loaded", event->loaded);
	if (event->type == EGPU_EVENT_RESYNC)
		json_string(&json, "loss",
			    egpu_name_text(EGPU_NAMES_LOSS, event->loss, buf,
					   sizeof(buf)));
	if (has_state(event))
		state_to_json(&json, event);
	else if (event->removal)
		tojson_removal(&json, "removal", event->removal, false);
	else if (event->quiesce)
		tojson_quiesce(&json, "quiesce", event->quiesce);
	else if (event->migration)
		tojson_migration(&json, "migration", event->migration);
	else if (event->device)
		tojson_device(&json, "device", event->device);
	tojson_end(&json);
}

/* Seconds since boot, as in the kernel's log. */
static void write_time(struct ctl *ctl, const struct egpu_event *event)
{
	if (event->time)
		fprintf(ctl->out, "[%5" PRIu64 ".%06" PRIu64 "] ",
			event->time / 1000000000,
			event->time % 1000000000 / 1000);
	else
		fprintf(ctl->out, "[%12s] ",
			event->device || event->removal ? "as found" : "now");
}

static void write_device(struct ctl *ctl, const struct egpu_device *dev)
{
	char who[TEXT_SIZE], where[TEXT_SIZE], name[EGPU_NAME_SIZE];

	fprintf(ctl->out, "%s: %s, %s\n", describe_device(dev, who),
		egpu_name_text(EGPU_NAMES_STATE, dev->state, name, sizeof(name)),
		describe_placement(dev, where));
}

static void write_removal(struct ctl *ctl, const struct egpu_removal *rem)
{
	char phase[EGPU_NAME_SIZE], cause[EGPU_NAME_SIZE], step[EGPU_NAME_SIZE];
	char who[TEXT_SIZE], evidence[TEXT_SIZE], reason[EGPU_REASON_LEN + 1];

	fprintf(ctl->out, "%s: %s, %s", describe_removed(rem, who),
		egpu_name_text(EGPU_NAMES_PHASE, rem->phase, phase,
			       sizeof(phase)),
		egpu_name_text(EGPU_NAMES_CAUSE, rem->cause, cause,
			       sizeof(cause)));
	if (rem->release == EGPU_RELEASE_NOT_YET && rem->step)
		fprintf(ctl->out, ", %s",
			egpu_name_text(EGPU_NAMES_STEP, rem->step, step,
				       sizeof(step)));
	if (rem->vouched)
		fputs(", vouched", ctl->out);
	if (rem->release != EGPU_RELEASE_NOT_YET)
		fprintf(ctl->out, ", %s", describe_release(rem->release));
	if (rem->reason[0])
		fprintf(ctl->out, ": %s",
			text_printable(rem->reason, reason, sizeof(reason)));
	fprintf(ctl->out, " [%s] removal %" PRIu64 "\n",
		describe_evidence(rem->evidence, evidence), rem->cookie);
}

/* "drained" and the like, once a drain has ended. */
static void write_quiesce(struct ctl *ctl, const struct egpu_event *event)
{
	const struct egpu_quiesce *quiesce = event->quiesce;
	char state[EGPU_NAME_SIZE], result[EGPU_NAME_SIZE], text[TEXT_SIZE];

	if (event->device)
		fprintf(ctl->out, "%s: ", describe_device(event->device, text));
	else
		fprintf(ctl->out, "GPU %u: ", quiesce->id);
	fputs(egpu_name_text(EGPU_NAMES_QUIESCE, quiesce->state, state,
			     sizeof(state)),
	      ctl->out);
	if (quiesce->result)
		fprintf(ctl->out, ", %s",
			egpu_name_text(EGPU_NAMES_DRAIN, quiesce->result,
				       result, sizeof(result)));
	if (quiesce->passes)
		fprintf(ctl->out, ", %s", describe_quiesce(quiesce, text));
	putc('\n', ctl->out);
}

static void write_way_end(struct ctl *ctl, uint32_t id,
			  const struct egpu_device *dev)
{
	char text[TEXT_SIZE];

	if (dev)
		fputs(describe_device(dev, text), ctl->out);
	else
		fprintf(ctl->out, "GPU %u", id);
}

/* "from GPU 1 (...) to GPU 2 (...)", as far as there are two ends. */
static void write_way(struct ctl *ctl, const struct egpu_event *event)
{
	const struct egpu_migration *mig = event->migration;

	if (mig->id) {
		fputs(mig->phase == EGPU_MIGRATION_PHASE_CHECKPOINTED ? " on " :
									" from ",
		      ctl->out);
		write_way_end(ctl, mig->id, event->device);
	}
	if (mig->cpu) {
		fputs(" to the CPU", ctl->out);
	} else if (mig->target) {
		fputs(" to ", ctl->out);
		write_way_end(ctl, mig->target, event->target);
	}
}

/* What it was about and has cost, as far as its helper says. */
static void write_cost(struct ctl *ctl, const struct egpu_migration *mig)
{
	char text[TEXT_SIZE];

	if (mig->bytes)
		fprintf(ctl->out, ", %s", describe_bytes(mig->bytes, text));
	if (mig->duration)
		fprintf(ctl->out, ", took %s",
			describe_duration(mig->duration, text));
	if (mig->still)
		fprintf(ctl->out, ", stood still for %s",
			describe_duration(mig->still, text));
	if (EGPU_HAS(mig, EGPU_A_MIGRATION_LOST))
		fprintf(ctl->out, ", lost %s of work",
			describe_duration(mig->lost, text));
	if (mig->checkpoint[0])
		fprintf(ctl->out, ", checkpoint %s",
			text_printable(mig->checkpoint, text, sizeof(text)));
	if (mig->reason[0])
		fprintf(ctl->out, ": %s",
			text_printable(mig->reason, text, sizeof(text)));
}

static void write_migration(struct ctl *ctl, const struct egpu_event *event)
{
	const struct egpu_migration *mig = event->migration;
	char phase[EGPU_NAME_SIZE], comm[EGPU_STRING_MAX];

	fputs(mig->comm[0] ? text_printable(mig->comm, comm, sizeof(comm)) :
			     "a program",
	      ctl->out);
	if (mig->pid)
		fprintf(ctl->out, "[%u]", mig->pid);
	fprintf(ctl->out, ": %s",
		egpu_name_text(EGPU_NAMES_MIGRATION, mig->phase, phase,
			       sizeof(phase)));
	write_way(ctl, event);
	write_cost(ctl, mig);
	fprintf(ctl->out, " (migration %" PRIu64 ")\n", mig->migration);
}

static void write_state(struct ctl *ctl, const struct egpu_event *event)
{
	char buf[EGPU_NAME_SIZE];

	if (event->type == EGPU_EVENT_RESYNC)
		fprintf(ctl->out, "events were lost (%s), ",
			egpu_name_text(EGPU_NAMES_LOSS, event->loss, buf,
				       sizeof(buf)));
	if (event->type == EGPU_EVENT_START && !event->loaded)
		fputs("waiting for the egpu module\n", ctl->out);
	else
		fprintf(ctl->out, "%zu GPU%s\n", event->devices->count,
			event->devices->count == 1 ? "" : "s");
}

static const char *event_color(const struct egpu_event *event)
{
	if (event->removal && event->removal->cause == EGPU_CAUSE_SURPRISE)
		return "\033[31m";
	if (event->quiesce &&
	    event->quiesce->result == EGPU_DRAIN_RESULT_TIMED_OUT)
		return "\033[31m";
	if (event->migration &&
	    event->migration->phase == EGPU_MIGRATION_PHASE_FAILED)
		return "\033[31m";
	switch (event->type) {
	case EGPU_EVENT_CONNECTED:
		return "\033[32m";
	case EGPU_EVENT_REMOVAL_PENDING:
	case EGPU_EVENT_RESYNC:
		return "\033[33m";
	default:
		return "";
	}
}

static void write_text(struct ctl *ctl, const struct egpu_event *event)
{
	const char *color = ctl->color ? event_color(event) : "";
	char buf[EGPU_NAME_SIZE];

	write_time(ctl, event);
	fprintf(ctl->out, "%s%-16s%s ", color,
		egpu_name_text(EGPU_NAMES_EVENT, event->type, buf, sizeof(buf)),
		*color ? "\033[0m" : "");
	if (has_state(event))
		write_state(ctl, event);
	else if (event->removal)
		write_removal(ctl, event->removal);
	else if (event->quiesce)
		write_quiesce(ctl, event);
	else if (event->migration)
		write_migration(ctl, event);
	else if (event->device)
		write_device(ctl, event->device);
	else
		fputs("waiting for the egpu module\n", ctl->out);
	fflush(ctl->out);
}

/* Writes all events that are there; EXIT_OK when there are no more for now. */
static int write_events(struct ctl *ctl, struct egpu_monitor *mon)
{
	const struct egpu_event *event;
	int more;

	while ((more = egpu_monitor_next(mon, &event)) > 0) {
		if (ctl->json)
			write_json(ctl, event);
		else
			write_text(ctl, event);
		if (ferror(ctl->out))
			return EXIT_OTHER;
	}
	return more ? ctl_fail_lib(ctl, more) : EXIT_OK;
}

/* Until a signal, an error, or nobody reads any more. */
static int watch(struct ctl *ctl, struct egpu_monitor *mon, int signals)
{
	struct pollfd fds[] = {
		{ .fd = egpu_monitor_fd(mon), .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
		/* A closed pipe is told without being asked for. */
		{ .fd = fileno(ctl->out), .events = 0 },
	};
	int code;

	for (;;) {
		code = write_events(ctl, mon);
		if (code)
			return code;
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return ctl_fail(ctl, EXIT_OTHER, -errno,
					"cannot wait for events: %s",
					strerror(errno));
		if (fds[1].revents && signals_taken(signals))
			return EXIT_OK;
		if (fds[2].revents)
			return EXIT_OK;
	}
}

int verb_monitor(struct ctl *ctl, int argc, char **argv)
{
	struct egpu_monitor *mon;
	int err, code, signals;

	(void)argc;
	(void)argv;
	code = ctl_open(ctl);
	if (code)
		return code;
	signals = signals_open();
	if (signals < 0)
		return ctl_fail(ctl, EXIT_OTHER, signals,
				"cannot wait for signals: %s",
				strerror(-signals));
	err = egpu_monitor_new(ctl->ctx, EGPU_MONITOR_WAIT, &mon);
	code = err ? ctl_fail_lib(ctl, err) : watch(ctl, mon, signals);
	egpu_monitor_free(mon);
	close(signals);
	return code;
}

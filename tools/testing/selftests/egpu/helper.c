// SPDX-License-Identifier: GPL-2.0
/*
 * A helper that does as it is told, well or badly, and says what it sees.
 *
 *   helper [--only-events] [--accept MS|never] [--ack MS|never]
 *          [--die-on-accept] [--leave-on-accept]
 *
 * It joins both groups (or only events) and goes on until it is killed, also
 * over an unload and a reload of the module. A line for each thing, with the
 * time in ns of CLOCK_BOOTTIME in front:
 *
 *   listening port=4711            joined; what happens now is seen
 *   pending cookie=1 id=2 release=not-yet
 *   progress cookie=1 phase=accepted release=not-yet cause=1 evidence=0x84 step=2
 *   disconnected cookie=1 ...
 *   quiesce id=2 state=draining result=none clients=1 passes=1 ...
 *   accept cookie=1 error=0
 *   ack cookie=1 error=0
 *   module-gone, module-back
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "family.h"

#define NEVER UINT64_MAX
#define JOBS  16

/* Something to do later. */
struct job {
	uint8_t cmd;
	uint64_t cookie;
	uint64_t at;
};

struct options {
	bool only_events;
	bool die_on_accept;
	bool leave_on_accept;
	uint64_t accept_ns;
	uint64_t ack_ns;
};

struct helper {
	struct options options;
	struct family family;
	struct nl nl; /* joined, and sends accept and ack */
	struct job job[JOBS];
};

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
	va_list args;

	printf("%" PRIu64 " ", now_ns());
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static void add_job(struct helper *helper, uint8_t cmd, uint64_t cookie,
		    uint64_t delay)
{
	int i;

	if (delay == NEVER)
		return;
	for (i = 0; i < JOBS; i++) {
		if (helper->job[i].cmd)
			continue;
		helper->job[i] = (struct job){ cmd, cookie, now_ns() + delay };
		return;
	}
	say("too many removals at once, cookie=%" PRIu64 " is left out", cookie);
}

static void say_removal(const char *what, const struct removal *removal)
{
	say("%s cookie=%" PRIu64
	    " id=%u phase=%s release=%s cause=%u evidence=%#x clients=%u created=%" PRIu64
	    " released=%" PRIu64 " helper=%u step=%u",
	    what, removal->cookie, removal->id, phase_names[removal->phase],
	    release_names[removal->release], removal->cause, removal->evidence,
	    removal->clients, removal->created, removal->released,
	    removal->helper, removal->step);
}

static void say_quiesce(const void *attrs, size_t len)
{
	struct quiesce quiesce;
	char counts[96];

	quiesce_read(&quiesce, attrs, len);
	snprintf(counts, sizeof(counts),
		 "clients=%u buffers=%u passes=%u waited=%u pending=%u",
		 quiesce.clients, quiesce.buffers, quiesce.passes,
		 quiesce.waited, quiesce.pending);
	say("quiesce id=%u state=%s result=%s owned=%d %s", quiesce.id,
	    quiesce_names[quiesce.state], drain_names[quiesce.result],
	    !!quiesce.owner, counts);
}

static void on_event(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct helper *helper = data;
	struct removal removal;

	if (cmd == EGPU_CMD_QUIESCE)
		say_quiesce(attrs, len);
	if (cmd < EGPU_CMD_REMOVAL_PENDING || cmd > EGPU_CMD_DISCONNECTED)
		return;
	removal_read(&removal, attrs, len);
	if (cmd == EGPU_CMD_REMOVAL_PROGRESS) {
		say_removal("progress", &removal);
	} else if (cmd == EGPU_CMD_DISCONNECTED) {
		say_removal("disconnected", &removal);
	} else {
		say_removal("pending", &removal);
		if (removal.phase == EGPU_PHASE_PENDING)
			add_job(helper, EGPU_CMD_ACCEPT, removal.cookie,
				helper->options.accept_ns);
	}
}

/* Waits for the answer only; events that come first are looked at as well. */
static int send_step(struct helper *helper, const struct job *job)
{
	static struct answer answer;
	static struct msg msg;
	struct nl nl = helper->nl;
	int error;

	msg_begin(&msg, helper->family.id, NLM_F_ACK, job->cmd);
	msg_put_u64(&msg, EGPU_A_REMOVAL_COOKIE, job->cookie);
	error = nl_dump(&nl, &msg, on_event, helper, &answer);
	helper->nl.seq = nl.seq;
	return error;
}

static void do_job(struct helper *helper, struct job *job)
{
	struct job now = *job;
	int error;

	job->cmd = 0;
	error = send_step(helper, &now);
	say("%s cookie=%" PRIu64 " error=%d",
	    now.cmd == EGPU_CMD_ACK ? "ack" : "accept", now.cookie, error);
	if (now.cmd == EGPU_CMD_ACK || error)
		return;
	if (helper->options.die_on_accept)
		kill(getpid(), SIGKILL);
	if (helper->options.leave_on_accept)
		nl_leave(&helper->nl, helper->family.helper);
	add_job(helper, EGPU_CMD_ACK, now.cookie, helper->options.ack_ns);
}

/* Milliseconds to the next job, rounded up; -1 when there is none. */
static int until_next(const struct helper *helper)
{
	uint64_t now = now_ns();
	uint64_t first = NEVER;
	int i;

	for (i = 0; i < JOBS; i++)
		if (helper->job[i].cmd && helper->job[i].at < first)
			first = helper->job[i].at;
	if (first == NEVER)
		return -1;
	return first <= now ? 0 : (first - now + 999999) / 1000000;
}

static void do_jobs(struct helper *helper)
{
	int i;

	for (i = 0; i < JOBS; i++)
		if (helper->job[i].cmd && helper->job[i].at <= now_ns())
			do_job(helper, &helper->job[i]);
}

static int join(struct helper *helper)
{
	int error = family_open(&helper->nl, &helper->family);

	if (error)
		return error;
	error = nl_join(&helper->nl, helper->family.events);
	if (!error && !helper->options.only_events)
		error = nl_join(&helper->nl, helper->family.helper);
	if (error) {
		nl_close(&helper->nl);
		return error;
	}
	say("listening port=%u", helper->nl.port);
	return 0;
}

/* The controller tells, on group 16 (GENL_ID_CTRL), of families that come and
 * go.
 */
static void on_control(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	const char *name = attr_text(attrs, len, CTRL_ATTR_FAMILY_NAME);
	struct helper *helper = data;

	if (!name || strcmp(name, EGPU_FAMILY_NAME))
		return;
	if (cmd == CTRL_CMD_DELFAMILY) {
		say("module-gone");
		nl_close(&helper->nl);
		memset(helper->job, 0, sizeof(helper->job));
	} else if (cmd == CTRL_CMD_NEWFAMILY && helper->nl.fd < 0) {
		if (!join(helper))
			say("module-back");
	}
}

static int run(struct helper *helper, struct nl *control)
{
	struct pollfd fds[2];
	int error;

	for (;;) {
		fds[0] = (struct pollfd){ control->fd, POLLIN, 0 };
		fds[1] = (struct pollfd){ helper->nl.fd, POLLIN, 0 };
		if (poll(fds, 2, until_next(helper)) < 0)
			return -errno;
		if (fds[0].revents)
			nl_receive(control, 0, on_control, helper);
		if (fds[1].revents && helper->nl.fd >= 0) {
			error = nl_receive(&helper->nl, 0, on_event, helper);
			if (error < 0 && error != -ETIMEDOUT)
				say("lost error=%d", error);
		}
		do_jobs(helper);
	}
}

static uint64_t parse_ms(const char *text)
{
	return strcmp(text, "never") ? strtoull(text, NULL, 10) * 1000000ULL :
				       NEVER;
}

static int parse(struct options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{ "only-events", no_argument, NULL, 'e' },
		{ "accept", required_argument, NULL, 'a' },
		{ "ack", required_argument, NULL, 'k' },
		{ "die-on-accept", no_argument, NULL, 'd' },
		{ "leave-on-accept", no_argument, NULL, 'l' },
		{}
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) >= 0) {
		switch (c) {
		case 'e':
			options->only_events = true;
			break;
		case 'a':
			options->accept_ns = parse_ms(optarg);
			break;
		case 'k':
			options->ack_ns = parse_ms(optarg);
			break;
		case 'd':
			options->die_on_accept = true;
			break;
		case 'l':
			options->leave_on_accept = true;
			break;
		default:
			return -EINVAL;
		}
	}
	return optind == argc ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	static struct helper helper;
	struct nl control;
	int error;

	if (parse(&helper.options, argc, argv)) {
		fprintf(stderr, "helper: see the head of helper.c\n");
		return 2;
	}
	error = nl_open(&control);
	if (!error)
		error = nl_join(&control, GENL_ID_CTRL);
	if (!error)
		error = join(&helper);
	if (!error)
		error = run(&helper, &control);
	fprintf(stderr, "helper: %s\n", strerror(-error));
	return 1;
}

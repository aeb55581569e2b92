// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Movers in the loop: what they say, their end, and the end of their time. One
 * that nobody listens to any more is killed, and kept an eye on until it ends.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>
#include <unistd.h>

#include "../work.h"

/* For killed children to end when we do. */
#define END_MS 1000

static void hear(struct mover_run *run, struct mover_message *message)
{
	run->over = message->event == MOVER_DONE ||
		    message->event == MOVER_FAILED;
	if (run->take)
		run->take(run, message, run->arg);
	else if (message->fd >= 0)
		close(message->fd);
	if (run->over)
		run->take = NULL;
}

/* The last word of one that could not say it itself. */
static void say_last(struct mover_run *run, int error, const char *text)
{
	struct mover_message message = {
		.event = MOVER_FAILED,
		.error = error,
		.fd = -1,
	};

	if (run->over)
		return;
	snprintf(message.text, sizeof(message.text), "%s", text);
	hear(run, &message);
}

static void listen_to(struct mover_run *run)
{
	struct mover_message message;

	while (!run->over && mover_receive(&run->mover, &message))
		hear(run, &message);
	/* Its end says the rest. */
	if (run->over)
		run->io = sd_event_source_disable_unref(run->io);
}

static int on_word(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	(void)source;
	(void)fd;
	(void)revents;
	listen_to(arg);
	return 0;
}

static void free_run(struct mover_run *run)
{
	struct mover_run **link = &run->work->runs;

	while (*link != run)
		link = &(*link)->next;
	*link = run->next;
	sd_event_source_disable_unref(run->io);
	sd_event_source_disable_unref(run->ended);
	sd_event_source_disable_unref(run->limit);
	free(run);
}

/* Before its descriptors are closed: another child may have copies of them. */
static bool reap(struct mover_run *run)
{
	run->io = sd_event_source_disable_unref(run->io);
	run->ended = sd_event_source_disable_unref(run->ended);
	return mover_reap(&run->mover);
}

static int on_ended(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct mover_run *run = arg;

	(void)source;
	(void)fd;
	(void)revents;
	/* What it had said before is still to be read. */
	listen_to(run);
	say_last(run, -ECHILD, "the process that moves the data has died");
	reap(run);
	free_run(run);
	return 0;
}

static int on_limit(sd_event_source *source, uint64_t usec, void *arg)
{
	struct mover_run *run = arg;

	(void)source;
	(void)usec;
	run->limit = sd_event_source_disable_unref(run->limit);
	mover_kill(&run->mover);
	say_last(run, -ETIME, "the data was not moved in time");
	return 0;
}

/* -ENOMEM and the like; the child is killed then. */
static int watch(struct mover_run *run, uint64_t limit)
{
	sd_event *loop = run->work->daemon->loop;
	int err;

	err = sd_event_add_io(loop, &run->io, run->mover.sock, EPOLLIN, on_word,
			      run);
	if (err >= 0)
		err = sd_event_add_io(loop, &run->ended, run->mover.pidfd,
				      EPOLLIN, on_ended, run);
	if (err >= 0)
		err = work_timer(run->work, &run->limit, limit, on_limit, run);
	return err;
}

/**
 * mover_run_begin() - listen to a mover
 * @work: whose it is
 * @mover: has just been started
 * @limit: time that it has, in ns
 * @take: gets what it says, see struct mover_run
 * @arg: for @take
 *
 * Return: the run, which ends by itself; NULL without memory, and then the
 * mover is killed.
 */
struct mover_run *
mover_run_begin(struct work *work, const struct mover *mover, uint64_t limit,
		void (*take)(struct mover_run *run,
			     struct mover_message *message, void *arg),
		void *arg)
{
	struct mover_run *run = calloc(1, sizeof(*run));
	struct mover child = *mover;

	if (!run) {
		mover_kill(&child);
		mover_reap(&child);
		return NULL;
	}
	run->work = work;
	run->mover = *mover;
	run->take = take;
	run->arg = arg;
	run->next = work->runs;
	work->runs = run;
	if (watch(run, limit) >= 0)
		return run;
	mover_kill(&run->mover);
	reap(run);
	free_run(run);
	return NULL;
}

/**
 * mover_run_drop() - end a mover, nobody listens to it any more
 * @run: run, not to be used after this
 */
void mover_run_drop(struct mover_run *run)
{
	run->take = NULL;
	if (!run->over)
		mover_kill(&run->mover);
	run->over = true;
	run->io = sd_event_source_disable_unref(run->io);
}

/**
 * mover_runs_end() - end all, at the end of the daemon
 * @work: whose
 *
 * A child that hangs in a driver is left alone: it has nothing of ours.
 */
void mover_runs_end(struct work *work)
{
	while (work->runs) {
		struct mover_run *run = work->runs;
		struct pollfd end = { .fd = run->mover.pidfd, .events = POLLIN };

		say_last(run, -ECANCELED, "egpud ends");
		mover_run_drop(run);
		mover_kill(&run->mover);
		poll(&end, 1, END_MS);
		if (!reap(run))
			log_line(LOG_WARNING, "process %d does not end",
				 run->mover.pid);
		free_run(run);
	}
}

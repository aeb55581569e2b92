// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The daemon's loop: one subscription, signals, and a timer only after errors.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>

#include "egpud.h"

/* After an error of the subscription, such as no memory. */
#define RETRY_USEC 1000000

static int drain_events(struct daemon *daemon);

static int on_retry(sd_event_source *source, uint64_t usec, void *arg)
{
	struct daemon *daemon = arg;

	(void)source;
	(void)usec;
	daemon->retry = sd_event_source_unref(daemon->retry);
	return drain_events(daemon);
}

/* An error may leave nothing to read, so the descriptor cannot wake us. */
static int retry_later(struct daemon *daemon)
{
	if (daemon->retry)
		return 0;
	return sd_event_add_time_relative(daemon->loop, &daemon->retry,
					  CLOCK_MONOTONIC, RETRY_USEC, 0,
					  on_retry, daemon);
}

static void take_event(struct daemon *daemon, const struct egpu_event *event)
{
	gpus_take_event(daemon, event);
	switch (event->type) {
	case EGPU_EVENT_REMOVAL_PENDING:
	case EGPU_EVENT_REMOVAL_PROGRESS:
	case EGPU_EVENT_DISCONNECTED:
		jobs_take_removal(daemon, event->removal);
		break;
	case EGPU_EVENT_RESYNC:
		jobs_take_state(daemon, event->removals);
		break;
	case EGPU_EVENT_MODULE_GONE:
		jobs_stop_all(daemon, "the egpu module was unloaded");
		break;
	}
}

/* Takes all events that are there; a negative errno ends the daemon. */
static int drain_events(struct daemon *daemon)
{
	const struct egpu_event *event;
	int more;

	while ((more = egpu_monitor_next(daemon->mon, &event)) > 0)
		take_event(daemon, event);
	if (!more)
		return 0;
	log_line(LOG_ERR, "%s", egpu_error(daemon->ctx));
	/* Rights do not come back, so say so instead of trying for ever. */
	if (more == -EPERM)
		return sd_event_exit(daemon->loop, more);
	return retry_later(daemon);
}

static int on_events(sd_event_source *source, int fd, uint32_t revents,
		     void *arg)
{
	(void)source;
	(void)fd;
	(void)revents;
	return drain_events(arg);
}

static int on_signal(sd_event_source *source,
		     const struct signalfd_siginfo *info, void *arg)
{
	struct daemon *daemon = arg;

	(void)source;
	log_line(LOG_NOTICE, "ending on signal %u", info->ssi_signo);
	return sd_event_exit(daemon->loop, 0);
}

static int add_signals(struct daemon *daemon)
{
	sigset_t set;
	int err;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	err = sd_event_add_signal(daemon->loop, NULL, SIGTERM, on_signal,
				  daemon);
	if (err < 0)
		return err;
	return sd_event_add_signal(daemon->loop, NULL, SIGINT, on_signal,
				   daemon);
}

static int start_loop(struct daemon *daemon)
{
	int err;

	err = sd_event_new(&daemon->loop);
	if (err >= 0)
		err = add_signals(daemon);
	/* Does nothing unless the unit has a watchdog. */
	if (err >= 0)
		err = sd_event_set_watchdog(daemon->loop, true);
	if (err >= 0)
		err = sd_event_add_io(daemon->loop, &daemon->io,
				      egpu_monitor_fd(daemon->mon), EPOLLIN,
				      on_events, daemon);
	if (err < 0)
		log_line(LOG_ERR, "cannot set up the event loop: %s",
			 strerror(-err));
	return err < 0 ? err : 0;
}

static int subscribe(struct daemon *daemon)
{
	int err;

	err = daemon->open(&daemon->ctx);
	if (err) {
		log_line(LOG_ERR, "cannot open a netlink socket: %s",
			 strerror(-err));
		return err;
	}
	err = egpu_monitor_new(daemon->ctx,
			       EGPU_MONITOR_HELPER | EGPU_MONITOR_WAIT,
			       &daemon->mon);
	if (err)
		log_line(LOG_ERR, "%s", egpu_error(daemon->ctx));
	return err;
}

/**
 * daemon_start() - subscribe, set the loop up and take what is there already
 * @daemon: daemon with .open and .policy set
 *
 * After it sd_event_loop() on daemon->loop is what is left to do.
 *
 * Return: 0 or a negative errno, of which the log tells. daemon_stop() is to be
 * called in either case.
 */
int daemon_start(struct daemon *daemon)
{
	int err;

	err = subscribe(daemon);
	if (!err)
		err = start_loop(daemon);
	if (err)
		return err;
	log_line(LOG_INFO, "egpud %s, policy %s", egpu_version(),
		 daemon->policy->name);
	err = drain_events(daemon);
	if (err < 0)
		return err;
	sd_notify(0, "READY=1");
	return 0;
}

/**
 * daemon_stop() - let go of everything
 * @daemon: daemon
 *
 * Removals that we have accepted go on at once when the context closes.
 */
void daemon_stop(struct daemon *daemon)
{
	sd_notify(0, "STOPPING=1");
	jobs_stop_all(daemon, "the daemon ends");
	sd_event_source_unref(daemon->retry);
	sd_event_source_unref(daemon->io);
	egpu_monitor_free(daemon->mon);
	egpu_close(daemon->ctx);
	sd_event_unref(daemon->loop);
}

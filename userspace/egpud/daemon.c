// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The daemon's loop: one subscription, signals, and a timer only after errors.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>
#include <time.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "work.h"

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

/* An eject that is neither forced nor overtaken can be refused to its end. */
static bool is_certain(const struct egpu_removal *removal)
{
	return removal->force || txn_by_others(removal);
}

/* What has become of a GPU concerns who works there, and who is to go there. */
static void take_for_work(struct daemon *daemon, const struct egpu_event *event)
{
	const struct egpu_removal *removal = event->removal;
	bool gone = event->type == EGPU_EVENT_DISCONNECTED;

	if (event->type == EGPU_EVENT_MODULE_GONE)
		migrations_module_gone(daemon);
	if (!removal || removal->phase == EGPU_PHASE_REFUSED ||
	    removal->phase == EGPU_PHASE_CANCELLED)
		return;
	if (removal->phase >= EGPU_PHASE_RELEASED &&
	    removal->cause == EGPU_CAUSE_SURPRISE)
		gone = true;
	/* Without its driver the buffers there are nobody's any more. */
	if (removal->phase == EGPU_PHASE_UNBOUND ||
	    removal->phase == EGPU_PHASE_DONE)
		gone = true;
	if (gone) {
		migrations_gone(daemon, removal->id, daemon->now());
		return;
	}
	migrations_leaving(daemon, removal->id);
	if (removal->phase == EGPU_PHASE_RELEASED)
		migrations_released(daemon, removal->id, daemon->now(),
				    is_certain(removal));
}

static void take_event(struct daemon *daemon, const struct egpu_event *event)
{
	gpus_take_event(daemon, event);
	take_for_work(daemon, event);
	switch (event->type) {
	case EGPU_EVENT_REMOVAL_PENDING:
	case EGPU_EVENT_REMOVAL_PROGRESS:
	case EGPU_EVENT_DISCONNECTED:
		removals_take(daemon, event->removal,
			      event->type == EGPU_EVENT_DISCONNECTED);
		break;
	case EGPU_EVENT_QUIESCE:
		removals_take_quiesce(daemon, event->quiesce);
		break;
	case EGPU_EVENT_RESYNC:
		removals_take_state(daemon, event->removals);
		break;
	case EGPU_EVENT_MODULE_GONE:
		removals_stop(daemon, "the egpu module was unloaded", false);
		break;
	}
	cards_take_event(daemon, event);
	outcome_tell(daemon, event);
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

/* A file with errors changes nothing. */
static int load_config(struct daemon *daemon)
{
	struct policy_config config;
	char error[512];
	int err;

	policy_defaults(&config);
	if (daemon->config_path) {
		err = policy_load(daemon->config_path, &config, error,
				  sizeof(error));
		if (err) {
			log_line(LOG_ERR, "%s", error);
			return err;
		}
	}
	daemon->config = config;
	return 0;
}

static int on_hangup(sd_event_source *source,
		     const struct signalfd_siginfo *info, void *arg)
{
	struct daemon *daemon = arg;

	(void)source;
	(void)info;
	if (load_config(daemon))
		log_line(LOG_WARNING, "the configuration before stays");
	else
		log_line(LOG_NOTICE, "the configuration was read again");
	work_reload(daemon);
	return 0;
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
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	err = sd_event_add_signal(daemon->loop, NULL, SIGTERM, on_signal,
				  daemon);
	if (err < 0)
		return err;
	err = sd_event_add_signal(daemon->loop, NULL, SIGINT, on_signal, daemon);
	if (err < 0)
		return err;
	return sd_event_add_signal(daemon->loop, NULL, SIGHUP, on_hangup,
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
	/* A removal waits accept-ms for us, whatever programs want meanwhile. */
	if (err >= 0)
		err = sd_event_source_set_priority(daemon->io,
						   SD_EVENT_PRIORITY_IMPORTANT);
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

/* Time as the kernel counts it in its events. */
uint64_t daemon_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/*
 * A child of a daemon that was just killed may have the lock for a moment yet,
 * see probe.c.
 */
static int open_journal(struct daemon *daemon)
{
	int tries = 300, err;

	while ((err = journal_open(&daemon->journal, daemon->run_dir)) == -EBUSY &&
	       tries--)
		usleep(10000);
	return err;
}

/* Before anything else: what a daemon before us has left is mended. */
static int take_over(struct daemon *daemon)
{
	int err;

	daemon->journal = (struct journal)JOURNAL_CLOSED;
	daemon->freezer.roots = daemon->roots;
	daemon->freezer.journal = &daemon->journal;
	err = open_journal(daemon);
	if (err) {
		log_line(LOG_ERR, "cannot use %s: %s", daemon->run_dir,
			 err == -EBUSY ? "another egpud runs" : strerror(-err));
		return err;
	}
	/* What cannot be undone now does not keep us from our work. */
	recover(daemon);
	return load_config(daemon);
}

/**
 * daemon_start() - subscribe, set the loop up and take what is there already
 * @daemon: daemon with all set that says where things are
 *
 * After it sd_event_loop() on daemon->loop is what is left to do.
 *
 * Return: 0 or a negative errno, of which the log tells. daemon_stop() is to be
 * called in either case.
 */
int daemon_start(struct daemon *daemon)
{
	int err;

	err = take_over(daemon);
	if (!err)
		err = subscribe(daemon);
	if (!err)
		err = start_loop(daemon);
	if (err)
		return err;
	log_line(LOG_INFO, "egpud %s, policy %s", egpu_version(),
		 policy_action_name(daemon->config.others));
	if (daemon->lacks)
		log_line(LOG_WARNING,
			 "without %s no GPU can be fenced and nobody be frozen, so ejects are refused",
			 daemon->lacks);
	/* Without it ejects go as they do for those who know nothing of us. */
	work_start(daemon);
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
 * Everything is put back, and ejects are refused. Removals by others that we
 * have accepted go on at once when the context closes.
 */
void daemon_stop(struct daemon *daemon)
{
	sd_notify(0, "STOPPING=1");
	if (daemon->work)
		work_ends(daemon->work);
	removals_stop(daemon, "egpud ends", true);
	work_stop(daemon);
	probe_free_all(daemon);
	cards_free(daemon);
	sd_event_source_unref(daemon->retry);
	sd_event_source_unref(daemon->io);
	egpu_monitor_free(daemon->mon);
	egpu_close(daemon->ctx);
	sd_event_unref(daemon->loop);
	journal_close(&daemon->journal);
}

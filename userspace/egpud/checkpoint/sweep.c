// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Checkpoints that nobody needs any more are removed by a child: that reads and
 * syncs a disk, which takes its time, and may take for ever. It is a copy of us,
 * so it knows what was to go when it was made; what is to go after that is for
 * the next one.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "../work.h"

/* Of a disk that takes longer nothing is removed any more. */
#define SWEEP_LIMIT (60000 * WORK_MS)
/* What goes together goes in one pass. */
#define SWEEP_DELAY (50 * WORK_MS)
/* For it to end when we do. */
#define END_MS 1000

/* The order is kept: who needs another goes before it. */
static void remove_all(const struct sweep *sweep, struct store *store)
{
	char error[STORE_ERROR];
	size_t i;

	for (i = 0; i < sweep->n; i++)
		store_remove(store, sweep->id[i], error);
}

/* Without anything of the daemon's but the store: a lock or a socket lives on. */
static void be_child(struct work *work, pid_t parent)
{
	int store = store_fd(work->store), null;
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "egpud-sweep");
	if (getppid() != parent)
		_exit(1);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		_exit(1);
	if (store > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned int)store - 1, 0);
	close_range((unsigned int)store + 1, ~0u, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	remove_all(&work->sweep, work->store);
	if (work->sweep.collect)
		chain_collect(work);
	_exit(0);
}

static void forget_list(struct sweep *sweep)
{
	free(sweep->id);
	sweep->id = NULL;
	sweep->n = 0;
	sweep->collect = false;
}

static void reap(struct sweep *sweep)
{
	sweep->ended = sd_event_source_disable_unref(sweep->ended);
	sweep->limit = sd_event_source_disable_unref(sweep->limit);
	waitpid(sweep->pid, NULL, WNOHANG);
	close(sweep->pidfd);
	sweep->pid = 0;
}

static int on_ended(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct work *work = arg;

	(void)source;
	(void)fd;
	(void)revents;
	reap(&work->sweep);
	if (work->sweep.n || work->sweep.collect)
		sweep_soon(work);
	return 0;
}

static int on_limit(sd_event_source *source, uint64_t usec, void *arg)
{
	struct work *work = arg;

	(void)source;
	(void)usec;
	log_line(LOG_WARNING,
		 "old checkpoints are not removed: the disk does not answer");
	kill(work->sweep.pid, SIGKILL);
	return 0;
}

static int watch(struct work *work)
{
	struct sweep *sweep = &work->sweep;
	int err;

	sweep->pidfd = pidfd_open(sweep->pid, 0);
	if (sweep->pidfd < 0)
		return -errno;
	err = sd_event_add_io(work->daemon->loop, &sweep->ended, sweep->pidfd,
			      EPOLLIN, on_ended, work);
	if (err >= 0)
		err = work_timer(work, &sweep->limit, SWEEP_LIMIT, on_limit,
				 work);
	return err;
}

static int on_sweep(sd_event_source *source, uint64_t usec, void *arg)
{
	struct work *work = arg;
	struct sweep *sweep = &work->sweep;
	pid_t parent = getpid();

	(void)source;
	(void)usec;
	sweep->soon = sd_event_source_disable_unref(sweep->soon);
	if (sweep->pid || !work->store)
		return 0;
	crash_point();
	sweep->pid = fork();
	if (!sweep->pid)
		be_child(work, parent);
	if (sweep->pid < 0) {
		sweep->pid = 0;
		return 0;
	}
	forget_list(sweep);
	if (watch(work) < 0) {
		kill(sweep->pid, SIGKILL);
		waitpid(sweep->pid, NULL, 0);
		sweep->pid = 0;
	}
	return 0;
}

/**
 * sweep_soon() - remove what is on the list, before long
 * @work: whose
 */
void sweep_soon(struct work *work)
{
	if (!work->sweep.soon && !work->sweep.pid)
		work_timer(work, &work->sweep.soon, SWEEP_DELAY, on_sweep, work);
}

/**
 * sweep_add() - a checkpoint is not needed any more
 * @work: whose store
 * @id: which; those that need it were added before
 */
void sweep_add(struct work *work, const char *id)
{
	struct sweep *sweep = &work->sweep;
	char(*list)[STORE_ID_SIZE];

	list = reallocarray(sweep->id, sweep->n + 1, sizeof(*list));
	/* The next daemon finds it. */
	if (!list)
		return;
	sweep->id = list;
	strcpy(sweep->id[sweep->n++], id);
	sweep_soon(work);
}

/* What others have left is looked through as well. */
void sweep_collect(struct work *work)
{
	work->sweep.collect = true;
	sweep_soon(work);
}

/**
 * sweep_end() - the daemon ends
 * @work: whose; what is on the list is removed before, if that is quick
 */
void sweep_end(struct work *work)
{
	struct sweep *sweep = &work->sweep;
	struct pollfd end = { .events = POLLIN };
	int tries;

	for (tries = 0; tries < 2; tries++) {
		if (!sweep->pid && sweep->n)
			on_sweep(NULL, 0, work);
		if (!sweep->pid)
			break;
		end.fd = sweep->pidfd;
		if (!poll(&end, 1, END_MS))
			kill(sweep->pid, SIGKILL);
		reap(sweep);
	}
	sweep->soon = sd_event_source_disable_unref(sweep->soon);
	forget_list(sweep);
}

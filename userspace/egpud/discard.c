// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Letting go of what programs have sent. To close a descriptor can take as long
 * as its owner likes: a file of a file system that he serves himself, or a
 * connection that lingers. So what is not known to be harmless is closed by a
 * child that shares our table of descriptors, and waits in our place.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "work.h"

#define CLOSERS_MAX 64
#define WAITING_MAX 1024
/* A connection may linger for so long; a file system is waited for, for ever. */
#define LINGER_S 10
/* For killed children to end when we do. */
#define END_MS	    1000
#define STACK_BYTES 65536

/**
 * struct discarded - a descriptor that is to be closed
 * @user: whose program has sent it
 * @fd: descriptor
 * @ours: it is a session's socket, whose messages go first: what is unread then
 *	would be all that the other side hears of
 */
struct discarded {
	uid_t user;
	int fd;
	bool ours;
};

/**
 * struct closer - a child that closes one
 * @next: the next one
 * @user: whose program has sent it
 * @pid: of the child
 * @pidfd: of the child
 * @ended: its end
 */
struct closer {
	struct closer *next;
	uid_t user;
	pid_t pid;
	int pidfd;
	sd_event_source *ended;
};

static struct {
	sd_event *loop;
	uid_t user;
	struct closer *closers;
	size_t n;
	struct discarded waiting[WAITING_MAX];
	size_t n_waiting;
} all;

static void on_alarm(int number)
{
	(void)number;
}

/* A signal ends what lingers, and not us. */
static void set_limit(void)
{
	const struct itimerval often = { { LINGER_S, 0 }, { LINGER_S, 0 } };
	const struct sigaction nothing = { .sa_handler = on_alarm };
	sigset_t set;

	sigaction(SIGALRM, &nothing, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

/* In the child. Nothing else of the table is to be touched: it is ours. */
static int close_it(void *arg)
{
	const struct discarded *what = arg;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	set_limit();
	while (what->ours && recv(what->fd, &byte, 1, MSG_DONTWAIT) > 0)
		;
	close(what->fd);
	return 0;
}

static void free_closer(struct closer *closer)
{
	struct closer **link = &all.closers;

	while (*link != closer)
		link = &(*link)->next;
	*link = closer->next;
	all.n--;
	sd_event_source_disable_unref(closer->ended);
	waitpid(closer->pid, NULL, WNOHANG);
	close(closer->pidfd);
	free(closer);
}

static void close_waiting(void);

static int on_ended(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	(void)source;
	(void)fd;
	(void)revents;
	free_closer(arg);
	close_waiting();
	return 0;
}

static int begin(struct discarded *what)
{
	/* The child has a copy of it: the memory is not shared. */
	static char stack[STACK_BYTES] __attribute__((aligned(16)));
	struct closer *closer;
	int err;

	if (all.n == CLOSERS_MAX)
		return -EAGAIN;
	closer = calloc(1, sizeof(*closer));
	if (!closer)
		return -ENOMEM;
	closer->pid = clone(close_it, stack + sizeof(stack),
			    CLONE_FILES | CLONE_PIDFD | SIGCHLD, what,
			    &closer->pidfd);
	if (closer->pid < 0) {
		err = -errno;
		free(closer);
		return err;
	}
	closer->user = what->user;
	closer->next = all.closers;
	all.closers = closer;
	all.n++;
	/* Unwatched it is one less that there may be; it closes all the same. */
	sd_event_add_io(all.loop, &closer->ended, closer->pidfd, EPOLLIN,
			on_ended, closer);
	return 0;
}

static void close_waiting(void)
{
	while (all.n_waiting && !begin(&all.waiting[all.n_waiting - 1]))
		all.n_waiting--;
}

static void discard_later(int fd, bool ours)
{
	struct discarded what = { .user = all.user, .fd = fd, .ours = ours };

	close_waiting();
	if (!begin(&what))
		return;
	if (!all.n_waiting)
		log_line(LOG_WARNING,
			 "descriptors that programs have sent cannot be closed");
	if (!discard_is_full())
		all.waiting[all.n_waiting++] = what;
}

/**
 * discard() - close a descriptor that a program has sent
 * @fd: whatever it is
 */
void discard(int fd)
{
	/* Memory, of which nobody is asked. */
	if (fcntl(fd, F_GET_SEALS) >= 0)
		close(fd);
	else
		discard_later(fd, false);
}

/*
 * Reads what is of no interest any more; true when that was all. A look at a
 * message takes no descriptor of it, and tells whether it has some.
 */
static bool empty(int sock)
{
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = sizeof(byte) };
	struct msghdr msg;
	int i;

	shutdown(sock, SHUT_RD);
	/* More than that no socket holds. */
	for (i = 0; i < 4096; i++) {
		msg = (struct msghdr){ .msg_iov = &iov, .msg_iovlen = 1 };
		if (recvmsg(sock, &msg, MSG_PEEK | MSG_DONTWAIT) <= 0)
			return true;
		if (msg.msg_flags & MSG_CTRUNC)
			return false;
		if (recv(sock, &byte, sizeof(byte), MSG_DONTWAIT) <= 0)
			return true;
	}
	return false;
}

/**
 * discard_socket() - end a connection
 * @sock: its socket; whatever has not been read is dropped
 */
void discard_socket(int sock)
{
	if (empty(sock))
		close(sock);
	else
		discard_later(sock, true);
}

/* Nobody else can be let in: what he sends could not be closed. */
bool discard_is_full(void)
{
	return all.n_waiting == WAITING_MAX;
}

/* Whose the next ones are. */
void discard_for(uid_t user)
{
	all.user = user;
}

/* How many of a user are not closed yet. */
size_t discard_of(uid_t user)
{
	const struct closer *closer;
	size_t n = 0, i;

	for (closer = all.closers; closer; closer = closer->next)
		n += closer->user == user;
	for (i = 0; i < all.n_waiting; i++)
		n += all.waiting[i].user == user;
	return n;
}

/* How many are not closed yet. */
size_t discard_count(void)
{
	return all.n + all.n_waiting;
}

/**
 * discard_start() - from now on
 * @work: whose loop
 */
void discard_start(struct work *work)
{
	all.loop = work->daemon->loop;
}

/**
 * discard_stop() - end all, at the end of the daemon
 *
 * What is left is closed when we are no more.
 */
void discard_stop(void)
{
	while (all.closers) {
		struct pollfd end = { .fd = all.closers->pidfd,
				      .events = POLLIN };

		kill(all.closers->pid, SIGKILL);
		poll(&end, 1, END_MS);
		free_closer(all.closers);
	}
	all.n_waiting = 0;
	all.loop = NULL;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The parent's side: it starts children, hears what they say and ends them. It
 * never waits for one.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "private.h"

static int compare(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* A child that cannot be watched is none. */
static int watch(struct mover *mover)
{
	int err;

	mover->pidfd = pidfd_open(mover->pid, 0);
	if (mover->pidfd >= 0)
		return 0;
	err = -errno;
	kill(mover->pid, SIGKILL);
	waitpid(mover->pid, NULL, WNOHANG);
	close(mover->sock);
	*mover = (struct mover){ .pidfd = -1, .sock = -1 };
	return err;
}

/**
 * mover_start() - start a child
 * @mover: set
 * @work: what it is to do
 *
 * The child is a copy of this process without its descriptors, so it needs no
 * program of its own, and the job no encoding. The process has to have a single
 * thread.
 *
 * Return: 0 or a negative errno.
 */
int mover_start(struct mover *mover, struct work *work)
{
	pid_t parent = getpid();
	int ends[2];
	int err = 0;

	*mover = (struct mover){ .pidfd = -1, .sock = -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	if (work->n)
		qsort(work->keep, work->n, sizeof(*work->keep), compare);
	mover->pid = fork();
	if (mover->pid < 0)
		err = -errno;
	if (!mover->pid) {
		child_enter(work, ends[1], parent);
		work->run(ends[1], work->job);
		_exit(0);
	}
	close(ends[1]);
	if (err) {
		close(ends[0]);
		mover->pid = 0;
		return err;
	}
	mover->sock = ends[0];
	return watch(mover);
}

static void fail(struct mover_message *message, int err, const char *text)
{
	if (message->fd >= 0)
		close(message->fd);
	*message = (struct mover_message){
		.event = MOVER_FAILED,
		.error = err,
		.fd = -1,
	};
	snprintf(message->text, sizeof(message->text), "%s", text);
}

/* Why it has said nothing more, as far as that is known by now. */
static void fail_by_end(const struct mover *mover, struct mover_message *message)
{
	siginfo_t info = { 0 };
	char text[96] = "it ended in the midst of its work";

	if (!waitid(P_PIDFD, (id_t)mover->pidfd, &info,
		    WEXITED | WNOHANG | WNOWAIT) &&
	    info.si_pid && info.si_code != CLD_EXITED)
		snprintf(text, sizeof(text),
			 "it was ended in the midst of its work (%s)",
			 strsignal(info.si_status));
	fail(message, -EIO, text);
}

/* A message is from a copy of this program; what its memory was is not ours. */
static bool is_sane(struct mover_message *message, ssize_t len)
{
	bool wants_fd;

	if (len != sizeof(*message))
		return false;
	message->text[sizeof(message->text) - 1] = '\0';
	message->buffer.name[sizeof(message->buffer.name) - 1] = '\0';
	wants_fd = message->event == MOVER_BUFFER ||
		   message->event == MOVER_STATE;
	return message->event >= MOVER_COPIED &&
	       message->event <= MOVER_FAILED && wants_fd == (message->fd >= 0);
}

static ssize_t receive(int sock, struct mover_message *message)
{
	struct iovec iov = { .iov_base = message, .iov_len = sizeof(*message) };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr head = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	ssize_t len;
	int fd = -1;

	do {
		len = recvmsg(sock, &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (len < 0 && errno == EINTR);
	if (len < 0)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&head);
	if (cmsg && cmsg->cmsg_level == SOL_SOCKET &&
	    cmsg->cmsg_type == SCM_RIGHTS &&
	    cmsg->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	/* The sender's number means nothing here. */
	message->fd = fd;
	return head.msg_flags & MSG_TRUNC ? -EPROTO : len;
}

/**
 * mover_receive() - what does it say?
 * @mover: the mover; look when .sock is readable
 * @message: set when there is one
 *
 * Does not wait. A mover that has ended without a last word has failed, and says
 * so here.
 *
 * Return: 1 with a message, 0 when there is none, or none any more.
 */
int mover_receive(struct mover *mover, struct mover_message *message)
{
	ssize_t len;

	if (mover->ended || mover->sock < 0)
		return 0;
	message->fd = -1;
	len = receive(mover->sock, message);
	if (len == -EAGAIN)
		return 0;
	if (!len || len == -ECONNRESET)
		fail_by_end(mover, message);
	else if (len < 0)
		fail(message, (int)len, "it cannot be heard");
	else if (!is_sane(message, len))
		fail(message, -EPROTO, "it does not make sense");
	mover->ended = message->event == MOVER_DONE ||
		       message->event == MOVER_FAILED;
	return 1;
}

/**
 * mover_kill() - end a mover
 * @mover: the mover
 *
 * One that hangs in a driver ends when it comes back, see mover_reap().
 */
void mover_kill(struct mover *mover)
{
	if (mover->pid > 0)
		pidfd_send_signal(mover->pidfd, SIGKILL, NULL, 0);
}

/**
 * mover_reap() - let go of a mover
 * @mover: the mover; empty when it has ended
 *
 * Does not wait. What it has said and was not received is lost.
 *
 * Return: whether it has ended. If not, ask again when .pidfd is readable.
 */
bool mover_reap(struct mover *mover)
{
	siginfo_t info = { 0 };

	if (mover->pid <= 0)
		return true;
	if (!waitid(P_PIDFD, (id_t)mover->pidfd, &info, WEXITED | WNOHANG) &&
	    !info.si_pid)
		return false;
	close(mover->pidfd);
	close(mover->sock);
	*mover = (struct mover){ .pidfd = -1, .sock = -1 };
	return true;
}

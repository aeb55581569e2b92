// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What every child does: it lets go of what is not its job's, gives up rights,
 * and says how it goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "private.h"

#define AGAIN_NS 2000000

/* Said when memory vanishes; made before, for a handler can do little. */
static struct mover_message vanished = {
	.event = MOVER_FAILED,
	.error = -EFAULT,
	.text = "the memory of a buffer vanished",
	.fd = -1,
};

/* Where it is said. */
static int vanished_sock;

/**
 * mover_now_ns() - what time it is
 *
 * Return: CLOCK_MONOTONIC in ns.
 */
uint64_t mover_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void on_bus_error(int number)
{
	(void)number;
	if (send(vanished_sock, &vanished, sizeof(vanished), MSG_NOSIGNAL) < 0)
		_exit(2);
	_exit(1);
}

/* Also after a change of user, which makes the kernel forget it. */
static void end_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
}

static void reset_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;
	int number;

	for (number = 1; number < SIGRTMAX; number++)
		sigaction(number, &action, NULL);
	action.sa_handler = on_bus_error;
	sigaction(SIGBUS, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* All but standard error, @sock and the job's, which are sorted. */
static void close_others(const struct work *work, int sock)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	unsigned int next = STDERR_FILENO + 1;
	bool said = false;
	size_t i = 0;
	int fd;

	for (fd = STDIN_FILENO; fd <= STDOUT_FILENO; fd++) {
		if (null < 0 || dup2(null, fd) < 0)
			close(fd);
	}
	while (i < work->n || !said) {
		if (said || (i < work->n && work->keep[i] < sock)) {
			fd = work->keep[i++];
		} else {
			fd = sock;
			said = true;
		}
		if (fd > (int)next)
			close_range(next, (unsigned int)fd - 1, 0);
		if (fd >= (int)next)
			next = (unsigned int)fd + 1;
	}
	close_range(next, ~0u, 0);
}

static pid_t parent_pid;

/**
 * child_enter() - begin to be a child
 * @work: what is to be done
 * @sock: to the parent
 * @parent: its pid
 */
void child_enter(const struct work *work, int sock, pid_t parent)
{
	parent_pid = parent;
	vanished_sock = sock;
	reset_signals();
	end_with(parent);
	prctl(PR_SET_NAME, work->name);
	close_others(work, sock);
}

/**
 * child_say() - tell the parent
 * @sock: to it
 * @message: what; .fd does not count
 * @fd: goes with it, or -1
 *
 * The kernel bounds the descriptors that a user has in messages; the parent will
 * read some.
 */
void child_say(int sock, const struct mover_message *message, int fd)
{
	struct timespec again = { .tv_nsec = AGAIN_NS };
	struct iovec iov = {
		.iov_base = (void *)(uintptr_t)message,
		.iov_len = sizeof(*message),
	};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr head = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		head.msg_control = &control;
		head.msg_controllen = sizeof(control);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	}
	while (sendmsg(sock, &head, MSG_NOSIGNAL) < 0) {
		if (errno == ETOOMANYREFS)
			nanosleep(&again, NULL);
		else if (errno != EINTR)
			_exit(1);
	}
}

/**
 * child_fail() - say why it has failed, and end
 * @sock: to the parent
 * @err: negative errno
 * @format: why, a sentence without a full stop
 */
void child_fail(int sock, int err, const char *format, ...)
{
	struct mover_message message;
	va_list args;

	memset(&message, 0, sizeof(message));
	message.event = MOVER_FAILED;
	message.error = err;
	va_start(args, format);
	vsnprintf(message.text, sizeof(message.text), format, args);
	va_end(args);
	child_say(sock, &message, -1);
	_exit(1);
}

/**
 * device_is_there() - whether a PCI device answers
 * @sys: "/sys"
 * @address: where it is
 *
 * Memory of a device that has gone reads as ones, or as zeros, and nothing fails.
 * So what was read counts only if the device was there afterwards.
 *
 * Return: whether it does.
 */
bool device_is_there(const char *sys, const char *address)
{
	uint16_t vendor = 0xffff;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/config", sys,
		 address);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (pread(fd, &vendor, sizeof(vendor), 0) != sizeof(vendor))
		vendor = 0xffff;
	close(fd);
	return vendor != 0xffff;
}

/* No capability but @left, as far as it was there. */
static int keep_capabilities(uint32_t left)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &head, data))
		return -errno;
	data[0].permitted &= left;
	data[0].effective = data[0].permitted;
	data[0].inheritable = 0;
	memset(&data[1], 0, sizeof(data) - sizeof(data[0]));
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

/**
 * child_lower() - give up all rights but those to one's own files
 * @sock: to the parent
 *
 * To lock memory for I/O stays: the store does that, within bounds of its own.
 */
void child_lower(int sock)
{
	int err = keep_capabilities(CAP_TO_MASK(CAP_IPC_LOCK));

	if (err)
		child_fail(sock, err, "rights cannot be given up: %s",
			   strerror(-err));
	end_with(parent_pid);
}

static int change_user(uid_t uid, gid_t gid, const gid_t *groups,
		       size_t n_groups)
{
	uid_t real, effective, saved;

	if (setgroups(n_groups, groups) || setresgid(gid, gid, gid) ||
	    setresuid(uid, uid, uid))
		return -errno;
	if (getresuid(&real, &effective, &saved) || real != uid ||
	    effective != uid || saved != uid)
		return -EPERM;
	return keep_capabilities(0);
}

/**
 * child_become() - be a user, for the kernel to say what that user may
 * @sock: to the parent
 * @uid: the user
 * @gid: that user's group
 * @groups: other groups
 * @n_groups: how many
 *
 * Who is that user already stays so. Ends the child when it cannot be done.
 */
void child_become(int sock, uid_t uid, gid_t gid, const gid_t *groups,
		  size_t n_groups)
{
	uid_t now = geteuid();
	int err = 0;

	if (!now && uid)
		err = change_user(uid, gid, groups, n_groups);
	else if (now != uid)
		err = -EPERM;
	if (err)
		child_fail(sock, err, "cannot act as user %u: %s", uid,
			   strerror(-err));
	end_with(parent_pid);
}

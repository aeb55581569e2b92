// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Movers as such: what a child has and may, how it ends, and that its parent
 * hears of every end without ever waiting.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../mover/private.h"
#include "mover_case.h"
#include "test.h"
#include "tree.h"

#define NOBODY 65534
#define GROUP  4321

static void start(struct mover *mover, void (*run)(int sock, const void *job),
		  const void *job, int keep)
{
	struct work work = {
		.name = "egpud-test",
		.run = run,
		.job = job,
		.n = keep >= 0,
		.keep = &keep,
	};

	assert_int_equal(mover_start(mover, &work), 0);
}

static void say_done(int sock)
{
	struct mover_message message;

	memset(&message, 0, sizeof(message));
	message.event = MOVER_DONE;
	child_say(sock, &message, -1);
}

static void expect_done(struct mover *mover)
{
	struct mover_message message;

	assert_true(mover_hear(mover, &message));
	if (message.event != MOVER_DONE)
		fail_msg("%s", message.text);
	mover_end(mover);
}

/* --- what it has -------------------------------------------------------------*/

static void look_at_descriptors(int sock, const void *job)
{
	const int *wanted = job;
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int fd, n = 0;

	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		fd = atoi(entry->d_name);
		if (fd == dirfd(dir))
			continue;
		n++;
		if (fd > STDERR_FILENO && fd != sock && fd != *wanted)
			child_fail(sock, -EBADF, "descriptor %d is open", fd);
	}
	if (n != 5)
		child_fail(sock, -EBADF, "%d descriptors are open", n);
	say_done(sock);
}

static void only_its_descriptors(void **state)
{
	int pair[2], below, fd, above, high;
	struct mover mover;

	(void)state;
	assert_int_equal(pipe(pair), 0);
	below = memfd_create("below", 0);
	fd = memfd_create("job", 0);
	above = memfd_create("above", 0);
	high = fcntl(fd, F_DUPFD, 700);
	start(&mover, look_at_descriptors, &fd, fd);
	expect_done(&mover);
	start(&mover, look_at_descriptors, &high, high);
	expect_done(&mover);
	close(pair[0]);
	close(pair[1]);
	close(below);
	close(fd);
	close(above);
	close(high);
}

static void look_at_process(int sock, const void *job)
{
	struct sigaction action;
	char name[16];
	sigset_t blocked;

	(void)job;
	prctl(PR_GET_NAME, name);
	if (strcmp(name, "egpud-test"))
		child_fail(sock, -EINVAL, "it is called %s", name);
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	sigaction(SIGTERM, NULL, &action);
	if (sigismember(&blocked, SIGTERM) || action.sa_handler != SIG_DFL)
		child_fail(sock, -EINVAL, "SIGTERM would not end it");
	if (prctl(PR_GET_DUMPABLE) || !prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0))
		child_fail(sock, -EINVAL, "it could be looked into");
	say_done(sock);
}

/* It inherits neither a mask nor a handler. */
static void its_own_life(void **state)
{
	struct mover mover;
	sigset_t set, before;
	sighandler_t handler = signal(SIGTERM, SIG_IGN);

	(void)state;
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, &before);
	start(&mover, look_at_process, NULL, -1);
	sigprocmask(SIG_SETMASK, &before, NULL);
	expect_done(&mover);
	signal(SIGTERM, handler);
}

/* --- what it may -------------------------------------------------------------*/

static void look_at_rights(int sock, const void *job)
{
	static const gid_t group = GROUP;
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	gid_t groups[8];
	uid_t id[3];
	int signal_number = 0;

	child_become(sock, NOBODY, NOBODY, &group, 1);
	getresuid(&id[0], &id[1], &id[2]);
	if (id[0] != NOBODY || id[1] != NOBODY || id[2] != NOBODY)
		child_fail(sock, -EPERM, "its user is %u", id[1]);
	getresgid(&id[0], &id[1], &id[2]);
	if (id[0] != NOBODY || id[1] != NOBODY || id[2] != NOBODY)
		child_fail(sock, -EPERM, "its group is %u", id[1]);
	if (getgroups(8, groups) != 1 || groups[0] != GROUP)
		child_fail(sock, -EPERM, "it has other groups");
	syscall(SYS_capget, &head, data);
	if (data[0].permitted | data[0].effective | data[1].permitted)
		child_fail(sock, -EPERM, "it has capabilities");
	if (!open(job, O_RDONLY) || errno != EACCES)
		child_fail(sock, -EPERM, "it opens what is not the user's");
	if (!setuid(0) || !setgid(0))
		child_fail(sock, -EPERM, "it can be root again");
	prctl(PR_GET_PDEATHSIG, &signal_number);
	if (signal_number != SIGKILL || prctl(PR_GET_DUMPABLE))
		child_fail(sock, -EPERM, "it outlives its parent");
	say_done(sock);
}

/* Without root there is nothing to give up, which is said. */
static bool is_root(void)
{
	if (!geteuid())
		return true;
	print_message("skipped: only root can act as another user\n");
	return false;
}

static void as_another_user(void **state)
{
	struct mover mover;
	char path[96];
	int fd;

	(void)state;
	if (!is_root())
		return;
	snprintf(path, sizeof(path), "%s/secret", mover_dir);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(chmod(mover_dir, 0755), 0);
	start(&mover, look_at_rights, path, -1);
	expect_done(&mover);
	close(fd);
}

static void become_another(int sock, const void *job)
{
	(void)job;
	if (!geteuid() && setresuid(NOBODY, NOBODY, NOBODY))
		child_fail(sock, -EIO, "no other user");
	child_become(sock, NOBODY - 1, NOBODY - 1, NULL, 0);
	say_done(sock);
}

static void only_root_can(void **state)
{
	struct mover mover;

	(void)state;
	start(&mover, become_another, NULL, -1);
	mover_expect_failed(&mover, -EPERM, "cannot act as user 65533");
}

static void become_oneself(int sock, const void *job)
{
	(void)job;
	if (!geteuid() && setresuid(NOBODY, NOBODY, NOBODY))
		child_fail(sock, -EIO, "no other user");
	child_become(sock, geteuid(), getegid(), NULL, 0);
	child_lower(sock);
	say_done(sock);
}

static void nobody_needs_root(void **state)
{
	struct mover mover;

	(void)state;
	start(&mover, become_oneself, NULL, -1);
	expect_done(&mover);
}

static void look_at_lowered(int sock, const void *job)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	(void)job;
	child_lower(sock);
	syscall(SYS_capget, &head, data);
	if (data[0].permitted & ~CAP_TO_MASK(CAP_IPC_LOCK) || data[1].permitted)
		child_fail(sock, -EPERM, "it has capabilities");
	say_done(sock);
}

static void without_capabilities(void **state)
{
	struct mover mover;

	(void)state;
	start(&mover, look_at_lowered, NULL, -1);
	expect_done(&mover);
}

/* --- what it reads is of a device that is there ------------------------------*/

static void device_that_has_gone(void **state)
{
	struct tree tree;

	(void)state;
	tree_new(&tree);
	tree_file(&tree, "sys/bus/pci/devices/0000:01:00.0/config",
		  "\x34\x12\x11\x11");
	tree_file(&tree, "sys/bus/pci/devices/0000:02:00.0/config",
		  "\xff\xff\xff\xff");
	tree_file(&tree, "sys/bus/pci/devices/0000:03:00.0/config", "4");
	assert_true(device_is_there(tree.sys, "0000:01:00.0"));
	assert_false(device_is_there(tree.sys, "0000:02:00.0"));
	assert_false(device_is_there(tree.sys, "0000:03:00.0"));
	assert_false(device_is_there(tree.sys, "0000:04:00.0"));
	tree_free(&tree);
}

/* --- how it ends -------------------------------------------------------------*/

static void touch_nothing(int sock, const void *job)
{
	const int *fd = job;
	volatile char *data = mmap(NULL, 4096, PROT_READ, MAP_SHARED, *fd, 0);

	if (data[0] >= 0)
		say_done(sock);
}

static void memory_that_vanishes(void **state)
{
	int fd = memfd_create("empty", MFD_CLOEXEC);
	struct mover mover;

	(void)state;
	start(&mover, touch_nothing, &fd, fd);
	mover_expect_failed(&mover, -EFAULT, "the memory of a buffer vanished");
	close(fd);
}

static void die(int sock, const void *job)
{
	(void)sock;
	(void)job;
	raise(SIGKILL);
}

static void say_nothing(int sock, const void *job)
{
	(void)sock;
	(void)job;
}

static void no_last_word(void **state)
{
	struct mover mover;
	struct pollfd look = { .events = POLLIN };

	(void)state;
	start(&mover, die, NULL, -1);
	look.fd = mover.pidfd;
	assert_int_equal(poll(&look, 1, 20000), 1);
	mover_expect_failed(&mover, -EIO, "(Killed)");
	start(&mover, say_nothing, NULL, -1);
	mover_expect_failed(&mover, -EIO, "in the midst of its work");
}

static void hang(int sock, const void *job)
{
	(void)sock;
	(void)job;
	for (;;)
		pause();
}

static void nobody_waits_for_it(void **state)
{
	struct mover_message message;
	struct mover mover;

	(void)state;
	start(&mover, hang, NULL, -1);
	assert_int_equal(mover_receive(&mover, &message), 0);
	assert_false(mover_reap(&mover));
	mover_kill(&mover);
	mover_expect_failed(&mover, -EIO, "in the midst of its work");
	mover_kill(&mover);
	assert_int_equal(mover_receive(&mover, &message), 0);
}

/* Its parent ends without a word: a process of its own. */
static void ends_with_its_parent(void **state)
{
	struct mover mover;
	struct pollfd look = { .events = POLLIN };
	int pair[2];
	pid_t parent, child;

	(void)state;
	assert_int_equal(pipe(pair), 0);
	parent = fork();
	if (!parent) {
		start(&mover, hang, NULL, -1);
		if (write(pair[1], &mover.pid, sizeof(mover.pid)) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(pair[0], &child, sizeof(child)), sizeof(child));
	look.fd = pidfd_open(child, 0);
	assert_true(look.fd >= 0);
	assert_int_equal(poll(&look, 1, 0), 0);
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	assert_int_equal(poll(&look, 1, 20000), 1);
	close(look.fd);
	close(pair[0]);
	close(pair[1]);
}

/* --- what it says ------------------------------------------------------------*/

/**
 * struct word - a message that makes no sense
 * @event: its event
 * @len: its length
 * @fd: with a descriptor
 */
struct word {
	int event;
	size_t len;
	bool fd;
};

static void say_word(int sock, const void *job)
{
	const struct word *word = job;
	struct mover_message message;

	memset(&message, 0xff, sizeof(message));
	message.event = word->event;
	if (word->len == sizeof(message))
		child_say(sock, &message, word->fd ? STDERR_FILENO : -1);
	else
		send(sock, &message, word->len, 0);
	hang(sock, job);
}

static void no_sense(void **state)
{
	static const struct word words[] = {
		{ MOVER_DONE, 1, false },
		{ MOVER_DONE, sizeof(struct mover_message) - 1, false },
		{ 0, sizeof(struct mover_message), false },
		{ -1, sizeof(struct mover_message), false },
		{ MOVER_FAILED + 1, sizeof(struct mover_message), false },
		{ MOVER_BUFFER, sizeof(struct mover_message), false },
		{ MOVER_STATE, sizeof(struct mover_message), false },
		{ MOVER_DONE, sizeof(struct mover_message), true },
		{ MOVER_COPIED, sizeof(struct mover_message), true },
	};
	struct mover_message message;
	struct mover mover;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		start(&mover, say_word, &words[i], -1);
		assert_true(mover_hear(&mover, &message));
		assert_int_equal(message.event, MOVER_FAILED);
		assert_int_equal(message.error, -EPROTO);
		mover_kill(&mover);
		mover_end(&mover);
	}
}

/* More than the socket holds; the parent reads when it likes. */
static void say_much(int sock, const void *job)
{
	struct mover_message message;
	int i, fd;

	memset(&message, 0, sizeof(message));
	message.event = MOVER_BUFFER;
	for (i = 0; i < *(const int *)job; i++) {
		fd = memfd_create("new", MFD_CLOEXEC);
		message.buffer.id = (uint32_t)i;
		child_say(sock, &message, fd);
		close(fd);
	}
	say_done(sock);
}

static void many_buffers(void **state)
{
	struct mover_message message;
	struct mover mover;
	int n = WIRE_BUFFERS_MAX, i;

	(void)state;
	start(&mover, say_much, &n, -1);
	for (i = 0; i < n; i++) {
		assert_true(mover_hear(&mover, &message));
		assert_int_equal(message.event, MOVER_BUFFER);
		assert_int_equal(message.buffer.id, i);
		assert_int_equal(fcntl(message.fd, F_GETFD), FD_CLOEXEC);
		close(message.fd);
	}
	expect_done(&mover);
}

#define CASE(name)                                                             \
	cmocka_unit_test_setup_teardown(name, mover_setup, mover_teardown)

static const struct CMUnitTest tests[] = {
	CASE(only_its_descriptors), CASE(its_own_life),
	CASE(as_another_user),	    CASE(only_root_can),
	CASE(nobody_needs_root),    CASE(without_capabilities),
	CASE(device_that_has_gone), CASE(memory_that_vanishes),
	CASE(no_last_word),	    CASE(nobody_waits_for_it),
	CASE(ends_with_its_parent), CASE(no_sense),
	CASE(many_buffers),
};

TEST_MAIN(tests, NULL, NULL)

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A machine for the tests of egpud.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"
#include "world.h"

static void make_dirs(const char *path)
{
	char part[256];
	size_t i;

	for (i = 1; path[i]; i++) {
		if (path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		assert_true(!mkdir(part, 0755) || errno == EEXIST);
	}
}

/* Makes a file, and the folders that lead to it. */
void world_file(const char *text, const char *format, ...)
{
	char path[256];
	va_list args;
	FILE *file;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	make_dirs(path);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void open_terminal(struct world *world)
{
	struct stat st;

	world->terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(world->terminal >= 0);
	assert_int_equal(grantpt(world->terminal), 0);
	assert_int_equal(unlockpt(world->terminal), 0);
	assert_int_equal(ptsname_r(world->terminal, world->name,
				   sizeof(world->name)),
			 0);
	assert_int_equal(stat(world->name, &st), 0);
	world->number = st.st_rdev;
}

void world_make(struct world *world)
{
	memset(world, 0, sizeof(*world));
	strcpy(world->dir, "/tmp/egpud-test-XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	snprintf(world->dev, sizeof(world->dev), "%s/dev", world->dir);
	snprintf(world->sys, sizeof(world->sys), "%s/sys", world->dir);
	snprintf(world->run, sizeof(world->run), "%s/run", world->dir);
	assert_int_equal(mkdir(world->dev, 0755), 0);
	assert_int_equal(mkdir(world->sys, 0755), 0);
	world->roots.proc = "/proc";
	world->roots.sys = world->sys;
	world->roots.dev = world->dev;
	open_terminal(world);
}

static int unlink_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void world_free(struct world *world)
{
	close(world->terminal);
	assert_int_equal(nftw(world->dir, unlink_one, 16, FTW_DEPTH | FTW_PHYS),
			 0);
}

void world_node(const struct world *world, unsigned int card, char *path,
		size_t size)
{
	snprintf(path, size, "%s/dri/renderD%u", world->dev, 128 + card);
}

static void add_card(const struct world *world, const char *address,
		     unsigned int card)
{
	char text[64];

	snprintf(text, sizeof(text), "%u:%u\n", major(world->number),
		 minor(world->number));
	world_file(text, "%s/bus/pci/devices/%s/drm/card%u/dev", world->sys,
		   address, card);
	snprintf(text, sizeof(text), "DEVNAME=dri/card%u\n", card);
	world_file(text, "%s/bus/pci/devices/%s/drm/card%u/uevent", world->sys,
		   address, card);
}

static void add_render(const struct world *world, const char *address,
		       unsigned int card)
{
	const struct timespec times[2] = { { 1000000, 5 }, { 2000000, 7 } };
	char text[64], path[256];

	world_file("0:0\n", "%s/bus/pci/devices/%s/drm/renderD%u/dev",
		   world->sys, address, 128 + card);
	snprintf(text, sizeof(text), "DEVNAME=dri/renderD%u\n", 128 + card);
	world_file(text, "%s/bus/pci/devices/%s/drm/renderD%u/uevent",
		   world->sys, address, 128 + card);
	world_node(world, card, path, sizeof(path));
	world_file("", "%s", path);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	world_file("", "%s/dev/char/other", world->sys);
	snprintf(text, sizeof(text), "../../x/renderD%u", 128 + card);
	snprintf(path, sizeof(path), "%s/dev/char/0:0", world->sys);
	assert_int_equal(symlink(text, path), 0);
}

/* All plain files have the same number, so only the first GPU has such a node. */
void world_add_gpu(struct world *world, const char *address, unsigned int card)
{
	char path[256];
	struct stat st;

	add_card(world, address, card);
	snprintf(path, sizeof(path), "%s/dev/char/0:0", world->sys);
	if (lstat(path, &st))
		add_render(world, address, card);
}

/* The driver has let go: nothing of it is left in sysfs, nor in /dev. */
void world_remove_gpu(struct world *world, const char *address,
		      unsigned int card)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s", world->sys,
		 address);
	nftw(path, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
	snprintf(path, sizeof(path), "%s/dev/char/0:0", world->sys);
	unlink(path);
	world_node(world, card, path, sizeof(path));
	unlink(path);
}

/* Whether the node is what it was, bit for bit. */
bool world_node_is(const struct world *world, unsigned int card,
		   const struct stat *before)
{
	struct stat now;
	char path[256];

	world_node(world, card, path, sizeof(path));
	return !stat(path, &now) && now.st_ino == before->st_ino &&
	       now.st_mode == before->st_mode && now.st_uid == before->st_uid &&
	       now.st_gid == before->st_gid && now.st_rdev == before->st_rdev &&
	       now.st_nlink == before->st_nlink &&
	       now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == before->st_mtim.tv_nsec;
}

/* Whether there is a directory with closed nodes. */
bool world_is_fenced(const struct world *world)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/.egpu-fence", world->dev);
	return !access(path, F_OK);
}

static void be_user(const struct world *world, enum user_kind kind,
		    const char *comm, int ready)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, comm);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (kind == USER_STUBBORN)
		signal(SIGTERM, SIG_IGN);
	if (open(world->name, O_RDWR | O_NOCTTY) < 0 || write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* Comes back when the process has the GPU open. */
pid_t world_user(const struct world *world, enum user_kind kind,
		 const char *comm)
{
	int ends[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(world->terminal);
		be_user(world, kind, comm, ends[1]);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return pid;
}

void world_end_user(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* The letter of the state of a process, 0 when it has ended. */
char world_state(pid_t pid)
{
	struct process process;

	if (process_read(&usage_roots_here, pid, &process))
		return 0;
	return process.state;
}

/* Stopping takes a moment, so it is looked at a few times. */
bool world_stands_still(pid_t pid)
{
	int tries;

	for (tries = 0; tries < 1000; tries++) {
		if (world_state(pid) == 'T')
			return true;
		usleep(1000);
	}
	return false;
}

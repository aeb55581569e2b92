// SPDX-License-Identifier: GPL-2.0
/*
 * bench-box: where CRIU runs, and the process that it dumps.
 *
 *   bench-box ROOT IMAGES   a mount namespace with ROOT as its root, IMAGES at
 *                           /images in it, and this program at /run/bench-box;
 *                           "ready" on stdout, goes on until stdin ends
 *   bench-box hold MIB      inside: a process with so much memory and no
 *                           descriptor; writes its sum to /run/ready, and on
 *                           SIGUSR1 again to /run/again
 *
 * CRIU wants its root to be a mount point and to know every file of the process.
 * ROOT is the cached one of all runs, so it cannot be written here.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "bench.h"
#include "content.h"

#define PIECE (UINT64_C(64) << 20)

static void do_mount(const char *from, const char *to, const char *type,
		     unsigned long flags)
{
	if (mount(from, to, type, flags, NULL))
		bench_die("cannot mount %s: %s", to, strerror(errno));
}

static void enter(const char *root, const char *images)
{
	if (unshare(CLONE_NEWNS))
		bench_die("no mount namespace: %s", strerror(errno));
	do_mount("none", "/", NULL, MS_REC | MS_PRIVATE);
	do_mount(root, root, NULL, MS_BIND);
	if (chdir(root))
		bench_die("%s: %s", root, strerror(errno));
	do_mount(images, "images", NULL, MS_BIND);
	do_mount(NULL, ".", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY);
	do_mount("proc", "proc", "proc", 0);
	do_mount("dev", "dev", "tmpfs", 0);
	do_mount("run", "run", "tmpfs", 0);
	do_mount("tmp", "tmp", "tmpfs", 0);
	if (mknod("dev/null", S_IFCHR | 0666, makedev(1, 3)))
		bench_die("no /dev/null: %s", strerror(errno));
}

/* The program itself has to be a file of the namespace, too. */
static void copy_self(void)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to;
	struct stat st;
	ssize_t copied;

	to = open("run/bench-box", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	if (from < 0 || to < 0 || fstat(from, &st))
		bench_die("cannot copy this program: %s", strerror(errno));
	while ((copied = sendfile(to, from, NULL, st.st_size)) > 0)
		;
	if (copied < 0)
		bench_die("cannot copy this program: %s", strerror(errno));
	close(from);
	close(to);
}

static int make_box(const char *root, const char *images)
{
	char byte;

	enter(root, images);
	copy_self();
	if (syscall(SYS_pivot_root, ".", "old") || chdir("/") ||
	    umount2("/old", MNT_DETACH))
		bench_die("cannot make %s the root: %s", root, strerror(errno));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}

static void tell(const char *path, void *const *piece, size_t n)
{
	uint64_t sum = 0;
	char text[64], scratch[64];
	size_t i;
	int fd, len;

	for (i = 0; i < n; i++)
		sum = sum * 31 + content_sum(piece[i], PIECE);
	len = snprintf(text, sizeof(text), "%" PRIu64 "\n", sum);
	snprintf(scratch, sizeof(scratch), "%s.new", path);
	fd = open(scratch, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, len) != len)
		_exit(1);
	close(fd);
	rename(scratch, path);
}

static int hold(unsigned int mib)
{
	size_t n = ((uint64_t)mib << 20) / PIECE, i;
	void **piece = calloc(n, sizeof(*piece));
	sigset_t set;
	int signal;

	if (!piece)
		bench_die("no memory");
	for (i = 0; i < n; i++) {
		piece[i] = mmap(NULL, PIECE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (piece[i] == MAP_FAILED)
			bench_die("no memory: %s", strerror(errno));
		content_fill(piece[i], PIECE, i);
	}
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* What ties it to the world outside: a terminal, a folder, descriptors. */
	setsid();
	if (chdir("/"))
		return 1;
	close_range(0, ~0U, 0);
	tell("/run/ready", piece, n);
	while (!sigwait(&set, &signal))
		tell("/run/again", piece, n);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: bench-box ROOT IMAGES | bench-box hold MIB\n",
		      stderr);
		return 2;
	}
	if (strcmp(argv[1], "hold"))
		return make_box(argv[1], argv[2]);
	return hold(bench_number(argv[2], "the size in MiB", 1 << 20));
}

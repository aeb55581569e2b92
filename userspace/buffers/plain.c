// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The open DRM nodes of a program that knows nothing of us, and stands still.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/dir.h"
#include "../common/text.h"
#include "private.h"

/* Open nodes of one GPU in one program; and descriptors that are looked at. */
#define NODES_MAX 256
#define LOOKS_MAX 65536

/* As asked of /proc, which does not ask the file system of the file. */
static bool is_wanted(int links, const char *name, uint32_t minor)
{
	struct statx stx;

	return !statx(links, name, AT_STATX_DONT_SYNC, STATX_TYPE, &stx) &&
	       S_ISCHR(stx.stx_mode) && stx.stx_rdev_major == DRM_MAJOR &&
	       stx.stx_rdev_minor == minor;
}

/* Two descriptors of one open file have the same handles. */
static bool is_known(const int *fds, size_t n, int fd)
{
	pid_t self = getpid();

	while (n--) {
		if (!syscall(SYS_kcmp, self, self, KCMP_FILE, *fds++, fd))
			return true;
	}
	return false;
}

/* Takes one; what is not what it was a moment ago is left out. */
static int take(int pidfd, int number, uint32_t minor, int **fds, size_t *n)
{
	uint32_t found;
	int *larger;
	int fd;

	fd = pidfd_getfd(pidfd, number, 0);
	if (fd < 0)
		return errno == EBADF ? 0 : -errno;
	if (!buffer_is_drm_node(fd, &found) || found != minor ||
	    fcntl(fd, F_GETFL) & O_PATH || is_known(*fds, *n, fd)) {
		close(fd);
		return 0;
	}
	larger = *n < NODES_MAX ? reallocarray(*fds, *n + 1, sizeof(**fds)) :
				  NULL;
	if (!larger) {
		close(fd);
		return *n < NODES_MAX ? -ENOMEM : -E2BIG;
	}
	*fds = larger;
	(*fds)[(*n)++] = fd;
	return 0;
}

static int take_all(int pidfd, DIR *stream, uint32_t minor, int **fds, size_t *n)
{
	unsigned int looks = 0;
	struct dirent *entry;
	uint64_t number;
	int err = 0;

	while (!err && (entry = readdir(stream))) {
		if (!text_to_uint(entry->d_name, INT_MAX, &number))
			continue;
		if (++looks > LOOKS_MAX)
			err = -E2BIG;
		else if (is_wanted(dirfd(stream), entry->d_name, minor))
			err = take(pidfd, (int)number, minor, fds, n);
	}
	return err;
}

static DIR *open_links(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	return dir_stream(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/**
 * plain_open_files() - copies of a program's open nodes of a GPU
 * @pid: the program; it should stand still, or files may be missed
 * @minor: minor number of the node
 * @fds: set to descriptors, each of another open file; NULL for none
 * @n: how many
 * @error: why not, in words
 *
 * Needs the right to trace the program. The same open files: handles in them
 * are the program's.
 *
 * Return: 0, -ESRCH when there is no such program, or another errno.
 */
int plain_open_files(pid_t pid, uint32_t minor, int **fds, size_t *n,
		     char *error)
{
	int pidfd = pidfd_open(pid, 0);
	DIR *stream;
	int err;

	*fds = NULL;
	*n = 0;
	if (pidfd < 0)
		return buffer_fail(error, -errno, "process %d: %s", pid,
				   strerror(errno));
	stream = open_links(pid);
	err = stream ? take_all(pidfd, stream, minor, fds, n) : -errno;
	if (stream)
		closedir(stream);
	close(pidfd);
	if (!err)
		return 0;
	while (*n)
		close((*fds)[--*n]);
	free(*fds);
	*fds = NULL;
	return buffer_fail(error, err,
			   "the files of process %d cannot be had: %s", pid,
			   strerror(-err));
}

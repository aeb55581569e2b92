// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The system calls of a store, in a table so that tests can let them fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "private.h"

static int real_open(int dir, const char *name, int flags, mode_t mode)
{
	return openat(dir, name, flags, mode);
}

static int real_allocate(int fd, off_t offset, off_t len)
{
	return fallocate(fd, 0, offset, len);
}

/*
 * By the descriptor where that is allowed: older kernels want a capability for
 * it, and a process without /proc cannot take the other way.
 */
static int real_link(int fd, int dir, const char *name)
{
	char path[40];

	if (!linkat(fd, "", dir, name, AT_EMPTY_PATH))
		return 0;
	if (errno != ENOENT && errno != EPERM && errno != EACCES)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW);
}

static int real_unlink(int dir, const char *name)
{
	return unlinkat(dir, name, 0);
}

const struct store_io store_io_real = {
	.open = real_open,
	.pread = pread,
	.pwrite = pwrite,
	.write = write,
	.read = read,
	.allocate = real_allocate,
	.truncate = ftruncate,
	.datasync = fdatasync,
	.sync = fsync,
	.link = real_link,
	.unlink = real_unlink,
	.statvfs = fstatvfs,
};

/* Reads exactly @len bytes; -EBADMSG when the file ends before. */
int io_read_all(const struct store_io *io, int fd, void *to, size_t len,
		uint64_t offset)
{
	ssize_t n;

	while (len) {
		n = io->pread(fd, to, len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -EBADMSG;
		to = (uint8_t *)to + n;
		len -= (size_t)n;
		offset += (size_t)n;
	}
	return 0;
}

/* Writes all of it: where the file is at if @stream, else to @offset. */
int io_write_all(const struct store_io *io, int fd, const void *from,
		 size_t len, uint64_t offset, bool stream)
{
	ssize_t n;

	while (len) {
		n = stream ? io->write(fd, from, len) :
			     io->pwrite(fd, from, len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		from = (const uint8_t *)from + n;
		len -= (size_t)n;
		offset += (size_t)n;
	}
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Is a descriptor what the program that sent it says?
 *
 * The daemon asks this itself, so only what the kernel answers on the spot is
 * asked. A program can send a file of a file system that it serves itself and
 * never answer, and fstat() of a file there waits for it; a driver that hangs
 * does not answer what its fdinfo shows. So the kind is found out first: by
 * seals, which only memory has, and by a statx() that is content with what is
 * cached.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private.h"

/**
 * buffer_fail() - say what is wrong
 * @error: BUFFERS_ERROR bytes
 * @err: negative errno
 * @format: a sentence without a full stop, and what goes into it
 *
 * Return: @err.
 */
int buffer_fail(char *error, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, BUFFERS_ERROR, format, args);
	va_end(args);
	return err;
}

static bool look(int fd, struct statx *stx)
{
	return !statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE,
		      stx);
}

/**
 * buffer_is_drm_node() - whether a descriptor is an open DRM node
 * @fd: any descriptor
 * @minor: set to its minor number; may be NULL
 *
 * Return: whether it is.
 */
bool buffer_is_drm_node(int fd, uint32_t *minor)
{
	struct statx stx;

	if (!look(fd, &stx) || !S_ISCHR(stx.stx_mode) ||
	    stx.stx_rdev_major != DRM_MAJOR)
		return false;
	if (minor)
		*minor = stx.stx_rdev_minor;
	return true;
}

/* How it was opened: neither O_PATH, which is no open file, nor write-only. */
static int check_access(int fd, bool write, char *error)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return buffer_fail(error, -errno, "the descriptor is not open");
	if (flags & O_PATH)
		return buffer_fail(error, -EBADF,
				   "the descriptor is only a path");
	if ((flags & O_ACCMODE) == O_WRONLY)
		return buffer_fail(error, -EACCES,
				   "the descriptor cannot be read");
	if (write && (flags & O_ACCMODE) != O_RDWR)
		return buffer_fail(error, -EACCES,
				   "the descriptor cannot be written");
	return 0;
}

/*
 * Files of dma-bufs have no type, which a file of no file system can lack, and
 * a name that others could have as well. So both.
 */
static bool is_dma_buf(int fd)
{
	char link[64], target[16];
	struct statx stx;
	ssize_t len;

	if (!look(fd, &stx) || (stx.stx_mode & S_IFMT))
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, target, sizeof(target));
	return len >= 8 && !memcmp(target, "/dmabuf:", 8);
}

/* A number in a line of fdinfo; the first such line, for the last is a name. */
static bool field(const char *text, const char *key, uint64_t *value)
{
	size_t len = strlen(key);

	while (*text) {
		if (!strncmp(text, key, len)) {
			*value = strtoull(text + len, NULL, 10);
			return true;
		}
		text = strchr(text, '\n');
		if (!text)
			break;
		text++;
	}
	return false;
}

static int read_fdinfo(int fd, char *text, size_t size)
{
	char path[64];
	ssize_t len;
	int info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return -errno;
	len = read(info, text, size - 1);
	if (len < 0)
		len = -errno;
	else
		text[len] = '\0';
	close(info);
	return len < 0 ? (int)len : 0;
}

static int check_dma_buf(int fd, uint64_t size, uint64_t *inode, char *error)
{
	uint64_t have = 0, exporter;
	char text[1024];
	int err;

	if (!is_dma_buf(fd))
		return buffer_fail(error, -EINVAL,
				   "the descriptor is not a dma-buf");
	err = read_fdinfo(fd, text, sizeof(text));
	if (err)
		return buffer_fail(error, err,
				   "/proc/self/fdinfo cannot be read: %s",
				   strerror(-err));
	if (!field(text, "exp_name:", &exporter) ||
	    !field(text, "ino:", inode) || !field(text, "size:", &have))
		return buffer_fail(error, -EINVAL,
				   "the descriptor is not a dma-buf");
	if (have < size)
		return buffer_fail(error, -ERANGE,
				   "the dma-buf has %" PRIu64
				   " bytes, not %" PRIu64,
				   have, size);
	return 0;
}

static int check_memory(int fd, uint64_t size, uint64_t *inode, char *error)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0)
		return buffer_fail(error, -EINVAL,
				   "the descriptor is not a memfd");
	if (!(seals & F_SEAL_SHRINK))
		return buffer_fail(error, -EPERM,
				   "the memfd can shrink, seal it with F_SEAL_SHRINK");
	/* It is memory, so no file system of a user answers this. */
	if (fstat(fd, &st))
		return buffer_fail(error, -errno, "the memfd has no size: %s",
				   strerror(errno));
	if ((uint64_t)st.st_size < size)
		return buffer_fail(error, -ERANGE,
				   "the memfd has %jd bytes, not %" PRIu64,
				   (intmax_t)st.st_size, size);
	*inode = st.st_ino;
	return 0;
}

/**
 * buffer_check() - whether a descriptor is what a program says
 * @buffer: what it says; only .kind, .size and .handle are looked at
 * @fd: the descriptor
 * @inode: set to the inode number of a dma-buf, as in the kernel's list of
 *	buffers, or of a memfd; to the minor number of a DRM node
 * @error: why not, in words
 *
 * Safe for the daemon. How large the buffer behind a handle is only its driver
 * knows, so buffer_map() has to find that out.
 *
 * Return: 0, -EINVAL when it is something else, -ERANGE when it is smaller,
 * -EPERM when it could shrink, -EACCES when it cannot be read, -EBADF.
 */
int buffer_check(const struct wire_buffer *buffer, int fd, uint64_t *inode,
		 char *error)
{
	int err = check_access(fd, buffer->kind == WIRE_HANDLE, error);
	uint32_t minor;

	if (err)
		return err;
	if (!buffer->size || buffer->size > WIRE_SIZE_MAX)
		return buffer_fail(error, -ERANGE,
				   "%" PRIu64 " bytes are no buffer",
				   buffer->size);
	switch (buffer->kind) {
	case WIRE_DMABUF:
		return check_dma_buf(fd, buffer->size, inode, error);
	case WIRE_MEMORY:
		return check_memory(fd, buffer->size, inode, error);
	case WIRE_HANDLE:
		if (!buffer_is_drm_node(fd, &minor))
			return buffer_fail(error, -EINVAL,
					   "the descriptor is not a DRM node");
		if (!buffer->handle)
			return buffer_fail(error, -EINVAL, "0 is no GEM handle");
		*inode = minor;
		return 0;
	default:
		return buffer_fail(error, -EINVAL, "kind %u is not known",
				   buffer->kind);
	}
}

/**
 * buffer_check_state() - whether a descriptor can hold a program's state
 * @fd: the descriptor
 * @size: bytes it says it has
 * @error: why not, in words
 *
 * Safe for the daemon.
 *
 * Return: 0 or a negative errno as of buffer_check().
 */
int buffer_check_state(int fd, uint32_t size, char *error)
{
	struct wire_buffer state = { .kind = WIRE_MEMORY, .size = size };
	uint64_t inode;

	if (size > WIRE_STATE_MAX)
		return buffer_fail(error, -ERANGE,
				   "a state of %u bytes is too large, %u are allowed",
				   size, WIRE_STATE_MAX);
	return buffer_check(&state, fd, &inode, error);
}

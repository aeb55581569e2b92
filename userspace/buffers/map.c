// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where the bytes of a buffer are.
 *
 * All drivers that can give a dma-buf can be asked for the bytes in the same
 * way; those that cannot still show the dumb buffers that they have made.
 */
#include <drm.h>
#include <drm_mode.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/dma-buf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xf86drm.h>

#include "private.h"

/**
 * handle_export() - make a dma-buf of a buffer
 * @drm: the open DRM node
 * @handle: GEM handle there
 *
 * Return: the dma-buf or a negative errno.
 */
int handle_export(int drm, uint32_t handle)
{
	struct drm_prime_handle prime = {
		.handle = handle,
		.flags = DRM_CLOEXEC | DRM_RDWR,
	};

	return drmIoctl(drm, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime) ? -errno :
								     prime.fd;
}

/**
 * buffer_is_refused() - whether an errno says that a driver does not do that at all
 * @err: negative errno
 *
 * Return: whether it does.
 */
bool buffer_is_refused(int err)
{
	return err == -ENOSYS || err == -EOPNOTSUPP || err == -ENOTTY;
}

static int map_at(int fd, uint64_t offset, uint64_t size, bool write,
		  struct mapping *mapping)
{
	uint64_t page = sysconf(_SC_PAGESIZE);
	void *data;

	size = (size + page - 1) & ~(page - 1);
	data = mmap(NULL, size, PROT_READ | (write ? PROT_WRITE : 0),
		    MAP_SHARED, fd, (off_t)offset);
	if (data == MAP_FAILED)
		return -errno;
	mapping->data = data;
	mapping->size = size;
	return 0;
}

/**
 * map_dma_buf() - map a dma-buf
 * @fd: the dma-buf; it is the mapping's when all went well
 * @size: bytes it must have
 * @write: to write as well
 * @mapping: set
 * @error: why not, in words
 *
 * Return: 0 or a negative errno.
 */
int map_dma_buf(int fd, uint64_t size, bool write, struct mapping *mapping,
		char *error)
{
	off_t have = lseek(fd, 0, SEEK_END);
	int err;

	if (have < 0)
		return buffer_fail(error, -errno, "its dma-buf has no size: %s",
				   strerror(errno));
	if ((uint64_t)have < size)
		return buffer_fail(error, -ERANGE,
				   "its dma-buf has %jd bytes, not %" PRIu64,
				   (intmax_t)have, size);
	err = map_at(fd, 0, size, write, mapping);
	if (err)
		return buffer_fail(error, err,
				   "its dma-buf cannot be mapped: %s",
				   strerror(-err));
	mapping->fd = fd;
	mapping->slow = true;
	return 0;
}

/**
 * map_dumb() - map a dumb buffer
 * @drm: the open DRM node
 * @handle: GEM handle there
 * @size: bytes it must have
 * @write: to write as well
 * @mapping: set
 * @error: why not, in words
 *
 * Return: 0 or a negative errno.
 */
int map_dumb(int drm, uint32_t handle, uint64_t size, bool write,
	     struct mapping *mapping, char *error)
{
	struct drm_mode_map_dumb map = { .handle = handle };
	int err = 0;

	if (drmIoctl(drm, DRM_IOCTL_MODE_MAP_DUMB, &map))
		err = -errno;
	/* Drivers do not map more than there is. */
	if (!err)
		err = map_at(drm, map.offset, size, write, mapping);
	if (err)
		return buffer_fail(error, err,
				   "its driver maps handle %u neither as a dma-buf nor as a dumb buffer: %s",
				   handle, strerror(-err));
	mapping->fd = -1;
	mapping->slow = true;
	return 0;
}

/**
 * map_memory() - map a memfd
 * @fd: the memfd, stays the caller's
 * @size: bytes it must have
 * @write: to write as well
 * @mapping: set
 * @error: why not, in words
 *
 * Return: 0 or a negative errno.
 */
int map_memory(int fd, uint64_t size, bool write, struct mapping *mapping,
	       char *error)
{
	int err = map_at(fd, 0, size, write, mapping);

	if (err)
		return buffer_fail(error, err, "its memory cannot be mapped: %s",
				   strerror(-err));
	mapping->fd = -1;
	mapping->slow = false;
	return 0;
}

/* By PRIME, and where the driver has none, or maps none, as a dumb buffer. */
static int map_handle(const struct wire_buffer *buffer, int drm, bool write,
		      struct mapping *mapping, char *error)
{
	int fd = handle_export(drm, buffer->handle);
	int err;

	if (fd < 0 && !buffer_is_refused(fd))
		return buffer_fail(error, fd, "handle %u cannot be exported: %s",
				   buffer->handle, strerror(-fd));
	if (fd >= 0) {
		err = map_dma_buf(fd, buffer->size, write, mapping, error);
		if (!err)
			return 0;
		close(fd);
		if (err == -ERANGE)
			return err;
	}
	return map_dumb(drm, buffer->handle, buffer->size, write, mapping,
			error);
}

/**
 * buffer_map() - map a buffer
 * @buffer: the buffer, as buffer_check() has found it
 * @fd: its descriptor, stays the caller's
 * @write: to write as well
 * @mapping: set; empty on failure
 * @error: why not, in words
 *
 * Return: 0, -ERANGE when it is smaller than is said, or another errno.
 */
int buffer_map(const struct wire_buffer *buffer, int fd, bool write,
	       struct mapping *mapping, char *error)
{
	int own, err;

	*mapping = (struct mapping){ .fd = -1 };
	switch (buffer->kind) {
	case WIRE_DMABUF:
		own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (own < 0)
			return buffer_fail(error, -errno,
					   "no descriptor is left");
		err = map_dma_buf(own, buffer->size, write, mapping, error);
		if (err)
			close(own);
		return err;
	case WIRE_HANDLE:
		return map_handle(buffer, fd, write, mapping, error);
	case WIRE_MEMORY:
		return map_memory(fd, buffer->size, write, mapping, error);
	default:
		return buffer_fail(error, -EINVAL, "kind %u is not known",
				   buffer->kind);
	}
}

/**
 * buffer_unmap() - let go of a mapping
 * @mapping: it; empty afterwards
 */
void buffer_unmap(struct mapping *mapping)
{
	if (mapping->data)
		munmap(mapping->data, mapping->size);
	if (mapping->fd >= 0)
		close(mapping->fd);
	*mapping = (struct mapping){ .fd = -1 };
}

/**
 * buffer_sync() - make what the CPU sees and what the device sees one
 * @mapping: of the buffer
 * @begin: before the CPU's access, else after it
 * @write: it writes, else it reads
 *
 * The kernel may wait for work on the buffer at the beginning, without a limit.
 *
 * Return: 0 or a negative errno.
 */
int buffer_sync(const struct mapping *mapping, bool begin, bool write)
{
	struct dma_buf_sync sync = {
		.flags = (begin ? DMA_BUF_SYNC_START : DMA_BUF_SYNC_END) |
			 (write ? DMA_BUF_SYNC_RW : DMA_BUF_SYNC_READ),
	};

	if (mapping->fd < 0)
		return 0;
	return drmIoctl(mapping->fd, DMA_BUF_IOCTL_SYNC, &sync) ? -errno : 0;
}

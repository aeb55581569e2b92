// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Memory for a picture. Dumb buffers are what every driver with a screen can
 * make; a program that computes on a GPU has its own, and the rest is the same.
 */
#include <drm.h>
#include <drm_fourcc.h>
#include <drm_mode.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "surface.h"

static const struct surface no_surface = { .fd = -1, .drm = -1 };

static int drm_ioctl(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret && (errno == EINTR || errno == EAGAIN));
	return ret ? -errno : 0;
}

/* A DRM node, without becoming the one who shows pictures. */
int surface_open_node(const char *node)
{
	int fd = open(node, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	drm_ioctl(fd, DRM_IOCTL_DROP_MASTER, NULL);
	return fd;
}

static int map(struct surface *surface, int fd, uint64_t offset)
{
	void *at;

	at = mmap(NULL, surface->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		  (off_t)offset);
	if (at == MAP_FAILED)
		return -errno;
	surface->canvas.map = at;
	return 0;
}

static int map_handle(struct surface *surface, int drm, uint32_t handle)
{
	struct drm_mode_map_dumb dumb = { .handle = handle };
	int err = drm_ioctl(drm, DRM_IOCTL_MODE_MAP_DUMB, &dumb);

	return err ? err : map(surface, drm, dumb.offset);
}

static int map_memory(struct surface *surface)
{
	surface->buffer.kind = EGPU_SESSION_MEMORY;
	surface->fd = egpu_session_memory(surface->size, surface->buffer.name);
	if (surface->fd < 0)
		return surface->fd;
	return map(surface, surface->fd, 0);
}

/* As a dma-buf if the driver can, else by its handle in our node. */
static int create_dumb(struct surface *surface, int drm)
{
	struct drm_mode_create_dumb dumb = {
		.width = surface->buffer.width,
		.height = surface->buffer.height,
		.bpp = 32,
	};
	struct drm_prime_handle prime = { .flags = DRM_CLOEXEC | DRM_RDWR };
	int err = drm_ioctl(drm, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);

	if (err)
		return err;
	surface->buffer.stride = dumb.pitch;
	surface->buffer.size = (uint64_t)dumb.pitch * dumb.height;
	surface->size = surface->buffer.size;
	surface->canvas.stride = dumb.pitch;
	prime.handle = dumb.handle;
	if (!drm_ioctl(drm, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime)) {
		surface->buffer.kind = EGPU_SESSION_DMABUF;
		surface->fd = prime.fd;
		surface->drm = fcntl(drm, F_DUPFD_CLOEXEC, 3);
	} else {
		surface->buffer.kind = EGPU_SESSION_HANDLE;
		surface->buffer.handle = dumb.handle;
		surface->fd = fcntl(drm, F_DUPFD_CLOEXEC, 3);
	}
	return map_handle(surface, drm, dumb.handle);
}

/**
 * surface_create() - make a buffer
 * @surface: set
 * @drm: DRM node, stays the caller's, or -1 for memory
 * @id: of the buffer
 * @side: pixels in a line, and lines
 *
 * Return: 0 or a negative errno.
 */
int surface_create(struct surface *surface, int drm, uint32_t id, uint32_t side)
{
	int err;

	*surface = no_surface;
	surface->buffer = (struct egpu_session_buffer){
		.id = id,
		.flags = EGPU_SESSION_DECLARED,
		.size = (uint64_t)side * side * 4,
		.format = DRM_FORMAT_XRGB8888,
		.width = side,
		.height = side,
		.stride = side * 4,
	};
	snprintf(surface->buffer.name, sizeof(surface->buffer.name),
		 "picture %u", id);
	surface->size = surface->buffer.size;
	surface->canvas.side = side;
	surface->canvas.stride = side * 4;
	err = drm < 0 ? map_memory(surface) : create_dumb(surface, drm);
	if (err)
		surface_close(surface);
	return err;
}

/* A driver that does not let its dma-bufs be mapped maps the buffer itself. */
static int map_dmabuf(struct surface *surface, const char *node)
{
	struct drm_prime_handle prime = { .fd = surface->fd };
	int err = map(surface, surface->fd, 0);

	if (!err)
		return 0;
	surface->drm = surface_open_node(node);
	if (surface->drm < 0)
		return err;
	err = drm_ioctl(surface->drm, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);
	return err ? err : map_handle(surface, surface->drm, prime.handle);
}

/**
 * surface_adopt() - make use of a buffer that egpud has made
 * @surface: set
 * @buffer: what it is
 * @fd: its descriptor, the surface's when it returns 0
 * @node: DRM node of its device
 *
 * Return: 0 or a negative errno.
 */
int surface_adopt(struct surface *surface,
		  const struct egpu_session_buffer *buffer, int fd,
		  const char *node)
{
	int err;

	*surface = no_surface;
	surface->buffer = *buffer;
	surface->fd = fd;
	surface->size = buffer->size;
	surface->canvas.side = buffer->width;
	/* Lines may be longer than they were. */
	surface->canvas.stride = buffer->stride;
	if (buffer->kind == EGPU_SESSION_HANDLE)
		err = map_handle(surface, fd, buffer->handle);
	else if (buffer->kind == EGPU_SESSION_DMABUF)
		err = map_dmabuf(surface, node);
	else
		err = map(surface, fd, 0);
	if (err) {
		surface->fd = -1;
		surface_close(surface);
	}
	return err;
}

int surface_add(const struct surface *surface, struct egpu_session *session)
{
	switch (surface->buffer.kind) {
	case EGPU_SESSION_DMABUF:
		return egpu_session_add_dmabuf(session, &surface->buffer,
					       surface->fd);
	case EGPU_SESSION_HANDLE:
		return egpu_session_add_handle(session, &surface->buffer,
					       surface->fd);
	default:
		return egpu_session_add_memory(session, &surface->buffer,
					       surface->fd);
	}
}

static void sync_caches(const struct surface *surface, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	if (surface->buffer.kind == EGPU_SESSION_DMABUF)
		drm_ioctl(surface->fd, DMA_BUF_IOCTL_SYNC, &sync);
}

/* Around what the processor does with it. */
void surface_begin(const struct surface *surface, bool write)
{
	sync_caches(surface, DMA_BUF_SYNC_START | (write ? DMA_BUF_SYNC_RW :
							   DMA_BUF_SYNC_READ));
}

void surface_end(const struct surface *surface, bool write)
{
	sync_caches(surface, DMA_BUF_SYNC_END | (write ? DMA_BUF_SYNC_RW :
							 DMA_BUF_SYNC_READ));
}

/* Nothing of the device is held afterwards. */
void surface_close(struct surface *surface)
{
	if (surface->canvas.map)
		munmap((void *)surface->canvas.map, surface->size);
	if (surface->fd >= 0)
		close(surface->fd);
	if (surface->drm >= 0)
		close(surface->drm);
	*surface = no_surface;
}

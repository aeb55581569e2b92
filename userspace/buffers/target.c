// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * New buffers: of a device, by its own driver, or in memory.
 *
 * Dumb buffers are what every DRM driver with a screen can make without anybody
 * knowing the driver; they are linear and can be mapped.
 */
#include <drm.h>
#include <drm_mode.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "private.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

/* Pixels of 4 bytes: a line of raw bytes, and one when there are many. */
#define RAW_WIDTH      1024u
#define RAW_WIDTH_MANY 16384u
#define RAW_MANY       (UINT64_C(64) << 20)

static int open_node(const char *node, char *error)
{
	int fd = open(node, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return buffer_fail(error, -errno, "%s cannot be opened: %s",
				   node, strerror(errno));
	if (!buffer_is_drm_node(fd, NULL)) {
		close(fd);
		return buffer_fail(error, -EINVAL, "%s is not a DRM node", node);
	}
	/*
	 * Who opens a node that nobody shows a picture on becomes the one who
	 * may: that is for a display server that comes, not for us.
	 */
	drmIoctl(fd, DRM_IOCTL_DROP_MASTER, NULL);
	return fd;
}

/* A device without screens does not answer, and may do it all the same. */
static uint64_t capability(int drm, uint64_t which)
{
	struct drm_get_cap cap = { .capability = which };

	return drmIoctl(drm, DRM_IOCTL_GET_CAP, &cap) ? UINT64_MAX : cap.value;
}

/**
 * target_open() - get ready to make buffers
 * @target: set; close it with target_close()
 * @node: primary node of the device, or NULL for memory
 * @error: why not, in words
 *
 * Return: 0, -EACCES when the caller may not, -EOPNOTSUPP when the driver makes
 * no dumb buffers, or another errno.
 */
int target_open(struct target *target, const char *node, char *error)
{
	int fd;

	*target = (struct target){ .cpu = !node, .drm = -1 };
	if (!node)
		return 0;
	fd = open_node(node, error);
	if (fd < 0)
		return fd;
	if (!capability(fd, DRM_CAP_DUMB_BUFFER)) {
		close(fd);
		return buffer_fail(error, -EOPNOTSUPP,
				   "the driver of %s makes no dumb buffers",
				   node);
	}
	target->drm = fd;
	target->can_export = capability(fd, DRM_CAP_PRIME) &
			     DRM_PRIME_CAP_EXPORT;
	return 0;
}

/**
 * target_close() - let go of a target; what was made stays
 * @target: it
 */
void target_close(struct target *target)
{
	if (target->drm >= 0)
		close(target->drm);
	target->drm = -1;
}

static int new_memory(const char *name, uint64_t size)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);
	int err = 0;

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, flags);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* With another stride the size is another, too. */
static void set_stride(struct wire_buffer *buffer, uint32_t stride)
{
	if (!buffer->format || stride == buffer->stride)
		return;
	buffer->stride = stride;
	buffer->size = (uint64_t)stride * buffer->height;
}

static int make_memory(const struct target *target, struct made *made,
		       char *error)
{
	uint32_t align = target->align;
	int fd, err;

	if (align)
		set_stride(&made->buffer,
			   (made->buffer.stride + align - 1) / align * align);
	fd = new_memory("egpu-buffer", made->buffer.size);
	if (fd < 0)
		return buffer_fail(error, fd, "%" PRIu64 " bytes of memory: %s",
				   made->buffer.size, strerror(-fd));
	err = map_memory(fd, made->buffer.size, true, &made->map, error);
	if (err) {
		close(fd);
		return err;
	}
	made->buffer.kind = WIRE_MEMORY;
	made->fd = fd;
	return 0;
}

static int create_dumb(int drm, uint32_t width, uint64_t height, uint32_t bits,
		       struct drm_mode_create_dumb *dumb)
{
	if (!height || height > UINT32_MAX)
		return -EFBIG;
	*dumb = (struct drm_mode_create_dumb){
		.width = width,
		.height = (uint32_t)height,
		.bpp = bits,
	};
	return drmIoctl(drm, DRM_IOCTL_MODE_CREATE_DUMB, dumb) ? -errno : 0;
}

/*
 * As many lines as the old buffer has room for, each as long as its stride if
 * that is whole pixels: then a driver that does not need longer lines gives a
 * buffer of the same layout. Some drivers know pixels of 32 bits only.
 */
static int create_like(int drm, const struct wire_buffer *like,
		       struct drm_mode_create_dumb *dumb)
{
	uint32_t bytes = pixel_bytes(like->format);
	uint64_t lines;
	int err;

	if (!bytes) {
		uint32_t width = like->size > RAW_MANY ? RAW_WIDTH_MANY :
							 RAW_WIDTH;

		lines = (like->size + width * 4 - 1) / (width * 4);
		return create_dumb(drm, width, lines, 32, dumb);
	}
	lines = (like->size + like->stride - 1) / like->stride;
	err = create_dumb(drm,
			  like->stride % bytes ? like->width :
						 like->stride / bytes,
			  lines, bytes * 8, dumb);
	if (err == -EINVAL)
		err = create_dumb(drm, (like->stride + 3) / 4, lines, 32, dumb);
	return err;
}

/* What the driver has made has to have room for what it was asked for. */
static bool fits(const struct wire_buffer *like,
		 const struct drm_mode_create_dumb *dumb)
{
	if (!like->format)
		return dumb->size >= like->size;
	return dumb->pitch >= buffer_line_bytes(like) &&
	       dumb->size >= (uint64_t)dumb->pitch * like->height &&
	       (dumb->pitch != like->stride || dumb->size >= like->size);
}

static void destroy_dumb(int drm, uint32_t handle)
{
	struct drm_mode_destroy_dumb destroy = { .handle = handle };

	drmIoctl(drm, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy);
}

/*
 * As a dma-buf, which any API takes; else the program gets our open node, in
 * which the handle is.
 */
static int give_dumb(struct target *target,
		     const struct drm_mode_create_dumb *dumb, struct made *made,
		     char *error)
{
	int fd = -EOPNOTSUPP;

	if (target->can_export)
		fd = handle_export(target->drm, dumb->handle);
	if (fd >= 0) {
		made->buffer.kind = WIRE_DMABUF;
		made->fd = fd;
		return 0;
	}
	if (!buffer_is_refused(fd))
		return buffer_fail(error, fd,
				   "a new buffer cannot be exported: %s",
				   strerror(-fd));
	target->can_export = false;
	fd = fcntl(target->drm, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return buffer_fail(error, -errno, "no descriptor is left");
	made->buffer.kind = WIRE_HANDLE;
	made->buffer.handle = dumb->handle;
	made->fd = fd;
	return 0;
}

/*
 * The handle stays: until the node is closed nothing else can get its number,
 * and a dma-buf does not need it.
 */
static int make_dumb(struct target *target, const struct wire_buffer *like,
		     struct made *made, char *error)
{
	struct drm_mode_create_dumb dumb;
	struct wire_buffer whole;
	int err;

	err = create_like(target->drm, like, &dumb);
	if (err)
		return buffer_fail(error, err,
				   "the driver makes no buffer of %" PRIu64
				   " bytes: %s",
				   like->size, strerror(-err));
	if (!fits(like, &dumb)) {
		destroy_dumb(target->drm, dumb.handle);
		return buffer_fail(error, -ERANGE,
				   "the driver has made a buffer of %" PRIu64
				   " bytes where %" PRIu64 " were asked for",
				   (uint64_t)dumb.size, like->size);
	}
	set_stride(&made->buffer, dumb.pitch);
	err = give_dumb(target, &dumb, made, error);
	if (err) {
		destroy_dumb(target->drm, dumb.handle);
		return err;
	}
	whole = made->buffer;
	err = buffer_map(&whole, made->fd, true, &made->map, error);
	if (err && made->buffer.kind == WIRE_DMABUF)
		err = map_dumb(target->drm, dumb.handle, whole.size, true,
			       &made->map, error);
	return err;
}

/**
 * target_make() - make a buffer
 * @target: where
 * @like: what for: .id, .size and all of the format; it has to be portable
 * @made: set; close it with made_close()
 * @error: why not, in words
 *
 * Its contents are undefined. A buffer with a format can get another stride,
 * and then a size that goes with it; another one keeps its size.
 *
 * Return: 0 or a negative errno.
 */
int target_make(struct target *target, const struct wire_buffer *like,
		struct made *made, char *error)
{
	const char *not_portable = buffer_not_portable(like);
	int err;

	*made = (struct made){ .buffer = *like, .fd = -1, .map.fd = -1 };
	made->buffer.handle = 0;
	made->buffer.modifier = 0;
	if (not_portable)
		return buffer_fail(error, -EINVAL, "%s", not_portable);
	if (!like->size || like->size > WIRE_SIZE_MAX)
		return buffer_fail(error, -ERANGE,
				   "%" PRIu64 " bytes are no buffer",
				   like->size);
	if (target->cpu)
		err = make_memory(target, made, error);
	else
		err = make_dumb(target, like, made, error);
	if (err)
		made_close(made);
	return err;
}

/**
 * made_close() - let go of a new buffer
 * @made: it; who has been given the descriptor keeps it
 */
void made_close(struct made *made)
{
	buffer_unmap(&made->map);
	if (made->fd >= 0)
		close(made->fd);
	made->fd = -1;
}

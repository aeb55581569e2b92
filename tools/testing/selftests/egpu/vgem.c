// SPDX-License-Identifier: GPL-2.0
#include "vgem.h"

#include <drm.h>
#include <drm_mode.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Of the kernel's drm/vgem_drm.h, which libdrm does not have. */
#define FENCE_WRITE 1

struct fence_attach {
	uint32_t handle;
	uint32_t flags;
	uint32_t out_fence;
	uint32_t pad;
};

struct fence_signal {
	uint32_t fence;
	uint32_t flags;
};

#define FENCE_ATTACH DRM_IOWR(DRM_COMMAND_BASE + 1, struct fence_attach)
#define FENCE_SIGNAL DRM_IOW(DRM_COMMAND_BASE + 2, struct fence_signal)

static bool is_vgem(int fd)
{
	char name[16] = "";
	struct drm_version version = {
		.name = name,
		.name_len = sizeof(name) - 1,
	};

	return !ioctl(fd, DRM_IOCTL_VERSION, &version) && !strcmp(name, "vgem");
}

/**
 * vgem_open - open vgem
 *
 * Its fences signal when this file is closed, at the latest.
 *
 * Return: the file, -ENODEV when the module is not loaded.
 */
int vgem_open(void)
{
	glob_t found;
	int fd = -1;
	size_t i;

	if (glob("/dev/dri/card*", 0, NULL, &found))
		return -ENODEV;
	for (i = 0; i < found.gl_pathc && fd < 0; i++) {
		fd = open(found.gl_pathv[i], O_RDWR | O_CLOEXEC);
		if (fd < 0 || is_vgem(fd))
			continue;
		close(fd);
		fd = -1;
	}
	globfree(&found);
	return fd < 0 ? -ENODEV : fd;
}

/**
 * vgem_import - take a buffer of another device in
 * @vgem: vgem's file
 * @buf: the dma-buf
 * @handle: set to vgem's own handle of it
 *
 * Return: 0 or a negative errno.
 */
int vgem_import(int vgem, int buf, uint32_t *handle)
{
	struct drm_prime_handle prime = { .fd = buf };

	if (ioctl(vgem, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime))
		return -errno;
	*handle = prime.handle;
	return 0;
}

/**
 * vgem_attach - put a fence on a buffer
 * @vgem: vgem's file
 * @handle: what vgem_import() has given
 * @write: as one who writes, who is alone; else as one who reads
 * @fence: set to what vgem_signal() takes
 *
 * Return: 0, -EBUSY when another fence does not let this one be, or another
 * errno.
 */
int vgem_attach(int vgem, uint32_t handle, bool write, uint32_t *fence)
{
	struct fence_attach attach = {
		.handle = handle,
		.flags = write ? FENCE_WRITE : 0,
	};

	if (ioctl(vgem, FENCE_ATTACH, &attach))
		return -errno;
	*fence = attach.out_fence;
	return 0;
}

/**
 * vgem_signal - signal a fence
 * @vgem: vgem's file
 * @fence: which
 *
 * Return: 0, -ETIMEDOUT when it had expired, or another errno.
 */
int vgem_signal(int vgem, uint32_t fence)
{
	struct fence_signal signal = { .fence = fence };

	return ioctl(vgem, FENCE_SIGNAL, &signal) ? -errno : 0;
}

/**
 * buffer_make - make a dumb buffer
 * @node: an open card node
 * @pixels: a side of it, 4 bytes each
 * @handle: set to its handle
 *
 * Return: 0 or a negative errno.
 */
int buffer_make(int node, uint32_t pixels, uint32_t *handle)
{
	struct drm_mode_create_dumb create = {
		.width = pixels,
		.height = pixels,
		.bpp = 32,
	};

	if (ioctl(node, DRM_IOCTL_MODE_CREATE_DUMB, &create))
		return -errno;
	*handle = create.handle;
	return 0;
}

/**
 * buffer_export - export a buffer as a dma-buf
 * @node: the file that made it
 * @handle: which
 *
 * Return: the dma-buf's file or a negative errno.
 */
int buffer_export(int node, uint32_t handle)
{
	struct drm_prime_handle prime = {
		.handle = handle,
		.flags = DRM_CLOEXEC | DRM_RDWR,
	};

	return ioctl(node, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime) ? -errno :
								   prime.fd;
}

/**
 * buffer_mapped - map a dumb buffer
 * @node: the file that made it
 * @handle: which
 * @pixels: a side of it
 *
 * Return: where, or NULL.
 */
void *buffer_mapped(int node, uint32_t handle, uint32_t pixels)
{
	struct drm_mode_map_dumb map = { .handle = handle };
	void *memory;

	if (ioctl(node, DRM_IOCTL_MODE_MAP_DUMB, &map))
		return NULL;
	memory = mmap(NULL, pixels * pixels * 4, PROT_READ | PROT_WRITE,
		      MAP_SHARED, node, map.offset);
	return memory == MAP_FAILED ? NULL : memory;
}

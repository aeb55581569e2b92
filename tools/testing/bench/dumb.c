// SPDX-License-Identifier: GPL-2.0
/*
 * A GPU with buffers in use.
 */
#include <drm.h>
#include <drm_mode.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "bench.h"
#include "dumb.h"

int dumb_use(const char *node, unsigned int buffers)
{
	int fd = open(node, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		bench_die("%s: %s", node, strerror(errno));
	/* The first to open a card is its master, so a display server to egpud. */
	ioctl(fd, DRM_IOCTL_DROP_MASTER, 0);
	while (buffers--) {
		struct drm_mode_create_dumb create = {
			.width = 32,
			.height = 32,
			.bpp = 32,
		};

		if (ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &create))
			bench_die("DRM_IOCTL_MODE_CREATE_DUMB: %s",
				  strerror(errno));
	}
	return fd;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * bench-drm-loop: what does a program pay that only uses its GPU?
 *
 *   bench-drm-loop NODE ROUNDS TIMES
 *
 * A round is 20 DRM_IOCTL_GET_CAP and the making and closing of one dumb
 * buffer. So many rounds are timed so many times; the times in ns come in one
 * line. As many rounds before them warm up and are not counted.
 */
#include <drm.h>
#include <drm_mode.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "bench.h"

#define CAPS_A_ROUND 20

static void ask_cap(int fd)
{
	struct drm_get_cap cap = { .capability = DRM_CAP_DUMB_BUFFER };

	if (ioctl(fd, DRM_IOCTL_GET_CAP, &cap))
		bench_die("DRM_IOCTL_GET_CAP: %s", strerror(errno));
}

static void make_and_close_buffer(int fd)
{
	struct drm_mode_create_dumb create = {
		.width = 64,
		.height = 64,
		.bpp = 32,
	};
	struct drm_mode_destroy_dumb destroy;

	if (ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &create))
		bench_die("DRM_IOCTL_MODE_CREATE_DUMB: %s", strerror(errno));
	destroy.handle = create.handle;
	if (ioctl(fd, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy))
		bench_die("DRM_IOCTL_MODE_DESTROY_DUMB: %s", strerror(errno));
}

static void loop(int fd, unsigned int rounds)
{
	unsigned int i, j;

	for (i = 0; i < rounds; i++) {
		for (j = 0; j < CAPS_A_ROUND; j++)
			ask_cap(fd);
		make_and_close_buffer(fd);
	}
}

int main(int argc, char **argv)
{
	unsigned int i, rounds, times;
	uint64_t begin;
	int fd;

	if (argc != 4) {
		fprintf(stderr, "usage: bench-drm-loop NODE ROUNDS TIMES\n");
		return 2;
	}
	rounds = bench_number(argv[2], "ROUNDS", 10000000);
	times = bench_number(argv[3], "TIMES", 1000);
	fd = open(argv[1], O_RDWR | O_CLOEXEC);
	if (fd < 0)
		bench_die("%s: %s", argv[1], strerror(errno));
	loop(fd, rounds);
	for (i = 0; i < times; i++) {
		begin = bench_now();
		loop(fd, rounds);
		printf("%s%" PRIu64, i ? " " : "", bench_now() - begin);
	}
	puts("");
	return 0;
}

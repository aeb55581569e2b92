/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's uevents, read as libudev's "kernel" monitor reads them: the
 * earliest that a program of today can learn that a GPU left. Programs on
 * udevd's monitor hear of it later still.
 */
#ifndef BENCH_UEVENT_H
#define BENCH_UEVENT_H

#include <stdint.h>

#define UEVENT_TEXT 512

/**
 * struct uevent - one uevent
 * @time: bench_now() right after it was read, before it was looked into
 * @action: "remove"
 * @subsystem: "drm"
 * @devname: "dri/card0", or empty
 * @devpath: path below /sys
 */
struct uevent {
	uint64_t time;
	char action[32];
	char subsystem[32];
	char devname[64];
	char devpath[UEVENT_TEXT];
};

/** uevent_open() - subscribe; ends the program on failure. Return: the socket */
int uevent_open(void);

/**
 * uevent_next() - wait for the next uevent
 * @fd: from uevent_open()
 * @event: filled
 */
void uevent_next(int fd, struct uevent *event);

#endif /* BENCH_UEVENT_H */

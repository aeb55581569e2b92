/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who has DRM nodes open, found as programs find it today: by looking through
 * the open files of every process.
 */
#ifndef BENCH_PROC_SCAN_H
#define BENCH_PROC_SCAN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct user - one open file of a DRM node
 * @pid: process
 * @minor: minor number of the node, 0 for card0, 128 for renderD128
 * @client_id: DRM client id, 0 where fdinfo does not tell
 * @bytes: memory in use as fdinfo tells it, 0 where it does not
 */
struct user {
	pid_t pid;
	unsigned int minor;
	uint64_t client_id;
	uint64_t bytes;
};

/**
 * proc_scan() - look through /proc
 * @users: room for what is found
 * @size: how many fit; the program ends when there are more
 *
 * Reads fd/ of every process, follows the links, and for those into /dev/dri
 * reads fdinfo and takes the drm- keys apart.
 *
 * Return: how many were found.
 */
size_t proc_scan(struct user *users, size_t size);

#endif /* BENCH_PROC_SCAN_H */

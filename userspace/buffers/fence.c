// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whether a GPU still works on a buffer.
 */
#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "private.h"

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/*
 * Readable is a dma-buf without writers, writable one without anybody. Some
 * drivers enter all work as that of readers, since only the work itself knows
 * better, so it has to be the latter.
 */
static int wait_idle(int fd, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
	int64_t end = now_ms() + timeout_ms, left;
	int n;

	do {
		left = end - now_ms();
		n = poll(&poll_fd, 1, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (!n)
		return 0;
	return poll_fd.revents & POLLOUT ? 1 : -EOPNOTSUPP;
}

/**
 * buffer_poll() - wait until no GPU works on a buffer
 * @buffer: the buffer
 * @fd: its descriptor
 * @timeout_ms: how long at most; 0 just looks
 *
 * The fences that the kernel knows of are waited for; a driver may do work that
 * it does not tell the kernel of.
 *
 * Return: 1 when it is idle, 0 when the time was up, -EOPNOTSUPP when its driver
 * does not tell, or another errno.
 */
int buffer_poll(const struct wire_buffer *buffer, int fd, int timeout_ms)
{
	int exported, ret;

	if (buffer->kind == WIRE_MEMORY)
		return 1;
	if (buffer->kind == WIRE_DMABUF)
		return wait_idle(fd, timeout_ms);
	exported = handle_export(fd, buffer->handle);
	if (exported < 0)
		return buffer_is_refused(exported) ? -EOPNOTSUPP : exported;
	ret = wait_idle(exported, timeout_ms);
	close(exported);
	return ret;
}

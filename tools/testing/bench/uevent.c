// SPDX-License-Identifier: GPL-2.0
/*
 * A listener on the kernel's uevents.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "uevent.h"

/* The multicast group of the kernel itself; udevd's own is 2. */
#define UEVENT_GROUP_KERNEL 1

int uevent_open(void)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = UEVENT_GROUP_KERNEL,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		bench_die("cannot listen to uevents: %s", strerror(errno));
	return fd;
}

/* Copies the value when the line "KEY=value" has this key. */
static void take(const char *line, const char *key, char *value, size_t size)
{
	size_t length = strlen(key);

	if (!strncmp(line, key, length) && line[length] == '=')
		snprintf(value, size, "%s", line + length + 1);
}

void uevent_next(int fd, struct uevent *event)
{
	char buffer[8192];
	const char *line;
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	ssize_t size;

	do {
		poll(&poller, 1, -1);
		size = recv(fd, buffer, sizeof(buffer) - 1, 0);
	} while (size < 0 && errno == EAGAIN);
	memset(event, 0, sizeof(*event));
	event->time = bench_now();
	if (size < 0)
		bench_die("a uevent was lost: %s", strerror(errno));
	buffer[size] = '\0';
	for (line = buffer; line < buffer + size; line += strlen(line) + 1) {
		take(line, "ACTION", event->action, sizeof(event->action));
		take(line, "SUBSYSTEM", event->subsystem,
		     sizeof(event->subsystem));
		take(line, "DEVNAME", event->devname, sizeof(event->devname));
		take(line, "DEVPATH", event->devpath, sizeof(event->devpath));
	}
}

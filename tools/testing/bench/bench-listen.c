// SPDX-License-Identifier: GPL-2.0
/*
 * bench-listen: when does a subscriber know that a GPU leaves?
 *
 *   bench-listen egpu      a subscriber of libegpu
 *   bench-listen uevent    a listener on the kernel's uevents
 *
 * Prints "ready" when the subscription stands, then for each departure a line
 * "TIME WHAT": TIME is CLOCK_BOOTTIME in ns at which the program had the event
 * in its hands, WHAT the GPU's PCI address (egpu) or the path in sysfs of its
 * card node (uevent). Of the two, ours is stamped later: behind the library's
 * decoding, the other right behind recv().
 */
#include <errno.h>
#include <egpu.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "uevent.h"

static void say(uint64_t time, const char *what)
{
	printf("%" PRIu64 " %s\n", time, what);
	fflush(stdout);
}

static void ready(void)
{
	puts("ready");
	fflush(stdout);
}

static void listen_egpu(void)
{
	const struct egpu_event *event;
	struct egpu_monitor *monitor;
	struct egpu_ctx *ctx;
	struct pollfd poller;
	int ret;

	if (egpu_open(&ctx))
		bench_die("cannot open a netlink socket");
	if (egpu_monitor_new(ctx, 0, &monitor))
		bench_die("%s", egpu_error(ctx));
	poller.fd = egpu_monitor_fd(monitor);
	poller.events = POLLIN;
	/* What is in the first event is of no interest here. */
	while (egpu_monitor_next(monitor, &event) > 0)
		;
	ready();
	for (;;) {
		ret = egpu_monitor_next(monitor, &event);
		if (ret < 0)
			bench_die("%s", egpu_error(ctx));
		if (!ret)
			poll(&poller, 1, -1);
		else if (event->type == EGPU_EVENT_REMOVAL_PENDING)
			say(bench_now(), event->removal->address);
	}
}

static void listen_uevent(void)
{
	struct uevent event;
	int fd = uevent_open();

	ready();
	for (;;) {
		uevent_next(fd, &event);
		if (!strcmp(event.action, "remove") &&
		    !strcmp(event.subsystem, "drm") &&
		    !strncmp(event.devname, "dri/card", 8))
			say(event.time, event.devpath);
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "egpu"))
		listen_egpu();
	else if (argc == 2 && !strcmp(argv[1], "uevent"))
		listen_uevent();
	fprintf(stderr, "usage: bench-listen egpu|uevent\n");
	return 2;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * bench-fanout: how long until the last of many subscribers has an event?
 *
 *   bench-fanout SUBSCRIBERS RUNS PCI-ADDRESS UEVENT-FILE
 *
 * Each subscriber is a process that sleeps in poll(): so many of libegpu and as
 * many on the kernel's uevents. In turns one event is made for all of the one
 * kind, a change of the GPU's placement, and one for all of the other, the uevent
 * "change" that a write to a file of sysfs makes. A line a run: the times in ns
 * from right before the event is asked for until the last process has it in its
 * hands, ours first.
 */
#include <egpu.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench.h"
#include "uevent.h"

#define SUBSCRIBERS_MAX 4000

/* Longest that one event may take to all, in ms. */
#define PATIENCE_MS 60000

/**
 * struct board - what the processes of a crowd share
 * @arrived: how many have said that they have the event, or are subscribed
 * @last: when the last of them had it
 */
struct board {
	unsigned int arrived;
	uint64_t last;
};

/**
 * struct crowd - subscribers of one kind
 * @name: for complaints
 * @subscribe: what each of them does, without end
 * @trigger: makes one event for all
 * @target: what @trigger works on
 * @board: shared
 * @complete: eventfd, written to when all have arrived
 */
struct crowd {
	const char *name;
	void (*subscribe)(struct crowd *crowd);
	void (*trigger)(const char *target);
	const char *target;
	struct board *board;
	int complete;
};

static unsigned int subscribers;

static void arrive(struct crowd *crowd, uint64_t time)
{
	struct board *board = crowd->board;
	uint64_t one = 1, last = __atomic_load_n(&board->last, __ATOMIC_RELAXED);

	while (time > last &&
	       !__atomic_compare_exchange_n(&board->last, &last, time, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	if (__atomic_add_fetch(&board->arrived, 1, __ATOMIC_ACQ_REL) <
	    subscribers)
		return;
	if (write(crowd->complete, &one, sizeof(one)) != sizeof(one))
		bench_die("eventfd: %s", strerror(errno));
}

static void wait_for_all(struct crowd *crowd, const char *what)
{
	struct pollfd poller = { .fd = crowd->complete, .events = POLLIN };
	uint64_t count;

	if (poll(&poller, 1, PATIENCE_MS) != 1)
		bench_die("after %u s only %u of %u subscribers of %s %s",
			  PATIENCE_MS / 1000, crowd->board->arrived,
			  subscribers, crowd->name, what);
	if (read(crowd->complete, &count, sizeof(count)) != sizeof(count))
		bench_die("eventfd: %s", strerror(errno));
}

static void open_monitor(struct egpu_ctx **ctx, struct egpu_monitor **monitor)
{
	const struct egpu_event *event;

	if (egpu_open(ctx))
		bench_die("cannot open a netlink socket");
	if (egpu_monitor_new(*ctx, 0, monitor))
		bench_die("%s", egpu_error(*ctx));
	/* What is in the first events is of no interest here. */
	while (egpu_monitor_next(*monitor, &event) > 0)
		;
}

static void subscribe_egpu(struct crowd *crowd)
{
	const struct egpu_event *event;
	struct egpu_monitor *monitor;
	struct egpu_ctx *ctx;
	struct pollfd poller;
	int ret;

	open_monitor(&ctx, &monitor);
	poller.fd = egpu_monitor_fd(monitor);
	poller.events = POLLIN;
	arrive(crowd, bench_now());
	for (;;) {
		ret = egpu_monitor_next(monitor, &event);
		if (ret < 0)
			bench_die("%s", egpu_error(ctx));
		if (!ret)
			poll(&poller, 1, -1);
		else if (event->type == EGPU_EVENT_RESYNC)
			bench_die("an event was lost");
		else if (event->type == EGPU_EVENT_CHANGED)
			arrive(crowd, bench_now());
	}
}

static void subscribe_uevent(struct crowd *crowd)
{
	struct uevent event;
	int fd = uevent_open();

	arrive(crowd, bench_now());
	for (;;) {
		uevent_next(fd, &event);
		if (!strcmp(event.action, "change") &&
		    !strcmp(event.subsystem, "drm"))
			arrive(crowd, event.time);
	}
}

/* A placement other than the one before. */
static void trigger_egpu(const char *address)
{
	static struct egpu_ctx *ctx;
	static bool internal;

	if (!ctx && egpu_open(&ctx))
		bench_die("cannot open a netlink socket");
	internal = !internal;
	if (egpu_override_set(ctx, address,
			      internal ? EGPU_PLACEMENT_INTERNAL :
					 EGPU_PLACEMENT_EXTERNAL))
		bench_die("%s", egpu_error(ctx));
}

static void trigger_uevent(const char *path)
{
	static int fd = -1;

	if (fd < 0)
		fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "change", 6) != 6)
		bench_die("%s: %s", path, strerror(errno));
}

static void gather(struct crowd *crowd)
{
	unsigned int i;

	crowd->board = bench_shared(sizeof(*crowd->board));
	crowd->complete = eventfd(0, EFD_CLOEXEC);
	if (crowd->complete < 0)
		bench_die("eventfd: %s", strerror(errno));
	for (i = 0; i < subscribers; i++) {
		if (bench_fork())
			continue;
		crowd->subscribe(crowd);
		_exit(0);
	}
	wait_for_all(crowd, "have subscribed");
}

static uint64_t time_event(struct crowd *crowd)
{
	uint64_t begin;

	crowd->board->arrived = 0;
	crowd->board->last = 0;
	begin = bench_now();
	crowd->trigger(crowd->target);
	wait_for_all(crowd, "have the event");
	/* All go back to sleep before the next event. */
	usleep(100000);
	return crowd->board->last - begin;
}

int main(int argc, char **argv)
{
	struct crowd ours = {
		.name = "libegpu",
		.subscribe = subscribe_egpu,
		.trigger = trigger_egpu,
	};
	struct crowd theirs = {
		.name = "uevents",
		.subscribe = subscribe_uevent,
		.trigger = trigger_uevent,
	};
	unsigned int runs;
	uint64_t our_time;

	if (argc != 5) {
		fprintf(stderr,
			"usage: bench-fanout SUBSCRIBERS RUNS PCI-ADDRESS UEVENT-FILE\n");
		return 2;
	}
	subscribers = bench_number(argv[1], "SUBSCRIBERS", SUBSCRIBERS_MAX);
	ours.target = argv[3];
	theirs.target = argv[4];
	gather(&ours);
	gather(&theirs);
	usleep(1000000);
	for (runs = bench_number(argv[2], "RUNS", 10000); runs; runs--) {
		our_time = time_event(&ours);
		printf("%" PRIu64 " %" PRIu64 "\n", our_time,
		       time_event(&theirs));
		fflush(stdout);
	}
	return 0;
}

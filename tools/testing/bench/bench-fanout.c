// SPDX-License-Identifier: GPL-2.0
/*
 * bench-fanout: how long until the last of many subscribers has an event?
 *
 *   bench-fanout egpu SUBSCRIBERS RUNS PCI-ADDRESS
 *   bench-fanout uevent SUBSCRIBERS RUNS UEVENT-FILE
 *
 * Each subscriber is a process that sleeps in poll() or recv(). One event is
 * made for all: a change of the GPU's placement, or the uevent "change" that a
 * write to a file of sysfs makes. A line a run: the time in ns from right
 * before the event is asked for until the last process has it in its hands.
 */
#include <errno.h>
#include <egpu.h>
#include <inttypes.h>
#include <fcntl.h>
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
 * struct board - shared by all processes
 * @arrived: how many have said that they have the event, or are subscribed
 * @last: when the last of them had it
 */
struct board {
	unsigned int arrived;
	uint64_t last;
};

static struct board *board;
static unsigned int subscribers;
static int all_arrived;

static void arrive(uint64_t time)
{
	uint64_t one = 1, last = __atomic_load_n(&board->last, __ATOMIC_RELAXED);

	while (time > last &&
	       !__atomic_compare_exchange_n(&board->last, &last, time, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	if (__atomic_add_fetch(&board->arrived, 1, __ATOMIC_ACQ_REL) ==
	    subscribers)
		if (write(all_arrived, &one, sizeof(one)) != sizeof(one))
			bench_die("eventfd: %s", strerror(errno));
}

static void wait_for_all(const char *what)
{
	struct pollfd poller = { .fd = all_arrived, .events = POLLIN };
	uint64_t count;

	if (poll(&poller, 1, PATIENCE_MS) != 1)
		bench_die("after %u s only %u of %u subscribers %s",
			  PATIENCE_MS / 1000, board->arrived, subscribers, what);
	if (read(all_arrived, &count, sizeof(count)) != sizeof(count))
		bench_die("eventfd: %s", strerror(errno));
}

static void open_monitor(struct egpu_ctx **ctx, struct egpu_monitor **monitor)
{
	const struct egpu_event *event;

	if (egpu_open(ctx))
		bench_die("cannot open a netlink socket");
	if (egpu_monitor_new(*ctx, 0, monitor))
		bench_die("%s", egpu_error(*ctx));
	while (egpu_monitor_next(*monitor, &event) > 0)
		;
}

static void subscribe_egpu(void)
{
	const struct egpu_event *event;
	struct egpu_monitor *monitor;
	struct egpu_ctx *ctx;
	struct pollfd poller;
	int ret;

	open_monitor(&ctx, &monitor);
	poller.fd = egpu_monitor_fd(monitor);
	poller.events = POLLIN;
	arrive(bench_now());
	for (;;) {
		ret = egpu_monitor_next(monitor, &event);
		if (ret < 0)
			bench_die("%s", egpu_error(ctx));
		if (!ret)
			poll(&poller, 1, -1);
		else if (event->type == EGPU_EVENT_RESYNC)
			bench_die("an event was lost");
		else if (event->type == EGPU_EVENT_CHANGED)
			arrive(bench_now());
	}
}

static void subscribe_uevent(void)
{
	struct uevent event;
	int fd = uevent_open();

	arrive(bench_now());
	for (;;) {
		uevent_next(fd, &event);
		if (!strcmp(event.action, "change") &&
		    !strcmp(event.subsystem, "drm"))
			arrive(event.time);
	}
}

/* One event, different from the one before. */
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

static void start_subscribers(void (*subscribe)(void))
{
	unsigned int i;

	for (i = 0; i < subscribers; i++) {
		if (bench_fork())
			continue;
		subscribe();
		_exit(0);
	}
	wait_for_all("have subscribed");
}

static void run(void (*trigger)(const char *), const char *target)
{
	uint64_t begin;

	board->arrived = 0;
	board->last = 0;
	begin = bench_now();
	trigger(target);
	wait_for_all("have the event");
	printf("%" PRIu64 "\n", board->last - begin);
	fflush(stdout);
	/* The subscribers go back to sleep before the next event. */
	usleep(100000);
}

int main(int argc, char **argv)
{
	bool egpu = argc == 5 && !strcmp(argv[1], "egpu");
	unsigned int i, runs;

	if (!egpu && (argc != 5 || strcmp(argv[1], "uevent"))) {
		fprintf(stderr,
			"usage: bench-fanout egpu|uevent SUBSCRIBERS RUNS TARGET\n");
		return 2;
	}
	subscribers = bench_number(argv[2], "SUBSCRIBERS", SUBSCRIBERS_MAX);
	runs = bench_number(argv[3], "RUNS", 10000);
	board = bench_shared(sizeof(*board));
	all_arrived = eventfd(0, EFD_CLOEXEC);
	if (all_arrived < 0)
		bench_die("eventfd: %s", strerror(errno));
	start_subscribers(egpu ? subscribe_egpu : subscribe_uevent);
	usleep(1000000);
	for (i = 0; i < runs; i++)
		run(egpu ? trigger_egpu : trigger_uevent, argv[4]);
	return 0;
}

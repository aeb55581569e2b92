// SPDX-License-Identifier: GPL-2.0
/*
 * bench-quiesce: how long from an eject until its GPU's clients are quiesced?
 *
 *   bench-quiesce PCI-ADDRESS NODE CLIENTS BUFFERS RUNS
 *
 * CLIENTS processes make BUFFERS buffers each and use none of them. Then RUNS times
 * an eject is asked for, and a helper, this program, accepts it, fences and drains
 * the GPU; when it is quiesced the helper refuses, so that the GPU stays. A line a
 * run: ns from right before the eject is asked for until the helper knows that all
 * is quiesced, ns that the kernel drained, and how many clients and buffers it saw.
 */
#include <egpu.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "dumb.h"

#define DRAIN_MS 60000

/* Longest without an event, in ms. */
#define PATIENCE_MS 60000

/**
 * struct run - one eject
 * @ctx: who asks, and is the helper
 * @mon: its events
 * @id: of the GPU
 * @cookie: of the eject
 * @quiesced: when we knew
 * @drain: ns that the kernel drained
 * @clients: it saw
 * @buffers: it saw
 * @over: the GPU is back at work
 */
struct run {
	struct egpu_ctx *ctx;
	struct egpu_monitor *mon;
	uint32_t id;
	uint64_t cookie;
	uint64_t quiesced;
	uint64_t drain;
	uint32_t clients;
	uint32_t buffers;
	bool over;
};

/* Each says by a byte when it has its buffers. */
static void start_clients(const char *node, unsigned int n, unsigned int buffers)
{
	unsigned int i;
	int ready[2];
	char byte;

	if (pipe(ready))
		bench_die("pipe: %s", strerror(errno));
	for (i = 0; i < n; i++) {
		if (bench_fork())
			continue;
		dumb_use(node, buffers);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	for (i = 0; i < n; i++)
		if (read(ready[0], &byte, 1) != 1)
			bench_die("only %u of %u clients are ready", i, n);
	close(ready[0]);
}

static void must(struct run *run, int error)
{
	if (error)
		bench_die("%s", egpu_error(run->ctx));
}

static void on_quiesce(struct run *run, const struct egpu_quiesce *quiesce)
{
	if (quiesce->state == EGPU_QUIESCE_STATE_QUIESCED) {
		run->quiesced = bench_now();
		run->drain = quiesce->ended - quiesce->started;
		run->clients = quiesce->clients;
		run->buffers = quiesce->buffers;
		must(run, egpu_resume(run->ctx, run->id));
		must(run, egpu_refuse(run->ctx, run->cookie, "a benchmark"));
	} else if (quiesce->result == EGPU_DRAIN_RESULT_TIMED_OUT) {
		bench_die("something is in flight: %u fences", quiesce->pending);
	}
}

static void on_event(struct run *run, const struct egpu_event *event)
{
	switch (event->type) {
	case EGPU_EVENT_REMOVAL_PENDING:
		run->cookie = event->removal->cookie;
		must(run, egpu_accept(run->ctx, run->cookie));
		must(run, egpu_fence(run->ctx, run->id));
		must(run, egpu_drain(run->ctx, run->id, DRAIN_MS));
		break;
	case EGPU_EVENT_QUIESCE:
		on_quiesce(run, event->quiesce);
		break;
	case EGPU_EVENT_CHANGED:
		run->over = run->quiesced &&
			    event->device->state == EGPU_DEVICE_STATE_READY;
		break;
	case EGPU_EVENT_RESYNC:
		bench_die("events were lost");
	default:
		break;
	}
}

static void hear(struct run *run)
{
	struct pollfd poller = { .fd = egpu_monitor_fd(run->mon),
				 .events = POLLIN };
	const struct egpu_event *event;
	int ret = egpu_monitor_next(run->mon, &event);

	if (ret < 0)
		bench_die("%s", egpu_error(run->ctx));
	if (ret)
		on_event(run, event);
	else if (poll(&poller, 1, PATIENCE_MS) != 1)
		bench_die("no event within %u s", PATIENCE_MS / 1000);
}

static void one_run(struct run *run)
{
	const struct egpu_eject_options options = { .size = sizeof(options) };
	uint64_t cookie, begin = bench_now();

	run->quiesced = 0;
	run->over = false;
	must(run, egpu_eject(run->ctx, run->id, &options, &cookie));
	while (!run->over)
		hear(run);
	printf("%" PRIu64 " %" PRIu64 " %u %u\n", run->quiesced - begin,
	       run->drain, run->clients, run->buffers);
	fflush(stdout);
	usleep(20000);
}

static void open_all(struct run *run, const char *address)
{
	const struct egpu_event *event;
	struct egpu_device *device;

	if (egpu_open(&run->ctx))
		bench_die("cannot open a netlink socket");
	must(run, egpu_device_get(run->ctx, 0, address, &device));
	run->id = device->id;
	egpu_device_free(device);
	must(run, egpu_monitor_new(run->ctx, EGPU_MONITOR_HELPER, &run->mon));
	/* What is in the first events is of no interest here. */
	while (egpu_monitor_next(run->mon, &event) > 0)
		continue;
}

int main(int argc, char **argv)
{
	struct run run = {};
	unsigned int runs;

	if (argc != 6) {
		fprintf(stderr,
			"usage: bench-quiesce PCI-ADDRESS NODE CLIENTS BUFFERS RUNS\n");
		return 2;
	}
	start_clients(argv[2], bench_number(argv[3], "CLIENTS", 1000),
		      bench_number(argv[4], "BUFFERS", 100000));
	runs = bench_number(argv[5], "RUNS", 10000);
	open_all(&run, argv[1]);
	while (runs--)
		one_run(&run);
	egpu_monitor_free(run.mon);
	egpu_close(run.ctx);
	return 0;
}

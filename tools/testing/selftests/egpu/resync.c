// SPDX-License-Identifier: GPL-2.0
/*
 * A user of libegpu that does not read for too long: the library tells it so
 * and gives it the state, so that it ends up knowing what is true.
 *
 * The events are made by raw netlink, without the library.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "egpu.h" /* libegpu's */
#include "family.h"
#include "ktap.h"

#define TOGGLES 301 /* odd: the GPU ends up internal */

static struct family family;
static struct nl control;
static struct gpu gpu;
static struct egpu_ctx *ctx;
static struct egpu_monitor *monitor;

/* What the events, taken one after the other, say in the end. */
struct heard {
	unsigned int kernel_events;
	unsigned int resyncs;
	unsigned int losses;
	unsigned int gaps;
	uint64_t seq;
	int external;
	int error;
};

static void toggle(int times)
{
	int i;

	for (i = 0; i < times; i++)
		if (override_set(&control, &family, gpu.address,
				 i % 2 ? EGPU_PLACEMENT_AUTO :
					 EGPU_PLACEMENT_INTERNAL))
			bail_out("override-set failed");
}

static void hear_one(struct heard *heard, const struct egpu_event *event)
{
	if (event->type == EGPU_EVENT_RESYNC) {
		heard->resyncs++;
		heard->losses += event->loss == EGPU_LOSS_OVERFLOW ||
				 event->loss == EGPU_LOSS_GAP;
		heard->seq = event->seq;
	} else if (!event->synthetic && event->type != EGPU_EVENT_START) {
		heard->kernel_events++;
		heard->gaps += heard->seq && event->seq != heard->seq + 1;
		heard->seq = event->seq;
	}
	if (event->type == EGPU_EVENT_CHANGED &&
	    !strcmp(event->device->address, gpu.address))
		heard->external = event->device->external;
}

static void hear_all(struct heard *heard)
{
	const struct egpu_event *event;
	int ret;

	while ((ret = egpu_monitor_next(monitor, &event)) > 0)
		hear_one(heard, event);
	heard->error = ret;
}

static void open_monitor(void)
{
	int small = 32768;

	if (egpu_open(&ctx) || egpu_monitor_new(ctx, 0, &monitor))
		bail_out("libegpu cannot subscribe: %s", egpu_error(ctx));
	/* The library asks for a larger one; fill it sooner. */
	setsockopt(egpu_monitor_fd(monitor), SOL_SOCKET, SO_RCVBUF, &small,
		   sizeof(small));
}

static void test_overflow(void)
{
	struct heard heard = { .external = -1 };

	test_begin("stuck through %d events: told, and the state is right",
		   TOGGLES);
	toggle(TOGGLES);
	hear_all(&heard);
	note("%u events, %u resynchronisations", heard.kernel_events,
	     heard.resyncs);
	check(!heard.error, "error %d: %s", heard.error, egpu_error(ctx));
	check(heard.resyncs == 1 && heard.losses == 1,
	      "%u resynchronisations, %u of them for a loss", heard.resyncs,
	      heard.losses);
	check(heard.kernel_events < TOGGLES,
	      "nothing was lost, so the test shows nothing");
	check(heard.external == 0, "it last heard external=%d", heard.external);
	test_end();
}

static void test_afterwards(void)
{
	struct heard heard = { .external = -1 };

	test_begin("afterwards every event comes, one by one");
	override_set(&control, &family, gpu.address, EGPU_PLACEMENT_AUTO);
	toggle(4);
	hear_all(&heard);
	check(!heard.error && !heard.resyncs, "error %d, %u resynchronisations",
	      heard.error, heard.resyncs);
	check(heard.kernel_events == 5 && !heard.gaps, "%u events, %u gaps",
	      heard.kernel_events, heard.gaps);
	check(heard.external == 1, "it last heard external=%d", heard.external);
	test_end();
}

int main(void)
{
	struct heard start = { .external = -1 };

	if (family_open(&control, &family) ||
	    gpu_find(&control, &family, true, &gpu))
		bail_out("there is no module or no external GPU");
	open_monitor();
	hear_all(&start);
	test_overflow();
	test_afterwards();
	egpu_monitor_free(monitor);
	egpu_close(ctx);
	return ktap_finish();
}

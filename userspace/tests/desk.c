// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A daemon at work in the tests.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "desk.h"
#include "test.h"

struct world desk_world;
struct kernel desk_kernel;
struct daemon desk_daemon;
static char desk_config[96];

/* The kernel of the tests has a clock of its own, which this one follows. */
static uint64_t kernel_time, our_time;

static uint64_t desk_clock(void)
{
	return kernel_time + daemon_clock() - our_time;
}

/* Of the machine that the tests run on nothing is touched. */
void desk_configure(const char *text)
{
	char all[1024];

	snprintf(all, sizeof(all), "store = %s/store\nstore-free = 0K\n%s",
		 desk_world.dir, text);
	world_file(all, "%s", desk_config);
}

void desk_set_daemon(void)
{
	memset(&desk_daemon, 0, sizeof(desk_daemon));
	desk_daemon.open = kernel_open;
	desk_daemon.now = desk_clock;
	desk_daemon.roots = &desk_world.roots;
	desk_daemon.run_dir = desk_world.run;
	desk_daemon.config_path = desk_config;
	desk_daemon.journal = (struct journal)JOURNAL_CLOSED;
}

void desk_make(void)
{
	log_setup(getenv("EGPU_TEST_LOG") ? LOG_DEBUG : LOG_EMERG);
	world_make(&desk_world);
	snprintf(desk_config, sizeof(desk_config), "%s/egpud.conf",
		 desk_world.dir);
	desk_configure("");
	kernel_init(&desk_kernel);
	/* Not long before that of the kernel, which begins at 0. */
	kernel_time = 1000000000;
	our_time = daemon_clock();
	/* No limit of a test is to pass because the host is busy. */
	desk_kernel.settings.hold_ms = 60000;
	desk_set_daemon();
}

/* Daemon and kernel end; the world stays, for who comes after. */
void desk_stop(void)
{
	daemon_stop(&desk_daemon);
	assert_int_equal(kernel_open_links(&desk_kernel), 0);
	kernel_init(&desk_kernel);
	desk_set_daemon();
}

void desk_free(void)
{
	desk_stop();
	world_free(&desk_world);
}

/* Short limits, so that a test which waits for one does not take long. */
void desk_start(void)
{
	assert_int_equal(daemon_start(&desk_daemon), 0);
	desk_daemon.config.ask_ms = 10000;
	desk_daemon.config.freeze_ms = 5000;
	desk_daemon.config.drain_ms = 5000;
}

struct egpu_device *desk_add(const char *address, unsigned int card)
{
	world_add_gpu(&desk_world, address, card);
	return kernel_add(&desk_kernel, address, true);
}

struct egpu_removal *desk_begin(struct egpu_device *dev, uint32_t origin)
{
	struct egpu_removal *rem = kernel_begin(&desk_kernel, dev, origin);

	kernel_time = rem->created;
	our_time = daemon_clock();
	return rem;
}

struct removal *desk_removal(void)
{
	return desk_daemon.removals;
}

/* Runs the loop until something is so, for some seconds at most. */
bool desk_run_until(bool (*done)(void))
{
	uint64_t end = daemon_clock() + 20000000000ull;

	while (!done()) {
		if (daemon_clock() > end)
			return false;
		sd_event_run(desk_daemon.loop, 10000);
	}
	return true;
}

static enum txn_state wanted;

static bool is_there(void)
{
	return desk_removal() && desk_removal()->state == wanted;
}

bool desk_run_to(enum txn_state state)
{
	wanted = state;
	return desk_run_until(is_there);
}

/* Takes what is there, but waits for nothing. */
void desk_settle(void)
{
	while (sd_event_run(desk_daemon.loop, 0) > 0)
		;
}

bool desk_over(void)
{
	return !desk_removal();
}

/* The kernel finds nothing in flight any more. */
void desk_drained(struct egpu_device *dev)
{
	struct egpu_quiesce *quiesce = kernel_quiesce_of(&desk_kernel, dev->id);

	assert_int_equal(quiesce->state, EGPU_QUIESCE_STATE_DRAINING);
	quiesce->result = EGPU_DRAIN_RESULT_DRAINED;
	kernel_quiesce(&desk_kernel, quiesce, EGPU_QUIESCE_STATE_QUIESCED);
}

/* The driver lets go and the GPU leaves the bus. */
void desk_leave(struct egpu_removal *rem, unsigned int card)
{
	kernel_phase(&desk_kernel, rem, EGPU_PHASE_UNBOUND, rem->release);
	world_remove_gpu(&desk_world, rem->address, card);
	kernel_disconnect(&desk_kernel, rem);
	kernel_phase(&desk_kernel, rem, EGPU_PHASE_DONE, rem->release);
}

/* The last request of a kind, or NULL. */
const struct kernel_call *desk_call(uint8_t cmd)
{
	size_t i;

	for (i = desk_kernel.n_calls; i > 0; i--) {
		if (desk_kernel.calls[i - 1].cmd == cmd)
			return &desk_kernel.calls[i - 1];
	}
	return NULL;
}

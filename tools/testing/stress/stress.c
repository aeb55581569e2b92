// SPDX-License-Identifier: GPL-2.0
/*
 * stress CYCLES SEED: random sequences against the module, in the rig.
 *
 * A cycle is the life of a GPU, from when it is there until its removal is done.
 * Each step is printed before it is done, with its number; the same seed gives the
 * same steps. Prints TAP.
 */
#include "stress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the rig's init has opened for what a person sees. */
#define STORY_FD 9

/* In cycles. */
#define TELL_EVERY 25

unsigned int slow = 1;

static struct plan plan;
static struct model model;
static unsigned int cycles;
static uint64_t seed;
static uint64_t began;

/**
 * tell - a line for who is watching
 * @format: the line
 */
void tell(const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	dprintf(STORY_FD, "%s\n", line);
}

/**
 * fail - an invariant does not hold: say where, and end
 * @invariant: what should be
 * @format: what is
 */
void fail(const char *invariant, const char *format, ...)
{
	static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
	char text[512];
	va_list args;

	pthread_mutex_lock(&once);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("# seed %" PRIu64 ", step %u, cycle %u: it must hold that %s\n",
	       seed, plan.number, model.cycles, invariant);
	printf("# found: %s\n", text);
	printf("not ok 1 stress\n1..1\n");
	fflush(stdout);
	_exit(1);
}

/**
 * trouble - the test itself cannot go on
 * @format: why
 */
void trouble(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fail("the machine does as it is told", "%s", text);
}

static void read_slowness(void)
{
	FILE *file = fopen("/rig/machine", "re");
	char name[64], value[64];

	while (file && fscanf(file, "%63s %63s", name, value) == 2)
		if (!strcmp(name, "time_factor"))
			slow = atoi(value);
	if (file)
		fclose(file);
}

static unsigned int seconds(void)
{
	return (now_ns() - began) / 1000000000;
}

static void show_figures(void)
{
	int kind;

	tell("%u cycles, %u steps, %u s", model.cycles, plan.number, seconds());
	for (kind = 0; kind < ACT_KINDS; kind++)
		tell("  %-14s %u", act_names[kind], model.count[kind]);
	tell("  events %" PRIu64 ", removals %" PRIu64 ", holds %" PRIu64,
	     figures.events, figures.removals, figures.holds);
	tell("  checkpoints %" PRIu64 ", works moved %" PRIu64,
	     figures.checkpoints, figures.moves);
	tell("  loads %u, daemons %u, overruns %u", figures.loads,
	     figures.daemons, figures.overruns);
}

static void do_step(const struct model *after)
{
	char text[512];

	plan_print(&plan, text, sizeof(text));
	/* The rig keeps this, and shows the last ones if a step fails. */
	dprintf(STORY_FD, "step %s\n", text);
	check_begin(&model);
	acts_run(&plan);
	model = *after;
	check_rest(&plan, &model);
	check_log();
}

/* All goes, then it begins anew. */
static void rest(void)
{
	struct model after = model;

	while (plan_rest(&plan, &after))
		do_step(&after);
	clients_orphan(-1);
	check_nothing_left();
}

static void go(void)
{
	unsigned int told = 0, looked = 0, until = FIRST_LOOK;
	struct rng rng = { .state = seed };
	struct model after;

	while (model.cycles < cycles) {
		after = model;
		plan_step(&plan, &after, &rng);
		do_step(&after);
		if (model.cycles >= told + TELL_EVERY) {
			told = model.cycles;
			tell("%u of %u cycles, step %u, %u s", told, cycles,
			     plan.number, seconds());
		}
		if (model.cycles >= looked + until) {
			rest();
			looked = model.cycles;
			until = LOOK_EVERY;
		}
	}
	rest();
}

static void begin(void)
{
	struct act first = { .kind = LOAD };

	began = now_ns();
	read_slowness();
	world_begin();
	session_begin();
	model_begin(&model);
	memcpy(first.setting, model.setting, sizeof(first.setting));
	module_load(&first);
	listen_begin();
	listen_join();
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: stress CYCLES SEED\n");
		return 2;
	}
	cycles = strtoul(argv[1], NULL, 0);
	seed = strtoull(argv[2], NULL, 0);
	begin();
	go();
	show_figures();
	printf("ok 1 stress\n1..1\n");
	return 0;
}

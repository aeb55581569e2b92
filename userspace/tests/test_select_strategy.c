// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * When work is to leave a device: each strategy with a sequence of looks.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../select/select.h"
#include "test.h"

#define GIB (1024.0 * 1024 * 1024)

static struct strategy_config config;
static struct candidates before, now;
static struct trigger trigger;
static bool any_before;

static void set(struct reading *reading, double value)
{
	reading->known = true;
	reading->value = value;
	strcpy(reading->source, "a file");
}

static void add(uint32_t id, const char *address, unsigned int sessions)
{
	struct candidate *gpu = &now.item[now.n++];

	gpu->id = id;
	strcpy(gpu->address, address);
	strcpy(gpu->driver, "amdgpu");
	strcpy(gpu->node, "/dev/dri/card1");
	set(&gpu->memory_total, 8 * GIB);
	set(&gpu->memory_free, 4 * GIB);
	set(&gpu->temperature, 50);
	set(&gpu->errors, 3);
	set(&gpu->link_share, 1);
	gpu->sessions = sessions;
}

/* Two GPUs with work, one without, and the CPU. */
static int setup(void **state)
{
	(void)state;
	memset(&now, 0, sizeof(now));
	memset(&before, 0, sizeof(before));
	any_before = false;
	add(1, "0000:01:00.0", 1);
	add(2, "0000:07:00.0", 2);
	add(3, "0000:08:00.0", 0);
	now.item[now.n++].cpu = true;
	config = (struct strategy_config){ .heat = 90,
					   .memory_low = 0.05,
					   .imbalance = 2 };
	return 0;
}

/* A look; the next one sees it as the one before. */
static uint32_t look(void)
{
	strategy_judge(&config, any_before ? &before : NULL, &now, &trigger);
	assert_true(!trigger.id == !trigger.why[0]);
	assert_true(!trigger.id == !trigger.count);
	before = now;
	any_before = true;
	return trigger.id;
}

static uint32_t look_at(struct reading *reading, double value)
{
	set(reading, value);
	return look();
}

/* Everything at once, and still nothing is moved. */
static void lazy(void **state)
{
	(void)state;
	config.strategy = STRATEGY_LAZY;
	assert_int_equal(look(), 0);
	set(&now.item[1].temperature, 150);
	set(&now.item[1].memory_free, 0);
	set(&now.item[1].errors, 100);
	set(&now.item[1].link_share, 0.1);
	now.item[1].sessions = 50;
	assert_int_equal(look(), 0);
	assert_int_equal(look(), 0);
}

static void eager_on_heat(void **state)
{
	struct reading *heat = &now.item[1].temperature;

	(void)state;
	config.strategy = STRATEGY_EAGER;
	assert_int_equal(look(), 0);
	assert_int_equal(look_at(heat, 89), 0);
	assert_int_equal(look_at(heat, 90), 2);
	assert_string_equal(trigger.why,
			    "GPU 2 (0000:07:00.0) is at 90 degrees Celsius, 90 are too hot");
	assert_int_equal(trigger.count, 2);
	assert_int_equal(trigger.to, 0);
	/* Not again before it has cooled down by 5 degrees. */
	assert_int_equal(look_at(heat, 95), 0);
	assert_int_equal(look_at(heat, 89), 0);
	assert_int_equal(look_at(heat, 91), 0);
	assert_int_equal(look_at(heat, 86), 0);
	assert_int_equal(look_at(heat, 90), 0);
	assert_int_equal(look_at(heat, 85), 0);
	assert_int_equal(look_at(heat, 90), 2);
	/* A sensor that is silent says nothing; it has recovered then. */
	heat->known = false;
	assert_int_equal(look(), 0);
	assert_int_equal(look_at(heat, 91), 2);
}

static void eager_on_memory(void **state)
{
	struct reading *left = &now.item[0].memory_free;

	(void)state;
	config.strategy = STRATEGY_EAGER;
	assert_int_equal(look_at(left, 0.41 * GIB), 0);
	assert_int_equal(look_at(left, 0.4 * GIB), 1);
	assert_string_equal(trigger.why,
			    "GPU 1 (0000:01:00.0) has 5.0 % of its memory free, "
			    "5 % are too little");
	assert_int_equal(look_at(left, 0.7 * GIB), 0);
	assert_int_equal(look_at(left, 0.1 * GIB), 0);
	assert_int_equal(look_at(left, 0.9 * GIB), 0);
	assert_int_equal(look_at(left, 0), 1);
	/* Of how much is not known, or only guessed. */
	setup(state);
	config.strategy = STRATEGY_EAGER;
	now.item[0].memory_total.estimate = true;
	assert_int_equal(look_at(left, 0), 0);
	now.item[0].memory_total.known = false;
	assert_int_equal(look_at(left, 0), 0);
	set(&now.item[0].memory_total, 0);
	now.item[0].memory_total.estimate = false;
	assert_int_equal(look_at(left, 0), 0);
}

/* One at a look: the other one at the next. */
static void eager_on_two(void **state)
{
	(void)state;
	config.strategy = STRATEGY_EAGER;
	set(&now.item[0].temperature, 95);
	set(&now.item[1].temperature, 99);
	assert_int_equal(look(), 1);
	assert_int_equal(look(), 2);
	assert_int_equal(look(), 0);
}

/* Nothing is moved from one that has no work, that leaves, or that is no GPU. */
static void nothing_to_move(void **state)
{
	size_t i;

	(void)state;
	config.strategy = STRATEGY_EAGER;
	for (i = 0; i < now.n; i++)
		set(&now.item[i].temperature, 99);
	now.item[0].leaving = true;
	now.item[1].sessions = 0;
	now.item[3].sessions = 4;
	assert_int_equal(look(), 0);
	now.item[1].sessions = 1;
	assert_int_equal(look(), 2);
}

static void preemptive_on_errors(void **state)
{
	struct reading *errors = &now.item[1].errors;

	(void)state;
	config.strategy = STRATEGY_PREEMPTIVE;
	/* Those from before we looked say nothing. */
	assert_int_equal(look(), 0);
	assert_int_equal(look(), 0);
	assert_int_equal(look_at(errors, 5), 2);
	assert_string_equal(trigger.why,
			    "GPU 2 (0000:07:00.0) has had 2 more errors on its "
			    "link, 5 in all");
	assert_int_equal(look_at(errors, 6), 0);
	assert_int_equal(look_at(errors, 6), 0);
	assert_int_equal(look_at(errors, 7), 2);
	/* Fewer than before is another device, or a count that began anew. */
	assert_int_equal(look_at(errors, 7), 0);
	assert_int_equal(look_at(errors, 0), 0);
	errors->known = false;
	assert_int_equal(look(), 0);
	assert_int_equal(look_at(errors, 50), 0);
	/* The port is counted as well now, which is no news of the link. */
	set(errors, 90);
	strcpy(errors->source, "two files");
	assert_int_equal(look(), 0);
}

static void preemptive_on_the_link(void **state)
{
	struct reading *share = &now.item[0].link_share;

	(void)state;
	config.strategy = STRATEGY_PREEMPTIVE;
	assert_int_equal(look(), 0);
	assert_int_equal(look_at(share, 0.96), 0);
	assert_int_equal(look_at(share, 0.5), 1);
	assert_string_equal(trigger.why,
			    "GPU 1 (0000:01:00.0) has a slower link than before: "
			    "50 % of what it can do, not 96 %");
	assert_int_equal(look_at(share, 0.25), 0);
	assert_int_equal(look_at(share, 0.25), 0);
	assert_int_equal(look_at(share, 1), 0);
	assert_int_equal(look_at(share, 0.5), 1);
	/* One that has nothing to do saves power. */
	setup(state);
	config.strategy = STRATEGY_PREEMPTIVE;
	set(&now.item[0].load, 0.05);
	assert_int_equal(look(), 0);
	assert_int_equal(look_at(share, 0.25), 0);
	set(&now.item[0].load, 0.5);
	assert_int_equal(look_at(share, 1), 0);
	assert_int_equal(look_at(share, 0.25), 1);
}

/* What comes new has no look before it. */
static void preemptive_on_a_new_one(void **state)
{
	(void)state;
	config.strategy = STRATEGY_PREEMPTIVE;
	assert_int_equal(look(), 0);
	now.item[1].id = 9;
	assert_int_equal(look_at(&now.item[1].errors, 99), 0);
	assert_int_equal(look_at(&now.item[1].errors, 100), 9);
}

static void balanced(void **state)
{
	(void)state;
	config.strategy = STRATEGY_BALANCED;
	/* 1, 2 and 0; it must be so twice. */
	assert_int_equal(look(), 0);
	assert_int_equal(look(), 2);
	assert_string_equal(trigger.why,
			    "GPU 2 (0000:07:00.0) has 2 programs, GPU 3 "
			    "(0000:08:00.0) has 0");
	assert_int_equal(trigger.count, 1);
	assert_int_equal(trigger.to, 3);
	now.item[1].sessions = 1;
	now.item[2].sessions = 1;
	assert_int_equal(look(), 0);
	assert_int_equal(look(), 0);
	/* Many come at once: one at a time, until it is even. */
	now.item[0].sessions = 5;
	assert_int_equal(look(), 0);
	assert_int_equal(look(), 1);
	assert_int_equal(trigger.to, 2);
	now.item[0].sessions = 4;
	now.item[1].sessions = 2;
	assert_int_equal(look(), 1);
	assert_int_equal(trigger.to, 3);
	now.item[0].sessions = 3;
	now.item[2].sessions = 2;
	assert_int_equal(look(), 0);
}

/* A difference of one cannot become smaller, whatever the file says. */
static void balanced_limits(void **state)
{
	(void)state;
	config.strategy = STRATEGY_BALANCED;
	config.imbalance = 1;
	now.item[1].sessions = 1;
	assert_int_equal(look(), 0);
	assert_int_equal(look(), 0);
	config.imbalance = 5;
	now.item[1].sessions = 4;
	assert_int_equal(look(), 0);
	assert_int_equal(look(), 0);
	now.item[1].sessions = 5;
	assert_int_equal(look(), 0);
	assert_int_equal(look(), 2);
	/* Nobody is sent to one that cannot take him. */
	now.item[2].leaving = true;
	now.item[0].node[0] = '\0';
	assert_int_equal(look(), 0);
	assert_int_equal(look(), 0);
	now.item[0].driver[0] = '\0';
	now.item[2].leaving = false;
	now.item[2].driver[0] = '\0';
	assert_int_equal(look(), 0);
	assert_int_equal(look(), 0);
	/* The CPU is no place to be sent to. */
	now.n = 0;
	add(1, "0000:01:00.0", 30);
	memset(&now.item[now.n], 0, sizeof(now.item[0]));
	now.item[now.n++].cpu = true;
	assert_int_equal(look(), 0);
	assert_int_equal(look(), 0);
}

static void absurd_values(void **state)
{
	static const double values[] = { NAN, -NAN, -INFINITY, -1, INFINITY };
	enum strategy strategy;
	size_t i, j;

	for (strategy = STRATEGY_LAZY; strategy <= STRATEGY_BALANCED;
	     strategy++) {
		for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			setup(state);
			config.strategy = strategy;
			config.imbalance = 9;
			assert_int_equal(look(), 0);
			for (j = 0; j < now.n; j++) {
				set(&now.item[j].temperature, values[i]);
				set(&now.item[j].memory_free, values[i]);
				set(&now.item[j].memory_total, values[i]);
				set(&now.item[j].errors, values[i]);
				set(&now.item[j].link_share, values[i]);
				set(&now.item[j].load, values[i]);
			}
			assert_int_equal(look(), 0);
			assert_int_equal(look(), 0);
		}
	}
	/* No look at all, and no device. */
	now.n = 0;
	any_before = false;
	assert_int_equal(look(), 0);
}

#define T(name) cmocka_unit_test_setup(name, setup)

static const struct CMUnitTest tests[] = {
	T(lazy),
	T(eager_on_heat),
	T(eager_on_memory),
	T(eager_on_two),
	T(nothing_to_move),
	T(preemptive_on_errors),
	T(preemptive_on_the_link),
	T(preemptive_on_a_new_one),
	T(balanced),
	T(balanced_limits),
	T(absurd_values),
};

TEST_MAIN(tests, NULL, NULL)

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which device to go on with: every gate, every term, ties, what is not known
 * and what makes no sense, and that the order of the candidates is of no matter.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../select/select.h"
#include "test.h"

#define GIB (1024.0 * 1024 * 1024)

static struct candidates candidates;
static struct selection selection;
static struct need need;

static int setup(void **state)
{
	(void)state;
	memset(&candidates, 0, sizeof(candidates));
	memset(&need, 0, sizeof(need));
	need.portable = true;
	return 0;
}

static void set(struct reading *reading, double value)
{
	reading->known = true;
	reading->estimate = false;
	reading->value = value;
	snprintf(reading->source, sizeof(reading->source), "a file");
}

static void unset(struct reading *reading)
{
	memset(reading, 0, sizeof(*reading));
	strcpy(reading->source, "not known: there is no file");
}

/* A GPU of which all is known, and nothing speaks against. */
static struct candidate *add(uint32_t id, const char *address, bool external)
{
	struct candidate *gpu = &candidates.item[candidates.n++];

	gpu->id = id;
	strcpy(gpu->address, address);
	strcpy(gpu->driver, "amdgpu");
	snprintf(gpu->node, sizeof(gpu->node), "/dev/dri/card%u", id);
	gpu->external = external;
	set(&gpu->memory_total, 8 * GIB);
	set(&gpu->memory_free, 4 * GIB);
	set(&gpu->bandwidth, 4e9);
	set(&gpu->link_share, 1);
	set(&gpu->load, 0);
	set(&gpu->temperature, 40);
	set(&gpu->errors, 0);
	set(&gpu->suspended, 0);
	return gpu;
}

static struct candidate *add_cpu(void)
{
	struct candidate *cpu = &candidates.item[candidates.n++];

	cpu->cpu = true;
	set(&cpu->memory_total, 32 * GIB);
	set(&cpu->memory_free, 16 * GIB);
	return cpu;
}

static void rank(void)
{
	select_rank(&candidates, &need, &selection);
	assert_int_equal(selection.n, candidates.n);
}

static const struct ranked *ranked_of(uint32_t id)
{
	size_t i;

	for (i = 0; i < selection.n; i++) {
		if (selection.item[i].candidate->id == id)
			return &selection.item[i];
	}
	fail_msg("device %u is not in the selection", id);
	return NULL;
}

static void assert_out(uint32_t id, const char *gate)
{
	rank();
	assert_string_equal(ranked_of(id)->gate, gate);
	assert_true(!selection.chosen || selection.chosen->candidate->id != id ||
		    selection.chosen->candidate->cpu);
}

static void assert_chosen(uint32_t id, const char *why)
{
	rank();
	assert_non_null(selection.chosen);
	assert_int_equal(selection.chosen->candidate->id, id);
	assert_ptr_equal(selection.chosen, &selection.item[0]);
	assert_string_equal(selection.why, why);
}

/* Each keeps a GPU out that has by far the most points. */
static void gates(void **state)
{
	struct candidate *gpu = add(1, "0000:01:00.0", false), good = *gpu;

	(void)state;
	add(2, "0000:07:00.0", true);
	set(&candidates.item[1].load, 0.99);
	assert_chosen(1, "it has 77.5 points, GPU 2 (0000:07:00.0) comes next "
			 "with 52.7");

	need.n_excluded = 1;
	need.excluded[0] = 1;
	assert_out(1, "it was ruled out by the caller");
	assert_int_equal(selection.chosen->candidate->id, 2);
	need.n_excluded = 0;

	gpu->leaving = true;
	assert_out(1, "it is leaving");
	*gpu = good;
	gpu->driver[0] = '\0';
	assert_out(1, "no driver is bound to it");
	strcpy(gpu->driver, "vfio-pci");
	assert_out(1, "vfio-pci keeps it for a virtual machine");
	strcpy(gpu->driver, "pci-stub");
	assert_out(1, "pci-stub keeps it for a virtual machine");
	*gpu = good;
	gpu->node[0] = '\0';
	assert_out(1, "it has no DRM node");
	*gpu = good;
	set(&gpu->temperature, 104.9);
	assert_chosen(1, "it has 72.5 points, GPU 2 (0000:07:00.0) comes next "
			 "with 52.7");
	set(&gpu->temperature, 105);
	assert_out(1, "it is too hot: 105 degrees Celsius");
	/* What leaves a GPU that is too hot goes to none that is. */
	set(&gpu->temperature, 92);
	assert_chosen(1, "it has 73.2 points, GPU 2 (0000:07:00.0) comes next "
			 "with 52.7");
	need.too_hot = 92;
	assert_out(1, "it is too hot: 92 degrees Celsius");
	need.too_hot = 200;
	set(&gpu->temperature, 105);
	assert_out(1, "it is too hot: 105 degrees Celsius");
	need.too_hot = 0;
	*gpu = good;
	need.portable = false;
	strcpy(need.why_not, "buffer 3 is tiled");
	assert_out(1, "the buffers mean nothing there: buffer 3 is tiled");
}

static void memory_gate(void **state)
{
	struct candidate *gpu = add(1, "0000:01:00.0", false);

	(void)state;
	need.bytes = 4ull << 30;
	assert_chosen(1, "it is the only GPU that can take the work");
	need.bytes++;
	assert_out(1, "it has 4.0 GiB of memory free, the work needs 4.0 GiB");
	need.bytes = 6ull << 30;
	assert_out(1, "it has 4.0 GiB of memory free, the work needs 6.0 GiB");
	/* How much is free is not known, so all of it could be. */
	unset(&gpu->memory_free);
	assert_chosen(1, "it is the only GPU that can take the work");
	need.bytes = 9ull << 30;
	assert_out(1, "it has 8.0 GiB of memory, the work needs 9.0 GiB");
	/* A guess keeps nobody out, and neither does nothing at all. */
	gpu->memory_total.estimate = true;
	assert_chosen(1, "it is the only GPU that can take the work");
	unset(&gpu->memory_total);
	assert_chosen(1, "it is the only GPU that can take the work");
}

static void the_cpu_is_last(void **state)
{
	struct candidate *gpu = add(1, "0000:01:00.0", true);
	struct candidate *cpu = add_cpu();

	(void)state;
	set(&gpu->load, 1);
	set(&gpu->temperature, 100);
	set(&gpu->bandwidth, 1);
	set(&gpu->memory_free, 0);
	gpu->sessions = 200;
	assert_chosen(1, "it is the only GPU that can take the work");
	gpu->leaving = true;
	assert_chosen(0, "no GPU can take the work, so the CPU does");
	assert_true(selection.chosen->candidate->cpu);
	need.bytes = 17ull << 30;
	rank();
	assert_null(selection.chosen);
	assert_string_equal(selection.why,
			    "no device can take the work: GPU 1 (0000:01:00.0): it "
			    "is leaving; the CPU: it has 16.0 GiB of memory free, "
			    "the work needs 17.0 GiB");
	unset(&cpu->memory_free);
	unset(&cpu->memory_total);
	assert_chosen(0, "no GPU can take the work, so the CPU does");
	need.no_cpu = true;
	rank();
	assert_null(selection.chosen);
	assert_string_equal(selection.item[1].gate,
			    "the configuration rules out the CPU");
}

static void nobody(void **state)
{
	size_t i;

	(void)state;
	rank();
	assert_null(selection.chosen);
	assert_string_equal(selection.why,
			    "no device can take the work: there is none");
	/* The sentence is cut, not more. */
	for (i = 0; i < CANDIDATES_MAX; i++)
		add((uint32_t)i + 1, "0000:01:00.0", true)->leaving = true;
	rank();
	assert_null(selection.chosen);
	assert_int_equal(strlen(selection.why), sizeof(selection.why) - 1);
}

static void ties(void **state)
{
	(void)state;
	add(9, "0000:02:00.0", true);
	add(1, "0000:07:00.0", false);
	/* Locality is worth what the other is better in. */
	set(&candidates.item[1].suspended, 1);
	set(&candidates.item[1].errors, INFINITY);
	set(&candidates.item[1].temperature, 70);
	assert_chosen(1, "it has 67.5 points, and so has GPU 9 (0000:02:00.0); "
			 "what is inside goes first");
	candidates.n = 0;
	add(1, "0000:07:00.0", true);
	add(9, "0000:02:00.0", true);
	assert_chosen(9, "it has 67.5 points, and so has GPU 1 (0000:07:00.0); "
			 "the lower PCI address goes first");
	/* Too little of a difference to be shown is none. */
	set(&candidates.item[0].temperature, 39.9);
	set(&candidates.item[1].temperature, 40.1);
	assert_chosen(9, "it has 67.5 points, and so has GPU 1 (0000:07:00.0); "
			 "the lower PCI address goes first");
}

/* Points of a term when a reading has a value. */
static double points(const char *what, struct reading *reading, double value)
{
	const struct ranked *ranked;
	size_t i;

	set(reading, value);
	rank();
	ranked = ranked_of(1);
	for (i = 0; i < ranked->n_terms; i++) {
		if (!strcmp(ranked->term[i].what, what))
			return ranked->term[i].points;
	}
	fail_msg("there is no term %s", what);
	return 0;
}

static void assert_points(const char *what, struct reading *reading,
			  double value, double expected)
{
	double got = points(what, reading, value);

	if (fabs(got - expected) > 0.001)
		fail_msg("%s: %g points and not %g for %g", what, got, expected,
			 value);
}

static void terms(void **state)
{
	struct candidate *gpu = add(1, "0000:01:00.0", true);

	(void)state;
	assert_points("memory", &gpu->memory_free, 4 * GIB, 0.5);
	assert_points("memory", &gpu->memory_free, 12 * GIB, 0.75);
	need.bytes = 4ull << 30;
	assert_points("memory", &gpu->memory_free, 12 * GIB, 0.667);
	assert_points("memory", &gpu->memory_free, 4 * GIB, 0);
	assert_points("memory", &gpu->memory_free, 0, 0);
	assert_points("bandwidth", &gpu->bandwidth, 0, 0);
	assert_points("bandwidth", &gpu->bandwidth, 30e6, 0.0074);
	assert_string_equal(ranked_of(1)->term[1].value, "30 MB/s");
	assert_points("bandwidth", &gpu->bandwidth, 4e9, 0.5);
	assert_points("bandwidth", &gpu->bandwidth, 32e9, 0.889);
	assert_points("load", &gpu->load, 0, 1);
	assert_points("load", &gpu->load, 0.75, 0.25);
	assert_points("load", &gpu->load, 7, 0);
	assert_points("link", &gpu->link_share, 0.25, 0.25);
	assert_points("link", &gpu->link_share, 3, 1);
	assert_points("temperature", &gpu->temperature, 20, 1);
	assert_points("temperature", &gpu->temperature, 70, 0.5);
	assert_points("temperature", &gpu->temperature, 100, 0);
	assert_points("errors", &gpu->errors, 0, 1);
	assert_points("errors", &gpu->errors, 1, 0.5);
	assert_points("power", &gpu->suspended, 0, 1);
	assert_points("power", &gpu->suspended, 1, 0);
}

static void weights(void **state)
{
	const struct ranked *ranked;
	double sum = 0, weight = 0;
	size_t i;

	(void)state;
	add(1, "0000:01:00.0", false)->sessions = 1;
	rank();
	ranked = ranked_of(1);
	assert_int_equal(ranked->n_terms, 9);
	for (i = 0; i < ranked->n_terms; i++) {
		weight += ranked->term[i].weight;
		sum += ranked->term[i].weight * ranked->term[i].points;
		assert_true(ranked->term[i].value[0]);
		assert_true(ranked->term[i].source[0]);
	}
	assert_true(fabs(weight - 100) < 0.000000001);
	assert_true(fabs(sum - ranked->score) <= 0.05);
	assert_true(ranked->score > 72.45 && ranked->score < 72.55);
}

/* Each reading of a GPU, to be spoilt. */
static struct reading *reading_of(struct candidate *gpu, size_t i)
{
	struct reading *const list[] = {
		&gpu->memory_free, &gpu->bandwidth,    &gpu->link_share,
		&gpu->load,	   &gpu->temperature,  &gpu->errors,
		&gpu->suspended,   &gpu->memory_total,
	};

	return i < sizeof(list) / sizeof(list[0]) ? list[i] : NULL;
}

static void nothing_known(void **state)
{
	struct candidate *gpu = add(1, "0000:01:00.0", true);
	const struct ranked *ranked;
	size_t i, unknown = 0;

	(void)state;
	for (i = 0; reading_of(gpu, i); i++)
		unset(reading_of(gpu, i));
	assert_chosen(1, "it is the only GPU that can take the work");
	ranked = ranked_of(1);
	/* Half of all but of locality and sessions, which are known. */
	assert_true(ranked->score > 49.95 && ranked->score < 50.05);
	for (i = 0; i < ranked->n_terms; i++)
		unknown += !strcmp(ranked->term[i].value, "-") &&
			   !strncmp(ranked->term[i].source, "not known", 9);
	assert_int_equal(unknown, 7);
}

/* What makes no sense is as good as not known. */
static void absurd_values(void **state)
{
	static const double values[] = { NAN,  -NAN,   INFINITY, -INFINITY,
					 -1,   -0.1,   DBL_MAX,	 -DBL_MAX,
					 1e30, DBL_MIN };
	struct candidate *gpu = add(1, "0000:01:00.0", true), good = *gpu;
	const struct reading *reading;
	size_t i, j;

	(void)state;
	add(2, "0000:02:00.0", true);
	need.bytes = UINT64_MAX;
	for (i = 0; reading_of(gpu, i); i++) {
		for (j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
			*gpu = good;
			reading = reading_of(gpu, i);
			set(reading_of(gpu, i), values[j]);
			rank();
			assert_true(ranked_of(1)->score >= 0 &&
				    ranked_of(1)->score <= 100);
			if (isfinite(values[j]) && values[j] >= 0)
				continue;
			/* Free memory may be guessed from all of it. */
			if (reading == &gpu->memory_free ||
			    reading == &gpu->memory_total)
				continue;
			need.bytes = 0;
			rank();
			assert_string_equal(ranked_of(1)->gate, "");
			need.bytes = UINT64_MAX;
		}
	}
	*gpu = good;
	need.bytes = 0;
	set(&gpu->load, NAN);
	rank();
	assert_string_equal(ranked_of(1)->term[2].source,
			    "not known: the number makes no sense");
	assert_true(ranked_of(1)->term[2].points > 0.49 &&
		    ranked_of(1)->term[2].points < 0.51);
}

/* However they come, the selection is the same. */
static void order_of_the_candidates(void **state)
{
	struct candidate item[4], *first;
	char why[sizeof(selection.why)];
	uint32_t ids[4];
	size_t i, turn;

	(void)state;
	add(1, "0000:07:00.0", true);
	add(2, "0000:02:00.0", true);
	add(3, "0000:01:00.0", true)->leaving = true;
	add_cpu();
	memcpy(item, candidates.item, sizeof(item));
	rank();
	strcpy(why, selection.why);
	for (i = 0; i < 4; i++)
		ids[i] = selection.item[i].candidate->id;
	assert_int_equal(ids[0], 2);
	assert_int_equal(ids[1], 1);
	assert_int_equal(ids[2], 0);
	assert_int_equal(ids[3], 3);
	for (turn = 1; turn < 24; turn++) {
		first = candidates.item;
		/* All orders: each turn picks the next in another way. */
		memcpy(first, item, sizeof(item));
		for (i = 0; i < 4; i++) {
			size_t j = (i * turn + turn / 4) % 4;
			struct candidate swap = first[i];

			first[i] = first[j];
			first[j] = swap;
		}
		rank();
		assert_string_equal(selection.why, why);
		for (i = 0; i < 4; i++)
			assert_int_equal(selection.item[i].candidate->id,
					 ids[i]);
	}
}

static void explanation(void **state)
{
	static const char expected[] =
		"GPU 2 (0000:07:00.0), amdgpu, external: 62.5 points, chosen\n"
		"  memory       4.0 GiB free     12.5 of 25  a file\n"
		"  bandwidth    4.0 GB/s         10.0 of 20  a file\n"
		"  load         0 % busy         15.0 of 15  a file\n"
		"  locality     on a cable        0.0 of 10  the kernel's list of GPUs\n"
		"  sessions     1                 5.0 of 10  the sessions of egpud\n"
		"  link         100 %             5.0 of  5  a file\n"
		"  temperature  40 degrees        5.0 of  5  a file\n"
		"  errors       0                 5.0 of  5  a file\n"
		"  power        awake             5.0 of  5  a file\n"
		"the CPU: 30.0 points\n"
		"  memory       16.0 GiB free    20.0 of 25  a file\n"
		"  sessions     0                10.0 of 10  the sessions of egpud\n"
		"Choice: GPU 2 (0000:07:00.0), it is the only GPU that can take the work.\n";
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	assert_non_null(f);
	add(2, "0000:07:00.0", true)->sessions = 1;
	add_cpu();
	rank();
	select_print(&selection, f);
	fclose(f);
	assert_string_equal(text, expected);
	free(text);
}

/* What a driver or a program made up does not reach the terminal. */
static void hostile_text(void **state)
{
	struct candidate *gpu = add(1, "0000:01:00.0", true);
	char *text;
	size_t size, i;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	assert_non_null(f);
	strcpy(gpu->driver, "e\033[31mvil");
	strcpy(gpu->load.source, "\033]0;x\a");
	need.portable = false;
	memset(need.why_not, '\033', sizeof(need.why_not) - 1);
	rank();
	select_print(&selection, f);
	fclose(f);
	for (i = 0; i < size; i++)
		assert_true(text[i] == '\n' || (unsigned char)text[i] >= 0x20);
	assert_non_null(strstr(text, "e?[31mvil"));
	assert_non_null(strstr(text,
			       "Choice: none, no device can take the work"));
	free(text);
}

#define T(name) cmocka_unit_test_setup(name, setup)

static const struct CMUnitTest tests[] = {
	T(gates),
	T(memory_gate),
	T(the_cpu_is_last),
	T(nobody),
	T(ties),
	T(terms),
	T(weights),
	T(nothing_known),
	T(absurd_values),
	T(order_of_the_candidates),
	T(explanation),
	T(hostile_text),
};

TEST_MAIN(tests, NULL, NULL)

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a score is made of: a number of points from 0 to 1 for each property, and
 * how much it counts. The weights sum up to 100.
 */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "private.h"

/* What is not known speaks neither for a device nor against it. */
#define NEUTRAL 0.5

/* So much more than is needed is half of all the points for memory. */
#define MEMORY_HALF (4.0 * 1024 * 1024 * 1024)

/* A bandwidth that is worth half of all the points for it. */
#define BANDWIDTH_HALF 4e9

/* As cool as it gets, and where hardware slows itself down. */
#define COOL 40.0
#define HOT  100.0

/**
 * reading_usable() - is a number to be believed?
 * @reading: the number
 *
 * Return: whether it is known and makes sense.
 */
bool reading_usable(const struct reading *reading)
{
	return reading->known && isfinite(reading->value) && reading->value >= 0;
}

static double between_0_and_1(double value)
{
	return value < 0 ? 0 : value > 1 ? 1 : value;
}

static struct term *add(struct ranked *ranked, const char *what, double weight)
{
	struct term *term = &ranked->term[ranked->n_terms++];

	term->what = what;
	term->weight = weight;
	term->points = NEUTRAL;
	return term;
}

__attribute__((format(printf, 3, 4))) static void
say(struct term *term, const char *source, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(term->value, sizeof(term->value), format, args);
	va_end(args);
	snprintf(term->source, sizeof(term->source), "%s", source);
}

/* Says why it is not known, and leaves the term where it is. */
static bool known(struct term *term, const struct reading *reading)
{
	if (reading_usable(reading))
		return true;
	if (reading->known)
		say(term, "not known: the number makes no sense", "-");
	else
		say(term, reading->source[0] ? reading->source : "not known",
		    "-");
	return false;
}

/*
 * What is left when the work is there. Where the free memory is not told, half
 * of all is taken to be free.
 */
static void memory_term(const struct candidate *candidate,
			const struct need *need, struct ranked *ranked)
{
	struct term *term = add(ranked, "memory", 25);
	const struct reading *reading = &candidate->memory_free;
	char buf[BYTES_TEXT];
	double left;

	if (reading_usable(reading)) {
		left = reading->value;
		say(term, reading->source, "%s free", bytes_text(left, buf));
	} else if (reading_usable(&candidate->memory_total)) {
		reading = &candidate->memory_total;
		left = reading->value / 2;
		say(term, reading->source, "half of %s",
		    bytes_text(reading->value, buf));
	} else {
		known(term, reading);
		return;
	}
	left -= (double)need->bytes;
	term->points = left <= 0 ? 0 : left / (left + MEMORY_HALF);
}

static void bandwidth_term(const struct candidate *candidate,
			   struct ranked *ranked)
{
	struct term *term = add(ranked, "bandwidth", 20);
	const struct reading *reading = &candidate->bandwidth;

	if (!known(term, reading))
		return;
	if (reading->value < 1e9)
		say(term, reading->source, "%.0f MB/s", reading->value / 1e6);
	else
		say(term, reading->source, "%.1f GB/s", reading->value / 1e9);
	term->points = reading->value / (reading->value + BANDWIDTH_HALF);
}

static void load_term(const struct candidate *candidate, struct ranked *ranked)
{
	struct term *term = add(ranked, "load", 15);

	if (!known(term, &candidate->load))
		return;
	say(term, candidate->load.source, "%.0f %% busy",
	    100 * between_0_and_1(candidate->load.value));
	term->points = 1 - between_0_and_1(candidate->load.value);
}

static void locality_term(const struct candidate *candidate,
			  struct ranked *ranked)
{
	struct term *term = add(ranked, "locality", 10);

	say(term, "the kernel's list of GPUs",
	    candidate->external ? "on a cable" : "inside");
	term->points = candidate->external ? 0 : 1;
}

static void sessions_term(const struct candidate *candidate,
			  struct ranked *ranked)
{
	struct term *term = add(ranked, "sessions", 10);

	say(term, "the sessions of egpud", "%u", candidate->sessions);
	term->points = 1 / (1 + (double)candidate->sessions);
}

static void link_term(const struct candidate *candidate, struct ranked *ranked)
{
	struct term *term = add(ranked, "link", 5);

	if (!known(term, &candidate->link_share))
		return;
	term->points = between_0_and_1(candidate->link_share.value);
	say(term, candidate->link_share.source, "%.0f %%", 100 * term->points);
}

static void temperature_term(const struct candidate *candidate,
			     struct ranked *ranked)
{
	struct term *term = add(ranked, "temperature", 5);

	if (!known(term, &candidate->temperature))
		return;
	say(term, candidate->temperature.source, "%.0f degrees",
	    candidate->temperature.value);
	term->points = between_0_and_1((HOT - candidate->temperature.value) /
				       (HOT - COOL));
}

static void errors_term(const struct candidate *candidate, struct ranked *ranked)
{
	struct term *term = add(ranked, "errors", 5);

	if (!known(term, &candidate->errors))
		return;
	say(term, candidate->errors.source, "%.0f", candidate->errors.value);
	term->points = 1 / (1 + candidate->errors.value);
}

/* Waking takes time, and the battery. */
static void power_term(const struct candidate *candidate, struct ranked *ranked)
{
	struct term *term = add(ranked, "power", 5);

	if (!known(term, &candidate->suspended))
		return;
	say(term, candidate->suspended.source,
	    candidate->suspended.value > 0 ? "asleep" : "awake");
	term->points = candidate->suspended.value > 0 ? 0 : 1;
}

/**
 * terms_of() - what the score of a device is made of, and the score
 * @candidate: the device
 * @need: what the work asks for
 * @ranked: .term, .n_terms and .score are filled in
 *
 * The score has one decimal, so that two devices which look the same are.
 */
void terms_of(const struct candidate *candidate, const struct need *need,
	      struct ranked *ranked)
{
	double sum = 0;
	size_t i;

	ranked->n_terms = 0;
	memory_term(candidate, need, ranked);
	if (!candidate->cpu) {
		bandwidth_term(candidate, ranked);
		load_term(candidate, ranked);
		locality_term(candidate, ranked);
		sessions_term(candidate, ranked);
		link_term(candidate, ranked);
		temperature_term(candidate, ranked);
		errors_term(candidate, ranked);
		power_term(candidate, ranked);
	} else {
		sessions_term(candidate, ranked);
	}
	for (i = 0; i < ranked->n_terms; i++)
		sum += ranked->term[i].weight * ranked->term[i].points;
	ranked->score = (double)(unsigned int)(10 * sum + 0.5) / 10;
}

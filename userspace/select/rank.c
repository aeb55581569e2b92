// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which device to go on with. Pure: the same candidates and the same need give
 * the same choice, in whatever order the candidates come.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../common/text.h"
#include "private.h"

/* Where hardware is about to turn itself off. */
#define TOO_HOT 105.0

__attribute__((format(printf, 2, 3))) static bool out(struct ranked *ranked,
						      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ranked->gate, sizeof(ranked->gate), format, args);
	va_end(args);
	return true;
}

static bool is_ruled_out(const struct candidate *candidate,
			 const struct need *need, struct ranked *ranked)
{
	size_t i;

	if (candidate->cpu)
		return need->no_cpu &&
		       out(ranked, "the configuration rules out the CPU");
	for (i = 0; i < need->n_excluded && i < ARRAY_SIZE(need->excluded); i++) {
		if (need->excluded[i] == candidate->id)
			return out(ranked, "it was ruled out by the caller");
	}
	return false;
}

static bool is_for_a_machine(const char *driver)
{
	return !strcmp(driver, "vfio-pci") || !strcmp(driver, "pci-stub");
}

static bool is_too_hot(const struct reading *temperature,
		       const struct need *need)
{
	double limit = TOO_HOT;

	if (need->too_hot > 0 && need->too_hot < limit)
		limit = need->too_hot;
	return reading_usable(temperature) && temperature->value >= limit;
}

/* Whether it is there to be used. */
static bool is_not_usable(const struct candidate *candidate,
			  const struct need *need, struct ranked *ranked)
{
	char driver[sizeof(candidate->driver)];

	if (candidate->cpu)
		return false;
	if (candidate->leaving)
		return out(ranked, "it is leaving");
	if (!candidate->driver[0])
		return out(ranked, "no driver is bound to it");
	if (is_for_a_machine(candidate->driver))
		return out(ranked, "%s keeps it for a virtual machine",
			   text_printable(candidate->driver, driver,
					  sizeof(driver)));
	if (!candidate->node[0])
		return out(ranked, "it has no DRM node");
	if (is_too_hot(&candidate->temperature, need))
		return out(ranked, "it is too hot: %.0f degrees Celsius",
			   candidate->temperature.value);
	return false;
}

/* An estimate excludes nobody: there may be more than it says. */
static bool is_too_small(const struct candidate *candidate,
			 const struct need *need, struct ranked *ranked)
{
	const struct reading *reading = &candidate->memory_free;
	char have[BYTES_TEXT], want[BYTES_TEXT];
	const char *free = " free";

	if (!reading_usable(reading)) {
		reading = &candidate->memory_total;
		free = "";
	}
	if (!reading_usable(reading) || reading->estimate ||
	    reading->value >= (double)need->bytes)
		return false;
	return out(ranked, "it has %s of memory%s, the work needs %s",
		   bytes_text(reading->value, have), free,
		   bytes_text((double)need->bytes, want));
}

static bool is_of_no_use(const struct need *need, struct ranked *ranked)
{
	char why[sizeof(need->why_not)];

	if (need->portable)
		return false;
	text_printable(need->why_not, why, sizeof(why));
	snprintf(ranked->gate, sizeof(ranked->gate),
		 "the buffers mean nothing there%s%.100s", *why ? ": " : "",
		 why);
	return true;
}

static void judge(const struct candidate *candidate, const struct need *need,
		  struct ranked *ranked)
{
	memset(ranked, 0, sizeof(*ranked));
	ranked->candidate = candidate;
	terms_of(candidate, need, ranked);
	if (!is_ruled_out(candidate, need, ranked) &&
	    !is_not_usable(candidate, need, ranked) &&
	    !is_of_no_use(need, ranked))
		is_too_small(candidate, need, ranked);
}

static int in_order(double a, double b)
{
	return (a > b) - (a < b);
}

/* Between two that are equal otherwise. */
static int compare_ties(const struct candidate *x, const struct candidate *y)
{
	int order = x->external - y->external;

	if (!order)
		order = strcmp(x->address, y->address);
	return order ? order : in_order(x->id, y->id);
}

static int compare(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int order;

	order = !!x->gate[0] - !!y->gate[0];
	if (!order)
		order = x->candidate->cpu - y->candidate->cpu;
	/* Who is out has points only to look at. */
	if (!order && !x->gate[0])
		order = in_order(y->score, x->score);
	return order ? order : compare_ties(x->candidate, y->candidate);
}

/* "nothing can take the work: GPU 1 (...): it is leaving; the CPU: ..." */
static void explain_none(struct selection *selection)
{
	char who[WHO_TEXT];
	size_t i, at;

	at = snprintf(selection->why, sizeof(selection->why),
		      "no device can take the work%s",
		      selection->n ? "" : ": there is none");
	for (i = 0; i < selection->n && at < sizeof(selection->why); i++)
		at += snprintf(selection->why + at, sizeof(selection->why) - at,
			       "%s%s: %s", i ? "; " : ": ",
			       who_text(selection->item[i].candidate, who),
			       selection->item[i].gate);
}

static void explain_tie(struct selection *selection, const struct ranked *second)
{
	const struct candidate *first = selection->chosen->candidate;
	char who[WHO_TEXT];

	snprintf(selection->why, sizeof(selection->why),
		 "it has %.1f points, and so has %s; %s goes first",
		 selection->chosen->score, who_text(second->candidate, who),
		 first->external != second->candidate->external ?
			 "what is inside" :
			 "the lower PCI address");
}

static void explain_choice(struct selection *selection)
{
	const struct ranked *first = &selection->item[0], *second = NULL;
	char who[WHO_TEXT];

	selection->chosen = first;
	if (selection->n > 1 && !selection->item[1].gate[0])
		second = &selection->item[1];
	if (first->candidate->cpu)
		snprintf(selection->why, sizeof(selection->why),
			 "no GPU can take the work, so the CPU does");
	else if (!second || second->candidate->cpu)
		snprintf(selection->why, sizeof(selection->why),
			 "it is the only GPU that can take the work");
	else if (second->score == first->score)
		explain_tie(selection, second);
	else
		snprintf(selection->why, sizeof(selection->why),
			 "it has %.1f points, %s comes next with %.1f",
			 first->score, who_text(second->candidate, who),
			 second->score);
}

/**
 * select_rank() - choose a device to go on with
 * @candidates: the devices there are; @selection points into them
 * @need: what the work asks for
 * @selection: where to put the choice and why it is one
 *
 * A device that a gate keeps out is no choice, however many points it has. The
 * CPU comes after every GPU. Of two with as many points an internal one goes
 * first, then the lower PCI address.
 */
void select_rank(const struct candidates *candidates, const struct need *need,
		 struct selection *selection)
{
	size_t i;

	selection->n = 0;
	selection->chosen = NULL;
	for (i = 0; i < candidates->n && i < CANDIDATES_MAX; i++)
		judge(&candidates->item[i], need,
		      &selection->item[selection->n++]);
	if (selection->n)
		qsort(selection->item, selection->n, sizeof(selection->item[0]),
		      compare);
	if (!selection->n || selection->item[0].gate[0])
		explain_none(selection);
	else
		explain_choice(selection);
}

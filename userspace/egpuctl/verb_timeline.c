// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpuctl timeline: how a removal went, and what its time went into
 */
#include <inttypes.h>

#include "../common/text.h"
#include "ctl.h"

enum { AT, PHASE, TOOK, BAR, MEANING };

static const struct ctl_column columns[] = {
	[AT] = { .name = "AT", .right = true },
	[PHASE] = { .name = "PHASE" },
	[TOOK] = { .name = "TOOK", .right = true },
	[BAR] = { .name = "", .terminal_only = true },
	[MEANING] = { .name = "WHAT", .truncate = true },
};

#define BAR_WIDTH 20

/* The step's share of the whole. */
static void put_bar(struct ctl_table *table, uint64_t took, uint64_t total)
{
	char bar[BAR_WIDTH * 3 + 1];
	size_t n = 0, i;

	if (total)
		n = (size_t)((double)took * BAR_WIDTH / (double)total + 0.5);
	if (n > BAR_WIDTH)
		n = BAR_WIDTH;
	for (i = 0; i < n; i++)
		snprintf(&bar[3 * i], 4, "█");
	bar[3 * n] = '\0';
	table_cell(table, BAR, "%s", bar);
	table_color(table, BAR, "cyan");
}

static int print_steps(struct ctl *ctl, const struct egpu_removal *rem,
		       const struct ctl_step *steps, size_t n)
{
	char name[EGPU_NAME_SIZE];
	struct ctl_table *table;
	size_t i;

	table = table_new(ctl, columns, sizeof(columns) / sizeof(columns[0]));
	for (i = 0; table && i < n; i++) {
		table_row(table);
		table_cell(table, AT, "%.3f ms", (double)steps[i].after / 1e6);
		table_cell(table, PHASE, "%s",
			   egpu_name_text(EGPU_NAMES_PHASE, steps[i].phase,
					  name, sizeof(name)));
		if (i)
			table_cell(table, TOOK, "%.3f ms",
				   (double)steps[i].took / 1e6);
		put_bar(table, steps[i].took, steps[n - 1].after);
		table_cell(table, MEANING, "%s", steps_meaning(rem, &steps[i]));
	}
	return table_print(ctl, table);
}

/* What most of the time went into; says nothing where there is nothing to say. */
static void print_longest(struct ctl *ctl, const struct egpu_removal *rem,
			  const struct ctl_step *steps, size_t n)
{
	char name[EGPU_NAME_SIZE];
	size_t i, longest = 1;

	if (n < 2 || !steps[n - 1].after)
		return;
	for (i = 2; i < n; i++) {
		if (steps[i].took > steps[longest].took)
			longest = i;
	}
	fprintf(ctl->out, "%s %.3f ms, %.0f%% of it before '%s' (%s).\n",
		rem->finished ? "Took" : "So far",
		(double)steps[n - 1].after / 1e6,
		100.0 * (double)steps[longest].took / (double)steps[n - 1].after,
		egpu_name_text(EGPU_NAMES_PHASE, steps[longest].phase, name,
			       sizeof(name)),
		steps_meaning(rem, &steps[longest]));
}

/* How far the helper has come, as it says; the kernel keeps no times of it. */
static void print_helper(struct ctl *ctl, const struct egpu_removal *rem)
{
	const char *what = describe_step(rem->step);
	char step[EGPU_NAME_SIZE];

	if (rem->step)
		fprintf(ctl->out, "Last step of its helper: %s%s%s%s.\n",
			egpu_name_text(EGPU_NAMES_STEP, rem->step, step,
				       sizeof(step)),
			*what ? " (" : "", what, *what ? ")" : "");
	if (rem->vouched)
		fputs("Its helper has vouched for the clients that had it open.\n",
		      ctl->out);
}

/* Prints one removal with its steps; returns an exit code. */
int print_timeline(struct ctl *ctl, const struct egpu_removal *removal)
{
	char who[TEXT_SIZE], evidence[TEXT_SIZE], cause[EGPU_NAME_SIZE];
	char reason[EGPU_REASON_LEN + 1];
	struct ctl_step steps[STEPS_MAX];
	size_t n = steps_of(removal, steps);
	int code;

	fprintf(ctl->out, "Removal %" PRIu64 " of %s: %s, begun by %s\n",
		removal->cookie, describe_removed(removal, who),
		egpu_name_text(EGPU_NAMES_CAUSE, removal->cause, cause,
			       sizeof(cause)),
		removal->origin == EGPU_ORIGIN_EJECT ? "an eject" : "others");
	fprintf(ctl->out, "Evidence: %s. Clients at its begin: %u.\n",
		describe_evidence(removal->evidence, evidence),
		removal->clients);
	print_helper(ctl, removal);
	if (removal->reason[0])
		fprintf(ctl->out, "Reason: %s\n",
			text_printable(removal->reason, reason, sizeof(reason)));
	if (!n)
		return EXIT_OK;
	code = print_steps(ctl, removal, steps, n);
	if (!code)
		print_longest(ctl, removal, steps, n);
	return code;
}

static int print_all(struct ctl *ctl, struct egpu_removal *const *removals,
		     size_t count)
{
	struct json json;
	int code = EXIT_OK;
	size_t i;

	if (ctl->json) {
		tojson_begin(ctl, &json);
		json_array(&json, "removals");
		for (i = 0; i < count; i++)
			tojson_removal(&json, NULL, removals[i], true);
		json_array_end(&json);
		tojson_end(&json);
		return EXIT_OK;
	}
	if (!count)
		fputs("No removal is remembered.\n", ctl->out);
	for (i = 0; !code && i < count; i++) {
		if (i)
			putc('\n', ctl->out);
		code = print_timeline(ctl, removals[i]);
	}
	return code;
}

static int one_removal(struct ctl *ctl, const char *name)
{
	struct egpu_removal *removal;
	uint64_t cookie;
	int err, code;

	if (!text_to_uint(name, UINT64_MAX, &cookie) || !cookie)
		return ctl_usage(ctl, "'%s' is not the cookie of a removal",
				 name);
	err = egpu_removal_get(ctl->ctx, cookie, &removal);
	if (err)
		return ctl_fail_lib(ctl, err);
	code = print_all(ctl, &removal, 1);
	egpu_removal_free(removal);
	return code;
}

int verb_timeline(struct ctl *ctl, int argc, char **argv)
{
	struct egpu_removal_list *list;
	int err, code;

	code = ctl_open(ctl);
	if (code)
		return code;
	if (argc)
		return one_removal(ctl, argv[0]);
	err = egpu_removal_list(ctl->ctx, &list);
	if (err)
		return ctl_fail_lib(ctl, err);
	code = print_all(ctl, list->item, list->count);
	egpu_removal_list_free(list);
	return code;
}

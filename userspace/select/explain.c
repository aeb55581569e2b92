// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A selection in words.
 */

#include "../common/text.h"
#include "private.h"

/**
 * bytes_text() - a size for people
 * @bytes: size
 * @buf: where to put "1.5 GiB", BYTES_TEXT bytes
 *
 * Return: @buf.
 */
const char *bytes_text(double bytes, char *buf)
{
	static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	size_t i = 0;

	for (; bytes >= 1024 && i < ARRAY_SIZE(unit) - 1; i++)
		bytes /= 1024;
	snprintf(buf, BYTES_TEXT, "%.*f %s", i && bytes < 100 ? 1 : 0, bytes,
		 unit[i]);
	return buf;
}

/**
 * who_text() - which device, for people
 * @candidate: the device
 * @buf: where to put "GPU 2 (0000:07:00.0)", WHO_TEXT bytes
 *
 * Return: @buf.
 */
const char *who_text(const struct candidate *candidate, char *buf)
{
	char address[sizeof(candidate->address)];

	if (candidate->cpu)
		snprintf(buf, WHO_TEXT, "the CPU");
	else
		snprintf(buf, WHO_TEXT, "GPU %u (%s)", candidate->id,
			 text_printable(candidate->address, address,
					sizeof(address)));
	return buf;
}

static void print_head(const struct ranked *ranked, bool chosen, FILE *file)
{
	const struct candidate *candidate = ranked->candidate;
	char who[WHO_TEXT], text[sizeof(candidate->node)];

	fputs(who_text(candidate, who), file);
	if (candidate->driver[0])
		fprintf(file, ", %s",
			text_printable(candidate->driver, text, sizeof(text)));
	if (!candidate->cpu)
		fprintf(file, ", %s",
			candidate->external ? "external" : "internal");
	if (candidate->boot_display)
		fputs(", shows the desktop", file);
	if (ranked->gate[0])
		fprintf(file, ": out, %s\n", ranked->gate);
	else
		fprintf(file, ": %.1f points%s\n", ranked->score,
			chosen ? ", chosen" : "");
}

static void print_term(const struct term *term, FILE *file)
{
	char value[sizeof(term->value)], source[sizeof(term->source)];

	fprintf(file, "  %-12s %-16s %4.1f of %2.0f  %s\n", term->what,
		text_printable(term->value, value, sizeof(value)),
		term->weight * term->points, term->weight,
		text_printable(term->source, source, sizeof(source)));
}

/**
 * select_print_choice() - say what was chosen and how that came about
 * @selection: the selection
 * @file: where to
 */
void select_print_choice(const struct selection *selection, FILE *file)
{
	char who[WHO_TEXT];

	if (selection->chosen)
		fprintf(file, "Choice: %s, %s.\n",
			who_text(selection->chosen->candidate, who),
			selection->why);
	else
		fprintf(file, "Choice: none, %s.\n", selection->why);
}

/**
 * select_print() - explain a selection, line by line
 * @selection: the selection
 * @file: where to
 *
 * For each device a line that says what became of it, and one for each number
 * that counts: what, its value, points of the points there are, where it is
 * from. The last line is that of select_print_choice().
 */
void select_print(const struct selection *selection, FILE *file)
{
	size_t i, j;

	for (i = 0; i < selection->n; i++) {
		const struct ranked *ranked = &selection->item[i];

		print_head(ranked, ranked == selection->chosen, file);
		for (j = 0; j < ranked->n_terms; j++)
			print_term(&ranked->term[j], file);
	}
	select_print_choice(selection, file);
}

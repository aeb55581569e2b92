// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tables, drawn by libsmartcols.
 */
#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../common/text.h"
#include "ctl.h"

#define CELL_SIZE 512

/**
 * struct ctl_table - a table being filled
 * @scols: libsmartcols' table
 * @line: the row being filled
 * @index: per column its number in @scols, -1 when it is left out
 * @n: number of columns
 * @failed: something did not go into the table for lack of memory
 */
struct ctl_table {
	struct libscols_table *scols;
	struct libscols_line *line;
	int *index;
	size_t n;
	bool failed;
};

static void table_free(struct ctl_table *table)
{
	scols_unref_table(table->scols);
	free(table->index);
	free(table);
}

static int add_columns(struct ctl *ctl, struct ctl_table *table,
		       const struct ctl_column *columns)
{
	int next = 0, flags;
	size_t i;

	for (i = 0; i < table->n; i++) {
		table->index[i] = -1;
		if (columns[i].terminal_only && !ctl->terminal)
			continue;
		flags = (columns[i].right ? SCOLS_FL_RIGHT : 0) |
			(columns[i].truncate ? SCOLS_FL_TRUNC : 0);
		/* A width below 1 is a share of the terminal, 1 one character. */
		if (!scols_table_new_column(table->scols, columns[i].name, 1,
					    flags))
			return -ENOMEM;
		table->index[i] = next++;
	}
	return 0;
}

/**
 * table_new() - begin a table
 * @ctl: where it will be printed
 * @columns: its columns
 * @n: how many
 *
 * Return: the table, or NULL without memory.
 */
struct ctl_table *table_new(struct ctl *ctl, const struct ctl_column *columns,
			    size_t n)
{
	struct ctl_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->n = n;
	table->scols = scols_new_table();
	table->index = calloc(n, sizeof(*table->index));
	if (!table->scols || !table->index || add_columns(ctl, table, columns)) {
		table_free(table);
		return NULL;
	}
	scols_table_set_stream(table->scols, ctl->out);
	scols_table_enable_colors(table->scols, ctl->color);
	scols_table_set_termforce(table->scols, ctl->terminal ?
							SCOLS_TERMFORCE_ALWAYS :
							SCOLS_TERMFORCE_NEVER);
	if (ctl->width)
		scols_table_set_termwidth(table->scols, ctl->width);
	return table;
}

void table_row(struct ctl_table *table)
{
	table->line = scols_table_new_line(table->scols, NULL);
	if (!table->line)
		table->failed = true;
}

void table_cell(struct ctl_table *table, size_t column, const char *format, ...)
{
	char text[CELL_SIZE], printable[CELL_SIZE];
	va_list args;

	if (!table->line || table->index[column] < 0)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	text_printable(text, printable, sizeof(printable));
	if (scols_line_set_data(table->line, table->index[column], printable))
		table->failed = true;
}

/* @color is a name that libsmartcols knows, such as "green". */
void table_color(struct ctl_table *table, size_t column, const char *color)
{
	struct libscols_cell *cell;

	if (!table->line || table->index[column] < 0)
		return;
	cell = scols_line_get_cell(table->line, table->index[column]);
	if (cell)
		scols_cell_set_color(cell, color);
}

/* Prints and frees a table; NULL is what table_new() returns without memory. */
int table_print(struct ctl *ctl, struct ctl_table *table)
{
	bool failed = !table || table->failed || scols_print_table(table->scols);

	if (table)
		table_free(table);
	if (failed)
		return ctl_fail(ctl, EXIT_OTHER, -ENOMEM,
				"cannot draw the table: %s", strerror(ENOMEM));
	return EXIT_OK;
}

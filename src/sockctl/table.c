#include "sockctl/table.h"

#include <errno.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEPARATOR "  "

struct table {
	struct libscols_table *scols;
	size_t width; /* of the terminal; 0: none */
	size_t n_columns;
	struct narrow {
		bool cut;
		size_t width;
	} columns[]; /* as narrow as they get */
};

static int add_column(struct libscols_table *scols, const struct table_column *column)
{
	int flags = (column->right ? SCOLS_FL_RIGHT : 0) | (column->cut ? SCOLS_FL_TRUNC : 0);

	return scols_table_new_column(scols, column->name, column->share, flags) ? 0 : -ENOMEM;
}

int table_new(
	const struct table_column *columns, size_t n, const struct table_style *style, struct table **ret)
{
	_cleanup_(table_freep) struct table *table =
		calloc(1, sizeof(*table) + n * sizeof(table->columns[0]));
	int r;

	if (!table)
		return -ENOMEM;
	table->width = style->width;
	table->n_columns = n;
	table->scols = scols_new_table();
	if (!table->scols)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		r = add_column(table->scols, &columns[i]);
		if (r < 0)
			return r;
		table->columns[i] =
			(struct narrow){ columns[i].cut, style->legend ? strlen(columns[i].name) : 1 };
	}
	scols_table_enable_noheadings(table->scols, !style->legend);
	scols_table_enable_colors(table->scols, style->color);
	scols_table_set_column_separator(table->scols, SEPARATOR);
	scols_table_set_termforce(
		table->scols, style->width ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
	if (style->width)
		scols_table_set_termwidth(table->scols, style->width);
	*ret = TAKE_PTR(table);
	return 0;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	scols_unref_table(table->scols);
	free(table);
}

int table_add(struct table *table, const char *const cells[], const char *color, size_t colored)
{
	struct libscols_line *line = scols_table_new_line(table->scols, NULL);
	int r = line ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < table->n_columns; i++) {
		struct narrow *column = &table->columns[i];

		if (!column->cut && strlen(cells[i]) > column->width)
			column->width = strlen(cells[i]);
		r = scols_line_set_data(line, i, cells[i]);
	}
	if (r == 0 && color)
		r = scols_cell_set_color(scols_line_get_cell(line, colored), color);
	return r;
}

/* Hides the last columns that do not fit, however narrow all are made. */
static void leave_out(struct table *table)
{
	size_t width = 0;

	for (size_t i = 0; i < table->n_columns; i++) {
		struct libscols_column *column = scols_table_get_column(table->scols, i);

		width += (i > 0 ? strlen(SEPARATOR) : 0) + table->columns[i].width;
		if (i > 0 && width > table->width)
			scols_column_set_flags(column, scols_column_get_flags(column) | SCOLS_FL_HIDDEN);
	}
}

int table_text(struct table *table, char **ret)
{
	_cleanup_(freep) char *text = NULL;

	if (table->width > 0)
		leave_out(table);
	if (!scols_table_is_empty(table->scols) && scols_print_table_to_string(table->scols, &text) < 0)
		return -ENOMEM;
	/* libsmartcols leaves out the last line's end. */
	return asprintf(ret, "%s%s", text ? text : "", text ? "\n" : "") < 0 ? -ENOMEM : 0;
}

/* table.h: text in columns. The sole user of libsmartcols. One thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"

struct table_column {
	const char *name;
	bool right;   /* aligned so, as numbers are */
	bool cut;     /* shortened where the table is too wide, */
	double share; /* but, if it can be, to no less than so much of the width: 0 to 1 */
};

struct table_style {
	bool legend, color;
	size_t width; /* of the terminal, which the last columns are left out of if need be; 0: as wide as it
			 gets */
};

struct table;

/* Returns 0 and a table for table_free(), or -ENOMEM. */
int table_new(
	const struct table_column *columns, size_t n, const struct table_style *style, struct table **ret);
void table_free(struct table *table);
DEFINE_CLEANUP(struct table *, table_free)

/* Adds a line of as many cells, which are copied; color, or NULL, is what the cell colored is shown with. */
int table_add(struct table *table, const char *const cells[], const char *color, size_t colored);

/* The whole of it, for the caller to free. Returns 0 or -ENOMEM. */
int table_text(struct table *table, char **ret);

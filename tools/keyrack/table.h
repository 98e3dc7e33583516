/* Tables for eyes. */
#ifndef TOOLS_KEYRACK_TABLE_H
#define TOOLS_KEYRACK_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"

struct table;

struct table_column {
	const char *name;
	bool is_number; /* to the right */
};

/* Never fails: without memory the program ends. */
struct table *table_new(const struct table_column *columns, size_t count);
/* Starts the next row; its cells follow from left to right. */
void table_row(struct table *table);
void table_put(struct table *table, const char *format, ...) KR_PRINTF(2, 3);
/* Prints the rows, or `empty` when there are none, and frees. */
void table_print_free(struct table *table, const char *empty);

/* "name                 value" on a line of its own, for one thing with many sides. */
void fact_print(const char *name, const char *format, ...) KR_PRINTF(2, 3);

#endif

#include "tools/keyrack/table.h"

#include <libsmartcols.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define CELL_SIZE 512

struct table {
	struct libscols_table *columns;
	struct libscols_line *line; /* NULL before the first row */
	size_t column_count;
	size_t next; /* column of the next cell */
};

static void check_memory(bool enough)
{
	if (enough)
		return;
	fputs("keyrack: out of memory\n", stderr);
	abort();
}

struct table *table_new(const struct table_column *columns, size_t count)
{
	struct table *table = calloc(1, sizeof(*table));
	kr_assert(count > 0);
	check_memory(table != NULL);
	table->columns = scols_new_table();
	table->column_count = count;
	check_memory(table->columns != NULL);
	scols_table_enable_minout(table->columns, 1);
	for (size_t i = 0; i < count; i++)
		check_memory(scols_table_new_column(table->columns, columns[i].name, 0,
				     columns[i].is_number ? SCOLS_FL_RIGHT : 0) != NULL);
	return table;
}

void table_row(struct table *table)
{
	kr_assert(table->line == NULL || table->next == table->column_count);
	table->line = scols_table_new_line(table->columns, NULL);
	table->next = 0;
	check_memory(table->line != NULL);
}

void table_put(struct table *table, const char *format, ...)
{
	char cell[CELL_SIZE];
	va_list list;
	kr_assert(table->line != NULL && table->next < table->column_count);
	va_start(list, format);
	/* Longer texts than any that is printed are cut. */
	(void)vsnprintf(cell, sizeof(cell), format, list);
	va_end(list);
	check_memory(scols_line_set_data(table->line, table->next++, cell) == 0);
}

void table_print_free(struct table *table, const char *empty)
{
	kr_assert(table->line == NULL || table->next == table->column_count);
	if (table->line == NULL)
		puts(empty);
	else
		scols_print_table(table->columns);
	scols_unref_table(table->columns);
	free(table);
}

void fact_print(const char *name, const char *format, ...)
{
	va_list list;
	kr_assert(name != NULL);
	printf("%-20s ", name);
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	putchar('\n');
}

/*
 * Counters and gauges as one table: a field, a name, a sentence, once each.
 *
 *   #define DOOR_METRICS(X)                                                  \
 *           X(COUNTER, open_count, "door_opened_total", "times it was opened") \
 *           X(GAUGE, inside_count, "door_inside", "people inside")
 *
 *   struct door_metrics { METRICS_FIELDS(DOOR_METRICS) };
 *   #define METRICS_STRUCT struct door_metrics
 *   static const struct metrics_row door_rows[] = {METRICS_ROWS(DOOR_METRICS)};
 *
 * The text written is Prometheus' exposition format, version 0.0.4.
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/hist.h"
#include "base/text.h"

enum metrics_kind { METRICS_COUNTER, METRICS_GAUGE };

struct metrics_row {
	enum metrics_kind kind;
	const char *name;
	const char *help;
	size_t offset; /* of a uint64_t in the struct */
};

#define METRICS_FIELD(kind, field, name, help) uint64_t field;
#define METRICS_FIELDS(table) table(METRICS_FIELD)
#define METRICS_ROW(row_kind, field, row_name, row_help)                                           \
	{METRICS_##row_kind, row_name, row_help, offsetof(METRICS_STRUCT, field)},
/* METRICS_STRUCT is defined to the struct's type around the use. */
#define METRICS_ROWS(table) table(METRICS_ROW)

/*
 * One # HELP, # TYPE and value for each row. `labels` is what stands between the braces, such as
 * shard="3", or NULL; it is written as it is. Whether all of it fitted: text->is_cut.
 */
void metrics_write(struct kr_text *text, const struct metrics_row *rows, size_t row_count,
	const void *values, const char *labels);

/* A summary: quantiles 0.5, 0.9, 0.99, 0.999, 0.9999, sum and count, in the histogram's unit. */
void metrics_write_hist(struct kr_text *text, const char *name, const char *help,
	const struct hist *hist, const char *labels);

/* True for letters, digits, "_" and ":", not beginning with a digit. */
bool metrics_name_is_valid(const char *name);

#endif

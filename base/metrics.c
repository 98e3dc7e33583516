#include "base/metrics.h"

#include <string.h>

bool metrics_name_is_valid(const char *name)
{
	kr_assert(name != NULL);
	if (*name == '\0' || (*name >= '0' && *name <= '9'))
		return false;
	for (; *name != '\0'; name++) {
		bool is_letter = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z');
		bool is_digit = *name >= '0' && *name <= '9';
		if (!is_letter && !is_digit && *name != '_' && *name != ':')
			return false;
	}
	return true;
}

/* A help text may hold neither a bare backslash nor a line's end. */
static void help_write(struct kr_text *text, const char *help)
{
	kr_assert(help != NULL);
	for (; *help != '\0'; help++) {
		if (*help == '\\')
			kr_text_put(text, "\\\\", 2);
		else if (*help == '\n')
			kr_text_put(text, "\\n", 2);
		else
			kr_text_put(text, help, 1);
	}
}

static void head_write(struct kr_text *text, const char *name, const char *help, const char *type)
{
	kr_assert(metrics_name_is_valid(name));
	kr_assert(help != NULL);
	kr_text_format(text, "# HELP %s ", name);
	help_write(text, help);
	kr_text_format(text, "\n# TYPE %s %s\n", name, type);
}

static bool has_labels(const char *labels)
{
	return labels != NULL && *labels != '\0';
}

void metrics_write(struct kr_text *text, const struct metrics_row *rows, size_t row_count,
	const void *values, const char *labels)
{
	kr_assert(rows != NULL || row_count == 0);
	kr_assert(values != NULL);
	for (size_t i = 0; i < row_count; i++) {
		uint64_t value;
		const struct metrics_row *row = &rows[i];
		memcpy(&value, (const uint8_t *)values + row->offset, sizeof(value));
		head_write(text, row->name, row->help,
			row->kind == METRICS_COUNTER ? "counter" : "gauge");
		kr_text_put_string(text, row->name);
		if (has_labels(labels))
			kr_text_format(text, "{%s}", labels);
		kr_text_format(text, " %llu\n", (unsigned long long)value);
	}
}

static void sum_write(struct kr_text *text, const char *name, const char *suffix, uint64_t value,
	const char *labels)
{
	kr_assert(name != NULL && suffix != NULL);
	kr_text_format(text, "%s%s", name, suffix);
	if (has_labels(labels))
		kr_text_format(text, "{%s}", labels);
	kr_text_format(text, " %llu\n", (unsigned long long)value);
}

void metrics_write_hist(struct kr_text *text, const char *name, const char *help,
	const struct hist *hist, const char *labels)
{
	static const struct {
		const char *quantile;
		uint32_t parts_per_million;
	} quantiles[] = {
		{"0.5", 500000},
		{"0.9", 900000},
		{"0.99", 990000},
		{"0.999", 999000},
		{"0.9999", 999900},
	};
	kr_assert(hist != NULL);
	head_write(text, name, help, "summary");
	for (size_t i = 0; i < KR_ARRAY_COUNT(quantiles); i++) {
		kr_text_format(text, "%s{%s%squantile=\"%s\"} %llu\n", name,
			has_labels(labels) ? labels : "", has_labels(labels) ? "," : "",
			quantiles[i].quantile,
			(unsigned long long)hist_percentile(hist, quantiles[i].parts_per_million));
	}
	sum_write(text, name, "_sum", hist->sum, labels);
	sum_write(text, name, "_count", hist->count, labels);
}

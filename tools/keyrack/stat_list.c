/* keyrack stats --list: what there is to count, from the one table. */
#include "tools/keyrack/stat_list.h"

#include <stdio.h>

#include "tools/keyrack/js.h"
#include "tools/keyrack/stat_prometheus.h"
#include "tools/keyrack/table.h"

static const struct source {
	const char *name; /* in STATS of a shard, in ROUTER_STATUS, in the Prometheus text alone */
	const char *prefix;
	const struct stat_row *rows;
	size_t count;
} sources[] = {
	{"shard", "", stat_shard_rows, STAT_SHARD_COUNT},
	{"router", "router_", stat_router_rows, STAT_ROUTER_COUNT},
	{"scrape", "", stat_scrape_rows, STAT_SCRAPE_COUNT},
};

static const char *kind_name(const struct stat_row *row)
{
	kr_assert(row->kind == STAT_COUNTER || row->kind == STAT_GAUGE);
	return row->kind == STAT_COUNTER ? "counter" : "gauge";
}

static void row_json(json_t *list, const struct source *source, const struct stat_row *row)
{
	json_t *object = js_object();
	char family[STAT_FAMILY_SIZE];
	stat_family_name(source->prefix, row, family);
	js_text(object, "of", source->name);
	js_text(object, "name", row->name);
	js_text(object, "kind", kind_name(row));
	js_text(object, "unit", row->unit);
	js_text(object, "prometheus", family);
	js_text(object, "meaning", row->meaning);
	js_append(list, object);
}

static void operations_json(json_t *root)
{
	json_t *list = js_array();
	for (unsigned type = 0; type < STAT_TYPE_COUNT; type++)
		if (stat_operation_name(type) != NULL)
			(void)json_array_append_new(list, json_string(stat_operation_name(type)));
	js_set(root, "operations", list);
}

static void list_json(void)
{
	json_t *root = js_object();
	json_t *list = js_array();
	for (size_t s = 0; s < KR_ARRAY_COUNT(sources); s++)
		for (size_t i = 0; i < sources[s].count; i++)
			row_json(list, &sources[s], &sources[s].rows[i]);
	js_set(root, "metrics", list);
	operations_json(root);
	js_print(root);
}

static void list_table(void)
{
	static const struct table_column columns[] = {{"OF", false}, {"NAME", false},
		{"KIND", false}, {"UNIT", false}, {"PROMETHEUS", false}, {"MEANING", false}};
	struct table *table = table_new(columns, KR_ARRAY_COUNT(columns));
	for (size_t s = 0; s < KR_ARRAY_COUNT(sources); s++) {
		for (size_t i = 0; i < sources[s].count; i++) {
			const struct stat_row *row = &sources[s].rows[i];
			char family[STAT_FAMILY_SIZE];
			stat_family_name(sources[s].prefix, row, family);
			table_row(table);
			table_put(table, "%s", sources[s].name);
			table_put(table, "%s", row->name);
			table_put(table, "%s", kind_name(row));
			table_put(table, "%s", row->unit);
			table_put(table, "%s", family);
			table_put(table, "%s", row->meaning);
		}
	}
	table_print_free(table, "");
	puts("and of each shard operation_NAME, a counter of requests for each operation");
}

void stat_list_print(bool is_json)
{
	kr_assert(sources[0].rows != NULL);
	if (is_json)
		list_json();
	else
		list_table();
}

#include "proto/stat.h"

#include <string.h>

#define X(name, kind, unit, meaning) {#name, STAT_##kind, unit, meaning},
const struct stat_row stat_shard_rows[STAT_SHARD_COUNT] = {STAT_SHARD_TABLE(X)};
const struct stat_row stat_router_rows[STAT_ROUTER_COUNT] = {STAT_ROUTER_TABLE(X)};
const struct stat_row stat_scrape_rows[STAT_SCRAPE_COUNT] = {STAT_SCRAPE_TABLE(X)};
#undef X

const struct stat_row *stat_row_find(const struct stat_row *rows, size_t count, const char *name)
{
	kr_assert(rows != NULL && name != NULL);
	kr_assert(count > 0);
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

bool stat_row_has_sum(const struct stat_row *row)
{
	kr_assert(row != NULL);
	kr_assert(row->unit != NULL);
	return strcmp(row->unit, "us") != 0 && strcmp(row->unit, "LSN") != 0;
}

const char *stat_operation_name(unsigned type)
{
#define X(number, name, request, answer) [number] = STAT_OPERATION_PREFIX #name,
	static const char *const names[STAT_TYPE_COUNT] = {FRAME_TYPE_TABLE(X)};
#undef X
	kr_assert(type < STAT_TYPE_COUNT);
	kr_assert(names[FRAME_HOLD] != NULL);
	if (type == FRAME_HELLO || type == FRAME_REJECT || type >= FRAME_ROUTER_STATUS)
		return NULL;
	return names[type];
}

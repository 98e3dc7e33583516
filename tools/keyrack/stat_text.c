#include "tools/keyrack/stat_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/keyrack/js.h"

#define NAME_SIZE 128

json_t *stat_text_json(const struct keyrack_stat *stats, uint32_t count)
{
	json_t *object = js_object();
	for (uint32_t i = 0; i < count; i++)
		if (json_object_get(object, stats[i].name) == NULL)
			js_int(object, stats[i].name, stats[i].value);
	return object;
}

/* "keyrack_" and the name, what Prometheus does not allow replaced; counters end in _total. */
static void family_name(const struct keyrack_stat *stat, char ret_name[static NAME_SIZE])
{
	static const char suffix[] = "_total";
	bool is_counter = stat->kind == KEYRACK_STAT_COUNTER;
	size_t length = strlen(stat->name);
	bool has_suffix = length >= sizeof(suffix) - 1 &&
			  strcmp(stat->name + length - (sizeof(suffix) - 1), suffix) == 0;
	(void)snprintf(ret_name, NAME_SIZE, "keyrack_%s%s", stat->name,
		is_counter && !has_suffix ? suffix : "");
	for (char *at = ret_name; *at != '\0'; at++)
		if (!isalnum((unsigned char)*at) && *at != '_')
			*at = '_';
}

static const struct keyrack_stat *stat_find(
	const struct keyrack_shard_stats *shard, const char *name)
{
	for (uint32_t i = 0; i < shard->stat_count; i++)
		if (strcmp(shard->stats[i].name, name) == 0)
			return &shard->stats[i];
	return NULL;
}

static void family_print(const struct keyrack_stats_answer *answer, const struct keyrack_stat *stat)
{
	char name[NAME_SIZE];
	family_name(stat, name);
	printf("# TYPE %s %s\n", name, stat->kind == KEYRACK_STAT_COUNTER ? "counter" : "gauge");
	for (uint32_t i = 0; i < answer->shard_count; i++) {
		const struct keyrack_stat *own = stat_find(&answer->shards[i], stat->name);
		if (own != NULL)
			printf("%s{shard=\"%u\"} %" PRId64 "\n", name, answer->shards[i].shard,
				own->value);
	}
}

static void up_print(const struct keyrack_stats_answer *answer)
{
	puts("# TYPE keyrack_up gauge");
	for (uint32_t i = 0; i < answer->shard_count; i++)
		printf("keyrack_up{shard=\"%u\"} %d\n", answer->shards[i].shard,
			answer->shards[i].code == KEYRACK_CODE_DONE);
}

static void denials_print(const struct keyrack_stats_answer *answer)
{
	bool has_any = false;
	for (uint32_t i = 0; i < answer->shard_count; i++) {
		const struct keyrack_shard_stats *shard = &answer->shards[i];
		for (uint32_t d = 0; d < shard->denial_count; d++) {
			const struct keyrack_denial *denial = &shard->denials[d];
			char day[KEYRACK_DATE_TEXT_SIZE];
			keyrack_day_format(denial->day, day);
			if (!has_any)
				puts("# TYPE keyrack_denials_by_night_total counter");
			has_any = true;
			printf("keyrack_denials_by_night_total{shard=\"%u\",hotel=\"%" PRIu64
			       "\",type=\"%u\",rule=\"%s\",night=\"%s\"} %" PRIu64 "\n",
				shard->shard, denial->hotel_id, denial->type,
				keyrack_rule_name(denial->rule), day, denial->count);
		}
	}
}

void stat_text_prometheus(const struct keyrack_stats_answer *answer)
{
	up_print(answer);
	kr_assert(answer->total_count == 0 || answer->totals != NULL);
	for (uint32_t i = 0; i < answer->total_count; i++)
		family_print(answer, &answer->totals[i]);
	denials_print(answer);
}

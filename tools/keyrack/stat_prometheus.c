#include "tools/keyrack/stat_prometheus.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ROUTER_PREFIX "router_"
#define SECOND_US 1000000

static bool is_time(const struct stat_row *row)
{
	kr_assert(row->unit != NULL);
	return strcmp(row->unit, "us") == 0;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);
	size_t end_length = strlen(end);
	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

void stat_family_name(
	const char *prefix, const struct stat_row *row, char ret_name[static STAT_FAMILY_SIZE])
{
	int length = (int)strlen(row->name);
	const char *end = "";
	if (is_time(row)) {
		kr_assert(ends_with(row->name, "_us"));
		length -= 3;
		end = "_seconds";
	}
	(void)snprintf(ret_name, STAT_FAMILY_SIZE, "keyrack_%s%.*s%s%s", prefix, length, row->name,
		end, row->kind == STAT_COUNTER ? "_total" : "");
	/* A newer process may use what Prometheus does not allow. */
	for (char *at = ret_name; *at != '\0'; at++) {
		bool is_word = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
			       (*at >= '0' && *at <= '9');
		if (!is_word)
			*at = '_';
	}
}

/* ---- lines ---- */

/* HELP and TYPE; the name stays for the samples. */
static void family_open(
	const char *prefix, const struct stat_row *row, char ret_name[static STAT_FAMILY_SIZE])
{
	stat_family_name(prefix, row, ret_name);
	printf("# HELP %s %s", ret_name, row->meaning);
	if (is_time(row))
		fputs(" (seconds)", stdout);
	else if (row->unit[0] != '\0' && strcmp(row->unit, "1") != 0)
		printf(" (%s)", row->unit);
	printf("\n# TYPE %s %s\n", ret_name, row->kind == STAT_COUNTER ? "counter" : "gauge");
}

static void label_print(const char *separator, const char *name, const char *value)
{
	printf("%s%s=\"", separator, name);
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			fputs("\\n", stdout);
		else if (*value == '"' || *value == '\\')
			printf("\\%c", *value);
		else
			putchar(*value);
	}
	putchar('"');
}

static void value_print(const struct stat_row *row, int64_t value)
{
	kr_assert(row->kind == STAT_COUNTER || row->kind == STAT_GAUGE);
	if (is_time(row))
		printf(" %" PRIu64 ".%06" PRIu64 "\n", (uint64_t)value / SECOND_US,
			(uint64_t)value % SECOND_US);
	else
		printf(" %" PRId64 "\n", value);
}

static void shard_sample(
	const char *name, const struct stat_row *row, uint32_t shard, int64_t value)
{
	printf("%s{shard=\"%u\"}", name, shard);
	value_print(row, value);
}

/* ---- shards ---- */

static const struct keyrack_stat *stat_find(
	const struct keyrack_shard_stats *shard, const char *name)
{
	for (uint32_t i = 0; i < shard->stat_count; i++)
		if (strcmp(shard->stats[i].name, name) == 0)
			return &shard->stats[i];
	return NULL;
}

static bool is_operation(const char *name)
{
	return strncmp(name, STAT_OPERATION_PREFIX, strlen(STAT_OPERATION_PREFIX)) == 0;
}

/* The row of a counter; one of a newer shard gets a row of its own. */
static struct stat_row row_of(
	const struct stat_row *rows, size_t count, const struct keyrack_stat *stat)
{
	const struct stat_row *row = stat_row_find(rows, count, stat->name);
	if (row != NULL)
		return *row;
	return (struct stat_row){stat->name,
		stat->kind == KEYRACK_STAT_COUNTER ? STAT_COUNTER : STAT_GAUGE, "",
		"told by a newer version"};
}

static void up_print(const struct keyrack_stats_answer *answer)
{
	const struct stat_row *up = &stat_scrape_rows[STAT_SCRAPE_up];
	const struct stat_row *info = &stat_scrape_rows[STAT_SCRAPE_shard_info];
	char name[STAT_FAMILY_SIZE];
	family_open("", up, name);
	for (uint32_t i = 0; i < answer->shard_count; i++)
		shard_sample(name, up, answer->shards[i].shard,
			answer->shards[i].code == KEYRACK_CODE_DONE);
	family_open("", info, name);
	for (uint32_t i = 0; i < answer->shard_count; i++) {
		const struct keyrack_shard_stats *shard = &answer->shards[i];
		if (shard->code != KEYRACK_CODE_DONE)
			continue;
		printf("%s{shard=\"%u\"", name, shard->shard);
		label_print(",", "state", shard->state);
		label_print(",", "durability", shard->durability);
		puts("} 1");
	}
}

static void family_print(const struct keyrack_stats_answer *answer, const struct keyrack_stat *stat)
{
	const struct stat_row row = row_of(stat_shard_rows, STAT_SHARD_COUNT, stat);
	char name[STAT_FAMILY_SIZE];
	family_open("", &row, name);
	for (uint32_t i = 0; i < answer->shard_count; i++) {
		const struct keyrack_stat *own = stat_find(&answer->shards[i], stat->name);
		if (own != NULL)
			shard_sample(name, &row, answer->shards[i].shard, own->value);
	}
}

static void operations_print(const struct keyrack_stats_answer *answer)
{
	char name[STAT_FAMILY_SIZE];
	family_open("", &stat_scrape_rows[STAT_SCRAPE_operations], name);
	for (uint32_t s = 0; s < answer->shard_count; s++) {
		const struct keyrack_shard_stats *shard = &answer->shards[s];
		for (uint32_t i = 0; i < shard->stat_count; i++) {
			const struct keyrack_stat *stat = &shard->stats[i];
			if (!is_operation(stat->name))
				continue;
			printf("%s{shard=\"%u\"", name, shard->shard);
			label_print(",", "operation", stat->name + strlen(STAT_OPERATION_PREFIX));
			printf("} %" PRId64 "\n", stat->value);
		}
	}
}

static void denials_print(const struct keyrack_stats_answer *answer)
{
	const struct stat_row *overflow = &stat_scrape_rows[STAT_SCRAPE_denials_overflow];
	char name[STAT_FAMILY_SIZE];
	family_open("", &stat_scrape_rows[STAT_SCRAPE_denials_by_night], name);
	for (uint32_t i = 0; i < answer->shard_count; i++) {
		const struct keyrack_shard_stats *shard = &answer->shards[i];
		for (uint32_t d = 0; d < shard->denial_count; d++) {
			const struct keyrack_denial *denial = &shard->denials[d];
			char day[KEYRACK_DATE_TEXT_SIZE];
			keyrack_day_format(denial->day, day);
			printf("%s{shard=\"%u\",hotel=\"%" PRIu64 "\",type=\"%u\"", name,
				shard->shard, denial->hotel_id, denial->type);
			label_print(",", "rule", keyrack_rule_name(denial->rule));
			label_print(",", "night", day);
			printf("} %" PRIu64 "\n", denial->count);
		}
	}
	family_open("", overflow, name);
	for (uint32_t i = 0; i < answer->shard_count; i++)
		shard_sample(name, overflow, answer->shards[i].shard,
			(int64_t)answer->shards[i].denials_overflow);
}

void stat_prometheus_shards(const struct keyrack_stats_answer *answer)
{
	kr_assert(answer->total_count == 0 || answer->totals != NULL);
	up_print(answer);
	for (uint32_t i = 0; i < answer->total_count; i++)
		if (!is_operation(answer->totals[i].name))
			family_print(answer, &answer->totals[i]);
	operations_print(answer);
	denials_print(answer);
}

/* ---- the router ---- */

static void link_print(const struct keyrack_router_status_answer *answer, enum stat_scrape index,
	int64_t (*value_of)(const struct keyrack_shard_link *link))
{
	const struct stat_row *row = &stat_scrape_rows[index];
	char name[STAT_FAMILY_SIZE];
	family_open("", row, name);
	kr_assert(answer->link_count == 0 || answer->links != NULL);
	for (uint32_t i = 0; i < answer->link_count; i++)
		shard_sample(name, row, answer->links[i].shard, value_of(&answer->links[i]));
}

#define LINK_TABLE(X) X(up) X(in_flight) X(waiting) X(forwarded) X(answered) X(lost) X(unavailable)
#define X(field)                                                                                   \
	static int64_t link_##field(const struct keyrack_shard_link *link)                         \
	{                                                                                          \
		return (int64_t)link->field;                                                       \
	}
LINK_TABLE(X)
#undef X

static void one_print(enum stat_scrape index, int64_t value)
{
	const struct stat_row *row = &stat_scrape_rows[index];
	char name[STAT_FAMILY_SIZE];
	kr_assert(index < STAT_SCRAPE_COUNT);
	family_open("", row, name);
	fputs(name, stdout);
	value_print(row, value);
}

void stat_prometheus_router(const struct keyrack_router_status_answer *answer)
{
	char name[STAT_FAMILY_SIZE];
	kr_assert(answer->version != NULL);
	family_open("", &stat_scrape_rows[STAT_SCRAPE_router_info], name);
	fputs(name, stdout);
	label_print("{", "version", answer->version);
	printf(",cluster=\"%016" PRIx64 "\"} 1\n", answer->cluster);
	one_print(STAT_SCRAPE_router_uptime_us, (int64_t)answer->uptime_us);
	one_print(STAT_SCRAPE_router_connections, answer->connections);
	for (uint32_t i = 0; i < answer->stat_count; i++) {
		const struct stat_row row =
			row_of(stat_router_rows, STAT_ROUTER_COUNT, &answer->stats[i]);
		family_open(ROUTER_PREFIX, &row, name);
		fputs(name, stdout);
		value_print(&row, answer->stats[i].value);
	}
#define X(field) link_print(answer, STAT_SCRAPE_link_##field, link_##field);
	LINK_TABLE(X)
#undef X
}

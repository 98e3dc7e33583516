#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tools/keyrack/top.h"

#define SECOND_US UINT64_C(1000000)

static uint64_t clock_us(clockid_t clock)
{
	struct timespec now;
	int r = clock_gettime(clock, &now);
	kr_assert(r == 0);
	return (uint64_t)now.tv_sec * SECOND_US + (uint64_t)now.tv_nsec / 1000;
}

static void text_copy(const char *text, char ret_text[static TOP_TEXT_SIZE])
{
	kr_assert(text != NULL);
	(void)snprintf(ret_text, TOP_TEXT_SIZE, "%s", text);
}

static void value_take(struct top_shard *shard, const struct keyrack_stat *stat)
{
	const struct stat_row *row = stat_row_find(stat_shard_rows, STAT_SHARD_COUNT, stat->name);
	if (row != NULL) {
		shard->values[row - stat_shard_rows] = stat->value;
		return;
	}
	for (unsigned type = 0; type < STAT_TYPE_COUNT; type++) {
		const char *name = stat_operation_name(type);
		if (name != NULL && strcmp(name, stat->name) == 0)
			shard->operations[type] = stat->value;
	}
}

static void shards_take(const struct keyrack_stats_answer *answer, struct top_sample *sample)
{
	sample->shard_count = KR_MIN(answer->shard_count, TOP_SHARD_MAX);
	for (uint32_t i = 0; i < sample->shard_count; i++) {
		const struct keyrack_shard_stats *told = &answer->shards[i];
		struct top_shard *shard = &sample->shards[i];
		shard->shard = told->shard;
		shard->has_answered = told->code == KEYRACK_CODE_DONE;
		if (!shard->has_answered)
			continue;
		text_copy(told->state, shard->state);
		text_copy(told->durability, shard->durability);
		for (uint32_t s = 0; s < told->stat_count; s++)
			value_take(shard, &told->stats[s]);
	}
}

static void links_take(const struct keyrack_router_status_answer *answer, struct top_sample *sample)
{
	text_copy(answer->version, sample->version);
	sample->router_uptime_us = answer->uptime_us;
	sample->connections = answer->connections;
	for (uint32_t i = 0; i < answer->link_count; i++) {
		const struct keyrack_shard_link *link = &answer->links[i];
		for (uint32_t s = 0; s < sample->shard_count; s++) {
			if (sample->shards[s].shard != link->shard)
				continue;
			sample->shards[s].link_is_up = link->up;
			sample->shards[s].in_flight = link->in_flight;
			sample->shards[s].waiting = link->waiting;
		}
	}
}

static void pings_take(struct cli *cli, struct top_sample *sample)
{
	for (uint32_t i = 0; i < sample->shard_count; i++) {
		struct top_shard *shard = &sample->shards[i];
		const struct keyrack_ping request = {
			.call = cli_call(cli), .to_shard = true, .shard = shard->shard};
		struct keyrack_ping_answer answer;
		if (shard->has_answered &&
			keyrack_ping(cli->client, &request, &answer) == KEYRACK_RESULT_DONE)
			shard->ping_us = answer.result.elapsed_us;
	}
}

static bool fail(const struct cli *cli, int r, const struct keyrack_result *result,
	char ret_why[static TOP_WHY_SIZE])
{
	(void)snprintf(ret_why, TOP_WHY_SIZE, "%s does not tell: %s", cli->routers,
		r < 0 ? strerror(-r) : keyrack_code_text(result->code));
	return false;
}

bool top_sample_take(
	struct cli *cli, struct top_sample *ret_sample, char ret_why[static TOP_WHY_SIZE])
{
	static struct top_sample sample;
	const struct keyrack_stats request = {.call = cli_call(cli), .shard = KEYRACK_ALL_SHARDS};
	const struct keyrack_router_status router = {.call = cli_call(cli)};
	struct keyrack_client_info info;
	struct keyrack_stats_answer stats;
	struct keyrack_router_status_answer status;
	kr_assert(cli->client != NULL);
	memset(&sample, 0, sizeof(sample));
	int r = keyrack_stats(cli->client, &request, &stats);
	/* A shard that is down is no failure: the others are told. */
	if (r < 0 || stats.shard_count == 0)
		return fail(cli, r, &stats.result, ret_why);
	sample.time_us = clock_us(CLOCK_MONOTONIC);
	sample.clock_us = clock_us(CLOCK_REALTIME);
	shards_take(&stats, &sample);
	r = keyrack_router_status(cli->client, &router, &status);
	if (r != KEYRACK_RESULT_DONE)
		return fail(cli, r, &status.result, ret_why);
	links_take(&status, &sample);
	keyrack_client_info(cli->client, &info);
	text_copy(info.router, sample.router);
	pings_take(cli, &sample);
	*ret_sample = sample;
	return true;
}

/* Calls over all shards, of which some tell more than any shard of ours would. */
#include "tests/unit/client/peer.h"

#include <stdio.h>
#include <time.h>

#define SHARDS 32u
#define NAMES 12000u /* a shard: what a client has memory for, nearly */
#define CPU_MAX_S 20

static void serve_map(struct peer *peer, const struct peer_request *request)
{
	Keyrack__RouterMapAnswer map = KEYRACK__ROUTER_MAP_ANSWER__INIT;
	Keyrack__SlotRange range = KEYRACK__SLOT_RANGE__INIT;
	Keyrack__SlotRange *ranges[] = {&range};
	range.last = 16383;
	map.n_ranges = 1;
	map.ranges = ranges;
	map.shard_count = SHARDS;
	peer_answer(peer, &request->header, KEYRACK_DONE, &map.base);
}

/* "1.07f3" is told by shard 1 alone, "all" by every one, at the end, with its number. */
static void serve(struct peer *peer, const struct peer_request *request)
{
	static char names[NAMES][12];
	static Keyrack__Stat stats[NAMES];
	static Keyrack__Stat *list[NAMES];
	static char state[] = "serving", durability[] = "sync", all[] = "all";
	const unsigned shard = (unsigned)request->header.routing_key;
	Keyrack__StatsAnswer answer = KEYRACK__STATS_ANSWER__INIT;
	if (request->header.type == FRAME_ROUTER_MAP) {
		serve_map(peer, request);
		return;
	}
	for (unsigned i = 0; i < NAMES; i++) {
		/* Neither ascending nor descending. */
		snprintf(names[i], sizeof(names[i]), "%u.%04x", shard, i * 40503u & 0xffff);
		keyrack__stat__init(&stats[i]);
		stats[i].name = names[i];
		stats[i].value = i;
		list[i] = &stats[i];
	}
	stats[NAMES - 1].name = all;
	stats[NAMES - 1].value = shard == 0 ? INT64_MAX : 1;
	answer.n_stats = NAMES;
	answer.stats = list;
	answer.state = state;
	answer.durability = durability;
	peer_answer(peer, &request->header, KEYRACK_DONE, &answer.base);
}

static void totals_check(const struct keyrack_stats_answer *answer)
{
	char name[12];
	cr_assert_eq(answer->total_count, SHARDS * (NAMES - 1) + 1);
	for (unsigned i = 0; i < answer->total_count; i++) {
		const unsigned shard = i < NAMES ? 0 : 1 + (i - NAMES) / (NAMES - 1);
		const unsigned at = i < NAMES ? i : (i - NAMES) % (NAMES - 1);
		const struct keyrack_stat *total = &answer->totals[i];
		if (i == NAMES - 1)
			continue;
		snprintf(name, sizeof(name), "%u.%04x", shard, at * 40503u & 0xffff);
		cr_assert_str_eq(total->name, name, "%u", i);
		cr_assert_eq(total->value, at);
	}
	/* In its place among the first shard's. Where it is too much it goes round. */
	cr_assert_str_eq(answer->totals[NAMES - 1].name, "all");
	cr_assert_eq(answer->totals[NAMES - 1].value, INT64_MIN + (int64_t)SHARDS - 2);
}

Test(fan, sums_of_very_many_names_are_made_at_once_and_in_their_order)
{
	struct peer peer;
	struct keyrack_client *client;
	struct keyrack_stats ask = {
		.shard = KEYRACK_ALL_SHARDS, .call = {.deadline_us = 100000000}};
	struct keyrack_stats_answer answer;
	peer_open(&peer);
	peer.shard_count = SHARDS;
	const pid_t pid = peer_serve(&peer, serve);
	struct keyrack_config config = {.routers = peer.address, .agent = "test/1"};
	cr_assert_eq(keyrack_client_new(&config, &client), 0);
	const clock_t begin = clock();
	const int outcome = keyrack_stats(client, &ask, &answer);
	cr_assert_eq(outcome, KEYRACK_RESULT_DONE, "%d: %u", outcome, answer.result.code);
	cr_assert_lt(clock() - begin, (clock_t)CPU_MAX_S * CLOCKS_PER_SEC);
	cr_assert_eq(answer.shard_count, SHARDS);
	totals_check(&answer);
	keyrack_client_free(client);
	peer_stop(pid);
	peer_close(&peer);
}

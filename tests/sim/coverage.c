#include "tests/sim/coverage.h"

#include <stdio.h>
#include <time.h>

#include "engine/log/record.h"
#include "tests/sim/client.h"
#include "tests/sim/oracle.h"
#include "tests/sim/pairs.h"
#include "tests/sim/swarm.h"

#define SEEDS_ALL 500u /* of a test run; of fewer seeds less is asked, in proportion */
#define HITS_MIN 10u   /* of each, by all those seeds together */

void coverage_add(struct totals *totals, const struct cluster *c)
{
	totals->seeds++;
	totals->operations += c->operation_count;
	totals->events += sim_world_event_count(c->world);
	totals->virtual_us += sim_world_now_us(c->world);
	totals->verified += c->verify_count;
	for (int i = 0; i < SIM_MARK_COUNT; i++)
		totals->marks[i] += sim_world_mark_count(c->world, (enum sim_mark)i);
	for (uint32_t i = 0; i < CLUSTER_PAIRS; i++)
		for (int k = 0; k < CLUSTER_PHASES; k++)
			totals->pairs[i][k] += c->pairs[i][k];
	for (uint32_t i = 1; i <= INV_EFFECT_LAST; i++)
		totals->effects[i] += witness_effects((enum inv_effect_kind)i);
	totals->judgements += witness_judgements();
	totals->replaced += witness_replaced();
	for (int i = 0; i < 2; i++)
		totals->sold[i] += witness_sold(i);
	for (uint32_t i = 0; i < c->shard_count; i++) {
		totals->crashes += c->shards[i].crash_count;
		totals->given_up += c->shards[i].is_refused;
	}
	for (uint32_t i = 0; i < MEDIA_STRIKES; i++)
		totals->strikes[i] += c->strikes[i];
	for (uint32_t i = 0; i < CLUSTER_MARKS; i++)
		totals->harness[i] += c->marks[i];
	for (uint32_t i = 0; i < LOG_VERDICT_COUNT; i++)
		totals->verdicts[i] += c->verdicts[i];
	for (uint32_t i = 0; i <= INV_VOID; i++)
		for (uint32_t k = 0; k <= INV_VOID; k++)
			totals->edges[i][k] += c->edges[i][k];
	totals->harness[CLUSTER_MARK_HOT_HOTEL] += c->plan.hot_hotel;
	totals->harness[CLUSTER_MARK_ROUTER_INSIDE] += c->plan.router_inside;
	totals->refusals += c->refusal_count;
	totals->repairs += c->repair_count;
	totals->cuts += witness_cuts();
	for (uint32_t i = 0; i < c->client_count; i++) {
		const struct client *client = c->clients[i];
		totals->done += client->ops_done;
		totals->refused += client->ops_refused;
		totals->transient += client->ops_transient;
		totals->unknown += client->ops_unknown;
		for (unsigned k = 0; k < 256; k++)
			totals->codes[k] += client->codes[k];
		for (unsigned k = 0; k < 64; k++) {
			totals->asked[k] += client->asked_by_type[k];
			totals->made[k] += client->done_by_type[k];
		}
	}
}

/* What this load cannot bring about, and why. */
static const unsigned codes_unreachable[] = {
	KEYRACK_MOVED, /* slots do not move yet */
};
static const enum inv_effect_kind effects_unreachable[] = {
	INV_EFFECT_TRUNCATE, /* of replication, which is not built yet */
};
/* Verdicts that no strike brings about. */
static const enum log_verdict verdicts_unreachable[] = {
	LOG_VERDICT_LIMIT,  /* more segments than snapshots ever leave */
	LOG_VERDICT_IN_USE, /* a server waits for the lock before it recovers: RIVAL_IN_USE */
};

/* Tells what came up too seldom, for so many seeds. */
static uint32_t missing(const struct totals *t, const char *what, const char *name, uint64_t hits)
{
	const uint64_t least = KR_MIN(HITS_MIN, t->seeds * HITS_MIN / SEEDS_ALL);
	if (hits >= KR_MAX(1, least))
		return 0;
	printf("%s: %s: %llu times, which is too seldom\n", what, name, (unsigned long long)hits);
	return 1;
}

static uint32_t missing_codes(const struct totals *t)
{
	bool is_needed[256] = {false};
	uint32_t count = 0;
#define X(number, name, text) is_needed[number] = code_class_of(number) != CODE_REJECT;
	KEYRACK_CODE_TABLE(X)
#undef X
	for (size_t i = 0; i < KR_ARRAY_COUNT(codes_unreachable); i++)
		is_needed[codes_unreachable[i]] = false;
	for (unsigned i = 0; i < 256; i++)
		count += is_needed[i] ? missing(t, "answer", code_name(i), t->codes[i]) : 0;
	return count;
}

static uint32_t missing_effects(const struct totals *t)
{
	uint32_t count = 0;
	for (unsigned i = 1; i <= INV_EFFECT_LAST; i++) {
		bool is_needed = true;
		for (size_t k = 0; k < KR_ARRAY_COUNT(effects_unreachable); k++)
			is_needed &= effects_unreachable[k] != i;
		count += is_needed ? missing(t, "effect", record_kind_name(i), t->effects[i]) : 0;
	}
	return count;
}

/* What no damage brings about must not come up either. */
static uint32_t missing_verdicts(const struct totals *t)
{
	uint32_t count = 0;
	for (unsigned i = 0; i < LOG_VERDICT_COUNT; i++) {
		const char *name = log_verdict_name((enum log_verdict)i);
		bool is_needed = true;
		for (size_t k = 0; k < KR_ARRAY_COUNT(verdicts_unreachable); k++)
			is_needed &= verdicts_unreachable[k] != i;
		if (is_needed) {
			count += missing(t, "verdict", name, t->verdicts[i]);
		} else if (t->verdicts[i] > 0) {
			printf("verdict: %s: said to be impossible\n", name);
			count++;
		}
	}
	return count;
}

static const char *const states[INV_VOID + 1] = {"ABSENT", "HELD", "CONFIRMED", "CHECKED_IN",
	"RELEASED", "EXPIRED", "CANCELLED", "NO_SHOW", "COMPLETED", "VOID"};

static uint32_t missing_edges(const struct totals *t)
{
	uint32_t count = 0;
	for (uint32_t from = 0; from <= INV_VOID; from++)
		for (uint32_t to = 0; to <= INV_VOID; to++) {
			char name[64];
			snprintf(name, sizeof(name), "%s to %s", states[from], states[to]);
			if (oracle_is_edge(from, to)) {
				count += missing(t, "edge", name, t->edges[from][to]);
			} else if (from != to && t->edges[from][to] > 0) {
				printf("edge: %s: said to be impossible\n", name);
				count++;
			}
		}
	return count;
}

static uint32_t missing_faults(const struct totals *t)
{
	uint32_t count = 0;
	for (unsigned i = 0; i < MEDIA_STRIKES; i++)
		count += missing(
			t, "strike", media_strike_name((enum media_strike)i), t->strikes[i]);
	for (unsigned i = 0; i < SIM_MARK_COUNT; i++)
		count += missing(t, "fault", sim_mark_name((enum sim_mark)i), t->marks[i]);
	for (unsigned i = 0; i < CLUSTER_MARKS; i++)
		count += missing(t, "mark", swarm_mark_name((enum cluster_mark)i), t->harness[i]);
	return count;
}

/* What no run of many seeds may miss. */
uint32_t coverage_missing(const struct totals *t)
{
	uint32_t count = missing_codes(t) + missing_effects(t) + missing_verdicts(t) +
			 missing_edges(t) + missing_faults(t) + pairs_missing(t->pairs, t->seeds);
	count += missing(t, "media", "starts refused", t->refusals);
	count += missing(t, "media", "directories put back", t->repairs);
	count += missing(t, "load", "holds replaced by others", t->replaced);
	count += missing(t, "load", "lines under own plans", t->sold[0]);
	count += missing(t, "load", "lines under derived plans", t->sold[1]);
	for (unsigned i = 0; i < KR_ARRAY_COUNT(t->asked); i++)
		if (t->asked[i] != 0)
			count += missing(t, "done", frame_type_name(i), t->made[i]);
	return count;
}

/* What a seed is worth and what it costs. */
void coverage_report_means(const struct totals *t, uint64_t twice_count)
{
	struct timespec used = {0};
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	const double seconds = (double)used.tv_sec + (double)used.tv_nsec / 1e9;
	const double seeds = (double)KR_MAX(t->seeds, 1);
	const double runs = seeds + (double)KR_MIN(t->seeds, twice_count);
	printf("a seed: %.0f operations, %.1f s of virtual time, %.1f crashes of shards; "
	       "%.0f runs of seeds per core-hour, %.0f of them twice\n",
		(double)t->operations / seeds, (double)t->virtual_us / 1e6 / seeds,
		(double)t->crashes / seeds, runs * 3600 / KR_MAX(seconds, 1e-3), runs - seeds);
}

void coverage_report(const struct totals *t)
{
	printf("%llu seeds, %.0f s of virtual time, %llu events, %llu crashes of shards, %llu "
	       "states "
	       "verified after recovery\n",
		(unsigned long long)t->seeds, (double)t->virtual_us / 1e6,
		(unsigned long long)t->events, (unsigned long long)t->crashes,
		(unsigned long long)t->verified);
	printf("calls: %llu done, %llu refused, %llu transient, %llu unknown\n",
		(unsigned long long)t->done, (unsigned long long)t->refused,
		(unsigned long long)t->transient, (unsigned long long)t->unknown);
	for (unsigned i = 0; i < 256; i++)
		if (t->codes[i] != 0)
			printf("  %-22s %10llu\n", code_name(i), (unsigned long long)t->codes[i]);
	for (unsigned i = 0; i < 64; i++)
		if (t->asked[i] != 0)
			printf("  %-22s %10llu asked %10llu done\n", frame_type_name(i),
				(unsigned long long)t->asked[i], (unsigned long long)t->made[i]);
	printf("media: %llu starts refused, %llu repaired, %llu shards given up, %llu starts "
	       "without what was acknowledged last\n",
		(unsigned long long)t->refusals, (unsigned long long)t->repairs,
		(unsigned long long)t->given_up, (unsigned long long)t->cuts);
	for (unsigned i = 0; i < MEDIA_STRIKES; i++)
		printf("  strike %-19s %6llu\n", media_strike_name((enum media_strike)i),
			(unsigned long long)t->strikes[i]);
	for (unsigned i = 1; i <= INV_EFFECT_LAST; i++)
		printf("  effect %-15s %10llu\n", record_kind_name(i),
			(unsigned long long)t->effects[i]);
	printf("  holds replaced         %10llu\n", (unsigned long long)t->replaced);
	printf("  lines under own plans  %10llu, derived %llu\n", (unsigned long long)t->sold[0],
		(unsigned long long)t->sold[1]);
	for (uint32_t i = 0; i <= INV_VOID; i++)
		for (uint32_t k = 0; k <= INV_VOID; k++)
			if (i != k && t->edges[i][k] > 0)
				printf("  edge %10s to %-10s %10llu\n", states[i], states[k],
					(unsigned long long)t->edges[i][k]);
	for (unsigned i = 0; i < LOG_VERDICT_COUNT; i++)
		if (t->verdicts[i] != 0)
			printf("  verdict %-18s %10llu\n", log_verdict_name((enum log_verdict)i),
				(unsigned long long)t->verdicts[i]);
	for (unsigned i = 0; i < CLUSTER_MARKS; i++)
		printf("  %-22s %10llu\n", swarm_mark_name((enum cluster_mark)i),
			(unsigned long long)t->harness[i]);
	pairs_report(t->pairs);
	for (int i = 0; i < SIM_MARK_COUNT; i++)
		if (t->marks[i] != 0)
			printf("  %-22s %10llu\n", sim_mark_name((enum sim_mark)i),
				(unsigned long long)t->marks[i]);
}

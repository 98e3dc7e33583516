#include "engine/shard/answer.h"

/*
 * STATS: counters and gauges by name, denials, state.
 */

#define STATS_MAX 64u
#define STATS_DENIALS_MAX 1024u
#define STAT_COUNTER 1u
#define STAT_GAUGE 2u

struct stats {
	Keyrack__Stat bodies[STATS_MAX];
	Keyrack__Stat *list[STATS_MAX];
	uint32_t count;
};

static void stats_put(struct stats *stats, const char *name, uint64_t value, uint32_t kind)
{
	kr_assert(stats->count < STATS_MAX);
	Keyrack__Stat *stat = &stats->bodies[stats->count];
	keyrack__stat__init(stat);
	stat->name = (char *)(uintptr_t)name;
	stat->value = (int64_t)value;
	stat->kind = kind;
	stats->list[stats->count++] = stat;
}

static void stats_gauges(const struct shard *shard, struct stats *stats)
{
	struct inv_counts counts;
	inv_counts_get(shard->inv, &counts);
	kr_assert(shard->acked_lsn < shard->next_lsn);
	stats_put(stats, "hotels", counts.hotels, STAT_GAUGE);
	stats_put(stats, "rows", counts.rows, STAT_GAUGE);
	stats_put(stats, "reservations", counts.reservations, STAT_GAUGE);
	stats_put(stats, "holds", counts.holds, STAT_GAUGE);
	stats_put(stats, "nodes", counts.nodes, STAT_GAUGE);
	stats_put(stats, "stock_runs", counts.stock_runs, STAT_GAUGE);
	stats_put(stats, "classes", counts.classes, STAT_GAUGE);
	stats_put(stats, "hotels_max", shard->config.inventory.hotels_max, STAT_GAUGE);
	stats_put(stats, "rows_max", shard->config.inventory.rows_max, STAT_GAUGE);
	stats_put(stats, "reservations_max", shard->config.inventory.reservations_max, STAT_GAUGE);
	stats_put(stats, "nodes_max", shard->config.inventory.nodes_max, STAT_GAUGE);
	stats_put(stats, "last_lsn", shard->next_lsn - 1, STAT_GAUGE);
	stats_put(stats, "acked_lsn", shard->acked_lsn, STAT_GAUGE);
	stats_put(stats, "durable_lsn", shard->durable_lsn, STAT_GAUGE);
	stats_put(stats, "snapshot_lsn", shard->snapshot.done_lsn, STAT_GAUGE);
	stats_put(stats, "snapshot_running", shard->snapshot.is_running, STAT_GAUGE);
	stats_put(stats, "archive_lag_segments", shard->archive.lag, STAT_GAUGE);
	stats_put(stats, "archived_segments", shard->archive.copied, STAT_COUNTER);
	stats_put(stats, "archive_failures", shard->archive.failures, STAT_COUNTER);
	stats_put(stats, "time_us", shard->now.t_us, STAT_GAUGE);
	stats_put(stats, "uptime_us", shard->boot_us - shard->started_boot_us, STAT_GAUGE);
	stats_put(stats, "denials", counts.denials, STAT_COUNTER);
}

void shard_archive_note(struct shard *shard, const struct shard_archive *archive)
{
	kr_assert(shard->life >= SHARD_LOADING && shard->life <= SHARD_STOPPED);
	shard->archive = *archive;
}

static Keyrack__Denial **stats_denials(struct shard *shard, size_t *ret_count)
{
	struct kr_arena *arena = &shard->arena.arena;
	struct inv_denial *denials = KR_ARENA_ARRAY(arena, struct inv_denial, STATS_DENIALS_MAX);
	Keyrack__Denial *bodies = KR_ARENA_ARRAY(arena, Keyrack__Denial, STATS_DENIALS_MAX);
	Keyrack__Denial **list = KR_ARENA_ARRAY(arena, Keyrack__Denial *, STATS_DENIALS_MAX);
	*ret_count = 0;
	if (denials == NULL || bodies == NULL || list == NULL)
		return NULL;
	uint32_t count = inv_denials_list(shard->inv, denials, STATS_DENIALS_MAX);
	kr_assert(count <= STATS_DENIALS_MAX);
	for (uint32_t i = 0; i < count; i++) {
		keyrack__denial__init(&bodies[i]);
		bodies[i].hotel_id = denials[i].hotel.v;
		bodies[i].type = denials[i].type;
		bodies[i].rule = denials[i].rule;
		bodies[i].day = denials[i].day;
		bodies[i].count = denials[i].count;
		list[i] = &bodies[i];
	}
	*ret_count = count;
	return list;
}

static const char *stats_state(const struct shard *shard)
{
	kr_assert(shard->life >= SHARD_LOADING);
	kr_assert(shard->life <= SHARD_STOPPED);
	if (shard->life < SHARD_SERVING)
		return "starting";
	if (shard->life > SHARD_SERVING)
		return "stopping";
	return shard->space == SHARD_SPACE_OK ? "serving" : "read_only";
}

bool shard_stats_answer(struct shard *shard, const struct shard_request *request)
{
	Keyrack__StatsAnswer message = KEYRACK__STATS_ANSWER__INIT;
	struct stats *stats = KR_ARENA_NEW(&shard->arena.arena, struct stats);
	struct inv_counts counts;
	if (stats == NULL)
		return shard_answer_code(shard, request, KEYRACK_OVERLOADED);
	stats_gauges(shard, stats);
#define X(name) stats_put(stats, #name, shard->counters.name, STAT_COUNTER);
	SHARD_COUNTER_TABLE(X)
#undef X
	inv_counts_get(shard->inv, &counts);
	kr_assert(shard->config.durability != NULL);
	message.shard = shard->config.shard_index;
	message.stats = stats->list;
	message.n_stats = stats->count;
	if (request->u.wants_denials)
		message.denials = stats_denials(shard, &message.n_denials);
	message.denials_overflow = counts.denials_overflow;
	message.durability = (char *)(uintptr_t)shard->config.durability;
	message.state = (char *)(uintptr_t)stats_state(shard);
	return shard_answer_message(shard, request, 0, KEYRACK_DONE, &message.base);
}

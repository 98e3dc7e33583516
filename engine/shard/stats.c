#include "engine/shard/read.h"

/*
 * STATS: counters and gauges by name, denials, state.
 */

#define STATS_MAX 128u
#define STATS_DENIALS_MAX 1024u

struct stats {
	Keyrack__Stat bodies[STATS_MAX];
	Keyrack__Stat *list[STATS_MAX];
	uint32_t count;
};

static void stats_name(struct stats *stats, const char *name, uint64_t value, enum stat_kind kind)
{
	kr_assert(stats->count < STATS_MAX);
	Keyrack__Stat *stat = &stats->bodies[stats->count];
	keyrack__stat__init(stat);
	stat->name = (char *)(uintptr_t)name;
	stat->value = (int64_t)value;
	stat->kind = kind;
	stats->list[stats->count++] = stat;
}

static void stats_put(struct stats *stats, enum stat_shard index, uint64_t value)
{
	const struct stat_row *row = &stat_shard_rows[index];
	kr_assert(index < STAT_SHARD_COUNT);
	kr_assert(row->name != NULL);
	stats_name(stats, row->name, value, row->kind);
}

static void stats_operations(const struct shard *shard, struct stats *stats)
{
	for (unsigned type = 0; type < STAT_TYPE_COUNT; type++) {
		const char *name = stat_operation_name(type);
		if (name != NULL)
			stats_name(stats, name, shard->judged_by_type[type], STAT_COUNTER);
	}
	kr_assert(stats->count <= STATS_MAX);
}

static void stats_gauges(const struct shard *shard, struct stats *stats)
{
	struct inv_counts counts;
	inv_counts_get(shard->inv, &counts);
	kr_assert(shard->acked_lsn < shard->next_lsn);
	stats_put(stats, STAT_SHARD_hotels, counts.hotels);
	stats_put(stats, STAT_SHARD_rows, counts.rows);
	stats_put(stats, STAT_SHARD_plans, counts.plans);
	stats_put(stats, STAT_SHARD_reservations, counts.reservations);
	stats_put(stats, STAT_SHARD_holds, counts.holds);
	stats_put(stats, STAT_SHARD_nodes, counts.nodes);
	stats_put(stats, STAT_SHARD_stock_runs, counts.stock_runs);
	stats_put(stats, STAT_SHARD_classes, counts.classes);
	stats_put(stats, STAT_SHARD_hotels_max, shard->config.inventory.hotels_max);
	stats_put(stats, STAT_SHARD_rows_max, shard->config.inventory.rows_max);
	stats_put(stats, STAT_SHARD_plans_max, shard->config.inventory.plans_max);
	stats_put(stats, STAT_SHARD_reservations_max, shard->config.inventory.reservations_max);
	stats_put(stats, STAT_SHARD_nodes_max, shard->config.inventory.nodes_max);
	stats_put(stats, STAT_SHARD_last_lsn, shard->next_lsn - 1);
	stats_put(stats, STAT_SHARD_acked_lsn, shard->acked_lsn);
	stats_put(stats, STAT_SHARD_durable_lsn, shard->durable_lsn);
	stats_put(stats, STAT_SHARD_snapshot_lsn, shard->snapshot.done_lsn);
	stats_put(stats, STAT_SHARD_snapshot_running, shard->snapshot.is_running);
	stats_put(stats, STAT_SHARD_archive_lag_segments, shard->archive.lag);
	stats_put(stats, STAT_SHARD_archived_segments, shard->archive.copied);
	stats_put(stats, STAT_SHARD_archive_failures, shard->archive.failures);
	stats_put(stats, STAT_SHARD_time_us, shard->now.t_us);
	stats_put(stats, STAT_SHARD_uptime_us, shard->boot_us - shard->started_boot_us);
	stats_put(stats, STAT_SHARD_denials, counts.denials);
}

void shard_archive_note(struct shard *shard, const struct shard_archive *archive)
{
	kr_assert(shard->life >= SHARD_LOADING && shard->life <= SHARD_STOPPED);
	shard->archive = *archive;
}

void shard_load_note(struct shard *shard, const struct shard_load *load)
{
	kr_assert(load->turns_slow <= load->turns);
	shard->load = *load;
}

Keyrack__Denial **shard_denials_fill(
	struct shard *shard, const struct inv_denial *denials, uint32_t count)
{
	struct kr_arena *arena = &shard->arena.arena;
	Keyrack__Denial *bodies = KR_ARENA_ARRAY(arena, Keyrack__Denial, count);
	Keyrack__Denial **list = KR_ARENA_ARRAY(arena, Keyrack__Denial *, count);
	kr_assert(denials != NULL || count == 0);
	if (bodies == NULL || list == NULL)
		return NULL;
	for (uint32_t i = 0; i < count; i++) {
		keyrack__denial__init(&bodies[i]);
		kr_assert(denials[i].count > 0);
		bodies[i].hotel_id = denials[i].hotel.v;
		bodies[i].type = denials[i].type;
		bodies[i].rule = denials[i].rule;
		bodies[i].day = denials[i].day;
		bodies[i].count = denials[i].count;
		list[i] = &bodies[i];
	}
	return list;
}

static Keyrack__Denial **stats_denials(struct shard *shard, size_t *ret_count)
{
	struct inv_denial *denials =
		KR_ARENA_ARRAY(&shard->arena.arena, struct inv_denial, STATS_DENIALS_MAX);
	*ret_count = 0;
	if (denials == NULL)
		return NULL;
	uint32_t count = inv_denials_list(shard->inv, denials, STATS_DENIALS_MAX);
	Keyrack__Denial **list = shard_denials_fill(shard, denials, count);
	kr_assert(count <= STATS_DENIALS_MAX);
	*ret_count = list == NULL ? 0 : count;
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
#define X(name) stats_put(stats, STAT_SHARD_##name, shard->counters.name);
	SHARD_COUNTER_TABLE(X)
#undef X
#define X(name) stats_put(stats, STAT_SHARD_##name, shard->load.name);
	SHARD_LOAD_TABLE(X)
#undef X
	stats_operations(shard, stats);
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

#include "engine/server/rebuild.h"

#include <string.h>

#include "base/text.h"
#include "engine/log/record.h"

/* What is built of less is there before a ring would be. */
#define AHEAD_FROM_BYTES (UINT64_C(4) << 20)

/* Everything is touched lazily, so fresh memory is the quickest way to forget. */
int rebuild_reset(struct rebuild *rebuild)
{
	rebuild_fini(rebuild);
	int r = kr_memory_reserve(&rebuild->memory, shard_memory_size(&rebuild->config),
		rebuild->memory_flags, rebuild->faults, rebuild->text);
	if (r < 0)
		return r;
	rebuild->shard = shard_init(&rebuild->config, rebuild->memory.base, rebuild->tz);
	kr_assert(rebuild->shard != NULL);
	return 0;
}

void rebuild_ahead_end(struct rebuild *rebuild)
{
	rebuild->ahead = io_ahead_free(rebuild->ahead);
	rebuild->is_ahead_off = true;
	kr_assert(rebuild->ahead == NULL);
}

/* The next stretch, if none is under way. A system that refuses one is not asked again. */
static void ahead_poll(struct rebuild *rebuild, uint32_t size_bytes)
{
	struct inv_stretch stretch;
	const uintptr_t region = (uintptr_t)rebuild->memory.base;
	rebuild->applied_bytes += size_bytes;
	if (rebuild->loop == NULL || rebuild->is_ahead_off ||
		rebuild->applied_bytes < AHEAD_FROM_BYTES)
		return;
	if (rebuild->ahead == NULL)
		rebuild->ahead = io_ahead_new(rebuild->loop);
	else if (io_ahead_is_running(rebuild->ahead))
		return;
	else
		rebuild->is_ahead_off = !io_ahead_wait(rebuild->ahead);
	rebuild->is_ahead_off |= rebuild->ahead == NULL;
	if (rebuild->is_ahead_off ||
		!inv_ahead_next(shard_inventory(rebuild->shard), &rebuild->ahead_marks, &stretch))
		return;
	uintptr_t from = KR_MAX(stretch.base, region);
	uintptr_t to =
		KR_MIN(stretch.base + stretch.size_bytes, region + rebuild->memory.size_bytes);
	kr_assert(from < to);
	io_ahead_populate(rebuild->ahead, (void *)from, (size_t)(to - from));
}

void rebuild_fini(struct rebuild *rebuild)
{
	const bool was_off = rebuild->is_ahead_off;
	/* What is being taken may not be given back meanwhile. */
	rebuild_ahead_end(rebuild);
	rebuild->is_ahead_off = was_off;
	rebuild->ahead_marks = (struct inv_ahead){0};
	rebuild->applied_bytes = 0;
	if (rebuild->memory.base != NULL)
		kr_memory_release(&rebuild->memory);
	memset(&rebuild->memory, 0, sizeof(rebuild->memory));
	rebuild->shard = NULL;
	kr_assert(rebuild->memory.base == NULL);
}

static uint32_t grown(uint32_t size, uint64_t wanted)
{
	kr_assert(wanted < UINT64_MAX / 2);
	return (uint32_t)KR_MIN(KR_MAX(size, wanted), UINT32_MAX / 8);
}

/* What the snapshot holds and half as much again for the log behind it. */
static void sizes_take(struct rebuild *rebuild, const struct shard_sizes *sizes)
{
	struct inv_config *inv = &rebuild->config.inventory;
	kr_assert(rebuild->is_elastic);
	inv->hotels_max = grown(inv->hotels_max, (uint64_t)sizes->hotels * 3 / 2);
	inv->rows_max = grown(inv->rows_max, (uint64_t)sizes->rows * 3 / 2);
	inv->plans_max = grown(inv->plans_max, (uint64_t)sizes->plans * 3 / 2);
	inv->reservations_max = grown(inv->reservations_max, (uint64_t)sizes->reservations * 3 / 2);
	inv->nodes_max = grown(inv->nodes_max, (uint64_t)sizes->nodes * 3 / 2);
	inv->stock_runs_max = grown(inv->stock_runs_max, (uint64_t)sizes->stock_runs * 3 / 2);
	if (sizes->window_nights <= INV_WINDOW_NIGHTS_MAX)
		inv->window_nights = KR_MAX(inv->window_nights, sizes->window_nights);
}

bool rebuild_grow(struct rebuild *rebuild)
{
	struct shard_sizes sizes;
	struct inv_config *inv = &rebuild->config.inventory;
	const char *option;
	kr_assert(rebuild->is_elastic && rebuild->is_too_small);
	shard_sizes_get(rebuild->shard, &sizes);
	/* Too short a window is told apart, and is mended by itself. */
	if (sizes.window_nights <= inv->window_nights) {
		sizes = (struct shard_sizes){
			.hotels = inv->hotels_max,
			.rows = inv->rows_max,
			.plans = KR_MAX(inv->plans_max, 1024u),
			.reservations = inv->reservations_max,
			.nodes = inv->nodes_max,
			.stock_runs = inv->stock_runs_max,
		};
	}
	uint32_t before = inv->reservations_max + inv->window_nights;
	sizes_take(rebuild, &sizes);
	rebuild->is_too_small = false;
	return inv->reservations_max + inv->window_nights > before &&
	       inv_config_check(inv, &option) == 0;
}

static int rebuild_result(struct rebuild *rebuild, int r, const struct shard_trouble *found,
	struct log_trouble *trouble)
{
	if (r == 0)
		return 0;
	kr_assert(r == SHARD_CONTRADICTION || r == SHARD_DIGEST_DIFFERS || r == SHARD_NO_ROOM);
	if (r == SHARD_NO_ROOM) {
		rebuild->is_too_small = true;
		return kr_error_text_set(rebuild->text, -KR_E_LIMIT, 0, "LSN %llu: %s",
			(unsigned long long)found->lsn, found->text);
	}
	trouble->lsn = found->lsn;
	memcpy(trouble->text, found->text, KR_MIN(sizeof(trouble->text), sizeof(found->text)));
	return r == SHARD_DIGEST_DIFFERS ? LOG_APPLY_DIGEST : LOG_APPLY_CONTRADICTION;
}

static int on_reset(void *context)
{
	kr_assert(context != NULL);
	return rebuild_reset(context);
}

static void tell_applied(const struct rebuild *rebuild, bool is_snapshot, uint64_t number)
{
	kr_assert(rebuild->shard != NULL);
	if (rebuild->on_applied != NULL)
		rebuild->on_applied(rebuild->context, is_snapshot, number);
}

static int on_chunk(void *context, const struct log_snap_chunk *chunk, const uint8_t *body,
	struct log_trouble *trouble)
{
	struct rebuild *rebuild = context;
	struct shard_trouble found;
	int r = shard_load_chunk(rebuild->shard, chunk, body, &found);
	/* The sizes come first, so nothing is lost by starting over with them. */
	if (r == 0 && rebuild->is_elastic && chunk->index == 0) {
		struct shard_sizes sizes;
		shard_sizes_get(rebuild->shard, &sizes);
		sizes_take(rebuild, &sizes);
		r = rebuild_reset(rebuild);
		if (r < 0)
			return r;
		r = shard_load_chunk(rebuild->shard, chunk, body, &found);
	}
	if (r == 0)
		ahead_poll(rebuild, chunk->body_size_bytes);
	tell_applied(rebuild, true, chunk->index);
	return rebuild_result(rebuild, r, &found, trouble);
}

static int on_batch(void *context, const struct log_batch_header *header, const uint8_t *body,
	struct log_trouble *trouble)
{
	struct rebuild *rebuild = context;
	struct shard_trouble found;
	struct record_body records = {
		.bytes = body,
		.size_bytes = header->body_size_bytes,
		.first_lsn = header->first_lsn,
		.count = header->count,
		.t_us = header->timestamp_us,
	};
	int r = shard_replay_watched(rebuild->shard, &records, &rebuild->watch, &found);
	if (r == 0)
		ahead_poll(rebuild, header->body_size_bytes);
	tell_applied(rebuild, false, header->first_lsn + header->count - 1);
	return rebuild_result(rebuild, r, &found, trouble);
}

static int on_digest(
	void *context, const struct log_batch_header *header, struct log_trouble *trouble)
{
	struct rebuild *rebuild = context;
	struct kr_text text;
	uint64_t digest = shard_digest(rebuild->shard);
	kr_assert((header->flags & LOG_BATCH_DIGEST) != 0);
	if (digest == header->state_digest)
		return 0;
	kr_text_init(&text, trouble->text, sizeof(trouble->text));
	kr_text_format(&text, "the state's digest differs: expected %llu, found %llu",
		(unsigned long long)header->state_digest, (unsigned long long)digest);
	/* Of the state behind the last effect of this batch. */
	trouble->lsn = header->first_lsn + header->count - 1;
	return LOG_APPLY_DIGEST;
}

void rebuild_applier(struct rebuild *rebuild, struct log_applier *ret_applier)
{
	kr_assert(rebuild->tz != NULL);
	*ret_applier = (struct log_applier){
		.context = rebuild,
		.on_reset = on_reset,
		.on_chunk = on_chunk,
		.on_batch = on_batch,
		.on_digest = on_digest,
	};
}

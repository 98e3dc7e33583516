#include "engine/shard/shard_priv.h"

/*
 * Snapshots, a slice at a time between batches: small hotels share one, a large hotel is one alone.
 * A slice may show changes that are not durable yet, so it is kept until they are; only then is it
 * handed out. A snapshot holds everything up to begin_lsn, which was durable when it began.
 */

bool shard_snapshot_begin(struct shard *shard)
{
	struct shard_snapshot *s = &shard->snapshot;
	kr_assert(shard->life == SHARD_SERVING || shard->life == SHARD_STOPPING);
	if (s->is_running || s->done_lsn >= shard->durable_lsn)
		return false;
	kr_assert(!s->is_filled);
	s->is_running = true;
	s->is_first = true;
	s->is_last = false;
	s->next_chunk = 0;
	s->begin_lsn = shard->durable_lsn;
	s->t_us = shard->now.t_us;
	s->effects = 0;
	s->log_bytes = 0;
	return true;
}

static void slice_chunk(struct shard *shard, const struct log_snap_chunk *head,
	const uint8_t *bytes, uint64_t size_bytes)
{
	struct shard_snapshot *s = &shard->snapshot;
	uint64_t left = size_bytes;
	for (uint32_t part = 0; part == 0 || left > 0; part++) {
		uint64_t size = KR_MIN(left, shard->config.chunk_size_max_bytes);
		struct log_snap_chunk *chunk = &s->chunks[s->chunk_count];
		left -= size;
		*chunk = *head;
		chunk->part = (uint16_t)part;
		chunk->kind = left > 0 ? SHARD_CHUNK_MORE : SHARD_CHUNK_WHOLE;
		chunk->digest = left > 0 ? 0 : head->digest;
		chunk->body_size_bytes = (uint32_t)size;
		s->bodies[s->chunk_count++] = bytes;
		bytes += size;
		kr_assert(part <= UINT16_MAX);
	}
	kr_assert(s->chunk_count <= shard_slice_chunks_max(shard));
}

/* Saves one hotel, or the shard's own chunk, at the end of the slice; false: no room left. */
static bool slice_save(struct shard *shard, struct kr_writer *writer, uint32_t index)
{
	struct shard_snapshot *s = &shard->snapshot;
	const uint8_t *bytes = writer->at;
	kr_assert(index < inv_chunk_count(shard->inv));
	if (inv_chunk_size_max(shard->inv, index) > kr_writer_left(writer))
		return false;
	inv_chunk_save(shard->inv, index, writer);
	kr_assert(!writer->failed);
	struct hotel_id hotel = inv_chunk_hotel(shard->inv, index);
	struct log_snap_chunk head = {
		.hotel_id = hotel.v,
		.slot = hotel.v == 0 ? 0 : slot_of_hotel(hotel),
		.lsn = inv_chunk_lsn(shard->inv, index),
		.digest = inv_chunk_digest(shard->inv, index),
	};
	kr_assert(head.lsn < shard->next_lsn);
	/* The shard's own chunk shows the purge mark and the time of any hotel's effect. */
	uint64_t wait_lsn = hotel.v == 0 ? shard->next_lsn - 1 : head.lsn;
	s->slice_lsn = KR_MAX(s->slice_lsn, wait_lsn);
	slice_chunk(shard, &head, bytes, (uint64_t)(writer->at - bytes));
	return true;
}

/* The first chunk of a snapshot: it shows nothing that could be lost, so it waits for nothing. */
static void slice_sizes(struct shard *shard, struct kr_writer *writer)
{
	struct shard_snapshot *s = &shard->snapshot;
	const uint8_t *bytes = writer->at;
	shard_sizes_save(shard, writer);
	kr_assert(s->chunk_count == 0);
	s->chunks[0] = (struct log_snap_chunk){
		.kind = SHARD_CHUNK_SIZES,
		.lsn = s->begin_lsn,
		.body_size_bytes = (uint32_t)(writer->at - bytes),
	};
	s->bodies[0] = bytes;
	s->chunk_count = 1;
}

static int export_slice(struct shard *shard,
	int (*on_chunk)(void *context, const struct log_snap_chunk *chunk, const uint8_t *body),
	void *context)
{
	struct shard_snapshot *s = &shard->snapshot;
	kr_assert(s->chunk_count > 0);
	for (uint32_t i = 0; i < s->chunk_count; i++) {
		int r = on_chunk(context, &s->chunks[i], s->bodies[i]);
		if (r < 0)
			return r;
	}
	s->chunk_count = 0;
	return 0;
}

int shard_export(struct shard *shard, uint64_t begin_lsn,
	int (*on_chunk)(void *context, const struct log_snap_chunk *chunk, const uint8_t *body),
	void *context)
{
	struct shard_snapshot *s = &shard->snapshot;
	struct kr_writer writer;
	uint32_t count = inv_chunk_count(shard->inv);
	kr_assert(shard->life == SHARD_LOADING && !s->is_running);
	kr_assert(begin_lsn + 1 >= shard->next_lsn);
	s->begin_lsn = begin_lsn;
	s->chunk_count = 0;
	kr_writer_init(&writer, s->bytes, s->size_bytes);
	slice_sizes(shard, &writer);
	int r = export_slice(shard, on_chunk, context);
	for (uint32_t i = 0; r == 0 && i < count; i++) {
		kr_writer_init(&writer, s->bytes, s->size_bytes);
		bool fits = slice_save(shard, &writer, i);
		kr_assert(fits);
		r = export_slice(shard, on_chunk, context);
	}
	return r;
}

static void slice_fill(struct shard *shard)
{
	struct shard_snapshot *s = &shard->snapshot;
	struct kr_writer writer;
	uint32_t count = inv_chunk_count(shard->inv);
	kr_assert(s->is_running && !s->is_filled);
	kr_writer_init(&writer, s->bytes, s->size_bytes);
	s->chunk_count = 0;
	s->slice_lsn = 0;
	if (s->is_first)
		slice_sizes(shard, &writer);
	for (uint32_t i = 0; i < SHARD_SLICE_HOTELS_MAX && s->next_chunk < count; i++) {
		if (kr_writer_size(&writer) >= SHARD_SLICE_SIZE_GOAL)
			break;
		if (!slice_save(shard, &writer, s->next_chunk))
			break;
		s->next_chunk++;
	}
	/* The slice's memory is sized for the largest state there can be. */
	kr_assert(s->chunk_count > 0);
	s->is_last = s->next_chunk >= count;
	s->is_filled = true;
	shard->counters.slices++;
}

static void slice_hand_out(struct shard *shard, struct shard_slice *ret_slice)
{
	struct shard_snapshot *s = &shard->snapshot;
	struct inv_counts counts;
	kr_assert(s->is_filled && !s->is_handed_out);
	inv_counts_get(shard->inv, &counts);
	*ret_slice = (struct shard_slice){
		.chunks = s->chunks,
		.bodies = s->bodies,
		.chunk_count = s->chunk_count,
		.is_first = s->is_first,
		.is_last = s->is_last,
		.begin_lsn = s->begin_lsn,
		.t_us = s->t_us,
		.counts = {counts.hotels, counts.rows, counts.reservations, counts.holds},
	};
	s->is_handed_out = true;
}

void shard_snapshot_written(struct shard *shard, bool failed)
{
	struct shard_snapshot *s = &shard->snapshot;
	kr_assert(s->is_running && s->is_handed_out);
	s->is_handed_out = false;
	s->is_filled = false;
	s->is_first = false;
	if (failed) {
		s->is_running = false;
		s->has_failed = true;
		shard->counters.snapshot_failures++;
	} else if (s->is_last) {
		s->is_running = false;
		s->has_failed = false;
		s->done_lsn = s->begin_lsn;
		shard->counters.snapshots++;
	}
}

void shard_retune(struct shard *shard, const struct shard_config *config)
{
	kr_assert(shard->config.cluster == config->cluster);
	shard->config.snapshot_effects = config->snapshot_effects;
	shard->config.snapshot_log_bytes = config->snapshot_log_bytes;
	shard->config.idle_timeout_us = config->idle_timeout_us;
}

static bool snapshot_is_due(const struct shard *shard)
{
	const struct shard_config *c = &shard->config;
	const struct shard_snapshot *s = &shard->snapshot;
	kr_assert(s->effects < shard->next_lsn);
	return (c->snapshot_effects > 0 && s->effects >= c->snapshot_effects) ||
	       (c->snapshot_log_bytes > 0 && s->log_bytes >= c->snapshot_log_bytes);
}

void shard_snapshot_run(struct shard *shard, struct shard_actions *actions)
{
	struct shard_snapshot *s = &shard->snapshot;
	kr_assert(actions->slice.chunks == NULL);
	if (shard->life == SHARD_SERVING && !s->is_running && snapshot_is_due(shard))
		actions->snapshot_requested = shard_snapshot_begin(shard);
	if (!s->is_running || s->is_handed_out)
		return;
	if (!s->is_filled)
		slice_fill(shard);
	if (s->slice_lsn <= shard->durable_lsn)
		slice_hand_out(shard, &actions->slice);
	kr_assert(s->is_filled);
}

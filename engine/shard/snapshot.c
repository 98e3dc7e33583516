#include "engine/shard/shard_priv.h"

/*
 * Snapshots, a slice at a time: small hotels share one, a large hotel is one alone. A slice is
 * filled in turns of bounded work; a hotel that takes several is shown as it was when it was begun
 * (engine/inventory/capture.h). A slice may show changes that are not durable yet, so it is kept
 * until they are; only then is it handed out. A snapshot holds everything up to begin_lsn, which
 * was durable when it began.
 */

bool shard_snapshot_begin(struct shard *shard)
{
	struct shard_snapshot *s = &shard->snapshot;
	kr_assert(shard->life == SHARD_SERVING || shard->life == SHARD_STOPPING);
	if (s->is_running || s->done_lsn >= shard->durable_lsn)
		return false;
	kr_assert(!s->is_filled && !s->is_begun && !s->is_capturing);
	s->is_running = true;
	s->next_boot_us = shard->boot_us;
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

/* What is captured ends: its bytes are chunks of the slice. */
static void slice_chunk_end(struct shard *shard)
{
	struct shard_snapshot *s = &shard->snapshot;
	const uint8_t *bytes = s->writer.start + s->chunk_offset_bytes;
	kr_assert(s->is_capturing && !s->writer.failed);
	s->is_capturing = false;
	s->head.digest = inv_capture_digest(&s->capture);
	slice_chunk(shard, &s->head, bytes, (uint64_t)(s->writer.at - bytes));
	s->next_chunk++;
}

/* Begins to capture a hotel, or the shard's own chunk, at the end of the slice. Its stamp is of
 * this instant, whatever comes before it is whole. */
static void slice_chunk_begin(struct shard *shard, uint32_t index)
{
	struct shard_snapshot *s = &shard->snapshot;
	struct hotel_id hotel = inv_chunk_hotel(shard->inv, index);
	kr_assert(!s->is_capturing);
	s->is_capturing = true;
	s->chunk_offset_bytes = kr_writer_size(&s->writer);
	s->head = (struct log_snap_chunk){
		.hotel_id = hotel.v,
		.slot = shard_chunk_slot(hotel),
		.lsn = inv_chunk_lsn(shard->inv, index),
	};
	kr_assert(s->head.lsn < shard->next_lsn);
	/* The shard's own chunk shows the purge mark and the time of any hotel's effect. */
	uint64_t wait_lsn = hotel.v == 0 ? shard->next_lsn - 1 : s->head.lsn;
	s->slice_lsn = KR_MAX(s->slice_lsn, wait_lsn);
	inv_capture_begin(shard->inv, index, &s->capture, &s->writer);
}

void shard_snapshot_before(struct shard *shard)
{
	struct shard_snapshot *s = &shard->snapshot;
	if (!s->is_capturing)
		return;
	kr_assert(s->is_running && !s->is_filled);
	inv_capture_before(shard->inv, &s->capture, &shard->effect, &s->writer);
	kr_assert(!s->writer.failed);
}

/* The first chunk of a snapshot: it shows nothing that could be lost, so it waits for nothing. */
static void slice_sizes(struct shard *shard)
{
	struct shard_snapshot *s = &shard->snapshot;
	const uint8_t *bytes = s->writer.at;
	shard_sizes_save(shard, &s->writer);
	kr_assert(s->chunk_count == 0);
	s->chunks[0] = (struct log_snap_chunk){
		.kind = SHARD_CHUNK_SIZES,
		.lsn = s->begin_lsn,
		.body_size_bytes = (uint32_t)(s->writer.at - bytes),
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

static void slice_begin(struct shard *shard)
{
	struct shard_snapshot *s = &shard->snapshot;
	kr_assert(!s->is_capturing);
	kr_writer_init(&s->writer, s->bytes, s->size_bytes);
	s->is_begun = true;
	s->chunk_count = 0;
	s->slice_lsn = 0;
}

int shard_export(struct shard *shard, uint64_t begin_lsn,
	int (*on_chunk)(void *context, const struct log_snap_chunk *chunk, const uint8_t *body),
	void *context)
{
	struct shard_snapshot *s = &shard->snapshot;
	uint32_t count = inv_chunk_count(shard->inv);
	uint64_t work = UINT64_MAX;
	kr_assert(shard->life == SHARD_LOADING && !s->is_running);
	kr_assert(begin_lsn + 1 >= shard->next_lsn);
	s->begin_lsn = begin_lsn;
	slice_begin(shard);
	slice_sizes(shard);
	int r = export_slice(shard, on_chunk, context);
	for (uint32_t i = 0; r == 0 && i < count; i++) {
		slice_begin(shard);
		slice_chunk_begin(shard, i);
		bool whole = inv_capture_run(shard->inv, &s->capture, &s->writer, &work);
		kr_assert(whole);
		slice_chunk_end(shard);
		r = export_slice(shard, on_chunk, context);
	}
	s->is_begun = false;
	return r;
}

static bool slice_is_full(const struct shard *shard)
{
	const struct shard_snapshot *s = &shard->snapshot;
	kr_assert(!s->is_capturing);
	if (s->next_chunk >= inv_chunk_count(shard->inv))
		return true;
	/* The slice's memory is sized for the largest state there can be, so that one fits. */
	return s->chunk_count > s->is_first &&
	       (kr_writer_size(&s->writer) >= SHARD_SLICE_SIZE_GOAL ||
		       s->chunk_count >= SHARD_SLICE_HOTELS_MAX ||
		       inv_capture_size_max(shard->inv, s->next_chunk) >
			       kr_writer_left(&s->writer));
}

static void slice_end(struct shard *shard)
{
	struct shard_snapshot *s = &shard->snapshot;
	kr_assert(s->chunk_count > 0 && !s->is_capturing);
	s->is_last = s->next_chunk >= inv_chunk_count(shard->inv);
	s->is_filled = true;
	s->is_begun = false;
	shard->counters.slices++;
}

/* Fills the slice by so much work; nights that are more than that by themselves are taken whole. */
static void slice_fill(struct shard *shard, const uint64_t work_max)
{
	struct shard_snapshot *s = &shard->snapshot;
	uint64_t work = work_max;
	kr_assert(s->is_running && !s->is_filled);
	if (!s->is_begun) {
		slice_begin(shard);
		if (s->is_first)
			slice_sizes(shard);
	}
	for (;;) {
		if (s->is_capturing) {
			if (!inv_capture_run(shard->inv, &s->capture, &s->writer, &work))
				return;
			slice_chunk_end(shard);
		}
		if (slice_is_full(shard)) {
			slice_end(shard);
			return;
		}
		uint64_t begin = inv_capture_begin_work(shard->inv, s->next_chunk);
		if (begin > work && work < work_max)
			return;
		slice_chunk_begin(shard, s->next_chunk);
		work -= KR_MIN(begin, work);
	}
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

uint64_t shard_snapshot_next_boot_us(const struct shard *shard)
{
	const struct shard_snapshot *s = &shard->snapshot;
	kr_assert(s->is_running || !s->is_filled);
	return s->is_running && !s->is_filled ? s->next_boot_us : UINT64_MAX;
}

/*
 * Beside requests a slice is filled in turns of their own, so that no answer and no append waits
 * for one, and not more often than each SHARD_SLICE_PACE_US. A shard that stops has nobody to wait
 * for it.
 */
static void slice_turn(struct shard *shard, bool is_free)
{
	struct shard_snapshot *s = &shard->snapshot;
	if (shard->life != SHARD_SERVING) {
		slice_fill(shard, UINT64_MAX);
		return;
	}
	if (!is_free || shard->boot_us < s->next_boot_us)
		return;
	slice_fill(shard, SHARD_SLICE_WORK);
	s->next_boot_us =
		shard->boot_us + (s->is_busy ? SHARD_SLICE_PACE_US : SHARD_SLICE_IDLE_PACE_US);
	s->is_busy = false;
	kr_assert(s->next_boot_us > shard->boot_us);
}

void shard_snapshot_run(struct shard *shard, bool is_free, struct shard_actions *actions)
{
	struct shard_snapshot *s = &shard->snapshot;
	kr_assert(actions->slice.chunks == NULL);
	if (shard->life == SHARD_SERVING && !s->is_running && snapshot_is_due(shard))
		actions->snapshot_requested = shard_snapshot_begin(shard);
	if (!s->is_running || s->is_handed_out)
		return;
	if (!s->is_filled)
		slice_turn(shard, is_free);
	if (s->is_filled && s->slice_lsn <= shard->durable_lsn)
		slice_hand_out(shard, &actions->slice);
	kr_assert(s->is_filled || shard->life == SHARD_SERVING);
}

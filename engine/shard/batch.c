#include "base/bug.h"
#include "engine/shard/shard_priv.h"

/*
 * The gate. Batches stand in a ring: [leaving] in flight .. open. A batch's answers leave when it
 * is durable; an answer that shows an older change waits with the oldest batch that holds it, so
 * that cold hotels never wait and answers of one hotel keep their order: a hotel's LSN never
 * decreases, so a later answer of it goes to the same batch or a later one, or is behind in the
 * same buffer.
 */

static size_t batch_body_max(const struct shard *shard)
{
	kr_assert(shard->config.batch_size_max_bytes <= LOG_BATCH_BODY_SIZE_MAX);
	return shard->config.batch_size_max_bytes;
}

static void batch_reset(struct shard *shard, struct shard_batch *batch)
{
	kr_assert(batch->body != NULL);
	record_writer_init(&batch->writer, batch->body, batch_body_max(shard));
	batch->first_lsn = shard->next_lsn;
	batch->out.used_bytes = 0;
}

void shard_batches_init(struct shard *shard)
{
	kr_assert(shard->next_lsn > 0);
	shard->batch_first = 0;
	shard->batch_count = 1;
	shard->flight_count = 0;
	shard->leaving_count = 0;
	batch_reset(shard, shard_batch_open(shard));
}

static uint64_t batch_last_lsn(const struct shard_batch *batch)
{
	kr_assert(batch->first_lsn > 0);
	return batch->first_lsn + batch->writer.count - 1;
}

/* The open batch is closed and the next one opened; places are kept for those that leave. */
static bool batch_advance(struct shard *shard)
{
	kr_assert(shard->batch_count + LOG_FLIGHT_MAX <= SHARD_BATCH_COUNT);
	kr_assert(shard->batch_count >= 1);
	if (shard->batch_count + LOG_FLIGHT_MAX == SHARD_BATCH_COUNT)
		return false;
	if (shard_batch_open(shard)->writer.count == 0)
		return false;
	shard->batch_count++;
	batch_reset(shard, shard_batch_open(shard));
	return true;
}

static bool batch_has_room(const struct shard_batch *batch, size_t record_size_bytes)
{
	size_t out_left = batch->out.size_bytes - batch->out.used_bytes;
	kr_assert(batch->out.used_bytes <= batch->out.size_bytes);
	return kr_writer_left(&batch->writer.bytes) >= record_size_bytes &&
	       out_left >= SHARD_REPLY_SMALL_MAX;
}

bool shard_batch_room(struct shard *shard, size_t record_size_bytes)
{
	kr_assert(record_size_bytes <= batch_body_max(shard));
	if (KR_LIKELY(batch_has_room(shard_batch_open(shard), record_size_bytes)))
		return true;
	return batch_advance(shard) && batch_has_room(shard_batch_open(shard), record_size_bytes);
}

void shard_effect_log(struct shard *shard)
{
	struct inv_effect *effect = &shard->effect;
	struct shard_batch *batch = shard_batch_open(shard);
	struct inv_contradiction contradiction;
	effect->lsn = shard->next_lsn++;
	kr_assert(effect->lsn == batch->first_lsn + batch->writer.count);
	int r = record_put(&batch->writer, effect);
	kr_assert(r == 0);
	shard_snapshot_before(shard);
	r = inv_apply(shard->inv, effect, &contradiction);
	/* What was judged a moment ago applies: anything else is a defect, and nothing of it has
	 * been answered or written. */
	kr_assert(r == 0);
	shard_slot_note(shard, effect);
	shard->counters.effects++;
	shard->snapshot.effects++;
}

void shard_batch_persisted(struct shard *shard, uint64_t lsn, uint64_t durable_lsn)
{
	kr_assert(lsn < shard->next_lsn);
	kr_assert(lsn >= shard->acked_lsn);
	kr_assert(durable_lsn <= lsn);
	shard->acked_lsn = lsn;
	shard->durable_lsn = KR_MAX(shard->durable_lsn, durable_lsn);
	while (shard->flight_count > 0 &&
		batch_last_lsn(&shard->batches[shard->batch_first]) <= lsn) {
		kr_assert(shard->batch_count > shard->flight_count);
		shard->flight_count--;
		shard->leaving_count++;
		shard->batch_first = (shard->batch_first + 1) % SHARD_BATCH_COUNT;
		shard->batch_count--;
	}
	kr_assert(shard->leaving_count <= LOG_FLIGHT_MAX);
}

void shard_batch_submit(struct shard *shard, struct shard_append *ret_append)
{
	kr_assert(ret_append->body == NULL);
	kr_assert(shard->batch_count > shard->flight_count);
	if (shard->flight_count == LOG_FLIGHT_MAX)
		return;
	const uint32_t index = shard->batch_first + shard->flight_count;
	struct shard_batch *oldest = &shard->batches[index % SHARD_BATCH_COUNT];
	if (oldest->writer.count == 0)
		return;
	/* As much as what is under way carries: else many are gathered two by two. And not at once:
	 * where the disk is quicker than that, each append more is only work for the processors. */
	if (shard->flight_count > 0 && shard->batch_count == shard->flight_count + 1) {
		if (shard->boot_us < shard->append_boot_us + SHARD_APPEND_ALONE_US)
			return;
		const uint32_t newest = index + SHARD_BATCH_COUNT - 1;
		if (oldest->writer.count < shard->batches[newest % SHARD_BATCH_COUNT].writer.count)
			return;
	}
	size_t size = record_writer_finish(&oldest->writer);
	kr_assert(size > 0 && size <= batch_body_max(shard));
	*ret_append = (struct shard_append){
		.body = oldest->body,
		.body_size_bytes = (uint32_t)size,
		.count = oldest->writer.count,
		.first_lsn = oldest->first_lsn,
		.t_us = oldest->writer.base_t_us,
	};
	shard->append_boot_us = shard->boot_us;
	shard->flight_count++;
	shard->counters.appends++;
	shard->counters.append_bytes += size;
	shard->snapshot.log_bytes += size;
	/* What is judged from now on goes into the next one. */
	if (shard->batch_count == shard->flight_count) {
		bool advanced = batch_advance(shard);
		kr_assert(advanced);
	}
}

bool shard_batches_are_acked(const struct shard *shard)
{
	kr_assert(shard->durable_lsn <= shard->acked_lsn);
	kr_assert(shard->acked_lsn < shard->next_lsn);
	return shard->acked_lsn == shard->next_lsn - 1;
}

void shard_slot_note(struct shard *shard, const struct inv_effect *effect)
{
	bool has_hotel = effect->hotel.v != 0;
	kr_assert(effect->lsn < shard->next_lsn);
	if (effect->kind == INV_EFFECT_RETIRE)
		shard->retire_lsn = effect->lsn;
	if (!has_hotel && !reservation_id_is_native(effect->id))
		return;
	struct shard_slot *slot = &shard->slots[has_hotel ? slot_of_hotel(effect->hotel)
							  : reservation_id_slot(effect->id)];
	slot->last_lsn = effect->lsn;
	if (has_hotel)
		return;
	slot->floor_lsn = effect->lsn;
	shard->floor_lsn = effect->lsn;
}

/* An id is too old since a retirement, of whatever hotel. What follows in the slot waits too. */
uint64_t shard_purge_wait_lsn(struct shard *shard, const struct shard_request *request)
{
	kr_assert(shard->retire_lsn < shard->next_lsn);
	kr_assert(request->slot < SLOT_COUNT);
	if (bug_is(BUG_PURGE_BEFORE_SYNC))
		return 0;
	struct shard_slot *slot = &shard->slots[request->slot];
	slot->floor_lsn = KR_MAX(slot->floor_lsn, shard->retire_lsn);
	shard->floor_lsn = KR_MAX(shard->floor_lsn, shard->retire_lsn);
	return shard->retire_lsn;
}

/*
 * An answer that knows its hotel waits for that hotel alone. One that does not (an id nobody has)
 * may be about any hotel of the slot: it waits for all of them, and what comes after it in the
 * slot waits as long.
 */
static uint64_t slot_wait_lsn(
	struct shard *shard, const struct shard_request *request, uint64_t wait_lsn)
{
	if (request->slot == SLOT_COUNT)
		return wait_lsn;
	kr_assert(request->slot < SLOT_COUNT);
	struct shard_slot *slot = &shard->slots[request->slot];
	if (request->hotel.v == 0 && !bug_is(BUG_ANSWER_OF_SLOT_BEFORE_SYNC)) {
		wait_lsn = KR_MAX(wait_lsn, KR_MAX(slot->last_lsn, slot->floor_lsn));
		slot->floor_lsn = KR_MAX(slot->floor_lsn, wait_lsn);
		shard->floor_lsn = KR_MAX(shard->floor_lsn, wait_lsn);
	} else if (shard->floor_lsn > shard->acked_lsn) {
		wait_lsn = KR_MAX(wait_lsn, slot->floor_lsn);
	}
	return wait_lsn;
}

struct shard_out *shard_out_for(
	struct shard *shard, const struct shard_request *request, uint64_t wait_lsn)
{
	kr_assert(wait_lsn < shard->next_lsn);
	if (request->frame->header->flags & FRAME_FLAG_STALE_OK)
		return &shard->at_once;
	wait_lsn = slot_wait_lsn(shard, request, wait_lsn);
	if (wait_lsn <= shard->acked_lsn || bug_is(BUG_ANSWER_BEFORE_SYNC))
		return &shard->at_once;
	for (uint32_t i = 0; i < shard->batch_count; i++) {
		uint32_t index = (shard->batch_first + i) % SHARD_BATCH_COUNT;
		struct shard_batch *batch = &shard->batches[index];
		if (batch->writer.count > 0 && batch_last_lsn(batch) >= wait_lsn)
			return &batch->out;
	}
	kr_unreachable();
}

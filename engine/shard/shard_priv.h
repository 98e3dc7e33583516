/*
 * Private to the step: what its files call of each other.
 */
#ifndef ENGINE_SHARD_SHARD_PRIV_H
#define ENGINE_SHARD_SHARD_PRIV_H

#include "engine/shard/state.h"

/* Kinds of chunks in a snapshot file. */
#define SHARD_CHUNK_WHOLE 1u /* a hotel, or the last piece of one */
#define SHARD_CHUNK_MORE 2u  /* another piece follows */
#define SHARD_CHUNK_SIZES 3u /* first of all: what the state needs, see replay.h */

static inline uint64_t shard_slice_chunks_max(const struct shard *shard)
{
	return shard->snapshot.size_bytes / shard->config.chunk_size_max_bytes +
	       SHARD_SLICE_HOTELS_MAX + 2;
}

/* ---- batch.c: the gate ---- */
void shard_batches_init(struct shard *shard);
static inline struct shard_batch *shard_batch_open(struct shard *shard)
{
	uint32_t index = shard->batch_first + shard->batch_count - 1;
	return &shard->batches[index % SHARD_BATCH_COUNT];
}
/* Makes room for an effect of record_size_bytes and its answer; false: everything is full. */
KR_MUST_CHECK bool shard_batch_room(struct shard *shard, size_t record_size_bytes);
/* Gives shard->effect an LSN, writes it, applies it. There is room. */
void shard_effect_log(struct shard *shard);
void shard_batch_persisted(struct shard *shard, uint64_t lsn, uint64_t durable_lsn);
void shard_batch_submit(struct shard *shard, struct shard_append *ret_append);
/* True when no batch waits to be acknowledged. */
bool shard_batches_are_acked(const struct shard *shard);
/* Where the answer goes, if it shows effects up to wait_lsn. */
struct shard_out *shard_out_for(
	struct shard *shard, const struct shard_request *request, uint64_t wait_lsn);
/* What an answer that an id is too old waits for. */
uint64_t shard_purge_wait_lsn(struct shard *shard, const struct shard_request *request);
/* An effect of the slot, or of a reservation whose hotel nobody knows. */
void shard_slot_note(struct shard *shard, const struct inv_effect *effect);

/* ---- parse.c ---- */
/* What a frame type asks of a reservation; 0: nothing of the kind. */
enum inv_transition shard_transition_of(unsigned type);
/* Reads a frame into a request; what cannot be judged has its code set. The arena has room for any
 * body and, behind it, for any answer. */
void shard_request_parse(
	struct shard *shard, const struct shard_frame *frame, struct shard_request *ret_request);

/* ---- answer.c (answer.h has what needs the messages); false: no room for an answer at once ----
 */
/* What parsing refused. */
bool shard_answer_refused(struct shard *shard, const struct shard_request *request);
/* A code alone, at once: OVERLOADED, READ_ONLY, MOVED, UNAVAILABLE. */
bool shard_answer_code(struct shard *shard, const struct shard_request *request, uint16_t code);
bool shard_answer_judged(
	struct shard *shard, const struct shard_request *request, const struct inv_answer *answer);
/* An answer to a change, at once or behind any batch, finds room. */
bool shard_answer_has_room(const struct shard *shard);

/* ---- judge.c, read.c: false: no room for the answer, nothing happened ---- */
bool shard_request_judge(struct shard *shard, struct shard_request *request);
void shard_request_prefetch(
	struct shard *shard, const struct shard_request *request, unsigned stage);
bool shard_request_read(struct shard *shard, const struct shard_request *request);
bool shard_stats_answer(struct shard *shard, const struct shard_request *request);
/* The state after HOTEL_PUT, TYPE_PUT and PLAN_PUT. */
bool shard_hotel_answer(
	struct shard *shard, const struct shard_request *request, const struct inv_answer *answer);
bool shard_type_answer(
	struct shard *shard, const struct shard_request *request, const struct inv_answer *answer);
bool shard_plan_answer(
	struct shard *shard, const struct shard_request *request, const struct inv_answer *answer);

/* ---- due.c ---- */
bool shard_due_may_run(struct shard *shard);
/* Expires, rolls and retires what is due, SHARD_DUE_MAX at most. */
void shard_due_run(struct shard *shard);
/* The same, but not sooner than SHARD_DUE_PACE_US after the last. */
void shard_due_run_paced(struct shard *shard);
void shard_grace_run(struct shard *shard);
bool shard_due_backlog(const struct shard *shard);
/* Expires the hotel's due holds; false: more are due than one step drains. */
KR_MUST_CHECK bool shard_due_drain(struct shard *shard, struct hotel_id hotel);

/* ---- replay.c ---- */
/* Effects that replay has read and not yet applied: so long before each its memory is hinted at. */
#define SHARD_AHEAD_GROUP 4u
#define SHARD_AHEAD_COUNT (4 * SHARD_AHEAD_GROUP)
struct shard_ahead {
	struct inv_effect effect;
	struct record_arrays arrays;
};
void shard_sizes_save(const struct shard *shard, struct kr_writer *writer);

/* ---- snapshot.c ---- */
/* False: one is running already, or nothing has changed since the last one. */
bool shard_snapshot_begin(struct shard *shard);
void shard_snapshot_written(struct shard *shard, bool failed);
/* Before shard->effect is applied: a hotel that is half captured is shown as it was. */
void shard_snapshot_before(struct shard *shard);
/* When the next turn of filling a slice is due; UINT64_MAX: none. */
uint64_t shard_snapshot_next_boot_us(const struct shard *shard);
/* What a chunk names beside its hotel; the shard's own chunk has hotel 0. */
static inline uint32_t shard_chunk_slot(struct hotel_id hotel)
{
	return hotel.v == 0 ? 0 : slot_of_hotel(hotel);
}

/* is_free: neither answers nor an append wait for what is done now. */
void shard_snapshot_run(struct shard *shard, bool is_free, struct shard_actions *actions);

#endif

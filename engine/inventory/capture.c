#include "engine/inventory/capture.h"

#include "engine/inventory/chunk_priv.h"
#include "engine/inventory/digest.h"
#include "engine/inventory/plan.h"
#include "engine/inventory/records.h"

/* A record of one line but for its nodes, and what a node adds at most: a line, or terms, or words
 * of runs, of at most nine bytes each, or twelve for the two of a word of two, or bytes of a text.
 */
#define INV_CAPTURE_RECORD_SIZE_MAX 192u
#define INV_CAPTURE_NODE_SIZE_MAX 128u
kr_static_assert(INV_TERMS_SIZE_MAX <= INV_CAPTURE_NODE_SIZE_MAX, "the largest node");

uint64_t inv_capture_begin_work(const struct inv *inv, uint32_t chunk)
{
	kr_assert(chunk < inv_chunk_count(inv));
	if (chunk == 0)
		return 1 + inv->void_count;
	const struct inv_hotel *hotel = inv_hotel_at(inv, chunk - 1);
	uint64_t rows = 0;
	for (uint32_t r = hotel->row_head; r != INV_NONE; r = inv_row_at(inv, r)->next)
		rows += 1u + inv_row_at(inv, r)->plan_count;
	kr_assert(rows >= hotel->row_count);
	return 1 + rows * (1 + inv->config.window_nights / INV_CAPTURE_NIGHTS);
}

uint64_t inv_capture_size_max(const struct inv *inv, uint32_t chunk)
{
	kr_assert(chunk < inv_chunk_count(inv));
	if (chunk == 0)
		return inv_chunk_size_max(inv, chunk);
	const struct inv_hotel *hotel = inv_hotel_at(inv, chunk - 1);
	kr_assert(inv->node_pool.used <= inv->config.nodes_max);
	return inv_hotel_head_size_max(inv, chunk - 1) +
	       (uint64_t)hotel->record_count * INV_CAPTURE_RECORD_SIZE_MAX +
	       (uint64_t)inv->node_pool.used * INV_CAPTURE_NODE_SIZE_MAX;
}

void inv_capture_begin(
	struct inv *inv, uint32_t chunk, struct inv_capture *ret_capture, struct kr_writer *writer)
{
	struct inv_capture *c = ret_capture;
	kr_assert(chunk < inv_chunk_count(inv));
	c->hotel = inv_chunk_hotel(inv, chunk);
	c->hotel_index = chunk == 0 ? INV_NONE : chunk - 1;
	c->cursor = INV_NONE;
	c->held_left = c->kept_left = c->record_count = 0;
	c->record_sum = 0;
	if (chunk == 0) {
		inv_chunk_save(inv, chunk, writer);
		c->shard_digest = inv_chunk_digest(inv, chunk);
		return;
	}
	struct inv_hotel *hotel = inv_hotel_at(inv, chunk - 1);
	inv_hotel_head_save(inv, chunk - 1, writer);
	inv_digest_hotel_begin(inv, chunk - 1, &c->digest);
	hotel->mark ^= INV_RECORD_MARK;
	c->record_count = hotel->record_count;
	c->held_left = hotel->hold_count;
	kr_assert(c->held_left <= c->record_count);
	c->kept_left = c->record_count - c->held_left;
}

static void capture_record(
	struct inv *inv, struct inv_capture *capture, uint32_t r, struct kr_writer *writer)
{
	struct inv_record *record = inv_record_at(inv, r);
	uint32_t *left = record->state == INV_HELD ? &capture->held_left : &capture->kept_left;
	const uint8_t *bytes = writer->at;
	kr_assert(record->hotel_index == capture->hotel_index);
	kr_assert(!inv_record_is_captured(inv, record) && *left > 0);
	inv_record_save(inv, r, writer);
	kr_assert(!writer->failed);
	capture->record_sum += hash_64(bytes, (size_t)(writer->at - bytes));
	record->flags ^= INV_RECORD_MARK;
	(*left)--;
}

/*
 * Along one chain, the next record asked for while this one is saved. New kept records stand in
 * front of those that were there, so none is passed by. Holds may have gone behind others
 * meanwhile: then the chain ends before all are saved, and is walked again.
 */
static void capture_walk(struct inv *inv, struct inv_capture *capture, uint32_t head,
	const uint32_t *left, struct kr_writer *writer, uint64_t *work)
{
	while (*left > 0 && *work > 0) {
		uint32_t r = capture->cursor == INV_NONE ? head : capture->cursor;
		const struct inv_record *record = inv_record_at(inv, r);
		capture->cursor = record->chain_next;
		if (capture->cursor != INV_NONE) {
			const struct inv_record *next = inv_record_at(inv, capture->cursor);
			__builtin_prefetch(next, 1);
			__builtin_prefetch((const uint8_t *)next + 64);
		}
		if (!inv_record_is_captured(inv, record))
			capture_record(inv, capture, r, writer);
		(*work)--;
	}
	if (*left == 0)
		capture->cursor = INV_NONE;
	kr_assert(*left == 0 || *work == 0);
}

static void capture_holds(
	struct inv *inv, struct inv_capture *capture, struct kr_writer *writer, uint64_t *work)
{
	kr_assert(capture->hotel_index != INV_NONE);
	kr_assert(capture->held_left > 0);
	uint32_t head = inv_hotel_at(inv, capture->hotel_index)->held_head;
	capture_walk(inv, capture, head, &capture->held_left, writer, work);
}

bool inv_capture_run(
	struct inv *inv, struct inv_capture *capture, struct kr_writer *writer, uint64_t *work)
{
	kr_assert(writer->at > writer->start);
	if (capture->held_left > 0)
		capture_holds(inv, capture, writer, work);
	if (capture->held_left == 0 && capture->kept_left > 0) {
		uint32_t head = inv_hotel_at(inv, capture->hotel_index)->kept_head;
		capture_walk(inv, capture, head, &capture->kept_left, writer, work);
	}
	kr_assert(capture->held_left + capture->kept_left <= capture->record_count);
	return capture->held_left + capture->kept_left == 0;
}

void inv_capture_before(struct inv *inv, struct inv_capture *capture,
	const struct inv_effect *effect, struct kr_writer *writer)
{
	uint64_t work = UINT64_MAX;
	if (effect->hotel.v == 0 || effect->hotel.v != capture->hotel.v)
		return;
	kr_assert(capture->hotel_index != INV_NONE);
	if (capture->held_left > 0)
		capture_holds(inv, capture, writer, &work);
	if (capture->kept_left == 0 || kr_id_is_zero(effect->id))
		return;
	uint32_t r = inv_record_find(inv, capture->hotel_index, effect->id);
	if (r == INV_NONE)
		return;
	/* Retirement takes it out of the chain. */
	if (capture->cursor == r)
		capture->cursor = inv_record_at(inv, r)->chain_next;
	if (!inv_record_is_captured(inv, inv_record_at(inv, r)))
		capture_record(inv, capture, r, writer);
}

uint64_t inv_capture_digest(struct inv_capture *capture)
{
	kr_assert(capture->held_left == 0 && capture->kept_left == 0);
	kr_assert(capture->digest.count <= INV_DIGEST_WORDS || capture->hotel_index == INV_NONE);
	if (capture->hotel_index == INV_NONE)
		return capture->shard_digest;
	return inv_digest_hotel_end(&capture->digest, capture->record_count, capture->record_sum);
}

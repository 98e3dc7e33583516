/*
 * A chunk in steps: the image of a hotel at one instant, while effects go on.
 *
 * inv_capture_begin saves the hotel and its nights at once; inv_capture_run then its records, so
 * many at a time. What they show is the state at the begin: before an effect is applied in between,
 * inv_capture_before saves the record that it changes, where that was not saved yet. Records that
 * come later are left out. A mark tells them apart: one bit in each record and one in the hotel,
 * equal where a record was saved or is new. When the hotel is begun its bit turns; at the end all
 * are equal again, so that nothing needs to be cleared.
 *
 * The bytes are those of inv_chunk_save; records stand in another order among their kind. Holds
 * come first: an effect on a hotel whose holds are saved in part has the others saved at once.
 *
 * Work is counted, not timed: a record is one, as are so many nights.
 */
#ifndef ENGINE_INVENTORY_CAPTURE_H
#define ENGINE_INVENTORY_CAPTURE_H

#include "base/writer.h"
#include "engine/inventory/chunk.h"

/* Nights saved and summed in about the time of a record. */
#define INV_CAPTURE_NIGHTS 16u

/* Values gathered into blocks before they are hashed: one call of the hash a cell would cost more
 * than the cell. */
#define INV_DIGEST_WORDS 512u

struct inv_digest {
	uint64_t sum;
	uint32_t count;
	uint64_t words[INV_DIGEST_WORDS];
};

struct inv_capture {
	uint32_t hotel_index; /* INV_NONE: the shard's own chunk, which is whole at once */
	struct hotel_id hotel;
	uint32_t cursor;    /* the record to save next; INV_NONE: the first of its chain */
	uint32_t held_left; /* records still to be saved */
	uint32_t kept_left;
	uint32_t record_count;
	uint64_t record_sum; /* of the hashes of those saved */
	uint64_t shard_digest;
	struct inv_digest digest; /* of all but the records */
};

/* What inv_capture_begin takes of the work, and what the chunk comes to in bytes at most. Neither
 * looks at records. */
uint64_t inv_capture_begin_work(const struct inv *inv, uint32_t chunk);
uint64_t inv_capture_size_max(const struct inv *inv, uint32_t chunk);
/* The writer has room for all of it, and is handed on unchanged until the end. */
void inv_capture_begin(
	struct inv *inv, uint32_t chunk, struct inv_capture *ret_capture, struct kr_writer *writer);
/* Takes what it does from *work; true: the chunk is whole. */
KR_MUST_CHECK bool inv_capture_run(
	struct inv *inv, struct inv_capture *capture, struct kr_writer *writer, uint64_t *work);
/* Before each effect that is applied while a capture is under way. */
void inv_capture_before(struct inv *inv, struct inv_capture *capture,
	const struct inv_effect *effect, struct kr_writer *writer);
/* Of the whole chunk, once. */
uint64_t inv_capture_digest(struct inv_capture *capture);

#endif

#include "engine/inventory/records.h"

/*
 * The shard's own part of another state, when slots change their shard: the later of both marks and
 * times, so that no id is taken for new that either has let go, and the VOIDs that have no hotel.
 */

#define INV_VOID_SIZE_MAX 1024u

static int inv_void_take(
	struct inv *inv, const struct inv *from, uint32_t r, struct inv_contradiction *ret)
{
	uint8_t bytes[INV_VOID_SIZE_MAX];
	struct kr_writer writer;
	struct kr_reader reader;
	kr_assert(inv_record_size_max(from, r) <= sizeof(bytes));
	kr_assert(inv_records(from)[r].state == INV_VOID);
	kr_writer_init(&writer, bytes, sizeof(bytes));
	inv_record_save(from, r, &writer);
	kr_assert(!writer.failed);
	kr_reader_init(&reader, bytes, (uint64_t)(writer.at - bytes));
	int result = inv_record_load(inv, INV_NONE, &reader, ret);
	kr_assert(result != 0 || kr_reader_done(&reader));
	return result;
}

int inv_chunk_join(struct inv *inv, const struct inv *from,
	bool (*wants)(void *context, uint32_t slot), void *context, struct inv_contradiction *ret)
{
	kr_assert(inv != from && wants != NULL);
	*ret = (struct inv_contradiction){.lsn = 0};
	inv->purge_mark_us = KR_MAX(inv->purge_mark_us, from->purge_mark_us);
	inv->last_t_us = KR_MAX(inv->last_t_us, from->last_t_us);
	for (uint32_t r = from->void_head; r != INV_NONE; r = inv_records(from)[r].chain_next) {
		struct kr_id id = inv_records(from)[r].id;
		/* Only an id that says its slot is VOID without a hotel. */
		kr_assert(reservation_id_is_native(id));
		if (!wants(context, reservation_id_slot(id)))
			continue;
		int result = inv_void_take(inv, from, r, ret);
		if (result != 0)
			return result;
	}
	return 0;
}

#include "base/text.h"
#include "engine/shard/shard_priv.h"

/* Slots that change their shard: whole hotels go from one state that was loaded to another. */

static int merge_trouble(struct shard_trouble *ret, int result, const struct inv_contradiction *c)
{
	struct kr_text text;
	bool is_full = result == INV_NO_ROOM;
	kr_text_init(&text, ret->text, sizeof(ret->text));
	kr_assert(result == INV_NO_ROOM || result == INV_CONTRADICTION);
	if (is_full)
		kr_text_put_string(&text, "a table is too small for the hotels of all shards");
	else
		kr_text_format(&text, "%s: expected %llu, found %llu, hotel %llu", c->what,
			(unsigned long long)c->expected, (unsigned long long)c->found,
			(unsigned long long)c->hotel.v);
	ret->lsn = c->lsn;
	return is_full ? SHARD_NO_ROOM : SHARD_CONTRADICTION;
}

/* By way of the bytes that a snapshot would have of it, with their digest. */
static int hotel_take(struct shard *shard, struct shard *from, uint32_t index, uint64_t lsn,
	struct inv_contradiction *ret)
{
	struct shard_snapshot *s = &from->snapshot;
	struct kr_writer writer;
	struct kr_reader reader;
	kr_assert(index > 0 && index < inv_chunk_count(from->inv));
	kr_writer_init(&writer, s->bytes, s->size_bytes);
	inv_chunk_save(from->inv, index, &writer);
	kr_assert(!writer.failed);
	kr_reader_init(&reader, s->bytes, (uint64_t)(writer.at - s->bytes));
	uint64_t digest = inv_chunk_digest(from->inv, index);
	return inv_chunk_load(shard->inv, &reader, lsn, digest, ret);
}

int shard_take_over(struct shard *shard, struct shard *from, uint64_t lsn,
	bool (*wants)(void *context, uint32_t slot), void *context,
	struct shard_trouble *ret_trouble)
{
	struct inv_contradiction contradiction = {.lsn = lsn};
	uint32_t count = inv_chunk_count(from->inv);
	kr_assert(shard->life == SHARD_LOADING && from->life == SHARD_LOADING);
	kr_assert(shard != from && lsn > 0);
	int r = inv_chunk_join(shard->inv, from->inv, wants, context, &contradiction);
	for (uint32_t i = 1; r == 0 && i < count; i++) {
		struct hotel_id hotel = inv_chunk_hotel(from->inv, i);
		if (wants(context, slot_of_hotel(hotel)))
			r = hotel_take(shard, from, i, lsn, &contradiction);
	}
	if (r != 0)
		return merge_trouble(ret_trouble, r, &contradiction);
	shard->next_lsn = KR_MAX(shard->next_lsn, lsn + 1);
	return 0;
}

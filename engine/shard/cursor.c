#include "engine/shard/read.h"

/* Cursors of lists. */

#define CURSOR_SHARD_SHIFT 50u
#define CURSOR_LIFE_SHIFT 32u
#define CURSOR_LIFE_MASK 0x3ffffu

static uint64_t cursor_of_shard(uint32_t shard_index)
{
	kr_assert(shard_index < 1u << 14);
	return (uint64_t)shard_index << CURSOR_SHARD_SHIFT;
}

static uint64_t cursor_life(const struct shard *shard)
{
	return (shard->epoch & CURSOR_LIFE_MASK) << CURSOR_LIFE_SHIFT;
}

bool shard_cursor_read(const struct shard *shard, uint64_t cursor, uint32_t *ret_at)
{
	uint64_t shard_part = cursor_of_shard(shard->config.shard_index);
	kr_assert(ret_at != NULL);
	*ret_at = (uint32_t)cursor;
	if (cursor == 0 || cursor == shard_part)
		return true;
	return cursor - *ret_at == (shard_part | cursor_life(shard));
}

uint64_t shard_cursor_next(
	const struct shard *shard, struct hotel_id hotel, bool is_ended, uint32_t at)
{
	uint32_t next = shard->config.shard_index + 1;
	if (!is_ended)
		return cursor_of_shard(shard->config.shard_index) | cursor_life(shard) | at;
	if (hotel.v != 0 || next >= shard->config.shard_count)
		return 0;
	kr_assert(cursor_of_shard(next) != 0);
	return cursor_of_shard(next);
}

uint64_t shard_list_wait_lsn(const struct shard *shard, struct hotel_id hotel)
{
	struct inv_hotel_head head;
	if (hotel.v == 0)
		return shard->next_lsn - 1;
	bool found = inv_hotel_head(shard->inv, hotel, &head);
	kr_assert(found);
	return head.last_lsn;
}

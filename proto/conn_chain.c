#include <string.h>

#include "proto/conn_priv.h"

void conn_pool_init(struct conn_pool *pool, uint8_t *bytes, uint32_t *next, uint32_t block_count)
{
	kr_assert(bytes != NULL && next != NULL);
	kr_assert(block_count > 0 && block_count < CONN_NONE);
	*pool = (struct conn_pool){
		.bytes = bytes,
		.next = next,
		.block_count = block_count,
		.free_head = CONN_NONE,
	};
}

/* Last in, first out: the block taken next is the one whose memory is warm. */
static uint32_t pool_take(struct conn_pool *pool)
{
	uint32_t block = pool->free_head;

	kr_assert(pool->used_count < pool->block_count);
	if (block != CONN_NONE)
		pool->free_head = pool->next[block];
	else
		block = pool->fresh_count++;
	kr_assert(block < pool->block_count);
	pool->next[block] = CONN_NONE;
	pool->used_count++;
	pool->used_max_count = KR_MAX(pool->used_max_count, pool->used_count);
	return block;
}

static void pool_give(struct conn_pool *pool, uint32_t block)
{
	kr_assert(block < pool->fresh_count);
	kr_assert(pool->used_count > 0);
	pool->next[block] = pool->free_head;
	pool->free_head = block;
	pool->used_count--;
}

static uint8_t *pool_bytes(const struct conn_pool *pool, uint32_t block)
{
	kr_assert(block < pool->fresh_count);
	return pool->bytes + (size_t)block * CONN_BLOCK_SIZE;
}

void conn_chain_init(struct conn_chain *chain)
{
	*chain = (struct conn_chain){.head = CONN_NONE, .tail = CONN_NONE};
}

static uint32_t chain_tail_room(const struct conn_chain *chain)
{
	kr_assert(chain->tail_fill <= CONN_BLOCK_SIZE);
	return chain->tail == CONN_NONE ? 0 : CONN_BLOCK_SIZE - chain->tail_fill;
}

bool conn_chain_has_room(
	const struct conn_pool *pool, const struct conn_chain *chain, size_t size_bytes)
{
	uint32_t room = chain_tail_room(chain);

	kr_assert(pool->used_count <= pool->block_count);
	if (KR_LIKELY(size_bytes <= room))
		return true;
	size_t blocks = (size_bytes - room + CONN_BLOCK_SIZE - 1) / CONN_BLOCK_SIZE;
	return blocks <= pool->block_count - pool->used_count;
}

static void chain_grow(struct conn_pool *pool, struct conn_chain *chain)
{
	uint32_t block = pool_take(pool);

	kr_assert(chain_tail_room(chain) == 0);
	if (chain->tail == CONN_NONE) {
		chain->head = block;
		chain->head_offset = 0;
	} else {
		pool->next[chain->tail] = block;
	}
	chain->tail = block;
	chain->tail_fill = 0;
	chain->block_count++;
}

void conn_chain_append(
	struct conn_pool *pool, struct conn_chain *chain, const void *bytes, size_t size_bytes)
{
	const uint8_t *from = bytes;

	while (size_bytes > 0) {
		if (chain_tail_room(chain) == 0)
			chain_grow(pool, chain);
		size_t part = KR_MIN(size_bytes, (size_t)chain_tail_room(chain));
		memcpy(pool_bytes(pool, chain->tail) + chain->tail_fill, from, part);
		chain->tail_fill += (uint32_t)part;
		chain->size_bytes += part;
		from += part;
		size_bytes -= part;
	}
	kr_assert(chain->block_count > 0 || chain->size_bytes == 0);
}

static uint32_t chain_head_end(const struct conn_chain *chain)
{
	kr_assert(chain->head != CONN_NONE);
	return chain->head == chain->tail ? chain->tail_fill : CONN_BLOCK_SIZE;
}

static void chain_drop_head(struct conn_pool *pool, struct conn_chain *chain)
{
	uint32_t block = chain->head;

	kr_assert(chain->block_count > 0);
	chain->head = pool->next[block];
	chain->head_offset = 0;
	chain->block_count--;
	if (chain->head == CONN_NONE) {
		kr_assert(chain->tail == block && chain->size_bytes == 0);
		conn_chain_init(chain);
	}
	pool_give(pool, block);
}

void conn_chain_consume(struct conn_pool *pool, struct conn_chain *chain, size_t size_bytes)
{
	kr_assert(size_bytes <= chain->size_bytes);
	while (size_bytes > 0) {
		size_t part = KR_MIN(size_bytes, chain_head_end(chain) - chain->head_offset);
		chain->head_offset += (uint32_t)part;
		chain->size_bytes -= part;
		size_bytes -= part;
		if (chain->head_offset == chain_head_end(chain))
			chain_drop_head(pool, chain);
	}
}

void conn_chain_cut(struct conn_pool *pool, struct conn_chain *chain, size_t size_bytes)
{
	kr_assert(size_bytes <= chain->size_bytes);
	if (size_bytes == 0) {
		conn_chain_consume(pool, chain, chain->size_bytes);
		return;
	}
	uint32_t last = chain->head, end = chain->head_offset;
	for (size_t left = size_bytes;;) {
		size_t part = KR_MIN(left, (size_t)CONN_BLOCK_SIZE - end);
		end += (uint32_t)part;
		left -= part;
		if (left == 0)
			break;
		last = pool->next[last];
		end = 0;
	}
	while (pool->next[last] != CONN_NONE) {
		uint32_t block = pool->next[last];
		pool->next[last] = pool->next[block];
		pool_give(pool, block);
		chain->block_count--;
	}
	chain->tail = last;
	chain->tail_fill = end;
	chain->size_bytes = size_bytes;
}

uint32_t conn_chain_parts(const struct conn_pool *pool, const struct conn_chain *chain,
	struct iovec *ret_parts, size_t *ret_size_bytes)
{
	uint32_t count = 0, offset = chain->head_offset;
	size_t size_bytes = 0;

	for (uint32_t block = chain->head; block != CONN_NONE && count < IO_SEND_PART_MAX;
		block = pool->next[block]) {
		uint32_t end = block == chain->tail ? chain->tail_fill : CONN_BLOCK_SIZE;
		kr_assert(end > offset);
		ret_parts[count].iov_base = pool_bytes(pool, block) + offset;
		ret_parts[count++].iov_len = end - offset;
		size_bytes += end - offset;
		offset = 0;
	}
	kr_assert(size_bytes <= chain->size_bytes);
	*ret_size_bytes = size_bytes;
	return count;
}

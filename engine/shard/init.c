#include <string.h>

#include "engine/shard/shard_priv.h"

/*
 * The shard's one region: its own struct, the inventory, then buffers, each at a cache line.
 */

#define ALIGN 64u

struct layout {
	uint64_t offset_bytes;
	uint8_t *memory; /* NULL: only the size is asked for */
};

static void *layout_take(struct layout *layout, uint64_t size_bytes)
{
	uint64_t at = layout->offset_bytes;
	kr_assert(at % ALIGN == 0);
	layout->offset_bytes = at + (size_bytes + ALIGN - 1) / ALIGN * ALIGN;
	return layout->memory == NULL ? NULL : layout->memory + at;
}

static void layout_buffers(struct layout *layout, struct shard *shard)
{
	struct shard_snapshot *s = &shard->snapshot;
	uint64_t chunks_max = shard_slice_chunks_max(shard);
	kr_assert(chunks_max <= UINT32_MAX);
	for (uint32_t i = 0; i < SHARD_BATCH_COUNT; i++) {
		struct shard_batch *batch = &shard->batches[i];
		batch->body = layout_take(layout, shard->config.batch_size_max_bytes);
		batch->out.bytes = layout_take(layout, SHARD_REPLY_SIZE);
		batch->out.size_bytes = SHARD_REPLY_SIZE;
	}
	shard->at_once.bytes = layout_take(layout, SHARD_REPLY_SIZE);
	shard->at_once.size_bytes = SHARD_REPLY_SIZE;
	shard->requests = layout_take(layout, SHARD_PARSE_COUNT * sizeof(*shard->requests));
	shard->columns = layout_take(layout, 2 * INV_QUERY_CELLS_MAX * sizeof(uint64_t));
	shard->slots = layout_take(layout, SLOT_COUNT * sizeof(*shard->slots));
	shard->class_seen = layout_take(layout, SHARD_CLASSES_SEEN * sizeof(uint32_t));
	shard->record_scratch = layout_take(layout, sizeof(*shard->record_scratch));
	shard->ahead = layout_take(layout, SHARD_AHEAD_COUNT * sizeof(*shard->ahead));
	s->chunks = layout_take(layout, chunks_max * sizeof(*s->chunks));
	s->bodies = layout_take(layout, chunks_max * sizeof(*s->bodies));
	void *arena = layout_take(layout, SHARD_ARENA_SIZE);
	if (layout->memory != NULL)
		pb_arena_init(&shard->arena, arena, SHARD_ARENA_SIZE);
	/* Last: what a slice does not need is never touched. */
	shard->steady_size_bytes = layout->offset_bytes;
	s->bytes = layout_take(layout, s->size_bytes);
}

static void config_take(struct shard *shard, const struct shard_config *config)
{
	shard->config = *config;
	if (shard->config.batch_size_max_bytes == 0)
		shard->config.batch_size_max_bytes = LOG_BATCH_BODY_SIZE_MAX;
	kr_assert(shard->config.batch_size_max_bytes >= RECORD_SIZE_MAX);
	kr_assert(shard->config.batch_size_max_bytes <= LOG_BATCH_BODY_SIZE_MAX);
	if (shard->config.chunk_size_max_bytes == 0)
		shard->config.chunk_size_max_bytes = LOG_SNAP_BODY_SIZE_MAX;
	kr_assert(shard->config.chunk_size_max_bytes <= LOG_SNAP_BODY_SIZE_MAX);
	shard->inv_size_bytes = inv_memory_size(&config->inventory);
	/* One hotel can be the whole state. Saved, a cell takes at most three times what it takes
	 * in memory; of this, only what is used is ever touched. */
	shard->snapshot.size_bytes = config->slice_size_max_bytes != 0
					     ? config->slice_size_max_bytes
					     : 3 * shard->inv_size_bytes + SHARD_SLICE_SIZE_GOAL;
}

/* Lays everything out in no memory. Returns the size. */
static uint64_t measure(const struct shard_config *config, uint64_t *ret_steady_size_bytes)
{
	struct layout layout = {0};
	struct shard shard = {0};
	config_take(&shard, config);
	kr_assert(shard.inv_size_bytes > 0);
	layout_take(&layout, sizeof(struct shard));
	layout_take(&layout, shard.inv_size_bytes);
	layout_buffers(&layout, &shard);
	kr_assert(shard.steady_size_bytes < layout.offset_bytes);
	*ret_steady_size_bytes = shard.steady_size_bytes;
	return layout.offset_bytes;
}

uint64_t shard_memory_size(const struct shard_config *config)
{
	uint64_t steady_size_bytes;
	return measure(config, &steady_size_bytes);
}

uint64_t shard_steady_size(const struct shard_config *config)
{
	uint64_t steady_size_bytes;
	(void)measure(config, &steady_size_bytes);
	return steady_size_bytes;
}

struct shard *shard_init(const struct shard_config *config, void *memory, const struct tz_db *tz)
{
	struct layout layout = {.memory = memory};
	kr_assert(((uintptr_t)memory & (ALIGN - 1)) == 0);
	kr_assert(config->shard_index < config->shard_count);
	kr_assert(config->shard_count <= SHARD_COUNT_MAX);
	struct shard *shard = layout_take(&layout, sizeof(struct shard));
	memset(shard, 0, sizeof(*shard));
	config_take(shard, config);
	void *inventory = layout_take(&layout, shard->inv_size_bytes);
	layout_buffers(&layout, shard);
	shard->tz = tz;
	shard->inv = inv_init(&config->inventory, inventory, tz);
	shard->life = SHARD_LOADING;
	shard->next_lsn = 1;
	slot_map_init(&shard->map, config->shard_count);
	if (config->map_epoch != 0)
		shard->map.epoch = config->map_epoch;
	return shard;
}

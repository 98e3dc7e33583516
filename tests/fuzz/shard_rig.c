#include "tests/fuzz/shard_rig.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_SIZE 4096u

static uint64_t memory_size;
static uint8_t *mirror_memory;

static uint64_t pages(uint64_t size_bytes)
{
	return (size_bytes + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
}

uint8_t *rig_memory_new(uint64_t size_bytes)
{
	uint8_t *bytes = aligned_alloc(PAGE_SIZE, pages(size_bytes));
	kr_assert(bytes != NULL && size_bytes > 0);
	memset(bytes, 0, pages(size_bytes));
	return bytes;
}

void rig_memory_keep(uint8_t *bytes, uint64_t size_bytes)
{
	static const uint8_t zeroes[PAGE_SIZE];
	int fd = memfd_create("keyrack-fuzz", 0);
	kr_assert(fd >= 0 && (uintptr_t)bytes % PAGE_SIZE == 0);
	int r = ftruncate(fd, (off_t)pages(size_bytes));
	kr_assert(r == 0);
	for (uint64_t at = 0; at < pages(size_bytes); at += PAGE_SIZE) {
		if (memcmp(bytes + at, zeroes, PAGE_SIZE) == 0)
			continue;
		ssize_t written = pwrite(fd, bytes + at, PAGE_SIZE, (off_t)at);
		kr_assert(written == PAGE_SIZE);
	}
	void *map = mmap(bytes, pages(size_bytes), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, fd, 0);
	kr_assert(map == bytes);
	close(fd);
}

void rig_memory_reset(uint8_t *bytes, uint64_t size_bytes)
{
	int r = madvise(bytes, pages(size_bytes), MADV_DONTNEED);
	kr_assert(r == 0);
}

struct world *rig_world_new(bool is_long_way)
{
	struct shard_config config;
	world_config_default(&config);
	config.is_long_way = is_long_way;
	struct world *world = world_serving_as(&config, 4);
	uint64_t hold = world_sale(world, FRAME_HOLD, (struct kr_id){1, 1}, 1, 1, 2, 0);
	uint64_t book = world_sale(
		world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, UINT64_C(60000000));
	world_turn(world);
	kr_assert(world_code(world, hold) != 0 && world_code(world, book) != 0);
	memory_size = shard_memory_size(&world->config);
	rig_memory_keep(world->memory, memory_size);
	return world;
}

void rig_world_reset(struct world *world, const struct world *before)
{
	for (uint32_t i = before->answer_count; i < world->answer_count; i++)
		protobuf_c_message_free_unpacked(world->answers[i].message, NULL);
	for (uint32_t i = before->batch_count; i < world->batch_count; i++)
		free(world->batches[i].body);
	for (uint32_t i = 0; i < world->done.count; i++)
		free(world->done.chunks[i].body);
	for (uint32_t i = 0; i < world->writing.count; i++)
		free(world->writing.chunks[i].body);
	*world = *before;
	rig_memory_reset(world->memory, memory_size);
}

struct shard *rig_mirror_new(const struct world *world)
{
	kr_assert(mirror_memory == NULL);
	mirror_memory = rig_memory_new(memory_size);
	struct shard *mirror = shard_init(&world->config, mirror_memory, &world->tz);
	for (uint32_t i = 0; i < world->durable_count; i++) {
		struct shard_trouble trouble;
		int r = shard_replay(mirror, &world->batches[i].record, &trouble);
		kr_assert(r == 0);
	}
	rig_memory_keep(mirror_memory, memory_size);
	return mirror;
}

void rig_mirror_reset(void)
{
	kr_assert(mirror_memory != NULL);
	rig_memory_reset(mirror_memory, memory_size);
}

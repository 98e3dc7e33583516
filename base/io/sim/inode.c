#include "base/io/sim/disk_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct sim_inode *sim_inode_new(struct sim_disk *disk)
{
	kr_assert(disk != NULL);
	struct sim_inode *inode = sim_alloc(sizeof(*inode));
	inode->disk = disk;
	inode->reference_count = 1;
	return inode;
}

struct sim_inode *sim_inode_get(struct sim_inode *inode)
{
	kr_assert(inode->reference_count > 0);
	inode->reference_count++;
	return inode;
}

void sim_inode_put(struct sim_inode *inode)
{
	kr_assert(inode->reference_count > 0);
	if (--inode->reference_count > 0)
		return;
	kr_assert(inode->disk->used_bytes >= inode->charged_bytes);
	inode->disk->used_bytes -= inode->charged_bytes;
	for (uint64_t i = 0; i < inode->block_count; i++) {
		if (inode->blocks[i] != NULL)
			free(inode->blocks[i]->durable);
		free(inode->blocks[i]);
	}
	free(inode->blocks);
	free(inode);
}

static struct sim_block *block_at(const struct sim_inode *inode, uint64_t index)
{
	return index < inode->block_count ? inode->blocks[index] : NULL;
}

static struct sim_block *block_make(struct sim_inode *inode, uint64_t index)
{
	if (index >= inode->block_count) {
		uint64_t count = KR_MAX(index + 1, inode->block_count * 2);
		inode->blocks = realloc(inode->blocks, count * sizeof(*inode->blocks));
		kr_assert(inode->blocks != NULL);
		for (uint64_t i = inode->block_count; i < count; i++)
			inode->blocks[i] = NULL;
		inode->block_count = count;
	}
	if (inode->blocks[index] == NULL)
		inode->blocks[index] = sim_alloc(sizeof(struct sim_block));
	return inode->blocks[index];
}

static int charge(struct sim_inode *inode, uint64_t size_bytes)
{
	kr_assert(inode->disk->used_bytes >= inode->charged_bytes);
	struct sim_disk *disk = inode->disk;
	uint64_t wanted = (size_bytes + SIM_BLOCK_SIZE - 1) / SIM_BLOCK_SIZE * SIM_BLOCK_SIZE;
	uint64_t others = disk->used_bytes - inode->charged_bytes;
	if (wanted > inode->charged_bytes && disk->capacity_bytes > 0 &&
		others + wanted > disk->capacity_bytes)
		return ENOSPC;
	disk->used_bytes = others + wanted;
	inode->charged_bytes = wanted;
	return 0;
}

/* The two images part. */
static void durable_part(struct sim_block *block)
{
	if (block->durable != NULL)
		return;
	block->durable = sim_alloc(SIM_BLOCK_SIZE);
	memcpy(block->durable, block->now, SIM_BLOCK_SIZE);
}

/* They are one again where nothing differs. */
static void durable_join(struct sim_block *block)
{
	if (block->durable == NULL || memcmp(block->now, block->durable, SIM_BLOCK_SIZE) != 0)
		return;
	/* Written anew with what it held already: still on its way, with a fate of its own. */
	for (uint32_t i = 0; i < SIM_BLOCK_SECTORS; i++) {
		if (block->dirty_seq[i] > 0)
			return;
	}
	free(block->durable);
	block->durable = NULL;
}

/* While a sync is on its way the old content may reach the disk before the new one. */
static void sector_dirty(struct sim_inode *inode, struct sim_block *block, uint32_t sector)
{
	kr_assert(sector < SIM_BLOCK_SECTORS);
	size_t offset = (size_t)sector * SIM_SECTOR_SIZE;
	durable_part(block);
	if (inode->sync_count > 0 && block->dirty_seq[sector] > 0)
		memcpy(block->durable + offset, block->now + offset, SIM_SECTOR_SIZE);
	block->dirty_seq[sector] = ++inode->disk->seq;
	block->broken &= (uint8_t) ~(1u << sector);
}

/* The cached bytes from `offset` to the end of its block become zero. */
static void block_cut(struct sim_inode *inode, uint64_t offset)
{
	struct sim_block *block = block_at(inode, offset / SIM_BLOCK_SIZE);
	uint64_t first = offset % SIM_BLOCK_SIZE;
	if (block == NULL)
		return;
	for (uint32_t i = (uint32_t)(first / SIM_SECTOR_SIZE); i < SIM_BLOCK_SECTORS; i++)
		sector_dirty(inode, block, i);
	memset(block->now + first, 0, SIM_BLOCK_SIZE - first);
}

int sim_inode_resize(struct sim_inode *inode, uint64_t size_bytes)
{
	kr_assert(inode->reference_count > 0);
	if (size_bytes == inode->size_bytes)
		return 0;
	int number = charge(inode, size_bytes);
	if (number != 0)
		return number;
	if (size_bytes < inode->size_bytes) {
		uint64_t offset = size_bytes;
		for (; offset / SIM_BLOCK_SIZE < inode->block_count;
			offset = (offset / SIM_BLOCK_SIZE + 1) * SIM_BLOCK_SIZE)
			block_cut(inode, offset);
	}
	inode->size_bytes = size_bytes;
	inode->size_seq = ++inode->disk->seq;
	return 0;
}

void sim_inode_read(
	const struct sim_inode *inode, uint64_t offset, uint8_t *bytes, uint64_t size_bytes)
{
	kr_assert(offset + size_bytes <= inode->size_bytes);
	while (size_bytes > 0) {
		uint64_t first = offset % SIM_BLOCK_SIZE;
		uint64_t size = KR_MIN(size_bytes, SIM_BLOCK_SIZE - first);
		const struct sim_block *block = block_at(inode, offset / SIM_BLOCK_SIZE);
		if (block == NULL)
			memset(bytes, 0, size);
		else
			memcpy(bytes, block->now + first, size);
		bytes += size;
		offset += size;
		size_bytes -= size;
	}
}

bool sim_inode_is_readable(const struct sim_inode *inode, uint64_t offset, uint64_t size_bytes)
{
	uint64_t first = offset / SIM_SECTOR_SIZE;
	uint64_t end = (offset + size_bytes + SIM_SECTOR_SIZE - 1) / SIM_SECTOR_SIZE;
	for (uint64_t i = first; i < end; i++) {
		const struct sim_block *block = block_at(inode, i / SIM_BLOCK_SECTORS);
		if (block != NULL && (block->broken & 1u << i % SIM_BLOCK_SECTORS))
			return false;
	}
	return true;
}

void sim_inode_break(struct sim_inode *inode, uint64_t offset)
{
	struct sim_block *block = block_make(inode, offset / SIM_BLOCK_SIZE);
	kr_assert(offset < inode->size_bytes);
	block->broken |= (uint8_t)(1u << offset % SIM_BLOCK_SIZE / SIM_SECTOR_SIZE);
}

/* A piece within one sector. */
static void sector_write(
	struct sim_inode *inode, uint64_t offset, const uint8_t *bytes, uint64_t size, bool durable)
{
	struct sim_block *block = block_make(inode, offset / SIM_BLOCK_SIZE);
	uint64_t at = offset % SIM_BLOCK_SIZE;
	uint32_t sector = (uint32_t)(at / SIM_SECTOR_SIZE);
	kr_assert(at % SIM_SECTOR_SIZE + size <= SIM_SECTOR_SIZE);
	if (durable && block->durable == NULL) {
		memcpy(block->now + at, bytes, size);
		block->broken &= (uint8_t) ~(1u << sector);
		return;
	}
	sector_dirty(inode, block, sector);
	memcpy(block->now + at, bytes, size);
	if (!durable)
		return;
	size_t start = (size_t)sector * SIM_SECTOR_SIZE;
	memcpy(block->durable + start, block->now + start, SIM_SECTOR_SIZE);
	block->dirty_seq[sector] = 0;
}

void sim_inode_write(struct sim_inode *inode, uint64_t offset, const uint8_t *bytes,
	uint64_t size_bytes, bool is_durable)
{
	kr_assert(offset + size_bytes <= inode->size_bytes);
	while (size_bytes > 0) {
		uint64_t size = KR_MIN(size_bytes, SIM_SECTOR_SIZE - offset % SIM_SECTOR_SIZE);
		sector_write(inode, offset, bytes, size, is_durable);
		bytes += size;
		offset += size;
		size_bytes -= size;
	}
	/* O_DSYNC keeps the size that reading the bytes back needs. */
	if (is_durable) {
		inode->durable_size_bytes = inode->size_bytes;
		inode->size_seq = 0;
	}
}

void sim_inode_sync(struct sim_inode *inode, uint64_t seq)
{
	kr_assert(seq <= inode->disk->seq);
	for (uint64_t i = 0; i < inode->block_count; i++) {
		struct sim_block *block = inode->blocks[i];
		for (uint32_t s = 0; block != NULL && s < SIM_BLOCK_SECTORS; s++) {
			size_t offset = (size_t)s * SIM_SECTOR_SIZE;
			if (block->dirty_seq[s] == 0 || block->dirty_seq[s] > seq)
				continue;
			memcpy(block->durable + offset, block->now + offset, SIM_SECTOR_SIZE);
			block->dirty_seq[s] = 0;
		}
		if (block != NULL)
			durable_join(block);
	}
	if (inode->size_seq > 0 && inode->size_seq <= seq) {
		inode->durable_size_bytes = inode->size_bytes;
		inode->size_seq = 0;
	}
}

void sim_inode_sync_drop(struct sim_inode *inode, uint64_t seq)
{
	kr_assert(seq <= inode->disk->seq);
	/* As Linux does: the pages stay in the cache and count as written. */
	for (uint64_t i = 0; i < inode->block_count; i++) {
		struct sim_block *block = inode->blocks[i];
		for (uint32_t s = 0; block != NULL && s < SIM_BLOCK_SECTORS; s++) {
			if (block->dirty_seq[s] <= seq)
				block->dirty_seq[s] = 0;
		}
	}
}

void sim_inode_flip(struct sim_inode *inode, uint64_t bit)
{
	uint64_t offset = bit / 8;
	struct sim_block *block = block_make(inode, offset / SIM_BLOCK_SIZE);
	uint8_t mask = (uint8_t)(1u << bit % 8);
	kr_assert(offset < inode->size_bytes);
	block->now[offset % SIM_BLOCK_SIZE] ^= mask;
	if (block->durable != NULL)
		block->durable[offset % SIM_BLOCK_SIZE] ^= mask;
}

static enum sim_fate fate_draw(struct sim_disk *disk)
{
	const struct sim_faults *faults = &disk->world->config.faults;
	struct rng *rng = &disk->world->rng_disk;
	const uint32_t weights[] = {faults->fate_kept, faults->fate_dropped, faults->fate_torn,
		faults->fate_zeroed, faults->fate_garbage};
	uint64_t total = 0;
	for (uint32_t i = 0; i < KR_ARRAY_COUNT(weights); i++)
		total += weights[i];
	if (total == 0)
		return rng_below(rng, 2) == 0 ? SIM_FATE_KEPT : SIM_FATE_DROPPED;
	uint64_t draw = rng_below(rng, total);
	uint32_t fate = 0;
	while (draw >= weights[fate])
		draw -= weights[fate++];
	return (enum sim_fate)fate;
}

static void sector_fate(struct sim_disk *disk, struct sim_block *block, uint32_t sector,
	const char *name, uint64_t offset)
{
	kr_assert(block->durable != NULL);
	kr_assert(sector < SIM_BLOCK_SECTORS);
	static const enum sim_mark marks[] = {
		[SIM_FATE_KEPT] = SIM_SECTOR_KEPT,
		[SIM_FATE_DROPPED] = SIM_SECTOR_DROPPED,
		[SIM_FATE_TORN] = SIM_SECTOR_TORN,
		[SIM_FATE_ZEROED] = SIM_SECTOR_ZEROED,
		[SIM_FATE_GARBAGE] = SIM_SECTOR_GARBAGE,
	};
	struct rng *rng = &disk->world->rng_disk;
	uint8_t *now = block->now + (size_t)sector * SIM_SECTOR_SIZE;
	uint8_t *durable = block->durable + (size_t)sector * SIM_SECTOR_SIZE;
	enum sim_fate fate = disk->choose != NULL ? disk->choose(disk->choose_context, name, offset)
						  : fate_draw(disk);
	sim_mark_add(disk->world, NULL, marks[fate]);
	switch (fate) {
	case SIM_FATE_KEPT:
		memcpy(durable, now, SIM_SECTOR_SIZE);
		break;
	case SIM_FATE_DROPPED:
		break;
	case SIM_FATE_TORN:
		memcpy(durable, now, rng_range(rng, 1, SIM_SECTOR_SIZE - 1));
		break;
	case SIM_FATE_ZEROED:
		memset(durable, 0, SIM_SECTOR_SIZE);
		break;
	case SIM_FATE_GARBAGE:
		rng_fill(rng, durable, SIM_SECTOR_SIZE);
		break;
	}
}

static bool cut_keeps_size(const struct sim_disk *disk, const char *name)
{
	kr_assert(disk->world != NULL);
	if (disk->cut != NULL)
		return disk->cut->keeps_size(disk->cut->context, name);
	return rng_below(&disk->world->rng_disk, 2) == 0;
}

static void size_fate(struct sim_inode *inode, const char *name)
{
	kr_assert(inode->disk->used_bytes >= inode->charged_bytes);
	struct sim_disk *disk = inode->disk;
	if (inode->size_seq > 0 && cut_keeps_size(disk, name))
		inode->durable_size_bytes = inode->size_bytes;
	else if (inode->size_seq > 0)
		sim_mark_add(disk->world, NULL, SIM_SIZE_LOST);
	inode->size_bytes = inode->durable_size_bytes;
	inode->size_seq = 0;
	disk->used_bytes -= inode->charged_bytes;
	inode->charged_bytes =
		(inode->size_bytes + SIM_BLOCK_SIZE - 1) / SIM_BLOCK_SIZE * SIM_BLOCK_SIZE;
	disk->used_bytes += inode->charged_bytes;
}

void sim_inode_power_cut(struct sim_inode *inode, const char *name)
{
	kr_assert(inode->sync_count == 0);
	size_fate(inode, name);
	for (uint64_t i = 0; i < inode->block_count; i++) {
		struct sim_block *block = inode->blocks[i];
		for (uint32_t s = 0; block != NULL && s < SIM_BLOCK_SECTORS; s++) {
			uint64_t offset = i * SIM_BLOCK_SIZE + (uint64_t)s * SIM_SECTOR_SIZE;
			if (block->dirty_seq[s] > 0 && offset < inode->size_bytes)
				sector_fate(inode->disk, block, s, name, offset);
			block->dirty_seq[s] = 0;
		}
		if (block == NULL)
			continue;
		/* What lies beyond the end is not the file's and must not come back with it. */
		uint64_t start = i * SIM_BLOCK_SIZE;
		uint64_t kept = inode->size_bytes > start ? inode->size_bytes - start : 0;
		if (block->durable != NULL)
			memcpy(block->now, block->durable, SIM_BLOCK_SIZE);
		if (kept < SIM_BLOCK_SIZE)
			memset(block->now + kept, 0, SIM_BLOCK_SIZE - kept);
		free(block->durable);
		block->durable = NULL;
	}
	kr_assert(inode->size_seq == 0);
}

#include "tests/crash/cut_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

/* Untouched pages cost nothing, so the tables are mapped at their full size and never grow. */
static void *store_map(size_t size_bytes)
{
	void *memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	kr_assert(size_bytes > 0);
	return memory == MAP_FAILED ? NULL : memory;
}

static void store_unmap(void *memory, size_t size_bytes)
{
	if (memory != NULL) {
		int rc = munmap(memory, size_bytes);

		kr_assert(rc == 0);
	}
}

static int store_measure(struct cut_store *store)
{
	struct stat st;

	if (fstat(store->fd, &st) != 0) {
		return kr_error_from_errno(errno);
	}
	if (st.st_size <= 0 || st.st_size % CUT_BLOCK_SIZE_BYTES != 0 ||
		(uint64_t)st.st_size > CUT_STORE_SIZE_MAX_BYTES) {
		return -KR_E_INVALID;
	}
	store->size_bytes = (uint64_t)st.st_size;
	store->block_count = (uint32_t)(store->size_bytes / CUT_BLOCK_SIZE_BYTES);
	kr_assert((uint64_t)store->block_count * CUT_BLOCK_SIZE_BYTES == store->size_bytes);
	return 0;
}

int cut_store_init(struct cut_store *store, int fd)
{
	int rc;

	kr_assert(store != NULL);
	kr_assert(fd >= 0);
	*store = (struct cut_store){.fd = fd, .dirty_max = CUT_STORE_DIRTY_MAX};
	rc = store_measure(store);
	if (rc < 0) {
		cut_store_fini(store);
		return rc;
	}
	store->slot_of_block = store_map(store->block_count * sizeof(*store->slot_of_block));
	store->is_spoilt = store_map(store->block_count * sizeof(*store->is_spoilt));
	store->dirty = store_map(CUT_STORE_DIRTY_MAX * sizeof(*store->dirty));
	store->dirty_data = store_map((size_t)CUT_STORE_DIRTY_MAX * CUT_BLOCK_SIZE_BYTES);
	if (store->slot_of_block == NULL || store->is_spoilt == NULL || store->dirty == NULL ||
		store->dirty_data == NULL) {
		cut_store_fini(store);
		return -KR_E_NOMEM;
	}
	return 0;
}

void cut_store_fini(struct cut_store *store)
{
	kr_assert(store->fd >= 0);
	store_unmap(store->slot_of_block, store->block_count * sizeof(*store->slot_of_block));
	store_unmap(store->is_spoilt, store->block_count * sizeof(*store->is_spoilt));
	store_unmap(store->dirty, CUT_STORE_DIRTY_MAX * sizeof(*store->dirty));
	store_unmap(store->dirty_data, (size_t)CUT_STORE_DIRTY_MAX * CUT_BLOCK_SIZE_BYTES);
	close(store->fd);
	*store = (struct cut_store){.fd = -1};
}

static bool store_range_valid(const struct cut_store *store, size_t size_bytes, uint64_t offset)
{
	return offset % CUT_SECTOR_SIZE_BYTES == 0 && size_bytes % CUT_SECTOR_SIZE_BYTES == 0 &&
	       offset <= store->size_bytes && size_bytes <= store->size_bytes - offset;
}

static uint8_t *store_slot_data(const struct cut_store *store, uint32_t slot)
{
	kr_assert(slot < store->dirty_count);
	return store->dirty_data + (size_t)slot * CUT_BLOCK_SIZE_BYTES;
}

static int image_read(const struct cut_store *store, uint8_t *data, size_t size, uint64_t offset)
{
	while (size > 0) {
		ssize_t n = pread(store->fd, data, size, (off_t)offset);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n < 0 ? kr_error_from_errno(errno) : -KR_E_SHORT;
		}
		kr_assert((size_t)n <= size);
		data += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

static int image_write(
	const struct cut_store *store, const uint8_t *data, size_t size, uint64_t offset)
{
	while (size > 0) {
		ssize_t n = pwrite(store->fd, data, size, (off_t)offset);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n < 0 ? kr_error_from_errno(errno) : -KR_E_SHORT;
		}
		kr_assert((size_t)n <= size);
		data += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* The sectors of one block that [offset, offset + size) touches, as a mask. */
static uint8_t sector_mask_of(uint64_t offset, size_t size)
{
	uint32_t first = (uint32_t)(offset % CUT_BLOCK_SIZE_BYTES) / CUT_SECTOR_SIZE_BYTES;
	uint32_t count = (uint32_t)(size / CUT_SECTOR_SIZE_BYTES);

	kr_assert(count >= 1);
	kr_assert(first + count <= CUT_BLOCK_SECTORS);
	return (uint8_t)(((1U << count) - 1U) << first);
}

static size_t piece_size(size_t size_bytes, uint64_t offset)
{
	size_t room = CUT_BLOCK_SIZE_BYTES - (size_t)(offset % CUT_BLOCK_SIZE_BYTES);

	return size_bytes < room ? size_bytes : room;
}

/* Copies the cached sectors of one block over what the image said. */
static void store_overlay(
	const struct cut_store *store, uint8_t *data, size_t size, uint64_t offset)
{
	uint32_t slot = store->slot_of_block[offset / CUT_BLOCK_SIZE_BYTES];
	const uint8_t *cached;
	size_t within = (size_t)(offset % CUT_BLOCK_SIZE_BYTES);

	if (slot == 0) {
		return;
	}
	cached = store_slot_data(store, slot - 1);
	for (size_t at = 0; at < size; at += CUT_SECTOR_SIZE_BYTES) {
		uint32_t sector = (uint32_t)((within + at) / CUT_SECTOR_SIZE_BYTES);

		if ((store->dirty[slot - 1].sector_mask >> sector & 1U) != 0) {
			memcpy(data + at, cached + within + at, CUT_SECTOR_SIZE_BYTES);
		}
	}
}

static bool store_is_spoilt(const struct cut_store *store, size_t size_bytes, uint64_t offset)
{
	uint64_t end = offset + size_bytes;

	kr_assert(end <= store->size_bytes);
	for (uint64_t at = offset; at < end;
		at = (at / CUT_BLOCK_SIZE_BYTES + 1) * CUT_BLOCK_SIZE_BYTES) {
		if (store->is_spoilt[at / CUT_BLOCK_SIZE_BYTES] != 0) {
			return true;
		}
	}
	return false;
}

int cut_store_spoil(struct cut_store *store, uint64_t offset, uint64_t size_bytes)
{
	if (offset % CUT_BLOCK_SIZE_BYTES != 0 || size_bytes % CUT_BLOCK_SIZE_BYTES != 0 ||
		size_bytes == 0 || !store_range_valid(store, size_bytes, offset)) {
		return CUT_STORE_BAD_RANGE;
	}
	memset(store->is_spoilt + offset / CUT_BLOCK_SIZE_BYTES, 1,
		size_bytes / CUT_BLOCK_SIZE_BYTES);
	kr_assert(store_is_spoilt(store, size_bytes, offset));
	return 0;
}

int cut_store_read(struct cut_store *store, uint8_t *ret_data, size_t size_bytes, uint64_t offset)
{
	int rc;

	kr_assert(ret_data != NULL);
	if (store->off) {
		return CUT_STORE_OFF;
	}
	if (!store_range_valid(store, size_bytes, offset)) {
		return CUT_STORE_BAD_RANGE;
	}
	if (store_is_spoilt(store, size_bytes, offset)) {
		return CUT_STORE_SPOILT;
	}
	rc = image_read(store, ret_data, size_bytes, offset);
	if (rc < 0) {
		return rc;
	}
	while (size_bytes > 0) {
		size_t piece = piece_size(size_bytes, offset);

		store_overlay(store, ret_data, piece, offset);
		ret_data += piece;
		size_bytes -= piece;
		offset += piece;
	}
	return 0;
}

static uint32_t store_slot_take(struct cut_store *store, uint32_t block)
{
	uint32_t slot = store->slot_of_block[block];

	kr_assert(block < store->block_count);
	if (slot == 0) {
		kr_assert(store->dirty_count < store->dirty_max);
		store->dirty[store->dirty_count] = (struct cut_dirty){.block = block};
		slot = ++store->dirty_count;
		store->slot_of_block[block] = slot;
	}
	kr_assert(store->dirty[slot - 1].block == block);
	return slot - 1;
}

/* Writes the sectors of one cached block that `mask` names, run by run. */
static int store_slot_write(const struct cut_store *store, uint32_t slot, uint8_t mask)
{
	uint64_t base = (uint64_t)store->dirty[slot].block * CUT_BLOCK_SIZE_BYTES;
	const uint8_t *data = store_slot_data(store, slot);
	uint32_t first = 0;

	kr_assert((mask & ~store->dirty[slot].sector_mask) == 0);
	while (first < CUT_BLOCK_SECTORS) {
		uint32_t end = first;
		int rc;

		while (end < CUT_BLOCK_SECTORS && (mask >> end & 1U) != 0) {
			end++;
		}
		if (end == first) {
			first++;
			continue;
		}
		rc = image_write(store, data + first * CUT_SECTOR_SIZE_BYTES,
			(size_t)(end - first) * CUT_SECTOR_SIZE_BYTES,
			base + first * CUT_SECTOR_SIZE_BYTES);
		if (rc < 0) {
			return rc;
		}
		first = end;
	}
	return 0;
}

static void store_forget(struct cut_store *store)
{
	for (uint32_t i = 0; i < store->dirty_count; i++) {
		kr_assert(store->slot_of_block[store->dirty[i].block] == i + 1);
		store->slot_of_block[store->dirty[i].block] = 0;
	}
	store->dirty_count = 0;
}

static int store_destage(struct cut_store *store)
{
	for (uint32_t i = 0; i < store->dirty_count; i++) {
		int rc = store_slot_write(store, i, store->dirty[i].sector_mask);

		if (rc < 0) {
			return rc;
		}
	}
	store_forget(store);
	return 0;
}

void cut_store_fail(struct cut_store *store, uint64_t writes, uint64_t syncs)
{
	kr_assert(!store->off);
	store->failing_writes = writes;
	store->failing_syncs = syncs;
}

/* Is this one to fail? */
static bool store_fails(struct cut_store *store, uint64_t *failing)
{
	kr_assert(failing == &store->failing_writes || failing == &store->failing_syncs);
	if (*failing == 0) {
		return false;
	}
	if (*failing != UINT64_MAX) {
		--*failing;
	}
	store->counts.failed_count++;
	return true;
}

int cut_store_write(
	struct cut_store *store, const uint8_t *data, size_t size_bytes, uint64_t offset)
{
	kr_assert(data != NULL);
	if (store->off) {
		return CUT_STORE_OFF;
	}
	if (!store_range_valid(store, size_bytes, offset)) {
		return CUT_STORE_BAD_RANGE;
	}
	if (store_fails(store, &store->failing_writes)) {
		return CUT_STORE_FAILED;
	}
	store->counts.write_count++;
	while (size_bytes > 0) {
		size_t piece = piece_size(size_bytes, offset);
		uint32_t slot;

		if (store->dirty_count == store->dirty_max) {
			int rc = store_destage(store);

			if (rc < 0) {
				return rc;
			}
			store->counts.destage_count++;
		}
		store->is_spoilt[offset / CUT_BLOCK_SIZE_BYTES] = 0;
		slot = store_slot_take(store, (uint32_t)(offset / CUT_BLOCK_SIZE_BYTES));
		memcpy(store_slot_data(store, slot) + offset % CUT_BLOCK_SIZE_BYTES, data, piece);
		store->dirty[slot].sector_mask |= sector_mask_of(offset, piece);
		data += piece;
		size_bytes -= piece;
		offset += piece;
	}
	return 0;
}

int cut_store_sync(struct cut_store *store)
{
	int rc;

	if (store->off) {
		return CUT_STORE_OFF;
	}
	if (store_fails(store, &store->failing_syncs)) {
		return CUT_STORE_FAILED;
	}
	rc = store_destage(store);
	if (rc < 0) {
		return rc;
	}
	kr_assert(store->dirty_count == 0);
	store->counts.sync_count++;
	return 0;
}

/* splitmix64's finaliser: a decision depends on the seed and the place, not on the order asked. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static uint8_t plan_mask(const struct cut_plan *plan, const struct cut_dirty *dirty)
{
	uint32_t unit_sectors = plan->unit_bytes / CUT_SECTOR_SIZE_BYTES;
	uint8_t mask = 0;

	kr_assert(unit_sectors == 1 || unit_sectors == CUT_BLOCK_SECTORS);
	for (uint32_t at = 0; at < CUT_BLOCK_SECTORS; at += unit_sectors) {
		uint64_t place = (uint64_t)dirty->block * CUT_BLOCK_SECTORS + at;

		if (mix(mix(plan->seed) ^ place) % CUT_KEEP_ALL_PERMILLE < plan->keep_permille) {
			mask |= (uint8_t)(((1U << unit_sectors) - 1U) << at);
		}
	}
	return mask & dirty->sector_mask;
}

static bool plan_valid(const struct cut_plan *plan)
{
	return plan->keep_permille <= CUT_KEEP_ALL_PERMILLE &&
	       (plan->unit_bytes == CUT_SECTOR_SIZE_BYTES ||
		       plan->unit_bytes == CUT_BLOCK_SIZE_BYTES);
}

int cut_store_cut(struct cut_store *store, const struct cut_plan *plan)
{
	if (store->off) {
		return CUT_STORE_OFF;
	}
	if (!plan_valid(plan)) {
		return -KR_E_INVALID;
	}
	store->off = true;
	for (uint32_t i = 0; i < store->dirty_count; i++) {
		uint8_t mask = plan_mask(plan, &store->dirty[i]);
		int kept = __builtin_popcount(mask);
		int all = __builtin_popcount(store->dirty[i].sector_mask);
		int rc = store_slot_write(store, i, mask);

		if (rc < 0) {
			return rc;
		}
		kr_assert(kept <= all);
		store->counts.kept_sectors += (uint64_t)kept;
		store->counts.dropped_sectors += (uint64_t)(all - kept);
	}
	store_forget(store);
	return 0;
}

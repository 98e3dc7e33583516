/*
 * Private to the inventory: hash indices over its tables, 8 bytes a slot.
 *
 * A slot is tag << 32 | entry + 1; 0 is free. The tag is the upper half of the key's hash and says
 * where the slot belongs (linear probing from there), so that taking one out never looks at the
 * table behind. Keys are compared by the caller: inv_index_next walks the entries whose tag fits.
 * Sized for at most two thirds full: probing always meets a free slot.
 */
#ifndef ENGINE_INVENTORY_INDEX_H
#define ENGINE_INVENTORY_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/hint.h"

#define INV_INDEX_END UINT32_MAX

struct inv_index {
	uint32_t slot_count;
	uint32_t used;
};

/* Slots for `entry_count` entries. */
static inline uint32_t inv_index_slot_count(uint32_t entry_count)
{
	kr_assert(entry_count <= UINT32_MAX / 2);
	return entry_count + entry_count / 2 + 8;
}

static inline uint32_t inv_index_tag(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

static inline uint32_t inv_index_home(const struct inv_index *index, uint32_t tag)
{
	return (uint32_t)((uint64_t)tag * index->slot_count >> 32);
}

static inline uint32_t inv_index_after(const struct inv_index *index, uint32_t slot)
{
	return slot + 1 == index->slot_count ? 0 : slot + 1;
}

/* Begin with *slot = inv_index_home(); gives the entries with this tag, then INV_INDEX_END. */
static inline uint32_t inv_index_next(
	const struct inv_index *index, const uint64_t *slots, uint32_t tag, uint32_t *slot)
{
	kr_assert(*slot < index->slot_count);
	kr_assert(index->used < index->slot_count);
	while (slots[*slot] != 0) {
		uint64_t word = slots[*slot];
		*slot = inv_index_after(index, *slot);
		if ((uint32_t)(word >> 32) == tag)
			return (uint32_t)word - 1;
	}
	return INV_INDEX_END;
}

/* The key must not be there yet. */
static inline void inv_index_insert(
	struct inv_index *index, uint64_t *slots, uint32_t tag, uint32_t entry)
{
	kr_assert(entry != INV_INDEX_END);
	kr_assert(index->used + 1 < index->slot_count);
	uint32_t slot = inv_index_home(index, tag);
	while (slots[slot] != 0)
		slot = inv_index_after(index, slot);
	slots[slot] = (uint64_t)tag << 32 | (entry + 1);
	index->used++;
}

/* True when a slot that belongs at `home` may not move back across `hole` from `slot`. */
static inline bool inv_index_stays(uint32_t home, uint32_t hole, uint32_t slot)
{
	if (hole < slot)
		return home > hole && home <= slot;
	return home > hole || home <= slot;
}

/* The entry must be there. Later slots move back, so that no gravestones are left. */
static inline void inv_index_remove(
	struct inv_index *index, uint64_t *slots, uint32_t tag, uint32_t entry)
{
	uint64_t word = (uint64_t)tag << 32 | (entry + 1);
	uint32_t hole = inv_index_home(index, tag);
	while (slots[hole] != word) {
		kr_assert(slots[hole] != 0);
		hole = inv_index_after(index, hole);
	}
	for (uint32_t slot = inv_index_after(index, hole); slots[slot] != 0;
		slot = inv_index_after(index, slot)) {
		uint32_t home = inv_index_home(index, (uint32_t)(slots[slot] >> 32));
		if (inv_index_stays(home, hole, slot))
			continue;
		slots[hole] = slots[slot];
		hole = slot;
	}
	slots[hole] = 0;
	kr_assert(index->used > 0);
	index->used--;
}

static inline void inv_index_prefetch(
	const struct inv_index *index, const uint64_t *slots, uint32_t tag)
{
	kr_prefetch(&slots[inv_index_home(index, tag)]);
}

#endif

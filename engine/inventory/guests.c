#include "engine/inventory/records.h"

/*
 * Open addressing by the whole hash, which stands for hotel and guest: two guests that share all 64
 * bits would share a cap, once in some 10^13 pairs, and the one refused may try again.
 */

static uint64_t inv_guest_hash(struct hotel_id hotel, struct inv_guest_id guest)
{
	kr_assert((guest.hi | guest.lo) != 0);
	uint64_t words[3] = {hotel.v, guest.hi, guest.lo};
	return hash_64(words, sizeof(words));
}

static uint32_t inv_guest_slot_count(const struct inv *inv)
{
	uint32_t count = inv_index_slot_count(inv->config.reservations_max);
	kr_assert(inv->guest_count < count);
	return count;
}

static uint32_t inv_guest_home(uint64_t hash, uint32_t slot_count)
{
	kr_assert(slot_count > 0);
	return (uint32_t)((hash >> 32) * slot_count >> 32);
}

static uint32_t inv_guest_after(uint32_t slot, uint32_t slot_count)
{
	kr_assert(slot < slot_count);
	return slot + 1 == slot_count ? 0 : slot + 1;
}

/* The guest's place, or the free one where it would go. */
static uint32_t inv_guest_find(const struct inv *inv, uint64_t hash)
{
	const struct inv_guest_holds *slots = inv_guest_holds(inv);
	uint32_t slot_count = inv_guest_slot_count(inv);
	uint32_t slot = inv_guest_home(hash, slot_count);
	while (slots[slot].count != 0 && slots[slot].hash != hash)
		slot = inv_guest_after(slot, slot_count);
	kr_assert(slots[slot].count == 0 || slots[slot].hash == hash);
	return slot;
}

uint32_t inv_guest_hold_count(
	const struct inv *inv, struct hotel_id hotel, struct inv_guest_id guest)
{
	uint32_t slot = inv_guest_find(inv, inv_guest_hash(hotel, guest));
	kr_assert(slot < inv_guest_slot_count(inv));
	return inv_guest_holds(inv)[slot].count;
}

void inv_guest_hold_add(struct inv *inv, struct hotel_id hotel, struct inv_guest_id guest)
{
	uint64_t hash = inv_guest_hash(hotel, guest);
	struct inv_guest_holds *slot = &inv_guest_holds(inv)[inv_guest_find(inv, hash)];
	kr_assert(slot->count < UINT32_MAX);
	inv->guest_count += slot->count == 0;
	slot->hash = hash;
	slot->count++;
	kr_assert(inv->guest_count <= inv->config.reservations_max);
}

/* Frees a place: later guests move back, so that probing never meets a gap it must cross. */
static void inv_guest_close(struct inv *inv, uint32_t hole)
{
	struct inv_guest_holds *slots = inv_guest_holds(inv);
	uint32_t slot_count = inv_guest_slot_count(inv);
	kr_assert(slots[hole].count == 0);
	for (uint32_t slot = inv_guest_after(hole, slot_count); slots[slot].count != 0;
		slot = inv_guest_after(slot, slot_count)) {
		uint32_t home = inv_guest_home(slots[slot].hash, slot_count);
		if (inv_index_stays(home, hole, slot))
			continue;
		slots[hole] = slots[slot];
		slots[slot].count = 0;
		hole = slot;
	}
	kr_assert(slots[hole].count == 0);
}

void inv_guest_hold_drop(struct inv *inv, struct hotel_id hotel, struct inv_guest_id guest)
{
	uint32_t at = inv_guest_find(inv, inv_guest_hash(hotel, guest));
	struct inv_guest_holds *slot = &inv_guest_holds(inv)[at];
	kr_assert(slot->count > 0);
	kr_assert(inv->guest_count > 0);
	if (--slot->count > 0)
		return;
	inv->guest_count--;
	inv_guest_close(inv, at);
}

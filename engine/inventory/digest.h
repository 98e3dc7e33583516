/*
 * Private to the inventory: digests over values, blind to indices, chain orders and table sizes.
 *
 * LSNs are no part of them (they are a log's, not a hotel's), nor is what is volatile.
 */
#ifndef ENGINE_INVENTORY_DIGEST_H
#define ENGINE_INVENTORY_DIGEST_H

#include "engine/inventory/capture.h"
#include "engine/inventory/priv.h"

#define INV_DIGEST_SEED UINT64_C(0x6b657972616b3031)

uint64_t inv_digest_hotel(const struct inv *inv, uint32_t hotel_index);
/* The same in two steps: everything but the records; then how many there are, and the sum of their
 * hashes. */
void inv_digest_hotel_begin(
	const struct inv *inv, uint32_t hotel_index, struct inv_digest *ret_digest);
uint64_t inv_digest_hotel_end(struct inv_digest *digest, uint32_t record_count, uint64_t records);
uint64_t inv_digest_shard(const struct inv *inv);

#endif

/*
 * Shards that go back to what they were: their memory is a private mapping of an image. Giving up
 * the pages that a run has touched costs as much as it touched, whatever the shard's size is.
 */
#ifndef TESTS_FUZZ_SHARD_RIG_H
#define TESTS_FUZZ_SHARD_RIG_H

#include "tests/unit/shard/world.h"

/* Zeroes, at a page. */
uint8_t *rig_memory_new(uint64_t size_bytes);
/* From now on its pages are private ones over what they hold now. */
void rig_memory_keep(uint8_t *bytes, uint64_t size_bytes);
void rig_memory_reset(uint8_t *bytes, uint64_t size_bytes);

/* Serving, one hotel, two types of 4 rooms, a booking and a refused hold. Copy it to have what
 * rig_world_reset() goes back to. */
struct world *rig_world_new(bool is_long_way);
void rig_world_reset(struct world *world, const struct world *before);

/* A shard made of the world's log alone: one in a process. */
struct shard *rig_mirror_new(const struct world *world);
void rig_mirror_reset(void);

#endif

/*
 * What every operation shares: borrowed texts, who asks and why, and the instant it is judged at.
 */
#ifndef ENGINE_INVENTORY_ACTOR_H
#define ENGINE_INVENTORY_ACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/uuid.h"
#include "proto/cell.h"
#include "proto/code.h"
#include "proto/slot.h"

#include "engine/inventory/limits.h"

struct inv_text {
	const char *bytes;
	uint32_t size_bytes;
};

/* At most size_max_bytes of UTF-8 without control characters. Empty is valid. */
bool inv_text_is_valid(struct inv_text text, uint32_t size_max_bytes);

/* Who did it and why: logged with every effect. */
struct inv_actor {
	uint64_t actor;
	uint32_t source;    /* the caller's number; INV_SOURCE_* are the engine's own */
	uint32_t principal; /* who that is as far as the server knows: proto/access.h */
	struct inv_text reason;
};

#define INV_SOURCE_CLOCK 0xffffff00u /* expiry, retirement, day roll, grace */
#define INV_SOURCE_IMPORT 0xffffff01u
#define INV_SOURCE_RESERVED_FIRST 0xffffff00u /* callers' sources lie below */

/* The instant an operation is judged at: `t_us` is logged; ids are compared with the later one. */
struct inv_now {
	uint64_t t_us;
	uint64_t wall_us;
};

#endif

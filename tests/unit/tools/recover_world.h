/*
 * Random states for the tests of what `keyrack-recover` prints of them: hotels whose numbers lie
 * around what doubles keep, every setting, plans of each kind, sales and imports in every state.
 */
#ifndef TESTS_UNIT_TOOLS_RECOVER_WORLD_H
#define TESTS_UNIT_TOOLS_RECOVER_WORLD_H

#include "base/rng.h"
#include "tests/unit/inventory/sales.h"

struct recover_world {
	struct world w;
	struct rng rng;
	uint64_t sold; /* ids given out */
};

void recover_world_init(struct recover_world *r, uint64_t seed);
void recover_world_fini(struct recover_world *r);
/* Some changes of everything, and some hours. */
void recover_world_step(struct recover_world *r);
/* The same state in another inventory, from chunks: its classes have numbers of their own. */
struct inv *recover_world_copy(struct recover_world *r, void **ret_memory);

#endif

#include "tests/unit/inventory/sales.h"

#include "proto/slot.h"

/* The shard's own part of states that are brought together. */

#define VOIDS 25u

struct half {
	bool upper;
};

static bool wants_half(void *context, uint32_t slot)
{
	const struct half *half = context;
	return (slot >= SLOT_COUNT / 2) == half->upper;
}

static bool wants_all(void *context, uint32_t slot)
{
	return slot < SLOT_COUNT;
}

/* VOIDs of ids of many hotels, and so of many slots. */
static void voids_make(struct world *w, uint64_t first_hotel)
{
	for (uint64_t i = 0; i < VOIDS; i++) {
		struct kr_id id = sales_id_at(w->now.t_us, first_hotel + i, i);
		uint16_t code = sales_resolve(w, id);
		cr_assert_eq(code, KEYRACK_NOT_FOUND, "%u, the %uth", code, (unsigned)i);
		cr_assert_eq(sales_state(w, id), INV_VOID);
	}
}

static uint32_t join(
	struct inv *to, struct world *w, bool (*wants)(void *, uint32_t), void *context)
{
	struct inv_contradiction contradiction;
	struct inv_counts before, after;
	inv_counts_get(to, &before);
	cr_assert_eq(inv_chunk_join(to, w->inv, wants, context, &contradiction), 0);
	inv_counts_get(to, &after);
	cr_assert_eq(inv_verify(to, &contradiction), 0);
	return after.reservations - before.reservations;
}

Test(join, all_of_one_state_is_that_state)
{
	struct world w;
	void *memory;
	world_init(&w, NULL);
	world_standard(&w, 1, 5);
	voids_make(&w, 1000);
	struct inv *to = world_inventory_new(&w, &memory);
	cr_assert_eq(join(to, &w, wants_all, NULL), VOIDS);
	cr_assert_eq(inv_chunk_digest(to, 0), inv_chunk_digest(w.inv, 0));
	free(memory);
	world_fini(&w);
}

Test(join, halves_share_what_there_is_and_keep_the_later_marks)
{
	struct world a, b;
	void *memory[2];
	struct inv *to[2];
	uint32_t found = 0;
	world_init(&a, NULL);
	world_standard(&a, 1, 5);
	voids_make(&a, 1000);
	world_init(&b, NULL);
	world_time(&b, 2026, 11, 26, 12, 0);
	world_standard(&b, 1, 5);
	(void)sales_due(&b);
	voids_make(&b, 5000);
	struct inv_counts of_a, of_b, of_to;
	inv_counts_get(a.inv, &of_a);
	inv_counts_get(b.inv, &of_b);
	cr_assert_gt(of_b.last_t_us, of_a.last_t_us);
	for (int i = 0; i < 2; i++) {
		struct half half = {.upper = i == 1};
		to[i] = world_inventory_new(&a, &memory[i]);
		uint32_t part = join(to[i], &b, wants_half, &half);
		part += join(to[i], &a, wants_half, &half);
		cr_assert_gt(part, VOIDS / 2);
		found += part;
		inv_counts_get(to[i], &of_to);
		cr_assert_eq(of_to.last_t_us, of_b.last_t_us);
		cr_assert_eq(of_to.purge_mark_us, KR_MAX(of_a.purge_mark_us, of_b.purge_mark_us));
	}
	cr_assert_eq(found, 2 * VOIDS);
	for (uint64_t i = 0; i < VOIDS; i++) {
		struct inv_reservation_view view;
		struct kr_id id = sales_id_at(a.now.t_us, 1000 + i, i);
		bool upper = slot_of_hotel((struct hotel_id){1000 + i}) >= SLOT_COUNT / 2;
		cr_assert(inv_reservation_get(to[upper], id, a.now.t_us, &view));
		cr_assert_not(inv_reservation_get(to[!upper], id, a.now.t_us, &view));
	}
	free(memory[0]);
	free(memory[1]);
	world_fini(&a);
	world_fini(&b);
}

#include <stdlib.h>

#include "tests/unit/inventory/imports.h"

/* An effect that contradicts the state is refused whole. */
static void check_contradiction(struct world *w, struct inv_effect effect, const char *what)
{
	uint64_t digest = inv_digest(w->inv);
	effect.lsn = w->lsn + 1;
	cr_assert_eq(world_apply(w, &effect), INV_CONTRADICTION, "%s", what);
	cr_assert_str_eq(w->contradiction.what, what);
	cr_assert_eq(inv_digest(w->inv), digest);
}

Test(import_apply, contradictions_change_nothing)
{
	struct world w;
	import_init(&w);
	struct inv_line line = stay_line(1, today() + 1, today() + 3);
	struct inv_import_op op = import_op(&w, foreign(1), &line, 1);
	op.fingerprint = 1;
	cr_assert_eq(inv_import_judge(w.inv, w.now, &op, &w.effect, &w.answer), INV_EFFECT);
	const struct inv_effect good = w.effect;
	struct inv_effect effect = good;
	effect.u.import.state = INV_VOID;
	check_contradiction(&w, effect, "a reservation comes in without a state or revision");
	effect = good;
	effect.revision = 0;
	check_contradiction(&w, effect, "a reservation comes in without a state or revision");
	effect = good;
	effect.u.import.state = INV_HELD;
	check_contradiction(&w, effect, "the deadline does not fit the operation");
	effect.u.import.expires_at_us = w.now.t_us + 1;
	check_contradiction(&w, effect, "the reservation's past contradicts itself");
	effect = good;
	effect.u.import.created_at_us = effect.u.import.changed_at_us + 1;
	check_contradiction(&w, effect, "the reservation's past contradicts itself");
	effect = good;
	effect.u.import.state = INV_COMPLETED;
	effect.u.import.counted_until = today() + 1;
	check_contradiction(&w, effect, "a stay that is over counts nights to come");
	effect.u.import.counted_until = today();
	check_contradiction(&w, effect, "the effect counts other nights");
	effect = good;
	effect.old_count = 1;
	check_contradiction(&w, effect, "the effect counts other nights");
	effect = good;
	struct inv_line far = stay_line(1, today() + 1, today() + 100);
	effect.u.import.lines = &far;
	check_contradiction(&w, effect, "a line's nights are outside the window");
	w.effect = good;
	sales_apply(&w);
	effect = good;
	effect.event_seq++;
	check_contradiction(&w, effect, "the id is known already");
	sales_agree(&w);
	world_fini(&w);
}

static uint8_t *chunk_saved(const struct world *w, uint32_t chunk, struct kr_reader *ret_reader)
{
	uint64_t size_bytes = inv_chunk_size_max(w->inv, chunk);
	struct kr_writer writer;
	uint8_t *bytes = malloc(size_bytes);
	cr_assert_not_null(bytes);
	kr_writer_init(&writer, bytes, size_bytes);
	inv_chunk_save(w->inv, chunk, &writer);
	kr_reader_init(ret_reader, bytes, kr_writer_size(&writer));
	return bytes;
}

/* A snapshot is of several instants: the hotel's chunk has the id as imported, and the log behind
 * the shard's chunk still has the VOID that it was before, and the end of that. */
Test(import_apply, an_id_that_was_void_before_is_told_apart_while_a_log_is_replayed)
{
	struct world w;
	struct kr_reader shards, hotels;
	void *memory;
	import_init(&w);
	struct kr_id id = sales_id(&w, 1);
	const uint64_t shards_lsn = inv_chunk_lsn(w.inv, 0),
		       shards_digest = inv_chunk_digest(w.inv, 0);
	uint8_t *of_shard = chunk_saved(&w, 0, &shards);
	cr_assert_eq(sales_resolve(&w, id), KEYRACK_NOT_FOUND);
	const struct inv_effect was_void = w.effect;
	w.now.t_us += INV_RETENTION_US + SECOND_US;
	(void)sales_due(&w);
	cr_assert_eq(w.effect.kind, INV_EFFECT_RETIRE);
	const struct inv_effect retired = w.effect;
	struct inv_line line = stay_line(1, today() + 2, today() + 3);
	struct inv_import_op op = import_op(&w, id, &line, 1);
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	uint8_t *of_hotel = chunk_saved(&w, 1, &hotels);
	struct inv *copy = world_inventory_new(&w, &memory);
	cr_assert_eq(inv_chunk_load(copy, &shards, shards_lsn, shards_digest, &w.contradiction), 0);
	cr_assert_eq(inv_chunk_load(copy, &hotels, inv_chunk_lsn(w.inv, 1),
			     inv_chunk_digest(w.inv, 1), &w.contradiction),
		0);
	cr_assert_eq(inv_apply(copy, &was_void, &w.contradiction), 0, "%s", w.contradiction.what);
	cr_assert_eq(inv_apply(copy, &retired, &w.contradiction), 0, "%s", w.contradiction.what);
	cr_assert_eq(inv_digest(copy), inv_digest(w.inv));
	cr_assert_eq(inv_verify(copy, &w.contradiction), 0, "%s", w.contradiction.what);
	free(of_shard);
	free(of_hotel);
	free(memory);
	sales_agree(&w);
	world_fini(&w);
}

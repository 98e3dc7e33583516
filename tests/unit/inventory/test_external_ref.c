#include "tests/unit/inventory/sales.h"

static int32_t day_one(void)
{
	return world_day(2026, 11, 25);
}

static struct inv_reserve_op referred(const struct world *w, uint64_t random,
	const struct inv_line *line, uint32_t source, const char *reference)
{
	struct inv_reserve_op op = book_op(w, random, line, 1);
	op.actor.source = source;
	op.external_ref = text(reference);
	return op;
}

Test(external_ref, is_unique_by_hotel_and_source)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, 9);
	struct inv_line line = stay_line(1, day_one(), day_one() + 1);
	struct inv_reserve_op first = referred(&w, 1, &line, 3, "R1");
	cr_assert_eq(sales_reserve(&w, &first), KEYRACK_DONE);
	struct inv_reserve_op second = referred(&w, 2, &line, 3, "R1");
	cr_assert_eq(sales_reserve(&w, &second), KEYRACK_KEY_REUSED);
	cr_assert_eq(w.answer.refusal.rule, RULE_EXTERNAL_REF);
	cr_assert(kr_id_equal(w.answer.refusal.other, first.id));
	struct inv_reserve_op source = referred(&w, 3, &line, 4, "R1");
	cr_assert_eq(sales_reserve(&w, &source), KEYRACK_DONE);
	struct inv_reserve_op reference = referred(&w, 4, &line, 3, "R2");
	cr_assert_eq(sales_reserve(&w, &reference), KEYRACK_DONE);
	struct inv_hotel_op put = hotel_op(WORLD_HOTEL + 1);
	cr_assert_eq(world_hotel_put(&w, &put), KEYRACK_DONE);
	struct inv_type_op type = type_op(1);
	type.hotel.v = WORLD_HOTEL + 1;
	type.mask = INV_TYPE_PHYSICAL;
	type.settings.physical = 1;
	cr_assert_eq(world_type_put(&w, &type), KEYRACK_DONE);
	struct inv_reserve_op hotel = referred(&w, 5, &line, 3, "R1");
	hotel.hotel.v = WORLD_HOTEL + 1;
	hotel.id = sales_id_at(w.now.t_us, WORLD_HOTEL + 1, 5);
	cr_assert_eq(sales_reserve(&w, &hotel), KEYRACK_DONE);
	sales_agree(&w);
	world_fini(&w);
}

Test(external_ref, stays_taken_until_its_record_retires)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, 9);
	struct inv_line line = stay_line(1, day_one() + 10, day_one() + 11);
	struct inv_reserve_op first = referred(&w, 1, &line, 3, "R1");
	cr_assert_eq(sales_reserve(&w, &first), KEYRACK_DONE);
	cr_assert_eq(sales_cancel(&w, first.id, false), KEYRACK_DONE);
	struct inv_reserve_op second = referred(&w, 2, &line, 3, "R1");
	cr_assert_eq(sales_reserve(&w, &second), KEYRACK_KEY_REUSED);
	w.now.t_us += INV_RETENTION_US + 1000;
	(void)sales_due(&w);
	struct inv_reserve_op third = referred(&w, 3, &line, 3, "R1");
	cr_assert_eq(sales_reserve(&w, &third), KEYRACK_DONE);
	sales_agree(&w);
	world_fini(&w);
}

Test(external_ref, of_sixty_four_bytes_is_kept_whole)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, 9);
	char reference[INV_TEXT_SIZE_MAX + 1], payment[INV_TEXT_SIZE_MAX + 1];
	struct inv_line line = stay_line(1, day_one(), day_one() + 1);
	for (uint32_t size = 1; size <= INV_TEXT_SIZE_MAX; size++) {
		for (uint32_t i = 0; i < size; i++) {
			reference[i] = (char)('a' + (i + size) % 26);
			payment[i] = (char)('A' + (i + size) % 26);
		}
		reference[size] = payment[size] = 0;
		struct inv_reserve_op op = referred(&w, size, &line, 3, reference);
		op.payment_ref = text(payment);
		cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
		struct inv_reservation_view view;
		cr_assert(inv_reservation_get(w.inv, op.id, w.now.t_us, &view));
		cr_assert_eq(view.external_ref.size_bytes, size);
		cr_assert_arr_eq(view.external_ref.bytes, reference, size);
		cr_assert_eq(view.payment_ref.size_bytes, size);
		cr_assert_arr_eq(view.payment_ref.bytes, payment, size);
		sales_agree(&w);
		cr_assert_eq(sales_cancel(&w, op.id, false), KEYRACK_DONE);
		w.now.t_us += INV_RETENTION_US / 8;
		line.check_in = world_day(2026, 11, 25) + (int32_t)size / 8;
		line.check_out = line.check_in + 1;
		(void)sales_due(&w);
	}
	world_fini(&w);
}

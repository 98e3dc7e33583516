#include <stdlib.h>

#include "engine/inventory/priv.h"
#include "engine/inventory/product.h"
#include "engine/inventory/records.h"
#include "tests/unit/inventory/sales.h"

/*
 * inv_verify recounts everything: each thing that is spoilt here must be found and named. The
 * inventory is one flat region, so what was spoilt is put back by copying.
 */

#define OTHER_HOTEL (WORLD_HOTEL + 1)
#define OWN 3  /* a plan with prices of its own and terms */
#define LESS 7 /* derived from OWN */
#define BIT(n) (UINT64_C(1) << (n))

static struct world w;
static uint8_t *sound;
static int32_t today;
/* Records: two live holds, a booking with terms, one whose nights are over, a released, a VOID. */
static uint32_t held, held_later, booked, over, released, nobody;

static void copy(uint8_t *to, const void *from)
{
	memcpy(to, from, inv_memory_size(&w.config));
}

static void found(const char *what)
{
	cr_assert_eq(inv_verify(w.inv, &w.contradiction), INV_CONTRADICTION, "%s", what);
	cr_assert_str_eq(w.contradiction.what, what);
	copy(w.memory, sound);
}

#define FOUND(what, spoil)                                                                         \
	do {                                                                                       \
		spoil;                                                                             \
		found(what);                                                                       \
	} while (0)

static uint32_t record_of(struct kr_id id)
{
	const uint32_t r = inv_record_seek(w.inv, INV_NONE, id);
	cr_assert_neq(r, INV_NONE);
	return r;
}

static void put_hotels(void)
{
	struct inv_hotel_op hotel = hotel_op(OTHER_HOTEL);
	struct inv_type_op type = type_op(1);
	cr_assert_eq(world_hotel_put(&w, &hotel), KEYRACK_DONE);
	type.hotel.v = OTHER_HOTEL;
	cr_assert_eq(world_type_put(&w, &type), KEYRACK_DONE);
}

static void put_plans(void)
{
	struct inv_plan_op op = {
		.hotel = {WORLD_HOTEL}, .type = 1, .plan = OWN, .mask = INV_PLAN_TIERS};
	op.settings.tier_count = 2;
	op.settings.tiers[0] = (struct inv_tier){72, 0, 5000};
	op.settings.tiers[1] = (struct inv_tier){24, 0, 10000};
	cr_assert_eq(world_plan_put(&w, &op), KEYRACK_DONE);
	op = (struct inv_plan_op){.hotel = {WORLD_HOTEL},
		.type = 1,
		.plan = LESS,
		.mask = INV_PLAN_PARENT | INV_PLAN_DERIVATION | INV_PLAN_ADJUSTMENT};
	op.settings.parent = OWN;
	op.settings.derivation = INV_PRICES_PLUS_POINTS;
	op.settings.adjustment = -1000;
	cr_assert_eq(world_plan_put(&w, &op), KEYRACK_DONE);
}

static void put_calendar(void)
{
	const uint16_t type = 1;
	struct inv_update_op op = update_op(&type, 1, today + 10, today + 12);
	op.update.set_mask = INV_UPDATE_OUT_OF_ORDER | INV_UPDATE_MIN_ARRIVAL;
	op.update.out_of_order = 1;
	op.update.los.min_arrival = 2;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	op = update_op(&type, 1, today, today + 12);
	op.update.plan = OWN;
	op.update.set_mask = INV_UPDATE_PRICE;
	op.update.price_minor = 5000;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
}

static uint32_t sell_hold(uint64_t random, uint64_t ttl_us)
{
	const struct inv_line line = stay_line(2, today + 5, today + 7);
	struct inv_reserve_op op = hold_op(&w, random, &line, 1);
	op.ttl_us = ttl_us;
	op.guest = (struct inv_guest_id){.hi = 1, .lo = random};
	op.external_ref = random == 1 ? text("OTA-1") : text("");
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	return record_of(op.id);
}

static uint32_t sell_under_terms(void)
{
	struct inv_line line = stay_line(1, today + 5, today + 7);
	line.plan = OWN;
	line.pricing = INV_PRICE_CALENDAR;
	struct inv_reserve_op op = book_op(&w, 5, &line, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	return record_of(op.id);
}

static void begin(void)
{
	world_init(&w, NULL);
	world_standard(&w, 2, 5);
	today = world_day(2026, 11, 22);
	put_hotels();
	const struct kr_id past = sales_book(&w, 9, 2, today, today + 1);
	over = record_of(past);
	world_time(&w, 2026, 11, 25, 12, 0);
	sales_due(&w);
	today += 3;
	put_plans();
	put_calendar();
	held = sell_hold(1, 10 * MINUTE_US);
	held_later = sell_hold(2, 12 * MINUTE_US);
	booked = sell_under_terms();
	const struct kr_id given_back = sales_hold(&w, 6, 2, today + 5, today + 7);
	cr_assert_eq(sales_release(&w, given_back), KEYRACK_DONE);
	released = record_of(given_back);
	const struct kr_id none = sales_id_at(w.now.t_us, UINT64_C(123456), 3);
	sales_resolve(&w, none);
	nobody = record_of(none);
	cr_assert_eq(inv_record_at(w.inv, nobody)->hotel_index, INV_NONE);
	sales_agree(&w);
	sound = malloc(inv_memory_size(&w.config));
	cr_assert_not_null(sound);
	copy(sound, w.memory);
}

static void end(void)
{
	sales_agree(&w);
	free(sound);
	world_fini(&w);
}

TestSuite(verify, .init = begin, .fini = end);

static struct inv_cell *cell(uint32_t row, int32_t offset)
{
	return &inv_row_cells(w.inv, row)[inv_ring(w.inv, today + offset)];
}

Test(verify, finds_what_is_wrong_with_a_night)
{
	FOUND("a cell has unknown flags", cell(0, 0)->counter |= BIT(63));
	FOUND("a cell has unknown flags", cell(0, 0)->rate |= BIT(63));
	FOUND("an unpriced night has a price", cell(1, 3)->rate = 5);
	FOUND("a capped night is not loaded",
		cell(0, 1)->counter = (cell(0, 1)->counter & ~((uint64_t)CELL_LOADED << 48)) |
				      (uint64_t)CELL_EXPLICIT_CAP << 48);
	FOUND("a night is loaded, or not, against its stock",
		cell(0, 1)->counter ^= (uint64_t)CELL_LOADED << 48);
	FOUND("a limit is not what its stock makes it", cell(0, 1)->counter ^= 1);
	FOUND("a cell names a class that is free", cell(0, 1)->rate |= UINT64_C(200) << 40);
	FOUND("held is not the sum of the live holds", cell(1, 5)->counter += BIT(16));
	FOUND("booked is not the sum of the bookings", cell(0, 5)->counter += BIT(32));
	cell(0, 4)->counter ^= 1;
	cr_assert_eq(inv_verify(w.inv, &w.contradiction), INV_CONTRADICTION);
	cr_assert_eq(w.contradiction.day, today + 4);
	cr_assert_eq(w.contradiction.hotel.v, WORLD_HOTEL);
	copy(w.memory, sound);
}

static struct inv_plan *plan(uint16_t number)
{
	return inv_plan_at(w.inv, inv_plan_find(w.inv, 0, number));
}

Test(verify, finds_what_is_wrong_with_a_rate_plan)
{
	_Atomic uint64_t *nights = inv_rates_row(w.inv, plan(OWN)->rates);
	FOUND("a rate plan is not found", plan(OWN)->number = 4);
	FOUND("rate plans are out of order", plan(LESS)->number = 2);
	FOUND("a rate plan's setting is out of range", plan(OWN)->status = 9);
	FOUND("a rate plan has no nights", plan(OWN)->rates = w.inv->rates_count);
	FOUND("a rate plan derives from none", plan(LESS)->parent = 9);
	FOUND("a rate plan derives from another's nights", plan(LESS)->rates = INV_NONE);
	FOUND("a plan's night has unknown flags", nights[3] |= BIT(63));
	FOUND("an unpriced night has a price", nights[3] = 5);
	FOUND("a plan's night names a class that is free", nights[3] |= UINT64_C(200) << 40);
	FOUND("the count of rate plans is wrong", inv_row_at(w.inv, 0)->plan_count++);
}

Test(verify, finds_what_is_wrong_with_a_hotel_and_its_types)
{
	struct inv_hotel *hotel = inv_hotel_at(w.inv, 0);
	struct inv_row *row = inv_row_at(w.inv, 1);
	FOUND("a hotel is not found by its id", hotel->id += 5);
	FOUND("a hotel's numbers are out of range", hotel->event_seq = 0);
	FOUND("a hotel's numbers are out of range", hotel->ari_version = hotel->event_seq + 1);
	FOUND("a hotel has no place among the day rolls",
		inv_hotel_cold_at(w.inv, 0)->roll_pos = 5);
	FOUND("day rolls are out of order",
		inv_hotel_cold_at(w.inv, inv_rolls(w.inv)[1])->next_roll_us = 1);
	FOUND("a row is out of order or not found", row->type = 9);
	FOUND("the count of room types is wrong", hotel->row_count++);
}

Test(verify, finds_a_run_of_stock_that_was_not_joined_to_its_neighbour)
{
	struct inv_row *row = inv_row_at(w.inv, 0);
	struct inv_stock_run *runs = inv_stock_runs(w.inv), *first = &runs[row->run_head];
	const uint32_t unused = w.inv->run_pool.fresh++;
	cr_assert(row->run_count == 1 && first->last_day == first->first_day + 2);
	runs[unused] = *first;
	runs[unused].first_day = first->last_day--;
	first->next = unused;
	row->run_count++;
	found("stock runs could be fewer");
}

Test(verify, finds_what_is_wrong_with_the_tables)
{
	FOUND("the count of day rolls is wrong", w.inv->roll_count++);
	FOUND("the count of stock runs is wrong", w.inv->run_pool.used++);
	FOUND("a class is not found", inv_classes(w.inv)[1].min_arrival++);
	FOUND("classes are counted wrongly", w.inv->class_count++);
	FOUND("classes are counted wrongly", inv_class_uses(w.inv)[1]++);
	FOUND("records in use", w.inv->record_pool.used++);
	FOUND("records in the index", w.inv->record_index.used++);
	FOUND("holds in the heap", w.inv->hold_heap_count++);
	FOUND("records to retire", w.inv->retirement_count++);
	FOUND("nodes in use", w.inv->node_pool.used++);
	FOUND("references in the index", w.inv->external_index.used++);
	FOUND("guests with live holds", w.inv->guest_count = 0);
}

static struct inv_record *record(uint32_t r)
{
	return inv_record_at(w.inv, r);
}

Test(verify, finds_what_is_wrong_with_a_reservation)
{
	FOUND("a record's state or revision is none", record(booked)->revision = 0);
	FOUND("the index does not find the record", record(booked)->id.lo ^= 1);
	FOUND("the record's hotel is unknown", record(nobody)->hotel_index = 5);
	FOUND("a record has no lines, or a VOID has some", record(nobody)->line_count = 1);
	FOUND("a line's room type is another hotel's", record(released)->product = 2);
	FOUND("a line's room type is another hotel's", record(released)->product = 40);
	FOUND("a line is empty", record(released)->nights = 0);
	FOUND("a live reservation does not count all its nights", record(over)->counted_nights = 0);
	FOUND("an ended reservation still counts", record(released)->counted_nights = 1);
	record(booked)->revision = 0;
	cr_assert_eq(inv_verify(w.inv, &w.contradiction), INV_CONTRADICTION);
	cr_assert(kr_id_equal(w.contradiction.id, record(booked)->id));
	cr_assert_eq(w.contradiction.hotel.v, WORLD_HOTEL);
	copy(w.memory, sound);
}

Test(verify, finds_a_reservation_that_waits_for_the_wrong_instant)
{
	struct inv_deadline *holds = inv_holds(w.inv) + INV_DEADLINE_LEAD;
	FOUND("a record stands in no heap", record(held)->heap_pos = 60);
	FOUND("a record does not stand where it thinks",
		record(released)->heap_pos = record(booked)->heap_pos);
	FOUND("a hold waits for another instant", record(held)->expires_at_us++);
	FOUND("a record waits for another instant", record(released)->changed_at_us += SECOND_US);
	cr_assert_eq(holds[0].record, held);
	holds[0].due_us = record(held)->expires_at_us = record(held_later)->expires_at_us + 1;
	found("a heap of instants is out of order");
}

static struct inv_node *node(uint32_t r, uint8_t kind)
{
	uint32_t n = record(r)->more;
	while (n != INV_NONE && inv_nodes(w.inv)[n].kind != kind)
		n = inv_nodes(w.inv)[n].next;
	cr_assert_neq(n, INV_NONE);
	return &inv_nodes(w.inv)[n];
}

Test(verify, finds_what_is_wrong_with_terms_references_and_guests)
{
	FOUND("terms without tiers, or without an arrival", node(booked, INV_NODE_TERMS)->size = 0);
	FOUND("terms without tiers, or without an arrival",
		node(booked, INV_NODE_TERMS)->u.terms.arrival_us = 0);
	FOUND("a tier does not begin after the one before it",
		node(booked, INV_NODE_TERMS)->u.terms.tiers[1].hours = 72);
	FOUND("the reference finds another record",
		node(held, INV_NODE_EXTERNAL_REF)->u.bytes[0] = 'X');
	for (uint32_t i = 0; i < inv_index_slot_count(w.config.reservations_max); i++)
		inv_guest_holds(w.inv)[i].count = 0;
	found("a guest's live hold is not counted");
}

Test(verify, finds_a_broken_chain_of_reservations)
{
	static const char what[] = "a chain of records does not have its count";
	struct inv_hotel *hotel = inv_hotel_at(w.inv, 0);
	FOUND(what, w.inv->void_count++);
	FOUND(what, w.inv->void_head = released);
	FOUND(what, hotel->record_count++);
	FOUND(what, hotel->hold_count++);
	const uint32_t count = hotel->record_count++;
	found(what);
	cr_assert_eq(w.contradiction.hotel.v, WORLD_HOTEL);
	cr_assert_eq(w.contradiction.expected, count + 1);
	cr_assert_eq(w.contradiction.found, count);
	FOUND(what, record(hotel->kept_head)->chain_prev = 50);
	FOUND(what, record(record(hotel->kept_head)->chain_next)->chain_prev = 50);
}

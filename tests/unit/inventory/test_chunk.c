#include "world.h"

#include <stdlib.h>

#include "base/rng.h"

static struct world w;
static int32_t today;

#define CHUNK_SIZE_MAX (UINT32_C(1) << 20)
static uint8_t bytes[CHUNK_SIZE_MAX], again[CHUNK_SIZE_MAX];

static void begin(void)
{
	world_init(&w, NULL);
	world_standard(&w, 3, 10);
	today = world_day(2026, 11, 22);
}

static void end(void)
{
	world_agree(&w);
	world_fini(&w);
}

TestSuite(chunk, .init = begin, .fini = end);

static size_t save(const struct inv *inv, uint32_t chunk, uint8_t *to)
{
	struct kr_writer writer;
	uint64_t size_max = inv_chunk_size_max(inv, chunk);
	cr_assert_leq(size_max, CHUNK_SIZE_MAX);
	kr_writer_init(&writer, to, size_max);
	inv_chunk_save(inv, chunk, &writer);
	cr_assert_not(writer.failed);
	return kr_writer_size(&writer);
}

static int load(struct inv *inv, const uint8_t *from, size_t size, uint64_t lsn, uint64_t digest)
{
	struct kr_reader reader;
	kr_reader_init(&reader, from, size);
	int r = inv_chunk_load(inv, &reader, lsn, digest, &w.contradiction);
	cr_assert(r != 0 || kr_reader_done(&reader));
	return r;
}

/* Every chunk of `from` into an empty inventory. */
static struct inv *copy_of(const struct inv *from, const struct inv_config *config, void **memory)
{
	struct world other = w;
	other.config = *config;
	struct inv *to = world_inventory_new(&other, memory);
	for (uint32_t c = 0; c < inv_chunk_count(from); c++) {
		size_t size = save(from, c, bytes);
		int r = load(to, bytes, size, inv_chunk_lsn(from, c), inv_chunk_digest(from, c));
		cr_assert_eq(r, 0, "chunk %u: %s", c, w.contradiction.what);
	}
	return to;
}

/* Plan 4 of types 1 and 2 has prices of its own, plan 9 of type 1 derives from it, plan 6 of type 3
 * from plan 0; each has terms. */
static void decorate_plans(struct rng *rng)
{
	static const struct {
		uint16_t type, plan, parent;
		uint8_t derivation;
	} plans[] = {{1, 4, 0, INV_PRICES_OWN}, {2, 4, 0, INV_PRICES_OWN},
		{1, 9, 4, INV_PRICES_PLUS_POINTS}, {3, 6, 0, INV_PRICES_PLUS_MINOR}};
	for (size_t i = 0; i < KR_ARRAY_COUNT(plans); i++) {
		struct inv_plan_op op = {.hotel = {WORLD_HOTEL}, .type = plans[i].type};
		op.plan = plans[i].plan;
		op.mask = INV_PLAN_MASK;
		op.settings = (struct inv_plan_settings){
			.code = text("FLEXIBLE"), .status = (uint8_t)(1 + rng_below(rng, 3))};
		op.settings.code.size_bytes -= (uint32_t)i;
		op.settings.parent = plans[i].parent;
		op.settings.derivation = plans[i].derivation;
		op.settings.adjustment =
			plans[i].derivation == 0 ? 0 : (int64_t)rng_below(rng, 9000) - 4500;
		op.settings.advance_min_minutes = (uint32_t)rng_below(rng, 70000);
		op.settings.tier_count = (uint8_t)rng_below(rng, 3);
		op.settings.tiers[0] = (struct inv_tier){.hours = 300, .basis_points = 5000};
		op.settings.tiers[1] = (struct inv_tier){.hours = 24, .nights = 2};
		cr_assert_eq(world_plan_put(&w, &op), KEYRACK_DONE, "%s", w.answer.refusal.text);
	}
}

static void decorate(struct rng *rng)
{
	decorate_plans(rng);
	for (int i = 0; i < 60; i++) {
		uint16_t type = (uint16_t)(1 + rng_below(rng, 3));
		uint16_t plan = type != 3 && rng_below(rng, 2) != 0 ? 4 : 0;
		int32_t first = today + (int32_t)rng_below(rng, 40);
		struct inv_update_op op = update_op(&type, 1, first,
			first + (int32_t)rng_below(rng, (uint64_t)(today + 40 - first)));
		op.update.plan = plan;
		op.update.set_mask =
			(uint32_t)rng_next(rng) & INV_UPDATE_MASK & ~INV_UPDATE_AVAILABLE;
		op.update.set_mask |= INV_UPDATE_PRICE;
		op.update.weekday_mask = (uint8_t)(1 + rng_below(rng, 127));
		op.update.physical = (int64_t)rng_below(rng, 400);
		op.update.out_of_order = (int64_t)rng_below(rng, 3);
		op.update.allowance = (int64_t)rng_below(rng, 9) - 4;
		op.update.allowance_unit = (uint8_t)(1 + rng_below(rng, 2));
		op.update.cap = (int64_t)rng_below(rng, 600) - 200;
		op.update.closed = rng_below(rng, 2) != 0;
		op.update.plan_cta = rng_below(rng, 2) != 0;
		op.update.price_minor =
			(int64_t)rng_below(rng, RATE_PRICE_MAX) >> rng_below(rng, 40);
		op.update.los.min_arrival = (uint16_t)rng_below(rng, 4);
		op.update.los.max_through = (uint16_t)rng_below(rng, 70000);
		op.update.source = (uint32_t)rng_below(rng, 5);
		op.update.source_seq = op.update.source == 0 ? 0 : (uint64_t)i + 1;
		cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	}
}

Test(chunk, state_comes_back_as_it_was)
{
	struct rng rng;
	void *memory;
	rng_init(&rng, 11);
	char code[INV_TEXT_SIZE_MAX + 1] =
		"a code as long as codes may be, which is sixty-four bytes of it!";
	struct inv_hotel_op coded = hotel_op(hotel_id_of_code(code, INV_TEXT_SIZE_MAX).v);
	coded.mask |= INV_HOTEL_CODE;
	coded.settings.code = text(code);
	cr_assert_eq(world_hotel_put(&w, &coded), KEYRACK_DONE);
	for (uint64_t id = 1; id < 6; id++) {
		struct inv_hotel_op op = hotel_op(id * 31);
		op.settings.zone = text("America/New_York");
		cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE);
	}
	for (int round = 0; round < 20; round++) {
		decorate(&rng);
		w.now.t_us += 2 * DAY_US;
		today += 2;
		world_roll(&w);
		struct inv *copy = copy_of(w.inv, &w.config, &memory);
		cr_assert_eq(inv_digest(copy), inv_digest(w.inv));
		cr_assert_eq(inv_verify(copy, &w.contradiction), 0, "%s", w.contradiction.what);
		cr_assert_eq(inv_due_next_us(copy), inv_due_next_us(w.inv));
		for (uint32_t c = 0; c < inv_chunk_count(copy); c++) {
			size_t size = save(copy, c, again);
			cr_assert_eq(size, save(w.inv, c, bytes));
			cr_assert_arr_eq(again, bytes, size, "the same bytes again");
			cr_assert_eq(inv_chunk_hotel(copy, c).v, inv_chunk_hotel(w.inv, c).v);
			cr_assert_eq(inv_chunk_lsn(copy, c), inv_chunk_lsn(w.inv, c));
		}
		free(memory);
	}
}

Test(chunk, equal_nights_are_one_run)
{
	size_t bare = save(w.inv, 1, bytes);
	struct inv_update_op op = update_op(NULL, 0, today, today + 39);
	op.update.set_mask = INV_UPDATE_PRICE | INV_UPDATE_MIN_ARRIVAL;
	op.update.price_minor = 9900;
	op.update.los.min_arrival = 2;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	/* length, skip, head, flags; three counts; flags and price; four limits */
	cr_assert_eq(save(w.inv, 1, bytes), bare + (size_t)3 * (4 + 3 + 5 + 4));
	op = update_op(NULL, 0, today + 5, today + 5);
	op.update.clear_mask = INV_UPDATE_PRICE | INV_UPDATE_MIN_ARRIVAL;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	cr_assert_eq(save(w.inv, 1, bytes), bare + (size_t)6 * (4 + 3 + 5 + 4));
}

Test(chunk, values_are_written_as_narrow_as_they_are)
{
	static const struct {
		int64_t cap, price_minor;
		uint16_t min_arrival, held;
		size_t size;
	} cases[] = {
		{0, 0, 255, 0, 4 + 3 + 5 + 4},
		{255, UINT32_MAX, 1, 255, 4 + 3 + 5 + 4},
		{256, 1, 1, 0, 4 + 6 + 5 + 4},
		{-1, 1, 1, 0, 4 + 6 + 5 + 4},
		{1, (int64_t)UINT32_MAX + 1, 1, 0, 4 + 3 + 6 + 4},
		{1, 1, 256, 0, 4 + 3 + 5 + 8},
		{1, 1, 0, 256, 4 + 6 + 5},
	};
	size_t bare = save(w.inv, 1, bytes);
	const uint16_t types[] = {2};
	for (size_t i = 0; i < KR_ARRAY_COUNT(cases); i++) {
		struct inv_update_op op = update_op(types, 1, today + 3, today + 3);
		op.update.set_mask = INV_UPDATE_CAP | INV_UPDATE_PRICE | INV_UPDATE_MIN_ARRIVAL;
		op.update.cap = cases[i].cap;
		op.update.price_minor = cases[i].price_minor;
		op.update.los.min_arrival = cases[i].min_arrival;
		cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
		world_sell(&w, 2, today + 3, cases[i].held, 0);
		cr_assert_eq(save(w.inv, 1, bytes) - bare, cases[i].size, "case %zu", i);
	}
	world_sell(&w, 2, today + 3, 0, 0);
}

/* Each part of a night alone: cap, stop-sell, price, limits of stay, sales. */
Test(chunk, nights_of_every_kind_come_back)
{
	static const uint32_t fields[] = {INV_UPDATE_CAP, INV_UPDATE_CLOSED, INV_UPDATE_PRICE,
		INV_UPDATE_PLAN_CTA, INV_UPDATE_MAX_ARRIVAL, INV_UPDATE_PHYSICAL};
	const uint16_t types[] = {1};
	void *memory;
	for (int32_t n = 0; n < 6; n++) {
		struct inv_update_op op = update_op(types, 1, today + n, today + n);
		op.update.set_mask = fields[n];
		op.update.closed = op.update.plan_cta = true;
		op.update.los.max_arrival = 5;
		cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	}
	world_sell(&w, 1, today + 7, 1, 2);
	struct inv *copy = copy_of(w.inv, &w.config, &memory);
	cr_assert_eq(inv_digest(copy), inv_digest(w.inv));
	for (uint32_t c = 0; c < inv_chunk_count(copy); c++) {
		size_t size = save(copy, c, again);
		cr_assert_eq(size, save(w.inv, c, bytes));
		cr_assert_arr_eq(again, bytes, size);
	}
	world_sell(&w, 1, today + 7, 0, 0);
	free(memory);
}

/* A long window, a type that was never loaded, runs and gaps of hundreds of nights. */
Test(chunk, long_runs_and_bare_types_come_back)
{
	static const struct {
		int32_t first, last;
	} spans[] = {{0, 126}, {127, 127}, {128, 300}, {429, 429}, {558, 730}};
	const uint16_t types[] = {9};
	struct inv_config config = world_config();
	void *memory;
	world_fini(&w);
	config.window_nights = 731;
	world_init(&w, &config);
	world_standard(&w, 1, 3);
	struct inv_type_op bare = type_op(9);
	cr_assert_eq(world_type_put(&w, &bare), KEYRACK_DONE);
	for (size_t i = 0; i < KR_ARRAY_COUNT(spans); i++) {
		struct inv_update_op op =
			update_op(types, 1, today + spans[i].first, today + spans[i].last);
		op.update.set_mask = i % 2 == 0 ? INV_UPDATE_CLOSED : INV_UPDATE_PRICE;
		op.update.closed = true;
		cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	}
	struct inv *copy = copy_of(w.inv, &w.config, &memory);
	cr_assert_eq(inv_digest(copy), inv_digest(w.inv));
	size_t size = save(copy, 1, again);
	cr_assert_eq(size, save(w.inv, 1, bytes));
	cr_assert_arr_eq(again, bytes, size);
	free(memory);
}

Test(chunk, never_writes_past_its_writer)
{
	struct rng rng;
	struct kr_writer writer;
	rng_init(&rng, 16);
	decorate(&rng);
	size_t size = save(w.inv, 1, bytes);
	for (size_t room = 0; room < size; room++) {
		memset(again, 0xee, size + 8);
		kr_writer_init(&writer, again, room);
		inv_chunk_save(w.inv, 1, &writer);
		cr_assert(writer.failed, "%zu of %zu bytes", room, size);
		cr_assert_eq(again[room], 0xee);
		cr_assert_leq(kr_writer_size(&writer), room);
	}
}

Test(chunk, what_follows_applies_to_the_copy_alike)
{
	struct rng rng;
	void *memory;
	rng_init(&rng, 12);
	decorate(&rng);
	uint64_t stamp = w.lsn;
	struct inv_update_op op = update_op(NULL, 0, today, today + 20);
	op.update.set_mask = INV_UPDATE_MAX_ARRIVAL;
	op.update.los.max_arrival = 77;
	struct inv *copy = copy_of(w.inv, &w.config, &memory);
	struct inv_effect old = w.effect;
	cr_assert_eq(inv_apply(copy, &old, &w.contradiction), 0, "at its stamp: skipped");
	cr_assert_eq(inv_digest(copy), inv_digest(w.inv));
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.effect.lsn, stamp + 1);
	cr_assert_eq(inv_apply(copy, &w.effect, &w.contradiction), 0, "%s", w.contradiction.what);
	cr_assert_eq(inv_digest(copy), inv_digest(w.inv));
	free(memory);
}

Test(chunk, later_effects_than_the_stamp_are_not_skipped)
{
	void *memory;
	struct world other = w;
	struct inv *copy = world_inventory_new(&other, &memory);
	size_t shard_size = save(w.inv, 0, bytes);
	cr_assert_eq(load(copy, bytes, shard_size, 0, inv_chunk_digest(w.inv, 0)), 0);
	size_t size = save(w.inv, 1, bytes);
	cr_assert_eq(load(copy, bytes, size, 900, inv_chunk_digest(w.inv, 1)), 0);
	cr_assert_eq(inv_chunk_lsn(copy, 1), 900, "a stamp may be later than the last effect");
	struct inv_update_op op = update_op(NULL, 0, today, today);
	op.update.set_mask = INV_UPDATE_CLOSED;
	cr_assert_eq(inv_update_judge(w.inv, w.now, &op, &w.effect, &w.answer), INV_EFFECT);
	w.effect.lsn = 901;
	cr_assert_eq(inv_apply(copy, &w.effect, &w.contradiction), 0);
	struct inv_hotel_view view;
	cr_assert(inv_hotel_get(copy, (struct hotel_id){WORLD_HOTEL}, &view));
	cr_assert_eq(view.event_seq, 5);
	free(memory);
}

Test(chunk, digest_sees_every_change)
{
	uint64_t seen[64];
	uint32_t count = 0;
	const uint16_t types[] = {2};
	seen[count++] = inv_digest(w.inv);
	for (uint32_t bit = 0; bit < 15; bit++) {
		struct inv_update_op op = update_op(types, 1, today + 3, today + 3);
		op.update.set_mask = 1u << bit;
		op.update.physical = 10;
		op.update.out_of_order = op.update.allowance = op.update.cap = 0;
		op.update.allowance_unit = INV_ALLOWANCE_BASIS_POINTS;
		op.update.closed = op.update.cta = op.update.ctd = true;
		op.update.plan_closed = op.update.plan_cta = op.update.plan_ctd = true;
		op.update.los = (struct los_class){1, 1, 1, 1};
		cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
		seen[count++] = inv_digest(w.inv);
	}
	struct inv_type_op type = type_op(3);
	for (uint32_t bit = 0; bit < 11; bit++) {
		type.mask = 1u << bit;
		type.settings = (struct inv_type_settings){.code = text("X"),
			.status = 2,
			.plan_status = 2,
			.allowance_unit = 2,
			.physical = 11,
			.cap = 3,
			.guests_max = 2,
			.advance_min_minutes = 5,
			.advance_max_minutes = 6};
		cr_assert_eq(world_type_put(&w, &type), KEYRACK_DONE);
		seen[count++] = inv_digest(w.inv);
	}
	for (uint32_t bit = 0; bit < 8; bit++) {
		struct inv_plan_op plan = {.hotel = {WORLD_HOTEL}, .type = 3, .plan = 5};
		plan.mask = bit < 4 || bit == 7 ? 1u << bit : 0;
		plan.settings = (struct inv_plan_settings){.code = text("Y"),
			.status = 2,
			.advance_min_minutes = 5,
			.advance_max_minutes = 6,
			.tier_count = 1,
			.tiers = {{24, 1, 0}}};
		cr_assert_eq(world_plan_put(&w, &plan), KEYRACK_DONE);
		seen[count++] = inv_digest(w.inv);
	}
	world_sell(&w, 1, today, 1, 0);
	seen[count++] = inv_digest(w.inv);
	world_sell(&w, 1, today, 0, 1);
	seen[count++] = inv_digest(w.inv);
	world_sell(&w, 1, today, 0, 0);
	w.now.t_us += DAY_US;
	world_roll(&w);
	seen[count++] = inv_digest(w.inv);
	for (uint32_t a = 0; a < count; a++) {
		for (uint32_t b = 0; b < a; b++)
			cr_assert_neq(seen[a], seen[b], "%u and %u", a, b);
	}
}

Test(chunk, window_may_be_longer_where_it_is_loaded)
{
	struct rng rng;
	void *memory;
	struct inv_config longer = w.config;
	rng_init(&rng, 13);
	decorate(&rng);
	longer.window_nights = 100;
	struct inv *copy = copy_of(w.inv, &longer, &memory);
	cr_assert_eq(inv_digest(copy), inv_digest(w.inv), "nights nobody spoke of are no state");
	cr_assert_eq(inv_verify(copy, &w.contradiction), 0);
	free(memory);
}

Test(chunk, tables_too_small_say_so)
{
	struct rng rng;
	rng_init(&rng, 14);
	decorate(&rng);
	size_t size = save(w.inv, 1, bytes);
	uint64_t digest = inv_chunk_digest(w.inv, 1);
	for (int which = 0; which < 5; which++) {
		void *memory;
		struct world other = w;
		other.config.rows_max = which == 0 ? 2 : 64;
		other.config.stock_runs_max = which == 1 ? 5 : 256;
		other.config.window_nights = which == 2 ? 20 : 40;
		other.config.hotels_max = which == 3 ? 1 : 8;
		other.config.plans_max = which == 4 ? 3 : 16;
		struct inv *copy = world_inventory_new(&other, &memory);
		if (which == 3) {
			struct inv_hotel_op op = hotel_op(5);
			cr_assert_eq(inv_hotel_judge(copy, w.now, &op, &w.effect, &w.answer),
				INV_EFFECT);
			w.effect.lsn = 1;
			cr_assert_eq(inv_apply(copy, &w.effect, &w.contradiction), 0);
		}
		cr_assert_eq(load(copy, bytes, size, 5, digest), INV_NO_ROOM, "%d", which);
		free(memory);
	}
}

/* A load that fails must say so, and never crash or loop, whatever the bytes. */
Test(chunk, damage_is_found, .timeout = 120)
{
	struct rng rng;
	uint64_t loaded = 0;
	rng_init(&rng, 15);
	decorate(&rng);
	for (uint32_t chunk = 0; chunk < 2; chunk++) {
		size_t size = save(w.inv, chunk, bytes);
		uint64_t digest = inv_chunk_digest(w.inv, chunk);
		void *memory;
		struct world other = w;
		struct inv *copy = world_inventory_new(&other, &memory);
		uint64_t memory_size = inv_memory_size(&w.config);
		void *fresh = malloc(memory_size);
		cr_assert_not_null(fresh);
		memcpy(fresh, memory, memory_size);
		for (size_t at = 0; at < size; at++) {
			for (int kind = 0; kind < 3; kind++) {
				memcpy(again, bytes, size);
				if (kind == 0)
					again[at] ^= (uint8_t)(1u << rng_below(&rng, 8));
				if (kind == 1)
					again[at] = (uint8_t)rng_next(&rng);
				size_t cut = kind == 2 ? at : size;
				if (kind != 2 && again[at] == bytes[at])
					continue;
				memcpy(memory, fresh, memory_size);
				struct kr_reader reader;
				kr_reader_init(&reader, again, cut);
				int r = inv_chunk_load(copy, &reader, 5, digest, &w.contradiction);
				loaded += r == 0;
				cr_assert(r == INV_CONTRADICTION || r == INV_NO_ROOM,
					"byte %zu kind %d", at, kind);
			}
		}
		free(fresh);
		free(memory);
	}
	cr_assert_eq(loaded, 0);
}

Test(chunk, a_hotel_or_the_shard_cannot_come_twice)
{
	size_t size = save(w.inv, 1, bytes);
	cr_assert_eq(load(w.inv, bytes, size, 5, inv_chunk_digest(w.inv, 1)), INV_CONTRADICTION);
	cr_assert_eq(w.contradiction.hotel.v, WORLD_HOTEL);
	size = save(w.inv, 0, bytes);
	cr_assert_eq(load(w.inv, bytes, size, 5, inv_chunk_digest(w.inv, 0)), INV_CONTRADICTION);
}

Test(chunk, a_recorded_digest_is_held_against_the_state)
{
	struct inv_effect e = {.kind = INV_EFFECT_DIGEST, .t_us = w.now.t_us};
	e.lsn = ++w.lsn;
	e.u.digest.state_digest = inv_digest(w.inv);
	cr_assert_eq(inv_apply(w.mirror, &e, &w.contradiction), 0);
	cr_assert_eq(inv_apply(w.inv, &e, &w.contradiction), 0);
	e.lsn = ++w.lsn;
	cr_assert_eq(inv_apply(w.inv, &e, &w.contradiction), 0, "the effect itself is no state");
	e.u.digest.state_digest++;
	e.lsn = ++w.lsn;
	cr_assert_eq(inv_apply(w.inv, &e, &w.contradiction), INV_CONTRADICTION);
	cr_assert_eq(inv_chunk_lsn(w.inv, 0), w.lsn - 1);
	/* Below the newest stamp of a loaded chunk, hotels show different instants. */
	void *memory;
	struct inv *copy = copy_of(w.inv, &w.config, &memory);
	e.lsn = w.lsn - 1;
	cr_assert_eq(inv_apply(copy, &e, &w.contradiction), 0);
	e.lsn = w.lsn;
	cr_assert_eq(inv_apply(copy, &e, &w.contradiction), INV_CONTRADICTION);
	free(memory);
}

Test(chunk, verify_finds_what_is_wrong)
{
	struct inv_hotel_view view;
	cr_assert(inv_hotel_get(w.inv, (struct hotel_id){WORLD_HOTEL}, &view));
	world_sell(&w, 1, today + 2, 1, 0);
	cr_assert_eq(inv_verify(w.inv, &w.contradiction), INV_CONTRADICTION);
	cr_assert_eq(w.contradiction.day, today + 2);
	cr_assert_eq(w.contradiction.hotel.v, WORLD_HOTEL);
	cr_assert_eq(w.contradiction.found, 1);
	world_sell(&w, 1, today + 2, 0, 1);
	cr_assert_eq(inv_verify(w.inv, &w.contradiction), INV_CONTRADICTION);
	world_sell(&w, 1, today + 2, 0, 0);
	cr_assert_eq(inv_verify(w.inv, &w.contradiction), 0);
}

Test(chunk, start_and_unknown_kinds)
{
	struct inv_effect e = {.kind = INV_EFFECT_START, .t_us = w.now.t_us + 5};
	struct inv_counts counts;
	e.lsn = ++w.lsn;
	cr_assert_eq(inv_apply(w.inv, &e, &w.contradiction), 0);
	cr_assert_eq(inv_apply(w.mirror, &e, &w.contradiction), 0);
	inv_counts_get(w.inv, &counts);
	cr_assert_eq(counts.last_t_us, w.now.t_us + 5);
	cr_assert_eq(counts.last_lsn, w.lsn);
	e.lsn = ++w.lsn;
	static const int kinds[] = {0, INV_EFFECT_TRUNCATE, INV_EFFECT_LAST + 1, 1000};
	for (size_t i = 0; i < KR_ARRAY_COUNT(kinds); i++) {
		e.kind = (enum inv_effect_kind)kinds[i];
		cr_assert_eq(world_apply(&w, &e), INV_CONTRADICTION);
	}
	e.kind = INV_EFFECT_START;
	e.hotel.v = WORLD_HOTEL;
	e.event_seq = 5;
	cr_assert_eq(world_apply(&w, &e), INV_CONTRADICTION, "a start is no hotel's");
	e.hotel.v = 12345;
	e.event_seq = 1;
	e.kind = INV_EFFECT_TYPE;
	cr_assert_eq(world_apply(&w, &e), INV_CONTRADICTION, "no such hotel");
}

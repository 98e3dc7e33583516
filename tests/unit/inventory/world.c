#include "world.h"

#include <stdlib.h>

#include "engine/inventory/priv.h"

struct inv_config world_config(void)
{
	return (struct inv_config){
		.hotels_max = 8,
		.rows_max = 64,
		.plans_max = 16,
		.window_nights = 40,
		.reservations_max = 64,
		.nodes_max = 64,
		.refusals_max = 64,
		.denials_max = 64,
		.stock_runs_max = 256,
		.retention_us = INV_RETENTION_US,
		.grace_us = INV_GRACE_US,
	};
}

struct inv *world_inventory_new(const struct world *w, void **ret_memory)
{
	uint64_t size_bytes = inv_memory_size(&w->config);
	cr_assert_eq(size_bytes % 64, 0);
	*ret_memory = aligned_alloc(64, size_bytes);
	cr_assert_not_null(*ret_memory);
	memset(*ret_memory, 0, size_bytes);
	return inv_init(&w->config, *ret_memory, &w->tz);
}

int32_t world_day(int year, int month, int day)
{
	return civil_day_from_date((struct civil_date){year, (uint8_t)month, (uint8_t)day});
}

void world_time(struct world *w, int year, int month, int day, int hour, int minute)
{
	w->now.t_us = (uint64_t)world_day(year, month, day) * DAY_US + (uint64_t)hour * HOUR_US +
		      (uint64_t)minute * 60000000;
	w->now.wall_us = w->now.t_us;
}

void world_init(struct world *w, const struct inv_config *config)
{
	const char *option;
	memset(w, 0, sizeof(*w));
	w->config = config == NULL ? world_config() : *config;
	cr_assert_eq(inv_config_check(&w->config, &option), 0, "%s", option);
	cr_assert_eq(tz_load(TZ_FOLDER, &w->tz), 0, "tzdata is needed");
	w->inv = world_inventory_new(w, &w->memory);
	w->mirror = world_inventory_new(w, &w->mirror_memory);
	world_time(w, 2026, 11, 22, 12, 0);
}

void world_fini(struct world *w)
{
	free(w->memory);
	free(w->mirror_memory);
	tz_free(&w->tz);
}

struct inv_text text(const char *string)
{
	return (struct inv_text){.bytes = string, .size_bytes = (uint32_t)strlen(string)};
}

int world_apply(struct world *w, struct inv_effect *effect)
{
	return inv_apply(w->inv, effect, &w->contradiction);
}

/* The mirror first: it must not depend on anything the live one has in its scratch. */
static void world_apply_both(struct world *w)
{
	w->effect.lsn = ++w->lsn;
	int r = inv_apply(w->mirror, &w->effect, &w->contradiction);
	cr_assert_eq(r, 0, "mirror: %s", w->contradiction.what);
	r = inv_apply(w->inv, &w->effect, &w->contradiction);
	cr_assert_eq(r, 0, "%s", w->contradiction.what);
}

static uint16_t world_take(struct world *w, enum inv_result result)
{
	if (result == INV_EFFECT) {
		cr_assert_eq(w->answer.code, KEYRACK_DONE);
		world_apply_both(w);
	} else {
		cr_assert(w->answer.code != KEYRACK_DONE || w->answer.repeated);
		cr_assert(w->answer.repeated || w->answer.refusal.code == w->answer.code);
	}
	return w->answer.code;
}

uint16_t world_hotel_put(struct world *w, const struct inv_hotel_op *op)
{
	return world_take(w, inv_hotel_judge(w->inv, w->now, op, &w->effect, &w->answer));
}

uint16_t world_type_put(struct world *w, const struct inv_type_op *op)
{
	return world_take(w, inv_type_judge(w->inv, w->now, op, &w->effect, &w->answer));
}

uint16_t world_plan_put(struct world *w, const struct inv_plan_op *op)
{
	return world_take(w, inv_plan_judge(w->inv, w->now, op, &w->effect, &w->answer));
}

uint16_t world_update(struct world *w, const struct inv_update_op *op)
{
	return world_take(w, inv_update_judge(w->inv, w->now, op, &w->effect, &w->answer));
}

uint32_t world_roll(struct world *w)
{
	uint32_t count = 0;
	while (inv_roll_judge(w->inv, w->now, &w->effect) == INV_EFFECT) {
		cr_assert_eq(w->effect.kind, INV_EFFECT_WINDOW);
		world_apply_both(w);
		count++;
	}
	return count;
}

struct inv_hotel_op hotel_op(uint64_t hotel)
{
	struct inv_hotel_op op = {.hotel = {hotel}};
	op.mask = INV_HOTEL_ZONE | INV_HOTEL_CURRENCY;
	op.settings.zone = text("UTC");
	memcpy(op.settings.currency, "EUR", 4);
	return op;
}

struct inv_type_op type_op(uint16_t type)
{
	return (struct inv_type_op){.hotel = {WORLD_HOTEL}, .type = type};
}

struct inv_update_op update_op(const uint16_t *types, uint32_t count, int32_t first, int32_t last)
{
	struct inv_update_op op = {.hotel = {WORLD_HOTEL}, .types = types, .type_count = count};
	op.update.first_day = first;
	op.update.last_day = last;
	op.update.weekday_mask = 127;
	return op;
}

void world_standard(struct world *w, uint16_t type_count, uint16_t physical)
{
	struct inv_hotel_op hotel = hotel_op(WORLD_HOTEL);
	cr_assert_eq(world_hotel_put(w, &hotel), KEYRACK_DONE);
	for (uint16_t type = 1; type <= type_count; type++) {
		struct inv_type_op op = type_op(type);
		op.mask = INV_TYPE_PHYSICAL;
		op.settings.physical = physical;
		cr_assert_eq(world_type_put(w, &op), KEYRACK_DONE);
	}
}

static struct inv_words world_words(const struct world *w, uint16_t type, int32_t day)
{
	uint32_t hotel = inv_hotel_find(w->inv, (struct hotel_id){WORLD_HOTEL});
	cr_assert_neq(hotel, INV_NONE);
	uint32_t row = inv_row_find(w->inv, hotel, type);
	cr_assert_neq(row, INV_NONE);
	cr_assert(inv_day_in_window(w->inv, inv_hotel_at(w->inv, hotel), day));
	return inv_cell_load(w->inv, row, inv_ring(w->inv, day));
}

struct cell_counter world_counter(const struct world *w, uint16_t type, int32_t day)
{
	return cell_counter_unpack(world_words(w, type, day).counter);
}

struct cell_rate world_rate(const struct world *w, uint16_t type, int32_t day)
{
	return cell_rate_unpack(world_words(w, type, day).rate);
}

struct los_class world_los(const struct world *w, uint16_t type, int32_t day)
{
	return inv_los_class(w->inv, world_rate(w, type, day).class_index);
}

static void sell(struct inv *inv, uint16_t type, int32_t day, uint16_t held, uint16_t booked)
{
	uint32_t hotel = inv_hotel_find(inv, (struct hotel_id){WORLD_HOTEL});
	uint32_t row = inv_row_find(inv, hotel, type);
	struct inv_words old = inv_cell_load(inv, row, inv_ring(inv, day)), new = old;
	struct cell_counter c = cell_counter_unpack(old.counter);
	c.held = held;
	c.booked = booked;
	new.counter = cell_counter_pack(c);
	inv_cell_store(inv, row, inv_ring(inv, day), old, new);
}

void world_sell(struct world *w, uint16_t type, int32_t day, uint16_t held, uint16_t booked)
{
	sell(w->inv, type, day, held, booked);
	sell(w->mirror, type, day, held, booked);
}

void world_agree(struct world *w)
{
	int r = inv_verify(w->inv, &w->contradiction);
	cr_assert_eq(r, 0, "%s: %ld, %ld on day %d", w->contradiction.what,
		(long)w->contradiction.expected, (long)w->contradiction.found,
		w->contradiction.day);
	r = inv_verify(w->mirror, &w->contradiction);
	cr_assert_eq(r, 0, "mirror: %s", w->contradiction.what);
	cr_assert_eq(inv_digest(w->inv), inv_digest(w->mirror));
}

/*
 * A small inventory to try things on, with a mirror: a second one that sees nothing but effects.
 *
 * Every effect is applied to both; world_agree() demands equal digests and clean recounts. So each
 * test of judging is one of replay as well.
 */
#ifndef TESTS_UNIT_INVENTORY_WORLD_H
#define TESTS_UNIT_INVENTORY_WORLD_H

#include <criterion/criterion.h>
#include <string.h>

#include "base/civil.h"
#include "base/tz_load.h"
#include "engine/inventory/inventory.h"

#define WORLD_HOTEL UINT64_C(77)
#define DAY_US UINT64_C(86400000000)
#define HOUR_US UINT64_C(3600000000)

struct world {
	struct tz_db tz;
	struct inv_config config;
	void *memory, *mirror_memory;
	struct inv *inv, *mirror;
	struct inv_now now;
	uint64_t lsn;
	/* of the last judging */
	struct inv_effect effect;
	struct inv_answer answer;
	struct inv_contradiction contradiction;
};

struct inv_config world_config(void);
/* config NULL = world_config(). Noon (UTC) of 2026-11-22, no hotel. */
void world_init(struct world *w, const struct inv_config *config);
void world_fini(struct world *w);
/* Another inventory of the same configuration, empty. */
struct inv *world_inventory_new(const struct world *w, void **ret_memory);

int32_t world_day(int year, int month, int day);
void world_time(struct world *w, int year, int month, int day, int hour, int minute);

struct inv_text text(const char *string);

/* Judges, applies to both what comes out, and returns the answer's code. */
uint16_t world_hotel_put(struct world *w, const struct inv_hotel_op *op);
uint16_t world_type_put(struct world *w, const struct inv_type_op *op);
uint16_t world_plan_put(struct world *w, const struct inv_plan_op *op);
uint16_t world_update(struct world *w, const struct inv_update_op *op);
/* All day rolls that are due; returns how many. */
uint32_t world_roll(struct world *w);
/* An effect made by hand; the result of inv_apply on the first inventory alone. */
int world_apply(struct world *w, struct inv_effect *effect);

/* Hotel WORLD_HOTEL in UTC, priced in EUR; types 1 .. type_count with `physical` rooms each. */
void world_standard(struct world *w, uint16_t type_count, uint16_t physical);

struct inv_hotel_op hotel_op(uint64_t hotel);
struct inv_type_op type_op(uint16_t type);
/* Over [first, last], every weekday, plan 0. */
struct inv_update_op update_op(const uint16_t *types, uint32_t count, int32_t first, int32_t last);

struct cell_counter world_counter(const struct world *w, uint16_t type, int32_t day);
struct cell_rate world_rate(const struct world *w, uint16_t type, int32_t day);
struct los_class world_los(const struct world *w, uint16_t type, int32_t day);

/* Puts counts into a cell behind everybody's back, as reservations would. */
void world_sell(struct world *w, uint16_t type, int32_t day, uint16_t held, uint16_t booked);

void world_agree(struct world *w);

#endif

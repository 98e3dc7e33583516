#include <criterion/criterion.h>

#include "tests/unit/shard/world.h"

/* PLAN_PUT, PLAN_LIST and nights under a plan through frames, over a restart. */

static uint64_t put(struct world *world, uint32_t plan, uint32_t mask, Keyrack__PlanSettings *s)
{
	Keyrack__PlanPutRequest body = KEYRACK__PLAN_PUT_REQUEST__INIT;
	body.hotel_id = WORLD_HOTEL;
	body.type = 1;
	body.plan = plan;
	body.mask = mask;
	body.settings = s;
	return world_frame(world, FRAME_PLAN_PUT, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &body.base);
}

static uint64_t list(struct world *world, uint32_t type, uint32_t plan, uint32_t limit)
{
	Keyrack__PlanListRequest body = KEYRACK__PLAN_LIST_REQUEST__INIT;
	body.hotel_id = WORLD_HOTEL;
	body.from_type = type;
	body.from_plan = plan;
	body.limit = limit;
	return world_frame(world, FRAME_PLAN_LIST, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &body.base);
}

static uint64_t nights(struct world *world, uint32_t *type, size_t type_count, uint32_t plan)
{
	Keyrack__AvailabilityRequest body = KEYRACK__AVAILABILITY_REQUEST__INIT;
	body.hotel_id = WORLD_HOTEL;
	body.types = type;
	body.n_types = type_count;
	body.plan = plan;
	body.first_day = WORLD_TODAY;
	body.night_count = 2;
	return world_frame(world, FRAME_AVAILABILITY, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &body.base);
}

static const void *done(struct world *world, uint64_t request_id)
{
	cr_assert_eq(world_do(world, request_id), KEYRACK_DONE);
	return world_answer(world, request_id)->message;
}

/* Plan 5 with prices of its own and terms, plan 6 a tenth below it. */
static void begin(struct world *world)
{
	Keyrack__PlanSettings own = KEYRACK__PLAN_SETTINGS__INIT;
	Keyrack__PlanSettings less = KEYRACK__PLAN_SETTINGS__INIT;
	Keyrack__Tier tier = KEYRACK__TIER__INIT, *tiers[] = {&tier};
	Keyrack__InventorySetRequest price = KEYRACK__INVENTORY_SET_REQUEST__INIT;
	char code[] = "FLEX";
	tier.hours = 24;
	tier.nights = 1;
	own.code = code;
	own.tiers = tiers;
	own.n_tiers = 1;
	const Keyrack__PlanAnswer *answer =
		done(world, put(world, 5, INV_PLAN_CODE | INV_PLAN_TIERS, &own));
	cr_assert(answer->created);
	cr_assert_eq(answer->plan->plan, 5);
	cr_assert_str_eq(answer->plan->settings->code, "FLEX");
	cr_assert_eq(answer->plan->settings->status, INV_ACTIVE);
	cr_assert_eq(answer->plan->settings->n_tiers, 1);
	less.parent = 5;
	less.derivation = INV_PRICES_PLUS_POINTS;
	less.adjustment = -1000;
	answer = done(world,
		put(world, 6, INV_PLAN_PARENT | INV_PLAN_DERIVATION | INV_PLAN_ADJUSTMENT, &less));
	cr_assert_eq(answer->plan->settings->adjustment, -1000);
	price.hotel_id = WORLD_HOTEL;
	price.plan = 5;
	price.first_day = WORLD_TODAY;
	price.last_day = WORLD_TODAY + 9;
	price.weekday_mask = 127;
	price.set_mask = INV_UPDATE_PRICE;
	price.price_minor = 5000;
	const Keyrack__InventorySetAnswer *set =
		done(world, world_frame(world, FRAME_INVENTORY_SET, FRAME_ROUTE_HOTEL, WORLD_HOTEL,
				    &price.base));
	cr_assert_eq(set->cells, 10, "type 2 has no such plan");
}

static void check(struct world *world)
{
	const Keyrack__PlanListAnswer *page = done(world, list(world, 0, 0, 3));
	cr_assert(page->n_plans == 3 && page->more);
	cr_assert_str_eq(page->plans[0]->settings->code, "BASE");
	cr_assert(page->plans[1]->plan == 5 && page->plans[2]->plan == 6);
	cr_assert_eq(page->plans[1]->settings->tiers[0]->hours, 24);
	page = done(world, list(world, 1, 7, 3));
	cr_assert(page->n_plans == 1 && !page->more);
	cr_assert(page->plans[0]->type == 2 && page->plans[0]->plan == 0);
	const Keyrack__AvailabilityAnswer *columns = done(world, nights(world, NULL, 0, 6));
	cr_assert_eq(columns->n_types, 1);
	cr_assert_eq(columns->n_rates, 2);
	cr_assert_eq(cell_rate_unpack(columns->rates[1]).price_minor, 4500);
}

Test(plan, is_put_listed_priced_and_there_after_a_restart)
{
	struct world *world = world_serving(5);
	begin(world);
	check(world);
	world_settle(world);
	world_restart(world, false);
	cr_assert_eq(world_start(world, false), 0);
	world_settle(world);
	check(world);
	world_free(world);
}

Test(plan, refusals_name_what_is_wrong)
{
	struct world *world = world_serving(5);
	uint32_t types[] = {2};
	begin(world);
	cr_assert_eq(world_do(world, list(world, 0, 0, 1025)), KEYRACK_INVALID);
	cr_assert_eq(world_do(world, nights(world, types, 1, 5)), KEYRACK_NOT_FOUND);
	cr_assert_eq(world_do(world, nights(world, NULL, 0, 9)), KEYRACK_NOT_FOUND);
	Keyrack__PlanSettings settings = KEYRACK__PLAN_SETTINGS__INIT;
	Keyrack__Tier tier = KEYRACK__TIER__INIT, *tiers[INV_TIERS_MAX + 1];
	for (uint32_t i = 0; i <= INV_TIERS_MAX; i++)
		tiers[i] = &tier;
	settings.tiers = tiers;
	settings.n_tiers = INV_TIERS_MAX + 1;
	uint64_t id = put(world, 5, INV_PLAN_TIERS, &settings);
	cr_assert_eq(world_do(world, id), KEYRACK_INVALID);
	const Keyrack__PlanAnswer *answer = (const void *)world_answer(world, id)->message;
	cr_assert_str_eq(answer->refusal->text, "tiers");
	settings.n_tiers = 0;
	settings.derivation = 256;
	cr_assert_eq(
		world_do(world, put(world, 8, INV_PLAN_DERIVATION, &settings)), KEYRACK_INVALID);
	cr_assert_eq(world_do(world, put(world, 8, INV_PLAN_MASK + 1, NULL)), KEYRACK_INVALID);
	world_free(world);
}

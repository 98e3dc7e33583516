#include <criterion/criterion.h>

#include "tests/unit/shard/world.h"

/* HOTEL_LIST, TYPE_GET, STOCK_LIST and AVAILABILITY through frames: pages, order, refusals. */

static const Keyrack__HotelListAnswer *hotels(
	struct world *world, const Keyrack__HotelListRequest *body)
{
	const uint64_t id = world_frame(world, FRAME_HOTEL_LIST, FRAME_ROUTE_SHARD, 0, &body->base);
	cr_assert_eq(world_do(world, id), KEYRACK_DONE);
	return (const void *)world_answer(world, id)->message;
}

Test(catalogue, hotels_come_in_pages_each_of_them_once)
{
	struct world *world = world_serving(5);
	const uint64_t more[] = {3, 1000, 500};
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(world_do(world, world_hotel_put(world, more[i])), KEYRACK_DONE);
	Keyrack__HotelListRequest body = KEYRACK__HOTEL_LIST_REQUEST__INIT;
	uint64_t seen = 0;
	bool goes_on = true;
	body.from_start = true;
	body.limit = 3;
	for (unsigned page = 0; goes_on; page++) {
		const Keyrack__HotelListAnswer *answer = hotels(world, &body);
		cr_assert_eq(answer->n_hotels, page == 0 ? 3 : 1);
		for (size_t i = 0; i < answer->n_hotels; i++) {
			const Keyrack__Hotel *hotel = answer->hotels[i];
			cr_assert_str_eq(hotel->settings->zone, "Europe/Paris");
			cr_assert_eq(hotel->business_day, WORLD_TODAY);
			cr_assert_eq(hotel->type_count, hotel->hotel_id == WORLD_HOTEL ? 2 : 0);
			seen += hotel->hotel_id;
		}
		goes_on = answer->more;
		body.from_start = false;
		body.after = answer->hotels[answer->n_hotels - 1]->hotel_id;
	}
	cr_assert_eq(seen, WORLD_HOTEL + 3 + 1000 + 500);
	world_free(world);
}

Test(catalogue, a_list_of_hotels_is_as_long_as_it_may_be_when_nothing_is_said)
{
	struct world *world = world_serving(5);
	Keyrack__HotelListRequest body = KEYRACK__HOTEL_LIST_REQUEST__INIT;
	body.from_start = true;
	cr_assert_eq(hotels(world, &body)->n_hotels, 1);
	body.limit = UINT32_MAX;
	cr_assert_eq(hotels(world, &body)->n_hotels, 1);
	cr_assert_not(hotels(world, &body)->more);
	world_free(world);
}

Test(catalogue, a_list_of_hotels_waits_for_the_last_change_it_shows)
{
	struct world *world = world_serving(5);
	Keyrack__HotelListRequest body = KEYRACK__HOTEL_LIST_REQUEST__INIT;
	body.from_start = true;
	world->auto_persist = false;
	world_hotel_put(world, 9);
	const uint64_t id = world_frame(world, FRAME_HOTEL_LIST, FRAME_ROUTE_SHARD, 0, &body.base);
	world_turn(world);
	cr_assert_null(world_answer(world, id));
	world_settle(world);
	cr_assert_eq(
		((const Keyrack__HotelListAnswer *)world_answer(world, id)->message)->n_hotels, 2);
	world_free(world);
}

static uint64_t ask_types(struct world *world, uint64_t hotel, uint32_t *types, size_t count)
{
	Keyrack__TypeGetRequest body = KEYRACK__TYPE_GET_REQUEST__INIT;
	body.hotel_id = hotel;
	body.types = types;
	body.n_types = count;
	return world_frame(world, FRAME_TYPE_GET, FRAME_ROUTE_HOTEL, hotel, &body.base);
}

static const Keyrack__TypeListAnswer *types_of(struct world *world, uint64_t request_id)
{
	return (const void *)world_answer(world, request_id)->message;
}

Test(catalogue, types_are_told_all_in_order_or_as_they_are_asked_for)
{
	struct world *world = world_serving(5);
	uint32_t wanted[] = {2, 1, 2};
	uint64_t id = ask_types(world, WORLD_HOTEL, NULL, 0);
	cr_assert_eq(world_do(world, id), KEYRACK_DONE);
	cr_assert_eq(types_of(world, id)->n_types, 2);
	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(types_of(world, id)->types[i]->type, i + 1);
	cr_assert_str_eq(types_of(world, id)->types[1]->settings->code, "T2");
	cr_assert_eq(types_of(world, id)->types[1]->settings->physical, 5);
	id = ask_types(world, WORLD_HOTEL, wanted, 3);
	cr_assert_eq(world_do(world, id), KEYRACK_DONE);
	cr_assert_eq(types_of(world, id)->n_types, 3);
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(types_of(world, id)->types[i]->type, wanted[i]);
	world_free(world);
}

Test(catalogue, types_that_are_not_there_are_refused)
{
	struct world *world = world_serving(5);
	uint32_t unknown[] = {1, 9}, wide[] = {1u << 16}, many[INV_HOTEL_TYPES_MAX + 1] = {0};
	uint64_t id = ask_types(world, WORLD_HOTEL, unknown, 2);
	cr_assert_eq(world_do(world, id), KEYRACK_NOT_FOUND);
	cr_assert_eq(types_of(world, id)->refusal->rule, RULE_TYPE);
	id = ask_types(world, WORLD_HOTEL + 1, NULL, 0);
	cr_assert_eq(world_do(world, id), KEYRACK_NOT_FOUND);
	cr_assert_eq(types_of(world, id)->refusal->rule, RULE_HOTEL);
	id = ask_types(world, WORLD_HOTEL, wide, 1);
	cr_assert_eq(world_do(world, id), KEYRACK_INVALID);
	cr_assert_str_eq(types_of(world, id)->refusal->text, "types");
	id = ask_types(world, WORLD_HOTEL, many, INV_HOTEL_TYPES_MAX + 1);
	cr_assert_eq(world_do(world, id), KEYRACK_INVALID);
	cr_assert_str_eq(types_of(world, id)->refusal->text, "types");
	world_free(world);
}

static const Keyrack__StockListAnswer *stock(
	struct world *world, const Keyrack__StockListRequest *body, uint16_t code)
{
	const uint64_t id = world_frame(
		world, FRAME_STOCK_LIST, FRAME_ROUTE_HOTEL, body->hotel_id, &body->base);
	cr_assert_eq(world_do(world, id), code);
	return (const void *)world_answer(world, id)->message;
}

static void close_rooms(struct world *world, int32_t first, int32_t last, int64_t rooms)
{
	Keyrack__InventorySetRequest body = KEYRACK__INVENTORY_SET_REQUEST__INIT;
	body.hotel_id = WORLD_HOTEL;
	body.first_day = WORLD_TODAY + first;
	body.last_day = WORLD_TODAY + last;
	body.weekday_mask = 127;
	body.set_mask = INV_UPDATE_OUT_OF_ORDER;
	body.out_of_order = rooms;
	const uint64_t id =
		world_frame(world, FRAME_INVENTORY_SET, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &body.base);
	cr_assert_eq(world_do(world, id), KEYRACK_DONE);
}

Test(catalogue, stock_by_date_comes_in_runs_and_pages)
{
	struct world *world = world_serving(5);
	close_rooms(world, 2, 4, 1);
	close_rooms(world, 8, 8, 2);
	Keyrack__StockListRequest body = KEYRACK__STOCK_LIST_REQUEST__INIT;
	body.hotel_id = WORLD_HOTEL;
	body.limit = 3;
	const Keyrack__StockListAnswer *page = stock(world, &body, KEYRACK_DONE);
	cr_assert(page->n_runs == 3 && page->more);
	cr_assert(page->runs[0]->type == 1 && page->runs[2]->type == 2);
	cr_assert_eq(page->runs[0]->first_day, WORLD_TODAY + 2);
	cr_assert_eq(page->runs[0]->last_day, WORLD_TODAY + 4);
	cr_assert_eq(page->runs[0]->set_mask, INV_UPDATE_OUT_OF_ORDER);
	cr_assert(page->runs[0]->out_of_order == 1 && page->runs[1]->out_of_order == 2);
	body.from_type = page->runs[2]->type;
	body.from_day = page->runs[2]->last_day + 1;
	body.limit = 0;
	page = stock(world, &body, KEYRACK_DONE);
	cr_assert(page->n_runs == 1 && !page->more);
	cr_assert(page->runs[0]->type == 2 && page->runs[0]->first_day == WORLD_TODAY + 8);
	world_free(world);
}

Test(catalogue, a_list_of_stock_that_makes_no_sense_is_refused_by_its_field)
{
	struct world *world = world_serving(5);
	Keyrack__StockListRequest body = KEYRACK__STOCK_LIST_REQUEST__INIT;
	body.hotel_id = WORLD_HOTEL + 1;
	cr_assert_eq(stock(world, &body, KEYRACK_NOT_FOUND)->refusal->rule, RULE_HOTEL);
	body.hotel_id = WORLD_HOTEL;
	body.limit = 1025;
	cr_assert_str_eq(stock(world, &body, KEYRACK_INVALID)->refusal->text, "limit");
	body.limit = 1;
	body.from_type = 1u << 16;
	cr_assert_str_eq(stock(world, &body, KEYRACK_INVALID)->refusal->text, "from_type");
	world_free(world);
}

/* The same query by hand and by protobuf-c, which is chosen for what is written unusually. */
Test(catalogue, nights_that_are_too_many_or_of_nobody_are_refused_both_ways)
{
	for (unsigned way = 0; way < 2; way++) {
		struct shard_config config;
		world_config_default(&config);
		config.is_long_way = way == 1;
		struct world *world = world_serving_as(&config, 5);
		Keyrack__AvailabilityRequest body = KEYRACK__AVAILABILITY_REQUEST__INIT;
		body.hotel_id = WORLD_HOTEL + 1;
		body.first_day = WORLD_TODAY;
		body.night_count = 1;
		cr_assert_eq(
			world_do(world, world_frame(world, FRAME_AVAILABILITY, FRAME_ROUTE_HOTEL,
						WORLD_HOTEL + 1, &body.base)),
			KEYRACK_NOT_FOUND);
		cr_assert_eq(world_do(world, world_availability(world, 0, 3, false)), KEYRACK_DONE);
		const uint64_t id =
			world_availability(world, 0, INV_QUERY_CELLS_MAX / 2 + 1, false);
		cr_assert_eq(world_do(world, id), KEYRACK_INVALID);
		const Keyrack__AvailabilityAnswer *answer =
			(const void *)world_answer(world, id)->message;
		cr_assert_str_eq(answer->refusal->text, "night_count");
		world_free(world);
	}
}

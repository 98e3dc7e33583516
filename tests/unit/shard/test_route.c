#include <criterion/criterion.h>

#include "engine/shard/state.h"
#include "proto/stat.h"
#include "tests/unit/shard/world.h"

/* A hotel of the other one of two shards. */
static uint64_t foreign_hotel(void)
{
	for (uint64_t hotel = 1;; hotel++) {
		if (slot_of_hotel((struct hotel_id){hotel}) >= slot_range_first(1, 2))
			return hotel;
	}
}

Test(route, a_slot_of_another_shard_is_moved)
{
	struct shard_config config;
	world_config_default(&config);
	config.shard_count = 2;
	struct world *world = world_new(&config);
	cr_assert_eq(world_start(world, false), 0);
	uint64_t hotel = foreign_hotel();
	cr_assert_eq(world_do(world, world_hotel_put(world, hotel)), KEYRACK_MOVED);
	struct kr_id id = world_id(world, hotel);
	cr_assert_eq(world_do(world, world_transition(world, FRAME_RESOLVE, id)), KEYRACK_MOVED);
	cr_assert_eq(world_do(world, world_get(world, id)), KEYRACK_MOVED);
	Keyrack__StatsRequest stats = KEYRACK__STATS_REQUEST__INIT;
	uint64_t other = world_frame(world, FRAME_STATS, FRAME_ROUTE_SHARD, 1, &stats.base);
	cr_assert_eq(world_do(world, other), KEYRACK_MOVED);
	world_free(world);
}

Test(route, a_header_that_names_another_hotel_than_the_body_is_invalid)
{
	struct world *world = world_serving(1);
	Keyrack__HotelGetRequest body = KEYRACK__HOTEL_GET_REQUEST__INIT;
	body.hotel_id = WORLD_HOTEL + 1;
	uint64_t id =
		world_frame(world, FRAME_HOTEL_GET, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &body.base);
	cr_assert_eq(world_do(world, id), KEYRACK_INVALID);
	const Keyrack__HotelAnswer *answer =
		(const Keyrack__HotelAnswer *)world_answer(world, id)->message;
	cr_assert_str_eq(answer->refusal->text, "routing_key");
	world_free(world);
}

Test(route, an_id_that_leads_elsewhere_than_its_hotel_is_invalid)
{
	struct world *world = world_serving(1);
	uint64_t other = WORLD_HOTEL;
	while (slot_of_hotel((struct hotel_id){other}) ==
		slot_of_hotel((struct hotel_id){WORLD_HOTEL}))
		other++;
	struct kr_id id = world_id(world, other);
	cr_assert_eq(
		world_do(world, world_sale(world, FRAME_BOOK, id, 1, 3, 2, 0)), KEYRACK_INVALID);
	world_free(world);
}

Test(route, a_malformed_body_is_invalid_and_the_next_request_is_judged)
{
	struct world *world = world_serving(1);
	uint64_t bad = world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	memset((void *)(uintptr_t)world->frames[0].body, 0xff,
		world->frames[0].header->body_size_bytes);
	uint64_t good = world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	world_turn(world);
	cr_assert_eq(world_code(world, bad), KEYRACK_INVALID);
	cr_assert_eq(world_code(world, good), KEYRACK_DONE);
	world_free(world);
}

Test(route, hello_tells_the_shard_and_its_limits)
{
	struct world *world = world_serving(1);
	Keyrack__HelloRequest body = KEYRACK__HELLO_REQUEST__INIT;
	body.version = 1;
	uint64_t id = world_frame(world, FRAME_HELLO, FRAME_ROUTE_ROUTER, 0, &body.base);
	cr_assert_eq(world_do(world, id), KEYRACK_DONE);
	const Keyrack__HelloAnswer *answer =
		(const Keyrack__HelloAnswer *)world_answer(world, id)->message;
	cr_assert_eq(answer->shard, 1);
	cr_assert_eq(answer->window, SHARD_WINDOW);
	cr_assert_eq(answer->cluster, 0xc1);
	world_free(world);
}

Test(route, stats_name_what_was_counted)
{
	struct world *world = world_serving(1);
	world_do(world, world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0));
	world_do(world, world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0));
	Keyrack__StatsRequest body = KEYRACK__STATS_REQUEST__INIT;
	body.denials = true;
	uint64_t id = world_frame(world, FRAME_STATS, FRAME_ROUTE_SHARD, 0, &body.base);
	cr_assert_eq(world_do(world, id), KEYRACK_DONE);
	const Keyrack__StatsAnswer *answer =
		(const Keyrack__StatsAnswer *)world_answer(world, id)->message;
	cr_assert_str_eq(answer->state, "serving");
	cr_assert_eq(answer->n_denials, 1);
	cr_assert_eq(answer->denials[0]->rule, RULE_LIMIT);
	int64_t refusals = -1, reservations = -1, books = -1;
	for (size_t i = 0; i < answer->n_stats; i++) {
		if (strcmp(answer->stats[i]->name, "refusals") == 0)
			refusals = answer->stats[i]->value;
		if (strcmp(answer->stats[i]->name, "reservations") == 0)
			reservations = answer->stats[i]->value;
		if (strcmp(answer->stats[i]->name, "operation_BOOK") == 0)
			books = answer->stats[i]->value;
	}
	cr_assert_eq(books, 2);
	cr_assert_eq(refusals, 1);
	cr_assert_eq(reservations, 1);
	world_free(world);
}

/* A booking with a reference, which takes a node. */
static uint64_t referred_sale(struct world *world)
{
	const struct kr_id id = world_id(world, WORLD_HOTEL);
	Keyrack__ReserveRequest body = KEYRACK__RESERVE_REQUEST__INIT;
	Keyrack__Line line = KEYRACK__LINE__INIT, *lines[] = {&line};
	char reference[] = "B-17";
	line.type = 1;
	line.check_in = WORLD_TODAY + 3;
	line.check_out = WORLD_TODAY + 5;
	line.rooms = line.guests = 1;
	body.hotel_id = WORLD_HOTEL;
	body.id_hi = id.hi;
	body.id_lo = id.lo;
	body.lines = lines;
	body.n_lines = 1;
	body.source = 1;
	body.external_ref = reference;
	return world_frame(world, FRAME_BOOK, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &body.base);
}

static int64_t stat_of(const Keyrack__StatsAnswer *answer, const char *name)
{
	int64_t value = 0;
	unsigned found = 0;
	for (size_t i = 0; i < answer->n_stats; i++) {
		if (strcmp(answer->stats[i]->name, name) != 0)
			continue;
		value = answer->stats[i]->value;
		found++;
	}
	cr_assert_eq(found, 1, "%s", name);
	return value;
}

Test(route, stats_tell_every_row_of_the_table_once_and_what_there_is_of_each)
{
	struct world *world = world_serving(3);
	const struct kr_id id = world_id(world, WORLD_HOTEL);
	cr_assert_eq(world_do(world, world_sale(world, FRAME_HOLD, id, 1, 3, 2, WORLD_HOUR_US)),
		KEYRACK_DONE);
	cr_assert_eq(world_do(world, referred_sale(world)), KEYRACK_DONE);
	for (unsigned i = 0; i < 3; i++)
		world_do(world,
			world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0));
	world_pass(world, 7000000);
	Keyrack__StatsRequest body = KEYRACK__STATS_REQUEST__INIT;
	const uint64_t asked = world_frame(world, FRAME_STATS, FRAME_ROUTE_SHARD, 0, &body.base);
	cr_assert_eq(world_do(world, asked), KEYRACK_DONE);
	const Keyrack__StatsAnswer *answer = (const void *)world_answer(world, asked)->message;
	cr_assert_eq(answer->n_denials, 0, "not asked for");
	for (size_t i = 0; i < STAT_SHARD_COUNT; i++)
		(void)stat_of(answer, stat_shard_rows[i].name);
	const struct inv_config *config = &world->config.inventory;
	struct inv_counts counts;
	inv_counts_get(shard_inventory(world->shard), &counts);
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {{"hotels", 1}, {"rows", 2}, {"plans", 0}, {"reservations", 3}, {"holds", 1},
		{"nodes", counts.nodes}, {"stock_runs", counts.stock_runs},
		{"classes", counts.classes}, {"denials", 2}, {"refusals", 2},
		{"hotels_max", config->hotels_max}, {"rows_max", config->rows_max},
		{"plans_max", config->plans_max}, {"reservations_max", config->reservations_max},
		{"nodes_max", config->nodes_max}, {"last_lsn", counts.last_lsn},
		{"acked_lsn", counts.last_lsn}, {"durable_lsn", counts.last_lsn},
		{"snapshot_running", 0}, {"time_us", world->wall_us}};
	for (size_t i = 0; i < KR_ARRAY_COUNT(rows); i++)
		cr_assert_eq(stat_of(answer, rows[i].name), (int64_t)rows[i].value, "%s: %ld, %ld",
			rows[i].name, (long)stat_of(answer, rows[i].name), (long)rows[i].value);
	cr_assert_gt(counts.nodes, 0);
	cr_assert_geq(stat_of(answer, "uptime_us"), 7000000);
	cr_assert_gt(stat_of(answer, "append_bytes"), stat_of(answer, "appends"));
	cr_assert_eq(stat_of(answer, "effects"), (int64_t)counts.last_lsn);
	world_free(world);
}

Test(route, availability_names_each_combination_of_length_limits_once)
{
	struct world *world = world_serving(3);
	uint32_t marks[] = {0, UINT32_MAX - 5, UINT32_MAX - 1};
	Keyrack__InventorySetRequest body = KEYRACK__INVENTORY_SET_REQUEST__INIT;
	uint32_t types[] = {1, 2};
	body.hotel_id = WORLD_HOTEL;
	body.types = types;
	body.n_types = KR_ARRAY_COUNT(types);
	body.weekday_mask = 127;
	body.set_mask = INV_UPDATE_MIN_ARRIVAL | INV_UPDATE_MAX_THROUGH;
	for (int32_t n = 0; n < 2; n++) {
		body.first_day = WORLD_TODAY + n * 3;
		body.last_day = WORLD_TODAY + n * 3 + 1;
		body.min_arrival = 2;
		body.max_through = 7 + (uint32_t)n;
		cr_assert_eq(world_do(world, world_frame(world, FRAME_INVENTORY_SET,
						     FRAME_ROUTE_HOTEL, WORLD_HOTEL, &body.base)),
			KEYRACK_DONE);
	}
	/* with the first mark, the last ones, and after two thousand million answers */
	for (size_t round = 0; round < 3 * KR_ARRAY_COUNT(marks); round++) {
		if (round % 3 == 0)
			world->shard->class_mark = marks[round / 3];
		const uint64_t read = world_availability(world, 0, 6, false);
		cr_assert_eq(world_do(world, read), KEYRACK_DONE);
		const Keyrack__AvailabilityAnswer *answer =
			(const void *)world_answer(world, read)->message;
		cr_assert_eq(answer->n_classes, 4, "two pairs");
		for (size_t i = 0; i < 2; i++) {
			cr_assert_eq(answer->classes[2 * i],
				cell_rate_unpack(answer->rates[3 * i]).class_index);
			cr_assert_eq(answer->classes[2 * i + 1], 2 | (uint64_t)(7 + i) << 48);
		}
	}
	/* the first of these nights has none */
	const uint64_t later = world_availability(world, 2, 3, false);
	cr_assert_eq(world_do(world, later), KEYRACK_DONE);
	const Keyrack__AvailabilityAnswer *answer =
		(const void *)world_answer(world, later)->message;
	cr_assert_eq(answer->n_classes, 2);
	cr_assert_eq(answer->classes[1], 2 | (uint64_t)8 << 48);
	world_free(world);
}

#include "tests/unit/shard/world.h"

struct kr_id world_id(struct world *world, uint64_t hotel)
{
	return reservation_id_mint(world->wall_us / 1000, slot_of_hotel((struct hotel_id){hotel}),
		rng_next(&world->rng) >> 4);
}

static char *borrowed(const char *text)
{
	return (char *)(uintptr_t)text;
}

uint64_t world_hotel_put(struct world *world, uint64_t hotel)
{
	Keyrack__HotelPutRequest body = KEYRACK__HOTEL_PUT_REQUEST__INIT;
	Keyrack__HotelSettings settings = KEYRACK__HOTEL_SETTINGS__INIT;
	settings.zone = borrowed("Europe/Paris");
	settings.currency = borrowed("EUR");
	body.hotel_id = hotel;
	body.mask = INV_HOTEL_ZONE | INV_HOTEL_CURRENCY;
	body.settings = &settings;
	return world_frame(world, FRAME_HOTEL_PUT, FRAME_ROUTE_HOTEL, hotel, &body.base);
}

uint64_t world_type_put(struct world *world, uint64_t hotel, uint32_t type, uint32_t physical)
{
	Keyrack__TypePutRequest body = KEYRACK__TYPE_PUT_REQUEST__INIT;
	Keyrack__TypeSettings settings = KEYRACK__TYPE_SETTINGS__INIT;
	char code[8] = {'T', (char)('0' + type), 0};
	settings.code = code;
	settings.physical = physical;
	body.hotel_id = hotel;
	body.type = type;
	body.mask = INV_TYPE_CODE | INV_TYPE_PHYSICAL;
	body.settings = &settings;
	return world_frame(world, FRAME_TYPE_PUT, FRAME_ROUTE_HOTEL, hotel, &body.base);
}

uint64_t world_price_set(struct world *world, uint64_t hotel, int64_t price_minor)
{
	Keyrack__InventorySetRequest body = KEYRACK__INVENTORY_SET_REQUEST__INIT;
	body.hotel_id = hotel;
	body.first_day = WORLD_TODAY;
	body.last_day = WORLD_TODAY + 40;
	body.weekday_mask = 127;
	body.set_mask = INV_UPDATE_PRICE;
	body.price_minor = price_minor;
	return world_frame(world, FRAME_INVENTORY_SET, FRAME_ROUTE_HOTEL, hotel, &body.base);
}

uint64_t world_sale(struct world *world, unsigned frame_type, struct kr_id id, uint32_t type,
	int32_t offset, int32_t nights, uint64_t ttl_us)
{
	Keyrack__ReserveRequest body = KEYRACK__RESERVE_REQUEST__INIT;
	Keyrack__Line line = KEYRACK__LINE__INIT;
	Keyrack__Line *lines[1] = {&line};
	line.type = type;
	line.check_in = WORLD_TODAY + offset;
	line.check_out = WORLD_TODAY + offset + nights;
	line.rooms = 1;
	line.guests = 1;
	body.hotel_id = WORLD_HOTEL;
	body.id_hi = id.hi;
	body.id_lo = id.lo;
	body.lines = lines;
	body.n_lines = 1;
	body.ttl_us = ttl_us;
	body.source = 1;
	return world_frame(world, frame_type, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &body.base);
}

uint64_t world_transition(struct world *world, unsigned frame_type, struct kr_id id)
{
	Keyrack__TransitionRequest body = KEYRACK__TRANSITION_REQUEST__INIT;
	body.id_hi = id.hi;
	body.id_lo = id.lo;
	return world_frame(
		world, frame_type, FRAME_ROUTE_SLOT, reservation_id_slot(id), &body.base);
}

uint64_t world_get(struct world *world, struct kr_id id)
{
	Keyrack__ReservationGetRequest body = KEYRACK__RESERVATION_GET_REQUEST__INIT;
	body.id_hi = id.hi;
	body.id_lo = id.lo;
	return world_frame(world, FRAME_RESERVATION_GET, FRAME_ROUTE_SLOT, reservation_id_slot(id),
		&body.base);
}

uint64_t world_availability(struct world *world, int32_t offset, uint32_t nights, bool stale_ok)
{
	Keyrack__AvailabilityRequest body = KEYRACK__AVAILABILITY_REQUEST__INIT;
	body.hotel_id = WORLD_HOTEL;
	body.first_day = WORLD_TODAY + offset;
	body.night_count = nights;
	uint64_t request_id =
		world_frame(world, FRAME_AVAILABILITY, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &body.base);
	if (stale_ok) {
		struct frame_header *header = &world->headers[world->frame_count - 1];
		header->flags |= FRAME_FLAG_STALE_OK;
		frame_header_seal(header);
	}
	return request_id;
}

struct world *world_serving(uint32_t physical)
{
	return world_serving_as(NULL, physical);
}

struct world *world_serving_as(const struct shard_config *config, uint32_t physical)
{
	struct world *world = world_new(config);
	int r = world_start(world, false);
	kr_assert(r == 0 && world->is_serving);
	uint64_t ids[] = {
		world_hotel_put(world, WORLD_HOTEL),
		world_type_put(world, WORLD_HOTEL, 1, physical),
		world_type_put(world, WORLD_HOTEL, 2, physical),
		world_price_set(world, WORLD_HOTEL, 10000),
	};
	world_turn(world);
	for (unsigned i = 0; i < KR_ARRAY_COUNT(ids); i++)
		kr_assert(world_code(world, ids[i]) == KEYRACK_DONE);
	return world;
}

void world_random(struct world *world, uint32_t count)
{
	struct kr_id ids[32] = {{0}};
	struct rng *rng = &world->rng;
	for (uint32_t i = 0; i < count; i++) {
		struct kr_id *id = &ids[rng_below(rng, 32)];
		int32_t offset = (int32_t)rng_below(rng, 30);
		int32_t nights = 1 + (int32_t)rng_below(rng, 4);
		uint32_t type = 1 + (uint32_t)rng_below(rng, 2);
		unsigned what = (unsigned)rng_below(rng, 12);
		if (what < 5) {
			*id = world_id(world, WORLD_HOTEL);
			world_sale(world, what < 3 ? FRAME_HOLD : FRAME_BOOK, *id, type, offset,
				nights, UINT64_C(1000000) * (1 + rng_below(rng, 600)));
		} else if (what < 9) {
			static const unsigned types[] = {
				FRAME_CONFIRM, FRAME_CANCEL, FRAME_RELEASE, FRAME_RESOLVE};
			if (!kr_id_is_zero(*id))
				world_transition(world, types[what - 5], *id);
		} else if (what == 9) {
			world_price_set(world, WORLD_HOTEL, (int64_t)rng_below(rng, 50000));
		} else if (what == 10) {
			world_type_put(world, WORLD_HOTEL, type, 1 + (uint32_t)rng_below(rng, 9));
		} else {
			world_turn(world);
			world_pass(world, rng_below(rng, 300) * 1000000);
		}
		if (rng_below(rng, 4) == 0)
			world_turn(world);
	}
	world_turn(world);
}

#include <criterion/criterion.h>

#include <string.h>

#include "tests/unit/shard/world.h"

/* Requests that are wrong in themselves: the code, and the field that the answer names. */

/* The refusal in any answer, found by its field's name; NULL: the answer has none. */
static const Keyrack__Refusal *refusal_of(const struct world_answer *answer)
{
	const ProtobufCMessage *m = answer->message;
	const ProtobufCFieldDescriptor *one =
		protobuf_c_message_descriptor_get_field_by_name(m->descriptor, "refusal");
	const ProtobufCFieldDescriptor *many =
		protobuf_c_message_descriptor_get_field_by_name(m->descriptor, "refusals");
	const uint8_t *at = (const void *)m;
	if (one != NULL)
		return *(Keyrack__Refusal *const *)(const void *)(at + one->offset);
	if (many == NULL || *(const size_t *)(const void *)(at + many->quantifier_offset) == 0)
		return NULL;
	return **(Keyrack__Refusal * *const *)(const void *)(at + many->offset);
}

static void invalid(struct world *world, uint64_t request_id, const char *field)
{
	cr_assert_eq(world_do(world, request_id), KEYRACK_INVALID, "%s", field);
	const Keyrack__Refusal *refusal = refusal_of(world_answer(world, request_id));
	cr_assert_not_null(refusal, "%s", field);
	cr_assert_eq(refusal->code, KEYRACK_INVALID);
	cr_assert_eq(refusal->rule, RULE_FIELD);
	cr_assert_str_eq(refusal->text, field);
}

static uint64_t garbage(struct world *world, unsigned type)
{
	Keyrack__HotelGetRequest body = KEYRACK__HOTEL_GET_REQUEST__INIT;
	body.hotel_id = WORLD_HOTEL;
	const uint64_t id = world_frame(world, type, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &body.base);
	const struct shard_frame *frame = &world->frames[world->frame_count - 1];
	memset((void *)(uintptr_t)frame->body, 0xff, frame->header->body_size_bytes);
	return id;
}

Test(refused, a_malformed_body_of_any_type_is_said_to_be_one_in_the_type_s_own_answer)
{
	static const uint8_t silent[] = {FRAME_HELLO, FRAME_PING, FRAME_REJECT, FRAME_AUTH,
		FRAME_STATS, FRAME_ROUTER_STATUS, FRAME_ROUTER_MAP, FRAME_ROUTER_CONNECTIONS};
	static const uint8_t types[] = {
#define X(number, name, request, answer) FRAME_##name,
		FRAME_TYPE_TABLE(X)
#undef X
	};
	struct world *world = world_serving(1);
	for (size_t i = 0; i < KR_ARRAY_COUNT(types); i++) {
		const uint64_t id = garbage(world, types[i]);
		const uint64_t digest = shard_digest(world->shard);
		cr_assert_eq(world_do(world, id), KEYRACK_INVALID, "type %u", types[i]);
		cr_assert_eq(world_answer(world, id)->type, types[i]);
		cr_assert_eq(shard_digest(world->shard), digest);
		if (memchr(silent, types[i], sizeof(silent)) == NULL)
			invalid(world, garbage(world, types[i]), "body");
	}
	world_free(world);
}

static int64_t counted(struct world *world, const char *name)
{
	Keyrack__StatsRequest body = KEYRACK__STATS_REQUEST__INIT;
	const uint64_t asked = world_frame(world, FRAME_STATS, FRAME_ROUTE_SHARD, 0, &body.base);
	cr_assert_eq(world_do(world, asked), KEYRACK_DONE);
	const Keyrack__StatsAnswer *answer = (const void *)world_answer(world, asked)->message;
	for (size_t i = 0; i < answer->n_stats; i++) {
		if (strcmp(answer->stats[i]->name, name) == 0)
			return answer->stats[i]->value;
	}
	cr_assert_fail("%s is not counted", name);
	return 0;
}

Test(refused, what_makes_no_sense_is_counted)
{
	struct world *world = world_serving(1);
	cr_assert_eq(counted(world, "invalid"), 0);
	for (int64_t n = 1; n <= 3; n++) {
		cr_assert_eq(world_do(world, garbage(world, FRAME_BOOK)), KEYRACK_INVALID);
		cr_assert_eq(counted(world, "invalid"), n);
	}
	cr_assert_eq(counted(world, "moved"), 0);
	world_free(world);
}

Test(refused, what_is_the_router_s_to_answer_is_no_type_here)
{
	struct world *world = world_serving(1);
	Keyrack__RouterMapRequest body = KEYRACK__ROUTER_MAP_REQUEST__INIT;
	const uint64_t id = world_frame(world, FRAME_ROUTER_MAP, FRAME_ROUTE_ROUTER, 0, &body.base);
	cr_assert_eq(world_do(world, id), KEYRACK_INVALID);
	world_free(world);
}

static uint64_t ask_get(
	struct world *world, struct kr_id id, uint64_t hotel, unsigned route, uint64_t key)
{
	Keyrack__ReservationGetRequest body = KEYRACK__RESERVATION_GET_REQUEST__INIT;
	body.id_hi = id.hi;
	body.id_lo = id.lo;
	body.has_hotel = hotel != 0;
	body.hotel_id = hotel;
	return world_frame(world, FRAME_RESERVATION_GET, route, key, &body.base);
}

Test(refused, an_id_has_to_be_asked_for_where_it_lives)
{
	struct world *world = world_serving(1);
	const uint64_t slot = slot_of_hotel((struct hotel_id){WORLD_HOTEL});
	const struct kr_id id = world_id(world, WORLD_HOTEL), foreign = {.hi = 7, .lo = 7};
	invalid(world, ask_get(world, id, 0, FRAME_ROUTE_SHARD, 0), "routing_key");
	invalid(world, ask_get(world, id, 0, FRAME_ROUTE_SLOT, SLOT_COUNT), "routing_key");
	invalid(world, ask_get(world, id, 0, FRAME_ROUTE_SLOT, (slot + 1) % SLOT_COUNT),
		"routing_key");
	invalid(world, ask_get(world, foreign, 0, FRAME_ROUTE_SLOT, slot), "hotel_id");
	invalid(world, ask_get(world, id, WORLD_HOTEL, FRAME_ROUTE_SLOT, (slot + 1) % SLOT_COUNT),
		"hotel_id");
	cr_assert_eq(world_do(world, ask_get(world, id, WORLD_HOTEL, FRAME_ROUTE_SLOT, slot)),
		KEYRACK_NOT_FOUND);
	world_free(world);
}

Test(refused, a_reservation_is_not_found_under_another_hotel_of_its_slot)
{
	struct world *world = world_serving(1);
	const uint64_t slot = slot_of_hotel((struct hotel_id){WORLD_HOTEL});
	uint64_t other = WORLD_HOTEL + 1;
	while (slot_of_hotel((struct hotel_id){other}) != slot)
		other++;
	const struct kr_id id = world_id(world, WORLD_HOTEL);
	cr_assert_eq(world_do(world, world_sale(world, FRAME_BOOK, id, 1, 3, 2, 0)), KEYRACK_DONE);
	cr_assert_eq(world_do(world, world_hotel_put(world, other)), KEYRACK_DONE);
	cr_assert_eq(world_do(world, ask_get(world, id, other, FRAME_ROUTE_SLOT, slot)),
		KEYRACK_NOT_FOUND);
	cr_assert_eq(world_do(world, ask_get(world, id, WORLD_HOTEL, FRAME_ROUTE_SLOT, slot)),
		KEYRACK_DONE);
	world_free(world);
}

Test(refused, a_call_about_no_hotel_or_by_another_route_is_invalid)
{
	struct world *world = world_serving(1);
	Keyrack__HotelGetRequest hotel = KEYRACK__HOTEL_GET_REQUEST__INIT;
	invalid(world,
		world_frame(world, FRAME_HOTEL_GET, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &hotel.base),
		"hotel_id");
	Keyrack__HotelListRequest list = KEYRACK__HOTEL_LIST_REQUEST__INIT;
	invalid(world,
		world_frame(world, FRAME_HOTEL_LIST, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &list.base),
		"routing_key");
	world_free(world);
}

/* A sale that is right but for what `spoil` does. */
struct sale {
	Keyrack__ReserveRequest body;
	Keyrack__Line line;
	Keyrack__Line *lines[INV_LINES_MAX + 1];
	uint32_t run_nights[2];
	uint64_t run_prices[2];
	Keyrack__Tier tier;
	Keyrack__Tier *tiers[1];
	char text[INV_TEXT_SIZE_MAX + 2];
};

static void sale_init(struct sale *sale, struct kr_id id)
{
	*sale = (struct sale){.body = KEYRACK__RESERVE_REQUEST__INIT,
		.line = KEYRACK__LINE__INIT,
		.tier = KEYRACK__TIER__INIT};
	memset(sale->text, 'x', INV_TEXT_SIZE_MAX + 1);
	for (size_t i = 0; i < KR_ARRAY_COUNT(sale->lines); i++)
		sale->lines[i] = &sale->line;
	sale->tiers[0] = &sale->tier;
	sale->line.type = 1;
	sale->line.check_in = WORLD_TODAY + 3;
	sale->line.check_out = WORLD_TODAY + 5;
	sale->line.rooms = 1;
	sale->run_nights[0] = 2;
	sale->line.run_nights = sale->run_nights;
	sale->line.run_price_minor = sale->run_prices;
	sale->body.hotel_id = WORLD_HOTEL;
	sale->body.id_hi = id.hi;
	sale->body.id_lo = id.lo;
	sale->body.lines = sale->lines;
	sale->body.n_lines = 1;
}

static void sale_spoil(struct sale *sale, unsigned how)
{
	Keyrack__Line *line = &sale->line;
	switch (how) {
	case 0:
		sale->body.external_ref = sale->text;
		break;
	case 1:
		sale->body.payment_ref = sale->text;
		break;
	case 2:
		sale->body.reason = sale->text;
		break;
	case 3:
		sale->body.source = INV_SOURCE_RESERVED_FIRST;
		break;
	case 4:
		sale->body.n_lines = INV_LINES_MAX + 1;
		break;
	case 5:
		line->pricing = INV_PRICE_NONE + 1;
		break;
	case 6:
		line->pricing = INV_PRICE_CALLER;
		line->n_run_nights = 2;
		line->n_run_price_minor = 1;
		break;
	case 7:
		line->pricing = INV_PRICE_CALLER;
		line->n_run_nights = line->n_run_price_minor = 1;
		sale->run_prices[0] = (uint64_t)RATE_PRICE_MAX + 1;
		break;
	case 8:
		line->rooms = 1u << 16;
		break;
	case 9:
		line->keeps = 1;
		break;
	case 10:
		line->tiers = sale->tiers;
		line->n_tiers = 1;
		break;
	default:
		line->arrival_us = 1;
	}
}

Test(refused, a_sale_is_refused_by_the_name_of_what_is_wrong_with_it)
{
	static const char *const fields[] = {"external_ref", "payment_ref", "reason", "source",
		"lines", "pricing", "run_nights", "run_price_minor", "rooms", "keeps", "tiers",
		"arrival_us"};
	struct world *world = world_serving(1);
	for (unsigned how = 0; how < KR_ARRAY_COUNT(fields); how++) {
		struct sale sale;
		sale_init(&sale, world_id(world, WORLD_HOTEL));
		sale_spoil(&sale, how);
		invalid(world,
			world_frame(
				world, FRAME_BOOK, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &sale.body.base),
			fields[how]);
	}
	struct sale good;
	sale_init(&good, world_id(world, WORLD_HOTEL));
	const uint64_t id =
		world_frame(world, FRAME_BOOK, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &good.body.base);
	cr_assert_eq(world_do(world, id), KEYRACK_DONE);
	world_free(world);
}

Test(refused, a_reason_or_a_reference_that_is_no_text_is_named)
{
	struct world *world = world_serving(1);
	char noise[] = "\xc3\x28";
	Keyrack__HotelPutRequest hotel = KEYRACK__HOTEL_PUT_REQUEST__INIT;
	Keyrack__HotelSettings settings = KEYRACK__HOTEL_SETTINGS__INIT;
	hotel.hotel_id = WORLD_HOTEL;
	hotel.settings = &settings;
	hotel.reason = noise;
	invalid(world,
		world_frame(world, FRAME_HOTEL_PUT, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &hotel.base),
		"reason");
	Keyrack__ReservationListRequest list = KEYRACK__RESERVATION_LIST_REQUEST__INIT;
	list.hotel_id = WORLD_HOTEL;
	list.external_ref = noise;
	const uint64_t id = world_frame(
		world, FRAME_RESERVATION_LIST, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &list.base);
	invalid(world, id, "external_ref");
	world_free(world);
}

Test(refused, settings_that_fit_no_field_are_refused)
{
	struct world *world = world_serving(1);
	Keyrack__HotelPutRequest hotel = KEYRACK__HOTEL_PUT_REQUEST__INIT;
	Keyrack__HotelSettings hs = KEYRACK__HOTEL_SETTINGS__INIT;
	hotel.hotel_id = WORLD_HOTEL;
	hotel.settings = &hs;
	hotel.mask = INV_HOTEL_CURRENCY;
	hs.currency = (char *)(uintptr_t) "EURO";
	invalid(world,
		world_frame(world, FRAME_HOTEL_PUT, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &hotel.base),
		"currency");
	Keyrack__TypePutRequest type = KEYRACK__TYPE_PUT_REQUEST__INIT;
	Keyrack__TypeSettings ts = KEYRACK__TYPE_SETTINGS__INIT;
	type.hotel_id = WORLD_HOTEL;
	type.type = 1;
	type.settings = &ts;
	type.mask = INV_TYPE_CAP;
	for (unsigned i = 0; i < 2; i++) {
		ts.cap = i == 0 ? CELL_LIMIT_MIN - 1 : CELL_LIMIT_MAX + 1;
		invalid(world,
			world_frame(
				world, FRAME_TYPE_PUT, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &type.base),
			"cap");
	}
	world_free(world);
}

static uint64_t ask_list(struct world *world, const Keyrack__ReservationListRequest *body)
{
	return world_frame(world, FRAME_RESERVATION_LIST, FRAME_ROUTE_SHARD, 0, &body->base);
}

Test(refused, a_list_of_reservations_is_refused_by_the_filter_that_makes_no_sense)
{
	struct world *world = world_serving(1);
	Keyrack__ReservationListRequest body = KEYRACK__RESERVATION_LIST_REQUEST__INIT;
	body.state_mask = 1;
	invalid(world, ask_list(world, &body), "state_mask");
	body.state_mask = 0;
	body.payment = 3;
	invalid(world, ask_list(world, &body), "payment");
	body.payment = 0;
	body.limit = 257;
	invalid(world, ask_list(world, &body), "limit");
	body.limit = 0;
	body.has_night = true;
	body.night_first_day = 2;
	body.night_last_day = 1;
	invalid(world, ask_list(world, &body), "night_first_day");
	body.has_night = false;
	body.cursor = 5;
	const uint64_t id = ask_list(world, &body);
	cr_assert_eq(world_do(world, id), KEYRACK_VERSION_MISMATCH);
	cr_assert_str_eq(refusal_of(world_answer(world, id))->text, "cursor");
	body.cursor = 0;
	cr_assert_eq(world_do(world, ask_list(world, &body)), KEYRACK_DONE);
	body.hotel_id = WORLD_HOTEL + 1;
	cr_assert_eq(world_do(world, world_frame(world, FRAME_RESERVATION_LIST, FRAME_ROUTE_HOTEL,
					     WORLD_HOTEL + 1, &body.base)),
		KEYRACK_NOT_FOUND);
	world_free(world);
}

Test(refused, pages_longer_than_a_page_are_refused)
{
	struct world *world = world_serving(1);
	Keyrack__DenialListRequest denials = KEYRACK__DENIAL_LIST_REQUEST__INIT;
	denials.limit = 1025;
	invalid(world, world_frame(world, FRAME_DENIAL_LIST, FRAME_ROUTE_SHARD, 0, &denials.base),
		"limit");
	Keyrack__PlanListRequest plans = KEYRACK__PLAN_LIST_REQUEST__INIT;
	plans.hotel_id = WORLD_HOTEL;
	plans.limit = 1025;
	invalid(world,
		world_frame(world, FRAME_PLAN_LIST, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &plans.base),
		"limit");
	plans.limit = 0;
	plans.hotel_id = WORLD_HOTEL + 1;
	cr_assert_eq(world_do(world, world_frame(world, FRAME_PLAN_LIST, FRAME_ROUTE_HOTEL,
					     WORLD_HOTEL + 1, &plans.base)),
		KEYRACK_NOT_FOUND);
	world_free(world);
}

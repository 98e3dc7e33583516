/* Synchronous calls against a server of its own process: every answer, and calls over all shards.
 */
#include "tests/unit/client/peer.h"

#include <errno.h>
#include <unistd.h>

static char *text(const char *t)
{
	return (char *)(uintptr_t)t;
}

/* ---- what the server answers ----------------------------------------------------------------- */

static void fill_hotel(Keyrack__Hotel *hotel, Keyrack__HotelSettings *settings, uint64_t id)
{
	keyrack__hotel__init(hotel);
	keyrack__hotel_settings__init(settings);
	hotel->hotel_id = id;
	hotel->settings = settings;
	hotel->ari_version = 11;
	hotel->event_seq = 12;
	hotel->business_day = 20000;
	hotel->window_nights = 731;
	hotel->type_count = 4;
	hotel->reservation_count = 5;
	hotel->hold_count = 6;
	hotel->slot = 7;
	settings->code = text("GRAND");
	settings->zone = text("Europe/Paris");
	settings->currency = text("EUR");
	settings->currency_digits = 2;
	settings->day_roll_minute = 240;
	settings->check_in_minute = 900;
	settings->nights_max = 30;
	settings->hold_ttl_us = 1;
	settings->hold_ttl_max_us = 2;
	settings->hold_total_max_us = 3;
	settings->holds_max = 4;
	settings->guest_holds_max = 5;
	settings->status = 1;
}

static void serve_hotel(struct peer *peer, const struct peer_request *request)
{
	Keyrack__Hotel hotel;
	Keyrack__HotelSettings settings;
	Keyrack__HotelAnswer answer = KEYRACK__HOTEL_ANSWER__INIT;
	fill_hotel(&hotel, &settings, request->header.routing_key);
	answer.hotel = &hotel;
	answer.created = request->header.type == FRAME_HOTEL_PUT;
	if (answer.created) {
		const Keyrack__HotelPutRequest *put =
			PEER_MESSAGE(*request, Keyrack__HotelPutRequest);
		settings = *put->settings;
		hotel.ari_version = put->expected_ari_version;
		hotel.event_seq = put->mask;
		hotel.slot = put->source;
		hotel.reservation_count = put->actor;
	}
	peer_answer(peer, &request->header, KEYRACK_DONE, &answer.base);
}

/* Shard n has the hotels n, n + 3, n + 6 ... below 100; shard 1 is out of order when limit is 7. */
static void serve_hotel_list(struct peer *peer, const struct peer_request *request)
{
	const Keyrack__HotelListRequest *list = PEER_MESSAGE(*request, Keyrack__HotelListRequest);
	Keyrack__HotelListAnswer answer = KEYRACK__HOTEL_LIST_ANSWER__INIT;
	static Keyrack__Hotel hotels[1000];
	static Keyrack__HotelSettings settings[1000];
	static Keyrack__Hotel *pointers[1000];
	for (uint64_t id = request->header.routing_key; id < 100; id += 3) {
		if (!list->from_start && id <= list->after)
			continue;
		if (answer.n_hotels == list->limit || answer.n_hotels == 15) {
			answer.more = true;
			break;
		}
		fill_hotel(&hotels[answer.n_hotels], &settings[answer.n_hotels], id);
		pointers[answer.n_hotels] = &hotels[answer.n_hotels];
		answer.n_hotels++;
	}
	answer.hotels = pointers;
	bool bad = list->limit == 7 && request->header.routing_key == 1;
	Keyrack__Refusal refusal = KEYRACK__REFUSAL__INIT;
	refusal.code = KEYRACK_FORBIDDEN;
	if (bad) {
		answer.n_hotels = 0;
		answer.refusal = &refusal;
	}
	peer_answer(peer, &request->header, bad ? KEYRACK_FORBIDDEN : KEYRACK_DONE, &answer.base);
}

static void serve_types(struct peer *peer, const struct peer_request *request)
{
	Keyrack__RoomType type = KEYRACK__ROOM_TYPE__INIT, other = type;
	Keyrack__TypeSettings settings = KEYRACK__TYPE_SETTINGS__INIT;
	Keyrack__RoomType *types[] = {&type, &other};
	type.settings = &settings;
	type.type = 3;
	type.set_mask = 4;
	settings.code = text("DBL");
	settings.allowance = -2;
	settings.physical = 10;
	if (request->header.type == FRAME_TYPE_PUT) {
		Keyrack__TypeAnswer answer = KEYRACK__TYPE_ANSWER__INIT;
		const Keyrack__TypePutRequest *put =
			PEER_MESSAGE(*request, Keyrack__TypePutRequest);
		type.type = put->type;
		type.set_mask = put->mask | put->clear_mask << 16;
		settings = *put->settings;
		answer.type = &type;
		answer.ari_version = put->expected_ari_version;
		peer_answer(peer, &request->header, KEYRACK_DONE, &answer.base);
		return;
	}
	Keyrack__TypeListAnswer answer = KEYRACK__TYPE_LIST_ANSWER__INIT;
	answer.n_types = 2;
	answer.types = types;
	answer.ari_version = PEER_MESSAGE(*request, Keyrack__TypeGetRequest)->n_types;
	peer_answer(peer, &request->header, KEYRACK_DONE, &answer.base);
}

/* A put's settings come back as they went; a list is two plans, the second without settings. */
static void serve_plans(struct peer *peer, const struct peer_request *request)
{
	Keyrack__Plan plan = KEYRACK__PLAN__INIT, other = plan;
	Keyrack__Plan *plans[] = {&plan, &other};
	if (request->header.type == FRAME_PLAN_PUT) {
		Keyrack__PlanAnswer answer = KEYRACK__PLAN_ANSWER__INIT;
		const Keyrack__PlanPutRequest *put =
			PEER_MESSAGE(*request, Keyrack__PlanPutRequest);
		plan.type = put->type;
		plan.plan = put->plan;
		plan.settings = put->settings;
		answer.plan = &plan;
		answer.created = put->has_expected_version && put->actor == 77;
		answer.ari_version = put->expected_ari_version + put->mask;
		peer_answer(peer, &request->header, KEYRACK_DONE, &answer.base);
		return;
	}
	const Keyrack__PlanListRequest *list = PEER_MESSAGE(*request, Keyrack__PlanListRequest);
	Keyrack__PlanListAnswer answer = KEYRACK__PLAN_LIST_ANSWER__INIT;
	Keyrack__PlanSettings settings = KEYRACK__PLAN_SETTINGS__INIT;
	settings.code = text("BASE");
	plan.settings = &settings;
	plan.type = list->from_type;
	plan.plan = list->from_plan;
	answer.n_plans = 2;
	answer.plans = plans;
	answer.more = list->limit == 9;
	answer.ari_version = 12;
	peer_answer(peer, &request->header, KEYRACK_DONE, &answer.base);
}

static void serve_inventory(struct peer *peer, const struct peer_request *request)
{
	const Keyrack__InventorySetRequest *set =
		PEER_MESSAGE(*request, Keyrack__InventorySetRequest);
	Keyrack__InventorySetAnswer answer = KEYRACK__INVENTORY_SET_ANSWER__INIT;
	answer.ari_version = set->set_mask;
	answer.event_seq = set->adjust_mask;
	answer.cells = set->weekday_mask;
	answer.last_source_seq = set->source_seq;
	answer.cells_over_limit = set->clear_mask;
	answer.repeated_seq = set->closed && set->plan_ctd && set->cap == -4 &&
			      set->physical == 1 && set->out_of_order == 2 && set->allowance == 3 &&
			      set->available == 5 && set->price_minor == -6 &&
			      set->min_arrival == 7 && set->max_arrival == 8 &&
			      set->min_through == 9 && set->max_through == 10 && !set->cta;
	peer_answer(peer, &request->header, KEYRACK_DONE, &answer.base);
}

static void serve_availability(struct peer *peer, const struct peer_request *request)
{
	const Keyrack__AvailabilityRequest *ask =
		PEER_MESSAGE(*request, Keyrack__AvailabilityRequest);
	static uint64_t counters[16384], rates[16384];
	uint64_t classes[] = {2, 3};
	Keyrack__AvailabilityAnswer answer = KEYRACK__AVAILABILITY_ANSWER__INIT;
	answer.n_types = ask->n_types;
	answer.types = ask->types;
	answer.first_day = ask->first_day;
	answer.night_count = ask->night_count;
	answer.n_counters = answer.n_rates = ask->n_types * ask->night_count;
	if (ask->night_count == 13)
		answer.n_rates--; /* contradicts itself */
	for (size_t i = 0; i < answer.n_counters; i++) {
		counters[i] = i + 1;
		rates[i] = UINT64_C(2) << 40 | i;
	}
	answer.counters = counters;
	answer.rates = rates;
	answer.n_classes = 2;
	answer.classes = classes;
	answer.business_day = 19999;
	answer.ari_version = ask->plan;
	peer_answer(peer, &request->header, KEYRACK_DONE, &answer.base);
}

static void serve_stay(struct peer *peer, const struct peer_request *request)
{
	const Keyrack__StayRequest *stay = PEER_MESSAGE(*request, Keyrack__StayRequest);
	Keyrack__StayAnswer answer = KEYRACK__STAY_ANSWER__INIT;
	Keyrack__Refusal one = KEYRACK__REFUSAL__INIT, two = one;
	Keyrack__Refusal *refusals[] = {&one, &two};
	one.code = KEYRACK_CLOSED;
	one.rule = RULE_PLAN_CLOSED;
	two.rule = RULE_LIMIT;
	two.text = text("x");
	answer.n_lines = stay->n_lines;
	answer.lines = stay->lines;
	answer.rooms_left = 3;
	answer.total_minor = stay->expected_total_minor;
	answer.has_total = stay->has_expected_total;
	answer.n_refusals = stay->explain ? 2 : 0;
	answer.refusals = refusals;
	peer_answer(peer, &request->header, stay->explain ? KEYRACK_CLOSED : KEYRACK_DONE,
		&answer.base);
}

static void serve_reservation(struct peer *peer, const struct peer_request *request)
{
	Keyrack__ReservationGetAnswer answer = KEYRACK__RESERVATION_GET_ANSWER__INIT;
	Keyrack__Reservation reservation = KEYRACK__RESERVATION__INIT;
	Keyrack__Line line = KEYRACK__LINE__INIT;
	Keyrack__Line *lines[] = {&line};
	uint32_t nights[] = {2, 1};
	uint64_t prices[] = {100, 200};
	const Keyrack__ReservationGetRequest *get =
		PEER_MESSAGE(*request, Keyrack__ReservationGetRequest);
	line.n_run_nights = line.n_run_price_minor = 2;
	line.run_nights = nights;
	line.run_price_minor = prices;
	line.check_in = -1;
	reservation.id_hi = get->id_hi;
	reservation.id_lo = get->id_lo;
	reservation.n_lines = 1;
	reservation.lines = lines;
	reservation.state = KEYRACK_STATE_CONFIRMED;
	reservation.external_ref = text("ref");
	reservation.counted_until_day = -9;
	reservation.was_held = true;
	answer.reservation = &reservation;
	peer_answer(peer, &request->header, KEYRACK_DONE, &answer.base);
}

static void serve_snapshot(struct peer *peer, const struct peer_request *request)
{
	Keyrack__SnapshotAnswer answer = KEYRACK__SNAPSHOT_ANSWER__INIT;
	answer.started = request->header.routing_key != 1;
	answer.already_running = !answer.started;
	answer.lsn = 100 + request->header.routing_key;
	peer_answer(peer, &request->header, KEYRACK_DONE, &answer.base);
}

static void serve_stats(struct peer *peer, const struct peer_request *request)
{
	const Keyrack__StatsRequest *ask = PEER_MESSAGE(*request, Keyrack__StatsRequest);
	uint64_t shard = request->header.routing_key;
	Keyrack__StatsAnswer answer = KEYRACK__STATS_ANSWER__INIT;
	Keyrack__Stat books = KEYRACK__STAT__INIT, own = books;
	Keyrack__Stat *stats[] = {&books, &own};
	Keyrack__Denial denial = KEYRACK__DENIAL__INIT;
	Keyrack__Denial *denials[] = {&denial};
	books.name = text("books");
	books.value = 10;
	books.kind = 1;
	own.name = text(shard == 0 ? "zero" : "others");
	own.value = -1;
	own.kind = 2;
	denial.hotel_id = 1000 + shard;
	answer.n_stats = 2;
	answer.stats = stats;
	answer.n_denials = ask->denials;
	answer.denials = denials;
	answer.state = text("serving");
	answer.durability = text("sync");
	if (shard == 2) /* is down */
		peer_answer(peer, &request->header, KEYRACK_UNAVAILABLE, NULL);
	else
		peer_answer(peer, &request->header, KEYRACK_DONE, &answer.base);
}

static void serve_router(struct peer *peer, const struct peer_request *request)
{
	Keyrack__RouterStatusAnswer status = KEYRACK__ROUTER_STATUS_ANSWER__INIT;
	Keyrack__ShardLink link = KEYRACK__SHARD_LINK__INIT;
	Keyrack__ShardLink *links[] = {&link};
	Keyrack__RouterMapAnswer map = KEYRACK__ROUTER_MAP_ANSWER__INIT;
	Keyrack__SlotRange range = KEYRACK__SLOT_RANGE__INIT;
	Keyrack__SlotRange *ranges[] = {&range};
	Keyrack__RouterConnectionsAnswer list = KEYRACK__ROUTER_CONNECTIONS_ANSWER__INIT;
	Keyrack__RouterConnection connection = KEYRACK__ROUTER_CONNECTION__INIT;
	Keyrack__RouterConnection *connections[] = {&connection};
	link.address = text("unix:/x");
	link.unavailable = 4;
	range.last = 16383;
	connection.peer = text("peer");
	connection.queued_bytes = 8;
	status.n_links = 1;
	status.links = links;
	status.version = text("0.1");
	map.n_ranges = 1;
	map.ranges = ranges;
	map.shard_count = 3;
	list.n_connections = 1;
	list.connections = connections;
	list.more = true;
	const ProtobufCMessage *answer = &list.base;
	if (request->header.type == FRAME_ROUTER_STATUS)
		answer = &status.base;
	else if (request->header.type == FRAME_ROUTER_MAP)
		answer = &map.base;
	peer_answer(peer, &request->header, KEYRACK_DONE, answer);
}

static void serve_ping(struct peer *peer, const struct peer_request *request)
{
	Keyrack__PingAnswer answer = KEYRACK__PING_ANSWER__INIT;
	answer.payload = PEER_MESSAGE(*request, Keyrack__PingRequest)->payload;
	answer.time_us = request->header.routing_key;
	peer_answer(peer, &request->header, KEYRACK_DONE, &answer.base);
}

static void serve_transition(struct peer *peer, const struct peer_request *request)
{
	static int overloaded;
	Keyrack__ReservationAnswer answer = KEYRACK__RESERVATION_ANSWER__INIT;
	answer.state = request->header.type; /* whatever, but told apart */
	answer.outcome = KEYRACK_SOLD_OUT;
	bool busy = request->header.type == FRAME_RELEASE && overloaded++ < 3;
	peer_answer(peer, &request->header, busy ? KEYRACK_OVERLOADED : KEYRACK_DONE, &answer.base);
}

/* Every field has a value of its own; the answer's total is their sum. */
static void serve_import(struct peer *peer, const struct peer_request *request)
{
	Keyrack__ReservationAnswer answer = KEYRACK__RESERVATION_ANSWER__INIT;
	const Keyrack__ImportRequest *ask = PEER_MESSAGE(*request, Keyrack__ImportRequest);
	const Keyrack__Reservation *r = ask->reservation;
	cr_assert_eq(request->header.routing_key, r->hotel_id);
	cr_assert(r->n_lines == 1 && r->lines[0]->n_tiers == 2 && ask->has_counted_until);
	answer.has_total = ask->force && r->was_held && r->graced;
	answer.total_minor = r->id_hi + r->id_lo + r->hotel_id + r->revision + r->created_at_us +
			     r->changed_at_us + r->expires_at_us + r->guest_hi + r->guest_lo +
			     strlen(r->external_ref) + strlen(r->payment_ref) + r->source +
			     (uint64_t)r->counted_until_day + r->change_id +
			     r->lines[0]->arrival_us + r->lines[0]->tiers[1]->basis_points +
			     r->lines[0]->run_price_minor[0] + ask->actor + strlen(ask->reason);
	answer.state = r->state;
	answer.nights_over_limit = 7;
	peer_answer(peer, &request->header, KEYRACK_DONE, &answer.base);
}

static void serve(struct peer *peer, const struct peer_request *request)
{
	switch (request->header.type) {
	case FRAME_HOTEL_PUT:
	case FRAME_HOTEL_GET:
		serve_hotel(peer, request);
		return;
	case FRAME_HOTEL_LIST:
		serve_hotel_list(peer, request);
		return;
	case FRAME_TYPE_PUT:
	case FRAME_TYPE_GET:
		serve_types(peer, request);
		return;
	case FRAME_PLAN_PUT:
	case FRAME_PLAN_LIST:
		serve_plans(peer, request);
		return;
	case FRAME_INVENTORY_SET:
		serve_inventory(peer, request);
		return;
	case FRAME_AVAILABILITY:
		serve_availability(peer, request);
		return;
	case FRAME_STAY:
		serve_stay(peer, request);
		return;
	case FRAME_IMPORT:
		serve_import(peer, request);
		return;
	case FRAME_RESERVATION_GET:
		serve_reservation(peer, request);
		return;
	case FRAME_SNAPSHOT:
		serve_snapshot(peer, request);
		return;
	case FRAME_STATS:
		serve_stats(peer, request);
		return;
	case FRAME_PING:
		serve_ping(peer, request);
		return;
	case FRAME_ROUTER_STATUS:
	case FRAME_ROUTER_MAP:
	case FRAME_ROUTER_CONNECTIONS:
		serve_router(peer, request);
		return;
	default:
		serve_transition(peer, request);
		return;
	}
}

/* ---- the tests ------------------------------------------------------------------------------- */

static struct peer peer;
static pid_t server;
static struct keyrack_client *client;

static void begin(void)
{
	peer_open(&peer);
	server = peer_serve(&peer, serve);
	struct keyrack_config config = {
		.routers = peer.address, .actor = 77, .source = 66, .deadline_us = 2000000};
	cr_assert_eq(keyrack_client_new(&config, &client), 0);
}

static void end(void)
{
	keyrack_client_free(client);
	peer_stop(server);
	peer_close(&peer);
}

TestSuite(sync, .init = begin, .fini = end);

Test(sync, hotels_and_types_are_put_and_read)
{
	struct keyrack_hotel_get get = {.hotel_id = 42};
	struct keyrack_hotel_answer hotel;
	cr_assert_eq(keyrack_hotel_get(client, &get, &hotel), KEYRACK_RESULT_DONE);
	cr_assert_eq(hotel.hotel.hotel_id, 42);
	cr_assert_str_eq(hotel.hotel.settings.code, "GRAND");
	cr_assert_str_eq(hotel.hotel.settings.zone, "Europe/Paris");
	cr_assert_eq(hotel.hotel.settings.guest_holds_max, 5);
	cr_assert(hotel.hotel.hold_count == 6 && hotel.hotel.slot == 7 && !hotel.created);
	struct keyrack_hotel_put put = {.hotel_id = 1,
		.mask = KEYRACK_HOTEL_ZONE | KEYRACK_HOTEL_CURRENCY,
		.settings = {.zone = "Asia/Tokyo", .currency = "JPY", .hold_ttl_us = 9},
		.expected_version = 5};
	cr_assert_eq(keyrack_hotel_put(client, &put, &hotel), KEYRACK_RESULT_DONE);
	cr_assert(hotel.created && hotel.hotel.event_seq == put.mask);
	cr_assert(hotel.hotel.ari_version == 5 && hotel.hotel.settings.hold_ttl_us == 9);
	cr_assert(hotel.hotel.slot == 66 && hotel.hotel.reservation_count == 77);
	struct keyrack_type_put type = {.type = 65534,
		.mask = KEYRACK_TYPE_CODE,
		.clear_mask = KEYRACK_TYPE_CAP,
		.settings = {.code = "SGL", .cap = -5, .advance_max_minutes = 8}};
	struct keyrack_type_answer typed;
	cr_assert_eq(keyrack_type_put(client, &type, &typed), KEYRACK_RESULT_DONE);
	cr_assert_eq(typed.type.type, 65534);
	cr_assert_eq(typed.type.set_mask, KEYRACK_TYPE_CODE | KEYRACK_TYPE_CAP << 16);
	cr_assert_str_eq(typed.type.settings.code, "SGL");
	cr_assert(typed.type.settings.cap == -5 && typed.type.settings.advance_max_minutes == 8);
	uint32_t numbers[] = {1, 2, 3};
	struct keyrack_type_get types = {.types = numbers, .type_count = 3};
	struct keyrack_type_list_answer list;
	cr_assert_eq(keyrack_type_get(client, &types, &list), KEYRACK_RESULT_DONE);
	cr_assert(list.type_count == 2 && list.ari_version == 3);
	cr_assert_str_eq(list.types[0].settings.code, "DBL");
	cr_assert_str_eq(list.types[1].settings.code, "", "no settings are empty ones");
}

Test(sync, every_field_of_a_plan_arrives)
{
	const struct keyrack_tier tiers[] = {{336, 0, 5000}, {168, 3, 0}};
	struct keyrack_plan_put put = {.type = 7,
		.plan = 65534,
		.mask = 0xff,
		.settings = {.code = "FLEX",
			.status = KEYRACK_STATUS_CLOSED,
			.advance_min_minutes = 3,
			.advance_max_minutes = 4,
			.parent = 5,
			.derivation = KEYRACK_DERIVED_BASIS_POINTS,
			.adjustment = -1000,
			.tiers = tiers,
			.tier_count = 2},
		.has_expected_version = true,
		.expected_version = 1000,
		.origin = {.actor = 77}};
	struct keyrack_plan_answer answer;
	cr_assert_eq(keyrack_plan_put(client, &put, &answer), KEYRACK_RESULT_DONE);
	const struct keyrack_plan_settings *settings = &answer.plan.settings;
	cr_assert(answer.created && answer.ari_version == 1255);
	cr_assert(answer.plan.type == 7 && answer.plan.plan == 65534);
	cr_assert_str_eq(settings->code, "FLEX");
	cr_assert(settings->status == put.settings.status && settings->advance_min_minutes == 3);
	cr_assert(settings->advance_max_minutes == 4 && settings->parent == 5);
	cr_assert(settings->derivation == 2 && settings->adjustment == -1000);
	cr_assert_eq(settings->tier_count, 2);
	cr_assert_arr_eq(settings->tiers, tiers, sizeof(tiers));
	put.settings.tier_count = KEYRACK_TIER_COUNT_MAX + 1;
	cr_assert_eq(keyrack_plan_put(client, &put, &answer), -EINVAL);
	put.settings.tiers = NULL;
	put.settings.tier_count = 1;
	cr_assert_eq(keyrack_plan_put(client, &put, &answer), -EINVAL);
}

Test(sync, plans_come_in_pages)
{
	struct keyrack_plan_list ask = {.from_type = 65534, .from_plan = 3, .limit = 9};
	struct keyrack_plan_list_answer answer;
	cr_assert_eq(keyrack_plan_list(client, &ask, &answer), KEYRACK_RESULT_DONE);
	cr_assert(answer.plan_count == 2 && answer.more && answer.ari_version == 12);
	cr_assert(answer.plans[0].type == 65534 && answer.plans[0].plan == 3);
	cr_assert_str_eq(answer.plans[0].settings.code, "BASE");
	cr_assert_null(answer.plans[0].settings.tiers);
	cr_assert_str_eq(answer.plans[1].settings.code, "", "no settings are empty ones");
	ask.limit = 0;
	cr_assert_eq(keyrack_plan_list(client, &ask, &answer), KEYRACK_RESULT_DONE);
	cr_assert_not(answer.more);
}

Test(sync, every_field_of_an_update_arrives)
{
	struct keyrack_inventory_set set = {.set_mask = 1,
		.adjust_mask = 2,
		.clear_mask = 4,
		.weekday_mask = 0x60,
		.physical = 1,
		.out_of_order = 2,
		.allowance = 3,
		.cap = -4,
		.available = 5,
		.price_minor = -6,
		.min_arrival = 7,
		.max_arrival = 8,
		.min_through = 9,
		.max_through = 10,
		.closed = true,
		.plan_ctd = true,
		.source_seq = 99};
	struct keyrack_inventory_set_answer answer;
	cr_assert_eq(keyrack_inventory_set(client, &set, &answer), KEYRACK_RESULT_DONE);
	cr_assert(answer.repeated_seq);
	cr_assert(answer.ari_version == 1 && answer.event_seq == 2);
	cr_assert(answer.cells_over_limit == 4 && answer.cell_count == 0x60);
	cr_assert_eq(answer.last_source_seq, 99);
}

Test(sync, columns_of_nights_are_read_and_contradictions_are_no_answer)
{
	uint32_t types[] = {4, 9};
	struct keyrack_availability ask = {
		.types = types, .type_count = 2, .first_day = -3, .night_count = 700, .plan = 41};
	struct keyrack_availability_answer answer;
	cr_assert_eq(keyrack_availability(client, &ask, &answer), KEYRACK_RESULT_DONE);
	cr_assert_eq(answer.ari_version, 41);
	cr_assert(answer.type_count == 2 && answer.types[1] == 9 && answer.night_count == 700);
	struct keyrack_night night = keyrack_availability_night(&answer, 1, 699);
	cr_assert_eq(night.day, 696);
	cr_assert_eq(night.limit, 1400);
	cr_assert_eq(night.price_minor, 1399);
	cr_assert_eq(night.los.min_arrival, 3);
	ask.night_count = 13;
	cr_assert_eq(keyrack_availability(client, &ask, &answer), KEYRACK_RESULT_UNKNOWN);
	cr_assert_eq(answer.result.code, KEYRACK_CODE_BAD_ANSWER);
	cr_assert_eq(answer.type_count, 0);
	ask.type_count = 0;
	ask.night_count = 0;
	cr_assert_eq(keyrack_availability(client, &ask, &answer), KEYRACK_RESULT_DONE);
}

Test(sync, stays_are_priced_and_explained)
{
	struct keyrack_price_run run = {2, 700};
	struct keyrack_line line = {.rooms = 2, .runs = &run, .run_count = 1};
	struct keyrack_stay stay = {.lines = &line,
		.line_count = 1,
		.has_expected_total = true,
		.expected_total_minor = 1400};
	struct keyrack_stay_answer answer;
	cr_assert_eq(keyrack_stay(client, &stay, &answer), KEYRACK_RESULT_DONE);
	cr_assert(answer.has_total && answer.total_minor == 1400 && answer.rooms_left == 3);
	cr_assert(answer.line_count == 1 && answer.lines[0].runs[0].price_minor == 700);
	cr_assert_null(answer.result.refusal);
	stay.explain = true;
	cr_assert_eq(keyrack_stay(client, &stay, &answer), KEYRACK_RESULT_NOT_DONE);
	cr_assert_eq(answer.refusal_count, 2);
	cr_assert_eq(answer.result.refusal->rule, KEYRACK_RULE_PLAN_CLOSED);
	cr_assert_str_eq(answer.refusals[1].text, "x");
}

Test(sync, reservations_are_moved_and_read)
{
	struct keyrack_transition move = {.id = keyrack_id_mint(client, 1)};
	struct keyrack_reservation_answer answer;
	cr_assert_eq(keyrack_confirm(client, &move, &answer), KEYRACK_RESULT_DONE);
	cr_assert_eq(answer.state, FRAME_CONFIRM);
	cr_assert_eq(keyrack_cancel(client, &move, &answer), KEYRACK_RESULT_DONE);
	cr_assert_eq(answer.state, FRAME_CANCEL);
	cr_assert_eq(keyrack_resolve(client, &move, &answer), KEYRACK_RESULT_DONE);
	cr_assert_eq(answer.state, FRAME_RESOLVE);
	cr_assert_eq(answer.first_code, KEYRACK_CODE_SOLD_OUT);
	cr_assert_eq(keyrack_release(client, &move, &answer), KEYRACK_RESULT_DONE);
	cr_assert_eq(answer.state, FRAME_RELEASE);
	cr_assert_eq(answer.result.tries, 4, "three times overloaded");
	struct keyrack_reservation_get get = {.id = move.id};
	struct keyrack_reservation_get_answer got;
	cr_assert_eq(keyrack_reservation_get(client, &get, &got), KEYRACK_RESULT_DONE);
	cr_assert(got.reservation.id.lo == move.id.lo && got.reservation.was_held);
	cr_assert_eq(got.reservation.lines[0].run_count, 2);
	cr_assert_eq(got.reservation.lines[0].runs[1].price_minor, 200);
	cr_assert_eq(got.reservation.lines[0].check_in_day, -1);
	cr_assert_eq(got.reservation.counted_until_day, -9);
	cr_assert_str_eq(got.reservation.external_ref, "ref");
}

Test(sync, every_field_of_an_import_arrives)
{
	static const struct keyrack_tier tiers[] = {{72, 1, 0}, {24, 0, 5000}};
	static const struct keyrack_price_run run = {2, 1 << 20};
	const struct keyrack_line line = {.rooms = 1,
		.runs = &run,
		.run_count = 1,
		.tiers = tiers,
		.tier_count = 2,
		.arrival_us = 1 << 21};
	/* clang-format off */
	struct keyrack_import import = {.has_counted_until = true, .force = true,
		.origin = {.actor = 1 << 17, .reason = "why"},
		.reservation = {.id = {1, 2}, .hotel_id = 4, .state = KEYRACK_STATE_NO_SHOW,
			.revision = 8, .created_at_us = 16, .changed_at_us = 32,
			.expires_at_us = 64, .guest = {128, 256}, .external_ref = "12345678901",
			.payment_ref = "1234567", .source = 512, .counted_until_day = 1024,
			.change_id = 2048, .was_held = true, .graced = true, .lines = &line,
			.line_count = 1}};
	/* clang-format on */
	struct keyrack_reservation_answer answer;
	cr_assert_eq(keyrack_import(client, &import, &answer), KEYRACK_RESULT_DONE);
	cr_assert(answer.has_total && answer.state == KEYRACK_STATE_NO_SHOW);
	cr_assert_eq(answer.nights_over_limit, 7);
	cr_assert_eq(
		answer.total_minor, 4095 + 11 + 7 + (1 << 21) + 5000 + (1 << 20) + (1 << 17) + 3);
	import.reservation.line_count = KEYRACK_LINE_COUNT_MAX + 1;
	cr_assert_lt(keyrack_import(client, &import, &answer), 0, "more lines than there can be");
}

Test(sync, the_router_answers_for_itself)
{
	struct keyrack_router_status ask = {0};
	struct keyrack_router_status_answer status;
	cr_assert_eq(keyrack_router_status(client, &ask, &status), KEYRACK_RESULT_DONE);
	cr_assert(status.link_count == 1 && status.links[0].unavailable == 4);
	cr_assert_str_eq(status.version, "0.1");
	struct keyrack_router_map ask_map = {0};
	struct keyrack_router_map_answer map;
	cr_assert_eq(keyrack_router_map(client, &ask_map, &map), KEYRACK_RESULT_DONE);
	cr_assert(map.range_count == 1 && map.ranges[0].last == 16383);
	struct keyrack_router_connections ask_list = {0};
	struct keyrack_router_connections_answer list;
	cr_assert_eq(keyrack_router_connections(client, &ask_list, &list), KEYRACK_RESULT_DONE);
	cr_assert(list.connection_count == 1 && list.connections[0].queued_bytes == 8 && list.more);
	char payload[1024];
	memset(payload, 'x', sizeof(payload));
	struct keyrack_ping ping = {.payload = payload,
		.payload_size_bytes = sizeof(payload),
		.to_shard = true,
		.shard = 2};
	struct keyrack_ping_answer pong;
	cr_assert_eq(keyrack_ping(client, &ping, &pong), KEYRACK_RESULT_DONE);
	cr_assert_eq(pong.payload_size_bytes, sizeof(payload));
	cr_assert_eq(memcmp(pong.payload, payload, sizeof(payload)), 0);
	cr_assert_eq(pong.time_us, 2);
	ping.payload_size_bytes = 1025;
	cr_assert_eq(keyrack_ping(client, &ping, &pong), -EINVAL);
}

Test(sync, hotels_of_all_shards_are_listed_in_one_order)
{
	struct keyrack_hotel_list ask = {.limit = 40};
	struct keyrack_hotel_list_answer list;
	uint64_t expected = 0;
	static const uint32_t counts[] = {40, 40, 20};
	for (int page = 0; page < 3; page++) {
		cr_assert_eq(keyrack_hotel_list(client, &ask, &list), KEYRACK_RESULT_DONE);
		cr_assert_eq(list.hotel_count, counts[page]);
		cr_assert_eq(list.more, page < 2);
		for (uint32_t i = 0; i < list.hotel_count; i++) {
			cr_assert_eq(list.hotels[i].hotel_id, expected++);
			cr_assert_str_eq(list.hotels[i].settings.zone, "Europe/Paris");
		}
		ask.has_after = true;
		ask.after = expected - 1;
	}
	ask = (struct keyrack_hotel_list){.limit = 100};
	cr_assert_eq(keyrack_hotel_list(client, &ask, &list), KEYRACK_RESULT_DONE);
	cr_assert_eq(list.hotel_count, 43, "no shard tells more than 15: 0 to 42 have no gap");
	cr_assert(list.more);
	for (uint32_t i = 0; i < list.hotel_count; i++)
		cr_assert_eq(list.hotels[i].hotel_id, i);
	ask.limit = 7;
	cr_assert_eq(keyrack_hotel_list(client, &ask, &list), KEYRACK_RESULT_NOT_DONE);
	cr_assert_eq(list.result.code, KEYRACK_CODE_FORBIDDEN);
	cr_assert_eq(list.result.refusal->code, KEYRACK_CODE_FORBIDDEN);
	cr_assert_eq(list.hotel_count, 0);
}

Test(sync, snapshots_are_told_shard_by_shard)
{
	struct keyrack_snapshot ask = {.shard = KEYRACK_ALL_SHARDS};
	struct keyrack_snapshot_answer answer;
	cr_assert_eq(keyrack_snapshot(client, &ask, &answer), KEYRACK_RESULT_DONE);
	cr_assert_eq(answer.shard_count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		cr_assert(answer.shards[i].shard == i && answer.shards[i].lsn == 100 + i);
		cr_assert_eq(answer.shards[i].already_running, i == 1);
	}
	ask.shard = 2;
	cr_assert_eq(keyrack_snapshot(client, &ask, &answer), KEYRACK_RESULT_DONE);
	cr_assert(answer.shard_count == 1 && answer.shards[0].shard == 2);
	cr_assert_eq(answer.shards[0].lsn, 102);
}

Test(sync, stats_are_told_of_the_shards_that_answer)
{
	struct keyrack_stats ask = {
		.shard = KEYRACK_ALL_SHARDS, .denials = true, .call = {.deadline_us = 300000}};
	struct keyrack_stats_answer answer;
	cr_assert_eq(keyrack_stats(client, &ask, &answer), KEYRACK_RESULT_NOT_DONE);
	cr_assert_eq(answer.result.code, KEYRACK_CODE_UNAVAILABLE);
	cr_assert_eq(answer.shard_count, 3);
	cr_assert_eq(answer.shards[2].code, KEYRACK_CODE_UNAVAILABLE);
	cr_assert_eq(answer.shards[2].stat_count, 0);
	cr_assert_str_eq(answer.shards[1].state, "serving");
	cr_assert_eq(answer.shards[1].stats[0].value, 10);
	cr_assert_eq(answer.shards[1].denials[0].hotel_id, 1001);
	cr_assert_eq(answer.total_count, 3);
	cr_assert_str_eq(answer.totals[0].name, "books");
	cr_assert_eq(answer.totals[0].value, 20);
	ask.shard = 0;
	ask.denials = false;
	cr_assert_eq(keyrack_stats(client, &ask, &answer), KEYRACK_RESULT_DONE);
	cr_assert(answer.shard_count == 1 && answer.shards[0].denial_count == 0);
}

static void count_calls(void *user, const union keyrack_answer *answer)
{
	cr_assert_eq(answer->result.outcome, KEYRACK_RESULT_DONE);
	++*(int *)user;
}

Test(sync, a_synchronous_call_lets_the_others_go_on_and_keeps_its_answer)
{
	int count = 0;
	for (int round = 0; round < 100; round++) {
		struct keyrack_hotel_get get = {.hotel_id = 42};
		struct keyrack_hotel_answer hotel;
		for (int i = 0; i < 20; i++)
			cr_assert_eq(
				keyrack_submit_hotel_get(client, &get, count_calls, &count), 0);
		cr_assert_eq(keyrack_hotel_get(client, &get, &hotel), KEYRACK_RESULT_DONE);
		for (int i = 0; i < 20; i++)
			cr_assert_eq(
				keyrack_submit_hotel_get(client, &get, count_calls, &count), 0);
		cr_assert_str_eq(hotel.hotel.settings.code, "GRAND");
	}
	while (keyrack_client_open(client) > 0)
		cr_assert_geq(keyrack_client_wait(client, -1), 0);
	cr_assert_eq(count, 4000);
}

Test(sync, waits_for_room_when_the_window_is_full)
{
	int count = 0;
	struct keyrack_hotel_get get = {.hotel_id = 42};
	struct keyrack_hotel_answer hotel;
	cr_assert_eq(keyrack_hotel_get(client, &get, &hotel), KEYRACK_RESULT_DONE);
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(keyrack_submit_hotel_get(client, &get, count_calls, &count), 0);
	cr_assert_eq(
		keyrack_submit_hotel_get(client, &get, count_calls, &count), KEYRACK_WOULD_BLOCK);
	cr_assert_eq(keyrack_hotel_get(client, &get, &hotel), KEYRACK_RESULT_DONE);
	cr_assert_gt(count, 0);
}

Test(sync, a_server_that_dies_is_unknown_or_not_done_never_a_guess)
{
	struct keyrack_transition move = {
		.id = keyrack_id_mint(client, 1), .call = {.deadline_us = 200000}};
	struct keyrack_reservation_answer answer;
	cr_assert_eq(keyrack_confirm(client, &move, &answer), KEYRACK_RESULT_DONE);
	peer_stop(server);
	server = 0;
	close(peer.listener);
	int outcome = keyrack_confirm(client, &move, &answer);
	cr_assert(outcome == KEYRACK_RESULT_UNKNOWN || outcome == KEYRACK_RESULT_NOT_DONE);
	if (outcome == KEYRACK_RESULT_NOT_DONE)
		cr_assert_eq(answer.result.code, KEYRACK_CODE_UNREACHABLE);
	cr_assert_eq(keyrack_confirm(client, &move, &answer), KEYRACK_RESULT_NOT_DONE);
	cr_assert_eq(answer.result.code, KEYRACK_CODE_UNREACHABLE);
	cr_assert_eq(answer.result.tries, 0);
}

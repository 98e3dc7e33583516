#include "tests/sim/player.h"

#include <stdlib.h>
#include <string.h>

#include "keyrack/keyrack.h"
#include "proto/keyrack.pb-c.h"

#define DEADLINE_US UINT64_C(120000000)
#define BOOKING_NUMBER_MAX (UINT64_C(1) << 24)
#define PRICING_CALLER 1u
#define PRICING_COUNT 2u
#define NO_BOOKING UINT64_MAX

static void fail(struct player *p, const struct play_call *call, const struct client_end *end)
{
	cluster_fail(p->caller.cluster, "booking %llu: %s was answered %s after %u tries",
		(unsigned long long)call->booking, frame_type_name(call->type),
		code_name(end->code), end->tries);
}

/* ---- answers ---- */

/* Done means done to this: the state shown is the one that was asked for. */
static void check_state(struct player *p, const struct play_call *call,
	const struct client_end *end, uint32_t state)
{
	Keyrack__ReservationAnswer *a =
		keyrack__reservation_answer__unpack(NULL, end->body_size_bytes, end->body);
	if (a == NULL || a->state != state)
		fail(p, call, end);
	keyrack__reservation_answer__free_unpacked(a, NULL);
}

static void take_hold(struct player *p, const struct play_call *call, const struct client_end *end)
{
	if (call->booking == NO_BOOKING && end->code != KEYRACK_DONE)
		fail(p, call, end);
	if (call->booking == NO_BOOKING)
		return;
	struct play_booking *booking = &p->bookings[call->booking];
	kr_assert(booking->state == PLAY_SENT);
	if (end->code == KEYRACK_DONE) {
		check_state(p, call, end, INV_HELD);
		return;
	}
	if (end->code != KEYRACK_SOLD_OUT)
		fail(p, call, end);
	booking->state = PLAY_REFUSED;
	p->refused++;
}

/* Nothing was kept of what was refused; once the id is older than the purge mark, which is never
 * younger than the retention, that is said for good. */
static bool is_unknown(const struct player *p, struct kr_id id, const struct client_end *end)
{
	const uint64_t now_ms = (uint64_t)io_clock_wall_us(p->caller.loop) / 1000;
	if (end->code == KEYRACK_KEY_EXPIRED)
		return now_ms - reservation_id_ms(id) >= PLAYER_RETENTION_US / 1000;
	return end->code == KEYRACK_NOT_FOUND;
}

/* CONFIRM and CANCEL of what was refused find nothing, and of nothing else. */
static void take_move(struct player *p, const struct play_call *call, const struct client_end *end,
	enum play_state before, enum play_state after, uint32_t state)
{
	struct play_booking *booking = &p->bookings[call->booking];
	if (booking->state == PLAY_REFUSED && is_unknown(p, booking->id, end)) {
		p->skipped++;
		return;
	}
	if (end->code != KEYRACK_DONE || booking->state != before)
		fail(p, call, end);
	check_state(p, call, end, state);
	booking->state = after;
	*(after == PLAY_CONFIRMED ? &p->confirmed : &p->released) += 1;
}

static void take_reading(
	struct player *p, const struct play_call *call, const struct client_end *end)
{
	struct player_reading *reading = &p->reading;
	Keyrack__AvailabilityAnswer *a = end->code == KEYRACK_DONE
						 ? keyrack__availability_answer__unpack(
							   NULL, end->body_size_bytes, end->body)
						 : NULL;
	if (a == NULL || a->night_count != reading->night_count ||
		a->n_counters != a->n_types * a->night_count ||
		a->n_counters > KR_ARRAY_COUNT(reading->counters))
		fail(p, call, end);
	reading->business_day = a->business_day;
	memcpy(reading->counters, a->counters, a->n_counters * sizeof(*a->counters));
	keyrack__availability_answer__free_unpacked(a, NULL);
}

static void on_call_end(void *context, const struct client_end *end)
{
	struct player *p = context;
	struct play_call *call = &p->calls[end->call];
	kr_assert(call->is_used && p->open_count > 0);
	call->is_used = false;
	p->open_count--;
	p->retries += end->tries - 1;
	switch (call->type) {
	case FRAME_HOLD:
		take_hold(p, call, end);
		break;
	case FRAME_CONFIRM:
		take_move(p, call, end, PLAY_SENT, PLAY_CONFIRMED, INV_CONFIRMED);
		break;
	case FRAME_CANCEL:
		take_move(p, call, end, PLAY_CONFIRMED, PLAY_CANCELLED, INV_CANCELLED);
		break;
	case FRAME_AVAILABILITY:
		take_reading(p, call, end);
		break;
	default:
		if (end->code != KEYRACK_DONE)
			fail(p, call, end);
	}
}

/* ---- asking ---- */

static void wait_for(struct player *p, uint32_t open_count_max)
{
	const uint64_t until = sim_world_now_us(p->caller.cluster->world) + 2 * DEADLINE_US;
	while (p->open_count > open_count_max ||
		(client_core_room(&p->caller.core) == 0 && p->open_count > 0)) {
		if (!sim_world_step(p->caller.cluster->world) ||
			sim_world_now_us(p->caller.cluster->world) > until)
			cluster_fail(p->caller.cluster, "it does not resolve");
	}
}

void player_drain(struct player *p)
{
	wait_for(p, 0);
	kr_assert(p->open_count == 0);
}

static void submit(struct player *p, uint8_t type, uint8_t route, uint64_t key,
	const ProtobufCMessage *message, uint64_t booking, uint8_t retry)
{
	const uint32_t index = client_core_take(&p->caller.core);
	kr_assert(index < CALLER_CALLS_MAX);
	struct play_call *call = &p->calls[index];
	kr_assert(!call->is_used);
	kr_assert(protobuf_c_message_get_packed_size(message) <= sizeof(call->body));
	call->is_used = true;
	call->type = type;
	call->booking = booking;
	p->open_count++;
	const struct client_request request = {
		.type = type,
		.route = route,
		.retry = retry,
		.routing_key = key,
		.body = call->body,
		.body_size_bytes = (uint32_t)protobuf_c_message_pack(message, call->body),
		.deadline_us = DEADLINE_US,
	};
	client_core_submit(&p->caller.core, index, &request, io_clock_boot_us(p->caller.loop));
	caller_pump(&p->caller);
}

/* One frame of the trace, in its turn. */
static void submit_in_order(struct player *p, uint8_t type, uint8_t route, uint64_t key,
	const ProtobufCMessage *message, uint64_t booking)
{
	wait_for(p, p->depth - 1);
	p->frames++;
	submit(p, type, route, key, message, booking, p->depth == 1 ? CALLER_RETRY_ALL : 0);
}

static void ask_hold(struct player *p, const struct trace_op *op, struct kr_id id)
{
	struct trace_run runs[TRACE_RUNS_MAX];
	uint32_t run_nights[TRACE_RUNS_MAX];
	uint64_t run_prices[TRACE_RUNS_MAX];
	Keyrack__Line line = KEYRACK__LINE__INIT;
	Keyrack__Line *lines[1] = {&line};
	Keyrack__ReserveRequest r = KEYRACK__RESERVE_REQUEST__INIT;
	line.n_run_nights = line.n_run_price_minor = trace_price_runs(op, runs);
	for (size_t i = 0; i < line.n_run_nights; i++) {
		run_nights[i] = runs[i].nights;
		run_prices[i] = runs[i].price_minor;
	}
	line.type = op->type;
	line.check_in = op->check_in;
	line.check_out = op->check_in + op->nights;
	line.rooms = op->rooms;
	line.guests = op->guests;
	line.pricing = PRICING_CALLER;
	line.run_nights = run_nights;
	line.run_price_minor = run_prices;
	r.hotel_id = op->hotel;
	r.id_hi = id.hi;
	r.id_lo = id.lo;
	r.n_lines = 1;
	r.lines = lines;
	submit_in_order(p, FRAME_HOLD, FRAME_ROUTE_HOTEL, op->hotel, &r.base, op->booking);
}

static void ask_move(struct player *p, uint8_t type, uint64_t booking)
{
	const struct kr_id id = p->bookings[booking].id;
	Keyrack__TransitionRequest r = KEYRACK__TRANSITION_REQUEST__INIT;
	r.id_hi = id.hi;
	r.id_lo = id.lo;
	submit_in_order(p, type, FRAME_ROUTE_SLOT, reservation_id_slot(id), &r.base, booking);
}

static struct kr_id mint(struct player *p, uint64_t hotel)
{
	const uint64_t now_ms = (uint64_t)io_clock_wall_us(p->caller.loop) / 1000;
	return reservation_id_mint(
		now_ms, slot_of_hotel((struct hotel_id){hotel}), rng_next(&p->caller.cluster->rng));
}

void player_play(struct player *p, const struct trace_op *op)
{
	struct play_booking *booking = &p->bookings[op->booking];
	if (op->is_cancel) {
		kr_assert(booking->state != PLAY_NONE);
		booking->cancelled = op->day;
		ask_move(p, FRAME_CANCEL, op->booking);
		return;
	}
	kr_assert(booking->state == PLAY_NONE);
	booking->state = PLAY_SENT;
	booking->check_out = op->check_in + op->nights;
	booking->id = mint(p, op->hotel);
	ask_hold(p, op, booking->id);
	ask_move(p, FRAME_CONFIRM, op->booking);
}

void player_forget(struct player *p, uint64_t hotel, int32_t night)
{
	Keyrack__Line line = KEYRACK__LINE__INIT;
	Keyrack__Line *lines[1] = {&line};
	Keyrack__ReserveRequest r = KEYRACK__RESERVE_REQUEST__INIT;
	const struct kr_id id = mint(p, hotel);
	line.check_in = night;
	line.check_out = night + 1;
	line.rooms = line.guests = 1;
	line.pricing = PRICING_COUNT;
	r.hotel_id = hotel;
	r.id_hi = id.hi;
	r.id_lo = id.lo;
	r.n_lines = 1;
	r.lines = lines;
	submit(p, FRAME_HOLD, FRAME_ROUTE_HOTEL, hotel, &r.base, NO_BOOKING, CALLER_RETRY_ALL);
	player_drain(p);
}

/* ---- reading ---- */

void player_read(struct player *p, uint64_t hotel, int32_t first_day, uint32_t night_count)
{
	Keyrack__AvailabilityRequest r = KEYRACK__AVAILABILITY_REQUEST__INIT;
	kr_assert(night_count > 0 && night_count <= PLAYER_NIGHTS_MAX);
	player_drain(p);
	r.hotel_id = hotel;
	r.first_day = first_day;
	r.night_count = night_count;
	p->reading.night_count = night_count;
	p->reading.business_day = INT32_MIN;
	submit(p, FRAME_AVAILABILITY, FRAME_ROUTE_HOTEL, hotel, &r.base, 0, CALLER_RETRY_ALL);
	player_drain(p);
	kr_assert(p->reading.business_day != INT32_MIN);
}

struct cell_counter player_cell(const struct player *p, uint32_t type, uint32_t night)
{
	kr_assert(type < p->trace->type_count);
	kr_assert(night < p->reading.night_count);
	return cell_counter_unpack(p->reading.counters[type * p->reading.night_count + night]);
}

uint64_t player_remembered(const struct player *p, int32_t day, int32_t keep_days)
{
	uint64_t count = 0;
	kr_assert(p->open_count == 0);
	for (uint64_t i = 0; i < p->booking_count; i++) {
		const struct play_booking *booking = &p->bookings[i];
		if (booking->state == PLAY_CONFIRMED)
			count += day < booking->check_out + keep_days;
		else if (booking->state == PLAY_CANCELLED)
			count += day == booking->cancelled;
	}
	return count;
}

void player_refused(const struct player *p, struct outcome *outcome)
{
	for (uint64_t i = 0; i < p->booking_count; i++)
		if (p->bookings[i].state == PLAY_REFUSED)
			outcome_refused_add(outcome, i);
	kr_assert(outcome->refused_count == p->refused);
}

/* ---- preparing ---- */

static void put_hotel(struct player *p, uint64_t hotel, const char *zone)
{
	Keyrack__HotelSettings settings = KEYRACK__HOTEL_SETTINGS__INIT;
	Keyrack__HotelPutRequest r = KEYRACK__HOTEL_PUT_REQUEST__INIT;
	char zone_text[64] = "", currency[] = "EUR";
	kr_assert(strlen(zone) < sizeof(zone_text));
	memcpy(zone_text, zone, strlen(zone));
	settings.zone = zone_text;
	settings.currency = currency;
	r.hotel_id = hotel;
	r.mask = KEYRACK_HOTEL_ZONE | KEYRACK_HOTEL_CURRENCY;
	r.settings = &settings;
	submit(p, FRAME_HOTEL_PUT, FRAME_ROUTE_HOTEL, hotel, &r.base, 0, CALLER_RETRY_ALL);
}

static void put_type(struct player *p, uint64_t hotel, uint32_t number)
{
	const struct trace_type *type = &p->trace->types[number];
	Keyrack__TypeSettings settings = KEYRACK__TYPE_SETTINGS__INIT;
	Keyrack__TypePutRequest r = KEYRACK__TYPE_PUT_REQUEST__INIT;
	char code[TRACE_CODE_SIZE];
	memcpy(code, type->code, sizeof(code));
	settings.code = code;
	settings.physical = type->rooms;
	r.hotel_id = hotel;
	r.type = number;
	r.mask = KEYRACK_TYPE_CODE | KEYRACK_TYPE_PHYSICAL;
	r.settings = &settings;
	submit(p, FRAME_TYPE_PUT, FRAME_ROUTE_HOTEL, hotel, &r.base, 0, CALLER_RETRY_ALL);
}

void player_prepare(struct player *p, uint64_t hotel, const char *zone, uint32_t type_count)
{
	kr_assert(type_count > 0 && type_count <= p->trace->type_count);
	put_hotel(p, hotel, zone);
	player_drain(p);
	for (uint32_t i = 0; i < type_count; i++)
		put_type(p, hotel, i);
	player_drain(p);
}

/* ---- life ---- */

struct player *player_new(struct cluster *cluster, const struct trace *trace, uint32_t depth)
{
	struct player *p = calloc(1, sizeof(*p));
	kr_assert(p != NULL);
	kr_assert(depth > 0 && depth <= CALLER_CALLS_MAX);
	p->trace = trace;
	p->depth = depth;
	for (uint32_t i = 0; i < trace->op_count; i++)
		p->booking_count = KR_MAX(p->booking_count, trace->ops[i].booking + 1);
	kr_assert(p->booking_count <= BOOKING_NUMBER_MAX);
	p->bookings = calloc(p->booking_count, sizeof(*p->bookings));
	kr_assert(p->bookings != NULL);
	p->caller.on_end = on_call_end;
	p->caller.context = p;
	caller_init(&p->caller, cluster, 0, CALLER_CALLS_MAX);
	return p;
}

struct player *player_free(struct player *p)
{
	caller_fini(&p->caller);
	free(p->bookings);
	free(p);
	return NULL;
}

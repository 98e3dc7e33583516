#include "tests/sim/client.h"

#include <stdlib.h>
#include <string.h>

#include "proto/keyrack.pb-c.h"
#include "tests/sim/oracle.h"

#define DEADLINE_US UINT64_C(8000000)
#define SETUP_TRACK UINT32_MAX

uint64_t client_hotel(uint32_t number)
{
	return 101 + number * 17;
}

static void on_call_end(void *context, const struct client_end *end)
{
	struct client *c = context;
	struct open_call *call = &c->calls[end->call];
	kr_assert(call->is_used);
	call->is_used = false;
	oracle_answer(c, call, end);
}

/* ---- calls ---- */

static uint8_t retry_bits(struct client *c, uint8_t type)
{
	/* A quarter takes the first answer, so that transient codes are seen. */
	if (type != FRAME_RESOLVE && rng_below(&c->cluster->rng, 4) == 0)
		return CLIENT_RETRY_KEYED;
	return CALLER_RETRY_ALL;
}

static bool submit(struct client *c, uint8_t type, uint8_t route, uint64_t key,
	const ProtobufCMessage *message, uint32_t track)
{
	const uint32_t index = client_core_room(&c->caller.core) == 0
				       ? CLIENT_NOWHERE
				       : client_core_take(&c->caller.core);
	if (index == CLIENT_NOWHERE)
		return false;
	struct open_call *call = &c->calls[index];
	kr_assert(!call->is_used);
	kr_assert(protobuf_c_message_get_packed_size(message) <= sizeof(call->body));
	call->is_used = true;
	call->type = type;
	call->track = track;
	const struct client_request request = {
		.type = type,
		.route = route,
		.retry = track == SETUP_TRACK ? CALLER_RETRY_ALL : retry_bits(c, type),
		.routing_key = key,
		.body = call->body,
		.body_size_bytes = (uint32_t)protobuf_c_message_pack(message, call->body),
		.deadline_us = track == SETUP_TRACK ? 100 * DEADLINE_US : DEADLINE_US,
	};
	client_core_submit(&c->caller.core, index, &request, io_clock_boot_us(c->caller.loop));
	if (track != SETUP_TRACK)
		c->tracks[track].is_busy = true;
	return true;
}

static bool ask_sale(struct client *c, uint32_t index)
{
	const struct track *t = &c->tracks[index];
	Keyrack__Line line = KEYRACK__LINE__INIT;
	Keyrack__Line *lines[1] = {&line};
	Keyrack__ReserveRequest r = KEYRACK__RESERVE_REQUEST__INIT;
	line.type = t->type;
	line.check_in = t->check_in;
	line.check_out = t->check_in + t->nights;
	line.rooms = t->rooms;
	line.guests = t->rooms;
	line.pricing = 2;
	r.hotel_id = t->hotel;
	r.id_hi = t->id.hi;
	r.id_lo = t->id.lo;
	r.n_lines = 1;
	r.lines = lines;
	r.ttl_us = t->book ? 0 : 1000000 + t->id.lo % 20000000;
	return submit(
		c, t->book ? FRAME_BOOK : FRAME_HOLD, FRAME_ROUTE_HOTEL, t->hotel, &r.base, index);
}

static bool ask_move(struct client *c, uint32_t index, uint8_t type)
{
	const struct track *t = &c->tracks[index];
	Keyrack__TransitionRequest r = KEYRACK__TRANSITION_REQUEST__INIT;
	r.id_hi = t->id.hi;
	r.id_lo = t->id.lo;
	return submit(c, type, FRAME_ROUTE_SLOT, reservation_id_slot(t->id), &r.base, index);
}

static void new_sale(struct client *c)
{
	struct rng *rng = &c->cluster->rng;
	if (c->track_count == CLIENT_TRACKS_MAX)
		return;
	struct track *t = &c->tracks[c->track_count];
	const uint64_t hotel = client_hotel((uint32_t)rng_below(rng, SIM_HOTELS));
	*t = (struct track){
		.id = reservation_id_mint((uint64_t)io_clock_wall_us(c->caller.loop) / 1000,
			slot_of_hotel((struct hotel_id){hotel}), rng_next(rng)),
		.hotel = hotel,
		.type = (uint32_t)rng_below(rng, SIM_TYPES),
		.check_in = c->today + 1 + (int32_t)rng_below(rng, 8),
		.nights = 1 + (int32_t)rng_below(rng, 4),
		.rooms = 1 + (uint32_t)rng_below(rng, 2),
		.book = rng_below(rng, 2) == 0,
		.may_be = STATE_ABSENT,
	};
	if (ask_sale(c, c->track_count))
		c->track_count++;
}

/* Something that makes sense for what the reservation may be, or now and then does not. */
static void old_sale(struct client *c)
{
	static const uint8_t moves[] = {FRAME_CONFIRM, FRAME_CONFIRM, FRAME_RELEASE, FRAME_CANCEL,
		FRAME_CANCEL, FRAME_RESOLVE};
	struct rng *rng = &c->cluster->rng;
	if (c->track_count == 0)
		return;
	const uint32_t far = rng_below(rng, 4) == 0 ? 400 : 20;
	const uint32_t reach = KR_MIN(c->track_count, far);
	const uint32_t index = c->track_count - 1 - (uint32_t)rng_below(rng, reach);
	if (c->tracks[index].is_busy)
		return;
	if (rng_below(rng, 6) == 0)
		(void)ask_sale(c, index); /* the same id again */
	else
		(void)ask_move(c, index, moves[rng_below(rng, KR_ARRAY_COUNT(moves))]);
}

static void on_load(struct io_timer *timer)
{
	struct client *c = timer->context;
	struct rng *rng = &c->cluster->rng;
	if (c->is_loading) {
		for (uint64_t n = rng_below(rng, 6); n > 0; n--) {
			if (rng_below(rng, 5) < 2)
				new_sale(c);
			else
				old_sale(c);
		}
		caller_pump(&c->caller);
	}
	io_timer_start(c->caller.loop, timer,
		io_clock_boot_us(c->caller.loop) + 2000 + rng_below(rng, 60000));
}

void client_settle(struct client *c)
{
	for (uint32_t i = 0; i < c->track_count; i++)
		if (!c->tracks[i].is_busy && oracle_is_in_doubt(&c->tracks[i]) &&
			!ask_move(c, i, FRAME_RESOLVE))
			break;
	caller_pump(&c->caller);
}

bool client_is_idle(const struct client *c)
{
	for (uint32_t i = 0; i < CLIENT_CALLS; i++)
		if (c->calls[i].is_used)
			return false;
	return true;
}

void client_load(struct client *c, bool is_on)
{
	c->is_loading = is_on;
}

/* ---- preparing ---- */

static bool put_hotel(struct client *c, uint64_t hotel)
{
	Keyrack__HotelSettings settings = KEYRACK__HOTEL_SETTINGS__INIT;
	Keyrack__HotelPutRequest r = KEYRACK__HOTEL_PUT_REQUEST__INIT;
	char zone[] = "Etc/UTC", currency[] = "EUR";
	settings.zone = zone;
	settings.currency = currency;
	r.hotel_id = hotel;
	r.mask = 2 | 4;
	r.settings = &settings;
	return submit(c, FRAME_HOTEL_PUT, FRAME_ROUTE_HOTEL, hotel, &r.base, SETUP_TRACK);
}

static bool put_type(struct client *c, uint64_t hotel, uint32_t type)
{
	Keyrack__TypeSettings settings = KEYRACK__TYPE_SETTINGS__INIT;
	Keyrack__TypePutRequest r = KEYRACK__TYPE_PUT_REQUEST__INIT;
	char code[] = "T0";
	code[1] = (char)('0' + type);
	settings.code = code;
	settings.physical = 3 + 12 * type;
	r.hotel_id = hotel;
	r.type = type;
	r.mask = 1 | 4;
	r.settings = &settings;
	return submit(c, FRAME_TYPE_PUT, FRAME_ROUTE_HOTEL, hotel, &r.base, SETUP_TRACK);
}

static void prepare_wait(struct client *c)
{
	caller_pump(&c->caller);
	while (!client_is_idle(c))
		if (!sim_world_step(c->cluster->world))
			cluster_fail(c->cluster, "the hotels cannot be made");
}

/* Hotels before their types: after an accident either may be asked for again, in any order. */
void client_prepare(struct client *c)
{
	for (uint32_t h = 0; h < SIM_HOTELS; h++)
		kr_assert(put_hotel(c, client_hotel(h)));
	prepare_wait(c);
	for (uint32_t h = 0; h < SIM_HOTELS; h++)
		for (uint32_t t = 0; t < SIM_TYPES; t++)
			kr_assert(put_type(c, client_hotel(h), t));
	prepare_wait(c);
}

/* ---- life ---- */

struct client *client_new(struct cluster *cluster, uint32_t number)
{
	struct client *c = calloc(1, sizeof(*c));
	kr_assert(c != NULL);
	c->cluster = cluster;
	c->number = number;
	c->caller.on_end = on_call_end;
	c->caller.context = c;
	caller_init(&c->caller, cluster, number, CLIENT_CALLS);
	io_timer_init(&c->load, on_load, c);
	io_timer_start(c->caller.loop, &c->load, io_clock_boot_us(c->caller.loop) + 1000);
	/* UTC hotels that turn at four in the morning */
	c->today = (int32_t)((io_clock_wall_us(c->caller.loop) - INT64_C(4) * 3600000000) /
			     INT64_C(86400000000));
	return c;
}

struct client *client_free(struct client *c)
{
	caller_fini(&c->caller);
	free(c);
	return NULL;
}

/* Answers: from a frame's body to the public struct. */
#include "client/decode.h"

#include <string.h>

#include "base/civil.h"
#include "client/decode_plain.h"
#include "proto/code.h"
#include "proto/message.h"

/* One answer on its way out. `failed`: it does not fit the arena, or contradicts itself. */
struct client_decoder {
	struct kr_arena *arena;
	union keyrack_answer *answer;
	bool failed;
};

static void *client_decode_array(struct client_decoder *decoder, size_t count, size_t size_bytes)
{
	if (count == 0)
		return NULL;
	void *array = kr_arena_alloc_array(decoder->arena, count, size_bytes, 16);
	if (array == NULL)
		decoder->failed = true;
	return array;
}

#define DECODE_ARRAY(decoder, type, count)                                                         \
	((type *)client_decode_array((decoder), (count), sizeof(type)))

void client_decode_refusal(const Keyrack__Refusal *in, struct keyrack_refusal *ret)
{
	kr_assert(in != NULL && ret != NULL);
	*ret = (struct keyrack_refusal){
		.code = in->code,
		.rule = in->rule,
		.line = in->line,
		.has_day = in->has_day,
		.day = in->day,
		.required = in->required,
		.left = in->left,
		.state = in->state,
		.other = {in->other_hi, in->other_lo},
		.text = in->text,
	};
}

void client_decode_hotel(const Keyrack__Hotel *in, struct keyrack_hotel *ret)
{
	static const Keyrack__HotelSettings none = KEYRACK__HOTEL_SETTINGS__INIT;
	const Keyrack__HotelSettings *settings = in->settings != NULL ? in->settings : &none;
	kr_assert(settings->zone != NULL);
	*ret = (struct keyrack_hotel){
		.hotel_id = in->hotel_id,
		.settings =
			{
				.code = settings->code,
				.zone = settings->zone,
				.currency = settings->currency,
				.currency_digits = settings->currency_digits,
				.day_roll_minute = settings->day_roll_minute,
				.check_in_minute = settings->check_in_minute,
				.nights_max = settings->nights_max,
				.hold_ttl_us = settings->hold_ttl_us,
				.hold_ttl_max_us = settings->hold_ttl_max_us,
				.hold_total_max_us = settings->hold_total_max_us,
				.holds_max = settings->holds_max,
				.guest_holds_max = settings->guest_holds_max,
				.status = settings->status,
			},
		.ari_version = in->ari_version,
		.event_seq = in->event_seq,
		.business_day = in->business_day,
		.window_nights = in->window_nights,
		.type_count = in->type_count,
		.reservation_count = in->reservation_count,
		.hold_count = in->hold_count,
		.slot = in->slot,
	};
}

static void client_decode_type(const Keyrack__RoomType *in, struct keyrack_type *ret)
{
	static const Keyrack__TypeSettings none = KEYRACK__TYPE_SETTINGS__INIT;
	const Keyrack__TypeSettings *settings = in->settings != NULL ? in->settings : &none;
	kr_assert(settings->code != NULL);
	*ret = (struct keyrack_type){
		.type = in->type,
		.settings =
			{
				.code = settings->code,
				.status = settings->status,
				.physical = settings->physical,
				.out_of_order = settings->out_of_order,
				.allowance = settings->allowance,
				.allowance_unit = settings->allowance_unit,
				.cap = settings->cap,
				.guests_max = settings->guests_max,
				.plan_status = settings->plan_status,
				.advance_min_minutes = settings->advance_min_minutes,
				.advance_max_minutes = settings->advance_max_minutes,
			},
		.set_mask = in->set_mask,
	};
}

void client_decode_stat(const Keyrack__Stat *in, struct keyrack_stat *ret)
{
	kr_assert(in->name != NULL);
	*ret = (struct keyrack_stat){.name = in->name, .value = in->value, .kind = in->kind};
}

void client_decode_result(const struct client_end *end, struct keyrack_result *ret)
{
	kr_assert(end->code != 0);
	*ret = (struct keyrack_result){
		.outcome = (enum keyrack_outcome)end->outcome,
		.code = end->code,
		.tries = end->tries,
		.map_epoch = end->map_epoch,
		.elapsed_us = end->elapsed_us,
	};
}

static void client_decode_refused(struct client_decoder *decoder, const Keyrack__Refusal *in)
{
	if (in == NULL)
		return;
	struct keyrack_refusal *refusal = DECODE_ARRAY(decoder, struct keyrack_refusal, 1);
	if (refusal == NULL)
		return;
	client_decode_refusal(in, refusal);
	decoder->answer->result.refusal = refusal;
}

/* The next page begins behind the last row: with more to come there is one. */
static void client_decode_more(struct client_decoder *decoder, bool more, size_t count)
{
	bool is_done = decoder->answer->result.outcome == KEYRACK_RESULT_DONE;
	kr_assert(decoder->answer->result.code != 0);
	if (is_done && more && count == 0)
		decoder->failed = true;
}

/* ---- catalogue and inventory ----------------------------------------------------------------- */

static void decode_HotelAnswer(struct client_decoder *decoder, const Keyrack__HotelAnswer *in)
{
	struct keyrack_hotel_answer *ret = &decoder->answer->hotel;
	static const Keyrack__Hotel none = KEYRACK__HOTEL__INIT;
	client_decode_hotel(in->hotel != NULL ? in->hotel : &none, &ret->hotel);
	ret->created = in->created;
	client_decode_refused(decoder, in->refusal);
}

static void decode_TypeAnswer(struct client_decoder *decoder, const Keyrack__TypeAnswer *in)
{
	struct keyrack_type_answer *ret = &decoder->answer->type;
	static const Keyrack__RoomType none = KEYRACK__ROOM_TYPE__INIT;
	client_decode_type(in->type != NULL ? in->type : &none, &ret->type);
	ret->created = in->created;
	ret->ari_version = in->ari_version;
	client_decode_refused(decoder, in->refusal);
}

static void decode_TypeListAnswer(struct client_decoder *decoder, const Keyrack__TypeListAnswer *in)
{
	struct keyrack_type_list_answer *ret = &decoder->answer->type_list;
	struct keyrack_type *types = DECODE_ARRAY(decoder, struct keyrack_type, in->n_types);
	for (size_t i = 0; types != NULL && i < in->n_types; i++)
		client_decode_type(in->types[i], &types[i]);
	ret->types = types;
	ret->type_count = (uint32_t)in->n_types;
	ret->ari_version = in->ari_version;
	client_decode_refused(decoder, in->refusal);
}

static const struct keyrack_tier *client_decode_tiers(
	struct client_decoder *decoder, Keyrack__Tier *const *in, size_t count)
{
	struct keyrack_tier *tiers = DECODE_ARRAY(decoder, struct keyrack_tier, count);
	for (size_t i = 0; tiers != NULL && i < count; i++)
		tiers[i] = (struct keyrack_tier){in[i]->hours, in[i]->nights, in[i]->basis_points};
	return tiers;
}

static void client_decode_plan(
	struct client_decoder *decoder, const Keyrack__Plan *in, struct keyrack_plan *ret)
{
	static const Keyrack__PlanSettings none = KEYRACK__PLAN_SETTINGS__INIT;
	const Keyrack__PlanSettings *settings = in->settings != NULL ? in->settings : &none;
	kr_assert(settings->code != NULL);
	*ret = (struct keyrack_plan){
		.type = in->type,
		.plan = in->plan,
		.settings =
			{
				.code = settings->code,
				.status = settings->status,
				.advance_min_minutes = settings->advance_min_minutes,
				.advance_max_minutes = settings->advance_max_minutes,
				.parent = settings->parent,
				.derivation = settings->derivation,
				.adjustment = settings->adjustment,
				.tiers = client_decode_tiers(
					decoder, settings->tiers, settings->n_tiers),
				.tier_count = (uint32_t)settings->n_tiers,
			},
	};
}

static void decode_PlanAnswer(struct client_decoder *decoder, const Keyrack__PlanAnswer *in)
{
	struct keyrack_plan_answer *ret = &decoder->answer->plan;
	static const Keyrack__Plan none = KEYRACK__PLAN__INIT;
	client_decode_plan(decoder, in->plan != NULL ? in->plan : &none, &ret->plan);
	ret->created = in->created;
	ret->ari_version = in->ari_version;
	client_decode_refused(decoder, in->refusal);
}

static void decode_PlanListAnswer(struct client_decoder *decoder, const Keyrack__PlanListAnswer *in)
{
	struct keyrack_plan_list_answer *ret = &decoder->answer->plan_list;
	struct keyrack_plan *plans = DECODE_ARRAY(decoder, struct keyrack_plan, in->n_plans);
	for (size_t i = 0; plans != NULL && i < in->n_plans; i++)
		client_decode_plan(decoder, in->plans[i], &plans[i]);
	ret->plans = plans;
	ret->plan_count = (uint32_t)in->n_plans;
	ret->more = in->more;
	client_decode_more(decoder, in->more, in->n_plans);
	ret->ari_version = in->ari_version;
	client_decode_refused(decoder, in->refusal);
}

static void decode_InventorySetAnswer(
	struct client_decoder *decoder, const Keyrack__InventorySetAnswer *in)
{
	struct keyrack_inventory_set_answer *ret = &decoder->answer->inventory_set;
	ret->ari_version = in->ari_version;
	ret->event_seq = in->event_seq;
	ret->cell_count = in->cells;
	ret->cells_over_limit = in->cells_over_limit;
	ret->repeated_seq = in->repeated_seq;
	ret->last_source_seq = in->last_source_seq;
	client_decode_refused(decoder, in->refusal);
}

static void decode_StockListAnswer(
	struct client_decoder *decoder, const Keyrack__StockListAnswer *in)
{
	struct keyrack_stock_list_answer *ret = &decoder->answer->stock_list;
	struct keyrack_stock_run *runs =
		DECODE_ARRAY(decoder, struct keyrack_stock_run, in->n_runs);
	for (size_t i = 0; runs != NULL && i < in->n_runs; i++)
		runs[i] = (struct keyrack_stock_run){
			.type = in->runs[i]->type,
			.first_day = in->runs[i]->first_day,
			.last_day = in->runs[i]->last_day,
			.set_mask = in->runs[i]->set_mask,
			.physical = in->runs[i]->physical,
			.out_of_order = in->runs[i]->out_of_order,
			.allowance = in->runs[i]->allowance,
			.allowance_unit = in->runs[i]->allowance_unit,
		};
	ret->runs = runs;
	ret->run_count = (uint32_t)in->n_runs;
	ret->more = in->more;
	client_decode_more(decoder, in->more, in->n_runs);
	ret->ari_version = in->ari_version;
	client_decode_refused(decoder, in->refusal);
}

static void decode_NightListAnswer(
	struct client_decoder *decoder, const Keyrack__NightListAnswer *in)
{
	struct keyrack_night_list_answer *ret = &decoder->answer->night_list;
	struct keyrack_listed_night *nights =
		DECODE_ARRAY(decoder, struct keyrack_listed_night, in->n_nights);
	for (size_t i = 0; nights != NULL && i < in->n_nights; i++)
		nights[i] = (struct keyrack_listed_night){
			.hotel_id = in->nights[i]->hotel_id,
			.type = in->nights[i]->type,
			.day = in->nights[i]->day,
			.loaded = in->nights[i]->loaded,
			.limit = in->nights[i]->limit,
			.held = in->nights[i]->held,
			.booked = in->nights[i]->booked,
			.has_rooms = in->nights[i]->has_rooms,
			.rooms = in->nights[i]->rooms,
			.over_limit = in->nights[i]->over_limit,
			.walks = in->nights[i]->walks,
		};
	ret->nights = nights;
	ret->night_count = (uint32_t)in->n_nights;
	ret->next_cursor = in->next_cursor;
	ret->next_day = in->next_day;
	ret->business_day = in->business_day;
	ret->first_day = in->first_day;
	ret->last_day = in->last_day;
	ret->event_seq = in->event_seq;
	client_decode_refused(decoder, in->refusal);
}

static void decode_DenialListAnswer(
	struct client_decoder *decoder, const Keyrack__DenialListAnswer *in)
{
	struct keyrack_denial_list_answer *ret = &decoder->answer->denial_list;
	struct keyrack_denial *denials =
		DECODE_ARRAY(decoder, struct keyrack_denial, in->n_denials);
	for (size_t i = 0; denials != NULL && i < in->n_denials; i++)
		denials[i] = (struct keyrack_denial){in->denials[i]->hotel_id, in->denials[i]->type,
			in->denials[i]->rule, in->denials[i]->day, in->denials[i]->count};
	ret->denials = denials;
	ret->denial_count = (uint32_t)in->n_denials;
	ret->next_cursor = in->next_cursor;
	ret->shard = in->shard;
	ret->total = in->total;
	ret->overflow = in->overflow;
	client_decode_refused(decoder, in->refusal);
}

static void decode_AvailabilityAnswer(
	struct client_decoder *decoder, const Keyrack__AvailabilityAnswer *in)
{
	struct keyrack_availability_answer *ret = &decoder->answer->availability;
	uint64_t cells = (uint64_t)in->n_types * in->night_count;
	client_decode_refused(decoder, in->refusal);
	if (ret->result.outcome != KEYRACK_RESULT_DONE)
		return;
	if (in->n_counters != cells || in->n_rates != cells || in->n_classes % 2 != 0 ||
		!civil_days_are_valid(in->first_day, in->night_count)) {
		decoder->failed = true;
		return;
	}
	ret->types = in->types;
	ret->type_count = (uint32_t)in->n_types;
	ret->first_day = in->first_day;
	ret->night_count = in->night_count;
	ret->counters = in->counters;
	ret->rates = in->rates;
	ret->classes = in->classes;
	ret->class_count = (uint32_t)(in->n_classes / 2);
	ret->ari_version = in->ari_version;
	ret->business_day = in->business_day;
}

/* ---- stays ----------------------------------------------------------------------------------- */

static void client_decode_line(
	struct client_decoder *decoder, const Keyrack__Line *in, struct keyrack_line *ret)
{
	size_t run_count = in->n_run_nights;
	if (run_count != in->n_run_price_minor) {
		decoder->failed = true;
		return;
	}
	struct keyrack_price_run *runs = DECODE_ARRAY(decoder, struct keyrack_price_run, run_count);
	for (size_t i = 0; runs != NULL && i < run_count; i++)
		runs[i] = (struct keyrack_price_run){in->run_nights[i], in->run_price_minor[i]};
	*ret = (struct keyrack_line){
		.type = in->type,
		.plan = in->plan,
		.check_in_day = in->check_in,
		.check_out_day = in->check_out,
		.rooms = in->rooms,
		.guests = in->guests,
		.pricing = (enum keyrack_pricing)in->pricing,
		.runs = runs,
		.run_count = (uint32_t)run_count,
		.tiers = client_decode_tiers(decoder, in->tiers, in->n_tiers),
		.tier_count = (uint32_t)in->n_tiers,
		.arrival_us = in->arrival_us,
	};
}

static const struct keyrack_line *client_decode_lines(
	struct client_decoder *decoder, Keyrack__Line *const *in, size_t count)
{
	struct keyrack_line *lines = DECODE_ARRAY(decoder, struct keyrack_line, count);
	for (size_t i = 0; lines != NULL && i < count; i++)
		client_decode_line(decoder, in[i], &lines[i]);
	return lines;
}

static void decode_StayAnswer(struct client_decoder *decoder, const Keyrack__StayAnswer *in)
{
	struct keyrack_stay_answer *ret = &decoder->answer->stay;
	struct keyrack_refusal *refusals =
		DECODE_ARRAY(decoder, struct keyrack_refusal, in->n_refusals);
	for (size_t i = 0; refusals != NULL && i < in->n_refusals; i++)
		client_decode_refusal(in->refusals[i], &refusals[i]);
	ret->result.refusal = refusals;
	ret->refusals = refusals;
	ret->refusal_count = (uint32_t)in->n_refusals;
	ret->has_total = in->has_total;
	ret->total_minor = in->total_minor;
	ret->rooms_left = in->rooms_left;
	ret->lines = client_decode_lines(decoder, in->lines, in->n_lines);
	ret->line_count = (uint32_t)in->n_lines;
	ret->ari_version = in->ari_version;
	ret->free_cancel_until_us = in->free_cancel_until_us;
}

static void decode_ReservationAnswer(
	struct client_decoder *decoder, const Keyrack__ReservationAnswer *in)
{
	struct keyrack_reservation_answer *ret = &decoder->answer->reservation;
	ret->state = in->state;
	ret->revision = in->revision;
	ret->expires_at_us = in->expires_at_us;
	ret->has_total = in->has_total;
	ret->total_minor = in->total_minor;
	ret->event_seq = in->event_seq;
	ret->due = in->due;
	ret->repeated = in->repeated_op;
	ret->hotel_id = in->hotel_id;
	ret->first_code = in->outcome;
	ret->has_amounts = in->has_amounts;
	ret->penalty_minor = in->penalty_minor;
	ret->refundable_minor = in->refundable_minor;
	ret->nights_over_limit = in->nights_over_limit;
	client_decode_refused(decoder, in->refusal);
}

static void client_decode_reservation(struct client_decoder *decoder,
	const Keyrack__Reservation *in, struct keyrack_reservation *ret)
{
	*ret = (struct keyrack_reservation){
		.id = {in->id_hi, in->id_lo},
		.hotel_id = in->hotel_id,
		.state = in->state,
		.due = in->due,
		.revision = in->revision,
		.created_at_us = in->created_at_us,
		.changed_at_us = in->changed_at_us,
		.expires_at_us = in->expires_at_us,
		.lines = client_decode_lines(decoder, in->lines, in->n_lines),
		.line_count = (uint32_t)in->n_lines,
		.has_total = in->has_total,
		.total_minor = in->total_minor,
		.guest = {in->guest_hi, in->guest_lo},
		.external_ref = in->external_ref,
		.payment_ref = in->payment_ref,
		.source = in->source,
		.counted_until_day = in->counted_until_day,
		.event_seq = in->event_seq,
		.change_id = in->change_id,
		.was_held = in->was_held,
		.graced = in->graced,
		.free_cancel_until_us = in->free_cancel_until_us,
		.has_amounts = in->has_amounts,
		.penalty_minor = in->penalty_minor,
		.refundable_minor = in->refundable_minor,
	};
}

static void decode_ReservationGetAnswer(
	struct client_decoder *decoder, const Keyrack__ReservationGetAnswer *in)
{
	struct keyrack_reservation_get_answer *ret = &decoder->answer->reservation_get;
	static const Keyrack__Reservation none = KEYRACK__RESERVATION__INIT;
	client_decode_reservation(
		decoder, in->reservation != NULL ? in->reservation : &none, &ret->reservation);
	client_decode_refused(decoder, in->refusal);
}

static void decode_ReservationListAnswer(
	struct client_decoder *decoder, const Keyrack__ReservationListAnswer *in)
{
	struct keyrack_reservation_list_answer *ret = &decoder->answer->reservation_list;
	struct keyrack_reservation *list =
		DECODE_ARRAY(decoder, struct keyrack_reservation, in->n_reservations);
	for (size_t i = 0; list != NULL && i < in->n_reservations; i++)
		client_decode_reservation(decoder, in->reservations[i], &list[i]);
	ret->reservations = list;
	ret->reservation_count = (uint32_t)in->n_reservations;
	ret->next_cursor = in->next_cursor;
	client_decode_refused(decoder, in->refusal);
}

/* ---- operation ------------------------------------------------------------------------------- */

static void decode_PingAnswer(struct client_decoder *decoder, const Keyrack__PingAnswer *in)
{
	struct keyrack_ping_answer *ret = &decoder->answer->ping;
	ret->payload = in->payload.data;
	ret->payload_size_bytes = (uint32_t)in->payload.len;
	ret->time_us = in->time_us;
}

static void decode_RouterStatusAnswer(
	struct client_decoder *decoder, const Keyrack__RouterStatusAnswer *in)
{
	struct keyrack_router_status_answer *ret = &decoder->answer->router_status;
	struct keyrack_shard_link *links =
		DECODE_ARRAY(decoder, struct keyrack_shard_link, in->n_links);
	for (size_t i = 0; links != NULL && i < in->n_links; i++) {
		const Keyrack__ShardLink *link = in->links[i];
		links[i] = (struct keyrack_shard_link){link->shard, link->address, link->up,
			link->in_flight, link->waiting, link->forwarded, link->answered, link->lost,
			link->unavailable};
	}
	struct keyrack_stat *stats = DECODE_ARRAY(decoder, struct keyrack_stat, in->n_stats);
	for (size_t i = 0; stats != NULL && i < in->n_stats; i++)
		client_decode_stat(in->stats[i], &stats[i]);
	ret->cluster = in->cluster;
	ret->uptime_us = in->uptime_us;
	ret->connections = in->connections;
	ret->map_epoch = in->map_epoch;
	ret->links = links;
	ret->link_count = (uint32_t)in->n_links;
	ret->stats = stats;
	ret->stat_count = (uint32_t)in->n_stats;
	ret->version = in->version;
}

static void decode_RouterMapAnswer(
	struct client_decoder *decoder, const Keyrack__RouterMapAnswer *in)
{
	struct keyrack_router_map_answer *ret = &decoder->answer->router_map;
	struct keyrack_slot_range *ranges =
		DECODE_ARRAY(decoder, struct keyrack_slot_range, in->n_ranges);
	for (size_t i = 0; ranges != NULL && i < in->n_ranges; i++)
		ranges[i] = (struct keyrack_slot_range){
			in->ranges[i]->first, in->ranges[i]->last, in->ranges[i]->shard};
	ret->epoch = in->epoch;
	ret->shard_count = in->shard_count;
	ret->ranges = ranges;
	ret->range_count = (uint32_t)in->n_ranges;
}

static void decode_RouterConnectionsAnswer(
	struct client_decoder *decoder, const Keyrack__RouterConnectionsAnswer *in)
{
	struct keyrack_router_connections_answer *ret = &decoder->answer->router_connections;
	struct keyrack_router_connection *connections =
		DECODE_ARRAY(decoder, struct keyrack_router_connection, in->n_connections);
	for (size_t i = 0; connections != NULL && i < in->n_connections; i++) {
		const Keyrack__RouterConnection *one = in->connections[i];
		connections[i] = (struct keyrack_router_connection){one->number, one->peer,
			one->agent, one->age_us, one->idle_us, one->in_flight, one->requests,
			one->answers, one->queued_bytes, one->principal};
	}
	ret->connections = connections;
	ret->connection_count = (uint32_t)in->n_connections;
	ret->more = in->more;
}

/* ---- by type --------------------------------------------------------------------------------- */

/* Frame type, message of its answer. Calls over all shards are merged elsewhere. */
#define DECODE_TABLE(X)                                                                            \
	X(FRAME_HOTEL_PUT, HotelAnswer)                                                            \
	X(FRAME_HOTEL_GET, HotelAnswer)                                                            \
	X(FRAME_TYPE_PUT, TypeAnswer)                                                              \
	X(FRAME_TYPE_GET, TypeListAnswer)                                                          \
	X(FRAME_PLAN_PUT, PlanAnswer)                                                              \
	X(FRAME_PLAN_LIST, PlanListAnswer)                                                         \
	X(FRAME_INVENTORY_SET, InventorySetAnswer)                                                 \
	X(FRAME_STOCK_LIST, StockListAnswer)                                                       \
	X(FRAME_NIGHT_LIST, NightListAnswer)                                                       \
	X(FRAME_DENIAL_LIST, DenialListAnswer)                                                     \
	X(FRAME_AVAILABILITY, AvailabilityAnswer)                                                  \
	X(FRAME_STAY, StayAnswer)                                                                  \
	X(FRAME_HOLD, ReservationAnswer)                                                           \
	X(FRAME_BOOK, ReservationAnswer)                                                           \
	X(FRAME_CONFIRM, ReservationAnswer)                                                        \
	X(FRAME_RELEASE, ReservationAnswer)                                                        \
	X(FRAME_CANCEL, ReservationAnswer)                                                         \
	X(FRAME_RESOLVE, ReservationAnswer)                                                        \
	X(FRAME_EXTEND, ReservationAnswer)                                                         \
	X(FRAME_ATTACH_PAYMENT, ReservationAnswer)                                                 \
	X(FRAME_CHECK_IN, ReservationAnswer)                                                       \
	X(FRAME_COMPLETE, ReservationAnswer)                                                       \
	X(FRAME_NO_SHOW, ReservationAnswer)                                                        \
	X(FRAME_MODIFY, ReservationAnswer)                                                         \
	X(FRAME_IMPORT, ReservationAnswer)                                                         \
	X(FRAME_RESERVATION_GET, ReservationGetAnswer)                                             \
	X(FRAME_RESERVATION_LIST, ReservationListAnswer)                                           \
	X(FRAME_PING, PingAnswer)                                                                  \
	X(FRAME_ROUTER_STATUS, RouterStatusAnswer)                                                 \
	X(FRAME_ROUTER_MAP, RouterMapAnswer)                                                       \
	X(FRAME_ROUTER_CONNECTIONS, RouterConnectionsAnswer)

static void client_decode_message(
	struct client_decoder *decoder, unsigned type, const ProtobufCMessage *message)
{
	switch (type) {
#define X(frame_type, name)                                                                        \
	case frame_type:                                                                           \
		decode_##name(decoder, (const Keyrack__##name *)(const void *)message);            \
		return;
		DECODE_TABLE(X)
#undef X
	default:
		kr_unreachable();
	}
}

/* Zero, but for the result: what of the answer is the caller's to read. */
static void client_answer_begin(
	const struct client_end *end, union keyrack_answer *ret_answer, size_t size_bytes)
{
	kr_assert(size_bytes >= sizeof(ret_answer->result));
	memset(ret_answer, 0, size_bytes);
	client_decode_result(end, &ret_answer->result);
}

void client_decode_long(struct keyrack_client *client, const struct client_end *end,
	union keyrack_answer *ret_answer)
{
	struct client_decoder decoder = {.arena = &client->arena.arena, .answer = ret_answer};
	client_answer_begin(end, ret_answer, sizeof(*ret_answer));
	pb_arena_reset(&client->arena);
	ProtobufCMessage *message;
	int r = message_unpack(message_of_answer(end->type), end->body, end->body_size_bytes,
		&client->arena, &message);
	if (r == 0)
		client_decode_message(&decoder, end->type, message);
	if (r == 0 && !decoder.failed)
		return;
	client_answer_begin(end, ret_answer, sizeof(*ret_answer));
	ret_answer->result.code = KEYRACK_CODE_BAD_ANSWER;
	ret_answer->result.outcome = KEYRACK_RESULT_UNKNOWN;
}

bool client_decode_plain(struct keyrack_client *client, const struct client_end *end,
	union keyrack_answer *ret_answer)
{
	struct client_body body = {end->body, end->body_size_bytes};
	pb_arena_reset(&client->arena);
	switch (end->type) {
	case FRAME_BOOK:
	case FRAME_HOLD:
	case FRAME_CONFIRM:
	case FRAME_RELEASE:
	case FRAME_CANCEL:
		client_answer_begin(end, ret_answer, sizeof(ret_answer->reservation));
		return client_read_reservation(
			body, &client->arena.arena, &ret_answer->reservation);
	case FRAME_AVAILABILITY:
		client_answer_begin(end, ret_answer, sizeof(ret_answer->availability));
		return client_read_availability(
			body, &client->arena.arena, &ret_answer->availability);
	default:
		return false;
	}
}

void client_decode(struct keyrack_client *client, const struct client_end *end,
	union keyrack_answer *ret_answer)
{
	if (KR_UNLIKELY(!client_decode_plain(client, end, ret_answer)))
		client_decode_long(client, end, ret_answer);
}

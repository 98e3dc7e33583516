#include "engine/shard/read.h"
#include "proto/message.h"

/* Reservations as they are shown: one by its id, or a list of them a page at a time. */

/* A page ends at this many bytes of its reservations: each one more still fits a frame. */
#define PAGE_SIZE_GOAL (FRAME_BODY_SIZE_MAX / 2)
/* And at this many of its fields: the reader of a body takes MESSAGE_FIELD_COUNT_MAX. */
#define RESERVATION_FIELDS_MAX 28u
#define LINE_FIELDS_MAX 13u
#define TIER_FIELDS_MAX 3u
#define PAGE_FIELDS_GOAL                                                                           \
	(MESSAGE_FIELD_COUNT_MAX - RESERVATION_FIELDS_MAX -                                        \
		INV_LINES_MAX * (LINE_FIELDS_MAX + INV_TIERS_MAX * TIER_FIELDS_MAX))
/* Places of the table looked at for one page, so that a list of few does not hold up the sales. */
#define PAGE_SCAN_MAX 16384u

static void line_runs_fill(const struct inv_line *line, uint32_t *nights, uint64_t *prices)
{
	kr_assert(line->run_count <= INV_STAY_NIGHTS_MAX);
	for (uint32_t i = 0; i < line->run_count; i++) {
		nights[i] = line->runs[i].nights;
		prices[i] = line->runs[i].price_minor;
	}
}

/* False: the arena is full. */
static bool line_terms_fill(struct shard *shard, const struct inv_line *line, Keyrack__Line *body)
{
	struct kr_arena *arena = &shard->arena.arena;
	kr_assert(line->tier_count >= 1 && line->tier_count <= INV_TIERS_MAX);
	kr_assert(line->arrival_us != 0);
	Keyrack__Tier *tiers = KR_ARENA_ARRAY(arena, Keyrack__Tier, line->tier_count);
	body->tiers = KR_ARENA_ARRAY(arena, Keyrack__Tier *, line->tier_count);
	if (tiers == NULL || body->tiers == NULL)
		return false;
	for (uint32_t i = 0; i < line->tier_count; i++) {
		keyrack__tier__init(&tiers[i]);
		tiers[i].hours = line->tiers[i].hours;
		tiers[i].nights = line->tiers[i].nights;
		tiers[i].basis_points = line->tiers[i].basis_points;
		body->tiers[i] = &tiers[i];
	}
	body->n_tiers = line->tier_count;
	body->arrival_us = line->arrival_us;
	return true;
}

Keyrack__Line **shard_lines_fill(
	struct shard *shard, const struct inv_line *lines, uint32_t line_count)
{
	struct kr_arena *arena = &shard->arena.arena;
	Keyrack__Line *bodies = KR_ARENA_ARRAY(arena, Keyrack__Line, line_count);
	Keyrack__Line **list = KR_ARENA_ARRAY(arena, Keyrack__Line *, line_count);
	kr_assert(lines != NULL || line_count == 0);
	if (bodies == NULL || list == NULL)
		return NULL;
	kr_assert(line_count <= INV_LINES_MAX);
	for (uint32_t i = 0; i < line_count; i++) {
		const struct inv_line *line = &lines[i];
		Keyrack__Line *body = &bodies[i];
		keyrack__line__init(body);
		body->type = line->type;
		body->plan = line->plan;
		body->check_in = line->check_in;
		body->check_out = line->check_out;
		body->rooms = line->rooms;
		body->guests = line->guests;
		body->pricing = line->pricing;
		body->run_nights = KR_ARENA_ARRAY(arena, uint32_t, line->run_count);
		body->run_price_minor = KR_ARENA_ARRAY(arena, uint64_t, line->run_count);
		if (body->run_nights == NULL || body->run_price_minor == NULL)
			return NULL;
		line_runs_fill(line, body->run_nights, body->run_price_minor);
		body->n_run_nights = body->n_run_price_minor = line->run_count;
		if (line->tier_count > 0 && !line_terms_fill(shard, line, body))
			return NULL;
		list[i] = body;
	}
	return list;
}

static void reservation_fill(
	struct shard *shard, const struct inv_reservation_view *view, Keyrack__Reservation *body)
{
	kr_assert(!kr_id_is_zero(view->id));
	body->id_hi = view->id.hi;
	body->id_lo = view->id.lo;
	body->hotel_id = view->hotel.v;
	body->state = view->state;
	body->due = view->due;
	body->revision = view->revision;
	body->created_at_us = view->created_at_us;
	body->changed_at_us = view->changed_at_us;
	body->expires_at_us = view->expires_at_us;
	body->lines = shard_lines_fill(shard, view->lines, view->line_count);
	body->n_lines = body->lines == NULL ? 0 : view->line_count;
	body->total_minor = view->total_minor;
	body->has_total = view->has_total;
	body->guest_hi = view->guest.hi;
	body->guest_lo = view->guest.lo;
	body->external_ref = shard_text_copy(shard, view->external_ref);
	body->payment_ref = shard_text_copy(shard, view->payment_ref);
	body->source = view->source;
	body->counted_until_day = view->counted_until;
	body->event_seq = view->event_seq;
	body->change_id = view->change_id;
	body->was_held = view->was_held;
	body->graced = view->graced;
	body->free_cancel_until_us = view->cost.free_until_us;
	body->has_amounts = view->cost.has_amounts;
	body->penalty_minor = view->cost.penalty_minor;
	body->refundable_minor = view->cost.refundable_minor;
}

/* Who asks for what is not there must not learn of a retirement that is not durable: the answer
 * waits for the hotel that was named or, not knowing it, for its slot. */
static bool read_missing(struct shard *shard, const struct shard_request *request)
{
	struct inv_counts counts;
	struct kr_id id = request->u.get.id;
	inv_counts_get(shard->inv, &counts);
	bool old =
		reservation_id_is_native(id) && reservation_id_ms(id) < counts.purge_mark_us / 1000;
	uint16_t code = old ? KEYRACK_KEY_EXPIRED : KEYRACK_NOT_FOUND;
	struct inv_answer answer = {
		.code = code,
		.refusal = {.code = code, .rule = RULE_ID},
	};
	struct inv_hotel_head hotel;
	kr_assert(request->slot < SLOT_COUNT);
	if (request->hotel.v != 0 && inv_hotel_head(shard->inv, request->hotel, &hotel))
		answer.wait_lsn = hotel.last_lsn;
	return shard_answer_judged(shard, request, &answer);
}

bool shard_reservation_read(struct shard *shard, const struct shard_request *request)
{
	Keyrack__ReservationGetAnswer message = KEYRACK__RESERVATION_GET_ANSWER__INIT;
	Keyrack__Reservation body = KEYRACK__RESERVATION__INIT;
	const struct shard_id_query *query = &request->u.get;
	struct inv_reservation_view view;
	struct inv_hotel_head hotel;
	kr_assert(request->slot < SLOT_COUNT);
	if (!inv_reservation_get_of(shard->inv, query->hotel, query->id, shard->now.t_us, &view))
		return read_missing(shard, request);
	if (query->has_hotel && query->hotel.v != view.hotel.v)
		return read_missing(shard, request);
	reservation_fill(shard, &view, &body);
	message.reservation = &body;
	/* A VOID without a hotel waits for its slot. */
	struct shard_request known = *request;
	uint64_t wait_lsn = 0;
	if (view.hotel.v != 0 && inv_hotel_head(shard->inv, view.hotel, &hotel))
		wait_lsn = hotel.last_lsn;
	known.hotel = view.hotel;
	kr_assert(wait_lsn < shard->next_lsn);
	return shard_answer_message(shard, &known, wait_lsn, KEYRACK_DONE, &message.base);
}

/* ---- lists ---- */

static uint32_t reservation_fields(const struct inv_reservation_view *view)
{
	uint32_t fields = RESERVATION_FIELDS_MAX;
	kr_assert(view->line_count <= INV_LINES_MAX);
	for (uint32_t i = 0; i < view->line_count; i++)
		fields += LINE_FIELDS_MAX + view->lines[i].tier_count * TIER_FIELDS_MAX;
	return fields;
}

static bool list_fill(struct shard *shard, const struct shard_request *request, uint32_t at)
{
	const struct shard_scan_query *query = &request->u.scan;
	Keyrack__ReservationListAnswer message = KEYRACK__RESERVATION_LIST_ANSWER__INIT;
	struct kr_arena *arena = &shard->arena.arena;
	Keyrack__Reservation *bodies = KR_ARENA_ARRAY(arena, Keyrack__Reservation, query->limit);
	Keyrack__Reservation **list = KR_ARENA_ARRAY(arena, Keyrack__Reservation *, query->limit);
	struct inv_reservation_view view;
	uint32_t count = 0, fields = 0, budget = PAGE_SCAN_MAX;
	size_t size_bytes = 0;
	enum inv_scan scan = INV_SCAN_PAUSED;
	kr_assert(query->limit >= 1 && query->limit <= SHARD_LIST_MAX);
	if (bodies == NULL || list == NULL)
		return shard_answer_code(shard, request, KEYRACK_OVERLOADED);
	while (count < query->limit && size_bytes < PAGE_SIZE_GOAL && fields < PAGE_FIELDS_GOAL) {
		scan = inv_reservation_scan(
			shard->inv, shard->now.t_us, &query->filter, &at, &budget, &view);
		if (scan != INV_SCAN_FOUND)
			break;
		keyrack__reservation__init(&bodies[count]);
		reservation_fill(shard, &view, &bodies[count]);
		if (bodies[count].n_lines != view.line_count)
			return shard_answer_code(shard, request, KEYRACK_OVERLOADED);
		size_bytes += protobuf_c_message_get_packed_size(&bodies[count].base);
		fields += reservation_fields(&view);
		list[count] = &bodies[count];
		count++;
	}
	message.reservations = list;
	message.n_reservations = count;
	message.next_cursor =
		shard_cursor_next(shard, query->filter.hotel, scan == INV_SCAN_ENDED, at);
	return shard_answer_message(shard, request, shard_list_wait_lsn(shard, query->filter.hotel),
		KEYRACK_DONE, &message.base);
}

bool shard_reservations_read(struct shard *shard, const struct shard_request *request)
{
	struct inv_hotel_head head;
	uint32_t at;
	if (request->hotel.v != 0 && !inv_hotel_head(shard->inv, request->hotel, &head))
		return shard_refuse(shard, request, KEYRACK_NOT_FOUND, RULE_HOTEL, NULL);
	if (!shard_cursor_read(shard, request->u.scan.cursor, &at))
		return shard_refuse(shard, request, KEYRACK_VERSION_MISMATCH, RULE_FIELD, "cursor");
	return list_fill(shard, request, at);
}

#include "engine/shard/read.h"

/* NIGHT_LIST and DENIAL_LIST, a page at a time. */

/* Looked at for one page, so that a list of few does not hold up the sales. */
#define PAGE_NIGHTS_MAX 65536u
#define PAGE_DENIALS_MAX 16384u

static void night_fill(const struct inv_night_view *view, Keyrack__Night *body)
{
	keyrack__night__init(body);
	kr_assert(view->hotel.v != 0);
	body->hotel_id = view->hotel.v;
	body->type = view->type;
	body->day = view->day;
	body->loaded = view->is_loaded;
	body->limit = view->limit;
	body->held = view->held;
	body->booked = view->booked;
	body->has_rooms = view->has_rooms;
	body->rooms = view->rooms;
	body->over_limit = view->over_limit;
	body->walks = view->walks;
}

/* Into an array of messages in the arena; NULL when it is full. */
static Keyrack__Night **nights_fill(
	struct shard *shard, const struct inv_night_view *views, uint32_t count)
{
	struct kr_arena *arena = &shard->arena.arena;
	Keyrack__Night *bodies = KR_ARENA_ARRAY(arena, Keyrack__Night, count);
	Keyrack__Night **list = KR_ARENA_ARRAY(arena, Keyrack__Night *, count);
	kr_assert(count <= SHARD_NIGHT_LIST_MAX);
	if (bodies == NULL || list == NULL)
		return NULL;
	for (uint32_t i = 0; i < count; i++) {
		night_fill(&views[i], &bodies[i]);
		list[i] = &bodies[i];
	}
	return list;
}

/* Which nights of the hotel were asked for. */
static void night_range_fill(const struct shard *shard, const struct inv_night_query *query,
	const struct inv_hotel_head *hotel, Keyrack__NightListAnswer *message)
{
	int32_t today = hotel->business_day;
	int32_t base = query->is_relative ? today : 0;
	int32_t end = today + (int32_t)shard->config.inventory.window_nights - 1;
	kr_assert(query->first_day <= query->last_day);
	message->business_day = today;
	message->first_day = KR_MAX(base + query->first_day, today);
	message->last_day = KR_MIN(base + query->last_day, end);
	message->event_seq = hotel->event_seq;
}

/* Places of a cursor are rows from 1 on: 0 begins. */
static bool nights_place(const struct shard *shard, const struct shard_night_query *query,
	struct inv_night_place *ret_place)
{
	uint32_t at;
	if (!shard_cursor_read(shard, query->cursor, &at))
		return false;
	if (at == 0) {
		*ret_place = inv_night_begin(shard->inv, &query->nights);
		return true;
	}
	*ret_place = (struct inv_night_place){.row = at - 1, .day = query->from_day};
	kr_assert(ret_place->row != INV_NIGHT_END);
	return inv_night_place_is_valid(shard->inv, &query->nights, ret_place);
}

static bool nights_answer(struct shard *shard, const struct shard_request *request,
	struct inv_night_place place, Keyrack__NightListAnswer *message)
{
	const struct shard_night_query *query = &request->u.night_list;
	struct inv_night_view *views =
		KR_ARENA_ARRAY(&shard->arena.arena, struct inv_night_view, query->limit);
	kr_assert(query->limit >= 1 && query->limit <= SHARD_NIGHT_LIST_MAX);
	if (views == NULL)
		return shard_answer_code(shard, request, KEYRACK_OVERLOADED);
	uint32_t count = inv_night_list(
		shard->inv, &query->nights, &place, PAGE_NIGHTS_MAX, views, query->limit);
	bool is_ended = place.row == INV_NIGHT_END;
	message->nights = nights_fill(shard, views, count);
	if (message->nights == NULL)
		return shard_answer_code(shard, request, KEYRACK_OVERLOADED);
	message->n_nights = count;
	message->next_cursor =
		shard_cursor_next(shard, request->hotel, is_ended, is_ended ? 0 : place.row + 1);
	message->next_day = is_ended ? 0 : place.day;
	return shard_answer_message(shard, request, shard_list_wait_lsn(shard, request->hotel),
		KEYRACK_DONE, &message->base);
}

static bool nights_refuse_type(
	struct shard *shard, const struct shard_request *request, uint64_t wait_lsn, uint16_t type)
{
	struct inv_answer answer = {
		.code = KEYRACK_NOT_FOUND,
		.refusal = {.code = KEYRACK_NOT_FOUND, .rule = RULE_TYPE, .required = type},
		.wait_lsn = wait_lsn,
	};
	kr_assert(request->u.night_list.nights.type_count > 0);
	return shard_answer_judged(shard, request, &answer);
}

bool shard_nights_read(struct shard *shard, const struct shard_request *request)
{
	Keyrack__NightListAnswer message = KEYRACK__NIGHT_LIST_ANSWER__INIT;
	const struct shard_night_query *query = &request->u.night_list;
	struct inv_night_place place;
	struct inv_hotel_head hotel;
	uint16_t missing;
	kr_assert(query->nights.hotel.v == request->hotel.v);
	if (request->hotel.v != 0) {
		if (!inv_hotel_head(shard->inv, request->hotel, &hotel))
			return shard_refuse(shard, request, KEYRACK_NOT_FOUND, RULE_HOTEL, NULL);
		if (!inv_night_types_exist(shard->inv, &query->nights, &missing))
			return nights_refuse_type(shard, request, hotel.last_lsn, missing);
		night_range_fill(shard, &query->nights, &hotel, &message);
	}
	if (!nights_place(shard, query, &place))
		return shard_refuse(shard, request, KEYRACK_VERSION_MISMATCH, RULE_FIELD, "cursor");
	return nights_answer(shard, request, place, &message);
}

/* ---- denials ---- */

/* Counted in memory alone: there is nothing to wait for. */
static bool denials_answer(struct shard *shard, const struct shard_request *request, uint32_t at)
{
	const struct shard_denial_query *query = &request->u.denial_list;
	Keyrack__DenialListAnswer message = KEYRACK__DENIAL_LIST_ANSWER__INIT;
	struct kr_arena *arena = &shard->arena.arena;
	struct inv_denial *denials = KR_ARENA_ARRAY(arena, struct inv_denial, query->limit);
	struct inv_counts counts;
	bool more;
	kr_assert(query->limit >= 1 && query->limit <= SHARD_DENIAL_LIST_MAX);
	if (denials == NULL)
		return shard_answer_code(shard, request, KEYRACK_OVERLOADED);
	uint32_t count = inv_denial_list(
		shard->inv, &query->denials, &at, PAGE_DENIALS_MAX, denials, query->limit, &more);
	message.denials = shard_denials_fill(shard, denials, count);
	if (message.denials == NULL)
		return shard_answer_code(shard, request, KEYRACK_OVERLOADED);
	inv_counts_get(shard->inv, &counts);
	message.n_denials = count;
	message.next_cursor = shard_cursor_next(shard, request->hotel, !more, at);
	message.shard = shard->config.shard_index;
	message.total = counts.denials;
	message.overflow = counts.denials_overflow;
	kr_assert(counts.denials_overflow <= counts.denials);
	return shard_answer_message(shard, request, 0, KEYRACK_DONE, &message.base);
}

bool shard_denials_read(struct shard *shard, const struct shard_request *request)
{
	const struct shard_denial_query *query = &request->u.denial_list;
	struct inv_hotel_head hotel;
	uint32_t at;
	kr_assert(query->denials.hotel.v == request->hotel.v);
	if (request->hotel.v != 0 && !inv_hotel_head(shard->inv, request->hotel, &hotel))
		return shard_refuse(shard, request, KEYRACK_NOT_FOUND, RULE_HOTEL, NULL);
	if (!shard_cursor_read(shard, query->cursor, &at))
		return shard_refuse(shard, request, KEYRACK_VERSION_MISMATCH, RULE_FIELD, "cursor");
	return denials_answer(shard, request, at);
}

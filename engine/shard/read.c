#include <string.h>

#include "engine/shard/hot.h"
#include "engine/shard/read.h"

/*
 * Reads: nothing changes, but what they show has to be durable before they leave.
 */

#define LIST_HOTELS_MAX 256u

/* Borrowed texts have no final zero. */
char *shard_text_copy(struct shard *shard, struct inv_text text)
{
	char *copy = kr_arena_alloc(&shard->arena.arena, text.size_bytes + 1, 1);
	kr_assert(text.size_bytes <= INV_TEXT_SIZE_MAX);
	kr_assert(text.bytes != NULL || text.size_bytes == 0);
	if (copy == NULL)
		return (char *)(uintptr_t)protobuf_c_empty_string;
	memcpy(copy, text.size_bytes > 0 ? text.bytes : "", text.size_bytes);
	copy[text.size_bytes] = 0;
	return copy;
}

bool shard_refuse(struct shard *shard, const struct shard_request *request, uint16_t code,
	uint8_t rule, const char *field)
{
	struct shard_request refused = *request;
	kr_assert(request->code == 0);
	kr_assert(code != 0);
	refused.code = code;
	refused.rule = rule;
	refused.field = field;
	return shard_answer_refused(shard, &refused);
}

/* ---- hotels ---- */

static void hotel_fill(struct shard *shard, const struct inv_hotel_view *view,
	Keyrack__HotelSettings *settings, Keyrack__Hotel *hotel)
{
	const struct inv_hotel_settings *s = &view->settings;
	keyrack__hotel_settings__init(settings);
	keyrack__hotel__init(hotel);
	settings->code = shard_text_copy(shard, s->code);
	settings->zone = shard_text_copy(shard, s->zone);
	settings->currency = shard_text_copy(shard, (struct inv_text){s->currency, 3});
	settings->currency_digits = s->currency_digits;
	settings->day_roll_minute = s->day_roll_minute;
	settings->check_in_minute = s->check_in_minute;
	settings->nights_max = s->nights_max;
	settings->hold_ttl_us = s->hold_ttl_us;
	settings->hold_ttl_max_us = s->hold_ttl_max_us;
	settings->hold_total_max_us = s->hold_total_max_us;
	settings->holds_max = s->holds_max;
	settings->guest_holds_max = s->guest_holds_max;
	settings->status = s->status;
	hotel->hotel_id = view->hotel.v;
	hotel->settings = settings;
	hotel->ari_version = view->ari_version;
	hotel->event_seq = view->event_seq;
	hotel->business_day = view->business_day;
	hotel->window_nights = shard->config.inventory.window_nights;
	hotel->type_count = view->type_count;
	hotel->reservation_count = view->reservation_count;
	hotel->hold_count = view->hold_count;
	hotel->slot = slot_of_hotel(view->hotel);
	kr_assert(hotel->hotel_id != 0);
}

bool shard_hotel_answer(
	struct shard *shard, const struct shard_request *request, const struct inv_answer *answer)
{
	Keyrack__HotelAnswer message = KEYRACK__HOTEL_ANSWER__INIT;
	Keyrack__HotelSettings settings;
	Keyrack__Hotel hotel;
	struct inv_hotel_view view;
	bool found = inv_hotel_get(shard->inv, request->hotel, &view);
	kr_assert(found && answer->code == KEYRACK_DONE);
	hotel_fill(shard, &view, &settings, &hotel);
	message.hotel = &hotel;
	message.created = answer->created;
	return shard_answer_message(shard, request, answer->wait_lsn, KEYRACK_DONE, &message.base);
}

static bool read_hotel(struct shard *shard, const struct shard_request *request)
{
	struct inv_hotel_view view;
	kr_assert(request->hotel.v != 0);
	if (!inv_hotel_get(shard->inv, request->hotel, &view))
		return shard_refuse(shard, request, KEYRACK_NOT_FOUND, RULE_HOTEL, NULL);
	struct inv_answer answer = {.code = KEYRACK_DONE, .wait_lsn = view.last_lsn};
	return shard_hotel_answer(shard, request, &answer);
}

static bool read_list(struct shard *shard, const struct shard_request *request)
{
	const struct shard_list_query *query = &request->u.list;
	Keyrack__HotelListAnswer message = KEYRACK__HOTEL_LIST_ANSWER__INIT;
	uint32_t limit = query->limit == 0 ? LIST_HOTELS_MAX : query->limit;
	kr_assert(limit >= 1);
	limit = KR_MIN(limit, LIST_HOTELS_MAX);
	struct kr_arena *arena = &shard->arena.arena;
	struct inv_hotel_view *views = KR_ARENA_ARRAY(arena, struct inv_hotel_view, limit);
	Keyrack__HotelSettings *settings = KR_ARENA_ARRAY(arena, Keyrack__HotelSettings, limit);
	Keyrack__Hotel *hotels = KR_ARENA_ARRAY(arena, Keyrack__Hotel, limit);
	Keyrack__Hotel **list = KR_ARENA_ARRAY(arena, Keyrack__Hotel *, limit);
	uint64_t wait_lsn = 0;
	bool more;
	if (views == NULL || settings == NULL || hotels == NULL || list == NULL)
		return shard_answer_code(shard, request, KEYRACK_OVERLOADED);
	uint32_t count =
		inv_hotel_list(shard->inv, query->from_start, query->after, views, limit, &more);
	kr_assert(count <= limit);
	for (uint32_t i = 0; i < count; i++) {
		hotel_fill(shard, &views[i], &settings[i], &hotels[i]);
		list[i] = &hotels[i];
		wait_lsn = KR_MAX(wait_lsn, views[i].last_lsn);
	}
	message.hotels = list;
	message.n_hotels = count;
	message.more = more;
	return shard_answer_message(shard, request, wait_lsn, KEYRACK_DONE, &message.base);
}

/* ---- room types ---- */

static void type_fill(struct shard *shard, const struct inv_type_view *view,
	Keyrack__TypeSettings *settings, Keyrack__RoomType *type)
{
	const struct inv_type_settings *s = &view->settings;
	keyrack__type_settings__init(settings);
	keyrack__room_type__init(type);
	kr_assert((view->set_mask & ~INV_TYPE_MASK) == 0);
	settings->code = shard_text_copy(shard, s->code);
	settings->status = s->status;
	settings->physical = s->physical;
	settings->out_of_order = s->out_of_order;
	settings->allowance = s->allowance;
	settings->allowance_unit = s->allowance_unit;
	settings->cap = s->cap;
	settings->guests_max = s->guests_max;
	settings->plan_status = s->plan_status;
	settings->advance_min_minutes = s->advance_min_minutes;
	settings->advance_max_minutes = s->advance_max_minutes;
	type->type = view->type;
	type->settings = settings;
	type->set_mask = view->set_mask & INV_TYPE_CLEARABLE;
}

/* All types of a hotel, ascending; NULL when the arena is full. */
static struct inv_type_view *types_list(
	struct shard *shard, struct hotel_id hotel, uint32_t type_count)
{
	struct inv_type_view *views =
		KR_ARENA_ARRAY(&shard->arena.arena, struct inv_type_view, type_count);
	kr_assert(type_count <= INV_HOTEL_TYPES_MAX);
	if (views == NULL)
		return NULL;
	uint32_t count = inv_type_list(shard->inv, hotel, views, type_count);
	kr_assert(count == type_count);
	return views;
}

static const struct inv_type_view *types_find(
	const struct inv_type_view *views, uint32_t count, uint16_t type)
{
	kr_assert(views != NULL || count == 0);
	kr_assert(count <= INV_HOTEL_TYPES_MAX);
	for (uint32_t i = 0; i < count; i++) {
		if (views[i].type == type)
			return &views[i];
	}
	return NULL;
}

bool shard_type_answer(
	struct shard *shard, const struct shard_request *request, const struct inv_answer *answer)
{
	Keyrack__TypeAnswer message = KEYRACK__TYPE_ANSWER__INIT;
	Keyrack__TypeSettings settings;
	Keyrack__RoomType type;
	struct inv_hotel_view hotel;
	bool found = inv_hotel_get(shard->inv, request->hotel, &hotel);
	kr_assert(found && answer->code == KEYRACK_DONE);
	const struct inv_type_view *views = types_list(shard, request->hotel, hotel.type_count);
	const struct inv_type_view *view = NULL;
	if (views != NULL)
		view = types_find(views, hotel.type_count, request->u.type_put.type);
	if (view != NULL) {
		type_fill(shard, view, &settings, &type);
		message.type = &type;
	}
	message.created = answer->created;
	message.ari_version = hotel.ari_version;
	return shard_answer_message(shard, request, answer->wait_lsn, KEYRACK_DONE, &message.base);
}

static bool types_answer(struct shard *shard, const struct shard_request *request,
	const struct inv_hotel_view *hotel, const struct inv_type_view *views)
{
	const struct shard_nights_query *query = &request->u.nights;
	Keyrack__TypeListAnswer message = KEYRACK__TYPE_LIST_ANSWER__INIT;
	struct kr_arena *arena = &shard->arena.arena;
	uint32_t count = query->type_count == 0 ? hotel->type_count : query->type_count;
	Keyrack__TypeSettings *settings = KR_ARENA_ARRAY(arena, Keyrack__TypeSettings, count);
	Keyrack__RoomType *types = KR_ARENA_ARRAY(arena, Keyrack__RoomType, count);
	Keyrack__RoomType **list = KR_ARENA_ARRAY(arena, Keyrack__RoomType *, count);
	if (settings == NULL || types == NULL || list == NULL)
		return shard_answer_code(shard, request, KEYRACK_OVERLOADED);
	for (uint32_t i = 0; i < count; i++) {
		const struct inv_type_view *view = &views[i];
		if (query->type_count > 0)
			view = types_find(views, hotel->type_count, query->types[i]);
		if (view == NULL)
			return shard_refuse(shard, request, KEYRACK_NOT_FOUND, RULE_TYPE, NULL);
		type_fill(shard, view, &settings[i], &types[i]);
		list[i] = &types[i];
	}
	kr_assert(count <= INV_HOTEL_TYPES_MAX);
	message.types = list;
	message.n_types = count;
	message.ari_version = hotel->ari_version;
	return shard_answer_message(shard, request, hotel->last_lsn, KEYRACK_DONE, &message.base);
}

static bool read_types(struct shard *shard, const struct shard_request *request)
{
	struct inv_hotel_view hotel;
	if (!inv_hotel_get(shard->inv, request->hotel, &hotel))
		return shard_refuse(shard, request, KEYRACK_NOT_FOUND, RULE_HOTEL, NULL);
	kr_assert(hotel.hotel.v == request->hotel.v);
	const struct inv_type_view *views = types_list(shard, request->hotel, hotel.type_count);
	if (views == NULL)
		return shard_answer_code(shard, request, KEYRACK_OVERLOADED);
	return types_answer(shard, request, &hotel, views);
}

/* ---- nights ---- */

/* True the first time a class is seen under this mark. */
static bool class_is_new(struct shard *shard, uint64_t rate, uint32_t mark)
{
	uint16_t class_index = cell_rate_unpack(rate).class_index;
	kr_assert(mark > 0);
	kr_assert(mark <= shard->class_mark + 1);
	if (class_index == 0 || shard->class_seen[class_index] == mark)
		return false;
	shard->class_seen[class_index] = mark;
	return true;
}

/* Two marks nobody used, the second one behind the first. */
static uint32_t classes_mark(struct shard *shard)
{
	kr_assert(shard->class_mark % 2 == 0);
	if (shard->class_mark > UINT32_MAX - 4) {
		memset(shard->class_seen, 0, SHARD_CLASSES_SEEN * sizeof(*shard->class_seen));
		shard->class_mark = 0;
	}
	shard->class_mark += 2;
	kr_assert(shard->class_mark > 0);
	return shard->class_mark;
}

/* Pairs of class and limits, one for each class among the cells. */
static uint64_t *nights_classes(
	struct shard *shard, const uint64_t *rates, uint32_t cell_count, uint32_t *ret_words)
{
	uint64_t any = 0;
	uint32_t words = 0;
	kr_assert(cell_count <= INV_QUERY_CELLS_MAX);
	*ret_words = 0;
	/* Most calendars have no class at all, which the words say together. */
	for (uint32_t i = 0; i < cell_count; i++)
		any |= rates[i];
	if (cell_rate_unpack(any).class_index == 0)
		return NULL;
	const uint32_t mark = classes_mark(shard);
	for (uint32_t i = 0; i < cell_count; i++)
		words += class_is_new(shard, rates[i], mark) ? 2 : 0;
	kr_assert(words > 0);
	uint64_t *classes = KR_ARENA_ARRAY(&shard->arena.arena, uint64_t, words);
	*ret_words = classes == NULL ? 0 : words;
	for (uint32_t i = 0, at = 0; i < cell_count && classes != NULL; i++) {
		if (!class_is_new(shard, rates[i], mark + 1))
			continue;
		uint16_t class_index = cell_rate_unpack(rates[i]).class_index;
		struct los_class los = inv_los_class(shard->inv, class_index);
		kr_assert(at < words);
		classes[at++] = class_index;
		classes[at++] = (uint64_t)los.min_arrival | (uint64_t)los.max_arrival << 16 |
				(uint64_t)los.min_through << 32 | (uint64_t)los.max_through << 48;
	}
	return classes;
}

static bool nights_types(struct shard *shard, struct shard_nights_query *query, uint32_t type_count)
{
	if (query->type_count > 0)
		return true;
	const struct inv_type_view *views = types_list(shard, query->hotel, type_count);
	uint16_t *types = KR_ARENA_ARRAY(&shard->arena.arena, uint16_t, type_count);
	if (views == NULL || types == NULL)
		return false;
	for (uint32_t i = 0; i < type_count; i++) {
		if (inv_type_has_plan(shard->inv, query->hotel, views[i].type, query->plan))
			types[query->type_count++] = views[i].type;
	}
	query->types = types;
	kr_assert(query->type_count <= INV_HOTEL_TYPES_MAX);
	return true;
}

static bool nights_answer(struct shard *shard, const struct shard_request *request,
	const struct shard_nights_query *query, const struct inv_hotel_head *hotel)
{
	uint64_t *counters = shard->columns, *rates = shard->columns + INV_QUERY_CELLS_MAX;
	struct shard_out *out;
	struct inv_answer answer;
	kr_assert(query->hotel.v == request->hotel.v);
	inv_availability(shard->inv, query->hotel, query->types, query->type_count, query->plan,
		query->first_day, query->night_count, counters, rates, &answer);
	kr_assert(answer.wait_lsn == hotel->last_lsn);
	if (answer.code != KEYRACK_DONE)
		return shard_answer_judged(shard, request, &answer);
	struct hot_columns columns = {
		.types = query->types,
		.type_count = query->type_count,
		.first_day = query->first_day,
		.night_count = query->night_count,
		.counters = counters,
		.rates = rates,
		.ari_version = hotel->ari_version,
		.business_day = hotel->business_day,
	};
	columns.classes = nights_classes(
		shard, rates, query->type_count * query->night_count, &columns.class_words);
	size_t size = hot_columns_size(&columns);
	uint8_t *body = shard_answer_open(shard, request, answer.wait_lsn, size, &out);
	if (body == NULL)
		return shard_answer_full(shard, request, out);
	hot_columns_write(&columns, size, body);
	shard_answer_close(shard, out, request, KEYRACK_DONE, size);
	return true;
}

static bool read_nights(struct shard *shard, const struct shard_request *request)
{
	struct shard_nights_query query = request->u.nights;
	struct inv_hotel_head hotel;
	if (!inv_hotel_head(shard->inv, request->hotel, &hotel))
		return shard_refuse(shard, request, KEYRACK_NOT_FOUND, RULE_HOTEL, NULL);
	if (!nights_types(shard, &query, hotel.type_count))
		return shard_answer_code(shard, request, KEYRACK_OVERLOADED);
	kr_assert(query.hotel.v == request->hotel.v);
	/* Before the product is formed: each factor alone is small enough. */
	if (query.night_count > INV_QUERY_CELLS_MAX ||
		(uint64_t)query.night_count * query.type_count > INV_QUERY_CELLS_MAX)
		return shard_refuse(shard, request, KEYRACK_INVALID, RULE_FIELD, "night_count");
	return nights_answer(shard, request, &query, &hotel);
}

/* ---- stays ---- */

struct stay_result {
	struct inv_refusal refusals[INV_EXPLAIN_MAX];
	struct inv_line lines[INV_LINES_MAX];
	Keyrack__Refusal bodies[INV_EXPLAIN_MAX];
	Keyrack__Refusal *list[INV_EXPLAIN_MAX];
};

static bool read_stay(struct shard *shard, const struct shard_request *request)
{
	const struct shard_stay_query *query = &request->u.stay;
	Keyrack__StayAnswer message = KEYRACK__STAY_ANSWER__INIT;
	struct stay_result *result = KR_ARENA_NEW(&shard->arena.arena, struct stay_result);
	struct inv_answer answer = {0};
	uint32_t rooms_left = 0;
	kr_assert(request->hotel.v != 0);
	if (result == NULL)
		return shard_answer_code(shard, request, KEYRACK_OVERLOADED);
	uint32_t count = inv_stay_check(shard->inv, shard->now, &query->op, query->explain,
		result->refusals, result->lines, &rooms_left, &answer);
	kr_assert(count <= INV_EXPLAIN_MAX);
	for (uint32_t i = 0; i < count; i++) {
		keyrack__refusal__init(&result->bodies[i]);
		shard_refusal_fill(&result->refusals[i], &result->bodies[i]);
		result->list[i] = &result->bodies[i];
	}
	message.refusals = result->list;
	message.n_refusals = count;
	message.total_minor = answer.total_minor;
	message.has_total = answer.has_total;
	message.rooms_left = rooms_left;
	message.ari_version = answer.ari_version;
	if (answer.code == KEYRACK_DONE) {
		message.free_cancel_until_us =
			inv_lines_cost(result->lines, query->op.line_count, shard->now.t_us)
				.free_until_us;
		message.lines = shard_lines_fill(shard, result->lines, query->op.line_count);
		message.n_lines = message.lines == NULL ? 0 : query->op.line_count;
	}
	return shard_answer_message(shard, request, answer.wait_lsn, answer.code, &message.base);
}

/* ---- connection and operation ---- */

static bool read_hello(struct shard *shard, const struct shard_request *request)
{
	Keyrack__HelloAnswer message = KEYRACK__HELLO_ANSWER__INIT;
	kr_assert(shard->config.agent != NULL);
	message.version = FRAME_VERSION;
	message.cluster = shard->config.cluster;
	message.window = SHARD_WINDOW;
	message.body_size_max = FRAME_BODY_SIZE_MAX;
	message.shard_count = shard->config.shard_count;
	message.map_epoch = shard->map.epoch;
	message.idle_timeout_us = shard->config.idle_timeout_us;
	message.agent = (char *)(uintptr_t)shard->config.agent;
	message.shard = shard->config.shard_index + 1;
	return shard_answer_message(shard, request, 0, KEYRACK_DONE, &message.base);
}

static bool read_ping(struct shard *shard, const struct shard_request *request)
{
	Keyrack__PingAnswer message = KEYRACK__PING_ANSWER__INIT;
	kr_assert(request->u.ping.size_bytes <= SHARD_PING_SIZE_MAX);
	message.payload.data = (uint8_t *)(uintptr_t)request->u.ping.bytes;
	message.payload.len = request->u.ping.size_bytes;
	message.time_us = shard->now.t_us;
	return shard_answer_message(shard, request, 0, KEYRACK_DONE, &message.base);
}

static bool read_snapshot(struct shard *shard, const struct shard_request *request)
{
	Keyrack__SnapshotAnswer message = KEYRACK__SNAPSHOT_ANSWER__INIT;
	kr_assert(shard->life == SHARD_SERVING);
	if (!shard_answer_has_room(shard))
		return false;
	message.already_running = shard->snapshot.is_running;
	message.started = shard_snapshot_begin(shard);
	kr_assert(!(message.started && message.already_running));
	bool running = shard->snapshot.is_running;
	message.lsn = running ? shard->snapshot.begin_lsn : shard->snapshot.done_lsn;
	return shard_answer_message(shard, request, 0, KEYRACK_DONE, &message.base);
}

static bool read_any(struct shard *shard, const struct shard_request *request)
{
	kr_assert(request->frame->header->type != 0);
	switch (request->frame->header->type) {
	case FRAME_AVAILABILITY:
		return read_nights(shard, request);
	case FRAME_STAY:
		return read_stay(shard, request);
	case FRAME_RESERVATION_GET:
		return shard_reservation_read(shard, request);
	case FRAME_RESERVATION_LIST:
		return shard_reservations_read(shard, request);
	case FRAME_HOTEL_GET:
		return read_hotel(shard, request);
	case FRAME_HOTEL_LIST:
		return read_list(shard, request);
	case FRAME_TYPE_GET:
		return read_types(shard, request);
	case FRAME_PLAN_LIST:
		return shard_plans_read(shard, request);
	case FRAME_STOCK_LIST:
		return shard_stock_read(shard, request);
	case FRAME_NIGHT_LIST:
		return shard_nights_read(shard, request);
	case FRAME_DENIAL_LIST:
		return shard_denials_read(shard, request);
	case FRAME_HELLO:
		return read_hello(shard, request);
	case FRAME_PING:
		return read_ping(shard, request);
	case FRAME_SNAPSHOT:
		return read_snapshot(shard, request);
	default:
		kr_assert(request->frame->header->type == FRAME_STATS);
		return shard_stats_answer(shard, request);
	}
}

bool shard_request_read(struct shard *shard, const struct shard_request *request)
{
	size_t mark = kr_arena_mark(&shard->arena.arena);
	kr_assert(request->code == 0);
	bool answered = read_any(shard, request);
	kr_arena_rewind(&shard->arena.arena, mark);
	return answered;
}

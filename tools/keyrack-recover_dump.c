#include "tools/keyrack-recover.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "proto/cell.h"
#include "tools/keyrack-recover_json.h"

/*
 * Cells and reservations, a line each, in ascending order: equal states print equal bytes, however
 * they came about.
 */

#define HOTELS_AT_ONCE 256u

const char *recover_state_name(unsigned state)
{
#define X(number, name) [number] = #name,
	static const char *const names[] = {INV_STATE_TABLE(X)};
#undef X
	if (state >= KR_ARRAY_COUNT(names) || names[state] == NULL)
		return "UNKNOWN";
	return names[state];
}

/* ---- cells ---- */

struct cell_line {
	struct hotel_id hotel;
	uint16_t type;
	int32_t day;
	struct cell_counter counter;
	struct cell_rate rate;
	struct los_class los;
};

static void cell_print_json(const struct cell_line *cell, const char *date, FILE *out)
{
	char hotel[RECOVER_NUMBER_SIZE];
	recover_number_format(cell->hotel.v, hotel);
	fprintf(out,
		"{\"hotel\":%s,\"type\":%u,\"night\":%d,\"date\":\"%s\",\"limit\":%d,"
		"\"held\":%u,\"booked\":%u,\"loaded\":%s,\"closed\":%s,\"cta\":%s,\"ctd\":%s,"
		"\"cap\":%s,\"price_minor\":",
		hotel, cell->type, cell->day, date, cell->counter.limit, cell->counter.held,
		cell->counter.booked, cell->counter.flags & CELL_LOADED ? "true" : "false",
		cell->counter.flags & CELL_CLOSED ? "true" : "false",
		cell->counter.flags & CELL_CTA ? "true" : "false",
		cell->counter.flags & CELL_CTD ? "true" : "false",
		cell->counter.flags & CELL_EXPLICIT_CAP ? "true" : "false");
	if (cell->rate.flags & RATE_PRICED)
		fprintf(out, "%" PRIu64, cell->rate.price_minor);
	else
		fputs("null", out);
	fprintf(out,
		",\"plan_closed\":%s,\"plan_cta\":%s,\"plan_ctd\":%s,\"min_arrival\":%u,"
		"\"max_arrival\":%u,\"min_through\":%u,\"max_through\":%u}\n",
		cell->rate.flags & RATE_CLOSED ? "true" : "false",
		cell->rate.flags & RATE_CTA ? "true" : "false",
		cell->rate.flags & RATE_CTD ? "true" : "false", cell->los.min_arrival,
		cell->los.max_arrival, cell->los.min_through, cell->los.max_through);
	kr_assert(date[0] != 0);
}

void recover_flags_format(uint64_t counter, uint64_t rate, char ret_text[static RECOVER_FLAGS_SIZE])
{
	static const struct {
		uint16_t flag;
		char letter;
	} letters[] = {{CELL_LOADED, 'L'}, {CELL_CLOSED, 'C'}, {CELL_CTA, 'A'}, {CELL_CTD, 'D'},
		{CELL_EXPLICIT_CAP, 'E'}},
	  rate_letters[] = {{RATE_CLOSED, 'c'}, {RATE_CTA, 'a'}, {RATE_CTD, 'd'}};
	size_t count = 0;
	for (size_t i = 0; i < KR_ARRAY_COUNT(letters); i++) {
		if (cell_counter_unpack(counter).flags & letters[i].flag)
			ret_text[count++] = letters[i].letter;
	}
	for (size_t i = 0; i < KR_ARRAY_COUNT(rate_letters); i++) {
		if (cell_rate_unpack(rate).flags & rate_letters[i].flag)
			ret_text[count++] = rate_letters[i].letter;
	}
	if (count == 0)
		ret_text[count++] = '-';
	ret_text[count] = 0;
	kr_assert(count < RECOVER_FLAGS_SIZE);
}

/* hotel type date limit held booked flags price: flags are letters, "-" where there is nothing. */
static void cell_print_text(const struct cell_line *cell, const char *date, FILE *out)
{
	char flags[RECOVER_FLAGS_SIZE];
	recover_flags_format(cell_counter_pack(cell->counter), cell_rate_pack(cell->rate), flags);
	kr_assert(date[0] != 0);
	fprintf(out, "%" PRIu64 " %u %s %d %u %u %s ", cell->hotel.v, cell->type, date,
		cell->counter.limit, cell->counter.held, cell->counter.booked, flags);
	if (cell->rate.flags & RATE_PRICED)
		fprintf(out, "%" PRIu64 "\n", cell->rate.price_minor);
	else
		fputs("-\n", out);
}

void recover_print_cell(
	const struct inv *inv, const struct recover_cell *cell, bool is_json, FILE *out)
{
	struct cell_line line = {.hotel = cell->hotel, .type = cell->type, .day = cell->day};
	char date[CIVIL_DATE_TEXT_SIZE];
	line.counter = cell_counter_unpack(cell->counter);
	line.rate = cell_rate_unpack(cell->rate);
	line.los = inv_los_class(inv, line.rate.class_index);
	civil_day_format(line.day, date);
	kr_assert(line.hotel.v != 0);
	if (is_json)
		cell_print_json(&line, date, out);
	else
		cell_print_text(&line, date, out);
}

struct cells_dump {
	struct inv *inv;
	bool is_json;
	FILE *out;
	uint64_t *counters;
	uint64_t *rates;
	struct inv_type_view *types;
};

static void cells_of_type(
	struct cells_dump *dump, const struct inv_hotel_view *hotel, uint16_t type, uint32_t nights)
{
	struct recover_cell cell = {.hotel = hotel->hotel, .type = type};
	struct inv_answer answer = {0};
	inv_availability(dump->inv, hotel->hotel, &type, 1, 0, hotel->business_day, nights,
		dump->counters, dump->rates, &answer);
	kr_assert(answer.code == KEYRACK_DONE);
	for (uint32_t i = 0; i < nights; i++) {
		cell.day = hotel->business_day + (int32_t)i;
		cell.counter = dump->counters[i];
		cell.rate = dump->rates[i];
		if (cell.counter != 0 || cell.rate != 0)
			recover_print_cell(dump->inv, &cell, dump->is_json, dump->out);
	}
}

static void cells_of_hotel(
	struct cells_dump *dump, const struct inv_hotel_view *hotel, uint32_t nights)
{
	uint32_t count = inv_type_list(dump->inv, hotel->hotel, dump->types, INV_HOTEL_TYPES_MAX);
	kr_assert(count == hotel->type_count);
	for (uint32_t i = 0; i < count; i++)
		cells_of_type(dump, hotel, dump->types[i].type, nights);
}

void recover_dump_cells(struct inv *inv, uint32_t window_nights, bool is_json, FILE *out)
{
	struct cells_dump dump = {.inv = inv, .is_json = is_json, .out = out};
	struct inv_hotel_view *hotels = recover_alloc(HOTELS_AT_ONCE, sizeof(*hotels));
	struct hotel_id after = {0};
	bool more = true;
	kr_assert(window_nights <= INV_WINDOW_NIGHTS_MAX);
	dump.counters = recover_alloc(INV_WINDOW_NIGHTS_MAX, sizeof(uint64_t));
	dump.rates = recover_alloc(INV_WINDOW_NIGHTS_MAX, sizeof(uint64_t));
	dump.types = recover_alloc(INV_HOTEL_TYPES_MAX, sizeof(*dump.types));
	if (!is_json)
		fputs("# hotel type date limit held booked flags price\n", out);
	for (bool first = true; more; first = false) {
		uint32_t count = inv_hotel_list(inv, first, after, hotels, HOTELS_AT_ONCE, &more);
		for (uint32_t i = 0; i < count; i++)
			cells_of_hotel(&dump, &hotels[i], window_nights);
		if (count > 0)
			after = hotels[count - 1].hotel;
	}
	free(dump.types);
	free(dump.rates);
	free(dump.counters);
	free(hotels);
}

/* ---- reservations ---- */

struct id_list {
	struct recover_id *ids;
	size_t count;
	size_t capacity;
};

static void id_collect(void *user, const struct inv_reservation_view *view)
{
	struct id_list *list = user;
	kr_assert(!kr_id_is_zero(view->id));
	if (list->count == list->capacity) {
		size_t capacity = list->capacity * 2 + 1024;
		struct recover_id *ids = recover_alloc(capacity, sizeof(*ids));
		if (list->count > 0)
			memcpy(ids, list->ids, list->count * sizeof(*ids));
		free(list->ids);
		list->ids = ids;
		list->capacity = capacity;
	}
	list->ids[list->count++] = (struct recover_id){view->id, view->hotel};
}

static int id_compare(const void *a, const void *b)
{
	kr_assert(a != NULL && b != NULL);
	return recover_id_compare(*(const struct recover_id *)a, *(const struct recover_id *)b);
}

int recover_id_compare(struct recover_id a, struct recover_id b)
{
	int order = kr_id_compare(a.id, b.id);
	kr_assert(!kr_id_is_zero(a.id));
	if (order != 0 || reservation_id_is_native(a.id))
		return order;
	return a.hotel.v < b.hotel.v ? -1 : a.hotel.v > b.hotel.v;
}

static json_t *runs_json(const struct inv_line *line)
{
	json_t *runs = json_array();
	kr_assert(line->run_count <= INV_STAY_NIGHTS_MAX);
	for (uint32_t i = 0; i < line->run_count; i++) {
		json_array_append_new(runs,
			json_pack("{s:i,s:o}", "nights", (int)line->runs[i].nights, "price_minor",
				recover_number_json(line->runs[i].price_minor)));
	}
	return runs;
}

static json_t *lines_json(const struct inv_line *lines, uint32_t count)
{
	json_t *list = json_array();
	kr_assert(count <= INV_LINES_MAX);
	for (uint32_t i = 0; i < count; i++) {
		const struct inv_line *line = &lines[i];
		json_t *json = json_pack("{s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:o}", "type",
			(int)line->type, "plan", (int)line->plan, "check_in", (int)line->check_in,
			"check_out", (int)line->check_out, "rooms", (int)line->rooms, "guests",
			(int)line->guests, "pricing", (int)line->pricing, "prices",
			runs_json(line));
		if (line->tier_count != 0)
			recover_put_terms(json, line);
		json_array_append_new(list, json);
	}
	return list;
}

/* What giving it back costs now, or did: amounts are null where a line has no price. */
static void put_cost(json_t *json, const struct inv_cost *cost)
{
	kr_assert(json_is_object(json));
	recover_put_number(json, "free_cancel_until_us", cost->free_until_us);
	if (cost->has_amounts) {
		recover_put_number(json, "penalty_minor", cost->penalty_minor);
		recover_put_number(json, "refundable_minor", cost->refundable_minor);
		return;
	}
	json_object_set_new(json, "penalty_minor", json_null());
	json_object_set_new(json, "refundable_minor", json_null());
}

static void put_facts(json_t *json, const struct inv_reservation_view *view)
{
	char guest[KR_ID_TEXT_SIZE];
	kr_id_format((struct kr_id){.hi = view->guest.hi, .lo = view->guest.lo}, guest);
	recover_put_string(json, "guest", guest);
	recover_put_bool(json, "was_held", view->was_held);
	recover_put_bool(json, "graced", view->graced);
	json_object_set_new(json, "external_ref", recover_text_json(view->external_ref));
	json_object_set_new(json, "payment_ref", recover_text_json(view->payment_ref));
	recover_put_hex(json, "fingerprint", view->fingerprint);
	if (view->change_id != 0)
		recover_put_hex(json, "change_id", view->change_id);
	else
		json_object_set_new(json, "change_id", json_null());
	kr_assert(json_object_get(json, "change_id") != NULL);
}

static void reservation_print_json(const struct inv_reservation_view *view, FILE *out)
{
	char id[KR_ID_TEXT_SIZE];
	json_t *json = json_object();
	kr_id_format(view->id, id);
	recover_put_string(json, "id", id);
	recover_put_number(json, "hotel", view->hotel.v);
	recover_put_string(json, "state", recover_state_name(view->state));
	recover_put_bool(json, "due", view->due);
	recover_put_number(json, "revision", view->revision);
	json_object_set_new(json, "lines", lines_json(view->lines, view->line_count));
	recover_put_bool(json, "has_total", view->has_total);
	recover_put_number(json, "total_minor", view->total_minor);
	recover_put_number(json, "created_at_us", view->created_at_us);
	recover_put_number(json, "changed_at_us", view->changed_at_us);
	recover_put_number(json, "expires_at_us", view->expires_at_us);
	recover_put_number(json, "event_seq", view->event_seq);
	json_object_set_new(json, "counted_until", json_integer(view->counted_until));
	recover_put_number(json, "source", view->source);
	put_facts(json, view);
	put_cost(json, &view->cost);
	kr_assert(!kr_id_is_zero(view->id));
	recover_print_json("", json, out);
}

/* id hotel state revision total lines: a line is type:rooms:check_in..check_out. */
static void reservation_print_text(const struct inv_reservation_view *view, FILE *out)
{
	char id[KR_ID_TEXT_SIZE];
	kr_id_format(view->id, id);
	fprintf(out, "%s %" PRIu64 " %s%s %u ", id, view->hotel.v, recover_state_name(view->state),
		view->due ? ",due" : "", view->revision);
	if (view->has_total)
		fprintf(out, "%" PRIu64, view->total_minor);
	else
		fputc('-', out);
	kr_assert(view->line_count <= INV_LINES_MAX);
	for (uint32_t i = 0; i < view->line_count; i++) {
		const struct inv_line *line = &view->lines[i];
		char check_in[CIVIL_DATE_TEXT_SIZE], check_out[CIVIL_DATE_TEXT_SIZE];
		civil_day_format(line->check_in, check_in);
		civil_day_format(line->check_out, check_out);
		fprintf(out, " %u:%u:%s..%s", line->type, line->rooms, check_in, check_out);
	}
	fputc('\n', out);
}

struct recover_id *recover_ids(struct inv *inv, size_t *ret_count)
{
	struct id_list list = {0};
	inv_reservations_each(inv, 0, id_collect, &list);
	if (list.count > 0)
		qsort(list.ids, list.count, sizeof(*list.ids), id_compare);
	kr_assert(list.count <= list.capacity);
	*ret_count = list.count;
	return list.ids;
}

void recover_print_reservation(
	struct inv *inv, struct recover_id id, uint64_t now_us, bool is_json, FILE *out)
{
	struct inv_reservation_view view;
	bool found = inv_reservation_get_of(inv, id.hotel, id.id, now_us, &view);
	kr_assert(found);
	if (is_json)
		reservation_print_json(&view, out);
	else
		reservation_print_text(&view, out);
}

void recover_dump_reservations(struct inv *inv, uint64_t now_us, bool is_json, FILE *out)
{
	size_t count;
	struct recover_id *ids = recover_ids(inv, &count);
	kr_assert(count == 0 || ids != NULL);
	if (!is_json)
		fputs("# id hotel state revision total lines\n", out);
	for (size_t i = 0; i < count; i++)
		recover_print_reservation(inv, ids[i], now_us, is_json, out);
	free(ids);
}

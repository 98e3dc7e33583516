#include <inttypes.h>
#include <stdlib.h>

#include "base/civil.h"
#include "base/text.h"
#include "engine/inventory/listing.h"
#include "tools/keyrack-recover.h"
#include "tools/keyrack-recover_json.h"

/*
 * What was set: hotels, their room types, rate plans and what is set by date of the stock, a line
 * each. Members have the names that `keyrack hotel get`, `type get` and `plan list` give them.
 * Words are in columns, each without a space, but for the code at the end of the line.
 */

#define HOTELS_AT_ONCE 256u
#define PLANS_AT_ONCE 64u
#define RUNS_AT_ONCE 64u
#define WORD_SIZE 32u
#define POLICY_SIZE (INV_TIERS_MAX * 20u + 1)
#define MINUTES_A_DAY 1440u

static const char *status_name(unsigned status)
{
	static const char *const names[] = {
		[INV_ACTIVE] = "ACTIVE", [INV_CLOSED] = "CLOSED", [INV_RETIRED] = "RETIRED"};
	if (status >= KR_ARRAY_COUNT(names) || names[status] == NULL)
		return "UNKNOWN";
	return names[status];
}

static const char *clock_format(uint16_t minute, char ret_text[static WORD_SIZE])
{
	kr_assert(minute < MINUTES_A_DAY);
	snprintf(ret_text, WORD_SIZE, "%02u:%02u", minute / 60u, minute % 60u);
	return ret_text;
}

/* ---- members ---- */

static json_t *object_of(const char *what, struct hotel_id hotel)
{
	json_t *json = json_object();
	kr_assert(json != NULL && hotel.v != 0);
	recover_put_string(json, "what", what);
	recover_put_number(json, "hotel", hotel.v);
	return json;
}

static void put_text(json_t *json, const char *name, struct inv_text text)
{
	kr_assert(json_is_object(json));
	json_object_set_new(json, name, recover_text_json(text));
}

static void put_date(json_t *json, const char *name, int32_t day)
{
	char date[CIVIL_DATE_TEXT_SIZE];
	civil_day_format(day, date);
	kr_assert(date[0] != 0);
	recover_put_string(json, name, date);
}

/* What is not set is null. */
static void put_if(json_t *json, bool is_set, const char *name, int64_t value)
{
	kr_assert(json_is_object(json));
	if (is_set)
		recover_put_signed(json, name, value);
	else
		json_object_set_new(json, name, json_null());
}

static void put_allowance(json_t *json, bool is_set, int32_t allowance, uint8_t unit)
{
	kr_assert(json_is_object(json));
	put_if(json, is_set, "allowance", allowance);
	if (is_set)
		recover_put_string(json, "allowance_unit",
			unit == INV_ALLOWANCE_BASIS_POINTS ? "basis_points" : "rooms");
	else
		json_object_set_new(json, "allowance_unit", json_null());
}

static void hotel_print_json(const struct inv_hotel_view *view, uint32_t window_nights, FILE *out)
{
	const struct inv_hotel_settings *s = &view->settings;
	json_t *json = object_of("hotel", view->hotel);
	char text[WORD_SIZE];
	put_text(json, "hotel_code", s->code);
	recover_put_string(json, "status", status_name(s->status));
	put_text(json, "zone", s->zone);
	put_text(json, "currency", (struct inv_text){s->currency, sizeof(s->currency) - 1});
	recover_put_number(json, "currency_digits", s->currency_digits);
	recover_put_string(json, "day_roll", clock_format(s->day_roll_minute, text));
	recover_put_string(json, "check_in_time", clock_format(s->check_in_minute, text));
	recover_put_hotel_limits(json, s);
	recover_put_number(json, "ari_version", view->ari_version);
	recover_put_number(json, "event_seq", view->event_seq);
	recover_put_number(json, "last_lsn", view->last_lsn);
	put_date(json, "business_day", view->business_day);
	put_date(json, "last_night", view->business_day + (int32_t)window_nights - 1);
	recover_put_number(json, "window_nights", window_nights);
	recover_put_number(json, "types", view->type_count);
	recover_put_number(json, "reservations", view->reservation_count);
	recover_put_number(json, "holds", view->hold_count);
	kr_assert(view->hold_count <= view->reservation_count);
	recover_print_json("", json, out);
}

static void type_print_json(struct hotel_id hotel, const struct inv_type_view *view, FILE *out)
{
	const struct inv_type_settings *s = &view->settings;
	json_t *json = object_of("type", hotel);
	kr_assert((view->set_mask & ~INV_TYPE_MASK) == 0);
	recover_put_number(json, "type", view->type);
	put_text(json, "type_code", s->code);
	recover_put_string(json, "status", status_name(s->status));
	recover_put_string(json, "plan_status", status_name(s->plan_status));
	put_if(json, view->set_mask & INV_TYPE_PHYSICAL, "physical", s->physical);
	put_if(json, view->set_mask & INV_TYPE_OUT_OF_ORDER, "out_of_order", s->out_of_order);
	put_allowance(json, view->set_mask & INV_TYPE_ALLOWANCE, s->allowance, s->allowance_unit);
	put_if(json, view->set_mask & INV_TYPE_CAP, "cap", s->cap);
	recover_put_number(json, "guests_max", s->guests_max);
	recover_put_number(json, "advance_min_minutes", s->advance_min_minutes);
	recover_put_number(json, "advance_max_minutes", s->advance_max_minutes);
	recover_print_json("", json, out);
}

static void plan_print_json(struct hotel_id hotel, const struct inv_plan_view *view, FILE *out)
{
	const struct inv_plan_settings *s = &view->settings;
	json_t *json = object_of("plan", hotel);
	kr_assert(s->derivation <= INV_PRICES_PLUS_POINTS);
	recover_put_number(json, "type", view->type);
	recover_put_number(json, "plan", view->plan);
	put_text(json, "plan_code", s->code);
	recover_put_string(json, "status", status_name(s->status));
	recover_put_bool(json, "derived", s->derivation != INV_PRICES_OWN);
	if (s->derivation != INV_PRICES_OWN) {
		recover_put_number(json, "from", s->parent);
		recover_put_signed(json,
			s->derivation == INV_PRICES_PLUS_POINTS ? "basis_points" : "amount_minor",
			s->adjustment);
	}
	recover_put_tiers(json, "tiers", s->tiers, s->tier_count);
	recover_put_number(json, "advance_min_minutes", s->advance_min_minutes);
	recover_put_number(json, "advance_max_minutes", s->advance_max_minutes);
	recover_print_json("", json, out);
}

static void stock_print_json(struct hotel_id hotel, const struct inv_stock_view *view, FILE *out)
{
	json_t *json = object_of("stock", hotel);
	kr_assert(view->first_day <= view->last_day);
	recover_put_number(json, "type", view->type);
	put_date(json, "first_night", view->first_day);
	put_date(json, "last_night", view->last_day);
	put_if(json, view->set_mask & INV_UPDATE_PHYSICAL, "physical", view->physical);
	put_if(json, view->set_mask & INV_UPDATE_OUT_OF_ORDER, "out_of_order", view->out_of_order);
	put_allowance(
		json, view->set_mask & INV_UPDATE_ALLOWANCE, view->allowance, view->allowance_unit);
	recover_print_json("", json, out);
}

/* ---- words ---- */

/* Whole seconds where they are whole. */
static const char *span_format(uint64_t us, char ret_text[static WORD_SIZE])
{
	if (us % 1000000 == 0)
		snprintf(ret_text, WORD_SIZE, "%" PRIu64 "s", us / 1000000);
	else
		snprintf(ret_text, WORD_SIZE, "%" PRIu64 "us", us);
	kr_assert(ret_text[0] != 0);
	return ret_text;
}

/* "-" where nothing is set. */
static const char *number_or_none(bool is_set, int64_t value, char ret_text[static WORD_SIZE])
{
	snprintf(ret_text, WORD_SIZE, "%" PRId64, value);
	kr_assert(ret_text[0] != 0);
	return is_set ? ret_text : "-";
}

/* 1250 is 12.5%, -5 is -0.05%. */
static const char *percent_format(int64_t points, char ret_text[static WORD_SIZE])
{
	uint64_t size = points < 0 ? -(uint64_t)points : (uint64_t)points;
	unsigned rest = (unsigned)(size % 100);
	const char *sign = points < 0 ? "-" : "";
	if (rest == 0)
		snprintf(ret_text, WORD_SIZE, "%s%" PRIu64 "%%", sign, size / 100);
	else if (rest % 10 == 0)
		snprintf(ret_text, WORD_SIZE, "%s%" PRIu64 ".%u%%", sign, size / 100, rest / 10);
	else
		snprintf(ret_text, WORD_SIZE, "%s%" PRIu64 ".%02u%%", sign, size / 100, rest);
	kr_assert(ret_text[0] != 0);
	return ret_text;
}

static const char *allowance_format(
	bool is_set, int32_t allowance, uint8_t unit, char ret_text[static WORD_SIZE])
{
	kr_assert(unit <= INV_ALLOWANCE_BASIS_POINTS);
	if (!is_set || unit != INV_ALLOWANCE_BASIS_POINTS)
		return number_or_none(is_set, allowance, ret_text);
	return percent_format(allowance, ret_text);
}

/* As `keyrack plan put --policy` takes it. */
static const char *policy_format(
	const struct inv_plan_settings *s, char ret_text[static POLICY_SIZE])
{
	struct kr_text text;
	char word[WORD_SIZE];
	kr_text_init(&text, ret_text, POLICY_SIZE);
	for (uint32_t i = 0; i < s->tier_count; i++) {
		const struct inv_tier *tier = &s->tiers[i];
		kr_text_format(&text, "%s%uh:", i > 0 ? "," : "", tier->hours);
		if (tier->nights != 0)
			kr_text_format(&text, "%un", tier->nights);
		else
			kr_text_format(&text, "%s", percent_format(tier->basis_points, word));
	}
	kr_assert(!text.is_cut);
	return s->tier_count > 0 ? ret_text : "none";
}

/* "own"; "0+10%", "4-500": of that plan, and how much more or less. */
static const char *prices_format(
	const struct inv_plan_settings *s, char ret_text[static 2 * WORD_SIZE])
{
	char change[WORD_SIZE];
	kr_assert(s->derivation <= INV_PRICES_PLUS_POINTS);
	if (s->derivation == INV_PRICES_OWN)
		return "own";
	if (s->derivation == INV_PRICES_PLUS_POINTS)
		percent_format(s->adjustment, change);
	else
		snprintf(change, sizeof(change), "%" PRId64, s->adjustment);
	snprintf(ret_text, (size_t)2 * WORD_SIZE, "%u%s%s", s->parent, s->adjustment < 0 ? "" : "+",
		change);
	return ret_text;
}

/* The end of the line. */
static void code_print(struct inv_text code, FILE *out)
{
	kr_assert(code.size_bytes <= INV_TEXT_SIZE_MAX);
	if (code.size_bytes == 0)
		fputs(" -\n", out);
	else
		fprintf(out, " %.*s\n", (int)code.size_bytes, code.bytes);
}

#define HEADS                                                                                      \
	"# hotel HOTEL                STATUS  CURRENCY ZONE                 ROLL  CHECKIN "        \
	"NIGHTS_MAX HOLD    HOLD_MAX HOLDS_ALL LIVE_MAX GUEST_MAX BUSINESS_DAY TYPES "             \
	"RESERVATIONS HOLDS   VERSION  EVENT    CODE\n"                                            \
	"# type  HOTEL                TYPE  STATUS  BASE    ROOMS OUT   OVERBOOK CAP    GUESTS "   \
	"LATEST_MIN EARLIEST_MIN CODE\n"                                                           \
	"# plan  HOTEL                TYPE  PLAN  STATUS  PRICES       LATEST_MIN EARLIEST_MIN "   \
	"CANCELLATION     CODE\n"                                                                  \
	"# stock HOTEL                TYPE  FIRST_NIGHT LAST_NIGHT  ROOMS OUT   OVERBOOK\n"

static void hotel_print_text(const struct inv_hotel_view *view, FILE *out)
{
	const struct inv_hotel_settings *s = &view->settings;
	char roll[WORD_SIZE], check_in[WORD_SIZE], ttl[WORD_SIZE], ttl_max[WORD_SIZE];
	char total_max[WORD_SIZE], holds[WORD_SIZE], guest_holds[WORD_SIZE];
	char date[CIVIL_DATE_TEXT_SIZE];
	civil_day_format(view->business_day, date);
	kr_assert(view->hotel.v != 0);
	fprintf(out,
		"hotel   %-20" PRIu64 " %-7s %s/%-4u %-20.*s %-5s %-7s %-10u %-7s %-8s %-9s %-8s "
		"%-9s %-12s %-5u %-12" PRIu64 " %-7" PRIu64 " %-8" PRIu64 " %-8" PRIu64,
		view->hotel.v, status_name(s->status), s->currency, s->currency_digits,
		(int)s->zone.size_bytes, s->zone.bytes, clock_format(s->day_roll_minute, roll),
		clock_format(s->check_in_minute, check_in), s->nights_max,
		span_format(s->hold_ttl_us, ttl), span_format(s->hold_ttl_max_us, ttl_max),
		span_format(s->hold_total_max_us, total_max),
		number_or_none(s->holds_max != 0, s->holds_max, holds),
		number_or_none(s->guest_holds_max != 0, s->guest_holds_max, guest_holds), date,
		view->type_count, view->reservation_count, view->hold_count, view->ari_version,
		view->event_seq);
	code_print(s->code, out);
}

static void type_print_text(struct hotel_id hotel, const struct inv_type_view *view, FILE *out)
{
	const struct inv_type_settings *s = &view->settings;
	const uint32_t mask = view->set_mask;
	char rooms[WORD_SIZE], off[WORD_SIZE], allowance[WORD_SIZE], cap[WORD_SIZE];
	char guests[WORD_SIZE], latest[WORD_SIZE], earliest[WORD_SIZE];
	kr_assert(hotel.v != 0);
	fprintf(out, "type    %-20" PRIu64 " %-5u %-7s %-7s %-5s %-5s %-8s %-6s %-6s %-10s %-12s",
		hotel.v, view->type, status_name(s->status), status_name(s->plan_status),
		number_or_none(mask & INV_TYPE_PHYSICAL, s->physical, rooms),
		number_or_none(mask & INV_TYPE_OUT_OF_ORDER, s->out_of_order, off),
		allowance_format(
			mask & INV_TYPE_ALLOWANCE, s->allowance, s->allowance_unit, allowance),
		number_or_none(mask & INV_TYPE_CAP, s->cap, cap),
		number_or_none(s->guests_max != 0, s->guests_max, guests),
		number_or_none(s->advance_min_minutes != 0, s->advance_min_minutes, latest),
		number_or_none(s->advance_max_minutes != 0, s->advance_max_minutes, earliest));
	code_print(s->code, out);
}

static void plan_print_text(struct hotel_id hotel, const struct inv_plan_view *view, FILE *out)
{
	const struct inv_plan_settings *s = &view->settings;
	char prices[2 * WORD_SIZE], latest[WORD_SIZE], earliest[WORD_SIZE], policy[POLICY_SIZE];
	kr_assert(hotel.v != 0);
	fprintf(out, "plan    %-20" PRIu64 " %-5u %-5u %-7s %-12s %-10s %-12s %-16s", hotel.v,
		view->type, view->plan, status_name(s->status), prices_format(s, prices),
		number_or_none(s->advance_min_minutes != 0, s->advance_min_minutes, latest),
		number_or_none(s->advance_max_minutes != 0, s->advance_max_minutes, earliest),
		policy_format(s, policy));
	code_print(s->code, out);
}

static void stock_print_text(struct hotel_id hotel, const struct inv_stock_view *view, FILE *out)
{
	const uint32_t mask = view->set_mask;
	char first[CIVIL_DATE_TEXT_SIZE], last[CIVIL_DATE_TEXT_SIZE];
	char rooms[WORD_SIZE], off[WORD_SIZE], allowance[WORD_SIZE];
	civil_day_format(view->first_day, first);
	civil_day_format(view->last_day, last);
	kr_assert(hotel.v != 0);
	fprintf(out, "stock   %-20" PRIu64 " %-5u %-11s %-11s %-5s %-5s %s\n", hotel.v, view->type,
		first, last, number_or_none(mask & INV_UPDATE_PHYSICAL, view->physical, rooms),
		number_or_none(mask & INV_UPDATE_OUT_OF_ORDER, view->out_of_order, off),
		allowance_format(mask & INV_UPDATE_ALLOWANCE, view->allowance, view->allowance_unit,
			allowance));
}

/* ---- all of a hotel ---- */

static void types_print(
	struct inv *inv, const struct inv_hotel_view *hotel, bool is_json, FILE *out)
{
	struct inv_type_view *types = recover_alloc(INV_HOTEL_TYPES_MAX, sizeof(*types));
	uint32_t count = inv_type_list(inv, hotel->hotel, types, INV_HOTEL_TYPES_MAX);
	kr_assert(count == hotel->type_count);
	for (uint32_t i = 0; i < count; i++) {
		if (is_json)
			type_print_json(hotel->hotel, &types[i], out);
		else
			type_print_text(hotel->hotel, &types[i], out);
	}
	free(types);
}

static void plans_print(struct inv *inv, struct hotel_id hotel, bool is_json, FILE *out)
{
	static struct inv_plan_view plans[PLANS_AT_ONCE];
	uint16_t type = 0, plan = 0;
	bool more = true;
	kr_assert(hotel.v != 0);
	while (more) {
		uint32_t count = inv_plan_list(inv, hotel, type, plan, plans, PLANS_AT_ONCE, &more);
		for (uint32_t i = 0; i < count; i++) {
			if (is_json)
				plan_print_json(hotel, &plans[i], out);
			else
				plan_print_text(hotel, &plans[i], out);
			type = plans[i].type;
			plan = (uint16_t)(plans[i].plan + 1u); /* numbers end below 65,535 */
		}
	}
}

static void stock_print(struct inv *inv, struct hotel_id hotel, bool is_json, FILE *out)
{
	static struct inv_stock_view runs[RUNS_AT_ONCE];
	uint16_t type = 0;
	int32_t day = INT32_MIN;
	bool more = true;
	kr_assert(hotel.v != 0);
	while (more) {
		uint32_t count = inv_stock_list(inv, hotel, type, day, runs, RUNS_AT_ONCE, &more);
		for (uint32_t i = 0; i < count; i++) {
			if (is_json)
				stock_print_json(hotel, &runs[i], out);
			else
				stock_print_text(hotel, &runs[i], out);
			type = runs[i].type;
			day = runs[i].last_day + 1;
		}
	}
}

static void hotel_print(struct inv *inv, const struct inv_hotel_view *hotel, uint32_t window_nights,
	bool is_json, FILE *out)
{
	kr_assert(hotel->hotel.v != 0);
	if (is_json)
		hotel_print_json(hotel, window_nights, out);
	else
		hotel_print_text(hotel, out);
	types_print(inv, hotel, is_json, out);
	plans_print(inv, hotel->hotel, is_json, out);
	stock_print(inv, hotel->hotel, is_json, out);
}

void recover_dump_settings(struct inv *inv, uint32_t window_nights, bool is_json, FILE *out)
{
	struct inv_hotel_view *hotels = recover_alloc(HOTELS_AT_ONCE, sizeof(*hotels));
	struct hotel_id after = {0};
	bool more = true;
	kr_assert(window_nights > 0);
	if (!is_json)
		fputs(HEADS, out);
	for (bool first = true; more; first = false) {
		uint32_t count = inv_hotel_list(inv, first, after, hotels, HOTELS_AT_ONCE, &more);
		for (uint32_t i = 0; i < count; i++)
			hotel_print(inv, &hotels[i], window_nights, is_json, out);
		if (count > 0)
			after = hotels[count - 1].hotel;
	}
	free(hotels);
}

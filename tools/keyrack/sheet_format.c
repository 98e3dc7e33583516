#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/keyrack/sheet.h"

#define MINUTE_US UINT64_C(60000000)

/* Columns are put in their order. */
struct sheet_pen {
	struct sheet_texts *texts;
	uint32_t column;
};

static void put(struct sheet_pen *pen, const char *format, ...) KR_PRINTF(2, 3);

static void put(struct sheet_pen *pen, const char *format, ...)
{
	va_list list;
	int length;
	kr_assert(pen->column < SHEET_COLUMNS_MAX);
	va_start(list, format);
	length = vsnprintf(pen->texts->bytes[pen->column++], SHEET_TEXT_SIZE, format, list);
	va_end(list);
	kr_assert(length >= 0 && length < (int)SHEET_TEXT_SIZE);
}

static void put_if(struct sheet_pen *pen, bool is_set, int64_t value)
{
	if (is_set)
		put(pen, "%" PRId64, value);
	else
		put(pen, "%s", "");
}

static void put_flag(struct sheet_pen *pen, bool value)
{
	put(pen, "%s", value ? "yes" : "");
}

/* In the largest unit that it is whole in. */
static void put_duration(struct sheet_pen *pen, uint64_t us)
{
	static const struct {
		const char *unit;
		uint64_t us;
	} units[] = {{"d", 1440 * MINUTE_US}, {"h", 60 * MINUTE_US}, {"m", MINUTE_US},
		{"s", UINT64_C(1000000)}, {"ms", 1000}, {"us", 1}};
	uint32_t i = 0;
	while (us % units[i].us != 0 || us < units[i].us) {
		if (us == 0) {
			put(pen, "0s");
			return;
		}
		i++;
		kr_assert(i < KR_ARRAY_COUNT(units));
	}
	put(pen, "%" PRIu64 "%s", us / units[i].us, units[i].unit);
}

static void put_status(struct sheet_pen *pen, uint32_t status)
{
	static const char *const names[] = {"", "active", "closed", "retired"};
	put(pen, "%s", status < KR_ARRAY_COUNT(names) ? names[status] : "");
}

static void put_clock(struct sheet_pen *pen, uint32_t minute)
{
	put(pen, "%02u:%02u", minute / 60, minute % 60);
}

static void put_allowance(struct sheet_pen *pen, bool is_set, int32_t allowance, uint32_t unit)
{
	uint32_t points = allowance < 0 ? 0u - (uint32_t)allowance : (uint32_t)allowance;
	const char *sign = allowance < 0 ? "-" : "";
	if (!is_set)
		put(pen, "%s", "");
	else if (unit != KEYRACK_ALLOWANCE_BASIS_POINTS)
		put(pen, "%d", allowance);
	else if (points % 100 == 0)
		put(pen, "%s%u%%", sign, points / 100);
	else
		put(pen, "%s%u.%02u%%", sign, points / 100, points % 100);
}

static void put_day(struct sheet_pen *pen, int32_t day)
{
	char text[KEYRACK_DATE_TEXT_SIZE];
	keyrack_day_format(day, text);
	put(pen, "%s", text);
}

void sheet_hotel_format(const struct keyrack_hotel *hotel, struct sheet_texts *ret_texts)
{
	const struct keyrack_hotel_settings *s = &hotel->settings;
	struct sheet_pen pen = {.texts = ret_texts};
	put(&pen, "%" PRIu64, hotel->hotel_id);
	put(&pen, "%.64s", s->code);
	put(&pen, "%.64s", s->zone);
	put(&pen, "%.64s", s->currency);
	put(&pen, "%u", s->currency_digits);
	put_clock(&pen, s->day_roll_minute);
	put_clock(&pen, s->check_in_minute);
	put(&pen, "%u", s->nights_max);
	put_duration(&pen, s->hold_ttl_us);
	put_duration(&pen, s->hold_ttl_max_us);
	put_duration(&pen, s->hold_total_max_us);
	put(&pen, "%u", s->holds_max);
	put(&pen, "%u", s->guest_holds_max);
	put_status(&pen, s->status);
	kr_assert(pen.column == sheet_of(SHEET_HOTELS)->column_count);
}

void sheet_type_format(
	uint64_t hotel_id, const struct keyrack_type *type, struct sheet_texts *ret_texts)
{
	const struct keyrack_type_settings *s = &type->settings;
	struct sheet_pen pen = {.texts = ret_texts};
	put(&pen, "%" PRIu64, hotel_id);
	put(&pen, "%u", type->type);
	put(&pen, "%.64s", s->code);
	put_status(&pen, s->status);
	put_if(&pen, (type->set_mask & KEYRACK_TYPE_PHYSICAL) != 0, s->physical);
	put_if(&pen, (type->set_mask & KEYRACK_TYPE_OUT_OF_ORDER) != 0, s->out_of_order);
	put_allowance(&pen, (type->set_mask & KEYRACK_TYPE_ALLOWANCE) != 0, s->allowance,
		s->allowance_unit);
	put_if(&pen, (type->set_mask & KEYRACK_TYPE_CAP) != 0, s->cap);
	put(&pen, "%u", s->guests_max);
	put_status(&pen, s->plan_status);
	put_duration(&pen, s->advance_min_minutes * MINUTE_US);
	put_duration(&pen, s->advance_max_minutes * MINUTE_US);
	kr_assert(pen.column == sheet_of(SHEET_TYPES)->column_count);
}

/* Of plan 0 there is nothing that the table of room types has as well. */
void sheet_plan_format(uint64_t hotel_id, const struct keyrack_plan *plan,
	const struct money_unit *unit, struct sheet_texts *ret_texts)
{
	const struct keyrack_plan_settings *s = &plan->settings;
	struct sheet_pen pen = {.texts = ret_texts};
	char percent[PLAN_PERCENT_SIZE] = "", amount[MONEY_TEXT_SIZE] = "";
	char policy[POLICY_TEXT_SIZE] = "";
	bool is_base = plan->plan == 0;
	if (s->derivation == KEYRACK_DERIVED_BASIS_POINTS)
		plan_percent_format(s->adjustment, percent);
	else if (s->derivation == KEYRACK_DERIVED_AMOUNT)
		money_format(unit, s->adjustment, amount);
	if (s->tier_count > 0)
		policy_format(s->tiers, s->tier_count, policy);
	put(&pen, "%" PRIu64, hotel_id);
	put(&pen, "%u", plan->type);
	put(&pen, "%u", plan->plan);
	put(&pen, "%.64s", s->code);
	put_status(&pen, is_base ? 0 : s->status);
	put_if(&pen, s->derivation != KEYRACK_DERIVED_NOT, s->parent);
	put(&pen, "%s", percent);
	put(&pen, "%s", amount);
	put(&pen, "%s", policy);
	if (is_base) {
		put(&pen, "%s", "");
		put(&pen, "%s", "");
	} else {
		put_duration(&pen, s->advance_min_minutes * MINUTE_US);
		put_duration(&pen, s->advance_max_minutes * MINUTE_US);
	}
	kr_assert(pen.column == sheet_of(SHEET_PLANS)->column_count);
}

void sheet_nights_format(const struct sheet_nights *nights, struct sheet_texts *ret_texts)
{
	const struct sheet_night *n = &nights->night;
	struct sheet_pen pen = {.texts = ret_texts};
	char money[MONEY_TEXT_SIZE] = "";
	put(&pen, "%" PRIu64, nights->hotel_id);
	put(&pen, "%u", nights->type);
	put(&pen, "%u", nights->plan);
	put_day(&pen, nights->first_day);
	put_day(&pen, nights->last_day);
	put_if(&pen, (n->set_mask & KEYRACK_SET_PHYSICAL) != 0, n->physical);
	put_if(&pen, (n->set_mask & KEYRACK_SET_OUT_OF_ORDER) != 0, n->out_of_order);
	put_allowance(
		&pen, (n->set_mask & KEYRACK_SET_ALLOWANCE) != 0, n->allowance, n->allowance_unit);
	put_if(&pen, (n->set_mask & KEYRACK_SET_CAP) != 0, n->cap);
	put_flag(&pen, (n->set_mask & KEYRACK_SET_CLOSED) != 0);
	put_flag(&pen, (n->set_mask & KEYRACK_SET_CTA) != 0);
	put_flag(&pen, (n->set_mask & KEYRACK_SET_CTD) != 0);
	if ((n->set_mask & KEYRACK_SET_PRICE) != 0)
		money_format(&nights->unit, (int64_t)n->price_minor, money);
	put(&pen, "%s", money);
	put_if(&pen, n->los.min_arrival != 0, n->los.min_arrival);
	put_if(&pen, n->los.max_arrival != 0, n->los.max_arrival);
	put_if(&pen, n->los.min_through != 0, n->los.min_through);
	put_if(&pen, n->los.max_through != 0, n->los.max_through);
	put_flag(&pen, (n->set_mask & KEYRACK_SET_PLAN_CLOSED) != 0);
	put_flag(&pen, (n->set_mask & KEYRACK_SET_PLAN_CTA) != 0);
	put_flag(&pen, (n->set_mask & KEYRACK_SET_PLAN_CTD) != 0);
	kr_assert(pen.column == sheet_of(SHEET_CALENDAR)->column_count);
}

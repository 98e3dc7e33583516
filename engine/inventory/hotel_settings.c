#include "base/tz.h"
#include "engine/inventory/hotel.h"

#define INV_MINUTES_A_DAY (24 * 60)
#define INV_CURRENCY_DIGITS_MAX 4
#define INV_CURRENCY_DIGITS_DEFAULT 2

struct inv_hotel_settings inv_hotel_settings_of(const struct inv *inv, uint32_t hotel_index)
{
	const struct inv_hotel_cold *cold = inv_hotel_cold_at(inv, hotel_index);
	struct inv_hotel_settings s = {
		.code = {.bytes = cold->code, .size_bytes = cold->code_size_bytes},
		.zone = {.bytes = cold->zone, .size_bytes = cold->zone_size_bytes},
		.currency_digits = cold->currency_digits,
		.day_roll_minute = cold->day_roll_minute,
		.check_in_minute = cold->check_in_minute,
		.nights_max = cold->nights_max,
		.hold_ttl_us = cold->hold_ttl_us,
		.hold_ttl_max_us = cold->hold_ttl_max_us,
		.hold_total_max_us = cold->hold_total_max_us,
		.holds_max = cold->holds_max,
		.guest_holds_max = cold->guest_holds_max,
		.status = inv_hotel_at(inv, hotel_index)->status,
	};
	memcpy(s.currency, cold->currency, sizeof(s.currency));
	kr_assert(s.currency[3] == 0);
	kr_assert(s.zone.size_bytes > 0);
	return s;
}

struct inv_hotel_settings inv_hotel_settings_default(void)
{
	return (struct inv_hotel_settings){
		.currency_digits = INV_CURRENCY_DIGITS_DEFAULT,
		.day_roll_minute = INV_DAY_ROLL_MINUTE,
		.check_in_minute = INV_CHECK_IN_MINUTE,
		.nights_max = INV_NIGHTS_MAX,
		.hold_ttl_us = INV_HOLD_TTL_US,
		.hold_ttl_max_us = INV_HOLD_TTL_MAX_US,
		.hold_total_max_us = INV_HOLD_TOTAL_MAX_US,
		.status = INV_ACTIVE,
	};
}

static bool inv_currency_is_valid(const char currency[4])
{
	for (int i = 0; i < 3; i++) {
		if (currency[i] < 'A' || currency[i] > 'Z')
			return false;
	}
	return currency[3] == 0;
}

static bool inv_zone_is_valid(const struct inv *inv, struct inv_text zone)
{
	if (!inv_text_is_valid(zone, INV_TEXT_SIZE_MAX) || zone.size_bytes == 0)
		return false;
	kr_assert(inv->tz != NULL);
	return tz_find(inv->tz, zone.bytes, zone.size_bytes) != TZ_ZONE_NONE;
}

const char *inv_hotel_settings_fault(
	const struct inv *inv, const struct inv_hotel_settings *s, uint32_t mask)
{
	const struct {
		uint32_t bit;
		bool is_valid;
		const char *name;
	} checks[] = {
		{INV_HOTEL_CODE, inv_text_is_valid(s->code, INV_TEXT_SIZE_MAX), "code"},
		{INV_HOTEL_ZONE, inv_zone_is_valid(inv, s->zone), "zone"},
		{INV_HOTEL_CURRENCY, inv_currency_is_valid(s->currency), "currency"},
		{INV_HOTEL_CURRENCY_DIGITS, s->currency_digits <= INV_CURRENCY_DIGITS_MAX,
			"currency_digits"},
		{INV_HOTEL_DAY_ROLL, s->day_roll_minute < INV_MINUTES_A_DAY, "day_roll_minute"},
		{INV_HOTEL_CHECK_IN, s->check_in_minute < INV_MINUTES_A_DAY, "check_in_minute"},
		{INV_HOTEL_NIGHTS_MAX, s->nights_max >= 1 && s->nights_max <= INV_STAY_NIGHTS_MAX,
			"nights_max"},
		{INV_HOTEL_HOLD_TTL, s->hold_ttl_us >= 1 && s->hold_ttl_us <= INV_HOLD_LIMIT_US,
			"hold_ttl_us"},
		{INV_HOTEL_HOLD_TTL_MAX, s->hold_ttl_max_us <= INV_HOLD_LIMIT_US,
			"hold_ttl_max_us"},
		{INV_HOTEL_HOLD_TOTAL_MAX, s->hold_total_max_us <= INV_HOLD_LIMIT_US,
			"hold_total_max_us"},
		{INV_HOTEL_STATUS, s->status >= INV_ACTIVE && s->status <= INV_RETIRED, "status"},
	};
	kr_assert((mask & ~INV_HOTEL_MASK) == 0);
	for (size_t i = 0; i < KR_ARRAY_COUNT(checks); i++) {
		if ((mask & checks[i].bit) != 0 && !checks[i].is_valid)
			return checks[i].name;
	}
	return NULL;
}

void inv_hotel_settings_store(
	struct inv *inv, uint32_t hotel_index, const struct inv_hotel_settings *s)
{
	struct inv_hotel_cold *cold = inv_hotel_cold_at(inv, hotel_index);
	kr_assert(inv_hotel_settings_fault(inv, s, INV_HOTEL_MASK) == NULL);
	char text[INV_TEXT_SIZE_MAX];
	/* The texts may lie in this very line: by way of a copy, and no old bytes stay behind. */
	inv_text_copy(s->code, memset(text, 0, sizeof(text)));
	memcpy(cold->code, text, sizeof(text));
	inv_text_copy(s->zone, memset(text, 0, sizeof(text)));
	memcpy(cold->zone, text, sizeof(text));
	cold->code_size_bytes = (uint8_t)s->code.size_bytes;
	cold->zone_size_bytes = (uint8_t)s->zone.size_bytes;
	cold->zone_index = tz_find(inv->tz, cold->zone, cold->zone_size_bytes);
	memcpy(cold->currency, s->currency, sizeof(cold->currency));
	cold->currency_digits = s->currency_digits;
	cold->day_roll_minute = s->day_roll_minute;
	cold->check_in_minute = s->check_in_minute;
	cold->nights_max = s->nights_max;
	cold->hold_ttl_us = s->hold_ttl_us;
	cold->hold_ttl_max_us = s->hold_ttl_max_us;
	cold->hold_total_max_us = s->hold_total_max_us;
	cold->holds_max = s->holds_max;
	cold->guest_holds_max = s->guest_holds_max;
	inv_hotel_at(inv, hotel_index)->status = s->status;
	kr_assert(cold->zone_index != TZ_ZONE_NONE);
}

uint32_t inv_hotel_create(struct inv *inv, struct hotel_id hotel, int32_t first_day)
{
	kr_assert(hotel.v != 0);
	kr_assert(inv_hotel_find(inv, hotel) == INV_NONE);
	if (inv->hotel_count == inv->config.hotels_max)
		return INV_NONE;
	uint32_t index = inv->hotel_count++;
	struct inv_hotel *h = inv_hotel_at(inv, index);
	h->id = hotel.v;
	h->first_day = first_day;
	h->row_head = INV_NONE;
	h->held_head = INV_NONE;
	h->kept_head = INV_NONE;
	inv_index_insert(&inv->hotel_index, inv_hotel_slots(inv),
		inv_index_tag(inv_hotel_hash(hotel)), index);
	return index;
}

#include "tools/keyrack-recover_json.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/civil.h"
#include "tools/keyrack-recover_time.h"

void recover_number_format(uint64_t value, char ret_text[static RECOVER_NUMBER_SIZE])
{
	const char *quote = value <= RECOVER_NUMBER_MAX ? "" : "\"";
	int length =
		snprintf(ret_text, RECOVER_NUMBER_SIZE, "%s%" PRIu64 "%s", quote, value, quote);
	kr_assert(length > 0 && (unsigned)length < RECOVER_NUMBER_SIZE);
}

json_t *recover_number_json(uint64_t value)
{
	char text[RECOVER_NUMBER_SIZE];
	if (value <= RECOVER_NUMBER_MAX)
		return json_integer((json_int_t)value);
	int length = snprintf(text, sizeof(text), "%" PRIu64, value);
	kr_assert(length > 0 && (unsigned)length < sizeof(text));
	return json_string(text);
}

json_t *recover_text_json(struct inv_text text)
{
	kr_assert(text.size_bytes <= INV_TEXT_SIZE_MAX);
	json_t *json = json_stringn(text.size_bytes > 0 ? text.bytes : "", text.size_bytes);
	return json != NULL ? json : json_string("(not UTF-8)");
}

void recover_put_number(json_t *json, const char *name, uint64_t value)
{
	kr_assert(json_is_object(json));
	json_object_set_new(json, name, recover_number_json(value));
}

void recover_put_signed(json_t *json, const char *name, int64_t value)
{
	char text[RECOVER_NUMBER_SIZE];
	kr_assert(json_is_object(json));
	if (value >= -(int64_t)RECOVER_NUMBER_MAX && value <= (int64_t)RECOVER_NUMBER_MAX) {
		json_object_set_new(json, name, json_integer(value));
		return;
	}
	snprintf(text, sizeof(text), "%" PRId64, value);
	json_object_set_new(json, name, json_string(text));
}

void recover_put_hex(json_t *json, const char *name, uint64_t value)
{
	char text[24];
	snprintf(text, sizeof(text), "%016" PRIx64, value);
	json_object_set_new(json, name, json_string(text));
	kr_assert(text[0] != 0);
}

void recover_put_string(json_t *json, const char *name, const char *value)
{
	json_t *string = json_string(value);
	kr_assert(string != NULL);
	json_object_set_new(json, name, string);
}

void recover_put_bool(json_t *json, const char *name, bool value)
{
	kr_assert(json_is_object(json));
	json_object_set_new(json, name, json_boolean(value));
}

void recover_put_day(json_t *json, const char *name, int32_t day)
{
	char date[CIVIL_DATE_TEXT_SIZE];
	if (day < CIVIL_DAY_MIN || day > CIVIL_DAY_MAX) {
		json_object_set_new(json, name, json_integer(day));
		return;
	}
	civil_day_format(day, date);
	json_object_set_new(json, name, json_string(date));
	kr_assert(date[0] != 0);
}

void recover_put_time(json_t *json, const char *name, uint64_t t_us)
{
	char text[RECOVER_TIME_SIZE];
	recover_time_format(t_us & INT64_MAX, text);
	json_object_set_new(json, name, json_string(text));
	kr_assert(text[0] != 0);
}

void recover_put_tiers(
	json_t *json, const char *name, const struct inv_tier *tiers, uint32_t tier_count)
{
	json_t *list = json_array();
	kr_assert(tier_count <= INV_TIERS_MAX);
	for (uint32_t i = 0; i < tier_count; i++) {
		const struct inv_tier *tier = &tiers[i];
		const char *unit = tier->nights != 0 ? "nights" : "basis_points";
		json_array_append_new(list,
			json_pack("{s:i,s:i}", "hours", (int)tier->hours, unit,
				(int)(tier->nights != 0 ? tier->nights : tier->basis_points)));
	}
	json_object_set_new(json, name, list);
}

void recover_put_terms(json_t *json, const struct inv_line *line)
{
	kr_assert(line->tier_count != 0);
	recover_put_tiers(json, "tiers", line->tiers, line->tier_count);
	recover_put_time(json, "arrival", line->arrival_us);
}

void recover_put_hotel_limits(json_t *json, const struct inv_hotel_settings *s)
{
	kr_assert(json != NULL && s != NULL);
	recover_put_number(json, "nights_max", s->nights_max);
	recover_put_number(json, "hold_ttl_us", s->hold_ttl_us);
	recover_put_number(json, "hold_ttl_max_us", s->hold_ttl_max_us);
	recover_put_number(json, "hold_total_max_us", s->hold_total_max_us);
	recover_put_number(json, "holds_max", s->holds_max);
	recover_put_number(json, "guest_holds_max", s->guest_holds_max);
}

void recover_print_json(const char *head, json_t *json, FILE *out)
{
	char *rest = json_dumps(json, JSON_COMPACT | JSON_PRESERVE_ORDER);
	kr_assert(rest != NULL && rest[0] == '{');
	fprintf(out, "{%s%s%s\n", head, head[0] == 0 || rest[1] == '}' ? "" : ",", rest + 1);
	free(rest);
	json_decref(json);
}

#include "tools/keyrack/stay_sheet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WRONG(error, ...) kr_error_text_set(error, -KR_E_INVALID, 0, __VA_ARGS__)
#define DAY_US INT64_C(86400000000)
#define PRICE_SIZE 64u /* of one run as text */
#define HEX 16

#define X(name, text, value, is_needed) {text, value, is_needed},
const struct sheet_column stay_columns[STAY_COLUMN_COUNT] = {STAY_COLUMN_TABLE(X)};
#undef X

static const char *const pricings[] = {[KEYRACK_PRICING_CALENDAR] = "calendar",
	[KEYRACK_PRICING_CALLER] = "caller",
	[KEYRACK_PRICING_NONE] = "count_only"};

/* ---- one text -------------------------------------------------------------------------------- */

static bool is_given(const char *const *texts, enum stay_column column)
{
	kr_assert(column < STAY_COLUMN_COUNT);
	return texts[column] != NULL && texts[column][0] != '\0';
}

static int named(enum stay_column column, struct kr_error_text *error)
{
	char reason[KR_ERROR_TEXT_SIZE];
	kr_assert(error->error != 0);
	memcpy(reason, error->bytes, sizeof(reason));
	return WRONG(error, "%s: %s", stay_columns[column].name, reason);
}

/* `absent` where there is none. */
static int number_read(const char *const *texts, enum stay_column column, struct value_range range,
	uint64_t absent, uint64_t *ret, struct kr_error_text *error)
{
	*ret = absent;
	if (!is_given(texts, column))
		return 0;
	kr_assert(range.first <= range.last);
	return value_u64(texts[column], range, ret, error) < 0 ? named(column, error) : 0;
}

static int u32_read(const char *const *texts, enum stay_column column, uint32_t absent,
	uint32_t *ret, struct kr_error_text *error)
{
	uint64_t value = 0;
	int r = number_read(
		texts, column, (struct value_range){0, UINT32_MAX}, absent, &value, error);
	kr_assert(value <= UINT32_MAX);
	*ret = (uint32_t)value;
	return r;
}

static int flag_read(
	const char *const *texts, enum stay_column column, bool *ret, struct kr_error_text *error)
{
	*ret = false;
	kr_assert(stay_columns[column].value == SHEET_FLAG);
	if (!is_given(texts, column))
		return 0;
	return value_bool(texts[column], ret, error) < 0 ? named(column, error) : 0;
}

static int id_read(const char *const *texts, enum stay_column column, struct keyrack_id *ret,
	struct kr_error_text *error)
{
	struct kr_id id = {0, 0};
	*ret = (struct keyrack_id){0, 0};
	kr_assert(stay_columns[column].value == SHEET_TEXT);
	if (!is_given(texts, column))
		return 0;
	if (value_id(texts[column], &id, error) < 0)
		return named(column, error);
	*ret = (struct keyrack_id){id.hi, id.lo};
	return 0;
}

static int day_read(const char *const *texts, enum stay_column column, int32_t shift_days,
	int32_t *ret, struct kr_error_text *error)
{
	int32_t day = 0;
	if (!is_given(texts, column))
		return WRONG(error, "%s is missing", stay_columns[column].name);
	if (keyrack_day_parse(texts[column], &day) != 0)
		return WRONG(error, "%s: \"%s\" is no date; write 2027-01-31",
			stay_columns[column].name, texts[column]);
	int64_t shifted = (int64_t)day + shift_days;
	if (shifted < INT16_MIN || shifted > UINT16_MAX)
		return WRONG(error, "%s is shifted out of the calendar", stay_columns[column].name);
	*ret = (int32_t)shifted;
	return 0;
}

/* 0 is no instant, and stays it. */
static int instant_read(const char *const *texts, enum stay_column column, int32_t shift_days,
	uint64_t *ret, struct kr_error_text *error)
{
	int64_t shift_us = shift_days * DAY_US;
	int r = number_read(texts, column, (struct value_range){0, INT64_MAX / 2}, 0, ret, error);
	kr_assert(*ret <= INT64_MAX / 2);
	if (r < 0 || *ret == 0)
		return r;
	if ((int64_t)*ret + shift_us <= 0)
		return WRONG(error, "%s is shifted out of time", stay_columns[column].name);
	*ret = (uint64_t)((int64_t)*ret + shift_us);
	return 0;
}

static int reference_read(const char *const *texts, enum stay_column column,
	char ret[static STAY_REFERENCE_SIZE], struct kr_error_text *error)
{
	const char *text = is_given(texts, column) ? texts[column] : "";
	size_t length = strlen(text);
	kr_assert(stay_columns[column].value == SHEET_TEXT);
	if (length >= STAY_REFERENCE_SIZE)
		return WRONG(error, "%s: it is longer than %u bytes", stay_columns[column].name,
			STAY_REFERENCE_SIZE - 1);
	memcpy(ret, text, length + 1);
	return 0;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int state_read(const char *const *texts, uint32_t *ret, struct kr_error_text *error)
{
	if (!is_given(texts, STAY_STATE))
		return WRONG(error, "state is missing");
	for (uint32_t state = KEYRACK_STATE_HELD; state < KEYRACK_STATE_VOID; state++) {
		kr_assert(keyrack_state_name(state) != NULL);
		if (strcasecmp(keyrack_state_name(state), texts[STAY_STATE]) == 0) {
			*ret = state;
			return 0;
		}
	}
	return WRONG(error,
		"state: \"%s\" is none that comes in; HELD, CONFIRMED, CHECKED_IN, COMPLETED, "
		"NO_SHOW, CANCELLED, RELEASED and EXPIRED are",
		texts[STAY_STATE]);
}

int stay_key_read(const char *const *texts, struct stay_key *ret, struct kr_error_text *error)
{
	struct value_hotel hotel;
	const struct value_range lines = {1, KEYRACK_LINE_COUNT_MAX};
	uint64_t line = 1, count = 1;
	kr_error_text_clear(error);
	if (!is_given(texts, STAY_HOTEL))
		return WRONG(error, "hotel is missing");
	if (value_hotel(texts[STAY_HOTEL], &hotel, error) < 0)
		return named(STAY_HOTEL, error);
	if (!is_given(texts, STAY_ID))
		return WRONG(error, "id is missing");
	if (id_read(texts, STAY_ID, &ret->id, error) < 0)
		return WRONG(error,
			"id: \"%s\" is not 32 hexadecimal digits; make some of it, such as its "
			"MD5, and keep what it was as external_ref",
			texts[STAY_ID]);
	if (number_read(texts, STAY_LINE, lines, 1, &line, error) < 0 ||
		number_read(texts, STAY_LINES, lines, line, &count, error) < 0)
		return error->error;
	if (line > count)
		return WRONG(error, "line %" PRIu64 " of %" PRIu64, line, count);
	ret->hotel_id = hotel.id;
	ret->line = (uint32_t)line;
	ret->line_count = (uint32_t)count;
	return 0;
}

/* When it was made: an id of ours tells; then nothing has changed since, as far as we are told. */
static int instants_read(const char *const *texts, int32_t shift_days,
	struct keyrack_reservation *ret, struct kr_error_text *error)
{
	if (instant_read(texts, STAY_CREATED, shift_days, &ret->created_at_us, error) < 0 ||
		instant_read(texts, STAY_CHANGED, shift_days, &ret->changed_at_us, error) < 0 ||
		instant_read(texts, STAY_EXPIRES, shift_days, &ret->expires_at_us, error) < 0)
		return error->error;
	if (ret->created_at_us == 0 && keyrack_id_is_native(ret->id))
		ret->created_at_us = keyrack_id_unix_ms(ret->id) * 1000;
	if (ret->created_at_us == 0)
		return WRONG(error, "created_at_us is missing, and the id does not tell it");
	if (ret->changed_at_us == 0)
		ret->changed_at_us = ret->created_at_us;
	return 0;
}

static int change_read(const char *const *texts, uint64_t *ret, struct kr_error_text *error)
{
	char *end = NULL;
	*ret = 0;
	if (!is_given(texts, STAY_CHANGE))
		return 0;
	if (strlen(texts[STAY_CHANGE]) <= HEX &&
		strspn(texts[STAY_CHANGE], "0123456789abcdefABCDEF") == strlen(texts[STAY_CHANGE]))
		*ret = strtoull(texts[STAY_CHANGE], &end, HEX);
	kr_assert(end == NULL || *end == '\0');
	return *ret != 0 ? 0
			 : WRONG(error,
				   "change_id: \"%s\" is no number of up to 16 hexadecimal "
				   "digits",
				   texts[STAY_CHANGE]);
}

int stay_begin(const char *const *texts, const struct stay_key *key, int32_t shift_days,
	struct stay *ret, struct kr_error_text *error)
{
	struct keyrack_reservation *r = &ret->request.reservation;
	kr_assert(key->line == 1);
	memset(&ret->request, 0, sizeof(ret->request));
	ret->run_count = 0;
	r->id = key->id;
	r->hotel_id = key->hotel_id;
	r->lines = ret->lines;
	r->external_ref = ret->external_ref;
	r->payment_ref = ret->payment_ref;
	if (state_read(texts, &r->state, error) < 0 ||
		u32_read(texts, STAY_REVISION, 1, &r->revision, error) < 0 ||
		instants_read(texts, shift_days, r, error) < 0 ||
		id_read(texts, STAY_GUEST, &r->guest, error) < 0 ||
		reference_read(texts, STAY_EXTERNAL_REF, ret->external_ref, error) < 0 ||
		reference_read(texts, STAY_PAYMENT_REF, ret->payment_ref, error) < 0 ||
		u32_read(texts, STAY_SOURCE, 0, &r->source, error) < 0 ||
		flag_read(texts, STAY_WAS_HELD, &r->was_held, error) < 0 ||
		flag_read(texts, STAY_GRACED, &r->graced, error) < 0 ||
		change_read(texts, &r->change_id, error) < 0)
		return error->error;
	bool is_cut = r->state == KEYRACK_STATE_NO_SHOW || r->state == KEYRACK_STATE_COMPLETED;
	ret->request.has_counted_until = is_cut && is_given(texts, STAY_COUNTED_UNTIL);
	if (!ret->request.has_counted_until)
		return 0;
	return day_read(texts, STAY_COUNTED_UNTIL, shift_days, &r->counted_until_day, error);
}

/* ---- one line -------------------------------------------------------------------------------- */

/* "EUR 120.00*2" */
static int run_read(const char *text, size_t length, const struct money_unit *unit,
	struct keyrack_price_run *ret, struct kr_error_text *error)
{
	char piece[PRICE_SIZE];
	struct money money;
	int64_t minor = 0;
	uint64_t nights = 0;
	if (length >= sizeof(piece))
		return WRONG(error, "a price is too long");
	memcpy(piece, text, length);
	piece[length] = '\0';
	char *star = strrchr(piece, '*');
	if (star == NULL)
		return WRONG(error, "\"%s\" is not of the form EUR 120.00*2", piece);
	*star = '\0';
	kr_assert(star < piece + length);
	if (value_u64(star + 1, (struct value_range){1, KEYRACK_STAY_NIGHTS_MAX}, &nights, error) <
			0 ||
		money_parse(piece, false, &money, error) < 0 ||
		money_in_unit(&money, unit, &minor, error) < 0)
		return error->error;
	*ret = (struct keyrack_price_run){(uint32_t)nights, (uint64_t)minor};
	return 0;
}

static int prices_read(const char *const *texts, const struct money_unit *unit, struct stay *stay,
	struct keyrack_line *line, struct kr_error_text *error)
{
	line->runs = stay->runs + stay->run_count;
	if (!is_given(texts, STAY_PRICES))
		return 0;
	for (const char *at = texts[STAY_PRICES]; at != NULL;) {
		const char *plus = strchr(at, '+');
		size_t length = plus != NULL ? (size_t)(plus - at) : strlen(at);
		if (stay->run_count == KEYRACK_STAY_NIGHTS_MAX)
			return WRONG(
				error, "prices: there are more than %u", KEYRACK_STAY_NIGHTS_MAX);
		if (run_read(at, length, unit, &stay->runs[stay->run_count], error) < 0)
			return named(STAY_PRICES, error);
		stay->run_count++;
		line->run_count++;
		at = plus != NULL ? plus + 1 : NULL;
	}
	kr_assert(line->run_count > 0);
	return 0;
}

static int pricing_read(
	const char *const *texts, struct keyrack_line *line, struct kr_error_text *error)
{
	line->pricing = line->run_count > 0 ? KEYRACK_PRICING_CALLER : KEYRACK_PRICING_NONE;
	kr_assert(line->run_count <= KEYRACK_STAY_NIGHTS_MAX);
	if (!is_given(texts, STAY_PRICING))
		return 0;
	for (uint32_t i = 0; i < KR_ARRAY_COUNT(pricings); i++) {
		if (strcmp(pricings[i], texts[STAY_PRICING]) == 0) {
			line->pricing = (enum keyrack_pricing)i;
			return 0;
		}
	}
	return WRONG(error, "pricing: \"%s\" is none of calendar, caller and count_only",
		texts[STAY_PRICING]);
}

static int terms_read(const char *const *texts, int32_t shift_days, struct policy *policy,
	struct keyrack_line *line, struct kr_error_text *error)
{
	policy->tier_count = 0;
	if (is_given(texts, STAY_TERMS) && policy_parse(texts[STAY_TERMS], policy, error) < 0)
		return named(STAY_TERMS, error);
	line->tiers = policy->tiers;
	line->tier_count = policy->tier_count;
	kr_assert(line->tier_count <= KEYRACK_TIER_COUNT_MAX);
	return instant_read(texts, STAY_ARRIVAL, shift_days, &line->arrival_us, error);
}

int stay_line_add(const char *const *texts, const struct money_unit *unit, int32_t shift_days,
	struct stay *stay, struct kr_error_text *error)
{
	struct keyrack_reservation *r = &stay->request.reservation;
	struct keyrack_line *line = &stay->lines[r->line_count];
	kr_assert(r->line_count < KEYRACK_LINE_COUNT_MAX);
	kr_error_text_clear(error);
	*line = (struct keyrack_line){0};
	if (!is_given(texts, STAY_TYPE))
		return WRONG(error, "type is missing");
	if (u32_read(texts, STAY_TYPE, 0, &line->type, error) < 0 ||
		u32_read(texts, STAY_PLAN, 0, &line->plan, error) < 0 ||
		u32_read(texts, STAY_ROOMS, 1, &line->rooms, error) < 0 ||
		u32_read(texts, STAY_GUESTS, 0, &line->guests, error) < 0 ||
		day_read(texts, STAY_CHECK_IN, shift_days, &line->check_in_day, error) < 0 ||
		day_read(texts, STAY_CHECK_OUT, shift_days, &line->check_out_day, error) < 0 ||
		prices_read(texts, unit, stay, line, error) < 0 ||
		pricing_read(texts, line, error) < 0 ||
		terms_read(texts, shift_days, &stay->policies[r->line_count], line, error) < 0)
		return error->error;
	r->line_count++;
	return 0;
}

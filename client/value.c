/* Ids, dates, codes, nights: what needs no connection. */
#include <keyrack/keyrack.h>

#include <errno.h>
#include <string.h>

#include "base/civil.h"
#include "base/text.h"
#include "base/uuid.h"
#include "proto/cell.h"
#include "proto/code.h"
#include "proto/slot.h"

kr_static_assert(KEYRACK_SLOT_COUNT == SLOT_COUNT, "public constants repeat the wire's");
kr_static_assert(KEYRACK_ID_TEXT_SIZE == KR_ID_TEXT_SIZE, "public constants repeat the wire's");
kr_static_assert(KEYRACK_DATE_TEXT_SIZE >= CIVIL_DATE_TEXT_SIZE, "a date fits");

#define LOCAL_CODE_TABLE(X)                                                                        \
	X(KEYRACK_CODE_UNREACHABLE, "UNREACHABLE", "no router could be reached")                   \
	X(KEYRACK_CODE_NOT_SENT, "NOT_SENT", "the deadline passed before it was sent")             \
	X(KEYRACK_CODE_DEADLINE, "DEADLINE", "no answer came before the deadline")                 \
	X(KEYRACK_CODE_CONNECTION_LOST, "CONNECTION_LOST", "the connection was lost")              \
	X(KEYRACK_CODE_BAD_ANSWER, "BAD_ANSWER", "the answer cannot be read")

const char *keyrack_code_name(unsigned code)
{
	switch (code) {
#define X(number, name, text)                                                                      \
	case number:                                                                               \
		return name;
		LOCAL_CODE_TABLE(X)
#undef X
	default:
		return code_name(code);
	}
}

const char *keyrack_code_text(unsigned code)
{
	switch (code) {
#define X(number, name, text)                                                                      \
	case number:                                                                               \
		return text;
		LOCAL_CODE_TABLE(X)
#undef X
	default:
		return code_text(code);
	}
}

enum keyrack_outcome keyrack_code_outcome(unsigned code)
{
	if (code == KEYRACK_CODE_UNREACHABLE || code == KEYRACK_CODE_NOT_SENT)
		return KEYRACK_RESULT_NOT_DONE;
	switch (code_class_of(code)) {
	case CODE_SUCCESS:
		return KEYRACK_RESULT_DONE;
	case CODE_FINAL:
	case CODE_TRANSIENT:
		return KEYRACK_RESULT_NOT_DONE;
	case CODE_UNKNOWN:
	case CODE_REJECT:
		return KEYRACK_RESULT_UNKNOWN;
	}
	kr_unreachable();
}

bool keyrack_code_may_retry(unsigned code)
{
	if (code >= KEYRACK_CODE_UNREACHABLE && code <= KEYRACK_CODE_BAD_ANSWER)
		return true;
	enum code_class class = code_class_of(code);
	return class == CODE_TRANSIENT || class == CODE_UNKNOWN;
}

const char *keyrack_rule_name(unsigned rule)
{
	return rule_name(rule);
}

const char *keyrack_rule_text(unsigned rule)
{
	return rule_text(rule);
}

const char *keyrack_state_name(unsigned state)
{
	static const char *const names[] = {"NONE", "HELD", "CONFIRMED", "RELEASED", "EXPIRED",
		"CANCELLED", "CHECKED_IN", "NO_SHOW", "COMPLETED", "VOID"};
	kr_static_assert(
		KR_ARRAY_COUNT(names) == KEYRACK_STATE_VOID + 1, "every state has its name");
	return state < KR_ARRAY_COUNT(names) ? names[state] : "STATE";
}

/* Rules that speak of one line of the request. */
static bool refusal_has_line(unsigned rule)
{
	return (rule >= RULE_TYPE && rule <= RULE_COUNTER && rule != RULE_PRICE);
}

size_t keyrack_refusal_format(const struct keyrack_refusal *refusal, char *ret_text, size_t size)
{
	char bytes[512], word[KEYRACK_ID_TEXT_SIZE];
	struct kr_text text;
	kr_text_init(&text, bytes, sizeof(bytes));
	kr_text_format(&text, "%s: %s; rule: %s", keyrack_code_name(refusal->code),
		keyrack_code_text(refusal->code), rule_text(refusal->rule));
	if (refusal->text != NULL && refusal->text[0] != 0)
		kr_text_format(&text, " %s", refusal->text);
	if (refusal_has_line(refusal->rule))
		kr_text_format(&text, "; line %lu", (unsigned long)refusal->line + 1);
	if (refusal->has_day) {
		keyrack_day_format(refusal->day, word);
		kr_text_format(&text, "; night %s", word);
	}
	if (refusal->required != 0 || refusal->left != 0)
		kr_text_format(&text, "; required %lld; left %lld", (long long)refusal->required,
			(long long)refusal->left);
	if (refusal->state != 0)
		kr_text_format(&text, "; state %s", keyrack_state_name(refusal->state));
	if ((refusal->other.hi | refusal->other.lo) != 0) {
		keyrack_id_format(refusal->other, word);
		kr_text_format(&text, "; other reservation %s", word);
	}
	if (size > 0) {
		size_t length = KR_MIN(text.length, size - 1);
		memcpy(ret_text, bytes, length);
		ret_text[length] = 0;
	}
	return text.length;
}

struct keyrack_id keyrack_id_make(uint64_t unix_ms, uint32_t slot, uint64_t random)
{
	struct kr_id id =
		reservation_id_mint(unix_ms & ((UINT64_C(1) << 48) - 1), slot % SLOT_COUNT, random);
	return (struct keyrack_id){id.hi, id.lo};
}

static struct kr_id id_of(struct keyrack_id id)
{
	return (struct kr_id){id.hi, id.lo};
}

void keyrack_id_format(struct keyrack_id id, char ret_text[KEYRACK_ID_TEXT_SIZE])
{
	kr_id_format(id_of(id), ret_text);
}

/* 32 digits without hyphens become the form that is parsed. */
static int id_parse_bare(const char *text, struct kr_id *ret_id)
{
	static const uint8_t group_sizes[] = {8, 4, 4, 4, 12};
	char full[KR_ID_TEXT_SIZE] = {0};
	size_t at = 0;
	for (size_t group = 0; group < sizeof(group_sizes); group++) {
		if (group > 0)
			full[at++] = '-';
		memcpy(full + at, text, group_sizes[group]);
		at += group_sizes[group];
		text += group_sizes[group];
	}
	kr_assert(at == KR_ID_TEXT_LENGTH);
	return kr_id_parse(full, at, ret_id);
}

int keyrack_id_parse(const char *text, struct keyrack_id *ret_id)
{
	struct kr_id id;
	size_t length = strnlen(text, KR_ID_TEXT_LENGTH + 1);
	int r = KR_ID_MALFORMED;
	if (length == KR_ID_TEXT_LENGTH)
		r = kr_id_parse(text, length, &id);
	else if (length == 2 * KR_ID_SIZE)
		r = id_parse_bare(text, &id);
	if (r != 0)
		return -EINVAL;
	*ret_id = (struct keyrack_id){id.hi, id.lo};
	return 0;
}

bool keyrack_id_is_native(struct keyrack_id id)
{
	return reservation_id_is_native(id_of(id));
}

uint32_t keyrack_id_slot(struct keyrack_id id)
{
	return keyrack_id_is_native(id) ? reservation_id_slot(id_of(id)) : 0;
}

uint64_t keyrack_id_unix_ms(struct keyrack_id id)
{
	return keyrack_id_is_native(id) ? reservation_id_ms(id_of(id)) : 0;
}

uint32_t keyrack_slot_of_hotel(uint64_t hotel_id)
{
	return slot_of_hotel((struct hotel_id){hotel_id});
}

uint64_t keyrack_hotel_id_of_code(const char *code)
{
	return code[0] == 0 ? 0 : hotel_id_of_code(code, (uint32_t)strlen(code)).v;
}

int keyrack_day_from_date(struct keyrack_date date, int32_t *ret_day)
{
	if (date.month > 12 || date.day > 31)
		return -EINVAL;
	struct civil_date civil = {date.year, (uint8_t)date.month, (uint8_t)date.day};
	if (!civil_date_is_valid(civil))
		return -EINVAL;
	*ret_day = civil_day_from_date(civil);
	return 0;
}

struct keyrack_date keyrack_day_to_date(int32_t day)
{
	int32_t clipped = KR_MAX(KR_MIN(day, CIVIL_DAY_MAX), CIVIL_DAY_MIN);
	struct civil_date civil = civil_date_from_day(clipped);
	return (struct keyrack_date){civil.year, civil.month, civil.day};
}

int keyrack_day_parse(const char *text, int32_t *ret_day)
{
	size_t length = strnlen(text, CIVIL_DATE_TEXT_LENGTH + 1);
	return civil_day_parse(text, length, ret_day) == 0 ? 0 : -EINVAL;
}

void keyrack_day_format(int32_t day, char ret_text[KEYRACK_DATE_TEXT_SIZE])
{
	civil_day_format(KR_MAX(KR_MIN(day, CIVIL_DAY_MAX), CIVIL_DAY_MIN), ret_text);
}

uint32_t keyrack_day_weekday(int32_t day)
{
	return (uint32_t)civil_weekday_of(day);
}

static struct keyrack_los availability_los(
	const struct keyrack_availability_answer *answer, uint16_t class_index)
{
	for (uint32_t i = 0; class_index != 0 && i < answer->class_count; i++) {
		uint64_t word = answer->classes[2 * i + 1];
		if (answer->classes[2 * i] != class_index)
			continue;
		return (struct keyrack_los){(uint16_t)word, (uint16_t)(word >> 16),
			(uint16_t)(word >> 32), (uint16_t)(word >> 48)};
	}
	return (struct keyrack_los){0};
}

struct keyrack_night keyrack_availability_night(
	const struct keyrack_availability_answer *answer, uint32_t type_index, uint32_t night_index)
{
	kr_assert(type_index < answer->type_count);
	kr_assert(night_index < answer->night_count);
	size_t at = (size_t)type_index * answer->night_count + night_index;
	struct cell_counter counter = cell_counter_unpack(answer->counters[at]);
	struct cell_rate rate = cell_rate_unpack(answer->rates[at]);
	return (struct keyrack_night){
		.day = answer->first_day + (int32_t)night_index,
		.limit = counter.limit,
		.held = counter.held,
		.booked = counter.booked,
		.left = cell_left(counter),
		.loaded = (counter.flags & CELL_LOADED) != 0,
		.capped = (counter.flags & CELL_EXPLICIT_CAP) != 0,
		.closed = (counter.flags & CELL_CLOSED) != 0,
		.cta = (counter.flags & CELL_CTA) != 0,
		.ctd = (counter.flags & CELL_CTD) != 0,
		.plan_closed = (rate.flags & RATE_CLOSED) != 0,
		.plan_cta = (rate.flags & RATE_CTA) != 0,
		.plan_ctd = (rate.flags & RATE_CTD) != 0,
		.priced = (rate.flags & RATE_PRICED) != 0,
		.price_minor = rate.price_minor,
		.los = availability_los(answer, rate.class_index),
	};
}

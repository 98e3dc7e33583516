#include "tools/keyrack/sentence.h"

#include "base/text.h"
#include "tools/keyrack/span.h"

/* How the two numbers of a rule read: %R is what was required, %L what there is; as money %M and
 * %N, as instants %T and %U; %D is the day required, %E the
 * one there is. */
static const struct {
	unsigned rule;
	bool has_line;
	const char *text; /* NULL: the rule has no numbers */
} rules[] = {
	{KEYRACK_RULE_TYPE, true, NULL},
	{KEYRACK_RULE_PLAN, true, NULL},
	{KEYRACK_RULE_DATES, true, "at most %R nights, the stay has %L"},
	{KEYRACK_RULE_MIN_ADVANCE, true, "%R minutes before check-in required, %L left"},
	{KEYRACK_RULE_MAX_ADVANCE, true, "at most %R minutes before check-in, it is %L"},
	{KEYRACK_RULE_OCCUPANCY, true, "%R guests, the rooms take %L"},
	{KEYRACK_RULE_TYPE_CLOSED, true, NULL},
	{KEYRACK_RULE_PLAN_CLOSED, true, NULL},
	{KEYRACK_RULE_TYPE_CTA, true, NULL},
	{KEYRACK_RULE_PLAN_CTA, true, NULL},
	{KEYRACK_RULE_TYPE_CTD, true, NULL},
	{KEYRACK_RULE_PLAN_CTD, true, NULL},
	{KEYRACK_RULE_MIN_ARRIVAL, true, "at least %R nights required, the stay has %L"},
	{KEYRACK_RULE_MAX_ARRIVAL, true, "at most %R nights, the stay has %L"},
	{KEYRACK_RULE_MIN_THROUGH, true, "at least %R nights required, the stay has %L"},
	{KEYRACK_RULE_MAX_THROUGH, true, "at most %R nights, the stay has %L"},
	{KEYRACK_RULE_PRICE, false, "expected %M, the price is %N"},
	{KEYRACK_RULE_LOADED, true, NULL},
	{KEYRACK_RULE_LIMIT, true, "%R asked for, %L left"},
	{KEYRACK_RULE_COUNTER, true, "%R asked for, the counter takes %L more"},
	{KEYRACK_RULE_VERSION, false, "expected %R, it is %L"},
	{KEYRACK_RULE_TABLE, false, "%R entries, %L free"},
	{KEYRACK_RULE_EXPIRY, false, "it expired at %T, now it is %U"},
	{KEYRACK_RULE_HOLD_CAP, false, "at most %R live holds"},
	{KEYRACK_RULE_ARRIVAL, false, "the hotel's business date is %E"},
};

static void money_put(struct kr_text *text, const struct money_unit *unit, int64_t minor)
{
	char bytes[MONEY_TEXT_SIZE];
	if (unit == NULL || unit->currency[0] == '\0') {
		kr_text_format(text, "%lld minor units", (long long)minor);
		return;
	}
	money_format(unit, minor, bytes);
	kr_text_put_string(text, bytes);
}

static void instant_put(struct kr_text *text, int64_t unix_us)
{
	char bytes[SPAN_INSTANT_TEXT_SIZE];
	span_format_instant((uint64_t)KR_MAX(unix_us, INT64_C(0)), bytes);
	kr_text_put_string(text, bytes);
}

static void day_put(struct kr_text *text, int64_t day)
{
	char bytes[SPAN_DAY_TEXT_SIZE];
	int64_t shown = KR_MIN(KR_MAX(day, INT64_C(-32768)), INT64_C(65535));
	span_format_day((int32_t)shown, bytes);
	kr_text_put_string(text, bytes);
}

static void value_put(struct kr_text *text, char what, const struct keyrack_refusal *refusal,
	const struct money_unit *unit)
{
	switch (what) {
	case 'R':
		kr_text_put_i64(text, refusal->required);
		return;
	case 'L':
		kr_text_put_i64(text, refusal->left);
		return;
	case 'M':
		money_put(text, unit, refusal->required);
		return;
	case 'N':
		money_put(text, unit, refusal->left);
		return;
	case 'D':
		day_put(text, refusal->required);
		return;
	case 'E':
		day_put(text, refusal->left);
		return;
	case 'T':
		instant_put(text, refusal->required);
		return;
	case 'U':
		instant_put(text, refusal->left);
		return;
	default:
		kr_unreachable();
	}
}

static void numbers_put(struct kr_text *text, const char *format,
	const struct keyrack_refusal *refusal, const struct money_unit *unit)
{
	kr_assert(format != NULL);
	kr_text_put_string(text, ", ");
	for (; *format != '\0'; format++) {
		if (*format == '%')
			value_put(text, *++format, refusal, unit);
		else
			kr_text_put(text, format, 1);
	}
}

static void names_put(struct kr_text *text, const struct keyrack_refusal *refusal)
{
	char word[KEYRACK_ID_TEXT_SIZE];
	if (refusal->text != NULL && refusal->text[0] != '\0')
		kr_text_format(text, ", %s %s",
			refusal->rule == KEYRACK_RULE_TABLE ? "table" : "field", refusal->text);
	if (refusal->state != 0)
		kr_text_format(text, ", it is %s", keyrack_state_name(refusal->state));
	if ((refusal->other.hi | refusal->other.lo) == 0)
		return;
	keyrack_id_format(refusal->other, word);
	kr_text_format(text, ", the other reservation is %s", word);
}

/* The same rule speaks of a number of nights or of the edge of the window. */
static const char *dates_numbers(const struct keyrack_refusal *refusal, const char *otherwise)
{
	kr_assert(otherwise != NULL);
	if (refusal->code == KEYRACK_CODE_PAST_DATE)
		return "the first night is %D";
	return refusal->code == KEYRACK_CODE_OUT_OF_WINDOW ? "the last night is %D" : otherwise;
}

void sentence_of_refusal(const struct keyrack_refusal *refusal,
	const struct sentence_context *context, char ret_text[static SENTENCE_SIZE])
{
	const char *numbers = "required %R, left %L";
	bool has_numbers = refusal->required != 0 || refusal->left != 0;
	bool has_line = false;
	char day[SPAN_DAY_TEXT_SIZE];
	struct kr_text text;
	for (size_t i = 0; i < KR_ARRAY_COUNT(rules); i++)
		if (rules[i].rule == refusal->rule) {
			numbers = rules[i].text;
			has_line = rules[i].has_line && context->has_lines;
		}
	if (refusal->rule == KEYRACK_RULE_DATES)
		numbers = dates_numbers(refusal, numbers);
	kr_text_init(&text, ret_text, SENTENCE_SIZE);
	kr_text_format(&text, "%s: %s (rule %s)", keyrack_code_name(refusal->code),
		keyrack_code_text(refusal->code), keyrack_rule_name(refusal->rule));
	if (has_line)
		kr_text_format(&text, ", line %u", refusal->line + 1);
	if (refusal->has_day) {
		span_format_day(refusal->day, day);
		kr_text_format(&text, ", night %s", day);
	}
	names_put(&text, refusal);
	if (numbers != NULL && has_numbers)
		numbers_put(&text, numbers, refusal, context->unit);
	kr_assert(text.length > 0);
}

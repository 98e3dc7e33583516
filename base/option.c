#include "base/option.h"

#include <string.h>

#define THOUSAND 1000u

#define WRONG(why, ...)                                                                            \
	(kr_error_text_set(why, -KR_E_INVALID, 0, __VA_ARGS__) < 0 ? OPTION_WRONG : 0)

static void *field_of(const struct option_row *option, void *structure)
{
	kr_assert(option->type != NULL);
	kr_assert(structure != NULL);
	return (uint8_t *)structure + option->offset;
}

/* ---- numbers ---- */

static int digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : 16;
}

/* All of the text, decimal or, after 0x, hexadecimal. */
static bool digits_read(const char *text, uint64_t *ret_value)
{
	bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	uint64_t base = is_hex ? 16 : 10;
	uint64_t value = 0;
	kr_assert(ret_value != NULL);
	text += is_hex ? 2 : 0;
	if (*text == 0)
		return false;
	for (; *text != 0; text++) {
		uint64_t digit = (uint64_t)digit_value(*text);
		if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
			__builtin_add_overflow(value, digit, &value))
			return false;
	}
	*ret_value = value;
	return true;
}

/* In the option's unit to what the field holds. */
static uint64_t scaled(const struct option_row *option, uint64_t value)
{
	uint64_t result;
	bool overflows =
		__builtin_mul_overflow(value, option->unit == 0 ? 1 : option->unit, &result);
	kr_assert(!overflows);
	return result;
}

static int number_read(const struct option_row *option, const char *text, uint64_t *ret_value,
	struct kr_error_text *why)
{
	uint64_t value;
	kr_assert(option->min <= option->max);
	if (!digits_read(text, &value) || value < option->min || value > option->max)
		return WRONG(why, "takes a number from %llu to %llu (%s), not '%s'",
			(unsigned long long)option->min, (unsigned long long)option->max,
			option->argument, text);
	*ret_value = scaled(option, value);
	return 0;
}

static void number_write(const struct option_row *option, uint64_t value, struct kr_text *text)
{
	uint64_t unit = option->unit == 0 ? 1 : option->unit;
	kr_assert(text != NULL);
	if (value / unit >= option->min)
		kr_text_put_u64(text, value / unit);
}

static int u32_read(
	const struct option_row *option, const char *text, void *field, struct kr_error_text *why)
{
	uint64_t value;
	kr_assert(scaled(option, option->max) <= UINT32_MAX);
	int r = number_read(option, text, &value, why);
	if (r == 0)
		*(uint32_t *)field = (uint32_t)value;
	return r;
}

static void u32_write(const struct option_row *option, const void *field, struct kr_text *text)
{
	kr_assert(field != NULL);
	number_write(option, *(const uint32_t *)field, text);
}

const struct option_type option_u32 = {
	.size_bytes = sizeof(uint32_t), .read = u32_read, .write = u32_write};

static int u64_read(
	const struct option_row *option, const char *text, void *field, struct kr_error_text *why)
{
	kr_assert(field != NULL);
	return number_read(option, text, field, why);
}

static void u64_write(const struct option_row *option, const void *field, struct kr_text *text)
{
	kr_assert(field != NULL);
	number_write(option, *(const uint64_t *)field, text);
}

const struct option_type option_u64 = {
	.size_bytes = sizeof(uint64_t), .read = u64_read, .write = u64_write};

/* ---- numbers with up to three decimals ---- */

/* "12", "0.5", "1.125": in thousandths. */
static bool thousandths_read(const char *text, uint64_t *ret_value)
{
	uint64_t value = 0;
	int decimals = -1; /* none yet: the point has not come */
	kr_assert(ret_value != NULL);
	if (digit_value(*text) > 9)
		return false;
	for (; *text != 0; text++) {
		if (*text == '.' && decimals < 0) {
			decimals = 0;
			continue;
		}
		if (digit_value(*text) > 9 || value > UINT64_MAX / THOUSAND / THOUSAND ||
			decimals == 3)
			return false;
		value = value * 10 + (uint64_t)digit_value(*text);
		decimals += decimals >= 0;
	}
	for (decimals = KR_MAX(decimals, 0); decimals < 3; decimals++)
		value *= 10;
	*ret_value = value;
	return true;
}

static void thousandths_write(uint64_t value, struct kr_text *text)
{
	kr_assert(text != NULL);
	kr_text_put_u64(text, value / THOUSAND);
	if (value % THOUSAND != 0)
		kr_text_format(text, ".%03u", (unsigned)(value % THOUSAND));
}

static int real_read(
	const struct option_row *option, const char *text, void *field, struct kr_error_text *why)
{
	char bytes[64];
	struct kr_text range;
	uint64_t value;
	kr_assert(option->min <= option->max && option->unit == 0);
	if (thousandths_read(text, &value) && value >= option->min && value <= option->max) {
		*(double *)field = (double)value / THOUSAND;
		return 0;
	}
	kr_text_init(&range, bytes, sizeof(bytes));
	thousandths_write(option->min, &range);
	kr_text_put_string(&range, " to ");
	thousandths_write(option->max, &range);
	return WRONG(why, "takes a number from %s, with three decimals at most (%s), not '%s'",
		bytes, option->argument, text);
}

static void real_write(const struct option_row *option, const void *field, struct kr_text *text)
{
	uint64_t value = (uint64_t)(*(const double *)field * THOUSAND + 0.5);
	kr_assert(option->unit == 0);
	if (value >= option->min)
		thousandths_write(value, text);
}

const struct option_type option_real = {
	.size_bytes = sizeof(double), .read = real_read, .write = real_write};

/* ---- words ---- */

static int switch_read(
	const struct option_row *option, const char *text, void *field, struct kr_error_text *why)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
	kr_assert(option->type->is_switch);
	for (size_t i = 0; i < KR_ARRAY_COUNT(words); i++) {
		if (strcmp(text, words[i]) == 0) {
			*(bool *)field = i % 2 != 0;
			return 0;
		}
	}
	return WRONG(why, "is yes or no, not '%s'", text);
}

static void switch_write(const struct option_row *option, const void *field, struct kr_text *text)
{
	kr_assert(option->type->is_switch);
	kr_text_put_string(text, *(const bool *)field ? "yes" : "no");
}

const struct option_type option_switch = {
	.size_bytes = sizeof(bool), .is_switch = true, .read = switch_read, .write = switch_write};

/* The n-th of "a|b|c"; NULL beyond the last. */
static const char *word_at(const char *words, uint32_t index, size_t *ret_length)
{
	kr_assert(words != NULL);
	for (; index > 0; index--) {
		words = strchr(words, '|');
		if (words == NULL)
			return NULL;
		words++;
	}
	const char *end = strchr(words, '|');
	*ret_length = end != NULL ? (size_t)(end - words) : strlen(words);
	return words;
}

static int word_read(
	const struct option_row *option, const char *text, void *field, struct kr_error_text *why)
{
	size_t length;
	const char *word;
	kr_assert(option->argument != NULL);
	for (uint32_t i = 0; (word = word_at(option->argument, i, &length)) != NULL; i++) {
		if (strlen(text) == length && memcmp(text, word, length) == 0) {
			*(uint32_t *)field = i;
			return 0;
		}
	}
	return WRONG(why, "is one of %s, not '%s'", option->argument, text);
}

static void word_write(const struct option_row *option, const void *field, struct kr_text *text)
{
	size_t length = 0;
	const char *word = word_at(option->argument, *(const uint32_t *)field, &length);
	kr_assert(word != NULL);
	kr_text_put(text, word, length);
}

const struct option_type option_word = {
	.size_bytes = sizeof(uint32_t), .read = word_read, .write = word_write};

/* ---- texts ---- */

static int string_read(
	const struct option_row *option, const char *text, void *field, struct kr_error_text *why)
{
	kr_assert(field != NULL);
	if (strlen(text) >= OPTION_TEXT_SIZE)
		return WRONG(why, "takes %u bytes at most", OPTION_TEXT_SIZE - 1);
	*(const char **)field = text;
	return 0;
}

static void string_write(const struct option_row *option, const void *field, struct kr_text *text)
{
	const char *string = *(const char *const *)field;
	kr_assert(option->type == &option_string);
	if (string != NULL)
		kr_text_put_string(text, string);
}

const struct option_type option_string = {.size_bytes = sizeof(char *),
	.is_quoted = true,
	.read = string_read,
	.write = string_write};

/* ---- rows ---- */

int option_read(const struct option_row *option, const char *text, void *structure,
	struct kr_error_text *why)
{
	kr_assert(text != NULL);
	if (*text == 0)
		return WRONG(why, "has no value: give one (%s) or leave the option out",
			option->argument != NULL ? option->argument : "yes or no");
	int r = option->type->read(option, text, field_of(option, structure), why);
	kr_assert(r == 0 || r == OPTION_WRONG);
	return r;
}

void option_write(const struct option_row *option, const void *structure, struct kr_text *text)
{
	kr_assert(option->type->write != NULL);
	kr_assert(structure != NULL);
	option->type->write(option, (const uint8_t *)structure + option->offset, text);
}

bool option_is_set(const struct option_row *option, const void *structure)
{
	char bytes[2];
	struct kr_text text;
	kr_assert(option->name != NULL);
	kr_text_init(&text, bytes, sizeof(bytes));
	option_write(option, structure, &text);
	return text.length > 0;
}

void option_clear(const struct option_row *option, void *structure)
{
	kr_assert(option->type->size_bytes > 0);
	if (option->type->is_list)
		memset(field_of(option, structure), 0, option->type->size_bytes);
}

void option_preset(const struct option_row *option, void *structure)
{
	struct kr_error_text why;
	void *field = field_of(option, structure);
	const struct option_type *type = option->type;
	kr_assert(option->preset <= option->max || option->max == 0);
	memset(field, 0, type->size_bytes);
	if (option->preset_text != NULL) {
		int r = option_read(option, option->preset_text, structure, &why);
		kr_assert(r == 0);
	} else if (type == &option_u32 || type == &option_word) {
		*(uint32_t *)field = (uint32_t)scaled(option, option->preset);
	} else if (type == &option_u64) {
		*(uint64_t *)field = scaled(option, option->preset);
	} else if (type == &option_real) {
		*(double *)field = (double)option->preset / THOUSAND;
	} else if (type == &option_switch) {
		*(bool *)field = option->preset != 0;
	}
}

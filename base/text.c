#include "base/text.h"

#include <string.h>

void kr_text_init(struct kr_text *text, char *bytes, size_t size_bytes)
{
	kr_assert(bytes != NULL);
	kr_assert(size_bytes >= 1);
	text->bytes = bytes;
	text->size_bytes = size_bytes;
	text->length = 0;
	text->is_cut = false;
	bytes[0] = '\0';
}

void kr_text_put(struct kr_text *text, const char *bytes, size_t size_bytes)
{
	kr_assert(text->length < text->size_bytes);
	size_t room = text->size_bytes - 1 - text->length;
	if (size_bytes > room) {
		size_bytes = room;
		text->is_cut = true;
	}
	if (size_bytes > 0)
		memcpy(text->bytes + text->length, bytes, size_bytes);
	text->length += size_bytes;
	text->bytes[text->length] = '\0';
	kr_assert(text->length < text->size_bytes);
}

void kr_text_put_string(struct kr_text *text, const char *string)
{
	kr_assert(string != NULL);
	kr_text_put(text, string, strlen(string));
}

#define DIGITS_MAX 20u /* of 2^64 - 1 in decimal */
#define WIDTH_MAX 64u

struct digits {
	char bytes[DIGITS_MAX];
	size_t first;
};

static void digits_init(struct digits *digits, uint64_t value, unsigned base, bool upper)
{
	kr_assert(base == 10 || base == 16);
	const char *alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	digits->first = DIGITS_MAX;
	do {
		kr_assert(digits->first > 0);
		digits->bytes[--digits->first] = alphabet[value % base];
		value /= base;
	} while (value > 0);
}

void kr_text_put_u64(struct kr_text *text, uint64_t value)
{
	kr_assert(text->bytes != NULL);
	struct digits digits;
	digits_init(&digits, value, 10, false);
	kr_text_put(text, digits.bytes + digits.first, DIGITS_MAX - digits.first);
}

void kr_text_put_i64(struct kr_text *text, int64_t value)
{
	kr_assert(text->bytes != NULL);
	if (value < 0)
		kr_text_put(text, "-", 1);
	kr_text_put_u64(text, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* One conversion of a format: %[-0][width][.*][h|l|ll|z]letter */
struct conversion {
	bool left;
	bool zero;
	bool has_precision;
	size_t width;
	int precision;
	int longs; /* -1 h, 0 int, 1 l or z, 2 ll */
	char letter;
};

static void pad(struct kr_text *text, char with, size_t count)
{
	kr_assert(count <= WIDTH_MAX);
	for (size_t i = 0; i < count && !text->is_cut; i++)
		kr_text_put(text, &with, 1);
}

static void put_number(
	struct kr_text *text, const struct conversion *c, uint64_t value, bool is_negative)
{
	struct digits digits;
	digits_init(
		&digits, value, c->letter == 'x' || c->letter == 'X' ? 16 : 10, c->letter == 'X');
	size_t count = DIGITS_MAX - digits.first;
	size_t used = count + (is_negative ? 1 : 0);
	size_t missing = c->width > used ? c->width - used : 0;
	if (!c->zero && !c->left)
		pad(text, ' ', missing);
	if (is_negative)
		kr_text_put(text, "-", 1);
	if (c->zero && !c->left)
		pad(text, '0', missing);
	kr_text_put(text, digits.bytes + digits.first, count);
	if (c->left)
		pad(text, ' ', missing);
}

static void put_padded(struct kr_text *text, const struct conversion *c, const char *bytes)
{
	kr_assert(c->letter == 's');
	kr_assert(bytes != NULL);
	kr_assert(!c->has_precision || c->precision >= 0);
	size_t size = c->has_precision ? strnlen(bytes, (size_t)c->precision) : strlen(bytes);
	size_t missing = c->width > size ? c->width - size : 0;
	if (!c->left)
		pad(text, ' ', missing);
	kr_text_put(text, bytes, size);
	if (c->left)
		pad(text, ' ', missing);
}

static const char *conversion_flags(struct conversion *c, const char *at)
{
	for (; *at == '-' || *at == '0'; at++) {
		c->left |= *at == '-';
		c->zero |= *at == '0';
	}
	for (; *at >= '0' && *at <= '9'; at++)
		c->width = c->width * 10 + (size_t)(*at - '0');
	kr_assert(c->width <= WIDTH_MAX);
	if (at[0] == '.' && at[1] == '*') {
		c->has_precision = true;
		at += 2;
	}
	for (; *at == 'l' || *at == 'z' || *at == 'h'; at++)
		c->longs += *at == 'h' ? -1 : 1;
	kr_assert(*at != '\0');
	return at;
}

/* A struct around the list: va_list may be an array, which cannot be passed on by address. */
struct arguments {
	va_list list;
};

static void put_signed(struct kr_text *text, const struct conversion *c, struct arguments *a)
{
	kr_assert(c->longs >= -1 && c->longs <= 2);
	int64_t value;
	if (c->longs >= 2)
		value = va_arg(a->list, long long);
	else if (c->longs == 1)
		value = va_arg(a->list, long);
	else
		value = va_arg(a->list, int);
	put_number(text, c, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0);
}

static void put_unsigned(struct kr_text *text, const struct conversion *c, struct arguments *a)
{
	kr_assert(c->longs >= -1 && c->longs <= 2);
	uint64_t value;
	if (c->longs >= 2)
		value = va_arg(a->list, unsigned long long);
	else if (c->longs == 1)
		value = va_arg(a->list, unsigned long);
	else
		value = va_arg(a->list, unsigned);
	put_number(text, c, value, false);
}

static void put_character(struct kr_text *text, struct arguments *a)
{
	char byte = (char)va_arg(a->list, int);
	kr_text_put(text, &byte, 1);
}

static void put_conversion(struct kr_text *text, const struct conversion *c, struct arguments *a)
{
	kr_assert(c->width <= WIDTH_MAX);
	switch (c->letter) {
	case '%':
		kr_text_put(text, "%", 1);
		break;
	case 'c':
		put_character(text, a);
		break;
	case 's':
		put_padded(text, c, va_arg(a->list, const char *));
		break;
	case 'd':
	case 'i':
		put_signed(text, c, a);
		break;
	case 'u':
	case 'x':
	case 'X':
		put_unsigned(text, c, a);
		break;
	default:
		kr_unreachable();
	}
}

void kr_text_format_list(struct kr_text *text, const char *format, va_list list)
{
	kr_assert(format != NULL);
	struct arguments arguments;
	va_copy(arguments.list, list);
	const char *at = format;
	while (*at != '\0') {
		const char *percent = strchr(at, '%');
		size_t plain = percent == NULL ? strlen(at) : (size_t)(percent - at);
		kr_text_put(text, at, plain);
		at += plain;
		if (*at == '\0')
			break;
		struct conversion c = {0};
		at = conversion_flags(&c, at + 1);
		c.letter = *at++;
		if (c.has_precision)
			c.precision = va_arg(arguments.list, int);
		put_conversion(text, &c, &arguments);
	}
	va_end(arguments.list);
}

void kr_text_format(struct kr_text *text, const char *format, ...)
{
	kr_assert(format != NULL);
	va_list list;
	va_start(list, format);
	kr_text_format_list(text, format, list);
	va_end(list);
}

#include "base/io/io_address.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#define PORT_DIGITS_MAX 5u
#define GROUP_COUNT 8u

static bool parse_port(const char *text, size_t length, uint16_t *ret_port)
{
	kr_assert(ret_port != NULL);
	uint32_t value = 0;
	if (length == 0 || length > PORT_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint32_t)(text[i] - '0');
	}
	if (value > UINT16_MAX)
		return false;
	*ret_port = (uint16_t)value;
	return true;
}

static bool parse_ip4(const char *text, size_t length, uint8_t bytes[static 4])
{
	kr_assert(text != NULL);
	size_t at = 0;
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t value = 0;
		size_t first = at;
		if (i > 0 && (at >= length || text[at++] != '.'))
			return false;
		first = at;
		for (; at < length && text[at] >= '0' && text[at] <= '9' && at - first < 3; at++)
			value = value * 10 + (uint32_t)(text[at] - '0');
		/* A leading zero would be octal elsewhere. */
		if (at == first || value > 255 || (at - first > 1 && text[first] == '0'))
			return false;
		bytes[i] = (uint8_t)value;
	}
	return at == length;
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* One group of up to four hexadecimal digits from *at on. */
static bool parse_group(const char *text, size_t length, size_t *at, uint16_t *ret_group)
{
	kr_assert(*at <= length);
	size_t first = *at;
	uint32_t value = 0;
	while (*at < length && *at - first < 4 && hex_value(text[*at]) >= 0)
		value = value << 4 | (uint32_t)hex_value(text[(*at)++]);
	*ret_group = (uint16_t)value;
	return *at > first;
}

struct groups {
	uint16_t values[GROUP_COUNT];
	uint32_t count;
	uint32_t gap; /* where "::" stands, GROUP_COUNT when nowhere */
};

static bool parse_groups(const char *text, size_t length, struct groups *groups)
{
	kr_assert(groups != NULL);
	size_t at = 0;
	groups->count = 0;
	groups->gap = GROUP_COUNT;
	if (length >= 2 && text[0] == ':' && text[1] == ':') {
		groups->gap = 0;
		at = 2;
	}
	while (at < length) {
		if (groups->count == GROUP_COUNT)
			return false;
		if (!parse_group(text, length, &at, &groups->values[groups->count]))
			return false;
		groups->count++;
		if (at == length)
			return true;
		if (text[at++] != ':' || at == length)
			return false;
		if (text[at] != ':')
			continue;
		if (groups->gap != GROUP_COUNT)
			return false;
		groups->gap = groups->count;
		at++;
	}
	return groups->gap != GROUP_COUNT;
}

static bool parse_ip6(const char *text, size_t length, uint8_t bytes[static 16])
{
	kr_assert(text != NULL);
	struct groups groups;
	if (!parse_groups(text, length, &groups))
		return false;
	bool has_gap = groups.gap != GROUP_COUNT;
	if (has_gap ? groups.count == GROUP_COUNT : groups.count != GROUP_COUNT)
		return false;
	memset(bytes, 0, 16);
	for (uint32_t i = 0; i < groups.count; i++) {
		uint32_t place = i < groups.gap ? i : GROUP_COUNT - groups.count + i;
		bytes[2 * place] = (uint8_t)(groups.values[i] >> 8);
		bytes[2 * place + 1] = (uint8_t)groups.values[i];
	}
	return true;
}

static int parse_unix(const char *path, size_t length, struct io_address *address)
{
	kr_assert(path != NULL);
	if (length == 0 || memchr(path, '\0', length) != NULL)
		return IO_ADDRESS_MALFORMED;
	if (length > IO_ADDRESS_PATH_MAX)
		return IO_ADDRESS_PATH_TOO_LONG;
	address->kind = IO_ADDRESS_UNIX;
	memcpy(address->path, path, length);
	return 0;
}

int io_address_parse(const char *text, size_t length, struct io_address *ret_address)
{
	struct io_address address = {0};
	kr_assert(text != NULL);
	kr_assert(ret_address != NULL);
	if (length >= 5 && memcmp(text, "unix:", 5) == 0) {
		int r = parse_unix(text + 5, length - 5, &address);
		if (r == 0)
			*ret_address = address;
		return r;
	}
	const char *colon = length == 0 ? NULL : memrchr(text, ':', length);
	if (colon == NULL)
		return IO_ADDRESS_MALFORMED;
	size_t host = (size_t)(colon - text);
	if (!parse_port(colon + 1, length - host - 1, &address.port))
		return IO_ADDRESS_MALFORMED;
	bool is_good;
	if (host >= 2 && text[0] == '[' && text[host - 1] == ']') {
		address.kind = IO_ADDRESS_IP6;
		is_good = parse_ip6(text + 1, host - 2, address.bytes);
	} else {
		address.kind = IO_ADDRESS_IP4;
		is_good = parse_ip4(text, host, address.bytes);
	}
	if (!is_good)
		return IO_ADDRESS_MALFORMED;
	*ret_address = address;
	return 0;
}

static void format_ip6(struct kr_text *text, const uint8_t bytes[static 16])
{
	kr_assert(text->bytes != NULL);
	uint32_t best = GROUP_COUNT, best_count = 1;
	/* The longest run of two or more zero groups, the first of equals, becomes "::". */
	for (uint32_t i = 0; i < GROUP_COUNT; i++) {
		uint32_t end = i;
		while (end < GROUP_COUNT && bytes[2 * end] == 0 && bytes[2 * end + 1] == 0)
			end++;
		if (end - i > best_count) {
			best = i;
			best_count = end - i;
		}
	}
	kr_text_put(text, "[", 1);
	for (uint32_t i = 0; i < GROUP_COUNT; i++) {
		if (i == best) {
			kr_text_put(text, "::", 2);
			i += best_count - 1;
			continue;
		}
		if (i > 0 && i != best + best_count)
			kr_text_put(text, ":", 1);
		kr_text_format(text, "%x", (unsigned)(bytes[2 * i] << 8 | bytes[2 * i + 1]));
	}
	kr_text_put(text, "]", 1);
}

void io_address_format(const struct io_address *address, char ret_text[static IO_ADDRESS_TEXT_SIZE])
{
	struct kr_text text;
	kr_text_init(&text, ret_text, IO_ADDRESS_TEXT_SIZE);
	switch (address->kind) {
	case IO_ADDRESS_UNIX:
		kr_text_format(&text, "unix:%s", address->path);
		break;
	case IO_ADDRESS_INPROC:
		kr_text_format(&text, "inproc:%u", address->port);
		break;
	case IO_ADDRESS_IP4:
		kr_text_format(&text, "%u.%u.%u.%u:%u", address->bytes[0], address->bytes[1],
			address->bytes[2], address->bytes[3], address->port);
		break;
	case IO_ADDRESS_IP6:
		format_ip6(&text, address->bytes);
		kr_text_format(&text, ":%u", address->port);
		break;
	default:
		kr_unreachable();
	}
	kr_assert(!text.is_cut);
}

int io_address_compare(const struct io_address *a, const struct io_address *b)
{
	kr_assert(a->kind != 0 && b->kind != 0);
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	int r = memcmp(a->bytes, b->bytes, sizeof(a->bytes));
	return r != 0 ? r : strcmp(a->path, b->path);
}

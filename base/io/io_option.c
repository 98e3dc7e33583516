#include "base/io/io_option.h"

#include <string.h>

#include "base/options.h"

#define WRONG(why, ...)                                                                            \
	(kr_error_text_set(why, -KR_E_INVALID, 0, __VA_ARGS__) < 0 ? OPTION_WRONG : 0)

static int address_add(const struct option_row *option, const char *text, size_t length,
	struct io_address_list *list, struct kr_error_text *why)
{
	struct io_address address;
	int shown = (int)KR_MIN(length, 200u);
	kr_assert(option->max > 0 && option->max <= IO_ADDRESS_LIST_MAX);
	int r = io_address_parse(text, length, &address);
	if (r == IO_ADDRESS_PATH_TOO_LONG)
		return WRONG(why, "has too long a path in %.*s: %u bytes at most", shown, text,
			IO_ADDRESS_PATH_MAX);
	if (r != 0)
		return WRONG(why,
			"takes addresses such as 127.0.0.1:7070, [::1]:7070 or unix:/path, not "
			"'%.*s'",
			shown, text);
	for (uint32_t i = 0; i < list->count; i++) {
		if (io_address_compare(&list->items[i], &address) == 0)
			return WRONG(why, "has %.*s twice: give each once", shown, text);
	}
	if (list->count == option->max)
		return WRONG(why, "takes %u addresses at most", (unsigned)option->max);
	list->items[list->count++] = address;
	return 0;
}

static int addresses_read(
	const struct option_row *option, const char *text, void *field, struct kr_error_text *why)
{
	kr_assert(option->type->is_list);
	for (;;) {
		size_t length = strcspn(text, ",");
		int r = address_add(option, text, length, field, why);
		if (r != 0 || text[length] == 0)
			return r;
		text += length + 1;
	}
}

static void addresses_write(
	const struct option_row *option, const void *field, struct kr_text *text)
{
	const struct io_address_list *list = field;
	kr_assert(option->type->is_list && list->count <= IO_ADDRESS_LIST_MAX);
	for (uint32_t i = 0; i < list->count; i++) {
		char address[IO_ADDRESS_TEXT_SIZE];
		io_address_format(&list->items[i], address);
		kr_text_format(text, "%s%s", i == 0 ? "" : ",", address);
	}
}

const struct option_type io_option_addresses = {.size_bytes = sizeof(struct io_address_list),
	.is_list = true,
	.is_quoted = true,
	.read = addresses_read,
	.write = addresses_write};

static bool is_loopback(const struct io_address *address)
{
	static const uint8_t v6[16] = {[15] = 1};
	kr_assert(address->kind >= IO_ADDRESS_IP4 && address->kind <= IO_ADDRESS_UNIX);
	if (address->kind == IO_ADDRESS_IP4)
		return address->bytes[0] == 127;
	return address->kind == IO_ADDRESS_UNIX || memcmp(address->bytes, v6, sizeof(v6)) == 0;
}

void io_option_check_local(
	struct option_set *set, const char *name, const struct io_address_list *list)
{
	kr_assert(list->count <= IO_ADDRESS_LIST_MAX);
	for (uint32_t i = 0; i < list->count; i++) {
		char address[IO_ADDRESS_TEXT_SIZE];
		if (is_loopback(&list->items[i]))
			continue;
		io_address_format(&list->items[i], address);
		options_complain(set, name,
			"has %s, which can be reached from other machines, and nothing here asks "
			"who calls: add --allow-remote if that is meant",
			address);
	}
}

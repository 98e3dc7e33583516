#include "base/io/io_option.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
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

/* ---- who may connect ---- */

#define MODE_DIGITS_MAX 4u

static int mode_read(
	const struct option_row *option, const char *text, void *field, struct kr_error_text *why)
{
	size_t length = strspn(text, "01234567");
	unsigned long mode = strtoul(text, NULL, 8);
	kr_assert(option->preset <= 0777);
	if (length == 0 || length > MODE_DIGITS_MAX || text[length] != 0 || mode > 0777)
		return WRONG(why, "takes permission bits in octal such as 0660, not '%s'", text);
	*(uint32_t *)field = (uint32_t)mode;
	return 0;
}

static void mode_write(const struct option_row *option, const void *field, struct kr_text *text)
{
	uint32_t mode = *(const uint32_t *)field;
	kr_assert(option->type == &io_option_mode && mode <= 0777);
	kr_text_format(text, "0%u%u%u", mode >> 6, mode >> 3 & 7, mode & 7);
}

const struct option_type io_option_mode = {
	.size_bytes = sizeof(uint32_t), .is_quoted = true, .read = mode_read, .write = mode_write};

/* All digits, and a number that may be an id. */
static bool id_read(const char *text, uint32_t *ret_id)
{
	char *end;
	kr_assert(ret_id != NULL);
	if (text[0] < '0' || text[0] > '9' || strlen(text) > 10)
		return false;
	unsigned long long id = strtoull(text, &end, 10);
	*ret_id = (uint32_t)id;
	return *end == 0 && id < IO_NOBODY;
}

static bool user_find(const char *name, uint32_t *ret_uid)
{
	kr_assert(name != NULL);
	if (id_read(name, ret_uid))
		return true;
	const struct passwd *user = getpwnam(name);
	if (user != NULL)
		*ret_uid = user->pw_uid;
	return user != NULL;
}

static bool group_find(const char *name, uint32_t *ret_gid)
{
	kr_assert(name != NULL);
	if (id_read(name, ret_gid))
		return true;
	const struct group *group = getgrnam(name);
	if (group != NULL)
		*ret_gid = group->gr_gid;
	return group != NULL;
}

#define OWNER_SIZE 128u
#define SHOWN_MAX 100

static int owner_read(
	const struct option_row *option, const char *text, void *field, struct kr_error_text *why)
{
	struct io_owner owner = {.is_given = true, .uid = IO_NOBODY, .gid = IO_NOBODY};
	char user[OWNER_SIZE];
	size_t length = strcspn(text, ":");
	const char *group = text + length + (text[length] == ':');
	kr_assert(option->type == &io_option_owner);
	if (length >= sizeof(user) || (length == 0 && *group == 0))
		return WRONG(why, "takes USER, USER:GROUP or :GROUP, not '%.*s'", SHOWN_MAX, text);
	memcpy(user, text, length);
	user[length] = 0;
	if (length > 0 && !user_find(user, &owner.uid))
		return WRONG(why, "names the user '%s', who does not exist here", user);
	if (*group != 0 && !group_find(group, &owner.gid))
		return WRONG(
			why, "names the group '%.*s', which does not exist here", SHOWN_MAX, group);
	*(struct io_owner *)field = owner;
	return 0;
}

static void owner_write(const struct option_row *option, const void *field, struct kr_text *text)
{
	const struct io_owner *owner = field;
	kr_assert(option->type == &io_option_owner);
	if (!owner->is_given)
		return;
	if (owner->uid != IO_NOBODY)
		kr_text_format(text, "%u", owner->uid);
	if (owner->gid != IO_NOBODY)
		kr_text_format(text, ":%u", owner->gid);
}

const struct option_type io_option_owner = {.size_bytes = sizeof(struct io_owner),
	.is_quoted = true,
	.read = owner_read,
	.write = owner_write};

struct io_socket_guard io_option_guard(uint32_t mode, const struct io_owner *owner)
{
	kr_assert(mode <= 0777);
	return (struct io_socket_guard){
		.mode = mode,
		.uid = owner->is_given ? owner->uid : IO_NOBODY,
		.gid = owner->is_given ? owner->gid : IO_NOBODY,
	};
}

/* ---- who can reach it ---- */

bool io_address_is_local(const struct io_address *address)
{
	static const uint8_t v6[16] = {[15] = 1};
	kr_assert(address->kind >= IO_ADDRESS_IP4 && address->kind <= IO_ADDRESS_INPROC);
	if (address->kind == IO_ADDRESS_IP4)
		return address->bytes[0] == 127;
	return address->kind >= IO_ADDRESS_UNIX || memcmp(address->bytes, v6, sizeof(v6)) == 0;
}

void io_option_check_local(struct option_set *set, const char *name,
	const struct io_address_list *list, const char *remedy)
{
	kr_assert(list->count <= IO_ADDRESS_LIST_MAX);
	for (uint32_t i = 0; i < list->count; i++) {
		char address[IO_ADDRESS_TEXT_SIZE];
		if (io_address_is_local(&list->items[i]))
			continue;
		io_address_format(&list->items[i], address);
		options_complain(set, name,
			"has %s, which can be reached from other machines, and nothing there asks "
			"who calls: %s",
			address, remedy);
	}
}

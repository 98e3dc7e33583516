#include "base/journal_entry.h"

#include <stdarg.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

#define OVERHEAD_SIZE (1 + sizeof(uint64_t) + 1) /* of the longer form, beside name and value */

void journal_entry_init(struct journal_entry *entry)
{
	kr_assert(entry != NULL);
	entry->length = 0;
	entry->is_cut = false;
}

static bool name_is_fit(const char *name)
{
	size_t length = 0;
	kr_assert(name != NULL);
	while ((name[length] >= 'A' && name[length] <= 'Z') ||
		(length > 0 &&
			((name[length] >= '0' && name[length] <= '9') || name[length] == '_')))
		length++;
	return name[length] == 0 && length > 0 && length <= JOURNAL_NAME_LENGTH_MAX;
}

static void append(struct journal_entry *entry, const void *bytes, size_t size_bytes)
{
	kr_assert(size_bytes <= sizeof(entry->bytes) - entry->length);
	memcpy(entry->bytes + entry->length, bytes, size_bytes);
	entry->length += size_bytes;
}

void journal_entry_put(struct journal_entry *entry, const char *name, const char *value)
{
	size_t name_length = strlen(name);
	size_t room = sizeof(entry->bytes) - entry->length;
	size_t length = strnlen(value, JOURNAL_VALUE_SIZE_MAX);
	uint8_t size[sizeof(uint64_t)];
	kr_assert(name_is_fit(name) && entry->length <= sizeof(entry->bytes));
	entry->is_cut = entry->is_cut || value[length] != 0;
	if (room <= name_length + OVERHEAD_SIZE) {
		entry->is_cut = true;
		return;
	}
	room -= name_length + OVERHEAD_SIZE;
	entry->is_cut = entry->is_cut || length > room;
	length = KR_MIN(length, room);
	append(entry, name, name_length);
	if (memchr(value, '\n', length) == NULL) {
		append(entry, "=", 1);
	} else {
		kr_store_u64(size, length);
		append(entry, "\n", 1);
		append(entry, size, sizeof(size));
	}
	append(entry, value, length);
	append(entry, "\n", 1);
}

void journal_entry_format(struct journal_entry *entry, const char *name, const char *format, ...)
{
	char bytes[JOURNAL_VALUE_SIZE_MAX + 1];
	struct kr_text text;
	va_list list;
	kr_assert(format != NULL);
	kr_text_init(&text, bytes, sizeof(bytes));
	va_start(list, format);
	kr_text_format_list(&text, format, list);
	va_end(list);
	entry->is_cut = entry->is_cut || text.is_cut;
	journal_entry_put(entry, name, bytes);
}

#include "tools/keyrack/type_list.h"

#include <string.h>

static bool word_add(struct type_list *types, const char *word, size_t length)
{
	if (length == 0)
		return false;
	if (strspn(word, "0123456789-") >= length)
		return value_list_add(&types->list, word, length, LINE_TYPE_MAX);
	if (length > LINE_CODE_MAX || types->code_count == TYPE_LIST_CODES_MAX)
		return false;
	memcpy(types->codes[types->code_count], word, length);
	types->codes[types->code_count++][length] = '\0';
	return true;
}

int type_list_parse(const char *text, struct type_list *ret_types, struct kr_error_text *error)
{
	kr_assert(text != NULL && ret_types != NULL);
	ret_types->list.count = 0;
	ret_types->code_count = 0;
	if (strcmp(text, "all") == 0)
		return 0;
	for (const char *at = text;; at++) {
		size_t length = strcspn(at, ",");
		if (!word_add(ret_types, at, length))
			return kr_error_text_set(error, -KR_E_INVALID, 0,
				"\"%s\" is no list of room types: write numbers up to %u, each "
				"once (0,1,5-9), up to %u codes (DBL,TWN), or all",
				text, LINE_TYPE_MAX, TYPE_LIST_CODES_MAX);
		at += length;
		if (*at == '\0')
			return 0;
	}
}

uint32_t type_list_count(const struct type_list *types)
{
	kr_assert(types->list.count <= VALUE_LIST_MAX);
	kr_assert(types->code_count <= TYPE_LIST_CODES_MAX);
	return types->list.count + types->code_count;
}

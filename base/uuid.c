#include "base/uuid.h"

#include <endian.h>
#include <string.h>

kr_static_assert(sizeof(struct kr_id) == KR_ID_SIZE, "no padding");

void kr_id_store(void *bytes, struct kr_id id)
{
	kr_assert(bytes != NULL);
	uint64_t words[2] = {htobe64(id.hi), htobe64(id.lo)};
	memcpy(bytes, words, sizeof(words));
}

struct kr_id kr_id_load(const void *bytes)
{
	uint64_t words[2];
	kr_assert(bytes != NULL);
	memcpy(words, bytes, sizeof(words));
	return (struct kr_id){.hi = be64toh(words[0]), .lo = be64toh(words[1])};
}

static bool is_dash(size_t index)
{
	kr_assert(index < KR_ID_TEXT_LENGTH);
	return index == 8 || index == 13 || index == 18 || index == 23;
}

void kr_id_format(struct kr_id id, char ret_text[static KR_ID_TEXT_SIZE])
{
	kr_assert(ret_text != NULL);
	unsigned shift = 128;
	for (size_t i = 0; i < KR_ID_TEXT_LENGTH; i++) {
		if (is_dash(i)) {
			ret_text[i] = '-';
			continue;
		}
		shift -= 4;
		uint64_t word = shift >= 64 ? id.hi : id.lo;
		ret_text[i] = "0123456789abcdef"[word >> shift % 64 & 15];
	}
	kr_assert(shift == 0);
	ret_text[KR_ID_TEXT_LENGTH] = '\0';
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

int kr_id_parse(const char *text, size_t length, struct kr_id *ret_id)
{
	kr_assert(ret_id != NULL);
	struct kr_id id = {0, 0};
	kr_assert(text != NULL);
	if (length != KR_ID_TEXT_LENGTH)
		return KR_ID_MALFORMED;
	for (size_t i = 0; i < KR_ID_TEXT_LENGTH; i++) {
		if (is_dash(i)) {
			if (text[i] != '-')
				return KR_ID_MALFORMED;
			continue;
		}
		int value = hex_value(text[i]);
		if (value < 0)
			return KR_ID_MALFORMED;
		id.hi = id.hi << 4 | id.lo >> 60;
		id.lo = id.lo << 4 | (uint64_t)value;
	}
	*ret_id = id;
	return 0;
}

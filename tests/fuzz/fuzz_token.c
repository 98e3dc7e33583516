/*
 * The text of a token file.
 *
 * Held: what is taken has numbers from 1 on, each once, at most as many as fit; written as lines it
 * is taken again as the same; what is refused says why.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/token.h"
#include "tests/fuzz/fuzz.h"

#define LINE_SIZE (8u + 2 * TOKEN_SIZE)

static struct token_set set, again;

static size_t write_lines(char *text, size_t size_bytes)
{
	size_t at = 0;
	for (uint32_t i = 0; i < set.count; i++) {
		at += (size_t)snprintf(text + at, size_bytes - at, "%u ", set.items[i].number);
		for (size_t byte = 0; byte < TOKEN_SIZE; byte++)
			at += (size_t)snprintf(
				text + at, size_bytes - at, "%02x", set.items[i].key[byte]);
		text[at++] = '\n';
		kr_assert(at < size_bytes);
	}
	return at;
}

static void check_taken(void)
{
	static char text[TOKEN_COUNT_MAX * LINE_SIZE];
	struct kr_error_text why = {0};

	kr_assert(set.count >= 1 && set.count <= TOKEN_COUNT_MAX);
	for (uint32_t i = 0; i < set.count; i++) {
		kr_assert(set.items[i].number >= 1 && set.items[i].number <= TOKEN_NUMBER_MAX);
		for (uint32_t j = 0; j < i; j++)
			kr_assert(set.items[i].number != set.items[j].number);
	}
	size_t size_bytes = write_lines(text, sizeof(text));
	memset(&again, 0, sizeof(again));
	int r = token_set_parse(&again, ACCESS_OPERATOR, text, size_bytes, "again", &why);
	kr_assert(r == 0 && again.count == set.count);
	kr_assert(memcmp(again.items, set.items, set.count * sizeof(set.items[0])) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct kr_error_text why = {0};

	if (size_bytes > TOKEN_FILE_SIZE_MAX)
		return 0;
	uint8_t *exact = fuzz_copy(data, size_bytes);
	memset(&set, 0, sizeof(set));
	int r = token_set_parse(
		&set, ACCESS_OPERATOR, (const char *)exact, size_bytes, "file", &why);
	if (r == 0)
		check_taken();
	else
		kr_assert(r == -KR_E_INVALID && why.bytes[0] != 0);
	free(exact);
	return 0;
}

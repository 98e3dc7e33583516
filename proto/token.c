#include "proto/token.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

/* So that no other use of the same key and nonce gives the same bytes. */
#define LABEL "keyrack token 1"
#define LABEL_SIZE sizeof(LABEL) /* its zero is part of it */

kr_static_assert(TOKEN_SIZE == crypto_generichash_KEYBYTES, "a token is a key");
kr_static_assert(TOKEN_PROOF_SIZE == crypto_generichash_BYTES, "a proof is a hash");

/* ---- files ---- */

struct line {
	const char *at, *end;
	unsigned number; /* in the file, from 1 */
};

static bool next_line(struct line *line, const char *end)
{
	kr_assert(line->end <= end);
	if (line->end == end)
		return false;
	line->at = line->number == 0 ? line->end : line->end + 1;
	if (line->at == end)
		return false;
	const char *newline = memchr(line->at, '\n', (size_t)(end - line->at));
	line->end = newline != NULL ? newline : end;
	line->number++;
	return true;
}

static const char *skip_blanks(const char *at, const char *end)
{
	kr_assert(at <= end);
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
		at++;
	return at;
}

static bool number_take(const char **at, const char *end, uint32_t *ret_number)
{
	uint32_t number = 0;
	kr_assert(*at <= end);
	for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
		number = number * 10 + (uint32_t)(**at - '0');
		if (number > TOKEN_NUMBER_MAX)
			return false;
	}
	*ret_number = number;
	return number > 0;
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

static bool key_take(const char **at, const char *end, uint8_t key[static TOKEN_SIZE])
{
	kr_assert(*at <= end);
	if ((size_t)(end - *at) < (size_t)TOKEN_SIZE * 2)
		return false;
	for (uint32_t i = 0; i < TOKEN_SIZE; i++, *at += 2) {
		int high = hex_value((*at)[0]), low = hex_value((*at)[1]);
		if (high < 0 || low < 0)
			return false;
		key[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* `NUMBER HEX` and nothing else. */
static bool token_take(const struct line *line, struct token *ret_token)
{
	const char *at = skip_blanks(line->at, line->end);
	kr_assert(ret_token != NULL);
	if (!number_take(&at, line->end, &ret_token->number))
		return false;
	const char *after = skip_blanks(at, line->end);
	if (after == at)
		return false;
	at = after;
	return key_take(&at, line->end, ret_token->key) && skip_blanks(at, line->end) == line->end;
}

static bool is_there(const struct token_set *set, const struct token *token)
{
	kr_assert(set->count <= TOKEN_COUNT_MAX);
	for (uint32_t i = 0; i < set->count; i++) {
		if (set->items[i].number == token->number ||
			sodium_memcmp(set->items[i].key, token->key, TOKEN_SIZE) == 0)
			return true;
	}
	return false;
}

static int line_add(struct token_set *set, enum access_role role, const struct line *line,
	const char *name, struct kr_error_text *text)
{
	struct token token = {.role = role};
	const char *wrong = NULL;
	kr_assert(set->count <= TOKEN_COUNT_MAX);
	if (!token_take(line, &token))
		wrong = "is no token: a number from 1 to 65535, a blank, 64 hexadecimal digits";
	else if (is_there(set, &token))
		wrong = "has a number or a token that is there already: each stands once, in one "
			"file";
	else if (set->count == TOKEN_COUNT_MAX)
		wrong = "is one token too many: 64 in all";
	if (wrong == NULL)
		set->items[set->count++] = token;
	sodium_memzero(&token, sizeof(token));
	return wrong == NULL ? 0
			     : kr_error_text_set(text, -KR_E_INVALID, 0, "%s:%u %s", name,
				       line->number, wrong);
}

int token_set_parse(struct token_set *set, enum access_role role, const char *bytes,
	size_t size_bytes, const char *name, struct kr_error_text *text)
{
	struct line line = {.at = bytes, .end = bytes};
	uint32_t before_count = set->count;
	kr_assert(role == ACCESS_BOOKING || role == ACCESS_OPERATOR);
	kr_assert(bytes != NULL);
	while (next_line(&line, bytes + size_bytes)) {
		const char *first = skip_blanks(line.at, line.end);
		if (first == line.end || *first == '#')
			continue;
		int r = line_add(set, role, &line, name, text);
		if (r < 0)
			return r;
	}
	if (set->count == before_count)
		return kr_error_text_set(text, -KR_E_INVALID, 0,
			"%s has no token: a line with a number from 1 to 65535, a blank, 64 "
			"hexadecimal digits",
			name);
	return 0;
}

void token_set_clear(struct token_set *set)
{
	kr_assert(set->count <= TOKEN_COUNT_MAX);
	sodium_memzero(set, sizeof(*set));
}

/* ---- proofs ---- */

void token_prove(const struct token *token, const uint8_t nonce[static TOKEN_NONCE_SIZE],
	uint8_t ret_proof[static TOKEN_PROOF_SIZE])
{
	uint8_t text[LABEL_SIZE + TOKEN_NONCE_SIZE];
	kr_assert(token->number > 0 && token->number <= TOKEN_NUMBER_MAX);
	memcpy(text, LABEL, LABEL_SIZE);
	memcpy(text + LABEL_SIZE, nonce, TOKEN_NONCE_SIZE);
	int r = crypto_generichash(
		ret_proof, TOKEN_PROOF_SIZE, text, sizeof(text), token->key, TOKEN_SIZE);
	kr_assert(r == 0);
}

const struct token *token_check(const struct token_set *set, uint32_t number,
	const uint8_t nonce[static TOKEN_NONCE_SIZE], const uint8_t proof[static TOKEN_PROOF_SIZE])
{
	static const struct token nobodys = {.number = 1};
	const struct token *token = &nobodys;
	uint8_t expected[TOKEN_PROOF_SIZE];
	kr_assert(set->count <= TOKEN_COUNT_MAX);
	for (uint32_t i = 0; i < set->count; i++) {
		if (set->items[i].number == number)
			token = &set->items[i];
	}
	token_prove(token, nonce, expected);
	bool is_right = sodium_memcmp(expected, proof, TOKEN_PROOF_SIZE) == 0;
	sodium_memzero(expected, sizeof(expected));
	return is_right && token != &nobodys ? token : NULL;
}

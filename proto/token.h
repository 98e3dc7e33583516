/*
 * Tokens: secrets of 32 bytes, in files, each with a number. Who has one proves it over TCP without
 * telling it: the server sends a nonce that it never uses twice, the client BLAKE2b-256 of the
 * nonce under the token as the key. A token shows who calls; it hides and protects nothing of what
 * is said afterwards.
 *
 * A file has a line for each token, `NUMBER HEX`: 1 to TOKEN_NUMBER_MAX, and 64 hexadecimal digits.
 * Lines that are empty or begin with # are left out. A server takes any token of its files, so that
 * a new one can be handed out before the old one goes; a client has the first of its file.
 */
#ifndef PROTO_TOKEN_H
#define PROTO_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/error.h"
#include "proto/access.h"

#define TOKEN_SIZE 32u
#define TOKEN_NONCE_SIZE 32u
#define TOKEN_PROOF_SIZE 32u
#define TOKEN_COUNT_MAX 64u
#define TOKEN_NUMBER_MAX 65535u
#define TOKEN_FILE_SIZE_MAX 16384u

struct token {
	uint32_t number;
	enum access_role role;
	uint8_t key[TOKEN_SIZE];
};

struct token_set {
	uint32_t count;
	struct token items[TOKEN_COUNT_MAX];
};

/*
 * Adds the tokens of a text, all for `role`. 0, or -KR_E_INVALID with a sentence: a line that is
 * none, a number or a token that is there already, more than TOKEN_COUNT_MAX, or no token at all.
 * `name` begins the sentence. Pure.
 */
KR_MUST_CHECK int token_set_parse(struct token_set *set, enum access_role role, const char *bytes,
	size_t size_bytes, const char *name, struct kr_error_text *text);
/* The same from a file that nobody else may read (base/secret_file.h), with its errors. */
KR_MUST_CHECK int token_set_read(
	struct token_set *set, enum access_role role, const char *path, struct kr_error_text *text);
/* Leaves nothing of it in memory. */
void token_set_clear(struct token_set *set);

void token_prove(const struct token *token, const uint8_t nonce[static TOKEN_NONCE_SIZE],
	uint8_t ret_proof[static TOKEN_PROOF_SIZE]);
/* The token of that number, if this is its proof; else NULL. Takes as long whatever is wrong. */
const struct token *token_check(const struct token_set *set, uint32_t number,
	const uint8_t nonce[static TOKEN_NONCE_SIZE], const uint8_t proof[static TOKEN_PROOF_SIZE]);

#endif

#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/token.h"

#define A "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"
#define B "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static struct token_set set;
static struct kr_error_text text;

static int parse(const char *bytes)
{
	memset(&set, 0, sizeof(set));
	return token_set_parse(&set, ACCESS_BOOKING, bytes, strlen(bytes), "file", &text);
}

Test(token, a_file_has_a_line_for_each)
{
	cr_assert_eq(parse("# ours\n\n  7 " A "\r\n65535\t" B), 0);
	cr_assert_eq(set.count, 2);
	cr_assert_eq(set.items[0].number, 7);
	cr_assert_eq(set.items[1].number, 65535);
	cr_assert_eq(set.items[0].role, ACCESS_BOOKING);
	for (uint8_t i = 0; i < TOKEN_SIZE; i++)
		cr_assert_eq(set.items[0].key[i], i);
	cr_assert_eq(token_set_parse(&set, ACCESS_OPERATOR, "1 " A, 2 + 64, "other", &text),
		-KR_E_INVALID, "one token, two roles");
	cr_assert_eq(set.count, 2);
}

static void refused(const char *bytes, const char *sentence)
{
	cr_assert_eq(parse(bytes), -KR_E_INVALID, "%s", bytes);
	cr_assert_not_null(strstr(text.bytes, sentence), "%s: %s", bytes, text.bytes);
}

Test(token, what_is_no_token_is_told_by_its_line)
{
	refused("", "file has no token");
	refused("# nothing\n\n", "file has no token");
	refused(A "\n", "file:1 is no token");
	refused("0 " A, "file:1 is no token");
	refused("65536 " A, "file:1 is no token");
	refused("99999999999999999999 " A, "file:1 is no token");
	refused("-1 " A, "file:1 is no token");
	refused("1" A, "file:1 is no token");
	refused("1 \n", "file:1 is no token");
	refused("\n1 " A "0\n", "file:2 is no token");
	refused("1 0001\n", "file:1 is no token");
	refused("1 " A " x\n", "file:1 is no token");
	refused("1 g" A, "file:1 is no token");
	refused("1 " A "\n1 " B, "file:2 has a number or a token that is there already");
	refused("1 " A "\n2 " A, "file:2 has a number or a token that is there already");
}

Test(token, there_are_only_so_many)
{
	static char bytes[TOKEN_FILE_SIZE_MAX];
	struct kr_text lines;
	kr_text_init(&lines, bytes, sizeof(bytes));
	for (unsigned i = 1; i <= TOKEN_COUNT_MAX; i++)
		kr_text_format(&lines, "%u %064x\n", i, i);
	cr_assert_eq(parse(bytes), 0);
	cr_assert_eq(set.count, TOKEN_COUNT_MAX);
	kr_text_format(&lines, "100 " A "\n");
	cr_assert(!lines.is_cut);
	refused(bytes, "file:65 is one token too many");
}

/* hashlib.blake2b(b"keyrack token 1\0" + nonce, digest_size=32, key=key) */
Test(token, a_proof_is_what_other_implementations_make_of_it)
{
	static const uint8_t expected[TOKEN_PROOF_SIZE] = {0xa5, 0xc4, 0x10, 0x97, 0xfb, 0xb4, 0xb7,
		0x71, 0xe2, 0x62, 0x34, 0xdb, 0x30, 0x55, 0x50, 0xc0, 0xf7, 0x2e, 0xe2, 0x25, 0xd3,
		0xee, 0x03, 0xfd, 0x08, 0xbe, 0x00, 0x43, 0xf5, 0x57, 0x70, 0x3c};
	uint8_t nonce[TOKEN_NONCE_SIZE], proof[TOKEN_PROOF_SIZE];
	for (uint8_t i = 0; i < TOKEN_NONCE_SIZE; i++)
		nonce[i] = (uint8_t)(100 + i);
	cr_assert_eq(parse("1 " A), 0);
	token_prove(&set.items[0], nonce, proof);
	cr_assert_eq(memcmp(proof, expected, sizeof(proof)), 0);
}

Test(token, a_proof_is_of_one_token_number_and_nonce)
{
	uint8_t nonce[TOKEN_NONCE_SIZE] = {1}, proof[TOKEN_PROOF_SIZE];
	cr_assert_eq(parse("1 " A "\n2 " B), 0);
	token_prove(&set.items[1], nonce, proof);
	cr_assert_eq(token_check(&set, 2, nonce, proof), &set.items[1]);
	cr_assert_null(token_check(&set, 1, nonce, proof));
	cr_assert_null(token_check(&set, 0, nonce, proof));
	cr_assert_null(token_check(&set, 3, nonce, proof));
	for (unsigned bit = 0; bit < TOKEN_PROOF_SIZE * 8; bit++) {
		proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
		cr_assert_null(token_check(&set, 2, nonce, proof));
		proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
		nonce[bit / 8] ^= (uint8_t)(1u << bit % 8);
		cr_assert_null(token_check(&set, 2, nonce, proof));
		nonce[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	struct token nobodys = {.number = 1};
	token_prove(&nobodys, nonce, proof);
	cr_assert_null(token_check(&set, 9, nonce, proof), "no key is no token's");
}

Test(token, clearing_leaves_nothing)
{
	static const struct token_set nothing;
	cr_assert_eq(parse("1 " A), 0);
	token_set_clear(&set);
	cr_assert_eq(memcmp(&set, &nothing, sizeof(set)), 0);
}

/* ---- files ---- */

static char path[] = "/tmp/keyrack-token-XXXXXX";

static void file_put(const char *bytes, mode_t mode)
{
	static bool is_there;
	int fd = is_there ? open(path, O_WRONLY | O_TRUNC) : mkstemp(path);
	is_there = true;
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
}

static int file_read(void)
{
	memset(&set, 0, sizeof(set));
	return token_set_read(&set, ACCESS_OPERATOR, path, &text);
}

Test(token, a_file_that_others_may_read_or_write_is_refused)
{
	static const mode_t wrong[] = {0604, 0640, 0620, 0602, 0610, 0601, 0666, 0777};
	file_put("3 " A "\n", 0600);
	cr_assert_eq(file_read(), 0, "%s", text.bytes);
	cr_assert_eq(set.items[0].number, 3);
	for (size_t i = 0; i < KR_ARRAY_COUNT(wrong); i++) {
		file_put("3 " A "\n", wrong[i]);
		cr_assert_eq(file_read(), -KR_E_PERMISSION, "%o", wrong[i]);
		cr_assert_not_null(strstr(text.bytes, "chmod 600"), "%s", text.bytes);
		cr_assert_eq(set.count, 0);
	}
	file_put("3 " A "\n", 0400);
	cr_assert_eq(file_read(), 0);
	unlink(path);
}

Test(token, a_file_lent_by_the_service_manager_may_show_its_access_lists_mask)
{
	file_put("3 " A "\n", 0440);
	cr_assert_eq(file_read(), -KR_E_PERMISSION);
	setenv("CREDENTIALS_DIRECTORY", "/tmp", 1);
	cr_assert_eq(file_read(), 0, "%s", text.bytes);
	file_put("3 " A "\n", 0444);
	cr_assert_eq(file_read(), -KR_E_PERMISSION, "but never all the world");
	file_put("3 " A "\n", 0440);
	setenv("CREDENTIALS_DIRECTORY", "/tm", 1);
	cr_assert_eq(file_read(), -KR_E_PERMISSION);
	unlink(path);
}

Test(token, what_is_no_file_is_refused_and_waits_for_nobody)
{
	static char large[TOKEN_FILE_SIZE_MAX + 1];
	memset(large, '#', TOKEN_FILE_SIZE_MAX);
	file_put(large, 0600);
	cr_assert_eq(file_read(), -KR_E_INVALID);
	unlink(path);
	cr_assert_eq(file_read(), -KR_E_NOENT);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(file_read(), -KR_E_INVALID, "%s", text.bytes);
	unlink(path);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_assert_lt(file_read(), 0);
	rmdir(path);
}

#include "bench/outcome.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"

#define CAPACITY_FIRST 1024u
#define CELL_LINE_SIZE 64u

/* Room for one more. */
static void *grow(void *array, size_t count, size_t *capacity, size_t size_bytes)
{
	if (count < *capacity)
		return array;
	*capacity = *capacity == 0 ? CAPACITY_FIRST : *capacity * 2;
	array = realloc(array, *capacity * size_bytes);
	kr_assert(array != NULL);
	return array;
}

void outcome_refused_add(struct outcome *o, uint64_t booking)
{
	o->refused = grow(o->refused, o->refused_count, &o->refused_capacity, sizeof(*o->refused));
	kr_assert(o->refused_count < o->refused_capacity);
	o->refused[o->refused_count++] = booking;
}

void outcome_cell_add(struct outcome *o, const char *code, int32_t day, uint32_t booked)
{
	char date[CIVIL_DATE_TEXT_SIZE], line[CELL_LINE_SIZE];
	if (booked == 0)
		return;
	civil_day_format(day, date);
	const int length = snprintf(line, sizeof(line), "%s,%s,%u", code, date, booked);
	kr_assert(length > 0 && (size_t)length < sizeof(line));
	o->cells = grow(o->cells, o->cell_count, &o->cell_capacity, sizeof(*o->cells));
	o->cells[o->cell_count] = strdup(line);
	kr_assert(o->cells[o->cell_count] != NULL);
	o->cell_count++;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static void hash_part(crypto_hash_sha256_state *hash, const char *text, bool is_first)
{
	if (!is_first)
		crypto_hash_sha256_update(hash, (const unsigned char *)"\n", 1);
	crypto_hash_sha256_update(hash, (const unsigned char *)text, strlen(text));
}

static void hash_end(crypto_hash_sha256_state *hash, char ret_hex[OUTCOME_HEX_SIZE])
{
	unsigned char bytes[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_final(hash, bytes);
	(void)sodium_bin2hex(ret_hex, OUTCOME_HEX_SIZE, bytes, sizeof(bytes));
}

static void hash_refused(const struct outcome *o, char ret_hex[OUTCOME_HEX_SIZE])
{
	crypto_hash_sha256_state hash;
	crypto_hash_sha256_init(&hash);
	for (size_t i = 0; i < o->refused_count; i++) {
		char text[24];
		kr_assert(i == 0 || o->refused[i] > o->refused[i - 1]);
		snprintf(text, sizeof(text), "%" PRIu64, o->refused[i]);
		hash_part(&hash, text, i == 0);
	}
	hash_end(&hash, ret_hex);
}

static void hash_cells(const struct outcome *o, char ret_hex[OUTCOME_HEX_SIZE])
{
	crypto_hash_sha256_state hash;
	crypto_hash_sha256_init(&hash);
	for (size_t i = 0; i < o->cell_count; i++) {
		kr_assert(i == 0 || strcmp(o->cells[i], o->cells[i - 1]) > 0);
		hash_part(&hash, o->cells[i], i == 0);
	}
	hash_end(&hash, ret_hex);
}

void outcome_hash(struct outcome *o, char ret_refused_hex[OUTCOME_HEX_SIZE],
	char ret_cells_hex[OUTCOME_HEX_SIZE])
{
	if (o->refused_count > 0)
		qsort(o->refused, o->refused_count, sizeof(*o->refused), by_number);
	if (o->cell_count > 0)
		qsort(o->cells, o->cell_count, sizeof(*o->cells), by_text);
	hash_refused(o, ret_refused_hex);
	hash_cells(o, ret_cells_hex);
}

void outcome_fini(struct outcome *o)
{
	for (size_t i = 0; i < o->cell_count; i++)
		free(o->cells[i]);
	free(o->cells);
	free(o->refused);
	*o = (struct outcome){0};
}

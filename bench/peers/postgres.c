/*
 * PostgreSQL, protocol 3. Statements are prepared once on each connection; a request is Bind,
 * Execute, Sync in binary, many of which are in flight. Two ways to book: one call of a function,
 * and UPDATE with INSERT, which what is between two Syncs makes one transaction.
 */
#include <stdio.h>
#include <string.h>

#include "bench/peers/peer.h"

#define PROTOCOL_VERSION 196608u /* 3.0 */
#define HEAD_SIZE 5u             /* a type and 32 bits that count themselves */

/* ---- what is sent ---- */

static size_t open_message(struct peer_writer *w, char type)
{
	peer_put_be(w, (uint8_t)type, 1);
	peer_put_be(w, 0, 4);
	return w->count - 4;
}

static void close_message(struct peer_writer *w, size_t length_at)
{
	struct peer_writer back = {.out = w->out, .count = length_at};
	kr_assert(w->count >= length_at + 4);
	peer_put_be(&back, w->count - length_at, 4);
}

static void put_string(struct peer_writer *w, const char *text)
{
	peer_put(w, text, strlen(text) + 1);
}

static void put_parse(struct peer_writer *w, const char *name, const char *sql)
{
	const size_t at = open_message(w, 'P');
	put_string(w, name);
	put_string(w, sql);
	peer_put_be(w, 0, 2); /* types as the statement says */
	close_message(w, at);
}

static void put_sync(struct peer_writer *w)
{
	close_message(w, open_message(w, 'S'));
}

static size_t greet(const struct peer_config *config, uint8_t *out)
{
	struct peer_writer w = {.out = out};
	kr_assert(config->user != NULL);
	peer_put_be(&w, 0, 4);
	peer_put_be(&w, PROTOCOL_VERSION, 4);
	put_string(&w, "user");
	put_string(&w, config->user);
	put_string(&w, "database");
	put_string(&w, "keyrack");
	peer_put_be(&w, 0, 1);
	close_message(&w, 0);
	put_parse(&w, "book", "select book($1::int, $2::int, $3::int, $4::uuid)");
	put_parse(&w, "read",
		"select array_agg(rooms - sold)::smallint[] from "
		"(select rooms, sold from cell where row_id = $1::int and night >= $2::int and "
		"night < $2::int + $3::int order by night) nights");
	put_parse(&w, "update",
		"update cell set sold = sold + 1 where row_id = $1::int and night >= $2::int and "
		"night < $2::int + $3::int");
	put_parse(&w, "insert",
		"insert into booking (row_id, night, nights, id) values ($1::int, $2::int, "
		"$3::int, "
		"$4::uuid)");
	put_sync(&w);
	return w.count;
}

static void put_execute(
	struct peer_writer *w, const char *statement, const struct peer_request *r, bool has_id)
{
	size_t at = open_message(w, 'B');
	const uint32_t numbers[] = {r->row, r->night, r->nights};
	put_string(w, "");
	put_string(w, statement);
	peer_put_be(w, 0x00010001, 4); /* one format for all parameters: binary */
	peer_put_be(w, KR_ARRAY_COUNT(numbers) + has_id, 2);
	for (size_t i = 0; i < KR_ARRAY_COUNT(numbers); i++) {
		peer_put_be(w, 4, 4);
		peer_put_be(w, numbers[i], 4);
	}
	if (has_id) {
		peer_put_be(w, sizeof(r->id), 4);
		peer_put(w, r->id, sizeof(r->id));
	}
	peer_put_be(w, 0x00010001, 4); /* and for what comes back */
	close_message(w, at);
	at = open_message(w, 'E');
	put_string(w, "");
	peer_put_be(w, 0, 4);
	close_message(w, at);
}

static size_t encode(
	const struct peer_config *config, const struct peer_request *request, uint8_t *out)
{
	struct peer_writer w = {.out = out};
	kr_assert(config != NULL && request->nights > 0);
	put_execute(&w, request->kind == PEER_BOOK ? "book" : "read", request,
		request->kind == PEER_BOOK);
	put_sync(&w);
	return w.count;
}

static size_t encode_update(
	const struct peer_config *config, const struct peer_request *request, uint8_t *out)
{
	struct peer_writer w = {.out = out};
	if (request->kind != PEER_BOOK)
		return encode(config, request, out);
	put_execute(&w, "update", request, false);
	put_execute(&w, "insert", request, true);
	put_sync(&w);
	return w.count;
}

/* ---- what is heard ---- */

/* The size of the message at the front; 0: not whole yet; PEER_MALFORMED. */
static int64_t message_size(const uint8_t *bytes, size_t count)
{
	if (count < HEAD_SIZE)
		return 0;
	const uint64_t size = peer_get_be(bytes + 1, 4) + 1;
	if (size < HEAD_SIZE || size > PEER_ANSWER_SIZE_MAX)
		return PEER_MALFORMED;
	return size <= count ? (int64_t)size : 0;
}

static int64_t greeted(const uint8_t *bytes, size_t count)
{
	size_t at = 0;
	/* One is ready after the start-up, one after the Sync behind the statements. */
	for (unsigned ready = 0; ready < 2;) {
		const int64_t size = message_size(bytes + at, count - at);
		if (size <= 0)
			return size;
		if (bytes[at] == 'E')
			return PEER_MALFORMED;
		ready += bytes[at] == 'Z';
		at += (size_t)size;
	}
	return (int64_t)at;
}

/* By the SQLSTATE in an ErrorResponse: a check (sold out), a unique key (repeated), else. */
static enum peer_outcome error_outcome(const uint8_t *message, size_t size)
{
	for (size_t at = HEAD_SIZE; at + 6 < size && message[at] != 0;) {
		const uint8_t *text = message + at + 1;
		const uint8_t *end = memchr(text, 0, size - at - 1);
		if (message[at] == 'C' && memcmp(text, "23514", 5) == 0)
			return PEER_REFUSED;
		if (message[at] == 'C' && memcmp(text, "23505", 5) == 0)
			return PEER_REPEATED;
		if (end == NULL)
			break;
		at = (size_t)(end - message) + 1;
	}
	return PEER_FAILED;
}

/* The function answers one column of 32 bits: 0 refused, 1 done, 2 repeated. */
static enum peer_outcome row_outcome(const uint8_t *message, size_t size)
{
	static const enum peer_outcome outcomes[] = {PEER_REFUSED, PEER_DONE, PEER_REPEATED};
	if (size != HEAD_SIZE + 2 + 4 + 4)
		return PEER_DONE; /* a read */
	const uint64_t value = peer_get_be(message + HEAD_SIZE + 6, 4);
	return value < KR_ARRAY_COUNT(outcomes) ? outcomes[value] : PEER_FAILED;
}

static int64_t decode(const uint8_t *bytes, size_t count, struct peer_answer *ret)
{
	struct peer_answer answer = {PEER_DONE, PEER_SLOT_NONE};
	size_t at = 0;
	for (bool is_ready = false; !is_ready;) {
		const uint8_t *message = bytes + at;
		const int64_t size = message_size(message, count - at);
		if (size <= 0)
			return size;
		if (message[0] == 'E')
			answer.outcome = error_outcome(message, (size_t)size);
		else if (message[0] == 'D')
			answer.outcome = row_outcome(message, (size_t)size);
		is_ready = message[0] == 'Z';
		at += (size_t)size;
	}
	*ret = answer;
	return (int64_t)at;
}

/* ---- the null server: each message has its own answer ---- */

static struct peer_serving serve(const uint8_t *bytes, size_t count, uint8_t *answer)
{
	static const uint8_t okay[] = {'R', 0, 0, 0, 8, 0, 0, 0, 0};
	static const uint8_t ready[] = {'Z', 0, 0, 0, 5, 'I'};
	static const uint8_t row[] = {'D', 0, 0, 0, 14, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1};
	static const uint8_t complete[] = {
		'C', 0, 0, 0, 13, 'S', 'E', 'L', 'E', 'C', 'T', ' ', '1', 0};
	struct peer_writer w = {.out = answer};
	const bool is_start = count >= 4 && bytes[0] == 0; /* has no type */
	int64_t size = message_size(bytes, count);
	if (is_start)
		size = peer_get_be(bytes, 4) <= count ? (int64_t)peer_get_be(bytes, 4) : 0;
	if (size <= 0)
		return (struct peer_serving){.taken_bytes = size};
	if (is_start) {
		peer_put(&w, okay, sizeof(okay));
		peer_put(&w, ready, sizeof(ready));
	} else if (bytes[0] == 'P' || bytes[0] == 'B') {
		peer_put_be(&w, bytes[0] == 'P' ? '1' : '2', 1);
		peer_put_be(&w, 4, 4);
	} else if (bytes[0] == 'E') {
		peer_put(&w, row, sizeof(row));
		peer_put(&w, complete, sizeof(complete));
	} else if (bytes[0] == 'S') {
		peer_put(&w, ready, sizeof(ready));
	} else {
		size = PEER_MALFORMED;
	}
	return (struct peer_serving){size, (uint32_t)w.count};
}

const struct peer_protocol peer_postgres = {
	.name = "postgres",
	.greet = greet,
	.greeted = greeted,
	.encode = encode,
	.decode = decode,
	.serve = serve,
};

const struct peer_protocol peer_postgres_update = {
	.name = "postgres-update",
	.greet = greet,
	.greeted = greeted,
	.encode = encode_update,
	.decode = decode,
	.serve = serve,
};

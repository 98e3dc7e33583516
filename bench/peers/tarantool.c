/*
 * Tarantool, IPROTO: msgpack behind a length. A booking is a CALL of a stored procedure, a
 * read is a SELECT of packed tuples: no procedure is faster. Answers carry the request's sync
 * number, which is its slot, and may come in another order.
 */
#include <string.h>

#include "bench/peers/peer.h"

enum {
	KEY_TYPE = 0x00,
	KEY_SYNC = 0x01,
	KEY_SPACE = 0x10,
	KEY_INDEX = 0x11,
	KEY_LIMIT = 0x12,
	KEY_OFFSET = 0x13,
	KEY_ITERATOR = 0x14,
	KEY_KEY = 0x20,
	KEY_TUPLE = 0x21,
	KEY_FUNCTION = 0x22,
	KEY_DATA = 0x30,
};
enum { TYPE_SELECT = 0x01, TYPE_CALL = 0x0a };
enum { ITERATOR_GE = 5 };
/* As tarantool.lua lays it out: the first space that is made, a tuple for 32 nights of a row. */
enum { SPACE_NIGHTS = 512, BLOCK_NIGHTS = 32, ROW_BLOCKS = 12 };
#define GREETING_SIZE 128u
#define LENGTH_SIZE 5u /* 0xce and 32 bits */

static size_t greet(const struct peer_config *config, uint8_t *out)
{
	kr_assert(config != NULL && out != NULL);
	return 0;
}

static int64_t greeted(const uint8_t *bytes, size_t count)
{
	if (count < GREETING_SIZE)
		return 0;
	return memcmp(bytes, "Tarantool", 9) == 0 ? (int64_t)GREETING_SIZE : PEER_MALFORMED;
}

static void put_text(struct peer_writer *w, const char *text)
{
	const size_t length = strlen(text);
	kr_assert(length < 32);
	peer_put_be(w, 0xa0 | length, 1);
	peer_put(w, text, length);
}

static void put_uint(struct peer_writer *w, uint32_t number)
{
	if (number < 128) {
		peer_put_be(w, number, 1);
	} else if (number < 65536) {
		peer_put_be(w, 0xcd, 1);
		peer_put_be(w, number, 2);
	} else {
		peer_put_be(w, 0xce, 1);
		peer_put_be(w, number, 4);
	}
}

/* A read needs no procedure: its nights are in one block or in two that follow each other. */
static void put_select(struct peer_writer *w, const struct peer_request *request)
{
	const uint32_t block = request->night / BLOCK_NIGHTS;
	const uint32_t last = (uint32_t)(request->night + request->nights - 1) / BLOCK_NIGHTS;
	peer_put_be(w, 0x86, 1);
	peer_put_be(w, KEY_SPACE, 1);
	put_uint(w, SPACE_NIGHTS);
	peer_put_be(w, KEY_INDEX, 1);
	put_uint(w, 0);
	peer_put_be(w, KEY_LIMIT, 1);
	put_uint(w, last - block + 1);
	peer_put_be(w, KEY_OFFSET, 1);
	put_uint(w, 0);
	peer_put_be(w, KEY_ITERATOR, 1);
	put_uint(w, ITERATOR_GE);
	peer_put_be(w, KEY_KEY, 1);
	peer_put_be(w, 0x91, 1);
	put_uint(w, request->row * ROW_BLOCKS + block);
}

static void put_call(struct peer_writer *w, const struct peer_request *request)
{
	peer_put_be(w, 0x82, 1);
	peer_put_be(w, KEY_FUNCTION, 1);
	put_text(w, "book");
	peer_put_be(w, KEY_TUPLE, 1);
	peer_put_be(w, 0x94, 1);
	put_uint(w, request->row);
	put_uint(w, request->night);
	put_uint(w, request->nights);
	peer_put_be(w, 0xa0 | sizeof(request->id), 1);
	peer_put(w, request->id, sizeof(request->id));
}

static size_t encode(
	const struct peer_config *config, const struct peer_request *request, uint8_t *out)
{
	struct peer_writer w = {.out = out, .count = LENGTH_SIZE}, head = {.out = out};
	kr_assert(config != NULL && request->kind < PEER_KINDS && request->nights > 0);
	peer_put_be(&w, 0x82, 1);
	peer_put_be(&w, KEY_TYPE, 1);
	peer_put_be(&w, request->kind == PEER_BOOK ? TYPE_CALL : TYPE_SELECT, 1);
	peer_put_be(&w, KEY_SYNC, 1);
	put_uint(&w, request->slot);
	if (request->kind == PEER_BOOK)
		put_call(&w, request);
	else
		put_select(&w, request);
	peer_put_be(&head, 0xce, 1);
	peer_put_be(&head, w.count - LENGTH_SIZE, 4);
	return w.count;
}

/* ---- msgpack ---- */

struct cursor {
	const uint8_t *at, *end;
	bool is_bad;
};

static uint64_t take_be(struct cursor *c, unsigned width_bytes)
{
	if (c->end - c->at < (ptrdiff_t)width_bytes) {
		c->is_bad = true;
		return 0;
	}
	const uint64_t value = peer_get_be(c->at, width_bytes);
	c->at += width_bytes;
	return value;
}

/* An unsigned number of any width. */
static uint64_t take_uint(struct cursor *c)
{
	const uint8_t type = (uint8_t)take_be(c, 1);
	if (type < 0x80)
		return type;
	if (type < 0xcc || type > 0xcf) {
		c->is_bad = true;
		return 0;
	}
	return take_be(c, 1u << (type - 0xcc));
}

static uint32_t take_count(struct cursor *c, uint8_t small, uint8_t wide)
{
	const uint8_t type = (uint8_t)take_be(c, 1);
	if ((type & 0xf0) == small)
		return type & 0x0f;
	if (type == wide)
		return (uint32_t)take_be(c, 2);
	if (type == wide + 1)
		return (uint32_t)take_be(c, 4);
	c->is_bad = true;
	return 0;
}

static enum peer_outcome outcome_read(struct cursor *c, uint64_t code)
{
	static const enum peer_outcome outcomes[] = {PEER_REFUSED, PEER_DONE, PEER_REPEATED};
	if (code != 0)
		return PEER_FAILED;
	if (take_count(c, 0x80, 0xde) != 1 || take_uint(c) != KEY_DATA)
		c->is_bad = true;
	if (take_count(c, 0x90, 0xdc) == 0)
		c->is_bad = true;
	if (c->is_bad || c->at == c->end)
		return PEER_FAILED;
	if (*c->at >= 0x80) /* a read's tuple */
		return PEER_DONE;
	return *c->at < KR_ARRAY_COUNT(outcomes) ? outcomes[*c->at] : PEER_FAILED;
}

static int64_t decode(const uint8_t *bytes, size_t count, struct peer_answer *ret)
{
	if (count < LENGTH_SIZE)
		return 0;
	const uint64_t size = peer_get_be(bytes + 1, 4) + LENGTH_SIZE;
	if (bytes[0] != 0xce || size > PEER_ANSWER_SIZE_MAX)
		return PEER_MALFORMED;
	if (size > count)
		return 0;
	struct cursor c = {.at = bytes + LENGTH_SIZE, .end = bytes + size};
	uint64_t code = UINT64_MAX, sync = PEER_SLOT_NONE;
	for (uint32_t left = take_count(&c, 0x80, 0xde); left > 0 && !c.is_bad; left--) {
		const uint64_t key = take_uint(&c), value = take_uint(&c);
		code = key == KEY_TYPE ? value : code;
		sync = key == KEY_SYNC ? value : sync;
	}
	const enum peer_outcome outcome = c.is_bad ? PEER_FAILED : outcome_read(&c, code);
	if (c.is_bad || sync >= PEER_SLOT_NONE)
		return PEER_MALFORMED;
	*ret = (struct peer_answer){outcome, (uint32_t)sync};
	return (int64_t)size;
}

/* ---- the null server ---- */

static size_t welcome(uint8_t *out)
{
	memset(out, ' ', GREETING_SIZE);
	memcpy(out, "Tarantool", 9);
	return GREETING_SIZE;
}

static struct peer_serving serve(const uint8_t *bytes, size_t count, uint8_t *answer)
{
	static const uint8_t head[] = {
		0xce, 0, 0, 0, 15, 0x83, KEY_TYPE, 0, 0x05, 1, KEY_SYNC, 0xce};
	static const uint8_t body[] = {0x81, KEY_DATA, 0x91};
	struct peer_writer w = {.out = answer};
	if (count < LENGTH_SIZE)
		return (struct peer_serving){0};
	const uint64_t size = peer_get_be(bytes + 1, 4) + LENGTH_SIZE;
	if (bytes[0] != 0xce || size > PEER_REQUEST_SIZE_MAX)
		return (struct peer_serving){.taken_bytes = PEER_MALFORMED};
	if (size > count)
		return (struct peer_serving){0};
	struct cursor c = {.at = bytes + LENGTH_SIZE, .end = bytes + size};
	(void)take_count(&c, 0x80, 0xde);
	(void)take_be(&c, 3); /* type, call, the key of sync */
	const uint64_t sync = take_uint(&c);
	if (c.is_bad)
		return (struct peer_serving){.taken_bytes = PEER_MALFORMED};
	/* As if it were a booking; a read takes the same number for its bytes. */
	peer_put(&w, head, sizeof(head));
	peer_put_be(&w, sync, 4);
	peer_put(&w, body, sizeof(body));
	peer_put_be(&w, 1, 1);
	answer[4] = (uint8_t)(w.count - LENGTH_SIZE);
	return (struct peer_serving){(int64_t)size, (uint32_t)w.count};
}

const struct peer_protocol peer_tarantool = {
	.name = "tarantool",
	.greet = greet,
	.greeted = greeted,
	.encode = encode,
	.decode = decode,
	.welcome = welcome,
	.serve = serve,
};

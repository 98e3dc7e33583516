/*
 * Redis, RESP2. A booking is one EVALSHA of the loaded script: row key, id key, first night,
 * nights. A read is GETRANGE of the row's bytes: no script is faster than the command itself.
 */
#include <string.h>

#include "bench/peers/peer.h"

#define CELL_SIZE 4u /* two numbers of 16 bits: sold, limit */

static size_t greet(const struct peer_config *config, uint8_t *out)
{
	kr_assert(config != NULL && out != NULL);
	return 0;
}

static void put_bulk(struct peer_writer *w, const void *bytes, size_t count)
{
	const char head[] = {(char)('0' + count / 10), (char)('0' + count % 10), '\r', '\n'};
	const size_t skip = count < 10; /* of two digits, one is enough */
	kr_assert(count < 100);
	peer_put(w, "$", 1);
	peer_put(w, head + skip, sizeof(head) - skip);
	peer_put(w, bytes, count);
	peer_put_text(w, "\r\n");
}

/* "$<length>\r\n<prefix><number>\r\n"; an empty prefix is 0. */
static void put_number(struct peer_writer *w, char prefix, uint32_t number)
{
	char digits[12];
	size_t at = sizeof(digits);
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	if (prefix != 0)
		digits[--at] = prefix;
	put_bulk(w, digits + at, sizeof(digits) - at);
}

static size_t encode(
	const struct peer_config *config, const struct peer_request *request, uint8_t *out)
{
	struct peer_writer w = {.out = out};
	kr_assert(request->kind < PEER_KINDS && request->nights > 0);
	if (request->kind == PEER_READ) {
		peer_put_text(&w, "*4\r\n$8\r\nGETRANGE\r\n");
		put_number(&w, 'r', request->row);
		put_number(&w, 0, request->night * CELL_SIZE);
		put_number(&w, 0, (uint32_t)(request->night + request->nights) * CELL_SIZE - 1);
		return w.count;
	}
	kr_assert(config->script != NULL);
	peer_put_text(&w, "*6\r\n$7\r\nEVALSHA\r\n");
	put_bulk(&w, config->script, strlen(config->script));
	peer_put_text(&w, "$1\r\n2\r\n");
	put_number(&w, 'r', request->row);
	put_bulk(&w, request->id, sizeof(request->id));
	put_number(&w, 0, request->night);
	return w.count;
}

/* "<digits>\r\n" behind a type's byte. The size of the line with its type; 0, PEER_MALFORMED. */
static int64_t line_read(const uint8_t *bytes, size_t count, int64_t *ret_number)
{
	int64_t number = 0;
	size_t at = 1;
	const bool is_negative = count > 1 && bytes[1] == '-';
	for (at += is_negative; at < count && bytes[at] >= '0' && bytes[at] <= '9'; at++) {
		if (at > 10)
			return PEER_MALFORMED;
		number = number * 10 + bytes[at] - '0';
	}
	if (at + 1 >= count)
		return count > 16 ? PEER_MALFORMED : 0;
	if (bytes[at] != '\r' || bytes[at + 1] != '\n')
		return PEER_MALFORMED;
	*ret_number = is_negative ? -number : number;
	return (int64_t)at + 2;
}

static int64_t error_read(const uint8_t *bytes, size_t count)
{
	const uint8_t *end = memchr(bytes, '\n', count);
	if (end == NULL)
		return count > PEER_ANSWER_SIZE_MAX ? PEER_MALFORMED : 0;
	return end - bytes + 1;
}

/* The script answers 0 refused, 1 done, 2 repeated. */
static enum peer_outcome outcome_of(int64_t number)
{
	return number == 1   ? PEER_DONE
	       : number == 0 ? PEER_REFUSED
	       : number == 2 ? PEER_REPEATED
			     : PEER_FAILED;
}

static int64_t decode(const uint8_t *bytes, size_t count, struct peer_answer *ret)
{
	int64_t number = 0;
	ret->slot = PEER_SLOT_NONE;
	if (count == 0)
		return 0;
	if (bytes[0] == '-' || bytes[0] == '+') {
		ret->outcome = bytes[0] == '-' ? PEER_FAILED : PEER_DONE;
		return error_read(bytes, count);
	}
	if (bytes[0] != ':' && bytes[0] != '$')
		return PEER_MALFORMED;
	const int64_t line = line_read(bytes, count, &number);
	if (line <= 0)
		return line;
	ret->outcome = bytes[0] == ':' ? outcome_of(number) : PEER_DONE;
	if (bytes[0] == ':')
		return line;
	if (number < 0 || number > (int64_t)PEER_ANSWER_SIZE_MAX - 64)
		return PEER_MALFORMED;
	return line + number + 2 <= (int64_t)count ? line + number + 2 : 0;
}

/* ---- the null server ---- */

static struct peer_serving serve(const uint8_t *bytes, size_t count, uint8_t *answer)
{
	static const uint8_t cells[14 * CELL_SIZE];
	struct peer_writer w = {.out = answer};
	int64_t parts = 0, size = 0, at;
	bool is_read = false;

	if (count == 0)
		return (struct peer_serving){0};
	at = bytes[0] == '*' ? line_read(bytes, count, &parts) : PEER_MALFORMED;
	for (int64_t i = 0; at > 0 && i < parts; i++) {
		if ((size_t)at >= count)
			return (struct peer_serving){0};
		const uint8_t *part = bytes + at;
		const int64_t line =
			*part == '$' ? line_read(part, count - (size_t)at, &size) : PEER_MALFORMED;
		if (line <= 0)
			return (struct peer_serving){.taken_bytes = line};
		if (size < 0 || size > PEER_REQUEST_SIZE_MAX)
			return (struct peer_serving){.taken_bytes = PEER_MALFORMED};
		if (at + line + size + 2 > (int64_t)count)
			return (struct peer_serving){0};
		is_read |= i == 0 && size == 8 && memcmp(part + line, "GETRANGE", 8) == 0;
		at += line + size + 2;
	}
	if (at <= 0)
		return (struct peer_serving){.taken_bytes = at};
	if (is_read)
		put_bulk(&w, cells, sizeof(cells));
	else
		peer_put_text(&w, ":1\r\n");
	return (struct peer_serving){at, (uint32_t)w.count};
}

const struct peer_protocol peer_redis = {
	.name = "redis",
	.greet = greet,
	.encode = encode,
	.decode = decode,
	.serve = serve,
};

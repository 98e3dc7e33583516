#include "bench/peers/peer.h"

#include <string.h>

const struct peer_protocol *peer_find(const char *name)
{
	static const struct peer_protocol *const all[] = {
		&peer_redis, &peer_postgres, &peer_postgres_update, &peer_tarantool, &peer_frames};
	kr_assert(name != NULL);
	for (size_t i = 0; i < KR_ARRAY_COUNT(all); i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	return NULL;
}

void peer_put(struct peer_writer *writer, const void *bytes, size_t count)
{
	kr_assert(writer->count + count <= PEER_ANSWER_SIZE_MAX);
	memcpy(writer->out + writer->count, bytes, count);
	writer->count += count;
}

void peer_put_text(struct peer_writer *writer, const char *text)
{
	peer_put(writer, text, strlen(text));
}

void peer_put_be(struct peer_writer *writer, uint64_t value, unsigned width_bytes)
{
	kr_assert(width_bytes > 0 && width_bytes <= 8);
	uint8_t bytes[8];
	for (unsigned i = 0; i < width_bytes; i++)
		bytes[i] = (uint8_t)(value >> 8 * (width_bytes - 1 - i));
	peer_put(writer, bytes, width_bytes);
}

uint64_t peer_get_be(const uint8_t *bytes, unsigned width_bytes)
{
	uint64_t value = 0;
	kr_assert(width_bytes > 0 && width_bytes <= 8);
	for (unsigned i = 0; i < width_bytes; i++)
		value = value << 8 | bytes[i];
	return value;
}

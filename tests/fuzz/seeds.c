/*
 * Writes the seeds of the binary targets into a folder of corpora: made of the project's own
 * examples, so that they can be made again when a format grows. usage: fuzz_seeds tests/fuzz/corpus
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "client/encode.h"
#include "proto/message.h"
#include "tests/fuzz/seeds_state.h"
#include "tests/fuzz/shard_rig.h"
#include "tests/unit/proto/examples.h"

#define BYTES_MAX (64u << 10)
#define TYPE_MAX 64u
#define DEPTH_MAX 3u

static const char *folder;
static uint8_t bytes[BYTES_MAX];

static void put(const char *target, const char *name, const void *data, size_t size)
{
	char path[512];
	(void)snprintf(path, sizeof(path), "%s/%s", folder, target);
	(void)mkdir(path, 0755);
	(void)snprintf(path, sizeof(path), "%s/%s/%s", folder, target, name);
	FILE *out = fopen(path, "wb");
	kr_assert(out != NULL);
	size_t written = fwrite(data, 1, size, out);
	kr_assert(written == size);
	int r = fclose(out);
	kr_assert(r == 0);
}

/* The stream of PROTOCOL.md's requests, and of its answers as a router hears them. */
static void put_frames(void)
{
	for (unsigned way = 0; way < 2; way++) {
		size_t size = 2;
		bytes[0] = way == 0 ? 1 : 5;
		bytes[1] = 3;
		for (size_t i = 0; i < example_count; i++) {
			uint8_t frame[EXAMPLE_SIZE_MAX];
			size_t frame_size = examples[i].build(frame);
			if (((frame[7] & FRAME_FLAG_ANSWER) != 0) != (way == 1))
				continue;
			kr_assert(size + frame_size <= BYTES_MAX);
			memcpy(bytes + size, frame, frame_size);
			size += frame_size;
		}
		put("frame", way == 0 ? "requests" : "answers", bytes, size);
	}
}

/* ---- a message with something in every field --------------------------------------------------
 */

static uint64_t number_of(const char *name)
{
	if (strcmp(name, "hotel_id") == 0)
		return WORLD_HOTEL;
	if (strstr(name, "day") != NULL || strcmp(name, "check_in") == 0)
		return WORLD_TODAY + 1;
	if (strcmp(name, "check_out") == 0 || strcmp(name, "last_day") == 0)
		return WORLD_TODAY + 3;
	if (strstr(name, "mask") != NULL)
		return 4;
	return strstr(name, "_us") != NULL ? WORLD_WALL_US : 1;
}

static ProtobufCMessage *filled(const ProtobufCMessageDescriptor *descriptor, unsigned depth);

static void fill(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, unsigned depth)
{
	void *at = (uint8_t *)message + field->offset;
	uint64_t number = number_of(field->name);
	bool is_many = field->label == PROTOBUF_C_LABEL_REPEATED;
	void **array = NULL;
	if (field->type == PROTOBUF_C_TYPE_MESSAGE && depth == DEPTH_MAX)
		return;
	if (is_many) {
		*(size_t *)(void *)((uint8_t *)message + field->quantifier_offset) = 1;
		array = calloc(1, 16);
		kr_assert(array != NULL);
		*(void **)at = array;
		at = array;
	}
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		*(void **)at = filled(field->descriptor, depth + 1);
	else if (field->type == PROTOBUF_C_TYPE_STRING)
		*(const char **)at = strcmp(field->name, "zone") == 0 ? "Europe/Paris" : "EUR";
	else if (field->type == PROTOBUF_C_TYPE_BOOL)
		*(protobuf_c_boolean *)at = 1;
	else if (field->type == PROTOBUF_C_TYPE_INT32 || field->type == PROTOBUF_C_TYPE_UINT32 ||
		 field->type == PROTOBUF_C_TYPE_SINT32)
		*(uint32_t *)at = (uint32_t)number;
	else if (field->type != PROTOBUF_C_TYPE_BYTES)
		*(uint64_t *)at = number;
}

static ProtobufCMessage *filled(const ProtobufCMessageDescriptor *descriptor, unsigned depth)
{
	ProtobufCMessage *message = calloc(1, descriptor->sizeof_message);
	kr_assert(message != NULL && depth <= DEPTH_MAX);
	descriptor->message_init(message);
	for (unsigned i = 0; i < descriptor->n_fields; i++)
		fill(message, &descriptor->fields[i], depth);
	return message;
}

/* A call, the greeting of a router with two shards, and its answer; once more of all shards. */
static void put_client(unsigned type, const uint8_t *body, size_t size)
{
#define X(name, request, answer) #name,
	static const char *const kinds[] = {CLIENT_CALL_TABLE(X)};
#undef X
	static uint8_t out[BYTES_MAX];
	for (uint8_t kind = 0; kind < KR_ARRAY_COUNT(kinds); kind++) {
		const uint8_t head[] = {0, 0, kind, 0x4f, 6, 8, 2};
		const uint8_t done[] = {1, 0, 1};
		size_t at = sizeof(head);
		if (strcasecmp(kinds[kind], frame_type_name(type)) != 0)
			continue;
		memcpy(out, head, sizeof(head));
		for (unsigned i = 0; i < 2; i++) {
			memcpy(out + at, done, sizeof(done));
			kr_store_u16(out + at + sizeof(done), (uint16_t)size);
			memcpy(out + at + 5, body, size);
			at += 5 + size;
		}
		put("client", kinds[kind], out, at);
	}
}

static void put_messages(void)
{
	char name[64];
	for (unsigned type = 1; type <= TYPE_MAX; type++) {
		if (message_of_request(type) == NULL)
			continue;
		for (unsigned answer = 0; answer < 2; answer++) {
			const ProtobufCMessage *message = filled(
				answer ? message_of_answer(type) : message_of_request(type), 0);
			bytes[0] = (uint8_t)type;
			bytes[1] = (uint8_t)answer;
			size_t size = message_pack(message, bytes + 2, BYTES_MAX - 2);
			(void)snprintf(name, sizeof(name), "%s_%s", frame_type_name(type),
				answer ? "answer" : "request");
			put("message", name, bytes, size + 2);
			if (answer) {
				put_client(type, bytes + 2, size);
				continue;
			}
			memmove(bytes + 7, bytes + 2, size);
			const uint8_t head[] = {1, (uint8_t)type, FRAME_ROUTE_HOTEL, 0, 0};
			memcpy(bytes, head, sizeof(head));
			kr_store_u16(bytes + 5, (uint16_t)size);
			put("shard", frame_type_name(type), bytes, size + 7);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	folder = argv[1];
	(void)mkdir(folder, 0755);
	put_frames();
	put_messages();
	seeds_state_put(put);
	return 0;
}

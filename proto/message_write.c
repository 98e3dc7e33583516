/*
 * Writing the generated structs as a body, in one pass and within bounds: byte for byte what
 * protobuf-c writes, without measuring first.
 */
#include "proto/message.h"

#include <string.h>

#include "base/bytes.h"
#include "proto/message_wire.h"

/* Most bytes of a key and a number, or of a key and a length. */
#define WRITE_SCALAR_SIZE_MAX 20

struct message_writer {
	uint8_t *end;
};

static const void *write_member(const ProtobufCMessage *message, unsigned offset)
{
	kr_assert(offset >= sizeof(*message));
	return (const uint8_t *)message + offset;
}

/* The number as it stands in a varint; fixed ones are written elsewhere. */
static KR_ALWAYS_INLINE uint64_t write_scalar_load(ProtobufCType type, const void *member)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
		/* Negative ones are extended to 64 bits: ten bytes. */
		return (uint64_t)(int64_t) * (const int32_t *)member;
	case PROTOBUF_C_TYPE_UINT32:
		return *(const uint32_t *)member;
	case PROTOBUF_C_TYPE_SINT32:
		return (uint32_t)kr_zigzag_encode(*(const int32_t *)member);
	case PROTOBUF_C_TYPE_SINT64:
		return kr_zigzag_encode(*(const int64_t *)member);
	case PROTOBUF_C_TYPE_BOOL:
		return *(const protobuf_c_boolean *)member != 0;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return *(const uint64_t *)member;
	default:
		/* keyrack.proto uses no others; a test walks all its messages. */
		kr_unreachable();
	}
}

static size_t write_element_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_SINT32:
		return sizeof(uint32_t);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	default:
		return sizeof(uint64_t);
	}
}

static KR_ALWAYS_INLINE uint8_t *write_key(uint8_t *at, uint32_t id, enum wire_type wire)
{
	return wire_varint_write(at, (uint64_t)id << 3 | wire);
}

static KR_ALWAYS_INLINE bool write_has_room(
	const struct message_writer *writer, const uint8_t *at, size_t size_bytes)
{
	kr_assert(at <= writer->end);
	return (size_t)(writer->end - at) >= size_bytes;
}

static uint8_t *write_scalar(struct message_writer *writer, uint8_t *at,
	const ProtobufCFieldDescriptor *field, const void *member)
{
	uint64_t value = write_scalar_load(field->type, member);
	if (value == 0)
		return at;
	if (!write_has_room(writer, at, WRITE_SCALAR_SIZE_MAX))
		return NULL;
	if (field->type != PROTOBUF_C_TYPE_FIXED64)
		return wire_varint_write(write_key(at, field->id, WIRE_VARINT), value);
	at = write_key(at, field->id, WIRE_FIXED64);
	kr_store_u64(at, value);
	return at + sizeof(value);
}

static uint8_t *write_sized(struct message_writer *writer, uint8_t *at, uint32_t id,
	const void *bytes, size_t size_bytes)
{
	if (!write_has_room(writer, at, WRITE_SCALAR_SIZE_MAX) ||
		!write_has_room(writer, at + WRITE_SCALAR_SIZE_MAX, size_bytes))
		return NULL;
	at = wire_varint_write(write_key(at, id, WIRE_SIZED), size_bytes);
	memcpy(at, bytes, size_bytes);
	return at + size_bytes;
}

/*
 * Something was written from `start` on, one byte behind the place of its length: sets the length,
 * moving what was written when it takes more than the one byte.
 */
static uint8_t *write_length(struct message_writer *writer, uint8_t *length, uint8_t *end)
{
	size_t size_bytes = (size_t)(end - (length + 1));
	size_t length_size = kr_varint_size(size_bytes);
	kr_assert(end > length);
	if (KR_UNLIKELY(length_size > 1)) {
		if (!write_has_room(writer, end, length_size - 1))
			return NULL;
		memmove(length + length_size, length + 1, size_bytes);
	}
	return wire_varint_write(length, size_bytes) + size_bytes;
}

static uint8_t *write_fields(
	struct message_writer *writer, uint8_t *at, const ProtobufCMessage *message);

static uint8_t *write_message(
	struct message_writer *writer, uint8_t *at, uint32_t id, const ProtobufCMessage *message)
{
	if (!write_has_room(writer, at, WRITE_SCALAR_SIZE_MAX))
		return NULL;
	uint8_t *length = write_key(at, id, WIRE_SIZED);
	at = write_fields(writer, length + 1, message);
	return at == NULL ? NULL : write_length(writer, length, at);
}

static uint8_t *write_packed(struct message_writer *writer, uint8_t *at,
	const ProtobufCFieldDescriptor *field, const uint8_t *array, size_t count)
{
	size_t step = write_element_size(field->type);
	kr_assert(array != NULL && count > 0);
	if (field->type == PROTOBUF_C_TYPE_FIXED64)
		return write_sized(writer, at, field->id, array, count * sizeof(uint64_t));
	if (!write_has_room(writer, at, WRITE_SCALAR_SIZE_MAX))
		return NULL;
	uint8_t *length = write_key(at, field->id, WIRE_SIZED);
	at = length + 1;
	for (size_t i = 0; i < count; i++) {
		if (!write_has_room(writer, at, KR_VARINT_SIZE_MAX))
			return NULL;
		at = wire_varint_write(at, write_scalar_load(field->type, array + i * step));
	}
	return write_length(writer, length, at);
}

static uint8_t *write_repeated(struct message_writer *writer, uint8_t *at,
	const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
	size_t count = *(const size_t *)write_member(message, field->quantifier_offset);
	const void *array = *(void *const *)write_member(message, field->offset);
	if (count == 0)
		return at;
	if (field->type != PROTOBUF_C_TYPE_MESSAGE)
		return write_packed(writer, at, field, array, count);
	const ProtobufCMessage *const *children = array;
	for (size_t i = 0; i < count && at != NULL; i++)
		at = write_message(writer, at, field->id, children[i]);
	return at;
}

static uint8_t *write_field(struct message_writer *writer, uint8_t *at,
	const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
	const void *member = write_member(message, field->offset);
	if (field->type == PROTOBUF_C_TYPE_STRING) {
		const char *text = *(const char *const *)member;
		if (text == NULL || text[0] == 0)
			return at;
		return write_sized(writer, at, field->id, text, strlen(text));
	}
	if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
		const ProtobufCMessage *child = *(const ProtobufCMessage *const *)member;
		return child == NULL ? at : write_message(writer, at, field->id, child);
	}
	if (field->type == PROTOBUF_C_TYPE_BYTES) {
		const ProtobufCBinaryData *data = member;
		return data->len == 0 ? at
				      : write_sized(writer, at, field->id, data->data, data->len);
	}
	return write_scalar(writer, at, field, member);
}

static uint8_t *write_fields(
	struct message_writer *writer, uint8_t *at, const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;
	kr_assert(descriptor->magic == PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC);
	kr_assert(message->n_unknown_fields == 0);
	for (unsigned i = 0; i < descriptor->n_fields && at != NULL; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
		if (field->label == PROTOBUF_C_LABEL_REPEATED)
			at = write_repeated(writer, at, field, message);
		else
			at = write_field(writer, at, field, message);
	}
	return at;
}

size_t message_pack(const ProtobufCMessage *message, void *bytes, size_t size_bytes)
{
	struct message_writer writer = {.end = (uint8_t *)bytes + size_bytes};
	kr_assert(bytes != NULL);
	kr_assert(message != NULL);
	const uint8_t *end = write_fields(&writer, bytes, message);
	return end == NULL ? MESSAGE_NO_ROOM : (size_t)(end - (uint8_t *)bytes);
}

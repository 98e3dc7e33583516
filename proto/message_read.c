/*
 * Reading a body into the generated structs, in one pass: checked, counted and unpacked at once,
 * at a third of what protobuf-c's own two passes cost. The results are the same, and a test holds
 * them against each other; but fields that are not known are stepped over and not kept.
 */
#include "proto/message.h"

#include <stdalign.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/message_wire.h"

struct message_reader {
	struct kr_arena *arena;
	uint32_t field_count; /* so far, at all depths */
	uint32_t depth;
};

/* A sized value. */
struct message_span {
	const uint8_t *at;
	size_t size_bytes;
};

#define VARINT_SIZE_MAX 10

const uint8_t *wire_varint_read_long(const uint8_t *at, const uint8_t *end, uint64_t *ret_value)
{
	uint64_t value = 0;
	for (int i = 0; i < VARINT_SIZE_MAX && at < end; i++) {
		uint8_t byte = *at++;
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte >= 0x80)
			continue;
		if (i == VARINT_SIZE_MAX - 1 && byte > 1)
			return NULL;
		*ret_value = value;
		return at;
	}
	return NULL;
}

static void *read_member(ProtobufCMessage *message, unsigned offset)
{
	kr_assert(offset >= sizeof(*message));
	return (uint8_t *)message + offset;
}

/* Numbers of fields are mostly 1, 2, 3 ...: then the number is the place. */
static KR_ALWAYS_INLINE const ProtobufCFieldDescriptor *read_field_find(
	const ProtobufCMessageDescriptor *descriptor, uint64_t number)
{
	uint64_t place = number - 1;
	if (KR_LIKELY(place < descriptor->n_fields && descriptor->fields[place].id == number))
		return &descriptor->fields[place];
	if (number > FIELD_NUMBER_MAX)
		return NULL;
	return protobuf_c_message_descriptor_get_field(descriptor, (unsigned)number);
}

/* How a scalar travels; WIRE_SIZED: it is none. */
static enum wire_type read_scalar_wire(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_BOOL:
		return WIRE_VARINT;
	case PROTOBUF_C_TYPE_FIXED64:
		return WIRE_FIXED64;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return WIRE_SIZED;
	default:
		/* keyrack.proto uses no others; a test walks all its messages. */
		kr_unreachable();
	}
}

static size_t read_scalar_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_UINT32:
		return sizeof(uint32_t);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	default:
		kr_assert(read_scalar_wire(type) != WIRE_SIZED);
		return sizeof(uint64_t);
	}
}

static KR_ALWAYS_INLINE void read_scalar_store(ProtobufCType type, uint64_t value, void *member)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_UINT32:
		*(uint32_t *)member = (uint32_t)value;
		return;
	case PROTOBUF_C_TYPE_SINT32:
		*(int32_t *)member = (int32_t)kr_zigzag_decode((uint32_t)value);
		return;
	case PROTOBUF_C_TYPE_SINT64:
		*(int64_t *)member = kr_zigzag_decode(value);
		return;
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)member = value != 0;
		return;
	default:
		*(uint64_t *)member = value;
		return;
	}
}

/* The power of two at or above a count: that is the room an array of so many has. */
static size_t read_array_room(size_t count)
{
	if (count <= 1)
		return count;
	return (size_t)1 << (64 - __builtin_clzll(count - 1));
}

/* Room for `more` elements behind those there are. It doubles, so that no body can have its
 * elements copied often. */
static void *read_array_grow(struct message_reader *reader, void *array_member, size_t count,
	size_t more, size_t element_size_bytes)
{
	void **array = array_member;
	kr_assert(more > 0);
	kr_assert(read_array_room(count) >= count);
	if (count + more <= read_array_room(count))
		return *array;
	size_t size_bytes = read_array_room(count + more) * element_size_bytes;
	void *grown = kr_arena_alloc(reader->arena, size_bytes, alignof(uint64_t));
	if (grown == NULL)
		return NULL;
	if (count > 0)
		memcpy(grown, *array, count * element_size_bytes);
	*array = grown;
	return grown;
}

static int read_fields(
	struct message_reader *reader, struct message_span span, ProtobufCMessage *message);

static ProtobufCMessage *read_message_new(
	struct message_reader *reader, const ProtobufCMessageDescriptor *descriptor)
{
	ProtobufCMessage *message =
		kr_arena_alloc(reader->arena, descriptor->sizeof_message, alignof(uint64_t));
	kr_assert(descriptor->message_init != NULL);
	if (message != NULL)
		descriptor->message_init(message);
	return message;
}

/* One submessage. A singular one that comes again is merged into the first, as protobuf has it. */
static int read_submessage(struct message_reader *reader, const ProtobufCFieldDescriptor *field,
	struct message_span span, ProtobufCMessage *message)
{
	ProtobufCMessage **place = read_member(message, field->offset);
	ProtobufCMessage *child = NULL;
	if (reader->depth == MESSAGE_DEPTH_MAX)
		return MESSAGE_TOO_MUCH;
	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		size_t *count = read_member(message, field->quantifier_offset);
		ProtobufCMessage **array =
			read_array_grow(reader, place, *count, 1, sizeof(*array));
		if (array == NULL)
			return MESSAGE_TOO_MUCH;
		place = &array[(*count)++];
		*place = NULL;
	}
	child = *place != NULL ? *place : read_message_new(reader, field->descriptor);
	*place = child;
	if (child == NULL)
		return MESSAGE_TOO_MUCH;
	reader->depth++;
	int r = read_fields(reader, span, child);
	reader->depth--;
	return r;
}

static int read_text(struct message_reader *reader, struct message_span span, char **ret_text)
{
	/* It would end there for us, and go on for whoever sent it. */
	if (span.size_bytes > 0 && memchr(span.at, 0, span.size_bytes) != NULL)
		return MESSAGE_MALFORMED;
	char *text = kr_arena_alloc(reader->arena, span.size_bytes + 1, 1);
	if (text == NULL)
		return MESSAGE_TOO_MUCH;
	memcpy(text, span.at, span.size_bytes);
	text[span.size_bytes] = 0;
	*ret_text = text;
	return 0;
}

static int read_bytes(
	struct message_reader *reader, struct message_span span, ProtobufCBinaryData *ret_data)
{
	uint8_t *bytes = NULL;
	if (span.size_bytes > 0) {
		bytes = kr_arena_alloc(reader->arena, span.size_bytes, 1);
		if (bytes == NULL)
			return MESSAGE_TOO_MUCH;
		memcpy(bytes, span.at, span.size_bytes);
	}
	*ret_data = (ProtobufCBinaryData){.len = span.size_bytes, .data = bytes};
	return 0;
}

/* How many numbers a packed field has; SIZE_MAX when it does not end with one. */
static size_t read_packed_count(struct message_span span, bool is_fixed)
{
	if (is_fixed)
		return span.size_bytes % sizeof(uint64_t) == 0 ? span.size_bytes / sizeof(uint64_t)
							       : SIZE_MAX;
	size_t count = 0;
	for (size_t i = 0; i < span.size_bytes; i++)
		count += span.at[i] < 0x80;
	bool is_cut = span.size_bytes > 0 && span.at[span.size_bytes - 1] >= 0x80;
	return is_cut ? SIZE_MAX : count;
}

static int read_packed(struct message_reader *reader, const ProtobufCFieldDescriptor *field,
	struct message_span span, ProtobufCMessage *message)
{
	size_t *count = read_member(message, field->quantifier_offset);
	size_t element_size_bytes = read_scalar_size(field->type);
	bool is_fixed = read_scalar_wire(field->type) == WIRE_FIXED64;
	size_t more = read_packed_count(span, is_fixed);
	if (more == SIZE_MAX)
		return MESSAGE_MALFORMED;
	if (more == 0)
		return 0;
	uint8_t *array = read_array_grow(
		reader, read_member(message, field->offset), *count, more, element_size_bytes);
	if (array == NULL)
		return MESSAGE_TOO_MUCH;
	uint8_t *to = array + *count * element_size_bytes;
	*count += more;
	if (is_fixed) {
		memcpy(to, span.at, span.size_bytes);
		return 0;
	}
	const uint8_t *at = span.at, *end = span.at + span.size_bytes;
	for (; more > 0; more--, to += element_size_bytes) {
		uint64_t value;
		at = wire_varint_read(at, end, &value);
		if (at == NULL)
			return MESSAGE_MALFORMED;
		read_scalar_store(field->type, value, to);
	}
	kr_assert(at == end);
	return 0;
}

static int read_sized(struct message_reader *reader, const ProtobufCFieldDescriptor *field,
	struct message_span span, ProtobufCMessage *message)
{
	bool is_repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
	switch (field->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		return read_submessage(reader, field, span, message);
	case PROTOBUF_C_TYPE_STRING:
		kr_assert(!is_repeated);
		return read_text(reader, span, read_member(message, field->offset));
	case PROTOBUF_C_TYPE_BYTES:
		kr_assert(!is_repeated);
		return read_bytes(reader, span, read_member(message, field->offset));
	default:
		return is_repeated ? read_packed(reader, field, span, message) : MESSAGE_MALFORMED;
	}
}

static int read_scalar(struct message_reader *reader, const ProtobufCFieldDescriptor *field,
	uint64_t value, ProtobufCMessage *message)
{
	void *member = read_member(message, field->offset);
	if (KR_LIKELY(field->label != PROTOBUF_C_LABEL_REPEATED)) {
		read_scalar_store(field->type, value, member);
		return 0;
	}
	size_t *count = read_member(message, field->quantifier_offset);
	size_t element_size_bytes = read_scalar_size(field->type);
	uint8_t *array = read_array_grow(reader, member, *count, 1, element_size_bytes);
	if (array == NULL)
		return MESSAGE_TOO_MUCH;
	read_scalar_store(field->type, value, array + *count * element_size_bytes);
	++*count;
	return 0;
}

/* The value behind a key: where it ends, NULL if it does not. */
static KR_ALWAYS_INLINE const uint8_t *read_value(enum wire_type wire, const uint8_t *at,
	const uint8_t *end, uint64_t *ret_value, struct message_span *ret_span)
{
	switch (wire) {
	case WIRE_VARINT:
		return wire_varint_read(at, end, ret_value);
	case WIRE_FIXED64:
		if (end - at < (ptrdiff_t)sizeof(uint64_t))
			return NULL;
		*ret_value = kr_load_u64(at);
		return at + sizeof(uint64_t);
	case WIRE_SIZED:
		at = wire_varint_read(at, end, ret_value);
		if (at == NULL || *ret_value > (uint64_t)(end - at))
			return NULL;
		*ret_span = (struct message_span){at, (size_t)*ret_value};
		return at + *ret_value;
	case WIRE_FIXED32:
		if (end - at < (ptrdiff_t)sizeof(uint32_t))
			return NULL;
		*ret_value = kr_load_u32(at);
		return at + sizeof(uint32_t);
	default:
		return NULL;
	}
}

static int read_fields(
	struct message_reader *reader, struct message_span span, ProtobufCMessage *message)
{
	const uint8_t *at = span.at, *end = span.at + span.size_bytes;
	while (at < end) {
		uint64_t key, value = 0;
		struct message_span sized = {0};
		if (KR_UNLIKELY(reader->field_count++ == MESSAGE_FIELD_COUNT_MAX))
			return MESSAGE_TOO_MUCH;
		at = wire_key_read(at, end, &key);
		if (KR_UNLIKELY(at == NULL || key >> 3 == 0 || key >> 3 > FIELD_NUMBER_MAX))
			return MESSAGE_MALFORMED;
		enum wire_type wire = (enum wire_type)(key & 7);
		at = read_value(wire, at, end, &value, &sized);
		if (KR_UNLIKELY(at == NULL))
			return MESSAGE_MALFORMED;
		const ProtobufCFieldDescriptor *field =
			read_field_find(message->descriptor, key >> 3);
		if (KR_UNLIKELY(field == NULL))
			continue;
		int r;
		if (wire == WIRE_SIZED)
			r = read_sized(reader, field, sized, message);
		else if (KR_LIKELY(wire == read_scalar_wire(field->type)))
			r = read_scalar(reader, field, value, message);
		else
			r = MESSAGE_MALFORMED;
		if (KR_UNLIKELY(r != 0))
			return r;
	}
	kr_assert(at == end);
	return 0;
}

int message_unpack(const ProtobufCMessageDescriptor *descriptor, const void *body,
	size_t size_bytes, struct pb_arena *arena, ProtobufCMessage **ret_message)
{
	struct message_reader reader = {.arena = &arena->arena};
	struct message_span span = {body, size_bytes};
	kr_assert(descriptor != NULL && ret_message != NULL);
	kr_assert(body != NULL || size_bytes == 0);
	if (size_bytes > FRAME_BODY_SIZE_MAX)
		return MESSAGE_TOO_MUCH;
	ProtobufCMessage *message = read_message_new(&reader, descriptor);
	if (message == NULL)
		return MESSAGE_TOO_MUCH;
	int r = size_bytes == 0 ? 0 : read_fields(&reader, span, message);
	if (r == 0)
		*ret_message = message;
	return r;
}

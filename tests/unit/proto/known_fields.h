/* The fields of a message by protobuf-c's descriptors. */
#ifndef TESTS_UNIT_PROTO_KNOWN_FIELDS_H
#define TESTS_UNIT_PROTO_KNOWN_FIELDS_H

#include <protobuf-c/protobuf-c.h>

#include "base/check.h"

static inline void *member(ProtobufCMessage *message, unsigned offset)
{
	kr_assert(offset < message->descriptor->sizeof_message);
	return (uint8_t *)message + offset;
}

/* Forgets unknown fields, which only protobuf-c keeps, so that packing shows the known ones. */
static inline void drop_unknown(ProtobufCMessage *message)
{
	message->n_unknown_fields = 0;
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		if (field->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		ProtobufCMessage **children = member(message, field->offset);
		size_t count = *children != NULL;
		if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			count = *(size_t *)member(message, field->quantifier_offset);
			children = *(ProtobufCMessage ***)member(message, field->offset);
		}
		for (size_t k = 0; k < count; k++)
			drop_unknown(children[k]);
	}
}

#endif

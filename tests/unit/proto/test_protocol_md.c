/* PROTOCOL.md against the code: its hex dumps byte for byte, its tables row by row. */
#include <criterion/criterion.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/access.h"
#include "proto/code.h"
#include "proto/frame.h"
#include "proto/keyrack.pb-c.h"
#include "proto/message.h"
#include "tests/unit/proto/examples.h"

static char *document(void)
{
	FILE *file = fopen(PROTOCOL_MD, "r");
	cr_assert_not_null(file, "%s cannot be read", PROTOCOL_MD);
	char *text = calloc(1, 1u << 20);
	size_t size = fread(text, 1, (1u << 20) - 1, file);
	fclose(file);
	cr_assert(size > 10000 && size < (1u << 20) - 1);
	return text;
}

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : c - 'a' + 10;
}

/* Bytes of the block ```hex NAME; what stands behind a # on a line is a comment. */
static size_t block_bytes(const char *text, const char *name, uint8_t *ret_bytes)
{
	char fence[64];
	size_t count = 0;
	snprintf(fence, sizeof(fence), "```hex %s\n", name);
	const char *at = strstr(text, fence);
	cr_assert_not_null(at, "no block %s", name);
	for (at += strlen(fence); strncmp(at, "```", 3) != 0; at++) {
		if (*at == '#')
			at += strcspn(at, "\n");
		if (isspace((unsigned char)*at))
			continue;
		cr_assert(isxdigit((unsigned char)at[0]) && isxdigit((unsigned char)at[1]));
		cr_assert_lt(count, EXAMPLE_SIZE_MAX);
		ret_bytes[count++] = (uint8_t)(hex_digit(at[0]) << 4 | hex_digit(at[1]));
		at++;
	}
	return count;
}

Test(protocol_md, the_hex_dumps_are_what_the_code_writes)
{
	char *text = document();
	for (size_t i = 0; i < example_count; i++) {
		uint8_t shown[EXAMPLE_SIZE_MAX], built[EXAMPLE_SIZE_MAX];
		size_t size = block_bytes(text, examples[i].name, shown);
		bool same = examples[i].build(built) == size && memcmp(shown, built, size) == 0;
		if (!same)
			example_print(built);
		cr_assert(same, "%s is shown otherwise than it is written", examples[i].name);
	}
	size_t blocks = 0;
	for (const char *at = text; (at = strstr(at, "```hex ")) != NULL; at++)
		blocks++;
	cr_assert_eq(blocks, example_count, "a dump that nobody checks");
	free(text);
}

Test(protocol_md, the_hex_dumps_are_what_the_code_reads)
{
	char *text = document();
	for (size_t i = 0; i < example_count; i++) {
		uint8_t shown[EXAMPLE_SIZE_MAX];
		struct frame_header header;
		size_t size = block_bytes(text, examples[i].name, shown);
		cr_assert_eq(frame_header_read(shown, &header), 0);
		cr_assert_eq(header.body_size_bytes, size - FRAME_HEADER_SIZE);
		cr_assert_eq(frame_body_check(&header, shown + FRAME_HEADER_SIZE), 0);
		bool is_answer = (header.flags & FRAME_FLAG_ANSWER) != 0;
		const ProtobufCMessageDescriptor *descriptor =
			is_answer ? message_of_answer(header.type)
				  : message_of_request(header.type);
		cr_assert_eq(message_check(
				     descriptor, shown + FRAME_HEADER_SIZE, header.body_size_bytes),
			0);
	}
	free(text);
}

static const char *type_name(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
		return "int32";
	case PROTOBUF_C_TYPE_SINT32:
		return "sint32";
	case PROTOBUF_C_TYPE_SINT64:
		return "sint64";
	case PROTOBUF_C_TYPE_UINT32:
		return "uint32";
	case PROTOBUF_C_TYPE_UINT64:
		return "uint64";
	case PROTOBUF_C_TYPE_FIXED64:
		return "fixed64";
	case PROTOBUF_C_TYPE_BOOL:
		return "bool";
	case PROTOBUF_C_TYPE_STRING:
		return "string";
	case PROTOBUF_C_TYPE_BYTES:
		return "bytes";
	case PROTOBUF_C_TYPE_MESSAGE:
		return ((const ProtobufCMessageDescriptor *)field->descriptor)->short_name;
	default:
		return "?";
	}
}

/* Each field stands in the message's own section, with its number, name, type and a meaning. */
static void check_message(const char *text, const ProtobufCMessageDescriptor *message)
{
	char heading[64], row[128];
	snprintf(heading, sizeof(heading), "\n#### `%s`\n", message->short_name);
	const char *section = strstr(text, heading);
	cr_assert_not_null(section, "%s is not described", message->short_name);
	const char *end = strstr(section + strlen(heading), "\n##");
	cr_assert_not_null(end);
	size_t rows = 0;
	for (const char *at = section; at != NULL && at < end; at = strstr(at + 1, "\n| "))
		rows += isdigit((unsigned char)at[3]) != 0;
	cr_assert_eq(rows, message->n_fields, "%s has %u fields", message->short_name,
		message->n_fields);
	for (unsigned i = 0; i < message->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->fields[i];
		bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
		snprintf(row, sizeof(row), "\n| %u | `%s` | %s%s | ", field->id, field->name,
			repeated ? "repeated " : "", type_name(field));
		const char *at = strstr(section, row);
		cr_assert(at != NULL && at < end, "%s lacks the row %s", message->short_name, row);
		cr_assert_neq(at[strlen(row)], '|', "%s has no meaning", row);
		if (field->type == PROTOBUF_C_TYPE_MESSAGE)
			check_message(text, field->descriptor);
	}
}

Test(protocol_md, every_field_of_every_message_is_described)
{
	char *text = document();
	for (unsigned type = 0; type < 256; type++) {
		if (message_of_request(type) == NULL)
			continue;
		check_message(text, message_of_request(type));
		check_message(text, message_of_answer(type));
	}
	free(text);
}

Test(protocol_md, every_frame_type_code_and_rule_is_listed)
{
	char *text = document();
	char row[160];
	unsigned rows = 0;
#define X(number, name, request, answer)                                                           \
	snprintf(row, sizeof(row), "\n| %d | `%s` | `%s` | `%s` | ", number, #name, #request,      \
		#answer);                                                                          \
	cr_assert_not_null(strstr(text, row), "no row %s", row);                                   \
	rows++;
	FRAME_TYPE_TABLE(X)
#undef X
#define X(number, name, sentence)                                                                  \
	snprintf(row, sizeof(row), "\n| %d | `%s` | %s |\n", number, #name, sentence);             \
	cr_assert_not_null(strstr(text, row), "no row %s", row);                                   \
	rows++;
	KEYRACK_CODE_TABLE(X)
	REFUSAL_RULE_TABLE(X)
#undef X
	cr_assert_gt(rows, 80);
	free(text);
}

/* The sentence about roles names the operators' frame types, all of them and no others. */
Test(protocol_md, the_rights_are_those_of_the_code)
{
	char *text = document();
	char *sentence = strstr(text, "where one is wanted. HOTEL_PUT");
	cr_assert_not_null(sentence);
	char *end = strstr(sentence, " are the operators'");
	cr_assert_not_null(end);
	end[1] = 0; /* each name stands between two blanks then */
	for (char *at = sentence; *at != 0; at++) {
		if (*at == ',' || *at == '.')
			*at = ' ';
	}
	cr_assert_lt(strlen(sentence), 500);
#define X(number, name, request, answer)                                                           \
	cr_assert_eq(strstr(sentence, " " #name " ") != NULL,                                      \
		access_needed(number) == ACCESS_OPERATOR, "%s", #name);
	FRAME_TYPE_TABLE(X)
#undef X
	free(text);
}

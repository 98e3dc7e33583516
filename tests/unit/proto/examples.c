#include "tests/unit/proto/examples.h"

#include <stdio.h>
#include <string.h>

#include "proto/cell.h"
#include "proto/code.h"
#include "proto/frame.h"
#include "proto/keyrack.pb-c.h"
#include "proto/message.h"
#include "proto/slot.h"

#define CLUSTER UINT64_C(0x6b657972)
#define HOTEL UINT64_C(42)
#define DAY 20513 /* 2026-03-01 */

static char *text(const char *t)
{
	return (char *)(uintptr_t)t;
}

static struct kr_id the_id(void)
{
	return reservation_id_mint(UINT64_C(1772000000000), slot_of_hotel((struct hotel_id){HOTEL}),
		UINT64_C(0x0123456789abcde));
}

static size_t frame(struct frame_header header, const ProtobufCMessage *message, uint8_t *bytes)
{
	size_t size = message != NULL ? protobuf_c_message_pack(message, bytes + 64) : 0;
	frame_seal(&header, bytes + 64, size);
	memcpy(bytes, &header, sizeof(header));
	return 64 + size;
}

static struct frame_header asks(uint8_t type, uint8_t route, uint64_t key)
{
	return (struct frame_header){.type = type,
		.route = route,
		.cluster = CLUSTER,
		.routing_key = key,
		.request_id = 7,
		.remaining_us = 2000000};
}

static struct frame_header answers(uint8_t type, uint8_t route, uint64_t key, uint16_t code)
{
	struct frame_header header = asks(type, route, key);
	header.flags = FRAME_FLAG_ANSWER;
	header.remaining_us = 0;
	header.map_epoch = 1;
	header.status = code;
	return header;
}

static size_t hello_request(uint8_t *bytes)
{
	Keyrack__HelloRequest hello = KEYRACK__HELLO_REQUEST__INIT;
	struct frame_header header = asks(FRAME_HELLO, FRAME_ROUTE_ROUTER, 0);
	hello.version = 1;
	hello.agent = text("example/1.0");
	header.cluster = 0;
	header.request_id = 1;
	return frame(header, &hello.base, bytes);
}

static size_t hello_answer(uint8_t *bytes)
{
	Keyrack__HelloAnswer hello = KEYRACK__HELLO_ANSWER__INIT;
	struct frame_header header = answers(FRAME_HELLO, FRAME_ROUTE_ROUTER, 0, KEYRACK_DONE);
	hello.version = 1;
	hello.cluster = CLUSTER;
	hello.window = 4096;
	hello.body_size_max = FRAME_BODY_SIZE_MAX;
	hello.shard_count = 2;
	hello.map_epoch = 1;
	hello.agent = text("keyrack-router 0.1.0");
	header.request_id = 1;
	return frame(header, &hello.base, bytes);
}

static size_t book_request(uint8_t *bytes)
{
	Keyrack__Line line = KEYRACK__LINE__INIT;
	Keyrack__Line *lines[] = {&line};
	Keyrack__ReserveRequest book = KEYRACK__RESERVE_REQUEST__INIT;
	line.type = 3;
	line.check_in = DAY;
	line.check_out = DAY + 3;
	line.rooms = 1;
	line.guests = 2;
	book.hotel_id = HOTEL;
	book.id_hi = the_id().hi;
	book.id_lo = the_id().lo;
	book.n_lines = 1;
	book.lines = lines;
	book.has_expected_total = true;
	book.expected_total_minor = 36000;
	book.external_ref = text("OTA-1009");
	book.source = 5;
	return frame(asks(FRAME_BOOK, FRAME_ROUTE_HOTEL, HOTEL), &book.base, bytes);
}

static size_t book_answer(uint8_t *bytes)
{
	Keyrack__ReservationAnswer answer = KEYRACK__RESERVATION_ANSWER__INIT;
	answer.state = 2;
	answer.revision = 1;
	answer.total_minor = 36000;
	answer.has_total = true;
	answer.event_seq = 1201;
	answer.hotel_id = HOTEL;
	answer.outcome = KEYRACK_DONE;
	return frame(
		answers(FRAME_BOOK, FRAME_ROUTE_HOTEL, HOTEL, KEYRACK_DONE), &answer.base, bytes);
}

static size_t book_refused(uint8_t *bytes)
{
	Keyrack__ReservationAnswer answer = KEYRACK__RESERVATION_ANSWER__INIT;
	Keyrack__Refusal refusal = KEYRACK__REFUSAL__INIT;
	refusal.code = KEYRACK_SOLD_OUT;
	refusal.rule = RULE_LIMIT;
	refusal.day = DAY + 1;
	refusal.has_day = true;
	refusal.required = 1;
	answer.refusal = &refusal;
	return frame(answers(FRAME_BOOK, FRAME_ROUTE_HOTEL, HOTEL, KEYRACK_SOLD_OUT), &answer.base,
		bytes);
}

static size_t availability_request(uint8_t *bytes)
{
	uint32_t types[] = {3};
	Keyrack__AvailabilityRequest ask = KEYRACK__AVAILABILITY_REQUEST__INIT;
	ask.hotel_id = HOTEL;
	ask.n_types = 1;
	ask.types = types;
	ask.first_day = DAY;
	ask.night_count = 2;
	return frame(asks(FRAME_AVAILABILITY, FRAME_ROUTE_HOTEL, HOTEL), &ask.base, bytes);
}

static size_t availability_answer(uint8_t *bytes)
{
	uint32_t types[] = {3};
	struct cell_counter counter = {.limit = 10, .held = 1, .booked = 7, .flags = CELL_LOADED};
	struct cell_rate rate = {.price_minor = 12000, .class_index = 4, .flags = RATE_PRICED};
	uint64_t counters[2], rates[2];
	uint64_t classes[] = {4, 2 | UINT64_C(14) << 16};
	counters[0] = cell_counter_pack(counter);
	counter.booked = 9;
	counter.flags |= CELL_CTA;
	counters[1] = cell_counter_pack(counter);
	rates[0] = rates[1] = cell_rate_pack(rate);
	Keyrack__AvailabilityAnswer answer = KEYRACK__AVAILABILITY_ANSWER__INIT;
	answer.n_types = 1;
	answer.types = types;
	answer.first_day = DAY;
	answer.night_count = 2;
	answer.n_counters = answer.n_rates = answer.n_classes = 2;
	answer.counters = counters;
	answer.rates = rates;
	answer.classes = classes;
	answer.ari_version = 31;
	answer.business_day = DAY - 20;
	return frame(answers(FRAME_AVAILABILITY, FRAME_ROUTE_HOTEL, HOTEL, KEYRACK_DONE),
		&answer.base, bytes);
}

static size_t reject(uint8_t *bytes)
{
	struct frame_header header =
		answers(FRAME_REJECT, FRAME_ROUTE_ROUTER, 0, KEYRACK_REJECT_CLUSTER);
	Keyrack__RejectNotice notice = KEYRACK__REJECT_NOTICE__INIT;
	notice.text = text("the frame is for another cluster");
	notice.cluster = CLUSTER;
	notice.version_min = 1;
	notice.version_max = 1;
	header.request_id = 0;
	header.map_epoch = 0;
	return frame(header, &notice.base, bytes);
}

const struct example examples[] = {
	{"hello-request", hello_request},
	{"hello-answer", hello_answer},
	{"book-request", book_request},
	{"book-answer", book_answer},
	{"book-sold-out", book_refused},
	{"availability-request", availability_request},
	{"availability-answer", availability_answer},
	{"reject", reject},
};
const size_t example_count = sizeof(examples) / sizeof(examples[0]);

/* ---- printing -------------------------------------------------------------------------------- */

static void print_bytes(const uint8_t *bytes, size_t size, const char *comment)
{
	for (size_t i = 0; i < size; i++) {
		bool ends = i + 1 == size || i % 16 == 15;
		printf("%02x%s", bytes[i], ends ? "" : " ");
		if (i + 1 == size)
			printf("%*s# %s\n", (int)(50 - 3 * (i % 16 + 1)), "", comment);
		else if (ends)
			printf("\n");
	}
}

static void print_header(const uint8_t *bytes)
{
	static const struct {
		uint8_t size;
		const char *name;
	} fields[] = {{4, "magic \"KRK1\""}, {1, "version"}, {1, "type"}, {1, "route"},
		{1, "flags"}, {4, "body_size"}, {4, "header_sum"}, {8, "body_sum"}, {8, "cluster"},
		{8, "routing_key"}, {8, "request_id"}, {4, "remaining_us"}, {4, "map_epoch"},
		{2, "status"}, {2, "principal"}, {4, "via"}};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		char comment[80];
		uint64_t value = 0;
		memcpy(&value, bytes, fields[i].size);
		snprintf(comment, sizeof(comment), "%s", fields[i].name);
		if (i > 0 && strstr(fields[i].name, "_sum") == NULL)
			snprintf(comment, sizeof(comment), "%s %llu", fields[i].name,
				(unsigned long long)value);
		print_bytes(bytes, fields[i].size, comment);
		bytes += fields[i].size;
	}
}

static size_t varint(const uint8_t *at, uint64_t *ret)
{
	size_t n = 0;
	*ret = 0;
	do
		*ret |= (uint64_t)(at[n] & 0x7f) << (7 * n);
	while ((at[n++] & 0x80) != 0);
	return n;
}

static void print_body(
	const ProtobufCMessageDescriptor *descriptor, const uint8_t *at, const uint8_t *end)
{
	while (at < end) {
		uint64_t key, value;
		char comment[120];
		size_t size = varint(at, &key);
		const ProtobufCFieldDescriptor *field =
			protobuf_c_message_descriptor_get_field(descriptor, (unsigned)(key >> 3));
		if ((key & 7) == 1) {
			size += 8;
		} else {
			size += varint(at + size, &value);
		}
		bool is_message = (key & 7) == 2 && field->type == PROTOBUF_C_TYPE_MESSAGE;
		if ((key & 7) == 2 && !is_message)
			size += value;
		snprintf(comment, sizeof(comment), "%s%s", field->name,
			is_message ? ": length, then" : "");
		print_bytes(at, size, comment);
		if (is_message) {
			print_body(field->descriptor, at + size, at + size + value);
			size += value;
		}
		at += size;
	}
}

void example_print(const uint8_t *bytes)
{
	struct frame_header header;
	memcpy(&header, bytes, sizeof(header));
	bool is_answer = (header.flags & FRAME_FLAG_ANSWER) != 0;
	print_header(bytes);
	print_body(is_answer ? message_of_answer(header.type) : message_of_request(header.type),
		bytes + 64, bytes + 64 + header.body_size_bytes);
}

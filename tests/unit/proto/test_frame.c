#include <criterion/criterion.h>

#include <string.h>

#include "base/hash.h"
#include "proto/code.h"
#include "proto/frame.h"

static const char body[] = "not a message, but a body";

static struct frame_header sealed(void)
{
	struct frame_header header = {
		.type = FRAME_BOOK,
		.route = FRAME_ROUTE_HOTEL,
		.cluster = 0x1122334455667788,
		.routing_key = 42,
		.request_id = 7,
		.remaining_us = 1000000,
	};
	frame_seal(&header, body, sizeof(body));
	return header;
}

/* Changes a field as an attacker would who knows how to sum: only the field itself is wrong. */
static void resum(struct frame_header *header)
{
	header->header_sum = 0;
	header->header_sum = (uint32_t)hash_64(header, sizeof(*header));
}

static int read_back(const struct frame_header *header)
{
	struct frame_header ret = {.type = 0xee};
	uint8_t unaligned[FRAME_HEADER_SIZE + 1];
	memcpy(unaligned + 1, header, sizeof(*header));
	int r = frame_header_read(unaligned + 1, &ret);
	if (r == 0)
		cr_assert_eq(memcmp(&ret, header, sizeof(ret)), 0);
	else
		cr_assert_eq(ret.type, 0xee, "an output was written on failure");
	return r;
}

Test(frame, what_was_sealed_reads_back)
{
	struct frame_header header = sealed();
	cr_assert_eq(header.magic, FRAME_MAGIC);
	cr_assert_eq(header.version, FRAME_VERSION);
	cr_assert_eq(header.body_size_bytes, sizeof(body));
	cr_assert_eq(memcmp(&header, "KRK1", 4), 0);
	cr_assert_eq(read_back(&header), 0);
	cr_assert_eq(frame_body_check(&header, body), 0);
}

Test(frame, a_flipped_bit_anywhere_in_the_header_is_noticed)
{
	for (unsigned bit = 0; bit < FRAME_HEADER_SIZE * 8; bit++) {
		struct frame_header header = sealed();
		((uint8_t *)&header)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		int expected = bit < 32   ? KEYRACK_REJECT_MAGIC
			       : bit < 40 ? KEYRACK_REJECT_VERSION
					  : KEYRACK_REJECT_CHECKSUM;
		cr_assert_eq(read_back(&header), expected, "bit %u", bit);
	}
}

Test(frame, a_flipped_bit_anywhere_in_the_body_is_noticed)
{
	struct frame_header header = sealed();
	for (unsigned bit = 0; bit < sizeof(body) * 8; bit++) {
		char copy[sizeof(body)];
		memcpy(copy, body, sizeof(body));
		copy[bit / 8] = (char)(copy[bit / 8] ^ (char)(1u << bit % 8));
		cr_assert_eq(frame_body_check(&header, copy), KEYRACK_REJECT_CHECKSUM);
	}
}

Test(frame, an_empty_body_has_the_sum_of_no_bytes)
{
	struct frame_header header = {
		.type = FRAME_SNAPSHOT, .route = FRAME_ROUTE_SHARD, .remaining_us = 1};
	frame_seal(&header, NULL, 0);
	cr_assert_eq(header.body_size_bytes, 0);
	cr_assert_eq(header.body_sum, UINT64_C(0x2d06800538d394c2));
	cr_assert_eq(read_back(&header), 0);
	cr_assert_eq(frame_body_check(&header, NULL), 0);
}

Test(frame, absurd_lengths_are_refused_and_the_largest_is_not)
{
	struct frame_header header = sealed();
	header.body_size_bytes = FRAME_BODY_SIZE_MAX;
	resum(&header);
	cr_assert_eq(read_back(&header), 0);
	static const uint32_t absurd[] = {FRAME_BODY_SIZE_MAX + 1, 1u << 31, UINT32_MAX};
	for (size_t i = 0; i < sizeof(absurd) / sizeof(absurd[0]); i++) {
		header.body_size_bytes = absurd[i];
		resum(&header);
		cr_assert_eq(read_back(&header), KEYRACK_REJECT_SIZE);
	}
}

Test(frame, types_and_routes_outside_the_tables_are_refused)
{
	unsigned known = 0;
	for (unsigned type = 0; type < 256; type++) {
		struct frame_header header = sealed();
		header.type = (uint8_t)type;
		resum(&header);
		bool is_known = strcmp(frame_type_name(type), "UNKNOWN") != 0;
		known += is_known;
		cr_assert_eq(read_back(&header), is_known ? 0 : KEYRACK_REJECT_TYPE);
	}
#define X(number, name, request, answer) +1
	cr_assert_eq(known, 0 FRAME_TYPE_TABLE(X));
#undef X
	for (unsigned route = 0; route < 256; route++) {
		struct frame_header header = sealed();
		header.route = (uint8_t)route;
		resum(&header);
		bool is_known = route >= 1 && route <= 4;
		cr_assert_eq(read_back(&header), is_known ? 0 : KEYRACK_REJECT_TYPE);
	}
}

Test(frame, bits_without_a_meaning_are_refused)
{
	for (unsigned flags = 0; flags < 256; flags++) {
		struct frame_header header = sealed();
		header.flags = (uint8_t)flags;
		resum(&header);
		int expected = (flags & ~FRAME_FLAG_MASK) == 0 ? 0 : KEYRACK_REJECT_RESERVED;
		cr_assert_eq(read_back(&header), expected);
	}
}

Test(frame, the_first_fault_in_the_published_order_is_the_one_told)
{
	struct frame_header header = sealed();
	header.flags = 0xff;
	header.type = 0xff;
	resum(&header);
	cr_assert_eq(read_back(&header), KEYRACK_REJECT_TYPE);
	header.body_size_bytes = UINT32_MAX;
	resum(&header);
	cr_assert_eq(read_back(&header), KEYRACK_REJECT_SIZE);
	header.header_sum++;
	cr_assert_eq(read_back(&header), KEYRACK_REJECT_CHECKSUM);
	header.version = 2;
	cr_assert_eq(read_back(&header), KEYRACK_REJECT_VERSION);
	header.magic++;
	cr_assert_eq(read_back(&header), KEYRACK_REJECT_MAGIC);
}

Test(frame, garbage_never_reads_as_a_header)
{
	uint8_t bytes[FRAME_HEADER_SIZE];
	struct frame_header ret;
	for (uint64_t i = 0; i < 100000; i++) {
		for (size_t k = 0; k < sizeof(bytes); k += 8) {
			uint64_t word = hash_64_of_u64(i * 8 + k / 8);
			memcpy(bytes + k, &word, 8);
		}
		if (i % 2 == 1) {
			memcpy(bytes, "KRK1\1", 5);
			cr_assert_eq(frame_header_read(bytes, &ret), KEYRACK_REJECT_CHECKSUM);
		} else {
			cr_assert_neq(frame_header_read(bytes, &ret), 0);
		}
	}
}

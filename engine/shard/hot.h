/*
 * The few messages that nearly all traffic is made of, coded by hand.
 *
 * Reading accepts only what an ordinary client writes: known fields, shortest forms, no price
 * runs, no zero bytes in texts. Anything else is not an error but left to protobuf-c, so that there
 * is one meaning; a test holds both to the same results. Writing gives protobuf-c's own bytes.
 */
#ifndef ENGINE_SHARD_HOT_H
#define ENGINE_SHARD_HOT_H

#include "base/arena.h"
#include "engine/inventory/op.h"

#define HOT_RESERVATION_SIZE_MAX 256u /* of an encoded ReservationAnswer */

struct hot_reserve {
	uint64_t hotel_id, id_hi, id_lo, ttl_us, expected_total_minor, guest_hi, guest_lo, actor;
	bool has_expected_total;
	uint32_t source, line_count;
	struct inv_text external_ref, payment_ref, reason;
	struct inv_line lines[INV_LINES_MAX];
};

struct hot_transition {
	uint64_t id_hi, id_lo, hotel_id, actor;
	bool has_hotel, has_expected_revision, any;
	uint32_t expected_revision, source;
	struct inv_text payment_ref, reason;
};

struct hot_availability {
	uint64_t hotel_id;
	int32_t first_day;
	uint32_t night_count, type_count;
	uint16_t plan;
	uint16_t types[INV_LINES_MAX]; /* more go the long way */
};

/* True: read. False: read it the long way; *ret is undefined. Texts lie in the body. */
bool hot_reserve_read(const uint8_t *body, size_t size_bytes, struct hot_reserve *ret);
bool hot_transition_read(const uint8_t *body, size_t size_bytes, struct hot_transition *ret);
bool hot_availability_read(const uint8_t *body, size_t size_bytes, struct hot_availability *ret);

/* Returns the size. `out` has HOT_RESERVATION_SIZE_MAX bytes. */
size_t hot_reservation_write(const struct inv_answer *answer, bool is_refused, uint8_t *out);

/* The head of an AvailabilityAnswer's columns, and what follows them. */
struct hot_columns {
	const uint16_t *types;
	uint32_t type_count;
	int32_t first_day;
	uint32_t night_count;
	const uint64_t *counters, *rates; /* type_count x night_count */
	const uint64_t *classes;
	uint32_t class_words;
	uint64_t ari_version;
	int32_t business_day;
};
size_t hot_columns_size(const struct hot_columns *columns);
/* size_bytes is what hot_columns_size() said of the same columns. */
void hot_columns_write(const struct hot_columns *columns, size_t size_bytes, uint8_t *out);

#endif

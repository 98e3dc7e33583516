/*
 * The two words of a night: how a cell looks in memory and in availability columns.
 *
 *   COUNTER  bits 0..15 limit (signed), 16..31 held, 32..47 booked, 48..63 flags
 *   RATE     bits 0..39 price in minor units, 40..55 restriction class, 56..63 flags
 *
 * A cell of a plan's first row is both, side by side: 16 bytes a night. The limit is the one
 * number admission compares with; held and booked count rooms. All ranges are the fields' widths:
 * a change that would leave them is COUNTER_FULL, for FORCE too.
 */
#ifndef PROTO_CELL_H
#define PROTO_CELL_H

#include <stdbool.h>
#include <stdint.h>

#define CELL_CLOSED 0x0001u       /* stop-sell of the type */
#define CELL_CTA 0x0002u          /* closed to arrival, type */
#define CELL_CTD 0x0004u          /* closed to departure, type */
#define CELL_EXPLICIT_CAP 0x0008u /* the limit is a cap set for this night */
#define CELL_LOADED 0x0010u       /* the night has a limit; without it the limit is 0 */
#define CELL_FLAG_MASK 0x001fu

#define RATE_PRICED 0x01u /* the price is set; 0 is a price */
#define RATE_CLOSED 0x02u /* stop-sell of the plan */
#define RATE_CTA 0x04u
#define RATE_CTD 0x08u
#define RATE_FLAG_MASK 0x0fu

#define CELL_LIMIT_MIN (-32768)
#define CELL_LIMIT_MAX 32767
#define CELL_COUNT_MAX 65535u
#define RATE_PRICE_MAX ((UINT64_C(1) << 40) - 1)

struct cell_counter {
	int16_t limit;
	uint16_t held;
	uint16_t booked;
	uint16_t flags;
};

struct cell_rate {
	uint64_t price_minor;
	uint16_t class_index;
	uint8_t flags;
};

static inline uint64_t cell_counter_pack(struct cell_counter c)
{
	return (uint64_t)(uint16_t)c.limit | (uint64_t)c.held << 16 | (uint64_t)c.booked << 32 |
	       (uint64_t)c.flags << 48;
}

static inline struct cell_counter cell_counter_unpack(uint64_t word)
{
	return (struct cell_counter){
		.limit = (int16_t)(uint16_t)word,
		.held = (uint16_t)(word >> 16),
		.booked = (uint16_t)(word >> 32),
		.flags = (uint16_t)(word >> 48),
	};
}

static inline uint64_t cell_rate_pack(struct cell_rate r)
{
	return (r.price_minor & RATE_PRICE_MAX) | (uint64_t)r.class_index << 40 |
	       (uint64_t)r.flags << 56;
}

static inline struct cell_rate cell_rate_unpack(uint64_t word)
{
	return (struct cell_rate){
		.price_minor = word & RATE_PRICE_MAX,
		.class_index = (uint16_t)(word >> 40),
		.flags = (uint8_t)(word >> 56),
	};
}

/* limit - held - booked: negative when over limit. Zero rooms of an unloaded night are left. */
static inline int32_t cell_left(struct cell_counter c)
{
	return (int32_t)c.limit - (int32_t)c.held - (int32_t)c.booked;
}

/* Length-of-stay limits in nights; 0 = none. A cell's class index names one of these; 0 = none. */
struct los_class {
	uint16_t min_arrival;
	uint16_t max_arrival;
	uint16_t min_through;
	uint16_t max_through;
};

#endif

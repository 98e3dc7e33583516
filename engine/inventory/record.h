/*
 * Private to the inventory: what a reservation looks like in memory, and what remembers refusals.
 */
#ifndef ENGINE_INVENTORY_RECORD_H
#define ENGINE_INVENTORY_RECORD_H

#include "base/check.h"
#include "engine/inventory/op.h"

/*
 * A reservation: two cache lines. The first is what finding and transitions read. Whatever does
 * not fit (further lines, price runs after the first word, references, change ids) hangs on `more`.
 */
struct inv_record {
	struct kr_id id;
	uint64_t fingerprint;
	uint64_t expires_at_us; /* HELD: the deadline; kept when it ends */
	uint32_t hotel_index;   /* INV_NONE: a VOID without a hotel */
	uint32_t product;       /* of the first line */
	uint32_t revision;
	uint32_t heap_pos; /* in the heap of holds (HELD) or of retirements (else) */
	int32_t check_in;
	uint16_t nights;
	uint16_t rooms;
	uint16_t guests;
	int16_t counted_nights; /* counted_until - check_in, of the first line */
	uint8_t state;
	uint8_t flags; /* INV_RECORD_* */
	uint8_t line_count;
	uint8_t pricing; /* of the first line */
	/* second cache line */
	uint64_t created_at_us;
	uint64_t changed_at_us;
	uint64_t event_seq;
	uint64_t first_runs; /* a word of price runs, 0: no prices; shorter than the line: the
				other runs are in `more` */
	struct inv_guest_id guest;
	uint32_t chain_next, chain_prev; /* the hotel's held or kept records */
	uint32_t more;                   /* chain of nodes */
	uint32_t source;
};
kr_static_assert(sizeof(struct inv_record) == 128, "two cache lines");

/* A word holds one price run, or two small ones and this bit: record_nodes.c. */
#define INV_WORD_OF_TWO_BIT 63u

static inline uint32_t inv_word_run_count(uint64_t word)
{
	return word == 0 ? 0 : 1 + (uint32_t)(word >> INV_WORD_OF_TWO_BIT);
}

enum inv_node_kind {
	INV_NODE_LINE = 1,
	INV_NODE_RUNS,
	INV_NODE_EXTERNAL_REF,
	INV_NODE_PAYMENT_REF,
	INV_NODE_CHANGE,
	INV_NODE_TERMS
};

/* 72 bytes would straddle: references of up to 64 bytes take two nodes. */
struct inv_node {
	uint32_t next;
	uint8_t kind;
	uint8_t size;    /* RUNS: words used; references: bytes used here; TERMS: tiers used */
	uint8_t pricing; /* LINE */
	uint8_t spare;
	union {
		struct {
			uint32_t product;
			int32_t check_in;
			uint16_t nights;
			uint16_t rooms;
			uint16_t guests;
			int16_t counted_nights;
		} line; /* its runs follow in RUNS nodes, then its terms if it has any */
		struct {
			uint64_t arrival_us;
			struct inv_tier tiers[INV_TIERS_MAX];
		} terms;
		uint64_t runs[7];   /* as first_runs */
		uint64_t change_id; /* of the last change */
		char bytes[56];
	} u;
};
kr_static_assert(sizeof(struct inv_node) == 64, "a cache line");

#define INV_RECORD_WAS_HELD 0x01u
#define INV_RECORD_GRACED 0x02u
#define INV_RECORD_CHANGED 0x04u /* a CHANGE node is there */
#define INV_RECORD_KEPT (INV_RECORD_WAS_HELD | INV_RECORD_GRACED | INV_RECORD_CHANGED)
/* Volatile, in no chunk: the same as the hotel's mark, but for a record that a capture of its hotel
 * has not come to yet. */
#define INV_RECORD_MARK 0x40u
#define INV_RECORD_FREE 0x80u

/*
 * An entry of the two heaps of instants (holds, retirements). It carries its key, and the place of
 * entry 0 in the table puts each group of four children on one cache line: sinking costs a miss a
 * level, rising next to none.
 */
struct inv_deadline {
	uint64_t due_us;
	uint32_t record;
	uint32_t spare;
};
kr_static_assert(sizeof(struct inv_deadline) == 16, "four to a cache line");
#define INV_DEADLINE_LEAD 3u /* unused entries in front of entry 0 */

/* Live holds of one guest in one hotel, by the 64-bit hash of both; count 0 = free. Volatile. */
struct inv_guest_holds {
	uint64_t hash;
	uint32_t count;
	uint32_t spare;
};

/* A remembered refusal: volatile, outside the digest. KEY_REUSED keeps the other id in numbers. */
struct inv_refused {
	struct kr_id id;
	uint64_t fingerprint;
	uint64_t hotel;
	int64_t required, left;
	int32_t day;
	uint16_t code;
	uint16_t line;
	uint8_t rule;
	uint8_t state;
	bool has_day;
	uint8_t text; /* number of the static text; 0 = none */
	uint8_t spare[4];
};
kr_static_assert(sizeof(struct inv_refused) == 64, "a cache line");

/* One entry of the table of denials; count 0 = free. */
struct inv_denied {
	uint64_t hotel;
	uint64_t count;
	int32_t day;
	uint16_t type;
	uint8_t rule;
	uint8_t spare;
};
kr_static_assert(sizeof(struct inv_denied) == 24, "no padding");

#endif

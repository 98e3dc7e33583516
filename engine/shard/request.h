/*
 * A request, parsed: what a frame asks, as plain values. Texts and arrays lie in the batch's arena.
 */
#ifndef ENGINE_SHARD_REQUEST_H
#define ENGINE_SHARD_REQUEST_H

#include "engine/inventory/listing.h"
#include "engine/inventory/op.h"
#include "proto/frame.h"

struct shard_frame;

struct shard_nights_query {
	struct hotel_id hotel;
	const uint16_t *types;
	uint32_t type_count;
	uint16_t plan; /* whose rates */
	int32_t first_day;
	uint32_t night_count;
};

struct shard_stay_query {
	struct inv_reserve_op op;
	bool explain;
};

struct shard_id_query {
	struct kr_id id;
	bool has_hotel;
	struct hotel_id hotel;
};

struct shard_list_query {
	bool from_start;
	struct hotel_id after;
	uint32_t limit;
};

struct shard_scan_query {
	struct inv_reservation_filter filter;
	uint64_t cursor;
	uint32_t limit;
};

struct shard_stock_query {
	uint16_t from_type;
	int32_t from_day;
	uint32_t limit;
};

struct shard_plan_query {
	uint16_t from_type, from_plan;
	uint32_t limit;
};

struct shard_night_query {
	struct inv_night_query nights;
	uint64_t cursor;
	int32_t from_day;
	uint32_t limit;
};

struct shard_denial_query {
	struct inv_denial_query denials;
	uint64_t cursor;
	uint32_t limit;
};

struct shard_request {
	const struct shard_frame *frame;
	uint16_t code;         /* 0: to be judged; else the answer */
	uint8_t rule;          /* of that answer */
	const char *field;     /* of that answer: what is wrong; or NULL */
	bool is_dropped;       /* its time is over: no answer */
	struct hotel_id hotel; /* it speaks of; 0 = none, or not known */
	uint32_t slot;         /* SLOT_COUNT: none */
	union {
		struct inv_reserve_op reserve;
		struct inv_transition_op transition;
		struct inv_import_op import;
		struct inv_hotel_op hotel_put;
		struct inv_type_op type_put;
		struct inv_plan_op plan_put;
		struct inv_update_op update;
		struct shard_nights_query nights;
		struct shard_stay_query stay;
		struct shard_id_query get;
		struct shard_list_query list;
		struct shard_scan_query scan;
		struct shard_stock_query stock;
		struct shard_plan_query plans;
		struct shard_night_query night_list;
		struct shard_denial_query denial_list;
		struct {
			const uint8_t *bytes;
			size_t size_bytes;
		} ping;
		bool wants_denials;
	} u;
};

#endif

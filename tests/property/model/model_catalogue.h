/* The model's words for the catalogue and its nights. */
#ifndef TESTS_PROPERTY_MODEL_CATALOGUE_H
#define TESTS_PROPERTY_MODEL_CATALOGUE_H

#include <stdbool.h>
#include <stdint.h>

#define M_TYPES 8
#define M_TIERS 4
#define M_PLANS_MAX 64 /* of a type, beside plan 0 */
#define M_TEXT 65

struct m_hotel_settings {
	int offset_s; /* of the zone: the model knows fixed offsets only */
	int day_roll_minute, check_in_minute, nights_max;
	uint64_t hold_ttl_us, hold_ttl_max_us, hold_total_max_us; /* the last: 0 = none */
	uint32_t holds_max, guest_holds_max;
	int status;
};

/* has_*: the value is set; without it the type has none. */
struct m_type_settings {
	int status, plan_status;
	bool has_physical, has_out_of_order, has_allowance, has_cap;
	int64_t physical, out_of_order, allowance, cap;
	int allowance_unit; /* 1 rooms, 2 basis points */
	uint32_t guests_max, advance_min, advance_max;
};

/* From so many hours before the arrival on cancelling costs nights, or ten-thousandths. */
struct m_tier {
	int hours, nights, points;
};
struct m_terms {
	int tier_count;
	struct m_tier tiers[M_TIERS];
};

struct m_plan_settings {
	char code[M_TEXT];
	int status;
	uint32_t advance_min, advance_max;
	int parent, derivation; /* 0 own prices, 1 the parent's and so much, 2 and so many points */
	int64_t adjustment;
	struct m_terms terms;
};

/* Mask bits as in the protocol's PlanPutRequest. */
struct m_plan_put {
	uint64_t hotel;
	int type, plan;
	uint32_t mask;
	struct m_plan_settings settings;
	bool has_version;
	uint64_t version;
};

/* Field bits as in the protocol's InventorySetRequest. */
struct m_update {
	uint64_t hotel;
	int plan;
	int type_count; /* 0 = all that have the plan */
	int types[M_TYPES];
	int first_day, last_day, weekday_mask;
	uint32_t set, adjust, clear;
	int64_t physical, out_of_order, allowance, cap, price, available;
	int allowance_unit;
	bool closed, cta, ctd, plan_closed, plan_cta, plan_ctd;
	int min_arrival, max_arrival, min_through, max_through;
	uint32_t source;
	uint64_t source_seq;
	bool has_version;
	uint64_t version;
};

#endif

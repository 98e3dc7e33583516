/* The model's words for operations: its own, so that no engine header is needed. */
#ifndef TESTS_PROPERTY_MODEL_OP_H
#define TESTS_PROPERTY_MODEL_OP_H

#include "tests/property/model/model_catalogue.h"

#define M_HOTELS 8
#define M_LINES 4
#define M_RUNS 16
#define M_NIGHTS 1024 /* days the model can hold, from its first business day on */
#define M_SOURCES 16

enum {
	M_HELD = 1,
	M_CONFIRMED,
	M_RELEASED,
	M_EXPIRED,
	M_CANCELLED,
	M_CHECKED_IN,
	M_NO_SHOW,
	M_COMPLETED,
	M_VOID
};
enum { M_CALENDAR, M_CALLER, M_COUNT_ONLY };
enum {
	M_CONFIRM = 1,
	M_RELEASE,
	M_CANCEL,
	M_RESOLVE,
	M_EXTEND,
	M_ATTACH,
	M_CHECK_IN,
	M_COMPLETE,
	M_MARK_NO_SHOW,
	M_MODIFY,
	M_TRANSITION_END
};

struct m_config {
	int window_nights;
	uint64_t retention_us;
	uint64_t grace_us;
	int stay_keep_days;
	int plans_max; /* of all types together, beside plan 0 */
};

struct m_now {
	uint64_t t_us;
	uint64_t wall_us;
};

struct m_id {
	uint64_t hi, lo;
};

struct m_run {
	int nights;
	uint64_t price;
};

struct m_line {
	int type, plan, check_in, check_out, rooms, guests, pricing;
	int keeps; /* MODIFY: the old line, from 1, whose prices it keeps; 0 = its own place */
	int run_count;
	struct m_run runs[M_RUNS];
	/* as it was sold; nothing in an operation */
	int tier_count;
	struct m_tier tiers[M_TIERS];
	uint64_t arrival_us;
};

struct m_reserve {
	uint64_t hotel;
	struct m_id id;
	bool book;
	bool force;
	struct m_id reacquires, replaces; /* 0, 0: none */
	int line_count;
	struct m_line lines[M_LINES];
	uint64_t ttl_us;
	bool has_expected;
	uint64_t expected;
	uint64_t guest_hi, guest_lo;
	char external_ref[M_TEXT], payment_ref[M_TEXT];
	uint32_t source;
};

struct m_transition {
	int what;
	struct m_id id;
	bool has_hotel;
	uint64_t hotel;
	bool has_revision;
	uint32_t revision;
	bool any;
	char payment_ref[M_TEXT];
	uint64_t change_id, expires_us;
	int line_count; /* MODIFY */
	struct m_line lines[M_LINES];
	bool has_expected;
	uint64_t expected;
	bool force;
};

#endif

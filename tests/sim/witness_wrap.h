/* The inventory's calls that the linker wraps: what the shard calls, and what does the work. */
#ifndef TESTS_SIM_WITNESS_WRAP_H
#define TESTS_SIM_WITNESS_WRAP_H

#include "engine/inventory/inventory.h"
#include "engine/inventory/listing.h"
#include "engine/log/log_io.h"
#include "tests/property/model/model_catalogue.h"

#define WRAPPED(result, name, ...)                                                                 \
	result __real_##name(__VA_ARGS__);                                                         \
	result __wrap_##name(__VA_ARGS__)

#define WRAPPED_JUDGE(name, op_type)                                                               \
	WRAPPED(enum inv_result, name, struct inv *inv, struct inv_now now, const op_type *op,     \
		struct inv_effect *ret_effect, struct inv_answer *ret_answer)

WRAPPED_JUDGE(inv_hotel_judge, struct inv_hotel_op);
WRAPPED_JUDGE(inv_type_judge, struct inv_type_op);
WRAPPED_JUDGE(inv_plan_judge, struct inv_plan_op);
WRAPPED_JUDGE(inv_update_judge, struct inv_update_op);
WRAPPED_JUDGE(inv_reserve_judge, struct inv_reserve_op);
WRAPPED_JUDGE(inv_import_judge, struct inv_import_op);
WRAPPED_JUDGE(inv_transition_judge, struct inv_transition_op);
WRAPPED(enum inv_result, inv_due_judge, struct inv *inv, struct inv_now now,
	struct inv_effect *ret_effect);
WRAPPED(enum inv_result, inv_grace_judge, struct inv *inv, struct inv_now now, uint64_t last_t_us,
	struct inv_effect *ret_effect);
WRAPPED(int, inv_apply, struct inv *inv, const struct inv_effect *effect,
	struct inv_contradiction *ret);
WRAPPED(void, inv_availability, const struct inv *inv, struct hotel_id hotel, const uint16_t *types,
	uint32_t type_count, uint16_t plan, int32_t first_day, uint32_t night_count,
	uint64_t *ret_counters, uint64_t *ret_rates, struct inv_answer *ret_answer);
WRAPPED(uint32_t, inv_night_list, const struct inv *inv, const struct inv_night_query *query,
	struct inv_night_place *place, uint32_t budget, struct inv_night_view *ret,
	uint32_t count_max);
WRAPPED(enum inv_scan, inv_reservation_scan, struct inv *inv, uint64_t now_us,
	const struct inv_reservation_filter *filter, uint32_t *at, uint32_t *budget,
	struct inv_reservation_view *ret);
WRAPPED(uint32_t, inv_denial_list, const struct inv *inv, const struct inv_denial_query *query,
	uint32_t *at, uint32_t budget, struct inv_denial *ret, uint32_t count_max, bool *ret_more);
WRAPPED(uint32_t, inv_stock_list, const struct inv *inv, struct hotel_id hotel, uint16_t from_type,
	int32_t from_day, struct inv_stock_view *ret, uint32_t count_max, bool *ret_more);
struct shard;
WRAPPED(bool, shard_cursor_read, const struct shard *shard, uint64_t cursor, uint32_t *ret_at);
WRAPPED(uint64_t, shard_cursor_next, const struct shard *shard, struct hotel_id hotel,
	bool is_ended, uint32_t at);
WRAPPED(uint32_t, inv_plan_list, const struct inv *inv, struct hotel_id hotel, uint16_t from_type,
	uint16_t from_plan, struct inv_plan_view *ret, uint32_t count_max, bool *ret_more);
WRAPPED(bool, inv_type_has_plan, const struct inv *inv, struct hotel_id hotel, uint16_t type,
	uint16_t plan);
WRAPPED(uint32_t, inv_stay_check, struct inv *inv, struct inv_now now,
	const struct inv_reserve_op *op, bool explain, struct inv_refusal *ret_refusals,
	struct inv_line *ret_lines, uint32_t *ret_rooms_left, struct inv_answer *ret_answer);
WRAPPED(bool, inv_reservation_get_of, struct inv *inv, struct hotel_id hotel, struct kr_id id,
	uint64_t now_us, struct inv_reservation_view *ret);
WRAPPED(bool, inv_hotel_head, const struct inv *inv, struct hotel_id hotel,
	struct inv_hotel_head *ret);
WRAPPED(bool, inv_hotel_get, const struct inv *inv, struct hotel_id hotel,
	struct inv_hotel_view *ret);
WRAPPED(int, log_io_append, struct log_io *log, const struct log_append *append);
WRAPPED(int, log_store_recover, struct log_store *store, const struct log_meta *wanted,
	bool ignore_meta, const struct log_applier *applier, struct kr_error_text *text);

/* A list of nights as one number: that of the nights before, and one more. */
uint64_t witness_night(uint64_t digest_before, const struct inv_night_view *view);

/* The same for rate plans. */
uint64_t witness_plan(
	uint64_t digest_before, int type, int plan, const struct m_plan_settings *settings);
/* All its bytes: it is part of what a request is known by. */
void witness_plan_from(const struct inv_plan_settings *settings, struct m_plan_settings *ret);

#endif

/*
 * Reading the inventory: hotels, types, reservations, availability, counts. Nothing changes.
 *
 * A view's texts and arrays live in the inventory until its next judging or reading call.
 */
#ifndef ENGINE_INVENTORY_VIEW_H
#define ENGINE_INVENTORY_VIEW_H

#include "engine/inventory/effect.h"

struct inv;

struct inv_hotel_view {
	struct hotel_id hotel;
	struct inv_hotel_settings settings;
	uint64_t ari_version, event_seq, last_lsn;
	int32_t business_day;
	uint32_t type_count;
	uint64_t reservation_count, hold_count;
};
struct inv_type_view {
	uint16_t type;
	uint32_t set_mask;
	struct inv_type_settings settings;
};
struct inv_plan_view {
	uint16_t type, plan;
	struct inv_plan_settings settings;
};
struct inv_reservation_view {
	struct kr_id id;
	struct hotel_id hotel; /* 0 for a VOID without one */
	uint8_t state;
	bool due, was_held, graced, has_total;
	uint32_t revision;
	uint64_t fingerprint, created_at_us, changed_at_us, expires_at_us, total_minor, event_seq;
	uint64_t change_id;
	int32_t counted_until;
	uint32_t source;
	struct inv_guest_id guest;
	struct inv_text external_ref, payment_ref;
	const struct inv_line *lines; /* in the inventory's scratch */
	uint32_t line_count;
	/* HELD, CONFIRMED: of giving it back now; CANCELLED, NO_SHOW: what that cost; else no
	 * amounts. */
	struct inv_cost cost;
};

bool inv_hotel_get(const struct inv *inv, struct hotel_id hotel, struct inv_hotel_view *ret);
/* The same without the settings, from one cache line. */
struct inv_hotel_head {
	uint64_t ari_version, event_seq, last_lsn;
	int32_t business_day;
	uint32_t type_count;
};
bool inv_hotel_head(const struct inv *inv, struct hotel_id hotel, struct inv_hotel_head *ret);
/* Hotels in ascending order of id, after `after` (or from the start). O(hotels) a call of many. */
uint32_t inv_hotel_list(const struct inv *inv, bool from_start, struct hotel_id after,
	struct inv_hotel_view *ret, uint32_t count_max, bool *ret_more);
/* The hotel's types ascending, up to count_max; the hotel must exist. */
uint32_t inv_type_list(const struct inv *inv, struct hotel_id hotel, struct inv_type_view *ret,
	uint32_t count_max);
/* The hotel's rate plans ascending by (type, plan), plan 0 included, from there on. The hotel must
 * exist. O(types + plans of the hotel). */
uint32_t inv_plan_list(const struct inv *inv, struct hotel_id hotel, uint16_t from_type,
	uint16_t from_plan, struct inv_plan_view *ret, uint32_t count_max, bool *ret_more);
/* now_us decides `due`. Ids of other layouts are found with their hotel alone. */
bool inv_reservation_get(
	struct inv *inv, struct kr_id id, uint64_t now_us, struct inv_reservation_view *ret);
bool inv_reservation_get_of(struct inv *inv, struct hotel_id hotel, struct kr_id id,
	uint64_t now_us, struct inv_reservation_view *ret);
/* Of a native id; 0 when it is not known, or has none. */
struct hotel_id inv_reservation_hotel(const struct inv *inv, struct kr_id id);
/* What a list of reservations is about; zero where a filter is off. Days are inclusive. */
struct inv_reservation_filter {
	struct hotel_id hotel;
	uint32_t state_mask; /* a bit each */
	bool has_arrival, has_departure, has_night;
	int32_t arrival_first, arrival_last;     /* first night of any line */
	int32_t departure_first, departure_last; /* the date after the last night of any line */
	int32_t night_first, night_last;         /* a night of any line */
	struct inv_guest_id guest;
	struct inv_text external_ref;
	uint32_t source;
	uint8_t payment;            /* 1 with a payment reference, 2 without */
	uint64_t arrives_before_us; /* the hotel's check-in time on the first night; 0 = any */
};
enum inv_scan { INV_SCAN_FOUND, INV_SCAN_PAUSED, INV_SCAN_ENDED };
/* The next one that fits from place *at of the table on; *at moves behind it. PAUSED when *budget
 * places were looked at. Records never move, so that one which stays is met exactly once. */
enum inv_scan inv_reservation_scan(struct inv *inv, uint64_t now_us,
	const struct inv_reservation_filter *filter, uint32_t *at, uint32_t *budget,
	struct inv_reservation_view *ret);
/* What to say of an id that is not found: NOT_FOUND, or KEY_EXPIRED past the purge mark. */
uint16_t inv_reservation_absent_code(const struct inv *inv, struct kr_id id);

/*
 * Columns of availability: night_count words each for type_count types, written type-major to
 * ret_counters and ret_rates (both hold type_count x night_count). The rates are those of `plan`,
 * which each type must have; no types under a plan other than 0 are refused as the plan's absence.
 * Code and refusal as judging: NOT_FOUND, OUT_OF_WINDOW, PAST_DATE, INVALID.
 */
void inv_availability(const struct inv *inv, struct hotel_id hotel, const uint16_t *types,
	uint32_t type_count, uint16_t plan, int32_t first_day, uint32_t night_count,
	uint64_t *ret_counters, uint64_t *ret_rates, struct inv_answer *ret_answer);
/* Whether the hotel's type has that rate plan. */
bool inv_type_has_plan(const struct inv *inv, struct hotel_id hotel, uint16_t type, uint16_t plan);
/* Stages as inv_reserve_prefetch: halves the time of a batch that is not in the caches. */
void inv_availability_prefetch(const struct inv *inv, struct hotel_id hotel, const uint16_t *types,
	uint32_t type_count, int32_t first_day, uint32_t night_count, unsigned stage);
struct los_class inv_los_class(const struct inv *inv, uint16_t class_index);

/*
 * Steps 2 to 10 for a stay that nobody reserves. With `explain` every failing rule is listed,
 * up to INV_EXPLAIN_MAX; otherwise the first. lines_priced (line_count of them) gets the lines with
 * runs in scratch. ret_answer has code, total and the first refusal.
 */
uint32_t inv_stay_check(struct inv *inv, struct inv_now now, const struct inv_reserve_op *op,
	bool explain, struct inv_refusal *ret_refusals, struct inv_line *ret_lines,
	uint32_t *ret_rooms_left, struct inv_answer *ret_answer);

struct inv_counts {
	uint32_t hotels, rows, plans, reservations, holds, nodes, stock_runs, classes;
	uint64_t last_t_us, last_lsn, purge_mark_us;
	uint64_t denials, denials_overflow;
};
void inv_counts_get(const struct inv *inv, struct inv_counts *ret);
struct inv_denial {
	struct hotel_id hotel;
	uint16_t type;
	uint8_t rule;
	int32_t day;
	uint64_t count;
};
uint32_t inv_denials_list(const struct inv *inv, struct inv_denial *ret, uint32_t count_max);

/* Calls back for every cell with anything in it, and for every record: dump and recount. */
typedef void inv_cell_fn(void *user, struct hotel_id hotel, uint16_t type, int32_t day,
	uint64_t counter, uint64_t rate);
void inv_cells_each(const struct inv *inv, inv_cell_fn *fn, void *user);
typedef void inv_reservation_fn(void *user, const struct inv_reservation_view *view);
void inv_reservations_each(struct inv *inv, uint64_t now_us, inv_reservation_fn *fn, void *user);

#endif

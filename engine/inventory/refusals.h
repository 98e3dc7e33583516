/*
 * Private to the inventory: what is remembered of a "no". Volatile, outside the digest.
 *
 * A ring keeps the last `refusals_max` refusals of HOLD and BOOK by id, so that a retry hears the
 * same; the oldest is forgotten first. A table counts denials by hotel, type, rule and night; what
 * finds no place in it is counted together.
 */
#ifndef ENGINE_INVENTORY_REFUSALS_H
#define ENGINE_INVENTORY_REFUSALS_H

#include "engine/inventory/records.h"

/* Names of fields, tables and caps in refusals: number in the ring, text in answers. */
#define INV_NAME_TABLE(X)                                                                          \
	X(1, LINES, "lines")                                                                       \
	X(2, ROOMS, "rooms")                                                                       \
	X(3, PRICING, "pricing")                                                                   \
	X(4, RUNS, "price runs")                                                                   \
	X(5, TTL, "ttl_us")                                                                        \
	X(6, EXTERNAL_REF, "external_ref")                                                         \
	X(7, PAYMENT_REF, "payment_ref")                                                           \
	X(8, REASON, "reason")                                                                     \
	X(9, SOURCE, "source")                                                                     \
	X(10, TOTAL, "total")                                                                      \
	X(11, TRANSITION, "transition")                                                            \
	X(12, ANY, "any")                                                                          \
	X(13, RESERVATIONS, "reservations")                                                        \
	X(14, NODES, "nodes")                                                                      \
	X(15, HOTEL_HOLDS, "holds_max")                                                            \
	X(16, GUEST_HOLDS, "guest_holds_max")                                                      \
	X(17, CHANGE_ID, "change_id")                                                              \
	X(18, EXPECTED_REVISION, "expected_revision")                                              \
	X(19, EXPIRES_AT, "expires_at_us")                                                         \
	X(20, REACQUIRES, "reacquires")                                                            \
	X(21, KEEPS, "keeps")                                                                      \
	X(22, REPLACES, "replaces")                                                                \
	X(23, FORCE, "force")                                                                      \
	X(24, STATE, "state")                                                                      \
	X(25, REVISION, "revision")                                                                \
	X(26, CREATED_AT, "created_at_us")                                                         \
	X(27, CHANGED_AT, "changed_at_us")                                                         \
	X(28, COUNTED_UNTIL, "counted_until")                                                      \
	X(29, GRACED, "graced")                                                                    \
	X(30, TERMS, "terms")

#define X(number, name, text) INV_NAME_##name = number,
enum inv_name { INV_NAME_TABLE(X) };
#undef X

const char *inv_name_text(enum inv_name name);

/* The ring's entry of an id, or NULL. */
const struct inv_refused *inv_refused_find(const struct inv *inv, struct kr_id id);
/* The refusal as it was given. */
struct inv_refusal inv_refused_get(const struct inv_refused *refused);
/* The id is not in the ring yet. */
void inv_refused_put(
	struct inv *inv, const struct inv_reserve_op *op, const struct inv_refusal *refusal);

/* Counts the refusal of these lines, if it turned demand away: not what was never a question
 * (unknown names, malformed, reused ids). */
void inv_denial_note(struct inv *inv, struct hotel_id hotel, const struct inv_line *lines,
	uint32_t line_count, const struct inv_refusal *refusal);

#endif

/*
 * Private to the inventory: judging what is asked of a reservation that is there. transition.c
 * dispatches and holds the moves of holds and bookings; transition_change.c and presence.c the
 * rest.
 */
#ifndef ENGINE_INVENTORY_TRANSITION_H
#define ENGINE_INVENTORY_TRANSITION_H

#include "engine/inventory/reservations.h"

struct inv_transition_case {
	struct inv *inv;
	struct inv_now now;
	const struct inv_transition_op *op;
	uint32_t record;
};

enum inv_result inv_transition_refuse(const struct inv_transition_case *c, uint16_t code,
	uint8_t rule, struct inv_answer *answer);
/* It was done before: the present state. */
enum inv_result inv_transition_repeat(
	const struct inv_transition_case *c, struct inv_answer *answer);
/* HOLD_EXPIRED. CONFIRM learns what could be had instead, the others that it is too late. */
enum inv_result inv_transition_expired(
	const struct inv_transition_case *c, struct inv_answer *answer);
/* Another revision than the expected one, or no room for so many nodes: answered, true. */
bool inv_transition_is_blocked(
	const struct inv_transition_case *c, uint32_t nodes, struct inv_answer *answer);
/* The head of an effect on the record. */
void inv_transition_begin(
	const struct inv_transition_case *c, enum inv_effect_kind kind, struct inv_effect *effect);
/* To another state, unless it is blocked. */
enum inv_result inv_transition_move(const struct inv_transition_case *c, enum inv_effect_kind kind,
	uint8_t to, struct inv_effect *effect, struct inv_answer *answer);

/* The record keeps this change's id: whatever became of it since, that change was made. */
bool inv_change_is_known(const struct inv_transition_case *c);
/* The record has a payment reference; and it is not the one given (none given is no other). */
bool inv_payment_is_kept(const struct inv_transition_case *c);
bool inv_payment_is_other(const struct inv_transition_case *c);

typedef enum inv_result inv_transition_fn(
	const struct inv_transition_case *c, struct inv_effect *effect, struct inv_answer *answer);

inv_transition_fn inv_extend_judge, inv_attach_judge, inv_presence_judge, inv_modify_judge;

#endif

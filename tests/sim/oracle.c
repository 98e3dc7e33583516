#include "tests/sim/oracle.h"

#include <string.h>

#include "keyrack/keyrack.h"
#include "proto/keyrack.pb-c.h"

#define STATE_ENDED (STATE(RELEASED) | STATE(EXPIRED) | STATE(CANCELLED) | STATE(VOID))
#define STATE_ANY (STATE_ABSENT | STATE(HELD) | STATE(CONFIRMED) | STATE_ENDED)

/* What the clock and an operation that may still be under way can have made of it. */
static uint32_t closure(uint32_t may_be, uint32_t moves)
{
	uint32_t before;
	do {
		before = may_be;
		if (may_be & STATE(HELD))
			may_be |= STATE(EXPIRED);
		if ((moves & 1u << 0) && (may_be & STATE_ABSENT))
			may_be |= STATE(CONFIRMED);
		if ((moves & 1u << 1) && (may_be & STATE_ABSENT))
			may_be |= STATE(HELD);
		if ((moves & 1u << 2) && (may_be & STATE(HELD)))
			may_be |= STATE(CONFIRMED);
		if ((moves & 1u << 3) && (may_be & STATE(HELD)))
			may_be |= STATE(RELEASED);
		if ((moves & 1u << 4) && (may_be & STATE(CONFIRMED)))
			may_be |= STATE(CANCELLED);
		if ((moves & 1u << 5) && (may_be & STATE_ABSENT))
			may_be |= STATE(VOID);
	} while (may_be != before);
	return may_be;
}

static uint32_t move_of(uint8_t type)
{
	switch (type) {
	case FRAME_BOOK:
		return 1u << 0;
	case FRAME_HOLD:
		return 1u << 1;
	case FRAME_CONFIRM:
		return 1u << 2;
	case FRAME_RELEASE:
		return 1u << 3;
	case FRAME_CANCEL:
		return 1u << 4;
	default:
		return 1u << 5;
	}
}

bool oracle_is_in_doubt(const struct track *t)
{
	const uint32_t may_be = closure(t->may_be, t->pending);
	const uint32_t live = STATE(HELD) | STATE(EXPIRED);
	return (may_be & (may_be - 1)) != 0 && may_be != live;
}

static void contradict(struct client *c, const struct track *t, const struct open_call *call,
	unsigned code, uint32_t state, uint32_t may_be)
{
	cluster_fail(c->cluster,
		"client %u: %016llx%016llx: %s was answered %s, state %u, but it may only be %x",
		c->number, (unsigned long long)t->id.hi, (unsigned long long)t->id.lo,
		frame_type_name(call->type), code_name(code), state, may_be);
}

/* The answer tells a state: it must be one of those that are possible, and is it from now on. */
static void told(struct client *c, struct track *t, const struct open_call *call, unsigned code,
	uint32_t state, uint32_t possible)
{
	const uint32_t bit = 1u << state;
	if ((possible & bit) == 0)
		contradict(c, t, call, code, state, possible);
	t->may_be = bit;
}

/* Done, and done to what: the outcome must be the operation's. */
static void check_done(
	struct client *c, const struct track *t, const struct open_call *call, uint32_t state)
{
	const bool fits = call->type == FRAME_CONFIRM   ? state == INV_CONFIRMED
			  : call->type == FRAME_RELEASE ? state == INV_RELEASED
			  : call->type == FRAME_CANCEL  ? state == INV_CANCELLED
							: state != INV_VOID;
	if (!fits)
		contradict(c, t, call, KEYRACK_DONE, state, 0);
}

static void take_final(struct client *c, struct track *t, const struct open_call *call,
	unsigned code, uint32_t state)
{
	const uint32_t possible = closure(t->may_be, t->pending | move_of(call->type));
	const bool is_sale = call->type == FRAME_BOOK || call->type == FRAME_HOLD;
	if (code == KEYRACK_DONE)
		check_done(c, t, call, state);
	if (state != 0) {
		told(c, t, call, code, state, possible);
	} else if (code == KEYRACK_KEY_EXPIRED) {
		/* Forgotten: ended long ago, or never was. A booking is never forgotten. */
		if ((possible & (STATE_ENDED | STATE_ABSENT)) == 0)
			contradict(c, t, call, code, 0, possible);
		t->may_be = STATE_ABSENT | STATE_ENDED;
	} else if (code == KEYRACK_NOT_FOUND || is_sale) {
		if ((possible & STATE_ABSENT) == 0)
			contradict(c, t, call, code, 0, possible);
		t->may_be = STATE_ABSENT;
	} else {
		contradict(c, t, call, code, 0, possible);
	}
}

static uint32_t state_of(struct client *c, const struct client_end *end)
{
	if (end->body == NULL)
		return 0;
	Keyrack__ReservationAnswer *a =
		keyrack__reservation_answer__unpack(NULL, end->body_size_bytes, end->body);
	if (a == NULL)
		cluster_fail(c->cluster, "an answer cannot be read");
	const uint32_t state = a->state;
	keyrack__reservation_answer__free_unpacked(a, NULL);
	return state;
}

void oracle_answer(struct client *c, const struct open_call *call, const struct client_end *end)
{
	c->codes[KR_MIN(end->code, 255)]++;
	if (call->track == UINT32_MAX) {
		if (end->code != KEYRACK_DONE)
			cluster_fail(c->cluster, "%s: %s", frame_type_name(call->type),
				code_name(end->code));
		return;
	}
	struct track *t = &c->tracks[call->track];
	const enum code_class class = code_class_of(end->code);
	t->is_busy = false;
	cluster_tell(c->cluster, "client %u: %s %016llx: %s after %u tries", c->number,
		frame_type_name(call->type), (unsigned long long)t->id.lo, code_name(end->code),
		end->tries);
	if (end->outcome == KEYRACK_RESULT_UNKNOWN) {
		c->ops_unknown++;
		t->pending |= move_of(call->type);
	} else if (class == CODE_SUCCESS || class == CODE_FINAL) {
		*(class == CODE_SUCCESS ? &c->ops_done : &c->ops_refused) += 1;
		take_final(c, t, call, end->code, state_of(c, end));
	} else {
		c->ops_transient++; /* nothing happened */
	}
}

/* ---- at the end ---- */

struct survey {
	struct cluster *cluster;
	uint64_t found;
};

static struct track *track_of(struct cluster *cluster, struct kr_id id)
{
	for (uint32_t k = 0; k < cluster->client_count; k++)
		for (uint32_t i = 0; i < cluster->clients[k]->track_count; i++)
			if (kr_id_equal(cluster->clients[k]->tracks[i].id, id))
				return &cluster->clients[k]->tracks[i];
	return NULL;
}

static void on_record(void *user, const struct inv_reservation_view *view)
{
	struct survey *survey = user;
	struct track *t = track_of(survey->cluster, view->id);
	survey->found++;
	if (t == NULL)
		cluster_fail(survey->cluster, "a record that nobody asked for");
	if ((closure(t->may_be, t->pending) & 1u << view->state) == 0)
		cluster_fail(survey->cluster, "record %016llx is in state %u, it may be %x",
			(unsigned long long)view->id.lo, view->state,
			closure(t->may_be, t->pending));
	if (view->state != INV_VOID &&
		(view->line_count != 1 || view->lines[0].check_in != t->check_in ||
			view->lines[0].check_out != t->check_in + t->nights ||
			view->lines[0].rooms != t->rooms || view->hotel.v != t->hotel))
		cluster_fail(survey->cluster, "a record is not what was asked for");
	t->is_found = true;
}

static void on_cell(void *user, struct hotel_id hotel, uint16_t type, int32_t day, uint64_t counter,
	uint64_t rate)
{
	struct survey *survey = user;
	const struct cell_counter c = cell_counter_unpack(counter);
	(void)rate;
	if (cell_left(c) < 0)
		cluster_fail(survey->cluster,
			"hotel %llu type %u day %d: %u held, %u booked, limit %d",
			(unsigned long long)hotel.v, type, day, c.held, c.booked, c.limit);
}

void oracle_final(struct cluster *cluster)
{
	struct survey survey = {.cluster = cluster};
	for (uint32_t s = 0; s < cluster->shard_count; s++) {
		struct inv *inv = cluster_inventory(cluster, s);
		struct inv_contradiction why = {0};
		if (inv_verify(inv, &why) != 0)
			cluster_fail(cluster, "shard %u at the end: %s", s, why.what);
		inv_reservations_each(inv, 0, on_record, &survey);
		inv_cells_each(inv, on_cell, &survey);
	}
	for (uint32_t k = 0; k < cluster->client_count; k++)
		for (uint32_t i = 0; i < cluster->clients[k]->track_count; i++) {
			const struct track *t = &cluster->clients[k]->tracks[i];
			const uint32_t may_be = closure(t->may_be, t->pending);
			if (!t->is_found && (may_be & (STATE_ABSENT | STATE_ENDED)) == 0)
				cluster_fail(cluster, "%016llx is lost: it may only be %x",
					(unsigned long long)t->id.lo, may_be);
		}
}

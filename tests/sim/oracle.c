#include "tests/sim/oracle.h"

#include <stdio.h>
#include <string.h>

#include "keyrack/keyrack.h"
#include "tests/sim/hear.h"

#define STATE_ENDED                                                                                \
	(STATE(RELEASED) | STATE(EXPIRED) | STATE(CANCELLED) | STATE(NO_SHOW) | STATE(VOID))

#define STATE_BOOKED (STATE(CONFIRMED) | STATE(CHECKED_IN))

#define STATE_COMES                                                                                \
	(STATE(HELD) | STATE_BOOKED | STATE(RELEASED) | STATE(EXPIRED) | STATE(CANCELLED) |        \
		STATE(NO_SHOW) | STATE(COMPLETED))

/* From a state to a state, by an operation. */
struct step {
	uint32_t from, to;
	uint8_t by;
};
static const struct step steps[] = {
	{STATE_ABSENT, STATE(CONFIRMED), FRAME_BOOK},
	{STATE_ABSENT, STATE(HELD), FRAME_HOLD},
	{STATE(HELD), STATE(CONFIRMED), FRAME_CONFIRM},
	{STATE(HELD), STATE(RELEASED), FRAME_RELEASE},
	{STATE(HELD), STATE(RELEASED), FRAME_CANCEL},
	{STATE(CONFIRMED), STATE(CANCELLED), FRAME_CANCEL},
	{STATE_ABSENT, STATE(VOID), FRAME_RESOLVE},
	{STATE(CONFIRMED), STATE(CHECKED_IN), FRAME_CHECK_IN},
	{STATE_BOOKED, STATE(COMPLETED), FRAME_COMPLETE},
	{STATE(CONFIRMED), STATE(NO_SHOW), FRAME_NO_SHOW},
	{STATE_ABSENT, STATE_COMES, FRAME_IMPORT},
};

static uint32_t move_of(uint8_t type)
{
	uint32_t moves = 0;
	for (uint32_t i = 0; i < KR_ARRAY_COUNT(steps); i++)
		moves |= steps[i].by == type ? 1u << i : 0;
	return moves;
}

/* What the clock and an operation that may still be under way can have made of it. */
static uint32_t closure(uint32_t may_be, uint32_t moves)
{
	uint32_t before;
	do {
		before = may_be;
		if (may_be & STATE(HELD))
			may_be |= STATE(EXPIRED);
		for (uint32_t i = 0; i < KR_ARRAY_COUNT(steps); i++)
			if ((moves & 1u << i) && (may_be & steps[i].from))
				may_be |= steps[i].to;
	} while (may_be != before);
	return may_be;
}

bool oracle_is_in_doubt(const struct track *t)
{
	const uint32_t may_be = closure(t->may_be, t->pending);
	const uint32_t live = STATE(HELD) | STATE(EXPIRED);
	return t->is_change_open || ((may_be & (may_be - 1)) != 0 && may_be != live);
}

bool oracle_is_edge(uint32_t from, uint32_t to)
{
	kr_assert(from <= INV_VOID && to <= INV_VOID);
	for (uint32_t i = 0; i < KR_ARRAY_COUNT(steps); i++)
		if ((steps[i].from & 1u << from) && (steps[i].to & 1u << to))
			return true;
	return from == INV_HELD && to == INV_EXPIRED;
}

void oracle_may_come(struct track *t, uint8_t type)
{
	t->pending |= move_of(type);
}

void oracle_may_release(struct track *t)
{
	t->pending |= move_of(FRAME_RELEASE);
}

static void contradict(struct client *c, const struct track *t, const struct open_call *call,
	unsigned code, uint32_t state, uint32_t may_be)
{
	cluster_fail(c->cluster,
		"client %u: %016llx%016llx: %s was answered %s, state %u, but it may only be %x",
		c->number, (unsigned long long)t->asked.id.hi, (unsigned long long)t->asked.id.lo,
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
			  : call->type == FRAME_CANCEL
				  ? state == INV_CANCELLED || state == INV_RELEASED
			  : call->type == FRAME_CHECK_IN ? state == INV_CHECKED_IN
			  : call->type == FRAME_COMPLETE ? state == INV_COMPLETED
			  : call->type == FRAME_NO_SHOW  ? state == INV_NO_SHOW
							 : state != INV_VOID;
	if (!fits)
		contradict(c, t, call, KEYRACK_DONE, state, 0);
}

/* States in which a record may have been retired, with a day or two for zones and clocks. */
static uint32_t forgettable(const struct client *c, const struct track *t)
{
	const bool is_past = client_today(c) + 2 >= t->last_day + INV_STAY_KEEP_DAYS;
	return STATE_ENDED | STATE_ABSENT | (is_past ? STATE_BOOKED | STATE(COMPLETED) : 0);
}

/* A refused id is refused in the same words until its shard starts again: also when the VOID that
 * was made of it since is there no more. In which words nobody knows whom no answer reached. */
static uint32_t remembered(const struct track *t, const struct open_call *call, unsigned code)
{
	const uint32_t sales = move_of(FRAME_BOOK) | move_of(FRAME_HOLD);
	const bool is_kept = call->type == FRAME_BOOK || call->type == FRAME_HOLD;
	const bool is_same = code == t->refused || (t->pending & sales) != 0;
	return is_kept && is_same ? STATE(VOID) : 0;
}

static void take_final(struct client *c, struct track *t, const struct open_call *call,
	const struct client_end *end, uint32_t state)
{
	const unsigned code = end->code;
	const uint32_t moves = t->pending | move_of(call->type);
	uint32_t possible = closure(t->may_be, moves);
	/* Of an id of another system nobody knows that it was forgotten: it may come in again. */
	if (client_id_is_foreign(t->asked.id) && (possible & forgettable(c, t)))
		possible = closure(possible | STATE_ABSENT, moves);
	const bool is_sale =
		call->type == FRAME_BOOK || call->type == FRAME_HOLD || call->type == FRAME_IMPORT;
	if (code == KEYRACK_DONE)
		check_done(c, t, call, state);
	if (code == KEYRACK_KEY_REUSED)
		return; /* says nothing of this payload */
	if (state != 0) {
		told(c, t, call, code, state, possible);
	} else if (code == KEYRACK_KEY_EXPIRED) {
		/* Forgotten: ended long ago, or never was. */
		const uint32_t left = forgettable(c, t);
		if ((possible & left) == 0)
			contradict(c, t, call, code, 0, possible);
		t->may_be = left;
	} else if (code == KEYRACK_NOT_FOUND || is_sale) {
		if ((possible & (STATE_ABSENT | remembered(t, call, code))) == 0)
			contradict(c, t, call, code, 0, possible);
		t->may_be = STATE_ABSENT;
		if (call->type == FRAME_BOOK || call->type == FRAME_HOLD)
			t->refused = code;
		else if (call->type == FRAME_IMPORT && end->tries > 1)
			/* An earlier try may be on its way by a router that died. */
			t->pending |= move_of(FRAME_IMPORT);
	} else {
		contradict(c, t, call, code, 0, possible);
	}
}

/* The hold that a hold replaces: released once that one is known to be there. */
static void take_replaced(
	struct client *c, const struct track *t, const struct open_call *call, bool is_done)
{
	/* Only the hold itself kept the other one busy, which may be asked for again since. */
	if (t->replaces == CLIENT_NO_TRACK || call->type != FRAME_HOLD)
		return;
	struct track *old = &c->tracks[t->replaces];
	old->is_busy = false;
	if (is_done)
		old->may_be = STATE(RELEASED);
}

/* An answer about one of the client's reservations. */
static void take_answer(struct client *c, const struct open_call *call,
	const struct client_end *end, const struct witness_reply *reply)
{
	struct track *t = &c->tracks[call->track];
	const enum code_class class = code_class_of(end->code);
	const bool is_final = class == CODE_SUCCESS || class == CODE_FINAL;
	const bool is_change = call->type == FRAME_EXTEND || call->type == FRAME_ATTACH_PAYMENT ||
			       call->type == FRAME_MODIFY;
	t->is_busy = false;
	take_replaced(c, t, call, end->outcome == KEYRACK_RESULT_DONE);
	if (end->outcome == KEYRACK_RESULT_UNKNOWN) {
		t->pending |= move_of(call->type);
		t->is_change_open |= is_change;
		/* Forgotten meanwhile, it may have come in once more. */
		if (call->type == FRAME_IMPORT && client_id_is_foreign(t->asked.id) &&
			(t->may_be & forgettable(c, t)))
			t->may_be |= STATE_ABSENT;
	} else if (!is_final && c->cluster->plan.world.faults.net_duplicate > 0) {
		/* What came twice was answered for one copy, and may be done for the other. */
		t->pending |= move_of(call->type);
		t->is_change_open |= is_change;
	} else if (is_final) {
		take_final(c, t, call, end, (uint32_t)reply->state);
		if (reply->expires_us != 0)
			t->expires_us = reply->expires_us;
		if (reply->revision != 0)
			t->revision = (uint32_t)reply->revision;
		if (is_change)
			t->is_change_open = false;
	}
}

/* It happened, and was cut: as good as unknown. */
static void take_lost(struct client *c, const struct open_call *call)
{
	if (call->track == CLIENT_NO_TRACK)
		return;
	struct track *t = &c->tracks[call->track];
	t->is_busy = false;
	take_replaced(c, t, call, false);
	t->pending |= move_of(call->type);
}

static void count(struct client *c, const struct open_call *call, const struct client_end *end)
{
	const enum code_class class = code_class_of(end->code);
	c->codes[KR_MIN(end->code, 255)]++;
	if (end->outcome == KEYRACK_RESULT_UNKNOWN) {
		c->ops_unknown++;
	} else if (class == CODE_SUCCESS) {
		c->ops_done++;
		c->done_by_type[call->type]++;
	} else if (class == CODE_FINAL) {
		c->ops_refused++;
	} else {
		c->ops_transient++; /* nothing happened */
	}
}

/* The canary hears one answer wrongly: whoever checks answers must tell. */
static void sing(struct client *c, const struct open_call *call, const struct client_end *end,
	struct witness_reply *reply)
{
	struct cluster *cluster = c->cluster;
	if (!cluster->plan.is_canary || cluster->has_sung || cluster->crash_count == 0 ||
		call->type != FRAME_BOOK || end->code != KEYRACK_DONE)
		return;
	cluster->has_sung = true;
	reply->total++;
}

/* Who is no operator may not do all, and then nothing has happened; everybody else may. */
static bool take_forbidden(
	struct client *c, const struct open_call *call, const struct client_end *end, bool is_final)
{
	const bool is_forbidden = end->code == KEYRACK_FORBIDDEN;
	if (is_forbidden != call->is_beyond && is_final && end->code != KEYRACK_INVALID)
		cluster_fail(c->cluster, "client %u, %s operator: %s was answered %s", c->number,
			c->caller.is_booking ? "no" : "an", frame_type_name(call->type),
			code_name(end->code));
	if (!is_forbidden)
		return false;
	c->cluster->marks[CLUSTER_MARK_FORBIDDEN]++;
	if (call->track == CLIENT_NO_TRACK)
		return true;
	struct track *t = &c->tracks[call->track];
	t->is_busy = t->is_change_open = false;
	take_replaced(c, t, call, false);
	return true;
}

uint64_t oracle_key(const struct open_call *call, const struct witness_reply *reply)
{
	const bool is_read = call->type == FRAME_AVAILABILITY || call->type == FRAME_HOTEL_GET ||
			     call->type == FRAME_PLAN_LIST || call->type == FRAME_STOCK_LIST ||
			     call->type == FRAME_NIGHT_LIST || call->type == FRAME_DENIAL_LIST ||
			     call->type == FRAME_RESERVATION_LIST;
	const bool is_missing = reply->code == KEYRACK_NOT_FOUND && reply->rule == RULE_HOTEL;
	kr_assert(call->hotel != 0 || !(is_read && is_missing));
	return is_read && is_missing ? client_key_no_hotel(call->hotel) : call->key;
}

static void tell(const struct client *c, const struct open_call *call, const struct client_end *end)
{
	char id[20] = "";
	if (call->track != CLIENT_NO_TRACK)
		(void)snprintf(id, sizeof(id), " %016llx",
			(unsigned long long)c->tracks[call->track].asked.id.lo);
	cluster_tell(c->cluster, "client %u: %s%s: %s after %u tries", c->number,
		frame_type_name(call->type), id, code_name(end->code), end->tries);
}

void oracle_answer(struct client *c, const struct open_call *call, const struct client_end *end)
{
	struct witness_reply reply;
	const enum code_class class = code_class_of(end->code);
	const bool is_final = class == CODE_SUCCESS || class == CODE_FINAL;
	count(c, call, end);
	tell(c, call, end);
	if (call->type == FRAME_RESERVATION_LIST || call->type == FRAME_NIGHT_LIST ||
		call->type == FRAME_DENIAL_LIST || call->type == FRAME_STOCK_LIST) {
		lists_answer(c, call, end);
		return;
	}
	if (!hear_reply(call->type, end, &reply))
		cluster_fail(c->cluster, "an answer cannot be read");
	if (call->is_setup && end->code != KEYRACK_DONE)
		cluster_fail(
			c->cluster, "%s: %s", frame_type_name(call->type), code_name(end->code));
	sing(c, call, end, &reply);
	if (end->outcome != KEYRACK_RESULT_UNKNOWN && take_forbidden(c, call, end, is_final))
		return;
	const uint64_t key = oracle_key(call, &reply);
	if (is_final && end->outcome != KEYRACK_RESULT_UNKNOWN &&
		!witness_heard(frame_type_name(call->type), key, call->at_us, &reply)) {
		take_lost(c, call);
		return;
	}
	for (uint32_t h = 0; h < SIM_HOTELS && call->type == FRAME_HOTEL_GET; h++)
		if (is_final && call->key == client_key_hotel_get(client_hotel(h)))
			c->version[h] = reply.version;
	if (call->track != CLIENT_NO_TRACK)
		take_answer(c, call, end, &reply);
}

static uint32_t shard_of(const struct cluster *c, uint64_t hotel)
{
	const uint32_t slot = slot_of_hotel((struct hotel_id){hotel});
	return c->shard_count == 2 && slot >= slot_range_first(1, 2);
}

void oracle_forgive(struct cluster *c, uint32_t shard)
{
	for (uint32_t k = 0; k < c->client_count; k++)
		for (uint32_t i = 0; c->clients[k] != NULL && i < c->clients[k]->track_count; i++) {
			struct track *t = &c->clients[k]->tracks[i];
			if (shard_of(c, t->asked.hotel) == shard)
				t->may_be = t->pending = UINT32_MAX;
		}
}

/* ---- at the end ---- */

struct survey {
	struct cluster *cluster;
	uint64_t found;
};

static bool is_id(const struct track *t, struct kr_id id)
{
	return t->asked.id.hi == id.hi && t->asked.id.lo == id.lo;
}

static struct track *track_of(struct cluster *cluster, struct kr_id id)
{
	for (uint32_t k = 0; k < cluster->client_count; k++)
		for (uint32_t i = 0; i < cluster->clients[k]->track_count; i++)
			if (is_id(&cluster->clients[k]->tracks[i], id))
				return &cluster->clients[k]->tracks[i];
	return NULL;
}

/* As many as were asked for; of the hold that was wanted again, if it was one: that was asked for
 * before. Once other lines were asked for, any number is possible. */
static bool has_its_lines(
	struct cluster *cluster, const struct track *t, const struct inv_reservation_view *view)
{
	bool is_modified = t->is_modified;
	while ((t->asked.reacquires.hi | t->asked.reacquires.lo) != 0) {
		t = track_of(cluster,
			(struct kr_id){.hi = t->asked.reacquires.hi, .lo = t->asked.reacquires.lo});
		kr_assert(t != NULL);
		is_modified |= t->is_modified;
	}
	return is_modified || view->line_count == (uint32_t)t->asked.line_count;
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
		(!has_its_lines(survey->cluster, t, view) || view->hotel.v != t->asked.hotel))
		cluster_fail(survey->cluster, "a record is not what was asked for");
	t->is_found = true;
}

void oracle_final(struct cluster *cluster)
{
	struct survey survey = {.cluster = cluster};
	witness_check();
	for (uint32_t s = 0; s < cluster->shard_count; s++) {
		if (cluster->shards[s].server == NULL)
			continue; /* refused for good */
		struct inv *inv = cluster_inventory(cluster, s);
		struct inv_contradiction why = {0};
		if (inv_verify(inv, &why) != 0)
			cluster_fail(cluster, "shard %u at the end: %s", s, why.what);
		inv_reservations_each(inv, 0, on_record, &survey);
	}
	for (uint32_t k = 0; k < cluster->client_count; k++)
		for (uint32_t i = 0; i < cluster->clients[k]->track_count; i++) {
			const struct track *t = &cluster->clients[k]->tracks[i];
			const uint32_t may_be = closure(t->may_be, t->pending);
			const uint32_t forgotten = forgettable(cluster->clients[k], t);
			const uint32_t home = shard_of(cluster, t->asked.hotel);
			if (cluster->shards[home].server != NULL && !t->is_found &&
				(may_be & forgotten) == 0)
				cluster_fail(cluster, "%016llx is lost: it may only be %x",
					(unsigned long long)t->asked.id.lo, may_be);
		}
}

/*
 * What the seed lets a client do: everything the engine can, mostly sense, sometimes not. No two
 * draws stand in one expression, whose order would be the compiler's.
 */
#include <stdio.h>
#include <string.h>

#include "engine/inventory/inventory.h"
#include "engine/inventory/listing.h"
#include "tests/sim/client.h"
#include "tests/sim/oracle.h"

#define SECOND_US UINT64_C(1000000)
#define DUE_QUESTIONS 3u
#define DUE_TRACKS 200u /* the newest of a client's */
#define MINUTE_US (60 * SECOND_US)
#define DUE_QUANTA 8u /* at most so long is a request on its way */

static uint64_t draw(struct client *c, uint64_t bound)
{
	return rng_below(&c->cluster->rng, bound);
}

static bool chance(struct client *c, uint32_t per_hundred)
{
	return draw(c, 100) < per_hundred;
}

static uint32_t hotel_draw(struct client *c)
{
	if (c->cluster->plan.hot_hotel && chance(c, 90))
		return 0;
	return (uint32_t)draw(c, c->cluster->plan.hotel_count);
}

static uint64_t wall_us(const struct client *c)
{
	return (uint64_t)io_clock_wall_us(c->caller.loop);
}

/* ---- sales ---- */

/* Plan 0, plans 1 and 2 that type 0 has always, or one that may be there. */
static int plan_of(struct client *c)
{
	if (chance(c, 50))
		return 0;
	return 1 + (int)draw(c, chance(c, 70) ? 2 : SIM_PLANS);
}

static void line_draw(struct client *c, struct m_line *l)
{
	l->type = chance(c, 99) ? (int)draw(c, SIM_TYPES) : 7;
	l->plan = plan_of(c);
	l->check_in = client_today(c) + (int)draw(c, 8);
	l->check_in -= chance(c, 2) ? 2 : 0;
	l->check_in += chance(c, 2) ? 8 : 0;
	l->check_out = l->check_in + 1 + (int)draw(c, chance(c, 97) ? 4 : 12);
	l->rooms = 1 + (int)draw(c, chance(c, 90) ? 2 : 6);
	l->guests = l->rooms + (int)draw(c, 3);
	l->pricing = chance(c, 50) ? M_COUNT_ONLY : chance(c, 70) ? M_CALENDAR : M_CALLER;
	for (int left = l->check_out - l->check_in; l->pricing == M_CALLER && left > 0;) {
		const int nights = 1 + (int)draw(c, (uint64_t)left);
		l->runs[l->run_count].nights = nights;
		l->runs[l->run_count++].price = draw(c, 4) * 100;
		left -= nights;
	}
}

static void lines_draw(struct client *c, struct m_reserve *r)
{
	r->line_count = chance(c, 70) ? 1 : 2 + (int)draw(c, 2);
	for (int i = 0; i < r->line_count; i++) {
		struct m_line *l = &r->lines[i];
		line_draw(c, l);
		if (i == 0 || l->pricing == M_CALLER || chance(c, 40))
			continue;
		/* the stay goes on in another room */
		const int nights = 1 + (int)draw(c, 3);
		l->check_in = r->lines[i - 1].check_out;
		l->check_out = l->check_in + nights;
		l->rooms = r->lines[i - 1].rooms;
	}
}

static struct m_id id_draw(struct client *c, uint64_t hotel)
{
	uint64_t ms = wall_us(c) / 1000;
	if (chance(c, 1))
		ms += 70000;
	const struct kr_id id = reservation_id_mint(
		ms, slot_of_hotel((struct hotel_id){hotel}), rng_next(&c->cluster->rng));
	return (struct m_id){id.hi, id.lo};
}

/* What was asked for before is wanted again; it may have been held and expired, or not. */
static void again_draw(struct client *c, struct m_reserve *r)
{
	const struct m_reserve *old = &c->tracks[draw(c, c->track_count)].asked;
	r->reacquires = old->id;
	if (chance(c, 90)) {
		r->hotel = old->hotel;
		r->id = id_draw(c, r->hotel);
	}
}

/* A hold of ours is given back for the new one. Nothing else is asked of it meanwhile. */
static void replace_draw(struct client *c, struct track *t)
{
	const uint32_t back = (uint32_t)draw(c, KR_MIN(c->track_count, 12));
	const uint32_t index = c->track_count - 1 - back;
	struct track *old = &c->tracks[index];
	if (old->is_busy || (!(old->may_be & STATE(HELD)) && chance(c, 90)))
		return;
	t->asked.replaces = old->asked.id;
	t->replaces = index;
	if (chance(c, 95)) {
		t->asked.hotel = old->asked.hotel;
		t->asked.id = id_draw(c, old->asked.hotel);
	}
}

/* The last date of the stay, as far as it was ever asked for. */
static int last_day(const struct m_line *lines, int line_count)
{
	int day = 0;
	for (int i = 0; i < line_count; i++)
		day = i == 0 ? lines[i].check_out : KR_MAX(day, lines[i].check_out);
	return day;
}

/* From now on it may be released at any time, and nobody may tell. */
static void replace_begin(struct track *old)
{
	old->is_busy = true;
	oracle_may_release(old);
}

/* Asked many times at once, over this connection and those of others. */
static void storm(struct client *c, struct track *t)
{
	struct cluster *cluster = c->cluster;
	uint32_t others = 0, copies = 0;
	if (c->storm_count == 0 || t->replaces != CLIENT_NO_TRACK || t->asked.reacquires.hi != 0)
		return;
	c->storm_count--;
	for (uint64_t n = 3 + draw(c, 6); n > 0; n--) {
		struct client *other = cluster->clients[draw(c, cluster->client_count)];
		if (!ask_echo(other, &t->asked))
			continue;
		copies++;
		others += other != c;
		caller_pump(&other->caller);
	}
	if (copies > 0)
		oracle_may_come(t, t->asked.book ? FRAME_BOOK : FRAME_HOLD);
	cluster->marks[CLUSTER_MARK_RETRY_STORM] += copies >= 4;
	cluster->marks[CLUSTER_MARK_MANY_CONNECTIONS] += others > 0;
}

/* In worlds where instants coincide holds are short, and multiples of the quantum too. */
static uint64_t ttl_draw(struct client *c)
{
	const uint64_t quantum_us = c->cluster->plan.world.quantum_us;
	if (chance(c, 10))
		return 0;
	return quantum_us > 0 ? quantum_us * (50 + draw(c, 100))
			      : SECOND_US + draw(c, 20 * SECOND_US);
}

static void new_sale(struct client *c)
{
	if (c->track_count == CLIENT_TRACKS_MAX)
		return;
	struct track *t = &c->tracks[c->track_count];
	struct m_reserve *r = &t->asked;
	memset(t, 0, sizeof(*t));
	t->may_be = STATE_ABSENT;
	t->replaces = CLIENT_NO_TRACK;
	r->hotel = client_hotel(hotel_draw(c));
	r->id = id_draw(c, r->hotel);
	r->book = chance(c, 40);
	if (c->track_count > 0 && chance(c, 8))
		again_draw(c, r);
	else
		lines_draw(c, r);
	if (!r->book && r->line_count > 0 && c->track_count > 0 && chance(c, 12))
		replace_draw(c, t);
	t->last_day = last_day(r->lines, r->line_count);
	if (!r->book)
		r->ttl_us = ttl_draw(c);
	r->has_expected = chance(c, 5);
	r->expected = r->has_expected ? draw(c, 4) * 100 : 0;
	if (chance(c, 20)) {
		r->guest_hi = 1;
		r->guest_lo = draw(c, 4);
	}
	if (chance(c, 8))
		snprintf(r->external_ref, M_TEXT, "ref-%d", (int)draw(c, 100));
	if (r->book && chance(c, 20))
		snprintf(r->payment_ref, M_TEXT, "pay-%d", (int)draw(c, 3));
	r->source = (uint32_t)draw(c, 3);
	r->force = chance(c, 3);
	if (!ask_reserve(c, c->track_count))
		return;
	if (t->replaces != CLIENT_NO_TRACK)
		replace_begin(&c->tracks[t->replaces]);
	c->track_count++;
	storm(c, t);
}

/* ---- what was sold elsewhere ---- */

#define FOREIGN 0x7700u /* the upper half of ids that no Keyrack minted */

static void import_lines_draw(struct client *c, struct m_reserve *r)
{
	r->line_count = 1 + (int)draw(c, 2);
	for (int i = 0; i < r->line_count; i++) {
		struct m_line *l = &r->lines[i];
		line_draw(c, l);
		const int back = chance(c, 40) ? (int)draw(c, 10) : 0;
		l->check_in -= back;
		l->check_out -= back;
		l->run_count = l->pricing != M_COUNT_ONLY;
		memset(l->runs, 0, sizeof(l->runs));
		if (l->run_count > 0) {
			l->runs[0].nights = l->check_out - l->check_in;
			l->runs[0].price = draw(c, 4) * 100;
		}
	}
}

/* Of another system: nothing stands in its way, and nothing becomes of it but its end. */
static void foreign_draw(struct client *c, struct m_import *i)
{
	struct m_line *l = &i->what.lines[0];
	i->what.id.hi = FOREIGN;
	i->what.id.lo = (uint64_t)c->number << 32 | (c->track_count + 1);
	i->what.line_count = 1;
	i->what.force = true;
	i->state = M_CONFIRMED;
	l->check_in = client_today(c) + (int)draw(c, 5);
	l->check_out = l->check_in + 1 + (int)draw(c, 3);
	l->check_in -= (int)draw(c, 4);
	l->rooms = 1;
	l->pricing = M_COUNT_ONLY;
}

static void native_draw(struct client *c, struct m_import *i)
{
	i->what.id = id_draw(c, i->what.hotel);
	i->what.force = chance(c, 40);
	import_lines_draw(c, &i->what);
	i->state = M_HELD + (int)draw(c, M_VOID - M_HELD);
	i->was_held = i->state == M_HELD || chance(c, 30);
	i->graced = i->was_held && chance(c, 20);
	if (i->state == M_HELD)
		i->expires_us = wall_us(c) - 2 * SECOND_US + draw(c, 20 * SECOND_US);
	i->has_counted_until = (i->state == M_NO_SHOW || i->state == M_COMPLETED) && chance(c, 50);
	if (i->has_counted_until)
		i->counted_until = client_today(c) - (int)draw(c, 5);
	if (chance(c, 10))
		snprintf(i->what.external_ref, M_TEXT, "ref-%d", (int)draw(c, 100));
}

static void new_import(struct client *c)
{
	if (c->track_count == CLIENT_TRACKS_MAX)
		return;
	struct track *t = &c->tracks[c->track_count];
	struct m_import *i = &t->import;
	memset(t, 0, sizeof(*t));
	t->may_be = STATE_ABSENT;
	t->replaces = CLIENT_NO_TRACK;
	t->is_imported = true;
	i->what.hotel = client_hotel(hotel_draw(c));
	if (chance(c, 40))
		foreign_draw(c, i);
	else
		native_draw(c, i);
	i->what.source = (uint32_t)draw(c, 3);
	i->revision = 1 + (uint32_t)draw(c, 4);
	i->created_us = wall_us(c) - 20 * MINUTE_US;
	/* what has ended is kept for some seconds only; clocks may have stepped by minutes */
	i->changed_us = i->created_us + (chance(c, 60) ? 20 * MINUTE_US : draw(c, MINUTE_US));
	memcpy(&t->asked, &i->what, sizeof(t->asked));
	t->last_day = last_day(t->asked.lines, t->asked.line_count);
	if (ask_import(c, i, c->track_count))
		c->track_count++;
}

/* Unless it has ended and may be forgotten: then it would come in once more. */
static void same_import(struct client *c, uint32_t index)
{
	struct track *t = &c->tracks[index];
	const bool is_certain = !oracle_is_in_doubt(t) && !t->is_change_open;
	const bool is_live = (t->may_be & (STATE_ABSENT | STATE(CONFIRMED))) == t->may_be;
	if (client_id_is_foreign(t->asked.id) || (is_certain && is_live))
		(void)ask_import(c, &t->import, index);
}

/* The same id again: as it was asked, or otherwise. */
static void same_sale(struct client *c, uint32_t index)
{
	struct m_reserve *r = &c->tracks[index].asked;
	const uint32_t replaces = c->tracks[index].replaces;
	if (replaces != CLIENT_NO_TRACK && c->tracks[replaces].is_busy)
		return;
	if (replaces != CLIENT_NO_TRACK)
		replace_begin(&c->tracks[replaces]);
	if (r->line_count == 0 || !chance(c, 15)) {
		(void)ask_reserve(c, index);
		return;
	}
	r->lines[0].guests ^= 64;
	c->cluster->marks[CLUSTER_MARK_TWO_PAYLOADS] += ask_reserve(c, index);
	r->lines[0].guests ^= 64;
}

/* ---- what becomes of sales ---- */

static void line_change(struct client *c, struct m_line *l)
{
	const uint64_t what = draw(c, 7);
	if (what == 0)
		l->check_in += (int)draw(c, 3) - 1;
	if (what <= 2)
		l->check_out += (int)draw(c, 4) - 1;
	if (what == 3)
		l->rooms = 1 + (int)draw(c, 2);
	if (what == 4)
		l->type = (int)draw(c, SIM_TYPES);
	if (what == 6)
		l->plan = plan_of(c);
	if (what == 5)
		l->keeps = (int)draw(c, M_LINES + 1);
}

/* Prices that fit the nights; unused ones are zero, as they are part of the request's name. */
static void line_settle(struct client *c, struct m_line *l)
{
	l->check_out = KR_MIN(l->check_out, l->check_in + M_RUNS);
	l->run_count = 0;
	memset(l->runs, 0, sizeof(l->runs));
	if (l->pricing != M_CALLER || l->check_out <= l->check_in)
		return;
	l->runs[0].nights = l->check_out - l->check_in;
	l->runs[0].price = draw(c, 4) * 100;
	l->run_count = 1;
}

/* What was asked for last, with an end moved, a room more, a line less, a room changed. */
static void modify_draw(struct client *c, struct track *t, struct m_transition *m)
{
	const bool again = t->has_change && t->change.what == M_MODIFY;
	m->line_count = again ? t->change.line_count : t->asked.line_count;
	memcpy(m->lines, again ? t->change.lines : t->asked.lines, sizeof(m->lines));
	if (m->line_count == 0)
		line_draw(c, &m->lines[m->line_count++]);
	for (int i = 0; i < m->line_count; i++)
		m->lines[i].keeps = 0;
	const uint64_t what = draw(c, 10);
	struct m_line *l = &m->lines[draw(c, (uint64_t)m->line_count)];
	if (what == 0 && m->line_count > 1) {
		m->line_count--;
		memset(&m->lines[m->line_count], 0, sizeof(m->lines[0]));
	} else if (what == 1 && m->line_count < M_LINES && l->check_out - l->check_in > 1) {
		struct m_line *rest = &m->lines[m->line_count++];
		const int from = (int)(l - m->lines) + 1;
		*rest = *l;
		l->keeps = rest->keeps = from;
		rest->check_in = l->check_out = l->check_in + 1;
		rest->type = (int)draw(c, SIM_TYPES);
	} else {
		line_change(c, l);
	}
	for (int i = 0; i < m->line_count; i++)
		line_settle(c, &m->lines[i]);
	m->force = chance(c, 4);
	m->has_expected = chance(c, 8);
	m->expected = m->has_expected ? draw(c, 4) * 100 : 0;
}

/* Some are of few instants, so that many expire at one. */
static uint64_t deadline_draw(struct client *c)
{
	const uint64_t quantum_us = c->cluster->plan.world.quantum_us;
	const uint64_t us = wall_us(c) + 1 + draw(c, 40 * SECOND_US);
	if (quantum_us > 0)
		return wall_us(c) + quantum_us * (4 + draw(c, 100));
	return chance(c, 40) ? us - us % (20 * SECOND_US) + 20 * SECOND_US : us;
}

static void change_draw(struct client *c, struct track *t, struct m_transition *m)
{
	m->has_revision = true;
	m->revision = chance(c, 95) ? t->revision : (uint32_t)draw(c, 4) + 1;
	m->change_id = rng_next(&c->cluster->rng) | 1;
	if (m->what == M_MODIFY)
		modify_draw(c, t, m);
	else if (m->what == M_EXTEND)
		m->expires_us = deadline_draw(c);
	else
		snprintf(m->payment_ref, M_TEXT, "pay-%d", (int)draw(c, 3));
}

static int move_draw(struct client *c, const struct track *t)
{
	static const int of_holds[] = {
		M_CONFIRM, M_CONFIRM, M_EXTEND, M_ATTACH, M_RELEASE, M_MODIFY};
	static const int of_bookings[] = {
		M_CANCEL, M_CHECK_IN, M_COMPLETE, M_MARK_NO_SHOW, M_MODIFY};
	if (chance(c, 20))
		return 1 + (int)draw(c, M_TRANSITION_END - 1);
	if (t->may_be == STATE_ABSENT && chance(c, 50))
		return M_RESOLVE;
	if (t->may_be & STATE(HELD))
		return of_holds[draw(c, KR_ARRAY_COUNT(of_holds))];
	if (t->may_be & STATE(CHECKED_IN))
		return chance(c, 30) ? M_MODIFY : M_COMPLETE;
	return of_bookings[draw(c, KR_ARRAY_COUNT(of_bookings))];
}

static void move(struct client *c, uint32_t index)
{
	struct track *t = &c->tracks[index];
	struct m_transition m;
	if (t->has_change && (t->is_change_open || chance(c, 10))) {
		(void)ask_transition(c, &t->change, index);
		return;
	}
	memset(&m, 0, sizeof(m));
	m.what = move_draw(c, t);
	m.id = t->asked.id;
	m.has_hotel = chance(c, 20) || client_id_is_foreign(m.id);
	m.hotel = m.has_hotel ? t->asked.hotel : 0;
	m.has_revision = chance(c, 8);
	m.revision = m.has_revision ? t->revision : 0;
	m.any = m.what == M_CANCEL && chance(c, 30);
	if (m.what == M_CONFIRM && chance(c, 30))
		snprintf(m.payment_ref, M_TEXT, "pay-%d", (int)draw(c, 3));
	if (m.what == M_EXTEND || m.what == M_ATTACH || m.what == M_MODIFY)
		change_draw(c, t, &m);
	if (ask_transition(c, &m, index) && m.change_id != 0) {
		memcpy(&t->change, &m, sizeof(m));
		t->has_change = true;
		t->is_modified |= m.what == M_MODIFY;
		if (m.what == M_MODIFY)
			t->last_day = KR_MIN(t->last_day, last_day(m.lines, m.line_count));
	}
}

/* Something that makes sense for what the reservation may be, or now and then does not. */
static void old_sale(struct client *c)
{
	if (c->track_count == 0)
		return;
	const uint32_t far = chance(c, 20) ? 400 : 25;
	const uint32_t reach = KR_MIN(c->track_count, far);
	uint32_t index = c->track_count - 1 - (uint32_t)draw(c, reach);
	/* Bookings live longer than a client's interest: now and then one is looked for. */
	for (uint32_t i = 0; chance(c, 90) && i < c->track_count && i < 40; i++) {
		const uint32_t at = (index + i * 7) % c->track_count;
		if (c->tracks[at].may_be & (STATE(HELD) | STATE(CONFIRMED) | STATE(CHECKED_IN))) {
			index = at;
			break;
		}
	}
	if (c->tracks[index].is_busy)
		return;
	const bool is_foreign = client_id_is_foreign(c->tracks[index].asked.id);
	if (c->tracks[index].is_imported && chance(c, is_foreign ? 30 : 12))
		same_import(c, index);
	else if (!c->tracks[index].is_imported && chance(c, 12))
		same_sale(c, index);
	else
		move(c, index);
}

/* ---- inventory ---- */

/* Everything open, loaded and priced again, so that selling goes on. */
static void update_open(struct client *c, struct m_update *u)
{
	u->last_day = u->first_day + 9;
	u->set = INV_UPDATE_PHYSICAL | INV_UPDATE_PRICE;
	u->clear = INV_UPDATE_CLOSED | INV_UPDATE_CTA | INV_UPDATE_CTD | INV_UPDATE_CAP |
		   INV_UPDATE_PLAN_CLOSED | INV_UPDATE_PLAN_CTA | INV_UPDATE_PLAN_CTD |
		   INV_UPDATE_MIN_ARRIVAL | INV_UPDATE_MAX_ARRIVAL | INV_UPDATE_MIN_THROUGH |
		   INV_UPDATE_MAX_THROUGH;
	u->physical = 4 + (int64_t)draw(c, 16);
	u->price = (int64_t)draw(c, 4) * 100;
}

static void update_values(struct client *c, struct m_update *u)
{
	u->physical = chance(c, 92) ? (int64_t)draw(c, 20) : 40000;
	u->out_of_order = (int64_t)draw(c, 3);
	u->allowance_unit = chance(c, 80) ? 1 : 2;
	u->allowance =
		u->allowance_unit == 1 ? (int64_t)draw(c, 6) - 2 : (int64_t)draw(c, 4000) - 1000;
	u->cap = chance(c, 95) ? (int64_t)draw(c, 12) - 1 : 32760;
	u->available = chance(c, 90) ? (int64_t)draw(c, 5) : 32767;
	u->price = (int64_t)draw(c, 4) * 100;
	u->closed = chance(c, 50);
	u->cta = chance(c, 50);
	u->ctd = chance(c, 50);
	u->plan_closed = chance(c, 50);
	u->plan_cta = chance(c, 50);
	u->plan_ctd = chance(c, 50);
	u->min_arrival = (int)draw(c, 4);
	u->max_arrival = chance(c, 70) ? 0 : (int)draw(c, 6);
	u->min_through = (int)draw(c, 3);
	u->max_through = chance(c, 70) ? 0 : (int)draw(c, 8);
}

static void update_draw(struct client *c, struct m_update *u, uint32_t hotel)
{
	const uint32_t field = 1u << draw(c, 16);
	memset(u, 0, sizeof(*u));
	u->hotel = client_hotel(hotel);
	u->first_day = client_today(c) + (int)draw(c, 9);
	u->first_day -= chance(c, 3) ? 2 : 0;
	u->last_day = u->first_day + (chance(c, 50) ? 0 : (int)draw(c, 6));
	u->weekday_mask = chance(c, 80) ? 127 : (int)draw(c, 128);
	u->allowance_unit = 1;
	u->source = c->number + 1;
	u->source_seq = chance(c, 50) ? 0 : ++c->source_seq[hotel];
	if (chance(c, 40)) {
		u->first_day = client_today(c) + 1;
		update_open(c, u);
	} else {
		update_values(c, u);
		if (chance(c, 55) || field == INV_UPDATE_AVAILABLE)
			u->set = field;
		else if ((field & INV_UPDATE_ADJUSTABLE) != 0 && chance(c, 70))
			u->adjust = field;
		else
			u->clear = field;
		if (u->adjust != 0 && u->source_seq == 0 && chance(c, 95))
			u->source_seq = ++c->source_seq[hotel];
	}
	u->plan = plan_of(c);
	if (chance(c, 30))
		u->types[u->type_count++] = (int)draw(c, chance(c, 97) ? SIM_TYPES : 7);
	u->has_version = chance(c, 8);
	u->version = u->has_version ? c->version[hotel] : 0;
}

static void update(struct client *c)
{
	if (c->last_update.hotel != 0 && c->last_update.source_seq != 0 && chance(c, 15)) {
		(void)ask_update(c, &c->last_update, false); /* a repeated source_seq */
		return;
	}
	update_draw(c, &c->last_update, hotel_draw(c));
	(void)ask_update(c, &c->last_update, false);
}

/* ---- catalogue ---- */

static void type_put(struct client *c)
{
	struct m_type_settings s;
	memset(&s, 0, sizeof(s));
	s.status = chance(c, 95) ? 1 : 2;
	s.plan_status = chance(c, 96) ? 1 : 2;
	s.has_physical = chance(c, 92);
	s.has_out_of_order = chance(c, 20);
	s.has_allowance = chance(c, 40);
	s.has_cap = chance(c, 10);
	s.physical = s.has_physical ? (int64_t)draw(c, chance(c, 97) ? 20 : 32768) : 0;
	s.out_of_order = s.has_out_of_order ? (int64_t)draw(c, 3) : 0;
	s.cap = s.has_cap ? (int64_t)draw(c, 10) - 1 : 0;
	s.allowance_unit = s.has_allowance ? 1 + (int)draw(c, 2) : 0;
	if (s.has_allowance)
		s.allowance = s.allowance_unit == 1 ? (int64_t)draw(c, 5) - 2
						    : (int64_t)draw(c, 5000) - 2000;
	s.guests_max = chance(c, 70) ? 0 : (uint32_t)draw(c, 3) + 2;
	s.advance_min = chance(c, 85) ? 0 : (uint32_t)draw(c, 4000);
	s.advance_max = chance(c, 85) ? 0 : (uint32_t)draw(c, 12000) + 1;
	const uint32_t hotel = hotel_draw(c);
	const int type = (int)draw(c, SIM_TYPES);
	(void)ask_type(c, hotel, type, &s, false);
}

/* Hours descending, within the reach of arrivals. */
static void terms_draw(struct client *c, struct m_terms *t)
{
	const int count = chance(c, 20) ? 0 : 1 + (int)draw(c, M_TIERS);
	for (int hours = 10 + (int)draw(c, 230); t->tier_count < count && hours >= 0;) {
		struct m_tier *tier = &t->tiers[t->tier_count++];
		tier->hours = hours;
		if (chance(c, 50))
			tier->nights = 1 + (int)draw(c, 4);
		else
			tier->points = 1 + (int)draw(c, 10000);
		hours = hours * (int)draw(c, 10) / 10 - 1;
	}
}

/* Names are taken, parents are not there, plans derive from one another: some are refused. */
static void plan_draw(struct client *c, struct m_plan_put *p)
{
	struct m_plan_settings *s = &p->settings;
	if (p->plan > 1 && chance(c, 50)) {
		p->mask |= INV_PLAN_PARENT | INV_PLAN_DERIVATION | INV_PLAN_ADJUSTMENT;
		s->parent = (int)draw(c, 3);
		s->derivation = 1 + (int)draw(c, 2);
		s->adjustment = (int64_t)draw(c, 300) - 150;
		s->adjustment *= s->derivation == 2 ? 50 : 1;
	}
	if (chance(c, 40)) {
		p->mask |= INV_PLAN_TIERS;
		terms_draw(c, &s->terms);
	}
	if (chance(c, 20)) {
		p->mask |= INV_PLAN_CODE;
		snprintf(s->code, M_TEXT, "P%d", (int)draw(c, SIM_PLANS + 1));
	}
	if (chance(c, 20)) {
		p->mask |= INV_PLAN_STATUS;
		s->status = chance(c, 85) ? 1 : 2;
	}
	if (chance(c, 15)) {
		p->mask |= INV_PLAN_ADVANCE_MIN | INV_PLAN_ADVANCE_MAX;
		s->advance_min = chance(c, 60) ? 0 : (uint32_t)draw(c, 4000);
		s->advance_max = chance(c, 60) ? 0 : (uint32_t)draw(c, 12000) + 1;
	}
}

static void plan_put(struct client *c)
{
	struct m_plan_put p;
	memset(&p, 0, sizeof(p));
	const uint32_t hotel = hotel_draw(c);
	p.hotel = client_hotel(hotel);
	p.type = (int)draw(c, chance(c, 97) ? SIM_TYPES : 7);
	p.plan = (int)draw(c, SIM_PLANS + 1);
	p.has_version = chance(c, 8);
	p.version = p.has_version ? c->version[hotel] : 0;
	plan_draw(c, &p);
	(void)ask_plan(c, &p, false);
}

static void hotel_put(struct client *c)
{
	struct m_hotel_settings s;
	memset(&s, 0, sizeof(s));
	s.day_roll_minute = chance(c, 80) ? 240 : 300;
	s.check_in_minute = 900;
	s.nights_max = chance(c, 70) ? 9 : 30;
	s.hold_ttl_us = 15 * MINUTE_US;
	s.hold_ttl_max_us = chance(c, 80) ? 60 * MINUTE_US : 5 * SECOND_US;
	s.hold_ttl_us = KR_MIN(s.hold_ttl_us, s.hold_ttl_max_us);
	s.hold_total_max_us = chance(c, 30) ? 0 : 60 * MINUTE_US;
	s.holds_max = chance(c, 80) ? 0 : 4;
	s.guest_holds_max = chance(c, 80) ? 0 : 1;
	s.status = chance(c, 94) ? 1 : 2;
	const uint32_t hotel = hotel_draw(c);
	s.offset_s = client_zones[hotel].offset_s;
	(void)ask_hotel(c, hotel, &s, false);
}

/* ---- questions ---- */

/* Of one hotel or of all, whole or in pages. */
static void list(struct client *c, uint64_t hotel)
{
	static const enum frame_type kinds[] = {
		FRAME_RESERVATION_LIST, FRAME_NIGHT_LIST, FRAME_STOCK_LIST, FRAME_DENIAL_LIST};
	const uint32_t limit = chance(c, 30) ? 0 : 1 + (uint32_t)draw(c, chance(c, 50) ? 4 : 40);
	struct list_query q = {.kind = kinds[draw(c, KR_ARRAY_COUNT(kinds))], .hotel = hotel};
	if (q.kind != FRAME_STOCK_LIST && chance(c, 60))
		q.hotel = 0;
	if (q.kind == FRAME_RESERVATION_LIST) {
		q.a = chance(c, 50) ? 0 : draw(c, 2u << INV_VOID) & ~1u;
		q.b = chance(c, 40);
		q.c = q.b != 0 ? draw(c, 4) : 0;
	} else if (q.kind == FRAME_NIGHT_LIST) {
		q.a = draw(c, 4);
		q.b = 4 + draw(c, 60);
		q.c = draw(c, INV_NIGHT_FILTER_MASK + 1);
	} else if (q.kind == FRAME_STOCK_LIST) {
		q.from_day = INV_DAY_MIN;
	}
	lists_begin(c, &q, limit);
}

static void question(struct client *c)
{
	struct m_reserve r;
	const uint64_t hotel = client_hotel(hotel_draw(c));
	switch (draw(c, 9)) {
	case 0:
	case 1: {
		int first = client_today(c) + (int)draw(c, 5);
		first -= chance(c, 5) ? 2 : 0;
		const int type = chance(c, 50) ? -1 : (int)draw(c, SIM_TYPES);
		const int plan = type >= 0 ? plan_of(c) : (int)draw(c, 2);
		const uint32_t count = 1 + (uint32_t)draw(c, chance(c, 95) ? 9 : 14);
		(void)ask_nights(c, hotel, type, plan, first, count);
		break;
	}
	case 2:
		memset(&r, 0, sizeof(r));
		r.hotel = hotel;
		lines_draw(c, &r);
		(void)ask_stay(c, &r, chance(c, 30));
		break;
	case 7: {
		const int type = (int)draw(c, SIM_TYPES + 1);
		const int plan = (int)draw(c, SIM_PLANS + 1);
		(void)ask_plans(c, hotel, type, plan, 2 + (uint32_t)draw(c, 8));
		break;
	}
	case 4:
		(void)ask_hotel_get(c, hotel);
		break;
	case 3:
	case 5:
	case 6:
		list(c, hotel);
		break;
	default:
		if (c->track_count == 0)
			break;
		const uint64_t back = draw(c, KR_MIN(c->track_count, 60));
		const struct m_reserve *old = &c->tracks[c->track_count - 1 - back].asked;
		(void)ask_get(c, client_id_is_foreign(old->id) ? old->hotel : 0, old->id);
		break;
	}
}

/* In worlds where instants coincide: a hold that will be asked for at about its deadline. */
static bool move_due(struct client *c)
{
	const uint64_t quantum_us = c->cluster->plan.world.quantum_us;
	const uint64_t now_us = wall_us(c);
	for (uint32_t i = 0; quantum_us > 0 && i < c->track_count; i++) {
		const struct track *t = &c->tracks[c->track_count - 1 - i];
		if (!t->is_busy && (t->may_be & STATE(HELD)) && t->expires_us > now_us &&
			t->expires_us < now_us + DUE_QUANTA * quantum_us) {
			move(c, c->track_count - 1 - i);
			return true;
		}
	}
	return false;
}

/* In between a question that changes nothing, RESOLVE of what is there: some come at the instant.
 */
void client_ask_due(struct client *c)
{
	const uint64_t quantum_us = c->cluster->plan.world.quantum_us;
	const uint64_t now_us = wall_us(c);
	uint32_t left = quantum_us > 0 ? DUE_QUESTIONS : 0;
	for (uint32_t i = 0; left > 0 && i < KR_MIN(c->track_count, DUE_TRACKS); i++) {
		const struct track *t = &c->tracks[c->track_count - 1 - i];
		const struct m_transition m = {.what = M_RESOLVE, .id = t->asked.id};
		if (t->may_be != STATE(HELD) || t->expires_us <= now_us ||
			t->expires_us >= now_us + DUE_QUANTA * quantum_us)
			continue;
		(void)ask_transition(c, &m, CLIENT_NO_TRACK);
		left--;
	}
}

void client_do_something(struct client *c)
{
	if (move_due(c))
		return;
	const uint64_t dice = draw(c, 100);
	if (dice < 3)
		new_import(c);
	else if (dice < 32)
		new_sale(c);
	else if (dice < 76)
		old_sale(c);
	else if (dice < 86)
		update(c);
	else if (dice < 88)
		plan_put(c);
	else if (dice < 89)
		type_put(c);
	else if (dice < 90)
		hotel_put(c);
	else
		question(c);
}

/* Admission and lifecycle: the ten steps in their published order, each a loop over the lines. */
#include "tests/property/model/model_priv.h"

#include <stddef.h>
#include <string.h>

#include "proto/code.h"
#include "proto/slot.h"

#define DAY_US INT64_C(86400000000)
#define MINUTE_US INT64_C(60000000)
#define AHEAD_US UINT64_C(60000000)

/* One admission being judged. */
struct trial {
	const struct model *m;
	const struct hotel *h;
	const struct m_reserve *r;
	struct m_now now;
	uint64_t total;
	bool has_total;
};

static struct m_answer no_on(int code, int line, int day)
{
	return (struct m_answer){.code = code, .line = line, .has_day = true, .day = day};
}

static struct m_answer no_line(int code, int line)
{
	return (struct m_answer){.code = code, .line = line};
}

#define PASSED ((struct m_answer){.code = 0})

static bool is_same(const struct m_reserve *a, const struct m_reserve *b)
{
	struct m_reserve x = *a, y = *b;
	x.source = y.source = 0;
	return memcmp(&x, &y, sizeof(x)) == 0;
}

static struct reservation *find(const struct model *m, struct m_id id)
{
	for (int i = 0; i < m->count; i++)
		if (m->reservations[i].asked.id.hi == id.hi &&
			m->reservations[i].asked.id.lo == id.lo)
			return &m->reservations[i];
	return NULL;
}

static struct m_answer shown(const struct reservation *r, struct m_now now)
{
	return (struct m_answer){
		.code = KEYRACK_DONE,
		.state = r->state,
		.revision = r->revision,
		.expires_us = r->expires_us,
		.total = r->has_total ? r->total : 0,
		.has_total = r->has_total,
		.due = r->state == M_HELD && now.t_us >= r->expires_us,
	};
}

/* ---- step 1: the id ---- */

static struct m_answer step_id(
	const struct model *m, struct m_now now, const struct m_reserve *r, bool *ret_known)
{
	const struct reservation *known = find(m, r->id);
	const struct kr_id id = {r->id.hi, r->id.lo};
	*ret_known = true;
	if (known != NULL && known->state == M_VOID)
		return (struct m_answer){.code = KEYRACK_BAD_STATE, .state = M_VOID};
	if (known != NULL) {
		if (!is_same(&known->told, r))
			return m_no(KEYRACK_KEY_REUSED);
		struct m_answer a = shown(known, now);
		a.repeated = true;
		return a;
	}
	for (int i = 0; i < m->refused_count; i++)
		if (m->refused[i].asked.id.hi == r->id.hi && m->refused[i].asked.id.lo == r->id.lo)
			return is_same(&m->refused[i].asked, r) ? m->refused[i].answer
								: m_no(KEYRACK_KEY_REUSED);
	*ret_known = false;
	if (!reservation_id_is_native(id) ||
		reservation_id_slot(id) != slot_of_hotel((struct hotel_id){r->hotel}))
		return m_no(KEYRACK_INVALID);
	if (m_id_us(r->id) < m->purge_mark_us)
		return m_no(KEYRACK_KEY_EXPIRED);
	const uint64_t clock = now.t_us > now.wall_us ? now.t_us : now.wall_us;
	if (m_id_us(r->id) > clock + AHEAD_US)
		return m_no(KEYRACK_INVALID);
	return PASSED;
}

static struct m_answer step_reference(const struct model *m, const struct m_reserve *r)
{
	for (int i = 0; i < m->count && r->external_ref[0] != 0; i++)
		if (m->reservations[i].has_hotel && m->reservations[i].asked.hotel == r->hotel &&
			m->reservations[i].asked.source == r->source &&
			strcmp(m->reservations[i].asked.external_ref, r->external_ref) == 0)
			return m_no(KEYRACK_KEY_REUSED);
	return PASSED;
}

/* ---- steps 2 to 5: one line at a time ---- */

static const struct m_type_settings *type_of(const struct trial *t, const struct m_line *l)
{
	return &t->h->types[l->type].settings;
}

static struct m_answer step_known(const struct trial *t, int i)
{
	const struct m_line *l = &t->r->lines[i];
	if (t->h->settings.status != 1)
		return no_line(KEYRACK_CLOSED, i);
	if (l->type >= M_TYPES || !t->h->types[l->type].exists)
		return no_line(KEYRACK_NOT_FOUND, i);
	if (type_of(t, l)->status != 1)
		return no_line(KEYRACK_CLOSED, i);
	if (l->plan != 0)
		return no_line(KEYRACK_NOT_FOUND, i);
	return type_of(t, l)->plan_status == 1 ? PASSED : no_line(KEYRACK_RATE_CLOSED, i);
}

static struct m_answer step_dates(const struct trial *t, int i)
{
	const struct m_line *l = &t->r->lines[i];
	if (l->check_in >= l->check_out || l->rooms == 0 ||
		l->check_out - l->check_in > t->h->settings.nights_max)
		return no_line(KEYRACK_INVALID, i);
	if (l->check_in < t->h->business_day)
		return no_line(KEYRACK_PAST_DATE, i);
	return m_in_window(t->m, t->h, l->check_out - 1) ? PASSED
							 : no_line(KEYRACK_OUT_OF_WINDOW, i);
}

static struct m_answer step_advance(const struct trial *t, int i)
{
	const struct m_line *l = &t->r->lines[i];
	const struct m_type_settings *s = type_of(t, l);
	const int64_t arrival = l->check_in * DAY_US + t->h->settings.check_in_minute * MINUTE_US -
				t->h->settings.offset_s * INT64_C(1000000);
	const int64_t ahead = arrival - (int64_t)t->now.t_us;
	if (s->advance_min != 0 && ahead < s->advance_min * MINUTE_US)
		return no_line(KEYRACK_TOO_LATE, i);
	if (s->advance_max != 0 && ahead > s->advance_max * MINUTE_US)
		return no_line(KEYRACK_TOO_EARLY, i);
	return PASSED;
}

static struct m_answer step_guests(const struct trial *t, int i)
{
	const struct m_line *l = &t->r->lines[i];
	const uint32_t max = type_of(t, l)->guests_max;
	return max != 0 && (int64_t)l->guests > (int64_t)l->rooms * max
		       ? no_line(KEYRACK_OVER_OCCUPANCY, i)
		       : PASSED;
}

/* ---- steps 6 to 8: restrictions ---- */

static const struct night *night_at(const struct trial *t, const struct m_line *l, int day)
{
	return m_night_of(t->m, t->h, l->type, day);
}

static struct m_answer step_closed(const struct trial *t, int i)
{
	const struct m_line *l = &t->r->lines[i];
	for (int day = l->check_in; day < l->check_out; day++) {
		if (night_at(t, l, day)->closed)
			return no_on(KEYRACK_CLOSED, i, day);
		if (night_at(t, l, day)->plan_closed)
			return no_on(KEYRACK_RATE_CLOSED, i, day);
	}
	return PASSED;
}

static bool continues(const struct m_reserve *r, int b)
{
	return b > 0 && b < r->line_count && r->lines[b].check_in == r->lines[b - 1].check_out &&
	       r->lines[b].rooms == r->lines[b - 1].rooms;
}

static int chain_nights(const struct m_reserve *r, int i)
{
	int first = i, last = i;
	while (continues(r, first))
		first--;
	while (continues(r, last + 1))
		last++;
	return r->lines[last].check_out - r->lines[first].check_in;
}

static struct m_answer step_arrival_departure(const struct trial *t, int i)
{
	const struct m_line *l = &t->r->lines[i];
	const struct night *in = night_at(t, l, l->check_in);
	if (!continues(t->r, i) && (in->cta || in->plan_cta))
		return no_on(KEYRACK_CLOSED_TO_ARRIVAL, i, l->check_in);
	if (continues(t->r, i + 1) || !m_in_window(t->m, t->h, l->check_out))
		return PASSED;
	const struct night *out = night_at(t, l, l->check_out);
	return out->ctd || out->plan_ctd ? no_on(KEYRACK_CLOSED_TO_DEPARTURE, i, l->check_out)
					 : PASSED;
}

static struct m_answer step_los(const struct trial *t, int i)
{
	const struct m_line *l = &t->r->lines[i];
	const int nights = chain_nights(t->r, i);
	const struct night *in = night_at(t, l, l->check_in);
	if (!continues(t->r, i)) {
		if (in->min_arrival != 0 && nights < in->min_arrival)
			return no_on(KEYRACK_MIN_LOS, i, l->check_in);
		if (in->max_arrival != 0 && nights > in->max_arrival)
			return no_on(KEYRACK_MAX_LOS, i, l->check_in);
	}
	for (int day = l->check_in; day < l->check_out; day++) {
		const struct night *n = night_at(t, l, day);
		if (n->min_through != 0 && nights < n->min_through)
			return no_on(KEYRACK_MIN_LOS, i, day);
		if (n->max_through != 0 && nights > n->max_through)
			return no_on(KEYRACK_MAX_LOS, i, day);
	}
	return PASSED;
}

/* ---- step 9: the price ---- */

static uint64_t run_price(const struct m_line *l, int night)
{
	for (int i = 0; i < l->run_count; i++) {
		if (night < l->runs[i].nights)
			return l->runs[i].price;
		night -= l->runs[i].nights;
	}
	return 0;
}

static struct m_answer step_price(struct trial *t, int i)
{
	const struct m_line *l = &t->r->lines[i];
	if (l->pricing == M_COUNT_ONLY)
		t->has_total = false;
	for (int day = l->check_in; day < l->check_out && l->pricing != M_COUNT_ONLY; day++) {
		const struct night *n = night_at(t, l, day);
		if (l->pricing == M_CALENDAR && !n->priced)
			return no_on(KEYRACK_NO_RATE, i, day);
		t->total += (uint64_t)l->rooms * (l->pricing == M_CALENDAR
								 ? (uint64_t)n->price
								 : run_price(l, day - l->check_in));
	}
	return PASSED;
}

/* ---- step 10: rooms ---- */

static struct m_answer step_rooms(const struct trial *t, int i)
{
	const struct m_line *l = &t->r->lines[i];
	for (int day = l->check_in; day < l->check_out; day++) {
		int64_t limit;
		if (!m_limit_of(t->m, t->h, l->type, day, &limit))
			return no_on(KEYRACK_NOT_LOADED, i, day);
		int rooms = 0;
		for (int j = 0; j <= i; j++)
			if (t->r->lines[j].type == l->type && t->r->lines[j].check_in <= day &&
				day < t->r->lines[j].check_out)
				rooms += t->r->lines[j].rooms;
		const int held = m_count_on(t->m, t->h->id, l->type, day, true);
		const int booked = m_count_on(t->m, t->h->id, l->type, day, false);
		if (held + booked + rooms > limit)
			return no_on(KEYRACK_SOLD_OUT, i, day);
		if ((t->r->book ? booked : held) + rooms > 65535)
			return no_on(KEYRACK_COUNTER_FULL, i, day);
	}
	return PASSED;
}

static struct m_answer judge(struct trial *t)
{
	typedef struct m_answer step(const struct trial *, int);
	step *const before_price[] = {step_known, step_dates, step_advance, step_guests,
		step_closed, step_arrival_departure, step_los};
	struct m_answer a;
	for (size_t s = 0; s < sizeof(before_price) / sizeof(before_price[0]); s++)
		for (int i = 0; i < t->r->line_count; i++)
			if ((a = before_price[s](t, i)).code != 0)
				return a;
	t->has_total = true;
	for (int i = 0; i < t->r->line_count; i++)
		if ((a = step_price(t, i)).code != 0)
			return a;
	if (t->r->has_expected && t->total != t->r->expected)
		return m_no(KEYRACK_PRICE_CHANGED);
	for (int i = 0; i < t->r->line_count; i++)
		if ((a = step_rooms(t, i)).code != 0)
			return a;
	return PASSED;
}

static void remember_refusal(struct model *m, const struct m_reserve *r, struct m_answer a)
{
	m->refused =
		m_grown(m->refused, m->refused_count, &m->refused_capacity, sizeof(*m->refused));
	m->refused[m->refused_count++] = (struct refused){*r, a};
}

/* The nights of a calendar line keep the prices they were sold at. */
static void freeze(const struct trial *t, struct m_line *l)
{
	if (l->pricing != M_CALENDAR)
		return;
	l->run_count = 0;
	for (int day = l->check_in; day < l->check_out; day++)
		l->runs[l->run_count++] =
			(struct m_run){.nights = 1, .price = (uint64_t)night_at(t, l, day)->price};
}

static struct m_answer admit(
	struct model *m, struct m_now now, const struct m_reserve *told, const struct trial *t)
{
	const struct m_reserve *r = t->r;
	m->reservations =
		m_grown(m->reservations, m->count, &m->capacity, sizeof(*m->reservations));
	struct reservation *n = &m->reservations[m->count++];
	*n = (struct reservation){
		.state = r->book ? M_CONFIRMED : M_HELD,
		.revision = 1,
		.created_us = now.t_us,
		.changed_us = now.t_us,
		.total = t->total,
		.has_total = t->has_total,
		.has_hotel = true,
	};
	memcpy(&n->told, told, sizeof(*told));
	memcpy(&n->asked, r, sizeof(*r));
	for (int i = 0; i < n->asked.line_count; i++)
		freeze(t, &n->asked.lines[i]);
	memcpy(n->payment_ref, r->payment_ref, sizeof(n->payment_ref));
	if (!r->book) {
		uint64_t ttl = r->ttl_us == 0 ? t->h->settings.hold_ttl_us : r->ttl_us;
		if (ttl > t->h->settings.hold_ttl_max_us)
			ttl = t->h->settings.hold_ttl_max_us;
		n->expires_us = now.t_us + ttl;
	}
	m_touch(m, n);
	return shown(n, now);
}

/* Caps on live holds of the hotel and of one guest. */
static bool is_over_caps(const struct trial *t)
{
	uint32_t holds = 0, of_guest = 0;
	for (int i = 0; i < t->m->count; i++) {
		const struct reservation *o = &t->m->reservations[i];
		if (!m_is_live_hold(o) || o->asked.hotel != t->h->id)
			continue;
		holds++;
		of_guest +=
			o->asked.guest_hi == t->r->guest_hi && o->asked.guest_lo == t->r->guest_lo;
	}
	const struct m_hotel_settings *s = &t->h->settings;
	const bool has_guest = t->r->guest_hi != 0 || t->r->guest_lo != 0;
	return (s->holds_max != 0 && holds >= s->holds_max) ||
	       (has_guest && s->guest_holds_max != 0 && of_guest >= s->guest_holds_max);
}

/* The lines of an expired hold, at the prices they were held at. */
static struct m_answer take_lines(const struct model *m, struct m_reserve *r)
{
	const struct reservation *old = find(m, r->reacquires);
	if (r->line_count != 0)
		return m_no(KEYRACK_INVALID);
	if (old == NULL)
		return m_no(m_id_us(r->reacquires) < m->purge_mark_us ? KEYRACK_KEY_EXPIRED
								      : KEYRACK_NOT_FOUND);
	if (!old->has_hotel || old->asked.hotel != r->hotel)
		return m_no(KEYRACK_NOT_FOUND);
	if (old->state != M_EXPIRED)
		return m_no(KEYRACK_BAD_STATE);
	r->line_count = old->asked.line_count;
	memcpy(r->lines, old->asked.lines, sizeof(r->lines));
	for (int i = 0; i < r->line_count; i++)
		if (r->lines[i].pricing == M_CALENDAR)
			r->lines[i].pricing = M_CALLER;
	return PASSED;
}

struct m_answer model_reserve(struct model *m, struct m_now now, const struct m_reserve *r)
{
	bool known;
	struct m_answer a = step_id(m, now, r, &known);
	if (known)
		return a;
	struct m_reserve full = *r;
	if (a.code == 0 && (r->reacquires.hi | r->reacquires.lo) != 0)
		a = take_lines(m, &full);
	if (a.code == 0)
		a = step_reference(m, r);
	struct trial t = {.m = m, .h = m_hotel_find(m, r->hotel), .r = &full, .now = now};
	if (a.code == 0 && t.h == NULL)
		a = m_no(KEYRACK_NOT_FOUND);
	if (a.code == 0)
		a = judge(&t);
	if (a.code == 0 && !r->book && is_over_caps(&t))
		return m_no(KEYRACK_RATE_LIMITED); /* transient: never remembered */
	if (a.code == 0)
		return admit(m, now, r, &t);
	remember_refusal(m, r, a);
	return a;
}

struct m_answer model_stay(struct model *m, struct m_now now, const struct m_reserve *r)
{
	struct trial t = {.m = m, .h = m_hotel_find(m, r->hotel), .r = r, .now = now};
	if (t.h == NULL)
		return m_no(KEYRACK_NOT_FOUND);
	struct m_answer a = judge(&t);
	if (a.code != 0)
		return a;
	return (struct m_answer){
		.code = KEYRACK_DONE, .total = t.has_total ? t.total : 0, .has_total = t.has_total};
}

/* ---- transitions ---- */

static struct m_answer refuse_state(const struct reservation *r, struct m_now now, int code)
{
	struct m_answer a = shown(r, now);
	a.code = code;
	return a;
}

static struct m_answer repeated(const struct reservation *r, struct m_now now)
{
	struct m_answer a = shown(r, now);
	a.repeated = true;
	return a;
}

static struct m_answer move(struct model *m, struct m_now now, struct reservation *r,
	const struct m_transition *t, int to)
{
	if (t->has_revision && t->revision != r->revision)
		return refuse_state(r, now, KEYRACK_VERSION_MISMATCH);
	if (to == M_CONFIRMED && now.t_us >= r->expires_us)
		return refuse_state(r, now, KEYRACK_HOLD_EXPIRED);
	if (to == M_CONFIRMED && t->payment_ref[0] != 0)
		memcpy(r->payment_ref, t->payment_ref, sizeof(r->payment_ref));
	m_end(r, to, now.t_us);
	m_touch(m, r);
	return shown(r, now);
}

static struct m_answer resolve(
	struct model *m, struct m_now now, const struct m_transition *t, struct reservation *r)
{
	if (r != NULL && r->state != M_VOID)
		return shown(r, now);
	if (r != NULL)
		return refuse_state(r, now, KEYRACK_NOT_FOUND);
	m->reservations =
		m_grown(m->reservations, m->count, &m->capacity, sizeof(*m->reservations));
	r = &m->reservations[m->count++];
	memset(r, 0, sizeof(*r));
	r->state = M_VOID;
	r->revision = 1;
	r->changed_us = now.t_us;
	r->asked.id = t->id;
	r->has_hotel = t->has_hotel && m_hotel_find(m, t->hotel) != NULL;
	r->asked.hotel = t->hotel;
	m_touch(m, r);
	return refuse_state(r, now, KEYRACK_NOT_FOUND);
}

static bool pays_otherwise(const struct m_transition *t, const struct reservation *r)
{
	return t->payment_ref[0] != 0 && strcmp(r->payment_ref, t->payment_ref) != 0;
}

static struct m_answer confirm(
	struct model *m, struct m_now now, const struct m_transition *t, struct reservation *r)
{
	if (r->state == M_CONFIRMED)
		return pays_otherwise(t, r) ? refuse_state(r, now, KEYRACK_BAD_STATE)
					    : repeated(r, now);
	if (r->state == M_EXPIRED)
		return refuse_state(r, now, KEYRACK_HOLD_EXPIRED);
	if (r->state == M_HELD && r->payment_ref[0] != 0 && pays_otherwise(t, r))
		return refuse_state(r, now, KEYRACK_BAD_STATE);
	return r->state == M_HELD ? move(m, now, r, t, M_CONFIRMED)
				  : refuse_state(r, now, KEYRACK_BAD_STATE);
}

/* EXTEND and ATTACH_PAYMENT: whatever the change's id has done already is done. */
static struct m_answer change(
	struct model *m, struct m_now now, const struct m_transition *t, struct reservation *r)
{
	if (r->change_id == t->change_id)
		return repeated(r, now);
	if (r->state == M_EXPIRED)
		return refuse_state(r, now, KEYRACK_HOLD_EXPIRED);
	if (r->state != M_HELD)
		return refuse_state(r, now, KEYRACK_BAD_STATE);
	if (t->what == M_ATTACH && r->payment_ref[0] != 0)
		return pays_otherwise(t, r) ? refuse_state(r, now, KEYRACK_BAD_STATE)
					    : repeated(r, now);
	if (t->revision != r->revision)
		return refuse_state(r, now, KEYRACK_VERSION_MISMATCH);
	if (t->what == M_EXTEND) {
		const uint64_t life_us =
			m_hotel_find(m, r->asked.hotel)->settings.hold_total_max_us;
		uint64_t until_us = t->expires_us;
		if (life_us != 0 && until_us > r->created_us + life_us)
			until_us = r->created_us + life_us;
		if (until_us <= r->expires_us)
			return shown(r, now);
		r->expires_us = until_us;
	} else {
		memcpy(r->payment_ref, t->payment_ref, sizeof(r->payment_ref));
	}
	r->change_id = t->change_id;
	r->revision++;
	r->changed_us = now.t_us;
	m_touch(m, r);
	return shown(r, now);
}

static struct m_answer arrive_or_leave(
	struct model *m, struct m_now now, const struct m_transition *t, struct reservation *r)
{
	const int to = t->what == M_CHECK_IN   ? M_CHECKED_IN
		       : t->what == M_COMPLETE ? M_COMPLETED
					       : M_NO_SHOW;
	if (r->state == to)
		return repeated(r, now);
	if (r->state != M_CONFIRMED && !(r->state == M_CHECKED_IN && to == M_COMPLETED))
		return refuse_state(r, now, KEYRACK_BAD_STATE);
	int first = r->asked.lines[0].check_in;
	for (int i = 1; i < r->asked.line_count; i++)
		if (r->asked.lines[i].check_in < first)
			first = r->asked.lines[i].check_in;
	if (m_hotel_find(m, r->asked.hotel)->business_day < first)
		return refuse_state(r, now, KEYRACK_TOO_EARLY);
	return move(m, now, r, t, to);
}

struct m_answer model_transition(struct model *m, struct m_now now, const struct m_transition *t)
{
	struct reservation *r = find(m, t->id);
	const uint32_t slot = reservation_id_slot((struct kr_id){t->id.hi, t->id.lo});
	if (t->has_hotel && slot != slot_of_hotel((struct hotel_id){t->hotel}))
		return m_no(KEYRACK_INVALID);
	if (r != NULL && t->has_hotel && r->has_hotel && r->asked.hotel != t->hotel)
		return m_no(KEYRACK_NOT_FOUND);
	if (r == NULL && m_id_us(t->id) < m->purge_mark_us)
		return m_no(KEYRACK_KEY_EXPIRED);
	if (t->what == M_RESOLVE)
		return resolve(m, now, t, r);
	if (r == NULL)
		return m_no(KEYRACK_NOT_FOUND);
	if (t->what == M_CONFIRM)
		return confirm(m, now, t, r);
	if (t->what == M_EXTEND || t->what == M_ATTACH)
		return change(m, now, t, r);
	if (t->what >= M_CHECK_IN)
		return arrive_or_leave(m, now, t, r);
	const bool gives_hold = t->what == M_RELEASE || t->any;
	if (gives_hold && r->state == M_RELEASED)
		return repeated(r, now);
	if (gives_hold && r->state == M_HELD)
		return move(m, now, r, t, M_RELEASED);
	if (t->what == M_CANCEL && r->state == M_CANCELLED)
		return repeated(r, now);
	if (t->what == M_CANCEL && r->state == M_CONFIRMED)
		return move(m, now, r, t, M_CANCELLED);
	return refuse_state(r, now, KEYRACK_BAD_STATE);
}

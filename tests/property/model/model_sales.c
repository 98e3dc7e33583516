/* Admission: the ten steps in their published order, each a loop over the lines. */
#include "tests/property/model/model_priv.h"

#include <stddef.h>
#include <string.h>

#include "proto/code.h"
#include "proto/slot.h"

#define DAY_US INT64_C(86400000000)
#define MINUTE_US INT64_C(60000000)
#define AHEAD_US UINT64_C(60000000)

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

struct reservation *m_find(const struct model *m, struct m_id id)
{
	for (int i = 0; i < m->count; i++)
		if (m->reservations[i].asked.id.hi == id.hi &&
			m->reservations[i].asked.id.lo == id.lo)
			return &m->reservations[i];
	return NULL;
}

struct m_answer m_shown(const struct reservation *r, struct m_now now)
{
	struct m_cost cost = {.has_amounts = false};
	if (r->state == M_CANCELLED || r->state == M_NO_SHOW)
		cost = m_cost_of(r->asked.lines, r->asked.line_count, r->changed_us);
	return (struct m_answer){
		.has_amounts = cost.has_amounts,
		.penalty = cost.penalty,
		.refundable = cost.refundable,
		.code = KEYRACK_DONE,
		.state = r->state,
		.revision = r->revision,
		.expires_us = r->expires_us,
		.total = r->has_total ? r->total : 0,
		.has_total = r->has_total,
		.due = r->state == M_HELD && now.t_us >= r->expires_us,
	};
}

/* ---- what a change keeps ---- */

static int rooms_of(const struct m_line *lines, int count, int type, int day)
{
	int rooms = 0;
	for (int i = 0; i < count; i++)
		if (lines[i].type == type && lines[i].check_in <= day && day < lines[i].check_out)
			rooms += lines[i].rooms;
	return rooms;
}

/* A plan of a type, which rules are asked of; rooms are the type's. */
static bool is_same_product(const struct m_line *a, const struct m_line *b)
{
	return a->type == b->type && a->plan == b->plan;
}

static int rooms_like(const struct m_line *lines, int count, const struct m_line *like, int day)
{
	int rooms = 0;
	for (int i = 0; i < count; i++)
		if (is_same_product(&lines[i], like) && lines[i].check_in <= day &&
			day < lines[i].check_out)
			rooms += lines[i].rooms;
	return rooms;
}

static int own_rooms(const struct trial *t, int type, int day)
{
	return t->own == NULL ? 0
			      : rooms_of(t->own->asked.lines, t->own->asked.line_count, type, day);
}

/* Lines up to this one draw nothing under the plan that the reservation has not. */
static bool is_kept(const struct trial *t, int i, int day)
{
	const struct m_line *l = &t->r->lines[i];
	return t->keeps &&
	       rooms_like(t->r->lines, i + 1, l, day) <=
		       rooms_like(t->own->asked.lines, t->own->asked.line_count, l, day);
}

static int first_night(const struct trial *t, const struct m_line *l)
{
	return l->check_in > t->h->business_day ? l->check_in : t->h->business_day;
}

static bool line_is_new(const struct trial *t, int i)
{
	const struct m_line *l = &t->r->lines[i];
	for (int day = first_night(t, l); day < l->check_out; day++)
		if (m_in_window(t->m, t->h, day) && !is_kept(t, i, day))
			return true;
	return !t->keeps;
}

static bool anything_is_new(const struct trial *t)
{
	for (int i = 0; i < t->r->line_count; i++)
		if (line_is_new(t, i))
			return true;
	return false;
}

bool m_continues(const struct m_line *lines, int line_count, int b)
{
	return b > 0 && b < line_count && lines[b].check_in == lines[b - 1].check_out &&
	       lines[b].rooms == lines[b - 1].rooms;
}

static bool continues(const struct m_reserve *r, int b)
{
	return m_continues(r->lines, r->line_count, b);
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

/* Some line of the reservation arrived on that date already; a line that begins a stay asks for one
 * that did, too. */
static bool arrives_as_before(const struct trial *t, int i)
{
	const struct m_line *l = &t->r->lines[i];
	for (int k = 0; t->keeps && k < t->own->asked.line_count; k++) {
		const struct m_line *old = &t->own->asked.lines[k];
		if (is_same_product(old, l) && old->check_in == l->check_in &&
			(continues(t->r, i) || !continues(&t->own->asked, k)))
			return true;
	}
	return false;
}

static bool departs_as_before(const struct trial *t, int i)
{
	const struct m_line *l = &t->r->lines[i];
	for (int k = 0; t->keeps && k < t->own->asked.line_count; k++) {
		const struct m_line *old = &t->own->asked.lines[k];
		if (is_same_product(old, l) && old->check_out == l->check_out &&
			!continues(&t->own->asked, k + 1))
			return true;
	}
	return false;
}

static bool stays_as_before(const struct trial *t, int i, int day)
{
	const struct m_line *l = &t->r->lines[i];
	if (!is_kept(t, i, day))
		return false;
	if (!continues(t->r, i) && day == l->check_in && !arrives_as_before(t, i))
		return false;
	for (int k = 0; k < t->own->asked.line_count; k++) {
		const struct m_line *old = &t->own->asked.lines[k];
		if (is_same_product(old, l) && old->check_in <= day && day < old->check_out &&
			chain_nights(&t->own->asked, k) == chain_nights(t->r, i))
			return true;
	}
	return false;
}

static bool is_same_party(const struct trial *t, const struct m_line *l)
{
	for (int k = 0; t->keeps && k < t->own->asked.line_count; k++) {
		const struct m_line *old = &t->own->asked.lines[k];
		if (old->type == l->type && old->rooms == l->rooms && old->guests == l->guests)
			return true;
	}
	return false;
}

/* ---- step 1: the id ---- */

static struct m_answer step_id(
	const struct model *m, struct m_now now, const struct m_reserve *r, bool *ret_known)
{
	const struct reservation *known = m_is_foreign(r->id) ? NULL : m_find(m, r->id);
	const struct kr_id id = {r->id.hi, r->id.lo};
	*ret_known = true;
	if (known != NULL && known->state == M_VOID)
		return (struct m_answer){.code = KEYRACK_BAD_STATE, .state = M_VOID};
	if (known != NULL) {
		if (known->is_imported || !is_same(&known->told, r))
			return m_no(KEYRACK_KEY_REUSED);
		struct m_answer a = m_shown(known, now);
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

struct m_answer m_step_reference(const struct model *m, const struct m_reserve *r)
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

static struct m_plan_settings plan_of(const struct trial *t, const struct m_line *l)
{
	return m_plan_of(&t->h->types[l->type], l->plan);
}

static struct m_answer step_known(const struct trial *t, int i)
{
	const struct m_line *l = &t->r->lines[i];
	if (t->h->settings.status != 1 && anything_is_new(t))
		return no_line(KEYRACK_CLOSED, i);
	if (l->type >= M_TYPES || !t->h->types[l->type].exists)
		return no_line(KEYRACK_NOT_FOUND, i);
	if (type_of(t, l)->status != 1 && line_is_new(t, i))
		return no_line(KEYRACK_CLOSED, i);
	if (!m_has_plan(&t->h->types[l->type], l->plan))
		return no_line(KEYRACK_NOT_FOUND, i);
	return plan_of(t, l).status == 1 || !line_is_new(t, i) ? PASSED
							       : no_line(KEYRACK_RATE_CLOSED, i);
}

static struct m_answer step_dates(const struct trial *t, int i)
{
	const struct m_line *l = &t->r->lines[i];
	const int end = t->h->business_day + t->m->config.window_nights;
	if (l->check_in >= l->check_out || l->rooms == 0)
		return no_line(KEYRACK_INVALID, i);
	if (l->check_out - l->check_in > t->h->settings.nights_max && line_is_new(t, i))
		return no_line(KEYRACK_INVALID, i);
	if (l->check_in < t->h->business_day && !t->keeps)
		return no_line(KEYRACK_PAST_DATE, i);
	return l->check_out <= end ? PASSED : no_line(KEYRACK_OUT_OF_WINDOW, i);
}

/* The past stays as it was. */
static bool past_differs(const struct trial *t, const struct m_line *l, int *ret_day)
{
	for (int day = l->check_in; day < l->check_out && day < t->h->business_day; day++) {
		*ret_day = day;
		if (rooms_of(t->r->lines, t->r->line_count, l->type, day) !=
			own_rooms(t, l->type, day))
			return true;
	}
	return false;
}

static struct m_answer step_past(const struct trial *t, int i)
{
	int day;
	if (!t->keeps)
		return PASSED;
	if (past_differs(t, &t->r->lines[i], &day))
		return no_on(KEYRACK_PAST_DATE, i, day);
	for (int k = 0; i == t->r->line_count - 1 && k < t->own->asked.line_count; k++)
		if (past_differs(t, &t->own->asked.lines[k], &day))
			return no_on(KEYRACK_PAST_DATE, 0, day);
	return PASSED;
}

static struct m_answer step_advance(const struct trial *t, int i)
{
	const struct m_line *l = &t->r->lines[i];
	const struct m_plan_settings s = plan_of(t, l);
	const int64_t arrival = l->check_in * DAY_US + t->h->settings.check_in_minute * MINUTE_US -
				t->h->settings.offset_s * INT64_C(1000000);
	const int64_t ahead = arrival - (int64_t)t->now.t_us;
	if (arrives_as_before(t, i))
		return PASSED;
	if (s.advance_min != 0 && ahead < s.advance_min * MINUTE_US)
		return no_line(KEYRACK_TOO_LATE, i);
	if (s.advance_max != 0 && ahead > s.advance_max * MINUTE_US)
		return no_line(KEYRACK_TOO_EARLY, i);
	return PASSED;
}

static struct m_answer step_guests(const struct trial *t, int i)
{
	const struct m_line *l = &t->r->lines[i];
	const uint32_t max = type_of(t, l)->guests_max;
	return max != 0 && (int64_t)l->guests > (int64_t)l->rooms * max && !is_same_party(t, l)
		       ? no_line(KEYRACK_OVER_OCCUPANCY, i)
		       : PASSED;
}

/* ---- steps 6 to 8: restrictions ---- */

static const struct night *night_at(const struct trial *t, const struct m_line *l, int day)
{
	return m_night_of(t->m, t->h, l->type, day);
}

static struct m_rate rate_at(const struct trial *t, const struct m_line *l, int day)
{
	return m_rate_of(t->m, t->h, l->type, l->plan, day);
}

static struct m_answer step_closed(const struct trial *t, int i)
{
	const struct m_line *l = &t->r->lines[i];
	for (int day = first_night(t, l); day < l->check_out; day++) {
		if (is_kept(t, i, day))
			continue;
		if (night_at(t, l, day)->closed)
			return no_on(KEYRACK_CLOSED, i, day);
		if (rate_at(t, l, day).closed)
			return no_on(KEYRACK_RATE_CLOSED, i, day);
	}
	return PASSED;
}

static struct m_answer step_arrival_departure(const struct trial *t, int i)
{
	const struct m_line *l = &t->r->lines[i];
	if (!continues(t->r, i) && !arrives_as_before(t, i) &&
		m_in_window(t->m, t->h, l->check_in)) {
		if (night_at(t, l, l->check_in)->cta || rate_at(t, l, l->check_in).cta)
			return no_on(KEYRACK_CLOSED_TO_ARRIVAL, i, l->check_in);
	}
	if (continues(t->r, i + 1) || !m_in_window(t->m, t->h, l->check_out) ||
		departs_as_before(t, i))
		return PASSED;
	return night_at(t, l, l->check_out)->ctd || rate_at(t, l, l->check_out).ctd
		       ? no_on(KEYRACK_CLOSED_TO_DEPARTURE, i, l->check_out)
		       : PASSED;
}

static struct m_answer step_los(const struct trial *t, int i)
{
	const struct m_line *l = &t->r->lines[i];
	const int nights = chain_nights(t->r, i);
	for (int day = first_night(t, l); day < l->check_out; day++) {
		const struct m_rate n = rate_at(t, l, day);
		if (stays_as_before(t, i, day))
			continue;
		if (day == l->check_in && !continues(t->r, i)) {
			if (n.min_arrival != 0 && nights < n.min_arrival)
				return no_on(KEYRACK_MIN_LOS, i, day);
			if (n.max_arrival != 0 && nights > n.max_arrival)
				return no_on(KEYRACK_MAX_LOS, i, day);
		}
		if (n.min_through != 0 && nights < n.min_through)
			return no_on(KEYRACK_MIN_LOS, i, day);
		if (n.max_through != 0 && nights > n.max_through)
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

int m_kept_line(const struct m_reserve *r, int i)
{
	return r->lines[i].keeps != 0 ? r->lines[i].keeps - 1 : i;
}

/* What the night was sold at, if the line it keeps had it and has rooms left for this line. */
static bool kept_price(const struct trial *t, int i, int day, uint64_t *ret_price)
{
	const struct m_line *l = &t->r->lines[i];
	const int kept = m_kept_line(t->r, i);
	if (!t->keeps || kept >= t->own->asked.line_count)
		return false;
	const struct m_line *old = &t->own->asked.lines[kept];
	int rooms = old->rooms;
	if (!is_same_product(old, l) || old->pricing == M_COUNT_ONLY || day < old->check_in ||
		day >= old->check_out)
		return false;
	for (int j = 0; j <= i; j++) {
		const struct m_line *other = &t->r->lines[j];
		if (is_same_product(other, l) && other->pricing == M_CALENDAR &&
			m_kept_line(t->r, j) == kept && other->check_in <= day &&
			day < other->check_out)
			rooms -= other->rooms;
	}
	*ret_price = run_price(old, day - old->check_in);
	return rooms >= 0;
}

static bool calendar_price(const struct trial *t, int i, int day, uint64_t *ret_price)
{
	const struct m_line *l = &t->r->lines[i];
	if (kept_price(t, i, day, ret_price))
		return true;
	if (!m_in_window(t->m, t->h, day) || !rate_at(t, l, day).priced)
		return false;
	*ret_price = (uint64_t)rate_at(t, l, day).price;
	return true;
}

static struct m_answer step_price(struct trial *t, int i)
{
	const struct m_line *l = &t->r->lines[i];
	if (l->pricing == M_COUNT_ONLY)
		t->has_total = false;
	for (int day = l->check_in; day < l->check_out && l->pricing != M_COUNT_ONLY; day++) {
		uint64_t price;
		if (l->pricing == M_CALLER)
			price = run_price(l, day - l->check_in);
		else if (!calendar_price(t, i, day, &price))
			return no_on(KEYRACK_NO_RATE, i, day);
		t->total += (uint64_t)l->rooms * price;
	}
	return PASSED;
}

/* ---- step 10: rooms ---- */

struct m_answer m_step_rooms(const struct trial *t, int i)
{
	const struct m_line *l = &t->r->lines[i];
	for (int day = first_night(t, l); day < l->check_out; day++) {
		int64_t limit;
		const int rooms =
			rooms_of(t->r->lines, i + 1, l->type, day) - own_rooms(t, l->type, day);
		if (t->keeps && rooms <= 0) /* of the type, under whatever plan */
			continue;
		if (!m_limit_of(t->m, t->h, l->type, day, &limit) && !t->r->force)
			return no_on(KEYRACK_NOT_LOADED, i, day);
		const int held = m_count_on(t->m, t->h->id, l->type, day, true);
		const int booked = m_count_on(t->m, t->h->id, l->type, day, false);
		if (held + booked + rooms > limit && !t->r->force)
			return no_on(KEYRACK_SOLD_OUT, i, day);
		if (held + booked + rooms > 65535)
			return no_on(KEYRACK_COUNTER_FULL, i, day);
	}
	return PASSED;
}

struct m_answer m_judge(struct trial *t)
{
	typedef struct m_answer step(const struct trial *, int);
	step *const before_price[] = {step_known, step_dates, step_past, step_advance, step_guests,
		step_closed, step_arrival_departure, step_los};
	/* who only gives back is asked no restriction, nor is who forces it */
	const size_t asked = anything_is_new(t) && !t->r->force
				     ? sizeof(before_price) / sizeof(before_price[0])
				     : 3;
	struct m_answer a;
	for (size_t s = 0; s < asked; s++)
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
		if ((a = m_step_rooms(t, i)).code != 0)
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
void m_freeze(const struct trial *t, int i, struct m_line *l)
{
	if (l->pricing != M_CALENDAR)
		return;
	l->run_count = 0;
	for (int day = l->check_in; day < l->check_out; day++) {
		struct m_run *run = &l->runs[l->run_count++];
		run->nights = 1;
		(void)calendar_price(t, i, day, &run->price);
	}
}

static struct m_answer admit(
	struct model *m, struct m_now now, const struct m_reserve *told, const struct trial *t)
{
	const struct m_reserve *r = t->r;
	if (t->own != NULL)
		m_end(t->own, M_RELEASED, now.t_us);
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
		m_freeze(t, i, &n->asked.lines[i]);
	for (int i = 0; i < n->asked.line_count; i++)
		m_freeze_terms(t, i, &n->asked.lines[i]);
	memcpy(n->payment_ref, r->payment_ref, sizeof(n->payment_ref));
	if (!r->book) {
		uint64_t ttl = r->ttl_us == 0 ? t->h->settings.hold_ttl_us : r->ttl_us;
		if (ttl > t->h->settings.hold_ttl_max_us)
			ttl = t->h->settings.hold_ttl_max_us;
		n->expires_us = now.t_us + ttl;
	}
	m_touch(m, n);
	return m_shown(n, now);
}

/* Caps on live holds of the hotel and of one guest. */
static bool is_over_caps(const struct trial *t)
{
	uint32_t holds = 0, of_guest = 0;
	for (int i = 0; i < t->m->count; i++) {
		const struct reservation *o = &t->m->reservations[i];
		if (!m_is_live_hold(o) || o->asked.hotel != t->h->id || o == t->own)
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
	const struct reservation *old = m_find(m, r->reacquires);
	if (r->line_count != 0)
		return m_no(KEYRACK_INVALID);
	if (old == NULL)
		return m_absent(m, r->reacquires);
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

/* The live hold that is given back for the new one. */
static struct m_answer replaced(const struct model *m, struct m_now now, const struct m_reserve *r,
	struct reservation **ret_old)
{
	struct reservation *old = m_find(m, r->replaces);
	if (r->book || (r->reacquires.hi | r->reacquires.lo) != 0)
		return m_no(KEYRACK_INVALID);
	if (old == NULL)
		return m_absent(m, r->replaces);
	if (!old->has_hotel || old->asked.hotel != r->hotel)
		return m_no(KEYRACK_NOT_FOUND);
	if (old->state == M_EXPIRED || (old->state == M_HELD && now.t_us >= old->expires_us))
		return m_no(KEYRACK_HOLD_EXPIRED);
	if (old->state != M_HELD)
		return m_no(KEYRACK_BAD_STATE);
	*ret_old = old;
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
	struct reservation *own = NULL;
	if (a.code == 0 && (r->replaces.hi | r->replaces.lo) != 0)
		a = replaced(m, now, r, &own);
	if (a.code == 0)
		a = m_step_reference(m, r);
	struct trial t = {
		.own = own, .m = m, .h = m_hotel_find(m, r->hotel), .r = &full, .now = now};
	if (a.code == 0 && t.h == NULL)
		a = m_no(KEYRACK_NOT_FOUND);
	if (a.code == 0)
		a = m_judge(&t);
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
	struct m_answer a = m_judge(&t);
	if (a.code != 0)
		return a;
	return (struct m_answer){
		.code = KEYRACK_DONE, .total = t.has_total ? t.total : 0, .has_total = t.has_total};
}

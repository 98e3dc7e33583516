/* What comes in from elsewhere: little is asked of it, and it is kept as it was told. */
#include <string.h>

#include "proto/code.h"
#include "proto/slot.h"
#include "tests/property/model/model_priv.h"

#define AHEAD_US UINT64_C(60000000)

static bool is_same(const struct m_import *a, const struct m_import *b)
{
	struct m_import x, y;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	x.what.force = y.what.force = false;
	return memcmp(&x, &y, sizeof(x)) == 0;
}

static bool was_held(const struct m_import *i)
{
	return i->was_held || i->state == M_HELD || i->state == M_RELEASED || i->state == M_EXPIRED;
}

static bool is_cut(int state)
{
	return state == M_NO_SHOW || state == M_COMPLETED;
}

static bool is_malformed(struct m_now now, const struct m_import *i)
{
	const uint64_t latest = (now.t_us > now.wall_us ? now.t_us : now.wall_us) + AHEAD_US;
	const struct kr_id id = {i->what.id.hi, i->what.id.lo};
	if (!m_is_foreign(i->what.id) &&
		(reservation_id_slot(id) != slot_of_hotel((struct hotel_id){i->what.hotel}) ||
			m_id_us(i->what.id) > latest))
		return true;
	return i->state < M_HELD || i->state > M_COMPLETED || i->revision == 0 ||
	       i->created_us == 0 || i->created_us > latest || i->changed_us < i->created_us ||
	       i->changed_us > latest || (i->state == M_HELD && i->expires_us == 0) ||
	       (i->expires_us != 0 && !was_held(i)) || (i->graced && !was_held(i)) ||
	       (i->has_counted_until ? !is_cut(i->state) : i->counted_until != 0);
}

/* Names, then dates, of one line after the other. */
static struct m_answer lines_judge(const struct trial *t, bool is_live)
{
	const int end = t->h->business_day + t->m->config.window_nights;
	for (int i = 0; i < t->r->line_count; i++) {
		const struct m_line *l = &t->r->lines[i];
		if (l->type >= M_TYPES || !m_has_plan(&t->h->types[l->type], l->plan))
			return m_no(KEYRACK_NOT_FOUND);
	}
	for (int i = 0; i < t->r->line_count; i++) {
		const struct m_line *l = &t->r->lines[i];
		if (l->check_in >= l->check_out || l->rooms == 0)
			return m_no(KEYRACK_INVALID);
		if (is_live && l->check_out > end)
			return m_no(KEYRACK_OUT_OF_WINDOW);
	}
	struct m_answer a = {.code = 0};
	for (int i = 0; i < t->r->line_count && is_live && a.code == 0; i++)
		a = m_step_rooms(t, i);
	return a;
}

static int first_check_in(const struct m_reserve *r)
{
	int first = r->lines[0].check_in;
	for (int i = 1; i < r->line_count; i++)
		if (r->lines[i].check_in < first)
			first = r->lines[i].check_in;
	return first;
}

static void total(struct reservation *n)
{
	n->has_total = true;
	for (int i = 0; i < n->asked.line_count; i++) {
		const struct m_line *l = &n->asked.lines[i];
		n->has_total = n->has_total && l->pricing != M_COUNT_ONLY;
		for (int k = 0; k < l->run_count; k++)
			n->total +=
				(uint64_t)l->rooms * (uint64_t)l->runs[k].nights * l->runs[k].price;
	}
}

/* As it will be kept: a hold that nobody expired in time ended at its deadline. */
static void fill(struct reservation *n, struct m_now now, const struct m_import *i)
{
	memset(n, 0, sizeof(*n));
	n->state = i->state;
	n->revision = i->revision;
	n->created_us = i->created_us;
	n->changed_us = i->changed_us;
	n->expires_us = i->expires_us;
	n->graced = i->graced;
	n->change_id = i->change_id;
	n->has_hotel = n->is_imported = true;
	memcpy(&n->import, i, sizeof(*i));
	memcpy(&n->asked, &i->what, sizeof(n->asked));
	memcpy(n->payment_ref, i->what.payment_ref, sizeof(n->payment_ref));
	total(n);
	if (n->state != M_HELD || n->expires_us > now.t_us)
		return;
	n->state = M_EXPIRED;
	n->revision++;
	if (n->expires_us > n->changed_us)
		n->changed_us = n->expires_us;
}

/* Nights of types over their limit, each once. */
static uint32_t over_limit(const struct model *m, const struct reservation *r)
{
	const struct hotel *h = m_hotel_find(m, r->asked.hotel);
	uint32_t count = 0;
	if (r->state != M_HELD && !m_is_booking(r))
		return 0;
	for (int type = 0; type < M_TYPES; type++) {
		for (int day = h->business_day; m_in_window(m, h, day); day++) {
			int64_t limit = 0;
			bool is_on = false;
			for (int i = 0; i < r->asked.line_count; i++) {
				const struct m_line *l = &r->asked.lines[i];
				is_on |=
					l->type == type && l->check_in <= day && day < l->check_out;
			}
			if (!is_on)
				continue;
			if (!m_limit_of(m, h, type, day, &limit))
				limit = 0;
			count += m_count_on(m, h->id, type, day, true) +
					 m_count_on(m, h->id, type, day, false) >
				 limit;
		}
	}
	return count;
}

static struct m_answer known(
	struct model *m, struct m_now now, const struct reservation *r, const struct m_import *i)
{
	struct m_answer a = m_shown(r, now);
	if (r->state == M_VOID)
		a.code = KEYRACK_BAD_STATE;
	else if (!r->is_imported || !is_same(&r->import, i))
		a.code = KEYRACK_KEY_REUSED;
	if (a.code != KEYRACK_DONE)
		return a;
	a.repeated = true;
	a.over_limit = over_limit(m, r);
	return a;
}

struct m_answer model_import(struct model *m, struct m_now now, const struct m_import *i)
{
	const struct reservation *r = m_find(m, i->what.id);
	struct m_reserve what;
	struct reservation n;
	/* what others number is one within their hotel */
	if (r != NULL && (!m_is_foreign(i->what.id) || r->asked.hotel == i->what.hotel))
		return known(m, now, r, i);
	if (is_malformed(now, i))
		return m_no(KEYRACK_INVALID);
	struct m_answer a = m_step_reference(m, &i->what);
	if (a.code != 0)
		return a;
	fill(&n, now, i);
	memcpy(&what, &i->what, sizeof(what));
	what.book = n.state != M_HELD;
	struct trial t = {.m = m, .h = m_hotel_find(m, what.hotel), .r = &what, .now = now};
	if (t.h == NULL)
		return m_no(KEYRACK_NOT_FOUND);
	a = lines_judge(&t, n.state == M_HELD || m_is_booking(&n));
	if (a.code != 0)
		return a;
	if ((n.state == M_CHECKED_IN || is_cut(n.state)) &&
		t.h->business_day < first_check_in(&what))
		return m_no(KEYRACK_TOO_EARLY);
	if (i->has_counted_until && i->counted_until > t.h->business_day)
		return m_no(KEYRACK_INVALID);
	if (m_is_retirable(m, &n, now.t_us))
		return m_no(KEYRACK_KEY_EXPIRED);
	m->reservations =
		m_grown(m->reservations, m->count, &m->capacity, sizeof(*m->reservations));
	memcpy(&m->reservations[m->count++], &n, sizeof(n));
	m_touch(m, &n);
	a = m_shown(&n, now);
	a.over_limit = over_limit(m, &n);
	return a;
}

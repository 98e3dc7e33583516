/* What becomes of reservations: moves, changes, RESOLVE. */
#include "tests/property/model/model_priv.h"

#include <string.h>

#include "proto/code.h"
#include "proto/slot.h"

static struct m_answer refuse_state(const struct reservation *r, struct m_now now, int code)
{
	struct m_answer a = m_shown(r, now);
	a.code = code;
	return a;
}

static struct m_answer repeated(const struct reservation *r, struct m_now now)
{
	struct m_answer a = m_shown(r, now);
	a.repeated = true;
	return a;
}

/* A hold at its deadline is over, whether or not that was logged. */
static bool is_over(const struct reservation *r, struct m_now now)
{
	return r->state == M_EXPIRED || (r->state == M_HELD && now.t_us >= r->expires_us);
}

static struct m_answer move(struct model *m, struct m_now now, struct reservation *r,
	const struct m_transition *t, int to)
{
	if (t->has_revision && t->revision != r->revision)
		return refuse_state(r, now, KEYRACK_VERSION_MISMATCH);
	if (to == M_CONFIRMED && t->payment_ref[0] != 0)
		memcpy(r->payment_ref, t->payment_ref, sizeof(r->payment_ref));
	m_end(r, to, now.t_us);
	m_touch(m, r);
	return m_shown(r, now);
}

static struct m_answer resolve(
	struct model *m, struct m_now now, const struct m_transition *t, struct reservation *r)
{
	if (r != NULL && r->state != M_VOID)
		return m_shown(r, now);
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
	if (is_over(r, now))
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
	if (is_over(r, now))
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
			return m_shown(r, now);
		r->expires_us = until_us;
	} else {
		memcpy(r->payment_ref, t->payment_ref, sizeof(r->payment_ref));
	}
	r->change_id = t->change_id;
	r->revision++;
	r->changed_us = now.t_us;
	m_touch(m, r);
	return m_shown(r, now);
}

/* The reservation as it would be, on trial beside what it is. */
static struct m_answer modify_try(struct m_now now, const struct m_transition *t,
	struct m_reserve *wanted, struct trial *trial)
{
	struct reservation *r = trial->own;
	memcpy(wanted, &r->asked, sizeof(*wanted));
	wanted->book = r->state != M_HELD;
	wanted->line_count = t->line_count;
	memcpy(wanted->lines, t->lines, sizeof(wanted->lines));
	wanted->has_expected = t->has_expected;
	wanted->expected = t->expected;
	wanted->force = t->force;
	trial->h = m_hotel_find(trial->m, r->asked.hotel);
	trial->r = wanted;
	trial->keeps = true;
	trial->now = now;
	return m_judge(trial);
}

/* Other lines for the same reservation; refused, nothing is changed. */
static struct m_answer modify(
	struct model *m, struct m_now now, const struct m_transition *t, struct reservation *r)
{
	struct m_reserve wanted;
	struct trial trial = {.m = m, .own = r};
	if (r->change_id == t->change_id)
		return repeated(r, now);
	if (is_over(r, now))
		return refuse_state(r, now, KEYRACK_HOLD_EXPIRED);
	if (r->state != M_HELD && !m_is_booking(r))
		return refuse_state(r, now, KEYRACK_BAD_STATE);
	if (t->revision != r->revision)
		return refuse_state(r, now, KEYRACK_VERSION_MISMATCH);
	struct m_answer a = modify_try(now, t, &wanted, &trial);
	if (a.code != 0) {
		struct m_answer no = refuse_state(r, now, a.code);
		no.line = a.line;
		no.has_day = a.has_day;
		no.day = a.day;
		return no;
	}
	struct m_line frozen[M_LINES];
	memcpy(frozen, wanted.lines, sizeof(frozen));
	for (int i = 0; i < t->line_count; i++)
		m_freeze(&trial, i, &frozen[i]);
	for (int i = 0; i < t->line_count; i++)
		m_freeze_terms(&trial, i, &frozen[i]);
	r->asked.line_count = t->line_count;
	memcpy(r->asked.lines, frozen, sizeof(frozen));
	r->total = trial.total;
	r->has_total = trial.has_total;
	r->change_id = t->change_id;
	r->revision++;
	r->changed_us = now.t_us;
	m_touch(m, r);
	return m_shown(r, now);
}

bool model_modify_total(
	struct model *m, struct m_now now, const struct m_transition *t, uint64_t *ret_total)
{
	struct m_reserve wanted;
	struct trial trial = {.m = m, .own = m_find(m, t->id)};
	if (trial.own == NULL || (trial.own->state != M_HELD && !m_is_booking(trial.own)) ||
		modify_try(now, t, &wanted, &trial).code != 0)
		return false;
	*ret_total = trial.total;
	return trial.has_total;
}

int model_reservation(const struct model *m, struct m_id id, struct m_reserve *ret_reserve,
	uint32_t *ret_revision)
{
	const struct reservation *r = m_find(m, id);
	if (r == NULL)
		return 0;
	memcpy(ret_reserve, &r->asked, sizeof(*ret_reserve));
	*ret_revision = r->revision;
	return r->state;
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
	struct reservation *r = m_find(m, t->id);
	const struct kr_id id = {t->id.hi, t->id.lo};
	if (m_is_foreign(t->id)
			? !t->has_hotel
			: t->has_hotel && reservation_id_slot(id) !=
						  slot_of_hotel((struct hotel_id){t->hotel}))
		return m_no(KEYRACK_INVALID);
	if (r != NULL && t->has_hotel && r->has_hotel && r->asked.hotel != t->hotel)
		return m_no(KEYRACK_NOT_FOUND);
	if (r == NULL && (m_is_foreign(t->id) || m_id_us(t->id) < m->purge_mark_us))
		return m_absent(m, t->id);
	if (t->what == M_RESOLVE)
		return resolve(m, now, t, r);
	if (r == NULL)
		return m_no(KEYRACK_NOT_FOUND);
	if (t->what == M_CONFIRM)
		return confirm(m, now, t, r);
	if (t->what == M_EXTEND || t->what == M_ATTACH)
		return change(m, now, t, r);
	if (t->what == M_MODIFY)
		return modify(m, now, t, r);
	if (t->what >= M_CHECK_IN)
		return arrive_or_leave(m, now, t, r);
	const bool gives_hold = t->what == M_RELEASE || t->any;
	if (gives_hold && r->state == M_RELEASED)
		return repeated(r, now);
	if (gives_hold && r->state == M_HELD && is_over(r, now))
		return refuse_state(r, now, KEYRACK_HOLD_EXPIRED);
	if (gives_hold && r->state == M_HELD)
		return move(m, now, r, t, M_RELEASED);
	if (t->what == M_CANCEL && r->state == M_CANCELLED)
		return repeated(r, now);
	if (t->what == M_CANCEL && r->state == M_CONFIRMED)
		return move(m, now, r, t, M_CANCELLED);
	return refuse_state(r, now, KEYRACK_BAD_STATE);
}

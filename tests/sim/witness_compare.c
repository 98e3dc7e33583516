/* Whole states side by side: every night and every record of the model and of the engine. */
#include <stdio.h>
#include <string.h>

#include "tests/property/model/model_priv.h"
#include "tests/sim/witness_compare.h"
#include "tests/sim/witness_wrap.h"

#define PLANS_MAX 64u /* of a hotel, plan 0 of each type among them */

void witness_compare_cell(struct witness_shard *s, const struct inv *inv, uint64_t hotel, int type,
	int plan, int day, uint64_t counter, uint64_t rate)
{
	const struct cell_counter c = cell_counter_unpack(counter);
	const struct cell_rate r = cell_rate_unpack(rate);
	const struct los_class los = inv_los_class(inv, r.class_index);
	const struct m_cell m = model_cell(s->live, hotel, type, day);
	const struct m_rate p = model_rate(s->live, hotel, type, plan, day);
	const unsigned flags = (m.closed ? CELL_CLOSED : 0) | (m.cta ? CELL_CTA : 0) |
			       (m.ctd ? CELL_CTD : 0) | (m.explicit_cap ? CELL_EXPLICIT_CAP : 0) |
			       (m.is_loaded ? CELL_LOADED : 0);
	const unsigned rate_flags = (p.priced ? RATE_PRICED : 0) | (p.closed ? RATE_CLOSED : 0) |
				    (p.cta ? RATE_CTA : 0) | (p.ctd ? RATE_CTD : 0);
	if (c.held != m.held || c.booked != m.booked || c.limit != (m.is_loaded ? m.limit : 0) ||
		c.flags != flags)
		witness_fail(s,
			"hotel %llu type %d day %d: held %u booked %u limit %d flags %x, the model "
			"%d %d %lld %x",
			(unsigned long long)hotel, type, day, c.held, c.booked, c.limit, c.flags,
			m.held, m.booked, (long long)m.limit, flags);
	if (r.flags != rate_flags || (p.priced && r.price_minor != (uint64_t)p.price) ||
		los.min_arrival != p.min_arrival || los.max_arrival != p.max_arrival ||
		los.min_through != p.min_through || los.max_through != p.max_through)
		witness_fail(s, "hotel %llu type %d plan %d day %d: the price or a rule differs",
			(unsigned long long)hotel, type, plan, day);
}

static void compare_plan(struct witness_shard *s, const struct inv *inv, uint64_t hotel, int type,
	int plan, int32_t first)
{
	uint64_t counters[WITNESS_NIGHTS_MAX], rates[WITNESS_NIGHTS_MAX];
	const uint16_t types[1] = {(uint16_t)type};
	const uint32_t nights = (uint32_t)s->live->config.window_nights;
	struct inv_answer answer = {0};
	kr_assert(nights <= WITNESS_NIGHTS_MAX);
	__real_inv_availability(inv, (struct hotel_id){hotel}, types, 1, (uint16_t)plan, first,
		nights, counters, rates, &answer);
	if (answer.code != KEYRACK_DONE)
		witness_fail(s, "hotel %llu type %d plan %d: %s", (unsigned long long)hotel, type,
			plan, code_name(answer.code));
	for (uint32_t i = 0; i < nights; i++)
		witness_compare_cell(
			s, inv, hotel, type, plan, first + (int32_t)i, counters[i], rates[i]);
}

static void compare_plans(
	struct witness_shard *s, const struct inv *inv, uint64_t hotel, int32_t first)
{
	struct inv_plan_view views[PLANS_MAX];
	bool more;
	uint32_t at = 0;
	const uint32_t count =
		__real_inv_plan_list(inv, (struct hotel_id){hotel}, 0, 0, views, PLANS_MAX, &more);
	for (int type = 0; type < M_TYPES; type++) {
		int plan = model_plan_next(s->live, hotel, type, -1);
		for (; plan >= 0; plan = model_plan_next(s->live, hotel, type, plan)) {
			const struct m_plan_settings m = model_plan(s->live, hotel, type, plan);
			struct m_plan_settings e;
			witness_plan_from(&views[KR_MIN(at, count - 1)].settings, &e);
			if (at == count || views[at].type != type || views[at].plan != plan ||
				witness_plan(0, type, plan, &e) != witness_plan(0, type, plan, &m))
				witness_fail(s, "hotel %llu type %d plan %d differs",
					(unsigned long long)hotel, type, plan);
			compare_plan(s, inv, hotel, type, plan, first);
			at++;
		}
	}
	if (more || at != count)
		witness_fail(s, "hotel %llu: %u plans, the model %u", (unsigned long long)hotel,
			count, at);
}

static void compare_hotel(struct witness_shard *s, const struct inv *inv, const struct hotel *h)
{
	struct inv_hotel_view view;
	if (!__real_inv_hotel_get(inv, (struct hotel_id){h->id}, &view))
		witness_fail(s, "hotel %llu is not there", (unsigned long long)h->id);
	if (view.event_seq != h->event_seq || view.ari_version != h->version ||
		view.business_day != h->business_day)
		witness_fail(s,
			"hotel %llu: event %llu version %llu day %d, the model %llu %llu %d",
			(unsigned long long)h->id, (unsigned long long)view.event_seq,
			(unsigned long long)view.ari_version, view.business_day,
			(unsigned long long)h->event_seq, (unsigned long long)h->version,
			h->business_day);
	compare_plans(s, inv, h->id, view.business_day);
}

bool witness_is_as_far(const struct model *model, const struct inv *inv)
{
	bool is_so = true;
	for (int i = 0; i < M_HOTELS; i++) {
		const struct hotel *h = &model->hotels[i];
		struct inv_hotel_view view;
		const bool found = __real_inv_hotel_get(inv, (struct hotel_id){h->id}, &view);
		is_so &= found == h->exists;
		if (found && h->exists)
			is_so &= view.event_seq == h->event_seq && view.ari_version == h->version;
	}
	return is_so;
}

static const struct reservation *model_record(const struct model *m, struct kr_id id)
{
	for (int i = 0; i < m->count; i++)
		if (m->reservations[i].asked.id.hi == id.hi &&
			m->reservations[i].asked.id.lo == id.lo)
			return &m->reservations[i];
	return NULL;
}

static bool is_terms(const struct inv_line *e, const struct m_line *m)
{
	bool same = e->tier_count == m->tier_count && e->arrival_us == m->arrival_us;
	for (int i = 0; same && i < m->tier_count; i++)
		same = e->tiers[i].hours == m->tiers[i].hours &&
		       e->tiers[i].nights == m->tiers[i].nights &&
		       e->tiers[i].basis_points == m->tiers[i].points;
	return same;
}

static bool is_line(const struct inv_line *e, const struct m_line *m)
{
	return e->type == m->type && e->plan == m->plan && e->check_in == m->check_in &&
	       e->check_out == m->check_out && e->rooms == m->rooms && e->guests == m->guests &&
	       e->pricing == m->pricing;
}

static bool is_text(struct inv_text text, const char *zero_terminated)
{
	return text.size_bytes == strlen(zero_terminated) &&
	       (text.size_bytes == 0 || memcmp(text.bytes, zero_terminated, text.size_bytes) == 0);
}

void witness_compare_record(
	struct witness_shard *s, const struct inv_reservation_view *e, uint64_t t_us)
{
	const struct reservation *m = model_record(s->live, e->id);
	const unsigned long long name = (unsigned long long)e->id.lo;
	(void)t_us;
	if (m == NULL)
		witness_fail(s, "record %016llx: the model has none", name);
	if (e->state != m->state || e->revision != m->revision || e->graced != m->graced ||
		(m->state == M_HELD && e->expires_at_us != m->expires_us))
		witness_fail(s, "record %016llx: state %u.%u, the model %d.%u", name, e->state,
			e->revision, m->state, m->revision);
	if (m->state == M_VOID)
		return;
	if (e->line_count != (uint32_t)m->asked.line_count || e->has_total != m->has_total ||
		(m->has_total && e->total_minor != m->total) || e->change_id != m->change_id)
		witness_fail(s, "record %016llx: lines, total or change differ", name);
	for (uint32_t i = 0; i < e->line_count; i++)
		if (!is_line(&e->lines[i], &m->asked.lines[i]) ||
			!is_terms(&e->lines[i], &m->asked.lines[i]))
			witness_fail(s, "record %016llx: line %u differs", name, i);
	if (!is_text(e->payment_ref, m->payment_ref) ||
		!is_text(e->external_ref, m->asked.external_ref))
		witness_fail(s, "record %016llx: a reference differs", name);
}

struct record_count {
	struct witness_shard *shard;
	int count;
};

static void on_record(void *user, const struct inv_reservation_view *view)
{
	struct record_count *c = user;
	witness_compare_record(c->shard, view, 0);
	c->count++;
}

void witness_compare(struct witness_shard *s, struct inv *inv, const char *when)
{
	struct record_count count = {s, 0};
	struct inv_contradiction why = {0};
	if (inv_verify(inv, &why) != 0)
		witness_fail(s, "%s: %s, expected %llu, found %llu", when, why.what,
			(unsigned long long)why.expected, (unsigned long long)why.found);
	for (int i = 0; i < M_HOTELS; i++)
		if (s->live->hotels[i].exists)
			compare_hotel(s, inv, &s->live->hotels[i]);
	inv_reservations_each(inv, 0, on_record, &count);
	if (count.count != model_reservation_count(s->live))
		witness_fail(s, "%s: %d records, the model %d", when, count.count,
			model_reservation_count(s->live));
}

/* ---- what an answer rests on ---- */

/* An id, or the one it wants again or replaces, is too old since a retirement, of whatever hotel,
 * moved the mark past it. */
uint64_t witness_purge_lsn(const struct witness_shard *s, const struct deed *asked)
{
	const struct m_id id =
		asked->kind == DEED_RESERVE ? asked->u.reserve.id : asked->u.transition.id;
	uint64_t oldest = id.hi;
	if (asked->kind == DEED_RESERVE) {
		const uint64_t named[] = {
			asked->u.reserve.reacquires.hi, asked->u.reserve.replaces.hi};
		for (size_t i = 0; i < KR_ARRAY_COUNT(named); i++)
			oldest = named[i] != 0 && named[i] < oldest ? named[i] : oldest;
	}
	const uint64_t minted_us = (oldest >> 16) * 1000;
	for (uint64_t lsn = 1; lsn <= s->deed_count; lsn++)
		if (s->deeds[lsn - 1]->purge_mark_us > minted_us)
			return lsn;
	witness_fail(s, "an id is too old for a mark that never was");
}

/* A VOID without a hotel is told as soon as it is durable itself. */
uint64_t witness_void_lsn(const struct witness_shard *s, const struct deed *asked)
{
	const struct m_id id = asked->kind == DEED_RESERVE  ? asked->u.reserve.id
			       : asked->kind == DEED_IMPORT ? asked->u.import.what.id
							    : asked->u.transition.id;
	for (uint64_t lsn = s->deed_count; lsn > 0; lsn--) {
		const struct deed *d = s->deeds[lsn - 1];
		if (d->kind == DEED_TRANSITION && d->u.transition.what == M_RESOLVE &&
			d->u.transition.id.hi == id.hi && d->u.transition.id.lo == id.lo)
			return lsn;
	}
	witness_fail(s, "a VOID that nobody asked for");
}

/* What cancelling costs: night by night, room by room. */
#include "tests/property/model/model_priv.h"

#include <string.h>

#include "proto/code.h"

#define DAY_US INT64_C(86400000000)
#define HOUR_US INT64_C(3600000000)
#define MINUTE_US INT64_C(60000000)

/* ---- freezing ---- */

static uint64_t arrival_of(const struct trial *t, int i)
{
	while (m_continues(t->r->lines, t->r->line_count, i))
		i--;
	return (uint64_t)(t->r->lines[i].check_in * DAY_US +
			  t->h->settings.check_in_minute * MINUTE_US -
			  t->h->settings.offset_s * INT64_C(1000000));
}

/* A line of an expired hold has its own with it; one of a change has those of the line it keeps. */
void m_freeze_terms(const struct trial *t, int i, struct m_line *l)
{
	const int kept = m_kept_line(t->r, i);
	const struct m_line *old =
		t->keeps && kept < t->own->asked.line_count ? &t->own->asked.lines[kept] : NULL;
	const struct m_terms terms = m_plan_of(&t->h->types[l->type], l->plan).terms;
	if ((t->r->reacquires.hi | t->r->reacquires.lo) != 0 && !t->keeps) {
		/* they came with the line */
	} else if (old != NULL && old->type == l->type && old->plan == l->plan) {
		l->tier_count = old->tier_count;
		memcpy(l->tiers, old->tiers, sizeof(l->tiers));
	} else {
		l->tier_count = terms.tier_count;
		memcpy(l->tiers, terms.tiers, sizeof(l->tiers));
	}
	l->arrival_us = l->tier_count > 0 ? arrival_of(t, i) : 0;
}

/* ---- reckoning ---- */

static uint64_t price_on(const struct m_line *l, int day)
{
	int night = l->check_in;
	for (int i = 0; i < l->run_count; i++)
		for (int k = 0; k < l->runs[i].nights; k++, night++)
			if (night == day)
				return l->runs[i].price;
	return 0;
}

static uint64_t begin_of(const struct m_line *l, int tier)
{
	return l->arrival_us - (uint64_t)(l->tiers[tier].hours * HOUR_US);
}

/* Of the tiers that have begun, the one of the fewest hours. */
static const struct m_tier *in_force(const struct m_line *l, uint64_t t_us)
{
	const struct m_tier *found = NULL;
	for (int k = 0; k < l->tier_count; k++)
		if (begin_of(l, k) <= t_us && (found == NULL || l->tiers[k].hours < found->hours))
			found = &l->tiers[k];
	return found;
}

struct m_cost m_cost_of(const struct m_line *lines, int line_count, uint64_t t_us)
{
	struct m_cost cost = {.has_amounts = line_count > 0};
	uint64_t total = 0;
	for (int i = 0; i < line_count; i++) {
		const struct m_line *l = &lines[i];
		const struct m_tier *tier = in_force(l, t_us);
		uint64_t price = 0, of_nights = 0;
		int first = i;
		while (m_continues(lines, line_count, first))
			first--;
		for (int day = l->check_in; day < l->check_out; day++)
			for (int room = 0; room < l->rooms; room++) {
				price += price_on(l, day);
				if (tier != NULL && day < lines[first].check_in + tier->nights)
					of_nights += price_on(l, day);
			}
		if (l->pricing == M_COUNT_ONLY)
			cost.has_amounts = false;
		if (tier != NULL && tier->nights > 0)
			cost.penalty += of_nights;
		if (tier != NULL && tier->nights == 0)
			cost.penalty += (2 * price * (uint64_t)tier->points + 10000) / 20000;
		total += price;
		for (int k = 0; k < l->tier_count; k++)
			if (cost.free_until_us == 0 || begin_of(l, k) < cost.free_until_us)
				cost.free_until_us = begin_of(l, k);
	}
	cost.refundable = total - cost.penalty;
	if (!cost.has_amounts)
		cost.penalty = cost.refundable = 0;
	return cost;
}

struct m_cost model_cost(const struct model *m, struct m_now now, struct m_id id)
{
	const struct reservation *r = m_find(m, id);
	const bool is_over = r->state == M_CANCELLED || r->state == M_NO_SHOW;
	struct m_cost cost = m_cost_of(r->asked.lines, r->asked.line_count,
		is_over                   ? r->changed_us
		: r->state == M_CONFIRMED ? now.t_us
					  : 0);
	if (!is_over && r->state != M_HELD && r->state != M_CONFIRMED)
		cost = (struct m_cost){.free_until_us = cost.free_until_us};
	return cost;
}

struct m_cost model_stay_cost(const struct model *m, struct m_now now, const struct m_reserve *r)
{
	const struct trial t = {.m = m, .h = m_hotel_find(m, r->hotel), .r = r, .now = now};
	struct m_line lines[M_LINES];
	memcpy(lines, r->lines, sizeof(lines));
	for (int i = 0; i < r->line_count; i++) {
		m_freeze(&t, i, &lines[i]);
		m_freeze_terms(&t, i, &lines[i]);
	}
	return m_cost_of(lines, r->line_count, now.t_us);
}

uint64_t model_cost_edge(const struct model *m, struct m_id id, uint64_t t_us)
{
	const struct reservation *r = m_find(m, id);
	uint64_t next_us = 0;
	for (int i = 0; r != NULL && i < r->asked.line_count; i++)
		for (int k = 0; k < r->asked.lines[i].tier_count; k++) {
			const uint64_t edge_us = begin_of(&r->asked.lines[i], k);
			if (edge_us >= t_us && (next_us == 0 || edge_us < next_us))
				next_us = edge_us;
		}
	return next_us;
}

#include "tests/property/world.h"

#define REACH_US UINT64_C(21600000000)

/* Terms of cancellation: those of plans change all the time, and what they come to is compared
 * wherever it is told. */

void terms_agree(const struct inv_cost *cost, struct m_cost m)
{
	CHECK(cost->free_until_us == m.free_until_us, "free until %lu, not %lu",
		(unsigned long)cost->free_until_us, (unsigned long)m.free_until_us);
	CHECK(cost->has_amounts == m.has_amounts, "amounts %d, not %d", cost->has_amounts,
		m.has_amounts);
	CHECK(cost->penalty_minor == m.penalty && cost->refundable_minor == m.refundable,
		"penalty %lu, refundable %lu, not %lu, %lu", (unsigned long)cost->penalty_minor,
		(unsigned long)cost->refundable_minor, (unsigned long)m.penalty,
		(unsigned long)m.refundable);
}

static uint64_t price_on(const struct m_line *m, int night)
{
	int run = 0;
	while (night >= m->runs[run].nights)
		night -= m->runs[run++].nights;
	return m->runs[run].price;
}

/* A line as it was sold: what of, under which plan, and at what price night by night. */
static void line_compare(const struct inv_line *e, const struct m_line *m)
{
	int night = 0;
	CHECK(e->type == m->type && e->plan == m->plan, "type %u plan %u, not %d, %d", e->type,
		e->plan, m->type, m->plan);
	CHECK(e->check_in == m->check_in && e->check_out == m->check_out && e->rooms == m->rooms &&
			e->guests == m->guests && e->pricing == m->pricing,
		"dates, rooms or guests");
	for (uint32_t run = 0; run < e->run_count; run++)
		for (int k = 0; k < e->runs[run].nights; k++, night++)
			CHECK(e->runs[run].price_minor == price_on(m, night),
				"night %d of a line under plan %d costs %lu, not %lu", night,
				m->plan, (unsigned long)e->runs[run].price_minor,
				(unsigned long)price_on(m, night));
	CHECK(night == (m->pricing == M_COUNT_ONLY ? 0 : m->check_out - m->check_in),
		"%d nights have a price", night);
}

static void view_compare(struct world *w, struct m_id id)
{
	struct inv_reservation_view view;
	struct m_reserve now;
	uint32_t revision;
	now.hotel = 0;
	const struct kr_id engine_id = {id.hi, id.lo};
	const int state = model_reservation(w->model, id, &now, &revision);
	const bool is_there = inv_reservation_get_of(
		w->side.inv, (struct hotel_id){now.hotel}, engine_id, w->now.t_us, &view);
	CHECK(is_there == (state != 0), "the reservation is there: %d", is_there);
	if (!is_there)
		return;
	CHECK(view.state == state && view.line_count == (uint32_t)now.line_count, "state %u",
		view.state);
	if (state == M_VOID)
		return;
	for (int i = 0; i < now.line_count; i++) {
		const struct inv_line *l = &view.lines[i];
		line_compare(l, &now.lines[i]);
		CHECK(l->tier_count == now.lines[i].tier_count &&
				l->arrival_us == now.lines[i].arrival_us,
			"line %d: %u tiers, not %d", i, l->tier_count, now.lines[i].tier_count);
	}
	w->costs += view.cost.penalty_minor != 0;
	w->costs_partly += view.cost.penalty_minor != 0 && view.cost.refundable_minor != 0;
	terms_agree(&view.cost, model_cost(w->model, world_time(w), id));
}

void world_terms_compare(struct world *w)
{
	for (int i = 0; i < 8 && w->recent_count > 0; i++)
		view_compare(w, w->recent[draw(w, KR_MIN(w->recent_count, WORLD_IDS))].id);
	if (w->edge_at_us != 0) {
		view_compare(w, w->edge_id);
		w->edges++;
	}
	w->edge_at_us = 0;
}

/* At the very instant at which what a reservation costs changes, or just before it. */
bool world_terms_edge(struct world *w, uint64_t *ret_step_us)
{
	for (int tries = 0; tries < 40 && w->recent_count > 0; tries++) {
		const struct m_id id = w->recent[draw(w, KR_MIN(w->recent_count, WORLD_IDS))].id;
		const uint64_t edge_us = model_cost_edge(w->model, id, w->now.t_us + 2);
		if (edge_us == 0 || edge_us - w->now.t_us > REACH_US)
			continue;
		w->edge_id = id;
		w->edge_at_us = edge_us - draw(w, 2);
		*ret_step_us = w->edge_at_us - w->now.t_us;
		return true;
	}
	return false;
}

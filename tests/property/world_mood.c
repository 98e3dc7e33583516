#include "tests/property/world.h"

#include <stdio.h>

/* What every so many steps changes about the draws, so that bounds that no ordinary hotel comes
 * near are met in a short run too; and the denials, which are counted beside the state. */

#define MOOD_STEPS 256
#define LATE_US UINT64_C(1200000000)
#define LATE_IDS UINT64_C(128)

struct denial {
	uint64_t hotel;
	int type, rule, day;
	uint64_t count;
};

struct denials {
	struct denial rows[WORLD_DENIALS];
	uint32_t count;
	uint64_t total;
};

void world_mood_step(struct world *w)
{
	if (w->step % MOOD_STEPS != 0)
		return;
	w->mood = (struct world_mood){
		.small_caps = chance(w, 50), .wide = chance(w, 35), .clock_is_late = chance(w, 50)};
	for (int h = 0; h < WORLD_HOTELS && w->mood.small_caps; h++)
		world_hotel_put(w, h);
	for (int h = 0; h < WORLD_HOTELS && w->mood.wide; h++)
		world_type_put(w, h, (int)draw(w, WORLD_TYPES));
}

/* Rooms near what a counter holds, or half of it; no hotel has them, so that it takes FORCE. */
void world_wide_draw(struct world *w, struct m_reserve *r)
{
	static const int rooms[] = {65535, 65534, 32768, 32767, 65530};
	if (!w->mood.wide || !chance(w, 20))
		return;
	for (int i = 0; i < r->line_count; i++)
		r->lines[i].rooms = rooms[draw(w, KR_ARRAY_COUNT(rooms))] - (int)draw(w, 3);
	r->force = chance(w, 80);
}

/* The clock's work is late by a step: what is due is still there, and must not be used. Often at
 * the very deadline of a hold, which is asked for something next. */
bool world_clock_waits(struct world *w, uint64_t *step_us)
{
	w->has_due = false;
	if (!w->mood.clock_is_late || !chance(w, 15))
		return false;
	const uint64_t reach = KR_MIN(w->recent_count, LATE_IDS);
	for (uint64_t back = 0; back < reach && !w->has_due; back++) {
		struct inv_reservation_view view;
		const uint64_t at = (w->recent_count - 1 - back) % WORLD_IDS;
		const struct m_reserve *r = &w->recent[at];
		const struct kr_id id = {r->id.hi, r->id.lo};
		if (!inv_reservation_get_of(
			    w->side.inv, (struct hotel_id){r->hotel}, id, w->now.t_us, &view) ||
			view.state != INV_HELD || view.expires_at_us < w->now.t_us + 2 ||
			view.expires_at_us > w->now.t_us + LATE_US)
			continue;
		*step_us = view.expires_at_us - w->now.t_us - draw(w, 2);
		w->has_due = true;
		w->due_at = (uint32_t)at;
	}
	return true;
}

/* ---- denials ---- */

static struct denials *denials_of(struct world *w)
{
	static struct denials denials;
	w->denials = &denials;
	return &denials;
}

void world_denials_forget(struct world *w)
{
	memset(denials_of(w), 0, sizeof(struct denials));
}

static bool is_denial(unsigned code)
{
	return code_class_of(code) == CODE_FINAL &&
	       (code < KEYRACK_NOT_FOUND || code == KEYRACK_COUNTER_FULL);
}

/* A refusal that was new: the night is the model's, the rule's name the engine's. */
void world_denial_note(struct world *w, const struct m_reserve *reserve, const struct inv_answer *e,
	struct m_answer m)
{
	struct m_reserve asked = *reserve, old;
	uint32_t revision;
	struct denials *d = denials_of(w);
	if (!is_denial((unsigned)m.code))
		return;
	/* Acquired anew: the lines are the old hold's. */
	if ((asked.reacquires.hi | asked.reacquires.lo) != 0 &&
		model_reservation(w->model, asked.reacquires, &old, &revision) != 0)
		memcpy(asked.lines, old.lines, sizeof(asked.lines));
	const struct m_line *line = &asked.lines[m.line];
	const int told = e->refusal.has_day ? e->refusal.day : line->check_in;
	const struct denial row = {
		asked.hotel, line->type, e->refusal.rule, m.has_day ? m.day : told, 1};
	d->total++;
	w->denials_noted++;
	for (uint32_t i = 0; i < d->count; i++) {
		struct denial *at = &d->rows[i];
		if (at->hotel == row.hotel && at->type == row.type && at->rule == row.rule &&
			at->day == row.day) {
			at->count++;
			return;
		}
	}
	CHECK(d->count < WORLD_DENIALS, "too many kinds of denials for the test");
	d->rows[d->count++] = row;
}

static uint64_t noted(const struct denials *d, const struct inv_denial *row)
{
	for (uint32_t i = 0; i < d->count; i++)
		if (d->rows[i].hotel == row->hotel.v && d->rows[i].type == row->type &&
			d->rows[i].rule == row->rule && d->rows[i].day == row->day)
			return d->rows[i].count;
	return 0;
}

/* Each row that the bounded table has, and the sums. */
void world_denials_compare(struct world *w)
{
	static struct inv_denial rows[WORLD_DENIALS];
	const struct denials *d = denials_of(w);
	const uint32_t count = inv_denials_list(w->side.inv, rows, WORLD_DENIALS);
	struct inv_counts counts;
	uint64_t sum = 0;
	inv_counts_get(w->side.inv, &counts);
	for (uint32_t i = 0; i < count; i++) {
		const uint64_t mine = noted(d, &rows[i]);
		CHECK(counts.denials_overflow > 0 ? rows[i].count <= mine : rows[i].count == mine,
			"type %u, rule %s, day %d: %lu denials, not %lu", rows[i].type,
			rule_name(rows[i].rule), rows[i].day, (unsigned long)rows[i].count,
			(unsigned long)mine);
		sum += rows[i].count;
	}
	CHECK(counts.denials == d->total && sum + counts.denials_overflow == d->total,
		"%lu denials, %lu of them listed, not %lu", (unsigned long)counts.denials,
		(unsigned long)sum, (unsigned long)d->total);
}

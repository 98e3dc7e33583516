/* Reservations that come in from elsewhere, on both sides. */
#include <stdio.h>
#include <string.h>

#include "proto/slot.h"
#include "tests/property/world.h"

#define MINUTE_US UINT64_C(60000000)
#define FOREIGN 0x7700u /* the upper half of ids that no Keyrack minted */
#define FOREIGNERS 3000 /* of a hotel */

static struct m_id id_of(struct world *w, int hotel)
{
	if (chance(w, 60))
		return (struct m_id){FOREIGN, (uint64_t)hotel << 32 | (1 + draw(w, FOREIGNERS))};
	const uint64_t ms = w->now.t_us / 1000 - draw(w, UINT64_C(90) * 24 * 3600 * 1000) +
			    (chance(w, 2) ? UINT64_C(90) * 24 * 3600 * 1000 : 0);
	const uint32_t slot = slot_of_hotel((struct hotel_id){w->hotels[hotel]});
	const struct kr_id id =
		reservation_id_mint(ms, chance(w, 98) ? slot : slot ^ 1, rng_next(&w->rng));
	return (struct m_id){id.hi, id.lo};
}

/* Arrivals in the past too; every price is told. */
static void lines_draw(struct world *w, struct m_reserve *r, uint64_t hotel)
{
	r->line_count = chance(w, 70) ? 1 : 1 + (int)draw(w, 3);
	for (int i = 0; i < r->line_count; i++) {
		struct m_line *l = &r->lines[i];
		*l = world_line_draw(w, hotel);
		const int back = chance(w, 50) ? (int)draw(w, 14) : 0;
		l->check_in -= back;
		l->check_out -= back;
		l->run_count = 0;
		memset(l->runs, 0, sizeof(l->runs));
		if (l->pricing != M_COUNT_ONLY && l->check_out > l->check_in)
			l->runs[l->run_count++] =
				(struct m_run){l->check_out - l->check_in, draw(w, 4) * 100};
	}
}

static void instants_draw(struct world *w, struct m_import *i)
{
	const uint64_t t_us = w->now.t_us;
	i->created_us = t_us - draw(w, 180 * MINUTE_US);
	i->changed_us = i->created_us + draw(w, t_us - i->created_us + 1);
	if (i->state == M_HELD)
		i->expires_us = t_us - 20 * MINUTE_US + draw(w, 60 * MINUTE_US);
	else if (i->was_held && chance(w, 50))
		i->expires_us = i->created_us + draw(w, 60 * MINUTE_US);
	const int wrong = (int)draw(w, 200);
	if (wrong == 0)
		i->changed_us = i->created_us - 1;
	if (wrong == 1)
		i->created_us = i->changed_us = t_us + 2 * MINUTE_US;
	if (wrong == 2)
		i->expires_us = i->expires_us != 0 ? 0 : t_us;
}

static void import_draw(struct world *w, struct m_import *i)
{
	const int hotel = (int)draw(w, WORLD_HOTELS);
	const int today = model_business_day(w->model, w->hotels[hotel]);
	struct m_reserve *r = &i->what;
	memset(i, 0, sizeof(*i));
	r->hotel = chance(w, 99) ? w->hotels[hotel] : 999;
	r->id = id_of(w, hotel);
	if (w->recent_count > 0 && chance(w, 8)) { /* sold here, refused, or resolved */
		const uint64_t back = draw(w, KR_MIN(w->recent_count, 40));
		const struct m_reserve *old = &w->recent[(w->recent_count - 1 - back) % WORLD_IDS];
		r->hotel = old->hotel;
		r->id = old->id;
	}
	if (w->void_hotel != 0 && chance(w, 2)) {
		r->hotel = w->void_hotel;
		r->id = w->void_id;
	}
	r->source = (uint32_t)draw(w, 3);
	r->force = chance(w, 20);
	lines_draw(w, r, w->hotels[hotel]);
	i->state = chance(w, 99) ? M_HELD + (int)draw(w, M_VOID - M_HELD) : (int)draw(w, 12);
	i->was_held = i->state == M_HELD || chance(w, 40);
	i->graced = i->was_held ? chance(w, 10) : chance(w, 1);
	i->revision = chance(w, 99) ? 1 + (uint32_t)draw(w, 5) : 0;
	i->change_id = chance(w, 20) ? 1 + draw(w, 20) : 0;
	instants_draw(w, i);
	if ((i->state == M_NO_SHOW || i->state == M_COMPLETED) && chance(w, 50)) {
		i->has_counted_until = true;
		i->counted_until = today + 1 - (int)draw(w, 6);
	}
	if (chance(w, 30)) {
		r->guest_hi = 1;
		r->guest_lo = draw(w, 4);
	}
	if (chance(w, 10))
		snprintf(r->external_ref, sizeof(r->external_ref), "ref-%d", (int)draw(w, 200));
	if (chance(w, 20))
		snprintf(r->payment_ref, sizeof(r->payment_ref), "pay-%d", (int)draw(w, 3));
}

static struct inv_text text_of(const char *zero_terminated)
{
	return (struct inv_text){zero_terminated, (uint32_t)strlen(zero_terminated)};
}

static struct inv_import_op op_of(const struct m_import *i, struct engine_lines *lines)
{
	const struct m_reserve *r = &i->what;
	struct inv_import_op op = {
		.hotel = {r->hotel},
		.id = {r->id.hi, r->id.lo},
		.state = (uint8_t)i->state,
		.was_held = i->was_held,
		.graced = i->graced,
		.force = r->force,
		.has_counted_until = i->has_counted_until,
		.counted_until = i->counted_until,
		.revision = i->revision,
		.created_at_us = i->created_us,
		.changed_at_us = i->changed_us,
		.expires_at_us = i->expires_us,
		.change_id = i->change_id,
		.lines = engine_lines_fill(lines, r->lines, r->line_count),
		.line_count = (uint32_t)r->line_count,
		.guest = {r->guest_hi, r->guest_lo},
		.external_ref = text_of(r->external_ref),
		.payment_ref = text_of(r->payment_ref),
		.source = r->source,
	};
	op.fingerprint = inv_import_fingerprint(&op);
	return op;
}

/* To come back to, as a request that could sell it. */
static void recent_keep(struct world *w, const struct m_reserve *what)
{
	struct m_reserve *r = &w->recent[w->recent_count++ % WORLD_IDS];
	memcpy(r, what, sizeof(*r));
	for (int i = 0; i < r->line_count; i++)
		if (r->lines[i].pricing == M_CALENDAR)
			r->lines[i].run_count = 0;
}

void world_import(struct world *w)
{
	struct m_import i;
	import_draw(w, &i);
	const uint64_t kept = KR_MIN(w->import_count, WORLD_IMPORTS);
	if (kept > 0 && chance(w, 25)) { /* again, now and then with force or otherwise */
		memcpy(&i, &w->imports[draw(w, kept)], sizeof(i));
		i.what.force = chance(w, 50);
		if (chance(w, 15))
			i.what.lines[0].guests ^= 1;
	}
	struct engine_lines lines;
	const struct inv_import_op op = op_of(&i, &lines);
	struct inv_effect effect;
	struct inv_answer answer;
	if (inv_import_judge(w->side.inv, w->now, &op, &effect, &answer) == INV_EFFECT)
		side_commit(&w->side, &effect);
	const struct m_answer m = model_import(w->model, world_time(w), &i);
	world_agree(w, W_IMPORT, &answer, m);
	if (m.code == KEYRACK_DONE) {
		world_agree_reservation(w, &answer, m);
		CHECK(answer.cells_over_limit == m.over_limit, "%u nights over limit, not %u",
			answer.cells_over_limit, m.over_limit);
		w->over_limit += m.over_limit > 0;
		recent_keep(w, &i.what);
	}
	memcpy(&w->imports[w->import_count++ % WORLD_IMPORTS], &i, sizeof(i));
}

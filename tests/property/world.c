#include "tests/property/world.h"

#include <stdio.h>

#define MINUTE_US UINT64_C(60000000)
#define HOUR_US (60 * MINUTE_US)

struct m_now world_time(const struct world *w)
{
	return (struct m_now){w->now.t_us, w->now.wall_us};
}

uint64_t draw(struct world *w, uint64_t bound)
{
	return rng_below(&w->rng, bound);
}

bool chance(struct world *w, unsigned per_hundred)
{
	return draw(w, 100) < per_hundred;
}

static struct inv_text text_of(const char *zero_terminated)
{
	return (struct inv_text){zero_terminated, (uint32_t)strlen(zero_terminated)};
}

void world_agree(struct world *w, enum world_op op, const struct inv_answer *e, struct m_answer m)
{
	world_tell_answer(w, op, e);
	CHECK((int)e->code == m.code,
		"op %d: the engine says %s (line %u, day %d), the model %s "
		"(line %d, day %d)",
		op, code_name(e->code), e->refusal.line, e->refusal.day,
		code_name((unsigned)m.code), m.line, m.day);
	w->codes[m.code][op]++;
	if (code_class_of(e->code) != CODE_FINAL)
		return;
	CHECK(e->refusal.code == e->code, "the refusal carries another code");
	if (m.has_day) {
		CHECK(e->refusal.has_day && e->refusal.day == m.day, "%s: day %d, not %d",
			code_name(e->code), e->refusal.day, m.day);
		CHECK(e->refusal.line == m.line, "%s: line %u, not %d", code_name(e->code),
			e->refusal.line, m.line);
	}
}

/* ---- catalogue ---- */

void world_hotel_put(struct world *w, int hotel)
{
	struct m_hotel_settings s = {
		.offset_s = w->offsets_s[hotel],
		.day_roll_minute = 240,
		.check_in_minute = 900,
		.nights_max = chance(w, 70) ? 9 : 30,
		.hold_ttl_us = 15 * MINUTE_US,
		.hold_ttl_max_us = 60 * MINUTE_US,
		.hold_total_max_us = chance(w, 20) ? 0 : 70 * MINUTE_US,
		.holds_max = w->mood.small_caps ? (uint32_t)draw(w, 4)
			     : chance(w, 90)    ? 0
						: 6,
		.guest_holds_max = w->mood.small_caps ? (uint32_t)draw(w, 3)
				   : chance(w, 90)    ? 0
						      : 2,
		.status = chance(w, 92)   ? 1
			  : chance(w, 50) ? 2
					  : 3,
	};
	const struct inv_hotel_op op = {
		.hotel = {w->hotels[hotel]},
		.mask = INV_HOTEL_MASK & ~INV_HOTEL_CODE,
		.settings =
			{
				.zone = text_of(w->zones[hotel]),
				.currency = "EUR",
				.currency_digits = 2,
				.day_roll_minute = 240,
				.check_in_minute = 900,
				.nights_max = (uint16_t)s.nights_max,
				.hold_ttl_us = s.hold_ttl_us,
				.hold_ttl_max_us = s.hold_ttl_max_us,
				.hold_total_max_us = s.hold_total_max_us,
				.holds_max = s.holds_max,
				.guest_holds_max = s.guest_holds_max,
				.status = (uint8_t)s.status,
			},
	};
	struct inv_effect effect;
	struct inv_answer answer;
	if (inv_hotel_judge(w->side.inv, w->now, &op, &effect, &answer) == INV_EFFECT)
		side_commit(&w->side, &effect);
	const struct m_answer m = model_hotel_put(w->model, world_time(w), w->hotels[hotel], &s);
	world_agree(w, W_HOTEL, &answer, m);
	CHECK(answer.ari_version == m.version, "version %lu", (unsigned long)answer.ari_version);
	w->hotel_settings[hotel] = s;
}

static void type_op_fill(struct inv_type_op *op, const struct m_type_settings *s)
{
	op->mask = INV_TYPE_CODE | INV_TYPE_STATUS | INV_TYPE_PLAN_STATUS | INV_TYPE_GUESTS_MAX |
		   INV_TYPE_ADVANCE_MIN | INV_TYPE_ADVANCE_MAX;
	op->settings.status = (uint8_t)s->status;
	op->settings.plan_status = (uint8_t)s->plan_status;
	op->settings.guests_max = (uint16_t)s->guests_max;
	op->settings.advance_min_minutes = s->advance_min;
	op->settings.advance_max_minutes = s->advance_max;
	*(s->has_physical ? &op->mask : &op->clear_mask) |= INV_TYPE_PHYSICAL;
	*(s->has_out_of_order ? &op->mask : &op->clear_mask) |= INV_TYPE_OUT_OF_ORDER;
	*(s->has_allowance ? &op->mask : &op->clear_mask) |= INV_TYPE_ALLOWANCE;
	*(s->has_cap ? &op->mask : &op->clear_mask) |= INV_TYPE_CAP;
	if (s->has_allowance)
		op->mask |= INV_TYPE_ALLOWANCE_UNIT;
	op->settings.physical = (uint16_t)(s->has_physical ? s->physical : 0);
	op->settings.out_of_order = (uint16_t)(s->has_out_of_order ? s->out_of_order : 0);
	op->settings.allowance = s->has_allowance ? (int32_t)s->allowance : 0;
	op->settings.allowance_unit = (uint8_t)(s->has_allowance ? s->allowance_unit : 0);
	op->settings.cap = (int16_t)(s->has_cap ? s->cap : 0);
}

void world_type_put(struct world *w, int hotel, int type)
{
	struct m_type_settings s = {
		.status = chance(w, 94)   ? 1
			  : chance(w, 50) ? 2
					  : 3,
		.plan_status = chance(w, 97) ? 1 : 2,
		.has_physical = chance(w, 85),
		.has_out_of_order = chance(w, 20),
		.has_allowance = chance(w, 40),
		.has_cap = chance(w, 10),
		.physical = (int64_t)(chance(w, 97) ? draw(w, 12) : 32767),
		.out_of_order = (int64_t)draw(w, 3),
		.cap = (int64_t)draw(w, 10) - 1,
		.allowance_unit = chance(w, 50) ? 1 : 2,
		.guests_max = chance(w, 60) ? 0 : (uint32_t)draw(w, 4) + 1,
		.advance_min = chance(w, 85) ? 0 : (uint32_t)draw(w, 3000),
		.advance_max = chance(w, 85) ? 0 : (uint32_t)draw(w, 12000) + 1,
	};
	s.allowance =
		s.allowance_unit == 1 ? (int64_t)draw(w, 5) - 2 : (int64_t)draw(w, 5000) - 2000;
	char code[8];
	snprintf(code, sizeof(code), "T%d", type);
	struct inv_type_op op = {.hotel = {w->hotels[hotel]}, .type = (uint16_t)type};
	type_op_fill(&op, &s);
	op.settings.code = text_of(code);
	struct inv_effect effect;
	struct inv_answer answer;
	if (inv_type_judge(w->side.inv, w->now, &op, &effect, &answer) == INV_EFFECT)
		side_commit(&w->side, &effect);
	world_agree(w, W_TYPE, &answer,
		model_type_put(w->model, world_time(w), w->hotels[hotel], type, &s));
	if (answer.code == KEYRACK_DONE)
		w->type_exists[hotel][type] = true;
}

/* ---- updates ---- */

static uint32_t some_fields(struct world *w, uint32_t among)
{
	const uint32_t one = 1u << draw(w, 16);
	return (chance(w, 80) ? one : (uint32_t)draw(w, 65536)) & among;
}

static struct m_update update_draw(struct world *w)
{
	const int hotel = (int)draw(w, WORLD_HOTELS);
	const int today = model_business_day(w->model, w->hotels[hotel]);
	const int first = today + (int)draw(w, 14) - (chance(w, 3) ? 2 : 0);
	struct m_update u = {
		.hotel = chance(w, 99) ? w->hotels[hotel] : 999,
		.first_day = first,
		.last_day = first + (chance(w, 50) ? 0 : (int)draw(w, 6)),
		.weekday_mask = chance(w, 70) ? 127 : (int)draw(w, 128),
		.set = chance(w, 60) ? some_fields(w, 0xffff) : 0,
		.adjust = chance(w, 15) ? some_fields(w, INV_UPDATE_ADJUSTABLE) : 0,
		.clear = chance(w, 35) ? some_fields(w, 0x7fff) : 0,
		.physical = (int64_t)draw(w, 12),
		.out_of_order = (int64_t)draw(w, 3),
		.allowance = (int64_t)draw(w, 6) - 2,
		.allowance_unit = chance(w, 80) ? 1 : 2,
		.cap = chance(w, 92) ? (int64_t)draw(w, 12) - 1 : 32760,
		.available = (int64_t)draw(w, 5),
		.price = (int64_t)draw(w, 20) * 50,
		.closed = chance(w, 12),
		.cta = chance(w, 15),
		.ctd = chance(w, 15),
		.plan_closed = chance(w, 12),
		.plan_cta = chance(w, 15),
		.plan_ctd = chance(w, 15),
		.min_arrival = (int)draw(w, 4),
		.max_arrival = chance(w, 70) ? 0 : (int)draw(w, 6),
		.min_through = (int)draw(w, 3),
		.max_through = chance(w, 70) ? 0 : (int)draw(w, 8),
		.source = (uint32_t)draw(w, 17) + 1,
		.source_seq = chance(w, 60)   ? 0
			      : chance(w, 85) ? ++w->source_seq
					      : draw(w, 50) + 1,
		.has_version = chance(w, 10),
	};
	u.version = model_version(w->model, w->hotels[hotel]) - (chance(w, 30) ? 1 : 0);
	for (int t = 0; t < WORLD_TYPES; t++)
		if (chance(w, 40))
			u.types[u.type_count++] = t;
	const int like = u.type_count > 0 ? u.types[0] : (int)draw(w, WORLD_TYPES);
	u.plan = world_plan_of(w, w->hotels[hotel], like);
	if (u.plan != 0 && chance(w, 40)) {
		u.type_count = KR_MIN(u.type_count, 1);
		u.set |= INV_UPDATE_PRICE & ~(u.adjust | u.clear);
	}
	return u;
}

void world_update(struct world *w)
{
	const struct m_update u = update_draw(w);
	world_tell_update(w, &u);
	uint16_t types[M_TYPES];
	for (int i = 0; i < u.type_count; i++)
		types[i] = (uint16_t)u.types[i];
	const struct inv_update_op op = {
		.hotel = {u.hotel},
		.types = types,
		.type_count = (uint32_t)u.type_count,
		.has_expected_version = u.has_version,
		.expected_ari_version = u.version,
		.update =
			{
				.first_day = u.first_day,
				.last_day = u.last_day,
				.weekday_mask = (uint8_t)u.weekday_mask,
				.plan = (uint16_t)u.plan,
				.set_mask = u.set,
				.adjust_mask = u.adjust,
				.clear_mask = u.clear,
				.physical = u.physical,
				.out_of_order = u.out_of_order,
				.allowance = u.allowance,
				.allowance_unit = (uint8_t)u.allowance_unit,
				.cap = u.cap,
				.price_minor = u.price,
				.available = u.available,
				.closed = u.closed,
				.cta = u.cta,
				.ctd = u.ctd,
				.plan_closed = u.plan_closed,
				.plan_cta = u.plan_cta,
				.plan_ctd = u.plan_ctd,
				.los = {(uint16_t)u.min_arrival, (uint16_t)u.max_arrival,
					(uint16_t)u.min_through, (uint16_t)u.max_through},
				.source = u.source,
				.source_seq = u.source_seq,
			},
		.actor = {.source = u.source},
	};
	struct inv_effect effect;
	struct inv_answer answer;
	if (inv_update_judge(w->side.inv, w->now, &op, &effect, &answer) == INV_EFFECT)
		side_commit(&w->side, &effect);
	const struct m_answer m = model_update(w->model, world_time(w), &u);
	world_agree(w, W_UPDATE, &answer, m);
	world_plan_count(w, W_UPDATE, u.plan, &answer);
	if (m.code != KEYRACK_DONE)
		return;
	CHECK(answer.repeated == m.repeated, "repeated %d", answer.repeated);
	CHECK(answer.ari_version == m.version, "version %lu", (unsigned long)answer.ari_version);
	if (m.repeated)
		return;
	CHECK(answer.cell_count == m.cells, "%u cells, not %u", answer.cell_count, m.cells);
	CHECK(answer.cells_over_limit == m.over_limit, "%u over limit, not %u",
		answer.cells_over_limit, m.over_limit);
}

/* ---- stays ---- */

struct m_line world_line_draw(struct world *w, uint64_t hotel)
{
	const int today = model_business_day(w->model, hotel);
	const int check_in =
		today + (int)draw(w, 10) - (chance(w, 2) ? 3 : 0) + (chance(w, 3) ? 8 : 0);
	struct m_line l = {
		.type = chance(w, 99) ? (int)draw(w, WORLD_TYPES) : 7,
		.check_in = check_in,
		.check_out =
			check_in + (chance(w, 98) ? 1 + (int)draw(w, 5) : (int)draw(w, 14) - 1),
		.rooms = chance(w, 80) ? 1 : (int)draw(w, 5),
		.guests = (int)draw(w, 5),
		.pricing = chance(w, 60)   ? M_CALENDAR
			   : chance(w, 80) ? M_CALLER
					   : M_COUNT_ONLY,
	};
	l.plan = world_plan_of(w, hotel, l.type);
	for (int left = l.check_out - l.check_in; l.pricing == M_CALLER && left > 0;) {
		const int nights = 1 + (int)draw(w, (uint64_t)left);
		l.runs[l.run_count++] = (struct m_run){nights, draw(w, 4) * 100};
		left -= nights;
	}
	return l;
}

static struct m_id id_draw(struct world *w, uint64_t hotel)
{
	uint64_t ms = w->now.t_us / 1000;
	if (chance(w, 3))
		ms += 59000 + draw(w, 2000);
	else if (chance(w, 3))
		ms -= draw(w, 6 * HOUR_US / 1000);
	const uint32_t slot = slot_of_hotel((struct hotel_id){hotel});
	const struct kr_id id =
		reservation_id_mint(ms, chance(w, 99) ? slot : slot ^ 1, rng_next(&w->rng));
	return (struct m_id){id.hi, id.lo};
}

static struct m_reserve reserve_draw(struct world *w)
{
	const int hotel = (int)draw(w, WORLD_HOTELS);
	struct m_reserve r;
	memset(&r, 0, sizeof(r));
	r.hotel = chance(w, 99) ? w->hotels[hotel] : 999;
	r.id = id_draw(w, r.hotel);
	r.book = chance(w, 40);
	r.line_count = chance(w, 70) ? 1 : 1 + (int)draw(w, 3);
	for (int i = 0; i < r.line_count; i++) {
		r.lines[i] = world_line_draw(w, w->hotels[hotel]);
		if (i > 0 && chance(w, 50)) { /* a split stay */
			const int nights = r.lines[i].check_out - r.lines[i].check_in;
			r.lines[i].check_in = r.lines[i - 1].check_out;
			r.lines[i].check_out = r.lines[i].check_in + nights;
			r.lines[i].rooms = r.lines[i - 1].rooms;
		}
	}
	if (!r.book)
		r.ttl_us = chance(w, 50) ? 0 : (1 + draw(w, 90)) * MINUTE_US;
	if (chance(w, 30)) {
		r.guest_hi = 1;
		r.guest_lo = draw(w, 4);
	}
	if (chance(w, 10))
		snprintf(r.external_ref, sizeof(r.external_ref), "ref-%d", (int)draw(w, 200));
	if (r.book && chance(w, 20))
		snprintf(r.payment_ref, sizeof(r.payment_ref), "pay-%d", (int)draw(w, 3));
	r.source = (uint32_t)draw(w, 3);
	r.force = chance(w, 4);
	return r;
}

const struct inv_line *engine_lines_fill(
	struct engine_lines *e, const struct m_line *lines, int line_count)
{
	for (int i = 0; i < line_count; i++) {
		const struct m_line *l = &lines[i];
		for (int k = 0; k < l->run_count; k++)
			e->runs[i][k] = (struct inv_price_run){
				(uint16_t)l->runs[k].nights, l->runs[k].price};
		e->lines[i] = (struct inv_line){
			.type = (uint16_t)l->type,
			.plan = (uint16_t)l->plan,
			.check_in = l->check_in,
			.check_out = l->check_out,
			.rooms = (uint16_t)l->rooms,
			.guests = (uint16_t)l->guests,
			.pricing = (uint8_t)l->pricing,
			.keeps = (uint8_t)l->keeps,
			.run_count = (uint16_t)l->run_count,
			.runs = e->runs[i],
		};
	}
	return e->lines;
}

struct engine_reserve {
	struct inv_reserve_op op;
	struct engine_lines lines;
};

static void engine_reserve_fill(struct engine_reserve *e, const struct m_reserve *r)
{
	memset(e, 0, sizeof(*e));
	e->op = (struct inv_reserve_op){
		.hotel = {r->hotel},
		.id = {r->id.hi, r->id.lo},
		.book = r->book,
		.reacquires = {r->reacquires.hi, r->reacquires.lo},
		.replaces = {r->replaces.hi, r->replaces.lo},
		.force = r->force,
		.lines = engine_lines_fill(&e->lines, r->lines, r->line_count),
		.line_count = (uint32_t)r->line_count,
		.ttl_us = r->ttl_us,
		.has_expected_total = r->has_expected,
		.expected_total_minor = r->expected,
		.guest = {r->guest_hi, r->guest_lo},
		.external_ref = text_of(r->external_ref),
		.payment_ref = text_of(r->payment_ref),
		.actor = {.source = r->source},
	};
	e->op.fingerprint = inv_reserve_fingerprint(&e->op);
}

void world_agree_reservation(struct world *w, const struct inv_answer *e, struct m_answer m)
{
	(void)w;
	CHECK(e->state == m.state, "state %u, not %d", e->state, m.state);
	CHECK(e->revision == m.revision, "revision %u, not %u", e->revision, m.revision);
	CHECK(e->repeated == m.repeated, "repeated %d, not %d", e->repeated, m.repeated);
	CHECK(e->has_total == m.has_total && e->total_minor == m.total, "total %lu, not %lu",
		(unsigned long)e->total_minor, (unsigned long)m.total);
	CHECK(e->due == m.due, "due %d, not %d", e->due, m.due);
	CHECK(e->has_amounts == m.has_amounts && e->penalty_minor == m.penalty &&
			e->refundable_minor == m.refundable,
		"penalty %lu of %lu, not %lu", (unsigned long)e->penalty_minor,
		(unsigned long)e->total_minor, (unsigned long)m.penalty);
	if (m.state == M_HELD)
		CHECK(e->expires_at_us == m.expires_us, "expires %lu, not %lu",
			(unsigned long)e->expires_at_us, (unsigned long)m.expires_us);
}

/* Asks what the stay would cost, so that expected_total is often right. */
static void expect_total(struct world *w, struct m_reserve *r)
{
	const struct m_answer quote = model_stay(w->model, world_time(w), r);
	if (quote.code != KEYRACK_DONE || !quote.has_total || chance(w, 50))
		return;
	r->has_expected = true;
	r->expected = quote.total + (chance(w, 30) ? 1 : 0);
}

/* What was held lately is wanted again; often it has not expired. */
static void reacquire_draw(struct world *w, struct m_reserve *r)
{
	const uint64_t back = draw(w, KR_MIN(w->recent_count, 60));
	const struct m_reserve *old = &w->recent[(w->recent_count - 1 - back) % WORLD_IDS];
	r->reacquires = old->id;
	if (chance(w, 95)) {
		r->hotel = old->hotel;
		r->id = id_draw(w, r->hotel);
	}
	memset(r->external_ref, 0, sizeof(r->external_ref));
	r->has_expected = false;
	r->expected = 0;
	if (chance(w, 2))
		return; /* with lines of its own: INVALID */
	r->line_count = 0;
	memset(r->lines, 0, sizeof(r->lines));
}

/* A hold of lately is given back for this one; often it is none any more. */
static void replace_draw(struct world *w, struct m_reserve *r)
{
	const uint64_t back = draw(w, KR_MIN(w->recent_count, 20));
	const struct m_reserve *old = &w->recent[(w->recent_count - 1 - back) % WORLD_IDS];
	r->replaces = old->id;
	if (chance(w, 95)) {
		r->hotel = old->hotel;
		r->id = id_draw(w, r->hotel);
	}
	if (chance(w, 98)) {
		r->book = false;
		r->payment_ref[0] = 0;
	}
	for (int i = 0; i < r->line_count && i < old->line_count; i++)
		if (chance(w, 60))
			r->lines[i] = old->lines[i];
}

void world_reserve(struct world *w)
{
	struct m_reserve r = reserve_draw(w);
	world_wide_draw(w, &r);
	expect_total(w, &r);
	if (w->recent_count > 0 && chance(w, 15))
		reacquire_draw(w, &r);
	if (w->recent_count > 0 && chance(w, 10))
		replace_draw(w, &r);
	if (w->recent_count > 0 && chance(w, 12)) { /* again, the same or another payload */
		r = w->recent[draw(w, KR_MIN(w->recent_count, WORLD_IDS))];
		if (chance(w, 30) && r.line_count > 0)
			r.lines[0].guests ^= 1;
		if (chance(w, 10))
			r.book = !r.book;
		if (r.book)
			r.ttl_us = 0;
		else
			r.payment_ref[0] = 0;
	}
	struct engine_reserve e;
	world_tell_reserve(w, &r);
	engine_reserve_fill(&e, &r);
	struct inv_effect effect;
	struct inv_answer answer;
	if (inv_reserve_judge(w->side.inv, w->now, &e.op, &effect, &answer) == INV_EFFECT)
		side_commit(&w->side, &effect);
	const int refusals = model_refusal_count(w->model);
	const struct m_answer m = model_reserve(w->model, world_time(w), &r);
	const bool replaces = (r.replaces.hi | r.replaces.lo) != 0;
	world_agree(w, replaces ? W_REPLACE : W_RESERVE, &answer, m);
	if (!replaces && r.line_count > 0 && !answer.repeated)
		world_plan_count(w, W_RESERVE, r.lines[m.line].plan, &answer);
	if (model_refusal_count(w->model) != refusals)
		world_denial_note(w, &r, &answer, m);
	if (m.code == KEYRACK_DONE)
		world_agree_reservation(w, &answer, m);
	w->recent[w->recent_count++ % WORLD_IDS] = r;
}

void world_stay(struct world *w)
{
	struct m_reserve r = reserve_draw(w);
	expect_total(w, &r);
	struct engine_reserve e;
	engine_reserve_fill(&e, &r);
	struct inv_refusal refusals[INV_EXPLAIN_MAX];
	static struct inv_line priced[INV_LINES_MAX];
	uint32_t left;
	struct inv_answer answer;
	const bool explain = chance(w, 30);
	const uint32_t count = inv_stay_check(
		w->side.inv, w->now, &e.op, explain, refusals, priced, &left, &answer);
	const struct m_answer m = model_stay(w->model, world_time(w), &r);
	world_agree(w, W_STAY, &answer, m);
	CHECK((count == 0) == (m.code == KEYRACK_DONE), "%u refusals", count);
	if (m.code == KEYRACK_DONE) {
		const struct inv_cost cost =
			inv_lines_cost(priced, (uint32_t)r.line_count, w->now.t_us);
		CHECK(answer.total_minor == m.total, "total %lu",
			(unsigned long)answer.total_minor);
		terms_agree(&cost, model_stay_cost(w->model, world_time(w), &r));
	} else
		CHECK(refusals[0].code == m.code, "%s first", code_name(refusals[0].code));
}

/* A line with an end moved, a room more or less, another type, other prices. */
static void line_change(struct world *w, uint64_t hotel, struct m_line *l)
{
	const int what = (int)draw(w, 9);
	if (what == 0)
		l->check_in += (int)draw(w, 5) - 2;
	if (what <= 2)
		l->check_out += (int)draw(w, 5) - 2;
	if (what == 3)
		l->rooms += (int)draw(w, 3) - (l->rooms > 0);
	if (l->rooms > 65535) /* more than a line can name */
		l->rooms = 65535;
	if (what == 4)
		l->type = (int)draw(w, WORLD_TYPES);
	if (what == 7 || (what == 4 && chance(w, 80)))
		l->plan = world_plan_of(w, hotel, l->type);
	if (what == 5)
		l->guests = (int)draw(w, 5);
	if (what == 6)
		l->keeps = (int)draw(w, M_LINES + 1);
	l->pricing = chance(w, 70) ? M_CALENDAR : chance(w, 90) ? M_CALLER : M_COUNT_ONLY;
}

/* Prices that fit the nights, whatever became of these. */
static void line_settle(struct world *w, struct m_line *l)
{
	if (l->check_out - l->check_in > M_RUNS)
		l->check_out = l->check_in + M_RUNS;
	l->run_count = 0;
	if (l->pricing == M_CALLER && l->check_out > l->check_in)
		l->runs[l->run_count++] =
			(struct m_run){l->check_out - l->check_in, draw(w, 4) * 100};
}

static void lines_change(struct world *w, struct m_transition *t, uint64_t hotel)
{
	const int what = (int)draw(w, 10);
	if (what == 0 && t->line_count < M_LINES) { /* one more, often where another ends */
		t->lines[t->line_count] = world_line_draw(w, hotel);
		if (chance(w, 50))
			t->lines[t->line_count].check_in = t->lines[t->line_count - 1].check_out;
		t->line_count++;
	}
	if (what == 1 && t->line_count > 1) { /* one less */
		t->lines[0] = t->lines[--t->line_count];
		if (chance(w, 60))
			t->lines[0].keeps = t->line_count + 1;
	}
	struct m_line *l = &t->lines[draw(w, (uint64_t)t->line_count)];
	if (what == 2 && t->line_count < M_LINES && l->check_out - l->check_in > 1) {
		const int from = (int)(l - t->lines);
		struct m_line *rest = &t->lines[t->line_count++]; /* a room is changed */
		*rest = *l;
		rest->check_in = l->check_out = l->check_in + 1;
		rest->keeps = l->keeps = from + 1;
		rest->type = (int)draw(w, WORLD_TYPES);
		rest->plan = chance(w, 30) ? l->plan : world_plan_of(w, hotel, rest->type);
	}
	if (what > 2)
		line_change(w, hotel, l);
}

static void modify_draw(struct world *w, struct m_transition *t)
{
	struct m_reserve now;
	uint32_t revision;
	if (model_reservation(w->model, t->id, &now, &revision) == 0 || now.line_count == 0) {
		t->line_count = 1;
		t->lines[0] = world_line_draw(w, w->hotels[0]);
		return;
	}
	t->revision = chance(w, 95) ? revision : revision + 1;
	t->line_count = now.line_count;
	memcpy(t->lines, now.lines, sizeof(t->lines));
	for (int i = 0; i < t->line_count; i++)
		t->lines[i].keeps = 0;
	for (uint64_t edits = 1 + draw(w, 2); edits > 0; edits--)
		lines_change(w, t, now.hotel);
	for (int i = 0; i < t->line_count; i++)
		line_settle(w, &t->lines[i]);
	t->force = chance(w, 4);
	t->has_expected = chance(w, 10);
	if (t->has_expected && model_modify_total(w->model, world_time(w), t, &t->expected))
		t->expected += chance(w, 30) ? 1 : 0;
}

static void change_draw(struct world *w, struct m_transition *t)
{
	t->has_revision = true;
	t->change_id =
		chance(w, 70) ? ++w->change_id : draw(w, KR_MAX(KR_MIN(w->change_id, 20), 1)) + 1;
	if (t->what == M_MODIFY)
		modify_draw(w, t);
	if (t->what == M_EXTEND)
		t->expires_us = w->now.t_us + draw(w, 80 * MINUTE_US) + 1;
}

/* One of the ids of lately; of a change mostly one that can be changed still. */
static const struct m_reserve *recent_draw(struct world *w, int what)
{
	if (w->has_due && what != M_MODIFY)
		return &w->recent[w->due_at];
	const bool is_sought = what == M_MODIFY && chance(w, 80);
	const uint64_t reach = !is_sought && chance(w, 93) ? 25 : WORLD_IDS;
	const struct m_reserve *r = NULL;
	for (int tries = is_sought ? 60 : 1; tries > 0; tries--) {
		struct m_reserve now;
		uint32_t revision;
		const uint64_t back = draw(w, KR_MIN(w->recent_count, reach));
		r = &w->recent[(w->recent_count - 1 - back) % WORLD_IDS];
		const int state = model_reservation(w->model, r->id, &now, &revision);
		if (state == M_HELD || state == M_CONFIRMED || state == M_CHECKED_IN)
			break;
	}
	return r;
}

static uint64_t modified_hotel(struct world *w, const struct m_transition *t)
{
	struct m_reserve now;
	uint32_t revision;
	return model_reservation(w->model, t->id, &now, &revision) == 0 ? t->hotel : now.hotel;
}

void world_transition(struct world *w)
{
	struct m_transition t;
	memset(&t, 0, sizeof(t));
	t.what = chance(w, 25) ? M_MODIFY : (int)draw(w, M_TRANSITION_END - 1) + 1;
	if (t.what == M_RESOLVE && chance(w, 60)) /* a VOID is the end of an id */
		t.what = M_CONFIRM;
	if (w->recent_count > 0 && chance(w, 95)) {
		const struct m_reserve *r = recent_draw(w, t.what);
		t.id = r->id;
		t.has_hotel = chance(w, r->id.hi == 0x7700 ? 95 : 20); /* one of another layout */
		t.hotel = r->hotel;
	} else {
		t.hotel = w->hotels[draw(w, WORLD_HOTELS)];
		t.id = id_draw(w, t.hotel);
		t.has_hotel = chance(w, 50);
	}
	t.has_revision = chance(w, 10);
	t.revision = (uint32_t)draw(w, 3) + 1;
	t.any = t.what == M_CANCEL && chance(w, 30);
	if (t.what == M_EXTEND || t.what == M_ATTACH || t.what == M_MODIFY)
		change_draw(w, &t);
	if (t.what == M_ATTACH || (t.what == M_CONFIRM && chance(w, 30)))
		snprintf(t.payment_ref, sizeof(t.payment_ref), "pay-%d", (int)draw(w, 3));
	struct engine_lines lines;
	world_tell_transition(w, &t);
	const struct inv_transition_op op = {
		.transition = (enum inv_transition)t.what,
		.id = {t.id.hi, t.id.lo},
		.has_hotel = t.has_hotel,
		.hotel = {t.hotel},
		.has_expected_revision = t.has_revision,
		.expected_revision = t.revision,
		.any = t.any,
		.payment_ref = text_of(t.payment_ref),
		.change_id = t.change_id,
		.expires_at_us = t.expires_us,
		.lines = engine_lines_fill(&lines, t.lines, t.line_count),
		.line_count = (uint32_t)t.line_count,
		.has_expected_total = t.has_expected,
		.expected_total_minor = t.expected,
		.force = t.force,
	};
	struct inv_effect effect;
	struct inv_answer answer;
	if (inv_transition_judge(w->side.inv, w->now, &op, &effect, &answer) == INV_EFFECT)
		side_commit(&w->side, &effect);
	const struct m_answer m = model_transition(w->model, world_time(w), &t);
	world_agree(w, t.what == M_MODIFY ? W_MODIFY : W_TRANSITION, &answer, m);
	if (t.what == M_MODIFY && !answer.repeated) {
		world_plan_count(w, W_MODIFY, t.lines[m.line].plan, &answer);
		struct m_reserve changed = {.hotel = modified_hotel(w, &t)};
		memcpy(changed.lines, t.lines, sizeof(changed.lines));
		world_denial_note(w, &changed, &answer, m);
	}
	w->due_shown += answer.due || (m.code == KEYRACK_HOLD_EXPIRED && m.state == M_HELD);
	if (m.state != 0)
		world_agree_reservation(w, &answer, m);
	CHECK(!w->is_canary || t.what != M_CONFIRM || m.code != KEYRACK_DONE, "the canary sings");
	if (m.state == M_VOID) {
		w->void_id = t.id;
		w->void_hotel = t.hotel;
	}
}

/* ---- time ---- */

void world_advance(struct world *w)
{
	uint64_t step = 1 + draw(w, 20 * 1000000);
	if (chance(w, 2))
		step = draw(w, 40) * MINUTE_US;
	if (draw(w, 2000) == 0)
		step = draw(w, 30) * HOUR_US;
	if (chance(w, 5)) { /* exactly at the next thing due, or just before it */
		const uint64_t next = inv_due_next_us(w->side.inv);
		if (next != UINT64_MAX && next > w->now.t_us + 2 && next - w->now.t_us < HOUR_US)
			step = next - w->now.t_us - draw(w, 2);
	}
	const bool clock_waits = world_clock_waits(w, &step);
	if (!clock_waits && chance(w, 4))
		(void)world_terms_edge(w, &step);
	w->now.t_us += KR_MAX(1, step);
	w->now.wall_us = w->now.t_us - draw(w, 2) * draw(w, 3 * 1000000);
	if (clock_waits)
		return;
	side_clock(&w->side, w->now);
	model_clock(w->model, world_time(w));
}

static void compare_cell(struct world *w, int h, int type, int day)
{
	const uint16_t types[1] = {(uint16_t)type};
	uint64_t counter, rate;
	struct inv_answer answer;
	inv_availability(w->side.inv, (struct hotel_id){w->hotels[h]}, types, 1, 0, day, 1,
		&counter, &rate, &answer);
	CHECK(answer.code == KEYRACK_DONE, "%s", code_name(answer.code));
	const struct cell_counter c = cell_counter_unpack(counter);
	const struct m_cell m = model_cell(w->model, w->hotels[h], type, day);
	const unsigned flags = (m.closed ? CELL_CLOSED : 0) | (m.cta ? CELL_CTA : 0) |
			       (m.ctd ? CELL_CTD : 0) | (m.explicit_cap ? CELL_EXPLICIT_CAP : 0) |
			       (m.is_loaded ? CELL_LOADED : 0);
	CHECK(c.held == m.held && c.booked == m.booked,
		"hotel %d type %d day %d: %u held, %u booked, not %d, %d", h, type, day, c.held,
		c.booked, m.held, m.booked);
	CHECK(c.limit == (m.is_loaded ? m.limit : 0), "hotel %d type %d day %d: limit %d, not %ld",
		h, type, day, c.limit, (long)m.limit);
	CHECK(c.flags == flags, "hotel %d type %d day %d: flags %x, not %x", h, type, day, c.flags,
		flags);
	nights_compare(w, h, type, day, &m);
}

void world_compare(struct world *w)
{
	for (int h = 0; h < WORLD_HOTELS; h++) {
		struct inv_hotel_view view;
		CHECK(inv_hotel_get(w->side.inv, (struct hotel_id){w->hotels[h]}, &view), "hotel");
		CHECK(view.event_seq == model_event_seq(w->model, w->hotels[h]),
			"hotel %d: event_seq %lu, not %lu", h, (unsigned long)view.event_seq,
			(unsigned long)model_event_seq(w->model, w->hotels[h]));
		CHECK(view.ari_version == model_version(w->model, w->hotels[h]), "version");
		const int today = model_business_day(w->model, w->hotels[h]);
		CHECK(view.business_day == today, "business day %d, not %d", view.business_day,
			today);
		nights_read(w, h);
		for (int t = 0; t < WORLD_TYPES; t++)
			for (uint32_t d = 0;
				w->type_exists[h][t] && d < w->side.config.window_nights; d++)
				compare_cell(w, h, t, today + (int)d);
		nights_end(w, h);
		world_plans_compare(w, h);
	}
	nights_compare_all(w);
	world_denials_compare(w);
	struct inv_counts counts;
	inv_counts_get(w->side.inv, &counts);
	CHECK((int)counts.reservations == model_reservation_count(w->model),
		"%u reservations, not %d", counts.reservations, model_reservation_count(w->model));
	struct inv_contradiction c = {0};
	CHECK(inv_verify(w->side.inv, &c) == 0, "%s: expected %lu, found %lu, day %d", c.what,
		(unsigned long)c.expected, (unsigned long)c.found, c.day);
}

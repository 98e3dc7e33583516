#include "tests/property/world.h"

#include <stdio.h>

#include "engine/inventory/listing.h"

/* Rate plans: made and changed at random, often wrongly; every one compared, night by night. */

#define PRICE_MAX ((INT64_C(1) << 40) - 1)
#define PLANS_LISTED_MAX 512

static const int numbers[] = {2, 3, 5, 8, 13, 65534};
static const char *const codes[] = {
	"", "FLEX", "NRF", "WEEK", "BASE", "A rate's code, 33 bytes of text..", "tab\there"};

/* ---- drawing ---- */

static int number_draw(struct world *w)
{
	return numbers[draw(w, KR_ARRAY_COUNT(numbers))];
}

int world_plan_of(struct world *w, uint64_t hotel, int type)
{
	int plan = 0;
	if (chance(w, 45))
		return 0;
	if (chance(w, 2) || type >= M_TYPES)
		return number_draw(w);
	for (uint64_t n = draw(w, 6); n > 0; n--) {
		const int next = model_plan_next(w->model, hotel, type, plan);
		plan = next < 0 ? 0 : next;
	}
	return plan;
}

/* Hours descending, within the reach of arrivals; now and then no terms at all can be so. */
static void terms_draw(struct world *w, struct m_terms *terms)
{
	const int count = chance(w, 20) ? 0 : 1 + (int)draw(w, M_TIERS);
	int hours = 10 + (int)draw(w, 240);
	memset(terms, 0, sizeof(*terms));
	while (terms->tier_count < count && hours >= 0) {
		struct m_tier *tier = &terms->tiers[terms->tier_count++];
		tier->hours = hours;
		if (chance(w, 50))
			tier->nights = 1 + (int)draw(w, 4);
		else
			tier->points = chance(w, 20) ? 10000 : 1 + (int)draw(w, 10000);
		hours = hours * (int)draw(w, 10) / 10 - 1;
	}
	struct m_tier *last = &terms->tiers[KR_MAX(terms->tier_count, 1) - 1];
	if (terms->tier_count == 0 || !chance(w, 3))
		return;
	const uint64_t fault = draw(w, 4);
	if (fault == 0)
		last->nights = last->points = 0;
	if (fault == 1)
		last->nights = last->points = 1;
	if (fault == 2)
		last->points = 10001;
	if (fault == 3)
		last->hours = terms->tiers[0].hours;
}

static void derivation_draw(struct world *w, struct m_plan_put *p)
{
	struct m_plan_settings *s = &p->settings;
	p->mask |= INV_PLAN_PARENT | INV_PLAN_DERIVATION | INV_PLAN_ADJUSTMENT;
	s->derivation = chance(w, 98) ? 1 + (int)draw(w, 2) : 3;
	s->parent = chance(w, 40) ? 0 : number_draw(w);
	s->adjustment = (int64_t)draw(w, 400) - 200;
	if (s->derivation == 2)
		s->adjustment *= 50;
	if (chance(w, 3)) /* prices come to the end of what there is */
		s->adjustment = s->derivation == 2 ? 1000000 : PRICE_MAX - 500;
	if (chance(w, 2))
		s->adjustment = s->derivation == 2 ? -10001 : -PRICE_MAX - 1;
	if (chance(w, 1))
		s->adjustment = s->derivation == 2 ? 1000001 : PRICE_MAX + 1;
}

static void put_draw(struct world *w, struct m_plan_put *p)
{
	struct m_plan_settings *s = &p->settings;
	const bool is_there =
		p->type < M_TYPES && model_has_plan(w->model, p->hotel, p->type, p->plan);
	if (is_there)
		*s = model_plan(w->model, p->hotel, p->type, p->plan);
	if (!is_there && chance(w, 60))
		derivation_draw(w, p);
	if (chance(w, 10))
		p->mask |= INV_PLAN_PARENT | INV_PLAN_DERIVATION; /* as they are */
	if (is_there && chance(w, 25)) {
		p->mask |= INV_PLAN_ADJUSTMENT;
		s->adjustment = s->derivation == 0 ? 0 : (int64_t)draw(w, 4000) - 2000;
		if (chance(w, 20)) {
			p->mask |= INV_PLAN_DERIVATION;
			s->derivation = s->derivation == 1 ? 2 : 1;
		}
		if (chance(w, 10)) {
			p->mask |= INV_PLAN_PARENT;
			s->parent = number_draw(w);
		}
	}
	if (chance(w, 40)) {
		p->mask |= INV_PLAN_TIERS;
		terms_draw(w, &s->terms);
	}
	if (chance(w, 30)) {
		p->mask |= INV_PLAN_CODE;
		snprintf(s->code, sizeof(s->code), "%s", codes[draw(w, KR_ARRAY_COUNT(codes))]);
	}
	if (chance(w, 20)) {
		p->mask |= INV_PLAN_STATUS;
		s->status = chance(w, 80) ? 1 : (int)draw(w, 5);
	}
	if (chance(w, 30)) {
		p->mask |= INV_PLAN_ADVANCE_MIN | INV_PLAN_ADVANCE_MAX;
		s->advance_min = chance(w, 60) ? 0 : (uint32_t)draw(w, 3000);
		s->advance_max = chance(w, 80) ? 0 : (uint32_t)draw(w, 12000) + 1;
	}
}

/* ---- putting ---- */

static void op_fill(struct inv_plan_op *op, const struct m_plan_put *p)
{
	const struct m_plan_settings *s = &p->settings;
	*op = (struct inv_plan_op){
		.hotel = {p->hotel},
		.type = (uint16_t)p->type,
		.plan = (uint16_t)p->plan,
		.mask = p->mask,
		.has_expected_version = p->has_version,
		.expected_ari_version = p->version,
		.settings = {.code = {s->code, (uint32_t)strlen(s->code)},
			.status = (uint8_t)s->status,
			.advance_min_minutes = s->advance_min,
			.advance_max_minutes = s->advance_max,
			.parent = (uint16_t)s->parent,
			.derivation = (uint8_t)s->derivation,
			.adjustment = s->adjustment,
			.tier_count = (uint8_t)s->terms.tier_count},
	};
	for (int i = 0; i < s->terms.tier_count; i++)
		op->settings.tiers[i] = (struct inv_tier){(uint16_t)s->terms.tiers[i].hours,
			(uint16_t)s->terms.tiers[i].nights, (uint16_t)s->terms.tiers[i].points};
}

/* Refusals by what is refused: the field, the table, or the code. */
static const char *const refusals[WORLD_PLAN_REFUSALS] = {"type", "plan", "mask", "code", "status",
	"derivation", "parent", "adjustment", "tiers", "rate plans", "rate plans of the room type",
	"NOT_FOUND", "VERSION_MISMATCH"};

static void refusal_count(struct world *w, const struct inv_answer *a)
{
	const char *what = a->refusal.text == NULL ? code_name(a->code) : a->refusal.text;
	for (int i = 0; i < WORLD_PLAN_REFUSALS; i++)
		if (strcmp(what, refusals[i]) == 0) {
			w->plan_refusals[i]++;
			return;
		}
	CHECK(false, "refused for %s", what);
}

static void put(struct world *w, const struct m_plan_put *p)
{
	struct inv_plan_op op;
	struct inv_effect effect;
	struct inv_answer answer;
	op_fill(&op, p);
	if (inv_plan_judge(w->side.inv, w->now, &op, &effect, &answer) == INV_EFFECT)
		side_commit(&w->side, &effect);
	const struct m_answer m = model_plan_put(w->model, p);
	world_agree(w, W_PLAN, &answer, m);
	if (m.code != KEYRACK_DONE) {
		refusal_count(w, &answer);
		return;
	}
	w->plans_made += m.created;
	CHECK(answer.ari_version == m.version, "version %lu", (unsigned long)answer.ari_version);
	CHECK(answer.created == m.created, "created %d", answer.created);
}

void world_plan_put(struct world *w, int hotel, int type)
{
	struct m_plan_put p;
	memset(&p, 0, sizeof(p));
	p.hotel = chance(w, 98) ? w->hotels[hotel] : 999;
	p.type = chance(w, 97) ? type : chance(w, 50) ? 7 : 65535;
	p.plan = chance(w, 30) ? 0 : chance(w, 97) ? number_draw(w) : 65535;
	p.has_version = chance(w, 10);
	p.version = model_version(w->model, w->hotels[hotel]) - (chance(w, 30) ? 1 : 0);
	if (p.hotel == w->hotels[hotel])
		put_draw(w, &p);
	if (chance(w, 1))
		p.mask |= INV_PLAN_MASK + 1;
	put(w, &p);
}

/* More plans than a type can have. */
void world_plans_fill(struct world *w, int hotel, int type)
{
	for (int plan = 100; plan < 100 + M_PLANS_MAX + 2; plan++) {
		struct m_plan_put p;
		memset(&p, 0, sizeof(p));
		p.hotel = w->hotels[hotel];
		p.type = type;
		p.plan = plan;
		p.mask = INV_PLAN_DERIVATION | INV_PLAN_ADJUSTMENT;
		p.settings.derivation = 1 + plan % 2;
		p.settings.adjustment = plan * 7 - 900;
		put(w, &p);
	}
}

/* ---- comparing ---- */

static void settings_compare(const struct inv_plan_settings *e, const struct m_plan_settings *m)
{
	CHECK(e->code.size_bytes == strlen(m->code) &&
			memcmp(e->code.bytes, m->code, e->code.size_bytes) == 0,
		"code %s", m->code);
	CHECK(e->status == m->status && e->advance_min_minutes == m->advance_min &&
			e->advance_max_minutes == m->advance_max,
		"status %u, advance %u, %u", e->status, e->advance_min_minutes,
		e->advance_max_minutes);
	CHECK(e->parent == m->parent && e->derivation == m->derivation &&
			e->adjustment == m->adjustment,
		"parent %u, derivation %u, adjustment %ld", e->parent, e->derivation,
		(long)e->adjustment);
	CHECK(e->tier_count == m->terms.tier_count, "%u tiers", e->tier_count);
	for (int i = 0; i < e->tier_count; i++)
		CHECK(e->tiers[i].hours == m->terms.tiers[i].hours &&
				e->tiers[i].nights == m->terms.tiers[i].nights &&
				e->tiers[i].basis_points == m->terms.tiers[i].points,
			"tier %d", i);
}

static void rate_compare(struct world *w, uint64_t rate, const struct m_rate *m)
{
	const struct cell_rate r = cell_rate_unpack(rate);
	const struct los_class los = inv_los_class(w->side.inv, r.class_index);
	const unsigned flags = (m->priced ? RATE_PRICED : 0) | (m->closed ? RATE_CLOSED : 0) |
			       (m->cta ? RATE_CTA : 0) | (m->ctd ? RATE_CTD : 0);
	CHECK(r.flags == flags, "rate flags %x, not %x", r.flags, flags);
	CHECK(r.price_minor == (uint64_t)(m->priced ? m->price : 0), "price %lu, not %ld",
		(unsigned long)r.price_minor, (long)m->price);
	CHECK(los.min_arrival == m->min_arrival && los.max_arrival == m->max_arrival &&
			los.min_through == m->min_through && los.max_through == m->max_through,
		"length of stay");
}

static void nights_of_plan(struct world *w, int h, int type, int plan)
{
	const uint16_t types[1] = {(uint16_t)type};
	const int today = model_business_day(w->model, w->hotels[h]);
	uint64_t counters[M_NIGHTS], rates[M_NIGHTS];
	struct inv_answer answer;
	const uint32_t nights = w->side.config.window_nights;
	inv_availability(w->side.inv, (struct hotel_id){w->hotels[h]}, types, 1, (uint16_t)plan,
		today, nights, counters, rates, &answer);
	CHECK(answer.code == KEYRACK_DONE, "hotel %d type %d plan %d: %s", h, type, plan,
		code_name(answer.code));
	for (uint32_t d = 0; d < nights; d++) {
		const struct m_rate m =
			model_rate(w->model, w->hotels[h], type, plan, today + (int)d);
		rate_compare(w, rates[d], &m);
	}
	w->rates_compared += nights;
}

static void no_other_plan(struct world *w, int h, int type)
{
	const uint16_t types[1] = {(uint16_t)type};
	const int plan = numbers[w->step / 64 % KR_ARRAY_COUNT(numbers)];
	uint64_t counter, rate;
	struct inv_answer answer;
	if (model_has_plan(w->model, w->hotels[h], type, plan))
		return;
	inv_availability(w->side.inv, (struct hotel_id){w->hotels[h]}, types, 1, (uint16_t)plan,
		model_business_day(w->model, w->hotels[h]), 1, &counter, &rate, &answer);
	CHECK(answer.code == KEYRACK_NOT_FOUND && answer.refusal.rule == RULE_PLAN,
		"type %d has plan %d: %s", type, plan, code_name(answer.code));
}

/* The list of the hotel's plans, in pages of other sizes each time. */
static uint32_t list_all(struct world *w, int h, struct inv_plan_view *views)
{
	const uint32_t page = 1 + (uint32_t)(w->step / 64 % 9);
	uint16_t type = 0, plan = 0;
	uint32_t count = 0;
	bool more = true;
	while (more) {
		CHECK(count + page <= PLANS_LISTED_MAX, "too many plans");
		const uint32_t got = inv_plan_list(w->side.inv, (struct hotel_id){w->hotels[h]},
			type, plan, views + count, page, &more);
		CHECK(got > 0 || !more, "an empty page");
		count += got;
		type = count == 0 ? 0 : views[count - 1].type;
		plan = count == 0 ? 0 : (uint16_t)(views[count - 1].plan + 1);
	}
	return count;
}

void world_plans_compare(struct world *w, int h)
{
	static struct inv_plan_view views[PLANS_LISTED_MAX];
	const uint32_t count = list_all(w, h, views);
	uint32_t at = 0;
	for (int type = 0; type < M_TYPES; type++) {
		int plan = model_plan_next(w->model, w->hotels[h], type, -1);
		for (; plan >= 0; plan = model_plan_next(w->model, w->hotels[h], type, plan)) {
			const struct m_plan_settings m =
				model_plan(w->model, w->hotels[h], type, plan);
			CHECK(at < count && views[at].type == type && views[at].plan == plan,
				"hotel %d type %d plan %d is not listed", h, type, plan);
			settings_compare(&views[at++].settings, &m);
			nights_of_plan(w, h, type, plan);
		}
		if (model_has_plan(w->model, w->hotels[h], type, 0))
			no_other_plan(w, h, type);
	}
	CHECK(at == count, "hotel %d: %u plans, not %u", h, count, at);
}

/* ---- what came up ---- */

/* Codes of sales under plans other than 0, by what is refused. */
static const unsigned sold[] = {KEYRACK_DONE, KEYRACK_NOT_FOUND, KEYRACK_RATE_CLOSED,
	KEYRACK_CLOSED_TO_ARRIVAL, KEYRACK_CLOSED_TO_DEPARTURE, KEYRACK_MIN_LOS, KEYRACK_MAX_LOS,
	KEYRACK_TOO_LATE, KEYRACK_TOO_EARLY, KEYRACK_NO_RATE, KEYRACK_SOLD_OUT};
static const unsigned updated[] = {
	KEYRACK_DONE, KEYRACK_NOT_FOUND, KEYRACK_INVALID, KEYRACK_NO_RATE};
static const uint8_t rules[] = {RULE_PLAN, RULE_PLAN_CLOSED, RULE_PLAN_CTA, RULE_PLAN_CTD};

void world_plan_count(struct world *w, enum world_op op, int plan, const struct inv_answer *a)
{
	if (plan == 0)
		return;
	w->plan_codes[a->code][op]++;
	if (a->code != KEYRACK_DONE && a->refusal.rule < 64)
		w->plan_rules[a->refusal.rule]++;
}

static int told(const char *what, uint64_t hits, uint64_t hits_min)
{
	printf("  plans: %-36s %10llu\n", what, (unsigned long long)hits);
	return hits < hits_min;
}

static int codes_told(const struct world *w, enum world_op op, const char *of,
	const unsigned *codes_of, size_t count)
{
	char what[64];
	int missing = 0;
	for (size_t i = 0; i < count; i++) {
		snprintf(what, sizeof(what), "%s %s", of, code_name(codes_of[i]));
		missing += told(what, w->plan_codes[codes_of[i]][op], 10);
	}
	return missing;
}

int world_plans_coverage(const struct world *w)
{
	char what[64];
	int missing = told("created", w->plans_made, 10);
	missing += told("nights compared", w->rates_compared, 1000000);
	missing += codes_told(w, W_RESERVE, "sale", sold, KR_ARRAY_COUNT(sold));
	missing += codes_told(w, W_MODIFY, "MODIFY", sold, KR_ARRAY_COUNT(sold));
	missing += codes_told(w, W_UPDATE, "update", updated, KR_ARRAY_COUNT(updated));
	for (size_t i = 0; i < KR_ARRAY_COUNT(rules); i++) {
		snprintf(what, sizeof(what), "rule %s", rule_name(rules[i]));
		missing += told(what, w->plan_rules[rules[i]], 10);
	}
	for (int i = 0; i < WORLD_PLAN_REFUSALS; i++) {
		snprintf(what, sizeof(what), "put refused for %s", refusals[i]);
		missing += told(what, w->plan_refusals[i], 10);
	}
	return missing;
}

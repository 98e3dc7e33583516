/* Rate plans: what a type is sold under. */
#include "tests/property/model/model_priv.h"

#include <stdlib.h>
#include <string.h>

#include "proto/code.h"

#define NUMBER_MAX 65534
#define PRICE_END (INT64_C(1) << 40)
#define POINTS INT64_C(10000)

enum {
	B_CODE = 1 << 0,
	B_STATUS = 1 << 1,
	B_ADVANCE_MIN = 1 << 2,
	B_ADVANCE_MAX = 1 << 3,
	B_PARENT = 1 << 4,
	B_DERIVATION = 1 << 5,
	B_ADJUSTMENT = 1 << 6,
	B_TIERS = 1 << 7,
	B_ALL = (1 << 8) - 1
};

struct plan *m_plan_find(const struct type *t, int number)
{
	for (int i = 0; i < t->plan_count; i++)
		if (t->plans[i].number == number)
			return &t->plans[i];
	return NULL;
}

bool m_has_plan(const struct type *t, int number)
{
	return t->exists && (number == 0 || m_plan_find(t, number) != NULL);
}

struct m_plan_settings m_plan_of(const struct type *t, int number)
{
	if (number != 0)
		return m_plan_find(t, number)->settings;
	return (struct m_plan_settings){
		.code = "BASE",
		.status = t->settings.plan_status,
		.advance_min = t->settings.advance_min,
		.advance_max = t->settings.advance_max,
		.terms = t->terms,
	};
}

/* ---- nights ---- */

struct m_rate *m_rate_set(const struct model *m, const struct hotel *h, int type, int plan, int day)
{
	struct night *night = m_night_of(m, h, type, day);
	if (plan == 0)
		return &night->rate;
	struct m_rate *rates = m_plan_find(&h->types[type], plan)->rates;
	return rates == NULL ? NULL : &rates[night - h->types[type].nights];
}

struct m_rate m_rate_of(const struct model *m, const struct hotel *h, int type, int plan, int day)
{
	const struct m_rate *set = m_rate_set(m, h, type, plan, day);
	if (set != NULL)
		return *set;
	const struct m_plan_settings s = m_plan_of(&h->types[type], plan);
	struct m_rate rate = m_rate_of(m, h, type, s.parent, day);
	if (!rate.priced)
		return rate;
	if (s.derivation == 1)
		rate.price += s.adjustment;
	else /* half a minor unit makes a whole one */
		rate.price = (2 * rate.price * (POINTS + s.adjustment) + POINTS) / (2 * POINTS);
	rate.priced = rate.price >= 0 && rate.price < PRICE_END;
	if (!rate.priced)
		rate.price = 0;
	return rate;
}

/* ---- putting ---- */

static struct m_plan_settings merged(
	const struct m_plan_settings *before, const struct m_plan_put *put)
{
	const struct m_plan_settings *s = &put->settings;
	struct m_plan_settings after = *before;
	if (put->mask & B_CODE)
		memcpy(after.code, s->code, sizeof(after.code));
	if (put->mask & B_STATUS)
		after.status = s->status;
	if (put->mask & B_ADVANCE_MIN)
		after.advance_min = s->advance_min;
	if (put->mask & B_ADVANCE_MAX)
		after.advance_max = s->advance_max;
	if (put->mask & B_PARENT)
		after.parent = s->parent;
	if (put->mask & B_DERIVATION)
		after.derivation = s->derivation;
	if (put->mask & B_ADJUSTMENT)
		after.adjustment = s->adjustment;
	if (put->mask & B_TIERS)
		after.terms = s->terms;
	return after;
}

static bool is_code(const struct type *t, int plan, const char *code)
{
	if (strlen(code) > 32 || (plan == 0) != (strcmp(code, "BASE") == 0))
		return false;
	for (size_t i = 0; code[i] != 0; i++)
		if (code[i] < ' ' || code[i] > '~')
			return false;
	for (int i = 0; i < t->plan_count && code[0] != 0; i++)
		if (t->plans[i].number != plan && strcmp(t->plans[i].settings.code, code) == 0)
			return false;
	return true;
}

static bool is_terms(const struct m_terms *terms)
{
	for (int i = 0; i < terms->tier_count; i++) {
		const struct m_tier *tier = &terms->tiers[i];
		if ((tier->nights == 0) == (tier->points == 0) || tier->points > POINTS)
			return false;
		if (i > 0 && terms->tiers[i - 1].hours <= tier->hours)
			return false;
	}
	return true;
}

/* An own price has no parent and nothing to add; a derived one has a parent that is not derived. */
static bool is_derivation(const struct type *t, int plan, const struct m_plan_settings *s)
{
	if (s->derivation == 0)
		return s->parent == 0 && s->adjustment == 0;
	if (plan == 0 || s->parent == plan || !m_has_plan(t, s->parent) ||
		m_plan_of(t, s->parent).derivation != 0)
		return false;
	if (s->derivation == 1)
		return s->adjustment > -PRICE_END && s->adjustment < PRICE_END;
	return s->derivation == 2 && s->adjustment >= -POINTS && s->adjustment <= 100 * POINTS;
}

static bool is_plan(const struct type *t, int plan, const struct m_plan_settings *s)
{
	return is_code(t, plan, s->code) && s->status >= 1 && s->status <= 3 &&
	       is_derivation(t, plan, s) && is_terms(&s->terms);
}

static int plans_of_all(const struct model *m)
{
	int count = 0;
	for (int h = 0; h < M_HOTELS; h++)
		for (int t = 0; t < M_TYPES; t++)
			count += m->hotels[h].types[t].plan_count;
	return count;
}

static void store(struct type *t, int number, const struct m_plan_settings *s)
{
	if (number == 0) {
		t->settings.plan_status = s->status;
		t->settings.advance_min = s->advance_min;
		t->settings.advance_max = s->advance_max;
		t->terms = s->terms;
		return;
	}
	struct plan *p = m_plan_find(t, number);
	if (p == NULL) {
		t->plans = m_grown(t->plans, t->plan_count, &t->plan_capacity, sizeof(*p));
		p = &t->plans[t->plan_count++];
		*p = (struct plan){.number = number};
		p->rates = s->derivation == 0 ? calloc(M_NIGHTS, sizeof(*p->rates)) : NULL;
		if (s->derivation == 0 && p->rates == NULL)
			abort();
	}
	p->settings = *s;
}

/* 0, or why the type cannot have the plan so. */
static int refused(const struct model *m, const struct type *t, const struct m_plan_put *put,
	const struct m_plan_settings *before, const struct m_plan_settings *after)
{
	const bool is_new = !m_has_plan(t, put->plan);
	if (!is_new && (before->derivation != after->derivation || before->parent != after->parent))
		return KEYRACK_INVALID;
	if (!is_plan(t, put->plan, after))
		return KEYRACK_INVALID;
	if (is_new && (t->plan_count == M_PLANS_MAX || plans_of_all(m) == m->config.plans_max))
		return KEYRACK_LIMIT_REACHED;
	return 0;
}

struct m_answer model_plan_put(struct model *m, const struct m_plan_put *put)
{
	struct hotel *h = m_hotel_find(m, put->hotel);
	struct m_plan_settings before = {.status = 1};
	if (put->type > NUMBER_MAX || put->plan > NUMBER_MAX || put->mask > B_ALL)
		return m_no(KEYRACK_INVALID);
	if (h == NULL)
		return m_no(KEYRACK_NOT_FOUND);
	if (put->has_version && put->version != h->version)
		return m_no(KEYRACK_VERSION_MISMATCH);
	if (put->type >= M_TYPES || !h->types[put->type].exists)
		return m_no(KEYRACK_NOT_FOUND);
	struct type *t = &h->types[put->type];
	const bool created = !m_has_plan(t, put->plan);
	if (!created)
		before = m_plan_of(t, put->plan);
	const struct m_plan_settings after = merged(&before, put);
	const int code = refused(m, t, put, &before, &after);
	if (code != 0)
		return m_no(code);
	store(t, put->plan, &after);
	h->version++;
	h->event_seq++;
	return (struct m_answer){.code = KEYRACK_DONE, .version = h->version, .created = created};
}

/* ---- looking ---- */

bool model_has_plan(const struct model *m, uint64_t hotel, int type, int plan)
{
	return m_has_plan(&m_hotel_find(m, hotel)->types[type], plan);
}

struct m_rate model_rate(const struct model *m, uint64_t hotel, int type, int plan, int day)
{
	return m_rate_of(m, m_hotel_find(m, hotel), type, plan, day);
}

int model_plan_next(const struct model *m, uint64_t hotel, int type, int plan)
{
	const struct type *t = &m_hotel_find(m, hotel)->types[type];
	int next = -1;
	if (t->exists && plan < 0)
		return 0;
	for (int i = 0; i < t->plan_count; i++)
		if (t->plans[i].number > plan && (next < 0 || t->plans[i].number < next))
			next = t->plans[i].number;
	return next;
}

struct m_plan_settings model_plan(const struct model *m, uint64_t hotel, int type, int plan)
{
	return m_plan_of(&m_hotel_find(m, hotel)->types[type], plan);
}

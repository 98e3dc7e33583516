#include "tests/property/model/model_priv.h"

#include <stdlib.h>
#include <string.h>

#include "proto/code.h"
#include "proto/slot.h"

#define DAY_US INT64_C(86400000000)
#define MINUTE_US INT64_C(60000000)

struct model *model_new(const struct m_config *config)
{
	struct model *m = calloc(1, sizeof(*m));
	struct hotel *hotels = calloc(M_HOTELS, sizeof(*hotels));
	if (m == NULL || hotels == NULL)
		abort();
	m->hotels = hotels;
	m->config = *config;
	m->first_day = -1;
	return m;
}

struct model *model_free(struct model *m)
{
	for (int h = 0; h < M_HOTELS; h++)
		for (int t = 0; t < M_TYPES; t++) {
			struct type *type = &m->hotels[h].types[t];
			for (int p = 0; p < type->plan_count; p++)
				free(type->plans[p].rates);
			free(type->plans);
			free(type->nights);
		}
	free(m->hotels);
	free(m->reservations);
	free(m->refused);
	free(m);
	return NULL;
}

static void *copy_of(const void *bytes, size_t size_bytes)
{
	if (bytes == NULL)
		return NULL;
	void *copy = malloc(size_bytes);
	if (copy == NULL)
		abort();
	return memcpy(copy, bytes, size_bytes);
}

static void type_own(struct type *t)
{
	t->nights = copy_of(t->nights, M_NIGHTS * sizeof(*t->nights));
	t->plans = copy_of(t->plans, (size_t)t->plan_capacity * sizeof(*t->plans));
	for (int p = 0; p < t->plan_count; p++)
		t->plans[p].rates = copy_of(t->plans[p].rates, M_NIGHTS * sizeof(struct m_rate));
}

struct model *model_copy(const struct model *m)
{
	struct model *copy = model_new(&m->config);
	struct hotel *hotels = copy->hotels;
	*copy = *m;
	copy->hotels = hotels;
	copy->refused = NULL;
	copy->refused_count = copy->refused_capacity = 0;
	memcpy(hotels, m->hotels, M_HOTELS * sizeof(*hotels));
	for (int h = 0; h < M_HOTELS; h++)
		for (int t = 0; t < M_TYPES; t++)
			type_own(&hotels[h].types[t]);
	copy->reservations = NULL;
	copy->capacity = m->count;
	copy->reservations = m_grown(NULL, m->count, &copy->capacity, sizeof(*m->reservations));
	if (m->count > 0)
		memcpy(copy->reservations, m->reservations,
			(size_t)m->count * sizeof(*m->reservations));
	return copy;
}

void *m_grown(void *array, int count, int *capacity, size_t size)
{
	if (count < *capacity)
		return array;
	*capacity = *capacity == 0 ? 64 : *capacity * 2;
	array = realloc(array, (size_t)*capacity * size);
	if (array == NULL)
		abort();
	return array;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

struct hotel *m_hotel_find(const struct model *m, uint64_t id)
{
	struct hotel *hotels = m->hotels;
	for (int h = 0; h < M_HOTELS; h++)
		if (hotels[h].exists && hotels[h].id == id)
			return &hotels[h];
	return NULL;
}

static int local_day(const struct m_hotel_settings *s, uint64_t t_us)
{
	return (int)floor_div(
		(int64_t)t_us + s->offset_s * INT64_C(1000000) - s->day_roll_minute * MINUTE_US,
		DAY_US);
}

bool m_in_window(const struct model *m, const struct hotel *h, int day)
{
	return day >= h->business_day && day < h->business_day + m->config.window_nights;
}

struct night *m_night_of(const struct model *m, const struct hotel *h, int type, int day)
{
	const int index = day - m->first_day;
	if (index < 0 || index >= M_NIGHTS)
		abort();
	return &h->types[type].nights[index];
}

/* ---- counting, from the reservations each time ---- */

bool m_is_live_hold(const struct reservation *r)
{
	return r->state == M_HELD;
}

bool m_is_booking(const struct reservation *r)
{
	return r->state == M_CONFIRMED || r->state == M_CHECKED_IN;
}

static int rooms_on(const struct reservation *r, int type, int day)
{
	int rooms = 0;
	for (int i = 0; i < r->asked.line_count; i++) {
		const struct m_line *l = &r->asked.lines[i];
		if (l->type == type && day >= l->check_in && day < l->check_out)
			rooms += l->rooms;
	}
	return rooms;
}

int m_count_on(const struct model *m, uint64_t hotel, int type, int day, bool held)
{
	int rooms = 0;
	for (int i = 0; i < m->count; i++) {
		const struct reservation *r = &m->reservations[i];
		if (r->has_hotel && r->asked.hotel == hotel &&
			(held ? m_is_live_hold(r) : m_is_booking(r)))
			rooms += rooms_on(r, type, day);
	}
	return rooms;
}

/* physical - out of order, which may be below 0 */
static bool rooms_of(const struct m_type_settings *s, const struct night *n, int64_t *ret_rooms)
{
	*ret_rooms = (n->has_physical ? n->physical : s->physical) -
		     (n->has_out_of_order          ? n->out_of_order
			     : s->has_out_of_order ? s->out_of_order
						   : 0);
	return n->has_physical || s->has_physical;
}

/* cap of the night, else cap of the type, else physical - out of order + allowance */
bool m_limit_of(const struct model *m, const struct hotel *h, int type, int day, int64_t *ret_limit)
{
	const struct m_type_settings *s = &h->types[type].settings;
	const struct night *n = m_night_of(m, h, type, day);
	*ret_limit = 0;
	if (n->has_cap) {
		*ret_limit = n->cap;
		return true;
	}
	if (s->has_cap) {
		*ret_limit = s->cap;
		return true;
	}
	int64_t rooms;
	if (!rooms_of(s, n, &rooms))
		return false;
	const int64_t allowance = n->has_allowance   ? n->allowance
				  : s->has_allowance ? s->allowance
						     : 0;
	const int unit = n->has_allowance ? n->allowance_unit : s->allowance_unit;
	*ret_limit = rooms + (unit == 2 ? floor_div(rooms * allowance, 10000) : allowance);
	return true;
}

struct m_cell model_cell(const struct model *m, uint64_t hotel, int type, int day)
{
	const struct hotel *h = m_hotel_find(m, hotel);
	const struct night *n = m_night_of(m, h, type, day);
	struct m_cell c = {
		.closed = n->closed,
		.cta = n->cta,
		.ctd = n->ctd,
		.explicit_cap = n->has_cap,
		.held = m_count_on(m, hotel, type, day, true),
		.booked = m_count_on(m, hotel, type, day, false),
	};
	c.is_loaded = m_limit_of(m, h, type, day, &c.limit);
	c.has_rooms = rooms_of(&h->types[type].settings, n, &c.rooms);
	return c;
}

int model_business_day(const struct model *m, uint64_t hotel)
{
	return m_hotel_find(m, hotel)->business_day;
}

uint64_t model_version(const struct model *m, uint64_t hotel)
{
	return m_hotel_find(m, hotel)->version;
}

uint64_t model_event_seq(const struct model *m, uint64_t hotel)
{
	return m_hotel_find(m, hotel)->event_seq;
}

int model_reservation_count(const struct model *m)
{
	return m->count;
}

/* ---- catalogue ---- */

struct m_answer m_no(int code)
{
	return (struct m_answer){.code = code};
}

struct m_answer model_hotel_put(
	struct model *m, struct m_now now, uint64_t id, const struct m_hotel_settings *settings)
{
	struct hotel *h = m_hotel_find(m, id);
	for (int i = 0; h == NULL && i < M_HOTELS; i++)
		if (!m->hotels[i].exists)
			h = &m->hotels[i];
	if (h == NULL)
		abort();
	const int day = local_day(settings, now.t_us);
	if (m->first_day < 0)
		m->first_day = day - 40;
	if (!h->exists)
		h->business_day = day;
	h->exists = true;
	h->id = id;
	h->settings = *settings;
	if (day > h->business_day)
		h->business_day = day;
	h->version++;
	h->event_seq++;
	return (struct m_answer){.code = KEYRACK_DONE, .version = h->version};
}

struct m_answer model_type_put(struct model *m, struct m_now now, uint64_t id, int type,
	const struct m_type_settings *settings)
{
	(void)now;
	struct hotel *h = m_hotel_find(m, id);
	if (h == NULL)
		return m_no(KEYRACK_NOT_FOUND);
	struct type *t = &h->types[type];
	if (t->nights == NULL) {
		t->nights = calloc(M_NIGHTS, sizeof(*t->nights));
		if (t->nights == NULL)
			abort();
	}
	const struct m_type_settings before = t->settings;
	t->settings = *settings;
	/* One day more: a night that nothing was set for, as those to come will be. */
	for (int day = h->business_day; day <= h->business_day + m->config.window_nights; day++) {
		int64_t limit;
		(void)m_limit_of(m, h, type, day, &limit);
		if (limit < -32768 || limit > 32767) {
			t->settings = before;
			return m_no(KEYRACK_COUNTER_FULL);
		}
	}
	t->exists = true;
	h->version++;
	h->event_seq++;
	return (struct m_answer){.code = KEYRACK_DONE, .version = h->version};
}

/* ---- clock ---- */

void m_end(struct reservation *r, int state, uint64_t t_us)
{
	r->state = state;
	r->revision++;
	r->changed_us = t_us;
}

void m_touch(struct model *m, const struct reservation *r)
{
	if (r->has_hotel)
		m_hotel_find(m, r->asked.hotel)->event_seq++;
}

uint64_t m_id_us(struct m_id id)
{
	return (id.hi >> 16) * 1000;
}

bool m_is_foreign(struct m_id id)
{
	return !reservation_id_is_native((struct kr_id){id.hi, id.lo});
}

struct m_answer m_absent(const struct model *m, struct m_id id)
{
	const bool is_old = !m_is_foreign(id) && m_id_us(id) < m->purge_mark_us;
	return m_no(is_old ? KEYRACK_KEY_EXPIRED : KEYRACK_NOT_FOUND);
}

/* How old it is, as far as anybody can tell. */
static uint64_t age_us(const struct reservation *r)
{
	return m_is_foreign(r->asked.id) ? r->created_us : m_id_us(r->asked.id);
}

static int last_check_out(const struct reservation *r)
{
	int last = r->asked.lines[0].check_out;
	for (int i = 1; i < r->asked.line_count; i++)
		if (r->asked.lines[i].check_out > last)
			last = r->asked.lines[i].check_out;
	return last;
}

bool m_is_retirable(const struct model *m, const struct reservation *r, uint64_t t_us)
{
	if (r->state == M_HELD || age_us(r) >= t_us - m->config.retention_us)
		return false;
	if (m_is_booking(r) || r->state == M_COMPLETED)
		return m_hotel_find(m, r->asked.hotel)->business_day >=
		       last_check_out(r) + m->config.stay_keep_days;
	return r->changed_us + m->config.retention_us <= t_us;
}

void model_clock(struct model *m, struct m_now now)
{
	for (int i = 0; i < M_HOTELS; i++) {
		struct hotel *h = &m->hotels[i];
		const int day = h->exists ? local_day(&h->settings, now.t_us) : 0;
		if (h->exists && day > h->business_day) {
			h->business_day = day;
			h->event_seq++;
		}
	}
	for (int i = 0; i < m->count; i++) {
		struct reservation *r = &m->reservations[i];
		if (m_is_live_hold(r) && now.t_us >= r->expires_us) {
			m_end(r, M_EXPIRED, now.t_us);
			m_touch(m, r);
		}
	}
	for (int i = 0; i < m->count;) {
		if (!m_is_retirable(m, &m->reservations[i], now.t_us)) {
			i++;
			continue;
		}
		const uint64_t mark = now.t_us - m->config.retention_us;
		if (mark > m->purge_mark_us)
			m->purge_mark_us = mark;
		m_touch(m, &m->reservations[i]);
		m->reservations[i] = m->reservations[--m->count];
	}
}

void model_forget_refusals(struct model *m)
{
	m->refused_count = 0;
}

int model_refusal_count(const struct model *m)
{
	return m->refused_count;
}

void model_restart(struct model *m, struct m_now now, uint64_t last_t_us)
{
	for (int i = 0; i < m->count; i++) {
		struct reservation *r = &m->reservations[i];
		if (!m_is_live_hold(r) || r->graced || r->expires_us <= last_t_us ||
			r->expires_us > now.t_us)
			continue;
		r->graced = true;
		r->expires_us = now.t_us + m->config.grace_us;
		r->revision++;
		r->changed_us = now.t_us;
		m_touch(m, r);
	}
}

/* ---- updates ---- */

enum {
	F_PHYSICAL = 1 << 0,
	F_OUT_OF_ORDER = 1 << 1,
	F_ALLOWANCE = 1 << 2,
	F_CAP = 1 << 3,
	F_CLOSED = 1 << 4,
	F_CTA = 1 << 5,
	F_CTD = 1 << 6,
	F_PRICE = 1 << 7,
	F_MIN_ARRIVAL = 1 << 8,
	F_MAX_ARRIVAL = 1 << 9,
	F_MIN_THROUGH = 1 << 10,
	F_MAX_THROUGH = 1 << 11,
	F_PLAN_CLOSED = 1 << 12,
	F_PLAN_CTA = 1 << 13,
	F_PLAN_CTD = 1 << 14,
	F_AVAILABLE = 1 << 15
};
#define F_ADJUSTABLE (F_PHYSICAL | F_OUT_OF_ORDER | F_ALLOWANCE | F_CAP | F_PRICE)

static int weekday(int day) /* 0 Monday; day 0 was a Thursday */
{
	return (int)(((int64_t)day + 3) % 7 + 7) % 7;
}

struct m_applied {
	const struct model *m;
	struct hotel *h;
	const struct m_update *u;
	bool has_source; /* a place for its sequence number, if it has one */
};

/* A number with "not set": SET, ADJUST (from what holds now) or CLEAR. */
static void number(const struct m_update *u, uint32_t field, int64_t value, bool *has,
	int64_t *number, int64_t effective)
{
	if (u->set & field) {
		*has = true;
		*number = value;
	} else if (u->adjust & field) {
		*has = true;
		*number = effective + value;
	} else if (u->clear & field) {
		*has = false;
		*number = 0;
	}
}

static void flag(const struct m_update *u, uint32_t field, bool value, bool *flag)
{
	if (u->set & field)
		*flag = value;
	else if (u->clear & field)
		*flag = false;
}

static void nights(const struct m_update *u, uint32_t field, int value, int *nights)
{
	if (u->set & field)
		*nights = value > 65534 ? 0 : value;
	else if (u->clear & field)
		*nights = 0;
}

static int64_t in_force(bool has, int64_t value, bool type_has, int64_t type_value)
{
	return has ? value : type_has ? type_value : 0;
}

/* Nothing can be added to what is not there; rooms and basis points do not add up. */
static int stock_change(const struct m_update *u, const struct m_type_settings *s, struct night *n)
{
	if ((u->adjust & F_PHYSICAL) && !n->has_physical && !s->has_physical)
		return KEYRACK_NOT_LOADED;
	number(u, F_PHYSICAL, u->physical, &n->has_physical, &n->physical,
		in_force(n->has_physical, n->physical, s->has_physical, s->physical));
	if (n->physical < 0 || n->physical > 65535)
		return KEYRACK_COUNTER_FULL;
	number(u, F_OUT_OF_ORDER, u->out_of_order, &n->has_out_of_order, &n->out_of_order,
		in_force(n->has_out_of_order, n->out_of_order, s->has_out_of_order,
			s->out_of_order));
	if (n->out_of_order < 0 || n->out_of_order > 65535)
		return KEYRACK_COUNTER_FULL;
	const int64_t allowance =
		in_force(n->has_allowance, n->allowance, s->has_allowance, s->allowance);
	const int unit = n->has_allowance ? n->allowance_unit : s->allowance_unit;
	if ((u->adjust & F_ALLOWANCE) && allowance != 0 && unit != u->allowance_unit)
		return KEYRACK_INVALID;
	if ((u->set | u->adjust) & F_ALLOWANCE)
		n->allowance_unit = u->allowance_unit;
	number(u, F_ALLOWANCE, u->allowance, &n->has_allowance, &n->allowance, allowance);
	return 0;
}

/* The limit before the change is what a cap is adjusted from. */
static int cap_change(const struct m_applied *a, int type, int day, struct night *n,
	bool was_loaded, int64_t limit)
{
	const struct m_update *u = a->u;
	if ((u->adjust & F_CAP) && !was_loaded)
		return KEYRACK_NOT_LOADED;
	number(u, F_CAP, u->cap, &n->has_cap, &n->cap, limit);
	if (u->set & F_AVAILABLE) {
		n->has_cap = true;
		n->cap = u->available + m_count_on(a->m, a->h->id, type, day, true) +
			 m_count_on(a->m, a->h->id, type, day, false);
	}
	(void)m_limit_of(a->m, a->h, type, day, &limit);
	return limit < -32768 || limit > 32767 ? KEYRACK_COUNTER_FULL : 0;
}

static int rate_change(const struct m_update *u, struct m_rate *r)
{
	flag(u, F_PLAN_CLOSED, u->plan_closed, &r->closed);
	flag(u, F_PLAN_CTA, u->plan_cta, &r->cta);
	flag(u, F_PLAN_CTD, u->plan_ctd, &r->ctd);
	nights(u, F_MIN_ARRIVAL, u->min_arrival, &r->min_arrival);
	nights(u, F_MAX_ARRIVAL, u->max_arrival, &r->max_arrival);
	nights(u, F_MIN_THROUGH, u->min_through, &r->min_through);
	nights(u, F_MAX_THROUGH, u->max_through, &r->max_through);
	if ((u->adjust & F_PRICE) && !r->priced)
		return KEYRACK_NO_RATE;
	number(u, F_PRICE, u->price, &r->priced, &r->price, r->price);
	return r->price < 0 || r->price >= INT64_C(1) << 40 ? KEYRACK_COUNTER_FULL : 0;
}

/* 0, or why the night cannot be changed so. */
static int night_change(const struct m_applied *a, int type, int day, struct night *n)
{
	const struct m_update *u = a->u;
	int64_t limit;
	const bool was_loaded = m_limit_of(a->m, a->h, type, day, &limit);
	int code = stock_change(u, &a->h->types[type].settings, n);
	if (code == 0)
		code = cap_change(a, type, day, n, was_loaded, limit);
	const int priced = rate_change(u, m_rate_set(a->m, a->h, type, u->plan, day));
	if (code == 0)
		code = priced;
	flag(u, F_CLOSED, u->closed, &n->closed);
	flag(u, F_CTA, u->cta, &n->cta);
	flag(u, F_CTD, u->ctd, &n->ctd);
	return code;
}

static bool update_is_malformed(const struct m_update *u)
{
	const uint32_t all = u->set | u->adjust | u->clear;
	return u->first_day > u->last_day || (u->weekday_mask & 127) == 0 || all == 0 ||
	       (u->set & u->adjust) || (u->set & u->clear) || (u->adjust & u->clear) ||
	       (u->adjust & ~(uint32_t)F_ADJUSTABLE) || (u->clear & F_AVAILABLE) ||
	       ((u->set & F_AVAILABLE) && (all & F_CAP)) || (u->adjust != 0 && u->source_seq == 0);
}

/* The source's place, found or free; NULL when all are taken. */
static struct source *source_of(struct hotel *h, uint32_t source)
{
	for (int i = 0; i < M_SOURCES; i++)
		if (h->sources[i].used && h->sources[i].source == source)
			return &h->sources[i];
	for (int i = 0; i < M_SOURCES; i++)
		if (!h->sources[i].used)
			return &h->sources[i];
	return NULL;
}

static bool has_rates(const struct type *t, int plan)
{
	return m_has_plan(t, plan) && m_plan_of(t, plan).derivation == 0;
}

static bool is_named(const struct hotel *h, const struct m_update *u, int type)
{
	bool named = u->type_count == 0 && has_rates(&h->types[type], u->plan);
	for (int i = 0; i < u->type_count; i++)
		named |= u->types[i] == type;
	return named;
}

/* What a refused update gives back: the nights of a type, and of the plan that it names. */
struct saved {
	struct night *nights;
	struct m_rate *rates;
};

static struct saved nights_save(const struct m_applied *a, int type)
{
	const size_t count = (size_t)(a->u->last_day - a->u->first_day + 1);
	return (struct saved){
		copy_of(m_night_of(a->m, a->h, type, a->u->first_day),
			count * sizeof(struct night)),
		a->u->plan == 0 ? NULL
				: copy_of(m_rate_set(a->m, a->h, type, a->u->plan, a->u->first_day),
					  count * sizeof(struct m_rate)),
	};
}

static void nights_restore(const struct m_applied *a, int type, const struct saved *saved)
{
	const size_t count = (size_t)(a->u->last_day - a->u->first_day + 1);
	memcpy(m_night_of(a->m, a->h, type, a->u->first_day), saved->nights,
		count * sizeof(struct night));
	if (saved->rates != NULL)
		memcpy(m_rate_set(a->m, a->h, type, a->u->plan, a->u->first_day), saved->rates,
			count * sizeof(struct m_rate));
}

/* A night that does not fit undoes all. */
static void update_apply(const struct m_applied *a, struct m_answer *answer)
{
	const struct m_update *u = a->u;
	struct saved saved[M_TYPES] = {{NULL, NULL}};
	int code = 0;
	for (int t = 0; t < M_TYPES; t++) {
		if (!is_named(a->h, u, t))
			continue;
		saved[t] = nights_save(a, t);
		for (int day = u->first_day; day <= u->last_day; day++) {
			if (!(u->weekday_mask >> weekday(day) & 1))
				continue;
			const int r = night_change(a, t, day, m_night_of(a->m, a->h, t, day));
			code = code != 0 ? code : r;
			const struct m_cell c = model_cell(a->m, a->h->id, t, day);
			answer->cells++;
			answer->over_limit += c.held + c.booked > c.limit;
		}
	}
	if (code == 0 && !a->has_source)
		code = KEYRACK_LIMIT_REACHED;
	for (int t = 0; t < M_TYPES; t++) {
		if (saved[t].nights != NULL && code != 0)
			nights_restore(a, t, &saved[t]);
		free(saved[t].nights);
		free(saved[t].rates);
	}
	answer->code = code != 0 ? code : KEYRACK_DONE;
}

/* 0, or what is wrong with the types and the plan that it names. */
static int names_check(const struct hotel *h, const struct m_update *u)
{
	int found = 0;
	for (int i = 0; i < u->type_count; i++) {
		const struct type *t = &h->types[u->types[i]];
		if (!t->exists || !m_has_plan(t, u->plan))
			return KEYRACK_NOT_FOUND;
		if (!has_rates(t, u->plan))
			return KEYRACK_INVALID;
	}
	for (int t = 0; t < M_TYPES; t++)
		found += is_named(h, u, t);
	return found == 0 ? KEYRACK_NOT_FOUND : 0;
}

struct m_answer model_update(struct model *m, struct m_now now, const struct m_update *u)
{
	(void)now;
	struct hotel *h = m_hotel_find(m, u->hotel);
	if (update_is_malformed(u))
		return m_no(KEYRACK_INVALID);
	if (h == NULL)
		return m_no(KEYRACK_NOT_FOUND);
	struct source *source = NULL;
	if (u->source_seq != 0) {
		source = source_of(h, u->source);
		if (source != NULL && source->used && u->source_seq <= source->seq)
			return (struct m_answer){
				.code = KEYRACK_DONE, .repeated = true, .version = h->version};
	}
	if (u->has_version && u->version != h->version)
		return m_no(KEYRACK_VERSION_MISMATCH);
	const int code = names_check(h, u);
	if (code != 0)
		return m_no(code);
	if (u->first_day < h->business_day)
		return m_no(KEYRACK_PAST_DATE);
	if (!m_in_window(m, h, u->last_day))
		return m_no(KEYRACK_OUT_OF_WINDOW);
	struct m_answer answer = {0};
	update_apply(&(struct m_applied){m, h, u, u->source_seq == 0 || source != NULL}, &answer);
	if (answer.code != KEYRACK_DONE)
		return m_no(answer.code);
	if (source != NULL)
		*source = (struct source){true, u->source, u->source_seq};
	h->event_seq++;
	answer.version = ++h->version;
	return answer;
}

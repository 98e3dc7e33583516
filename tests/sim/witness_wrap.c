/*
 * The inventory's calls as the shard makes them: the linker sends them here (--wrap), the real
 * ones do the work.
 */
#include <string.h>

#include "base/hash.h"
#include "tests/property/model/model_priv.h"
#include "tests/sim/client.h"
#include "tests/sim/witness.h"
#include "tests/sim/witness_compare.h"
#include "tests/sim/witness_list.h"
#include "tests/sim/witness_wrap.h"

#define JUDGE(name, op_type)                                                                       \
	enum inv_result __wrap_##name(struct inv *inv, struct inv_now now, const op_type *op,      \
		struct inv_effect *ret_effect, struct inv_answer *ret_answer)

static void text_copy(char *to, struct inv_text from)
{
	kr_assert(from.size_bytes < M_TEXT);
	if (from.size_bytes > 0)
		memcpy(to, from.bytes, from.size_bytes);
}

/* ---- changes ---- */

static void lines_from(const struct inv_line *lines, uint32_t line_count, struct m_line *ret)
{
	kr_assert(line_count <= M_LINES);
	for (uint32_t i = 0; i < line_count; i++) {
		const struct inv_line *l = &lines[i];
		struct m_line *m = &ret[i];
		m->type = l->type;
		m->plan = l->plan;
		m->check_in = l->check_in;
		m->check_out = l->check_out;
		m->rooms = l->rooms;
		m->guests = l->guests;
		m->pricing = l->pricing;
		m->keeps = l->keeps;
		kr_assert(l->run_count <= M_RUNS);
		m->run_count = l->run_count;
		for (uint32_t k = 0; k < l->run_count; k++) {
			m->runs[k].nights = l->runs[k].nights;
			m->runs[k].price = l->runs[k].price_minor;
		}
	}
}

static void reserve_from(const struct inv_reserve_op *op, struct m_reserve *r)
{
	memset(r, 0, sizeof(*r));
	r->hotel = op->hotel.v;
	r->id.hi = op->id.hi;
	r->id.lo = op->id.lo;
	r->book = op->book;
	r->reacquires.hi = op->reacquires.hi;
	r->reacquires.lo = op->reacquires.lo;
	r->replaces.hi = op->replaces.hi;
	r->replaces.lo = op->replaces.lo;
	r->force = op->force;
	r->line_count = (int)op->line_count;
	lines_from(op->lines, op->line_count, r->lines);
	r->ttl_us = op->ttl_us;
	r->has_expected = op->has_expected_total;
	r->expected = op->expected_total_minor;
	r->guest_hi = op->guest.hi;
	r->guest_lo = op->guest.lo;
	text_copy(r->external_ref, op->external_ref);
	text_copy(r->payment_ref, op->payment_ref);
	r->source = op->actor.source;
}

JUDGE(inv_reserve_judge, struct inv_reserve_op)
{
	const enum inv_result r = __real_inv_reserve_judge(inv, now, op, ret_effect, ret_answer);
	struct witness_shard *s = witness_of(inv);
	if (s == NULL)
		return r;
	struct deed *d = witness_deed(DEED_RESERVE, now, op->hotel.v, op->id);
	reserve_from(op, &d->u.reserve);
	witness_denied(s, ret_answer, op->hotel.v, op->id);
	witness_judged(s, inv, d, client_key_reserve(&d->u.reserve), ret_answer,
		r == INV_EFFECT ? ret_effect : NULL);
	return r;
}

static void import_from(const struct inv_import_op *op, struct m_import *i)
{
	struct m_reserve *r = &i->what;
	r->hotel = op->hotel.v;
	r->id.hi = op->id.hi;
	r->id.lo = op->id.lo;
	r->force = op->force;
	r->line_count = (int)op->line_count;
	lines_from(op->lines, op->line_count, r->lines);
	r->guest_hi = op->guest.hi;
	r->guest_lo = op->guest.lo;
	text_copy(r->external_ref, op->external_ref);
	text_copy(r->payment_ref, op->payment_ref);
	r->source = op->source;
	i->state = op->state;
	i->was_held = op->was_held;
	i->graced = op->graced;
	i->revision = op->revision;
	i->created_us = op->created_at_us;
	i->changed_us = op->changed_at_us;
	i->expires_us = op->expires_at_us;
	i->change_id = op->change_id;
	i->has_counted_until = op->has_counted_until;
	i->counted_until = op->counted_until;
}

JUDGE(inv_import_judge, struct inv_import_op)
{
	const enum inv_result r = __real_inv_import_judge(inv, now, op, ret_effect, ret_answer);
	struct witness_shard *s = witness_of(inv);
	if (s == NULL)
		return r;
	struct deed *d = witness_deed(DEED_IMPORT, now, op->hotel.v, (struct kr_id){0, 0});
	import_from(op, &d->u.import);
	witness_judged(s, inv, d, client_key_import(&d->u.import), ret_answer,
		r == INV_EFFECT ? ret_effect : NULL);
	return r;
}

JUDGE(inv_transition_judge, struct inv_transition_op)
{
	const enum inv_result r = __real_inv_transition_judge(inv, now, op, ret_effect, ret_answer);
	struct witness_shard *s = witness_of(inv);
	if (s == NULL)
		return r;
	/* an id of another system leads nowhere by itself */
	struct deed *d = witness_deed(DEED_TRANSITION, now, op->hotel.v,
		reservation_id_is_native(op->id) ? op->id : (struct kr_id){0, 0});
	struct m_transition *t = &d->u.transition;
	if (op->transition == INV_MODIFY)
		witness_denied(s, ret_answer, ret_answer->hotel.v, (struct kr_id){0, 0});
	t->what = (int)op->transition;
	t->id.hi = op->id.hi;
	t->id.lo = op->id.lo;
	t->has_hotel = op->has_hotel;
	t->hotel = op->hotel.v;
	t->has_revision = op->has_expected_revision;
	t->revision = op->expected_revision;
	t->any = op->any;
	text_copy(t->payment_ref, op->payment_ref);
	t->change_id = op->change_id;
	t->expires_us = op->expires_at_us;
	t->line_count = (int)op->line_count;
	lines_from(op->lines, op->line_count, t->lines);
	t->force = op->force;
	t->has_expected = op->has_expected_total;
	t->expected = op->expected_total_minor;
	witness_judged(s, inv, d, client_key_transition(t), ret_answer,
		r == INV_EFFECT ? ret_effect : NULL);
	return r;
}

static void update_from(const struct inv_update_op *op, struct m_update *u)
{
	const struct inv_update *f = &op->update;
	u->hotel = op->hotel.v;
	u->plan = f->plan;
	kr_assert(op->type_count <= M_TYPES);
	u->type_count = (int)op->type_count;
	for (uint32_t i = 0; i < op->type_count; i++)
		u->types[i] = op->types[i];
	u->first_day = f->first_day;
	u->last_day = f->last_day;
	u->weekday_mask = f->weekday_mask;
	u->set = f->set_mask;
	u->adjust = f->adjust_mask;
	u->clear = f->clear_mask;
	u->physical = f->physical;
	u->out_of_order = f->out_of_order;
	u->allowance = f->allowance;
	u->cap = f->cap;
	u->price = f->price_minor;
	u->available = f->available;
	u->allowance_unit = f->allowance_unit;
	u->closed = f->closed;
	u->cta = f->cta;
	u->ctd = f->ctd;
	u->plan_closed = f->plan_closed;
	u->plan_cta = f->plan_cta;
	u->plan_ctd = f->plan_ctd;
	u->min_arrival = f->los.min_arrival;
	u->max_arrival = f->los.max_arrival;
	u->min_through = f->los.min_through;
	u->max_through = f->los.max_through;
	u->source = f->source;
	u->source_seq = f->source_seq;
	u->has_version = op->has_expected_version;
	u->version = op->expected_ari_version;
}

JUDGE(inv_update_judge, struct inv_update_op)
{
	const enum inv_result r = __real_inv_update_judge(inv, now, op, ret_effect, ret_answer);
	struct witness_shard *s = witness_of(inv);
	if (s == NULL)
		return r;
	struct deed *d = witness_deed(DEED_UPDATE, now, op->hotel.v, (struct kr_id){0, 0});
	update_from(op, &d->u.update);
	witness_judged(s, inv, d, client_key_update(&d->u.update), ret_answer,
		r == INV_EFFECT ? ret_effect : NULL);
	return r;
}

static int zone_offset_s(struct inv_text zone)
{
	for (uint32_t i = 0; i < SIM_HOTELS; i++)
		if (zone.size_bytes == strlen(client_zones[i].name) &&
			memcmp(zone.bytes, client_zones[i].name, zone.size_bytes) == 0)
			return client_zones[i].offset_s;
	kr_unreachable();
}

JUDGE(inv_hotel_judge, struct inv_hotel_op)
{
	const enum inv_result r = __real_inv_hotel_judge(inv, now, op, ret_effect, ret_answer);
	struct witness_shard *s = witness_of(inv);
	if (s == NULL)
		return r;
	struct deed *d = witness_deed(DEED_HOTEL, now, op->hotel.v, (struct kr_id){0, 0});
	struct m_hotel_settings *h = &d->u.hotel;
	h->offset_s = zone_offset_s(op->settings.zone);
	h->day_roll_minute = op->settings.day_roll_minute;
	h->check_in_minute = op->settings.check_in_minute;
	h->nights_max = op->settings.nights_max;
	h->hold_ttl_us = op->settings.hold_ttl_us;
	h->hold_ttl_max_us = op->settings.hold_ttl_max_us;
	h->hold_total_max_us = op->settings.hold_total_max_us;
	h->holds_max = op->settings.holds_max;
	h->guest_holds_max = op->settings.guest_holds_max;
	h->status = op->settings.status;
	witness_judged(s, inv, d, client_key_hotel(d->hotel, h), ret_answer,
		r == INV_EFFECT ? ret_effect : NULL);
	return r;
}

JUDGE(inv_type_judge, struct inv_type_op)
{
	const enum inv_result r = __real_inv_type_judge(inv, now, op, ret_effect, ret_answer);
	struct witness_shard *s = witness_of(inv);
	if (s == NULL)
		return r;
	struct deed *d = witness_deed(DEED_TYPE, now, op->hotel.v, (struct kr_id){0, 0});
	struct m_type_settings *t = &d->u.type;
	const struct inv_type_settings *f = &op->settings;
	d->type = op->type;
	t->status = f->status;
	t->plan_status = f->plan_status;
	t->has_physical = op->mask & INV_TYPE_PHYSICAL;
	t->has_out_of_order = op->mask & INV_TYPE_OUT_OF_ORDER;
	t->has_allowance = op->mask & INV_TYPE_ALLOWANCE;
	t->has_cap = op->mask & INV_TYPE_CAP;
	t->physical = f->physical;
	t->out_of_order = f->out_of_order;
	t->allowance = f->allowance;
	t->cap = f->cap;
	t->allowance_unit = f->allowance_unit;
	t->guests_max = f->guests_max;
	t->advance_min = f->advance_min_minutes;
	t->advance_max = f->advance_max_minutes;
	witness_judged(s, inv, d, client_key_type(d->hotel, d->type, t), ret_answer,
		r == INV_EFFECT ? ret_effect : NULL);
	return r;
}

void witness_plan_from(const struct inv_plan_settings *f, struct m_plan_settings *ret)
{
	memset(ret, 0, sizeof(*ret));
	text_copy(ret->code, f->code);
	ret->status = f->status;
	ret->advance_min = f->advance_min_minutes;
	ret->advance_max = f->advance_max_minutes;
	ret->parent = f->parent;
	ret->derivation = f->derivation;
	ret->adjustment = f->adjustment;
	kr_assert(f->tier_count <= M_TIERS);
	ret->terms.tier_count = f->tier_count;
	for (int i = 0; i < f->tier_count; i++)
		ret->terms.tiers[i] = (struct m_tier){
			f->tiers[i].hours, f->tiers[i].nights, f->tiers[i].basis_points};
}

JUDGE(inv_plan_judge, struct inv_plan_op)
{
	const enum inv_result r = __real_inv_plan_judge(inv, now, op, ret_effect, ret_answer);
	struct witness_shard *s = witness_of(inv);
	if (s == NULL)
		return r;
	struct deed *d = witness_deed(DEED_PLAN, now, op->hotel.v, (struct kr_id){0, 0});
	struct m_plan_put *p = &d->u.plan;
	p->hotel = op->hotel.v;
	p->type = op->type;
	p->plan = op->plan;
	p->mask = op->mask;
	p->has_version = op->has_expected_version;
	p->version = op->expected_ari_version;
	witness_plan_from(&op->settings, &p->settings);
	witness_judged(
		s, inv, d, client_key_plan(p), ret_answer, r == INV_EFFECT ? ret_effect : NULL);
	return r;
}

/* ---- the clock ---- */

enum inv_result __wrap_inv_due_judge(
	struct inv *inv, struct inv_now now, struct inv_effect *ret_effect)
{
	const enum inv_result r = __real_inv_due_judge(inv, now, ret_effect);
	struct witness_shard *s = witness_of(inv);
	if (s != NULL && r == INV_EFFECT)
		model_clock(s->live, (struct m_now){now.t_us, now.wall_us});
	return r;
}

enum inv_result __wrap_inv_grace_judge(
	struct inv *inv, struct inv_now now, uint64_t last_t_us, struct inv_effect *ret_effect)
{
	const enum inv_result r = __real_inv_grace_judge(inv, now, last_t_us, ret_effect);
	struct witness_shard *s = witness_of(inv);
	if (s != NULL && r == INV_EFFECT) {
		s->grace_now = (struct m_now){now.t_us, now.wall_us};
		s->grace_last_us = last_t_us;
		model_restart(s->live, s->grace_now, last_t_us);
	}
	return r;
}

int __wrap_inv_apply(
	struct inv *inv, const struct inv_effect *effect, struct inv_contradiction *ret)
{
	struct witness_shard *s = witness_of(inv); /* none while it recovers */
	if (s != NULL && effect->kind == INV_EFFECT_START)
		witness_start(s, inv, effect->lsn);
	const int r = __real_inv_apply(inv, effect, ret);
	if (s != NULL && r == 0)
		witness_applied(s, effect);
	return r;
}

/* ---- the log ---- */

int __wrap_log_io_append(struct log_io *log, const struct log_append *append)
{
	const uint64_t last_lsn = append->first_lsn + append->count - 1;
	const int r = __real_log_io_append(log, append);
	struct witness_shard *s = witness_of_log(log);
	if (s != NULL && r == 0)
		witness_batch(s, last_lsn);
	return r;
}

int __wrap_log_store_recover(struct log_store *store, const struct log_meta *wanted,
	bool ignore_meta, const struct log_applier *applier, struct kr_error_text *text)
{
	witness_recover(store, false);
	const int r = __real_log_store_recover(store, wanted, ignore_meta, applier, text);
	if (r == 0)
		witness_recover(store, true);
	return r;
}

/* ---- reads ---- */

static uint64_t digest(const uint64_t *words, size_t count)
{
	return hash_64(words, count * sizeof(uint64_t));
}

void __wrap_inv_availability(const struct inv *inv, struct hotel_id hotel, const uint16_t *types,
	uint32_t type_count, uint16_t plan, int32_t first_day, uint32_t night_count,
	uint64_t *counters, uint64_t *rates, struct inv_answer *a)
{
	__real_inv_availability(
		inv, hotel, types, type_count, plan, first_day, night_count, counters, rates, a);
	struct witness_shard *s = witness_of(inv);
	if (s == NULL)
		return;
	struct witness_reply reply = {.code = a->code};
	const bool is_told = a->code == KEYRACK_DONE;
	if (is_told) {
		const uint32_t count = type_count * night_count;
		for (uint32_t i = 0; i < count; i++)
			witness_compare_cell(s, inv, hotel.v, types[i / night_count], plan,
				first_day + (int32_t)(i % night_count), counters[i], rates[i]);
		reply.version = model_version(s->live, hotel.v);
		reply.business_day = (uint64_t)(int64_t)model_business_day(s->live, hotel.v);
		reply.digest = digest(counters, count) ^ hash_mix(digest(rates, count));
		for (uint32_t i = 0; i < type_count; i++)
			reply.digest = hash_mix(reply.digest ^ types[i]);
	} else {
		const int day = model_business_day(s->live, hotel.v);
		const int end = day + s->live->config.window_nights;
		const bool is_outside = first_day < day || first_day + (int32_t)night_count > end;
		bool has_plan = type_count > 0 || plan == 0;
		for (uint32_t i = 0; i < type_count; i++)
			has_plan &= model_has_plan(s->live, hotel.v, types[i], plan);
		if (a->code == KEYRACK_NOT_FOUND ? has_plan : !is_outside)
			witness_fail(s, "AVAILABILITY of the window: %s", code_name(a->code));
		witness_reply_refusal(&a->refusal, &reply);
	}
	witness_said(s, slot_of_hotel(hotel),
		client_key_nights(hotel.v, plan, first_day, night_count), &reply);
}

bool __wrap_inv_type_has_plan(
	const struct inv *inv, struct hotel_id hotel, uint16_t type, uint16_t plan)
{
	const bool has = __real_inv_type_has_plan(inv, hotel, type, plan);
	struct witness_shard *s = witness_of(inv);
	if (s != NULL && has != model_has_plan(s->live, hotel.v, type, plan))
		witness_fail(s, "hotel %llu type %u: has plan %u: %d", (unsigned long long)hotel.v,
			type, plan, has);
	return has;
}

uint64_t witness_plan(uint64_t digest_before, int type, int plan, const struct m_plan_settings *p)
{
	uint64_t words[11 + 3 * M_TIERS] = {digest_before, (uint64_t)type, (uint64_t)plan,
		hash_64(p->code, strlen(p->code)), (uint64_t)p->status, p->advance_min,
		p->advance_max, (uint64_t)p->parent, (uint64_t)p->derivation,
		(uint64_t)p->adjustment, (uint64_t)p->terms.tier_count};
	uint64_t *word = words + 11;
	for (int i = 0; i < p->terms.tier_count; i++) {
		*word++ = (uint64_t)p->terms.tiers[i].hours;
		*word++ = (uint64_t)p->terms.tiers[i].nights;
		*word++ = (uint64_t)p->terms.tiers[i].points;
	}
	return digest(words, KR_ARRAY_COUNT(words));
}

/* What the engine lists are the model's plans from there on, all or the first of them. */
static uint64_t plans_compare(struct witness_shard *s, uint64_t hotel, int type, int plan,
	const struct inv_plan_view *views, uint32_t count, bool more)
{
	uint64_t heard = 0, told = 0;
	uint32_t there = 0;
	for (; type < M_TYPES; type++, plan = 0) {
		int p = model_plan_next(s->live, hotel, type, plan - 1);
		for (; p >= 0; p = model_plan_next(s->live, hotel, type, p)) {
			const struct m_plan_settings m = model_plan(s->live, hotel, type, p);
			if (there++ < count)
				told = witness_plan(told, type, p, &m);
		}
	}
	for (uint32_t i = 0; i < count; i++) {
		struct m_plan_settings e;
		witness_plan_from(&views[i].settings, &e);
		heard = witness_plan(heard, views[i].type, views[i].plan, &e);
	}
	if (count > there || more != (there > count) || told != heard)
		witness_fail(s, "hotel %llu: %u plans are listed, the model has %u",
			(unsigned long long)hotel, count, there);
	return told;
}

uint32_t __wrap_inv_plan_list(const struct inv *inv, struct hotel_id hotel, uint16_t from_type,
	uint16_t from_plan, struct inv_plan_view *views, uint32_t count_max, bool *more)
{
	const uint32_t count =
		__real_inv_plan_list(inv, hotel, from_type, from_plan, views, count_max, more);
	struct witness_shard *s = witness_of(inv);
	if (s == NULL)
		return count;
	const struct witness_reply reply = {.code = KEYRACK_DONE,
		.digest = plans_compare(s, hotel.v, from_type, from_plan, views, count, *more),
		.cells = count,
		.repeated = *more,
		.version = model_version(s->live, hotel.v)};
	witness_said(s, slot_of_hotel(hotel),
		client_key_plans(hotel.v, from_type, from_plan, count_max), &reply);
	return count;
}

static void compare_cost(
	struct witness_shard *s, const char *what, const struct inv_cost *e, const struct m_cost *m)
{
	if (e->free_until_us != m->free_until_us || e->has_amounts != m->has_amounts ||
		e->penalty_minor != m->penalty || e->refundable_minor != m->refundable)
		witness_fail(s, "%s: free until %llu, penalty %llu, the model %llu, %llu", what,
			(unsigned long long)e->free_until_us, (unsigned long long)e->penalty_minor,
			(unsigned long long)m->free_until_us, (unsigned long long)m->penalty);
}

uint32_t __wrap_inv_stay_check(struct inv *inv, struct inv_now now, const struct inv_reserve_op *op,
	bool explain, struct inv_refusal *ret_refusals, struct inv_line *ret_lines,
	uint32_t *ret_rooms_left, struct inv_answer *a)
{
	const uint32_t count = __real_inv_stay_check(
		inv, now, op, explain, ret_refusals, ret_lines, ret_rooms_left, a);
	struct witness_shard *s = witness_of(inv);
	if (s == NULL)
		return count;
	struct m_reserve r;
	reserve_from(op, &r);
	const struct m_answer m = model_stay(s->live, (struct m_now){now.t_us, now.wall_us}, &r);
	if (a->code != m.code || (m.code == KEYRACK_DONE && a->total_minor != m.total))
		witness_fail(s, "STAY: the engine says %s, the model %s", code_name(a->code),
			code_name((unsigned)m.code));
	struct witness_reply reply = {.code = a->code,
		.total = a->total_minor,
		.has_total = a->has_total,
		.version = a->ari_version,
		.cells = count};
	if (count > 0)
		witness_reply_refusal(&ret_refusals[0], &reply);
	if (m.code == KEYRACK_DONE) {
		const struct m_cost expected =
			model_stay_cost(s->live, (struct m_now){now.t_us, now.wall_us}, &r);
		const struct inv_cost cost = inv_lines_cost(ret_lines, op->line_count, now.t_us);
		compare_cost(s, "STAY", &cost, &expected);
		reply.free_until = cost.free_until_us;
	}
	witness_said(s, slot_of_hotel(op->hotel), client_key_stay(&r, explain), &reply);
	return count;
}

bool __wrap_inv_reservation_get_of(struct inv *inv, struct hotel_id hotel, struct kr_id id,
	uint64_t now_us, struct inv_reservation_view *ret)
{
	const bool found = __real_inv_reservation_get_of(inv, hotel, id, now_us, ret);
	struct witness_shard *s = witness_of(inv);
	if (s == NULL)
		return found;
	struct witness_reply reply = {0};
	if (found) {
		witness_compare_record(s, ret, now_us);
		reply.code = KEYRACK_DONE;
		reply.state = ret->state;
		reply.due = ret->due;
		reply.revision = ret->revision;
		reply.expires_us = ret->expires_at_us;
		reply.total = ret->total_minor;
		reply.has_total = ret->has_total;
		reply.event_seq = ret->event_seq;
		reply.hotel = ret->hotel.v;
		reply.last_seq = ret->change_id;
		reply.cells = ret->line_count;
		reply.free_until = ret->cost.free_until_us;
		reply.has_amounts = ret->cost.has_amounts;
		reply.penalty = ret->cost.penalty_minor;
		reply.refundable = ret->cost.refundable_minor;
		const struct m_now at = {now_us, now_us};
		const struct m_cost expected = model_cost(s->live, at, (struct m_id){id.hi, id.lo});
		compare_cost(s, "RESERVATION_GET", &ret->cost, &expected);
	} else {
		const bool is_old = reservation_id_is_native(id) &&
				    (id.hi >> 16) < s->live->purge_mark_us / 1000;
		const uint16_t code = is_old ? KEYRACK_KEY_EXPIRED : KEYRACK_NOT_FOUND;
		for (int i = 0; i < s->live->count; i++)
			if (s->live->reservations[i].asked.id.hi == id.hi &&
				s->live->reservations[i].asked.id.lo == id.lo)
				witness_fail(s, "record %016llx is not found",
					(unsigned long long)id.lo);
		reply.code = code;
		reply.rule = RULE_ID;
	}
	const uint32_t slot =
		reservation_id_is_native(id) ? reservation_id_slot(id) : slot_of_hotel(hotel);
	witness_said(s, slot, client_key_get(id), &reply);
	return found;
}

/* Whoever reads of one that is not there hears no more than that. */
static void hotel_looked_for(struct witness_shard *s, struct hotel_id hotel, bool found)
{
	const struct witness_reply reply = {.code = KEYRACK_NOT_FOUND, .rule = RULE_HOTEL};
	if (found != (m_hotel_find(s->live, hotel.v) != NULL))
		witness_fail(s, "hotel %llu: found %d", (unsigned long long)hotel.v, found);
	if (!found)
		witness_said(s, slot_of_hotel(hotel), client_key_no_hotel(hotel.v), &reply);
}

bool __wrap_inv_hotel_head(const struct inv *inv, struct hotel_id hotel, struct inv_hotel_head *ret)
{
	const bool found = __real_inv_hotel_head(inv, hotel, ret);
	struct witness_shard *s = witness_of(inv);
	if (s != NULL && s->pending == NULL)
		hotel_looked_for(s, hotel, found);
	return found;
}

bool __wrap_inv_hotel_get(const struct inv *inv, struct hotel_id hotel, struct inv_hotel_view *ret)
{
	const bool found = __real_inv_hotel_get(inv, hotel, ret);
	struct witness_shard *s = witness_of(inv);
	if (s == NULL || s->pending != NULL)
		return found;
	hotel_looked_for(s, hotel, found);
	if (!found)
		return found;
	const struct witness_reply reply = {
		.code = KEYRACK_DONE,
		.version = model_version(s->live, hotel.v),
		.event_seq = model_event_seq(s->live, hotel.v),
		.business_day = (uint64_t)(int64_t)model_business_day(s->live, hotel.v),
	};
	if (ret->ari_version != reply.version || ret->event_seq != reply.event_seq)
		witness_fail(s, "hotel %llu: version %llu event %llu, the model %llu %llu",
			(unsigned long long)hotel.v, (unsigned long long)ret->ari_version,
			(unsigned long long)ret->event_seq, (unsigned long long)reply.version,
			(unsigned long long)reply.event_seq);
	witness_said(s, slot_of_hotel(hotel), client_key_hotel_get(hotel.v), &reply);
	return found;
}

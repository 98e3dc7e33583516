#include "tests/unit/log/random_effect.h"

uint64_t random_value(struct rng *rng, uint64_t max)
{
	uint64_t value = rng_next(rng) >> rng_below(rng, 64);
	return max == UINT64_MAX ? value : value % (max + 1);
}

static int64_t random_signed(struct rng *rng, int64_t min, int64_t max)
{
	return (int64_t)((uint64_t)min + random_value(rng, (uint64_t)max - (uint64_t)min));
}

static struct inv_text random_text(struct random_effect *random, uint32_t size_min)
{
	char *bytes = random->texts[random->text_count++];
	kr_assert(random->text_count <= 8);
	rng_fill(&random->rng, bytes, INV_TEXT_SIZE_MAX);
	uint32_t size = (uint32_t)rng_range(&random->rng, size_min, INV_TEXT_SIZE_MAX);
	return (struct inv_text){.bytes = bytes, .size_bytes = size};
}

static bool coin(struct random_effect *random)
{
	return rng_below(&random->rng, 2) == 0;
}

static void random_head(struct random_effect *random, struct inv_effect *e)
{
	struct rng *rng = &random->rng;
	bool shard_wide =
		(e->kind >= INV_EFFECT_START && e->kind <= INV_EFFECT_TRUNCATE) ||
		((e->kind == INV_EFFECT_RETIRE || e->kind == INV_EFFECT_VOID) && coin(random));
	bool has_revision = (e->kind >= INV_EFFECT_RESERVE && e->kind <= INV_EFFECT_RETIRE) ||
			    (e->kind >= INV_EFFECT_EXTEND && e->kind != INV_EFFECT_PLAN);
	if (!shard_wide) {
		e->hotel.v = 1 + random_value(rng, UINT64_MAX - 1);
		e->event_seq = 1 + random_value(rng, UINT64_MAX - 1);
	}
	if (coin(random))
		e->actor.actor = random_value(rng, UINT64_MAX);
	if (coin(random))
		e->actor.source = (uint32_t)random_value(rng, UINT32_MAX);
	if (coin(random))
		e->actor.principal = (uint32_t)random_value(rng, UINT32_MAX);
	if (coin(random))
		e->actor.reason = random_text(random, 1);
	if (has_revision || e->kind == INV_EFFECT_VOID)
		e->id = (struct kr_id){.hi = rng_next(rng), .lo = rng_next(rng)};
	if (has_revision)
		e->revision = coin(random) ? 1 : (uint32_t)random_value(rng, UINT32_MAX);
}

static void random_olds(struct random_effect *random, struct inv_effect *e)
{
	uint32_t count = (uint32_t)random_value(&random->rng, INV_OLDS_MAX);
	struct inv_cell_old *olds = random->scratch.arrays.olds;
	for (uint32_t i = 0; i < count; i++) {
		if (i > 0 && rng_below(&random->rng, 3) > 0) {
			olds[i] = olds[i - 1];
			continue;
		}
		olds[i].held = (uint16_t)random_value(&random->rng, UINT16_MAX);
		olds[i].booked = (uint16_t)random_value(&random->rng, UINT16_MAX);
	}
	e->olds = olds;
	e->old_count = count;
}

static void random_hotel(struct random_effect *random, struct inv_effect_hotel *h)
{
	struct rng *rng = &random->rng;
	struct inv_hotel_settings *s = &h->settings;
	h->created = coin(random);
	s->code = random_text(random, 0);
	s->zone = random_text(random, 0);
	memcpy(s->currency, "EUR", 4);
	s->currency_digits = (uint8_t)rng_below(rng, 5);
	s->day_roll_minute = (uint16_t)random_value(rng, UINT16_MAX);
	s->check_in_minute = (uint16_t)random_value(rng, UINT16_MAX);
	s->nights_max = (uint16_t)random_value(rng, UINT16_MAX);
	s->hold_ttl_us = random_value(rng, UINT64_MAX);
	s->hold_ttl_max_us = random_value(rng, UINT64_MAX);
	s->hold_total_max_us = random_value(rng, UINT64_MAX);
	s->holds_max = (uint32_t)random_value(rng, UINT32_MAX);
	s->guest_holds_max = (uint32_t)random_value(rng, UINT32_MAX);
	s->status = (uint8_t)rng_below(rng, 4);
	h->business_day = (int32_t)random_signed(rng, INT32_MIN, INT32_MAX);
	h->ari_version = random_value(rng, UINT64_MAX);
}

static void random_type(struct random_effect *random, struct inv_effect_type *t)
{
	struct rng *rng = &random->rng;
	struct inv_type_settings *s = &t->settings;
	t->created = coin(random);
	t->type = (uint16_t)random_value(rng, UINT16_MAX);
	t->set_mask = (uint32_t)rng_below(rng, INV_TYPE_MASK + 1);
	s->code = random_text(random, 0);
	s->status = (uint8_t)rng_below(rng, 4);
	s->plan_status = (uint8_t)rng_below(rng, 4);
	s->allowance_unit = (uint8_t)rng_below(rng, 3);
	s->physical = (uint16_t)random_value(rng, UINT16_MAX);
	s->out_of_order = (uint16_t)random_value(rng, UINT16_MAX);
	s->allowance = (int32_t)random_signed(rng, INT32_MIN, INT32_MAX);
	s->cap = (int16_t)random_signed(rng, INT16_MIN, INT16_MAX);
	s->guests_max = (uint16_t)random_value(rng, UINT16_MAX);
	s->advance_min_minutes = (uint32_t)random_value(rng, UINT32_MAX);
	s->advance_max_minutes = (uint32_t)random_value(rng, UINT32_MAX);
	t->ari_version = random_value(rng, UINT64_MAX);
}

static void random_tiers(struct random_effect *random, struct inv_plan_settings *s)
{
	struct rng *rng = &random->rng;
	uint16_t hours = (uint16_t)(INV_TIERS_MAX + rng_below(rng, 1000));
	s->tier_count = (uint8_t)rng_below(rng, INV_TIERS_MAX + 1);
	for (uint32_t i = 0; i < s->tier_count; i++) {
		bool in_nights = coin(random);
		s->tiers[i].hours = (uint16_t)(hours - i);
		s->tiers[i].nights = in_nights ? (uint16_t)(1 + rng_below(rng, 30)) : 0;
		s->tiers[i].basis_points = in_nights ? 0 : (uint16_t)(1 + rng_below(rng, 10000));
	}
}

static void random_plan(struct random_effect *random, struct inv_effect_plan *p)
{
	struct rng *rng = &random->rng;
	struct inv_plan_settings *s = &p->settings;
	p->created = coin(random);
	p->type = (uint16_t)random_value(rng, UINT16_MAX);
	p->plan = (uint16_t)random_value(rng, UINT16_MAX);
	s->code = random_text(random, 0);
	s->status = (uint8_t)rng_below(rng, 4);
	s->derivation = (uint8_t)rng_below(rng, 4);
	s->parent = (uint16_t)random_value(rng, UINT16_MAX);
	s->adjustment = random_signed(rng, INT64_MIN, INT64_MAX);
	s->advance_min_minutes = (uint32_t)random_value(rng, UINT32_MAX);
	s->advance_max_minutes = (uint32_t)random_value(rng, UINT32_MAX);
	random_tiers(random, s);
	p->ari_version = random_value(rng, UINT64_MAX);
}

static struct los_class random_los(struct rng *rng)
{
	return (struct los_class){
		.min_arrival = (uint16_t)random_value(rng, UINT16_MAX),
		.max_arrival = (uint16_t)random_value(rng, UINT16_MAX),
		.min_through = (uint16_t)random_value(rng, UINT16_MAX),
		.max_through = (uint16_t)random_value(rng, UINT16_MAX),
	};
}

/* A field has a value only where it is set or adjusted. */
static int64_t random_field(
	struct random_effect *random, const struct inv_update *u, uint32_t field)
{
	if (((u->set_mask | u->adjust_mask) & field) == 0)
		return 0;
	return random_signed(&random->rng, INT64_MIN, INT64_MAX);
}

static void random_update(struct random_effect *random, struct inv_effect_update *e)
{
	struct rng *rng = &random->rng;
	struct inv_update *u = &e->update;
	e->type_count = (uint32_t)random_value(rng, INV_HOTEL_TYPES_MAX);
	for (uint32_t i = 0; i < e->type_count; i++)
		random->scratch.types[i] = (uint16_t)random_value(rng, UINT16_MAX);
	e->types = random->scratch.types;
	u->plan = (uint16_t)random_value(rng, UINT16_MAX);
	u->first_day = (int32_t)random_signed(rng, INV_DAY_MIN, INV_DAY_MAX);
	u->last_day = u->first_day + (int32_t)random_value(rng, INV_UPDATE_CELLS_MAX);
	u->weekday_mask = (uint8_t)rng_below(rng, 128);
	u->set_mask = (uint32_t)rng_below(rng, INV_UPDATE_MASK + 1);
	u->adjust_mask = (uint32_t)rng_below(rng, INV_UPDATE_MASK + 1);
	u->clear_mask = (uint32_t)rng_below(rng, INV_UPDATE_MASK + 1);
	u->physical = random_field(random, u, INV_UPDATE_PHYSICAL);
	u->out_of_order = random_field(random, u, INV_UPDATE_OUT_OF_ORDER);
	u->allowance = random_field(random, u, INV_UPDATE_ALLOWANCE);
	u->allowance_unit = (uint8_t)rng_below(rng, 3);
	u->cap = random_field(random, u, INV_UPDATE_CAP);
	u->price_minor = random_field(random, u, INV_UPDATE_PRICE);
	u->available = random_field(random, u, INV_UPDATE_AVAILABLE);
	u->los.min_arrival = (uint16_t)random_field(random, u, INV_UPDATE_MIN_ARRIVAL);
	u->los.max_arrival = (uint16_t)random_field(random, u, INV_UPDATE_MAX_ARRIVAL);
	u->los.min_through = (uint16_t)random_field(random, u, INV_UPDATE_MIN_THROUGH);
	u->los.max_through = (uint16_t)random_field(random, u, INV_UPDATE_MAX_THROUGH);
	u->closed = coin(random);
	u->cta = coin(random);
	u->ctd = coin(random);
	u->plan_closed = coin(random);
	u->plan_cta = coin(random);
	u->plan_ctd = coin(random);
	u->source = (uint32_t)random_value(rng, UINT32_MAX);
	u->source_seq = random_value(rng, UINT64_MAX);
	e->ari_version = random_value(rng, UINT64_MAX);
	e->old_count = (uint32_t)random_value(rng, 4096);
	for (uint32_t i = 0; i < e->old_count; i++) {
		random->scratch.update_olds[i] = (struct inv_update_old){
			.count = 1 + (uint32_t)random_value(rng, INV_UPDATE_CELLS_MAX - 1),
			.limit = (int16_t)random_signed(rng, INT16_MIN, INT16_MAX),
			.flags = (uint16_t)random_value(rng, UINT16_MAX),
			.price_minor = random_value(rng, RATE_PRICE_MAX),
			.rate_flags = (uint8_t)random_value(rng, UINT8_MAX),
			.los = coin(random) ? random_los(rng) : (struct los_class){0},
		};
	}
	e->olds = random->scratch.update_olds;
}

/* Hours descending, whatever is drawn. */
static void random_terms(
	struct random_effect *random, struct inv_tier tiers[INV_TIERS_MAX], struct inv_line *line)
{
	struct rng *rng = &random->rng;
	uint32_t hours = UINT16_MAX;
	line->tier_count = (uint8_t)(1 + rng_below(rng, INV_TIERS_MAX));
	line->tiers = tiers;
	line->arrival_us = 1 + random_value(rng, INV_DEADLINE_MAX_US - 1);
	for (uint32_t i = 0; i < line->tier_count; i++) {
		uint32_t rest = line->tier_count - i;
		hours -= 1 + (uint32_t)random_value(rng, hours - rest);
		tiers[i] = (struct inv_tier){.hours = (uint16_t)hours};
		if (coin(random))
			tiers[i].nights = (uint16_t)(1 + random_value(rng, UINT16_MAX - 1));
		else
			tiers[i].basis_points = (uint16_t)(1 + rng_below(rng, 10000));
	}
}

static void random_line(struct random_effect *random, uint32_t *used, struct inv_line *line)
{
	struct rng *rng = &random->rng;
	*line = (struct inv_line){0};
	struct inv_price_run *runs = random->scratch.arrays.runs + *used;
	line->type = (uint16_t)random_value(rng, UINT16_MAX);
	line->plan = (uint16_t)random_value(rng, UINT16_MAX);
	line->check_in = (int32_t)random_signed(rng, INV_DAY_MIN, INV_DAY_MAX);
	line->check_out = line->check_in + 1 + (int32_t)random_value(rng, 100);
	line->rooms = (uint16_t)random_value(rng, UINT16_MAX);
	line->guests = (uint16_t)random_value(rng, UINT16_MAX);
	line->pricing = (uint8_t)rng_below(rng, 3);
	line->run_count = (uint16_t)random_value(rng, 100);
	line->runs = runs;
	for (uint32_t i = 0; i < line->run_count; i++) {
		runs[i].nights = (uint16_t)random_value(rng, UINT16_MAX);
		runs[i].price_minor = random_value(rng, RATE_PRICE_MAX);
	}
	*used += line->run_count;
}

static uint32_t random_lines(struct random_effect *random)
{
	uint32_t used = 0, line_count = 1 + (uint32_t)rng_below(&random->rng, INV_LINES_MAX);
	for (uint32_t i = 0; i < line_count; i++)
		random_line(random, &used, &random->scratch.arrays.lines[i]);
	for (uint32_t i = 0; i < line_count; i++) {
		if (coin(random))
			random_terms(random, random->scratch.arrays.tiers[i],
				&random->scratch.arrays.lines[i]);
	}
	return line_count;
}

static void random_reserve(struct random_effect *random, struct inv_effect_reserve *r)
{
	struct rng *rng = &random->rng;
	r->book = coin(random);
	r->forced = coin(random);
	r->fingerprint = rng_next(rng);
	r->expires_at_us = r->book ? 0 : random_value(rng, UINT64_MAX);
	if (coin(random))
		r->guest = (struct inv_guest_id){.hi = rng_next(rng), .lo = rng_next(rng)};
	if (coin(random))
		r->external_ref = random_text(random, 1);
	if (coin(random))
		r->payment_ref = random_text(random, 1);
	if (!r->book && coin(random)) {
		r->replaces = (struct kr_id){.hi = rng_next(rng), .lo = rng_next(rng)};
		r->replaced_revision = 2 + (uint32_t)random_value(rng, UINT32_MAX - 2);
	}
	r->line_count = random_lines(random);
	r->lines = random->scratch.arrays.lines;
}

static void random_import(struct random_effect *random, struct inv_effect_import *i)
{
	struct rng *rng = &random->rng;
	i->state = (uint8_t)(INV_HELD + rng_below(rng, INV_VOID - INV_HELD));
	i->was_held = coin(random);
	i->graced = coin(random);
	i->forced = coin(random);
	i->fingerprint = rng_next(rng);
	i->source = (uint32_t)random_value(rng, UINT32_MAX);
	i->created_at_us = random_value(rng, UINT64_MAX);
	i->changed_at_us = random_value(rng, UINT64_MAX);
	if (i->state == INV_HELD || coin(random))
		i->expires_at_us = 1 + random_value(rng, UINT64_MAX - 1);
	if (i->state == INV_NO_SHOW || i->state == INV_COMPLETED)
		i->counted_until = (int32_t)random_signed(rng, INT32_MIN, INT32_MAX);
	if (coin(random))
		i->guest = (struct inv_guest_id){.hi = rng_next(rng), .lo = rng_next(rng)};
	if (coin(random))
		i->external_ref = random_text(random, 1);
	if (coin(random))
		i->payment_ref = random_text(random, 1);
	if (coin(random))
		i->change_id = 1 + rng_next(rng) / 2;
	i->line_count = random_lines(random);
	i->lines = random->scratch.arrays.lines;
}

static void random_rest(struct random_effect *random, struct inv_effect *e)
{
	struct rng *rng = &random->rng;
	if (e->kind == INV_EFFECT_CONFIRM && coin(random)) {
		e->u.confirm.payment_ref = random_text(random, 0);
	} else if (e->kind == INV_EFFECT_EXTEND) {
		e->u.extend.old_expires_at_us = random_value(rng, UINT64_MAX);
		e->u.extend.expires_at_us = random_value(rng, UINT64_MAX);
	} else if (e->kind == INV_EFFECT_ATTACH_PAYMENT) {
		e->u.attach.payment_ref = random_text(random, 1);
	} else if (e->kind == INV_EFFECT_MODIFY) {
		e->u.modify.forced = coin(random);
		e->u.modify.line_count = random_lines(random);
		e->u.modify.lines = random->scratch.arrays.lines;
	} else if (e->kind == INV_EFFECT_GRACE) {
		e->u.grace.old_expires_at_us = random_value(rng, UINT64_MAX);
		e->u.grace.expires_at_us = random_value(rng, UINT64_MAX);
	} else if (e->kind == INV_EFFECT_RETIRE) {
		e->u.retire.completed = coin(random);
		e->u.retire.purge_mark_us = random_value(rng, UINT64_MAX);
	} else if (e->kind == INV_EFFECT_WINDOW) {
		e->u.window.old_business_day = (int32_t)random_signed(rng, INT32_MIN, INT32_MAX);
		e->u.window.business_day = (int32_t)random_signed(rng, INT32_MIN, INT32_MAX);
	} else if (e->kind == INV_EFFECT_START) {
		e->u.start.format = (uint32_t)random_value(rng, UINT32_MAX);
		e->u.start.window_nights = (uint32_t)random_value(rng, UINT32_MAX);
		e->u.start.epoch = random_value(rng, UINT64_MAX);
	} else if (e->kind == INV_EFFECT_DIGEST) {
		e->u.digest.state_digest = rng_next(rng);
	} else if (e->kind == INV_EFFECT_TRUNCATE) {
		e->u.truncate.to_lsn = random_value(rng, UINT64_MAX);
		e->u.truncate.term = random_value(rng, UINT64_MAX);
	}
}

void random_effect(
	struct random_effect *random, unsigned kind, uint64_t t_us, struct inv_effect *ret_effect)
{
	struct inv_effect *e = ret_effect;
	*e = (struct inv_effect){.kind = (enum inv_effect_kind)kind, .t_us = t_us};
	random->text_count = 0;
	random_head(random, e);
	if ((kind >= INV_EFFECT_RESERVE && kind <= INV_EFFECT_EXPIRE) ||
		kind == INV_EFFECT_COMPLETE || kind == INV_EFFECT_NO_SHOW ||
		kind == INV_EFFECT_MODIFY || kind == INV_EFFECT_IMPORT)
		random_olds(random, e);
	if (kind == INV_EFFECT_EXTEND || kind == INV_EFFECT_ATTACH_PAYMENT ||
		kind == INV_EFFECT_MODIFY)
		e->change_id = 1 + rng_next(&random->rng) / 2;
	if (kind == INV_EFFECT_HOTEL)
		random_hotel(random, &e->u.hotel_put);
	else if (kind == INV_EFFECT_TYPE)
		random_type(random, &e->u.type_put);
	else if (kind == INV_EFFECT_PLAN)
		random_plan(random, &e->u.plan_put);
	else if (kind == INV_EFFECT_UPDATE)
		random_update(random, &e->u.update);
	else if (kind == INV_EFFECT_RESERVE)
		random_reserve(random, &e->u.reserve);
	else if (kind == INV_EFFECT_IMPORT)
		random_import(random, &e->u.import);
	else
		random_rest(random, e);
}

/* ---- comparing ---- */

static bool texts_equal(struct inv_text a, struct inv_text b)
{
	return a.size_bytes == b.size_bytes &&
	       (a.size_bytes == 0 || memcmp(a.bytes, b.bytes, a.size_bytes) == 0);
}

static bool heads_equal(const struct inv_effect *a, const struct inv_effect *b)
{
	return a->kind == b->kind && a->t_us == b->t_us && a->hotel.v == b->hotel.v &&
	       a->event_seq == b->event_seq && a->actor.actor == b->actor.actor &&
	       a->actor.source == b->actor.source && a->actor.principal == b->actor.principal &&
	       texts_equal(a->actor.reason, b->actor.reason) && kr_id_equal(a->id, b->id) &&
	       a->revision == b->revision && a->change_id == b->change_id &&
	       a->old_count == b->old_count;
}

static bool hotels_equal(const struct inv_effect_hotel *a, const struct inv_effect_hotel *b)
{
	const struct inv_hotel_settings *s = &a->settings, *t = &b->settings;
	return a->created == b->created && a->business_day == b->business_day &&
	       a->ari_version == b->ari_version && texts_equal(s->code, t->code) &&
	       texts_equal(s->zone, t->zone) && memcmp(s->currency, t->currency, 4) == 0 &&
	       s->currency_digits == t->currency_digits &&
	       s->day_roll_minute == t->day_roll_minute &&
	       s->check_in_minute == t->check_in_minute && s->nights_max == t->nights_max &&
	       s->hold_ttl_us == t->hold_ttl_us && s->hold_ttl_max_us == t->hold_ttl_max_us &&
	       s->hold_total_max_us == t->hold_total_max_us && s->holds_max == t->holds_max &&
	       s->guest_holds_max == t->guest_holds_max && s->status == t->status;
}

static bool types_equal(const struct inv_effect_type *a, const struct inv_effect_type *b)
{
	const struct inv_type_settings *s = &a->settings, *t = &b->settings;
	return a->created == b->created && a->type == b->type && a->set_mask == b->set_mask &&
	       a->ari_version == b->ari_version && texts_equal(s->code, t->code) &&
	       s->status == t->status && s->plan_status == t->plan_status &&
	       s->allowance_unit == t->allowance_unit && s->physical == t->physical &&
	       s->out_of_order == t->out_of_order && s->allowance == t->allowance &&
	       s->cap == t->cap && s->guests_max == t->guests_max &&
	       s->advance_min_minutes == t->advance_min_minutes &&
	       s->advance_max_minutes == t->advance_max_minutes;
}

static bool los_equal(struct los_class a, struct los_class b)
{
	return a.min_arrival == b.min_arrival && a.max_arrival == b.max_arrival &&
	       a.min_through == b.min_through && a.max_through == b.max_through;
}

static bool updates_equal(const struct inv_effect_update *a, const struct inv_effect_update *b)
{
	const struct inv_update *u = &a->update, *v = &b->update;
	bool same = a->type_count == b->type_count && a->old_count == b->old_count &&
		    a->ari_version == b->ari_version && u->plan == v->plan &&
		    u->first_day == v->first_day && u->last_day == v->last_day &&
		    u->weekday_mask == v->weekday_mask && u->set_mask == v->set_mask &&
		    u->adjust_mask == v->adjust_mask && u->clear_mask == v->clear_mask &&
		    u->physical == v->physical && u->out_of_order == v->out_of_order &&
		    u->allowance == v->allowance && u->allowance_unit == v->allowance_unit &&
		    u->cap == v->cap && u->price_minor == v->price_minor &&
		    u->available == v->available && u->closed == v->closed && u->cta == v->cta &&
		    u->ctd == v->ctd && u->plan_closed == v->plan_closed &&
		    u->plan_cta == v->plan_cta && u->plan_ctd == v->plan_ctd &&
		    los_equal(u->los, v->los) && u->source == v->source &&
		    u->source_seq == v->source_seq;
	for (uint32_t i = 0; same && i < a->type_count; i++)
		same = a->types[i] == b->types[i];
	for (uint32_t i = 0; same && i < a->old_count; i++) {
		const struct inv_update_old *x = &a->olds[i], *y = &b->olds[i];
		same = x->count == y->count && x->limit == y->limit && x->flags == y->flags &&
		       x->price_minor == y->price_minor && x->rate_flags == y->rate_flags &&
		       los_equal(x->los, y->los);
	}
	return same;
}

static bool lines_equal(const struct inv_line *a, const struct inv_line *b)
{
	bool same = a->type == b->type && a->plan == b->plan && a->check_in == b->check_in &&
		    a->check_out == b->check_out && a->rooms == b->rooms &&
		    a->guests == b->guests && a->pricing == b->pricing &&
		    a->run_count == b->run_count && a->arrival_us == b->arrival_us &&
		    inv_tiers_equal(a->tiers, a->tier_count, b->tiers, b->tier_count);
	for (uint32_t i = 0; same && i < a->run_count; i++) {
		same = a->runs[i].nights == b->runs[i].nights &&
		       a->runs[i].price_minor == b->runs[i].price_minor;
	}
	return same;
}

static bool plans_equal(const struct inv_effect_plan *a, const struct inv_effect_plan *b)
{
	const struct inv_plan_settings *s = &a->settings, *t = &b->settings;
	return a->created == b->created && a->type == b->type && a->plan == b->plan &&
	       texts_equal(s->code, t->code) && s->status == t->status &&
	       s->derivation == t->derivation && s->parent == t->parent &&
	       s->adjustment == t->adjustment && s->advance_min_minutes == t->advance_min_minutes &&
	       s->advance_max_minutes == t->advance_max_minutes &&
	       inv_tiers_equal(s->tiers, s->tier_count, t->tiers, t->tier_count) &&
	       a->ari_version == b->ari_version;
}

static bool all_lines_equal(
	const struct inv_line *a, uint32_t a_count, const struct inv_line *b, uint32_t b_count)
{
	bool same = a_count == b_count;
	for (uint32_t i = 0; same && i < a_count; i++)
		same = lines_equal(&a[i], &b[i]);
	return same;
}

static bool reserves_equal(const struct inv_effect_reserve *a, const struct inv_effect_reserve *b)
{
	return a->book == b->book && a->forced == b->forced && a->fingerprint == b->fingerprint &&
	       a->expires_at_us == b->expires_at_us && a->guest.hi == b->guest.hi &&
	       a->guest.lo == b->guest.lo && texts_equal(a->external_ref, b->external_ref) &&
	       texts_equal(a->payment_ref, b->payment_ref) &&
	       kr_id_equal(a->replaces, b->replaces) &&
	       a->replaced_revision == b->replaced_revision &&
	       all_lines_equal(a->lines, a->line_count, b->lines, b->line_count);
}

static bool imports_equal(const struct inv_effect_import *a, const struct inv_effect_import *b)
{
	return a->state == b->state && a->was_held == b->was_held && a->graced == b->graced &&
	       a->forced == b->forced && a->counted_until == b->counted_until &&
	       a->source == b->source && a->fingerprint == b->fingerprint &&
	       a->created_at_us == b->created_at_us && a->changed_at_us == b->changed_at_us &&
	       a->expires_at_us == b->expires_at_us && a->change_id == b->change_id &&
	       a->guest.hi == b->guest.hi && a->guest.lo == b->guest.lo &&
	       texts_equal(a->external_ref, b->external_ref) &&
	       texts_equal(a->payment_ref, b->payment_ref) &&
	       all_lines_equal(a->lines, a->line_count, b->lines, b->line_count);
}

static bool rests_equal(const struct inv_effect *a, const struct inv_effect *b)
{
	switch ((unsigned)a->kind) {
	case INV_EFFECT_CONFIRM:
		return texts_equal(a->u.confirm.payment_ref, b->u.confirm.payment_ref);
	case INV_EFFECT_EXTEND:
		return a->u.extend.old_expires_at_us == b->u.extend.old_expires_at_us &&
		       a->u.extend.expires_at_us == b->u.extend.expires_at_us;
	case INV_EFFECT_ATTACH_PAYMENT:
		return texts_equal(a->u.attach.payment_ref, b->u.attach.payment_ref);
	case INV_EFFECT_MODIFY:
		return a->u.modify.forced == b->u.modify.forced &&
		       all_lines_equal(a->u.modify.lines, a->u.modify.line_count, b->u.modify.lines,
			       b->u.modify.line_count);
	case INV_EFFECT_IMPORT:
		return imports_equal(&a->u.import, &b->u.import);
	case INV_EFFECT_GRACE:
		return a->u.grace.old_expires_at_us == b->u.grace.old_expires_at_us &&
		       a->u.grace.expires_at_us == b->u.grace.expires_at_us;
	case INV_EFFECT_RETIRE:
		return a->u.retire.completed == b->u.retire.completed &&
		       a->u.retire.purge_mark_us == b->u.retire.purge_mark_us;
	case INV_EFFECT_WINDOW:
		return a->u.window.old_business_day == b->u.window.old_business_day &&
		       a->u.window.business_day == b->u.window.business_day;
	case INV_EFFECT_START:
		return a->u.start.format == b->u.start.format &&
		       a->u.start.window_nights == b->u.start.window_nights &&
		       a->u.start.epoch == b->u.start.epoch;
	case INV_EFFECT_DIGEST:
		return a->u.digest.state_digest == b->u.digest.state_digest;
	case INV_EFFECT_TRUNCATE:
		return a->u.truncate.to_lsn == b->u.truncate.to_lsn &&
		       a->u.truncate.term == b->u.truncate.term;
	default:
		return true;
	}
}

bool effects_equal(const struct inv_effect *a, const struct inv_effect *b)
{
	if (!heads_equal(a, b))
		return false;
	for (uint32_t i = 0; i < a->old_count; i++) {
		if (a->olds[i].held != b->olds[i].held || a->olds[i].booked != b->olds[i].booked)
			return false;
	}
	if (a->kind == INV_EFFECT_HOTEL)
		return hotels_equal(&a->u.hotel_put, &b->u.hotel_put);
	if (a->kind == INV_EFFECT_TYPE)
		return types_equal(&a->u.type_put, &b->u.type_put);
	if (a->kind == INV_EFFECT_PLAN)
		return plans_equal(&a->u.plan_put, &b->u.plan_put);
	if (a->kind == INV_EFFECT_UPDATE)
		return updates_equal(&a->u.update, &b->u.update);
	if (a->kind == INV_EFFECT_RESERVE)
		return reserves_equal(&a->u.reserve, &b->u.reserve);
	return rests_equal(a, b);
}

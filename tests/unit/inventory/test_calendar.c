/* Random catalogue and calendar operations against plain arrays that keep everything apart. */
#include "world.h"

#include "base/rng.h"

#define TYPES 3
#define NIGHTS 40
#define DAYS 200 /* from the first business date on */

struct value {
	bool set;
	int64_t v;
};

struct night {
	struct value physical, out_of_order, allowance, cap;
	int unit;
	bool flags[6]; /* closed, cta, ctd, plan closed, cta, ctd */
	struct value price;
	int64_t los[4];
	int64_t sold; /* held + booked */
};

struct type {
	bool exists;
	struct value physical, out_of_order, allowance, cap;
	int unit;
	struct night nights[DAYS];
};

struct model {
	struct type types[TYPES + 1];
	int64_t version;
	int first; /* of the window, in days since the start */
};

static int64_t floor_percent(int64_t rooms, int64_t points)
{
	int64_t product = rooms * points, down = product / 10000;
	while (down * 10000 > product)
		down--;
	return down;
}

static struct value first_set(struct value a, struct value b)
{
	return a.set ? a : b;
}

static struct value model_limit(const struct type *t, const struct night *n)
{
	struct value physical = first_set(n->physical, t->physical);
	struct value out = first_set(n->out_of_order, t->out_of_order);
	struct value allowance = first_set(n->allowance, t->allowance);
	int unit = n->allowance.set ? n->unit : t->unit;
	if (n->cap.set || t->cap.set)
		return first_set(n->cap, t->cap);
	if (!physical.set)
		return (struct value){.set = false};
	int64_t rooms = physical.v - (out.set ? out.v : 0);
	int64_t more = allowance.set ? allowance.v : 0;
	return (struct value){true, rooms + (unit == 2 ? floor_percent(rooms, more) : more)};
}

/* SET, ADJUST or CLEAR of one value; 0, or why not. */
static uint16_t model_field(struct value *value, struct value in_force, bool is_set, bool is_adjust,
	int64_t operand, int64_t min, int64_t max)
{
	if (is_set)
		*value = (struct value){true, operand};
	else if (is_adjust)
		*value = (struct value){true, (in_force.set ? in_force.v : 0) + operand};
	else
		*value = (struct value){.set = false};
	return value->set && (value->v < min || value->v > max) ? KEYRACK_COUNTER_FULL : 0;
}

static uint16_t model_stock(
	const struct type *t, struct night *n, const struct inv_update *u, uint32_t fields)
{
	uint16_t code = 0;
	struct value physical = first_set(n->physical, t->physical);
	struct value allowance = first_set(n->allowance, t->allowance);
	if ((fields & 1) != 0) {
		if ((u->adjust_mask & 1) != 0 && !physical.set)
			return KEYRACK_NOT_LOADED;
		code = model_field(&n->physical, physical, u->set_mask & 1, u->adjust_mask & 1,
			u->physical, 0, 65535);
	}
	if (code == 0 && (fields & 2) != 0)
		code = model_field(&n->out_of_order, first_set(n->out_of_order, t->out_of_order),
			u->set_mask & 2, u->adjust_mask & 2, u->out_of_order, 0, 65535);
	if (code == 0 && (fields & 4) != 0) {
		int unit = n->allowance.set ? n->unit : t->unit;
		bool counts = allowance.set && allowance.v != 0;
		if ((u->adjust_mask & 4) != 0 && counts && unit != u->allowance_unit)
			return KEYRACK_INVALID;
		code = model_field(&n->allowance, allowance, u->set_mask & 4, u->adjust_mask & 4,
			u->allowance, INT32_MIN, INT32_MAX);
		n->unit = u->allowance_unit;
	}
	return code;
}

static uint16_t model_night(const struct type *t, struct night *n, const struct inv_update *u)
{
	uint32_t fields = u->set_mask | u->adjust_mask | u->clear_mask;
	struct value before = model_limit(t, n);
	const bool values[6] = {
		u->closed, u->cta, u->ctd, u->plan_closed, u->plan_cta, u->plan_ctd};
	static const uint32_t bits[6] = {4, 5, 6, 12, 13, 14};
	const uint16_t los[4] = {
		u->los.min_arrival, u->los.max_arrival, u->los.min_through, u->los.max_through};
	for (int i = 0; i < 6; i++) {
		if ((fields >> bits[i] & 1) != 0)
			n->flags[i] = (u->set_mask >> bits[i] & 1) != 0 && values[i];
	}
	for (int i = 0; i < 4; i++) {
		if ((fields >> (8 + i) & 1) != 0)
			n->los[i] = (u->set_mask >> (8 + i) & 1) != 0 ? los[i] : 0;
	}
	uint16_t code = model_stock(t, n, u, fields);
	if (code == 0 && (u->set_mask & INV_UPDATE_AVAILABLE) != 0)
		code = model_field(
			&n->cap, before, true, false, u->available + n->sold, -32768, 32767);
	if (code == 0 && (fields & INV_UPDATE_CAP) != 0) {
		if ((u->adjust_mask & INV_UPDATE_CAP) != 0 && !before.set)
			return KEYRACK_NOT_LOADED;
		code = model_field(&n->cap, before, u->set_mask & INV_UPDATE_CAP,
			u->adjust_mask & INV_UPDATE_CAP, u->cap, -32768, 32767);
	}
	struct value limit = model_limit(t, n);
	if (code == 0 && limit.set && (limit.v < -32768 || limit.v > 32767))
		code = KEYRACK_COUNTER_FULL;
	if (code == 0 && (fields & INV_UPDATE_PRICE) != 0) {
		if ((u->adjust_mask & INV_UPDATE_PRICE) != 0 && !n->price.set)
			return KEYRACK_NO_RATE;
		code = model_field(&n->price, n->price, u->set_mask & INV_UPDATE_PRICE,
			u->adjust_mask & INV_UPDATE_PRICE, u->price_minor, 0,
			(int64_t)RATE_PRICE_MAX);
	}
	return code;
}

static void compare(const struct world *w, const struct model *m, int32_t start)
{
	static const uint16_t flags[6] = {
		CELL_CLOSED, CELL_CTA, CELL_CTD, RATE_CLOSED, RATE_CTA, RATE_CTD};
	for (uint16_t type = 1; type <= TYPES; type++) {
		const struct type *t = &m->types[type];
		for (int d = m->first; t->exists && d < m->first + NIGHTS; d++) {
			const struct night *n = &t->nights[d];
			struct cell_counter c = world_counter(w, type, start + d);
			struct cell_rate r = world_rate(w, type, start + d);
			struct los_class los = world_los(w, type, start + d);
			struct value limit = model_limit(t, n);
			cr_assert_eq(c.limit, limit.set ? limit.v : 0, "type %u day %d", type, d);
			cr_assert_eq((c.flags & CELL_LOADED) != 0, limit.set);
			cr_assert_eq((c.flags & CELL_EXPLICIT_CAP) != 0, n->cap.set);
			for (int i = 0; i < 6; i++)
				cr_assert_eq(
					((i < 3 ? c.flags : r.flags) & flags[i]) != 0, n->flags[i]);
			cr_assert_eq((r.flags & RATE_PRICED) != 0, n->price.set);
			cr_assert_eq((int64_t)r.price_minor, n->price.set ? n->price.v : 0);
			cr_assert(los.min_arrival == n->los[0] && los.max_arrival == n->los[1]);
			cr_assert(los.min_through == n->los[2] && los.max_through == n->los[3]);
			cr_assert_eq(c.held + c.booked, n->sold);
		}
	}
}

static uint64_t below(struct rng *rng, uint64_t n)
{
	return rng_below(rng, n);
}

static uint32_t random_fields(struct rng *rng)
{
	return (uint32_t)(UINT64_C(1) << below(rng, 16) | (below(rng, 2) << below(rng, 16)));
}

static struct inv_update_op random_update(
	struct rng *rng, const struct model *m, int32_t start, uint16_t *types, uint64_t seq)
{
	int first = m->first + (int)below(rng, NIGHTS);
	int last = first + (int)below(rng, (uint64_t)(m->first + NIGHTS - first));
	uint32_t count = 0;
	for (uint16_t type = 1; type <= TYPES; type++) {
		if (m->types[type].exists && below(rng, 2) == 0)
			types[count++] = type;
	}
	struct inv_update_op op = update_op(types, count, start + first, start + last);
	struct inv_update *u = &op.update;
	uint32_t fields = random_fields(rng);
	int mode = (int)below(rng, 3);
	if ((fields & INV_UPDATE_AVAILABLE) != 0)
		fields &= ~INV_UPDATE_CAP;
	u->set_mask = mode == 0 ? fields : fields & INV_UPDATE_AVAILABLE;
	u->adjust_mask = mode == 1 ? fields & INV_UPDATE_ADJUSTABLE : 0;
	u->clear_mask = mode == 2 ? fields & ~INV_UPDATE_AVAILABLE : 0;
	if (below(rng, 3) == 0)
		u->weekday_mask = (uint8_t)(1 + below(rng, 127));
	int64_t wide = below(rng, 40) == 0 ? 20000 : 12;
	int64_t low = mode == 1 ? -3 : 0;
	u->physical = low + (int64_t)below(rng, (uint64_t)wide);
	u->out_of_order = low + (int64_t)below(rng, 5);
	u->allowance = (int64_t)below(rng, 4000) - 1500;
	u->allowance_unit = (uint8_t)(1 + below(rng, 2));
	if (u->allowance_unit == 1)
		u->allowance /= 500;
	u->cap = (int64_t)below(rng, (uint64_t)wide) - 5;
	u->available = (int64_t)below(rng, (uint64_t)wide);
	u->price_minor = low * 1000 + (int64_t)below(rng, 4000);
	u->closed = below(rng, 2) != 0;
	u->cta = below(rng, 2) != 0;
	u->ctd = below(rng, 2) != 0;
	u->plan_closed = below(rng, 2) != 0;
	u->plan_cta = below(rng, 2) != 0;
	u->plan_ctd = below(rng, 2) != 0;
	u->los = (struct los_class){(uint16_t)below(rng, 3), (uint16_t)below(rng, 3),
		(uint16_t)below(rng, 2), (uint16_t)below(rng, 2)};
	u->source = 1;
	u->source_seq = seq;
	return op;
}

/* Applied to a copy: a refusal must leave nothing behind, here as there. */
static uint16_t model_update(struct model *m, const struct inv_update_op *op, int32_t start)
{
	static struct model copy;
	const struct inv_update *u = &op->update;
	copy = *m;
	for (uint16_t type = 1; type <= TYPES; type++) {
		bool named = op->type_count == 0;
		for (uint32_t i = 0; i < op->type_count; i++)
			named |= op->types[i] == type;
		if (!named || !m->types[type].exists)
			continue;
		for (int32_t day = u->first_day; day <= u->last_day; day++) {
			if ((u->weekday_mask >> civil_weekday_of(day) & 1) == 0)
				continue;
			uint16_t code = model_night(
				&copy.types[type], &copy.types[type].nights[day - start], u);
			if (code != 0)
				return code;
		}
	}
	copy.version++;
	*m = copy;
	return KEYRACK_DONE;
}

static void model_type(struct model *m, const struct inv_type_op *op, struct type *ret)
{
	struct type *t = ret;
	*t = m->types[op->type];
	t->unit = t->exists ? t->unit : 1;
	t->exists = true;
	if ((op->mask & INV_TYPE_PHYSICAL) != 0)
		t->physical = (struct value){true, op->settings.physical};
	if ((op->mask & INV_TYPE_OUT_OF_ORDER) != 0)
		t->out_of_order = (struct value){true, op->settings.out_of_order};
	if ((op->mask & INV_TYPE_ALLOWANCE) != 0)
		t->allowance = (struct value){true, op->settings.allowance};
	if ((op->mask & INV_TYPE_ALLOWANCE_UNIT) != 0)
		t->unit = op->settings.allowance_unit;
	if ((op->mask & INV_TYPE_CAP) != 0)
		t->cap = (struct value){true, op->settings.cap};
	t->physical.set &= (op->clear_mask & INV_TYPE_PHYSICAL) == 0;
	t->out_of_order.set &= (op->clear_mask & INV_TYPE_OUT_OF_ORDER) == 0;
	t->allowance.set &= (op->clear_mask & INV_TYPE_ALLOWANCE) == 0;
	t->cap.set &= (op->clear_mask & INV_TYPE_CAP) == 0;
}

static void try_type(struct world *w, struct model *m, struct rng *rng)
{
	static struct type draft;
	struct inv_type_op op = type_op((uint16_t)(1 + below(rng, TYPES)));
	uint32_t bits = INV_TYPE_CLEARABLE | INV_TYPE_ALLOWANCE_UNIT;
	op.mask = (uint32_t)below(rng, INV_TYPE_MASK + 1) & (uint32_t)below(rng, 2048) & bits;
	op.clear_mask = (uint32_t)below(rng, 2048) & (uint32_t)below(rng, 2048) &
			INV_TYPE_CLEARABLE & ~op.mask;
	op.settings.physical = (uint16_t)below(rng, 20);
	op.settings.out_of_order = (uint16_t)below(rng, 8);
	op.settings.allowance = (int32_t)below(rng, 3000) - 1000;
	op.settings.allowance_unit = (uint8_t)(1 + below(rng, 2));
	op.settings.cap = (int16_t)((int)below(rng, 30) - 10);
	model_type(m, &op, &draft);
	bool fits = true;
	static const struct night fresh;
	struct value limit = model_limit(&draft, &fresh);
	fits &= !limit.set || (limit.v >= -32768 && limit.v <= 32767);
	for (int d = m->first; d < m->first + NIGHTS; d++) {
		limit = model_limit(&draft, &draft.nights[d]);
		fits &= !limit.set || (limit.v >= -32768 && limit.v <= 32767);
	}
	cr_assert_eq(world_type_put(w, &op), fits ? KEYRACK_DONE : KEYRACK_COUNTER_FULL);
	if (!fits)
		return;
	m->types[op.type] = draft;
	m->version++;
}

static void try_sale(struct world *w, struct model *m, struct rng *rng, int32_t start)
{
	uint16_t type = (uint16_t)(1 + below(rng, TYPES));
	int day = m->first + (int)below(rng, NIGHTS);
	uint16_t held = (uint16_t)below(rng, 4), booked = (uint16_t)below(rng, 4);
	if (!m->types[type].exists)
		return;
	world_sell(w, type, start + day, held, booked);
	m->types[type].nights[day].sold = held + booked;
}

static void play(uint64_t seed, int steps)
{
	static struct world w;
	static struct model m;
	struct rng rng;
	uint16_t types[TYPES];
	uint64_t refused = 0, seq = 1;
	struct inv_config config = world_config();
	rng_init(&rng, seed);
	memset(&m, 0, sizeof(m));
	config.window_nights = NIGHTS;
	config.stock_runs_max = TYPES * NIGHTS;
	world_init(&w, &config);
	world_standard(&w, 0, 0);
	m.version = 1;
	int32_t start = world_day(2026, 11, 22);
	for (int step = 0; step < steps; step++) {
		uint64_t what = below(&rng, 20);
		if (what == 0) {
			try_type(&w, &m, &rng);
		} else if (what <= 3) {
			try_sale(&w, &m, &rng, start);
		} else if (what == 4 && m.first + NIGHTS + 9 < DAYS) {
			int days = (int)below(&rng, 9);
			w.now.t_us += (uint64_t)days * DAY_US;
			m.first += days;
			cr_assert_eq(world_roll(&w), days > 0);
		} else {
			struct inv_update_op op = random_update(&rng, &m, start, types, seq);
			bool any = false;
			for (int t = 1; t <= TYPES; t++)
				any |= m.types[t].exists;
			if (!any || (op.update.set_mask | op.update.adjust_mask |
					    op.update.clear_mask) == 0)
				continue;
			uint16_t expected = model_update(&m, &op, start);
			uint16_t got = world_update(&w, &op);
			cr_assert_eq(got, expected, "seed %lu step %d: %u, %u", (unsigned long)seed,
				step, got, expected);
			seq += got == KEYRACK_DONE;
			refused += got != KEYRACK_DONE;
		}
		compare(&w, &m, start);
		if (step % 64 == 0)
			cr_assert_eq(inv_digest(w.inv), inv_digest(w.mirror));
	}
	struct inv_hotel_view view;
	cr_assert(inv_hotel_get(w.inv, (struct hotel_id){WORLD_HOTEL}, &view));
	cr_assert_eq((int64_t)view.ari_version, m.version);
	cr_assert_gt(refused, 0);
	for (uint16_t type = 1; type <= TYPES; type++) {
		for (int d = m.first; m.types[type].exists && d < m.first + NIGHTS; d++)
			world_sell(&w, type, start + d, 0, 0);
	}
	world_agree(&w);
	world_fini(&w);
}

Test(calendar, agrees_with_plain_arrays, .timeout = 120)
{
	for (uint64_t seed = 1; seed <= 12; seed++)
		play(seed, 1500);
}

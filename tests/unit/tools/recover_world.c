#include "tests/unit/tools/recover_world.h"

#include <stdio.h>
#include <stdlib.h>

#define IDS_MAX 64u
#define HOTEL_CODE "grand-h\303\264tel \"Europa\" \\ 1"

static uint64_t below(struct recover_world *r, uint64_t end)
{
	return rng_below(&r->rng, end);
}

static bool maybe(struct recover_world *r)
{
	return below(r, 2) != 0;
}

static uint64_t hotel_any(struct recover_world *r)
{
	const uint64_t hotels[] = {WORLD_HOTEL, (UINT64_C(1) << 53) - 1, UINT64_C(1) << 53,
		hotel_id_of_code(HOTEL_CODE, sizeof(HOTEL_CODE) - 1).v};
	return hotels[below(r, KR_ARRAY_COUNT(hotels))];
}

/* ---- what is set ---- */

static void hotel_set(struct recover_world *r, uint64_t hotel)
{
	static const char *const zones[] = {"UTC", "Europe/Paris", "America/New_York"};
	struct inv_hotel_op op = hotel_op(hotel);
	struct inv_hotel_settings *s = &op.settings;
	op.mask = INV_HOTEL_MASK & ~INV_HOTEL_CODE;
	if (hotel == hotel_id_of_code(HOTEL_CODE, sizeof(HOTEL_CODE) - 1).v) {
		op.mask |= INV_HOTEL_CODE;
		s->code = text(HOTEL_CODE);
	}
	s->zone = text(zones[below(r, KR_ARRAY_COUNT(zones))]);
	s->currency_digits = (uint8_t)below(r, 4);
	s->day_roll_minute = (uint16_t)below(r, 600);
	s->check_in_minute = (uint16_t)(600 + below(r, 840));
	s->nights_max = (uint16_t)(1 + below(r, 365));
	s->hold_ttl_us = 1 + below(r, HOUR_US);
	s->hold_ttl_max_us = HOUR_US + below(r, HOUR_US);
	s->hold_total_max_us = 2 * HOUR_US + below(r, DAY_US);
	s->holds_max = maybe(r) ? 0 : 1000 + (uint32_t)below(r, 1u << 20);
	s->guest_holds_max = maybe(r) ? 0 : 1000 + (uint32_t)below(r, 1u << 20);
	s->status = (uint8_t)(hotel == WORLD_HOTEL ? 1 : 1 + below(r, 2));
	cr_assert_eq(world_hotel_put(&r->w, &op), KEYRACK_DONE, "%s", r->w.answer.refusal.text);
}

static void type_set(struct recover_world *r, uint64_t hotel, uint16_t type)
{
	struct inv_type_op op = {.hotel = {hotel}, .type = type, .mask = INV_TYPE_MASK};
	struct inv_type_settings *s = &op.settings;
	if (maybe(r))
		op.clear_mask = (uint32_t)rng_next(&r->rng) & INV_TYPE_CLEARABLE;
	if (op.clear_mask & INV_TYPE_ALLOWANCE)
		op.mask &= ~INV_TYPE_ALLOWANCE_UNIT;
	op.mask &= ~op.clear_mask;
	s->code = text("DBL \"\303\251\"");
	s->code.size_bytes = type == 1 ? s->code.size_bytes : type == 2 ? 3 : 0;
	s->status = (uint8_t)(hotel == WORLD_HOTEL ? 1 : 1 + below(r, 2));
	s->plan_status = (uint8_t)(hotel == WORLD_HOTEL ? 1 : 1 + below(r, 3));
	s->physical = (uint16_t)below(r, 400);
	s->out_of_order = (uint16_t)below(r, 3);
	s->allowance = (int32_t)below(r, 9) - 4;
	s->allowance_unit = (uint8_t)(1 + below(r, 2));
	s->cap = (int16_t)(below(r, 600) - 200);
	s->guests_max = (uint16_t)below(r, 3) ? 0 : 65535;
	s->advance_min_minutes = (uint32_t)below(r, 2000);
	s->advance_max_minutes = maybe(r) ? 0 : 500000 + (uint32_t)below(r, 20000);
	cr_assert_eq(world_type_put(&r->w, &op), KEYRACK_DONE, "%s", r->w.answer.refusal.text);
}

/* Plan 4 has prices of its own, 9 and 65,534 derive from it. */
static void plan_set(struct recover_world *r, uint64_t hotel, uint16_t type, uint16_t plan)
{
	struct inv_plan_op op = {.hotel = {hotel}, .type = type, .plan = plan};
	struct inv_plan_settings *s = &op.settings;
	op.mask = INV_PLAN_MASK;
	*s = (struct inv_plan_settings){.code = text("FLEX \"\303\251\""),
		.status = (uint8_t)(hotel == WORLD_HOTEL ? 1 : 1 + below(r, 3))};
	s->code.size_bytes = plan == 4 ? s->code.size_bytes : plan == 9 ? 5 : 4;
	s->derivation = plan == 4   ? INV_PRICES_OWN
			: plan == 9 ? INV_PRICES_PLUS_POINTS
				    : INV_PRICES_PLUS_MINOR;
	s->parent = plan == 4 ? 0 : 4;
	s->adjustment = plan == 4 ? 0 : (int64_t)below(r, 9000) - 4500;
	s->advance_min_minutes = (uint32_t)below(r, 70000);
	s->tier_count = (uint8_t)below(r, 3);
	s->tiers[0] = (struct inv_tier){.hours = 1000, .basis_points = 5025};
	s->tiers[1] = (struct inv_tier){.hours = (uint16_t)below(r, 300), .nights = 2};
	cr_assert_eq(world_plan_put(&r->w, &op), KEYRACK_DONE, "%s", r->w.answer.refusal.text);
}

static void nights_set(struct recover_world *r)
{
	const uint16_t types[] = {1, 2, 65534};
	const uint16_t type = types[below(r, KR_ARRAY_COUNT(types))];
	struct inv_hotel_view hotel;
	cr_assert(inv_hotel_get(r->w.inv, (struct hotel_id){hotel_any(r)}, &hotel));
	int32_t first = hotel.business_day + (int32_t)below(r, 40);
	int32_t rest = hotel.business_day + 40 - first;
	struct inv_update_op op =
		update_op(&type, 1, first, first + (int32_t)below(r, (uint64_t)rest));
	struct inv_update *u = &op.update;
	op.hotel = hotel.hotel;
	u->plan = type != 2 && maybe(r) ? 4 : 0;
	u->set_mask = (uint32_t)rng_next(&r->rng) & INV_UPDATE_MASK & ~INV_UPDATE_AVAILABLE;
	u->set_mask |= INV_UPDATE_PRICE;
	if (below(r, 3) == 0) /* one thing alone */
		u->set_mask = INV_UPDATE_CAP << below(r, 12);
	u->weekday_mask = (uint8_t)(1 + below(r, 127));
	u->physical = (int64_t)below(r, 400);
	u->out_of_order = (int64_t)below(r, 3);
	u->allowance = (int64_t)below(r, 9) - 4;
	u->allowance_unit = (uint8_t)(1 + below(r, 2));
	u->cap = (int64_t)below(r, 600) - 200;
	u->closed = maybe(r);
	u->cta = maybe(r);
	u->ctd = maybe(r);
	u->plan_closed = maybe(r);
	u->plan_cta = maybe(r);
	u->plan_ctd = maybe(r);
	u->price_minor = (int64_t)(below(r, RATE_PRICE_MAX) >> below(r, 40));
	u->los.min_arrival = (uint16_t)below(r, 4);
	u->los.max_arrival = (uint16_t)below(r, 70);
	u->los.min_through = (uint16_t)below(r, 4);
	u->los.max_through = (uint16_t)below(r, 65536);
	cr_assert_eq(world_update(&r->w, &op), KEYRACK_DONE, "%s", r->w.answer.refusal.text);
}

/* ---- what is sold ---- */

static int32_t business_day(const struct recover_world *r)
{
	struct inv_hotel_head hotel;
	cr_assert(inv_hotel_head(r->w.inv, (struct hotel_id){WORLD_HOTEL}, &hotel));
	return hotel.business_day;
}

static void line_fill(struct recover_world *r, struct inv_price_run runs[2], struct inv_line *line)
{
	int32_t first = business_day(r) + (int32_t)below(r, 34);
	uint16_t nights = (uint16_t)(1 + below(r, 6));
	*line = stay_line((uint16_t)(1 + below(r, 2)), first, first + nights);
	line->plan = line->type == 1 && maybe(r) ? 4 : 0;
	line->rooms = (uint16_t)(1 + below(r, 3));
	line->guests = (uint16_t)below(r, 9);
	line->pricing = (uint8_t)below(r, 3);
	if (line->pricing != INV_PRICE_CALLER)
		return;
	runs[0] = (struct inv_price_run){nights, below(r, RATE_PRICE_MAX) >> below(r, 40)};
	line->runs = runs;
	line->run_count = 1;
	if (nights == 1)
		return;
	runs[0].nights = (uint16_t)(nights - 1);
	runs[1] = (struct inv_price_run){1, RATE_PRICE_MAX};
	line->run_count = 2;
}

static void sell(struct recover_world *r, struct kr_id *ret_id)
{
	struct inv_line lines[3];
	struct inv_price_run runs[3][2];
	char reference[32];
	const uint32_t count = 1 + (uint32_t)below(r, 3);
	for (uint32_t i = 0; i < count; i++)
		line_fill(r, runs[i], &lines[i]);
	struct inv_reserve_op op = hold_op(&r->w, ++r->sold, lines, count);
	op.book = maybe(r);
	op.force = true;
	if (maybe(r))
		op.guest = (struct inv_guest_id){rng_next(&r->rng), rng_next(&r->rng)};
	snprintf(reference, sizeof(reference), "OTA \"\\\303\251\" %llu",
		(unsigned long long)r->sold);
	op.external_ref = maybe(r) ? text(reference) : text("");
	op.payment_ref = op.book && maybe(r) ? text("paid/\"") : text("");
	op.actor.source = (uint32_t)below(r, INV_SOURCE_RESERVED_FIRST);
	(void)sales_reserve(&r->w, &op);
	*ret_id = op.id;
}

static void move(struct recover_world *r, struct kr_id id)
{
	struct inv_transition_op op =
		transition_op((enum inv_transition)(1 + below(r, INV_MARK_NO_SHOW)), id);
	struct inv_reservation_view view;
	op.any = op.transition == INV_CANCEL;
	if (op.transition == INV_EXTEND || op.transition == INV_ATTACH_PAYMENT) {
		if (!inv_reservation_get(r->w.inv, id, r->w.now.t_us, &view))
			return;
		op.has_expected_revision = true;
		op.expected_revision = view.revision;
		op.change_id = rng_next(&r->rng) | 1;
		if (op.transition == INV_EXTEND)
			op.expires_at_us = r->w.now.t_us + 1 + below(r, HOUR_US);
		else
			op.payment_ref = text("paid later");
	}
	(void)sales_transition(&r->w, &op);
}

/* Numbers as large as what comes from elsewhere may have. */
static void bring(struct recover_world *r)
{
	struct inv_line line;
	struct inv_price_run runs[2];
	const uint8_t state = (uint8_t)(INV_RELEASED + below(r, INV_COMPLETED - INV_RELEASED + 1));
	line_fill(r, runs, &line);
	line.rooms = maybe(r) ? 1 : 60000;
	if (state == INV_CHECKED_IN || state == INV_COMPLETED) {
		int32_t since = line.check_in - business_day(r) + 1;
		line.check_in -= since;
		line.check_out -= since;
	} else {
		line.check_in -= 50;
		line.check_out -= 50;
	}
	line.pricing = INV_PRICE_NONE;
	line.run_count = 0;
	if (maybe(r)) {
		line.pricing = INV_PRICE_CALLER;
		runs[0] = (struct inv_price_run){
			(uint16_t)(line.check_out - line.check_in), RATE_PRICE_MAX};
		line.runs = runs;
		line.run_count = 1;
	}
	struct inv_tier tier = {.hours = 24, .basis_points = 3333};
	line.tiers = &tier;
	line.tier_count = maybe(r) ? 1 : 0;
	struct inv_import_op op = {.hotel = {hotel_any(r)},
		.id = {.hi = 0x5b5b, .lo = 1 + below(r, 200)}, /* ids of other layouts meet */
		.state = state,
		.was_held = true,
		.graced = maybe(r),
		.force = true,
		.revision = 1 + (uint32_t)below(r, UINT32_MAX),
		.created_at_us = 1 + below(r, r->w.now.t_us / 2),
		.changed_at_us = r->w.now.t_us - below(r, HOUR_US),
		.expires_at_us = maybe(r) ? 1 + below(r, INV_DEADLINE_MAX_US) : 0,
		.change_id = maybe(r) ? 0 : rng_next(&r->rng),
		.lines = &line,
		.line_count = 1,
		.source = (uint32_t)below(r, INV_SOURCE_RESERVED_FIRST)};
	op.fingerprint = inv_import_fingerprint(&op);
	if (inv_import_judge(r->w.inv, r->w.now, &op, &r->w.effect, &r->w.answer) == INV_EFFECT)
		sales_apply(&r->w);
}

/* ---- all of it ---- */

static void settings_set(struct recover_world *r, uint64_t hotel)
{
	hotel_set(r, hotel);
	type_set(r, hotel, 1);
	type_set(r, hotel, 2);
	type_set(r, hotel, 65534);
	plan_set(r, hotel, 1, 4);
	plan_set(r, hotel, 65534, 4);
	plan_set(r, hotel, 1, 9);
	plan_set(r, hotel, 1, 65534);
}

void recover_world_init(struct recover_world *r, uint64_t seed)
{
	struct inv_config config = world_config();
	config.reservations_max = 4096;
	config.nodes_max = 4096;
	config.plans_max = 32;
	config.stock_runs_max = 4096;
	memset(r, 0, sizeof(*r));
	rng_init(&r->rng, seed);
	world_init(&r->w, &config);
	settings_set(r, WORLD_HOTEL);
	settings_set(r, (UINT64_C(1) << 53) - 1);
	settings_set(r, UINT64_C(1) << 53);
	settings_set(r, hotel_id_of_code(HOTEL_CODE, sizeof(HOTEL_CODE) - 1).v);
}

void recover_world_fini(struct recover_world *r)
{
	sales_agree(&r->w);
	world_fini(&r->w);
}

void recover_world_step(struct recover_world *r)
{
	struct kr_id ids[IDS_MAX];
	const uint32_t count = 1 + (uint32_t)below(r, 16);
	if (maybe(r))
		settings_set(r, hotel_any(r));
	for (uint32_t i = 0; i < 6; i++)
		nights_set(r);
	for (uint32_t i = 0; i < count; i++)
		sell(r, &ids[i]);
	for (uint32_t i = 0; i < count; i++)
		move(r, ids[below(r, count)]);
	for (uint32_t i = 0; i < 3; i++)
		bring(r);
	if (maybe(r))
		(void)sales_resolve(&r->w, sales_id(&r->w, ++r->sold));
	r->w.now.t_us += below(r, 30 * HOUR_US) >> below(r, 8);
	r->w.now.wall_us = r->w.now.t_us;
	world_roll(&r->w);
	sales_due(&r->w);
}

struct inv *recover_world_copy(struct recover_world *r, void **ret_memory)
{
	struct inv *copy = world_inventory_new(&r->w, ret_memory);
	for (uint32_t chunk = 0; chunk < inv_chunk_count(r->w.inv); chunk++) {
		struct kr_writer writer;
		struct kr_reader reader;
		uint64_t size_bytes = inv_chunk_size_max(r->w.inv, chunk);
		uint8_t *bytes = malloc(size_bytes);
		cr_assert_not_null(bytes);
		kr_writer_init(&writer, bytes, size_bytes);
		inv_chunk_save(r->w.inv, chunk, &writer);
		kr_reader_init(&reader, bytes, kr_writer_size(&writer));
		int error = inv_chunk_load(copy, &reader, inv_chunk_lsn(r->w.inv, chunk),
			inv_chunk_digest(r->w.inv, chunk), &r->w.contradiction);
		cr_assert_eq(error, 0, "%s", r->w.contradiction.what);
		free(bytes);
	}
	return copy;
}

/*
 * What `keyrack-recover dump --json` says of states, read back: every night, rate, reservation and
 * setting of random states, member by member, is what the engine says, and no line and no member
 * goes unread. What `diff` says of two states is where their dumps differ.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "engine/inventory/listing.h"
#include "tests/unit/tools/recover_world.h"
#include "tools/keyrack-recover.h"

#define STEPS 12
#define SEEDS 6
#define DOUBLE_MAX ((UINT64_C(1) << 53) - 1) /* RFC 8259: beyond, not every reader agrees */

static struct recover_world r;

/* The rest of the program, which this test does without: a shard is its inventory here. */
void *recover_alloc(size_t count, size_t size_bytes)
{
	void *memory = calloc(count > 0 ? count : 1, size_bytes);
	cr_assert_not_null(memory);
	return memory;
}

struct inv *shard_inventory(struct shard *shard)
{
	return (struct inv *)(void *)shard;
}

uint64_t shard_last_lsn(const struct shard *shard)
{
	cr_assert_not_null(shard);
	return 7;
}

/* ---- lines, read back ---- */

struct told {
	char *text, *at;
	char *line;
	json_t *root;
	size_t read; /* members of it */
	uint64_t lines;
};

enum what { CELLS, RATES, RESERVATIONS, SETTINGS };

static char *dumped(struct inv *inv, enum what what, uint64_t now_us, bool is_json)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	cr_assert_not_null(out);
	if (what == CELLS)
		recover_dump_cells(inv, r.w.config.window_nights, is_json, out);
	else if (what == RATES)
		recover_dump_rates(inv, r.w.config.window_nights, is_json, out);
	else if (what == RESERVATIONS)
		recover_dump_reservations(inv, now_us, is_json, out);
	else
		recover_dump_settings(inv, r.w.config.window_nights, is_json, out);
	fclose(out);
	return text;
}

static struct told told_of(char *text)
{
	return (struct told){.text = text, .at = text};
}

/* All members of the line before were read. */
static bool told_next(struct told *t)
{
	json_error_t error;
	if (t->root != NULL)
		cr_assert_eq(t->read, json_object_size(t->root), "unread members: %s", t->line);
	json_decref(t->root);
	t->root = NULL;
	t->read = 0;
	if (*t->at == 0)
		return false;
	t->line = t->at;
	t->at += strcspn(t->at, "\n");
	cr_assert_eq(*t->at, '\n');
	*t->at++ = 0;
	t->root = json_loads(t->line, JSON_REJECT_DUPLICATES, &error);
	cr_assert(json_is_object(t->root), "%s: %s", error.text, t->line);
	t->lines++;
	return true;
}

static void told_end(struct told *t)
{
	bool more = told_next(t); /* an assertion may look at its words twice */
	cr_assert_not(more, "one line too many: %s", t->line);
	free(t->text);
}

static const json_t *member(struct told *t, const char *name)
{
	const json_t *value = json_object_get(t->root, name);
	cr_assert_not_null(value, "%s is missing: %s", name, t->line);
	t->read++;
	return value;
}

static void is_null(struct told *t, const char *name)
{
	const json_t *value = member(t, name);
	cr_assert(json_is_null(value), "%s: %s", name, t->line);
}

static uint64_t number_of(const json_t *value)
{
	if (json_is_string(value)) {
		const uint64_t number = strtoull(json_string_value(value), NULL, 10);
		cr_assert_gt(number, DOUBLE_MAX);
		return number;
	}
	cr_assert(json_is_integer(value) && json_integer_value(value) >= 0);
	cr_assert_leq((uint64_t)json_integer_value(value), DOUBLE_MAX);
	return (uint64_t)json_integer_value(value);
}

static void is_number(struct told *t, const char *name, uint64_t wanted)
{
	const json_t *value = member(t, name);
	cr_assert_eq(number_of(value), wanted, "%s: %s", name, t->line);
}

static void is_signed(struct told *t, const char *name, int64_t wanted)
{
	const json_t *value = member(t, name);
	cr_assert(json_is_integer(value));
	cr_assert_eq(json_integer_value(value), wanted, "%s: %s", name, t->line);
}

static void is_bool(struct told *t, const char *name, bool wanted)
{
	const json_t *value = member(t, name);
	cr_assert(json_is_boolean(value), "%s: %s", name, t->line);
	cr_assert_eq(json_is_true(value), wanted, "%s: %s", name, t->line);
}

static void is_string(struct told *t, const char *name, const char *wanted)
{
	const json_t *value = member(t, name);
	cr_assert(json_is_string(value), "%s: %s", name, t->line);
	cr_assert_str_eq(json_string_value(value), wanted, "%s: %s", name, t->line);
}

static void is_text(struct told *t, const char *name, struct inv_text wanted)
{
	const json_t *value = member(t, name);
	cr_assert(json_is_string(value), "%s: %s", name, t->line);
	cr_assert_eq(json_string_length(value), wanted.size_bytes, "%s: %s", name, t->line);
	if (wanted.size_bytes != 0)
		cr_assert_eq(memcmp(json_string_value(value), wanted.bytes, wanted.size_bytes), 0);
}

static void is_hex(struct told *t, const char *name, uint64_t wanted)
{
	const json_t *value = member(t, name);
	cr_assert(json_is_string(value) && json_string_length(value) == 16);
	cr_assert_eq(strtoull(json_string_value(value), NULL, 16), wanted, "%s: %s", name, t->line);
}

static void is_id(struct told *t, const char *name, uint64_t hi, uint64_t lo)
{
	const json_t *value = member(t, name);
	struct kr_id id;
	cr_assert(json_is_string(value));
	cr_assert_eq(kr_id_parse(json_string_value(value), json_string_length(value), &id), 0);
	cr_assert(id.hi == hi && id.lo == lo, "%s: %s", name, t->line);
}

static void is_date(struct told *t, const char *name, int32_t wanted)
{
	const json_t *value = member(t, name);
	int32_t day;
	cr_assert(json_is_string(value));
	cr_assert_eq(civil_day_parse(json_string_value(value), json_string_length(value), &day), 0);
	cr_assert_eq(day, wanted, "%s: %s", name, t->line);
}

static void is_number_or_null(struct told *t, const char *name, bool is_set, int64_t wanted)
{
	if (is_set)
		is_signed(t, name, wanted);
	else
		is_null(t, name);
}

/* ---- nights ---- */

static void check_rate(struct told *t, struct inv *inv, uint64_t word)
{
	const struct cell_rate rate = cell_rate_unpack(word);
	const struct los_class los = inv_los_class(inv, rate.class_index);
	is_number_or_null(t, "price_minor", rate.flags & RATE_PRICED, (int64_t)rate.price_minor);
	is_bool(t, "plan_closed", rate.flags & RATE_CLOSED);
	is_bool(t, "plan_cta", rate.flags & RATE_CTA);
	is_bool(t, "plan_ctd", rate.flags & RATE_CTD);
	is_number(t, "min_arrival", los.min_arrival);
	is_number(t, "max_arrival", los.max_arrival);
	is_number(t, "min_through", los.min_through);
	is_number(t, "max_through", los.max_through);
}

static void check_counter(struct told *t, uint64_t word)
{
	const struct cell_counter counter = cell_counter_unpack(word);
	is_signed(t, "limit", counter.limit);
	is_number(t, "held", counter.held);
	is_number(t, "booked", counter.booked);
	is_bool(t, "loaded", counter.flags & CELL_LOADED);
	is_bool(t, "closed", counter.flags & CELL_CLOSED);
	is_bool(t, "cta", counter.flags & CELL_CTA);
	is_bool(t, "ctd", counter.flags & CELL_CTD);
	is_bool(t, "cap", counter.flags & CELL_EXPLICIT_CAP);
}

/* The nights of a plan; plan 0: with what is sold of its type. */
static void check_nights(struct told *t, struct inv *inv, const struct inv_hotel_view *hotel,
	uint16_t type, uint16_t plan)
{
	uint64_t counters[64], rates[64];
	struct inv_answer answer = {0};
	cr_assert_leq(r.w.config.window_nights, 64);
	inv_availability(inv, hotel->hotel, &type, 1, plan, hotel->business_day,
		r.w.config.window_nights, counters, rates, &answer);
	cr_assert_eq(answer.code, KEYRACK_DONE);
	for (uint32_t i = 0; i < r.w.config.window_nights; i++) {
		if (rates[i] == 0 && (plan != 0 || counters[i] == 0))
			continue;
		const bool is_there = told_next(t);
		cr_assert(is_there, "a night is missing");
		is_number(t, "hotel", hotel->hotel.v);
		is_number(t, "type", type);
		if (plan != 0)
			is_number(t, "plan", plan);
		else
			check_counter(t, counters[i]);
		is_signed(t, "night", hotel->business_day + (int32_t)i);
		is_date(t, "date", hotel->business_day + (int32_t)i);
		check_rate(t, inv, rates[i]);
	}
}

static void count_cell(void *user, struct hotel_id hotel, uint16_t type, int32_t day,
	uint64_t counter, uint64_t rate)
{
	++*(uint64_t *)user;
}

static uint32_t hotels_of(const struct inv *inv, struct inv_hotel_view ret[static 8])
{
	bool more;
	const uint32_t count = inv_hotel_list(inv, true, (struct hotel_id){0}, ret, 8, &more);
	cr_assert(count == 4 && !more);
	return count;
}

/* How many rates there were. */
static uint64_t check_all_nights(struct inv *inv)
{
	struct inv_hotel_view hotels[8];
	struct inv_plan_view plans[16];
	struct told cells = told_of(dumped(inv, CELLS, 0, true));
	struct told rates = told_of(dumped(inv, RATES, 0, true));
	uint64_t cell_count = 0;
	bool more;
	const uint32_t count = hotels_of(inv, hotels);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t n = inv_plan_list(inv, hotels[i].hotel, 0, 0, plans, 16, &more);
		cr_assert(n == 7 && !more);
		for (uint32_t k = 0; k < n; k++)
			check_nights(plans[k].plan == 0 ? &cells : &rates, inv, &hotels[i],
				plans[k].type, plans[k].plan);
	}
	inv_cells_each(inv, count_cell, &cell_count);
	cr_assert_eq(cells.lines, cell_count);
	told_end(&cells);
	told_end(&rates);
	return rates.lines;
}

/* ---- reservations ---- */

struct seen {
	uint32_t states; /* a bit each */
	uint64_t count, over_double, changed, costing, free_of_cost, tiers;
};

static void check_tiers(struct told *t, const struct inv_tier *tiers, uint32_t tier_count)
{
	const json_t *list = member(t, "tiers");
	cr_assert(json_is_array(list));
	cr_assert_eq(json_array_size(list), tier_count);
	for (uint32_t i = 0; i < tier_count; i++) {
		struct told tier = {.root = json_array_get(list, i), .line = t->line};
		is_number(&tier, "hours", tiers[i].hours);
		if (tiers[i].nights != 0)
			is_number(&tier, "nights", tiers[i].nights);
		else
			is_number(&tier, "basis_points", tiers[i].basis_points);
		cr_assert_eq(json_object_size(tier.root), 2);
	}
}

static void check_line(struct told *t, const struct inv_line *line)
{
	is_number(t, "type", line->type);
	is_number(t, "plan", line->plan);
	is_signed(t, "check_in", line->check_in);
	is_signed(t, "check_out", line->check_out);
	is_number(t, "rooms", line->rooms);
	is_number(t, "guests", line->guests);
	is_number(t, "pricing", line->pricing);
	const json_t *runs = member(t, "prices");
	cr_assert_eq(json_array_size(runs), line->run_count);
	for (uint32_t i = 0; i < line->run_count; i++) {
		struct told run = {.root = json_array_get(runs, i), .line = t->line};
		is_number(&run, "nights", line->runs[i].nights);
		is_number(&run, "price_minor", line->runs[i].price_minor);
		cr_assert_eq(json_object_size(run.root), 2);
	}
	if (line->tier_count != 0) {
		const json_t *arrival = member(t, "arrival");
		uint64_t t_us;
		check_tiers(t, line->tiers, line->tier_count);
		cr_assert_eq(recover_time_parse(json_string_value(arrival), &t_us), 0);
		cr_assert_eq(t_us, line->arrival_us, "%s", t->line);
	}
	cr_assert_eq(t->read, json_object_size(t->root), "%s", t->line);
}

static void check_cost(struct told *t, const struct inv_cost *cost)
{
	is_number(t, "free_cancel_until_us", cost->free_until_us);
	if (cost->has_amounts) {
		is_number(t, "penalty_minor", cost->penalty_minor);
		is_number(t, "refundable_minor", cost->refundable_minor);
	} else {
		is_null(t, "penalty_minor");
		is_null(t, "refundable_minor");
	}
}

static void check_facts(struct told *t, const struct inv_reservation_view *v)
{
	is_bool(t, "due", v->due);
	is_bool(t, "was_held", v->was_held);
	is_bool(t, "graced", v->graced);
	is_bool(t, "has_total", v->has_total);
	is_number(t, "revision", v->revision);
	is_number(t, "total_minor", v->total_minor);
	is_number(t, "created_at_us", v->created_at_us);
	is_number(t, "changed_at_us", v->changed_at_us);
	is_number(t, "expires_at_us", v->expires_at_us);
	is_number(t, "event_seq", v->event_seq);
	is_signed(t, "counted_until", v->counted_until);
	is_number(t, "source", v->source);
	is_id(t, "guest", v->guest.hi, v->guest.lo);
	is_text(t, "external_ref", v->external_ref);
	is_text(t, "payment_ref", v->payment_ref);
	is_hex(t, "fingerprint", v->fingerprint);
	if (v->change_id != 0)
		is_hex(t, "change_id", v->change_id);
	else
		is_null(t, "change_id");
	check_cost(t, &v->cost);
}

static void count_seen(struct seen *seen, const struct inv_reservation_view *v)
{
	seen->states |= 1u << v->state;
	seen->count++;
	seen->over_double += v->total_minor > DOUBLE_MAX || v->expires_at_us > DOUBLE_MAX;
	seen->changed += v->change_id != 0;
	seen->costing += v->cost.penalty_minor != 0;
	seen->free_of_cost += !v->cost.has_amounts;
	seen->tiers += v->line_count > 0 && v->lines[0].tier_count > 0;
}

static void check_reservations(struct inv *inv, uint64_t now_us, struct seen *seen)
{
	struct told t = told_of(dumped(inv, RESERVATIONS, now_us, true));
	struct inv_counts counts;
	struct recover_id last = {0};
	while (told_next(&t)) {
		struct inv_reservation_view v;
		struct recover_id id = {0};
		const json_t *text = json_object_get(t.root, "id");
		cr_assert_eq(
			kr_id_parse(json_string_value(text), json_string_length(text), &id.id), 0);
		id.hotel.v = number_of(json_object_get(t.root, "hotel"));
		cr_assert(inv_reservation_get_of(inv, id.hotel, id.id, now_us, &v), "%s", t.line);
		if (t.lines > 1)
			cr_assert_gt(recover_id_compare(id, last), 0, "not in order");
		last = id;
		is_id(&t, "id", v.id.hi, v.id.lo);
		is_number(&t, "hotel", v.hotel.v);
		is_string(&t, "state", recover_state_name(v.state));
		check_facts(&t, &v);
		const json_t *lines = member(&t, "lines");
		cr_assert_eq(json_array_size(lines), v.line_count);
		for (uint32_t i = 0; i < v.line_count; i++) {
			struct told line = {.root = json_array_get(lines, i), .line = t.line};
			check_line(&line, &v.lines[i]);
		}
		count_seen(seen, &v);
	}
	inv_counts_get(inv, &counts);
	cr_assert_eq(t.lines, counts.reservations);
	told_end(&t);
}

/* ---- settings ---- */

static void is_status(struct told *t, const char *name, uint8_t status)
{
	static const char *const names[] = {"", "ACTIVE", "CLOSED", "RETIRED"};
	cr_assert(status >= 1 && status <= 3);
	is_string(t, name, names[status]);
}

static void is_clock(struct told *t, const char *name, unsigned minute)
{
	unsigned hours, minutes;
	const char *text = json_string_value(member(t, name));
	cr_assert_eq(sscanf(text, "%2u:%2u", &hours, &minutes), 2);
	cr_assert(strlen(text) == 5 && hours * 60 + minutes == minute, "%s", t->line);
}

static void begins(struct told *t, const char *what, struct hotel_id hotel)
{
	const bool is_there = told_next(t);
	cr_assert(is_there, "a %s is missing", what);
	is_string(t, "what", what);
	is_number(t, "hotel", hotel.v);
}

static void check_hotel(struct told *t, const struct inv_hotel_view *v)
{
	const struct inv_hotel_settings *s = &v->settings;
	begins(t, "hotel", v->hotel);
	is_text(t, "hotel_code", s->code);
	is_status(t, "status", s->status);
	is_text(t, "zone", s->zone);
	is_string(t, "currency", s->currency);
	is_number(t, "currency_digits", s->currency_digits);
	is_clock(t, "day_roll", s->day_roll_minute);
	is_clock(t, "check_in_time", s->check_in_minute);
	is_number(t, "nights_max", s->nights_max);
	is_number(t, "hold_ttl_us", s->hold_ttl_us);
	is_number(t, "hold_ttl_max_us", s->hold_ttl_max_us);
	is_number(t, "hold_total_max_us", s->hold_total_max_us);
	is_number(t, "holds_max", s->holds_max);
	is_number(t, "guest_holds_max", s->guest_holds_max);
	is_number(t, "ari_version", v->ari_version);
	is_number(t, "event_seq", v->event_seq);
	is_number(t, "last_lsn", v->last_lsn);
	is_date(t, "business_day", v->business_day);
	is_date(t, "last_night", v->business_day + (int32_t)r.w.config.window_nights - 1);
	is_number(t, "window_nights", r.w.config.window_nights);
	is_number(t, "types", v->type_count);
	is_number(t, "reservations", v->reservation_count);
	is_number(t, "holds", v->hold_count);
}

static void check_allowance(struct told *t, bool is_set, int32_t allowance, uint8_t unit)
{
	is_number_or_null(t, "allowance", is_set, allowance);
	if (is_set)
		is_string(t, "allowance_unit",
			unit == INV_ALLOWANCE_BASIS_POINTS ? "basis_points" : "rooms");
	else
		is_null(t, "allowance_unit");
}

static void check_type(struct told *t, struct hotel_id hotel, const struct inv_type_view *v)
{
	const struct inv_type_settings *s = &v->settings;
	const uint32_t mask = v->set_mask;
	begins(t, "type", hotel);
	is_number(t, "type", v->type);
	is_text(t, "type_code", s->code);
	is_status(t, "status", s->status);
	is_status(t, "plan_status", s->plan_status);
	is_number_or_null(t, "physical", mask & INV_TYPE_PHYSICAL, s->physical);
	is_number_or_null(t, "out_of_order", mask & INV_TYPE_OUT_OF_ORDER, s->out_of_order);
	check_allowance(t, mask & INV_TYPE_ALLOWANCE, s->allowance, s->allowance_unit);
	is_number_or_null(t, "cap", mask & INV_TYPE_CAP, s->cap);
	is_number(t, "guests_max", s->guests_max);
	is_number(t, "advance_min_minutes", s->advance_min_minutes);
	is_number(t, "advance_max_minutes", s->advance_max_minutes);
}

static void check_plan(struct told *t, struct hotel_id hotel, const struct inv_plan_view *v)
{
	const struct inv_plan_settings *s = &v->settings;
	begins(t, "plan", hotel);
	is_number(t, "type", v->type);
	is_number(t, "plan", v->plan);
	is_text(t, "plan_code", s->code);
	is_status(t, "status", s->status);
	is_bool(t, "derived", s->derivation != INV_PRICES_OWN);
	if (s->derivation != INV_PRICES_OWN)
		is_number(t, "from", s->parent);
	if (s->derivation == INV_PRICES_PLUS_POINTS)
		is_signed(t, "basis_points", s->adjustment);
	if (s->derivation == INV_PRICES_PLUS_MINOR)
		is_signed(t, "amount_minor", s->adjustment);
	check_tiers(t, s->tiers, s->tier_count);
	is_number(t, "advance_min_minutes", s->advance_min_minutes);
	is_number(t, "advance_max_minutes", s->advance_max_minutes);
}

static void check_stock(struct told *t, struct inv *inv, struct hotel_id hotel)
{
	static struct inv_stock_view runs[4096];
	bool more;
	const uint32_t count =
		inv_stock_list(inv, hotel, 0, INV_DAY_MIN, runs, KR_ARRAY_COUNT(runs), &more);
	cr_assert_not(more);
	for (uint32_t i = 0; i < count; i++) {
		const struct inv_stock_view *v = &runs[i];
		const uint32_t mask = v->set_mask;
		begins(t, "stock", hotel);
		is_number(t, "type", v->type);
		is_date(t, "first_night", v->first_day);
		is_date(t, "last_night", v->last_day);
		is_number_or_null(t, "physical", mask & INV_UPDATE_PHYSICAL, v->physical);
		is_number_or_null(
			t, "out_of_order", mask & INV_UPDATE_OUT_OF_ORDER, v->out_of_order);
		check_allowance(t, mask & INV_UPDATE_ALLOWANCE, v->allowance, v->allowance_unit);
	}
}

static void check_settings(struct inv *inv)
{
	struct inv_hotel_view hotels[8];
	struct inv_type_view types[8];
	struct inv_plan_view plans[16];
	struct told t = told_of(dumped(inv, SETTINGS, 0, true));
	bool more;
	const uint32_t count = hotels_of(inv, hotels);
	for (uint32_t i = 0; i < count; i++) {
		const struct hotel_id hotel = hotels[i].hotel;
		check_hotel(&t, &hotels[i]);
		uint32_t n = inv_type_list(inv, hotel, types, 8);
		cr_assert_eq(n, 3);
		for (uint32_t k = 0; k < n; k++)
			check_type(&t, hotel, &types[k]);
		n = inv_plan_list(inv, hotel, 0, 0, plans, 16, &more);
		for (uint32_t k = 0; k < n; k++)
			check_plan(&t, hotel, &plans[k]);
		check_stock(&t, inv, hotel);
	}
	cr_assert_gt(t.lines, (uint64_t)4 * (1 + 3 + 7));
	told_end(&t);
}

Test(recover_dump, what_json_says_of_a_state_is_the_state, .timeout = 120)
{
	struct seen seen = {0};
	uint64_t rates = 0;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		recover_world_init(&r, seed);
		for (int step = 0; step < STEPS; step++) {
			recover_world_step(&r);
			rates += check_all_nights(r.w.inv);
			check_reservations(r.w.inv, r.w.now.t_us, &seen);
			check_settings(r.w.inv);
		}
		recover_world_fini(&r);
	}
	cr_log_info("%" PRIu64 " reservations, %" PRIu64 " rates", seen.count, rates);
	cr_assert_gt(rates, 0);
	for (unsigned state = INV_HELD; state <= INV_VOID; state++)
		cr_assert(seen.states & 1u << state, "none was %s", recover_state_name(state));
	cr_assert_gt(seen.over_double, 0);
	cr_assert_gt(seen.changed, 0);
	cr_assert_gt(seen.costing, 0);
	cr_assert_gt(seen.free_of_cost, 0);
	cr_assert_gt(seen.tiers, 0);
}

Test(recover_dump, equal_states_print_equal_bytes_however_they_came_about, .timeout = 120)
{
	recover_world_init(&r, 21);
	for (int step = 0; step < STEPS; step++)
		recover_world_step(&r);
	void *memory;
	struct inv *copy = recover_world_copy(&r, &memory);
	for (enum what what = CELLS; what <= SETTINGS; what++) {
		for (int is_json = 0; is_json < 2; is_json++) {
			char *a = dumped(r.w.inv, what, r.w.now.t_us, is_json);
			char *b = dumped(copy, what, r.w.now.t_us, is_json);
			cr_assert_str_eq(a, b);
			free(a);
			free(b);
		}
	}
	free(memory);
	recover_world_fini(&r);
}

/* ---- two states ---- */

static void key_of(const json_t *line, char ret_key[static 128])
{
	static const char *const names[] = {"hotel", "type", "plan", "night", "id"};
	size_t length = 0;
	for (size_t i = 0; i < KR_ARRAY_COUNT(names); i++) {
		const json_t *value = json_object_get(line, names[i]);
		if (value == NULL)
			continue;
		char *text = json_dumps(value, JSON_ENCODE_ANY);
		length +=
			(size_t)snprintf(ret_key + length, 128 - length, "%s %s ", names[i], text);
		free(text);
	}
	cr_assert(length > 0 && length < 128);
}

/* Every night, rate and reservation by what names it. */
static json_t *all_of(struct inv *inv, uint64_t now_us)
{
	json_t *all = json_object();
	for (enum what what = CELLS; what <= RESERVATIONS; what++) {
		struct told t = told_of(dumped(inv, what, now_us, true));
		while (told_next(&t)) {
			char key[128];
			key_of(t.root, key);
			cr_assert_null(json_object_get(all, key), "twice: %s", t.line);
			json_object_set(all, key, t.root);
			t.read = json_object_size(t.root);
		}
		told_end(&t);
	}
	return all;
}

static uint64_t last_t_us(const struct inv *inv)
{
	struct inv_counts counts;
	inv_counts_get(inv, &counts);
	return counts.last_t_us;
}

static char *diffed(struct inv *a, struct inv *b, int wanted)
{
	const struct recover_options options = {.is_json = true};
	struct recovery of_a = {.options = &options}, of_b = {.options = &options};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	cr_assert_not_null(out);
	of_a.rebuild.shard = (struct shard *)(void *)a;
	of_b.rebuild.shard = (struct shard *)(void *)b;
	of_a.rebuild.config.inventory.window_nights = r.w.config.window_nights;
	of_b.rebuild.config.inventory.window_nights = r.w.config.window_nights;
	int status = recover_diff(&of_a, &of_b, out);
	cr_assert_eq(status, wanted);
	fclose(out);
	return text;
}

/* Leaves in `one` what is another in `other`, or not there. */
static void same_forget(json_t *one, const json_t *other)
{
	const char *key;
	void *next;
	json_t *value;
	json_object_foreach_safe(one, next, key, value)
	{
		const json_t *same = json_object_get(other, key);
		if (same != NULL && json_equal(value, same))
			json_object_del(one, key);
	}
}

/* A line of a side: it differs, and is what dump says. */
static void check_side(struct told *t, json_t *differing, const json_t *shown)
{
	char key[128];
	json_object_del(t->root, "side");
	json_object_del(t->root, "what");
	key_of(t->root, key);
	cr_assert_not_null(json_object_get(differing, key), "it is the same: %s", t->line);
	cr_assert(json_equal(t->root, json_object_get(shown, key)), "not as dump: %s", t->line);
	json_object_del(differing, key);
	t->read = json_object_size(t->root);
}

static uint64_t check_diff(struct inv *a, struct inv *b)
{
	json_t *differing[] = {all_of(a, 0), all_of(b, 0)};
	json_t *shown[] = {all_of(a, last_t_us(a)), all_of(b, last_t_us(b))};
	json_t *whole = json_deep_copy(differing[0]);
	uint64_t lines = 0;
	same_forget(differing[0], differing[1]);
	same_forget(differing[1], whole);
	struct told t = told_of(diffed(a, b, RECOVER_EXIT_DIFFERS));
	while (told_next(&t)) {
		const char *side = json_string_value(json_object_get(t.root, "side"));
		if (side == NULL) {
			t.read = json_object_size(t.root);
			continue;
		}
		check_side(&t, differing[side[0] - 'a'], shown[side[0] - 'a']);
		lines++;
	}
	told_end(&t);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(json_object_size(differing[i]), 0, "differences that are not told");
		json_decref(differing[i]);
		json_decref(shown[i]);
	}
	json_decref(whole);
	return lines;
}

Test(recover_dump, what_diff_says_is_where_dumps_differ, .timeout = 120)
{
	uint64_t lines = 0;
	recover_world_init(&r, 31);
	for (int step = 0; step < STEPS; step++) {
		void *memory;
		recover_world_step(&r);
		struct inv *before = recover_world_copy(&r, &memory);
		free(diffed(before, r.w.inv, 0));
		recover_world_step(&r);
		lines += check_diff(before, r.w.inv);
		free(memory);
	}
	cr_assert_gt(lines, 100);
	recover_world_fini(&r);
}

#include "tests/unit/tools/recover_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "proto/access.h"
#include "tools/keyrack-recover_json.h"
#include "tools/keyrack-recover_time.h"

/* ---- members: absent is 0 ---- */

static const json_t *get(struct recover_json *in, const json_t *from, const char *name)
{
	const json_t *value = json_object_get(from, name);
	kr_assert(json_is_object(from));
	in->read_count += value != NULL;
	return value;
}

static const char *get_string(struct recover_json *in, const json_t *from, const char *name)
{
	const json_t *value = get(in, from, name);
	kr_assert(value == NULL || json_is_string(value));
	return value != NULL ? json_string_value(value) : NULL;
}

/* A number that doubles keep, or decimal text of one that they may not. */
static uint64_t number_of(const json_t *value)
{
	const json_int_t number = json_integer_value(value);
	const int64_t max = RECOVER_NUMBER_MAX;
	kr_assert(number >= -max && number <= max);
	if (!json_is_string(value)) {
		kr_assert(value == NULL || json_is_integer(value));
		return (uint64_t)number;
	}
	const uint64_t text = strtoull(json_string_value(value), NULL, 10);
	kr_assert((int64_t)text < -max || text > (uint64_t)max);
	return text;
}

static uint64_t get_int(struct recover_json *in, const json_t *from, const char *name)
{
	return number_of(get(in, from, name));
}

static uint64_t get_hex(struct recover_json *in, const json_t *from, const char *name)
{
	const char *text = get_string(in, from, name);
	kr_assert(text == NULL || strlen(text) == 16);
	return text != NULL ? strtoull(text, NULL, 16) : 0;
}

static bool get_bool(struct recover_json *in, const json_t *from, const char *name)
{
	const json_t *value = get(in, from, name);
	kr_assert(value == NULL || json_is_boolean(value));
	return json_is_true(value);
}

static struct inv_text get_text(struct recover_json *in, const json_t *from, const char *name)
{
	const json_t *value = get(in, from, name);
	if (value == NULL)
		return (struct inv_text){0};
	kr_assert(json_is_string(value) && json_string_length(value) > 0);
	return (struct inv_text){.bytes = json_string_value(value),
		.size_bytes = (uint32_t)json_string_length(value)};
}

static struct kr_id get_id(struct recover_json *in, const json_t *from, const char *name)
{
	struct kr_id id = {0};
	const char *text = get_string(in, from, name);
	kr_assert(text == NULL || kr_id_parse(text, strlen(text), &id) == 0);
	return id;
}

static int32_t get_day(struct recover_json *in, const json_t *from, const char *name)
{
	int32_t day = 0;
	const json_t *value = get(in, from, name);
	if (!json_is_string(value))
		return (int32_t)json_integer_value(value);
	kr_assert(civil_day_parse(json_string_value(value), json_string_length(value), &day) == 0);
	return day;
}

static uint64_t get_time(struct recover_json *in, const json_t *from, const char *name)
{
	uint64_t t_us = 0;
	const char *text = get_string(in, from, name);
	kr_assert(text == NULL || recover_time_parse(text, &t_us) == 0);
	return t_us;
}

static uint32_t principal_read(const char *text)
{
	const char *number = text + strcspn(text, "0123456789");
	const enum access_role role =
		strncmp(text, "operator", 8) == 0 ? ACCESS_OPERATOR : ACCESS_BOOKING;
	const enum access_kind kind = strstr(text, "uid") != NULL     ? ACCESS_UID
				      : strstr(text, "token") != NULL ? ACCESS_TOKEN
								      : ACCESS_ANYBODY;
	kr_assert(role == ACCESS_OPERATOR || strncmp(text, "booking", 7) == 0);
	return access_principal(role, kind, (uint32_t)strtoul(number, NULL, 10));
}

/* ---- kinds ---- */

static void read_hotel(struct recover_json *in, const json_t *from, struct inv_effect_hotel *ret)
{
	struct inv_hotel_settings *s = &ret->settings;
	const struct inv_text currency = get_text(in, from, "currency");
	ret->created = get_bool(in, from, "created");
	s->code = get_text(in, from, "code");
	s->zone = get_text(in, from, "zone");
	kr_assert(currency.size_bytes == sizeof(s->currency) - 1);
	memcpy(s->currency, currency.bytes, currency.size_bytes);
	s->currency_digits = (uint8_t)get_int(in, from, "currency_digits");
	s->day_roll_minute = (uint16_t)get_int(in, from, "day_roll_minute");
	s->check_in_minute = (uint16_t)get_int(in, from, "check_in_minute");
	s->nights_max = (uint16_t)get_int(in, from, "nights_max");
	s->hold_ttl_us = get_int(in, from, "hold_ttl_us");
	s->hold_ttl_max_us = get_int(in, from, "hold_ttl_max_us");
	s->hold_total_max_us = get_int(in, from, "hold_total_max_us");
	s->holds_max = (uint32_t)get_int(in, from, "holds_max");
	s->guest_holds_max = (uint32_t)get_int(in, from, "guest_holds_max");
	s->status = (uint8_t)get_int(in, from, "status");
	ret->business_day = get_day(in, from, "business_day");
	ret->ari_version = get_int(in, from, "ari_version");
}

static void read_type(struct recover_json *in, const json_t *from, struct inv_effect_type *ret)
{
	struct inv_type_settings *s = &ret->settings;
	ret->created = get_bool(in, from, "created");
	ret->type = (uint16_t)get_int(in, from, "type");
	ret->set_mask = (uint32_t)get_int(in, from, "set_mask");
	s->code = get_text(in, from, "code");
	s->status = (uint8_t)get_int(in, from, "status");
	s->plan_status = (uint8_t)get_int(in, from, "plan_status");
	s->physical = (uint16_t)get_int(in, from, "physical");
	s->out_of_order = (uint16_t)get_int(in, from, "out_of_order");
	s->allowance = (int32_t)get_int(in, from, "allowance");
	s->allowance_unit = (uint8_t)get_int(in, from, "allowance_unit");
	s->cap = (int16_t)get_int(in, from, "cap");
	s->guests_max = (uint16_t)get_int(in, from, "guests_max");
	s->advance_min_minutes = (uint32_t)get_int(in, from, "advance_min_minutes");
	s->advance_max_minutes = (uint32_t)get_int(in, from, "advance_max_minutes");
	ret->ari_version = get_int(in, from, "ari_version");
}

static uint8_t read_tiers(
	struct recover_json *in, const json_t *from, struct inv_tier tiers[static INV_TIERS_MAX])
{
	const json_t *list = get(in, from, "tiers");
	const size_t count = json_array_size(list);
	kr_assert(count <= INV_TIERS_MAX);
	for (size_t i = 0; i < count; i++) {
		const json_t *tier = json_array_get(list, i);
		tiers[i] = (struct inv_tier){.hours = (uint16_t)get_int(in, tier, "hours"),
			.nights = (uint16_t)get_int(in, tier, "nights"),
			.basis_points = (uint16_t)get_int(in, tier, "basis_points")};
	}
	return (uint8_t)count;
}

static void read_plan(struct recover_json *in, const json_t *from, struct inv_effect_plan *ret)
{
	struct inv_plan_settings *s = &ret->settings;
	ret->created = get_bool(in, from, "created");
	ret->type = (uint16_t)get_int(in, from, "type");
	ret->plan = (uint16_t)get_int(in, from, "plan");
	s->code = get_text(in, from, "code");
	s->status = (uint8_t)get_int(in, from, "status");
	s->advance_min_minutes = (uint32_t)get_int(in, from, "advance_min_minutes");
	s->advance_max_minutes = (uint32_t)get_int(in, from, "advance_max_minutes");
	s->derivation = (uint8_t)get_int(in, from, "derivation");
	s->parent = (uint16_t)get_int(in, from, "parent");
	s->adjustment = (int64_t)get_int(in, from, "adjustment");
	s->tier_count = read_tiers(in, from, s->tiers);
	ret->ari_version = get_int(in, from, "ari_version");
}

static void read_values(struct recover_json *in, const json_t *from, struct inv_update *u)
{
	u->physical = (int64_t)get_int(in, from, "physical");
	u->out_of_order = (int64_t)get_int(in, from, "out_of_order");
	u->allowance = (int64_t)get_int(in, from, "allowance");
	u->allowance_unit = (uint8_t)get_int(in, from, "allowance_unit");
	u->cap = (int64_t)get_int(in, from, "cap");
	u->closed = get_int(in, from, "closed") != 0;
	u->cta = get_int(in, from, "cta") != 0;
	u->ctd = get_int(in, from, "ctd") != 0;
	u->price_minor = (int64_t)get_int(in, from, "price_minor");
	u->los.min_arrival = (uint16_t)get_int(in, from, "min_arrival");
	u->los.max_arrival = (uint16_t)get_int(in, from, "max_arrival");
	u->los.min_through = (uint16_t)get_int(in, from, "min_through");
	u->los.max_through = (uint16_t)get_int(in, from, "max_through");
	u->plan_closed = get_int(in, from, "plan_closed") != 0;
	u->plan_cta = get_int(in, from, "plan_cta") != 0;
	u->plan_ctd = get_int(in, from, "plan_ctd") != 0;
	u->available = (int64_t)get_int(in, from, "available");
}

static void read_update_olds(
	struct recover_json *in, const json_t *from, struct inv_effect_update *ret)
{
	const json_t *list = get(in, from, "olds");
	ret->olds = in->scratch.update_olds;
	ret->old_count = (uint32_t)json_array_size(list);
	kr_assert(ret->old_count <= INV_UPDATE_CELLS_MAX);
	for (uint32_t i = 0; i < ret->old_count; i++) {
		const json_t *old = json_array_get(list, i);
		const json_t *los = get(in, old, "los");
		kr_assert(json_array_size(los) == 4);
#define LOS(at) (uint16_t) json_integer_value(json_array_get(los, at))
		in->scratch.update_olds[i] =
			(struct inv_update_old){.count = (uint32_t)get_int(in, old, "nights"),
				.limit = (int16_t)get_int(in, old, "limit"),
				.flags = (uint16_t)get_int(in, old, "flags"),
				.price_minor = get_int(in, old, "price_minor"),
				.rate_flags = (uint8_t)get_int(in, old, "rate_flags"),
				.los = {.min_arrival = LOS(0),
					.max_arrival = LOS(1),
					.min_through = LOS(2),
					.max_through = LOS(3)}};
#undef LOS
	}
}

static void read_update(
	struct recover_json *in, const json_t *from, uint32_t source, struct inv_effect_update *ret)
{
	struct inv_update *u = &ret->update;
	const json_t *types = get(in, from, "types");
	ret->types = in->scratch.types;
	ret->type_count = (uint32_t)json_array_size(types);
	kr_assert(ret->type_count <= INV_HOTEL_TYPES_MAX);
	for (uint32_t i = 0; i < ret->type_count; i++)
		in->scratch.types[i] = (uint16_t)json_integer_value(json_array_get(types, i));
	u->plan = (uint16_t)get_int(in, from, "plan");
	u->first_day = get_day(in, from, "first_day");
	u->last_day = get_day(in, from, "last_day");
	u->weekday_mask = (uint8_t)get_int(in, from, "weekday_mask");
	u->set_mask = (uint32_t)get_int(in, from, "set_mask");
	u->adjust_mask = (uint32_t)get_int(in, from, "adjust_mask");
	u->clear_mask = (uint32_t)get_int(in, from, "clear_mask");
	read_values(in, from, u);
	u->source = source;
	u->source_seq = get_int(in, from, "source_seq");
	ret->ari_version = get_int(in, from, "ari_version");
	read_update_olds(in, from, ret);
}

static void read_line(
	struct recover_json *in, const json_t *from, struct inv_tier *tiers, struct inv_line *ret)
{
	const json_t *runs = get(in, from, "prices");
	struct inv_price_run *first = in->scratch.arrays.runs + in->run_count;
	*ret = (struct inv_line){.type = (uint16_t)get_int(in, from, "type"),
		.plan = (uint16_t)get_int(in, from, "plan"),
		.check_in = get_day(in, from, "check_in"),
		.check_out = get_day(in, from, "check_out"),
		.rooms = (uint16_t)get_int(in, from, "rooms"),
		.guests = (uint16_t)get_int(in, from, "guests"),
		.pricing = (uint8_t)get_int(in, from, "pricing"),
		.run_count = (uint16_t)json_array_size(runs),
		.runs = first,
		.tier_count = read_tiers(in, from, tiers),
		.tiers = tiers,
		.arrival_us = get_time(in, from, "arrival")};
	in->run_count += ret->run_count;
	kr_assert(in->run_count <= KR_ARRAY_COUNT(in->scratch.arrays.runs));
	for (uint32_t i = 0; i < ret->run_count; i++) {
		const json_t *run = json_array_get(runs, i);
		first[i].nights = (uint16_t)json_integer_value(json_array_get(run, 0));
		first[i].price_minor = number_of(json_array_get(run, 1));
	}
}

static const struct inv_line *read_lines(
	struct recover_json *in, const json_t *from, uint32_t *ret_count)
{
	const json_t *list = get(in, from, "lines");
	*ret_count = (uint32_t)json_array_size(list);
	kr_assert(*ret_count >= 1 && *ret_count <= INV_LINES_MAX);
	for (uint32_t i = 0; i < *ret_count; i++)
		read_line(in, json_array_get(list, i), in->scratch.arrays.tiers[i],
			&in->scratch.arrays.lines[i]);
	return in->scratch.arrays.lines;
}

static struct inv_guest_id read_guest(struct recover_json *in, const json_t *from)
{
	const struct kr_id id = get_id(in, from, "guest");
	return (struct inv_guest_id){.hi = id.hi, .lo = id.lo};
}

static void read_reserve(struct recover_json *in, const json_t *from, struct inv_effect_reserve *r)
{
	r->book = get_bool(in, from, "book");
	r->expires_at_us = get_time(in, from, "expires_at");
	r->guest = read_guest(in, from);
	r->external_ref = get_text(in, from, "external_ref");
	r->payment_ref = get_text(in, from, "payment_ref");
	r->fingerprint = get_hex(in, from, "fingerprint");
	r->forced = get_bool(in, from, "forced");
	r->replaces = get_id(in, from, "replaces");
	r->replaced_revision = (uint32_t)get_int(in, from, "replaced_revision");
	r->lines = read_lines(in, from, &r->line_count);
}

static void read_import(struct recover_json *in, const json_t *from, struct inv_effect_import *i)
{
	const char *state = get_string(in, from, "state");
	unsigned number = 0;
	kr_assert(state != NULL && sscanf(state, "STATE_%u", &number) == 1);
	i->state = (uint8_t)number;
	i->was_held = get_bool(in, from, "was_held");
	i->graced = get_bool(in, from, "graced");
	i->forced = get_bool(in, from, "forced");
	i->created_at_us = get_time(in, from, "created_at");
	i->changed_at_us = get_time(in, from, "changed_at");
	i->expires_at_us = get_time(in, from, "expires_at");
	i->counted_until = get_day(in, from, "counted_until");
	i->change_id = get_hex(in, from, "last_change_id");
	i->source = (uint32_t)get_int(in, from, "reservation_source");
	i->guest = read_guest(in, from);
	i->external_ref = get_text(in, from, "external_ref");
	i->payment_ref = get_text(in, from, "payment_ref");
	i->fingerprint = get_hex(in, from, "fingerprint");
	i->lines = read_lines(in, from, &i->line_count);
}

/* Those of a few members. */
static void read_small(struct recover_json *in, const json_t *from, struct inv_effect *e)
{
	switch ((unsigned)e->kind) {
	case INV_EFFECT_CONFIRM:
		e->u.confirm.payment_ref = get_text(in, from, "payment_ref");
		break;
	case INV_EFFECT_ATTACH_PAYMENT:
		e->u.attach.payment_ref = get_text(in, from, "payment_ref");
		break;
	case INV_EFFECT_MODIFY:
		e->u.modify.forced = get_bool(in, from, "forced");
		e->u.modify.lines = read_lines(in, from, &e->u.modify.line_count);
		break;
	case INV_EFFECT_EXTEND:
		e->u.extend.old_expires_at_us = get_time(in, from, "old_expires_at");
		e->u.extend.expires_at_us = get_time(in, from, "expires_at");
		break;
	case INV_EFFECT_GRACE:
		e->u.grace.old_expires_at_us = get_time(in, from, "old_expires_at");
		e->u.grace.expires_at_us = get_time(in, from, "expires_at");
		break;
	case INV_EFFECT_RETIRE:
		e->u.retire.completed = get_bool(in, from, "completed");
		e->u.retire.purge_mark_us = get_time(in, from, "purge_mark");
		break;
	case INV_EFFECT_WINDOW:
		e->u.window.old_business_day = get_day(in, from, "old_business_day");
		e->u.window.business_day = get_day(in, from, "business_day");
		break;
	case INV_EFFECT_START:
		e->u.start.format = (uint32_t)get_int(in, from, "format");
		e->u.start.window_nights = (uint32_t)get_int(in, from, "window_nights");
		e->u.start.epoch = get_int(in, from, "epoch");
		break;
	case INV_EFFECT_DIGEST:
		e->u.digest.state_digest = get_hex(in, from, "state_digest");
		break;
	case INV_EFFECT_TRUNCATE:
		e->u.truncate.to_lsn = get_int(in, from, "to_lsn");
		e->u.truncate.term = get_int(in, from, "term");
		break;
	default: /* the head says all */
		break;
	}
}

static void read_kind(struct recover_json *in, const json_t *from, struct inv_effect *e)
{
	kr_assert(e->kind != 0);
	if (e->kind == INV_EFFECT_HOTEL)
		read_hotel(in, from, &e->u.hotel_put);
	else if (e->kind == INV_EFFECT_TYPE)
		read_type(in, from, &e->u.type_put);
	else if (e->kind == INV_EFFECT_PLAN)
		read_plan(in, from, &e->u.plan_put);
	else if (e->kind == INV_EFFECT_UPDATE)
		read_update(in, from, e->actor.source, &e->u.update);
	else if (e->kind == INV_EFFECT_RESERVE)
		read_reserve(in, from, &e->u.reserve);
	else if (e->kind == INV_EFFECT_IMPORT)
		read_import(in, from, &e->u.import);
	else
		read_small(in, from, e);
}

/* ---- lines ---- */

static void read_olds(struct recover_json *in, const json_t *from, struct inv_effect *e)
{
	const json_t *list = get(in, from, "olds");
	e->olds = in->scratch.arrays.olds;
	e->old_count = (uint32_t)json_array_size(list);
	kr_assert(e->old_count <= INV_OLDS_MAX);
	for (uint32_t i = 0; i < e->old_count; i++) {
		const json_t *old = json_array_get(list, i);
		in->scratch.arrays.olds[i].held =
			(uint16_t)json_integer_value(json_array_get(old, 0));
		in->scratch.arrays.olds[i].booked =
			(uint16_t)json_integer_value(json_array_get(old, 1));
	}
}

static void read_head(struct recover_json *in, const json_t *from, struct inv_effect *e)
{
	const char *kind = get_string(in, from, "kind");
	const char *principal = get_string(in, from, "principal");
	for (unsigned i = 1; i <= INV_EFFECT_LAST; i++)
		if (kind != NULL && strcmp(kind, record_kind_name(i)) == 0)
			e->kind = (enum inv_effect_kind)i;
	e->lsn = get_int(in, from, "lsn");
	e->t_us = get_time(in, from, "t");
	e->hotel.v = get_int(in, from, "hotel");
	e->event_seq = get_int(in, from, "event_seq");
	e->id = get_id(in, from, "id");
	e->revision = (uint32_t)get_int(in, from, "revision");
	e->change_id = get_hex(in, from, "change_id");
	e->actor.actor = get_int(in, from, "actor");
	e->actor.source = (uint32_t)get_int(in, from, "source");
	e->actor.principal = principal != NULL ? principal_read(principal) : 0;
	e->actor.reason = get_text(in, from, "reason");
	if (e->kind != INV_EFFECT_UPDATE)
		read_olds(in, from, e);
}

static size_t count_members(json_t *value)
{
	size_t count = json_object_size(value);
	const char *name;
	json_t *member;
	json_object_foreach(value, name, member)
	{
		kr_assert(name != NULL);
		count += count_members(member);
	}
	for (size_t i = 0; i < json_array_size(value); i++)
		count += count_members(json_array_get(value, i));
	return count;
}

bool recover_json_read(struct recover_json *in, const char *line, struct inv_effect *ret_effect)
{
	json_error_t error;
	recover_json_fini(in);
	in->run_count = 0;
	in->read_count = 0;
	*ret_effect = (struct inv_effect){0};
	in->root = json_loads(line, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (!json_is_object(in->root))
		return false;
	read_head(in, in->root, ret_effect);
	if (ret_effect->kind == 0)
		return false;
	read_kind(in, in->root, ret_effect);
	return in->read_count == count_members(in->root);
}

void recover_json_fini(struct recover_json *in)
{
	json_decref(in->root);
	in->root = NULL;
}

/* ---- what is told ---- */

static void time_as_told(uint64_t *t_us)
{
	char text[RECOVER_TIME_SIZE];
	recover_time_format(*t_us & INT64_MAX, text);
	kr_assert(recover_time_parse(text, t_us) == 0);
}

static const struct inv_line *lines_as_told(
	const struct inv_line *lines, uint32_t count, struct inv_line *ret_lines)
{
	kr_assert(count <= INV_LINES_MAX);
	memcpy(ret_lines, lines, count * sizeof(*lines));
	for (uint32_t i = 0; i < count; i++)
		if (ret_lines[i].tier_count != 0)
			time_as_told(&ret_lines[i].arrival_us);
	return ret_lines;
}

void recover_json_as_told(struct inv_effect *e, struct inv_line lines[static INV_LINES_MAX])
{
	char bytes[ACCESS_TEXT_SIZE];
	struct kr_text text;
	kr_text_init(&text, bytes, sizeof(bytes));
	access_principal_format(e->actor.principal, &text);
	if (e->actor.principal != 0)
		e->actor.principal = principal_read(bytes);
	if (e->kind == INV_EFFECT_RESERVE) {
		struct inv_effect_reserve *r = &e->u.reserve;
		if (!r->book)
			time_as_told(&r->expires_at_us);
		r->lines = lines_as_told(r->lines, r->line_count, lines);
	} else if (e->kind == INV_EFFECT_MODIFY) {
		e->u.modify.lines = lines_as_told(e->u.modify.lines, e->u.modify.line_count, lines);
	} else if (e->kind == INV_EFFECT_IMPORT) {
		struct inv_effect_import *i = &e->u.import;
		time_as_told(&i->created_at_us);
		time_as_told(&i->changed_at_us);
		if (i->expires_at_us != 0)
			time_as_told(&i->expires_at_us);
		i->lines = lines_as_told(i->lines, i->line_count, lines);
	} else if (e->kind == INV_EFFECT_EXTEND || e->kind == INV_EFFECT_GRACE) {
		time_as_told(&e->u.extend.old_expires_at_us);
		time_as_told(&e->u.extend.expires_at_us);
	} else if (e->kind == INV_EFFECT_RETIRE) {
		time_as_told(&e->u.retire.purge_mark_us);
	}
}

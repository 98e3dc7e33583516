#include "tools/keyrack-recover.h"

#include <inttypes.h>
#include <stdlib.h>

#include "engine/log/record.h"
#include "proto/access.h"
#include "tools/keyrack-recover_json.h"

/*
 * Effects as they stand in the log, one a line, built once as JSON: the text form is the same
 * members as words.
 */

static void put_text(json_t *json, const char *name, struct inv_text text)
{
	kr_assert(text.size_bytes <= INV_TEXT_SIZE_MAX);
	if (text.size_bytes != 0)
		json_object_set_new(json, name, recover_text_json(text));
}

static void put_principal(json_t *json, uint32_t principal)
{
	char bytes[ACCESS_TEXT_SIZE];
	struct kr_text text;
	kr_text_init(&text, bytes, sizeof(bytes));
	access_principal_format(principal, &text);
	json_object_set_new(json, "principal", json_string(bytes));
	kr_assert(principal != 0 && !text.is_cut);
}

static void put_olds(json_t *json, const struct inv_effect *effect)
{
	json_t *list = json_array();
	kr_assert(effect->old_count <= INV_OLDS_MAX);
	for (uint32_t i = 0; i < effect->old_count; i++) {
		json_array_append_new(list,
			json_pack("[i,i]", (int)effect->olds[i].held, (int)effect->olds[i].booked));
	}
	json_object_set_new(json, "olds", list);
}

static void put_hotel(json_t *json, const struct inv_effect_hotel *hotel)
{
	const struct inv_hotel_settings *s = &hotel->settings;
	kr_assert(s->currency[3] == 0);
	json_object_set_new(json, "created", json_boolean(hotel->created));
	put_text(json, "code", s->code);
	put_text(json, "zone", s->zone);
	put_text(json, "currency", (struct inv_text){s->currency, sizeof(s->currency) - 1});
	recover_put_number(json, "currency_digits", s->currency_digits);
	recover_put_number(json, "day_roll_minute", s->day_roll_minute);
	recover_put_number(json, "check_in_minute", s->check_in_minute);
	recover_put_hotel_limits(json, s);
	recover_put_number(json, "status", s->status);
	recover_put_day(json, "business_day", hotel->business_day);
	recover_put_number(json, "ari_version", hotel->ari_version);
}

static void put_type(json_t *json, const struct inv_effect_type *type)
{
	const struct inv_type_settings *s = &type->settings;
	kr_assert((type->set_mask & ~INV_TYPE_MASK) == 0);
	json_object_set_new(json, "created", json_boolean(type->created));
	recover_put_number(json, "type", type->type);
	recover_put_number(json, "set_mask", type->set_mask);
	put_text(json, "code", s->code);
	recover_put_number(json, "status", s->status);
	recover_put_number(json, "plan_status", s->plan_status);
	recover_put_number(json, "physical", s->physical);
	recover_put_number(json, "out_of_order", s->out_of_order);
	json_object_set_new(json, "allowance", json_integer(s->allowance));
	recover_put_number(json, "allowance_unit", s->allowance_unit);
	json_object_set_new(json, "cap", json_integer(s->cap));
	recover_put_number(json, "guests_max", s->guests_max);
	recover_put_number(json, "advance_min_minutes", s->advance_min_minutes);
	recover_put_number(json, "advance_max_minutes", s->advance_max_minutes);
	recover_put_number(json, "ari_version", type->ari_version);
}

static void put_plan(json_t *json, const struct inv_effect_plan *plan)
{
	const struct inv_plan_settings *s = &plan->settings;
	json_t *tiers = json_array();
	kr_assert(s->tier_count <= INV_TIERS_MAX);
	json_object_set_new(json, "created", json_boolean(plan->created));
	recover_put_number(json, "type", plan->type);
	recover_put_number(json, "plan", plan->plan);
	put_text(json, "code", s->code);
	recover_put_number(json, "status", s->status);
	recover_put_number(json, "advance_min_minutes", s->advance_min_minutes);
	recover_put_number(json, "advance_max_minutes", s->advance_max_minutes);
	recover_put_number(json, "derivation", s->derivation);
	if (s->derivation != INV_PRICES_OWN) {
		recover_put_number(json, "parent", s->parent);
		recover_put_signed(json, "adjustment", s->adjustment);
	}
	for (uint32_t i = 0; i < s->tier_count; i++)
		json_array_append_new(
			tiers, json_pack("{s:i,s:i,s:i}", "hours", (int)s->tiers[i].hours, "nights",
				       (int)s->tiers[i].nights, "basis_points",
				       (int)s->tiers[i].basis_points));
	json_object_set_new(json, "tiers", tiers);
	recover_put_number(json, "ari_version", plan->ari_version);
}

static void put_update_value(
	json_t *json, uint32_t mask, uint32_t bit, const char *name, int64_t value)
{
	kr_assert(name != NULL);
	if (mask & bit)
		recover_put_signed(json, name, value);
}

static void put_update_values(json_t *json, const struct inv_update *u)
{
	uint32_t mask = u->set_mask | u->adjust_mask;
	kr_assert((mask & ~INV_UPDATE_MASK) == 0);
	put_update_value(json, mask, INV_UPDATE_PHYSICAL, "physical", u->physical);
	put_update_value(json, mask, INV_UPDATE_OUT_OF_ORDER, "out_of_order", u->out_of_order);
	put_update_value(json, mask, INV_UPDATE_ALLOWANCE, "allowance", u->allowance);
	put_update_value(json, mask, INV_UPDATE_ALLOWANCE, "allowance_unit", u->allowance_unit);
	put_update_value(json, mask, INV_UPDATE_CAP, "cap", u->cap);
	put_update_value(json, mask, INV_UPDATE_CLOSED, "closed", u->closed);
	put_update_value(json, mask, INV_UPDATE_CTA, "cta", u->cta);
	put_update_value(json, mask, INV_UPDATE_CTD, "ctd", u->ctd);
	put_update_value(json, mask, INV_UPDATE_PRICE, "price_minor", u->price_minor);
	put_update_value(json, mask, INV_UPDATE_MIN_ARRIVAL, "min_arrival", u->los.min_arrival);
	put_update_value(json, mask, INV_UPDATE_MAX_ARRIVAL, "max_arrival", u->los.max_arrival);
	put_update_value(json, mask, INV_UPDATE_MIN_THROUGH, "min_through", u->los.min_through);
	put_update_value(json, mask, INV_UPDATE_MAX_THROUGH, "max_through", u->los.max_through);
	put_update_value(json, mask, INV_UPDATE_PLAN_CLOSED, "plan_closed", u->plan_closed);
	put_update_value(json, mask, INV_UPDATE_PLAN_CTA, "plan_cta", u->plan_cta);
	put_update_value(json, mask, INV_UPDATE_PLAN_CTD, "plan_ctd", u->plan_ctd);
	put_update_value(json, mask, INV_UPDATE_AVAILABLE, "available", u->available);
}

static json_t *update_olds_json(const struct inv_effect_update *update)
{
	json_t *list = json_array();
	kr_assert(update->old_count <= INV_UPDATE_CELLS_MAX);
	for (uint32_t i = 0; i < update->old_count; i++) {
		const struct inv_update_old *old = &update->olds[i];
		json_array_append_new(list,
			json_pack("{s:i,s:i,s:i,s:o,s:i,s:[i,i,i,i]}", "nights", (int)old->count,
				"limit", (int)old->limit, "flags", (int)old->flags, "price_minor",
				recover_number_json(old->price_minor), "rate_flags",
				(int)old->rate_flags, "los", (int)old->los.min_arrival,
				(int)old->los.max_arrival, (int)old->los.min_through,
				(int)old->los.max_through));
	}
	return list;
}

static void put_update(json_t *json, const struct inv_effect_update *update)
{
	const struct inv_update *u = &update->update;
	json_t *types = json_array();
	kr_assert(update->type_count <= INV_HOTEL_TYPES_MAX);
	for (uint32_t i = 0; i < update->type_count; i++)
		json_array_append_new(types, json_integer(update->types[i]));
	json_object_set_new(json, "types", types);
	recover_put_number(json, "plan", u->plan);
	recover_put_day(json, "first_day", u->first_day);
	recover_put_day(json, "last_day", u->last_day);
	recover_put_number(json, "weekday_mask", u->weekday_mask);
	recover_put_number(json, "set_mask", u->set_mask);
	recover_put_number(json, "adjust_mask", u->adjust_mask);
	recover_put_number(json, "clear_mask", u->clear_mask);
	put_update_values(json, u);
	recover_put_number(json, "source_seq", u->source_seq);
	recover_put_number(json, "ari_version", update->ari_version);
	json_object_set_new(json, "olds", update_olds_json(update));
}

static json_t *line_json(const struct inv_line *line)
{
	json_t *json = json_object();
	json_t *runs = json_array();
	kr_assert(line->run_count <= INV_STAY_NIGHTS_MAX);
	recover_put_number(json, "type", line->type);
	recover_put_number(json, "plan", line->plan);
	recover_put_day(json, "check_in", line->check_in);
	recover_put_day(json, "check_out", line->check_out);
	recover_put_number(json, "rooms", line->rooms);
	recover_put_number(json, "guests", line->guests);
	recover_put_number(json, "pricing", line->pricing);
	for (uint32_t i = 0; i < line->run_count; i++) {
		json_array_append_new(
			runs, json_pack("[i,o]", (int)line->runs[i].nights,
				      recover_number_json(line->runs[i].price_minor)));
	}
	json_object_set_new(json, "prices", runs);
	if (line->tier_count != 0)
		recover_put_terms(json, line);
	return json;
}

static void put_lines(json_t *json, const struct inv_line *lines, uint32_t line_count)
{
	json_t *list = json_array();
	kr_assert(line_count <= INV_LINES_MAX);
	for (uint32_t i = 0; i < line_count; i++)
		json_array_append_new(list, line_json(&lines[i]));
	json_object_set_new(json, "lines", list);
}

static void put_reserve(json_t *json, const struct inv_effect_reserve *r)
{
	char guest[KR_ID_TEXT_SIZE], replaces[KR_ID_TEXT_SIZE];
	kr_assert(r->line_count >= 1);
	json_object_set_new(json, "book", json_boolean(r->book));
	if (!r->book)
		recover_put_time(json, "expires_at", r->expires_at_us);
	if ((r->guest.hi | r->guest.lo) != 0) {
		kr_id_format((struct kr_id){.hi = r->guest.hi, .lo = r->guest.lo}, guest);
		json_object_set_new(json, "guest", json_string(guest));
	}
	put_text(json, "external_ref", r->external_ref);
	put_text(json, "payment_ref", r->payment_ref);
	recover_put_hex(json, "fingerprint", r->fingerprint);
	if (r->forced)
		json_object_set_new(json, "forced", json_true());
	if (!kr_id_is_zero(r->replaces)) {
		kr_id_format(r->replaces, replaces);
		json_object_set_new(json, "replaces", json_string(replaces));
		recover_put_number(json, "replaced_revision", r->replaced_revision);
	}
	put_lines(json, r->lines, r->line_count);
}

static void put_import(json_t *json, const struct inv_effect_import *i)
{
	char guest[KR_ID_TEXT_SIZE];
	kr_assert(i->line_count >= 1);
	json_object_set_new(json, "state", json_string(recover_state_name(i->state)));
	json_object_set_new(json, "was_held", json_boolean(i->was_held));
	json_object_set_new(json, "graced", json_boolean(i->graced));
	if (i->forced)
		json_object_set_new(json, "forced", json_true());
	recover_put_time(json, "created_at", i->created_at_us);
	recover_put_time(json, "changed_at", i->changed_at_us);
	if (i->expires_at_us != 0)
		recover_put_time(json, "expires_at", i->expires_at_us);
	if (i->state == INV_NO_SHOW || i->state == INV_COMPLETED)
		recover_put_day(json, "counted_until", i->counted_until);
	if (i->change_id != 0)
		recover_put_hex(json, "last_change_id", i->change_id);
	recover_put_number(json, "reservation_source", i->source);
	if ((i->guest.hi | i->guest.lo) != 0) {
		kr_id_format((struct kr_id){.hi = i->guest.hi, .lo = i->guest.lo}, guest);
		json_object_set_new(json, "guest", json_string(guest));
	}
	put_text(json, "external_ref", i->external_ref);
	put_text(json, "payment_ref", i->payment_ref);
	recover_put_hex(json, "fingerprint", i->fingerprint);
	put_lines(json, i->lines, i->line_count);
}

static void put_kind(json_t *json, const struct inv_effect *effect)
{
	kr_assert(effect->kind != 0);
	switch (effect->kind) {
	case INV_EFFECT_HOTEL:
		put_hotel(json, &effect->u.hotel_put);
		break;
	case INV_EFFECT_TYPE:
		put_type(json, &effect->u.type_put);
		break;
	case INV_EFFECT_PLAN:
		put_plan(json, &effect->u.plan_put);
		break;
	case INV_EFFECT_UPDATE:
		put_update(json, &effect->u.update);
		break;
	case INV_EFFECT_RESERVE:
		put_reserve(json, &effect->u.reserve);
		break;
	case INV_EFFECT_IMPORT:
		put_import(json, &effect->u.import);
		break;
	case INV_EFFECT_CONFIRM:
		put_text(json, "payment_ref", effect->u.confirm.payment_ref);
		break;
	case INV_EFFECT_ATTACH_PAYMENT:
		put_text(json, "payment_ref", effect->u.attach.payment_ref);
		break;
	case INV_EFFECT_MODIFY:
		if (effect->u.modify.forced)
			json_object_set_new(json, "forced", json_true());
		put_lines(json, effect->u.modify.lines, effect->u.modify.line_count);
		break;
	case INV_EFFECT_EXTEND:
		recover_put_time(json, "old_expires_at", effect->u.extend.old_expires_at_us);
		recover_put_time(json, "expires_at", effect->u.extend.expires_at_us);
		break;
	case INV_EFFECT_GRACE:
		recover_put_time(json, "old_expires_at", effect->u.grace.old_expires_at_us);
		recover_put_time(json, "expires_at", effect->u.grace.expires_at_us);
		break;
	case INV_EFFECT_RETIRE:
		json_object_set_new(json, "completed", json_boolean(effect->u.retire.completed));
		recover_put_time(json, "purge_mark", effect->u.retire.purge_mark_us);
		break;
	case INV_EFFECT_WINDOW:
		recover_put_day(json, "old_business_day", effect->u.window.old_business_day);
		recover_put_day(json, "business_day", effect->u.window.business_day);
		break;
	case INV_EFFECT_START:
		recover_put_number(json, "format", effect->u.start.format);
		recover_put_number(json, "window_nights", effect->u.start.window_nights);
		recover_put_number(json, "epoch", effect->u.start.epoch);
		break;
	case INV_EFFECT_DIGEST:
		recover_put_hex(json, "state_digest", effect->u.digest.state_digest);
		break;
	case INV_EFFECT_TRUNCATE:
		recover_put_number(json, "to_lsn", effect->u.truncate.to_lsn);
		recover_put_number(json, "term", effect->u.truncate.term);
		break;
	default:
		break;
	}
}

/* All but the head. */
static json_t *effect_json(const struct inv_effect *effect)
{
	char id[KR_ID_TEXT_SIZE];
	json_t *json = json_object();
	kr_assert(json != NULL && effect->lsn > 0);
	if (effect->hotel.v != 0)
		recover_put_number(json, "event_seq", effect->event_seq);
	if (!kr_id_is_zero(effect->id)) {
		kr_id_format(effect->id, id);
		json_object_set_new(json, "id", json_string(id));
	}
	if (effect->revision != 0)
		recover_put_number(json, "revision", effect->revision);
	if (effect->change_id != 0)
		recover_put_hex(json, "change_id", effect->change_id);
	if (effect->actor.actor != 0)
		recover_put_number(json, "actor", effect->actor.actor);
	if (effect->actor.source != 0)
		recover_put_number(json, "source", effect->actor.source);
	if (effect->actor.principal != 0)
		put_principal(json, effect->actor.principal);
	put_text(json, "reason", effect->actor.reason);
	put_kind(json, effect);
	if (effect->old_count > 0)
		put_olds(json, effect);
	return json;
}

/* The object is freed. */
static void print_json(const struct inv_effect *effect, json_t *json, FILE *out)
{
	char t[RECOVER_TIME_SIZE], lsn[RECOVER_NUMBER_SIZE], hotel[RECOVER_NUMBER_SIZE], head[128];
	recover_time_format(effect->t_us & INT64_MAX, t);
	recover_number_format(effect->lsn, lsn);
	recover_number_format(effect->hotel.v, hotel);
	int length =
		snprintf(head, sizeof(head), "\"lsn\":%s,\"t\":\"%s\",\"kind\":\"%s\",\"hotel\":%s",
			lsn, t, record_kind_name(effect->kind), hotel);
	kr_assert(length > 0 && (unsigned)length < sizeof(head));
	recover_print_json(head, json, out);
}

/* lsn t kind hotel name=value ... The object is freed. */
static void print_words(const struct inv_effect *effect, json_t *json, FILE *out)
{
	const char *name;
	json_t *value;
	char t[RECOVER_TIME_SIZE];
	recover_time_format(effect->t_us & INT64_MAX, t);
	fprintf(out, "%" PRIu64 " %s %s hotel=%" PRIu64, effect->lsn, t,
		record_kind_name(effect->kind), effect->hotel.v);
	kr_assert(json_is_object(json));
	json_object_foreach(json, name, value)
	{
		fprintf(out, " %s=", name);
		if (json_is_string(value))
			fputs(json_string_value(value), out);
		else
			json_dumpf(
				value, out, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);
	}
	fputc('\n', out);
	json_decref(json);
}

static int log_batch(void *context, const struct log_batch_header *header, const uint8_t *body,
	struct log_trouble *trouble)
{
	struct recover_log_dump *dump = context;
	struct record_reader reader;
	struct inv_effect effect;
	struct record_body records = {
		.bytes = body,
		.size_bytes = header->body_size_bytes,
		.first_lsn = header->first_lsn,
		.count = header->count,
		.t_us = header->timestamp_us,
	};
	int r;
	record_reader_init(&reader, &records, dump->scratch);
	while ((r = record_next(&reader, &effect)) == 0) {
		if (effect.lsn < dump->from_lsn || (dump->to_lsn != 0 && effect.lsn > dump->to_lsn))
			continue;
		json_t *json = effect_json(&effect);
		if (dump->is_json)
			print_json(&effect, json, dump->out);
		else
			print_words(&effect, json, dump->out);
	}
	if (r == RECORD_END)
		return 0;
	kr_assert(r == RECORD_MALFORMED);
	trouble->lsn = reader.lsn;
	snprintf(trouble->text, sizeof(trouble->text),
		"a record is malformed behind a valid checksum");
	return LOG_APPLY_CONTRADICTION;
}

static int log_digest(
	void *context, const struct log_batch_header *header, struct log_trouble *trouble)
{
	kr_assert(context != NULL && header != NULL);
	return 0;
}

void recover_log_applier(struct recover_log_dump *dump, struct log_applier *ret_applier)
{
	kr_assert(dump->scratch != NULL && dump->out != NULL);
	*ret_applier = (struct log_applier){
		.context = dump,
		.on_reset = recover_ignore_reset,
		.on_chunk = recover_ignore_chunk,
		.on_batch = log_batch,
		.on_digest = log_digest,
	};
}

#include "engine/log/record_priv.h"

/* ---- reading: fields ---- */

static struct inv_text get_text(struct kr_reader *r)
{
	struct inv_text text = {0};
	text.size_bytes = (uint32_t)kr_reader_varint_max(r, INV_TEXT_SIZE_MAX);
	text.bytes = kr_reader_bytes(r, text.size_bytes);
	return text;
}

/* A text whose presence was announced is not empty. */
static struct inv_text get_text_present(struct kr_reader *r)
{
	struct inv_text text = get_text(r);
	kr_assert(r->at <= r->end);
	if (text.size_bytes == 0)
		kr_reader_fail(r);
	return text;
}

/* A byte with no bits beyond `mask`. */
static unsigned get_flags(struct kr_reader *r, unsigned mask)
{
	unsigned flags = kr_reader_u8(r);
	kr_assert(mask <= UINT8_MAX);
	if ((flags & ~mask) != 0)
		kr_reader_fail(r);
	return flags & mask;
}

static int64_t get_signed(struct kr_reader *r, int64_t min, int64_t max)
{
	int64_t value = kr_reader_zigzag(r);
	kr_assert(min <= max);
	if (value >= min && value <= max)
		return value;
	kr_reader_fail(r);
	return 0;
}

static int32_t get_day(struct kr_reader *r)
{
	return (int32_t)get_signed(r, INT32_MIN, INT32_MAX);
}

/* `max` nights after `first`; fails where the sum leaves 32 bits. */
static int32_t get_day_after(struct kr_reader *r, int32_t first)
{
	int64_t day = (int64_t)first + (int64_t)kr_reader_varint_max(r, UINT32_MAX);
	kr_assert(r->at <= r->end);
	if (day <= INT32_MAX)
		return (int32_t)day;
	kr_reader_fail(r);
	return first;
}

static uint64_t get_instant(struct kr_reader *r, uint64_t t_us)
{
	return t_us + (uint64_t)kr_reader_zigzag(r);
}

static uint16_t get_u16(struct kr_reader *r)
{
	return (uint16_t)kr_reader_varint_max(r, UINT16_MAX);
}

static uint32_t get_u32(struct kr_reader *r)
{
	return (uint32_t)kr_reader_varint_max(r, UINT32_MAX);
}

static struct kr_id get_id(struct kr_reader *r)
{
	const void *bytes = kr_reader_bytes(r, KR_ID_SIZE);
	return bytes == NULL ? (struct kr_id){0} : kr_id_load(bytes);
}

/* What is present is not zero, so that there is one way to write it. */
static uint64_t get_nonzero(struct kr_reader *r, uint64_t max)
{
	uint64_t value = kr_reader_varint_max(r, max);
	kr_assert(max > 0);
	if (value == 0)
		kr_reader_fail(r);
	return value;
}

static void get_actor(struct kr_reader *r, unsigned fields, struct inv_actor *ret_actor)
{
	kr_assert((fields & ~FIELD_MASK) == 0);
	*ret_actor = (struct inv_actor){0};
	if (fields & FIELD_ACTOR)
		ret_actor->actor = get_nonzero(r, UINT64_MAX);
	if (fields & FIELD_SOURCE)
		ret_actor->source = (uint32_t)get_nonzero(r, UINT32_MAX);
	if (fields & FIELD_PRINCIPAL)
		ret_actor->principal = (uint32_t)get_nonzero(r, UINT32_MAX);
	if (fields & FIELD_REASON)
		ret_actor->reason = get_text_present(r);
}

static void get_hotel_id(struct kr_reader *r, struct inv_effect *effect)
{
	kr_assert(effect->hotel.v == 0);
	effect->hotel.v = kr_reader_u64(r);
	effect->event_seq = kr_reader_varint(r);
	if (effect->hotel.v == 0)
		kr_reader_fail(r);
}

static void get_olds(struct kr_reader *r, struct record_arrays *arrays, struct inv_effect *effect)
{
	uint32_t total = (uint32_t)kr_reader_varint_max(r, INV_OLDS_MAX);
	uint32_t count = 0;
	while (count < total && !r->failed) {
		uint64_t run = get_nonzero(r, total - count);
		struct inv_cell_old old = {.held = get_u16(r)};
		old.booked = get_u16(r);
		const struct inv_cell_old *last = count > 0 ? &arrays->olds[count - 1] : NULL;
		if (last != NULL && last->held == old.held && last->booked == old.booked)
			kr_reader_fail(r);
		for (uint64_t i = 0; i < run; i++)
			arrays->olds[count++] = old;
	}
	kr_assert(count <= INV_OLDS_MAX);
	effect->olds = arrays->olds;
	effect->old_count = count;
}

/* ---- reading: kinds ---- */

static void get_hotel(struct kr_reader *r, struct inv_effect_hotel *hotel)
{
	struct inv_hotel_settings *s = &hotel->settings;
	hotel->created = get_flags(r, 1) != 0;
	s->code = get_text(r);
	s->zone = get_text(r);
	const char *currency = kr_reader_bytes(r, 3);
	if (currency != NULL)
		memcpy(s->currency, currency, 3);
	s->currency_digits = kr_reader_u8(r);
	s->day_roll_minute = get_u16(r);
	s->check_in_minute = get_u16(r);
	s->nights_max = get_u16(r);
	s->hold_ttl_us = kr_reader_varint(r);
	s->hold_ttl_max_us = kr_reader_varint(r);
	s->hold_total_max_us = kr_reader_varint(r);
	s->holds_max = get_u32(r);
	s->guest_holds_max = get_u32(r);
	s->status = kr_reader_u8(r);
	hotel->business_day = get_day(r);
	hotel->ari_version = kr_reader_varint(r);
	kr_assert(s->currency[3] == 0);
}

static void get_type(struct kr_reader *r, struct inv_effect_type *type)
{
	struct inv_type_settings *s = &type->settings;
	type->created = get_flags(r, 1) != 0;
	type->type = get_u16(r);
	type->set_mask = (uint32_t)kr_reader_varint_max(r, INV_TYPE_MASK);
	s->code = get_text(r);
	s->status = kr_reader_u8(r);
	s->plan_status = kr_reader_u8(r);
	s->allowance_unit = kr_reader_u8(r);
	s->physical = get_u16(r);
	s->out_of_order = get_u16(r);
	s->allowance = (int32_t)get_signed(r, INT32_MIN, INT32_MAX);
	s->cap = (int16_t)get_signed(r, INT16_MIN, INT16_MAX);
	s->guests_max = get_u16(r);
	s->advance_min_minutes = get_u32(r);
	s->advance_max_minutes = get_u32(r);
	type->ari_version = kr_reader_varint(r);
	kr_assert(type->set_mask <= INV_TYPE_MASK);
}

static void get_plan(struct kr_reader *r, struct inv_effect_plan *plan)
{
	struct inv_plan_settings *s = &plan->settings;
	plan->created = get_flags(r, 1) != 0;
	plan->type = get_u16(r);
	plan->plan = get_u16(r);
	s->code = get_text(r);
	s->status = kr_reader_u8(r);
	s->advance_min_minutes = get_u32(r);
	s->advance_max_minutes = get_u32(r);
	s->parent = get_u16(r);
	s->derivation = kr_reader_u8(r);
	s->adjustment = kr_reader_zigzag(r);
	s->tier_count = (uint8_t)inv_tiers_get(r, s->tiers);
	plan->ari_version = kr_reader_varint(r);
	kr_assert(s->tier_count <= INV_TIERS_MAX);
}

static void get_update_values(struct kr_reader *r, struct inv_update *u)
{
	uint32_t mask = u->set_mask | u->adjust_mask;
	unsigned flags = get_flags(r, UPDATE_FLAG_MASK);
	kr_assert((mask & ~INV_UPDATE_MASK) == 0);
	u->closed = flags & UPDATE_CLOSED;
	u->cta = flags & UPDATE_CTA;
	u->ctd = flags & UPDATE_CTD;
	u->plan_closed = flags & UPDATE_PLAN_CLOSED;
	u->plan_cta = flags & UPDATE_PLAN_CTA;
	u->plan_ctd = flags & UPDATE_PLAN_CTD;
	u->allowance_unit = kr_reader_u8(r);
	if (mask & INV_UPDATE_PHYSICAL)
		u->physical = kr_reader_zigzag(r);
	if (mask & INV_UPDATE_OUT_OF_ORDER)
		u->out_of_order = kr_reader_zigzag(r);
	if (mask & INV_UPDATE_ALLOWANCE)
		u->allowance = kr_reader_zigzag(r);
	if (mask & INV_UPDATE_CAP)
		u->cap = kr_reader_zigzag(r);
	if (mask & INV_UPDATE_PRICE)
		u->price_minor = kr_reader_zigzag(r);
	if (mask & INV_UPDATE_MIN_ARRIVAL)
		u->los.min_arrival = get_u16(r);
	if (mask & INV_UPDATE_MAX_ARRIVAL)
		u->los.max_arrival = get_u16(r);
	if (mask & INV_UPDATE_MIN_THROUGH)
		u->los.min_through = get_u16(r);
	if (mask & INV_UPDATE_MAX_THROUGH)
		u->los.max_through = get_u16(r);
	if (mask & INV_UPDATE_AVAILABLE)
		u->available = kr_reader_zigzag(r);
}

static void get_update_old(struct kr_reader *r, struct inv_update_old *old)
{
	kr_assert(r->at <= r->end);
	*old = (struct inv_update_old){.count = (uint32_t)get_nonzero(r, INV_UPDATE_CELLS_MAX)};
	unsigned mask = get_flags(r, OLD_MASK);
	if (mask & OLD_LIMIT)
		old->limit = (int16_t)get_signed(r, INT16_MIN, INT16_MAX);
	if (mask & OLD_FLAGS)
		old->flags = (uint16_t)get_nonzero(r, UINT16_MAX);
	if (mask & OLD_PRICE)
		old->price_minor = get_nonzero(r, RATE_PRICE_MAX);
	if (mask & OLD_RATE_FLAGS)
		old->rate_flags = kr_reader_u8(r);
	if (mask & OLD_LOS) {
		old->los.min_arrival = get_u16(r);
		old->los.max_arrival = get_u16(r);
		old->los.min_through = get_u16(r);
		old->los.max_through = get_u16(r);
	}
	if (((mask & OLD_LIMIT) && old->limit == 0) ||
		((mask & OLD_RATE_FLAGS) && old->rate_flags == 0) ||
		((mask & OLD_LOS) && los_is_zero(&old->los)))
		kr_reader_fail(r);
}

static void get_update(
	struct kr_reader *r, struct record_scratch *scratch, struct inv_effect_update *update)
{
	struct inv_update *u = &update->update;
	uint32_t types = (uint32_t)kr_reader_varint_max(r, INV_HOTEL_TYPES_MAX);
	for (uint32_t i = 0; i < types; i++)
		scratch->types[i] = get_u16(r);
	update->types = scratch->types;
	update->type_count = types;
	u->plan = get_u16(r);
	u->first_day = get_day(r);
	u->last_day = get_day_after(r, u->first_day);
	u->weekday_mask = kr_reader_u8(r);
	u->set_mask = (uint32_t)kr_reader_varint_max(r, INV_UPDATE_MASK);
	u->adjust_mask = (uint32_t)kr_reader_varint_max(r, INV_UPDATE_MASK);
	u->clear_mask = (uint32_t)kr_reader_varint_max(r, INV_UPDATE_MASK);
	get_update_values(r, u);
	u->source = get_u32(r);
	u->source_seq = kr_reader_varint(r);
	update->ari_version = kr_reader_varint(r);
	update->old_count = (uint32_t)kr_reader_varint_max(r, INV_UPDATE_CELLS_MAX);
	update->olds = scratch->update_olds;
	for (uint32_t i = 0; i < update->old_count && !r->failed; i++)
		get_update_old(r, &scratch->update_olds[i]);
	kr_assert(u->last_day >= u->first_day);
}

/* `used` counts the runs of all lines together. */
static void get_runs(
	struct kr_reader *r, struct record_arrays *arrays, uint32_t *used, struct inv_line *line)
{
	kr_assert(*used <= INV_STAY_NIGHTS_MAX);
	line->run_count = (uint16_t)kr_reader_varint_max(r, INV_STAY_NIGHTS_MAX - *used);
	struct inv_price_run *runs = arrays->runs + *used;
	for (uint32_t i = 0; i < line->run_count; i++) {
		runs[i].nights = get_u16(r);
		runs[i].price_minor = kr_reader_varint_max(r, RATE_PRICE_MAX);
	}
	line->runs = runs;
	*used += line->run_count;
}

static void get_line(
	struct kr_reader *r, struct record_arrays *arrays, uint32_t *used, uint32_t index)
{
	struct inv_line *line = &arrays->lines[index];
	*line = (struct inv_line){.type = get_u16(r)};
	line->plan = get_u16(r);
	line->check_in = get_day(r);
	line->check_out = get_day_after(r, line->check_in);
	if (line->check_out <= line->check_in)
		kr_reader_fail(r);
	line->rooms = get_u16(r);
	line->guests = get_u16(r);
	unsigned pricing = kr_reader_u8(r);
	line->pricing = (uint8_t)(pricing & ~INV_LINE_TERMS);
	if (line->pricing > INV_PRICE_NONE)
		kr_reader_fail(r);
	get_runs(r, arrays, used, line);
	if (pricing & INV_LINE_TERMS)
		inv_line_terms_get(r, line, arrays->tiers[index]);
	kr_assert(index < INV_LINES_MAX);
}

/* Returns how many; they lie in the arrays. */
static uint32_t get_lines(struct kr_reader *r, struct record_arrays *arrays)
{
	uint32_t line_count = (uint32_t)get_nonzero(r, INV_LINES_MAX), used = 0;
	kr_assert(arrays != NULL);
	for (uint32_t i = 0; i < line_count; i++)
		get_line(r, arrays, &used, i);
	return line_count;
}

static void get_replaced(struct kr_reader *r, struct inv_effect_reserve *reserve)
{
	reserve->replaces = get_id(r);
	reserve->replaced_revision = get_u32(r);
	if (kr_id_is_zero(reserve->replaces) || reserve->replaced_revision < 2 || reserve->book)
		kr_reader_fail(r);
	kr_assert(r->failed || !reserve->book);
}

static struct inv_guest_id get_guest(struct kr_reader *r)
{
	struct kr_id guest = get_id(r);
	kr_assert(r->at <= r->end);
	if (kr_id_is_zero(guest))
		kr_reader_fail(r);
	return (struct inv_guest_id){.hi = guest.hi, .lo = guest.lo};
}

static void get_reserve(
	struct kr_reader *r, struct record_arrays *arrays, struct inv_effect *effect)
{
	struct inv_effect_reserve *reserve = &effect->u.reserve;
	unsigned flags = get_flags(r, RESERVE_MASK);
	kr_assert(effect->kind == INV_EFFECT_RESERVE);
	reserve->book = flags & RESERVE_BOOK;
	reserve->forced = flags & RESERVE_FORCED;
	reserve->fingerprint = kr_reader_u64(r);
	if (!reserve->book)
		reserve->expires_at_us = get_instant(r, effect->t_us);
	if (flags & RESERVE_GUEST)
		reserve->guest = get_guest(r);
	if (flags & RESERVE_EXTERNAL_REF)
		reserve->external_ref = get_text_present(r);
	if (flags & RESERVE_PAYMENT_REF)
		reserve->payment_ref = get_text_present(r);
	if (flags & RESERVE_REPLACES)
		get_replaced(r, reserve);
	reserve->line_count = get_lines(r, arrays);
	reserve->lines = arrays->lines;
}

/* What the flags announce is not zero, so that there is one way to write it. */
static void get_import_rest(struct kr_reader *r, unsigned flags, struct inv_effect_import *import)
{
	kr_assert(flags <= UINT8_MAX);
	if (flags & IMPORT_GUEST)
		import->guest = get_guest(r);
	if (flags & IMPORT_EXTERNAL_REF)
		import->external_ref = get_text_present(r);
	if (flags & IMPORT_PAYMENT_REF)
		import->payment_ref = get_text_present(r);
	if (flags & IMPORT_CHANGE)
		import->change_id = kr_reader_u64(r);
	if ((flags & IMPORT_CHANGE) && import->change_id == 0)
		kr_reader_fail(r);
}

static void get_import(struct kr_reader *r, struct record_arrays *arrays, struct inv_effect *effect)
{
	struct inv_effect_import *import = &effect->u.import;
	unsigned flags = get_flags(r, UINT8_MAX);
	kr_assert(effect->kind == INV_EFFECT_IMPORT);
	import->was_held = flags & IMPORT_WAS_HELD;
	import->graced = flags & IMPORT_GRACED;
	import->forced = flags & IMPORT_FORCED;
	import->state = kr_reader_u8(r);
	import->fingerprint = kr_reader_u64(r);
	import->source = get_u32(r);
	import->created_at_us = get_instant(r, effect->t_us);
	import->changed_at_us = get_instant(r, effect->t_us);
	if (flags & IMPORT_DEADLINE)
		import->expires_at_us = get_instant(r, effect->t_us);
	if (import->state < INV_HELD || import->state >= INV_VOID ||
		((flags & IMPORT_DEADLINE) ? import->expires_at_us == 0
					   : import->state == INV_HELD))
		kr_reader_fail(r);
	if (import->state == INV_NO_SHOW || import->state == INV_COMPLETED)
		import->counted_until = get_day(r);
	get_import_rest(r, flags, import);
	import->line_count = get_lines(r, arrays);
	import->lines = arrays->lines;
}

static void get_kind(
	const struct record_reader *reader, struct kr_reader *r, struct inv_effect *effect)
{
	struct record_arrays *arrays = reader->arrays;
	switch (effect->kind) {
	case INV_EFFECT_HOTEL:
		get_hotel(r, &effect->u.hotel_put);
		break;
	case INV_EFFECT_TYPE:
		get_type(r, &effect->u.type_put);
		break;
	case INV_EFFECT_PLAN:
		get_plan(r, &effect->u.plan_put);
		break;
	case INV_EFFECT_UPDATE:
		get_update(r, reader->scratch, &effect->u.update);
		break;
	case INV_EFFECT_RESERVE:
		get_reserve(r, arrays, effect);
		break;
	case INV_EFFECT_CONFIRM:
		effect->u.confirm.payment_ref = get_text(r);
		break;
	case INV_EFFECT_EXTEND:
		effect->u.extend.old_expires_at_us = get_instant(r, effect->t_us);
		effect->u.extend.expires_at_us = get_instant(r, effect->t_us);
		break;
	case INV_EFFECT_ATTACH_PAYMENT:
		effect->u.attach.payment_ref = get_text_present(r);
		break;
	case INV_EFFECT_MODIFY:
		effect->u.modify.forced = get_flags(r, MODIFY_MASK) & MODIFY_FORCED;
		effect->u.modify.line_count = get_lines(r, arrays);
		effect->u.modify.lines = arrays->lines;
		break;
	case INV_EFFECT_IMPORT:
		get_import(r, arrays, effect);
		break;
	case INV_EFFECT_WINDOW:
		effect->u.window.old_business_day = get_day(r);
		effect->u.window.business_day = get_day(r);
		break;
	case INV_EFFECT_START:
		effect->u.start.format = get_u32(r);
		effect->u.start.window_nights = get_u32(r);
		effect->u.start.epoch = kr_reader_varint(r);
		break;
	case INV_EFFECT_DIGEST:
		effect->u.digest.state_digest = kr_reader_u64(r);
		break;
	case INV_EFFECT_TRUNCATE:
		effect->u.truncate.to_lsn = kr_reader_varint(r);
		effect->u.truncate.term = kr_reader_varint(r);
		break;
	default:
		kr_assert(!kind_is_packed(effect->kind));
	}
}

static void get_plain(
	const struct record_reader *reader, struct kr_reader *r, struct inv_effect *effect)
{
	unsigned fields = get_flags(r, FIELD_MASK);
	kr_assert(!kind_is_packed(effect->kind));
	kr_assert(effect->event_seq == 0);
	if ((fields & FIELD_REVISION) && !kind_has_revision(effect->kind))
		kr_reader_fail(r);
	if (((fields & FIELD_CHANGE) != 0) != kind_is_change(effect->kind))
		kr_reader_fail(r);
	if (fields & FIELD_HOTEL)
		get_hotel_id(r, effect);
	get_actor(r, fields, &effect->actor);
	if (kind_has_id(effect->kind))
		effect->id = get_id(r);
	if (kind_has_revision(effect->kind))
		effect->revision = 1;
	if (fields & FIELD_REVISION) {
		effect->revision = get_u32(r);
		if (effect->revision == 1)
			kr_reader_fail(r);
	}
	if (fields & FIELD_CHANGE) {
		effect->change_id = kr_reader_u64(r);
		if (effect->change_id == 0)
			kr_reader_fail(r);
	}
	get_kind(reader, r, effect);
	if (kind_has_olds(effect->kind))
		get_olds(r, reader->arrays, effect);
}

static void get_item(struct kr_reader *r, struct record_arrays *arrays, struct inv_effect *effect)
{
	bool retires = effect->kind == INV_EFFECT_RETIRE;
	unsigned flags = get_flags(r, retires ? ITEM_MASK : ITEM_MASK & ~ITEM_COMPLETED);
	kr_assert(kind_is_packed(effect->kind));
	if (flags & ITEM_HOTEL)
		get_hotel_id(r, effect);
	effect->id = get_id(r);
	effect->revision = flags & ITEM_REVISION ? get_u32(r) : 1;
	if ((flags & ITEM_REVISION) && effect->revision == 1)
		kr_reader_fail(r);
	if (effect->kind == INV_EFFECT_EXPIRE) {
		get_olds(r, arrays, effect);
	} else if (effect->kind == INV_EFFECT_GRACE) {
		effect->u.grace.old_expires_at_us = get_instant(r, effect->t_us);
		effect->u.grace.expires_at_us = get_instant(r, effect->t_us);
	} else {
		kr_assert(retires);
		effect->u.retire.completed = flags & ITEM_COMPLETED;
		effect->u.retire.purge_mark_us = get_instant(r, effect->t_us);
	}
}

/* ---- reading: records ---- */

void record_reader_init(struct record_reader *reader, const struct record_body *body,
	struct record_scratch *scratch)
{
	kr_assert(scratch != NULL);
	kr_assert(body->first_lsn > 0 || body->count == 0);
	*reader = (struct record_reader){
		.t_us = body->t_us,
		.lsn = body->first_lsn,
		.lsn_end = body->first_lsn + body->count,
		.arrays = &scratch->arrays,
		.scratch = scratch,
	};
	kr_reader_init(&reader->body, body->bytes, body->size_bytes);
	kr_reader_init(&reader->record, NULL, 0);
}

static void effect_begin(
	const struct record_reader *reader, unsigned kind, struct inv_effect *effect)
{
	kr_assert(kind != 0);
	kr_assert(reader->lsn > 0 || reader->lsn_end == 0);
	*effect = (struct inv_effect){.lsn = reader->lsn, .t_us = reader->t_us};
	effect->kind = (enum inv_effect_kind)kind;
}

static bool read_time(struct record_reader *reader, struct kr_reader *record)
{
	uint64_t delta_us = get_nonzero(record, UINT64_MAX);
	kr_assert(reader->packed_kind == 0);
	/* The first effect's t is the header's. */
	if (!kr_reader_done(record) || delta_us > UINT64_MAX - reader->t_us)
		return false;
	reader->t_us += delta_us;
	return true;
}

static bool read_packed_head(struct record_reader *reader, unsigned kind, struct kr_reader *record)
{
	unsigned fields = get_flags(record, ACTOR_MASK);
	kr_assert(kind_is_packed(kind));
	kr_assert(reader->packed_kind == 0);
	get_actor(record, fields, &reader->packed_actor);
	reader->packed_kind = (uint8_t)kind;
	reader->record = *record;
	return !record->failed && kr_reader_left(record) > 0;
}

static bool read_item(struct record_reader *reader, struct inv_effect *effect)
{
	kr_assert(reader->packed_kind != 0);
	kr_assert(kr_reader_left(&reader->record) > 0);
	effect_begin(reader, reader->packed_kind, effect);
	effect->actor = reader->packed_actor;
	get_item(&reader->record, reader->arrays, effect);
	if (reader->record.failed)
		return false;
	if (kr_reader_left(&reader->record) == 0)
		reader->packed_kind = 0;
	return true;
}

static bool read_plain(struct record_reader *reader, unsigned kind, struct kr_reader *record,
	struct inv_effect *effect)
{
	kr_assert(!kind_is_packed(kind));
	kr_assert(reader->lsn < reader->lsn_end);
	if (kind < INV_EFFECT_HOTEL || kind > INV_EFFECT_LAST)
		return false;
	effect_begin(reader, kind, effect);
	get_plain(reader, record, effect);
	return kr_reader_done(record);
}

/* One record's bytes, set apart; the kind byte is read. */
static bool read_record(
	struct record_reader *reader, struct kr_reader *ret_record, unsigned *ret_kind)
{
	size_t size = (size_t)kr_reader_varint_max(&reader->body, RECORD_SIZE_MAX);
	const void *bytes = kr_reader_bytes(&reader->body, size);
	kr_assert(reader->packed_kind == 0);
	if (reader->body.failed || size == 0)
		return false;
	kr_reader_init(ret_record, bytes, size);
	*ret_kind = kr_reader_u8(ret_record);
	return true;
}

/* 0 when an effect was read, RECORD_END when the record was no effect, RECORD_MALFORMED. */
static int read_step(struct record_reader *reader, struct inv_effect *effect)
{
	struct kr_reader record;
	unsigned kind;
	kr_assert(reader->lsn < reader->lsn_end);
	/* Stands for "never" elsewhere: nothing was judged then, and nothing writes it. */
	if (reader->t_us == UINT64_MAX)
		return RECORD_MALFORMED;
	if (reader->packed_kind != 0)
		return read_item(reader, effect) ? 0 : RECORD_MALFORMED;
	if (!read_record(reader, &record, &kind))
		return RECORD_MALFORMED;
	if (kind == RECORD_TIME)
		return read_time(reader, &record) ? RECORD_END : RECORD_MALFORMED;
	if (kind_is_packed(kind)) {
		if (!read_packed_head(reader, kind, &record))
			return RECORD_MALFORMED;
		return read_item(reader, effect) ? 0 : RECORD_MALFORMED;
	}
	return read_plain(reader, kind, &record, effect) ? 0 : RECORD_MALFORMED;
}

int record_next(struct record_reader *reader, struct inv_effect *ret_effect)
{
	kr_assert(reader->lsn <= reader->lsn_end);
	if (reader->lsn == reader->lsn_end) {
		bool done = reader->packed_kind == 0 && kr_reader_done(&reader->body);
		return done ? RECORD_END : RECORD_MALFORMED;
	}
	int r;
	do
		r = read_step(reader, ret_effect);
	while (r == RECORD_END);
	if (r == 0)
		reader->lsn++;
	kr_assert(r == 0 || r == RECORD_MALFORMED);
	return r;
}

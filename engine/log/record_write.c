#include "engine/log/record_priv.h"

#define X(number, name) [number] = #name,
static const char *const kind_names[] = {INV_EFFECT_TABLE(X)};
#undef X

const char *record_kind_name(unsigned kind)
{
	if (kind == RECORD_TIME)
		return "TIME";
	if (kind >= KR_ARRAY_COUNT(kind_names) || kind_names[kind] == NULL)
		return "UNKNOWN";
	return kind_names[kind];
}

/* ---- writing: fields ---- */

static void put_text(struct kr_writer *w, struct inv_text text)
{
	kr_assert(text.size_bytes <= INV_TEXT_SIZE_MAX);
	kr_writer_varint(w, text.size_bytes);
	kr_writer_bytes(w, text.bytes, text.size_bytes);
}

/* Instants near t take few bytes as differences. */
static void put_instant(struct kr_writer *w, uint64_t t_us, uint64_t instant_us)
{
	kr_assert(t_us < UINT64_MAX);
	kr_writer_zigzag(w, (int64_t)(instant_us - t_us));
}

static unsigned actor_fields(const struct inv_actor *actor)
{
	return (actor->actor != 0 ? FIELD_ACTOR : 0) | (actor->source != 0 ? FIELD_SOURCE : 0) |
	       (actor->principal != 0 ? FIELD_PRINCIPAL : 0) |
	       (actor->reason.size_bytes != 0 ? FIELD_REASON : 0);
}

static void put_actor(struct kr_writer *w, unsigned fields, const struct inv_actor *actor)
{
	kr_assert((fields & ~FIELD_MASK) == 0);
	if (fields & FIELD_ACTOR)
		kr_writer_varint(w, actor->actor);
	if (fields & FIELD_SOURCE)
		kr_writer_varint(w, actor->source);
	if (fields & FIELD_PRINCIPAL)
		kr_writer_varint(w, actor->principal);
	if (fields & FIELD_REASON)
		put_text(w, actor->reason);
}

static void put_id(struct kr_writer *w, struct kr_id id)
{
	void *bytes = kr_writer_reserve(w, KR_ID_SIZE);
	if (bytes != NULL)
		kr_id_store(bytes, id);
}

static void put_olds(struct kr_writer *w, const struct inv_cell_old *olds, uint32_t count)
{
	kr_assert(count <= INV_OLDS_MAX);
	kr_assert(olds != NULL || count == 0);
	kr_writer_varint(w, count);
	for (uint32_t i = 0, end; i < count; i = end) {
		for (end = i + 1; end < count; end++) {
			if (olds[end].held != olds[i].held || olds[end].booked != olds[i].booked)
				break;
		}
		kr_writer_varint(w, end - i);
		kr_writer_varint(w, olds[i].held);
		kr_writer_varint(w, olds[i].booked);
	}
}

/* ---- writing: kinds ---- */

static void put_hotel(struct kr_writer *w, const struct inv_effect_hotel *hotel)
{
	const struct inv_hotel_settings *s = &hotel->settings;
	kr_assert(s->currency[3] == 0);
	kr_writer_u8(w, hotel->created);
	put_text(w, s->code);
	put_text(w, s->zone);
	kr_writer_bytes(w, s->currency, 3);
	kr_writer_u8(w, s->currency_digits);
	kr_writer_varint(w, s->day_roll_minute);
	kr_writer_varint(w, s->check_in_minute);
	kr_writer_varint(w, s->nights_max);
	kr_writer_varint(w, s->hold_ttl_us);
	kr_writer_varint(w, s->hold_ttl_max_us);
	kr_writer_varint(w, s->hold_total_max_us);
	kr_writer_varint(w, s->holds_max);
	kr_writer_varint(w, s->guest_holds_max);
	kr_writer_u8(w, s->status);
	kr_writer_zigzag(w, hotel->business_day);
	kr_writer_varint(w, hotel->ari_version);
}

static void put_type(struct kr_writer *w, const struct inv_effect_type *type)
{
	const struct inv_type_settings *s = &type->settings;
	kr_assert((type->set_mask & ~INV_TYPE_MASK) == 0);
	kr_writer_u8(w, type->created);
	kr_writer_varint(w, type->type);
	kr_writer_varint(w, type->set_mask);
	put_text(w, s->code);
	kr_writer_u8(w, s->status);
	kr_writer_u8(w, s->plan_status);
	kr_writer_u8(w, s->allowance_unit);
	kr_writer_varint(w, s->physical);
	kr_writer_varint(w, s->out_of_order);
	kr_writer_zigzag(w, s->allowance);
	kr_writer_zigzag(w, s->cap);
	kr_writer_varint(w, s->guests_max);
	kr_writer_varint(w, s->advance_min_minutes);
	kr_writer_varint(w, s->advance_max_minutes);
	kr_writer_varint(w, type->ari_version);
}

static void put_plan(struct kr_writer *w, const struct inv_effect_plan *plan)
{
	const struct inv_plan_settings *s = &plan->settings;
	kr_assert(s->tier_count <= INV_TIERS_MAX);
	kr_writer_u8(w, plan->created);
	kr_writer_varint(w, plan->type);
	kr_writer_varint(w, plan->plan);
	put_text(w, s->code);
	kr_writer_u8(w, s->status);
	kr_writer_varint(w, s->advance_min_minutes);
	kr_writer_varint(w, s->advance_max_minutes);
	kr_writer_varint(w, s->parent);
	kr_writer_u8(w, s->derivation);
	kr_writer_zigzag(w, s->adjustment);
	inv_tiers_put(w, s->tiers, s->tier_count);
	kr_writer_varint(w, plan->ari_version);
}

static unsigned update_flags(const struct inv_update *u)
{
	return (u->closed ? UPDATE_CLOSED : 0) | (u->cta ? UPDATE_CTA : 0) |
	       (u->ctd ? UPDATE_CTD : 0) | (u->plan_closed ? UPDATE_PLAN_CLOSED : 0) |
	       (u->plan_cta ? UPDATE_PLAN_CTA : 0) | (u->plan_ctd ? UPDATE_PLAN_CTD : 0);
}

static void put_update_values(struct kr_writer *w, const struct inv_update *u)
{
	uint32_t mask = u->set_mask | u->adjust_mask;
	kr_assert((mask & ~INV_UPDATE_MASK) == 0);
	kr_writer_u8(w, (uint8_t)update_flags(u));
	kr_writer_u8(w, u->allowance_unit);
	if (mask & INV_UPDATE_PHYSICAL)
		kr_writer_zigzag(w, u->physical);
	if (mask & INV_UPDATE_OUT_OF_ORDER)
		kr_writer_zigzag(w, u->out_of_order);
	if (mask & INV_UPDATE_ALLOWANCE)
		kr_writer_zigzag(w, u->allowance);
	if (mask & INV_UPDATE_CAP)
		kr_writer_zigzag(w, u->cap);
	if (mask & INV_UPDATE_PRICE)
		kr_writer_zigzag(w, u->price_minor);
	if (mask & INV_UPDATE_MIN_ARRIVAL)
		kr_writer_varint(w, u->los.min_arrival);
	if (mask & INV_UPDATE_MAX_ARRIVAL)
		kr_writer_varint(w, u->los.max_arrival);
	if (mask & INV_UPDATE_MIN_THROUGH)
		kr_writer_varint(w, u->los.min_through);
	if (mask & INV_UPDATE_MAX_THROUGH)
		kr_writer_varint(w, u->los.max_through);
	if (mask & INV_UPDATE_AVAILABLE)
		kr_writer_zigzag(w, u->available);
}

static void put_update_old(struct kr_writer *w, const struct inv_update_old *old)
{
	unsigned mask = (old->limit != 0 ? OLD_LIMIT : 0) | (old->flags != 0 ? OLD_FLAGS : 0) |
			(old->price_minor != 0 ? OLD_PRICE : 0) |
			(old->rate_flags != 0 ? OLD_RATE_FLAGS : 0) |
			(los_is_zero(&old->los) ? 0 : OLD_LOS);
	kr_assert(old->count > 0);
	kr_assert(old->price_minor <= RATE_PRICE_MAX);
	kr_writer_varint(w, old->count);
	kr_writer_u8(w, (uint8_t)mask);
	if (mask & OLD_LIMIT)
		kr_writer_zigzag(w, old->limit);
	if (mask & OLD_FLAGS)
		kr_writer_varint(w, old->flags);
	if (mask & OLD_PRICE)
		kr_writer_varint(w, old->price_minor);
	if (mask & OLD_RATE_FLAGS)
		kr_writer_u8(w, old->rate_flags);
	if (mask & OLD_LOS) {
		kr_writer_varint(w, old->los.min_arrival);
		kr_writer_varint(w, old->los.max_arrival);
		kr_writer_varint(w, old->los.min_through);
		kr_writer_varint(w, old->los.max_through);
	}
}

static void put_update(struct kr_writer *w, const struct inv_effect_update *update)
{
	const struct inv_update *u = &update->update;
	kr_assert(update->type_count <= INV_HOTEL_TYPES_MAX);
	kr_assert(update->old_count <= INV_UPDATE_CELLS_MAX);
	kr_assert(u->last_day >= u->first_day);
	kr_writer_varint(w, update->type_count);
	for (uint32_t i = 0; i < update->type_count; i++)
		kr_writer_varint(w, update->types[i]);
	kr_writer_varint(w, u->plan);
	kr_writer_zigzag(w, u->first_day);
	kr_writer_varint(w, (uint64_t)((int64_t)u->last_day - u->first_day));
	kr_writer_u8(w, u->weekday_mask);
	kr_writer_varint(w, u->set_mask);
	kr_writer_varint(w, u->adjust_mask);
	kr_writer_varint(w, u->clear_mask);
	put_update_values(w, u);
	kr_writer_varint(w, u->source);
	kr_writer_varint(w, u->source_seq);
	kr_writer_varint(w, update->ari_version);
	kr_writer_varint(w, update->old_count);
	for (uint32_t i = 0; i < update->old_count; i++)
		put_update_old(w, &update->olds[i]);
}

static void put_line(struct kr_writer *w, const struct inv_line *line)
{
	kr_assert(line->check_out > line->check_in);
	kr_assert(line->run_count <= INV_STAY_NIGHTS_MAX);
	kr_writer_varint(w, line->type);
	kr_writer_varint(w, line->plan);
	kr_writer_zigzag(w, line->check_in);
	kr_writer_varint(w, (uint64_t)((int64_t)line->check_out - line->check_in));
	kr_writer_varint(w, line->rooms);
	kr_writer_varint(w, line->guests);
	kr_writer_u8(w, inv_line_pricing_byte(line));
	kr_writer_varint(w, line->run_count);
	for (uint32_t i = 0; i < line->run_count; i++) {
		kr_writer_varint(w, line->runs[i].nights);
		kr_writer_varint(w, line->runs[i].price_minor);
	}
	if (line->tier_count > 0)
		inv_line_terms_put(w, line);
}

static void put_lines(struct kr_writer *w, const struct inv_line *lines, uint32_t line_count)
{
	kr_assert(line_count >= 1);
	kr_assert(line_count <= INV_LINES_MAX);
	kr_writer_varint(w, line_count);
	for (uint32_t i = 0; i < line_count; i++)
		put_line(w, &lines[i]);
}

static void put_reserve(struct kr_writer *w, const struct inv_effect *effect)
{
	const struct inv_effect_reserve *r = &effect->u.reserve;
	unsigned flags = (r->book ? RESERVE_BOOK : 0) |
			 ((r->guest.hi | r->guest.lo) != 0 ? RESERVE_GUEST : 0) |
			 (r->external_ref.size_bytes != 0 ? RESERVE_EXTERNAL_REF : 0) |
			 (r->payment_ref.size_bytes != 0 ? RESERVE_PAYMENT_REF : 0) |
			 (!kr_id_is_zero(r->replaces) ? RESERVE_REPLACES : 0) |
			 (r->forced ? RESERVE_FORCED : 0);
	kr_assert(!r->book || !(flags & RESERVE_REPLACES));
	kr_writer_u8(w, (uint8_t)flags);
	kr_writer_u64(w, r->fingerprint);
	if (!r->book)
		put_instant(w, effect->t_us, r->expires_at_us);
	if (flags & RESERVE_GUEST)
		put_id(w, (struct kr_id){.hi = r->guest.hi, .lo = r->guest.lo});
	if (flags & RESERVE_EXTERNAL_REF)
		put_text(w, r->external_ref);
	if (flags & RESERVE_PAYMENT_REF)
		put_text(w, r->payment_ref);
	if (flags & RESERVE_REPLACES) {
		put_id(w, r->replaces);
		kr_writer_varint(w, r->replaced_revision);
	}
	put_lines(w, r->lines, r->line_count);
}

static unsigned import_flags(const struct inv_effect_import *i)
{
	return (i->was_held ? IMPORT_WAS_HELD : 0) | (i->graced ? IMPORT_GRACED : 0) |
	       (i->forced ? IMPORT_FORCED : 0) | (i->expires_at_us != 0 ? IMPORT_DEADLINE : 0) |
	       ((i->guest.hi | i->guest.lo) != 0 ? IMPORT_GUEST : 0) |
	       (i->external_ref.size_bytes != 0 ? IMPORT_EXTERNAL_REF : 0) |
	       (i->payment_ref.size_bytes != 0 ? IMPORT_PAYMENT_REF : 0) |
	       (i->change_id != 0 ? IMPORT_CHANGE : 0);
}

static void put_import(struct kr_writer *w, const struct inv_effect *effect)
{
	const struct inv_effect_import *i = &effect->u.import;
	unsigned flags = import_flags(i);
	kr_assert(i->state >= INV_HELD && i->state < INV_VOID);
	kr_assert(i->state != INV_HELD || (flags & IMPORT_DEADLINE));
	kr_writer_u8(w, (uint8_t)flags);
	kr_writer_u8(w, i->state);
	kr_writer_u64(w, i->fingerprint);
	kr_writer_varint(w, i->source);
	put_instant(w, effect->t_us, i->created_at_us);
	put_instant(w, effect->t_us, i->changed_at_us);
	if (flags & IMPORT_DEADLINE)
		put_instant(w, effect->t_us, i->expires_at_us);
	if (i->state == INV_NO_SHOW || i->state == INV_COMPLETED)
		kr_writer_zigzag(w, i->counted_until);
	if (flags & IMPORT_GUEST)
		put_id(w, (struct kr_id){.hi = i->guest.hi, .lo = i->guest.lo});
	if (flags & IMPORT_EXTERNAL_REF)
		put_text(w, i->external_ref);
	if (flags & IMPORT_PAYMENT_REF)
		put_text(w, i->payment_ref);
	if (flags & IMPORT_CHANGE)
		kr_writer_u64(w, i->change_id);
	put_lines(w, i->lines, i->line_count);
}

static void put_kind(struct kr_writer *w, const struct inv_effect *effect)
{
	kr_assert(!kind_is_packed(effect->kind));
	switch (effect->kind) {
	case INV_EFFECT_HOTEL:
		put_hotel(w, &effect->u.hotel_put);
		break;
	case INV_EFFECT_TYPE:
		put_type(w, &effect->u.type_put);
		break;
	case INV_EFFECT_PLAN:
		put_plan(w, &effect->u.plan_put);
		break;
	case INV_EFFECT_UPDATE:
		put_update(w, &effect->u.update);
		break;
	case INV_EFFECT_RESERVE:
		put_reserve(w, effect);
		break;
	case INV_EFFECT_CONFIRM:
		put_text(w, effect->u.confirm.payment_ref);
		break;
	case INV_EFFECT_EXTEND:
		put_instant(w, effect->t_us, effect->u.extend.old_expires_at_us);
		put_instant(w, effect->t_us, effect->u.extend.expires_at_us);
		break;
	case INV_EFFECT_ATTACH_PAYMENT:
		put_text(w, effect->u.attach.payment_ref);
		break;
	case INV_EFFECT_MODIFY:
		kr_writer_u8(w, effect->u.modify.forced ? MODIFY_FORCED : 0);
		put_lines(w, effect->u.modify.lines, effect->u.modify.line_count);
		break;
	case INV_EFFECT_IMPORT:
		put_import(w, effect);
		break;
	case INV_EFFECT_WINDOW:
		kr_writer_zigzag(w, effect->u.window.old_business_day);
		kr_writer_zigzag(w, effect->u.window.business_day);
		break;
	case INV_EFFECT_START:
		kr_writer_varint(w, effect->u.start.format);
		kr_writer_varint(w, effect->u.start.window_nights);
		kr_writer_varint(w, effect->u.start.epoch);
		break;
	case INV_EFFECT_DIGEST:
		kr_writer_u64(w, effect->u.digest.state_digest);
		break;
	case INV_EFFECT_TRUNCATE:
		kr_writer_varint(w, effect->u.truncate.to_lsn);
		kr_writer_varint(w, effect->u.truncate.term);
		break;
	default:
		kr_assert(effect->kind == INV_EFFECT_RELEASE || effect->kind == INV_EFFECT_CANCEL ||
			  effect->kind == INV_EFFECT_VOID || effect->kind >= INV_EFFECT_CHECK_IN);
	}
}

static void put_plain(struct kr_writer *w, const struct inv_effect *effect)
{
	unsigned fields = actor_fields(&effect->actor);
	kr_assert(!kind_is_packed(effect->kind));
	if (effect->hotel.v != 0)
		fields |= FIELD_HOTEL;
	if (kind_has_revision(effect->kind) && effect->revision != 1)
		fields |= FIELD_REVISION;
	if (effect->change_id != 0)
		fields |= FIELD_CHANGE;
	kr_assert(((fields & FIELD_CHANGE) != 0) == kind_is_change(effect->kind));
	kr_assert((fields & FIELD_HOTEL) || effect->event_seq == 0);
	kr_writer_u8(w, (uint8_t)fields);
	if (fields & FIELD_HOTEL) {
		kr_writer_u64(w, effect->hotel.v);
		kr_writer_varint(w, effect->event_seq);
	}
	put_actor(w, fields, &effect->actor);
	if (kind_has_id(effect->kind))
		put_id(w, effect->id);
	if (fields & FIELD_REVISION)
		kr_writer_varint(w, effect->revision);
	if (fields & FIELD_CHANGE)
		kr_writer_u64(w, effect->change_id);
	put_kind(w, effect);
	if (kind_has_olds(effect->kind))
		put_olds(w, effect->olds, effect->old_count);
}

static void put_item(struct kr_writer *w, const struct inv_effect *effect)
{
	bool completed = effect->kind == INV_EFFECT_RETIRE && effect->u.retire.completed;
	unsigned flags = (effect->hotel.v != 0 ? ITEM_HOTEL : 0) |
			 (effect->revision != 1 ? ITEM_REVISION : 0) |
			 (completed ? ITEM_COMPLETED : 0);
	kr_assert(kind_is_packed(effect->kind));
	kr_assert((flags & ITEM_HOTEL) || effect->event_seq == 0);
	kr_writer_u8(w, (uint8_t)flags);
	if (flags & ITEM_HOTEL) {
		kr_writer_u64(w, effect->hotel.v);
		kr_writer_varint(w, effect->event_seq);
	}
	put_id(w, effect->id);
	if (flags & ITEM_REVISION)
		kr_writer_varint(w, effect->revision);
	if (effect->kind == INV_EFFECT_EXPIRE) {
		put_olds(w, effect->olds, effect->old_count);
	} else if (effect->kind == INV_EFFECT_GRACE) {
		put_instant(w, effect->t_us, effect->u.grace.old_expires_at_us);
		put_instant(w, effect->t_us, effect->u.grace.expires_at_us);
	} else {
		kr_assert(effect->kind == INV_EFFECT_RETIRE);
		put_instant(w, effect->t_us, effect->u.retire.purge_mark_us);
	}
}

/* ---- writing: records ---- */

/* The slack is set aside while a record is open, so that closing one never fails. */
static void record_open(struct record_writer *writer, unsigned kind)
{
	struct kr_writer *w = &writer->bytes;
	kr_assert(writer->packed_kind == 0);
	if (w->failed || kr_writer_left(w) < 1 + SIZE_SLACK) {
		w->failed = true;
		return;
	}
	writer->record = kr_writer_reserve(w, 1);
	w->end -= SIZE_SLACK;
	kr_writer_u8(w, (uint8_t)kind);
}

/* One byte was kept for the size, which is enough for most; the others are moved up. */
static void record_close(struct record_writer *writer)
{
	struct kr_writer *w = &writer->bytes;
	kr_assert(writer->packed_kind == 0);
	if (w->failed)
		return;
	w->end += SIZE_SLACK;
	size_t size = (size_t)(w->at - writer->record) - 1;
	uint32_t prefix = kr_varint_size(size);
	kr_assert(size > 0);
	kr_assert(prefix <= SIZE_SLACK);
	if (prefix > 1) {
		memmove(writer->record + prefix, writer->record + 1, size);
		w->at += prefix - 1;
	}
	struct kr_writer head;
	kr_writer_init(&head, writer->record, prefix);
	kr_writer_varint(&head, size);
	kr_assert(!head.failed && w->at <= w->end);
}

static bool text_equal(struct inv_text a, struct inv_text b)
{
	return a.size_bytes == b.size_bytes &&
	       (a.size_bytes == 0 || memcmp(a.bytes, b.bytes, a.size_bytes) == 0);
}

static bool actor_equal(const struct inv_actor *a, const struct inv_actor *b)
{
	return a->actor == b->actor && a->source == b->source && a->principal == b->principal &&
	       text_equal(a->reason, b->reason);
}

static void packed_open(struct record_writer *writer, const struct inv_effect *effect)
{
	struct kr_writer *w = &writer->bytes;
	unsigned fields = actor_fields(&effect->actor);
	kr_assert(kind_is_packed(effect->kind));
	kr_assert(writer->packed_kind == 0);
	record_open(writer, effect->kind);
	kr_writer_u8(w, (uint8_t)fields);
	put_actor(w, fields, &effect->actor);
	writer->packed_actor = effect->actor;
	/* The effect's own text may be gone by the next call: compare with what was written. */
	if ((fields & FIELD_REASON) && !w->failed)
		writer->packed_actor.reason.bytes =
			(const char *)w->at - effect->actor.reason.size_bytes;
	writer->packed_kind = (uint8_t)effect->kind;
}

static bool packed_continues(const struct record_writer *writer, const struct inv_effect *effect)
{
	kr_assert(writer->packed_kind == 0 || kind_is_packed(writer->packed_kind));
	return writer->packed_kind == (unsigned)effect->kind && writer->t_us == effect->t_us &&
	       actor_equal(&writer->packed_actor, &effect->actor) &&
	       (size_t)(writer->bytes.at - writer->record) < RECORD_PACKED_SIZE_MAX;
}

static void put_time(struct record_writer *writer, uint64_t t_us)
{
	if (writer->count == 0)
		writer->base_t_us = writer->t_us = t_us;
	kr_assert(t_us >= writer->t_us);
	if (t_us == writer->t_us)
		return;
	record_open(writer, RECORD_TIME);
	kr_writer_varint(&writer->bytes, t_us - writer->t_us);
	record_close(writer);
	writer->t_us = t_us;
}

void record_writer_init(struct record_writer *writer, void *bytes, size_t size_bytes)
{
	kr_assert(writer != NULL);
	kr_assert(bytes != NULL);
	*writer = (struct record_writer){0};
	kr_writer_init(&writer->bytes, bytes, size_bytes);
}

size_t record_writer_finish(struct record_writer *writer)
{
	kr_assert(!writer->bytes.failed);
	if (writer->packed_kind != 0) {
		writer->packed_kind = 0;
		record_close(writer);
	}
	return kr_writer_size(&writer->bytes);
}

int record_put(struct record_writer *writer, const struct inv_effect *effect)
{
	kr_assert(effect->kind >= INV_EFFECT_HOTEL && effect->kind <= INV_EFFECT_LAST);
	kr_assert(!writer->bytes.failed);
	bool continues = packed_continues(writer, effect);
	/* Closing moves bytes and cannot be taken back: it comes before the point of return. */
	if (!continues)
		record_writer_finish(writer);
	struct record_writer before = *writer;
	put_time(writer, effect->t_us);
	if (kind_is_packed(effect->kind)) {
		if (!continues)
			packed_open(writer, effect);
		put_item(&writer->bytes, effect);
	} else {
		record_open(writer, effect->kind);
		put_plain(&writer->bytes, effect);
		record_close(writer);
	}
	writer->count++;
	if (!writer->bytes.failed)
		return 0;
	*writer = before;
	return RECORD_FULL;
}

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "engine/log/record.h"
#include "proto/access.h"
#include "tools/keyrack-recover.h"
#include "tools/keyrack-recover_json.h"
#include "tools/keyrack-recover_night.h"

/*
 * why: everything that made a night of a room type what it is.
 *
 * The log is replayed by the longest way there is; each effect that has to do with the night is a
 * row, with the night's value behind it. Two checks: held and booked, counted along from what the
 * effects say, are the state's after every row; and the value at the end is that of a state built
 * by the shortest way, from the newest snapshot, as a start builds it.
 */

struct value {
	bool is_counted; /* the night has a cell: the type is there, the night in the window */
	struct cell_counter counter;
	struct cell_rate rate; /* classes have numbers of their own in each state: 0 here */
	struct los_class los;  /* what the class says */
};

struct row {
	uint64_t lsn, t_us;
	const char *what;
	uint32_t rooms;
	struct kr_id id;
	uint64_t actor;
	uint32_t source;
	uint32_t principal;
	char reason[INV_TEXT_SIZE_MAX + 1];
	struct value after;
	bool is_wrong; /* the counts are not what the effects make them */
};

struct why {
	struct recovery *recovery;
	struct night night;
	bool is_begun;
	uint64_t begin_lsn; /* what of the hotel the snapshot showed; 0: nothing */
	struct value begin;
	struct night_tally tally;
	struct value before; /* of the effect at hand */
	bool is_seen;        /* it is to be a row */
	struct night_rooms rooms;
	struct row *rows;
	size_t count, capacity;
	uint64_t wrong_count;
};

static struct inv *inventory_of(const struct why *why)
{
	kr_assert(why->recovery->rebuild.shard != NULL);
	return shard_inventory(why->recovery->rebuild.shard);
}

static struct value value_of(struct inv *inv, const struct night *night)
{
	struct value value = {0};
	struct inv_answer answer = {0};
	struct inv_hotel_head head;
	uint64_t counter = 0, rate = 0;
	kr_assert(night->hotel.v != 0);
	if (!inv_hotel_head(inv, night->hotel, &head))
		return value;
	inv_availability(inv, night->hotel, &night->type, 1, night->plan, night->day, 1, &counter,
		&rate, &answer);
	if (answer.code != KEYRACK_DONE)
		return value;
	value.is_counted = true;
	value.counter = cell_counter_unpack(counter);
	value.rate = cell_rate_unpack(rate);
	value.los = inv_los_class(inv, value.rate.class_index);
	value.rate.class_index = 0;
	return value;
}

static uint64_t counter_of(const struct value *value)
{
	kr_assert(value != NULL);
	return cell_counter_pack(value->counter);
}

static bool value_equals(const struct value *a, const struct value *b)
{
	kr_assert(a != NULL && b != NULL);
	return a->is_counted == b->is_counted && counter_of(a) == counter_of(b) &&
	       cell_rate_pack(a->rate) == cell_rate_pack(b->rate) &&
	       a->los.min_arrival == b->los.min_arrival &&
	       a->los.max_arrival == b->los.max_arrival &&
	       a->los.min_through == b->los.min_through && a->los.max_through == b->los.max_through;
}

static void begin(struct why *why)
{
	struct inv_hotel_head head;
	kr_assert(!why->is_begun);
	why->is_begun = true;
	if (!inv_hotel_head(inventory_of(why), why->night.hotel, &head))
		return;
	why->begin_lsn = head.last_lsn;
	why->begin = value_of(inventory_of(why), &why->night);
	why->tally = night_tally_of(counter_of(&why->begin));
}

static void restart(void *context)
{
	struct why *why = context;
	kr_assert(why->count <= why->capacity);
	why->is_begun = false;
	why->begin_lsn = 0;
	why->begin = (struct value){0};
	why->tally = (struct night_tally){0};
	why->is_seen = false;
	why->count = 0;
	why->wrong_count = 0;
}

static uint32_t rooms_kept(struct why *why, struct kr_id id, uint64_t t_us, bool *ret_is_booked)
{
	struct inv_reservation_view view;
	kr_assert(ret_is_booked != NULL);
	if (kr_id_is_zero(id) ||
		!inv_reservation_get_of(inventory_of(why), why->night.hotel, id, t_us, &view))
		return 0;
	*ret_is_booked = view.state == INV_CONFIRMED || view.state == INV_CHECKED_IN;
	return night_rooms(&why->night, view.lines, view.line_count);
}

static struct night_rooms rooms_of(struct why *why, const struct inv_effect *effect)
{
	const struct inv_effect_reserve *reserve = &effect->u.reserve;
	struct night_rooms rooms = {0};
	bool reserves = effect->kind == INV_EFFECT_RESERVE;
	kr_assert(effect->kind != 0);
	rooms.before = rooms_kept(
		why, reserves ? reserve->replaces : effect->id, effect->t_us, &rooms.is_booked);
	if (reserves)
		rooms.after = night_rooms(&why->night, reserve->lines, reserve->line_count);
	if (effect->kind == INV_EFFECT_MODIFY)
		rooms.after = night_rooms(
			&why->night, effect->u.modify.lines, effect->u.modify.line_count);
	if (effect->kind == INV_EFFECT_IMPORT && night_import_counts(&effect->u.import))
		rooms.after = night_rooms(
			&why->night, effect->u.import.lines, effect->u.import.line_count);
	return rooms;
}

/* What the effect gives the reservation on the night, or finds there. */
static uint32_t rooms_shown(const struct inv_effect *effect, const struct night_rooms *rooms)
{
	bool has_lines = effect->kind == INV_EFFECT_RESERVE || effect->kind == INV_EFFECT_MODIFY ||
			 effect->kind == INV_EFFECT_IMPORT;
	kr_assert(effect->kind != 0);
	return has_lines ? rooms->after : rooms->before;
}

/* The end of a record's keeping says nothing of a night that it has left, or still counts on. */
static bool is_seen(const struct why *why, const struct inv_effect *effect)
{
	uint32_t window = why->recovery->rebuild.config.inventory.window_nights;
	kr_assert(window > 0);
	if (why->rooms.before + why->rooms.after > 0 && effect->kind != INV_EFFECT_RETIRE)
		return true;
	return night_is_named(&why->night, effect, window);
}

static void look_before(struct why *why, const struct inv_effect *effect)
{
	struct inv_hotel_head head;
	why->is_seen = false;
	if (!why->is_begun)
		begin(why);
	/* What the snapshot shows already is skipped, not applied. */
	if (inv_hotel_head(inventory_of(why), why->night.hotel, &head) &&
		effect->lsn <= head.last_lsn)
		return;
	kr_assert(effect->hotel.v == why->night.hotel.v);
	why->rooms = rooms_of(why, effect);
	why->before = value_of(inventory_of(why), &why->night);
	why->is_seen = is_seen(why, effect);
}

static struct row *row_add(struct why *why)
{
	if (why->count == why->capacity) {
		size_t capacity = why->capacity * 2 + 256;
		struct row *rows = recover_alloc(capacity, sizeof(*rows));
		if (why->count > 0)
			memcpy(rows, why->rows, why->count * sizeof(*rows));
		free(why->rows);
		why->rows = rows;
		why->capacity = capacity;
	}
	kr_assert(why->count < why->capacity);
	return &why->rows[why->count++];
}

static const char *what_of(const struct inv_effect *effect)
{
	kr_assert(effect->kind != 0);
	if (effect->kind == INV_EFFECT_RESERVE)
		return effect->u.reserve.book ? "BOOK" : "HOLD";
	return record_kind_name(effect->kind);
}

static void row_fill(struct row *row, const struct inv_effect *effect)
{
	struct inv_text reason = effect->actor.reason;
	*row = (struct row){
		.lsn = effect->lsn,
		.t_us = effect->t_us,
		.what = what_of(effect),
		.id = effect->id,
		.actor = effect->actor.actor,
		.source = effect->actor.source,
		.principal = effect->actor.principal,
	};
	kr_assert(reason.size_bytes <= INV_TEXT_SIZE_MAX);
	if (reason.size_bytes > 0)
		memcpy(row->reason, reason.bytes, reason.size_bytes);
}

/* A night that has no cell counts nothing, and begins anew. */
static bool tally_holds(struct why *why, const struct inv_effect *effect, const struct value *after)
{
	if (!after->is_counted || !why->before.is_counted)
		why->tally = (struct night_tally){0};
	else if (!night_tally_move(&why->tally, effect, &why->rooms))
		why->tally = night_tally_of(counter_of(after));
	kr_assert(after->is_counted || counter_of(after) == 0);
	return night_tally_equals(&why->tally, counter_of(after));
}

static void look_after(struct why *why, const struct inv_effect *effect)
{
	struct value after = value_of(inventory_of(why), &why->night);
	struct inv_hotel_head head;
	/* Skipped: before this look nothing was seen of it. */
	if (inv_hotel_head(inventory_of(why), why->night.hotel, &head) &&
		head.last_lsn != effect->lsn)
		return;
	if (!why->is_seen && value_equals(&why->before, &after))
		return;
	struct row *row = row_add(why);
	row_fill(row, effect);
	row->rooms = rooms_shown(effect, &why->rooms);
	row->after = after;
	row->is_wrong = !tally_holds(why, effect, &after);
	why->wrong_count += row->is_wrong;
	kr_assert(row->lsn == effect->lsn);
}

static void look(void *context, const struct inv_effect *effect, bool is_applied)
{
	struct why *why = context;
	kr_assert(effect->lsn > 0);
	if (effect->hotel.v != why->night.hotel.v)
		return;
	if (is_applied)
		look_after(why, effect);
	else
		look_before(why, effect);
}

/* ---- printing ---- */

static void print_value(const struct value *value)
{
	char flags[RECOVER_FLAGS_SIZE];
	recover_flags_format(counter_of(value), cell_rate_pack(value->rate), flags);
	kr_assert(flags[0] != 0);
	if (!value->is_counted) {
		fputs("- - - - -", stdout);
		return;
	}
	printf("%d %u %u %s ", value->counter.limit, value->counter.held, value->counter.booked,
		flags);
	if (value->rate.flags & RATE_PRICED)
		printf("%" PRIu64, value->rate.price_minor);
	else
		fputs("-", stdout);
}

/* The members of dump's nights. */
static void put_value(json_t *json, const struct value *value)
{
	char flags[RECOVER_FLAGS_SIZE];
	recover_put_bool(json, "counted", value->is_counted);
	if (!value->is_counted)
		return;
	recover_flags_format(counter_of(value), cell_rate_pack(value->rate), flags);
	kr_assert(flags[0] != 0);
	recover_put_signed(json, "limit", value->counter.limit);
	recover_put_number(json, "held", value->counter.held);
	recover_put_number(json, "booked", value->counter.booked);
	recover_put_bool(json, "closed", value->counter.flags & CELL_CLOSED);
	recover_put_bool(json, "plan_closed", value->rate.flags & RATE_CLOSED);
	recover_put_string(json, "flags", flags);
	if (value->rate.flags & RATE_PRICED)
		recover_put_number(json, "price_minor", value->rate.price_minor);
	else
		json_object_set_new(json, "price_minor", json_null());
	recover_put_number(json, "min_arrival", value->los.min_arrival);
	recover_put_number(json, "max_arrival", value->los.max_arrival);
	recover_put_number(json, "min_through", value->los.min_through);
	recover_put_number(json, "max_through", value->los.max_through);
}

static const char *principal_text(uint32_t principal, char ret_bytes[static ACCESS_TEXT_SIZE])
{
	struct kr_text text;
	kr_text_init(&text, ret_bytes, ACCESS_TEXT_SIZE);
	access_principal_format(principal, &text);
	kr_assert(!text.is_cut);
	return ret_bytes;
}

static void print_row_json(const struct row *row, const char *t, const char *id)
{
	char who[ACCESS_TEXT_SIZE];
	json_t *json = json_object();
	const struct inv_text reason = {row->reason, (uint32_t)strlen(row->reason)};
	kr_assert(row->lsn > 0);
	recover_put_number(json, "lsn", row->lsn);
	recover_put_string(json, "t", t);
	recover_put_string(json, "what", row->what);
	recover_put_number(json, "rooms", row->rooms);
	json_object_set_new(json, "id", id[0] == '-' ? json_null() : json_string(id));
	recover_put_number(json, "actor", row->actor);
	recover_put_number(json, "source", row->source);
	recover_put_string(json, "principal", principal_text(row->principal, who));
	json_object_set_new(json, "reason", recover_text_json(reason));
	put_value(json, &row->after);
	recover_put_bool(json, "wrong", row->is_wrong);
	recover_print_json("", json, stdout);
}

/* Callers choose the text: nothing in it may look like another line, or end it. */
static void print_reason(const char *reason)
{
	kr_assert(reason[0] != 0);
	fputs(" reason=\"", stdout);
	for (const char *at = reason; *at != 0; at++) {
		bool is_plain = (unsigned char)*at >= ' ' && *at != '"' && *at != '\\';
		putchar(is_plain ? *at : '?');
	}
	putchar('"');
}

static void print_by(const struct row *row)
{
	char who[ACCESS_TEXT_SIZE];
	if (row->source == INV_SOURCE_CLOCK)
		fputs(" source=clock", stdout);
	else if (row->source == INV_SOURCE_IMPORT)
		fputs(" source=import", stdout);
	else if (row->source != 0)
		printf(" source=%u", row->source);
	if (row->actor != 0)
		printf(" actor=%" PRIu64, row->actor);
	if (row->principal != 0)
		printf(" principal=\"%s\"", principal_text(row->principal, who));
	if (row->reason[0] != 0)
		print_reason(row->reason);
	kr_assert(row->what != NULL);
}

static void print_row(const struct row *row, bool is_json)
{
	char t[RECOVER_TIME_SIZE], id[KR_ID_TEXT_SIZE] = "-";
	recover_time_format(row->t_us & INT64_MAX, t);
	if (!kr_id_is_zero(row->id))
		kr_id_format(row->id, id);
	kr_assert(row->lsn > 0);
	if (is_json) {
		print_row_json(row, t, id);
		return;
	}
	printf("%" PRIu64 " %s %s %u ", row->lsn, t, row->what, row->rooms);
	print_value(&row->after);
	printf(" %s", id);
	print_by(row);
	puts(row->is_wrong ? " WRONG: the rooms do not add up" : "");
}

static void print_begin(const struct why *why, bool is_json)
{
	char date[CIVIL_DATE_TEXT_SIZE], bytes[256];
	struct kr_text text;
	civil_day_format(why->night.day, date);
	kr_text_init(&text, bytes, sizeof(bytes));
	recover_sources(why->recovery, &text);
	kr_assert(text.length > 0);
	if (!is_json) {
		printf("# hotel %" PRIu64 ", type %u, night %s; %s\n", why->night.hotel.v,
			why->night.type, date, bytes);
		puts("# lsn time what rooms limit held booked flags price id by");
	}
	if (why->begin_lsn == 0)
		return;
	if (is_json) {
		json_t *json = json_pack("{s:o,s:s}", "lsn", recover_number_json(why->begin_lsn),
			"what", "SNAPSHOT");
		put_value(json, &why->begin);
		recover_print_json("", json, stdout);
		return;
	}
	printf("%" PRIu64 " - SNAPSHOT - ", why->begin_lsn);
	print_value(&why->begin);
	puts(" - what led to this lies before the log that is kept");
}

static void print_end_json(const struct why *why, const struct value *end, bool is_right)
{
	json_t *json = json_object();
	recover_put_number(json, "lsn", shard_last_lsn(why->recovery->rebuild.shard));
	recover_put_string(json, "what", "VALUE");
	put_value(json, end);
	recover_put_number(json, "effects", why->count);
	recover_put_bool(json, "equals_state", is_right);
	kr_assert(json_is_object(json));
	recover_print_json("", json, stdout);
}

static void print_end(const struct why *why, const struct value *end, const struct value *other)
{
	bool is_right = why->wrong_count == 0 && value_equals(end, other);
	uint64_t lsn = shard_last_lsn(why->recovery->rebuild.shard);
	kr_assert(lsn > 0);
	if (why->recovery->options->is_json) {
		print_end_json(why, end, is_right);
		return;
	}
	printf("%" PRIu64 " - VALUE - ", lsn);
	print_value(end);
	printf(" - %zu effects, %s", why->count, is_right ? "equal to the state" : "WRONG");
	if (!is_right) {
		printf(": %" PRIu64 " rows do not add up; the state says ", why->wrong_count);
		print_value(other);
	}
	putchar('\n');
}

static int print_all(struct why *why, const struct value *other)
{
	bool is_json = why->recovery->options->is_json;
	struct value end = value_of(inventory_of(why), &why->night);
	print_begin(why, is_json);
	for (size_t i = 0; i < why->count; i++)
		print_row(&why->rows[i], is_json);
	print_end(why, &end, other);
	kr_assert(why->count <= why->capacity);
	return why->wrong_count == 0 && value_equals(&end, other) ? 0 : RECOVER_EXIT_WRONG;
}

/* ---- the two ways ---- */

static int fail(const struct recovery *recovery, int r)
{
	kr_assert(r != 0);
	return r < 0 ? recover_fail(recovery, r) : RECOVER_EXIT_OUT_OF_REACH;
}

/* By the shortest way; an exit status, 0: *ret_value is what the state says. */
static int build_short(
	struct recovery *recovery, const struct night *night, struct value *ret_value)
{
	int r = recover_build_as_of(recovery, false);
	if (r != 0)
		return fail(recovery, r);
	if (recover_verdict(recovery) != LOG_VERDICT_CLEAN)
		recover_describe(recovery, stderr);
	bool is_past = recovery->options->to_lsn != 0 || recovery->options->has_to_time;
	if (recover_is_refused(recovery) && !is_past)
		return (int)recover_verdict_exit(recovery);
	kr_assert(recovery->rebuild.shard != NULL);
	*ret_value = value_of(shard_inventory(recovery->rebuild.shard), night);
	return 0;
}

/* The log may be damaged before what the short way needs of it: then that is said, and all of the
 * list that is whole is no answer. */
static int build_long(struct why *why)
{
	struct recovery *recovery = why->recovery;
	recovery->rebuild.watch.on_effect = look;
	recovery->rebuild.watch.context = why;
	recovery->on_restart = restart;
	recovery->context = why;
	int r = recover_build_as_of(recovery, true);
	if (r != 0)
		return fail(recovery, r);
	kr_assert(recovery->rebuild.shard != NULL);
	if (!why->is_begun)
		begin(why);
	if (!recover_is_refused(recovery) || recovery->options->to_lsn != 0 ||
		recovery->options->has_to_time)
		return 0;
	recover_describe(recovery, stderr);
	return (int)recover_verdict_exit(recovery);
}

int recover_run_why(struct recovery *recovery)
{
	const struct recover_options *options = recovery->options;
	struct value other;
	struct inv_hotel_head head;
	struct why why = {
		.recovery = recovery,
		.night = {.hotel = {options->hotel},
			.type = options->type,
			.plan = options->plan,
			.day = options->night},
	};
	int status = build_short(recovery, &why.night, &other);
	if (status != 0)
		return status;
	if (!inv_hotel_head(shard_inventory(recovery->rebuild.shard), why.night.hotel, &head)) {
		fprintf(stderr,
			"keyrack-recover: there is no hotel %" PRIu64
			" in the state; `keyrack slot "
			"%" PRIu64 "` tells which shard has it\n",
			why.night.hotel.v, why.night.hotel.v);
		return RECOVER_EXIT_OUT_OF_REACH;
	}
	status = build_long(&why);
	if (status == 0)
		status = print_all(&why, &other);
	free(why.rows);
	kr_assert(status >= 0);
	return status;
}

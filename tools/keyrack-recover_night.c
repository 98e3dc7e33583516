#include "tools/keyrack-recover_night.h"

#include "base/civil.h"

/* Fields of an update that are its plan's; the others are the type's. */
#define NIGHT_PLAN_FIELDS                                                                          \
	(INV_UPDATE_PRICE | INV_UPDATE_MIN_ARRIVAL | INV_UPDATE_MAX_ARRIVAL |                      \
		INV_UPDATE_MIN_THROUGH | INV_UPDATE_MAX_THROUGH | INV_UPDATE_PLAN_CLOSED |         \
		INV_UPDATE_PLAN_CTA | INV_UPDATE_PLAN_CTD)

uint32_t night_rooms(const struct night *night, const struct inv_line *lines, uint32_t line_count)
{
	uint32_t rooms = 0;
	kr_assert(line_count <= INV_LINES_MAX);
	kr_assert(line_count == 0 || lines != NULL);
	for (uint32_t i = 0; i < line_count; i++) {
		const struct inv_line *line = &lines[i];
		if (line->type == night->type && line->check_in <= night->day &&
			night->day < line->check_out)
			rooms += line->rooms;
	}
	return rooms;
}

static bool is_updated(const struct night *night, const struct inv_effect_update *update)
{
	const struct inv_update *u = &update->update;
	uint32_t fields = u->set_mask | u->adjust_mask | u->clear_mask;
	unsigned weekday = (unsigned)civil_weekday_of(night->day);
	kr_assert(weekday < 7 && update->type_count <= INV_HOTEL_TYPES_MAX);
	if (u->plan != night->plan && (fields & ~NIGHT_PLAN_FIELDS) == 0)
		return false;
	if (night->day < u->first_day || night->day > u->last_day ||
		(u->weekday_mask & 1u << weekday) == 0)
		return false;
	for (uint32_t i = 0; i < update->type_count; i++) {
		if (update->types[i] == night->type)
			return true;
	}
	return false;
}

bool night_is_named(
	const struct night *night, const struct inv_effect *effect, uint32_t window_nights)
{
	int64_t window = window_nights;
	kr_assert(window > 0 && effect->hotel.v == night->hotel.v);
	switch (effect->kind) {
	case INV_EFFECT_HOTEL:
		return true;
	case INV_EFFECT_TYPE:
		return effect->u.type_put.type == night->type;
	case INV_EFFECT_PLAN:
		return effect->u.plan_put.type == night->type &&
		       effect->u.plan_put.plan == night->plan;
	case INV_EFFECT_UPDATE:
		return is_updated(night, &effect->u.update);
	case INV_EFFECT_WINDOW: {
		int64_t from = effect->u.window.old_business_day;
		int64_t to = effect->u.window.business_day;
		kr_assert(from <= to);
		bool leaves = from <= night->day && night->day < to;
		bool enters = from + window <= night->day && night->day < to + window;
		return leaves || enters;
	}
	default:
		return false;
	}
}

bool night_tally_move(
	struct night_tally *tally, const struct inv_effect *effect, const struct night_rooms *rooms)
{
	int64_t *count = rooms->is_booked ? &tally->booked : &tally->held;
	kr_assert(effect->kind != 0);
	switch (effect->kind) {
	case INV_EFFECT_RESERVE:
		tally->held -= rooms->before;
		*(effect->u.reserve.book ? &tally->booked : &tally->held) += rooms->after;
		return true;
	case INV_EFFECT_MODIFY:
		*count += (int64_t)rooms->after - rooms->before;
		return true;
	case INV_EFFECT_IMPORT:
		/* of one that has ended there are none */
		*(effect->u.import.state == INV_HELD ? &tally->held : &tally->booked) +=
			rooms->after;
		return true;
	case INV_EFFECT_CONFIRM:
		tally->held -= rooms->before;
		tally->booked += rooms->before;
		return true;
	case INV_EFFECT_RELEASE:
	case INV_EFFECT_EXPIRE:
		tally->held -= rooms->before;
		return true;
	case INV_EFFECT_CANCEL:
	case INV_EFFECT_COMPLETE:
	case INV_EFFECT_NO_SHOW:
		/* Of the last two: a night that still counts lies ahead, and is given back. */
		tally->booked -= rooms->before;
		return true;
	case INV_EFFECT_HOTEL:
	case INV_EFFECT_TYPE:
	case INV_EFFECT_UPDATE:
	case INV_EFFECT_GRACE:
	case INV_EFFECT_RETIRE:
	case INV_EFFECT_WINDOW:
	case INV_EFFECT_VOID:
	case INV_EFFECT_EXTEND:
	case INV_EFFECT_ATTACH_PAYMENT:
	case INV_EFFECT_CHECK_IN:
		return true;
	default:
		return false;
	}
}

bool night_tally_equals(const struct night_tally *tally, uint64_t counter)
{
	struct cell_counter cell = cell_counter_unpack(counter);
	kr_assert(tally != NULL);
	return tally->held == cell.held && tally->booked == cell.booked;
}

struct night_tally night_tally_of(uint64_t counter)
{
	struct cell_counter cell = cell_counter_unpack(counter);
	struct night_tally tally = {.held = cell.held, .booked = cell.booked};
	kr_assert(night_tally_equals(&tally, counter));
	return tally;
}

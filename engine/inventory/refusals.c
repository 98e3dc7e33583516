#include "engine/inventory/refusals.h"

#include "base/bug.h"

#define INV_DENIAL_PROBES 16u

const char *inv_name_text(enum inv_name name)
{
	static const char *const texts[] = {NULL,
#define X(number, name, text) text,
		INV_NAME_TABLE(X)
#undef X
	};
	kr_assert((size_t)name < KR_ARRAY_COUNT(texts));
	kr_assert(name != 0);
	return texts[name];
}

/* ---- the ring ---- */

static uint8_t inv_name_of_text(const char *text)
{
	if (text == NULL)
		return 0;
#define X(number, name, string)                                                                    \
	if (text == inv_name_text(INV_NAME_##name))                                                \
		return number;
	INV_NAME_TABLE(X)
#undef X
	kr_unreachable();
}

const struct inv_refused *inv_refused_find(const struct inv *inv, struct kr_id id)
{
	uint32_t tag = inv_id_tag(id);
	uint32_t slot = inv_index_home(&inv->refused_index, tag);
	for (;;) {
		uint32_t at =
			inv_index_next(&inv->refused_index, inv_refused_slots(inv), tag, &slot);
		if (at == INV_INDEX_END)
			return NULL;
		kr_assert(at < inv->config.refusals_max);
		if (kr_id_equal(inv_refused(inv)[at].id, id))
			return &inv_refused(inv)[at];
	}
}

struct inv_refusal inv_refused_get(const struct inv_refused *refused)
{
	kr_assert(refused->code != KEYRACK_DONE);
	struct inv_refusal refusal = {
		.code = refused->code,
		.rule = refused->rule,
		.state = refused->state,
		.line = refused->line,
		.has_day = refused->has_day,
		.day = refused->day,
		.text = refused->text == 0 ? NULL : inv_name_text(refused->text),
	};
	if (refused->rule == RULE_EXTERNAL_REF && refused->code == KEYRACK_KEY_REUSED) {
		refusal.other.hi = (uint64_t)refused->required;
		refusal.other.lo = (uint64_t)refused->left;
	} else {
		refusal.required = refused->required;
		refusal.left = refused->left;
	}
	kr_assert(code_class_of(refusal.code) == CODE_FINAL);
	return refusal;
}

/* The place of the oldest, emptied. */
static uint32_t inv_refused_next(struct inv *inv)
{
	uint32_t at = (uint32_t)(inv->refused_total & (inv->config.refusals_max - 1));
	kr_assert(inv->refused_index.used <= inv->config.refusals_max);
	if (inv->refused_total >= inv->config.refusals_max) {
		uint32_t tag = inv_id_tag(inv_refused(inv)[at].id);
		inv_index_remove(&inv->refused_index, inv_refused_slots(inv), tag, at);
	}
	inv->refused_total++;
	kr_assert(inv->refused_index.used < inv->config.refusals_max);
	return at;
}

void inv_refused_put(
	struct inv *inv, const struct inv_reserve_op *op, const struct inv_refusal *refusal)
{
	kr_assert(code_class_of(refusal->code) == CODE_FINAL);
	kr_assert_checked(inv_refused_find(inv, op->id) == NULL);
	bool names_other =
		refusal->rule == RULE_EXTERNAL_REF && refusal->code == KEYRACK_KEY_REUSED;
	uint32_t at = inv_refused_next(inv);
	inv_refused(inv)[at] = (struct inv_refused){
		.id = op->id,
		.fingerprint = op->fingerprint,
		.hotel = op->hotel.v,
		.required = names_other ? (int64_t)refusal->other.hi : refusal->required,
		.left = names_other ? (int64_t)refusal->other.lo : refusal->left,
		.day = refusal->day,
		.code = refusal->code,
		.line = refusal->line,
		.rule = refusal->rule,
		.state = refusal->state,
		.has_day = refusal->has_day,
		.text = inv_name_of_text(refusal->text),
	};
	inv_index_insert(&inv->refused_index, inv_refused_slots(inv), inv_id_tag(op->id), at);
}

/* ---- denials ---- */

static void inv_denial_add(
	struct inv *inv, struct hotel_id hotel, uint16_t type, uint8_t rule, int32_t day)
{
	uint32_t count = inv->config.denials_max;
	uint64_t hash = hash_mix(
		hotel.v ^ hash_mix((uint64_t)type << 40 | (uint64_t)rule << 32 | (uint32_t)day));
	kr_assert(rule != 0);
	kr_assert(count > 0);
	inv->denial_total++;
	uint32_t at = (uint32_t)((hash >> 32) * count >> 32);
	for (uint32_t probe = 0; probe < INV_DENIAL_PROBES && probe < count; probe++) {
		struct inv_denied *denied = &inv_denied(inv)[at];
		bool fits = denied->hotel == hotel.v && denied->day == day &&
			    denied->type == type && denied->rule == rule;
		if (denied->count == 0)
			*denied = (struct inv_denied){
				.hotel = hotel.v, .day = day, .type = type, .rule = rule};
		if (fits || denied->count == 0) {
			inv->denied_count += denied->count == 0;
			denied->count++;
			return;
		}
		at = at + 1 == count ? 0 : at + 1;
	}
	inv->denial_overflow++;
}

/* Only a planted bug comes here: what is counted of a denial is never a night's rooms. */
static void inv_denial_sell(struct inv *inv, struct hotel_id hotel, uint16_t type, int32_t day)
{
	uint32_t hotel_index = inv_hotel_find(inv, hotel);
	uint32_t row = inv_row_find(inv, hotel_index, type);
	kr_assert(row != INV_NONE);
	kr_assert(inv_day_in_window(inv, inv_hotel_at(inv, hotel_index), day));
	struct inv_words old = inv_cell_load(inv, row, inv_ring(inv, day)), new = old;
	struct cell_counter cell = cell_counter_unpack(old.counter);
	cell.booked++;
	new.counter = cell_counter_pack(cell);
	inv_cell_store(inv, row, inv_ring(inv, day), old, new);
}

void inv_denial_note(struct inv *inv, struct hotel_id hotel, const struct inv_line *lines,
	uint32_t line_count, const struct inv_refusal *refusal)
{
	kr_assert(refusal->code != KEYRACK_DONE);
	kr_assert(code_class_of(refusal->code) == CODE_FINAL);
	if (refusal->code >= KEYRACK_NOT_FOUND && refusal->code != KEYRACK_COUNTER_FULL)
		return;
	kr_assert(refusal->line < line_count);
	const struct inv_line *line = &lines[refusal->line];
	int32_t day =
		refusal->has_day && !bug_is(BUG_DENIAL_ON_CHECK_IN) ? refusal->day : line->check_in;
	inv_denial_add(inv, hotel, line->type, refusal->rule, day);
	if (bug_is(BUG_DENIAL_COUNTED_AS_SALE) && refusal->code == KEYRACK_SOLD_OUT)
		inv_denial_sell(inv, hotel, line->type, day);
}

uint32_t inv_denials_list(const struct inv *inv, struct inv_denial *ret, uint32_t count_max)
{
	uint32_t listed = 0;
	kr_assert(inv->denied_count <= inv->config.denials_max);
	kr_assert(ret != NULL || count_max == 0);
	for (uint32_t i = 0; i < inv->config.denials_max && listed < count_max; i++) {
		const struct inv_denied *denied = &inv_denied(inv)[i];
		if (denied->count == 0)
			continue;
		ret[listed++] = (struct inv_denial){
			.hotel = {denied->hotel},
			.type = denied->type,
			.rule = denied->rule,
			.day = denied->day,
			.count = denied->count,
		};
	}
	return listed;
}

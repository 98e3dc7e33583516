#include "engine/inventory/priv.h"
#include "engine/inventory/product.h"

/* Size of the UTF-8 character at `s`, 0 when it is malformed or a control character. */
static uint32_t inv_character_size(const uint8_t *s, uint32_t left_bytes)
{
	static const struct {
		uint8_t mask, lead, size;
		uint32_t min;
	} forms[] = {{0x80, 0x00, 1, 0x20}, {0xe0, 0xc0, 2, 0xa0}, {0xf0, 0xe0, 3, 0x800},
		{0xf8, 0xf0, 4, 0x10000}};
	kr_assert(left_bytes > 0);
	for (size_t f = 0; f < KR_ARRAY_COUNT(forms); f++) {
		if ((s[0] & forms[f].mask) != forms[f].lead)
			continue;
		if (forms[f].size > left_bytes)
			return 0;
		uint32_t c = s[0] & (uint8_t)~forms[f].mask;
		for (uint32_t i = 1; i < forms[f].size; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (s[i] & 0x3f);
		}
		bool is_surrogate = c >= 0xd800 && c < 0xe000;
		bool fits = c >= forms[f].min && c <= 0x10ffff && c != 0x7f && !is_surrogate;
		return fits ? forms[f].size : 0;
	}
	return 0;
}

bool inv_text_is_valid(struct inv_text text, uint32_t size_max_bytes)
{
	kr_assert(size_max_bytes <= INV_TEXT_SIZE_MAX);
	kr_assert(text.bytes != NULL || text.size_bytes == 0);
	if (text.size_bytes > size_max_bytes)
		return false;
	const uint8_t *s = (const uint8_t *)text.bytes;
	for (uint32_t at = 0; at < text.size_bytes;) {
		uint32_t size = inv_character_size(s + at, text.size_bytes - at);
		if (size == 0)
			return false;
		at += size;
	}
	return true;
}

struct inv_text inv_text_copy(struct inv_text text, char *bytes)
{
	kr_assert(text.size_bytes <= INV_TEXT_SIZE_MAX);
	kr_assert(bytes != NULL);
	if (text.size_bytes != 0)
		memmove(bytes, text.bytes, text.size_bytes);
	return (struct inv_text){.bytes = bytes, .size_bytes = text.size_bytes};
}

enum inv_result inv_refuse_table(struct inv_answer *answer, const char *table, uint64_t entries)
{
	kr_assert(table != NULL);
	inv_refuse(answer, KEYRACK_LIMIT_REACHED, RULE_TABLE);
	answer->refusal.text = table;
	answer->refusal.required = (int64_t)entries;
	kr_assert(answer->refusal.required >= 0);
	return INV_ANSWER;
}

enum inv_result inv_refuse_field(struct inv_answer *answer, const char *field)
{
	kr_assert(field != NULL);
	inv_refuse(answer, KEYRACK_INVALID, RULE_FIELD);
	answer->refusal.text = field;
	kr_assert(!answer->refusal.has_day);
	return INV_ANSWER;
}

void inv_zero(void *bytes, size_t size_bytes)
{
	kr_assert(bytes != NULL);
	memset(bytes, 0, size_bytes);
}

void inv_effect_begin(const struct inv *inv, uint32_t hotel_index, enum inv_effect_kind kind,
	struct inv_now now, const struct inv_actor *actor, struct inv_effect *ret_effect)
{
	kr_assert(kind >= INV_EFFECT_HOTEL && kind <= INV_EFFECT_LAST);
	inv_zero(ret_effect, sizeof(*ret_effect));
	ret_effect->kind = kind;
	ret_effect->t_us = now.t_us;
	if (actor != NULL)
		ret_effect->actor = *actor;
	else
		ret_effect->actor.source = INV_SOURCE_CLOCK;
	if (hotel_index == INV_NONE)
		return;
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	ret_effect->hotel.v = hotel->id;
	ret_effect->event_seq = hotel->event_seq + 1;
	kr_assert(hotel->id != 0);
}

int inv_contradict(const struct inv_effect *effect, const char *what, uint64_t expected,
	uint64_t found, int32_t day, struct inv_contradiction *ret)
{
	kr_assert(what != NULL);
	kr_assert(ret != NULL);
	*ret = (struct inv_contradiction){
		.lsn = effect->lsn,
		.what = what,
		.expected = expected,
		.found = found,
		.hotel = effect->hotel,
		.id = effect->id,
		.day = day,
	};
	return INV_CONTRADICTION;
}

static struct inv_record_line inv_first_line(const struct inv *inv, const struct inv_record *record)
{
	kr_assert((record->flags & INV_RECORD_FREE) == 0);
	return (struct inv_record_line){
		.row = inv_product_row(inv, record->product),
		.product = record->product,
		.check_in = record->check_in,
		.nights = record->nights,
		.rooms = record->rooms,
		.guests = record->guests,
		.counted_nights = record->counted_nights,
		.pricing = record->pricing,
	};
}

uint32_t inv_record_lines(const struct inv *inv, const struct inv_record *record,
	struct inv_record_line ret_lines[static INV_LINES_MAX])
{
	kr_assert(record->line_count <= INV_LINES_MAX);
	if (record->line_count == 0)
		return 0;
	uint32_t count = 0;
	ret_lines[count++] = inv_first_line(inv, record);
	for (uint32_t n = record->more; n != INV_NONE && count < record->line_count;) {
		const struct inv_node *node = &inv_nodes(inv)[n];
		if (node->kind == INV_NODE_LINE) {
			ret_lines[count++] = (struct inv_record_line){
				.row = inv_product_row(inv, node->u.line.product),
				.product = node->u.line.product,
				.check_in = node->u.line.check_in,
				.nights = node->u.line.nights,
				.rooms = node->u.line.rooms,
				.guests = node->u.line.guests,
				.counted_nights = node->u.line.counted_nights,
				.pricing = node->pricing,
			};
		}
		n = node->next;
	}
	kr_assert(count == record->line_count);
	return count;
}

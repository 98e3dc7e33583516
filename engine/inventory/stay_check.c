#include "engine/inventory/stay.h"

/* Steps 2 to 10 for a stay that nobody reserves. */

/* The fewest left on any night of any line, before this stay; 0 when no night is known. */
static uint32_t inv_stay_rooms_left(const struct inv_stay *stay)
{
	int32_t least = INT32_MAX;
	kr_assert(stay->op->line_count >= 1);
	for (uint32_t i = 0; i < stay->op->line_count; i++) {
		const struct inv_stay_line *l = &stay->lines[i];
		/* words were not read when an earlier step refused the line */
		for (int32_t n = 0; l->words != NULL && n < l->end_day - l->first_day; n++) {
			int32_t left = cell_left(cell_counter_unpack(l->words[n].counter));
			least = KR_MIN(least, left);
		}
	}
	kr_assert(least <= CELL_LIMIT_MAX || least == INT32_MAX);
	return least == INT32_MAX || least < 0 ? 0 : (uint32_t)least;
}

static void inv_stay_answer(const struct inv_stay *stay, struct inv_answer *answer)
{
	const struct inv *inv = stay->inv;
	*answer = (struct inv_answer){.code = KEYRACK_DONE, .hotel = stay->op->hotel};
	if (stay->refusal_count > 0) {
		answer->code = stay->refusals[0].code;
		answer->refusal = stay->refusals[0];
	}
	answer->has_total = inv_stay_has_total(stay);
	if (answer->has_total)
		answer->total_minor = stay->total_minor;
	kr_assert(answer->total_minor <= INV_TOTAL_MAX);
	if (stay->hotel_index == INV_NONE)
		return;
	const struct inv_hotel *hotel = inv_hotel_at(inv, stay->hotel_index);
	kr_assert(hotel->id == stay->op->hotel.v);
	answer->ari_version = hotel->ari_version;
	answer->wait_lsn = hotel->last_lsn;
}

/* Lines as asked, until step 9 has put prices to them. */
static void inv_stay_copy_lines(struct inv_scratch *scratch, const struct inv_reserve_op *op)
{
	kr_assert(op->line_count <= INV_LINES_MAX);
	kr_assert(op->line_count > 0);
	for (uint32_t i = 0; i < op->line_count; i++) {
		scratch->lines[i] = op->lines[i];
		scratch->lines[i].run_count = 0;
		scratch->lines[i].runs = NULL;
	}
}

uint32_t inv_stay_check(struct inv *inv, struct inv_now now, const struct inv_reserve_op *op,
	bool explain, struct inv_refusal *ret_refusals, struct inv_line *ret_lines,
	uint32_t *ret_rooms_left, struct inv_answer *ret_answer)
{
	struct inv_stay stay;
	enum inv_name field = inv_stay_malformed(op);
	kr_assert(ret_refusals != NULL && ret_lines != NULL);
	*ret_rooms_left = 0;
	if (field != 0) {
		inv_refuse_field(ret_answer, inv_name_text(field));
		ret_answer->hotel = op->hotel;
		ret_refusals[0] = ret_answer->refusal;
		return 1;
	}
	inv_stay_copy_lines(inv_scratch(inv), op);
	inv_stay_init(&stay, inv, now.t_us, op, inv_hotel_find(inv, op->hotel), ret_refusals,
		explain ? INV_EXPLAIN_MAX : 1);
	bool is_sold = inv_stay_try(&stay);
	kr_assert(is_sold == (stay.refusal_count == 0));
	inv_stay_answer(&stay, ret_answer);
	*ret_rooms_left = inv_stay_rooms_left(&stay);
	memcpy(ret_lines, inv_scratch(inv)->lines, op->line_count * sizeof(*ret_lines));
	return stay.refusal_count;
}

#include "engine/inventory/type.h"

struct inv_type_settings inv_type_settings_of(const struct inv *inv, uint32_t row_index)
{
	const struct inv_row *row = inv_row_at(inv, row_index);
	kr_assert(row->kind == INV_ROW_TYPE);
	kr_assert(row->code_size_bytes <= INV_TYPE_CODE_SIZE_MAX);
	return (struct inv_type_settings){
		.code = {.bytes = inv_type_codes(inv)[row_index].bytes,
			.size_bytes = row->code_size_bytes},
		.status = row->status,
		.plan_status = row->plan_status,
		.allowance_unit = row->allowance_unit,
		.physical = row->physical,
		.out_of_order = row->out_of_order,
		.allowance = row->allowance,
		.cap = row->cap,
		.guests_max = row->guests_max,
		.advance_min_minutes = row->advance_min_minutes,
		.advance_max_minutes = row->advance_max_minutes,
	};
}

static bool inv_status_is_valid(uint8_t status)
{
	return status >= INV_ACTIVE && status <= INV_RETIRED;
}

const char *inv_type_settings_fault(const struct inv_type_settings *s, uint32_t mask)
{
	bool unit_is_valid = s->allowance_unit == INV_ALLOWANCE_ROOMS ||
			     s->allowance_unit == INV_ALLOWANCE_BASIS_POINTS;
	kr_assert((mask & ~INV_TYPE_MASK) == 0);
	if ((mask & INV_TYPE_CODE) != 0 && !inv_text_is_valid(s->code, INV_TYPE_CODE_SIZE_MAX))
		return "code";
	if ((mask & INV_TYPE_STATUS) != 0 && !inv_status_is_valid(s->status))
		return "status";
	if ((mask & INV_TYPE_ALLOWANCE_UNIT) != 0 && !unit_is_valid)
		return "allowance_unit";
	if ((mask & INV_TYPE_PLAN_STATUS) != 0 && !inv_status_is_valid(s->plan_status))
		return "plan_status";
	return NULL;
}

void inv_type_settings_store(
	struct inv *inv, uint32_t row_index, const struct inv_type_settings *s, uint32_t set_mask)
{
	struct inv_row *row = inv_row_at(inv, row_index);
	kr_assert(inv_type_settings_fault(s, INV_TYPE_MASK) == NULL);
	kr_assert((set_mask & ~INV_TYPE_CLEARABLE) == 0);
	struct inv_code code = {.bytes = {0}};
	inv_text_copy(s->code, code.bytes);
	inv_type_codes(inv)[row_index] = code;
	row->code_size_bytes = (uint8_t)s->code.size_bytes;
	row->set_mask = set_mask;
	row->status = s->status;
	row->plan_status = s->plan_status;
	row->allowance_unit = s->allowance_unit;
	row->physical = (set_mask & INV_TYPE_PHYSICAL) != 0 ? s->physical : 0;
	row->out_of_order = (set_mask & INV_TYPE_OUT_OF_ORDER) != 0 ? s->out_of_order : 0;
	row->allowance = (set_mask & INV_TYPE_ALLOWANCE) != 0 ? s->allowance : 0;
	row->cap = (set_mask & INV_TYPE_CAP) != 0 ? s->cap : 0;
	row->guests_max = s->guests_max;
	row->advance_min_minutes = s->advance_min_minutes;
	row->advance_max_minutes = s->advance_max_minutes;
}

/* Into the hotel's chain, which ascends by type. */
static void inv_row_link(struct inv *inv, uint32_t hotel_index, uint32_t row_index)
{
	struct inv_row *row = inv_row_at(inv, row_index);
	struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	uint32_t *link = &hotel->row_head;
	while (*link != INV_NONE && inv_row_at(inv, *link)->type < row->type)
		link = &inv_row_at(inv, *link)->next;
	kr_assert(*link == INV_NONE || inv_row_at(inv, *link)->type != row->type);
	row->next = *link;
	*link = row_index;
	hotel->row_count++;
	kr_assert(hotel->row_count <= INV_HOTEL_TYPES_MAX);
}

uint32_t inv_row_create(struct inv *inv, uint32_t hotel_index, uint16_t type)
{
	kr_assert(type <= INV_TYPE_NUMBER_MAX);
	kr_assert(inv_row_find(inv, hotel_index, type) == INV_NONE);
	if (inv->row_count == inv->config.rows_max)
		return INV_NONE;
	uint32_t row_index = inv->row_count++;
	*inv_row_at(inv, row_index) = (struct inv_row){
		.hotel_index = hotel_index,
		.next = INV_NONE,
		.run_head = INV_NONE,
		.plan_head = INV_NONE,
		.type = type,
		.kind = INV_ROW_TYPE,
	};
	inv_row_link(inv, hotel_index, row_index);
	inv_index_insert(&inv->row_index, inv_row_slots(inv),
		inv_index_tag(inv_row_hash(hotel_index, type)), row_index);
	return row_index;
}

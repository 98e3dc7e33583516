#include "engine/inventory/priv.h"

kr_static_assert(INV_CLASSES_MAX <= UINT16_MAX, "a cell's class has 16 bits");
kr_static_assert(_Alignof(struct inv) <= 64, "the region is 64-byte aligned");

#define INV_ENTRIES_MAX (UINT32_C(1) << 30)

int inv_config_check(const struct inv_config *config, const char **ret_option)
{
	kr_assert(config != NULL);
	kr_assert(ret_option != NULL);
	const struct {
		const char *option;
		uint64_t value, min, max;
	} checks[] = {
		{"hotels", config->hotels_max, 1, INV_ENTRIES_MAX},
		{"rows", config->rows_max, 1, INV_ENTRIES_MAX},
		{"plans", config->plans_max, 0, INV_ENTRIES_MAX},
		{"window_nights", config->window_nights, INV_WINDOW_NIGHTS_MIN,
			INV_WINDOW_NIGHTS_MAX},
		{"reservations", config->reservations_max, 1, INV_ENTRIES_MAX},
		{"nodes", config->nodes_max, 1, INV_ENTRIES_MAX},
		{"refusals", config->refusals_max, 1, INV_ENTRIES_MAX},
		{"denials", config->denials_max, 1, INV_ENTRIES_MAX},
		{"stock_runs", config->stock_runs_max, 1, INV_ENTRIES_MAX},
		{"retention_us", config->retention_us, 1, INT64_MAX},
		{"grace_us", config->grace_us, 0, INT64_MAX},
	};
	for (size_t i = 0; i < KR_ARRAY_COUNT(checks); i++) {
		*ret_option = checks[i].option;
		if (checks[i].value < checks[i].min)
			return INV_CONFIG_TOO_SMALL;
		if (checks[i].value > checks[i].max)
			return INV_CONFIG_TOO_LARGE;
	}
	*ret_option = "refusals";
	if ((config->refusals_max & (config->refusals_max - 1)) != 0)
		return INV_CONFIG_NO_POWER_OF_TWO;
	*ret_option = NULL;
	return 0;
}

/* Lays the tables out behind the head; `inv` may be NULL when only the size is asked for. */
static uint64_t inv_tables_place(const struct inv_config *c, struct inv *inv)
{
	uint64_t at_bytes = sizeof(struct inv);
#define X(name, type, count)                                                                       \
	at_bytes = (at_bytes + 63) / 64 * 64;                                                      \
	if (inv != NULL)                                                                           \
		inv->name##_offset = at_bytes;                                                     \
	at_bytes += (uint64_t)(count) * sizeof(type);
	INV_TABLE_TABLE(X)
#undef X
	kr_assert(at_bytes > sizeof(struct inv));
	return (at_bytes + 63) / 64 * 64;
}

uint64_t inv_memory_size(const struct inv_config *config)
{
	kr_assert(config->window_nights >= INV_WINDOW_NIGHTS_MIN);
	kr_assert(config->window_nights <= INV_WINDOW_NIGHTS_MAX);
	return inv_tables_place(config, NULL);
}

static void inv_indices_init(struct inv *inv)
{
	const struct inv_config *c = &inv->config;
	kr_assert(inv->hotel_index.used == 0);
	inv->hotel_index.slot_count = inv_index_slot_count(c->hotels_max);
	inv->row_index.slot_count = inv_index_slot_count(c->rows_max);
	inv->plan_index.slot_count = inv_index_slot_count(c->plans_max);
	inv->class_index.slot_count = inv_index_slot_count(INV_CLASSES_MAX);
	inv->record_index.slot_count = inv_index_slot_count(c->reservations_max);
	inv->external_index.slot_count = inv_index_slot_count(c->reservations_max);
	inv->refused_index.slot_count = inv_index_slot_count(c->refusals_max);
	kr_assert(inv->refused_index.slot_count > c->refusals_max);
}

struct inv *inv_init(const struct inv_config *config, void *memory, const struct tz_db *tz)
{
	const char *option;
	kr_assert(inv_config_check(config, &option) == 0);
	kr_assert(memory != NULL && (uintptr_t)memory % 64 == 0);
	struct inv *inv = memory;
	kr_assert(inv->config.hotels_max == 0 && inv->hotel_count == 0);
	inv->config = *config;
	inv->tz = tz;
	inv->row_stride_bytes = inv_row_stride_bytes(config);
	inv->rates_stride_bytes = inv_rates_stride_bytes(config);
	int32_t window = (int32_t)config->window_nights;
	inv->day_bias = (1 - INV_DAY_MIN / window) * window;
	inv->class_fresh = 1;
	inv->void_head = INV_NONE;
	inv_pool_init(&inv->run_pool, config->stock_runs_max);
	inv_pool_init(&inv->record_pool, config->reservations_max);
	inv_pool_init(&inv->node_pool, config->nodes_max);
	inv_indices_init(inv);
	(void)inv_tables_place(config, inv);
	kr_assert(inv->day_bias + INV_DAY_MIN > 0 && inv->day_bias % window == 0);
	return inv;
}

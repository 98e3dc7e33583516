#include "engine/inventory/listing.h"

#include "engine/inventory/refusals.h"

/* Lists of denials: the table is read in its own order, a bounded piece a call. */

static bool inv_denial_fits(const struct inv_denied *denied, const struct inv_denial_query *query)
{
	kr_assert(query->first_day <= query->last_day);
	if (denied->count == 0)
		return false;
	kr_assert(denied->rule != 0);
	if (query->hotel.v != 0 && denied->hotel != query->hotel.v)
		return false;
	if (query->rule != 0 && denied->rule != query->rule)
		return false;
	return !query->has_nights ||
	       (query->first_day <= denied->day && denied->day <= query->last_day);
}

uint32_t inv_denial_list(const struct inv *inv, const struct inv_denial_query *query, uint32_t *at,
	uint32_t budget, struct inv_denial *ret, uint32_t count_max, bool *ret_more)
{
	uint32_t count = 0;
	kr_assert(budget > 0 && count_max > 0);
	kr_assert(inv->denied_count <= inv->config.denials_max);
	for (; *at < inv->config.denials_max && budget > 0 && count < count_max; ++*at, budget--) {
		const struct inv_denied *denied = &inv_denied(inv)[*at];
		if (!inv_denial_fits(denied, query))
			continue;
		ret[count++] = (struct inv_denial){
			.hotel = {denied->hotel},
			.type = denied->type,
			.rule = denied->rule,
			.day = denied->day,
			.count = denied->count,
		};
	}
	*ret_more = *at < inv->config.denials_max;
	return count;
}

#include "engine/inventory/listing.h"
#include "tests/property/world.h"

/* Lists of nights beside the model: every night, then those that are sold beyond something. */

#define NIGHTS_MAX 512

struct nights {
	struct inv_night_view views[NIGHTS_MAX];
	uint32_t count, at;
	/* over all hotels, by filter: how many, and their rooms */
	uint32_t counted[INV_NIGHT_FILTER_MASK + 1];
	uint64_t rooms[INV_NIGHT_FILTER_MASK + 1];
};

/* Small pages and small budgets, others each time. */
static uint32_t list_all(
	struct world *w, const struct inv_night_query *query, struct inv_night_view *ret)
{
	struct inv_night_place place = inv_night_begin(w->side.inv, query);
	const uint32_t page = 1 + (uint32_t)(w->step / 64 % 7);
	const uint32_t budget = INV_NIGHT_ROW_COST + 1 + (uint32_t)(w->step / 64 % 90);
	uint32_t count = 0;
	while (place.row != INV_NIGHT_END) {
		CHECK(count + page <= NIGHTS_MAX, "too many nights");
		CHECK(inv_night_place_is_valid(w->side.inv, query, &place), "place");
		count += inv_night_list(w->side.inv, query, &place, budget, ret + count, page);
	}
	return count;
}

void nights_read(struct world *w, int h)
{
	static struct nights nights;
	const struct inv_night_query query = {
		.hotel = {w->hotels[h]}, .first_day = INV_DAY_MIN, .last_day = INV_DAY_MAX};
	w->nights = &nights;
	if (h == 0)
		memset(&nights, 0, sizeof(nights));
	nights.count = list_all(w, &query, nights.views);
	nights.at = 0;
}

void nights_compare(struct world *w, int h, int type, int day, const struct m_cell *m)
{
	struct nights *n = w->nights;
	CHECK(n->at < n->count, "hotel %d type %d day %d is not listed", h, type, day);
	const struct inv_night_view *v = &n->views[n->at++];
	const int64_t limit = m->is_loaded ? m->limit : 0;
	const int64_t rooms = m->has_rooms && m->rooms > 0 ? m->rooms : 0;
	const int64_t over = m->held + m->booked > limit ? m->held + m->booked - limit : 0;
	const int64_t walks = m->has_rooms && m->booked > rooms ? m->booked - rooms : 0;
	CHECK(v->hotel.v == w->hotels[h] && v->type == type && v->day == day,
		"listed type %d day %d, not %d, %d", v->type, v->day, type, day);
	CHECK(v->is_loaded == m->is_loaded && v->limit == limit, "limit %d, not %ld", v->limit,
		(long)limit);
	CHECK(v->held == m->held && v->booked == m->booked, "%d held, %d booked, not %d, %d",
		v->held, v->booked, m->held, m->booked);
	CHECK(v->has_rooms == m->has_rooms && v->rooms == rooms, "%u rooms, not %ld", v->rooms,
		(long)rooms);
	CHECK(v->over_limit == over && v->walks == walks, "%u over, %u walks, not %ld, %ld",
		v->over_limit, v->walks, (long)over, (long)walks);
	for (unsigned filter = 1; filter <= INV_NIGHT_FILTER_MASK; filter++)
		if (((filter & INV_NIGHT_OVER_LIMIT) && over > 0) ||
			((filter & INV_NIGHT_WALKS) && walks > 0)) {
			n->counted[filter]++;
			n->rooms[filter] += (uint64_t)(over + walks);
		}
}

void nights_end(struct world *w, int h)
{
	CHECK(w->nights->at == w->nights->count, "hotel %d: %u nights, not %u", h, w->nights->count,
		w->nights->at);
}

void nights_compare_all(struct world *w)
{
	struct nights *n = w->nights;
	for (unsigned filter = 1; filter <= INV_NIGHT_FILTER_MASK; filter++) {
		const struct inv_night_query query = {
			.first_day = INV_DAY_MIN, .last_day = INV_DAY_MAX, .filter = filter};
		uint64_t rooms = 0;
		const uint32_t count = list_all(w, &query, n->views);
		for (uint32_t i = 0; i < count; i++)
			rooms += n->views[i].over_limit + n->views[i].walks;
		CHECK(count == n->counted[filter] && rooms == n->rooms[filter],
			"filter %u: %u nights, %lu rooms, not %u, %lu", filter, count,
			(unsigned long)rooms, n->counted[filter], (unsigned long)n->rooms[filter]);
	}
}

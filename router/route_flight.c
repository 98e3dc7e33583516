#include "base/bug.h"
#include "router/route_priv.h"

void route_flights_init(
	struct route_flights *flights, struct route_flight *items, uint32_t max_count)
{
	kr_assert(max_count > 0 && max_count <= ROUTE_FLIGHT_MAX);
	kr_assert(items != NULL);
	*flights = (struct route_flights){
		.items = items,
		.max_count = max_count,
		.free_head = ROUTE_NONE,
		.sent_head = ROUTE_NONE,
		.sent_tail = ROUTE_NONE,
	};
}

static uint32_t flight_index(const struct route_flights *flights, const struct route_flight *flight)
{
	kr_assert(flight >= flights->items);
	size_t index = (size_t)(flight - flights->items);
	kr_assert(index < flights->fresh_count);
	return (uint32_t)index;
}

struct route_flight *route_flight_take(struct route_flights *flights)
{
	struct route_flight *flight;

	kr_assert(flights->live_count <= flights->fresh_count);
	if (flights->free_head != ROUTE_NONE) {
		flight = &flights->items[flights->free_head];
		flights->free_head = flight->next;
	} else if (flights->fresh_count < flights->max_count) {
		flight = &flights->items[flights->fresh_count++];
		*flight = (struct route_flight){.state = ROUTE_FLIGHT_FREE};
	} else {
		kr_assert(flights->live_count == flights->max_count);
		return NULL;
	}
	kr_assert(flight->state == ROUTE_FLIGHT_FREE);
	flight->state = ROUTE_FLIGHT_TAKEN;
	flight->generation = (uint16_t)((flight->generation + 1u) & ROUTE_VIA_GENERATION_MASK);
	if (flight->generation == 0)
		flight->generation = 1;
	flight->prev = ROUTE_NONE;
	flight->next = ROUTE_NONE;
	flight->hop_id = 0;
	flights->live_count++;
	return flight;
}

void route_flight_send(struct route_flights *flights, struct route_flight *flight)
{
	uint32_t index = flight_index(flights, flight);

	kr_assert(flight->state == ROUTE_FLIGHT_TAKEN);
	kr_assert(flight->hop_id == 0);
	flight->state = ROUTE_FLIGHT_SENT;
	flight->hop_id = ++flights->last_hop_id;
	flight->prev = flights->sent_tail;
	if (flights->sent_tail != ROUTE_NONE)
		flights->items[flights->sent_tail].next = index;
	else
		flights->sent_head = index;
	flights->sent_tail = index;
	flights->sent_count++;
	flights->sent_size_bytes += flight->size_bytes;
}

static void flight_unlink(struct route_flights *flights, struct route_flight *flight)
{
	kr_assert(flight->state == ROUTE_FLIGHT_SENT);
	kr_assert(flights->sent_count > 0);
	if (flight->prev != ROUTE_NONE)
		flights->items[flight->prev].next = flight->next;
	else
		flights->sent_head = flight->next;
	if (flight->next != ROUTE_NONE)
		flights->items[flight->next].prev = flight->prev;
	else
		flights->sent_tail = flight->prev;
	kr_assert(flights->sent_size_bytes >= flight->size_bytes);
	flights->sent_count--;
	flights->sent_size_bytes -= flight->size_bytes;
}

void route_flight_drop(struct route_flights *flights, struct route_flight *flight)
{
	uint32_t index = flight_index(flights, flight);

	kr_assert(flight->state != ROUTE_FLIGHT_FREE);
	kr_assert(flights->live_count > 0);
	if (flight->state == ROUTE_FLIGHT_SENT)
		flight_unlink(flights, flight);
	flight->state = ROUTE_FLIGHT_FREE;
	flight->next = flights->free_head;
	flights->free_head = index;
	flights->live_count--;
}

uint32_t route_flight_via(const struct route_flights *flights, const struct route_flight *flight)
{
	kr_assert(flight->state == ROUTE_FLIGHT_SENT);
	kr_assert(flight->generation != 0);
	return flight_index(flights, flight) | (uint32_t)flight->generation << ROUTE_VIA_INDEX_BITS;
}

struct route_flight *route_flight_find(struct route_flights *flights, uint32_t via, uint64_t hop_id)
{
	uint32_t index = via & (ROUTE_FLIGHT_MAX - 1);

	kr_assert(flights->fresh_count <= flights->max_count);
	if (index >= flights->fresh_count)
		return NULL;
	struct route_flight *flight = &flights->items[index];
	if (flight->state != ROUTE_FLIGHT_SENT ||
		(!bug_is(BUG_LATE_ANSWER_MISDIRECTED) &&
			(flight->hop_id != hop_id ||
				flight->generation != via >> ROUTE_VIA_INDEX_BITS)))
		return NULL;
	kr_assert(hop_id != 0 && hop_id <= flights->last_hop_id);
	return flight;
}

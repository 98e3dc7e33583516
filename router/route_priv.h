/*
 * Inside the route step: flights, wait queues, clients. Only route*.c include this.
 *
 * Life of a flight, and the function of each move:
 *
 *          route_flight_take            route_flight_send
 *   FREE ---------------------> TAKEN ---------------------> SENT
 *    ^                            |                            |
 *    +----------------------------+----------------------------+
 *                        route_flight_drop
 *
 * A taken flight is in its link's wait queue, or about to be sent; a sent one is in the list of
 * sent flights, oldest first, so that a lost link is told to its clients in the order they asked.
 */
#ifndef ROUTER_ROUTE_PRIV_H
#define ROUTER_ROUTE_PRIV_H

#include "base/check.h"
#include "proto/access.h"
#include "router/route.h"

#define ROUTE_NONE UINT32_MAX
#define ROUTE_VIA_INDEX_BITS 20u
#define ROUTE_VIA_GENERATION_MASK 0xfffu
kr_static_assert(ROUTE_FLIGHT_MAX == 1u << ROUTE_VIA_INDEX_BITS, "a flight's index fits via");

enum route_flight_state { ROUTE_FLIGHT_FREE, ROUTE_FLIGHT_TAKEN, ROUTE_FLIGHT_SENT };

struct route_flight {
	uint64_t hop_id; /* request id on the link: counts up, never used twice */
	uint64_t request_id;
	uint64_t deadline_us;
	uint64_t routing_key;
	struct conn_id client;
	uint32_t prev, next;
	uint32_t size_bytes; /* of the frame */
	uint16_t generation; /* never 0, so that via is never 0 */
	uint8_t state;
	uint8_t type;
	uint8_t route;
};

struct route_flights {
	struct route_flight *items;
	uint32_t max_count;
	uint32_t fresh_count; /* items never used lie at and above this: they are not touched */
	uint32_t live_count;
	uint32_t sent_count;
	uint64_t sent_size_bytes;
	uint32_t free_head;
	uint32_t sent_head, sent_tail;
	uint64_t last_hop_id;
};

/* `items` need not be zeroed. */
void route_flights_init(
	struct route_flights *flights, struct route_flight *items, uint32_t max_count);
/* NULL when every flight is in use. */
struct route_flight *route_flight_take(struct route_flights *flights);
void route_flight_send(struct route_flights *flights, struct route_flight *flight);
void route_flight_drop(struct route_flights *flights, struct route_flight *flight);
uint32_t route_flight_via(const struct route_flights *flights, const struct route_flight *flight);
/* The sent flight an answer belongs to, or NULL. */
struct route_flight *route_flight_find(
	struct route_flights *flights, uint32_t via, uint64_t hop_id);

/* Frames that wait for a link: a line of frames in one buffer, in order; the dead leave holes. */
struct route_wait_item {
	uint32_t flight; /* ROUTE_NONE = a hole */
	uint32_t offset; /* of the header; the body follows */
	uint32_t size_bytes;
};

struct route_wait {
	uint8_t *bytes;
	struct route_wait_item *items;
	uint32_t size_max_bytes, item_max_count;
	uint32_t size_bytes, item_first, item_count; /* items [first, count) are there */
	uint32_t hole_count, hole_size_bytes;
	uint64_t first_deadline_us; /* a lower bound; UINT64_MAX when empty */
	uint64_t scanned_at_us;
};

/* Neither `items` nor `bytes` need be zeroed. */
void route_wait_init(struct route_wait *wait, struct route_wait_item *items,
	uint32_t item_max_count, uint8_t *bytes, uint32_t size_max_bytes);
uint32_t route_wait_count(const struct route_wait *wait);
/* False when there is no room. */
bool route_wait_push(struct route_wait *wait, uint32_t flight, uint64_t deadline_us,
	const struct frame_header *header, const uint8_t *body);
/* Turns an item into a hole. */
void route_wait_kill(struct route_wait *wait, uint32_t item);
/* Takes the oldest frame: its flight, or ROUTE_NONE when none is left. The body stays where it
   is until the next push. */
uint32_t route_wait_pop(
	struct route_wait *wait, struct frame_header *ret_header, const uint8_t **ret_body);

struct route_link {
	bool up;
	uint32_t window;
	struct route_flights flights;
	struct route_wait wait;
	struct route_link_counters counters;
};

struct route_client {
	uint32_t generation; /* 0 = not there */
	uint32_t in_flight;
	uint32_t principal;    /* stamped on what it sends */
	enum access_role role; /* that of its principal */
};

struct route {
	struct route_config config;
	bool is_draining;
	struct slot_map map;
	uint64_t now_us;
	uint64_t swept_at_us;
	uint64_t forbidden_count;
	struct route_client *clients;
	struct route_link links[SHARD_COUNT_MAX];
};

#endif

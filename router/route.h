/*
 * The route step: what a router does with a frame, as a pure function of events and time.
 *
 * No socket, no clock, no body is decoded and nothing is allocated. A request
 * is forwarded with `via`, the mark of its flight (index and generation), with a request id that
 * is unique on the link, and with the time that is left; the answer finds its flight by `via` and
 * leaves with the caller's request id. Header sums are made anew, body sums are never touched.
 *
 * Per shard there is a link, up or down. While it is down requests wait, bounded in frames and
 * bytes, in the order they came, and leave in that order before anything newer once it is up.
 *
 *   link down or a queue before it, time left is <= ROUTE_WAIT_MARGIN_US    UNAVAILABLE
 *   waiting until the deadline less that margin, or until DRAIN             UNAVAILABLE
 *   a client's or shard's window, a flight table or a queue is full         OVERLOADED
 *   forwarded, then the link is lost                                        OUTCOME_UNKNOWN
 *   another map epoch than the router's                                     MOVED
 *   a key beyond the slots or shards, a type that does not fit the route    INVALID
 *   `via` or `principal` from a client                                      REJECT_RESERVED
 *   a type that needs another role than the client's (access.h)             FORBIDDEN
 *   forwarded, and the deadline is over                         forgotten: a late answer is dropped
 *
 * Ownership: event bodies are the caller's. Action bodies point into the event or into the
 * route's own queue and are valid until the next call.
 */
#ifndef ROUTER_ROUTE_H
#define ROUTER_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "proto/code.h"
#include "proto/conn.h"
#include "proto/frame.h"
#include "proto/slot.h"

#define ROUTE_WINDOW_DEFAULT 4096u
#define ROUTE_FLIGHT_MAX_DEFAULT 65536u       /* requests a link may have in flight and waiting */
#define ROUTE_FLIGHT_MAX (1u << 20)           /* what fits into the index half of `via` */
#define ROUTE_FLIGHT_SIZE_DEFAULT (16u << 20) /* and their bytes */
#define ROUTE_WAIT_FRAME_MAX_DEFAULT 32768u
#define ROUTE_WAIT_SIZE_DEFAULT (16u << 20)
#define ROUTE_WAIT_MARGIN_US 10000u /* so that UNAVAILABLE still arrives before the deadline */
#define ROUTE_WAIT_SCAN_US 5000u    /* waiting frames are looked over no more often */
#define ROUTE_SWEEP_US 250000u      /* forwarded ones are forgotten this late at most, */
#define ROUTE_SWEEP_WANTED_US 5000u /* or this late, when their place is wanted */

struct route_config {
	uint64_t cluster;
	uint32_t shard_count;
	uint32_t client_max_count;      /* client indices are below */
	uint32_t window;                /* requests in flight of one client */
	uint32_t flight_max_count;      /* per shard; a power of two is not needed */
	uint32_t flight_size_max_bytes; /* of frames forwarded and not answered, per shard */
	uint32_t wait_frame_max_count;
	uint32_t wait_size_max_bytes;
};

enum route_event_kind {
	ROUTE_EVENT_CLIENT_OPEN,  /* client, principal */
	ROUTE_EVENT_CLIENT_FRAME, /* client, header, body */
	ROUTE_EVENT_CLIENT_GONE,  /* client */
	ROUTE_EVENT_LINK_UP,      /* shard, window */
	ROUTE_EVENT_LINK_FRAME,   /* shard, header, body */
	ROUTE_EVENT_LINK_DOWN,    /* shard */
	ROUTE_EVENT_DRAIN,        /* from now on whatever does not fly yet is UNAVAILABLE */
	ROUTE_EVENT_TIMEOUT,      /* call when route_wakeup_us() is reached; early is harmless */
};

struct route_event {
	enum route_event_kind kind;
	uint64_t now_us; /* never runs backwards */
	struct conn_id client;
	uint32_t principal; /* of the client: its role, and what shards are told */
	uint32_t shard;
	uint32_t window; /* requests the shard takes in flight; 0 = it does not say */
	const struct frame_header *header;
	const uint8_t *body;
};

enum route_action_kind {
	ROUTE_ACTION_TO_SHARD,  /* header and body to `shard` */
	ROUTE_ACTION_TO_CLIENT, /* header and body to `client` */
	ROUTE_ACTION_LOCAL,     /* the router itself answers the event's frame */
	ROUTE_ACTION_REJECT,    /* `client` broke the protocol: `code` */
	ROUTE_ACTION_BREAK,     /* the link to `shard` broke the protocol: `code`; close it */
};

struct route_action {
	enum route_action_kind kind;
	uint32_t shard;
	struct conn_id client;
	enum keyrack_wire_code code;
	struct frame_header header; /* sealed */
	const uint8_t *body;        /* header.body_size_bytes of them */
};

#define ROUTE_ACTION_MAX 64u /* of one call; then `more` is set */

struct route_actions {
	struct route_action items[ROUTE_ACTION_MAX];
	uint32_t count;
	bool more; /* call again with the same event before any other */
};

struct route_link_counters {
	uint64_t forwarded, answered, lost, unavailable, overloaded, expired;
	uint64_t late; /* answers whose flight was forgotten, or whose client is gone */
	uint32_t in_flight, waiting;
	bool up;
};

struct route;

/*
 * A route lives in `memory` of the caller: route_size_bytes() of it, at a multiple of 64, touched
 * only as far as it is used. There is nothing to give back but that.
 */
size_t route_size_bytes(const struct route_config *config);
struct route *route_init(const struct route_config *config, void *memory);

/* Before the first event: links number what they forward from places drawn from the seed, so that
 * an answer on another link than its own, of this router or another's, fits no request there. */
void route_number_from(struct route *route, uint64_t seed);

/* Sets actions->count and ->more; the caller carries out the actions in order. */
void route_step(
	struct route *route, const struct route_event *event, struct route_actions *actions);

/* When a TIMEOUT is due: UINT64_MAX while nothing waits or flies. */
uint64_t route_wakeup_us(const struct route *route, uint64_t now_us);

/* The answer to `request` with this code and body, as it goes to a client. */
struct frame_header route_answer_header(const struct route *route,
	const struct frame_header *request, enum keyrack_wire_code code, const void *body,
	uint32_t body_size_bytes);

const struct slot_map *route_map(const struct route *route);
void route_link_counters_get(
	const struct route *route, uint32_t shard, struct route_link_counters *ret_counters);
/* Requests of a client that are not answered; 0 for one that is gone. */
uint32_t route_client_in_flight(const struct route *route, struct conn_id client);
/* Requests that were answered FORBIDDEN. */
uint64_t route_forbidden_count(const struct route *route);
/* Requests not answered, over all links. */
uint32_t route_in_flight(const struct route *route);

#endif

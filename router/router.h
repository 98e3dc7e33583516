/*
 * A router node: clients on one side, one link to each shard on the other, the route step between.
 *
 * It runs on any archive of base/io: main.c gives it io_uring, the simulator its own. It takes the
 * loop's turn callback for itself. Nothing is allocated after router_new(); what an operator
 * should hear comes through `on_note`.
 *
 * Clients greet with HELLO and are told the window; calls of route ROUTER are answered here. Links
 * are dialled at once, greeted with HELLO (route SHARD, the number expected), and up when the
 * answer names the same cluster, shard and number of shards. A lost link is dialled again after
 * router_backoff_us(). A link silent for ROUTER_PING_US is pinged, for ROUTER_SILENCE_US given up.
 *
 * To stop, it accepts no more, answers UNAVAILABLE to what is new or waits, lets what was
 * forwarded end for at most ROUTER_DRAIN_US, and closes.
 */
#ifndef ROUTER_ROUTER_H
#define ROUTER_ROUTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/event.h"
#include "base/io/io.h"
#include "base/io/io_address.h"
#include "proto/conn.h"
#include "proto/conn_guard.h"
#include "proto/token.h"
#include "router/route.h"

#define ROUTER_CONNECTION_MAX_DEFAULT 8192u
#define ROUTER_CONNECTION_MAX 60000u
#define ROUTER_IDLE_US_DEFAULT UINT64_C(3600000000)
#define ROUTER_BACKOFF_FIRST_US UINT64_C(5000)
#define ROUTER_BACKOFF_MAX_US UINT64_C(250000)
#define ROUTER_GREETING_US UINT64_C(2000000) /* for a shard to answer HELLO */
#define ROUTER_PING_US UINT64_C(5000000)
#define ROUTER_SILENCE_US UINT64_C(15000000)
#define ROUTER_DRAIN_US UINT64_C(5000000)
#define ROUTER_PAYLOAD_MAX 1024u /* of PING */
#define ROUTER_LIST_MAX 1000u    /* connections in one answer */

struct router_config {
	uint64_t cluster; /* never 0 */
	uint32_t listen_count;
	struct io_address listen[CONN_LISTEN_MAX];
	struct conn_guard guards[CONN_LISTEN_MAX]; /* who may connect there, and as what */
	struct token_set tokens;                   /* of clients, where a guard wants one */
	struct token shard_token; /* that shards may want; number 0: there is none */
	uint32_t shard_count;
	struct io_address shards[SHARD_COUNT_MAX]; /* in the order of their numbers */
	uint32_t connection_max_count;
	uint32_t connection_room_count; /* what that may be raised to later; 0: no more */
	uint32_t window;                /* requests in flight of one connection */
	uint64_t idle_timeout_us;
	uint32_t flight_max_count; /* of one shard; see route.h */
	uint32_t flight_size_max_bytes;
	uint32_t wait_frame_max_count;
	uint32_t wait_size_max_bytes;
	void (*on_note)(void *context, const struct kr_note *note); /* may be NULL */
	void *context;
};

/* All but cluster, listen and shards; listeners are for operators. */
void router_config_default(struct router_config *ret_config);

struct router;

/* Takes all memory it will ever use. The loop must outlive it. -KR_E_NOMEM. */
KR_MUST_CHECK int router_new(struct io_loop *loop, const struct router_config *config,
	struct router **ret_router, struct kr_error_text *text);
/*
 * Listens, then dials. Why it cannot listen, in words: after -KR_E_ADDRESS_IN_USE it may be called
 * again, since the kernel takes a moment to end a killed process's sockets.
 */
KR_MUST_CHECK int router_start(struct router *router, struct kr_error_text *text);
/* Takes connection_max_count, idle_timeout_us and the tokens over, while it runs. Who has proved a
 * token that is gone stays connected. */
void router_retune(struct router *router, const struct router_config *config);
/* Begins to stop; the loop runs on until router_is_stopped(). A second call closes at once. */
void router_stop(struct router *router);
bool router_is_stopping(const struct router *router);
bool router_is_stopped(const struct router *router);
/* Stopped, never started, or the loop will never complete anything again. Returns NULL. */
struct router *router_free(struct router *router);

/* Where the n-th listener listens, with the port that was free. */
const struct io_address *router_listen_address(const struct router *router, uint32_t index);
bool router_link_is_up(const struct router *router, uint32_t shard);
/* The shard is known to serve from now on: a link that rests until its next dial dials at once. */
void router_shard_serves(struct router *router, uint32_t shard);

/* Wait before the n-th dial in a row that fails, n from 0: doubles from FIRST to MAX. */
uint64_t router_backoff_us(uint32_t failure_count);

#endif

/*
 * Inside a router node. Only router.c, link.c and local.c include this.
 *
 * Life of a link, and the function of each move:
 *
 *   RESTING -- link_dial --> DIALLING -- link_on_open --> GREETING -- link_on_hello --> UP
 *      ^                        |                            |                          |
 *      +------------------------+------- link_on_close ------+--------------------------+
 */
#ifndef ROUTER_ROUTER_PRIV_H
#define ROUTER_ROUTER_PRIV_H

#include "base/arena.h"
#include "base/io/io_stream.h"
#include "base/memory.h"
#include "base/text.h"
#include "proto/conn_info.h"
#include "proto/pb_arena.h"
#include "router/router.h"

#define ROUTER_AGENT_SIZE 65u
/* What a peer sends is read in one arena and answered from another: it cannot fill the second. */
#define ROUTER_REQUEST_ARENA_SIZE (256u << 10)
#define ROUTER_ANSWER_ARENA_SIZE (4u << 20)
#define ROUTER_CLIENT_BODY_MAX FRAME_BODY_SIZE_MAX
#define ROUTER_CLIENT_POOL_SIZE CONN_POOL_SIZE_DEFAULT

enum link_state { LINK_RESTING, LINK_DIALLING, LINK_GREETING, LINK_UP };

struct router_link {
	struct router *router;
	uint32_t shard;
	enum link_state state;
	struct conn_id conn;
	uint64_t hello_count;   /* tells a shard which of our connections is the latest */
	uint32_t failure_count; /* dials in a row that did not come up */
	uint64_t heard_at_us;
	bool is_noted; /* the operator knows that it is down */
	struct io_timer timer;
};

struct router_client {
	uint64_t number; /* counts connections up: the name an operator sees */
	char agent[ROUTER_AGENT_SIZE];
};

enum router_state {
	ROUTER_SERVING,
	ROUTER_DRAINING,
	ROUTER_CLOSING,
	ROUTER_ENDING,
	ROUTER_STOPPED
};

struct router {
	struct io_loop *loop;
	struct router_config config;
	struct kr_memory memory;
	struct conn_set *set;
	struct route *route;
	struct router_link links[SHARD_COUNT_MAX];
	struct router_client *clients; /* by connection index */
	uint64_t last_number;
	uint32_t mark; /* tells shards which of their connections are this router's; never 0 */
	uint32_t listening_count;
	enum router_state state;
	uint64_t started_at_us, draining_at_us;
	uint64_t now_us; /* of this turn; 0 = not asked yet */
	struct io_timer wakeup, drain;
	uint64_t local_count; /* requests answered here */
	struct pb_arena requests;
	struct kr_arena answers;
	uint8_t *body; /* FRAME_BODY_SIZE_MAX bytes for one answer of the router's own */
	struct route_actions actions;
};

/* One clock for a whole turn. */
uint64_t router_now_us(struct router *router);
/* Runs the route step and carries out what it says. */
void router_feed(struct router *router, struct route_event *event);
/* About a shard; the note's own sentence is written here. */
void router_note(struct router *router, struct kr_note note, const char *format, ...)
	KR_PRINTF(3, 4);

/* link.c */
void link_init(struct router *router, uint32_t shard);
void link_dial(struct router_link *link);
void link_wake(struct router_link *link);
void link_on_open(struct router_link *link);
void link_on_frame(
	struct router_link *link, const struct frame_header *header, const uint8_t *body);
void link_on_close(struct router_link *link, enum conn_reason reason, unsigned code);
void link_stop(struct router_link *link);

/* local.c: answers a frame that is for the router itself. */
void local_answer(struct router *router, struct conn_id client, const struct frame_header *header,
	const uint8_t *body);

#endif

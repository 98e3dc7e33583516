/*
 * What the client's core is made of; core.h says how it moves.
 */
#ifndef CLIENT_CORE_TYPES_H
#define CLIENT_CORE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/heap32.h"
#include "base/rng.h"
#include "proto/frame.h"

struct token;

#define CLIENT_CALLS_MAX 32768u
#define CLIENT_ROUTERS_MAX 16u
#define CLIENT_AGENT_SIZE_MAX 64u
#define CLIENT_BUFFER_SIZE_MIN (FRAME_HEADER_SIZE + FRAME_BODY_SIZE_MAX)
#define CLIENT_RECONNECT_FIRST_US 10000u
#define CLIENT_RECONNECT_MAX_US 1000000u
#define CLIENT_REJECTS_MAX 2u /* rejected connections a call may have been on */
#define CLIENT_NOWHERE UINT32_MAX

enum client_retry_bits {
	CLIENT_RETRY_TRANSIENT = 1, /* send again after a TRANSIENT answer */
	CLIENT_RETRY_UNKNOWN = 2,   /* send again when nobody knows whether it happened */
	CLIENT_RETRY_KEYED = 4,     /* repeating it cannot do more: a decided answer decides */
};

struct client_request {
	uint8_t type; /* enum frame_type */
	uint8_t route;
	uint8_t flags;
	uint8_t retry; /* enum client_retry_bits */
	uint64_t routing_key;
	const void *body;
	uint32_t body_size_bytes;
	uint64_t deadline_us; /* from now on; > 0 */
};

enum client_call_state {
	CLIENT_FREE,
	CLIENT_TAKEN,
	CLIENT_QUEUED,
	CLIENT_SENT,
	CLIENT_WAITING,
	CLIENT_ENDED
};

struct client_link {
	uint32_t next, previous;
};
enum client_link_kind { CLIENT_LINK_STATE, CLIENT_LINK_TIMER, CLIENT_LINK_COUNT };

struct client_call {
	struct client_request request;
	uint64_t request_id; /* of the try in flight */
	uint64_t submitted_us;
	uint64_t deadline_at_us;
	uint64_t due_at_us;     /* the timer: the deadline, or the end of a pause before it */
	uint64_t stream_end;    /* where in the connection's bytes its frame ends */
	uint32_t heap_position; /* of the timer, when it is in the heap */
	struct client_link links[CLIENT_LINK_COUNT];
	uint32_t tries;
	uint16_t code; /* the last one */
	uint8_t state;
	uint8_t outcome;
	uint8_t rejects;
	bool may_have_happened;
	bool is_in_order; /* the timer is in the list of those that came in order */
};

struct client_list {
	uint32_t first, last;
};

/* From CLIENT_ASKING on there is a stream. ASKING and PROVING only with a token. */
enum client_connection_state {
	CLIENT_IDLE,
	CLIENT_CONNECTING,
	CLIENT_ASKING,  /* for what the token's proof is to be made of */
	CLIENT_PROVING, /* the proof is on its way */
	CLIENT_HELLO,
	CLIENT_UP
};

/* Bytes [start, end) of `bytes` are there. */
struct client_buffer {
	uint8_t *bytes;
	size_t size_bytes;
	size_t start, end;
};

struct client_counters {
	uint64_t submitted, ended, tries, retries, connects, losses, late_answers;
	uint64_t bytes_sent, bytes_received;
};

struct client_core_config {
	uint32_t call_count_max;
	uint32_t router_count;
	uint64_t cluster; /* 0 = the first that answers */
	uint64_t connect_timeout_us, silence_us;
	uint64_t retry_first_us, retry_max_us;
	uint32_t retry_budget, tries_max;
	bool fail_fast;
	const char *agent;
	uint64_t seed;
	const struct token *token; /* outlives the core; NULL = none */
	/* Memory, the caller's: */
	struct client_call *calls; /* call_count_max */
	uint32_t *heap_handles;    /* call_count_max */
	uint8_t *in_bytes, *out_bytes;
	size_t in_size_bytes, out_size_bytes; /* CLIENT_BUFFER_SIZE_MIN at least */
};

struct client_core {
	struct client_core_config config;
	char agent[CLIENT_AGENT_SIZE_MAX + 1];
	struct rng rng;
	struct heap32 heap;        /* timers that came out of order */
	struct client_list timers; /* timers in the order they are due */
	struct client_list free, queued, sent, ended;
	uint32_t open_count; /* TAKEN to ENDED */
	uint32_t sent_count;
	uint64_t sequence; /* of tries */
	uint64_t budget_tenths;

	/* the connection */
	enum client_connection_state state;
	bool must_close, has_served, is_pinged;
	uint32_t router;   /* in use or in turn */
	uint32_t failures; /* in a row, without an answer between */
	uint16_t fault;    /* code of the last */
	uint64_t connect_at_us, connect_due_at_us, heard_at_us, pinged_at_us;
	uint64_t stream_written, stream_sent; /* bytes of this connection */
	struct client_buffer in, out;

	/* what HELLO told */
	uint64_t cluster, features;
	uint32_t version, window, shard_count, map_epoch, body_size_max;
	char router_agent[CLIENT_AGENT_SIZE_MAX + 1];
	struct client_counters counters;
};

#endif

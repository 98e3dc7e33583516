/*
 * The library's pure core on a simulated stream: what any client of the simulated world stands on.
 * What is asked, and what the answers mean, is its owner's.
 */
#ifndef TESTS_SIM_CALLER_H
#define TESTS_SIM_CALLER_H

#include "base/io/io_stream.h"
#include "client/core.h"
#include "tests/sim/cluster.h"

#define CALLER_CALLS_MAX 512u
#define CALLER_RETRY_ALL (CLIENT_RETRY_TRANSIENT | CLIENT_RETRY_UNKNOWN | CLIENT_RETRY_KEYED)

/* Made and never moved. */
struct caller {
	struct cluster *cluster;
	struct sim_node *node;
	struct io_loop *loop;
	struct client_core core;
	/* A call has ended: its slot is free, the answer's body lives during this. */
	void (*on_end)(void *context, const struct client_end *end);
	void *context;

	struct io_stream stream;
	bool is_streaming, is_open, is_closing;
	bool is_booking; /* no operator's connection */
	uint64_t deaf_until_us;
	struct io_timer timer;
	uint8_t out[65536];
	struct client_call calls[CALLER_CALLS_MAX];
	uint32_t heap[CALLER_CALLS_MAX];
	uint8_t *in_bytes, *out_bytes;
};

/* A node of its own, which meets no faults. on_end and context are set. */
void caller_init(
	struct caller *caller, struct cluster *cluster, uint32_t number, uint32_t call_count);
void caller_fini(struct caller *caller);
/* After anything was submitted: lets it leave. Ends of calls are told from here, too. */
void caller_pump(struct caller *caller);

/* Tells the router that nothing more will be sent, and waits; false where it cannot. */
bool caller_half_close(struct caller *caller);
/* Reads nothing for a while; false where it cannot. */
bool caller_deafen(struct caller *caller, uint64_t span_us);

#endif

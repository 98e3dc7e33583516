/*
 * Between the parts of the core: core.c keeps the calls, core_stream.c the connection.
 */
#ifndef CLIENT_CORE_PRIV_H
#define CLIENT_CORE_PRIV_H

#include "client/core.h"

/* Request ids are sequence << 16 | slot; sequence 0 is the core's own. */
#define CLIENT_ID_HELLO 1u
#define CLIENT_ID_PING 2u
#define CLIENT_ID_AUTH 3u
#define CLIENT_ID_SLOT_BITS 16u

static inline struct client_call *client_call_at(struct client_core *core, uint32_t call)
{
	kr_assert(call < core->config.call_count_max);
	return &core->config.calls[call];
}

static inline uint64_t client_core_next_id(const struct client_core *core, uint32_t call)
{
	kr_assert(core->sequence > 0);
	return core->sequence << CLIENT_ID_SLOT_BITS | call;
}

static inline struct client_link *client_link_at(
	struct client_core *core, enum client_link_kind kind, uint32_t call)
{
	return &client_call_at(core, call)->links[kind];
}

/* ---- core_list.c: lists of calls, and timers ------------------------------------------------- */

void client_list_append(struct client_core *core, enum client_link_kind kind,
	struct client_list *list, uint32_t call);
void client_list_push(struct client_core *core, enum client_link_kind kind,
	struct client_list *list, uint32_t call);
void client_list_remove(struct client_core *core, enum client_link_kind kind,
	struct client_list *list, uint32_t call);

/* The timer goes by call->due_at_us, which must not change while it runs. */
void client_timer_start(struct client_core *core, uint32_t call);
void client_timer_stop(struct client_core *core, uint32_t call);
/* The call whose timer is due first, or CLIENT_NOWHERE. */
uint32_t client_timer_first(const struct client_core *core);

/* ---- core.c: calls --------------------------------------------------------------------------- */

/* The call's frame was written to the stream, under the next id. */
void client_call_sent(struct client_core *core, uint32_t call);
/* The answer to a SENT call has come. True: the call has ended, and *ret_end says how. */
bool client_call_answered(struct client_core *core, uint32_t call,
	const struct frame_header *header, uint64_t now_us, struct client_end *ret_end);
/* Ends a call that is on no list; it is told of by client_core_next(). */
void client_call_end(
	struct client_core *core, uint32_t call, enum client_call_state from, uint16_t code);
/* Every SENT call goes back to the queue, or ends. `code` is the connection's fault. */
void client_calls_lost(struct client_core *core, uint16_t code);
/* Every call ends that waits for a connection. */
void client_calls_give_up(struct client_core *core);

/* ---- core_stream.c: the connection ----------------------------------------------------------- */

void client_stream_tick(struct client_core *core, uint64_t now_us);
/* The next whole frame that answers a call; false when there is none. */
bool client_stream_next(struct client_core *core, uint64_t now_us, struct client_end *ret_end);
uint64_t client_stream_due_at_us(const struct client_core *core);
/* A random time in [b/2, b], b = first_us * 2^doublings, at most max_us. */
uint64_t client_core_pause_us(
	struct client_core *core, uint64_t first_us, uint64_t max_us, uint32_t doublings);

#endif

/* Connections of the simulated network: two ends, and bytes on their way to each. */
#ifndef BASE_IO_SIM_NET_PRIV_H
#define BASE_IO_SIM_NET_PRIV_H

#include "base/io/io_stream.h"
#include "base/io/sim/sim_priv.h"

/* io_stream.flags */
#define STREAM_ATTACHED 0x001u
#define STREAM_OPEN 0x002u
#define STREAM_PAUSED 0x008u
#define STREAM_ENDED 0x010u
#define STREAM_SENDING 0x020u
#define STREAM_SHUT 0x040u
#define STREAM_CLOSING 0x080u

/* What an end's next turn has to tell. */
#define END_OPENED 0x01u
#define END_DATA 0x02u /* bytes, or the end of them */
#define END_SENT 0x04u
#define END_CLOSED 0x08u

enum sim_chunk_kind { SIM_CHUNK_BYTES, SIM_CHUNK_FIN, SIM_CHUNK_RESET };

struct sim_chunk {
	struct kr_list link;
	uint64_t arrive_us;
	enum sim_chunk_kind kind;
	uint32_t size_bytes;
	uint64_t send_number; /* which send it is of */
	uint8_t bytes[];
};

struct sim_connection;

/* Where in a frame what an end has sent so far ends. */
#define SIM_FRAME_HEAD_MAX 64u
struct sim_framing {
	uint8_t head[SIM_FRAME_HEAD_MAX];
	uint32_t head_size_bytes;
	uint32_t left_bytes;
	bool is_lost; /* it was no frame */
};

struct sim_end {
	struct sim_connection *connection;
	struct sim_node *node;    /* whose it is; NULL before a connect finds its listener */
	struct io_loop *loop;     /* NULL when no stream holds this end (any more) */
	struct io_stream *stream; /* the same */
	struct kr_list loop_link;
	bool is_closed; /* nothing will be read here */
	bool is_shut;   /* a FIN was sent */
	bool is_broken; /* reset: sending fails */

	/* towards this end */
	struct kr_list chunks;
	struct sim_event arrival;
	uint64_t last_arrive_us;
	uint8_t *in;
	uint32_t in_size_bytes;
	uint32_t in_capacity_bytes;
	uint64_t in_send_number;
	uint32_t window_used_bytes; /* sent by the other end and not read here */
	bool has_fin;
	bool has_reset;

	/* from this end */
	struct sim_framing framing;
	uint64_t send_number;
	struct sim_event sent;
	struct sim_event window; /* news of room at the other end */
	int sent_result;
	int open_result;

	unsigned ready_bits;
	struct sim_ready ready;
};

struct sim_connection {
	struct kr_list link;
	struct sim_world *world;
	uint64_t number;
	struct sim_end ends[2]; /* the one that connects, the one that accepts */
	struct sim_event connect;
	struct io_address address;
	uint16_t client_port;
	struct kr_list backlog_link;
	bool is_silent;
};

struct sim_listener {
	struct kr_list link; /* of the world */
	struct io_listener *listener;
	struct io_loop *loop;
	struct io_address address;
	struct kr_list backlog; /* connections to accept */
	struct sim_ready ready;
	bool is_closing;
};

static inline struct sim_end *sim_end_peer(struct sim_end *end)
{
	struct sim_end *ends = end->connection->ends;
	return end == &ends[0] ? &ends[1] : &ends[0];
}

/* net.c */
struct sim_connection *sim_connection_new(struct io_loop *loop, struct io_stream *stream);
void sim_connection_refuse(struct sim_connection *connection);
/* The end belongs to a stream of a loop from now on. */
void sim_end_attach(struct sim_end *end, struct io_loop *loop, struct io_stream *stream);
void sim_end_ready(struct sim_end *end, unsigned bits);
/* Puts as much of the stream's send on its way as the window allows. */
void sim_end_pump(struct sim_end *end);
/* Bytes were read: room for more, told to the other end after a delay. */
void sim_end_read(struct sim_end *end, uint32_t size_bytes);
void sim_end_shut(struct sim_end *end);
/* Nothing will be read: FIN, or RESET when something lies unread. */
void sim_end_close(struct sim_end *end);
void sim_connection_free_when_idle(struct sim_connection *connection);

struct sim_chunk *sim_chunk_new(
	struct sim_end *to, enum sim_chunk_kind kind, uint32_t size_bytes, uint64_t at_us);
/* Schedules the first chunk; the others follow in order, whatever their delays. */
void sim_end_arrival_schedule(struct sim_end *end);

/* astray.c */
/* A piece that the end has just put on its way. False when nothing of it is left: it is freed. */
bool sim_end_astray(struct sim_end *end, struct sim_chunk *chunk);

/* stream.c */
void sim_end_deliver(struct sim_ready *ready);

/* listener.c */
struct sim_listener *sim_listener_find(struct sim_world *world, const struct io_address *address);
void sim_listener_knock(struct sim_listener *listener, struct sim_connection *connection);

#endif

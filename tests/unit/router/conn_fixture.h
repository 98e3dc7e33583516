/*
 * A node that listens and keeps what it is told, and bare sockets to treat it badly with.
 * Real sockets, real ring, one thread: whoever waits turns every node's loop meanwhile.
 */
#ifndef TESTS_UNIT_ROUTER_CONN_FIXTURE_H
#define TESTS_UNIT_ROUTER_CONN_FIXTURE_H

#include "base/io/io.h"
#include "proto/conn.h"
#include "proto/conn_info.h"

#define NODE_CLUSTER UINT64_C(0xabcdef)
#define NODE_NOTE_MAX 8192u
#define NODE_MAX 4u

/* What a node was told of one frame. */
struct node_frame {
	struct conn_id conn;
	struct frame_header header;
	uint64_t body_sum; /* of the bytes that were handed over */
};

struct node {
	struct io_loop *loop;
	struct conn_set *set;
	struct conn_config config;
	bool echoes;   /* answers every request with its own body */
	bool is_tight; /* counts CONN_CUT instead of failing */
	struct node_frame *frames;
	uint32_t frame_count, open_count, close_count, tick_end_count, cut_count;
	uint32_t frames_at_tick_end;
	struct conn_id last_open, last_close;
	enum conn_reason last_reason;
	unsigned last_code;
};

void node_config(struct node *node);
/* With node->config as it is. */
void node_begin(struct node *node);
void node_end(struct node *node);
struct io_address node_address(const struct node *node);
/* Turns all nodes once; waits a little when nothing happens. */
void nodes_turn(void);
/* Turns until `condition` holds; fails the test after 10 s. */
#define nodes_until(condition)                                                                     \
	do {                                                                                       \
		uint64_t begin_us = nodes_now_us();                                                \
		while (!(condition)) {                                                             \
			cr_assert_lt(                                                              \
				nodes_now_us() - begin_us, 10000000, "%s: never", #condition);     \
			nodes_turn();                                                              \
		}                                                                                  \
	} while (0)
uint64_t nodes_now_us(void);

/* A bare socket, not blocking, connected to the node. */
int peer_connect(const struct node *node);
/* All of it, turning the nodes while the socket is full. */
void peer_write(int fd, const void *bytes, size_t size_bytes);
/* Until a whole frame is there, or the end. Returns false at the end. */
bool peer_read_frame(int fd, struct frame_header *ret_header, uint8_t *body, size_t body_max_bytes);
bool peer_is_at_end(int fd);
/* Writes a sealed header and its body. */
void peer_send(int fd, const struct frame_header *header, const void *body);
void peer_hello(int fd);

struct frame_header request_header(uint8_t type, uint64_t request_id);
/* Sums a header without looking at it: for headers that are wrong on purpose. */
void header_sum_again(struct frame_header *header);

#endif

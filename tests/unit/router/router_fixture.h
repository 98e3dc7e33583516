/*
 * A router between bare client sockets and stand-in shards, each on a loop of its own, all turned
 * by the one thread that waits. A stand-in answers HELLO as it is told and echoes the rest, or
 * keeps it to itself.
 */
#ifndef TESTS_UNIT_ROUTER_ROUTER_FIXTURE_H
#define TESTS_UNIT_ROUTER_ROUTER_FIXTURE_H

#include "base/io/io.h"
#include "proto/conn.h"
#include "proto/conn_info.h"
#include "router/router.h"

#define SHARDS 2u
#define SHARD_FRAME_MAX 4096u

struct stand_in {
	struct io_loop *loop;
	struct conn_set *set;
	uint32_t number;
	struct io_address address; /* kept over a restart */
	/* how it greets */
	uint64_t hello_cluster;
	uint32_t hello_shard, hello_shard_count;
	bool hello_is_withheld;
	/* what it does with requests */
	bool is_silent;
	struct frame_header frames[SHARD_FRAME_MAX];
	uint32_t frame_count, ping_count;
	struct conn_id router;
};

struct town {
	struct io_loop *loop;
	struct router *router;
	struct router_config config;
	struct stand_in shards[SHARDS];
	char notes[8192];
};

#define TOWN_CLUSTER UINT64_C(0xabcdef)

/* Fills in the defaults; stand-ins get their places but do not run. */
void town_plan(struct town *town);
void town_begin(struct town *town);
void town_end(struct town *town);
void shard_begin(struct stand_in *shard);
/* The process dies: its connections break. */
void shard_end(struct stand_in *shard);
/* A shard that was silent answers all it has. */
void shard_answer_all(struct stand_in *shard);

void town_turn(struct town *town);
uint64_t town_now_us(void);
#define town_until(town, condition)                                                                \
	do {                                                                                       \
		uint64_t until_begin_us = town_now_us();                                           \
		while (!(condition)) {                                                             \
			cr_assert_lt(town_now_us() - until_begin_us, 10000000, "%s: never; %s",    \
				#condition, (town)->notes);                                        \
			town_turn(town);                                                           \
		}                                                                                  \
	} while (0)

/* A client that has said HELLO and read the answer. */
int client_begin(struct town *town);
int client_connect(struct town *town);
struct frame_header client_request(uint8_t type, uint64_t request_id, uint32_t shard);
void client_send(int fd, struct frame_header header, const void *body, size_t size_bytes);
/* False at the end of the stream. */
bool client_read(struct town *town, int fd, struct frame_header *ret_header, uint8_t *body,
	size_t body_max_bytes);
/* Reads one answer and checks its id and code. */
void client_expect(struct town *town, int fd, uint64_t request_id, unsigned code);
/* Nothing has come, and nothing comes in 50 ms. */
void client_expect_nothing(struct town *town, int fd);

#endif

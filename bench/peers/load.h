/*
 * The load on a peer: connections x depth requests in flight (closed loop), or a fixed rate from
 * whose intended times latency counts (open loop). One thread, one epoll; nothing is allocated
 * while it runs. Draws are those of keyrack-bench: a row evenly, a first night evenly.
 */
#ifndef BENCH_PEERS_LOAD_H
#define BENCH_PEERS_LOAD_H

#include "base/hist.h"
#include "base/rng.h"
#include "bench/peers/peer.h"
#include "bench/series.h"

#define LOAD_DEPTH_OPEN_MAX 1024u
#define LOAD_RECEIVE_SIZE (64u << 10)

struct load_options {
	const struct peer_protocol *protocol;
	struct peer_config config;
	const char *host, *socket; /* a unix socket in the place of host and port, or NULL */
	uint32_t port;
	uint32_t connections, depth;
	double seconds, warmup;
	double rate; /* open loop; 0: closed */
	uint32_t weights[PEER_KINDS];
	uint32_t rows, window, stay_nights, query_nights;
	uint64_t preload; /* bookings before the warm-up */
	uint64_t seed;
	const char *series; /* a file that is made when the measured time begins, or NULL */
};

struct load_op {
	uint64_t intended_us;
	enum peer_kind kind;
};

struct load_conn {
	int fd;
	bool is_greeted, is_dirty; /* has bytes to send */
	uint8_t *rx, *tx;
	uint32_t rx_count, tx_begin, tx_end, tx_size;
	struct load_op *ops;  /* of each slot */
	uint32_t *free_slots; /* a stack */
	uint32_t *order;      /* a ring of slots, oldest first */
	uint32_t free_count, order_begin, order_count;
};

struct load {
	const struct load_options *options;
	struct load_conn *conns;
	uint32_t depth;
	int epoll;
	struct rng rng;
	uint64_t stop_us; /* no request starts after this */
	uint64_t left;    /* requests still to start; UINT64_MAX: until stop_us */
	uint64_t weight_books;
	uint64_t in_flight;
	bool is_measuring, is_closed_loop;
	uint64_t outcomes[PEER_OUTCOMES];
	uint64_t late; /* open loop: started more than 1 ms behind its time */
	struct hist hists[PEER_KINDS];
	struct series *series; /* or NULL */
};

/* Connects and greets; ends the program with a sentence where that fails, as all here do. */
void load_open(struct load *load, const struct load_options *options);
void load_close(struct load *load);
/* Preload, warm-up, the measured time; waits for every answer. Returns the measured seconds, and
 * in *ret_cpu_seconds what this process used in them. */
double load_run(struct load *load, double *ret_cpu_seconds);

uint64_t load_now_us(void);
KR_NORETURN void load_fail(const char *format, ...) KR_PRINTF(1, 2);

#endif

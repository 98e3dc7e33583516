/*
 * keyrack-bench: what its parts share.
 *
 * One thread, one epoll, many clients of libkeyrack. Everything is sized before the measured time
 * begins; nothing is allocated while it runs.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/options.h"
#include "keyrack/keyrack.h"

/* Exit codes, as in the manual. */
enum { BENCH_OK = 0, BENCH_DIFFERS = 1, BENCH_USAGE = 2, BENCH_UNREACHABLE = 3, BENCH_ABORTED = 4 };

uint64_t bench_now_us(void); /* monotonic */
/* KEYRACK_ROUTER, else 127.0.0.1:7070 */
const char *bench_router_default(void);

struct preset_words;
/* Reads a subcommand's options into its zeroed structure; wrong ones end the program, as does
 * --print. `words` are in the structure; NULL: it takes no presets. */
void bench_options_read(const struct option_program *program, int argc, char **argv,
	void *structure, const struct preset_words *words);
/* The row of --router; without one the field is NULL, and bench_router_default() is meant. */
#define BENCH_ROUTER(structure, field)                                                             \
	{                                                                                          \
		.name = "router", .letter = 'r', .argument = "ADDR[,ADDR]",                        \
		.preset_note = "$KEYRACK_ROUTER, else 127.0.0.1:7070",                             \
		.help = "where the routers listen", OPTION_STRING(structure, field)                \
	}

/* "keyrack-bench: <sentence>" on stderr, and the end with that exit code. */
KR_NORETURN void bench_fail(int code, const char *format, ...) KR_PRINTF(2, 3);

/* A line that overwrites itself on a terminal, at most ten times a second; nothing elsewhere. */
void bench_progress(const char *format, ...) KR_PRINTF(1, 2);
void bench_progress_end(void);

void *bench_alloc(size_t count, size_t size); /* zeroed; never NULL */

/* ---- fleet: many clients, one epoll ---- */

struct bench_fleet {
	struct keyrack_client **clients;
	int *fds;        /* as registered, -1 = none */
	unsigned *wants; /* as registered */
	uint32_t count;
	int epoll;
	bool is_told; /* by fleet_touch() of all that is submitted outside of callbacks */
	uint32_t *touched;
	uint32_t touched_count;
	bool *is_touched;
	uint64_t due_us; /* no client has anything due before, as far as clocks go */
};

void fleet_open(struct bench_fleet *fleet, const struct keyrack_config *config, uint32_t count);
void fleet_close(struct bench_fleet *fleet);
/* Lets every client that has something to do do it; waits up to timeout_us when none has. */
void fleet_turn(struct bench_fleet *fleet, int64_t timeout_us);
/* From now on, if so, a turn asks only those clients that were touched or heard, or have something
 * due; else all of them. */
void fleet_tell(struct bench_fleet *fleet, bool is_told);
/* Something was submitted to that client. */
void fleet_touch(struct bench_fleet *fleet, uint32_t client);
/* Turns until no call is open. */
void fleet_drain(struct bench_fleet *fleet);

/* ---- chain: the hotels there are ---- */

struct bench_row {
	uint64_t hotel_id;
	uint32_t type;
	int32_t business_day;
	uint32_t window_nights;
};

struct bench_chain {
	struct bench_row *rows; /* by hotel, then type */
	uint32_t row_count;
	uint32_t hotel_count;
	uint32_t nights; /* of each row that are counted, from its business day */
	/* held + booked of each row and night, as first read, plus what this run did to it */
	int32_t *expected;
};

struct bench_load {
	uint32_t hotels, types_min, types_max, nights, physical;
	uint64_t first_hotel, seed;
	bool quiet;
};

/* Hotels 1 and on that nobody has. */
void chain_invent(struct bench_chain *chain, uint32_t hotels, uint32_t types, uint32_t nights);
/* Asks for every hotel and type. */
void chain_discover(struct bench_chain *chain, struct bench_fleet *fleet);
void chain_free(struct bench_chain *chain);
/* Reads held + booked of `nights` nights of every row into `counts`. */
void chain_count(const struct bench_chain *chain, struct bench_fleet *fleet, int32_t *counts);
/* Differences between the expected and the present counts; the first few are printed. */
uint64_t chain_recount(const struct bench_chain *chain, struct bench_fleet *fleet);
/* Creates hotels with types, stock and prices. */
void chain_load(struct bench_fleet *fleet, const struct bench_load *load);

/* ---- subcommands ---- */
int bench_run(int argc, char **argv);
int bench_ceiling(int argc, char **argv);
int bench_replay(int argc, char **argv);
int bench_load(int argc, char **argv);
int bench_race(int argc, char **argv);
int bench_expire(int argc, char **argv);
int bench_idle(int argc, char **argv);

#endif

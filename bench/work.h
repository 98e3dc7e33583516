/*
 * Work: what one operation of a run is, from drawing it to counting what it did.
 *
 * An operation is one or two calls (hold, then confirm or release). Its latency counts from its
 * intended start to the answer of its last call. What each answer did to the counters goes into the
 * chain's expected counts, so that a recount after the run must find the same.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include "base/hist.h"
#include "base/rng.h"
#include "bench/bench.h"
#include "bench/journal.h"
#include "bench/series.h"

enum work_kind {
	WORK_BOOK,
	WORK_HOLD_CONFIRM,
	WORK_CANCEL,
	WORK_AVAILABILITY, /* some nights of a room type */
	WORK_HOLD_RELEASE, /* a hold that comes to nothing */
	WORK_STAY,         /* could this stay be sold? */
	WORK_GET,          /* a reservation of this run */
	WORK_UPDATE,       /* of a calendar; see bench/ari.h */
	WORK_KINDS
};
extern const char *const work_names[WORK_KINDS];

enum work_spread { SPREAD_UNIFORM, SPREAD_ZIPF, SPREAD_HOT };

struct work_options {
	uint32_t weights[WORK_KINDS]; /* of the mix; at least one above 0 */
	enum work_spread spread;
	double zipf_theta; /* 0 < theta < 1 */
	uint32_t stay_nights;
	uint32_t guests;
	bool count_only; /* whatever the price, also where there is none */
	uint32_t query_nights;
	uint32_t window; /* nights from the business day that are sold and counted */
	uint64_t seed;
	uint32_t booked_max; /* bookings remembered for cancelling */
	uint32_t burst;      /* updates of one hotel in a row */
};

struct work_booking {
	struct keyrack_id id;
	uint32_t row;
	uint16_t night; /* of check-in, from the row's business day */
	uint16_t nights;
};

/*
 * A change of the expected counts, applied some answers later: its cells lie anywhere in megabytes,
 * and are on their way into the cache meanwhile.
 */
#define WORK_COUNTS_WAITING 8u
struct work_count {
	int32_t *nights;
	uint32_t night_count; /* 0: nothing waits here */
	int32_t rooms;
};

struct work {
	struct work_options options;
	struct bench_chain *chain;
	struct journal *journal; /* or NULL */
	struct rng rng;
	double zipf_zeta, zipf_eta, zipf_alpha;
	uint64_t weight_sum;
	uint32_t hot_rows;        /* rows of the hot hotel */
	uint32_t next_row;        /* the one that is drawn next */
	struct ari_burst *bursts; /* of each connection */
	uint32_t connection_count;
	uint64_t source_seq; /* of the last update */
	struct work_booking *booked;
	uint32_t booked_count;
	/* counting */
	bool is_measuring;
	bool is_stopped;                               /* answers start no further calls */
	struct work_count counts[WORK_COUNTS_WAITING]; /* a ring */
	uint32_t count_at;
	uint64_t calls, done, refused, transient, unknown;
	uint64_t stale; /* updates that came behind a newer one of their hotel */
	uint64_t by_code[2048];
	struct hist *hists;          /* WORK_KINDS of them */
	struct series *series;       /* or NULL */
	struct work_booking *doubts; /* unknown outcomes, to be resolved after the run */
	uint32_t doubt_count, doubt_capacity;
};

struct work_op {
	struct work *work;
	struct keyrack_client *client;
	uint32_t connection; /* the client's number in the fleet */
	uint64_t intended_us, ended_us;
	enum work_kind kind;
	bool is_second; /* the CONFIRM or RELEASE behind a hold */
	struct work_booking booking;
	void (*on_end)(struct work_op *op); /* the operation is over; the op may be started anew */
	void *owner;
};

void work_init(struct work *work, const struct work_options *options, struct bench_chain *chain,
	struct journal *journal, uint32_t connection_count);
void work_fini(struct work *work);
/* How often of how often: the weight of a kind, one update counted for each of a burst. */
uint64_t work_weight(const struct work_options *options, enum work_kind kind);
/* Draws an operation and submits its first call. False: no room now, try later. */
bool work_start(struct work_op *op, uint64_t intended_us);
/* Asks for the outcome of what is unknown, and counts it: from here on the chain's expected counts
 * are whole. All calls must have ended. */
void work_resolve(struct work *work, struct bench_fleet *fleet);

#endif

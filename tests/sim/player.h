/*
 * A client that plays a booking trace: HOLD and CONFIRM of each booking without waiting between
 * them, CANCEL of each cancellation, up to `depth` in flight, in file order; and reads nights back
 * by availability. It keeps what became of each booking by the answers alone.
 *
 * With a depth of 1 everything is asked again until it is decided. With more nothing is: an answer
 * that decides nothing has lost its place in the order, and ends the program.
 */
#ifndef TESTS_SIM_PLAYER_H
#define TESTS_SIM_PLAYER_H

#include "bench/outcome.h"
#include "bench/trace.h"
#include "proto/cell.h"
#include "tests/sim/caller.h"

#define PLAYER_BODY_SIZE 256u
#define PLAYER_RETENTION_US UINT64_C(86400000000)
#define PLAYER_NIGHTS_MAX 1024u /* of one reading */

enum play_state {
	PLAY_NONE,
	PLAY_SENT,
	PLAY_REFUSED,
	PLAY_CONFIRMED,
	PLAY_CANCELLED,
};

struct play_booking {
	struct kr_id id;
	enum play_state state;
	int32_t check_out, cancelled; /* days */
};

struct play_call {
	bool is_used;
	uint8_t type;
	uint64_t booking;
	uint8_t body[PLAYER_BODY_SIZE];
};

struct player {
	struct caller caller;
	const struct trace *trace;
	uint32_t depth;
	struct play_booking *bookings; /* by number */
	uint64_t booking_count;
	struct play_call calls[CALLER_CALLS_MAX];
	uint32_t open_count;
	uint64_t frames, refused, confirmed, released, skipped, retries;
	struct player_reading {
		int32_t business_day;
		uint32_t night_count; /* asked for */
		uint64_t counters[TRACE_TYPES_MAX * PLAYER_NIGHTS_MAX];
	} reading;
};

/* All hotels of a trace lie on the wire at once: one connection, one order. */
struct player *player_new(struct cluster *cluster, const struct trace *trace, uint32_t depth);
struct player *player_free(struct player *player);

/* Creates a hotel with the trace's types, all or only the first; until it is there. */
void player_prepare(struct player *player, uint64_t hotel, const char *zone, uint32_t type_count);
/* Submits what the operation means; waits while too much is in flight. */
void player_play(struct player *player, const struct trace_op *op);
/* A hold of one room of type 0 that nobody will ever confirm; until it is admitted. */
void player_forget(struct player *player, uint64_t hotel, int32_t night);
/* Until everything is answered. */
void player_drain(struct player *player);
/* Every type of the hotel, `night_count` nights from `first_day`, into player->reading. Asked again
 * until it is answered, so it also finds out whether the hotel can be reached. */
void player_read(struct player *player, uint64_t hotel, int32_t first_day, uint32_t night_count);
struct cell_counter player_cell(const struct player *player, uint32_t type, uint32_t night);
/* How many bookings a shard remembers in the night that ends the date: those cancelled on it, and
 * stays for `keep_days` after their check-out. Naive, from the answers. */
uint64_t player_remembered(const struct player *player, int32_t day, int32_t keep_days);
void player_refused(const struct player *player, struct outcome *outcome);

#endif

/*
 * Building a shard's state from what is on disk: the server's start, the simulator and
 * keyrack-recover share these lines. Between shard_init and START. To start over, begin with
 * shard_init on zeroed memory.
 */
#ifndef ENGINE_SHARD_REPLAY_H
#define ENGINE_SHARD_REPLAY_H

#include "engine/shard/shard.h"

#define SHARD_REPLAY_TEXT_SIZE 256u

enum { /* conditions of the calls below: the sentence is in struct shard_trouble */
	SHARD_CONTRADICTION = 1, /* what is read contradicts the state, or is malformed */
	SHARD_DIGEST_DIFFERS = 2,
	SHARD_NO_ROOM = 3, /* a table is too small: start with larger options */
};

struct shard_trouble {
	uint64_t lsn;
	char text[SHARD_REPLAY_TEXT_SIZE];
};

/*
 * What a state on disk needs of the inventory's sizes; 0 = not known. A snapshot begins with it,
 * and START tells the window: so both are known before anything is loaded or replayed.
 */
struct shard_sizes {
	uint32_t hotels, rows, plans, reservations, nodes, stock_runs;
	uint32_t window_nights; /* effects were judged with; replaying them needs as many */
};
void shard_sizes_get(const struct shard *shard, struct shard_sizes *ret_sizes);

KR_MUST_CHECK int shard_load_chunk(struct shard *shard, const struct log_snap_chunk *chunk,
	const uint8_t *body, struct shard_trouble *ret_trouble);

/* Applies what the chunks do not show yet. */
struct record_body;
KR_MUST_CHECK int shard_replay(
	struct shard *shard, const struct record_body *body, struct shard_trouble *ret_trouble);

/* The same, up to an LSN, with a look at every effect before and after it is applied. */
struct shard_watch {
	uint64_t to_lsn; /* 0: all */
	/* May be NULL: all. What it does not want is passed over, as if it had never been. */
	bool (*wants)(void *context, const struct inv_effect *effect);
	void (*on_effect)(void *context, const struct inv_effect *effect, bool is_applied);
	void *context;
};
KR_MUST_CHECK int shard_replay_watched(struct shard *shard, const struct record_body *body,
	const struct shard_watch *watch, struct shard_trouble *ret_trouble);

/*
 * The state as the chunks of a snapshot that begins at begin_lsn, one after the other, as a running
 * shard writes it. `on_chunk` returns 0 or a negative error, which ends it.
 */
KR_MUST_CHECK int shard_export(struct shard *shard, uint64_t begin_lsn,
	int (*on_chunk)(void *context, const struct log_snap_chunk *chunk, const uint8_t *body),
	void *context);

/*
 * Between shard_init and START, for slots that change their shard: takes over, of another state
 * that was loaded, the hotels whose slot `wants`, each showing `lsn` (of this shard's own counting,
 * not 0), and what inv_chunk_join() takes. Equal digests are checked, hotel by hotel.
 */
KR_MUST_CHECK int shard_take_over(struct shard *shard, struct shard *from, uint64_t lsn,
	bool (*wants)(void *context, uint32_t slot), void *context,
	struct shard_trouble *ret_trouble);

/* O(state). */
uint64_t shard_digest(const struct shard *shard);
struct inv *shard_inventory(struct shard *shard);
/* Of the last effect seen, replayed or live; 0 = none. */
uint64_t shard_last_lsn(const struct shard *shard);

#endif

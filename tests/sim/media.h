/*
 * Damage to the media of a shard's disk, drawn from the seed: rates while the shard writes and
 * reads, and strikes while it is dead.
 *
 * Two kinds, with two promises. A strike into the tail, behind what is acknowledged, must never
 * prevent a start nor lose anything. Any other damage may end in a refusal, or in the right state,
 * or in a cut of the newest acknowledged batches that nothing on the disk proves any more; never
 * in another state.
 */
#ifndef TESTS_SIM_MEDIA_H
#define TESTS_SIM_MEDIA_H

#include "tests/sim/cluster.h"

enum media_strike {
	MEDIA_TAIL,     /* bits behind the acknowledged end */
	MEDIA_HEADER,   /* one bit of a batch that was acknowledged last: of its header */
	MEDIA_LENGTH,   /* of its length */
	MEDIA_BODY,     /* of its records */
	MEDIA_PADDING,  /* of the zeroes behind them */
	MEDIA_BIT,      /* one bit of any file */
	MEDIA_ZEROES,   /* a block reads as zeroes */
	MEDIA_ASTRAY,   /* a block has another's content */
	MEDIA_MISSING,  /* a file is gone */
	MEDIA_CUT,      /* a file is shorter */
	MEDIA_LONGER,   /* a file is longer */
	MEDIA_NO_SNAP,  /* the newest snapshot is gone */
	MEDIA_OLD_SNAP, /* the only snapshot is an old one */
	/* Aimed at what chance seldom hits: media_aimed.c */
	MEDIA_STALE,    /* an old batch lies behind the acknowledged end */
	MEDIA_NO_MARK,  /* MARK is gone */
	MEDIA_CUT_BACK, /* MARK is gone, and the log's end, before a snapshot's */
	MEDIA_GAP,      /* a segment behind the first is gone */
	MEDIA_BEHIND,   /* the log's first segments, and the snapshots that need none */
	/* Summed right, as somebody's tool or another build writes: media_forge.c */
	MEDIA_HOLE,     /* a whole batch lies behind a hole, unacknowledged */
	MEDIA_CHAIN,    /* the newest batch follows another than the one before it */
	MEDIA_DIGEST,   /* it says that the state is another */
	MEDIA_VERSION,  /* SHARD, a snapshot or a batch is of a version to come */
	MEDIA_LAYOUT,   /* SHARD is another cluster's, or MARK another shard's */
	MEDIA_SNAPSHOT, /* a chunk of a snapshot has another digest than its hotel */
	MEDIA_STRIKES,
};

/* What a fault that damages may take: batches; and everything since the last MARK. A write that
 * went astray may be of the one batch that proved those it lands on. */
#define MEDIA_REACH_RECENT 1u
#define MEDIA_REACH_FAULT (1u + LOG_FLIGHT_MAX)
#define MEDIA_REACH_FILE (1u << 20)

const char *media_strike_name(enum media_strike strike);
/* Rates of the seed, from now on. */
void media_begin(struct cluster *cluster);
/* The shard's process has just died; its server is still to be looked at. */
void media_strike(struct cluster *cluster, uint32_t shard);
/* What was struck since the last start is as it was before: the reach of those strikes. */
uint32_t media_undo(struct cluster *cluster, uint32_t shard);
/* It started: what was struck stays as it is. */
void media_forget(uint32_t shard);
/* The world ends. */
void media_close(void);
/* A hash over all names and bytes in the shard's directory. */
uint64_t media_digest(struct cluster *cluster, uint32_t shard);

#endif

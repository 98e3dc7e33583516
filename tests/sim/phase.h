/* What happens to a cluster, and where its shards are meanwhile. */
#ifndef TESTS_SIM_PHASE_H
#define TESTS_SIM_PHASE_H

#include <stdbool.h>
#include <stdint.h>

#define CLUSTER_SHARDS_MAX 2u
#define CLUSTER_ROUTERS_MAX 2u
#define CLUSTER_CLIENTS_MAX 4u
#define CLUSTER_STRIKES_MAX 32u
#define CLUSTER_AGAIN_SIZE 1024u

/* What the harness does by itself in the safety phase: trouble.c */
enum cluster_trouble {
	CLUSTER_FULL,
	CLUSTER_CUT,
	CLUSTER_KILL,
	CLUSTER_POWER,
	CLUSTER_ROUTER_KILL,
	CLUSTER_CRASH_AT,
	CLUSTER_DAYS,
	CLUSTER_RESTART,
	/* swarm.c */
	CLUSTER_PAUSE,
	CLUSTER_WALL,
	CLUSTER_FREEZE,
	CLUSTER_CRASH_LOOP,
	CLUSTER_RIVAL,
	CLUSTER_REPLY_KILL,
	CLUSTER_STRANGER,
	CLUSTER_HALF_CLOSE,
	CLUSTER_DEAF,
	CLUSTER_STORM,
	CLUSTER_TROUBLES,
};

/* What of that, and of the load, is counted beside the marks of the simulated world. */
#define CLUSTER_MARK_TABLE(X)                                                                      \
	X(PAUSE_LONG, "a process stood still for more than a minute")                              \
	X(PAUSE_ALL, "all processes stood still")                                                  \
	X(WALL_FAR, "a wall clock stepped by more than a minute")                                  \
	X(WALL_BACK, "a wall clock stepped back by more than a minute")                            \
	X(CLOCK_REFUSED, "a start was refused for its clock, which was mended")                    \
	X(CRASH_LOOP, "a shard died three times in a row without having served")                   \
	X(RIVAL, "a second process wanted a directory in use")                                     \
	X(RIVAL_IN_USE, "it gave up")                                                              \
	X(REPLY_LOST, "routers died between a commit and its answers")                             \
	X(LATE_ANSWER, "an answer came whose client was gone")                                     \
	X(STRANGER, "a stranger spoke")                                                            \
	X(NOISE, "a stranger sent noise")                                                          \
	X(FRAME_CUT, "a stranger stopped within a frame")                                          \
	X(FRAME_FLIPPED, "a stranger sent a frame with a wrong bit")                               \
	X(STRANGER_DEAF, "a stranger asked for much and read nothing")                             \
	X(HALF_CLOSE, "a client closed its side while it waited for answers")                      \
	X(DEAF, "a client stopped reading for a while")                                            \
	X(RETRY_STORM, "a request was sent five times and more at once")                           \
	X(MANY_CONNECTIONS, "a key came over several connections")                                 \
	X(TWO_PAYLOADS, "a key came with another payload")                                         \
	X(FORBIDDEN, "a client asked for more than it may")                                        \
	X(HOT_HOTEL, "a world of one hot hotel")                                                   \
	X(EXPIRY_EXACT, "a hold was asked for at the very instant of its deadline")                \
	X(EXPIRY_STORM, "eight holds and more expired at one instant")                             \
	X(LOWERED, "a limit was set under what was sold")                                          \
	X(LIST_ALL, "a list over all shards was read to its end, page after page")                 \
	X(LIST_GUEST, "a guest's reservations were listed over all shards")                        \
	X(LIST_STOCK, "a hotel's stock was read to its end, page after page")                      \
	X(LIST_STALE, "a cursor of before a restart was refused")                                  \
	X(LIST_BROKEN, "a list failed in its middle")                                              \
	X(ROUTER_INSIDE, "a world in which a router lives in a shard's process")                   \
	X(INSIDE_DRAINED, "a router was drained before the shard it was inside of and linked to")  \
	X(INSIDE_DIED, "a process died with a shard and a router that were linked inside")

#define X(name, text) CLUSTER_MARK_##name,
enum cluster_mark { CLUSTER_MARK_TABLE(X) CLUSTER_MARKS };
#undef X

/* What is under way against a shard: swarm.c */
struct shard_plight {
	uint32_t loop_count;  /* deaths to come, one start after the other */
	uint32_t death_count; /* since it served last */
	uint64_t reply_lsn;   /* routers die when this is durable; 0: they do not */
	bool is_wall_frozen;
	bool is_at_aim;
	int64_t wall_far_us, wall_top_us; /* where its clock is; the furthest it ever was */
	int64_t wall_low_us;              /* the least it was since its process started */
};

/* What a shard's process is at, as far as its server tells. */
enum cluster_phase {
	CLUSTER_STARTING,   /* opens its directory and locks it */
	CLUSTER_RECOVERING, /* reads, repairs, opens the log, writes START */
	CLUSTER_SERVING,
	CLUSTER_SNAPSHOTTING, /* serves, and writes a snapshot */
	CLUSTER_STOPPING,
	CLUSTER_PHASES, /* none: it does not run, or only ends */
};

#endif

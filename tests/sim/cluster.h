/*
 * A simulated cluster: shards and routers as the processes run them, on simulated disks and
 * network, killed and started again. The code under test is the production code; only the I/O
 * archive differs.
 */
#ifndef TESTS_SIM_CLUSTER_H
#define TESTS_SIM_CLUSTER_H

#include "base/io/sim/sim_node.h"
#include "engine/log/verdict.h"
#include "engine/server/server.h"
#include "router/router.h"
#include "tests/sim/phase.h"

#define CLUSTER_ID UINT64_C(0x51)
#define CLUSTER_PAIRS (SIM_MARK_COUNT + CLUSTER_MARKS)

struct cluster;
struct client;

struct shard_node {
	struct cluster *cluster;
	uint32_t number;
	struct sim_node *node;
	struct sim_disk *disk;
	struct io_loop *loop;
	struct server *server; /* NULL while dead */
	bool is_ready, has_ended;
	bool is_recovering;            /* it has begun to read */
	bool is_restarting;            /* stopped by its operator, who starts it again */
	enum cluster_phase hurt_phase; /* at which a crash has hit inside a call */
	uint64_t ready_count, crash_count;
	uint64_t first_ready_us; /* when it last became ready */
	uint64_t snapshot_count; /* of its processes that are gone */
	uint64_t damage_count;   /* of its media, ever */
	uint32_t refusal_count;  /* starts refused, one after the other */
	bool is_refused;         /* for good: it is not started again */
	uint64_t found_digest;   /* of its directory before it recovered, when damaged */
	uint64_t fired_count;    /* of its fault points, before it started */
	struct shard_plight trouble;
};

struct router_node {
	struct cluster *cluster;
	uint32_t number;
	struct shard_node *host; /* in whose process it is: inside.h; NULL: in its own */
	struct sim_node *node;
	struct io_loop *loop;
	struct router *router;
	uint64_t crash_count, fired_count;
};

/* Sizes, delays and faults of a world. */
struct cluster_plan {
	struct rng rng; /* what is decided later on: see cluster */
	uint64_t seed;
	char again[CLUSTER_AGAIN_SIZE]; /* the command that shows it again */
	bool is_told;                   /* tells its story on stdout */
	uint32_t shard_count, router_count, client_count;
	uint32_t router_window, router_wait_frames;
	uint32_t router_inside;            /* 1: the first is in the first shard's process */
	struct sim_config world;           /* its handlers and context are the cluster's own */
	struct sim_faults media;           /* of the disk, and frames astray, while is_media_on */
	uint32_t strike_tail, strike_rest; /* in a hundred deaths: media.h */
	bool has_damage;                   /* media or strike_rest are on */
	struct server_config server;       /* so are addresses, index and handler */
	uint32_t hotel_count;
	uint64_t operations_max; /* of all clients */
	uint64_t crashes_max;    /* of all processes */
	bool has_crash_limit;
	uint64_t safety_us;                  /* how long anything may happen */
	uint32_t troubles[CLUSTER_TROUBLES]; /* 0: not this one */
	bool hot_hotel;                      /* nearly all is about one hotel */
	uint32_t booking_from; /* clients from this number on are no operators; 0: all are */
	uint32_t aim;     /* 1 + the phase in which disks and processes fail oftenest; 0: none */
	uint32_t aim_net; /* 1 + which fault of connections comes oftenest there; 0: none */
	uint32_t aim_troubles; /* 0: no pauses, steps, clients and strangers at that phase */
	bool is_canary; /* the first sale after a crash is heard wrongly: the oracle must tell */
};

struct cluster {
	struct sim_world *world;
	struct cluster_plan plan;
	struct rng rng;
	uint32_t shard_count, router_count, client_count;
	struct shard_node shards[CLUSTER_SHARDS_MAX];
	struct router_node routers[CLUSTER_ROUTERS_MAX];
	struct client *clients[CLUSTER_CLIENTS_MAX];
	uint64_t verify_count;
	uint64_t operation_count, crash_count; /* of all clients; of all processes */
	struct sim_faults faults;              /* as they are now, but for the aim */
	bool is_aimed;                         /* a shard is at what is aimed at */
	bool has_sung;                         /* the canary */
	bool is_media_on;
	/* Fault points of processes of a kind, NULL: none; who fails must have passed one. */
	struct fault_set *shard_faults, *router_faults, *client_faults;
	uint64_t excuse_count; /* processes that ended or did not start by one */
	uint64_t pairs[CLUSTER_PAIRS][CLUSTER_PHASES]; /* what shards met, by phase */
	uint64_t marks[CLUSTER_MARKS], verdicts[LOG_VERDICT_COUNT];
	uint64_t edges[INV_VOID + 1][INV_VOID + 1]; /* of reservations; 0: absent */
	uint64_t safety_end_us, lull_until_us;      /* clients ask nothing meanwhile */
	bool has_slept;                             /* for long, once */
	struct rng rng_media, rng_swarm;
	uint64_t strikes[CLUSTER_STRIKES_MAX], refusal_count, repair_count;
	void (*on_ready)(struct cluster *cluster, uint32_t shard); /* these may be NULL */
	void (*on_death)(struct cluster *cluster, uint32_t shard); /* its server is still there */
	void (*on_refusal)(struct cluster *cluster, uint32_t shard);
	void (*on_damage)(struct cluster *cluster, uint32_t shard, uint32_t reach);
	void (*on_strike)(struct cluster *cluster, uint32_t shard);  /* at a segment, before it */
	uint64_t (*digest)(struct cluster *cluster, uint32_t shard); /* of its directory */
	void (*on_fail)(struct cluster *cluster, const char *text);  /* just before the end */
};

/* Everything from the seed: counts, sizes, delays, faults. `tz` outlives the cluster. */
void cluster_plan_draw(struct cluster_plan *ret_plan, const struct tz_db *tz, uint64_t seed);
/* A world of that plan, in which nothing runs yet. */
void cluster_open(struct cluster *cluster, const struct cluster_plan *plan);
/* Starts every process that is not running. */
void cluster_start(struct cluster *cluster);
void cluster_close(struct cluster *cluster);

/* No more faults from now on; what is dead starts again by itself. */
void cluster_calm(struct cluster *cluster);
/* Other rates from now on, but for crashes when there have been enough. */
void cluster_faults_set(struct cluster *cluster, const struct sim_faults *faults);
/* SIGTERM to one, which starts again. */
void cluster_restart_shard(struct cluster *cluster, uint32_t shard);
enum cluster_phase cluster_phase_of(const struct shard_node *shard);
/* It came up, at these phases of the shards. */
void cluster_mark(struct cluster *cluster, enum cluster_mark mark);
bool cluster_may_crash(const struct cluster *cluster);
/* All that are not refused for good. */
bool cluster_is_serving(const struct cluster *cluster);
/* The shard's media were damaged: up to so many acknowledged batches may go unproven. */
void cluster_damaged(struct cluster *cluster, uint32_t shard, uint32_t reach);
/* SIGTERM to every shard, and until all have stopped. */
void cluster_stop_shards(struct cluster *cluster);

struct inv *cluster_inventory(struct cluster *cluster, uint32_t shard);
struct io_address cluster_router_address(uint32_t router);
/* The same router's door for those who are no operators. */
struct io_address cluster_booking_address(uint32_t router);
struct io_address cluster_shard_address(uint32_t shard);

/* A line of the story, with the virtual time, if it is told. */
void cluster_tell(struct cluster *cluster, const char *format, ...) KR_PRINTF(2, 3);
/* Ends the program with the command that shows it again. */
KR_NORETURN void cluster_fail(struct cluster *cluster, const char *format, ...) KR_PRINTF(2, 3);

#endif

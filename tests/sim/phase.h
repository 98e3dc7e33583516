/* What happens to a cluster, and where its shards are meanwhile. */
#ifndef TESTS_SIM_PHASE_H
#define TESTS_SIM_PHASE_H

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
	CLUSTER_TROUBLES,
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

/*
 * A local cluster: some shards in one directory, and one router, a process of its own or inside
 * shard 0.
 *
 *   DIR/cluster.json  what it is; written first, replaced as a whole, synced
 *   DIR/shard-N/      a shard's log and snapshots
 *   DIR/shard-N.sock  where the router finds it
 *   DIR/NAME.pid      of each process; worth nothing after a power cut
 *   DIR/NAME.log      what it said
 *   DIR/cluster.lock  locked while a command starts or stops processes
 */
#ifndef TOOLS_KEYRACK_CLUSTER_H
#define TOOLS_KEYRACK_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/error.h"
#include "tools/keyrack/files.h"

#define CLUSTER_FORMAT 1
#define CLUSTER_SHARDS_MAX 64u
#define CLUSTER_LISTEN_SIZE 256u
#define CLUSTER_DURABILITY_SIZE 8u

#define CLUSTER_LISTEN_DEFAULT "127.0.0.1:7070"
#define CLUSTER_HOTELS_DEFAULT 2000u
#define CLUSTER_TYPES_PER_HOTEL 20u
#define CLUSTER_NIGHTS_DEFAULT 731u
#define CLUSTER_RESERVATIONS_DEFAULT 1000000u
#define CLUSTER_RETENTION_DEFAULT 24u

struct cluster_config {
	uint64_t id; /* random; every frame carries it */
	uint32_t shards;
	char listen[CLUSTER_LISTEN_SIZE];
	char booking_listen[CLUSTER_LISTEN_SIZE]; /* empty: none */
	/* Absolute paths; empty: none. */
	char operator_token_file[FILES_PATH_SIZE], booking_token_file[FILES_PATH_SIZE];
	char durability[CLUSTER_DURABILITY_SIZE];
	/* Sizes of the whole cluster. */
	uint32_t hotels;
	uint32_t types;
	uint32_t plans; /* beside plan 0 of each type; 0 = as many as types */
	uint32_t nights;
	uint32_t reservations;
	uint32_t retention_hours;
	bool allow_tmpfs;
	bool embeds_router; /* clients connect to shard 0 */
};

struct cluster {
	char dir[FILES_PATH_SIZE]; /* absolute */
	struct cluster_config config;
};

/* Defaults, and a new id. 0 or a negative error. */
KR_MUST_CHECK int cluster_config_new(
	struct cluster_config *ret_config, struct kr_error_text *error);

#define CLUSTER_NONE 1 /* there is no cluster.json */

/* Finds the directory and reads its cluster.json. 0, CLUSTER_NONE (dir is set if the directory is
 * there, else empty), or a negative error. */
KR_MUST_CHECK int cluster_open(
	const char *dir, struct cluster *ret_cluster, struct kr_error_text *error);
/* Makes the directory of a new cluster if it is missing; refuses one with something else in it.
 * Sets dir. 0 or a negative error. */
KR_MUST_CHECK int cluster_prepare(
	const char *dir, struct cluster *cluster, struct kr_error_text *error);
/* Writes cluster.json. 0 or a negative error. */
KR_MUST_CHECK int cluster_save(const struct cluster *cluster, struct kr_error_text *error);
/* Takes cluster.lock, to be closed; -KR_E_BUSY if somebody else has it. */
KR_MUST_CHECK int cluster_lock(
	const struct cluster *cluster, int *ret_fd, struct kr_error_text *error);

/* Can only this machine reach the addresses? Is each a unix socket? */
bool cluster_listen_is_local(const char *listen);
bool cluster_listen_is_unix(const char *listen);
/* The file of a token that the router lets operators in by, or any token; NULL: it has none. */
const char *cluster_token_file(const struct cluster_config *config);
/* What a client on this machine connects to: the first address, and a wildcard as loopback. */
void cluster_router_address(
	const struct cluster_config *config, char ret_address[static CLUSTER_LISTEN_SIZE]);
/* A shard's part of a size of the whole: a quarter and `slack` more than equal, since slots are
 * never filled equally; all of it for one shard. */
uint32_t cluster_part(uint32_t whole, uint32_t shards, uint32_t slack);

#endif

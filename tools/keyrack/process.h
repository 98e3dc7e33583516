/*
 * The processes of a local cluster. A process counts as ours only if its own command line says so:
 * the right program, started with this directory's pid file. Pid files alone are believed nothing,
 * since after a crash they may be empty, torn, or name somebody else.
 */
#ifndef TOOLS_KEYRACK_PROCESS_H
#define TOOLS_KEYRACK_PROCESS_H

#include <sys/types.h>

#include "tools/keyrack/cluster.h"

enum process_role { PROCESS_ROUTER, PROCESS_SHARD };

struct process {
	enum process_role role;
	uint32_t index; /* of the shard */
};

#define PROCESS_NAME_SIZE 24u

/* "shard-1", "router": stem of the names of its files. */
void process_stem(struct process process, char ret_stem[static PROCESS_NAME_SIZE]);
/* "shard 1", "router": for people. */
void process_title(struct process process, char ret_title[static PROCESS_NAME_SIZE]);
/* Path of its file with that ending (".pid", ".log"). */
void process_path(const struct cluster *cluster, struct process process, const char *ending,
	char ret_path[static FILES_PATH_SIZE]);
/* "unix:DIR/shard-1.sock", or relative to DIR where that would be too long for a socket. */
void process_socket(
	const struct cluster *cluster, uint32_t shard, char ret_address[static FILES_PATH_SIZE]);

/* Number of processes of a cluster, and each of them: the router last, where it is one. */
uint32_t process_count(const struct cluster *cluster);
struct process process_at(const struct cluster *cluster, uint32_t number);

/*
 * Its process id and a descriptor that stays its own (pidfd), to be closed. 0; PROCESS_NONE if it
 * does not run; a negative error.
 */
#define PROCESS_NONE 1
KR_MUST_CHECK int process_find(const struct cluster *cluster, struct process process,
	pid_t *ret_pid, int *ret_pidfd, struct kr_error_text *error);

/* Path of keyrack-shard or keyrack-router: beside this program, in the build tree, in PATH. */
KR_MUST_CHECK int process_program(
	enum process_role role, char ret_path[static FILES_PATH_SIZE], struct kr_error_text *error);
/* The same of any program; in_build is its place in the build tree, from this program's. */
KR_MUST_CHECK int process_tool(const char *name, const char *in_build,
	char ret_path[static FILES_PATH_SIZE], struct kr_error_text *error);

/* Starts it as a session of its own with its output in its log. 0 or a negative error. */
KR_MUST_CHECK int process_spawn(const struct cluster *cluster, struct process process,
	pid_t *ret_pid, struct kr_error_text *error);

#endif

/* Waiting until processes that were just started serve: what their logs say is told on the way. */
#ifndef TOOLS_KEYRACK_READY_H
#define TOOLS_KEYRACK_READY_H

#include "tools/keyrack/cli.h"
#include "tools/keyrack/process.h"

#define READY_LINE_SIZE 512u

struct ready_one {
	struct process process;
	pid_t pid;
	int log; /* read from where it ended before the start */
	bool is_ready;
	bool has_ended;
	uint32_t lines; /* told so far */
	size_t length;
	char line[READY_LINE_SIZE]; /* the one that is not whole yet, or the last */
};

struct ready {
	const struct cluster *cluster;
	bool is_quiet;
	uint64_t started_us;
	uint64_t timeout_us;
	uint32_t spawned; /* in all */
	uint32_t count;
	struct ready_one list[CLUSTER_SHARDS_MAX + 1];
};

void ready_init(
	struct ready *ready, const struct cluster *cluster, uint64_t timeout_us, bool is_quiet);
/* Starts a process and looks after it from now on. 0 or a negative error. */
KR_MUST_CHECK int ready_spawn(
	struct ready *ready, struct process process, struct kr_error_text *error);
/* Until all of them serve. CLI_DONE; CLI_REFUSED if one ended; CLI_UNREACHABLE if time ran out. */
KR_MUST_CHECK int ready_wait(const struct cli *cli, struct ready *ready);
/* Looks after none of them any more. */
void ready_forget(struct ready *ready);
/* Time left of the timeout; at least one second, for what follows the wait. */
uint64_t ready_left_us(const struct ready *ready);

#endif

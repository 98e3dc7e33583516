/* keyrack-recover, run as a tool: it knows what a shard's directory holds, keyrack does not. */
#ifndef TOOLS_KEYRACK_TOOL_RUN_H
#define TOOLS_KEYRACK_TOOL_RUN_H

#include <jansson.h>

#include "tools/keyrack/cli.h"
#include "tools/keyrack/cluster.h"

#define TOOL_WORDS_MAX (4 * CLUSTER_SHARDS_MAX + 16)
#define TOOL_OUTPUT_MAX (4u << 20)

/*
 * Words behind the program's name, NULL at the end. What it says goes to standard error, what it
 * prints is one JSON object. It ends when this process does, and holds `fd` open as long as it
 * lives. CLI_DONE, or the exit code.
 */
KR_MUST_CHECK int tool_run(
	const struct cli *cli, const char *const *words, int fd, json_t **ret_object);

#endif

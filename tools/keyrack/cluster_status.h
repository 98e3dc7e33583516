/* What runs of a local cluster. */
#ifndef TOOLS_KEYRACK_CLUSTER_STATUS_H
#define TOOLS_KEYRACK_CLUSTER_STATUS_H

#include "tools/keyrack/cli.h"
#include "tools/keyrack/process.h"

/* Prints the table or the JSON; CLI_DONE if every process runs, else CLI_UNREACHABLE. */
int cluster_status_show(const struct cli *cli, const struct cluster *cluster);
/* Opens the cluster of an existing directory. CLI_DONE, or the exit code after saying why. */
KR_MUST_CHECK int cluster_status_open(
	const struct cli *cli, const char *dir, struct cluster *ret_cluster);

#endif

/* Counters and gauges as Prometheus' text format, version 0.0.4. */
#ifndef TOOLS_KEYRACK_STAT_PROMETHEUS_H
#define TOOLS_KEYRACK_STAT_PROMETHEUS_H

#include "keyrack/keyrack.h"
#include "proto/stat.h"

#define STAT_FAMILY_SIZE 128u

/* "keyrack_" PREFIX and the name: microseconds become seconds, counters end in _total. */
void stat_family_name(
	const char *prefix, const struct stat_row *row, char ret_name[static STAT_FAMILY_SIZE]);

/* A family of samples for each name, by shard. */
void stat_prometheus_shards(const struct keyrack_stats_answer *answer);
/* The router that answers, and its links. */
void stat_prometheus_router(const struct keyrack_router_status_answer *answer);

#endif

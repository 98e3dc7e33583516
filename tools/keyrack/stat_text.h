/* Counters and gauges as JSON and as Prometheus' text format. */
#ifndef TOOLS_KEYRACK_STAT_TEXT_H
#define TOOLS_KEYRACK_STAT_TEXT_H

#include <jansson.h>

#include "keyrack/keyrack.h"

/* {"name": value}. */
json_t *stat_text_json(const struct keyrack_stat *stats, uint32_t count);
/* All shards, a family of samples for each name: keyrack_NAME{shard="0"} VALUE. */
void stat_text_prometheus(const struct keyrack_stats_answer *answer);

#endif

/* Counters and gauges as JSON. */
#ifndef TOOLS_KEYRACK_STAT_TEXT_H
#define TOOLS_KEYRACK_STAT_TEXT_H

#include <jansson.h>

#include "keyrack/keyrack.h"

/* {"name": value}. */
json_t *stat_text_json(const struct keyrack_stat *stats, uint32_t count);

#endif

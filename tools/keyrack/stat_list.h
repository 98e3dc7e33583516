/* What there is to count: names, kinds, units, meanings. */
#ifndef TOOLS_KEYRACK_STAT_LIST_H
#define TOOLS_KEYRACK_STAT_LIST_H

#include <stdbool.h>

void stat_list_print(bool is_json);

#endif

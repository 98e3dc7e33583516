/* One time zone of the system's tzdata, for showing an instant as the hotel's clock does. */
#ifndef TOOLS_KEYRACK_ZONE_H
#define TOOLS_KEYRACK_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"

/* Seconds east of UTC at the instant. False where the zone is not known here; *ret is untouched. */
KR_MUST_CHECK bool zone_offset_s(const char *zone, int64_t unix_s, int32_t *ret_offset_s);

#endif

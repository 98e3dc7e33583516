/*
 * Instants as the recovery tool writes and reads them: RFC 3339. Pure.
 */
#ifndef TOOLS_KEYRACK_RECOVER_TIME_H
#define TOOLS_KEYRACK_RECOVER_TIME_H

#include <stdint.h>

#include "base/check.h"
#include "base/error.h"

/* "2026-11-22T05:41:36.123456Z" */
#define RECOVER_TIME_SIZE 32u
void recover_time_format(uint64_t t_us, char ret_text[static RECOVER_TIME_SIZE]);

#define RECOVER_TIME_MALFORMED 1

/*
 * "2026-11-22T05:41:36Z": with up to six digits behind a point, with a zone "+01:00" for Z, with
 * "t", "z" or a space as RFC 3339 lets them be. A leap second is the second after it. 0 or
 * RECOVER_TIME_MALFORMED; instants before 1970 are none of ours.
 */
KR_MUST_CHECK int recover_time_parse(const char *text, uint64_t *ret_t_us);

#endif

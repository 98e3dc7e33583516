/* Fills a tz_db from the system's tzdata. Not pure: reads files, allocates. */
#ifndef BASE_TZ_LOAD_H
#define BASE_TZ_LOAD_H

#include "base/error.h"
#include "base/tz.h"

#define TZ_FOLDER "/usr/share/zoneinfo"

/* 0 and *ret_db, to be given to tz_free(); or a negative error: the folder is missing (install
 * tzdata) or holds no zone. Files that are no zone are passed over. */
KR_MUST_CHECK int tz_load(const char *folder, struct tz_db *ret_db);
void tz_free(struct tz_db *db);

#endif

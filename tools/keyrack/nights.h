/* Lists of nights, page after page. */
#ifndef TOOLS_KEYRACK_NIGHTS_H
#define TOOLS_KEYRACK_NIGHTS_H

#include "tools/keyrack/cli.h"

/* Takes a night; false: enough, nothing more is asked for. */
typedef bool nights_take(void *user, const struct keyrack_listed_night *night);

/* Of the hotel, on the first page. */
struct nights_span {
	int32_t business_day;
	int32_t first_day, last_day;
};

/* Gives every night to `take`; request->call is filled in. *ret_span is there before the first
 * night is. CLI_DONE, or the exit code after saying why. */
KR_MUST_CHECK int nights_each(struct cli *cli, struct keyrack_night_list *request,
	nights_take *take, void *user, struct nights_span *ret_span);

#endif

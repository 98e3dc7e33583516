/* How a call ended: the sentence, the JSON, the exit code. */
#ifndef TOOLS_KEYRACK_REPORT_H
#define TOOLS_KEYRACK_REPORT_H

#include <jansson.h>

#include "tools/keyrack/cli.h"
#include "tools/keyrack/sentence.h"

/* What a call is, for the sentence about its end. */
struct report {
	bool is_write; /* without an answer it may have happened */
	/* What to type when nobody knows whether it happened, without "keyrack --router X ";
	 * NULL for reads. */
	const char *next;
	struct sentence_context context;
};

extern const struct report report_of_read;

/* {"outcome", "code", "tries", "elapsed_us", "refusal"}. */
json_t *report_json(const struct report *report, const struct keyrack_result *result);
json_t *report_refusal_json(const struct report *report, const struct keyrack_refusal *refusal);

/* Says on standard error why it was not done, unless it was; returns the exit code. */
int report_end(
	const struct cli *cli, const struct report *report, const struct keyrack_result *result);
/* The same with its JSON, for calls whose answer has nothing else to print. */
int report_fail(
	const struct cli *cli, const struct report *report, const struct keyrack_result *result);
/* What a read gave, and its answer: CLI_DONE, or the exit code after all of that was said. */
KR_MUST_CHECK int report_got(const struct cli *cli, int r, const struct keyrack_result *result);
/* The library did not take the call: -errno. Returns the exit code. */
int report_not_taken(const struct cli *cli, int r);

/* What was named by its code is not there, as a list showed: says so, also as JSON; returns
 * CLI_REFUSED. */
int report_missing(const struct cli *cli, const char *format, ...) KR_PRINTF(2, 3);

/* "ACTIVE". */
const char *report_status_name(uint32_t status);

#endif

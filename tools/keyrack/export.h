/* What the exports share: the words, and the hotels in their order. */
#ifndef TOOLS_KEYRACK_EXPORT_H
#define TOOLS_KEYRACK_EXPORT_H

#include "tools/keyrack/cli.h"
#include "tools/keyrack/progress.h"
#include "tools/keyrack/sheet_out.h"
#include "tools/keyrack/span.h"

#define EXPORT_HOTELS_MAX CLI_ARGS_MAX /* named ones; none = every hotel */

/* A hotel as far as its calendar needs it. */
struct export_hotel {
	uint64_t hotel_id;
	struct money_unit unit;
	int32_t business_day;
	uint32_t window_nights;
};

struct export
{
	struct cli *cli;
	struct sheet_out out;
	struct progress progress;
	bool is_ndjson;
	const char *path; /* NULL: standard output */
	bool has_nights;
	struct span nights;
	const char *hotels[EXPORT_HOTELS_MAX];
	uint32_t hotel_count; /* done so far */
};

/* The hotel's rows. CLI_DONE, or the exit code after saying why. */
typedef int export_one(struct export *export, const struct keyrack_hotel *hotel);

struct export_hotel export_hotel_of(const struct keyrack_hotel *hotel);
/* Asks again. CLI_DONE, or the exit code after saying why. */
KR_MUST_CHECK int export_hotel_get(
	struct export *export, uint64_t hotel_id, struct export_hotel *ret_hotel);

export_one export_calendar_one;

/* ---- export.c: parts of every export --------------------------------------------------------- */

/* The options' words into a struct export. */
KR_MUST_CHECK int export_option(
	void *export, int key, const char *arg, struct kr_error_text *error);
extern const struct argp_option export_plain_options[];
/* Opens the output, lets `rows` write all of it, closes and tells. The exit code. */
int export_run(struct cli *cli, struct export *export, const struct sheet *sheet,
	int (*rows)(struct export *export));

#endif

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
/* How an export is typed: what it writes, and how the sentence about all of them ends. */
#define EXPORT_SPEC(table, text, of_all)                                                           \
	{                                                                                          \
		.options = table, .option = export_option, .args = "[HOTEL...]",                   \
		.doc = text "\vUp to four hotels may be named; without any it is all of "          \
			    "them" of_all,                                                         \
		.arg_max = EXPORT_HOTELS_MAX                                                       \
	}

typedef int export_rows(struct export *export);
/* Reads the words, opens the output, lets `rows` write all of it, closes and tells. The exit
 * code. */
int export_run(struct cli *cli, int argc, char **argv, const struct cli_spec *spec,
	const struct sheet *sheet, export_rows *rows);

#endif

/* keyrack import hotels|types|plans|calendar|reservations */
#include <stdio.h>
#include <string.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/import.h"
#include "tools/keyrack/value.h"

#define SHIFT_DAYS_MAX 36525 /* a hundred years */

enum import_key {
	IMPORT_REJECTS = CLI_KEY_OWN,
	IMPORT_STATE,
	IMPORT_FROM_LINE,
	IMPORT_ONLY,
	IMPORT_SHIFT_DAYS,
	IMPORT_ZONE,
	IMPORT_CURRENCY,
	IMPORT_FORCE,
};

/* clang-format off */
#define FILE_OPTIONS                                                                               \
	{"rejects", IMPORT_REJECTS, "FILE", 0,                                                     \
		"rows that were not taken go here, as they are", 0},                               \
	{"state", IMPORT_STATE, "FILE", 0,                                                         \
		"keeps here how far it has come, and goes on from there the next time", 0},        \
	{"from-line", IMPORT_FROM_LINE, "N", 0, "pass over the lines before this one", 0},         \
	{"only", IMPORT_ONLY, "COLUMN=VALUE", 0, "only rows that have this value there", 0}
/* clang-format on */

static const struct argp_option import_options[] = {
	FILE_OPTIONS,
	{"shift-days", IMPORT_SHIFT_DAYS, "N", 0,
		"add so many days to every date, for data of other years", 1},
	{"zone", IMPORT_ZONE, "NAME", 0, "the zone of hotels whose rows name none", 1},
	{"currency", IMPORT_CURRENCY, "CODE", 0,
		"the currency of hotels and amounts whose rows name none", 1},
	{0},
};

static const struct argp_option stay_options[] = {
	FILE_OPTIONS,
	{"shift-days", IMPORT_SHIFT_DAYS, "N", 0,
		"add so many days to every date and instant, for data of other years", 1},
	{"force", IMPORT_FORCE, NULL, 0,
		"over limits, and on nights that were never loaded; they are listed at the end", 1},
	{0},
};

static int only_read(struct import *import, const char *arg, struct kr_error_text *error)
{
	const char *equals = strchr(arg, '=');
	size_t length = equals != NULL ? (size_t)(equals - arg) : 0;
	if (length == 0 || length >= sizeof(import->only_name))
		return kr_error_text_set(
			error, -KR_E_INVALID, 0, "\"%s\" is not of the form COLUMN=VALUE", arg);
	memcpy(import->only_name, arg, length);
	import->only_name[length] = '\0';
	import->only_value = equals + 1;
	kr_assert(import->only_name[0] != '\0');
	return 0;
}

static int import_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct import *import = options;
	int64_t days = 0;
	int r;
	switch ((enum import_key)key) {
	case IMPORT_REJECTS:
		import->rejects_path = arg;
		return 0;
	case IMPORT_STATE:
		import->state_path = arg;
		return 0;
	case IMPORT_FROM_LINE:
		return value_u64(
			arg, (struct value_range){1, UINT64_MAX}, &import->from_line, error);
	case IMPORT_ONLY:
		return only_read(import, arg, error);
	case IMPORT_SHIFT_DAYS:
		r = value_i64(arg, &days, error);
		if (r == 0 && (days < -SHIFT_DAYS_MAX || days > SHIFT_DAYS_MAX))
			r = kr_error_text_set(
				error, -KR_E_INVALID, 0, "at most %d days", SHIFT_DAYS_MAX);
		import->words.shift_days = (int32_t)days;
		return r;
	case IMPORT_ZONE:
		import->words.zone = arg;
		return 0;
	case IMPORT_CURRENCY:
		import->words.currency = arg;
		return 0;
	case IMPORT_FORCE:
		import->stays.force = true;
		return 0;
	}
	kr_unreachable();
}

static int import_run(struct cli *cli, int argc, char **argv, enum sheet_kind kind, const char *doc)
{
	static struct import import;
	struct cli_spec spec = {
		.options = kind == SHEET_RESERVATIONS ? stay_options : import_options,
		.option = import_option,
		.args = "FILE",
		.doc = doc,
		.arg_min = 1,
		.arg_max = 1,
		.has_origin = true,
	};
	const char *args[CLI_ARGS_MAX];
	memset(&import, 0, sizeof(import));
	cli_words(cli, &spec, argc, argv, &import, args);
	import.cli = cli;
	import.kind = kind;
	import.path = args[0];
	kr_assert(import.path != NULL);
	return import_go(&import);
}

#define COMMON                                                                                     \
	" FILE is CSV with a header or NDJSON, as `export` writes it; - is standard input. A row " \
	"that cannot be taken is named with its line and the reason, and the import goes on; the " \
	"exit code is then 1. Doing it again does no harm."

int import_hotels_run(struct cli *cli, int argc, char **argv)
{
	return import_run(cli, argc, argv, SHEET_HOTELS,
		"Creates hotels, or changes the settings that the file has columns for.\v"
		"The listings of Inside Airbnb and the register of French hotels are taken too: "
		"each is a hotel with one room type, in --zone and --currency." COMMON);
}

int import_types_run(struct cli *cli, int argc, char **argv)
{
	return import_run(cli, argc, argv, SHEET_TYPES,
		"Creates room types, or changes the settings that the file has columns for.\v" //
		COMMON);
}

int import_plans_run(struct cli *cli, int argc, char **argv)
{
	return import_run(cli, argc, argv, SHEET_PLANS,
		"Creates rate plans, or changes the settings that the file has columns for. Their "
		"room types are there before them, and so is a plan that others are derived "
		"from.\v" //
		COMMON);
}

int import_calendar_run(struct cli *cli, int argc, char **argv)
{
	return import_run(cli, argc, argv, SHEET_CALENDAR,
		"Sets what the file has columns for, over the nights of each row. An empty field "
		"takes a value away, but one of the room type's in the row of a rate plan.\v"
		"Nights outside a hotel's window are passed over and counted. The listing "
		"calendars "
		"of Inside Airbnb are taken too: a night that is not available is closed, amounts "
		"are in --currency." COMMON);
}

int import_reservations_run(struct cli *cli, int argc, char **argv)
{
	return import_run(cli, argc, argv, SHEET_RESERVATIONS,
		"Takes in reservations that were made elsewhere, as `export reservations` writes "
		"them: original id, state, instants, agreed prices and terms.\v"
		"Their hotels and room types are there before them. Restrictions and prices are "
		"not asked, rooms are: within the limit, or with --force. Those that ended too "
		"long ago to be kept are passed over. Needed columns are hotel, id, state, type, "
		"check_in, check_out and created_at_us; prices are such as EUR 120.00*3; "
		"keyrack(1) tells the others." COMMON);
}

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "engine/inventory/limits.h"
#include "tools/keyrack-recover.h"

/*
 * The command line: a command, its words, options that go with some commands and not with others.
 */

const char *argp_program_version = "keyrack-recover " KEYRACK_VERSION;

#define LOCK_WAIT_S 10u /* a killed process's last writes keep the lock */
#define LOCK_WAIT_MAX_S 3600u
#define WORDS_MAX RECOVER_SHARDS_MAX
#define DIFF_LIMIT 100u

enum key {
	KEY_CELLS = 256,
	KEY_RATES,
	KEY_PLAN,
	KEY_RESERVATIONS,
	KEY_SETTINGS,
	KEY_LOG,
	KEY_JSON,
	KEY_FROM_LSN,
	KEY_TO_LSN,
	KEY_TO_TIME,
	KEY_AS_OF,
	KEY_ARCHIVE,
	KEY_FORCE,
	KEY_LIMIT,
	KEY_OUT,
	KEY_SHARDS,
	KEY_SHARD_LSN,
	KEY_ALLOW_TMPFS,
	KEY_LOCK_WAIT,
};

/* What was given, to be held against what the command takes. */
enum given {
	GIVEN_DUMP = 0x1,
	GIVEN_JSON = 0x2,
	GIVEN_FROM_LSN = 0x4,
	GIVEN_TO_LSN = 0x8,
	GIVEN_TO_TIME = 0x10,
	GIVEN_AS_OF = 0x20,
	GIVEN_ARCHIVE = 0x40,
	GIVEN_FORCE = 0x80,
	GIVEN_LIMIT = 0x100,
	GIVEN_OUT = 0x200,
	GIVEN_SHARDS = 0x400,
	GIVEN_PLAN = 0x800,
};

static const struct argp_option option_table[] = {
	{"cells", KEY_CELLS, NULL, 0, "dump: nights with anything in them", 0},
	{"rates", KEY_RATES, NULL, 0, "dump: nights of rate plans beside each type's plan 0", 0},
	{"reservations", KEY_RESERVATIONS, NULL, 0, "dump: reservations, live and kept", 0},
	{"settings", KEY_SETTINGS, NULL, 0, "dump: hotels, room types, rate plans, stock by date",
		0},
	{"log", KEY_LOG, NULL, 0, "dump: the effects of the log, as far as it is whole", 0},
	{"json", KEY_JSON, NULL, 0, "one object a line", 0},
	{"to-lsn", KEY_TO_LSN, "LSN", 0,
		"replay, dump, diff: as of this effect, the last one included; truncate: the last "
		"one that stays",
		0},
	{"limit", KEY_LIMIT, "COUNT", 0, "diff: show so many differences (100); 0 = all", 0},
	{"out", KEY_OUT, "DIR", 0, "salvage, backup, restore: the new directory", 0},
	{"shards", KEY_SHARDS, "N", 0, "restore: so many new shards", 0},
	{"shard-lsn", KEY_SHARD_LSN, "SHARD:LSN", 0,
		"restore: that shard as of this effect; may be repeated", 0},
	{"force", KEY_FORCE, NULL, 0, "truncate: do it", 0},
	{"to-time", KEY_TO_TIME, "TIME", 0,
		"replay, dump: as of this instant, such as 2026-11-22T05:41:36Z", 0},
	{"from-lsn", KEY_FROM_LSN, "LSN", 0,
		"dump --log: from this effect on; diff: the earlier of two states", 0},
	{"plan", KEY_PLAN, "NUMBER", 0, "why: with the price and rules of this rate plan (0)", 0},
	{"as-of", KEY_AS_OF, "LSN", 0, "why: up to this effect", 0},
	{"archive", KEY_ARCHIVE, "DIR", 0,
		"where the shard's --log-archive is: lets replay, dump and why reach further back",
		0},
	{"lock-wait", KEY_LOCK_WAIT, "SECONDS", 0,
		"wait so long for a directory that another process has (10)", 0},
	{"allow-tmpfs", KEY_ALLOW_TMPFS, NULL, 0, "the directory may be in memory", 0},
	{0},
};

static const struct command_row {
	const char *name;
	enum recover_command command;
	unsigned words_min, words_max;
	const char *words;
	unsigned takes;
} command_table[] = {
	{"verify", RECOVER_VERIFY, 1, 1, "DIR", 0},
	{"repair-tail", RECOVER_REPAIR_TAIL, 1, 1, "DIR", 0},
	{"dump", RECOVER_DUMP, 1, 1, "DIR",
		GIVEN_DUMP | GIVEN_JSON | GIVEN_FROM_LSN | GIVEN_TO_LSN | GIVEN_TO_TIME |
			GIVEN_ARCHIVE},
	{"replay", RECOVER_REPLAY, 1, 1, "DIR",
		GIVEN_JSON | GIVEN_TO_LSN | GIVEN_TO_TIME | GIVEN_ARCHIVE},
	{"salvage", RECOVER_SALVAGE, 1, 1, "DIR", GIVEN_OUT},
	{"diff", RECOVER_DIFF, 1, 2, "DIR_A DIR_B, or DIR --from-lsn",
		GIVEN_JSON | GIVEN_FROM_LSN | GIVEN_TO_LSN | GIVEN_ARCHIVE | GIVEN_LIMIT},
	{"truncate", RECOVER_TRUNCATE, 1, 1, "DIR", GIVEN_TO_LSN | GIVEN_FORCE},
	{"backup", RECOVER_BACKUP, 1, 1, "DIR", GIVEN_OUT | GIVEN_TO_LSN},
	{"restore", RECOVER_RESTORE, 1, RECOVER_SHARDS_MAX, "DIR ...",
		GIVEN_OUT | GIVEN_SHARDS | GIVEN_TO_TIME},
	{"why", RECOVER_WHY, 4, 4, "HOTEL TYPE NIGHT DIR",
		GIVEN_JSON | GIVEN_AS_OF | GIVEN_TO_TIME | GIVEN_ARCHIVE | GIVEN_PLAN},
};

static const char *const given_names[] = {"--cells, --rates, --reservations, --settings and --log",
	"--json", "--from-lsn", "--to-lsn", "--to-time", "--as-of", "--archive", "--force",
	"--limit", "--out", "--shards and --shard-lsn", "--plan"};

struct parse {
	struct recover_options *options;
	const struct command_row *row;
	const char *words[WORDS_MAX];
	unsigned word_count;
	unsigned given;
};

static uint64_t number(struct argp_state *state, const char *name, const char *text, uint64_t max)
{
	char *end;
	bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	kr_assert(max > 0);
	unsigned long long value = strtoull(text, &end, is_hex ? 16 : 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || value > max ||
		(value == ULLONG_MAX && max < ULLONG_MAX))
		argp_error(state, "%s takes a number up to %llu, not '%s'", name,
			(unsigned long long)max, text);
	return value;
}

static uint64_t lsn(struct argp_state *state, const char *name, const char *text)
{
	uint64_t value = number(state, name, text, INT64_MAX);
	if (value == 0)
		argp_error(state, "%s: LSNs begin with 1", name);
	kr_assert(value > 0);
	return value;
}

static void take_dump(struct argp_state *state, enum recover_dump dump)
{
	struct parse *parse = state->input;
	if (parse->options->dump != 0 && parse->options->dump != dump)
		argp_error(state,
			"one of --cells, --rates, --reservations, --settings and --log at a time");
	parse->options->dump = dump;
	parse->given |= GIVEN_DUMP;
	kr_assert(dump != 0);
}

static void take_time(struct argp_state *state, const char *text)
{
	struct parse *parse = state->input;
	kr_assert(text != NULL);
	if (recover_time_parse(text, &parse->options->to_time_us) != 0)
		argp_error(state,
			"--to-time takes an instant such as 2026-11-22T05:41:36Z or "
			"2026-11-22T06:41:36.5+01:00, not '%s'",
			text);
	parse->options->has_to_time = true;
	parse->given |= GIVEN_TO_TIME;
}

static void take_word(struct argp_state *state, const char *word)
{
	struct parse *parse = state->input;
	kr_assert(word != NULL && parse->word_count <= WORDS_MAX);
	if (parse->row == NULL) {
		for (size_t i = 0; i < KR_ARRAY_COUNT(command_table); i++) {
			if (strcmp(word, command_table[i].name) == 0)
				parse->row = &command_table[i];
		}
		if (parse->row == NULL)
			argp_error(state, "'%s' is no command: see --help", word);
		return;
	}
	if (parse->word_count == parse->row->words_max)
		argp_error(state, "'%s' is one word too many", word);
	parse->words[parse->word_count++] = word;
}

static void check_night(struct argp_state *state, struct parse *parse)
{
	struct recover_options *options = parse->options;
	const char *night = parse->words[2];
	options->hotel = number(state, "HOTEL", parse->words[0], UINT64_MAX);
	options->type = (uint16_t)number(state, "TYPE", parse->words[1], INV_TYPE_NUMBER_MAX);
	if (civil_day_parse(night, strlen(night), &options->night) != 0)
		argp_error(state, "NIGHT is a date such as 2026-12-24, not '%s'", night);
	if (options->hotel == 0)
		argp_error(state, "HOTEL and TYPE are numbers, as dump --cells shows them");
	kr_assert(options->night >= CIVIL_DAY_MIN);
}

static void check_options(struct argp_state *state, const struct parse *parse)
{
	const struct recover_options *options = parse->options;
	for (unsigned i = 0; i < KR_ARRAY_COUNT(given_names); i++) {
		if ((parse->given & 1u << i & ~parse->row->takes) != 0)
			argp_error(state, "%s: not with %s", given_names[i], parse->row->name);
	}
	if (options->command == RECOVER_DUMP && options->dump == 0)
		argp_error(state,
			"say what to dump: --cells, --rates, --reservations, --settings or --log");
	if (options->has_to_time && options->to_lsn != 0)
		argp_error(state, "one of LSN and --to-time at a time");
	if (options->command == RECOVER_DUMP && options->dump != RECOVER_LOG &&
		options->from_lsn != 0)
		argp_error(state, "--from-lsn goes with dump --log");
	if (options->command == RECOVER_DIFF && (options->other == NULL) != (options->from_lsn > 0))
		argp_error(state, "diff takes two directories, or one and --from-lsn");
	if (options->dump == RECOVER_LOG && options->has_to_time)
		argp_error(state, "dump --log shows each effect's time: give it --to-lsn");
	if (options->command == RECOVER_REPLAY && options->to_lsn == 0 && !options->has_to_time)
		argp_error(state, "say up to where: --to-lsn or --to-time");
	if ((parse->row->takes & GIVEN_OUT) != 0 && options->out == NULL)
		argp_error(state, "say where the new directory is to be: --out");
	if (options->command == RECOVER_RESTORE && options->shard_count == 0)
		argp_error(state, "say how many shards there are to be: --shards");
	if (options->command == RECOVER_TRUNCATE && options->to_lsn == 0)
		argp_error(state, "say which effect is the last to stay: --to-lsn");
	kr_assert(options->command != 0);
}

static void check_whole(struct argp_state *state)
{
	struct parse *parse = state->input;
	const struct command_row *row = parse->row;
	if (row == NULL)
		argp_error(state, "say what to do: see --help");
	kr_assert(row != NULL);
	if (parse->word_count < row->words_min)
		argp_error(state, "%s takes: %s", row->name, row->words);
	parse->options->command = row->command;
	parse->options->directory = parse->words[parse->word_count - 1];
	memcpy(parse->options->words, parse->words, sizeof(parse->words));
	parse->options->word_count = parse->word_count;
	if (row->command == RECOVER_DIFF && parse->word_count == 2) {
		parse->options->directory = parse->words[0];
		parse->options->other = parse->words[1];
	}
	if (row->command == RECOVER_WHY)
		check_night(state, parse);
	check_options(state, parse);
}

/* "2:4711": shard 2 as of LSN 4711. */
static void take_shard_lsn(struct argp_state *state, char *text)
{
	struct parse *parse = state->input;
	char *colon = strchr(text, ':');
	if (colon == NULL)
		argp_error(state, "--shard-lsn is of the form SHARD:LSN, not '%s'", text);
	kr_assert(colon != NULL);
	*colon = '\0';
	uint64_t shard = number(state, "--shard-lsn", text, RECOVER_SHARDS_MAX - 1);
	parse->options->shard_lsns[shard] = lsn(state, "--shard-lsn", colon + 1);
	parse->given |= GIVEN_SHARDS;
}

static bool on_shards(int key, char *text, struct argp_state *state)
{
	struct parse *parse = state->input;
	kr_assert(parse != NULL);
	switch (key) {
	case KEY_SHARDS:
		parse->options->shard_count =
			(uint32_t)number(state, "--shards", text, RECOVER_SHARDS_MAX);
		parse->given |= GIVEN_SHARDS;
		return true;
	case KEY_SHARD_LSN:
		take_shard_lsn(state, text);
		return true;
	default:
		return false;
	}
}

static bool on_point(int key, char *text, struct argp_state *state)
{
	struct parse *parse = state->input;
	struct recover_options *options = parse->options;
	switch (key) {
	case KEY_FROM_LSN:
		options->from_lsn = lsn(state, "--from-lsn", text);
		parse->given |= GIVEN_FROM_LSN;
		return true;
	case KEY_TO_LSN:
		options->to_lsn = lsn(state, "--to-lsn", text);
		parse->given |= GIVEN_TO_LSN;
		return true;
	case KEY_AS_OF:
		options->to_lsn = lsn(state, "--as-of", text);
		parse->given |= GIVEN_AS_OF;
		return true;
	case KEY_TO_TIME:
		take_time(state, text);
		return true;
	default:
		kr_assert(options != NULL);
		return false;
	}
}

static bool on_dump(int key, struct argp_state *state)
{
	kr_assert(state->input != NULL);
	switch (key) {
	case KEY_CELLS:
		take_dump(state, RECOVER_CELLS);
		return true;
	case KEY_RATES:
		take_dump(state, RECOVER_RATES);
		return true;
	case KEY_RESERVATIONS:
		take_dump(state, RECOVER_RESERVATIONS);
		return true;
	case KEY_SETTINGS:
		take_dump(state, RECOVER_SETTINGS);
		return true;
	case KEY_LOG:
		take_dump(state, RECOVER_LOG);
		return true;
	default:
		return false;
	}
}

static error_t on_option(int key, char *text, struct argp_state *state)
{
	struct parse *parse = state->input;
	if (on_point(key, text, state) || on_dump(key, state) || on_shards(key, text, state))
		return 0;
	switch (key) {
	case KEY_JSON:
		parse->options->is_json = true;
		parse->given |= GIVEN_JSON;
		return 0;
	case KEY_ARCHIVE:
		parse->options->archive = text;
		parse->given |= GIVEN_ARCHIVE;
		return 0;
	case KEY_OUT:
		parse->options->out = text;
		parse->given |= GIVEN_OUT;
		return 0;
	case KEY_LIMIT:
		parse->options->limit = (uint32_t)number(state, "--limit", text, UINT32_MAX);
		parse->given |= GIVEN_LIMIT;
		return 0;
	case KEY_PLAN:
		parse->options->plan = (uint16_t)number(state, "--plan", text, INV_PLAN_NUMBER_MAX);
		parse->given |= GIVEN_PLAN;
		return 0;
	case KEY_FORCE:
		parse->options->is_forced = true;
		parse->given |= GIVEN_FORCE;
		return 0;
	case KEY_LOCK_WAIT:
		parse->options->lock_wait_s =
			(unsigned)number(state, "--lock-wait", text, LOCK_WAIT_MAX_S);
		return 0;
	case KEY_ALLOW_TMPFS:
		parse->options->allow_tmpfs = true;
		return 0;
	case ARGP_KEY_ARG:
		take_word(state, text);
		return 0;
	case ARGP_KEY_END:
		check_whole(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

void recover_options_parse(int argc, char **argv, struct recover_options *ret_options)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = on_option,
		.args_doc = "verify|repair-tail|dump|replay|truncate DIR\nsalvage|backup "
			    "--out=DIR2 DIR\nrestore --out=DIR2 --shards=N DIR ...\ndiff DIR_A "
			    "DIR_B\ndiff "
			    "--from-lsn=LSN DIR\n"
			    "why HOTEL TYPE NIGHT DIR",
		.doc = "Reads a Keyrack shard's directory, offline.\v"
		       "verify       judges it as a start would, and recounts the state\n"
		       "repair-tail  cuts an unacknowledged tail, as a start would\n"
		       "dump         prints --cells, --rates, --reservations, --settings or --log\n"
		       "replay       builds the state as of --to-lsn or --to-time, and recounts "
		       "it\n"
		       "diff         cells and reservations in which two states differ\n"
		       "salvage      past damage, each hotel as far as it is whole: a new "
		       "directory\n"
		       "backup       a whole copy of the directory of a shard that runs\n"
		       "restore      directories of all shards into those of new ones\n"
		       "truncate     ends the log with --to-lsn; without --force says what is "
		       "lost\n"
		       "why          all that made a night of a room type what it is\n\n"
		       "The exit status names the verdict: see keyrack-recover(8).",
	};
	struct parse parse = {.options = ret_options};
	*ret_options = (struct recover_options){.lock_wait_s = LOCK_WAIT_S, .limit = DIFF_LIMIT};
	argp_err_exit_status = RECOVER_EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &parse) != 0) {
		fputs("keyrack-recover: there is no memory to read the options\n", stderr);
		exit(RECOVER_EXIT_SYSTEM);
	}
	kr_assert(ret_options->command != 0 && ret_options->directory != NULL);
}

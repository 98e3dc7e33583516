#include "tools/keyrack-recover.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/tz_load.h"
#include "engine/log/record.h"

/*
 * The same recovery as a shard's start, on a directory that no process has open. `verify` and
 * `dump` write nothing but the LOCK file.
 */

const char *argp_program_version = "keyrack-recover " KEYRACK_VERSION;

#define KEY_CELLS 256
#define KEY_RESERVATIONS 257
#define KEY_LOG 258
#define KEY_JSON 259
#define KEY_ALLOW_TMPFS 260
#define KEY_LOCK_WAIT 261
#define GROWTHS_MAX 24u
#define LOCK_WAIT_S 10u /* a killed process's last writes keep the lock */
#define LOCK_RETRY_NS 50000000

static const struct argp_option option_table[] = {
	{"cells", KEY_CELLS, NULL, 0, "dump: nights with anything in them", 0},
	{"reservations", KEY_RESERVATIONS, NULL, 0, "dump: reservations, live and kept", 0},
	{"log", KEY_LOG, NULL, 0, "dump: the effects of the log, as far as it is whole", 0},
	{"json", KEY_JSON, NULL, 0, "one object a line", 0},
	{"lock-wait", KEY_LOCK_WAIT, "SECONDS", 0,
		"wait so long for a directory that another process has (10)", 0},
	{"allow-tmpfs", KEY_ALLOW_TMPFS, NULL, 0, "the directory may be in memory", 0},
	{0},
};

static void take_dump(struct argp_state *state, enum recover_dump dump)
{
	struct recover_options *options = state->input;
	if (options->dump != 0 && options->dump != dump)
		argp_error(state, "one of --cells, --reservations and --log at a time");
	options->dump = dump;
	kr_assert(dump != 0);
}

static void take_word(struct argp_state *state, const char *word)
{
	struct recover_options *options = state->input;
	kr_assert(word != NULL);
	if (options->command == 0) {
		if (strcmp(word, "verify") == 0)
			options->command = RECOVER_VERIFY;
		else if (strcmp(word, "repair-tail") == 0)
			options->command = RECOVER_REPAIR_TAIL;
		else if (strcmp(word, "dump") == 0)
			options->command = RECOVER_DUMP;
		else
			argp_error(state, "'%s' is none of verify, repair-tail and dump", word);
	} else if (options->directory == NULL) {
		options->directory = word;
	} else {
		argp_error(state, "'%s' is one word too many", word);
	}
}

static void check_whole(struct argp_state *state)
{
	struct recover_options *options = state->input;
	if (options->command == 0)
		argp_error(state, "say what to do: verify, repair-tail or dump");
	if (options->directory == NULL)
		argp_error(state, "say which directory");
	if (options->command == RECOVER_DUMP && options->dump == 0)
		argp_error(state, "say what to dump: --cells, --reservations or --log");
	if (options->command != RECOVER_DUMP && (options->dump != 0 || options->is_json))
		argp_error(state, "--cells, --reservations, --log and --json go with dump");
	kr_assert(options->command <= RECOVER_DUMP);
}

static error_t on_option(int key, char *text, struct argp_state *state)
{
	struct recover_options *options = state->input;
	char *end;
	switch (key) {
	case KEY_CELLS:
		take_dump(state, RECOVER_CELLS);
		return 0;
	case KEY_RESERVATIONS:
		take_dump(state, RECOVER_RESERVATIONS);
		return 0;
	case KEY_LOG:
		take_dump(state, RECOVER_LOG);
		return 0;
	case KEY_JSON:
		options->is_json = true;
		return 0;
	case KEY_LOCK_WAIT:
		options->lock_wait_s = (unsigned)strtoul(text, &end, 10);
		if (end == text || *end != 0 || options->lock_wait_s > 3600)
			argp_error(state, "--lock-wait takes seconds up to 3600, not '%s'", text);
		return 0;
	case KEY_ALLOW_TMPFS:
		options->allow_tmpfs = true;
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

struct recovery {
	const struct recover_options *options;
	struct log_store store;
	struct rebuild rebuild;
	struct kr_error_text text;
};

static int fail(const struct recovery *recovery, int error)
{
	kr_assert(error < 0);
	fprintf(stderr, "keyrack-recover: %s (%s)\n", recovery->text.bytes,
		kr_error_sentence(error));
	return error == -KR_E_TMPFS ? RECOVER_EXIT_USAGE : RECOVER_EXIT_SYSTEM;
}

static void describe(const struct recovery *recovery, FILE *out)
{
	char bytes[LOG_RECOVER_TEXT_SIZE];
	struct kr_text text;
	kr_text_init(&text, bytes, sizeof(bytes));
	log_recover_describe(&recovery->store.recover->report, &text);
	fputs(bytes, out);
	kr_assert(text.length > 0);
}

static void rebuild_begin(struct recovery *recovery, const struct tz_db *tz)
{
	recovery->rebuild = (struct rebuild){
		.config =
			{
				.inventory =
					{
						.hotels_max = 1024,
						.rows_max = 16384,
						.window_nights = INV_WINDOW_NIGHTS_DEFAULT,
						.reservations_max = 1u << 20,
						.nodes_max = 1u << 19,
						.refusals_max = 1024,
						.denials_max = 1024,
						.stock_runs_max = 1u << 18,
						.retention_us = INV_RETENTION_US,
						.grace_us = INV_GRACE_US,
					},
				.shard_count = 1,
				.durability = "",
				.agent = "",
			},
		.tz = tz,
		.is_elastic = true,
		.text = &recovery->text,
	};
	kr_assert(tz != NULL);
}

/* 0: recovery->store.recover->report says what is there; or negative. */
static int rebuild_state(struct recovery *recovery)
{
	struct log_applier applier;
	for (unsigned i = 0; i < GROWTHS_MAX; i++) {
		int r = rebuild_reset(&recovery->rebuild);
		if (r < 0)
			return r;
		rebuild_applier(&recovery->rebuild, &applier);
		r = log_store_recover(&recovery->store, NULL, false, &applier, &recovery->text);
		if (!recovery->rebuild.is_too_small || !rebuild_grow(&recovery->rebuild))
			return r;
	}
	kr_assert(recovery->text.error < 0);
	return -KR_E_LIMIT;
}

static int read_log(struct recovery *recovery)
{
	struct recover_log_dump dump = {.out = stdout, .is_json = recovery->options->is_json};
	struct log_applier applier;
	dump.scratch = calloc(1, sizeof(*dump.scratch));
	if (dump.scratch == NULL)
		return kr_error_text_set(&recovery->text, -KR_E_NOMEM, 0, "reading the log");
	recover_log_applier(&dump, &applier);
	int r = log_store_recover(&recovery->store, NULL, true, &applier, &recovery->text);
	free(dump.scratch);
	kr_assert(r <= 0);
	return r;
}

static unsigned verdict_exit(const struct recovery *recovery)
{
	enum log_verdict verdict = recovery->store.recover->report.verdict;
	kr_assert(verdict < LOG_VERDICT_COUNT);
	return log_verdict_exit_code(verdict);
}

/* Everything that is derived is derived again. */
static int verify_state(struct recovery *recovery)
{
	struct inv *inv = shard_inventory(recovery->rebuild.shard);
	struct inv_contradiction c;
	struct inv_counts counts;
	int r = inv_verify(inv, &c);
	if (r != 0) {
		printf("REFUSE CONTRADICTION: the state contradicts itself: %s: expected %llu, "
		       "found %llu, hotel %llu\n  next: %s\n",
			c.what, (unsigned long long)c.expected, (unsigned long long)c.found,
			(unsigned long long)c.hotel.v, log_verdict_next(LOG_VERDICT_CONTRADICTION));
		return (int)log_verdict_exit_code(LOG_VERDICT_CONTRADICTION);
	}
	inv_counts_get(inv, &counts);
	printf("state: LSN %llu, %u hotels, %u room types, %u reservations, %u of them holds, "
	       "digest %016llx; held and booked recounted\n",
		(unsigned long long)shard_last_lsn(recovery->rebuild.shard), counts.hotels,
		counts.rows, counts.reservations, counts.holds,
		(unsigned long long)shard_digest(recovery->rebuild.shard));
	kr_assert(counts.holds <= counts.reservations);
	return (int)verdict_exit(recovery);
}

static int run_verify(struct recovery *recovery)
{
	int r = rebuild_state(recovery);
	if (r < 0)
		return fail(recovery, r);
	enum log_verdict verdict = recovery->store.recover->report.verdict;
	describe(recovery, stdout);
	kr_assert(verdict < LOG_VERDICT_COUNT);
	if (log_verdict_class(verdict) == LOG_VERDICT_REFUSE || verdict == LOG_VERDICT_EMPTY)
		return (int)verdict_exit(recovery);
	return verify_state(recovery);
}

static int run_repair(struct recovery *recovery)
{
	int r = rebuild_state(recovery);
	if (r < 0)
		return fail(recovery, r);
	enum log_verdict_class class = log_verdict_class(recovery->store.recover->report.verdict);
	describe(recovery, stdout);
	if (class == LOG_VERDICT_REFUSE)
		return (int)verdict_exit(recovery);
	if (class != LOG_VERDICT_CUT) {
		puts("there is no tail to cut; nothing was written");
		return 0;
	}
	r = log_store_repair(&recovery->store, &recovery->text);
	if (r < 0)
		return fail(recovery, r);
	puts("the tail is cut; its bytes are kept beside the log");
	kr_assert(recovery->store.is_repaired);
	return 0;
}

static int dump_state(struct recovery *recovery)
{
	struct inv *inv = shard_inventory(recovery->rebuild.shard);
	const struct recover_options *options = recovery->options;
	struct inv_counts counts;
	inv_counts_get(inv, &counts);
	kr_assert(options->dump == RECOVER_CELLS || options->dump == RECOVER_RESERVATIONS);
	if (options->dump == RECOVER_CELLS)
		recover_dump_cells(inv, recovery->rebuild.config.inventory.window_nights,
			options->is_json, stdout);
	else
		recover_dump_reservations(inv, counts.last_t_us, options->is_json, stdout);
	return 0;
}

/* A tail that waits to be cut is no part of the state, and no reason not to show it. */
static int run_dump(struct recovery *recovery)
{
	bool is_log = recovery->options->dump == RECOVER_LOG;
	int r = is_log ? read_log(recovery) : rebuild_state(recovery);
	if (r < 0)
		return fail(recovery, r);
	enum log_verdict verdict = recovery->store.recover->report.verdict;
	if (verdict != LOG_VERDICT_CLEAN)
		describe(recovery, stderr);
	kr_assert(verdict < LOG_VERDICT_COUNT);
	if (log_verdict_class(verdict) == LOG_VERDICT_REFUSE)
		return (int)verdict_exit(recovery);
	return is_log || verdict == LOG_VERDICT_EMPTY ? 0 : dump_state(recovery);
}

/* As a start does: writes of a killed process may still be on their way, and hold the lock. */
static int take_lock(struct recovery *recovery)
{
	const struct timespec pause = {.tv_nsec = LOCK_RETRY_NS};
	uint64_t tries = recovery->options->lock_wait_s * UINT64_C(1000000000) / LOCK_RETRY_NS;
	int r;
	for (uint64_t i = 0;; i++) {
		r = log_store_lock(&recovery->store, &recovery->text);
		if (r != LOG_STORE_LOCKED || i == tries)
			break;
		if (i == 20)
			fprintf(stderr, "keyrack-recover: %s; waiting for it\n",
				recovery->text.bytes);
		nanosleep(&pause, NULL);
	}
	kr_assert(r <= LOG_STORE_LOCKED);
	return r;
}

static int run_command(struct recovery *recovery)
{
	int r = take_lock(recovery);
	if (r < 0)
		return fail(recovery, r);
	if (r == LOG_STORE_LOCKED) {
		fprintf(stderr, "keyrack-recover: REFUSE IN_USE: %s\n  next: %s\n",
			recovery->text.bytes, log_verdict_next(LOG_VERDICT_IN_USE));
		return (int)log_verdict_exit_code(LOG_VERDICT_IN_USE);
	}
	kr_assert(recovery->options->directory != NULL);
	switch (recovery->options->command) {
	case RECOVER_VERIFY:
		return run_verify(recovery);
	case RECOVER_REPAIR_TAIL:
		return run_repair(recovery);
	default:
		return run_dump(recovery);
	}
}

static int run(const struct recover_options *options, struct io_loop *loop, const struct tz_db *tz)
{
	struct recovery recovery = {.options = options};
	int r = log_store_open(
		loop, &recovery.store, options->directory, 0, options->allow_tmpfs, &recovery.text);
	if (r < 0)
		return fail(&recovery, r);
	rebuild_begin(&recovery, tz);
	int status = run_command(&recovery);
	rebuild_fini(&recovery.rebuild);
	log_store_close(&recovery.store);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("keyrack-recover: standard output could not be written\n", stderr);
		return RECOVER_EXIT_SYSTEM;
	}
	kr_assert(status >= 0);
	return status;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = on_option,
		.args_doc = "verify|repair-tail|dump DIR",
		.doc = "Reads a Keyrack shard's directory, offline.\v"
		       "verify       judges it as a start would, and recounts the state\n"
		       "repair-tail  cuts an unacknowledged tail, as a start would\n"
		       "dump         prints --cells, --reservations or --log\n\n"
		       "The exit status names the verdict: see keyrack-recover(8).",
	};
	struct recover_options options = {.lock_wait_s = LOCK_WAIT_S};
	struct kr_error_text text = {0};
	struct io_loop *loop;
	struct io_config config;
	struct tz_db tz;
	argp_err_exit_status = RECOVER_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	if (tz_load(TZ_FOLDER, &tz) < 0) {
		fputs("keyrack-recover: time zones cannot be read: install tzdata\n", stderr);
		return RECOVER_EXIT_SYSTEM;
	}
	io_config_default(&config);
	config.is_offline = true;
	int r = io_loop_new(&config, &loop, &text);
	if (r < 0) {
		fprintf(stderr, "keyrack-recover: %s\n", text.bytes);
		return RECOVER_EXIT_SYSTEM;
	}
	int status = run(&options, loop, &tz);
	io_loop_free(loop);
	tz_free(&tz);
	kr_assert(options.command != 0);
	return status;
}

#include "tools/keyrack-recover.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/tz_load.h"
#include "engine/log/record.h"
#include "tools/keyrack-recover_copy.h"

/*
 * The same recovery as a shard's start, on a directory that no process has open. `verify` and
 * `dump` write nothing but the LOCK file.
 */

#define LOCK_RETRY_NS 50000000

int recover_fail(const struct recovery *recovery, int error)
{
	kr_assert(error < 0);
	fprintf(stderr, "keyrack-recover: %s (%s)\n", recovery->text.bytes,
		kr_error_sentence(error));
	return error == -KR_E_TMPFS ? RECOVER_EXIT_USAGE : RECOVER_EXIT_SYSTEM;
}

void recover_describe(const struct recovery *recovery, FILE *out)
{
	char bytes[LOG_RECOVER_TEXT_SIZE];
	struct kr_text text;
	kr_text_init(&text, bytes, sizeof(bytes));
	log_recover_describe(&recovery->store.recover->report, &text);
	fputs(bytes, out);
	kr_assert(text.length > 0);
}

void recover_begin(struct recovery *recovery, const struct tz_db *tz)
{
	recovery->rebuild = (struct rebuild){
		.config =
			{
				.inventory =
					{
						.hotels_max = 1024,
						.rows_max = 16384,
						.plans_max = 16384,
						.window_nights = INV_WINDOW_NIGHTS_DEFAULT,
						/* What does not fit is built again from the
						 * beginning; what is not used is not taken. */
						.reservations_max = 1u << 22,
						.nodes_max = 1u << 21,
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
		.memory_flags = KR_MEMORY_HUGE,
		.is_elastic = true,
		.text = &recovery->text,
		.loop = recovery->store.loop,
	};
	kr_assert(tz != NULL);
}

static int read_log(struct recovery *recovery)
{
	const struct recover_options *options = recovery->options;
	struct recover_log_dump dump = {
		.out = stdout,
		.is_json = options->is_json,
		.from_lsn = options->from_lsn,
		.to_lsn = options->to_lsn,
		.scratch = recover_alloc(1, sizeof(*dump.scratch)),
	};
	struct log_applier applier;
	int r = 0;
	if (options->archive != NULL)
		r = log_store_open_archive(&recovery->store, options->archive, &recovery->text);
	recover_log_applier(&dump, &applier);
	if (r == 0)
		r = log_store_recover(&recovery->store, NULL, true, &applier, &recovery->text);
	free(dump.scratch);
	kr_assert(r <= 0);
	return r;
}

enum log_verdict recover_verdict(const struct recovery *recovery)
{
	enum log_verdict verdict = recovery->store.recover->report.verdict;
	kr_assert(verdict < LOG_VERDICT_COUNT);
	return verdict;
}

bool recover_is_refused(const struct recovery *recovery)
{
	kr_assert(recovery->store.recover != NULL);
	return log_verdict_class(recover_verdict(recovery)) == LOG_VERDICT_REFUSE;
}

unsigned recover_verdict_exit(const struct recovery *recovery)
{
	kr_assert(recovery->store.recover != NULL);
	return log_verdict_exit_code(recover_verdict(recovery));
}

int recover_ignore_reset(void *context)
{
	kr_assert(context != NULL);
	return 0;
}

int recover_ignore_chunk(void *context, const struct log_snap_chunk *chunk, const uint8_t *body,
	struct log_trouble *trouble)
{
	kr_assert(context != NULL && chunk != NULL);
	return 0;
}

void *recover_alloc(size_t count, size_t size_bytes)
{
	void *memory = calloc(count > 0 ? count : 1, size_bytes);
	if (memory == NULL) {
		fputs("keyrack-recover: memory is exhausted\n", stderr);
		exit(RECOVER_EXIT_SYSTEM);
	}
	return memory;
}

int recover_recount(struct recovery *recovery)
{
	struct inv_contradiction c;
	if (inv_verify(shard_inventory(recovery->rebuild.shard), &c) == 0)
		return 0;
	printf("REFUSE CONTRADICTION: the state contradicts itself: %s: expected %" PRIu64
	       ", found %" PRIu64 ", hotel %" PRIu64 "\n  next: %s\n",
		c.what, c.expected, c.found, c.hotel.v,
		log_verdict_next(LOG_VERDICT_CONTRADICTION));
	kr_assert(c.what != NULL);
	return (int)log_verdict_exit_code(LOG_VERDICT_CONTRADICTION);
}

static void print_state(const struct recovery *recovery, bool is_json)
{
	struct shard *shard = recovery->rebuild.shard;
	char t[RECOVER_TIME_SIZE], bytes[256];
	struct inv_counts counts;
	struct kr_text text;
	kr_text_init(&text, bytes, sizeof(bytes));
	recover_sources(recovery, &text);
	inv_counts_get(shard_inventory(shard), &counts);
	recover_time_format(counts.last_t_us & INT64_MAX, t);
	kr_assert(counts.holds <= counts.reservations);
	printf(is_json ? "{\"lsn\":%" PRIu64 ",\"time\":\"%s\",\"hotels\":%u,\"types\":%u,"
			 "\"reservations\":%u,\"holds\":%u,\"digest\":\"%016" PRIx64
			 "\",\"sources\":\"%s\"}\n"
		       : "state: LSN %" PRIu64 ", %s, %u hotels, %u room types, %u reservations, "
			 "%u of them holds, digest %016" PRIx64 "\n  %s; held and booked "
			 "recounted\n",
		shard_last_lsn(shard), t, counts.hotels, counts.rows, counts.reservations,
		counts.holds, shard_digest(shard), bytes);
}

int recover_run_verify(struct recovery *recovery)
{
	int r = recover_build(recovery);
	if (r < 0)
		return recover_fail(recovery, r);
	enum log_verdict verdict = recovery->store.recover->report.verdict;
	recover_describe(recovery, stdout);
	kr_assert(verdict < LOG_VERDICT_COUNT);
	if (log_verdict_class(verdict) == LOG_VERDICT_REFUSE || verdict == LOG_VERDICT_EMPTY)
		return (int)recover_verdict_exit(recovery);
	r = recover_recount(recovery);
	if (r != 0)
		return r;
	print_state(recovery, false);
	return (int)recover_verdict_exit(recovery);
}

static int run_repair(struct recovery *recovery)
{
	int r = recover_build(recovery);
	if (r < 0)
		return recover_fail(recovery, r);
	enum log_verdict_class class = log_verdict_class(recovery->store.recover->report.verdict);
	recover_describe(recovery, stdout);
	if (class == LOG_VERDICT_REFUSE)
		return (int)recover_verdict_exit(recovery);
	if (class != LOG_VERDICT_CUT) {
		puts("there is no tail to cut; nothing was written");
		return 0;
	}
	r = log_store_repair(&recovery->store, &recovery->text);
	if (r < 0)
		return recover_fail(recovery, r);
	puts("the tail is cut; its bytes are kept beside the log");
	kr_assert(recovery->store.is_repaired);
	return 0;
}

static void dump_state(struct recovery *recovery)
{
	struct inv *inv = shard_inventory(recovery->rebuild.shard);
	const struct recover_options *options = recovery->options;
	struct inv_counts counts;
	inv_counts_get(inv, &counts);
	uint32_t nights = recovery->rebuild.config.inventory.window_nights;
	kr_assert(options->dump != 0 && options->dump != RECOVER_LOG);
	if (options->dump == RECOVER_CELLS)
		recover_dump_cells(inv, nights, options->is_json, stdout);
	else if (options->dump == RECOVER_RATES)
		recover_dump_rates(inv, nights, options->is_json, stdout);
	else if (options->dump == RECOVER_SETTINGS)
		recover_dump_settings(inv, nights, options->is_json, stdout);
	else
		recover_dump_reservations(inv, counts.last_t_us, options->is_json, stdout);
}

int recover_run_replay(struct recovery *recovery)
{
	int r = recover_build_as_of(recovery, false);
	if (r != 0)
		return r < 0 ? recover_fail(recovery, r) : RECOVER_EXIT_OUT_OF_REACH;
	if (recover_verdict(recovery) != LOG_VERDICT_CLEAN)
		recover_describe(recovery, stderr);
	if (recover_verdict(recovery) == LOG_VERDICT_EMPTY)
		return (int)recover_verdict_exit(recovery);
	r = recover_recount(recovery);
	if (r != 0)
		return r;
	print_state(recovery, recovery->options->is_json);
	kr_assert(recovery->rebuild.shard != NULL);
	return recover_is_refused(recovery) ? (int)recover_verdict_exit(recovery) : 0;
}

static int run_dump_log(struct recovery *recovery)
{
	int r = read_log(recovery);
	if (r < 0)
		return recover_fail(recovery, r);
	if (recover_verdict(recovery) != LOG_VERDICT_CLEAN)
		recover_describe(recovery, stderr);
	kr_assert(recovery->options->dump == RECOVER_LOG);
	return recover_is_refused(recovery) ? (int)recover_verdict_exit(recovery) : 0;
}

/* A tail that waits to be cut is no part of the state, and no reason not to show it; nor is damage
 * behind the point that was asked for, but the exit status says it. */
static int run_dump(struct recovery *recovery)
{
	const struct recover_options *options = recovery->options;
	bool is_past = options->to_lsn != 0 || options->has_to_time;
	if (options->dump == RECOVER_LOG)
		return run_dump_log(recovery);
	int r = recover_build_as_of(recovery, false);
	if (r != 0)
		return r < 0 ? recover_fail(recovery, r) : RECOVER_EXIT_OUT_OF_REACH;
	enum log_verdict verdict = recover_verdict(recovery);
	if (verdict != LOG_VERDICT_CLEAN)
		recover_describe(recovery, stderr);
	if (recover_is_refused(recovery) && !is_past)
		return (int)recover_verdict_exit(recovery);
	kr_assert(verdict < LOG_VERDICT_COUNT);
	if (verdict != LOG_VERDICT_EMPTY)
		dump_state(recovery);
	return recover_is_refused(recovery) ? (int)recover_verdict_exit(recovery) : 0;
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

int recover_lock(struct recovery *recovery)
{
	int r = take_lock(recovery);
	if (r < 0)
		return recover_fail(recovery, r);
	if (r != LOG_STORE_LOCKED)
		return 0;
	fprintf(stderr, "keyrack-recover: REFUSE IN_USE: %s\n  next: %s\n", recovery->text.bytes,
		log_verdict_next(LOG_VERDICT_IN_USE));
	kr_assert(log_verdict_exit_code(LOG_VERDICT_IN_USE) > 0);
	return (int)log_verdict_exit_code(LOG_VERDICT_IN_USE);
}

static int run_command(struct recovery *recovery)
{
	int status = recover_lock(recovery);
	if (status != 0)
		return status;
	kr_assert(recovery->options->directory != NULL);
	switch (recovery->options->command) {
	case RECOVER_VERIFY:
		return recover_run_verify(recovery);
	case RECOVER_REPAIR_TAIL:
		return run_repair(recovery);
	case RECOVER_REPLAY:
		return recover_run_replay(recovery);
	case RECOVER_WHY:
		return recover_run_why(recovery);
	case RECOVER_SALVAGE:
		return recover_run_salvage(recovery);
	case RECOVER_TRUNCATE:
		return recover_run_truncate(recovery);
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
		return recover_fail(&recovery, r);
	recover_begin(&recovery, tz);
	int status = run_command(&recovery);
	rebuild_fini(&recovery.rebuild);
	log_store_close(&recovery.store);
	kr_assert(status >= 0);
	return status;
}

/* A state that outlives its directory: 0, or the exit status. */
static int read_state(struct recovery *recovery, struct io_loop *loop, const struct tz_db *tz)
{
	const struct recover_options *options = recovery->options;
	int r = log_store_open(loop, &recovery->store, options->directory, 0, options->allow_tmpfs,
		&recovery->text);
	if (r < 0)
		return recover_fail(recovery, r);
	recover_begin(recovery, tz);
	int status = recover_lock(recovery);
	if (status == 0) {
		r = recover_build_as_of(recovery, false);
		if (r != 0)
			status = r < 0 ? recover_fail(recovery, r) : RECOVER_EXIT_OUT_OF_REACH;
		else if (recover_verdict(recovery) != LOG_VERDICT_CLEAN)
			recover_describe(recovery, stderr);
	}
	if (status == 0 && recover_verdict(recovery) == LOG_VERDICT_EMPTY)
		status = (int)recover_verdict_exit(recovery);
	if (status == 0 && options->to_lsn == 0 && recover_is_refused(recovery))
		status = (int)recover_verdict_exit(recovery);
	log_store_close(&recovery->store);
	kr_assert(status >= 0);
	return status;
}

static int run_diff(
	const struct recover_options *options, struct io_loop *loop, const struct tz_db *tz)
{
	struct recover_options first = *options, second = *options;
	struct recovery a = {.options = &first}, b = {.options = &second};
	if (options->other != NULL)
		second.directory = options->other;
	else
		first.to_lsn = options->from_lsn;
	kr_assert(options->command == RECOVER_DIFF);
	int status = read_state(&a, loop, tz);
	if (status == 0)
		status = read_state(&b, loop, tz);
	if (status == 0)
		status = recover_diff(&a, &b, stdout);
	rebuild_fini(&a.rebuild);
	rebuild_fini(&b.rebuild);
	return status;
}

static int run_any(
	const struct recover_options *options, struct io_loop *loop, const struct tz_db *tz)
{
	kr_assert(options->command != 0);
	switch (options->command) {
	case RECOVER_DIFF:
		return run_diff(options, loop, tz);
	case RECOVER_BACKUP:
		return recover_run_backup(options, loop, tz);
	case RECOVER_RESTORE:
		return recover_run_restore(options, loop, tz);
	default:
		return run(options, loop, tz);
	}
}

int main(int argc, char **argv)
{
	struct recover_options options;
	struct kr_error_text text = {0};
	struct io_loop *loop;
	struct io_config config;
	struct tz_db tz;
	recover_options_parse(argc, argv, &options);
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
	int status = run_any(&options, loop, &tz);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("keyrack-recover: standard output could not be written\n", stderr);
		status = RECOVER_EXIT_SYSTEM;
	}
	io_loop_free(loop);
	tz_free(&tz);
	kr_assert(options.command != 0);
	return status;
}

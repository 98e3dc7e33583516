#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <signal.h>
#include <time.h>

#include "tools/keyrack-recover_copy.h"

/*
 * backup: a copy of the directory of a shard that runs, judged by the same recovery as a start's.
 *
 * The shard is not asked and does not wait. While its files are copied it appends, cuts off old
 * segments and writes over them; a copy in which that shows is refused by recovery, thrown away and
 * made again. What was on disk when copying began is in every copy that is not.
 */

#define TRIES_MAX 20u
#define PAUSE_NS 200000000

struct backup {
	const struct recover_options *options;
	struct io_loop *loop;
	const struct tz_db *tz;
	struct copy copy;
	struct kr_error_text text;
};

enum { TRY_AGAIN = -1 }; /* no exit status */

static void print_copy(struct backup *backup, struct recovery *recovery)
{
	struct shard *shard = recovery->rebuild.shard;
	struct inv_counts counts;
	inv_counts_get(shard_inventory(shard), &counts);
	kr_assert(backup->copy.count > 0);
	printf("{\"lsn\":%" PRIu64 ",\"digest\":\"%016" PRIx64 "\",\"hotels\":%u,"
	       "\"types\":%u,\"reservations\":%u,\"files\":[",
		shard_last_lsn(shard), shard_digest(shard), counts.hotels, counts.rows,
		counts.reservations);
	for (uint32_t i = 0; i < backup->copy.count; i++) {
		const struct copy_file *file = &backup->copy.files[i];
		printf("%s{\"name\":\"%s\",\"size\":%" PRIu64 ",\"sum\":\"%016" PRIx64 "\"}",
			i > 0 ? "," : "", file->name, file->size_bytes, file->sum);
	}
	puts("]}");
}

/* A tail that a start would cut is what the shard was writing just then. */
static int judge(struct backup *backup, struct recovery *recovery)
{
	int r = recover_build(recovery);
	if (r < 0)
		return recover_fail(recovery, r);
	if (recover_is_refused(recovery) || recover_verdict(recovery) == LOG_VERDICT_EMPTY)
		return TRY_AGAIN;
	kr_assert(recovery->rebuild.shard != NULL);
	if (shard_last_lsn(recovery->rebuild.shard) < backup->options->to_lsn)
		return TRY_AGAIN;
	r = recover_recount(recovery);
	if (r == 0)
		print_copy(backup, recovery);
	return r;
}

static int copy_judge(struct backup *backup, bool is_last)
{
	struct recovery recovery = {.options = backup->options};
	int status;
	int r = log_store_open(backup->loop, &recovery.store, backup->options->out, 0,
		backup->options->allow_tmpfs, &recovery.text);
	if (r < 0)
		return recover_fail(&recovery, r);
	recover_begin(&recovery, backup->tz);
	status = recover_lock(&recovery);
	if (status == 0)
		status = judge(backup, &recovery);
	if (status == TRY_AGAIN && is_last) {
		recover_describe(&recovery, stderr);
		fprintf(stderr,
			"keyrack-recover: no whole copy up to LSN %" PRIu64 " in %u tries\n",
			backup->options->to_lsn, TRIES_MAX);
		status = RECOVER_EXIT_NOT_COPIED;
	}
	rebuild_fini(&recovery.rebuild);
	log_store_close(&recovery.store);
	kr_assert(status >= TRY_AGAIN);
	return status;
}

static int say(struct backup *backup, int error)
{
	kr_assert(error < 0);
	fprintf(stderr, "keyrack-recover: %s (%s)\n", backup->text.bytes, kr_error_sentence(error));
	return RECOVER_EXIT_SYSTEM;
}

static int make_copies(struct backup *backup)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	for (unsigned i = 1;; i++) {
		int r = copy_make(&backup->copy);
		if (r < 0)
			return say(backup, r);
		int status = copy_judge(backup, i == TRIES_MAX);
		if (status != TRY_AGAIN)
			return status;
		r = copy_clear(&backup->copy);
		if (r < 0)
			return say(backup, r);
		kr_assert(i < TRIES_MAX);
		nanosleep(&pause, NULL);
	}
}

int recover_run_backup(
	const struct recover_options *options, struct io_loop *loop, const struct tz_db *tz)
{
	struct backup backup = {.options = options, .loop = loop, .tz = tz};
	/* Whoever asked for it and is gone wants no copy any more. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	kr_assert(options->out != NULL);
	if (mkdir(options->out, 0777) != 0) {
		int error = kr_error_text_set(&backup.text, kr_error_from_errno(errno), errno,
			"cannot make the new directory %s", options->out);
		return say(&backup, error);
	}
	backup.copy = (struct copy){.from = options->directory,
		.to = options->out,
		.files = recover_alloc(COPY_FILES_MAX, sizeof(*backup.copy.files)),
		.text = &backup.text};
	int status = make_copies(&backup);
	free(backup.copy.files);
	return status;
}

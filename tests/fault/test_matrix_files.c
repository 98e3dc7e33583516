/*
 * The failure matrix over real files, through the functions that a shard's start and the recovery
 * tool call: judged, nothing written by judging, repaired, worked on, found again.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/unit/log/log_matrix.h"
#include "tests/unit/log/real_dir.h"

static void assert_same(struct world *a, struct world *b)
{
	cr_assert_eq(a->file_count, b->file_count);
	for (uint32_t i = 0; i < a->file_count; i++) {
		struct world_file *other = world_find(b, a->files[i].name);
		cr_assert_not_null(other, "%s", a->files[i].name);
		cr_assert_eq(other->size_bytes, a->files[i].size_bytes, "%s", other->name);
		cr_assert_eq(memcmp(other->bytes, a->files[i].bytes, other->size_bytes), 0, "%s",
			other->name);
	}
}

/* The bytes cut away are in a file of their own, all others where they were. */
static void check_cut(struct world *before, const struct real_dir *dir, const struct log_cut *cut)
{
	struct world after;
	struct log_dir_text name;
	real_dir_get(dir, &after);
	struct world_file *old = world_segment(before, cut->segment);
	cr_assert_eq(
		memcmp(old->bytes, world_segment(&after, cut->segment)->bytes, cut->offset_bytes),
		0);
	if (cut->save_size_bytes > 0) {
		log_dir_torn_name(cut->segment, cut->seq, 0, &name);
		struct world_file *kept = world_find(&after, name.bytes);
		cr_assert_not_null(kept);
		cr_assert_eq(kept->size_bytes, cut->save_size_bytes);
		cr_assert_eq(
			memcmp(kept->bytes, old->bytes + cut->offset_bytes, kept->size_bytes), 0);
	}
	for (uint64_t n = cut->rename_first; n != 0 && n <= cut->rename_last; n++) {
		log_dir_torn_name(n, cut->seq, 0, &name);
		struct world_file *aside = world_find(&after, name.bytes);
		cr_assert_not_null(aside);
		cr_assert_eq(
			memcmp(aside->bytes, world_segment(before, n)->bytes, aside->size_bytes),
			0);
	}
	world_fini(&after);
}

static void check_goes_on(struct real_dir *dir, const struct matrix_facts *facts,
	struct world *before, const struct log_cut *cut)
{
	struct real_log log;
	struct applied applied;
	real_log_begin(&log, dir, 0);
	if (cut->is_needed)
		check_cut(before, dir, cut);
	for (uint32_t i = 0; i < 20; i++)
		cr_assert(real_log_append(&log, 10 + i));
	real_log_end(&log);
	real_dir_recover(dir, NULL, &applied);
	const struct log_recover_report *report = &dir->store.recover->report;
	cr_assert_eq(log_verdict_class(report->verdict), LOG_VERDICT_START, "%s",
		log_verdict_name(report->verdict));
	cr_assert_not(applied.is_broken);
	cr_assert_eq(applied.last_lsn, facts->last_lsn + 20 * 10 + 190);
	cr_assert_eq(report->warnings & 1u << LOG_VERDICT_LEFTOVERS, 0);
}

static void run(void (*make)(struct world *, struct matrix_facts *), enum log_verdict verdict)
{
	struct world world;
	struct world after;
	struct real_dir dir;
	struct applied applied;
	struct matrix_facts facts = {0};
	world_init(&world);
	make(&world, &facts);
	world_remove(&world, LOG_DIR_LOCK);
	real_dir_init(&dir);
	real_dir_put(&dir, &world);
	real_dir_recover(&dir, &facts.objection, &applied);
	real_dir_get(&dir, &after);
	assert_same(&world, &after);
	const struct log_recover_report *report = &dir.store.recover->report;
	cr_assert_eq(report->verdict, verdict, "%s, not %s", log_verdict_name(report->verdict),
		log_verdict_name(verdict));
	struct log_cut cut = report->scan.cut;
	if (log_verdict_class(verdict) != LOG_VERDICT_REFUSE && verdict != LOG_VERDICT_EMPTY) {
		cr_assert_not(applied.is_broken);
		cr_assert_eq(applied.reset_count, facts.reset_count);
		cr_assert_eq(applied.chunk_count, facts.chunk_count);
		cr_assert_eq(applied.last_lsn, facts.last_lsn);
		check_goes_on(&dir, &facts, &world, &cut);
	}
	real_dir_fini(&dir);
	world_fini(&world);
	world_fini(&after);
}

#define X(row, name, verdict)                                                                      \
	Test(matrix_files, row_##row##_##name)                                                     \
	{                                                                                          \
		run(matrix_##name, LOG_VERDICT_##verdict);                                         \
	}
MATRIX_TABLE(X)
#undef X

/* No file may grow: what a full disk does to the copy of a torn tail. */
static void files_may_grow(bool may)
{
	struct rlimit limit;
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = may ? limit.rlim_max : 0;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(matrix_files, starts_on_a_full_disk_leave_no_halves_of_a_torn_tail)
{
	struct world world;
	struct real_dir dir;
	struct applied applied;
	struct matrix_facts facts = {0};
	struct kr_error_text text = {0};
	struct log_dir_text name;
	cr_assert_neq(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
	world_init(&world);
	matrix_torn_last_batch_of_garbage(&world, &facts);
	world_remove(&world, LOG_DIR_LOCK);
	real_dir_init(&dir);
	real_dir_put(&dir, &world);
	for (int i = 0; i < 3; i++) {
		real_dir_recover(&dir, &facts.objection, &applied);
		const uint32_t count = real_dir_count(&dir);
		files_may_grow(false);
		cr_assert_lt(log_store_repair(&dir.store, &text), 0);
		files_may_grow(true);
		cr_assert_eq(real_dir_count(&dir), count, "%s", text.bytes);
		real_dir_close(&dir);
	}
	real_dir_recover(&dir, &facts.objection, &applied);
	const struct log_cut cut = dir.store.recover->report.scan.cut;
	cr_assert_eq(log_store_repair(&dir.store, &text), 0, "%s", text.bytes);
	log_dir_torn_name(cut.segment, cut.seq, 0, &name);
	cr_assert(real_dir_has(&dir, name.bytes));
	real_dir_close(&dir);
	real_dir_fini(&dir);
	world_fini(&world);
}

Test(matrix_files, row_19_directory_in_use)
{
	struct real_dir dir;
	struct real_dir other;
	struct log_store store;
	struct kr_error_text text = {0};
	real_dir_init(&dir);
	real_dir_init(&other);
	real_dir_open(&dir);
	cr_assert_eq(log_store_open(other.loop, &store, dir.path, 0, true, &text), 0);
	cr_assert_eq(log_store_lock(&store, &text), LOG_STORE_LOCKED);
	cr_assert_neq(text.bytes[0], '\0');
	real_dir_close(&dir);
	int r = LOG_STORE_LOCKED;
	for (int i = 0; i < 300 && r == LOG_STORE_LOCKED; i++) {
		usleep(10000);
		r = log_store_lock(&store, &text);
	}
	cr_assert_eq(r, 0);
	log_store_close(&store);
	real_dir_fini(&other);
	real_dir_fini(&dir);
}

Test(matrix_files, a_fresh_directory_is_laid_out_and_never_opened_as_another)
{
	struct real_dir dir;
	struct real_log log;
	struct applied applied;
	struct kr_error_text text = {0};
	struct log_meta meta = world_meta(MATRIX_SEGMENT_SIZE);
	real_dir_init(&dir);
	real_dir_recover(&dir, NULL, &applied);
	cr_assert_eq(dir.store.recover->report.verdict, LOG_VERDICT_EMPTY);
	cr_assert_eq(log_store_create(&dir.store, &meta, &text), 0, "%s", text.bytes);
	cr_assert_eq(dir.store.recover->report.verdict, LOG_VERDICT_CLEAN);
	real_log_begin(&log, &dir, 0);
	for (uint32_t i = 0; i < 30; i++)
		cr_assert(real_log_append(&log, 7 * i % 300 + 1));
	real_log_stop(&log, NULL);
	real_dir_recover(&dir, NULL, &applied);
	cr_assert_eq(dir.store.recover->report.verdict, LOG_VERDICT_CLEAN);
	cr_assert_not(applied.is_broken);
	real_dir_close(&dir);
	real_dir_open(&dir);
	meta.shard_count = 8;
	cr_assert_eq(log_store_recover(&dir.store, &meta, false, NULL, &text), 0);
	cr_assert_eq(dir.store.recover->report.verdict, LOG_VERDICT_OTHER_LAYOUT);
	cr_assert_str_eq(dir.store.recover->report.difference, "number of shards");
	real_dir_fini(&dir);
}

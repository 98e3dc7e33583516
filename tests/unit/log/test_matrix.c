/* The failure matrix over the pure recovery; tests/fault runs the same cases on real files. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/log/log_matrix.h"

static void check_effects(const struct applied *applied, const struct matrix_facts *facts)
{
	cr_assert_not(applied->is_broken);
	cr_assert_eq(applied->reset_count, facts->reset_count);
	cr_assert_eq(applied->chunk_count, facts->chunk_count);
	cr_assert_eq(applied->last_lsn, facts->last_lsn, "up to LSN %llu, not %llu",
		(unsigned long long)applied->last_lsn, (unsigned long long)facts->last_lsn);
}

/* The first file of cut bytes holds what lay there, and no byte of the log was lost to it. */
static void check_kept(struct world *before, struct world *after, const struct log_cut *cut)
{
	struct log_dir_text name;
	if (cut->save_size_bytes > 0) {
		log_dir_torn_name(cut->segment, cut->seq, 0, &name);
		struct world_file *kept = world_find(after, name.bytes);
		cr_assert_not_null(kept);
		cr_assert_eq(memcmp(kept->bytes,
				     world_segment(before, cut->segment)->bytes + cut->offset_bytes,
				     cut->save_size_bytes),
			0);
	}
	cr_assert_eq(memcmp(world_segment(before, cut->segment)->bytes,
			     world_segment(after, cut->segment)->bytes, cut->offset_bytes),
		0);
}

/* A start after START or CUT, some work, a kill, and a start again. */
static void check_goes_on(struct world *world, const struct matrix_facts *facts)
{
	struct life life;
	cr_assert(life_begin(&life, world));
	for (uint32_t i = 0; i < 20; i++)
		life_append(&life, 10 + i);
	uint64_t acked = log_writer_acked_lsn(&life.writer);
	cr_assert_eq(acked, facts->last_lsn + 20 * 10 + 190);
	life_end(&life);
	cr_assert(life_begin(&life, world));
	cr_assert_not(life.applied.is_broken);
	cr_assert_eq(life.applied.last_lsn, acked);
	unsigned grave = 1u << LOG_VERDICT_LEFTOVERS | 1u << LOG_VERDICT_MARK_LOST;
	cr_assert_eq(life.recover->report.warnings & grave, 0);
	cr_assert_eq(log_verdict_class(life.recover->report.verdict), LOG_VERDICT_START);
	life_end(&life);
}

static void check_refusal(const struct log_recover_report *report, const struct matrix_facts *facts)
{
	char bytes[2048];
	struct kr_text text;
	cr_assert_not(report->scan.cut.is_needed);
	if (facts->bad_seq != 0)
		cr_assert_eq(report->scan.hole.seq, facts->bad_seq);
	if (facts->bad_lsn != 0)
		cr_assert_eq(report->scan.hole.lsn, facts->bad_lsn);
	if (facts->objection.lsn != 0)
		cr_assert_eq(report->contradiction_lsn, facts->objection.lsn);
	kr_text_init(&text, bytes, sizeof(bytes));
	log_recover_describe(report, &text);
	cr_assert_not_null(strstr(bytes, "REFUSE"));
	cr_assert_not_null(strstr(bytes, "next: "));
	if (facts->says != NULL)
		cr_assert_not_null(strstr(bytes, facts->says), "%s", bytes);
}

static void run(void (*make)(struct world *, struct matrix_facts *), enum log_verdict verdict)
{
	struct world world;
	struct world before;
	struct applied applied;
	struct matrix_facts facts = {0};
	struct log_recover *recover = malloc(sizeof(*recover));
	cr_assert_not_null(recover);
	world_init(&world);
	make(&world, &facts);
	world_copy(&before, &world);
	world_recover(&world, recover, &facts.objection, &applied);
	cr_assert_eq(recover->report.verdict, verdict, "%s, not %s",
		log_verdict_name(recover->report.verdict), log_verdict_name(verdict));
	const struct log_cut *cut = &recover->report.scan.cut;
	if (log_verdict_class(verdict) == LOG_VERDICT_REFUSE) {
		check_refusal(&recover->report, &facts);
	} else if (verdict != LOG_VERDICT_EMPTY) {
		cr_assert_eq(cut->is_needed, log_verdict_class(verdict) == LOG_VERDICT_CUT);
		cr_assert_eq(cut->save_size_bytes, facts.kept_bytes);
		check_effects(&applied, &facts);
		check_goes_on(&world, &facts);
		if (cut->is_needed)
			check_kept(&before, &world, cut);
	}
	world_fini(&world);
	world_fini(&before);
	free(recover);
}

#define X(row, name, verdict)                                                                      \
	Test(matrix, row_##row##_##name)                                                           \
	{                                                                                          \
		run(matrix_##name, LOG_VERDICT_##verdict);                                         \
	}
MATRIX_TABLE(X)
MATRIX_UNREADABLE_TABLE(X)
#undef X

#include <criterion/criterion.h>
#include <string.h>

#include "engine/log/recover.h"

Test(verdict, exit_codes_are_distinct_and_only_clean_is_zero)
{
	for (int a = 0; a < LOG_VERDICT_COUNT; a++) {
		unsigned code = log_verdict_exit_code((enum log_verdict)a);
		cr_assert_eq(code == 0, a == LOG_VERDICT_CLEAN);
		/* 1 to 9 are the program's own: usage, an error of its own. */
		cr_assert(code == 0 || (code >= 10 && code <= 63));
		for (int b = 0; b < a; b++)
			cr_assert_neq(code, log_verdict_exit_code((enum log_verdict)b));
	}
}

Test(verdict, gravity_rises_through_the_table)
{
	for (int i = 1; i < LOG_VERDICT_COUNT; i++)
		cr_assert_geq(log_verdict_class((enum log_verdict)i),
			log_verdict_class((enum log_verdict)(i - 1)));
}

Test(verdict, every_row_of_the_matrix_has_a_verdict)
{
	/* 6 is judged as 4, and 18 as a bad batch: both have tests of their own. */
	for (unsigned row = 1; row <= 20; row++) {
		unsigned found = 0;
		for (int i = 0; i < LOG_VERDICT_COUNT; i++)
			found += log_verdict_row((enum log_verdict)i) == row;
		cr_assert_eq(found > 0, row != 6 && row != 18, "row %u", row);
	}
}

Test(verdict, next_commands_exist)
{
	static const char *const commands[] = {"keyrack-recover verify DIR",
		"keyrack-recover repair-tail DIR", "keyrack-recover dump --log DIR"};
	for (int i = 0; i < LOG_VERDICT_COUNT; i++) {
		const char *next = log_verdict_next((enum log_verdict)i);
		cr_assert_gt(strlen(next), 0);
		cr_assert_gt(strlen(log_verdict_sentence((enum log_verdict)i)), 10);
		for (const char *at = strstr(next, "keyrack-"); at != NULL;
			at = strstr(at + 1, "keyrack-")) {
			bool known = false;
			for (size_t c = 0; c < KR_ARRAY_COUNT(commands); c++)
				known |= strncmp(at, commands[c], strlen(commands[c])) == 0;
			cr_assert(known, "%s", at);
		}
	}
}

Test(verdict, every_verdict_can_be_described)
{
	char bytes[LOG_RECOVER_TEXT_SIZE];
	const uint64_t huge = UINT64_MAX / 2;
	struct kr_text text;
	struct log_recover_report report;
	for (int i = 0; i < LOG_VERDICT_COUNT; i++) {
		/* The longest words for everything at once. */
		memset(&report, 0, sizeof(report));
		report.verdict = (enum log_verdict)i;
		for (int w = 0; log_verdict_class((enum log_verdict)w) == LOG_VERDICT_START; w++)
			report.warnings |= 1u << w;
		report.difference = "shard of the MARK file";
		report.version = UINT16_MAX;
		report.bad_snap_count = LOG_DIR_SNAP_MAX;
		report.first_segment = LOG_DIR_NUMBER_MAX;
		report.contradiction_lsn = huge;
		memset(report.reason, 'x', sizeof(report.reason) - 1);
		memset(report.subject.bytes, 'x', sizeof(report.subject.bytes) - 1);
		memset(report.bad_snap.bytes, 'x', sizeof(report.bad_snap.bytes) - 1);
		report.scan.lost_segment = LOG_DIR_NUMBER_MAX;
		report.scan.version_segment = LOG_DIR_NUMBER_MAX;
		report.scan.version_offset_bytes = huge;
		report.scan.witness_seq = huge;
		report.scan.cut = (struct log_cut){.is_needed = true,
			.segment = LOG_DIR_NUMBER_MAX,
			.offset_bytes = huge,
			.save_size_bytes = huge,
			.seq = huge,
			.rename_first = LOG_DIR_NUMBER_MAX - 1,
			.rename_last = LOG_DIR_NUMBER_MAX};
		report.scan.hole = (struct log_scan_hole){.is_present = true,
			.segment = LOG_DIR_NUMBER_MAX - 1,
			.offset_bytes = huge,
			.seq = huge,
			.lsn = huge,
			.end_segment = LOG_DIR_NUMBER_MAX,
			.end_offset_bytes = huge,
			.end_seq = huge,
			.end_lsn = huge + 1};
		kr_text_init(&text, bytes, sizeof(bytes));
		log_recover_describe(&report, &text);
		cr_assert_not(text.is_cut);
		cr_assert_not_null(strstr(bytes, log_verdict_name(report.verdict)));
		cr_assert_not_null(strstr(bytes, log_verdict_next(report.verdict)));
	}
}

Test(verdict, a_snapshot_that_does_not_fit_the_log_is_told_with_its_lsns)
{
	static const enum log_verdict verdicts[] = {
		LOG_VERDICT_SNAPSHOT_AHEAD, LOG_VERDICT_SNAPSHOT_TOO_OLD};
	char bytes[LOG_RECOVER_TEXT_SIZE];
	struct kr_text text;
	struct log_recover_report report;
	for (size_t i = 0; i < KR_ARRAY_COUNT(verdicts); i++) {
		memset(&report, 0, sizeof(report));
		report.verdict = verdicts[i];
		report.snap_begin_lsn = 12;
		report.snap_end_lsn = 34;
		report.scan.end.next_lsn = 34;
		kr_text_init(&text, bytes, sizeof(bytes));
		log_recover_describe(&report, &text);
		cr_assert_not_null(strstr(bytes, "\n  snapshot of LSN 12 to 34"), "%s", bytes);
	}
	/* a bad one shows nothing */
	report.verdict = LOG_VERDICT_SNAPSHOT_AHEAD;
	report.scan.end.next_lsn = 35;
	kr_text_init(&text, bytes, sizeof(bytes));
	log_recover_describe(&report, &text);
	cr_assert_null(strstr(bytes, "snapshot of LSN"));
}

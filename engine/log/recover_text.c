#include "engine/log/recover.h"

static void put_lsns(struct kr_text *text, uint64_t first, uint64_t next)
{
	kr_assert(text->size_bytes > 0);
	if (next > first)
		kr_text_format(text, ", LSN %llu to %llu", (unsigned long long)first,
			(unsigned long long)(next - 1));
	else
		kr_text_format(text, ", from LSN %llu on", (unsigned long long)first);
}

/* Where the log stops being whole, and where it goes on. */
static void put_hole(const struct log_scan_hole *hole, struct kr_text *text)
{
	struct log_dir_text name;
	if (!hole->is_present || hole->segment == 0)
		return;
	log_dir_segment_name(hole->segment, &name);
	kr_text_format(text, "\n  from %s byte %llu (%s), batch %llu", name.bytes,
		(unsigned long long)hole->offset_bytes,
		hole->is_unreadable ? "cannot be read" : log_batch_status_text(hole->status),
		(unsigned long long)hole->seq);
	put_lsns(text, hole->lsn, hole->end_lsn);
	if (hole->end_segment == 0) {
		kr_text_put_string(text, "\n  to the end of the log");
		return;
	}
	kr_assert(hole->end_segment >= hole->segment);
	log_dir_segment_name(hole->end_segment, &name);
	kr_text_format(text, "\n  to %s byte %llu, where batch %llu is whole", name.bytes,
		(unsigned long long)hole->end_offset_bytes, (unsigned long long)hole->end_seq);
}

static void put_cut(const struct log_cut *cut, struct kr_text *text)
{
	struct log_dir_text name;
	if (!cut->is_needed)
		return;
	kr_assert(cut->segment != 0 && cut->seq != 0);
	log_dir_segment_name(cut->segment, &name);
	kr_text_format(text, "\n  cut: %s at byte %llu, %llu bytes kept in %s.torn-%llu",
		name.bytes, (unsigned long long)cut->offset_bytes,
		(unsigned long long)cut->save_size_bytes, name.bytes, (unsigned long long)cut->seq);
	if (cut->rename_first != 0)
		kr_text_format(text, "; segments %llu to %llu set aside",
			(unsigned long long)cut->rename_first,
			(unsigned long long)cut->rename_last);
}

static void put_snap(const struct log_recover_report *report, struct kr_text *text)
{
	kr_assert(log_verdict_class(report->verdict) == LOG_VERDICT_REFUSE);
	kr_text_format(text, "\n  snapshot of LSN %llu to %llu",
		(unsigned long long)report->snap_begin_lsn,
		(unsigned long long)report->snap_end_lsn);
}

/* What only some verdicts know. */
static void put_detail(const struct log_recover_report *report, struct kr_text *text)
{
	struct log_dir_text name;
	switch (report->verdict) {
	case LOG_VERDICT_VERSION:
		kr_text_format(
			text, "\n  version %u in %s", report->version, report->subject.bytes);
		if (report->scan.version_segment != 0)
			kr_text_format(text, " at byte %llu",
				(unsigned long long)report->scan.version_offset_bytes);
		kr_text_format(text, "; this program knows %u", LOG_FORMAT_VERSION);
		break;
	case LOG_VERDICT_OTHER_LAYOUT:
		kr_assert(report->difference != NULL);
		kr_text_format(text, "\n  what differs: %s", report->difference);
		break;
	case LOG_VERDICT_SEGMENT_MISSING:
	case LOG_VERDICT_FILE_SHORT:
		log_dir_segment_name(report->scan.lost_segment, &name);
		kr_text_format(text, "\n  which: %s", name.bytes);
		break;
	case LOG_VERDICT_CONTRADICTION:
	case LOG_VERDICT_DIGEST:
		kr_text_format(text, "\n  at LSN %llu: %s",
			(unsigned long long)report->contradiction_lsn, report->reason);
		break;
	case LOG_VERDICT_SNAPSHOT_AHEAD:
		/* A bad one shows nothing and is named below. */
		if (report->snap_end_lsn >= report->scan.end.next_lsn)
			put_snap(report, text);
		break;
	case LOG_VERDICT_SNAPSHOT_TOO_OLD:
		put_snap(report, text);
		break;
	case LOG_VERDICT_SNAPSHOTS_BAD:
		if (report->first_segment == 0) {
			kr_text_put_string(text, "\n  there is no log");
			break;
		}
		log_dir_segment_name(report->first_segment, &name);
		kr_text_format(text, "\n  the log begins with %s", name.bytes);
		break;
	default:
		break;
	}
	if (report->bad_snap_count > 0)
		kr_text_format(text, "\n  bad snapshots: %u, the newest of them %s",
			report->bad_snap_count, report->bad_snap.bytes);
}

void log_recover_describe(const struct log_recover_report *report, struct kr_text *text)
{
	enum log_verdict verdict = report->verdict;
	static const char *const words[] = {
		[LOG_VERDICT_START] = "START",
		[LOG_VERDICT_CUT] = "CUT",
		[LOG_VERDICT_REFUSE] = "REFUSE",
	};
	kr_assert((unsigned)verdict < LOG_VERDICT_COUNT);
	kr_assert((unsigned)log_verdict_class(verdict) < KR_ARRAY_COUNT(words));
	kr_text_format(text, "%s %s: %s", words[log_verdict_class(verdict)],
		log_verdict_name(verdict), log_verdict_sentence(verdict));
	put_detail(report, text);
	if (log_verdict_class(verdict) != LOG_VERDICT_START)
		put_hole(&report->scan.hole, text);
	if (report->scan.witness_seq >= report->scan.end.next_seq && report->scan.hole.is_present)
		kr_text_format(text, "\n  batch %llu is recorded as durable",
			(unsigned long long)report->scan.witness_seq);
	put_cut(&report->scan.cut, text);
	for (unsigned i = 0; i < LOG_VERDICT_COUNT; i++) {
		if ((report->warnings & 1u << i) != 0 && i != (unsigned)verdict)
			kr_text_format(
				text, "\n  also: %s", log_verdict_sentence((enum log_verdict)i));
	}
	kr_text_format(text, "\n  next: %s\n", log_verdict_next(verdict));
}

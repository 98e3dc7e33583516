#include "engine/log/recover.h"

#include <string.h>

#include "base/bug.h"

enum phase { PHASE_SHARD, PHASE_MARK, PHASE_SNAPS, PHASE_LOG, PHASE_DONE };

#define STEP_AGAIN ((enum log_recover_step)(-1))

kr_static_assert(LOG_SNAP_WINDOW_SIZE <= LOG_RECOVER_WINDOW_SIZE, "one window serves both");
kr_static_assert(LOG_VERDICT_COUNT <= 32, "warnings are bits");

void log_recover_init(struct log_recover *recover, const struct log_meta *wanted)
{
	/* Large, and each entry is written whole before it is read. */
	memset(recover, 0, offsetof(struct log_recover, segments));
	recover->phase = PHASE_SHARD;
	if (wanted != NULL) {
		kr_assert(wanted->cluster != 0 && wanted->slot_count != 0);
		recover->wanted = *wanted;
		recover->has_wanted = true;
	}
	kr_assert(recover->segment_count == 0);
}

static void add_leftover(struct log_recover *recover, const char *name)
{
	size_t length = strlen(name);
	if (recover->leftover_count == LOG_RECOVER_LEFTOVER_MAX || length >= LOG_DIR_NAME_SIZE)
		return;
	struct log_dir_text *leftover = &recover->leftovers[recover->leftover_count++];
	memcpy(leftover->bytes, name, length + 1);
	kr_assert(recover->leftover_count <= LOG_RECOVER_LEFTOVER_MAX);
}

static void add_segment(struct log_recover *recover, uint64_t number, uint64_t size_bytes)
{
	if (recover->segment_count == LOG_DIR_SEGMENT_MAX) {
		recover->is_segment_overflow = true;
		return;
	}
	uint32_t at = recover->segment_count++;
	for (; at > 0 && recover->segments[at - 1].number > number; at--)
		recover->segments[at] = recover->segments[at - 1];
	kr_assert(at == 0 || recover->segments[at - 1].number < number);
	recover->segments[at] = (struct log_segment){.number = number, .size_bytes = size_bytes};
}

static void add_snap(struct log_recover *recover, uint64_t lsn, uint64_t size_bytes)
{
	uint32_t at = recover->snap_count;
	while (at > 0 && recover->snaps[at - 1].name_lsn < lsn)
		at--;
	if (at == LOG_DIR_SNAP_MAX)
		return;
	if (recover->snap_count < LOG_DIR_SNAP_MAX)
		recover->snap_count++;
	for (uint32_t i = recover->snap_count - 1; i > at; i--)
		recover->snaps[i] = recover->snaps[i - 1];
	kr_assert(at == 0 || recover->snaps[at - 1].name_lsn > lsn);
	recover->snaps[at] = (struct log_recover_snap){.name_lsn = lsn, .size_bytes = size_bytes};
}

void log_recover_add_file(struct log_recover *recover, const char *name, uint64_t size_bytes)
{
	struct log_dir_name parsed;
	kr_assert(recover->phase == PHASE_SHARD && recover->data == NULL);
	log_dir_parse(name, &parsed);
	/* A file whose bytes never came, of a kind that always has some: only its name survived. */
	bool is_empty =
		size_bytes == 0 && (parsed.kind == LOG_DIR_SEGMENT || parsed.kind == LOG_DIR_SNAP);
	if (parsed.kind == LOG_DIR_LEFTOVER || is_empty)
		add_leftover(recover, name);
	else if (parsed.kind == LOG_DIR_SEGMENT)
		add_segment(recover, parsed.number, size_bytes);
	else if (parsed.kind == LOG_DIR_SNAP)
		add_snap(recover, parsed.number, size_bytes);
	else if (strcmp(name, LOG_DIR_SHARD) == 0)
		recover->has_shard_file = true;
	else if (strcmp(name, LOG_DIR_MARK) == 0)
		recover->mark_size_bytes = size_bytes;
}

static void subject_set(struct log_recover *recover, const char *name)
{
	size_t length = strlen(name);
	kr_assert(length < LOG_DIR_NAME_SIZE);
	memset(&recover->report.subject, 0, sizeof(recover->report.subject));
	memcpy(recover->report.subject.bytes, name, length);
	kr_assert(recover->report.subject.bytes[length] == '\0');
}

static void warn(struct log_recover *recover, enum log_verdict verdict)
{
	kr_assert(log_verdict_class(verdict) == LOG_VERDICT_START);
	kr_assert(verdict != LOG_VERDICT_CLEAN);
	recover->report.warnings |= 1u << verdict;
}

static enum log_recover_step finish(struct log_recover *recover, enum log_verdict verdict)
{
	struct log_recover_report *report = &recover->report;
	kr_assert(recover->phase != PHASE_DONE);
	recover->phase = PHASE_DONE;
	if (recover->leftover_count > 0)
		warn(recover, LOG_VERDICT_LEFTOVERS);
	report->verdict = verdict;
	/* An empty directory is laid out whatever lies about in it. */
	if (verdict != LOG_VERDICT_EMPTY && log_verdict_class(verdict) == LOG_VERDICT_START &&
		report->warnings != 0) {
		uint32_t gravest = 31u - (uint32_t)__builtin_clz(report->warnings);
		report->verdict = KR_MAX(verdict, (enum log_verdict)gravest);
	}
	uint64_t epoch = report->scan.end.epoch;
	if (report->has_mark)
		epoch = KR_MAX(epoch, report->mark.epoch);
	if (report->has_snap)
		epoch = KR_MAX(epoch, recover->snap_reader.header.epoch);
	report->next_epoch = epoch + !bug_is(BUG_EPOCH_NOT_MOVED);
	return LOG_RECOVER_DONE;
}

static enum log_recover_step need_file(struct log_recover *recover, const char *name,
	uint64_t offset, uint32_t size_bytes, struct log_recover_event *ret_event)
{
	size_t length = strlen(name);
	kr_assert(length < LOG_DIR_NAME_SIZE && size_bytes <= LOG_RECOVER_WINDOW_SIZE);
	memcpy(ret_event->name.bytes, name, length + 1);
	ret_event->offset_bytes = offset;
	ret_event->size_bytes = size_bytes;
	recover->need_blocks = size_bytes / LOG_BLOCK_SIZE;
	recover->is_fed = false;
	return LOG_RECOVER_NEED;
}

static bool any_bad(const uint8_t *bad, uint32_t block_count)
{
	kr_assert(block_count > 0);
	return bad != NULL && !log_block_is_zero(bad, block_count);
}

void log_recover_feed(struct log_recover *recover, const uint8_t *data, const uint8_t *bad)
{
	kr_assert(recover->phase != PHASE_DONE);
	kr_assert(!recover->is_fed);
	kr_assert(data != NULL);
	recover->is_fed = true;
	recover->data = data;
	if (recover->phase == PHASE_LOG)
		log_scan_feed(&recover->scan, data, bad);
	if (recover->phase == PHASE_SNAPS)
		log_snap_reader_feed(
			&recover->snap_reader, any_bad(bad, recover->need_blocks) ? NULL : data);
}

static enum log_recover_step step_shard(
	struct log_recover *recover, struct log_recover_event *ret_event)
{
	struct log_recover_report *report = &recover->report;
	bool is_bare = recover->segment_count == 0 && recover->snap_count == 0;
	kr_assert(recover->phase == PHASE_SHARD);
	subject_set(recover, LOG_DIR_SHARD);
	if (!recover->has_shard_file)
		return finish(recover, is_bare ? LOG_VERDICT_EMPTY : LOG_VERDICT_NOT_A_SHARD);
	if (!recover->is_fed)
		return need_file(recover, LOG_DIR_SHARD, 0, LOG_BLOCK_SIZE, ret_event);
	enum log_meta_status status =
		log_meta_decode(recover->data, &report->meta, &report->version);
	if (status == LOG_META_BAD_VERSION)
		return finish(recover, LOG_VERDICT_VERSION);
	if (status != LOG_META_OK)
		return finish(recover, LOG_VERDICT_NOT_A_SHARD);
	if (recover->has_wanted)
		report->difference = log_meta_difference(&report->meta, &recover->wanted);
	if (report->difference != NULL)
		return finish(recover, LOG_VERDICT_OTHER_LAYOUT);
	if (recover->is_segment_overflow)
		return finish(recover, LOG_VERDICT_LIMIT);
	recover->is_fed = false;
	recover->phase = PHASE_MARK;
	return STEP_AGAIN;
}

static void snap_begin(struct log_recover *recover)
{
	struct log_lineage lineage = {
		.cluster = recover->report.meta.cluster, .shard = recover->report.meta.shard};
	const struct log_recover_snap *snap = &recover->snaps[recover->snap_index];
	kr_assert(recover->snap_index < recover->snap_count);
	log_snap_reader_init(&recover->snap_reader, &lineage, snap->name_lsn, snap->size_bytes);
	recover->is_soiled = false;
}

static bool is_from_start(const struct log_recover *recover)
{
	kr_assert(recover->segment_count <= LOG_DIR_SEGMENT_MAX);
	return recover->segment_count > 0 && recover->segments[0].number == 1;
}

static void snaps_reverse(struct log_recover *recover)
{
	kr_assert(recover->snap_index == 0 && recover->snap_count <= LOG_DIR_SNAP_MAX);
	for (uint32_t i = 0; i < recover->snap_count / 2; i++) {
		struct log_recover_snap *other = &recover->snaps[recover->snap_count - 1 - i];
		struct log_recover_snap snap = recover->snaps[i];
		recover->snaps[i] = *other;
		*other = snap;
	}
}

/* On to the next snapshot that may serve. */
static void snap_next(struct log_recover *recover)
{
	const struct log_reach *reach = &recover->reach;
	kr_assert(recover->phase == PHASE_SNAPS && !recover->report.has_snap);
	while (recover->snap_index < recover->snap_count && reach->from_oldest &&
		(is_from_start(recover) ||
			recover->snaps[recover->snap_index].name_lsn < reach->snap_min_lsn)) {
		recover->report.passed_snap_count++;
		recover->snap_index++;
	}
	if (recover->snap_index < recover->snap_count)
		snap_begin(recover);
}

static enum log_recover_step step_mark(
	struct log_recover *recover, struct log_recover_event *ret_event)
{
	struct log_recover_report *report = &recover->report;
	enum log_meta_status status = LOG_META_BAD;
	kr_assert(recover->phase == PHASE_MARK && !report->has_mark);
	if (recover->mark_size_bytes > 0 && !recover->is_fed)
		return need_file(recover, LOG_DIR_MARK, 0, LOG_MARK_FILE_SIZE, ret_event);
	if (recover->is_fed)
		status = log_mark_choose(recover->data, &report->mark, &report->version);
	subject_set(recover, LOG_DIR_MARK);
	if (status == LOG_META_BAD_VERSION)
		return finish(recover, LOG_VERDICT_VERSION);
	if (status == LOG_META_OK) {
		report->has_mark = true;
		if (report->mark.cluster != report->meta.cluster)
			report->difference = "cluster of the MARK file";
		else if (report->mark.shard != report->meta.shard)
			report->difference = "shard of the MARK file";
		if (report->difference != NULL)
			return finish(recover, LOG_VERDICT_OTHER_LAYOUT);
	}
	subject_set(recover, "");
	recover->is_fed = false;
	recover->phase = PHASE_SNAPS;
	if (recover->reach.from_oldest)
		snaps_reverse(recover);
	snap_next(recover);
	return STEP_AGAIN;
}

static void log_begin(struct log_recover *recover)
{
	struct log_recover_report *report = &recover->report;
	struct log_scan_config config = {
		.lineage = {.cluster = report->meta.cluster, .shard = report->meta.shard},
		.segment_size_bytes = (uint64_t)report->meta.segment_blocks * LOG_BLOCK_SIZE,
		.segments = recover->segments,
		.segment_count = recover->segment_count,
		.mark = report->has_mark ? &report->mark : NULL,
	};
	kr_assert(recover->phase == PHASE_SNAPS);
	log_scan_init(&recover->scan, &config);
	recover->phase = PHASE_LOG;
	recover->is_fed = false;
}

/* No snapshot serves: the log has to go back to the first effect. */
static enum log_recover_step without_snap(struct log_recover *recover)
{
	struct log_recover_report *report = &recover->report;
	bool is_fresh = recover->segment_count == 0 && recover->snap_count == 0;
	kr_assert(!report->has_snap);
	kr_assert(report->bad_snap_count + report->passed_snap_count == recover->snap_count);
	report->is_out_of_reach = !is_from_start(recover) && report->reach_lsn != 0;
	if (!is_from_start(recover) && !is_fresh) {
		if (recover->segment_count > 0)
			report->first_segment = recover->segments[0].number;
		return finish(recover, LOG_VERDICT_SNAPSHOTS_BAD);
	}
	if (report->bad_snap_count > 0)
		warn(recover, LOG_VERDICT_FULL_REPLAY);
	log_begin(recover);
	return STEP_AGAIN;
}

/* Whole, but it shows what came after the wanted state. */
static enum log_recover_step snap_pass(struct log_recover *recover)
{
	struct log_recover_report *report = &recover->report;
	uint64_t end_lsn = recover->snap_reader.footer.end_lsn;
	bool was_soiled = recover->is_soiled;
	kr_assert(end_lsn > recover->reach.to_lsn);
	report->passed_snap_count++;
	recover->snaps[recover->snap_index].is_passed = true;
	report->reach_lsn = report->reach_lsn == 0 ? end_lsn : KR_MIN(report->reach_lsn, end_lsn);
	recover->snap_index++;
	snap_next(recover);
	return was_soiled ? LOG_RECOVER_RESET : STEP_AGAIN;
}

static enum log_recover_step snap_done(struct log_recover *recover)
{
	struct log_recover_report *report = &recover->report;
	struct log_recover_snap *snap = &recover->snaps[recover->snap_index];
	struct log_dir_text name;
	log_dir_snap_name(snap->name_lsn, &name);
	snap->status = recover->snap_reader.status;
	if (snap->status == LOG_SNAP_OK && recover->reach.to_lsn != 0 &&
		recover->snap_reader.footer.end_lsn > recover->reach.to_lsn)
		return snap_pass(recover);
	if (snap->status == LOG_SNAP_OK) {
		report->has_snap = true;
		report->snap = recover->snap_reader.footer;
		report->snap_begin_lsn = report->snap.begin_lsn;
		report->snap_end_lsn = report->snap.end_lsn;
		kr_assert(report->snap_end_lsn >= report->snap_begin_lsn);
		if (report->bad_snap_count > 0)
			warn(recover, LOG_VERDICT_OLDER_SNAPSHOT);
		log_begin(recover);
		return STEP_AGAIN;
	}
	if (snap->status == LOG_SNAP_BAD_VERSION) {
		report->version = recover->snap_reader.version;
		subject_set(recover, name.bytes);
		return finish(recover, LOG_VERDICT_VERSION);
	}
	if (report->bad_snap_count == 0)
		report->bad_snap = name;
	report->bad_snap_count++;
	snap->is_bad = true;
	bool was_soiled = recover->is_soiled;
	recover->snap_index++;
	snap_next(recover);
	return was_soiled ? LOG_RECOVER_RESET : STEP_AGAIN;
}

static enum log_recover_step step_snaps(
	struct log_recover *recover, struct log_recover_event *ret_event)
{
	struct log_snap_event event;
	struct log_dir_text name;
	if (recover->snap_index == recover->snap_count)
		return without_snap(recover);
	log_dir_snap_name(recover->snaps[recover->snap_index].name_lsn, &name);
	kr_assert(recover->phase == PHASE_SNAPS && !recover->report.has_snap);
	switch (log_snap_reader_next(&recover->snap_reader, &event)) {
	case LOG_SNAP_NEED:
		return need_file(
			recover, name.bytes, event.offset_bytes, event.size_bytes, ret_event);
	case LOG_SNAP_CHUNK:
		recover->is_soiled = true;
		ret_event->name = name;
		ret_event->offset_bytes = event.offset_bytes;
		ret_event->size_bytes = event.size_bytes;
		ret_event->chunk = event.chunk;
		ret_event->body = event.body;
		return LOG_RECOVER_CHUNK;
	default:
		return snap_done(recover);
	}
}

/*
 * A snapshot gets its name when the log is durable up to there. So the name alone, whatever has
 * become of the rest, proves effects that the log must not end before.
 */
static bool is_behind_a_bad_snap(const struct log_recover *recover)
{
	const uint64_t next_lsn = recover->report.scan.end.next_lsn;
	kr_assert(next_lsn != 0);
	if (recover->reach.to_lsn != 0)
		return false;
	for (uint32_t i = 0; i < recover->snap_count; i++)
		if (recover->snaps[i].is_bad && recover->snaps[i].name_lsn >= next_lsn)
			return true;
	return false;
}

static enum log_recover_step log_done(struct log_recover *recover)
{
	struct log_recover_report *report = &recover->report;
	report->scan = recover->scan.result;
	report->warnings |= report->scan.warnings;
	enum log_verdict verdict = report->scan.verdict;
	if (verdict == LOG_VERDICT_VERSION) {
		struct log_dir_text name;
		log_dir_segment_name(report->scan.version_segment, &name);
		subject_set(recover, name.bytes);
		report->version = report->scan.version;
	}
	if (log_verdict_class(verdict) == LOG_VERDICT_REFUSE)
		return finish(recover, verdict);
	kr_assert(report->scan.end.next_lsn != 0);
	if (report->has_snap && report->snap_end_lsn >= report->scan.end.next_lsn &&
		!bug_is(BUG_SNAPSHOT_AHEAD_ACCEPTED))
		return finish(recover, LOG_VERDICT_SNAPSHOT_AHEAD);
	if (is_behind_a_bad_snap(recover))
		return finish(recover, LOG_VERDICT_SNAPSHOT_AHEAD);
	if (!report->has_mark && report->scan.batch_count > 0)
		warn(recover, LOG_VERDICT_MARK_LOST);
	return finish(recover, verdict);
}

/* LSNs of a batch that replay needs; a snapshot already holds the others, on every chunk. */
static bool is_wanted(const struct log_recover *recover, const struct log_batch_header *header)
{
	kr_assert(header->first_lsn != 0);
	if (recover->wants_all)
		return true;
	if (recover->reach.to_lsn != 0 && header->first_lsn > recover->reach.to_lsn)
		return false;
	return header->count > 0 &&
	       header->first_lsn + header->count - 1 > recover->report.snap_begin_lsn;
}

static enum log_recover_step log_batch(struct log_recover *recover,
	const struct log_scan_event *event, struct log_recover_event *ret_event)
{
	struct log_recover_report *report = &recover->report;
	const struct log_batch_header *header = event->header;
	if (report->has_snap && recover->scan.result.batch_count == 1 &&
		header->first_lsn > report->snap_begin_lsn + 1) {
		report->scan = recover->scan.result;
		report->is_out_of_reach = report->reach_lsn != 0;
		return finish(recover, LOG_VERDICT_SNAPSHOT_TOO_OLD);
	}
	recover->header = *header;
	/* While chunks are ahead of the log, the state is of no single LSN. */
	recover->owes_digest =
		(header->flags & LOG_BATCH_DIGEST) != 0 &&
		header->first_lsn + header->count > report->snap_end_lsn &&
		(recover->reach.to_lsn == 0 ||
			header->first_lsn + header->count - 1 <= recover->reach.to_lsn);
	if (!is_wanted(recover, header))
		return STEP_AGAIN;
	log_dir_segment_name(event->segment, &ret_event->name);
	ret_event->offset_bytes = event->offset_bytes;
	ret_event->size_bytes = event->size_bytes;
	ret_event->header = &recover->header;
	ret_event->body = event->body;
	kr_assert(ret_event->body != NULL);
	return LOG_RECOVER_BATCH;
}

static enum log_recover_step step_log(
	struct log_recover *recover, struct log_recover_event *ret_event)
{
	struct log_scan_event event;
	struct log_dir_text name;
	kr_assert(recover->phase == PHASE_LOG);
	if (recover->owes_digest) {
		recover->owes_digest = false;
		ret_event->header = &recover->header;
		return LOG_RECOVER_DIGEST;
	}
	switch (log_scan_next(&recover->scan, &event)) {
	case LOG_SCAN_NEED:
		log_dir_segment_name(event.segment, &name);
		return need_file(
			recover, name.bytes, event.offset_bytes, event.size_bytes, ret_event);
	case LOG_SCAN_BATCH:
		return log_batch(recover, &event, ret_event);
	default:
		return log_done(recover);
	}
}

enum log_recover_step log_recover_next(
	struct log_recover *recover, struct log_recover_event *ret_event)
{
	enum log_recover_step step = STEP_AGAIN;
	memset(ret_event, 0, sizeof(*ret_event));
	while (step == STEP_AGAIN) {
		switch (recover->phase) {
		case PHASE_SHARD:
			step = step_shard(recover, ret_event);
			break;
		case PHASE_MARK:
			step = step_mark(recover, ret_event);
			break;
		case PHASE_SNAPS:
			step = step_snaps(recover, ret_event);
			break;
		case PHASE_LOG:
			step = step_log(recover, ret_event);
			break;
		default:
			step = LOG_RECOVER_DONE;
		}
	}
	kr_assert(step != LOG_RECOVER_DONE || recover->phase == PHASE_DONE);
	return step;
}

void log_recover_contradict(
	struct log_recover *recover, enum log_verdict verdict, uint64_t lsn, const char *reason)
{
	struct log_recover_report *report = &recover->report;
	struct kr_text text;
	kr_assert(verdict == LOG_VERDICT_CONTRADICTION || verdict == LOG_VERDICT_DIGEST);
	kr_assert(recover->phase == PHASE_SNAPS || recover->phase == PHASE_LOG);
	if (recover->phase == PHASE_LOG)
		report->scan = recover->scan.result;
	report->contradiction_lsn = lsn;
	kr_text_init(&text, report->reason, sizeof(report->reason));
	kr_text_put_string(&text, reason);
	finish(recover, verdict);
}

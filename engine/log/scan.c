#include "engine/log/scan.h"

#include <string.h>

#include "base/bug.h"

enum phase { PHASE_CHAIN, PHASE_SEARCH, PHASE_DONE };

/* A step that has nothing to tell the caller yet. */
#define STEP_AGAIN ((enum log_scan_step)(-1))

kr_static_assert(LOG_SCAN_WINDOW_SIZE >= LOG_BATCH_SIZE_MAX, "a batch lies in one window");

void log_scan_init(struct log_scan *scan, const struct log_scan_config *config)
{
	kr_assert(config->segment_size_bytes % LOG_BLOCK_SIZE == 0);
	kr_assert(config->segment_size_bytes >= LOG_BLOCK_SIZE);
	memset(scan, 0, sizeof(*scan));
	scan->config = *config;
	scan->phase = PHASE_CHAIN;
	struct log_position *end = &scan->result.end;
	end->term = 1;
	if (config->segment_count == 0) {
		/* As if a segment 0 were full: the first one is still to be made. */
		end->offset_bytes = config->segment_size_bytes;
	} else {
		end->segment = config->segments[0].number;
	}
	if (end->segment <= 1) {
		scan->is_anchored = true;
		end->next_seq = 1;
		end->next_lsn = 1;
		end->chain = LOG_GENESIS_CHAIN;
	}
	for (uint32_t i = 0; i < config->segment_count; i++) {
		const struct log_segment *segment = &config->segments[i];
		kr_assert(i == 0 || segment->number > segment[-1].number);
		if (segment->size_bytes != config->segment_size_bytes)
			scan->result.warnings |= 1u << LOG_VERDICT_FILE_SIZE;
	}
}

static struct log_segment *segment_now(const struct log_scan *scan)
{
	kr_assert(scan->index < scan->config.segment_count);
	return &scan->config.segments[scan->index];
}

/* Where a segment's file, or what may be used of it, ends. */
static uint64_t readable_end(const struct log_scan *scan, const struct log_segment *segment)
{
	uint64_t size = segment->size_bytes & ~(uint64_t)(LOG_BLOCK_SIZE - 1);
	uint64_t end = KR_MIN(size, scan->config.segment_size_bytes);
	kr_assert(end % LOG_BLOCK_SIZE == 0);
	return end;
}

static enum log_scan_step finish(struct log_scan *scan, enum log_verdict verdict)
{
	kr_assert(scan->phase != PHASE_DONE);
	scan->phase = PHASE_DONE;
	scan->result.verdict = verdict;
	if (scan->config.mark != NULL)
		scan->durable_seq = KR_MAX(scan->durable_seq, scan->config.mark->durable_seq);
	scan->result.witness_seq = scan->durable_seq;
	return LOG_SCAN_DONE;
}

/* `size_bytes` from the cursor on, or NULL when they are not in the window. */
static const uint8_t *window_here(const struct log_scan *scan, uint32_t size_bytes)
{
	if (scan->window == NULL || scan->window_index != scan->index ||
		scan->offset_bytes < scan->window_offset_bytes)
		return NULL;
	uint64_t at = scan->offset_bytes - scan->window_offset_bytes;
	if (at > scan->window_size_bytes || scan->window_size_bytes - at < size_bytes)
		return NULL;
	kr_assert(at % LOG_BLOCK_SIZE == 0 && size_bytes % LOG_BLOCK_SIZE == 0);
	return scan->window + at;
}

static bool is_unreadable(const struct log_scan *scan, uint32_t size_bytes)
{
	kr_assert(window_here(scan, size_bytes) != NULL);
	if (scan->window_bad == NULL)
		return false;
	uint64_t first = (scan->offset_bytes - scan->window_offset_bytes) / LOG_BLOCK_SIZE;
	for (uint64_t i = 0; i < size_bytes / LOG_BLOCK_SIZE; i++) {
		if (scan->window_bad[first + i] != 0)
			return true;
	}
	return false;
}

static enum log_scan_step need(struct log_scan *scan, struct log_scan_event *ret_event)
{
	const struct log_segment *segment = segment_now(scan);
	uint64_t left = readable_end(scan, segment) - scan->offset_bytes;
	kr_assert(scan->offset_bytes < readable_end(scan, segment));
	scan->window = NULL;
	scan->window_index = scan->index;
	scan->window_offset_bytes = scan->offset_bytes;
	scan->window_size_bytes = (uint32_t)KR_MIN(left, LOG_SCAN_WINDOW_SIZE);
	ret_event->segment = segment->number;
	ret_event->offset_bytes = scan->offset_bytes;
	ret_event->size_bytes = scan->window_size_bytes;
	kr_assert(ret_event->size_bytes >= LOG_BLOCK_SIZE);
	return LOG_SCAN_NEED;
}

void log_scan_feed(struct log_scan *scan, const uint8_t *data, const uint8_t *bad)
{
	kr_assert(scan->phase != PHASE_DONE && scan->window == NULL);
	kr_assert(data != NULL && scan->window_size_bytes != 0);
	scan->window = data;
	scan->window_bad = bad;
}

/* Segments follow one another without a gap: the writer makes and removes them in order. */
static enum log_scan_step next_segment(struct log_scan *scan)
{
	uint64_t number = segment_now(scan)->number;
	scan->index++;
	scan->offset_bytes = 0;
	if (scan->index == scan->config.segment_count)
		return STEP_AGAIN;
	if (segment_now(scan)->number == number + 1)
		return STEP_AGAIN;
	kr_assert(segment_now(scan)->number > number + 1);
	scan->result.lost_segment = number + 1;
	return finish(scan, LOG_VERDICT_SEGMENT_MISSING);
}

static bool is_ours(const struct log_scan *scan, const struct log_batch_header *header)
{
	kr_assert(header->magic == LOG_BATCH_MAGIC);
	return header->cluster == scan->config.lineage.cluster &&
	       header->shard == scan->config.lineage.shard &&
	       (header->epoch >= scan->result.end.epoch || bug_is(BUG_STALE_BATCH_ACCEPTED));
}

static bool is_in_place(const struct log_scan *scan, const struct log_batch_header *header)
{
	kr_assert(scan->offset_bytes % LOG_BLOCK_SIZE == 0);
	return (header->segment == segment_now(scan)->number || bug_is(BUG_STALE_BATCH_ACCEPTED)) &&
	       header->block_index == scan->offset_bytes / LOG_BLOCK_SIZE;
}

/* Is this batch the one that the batch before it, the end so far, announces? */
static bool continues(const struct log_scan *scan, const struct log_batch_header *header)
{
	const struct log_position *end = &scan->result.end;
	kr_assert(scan->is_anchored && end->next_seq != 0);
	return header->batch_seq == end->next_seq &&
	       (header->prev_chain == end->chain || bug_is(BUG_CHAIN_UNCHECKED)) &&
	       header->first_lsn == end->next_lsn && header->timestamp_us >= end->timestamp_us &&
	       header->term >= end->term;
}

enum look {
	LOOK_NEED,  /* the window does not hold it */
	LOOK_BATCH, /* whole, ours, in its place */
	LOOK_BAD,   /* status says why, or the disk could not read it */
	LOOK_STALE, /* a header, but of another log or an earlier life */
	LOOK_VERSION,
};

struct seen {
	const uint8_t *bytes;
	struct log_batch_header header; /* LOOK_BATCH, LOOK_STALE, or has_header */
	enum log_batch_status status;
	bool is_unreadable;
	bool has_header; /* ours and whole, be the body what it may */
};

static enum look look_at_body(const struct log_scan *scan, struct seen *seen)
{
	uint32_t size = log_batch_size(seen->header.body_size_bytes);
	uint64_t left = readable_end(scan, segment_now(scan)) - scan->offset_bytes;
	kr_assert(seen->has_header && left >= LOG_BLOCK_SIZE);
	seen->status = LOG_BATCH_BAD_FIELD;
	if (size > left)
		return LOOK_BAD;
	seen->bytes = window_here(scan, size);
	if (seen->bytes == NULL)
		return LOOK_NEED;
	seen->is_unreadable = is_unreadable(scan, size);
	if (seen->is_unreadable)
		return LOOK_BAD;
	seen->status = log_batch_body_check(&seen->header, seen->bytes);
	return seen->status == LOG_BATCH_OK ? LOOK_BATCH : LOOK_BAD;
}

static enum look look(const struct log_scan *scan, struct seen *seen)
{
	memset(seen, 0, sizeof(*seen));
	seen->bytes = window_here(scan, LOG_BLOCK_SIZE);
	if (seen->bytes == NULL)
		return LOOK_NEED;
	seen->status = LOG_BATCH_BAD_MAGIC;
	seen->is_unreadable = is_unreadable(scan, LOG_BLOCK_SIZE);
	if (seen->is_unreadable)
		return LOOK_BAD;
	seen->status = log_batch_header_read(seen->bytes, &seen->header);
	if (seen->status == LOG_BATCH_BAD_VERSION)
		return LOOK_VERSION;
	if (seen->status != LOG_BATCH_OK)
		return LOOK_BAD;
	kr_assert(seen->header.batch_seq != 0);
	if (!is_ours(scan, &seen->header))
		return LOOK_STALE;
	seen->has_header = true;
	if (!is_in_place(scan, &seen->header))
		return LOOK_STALE;
	return look_at_body(scan, seen);
}

static enum log_scan_step finish_version(struct log_scan *scan, const struct seen *seen)
{
	kr_assert(seen->status == LOG_BATCH_BAD_VERSION);
	scan->result.version = seen->header.format_version;
	scan->result.version_segment = segment_now(scan)->number;
	scan->result.version_offset_bytes = scan->offset_bytes;
	return finish(scan, LOG_VERDICT_VERSION);
}

static void hole_begin(struct log_scan *scan, enum log_batch_status status, bool unreadable)
{
	struct log_scan_hole *hole = &scan->result.hole;
	kr_assert(scan->phase == PHASE_CHAIN && !hole->is_present);
	hole->is_present = true;
	hole->is_unreadable = unreadable;
	hole->status = status;
	hole->segment = segment_now(scan)->number;
	hole->offset_bytes = scan->offset_bytes;
	hole->seq = scan->result.end.next_seq;
	hole->lsn = scan->result.end.next_lsn;
	scan->phase = PHASE_SEARCH;
}

static void hole_ends(struct log_scan *scan, const struct log_batch_header *header)
{
	struct log_scan_hole *hole = &scan->result.hole;
	kr_assert(hole->is_present && hole->end_segment == 0);
	hole->end_segment = segment_now(scan)->number;
	hole->end_offset_bytes = scan->offset_bytes;
	hole->end_seq = header->batch_seq;
	hole->end_lsn = header->first_lsn;
	kr_assert(hole->end_segment != 0);
}

static enum log_scan_step finish_conflict(
	struct log_scan *scan, const struct log_batch_header *header)
{
	if (!scan->result.hole.is_present)
		hole_begin(scan, LOG_BATCH_OK, false);
	if (scan->result.hole.end_segment == 0)
		hole_ends(scan, header);
	return finish(scan, LOG_VERDICT_CHAIN);
}

/* A log whose beginning was pruned starts with any batch: nothing before it can be checked. */
static void anchor(struct log_scan *scan, const struct log_batch_header *header)
{
	struct log_position *end = &scan->result.end;
	kr_assert(!scan->is_anchored && scan->index == 0 && scan->offset_bytes == 0);
	end->next_seq = header->batch_seq;
	end->next_lsn = header->first_lsn;
	end->chain = header->prev_chain;
	end->term = header->term;
	scan->is_anchored = true;
	kr_assert(continues(scan, header));
}

static enum log_scan_step accept(
	struct log_scan *scan, const struct seen *seen, struct log_scan_event *ret_event)
{
	struct log_position *end = &scan->result.end;
	struct log_segment *segment = segment_now(scan);
	const struct log_batch_header *header = &seen->header;
	const struct log_mark *mark = scan->config.mark;
	kr_assert(continues(scan, header) && is_in_place(scan, header));
	if (mark != NULL && mark->durable_seq == header->batch_seq &&
		mark->chain != header->header_checksum)
		return finish_conflict(scan, header);
	ret_event->segment = segment->number;
	ret_event->offset_bytes = scan->offset_bytes;
	ret_event->size_bytes = log_batch_size(header->body_size_bytes);
	scan->header = *header;
	ret_event->header = &scan->header;
	ret_event->body = seen->bytes + LOG_BATCH_HEADER_SIZE;
	scan->offset_bytes += ret_event->size_bytes;
	*end = (struct log_position){
		.segment = segment->number,
		.offset_bytes = scan->offset_bytes,
		.next_seq = header->batch_seq + 1,
		.next_lsn = header->first_lsn + header->count,
		.chain = header->header_checksum,
		.epoch = header->epoch,
		.term = header->term,
		.timestamp_us = header->timestamp_us,
	};
	if (segment->first_seq == 0) {
		segment->first_seq = header->batch_seq;
		segment->first_lsn = header->first_lsn;
	}
	segment->last_seq = header->batch_seq;
	segment->last_lsn = end->next_lsn - 1;
	scan->result.batch_count++;
	kr_assert(end->offset_bytes <= scan->config.segment_size_bytes);
	return LOG_SCAN_BATCH;
}

static enum log_scan_step finish_at_end(struct log_scan *scan);

static enum log_scan_step step_chain(struct log_scan *scan, struct log_scan_event *ret_event)
{
	struct seen seen;
	if (scan->index == scan->config.segment_count)
		return finish_at_end(scan);
	if (scan->offset_bytes >= scan->config.segment_size_bytes)
		return next_segment(scan);
	if (scan->offset_bytes >= readable_end(scan, segment_now(scan))) {
		hole_begin(scan, LOG_BATCH_ZERO, true);
		return STEP_AGAIN;
	}
	kr_assert(scan->phase == PHASE_CHAIN);
	switch (look(scan, &seen)) {
	case LOOK_NEED:
		return need(scan, ret_event);
	case LOOK_VERSION:
		return finish_version(scan, &seen);
	case LOOK_BATCH:
		if (!scan->is_anchored)
			anchor(scan, &seen.header);
		if (!continues(scan, &seen.header))
			return finish_conflict(scan, &seen.header);
		return accept(scan, &seen, ret_event);
	default:
		hole_begin(scan, seen.status, seen.is_unreadable);
		return STEP_AGAIN;
	}
}

/* Something that is not zero lies at the cursor, `size_bytes` long. */
static void soil(struct log_scan *scan, uint32_t size_bytes, bool is_stale)
{
	struct log_scan_hole *hole = &scan->result.hole;
	kr_assert(hole->is_present && size_bytes % LOG_BLOCK_SIZE == 0);
	if (!scan->is_tail_dirty && !scan->is_later_dirty)
		hole->is_stale = is_stale;
	if (segment_now(scan)->number == hole->segment) {
		scan->is_tail_dirty = true;
		scan->dirty_end_bytes = scan->offset_bytes + size_bytes;
	} else {
		scan->is_later_dirty = true;
	}
}

/* The writer went on to the next segment because the batch did not fit in the rest of this one. */
static bool is_rotation(const struct log_scan *scan, const struct log_batch_header *header)
{
	const struct log_scan_hole *hole = &scan->result.hole;
	kr_assert(hole->is_present);
	return scan->is_anchored && scan->offset_bytes == 0 && hole->end_segment == 0 &&
	       segment_now(scan)->number == hole->segment + 1 && continues(scan, header);
}

static enum log_scan_step search_found(struct log_scan *scan, const struct seen *seen)
{
	uint32_t size = log_batch_size(seen->header.body_size_bytes);
	kr_assert(scan->phase == PHASE_SEARCH && seen->status == LOG_BATCH_OK);
	if (is_rotation(scan, &seen->header)) {
		memset(&scan->result.hole, 0, sizeof(scan->result.hole));
		scan->is_tail_dirty = false;
		scan->is_later_dirty = false;
		scan->phase = PHASE_CHAIN;
		return STEP_AGAIN;
	}
	if (scan->is_anchored && seen->header.batch_seq <= scan->result.end.next_seq)
		return finish_conflict(scan, &seen->header);
	if (scan->result.hole.end_segment == 0)
		hole_ends(scan, &seen->header);
	soil(scan, size, false);
	scan->offset_bytes += size;
	return STEP_AGAIN;
}

static enum log_scan_step step_search(struct log_scan *scan, struct log_scan_event *ret_event)
{
	struct seen seen;
	if (scan->index == scan->config.segment_count)
		return finish_at_end(scan);
	if (scan->offset_bytes >= readable_end(scan, segment_now(scan)))
		return next_segment(scan);
	kr_assert(scan->phase == PHASE_SEARCH);
	enum look looked = look(scan, &seen);
	if (looked == LOOK_NEED)
		return need(scan, ret_event);
	/* Written by us after what it says was known: a witness, whatever became of its body. */
	if (seen.has_header && !bug_is(BUG_WITNESS_IGNORED))
		scan->durable_seq = KR_MAX(scan->durable_seq, seen.header.durable_seq);
	if (looked == LOOK_VERSION)
		return finish_version(scan, &seen);
	if (looked == LOOK_BATCH)
		return search_found(scan, &seen);
	if (looked == LOOK_STALE || seen.status != LOG_BATCH_ZERO)
		soil(scan, LOG_BLOCK_SIZE, looked == LOOK_STALE);
	scan->offset_bytes += bug_is(BUG_LENGTH_TRUSTED) && seen.has_header
				      ? log_batch_size(seen.header.body_size_bytes)
				      : LOG_BLOCK_SIZE;
	return STEP_AGAIN;
}

/* Which words fit acknowledged batches that the mark, or nothing but it, speaks for. */
static enum log_verdict verdict_of_mark(struct log_scan *scan)
{
	const struct log_mark *mark = scan->config.mark;
	uint32_t count = scan->config.segment_count;
	uint64_t last = count == 0 ? 0 : scan->config.segments[count - 1].number;
	kr_assert(mark != NULL && mark->durable_seq >= scan->result.end.next_seq);
	scan->result.lost_segment = mark->segment;
	if (mark->segment > last || mark->segment < scan->config.segments[0].number)
		return LOG_VERDICT_SEGMENT_MISSING;
	uint64_t at = mark->segment - scan->config.segments[0].number;
	kr_assert(at < count);
	if (mark->end_block * LOG_BLOCK_SIZE > scan->config.segments[at].size_bytes)
		return LOG_VERDICT_FILE_SHORT;
	scan->result.lost_segment = 0;
	return LOG_VERDICT_LAST_DAMAGED;
}

static enum log_verdict verdict_of_tail(const struct log_scan *scan)
{
	const struct log_scan_hole *hole = &scan->result.hole;
	if (!hole->is_present)
		return LOG_VERDICT_CLEAN;
	if (hole->end_segment != 0)
		return LOG_VERDICT_HOLE;
	if (!scan->is_tail_dirty && !scan->is_later_dirty)
		return LOG_VERDICT_CLEAN;
	return hole->is_stale ? LOG_VERDICT_STALE_TAIL : LOG_VERDICT_TORN_TAIL;
}

static void plan_cut(struct log_scan *scan)
{
	const struct log_scan_hole *hole = &scan->result.hole;
	struct log_cut *cut = &scan->result.cut;
	kr_assert(hole->is_present && (scan->is_tail_dirty || scan->is_later_dirty));
	cut->is_needed = true;
	cut->segment = hole->segment;
	cut->offset_bytes = hole->offset_bytes;
	cut->seq = hole->seq;
	if (scan->is_tail_dirty)
		cut->save_size_bytes = scan->dirty_end_bytes - hole->offset_bytes;
	if (scan->is_later_dirty) {
		cut->rename_first = hole->segment + 1;
		cut->rename_last = scan->config.segments[scan->config.segment_count - 1].number;
	}
	kr_assert(cut->rename_last >= cut->rename_first);
}

static enum log_scan_step finish_at_end(struct log_scan *scan)
{
	const struct log_mark *mark = scan->config.mark;
	const struct log_scan_hole *hole = &scan->result.hole;
	uint64_t next_seq = scan->result.end.next_seq;
	kr_assert(scan->index == scan->config.segment_count);
	/* A segment other than the first begins with an acknowledged batch: its forerunners were
	 * removed only after that. */
	if (!scan->is_anchored)
		return finish(scan, LOG_VERDICT_DAMAGED);
	if (scan->durable_seq >= next_seq) {
		kr_assert(hole->is_present);
		if (hole->is_unreadable && hole->status == LOG_BATCH_ZERO) {
			scan->result.lost_segment = hole->segment;
			return finish(scan, LOG_VERDICT_FILE_SHORT);
		}
		return finish(scan, LOG_VERDICT_DAMAGED);
	}
	if (mark != NULL && mark->durable_seq >= next_seq && !bug_is(BUG_MARK_IGNORED))
		return finish(scan, verdict_of_mark(scan));
	enum log_verdict verdict = verdict_of_tail(scan);
	if (log_verdict_class(verdict) == LOG_VERDICT_CUT)
		plan_cut(scan);
	return finish(scan, verdict);
}

enum log_scan_step log_scan_next(struct log_scan *scan, struct log_scan_event *ret_event)
{
	enum log_scan_step step = STEP_AGAIN;
	memset(ret_event, 0, sizeof(*ret_event));
	while (step == STEP_AGAIN) {
		if (scan->phase == PHASE_CHAIN)
			step = step_chain(scan, ret_event);
		else if (scan->phase == PHASE_SEARCH)
			step = step_search(scan, ret_event);
		else
			step = LOG_SCAN_DONE;
	}
	kr_assert(step != LOG_SCAN_NEED || ret_event->size_bytes % LOG_BLOCK_SIZE == 0);
	return step;
}

bool log_cut_is_kept(const uint8_t *now, const uint8_t *copy, uint64_t size_bytes)
{
	kr_assert(size_bytes % LOG_BLOCK_SIZE == 0);
	kr_assert(now != copy);
	for (uint64_t at = 0; at < size_bytes; at++)
		if (now[at] != copy[at] && now[at] != 0)
			return false;
	return true;
}

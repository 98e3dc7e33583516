#include "engine/log/truncate.h"

#include <string.h>

#include "engine/log/store_priv.h"

static uint64_t segment_size(const struct log_store *store)
{
	uint64_t size = (uint64_t)store->recover->report.meta.segment_blocks * LOG_BLOCK_SIZE;
	kr_assert(size > 0);
	return size;
}

/* Up to the end of the last block that is not zero, or cannot be read. */
static int find_dirt(struct log_store *store, struct io_file *file, struct log_cut *cut)
{
	uint8_t *window = log_store_window(store);
	uint64_t size = 0;
	int r = io_file_size(file, &size);
	size -= size % LOG_BLOCK_SIZE;
	kr_assert(cut->save_size_bytes == 0);
	for (uint64_t at = cut->offset_bytes; r == 0 && at < size; at += LOG_BLOCK_SIZE) {
		size_t got = 0;
		r = io_file_read_now(file, window, LOG_BLOCK_SIZE, at, &got);
		bool is_bad = r == -KR_E_IO;
		if (is_bad || (r == 0 && !log_block_is_zero(window, LOG_BLOCK_SIZE)))
			cut->save_size_bytes = at + LOG_BLOCK_SIZE - cut->offset_bytes;
		if (is_bad)
			r = 0;
	}
	return r;
}

/* Later segments are set aside if any of them holds batches, or might. */
static void plan_later(const struct log_store *store, struct log_cut *cut)
{
	const struct log_recover *recover = store->recover;
	bool is_wanted = log_verdict_class(recover->report.verdict) == LOG_VERDICT_REFUSE;
	kr_assert(cut->segment != 0);
	for (uint32_t i = 0; i < recover->segment_count; i++) {
		const struct log_segment *segment = &recover->segments[i];
		if (segment->number <= cut->segment)
			continue;
		if (cut->rename_first == 0)
			cut->rename_first = segment->number;
		cut->rename_last = segment->number;
		is_wanted = is_wanted || segment->first_seq != 0;
	}
	if (!is_wanted)
		cut->rename_first = cut->rename_last = 0;
}

/* ---- MARK ---- */

static int mark_write(struct log_store *store, struct io_file *file, struct log_mark *mark)
{
	uint8_t *block = log_store_window(store);
	int r = 0;
	/* Both blocks: the other one must not speak for what is gone when this one is damaged. */
	for (unsigned i = 0; r == 0 && i < 2; i++) {
		mark->generation++;
		log_mark_encode(mark, block);
		r = io_file_write_now(
			file, block, LOG_BLOCK_SIZE, (mark->generation & 1) * LOG_BLOCK_SIZE);
		if (r == 0)
			r = io_file_sync_now(file);
	}
	kr_assert(r <= 0);
	return r;
}

static int lower_mark(
	struct log_store *store, const struct log_batch_header *kept, struct kr_error_text *text)
{
	const struct log_recover_report *report = &store->recover->report;
	struct log_mark mark = report->mark;
	struct io_file file = {0};
	if (!report->has_mark || mark.durable_seq <= kept->batch_seq)
		return 0;
	mark.durable_seq = kept->batch_seq;
	mark.durable_lsn = kept->first_lsn + kept->count - 1;
	mark.chain = kept->header_checksum;
	mark.segment = kept->segment;
	mark.end_block = kept->block_index + log_batch_size(kept->body_size_bytes) / LOG_BLOCK_SIZE;
	mark.timestamp_us = kept->timestamp_us;
	mark.epoch = KR_MAX(mark.epoch, report->next_epoch - 1);
	kr_assert(mark.epoch >= kept->epoch);
	int r = io_file_open(&store->directory, &file, LOG_DIR_MARK,
		IO_FILE_WRITE | IO_FILE_DIRECT | IO_FILE_DSYNC);
	if (r == 0) {
		r = mark_write(store, &file, &mark);
		io_file_close(&file);
	}
	if (r < 0)
		return log_store_failed(r, file.errno_number, "writing", LOG_DIR_MARK, text);
	return 0;
}

/* ---- snapshots ---- */

static int snap_rename(struct log_store *store, uint64_t lsn, uint64_t seq)
{
	struct log_dir_text name, torn;
	uint64_t size;
	int r = 0;
	log_dir_snap_name(lsn, &name);
	for (unsigned i = 0; r == 0 && i < STORE_TORN_NAME_MAX; i++) {
		log_dir_snap_torn_name(lsn, seq, i, &torn);
		r = io_directory_file_size(&store->directory, torn.bytes, &size);
	}
	kr_assert(r <= 0);
	if (r == 0)
		return -KR_E_LIMIT;
	if (r != -KR_E_NOENT)
		return r;
	return io_directory_rename_now(&store->directory, name.bytes, torn.bytes);
}

static int set_snaps_aside(struct log_store *store, uint64_t seq, struct kr_error_text *text)
{
	const struct log_recover *recover = store->recover;
	for (uint32_t i = 0; i < recover->snap_count; i++) {
		struct log_dir_text name;
		/* The name of a bad one would go on claiming what is cut. */
		if (!recover->snaps[i].is_passed &&
			(!recover->snaps[i].is_bad ||
				recover->snaps[i].name_lsn <= recover->reach.to_lsn))
			continue;
		kr_assert(i == 0 || recover->snaps[i - 1].name_lsn > recover->snaps[i].name_lsn);
		int r = snap_rename(store, recover->snaps[i].name_lsn, seq);
		log_dir_snap_name(recover->snaps[i].name_lsn, &name);
		if (r < 0)
			return log_store_failed(r, store->directory.errno_number, "setting aside",
				name.bytes, text);
		r = log_store_sync_directory(store, text);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- the segment ---- */

/* At its full size: the batches that stay, then zeroes. */
static int write_copy(struct log_store *store, struct io_file *from, const struct log_cut *cut,
	struct io_file *to)
{
	uint8_t *window = log_store_window(store);
	int r = io_file_truncate_now(to, 0);
	if (r == 0)
		r = log_store_copy(store, from, 0, cut->offset_bytes, to);
	kr_assert(cut->offset_bytes <= segment_size(store));
	memset(window, 0, STORE_WINDOW_SIZE);
	if (r == 0)
		r = log_store_zero(to, window, cut->offset_bytes, segment_size(store));
	return r == 0 ? io_file_sync_now(to) : r;
}

static int replace_segment(struct log_store *store, struct io_file *from, const struct log_cut *cut,
	struct kr_error_text *text)
{
	struct io_file to = {0};
	struct log_dir_text name, new_name;
	if (cut->save_size_bytes == 0)
		return 0;
	log_dir_segment_name(cut->segment, &name);
	log_dir_segment_new_name(cut->segment, &new_name);
	kr_assert(cut->offset_bytes > 0);
	int r = io_file_open(&store->directory, &to, new_name.bytes,
		IO_FILE_WRITE | IO_FILE_CREATE | IO_FILE_DIRECT);
	if (r == 0) {
		r = write_copy(store, from, cut, &to);
		io_file_close(&to);
	}
	if (r < 0)
		return log_store_failed(r, to.errno_number, "writing", new_name.bytes, text);
	r = io_directory_rename_now(&store->directory, new_name.bytes, name.bytes);
	if (r < 0)
		return log_store_failed(
			r, store->directory.errno_number, "renaming", new_name.bytes, text);
	return log_store_sync_directory(store, text);
}

static int cut_off(struct log_store *store, struct io_file *file, struct log_cut *cut,
	const struct log_batch_header *kept, struct kr_error_text *text)
{
	struct log_dir_text name;
	log_dir_segment_name(cut->segment, &name);
	int r = find_dirt(store, file, cut);
	if (r < 0)
		return log_store_failed(r, file->errno_number, "reading", name.bytes, text);
	plan_later(store, cut);
	kr_assert(cut->seq == kept->batch_seq + 1);
	r = log_store_sync_directory(store, text);
	if (r == 0)
		r = log_store_save_torn(store, file, cut, text);
	if (r == 0)
		r = lower_mark(store, kept, text);
	if (r == 0)
		r = set_snaps_aside(store, cut->seq, text);
	if (r == 0)
		r = log_store_set_aside(store, cut, text);
	return r == 0 ? replace_segment(store, file, cut, text) : r;
}

int log_store_truncate(
	struct log_store *store, const struct log_batch_header *kept, struct kr_error_text *text)
{
	struct io_file file = {0};
	struct log_dir_text name;
	struct log_cut cut = {
		.is_needed = true,
		.segment = kept->segment,
		.offset_bytes = (uint64_t)kept->block_index * LOG_BLOCK_SIZE +
				log_batch_size(kept->body_size_bytes),
		.seq = kept->batch_seq + 1,
	};
	kr_assert(store->is_locked && !store->is_repaired && !store->has_archive);
	kr_assert(store->reach.to_lsn == kept->first_lsn + kept->count - 1);
	int r = log_store_open_segment(store, cut.segment, &file, &name);
	if (r < 0)
		return log_store_failed(r, file.errno_number, "opening", name.bytes, text);
	r = cut_off(store, &file, &cut, kept, text);
	io_file_close(&file);
	return r;
}

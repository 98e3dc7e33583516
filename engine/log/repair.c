#include <string.h>

#include "engine/log/store_priv.h"

int log_store_sync_directory(struct log_store *store, struct kr_error_text *text)
{
	kr_assert(store->is_locked);
	int r = io_directory_sync_now(&store->directory);
	if (r < 0)
		return kr_error_text_set(
			text, r, store->directory.errno_number, "syncing the directory");
	return 0;
}

uint8_t *log_store_window(struct log_store *store)
{
	uint8_t *end = (uint8_t *)store->memory.base + store->memory.size_bytes;
	uint8_t *window = end - LOG_SCAN_WINDOW_BLOCKS - STORE_WINDOW_SIZE;
	window -= (uintptr_t)window % LOG_BLOCK_SIZE;
	kr_assert(window > (uint8_t *)store->recover);
	return window;
}

int log_store_zero(struct io_file *file, const uint8_t *zeroes, uint64_t offset, uint64_t end)
{
	kr_assert(offset % LOG_BLOCK_SIZE == 0 && end % LOG_BLOCK_SIZE == 0);
	while (offset < end) {
		uint64_t size = KR_MIN(end - offset, STORE_WINDOW_SIZE);
		int r = io_file_write_now(file, zeroes, size, offset);
		if (r < 0)
			return r;
		offset += size;
	}
	kr_assert(offset >= end);
	return 0;
}

/* --- laying out --- */

static int create_shard_file(struct log_store *store, const uint8_t *block, struct io_file *file)
{
	int r = io_file_open(&store->directory, file, LOG_DIR_SHARD LOG_DIR_NEW_SUFFIX,
		IO_FILE_WRITE | IO_FILE_CREATE | IO_FILE_DIRECT);
	if (r < 0)
		return r;
	kr_assert((uintptr_t)block % LOG_BLOCK_SIZE == 0);
	r = io_file_write_now(file, block, LOG_BLOCK_SIZE, 0);
	if (r == 0)
		r = io_file_sync_now(file);
	io_file_close(file);
	return r;
}

int log_store_create(struct log_store *store, struct log_meta *meta, struct kr_error_text *text)
{
	struct io_file file = {0};
	struct log_recover_report *report = &store->recover->report;
	uint8_t *block = log_store_window(store);
	kr_assert(report->verdict == LOG_VERDICT_EMPTY && store->is_locked);
	log_meta_encode(meta, block);
	int r = create_shard_file(store, block, &file);
	if (r < 0)
		return log_store_failed(
			r, file.errno_number, "writing", LOG_DIR_SHARD LOG_DIR_NEW_SUFFIX, text);
	r = io_directory_rename_now(
		&store->directory, LOG_DIR_SHARD LOG_DIR_NEW_SUFFIX, LOG_DIR_SHARD);
	if (r < 0)
		return log_store_failed(
			r, store->directory.errno_number, "renaming", LOG_DIR_SHARD, text);
	r = log_store_sync_directory(store, text);
	if (r < 0)
		return r;
	/* Read back rather than assumed: what a start finds is what this run works with. */
	r = log_store_recover(store, meta, false, NULL, text);
	if (r < 0)
		return r;
	if (log_verdict_class(report->verdict) != LOG_VERDICT_START ||
		report->verdict == LOG_VERDICT_EMPTY)
		return kr_error_text_set(text, -KR_E_CORRUPT, 0,
			"the directory laid out just now reads as: %s",
			log_verdict_sentence(report->verdict));
	return 0;
}

/* --- cutting --- */

/* Under a free name: an earlier cut may have set a segment of this number aside. */
static int rename_aside(
	struct log_store *store, uint64_t number, uint64_t seq, struct log_dir_text *name)
{
	struct log_dir_text torn;
	uint64_t size;
	int r = 0;
	log_dir_segment_name(number, name);
	for (unsigned i = 0; r == 0 && i < STORE_TORN_NAME_MAX; i++) {
		log_dir_torn_name(number, seq, i, &torn);
		r = io_directory_file_size(&store->directory, torn.bytes, &size);
	}
	kr_assert(r <= 0);
	if (r == 0)
		return -KR_E_LIMIT;
	if (r != -KR_E_NOENT)
		return r;
	r = io_directory_rename_now(&store->directory, name->bytes, torn.bytes);
	/* Only an operator's cut, past a hole, meets a number that is missing. */
	return r == -KR_E_NOENT ? 0 : r;
}

/* The last one first, each durable before the next: numbers never have a gap. */
int log_store_set_aside(
	struct log_store *store, const struct log_cut *cut, struct kr_error_text *text)
{
	struct log_dir_text name;
	if (cut->rename_first == 0)
		return 0;
	kr_assert(cut->rename_last >= cut->rename_first);
	for (uint64_t number = cut->rename_last; number >= cut->rename_first; number--) {
		int r = rename_aside(store, number, cut->seq, &name);
		if (r < 0)
			return log_store_failed(r, store->directory.errno_number, "setting aside",
				name.bytes, text);
		r = log_store_sync_directory(store, text);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A segment after the cut, at its full size: zeroes from `offset` to the end. */
static int zero_rest(struct log_store *store, struct io_file *file, uint64_t offset)
{
	uint8_t *zeroes = log_store_window(store);
	uint64_t size = (uint64_t)store->recover->report.meta.segment_blocks * LOG_BLOCK_SIZE;
	kr_assert(offset <= size);
	memset(zeroes, 0, STORE_WINDOW_SIZE);
	int r = log_store_zero(file, zeroes, offset, size);
	if (r == 0)
		r = io_file_sync_now(file);
	return r;
}

int log_store_open_segment(struct log_store *store, uint64_t number, struct io_file *file,
	struct log_dir_text *ret_name)
{
	log_dir_segment_name(number, ret_name);
	kr_assert(store->is_locked);
	return io_file_open(&store->directory, file, ret_name->bytes,
		IO_FILE_READ | IO_FILE_WRITE | IO_FILE_DIRECT);
}

static int cut(struct log_store *store, struct kr_error_text *text)
{
	const struct log_cut *plan = &store->recover->report.scan.cut;
	struct io_file file = {0};
	struct log_dir_text name;
	if (!plan->is_needed)
		return 0;
	int r = log_store_open_segment(store, plan->segment, &file, &name);
	if (r < 0)
		return log_store_failed(r, file.errno_number, "opening", name.bytes, text);
	r = log_store_save_torn(store, &file, plan, text);
	if (r == 0)
		r = log_store_set_aside(store, plan, text);
	if (r == 0) {
		r = zero_rest(store, &file, plan->offset_bytes);
		if (r < 0)
			r = log_store_failed(r, file.errno_number, "zeroing", name.bytes, text);
	}
	io_file_close(&file);
	return r;
}

/* --- the rest of a repair --- */

/* Segments from the end of the log on get their full size. Not by truncation: a hole in the file
 * would ask for disk space at an append. */
static int extend(
	struct log_store *store, const struct log_segment *segment, struct kr_error_text *text)
{
	struct io_file file = {0};
	struct log_dir_text name;
	uint64_t size = (uint64_t)store->recover->report.meta.segment_blocks * LOG_BLOCK_SIZE;
	if (segment->size_bytes >= size)
		return 0;
	int r = log_store_open_segment(store, segment->number, &file, &name);
	if (r == 0) {
		r = zero_rest(store, &file, segment->size_bytes & ~(uint64_t)(LOG_BLOCK_SIZE - 1));
		io_file_close(&file);
	}
	if (r < 0)
		return log_store_failed(r, file.errno_number, "extending", name.bytes, text);
	return 0;
}

/*
 * What was read may still be on its way to the disk: a killed process leaves writes in the page
 * cache or in the disk's own. From here on it is taken for durable, so it has to be.
 */
static int sync_segment(
	struct log_store *store, const struct log_segment *segment, struct kr_error_text *text)
{
	struct io_file file = {0};
	struct log_dir_text name;
	int r = log_store_open_segment(store, segment->number, &file, &name);
	if (r == 0) {
		r = io_file_sync_now(&file);
		io_file_close(&file);
	}
	if (r < 0)
		return log_store_failed(r, file.errno_number, "syncing", name.bytes, text);
	return 0;
}

static int settle_segments(struct log_store *store, struct kr_error_text *text)
{
	struct log_recover *recover = store->recover;
	const struct log_recover_report *report = &recover->report;
	uint64_t end = report->scan.end.segment;
	uint64_t durable = report->has_mark ? report->mark.segment : 0;
	uint64_t aside = report->scan.cut.rename_first;
	for (uint32_t i = 0; i < recover->segment_count; i++) {
		const struct log_segment *segment = &recover->segments[i];
		int r = 0;
		if (aside != 0 && segment->number >= aside)
			break;
		if (segment->number >= end)
			r = extend(store, segment, text);
		if (r == 0 && segment->number >= durable && segment->number <= end)
			r = sync_segment(store, segment, text);
		if (r < 0)
			return r;
	}
	return 0;
}

static int remove_leftovers(struct log_store *store, struct kr_error_text *text)
{
	const struct log_recover *recover = store->recover;
	for (uint32_t i = 0; i < recover->leftover_count; i++) {
		const char *name = recover->leftovers[i].bytes;
		int r = io_directory_unlink_now(&store->directory, name);
		if (r < 0 && r != -KR_E_NOENT)
			return log_store_failed(
				r, store->directory.errno_number, "removing", name, text);
	}
	kr_assert(recover->leftover_count <= LOG_RECOVER_LEFTOVER_MAX);
	return recover->leftover_count == 0 ? 0 : log_store_sync_directory(store, text);
}

/* The writer's table: segments that hold batches, and whether one is in reserve. */
static void trim_table(struct log_store *store)
{
	struct log_recover *recover = store->recover;
	uint64_t end = recover->report.scan.end.segment;
	uint64_t aside = recover->report.scan.cut.rename_first;
	uint32_t count = 0;
	while (count < recover->segment_count && recover->segments[count].number <= end)
		count++;
	store->has_reserve = count < recover->segment_count &&
			     (aside == 0 || recover->segments[count].number < aside);
	kr_assert(!store->has_reserve || recover->segments[count].number == end + 1);
	recover->segment_count = count;
}

int log_store_repair(struct log_store *store, struct kr_error_text *text)
{
	const struct log_recover_report *report = &store->recover->report;
	kr_assert(store->is_locked && !store->is_repaired && !store->has_archive);
	kr_assert(log_verdict_class(report->verdict) != LOG_VERDICT_REFUSE);
	kr_assert(report->verdict != LOG_VERDICT_EMPTY);
	/* Names too may still be on their way: a process killed between a rename and its sync
	 * leaves a segment or snapshot that is there now and gone after a power cut. */
	int r = log_store_sync_directory(store, text);
	if (r == 0)
		r = cut(store, text);
	if (r == 0)
		r = settle_segments(store, text);
	if (r == 0)
		r = remove_leftovers(store, text);
	if (r < 0)
		return r;
	trim_table(store);
	store->is_repaired = true;
	return 0;
}

#include "engine/log/walk.h"

#include "engine/log/store_priv.h"

struct walk {
	struct log_store *store;
	int (*on_batch)(void *context, const struct log_batch_header *header, const uint8_t *body);
	void *context;
	struct io_file file;
	uint64_t number;
	uint64_t offset_bytes;
	uint64_t last_seq;
};

/* 0, with *ret_is_whole false for what the disk cannot read or the file does not have. */
static int read_here(struct walk *walk, uint32_t size_bytes, bool *ret_is_whole)
{
	size_t got = 0;
	kr_assert(size_bytes <= STORE_WINDOW_SIZE && size_bytes % LOG_BLOCK_SIZE == 0);
	int r = io_file_read_now(
		&walk->file, log_store_window(walk->store), size_bytes, walk->offset_bytes, &got);
	*ret_is_whole = r == 0 && got == size_bytes;
	return r == -KR_E_IO || r == -KR_E_CORRUPT ? 0 : r;
}

static bool is_ours(const struct walk *walk, const struct log_batch_header *header)
{
	const struct log_meta *meta = &walk->store->recover->report.meta;
	kr_assert(meta->cluster != 0);
	return header->cluster == meta->cluster && header->shard == meta->shard &&
	       header->segment == walk->number &&
	       header->block_index == walk->offset_bytes / LOG_BLOCK_SIZE &&
	       header->batch_seq > walk->last_seq;
}

/* One block on, or a batch. */
static int step(struct walk *walk)
{
	struct log_batch_header header;
	const uint8_t *window = log_store_window(walk->store);
	bool is_whole;
	int r = read_here(walk, LOG_BLOCK_SIZE, &is_whole);
	if (r < 0)
		return r;
	if (is_whole && log_batch_header_read(window, &header) == LOG_BATCH_OK &&
		is_ours(walk, &header)) {
		uint32_t size = log_batch_size(header.body_size_bytes);
		r = read_here(walk, size, &is_whole);
		if (r < 0)
			return r;
		if (is_whole && log_batch_body_check(&header, window) == LOG_BATCH_OK) {
			walk->last_seq = header.batch_seq;
			walk->offset_bytes += size;
			return walk->on_batch(
				walk->context, &header, window + LOG_BATCH_HEADER_SIZE);
		}
	}
	kr_assert(walk->offset_bytes % LOG_BLOCK_SIZE == 0);
	walk->offset_bytes += LOG_BLOCK_SIZE;
	return 0;
}

static int walk_segment(struct walk *walk, const struct log_segment *segment)
{
	uint64_t size = (uint64_t)walk->store->recover->report.meta.segment_blocks * LOG_BLOCK_SIZE;
	uint64_t end = KR_MIN(segment->size_bytes, size);
	int r = 0;
	walk->number = segment->number;
	walk->offset_bytes = 0;
	kr_assert(segment->number != 0);
	while (r == 0 && walk->offset_bytes + LOG_BLOCK_SIZE <= end)
		r = step(walk);
	return r;
}

int log_store_walk(struct log_store *store,
	int (*on_batch)(void *context, const struct log_batch_header *header, const uint8_t *body),
	void *context, struct kr_error_text *text)
{
	const struct log_recover *recover = store->recover;
	struct walk walk = {.store = store, .on_batch = on_batch, .context = context};
	kr_assert(on_batch != NULL && recover->report.meta.cluster != 0);
	for (uint32_t i = 0; i < recover->segment_count; i++) {
		struct log_dir_text name;
		log_dir_segment_name(recover->segments[i].number, &name);
		int r = io_file_open(
			&store->directory, &walk.file, name.bytes, IO_FILE_READ | IO_FILE_DIRECT);
		if (r == 0) {
			r = walk_segment(&walk, &recover->segments[i]);
			io_file_close(&walk.file);
		}
		if (r < 0)
			return text->error < 0 ? r
					       : log_store_failed(r, walk.file.errno_number,
							 "reading", name.bytes, text);
	}
	return 0;
}

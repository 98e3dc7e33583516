#include <string.h>

#include "engine/log/store_priv.h"

/* The bytes of a cut, under a name of their own before they go. */

/* What cannot be read counts as zeroes: the log is cut there because nobody was told of it. */
static int read_or_zero(struct io_file *from, uint8_t *bytes, uint64_t size_bytes, uint64_t offset)
{
	size_t got = 0;
	kr_assert(size_bytes % LOG_BLOCK_SIZE == 0);
	int r = io_file_read_now(from, bytes, size_bytes, offset, &got);
	if (r < 0 && r != -KR_E_IO)
		return r;
	if (r == 0) {
		memset(bytes + got, 0, size_bytes - got);
		return 0;
	}
	/* One block at a time, so that one bad sector costs one block. */
	for (uint64_t at = 0; at < size_bytes; at += LOG_BLOCK_SIZE) {
		got = 0;
		r = io_file_read_now(from, bytes + at, LOG_BLOCK_SIZE, offset + at, &got);
		if (r < 0 && r != -KR_E_IO)
			return r;
		got = r < 0 ? 0 : got;
		memset(bytes + at + got, 0, LOG_BLOCK_SIZE - got);
	}
	return 0;
}

int log_store_copy(struct log_store *store, struct io_file *from, uint64_t offset,
	uint64_t size_bytes, struct io_file *to)
{
	uint8_t *window = log_store_window(store);
	kr_assert(from != to);
	for (uint64_t at = 0; at < size_bytes; at += STORE_WINDOW_SIZE) {
		const uint64_t size = KR_MIN(size_bytes - at, STORE_WINDOW_SIZE);
		int r = read_or_zero(from, window, size, offset + at);
		if (r == 0)
			r = io_file_write_now(to, window, size, at);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A copy that cannot be read keeps nothing. */
static int compare(struct log_store *store, struct io_file *segment, const struct log_cut *cut,
	struct io_file *copy, bool *ret_is_kept)
{
	const uint64_t half = STORE_WINDOW_SIZE / 2;
	uint8_t *now = log_store_window(store), *kept = now + half;
	*ret_is_kept = false;
	kr_assert(cut->save_size_bytes > 0);
	for (uint64_t at = 0; at < cut->save_size_bytes; at += half) {
		const uint64_t size = KR_MIN(cut->save_size_bytes - at, half);
		size_t got = 0;
		int r = read_or_zero(segment, now, size, cut->offset_bytes + at);
		if (r < 0)
			return r;
		r = io_file_read_now(copy, kept, size, at, &got);
		if (r < 0 && r != -KR_E_IO)
			return r;
		if (r < 0 || got < size || !log_cut_is_kept(now, kept, size))
			return 0;
	}
	*ret_is_kept = true;
	/* Who wrote it may have died before it was on the disk. */
	return io_file_sync_now(copy);
}

static int look_at(struct log_store *store, struct io_file *segment, const struct log_cut *cut,
	const struct log_dir_text *name, bool *ret_is_kept)
{
	struct io_file copy = {0};
	*ret_is_kept = false;
	int r = io_file_open(&store->directory, &copy, name->bytes, IO_FILE_READ | IO_FILE_DIRECT);
	if (r == -KR_E_PERMISSION)
		return 0;
	if (r < 0)
		return r;
	r = compare(store, segment, cut, &copy, ret_is_kept);
	io_file_close(&copy);
	return r;
}

/*
 * The copy that has these bytes already, or else a name that is free. A start that dies between the
 * copy and the end of the zeroing finds its bytes again at the next one; were they kept each time,
 * a row of deaths would fill the disk, and the names.
 */
static int find_copy(struct log_store *store, struct io_file *segment, const struct log_cut *cut,
	struct log_dir_text *ret_name, bool *ret_is_kept)
{
	*ret_is_kept = false;
	kr_assert(store->is_locked);
	for (unsigned i = 0; i < STORE_TORN_NAME_MAX; i++) {
		uint64_t size = 0;
		log_dir_torn_name(cut->segment, cut->seq, i, ret_name);
		int r = io_directory_file_size(&store->directory, ret_name->bytes, &size);
		if (r == -KR_E_NOENT)
			return 0;
		if (r == 0 && size >= cut->save_size_bytes)
			r = look_at(store, segment, cut, ret_name, ret_is_kept);
		if (r < 0 || *ret_is_kept)
			return r;
	}
	return -KR_E_LIMIT;
}

static int fill(struct log_store *store, struct io_file *segment, const struct log_cut *cut,
	struct io_file *torn)
{
	/* Of a start that died in the middle. */
	int r = io_file_truncate_now(torn, 0);
	if (r == 0)
		r = log_store_copy(store, segment, cut->offset_bytes, cut->save_size_bytes, torn);
	kr_assert(r <= 0);
	return r == 0 ? io_file_sync_now(torn) : r;
}

static int make_copy(struct log_store *store, struct io_file *segment, const struct log_cut *cut,
	const struct log_dir_text *name, struct kr_error_text *text)
{
	struct io_file torn = {0};
	struct log_dir_text new_name;
	log_dir_torn_new_name(cut->segment, cut->seq, &new_name);
	int r = io_file_open(&store->directory, &torn, new_name.bytes,
		IO_FILE_WRITE | IO_FILE_CREATE | IO_FILE_DIRECT);
	if (r < 0)
		return log_store_failed(r, torn.errno_number, "making", new_name.bytes, text);
	r = fill(store, segment, cut, &torn);
	int errno_number = torn.errno_number;
	io_file_close(&torn);
	if (r == 0) {
		r = io_directory_rename_now(&store->directory, new_name.bytes, name->bytes);
		errno_number = store->directory.errno_number;
	}
	if (r == 0)
		return 0;
	/* A half is no copy, and on a full disk it is in the way. */
	const int gone = io_directory_unlink_now(&store->directory, new_name.bytes);
	kr_assert(gone <= 0);
	return log_store_failed(r, errno_number, "writing", name->bytes, text);
}

/* First the bytes are safe under another name, then they may go. */
int log_store_save_torn(struct log_store *store, struct io_file *segment, const struct log_cut *cut,
	struct kr_error_text *text)
{
	struct log_dir_text name;
	bool is_kept = false;
	if (cut->save_size_bytes == 0)
		return 0;
	kr_assert(cut->save_size_bytes % LOG_BLOCK_SIZE == 0);
	int r = find_copy(store, segment, cut, &name, &is_kept);
	if (r < 0)
		return log_store_failed(
			r, store->directory.errno_number, "looking at", name.bytes, text);
	if (!is_kept)
		r = make_copy(store, segment, cut, &name, text);
	return r == 0 ? log_store_sync_directory(store, text) : r;
}

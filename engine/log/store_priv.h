/* Between store.c, repair.c, torn.c and truncate.c. */
#ifndef ENGINE_LOG_STORE_PRIV_H
#define ENGINE_LOG_STORE_PRIV_H

#include "engine/log/store.h"

#define STORE_WINDOW_SIZE LOG_RECOVER_WINDOW_SIZE
/* Of what different cuts took from one place; then the start fails. */
#define STORE_TORN_NAME_MAX 1000u

/* An error of the disk, with the file's name and what was being done to it. */
KR_MUST_CHECK int log_store_failed(int error, int errno_number, const char *doing, const char *name,
	struct kr_error_text *text);

/* Writes zeroes over [offset, end) of an open direct file; `zeroes` has STORE_WINDOW_SIZE. */
KR_MUST_CHECK int log_store_zero(
	struct io_file *file, const uint8_t *zeroes, uint64_t offset, uint64_t end);

KR_MUST_CHECK int log_store_sync_directory(struct log_store *store, struct kr_error_text *text);
/* STORE_WINDOW_SIZE bytes, aligned; the next call that reads or writes may use them as well. */
uint8_t *log_store_window(struct log_store *store);
KR_MUST_CHECK int log_store_open_segment(struct log_store *store, uint64_t number,
	struct io_file *file, struct log_dir_text *ret_name);
/* Blocks [offset, offset + size) of one open file to the start of another. */
KR_MUST_CHECK int log_store_copy(struct log_store *store, struct io_file *from, uint64_t offset,
	uint64_t size_bytes, struct io_file *to);
/* Steps of a cut: the bytes are kept, once, however often it begins anew; later segments get
 * another name. */
KR_MUST_CHECK int log_store_save_torn(struct log_store *store, struct io_file *segment,
	const struct log_cut *cut, struct kr_error_text *text);
KR_MUST_CHECK int log_store_set_aside(
	struct log_store *store, const struct log_cut *cut, struct kr_error_text *text);

#endif

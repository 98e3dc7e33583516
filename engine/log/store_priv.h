/* Between store.c and repair.c. */
#ifndef ENGINE_LOG_STORE_PRIV_H
#define ENGINE_LOG_STORE_PRIV_H

#include "engine/log/store.h"

#define STORE_WINDOW_SIZE LOG_RECOVER_WINDOW_SIZE

/* An error of the disk, with the file's name and what was being done to it. */
KR_MUST_CHECK int log_store_failed(int error, int errno_number, const char *doing, const char *name,
	struct kr_error_text *text);

/* Writes zeroes over [offset, end) of an open direct file; `zeroes` has STORE_WINDOW_SIZE. */
KR_MUST_CHECK int log_store_zero(
	struct io_file *file, const uint8_t *zeroes, uint64_t offset, uint64_t end);

#endif

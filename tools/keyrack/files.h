/* Files that have to be there after a power cut. */
#ifndef TOOLS_KEYRACK_FILES_H
#define TOOLS_KEYRACK_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/error.h"

#define FILES_PATH_SIZE 4096

/* Makes the directory and its parents, each synced into the one above. 0 or a negative error. */
KR_MUST_CHECK int files_directory_make(const char *path, struct kr_error_text *error);
/* The file has its old content or the new one, whatever happens: written aside, synced, renamed,
 * the directory synced. 0 or a negative error. */
KR_MUST_CHECK int files_replace(const char *directory, const char *name, const char *bytes,
	size_t size_bytes, struct kr_error_text *error);
/* Reads at most size - 1 bytes and ends them with a zero. 0 or a negative error; -KR_E_NOENT if
 * there is no such file. */
KR_MUST_CHECK int files_read(const char *directory, const char *name, char *ret_bytes, size_t size,
	struct kr_error_text *error);
/* "directory/name"; false if that is too long. */
KR_MUST_CHECK bool files_join(const char *directory, const char *name, char *ret_path, size_t size);

#endif

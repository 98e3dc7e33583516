/*
 * Files that hold secrets: read once, and only when nobody else can read them.
 */
#ifndef BASE_SECRET_FILE_H
#define BASE_SECRET_FILE_H

#include <stddef.h>

#include "base/check.h"
#include "base/error.h"

/*
 * Reads the whole file. 0 and *ret_size_bytes; or, with a sentence that says what to do,
 * -KR_E_PERMISSION (group or others may read or write it, or it is neither this user's nor root's),
 * -KR_E_INVALID (no file, or more than `size_max_bytes`), -KR_E_NOENT, ...
 *
 * Below $CREDENTIALS_DIRECTORY the group's bits are not looked at: a service manager lends the file
 * to this user by an access list, whose mask shows there.
 */
KR_MUST_CHECK int secret_file_read(const char *path, void *bytes, size_t size_max_bytes,
	size_t *ret_size_bytes, struct kr_error_text *text);

#endif

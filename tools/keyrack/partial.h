/*
 * A directory that is there under its name only when it is whole: made as NAME.partial, locked
 * while anybody writes to it, and renamed. What a killed run left is taken over and emptied.
 */
#ifndef TOOLS_KEYRACK_PARTIAL_H
#define TOOLS_KEYRACK_PARTIAL_H

#include "tools/keyrack/files.h"

#define PARTIAL_WAIT_US UINT64_C(30000000) /* for a child of a killed run to end */

struct partial {
	char name[FILES_PATH_SIZE]; /* the final one */
	char path[FILES_PATH_SIZE];
	int fd; /* of the directory, locked; children inherit it, and the lock with it */
};

/* -KR_E_EXISTS: the name is taken; -KR_E_BUSY: somebody else makes it. 0 or a negative error. */
KR_MUST_CHECK int partial_make(
	struct partial *partial, const char *name, struct kr_error_text *error);
/* Everything in it is on disk already: it gets its name. 0 or a negative error. */
KR_MUST_CHECK int partial_keep(struct partial *partial, struct kr_error_text *error);
/* Is that the name of one that was not finished? */
bool partial_is_name(const char *name);
/* Removes it and what is in it, as far as that can be done. */
void partial_drop(struct partial *partial);

#endif

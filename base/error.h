/*
 * Two classes of error.
 *
 *   negative  fatal: nobody on the way can mend it. Forwarded untouched, `if (r < 0) return r;`,
 *             up to the one place that prints it or ends the process. One of -KR_E_*.
 *   positive  this function's own condition ("full", "not found"), named in its header and
 *             handled by its direct caller; never forwarded.
 *   0         done.
 *
 * The numbers start above every positive condition, so that a forgotten minus is found out.
 * What went wrong in words goes into the caller's struct kr_error_text: what, where, what to do.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define KR_E_FIRST 1001

#define KR_ERROR_TABLE(X)                                                                          \
	X(1001, IO, "an input or output operation failed")                                         \
	X(1002, NOMEM, "memory is exhausted")                                                      \
	X(1003, CORRUPT, "data is damaged")                                                        \
	X(1004, NOSPACE, "the disk is full")                                                       \
	X(1005, PERMISSION, "permission is denied")                                                \
	X(1006, NOENT, "it does not exist")                                                        \
	X(1007, EXISTS, "it exists already")                                                       \
	X(1008, BUSY, "it is in use by another process")                                           \
	X(1009, UNSUPPORTED, "the system does not support that")                                   \
	X(1010, FORBIDDEN, "the system forbids io_uring")                                          \
	X(1011, LIMIT, "a limit is reached")                                                       \
	X(1012, CANCELLED, "the operation was cancelled")                                          \
	X(1013, CLOSED, "the peer closed the connection")                                          \
	X(1014, RESET, "the connection was reset")                                                 \
	X(1015, REFUSED, "the connection was refused")                                             \
	X(1016, UNREACHABLE, "the address cannot be reached")                                      \
	X(1017, ADDRESS_IN_USE, "the address is in use")                                           \
	X(1018, TIMEOUT, "time ran out")                                                           \
	X(1019, INVALID, "an argument or option is not valid")                                     \
	X(1020, VERSION, "the format version is not known")                                        \
	X(1021, STATE, "the stored state contradicts itself")                                      \
	X(1022, READ_ONLY, "the file system is read-only")                                         \
	X(1023, TMPFS, "the directory is in memory and keeps nothing")                             \
	X(1024, SHORT, "the file ends before the data does")                                       \
	X(1025, OVERFLOW, "a value is too large for its field")

#define X(number, name, text) KR_E_##name = number,
enum kr_error { KR_ERROR_TABLE(X) };
#undef X

/* Name ("NOSPACE") and sentence of an error, either sign; "UNKNOWN" for other numbers. */
const char *kr_error_name(int error);
const char *kr_error_sentence(int error);
/* The fatal error (negative) that an errno (positive) means. */
int kr_error_from_errno(int number);

#define KR_ERROR_TEXT_SIZE 512u

/* A sentence for the operator. Empty when bytes[0] is 0. */
struct kr_error_text {
	int error;        /* the -KR_E_* it belongs to, or 0 */
	int errno_number; /* the system's own number, or 0 */
	bool is_cut;
	char bytes[KR_ERROR_TEXT_SIZE];
};

void kr_error_text_clear(struct kr_error_text *text);

/*
 * Writes the sentence (formats: base/text.h) and gives `error` back, so that a function can end in
 * `return kr_error_text_set(text, -KR_E_CORRUPT, 0, "...")`. `text` may be NULL.
 * With an errno_number, ": <name of it>" is added.
 */
int kr_error_text_set(struct kr_error_text *text, int error, int errno_number, const char *format,
	...) KR_PRINTF(4, 5);

#endif

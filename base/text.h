/*
 * Text built into the caller's bytes, bounded, without stdio.
 *
 * What does not fit is cut at the end and `is_cut` stays set; the bytes always end in a zero.
 * Formats: %s %.*s %c %d %i %u %x %X %% with l, ll, z and h, a width and the flag 0 (or - for %s).
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct kr_text {
	char *bytes;
	size_t size_bytes; /* of the bytes, the final zero included; at least 1 */
	size_t length;     /* written so far, the final zero not included */
	bool is_cut;
};

void kr_text_init(struct kr_text *text, char *bytes, size_t size_bytes);
void kr_text_put(struct kr_text *text, const char *bytes, size_t size_bytes);
void kr_text_put_string(struct kr_text *text, const char *string);
void kr_text_put_u64(struct kr_text *text, uint64_t value);
void kr_text_put_i64(struct kr_text *text, int64_t value);
void kr_text_format(struct kr_text *text, const char *format, ...) KR_PRINTF(2, 3);
void kr_text_format_list(struct kr_text *text, const char *format, va_list list) KR_PRINTF(2, 0);

#endif

/*
 * A room type's settings as words: the options of `type put`, which are the columns of a table of
 * room types too. Pure.
 */
#ifndef TOOLS_KEYRACK_TYPE_WORDS_H
#define TOOLS_KEYRACK_TYPE_WORDS_H

#include <argp.h>

#include "base/check.h"
#include "base/error.h"
#include "keyrack/keyrack.h"

extern const struct argp_option type_words_options[];
/* One option's word into a struct keyrack_type_put; texts are kept by pointer. 0, or
 * -KR_E_INVALID with the reason. */
KR_MUST_CHECK int type_words_set(void *put, int key, const char *word, struct kr_error_text *error);

#endif

/*
 * A hotel's settings as words: the options of `hotel put`, which are the columns of a table of
 * hotels too. Pure.
 */
#ifndef TOOLS_KEYRACK_HOTEL_WORDS_H
#define TOOLS_KEYRACK_HOTEL_WORDS_H

#include <argp.h>

#include "base/check.h"
#include "base/error.h"
#include "keyrack/keyrack.h"

extern const struct argp_option hotel_words_options[];
/* One option's word into a struct keyrack_hotel_put; texts are kept by pointer. 0, or
 * -KR_E_INVALID with the reason. */
KR_MUST_CHECK int hotel_words_set(
	void *put, int key, const char *word, struct kr_error_text *error);

#endif

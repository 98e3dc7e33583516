#include <criterion/criterion.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"

Test(error, every_number_has_a_name_and_a_sentence)
{
#define X(number, name, text)                                                                      \
	cr_assert_eq(KR_E_##name, number);                                                         \
	cr_assert_str_eq(kr_error_name(-number), #name);                                           \
	cr_assert_str_eq(kr_error_name(number), #name);                                            \
	cr_assert_str_eq(kr_error_sentence(-number), text);                                        \
	cr_assert(number >= KR_E_FIRST);
	KR_ERROR_TABLE(X)
#undef X
	cr_assert_str_eq(kr_error_name(-1), "UNKNOWN");
	cr_assert_str_eq(kr_error_name(0), "UNKNOWN");
	cr_assert_str_eq(kr_error_sentence(-1), "unknown error");
}

Test(error, errnos_become_fatal_errors)
{
	cr_assert_eq(kr_error_from_errno(ENOSPC), -KR_E_NOSPACE);
	cr_assert_eq(kr_error_from_errno(ECONNRESET), -KR_E_RESET);
	cr_assert_eq(kr_error_from_errno(EIO), -KR_E_IO);
	for (int i = 1; i < 200; i++)
		cr_assert(kr_error_from_errno(i) <= -KR_E_FIRST);
}

Test(error, a_text_says_what_and_why_and_is_cut_when_long)
{
	struct kr_error_text text;
	kr_error_text_clear(&text);
	cr_assert_str_eq(text.bytes, "");
	int r = kr_error_text_set(
		&text, -KR_E_NOSPACE, ENOSPC, "writing %s at %" PRIu64, "log-1", UINT64_C(4096));
	cr_assert_eq(r, -KR_E_NOSPACE);
	cr_assert_eq(text.error, -KR_E_NOSPACE);
	cr_assert_eq(text.errno_number, ENOSPC);
	cr_assert_str_eq(text.bytes, "writing log-1 at 4096: ENOSPC");
	cr_assert_eq(kr_error_text_set(NULL, -KR_E_IO, 0, "nobody reads %d", 1), -KR_E_IO);
	char wide[KR_ERROR_TEXT_SIZE + 50];
	memset(wide, 'w', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	(void)kr_error_text_set(&text, -KR_E_IO, 0, "%s", wide);
	cr_assert(text.is_cut);
	cr_assert_eq(strlen(text.bytes), KR_ERROR_TEXT_SIZE - 1);
}

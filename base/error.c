#include "base/error.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/text.h"

static int magnitude(int error)
{
	kr_assert(error != INT_MIN);
	return error < 0 ? -error : error;
}

const char *kr_error_name(int error)
{
	switch (magnitude(error)) {
#define X(number, name, text)                                                                      \
	case number:                                                                               \
		return #name;
		KR_ERROR_TABLE(X)
#undef X
	default:
		return "UNKNOWN";
	}
}

const char *kr_error_sentence(int error)
{
	switch (magnitude(error)) {
#define X(number, name, text)                                                                      \
	case number:                                                                               \
		return text;
		KR_ERROR_TABLE(X)
#undef X
	default:
		return "unknown error";
	}
}

/* One row for each errno that callers tell apart; all others are IO. */
static const struct {
	int number;
	int error;
} errno_table[] = {
	{ENOMEM, KR_E_NOMEM},
	{ENOSPC, KR_E_NOSPACE},
	{EDQUOT, KR_E_NOSPACE},
	{EFBIG, KR_E_NOSPACE},
	{EACCES, KR_E_PERMISSION},
	{EPERM, KR_E_PERMISSION},
	{ENOENT, KR_E_NOENT},
	{ENOTDIR, KR_E_NOENT},
	{EEXIST, KR_E_EXISTS},
	{ENOTEMPTY, KR_E_EXISTS},
	{EWOULDBLOCK, KR_E_BUSY},
	{EBUSY, KR_E_BUSY},
	{ENOSYS, KR_E_UNSUPPORTED},
	{EOPNOTSUPP, KR_E_UNSUPPORTED},
	{EMFILE, KR_E_LIMIT},
	{ENFILE, KR_E_LIMIT},
	{ECANCELED, KR_E_CANCELLED},
	{EPIPE, KR_E_RESET},
	{ECONNRESET, KR_E_RESET},
	{ECONNABORTED, KR_E_RESET},
	{ECONNREFUSED, KR_E_REFUSED},
	{EHOSTUNREACH, KR_E_UNREACHABLE},
	{ENETUNREACH, KR_E_UNREACHABLE},
	{ENETDOWN, KR_E_UNREACHABLE},
	{EADDRNOTAVAIL, KR_E_UNREACHABLE},
	{EADDRINUSE, KR_E_ADDRESS_IN_USE},
	{ETIMEDOUT, KR_E_TIMEOUT},
	{ETIME, KR_E_TIMEOUT},
	{EINVAL, KR_E_INVALID},
	{ENAMETOOLONG, KR_E_INVALID},
	{EROFS, KR_E_READ_ONLY},
	{EOVERFLOW, KR_E_OVERFLOW},
};

int kr_error_from_errno(int number)
{
	kr_assert(number > 0);
	for (size_t i = 0; i < KR_ARRAY_COUNT(errno_table); i++) {
		if (errno_table[i].number == number)
			return -errno_table[i].error;
	}
	return -KR_E_IO;
}

void kr_error_text_clear(struct kr_error_text *text)
{
	kr_assert(text != NULL);
	text->error = 0;
	text->errno_number = 0;
	text->is_cut = false;
	text->bytes[0] = '\0';
}

int kr_error_text_set(
	struct kr_error_text *text, int error, int errno_number, const char *format, ...)
{
	kr_assert(error < 0);
	kr_assert(errno_number >= 0);
	if (text == NULL)
		return error;

	struct kr_text out;
	va_list list;
	kr_text_init(&out, text->bytes, sizeof(text->bytes));
	va_start(list, format);
	kr_text_format_list(&out, format, list);
	va_end(list);
	if (errno_number > 0) {
		const char *name = strerrorname_np(errno_number);
		kr_text_format(&out, ": %s", name == NULL ? "unknown errno" : name);
	}
	text->error = error;
	text->errno_number = errno_number;
	text->is_cut = out.is_cut;
	return error;
}

#include "engine/log/verdict.h"

#include "base/check.h"

struct verdict_row {
	const char *name;
	unsigned exit_code;
	enum log_verdict_class class;
	unsigned row;
	const char *sentence;
	const char *next;
};

static const struct verdict_row table[] = {
#define X(name_, exit_code_, class_, row_, sentence_, next_)                                       \
	[LOG_VERDICT_##name_] = {#name_, exit_code_, LOG_VERDICT_##class_, row_, sentence_, next_},
	LOG_VERDICT_TABLE(X)
#undef X
};

static const struct verdict_row *row_of(enum log_verdict verdict)
{
	kr_assert((unsigned)verdict < LOG_VERDICT_COUNT);
	kr_assert(table[verdict].name != NULL);
	return &table[verdict];
}

enum log_verdict_class log_verdict_class(enum log_verdict verdict)
{
	return row_of(verdict)->class;
}

unsigned log_verdict_exit_code(enum log_verdict verdict)
{
	return row_of(verdict)->exit_code;
}

unsigned log_verdict_row(enum log_verdict verdict)
{
	return row_of(verdict)->row;
}

const char *log_verdict_name(enum log_verdict verdict)
{
	return row_of(verdict)->name;
}

const char *log_verdict_sentence(enum log_verdict verdict)
{
	return row_of(verdict)->sentence;
}

const char *log_verdict_next(enum log_verdict verdict)
{
	return row_of(verdict)->next;
}

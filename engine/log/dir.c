#include "engine/log/dir.h"

#include <string.h>

#include "base/text.h"

#define SEGMENT_PREFIX "log-"
#define SNAP_PREFIX "snap-"
#define TORN_INFIX ".torn-"
#define SEGMENT_FORMAT SEGMENT_PREFIX "%012llu"
#define SNAP_FORMAT SNAP_PREFIX "%020llu"
#define SNAP_DIGITS 20u

/* A bare number, not signed, not empty, no overflow; ret_end is behind its last digit. */
static bool number_read(const char *at, uint64_t *ret_number, const char **ret_end)
{
	uint64_t number = 0;
	const char *begin = at;
	for (; *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');
		if (number > (UINT64_MAX - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*ret_number = number;
	*ret_end = at;
	kr_assert(at >= begin);
	return at != begin;
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t length = strlen(name);
	size_t suffix_length = strlen(suffix);
	return length > suffix_length && strcmp(name + length - suffix_length, suffix) == 0;
}

static void parse_segment(const char *name, struct log_dir_name *ret_name)
{
	struct log_dir_name parsed = {.kind = LOG_DIR_SEGMENT};
	struct log_dir_text again;
	const char *end;
	if (!number_read(name + strlen(SEGMENT_PREFIX), &parsed.number, &end))
		return;
	if (parsed.number == 0 || parsed.number > LOG_DIR_NUMBER_MAX)
		return;
	/* One number, one name: "log-1" and a 13-digit one with a zero in front are not ours. */
	log_dir_segment_name(parsed.number, &again);
	size_t length = strlen(again.bytes);
	if (end != name + length || strncmp(name, again.bytes, length) != 0)
		return;
	if (*end == '\0') {
		*ret_name = parsed;
		return;
	}
	if (strncmp(end, TORN_INFIX, strlen(TORN_INFIX)) != 0)
		return;
	uint64_t try_index;
	parsed.kind = LOG_DIR_TORN;
	if (!number_read(end + strlen(TORN_INFIX), &parsed.seq, &end))
		return;
	if (*end == '.' && (!number_read(end + 1, &try_index, &end) || try_index == 0))
		return;
	if (*end == '\0')
		*ret_name = parsed;
}

static void parse_snap(const char *name, struct log_dir_name *ret_name)
{
	struct log_dir_name parsed = {.kind = LOG_DIR_SNAP};
	const char *digits = name + strlen(SNAP_PREFIX);
	const char *end;
	if (!number_read(digits, &parsed.number, &end) || *end != '\0')
		return;
	if ((size_t)(end - digits) == SNAP_DIGITS)
		*ret_name = parsed;
}

void log_dir_parse(const char *name, struct log_dir_name *ret_name)
{
	kr_assert(name[0] != '\0');
	*ret_name = (struct log_dir_name){.kind = LOG_DIR_OTHER};
	bool is_segment = strncmp(name, SEGMENT_PREFIX, strlen(SEGMENT_PREFIX)) == 0;
	bool is_snap = strncmp(name, SNAP_PREFIX, strlen(SNAP_PREFIX)) == 0;
	if (strcmp(name, LOG_DIR_SHARD) == 0 || strcmp(name, LOG_DIR_LOCK) == 0 ||
		strcmp(name, LOG_DIR_MARK) == 0)
		ret_name->kind = LOG_DIR_META;
	else if (strcmp(name, LOG_DIR_SHARD LOG_DIR_NEW_SUFFIX) == 0)
		ret_name->kind = LOG_DIR_LEFTOVER;
	else if ((is_segment || is_snap) && has_suffix(name, LOG_DIR_NEW_SUFFIX))
		ret_name->kind = LOG_DIR_LEFTOVER;
	else if (is_segment)
		parse_segment(name, ret_name);
	else if (is_snap)
		parse_snap(name, ret_name);
	kr_assert(ret_name->kind != LOG_DIR_SEGMENT || ret_name->number != 0);
}

static void text_begin(struct kr_text *text, struct log_dir_text *ret_text)
{
	memset(ret_text, 0, sizeof(*ret_text));
	kr_text_init(text, ret_text->bytes, sizeof(ret_text->bytes));
}

static void text_end(const struct kr_text *text)
{
	kr_assert(!text->is_cut);
	kr_assert(text->length > 0 && text->length < LOG_DIR_NAME_SIZE);
}

void log_dir_segment_name(uint64_t number, struct log_dir_text *ret_text)
{
	struct kr_text text;
	kr_assert(number != 0 && number <= LOG_DIR_NUMBER_MAX);
	text_begin(&text, ret_text);
	kr_text_format(&text, SEGMENT_FORMAT, (unsigned long long)number);
	text_end(&text);
}

void log_dir_segment_new_name(uint64_t number, struct log_dir_text *ret_text)
{
	struct kr_text text;
	kr_assert(number != 0 && number <= LOG_DIR_NUMBER_MAX);
	text_begin(&text, ret_text);
	kr_text_format(&text, SEGMENT_FORMAT, (unsigned long long)number);
	kr_text_put_string(&text, LOG_DIR_NEW_SUFFIX);
	text_end(&text);
}

void log_dir_torn_name(
	uint64_t number, uint64_t seq, unsigned try_index, struct log_dir_text *ret_text)
{
	struct kr_text text;
	kr_assert(number != 0 && number <= LOG_DIR_NUMBER_MAX);
	text_begin(&text, ret_text);
	kr_text_format(&text, SEGMENT_FORMAT, (unsigned long long)number);
	kr_text_put_string(&text, TORN_INFIX);
	kr_text_put_u64(&text, seq);
	if (try_index > 0) {
		kr_text_put_string(&text, ".");
		kr_text_put_u64(&text, try_index);
	}
	text_end(&text);
}

void log_dir_torn_new_name(uint64_t number, uint64_t seq, struct log_dir_text *ret_text)
{
	struct kr_text text;
	kr_assert(number != 0 && number <= LOG_DIR_NUMBER_MAX);
	text_begin(&text, ret_text);
	kr_text_format(&text, SEGMENT_FORMAT, (unsigned long long)number);
	kr_text_put_string(&text, TORN_INFIX);
	kr_text_put_u64(&text, seq);
	kr_text_put_string(&text, LOG_DIR_NEW_SUFFIX);
	text_end(&text);
}

void log_dir_snap_name(uint64_t lsn, struct log_dir_text *ret_text)
{
	struct kr_text text;
	text_begin(&text, ret_text);
	kr_text_format(&text, SNAP_FORMAT, (unsigned long long)lsn);
	text_end(&text);
}

void log_dir_snap_torn_name(
	uint64_t lsn, uint64_t seq, unsigned try_index, struct log_dir_text *ret_text)
{
	struct kr_text text;
	text_begin(&text, ret_text);
	kr_text_format(&text, SNAP_FORMAT, (unsigned long long)lsn);
	kr_text_put_string(&text, TORN_INFIX);
	kr_text_put_u64(&text, seq);
	if (try_index > 0) {
		kr_text_put_string(&text, ".");
		kr_text_put_u64(&text, try_index);
	}
	text_end(&text);
}

void log_dir_snap_new_name(uint64_t lsn, struct log_dir_text *ret_text)
{
	struct kr_text text;
	text_begin(&text, ret_text);
	kr_text_format(&text, SNAP_FORMAT, (unsigned long long)lsn);
	kr_text_put_string(&text, LOG_DIR_NEW_SUFFIX);
	text_end(&text);
}

#include "proto/code.h"

#include <string.h>

#include "base/check.h"

struct code_row {
	unsigned number;
	const char *name;
	const char *text;
};

#define X(number, name, text) {number, #name, text},
static const struct code_row code_rows[] = {KEYRACK_CODE_TABLE(X)};
static const struct code_row rule_rows[] = {REFUSAL_RULE_TABLE(X)};
#undef X

#define CODE_ROW_COUNT (sizeof(code_rows) / sizeof(code_rows[0]))
#define RULE_ROW_COUNT (sizeof(rule_rows) / sizeof(rule_rows[0]))

static const struct code_row *code_row_find(
	const struct code_row *rows, size_t count, unsigned number)
{
	kr_assert(rows != NULL);
	kr_assert(count > 0);
	for (size_t i = 0; i < count; i++) {
		if (rows[i].number == number)
			return &rows[i];
	}
	return NULL;
}

static const char *code_class_name(unsigned code)
{
	switch (code_class_of(code)) {
	case CODE_SUCCESS:
		return "CODE_SUCCESS";
	case CODE_FINAL:
		return "CODE_FINAL";
	case CODE_TRANSIENT:
		return "CODE_TRANSIENT";
	case CODE_UNKNOWN:
		return "CODE_UNKNOWN";
	case CODE_REJECT:
		return "CODE_REJECT";
	}
	kr_unreachable();
}

const char *code_name(unsigned code)
{
	const struct code_row *row = code_row_find(code_rows, CODE_ROW_COUNT, code);
	return row != NULL ? row->name : code_class_name(code);
}

const char *code_text(unsigned code)
{
	const struct code_row *row = code_row_find(code_rows, CODE_ROW_COUNT, code);
	return row != NULL ? row->text : "unknown code";
}

unsigned code_from_name(const char *name)
{
	kr_assert(name != NULL);
	for (size_t i = 0; i < CODE_ROW_COUNT; i++) {
		if (strcmp(code_rows[i].name, name) == 0)
			return code_rows[i].number;
	}
	return 0;
}

const char *rule_name(unsigned rule)
{
	const struct code_row *row = code_row_find(rule_rows, RULE_ROW_COUNT, rule);
	return row != NULL ? row->name : "RULE";
}

const char *rule_text(unsigned rule)
{
	const struct code_row *row = code_row_find(rule_rows, RULE_ROW_COUNT, rule);
	return row != NULL ? row->text : "unknown rule";
}

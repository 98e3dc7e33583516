/*
 * One line of a reservation as typed: "type=0,stay=2026-12-30..2027-01-02,rooms=1,guests=2", with
 * "plan=FLEX" (a rate plan of the type; else plan 0), "price=EUR 120.00" (the caller's price per
 * room and night), "price=EUR 120.00*2+EUR 140.00*1" (runs of nights) or "count-only"; "of=2" where
 * a reservation is changed. Pure.
 */
#ifndef TOOLS_KEYRACK_LINE_H
#define TOOLS_KEYRACK_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/keyrack/money.h"
#include "tools/keyrack/span.h"

#define LINE_TYPE_MAX 65534u
#define LINE_PLAN_MAX 65534u
#define LINE_CODE_MAX 32u
#define LINE_ROOMS_MAX 65535u
#define LINE_RUNS_MAX 32u

/* A room type or a rate plan by number, or by its code, to be looked up in the hotel. */
struct line_name {
	uint32_t number;
	char code[LINE_CODE_MAX + 1]; /* "" = the number counts */
};

struct line_run {
	uint32_t nights;
	struct money price;
};

struct line {
	struct line_name type;
	struct line_name plan; /* number 0 if not given */
	struct span stay;      /* first_day == end_day: not given yet */
	uint32_t rooms;        /* 0 = not given: 1 */
	uint32_t guests;       /* in all rooms; 0 = not given: one a room */
	bool has_type;
	bool has_plan;
	bool is_plan_kept; /* modify: nothing was said of it */
	bool is_count_only;
	uint32_t of; /* modify: this line of the reservation, from 1, changed; 0 = a new one */
	uint32_t run_count; /* 0 = the calendar's prices */
	struct line_run runs[LINE_RUNS_MAX];
};

/* Each reads one word; 0 or -KR_E_INVALID with the reason. */
KR_MUST_CHECK int line_type_parse(
	const char *text, struct line_name *ret_type, struct kr_error_text *error);
KR_MUST_CHECK int line_plan_parse(
	const char *text, struct line_name *ret_plan, struct kr_error_text *error);
/* NAME and VALUE of one pair, also of the options of the same names. */
KR_MUST_CHECK int line_set(
	struct line *line, const char *name, const char *value, struct kr_error_text *error);
/* All pairs of a word. */
KR_MUST_CHECK int line_parse(const char *text, struct line *ret_line, struct kr_error_text *error);
/* Is it complete, and do its prices fit its nights? Fills what was left out. */
KR_MUST_CHECK int line_finish(struct line *line, struct kr_error_text *error);

#endif

/* The lines of a request: --line, or --type, --plan, --stay and their like. */
#ifndef TOOLS_KEYRACK_REQUEST_LINES_H
#define TOOLS_KEYRACK_REQUEST_LINES_H

#include "tools/keyrack/cli.h"
#include "tools/keyrack/line.h"

#define REQUEST_LINES_MAX KEYRACK_LINE_COUNT_MAX

enum request_lines_key {
	LINES_LINE = 'l',
	LINES_TYPE = 't',
	LINES_STAY = 's',
	LINES_PLAN = 'p',
	LINES_ROOMS = CLI_KEY_OWN + 0x800,
	LINES_GUESTS,
	LINES_PRICE,
	LINES_COUNT_ONLY,
};

/* clang-format off */
#define REQUEST_LINES_OPTIONS                                                                      \
	{"type", LINES_TYPE, "TYPE", 0, "room type: its number or its code", 0},                   \
	{"plan", LINES_PLAN, "PLAN", 0, "its rate plan: number or code (BASE)", 0},                \
	{"stay", LINES_STAY, "A..B", 0, "arrives on A, leaves on B", 0},                           \
	{"rooms", LINES_ROOMS, "N", 0, "how many (1)", 0},                                         \
	{"guests", LINES_GUESTS, "N", 0, "in all of the rooms (one a room)", 0},                   \
	{"price", LINES_PRICE, "MONEY", 0,                                                         \
		"the price per room and night, in place of the calendar's: EUR 120.00, or "        \
		"EUR 120.00*2+EUR 140.00*1 by nights", 0},                                         \
	{"count-only", LINES_COUNT_ONLY, NULL, 0, "count the rooms, with no price", 0},            \
	{"line", LINES_LINE, "NAME=VALUE[,...]", 0,                                                \
		"one line of several: type=0,stay=A..B,rooms=1,guests=2[,plan=PLAN][,price=MONEY" \
		"|count-only]; may be repeated", 0}
/* clang-format on */

struct request_lines {
	uint32_t count;
	bool has_simple; /* the first one comes from --type and the like */
	bool allows_of;  /* lines of a reservation that is changed */
	struct line lines[REQUEST_LINES_MAX];
	/* Filled by request_lines_settle(). */
	struct keyrack_line settled[REQUEST_LINES_MAX];
	struct keyrack_price_run runs[REQUEST_LINES_MAX][LINE_RUNS_MAX];
};

/* A cli_option for the keys above. */
int request_lines_option(
	struct request_lines *lines, int key, const char *arg, struct kr_error_text *error);
/* Are they complete? CLI_DONE or CLI_USAGE. */
KR_MUST_CHECK int request_lines_finish(const struct cli *cli, struct request_lines *lines);
/* Does any of them carry money? */
bool request_lines_have_price(const struct request_lines *lines);
/* Numbers of types and plans, minor units: `unit` counts only if they have a price. CLI_DONE or the
 * code. */
KR_MUST_CHECK int request_lines_settle(struct cli *cli, uint64_t hotel_id,
	const struct money_unit *unit, struct request_lines *lines);
/* What was understood, one printed line each. */
void request_lines_echo(const struct request_lines *lines);

#endif

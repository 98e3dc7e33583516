#include "tools/keyrack/request_lines.h"

#include <stdio.h>
#include <string.h>

#include "tools/keyrack/lookup.h"
#include "tools/keyrack/plans.h"

static const char *name_of_key(int key)
{
	switch (key) {
	case LINES_TYPE:
		return "type";
	case LINES_PLAN:
		return "plan";
	case LINES_STAY:
		return "stay";
	case LINES_ROOMS:
		return "rooms";
	case LINES_GUESTS:
		return "guests";
	case LINES_PRICE:
		return "price";
	case LINES_COUNT_ONLY:
		return "count-only";
	default:
		kr_unreachable();
	}
}

int request_lines_option(
	struct request_lines *lines, int key, const char *arg, struct kr_error_text *error)
{
	if (key == LINES_LINE) {
		if (lines->has_simple)
			return kr_error_text_set(error, -KR_E_INVALID, 0,
				"either --line, or --type, --stay and their like");
		if (lines->count == REQUEST_LINES_MAX)
			return kr_error_text_set(
				error, -KR_E_INVALID, 0, "at most %u lines", REQUEST_LINES_MAX);
		struct line *line = &lines->lines[lines->count++];
		int r = line_parse(arg, line, error);
		if (r == 0 && line->of != 0 && !lines->allows_of)
			r = kr_error_text_set(error, -KR_E_INVALID, 0,
				"of= names a line of a reservation: `keyrack modify`");
		return r;
	}
	if (lines->count > 0 && !lines->has_simple)
		return kr_error_text_set(
			error, -KR_E_INVALID, 0, "either --line, or --type, --stay and their like");
	lines->has_simple = true;
	lines->count = 1;
	return line_set(&lines->lines[0], name_of_key(key), arg, error);
}

int request_lines_finish(const struct cli *cli, struct request_lines *lines)
{
	struct kr_error_text error;
	if (lines->count == 0)
		return cli_wrong(
			cli, "what? Give --type 0 --stay 2026-12-30..2027-01-02, or --line");
	kr_assert(lines->count <= REQUEST_LINES_MAX);
	for (uint32_t i = 0; i < lines->count; i++) {
		kr_error_text_clear(&error);
		if (line_finish(&lines->lines[i], &error) == 0)
			continue;
		if (lines->has_simple)
			return cli_wrong(cli, "%s", error.bytes);
		return cli_wrong(cli, "line %u: %s", i + 1, error.bytes);
	}
	return CLI_DONE;
}

bool request_lines_have_price(const struct request_lines *lines)
{
	for (uint32_t i = 0; i < lines->count; i++)
		if (lines->lines[i].run_count > 0)
			return true;
	return false;
}

static int runs_settle(const struct cli *cli, const struct money_unit *unit,
	const struct line *line, struct keyrack_price_run *ret_runs)
{
	struct kr_error_text error;
	kr_error_text_clear(&error);
	kr_assert(line->run_count <= LINE_RUNS_MAX);
	for (uint32_t i = 0; i < line->run_count; i++) {
		int64_t minor;
		if (money_in_unit(&line->runs[i].price, unit, &minor, &error) < 0)
			return cli_wrong(cli, "price: %s", error.bytes);
		ret_runs[i] = (struct keyrack_price_run){line->runs[i].nights, (uint64_t)minor};
	}
	return CLI_DONE;
}

int request_lines_settle(struct cli *cli, uint64_t hotel_id, const struct money_unit *unit,
	struct request_lines *lines)
{
	for (uint32_t i = 0; i < lines->count; i++) {
		const struct line *line = &lines->lines[i];
		struct keyrack_line *settled = &lines->settled[i];
		int code = lookup_type(cli, hotel_id, &line->type, &settled->type);
		if (code == CLI_DONE)
			code = lookup_plan(
				cli, hotel_id, settled->type, &line->plan, &settled->plan);
		if (code == CLI_DONE)
			code = runs_settle(cli, unit, line, lines->runs[i]);
		if (code != CLI_DONE)
			return code;
		settled->check_in_day = line->stay.first_day;
		settled->check_out_day = line->stay.end_day;
		settled->rooms = line->rooms;
		settled->guests = line->guests;
		settled->keeps = line->of;
		settled->run_count = line->run_count;
		settled->runs = lines->runs[i];
		if (line->run_count > 0)
			settled->pricing = KEYRACK_PRICING_CALLER;
		else
			settled->pricing = line->is_count_only ? KEYRACK_PRICING_NONE
							       : KEYRACK_PRICING_CALENDAR;
	}
	return CLI_DONE;
}

void request_lines_echo(const struct request_lines *lines)
{
	for (uint32_t i = 0; i < lines->count; i++) {
		const struct line *line = &lines->lines[i];
		char stay[SPAN_TEXT_SIZE];
		span_format_stay(line->stay, stay);
		if (lines->count > 1)
			printf("line %u: ", i + 1);
		if (line->type.code[0] != '\0')
			printf("type %s, ", line->type.code);
		else
			printf("type %u, ", line->type.number);
		if (line->plan.code[0] != '\0')
			printf("plan %s, ", line->plan.code);
		else if (line->has_plan)
			printf("plan %u, ", line->plan.number);
		printf("%u room%s, %u guest%s, %s\n", line->rooms, line->rooms == 1 ? "" : "s",
			line->guests, line->guests == 1 ? "" : "s", stay);
	}
	kr_assert(lines->count > 0);
}

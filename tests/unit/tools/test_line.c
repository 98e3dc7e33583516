#include <criterion/criterion.h>

#include "tools/keyrack/line.h"

static struct kr_error_text error;

static int read_line(const char *text, struct line *ret_line)
{
	int r = line_parse(text, ret_line, &error);
	return r < 0 ? r : line_finish(ret_line, &error);
}

Test(line, reads_all_of_its_parts)
{
	struct line line;
	cr_assert_eq(read_line("type=3,stay=2026-12-30..2027-01-02,rooms=2,guests=4", &line), 0,
		"%s", error.bytes);
	cr_assert_eq(line.type.number, 3);
	cr_assert_eq(span_nights(line.stay), 3);
	cr_assert_eq(line.rooms, 2);
	cr_assert_eq(line.guests, 4);
	cr_assert_eq(line.run_count, 0);
	cr_assert_not(line.is_count_only);
}

Test(line, a_rate_plan_has_a_number_or_a_code)
{
	struct line line;
	cr_assert_eq(read_line("type=3,stay=2026-12-30..2027-01-02", &line), 0);
	cr_assert(!line.has_plan && line.plan.number == 0 && line.plan.code[0] == '\0');
	cr_assert_eq(read_line("type=3,plan=65534,stay=2026-12-30..2027-01-02", &line), 0);
	cr_assert(line.has_plan && line.plan.number == 65534);
	cr_assert_eq(read_line("type=3,stay=2026-12-30..2027-01-02,plan=FLEX", &line), 0);
	cr_assert_str_eq(line.plan.code, "FLEX");
	cr_assert_eq(
		read_line("type=3,stay=2026-12-30..2027-01-02,plan=65535", &line), -KR_E_INVALID);
	cr_assert_eq(read_line("type=3,stay=2026-12-30..2027-01-02,plan=", &line), -KR_E_INVALID);
}

Test(line, one_room_with_one_guest_if_nothing_else_is_said)
{
	struct line line;
	cr_assert_eq(read_line("type=DLX,stay=2026-12-30..2027-01-02,count-only", &line), 0);
	cr_assert_str_eq(line.type.code, "DLX");
	cr_assert_eq(line.rooms, 1);
	cr_assert_eq(line.guests, 1);
	cr_assert(line.is_count_only);
	cr_assert_eq(read_line("type=0,stay=2026-12-30..2027-01-02,rooms=3", &line), 0);
	cr_assert_eq(line.guests, 3);
}

Test(line, a_price_covers_the_stay_or_comes_in_runs)
{
	struct line line;
	cr_assert_eq(read_line("type=0,stay=2026-12-30..2027-01-02,price=EUR 120.00", &line), 0);
	cr_assert_eq(line.run_count, 1);
	cr_assert_eq(line.runs[0].nights, 3);
	cr_assert_eq(read_line("type=0,stay=2026-12-30..2027-01-02,price=EUR120.00*2+EUR 140.00*1",
			     &line),
		0);
	cr_assert_eq(line.run_count, 2);
	cr_assert_eq(line.runs[1].nights, 1);
	cr_assert_eq(line.runs[1].price.amount, 14000);
}

Test(line, refuses_what_is_incomplete_or_contradicts_itself)
{
	struct line line;
	const char *const wrong[] = {"", "type=0", "stay=2026-12-30..2027-01-02",
		"type=0,stay=2026-12-30", "type=65535,stay=2026-12-30..2027-01-02",
		"type=0,stay=2026-12-30..2027-01-02,rooms=0",
		"type=0,stay=2026-12-30..2027-01-02,guests=-1",
		"type=0,stay=2026-12-30..2027-01-02,price=12000",
		"type=0,stay=2026-12-30..2027-01-02,price=EUR 120.00*2",
		"type=0,stay=2026-12-30..2027-01-02,price=EUR 120.00+EUR 130.00",
		"type=0,stay=2026-12-30..2027-01-02,price=EUR 120.00,count-only",
		"type=0,stay=2026-12-30..2027-01-02,count-only=yes",
		"type=0,stay=2026-12-30..2027-01-02,color=red", "type=,stay=2026-12-30..2027-01-02",
		"type=0,stay=2026-12-30..2027-01-02,price=EUR 120.00*9999999"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(wrong); i++) {
		cr_assert_lt(read_line(wrong[i], &line), 0, "%s", wrong[i]);
		cr_assert_neq(error.bytes[0], '\0');
	}
}

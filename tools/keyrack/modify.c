/* keyrack modify: changes what is said of a hold or a booking, and leaves the rest. */
#include <stdio.h>
#include <string.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/lookup.h"
#include "tools/keyrack/request_lines.h"
#include "tools/keyrack/transition.h"

enum modify_key { MODIFY_DROP = CLI_KEY_OWN + 0x100, MODIFY_EXPECTED_TOTAL, MODIFY_FORCE };

static const struct argp_option modify_options[] = {REQUEST_LINES_OPTIONS, TRANSITION_HOTEL_OPTION,
	TRANSITION_REVISION_OPTION, TRANSITION_CHANGE_OPTION,
	{"drop", MODIFY_DROP, "N", 0, "cancel that line; may be repeated", 0},
	{"expected-total", MODIFY_EXPECTED_TOTAL, "MONEY", 0,
		"refuse if the price is another in all", 0},
	{"force", MODIFY_FORCE, NULL, 0, "operators: over restrictions and limits", 0}, {0}};

struct modify {
	struct keyrack_transition transition;
	struct request_lines said;   /* as typed */
	struct request_lines wanted; /* the whole reservation as it is to be */
	bool dropped[REQUEST_LINES_MAX];
	bool has_drop;
	struct money expected_total;
};

static int drop_read(const char *arg, struct modify *modify, struct kr_error_text *error)
{
	uint64_t number = 0;
	int r = value_u64(arg, (struct value_range){1, REQUEST_LINES_MAX}, &number, error);
	if (r < 0)
		return r;
	kr_assert(number >= 1 && number <= REQUEST_LINES_MAX);
	modify->dropped[number - 1] = true;
	modify->has_drop = true;
	return 0;
}

static int modify_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct modify *modify = options;
	if (key == MODIFY_DROP)
		return drop_read(arg, modify, error);
	if (key == MODIFY_EXPECTED_TOTAL) {
		modify->transition.has_expected_total = true;
		return money_parse(arg, false, &modify->expected_total, error);
	}
	if (key == MODIFY_FORCE) {
		modify->transition.force = true;
		return 0;
	}
	if (key >= TRANSITION_HOTEL && key < TRANSITION_KEY_END)
		return transition_option(&modify->transition, key, arg, error);
	return request_lines_option(&modify->said, key, arg, error);
}

/* A line of the reservation as it would be typed; what was said of it goes over it. */
static struct line line_of(const struct keyrack_line *present, uint32_t number)
{
	kr_assert(present->check_in_day < present->check_out_day);
	return (struct line){
		.type = {.number = present->type},
		.plan = {.number = present->plan},
		.has_type = true,
		.has_plan = present->plan != 0,
		.is_plan_kept = true,
		.stay = {present->check_in_day, present->check_out_day},
		.rooms = present->rooms,
		.guests = present->guests,
		.is_count_only = present->pricing == KEYRACK_PRICING_NONE,
		.of = number,
	};
}

static void line_say(const struct line *said, struct line *line)
{
	if (said->has_type)
		line->type = said->type;
	if (said->has_plan)
		line->plan = said->plan;
	line->has_plan |= said->has_plan;
	line->is_plan_kept = !said->has_plan;
	if (said->stay.first_day != said->stay.end_day)
		line->stay = said->stay;
	if (said->rooms != 0)
		line->rooms = said->rooms;
	if (said->guests != 0)
		line->guests = said->guests;
	line->is_count_only = said->is_count_only || (line->is_count_only && said->run_count == 0);
	line->run_count = said->run_count;
	memcpy(line->runs, said->runs, sizeof(line->runs));
	kr_assert(line->has_type);
}

/* The numbers of lines that were said are there. CLI_DONE or CLI_USAGE. */
static int numbers_check(
	const struct cli *cli, const struct modify *modify, const struct keyrack_reservation *now)
{
	for (uint32_t i = 0; i < modify->said.count; i++)
		if (modify->said.lines[i].of > now->line_count)
			return cli_wrong(cli, "of=%u: the reservation has %u line%s",
				modify->said.lines[i].of, now->line_count,
				now->line_count == 1 ? "" : "s");
	for (uint32_t i = now->line_count; i < REQUEST_LINES_MAX; i++)
		if (modify->dropped[i])
			return cli_wrong(cli, "--drop %u: the reservation has %u line%s", i + 1,
				now->line_count, now->line_count == 1 ? "" : "s");
	if (modify->said.has_simple && now->line_count > 1)
		return cli_wrong(cli,
			"the reservation has %u lines: say which, as in --line of=2,rooms=1",
			now->line_count);
	return CLI_DONE;
}

static int wanted_add(const struct cli *cli, struct modify *modify, const struct line *line)
{
	struct request_lines *wanted = &modify->wanted;
	if (wanted->count == REQUEST_LINES_MAX)
		return cli_wrong(cli, "a reservation has at most %u lines", REQUEST_LINES_MAX);
	wanted->lines[wanted->count++] = *line;
	return CLI_DONE;
}

/* Line `number` of the reservation: once for each time something was said of it, else as it is. */
static int wanted_keep(const struct cli *cli, struct modify *modify,
	const struct keyrack_line *present, uint32_t number)
{
	bool is_said = false;
	int code = CLI_DONE;
	kr_assert(number >= 1);
	for (uint32_t i = 0; i < modify->said.count && code == CLI_DONE; i++) {
		const struct line *said = &modify->said.lines[i];
		struct line line = line_of(present, number);
		if (said->of != number && !modify->said.has_simple)
			continue;
		is_said = true;
		line_say(said, &line);
		code = wanted_add(cli, modify, &line);
	}
	struct line line = line_of(present, number);
	return is_said || code != CLI_DONE ? code : wanted_add(cli, modify, &line);
}

static int wanted_fill(
	const struct cli *cli, struct modify *modify, const struct keyrack_reservation *now)
{
	int code = numbers_check(cli, modify, now);
	for (uint32_t i = 0; i < now->line_count && code == CLI_DONE; i++)
		if (!modify->dropped[i])
			code = wanted_keep(cli, modify, &now->lines[i], i + 1);
	for (uint32_t i = 0; i < modify->said.count && code == CLI_DONE; i++)
		if (modify->said.lines[i].of == 0 && !modify->said.has_simple)
			code = wanted_add(cli, modify, &modify->said.lines[i]);
	if (code == CLI_DONE && modify->wanted.count == 0)
		code = cli_wrong(cli, "no line would be left: use `keyrack cancel --any`");
	return code == CLI_DONE ? request_lines_finish(cli, &modify->wanted) : code;
}

/* Plans belong to a type: whoever moves to another type says which plan of it. CLI_DONE or
 * CLI_USAGE. */
static int plans_check(
	const struct cli *cli, const struct modify *modify, const uint32_t *types_before)
{
	const struct request_lines *wanted = &modify->wanted;
	for (uint32_t i = 0; i < wanted->count; i++) {
		const struct line *line = &wanted->lines[i];
		bool is_moved =
			line->of != 0 && wanted->settled[i].type != types_before[line->of - 1];
		kr_assert(line->of <= REQUEST_LINES_MAX);
		if (is_moved && line->is_plan_kept && wanted->settled[i].plan != 0)
			return cli_wrong(cli,
				"line %u goes to another room type: say its rate plan too, "
				"as in --plan BASE",
				line->of);
	}
	return CLI_DONE;
}

/* What is there, and what is wanted in its place. */
static int modify_prepare(struct cli *cli, struct modify *modify, struct money_unit *ret_unit)
{
	struct keyrack_transition *transition = &modify->transition;
	struct keyrack_reservation_get get = {.call = cli_call(cli),
		.id = transition->id,
		.has_hotel = transition->has_hotel,
		.hotel_id = transition->hotel_id};
	struct keyrack_reservation_get_answer answer;
	struct kr_error_text error;
	int64_t minor = 0;
	int r = keyrack_reservation_get(cli->client, &get, &answer);
	r = report_got(cli, r, &answer.result);
	if (r != CLI_DONE)
		return r;
	/* the answer lives until the next call */
	const uint64_t hotel_id = answer.reservation.hotel_id;
	const uint32_t revision = answer.reservation.revision;
	uint32_t types[REQUEST_LINES_MAX] = {0};
	for (uint32_t i = 0; i < KR_MIN(answer.reservation.line_count, REQUEST_LINES_MAX); i++)
		types[i] = answer.reservation.lines[i].type;
	int code = wanted_fill(cli, modify, &answer.reservation);
	if (code == CLI_DONE)
		code = lookup_unit(cli, hotel_id, ret_unit);
	if (code == CLI_DONE)
		code = request_lines_settle(cli, hotel_id, ret_unit, &modify->wanted);
	if (code == CLI_DONE)
		code = plans_check(cli, modify, types);
	if (code != CLI_DONE)
		return code;
	kr_error_text_clear(&error);
	if (transition->has_expected_total &&
		money_in_unit(&modify->expected_total, ret_unit, &minor, &error) < 0)
		return cli_wrong(cli, "--expected-total: %s", error.bytes);
	transition->expected_total_minor = (uint64_t)minor;
	if (!transition->has_expected_revision)
		transition->expected_revision = revision;
	transition->has_expected_revision = true;
	transition->lines = modify->wanted.settled;
	transition->line_count = modify->wanted.count;
	return CLI_DONE;
}

int modify_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = modify_options,
		.option = modify_option,
		.args = "ID",
		.doc = "Changes a hold or a booking in one operation, or refuses and changes "
		       "nothing. What is not said stays as it is: --stay, --rooms and the like "
		       "are about a reservation's only line, --line of=2,rooms=1 about its "
		       "second; --line without of= adds one, the same of= twice splits one. Kept "
		       "nights keep their price, unless their line takes more rooms. Fewer rooms, "
		       "nights or lines are always taken "
		       "back: so a part of a booking is cancelled.",
		.arg_min = 1,
		.arg_max = 1,
		.has_origin = true,
	};
	static struct modify modify;
	const char *args[CLI_ARGS_MAX];
	struct keyrack_transition *transition = &modify.transition;
	struct reservation_context context = {.has_lines = true};
	struct keyrack_reservation_answer answer;
	memset(&modify, 0, sizeof(modify));
	modify.said.allows_of = true;
	cli_words(cli, &spec, argc, argv, &modify, args);
	int code = lookup_id(cli, args[0], &transition->id);
	if (code == CLI_DONE)
		code = reservation_id_check(cli, transition->id, transition->has_hotel);
	if (code == CLI_DONE && modify.said.count == 0 && !modify.has_drop)
		code = cli_wrong(cli, "what is to change? --stay A..B, --rooms N, --line, --drop");
	if (code == CLI_DONE)
		code = cli_connect(cli);
	if (code == CLI_DONE)
		code = modify_prepare(cli, &modify, &context.unit);
	if (code != CLI_DONE)
		return code;
	if (!cli->json)
		request_lines_echo(&modify.wanted);
	transition_change_tell(cli, transition);
	transition->call = cli_call(cli);
	transition->origin = cli->origin;
	context.id = transition->id;
	context.hotel_id = transition->hotel_id;
	code = keyrack_modify(cli->client, transition, &answer);
	if (code < 0)
		return report_not_taken(cli, code);
	return reservation_answer_print(cli, &context, &answer);
}

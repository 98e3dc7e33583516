/* keyrack hold, keyrack book */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/lookup.h"
#include "tools/keyrack/request_lines.h"
#include "tools/keyrack/reservation.h"

#define REFERENCE_MAX 64u

enum reserve_key {
	RESERVE_ID = CLI_KEY_OWN,
	RESERVE_TTL,
	RESERVE_EXPECTED_TOTAL,
	RESERVE_GUEST,
	RESERVE_EXTERNAL_REF,
	RESERVE_PAYMENT_REF,
	RESERVE_AGAIN,
	RESERVE_REPLACES,
	RESERVE_FORCE,
};

#define RESERVE_OPTIONS                                                                            \
	{"id", RESERVE_ID, "ID", 0, "its id (else one is minted, and printed before it is sent)",  \
		1},                                                                                \
		{"expected-total", RESERVE_EXPECTED_TOTAL, "MONEY", 0,                             \
			"refuse if the price is another in all", 1},                               \
		{"again", RESERVE_AGAIN, "ID", 0,                                                  \
			"instead of lines: those of this expired hold, at its prices", 1},         \
		{"force", RESERVE_FORCE, NULL, 0, "operators: over restrictions and limits", 1},   \
		{"guest", RESERVE_GUEST, "ID", 0, "opaque id of the guest", 1},                    \
		{"external-ref", RESERVE_EXTERNAL_REF, "TEXT", 0,                                  \
			"the channel's own number, one of a kind for each --source", 1},           \
	{                                                                                          \
		"payment-ref", RESERVE_PAYMENT_REF, "TEXT", 0, "reference of the payment", 1       \
	}

static const struct argp_option book_options[] = {REQUEST_LINES_OPTIONS, RESERVE_OPTIONS, {0}};
static const struct argp_option hold_options[] = {REQUEST_LINES_OPTIONS, RESERVE_OPTIONS,
	{"ttl", RESERVE_TTL, "TIME", 0, "how long to hold (the hotel's default)", 1},
	{"replaces", RESERVE_REPLACES, "ID", 0,
		"give this hold back for the new one, or keep it if that is refused", 1},
	{0}};

struct reserve {
	struct keyrack_reserve request;
	struct request_lines lines;
	struct money expected_total;
};

static bool reserve_is_again(const struct reserve *reserve)
{
	return (reserve->request.reacquires.hi | reserve->request.reacquires.lo) != 0;
}

static int id_read(const char *arg, struct keyrack_id *ret_id, struct kr_error_text *error)
{
	struct kr_id id;
	int r = value_id(arg, &id, error);
	if (r == 0)
		*ret_id = (struct keyrack_id){id.hi, id.lo};
	return r;
}

static int reference_read(const char *arg, const char **ret_text, struct kr_error_text *error)
{
	if (strlen(arg) > REFERENCE_MAX)
		return kr_error_text_set(
			error, -KR_E_INVALID, 0, "at most %u bytes", REFERENCE_MAX);
	*ret_text = arg;
	return 0;
}

static int reserve_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct reserve *reserve = options;
	struct keyrack_reserve *request = &reserve->request;
	switch (key) {
	case RESERVE_AGAIN:
		return id_read(arg, &reserve->request.reacquires, error);
	case RESERVE_FORCE:
		request->force = true;
		return 0;
	case RESERVE_REPLACES:
		return id_read(arg, &request->replaces, error);
	case RESERVE_ID:
		return id_read(arg, &request->id, error);
	case RESERVE_TTL:
		return value_duration(arg, &request->ttl_us, error);
	case RESERVE_EXPECTED_TOTAL:
		request->has_expected_total = true;
		return money_parse(arg, false, &reserve->expected_total, error);
	case RESERVE_GUEST:
		return id_read(arg, &request->guest, error);
	case RESERVE_EXTERNAL_REF:
		return reference_read(arg, &request->external_ref, error);
	case RESERVE_PAYMENT_REF:
		return reference_read(arg, &request->payment_ref, error);
	default:
		return request_lines_option(&reserve->lines, key, arg, error);
	}
}

/* Types and amounts as the hotel counts them. CLI_DONE or the exit code. */
static int reserve_settle(struct cli *cli, struct reserve *reserve, struct money_unit *unit)
{
	struct keyrack_reserve *request = &reserve->request;
	struct kr_error_text error;
	int64_t minor = 0;
	int code = CLI_DONE;
	if (request->has_expected_total || request_lines_have_price(&reserve->lines))
		code = lookup_unit(cli, request->hotel_id, unit);
	if (code == CLI_DONE)
		code = reserve_is_again(reserve) ? CLI_DONE
						 : request_lines_settle(cli, request->hotel_id,
							   unit, &reserve->lines);
	if (code != CLI_DONE)
		return code;
	kr_error_text_clear(&error);
	if (request->has_expected_total &&
		money_in_unit(&reserve->expected_total, unit, &minor, &error) < 0)
		return cli_wrong(cli, "--expected-total: %s", error.bytes);
	request->expected_total_minor = (uint64_t)minor;
	if (!reserve_is_again(reserve)) {
		request->lines = reserve->lines.settled;
		request->line_count = reserve->lines.count;
	}
	return CLI_DONE;
}

typedef int reserve_call(struct keyrack_client *client, const struct keyrack_reserve *request,
	struct keyrack_reservation_answer *ret);

static int reserve_send(struct cli *cli, struct reserve *reserve, reserve_call *call)
{
	struct keyrack_reserve *request = &reserve->request;
	struct reservation_context context = {.has_lines = true, .hotel_id = request->hotel_id};
	struct keyrack_reservation_answer answer;
	int r = reserve_settle(cli, reserve, &context.unit);
	if (r != CLI_DONE)
		return r;
	if ((request->id.hi | request->id.lo) == 0)
		request->id = keyrack_id_mint(cli->client, request->hotel_id);
	context.id = request->id;
	/* Before it is sent: whoever loses the answer has to know what to ask about. */
	reservation_id_print(cli, request->id);
	r = call(cli->client, request, &answer);
	if (r < 0)
		return report_not_taken(cli, r);
	return reservation_answer_print(cli, &context, &answer);
}

/* An id says its slot, and has to be of this hotel. CLI_DONE or CLI_USAGE. */
static int id_check(const struct cli *cli, const struct keyrack_reserve *request)
{
	if ((request->id.hi | request->id.lo) == 0)
		return CLI_DONE;
	if (!keyrack_id_is_native(request->id))
		return cli_wrong(cli,
			"--id: this id was not minted by Keyrack; leave --id out to get "
			"one");
	if (keyrack_id_slot(request->id) != keyrack_slot_of_hotel(request->hotel_id))
		return cli_wrong(cli, "--id: this id was minted for another hotel");
	return CLI_DONE;
}

static int reserve_run(
	struct cli *cli, const struct cli_spec *spec, reserve_call *call, int argc, char **argv)
{
	static struct reserve reserve;
	const char *args[CLI_ARGS_MAX];
	struct value_hotel hotel;
	int code;
	memset(&reserve, 0, sizeof(reserve));
	cli_words(cli, spec, argc, argv, &reserve, args);
	code = lookup_hotel(cli, args[0], &hotel);
	if (code == CLI_DONE && !reserve_is_again(&reserve))
		code = request_lines_finish(cli, &reserve.lines);
	if (code != CLI_DONE)
		return code;
	reserve.request.call = cli_call(cli);
	reserve.request.origin = cli->origin;
	reserve.request.hotel_id = hotel.id;
	code = id_check(cli, &reserve.request);
	if (code != CLI_DONE)
		return code;
	if (!cli->json && !reserve_is_again(&reserve))
		request_lines_echo(&reserve.lines);
	code = cli_connect(cli);
	return code != CLI_DONE ? code : reserve_send(cli, &reserve, call);
}

int hold_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = hold_options,
		.option = reserve_option,
		.args = "HOTEL",
		.doc = "Holds rooms until a deadline: all lines, or none. `confirm` makes a "
		       "booking "
		       "of it, `release` gives it back.",
		.arg_min = 1,
		.arg_max = 1,
		.has_origin = true,
	};
	return reserve_run(cli, &spec, keyrack_hold, argc, argv);
}

int book_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = book_options,
		.option = reserve_option,
		.args = "HOTEL",
		.doc = "Books rooms: all lines, or none. Sent again with the same --id it books "
		       "once.",
		.arg_min = 1,
		.arg_max = 1,
		.has_origin = true,
	};
	return reserve_run(cli, &spec, keyrack_book, argc, argv);
}

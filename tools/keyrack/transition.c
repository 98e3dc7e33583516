/* keyrack confirm, release, cancel, resolve, check-in, complete, no-show, extend, attach-payment.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/lookup.h"
#include "tools/keyrack/transition.h"

#define PAYMENT_REF_MAX 64u
#define SECOND_US UINT64_C(1000000)
#define UNTIL_MAX_S UINT64_C(99999999999)

static const struct argp_option resolve_options[] = {TRANSITION_HOTEL_OPTION, {0}};
static const struct argp_option presence_options[] = {
	TRANSITION_HOTEL_OPTION, TRANSITION_REVISION_OPTION, {0}};
static const struct argp_option attach_options[] = {
	TRANSITION_HOTEL_OPTION, TRANSITION_REVISION_OPTION, TRANSITION_CHANGE_OPTION, {0}};
static const struct argp_option extend_options[] = {TRANSITION_HOTEL_OPTION,
	TRANSITION_REVISION_OPTION, TRANSITION_CHANGE_OPTION,
	{"for", TRANSITION_FOR, "TIME", 0, "until so long from now (10m)", 0},
	{"until", TRANSITION_UNTIL, "SECONDS", 0, "until that instant, in seconds of unix time", 0},
	{0}};
static const struct argp_option release_options[] = {
	TRANSITION_HOTEL_OPTION, TRANSITION_REVISION_OPTION, {0}};
static const struct argp_option confirm_options[] = {TRANSITION_HOTEL_OPTION,
	TRANSITION_REVISION_OPTION,
	{"payment-ref", TRANSITION_PAYMENT_REF, "TEXT", 0, "reference of the payment", 0}, {0}};
static const struct argp_option cancel_options[] = {TRANSITION_HOTEL_OPTION,
	TRANSITION_REVISION_OPTION,
	{"any", TRANSITION_ANY, NULL, 0, "give back a hold or a booking alike", 0}, {0}};

static int payment_ref_read(
	const char *arg, struct keyrack_transition *transition, struct kr_error_text *error)
{
	kr_assert(arg != NULL);
	if (strlen(arg) > PAYMENT_REF_MAX)
		return kr_error_text_set(
			error, -KR_E_INVALID, 0, "at most %u bytes", PAYMENT_REF_MAX);
	transition->payment_ref = arg;
	return 0;
}

static int change_read(
	const char *arg, struct keyrack_transition *transition, struct kr_error_text *error)
{
	size_t digits = strspn(arg, "0123456789abcdefABCDEF");
	if (digits == 0 || digits > 16 || arg[digits] != '\0' || strspn(arg, "0") == digits)
		return kr_error_text_set(error, -KR_E_INVALID, 0,
			"1 to 16 hexadecimal digits, not all of them zero");
	transition->change_id = strtoull(arg, NULL, 16);
	return 0;
}

int transition_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct keyrack_transition *transition = options;
	struct value_hotel hotel = {.id = 0};
	uint64_t number = 0;
	int r;
	switch ((enum transition_key)key) {
	case TRANSITION_HOTEL:
		r = value_hotel(arg, &hotel, error);
		transition->has_hotel = true;
		transition->hotel_id = hotel.id;
		return r;
	case TRANSITION_EXPECT_REVISION:
		r = value_u64(arg, (struct value_range){0, UINT32_MAX}, &number, error);
		transition->has_expected_revision = true;
		transition->expected_revision = (uint32_t)number;
		return r;
	case TRANSITION_PAYMENT_REF:
		return payment_ref_read(arg, transition, error);
	case TRANSITION_CHANGE:
		return change_read(arg, transition, error);
	case TRANSITION_FOR:
		r = value_duration(arg, &number, error);
		transition->expires_at_us = cli_wall_us() + number;
		return r;
	case TRANSITION_UNTIL:
		r = value_u64(arg, (struct value_range){1, UNTIL_MAX_S}, &number, error);
		transition->expires_at_us = number * SECOND_US;
		return r;
	case TRANSITION_ANY:
		transition->any = true;
		return 0;
	case TRANSITION_KEY_END:
		break;
	}
	kr_unreachable();
}

void transition_change_format(uint64_t change_id, char ret_text[static TRANSITION_CHANGE_TEXT_SIZE])
{
	kr_assert(change_id != 0);
	(void)snprintf(ret_text, TRANSITION_CHANGE_TEXT_SIZE, "%016" PRIx64, change_id);
}

void transition_change_tell(struct cli *cli, struct keyrack_transition *transition)
{
	char change[TRANSITION_CHANGE_TEXT_SIZE];
	if (transition->change_id == 0)
		transition->change_id = keyrack_id_mint(cli->client, 1).lo;
	transition_change_format(transition->change_id, change);
	fprintf(cli->json ? stderr : stdout, "change %s of revision %u\n", change,
		transition->expected_revision);
	fflush(stdout);
}

/* A change is of the revision somebody saw: here the present one, unless it was said. */
static int change_settle(struct cli *cli, struct keyrack_transition *transition)
{
	struct keyrack_reservation_get get = {.call = cli_call(cli),
		.id = transition->id,
		.has_hotel = transition->has_hotel,
		.hotel_id = transition->hotel_id};
	struct keyrack_reservation_get_answer answer;
	if (!transition->has_expected_revision) {
		int r = keyrack_reservation_get(cli->client, &get, &answer);
		r = report_got(cli, r, &answer.result);
		if (r != CLI_DONE)
			return r;
		transition->has_expected_revision = true;
		transition->expected_revision = answer.reservation.revision;
	}
	transition_change_tell(cli, transition);
	return CLI_DONE;
}

typedef int transition_call(struct keyrack_client *client, const struct keyrack_transition *request,
	struct keyrack_reservation_answer *ret);

static int transition_run(
	struct cli *cli, const struct cli_spec *spec, transition_call *call, int argc, char **argv)
{
	const char *args[CLI_ARGS_MAX];
	struct keyrack_transition transition = {.any = false};
	struct keyrack_reservation_answer answer;
	struct reservation_context context = {.has_lines = false};
	int code;
	cli_words(cli, spec, argc, argv, &transition, args);
	code = lookup_id(cli, args[0], &transition.id);
	if (code == CLI_DONE)
		code = reservation_id_check(cli, transition.id, transition.has_hotel);
	if (code == CLI_DONE && call == keyrack_extend && transition.expires_at_us == 0)
		code = cli_wrong(cli, "say how long: --for 10m, or --until");
	if (code == CLI_DONE)
		code = cli_connect(cli);
	if (code == CLI_DONE && call == keyrack_attach_payment)
		transition.payment_ref = args[1];
	if (code == CLI_DONE && (call == keyrack_extend || call == keyrack_attach_payment))
		code = change_settle(cli, &transition);
	if (code != CLI_DONE)
		return code;
	transition.call = cli_call(cli);
	transition.origin = cli->origin;
	context.id = transition.id;
	context.hotel_id = transition.hotel_id;
	code = call(cli->client, &transition, &answer);
	if (code < 0)
		return report_not_taken(cli, code);
	return reservation_answer_print(cli, &context, &answer);
}

#define TRANSITION_SPEC(table, text)                                                               \
	{                                                                                          \
		.options = table, .option = transition_option, .args = "ID", .doc = text,          \
		.arg_min = 1, .arg_max = 1, .has_origin = true                                     \
	}

int confirm_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = TRANSITION_SPEC(confirm_options,
		"Turns a hold into a booking, if it has not expired. Doing it again is no error.");
	return transition_run(cli, &spec, keyrack_confirm, argc, argv);
}

int release_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec =
		TRANSITION_SPEC(release_options, "Gives a hold back. Doing it again is no error.");
	return transition_run(cli, &spec, keyrack_release, argc, argv);
}

int cancel_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = TRANSITION_SPEC(cancel_options,
		"Cancels a booking; with --any also gives back a "
		"hold. Doing it again is no error. What it costs is "
		"shown before by `reservation get`, as `if "
		"cancelled now`.");
	return transition_run(cli, &spec, keyrack_cancel, argc, argv);
}

int resolve_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = TRANSITION_SPEC(resolve_options,
		"Tells what became of an id whose outcome is unknown. NOT_FOUND is final: that id "
		"can never sell any more.");
	return transition_run(cli, &spec, keyrack_resolve, argc, argv);
}

int check_in_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = TRANSITION_SPEC(presence_options,
		"Says that the guest of a booking is there, from the business date of its first "
		"night on. Doing it again is no error.");
	return transition_run(cli, &spec, keyrack_check_in, argc, argv);
}

int complete_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = TRANSITION_SPEC(presence_options,
		"Ends a stay. Before its last night that is an early departure: the nights from "
		"the hotel's business date on are given back. Doing it again is no error.");
	return transition_run(cli, &spec, keyrack_complete, argc, argv);
}

int no_show_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = TRANSITION_SPEC(presence_options,
		"Says that the guest of a booking did not come: the nights from the hotel's "
		"business date on are given back. Doing it again is no error.");
	return transition_run(cli, &spec, keyrack_no_show, argc, argv);
}

int extend_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = TRANSITION_SPEC(extend_options,
		"Lets a hold live longer, as far as its hotel's hold-total-max allows; it never "
		"shortens one. Prints until when.");
	return transition_run(cli, &spec, keyrack_extend, argc, argv);
}

int attach_payment_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = attach_options,
		.option = transition_option,
		.args = "ID REFERENCE",
		.doc = "Keeps the reference of a payment with a hold, so that a payment whose "
		       "confirmation was lost can be found.",
		.arg_min = 2,
		.arg_max = 2,
		.has_origin = true,
	};
	return transition_run(cli, &spec, keyrack_attach_payment, argc, argv);
}

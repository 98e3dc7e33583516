/* keyrack reservation list: by hotel, guest, state, dates; reservation due, reservation stuck. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/lookup.h"
#include "tools/keyrack/names.h"
#include "tools/keyrack/pages.h"
#include "tools/keyrack/reservation.h"
#include "tools/keyrack/span.h"
#include "tools/keyrack/table.h"

#define LIST_PAGE 256u
#define LIST_DEFAULT 100u
#define LIST_MAX 1000000u
/* When money is taken before an arrival. */
#define LEAD_DEFAULT_US (UINT64_C(48) * 3600 * 1000000)

enum list_key {
	LIST_STATE = CLI_KEY_OWN,
	LIST_ARRIVING,
	LIST_DEPARTING,
	LIST_NIGHTS,
	LIST_GUEST,
	LIST_EXTERNAL_REF,
	LIST_SOURCE,
	LIST_PAID,
	LIST_UNPAID,
	LIST_CURSOR,
	LIST_LIMIT,
	LIST_LEAD,
};

#define ROOMS_TEXT_SIZE 128u

/* clang-format off */
#define LIST_PAGE_OPTIONS                                                                          \
	{"limit", LIST_LIMIT, "N", 0, "at most so many (100)", 0},                                 \
	{"cursor", LIST_CURSOR, "C", 0, "go on where a list ended", 0}
/* clang-format on */

static const struct argp_option list_options[] = {
	{"state", LIST_STATE, "STATE[,STATE]", 0, "held, confirmed, checked_in, ...", 0},
	{"arriving", LIST_ARRIVING, "A..B", 0,
		"whose first night is A to B, both included; A alone is that day", 0},
	{"departing", LIST_DEPARTING, "A..B", 0, "who check out on A to B, both included; A alone",
		0},
	{"nights", LIST_NIGHTS, "A..B", 0, "who sleep on one of the nights A to B", 0},
	{"guest", LIST_GUEST, "ID", 0, "of this guest", 0},
	{"external-ref", LIST_EXTERNAL_REF, "TEXT", 0, "under this reference", 0},
	{"of-source", LIST_SOURCE, "N", 0, "of this source", 0},
	{"paid", LIST_PAID, NULL, 0, "with a payment reference", 0},
	{"unpaid", LIST_UNPAID, NULL, 0, "without one", 0},
	LIST_PAGE_OPTIONS,
	{0},
};
static const struct argp_option due_options[] = {
	{"lead", LIST_LEAD, "TIME", 0, "who arrive within so long (48h)", 0}, LIST_PAGE_OPTIONS,
	{0}};
static const struct argp_option stuck_options[] = {LIST_PAGE_OPTIONS, {0}};

struct list {
	struct keyrack_reservation_list request;
	uint64_t count, limit, lead_us;
	json_t *reservations; /* --json */
	struct table *table;
	struct money_unit unit; /* of the hotel; empty over all hotels */
	struct names *names;    /* likewise; NULL */
};

static int states_read(const char *arg, uint32_t *ret_mask, struct kr_error_text *error)
{
	while (*arg != '\0') {
		size_t length = strcspn(arg, ",");
		uint32_t bit = 0;
		for (uint32_t state = KEYRACK_STATE_HELD; state <= KEYRACK_STATE_VOID; state++) {
			const char *name = keyrack_state_name(state);
			if (strlen(name) == length && strncasecmp(name, arg, length) == 0)
				bit = 1u << state;
		}
		if (bit == 0)
			return kr_error_text_set(error, -KR_E_INVALID, 0,
				"'%.*s' is no state: held, confirmed, released, expired, "
				"cancelled, checked_in, no_show, completed, void",
				(int)KR_MIN(length, (size_t)32), arg);
		*ret_mask |= bit;
		arg += length + (arg[length] == ',');
	}
	return 0;
}

static int number_read(
	const char *arg, struct value_range range, uint64_t *ret, struct kr_error_text *error)
{
	kr_assert(range.first <= range.last);
	return value_u64(arg, range, ret, error);
}

static int list_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct list *list = options;
	struct keyrack_reservation_list *q = &list->request;
	struct kr_id guest = {0};
	uint64_t number = 0;
	int r;
	switch ((enum list_key)key) {
	case LIST_STATE:
		return states_read(arg, &q->state_mask, error);
	case LIST_ARRIVING:
		return span_parse_days(
			arg, &q->has_arrival, &q->arrival_first_day, &q->arrival_last_day, error);
	case LIST_DEPARTING:
		return span_parse_days(arg, &q->has_departure, &q->departure_first_day,
			&q->departure_last_day, error);
	case LIST_NIGHTS:
		return span_parse_days(
			arg, &q->has_night, &q->night_first_day, &q->night_last_day, error);
	case LIST_GUEST:
		r = value_id(arg, &guest, error);
		q->guest = (struct keyrack_id){guest.hi, guest.lo};
		return r;
	case LIST_EXTERNAL_REF:
		q->external_ref = arg;
		return 0;
	case LIST_SOURCE:
		r = number_read(arg, (struct value_range){1, UINT32_MAX}, &number, error);
		q->source = (uint32_t)number;
		return r;
	case LIST_PAID:
		q->payment = 1;
		return 0;
	case LIST_UNPAID:
		q->payment = 2;
		return 0;
	case LIST_CURSOR:
		return number_read(arg, (struct value_range){1, UINT64_MAX}, &q->cursor, error);
	case LIST_LIMIT:
		return number_read(arg, (struct value_range){1, LIST_MAX}, &list->limit, error);
	case LIST_LEAD:
		return value_duration(arg, &list->lead_us, error);
	}
	kr_unreachable();
}

/* "2 x DBL, FLEX"; by number where the hotel is not the only one, or there is no code. */
static void rooms_format(const struct keyrack_line *line, const struct names *names,
	char ret_text[static ROOMS_TEXT_SIZE])
{
	char type[NAMES_TEXT_SIZE], plan[NAMES_TEXT_SIZE];
	names_type_format(names, line->type, type);
	names_plan_format(names, line->type, line->plan, plan);
	(void)snprintf(ret_text, ROOMS_TEXT_SIZE, "%u x type %s", line->rooms, type);
	if (line->plan != 0)
		(void)snprintf(ret_text, ROOMS_TEXT_SIZE, "%u x type %s, plan %s", line->rooms,
			type, plan);
	kr_assert(strlen(ret_text) < ROOMS_TEXT_SIZE);
}

static void row_add(struct table *table, const struct keyrack_reservation *reservation,
	const struct names *names)
{
	char text[64] = "";
	keyrack_id_format(reservation->id, text);
	table_row(table);
	table_put(table, "%s", text);
	table_put(table, "%" PRIu64, reservation->hotel_id);
	table_put(table, "%s%s", keyrack_state_name(reservation->state),
		reservation->due ? ", due" : "");
	const struct keyrack_line *line = reservation->lines;
	if (reservation->line_count == 0) {
		table_put(table, "%s", "");
		table_put(table, "%s", "");
		table_put(table, "%s", "");
	} else {
		char arrival[SPAN_DAY_TEXT_SIZE], departure[SPAN_DAY_TEXT_SIZE];
		char rooms[ROOMS_TEXT_SIZE];
		span_format_day(line->check_in_day, arrival);
		span_format_day(line->check_out_day, departure);
		table_put(table, "%s to %s", arrival, departure);
		rooms_format(line, names, rooms);
		table_put(table, "%s", rooms);
		table_put(table, "%u", reservation->line_count);
	}
	table_put(table, "%s", reservation->external_ref != NULL ? reservation->external_ref : "");
}

/* An answer's memory ends with the next call, so the hotel's unit is had before the page. Over all
 * hotels money stays in minor units of each hotel's own currency. */
static int list_take(void *user, const void *reservation)
{
	struct list *list = user;
	kr_assert(list->count < list->limit);
	if (list->table != NULL) {
		row_add(list->table, reservation, list->names);
	} else {
		json_t *object = js_object();
		reservation_json(object, reservation, &list->unit);
		js_append(list->reservations, object);
	}
	list->count++;
	list->request.limit = (uint32_t)KR_MIN(list->limit - list->count, (uint64_t)LIST_PAGE);
	return list->count < list->limit ? CLI_DONE : PAGES_ENOUGH;
}

static void list_print(const struct cli *cli, struct list *list)
{
	if (cli->json) {
		json_t *root = js_object();
		js_text(root, "outcome", "DONE");
		js_text(root, "code", "DONE");
		js_set(root, "reservations", list->reservations);
		js_bool(root, "more", list->request.cursor != 0);
		js_number_id(root, "next_cursor", list->request.cursor);
		js_print(root);
		return;
	}
	table_print_free(list->table, "No reservation is like that.");
	if (list->request.cursor != 0)
		printf("There may be more: the same again with --cursor %" PRIu64 "\n",
			list->request.cursor);
}

static int list_run(
	struct cli *cli, struct list *list, const struct cli_spec *spec, int argc, char **argv)
{
	static const struct table_column columns[] = {{"RESERVATION", false}, {"HOTEL", true},
		{"STATE", false}, {"FIRST LINE", false}, {"ROOMS", false}, {"LINES", true},
		{"EXTERNAL REF", false}};
	const char *args[CLI_ARGS_MAX] = {NULL};
	list->limit = LIST_DEFAULT;
	cli_words(cli, spec, argc, argv, list, args);
	int code = lookup_hotel_connect(cli, args[0], &list->request.hotel_id);
	if (code != CLI_DONE)
		return code;
	if (list->lead_us != 0)
		list->request.arrives_before_us = cli_wall_us() + list->lead_us;
	if (list->request.hotel_id != 0)
		list->unit = lookup_unit_quietly(cli, list->request.hotel_id);
	if (list->request.hotel_id != 0)
		list->names = names_get(cli, list->request.hotel_id, true);
	if (cli->json)
		list->reservations = js_array();
	else
		list->table = table_new(columns, KR_ARRAY_COUNT(columns));
	struct pages pages = {
		pages_ask_reservations, &list->request, list_take, list, list->request.cursor};
	list->request.limit = (uint32_t)KR_MIN(list->limit, (uint64_t)LIST_PAGE);
	code = pages_each(cli, &pages);
	list->request.cursor = pages.cursor;
	if (code == CLI_DONE)
		list_print(cli, list);
	names_free(list->names);
	return code;
}

#define LIST_SPEC(table, text)                                                                     \
	{                                                                                          \
		.options = table, .option = list_option, .args = "[HOTEL]", .doc = text,           \
		.arg_min = 0, .arg_max = 1                                                         \
	}

int reservation_list_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = LIST_SPEC(list_options,
		"Lists reservations of a hotel, or of all hotels, that are all that is asked for. "
		"They come in no useful order.");
	struct list list = {.count = 0};
	return list_run(cli, &list, &spec, argc, argv);
}

int reservation_due_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = LIST_SPEC(due_options,
		"Lists bookings with a payment reference whose guests are expected within --lead, "
		"by the hotel's check-in time, or were expected before: their money is due.");
	struct list list = {.lead_us = LEAD_DEFAULT_US};
	list.request.state_mask = 1u << KEYRACK_STATE_CONFIRMED;
	list.request.payment = 1;
	return list_run(cli, &list, &spec, argc, argv);
}

int reservation_stuck_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = LIST_SPEC(stuck_options,
		"Lists holds, live and expired, that have a payment reference and were never "
		"confirmed: somebody may have paid for nothing.");
	struct list list = {.count = 0};
	list.request.state_mask = 1u << KEYRACK_STATE_HELD | 1u << KEYRACK_STATE_EXPIRED;
	list.request.payment = 1;
	return list_run(cli, &list, &spec, argc, argv);
}

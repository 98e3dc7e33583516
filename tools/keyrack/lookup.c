#include "tools/keyrack/lookup.h"

#include <stdio.h>
#include <string.h>

#include "tools/keyrack/report.h"

int lookup_hotel(const struct cli *cli, const char *word, struct value_hotel *ret_hotel)
{
	struct kr_error_text error;
	kr_error_text_clear(&error);
	if (value_hotel(word, ret_hotel, &error) < 0)
		return cli_wrong(cli, "%s", error.bytes);
	return CLI_DONE;
}

int lookup_hotel_connect(struct cli *cli, const char *word, uint64_t *ret_hotel_id)
{
	struct value_hotel hotel = {.id = 0};
	int code = word != NULL ? lookup_hotel(cli, word, &hotel) : CLI_DONE;
	kr_assert(ret_hotel_id != NULL);
	*ret_hotel_id = hotel.id;
	return code == CLI_DONE ? cli_connect(cli) : code;
}

int lookup_id(const struct cli *cli, const char *word, struct keyrack_id *ret_id)
{
	struct kr_error_text error;
	struct kr_id id;
	kr_error_text_clear(&error);
	if (value_id(word, &id, &error) < 0)
		return cli_wrong(cli, "%s", error.bytes);
	*ret_id = (struct keyrack_id){id.hi, id.lo};
	return CLI_DONE;
}

static void unit_of_hotel(const struct keyrack_hotel *hotel, struct money_unit *ret_unit)
{
	memset(ret_unit, 0, sizeof(*ret_unit));
	kr_assert(hotel->settings.currency != NULL);
	if (hotel->settings.currency_digits > MONEY_DIGITS_MAX)
		return; /* from a newer server: amounts are then shown in minor units */
	(void)snprintf(
		ret_unit->currency, sizeof(ret_unit->currency), "%.3s", hotel->settings.currency);
	ret_unit->digits = hotel->settings.currency_digits;
}

static void place_of_hotel(const struct keyrack_hotel *hotel, struct lookup_place *ret_place)
{
	kr_assert(hotel->settings.zone != NULL);
	unit_of_hotel(hotel, &ret_place->unit);
	(void)snprintf(ret_place->zone, sizeof(ret_place->zone), "%s", hotel->settings.zone);
}

int lookup_place(struct cli *cli, uint64_t hotel_id, struct lookup_place *ret_place)
{
	const struct keyrack_hotel_get request = {.call = cli_call(cli), .hotel_id = hotel_id};
	struct keyrack_hotel_answer answer;
	int r = keyrack_hotel_get(cli->client, &request, &answer);
	r = report_got(cli, r, &answer.result);
	if (r != CLI_DONE)
		return r;
	place_of_hotel(&answer.hotel, ret_place);
	return CLI_DONE;
}

int lookup_unit(struct cli *cli, uint64_t hotel_id, struct money_unit *ret_unit)
{
	struct lookup_place place;
	int r = lookup_place(cli, hotel_id, &place);
	kr_assert(ret_unit != NULL);
	if (r == CLI_DONE)
		*ret_unit = place.unit;
	return r;
}

struct lookup_place lookup_place_quietly(struct cli *cli, uint64_t hotel_id)
{
	const struct keyrack_hotel_get request = {.call = cli_call(cli), .hotel_id = hotel_id};
	struct keyrack_hotel_answer answer;
	struct lookup_place place = {.unit = {.digits = 0}};
	int r = keyrack_hotel_get(cli->client, &request, &answer);
	if (r == KEYRACK_RESULT_DONE)
		place_of_hotel(&answer.hotel, &place);
	kr_assert(place.unit.digits <= MONEY_DIGITS_MAX);
	return place;
}

struct money_unit lookup_unit_quietly(struct cli *cli, uint64_t hotel_id)
{
	return lookup_place_quietly(cli, hotel_id).unit;
}

/* Asks for all types of the hotel. CLI_DONE, or the exit code. */
static int types_get(
	struct cli *cli, uint64_t hotel_id, struct keyrack_type_list_answer *ret_answer)
{
	const struct keyrack_type_get request = {.call = cli_call(cli), .hotel_id = hotel_id};
	int r = keyrack_type_get(cli->client, &request, ret_answer);
	r = report_got(cli, r, &ret_answer->result);
	if (r != CLI_DONE)
		return r;
	return CLI_DONE;
}

/* CLI_DONE, or the exit code after saying that there is none. */
static int code_find(const struct cli *cli, const struct keyrack_type_list_answer *answer,
	const char *code, uint32_t *ret_number)
{
	kr_assert(code[0] != '\0');
	for (uint32_t i = 0; i < answer->type_count; i++)
		if (strcmp(answer->types[i].settings.code, code) == 0) {
			*ret_number = answer->types[i].type;
			return CLI_DONE;
		}
	return report_missing(cli,
		"the hotel has no room type with the code \"%s\"; `keyrack type get` lists them",
		code);
}

int lookup_type(
	struct cli *cli, uint64_t hotel_id, const struct line_name *type, uint32_t *ret_number)
{
	struct keyrack_type_list_answer answer;
	int r;
	if (type->code[0] == '\0') {
		*ret_number = type->number;
		return CLI_DONE;
	}
	r = types_get(cli, hotel_id, &answer);
	return r != CLI_DONE ? r : code_find(cli, &answer, type->code, ret_number);
}

static bool list_has(const struct value_list *list, uint32_t number)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (list->numbers[i] == number)
			return true;
	return false;
}

int lookup_type_list(struct cli *cli, uint64_t hotel_id, struct type_list *types)
{
	struct keyrack_type_list_answer answer;
	uint32_t number = 0;
	int r = types->code_count > 0 ? types_get(cli, hotel_id, &answer) : CLI_DONE;
	if (r != CLI_DONE)
		return r;
	for (uint32_t i = 0; i < types->code_count; i++) {
		r = code_find(cli, &answer, types->codes[i], &number);
		if (r != CLI_DONE)
			return r;
		if (list_has(&types->list, number))
			return cli_wrong(cli, "--types: %s is room type %u, which is named twice",
				types->codes[i], number);
		if (types->list.count == VALUE_LIST_MAX)
			return cli_wrong(cli, "--types: at most %u", VALUE_LIST_MAX);
		types->list.numbers[types->list.count++] = number;
	}
	types->code_count = 0;
	return CLI_DONE;
}

int lookup_types(struct cli *cli, uint64_t hotel_id, struct value_list *ret_list)
{
	struct keyrack_type_list_answer answer;
	int r = types_get(cli, hotel_id, &answer);
	if (r != CLI_DONE)
		return r;
	ret_list->count = KR_MIN(answer.type_count, VALUE_LIST_MAX);
	for (uint32_t i = 0; i < ret_list->count; i++)
		ret_list->numbers[i] = answer.types[i].type;
	if (answer.type_count > VALUE_LIST_MAX)
		cli_say(cli, "only the first %u types are looked at", VALUE_LIST_MAX);
	return CLI_DONE;
}

#include "tools/keyrack/names.h"

#include <stdio.h>
#include <stdlib.h>

static void types_keep(struct names *names, const struct keyrack_type_list_answer *answer)
{
	names->type_count = KR_MIN(answer->type_count, VALUE_LIST_MAX);
	for (uint32_t i = 0; i < names->type_count; i++) {
		struct names_type *one = &names->types[i];
		one->type = answer->types[i].type;
		(void)snprintf(one->code, sizeof(one->code), "%s", answer->types[i].settings.code);
	}
	kr_assert(names->type_count <= VALUE_LIST_MAX);
}

struct names *names_get(struct cli *cli, uint64_t hotel_id, bool with_plans)
{
	const struct keyrack_type_get request = {.call = cli_call(cli), .hotel_id = hotel_id};
	struct keyrack_type_list_answer answer;
	struct names *names;
	if (cli->json)
		return NULL;
	names = calloc(1, sizeof(*names));
	kr_assert(names != NULL);
	if (keyrack_type_get(cli->client, &request, &answer) != KEYRACK_RESULT_DONE)
		return names;
	types_keep(names, &answer);
	if (with_plans && plans_get(cli, hotel_id, NULL, &names->plans) != CLI_DONE)
		names->plans.count = 0;
	return names;
}

void names_free(struct names *names)
{
	if (names == NULL)
		return;
	plans_free(&names->plans);
	free(names);
}

static void name_format(uint32_t number, const char *code, char ret_text[static NAMES_TEXT_SIZE])
{
	kr_assert(code != NULL);
	(void)snprintf(
		ret_text, NAMES_TEXT_SIZE, "%u%s%s", number, code[0] != '\0' ? " " : "", code);
}

void names_type_format(
	const struct names *names, uint32_t type, char ret_text[static NAMES_TEXT_SIZE])
{
	const char *code = "";
	for (uint32_t i = 0; names != NULL && i < names->type_count; i++)
		if (names->types[i].type == type)
			code = names->types[i].code;
	name_format(type, code, ret_text);
}

void names_plan_format(const struct names *names, uint32_t type, uint32_t plan,
	char ret_text[static NAMES_TEXT_SIZE])
{
	const char *code = "";
	for (uint32_t i = 0; names != NULL && i < names->plans.count; i++)
		if (names->plans.list[i].plan.type == type &&
			names->plans.list[i].plan.plan == plan)
			code = names->plans.list[i].code;
	name_format(plan, code, ret_text);
}

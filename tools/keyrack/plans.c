#include "tools/keyrack/plans.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/keyrack/report.h"

#define ROOM_FIRST 64u
#define TRIES_MAX 100u /* of a list that changes while it is read */
#define TRY_AGAIN (-1) /* no exit code */
#define BASE_CODE "BASE"

static void plans_add(struct plans *plans, const struct keyrack_plan *plan)
{
	struct plans_one *one;
	if (plans->count == plans->room) {
		plans->room = KR_MAX(plans->room * 2, ROOM_FIRST);
		plans->list = realloc(plans->list, plans->room * sizeof(*plans->list));
		kr_assert(plans->list != NULL);
	}
	one = &plans->list[plans->count++];
	memset(one, 0, sizeof(*one));
	one->plan = *plan;
	(void)snprintf(one->code, sizeof(one->code), "%s", plan->settings.code);
	one->plan.settings.tier_count = KR_MIN(plan->settings.tier_count, KEYRACK_TIER_COUNT_MAX);
	if (one->plan.settings.tier_count > 0)
		memcpy(one->tiers, plan->settings.tiers,
			one->plan.settings.tier_count * sizeof(one->tiers[0]));
}

/* The list moves while it grows: its texts are pointed at when it is whole. */
static void plans_point(struct plans *plans)
{
	for (uint32_t i = 0; i < plans->count; i++) {
		struct plans_one *one = &plans->list[i];
		one->plan.settings.code = one->code;
		one->plan.settings.tiers = one->tiers;
	}
	kr_assert(plans->count <= plans->room);
}

/* CLI_DONE, TRY_AGAIN, or the exit code. */
static int plans_read(struct cli *cli, uint64_t hotel_id, const uint32_t *type, struct plans *plans)
{
	struct keyrack_plan_list request = {
		.call = cli_call(cli), .hotel_id = hotel_id, .from_type = type != NULL ? *type : 0};
	struct keyrack_plan_list_answer page;
	bool more = true;
	plans->count = 0;
	while (more) {
		int r = keyrack_plan_list(cli->client, &request, &page);
		r = report_got(cli, r, &page.result);
		if (r != CLI_DONE)
			return r;
		if (plans->count > 0 && page.ari_version != plans->ari_version)
			return TRY_AGAIN;
		plans->ari_version = page.ari_version;
		more = page.more && page.plan_count > 0;
		for (uint32_t i = 0; i < page.plan_count; i++) {
			request.from_type = page.plans[i].type;
			request.from_plan = page.plans[i].plan + 1;
			if (type != NULL && page.plans[i].type != *type)
				more = false;
			else
				plans_add(plans, &page.plans[i]);
		}
	}
	plans_point(plans);
	return CLI_DONE;
}

int plans_get(struct cli *cli, uint64_t hotel_id, const uint32_t *type, struct plans *ret_plans)
{
	memset(ret_plans, 0, sizeof(*ret_plans));
	for (uint32_t i = 0; i < TRIES_MAX; i++) {
		int code = plans_read(cli, hotel_id, type, ret_plans);
		kr_assert(code != CLI_USAGE);
		if (code != TRY_AGAIN)
			return code;
	}
	cli_say(cli, "hotel %" PRIu64 " changes faster than it can be read: try again later",
		hotel_id);
	return CLI_UNREACHABLE;
}

void plans_free(struct plans *plans)
{
	kr_assert(plans->count <= plans->room);
	free(plans->list);
	memset(plans, 0, sizeof(*plans));
}

/* Plan 0 needs no question: its code is one for all. */
static bool name_is_number(const struct line_name *plan, uint32_t *ret_number)
{
	*ret_number = plan->code[0] == '\0' ? plan->number : 0;
	kr_assert(*ret_number <= LINE_PLAN_MAX);
	return plan->code[0] == '\0' || strcmp(plan->code, BASE_CODE) == 0;
}

int lookup_plan(struct cli *cli, uint64_t hotel_id, uint32_t type, const struct line_name *plan,
	uint32_t *ret_number)
{
	struct plans plans;
	int code;
	if (name_is_number(plan, ret_number))
		return CLI_DONE;
	code = plans_get(cli, hotel_id, &type, &plans);
	for (uint32_t i = 0; i < plans.count && code == CLI_DONE; i++)
		if (strcmp(plans.list[i].code, plan->code) == 0) {
			*ret_number = plans.list[i].plan.plan;
			plans_free(&plans);
			return CLI_DONE;
		}
	plans_free(&plans);
	return code != CLI_DONE ? code
				: report_missing(cli,
					  "room type %u has no rate plan with the code \"%s\"; "
					  "`keyrack plan list` lists them",
					  type, plan->code);
}

static bool type_is_meant(const struct value_list *types, uint32_t type)
{
	kr_assert(types->count <= VALUE_LIST_MAX);
	for (uint32_t i = 0; i < types->count; i++)
		if (types->numbers[i] == type)
			return true;
	return types->count == 0;
}

/* CLI_DONE, or the exit code after saying why. */
static int plans_agree(const struct cli *cli, const struct plans *plans,
	const struct value_list *types, const char *code, uint32_t *ret_number)
{
	const struct keyrack_plan *found = NULL;
	for (uint32_t i = 0; i < plans->count; i++) {
		const struct keyrack_plan *plan = &plans->list[i].plan;
		if (!type_is_meant(types, plan->type) || strcmp(plans->list[i].code, code) != 0)
			continue;
		if (found != NULL && found->plan != plan->plan)
			return cli_wrong(cli,
				"\"%s\" is plan %u of type %u and plan %u of type %u: give its "
				"number, or --types",
				code, found->plan, found->type, plan->plan, plan->type);
		found = plan;
	}
	if (found == NULL)
		return report_missing(cli,
			"there is no rate plan with the code \"%s\"; `keyrack plan list` lists "
			"them",
			code);
	kr_assert(found->plan <= LINE_PLAN_MAX);
	*ret_number = found->plan;
	return CLI_DONE;
}

int lookup_plan_of_types(struct cli *cli, uint64_t hotel_id, const struct value_list *types,
	const struct line_name *plan, uint32_t *ret_number)
{
	struct plans plans;
	int code;
	if (name_is_number(plan, ret_number))
		return CLI_DONE;
	code = plans_get(cli, hotel_id, NULL, &plans);
	if (code == CLI_DONE)
		code = plans_agree(cli, &plans, types, plan->code, ret_number);
	plans_free(&plans);
	return code;
}

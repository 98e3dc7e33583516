#include "tools/keyrack/nights.h"

#include "tools/keyrack/report.h"

/* One page: what is left to ask for is in the request. */
static int nights_page(struct cli *cli, struct keyrack_night_list *request, nights_take *take,
	void *user, struct nights_span *ret_span)
{
	struct keyrack_night_list_answer answer;
	bool is_first = request->cursor == 0, wants_more = true;
	request->call = cli_call(cli);
	int r = keyrack_night_list(cli->client, request, &answer);
	r = report_got(cli, r, &answer.result);
	if (r != CLI_DONE)
		return r;
	if (is_first)
		*ret_span = (struct nights_span){
			answer.business_day, answer.first_day, answer.last_day};
	for (uint32_t i = 0; i < answer.night_count && wants_more; i++)
		wants_more = take(user, &answer.nights[i]);
	request->cursor = wants_more ? answer.next_cursor : 0;
	request->from_day = answer.next_day;
	return CLI_DONE;
}

int nights_each(struct cli *cli, struct keyrack_night_list *request, nights_take *take, void *user,
	struct nights_span *ret_span)
{
	int code;
	kr_assert(request->cursor == 0);
	do {
		code = nights_page(cli, request, take, user, ret_span);
	} while (code == CLI_DONE && request->cursor != 0);
	return code;
}

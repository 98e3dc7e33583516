#include "tools/keyrack/pages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/keyrack/report.h"

int pages_each(struct cli *cli, struct pages *pages)
{
	int code;
	do {
		struct pages_page page;
		code = pages->ask(cli, pages->asked, pages->cursor, &page);
		if (code != CLI_DONE)
			return code;
		pages->cursor = page.next_cursor;
		kr_assert(page.items != NULL || page.count == 0);
		for (uint32_t i = 0; i < page.count && code == CLI_DONE; i++)
			code = pages->take(
				pages->user, (const char *)page.items + i * page.item_size_bytes);
	} while (code == CLI_DONE && pages->cursor != 0);
	return code == PAGES_ENOUGH ? CLI_DONE : code;
}

int pages_ask_nights(struct cli *cli, void *asked, uint64_t cursor, struct pages_page *ret_page)
{
	struct pages_nights *nights = asked;
	struct keyrack_night_list_answer answer;
	nights->request.call = cli_call(cli);
	nights->request.cursor = cursor;
	int r = keyrack_night_list(cli->client, &nights->request, &answer);
	r = report_got(cli, r, &answer.result);
	if (r != CLI_DONE)
		return r;
	if (cursor == 0) {
		nights->business_day = answer.business_day;
		nights->first_day = answer.first_day;
		nights->last_day = answer.last_day;
	}
	nights->request.from_day = answer.next_day;
	*ret_page = (struct pages_page){
		answer.nights, sizeof(answer.nights[0]), answer.night_count, answer.next_cursor};
	return CLI_DONE;
}

int pages_ask_reservations(
	struct cli *cli, void *asked, uint64_t cursor, struct pages_page *ret_page)
{
	struct keyrack_reservation_list *request = asked;
	struct keyrack_reservation_list_answer answer;
	request->call = cli_call(cli);
	request->cursor = cursor;
	int r = keyrack_reservation_list(cli->client, request, &answer);
	r = report_got(cli, r, &answer.result);
	if (r != CLI_DONE)
		return r;
	*ret_page = (struct pages_page){answer.reservations, sizeof(answer.reservations[0]),
		answer.reservation_count, answer.next_cursor};
	return CLI_DONE;
}

int pages_keep(struct pages_kept *kept, const void *item)
{
	kr_assert(kept->count <= kept->limit);
	kept->more = kept->count == kept->limit;
	if (kept->more)
		return PAGES_ENOUGH;
	memcpy((char *)kept->items + kept->count++ * kept->item_size_bytes, item,
		kept->item_size_bytes);
	return CLI_DONE;
}

int pages_each_kept(struct cli *cli, struct pages *pages, struct pages_kept *kept,
	int (*order)(const void *a, const void *b))
{
	kr_assert(kept->items == NULL && kept->limit > 0);
	kept->items = calloc(kept->limit, kept->item_size_bytes);
	if (kept->items == NULL) {
		cli_say(cli, "out of memory: a smaller --limit needs less");
		return CLI_UNREACHABLE;
	}
	int code = pages_each(cli, pages);
	qsort(kept->items, kept->count, kept->item_size_bytes, order);
	return code;
}

void pages_print_more(const struct pages_kept *kept)
{
	kr_assert(!kept->more || kept->count == kept->limit);
	if (kept->more)
		printf("There are more than these %" PRIu64 ": --limit N shows them.\n",
			kept->count);
}

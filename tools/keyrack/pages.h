/*
 * Lists that come in pages: read to their end, or until enough was taken; and kept, where they are
 * shown in another order than they come in.
 */
#ifndef TOOLS_KEYRACK_PAGES_H
#define TOOLS_KEYRACK_PAGES_H

#include "tools/keyrack/cli.h"

#define PAGES_ENOUGH (-1)

/* What an answer holds. */
struct pages_page {
	const void *items;
	size_t item_size_bytes;
	uint32_t count;
	uint64_t next_cursor; /* 0 = that was all */
};

struct pages {
	/* Asks for the page at the cursor. CLI_DONE, or the exit code after saying why. */
	int (*ask)(struct cli *cli, void *asked, uint64_t cursor, struct pages_page *ret_page);
	void *asked;
	/* Takes one item, which is gone with the next call. CLI_DONE, PAGES_ENOUGH, or an exit
	 * code. */
	int (*take)(void *user, const void *item);
	void *user;
	uint64_t cursor; /* from there on; then behind the last page that was asked for */
};

/* CLI_DONE, also when it was enough, or the exit code. */
KR_MUST_CHECK int pages_each(struct cli *cli, struct pages *pages);

/* A list of nights, and what its hotel's window is, from the first page on. */
struct pages_nights {
	struct keyrack_night_list request;
	int32_t business_day, first_day, last_day;
};
/* Of a struct pages_nights: gives struct keyrack_listed_night. */
int pages_ask_nights(struct cli *cli, void *asked, uint64_t cursor, struct pages_page *ret_page);
/* Of a struct keyrack_reservation_list: gives struct keyrack_reservation. */
int pages_ask_reservations(
	struct cli *cli, void *asked, uint64_t cursor, struct pages_page *ret_page);

/* What is kept of a list. Item size and limit are the caller's to set. */
struct pages_kept {
	size_t item_size_bytes;
	uint64_t limit;
	void *items; /* to be freed */
	uint64_t count;
	bool more; /* than the limit */
};

/* Copies it. CLI_DONE, or PAGES_ENOUGH: there is no place, and now `more`. */
KR_MUST_CHECK int pages_keep(struct pages_kept *kept, const void *item);
/* Keeps and sorts what its `take` puts there. As pages_each(). */
KR_MUST_CHECK int pages_each_kept(struct cli *cli, struct pages *pages, struct pages_kept *kept,
	int (*order)(const void *a, const void *b));
void pages_print_more(const struct pages_kept *kept);

#endif

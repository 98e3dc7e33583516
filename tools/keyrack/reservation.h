/* What answers about one reservation look like. */
#ifndef TOOLS_KEYRACK_RESERVATION_H
#define TOOLS_KEYRACK_RESERVATION_H

#include "tools/keyrack/js.h"
#include "tools/keyrack/report.h"

struct reservation_context {
	struct keyrack_id id;
	uint64_t hotel_id;      /* 0 = not known */
	struct money_unit unit; /* empty = looked up when an amount is to be shown */
	bool has_lines;         /* the request had lines */
	bool is_read;
};

/* "calendar", "caller", "count_only". */
const char *reservation_pricing_name(enum keyrack_pricing pricing);

#define RESERVATION_PRICES_SIZE 256u
/* "2 x EUR 120.00, 1 x EUR 140.00": what a room costs, night by night, as far as it fits. */
void reservation_prices_format(const struct keyrack_line *line, const struct money_unit *unit,
	char ret_text[static RESERVATION_PRICES_SIZE]);

#define TRANSITION_CHANGE_TEXT_SIZE 17u
/* A change's id as --change takes it. */
void transition_change_format(
	uint64_t change_id, char ret_text[static TRANSITION_CHANGE_TEXT_SIZE]);
/* All of it, into an object. */
void reservation_json(
	json_t *root, const struct keyrack_reservation *reservation, const struct money_unit *unit);
/* "id 0190..." on standard error, at once. */
void reservation_id_print(const struct cli *cli, struct keyrack_id id);
#define RESERVATION_HOTEL_HELP "its hotel; only for ids that were not minted by Keyrack"
/* An id that was not minted says nothing about where it lives. CLI_DONE or CLI_USAGE. */
KR_MUST_CHECK int reservation_id_check(const struct cli *cli, struct keyrack_id id, bool has_hotel);
/* Prints the answer to HOLD, BOOK or a transition; the exit code. */
int reservation_answer_print(struct cli *cli, struct reservation_context *context,
	const struct keyrack_reservation_answer *answer);

#endif

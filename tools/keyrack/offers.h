/* "Could this be sold now?" asked of one rate plan of one room type after the other, or of several
 * lines at once. */
#ifndef TOOLS_KEYRACK_OFFERS_H
#define TOOLS_KEYRACK_OFFERS_H

#include "tools/keyrack/cli.h"
#include "tools/keyrack/request_lines.h"
#include "tools/keyrack/type_list.h"

struct offers {
	struct keyrack_call call;
	struct request_lines lines; /* has_simple: its one line is asked for each type */
	struct type_list types;     /* none = all of the hotel */
	bool has_plan;              /* else each plan of each type that is not retired */
	struct line_name plan;
	bool explain;
	bool has_expected_total;
	struct money expected_total;
};

/* Asks, prints, and returns the exit code: CLI_DONE if anything can be sold. */
int offers_show(struct cli *cli, struct offers *offers, uint64_t hotel_id);

#endif

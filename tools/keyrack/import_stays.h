/*
 * Reservations of an import: rows of one are gathered until its lines are whole, then it goes as
 * one request. What came in over the limit is listed at the end.
 */
#ifndef TOOLS_KEYRACK_IMPORT_STAYS_H
#define TOOLS_KEYRACK_IMPORT_STAYS_H

#include "tools/keyrack/import_flow.h"
#include "tools/keyrack/stay_sheet.h"

#define STAYS_OVER_MAX 100000u /* that are listed; more are counted */

struct stays_over {
	uint64_t hotel_id;
	struct keyrack_id id;
	uint32_t nights;
};

struct import_stays {
	bool force;
	struct stay stay;
	/* its rows so far; 0: none is begun */
	uint32_t row_count;
	struct stay_key key; /* of the last one */
	struct flow_row rows[KEYRACK_LINE_COUNT_MAX];
	char *raw;
	uint32_t raw_size_bytes, raw_room;
	/* what became of them, in this run */
	uint64_t come_count, repeated_count, over_count;
	struct stays_over *overs;
	uint32_t listed_count, listed_room;
};

struct import;

void import_stays_fini(struct import_stays *stays);
/* CLI_DONE, or the exit code after saying why. */
KR_MUST_CHECK int import_stays_row(struct import *import, const struct row *row);
/* The rows end: one whose lines are not whole is rejected. */
void import_stays_end(struct import *import);
void import_stays_come(
	void *import, const struct flow_op *op, const struct keyrack_reservation_answer *answer);
void import_stays_tell(const struct import *import);
void import_stays_json(const struct import *import, json_t *root);

#endif

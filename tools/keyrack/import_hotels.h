/* What an import has to know of each hotel, asked once: its money and its window. */
#ifndef TOOLS_KEYRACK_IMPORT_HOTELS_H
#define TOOLS_KEYRACK_IMPORT_HOTELS_H

#include "tools/keyrack/cli.h"
#include "tools/keyrack/money.h"

struct import_hotel {
	uint64_t hotel_id;
	bool is_used;
	bool is_known;               /* the cluster has it */
	int32_t first_day, last_day; /* of its window, inclusive */
	struct money_unit unit;
};

/* Grows with the hotels of the file; a place is 32 bytes. */
struct import_hotels {
	struct cli *cli;
	struct import_hotel *places;
	uint32_t place_count; /* a power of two */
	uint32_t used_count;
};

void import_hotels_init(struct import_hotels *hotels, struct cli *cli);
void import_hotels_fini(struct import_hotels *hotels);
/* CLI_DONE, or the exit code after saying why. Lives until the next call. */
KR_MUST_CHECK int import_hotels_find(
	struct import_hotels *hotels, uint64_t hotel_id, const struct import_hotel **ret_hotel);

#endif

/*
 * IMPORT: a reservation that was made elsewhere comes in as it is.
 *
 * Only what this shard's state needs is judged: names, dates, references, rooms. Restrictions,
 * prices and notice are not asked, since the stay is sold; nor is the purge mark, since the id was
 * never sold here. An id of another layout belongs to its hotel.
 */
#ifndef ENGINE_INVENTORY_IMPORT_OP_H
#define ENGINE_INVENTORY_IMPORT_OP_H

#include "engine/inventory/stay_op.h"

struct inv_import_op {
	struct hotel_id hotel;
	struct kr_id id;
	/* Every state but VOID. A hold whose deadline has passed comes in as EXPIRED then. */
	uint8_t state;
	bool was_held; /* HOLD first; HELD, RELEASED and EXPIRED were */
	bool graced;   /* a hold's one grace is used up */
	bool force; /* over limits and nights that were never loaded, never the counter's width */
	/* NO_SHOW and COMPLETED: the date from which no night is counted, at the latest the
	 * business date; absent: the earlier of that and the check-out. */
	bool has_counted_until;
	int32_t counted_until;
	uint32_t revision; /* not 0 */
	uint64_t created_at_us, changed_at_us;
	uint64_t expires_at_us; /* HELD: the deadline; kept when a hold has ended; else 0 */
	uint64_t change_id;     /* of the last change; 0 = none */
	/* Caller-priced, count only, or from the calendar: all but count only with their runs.
	 * Terms as they were agreed; their arrival is reckoned where it is not told. */
	const struct inv_line *lines;
	uint32_t line_count;
	struct inv_guest_id guest;
	struct inv_text external_ref;
	struct inv_text payment_ref;
	uint32_t source;      /* of the reservation; the effect's own is INV_SOURCE_IMPORT */
	uint64_t fingerprint; /* inv_import_fingerprint() */
	struct inv_actor actor;
};

#endif

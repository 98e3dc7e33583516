/* Lists of reservations and denials, beside the model. */
#ifndef TESTS_SIM_WITNESS_LIST_H
#define TESTS_SIM_WITNESS_LIST_H

#include "tests/sim/witness.h"

/* An answer was judged: demand that was turned away counts, once for each sale (0: a change). */
void witness_denied(const struct witness_shard *shard, const struct inv_answer *answer,
	uint64_t hotel, struct kr_id sale);
void witness_denials_forget(const struct witness_shard *shard);

/* One of a list, as a number; their sum tells the list, whatever its order. */
uint64_t witness_listed(const struct inv_reservation_view *view);
/* A list of denials as one number: that of those before, and one more. */
uint64_t witness_denial(uint64_t digest_before, const struct inv_denial *denial);

#endif

/* Engine and model side by side, and what answers rest on. */
#ifndef TESTS_SIM_WITNESS_COMPARE_H
#define TESTS_SIM_WITNESS_COMPARE_H

#include "tests/sim/witness.h"

/* The effect that an answer rests on: that an id is too old, that it is VOID without a hotel. */
uint64_t witness_purge_lsn(const struct witness_shard *shard, const struct deed *asked);
uint64_t witness_void_lsn(const struct witness_shard *shard, const struct deed *asked);

/* Whether the model's hotels are as far as the shard's: events and versions, without the rest. */
bool witness_is_as_far(const struct model *model, const struct inv *inv);
/* The whole of one shard's state. */
void witness_compare(struct witness_shard *shard, struct inv *inv, const char *when);
void witness_compare_cell(struct witness_shard *shard, const struct inv *inv, uint64_t hotel,
	int type, int plan, int day, uint64_t counter, uint64_t rate);
void witness_compare_record(
	struct witness_shard *shard, const struct inv_reservation_view *view, uint64_t t_us);

#endif

/* What answers mean for what a reservation may be, and whether they can be true. */
#ifndef TESTS_SIM_ORACLE_H
#define TESTS_SIM_ORACLE_H

#include "tests/sim/client.h"
#include "tests/sim/witness.h"

/* Takes an answer in. Ends the program when it contradicts what was answered before. */
void oracle_answer(
	struct client *client, const struct open_call *call, const struct client_end *end);
/* What the witness is to have said it under: of a read the hotel alone, where that is not there,
 * after an accident and before it is made again. */
uint64_t oracle_key(const struct open_call *call, const struct witness_reply *reply);
/* Neither its state nor its absence is certain. */
bool oracle_is_in_doubt(const struct track *track);
/* A reservation may go from one of these states to the other; 0: there is none. */
bool oracle_is_edge(uint32_t from, uint32_t to);
/* Others ask for the same sale, in frames of that type. */
void oracle_may_come(struct track *track, uint8_t type);
/* Another operation is asked that may release the hold. */
void oracle_may_release(struct track *track);
/* Damaged media have cut what the shard had acknowledged: nothing is certain of its records. */
void oracle_forgive(struct cluster *cluster, uint32_t shard);
/* Every track against the shards' records, and every record against the tracks. */
void oracle_final(struct cluster *cluster);

#endif

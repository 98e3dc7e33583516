/*
 * Lists as a client reads them: page after page to their end, of one hotel or over all shards.
 *
 * Each page is a judgement's, as any answer is (witness_list.c). What was there from the first page
 * of a shard to its last, by the model, has to be told, and nothing twice.
 */
#ifndef TESTS_SIM_LISTS_H
#define TESTS_SIM_LISTS_H

#include "client/core.h"
#include "tests/sim/witness_list.h"

struct client;
struct open_call;

/* One at a time. */
struct client_walk {
	bool is_on;
	struct list_query query;
	uint32_t limit; /* of a page, 0: the shard's own */
	uint32_t page_count, shard_count;
	uint64_t version;          /* of the page before */
	struct witness_items told; /* so far */
	struct witness_items
		needed; /* of the shard that is being read: there since its first page */
};

/* One of these begins, unless one is under way; hotel 0: of all hotels. */
void lists_begin(struct client *client, const struct list_query *query, uint32_t limit);
void lists_answer(
	struct client *client, const struct open_call *call, const struct client_end *end);
void lists_free(struct client *client);

#endif

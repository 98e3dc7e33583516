/*
 * The calendar updates of a property system (ARI): prices, restrictions and counts of some nights,
 * numbered by hotel and source so that an older one changes nothing. They come in bursts: many for
 * one hotel, one behind the other on one connection, while the other connections go on.
 */
#ifndef BENCH_ARI_H
#define BENCH_ARI_H

#include "bench/work.h"

/* What is left of a connection's burst. */
struct ari_burst {
	uint32_t left;
	uint32_t row;
};

void ari_init(struct work *work, uint32_t connection_count);
void ari_fini(struct work *work);
/* Whether the connection is in the middle of a burst. */
bool ari_is_bursting(const struct work *work, uint32_t connection);
/* Takes an update out of the connection's burst, or begins one; returns its room type. */
uint32_t ari_row_draw(struct work *work, uint32_t connection);
/* Gives back what was drawn for a request that found no room. */
void ari_row_return(struct work *work, uint32_t connection);
/* As keyrack_submit_inventory_set(). */
int ari_submit(struct work_op *op, keyrack_callback *callback);

#endif

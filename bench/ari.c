#include "bench/ari.h"

#include <stdlib.h>
#include <time.h>

#define SOURCE 2u
#define REDRAWS_MAX 4096u
#define NIGHTS_MAX 14u

void ari_init(struct work *work, uint32_t connection_count)
{
	struct timespec now;
	kr_assert(work->bursts == NULL && connection_count > 0);
	work->bursts = bench_alloc(connection_count, sizeof(*work->bursts));
	work->connection_count = connection_count;
	/* Above whatever an earlier run numbered. */
	const int r = clock_gettime(CLOCK_REALTIME, &now);
	kr_assert(r == 0);
	work->source_seq = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void ari_fini(struct work *work)
{
	kr_assert(work->bursts != NULL);
	free(work->bursts);
	work->bursts = NULL;
}

/* Updates of a hotel have one connection, which keeps them in the order of their numbers. */
static bool is_owner(const struct work *work, uint32_t row, uint32_t connection)
{
	kr_assert(connection < work->connection_count);
	return work->chain->rows[row].hotel_id % work->connection_count == connection;
}

bool ari_is_bursting(const struct work *work, uint32_t connection)
{
	kr_assert(connection < work->connection_count);
	return work->bursts[connection].left > 0;
}

uint32_t ari_row_draw(struct work *work, uint32_t connection)
{
	struct ari_burst *burst = &work->bursts[connection];
	kr_assert(connection < work->connection_count);
	if (burst->left == 0) {
		burst->left = work->options.burst;
		for (uint32_t i = 0; i < REDRAWS_MAX; i++) {
			burst->row = (uint32_t)rng_below(&work->rng, work->chain->row_count);
			if (is_owner(work, burst->row, connection))
				break;
		}
	}
	burst->left--;
	return burst->row;
}

void ari_row_return(struct work *work, uint32_t connection)
{
	kr_assert(connection < work->connection_count);
	kr_assert(work->bursts[connection].left < work->options.burst);
	work->bursts[connection].left++;
}

/* By thirds prices, restrictions that stays of up to 28 nights pass, and rooms left. */
static void what_draw(struct work *work, struct keyrack_inventory_set *set)
{
	kr_assert(set->set_mask == 0);
	switch (rng_below(&work->rng, 3)) {
	case 0:
		set->set_mask = KEYRACK_SET_PRICE;
		set->price_minor = (int64_t)(4000 + rng_below(&work->rng, 30000));
		break;
	case 1:
		set->set_mask = KEYRACK_SET_MIN_ARRIVAL | KEYRACK_SET_MAX_THROUGH;
		set->min_arrival = 1;
		set->max_through = 28;
		break;
	default:
		set->set_mask = KEYRACK_SET_AVAILABLE;
		set->available = 5 + (int64_t)rng_below(&work->rng, 60);
	}
}

int ari_submit(struct work_op *op, keyrack_callback *callback)
{
	struct work *work = op->work;
	const struct bench_row *row = &work->chain->rows[op->booking.row];
	const uint32_t window = work->options.window;
	const uint32_t nights = KR_MIN(1 + (uint32_t)rng_below(&work->rng, NIGHTS_MAX), window);
	const uint32_t first = (uint32_t)rng_below(&work->rng, window - nights + 1);
	/* A hotel without a connection of its own is not numbered: its order is not kept. */
	const bool is_numbered = is_owner(work, op->booking.row, op->connection);
	struct keyrack_inventory_set set = {
		.hotel_id = row->hotel_id,
		.types = &row->type,
		.type_count = 1,
		.first_day = row->business_day + (int32_t)first,
		.last_day = row->business_day + (int32_t)(first + nights) - 1,
		.source_seq = is_numbered ? ++work->source_seq : 0,
		.origin = {.source = SOURCE, .reason = "keyrack-bench ari"},
	};
	kr_assert(nights >= 1 && first + nights <= window);
	what_draw(work, &set);
	return keyrack_submit_inventory_set(op->client, &set, callback, op);
}

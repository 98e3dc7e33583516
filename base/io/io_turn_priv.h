/* Whom a loop tells of the end of its turns; both archives'. */
#ifndef BASE_IO_IO_TURN_PRIV_H
#define BASE_IO_IO_TURN_PRIV_H

#include "base/io/io.h"

struct io_turn {
	void (*on_turn)(struct io_loop *loop, void *context);
	void *context;
};

struct io_turns {
	struct io_turn items[IO_TURN_MAX];
	uint32_t count;
};

static inline void io_turns_set(struct io_turns *turns, const struct io_turn *turn)
{
	uint32_t i = 0;
	kr_assert(turn->on_turn != NULL);
	while (i < turns->count && turns->items[i].context != turn->context)
		i++;
	kr_assert(i < IO_TURN_MAX);
	turns->items[i] = *turn;
	turns->count = KR_MAX(turns->count, i + 1);
}

static inline void io_turns_end(const struct io_turns *turns, struct io_loop *loop)
{
	for (uint32_t i = 0; i < turns->count; i++)
		turns->items[i].on_turn(loop, turns->items[i].context);
}

#endif

#include "base/io/io_timer_priv.h"

void io_timer_init(struct io_timer *timer, void (*on_due)(struct io_timer *), void *context)
{
	kr_assert(timer != NULL);
	kr_assert(on_due != NULL);
	*timer = (struct io_timer){.on_due = on_due, .context = context};
}

static bool is_before(const struct io_timer *a, const struct io_timer *b)
{
	kr_assert(a != b);
	if (a->deadline_us != b->deadline_us)
		return a->deadline_us < b->deadline_us;
	return a->sequence < b->sequence;
}

/* Two roots become one: the later is the first child of the earlier. Either may be NULL. */
static struct io_timer *meld(struct io_timer *a, struct io_timer *b)
{
	if (a == NULL || b == NULL)
		return a == NULL ? b : a;
	kr_assert(a->sibling == NULL && b->sibling == NULL);
	if (is_before(b, a)) {
		struct io_timer *swap = a;
		a = b;
		b = swap;
	}
	b->previous = a;
	b->sibling = a->child;
	if (b->sibling != NULL)
		b->sibling->previous = b;
	a->child = b;
	return a;
}

/* Melds a row of siblings: in pairs from the left, then all of them from the right. */
static struct io_timer *meld_row(struct io_timer *row)
{
	kr_assert(row == NULL || row->previous != NULL);
	struct io_timer *pairs = NULL;
	while (row != NULL) {
		struct io_timer *a = row;
		struct io_timer *b = a->sibling;
		row = b == NULL ? NULL : b->sibling;
		a->sibling = NULL;
		a->previous = NULL;
		if (b != NULL) {
			b->sibling = NULL;
			b->previous = NULL;
		}
		struct io_timer *pair = meld(a, b);
		pair->sibling = pairs;
		pairs = pair;
	}
	struct io_timer *root = NULL;
	while (pairs != NULL) {
		struct io_timer *next = pairs->sibling;
		pairs->sibling = NULL;
		root = meld(root, pairs);
		pairs = next;
	}
	return root;
}

void io_timers_add(
	struct io_timers *timers, struct io_timer *timer, uint64_t deadline_us, uint64_t now_us)
{
	kr_assert(timer->on_due != NULL);
	kr_assert(!timer->is_running);
	timer->deadline_us = KR_MAX(deadline_us, now_us);
	timer->sequence = timers->sequence++;
	timer->is_running = true;
	timer->child = NULL;
	timer->sibling = NULL;
	timer->previous = NULL;
	timers->first = meld(timers->first, timer);
}

void io_timers_remove(struct io_timers *timers, struct io_timer *timer)
{
	kr_assert(timer->is_running);
	kr_assert(timers->first != NULL);
	struct io_timer *below = meld_row(timer->child);
	if (timer == timers->first) {
		kr_assert(timer->previous == NULL);
		timers->first = below;
	} else {
		if (timer->previous->child == timer)
			timer->previous->child = timer->sibling;
		else
			timer->previous->sibling = timer->sibling;
		if (timer->sibling != NULL)
			timer->sibling->previous = timer->previous;
		timers->first = meld(timers->first, below);
	}
	timer->child = NULL;
	timer->sibling = NULL;
	timer->previous = NULL;
	timer->is_running = false;
}

uint64_t io_timers_deadline_us(const struct io_timers *timers)
{
	return timers->first == NULL ? IO_WAIT_FOREVER : timers->first->deadline_us;
}

bool io_timers_is_due(const struct io_timers *timers, uint64_t now_us, uint64_t end)
{
	kr_assert(end <= timers->sequence);
	/* What was started since `end` has a deadline of now at the least, so it comes last. */
	return timers->first != NULL && timers->first->deadline_us <= now_us &&
	       timers->first->sequence < end;
}

void io_timers_run_first(struct io_timers *timers)
{
	struct io_timer *timer = timers->first;
	kr_assert(timer != NULL);
	io_timers_remove(timers, timer);
	timer->on_due(timer);
}

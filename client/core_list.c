/*
 * Lists of calls, and timers. Most deadlines come in the order they are due, since most calls have
 * the same time to live: those timers are a list, with nothing to search. The others are a heap.
 */
#include "client/core.h"

#include "client/core_priv.h"

void client_list_append(struct client_core *core, enum client_link_kind kind,
	struct client_list *list, uint32_t call)
{
	struct client_link *link = client_link_at(core, kind, call);
	kr_assert(link->next == CLIENT_NOWHERE && link->previous == CLIENT_NOWHERE);
	kr_assert(list->first != call && list->last != call);
	link->previous = list->last;
	if (list->last == CLIENT_NOWHERE)
		list->first = call;
	else
		client_link_at(core, kind, list->last)->next = call;
	list->last = call;
}

void client_list_push(struct client_core *core, enum client_link_kind kind,
	struct client_list *list, uint32_t call)
{
	struct client_link *link = client_link_at(core, kind, call);
	kr_assert(link->next == CLIENT_NOWHERE && link->previous == CLIENT_NOWHERE);
	kr_assert(list->first != call && list->last != call);
	link->next = list->first;
	if (list->first == CLIENT_NOWHERE)
		list->last = call;
	else
		client_link_at(core, kind, list->first)->previous = call;
	list->first = call;
}

void client_list_remove(struct client_core *core, enum client_link_kind kind,
	struct client_list *list, uint32_t call)
{
	struct client_link *link = client_link_at(core, kind, call);
	kr_assert(list->first != CLIENT_NOWHERE);
	kr_assert((link->previous == CLIENT_NOWHERE) == (list->first == call));
	kr_assert((link->next == CLIENT_NOWHERE) == (list->last == call));
	if (link->previous == CLIENT_NOWHERE)
		list->first = link->next;
	else
		client_link_at(core, kind, link->previous)->next = link->next;
	if (link->next == CLIENT_NOWHERE)
		list->last = link->previous;
	else
		client_link_at(core, kind, link->next)->previous = link->previous;
	link->next = link->previous = CLIENT_NOWHERE;
}

static bool client_timer_is_before(const void *owner, uint32_t a, uint32_t b)
{
	const struct client_core *core = owner;
	const struct client_call *calls = core->config.calls;
	if (calls[a].due_at_us != calls[b].due_at_us)
		return calls[a].due_at_us < calls[b].due_at_us;
	return a < b;
}

static void client_timer_set_position(void *owner, uint32_t call, uint32_t position)
{
	struct client_core *core = owner;
	core->config.calls[call].heap_position = position;
}

static const struct heap32_ops client_timer_ops = {
	.is_before = client_timer_is_before,
	.set_position = client_timer_set_position,
};

void client_timer_start(struct client_core *core, uint32_t call)
{
	struct client_call *c = client_call_at(core, call);
	uint32_t last = core->timers.last;
	kr_assert(!c->is_in_order);
	kr_assert(c->heap_position == HEAP32_NOWHERE);
	c->is_in_order =
		last == CLIENT_NOWHERE || client_call_at(core, last)->due_at_us <= c->due_at_us;
	if (c->is_in_order)
		client_list_append(core, CLIENT_LINK_TIMER, &core->timers, call);
	else
		heap32_push(&core->heap, &client_timer_ops, core, call);
}

void client_timer_stop(struct client_core *core, uint32_t call)
{
	struct client_call *c = client_call_at(core, call);
	kr_assert(c->is_in_order == (c->heap_position == HEAP32_NOWHERE));
	if (c->is_in_order) {
		client_list_remove(core, CLIENT_LINK_TIMER, &core->timers, call);
		c->is_in_order = false;
		return;
	}
	kr_assert(core->heap.handles[c->heap_position] == call);
	(void)heap32_remove(&core->heap, &client_timer_ops, core, c->heap_position);
}

uint32_t client_timer_first(const struct client_core *core)
{
	uint32_t first = core->timers.first;
	kr_assert((first == CLIENT_NOWHERE) == (core->timers.last == CLIENT_NOWHERE));
	if (core->heap.count == 0)
		return first;
	uint32_t other = heap32_first(&core->heap);
	if (first == CLIENT_NOWHERE)
		return other;
	return client_timer_is_before(core, other, first) ? other : first;
}

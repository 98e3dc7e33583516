/*
 * Doubly linked circular list, linked through a member of its objects. An empty list, and a node
 * on no list after kr_list_remove, point at themselves: so removing twice is harmless and
 * kr_list_is_empty(node) says whether a node is on a list.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>

#include "base/check.h"

struct kr_list {
	struct kr_list *next;
	struct kr_list *previous;
};

static inline void kr_list_init(struct kr_list *list)
{
	list->next = list;
	list->previous = list;
}

static inline bool kr_list_is_empty(const struct kr_list *list)
{
	kr_assert(list->next != NULL);
	return list->next == list;
}

/* Puts `node`, which is on no list, in front of `place`. */
static inline void kr_list_insert_before(struct kr_list *place, struct kr_list *node)
{
	kr_assert(place != node);
	kr_assert(kr_list_is_empty(node));
	node->next = place;
	node->previous = place->previous;
	place->previous->next = node;
	place->previous = node;
}

static inline void kr_list_push_back(struct kr_list *list, struct kr_list *node)
{
	kr_list_insert_before(list, node);
}

static inline void kr_list_push_front(struct kr_list *list, struct kr_list *node)
{
	kr_list_insert_before(list->next, node);
}

static inline void kr_list_remove(struct kr_list *node)
{
	kr_assert(node->next->previous == node);
	kr_assert(node->previous->next == node);
	node->previous->next = node->next;
	node->next->previous = node->previous;
	kr_list_init(node);
}

/* The first node, taken off; NULL when the list is empty. */
static inline struct kr_list *kr_list_pop_front(struct kr_list *list)
{
	struct kr_list *node = list->next;
	if (node == list)
		return NULL;
	kr_list_remove(node);
	return node;
}

/* Moves all nodes of `from` to the end of `list`; `from` is empty afterwards. */
static inline void kr_list_splice_back(struct kr_list *list, struct kr_list *from)
{
	kr_assert(list != from);
	if (kr_list_is_empty(from))
		return;
	from->next->previous = list->previous;
	list->previous->next = from->next;
	from->previous->next = list;
	list->previous = from->previous;
	kr_list_init(from);
}

#define kr_list_first(list, type, member) kr_container_of((list)->next, type, member)

/* The body may remove `node` itself, and nothing else, from the list. */
#define kr_list_foreach(node, list)                                                                \
	for (struct kr_list *node = (list)->next, *node##_next = node->next; node != (list);       \
		node = node##_next, node##_next = node->next)

#endif

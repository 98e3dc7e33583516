/*
 * Hints to the caches.
 *
 * The empty statement has no instruction. It is there because gcc takes a function that does
 * nothing but hint for one without effect, and drops the calls of it.
 */
#ifndef BASE_HINT_H
#define BASE_HINT_H

#include "base/check.h"

/* The line that holds *at will be read, or written. `at` need not be valid. */
static KR_ALWAYS_INLINE void kr_prefetch(const void *at)
{
	__builtin_prefetch(at);
	__asm__ volatile("" : : "r"(at));
}

#endif

/*
 * Assertions that stay on in every build, and the few attributes the whole tree uses.
 *
 * kr_assert(cond) states what must hold; when it does not, the state can no longer be trusted and
 * the process ends: it prints the expression with its place and aborts. It is for the program's
 * own mistakes, never for input. The expression must be free of side effects.
 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include <stddef.h>

#define KR_LIKELY(x) __builtin_expect(!!(x), 1)
#define KR_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* The caller has to look at the result: every function that returns an error carries it. */
#define KR_MUST_CHECK __attribute__((warn_unused_result))
#define KR_NORETURN __attribute__((noreturn))
#define KR_COLD __attribute__((cold))
#define KR_ALWAYS_INLINE inline __attribute__((always_inline))
#define KR_PRINTF(format_index, first_index)                                                       \
	__attribute__((format(printf, format_index, first_index)))

/* For tools: runs `function(&variable)` when the variable leaves its scope. */
#define KR_CLEANUP(function) __attribute__((cleanup(function)))
/* Defines `name(type *)` for KR_CLEANUP: calls `function` on a pointer that is not NULL. */
#define KR_CLEANUP_DEFINE(name, type, function)                                                    \
	static inline void name(type *pointer)                                                     \
	{                                                                                          \
		if (*pointer != NULL)                                                              \
			function(*pointer);                                                        \
	}                                                                                          \
	kr_static_assert(sizeof(type) == sizeof(void *), "a pointer type")

#define kr_static_assert(cond, text) _Static_assert(cond, text)

/* Prints "file:line: function: assertion failed: expression" to stderr and aborts. */
KR_NORETURN KR_COLD void kr_assert_failed(
	const char *expression, const char *file, int line, const char *function);

#define kr_assert(cond)                                                                            \
	(KR_LIKELY(cond) ? (void)0 : kr_assert_failed(#cond, __FILE__, __LINE__, __func__))

/* A place that no valid state reaches. */
#define kr_unreachable() kr_assert_failed("unreachable", __FILE__, __LINE__, __func__)

/* Invariants too expensive for every build: on with -Dchecked=true. */
#ifdef KEYRACK_CHECKED
#define kr_assert_checked(cond) kr_assert(cond)
#else
#define kr_assert_checked(cond) ((void)sizeof(!(cond)))
#endif

/* Element count of an array; a pointer in its place does not compile. */
#define KR_ARRAY_COUNT(array)                                                                      \
	(sizeof(array) / sizeof((array)[0]) + 0 * sizeof(struct {                                  \
		int not_a_pointer : 1 - 2 * __builtin_types_compatible_p(                          \
						    __typeof__(array), __typeof__(&(array)[0]));   \
	}))

/* The object of `type` whose `member` is at `pointer`. */
#define kr_container_of(pointer, type, member)                                                     \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Tells the processor that a loop waits for memory to change. */
#if defined(__x86_64__) || defined(__i386__)
#define KR_CPU_RELAX() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define KR_CPU_RELAX() __asm__ volatile("yield")
#else
#define KR_CPU_RELAX() ((void)0)
#endif

#define KR_MIN(a, b) ((a) < (b) ? (a) : (b))
#define KR_MAX(a, b) ((a) > (b) ? (a) : (b))

#endif

/*
 * The kinds of effects, by the numbers that the log knows them by.
 */
#ifndef ENGINE_INVENTORY_EFFECT_KIND_H
#define ENGINE_INVENTORY_EFFECT_KIND_H

#define INV_EFFECT_TABLE(X)                                                                        \
	X(1, HOTEL)                                                                                \
	X(2, TYPE)                                                                                 \
	X(3, UPDATE)                                                                               \
	X(4, RESERVE)                                                                              \
	X(5, CONFIRM)                                                                              \
	X(6, RELEASE)                                                                              \
	X(7, CANCEL)                                                                               \
	X(8, EXPIRE)                                                                               \
	X(9, GRACE)                                                                                \
	X(10, RETIRE)                                                                              \
	X(11, WINDOW)                                                                              \
	X(12, VOID)                                                                                \
	X(13, START)                                                                               \
	X(14, DIGEST)                                                                              \
	X(15, TRUNCATE) /* reserved for replication: to LSN, term */                               \
	X(16, EXTEND)                                                                              \
	X(17, ATTACH_PAYMENT)                                                                      \
	X(18, CHECK_IN)                                                                            \
	X(19, COMPLETE)                                                                            \
	X(20, NO_SHOW)                                                                             \
	X(21, MODIFY)                                                                              \
	X(22, PLAN)                                                                                \
	X(23, IMPORT)

#define INV_EFFECT_LAST INV_EFFECT_IMPORT

#define X(number, name) INV_EFFECT_##name = number,
enum inv_effect_kind { INV_EFFECT_TABLE(X) };
#undef X

#endif

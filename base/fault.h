/*
 * Named places where a failure can be made to happen: so that every error path is run by a test.
 * A set belongs to one loop; a point in it is armed to fire at its n-th passing, once or from then
 * on. Unarmed, or without a set, a point costs a comparison.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

/* Sorted by name; number, constant, name, what happens when it fires. */
#define FAULT_TABLE(X)                                                                             \
	X(0, DIRECTORY_LIST, "directory_list", "listing a directory fails with EIO")               \
	X(1, DIRECTORY_LOCK, "directory_lock", "the directory looks locked by another")            \
	X(2, DIRECTORY_OPEN, "directory_open", "opening a directory fails with EIO")               \
	X(3, DIRECTORY_SPACE, "directory_space", "asking for free space fails with EIO")           \
	X(4, DIRECTORY_SYNC, "directory_sync", "syncing a directory fails with EIO")               \
	X(5, FILE_ALLOCATE, "file_allocate", "allocating fails with ENOSPC")                       \
	X(6, FILE_DIRECT, "file_direct", "the file system looks as if without O_DIRECT")           \
	X(7, FILE_OPEN, "file_open", "opening a file fails with EIO")                              \
	X(8, FILE_READ, "file_read", "a read fails with EIO")                                      \
	X(9, FILE_RENAME, "file_rename", "a rename fails with EIO")                                \
	X(10, FILE_SIZE, "file_size", "asking for a size fails with EIO")                          \
	X(11, FILE_SYNC, "file_sync", "a sync fails with EIO")                                     \
	X(12, FILE_TRUNCATE, "file_truncate", "cutting a file fails with EIO")                     \
	X(13, FILE_UNLINK, "file_unlink", "an unlink fails with EIO")                              \
	X(14, FILE_WRITE, "file_write", "a write fails with EIO")                                  \
	X(15, FILE_WRITE_FULL, "file_write_full", "a write fails with ENOSPC")                     \
	X(16, LISTENER_BIND, "listener_bind", "the address is in use")                             \
	X(17, MEMORY_RESERVE, "memory_reserve", "reserving memory fails with ENOMEM")              \
	X(18, STREAM_ACCEPT, "stream_accept", "accepting fails with EMFILE")                       \
	X(19, STREAM_CONNECT, "stream_connect", "a connect is refused")                            \
	X(20, STREAM_OPEN, "stream_open", "a connect finds no descriptor: EMFILE")                 \
	X(21, STREAM_RECEIVE, "stream_receive", "the connection is reset while receiving")         \
	X(22, STREAM_SEND, "stream_send", "the connection is reset while sending")

#define X(number, constant, name, text) FAULT_##constant = number,
enum fault_point { FAULT_TABLE(X) FAULT_COUNT };
#undef X

struct fault_set {
	uint64_t countdown[FAULT_COUNT]; /* fires when it reaches 0; 0: not armed */
	bool is_lasting[FAULT_COUNT];    /* fires at every passing from then on */
	uint64_t passed_count[FAULT_COUNT];
	uint64_t fired_count[FAULT_COUNT];
};

void fault_set_init(struct fault_set *set);
/* Fires at the `nth` passing from now (1: the next). */
void fault_arm(struct fault_set *set, enum fault_point point, uint64_t nth, bool is_lasting);
void fault_disarm(struct fault_set *set, enum fault_point point);
/* Passes the point: true when the failure is to happen now. `set` may be NULL. */
bool fault_fires(struct fault_set *set, enum fault_point point);

const char *fault_name(enum fault_point point);
const char *fault_text(enum fault_point point);

#define FAULT_UNKNOWN_NAME 1
#define FAULT_MALFORMED 2

/* Arms from "name:nth" or "name:nth+" (lasting), several with commas between. Nothing is armed
 * unless all of it is right. 0, FAULT_UNKNOWN_NAME or FAULT_MALFORMED. */
KR_MUST_CHECK int fault_set_parse(struct fault_set *set, const char *text, size_t length);

#endif

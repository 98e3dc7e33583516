/*
 * Files and the directory they lie in. Names are plain names inside one open directory.
 *
 * What is on the critical path is asynchronous (struct io_op); what happens at start, or is
 * quick, is a plain call (..._now and the functions without an op). Both are part of the seam:
 * the simulator gives either of them faults and crashes.
 *
 * Direct files (IO_FILE_DIRECT): buffer address, size and offset are multiples of
 * IO_FILE_ALIGN. With IO_FILE_DSYNC a write is on disk, with the size it needs, when it completes.
 * Where the file system has no O_DIRECT the file is opened without and `is_direct` is false:
 * writes still reach the disk before they complete.
 */
#ifndef BASE_IO_IO_FILE_H
#define BASE_IO_IO_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/error.h"
#include "base/io/io.h"
#include "base/list.h"

#define IO_FILE_ALIGN 4096u
#define IO_NAME_LENGTH_MAX 255u
#define IO_OP_SIZE_MAX (1u << 30)

struct io_directory {
	bool is_tmpfs;    /* in memory: keeps nothing over a power cut */
	int errno_number; /* behind the last error of a call on it */
	/* the loop's */
	struct io_loop *loop;
	void *backend;
	int fd;
	int lock_fd;
};

#define IO_DIRECTORY_CREATE 1u /* make it (one level) when it is missing, durably */

KR_MUST_CHECK int io_directory_open(struct io_loop *loop, struct io_directory *directory,
	const char *path, unsigned flags, struct kr_error_text *text);
/* Gives the lock back too. No file of it is open. */
void io_directory_close(struct io_directory *directory);

#define IO_DIRECTORY_LOCK_NAME "LOCK"
#define IO_DIRECTORY_LOCKED 1

/*
 * Takes the directory for this process: 0, IO_DIRECTORY_LOCKED (another process has it, or writes
 * of a killed one are still on their way: try again for about 30 s; the text says which pid), or
 * an error. The ring holds the lock as well, so it outlives a killed process's last write. One a
 * loop.
 */
KR_MUST_CHECK int io_directory_lock(struct io_directory *directory, struct kr_error_text *text);

/* Calls `on_name` for every file, in byte order of the names; neither "." nor ".." nor folders. */
KR_MUST_CHECK int io_directory_list(struct io_directory *directory,
	void (*on_name)(void *context, const char *name), void *context);
/* 0 and the size, -KR_E_NOENT, or another error. */
KR_MUST_CHECK int io_directory_file_size(
	struct io_directory *directory, const char *name, uint64_t *ret_size_bytes);
/* Bytes that may still be written to its file system. */
KR_MUST_CHECK int io_directory_free_bytes(struct io_directory *directory, uint64_t *ret_free_bytes);
/* Durable only after a sync of the directory. */
KR_MUST_CHECK int io_directory_rename_now(
	struct io_directory *directory, const char *from, const char *to);
KR_MUST_CHECK int io_directory_unlink_now(struct io_directory *directory, const char *name);
KR_MUST_CHECK int io_directory_sync_now(struct io_directory *directory);

#define IO_FILE_READ 0x01u
#define IO_FILE_WRITE 0x02u
#define IO_FILE_CREATE 0x04u    /* make it when it is missing; its name needs a directory sync */
#define IO_FILE_EXCLUSIVE 0x08u /* with CREATE: -KR_E_EXISTS when it is there */
#define IO_FILE_DIRECT 0x10u
#define IO_FILE_DSYNC 0x20u

struct io_file {
	bool is_direct;
	int errno_number; /* behind the last error of a call (not an op) on it */
	/* the loop's */
	struct io_loop *loop;
	void *backend;
	int fd;
	unsigned flags;
	uint32_t in_flight_count;
};

KR_MUST_CHECK int io_file_open(
	struct io_directory *directory, struct io_file *file, const char *name, unsigned flags);
/* No operation is in flight. */
void io_file_close(struct io_file *file);
KR_MUST_CHECK int io_file_size(struct io_file *file, uint64_t *ret_size_bytes);
/* Reads until `size_bytes` or the end of the file; *ret_size_bytes says how many. */
KR_MUST_CHECK int io_file_read_now(struct io_file *file, void *bytes, size_t size_bytes,
	uint64_t offset, size_t *ret_size_bytes);
KR_MUST_CHECK int io_file_write_now(
	struct io_file *file, const void *bytes, size_t size_bytes, uint64_t offset);
KR_MUST_CHECK int io_file_sync_now(struct io_file *file);
/* Cuts or extends with zeroes. */
KR_MUST_CHECK int io_file_truncate_now(struct io_file *file, uint64_t size_bytes);

/* One asynchronous operation; ended by on_done, once. */
struct io_op {
	void (*on_done)(struct io_op *op);
	void *context;
	int result;          /* 0 or -KR_E_* */
	int errno_number;    /* behind the error, or 0 */
	uint64_t size_bytes; /* done: of a read up to the end of the file, of a write all or, after
				an error, an unknown part */
	/* the loop's */
	struct io_loop *loop;
	struct io_file *file;
	void *backend;
	struct kr_list link;
	uint8_t *bytes;
	uint64_t offset;
	uint64_t wanted_bytes;
	uint8_t kind;
	bool is_running;
};

void io_op_init(struct io_op *op, void (*on_done)(struct io_op *op), void *context);

/* At most IO_OP_SIZE_MAX bytes. Shorter transfers are continued inside. */
void io_file_read(
	struct io_file *file, struct io_op *op, void *bytes, size_t size_bytes, uint64_t offset);
void io_file_write(struct io_file *file, struct io_op *op, const void *bytes, size_t size_bytes,
	uint64_t offset);
/* Everything completed before on this file is on disk. Never to be retried after an error. */
void io_file_sync(struct io_file *file, struct io_op *op);
/* Space for the range, reading as zeroes, file size included. -KR_E_NOSPACE may keep a part. */
void io_file_allocate(struct io_file *file, struct io_op *op, uint64_t offset, uint64_t size_bytes);
/*
 * Gives the space of a range back, of a file that has no name any more: it reads as zeroes. Of one
 * that has another name, or is open elsewhere, nothing changes. -KR_E_UNSUPPORTED: it goes when the
 * file is closed.
 */
void io_file_release(struct io_file *file, struct io_op *op, uint64_t offset, uint64_t size_bytes);
/* Names stay until on_done. */
void io_directory_rename(
	struct io_directory *directory, struct io_op *op, const char *from, const char *to);
void io_directory_unlink(struct io_directory *directory, struct io_op *op, const char *name);
void io_directory_sync(struct io_directory *directory, struct io_op *op);

#endif

#include "base/io/io_memory.h"
#include "base/io/uring/uring_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum op_kind {
	OP_NONE,
	OP_READ,
	OP_WRITE,
	OP_SYNC,
	OP_ALLOCATE,
	OP_RELEASE,
	OP_DIRECTORY,
	OP_MEMORY,
};

static void begin(struct io_op *op, struct io_loop *loop, struct io_file *file, enum op_kind kind)
{
	kr_assert(op->on_done != NULL);
	kr_assert(!op->is_running);
	op->loop = loop;
	op->file = file;
	op->kind = (uint8_t)kind;
	op->is_running = true;
	op->result = 0;
	op->errno_number = 0;
	op->size_bytes = 0;
	op->wanted_bytes = 0;
	if (file != NULL)
		file->in_flight_count++;
	loop->open_count++;
}

static struct io_uring_sqe *submission_start(struct io_op *op)
{
	kr_assert(op->is_running);
	return uring_sqe(op->loop, URING_OP, op);
}

static void transfer_start(struct io_op *op)
{
	const struct io_file *file = op->file;
	kr_assert(op->size_bytes < op->wanted_bytes || op->wanted_bytes == 0);
	uint8_t *bytes = op->bytes + op->size_bytes;
	uint64_t offset = op->offset + op->size_bytes;
	unsigned left = (unsigned)(op->wanted_bytes - op->size_bytes);
	struct io_uring_sqe *sqe = submission_start(op);
	if (op->kind == OP_READ) {
		io_uring_prep_read(sqe, file->fd, bytes, left, offset);
		return;
	}
	io_uring_prep_write(sqe, file->fd, bytes, left, offset);
	/* A direct file was opened with O_DSYNC. */
	if ((file->flags & IO_FILE_DSYNC) && !file->is_direct)
		sqe->rw_flags = RWF_DSYNC;
}

static void transfer(struct io_file *file, struct io_op *op, enum op_kind kind, size_t size_bytes,
	uint64_t offset)
{
	kr_assert(size_bytes > 0 && size_bytes <= IO_OP_SIZE_MAX);
	kr_assert(offset <= INT64_MAX - IO_OP_SIZE_MAX);
	if (file->flags & IO_FILE_DIRECT) {
		kr_assert(((uintptr_t)op->bytes | size_bytes | offset) % IO_FILE_ALIGN == 0);
	}
	begin(op, file->loop, file, kind);
	op->offset = offset;
	op->wanted_bytes = size_bytes;
	transfer_start(op);
}

void io_file_read(
	struct io_file *file, struct io_op *op, void *bytes, size_t size_bytes, uint64_t offset)
{
	kr_assert(file->flags & IO_FILE_READ);
	op->bytes = bytes;
	transfer(file, op, OP_READ, size_bytes, offset);
}

void io_file_write(struct io_file *file, struct io_op *op, const void *bytes, size_t size_bytes,
	uint64_t offset)
{
	kr_assert(file->flags & IO_FILE_WRITE);
	/* One field serves both directions; a write only reads it. */
	op->bytes = (uint8_t *)(uintptr_t)bytes;
	transfer(file, op, OP_WRITE, size_bytes, offset);
}

void io_file_sync(struct io_file *file, struct io_op *op)
{
	kr_assert(file->fd >= 0);
	begin(op, file->loop, file, OP_SYNC);
	op->loop->stats.file_sync_count++;
	io_uring_prep_fsync(submission_start(op), file->fd, 0);
}

void io_file_allocate(struct io_file *file, struct io_op *op, uint64_t offset, uint64_t size_bytes)
{
	kr_assert(file->flags & IO_FILE_WRITE);
	kr_assert(size_bytes > 0 && size_bytes <= INT64_MAX - offset);
	begin(op, file->loop, file, OP_ALLOCATE);
	io_uring_prep_fallocate(
		submission_start(op), file->fd, 0, (off_t)offset, (off_t)size_bytes);
}

/*
 * Nobody else can read it: it has no name by which it could be opened, and nobody has it open (a
 * backup that copies it), or the system would give no lease to write.
 */
static bool is_ours_alone(int fd)
{
	struct stat stat;
	kr_assert(fd >= 0);
	if (fstat(fd, &stat) != 0 || stat.st_nlink > 0 || fcntl(fd, F_SETLEASE, F_WRLCK) != 0)
		return false;
	return fcntl(fd, F_SETLEASE, F_UNLCK) == 0;
}

void io_file_release(struct io_file *file, struct io_op *op, uint64_t offset, uint64_t size_bytes)
{
	kr_assert(file->flags & IO_FILE_WRITE);
	kr_assert(size_bytes > 0 && size_bytes <= INT64_MAX - offset);
	begin(op, file->loop, file, OP_RELEASE);
	if (!is_ours_alone(file->fd)) {
		io_uring_prep_nop(submission_start(op));
		return;
	}
	io_uring_prep_fallocate(submission_start(op), file->fd,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size_bytes);
}

void io_directory_rename(
	struct io_directory *directory, struct io_op *op, const char *from, const char *to)
{
	kr_assert(from != NULL && to != NULL);
	begin(op, directory->loop, NULL, OP_DIRECTORY);
	if (fault_fires(op->loop->config.faults, FAULT_FILE_RENAME)) {
		op->errno_number = EIO;
		io_uring_prep_nop(submission_start(op));
		return;
	}
	io_uring_prep_renameat(submission_start(op), directory->fd, from, directory->fd, to, 0);
}

void io_directory_unlink(struct io_directory *directory, struct io_op *op, const char *name)
{
	kr_assert(name != NULL);
	begin(op, directory->loop, NULL, OP_DIRECTORY);
	if (fault_fires(op->loop->config.faults, FAULT_FILE_UNLINK)) {
		op->errno_number = EIO;
		io_uring_prep_nop(submission_start(op));
		return;
	}
	io_uring_prep_unlinkat(submission_start(op), directory->fd, name, 0);
}

void io_directory_sync(struct io_directory *directory, struct io_op *op)
{
	kr_assert(directory->fd >= 0);
	begin(op, directory->loop, NULL, OP_DIRECTORY);
	op->loop->stats.file_sync_count++;
	if (fault_fires(op->loop->config.faults, FAULT_DIRECTORY_SYNC))
		op->errno_number = EIO;
	io_uring_prep_fsync(submission_start(op), directory->fd, 0);
}

bool io_memory_populate(struct io_loop *loop, struct io_op *op, void *base, size_t size_bytes)
{
	const size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	kr_assert(size_bytes > 0 && size_bytes <= IO_OP_SIZE_MAX);
	kr_assert(((uintptr_t)base | size_bytes) % page_size == 0);
	begin(op, loop, NULL, OP_MEMORY);
	io_uring_prep_madvise(submission_start(op), base, (off_t)size_bytes, MADV_POPULATE_WRITE);
	return true;
}

static void finish(struct io_op *op, int number)
{
	kr_assert(op->is_running);
	kr_assert(op->loop->open_count > 0);
	op->is_running = false;
	op->loop->open_count--;
	if (op->file != NULL) {
		kr_assert(op->file->in_flight_count > 0);
		op->file->in_flight_count--;
	}
	op->errno_number = number;
	op->result = number > 0 ? kr_error_from_errno(number) : 0;
	op->on_done(op);
}

/* A direct transfer goes on at an aligned place: the unaligned end is written once more. */
static void transfer_advance(struct io_op *op, uint32_t size_bytes)
{
	kr_assert(size_bytes <= op->wanted_bytes - op->size_bytes);
	op->size_bytes += size_bytes;
	if (op->kind == OP_WRITE && op->file->is_direct)
		op->size_bytes -= op->size_bytes % IO_FILE_ALIGN;
}

static void transfer_done(struct io_op *op, int result)
{
	kr_assert(op->file != NULL);
	if (result < 0) {
		finish(op, -result);
		return;
	}
	uint64_t before = op->size_bytes;
	transfer_advance(op, (uint32_t)result);
	struct io_stats *stats = &op->loop->stats;
	*(op->kind == OP_READ ? &stats->file_read_bytes : &stats->file_write_bytes) +=
		op->size_bytes - before;
	/* A read that ends between two blocks has met the end of the file. */
	bool is_end = op->kind == OP_READ &&
		      (result == 0 || (op->file->is_direct && op->size_bytes % IO_FILE_ALIGN != 0));
	if (op->size_bytes == op->wanted_bytes || is_end)
		finish(op, 0);
	else if (op->size_bytes == before)
		finish(op, EIO);
	else
		transfer_start(op);
}

/* The fault that is to take the place of a success, as an errno; 0: none. */
static int fault_of(const struct io_op *op)
{
	struct fault_set *faults = op->loop->config.faults;
	switch ((enum op_kind)op->kind) {
	case OP_READ:
		return fault_fires(faults, FAULT_FILE_READ) ? EIO : 0;
	case OP_WRITE:
		if (fault_fires(faults, FAULT_FILE_WRITE_FULL))
			return ENOSPC;
		return fault_fires(faults, FAULT_FILE_WRITE) ? EIO : 0;
	case OP_SYNC:
		return fault_fires(faults, FAULT_FILE_SYNC) ? EIO : 0;
	case OP_ALLOCATE:
		return fault_fires(faults, FAULT_FILE_ALLOCATE) ? ENOSPC : 0;
	case OP_RELEASE:
		return fault_fires(faults, FAULT_FILE_TRUNCATE) ? EIO : 0;
	default:
		return op->errno_number;
	}
}

static void resubmit(struct io_op *op)
{
	kr_assert(op->kind == OP_READ || op->kind == OP_WRITE);
	transfer_start(op);
}

void uring_op_done(struct io_op *op, int result)
{
	kr_assert(op->is_running);
	bool is_transfer = op->kind == OP_READ || op->kind == OP_WRITE;
	if (is_transfer && (result == -EINTR || result == -EAGAIN)) {
		resubmit(op);
		return;
	}
	if (result >= 0) {
		int number = fault_of(op);
		if (number > 0)
			result = -number;
	}
	if (is_transfer)
		transfer_done(op, result);
	else
		finish(op, result < 0 ? -result : 0);
}

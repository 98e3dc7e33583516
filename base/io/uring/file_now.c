#include "base/io/uring/uring_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

static int failed(struct io_file *file, int number)
{
	kr_assert(number > 0);
	file->errno_number = number;
	return kr_error_from_errno(number);
}

static int open_flags(unsigned flags, bool is_direct)
{
	kr_assert(flags & (IO_FILE_READ | IO_FILE_WRITE));
	int system_flags = O_CLOEXEC;
	if ((flags & IO_FILE_READ) && (flags & IO_FILE_WRITE))
		system_flags |= O_RDWR;
	else
		system_flags |= flags & IO_FILE_WRITE ? O_WRONLY : O_RDONLY;
	if (flags & IO_FILE_CREATE)
		system_flags |= O_CREAT;
	if (flags & IO_FILE_EXCLUSIVE)
		system_flags |= O_EXCL;
	if (is_direct)
		system_flags |= O_DIRECT;
	/* Without O_DIRECT each write asks for it itself, by RWF_DSYNC. */
	if (is_direct && (flags & IO_FILE_DSYNC))
		system_flags |= O_DSYNC;
	return system_flags;
}

int io_file_open(
	struct io_directory *directory, struct io_file *file, const char *name, unsigned flags)
{
	struct fault_set *faults = directory->loop->config.faults;
	kr_assert(flags & (IO_FILE_READ | IO_FILE_WRITE));
	kr_assert(strchr(name, '/') == NULL);
	memset(file, 0, sizeof(*file));
	file->fd = -1;
	if (fault_fires(faults, FAULT_FILE_OPEN))
		return failed(file, EIO);
	bool is_direct = (flags & IO_FILE_DIRECT) && !fault_fires(faults, FAULT_FILE_DIRECT);
	int fd = openat(directory->fd, name, open_flags(flags, is_direct), 0644);
	if (fd < 0 && errno == EINVAL && is_direct) {
		is_direct = false;
		/* The failed open may have made the file already, which is no EEXIST of ours. */
		fd = openat(directory->fd, name, open_flags(flags & ~IO_FILE_EXCLUSIVE, is_direct),
			0644);
	}
	if (fd < 0)
		return failed(file, errno);
	file->loop = directory->loop;
	file->fd = fd;
	file->flags = flags;
	file->is_direct = is_direct;
	file->loop->open_count++;
	return 0;
}

void io_file_close(struct io_file *file)
{
	kr_assert(file->fd >= 0);
	kr_assert(file->in_flight_count == 0);
	kr_assert(file->loop->open_count > 0);
	file->loop->open_count--;
	close(file->fd);
	file->fd = -1;
}

int io_file_size(struct io_file *file, uint64_t *ret_size_bytes)
{
	struct stat status;
	if (fault_fires(file->loop->config.faults, FAULT_FILE_SIZE))
		return failed(file, EIO);
	if (fstat(file->fd, &status) < 0)
		return failed(file, errno);
	kr_assert(status.st_size >= 0);
	*ret_size_bytes = (uint64_t)status.st_size;
	return 0;
}

int io_file_read_now(struct io_file *file, void *bytes, size_t size_bytes, uint64_t offset,
	size_t *ret_size_bytes)
{
	size_t done = 0;
	kr_assert(file->flags & IO_FILE_READ);
	if (fault_fires(file->loop->config.faults, FAULT_FILE_READ))
		return failed(file, EIO);
	while (done < size_bytes) {
		ssize_t r = pread(file->fd, (uint8_t *)bytes + done, size_bytes - done,
			(off_t)(offset + done));
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return failed(file, errno);
		done += (size_t)r;
		if (r == 0 || (file->is_direct && done % IO_FILE_ALIGN != 0))
			break;
	}
	file->loop->stats.file_read_bytes += done;
	*ret_size_bytes = done;
	return 0;
}

static int write_fault(struct io_file *file)
{
	struct fault_set *faults = file->loop->config.faults;
	if (fault_fires(faults, FAULT_FILE_WRITE_FULL))
		return ENOSPC;
	return fault_fires(faults, FAULT_FILE_WRITE) ? EIO : 0;
}

int io_file_write_now(struct io_file *file, const void *bytes, size_t size_bytes, uint64_t offset)
{
	kr_assert(file->flags & IO_FILE_WRITE);
	int number = write_fault(file);
	if (number > 0)
		return failed(file, number);
	int flags = (file->flags & IO_FILE_DSYNC) && !file->is_direct ? RWF_DSYNC : 0;
	size_t done = 0;
	while (done < size_bytes) {
		struct iovec part = {
			.iov_base = (uint8_t *)(uintptr_t)bytes + done,
			.iov_len = size_bytes - done,
		};
		ssize_t r = pwritev2(file->fd, &part, 1, (off_t)(offset + done), flags);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return failed(file, errno);
		size_t before = done;
		done += (size_t)r;
		if (file->is_direct)
			done -= done % IO_FILE_ALIGN;
		if (done == before)
			return failed(file, EIO);
	}
	file->loop->stats.file_write_bytes += done;
	return 0;
}

int io_file_sync_now(struct io_file *file)
{
	kr_assert(file->fd >= 0);
	file->loop->stats.file_sync_count++;
	if (fault_fires(file->loop->config.faults, FAULT_FILE_SYNC))
		return failed(file, EIO);
	return fsync(file->fd) < 0 ? failed(file, errno) : 0;
}

int io_file_truncate_now(struct io_file *file, uint64_t size_bytes)
{
	kr_assert(file->flags & IO_FILE_WRITE);
	kr_assert(size_bytes <= INT64_MAX);
	if (fault_fires(file->loop->config.faults, FAULT_FILE_TRUNCATE))
		return failed(file, EIO);
	return ftruncate(file->fd, (off_t)size_bytes) < 0 ? failed(file, errno) : 0;
}

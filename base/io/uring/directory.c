#include "base/io/uring/uring_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "base/text.h"

#define TMPFS_TYPE 0x01021994
#define RAMFS_TYPE 0x858458f6
#define PID_TEXT_SIZE 24u

static int failed(struct io_directory *directory, int number)
{
	kr_assert(number > 0);
	directory->errno_number = number;
	return kr_error_from_errno(number);
}

/* The entry of a new directory lies in its parent, which has to be synced for it to last. */
static int parent_sync(const char *path)
{
	char parent[PATH_MAX];
	struct kr_text text;
	size_t length = strlen(path);
	while (length > 0 && path[length - 1] == '/')
		length--;
	while (length > 0 && path[length - 1] != '/')
		length--;
	kr_text_init(&text, parent, sizeof(parent));
	if (length == 0)
		kr_text_put_string(&text, ".");
	kr_text_put(&text, path, length);
	if (text.is_cut)
		return ENAMETOOLONG;
	int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int number = fsync(fd) < 0 ? errno : 0;
	close(fd);
	return number;
}

static int make(const char *path)
{
	if (mkdir(path, 0755) < 0)
		return errno == EEXIST ? 0 : errno;
	return parent_sync(path);
}

static bool is_in_memory(int fd)
{
	kr_assert(fd >= 0);
	struct statfs status;
	if (fstatfs(fd, &status) < 0)
		return false;
	return (uint32_t)status.f_type == TMPFS_TYPE || (uint32_t)status.f_type == RAMFS_TYPE;
}

static int open_failed(
	struct io_directory *directory, const char *path, int number, struct kr_error_text *text)
{
	return kr_error_text_set(
		text, failed(directory, number), number, "opening the directory %s", path);
}

int io_directory_open(struct io_loop *loop, struct io_directory *directory, const char *path,
	unsigned flags, struct kr_error_text *text)
{
	kr_assert((flags & ~IO_DIRECTORY_CREATE) == 0);
	memset(directory, 0, sizeof(*directory));
	directory->loop = loop;
	directory->fd = -1;
	directory->lock_fd = -1;
	if (fault_fires(loop->config.faults, FAULT_DIRECTORY_OPEN))
		return open_failed(directory, path, EIO, text);
	if (flags & IO_DIRECTORY_CREATE) {
		int number = make(path);
		if (number > 0)
			return kr_error_text_set(text, failed(directory, number), number,
				"making the directory %s", path);
	}
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return open_failed(directory, path, errno, text);
	directory->fd = fd;
	directory->is_tmpfs = is_in_memory(fd);
	loop->open_count++;
	return 0;
}

void io_directory_close(struct io_directory *directory)
{
	struct io_loop *loop = directory->loop;
	kr_assert(directory->fd >= 0);
	kr_assert(loop->open_count > 0);
	if (directory->lock_fd >= 0) {
		if (!loop->config.is_offline)
			(void)io_uring_unregister_files(&loop->ring);
		close(directory->lock_fd);
	}
	close(directory->fd);
	directory->fd = -1;
	directory->lock_fd = -1;
	loop->open_count--;
}

static void pid_write(int fd)
{
	kr_assert(fd >= 0);
	char bytes[PID_TEXT_SIZE];
	struct kr_text text;
	kr_text_init(&text, bytes, sizeof(bytes));
	kr_text_format(&text, "%d\n", (int)getpid());
	/* For the message alone: the lock does not depend on it. */
	if (ftruncate(fd, 0) == 0) {
		ssize_t r = pwrite(fd, bytes, text.length, 0);
		(void)r;
	}
}

static long pid_read(int fd)
{
	kr_assert(fd >= 0);
	char bytes[PID_TEXT_SIZE] = {0};
	ssize_t r = pread(fd, bytes, sizeof(bytes) - 1, 0);
	return r > 0 ? strtol(bytes, NULL, 10) : 0;
}

static int locked(int fd, struct kr_error_text *text)
{
	(void)kr_error_text_set(text, -KR_E_BUSY, 0,
		"the directory is in use by process %ld, or writes of a killed process are still "
		"on their way",
		fd < 0 ? 0L : pid_read(fd));
	return IO_DIRECTORY_LOCKED;
}

/* The ring's reference keeps the lock until the ring, and with it the last write, is gone. */
static int lock_register(struct io_directory *directory, int fd)
{
	kr_assert(fd >= 0);
	if (directory->loop->config.is_offline)
		return 0;
	int r = io_uring_register_files(&directory->loop->ring, &fd, 1);
	return r < 0 ? -r : 0;
}

int io_directory_lock(struct io_directory *directory, struct kr_error_text *text)
{
	kr_assert(directory->lock_fd < 0);
	if (fault_fires(directory->loop->config.faults, FAULT_DIRECTORY_LOCK))
		return locked(-1, text);
	int fd = openat(directory->fd, IO_DIRECTORY_LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return kr_error_text_set(text, failed(directory, errno), errno,
			"opening the file " IO_DIRECTORY_LOCK_NAME);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int number = errno;
		int r = number == EWOULDBLOCK
				? locked(fd, text)
				: kr_error_text_set(text, failed(directory, number), number,
					  "locking the file " IO_DIRECTORY_LOCK_NAME);
		close(fd);
		return r;
	}
	int number = lock_register(directory, fd);
	if (number > 0) {
		close(fd);
		return kr_error_text_set(text, failed(directory, number), number,
			"registering the lock with the ring");
	}
	pid_write(fd);
	directory->lock_fd = fd;
	return 0;
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
	char **names;
	size_t count;
	size_t capacity;
};

static int names_add(struct names *names, const char *name)
{
	kr_assert(names->count <= names->capacity);
	if (names->count == names->capacity) {
		size_t capacity = names->capacity == 0 ? 64 : names->capacity * 2;
		char **grown = realloc(names->names, capacity * sizeof(*grown));
		if (grown == NULL)
			return ENOMEM;
		names->names = grown;
		names->capacity = capacity;
	}
	names->names[names->count] = strdup(name);
	if (names->names[names->count] == NULL)
		return ENOMEM;
	names->count++;
	return 0;
}

static void names_fini(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->names[i]);
	free(names->names);
}

static bool is_folder(DIR *stream, const struct dirent *entry)
{
	struct stat status;
	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(status.st_mode);
}

static int names_read(struct names *names, DIR *stream)
{
	kr_assert(stream != NULL);
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(stream);
		if (entry == NULL)
			return errno;
		if (is_folder(stream, entry))
			continue;
		int number = names_add(names, entry->d_name);
		if (number > 0)
			return number;
	}
}

int io_directory_list(struct io_directory *directory,
	void (*on_name)(void *context, const char *name), void *context)
{
	struct names names = {0};
	kr_assert(directory->fd >= 0);
	if (fault_fires(directory->loop->config.faults, FAULT_DIRECTORY_LIST))
		return failed(directory, EIO);
	int fd = openat(directory->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return failed(directory, errno);
	DIR *stream = fdopendir(fd);
	if (stream == NULL) {
		int number = errno;
		close(fd);
		return failed(directory, number);
	}
	int number = names_read(&names, stream);
	closedir(stream);
	if (number == 0 && names.count > 0) {
		qsort(names.names, names.count, sizeof(*names.names), name_compare);
		for (size_t i = 0; i < names.count; i++)
			on_name(context, names.names[i]);
	}
	names_fini(&names);
	return number > 0 ? failed(directory, number) : 0;
}

int io_directory_file_size(
	struct io_directory *directory, const char *name, uint64_t *ret_size_bytes)
{
	struct stat status;
	kr_assert(strchr(name, '/') == NULL);
	if (fault_fires(directory->loop->config.faults, FAULT_FILE_SIZE))
		return failed(directory, EIO);
	if (fstatat(directory->fd, name, &status, 0) < 0)
		return failed(directory, errno);
	*ret_size_bytes = (uint64_t)status.st_size;
	return 0;
}

int io_directory_free_bytes(struct io_directory *directory, uint64_t *ret_free_bytes)
{
	struct statvfs status;
	kr_assert(ret_free_bytes != NULL);
	if (fault_fires(directory->loop->config.faults, FAULT_DIRECTORY_SPACE))
		return failed(directory, EIO);
	if (fstatvfs(directory->fd, &status) < 0)
		return failed(directory, errno);
	*ret_free_bytes = (uint64_t)status.f_bavail * status.f_frsize;
	return 0;
}

int io_directory_rename_now(struct io_directory *directory, const char *from, const char *to)
{
	kr_assert(from != NULL && to != NULL);
	if (fault_fires(directory->loop->config.faults, FAULT_FILE_RENAME))
		return failed(directory, EIO);
	int r = renameat(directory->fd, from, directory->fd, to);
	return r < 0 ? failed(directory, errno) : 0;
}

int io_directory_unlink_now(struct io_directory *directory, const char *name)
{
	kr_assert(name != NULL);
	if (fault_fires(directory->loop->config.faults, FAULT_FILE_UNLINK))
		return failed(directory, EIO);
	return unlinkat(directory->fd, name, 0) < 0 ? failed(directory, errno) : 0;
}

int io_directory_sync_now(struct io_directory *directory)
{
	kr_assert(directory->fd >= 0);
	directory->loop->stats.file_sync_count++;
	if (fault_fires(directory->loop->config.faults, FAULT_DIRECTORY_SYNC))
		return failed(directory, EIO);
	return fsync(directory->fd) < 0 ? failed(directory, errno) : 0;
}

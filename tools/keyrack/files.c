#include "tools/keyrack/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FAILED(error, ...) kr_error_text_set(error, kr_error_from_errno(errno), errno, __VA_ARGS__)

bool files_join(const char *directory, const char *name, char *ret_path, size_t size)
{
	int length = snprintf(ret_path, size, "%s/%s", directory, name);
	kr_assert(size > 0);
	return length > 0 && (size_t)length < size;
}

static int directory_sync(const char *path, struct kr_error_text *error)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;
	if (fd < 0)
		return FAILED(error, "cannot open %s", path);
	if (fsync(fd) != 0)
		r = FAILED(error, "cannot sync %s", path);
	close(fd);
	return r;
}

/* One step of the path, whose parent is there. */
static int directory_make_one(const char *path, struct kr_error_text *error)
{
	char parent[FILES_PATH_SIZE];
	const char *slash = strrchr(path, '/');
	struct stat status;
	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		return 0;
	if (mkdir(path, 0777) != 0)
		return FAILED(error, "cannot make the directory %s", path);
	(void)snprintf(
		parent, sizeof(parent), "%.*s", slash != NULL ? (int)(slash - path) : 0, path);
	if (parent[0] == '\0')
		(void)snprintf(parent, sizeof(parent), "%s", slash != NULL ? "/" : ".");
	return directory_sync(parent, error);
}

int files_directory_make(const char *path, struct kr_error_text *error)
{
	char step[FILES_PATH_SIZE];
	size_t length = strlen(path);
	if (length == 0 || length >= sizeof(step))
		return kr_error_text_set(error, -KR_E_INVALID, 0, "the path is empty or too long");
	for (size_t i = 1; i <= length; i++) {
		int r;
		if (i < length && path[i] != '/')
			continue;
		memcpy(step, path, i);
		step[i] = '\0';
		r = directory_make_one(step, error);
		if (r < 0)
			return r;
	}
	return 0;
}

static int write_all(int fd, const char *bytes, size_t size_bytes)
{
	while (size_bytes > 0) {
		ssize_t written = write(fd, bytes, size_bytes);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return -1;
		bytes += written;
		size_bytes -= (size_t)written;
	}
	return fsync(fd);
}

int files_replace(const char *directory, const char *name, const char *bytes, size_t size_bytes,
	struct kr_error_text *error)
{
	char path[FILES_PATH_SIZE];
	char aside[FILES_PATH_SIZE];
	int fd;
	int r;
	kr_assert(bytes != NULL);
	if (!files_join(directory, name, path, sizeof(path)) ||
		snprintf(aside, sizeof(aside), "%s/%s.new", directory, name) >= (int)sizeof(aside))
		return kr_error_text_set(error, -KR_E_INVALID, 0, "%s is too long", directory);
	fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return FAILED(error, "cannot create %s", aside);
	r = write_all(fd, bytes, size_bytes);
	if (r != 0)
		r = FAILED(error, "cannot write %s", aside);
	close(fd);
	if (r == 0 && rename(aside, path) != 0)
		r = FAILED(error, "cannot rename %s", aside);
	return r == 0 ? directory_sync(directory, error) : r;
}

int files_read(const char *directory, const char *name, char *ret_bytes, size_t size,
	struct kr_error_text *error)
{
	char path[FILES_PATH_SIZE];
	size_t length = 0;
	ssize_t got = 1;
	int fd;
	kr_assert(size > 0);
	if (!files_join(directory, name, path, sizeof(path)))
		return kr_error_text_set(error, -KR_E_INVALID, 0, "%s is too long", directory);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return FAILED(error, "cannot open %s", path);
	while (got > 0 && length < size - 1) {
		got = read(fd, ret_bytes + length, size - 1 - length);
		if (got > 0)
			length += (size_t)got;
		else if (got < 0 && errno == EINTR)
			got = 1;
	}
	ret_bytes[length] = '\0';
	close(fd);
	return got < 0 ? FAILED(error, "cannot read %s", path) : 0;
}

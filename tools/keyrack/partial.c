#include "tools/keyrack/partial.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tools/keyrack/progress.h"

#define SUFFIX ".partial"
#define TRY_NS 50000000
#define OPEN_FILES_MAX 16

#define FAILED(error, ...) kr_error_text_set(error, kr_error_from_errno(errno), errno, __VA_ARGS__)

/* Everything below the root, which is of depth 0. */
static int entry_remove(const char *path, const struct stat *status, int kind, struct FTW *at)
{
	kr_assert(status != NULL && at->level >= 0);
	if (at->level == 0)
		return 0;
	return kind == FTW_DP ? rmdir(path) : unlink(path);
}

static int contents_remove(const struct partial *partial, struct kr_error_text *error)
{
	kr_assert(partial->fd >= 0);
	if (nftw(partial->path, entry_remove, OPEN_FILES_MAX, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) !=
		0)
		return FAILED(error, "cannot empty %s", partial->path);
	return 0;
}

/* Is the path still the directory that is locked? Another run may have given it its name. */
static bool is_same(const struct partial *partial)
{
	struct stat path, fd;
	kr_assert(partial->fd >= 0);
	return stat(partial->path, &path) == 0 && fstat(partial->fd, &fd) == 0 &&
	       path.st_ino == fd.st_ino && path.st_dev == fd.st_dev;
}

/* 0; 1: not now; or a negative error. */
static int lock_try(struct partial *partial, struct kr_error_text *error)
{
	if (mkdir(partial->path, 0777) != 0 && errno != EEXIST)
		return FAILED(error, "cannot make %s", partial->path);
	partial->fd = open(partial->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (partial->fd < 0)
		return FAILED(error, "cannot open %s", partial->path);
	if (flock(partial->fd, LOCK_EX | LOCK_NB) == 0 && is_same(partial))
		return 0;
	close(partial->fd);
	partial->fd = -1;
	kr_assert(partial->path[0] != '\0');
	return 1;
}

static int name_check(const struct partial *partial, struct kr_error_text *error)
{
	struct stat status;
	kr_assert(partial->name[0] != '\0');
	if (lstat(partial->name, &status) == 0)
		return kr_error_text_set(error, -KR_E_EXISTS, 0,
			"%s is there already: give the name of a new directory", partial->name);
	return errno == ENOENT ? 0 : FAILED(error, "cannot look at %s", partial->name);
}

int partial_make(struct partial *partial, const char *name, struct kr_error_text *error)
{
	const struct timespec pause = {.tv_nsec = TRY_NS};
	uint64_t until_us = progress_now_us() + PARTIAL_WAIT_US;
	size_t length = strlen(name);
	int r;
	partial->fd = -1;
	while (length > 1 && name[length - 1] == '/')
		length--;
	if (length == 0 || length + sizeof(SUFFIX) > sizeof(partial->path))
		return kr_error_text_set(error, -KR_E_INVALID, 0, "the path is empty or too long");
	(void)snprintf(partial->name, sizeof(partial->name), "%.*s", (int)length, name);
	(void)snprintf(partial->path, sizeof(partial->path), "%.*s" SUFFIX, (int)length, name);
	r = name_check(partial, error);
	while (r == 0 && (r = lock_try(partial, error)) == 1) {
		if (progress_now_us() >= until_us)
			return kr_error_text_set(error, -KR_E_BUSY, 0,
				"another keyrack is writing %s right now", partial->path);
		nanosleep(&pause, NULL);
		r = name_check(partial, error);
	}
	kr_assert(r <= 0);
	return r == 0 ? contents_remove(partial, error) : r;
}

static int parent_sync(const struct partial *partial, struct kr_error_text *error)
{
	char parent[FILES_PATH_SIZE];
	const char *slash = strrchr(partial->name, '/');
	int length = slash != NULL ? (int)(slash - partial->name) : 0;
	int fd, r = 0;
	(void)snprintf(parent, sizeof(parent), "%.*s", length, partial->name);
	if (parent[0] == '\0')
		(void)snprintf(parent, sizeof(parent), "%s", slash != NULL ? "/" : ".");
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		r = FAILED(error, "cannot sync %s", parent);
	if (fd >= 0)
		close(fd);
	kr_assert(r <= 0);
	return r;
}

int partial_keep(struct partial *partial, struct kr_error_text *error)
{
	int r = 0;
	kr_assert(partial->fd >= 0);
	if (fsync(partial->fd) != 0)
		r = FAILED(error, "cannot sync %s", partial->path);
	if (r == 0 &&
		renameat2(AT_FDCWD, partial->path, AT_FDCWD, partial->name, RENAME_NOREPLACE) != 0)
		r = FAILED(error, "cannot rename %s", partial->path);
	if (r == 0)
		r = parent_sync(partial, error);
	close(partial->fd);
	partial->fd = -1;
	return r;
}

bool partial_is_name(const char *name)
{
	size_t length = strlen(name);
	kr_assert(name != NULL);
	while (length > 1 && name[length - 1] == '/')
		length--;
	return length > strlen(SUFFIX) &&
	       strncmp(name + length - strlen(SUFFIX), SUFFIX, strlen(SUFFIX)) == 0;
}

void partial_drop(struct partial *partial)
{
	struct kr_error_text error;
	if (partial->fd < 0)
		return;
	if (contents_remove(partial, &error) == 0)
		(void)rmdir(partial->path);
	close(partial->fd);
	partial->fd = -1;
	kr_assert(partial->fd < 0);
}

#include "base/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_lent(const char *path)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	size_t length = folder != NULL ? strlen(folder) : 0;
	kr_assert(path != NULL);
	return length > 0 && strncmp(path, folder, length) == 0 && path[length] == '/' &&
	       strstr(path + length, "/../") == NULL;
}

static int check(const char *path, const struct stat *status, struct kr_error_text *text)
{
	mode_t others = is_lent(path) ? S_IRWXO : S_IRWXG | S_IRWXO;
	kr_assert(path != NULL);
	if (!S_ISREG(status->st_mode))
		return kr_error_text_set(text, -KR_E_INVALID, 0, "%s is no file", path);
	if ((status->st_mode & others) != 0)
		return kr_error_text_set(text, -KR_E_PERMISSION, 0,
			"%s is open to others than its owner (mode 0%u%u%u): chmod 600 it, and "
			"make a new secret if somebody may have read this one",
			path, status->st_mode >> 6 & 7, status->st_mode >> 3 & 7,
			status->st_mode & 7);
	if (status->st_uid != geteuid() && status->st_uid != 0)
		return kr_error_text_set(text, -KR_E_PERMISSION, 0,
			"%s belongs to user %u, who is neither this process's nor root", path,
			(unsigned)status->st_uid);
	return 0;
}

static int read_whole(
	int fd, const char *path, void *bytes, size_t size_max_bytes, struct kr_error_text *text)
{
	size_t size_bytes = 0;
	kr_assert(fd >= 0);
	while (size_bytes < size_max_bytes) {
		ssize_t n = read(fd, (char *)bytes + size_bytes, size_max_bytes - size_bytes);
		if (n == 0)
			return (int)size_bytes;
		if (n < 0 && errno != EINTR)
			return kr_error_text_set(
				text, kr_error_from_errno(errno), errno, "cannot read %s", path);
		size_bytes += n > 0 ? (size_t)n : 0;
	}
	return kr_error_text_set(text, -KR_E_INVALID, 0, "%s is too large: less than %zu bytes",
		path, size_max_bytes);
}

int secret_file_read(const char *path, void *bytes, size_t size_max_bytes, size_t *ret_size_bytes,
	struct kr_error_text *text)
{
	struct stat status;
	kr_assert(size_max_bytes > 0 && size_max_bytes <= INT32_MAX);
	/* A pipe of that name would keep the process waiting. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return kr_error_text_set(
			text, kr_error_from_errno(errno), errno, "cannot open %s", path);
	int r = fstat(fd, &status);
	if (r < 0)
		r = kr_error_text_set(
			text, kr_error_from_errno(errno), errno, "cannot look at %s", path);
	if (r == 0)
		r = check(path, &status, text);
	if (r == 0)
		r = read_whole(fd, path, bytes, size_max_bytes, text);
	close(fd);
	if (r < 0)
		return r;
	*ret_size_bytes = (size_t)r;
	return 0;
}

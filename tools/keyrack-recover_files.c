#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "tools/keyrack-recover_copy.h"

#define PATH_SIZE 4096
#define RANK_SNAP UINT64_C(2)
#define RANK_SEGMENT (UINT64_C(1) << 62)

#define FAILED(copy, ...)                                                                          \
	kr_error_text_set((copy)->text, kr_error_from_errno(errno), errno, __VA_ARGS__)

static int path_join(struct copy *copy, const char *directory, const char *name, char *ret_path)
{
	int length = snprintf(ret_path, PATH_SIZE, "%s/%s", directory, name);
	kr_assert(name[0] != '\0');
	if (length >= PATH_SIZE)
		return kr_error_text_set(
			copy->text, -KR_E_INVALID, 0, "%s is too long a path", directory);
	return 0;
}

/* ---- which files, in which order ---- */

/* False: not a file of the state. */
static bool file_rank(const char *name, struct copy_file *ret)
{
	struct log_dir_name parsed;
	log_dir_parse(name, &parsed);
	ret->segment = 0;
	switch (parsed.kind) {
	case LOG_DIR_META:
		ret->rank = strcmp(name, LOG_DIR_MARK) == 0 ? 0 : 1;
		return strcmp(name, LOG_DIR_LOCK) != 0;
	case LOG_DIR_SNAP:
		ret->rank = RANK_SNAP + parsed.number;
		kr_assert(ret->rank < RANK_SEGMENT);
		return true;
	case LOG_DIR_SEGMENT:
		ret->rank = RANK_SEGMENT + parsed.number;
		ret->segment = parsed.number;
		return true;
	default:
		return false;
	}
}

static int rank_compare(const void *a, const void *b)
{
	const struct copy_file *x = a, *y = b;
	kr_assert(a != NULL && b != NULL);
	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* The files there are now, in the order of copying; *ret_first is the number of the oldest segment,
 * or 0. With `only_count` nothing is kept. */
static int files_list(struct copy *copy, bool only_look, uint64_t *ret_first)
{
	DIR *directory = opendir(copy->from);
	const struct dirent *entry;
	struct copy_file file;
	*ret_first = 0;
	if (directory == NULL)
		return FAILED(copy, "cannot open %s", copy->from);
	while ((entry = readdir(directory)) != NULL) {
		if (strlen(entry->d_name) >= sizeof(file.name) || !file_rank(entry->d_name, &file))
			continue;
		if (file.segment != 0 && (*ret_first == 0 || file.segment < *ret_first))
			*ret_first = file.segment;
		if (only_look || copy->count == COPY_FILES_MAX)
			continue;
		memcpy(file.name, entry->d_name, strlen(entry->d_name) + 1);
		file.size_bytes = file.sum = 0;
		copy->files[copy->count++] = file;
	}
	closedir(directory);
	qsort(copy->files, copy->count, sizeof(*copy->files), rank_compare);
	kr_assert(copy->count <= COPY_FILES_MAX);
	return 0;
}

/* ---- one file ---- */

static bool is_zero(const uint8_t *bytes, size_t size_bytes)
{
	kr_assert(size_bytes > 0);
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, size_bytes - 1) == 0;
}

/* As much as there is, up to a piece; negative on an error. */
static ssize_t piece_read(int fd, uint8_t *bytes)
{
	size_t length = 0;
	while (length < COPY_PIECE_SIZE) {
		ssize_t got = read(fd, bytes + length, COPY_PIECE_SIZE - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return got;
		if (got == 0)
			break;
		length += (size_t)got;
	}
	kr_assert(length <= COPY_PIECE_SIZE);
	return (ssize_t)length;
}

static bool piece_write(int fd, const uint8_t *bytes, size_t size_bytes, uint64_t offset_bytes)
{
	kr_assert(size_bytes > 0);
	for (size_t done = 0; done < size_bytes;) {
		ssize_t put =
			pwrite(fd, bytes + done, size_bytes - done, (off_t)(offset_bytes + done));
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		done += (size_t)put;
	}
	return true;
}

/* Zeroes are left as holes. */
static bool bytes_copy(int from, int to, struct copy_file *file)
{
	static uint8_t bytes[COPY_PIECE_SIZE];
	ssize_t size;
	while ((size = piece_read(from, bytes)) > 0) {
		file->sum = hash_chain(file->sum, bytes, (size_t)size);
		if (!is_zero(bytes, (size_t)size) &&
			!piece_write(to, bytes, (size_t)size, file->size_bytes))
			return false;
		file->size_bytes += (uint64_t)size;
	}
	kr_assert(size <= 0);
	return size == 0 && ftruncate(to, (off_t)file->size_bytes) == 0 && fsync(to) == 0;
}

/* 0; 1: it is not there any more; or a negative error. */
static int file_copy(struct copy *copy, struct copy_file *file)
{
	char path[PATH_SIZE];
	int r = path_join(copy, copy->from, file->name, path);
	kr_assert(file->size_bytes == 0);
	if (r < 0)
		return r;
	int from = open(path, O_RDONLY | O_CLOEXEC);
	if (from < 0 && errno == ENOENT)
		return 1;
	if (from < 0)
		return FAILED(copy, "cannot read %s", path);
	r = path_join(copy, copy->to, file->name, path);
	if (r == 0) {
		int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (to < 0 || !bytes_copy(from, to, file))
			r = FAILED(copy, "cannot write %s", path);
		if (to >= 0)
			close(to);
	}
	close(from);
	return r;
}

static int file_remove(struct copy *copy, const char *name)
{
	char path[PATH_SIZE];
	int r = path_join(copy, copy->to, name, path);
	kr_assert(r <= 0);
	if (r < 0)
		return r;
	if (unlink(path) != 0 && errno != ENOENT)
		return FAILED(copy, "cannot remove %s", path);
	return 0;
}

static void file_drop(struct copy *copy, uint32_t i)
{
	kr_assert(i < copy->count);
	copy->count--;
	memmove(&copy->files[i], &copy->files[i + 1], (copy->count - i) * sizeof(*copy->files));
}

static int directory_sync(struct copy *copy)
{
	int fd = open(copy->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 || fsync(fd) != 0 ? FAILED(copy, "cannot sync %s", copy->to) : 0;
	if (fd >= 0)
		close(fd);
	kr_assert(r <= 0);
	return r;
}

/* Segments that are gone by now may have been written over while they were copied. */
static int old_drop(struct copy *copy)
{
	uint64_t first;
	int r = files_list(copy, true, &first);
	for (uint32_t i = 0; r == 0 && i < copy->count;) {
		const struct copy_file *file = &copy->files[i];
		if (file->segment == 0 || file->segment >= first) {
			i++;
			continue;
		}
		r = file_remove(copy, file->name);
		file_drop(copy, i);
	}
	kr_assert(r <= 0);
	return r;
}

int copy_make(struct copy *copy)
{
	uint64_t first;
	copy->count = 0;
	int r = files_list(copy, false, &first);
	for (uint32_t i = 0; r == 0 && i < copy->count;) {
		r = file_copy(copy, &copy->files[i]);
		if (r == 1) {
			file_drop(copy, i);
			r = 0;
		} else {
			i++;
		}
	}
	if (r == 0)
		r = old_drop(copy);
	kr_assert(r <= 0);
	return r == 0 ? directory_sync(copy) : r;
}

int copy_clear(struct copy *copy)
{
	int r = file_remove(copy, LOG_DIR_LOCK);
	for (uint32_t i = 0; r == 0 && i < copy->count; i++)
		r = file_remove(copy, copy->files[i].name);
	copy->count = 0;
	kr_assert(r <= 0);
	return r;
}

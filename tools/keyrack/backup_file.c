#include "tools/keyrack/backup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "proto/slot.h"
#include "tools/keyrack/js.h"

#define PIECE_SIZE (64u << 10) /* sums go on by pieces of it, as keyrack-recover's */
#define CORRUPT(error, ...) kr_error_text_set(error, -KR_E_CORRUPT, 0, __VA_ARGS__)

/* ---- writing ---- */

int backup_file_write(const char *directory, const struct cluster_config *config, json_t *parts,
	struct kr_error_text *error)
{
	json_t *root = js_object();
	char *bytes;
	int r;
	kr_assert(json_array_size(parts) == config->shards);
	js_int(root, "keyrack_backup", BACKUP_FORMAT);
	js_hex_id(root, "cluster", config->id);
	js_count(root, "created_us", (uint64_t)time(NULL) * 1000000);
	js_count(root, "shards", config->shards);
	js_count(root, "slots", SLOT_COUNT);
	js_set(root, "parts", parts);
	bytes = json_dumps(root, JSON_INDENT(1));
	json_decref(root);
	if (bytes == NULL)
		return kr_error_text_set(error, -KR_E_NOMEM, 0, "out of memory");
	r = files_replace(directory, BACKUP_MANIFEST, bytes, strlen(bytes), error);
	free(bytes);
	return r;
}

/* ---- reading ---- */

static bool manifest_fits(const json_t *root, const struct cluster_config *config)
{
	const json_t *parts = json_object_get(root, "parts");
	const char *id = json_string_value(json_object_get(root, "cluster"));
	kr_assert(config->shards > 0);
	return json_integer_value(json_object_get(root, "shards")) == config->shards &&
	       json_integer_value(json_object_get(root, "slots")) == SLOT_COUNT &&
	       json_array_size(parts) == config->shards && id != NULL &&
	       strtoull(id, NULL, 16) == config->id;
}

int backup_file_read(const char *directory, struct cluster *ret_cluster, json_t **ret_parts,
	struct kr_error_text *error)
{
	char path[FILES_PATH_SIZE];
	json_error_t why;
	json_t *root;
	int r = 0;
	if (!files_join(directory, BACKUP_MANIFEST, path, sizeof(path)))
		return kr_error_text_set(error, -KR_E_INVALID, 0, "the path is too long");
	root = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
	if (root == NULL)
		return CORRUPT(error, "%s is no backup: its " BACKUP_MANIFEST " cannot be read: %s",
			directory, why.text);
	if (json_integer_value(json_object_get(root, "keyrack_backup")) != BACKUP_FORMAT)
		r = kr_error_text_set(error, -KR_E_VERSION, 0,
			"%s is a backup of another format; this keyrack knows %d", directory,
			BACKUP_FORMAT);
	if (r == 0)
		r = cluster_open(directory, ret_cluster, error);
	if (r == CLUSTER_NONE || (r == 0 && !manifest_fits(root, &ret_cluster->config)))
		r = CORRUPT(error, "%s is damaged: its cluster.json is missing or another's",
			directory);
	if (r == 0)
		*ret_parts = json_incref(json_object_get(root, "parts"));
	json_decref(root);
	kr_assert(r <= 0);
	return r;
}

/* ---- checking ---- */

static ssize_t piece_read(int fd, char *bytes)
{
	size_t length = 0;
	while (length < PIECE_SIZE) {
		ssize_t got = read(fd, bytes + length, PIECE_SIZE - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		length += (size_t)got;
	}
	kr_assert(length <= PIECE_SIZE);
	return (ssize_t)length;
}

static bool file_sum(const char *path, uint64_t *ret_size, uint64_t *ret_sum)
{
	static char bytes[PIECE_SIZE];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;
	*ret_size = *ret_sum = 0;
	if (fd < 0)
		return false;
	while ((got = piece_read(fd, bytes)) > 0) {
		*ret_sum = hash_chain(*ret_sum, bytes, (size_t)got);
		*ret_size += (uint64_t)got;
	}
	close(fd);
	kr_assert(got <= 0);
	return got == 0;
}

static int file_check(
	const char *directory, size_t shard, const json_t *file, struct kr_error_text *error)
{
	const char *name = json_string_value(json_object_get(file, "name"));
	const char *sum_text = json_string_value(json_object_get(file, "sum"));
	char path[FILES_PATH_SIZE];
	uint64_t size, sum;
	if (name == NULL || sum_text == NULL || strchr(name, '/') != NULL)
		return CORRUPT(
			error, "%s is damaged: its " BACKUP_MANIFEST " makes no sense", directory);
	if (snprintf(path, sizeof(path), "%s/shard-%zu/%s", directory, shard, name) >=
		(int)sizeof(path))
		return kr_error_text_set(error, -KR_E_INVALID, 0, "the path is too long");
	kr_assert(json_is_object(file));
	if (!file_sum(path, &size, &sum))
		return CORRUPT(error, "the backup is damaged: %s cannot be read", path);
	if (size != (uint64_t)json_integer_value(json_object_get(file, "size")) ||
		sum != strtoull(sum_text, NULL, 16))
		return CORRUPT(error, "the backup is damaged: %s is not what was written", path);
	return 0;
}

int backup_file_check(const char *directory, const json_t *parts, struct kr_error_text *error)
{
	kr_assert(json_is_array(parts));
	for (size_t i = 0; i < json_array_size(parts); i++) {
		const json_t *files = json_object_get(json_array_get(parts, i), "files");
		for (size_t j = 0; j < json_array_size(files); j++) {
			int r = file_check(directory, i, json_array_get(files, j), error);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

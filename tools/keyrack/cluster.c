#include "tools/keyrack/cluster.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include "tools/keyrack/js.h"
#include "tools/keyrack/value.h"

#define FILE_NAME "cluster.json"
#define LOCK_NAME "cluster.lock"
#define FILE_SIZE_MAX 16384u

int cluster_config_new(struct cluster_config *ret_config, struct kr_error_text *error)
{
	struct cluster_config config = {
		.shards = 1,
		.listen = CLUSTER_LISTEN_DEFAULT,
		.durability = "sync",
		.hotels = CLUSTER_HOTELS_DEFAULT,
		.nights = CLUSTER_NIGHTS_DEFAULT,
		.reservations = CLUSTER_RESERVATIONS_DEFAULT,
		.retention_hours = CLUSTER_RETENTION_DEFAULT,
	};
	while (config.id == 0)
		if (getrandom(&config.id, sizeof(config.id), 0) != (ssize_t)sizeof(config.id))
			return kr_error_text_set(
				error, -KR_E_IO, errno, "the system gives no random numbers");
	*ret_config = config;
	return 0;
}

/* ---- cluster.json ---- */

static bool text_read(const json_t *root, const char *name, char *ret, size_t size)
{
	const char *text = json_string_value(json_object_get(root, name));
	if (text == NULL || strlen(text) >= size)
		return false;
	memcpy(ret, text, strlen(text) + 1);
	return true;
}

/* What is not there is empty. */
static bool optional_read(const json_t *root, const char *name, char *ret, size_t size)
{
	kr_assert(size > 0);
	ret[0] = '\0';
	return json_object_get(root, name) == NULL || text_read(root, name, ret, size);
}

static bool count_read(const json_t *root, const char *name, uint64_t last, uint32_t *ret)
{
	const json_t *value = json_object_get(root, name);
	json_int_t number = json_integer_value(value);
	kr_assert(last <= UINT32_MAX);
	if (!json_is_integer(value) || number < 0 || (uint64_t)number > last)
		return false;
	*ret = (uint32_t)number;
	return true;
}

static bool id_read(const json_t *root, uint64_t *ret_id)
{
	char text[17];
	char *end;
	if (!text_read(root, "cluster", text, sizeof(text)) || strlen(text) != 16)
		return false;
	errno = 0;
	*ret_id = strtoull(text, &end, 16);
	return *end == '\0' && errno == 0 && *ret_id != 0;
}

static bool config_read(const json_t *root, struct cluster_config *ret_config)
{
	struct cluster_config config = {.id = 0};
	bool is_good =
		id_read(root, &config.id) &&
		count_read(root, "shards", CLUSTER_SHARDS_MAX, &config.shards) &&
		text_read(root, "listen", config.listen, sizeof(config.listen)) &&
		text_read(root, "durability", config.durability, sizeof(config.durability)) &&
		count_read(root, "hotels", UINT32_MAX, &config.hotels) &&
		count_read(root, "types", UINT32_MAX, &config.types) &&
		count_read(root, "nights", UINT32_MAX, &config.nights) &&
		count_read(root, "reservations", UINT32_MAX, &config.reservations) &&
		count_read(root, "retention_hours", UINT32_MAX, &config.retention_hours);
	/* Files written before there were these have none. */
	is_good &= optional_read(root, "booking_listen", config.booking_listen,
			   sizeof(config.booking_listen)) &&
		   optional_read(root, "operator_token_file", config.operator_token_file,
			   sizeof(config.operator_token_file)) &&
		   optional_read(root, "booking_token_file", config.booking_token_file,
			   sizeof(config.booking_token_file));
	is_good &= json_object_get(root, "plans") == NULL ||
		   count_read(root, "plans", UINT32_MAX, &config.plans);
	config.allow_tmpfs = json_is_true(json_object_get(root, "allow_tmpfs"));
	config.embeds_router = json_is_true(json_object_get(root, "embedded_router"));
	*ret_config = config;
	return is_good && config.shards > 0;
}

static int config_parse(
	const char *bytes, struct cluster_config *ret_config, struct kr_error_text *error)
{
	json_error_t why;
	json_t *root = json_loads(bytes, JSON_REJECT_DUPLICATES, &why);
	json_int_t format;
	bool is_good;
	if (root == NULL)
		return kr_error_text_set(error, -KR_E_CORRUPT, 0,
			FILE_NAME " cannot be read, line %d: %s", why.line, why.text);
	format = json_integer_value(json_object_get(root, "format"));
	if (format != CLUSTER_FORMAT) {
		json_decref(root);
		return kr_error_text_set(error, -KR_E_VERSION, 0,
			FILE_NAME " has format %lld, this keyrack knows format %d",
			(long long)format, CLUSTER_FORMAT);
	}
	is_good = config_read(root, ret_config);
	json_decref(root);
	if (!is_good)
		return kr_error_text_set(
			error, -KR_E_CORRUPT, 0, "a field of " FILE_NAME " is missing or wrong");
	return 0;
}

int cluster_save(const struct cluster *cluster, struct kr_error_text *error)
{
	const struct cluster_config *config = &cluster->config;
	json_t *root = js_object();
	char *bytes;
	int r;
	js_int(root, "format", CLUSTER_FORMAT);
	js_hex_id(root, "cluster", config->id);
	js_count(root, "shards", config->shards);
	js_text(root, "listen", config->listen);
	if (config->booking_listen[0] != '\0')
		js_text(root, "booking_listen", config->booking_listen);
	if (config->operator_token_file[0] != '\0')
		js_text(root, "operator_token_file", config->operator_token_file);
	if (config->booking_token_file[0] != '\0')
		js_text(root, "booking_token_file", config->booking_token_file);
	js_text(root, "durability", config->durability);
	js_count(root, "hotels", config->hotels);
	js_count(root, "types", config->types);
	if (config->plans != 0)
		js_count(root, "plans", config->plans);
	js_count(root, "nights", config->nights);
	js_count(root, "reservations", config->reservations);
	js_count(root, "retention_hours", config->retention_hours);
	js_bool(root, "allow_tmpfs", config->allow_tmpfs);
	if (config->embeds_router)
		js_bool(root, "embedded_router", true);
	bytes = json_dumps(root, JSON_INDENT(2));
	json_decref(root);
	if (bytes == NULL)
		return kr_error_text_set(error, -KR_E_NOMEM, 0, "out of memory");
	r = files_replace(cluster->dir, FILE_NAME, bytes, strlen(bytes), error);
	free(bytes);
	return r;
}

int cluster_open(const char *dir, struct cluster *ret_cluster, struct kr_error_text *error)
{
	char bytes[FILE_SIZE_MAX];
	int r;
	memset(ret_cluster, 0, sizeof(*ret_cluster));
	kr_static_assert(FILES_PATH_SIZE >= PATH_MAX, "realpath() fits");
	if (realpath(dir, ret_cluster->dir) == NULL) {
		ret_cluster->dir[0] = '\0';
		if (errno == ENOENT)
			return CLUSTER_NONE;
		return kr_error_text_set(
			error, kr_error_from_errno(errno), errno, "cannot open %s", dir);
	}
	r = files_read(ret_cluster->dir, FILE_NAME, bytes, sizeof(bytes), error);
	if (r == -KR_E_NOENT)
		return CLUSTER_NONE;
	return r < 0 ? r : config_parse(bytes, &ret_cluster->config, error);
}

/* ---- a new directory ---- */

/* What may lie in a directory that is taken for empty. */
static bool is_ignored(const char *name)
{
	static const char *const names[] = {".", "..", "lost+found", LOCK_NAME, FILE_NAME ".new"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static int directory_check_empty(const char *path, struct kr_error_text *error)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	int r = 0;
	if (directory == NULL)
		return kr_error_text_set(
			error, kr_error_from_errno(errno), errno, "cannot open %s", path);
	while (r == 0 && (entry = readdir(directory)) != NULL)
		if (!is_ignored(entry->d_name))
			r = kr_error_text_set(error, -KR_E_EXISTS, 0,
				"%s is not empty (%s) and has no " FILE_NAME
				"; give an empty directory or the name of a new one",
				path, entry->d_name);
	closedir(directory);
	return r;
}

int cluster_prepare(const char *dir, struct cluster *cluster, struct kr_error_text *error)
{
	int r = files_directory_make(dir, error);
	if (r < 0)
		return r;
	if (realpath(dir, cluster->dir) == NULL)
		return kr_error_text_set(
			error, kr_error_from_errno(errno), errno, "cannot open %s", dir);
	kr_assert(cluster->dir[0] == '/');
	return directory_check_empty(cluster->dir, error);
}

int cluster_lock(const struct cluster *cluster, int *ret_fd, struct kr_error_text *error)
{
	char path[FILES_PATH_SIZE];
	int fd;
	if (!files_join(cluster->dir, LOCK_NAME, path, sizeof(path)))
		return kr_error_text_set(error, -KR_E_INVALID, 0, "the path is too long");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		return kr_error_text_set(
			error, kr_error_from_errno(errno), errno, "cannot open %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		int number = errno;
		close(fd);
		if (number == EWOULDBLOCK)
			return kr_error_text_set(error, -KR_E_BUSY, 0,
				"another keyrack starts or stops the cluster of %s right now",
				cluster->dir);
		return kr_error_text_set(
			error, kr_error_from_errno(number), number, "cannot lock %s", path);
	}
	*ret_fd = fd;
	return 0;
}

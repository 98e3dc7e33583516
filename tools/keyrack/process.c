#include "tools/keyrack/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/keyrack/value.h"

#define CMDLINE_SIZE 16384u
#define PID_TEXT_SIZE 32u
#define SOCKET_PATH_MAX 107u /* of sun_path, without its zero */

static const char *program_name(enum process_role role)
{
	return role == PROCESS_ROUTER ? "keyrack-router" : "keyrack-shard";
}

void process_stem(struct process process, char ret_stem[static PROCESS_NAME_SIZE])
{
	if (process.role == PROCESS_ROUTER)
		(void)snprintf(ret_stem, PROCESS_NAME_SIZE, "router");
	else
		(void)snprintf(ret_stem, PROCESS_NAME_SIZE, "shard-%u", process.index);
}

void process_title(struct process process, char ret_title[static PROCESS_NAME_SIZE])
{
	if (process.role == PROCESS_ROUTER)
		(void)snprintf(ret_title, PROCESS_NAME_SIZE, "router");
	else
		(void)snprintf(ret_title, PROCESS_NAME_SIZE, "shard %u", process.index);
}

void process_path(const struct cluster *cluster, struct process process, const char *ending,
	char ret_path[static FILES_PATH_SIZE])
{
	char name[PROCESS_NAME_SIZE];
	int length;
	process_stem(process, name);
	length = snprintf(ret_path, FILES_PATH_SIZE, "%s/%s%s", cluster->dir, name, ending);
	/* realpath() leaves no path so long that this could matter. */
	kr_assert(length > 0 && length < FILES_PATH_SIZE);
}

void process_socket(
	const struct cluster *cluster, uint32_t shard, char ret_address[static FILES_PATH_SIZE])
{
	char path[FILES_PATH_SIZE];
	struct process process = {.role = PROCESS_SHARD, .index = shard};
	process_path(cluster, process, ".sock", path);
	/* All processes have the directory as their working directory. */
	if (strlen(path) > SOCKET_PATH_MAX)
		(void)snprintf(ret_address, FILES_PATH_SIZE, "unix:shard-%u.sock", shard);
	else if (snprintf(ret_address, FILES_PATH_SIZE, "unix:%s", path) >= FILES_PATH_SIZE)
		kr_unreachable();
}

uint32_t process_count(const struct cluster *cluster)
{
	kr_assert(cluster->config.shards > 0);
	return cluster->config.shards + !cluster->config.embeds_router;
}

struct process process_at(const struct cluster *cluster, uint32_t number)
{
	kr_assert(number < process_count(cluster));
	if (number == cluster->config.shards)
		return (struct process){.role = PROCESS_ROUTER};
	return (struct process){.role = PROCESS_SHARD, .index = number};
}

/* ---- identity ---- */

/* Does the command line, words ending in zeroes, have `option` followed by `value`? */
static bool words_have(const char *words, size_t size, const char *option, const char *value)
{
	const char *end = words + size;
	while (words < end) {
		const char *next = words + strnlen(words, (size_t)(end - words)) + 1;
		if (next < end && strcmp(words, option) == 0 && strcmp(next, value) == 0)
			return true;
		words = next;
	}
	return false;
}

static bool program_is(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	return strcmp(slash != NULL ? slash + 1 : path, name) == 0;
}

/* Zombies and kernel threads have an empty command line and so are nobody's. */
static bool process_is_at(const struct cluster *cluster, struct process process, pid_t pid)
{
	char directory[PID_TEXT_SIZE];
	char pid_path[FILES_PATH_SIZE];
	static char words[CMDLINE_SIZE];
	ssize_t size;
	char path[64];
	int fd;
	(void)snprintf(directory, sizeof(directory), "/proc/%d", (int)pid);
	(void)snprintf(path, sizeof(path), "%s/cmdline", directory);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	size = read(fd, words, sizeof(words) - 1);
	close(fd);
	if (size <= 0)
		return false;
	kr_assert((size_t)size < sizeof(words));
	words[size] = '\0';
	process_path(cluster, process, ".pid", pid_path);
	return program_is(words, program_name(process.role)) &&
	       words_have(words, (size_t)size, "--pid-file", pid_path);
}

static int pidfd_of(pid_t pid)
{
	/* glibc of Debian 12 has pidfd_open(), older ones only the number. */
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* The process at `pid` with a descriptor of its own, if it is ours. 0, PROCESS_NONE or an error. */
static int process_take(const struct cluster *cluster, struct process process, pid_t pid,
	int *ret_pidfd, struct kr_error_text *error)
{
	int pidfd = pidfd_of(pid);
	if (pidfd < 0 && (errno == ESRCH || errno == EINVAL))
		return PROCESS_NONE;
	if (pidfd < 0)
		return kr_error_text_set(error, kr_error_from_errno(errno), errno,
			"cannot look at process %d", (int)pid);
	/* Looked at after it was taken: the number cannot have gone to somebody else between. */
	if (process_is_at(cluster, process, pid)) {
		*ret_pidfd = pidfd;
		return 0;
	}
	close(pidfd);
	return PROCESS_NONE;
}

static bool pid_parse(const char *text, pid_t *ret_pid)
{
	struct kr_error_text error;
	char digits[PID_TEXT_SIZE];
	uint64_t number;
	size_t length = strcspn(text, "\n");
	if (length >= sizeof(digits))
		return false;
	memcpy(digits, text, length);
	digits[length] = '\0';
	kr_error_text_clear(&error);
	if (value_u64(digits, (struct value_range){1, INT32_MAX}, &number, &error) < 0)
		return false;
	*ret_pid = (pid_t)number;
	return true;
}

/* What the pid file says, if it says anything; whatever it is, it is only a hint. */
static bool pid_file_read(const struct cluster *cluster, struct process process, pid_t *ret_pid)
{
	struct kr_error_text error;
	char name[PROCESS_NAME_SIZE + 4];
	char stem[PROCESS_NAME_SIZE];
	char text[PID_TEXT_SIZE];
	kr_error_text_clear(&error);
	process_stem(process, stem);
	(void)snprintf(name, sizeof(name), "%s.pid", stem);
	return files_read(cluster->dir, name, text, sizeof(text), &error) == 0 &&
	       pid_parse(text, ret_pid);
}

/* All processes of the system, for the case that the pid file was lost. */
static int process_search(const struct cluster *cluster, struct process process, pid_t *ret_pid,
	int *ret_pidfd, struct kr_error_text *error)
{
	DIR *directory = opendir("/proc");
	const struct dirent *entry;
	int r = PROCESS_NONE;
	if (directory == NULL)
		return kr_error_text_set(
			error, kr_error_from_errno(errno), errno, "cannot read /proc");
	while (r == PROCESS_NONE && (entry = readdir(directory)) != NULL) {
		pid_t pid;
		if (!pid_parse(entry->d_name, &pid) || !process_is_at(cluster, process, pid))
			continue;
		r = process_take(cluster, process, pid, ret_pidfd, error);
		*ret_pid = pid;
	}
	closedir(directory);
	return r;
}

int process_find(const struct cluster *cluster, struct process process, pid_t *ret_pid,
	int *ret_pidfd, struct kr_error_text *error)
{
	pid_t pid;
	int r = PROCESS_NONE;
	kr_assert(cluster->dir[0] == '/');
	if (pid_file_read(cluster, process, &pid)) {
		r = process_take(cluster, process, pid, ret_pidfd, error);
		*ret_pid = pid;
	}
	return r != PROCESS_NONE ? r : process_search(cluster, process, ret_pid, ret_pidfd, error);
}

/* ---- programs ---- */

static bool program_in(const char *directory, size_t length, const char *rest, const char *name,
	char ret_path[static FILES_PATH_SIZE])
{
	int written = snprintf(
		ret_path, FILES_PATH_SIZE, "%.*s/%s%s", (int)length, directory, rest, name);
	return written > 0 && written < FILES_PATH_SIZE && access(ret_path, X_OK) == 0;
}

static bool program_in_path(const char *name, char ret_path[static FILES_PATH_SIZE])
{
	const char *at = getenv("PATH");
	while (at != NULL && *at != '\0') {
		size_t length = strcspn(at, ":");
		if (length > 0 && program_in(at, length, "", name, ret_path))
			return true;
		at += length + (at[length] == ':');
	}
	return false;
}

int process_tool(const char *name, const char *in_build, char ret_path[static FILES_PATH_SIZE],
	struct kr_error_text *error)
{
	char own[FILES_PATH_SIZE];
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);
	if (length > 0) {
		own[length] = '\0';
		length = strrchr(own, '/') - own;
		kr_assert(length >= 0);
		if (program_in(own, (size_t)length, "", name, ret_path) ||
			program_in(own, (size_t)length, in_build, name, ret_path))
			return 0;
	}
	if (program_in_path(name, ret_path))
		return 0;
	return kr_error_text_set(
		error, -KR_E_NOENT, 0, "%s is neither beside this program nor in PATH", name);
}

int process_program(
	enum process_role role, char ret_path[static FILES_PATH_SIZE], struct kr_error_text *error)
{
	const char *in_build = role == PROCESS_ROUTER ? "../../router/" : "../../engine/server/";
	kr_assert(role == PROCESS_ROUTER || role == PROCESS_SHARD);
	return process_tool(program_name(role), in_build, ret_path, error);
}

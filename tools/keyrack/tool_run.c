#include "tools/keyrack/tool_run.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/keyrack/process.h"

#define STATUS_USAGE 2
#define STATUS_OUT_OF_REACH 50
#define HELD_FD 3

extern char **environ;

/* Output to the pipe, the held descriptor at 3, nothing else open. */
static int actions_fill(posix_spawn_file_actions_t *actions, int output, int fd)
{
	int r = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
	kr_assert(output > HELD_FD && fd > HELD_FD);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(actions, output, 1);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(actions, fd, HELD_FD);
	if (r == 0)
		r = posix_spawn_file_actions_addclosefrom_np(actions, HELD_FD + 1);
	return r;
}

static int tool_spawn(char *const *words, int output, int fd, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);
	kr_assert(words[0] != NULL);
	if (r != 0)
		return r;
	r = actions_fill(&actions, output, fd);
	if (r == 0)
		r = posix_spawn(ret_pid, words[0], &actions, NULL, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

/* All of it, up to the limit; the caller frees. */
static char *output_read(int fd)
{
	char *bytes = malloc(TOOL_OUTPUT_MAX + 1);
	size_t length = 0;
	ssize_t got = 1;
	kr_assert(bytes != NULL);
	while (got > 0 && length < TOOL_OUTPUT_MAX) {
		got = read(fd, bytes + length, TOOL_OUTPUT_MAX - length);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			length += (size_t)got;
	}
	bytes[length] = '\0';
	return bytes;
}

static int exit_code(const struct cli *cli, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return CLI_DONE;
	if (WIFSIGNALED(status))
		cli_say(cli, "keyrack-recover was ended by signal %d", WTERMSIG(status));
	kr_assert(!WIFSTOPPED(status));
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_USAGE)
		return CLI_USAGE;
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_OUT_OF_REACH)
		return CLI_REFUSED;
	return CLI_UNREACHABLE;
}

static int output_parse(const struct cli *cli, const char *bytes, int code, json_t **ret_object)
{
	*ret_object = NULL;
	if (code != CLI_DONE)
		return code;
	*ret_object = json_loads(bytes, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(*ret_object))
		return CLI_DONE;
	json_decref(*ret_object);
	*ret_object = NULL;
	cli_say(cli, "keyrack-recover says nothing that can be read; is it of another version?");
	return CLI_UNREACHABLE;
}

/* A pipe whose ends are out of the way of the child's own descriptors. */
static bool pipe_make(int ret_ends[2])
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	for (int i = 0; i < 2; i++) {
		ret_ends[i] = fcntl(ends[i], F_DUPFD_CLOEXEC, HELD_FD + 1);
		close(ends[i]);
	}
	kr_assert(ret_ends[0] != ret_ends[1] || ret_ends[0] < 0);
	return ret_ends[0] >= 0 && ret_ends[1] >= 0;
}

int tool_run(const struct cli *cli, const char *const *words, int fd, json_t **ret_object)
{
	char path[FILES_PATH_SIZE];
	const char *list[TOOL_WORDS_MAX + 2] = {path};
	struct kr_error_text error;
	int ends[2], status = 0, held;
	pid_t pid;
	if (process_tool("keyrack-recover", "../", path, &error) < 0) {
		cli_say(cli, "%s", error.bytes);
		return CLI_UNREACHABLE;
	}
	for (uint32_t i = 0; words[i] != NULL; i++) {
		kr_assert(i < TOOL_WORDS_MAX);
		list[i + 1] = words[i];
	}
	held = fcntl(fd, F_DUPFD_CLOEXEC, HELD_FD + 1);
	if (held < 0 || !pipe_make(ends)) {
		cli_say(cli, "cannot start keyrack-recover: %s", strerror(errno));
		return CLI_UNREACHABLE;
	}
	int r = tool_spawn((char *const *)(uintptr_t)list, ends[1], held, &pid);
	close(held);
	close(ends[1]);
	if (r != 0) {
		close(ends[0]);
		cli_say(cli, "cannot start %s: %s", path, strerror(r));
		return CLI_UNREACHABLE;
	}
	char *bytes = output_read(ends[0]);
	close(ends[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	r = output_parse(cli, bytes, exit_code(cli, status), ret_object);
	free(bytes);
	return r;
}

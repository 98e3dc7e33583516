#include "tools/keyrack/ready.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TICK_NS 10000000L
#define PATIENCE_US UINT64_C(3000000) /* without news so long: say for whom we wait */
#define LINES_TOLD_MAX 100u
#define SECOND_US UINT64_C(1000000)

static uint64_t now_us(void)
{
	struct timespec now;
	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		kr_unreachable();
	return (uint64_t)now.tv_sec * SECOND_US + (uint64_t)now.tv_nsec / 1000;
}

void ready_init(
	struct ready *ready, const struct cluster *cluster, uint64_t timeout_us, bool is_quiet)
{
	memset(ready, 0, sizeof(*ready));
	kr_assert(timeout_us > 0);
	ready->cluster = cluster;
	ready->is_quiet = is_quiet;
	ready->timeout_us = timeout_us;
	ready->started_us = now_us();
}

void ready_forget(struct ready *ready)
{
	for (uint32_t i = 0; i < ready->count; i++)
		close(ready->list[i].log);
	ready->count = 0;
}

int ready_spawn(struct ready *ready, struct process process, struct kr_error_text *error)
{
	struct ready_one *one = &ready->list[ready->count];
	char path[FILES_PATH_SIZE];
	int r;
	kr_assert(ready->count < KR_ARRAY_COUNT(ready->list));
	memset(one, 0, sizeof(*one));
	one->process = process;
	process_path(ready->cluster, process, ".log", path);
	one->log = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0666);
	if (one->log < 0)
		return kr_error_text_set(
			error, kr_error_from_errno(errno), errno, "cannot open %s", path);
	(void)lseek(one->log, 0, SEEK_END);
	r = process_spawn(ready->cluster, process, &one->pid, error);
	if (r < 0) {
		close(one->log);
		return r;
	}
	ready->count++;
	ready->spawned++;
	return 0;
}

uint64_t ready_left_us(const struct ready *ready)
{
	uint64_t gone_us = now_us() - ready->started_us;
	kr_assert(ready->timeout_us > 0);
	return gone_us + SECOND_US < ready->timeout_us ? ready->timeout_us - gone_us : SECOND_US;
}

/* Not every line is of interest while things go well; the last one is when they do not. */
static bool is_quiet(const struct ready *ready, const struct ready_one *one)
{
	return ready->is_quiet || one->process.role == PROCESS_ROUTER;
}

/* A line as the programs print it: "keyrack-shard: sizes: ...", "ready". */
static void line_take(struct ready *ready, struct ready_one *one)
{
	char title[PROCESS_NAME_SIZE];
	const char *colon = strstr(one->line, ": ");
	const char *text =
		strncmp(one->line, "keyrack-", 8) == 0 && colon != NULL ? colon + 2 : one->line;
	double seconds = (double)(now_us() - ready->started_us) / 1e6;
	process_title(one->process, title);
	if (strncmp(text, "ready", 5) == 0) {
		one->is_ready = true;
		if (!ready->is_quiet)
			printf("%s: %s after %.1f s (process %d)\n", title, text, seconds,
				(int)one->pid);
	} else if (!is_quiet(ready, one) && one->lines++ < LINES_TOLD_MAX && text[0] != '\0') {
		printf("%s: %s\n", title, text);
	}
	fflush(stdout);
}

/* Reads what is new in its log. True if there was anything. */
static bool log_follow(struct ready *ready, struct ready_one *one)
{
	char bytes[4096];
	ssize_t got = read(one->log, bytes, sizeof(bytes));
	for (ssize_t i = 0; i < got; i++) {
		if (bytes[i] != '\n') {
			if (one->length + 1 < sizeof(one->line))
				one->line[one->length++] = bytes[i];
			continue;
		}
		one->line[one->length] = '\0';
		line_take(ready, one);
		one->length = 0;
	}
	kr_assert(one->length < sizeof(one->line));
	return got > 0;
}

static bool one_ended(struct ready_one *one, int *ret_status)
{
	pid_t pid = waitpid(one->pid, ret_status, WNOHANG);
	kr_assert(one->pid > 0);
	if (pid != one->pid)
		return false;
	one->has_ended = true;
	return true;
}

static void end_say(
	const struct cli *cli, const struct ready *ready, struct ready_one *one, int status)
{
	char title[PROCESS_NAME_SIZE];
	char path[FILES_PATH_SIZE];
	process_title(one->process, title);
	process_path(ready->cluster, one->process, ".log", path);
	if (WIFSIGNALED(status))
		cli_say(cli, "%s was ended by signal %d before it served; its log is %s", title,
			WTERMSIG(status), path);
	else
		cli_say(cli, "%s did not start (status %d); its log is %s", title,
			WEXITSTATUS(status), path);
	if (is_quiet(ready, one))
		cli_say(cli, "its last words: %s", one->line);
	cli_say(cli,
		"the rest of the cluster runs; go on with `keyrack cluster start --dir %s`, or "
		"first "
		"`keyrack cluster stop --dir %s` to start it with another --listen ADDR",
		ready->cluster->dir, ready->cluster->dir);
}

/* One look at all of them. CLI_DONE once all serve, -1 to go on, or the exit code. */
static int ready_look(const struct cli *cli, struct ready *ready, bool *ret_news)
{
	uint32_t waiting = 0;
	*ret_news = false;
	for (uint32_t i = 0; i < ready->count; i++) {
		struct ready_one *one = &ready->list[i];
		int status;
		bool ended = one_ended(one, &status);
		while (log_follow(ready, one))
			*ret_news = true;
		if (ended) {
			end_say(cli, ready, one, status);
			return CLI_REFUSED;
		}
		waiting += !one->is_ready;
	}
	return waiting == 0 ? CLI_DONE : -1;
}

static void waiting_say(const struct cli *cli, const struct ready *ready, const char *what)
{
	for (uint32_t i = 0; i < ready->count; i++) {
		char title[PROCESS_NAME_SIZE];
		char path[FILES_PATH_SIZE];
		if (ready->list[i].is_ready)
			continue;
		process_title(ready->list[i].process, title);
		process_path(ready->cluster, ready->list[i].process, ".log", path);
		cli_say(cli, "%s %s after %.0f s; its log is %s", title, what,
			(double)(now_us() - ready->started_us) / 1e6, path);
	}
}

int ready_wait(const struct cli *cli, struct ready *ready)
{
	const struct timespec tick = {.tv_nsec = TICK_NS};
	uint64_t news_us = now_us();
	for (;;) {
		bool has_news;
		int code = ready_look(cli, ready, &has_news);
		uint64_t now = now_us();
		if (code >= 0)
			return code;
		if (now - ready->started_us > ready->timeout_us) {
			waiting_say(cli, ready, "does not serve yet");
			return CLI_UNREACHABLE;
		}
		if (has_news)
			news_us = now;
		if (now - news_us > PATIENCE_US) {
			waiting_say(cli, ready, "is still starting");
			news_us = now;
		}
		(void)nanosleep(&tick, NULL);
	}
}

/* keyrack cluster stop */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tools/keyrack/cluster_status.h"
#include "tools/keyrack/commands.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/value.h"

#define STOP_TIMEOUT_US UINT64_C(120000000)
#define KILL_TIMEOUT_US UINT64_C(30000000)

enum stop_key {
	STOP_DIR = 'd',
	STOP_TIMEOUT = CLI_KEY_OWN,
	STOP_KILL,
};

static const struct argp_option stop_options[] = {
	{"dir", STOP_DIR, "DIR", 0, "where the cluster lives", 0},
	{"timeout", STOP_TIMEOUT, "TIME", 0, "how long to wait for them (120s)", 0},
	{"kill", STOP_KILL, NULL, 0, "then kill those that still run: nothing acknowledged is lost",
		0},
	{0},
};

struct stop {
	const char *dir;
	uint64_t timeout_us;
	bool kill;
	struct cluster cluster;
	uint32_t stopped;
	uint32_t killed;
	uint32_t left;
};

static int stop_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct stop *stop = options;
	switch ((enum stop_key)key) {
	case STOP_DIR:
		stop->dir = arg;
		return 0;
	case STOP_TIMEOUT:
		return value_duration(arg, &stop->timeout_us, error);
	case STOP_KILL:
		stop->kill = true;
		return 0;
	}
	kr_unreachable();
}

static uint64_t now_us(void)
{
	struct timespec now;
	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		kr_unreachable();
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* A pidfd is readable once its process has ended. False: it did not in time. */
static bool end_wait(int pidfd, uint64_t timeout_us)
{
	uint64_t until = now_us() + timeout_us;
	for (;;) {
		struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
		uint64_t now = now_us();
		int ms = now < until ? (int)KR_MIN((until - now + 999) / 1000, UINT64_C(1000)) : 0;
		int ready = poll(&poll_fd, 1, ms);
		if (ready > 0)
			return true;
		if (ready < 0 && errno != EINTR)
			return false;
		if (now >= until)
			return false;
	}
}

static bool signal_send(const struct cli *cli, const char *title, int pidfd, int number)
{
	/* To the process the descriptor was taken of, and to no later one of the same number. */
	if (syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0) == 0 || errno == ESRCH)
		return true;
	cli_say(cli, "cannot signal %s: %s", title, strerror(errno));
	return false;
}

static void told(const struct cli *cli, const char *title, const char *what, uint64_t since_us)
{
	if (!cli->json)
		printf("%s: %s after %.1f s\n", title, what, (double)(now_us() - since_us) / 1e6);
	fflush(stdout);
}

/* Waits for one that was told to stop; kills it if that was asked for. */
static void end_one(const struct cli *cli, struct stop *stop, struct process process, int pidfd,
	uint64_t since_us)
{
	char title[PROCESS_NAME_SIZE];
	char path[FILES_PATH_SIZE];
	uint64_t gone_us = now_us() - since_us;
	process_title(process, title);
	if (end_wait(pidfd, stop->timeout_us > gone_us ? stop->timeout_us - gone_us : 0)) {
		told(cli, title, "stopped", since_us);
		stop->stopped++;
		return;
	}
	if (stop->kill && signal_send(cli, title, pidfd, SIGKILL) &&
		end_wait(pidfd, KILL_TIMEOUT_US)) {
		told(cli, title, "killed", since_us);
		stop->killed++;
		return;
	}
	process_path(&stop->cluster, process, ".log", path);
	cli_say(cli, "%s still runs; see %s, wait, or use --kill", title, path);
	stop->left++;
}

/* Tells the processes [first, end) to stop, and waits for all of them. */
static void end_some(const struct cli *cli, struct stop *stop, uint32_t first, uint32_t end)
{
	int pidfds[CLUSTER_SHARDS_MAX + 1];
	uint64_t since_us = now_us();
	kr_assert(end <= KR_ARRAY_COUNT(pidfds));
	for (uint32_t i = first; i < end; i++) {
		struct process process = process_at(&stop->cluster, i);
		char title[PROCESS_NAME_SIZE];
		struct kr_error_text error;
		pid_t pid;
		int r;
		kr_error_text_clear(&error);
		process_title(process, title);
		r = process_find(&stop->cluster, process, &pid, &pidfds[i], &error);
		if (r == 0 && signal_send(cli, title, pidfds[i], SIGTERM))
			continue;
		if (r == 0)
			close(pidfds[i]);
		if (r < 0)
			cli_say(cli, "%s: %s", title, error.bytes);
		if (r != PROCESS_NONE)
			stop->left++;
		pidfds[i] = -1;
	}
	for (uint32_t i = first; i < end; i++) {
		if (pidfds[i] < 0)
			continue;
		end_one(cli, stop, process_at(&stop->cluster, i), pidfds[i], since_us);
		close(pidfds[i]);
	}
}

static int stop_print(const struct cli *cli, const struct stop *stop)
{
	if (cli->json) {
		json_t *root = js_object();
		js_text(root, "dir", stop->cluster.dir);
		js_count(root, "stopped", stop->stopped);
		js_count(root, "killed", stop->killed);
		js_count(root, "left", stop->left);
		js_print(root);
	} else if (stop->stopped + stop->killed + stop->left == 0) {
		puts("nothing was running");
	}
	return stop->left == 0 ? CLI_DONE : CLI_UNREACHABLE;
}

int cluster_stop_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = stop_options,
		.option = stop_option,
		.doc = "Stops a local cluster: first the router, which answers what it forwarded, "
		       "then the shards, which answer what they judged and write a snapshot.",
		.is_local = true,
	};
	static struct stop stop = {.timeout_us = STOP_TIMEOUT_US};
	const char *args[CLI_ARGS_MAX];
	struct kr_error_text error;
	uint32_t shards;
	bool embeds;
	int lock;
	int code;
	cli_words(cli, &spec, argc, argv, &stop, args);
	code = cluster_status_open(cli, stop.dir, &stop.cluster);
	if (code != CLI_DONE)
		return code;
	kr_error_text_clear(&error);
	if (cluster_lock(&stop.cluster, &lock, &error) < 0) {
		cli_say(cli, "%s", error.bytes);
		return CLI_REFUSED;
	}
	shards = stop.cluster.config.shards;
	embeds = stop.cluster.config.embeds_router;
	if (!embeds)
		end_some(cli, &stop, shards, shards + 1);
	/* What a router inside shard 0 forwarded the others still answer. */
	end_some(cli, &stop, 0, embeds ? 1 : shards);
	if (embeds)
		end_some(cli, &stop, 1, shards);
	close(lock);
	return stop_print(cli, &stop);
}

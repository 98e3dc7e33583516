#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/tz_load.h"
#include "engine/server/options.h"

/*
 * keyrack-shard: reads its options, makes a loop, runs the server on it. All that it says goes to
 * standard error, a line at a time.
 */

#define EXIT_SYSTEM 3
#define EXIT_CLOCK 4
#define EXIT_TOO_SMALL 5

struct process {
	struct option_set set;
	struct shard_options options;
	struct io_loop *loop;
	struct server *server;
	int status;
};

static void say(const char *sentence)
{
	fprintf(stderr, "keyrack-shard: %s\n", sentence);
}

static void on_note(void *context, const char *sentence)
{
	kr_assert(context != NULL);
	say(sentence);
}

static void on_ready(void *context)
{
	static const char line[] = "ready\n";
	struct process *process = context;
	int fd = (int)process->options.ready_fd;
	kr_assert(process->server != NULL);
	fputs(line, stderr);
	if (fd > 0) {
		if (write(fd, line, sizeof(line) - 1) < 0)
			say("nobody reads the descriptor of --ready-fd");
		close(fd);
		process->options.ready_fd = 0;
	}
}

static int end_status(const struct server *server, int end)
{
	switch (end) {
	case SERVER_STOPPED:
		return 0;
	case SERVER_REFUSED:
		return (int)log_verdict_exit_code(server_report(server)->verdict);
	case SERVER_IN_USE:
		return (int)log_verdict_exit_code(LOG_VERDICT_IN_USE);
	case SERVER_CLOCK_BEHIND:
	case SERVER_CLOCK_AHEAD:
		return EXIT_CLOCK;
	case SERVER_TOO_SMALL:
		return EXIT_TOO_SMALL;
	default:
		kr_assert(end < 0);
		return EXIT_SYSTEM;
	}
}

static void say_end(const struct server *server, int end, const struct kr_error_text *text)
{
	char bytes[LOG_RECOVER_TEXT_SIZE];
	struct kr_text line;
	kr_text_init(&line, bytes, sizeof(bytes));
	if (end == SERVER_REFUSED)
		log_recover_describe(server_report(server), &line);
	else if (end == SERVER_IN_USE)
		kr_text_format(&line, "REFUSE IN_USE: %s\n  next: %s\n", text->bytes,
			log_verdict_next(LOG_VERDICT_IN_USE));
	else if (end == SERVER_CLOCK_BEHIND)
		kr_text_put_string(&line, "the clock is over an hour behind the log: set it, or "
					  "start with --allow-clock-jump");
	else if (end == SERVER_CLOCK_AHEAD)
		kr_text_put_string(&line, "the clock is over seven days ahead of the log: holds "
					  "would expire and days "
					  "roll; set it, or start with --allow-clock-jump");
	else if (end != SERVER_STOPPED)
		kr_text_format(&line, "%s (%s)", text->bytes[0] != 0 ? text->bytes : "failed",
			end < 0 ? kr_error_sentence(end) : "not started");
	kr_assert(line.length < sizeof(bytes));
	if (line.length > 0)
		say(bytes);
}

static void on_end(void *context, int end, const struct kr_error_text *text)
{
	struct process *process = context;
	kr_assert(process->server != NULL);
	process->status = end_status(process->server, end);
	say_end(process->server, end, text);
	io_loop_stop(process->loop);
}

static void reload(struct process *process)
{
	say("reading the configuration again");
	kr_assert(process->server != NULL);
	if (!options_reload(&process->set, on_note, process))
		return;
	server_retune(process->server, &process->options.server);
	io_loop_set_spin(process->loop, process->options.spin_us);
}

static void on_signal(struct io_loop *loop, int number, void *context)
{
	struct process *process = context;
	kr_assert(loop == process->loop && number > 0);
	if (number == SIGHUP)
		reload(process);
	else
		server_stop(process->server);
}

static int fail(int error, const struct kr_error_text *text)
{
	kr_assert(error < 0);
	fprintf(stderr, "keyrack-shard: %s (%s)\n", text->bytes, kr_error_sentence(error));
	return error == -KR_E_TMPFS ? OPTIONS_EXIT_USAGE : EXIT_SYSTEM;
}

static int run_server(struct process *process)
{
	struct kr_error_text text = {0};
	struct io_config config;
	io_config_default(&config);
	config.spin_us = process->options.spin_us;
	int r = io_loop_new(&config, &process->loop, &text);
	if (r < 0)
		return fail(r, &text);
	r = io_signal_watch(process->loop, on_signal, process, &text);
	if (r == 0)
		r = server_start(process->server, process->loop, &process->options.server, &text);
	if (r < 0)
		return fail(r, &text);
	r = io_loop_run(process->loop);
	if (r < 0) {
		fprintf(stderr, "keyrack-shard: the loop failed (%s)\n", kr_error_sentence(r));
		return EXIT_SYSTEM;
	}
	kr_assert(process->server->life == SERVER_ENDED);
	server_fini(process->server);
	io_loop_free(process->loop);
	return process->status;
}

static int write_pid(const char *path)
{
	FILE *file = fopen(path, "we");
	if (file == NULL) {
		fprintf(stderr, "keyrack-shard: the pid file %s cannot be written\n", path);
		return EXIT_SYSTEM;
	}
	fprintf(file, "%ld\n", (long)getpid());
	return fclose(file) == 0 ? 0 : EXIT_SYSTEM;
}

static int run(struct process *process)
{
	struct tz_db tz;
	char bytes[512];
	struct kr_text line;
	int r = tz_load(TZ_FOLDER, &tz);
	if (r < 0) {
		say("time zones cannot be read from " TZ_FOLDER ": install the package tzdata");
		return EXIT_SYSTEM;
	}
	struct server_config *config = &process->options.server;
	config->tz = &tz;
	config->conn_room_count = CONN_MAX;
	config->handler = (struct server_handler){
		.context = process, .on_ready = on_ready, .on_note = on_note, .on_end = on_end};
	kr_text_init(&line, bytes, sizeof(bytes));
	shard_options_describe(&process->options, &line);
	say(bytes);
	r = process->options.pid_file != NULL ? write_pid(process->options.pid_file) : 0;
	if (r == 0)
		r = run_server(process);
	if (process->options.pid_file != NULL)
		unlink(process->options.pid_file);
	tz_free(&tz);
	return r;
}

int main(int argc, char **argv)
{
	static struct process process;
	shard_options_start(&process.set, argc, argv, &process.options);
	process.server = calloc(1, sizeof(*process.server));
	if (process.server == NULL)
		return EXIT_SYSTEM;
	int status = run(&process);
	free(process.server);
	return status;
}

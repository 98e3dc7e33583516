#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/journal.h"
#include "base/service.h"
#include "base/text.h"
#include "base/tz_load.h"
#include "engine/server/options.h"
#include "router/serve.h"

/*
 * keyrack-shard: reads its options, makes a loop, runs the server on it. All that it says goes to
 * the journal or to standard error.
 */

#define PATIENCE_US 120000000u /* asked of the manager with every sign of progress */
#define DESCRIPTORS_OWN 256u
#define EXIT_SYSTEM 3
#define EXIT_CLOCK 4
#define EXIT_TOO_SMALL 5

struct process {
	struct option_set set;
	struct shard_options options;
	/* Of the options, as far as the system allows. */
	struct server_config server_config;
	struct router_config router_config; /* meant where its listen_count is not 0 */
	struct io_loop *loop;
	struct server *server;
	struct router *router; /* inside, for clients without a router process; NULL: none */
	bool is_ready, is_stopping;
	int status;
};

static struct journal journal;

static void say_misconfigured(const char *sentence)
{
	journal_say(&journal, KR_EVENT_MISCONFIGURED, sentence);
}

static void say_reloaded(void *context, const char *sentence)
{
	kr_assert(context != NULL);
	journal_say(&journal, KR_EVENT_RELOAD, sentence);
}

/* With how far the log is on disk. */
static void say(const struct process *process, enum kr_event event, const char *sentence)
{
	const struct kr_note note = {
		.event = event, .sentence = sentence, .lsn = process->server->durable_lsn};
	kr_assert((unsigned)event < KR_EVENT_COUNT);
	journal_tell(&journal, &note);
}

/* The line that `systemctl status` shows. A manager that is gone changes nothing here. */
static void tell_status(const char *status)
{
	int r = service_notify("STATUS=%.*s", (int)strcspn(status, "\n"), status);
	kr_assert(r <= 0);
}

static void on_note(void *context, const struct kr_note *note)
{
	const struct process *process = context;
	kr_assert(process != NULL);
	journal_tell(&journal, note);
	if (!process->is_ready)
		tell_status(note->sentence);
}

/* A start that gets on may take longer than the manager would wait for it. */
static void on_progress(void *context, bool is_snapshot, uint64_t number)
{
	kr_assert(context != NULL);
	int r = service_notify("EXTEND_TIMEOUT_USEC=%u\nSTATUS=recovering: %s %llu", PATIENCE_US,
		is_snapshot ? "snapshot, chunk" : "replayed up to effect",
		(unsigned long long)number);
	kr_assert(r <= 0);
}

static void tell_ready(const struct process *process)
{
	int r = service_notify("READY=1\nSTATUS=serving as shard %u of %u",
		process->options.server.shard.shard_index,
		process->options.server.shard.shard_count);
	if (r < 0)
		say(process, KR_EVENT_UNTOLD,
			"the service manager cannot be told on $NOTIFY_SOCKET that this serves");
}

static void on_ready(void *context)
{
	struct process *process = context;
	char address[IO_ADDRESS_TEXT_SIZE], line[IO_ADDRESS_TEXT_SIZE + 16];
	struct kr_text text;
	uint32_t fd = process->options.ready_fd;
	kr_assert(process->server != NULL && !process->is_ready);
	/* Told to stop while it recovered, with the router still saying goodbye: see turn(). */
	if (process->is_stopping)
		return;
	process->is_ready = true;
	if (process->router != NULL)
		router_shard_serves(process->router, process->options.server.shard.shard_index);
	kr_text_init(&text, line, sizeof(line));
	kr_text_put_string(&text, "ready");
	if (process->router != NULL) {
		io_address_format(router_listen_address(process->router, 0), address);
		kr_text_format(&text, " on %s", address);
	}
	/* The line is promised to whoever starts a shard by hand. */
	if (journal.is_on)
		say(process, KR_EVENT_READY, line);
	else
		fprintf(stderr, "%s\n", line);
	if (fd > 0 && service_ready_write((int)fd, line) < 0)
		say(process, KR_EVENT_UNTOLD, "nobody reads the descriptor of --ready-fd");
	tell_ready(process);
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

static const char *end_code(const struct server *server, int end)
{
	switch (end) {
	case SERVER_STOPPED:
		return NULL;
	case SERVER_REFUSED:
		return log_verdict_name(server_report(server)->verdict);
	case SERVER_IN_USE:
		return log_verdict_name(LOG_VERDICT_IN_USE);
	case SERVER_CLOCK_BEHIND:
		return "CLOCK_BEHIND";
	case SERVER_CLOCK_AHEAD:
		return "CLOCK_AHEAD";
	case SERVER_TOO_SMALL:
		return "TOO_SMALL";
	default:
		kr_assert(end < 0);
		return kr_error_name(end);
	}
}

static void say_end(const struct server *server, int end, const struct kr_error_text *text)
{
	char bytes[LOG_RECOVER_TEXT_SIZE];
	bool is_refused = end == SERVER_REFUSED || end == SERVER_IN_USE;
	const struct kr_note note = {.event = is_refused ? KR_EVENT_REFUSED : KR_EVENT_FAILED,
		.sentence = bytes,
		.code = end_code(server, end),
		.lsn = server->durable_lsn};
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
	if (line.length > 0) {
		journal_tell(&journal, &note);
		tell_status(bytes);
	} else if (journal.is_on) {
		journal_tell(&journal, &(struct kr_note){.event = KR_EVENT_STOPPED,
					       .sentence = "stopped",
					       .lsn = server->durable_lsn});
	}
}

static void on_end(void *context, int end, const struct kr_error_text *text)
{
	struct process *process = context;
	kr_assert(process->server != NULL);
	process->status = end_status(process->server, end);
	say_end(process->server, end, text);
	io_loop_stop(process->loop);
}

/* What is asked for, with no more connections than there are descriptors beside those of the links
 * and of the log's files: where there are too few, shard and router have the same share of them. */
static void fit(struct process *process)
{
	char bytes[KR_ERROR_TEXT_SIZE];
	struct kr_text line;
	struct server_config *server = &process->server_config;
	struct router_config *router = &process->router_config;
	*server = process->options.server;
	*router = process->options.router.router;
	bool has_router = router->listen_count > 0;
	/* The router inside reaches the shard without a file. */
	uint32_t mine = process->options.listen.count > 0 ? server->conn_max_count : 0;
	uint32_t wanted = mine + (has_router ? router->connection_max_count : 0);
	uint32_t links = has_router ? 2 * router->shard_count : 0;
	kr_text_init(&line, bytes, sizeof(bytes));
	uint32_t count = service_connections_fit(wanted, links + DESCRIPTORS_OWN, &line);
	if (line.length == 0)
		return;
	journal_say(&journal, KR_EVENT_DESCRIPTORS, bytes);
	mine = (uint32_t)((uint64_t)count * mine / wanted);
	if (process->options.listen.count > 0)
		server->conn_max_count = KR_MAX(mine, 1u);
	router->connection_max_count = KR_MAX(count - mine, 1u);
}

static void reload(struct process *process)
{
	bool is_told = process->is_ready && !process->is_stopping;
	int r = is_told ? service_notify("RELOADING=1\nMONOTONIC_USEC=%llu",
				  (unsigned long long)service_monotonic_us())
			: 0;
	say(process, KR_EVENT_RELOAD, "reading the configuration again");
	kr_assert(process->server != NULL && r <= 0);
	bool has_changed = options_reload(&process->set, say_reloaded, process);
	bool has_tokens = shard_options_reread_tokens(&process->options, say_reloaded, process);
	if (process->router != NULL)
		has_tokens |= router_options_reread_tokens(
			&process->options.router, say_reloaded, process);
	if (has_changed || has_tokens) {
		fit(process);
		if (process->server->life != SERVER_IDLE)
			server_retune(process->server, &process->server_config);
		if (process->router != NULL)
			router_retune(process->router, &process->router_config);
		io_loop_set_spin(process->loop, process->options.spin_us);
	}
	if (has_tokens)
		say(process, KR_EVENT_RELOAD, "tokens are those of the files now");
	if (is_told)
		tell_ready(process);
}

static void stop(struct process *process)
{
	kr_assert(process->server != NULL);
	if (!process->is_stopping) {
		int r = service_notify("STOPPING=1\nSTATUS=answering what was judged, then a "
				       "snapshot");
		kr_assert(r <= 0);
		if (journal.is_on)
			say(process, KR_EVENT_STOPPING,
				"stopping: what was judged is answered, then a snapshot");
	}
	process->is_stopping = true;
	/* What clients were promised an answer to is still judged: see turn(). But nothing can be
	 * before there is a state. */
	if (process->router != NULL)
		router_stop(process->router);
	if (process->router == NULL || process->server->life == SERVER_LOCKING)
		server_stop(process->server);
}

static void on_signal(struct io_loop *loop, int number, void *context)
{
	struct process *process = context;
	kr_assert(loop == process->loop && number > 0);
	if (number == SIGHUP)
		reload(process);
	else
		stop(process);
}

static int fail(int error, const struct kr_error_text *text)
{
	char bytes[2 * KR_ERROR_TEXT_SIZE];
	struct kr_text line;
	const struct kr_note note = {
		.event = KR_EVENT_FAILED, .sentence = bytes, .code = kr_error_name(error)};
	kr_assert(error < 0);
	kr_text_init(&line, bytes, sizeof(bytes));
	kr_text_format(&line, "%s (%s)", text->bytes, kr_error_sentence(error));
	journal_tell(&journal, &note);
	return error == -KR_E_TMPFS ? OPTIONS_EXIT_USAGE : EXIT_SYSTEM;
}

/* Before the server, so that an address that cannot be had ends the start and not the service. */
static int start_router(struct process *process, struct kr_error_text *text)
{
	struct router_config *config = &process->router_config;
	if (config->listen_count == 0)
		return 0;
	kr_assert(config->shard_count > 0 && process->router == NULL);
	config->connection_room_count = ROUTER_CONNECTION_MAX;
	config->on_note = on_note;
	config->context = process;
	int r = router_new(process->loop, config, &process->router, text);
	return r < 0 ? r : router_start_patiently(process->router, process->loop, text);
}

static int start(struct process *process, struct kr_error_text *text)
{
	struct io_config config;
	fit(process);
	io_config_default(&config);
	config.spin_us = process->options.spin_us;
	/* One process less that wants the cores: there is one to spin on beside the clients'. */
	if (process->options.router.router.listen_count > 0)
		config.spin_crowd = IO_SPIN_CROWD_ANY;
	int r = io_loop_new(&config, &process->loop, text);
	if (r == 0)
		r = io_signal_watch(process->loop, on_signal, process, text);
	if (r == 0)
		r = start_router(process, text);
	if (r == 0)
		r = server_start(process->server, process->loop, &process->server_config, text);
	/* While an address was waited for. */
	if (r == 0 && process->is_stopping)
		server_stop(process->server);
	kr_assert(r <= 0);
	return r;
}

/* A turn of the loop; the router inside goes first when the process stops, and the shard, which
 * answers what that had forwarded, behind it. */
static int turn(struct process *process)
{
	int r = io_loop_tick(process->loop, IO_WAIT_FOREVER);
	kr_assert(process->server->life != SERVER_IDLE);
	if (process->router != NULL && router_is_stopped(process->router))
		server_stop(process->server);
	return r;
}

static int run_server(struct process *process)
{
	struct kr_error_text text = {0};
	int r = start(process, &text);
	if (r < 0)
		return fail(r, &text);
	while (r == 0 && !io_loop_is_stopped(process->loop))
		r = turn(process);
	if (r < 0) {
		(void)kr_error_text_set(&text, r, 0, "the loop failed");
		(void)fail(r, &text);
		return EXIT_SYSTEM;
	}
	kr_assert(process->server->life == SERVER_ENDED);
	if (process->router != NULL)
		process->router = router_end(process->router, process->loop);
	server_fini(process->server);
	io_loop_free(process->loop);
	return process->status;
}

static int run(struct process *process)
{
	struct tz_db tz;
	char bytes[512];
	struct kr_text line;
	struct kr_error_text text = {0};
	int r = tz_load(TZ_FOLDER, &tz);
	if (r < 0) {
		journal_say(&journal, KR_EVENT_FAILED,
			"time zones cannot be read from " TZ_FOLDER ": install the package tzdata");
		return EXIT_SYSTEM;
	}
	struct server_config *config = &process->options.server;
	config->tz = &tz;
	config->conn_room_count = CONN_MAX;
	config->handler = (struct server_handler){.context = process,
		.on_ready = on_ready,
		.on_note = on_note,
		.on_progress = on_progress,
		.on_end = on_end};
	kr_text_init(&line, bytes, sizeof(bytes));
	shard_options_describe(&process->options, &line);
	say(process, KR_EVENT_STARTING, bytes);
	r = process->options.pid_file != NULL ? service_pid_write(process->options.pid_file, &text)
					      : 0;
	r = r < 0 ? fail(r, &text) : run_server(process);
	if (process->options.pid_file != NULL)
		unlink(process->options.pid_file);
	tz_free(&tz);
	return r;
}

int main(int argc, char **argv)
{
	static struct process process;
	journal_open(&journal, "keyrack-shard");
	shard_options_start(&process.set, argc, argv, say_misconfigured, &process.options);
	journal.cluster = process.options.server.shard.cluster;
	journal.has_shard = true;
	journal.shard = process.options.server.shard.shard_index;
	journal.directory = process.options.server.directory;
	process.server = calloc(1, sizeof(*process.server));
	if (process.server == NULL) {
		journal_say(&journal, KR_EVENT_FAILED, "there is no memory to start");
		return EXIT_SYSTEM;
	}
	int status = run(&process);
	free(process.server);
	journal_close(&journal);
	return status;
}

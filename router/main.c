#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io/io.h"
#include "base/journal.h"
#include "base/service.h"
#include "router/options.h"
#include "router/serve.h"

#define DESCRIPTORS_OWN 64u

const char *argp_program_version = "keyrack-router " KEYRACK_VERSION;

struct process {
	struct option_set set;
	struct router_options options;
	struct router_config config; /* of the options, as far as the system allows */
	struct io_loop *loop;
	struct router *router;
	bool is_ready;
};

static struct journal journal;

static void say(enum kr_event event, const char *sentence)
{
	journal_say(&journal, event, sentence);
}

static void say_misconfigured(const char *sentence)
{
	say(KR_EVENT_MISCONFIGURED, sentence);
}

static void say_reloaded(void *context, const char *sentence)
{
	kr_assert(context != NULL);
	say(KR_EVENT_RELOAD, sentence);
}

static void on_note(void *context, const struct kr_note *note)
{
	journal_tell(&journal, note);
}

/* Why it ends; without a sentence the error's own. */
static int fail(int error, const char *sentence)
{
	const struct kr_note note = {.event = KR_EVENT_FAILED,
		.sentence = sentence[0] != 0 ? sentence : kr_error_sentence(error),
		.code = kr_error_name(error)};

	kr_assert(error < 0);
	journal_tell(&journal, &note);
	return EXIT_FAILURE;
}

/* What is asked for, with no more clients than there are descriptors beside those of the links and
 * of the process itself. */
static void fit(struct process *process)
{
	char bytes[KR_ERROR_TEXT_SIZE];
	struct kr_text line;
	struct router_config *config = &process->config;

	*config = process->options.router;
	kr_assert(config->shard_count > 0);
	kr_text_init(&line, bytes, sizeof(bytes));
	config->connection_max_count = service_connections_fit(
		config->connection_max_count, config->shard_count * 2 + DESCRIPTORS_OWN, &line);
	if (line.length > 0)
		say(KR_EVENT_DESCRIPTORS, bytes);
}

static void tell_ready(const struct process *process)
{
	char address[IO_ADDRESS_TEXT_SIZE];

	kr_assert(process->router != NULL);
	io_address_format(router_listen_address(process->router, 0), address);
	if (service_notify("READY=1\nSTATUS=ready on %s, before %u shards", address,
		    process->options.router.shard_count) < 0)
		say(KR_EVENT_UNTOLD,
			"the service manager cannot be told on $NOTIFY_SOCKET that this serves");
}

/* Tells whoever started this process that clients can connect, and where. */
static void say_ready(struct process *process)
{
	char address[IO_ADDRESS_TEXT_SIZE];
	char line[IO_ADDRESS_TEXT_SIZE + 16];
	struct kr_text text;
	uint32_t fd = process->options.ready_fd;

	io_address_format(router_listen_address(process->router, 0), address);
	kr_text_init(&text, line, sizeof(line));
	kr_text_format(&text, "ready on %s", address);
	kr_assert(!text.is_cut);
	say(KR_EVENT_READY, line);
	if (fd > 0 && service_ready_write((int)fd, line) < 0)
		say(KR_EVENT_UNTOLD, "nobody listens on the descriptor of --ready-fd");
	process->is_ready = true;
	tell_ready(process);
}

static void reload(struct process *process)
{
	bool is_told = process->is_ready && !router_is_stopping(process->router);
	int r = is_told ? service_notify("RELOADING=1\nMONOTONIC_USEC=%llu",
				  (unsigned long long)service_monotonic_us())
			: 0;

	say(KR_EVENT_RELOAD, "reading the configuration again");
	kr_assert(r <= 0);
	bool has_changed = options_reload(&process->set, say_reloaded, process);
	bool has_tokens = router_options_reread_tokens(&process->options, say_reloaded, process);
	if (has_changed || has_tokens) {
		fit(process);
		router_retune(process->router, &process->config);
		io_loop_set_spin(process->loop, process->options.spin_us);
	}
	if (has_tokens)
		say(KR_EVENT_RELOAD, "tokens are those of the files now");
	if (is_told)
		tell_ready(process);
}

static void on_signal(struct io_loop *loop, int number, void *context)
{
	struct process *process = context;

	kr_assert(loop == process->loop);
	if (number == SIGHUP) {
		reload(process);
		return;
	}
	say(KR_EVENT_STOPPING, "stopping: what was forwarded is answered first");
	if (service_notify("STOPPING=1\nSTATUS=answering what was forwarded") < 0)
		say(KR_EVENT_UNTOLD,
			"the service manager cannot be told on $NOTIFY_SOCKET that this stops");
	router_stop(process->router);
}

static int start(struct process *process, struct kr_error_text *text)
{
	struct io_config io_config;

	io_config_default(&io_config);
	io_config.spin_us = process->options.spin_us;
	process->options.router.on_note = on_note;
	process->options.router.connection_room_count = ROUTER_CONNECTION_MAX;
	kr_assert(process->loop == NULL);
	int r = io_loop_new(&io_config, &process->loop, text);
	if (r < 0)
		return r;
	fit(process);
	r = router_new(process->loop, &process->config, &process->router, text);
	if (r < 0)
		return r;
	r = io_signal_watch(process->loop, on_signal, process, text);
	if (r < 0)
		return r;
	return router_start_patiently(process->router, process->loop, text);
}

static int run(struct process *process)
{
	while (!router_is_stopped(process->router)) {
		int r = io_loop_tick(process->loop, IO_WAIT_FOREVER);
		if (r < 0)
			return r;
	}
	process->router = router_free(process->router);
	process->loop = io_loop_free(process->loop);
	kr_assert(process->loop == NULL);
	return 0;
}

int main(int argc, char **argv)
{
	static struct process process;
	struct kr_error_text text = {0};

	journal_open(&journal, "keyrack-router");
	router_options_start(&process.set, argc, argv, say_misconfigured, &process.options);
	journal.cluster = process.options.router.cluster;
	int r = start(&process, &text);
	if (r == 0 && process.options.pid_file != NULL)
		r = service_pid_write(process.options.pid_file, &text);
	if (r < 0)
		return fail(r, text.bytes);
	if (!router_is_stopping(process.router))
		say_ready(&process);
	r = run(&process);
	if (process.options.pid_file != NULL)
		unlink(process.options.pid_file);
	if (r < 0)
		return fail(r, "");
	say(KR_EVENT_STOPPED, "stopped");
	journal_close(&journal);
	return EXIT_SUCCESS;
}

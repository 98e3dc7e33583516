/* keyrack-bench idle: connections that have said one word and then nothing, for measuring what a
 * standing connection costs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"

struct idle_options {
	const char *routers;
	uint32_t connections;
};

static const struct option_row idle_rows[] = {
	BENCH_ROUTER(struct idle_options, routers),
	{OPTION_NAMED("connections", 'c', "N", "connections"), OPTION_RANGE(1000, 1, 5000),
		OPTION_U32(struct idle_options, connections)},
};

static void on_answer(void *user, const union keyrack_answer *answer)
{
	uint32_t *answered = user;
	const struct keyrack_result *result = &answer->ping.result;
	if (result->outcome != KEYRACK_RESULT_DONE)
		bench_fail(result->code == KEYRACK_CODE_UNREACHABLE ? BENCH_UNREACHABLE
								    : BENCH_ABORTED,
			"ping: %s", keyrack_code_text(result->code));
	(*answered)++;
}

static void ping_each(struct bench_fleet *fleet)
{
	const struct keyrack_ping ping = {.to_shard = false};
	uint32_t answered = 0;
	for (uint32_t i = 0; i < fleet->count; i++) {
		const int r = keyrack_submit_ping(fleet->clients[i], &ping, on_answer, &answered);
		if (r < 0)
			bench_fail(BENCH_ABORTED, "ping: %s", strerror(-r));
	}
	fleet_drain(fleet);
	kr_assert(answered == fleet->count);
}

/* Until standard input ends; what is read there means nothing. */
static void await_end(void)
{
	char bytes[256];
	ssize_t size;
	do
		size = read(STDIN_FILENO, bytes, sizeof(bytes));
	while (size > 0 || (size < 0 && errno == EINTR));
}

int bench_idle(int argc, char **argv)
{
	static const struct option_program program = {
		.name = "keyrack-bench",
		.about = "Makes connections, pings each once, says so, and is silent until its "
			 "standard input ends.",
		.table = idle_rows,
		.count = KR_ARRAY_COUNT(idle_rows),
		.structure_size_bytes = sizeof(struct idle_options),
	};
	struct idle_options options = {0};
	struct bench_fleet fleet;
	bench_options_read(&program, argc, argv, &options, NULL);
	const struct keyrack_config config = {
		.routers = options.routers != NULL ? options.routers : bench_router_default(),
		.agent = "keyrack-bench " KEYRACK_VERSION,
		.in_flight_max = 64,
		.deadline_us = 60000000,
		.source = 1,
	};
	fleet_open(&fleet, &config, options.connections);
	ping_each(&fleet);
	printf("%u connections stand\n", fleet.count);
	fflush(stdout);
	await_end();
	fleet_close(&fleet);
	return BENCH_OK;
}

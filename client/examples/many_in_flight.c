/*
 * Asks for availability, many requests at a time, the non-blocking way. The loop here is poll();
 * any other event loop does, since the library only names a descriptor, what to watch it for, and
 * until when.
 *
 *   many_in_flight ROUTERS HOTEL TYPE FIRST_DAY [COUNT]
 *   many_in_flight 127.0.0.1:7070 1 0 2026-03-01 100000
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include <keyrack/keyrack.h>

struct job {
	struct keyrack_client *client;
	struct keyrack_availability ask;
	uint64_t to_submit;
	uint64_t answered;
	uint64_t failed;
	uint64_t rooms_left; /* summed, to have something to show */
};

static void on_answer(void *user, const union keyrack_answer *answer)
{
	struct job *job = user;
	job->answered++;
	if (answer->result.outcome != KEYRACK_RESULT_DONE) {
		job->failed++;
		return;
	}
	const struct keyrack_availability_answer *nights = &answer->availability;
	for (uint32_t n = 0; nights->type_count > 0 && n < nights->night_count; n++) {
		struct keyrack_night night = keyrack_availability_night(nights, 0, n);
		job->rooms_left += night.left > 0 ? (uint64_t)night.left : 0;
	}
}

/* As many as the window takes. What does not fit now is submitted when answers have come. */
static int submit_more(struct job *job)
{
	while (job->to_submit > 0) {
		int r = keyrack_submit_availability(job->client, &job->ask, on_answer, job);
		if (r == KEYRACK_WOULD_BLOCK)
			return 0;
		if (r != 0)
			return r;
		job->to_submit--;
	}
	return 0;
}

/* Sleeps until the library wants to be called. */
static void wait_for_it(struct keyrack_client *client)
{
	unsigned want = keyrack_client_want(client);
	int64_t timeout_us = keyrack_client_timeout_us(client);
	struct pollfd pfd = {.fd = keyrack_client_fd(client)}; /* asked anew: it may have changed */
	if ((want & KEYRACK_WANT_READ) != 0)
		pfd.events |= POLLIN;
	if ((want & KEYRACK_WANT_WRITE) != 0)
		pfd.events |= POLLOUT;
	(void)poll(&pfd, 1, timeout_us < 0 ? -1 : (int)((timeout_us + 999) / 1000));
}

static int run(struct job *job)
{
	while (job->to_submit > 0 || keyrack_client_open(job->client) > 0) {
		int r = submit_more(job);
		if (r != 0)
			return r;
		wait_for_it(job->client);
		r = keyrack_client_process(job->client);
		if (r < 0)
			return r;
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint32_t type;
	struct job job = {.to_submit = 10000, .ask = {.night_count = 14, .type_count = 1}};
	if (argc < 5 || argc > 6 || keyrack_day_parse(argv[4], &job.ask.first_day) != 0) {
		fprintf(stderr, "usage: %s ROUTERS HOTEL TYPE FIRST_DAY [COUNT]\n", argv[0]);
		return 2;
	}
	type = (uint32_t)strtoul(argv[3], NULL, 10);
	job.ask.hotel_id = strtoull(argv[2], NULL, 10);
	job.ask.types = &type;
	if (argc == 6)
		job.to_submit = strtoull(argv[5], NULL, 10);
	struct keyrack_config config = {.routers = argv[1],
		.agent = "many_in_flight",
		.in_flight_max = 4096,
		.fail_fast = true};
	int r = keyrack_client_new(&config, &job.client);
	if (r != 0) {
		fprintf(stderr, "%s is no address of a router\n", argv[1]);
		return 2;
	}
	r = run(&job);
	printf("%" PRIu64 " answers, %" PRIu64 " failed, %" PRIu64 " room nights seen\n",
		job.answered, job.failed, job.rooms_left);
	keyrack_client_free(job.client);
	return r != 0 || job.failed > 0 ? 1 : 0;
}

/* keyrack top */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/top.h"
#include "tools/keyrack/value.h"

#define INTERVAL_US UINT64_C(1000000)
#define INTERVAL_MIN_US UINT64_C(100000)
#define INTERVAL_MAX_US UINT64_C(3600000000)
/* Nobody watches a screen that stands still. */
#define DEADLINE_US UINT64_C(2000000)

enum top_key {
	TOP_INTERVAL = 'i',
	TOP_ONCE = CLI_KEY_OWN,
	TOP_COUNT,
};

static const struct argp_option top_options[] = {
	{"interval", TOP_INTERVAL, "TIME", 0, "between refreshes, from 100ms to 1h (1s)", 0},
	{"once", TOP_ONCE, NULL, 0, "one view, of one interval, and an end", 0},
	{"count", TOP_COUNT, "N", 0, "an end after so many refreshes", 0},
	{0},
};

struct top {
	uint64_t interval_us;
	uint64_t left; /* refreshes; UINT64_MAX = until somebody ends it */
	bool once;
	bool is_screen;
	struct top_sample samples[2];
	unsigned at; /* of the newer one */
};

static int top_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct top *top = options;
	int r;
	switch ((enum top_key)key) {
	case TOP_INTERVAL:
		r = value_duration(arg, &top->interval_us, error);
		if (r == 0 &&
			(top->interval_us < INTERVAL_MIN_US || top->interval_us > INTERVAL_MAX_US))
			r = kr_error_text_set(error, -KR_E_INVALID, 0, "from 100ms to 1h");
		return r;
	case TOP_ONCE:
		top->once = true;
		top->left = 1;
		return 0;
	case TOP_COUNT:
		return value_u64(arg, (struct value_range){1, 1000000000}, &top->left, error);
	}
	kr_unreachable();
}

static uint64_t now_us(void)
{
	struct timespec now;
	int r = clock_gettime(CLOCK_MONOTONIC, &now);
	kr_assert(r == 0);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static struct top_view view_of(const struct top *top)
{
	return (struct top_view){&top->samples[1 - top->at], &top->samples[top->at]};
}

/* `why` is what was in the way of a newer sample, or "". */
static void screen_show(const struct top *top, const char *why)
{
	const struct top_view view = view_of(top);
	char *text = NULL;
	size_t size_bytes = 0;
	FILE *out = open_memstream(&text, &size_bytes);
	kr_assert(out != NULL);
	if (why[0] != '\0')
		fprintf(out, "%s; trying again\n", why);
	if (view.before->time_us != 0)
		top_view_write(&view, out);
	if (fclose(out) == 0)
		top_screen_show(text, size_bytes);
	free(text);
}

static void show(const struct cli *cli, const struct top *top, const char *why)
{
	const struct top_view view = view_of(top);
	if (top->is_screen)
		screen_show(top, why);
	else if (why[0] != '\0')
		cli_say(cli, "%s", why);
	else if (cli->json)
		js_print(top_view_json(&view));
	else if (top->once)
		top_view_write(&view, stdout);
	else
		top_line_write(&view, stdout);
	(void)fflush(stdout);
}

/* Waits out the interval; false: somebody wants an end. */
static bool wait_until(
	const struct cli *cli, const struct top *top, uint64_t due_us, const char *why)
{
	for (uint64_t now = now_us(); now < due_us; now = now_us()) {
		const enum top_wake wake = top_screen_wait(due_us - now);
		if (wake == TOP_END)
			return false;
		if (wake == TOP_RESIZED && top->is_screen)
			show(cli, top, why);
	}
	kr_assert(top->interval_us >= INTERVAL_MIN_US);
	return true;
}

/* From the first sample on, until there is an end. */
static int run(struct cli *cli, struct top *top)
{
	char why[TOP_WHY_SIZE] = "";
	bool is_right = true;
	uint64_t due_us = top->samples[top->at].time_us;
	kr_assert(due_us > 0);
	while (top->left > 0) {
		due_us = KR_MAX(due_us + top->interval_us, now_us());
		if (!wait_until(cli, top, due_us, why))
			return CLI_DONE;
		why[0] = '\0';
		is_right = top_sample_take(cli, &top->samples[1 - top->at], why);
		if (is_right)
			top->at = 1 - top->at;
		show(cli, top, why);
		top->left -= top->left != UINT64_MAX;
	}
	return is_right ? CLI_DONE : CLI_UNREACHABLE;
}

int top_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = top_options,
		.option = top_option,
		.doc = "Shows what the cluster does, again and again: a second's requests by "
		       "operation, refusals, the log, and each shard's state and fill.\v"
		       "On a terminal a screen that q or ^C ends; else a line, or with --json an "
		       "object, for each refresh. PING US is there and back; BEHIND the effects "
		       "that are not on disk yet; SNAPSHOT those since the newest one, with a * "
		       "while the next is written.",
	};
	static struct top top = {.interval_us = INTERVAL_US, .left = UINT64_MAX};
	const char *args[CLI_ARGS_MAX];
	char why[TOP_WHY_SIZE];
	int r;
	cli_words(cli, &spec, argc, argv, &top, args);
	cli->deadline_us = KR_MIN(cli->deadline_us, DEADLINE_US);
	r = cli_connect(cli);
	if (r != CLI_DONE)
		return r;
	if (!top_sample_take(cli, &top.samples[0], why)) {
		cli_say(cli, "%s", why);
		return CLI_UNREACHABLE;
	}
	top.is_screen = !cli->json && !top.once && top_screen_open();
	r = run(cli, &top);
	top_screen_close();
	return r;
}

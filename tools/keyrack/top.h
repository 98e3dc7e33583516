/*
 * keyrack top: two samples of what a cluster counts, and the view of what happened between them.
 * A sample asks; a view is made of samples alone.
 */
#ifndef TOOLS_KEYRACK_TOP_H
#define TOOLS_KEYRACK_TOP_H

#include <jansson.h>
#include <stdio.h>

#include "proto/stat.h"
#include "tools/keyrack/cli.h"

#define TOP_SHARD_MAX 64u
#define TOP_TEXT_SIZE 64u

struct top_shard {
	uint32_t shard;
	bool has_answered; /* the rest but the link is told */
	char state[TOP_TEXT_SIZE];
	char durability[TOP_TEXT_SIZE];
	int64_t values[STAT_SHARD_COUNT];
	int64_t operations[STAT_TYPE_COUNT];
	uint64_t ping_us; /* there and back through the router; 0 = no answer */
	bool link_is_up;
	uint32_t in_flight, waiting; /* at the router's link */
};

struct top_sample {
	uint64_t time_us;  /* monotonic */
	uint64_t clock_us; /* wall */
	char router[TOP_TEXT_SIZE];
	char version[TOP_TEXT_SIZE];
	uint64_t router_uptime_us;
	uint32_t connections;
	uint32_t shard_count;
	struct top_shard shards[TOP_SHARD_MAX];
};

#define TOP_WHY_SIZE 256u
/* Asks every shard and the router. False: `ret_why` says what was in the way; then nothing else is
 * written. */
KR_MUST_CHECK bool top_sample_take(
	struct cli *cli, struct top_sample *ret_sample, char ret_why[static TOP_WHY_SIZE]);

/* What is between two samples of the same cluster. */
struct top_view {
	const struct top_sample *before, *now;
};

/* A second of a counter: of one shard, or (TOP_ALL) of all. What restarted counts from 0. */
#define TOP_ALL UINT32_MAX
double top_rate(const struct top_view *view, uint32_t index, enum stat_shard counter);
double top_rate_operation(const struct top_view *view, uint32_t index, unsigned type);

/* "0", "4.2", "1234", "56.7k", "1.2M". */
#define TOP_NUMBER_SIZE 16u
void top_number(double value, char ret_text[static TOP_NUMBER_SIZE]);

/* The whole view, for a terminal; one line of it; the same as an object. */
void top_view_write(const struct top_view *view, FILE *out);
void top_line_write(const struct top_view *view, FILE *out);
json_t *top_view_json(const struct top_view *view);

/* ---- the terminal ---- */

/* Takes standard output's terminal over; false: it is none. Signals that end the program only wake
 * top_screen_wait() from then on. */
bool top_screen_open(void);
/* Gives it back as it was. */
void top_screen_close(void);
/* Shows as much of the text as fits. */
void top_screen_show(const char *text, size_t size_bytes);

enum top_wake { TOP_TIME, TOP_RESIZED, TOP_END };
/* Until the time is over, the terminal has another size, or somebody wants an end (^C, q). */
enum top_wake top_screen_wait(uint64_t timeout_us);

#endif

/* peer-load: the workload of the comparison, on one peer or on a null server; a line of JSON. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/options.h"
#include "bench/give_way.h"
#include "bench/peers/load.h"

struct words {
	const char *protocol;
	struct load_options load;
};

#define U32(field) OPTION_U32(struct words, load.field)
#define REAL(field) OPTION_REAL(struct words, load.field)
#define STRING(field) OPTION_STRING(struct words, field)
#define THOUSAND UINT64_C(1000)

static const struct option_row rows[] = {
	{OPTION_NAMED(
		 "protocol", 0, "redis|postgres|postgres-update|tarantool|frames", "of the peer"),
		.heading = "Peer:", STRING(protocol)},
	{OPTION_NAMED("host", 0, "ADDR", "where it listens (127.0.0.1)"), STRING(load.host)},
	{OPTION_NAMED("port", 0, "N", "and its port"), OPTION_RANGE(0, 1, 65535), U32(port)},
	{OPTION_NAMED("socket", 0, "PATH", "or its unix socket"), STRING(load.socket)},
	{OPTION_NAMED("script", 0, "SHA1", "Redis: of the loaded script"),
		STRING(load.config.script)},
	{OPTION_NAMED("user", 0, "NAME", "PostgreSQL: who asks"), STRING(load.config.user)},
	{OPTION_NAMED("connections", 'c', "N", "connections"), OPTION_RANGE(64, 1, 5000),
		.heading = "Load:", U32(connections)},
	{OPTION_NAMED("depth", 'd', "N", "requests in flight on each connection"),
		OPTION_RANGE(16, 1, 1024), U32(depth)},
	{OPTION_NAMED("seconds", 't', "S", "measured time"),
		OPTION_RANGE(10 * THOUSAND, 100, 86400 * THOUSAND), REAL(seconds)},
	{OPTION_NAMED("warmup", 0, "S", "time before that, not measured"),
		OPTION_RANGE(2 * THOUSAND, 0, 3600 * THOUSAND), REAL(warmup)},
	{OPTION_NAMED("rate", 'R', "N", "open loop: N requests a second; 0 is a closed loop"),
		OPTION_RANGE(0, 0, 10000000 * THOUSAND), REAL(rate)},
	{OPTION_NAMED("books", 0, "N", "weight of bookings"), OPTION_RANGE(1, 0, 1000000),
		U32(weights[PEER_BOOK])},
	{OPTION_NAMED("reads", 0, "N", "weight of reads"), OPTION_RANGE(0, 0, 1000000),
		U32(weights[PEER_READ])},
	{OPTION_NAMED("rows", 0, "N", "room types; 4 is one hot hotel"),
		OPTION_RANGE(4000, 1, 10000000), U32(rows)},
	{OPTION_NAMED("window", 0, "N", "nights that are sold"), OPTION_RANGE(365, 1, 4096),
		U32(window)},
	{OPTION_NAMED("nights", 0, "N", "of a stay"), OPTION_RANGE(3, 1, 365), U32(stay_nights)},
	{OPTION_NAMED("query-nights", 0, "N", "of a read"), OPTION_RANGE(14, 1, 365),
		U32(query_nights)},
	{OPTION_NAMED("preload", 0, "N", "bookings made before the warm-up"),
		OPTION_RANGE(0, 0, 100000000), OPTION_U64(struct words, load.preload)},
	{OPTION_NAMED("seed", 's', "N", "of every draw"), OPTION_RANGE(1, 1, UINT64_MAX),
		OPTION_U64(struct words, load.seed)},
	{OPTION_NAMED("book-bytes", 0, "N", "frames: of a booking's request"),
		OPTION_RANGE(107, 16, PEER_REQUEST_SIZE_MAX), U32(config.sizes_bytes[PEER_BOOK])},
	{OPTION_NAMED("booked-bytes", 0, "N", "frames: of its answer"),
		OPTION_RANGE(102, 16, PEER_ANSWER_SIZE_MAX), U32(config.answers_bytes[PEER_BOOK])},
	{OPTION_NAMED("read-bytes", 0, "N", "frames: of a read's request"),
		OPTION_RANGE(80, 16, PEER_REQUEST_SIZE_MAX), U32(config.sizes_bytes[PEER_READ])},
	{OPTION_NAMED("shown-bytes", 0, "N", "frames: of its answer"),
		OPTION_RANGE(303, 16, PEER_ANSWER_SIZE_MAX), U32(config.answers_bytes[PEER_READ])},
	{OPTION_NAMED("series", 0, "FILE", "write a line for every tenth of a second"),
		.heading = "Report:", STRING(load.series)},
};

static void finish(struct option_set *set, void *structure)
{
	struct words *words = structure;
	struct load_options *load = &words->load;
	load->protocol = words->protocol == NULL ? NULL : peer_find(words->protocol);
	if (load->protocol == NULL)
		options_complain(set, "protocol", "names no peer");
	if (load->host == NULL)
		load->host = "127.0.0.1";
	if (load->config.user == NULL)
		load->config.user = "keyrack";
	if ((load->port == 0) == (load->socket == NULL))
		options_complain(set, "port", "or --socket is wanted, one of them");
	if (load->weights[PEER_BOOK] + load->weights[PEER_READ] == 0)
		options_complain(set, "books", "and --reads are both 0");
	if (load->stay_nights > load->window || load->query_nights > load->window)
		options_complain(set, "window", "is shorter than a stay or a read");
	if (load->protocol == &peer_redis && load->config.script == NULL)
		options_complain(set, "script", "is missing");
}

static void print_hist(const struct hist *hist, double seconds)
{
	static const struct {
		const char *name;
		uint32_t parts;
	} percentiles[] = {{"p50", 500000}, {"p90", 900000}, {"p99", 990000}, {"p99.9", 999000},
		{"p99.99", 999900}, {"max", 1000000}};
	printf("\"count\": %" PRIu64 ", \"rate\": %.1f", hist->count,
		(double)hist->count / seconds);
	for (size_t i = 0; i < KR_ARRAY_COUNT(percentiles); i++)
		printf(", \"%s_us\": %" PRIu64, percentiles[i].name,
			hist_percentile(hist, percentiles[i].parts));
	printf(", \"mean_us\": %" PRIu64, hist_mean(hist));
}

static void report(const struct load *load, double seconds, double cpu_seconds)
{
	static struct hist all;
	const struct load_options *o = load->options;
	hist_init(&all);
	printf("{\"protocol\": \"%s\", \"connections\": %u, \"depth\": %u, \"offered_rate\": %.0f, "
	       "\"seconds\": %.3f, ",
		o->protocol->name, o->connections, o->depth, o->rate, seconds);
	for (int i = 0; i < PEER_KINDS; i++)
		hist_merge(&all, &load->hists[i]);
	print_hist(&all, seconds);
	printf(", \"operations\": {\"book\": {");
	print_hist(&load->hists[PEER_BOOK], seconds);
	printf("}, \"availability\": {");
	print_hist(&load->hists[PEER_READ], seconds);
	printf("}}, \"done\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"repeated\": %" PRIu64
	       ", \"failed\": %" PRIu64 ", \"late\": %" PRIu64 ", \"cpu_seconds\": %.3f}\n",
		load->outcomes[PEER_DONE], load->outcomes[PEER_REFUSED],
		load->outcomes[PEER_REPEATED], load->outcomes[PEER_FAILED], load->late,
		cpu_seconds);
}

int main(int argc, char **argv)
{
	static const struct option_program program = {
		.name = "peer-load",
		.about = "Puts the workload of the comparison on a peer and measures it.",
		.table = rows,
		.count = KR_ARRAY_COUNT(rows),
		.structure_size_bytes = sizeof(struct words),
		.finish = finish,
	};
	static struct words words;
	static struct load load;
	struct option_set set;
	double cpu_seconds;
	options_start(&set, &program, argc, argv, &words);
	give_way();
	load_open(&load, &words.load);
	const double seconds = load_run(&load, &cpu_seconds);
	report(&load, seconds, cpu_seconds);
	load_close(&load);
	options_fini(&set);
	return 0;
}

#include "bench/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <time.h>

#include "bench_commit.h"

static const struct {
	const char *name;
	uint32_t parts;
} percentiles[] = {{"p50", 500000}, {"p90", 900000}, {"p99", 990000}, {"p99.9", 999000},
	{"p99.99", 999900}, {"max", 1000000}};

/* "/dev/vda ext4" of the directory, from the mount table: the longest mount point that fits. */
static void device_of(const char *dir, char *ret, size_t size)
{
	char path[4096], device[256], point[1024], type[64];
	size_t best = 0;
	snprintf(ret, size, "not stated");
	if (dir == NULL || realpath(dir, path) == NULL)
		return;
	FILE *mounts = fopen("/proc/self/mounts", "re");
	if (mounts == NULL)
		return;
	while (fscanf(mounts, "%255s %1023s %63s %*[^\n]", device, point, type) == 3) {
		const size_t length = strlen(point);
		if (strncmp(path, point, length) != 0 || length < best)
			continue;
		best = length;
		snprintf(ret, size, "%s %s", device, type);
	}
	fclose(mounts);
}

static void mix_text(const struct work_options *w, char *ret, size_t size)
{
	size_t at = 0;
	ret[0] = 0;
	for (int i = 0; i < WORK_KINDS; i++)
		if (w->weights[i] != 0 && at < size)
			at += (size_t)snprintf(ret + at, size - at, "%s%s=%u", at ? "," : "",
				work_names[i], w->weights[i]);
}

static const char *spread_text(const struct work_options *w)
{
	static const char *const names[] = {"uniform", "zipf", "hot"};
	kr_assert(w->spread < KR_ARRAY_COUNT(names));
	return names[w->spread];
}

static void whole(const struct report *r, struct hist *all)
{
	hist_init(all);
	for (int i = 0; i < WORK_KINDS; i++)
		hist_merge(all, &r->work->hists[i]);
}

/* ---- JSON ---- */

static json_t *hist_json(const struct hist *hist, double seconds)
{
	json_t *json = json_pack("{s:I, s:f}", "count", (json_int_t)hist->count, "rate",
		(double)hist->count / seconds);
	for (size_t i = 0; i < KR_ARRAY_COUNT(percentiles); i++) {
		char name[24];
		snprintf(name, sizeof(name), "%s_us", percentiles[i].name);
		json_object_set_new(json, name,
			json_integer((json_int_t)hist_percentile(hist, percentiles[i].parts)));
	}
	json_object_set_new(json, "mean_us", json_integer((json_int_t)hist_mean(hist)));
	return json;
}

static json_t *stamp_json(const struct report *r)
{
	const struct run_options *o = r->options;
	char device[512], mix[256];
	struct utsname kernel;
	device_of(o->data_dir, device, sizeof(device));
	mix_text(&o->work, mix, sizeof(mix));
	if (uname(&kernel) != 0)
		kernel.release[0] = 0;
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:i, s:i, s:f, s:f, s:s, s:s, s:i, s:i, "
		"s:i, s:I, s:I, s:I, s:I, s:b}",
		"durability", r->durability, "device", device, "kernel", kernel.release, "commit",
		BENCH_COMMIT, "version", KEYRACK_VERSION, "shards", (int)r->shards, "label",
		o->label, "preset", o->words.preset != NULL ? o->words.preset : "", "connections",
		(int)o->connections, "depth", (int)o->depth, "offered_rate", o->rate, "seconds",
		r->seconds, "mix", mix, "spread", spread_text(&o->work), "stay_nights",
		(int)o->work.stay_nights, "query_nights", (int)o->work.query_nights, "window",
		(int)o->work.window, "hotels", (json_int_t)r->work->chain->hotel_count, "types",
		(json_int_t)r->work->chain->row_count, "preload", (json_int_t)o->preload, "seed",
		(json_int_t)o->work.seed, "retry", !o->no_retry);
}

static void print_json(const struct report *r)
{
	static struct hist all;
	const struct work *w = r->work;
	whole(r, &all);
	json_t *json = hist_json(&all, r->seconds);
	json_object_update_new(json, stamp_json(r));
	json_t *ops = json_object(), *codes = json_object();
	for (int i = 0; i < WORK_KINDS; i++)
		if (w->hists[i].count != 0)
			json_object_set_new(
				ops, work_names[i], hist_json(&w->hists[i], r->seconds));
	for (unsigned i = 0; i < KR_ARRAY_COUNT(w->by_code); i++)
		if (w->by_code[i] != 0)
			json_object_set_new(codes, keyrack_code_name(i),
				json_integer((json_int_t)w->by_code[i]));
	json_object_set_new(json, "operations", ops);
	json_object_set_new(json, "codes", codes);
	json_object_update_new(
		json, json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:I}", "calls",
			      (json_int_t)w->calls, "done", (json_int_t)w->done, "refused",
			      (json_int_t)w->refused, "transient", (json_int_t)w->transient,
			      "stale", (json_int_t)w->stale, "unknown", (json_int_t)w->unknown,
			      "cpu_seconds", r->cpu_seconds, "late", (json_int_t)r->late,
			      "differences", (json_int_t)r->differences));
	json_dumpf(json, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(json);
}

/* ---- text ---- */

static void print_hist(const char *name, const struct hist *hist, double seconds)
{
	printf("  %-14s %12.0f/s", name, (double)hist->count / seconds);
	for (size_t i = 0; i < KR_ARRAY_COUNT(percentiles); i++)
		printf(" %9.3f", (double)hist_percentile(hist, percentiles[i].parts) / 1000);
	putchar('\n');
}

static void print_recount(const struct report *r)
{
	const double count = (double)KR_MAX(r->work->calls, UINT64_C(1));
	printf("\n  this process used %.2f s of CPU, %.3f us a call; recount: ", r->cpu_seconds,
		r->cpu_seconds / count * 1e6);
	if (r->options->is_null)
		printf("nothing to count\n");
	else if (r->differences == 0)
		printf("every night is what the answers say\n");
	else
		printf("%" PRIu64 " NIGHTS DIFFER FROM THE ANSWERS\n", r->differences);
}

static void print_text(const struct report *r)
{
	const struct run_options *o = r->options;
	const struct work *w = r->work;
	char device[512], mix[256];
	device_of(o->data_dir, device, sizeof(device));
	mix_text(&o->work, mix, sizeof(mix));
	if (o->words.preset != NULL)
		printf("preset %s: ", o->words.preset);
	if (o->is_null)
		printf("%s, a server that answers at once and decides nothing, %.1f s, ", mix,
			r->seconds);
	else
		printf("%s, %s, %u shards, durability %s, %.1f s, ", mix, spread_text(&o->work),
			r->shards, r->durability, r->seconds);
	if (o->rate > 0)
		printf("open loop at %.0f/s over %u connections\n", o->rate, o->connections);
	else
		printf("closed loop, %u x %u\n", o->connections, o->depth);
	printf("  %-14s %14s", "latency in ms", "rate");
	for (size_t i = 0; i < KR_ARRAY_COUNT(percentiles); i++)
		printf(" %9s", percentiles[i].name);
	putchar('\n');
	for (int i = 0; i < WORK_KINDS; i++)
		if (w->hists[i].count != 0)
			print_hist(work_names[i], &w->hists[i], r->seconds);
	printf("  calls %" PRIu64 ": %" PRIu64 " done, %" PRIu64 " refused, %" PRIu64
	       " transient, %" PRIu64 " unknown",
		w->calls, w->done, w->refused, w->transient, w->unknown);
	for (unsigned i = 2; i < KR_ARRAY_COUNT(w->by_code); i++)
		if (w->by_code[i] != 0)
			printf("; %s %" PRIu64, keyrack_code_name(i), w->by_code[i]);
	if (w->stale != 0)
		printf("; %" PRIu64 " updates behind a newer one", w->stale);
	print_recount(r);
}

void report_print(const struct report *report)
{
	kr_assert(report->seconds > 0);
	if (report->options->json)
		print_json(report);
	else
		print_text(report);
}

#include <inttypes.h>
#include <stdlib.h>

#include "tools/keyrack/js.h"
#include "tools/keyrack/span.h"
#include "tools/keyrack/top.h"

#define OPERATIONS_SHOWN 16u

/* ---- rates ---- */

static double seconds_of(const struct top_view *view)
{
	kr_assert(view->now->time_us > view->before->time_us);
	return (double)(view->now->time_us - view->before->time_us) / 1e6;
}

static double grown(int64_t before, int64_t now)
{
	return (double)(now >= before ? now - before : now);
}

/* The shard before, or NULL where it did not answer. */
static const struct top_shard *shard_before(const struct top_view *view, uint32_t index)
{
	const struct top_shard *now = &view->now->shards[index];
	kr_assert(index < view->now->shard_count);
	for (uint32_t i = 0; i < view->before->shard_count; i++) {
		const struct top_shard *before = &view->before->shards[i];
		if (before->shard == now->shard && before->has_answered && now->has_answered)
			return before;
	}
	return NULL;
}

double top_rate(const struct top_view *view, uint32_t index, enum stat_shard counter)
{
	double sum = 0;
	kr_assert(counter < STAT_SHARD_COUNT);
	for (uint32_t i = 0; i < view->now->shard_count; i++) {
		const struct top_shard *before = shard_before(view, i);
		if ((index == TOP_ALL || index == i) && before != NULL)
			sum += grown(before->values[counter], view->now->shards[i].values[counter]);
	}
	return sum / seconds_of(view);
}

double top_rate_operation(const struct top_view *view, uint32_t index, unsigned type)
{
	double sum = 0;
	kr_assert(type < STAT_TYPE_COUNT);
	for (uint32_t i = 0; i < view->now->shard_count; i++) {
		const struct top_shard *before = shard_before(view, i);
		if ((index == TOP_ALL || index == i) && before != NULL)
			sum += grown(
				before->operations[type], view->now->shards[i].operations[type]);
	}
	return sum / seconds_of(view);
}

void top_number(double value, char ret_text[static TOP_NUMBER_SIZE])
{
	static const char units[] = {'k', 'M', 'G', 'T'};
	size_t unit = 0;
	kr_assert(value >= 0);
	if (value < 9999.5) {
		(void)snprintf(ret_text, TOP_NUMBER_SIZE,
			value != 0 && value < 9.95 ? "%.1f" : "%.0f", value);
		return;
	}
	for (value /= 1000; value >= 999.95 && unit + 1 < sizeof(units); unit++)
		value /= 1000;
	(void)snprintf(ret_text, TOP_NUMBER_SIZE, "%.1f%c", value, units[unit]);
}

/* ---- sums ---- */

static int64_t sum_of(const struct top_sample *sample, enum stat_shard gauge)
{
	int64_t sum = 0;
	kr_assert(gauge < STAT_SHARD_COUNT);
	for (uint32_t i = 0; i < sample->shard_count; i++)
		sum += sample->shards[i].values[gauge];
	return sum;
}

static uint32_t answered_count(const struct top_sample *sample)
{
	uint32_t count = 0;
	kr_assert(sample->shard_count <= TOP_SHARD_MAX);
	for (uint32_t i = 0; i < sample->shard_count; i++)
		count += sample->shards[i].has_answered;
	return count;
}

static void flight_sum(
	const struct top_sample *sample, uint32_t *ret_in_flight, uint32_t *ret_waiting)
{
	*ret_in_flight = *ret_waiting = 0;
	kr_assert(sample->shard_count <= TOP_SHARD_MAX);
	for (uint32_t i = 0; i < sample->shard_count; i++) {
		*ret_in_flight += sample->shards[i].in_flight;
		*ret_waiting += sample->shards[i].waiting;
	}
}

/* ---- the view ---- */

static void head_write(const struct top_view *view, FILE *out)
{
	const struct top_sample *now = view->now;
	char instant[SPAN_INSTANT_TEXT_SIZE];
	char requests[TOP_NUMBER_SIZE], effects[TOP_NUMBER_SIZE], refusals[TOP_NUMBER_SIZE],
		bytes[TOP_NUMBER_SIZE];
	uint32_t in_flight, waiting;
	span_format_instant(now->clock_us, instant);
	flight_sum(now, &in_flight, &waiting);
	top_number(top_rate(view, TOP_ALL, STAT_SHARD_requests), requests);
	top_number(top_rate(view, TOP_ALL, STAT_SHARD_effects), effects);
	top_number(top_rate(view, TOP_ALL, STAT_SHARD_refusals), refusals);
	top_number(top_rate(view, TOP_ALL, STAT_SHARD_append_bytes), bytes);
	fprintf(out,
		"keyrack top  %s  router %s (%s), up %" PRIu64 " s, %u client%s, %u of %u shards\n",
		instant, now->router, now->version, now->router_uptime_us / 1000000,
		now->connections, now->connections == 1 ? "" : "s", answered_count(now),
		now->shard_count);
	fprintf(out,
		"a second: %s requests, %s effects, %s refusals, %s bytes of log;  now: %u in "
		"flight, "
		"%u waiting\n\n",
		requests, effects, refusals, bytes, in_flight, waiting);
}

static void shard_write(const struct top_view *view, uint32_t index, FILE *out)
{
	const struct top_shard *shard = &view->now->shards[index];
	const int64_t *values = shard->values;
	char texts[5][TOP_NUMBER_SIZE];
	static const enum stat_shard rates[] = {STAT_SHARD_requests, STAT_SHARD_effects,
		STAT_SHARD_refusals, STAT_SHARD_append_bytes};
	if (!shard->has_answered) {
		fprintf(out, "%5u  %-9s\n", shard->shard, shard->link_is_up ? "silent" : "DOWN");
		return;
	}
	for (size_t i = 0; i < KR_ARRAY_COUNT(rates); i++)
		top_number(top_rate(view, index, rates[i]), texts[i]);
	top_number((double)values[STAT_SHARD_holds], texts[4]);
	fprintf(out,
		"%5u  %-9s %7s %7s %7s %7s %7" PRIu64 " %6u/%-5u %7" PRId64 " %7" PRId64
		"%c %7s %10" PRId64 " %3.0f%% %8" PRId64 " %3.0f%%\n",
		shard->shard, shard->state, texts[0], texts[1], texts[2], texts[3], shard->ping_us,
		shard->in_flight, shard->waiting,
		values[STAT_SHARD_last_lsn] - values[STAT_SHARD_durable_lsn],
		values[STAT_SHARD_last_lsn] - values[STAT_SHARD_snapshot_lsn],
		values[STAT_SHARD_snapshot_running] != 0 ? '*' : ' ', texts[4],
		values[STAT_SHARD_reservations],
		100.0 * (double)values[STAT_SHARD_reservations] /
			(double)KR_MAX(values[STAT_SHARD_reservations_max], 1),
		values[STAT_SHARD_rows],
		100.0 * (double)values[STAT_SHARD_rows] /
			(double)KR_MAX(values[STAT_SHARD_rows_max], 1));
}

/* ---- operations, the busiest first ---- */

struct busy {
	unsigned type;
	double rate;
};

static int busy_compare(const void *a, const void *b)
{
	const struct busy *left = a, *right = b;
	if (left->rate > right->rate)
		return -1;
	if (left->rate < right->rate)
		return 1;
	return left->type < right->type ? -1 : left->type > right->type;
}

static uint32_t busy_list(const struct top_view *view, struct busy ret[static STAT_TYPE_COUNT])
{
	uint32_t count = 0;
	kr_assert(view->now->shard_count <= TOP_SHARD_MAX);
	for (unsigned type = 0; type < STAT_TYPE_COUNT; type++) {
		const double rate = stat_operation_name(type) == NULL
					    ? 0
					    : top_rate_operation(view, TOP_ALL, type);
		if (rate > 0)
			ret[count++] = (struct busy){type, rate};
	}
	qsort(ret, count, sizeof(*ret), busy_compare);
	return count;
}

static const char *operation_text(unsigned type)
{
	const char *name = stat_operation_name(type);
	kr_assert(name != NULL);
	return name + sizeof(STAT_OPERATION_PREFIX) - 1;
}

void top_view_write(const struct top_view *view, FILE *out)
{
	struct busy busy[STAT_TYPE_COUNT];
	uint32_t count = busy_list(view, busy);
	head_write(view, out);
	fputs("SHARD  STATE       REQ/S   EFF/S   REF/S   LOG/S PING US FLIGHT/WAIT  BEHIND "
	      "SNAPSHOT   HOLDS RESERVATIONS     TYPES\n",
		out);
	for (uint32_t i = 0; i < view->now->shard_count; i++)
		shard_write(view, i, out);
	fputs("\nOPERATION                  /S\n", out);
	for (uint32_t i = 0; i < KR_MIN(count, OPERATIONS_SHOWN); i++) {
		char text[TOP_NUMBER_SIZE];
		top_number(busy[i].rate, text);
		fprintf(out, "%-20s %8s\n", operation_text(busy[i].type), text);
	}
	if (count == 0)
		fputs("nothing is asked\n", out);
}

void top_line_write(const struct top_view *view, FILE *out)
{
	const struct top_sample *now = view->now;
	struct busy busy[STAT_TYPE_COUNT];
	char instant[SPAN_INSTANT_TEXT_SIZE];
	uint32_t in_flight, waiting;
	uint32_t count = busy_list(view, busy);
	span_format_instant(now->clock_us, instant);
	flight_sum(now, &in_flight, &waiting);
	fprintf(out,
		"%s shards=%u/%u requests=%.1f/s effects=%.1f/s refusals=%.1f/s log=%.0fB/s "
		"in_flight=%u waiting=%u holds=%" PRId64 " reservations=%" PRId64 "/%" PRId64,
		instant, answered_count(now), now->shard_count,
		top_rate(view, TOP_ALL, STAT_SHARD_requests),
		top_rate(view, TOP_ALL, STAT_SHARD_effects),
		top_rate(view, TOP_ALL, STAT_SHARD_refusals),
		top_rate(view, TOP_ALL, STAT_SHARD_append_bytes), in_flight, waiting,
		sum_of(now, STAT_SHARD_holds), sum_of(now, STAT_SHARD_reservations),
		sum_of(now, STAT_SHARD_reservations_max));
	for (uint32_t i = 0; i < count; i++)
		fprintf(out, " %s=%.1f/s", operation_text(busy[i].type), busy[i].rate);
	fputc('\n', out);
}

/* ---- JSON ---- */

/* Counters a second, gauges as they are, operations a second. */
static void rates_json(json_t *object, const struct top_view *view, uint32_t index)
{
	json_t *rates = js_object(), *operations = js_object();
	for (unsigned i = 0; i < STAT_SHARD_COUNT; i++)
		if (stat_shard_rows[i].kind == STAT_COUNTER)
			js_set(rates, stat_shard_rows[i].name,
				json_real(top_rate(view, index, (enum stat_shard)i)));
	for (unsigned type = 0; type < STAT_TYPE_COUNT; type++)
		if (stat_operation_name(type) != NULL)
			js_set(operations, operation_text(type),
				json_real(top_rate_operation(view, index, type)));
	js_set(object, "rates", rates);
	js_set(object, "operations", operations);
}

static json_t *shard_json(const struct top_view *view, uint32_t index)
{
	const struct top_shard *shard = &view->now->shards[index];
	json_t *object = js_object(), *gauges = js_object();
	js_count(object, "shard", shard->shard);
	js_bool(object, "link_up", shard->link_is_up);
	js_count(object, "in_flight", shard->in_flight);
	js_count(object, "waiting", shard->waiting);
	js_text(object, "state", shard->has_answered ? shard->state : NULL);
	if (!shard->has_answered) {
		json_decref(gauges);
		return object;
	}
	js_text(object, "durability", shard->durability);
	js_count(object, "ping_us", shard->ping_us);
	for (unsigned i = 0; i < STAT_SHARD_COUNT; i++)
		if (stat_shard_rows[i].kind == STAT_GAUGE)
			js_int(gauges, stat_shard_rows[i].name, shard->values[i]);
	js_set(object, "gauges", gauges);
	rates_json(object, view, index);
	return object;
}

json_t *top_view_json(const struct top_view *view)
{
	const struct top_sample *now = view->now;
	json_t *root = js_object(), *shards = js_array();
	js_count(root, "time_us", now->clock_us);
	js_count(root, "interval_us", now->time_us - view->before->time_us);
	js_text(root, "router", now->router);
	js_text(root, "version", now->version);
	js_count(root, "router_uptime_us", now->router_uptime_us);
	js_count(root, "connections", now->connections);
	rates_json(root, view, TOP_ALL);
	for (uint32_t i = 0; i < now->shard_count; i++)
		js_append(shards, shard_json(view, i));
	js_set(root, "shards", shards);
	return root;
}

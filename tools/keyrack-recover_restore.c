#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <signal.h>
#include <time.h>

#include "proto/slot.h"
#include "tools/keyrack-recover_copy.h"
#include "tools/keyrack-recover_lay.h"

/*
 * restore: directories of all shards of a cluster, or of a backup of it, as of now, an instant or
 * an LSN each, into new directories for as many shards or others.
 *
 * Whole hotels move, with their numbers of events, so that nothing that is known of one changes.
 * LSNs are the new shard's own: all hotels show the greatest of the old shards, so that no LSN
 * comes twice. What was written is read back, and each hotel's digest held against the old one.
 */

struct source {
	struct recover_options options;
	struct recovery recovery;
	struct log_meta meta;
	uint64_t epoch, term;
	bool is_open;
};

struct hotel_sum {
	uint64_t hotel, digest;
};

struct restore {
	const struct recover_options *options;
	struct io_loop *loop;
	const struct tz_db *tz;
	struct source *sources;
	uint32_t source_count;
	uint64_t last_lsn; /* the greatest of them */
	uint64_t epoch, term;
	struct hotel_sum *sums; /* of all hotels, ascending */
	size_t sum_count;
	size_t seen_count; /* of them found again */
};

struct slots {
	uint32_t first, end;
};

static struct slots slots_of(uint32_t shard, uint32_t shard_count)
{
	kr_assert(shard < shard_count);
	return (struct slots){slot_range_first(shard, shard_count),
		shard + 1 == shard_count ? SLOT_COUNT : slot_range_first(shard + 1, shard_count)};
}

static bool wants_slot(void *context, uint32_t slot)
{
	const struct slots *slots = context;
	kr_assert(slot < SLOT_COUNT);
	return slot >= slots->first && slot < slots->end;
}

static int wrong(const char *format, ...) KR_PRINTF(1, 2);

static int wrong(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	fputs("keyrack-recover: ", stderr);
	vfprintf(stderr, format, list);
	fputc('\n', stderr);
	va_end(list);
	kr_assert(format[0] != '\0');
	return RECOVER_EXIT_WRONG;
}

/* ---- the old shards -------------------------------------------------------------------------- */

static void source_note(struct restore *restore, struct source *source)
{
	const struct log_recover_report *report = &source->recovery.store.recover->report;
	source->meta = report->meta;
	restore->epoch = KR_MAX(restore->epoch, report->next_epoch);
	restore->term = KR_MAX(restore->term, report->has_mark ? report->mark.term : 1);
	restore->last_lsn =
		KR_MAX(restore->last_lsn, shard_last_lsn(source->recovery.rebuild.shard));
	kr_assert(restore->term > 0);
}

/* The state outlives the directory: 0, or the exit status after saying why. */
static int source_read(struct restore *restore, struct source *source)
{
	struct recovery *recovery = &source->recovery;
	const struct recover_options *options = &source->options;
	recovery->options = options;
	int r = log_store_open(restore->loop, &recovery->store, options->directory, 0,
		options->allow_tmpfs, &recovery->text);
	if (r < 0)
		return recover_fail(recovery, r);
	recover_begin(recovery, restore->tz);
	source->is_open = true;
	int status = recover_lock(recovery);
	if (status == 0) {
		r = recover_build_as_of(recovery, false);
		if (r != 0)
			status = r < 0 ? recover_fail(recovery, r) : RECOVER_EXIT_OUT_OF_REACH;
	}
	bool is_past = options->to_lsn != 0 || options->has_to_time;
	if (status == 0 && (recover_verdict(recovery) == LOG_VERDICT_EMPTY ||
				   (recover_is_refused(recovery) && !is_past))) {
		recover_describe(recovery, stderr);
		status = (int)recover_verdict_exit(recovery);
	}
	if (status == 0)
		status = recover_recount(recovery);
	if (status == 0)
		source_note(restore, source);
	log_store_close(&recovery->store);
	kr_assert(status >= 0);
	return status;
}

/* All shards of one cluster, each once, in their order. */
static int sources_check(const struct restore *restore)
{
	for (uint32_t i = 0; i < restore->source_count; i++) {
		const struct log_meta *meta = &restore->sources[i].meta;
		if (meta->cluster != restore->sources[0].meta.cluster)
			return wrong("%s is of another cluster", restore->options->words[i]);
		if (meta->shard != i || meta->shard_count != restore->source_count)
			return wrong("%s is shard %u of %u; give all of them in their order",
				restore->options->words[i], meta->shard, meta->shard_count);
	}
	kr_assert(restore->source_count > 0);
	return 0;
}

static int sum_compare(const void *a, const void *b)
{
	const struct hotel_sum *x = a, *y = b;
	kr_assert(x != NULL && y != NULL);
	return x->hotel < y->hotel ? -1 : x->hotel > y->hotel;
}

static void sums_take(struct restore *restore)
{
	size_t count = 0;
	for (uint32_t i = 0; i < restore->source_count; i++)
		count += inv_chunk_count(
				 shard_inventory(restore->sources[i].recovery.rebuild.shard)) -
			 1;
	restore->sums = recover_alloc(count, sizeof(*restore->sums));
	for (uint32_t i = 0; i < restore->source_count; i++) {
		struct inv *inv = shard_inventory(restore->sources[i].recovery.rebuild.shard);
		for (uint32_t chunk = 1; chunk < inv_chunk_count(inv); chunk++)
			restore->sums[restore->sum_count++] = (struct hotel_sum){
				inv_chunk_hotel(inv, chunk).v, inv_chunk_digest(inv, chunk)};
	}
	qsort(restore->sums, restore->sum_count, sizeof(*restore->sums), sum_compare);
	kr_assert(restore->sum_count == count);
}

static int sources_read(struct restore *restore)
{
	for (uint32_t i = 0; i < restore->source_count; i++) {
		struct source *source = &restore->sources[i];
		source->options = *restore->options;
		source->options.directory = restore->options->words[i];
		source->options.to_lsn = restore->options->shard_lsns[i];
		int status = source_read(restore, source);
		if (status != 0)
			return status;
	}
	kr_assert(restore->last_lsn > 0);
	int status = sources_check(restore);
	if (status == 0)
		sums_take(restore);
	return status;
}

/* ---- a new one ------------------------------------------------------------------------------- */

/* As large as all of them together, since nobody knows how hotels are spread. */
static void sizes_take(const struct restore *restore, struct recovery *out)
{
	struct inv_config *config = &out->rebuild.config.inventory;
	struct inv_counts sum = {0}, counts;
	for (uint32_t i = 0; i < restore->source_count; i++) {
		struct rebuild *rebuild = &restore->sources[i].recovery.rebuild;
		inv_counts_get(shard_inventory(rebuild->shard), &counts);
		sum.hotels += counts.hotels;
		sum.rows += counts.rows;
		sum.plans += counts.plans;
		sum.reservations += counts.reservations;
		sum.nodes += counts.nodes;
		sum.stock_runs += counts.stock_runs;
		config->window_nights =
			KR_MAX(config->window_nights, rebuild->config.inventory.window_nights);
	}
	config->hotels_max = KR_MAX(config->hotels_max, sum.hotels);
	config->rows_max = KR_MAX(config->rows_max, sum.rows);
	config->plans_max = KR_MAX(config->plans_max, sum.plans);
	config->reservations_max = KR_MAX(config->reservations_max, sum.reservations);
	config->nodes_max = KR_MAX(config->nodes_max, sum.nodes);
	config->stock_runs_max = KR_MAX(config->stock_runs_max, sum.stock_runs);
	kr_assert(config->window_nights > 0);
}

static int state_merge(const struct restore *restore, struct slots slots, struct recovery *out)
{
	struct shard_trouble trouble;
	sizes_take(restore, out);
	int r = rebuild_reset(&out->rebuild);
	if (r < 0)
		return recover_fail(out, r);
	for (uint32_t i = 0; i < restore->source_count; i++) {
		struct shard *from = restore->sources[i].recovery.rebuild.shard;
		r = shard_take_over(
			out->rebuild.shard, from, restore->last_lsn, wants_slot, &slots, &trouble);
		if (r != 0)
			return wrong("shard %u cannot be taken over: %s", i, trouble.text);
	}
	kr_assert(out->rebuild.shard != NULL);
	return 0;
}

static int directory_lay(const struct restore *restore, uint32_t shard, struct recovery *out)
{
	uint32_t shard_count = restore->options->shard_count;
	struct slots slots = slots_of(shard, shard_count);
	struct timespec now;
	struct lay lay = {
		.meta = restore->sources[0].meta,
		.last_lsn = restore->last_lsn,
		.epoch = restore->epoch,
		.term = restore->term,
	};
	int r = clock_gettime(CLOCK_REALTIME, &now);
	kr_assert(r == 0);
	lay.meta.shard = shard;
	lay.meta.shard_count = shard_count;
	lay.meta.slot_first = slots.first;
	lay.meta.slot_count = slots.end - slots.first;
	lay.meta.created_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	r = log_store_recover(&out->store, NULL, false, NULL, &out->text);
	if (r == 0 && recover_verdict(out) != LOG_VERDICT_EMPTY)
		r = kr_error_text_set(&out->text, -KR_E_EXISTS, 0,
			"there is a shard already: give a new directory");
	if (r == 0)
		r = lay_out(&out->store, &lay, out->rebuild.shard, &out->text);
	return r < 0 ? recover_fail(out, r) : 0;
}

/* The hotels that are there now, against what they were. */
static int sums_compare(struct restore *restore, struct recovery *out, struct slots slots)
{
	struct inv *inv = shard_inventory(out->rebuild.shard);
	for (uint32_t chunk = 1; chunk < inv_chunk_count(inv); chunk++) {
		struct hotel_id hotel = inv_chunk_hotel(inv, chunk);
		const struct hotel_sum key = {.hotel = hotel.v}, *sum;
		sum = bsearch(&key, restore->sums, restore->sum_count, sizeof(key), sum_compare);
		if (sum == NULL || sum->digest != inv_chunk_digest(inv, chunk) ||
			!wants_slot(&slots, slot_of_hotel(hotel)))
			return wrong("hotel %" PRIu64 " is not what it was", hotel.v);
		restore->seen_count++;
	}
	kr_assert(restore->seen_count <= restore->sum_count);
	return 0;
}

static void print_shard(const struct restore *restore, uint32_t shard, struct recovery *out)
{
	struct inv_counts counts;
	inv_counts_get(shard_inventory(out->rebuild.shard), &counts);
	kr_assert(shard < restore->options->shard_count);
	printf("%s{\"shard\":%u,\"lsn\":%" PRIu64 ",\"digest\":\"%016" PRIx64
	       "\",\"hotels\":%u,\"types\":%u,\"reservations\":%u}",
		shard > 0 ? "," : "", shard, shard_last_lsn(out->rebuild.shard),
		shard_digest(out->rebuild.shard), counts.hotels, counts.rows, counts.reservations);
}

/* What was written is read again, by the recovery of a start. */
static int directory_check(struct restore *restore, uint32_t shard, struct recovery *out)
{
	int r = recover_build(out);
	if (r < 0)
		return recover_fail(out, r);
	if (recover_verdict(out) != LOG_VERDICT_CLEAN) {
		recover_describe(out, stderr);
		return wrong("the new directory of shard %u is not whole", shard);
	}
	r = recover_recount(out);
	if (r == 0)
		r = sums_compare(restore, out, slots_of(shard, restore->options->shard_count));
	if (r == 0)
		print_shard(restore, shard, out);
	kr_assert(r >= 0);
	return r;
}

static int shard_restore(struct restore *restore, uint32_t shard)
{
	struct recover_options options = *restore->options;
	struct recovery out = {.options = &options};
	char path[4096];
	if (snprintf(path, sizeof(path), "%s/shard-%u", options.out, shard) >= (int)sizeof(path))
		return wrong("%s is too long a path", options.out);
	options.directory = path;
	options.to_lsn = 0;
	options.has_to_time = false;
	int r = log_store_open(restore->loop, &out.store, path, IO_DIRECTORY_CREATE,
		options.allow_tmpfs, &out.text);
	if (r < 0)
		return recover_fail(&out, r);
	recover_begin(&out, restore->tz);
	int status = recover_lock(&out);
	if (status == 0)
		status = state_merge(restore, slots_of(shard, options.shard_count), &out);
	if (status == 0)
		status = directory_lay(restore, shard, &out);
	if (status == 0)
		status = directory_check(restore, shard, &out);
	rebuild_fini(&out.rebuild);
	log_store_close(&out.store);
	kr_assert(status >= 0);
	return status;
}

static int shards_restore(struct restore *restore)
{
	int status = 0;
	fputs("{\"shards\":[", stdout);
	for (uint32_t i = 0; status == 0 && i < restore->options->shard_count; i++)
		status = shard_restore(restore, i);
	printf("],\"hotels\":%zu}\n", restore->seen_count);
	if (status == 0 && restore->seen_count != restore->sum_count)
		status = wrong(
			"%zu hotels of %zu are there", restore->seen_count, restore->sum_count);
	kr_assert(status >= 0);
	return status;
}

int recover_run_restore(
	const struct recover_options *options, struct io_loop *loop, const struct tz_db *tz)
{
	struct restore restore = {
		.options = options, .loop = loop, .tz = tz, .source_count = options->word_count};
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	kr_assert(options->shard_count > 0 && options->word_count > 0);
	restore.sources = recover_alloc(restore.source_count, sizeof(*restore.sources));
	int status = sources_read(&restore);
	if (status == 0)
		status = shards_restore(&restore);
	for (uint32_t i = 0; i < restore.source_count; i++)
		if (restore.sources[i].is_open)
			rebuild_fini(&restore.sources[i].recovery.rebuild);
	free(restore.sources);
	free(restore.sums);
	return status;
}

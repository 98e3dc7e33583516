#include <inttypes.h>
#include <stdlib.h>

#include "engine/log/record.h"
#include "tools/keyrack-recover.h"

/*
 * From a point in the past, an LSN or an instant, to the state as of then.
 *
 * Any state between the end of the oldest snapshot whose log is still there and the end of the log
 * can be built; with the log from its beginning, all of them can. First the directory alone is
 * tried, then, if one was named, the directory with its archive.
 */

#define GROWTHS_MAX 24u

int recover_build(struct recovery *recovery)
{
	struct log_applier applier;
	for (unsigned i = 0; i < GROWTHS_MAX; i++) {
		int r = rebuild_reset(&recovery->rebuild);
		if (r < 0)
			return r;
		if (recovery->on_restart != NULL)
			recovery->on_restart(recovery->context);
		rebuild_applier(&recovery->rebuild, &applier);
		r = log_store_recover(&recovery->store, NULL, false, &applier, &recovery->text);
		if (!recovery->rebuild.is_too_small || !rebuild_grow(&recovery->rebuild))
			return r;
	}
	kr_assert(recovery->text.error < 0);
	return -KR_E_LIMIT;
}

/* ---- the last effect at or before an instant ---- */

struct finder {
	struct record_scratch *scratch;
	uint64_t t_us;
	uint64_t found_lsn; /* 0: none */
	uint64_t first_lsn; /* of the log */
	uint64_t first_us;
};

static int find_batch(void *context, const struct log_batch_header *header, const uint8_t *body,
	struct log_trouble *trouble)
{
	struct finder *finder = context;
	struct record_reader reader;
	struct inv_effect effect;
	struct record_body records = {
		.bytes = body,
		.size_bytes = header->body_size_bytes,
		.first_lsn = header->first_lsn,
		.count = header->count,
		.t_us = header->timestamp_us,
	};
	if (header->count == 0)
		return 0;
	if (finder->first_lsn == 0) {
		finder->first_lsn = header->first_lsn;
		finder->first_us = header->timestamp_us;
	}
	kr_assert(header->first_lsn > 0);
	if (header->timestamp_us > finder->t_us)
		return 0;
	record_reader_init(&reader, &records, finder->scratch);
	/* What is malformed is found, and said, when it is applied. */
	while (record_next(&reader, &effect) == 0 && effect.t_us <= finder->t_us)
		finder->found_lsn = effect.lsn;
	return 0;
}

static int find_digest(
	void *context, const struct log_batch_header *header, struct log_trouble *trouble)
{
	kr_assert(context != NULL && header != NULL);
	return 0;
}

/* 0: *ret_lsn is the effect; RECOVER_OUT_OF_REACH: the log begins later, or is empty. */
static int find_lsn(struct recovery *recovery, uint64_t *ret_lsn, struct finder *finder)
{
	struct log_applier applier = {
		.context = finder,
		.on_reset = recover_ignore_reset,
		.on_chunk = recover_ignore_chunk,
		.on_batch = find_batch,
		.on_digest = find_digest,
	};
	*finder = (struct finder){
		.scratch = recover_alloc(1, sizeof(*finder->scratch)),
		.t_us = recovery->options->to_time_us,
	};
	recovery->store.reach = (struct log_reach){0};
	int r = log_store_recover(&recovery->store, NULL, true, &applier, &recovery->text);
	free(finder->scratch);
	if (r < 0)
		return r;
	*ret_lsn = finder->found_lsn;
	kr_assert(r == 0);
	return finder->found_lsn > 0 ? 0 : RECOVER_OUT_OF_REACH;
}

static void say_no_time(const struct recovery *recovery, const struct finder *finder)
{
	char wanted[RECOVER_TIME_SIZE], first[RECOVER_TIME_SIZE];
	recover_time_format(recovery->options->to_time_us, wanted);
	recover_time_format(finder->first_us & INT64_MAX, first);
	if (recover_is_refused(recovery))
		recover_describe(recovery, stderr);
	if (finder->first_lsn == 0)
		fprintf(stderr, "keyrack-recover: the log holds no effect\n");
	else
		fprintf(stderr,
			"keyrack-recover: %s cannot be reached: the log begins with LSN %" PRIu64
			" at %s%s\n",
			wanted, finder->first_lsn, first,
			recovery->options->archive == NULL && finder->first_lsn > 1
				? "; an archive of the log (--archive) would reach further"
				: "");
	kr_assert(finder->found_lsn == 0);
}

/* ---- the state ---- */

static int use_archive(struct recovery *recovery)
{
	const char *path = recovery->options->archive;
	if (path == NULL || recovery->store.has_archive)
		return RECOVER_OUT_OF_REACH;
	kr_assert(path[0] != '\0');
	return log_store_open_archive(&recovery->store, path, &recovery->text);
}

static void say_no_state(const struct recovery *recovery, uint64_t to_lsn)
{
	const struct log_recover_report *report = &recovery->store.recover->report;
	kr_assert(report->is_out_of_reach && to_lsn < report->reach_lsn);
	fprintf(stderr,
		"keyrack-recover: LSN %" PRIu64 " cannot be reached: the oldest snapshot shows "
		"everything up to LSN %" PRIu64 ", and the log before it is gone%s\n",
		to_lsn, report->reach_lsn,
		recovery->options->archive == NULL
			? "; an archive of the log (--archive) would reach further"
			: "; the archive does not close the gap");
}

/* The oldest snapshot may have lost its log: then the next one begins. */
static int build_longest(struct recovery *recovery)
{
	struct log_reach *reach = &recovery->store.reach;
	for (unsigned i = 0;; i++) {
		const struct log_recover_report *report = &recovery->store.recover->report;
		int r = recover_build(recovery);
		if (r != 0 || !reach->from_oldest || i == LOG_DIR_SNAP_MAX ||
			report->verdict != LOG_VERDICT_SNAPSHOT_TOO_OLD)
			return r;
		reach->snap_min_lsn = report->snap_begin_lsn + 1;
		kr_assert(report->has_snap);
	}
}

static int build_at(struct recovery *recovery, uint64_t to_lsn, bool from_oldest)
{
	recovery->rebuild.watch.to_lsn = to_lsn;
	for (;;) {
		recovery->store.reach =
			(struct log_reach){.to_lsn = to_lsn, .from_oldest = from_oldest};
		int r = build_longest(recovery);
		kr_assert(r <= LOG_STORE_OUT_OF_REACH);
		if (r != LOG_STORE_OUT_OF_REACH)
			return r;
		r = use_archive(recovery);
		if (r < 0)
			return r;
		if (r == RECOVER_OUT_OF_REACH) {
			say_no_state(recovery, to_lsn);
			return r;
		}
	}
}

/* The state is there, but not as far as it was wanted. */
static int check_end(const struct recovery *recovery, uint64_t to_lsn)
{
	if (recovery->rebuild.shard == NULL)
		return 0;
	const struct log_recover_report *report = &recovery->store.recover->report;
	uint64_t last_lsn = shard_last_lsn(recovery->rebuild.shard);
	bool is_wrong = (report->verdict == LOG_VERDICT_DIGEST ||
				report->verdict == LOG_VERDICT_CONTRADICTION) &&
			report->contradiction_lsn <= to_lsn;
	if (to_lsn == 0 || (last_lsn >= to_lsn && !is_wrong))
		return 0;
	if (recover_is_refused(recovery))
		recover_describe(recovery, stderr);
	fprintf(stderr,
		"keyrack-recover: LSN %" PRIu64 " cannot be reached: the log is whole up to LSN "
		"%" PRIu64 "\n",
		to_lsn, is_wrong ? report->contradiction_lsn - 1 : last_lsn);
	kr_assert(is_wrong || last_lsn < to_lsn);
	return RECOVER_OUT_OF_REACH;
}

int recover_build_as_of(struct recovery *recovery, bool from_oldest)
{
	uint64_t to_lsn = recovery->options->to_lsn;
	struct finder finder;
	/* The longest history is wanted, so the archive is part of it from the first. */
	int r = from_oldest ? use_archive(recovery) : 0;
	if (r < 0)
		return r;
	while (recovery->options->has_to_time) {
		r = find_lsn(recovery, &to_lsn, &finder);
		if (r <= 0)
			break;
		r = use_archive(recovery);
		if (r < 0)
			return r;
		if (r == RECOVER_OUT_OF_REACH) {
			say_no_time(recovery, &finder);
			return r;
		}
	}
	if (r < 0)
		return r;
	r = build_at(recovery, to_lsn, from_oldest);
	kr_assert(r <= RECOVER_OUT_OF_REACH);
	return r == 0 ? check_end(recovery, to_lsn) : r;
}

void recover_sources(const struct recovery *recovery, struct kr_text *text)
{
	const struct log_recover_report *report = &recovery->store.recover->report;
	if (report->has_snap)
		kr_text_format(text, "from the snapshot of LSN %llu to %llu and the log behind it",
			(unsigned long long)report->snap_begin_lsn,
			(unsigned long long)report->snap_end_lsn);
	else
		kr_text_put_string(text, "from the log's beginning");
	if (recovery->store.has_archive)
		kr_text_put_string(text, ", with the archive");
	kr_assert(text->length > 0);
}

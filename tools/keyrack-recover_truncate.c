#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/log/record.h"
#include "engine/log/truncate.h"
#include "tools/keyrack-recover.h"

/*
 * truncate: the log ends with an LSN of the operator's choice. What that loses is said before it
 * is done, and done only with --force; the bytes are kept.
 */

#define IDS_SHOWN_MAX 100u
#define KINDS_MAX 64u

struct touched {
	struct kr_id id;
	uint64_t kinds; /* a bit for each kind of effect */
};

struct loss {
	uint64_t to_lsn;
	struct record_scratch *scratch;
	struct log_batch_header kept; /* batch_seq 0: none */
	bool is_cutting;
	bool is_inside; /* the LSN lies inside the first batch that would go */
	uint64_t inside_first_lsn, inside_last_lsn;
	uint64_t last_lsn, first_us, last_us;
	uint64_t effect_count;
	uint64_t kind_counts[KINDS_MAX];
	struct touched *touched;
	size_t touched_count, capacity;
};

static int on_digest(
	void *context, const struct log_batch_header *header, struct log_trouble *trouble)
{
	kr_assert(context != NULL && header != NULL);
	return 0;
}

static void touch(struct loss *loss, const struct inv_effect *effect)
{
	if (loss->touched_count == loss->capacity) {
		size_t capacity = loss->capacity * 2 + 1024;
		struct touched *touched = recover_alloc(capacity, sizeof(*touched));
		if (loss->touched_count > 0)
			memcpy(touched, loss->touched, loss->touched_count * sizeof(*touched));
		free(loss->touched);
		loss->touched = touched;
		loss->capacity = capacity;
	}
	kr_assert((unsigned)effect->kind < KINDS_MAX);
	loss->touched[loss->touched_count++] =
		(struct touched){.id = effect->id, .kinds = UINT64_C(1) << effect->kind};
}

static void lose(struct loss *loss, const struct inv_effect *effect)
{
	kr_assert(effect->lsn > loss->to_lsn);
	if (loss->effect_count++ == 0)
		loss->first_us = effect->t_us;
	loss->last_us = effect->t_us;
	loss->last_lsn = effect->lsn;
	if ((unsigned)effect->kind < KINDS_MAX)
		loss->kind_counts[effect->kind]++;
	if (!kr_id_is_zero(effect->id) && (unsigned)effect->kind < KINDS_MAX)
		touch(loss, effect);
}

static void lose_batch(
	struct loss *loss, const struct log_batch_header *header, const uint8_t *body)
{
	struct record_reader reader;
	struct inv_effect effect;
	struct record_body records = {
		.bytes = body,
		.size_bytes = header->body_size_bytes,
		.first_lsn = header->first_lsn,
		.count = header->count,
		.t_us = header->timestamp_us,
	};
	kr_assert(loss->is_cutting);
	record_reader_init(&reader, &records, loss->scratch);
	while (record_next(&reader, &effect) == 0) {
		if (effect.lsn > loss->to_lsn)
			lose(loss, &effect);
	}
}

static int on_batch(void *context, const struct log_batch_header *header, const uint8_t *body,
	struct log_trouble *trouble)
{
	struct loss *loss = context;
	uint64_t last_lsn = header->first_lsn + header->count - 1;
	kr_assert(header->batch_seq > loss->kept.batch_seq);
	if (!loss->is_cutting && last_lsn <= loss->to_lsn) {
		loss->kept = *header;
		return 0;
	}
	if (!loss->is_cutting && header->first_lsn <= loss->to_lsn) {
		loss->is_inside = true;
		loss->inside_first_lsn = header->first_lsn;
		loss->inside_last_lsn = last_lsn;
	}
	loss->is_cutting = true;
	if (header->count > 0)
		lose_batch(loss, header, body);
	return 0;
}

static int read_loss(struct recovery *recovery, struct loss *loss)
{
	struct log_applier applier = {
		.context = loss,
		.on_reset = recover_ignore_reset,
		.on_chunk = recover_ignore_chunk,
		.on_batch = on_batch,
		.on_digest = on_digest,
	};
	loss->to_lsn = recovery->options->to_lsn;
	loss->scratch = recover_alloc(1, sizeof(*loss->scratch));
	recovery->store.reach = (struct log_reach){.to_lsn = loss->to_lsn};
	int r = log_store_recover(&recovery->store, NULL, true, &applier, &recovery->text);
	free(loss->scratch);
	kr_assert(r <= 0);
	return r;
}

/* ---- what would be lost ---- */

static int touched_compare(const void *a, const void *b)
{
	const struct touched *x = a, *y = b;
	kr_assert(x != NULL && y != NULL);
	return kr_id_compare(x->id, y->id);
}

/* One entry an id, ascending. */
static void touched_merge(struct loss *loss)
{
	size_t count = 0;
	if (loss->touched_count > 0)
		qsort(loss->touched, loss->touched_count, sizeof(*loss->touched), touched_compare);
	for (size_t i = 0; i < loss->touched_count; i++) {
		if (count > 0 &&
			kr_id_compare(loss->touched[count - 1].id, loss->touched[i].id) == 0)
			loss->touched[count - 1].kinds |= loss->touched[i].kinds;
		else
			loss->touched[count++] = loss->touched[i];
	}
	kr_assert(count <= loss->touched_count);
	loss->touched_count = count;
}

static void print_kinds(const struct loss *loss)
{
	fputs("  effects:", stdout);
	for (unsigned kind = 0; kind < KINDS_MAX; kind++) {
		if (loss->kind_counts[kind] > 0)
			printf(" %s %" PRIu64, record_kind_name(kind), loss->kind_counts[kind]);
	}
	fputc('\n', stdout);
	kr_assert(loss->effect_count > 0);
}

static void print_reservations(const struct loss *loss)
{
	printf("  reservations: %zu%s\n", loss->touched_count,
		loss->touched_count > IDS_SHOWN_MAX ? "; the first 100 are" : "");
	for (size_t i = 0; i < loss->touched_count && i < IDS_SHOWN_MAX; i++) {
		char id[KR_ID_TEXT_SIZE];
		kr_id_format(loss->touched[i].id, id);
		printf("    %s", id);
		for (unsigned kind = 0; kind < KINDS_MAX; kind++) {
			if ((loss->touched[i].kinds >> kind & 1) != 0)
				printf(" %s", record_kind_name(kind));
		}
		fputc('\n', stdout);
	}
	kr_assert(loss->touched_count <= loss->capacity);
}

static void print_snapshots(const struct recovery *recovery)
{
	const struct log_recover *recover = recovery->store.recover;
	kr_assert(recover->snap_count <= LOG_DIR_SNAP_MAX);
	for (uint32_t i = 0; i < recover->snap_count; i++) {
		struct log_dir_text name;
		log_dir_snap_name(recover->snaps[i].name_lsn, &name);
		if (recover->snaps[i].is_passed)
			printf("  set aside: %s\n", name.bytes);
	}
}

static void print_loss(const struct recovery *recovery, const struct loss *loss)
{
	char first[RECOVER_TIME_SIZE], last[RECOVER_TIME_SIZE];
	recover_time_format(loss->first_us & INT64_MAX, first);
	recover_time_format(loss->last_us & INT64_MAX, last);
	kr_assert(loss->is_cutting || recover_is_refused(recovery));
	if (loss->effect_count > 0) {
		printf("lost: %" PRIu64 " effects, LSN %" PRIu64 " to %" PRIu64 ", %s to %s\n",
			loss->effect_count, loss->to_lsn + 1, loss->last_lsn, first, last);
		print_kinds(loss);
		print_reservations(loss);
	}
	print_snapshots(recovery);
	if (!recover_is_refused(recovery))
		return;
	puts("lost: whatever lies in the damage and behind it, which this cannot list:");
	recover_describe(recovery, stdout);
}

/* ---- the cut ---- */

static int check(const struct loss *loss)
{
	if (loss->is_inside) {
		fprintf(stderr,
			"keyrack-recover: LSN %" PRIu64 " lies inside a batch, LSN %" PRIu64
			" to %" PRIu64 ", which is whole or not at all: give %" PRIu64
			" or %" PRIu64 "\n",
			loss->to_lsn, loss->inside_first_lsn, loss->inside_last_lsn,
			loss->inside_first_lsn - 1, loss->inside_last_lsn);
		return RECOVER_EXIT_OUT_OF_REACH;
	}
	if (loss->kept.batch_seq == 0) {
		fprintf(stderr,
			"keyrack-recover: nothing of the log would be left: it begins behind LSN "
			"%" PRIu64 "\n",
			loss->to_lsn);
		return RECOVER_EXIT_OUT_OF_REACH;
	}
	kr_assert(loss->kept.first_lsn + loss->kept.count - 1 == loss->to_lsn);
	return 0;
}

static int cut(struct recovery *recovery, const struct loss *loss)
{
	int r = log_store_truncate(&recovery->store, &loss->kept, &recovery->text);
	if (r < 0)
		return recover_fail(recovery, r);
	puts("cut; what was removed is kept in *.torn-* beside the log");
	recovery->store.reach = (struct log_reach){0};
	recovery->rebuild.watch.to_lsn = 0;
	kr_assert(!recovery->store.is_repaired);
	return recover_run_verify(recovery);
}

static int decide(struct recovery *recovery, struct loss *loss)
{
	int r = read_loss(recovery, loss);
	if (r < 0)
		return recover_fail(recovery, r);
	int status = check(loss);
	if (status != 0)
		return status;
	if (!loss->is_cutting && !recover_is_refused(recovery)) {
		printf("nothing lies behind LSN %" PRIu64 "; nothing was written\n", loss->to_lsn);
		return 0;
	}
	touched_merge(loss);
	print_loss(recovery, loss);
	kr_assert(loss->kept.batch_seq > 0);
	if (recovery->options->is_forced)
		return cut(recovery, loss);
	puts("nothing was written: that takes --force");
	return RECOVER_EXIT_NOT_FORCED;
}

int recover_run_truncate(struct recovery *recovery)
{
	struct loss loss = {0};
	/* What stays has to lead to a state. */
	int r = recover_build_as_of(recovery, false);
	if (r != 0)
		return r < 0 ? recover_fail(recovery, r) : RECOVER_EXIT_OUT_OF_REACH;
	if (recover_verdict(recovery) == LOG_VERDICT_EMPTY ||
		recover_verdict(recovery) == LOG_VERDICT_VERSION) {
		recover_describe(recovery, stdout);
		return (int)recover_verdict_exit(recovery);
	}
	kr_assert(recovery->rebuild.shard != NULL);
	int status = decide(recovery, &loss);
	free(loss.touched);
	return status;
}

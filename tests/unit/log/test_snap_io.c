/* Snapshots written to real files, slice by slice: whole, verified, two kept; and every failure. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/log/snap_io.h"
#include "tests/unit/log/real_dir.h"

#define SEGMENT_SIZE (8u * LOG_BLOCK_SIZE)
#define CHUNK_MAX 64u

struct taking {
	struct real_dir *dir;
	struct log_snap_io io;
	struct log_snap_chunk chunks[CHUNK_MAX];
	const uint8_t *bodies[CHUNK_MAX];
	uint8_t *bytes;
	uint32_t slice_count;
	uint32_t slice_index;
	uint32_t chunk_count; /* of a slice */
	uint32_t body_size_bytes;
	uint64_t begin_lsn;
	uint64_t digest;
	bool is_done;
	int result;
	struct kr_error_text text;
};

static void give(struct taking *taking)
{
	struct log_snap_slice slice = {
		.chunks = taking->chunks,
		.bodies = taking->bodies,
		.chunk_count = taking->chunk_count,
		.is_first = taking->slice_index == 0,
		.is_last = taking->slice_index + 1 == taking->slice_count,
		.begin_lsn = taking->begin_lsn,
		.timestamp_us = 1,
		.epoch = 1,
		.counts = {taking->slice_count},
	};
	for (uint32_t i = 0; i < taking->chunk_count; i++) {
		uint64_t n = (uint64_t)taking->slice_index * taking->chunk_count + i;
		taking->chunks[i] = (struct log_snap_chunk){
			.kind = 1,
			.slot = 12288,
			.hotel_id = n + 1,
			.lsn = n % 3 == 0 ? 1 : taking->begin_lsn + n,
			.digest = hash_64_of_u64(n),
			.body_size_bytes = taking->body_size_bytes - (uint32_t)(n % 7),
		};
		taking->bodies[i] = taking->bytes + n % 11;
		taking->digest += hash_64_of_u64(n);
	}
	taking->slice_index++;
	log_snap_io_slice(&taking->io, &slice);
}

static void on_slice(void *context)
{
	struct taking *taking = context;
	/* What was given may change from now on. */
	memset(taking->chunks, 0xee, sizeof(taking->chunks));
	give(taking);
}

static void on_done(void *context, int result, const struct kr_error_text *text)
{
	struct taking *taking = context;
	cr_assert_not(taking->is_done, "told once");
	taking->is_done = true;
	taking->result = result;
	taking->text = *text;
}

static void start(struct taking *taking, struct real_dir *dir)
{
	struct kr_error_text text = {0};
	memset(taking, 0, sizeof(*taking));
	taking->dir = dir;
	taking->bytes = malloc(LOG_SNAP_BODY_SIZE_MAX + 16);
	cr_assert_not_null(taking->bytes);
	for (uint32_t i = 0; i < LOG_SNAP_BODY_SIZE_MAX + 16; i++)
		taking->bytes[i] = (uint8_t)(i * 7 + i / 256);
	struct log_snap_io_config config = {
		.pace_us = 20, .on_slice = on_slice, .on_done = on_done, .context = taking};
	cr_assert_eq(log_snap_io_init(&taking->io, &dir->store, &config, &text), 0);
}

static void end(struct taking *taking)
{
	log_snap_io_fini(&taking->io);
	free(taking->bytes);
}

/* One whole snapshot, or its failure. */
static int take(struct taking *taking, uint64_t begin_lsn, uint32_t slice_count,
	uint32_t chunk_count, uint32_t body_size_bytes)
{
	taking->begin_lsn = begin_lsn;
	taking->slice_count = slice_count;
	taking->slice_index = 0;
	taking->chunk_count = chunk_count;
	taking->body_size_bytes = body_size_bytes;
	taking->digest = 0;
	taking->is_done = false;
	give(taking);
	for (int i = 0; i < 100000 && !taking->is_done; i++)
		cr_assert_eq(io_loop_tick(taking->dir->loop, 50000), 0);
	cr_assert(taking->is_done);
	cr_assert_not(log_snap_io_is_busy(&taking->io));
	return taking->result;
}

static bool has_snap(const struct real_dir *dir, uint64_t lsn)
{
	struct log_dir_text name;
	struct log_dir_text new_name;
	log_dir_snap_name(lsn, &name);
	log_dir_snap_new_name(lsn, &new_name);
	cr_assert_not(real_dir_has(dir, new_name.bytes));
	return real_dir_has(dir, name.bytes);
}

/* Laid out and repaired, with no log: what is tested here needs none. */
static void fresh(struct real_dir *dir)
{
	struct applied applied;
	struct kr_error_text text = {0};
	struct log_meta meta = world_meta(SEGMENT_SIZE);
	real_dir_init(dir);
	real_dir_recover(dir, NULL, &applied);
	cr_assert_eq(log_store_create(&dir->store, &meta, &text), 0, "%s", text.bytes);
	cr_assert_eq(log_store_repair(&dir->store, &text), 0);
}

/* The whole file by the pure reader: its sums are those of what was given. */
static void check(const struct real_dir *dir, const struct taking *taking)
{
	struct world world;
	struct log_dir_text name;
	struct log_lineage lineage = {.cluster = WORLD_CLUSTER, .shard = WORLD_SHARD};
	struct log_snap_reader reader;
	struct log_snap_event event;
	enum log_snap_step step;
	real_dir_get(dir, &world);
	log_dir_snap_name(taking->begin_lsn, &name);
	const struct world_file *file = world_find(&world, name.bytes);
	cr_assert_not_null(file);
	log_snap_reader_init(&reader, &lineage, taking->begin_lsn, file->size_bytes);
	while ((step = log_snap_reader_next(&reader, &event)) != LOG_SNAP_DONE) {
		if (step == LOG_SNAP_NEED) {
			log_snap_reader_feed(&reader, file->bytes + event.offset_bytes);
			continue;
		}
		uint64_t n = event.chunk->hotel_id - 1;
		cr_assert_eq(
			memcmp(event.body, taking->bytes + n % 11, event.chunk->body_size_bytes),
			0);
	}
	uint64_t count = (uint64_t)taking->slice_count * taking->chunk_count;
	cr_assert_eq(reader.status, LOG_SNAP_OK, "%s", log_snap_status_text(reader.status));
	cr_assert_eq(reader.footer.chunk_count, count);
	cr_assert_eq(reader.footer.digest, taking->digest);
	cr_assert_eq(reader.footer.counts[0], taking->slice_count);
	cr_assert_geq(reader.footer.end_lsn, taking->begin_lsn);
	world_fini(&world);
}

/* With pauses that nobody lives to see the end of. */
Test(snap_io, hurries_from_where_it_stands)
{
	static const int ticks[] = {0, 1, 3, 20};
	struct real_dir dir;
	struct taking taking;
	fresh(&dir);
	for (size_t i = 0; i < KR_ARRAY_COUNT(ticks); i++) {
		start(&taking, &dir);
		taking.io.config.pace_us = taking.io.remove.pace_us = UINT64_C(1) << 40;
		taking.begin_lsn = i + 1;
		taking.slice_count = 3;
		taking.chunk_count = 2;
		taking.body_size_bytes = LOG_SNAP_BODY_SIZE_MAX;
		give(&taking);
		for (int tick = 0; tick < ticks[i]; tick++)
			cr_assert_eq(io_loop_tick(dir.loop, 1000), 0);
		cr_assert_not(taking.is_done);
		log_snap_io_hurry(&taking.io);
		for (int tick = 0; tick < 100000 && !taking.is_done; tick++)
			cr_assert_eq(io_loop_tick(dir.loop, 50000), 0);
		cr_assert(taking.is_done);
		cr_assert_eq(taking.result, 0);
		check(&dir, &taking);
		end(&taking);
	}
	real_dir_fini(&dir);
}

Test(snap_io, slices_of_any_size_make_one_whole_file)
{
	static const struct {
		uint32_t slices;
		uint32_t chunks;
		uint32_t size;
	} shapes[] = {{1, 0, 100}, {1, 1, 16}, {3, 1, 100}, {1, 40, 4096}, {7, 5, 3000},
		{4, 3, LOG_SNAP_BODY_SIZE_MAX}, {60, 1, 200000}};
	struct real_dir dir;
	struct taking taking;
	fresh(&dir);
	start(&taking, &dir);
	for (uint32_t i = 0; i < KR_ARRAY_COUNT(shapes); i++) {
		int r = take(&taking, 10 + i, shapes[i].slices, shapes[i].chunks, shapes[i].size);
		cr_assert_eq(r, 0, "%s", taking.text.bytes);
		check(&dir, &taking);
	}
	end(&taking);
	real_dir_fini(&dir);
}

Test(snap_io, two_are_kept_and_the_floor_is_where_the_older_began)
{
	struct real_dir dir;
	struct taking taking;
	fresh(&dir);
	start(&taking, &dir);
	cr_assert_eq(log_snap_io_floor(&taking.io), 0);
	for (uint64_t lsn = 100; lsn < 900; lsn += 100) {
		cr_assert_eq(take(&taking, lsn, 2, 3, 500), 0);
		cr_assert(has_snap(&dir, lsn));
		cr_assert_eq(has_snap(&dir, lsn - 100), lsn > 100);
		cr_assert_not(lsn > 200 && has_snap(&dir, lsn - 200));
		cr_assert_eq(log_snap_io_floor(&taking.io), lsn > 100 ? lsn - 100 : 0);
	}
	end(&taking);
	real_dir_fini(&dir);
}

Test(snap_io, the_ones_a_start_found_count_and_bad_ones_do_not)
{
	struct real_dir dir;
	struct taking taking;
	struct applied applied;
	struct real_log log;
	struct world world;
	struct log_dir_text name;
	struct kr_error_text text = {0};
	fresh(&dir);
	real_dir_close(&dir);
	real_dir_recover(&dir, NULL, &applied);
	real_log_begin(&log, &dir, 0);
	for (uint32_t i = 0; i < 30; i++)
		cr_assert(real_log_append(&log, 20));
	real_log_stop(&log, NULL);
	world_init(&world);
	world_snap(&world, 100, 100, 20);
	world_snap(&world, 200, 200, 20);
	world_snap(&world, 300, 300, 20);
	log_dir_snap_name(300, &name);
	world_find(&world, name.bytes)->bytes[5000] ^= 1;
	real_dir_put(&dir, &world);
	world_fini(&world);
	real_dir_recover(&dir, NULL, &applied);
	cr_assert_eq(dir.store.recover->report.verdict, LOG_VERDICT_OLDER_SNAPSHOT);
	cr_assert_eq(log_store_repair(&dir.store, &text), 0);
	start(&taking, &dir);
	cr_assert_eq(log_snap_io_floor(&taking.io), 100);
	cr_assert_eq(take(&taking, 400, 1, 2, 100), 0);
	cr_assert_eq(log_snap_io_floor(&taking.io), 200);
	cr_assert_not(has_snap(&dir, 100));
	cr_assert(has_snap(&dir, 200));
	cr_assert_eq(take(&taking, 500, 1, 2, 100), 0);
	cr_assert_eq(log_snap_io_floor(&taking.io), 400);
	cr_assert_not(has_snap(&dir, 300), "the bad one goes with the next good one");
	end(&taking);
	real_dir_fini(&dir);
}

Test(snap_io, a_failure_anywhere_leaves_nothing_of_it_and_nothing_older_goes)
{
	static const enum fault_point points[] = {FAULT_FILE_OPEN, FAULT_FILE_WRITE,
		FAULT_FILE_WRITE_FULL, FAULT_FILE_SYNC, FAULT_FILE_RENAME, FAULT_FILE_READ,
		FAULT_DIRECTORY_SYNC};
	uint32_t fired = 0;
	for (size_t i = 0; i < KR_ARRAY_COUNT(points); i++) {
		for (uint64_t nth = 1;; nth++) {
			struct real_dir dir;
			struct taking taking;
			fresh(&dir);
			start(&taking, &dir);
			cr_assert_eq(take(&taking, 100, 1, 2, 100), 0);
			cr_assert_eq(take(&taking, 200, 1, 2, 100), 0);
			fault_arm(&dir.faults, points[i], nth, false);
			int r = take(&taking, 300, 3, 3, 200000);
			if (dir.faults.fired_count[points[i]] == 0) {
				cr_assert_eq(r, 0);
				fault_disarm(&dir.faults, points[i]);
				end(&taking);
				real_dir_fini(&dir);
				break;
			}
			fired++;
			bool is_kept = has_snap(&dir, 100);
			cr_assert(has_snap(&dir, 200));
			cr_assert_eq(log_snap_io_floor(&taking.io), is_kept ? 100 : 200);
			if (r == 0) {
				/* The old one could not be opened, so it went as a whole. */
				cr_assert(points[i] == FAULT_FILE_OPEN && !is_kept);
				end(&taking);
				real_dir_fini(&dir);
				continue;
			}
			cr_assert_eq(taking.text.bytes[0] != '\0', true);
			/* The directory is synced once more when the old one has gone. */
			cr_assert(is_kept || points[i] == FAULT_DIRECTORY_SYNC);
			if (points[i] == FAULT_DIRECTORY_SYNC) {
				cr_assert_lt(r, 0);
			} else {
				cr_assert_eq(r, points[i] == FAULT_FILE_WRITE_FULL
							? LOG_SNAP_IO_NO_SPACE
							: LOG_SNAP_IO_FAILED);
				cr_assert_not(has_snap(&dir, 300));
				cr_assert_eq(take(&taking, 300, 3, 3, 200000), 0, "the next one");
				cr_assert_eq(log_snap_io_floor(&taking.io), 200);
			}
			end(&taking);
			real_dir_fini(&dir);
		}
	}
	cr_assert_gt(fired, 15);
}

/* Rots a block of the file between its sync and its reading back. */
static void rot(struct io_timer *timer)
{
	struct taking *taking = timer->context;
	struct io_file file;
	static _Alignas(4096) uint8_t block[LOG_BLOCK_SIZE];
	size_t size;
	if (taking->io.step != LOG_SNAP_IO_VERIFY) {
		io_timer_start(taking->dir->loop, timer, io_clock_boot_us(taking->dir->loop) + 10);
		return;
	}
	cr_assert_eq(io_file_open(&taking->dir->store.directory, &file, taking->io.name.bytes,
			     IO_FILE_READ | IO_FILE_WRITE | IO_FILE_DIRECT),
		0);
	cr_assert_eq(io_file_read_now(&file, block, sizeof(block), 3 << 20, &size), 0);
	block[77] ^= 1;
	cr_assert_eq(io_file_write_now(&file, block, sizeof(block), 3 << 20), 0);
	io_file_close(&file);
}

Test(snap_io, what_cannot_be_read_back_is_no_snapshot)
{
	struct real_dir dir;
	struct taking taking;
	struct io_timer timer;
	fresh(&dir);
	start(&taking, &dir);
	cr_assert_eq(take(&taking, 100, 1, 2, 100), 0);
	cr_assert_eq(take(&taking, 200, 1, 2, 100), 0);
	io_timer_init(&timer, rot, &taking);
	io_timer_start(dir.loop, &timer, 0);
	cr_assert_eq(take(&taking, 300, 6, 1, LOG_SNAP_BODY_SIZE_MAX), LOG_SNAP_IO_FAILED);
	cr_assert_not(has_snap(&dir, 300));
	cr_assert(has_snap(&dir, 100));
	cr_assert_eq(log_snap_io_floor(&taking.io), 100);
	end(&taking);
	real_dir_fini(&dir);
}

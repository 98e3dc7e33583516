#include "tests/fault/crash_rig.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tests/unit/log/log_world.h"

#define SNAP_EVERY 5u
#define IDLE_EVERY 7u
#define IDLE_US 6000u /* longer than the seal's */

char rig_context[256];

void rig_failed(const char *format, ...)
{
	va_list args;
	printf("%s: ", rig_context);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	exit(1);
}

static void *grab(size_t size)
{
	void *memory = calloc(1, KR_MAX(size, 1u));
	if (memory == NULL)
		rig_failed("no memory");
	return memory;
}

/* ---- files ---- */

struct taking {
	struct rig_image *image;
	struct sim_disk *disk;
	const char *path;
};

static void take_one(void *context, const char *name)
{
	const struct taking *t = context;
	kr_assert(t->image->count < RIG_FILES_MAX);
	struct rig_file *file = &t->image->files[t->image->count++];
	snprintf(file->path, sizeof(file->path), "%s", t->path);
	snprintf(file->name, sizeof(file->name), "%s", name);
	file->size_bytes = (uint64_t)sim_media_size(t->disk, t->path, name);
	file->bytes = grab(file->size_bytes);
	if (file->size_bytes > 0)
		sim_media_read(t->disk, t->path, name, 0, file->bytes, file->size_bytes);
}

void rig_image_take(struct rig_image *ret_image, struct sim_disk *disk)
{
	struct taking data = {ret_image, disk, RIG_PATH};
	struct taking archive = {ret_image, disk, "archive"};
	ret_image->count = 0;
	sim_media_list(disk, RIG_PATH, take_one, &data);
	sim_media_list(disk, RIG_ARCHIVE_PATH, take_one, &archive);
}

void rig_image_put(const struct rig_image *image, struct sim_disk *disk)
{
	for (uint32_t i = 0; i < image->count; i++) {
		const struct rig_file *f = &image->files[i];
		sim_media_write(disk, f->path, f->name, 0, f->bytes, f->size_bytes);
	}
}

void rig_image_free(struct rig_image *image)
{
	for (uint32_t i = 0; i < image->count; i++)
		free(image->files[i].bytes);
	image->count = 0;
}

/* ---- what must be found ---- */

void rig_rebuild_init(struct rebuild *rebuild, const struct tz_db *tz, struct kr_error_text *text)
{
	memset(rebuild, 0, sizeof(*rebuild));
	rebuild->tz = tz;
	rebuild->text = text;
	rebuild->config = (struct shard_config){
		.inventory = {.hotels_max = 2,
			.rows_max = 4,
			.plans_max = 1,
			.window_nights = 14,
			.reservations_max = 1024,
			.nodes_max = 1024,
			.refusals_max = 64,
			.denials_max = 64,
			.stock_runs_max = 64,
			.retention_us = UINT64_C(3600000000),
			.grace_us = UINT64_C(120000000)},
		.cluster = WORLD_CLUSTER,
		.shard_index = WORLD_SHARD,
		.shard_count = 4,
		.durability = "sync",
		.agent = "test",
	};
	int r = rebuild_reset(rebuild);
	if (r < 0)
		rig_failed("%s", text->bytes);
}

void rig_state_check(const struct rig_promise *promise, const struct log_recover_report *report,
	const struct rebuild *rebuild)
{
	struct inv_contradiction c = {0};
	const uint64_t last =
		report->verdict == LOG_VERDICT_EMPTY ? 0 : report->scan.end.next_lsn - 1;
	if (log_verdict_class(report->verdict) == LOG_VERDICT_REFUSE &&
		report->verdict != LOG_VERDICT_EMPTY) {
		char sentence[1024];
		struct kr_text why;
		kr_text_init(&why, sentence, sizeof(sentence));
		log_recover_describe(report, &why);
		rig_failed("refused: %s", sentence);
	}
	if (last < promise->acked_lsn)
		rig_failed("LSN %llu was acknowledged, and %llu is there: %s",
			(unsigned long long)promise->acked_lsn, (unsigned long long)last,
			log_verdict_name(report->verdict));
	if (last > promise->submitted_lsn)
		rig_failed("LSN %llu was never written, only %llu", (unsigned long long)last,
			(unsigned long long)promise->submitted_lsn);
	if (last > 0 && shard_digest(rebuild->shard) != promise->digests[last])
		rig_failed("another state at LSN %llu than the live one", (unsigned long long)last);
	if (inv_verify(shard_inventory(rebuild->shard), &c) != 0)
		rig_failed("at LSN %llu: %s", (unsigned long long)last, c.what);
}

static void archived_check(struct sim_disk *disk, uint64_t number, uint64_t *next_lsn)
{
	uint8_t block[LOG_BLOCK_SIZE];
	struct log_batch_header header;
	struct log_dir_text name;
	log_dir_segment_name(number, &name);
	if (sim_media_size(disk, RIG_ARCHIVE_PATH, name.bytes) != RIG_SEGMENT_SIZE)
		rig_failed("%s is gone and not in the archive", name.bytes);
	for (uint64_t at = 0; at < RIG_SEGMENT_SIZE; at += LOG_BLOCK_SIZE) {
		sim_media_read(disk, RIG_ARCHIVE_PATH, name.bytes, at, block, sizeof(block));
		if (log_batch_header_read(block, &header) != LOG_BATCH_OK)
			continue;
		if (header.segment != number || header.first_lsn != *next_lsn)
			rig_failed("the archive's %s has LSN %llu where %llu should follow",
				name.bytes, (unsigned long long)header.first_lsn,
				(unsigned long long)*next_lsn);
		*next_lsn = header.first_lsn + header.count;
	}
}

void rig_archive_check(struct sim_disk *disk, const struct log_recover *recover)
{
	uint64_t next_lsn = 1;
	if (recover->segment_count == 0)
		return;
	for (uint64_t number = 1; number < recover->segments[0].number; number++)
		archived_check(disk, number, &next_lsn);
	if (recover->segments[0].first_seq != 0 && recover->segments[0].first_lsn != next_lsn)
		rig_failed("the archive ends before LSN %llu, the log begins at %llu",
			(unsigned long long)next_lsn,
			(unsigned long long)recover->segments[0].first_lsn);
}

/* ---- the process ---- */

bool rig_is_at_crash_point(const struct rig *rig)
{
	return rig->crash_point != 0 && sim_node_point_count(rig->node) == rig->crash_point;
}

static void note(struct rig *rig)
{
	const uint64_t acked = log_io_acked_lsn(&rig->log);
	rig->promise.acked_lsn = KR_MAX(rig->promise.acked_lsn, acked);
}

static bool is_quiet(const struct rig *rig)
{
	return rig->body_size_bytes == 0 &&
	       log_io_acked_lsn(&rig->log) == rig->promise.submitted_lsn;
}

static void append(struct rig *rig)
{
	const struct log_append batch = {.body = rig->body,
		.body_size_bytes = rig->body_size_bytes,
		.count = rig->effect_count,
		.first_lsn = rig->body_first_lsn,
		.timestamp_us = rig->body_t_us};
	if (log_io_append(&rig->log, &batch) != 0)
		return; /* for want of a segment: again at the next tick */
	rig->promise.submitted_lsn = rig->body_first_lsn + rig->effect_count - 1;
	rig->state_bytes += rig->body_size_bytes;
	rig->body_size_bytes = 0;
	rig->append_count++;
}

static int keep_chunk(void *context, const struct log_snap_chunk *chunk, const uint8_t *body)
{
	struct rig *rig = context;
	kr_assert(rig->chunk_count < RIG_CHUNKS_MAX);
	uint8_t **copy = &rig->bodies[rig->chunk_count];
	free(*copy);
	*copy = grab(chunk->body_size_bytes);
	memcpy(*copy, body, chunk->body_size_bytes);
	rig->chunks[rig->chunk_count++] = *chunk;
	return 0;
}

/* The first half of the chunks when it begins, the rest as the state is some batches later. */
static void give_slice(struct rig *rig, bool is_first)
{
	const uint64_t lsn = rig->promise.submitted_lsn;
	kr_assert(is_quiet(rig));
	rig->chunk_count = 0;
	if (is_first)
		rig->begin_lsn = lsn;
	int r = shard_export(rig->rebuild.shard, lsn, keep_chunk, rig);
	kr_assert(r == 0 && rig->chunk_count >= 3);
	const uint32_t half = rig->chunk_count / 2;
	const uint32_t begin = is_first ? 0 : half;
	const struct log_snap_slice slice = {.chunks = rig->chunks + begin,
		.bodies = (const uint8_t *const *)rig->bodies + begin,
		.chunk_count = is_first ? half : rig->chunk_count - half,
		.is_first = is_first,
		.is_last = !is_first,
		.begin_lsn = rig->begin_lsn,
		.timestamp_us = 1,
		.epoch = 1};
	rig->wants_slice = false;
	log_snap_io_slice(&rig->snap, &slice);
}

static void on_slice(void *context)
{
	struct rig *rig = context;
	rig->wants_slice = true;
}

static void on_snap_done(void *context, int result, const struct kr_error_text *text)
{
	struct rig *rig = context;
	if (sim_node_is_dying(rig->node))
		return;
	if (result != 0)
		rig_failed("a snapshot: %s", text->bytes);
	rig->snap_count++;
	log_io_prune(&rig->log, log_snap_io_floor(&rig->snap));
}

static void on_progress(void *context)
{
	struct rig *rig = context;
	note(rig);
	if (rig->is_archive_open)
		log_archive_poll(&rig->archive);
	if (log_io_is_stopped(&rig->log))
		sim_node_crash(rig->node, SIM_KILL);
}

static void on_failed(void *context, int error, const struct kr_error_text *text)
{
	struct rig *rig = context;
	if (!sim_node_is_dying(rig->node))
		rig_failed("the log: %s", text->bytes);
}

static bool snapshot_is_due(const struct rig *rig)
{
	return rig->step % SNAP_EVERY == SNAP_EVERY - 1 && !log_snap_io_is_busy(&rig->snap) &&
	       (rig->store.snap_count == 0 || rig->store.snap_lsns[0] < rig->promise.submitted_lsn);
}

static void end_life(struct rig *rig, enum rig_end end)
{
	const uint64_t digest = shard_digest(rig->rebuild.shard);
	if (end == RIG_STOP) {
		if (!is_quiet(rig) || log_snap_io_is_busy(&rig->snap))
			return;
		rig->is_stopping = true;
		log_io_stop(&rig->log, &digest);
		return;
	}
	if (is_quiet(rig)) {
		rig_work(rig, rig->step == 0);
		append(rig);
	}
	/* Only with the batch on its way, so that there is something to tear. */
	if (rig->body_size_bytes == 0)
		sim_node_crash(rig->node, end == RIG_KILL ? SIM_KILL : SIM_POWER);
}

static uint64_t step(struct rig *rig)
{
	const struct rig_life *life = &rig->lives[rig->life - 1];
	if (!log_io_is_open(&rig->log))
		return 200;
	if (rig->body_size_bytes > 0) {
		append(rig);
		return 100;
	}
	if (rig->step == life->step_count) {
		end_life(rig, life->end);
		return 100;
	}
	if (!is_quiet(rig))
		return 40;
	if (rig->wants_slice && rig->step % 3 == 0)
		give_slice(rig, false);
	else if (snapshot_is_due(rig))
		give_slice(rig, true);
	rig_work(rig, rig->step == 0);
	append(rig);
	rig->step++;
	return rig->step % IDLE_EVERY == 0 ? IDLE_US : 100;
}

static void work(struct io_timer *timer)
{
	struct rig *rig = timer->context;
	const uint64_t pause_us = step(rig);
	if (!rig->is_stopping)
		io_timer_start(rig->loop, timer, io_clock_boot_us(rig->loop) + pause_us);
}

static void log_begin(struct rig *rig)
{
	struct log_io_config config;
	const struct log_snap_io_config snap_config = {
		.pace_us = 10, .on_slice = on_slice, .on_done = on_snap_done, .context = rig};
	const struct log_archive_config archive_config = {
		.path = RIG_ARCHIVE_PATH, .pace_us = 10, .retry_us = 5000};
	log_io_config_default(&config);
	config.seal_idle_us = 2000;
	config.stop_room_bytes = RIG_SEGMENT_SIZE;
	config.space_retry_us = 10000;
	config.pace_us = 20;
	config.recycle_count = 1;
	config.archive_keep_count = 20;
	config.on_progress = on_progress;
	config.on_failed = on_failed;
	config.context = rig;
	int r = log_io_init(&rig->log, &rig->store, &config, &rig->text);
	rig->is_log_open = r == 0;
	if (r == 0)
		r = log_snap_io_init(&rig->snap, &rig->store, &snap_config, &rig->text);
	rig->is_snap_open = rig->is_log_open && r == 0;
	if (r == 0)
		r = log_archive_init(&rig->archive, &rig->log, &archive_config, &rig->text);
	rig->is_archive_open = rig->is_snap_open && r == 0;
	if (r == 0)
		log_io_open(&rig->log, 100);
	else if (!sim_node_is_dying(rig->node))
		rig_failed("a start: %s", rig->text.bytes);
}

/* Recovery, what it must have found, and the repair. */
static void begin(struct rig *rig)
{
	struct log_meta meta = world_meta(RIG_SEGMENT_SIZE);
	struct log_applier applier;
	rebuild_applier(&rig->rebuild, &applier);
	int r = rebuild_reset(&rig->rebuild);
	if (r == 0)
		r = log_store_recover(&rig->store, &meta, false, &applier, &rig->text);
	/* Killed while it read: it was told of errors that are none. */
	if (sim_node_is_dying(rig->node))
		return;
	if (r != 0)
		rig_failed("a recovery: %s", rig->text.bytes);
	const struct log_recover_report *report = &rig->store.recover->report;
	rig_state_check(&rig->promise, report, &rig->rebuild);
	rig_archive_check(rig->disk, rig->store.recover);
	r = report->verdict == LOG_VERDICT_EMPTY ? log_store_create(&rig->store, &meta, &rig->text)
						 : 0;
	const uint64_t last_lsn = report->scan.end.next_lsn - 1;
	if (r == 0)
		r = log_store_repair(&rig->store, &rig->text);
	if (sim_node_is_dying(rig->node))
		return;
	if (r < 0)
		rig_failed("a repair: %s", rig->text.bytes);
	/* What was found, acknowledged or not, is durable only now, and what was not is gone. */
	rig->promise.acked_lsn = rig->promise.submitted_lsn = last_lsn;
	rig->start_count++;
	log_begin(rig);
}

static void lock(struct io_timer *timer)
{
	struct rig *rig = timer->context;
	int r = log_store_lock(&rig->store, &rig->text);
	if (r == LOG_STORE_LOCKED) {
		io_timer_start(rig->loop, timer, io_clock_boot_us(rig->loop) + 50000);
		return;
	}
	if (r == 0)
		begin(rig);
	if (sim_node_is_dying(rig->node))
		return;
	if (r < 0)
		rig_failed("the lock: %s", rig->text.bytes);
	io_timer_init(timer, work, rig);
	io_timer_start(rig->loop, timer, 0);
}

static void start(void *context)
{
	struct rig *rig = context;
	struct io_config config;
	if (rig->life == rig->life_count) {
		rig->is_done = true;
		return;
	}
	rig->life++;
	rig->step = rig->body_size_bytes = 0;
	rig->is_stopping = rig->wants_slice = false;
	if (!sim_node_is_alive(rig->node))
		sim_node_start(rig->node);
	const uint64_t points = sim_node_point_count(rig->node);
	if (rig->crash_point > points)
		sim_node_crash_at(rig->node, rig->crash_point - points, rig->crash_how);
	io_config_default(&config);
	config.environment = rig->node;
	int r = io_loop_new(&config, &rig->loop, &rig->text);
	kr_assert(r == 0);
	r = log_store_open(
		rig->loop, &rig->store, RIG_PATH, IO_DIRECTORY_CREATE, false, &rig->text);
	/* A crash inside this call takes hold when the world steps on. */
	rig->is_store_open = r == 0;
	if (sim_node_is_dying(rig->node))
		return;
	if (r < 0)
		rig_failed("opening: %s", rig->text.bytes);
	io_timer_init(&rig->timer, lock, rig);
	io_timer_start(rig->loop, &rig->timer, 0);
}

static void release(struct rig *rig)
{
	if (rig->is_log_open)
		kr_memory_release(&rig->log.memory);
	if (rig->is_snap_open)
		kr_memory_release(&rig->snap.memory);
	if (rig->is_archive_open)
		kr_memory_release(&rig->archive.memory);
	if (rig->is_store_open)
		kr_memory_release(&rig->store.memory);
	rig->is_log_open = rig->is_snap_open = rig->is_archive_open = rig->is_store_open = false;
}

static void on_crash(void *context, struct sim_node *node, enum sim_crash how)
{
	struct rig *rig = context;
	rig->archived_count += rig->is_archive_open ? (uint32_t)rig->archive.copied_count : 0;
	release(rig);
	if (rig_is_at_crash_point(rig)) {
		rig->is_crashed = true;
		if (!rig->goes_on)
			return;
		/* It was not in the script, which is now a life longer. */
		rig->crash_point = 0;
		rig->life--;
		rig->life_base++;
	}
	sim_world_call_at(rig->world, sim_world_now_us(rig->world) + 300, start, rig);
}

/* The script's own power cuts: of names the first half, of a file every other size, of sectors
 * whatever their place says. */
static uint32_t cut_names(void *context, const char *path, uint32_t change_count)
{
	struct rig *rig = context;
	if (rig_is_at_crash_point(rig) && rig->cutter.names != NULL)
		return rig->cutter.names(rig->cutter.context, path, change_count);
	return change_count / 2;
}

static bool cut_keeps_size(void *context, const char *name)
{
	struct rig *rig = context;
	if (rig_is_at_crash_point(rig) && rig->cutter.names != NULL)
		return rig->cutter.keeps_size(rig->cutter.context, name);
	return rig->life % 2 == 0;
}

static enum sim_fate cut_sector(void *context, const char *name, uint64_t offset)
{
	static const enum sim_fate fates[] = {SIM_FATE_KEPT, SIM_FATE_DROPPED, SIM_FATE_GARBAGE};
	struct rig *rig = context;
	if (rig_is_at_crash_point(rig) && rig->cutter.names != NULL)
		return rig->cutter.sector(rig->cutter.context, name, offset);
	return fates[(offset / SIM_SECTOR_SIZE + rig->life) % KR_ARRAY_COUNT(fates)];
}

void rig_init(struct rig *rig, const struct tz_db *tz, const struct rig_life *lives,
	uint32_t life_count, const struct rig_image *image)
{
	struct sim_config config;
	memset(rig, 0, sizeof(*rig));
	rig->tz = tz;
	rig->lives = lives;
	rig->life_count = life_count;
	rig->cut = (struct sim_cut){cut_names, cut_keeps_size, rig};
	rig_rebuild_init(&rig->rebuild, tz, &rig->text);
	sim_config_default(&config);
	config.on_crash = on_crash;
	config.context = rig;
	rig->world = sim_world_new(&config);
	rig->disk = sim_disk_new(rig->world, 0);
	sim_disk_cut_set(rig->disk, &rig->cut);
	sim_disk_fate_set(rig->disk, cut_sector, rig);
	rig->node = sim_node_new(rig->world, rig->disk, "shard");
	if (image != NULL)
		rig_image_put(image, rig->disk);
}

void rig_run(struct rig *rig)
{
	sim_world_call_at(rig->world, sim_world_now_us(rig->world), start, rig);
	while (!rig->is_done && !(rig->is_crashed && !rig->goes_on)) {
		if (!sim_world_step(rig->world))
			rig_failed(
				"nothing happens any more, life %u, step %u", rig->life, rig->step);
		if (sim_world_now_us(rig->world) > UINT64_C(3600000000))
			rig_failed("life %u, step %u lasts for ever", rig->life, rig->step);
	}
}

void rig_fini(struct rig *rig)
{
	release(rig);
	rebuild_fini(&rig->rebuild);
	rig->world = sim_world_free(rig->world);
	for (uint32_t i = 0; i < RIG_CHUNKS_MAX; i++)
		free(rig->bodies[i]);
}

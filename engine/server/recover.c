#include <string.h>

#include "engine/server/server_priv.h"
#include "engine/shard/replay.h"

/*
 * From a directory to a shard that may start: the same recovery as keyrack-recover.
 */

static void layout_fill(const struct server_config *config, struct log_meta *ret_meta)
{
	const struct shard_config *shard = &config->shard;
	uint32_t first = slot_range_first(shard->shard_index, shard->shard_count);
	uint32_t end = shard->shard_index + 1 == shard->shard_count
			       ? SLOT_COUNT
			       : slot_range_first(shard->shard_index + 1, shard->shard_count);
	kr_assert(first < end && end <= SLOT_COUNT);
	*ret_meta = (struct log_meta){
		.cluster = shard->cluster,
		.shard = shard->shard_index,
		.shard_count = shard->shard_count,
		.slot_first = first,
		.slot_count = end - first,
		.segment_blocks = (uint32_t)(config->segment_size_bytes / LOG_BLOCK_SIZE),
	};
}

/* The loop stands still meanwhile: whoever waits for the shard is told now and then. */
static void on_applied(void *context, bool is_snapshot, uint64_t number)
{
	struct server *server = context;
	const struct server_handler *handler = &server->config.handler;
	uint64_t now_us = io_clock_boot_us(server->loop);
	kr_assert(server->life == SERVER_OPENING);
	if (handler->on_progress == NULL || now_us < server->progress_at_us)
		return;
	server->progress_at_us = now_us + SERVER_PROGRESS_US;
	handler->on_progress(handler->context, is_snapshot, number);
}

/* Once, behind recovery, which may begin anew in other memory. */
static int recover_prefault(struct server *server, struct kr_error_text *text)
{
	const struct kr_memory *memory = &server->rebuild.memory;
	const size_t size_bytes = (size_t)shard_steady_size(&server->rebuild.config);
	const size_t end = KR_MIN((size_bytes + IO_FILE_ALIGN - 1) / IO_FILE_ALIGN * IO_FILE_ALIGN,
		memory->size_bytes);
	size_t part, offset = 0;
	if (!server->config.prefault)
		return 0;
	kr_assert(memory->base != NULL);
	for (; offset < end; offset += part) {
		part = KR_MIN(end - offset, SERVER_PREFAULT_PART);
		int r = kr_memory_populate(memory, offset, part, text);
		if (r < 0)
			return r;
		on_applied(server, false, shard_last_lsn(server->shard));
	}
	kr_assert(offset == end);
	return 0;
}

static int recover_read(struct server *server, struct kr_error_text *text)
{
	const struct server_config *config = &server->config;
	struct log_meta wanted;
	struct log_applier applier;
	server->rebuild = (struct rebuild){
		.config = config->shard,
		.tz = config->tz,
		.memory_flags = config->no_huge_pages ? 0 : KR_MEMORY_HUGE,
		.faults = io_loop_faults(server->loop),
		.text = text,
		.on_applied = on_applied,
		.context = server,
		.loop = server->loop,
	};
	int r = rebuild_reset(&server->rebuild);
	if (r < 0)
		return r;
	layout_fill(config, &wanted);
	rebuild_applier(&server->rebuild, &applier);
	r = log_store_recover(&server->store, &wanted, false, &applier, text);
	server->shard = server->rebuild.shard;
	rebuild_ahead_end(&server->rebuild);
	if (r < 0)
		return server->rebuild.is_too_small ? SERVER_TOO_SMALL : r;
	const struct log_recover_report *report = server_report(server);
	kr_assert(report->verdict < LOG_VERDICT_COUNT);
	if (log_verdict_class(report->verdict) == LOG_VERDICT_REFUSE)
		return SERVER_REFUSED;
	return recover_prefault(server, text);
}

static int recover_settle(struct server *server, struct kr_error_text *text)
{
	struct log_meta meta;
	const struct log_recover_report *report = server_report(server);
	kr_assert(server->store.is_locked);
	if (report->verdict == LOG_VERDICT_EMPTY) {
		layout_fill(&server->config, &meta);
		meta.created_us = (uint64_t)io_clock_wall_us(server->loop);
		int r = log_store_create(&server->store, &meta, text);
		if (r < 0)
			return r;
	} else if (report->verdict != LOG_VERDICT_CLEAN || report->warnings != 0) {
		char bytes[LOG_RECOVER_TEXT_SIZE];
		struct kr_text line;
		kr_text_init(&line, bytes, sizeof(bytes));
		log_recover_describe(report, &line);
		server_note(
			server, KR_EVENT_RECOVERED, log_verdict_name(report->verdict), "%s", bytes);
	}
	return log_store_repair(&server->store, text);
}

static void log_progress(void *context)
{
	server_pump(context);
}

static void log_failed(void *context, int error, const struct kr_error_text *text)
{
	struct server *server = context;
	kr_assert(error < 0);
	if (server->end == 0)
		server->text = *text;
	server_finish(server, error);
}

static int recover_open(struct server *server, struct kr_error_text *text)
{
	struct log_io_config config = server->config.log;
	config.on_progress = log_progress;
	config.on_failed = log_failed;
	config.context = server;
	config.archive_keep_count =
		server->config.archive != NULL ? server->config.archive_keep_count : 0;
	int r = log_io_init(&server->log, &server->store, &config, text);
	if (r < 0)
		return r;
	server->is_log_open = true;
	r = server_archive_init(server, text);
	if (r < 0)
		return r;
	kr_assert(server->append_count > 0);
	log_io_open(&server->log, server->appends[server->append_first].append.t_us);
	return server_snap_init(server, text);
}

/* START comes before anything is written: a clock that is off must leave the disk as it is. */
int server_recover(struct server *server, struct kr_error_text *text)
{
	int r = recover_read(server, text);
	if (r != 0)
		return r;
	server->epoch = KR_MAX(server_report(server)->next_epoch, 1);
	struct shard_event start = {
		.kind = SHARD_START,
		.epoch = server->epoch,
		.snapshot_lsn = server->store.snap_count > 0 ? server->store.snap_lsns[0] : 0,
		.log_t_us = server_report(server)->scan.end.timestamp_us,
		.allow_clock_jump = server->config.allow_clock_jump,
	};
	server->acked_lsn = server->durable_lsn = shard_last_lsn(server->shard);
	r = server_step(server, &start);
	if (r == SHARD_CLOCK_BEHIND)
		return SERVER_CLOCK_BEHIND;
	if (r == SHARD_CLOCK_AHEAD)
		return SERVER_CLOCK_AHEAD;
	kr_assert(r == 0);
	r = recover_settle(server, text);
	return r < 0 ? r : recover_open(server, text);
}

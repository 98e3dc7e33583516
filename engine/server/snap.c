#include "engine/server/server_priv.h"

/*
 * Slices of the step to the snapshot writer, and its word back.
 */

static void slice_written(struct server *server, bool failed)
{
	struct shard_event event = {.kind = SHARD_SLICE_WRITTEN, .snapshot_failed = failed};
	if (server->end != 0 || server->life >= SERVER_SEALING)
		return;
	int r = server_step(server, &event);
	kr_assert(r == 0);
}

static void on_slice(void *context)
{
	struct server *server = context;
	kr_assert(server->is_snap_open);
	slice_written(server, false);
}

static void on_done(void *context, int result, const struct kr_error_text *text)
{
	struct server *server = context;
	kr_assert(server->is_snap_open);
	if (result < 0) {
		server->text = *text;
		server_finish(server, result);
		return;
	}
	if (result > 0)
		server_note(server, KR_EVENT_SNAPSHOT_FAILED, kr_error_name(text->error),
			"a snapshot could not be written: %s", text->bytes);
	else
		log_io_prune(&server->log, log_snap_io_floor(&server->snap));
	slice_written(server, result > 0);
}

int server_snap_init(struct server *server, struct kr_error_text *text)
{
	struct log_snap_io_config config = {
		.pace_us = server->config.snapshot_pace_us,
		.on_slice = on_slice,
		.on_done = on_done,
		.context = server,
	};
	kr_assert(!server->is_snap_open);
	int r = log_snap_io_init(&server->snap, &server->store, &config, text);
	server->is_snap_open = r == 0;
	return r;
}

void server_snap_write(struct server *server, const struct shard_slice *slice)
{
	struct log_snap_slice out = {
		.chunks = slice->chunks,
		.bodies = slice->bodies,
		.chunk_count = slice->chunk_count,
		.is_first = slice->is_first,
		.is_last = slice->is_last,
		.begin_lsn = slice->begin_lsn,
		.timestamp_us = slice->t_us,
		.epoch = server->epoch,
	};
	kr_assert(server->is_snap_open && slice->chunk_count > 0);
	for (unsigned i = 0; i < LOG_SNAP_COUNT_MAX; i++)
		out.counts[i] = slice->counts[i];
	log_snap_io_slice(&server->snap, &out);
}

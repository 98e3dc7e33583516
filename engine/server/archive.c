#include "engine/server/server_priv.h"

/*
 * Copies of the log's segments: opening the archive, and its word to the operator.
 */

static void on_note(void *context, const char *sentence)
{
	struct server *server = context;
	kr_assert(sentence != NULL);
	server_note(server, KR_EVENT_ARCHIVE, NULL, "%s", sentence);
}

static void on_change(void *context)
{
	struct server *server = context;
	const struct log_archive *archive = &server->archive;
	struct shard_archive counts = {
		.copied = archive->copied_count,
		.failures = archive->failure_count,
		.lag = log_writer_archive_lag(&server->log.writer),
	};
	kr_assert(server->is_archive_open && server->shard != NULL);
	shard_archive_note(server->shard, &counts);
}

int server_archive_init(struct server *server, struct kr_error_text *text)
{
	struct log_archive_config config = {
		.path = server->config.archive,
		.pace_us = server->config.snapshot_pace_us,
		.retry_us = server->config.archive_retry_us,
		.allow_tmpfs = server->config.allow_tmpfs,
		.on_note = on_note,
		.on_change = on_change,
		.context = server,
	};
	kr_assert(!server->is_archive_open);
	if (config.path == NULL)
		return 0;
	int r = log_archive_init(&server->archive, &server->log, &config, text);
	server->is_archive_open = r == 0;
	return r;
}

bool server_archive_is_behind(const struct server *server)
{
	uint32_t keep_count = server->log.config.archive_keep_count;
	kr_assert(server->is_log_open);
	return keep_count > 0 && log_writer_archive_lag(&server->log.writer) >= keep_count;
}

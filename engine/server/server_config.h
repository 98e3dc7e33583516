/*
 * What a server is told at its start, and whom it tells what becomes of it. Part of server.h.
 */
#ifndef ENGINE_SERVER_SERVER_CONFIG_H
#define ENGINE_SERVER_SERVER_CONFIG_H

#include "base/event.h"
#include "base/io/io_address.h"
#include "engine/log/log_io.h"
#include "engine/shard/config.h"
#include "proto/conn_guard.h"
#include "proto/token.h"

#define SERVER_CONN_MAX_DEFAULT 8192u
#define SERVER_LOCK_WAIT_US UINT64_C(30000000)
#define SERVER_PROGRESS_US UINT64_C(1000000)
#define SERVER_PREFAULT_PART ((size_t)256 << 20)

struct server_handler {
	void *context;
	void (*on_ready)(void *context);
	void (*on_note)(void *context, const struct kr_note *note);
	/* Recovery goes on: this chunk of the snapshot, or the log up to this LSN, is applied.
	 * Every SERVER_PROGRESS_US at most, and from inside server's own work. May be NULL. */
	void (*on_progress)(void *context, bool is_snapshot, uint64_t number);
	void (*on_end)(void *context, int end, const struct kr_error_text *text);
};

struct server_config {
	const char *directory;
	struct io_address listen[CONN_LISTEN_MAX];
	uint32_t listen_count;
	struct conn_guard guard; /* who may connect there: routers */
	struct token_set tokens; /* of routers, where the guard wants one */
	struct shard_config shard;
	struct log_io_config log; /* callbacks are the server's own */
	const char *archive;      /* where segments are copied; NULL: nowhere */
	uint32_t archive_keep_count;
	uint64_t archive_retry_us;
	uint64_t segment_size_bytes;
	uint64_t lock_wait_us;
	uint64_t snapshot_pace_us;
	uint32_t conn_max_count;
	uint32_t conn_room_count; /* what conn_max_count may be raised to later; 0: no more */
	bool allow_tmpfs;
	bool allow_clock_jump;
	bool no_huge_pages;
	bool prefault;          /* the memory of all tables is taken at start */
	const struct tz_db *tz; /* outlives the server */
	struct server_handler handler;
};

/* Sizes, waits and bounds at their defaults; directory, addresses, tz, handler are to be set. */
void server_config_default(struct server_config *ret_config);

#endif

#include "engine/server/server_priv.h"

#include <stdarg.h>
#include <string.h>

void server_config_default(struct server_config *ret_config)
{
	memset(ret_config, 0, sizeof(*ret_config));
	log_io_config_default(&ret_config->log);
	conn_guard_default(&ret_config->guard);
	ret_config->segment_size_bytes = LOG_SEGMENT_SIZE_DEFAULT;
	ret_config->lock_wait_us = SERVER_LOCK_WAIT_US;
	ret_config->snapshot_pace_us = LOG_SNAP_IO_PACE_US_DEFAULT;
	ret_config->archive_keep_count = LOG_ARCHIVE_KEEP_DEFAULT;
	ret_config->archive_retry_us = LOG_ARCHIVE_RETRY_US_DEFAULT;
	ret_config->conn_max_count = SERVER_CONN_MAX_DEFAULT;
	ret_config->shard.shard_count = 1;
	ret_config->shard.durability = "sync";
	ret_config->shard.agent = "keyrack-shard " KEYRACK_VERSION;
	kr_assert(ret_config->segment_size_bytes % LOG_BLOCK_SIZE == 0);
}

void server_note(
	struct server *server, enum kr_event event, const char *code, const char *format, ...)
{
	char bytes[LOG_RECOVER_TEXT_SIZE];
	struct kr_text text;
	va_list list;
	kr_assert(format != NULL);
	if (server->config.handler.on_note == NULL)
		return;
	kr_text_init(&text, bytes, sizeof(bytes));
	va_start(list, format);
	kr_text_format_list(&text, format, list);
	va_end(list);
	const struct kr_note note = {
		.event = event, .sentence = bytes, .code = code, .lsn = server->durable_lsn};
	server->config.handler.on_note(server->config.handler.context, &note);
}

const struct log_recover_report *server_report(const struct server *server)
{
	kr_assert(server->is_store_open);
	return &server->store.recover->report;
}

/* ---- carrying out actions ---- */

static void send_replies(struct server *server, const struct shard_actions *actions)
{
	struct shard_reply_cursor cursor = {0};
	struct shard_reply reply;
	while (shard_reply_next(actions, &cursor, &reply)) {
		/* A connection that is gone, or too slow, has lost its answers: it asks again. */
		int r = conn_send(
			server->conns, server_conn_id(reply.conn), reply.header, reply.body);
		kr_assert(r == 0 || r == CONN_GONE || r == CONN_CUT);
	}
}

static struct server_append *append_at(struct server *server, uint32_t index)
{
	kr_assert(index < LOG_FLIGHT_MAX);
	return &server->appends[(server->append_first + index) % LOG_FLIGHT_MAX];
}

static void try_append(struct server *server)
{
	while (server->append_taken_count < server->append_count && server->is_log_open &&
		server->end == 0) {
		const struct shard_append *next =
			&append_at(server, server->append_taken_count)->append;
		struct log_append append = {
			.body = next->body,
			.body_size_bytes = next->body_size_bytes,
			.count = next->count,
			.first_lsn = next->first_lsn,
			.timestamp_us = next->t_us,
		};
		int r = log_io_append(&server->log, &append);
		kr_assert(r == 0 || r == LOG_WRITER_BUSY);
		if (r == LOG_WRITER_BUSY)
			return;
		server->append_taken_count++;
	}
}

/* As many at once as became durable in a row. */
static void appends_acked(struct server *server, uint64_t acked_lsn)
{
	kr_assert(server->append_taken_count <= server->append_count);
	while (server->append_taken_count > 0) {
		const struct server_append *oldest = append_at(server, 0);
		if (oldest->append.first_lsn + oldest->append.count - 1 > acked_lsn)
			return;
		server_load_append(server, oldest->since_us);
		server->append_first = (server->append_first + 1) % LOG_FLIGHT_MAX;
		server->append_count--;
		server->append_taken_count--;
	}
}

static void start_listening(struct server *server)
{
	const struct server_config *config = &server->config;
	struct kr_error_text text;
	while (server->listening_count < config->listen_count) {
		const struct io_address *address = &config->listen[server->listening_count];
		struct conn_guard guard = config->guard;
		/* A unix socket is guarded by its mode, and who is inside needs no guard. */
		guard.wants_token &= address->kind < IO_ADDRESS_UNIX;
		int r = conn_set_listen_guarded(server->conns, address, &guard, &text);
		if (r == -KR_E_ADDRESS_IN_USE &&
			io_clock_boot_us(server->loop) < server->retry_until_us) {
			io_timer_start(server->loop, &server->retry,
				io_clock_boot_us(server->loop) + SERVER_RETRY_US);
			return;
		}
		if (r != 0) {
			server->text = text;
			server_finish(server, r < 0 ? r : -KR_E_LIMIT);
			return;
		}
		server->listening_count++;
	}
	kr_assert(server->life == SERVER_OPENING);
	server->life = SERVER_SERVING;
	if (!server->log.is_direct)
		server_note(server, KR_EVENT_BUFFERED, NULL,
			"this file system has no O_DIRECT: batches go through the page "
			"cache and are synced one by one, which is as safe and slower");
	if (config->handler.on_ready != NULL)
		config->handler.on_ready(config->handler.context);
	server_ahead_poll(server);
}

static void set_timer(struct server *server, uint64_t deadline_us)
{
	if (deadline_us == UINT64_MAX)
		io_timer_stop(server->loop, &server->timer);
	else if (!server->timer.is_running || server->timer.deadline_us != deadline_us)
		io_timer_start(server->loop, &server->timer, deadline_us);
	kr_assert(server->timer.is_running == (deadline_us != UINT64_MAX));
}

static void carry_out(struct server *server, const struct shard_actions *actions)
{
	send_replies(server, actions);
	if (actions->append.body != NULL) {
		kr_assert(server->append_count < LOG_FLIGHT_MAX);
		*append_at(server, server->append_count++) = (struct server_append){
			.append = actions->append, .since_us = io_clock_boot_us(server->loop)};
		try_append(server);
	}
	set_timer(server, actions->timer_boot_us);
	if (actions->slice.chunks != NULL)
		server_snap_write(server, &actions->slice);
	if (server->end != 0)
		return; /* this very append or snapshot could not be begun */
	if (actions->is_serving) {
		server->retry_until_us = io_clock_boot_us(server->loop) + SERVER_LOCK_WAIT_US;
		start_listening(server);
	}
	if (actions->is_stopped && server->life < SERVER_SEALING) {
		server->life = SERVER_SEALING;
		log_io_stop(&server->log, NULL);
	}
}

/* Of a REQUEST: how many frames were taken. Of START: 0 or SHARD_CLOCK_*. Else 0. */
int server_step(struct server *server, struct shard_event *event)
{
	struct shard_actions actions;
	event->boot_us = io_clock_boot_us(server->loop);
	event->wall_us = (uint64_t)io_clock_wall_us(server->loop);
	kr_assert(server->life < SERVER_SEALING);
	int r = shard_step(server->shard, event, &actions);
	if (r != 0)
		return r;
	carry_out(server, &actions);
	return event->kind == SHARD_REQUEST ? (int)actions.frames_taken : 0;
}

static void step_simple(struct server *server, struct shard_event event)
{
	kr_assert(event.kind != SHARD_REQUEST && event.kind != SHARD_START);
	int r = server_step(server, &event);
	kr_assert(r == 0);
}

/* ---- what the log says ---- */

static enum shard_space space_of(enum log_level level)
{
	if (level == LOG_LEVEL_OK)
		return SHARD_SPACE_OK;
	kr_assert(level == LOG_LEVEL_LOW || level == LOG_LEVEL_STOP);
	return level == LOG_LEVEL_LOW ? SHARD_SPACE_LOW : SHARD_SPACE_STOP;
}

static void note_level(struct server *server, enum log_level level)
{
	static const char *const sentences[] = {
		[LOG_LEVEL_OK] = "there is room on the disk again: serving",
		[LOG_LEVEL_LOW] = "the disk is nearly full: no new work; confirm and cancel go on",
		[LOG_LEVEL_STOP] = "the disk is full: nothing is changed any more",
	};
	kr_assert((unsigned)level < KR_ARRAY_COUNT(sentences));
	const char *code = level == LOG_LEVEL_LOW ? "LOW" : "STOP";
	if (level == LOG_LEVEL_OK)
		server_note(server, KR_EVENT_SPACE_BACK, NULL, "%s", sentences[level]);
	else if (server_archive_is_behind(server))
		server_note(server, KR_EVENT_SPACE_SHORT, code,
			"the archive does not take segments of the log, and as many "
			"wait as may: %s",
			level == LOG_LEVEL_LOW ? "no new work; confirm and cancel go on"
					       : "nothing is changed any more");
	else
		server_note(server, KR_EVENT_SPACE_SHORT, code, "%s", sentences[level]);
}

static void finish_flush(struct server *server);

static void tell_persisted(struct server *server)
{
	uint64_t acked_lsn = log_io_acked_lsn(&server->log);
	uint64_t durable_lsn = log_writer_durable_lsn(&server->log.writer);
	kr_assert(durable_lsn <= acked_lsn);
	if (server->life >= SERVER_SEALING ||
		(acked_lsn <= server->acked_lsn && durable_lsn <= server->durable_lsn))
		return;
	kr_assert(acked_lsn >= server->acked_lsn);
	appends_acked(server, acked_lsn);
	server->acked_lsn = acked_lsn;
	server->durable_lsn = durable_lsn;
	step_simple(server, (struct shard_event){.kind = SHARD_PERSISTED,
				    .persisted_lsn = acked_lsn,
				    .durable_lsn = durable_lsn,
				    .is_async = server->config.log.sync_interval_us != 0});
	server_ahead_poll(server);
}

void server_pump(struct server *server)
{
	if (server->end != 0 || server->life == SERVER_ENDED)
		return;
	if (server->life == SERVER_SEALING) {
		if (log_io_is_stopped(&server->log))
			finish_flush(server);
		return;
	}
	enum log_level level = log_io_level(&server->log);
	if (level != server->level) {
		server->level = level;
		note_level(server, level);
		step_simple(server,
			(struct shard_event){.kind = SHARD_SPACE, .space = space_of(level)});
	}
	try_append(server);
	tell_persisted(server);
	if (server->is_archive_open)
		log_archive_poll(&server->archive);
}

static void on_timer(struct io_timer *timer)
{
	struct server *server = timer->context;
	kr_assert(timer == &server->timer);
	if (server->end != 0 || server->life >= SERVER_SEALING)
		return;
	step_simple(server, (struct shard_event){.kind = SHARD_TIMEOUT});
}

/* ---- connections ---- */

static void on_open(void *context, struct conn_id id)
{
	struct server *server = context;
	kr_assert(server->conns != NULL && id.generation != 0);
}

static void on_frame(
	void *context, struct conn_id id, const struct frame_header *header, const uint8_t *body)
{
	struct server *server = context;
	kr_assert(header->body_size_bytes <= FRAME_BODY_SIZE_MAX);
	if (server->life < SERVER_SEALING && server->end == 0)
		server_inbox_put(server, id, header, body);
}

static void on_tick_end(void *context)
{
	struct server *server = context;
	if (server->end == 0)
		server_inbox_flush(server);
}

static void on_close(void *context, struct conn_id id, enum conn_reason reason, unsigned code)
{
	struct server *server = context;
	kr_assert(server->conns != NULL && id.generation != 0);
}

static int conns_init(struct server *server, struct kr_error_text *text)
{
	struct conn_config config = {
		.cluster = server->config.shard.cluster,
		.accept_max_count =
			KR_MAX(server->config.conn_max_count, server->config.conn_room_count),
		.body_size_max_bytes = FRAME_BODY_SIZE_MAX,
		.queue_size_max_bytes = SERVER_QUEUE_SIZE,
		.pool_size_bytes = SERVER_POOL_SIZE,
		.idle_timeout_us = server->config.shard.idle_timeout_us,
		.body_check = true,
		.from_routers = true,
		.tokens = &server->config.tokens,
	};
	struct conn_handler handler = {
		.context = server,
		.on_open = on_open,
		.on_frame = on_frame,
		.on_tick_end = on_tick_end,
		.on_close = on_close,
	};
	kr_assert(config.accept_max_count > 0);
	int r = conn_set_new(server->loop, &config, &handler, &server->conns, text);
	if (r == 0)
		conn_set_limit(
			server->conns, server->config.conn_max_count, config.idle_timeout_us);
	return r;
}

void server_retune(struct server *server, const struct server_config *config)
{
	struct shard_config *shard = &server->config.shard;
	kr_assert(server->life != SERVER_IDLE);
	server->config.conn_max_count = config->conn_max_count;
	server->config.tokens = config->tokens;
	shard->snapshot_effects = config->shard.snapshot_effects;
	shard->snapshot_log_bytes = config->shard.snapshot_log_bytes;
	shard->idle_timeout_us = config->shard.idle_timeout_us;
	if (server->conns != NULL)
		conn_set_limit(server->conns, config->conn_max_count, shard->idle_timeout_us);
	if (server->shard != NULL)
		shard_retune(server->shard, shard);
}

/* ---- ending ---- */

static void end_now(struct server *server)
{
	const struct server_handler *handler = &server->config.handler;
	kr_assert(server->life != SERVER_ENDED);
	/* A log that was not stopped goes on by timers, and one may be due in this very turn. */
	if (server->is_log_open)
		log_io_halt(&server->log);
	io_timer_stop(server->loop, &server->timer);
	io_timer_stop(server->loop, &server->retry);
	server->life = SERVER_ENDED;
	if (handler->on_end != NULL)
		handler->on_end(handler->context, server->end, &server->text);
}

/* Nothing of ours is under way any more. */
static bool is_quiet(const struct server *server)
{
	if (server->conns != NULL && !conn_set_is_stopped(server->conns))
		return false;
	if (server->is_snap_open && log_snap_io_is_busy(&server->snap))
		return false;
	if (server->is_archive_open && log_archive_is_busy(&server->archive))
		return false;
	if (server->ahead_op.is_running)
		return false;
	return !server->is_log_open || !log_io_is_busy(&server->log);
}

void server_finish(struct server *server, int end)
{
	if (server->is_ending)
		return;
	server->is_ending = true;
	server->end = end;
	kr_assert(server->life != SERVER_ENDED);
	if (server->conns != NULL)
		conn_set_stop(server->conns);
	if (server->is_archive_open)
		log_archive_stop(&server->archive);
	/* on_end comes from the loop. */
	io_timer_start(server->loop, &server->retry, io_clock_boot_us(server->loop));
}

/* The log is sealed; what was answered last leaves. */
static void finish_flush(struct server *server)
{
	kr_assert(server->life == SERVER_SEALING);
	server->life = SERVER_FLUSHING;
	server->retry_until_us = io_clock_boot_us(server->loop) + SERVER_FLUSH_US;
	io_timer_start(server->loop, &server->retry, io_clock_boot_us(server->loop));
}

void server_stop(struct server *server)
{
	if (server->is_ending || server->life >= SERVER_STOPPING)
		return;
	if (server->life == SERVER_LOCKING) {
		server_finish(server, SERVER_STOPPED);
		return;
	}
	kr_assert(server->shard != NULL);
	server->life = SERVER_STOPPING;
	conn_set_listen_stop(server->conns);
	/* Its last snapshot is what the end waits for. */
	if (server->is_snap_open)
		log_snap_io_hurry(&server->snap);
	step_simple(server, (struct shard_event){.kind = SHARD_STOP});
}

/* ---- starting ---- */

static void try_lock(struct server *server)
{
	struct kr_error_text text = {0};
	int r = log_store_lock(&server->store, &text);
	uint64_t now_us = io_clock_boot_us(server->loop);
	if (r == LOG_STORE_LOCKED && now_us < server->retry_until_us) {
		if (server->retry_until_us - now_us > server->config.lock_wait_us - SERVER_RETRY_US)
			server_note(server, KR_EVENT_WAITING, "IN_USE", "%s; waiting for it",
				text.bytes);
		io_timer_start(server->loop, &server->retry, now_us + SERVER_RETRY_US);
		return;
	}
	if (r == LOG_STORE_LOCKED)
		r = SERVER_IN_USE;
	if (r == 0) {
		server->life = SERVER_OPENING;
		r = server_recover(server, &text);
	}
	if (r != 0) {
		server->text = text;
		server_finish(server, r);
	}
	kr_assert(r == 0 || server->is_ending);
}

static void on_retry(struct io_timer *timer)
{
	struct server *server = timer->context;
	uint64_t now_us = io_clock_boot_us(server->loop);
	kr_assert(timer == &server->retry);
	if (server->is_ending) {
		if (is_quiet(server))
			end_now(server);
		else
			io_timer_start(server->loop, timer, now_us + 1000);
	} else if (server->life == SERVER_LOCKING) {
		try_lock(server);
	} else if (server->life == SERVER_OPENING) {
		start_listening(server);
	} else if (server->life == SERVER_FLUSHING) {
		bool flushed = conn_set_queued_bytes(server->conns) == 0;
		if (flushed || now_us >= server->retry_until_us)
			server_finish(server, SERVER_STOPPED);
		else
			io_timer_start(server->loop, timer, now_us + 1000);
	}
}

static void on_turn(struct io_loop *loop, void *context)
{
	struct server *server = context;
	kr_assert(loop == server->loop);
	server_load_note(server);
	conn_set_turn(server->conns);
}

static int start_parts(struct server *server, struct kr_error_text *text)
{
	const struct server_config *config = &server->config;
	int r = log_store_open(server->loop, &server->store, config->directory, IO_DIRECTORY_CREATE,
		config->allow_tmpfs, text);
	if (r < 0)
		return r;
	server->is_store_open = true;
	r = server_inbox_init(server, text);
	if (r < 0)
		return r;
	kr_assert(server->frames != NULL);
	return conns_init(server, text);
}

int server_start(struct server *server, struct io_loop *loop, const struct server_config *config,
	struct kr_error_text *text)
{
	kr_assert(server->life == SERVER_IDLE);
	kr_assert(config->listen_count <= CONN_LISTEN_MAX);
	server->config = *config;
	server->loop = loop;
	io_timer_init(&server->timer, on_timer, server);
	io_timer_init(&server->retry, on_retry, server);
	server_ahead_init(server);
	int r = start_parts(server, text);
	if (r < 0) {
		server_fini(server);
		return r;
	}
	io_loop_set_turn(loop, on_turn, server);
	server->life = SERVER_LOCKING;
	server->retry_until_us = io_clock_boot_us(loop) + config->lock_wait_us;
	io_timer_start(loop, &server->retry, io_clock_boot_us(loop));
	return 0;
}

void server_fini(struct server *server)
{
	if (server->conns != NULL)
		server->conns = conn_set_free(server->conns);
	if (server->is_snap_open)
		log_snap_io_fini(&server->snap);
	if (server->is_archive_open)
		log_archive_fini(&server->archive);
	if (server->is_log_open)
		log_io_fini(&server->log);
	if (server->is_store_open)
		log_store_close(&server->store);
	rebuild_fini(&server->rebuild);
	server_inbox_fini(server);
	kr_assert(server->conns == NULL);
	server->is_snap_open = false;
	server->is_archive_open = false;
	server->is_log_open = false;
	server->is_store_open = false;
}

void server_abandon(struct server *server)
{
	if (server->conns != NULL)
		server->conns = conn_set_free(server->conns);
	if (server->is_snap_open)
		kr_memory_release(&server->snap.memory);
	if (server->is_archive_open)
		kr_memory_release(&server->archive.memory);
	if (server->is_log_open)
		kr_memory_release(&server->log.memory);
	if (server->is_store_open)
		kr_memory_release(&server->store.memory);
	rebuild_fini(&server->rebuild);
	server_inbox_fini(server);
	kr_assert(server->conns == NULL);
}

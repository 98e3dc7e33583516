/* Between the server's files. */
#ifndef ENGINE_SERVER_SERVER_PRIV_H
#define ENGINE_SERVER_SERVER_PRIV_H

#include "engine/server/server.h"

/* ---- server.c ---- */
/* code: a name, or NULL. */
void server_note(struct server *server, enum kr_event event, const char *code, const char *format,
	...) KR_PRINTF(4, 5);
/* Ends as soon as nothing is under way; the first reason counts. */
void server_finish(struct server *server, int end);
/* One event through the step, its actions carried out. */
KR_MUST_CHECK int server_step(struct server *server, struct shard_event *event);
void server_pump(struct server *server);

/* ---- recover.c ---- */
/* Recovers and prepares the directory, starts the step, opens the log: 0, an enum server_end, or
 * an error with a text. */
KR_MUST_CHECK int server_recover(struct server *server, struct kr_error_text *text);

/* ---- snap.c ---- */
KR_MUST_CHECK int server_snap_init(struct server *server, struct kr_error_text *text);
void server_snap_write(struct server *server, const struct shard_slice *slice);

/* ---- archive.c ---- */
/* Nothing if no archive is wanted. The log has just been opened. */
KR_MUST_CHECK int server_archive_init(struct server *server, struct kr_error_text *text);
/* The log is full because the archive does not keep up. */
bool server_archive_is_behind(const struct server *server);

/* ---- ahead.c ---- */
void server_ahead_init(struct server *server);
/* Takes what the tables come to next, if nothing is being taken. */
void server_ahead_poll(struct server *server);

/* ---- load.c ---- */
/* The step is told what its loop and its disk had to do. */
void server_load_note(struct server *server);
void server_load_append(struct server *server, uint64_t since_us);

/* ---- inbox.c ---- */
KR_MUST_CHECK int server_inbox_init(struct server *server, struct kr_error_text *text);
void server_inbox_fini(struct server *server);
void server_inbox_put(struct server *server, struct conn_id conn, const struct frame_header *header,
	const uint8_t *body);
/* Judges what has come. */
void server_inbox_flush(struct server *server);

static inline uint64_t server_conn_number(struct conn_id id)
{
	return (uint64_t)id.generation << 32 | id.index;
}

static inline struct conn_id server_conn_id(uint64_t number)
{
	return (struct conn_id){.index = (uint32_t)number, .generation = (uint32_t)(number >> 32)};
}

#endif

/*
 * A shard as a process: the step of engine/shard bound to a loop, to frame connections and to the
 * log. What it does itself is carrying: frames to the step, batches to the log, slices to snapshot
 * files, answers to connections.
 *
 *   server_start     opens and locks the directory (waiting up to lock_wait_us while another
 *                    process has it), recovers, repairs, opens the log, listens, serves
 *   on_ready         it serves
 *   server_stop      no more connections; what was judged becomes durable and is answered; a
 *                    snapshot, the digest, a seal
 *   on_end           once, last; then server_fini()
 *
 * It is driven by the loop alone, so that the simulator runs the same lines. It takes the loop's
 * turn. Nothing is printed: sentences for the operator go to on_note. One thread.
 */
#ifndef ENGINE_SERVER_SERVER_H
#define ENGINE_SERVER_SERVER_H

#include "base/io/io.h"
#include "base/io/io_address.h"
#include "base/memory.h"
#include "engine/inventory/ahead.h"
#include "engine/log/archive.h"
#include "engine/log/snap_io.h"
#include "engine/server/rebuild.h"
#include "engine/server/server_config.h"
#include "engine/shard/load.h"
#include "engine/shard/shard.h"
#include "proto/conn.h"

#define SERVER_INBOX_SIZE (64u << 20) /* frames of one turn; more are judged at once */
#define SERVER_INBOX_FRAMES_MAX 32768u
#define SERVER_QUEUE_SIZE (64u << 20)     /* unread answers of one connection: then it is cut */
#define SERVER_POOL_SIZE (256u << 20)     /* of all connections */
#define SERVER_RETRY_US UINT64_C(100000)  /* between tries to lock and to listen */
#define SERVER_FLUSH_US UINT64_C(1000000) /* for the last answers to leave at stop */

/* How it ended: positive; negative is -KR_E_*. */
enum server_end {
	SERVER_STOPPED = 0,
	SERVER_REFUSED = 1,      /* recovery refuses: server->report says why */
	SERVER_CLOCK_BEHIND = 2, /* see shard.h */
	SERVER_CLOCK_AHEAD = 3,
	SERVER_TOO_SMALL = 4, /* the sizes told are too small for what is on disk */
	SERVER_IN_USE = 5,    /* another process has the directory */
};

enum server_life {
	SERVER_IDLE,
	SERVER_LOCKING,
	SERVER_OPENING, /* recovered; the log's epoch and START on their way to disk */
	SERVER_SERVING,
	SERVER_STOPPING, /* the step drains */
	SERVER_SEALING,  /* the log stops */
	SERVER_FLUSHING, /* the last answers leave */
	SERVER_ENDED,
};

struct server_append {
	struct shard_append append;
	uint64_t since_us; /* whatever holds it up counts: the disk, or a segment not ready yet */
};

struct server {
	struct server_config config;
	struct io_loop *loop;
	enum server_life life;
	int end;
	struct kr_error_text text;

	struct log_store store;
	bool is_store_open;
	struct log_io log;
	bool is_log_open;
	struct log_snap_io snap;
	bool is_snap_open;
	struct log_archive archive;
	bool is_archive_open;
	uint64_t epoch;
	struct rebuild rebuild; /* owns the shard's memory */
	struct shard *shard;
	struct conn_set *conns;
	struct inv_ahead ahead; /* memory taken before it is used */
	struct io_op ahead_op;
	bool is_ahead_off;

	/* what the step gave and the log has not acknowledged, a ring, oldest first */
	struct server_append appends[LOG_FLIGHT_MAX];
	uint32_t append_first;
	uint32_t append_count;
	uint32_t append_taken_count;     /* by the log */
	uint64_t acked_lsn, durable_lsn; /* as last told to the step */
	struct shard_load load;          /* for STATS */
	uint64_t first_segment;
	enum log_level level;
	struct io_timer timer; /* the step's */
	struct io_timer retry; /* locking, listening, flushing */
	uint64_t retry_until_us;
	uint64_t progress_at_us; /* not before this time again */
	uint32_t listening_count;
	bool is_ending;

	/* frames of this turn */
	struct kr_memory inbox;
	size_t inbox_used_bytes;
	struct kr_memory frames_memory;
	struct shard_frame *frames;
	uint32_t frame_count;
};

/*
 * `server` is zeroed and stays in place until server_fini(). 0: on_end will come, and not from
 * inside this call; negative: nothing was started.
 */
KR_MUST_CHECK int server_start(struct server *server, struct io_loop *loop,
	const struct server_config *config, struct kr_error_text *text);
/*
 * Takes over what may change while it serves: conn_max_count, and of `shard` what shard_retune()
 * takes. At any time after server_start.
 */
void server_retune(struct server *server, const struct server_config *config);
/* May be called at any time after server_start, more than once. */
void server_stop(struct server *server);
/* After on_end, from outside the loop; or when the loop will never run again. */
void server_fini(struct server *server);

/* Instead of server_fini(), where the loop is gone, as after a simulated crash: memory is given
 * back, nothing else is touched. */
void server_abandon(struct server *server);

/* What recovery found; valid from the end of LOCKING. */
const struct log_recover_report *server_report(const struct server *server);

#endif

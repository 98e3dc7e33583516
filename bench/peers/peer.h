/*
 * Peers: what the load driver and the null server know of a peer's protocol. Pure: bytes in, bytes
 * out; connections and clocks are theirs.
 *
 * One request of the workload is one request on the wire, with one answer. Answers come in the
 * order of their requests, but for protocols that echo a number (`slot`).
 */
#ifndef BENCH_PEERS_PEER_H
#define BENCH_PEERS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

/* What any one request, or all that a new connection says, takes at most. */
#define PEER_REQUEST_SIZE_MAX 4096u
/* The same of an answer. */
#define PEER_ANSWER_SIZE_MAX 16384u
#define PEER_SLOT_NONE UINT32_MAX
/* What a decoder returns for bytes that are no answer of its protocol. */
#define PEER_MALFORMED (-1)

enum peer_kind { PEER_BOOK, PEER_READ, PEER_KINDS };

enum peer_outcome {
	PEER_DONE,
	PEER_REFUSED,  /* sold out */
	PEER_REPEATED, /* the id was there already */
	PEER_FAILED,   /* an error of the peer's own, such as a deadlock */
	PEER_OUTCOMES
};

struct peer_request {
	enum peer_kind kind;
	uint32_t row;   /* of a hotel's room type */
	uint16_t night; /* the first one */
	uint16_t nights;
	uint32_t slot; /* less than PEER_SLOT_NONE; echoed where the protocol can */
	uint8_t id[16];
};

struct peer_answer {
	enum peer_outcome outcome;
	uint32_t slot; /* PEER_SLOT_NONE: the oldest request's */
};

struct peer_config {
	const char *script;                 /* Redis: the SHA-1 of the loaded script */
	uint32_t sizes_bytes[PEER_KINDS];   /* frames: of a request */
	uint32_t answers_bytes[PEER_KINDS]; /* frames: of its answer */
	const char *user;                   /* PostgreSQL: trusted without a password */
};

/* One request judged by the null server. */
struct peer_serving {
	int64_t taken_bytes;  /* of what came; 0: not whole yet; PEER_MALFORMED */
	uint32_t answer_size; /* of what was put to `answer` */
};

struct peer_protocol {
	const char *name;
	/* What a new connection says first; 0 bytes are none. */
	size_t (*greet)(const struct peer_config *config, uint8_t *out);
	/* The size of all that a new connection hears before its first request may go; 0: more must
	 * come; PEER_MALFORMED: it is refused. NULL: it hears nothing. */
	int64_t (*greeted)(const uint8_t *bytes, size_t count);
	/* Writes one request of at most PEER_REQUEST_SIZE_MAX bytes; returns its size. */
	size_t (*encode)(
		const struct peer_config *config, const struct peer_request *request, uint8_t *out);
	/* Takes one answer from the front. Its size; 0: not whole yet; PEER_MALFORMED. */
	int64_t (*decode)(const uint8_t *bytes, size_t count, struct peer_answer *ret);
	/* The null server: what it says to a new connection (may be NULL), and how it answers. */
	size_t (*welcome)(uint8_t *out);
	struct peer_serving (*serve)(const uint8_t *bytes, size_t count, uint8_t *answer);
};

extern const struct peer_protocol peer_redis;
extern const struct peer_protocol peer_postgres;
extern const struct peer_protocol peer_postgres_update;
extern const struct peer_protocol peer_tarantool;
extern const struct peer_protocol peer_frames;

/* NULL: none has this name. */
const struct peer_protocol *peer_find(const char *name);

/* ---- bytes ---- */

struct peer_writer {
	uint8_t *out;
	size_t count;
};

void peer_put(struct peer_writer *writer, const void *bytes, size_t count);
void peer_put_text(struct peer_writer *writer, const char *text); /* without its end */
void peer_put_be(struct peer_writer *writer, uint64_t value, unsigned width_bytes);
uint64_t peer_get_be(const uint8_t *bytes, unsigned width_bytes);

#endif

/*
 * Records: how effects are written into the body of a log batch. Pure.
 *
 * A body is records one after the other. A record is a varint size, then that many bytes: a kind
 * byte, a presence mask, fields. Kinds are those of effects, and TIME, which is no effect and only
 * says that the following effects were judged at a later t than the ones before (the first t is
 * the batch header's). LSNs are not stored: effects count up from the batch's first_lsn.
 *
 * EXPIRE, GRACE and RETIRE records hold any number of effects, one after the other, that share
 * actor, source and reason; each is an effect of its own, with its LSN and event_seq.
 *
 * Nothing read is trusted: sizes, counts, masks and widths are checked before they are used, and a
 * body is accepted only if it holds exactly the count of effects its header promises. FORMAT.md has
 * the layout.
 */
#ifndef ENGINE_LOG_RECORD_H
#define ENGINE_LOG_RECORD_H

#include "base/bytes.h"
#include "engine/inventory/effect.h"

#define RECORD_TIME 64u /* kind byte of the pseudo-record */

/* An effect takes at most this many bytes, whatever is in it: an UPDATE so many for each night of
 * each type, and the rest. */
#define RECORD_OLD_SIZE_MAX 31u
#define RECORD_REST_SIZE_MAX 4096u
#define RECORD_SIZE_MAX (INV_UPDATE_CELLS_MAX * RECORD_OLD_SIZE_MAX + RECORD_REST_SIZE_MAX)
/* The same for every kind but UPDATE. */
#define RECORD_SMALL_SIZE_MAX (48u * 1024u)
/* One packed record is closed at this size, so that a reader's hiccup stays small. */
#define RECORD_PACKED_SIZE_MAX (64u * 1024u)

enum {                   /* conditions of the calls below */
	RECORD_FULL = 1, /* it does not fit: nothing was written */
	RECORD_END = 2,  /* the body is read, and held what was promised */
	RECORD_MALFORMED =
		3, /* the body is no sequence of records; nothing after this can be read */
};

struct record_writer {
	struct kr_writer bytes;
	uint64_t t_us;                 /* of the last effect */
	uint64_t base_t_us;            /* of the first */
	uint32_t count;                /* of effects */
	uint8_t packed_kind;           /* of the record still open, or 0 */
	uint8_t *record;               /* where the record being written starts */
	struct inv_actor packed_actor; /* its reason lies in the record itself */
};

/* `bytes` stays the caller's. */
void record_writer_init(struct record_writer *writer, void *bytes, size_t size_bytes);

/* Appends one effect; its t_us is not before the last one's. 0 or RECORD_FULL. */
KR_MUST_CHECK int record_put(struct record_writer *writer, const struct inv_effect *effect);

/* Closes what is open; the body is the first so many bytes. More effects may follow. */
size_t record_writer_finish(struct record_writer *writer);

/* Arrays of a decoded effect of any kind but UPDATE. */
struct record_arrays {
	struct inv_line lines[INV_LINES_MAX];
	struct inv_price_run runs[INV_STAY_NIGHTS_MAX];
	struct inv_tier tiers[INV_LINES_MAX][INV_TIERS_MAX];
	struct inv_cell_old olds[INV_OLDS_MAX];
};

/* The same, and the large ones of an UPDATE. */
struct record_scratch {
	struct record_arrays arrays;
	uint16_t types[INV_HOTEL_TYPES_MAX];
	struct inv_update_old update_olds[INV_UPDATE_CELLS_MAX];
};

struct record_reader {
	struct kr_reader body;
	struct kr_reader record; /* the open packed record */
	uint64_t t_us;
	uint64_t lsn; /* of the next effect */
	uint64_t lsn_end;
	uint8_t packed_kind;
	struct inv_actor packed_actor;
	struct record_arrays *arrays; /* the scratch's; may be others from one call to the next */
	struct record_scratch *scratch;
};

/* A batch's body as its header describes it. Bytes and scratch outlive the reader. */
struct record_body {
	const void *bytes;
	size_t size_bytes;
	uint64_t first_lsn;
	uint32_t count;
	uint64_t t_us;
};

void record_reader_init(struct record_reader *reader, const struct record_body *body,
	struct record_scratch *scratch);

/*
 * 0: *ret_effect is the next one; its texts lie in the body, its arrays in the scratch until the
 * next call. RECORD_END, RECORD_MALFORMED. With other reader->arrays for each call, effects outlive
 * later calls: all but UPDATEs, one of which the scratch holds.
 */
KR_MUST_CHECK int record_next(struct record_reader *reader, struct inv_effect *ret_effect);

/* "RESERVE"; "UNKNOWN". */
const char *record_kind_name(unsigned kind);

#endif

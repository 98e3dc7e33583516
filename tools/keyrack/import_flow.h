/*
 * Requests of an import on their way, many at a time. What touches the same nights, room type or
 * hotel goes one after another in the order of the file; everything else goes together. A request
 * of several rows that is refused is made again row by row, so that only the wrong ones are lost.
 */
#ifndef TOOLS_KEYRACK_IMPORT_FLOW_H
#define TOOLS_KEYRACK_IMPORT_FLOW_H

#include "tools/keyrack/cli.h"
#include "tools/keyrack/import_form.h"

#define FLOW_OPS_MAX 2048u           /* requests at a time; more rows wait */
#define FLOW_ROWS_MAX 4096u          /* rows of one request; more begin another */
#define FLOW_RAW_SIZE_MAX (1u << 20) /* bytes of their text; more begin another */
#define FLOW_BUCKETS 4096u
#define FLOW_PIECE 64u                       /* requests that leave in one piece */
#define FLOW_DEADLINE_US UINT64_C(120000000) /* of a request, over all tries, at least */

struct flow_row {
	uint64_t line;
	int32_t first_day, last_day; /* IMPORT_NIGHTS: what it wants, inside the window */
	uint32_t raw_at, raw_size_bytes;
};

enum flow_state { FLOW_FREE, FLOW_FILLING, FLOW_READY, FLOW_SENT, FLOW_ENDED };

struct import_flow;

struct flow_op {
	struct import_flow *flow;
	struct flow_op *next;  /* of its list */
	struct flow_op *chain; /* of its bucket */
	enum flow_state state;
	bool is_type_turn; /* IMPORT_HOTEL: its room type is what is on the way */
	bool is_walking;   /* row by row, this is the turn of `row` */
	uint32_t row;
	struct import_unit unit;
	struct flow_row *rows;
	uint32_t row_count, row_room;
	char *raw;
	uint32_t raw_size_bytes, raw_room;
};

/* A row that was refused. */
typedef void flow_refused(void *user, const struct flow_op *op, const struct flow_row *row,
	const struct keyrack_result *result);

/* A reservation that is in, now or since before. */
typedef void flow_come(
	void *user, const struct flow_op *op, const struct keyrack_reservation_answer *answer);

struct import_flow {
	struct cli *cli;
	struct keyrack_client *client;
	flow_refused *refused;
	flow_come *come; /* set before the first IMPORT_STAY */
	void *user;
	struct flow_op *ops;
	struct flow_op *free;
	struct flow_op *ready_first, *ready_last;
	struct flow_op *buckets[FLOW_BUCKETS];
	uint32_t live_count, unsent_count;
	uint64_t request_count; /* that ended */
	bool has_failed;        /* an answer that no row is to blame for */
	enum keyrack_outcome failed_outcome;
	unsigned failed_code;
};

/* CLI_DONE, or the exit code after saying why. */
KR_MUST_CHECK int import_flow_init(
	struct import_flow *flow, struct cli *cli, flow_refused *refused, void *user);
void import_flow_fini(struct import_flow *flow);
/* A free op, FILLING, with the unit; waits for one. NULL: the flow has failed. The unit's texts
 * have to live until it is sent, which import_flow_send() sees to. */
struct flow_op *import_flow_take(struct import_flow *flow, const struct import_unit *unit);
/* One more row of the request. */
void import_flow_row(
	struct flow_op *op, const struct row *row, int32_t first_day, int32_t last_day);
/* Sends it, when nothing before it is in its way: waits for that. Negative: the flow has failed. */
KR_MUST_CHECK int import_flow_send(struct import_flow *flow, struct flow_op *op);
/* Waits until every request has ended. Negative: the flow has failed. */
KR_MUST_CHECK int import_flow_drain(struct import_flow *flow);

#endif

#include "tools/keyrack/import_flow.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "tools/keyrack/report.h"

#define CODE_FINAL_FIRST 10u
#define CODE_FINAL_LAST 63u
#define WAIT_MAX_MS 1000

int import_flow_init(struct import_flow *flow, struct cli *cli, flow_refused *refused, void *user)
{
	const struct keyrack_config config = {
		.routers = cli->routers,
		.token_file = cli->token_file,
		.agent = "keyrack import " KEYRACK_VERSION,
		.in_flight_max = FLOW_OPS_MAX,
		.deadline_us = KR_MAX(cli->deadline_us, FLOW_DEADLINE_US),
		.retry_budget = UINT32_MAX / 16,
		.tries_max = UINT32_MAX / 16,
		.fail_fast = true,
	};
	int r;
	*flow = (struct import_flow){.cli = cli, .refused = refused, .user = user};
	r = keyrack_client_new(&config, &flow->client);
	if (r == -EACCES || r == -EBADMSG)
		return cli_token_refuse(cli);
	if (r < 0)
		return report_not_taken(cli, r);
	flow->ops = calloc(FLOW_OPS_MAX, sizeof(*flow->ops));
	kr_assert(flow->ops != NULL);
	for (uint32_t i = 0; i < FLOW_OPS_MAX; i++) {
		flow->ops[i].flow = flow;
		flow->ops[i].next = flow->free;
		flow->free = &flow->ops[i];
	}
	return CLI_DONE;
}

void import_flow_fini(struct import_flow *flow)
{
	for (uint32_t i = 0; flow->ops != NULL && i < FLOW_OPS_MAX; i++) {
		free(flow->ops[i].rows);
		free(flow->ops[i].raw);
	}
	free(flow->ops);
	flow->ops = NULL;
	if (flow->client != NULL)
		flow->client = keyrack_client_free(flow->client);
	kr_assert(flow->client == NULL);
}

/* ---- what is in whose way -------------------------------------------------------------------- */

static struct flow_op **flow_bucket(struct import_flow *flow, uint64_t hotel_id)
{
	return &flow->buckets[hash_mix(hotel_id) % FLOW_BUCKETS];
}

static bool ops_conflict(const struct flow_op *a, const struct flow_op *b)
{
	const struct keyrack_inventory_set *x = &a->unit.fields.update, *y = &b->unit.fields.update;
	/* reservations are judged in the order of the file, since they leave in it */
	if (a->unit.hotel_id != b->unit.hotel_id || a->unit.kind == IMPORT_STAY)
		return false;
	if (a->unit.kind == IMPORT_HOTEL || b->unit.kind == IMPORT_HOTEL)
		return true;
	if (a->unit.type_number != b->unit.type_number)
		return false;
	kr_assert(a->unit.kind == b->unit.kind);
	return a->unit.kind != IMPORT_NIGHTS ||
	       (x->first_day <= y->last_day && y->first_day <= x->last_day);
}

static bool op_is_blocked(struct import_flow *flow, const struct flow_op *op)
{
	const struct flow_op *other = *flow_bucket(flow, op->unit.hotel_id);
	kr_assert(op->state == FLOW_FILLING);
	for (; other != NULL; other = other->chain)
		if (ops_conflict(op, other))
			return true;
	return false;
}

static void op_chain(struct import_flow *flow, struct flow_op *op)
{
	struct flow_op **bucket = flow_bucket(flow, op->unit.hotel_id);
	kr_assert(op->chain == NULL);
	op->chain = *bucket;
	*bucket = op;
}

static void op_unchain(struct import_flow *flow, struct flow_op *op)
{
	struct flow_op **link = flow_bucket(flow, op->unit.hotel_id);
	while (*link != op) {
		kr_assert(*link != NULL);
		link = &(*link)->chain;
	}
	*link = op->chain;
	op->chain = NULL;
}

/* ---- one request ----------------------------------------------------------------------------- */

static void op_ready(struct import_flow *flow, struct flow_op *op)
{
	kr_assert(op->state != FLOW_READY && op->state != FLOW_FREE);
	op->state = FLOW_READY;
	op->next = NULL;
	if (flow->ready_first == NULL)
		flow->ready_first = op;
	else
		flow->ready_last->next = op;
	flow->ready_last = op;
}

static void op_end(struct import_flow *flow, struct flow_op *op)
{
	kr_assert(op->state == FLOW_SENT && flow->live_count > 0);
	op_unchain(flow, op);
	flow->live_count--;
	op->state = FLOW_FREE;
	op->next = flow->free;
	flow->free = op;
}

/* The rows that this try is about: all of them, or the one whose turn it is. */
static void op_tell_refused(struct flow_op *op, const struct keyrack_result *result)
{
	struct import_flow *flow = op->flow;
	if (op->unit.kind == IMPORT_STAY) {
		for (uint32_t i = 0; i < op->row_count; i++)
			flow->refused(flow->user, op, &op->rows[i], result);
		return;
	}
	kr_assert(op->row_count == 1 || op->is_walking);
	flow->refused(flow->user, op, &op->rows[op->is_walking ? op->row : 0], result);
}

/* A "no" that is about what was asked, rather than about the cluster or the asker. */
static bool is_refusal(const struct keyrack_result *result)
{
	return result->outcome == KEYRACK_RESULT_NOT_DONE && result->code >= CODE_FINAL_FIRST &&
	       result->code <= CODE_FINAL_LAST && result->code != KEYRACK_CODE_FORBIDDEN;
}

static void op_failed(struct import_flow *flow, const struct keyrack_result *result)
{
	if (flow->has_failed)
		return;
	flow->has_failed = true;
	flow->failed_outcome = result->outcome;
	flow->failed_code = result->code;
	kr_assert(result->outcome != KEYRACK_RESULT_DONE);
}

static void on_answer(void *user, const union keyrack_answer *answer)
{
	struct flow_op *op = user;
	struct import_flow *flow = op->flow;
	const struct keyrack_result *result = &answer->result;
	bool is_done = result->outcome == KEYRACK_RESULT_DONE;
	kr_assert(op->state == FLOW_SENT);
	flow->request_count++;
	if (!is_done && !is_refusal(result)) {
		op_failed(flow, result);
		op_end(flow, op);
		return;
	}
	if (!is_done && op->row_count > 1 && !op->is_walking && op->unit.kind != IMPORT_STAY) {
		op->is_walking = true;
		op->row = 0;
		op_ready(flow, op);
		return;
	}
	if (!is_done)
		op_tell_refused(op, result);
	else if (op->unit.kind == IMPORT_STAY)
		flow->come(flow->user, op, &answer->reservation);
	if (op->is_walking && ++op->row < op->row_count) {
		op_ready(flow, op);
		return;
	}
	if (is_done && op->unit.has_type && !op->is_type_turn) {
		op->is_type_turn = true;
		op_ready(flow, op);
		return;
	}
	op_end(flow, op);
}

static int nights_submit(struct import_flow *flow, struct flow_op *op)
{
	struct keyrack_inventory_set set = op->unit.fields.update;
	set.call.retry = KEYRACK_RETRY_ALWAYS;
	set.origin = flow->cli->origin;
	set.types = &op->unit.type_number;
	set.type_count = 1;
	kr_assert(op->row_count > 0);
	if (op->is_walking) {
		set.first_day = op->rows[op->row].first_day;
		set.last_day = op->rows[op->row].last_day;
	}
	return keyrack_submit_inventory_set(flow->client, &set, on_answer, op);
}

static int stay_submit(struct import_flow *flow, struct flow_op *op)
{
	struct keyrack_import request = *op->unit.stay;
	kr_assert(flow->come != NULL);
	request.call.retry = KEYRACK_RETRY_ALWAYS;
	request.origin = flow->cli->origin;
	return keyrack_submit_import(flow->client, &request, on_answer, op);
}

static int op_submit(struct import_flow *flow, struct flow_op *op)
{
	kr_assert(op->state == FLOW_READY);
	if (op->unit.kind == IMPORT_NIGHTS)
		return nights_submit(flow, op);
	if (op->unit.kind == IMPORT_STAY)
		return stay_submit(flow, op);
	if (op->unit.kind == IMPORT_HOTEL && !op->is_type_turn) {
		struct keyrack_hotel_put put = op->unit.hotel;
		put.call.retry = KEYRACK_RETRY_ALWAYS;
		put.origin = flow->cli->origin;
		return keyrack_submit_hotel_put(flow->client, &put, on_answer, op);
	}
	if (op->unit.kind == IMPORT_PLAN) {
		struct keyrack_plan_put put = op->unit.plan.put;
		put.settings.tiers = op->unit.plan.policy.tiers;
		put.call.retry = KEYRACK_RETRY_ALWAYS;
		put.origin = flow->cli->origin;
		return keyrack_submit_plan_put(flow->client, &put, on_answer, op);
	}
	struct keyrack_type_put put = op->unit.type;
	put.call.retry = KEYRACK_RETRY_ALWAYS;
	put.origin = flow->cli->origin;
	return keyrack_submit_type_put(flow->client, &put, on_answer, op);
}

/* Submits what is ready, as far as the client takes it. */
static int flow_pump(struct import_flow *flow)
{
	while (flow->ready_first != NULL) {
		struct flow_op *op = flow->ready_first;
		int r = op_submit(flow, op);
		if (r == KEYRACK_WOULD_BLOCK)
			return 0;
		if (r < 0)
			return r;
		flow->ready_first = op->next;
		op->next = NULL;
		op->state = FLOW_SENT;
	}
	kr_assert(flow->ready_first == NULL);
	return 0;
}

/* Lets the client work, sleeping until there is something to do. */
static int flow_turn(struct import_flow *flow, bool may_sleep)
{
	int r = flow_pump(flow);
	if (r == 0)
		r = keyrack_client_process(flow->client);
	if (r >= 0)
		r = flow_pump(flow);
	kr_assert(flow->live_count <= FLOW_OPS_MAX);
	if (r < 0 || flow->has_failed)
		return -EIO;
	if (may_sleep && flow->live_count > 0) {
		unsigned want = keyrack_client_want(flow->client);
		int64_t timeout_us = keyrack_client_timeout_us(flow->client);
		struct pollfd pfd = {.fd = keyrack_client_fd(flow->client)};
		pfd.events |= (want & KEYRACK_WANT_READ) != 0 ? POLLIN : 0;
		pfd.events |= (want & KEYRACK_WANT_WRITE) != 0 ? POLLOUT : 0;
		if (timeout_us < 0 || timeout_us > WAIT_MAX_MS * 1000)
			timeout_us = WAIT_MAX_MS * 1000;
		(void)poll(&pfd, 1, (int)((timeout_us + 999) / 1000));
	}
	return 0;
}

struct flow_op *import_flow_take(struct import_flow *flow, const struct import_unit *unit)
{
	struct flow_op *op;
	kr_assert(unit->kind != IMPORT_NOTHING);
	while (flow->free == NULL)
		if (flow_turn(flow, true) < 0)
			return NULL;
	op = flow->free;
	flow->free = op->next;
	op->next = NULL;
	op->chain = NULL;
	op->state = FLOW_FILLING;
	op->unit = *unit;
	op->is_type_turn = op->is_walking = false;
	op->row = op->row_count = op->raw_size_bytes = 0;
	return op;
}

void import_flow_row(struct flow_op *op, const struct row *row, int32_t first_day, int32_t last_day)
{
	kr_assert(op->state == FLOW_FILLING && op->row_count < FLOW_ROWS_MAX);
	if (op->row_count == op->row_room) {
		op->row_room = KR_MAX(op->row_room * 2, 4u);
		op->rows = realloc(op->rows, op->row_room * sizeof(*op->rows));
		kr_assert(op->rows != NULL);
	}
	if (op->raw_room - op->raw_size_bytes < row->raw_size_bytes) {
		op->raw_room = 2 * (op->raw_size_bytes + (uint32_t)row->raw_size_bytes);
		op->raw = realloc(op->raw, op->raw_room);
		kr_assert(op->raw != NULL);
	}
	memcpy(op->raw + op->raw_size_bytes, row->raw, row->raw_size_bytes);
	op->rows[op->row_count++] = (struct flow_row){.line = row->line,
		.first_day = first_day,
		.last_day = last_day,
		.raw_at = op->raw_size_bytes,
		.raw_size_bytes = (uint32_t)row->raw_size_bytes};
	op->raw_size_bytes += (uint32_t)row->raw_size_bytes;
}

int import_flow_send(struct import_flow *flow, struct flow_op *op)
{
	int r = 0;
	kr_assert(op->row_count > 0);
	while (op_is_blocked(flow, op))
		if (flow_turn(flow, true) < 0)
			return -EIO;
	op_chain(flow, op);
	flow->live_count++;
	op_ready(flow, op);
	/* The row's texts go into the client now. A room type that follows its hotel has none. */
	if (flow_pump(flow) < 0)
		return -EIO;
	while (op->state == FLOW_READY && r == 0)
		r = flow_turn(flow, true);
	if (r == 0 && ++flow->unsent_count >= FLOW_PIECE) {
		flow->unsent_count = 0;
		r = flow_turn(flow, false);
	}
	return r;
}

int import_flow_drain(struct import_flow *flow)
{
	while (flow->live_count > 0)
		if (flow_turn(flow, true) < 0)
			return -EIO;
	kr_assert(flow->ready_first == NULL);
	return 0;
}

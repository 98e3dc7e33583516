/*
 * Calls over all shards: one part after the other through one slot of the table, then the answers
 * are merged. Each part may use an equal share of the time that is left, so that a shard that is
 * down delays the others but does not silence them.
 */
#include "client/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/decode.h"
#include "client/encode.h"
#include "proto/message.h"
#include "proto/slot.h"

#define FAN_LIMIT_DEFAULT 100u
#define FAN_LIMIT_MAX 1000u

struct client_part {
	struct keyrack_result result;
	ProtobufCMessage *message; /* NULL: none could be read */
	void *memory;              /* that it lives in; its pages are taken as they are touched */
};

struct client_fan {
	uint8_t type; /* enum frame_type */
	struct keyrack_call call;
	keyrack_callback *callback;
	void *user;
	uint64_t submitted_us, deadline_at_us;
	bool is_asking_map; /* the number of shards is not known yet */
	uint32_t shard_first, shard_count;
	uint32_t part_count; /* ended */
	uint32_t tries;

	/* what is asked */
	bool has_after, denials;
	uint64_t after;
	uint32_t limit;

	struct client_part parts[SHARD_COUNT_MAX];
	struct keyrack_refusal refusal;
	void *rows, *details, *sums; /* what the answer points at */
};

struct client_fan *client_fan_free(struct client_fan *fan)
{
	if (fan == NULL)
		return NULL;
	kr_assert(fan->part_count <= SHARD_COUNT_MAX);
	for (uint32_t i = 0; i < fan->part_count; i++)
		free(fan->parts[i].memory);
	free(fan->rows);
	free(fan->details);
	free(fan->sums);
	free(fan);
	return NULL;
}

void client_fan_caller(
	const struct client_fan *fan, keyrack_callback **ret_callback, void **ret_user)
{
	kr_assert(fan->callback != NULL);
	*ret_callback = fan->callback;
	*ret_user = fan->user;
}

/* ---- sending --------------------------------------------------------------------------------- */

static int client_fan_pack(struct client_fan *fan, struct client_pack *pack)
{
	Keyrack__HotelListRequest list = KEYRACK__HOTEL_LIST_REQUEST__INIT;
	Keyrack__StatsRequest stats = KEYRACK__STATS_REQUEST__INIT;
	Keyrack__SnapshotRequest snapshot = KEYRACK__SNAPSHOT_REQUEST__INIT;
	kr_assert(fan->is_asking_map || fan->part_count < fan->shard_count);
	if (fan->is_asking_map)
		return client_encode_router_map(pack, fan);
	pack->request.type = fan->type;
	pack->request.route = FRAME_ROUTE_SHARD;
	pack->request.routing_key = fan->shard_first + fan->part_count;
	pack->request.retry = CLIENT_RETRY_READ;
	switch (fan->type) {
	case FRAME_HOTEL_LIST:
		list.from_start = !fan->has_after;
		list.after = fan->after;
		list.limit = fan->limit;
		pack->request.flags = client_read_flags(&fan->call);
		return client_pack_body(pack, &list.base);
	case FRAME_STATS:
		stats.denials = fan->denials;
		return client_pack_body(pack, &stats.base);
	default:
		kr_assert(fan->type == FRAME_SNAPSHOT);
		return client_pack_body(pack, &snapshot.base);
	}
}

/* An equal share of what is left; 0: nothing is left. */
static uint64_t client_fan_share_us(const struct client_fan *fan, uint64_t now_us)
{
	uint32_t parts = fan->is_asking_map ? 2 : fan->shard_count - fan->part_count;
	kr_assert(parts > 0);
	return now_us < fan->deadline_at_us ? (fan->deadline_at_us - now_us) / parts : 0;
}

/* False: there is no time for another part. */
static bool client_fan_send(struct keyrack_client *client, struct client_fan *fan)
{
	uint64_t share_us = client_fan_share_us(fan, client->now_us);
	if (share_us == 0)
		return false;
	/* The slot of the part before is free again, and nobody could take it yet. */
	uint32_t index = client_core_take(&client->core);
	kr_assert(index != CLIENT_NOWHERE);
	struct client_pack pack = {.client = client, .entry = &client->entries[index]};
	pack.request.deadline_us = share_us;
	int r = client_fan_pack(fan, &pack);
	kr_assert(r == 0);
	pack.entry->fan = fan;
	pack.request.retry = client_retry_bits(client, &fan->call, pack.request.retry);
	client_core_submit(&client->core, index, &pack.request, client->now_us);
	return true;
}

/* The first part, or the question how many there are. */
static int client_fan_begin(struct client_pack *pack, const struct keyrack_call *call,
	enum frame_type type, uint32_t shard, const struct client_fan *asked)
{
	struct keyrack_client *client = pack->client;
	if (shard != KEYRACK_ALL_SHARDS && shard >= SHARD_COUNT_MAX)
		return -EINVAL;
	struct client_fan *fan = malloc(sizeof(*fan));
	if (fan == NULL)
		return -ENOMEM;
	*fan = *asked;
	fan->type = (uint8_t)type;
	fan->call = *call;
	fan->callback = pack->entry->callback;
	fan->user = pack->entry->user;
	fan->submitted_us = client_submit_us(client);
	fan->deadline_at_us = fan->submitted_us + pack->request.deadline_us;
	fan->shard_first = shard == KEYRACK_ALL_SHARDS ? 0 : shard;
	fan->shard_count = shard == KEYRACK_ALL_SHARDS ? client->core.shard_count : 1;
	fan->is_asking_map = fan->shard_count == 0 || fan->shard_count > SHARD_COUNT_MAX;
	int r = client_fan_pack(fan, pack);
	if (r != 0) {
		client_fan_free(fan);
		return r;
	}
	uint64_t share_us = client_fan_share_us(fan, fan->submitted_us);
	pack->request.deadline_us = KR_MAX(share_us, 1);
	pack->fan = fan;
	return 0;
}

int client_encode_hotel_list(struct client_pack *pack, const void *request)
{
	const struct keyrack_hotel_list *list = request;
	struct client_fan asked = {.has_after = list->has_after,
		.after = list->has_after ? list->after : 0,
		.limit = list->limit != 0 ? list->limit : FAN_LIMIT_DEFAULT};
	if (asked.limit > FAN_LIMIT_MAX)
		return -EINVAL;
	return client_fan_begin(pack, &list->call, FRAME_HOTEL_LIST, KEYRACK_ALL_SHARDS, &asked);
}

int client_encode_snapshot(struct client_pack *pack, const void *request)
{
	const struct keyrack_snapshot *snapshot = request;
	struct client_fan asked = {0};
	return client_fan_begin(pack, &snapshot->call, FRAME_SNAPSHOT, snapshot->shard, &asked);
}

int client_encode_stats(struct client_pack *pack, const void *request)
{
	const struct keyrack_stats *stats = request;
	struct client_fan asked = {.denials = stats->denials};
	return client_fan_begin(pack, &stats->call, FRAME_STATS, stats->shard, &asked);
}

/* ---- merging --------------------------------------------------------------------------------- */

/* An array of the answer, `count` of them at least one, so that NULL means no memory. */
static void *client_fan_array(void **slot, size_t count, size_t size_bytes)
{
	kr_assert(*slot == NULL);
	*slot = calloc(KR_MAX(count, 1), size_bytes);
	return *slot;
}

static int client_fan_hotel_order(const void *a, const void *b)
{
	const struct keyrack_hotel *left = a, *right = b;
	return left->hotel_id < right->hotel_id ? -1 : left->hotel_id > right->hotel_id;
}

/* A shard that has more than it told leaves a gap behind its last one: the list ends there. */
static size_t client_fan_cut(
	const struct client_fan *fan, const struct keyrack_hotel *hotels, size_t count)
{
	uint64_t last = UINT64_MAX;
	for (uint32_t i = 0; i < fan->part_count; i++) {
		const Keyrack__HotelListAnswer *part = (const void *)fan->parts[i].message;
		if (part->more && part->n_hotels > 0)
			last = KR_MIN(last, part->hotels[part->n_hotels - 1]->hotel_id);
	}
	while (count > 0 && hotels[count - 1].hotel_id > last)
		count--;
	kr_assert(fan->part_count > 0);
	return KR_MIN(count, fan->limit);
}

static bool client_fan_merge_hotels(struct client_fan *fan, struct keyrack_hotel_list_answer *ret)
{
	size_t count = 0;
	for (uint32_t i = 0; i < fan->part_count; i++) {
		const Keyrack__HotelListAnswer *part = (const void *)fan->parts[i].message;
		count += part != NULL ? part->n_hotels : 0;
	}
	struct keyrack_hotel *hotels = client_fan_array(&fan->rows, count, sizeof(*hotels));
	if (hotels == NULL || ret->result.outcome != KEYRACK_RESULT_DONE)
		return hotels != NULL;
	count = 0;
	for (uint32_t i = 0; i < fan->part_count; i++) {
		const Keyrack__HotelListAnswer *part = (const void *)fan->parts[i].message;
		for (size_t k = 0; k < part->n_hotels; k++)
			client_decode_hotel(part->hotels[k], &hotels[count++]);
		ret->more = ret->more || part->more;
	}
	qsort(hotels, count, sizeof(*hotels), client_fan_hotel_order);
	ret->hotels = hotels;
	ret->hotel_count = (uint32_t)client_fan_cut(fan, hotels, count);
	ret->more = ret->more || count > ret->hotel_count;
	return true;
}

static bool client_fan_merge_snapshots(struct client_fan *fan, struct keyrack_snapshot_answer *ret)
{
	struct keyrack_shard_snapshot *rows =
		client_fan_array(&fan->rows, fan->part_count, sizeof(*rows));
	if (rows == NULL)
		return false;
	for (uint32_t i = 0; i < fan->part_count; i++) {
		const Keyrack__SnapshotAnswer *part = (const void *)fan->parts[i].message;
		rows[i].shard = fan->shard_first + i;
		rows[i].code = fan->parts[i].result.code;
		if (part == NULL)
			continue;
		rows[i].started = part->started;
		rows[i].already_running = part->already_running;
		rows[i].lsn = part->lsn;
	}
	ret->shards = rows;
	ret->shard_count = fan->part_count;
	return true;
}

/* Arrays of one shard's figures, cut from the arrays of all. */
struct client_fan_figures {
	struct keyrack_stat *stats;
	struct keyrack_denial *denials;
};

/* By name, then as they were told. */
static int client_fan_stat_order(const void *a, const void *b)
{
	const struct keyrack_stat *const *left = a, *const *right = b;
	const int order = strcmp((*left)->name, (*right)->name);
	return order != 0 ? order : (*left > *right) - (*left < *right);
}

/*
 * The sum of each name, in the order in which names were first told. Names are sorted and not
 * looked for one by one: how many there are is up to whoever answers.
 */
static bool client_fan_total(const struct keyrack_stat *stats, size_t count,
	struct keyrack_stat *totals, uint32_t *ret_count)
{
	const struct keyrack_stat **order = malloc(KR_MAX(count, 1) * sizeof(*order));
	struct keyrack_stat *total = NULL;
	uint32_t total_count = 0;
	if (order == NULL)
		return false;
	for (size_t i = 0; i < count; i++)
		order[i] = &stats[i];
	qsort(order, count, sizeof(*order), client_fan_stat_order);
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && strcmp(order[i]->name, order[i - 1]->name) == 0) {
			total->value =
				(int64_t)((uint64_t)total->value + (uint64_t)order[i]->value);
			continue;
		}
		total = &totals[order[i] - stats]; /* empty but for the first of a name */
		*total = *order[i];
	}
	for (size_t i = 0; i < count; i++)
		if (totals[i].name != NULL)
			totals[total_count++] = totals[i];
	kr_assert(total_count <= count);
	free(order);
	*ret_count = total_count;
	return true;
}

static void client_fan_shard_stats(const Keyrack__StatsAnswer *part,
	struct client_fan_figures *figures, struct keyrack_shard_stats *ret)
{
	kr_assert(part->state != NULL && part->durability != NULL);
	ret->state = part->state;
	ret->durability = part->durability;
	ret->stats = figures->stats;
	ret->stat_count = (uint32_t)part->n_stats;
	for (size_t k = 0; k < part->n_stats; k++)
		client_decode_stat(part->stats[k], figures->stats++);
	ret->denials = figures->denials;
	ret->denial_count = (uint32_t)part->n_denials;
	for (size_t k = 0; k < part->n_denials; k++) {
		const Keyrack__Denial *denial = part->denials[k];
		*figures->denials++ = (struct keyrack_denial){
			denial->hotel_id, denial->type, denial->rule, denial->day, denial->count};
	}
	ret->denials_overflow = part->denials_overflow;
}

static bool client_fan_merge_stats(struct client_fan *fan, struct keyrack_stats_answer *ret)
{
	size_t stat_count = 0, denial_count = 0;
	for (uint32_t i = 0; i < fan->part_count; i++) {
		const Keyrack__StatsAnswer *part = (const void *)fan->parts[i].message;
		stat_count += part != NULL ? part->n_stats : 0;
		denial_count += part != NULL ? part->n_denials : 0;
	}
	struct keyrack_shard_stats *rows =
		client_fan_array(&fan->rows, fan->part_count, sizeof(*rows));
	struct client_fan_figures figures = {
		.stats = client_fan_array(&fan->sums, 2 * stat_count, sizeof(struct keyrack_stat)),
		.denials = client_fan_array(
			&fan->details, denial_count, sizeof(struct keyrack_denial)),
	};
	if (rows == NULL || figures.stats == NULL || figures.denials == NULL)
		return false;
	struct keyrack_stat *stats = figures.stats, *totals = stats + stat_count;
	ret->totals = totals;
	for (uint32_t i = 0; i < fan->part_count; i++) {
		const Keyrack__StatsAnswer *part = (const void *)fan->parts[i].message;
		rows[i] = (struct keyrack_shard_stats){.shard = fan->shard_first + i,
			.code = fan->parts[i].result.code,
			.state = "",
			.durability = ""};
		if (part != NULL)
			client_fan_shard_stats(part, &figures, &rows[i]);
	}
	ret->shards = rows;
	ret->shard_count = fan->part_count;
	return client_fan_total(stats, stat_count, totals, &ret->total_count);
}

static const Keyrack__Refusal *client_fan_refusal(
	const struct client_fan *fan, const struct client_part *part)
{
	if (part->message == NULL)
		return NULL;
	if (fan->type == FRAME_HOTEL_LIST)
		return ((const Keyrack__HotelListAnswer *)(const void *)part->message)->refusal;
	if (fan->type == FRAME_SNAPSHOT)
		return ((const Keyrack__SnapshotAnswer *)(const void *)part->message)->refusal;
	kr_assert(fan->type == FRAME_STATS);
	return NULL;
}

/* The first part's that is not DONE, or one of those that are. */
static void client_fan_result(
	struct client_fan *fan, uint64_t now_us, struct keyrack_result *ret_result)
{
	const struct client_part *worst = &fan->parts[0];
	kr_assert(fan->part_count > 0);
	for (uint32_t i = 0; i < fan->part_count; i++) {
		if (worst->result.outcome == KEYRACK_RESULT_DONE)
			worst = &fan->parts[i];
	}
	*ret_result = worst->result;
	ret_result->tries = fan->tries;
	ret_result->elapsed_us = now_us - fan->submitted_us;
	ret_result->refusal = NULL;
	const Keyrack__Refusal *refusal = client_fan_refusal(fan, worst);
	if (refusal != NULL) {
		client_decode_refusal(refusal, &fan->refusal);
		ret_result->refusal = &fan->refusal;
	}
}

static void client_fan_finish(
	struct client_fan *fan, uint64_t now_us, union keyrack_answer *ret_answer)
{
	bool is_whole;
	memset(ret_answer, 0, sizeof(*ret_answer));
	client_fan_result(fan, now_us, &ret_answer->result);
	if (fan->type == FRAME_HOTEL_LIST)
		is_whole = client_fan_merge_hotels(fan, &ret_answer->hotel_list);
	else if (fan->type == FRAME_SNAPSHOT)
		is_whole = client_fan_merge_snapshots(fan, &ret_answer->snapshot);
	else
		is_whole = client_fan_merge_stats(fan, &ret_answer->stats);
	if (is_whole)
		return;
	/* No memory for what was answered. */
	struct keyrack_result result = ret_answer->result;
	memset(ret_answer, 0, sizeof(*ret_answer));
	ret_answer->result = result;
	ret_answer->result.outcome = KEYRACK_RESULT_UNKNOWN;
	ret_answer->result.code = KEYRACK_CODE_BAD_ANSWER;
}

/* ---- parts ----------------------------------------------------------------------------------- */

static void client_fan_keep_bad(struct client_part *part)
{
	part->message = NULL;
	part->result.outcome = KEYRACK_RESULT_UNKNOWN;
	part->result.code = KEYRACK_CODE_BAD_ANSWER;
}

/* Whoever has more tells where it goes on. */
static bool client_fan_is_fit(const struct client_fan *fan, const struct client_part *part)
{
	const Keyrack__HotelListAnswer *list = (const void *)part->message;
	kr_assert(part->message != NULL);
	if (fan->type != FRAME_HOTEL_LIST || part->result.outcome != KEYRACK_RESULT_DONE)
		return true;
	return !list->more || list->n_hotels > 0;
}

static void client_fan_keep(struct client_fan *fan, const struct client_end *end)
{
	struct pb_arena arena;
	kr_assert(fan->part_count < SHARD_COUNT_MAX);
	struct client_part *part = &fan->parts[fan->part_count++];
	*part = (struct client_part){0};
	client_decode_result(end, &part->result);
	if (end->body == NULL)
		return;
	part->memory = malloc(CLIENT_ARENA_SIZE);
	if (part->memory != NULL)
		pb_arena_init(&arena, part->memory, CLIENT_ARENA_SIZE);
	if (part->memory == NULL ||
		message_unpack(message_of_answer(end->type), end->body, end->body_size_bytes,
			&arena, &part->message) != 0 ||
		!client_fan_is_fit(fan, part))
		client_fan_keep_bad(part);
}

/* The number of shards has come, or it has not and that is the answer. */
static bool client_fan_take_map(
	struct keyrack_client *client, struct client_fan *fan, const struct client_end *end)
{
	union keyrack_answer answer;
	client_decode(client, end, &answer);
	fan->shard_count = answer.router_map.shard_count;
	bool is_fit = fan->shard_count > 0 && fan->shard_count <= SHARD_COUNT_MAX;
	if (answer.result.outcome == KEYRACK_RESULT_DONE && is_fit) {
		fan->is_asking_map = false;
		return true;
	}
	struct client_part *part = &fan->parts[fan->part_count++];
	*part = (struct client_part){.result = answer.result};
	if (answer.result.outcome == KEYRACK_RESULT_DONE)
		client_fan_keep_bad(part);
	part->result.refusal = NULL;
	return false;
}

/* The parts that there is no time for. */
static void client_fan_skip(struct client_fan *fan)
{
	while (fan->part_count < KR_MAX(fan->shard_count, 1u)) {
		struct client_part *part = &fan->parts[fan->part_count++];
		*part = (struct client_part){.result = {.outcome = KEYRACK_RESULT_NOT_DONE,
						     .code = KEYRACK_CODE_NOT_SENT}};
	}
}

bool client_fan_step(struct keyrack_client *client, struct client_fan *fan,
	const struct client_end *end, union keyrack_answer *ret_answer)
{
	fan->tries += end->tries;
	if (fan->is_asking_map) {
		if (!client_fan_take_map(client, fan, end)) {
			client_fan_finish(fan, client->now_us, ret_answer);
			return true;
		}
	} else {
		client_fan_keep(fan, end);
	}
	if (fan->part_count < fan->shard_count) {
		if (client_fan_send(client, fan))
			return false;
		client_fan_skip(fan);
	}
	client_fan_finish(fan, client->now_us, ret_answer);
	return true;
}

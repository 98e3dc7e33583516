/* Every row and text that an answer points at is read: what is not there shows under ASan. */
#include <string.h>

#include "client/encode.h"
#include "tests/fuzz/client_rig.h"

#define X(name, request, answer) KIND_##name,
enum kind { CLIENT_CALL_TABLE(X) };
#undef X

static volatile uint64_t sum;

static void bytes(const void *at, size_t size_bytes)
{
	const uint8_t *byte = at;
	kr_assert(at != NULL || size_bytes == 0);
	for (size_t i = 0; i < size_bytes; i++)
		sum = sum + byte[i];
}
#define ROWS(array, count) bytes((array), (size_t)(count) * sizeof(*(array)))

static void text(const char *string)
{
	kr_assert(string != NULL);
	bytes(string, strlen(string) + 1);
}

static void refusal(const struct keyrack_refusal *one)
{
	char sentence[64];
	if (one == NULL)
		return;
	text(one->text);
	size_t length = keyrack_refusal_format(one, sentence, sizeof(sentence));
	kr_assert(length > 0 && strlen(sentence) == KR_MIN(length, sizeof(sentence) - 1));
}

static void lines(const struct keyrack_line *array, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		ROWS(array[i].runs, array[i].run_count);
		ROWS(array[i].tiers, array[i].tier_count);
	}
}

static void stats(const struct keyrack_stat *array, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		text(array[i].name);
}

static void hotel(const struct keyrack_hotel *one)
{
	text(one->settings.code);
	text(one->settings.zone);
	text(one->settings.currency);
}

static void reservations(const struct keyrack_reservation *array, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		lines(array[i].lines, array[i].line_count);
		text(array[i].external_ref);
		text(array[i].payment_ref);
	}
}

/* Whoever pages goes on behind the last row: with more to come there is one. */
static void hotels(const struct keyrack_hotel_list_answer *list)
{
	for (uint32_t i = 0; i < list->hotel_count; i++) {
		hotel(&list->hotels[i]);
		kr_assert(i == 0 || list->hotels[i - 1].hotel_id <= list->hotels[i].hotel_id);
	}
	kr_assert(!list->more || list->hotel_count > 0);
}

static void plans(const struct keyrack_plan_list_answer *list)
{
	for (uint32_t i = 0; i < list->plan_count; i++) {
		text(list->plans[i].settings.code);
		ROWS(list->plans[i].settings.tiers, list->plans[i].settings.tier_count);
	}
	kr_assert(!list->more || list->plan_count > 0);
}

static void stock(const struct keyrack_stock_list_answer *list)
{
	ROWS(list->runs, list->run_count);
	kr_assert(!list->more || list->run_count > 0);
}

static void shard_stats(const struct keyrack_stats_answer *all)
{
	stats(all->totals, all->total_count);
	for (uint32_t i = 0; i < all->shard_count; i++) {
		text(all->shards[i].state);
		text(all->shards[i].durability);
		stats(all->shards[i].stats, all->shards[i].stat_count);
		ROWS(all->shards[i].denials, all->shards[i].denial_count);
	}
}

static void availability(const struct keyrack_availability_answer *page)
{
	size_t cells = (size_t)page->type_count * page->night_count;
	ROWS(page->types, page->type_count);
	ROWS(page->counters, cells);
	ROWS(page->rates, cells);
	ROWS(page->classes, 2 * (size_t)page->class_count);
}

static void stay(const struct keyrack_stay_answer *one)
{
	lines(one->lines, one->line_count);
	for (uint32_t i = 0; i < one->refusal_count; i++)
		refusal(&one->refusals[i]);
}

static void router(enum kind kind, const union keyrack_answer *answer)
{
	const struct keyrack_router_status_answer *status = &answer->router_status;
	const struct keyrack_router_connections_answer *all = &answer->router_connections;
	if (kind == KIND_router_map)
		ROWS(answer->router_map.ranges, answer->router_map.range_count);
	for (uint32_t i = 0; kind == KIND_router_connections && i < all->connection_count; i++) {
		text(all->connections[i].peer);
		text(all->connections[i].agent);
	}
	if (kind != KIND_router_status)
		return;
	text(status->version);
	stats(status->stats, status->stat_count);
	for (uint32_t i = 0; i < status->link_count; i++)
		text(status->links[i].address);
}

static void lists(enum kind kind, const union keyrack_answer *answer)
{
	if (kind == KIND_hotel_list)
		hotels(&answer->hotel_list);
	else if (kind == KIND_plan_list)
		plans(&answer->plan_list);
	else if (kind == KIND_stock_list)
		stock(&answer->stock_list);
	else if (kind == KIND_night_list)
		ROWS(answer->night_list.nights, answer->night_list.night_count);
	else if (kind == KIND_denial_list)
		ROWS(answer->denial_list.denials, answer->denial_list.denial_count);
	else if (kind == KIND_reservation_list)
		reservations(answer->reservation_list.reservations,
			answer->reservation_list.reservation_count);
	else
		router(kind, answer);
}

void rig_answer_touch(uint8_t kind, const union keyrack_answer *answer)
{
	bool is_done = answer->result.outcome == KEYRACK_RESULT_DONE;
	refusal(answer->result.refusal);
	/* The rest counts only if DONE, but for these. */
	if (kind == KIND_snapshot)
		ROWS(answer->snapshot.shards, answer->snapshot.shard_count);
	if (kind == KIND_stats)
		shard_stats(&answer->stats);
	if (kind == KIND_stay)
		stay(&answer->stay);
	if (!is_done)
		return;
	lists((enum kind)kind, answer);
	if (kind == KIND_hotel_put || kind == KIND_hotel_get)
		hotel(&answer->hotel.hotel);
	for (uint32_t i = 0; kind == KIND_type_get && i < answer->type_list.type_count; i++)
		text(answer->type_list.types[i].settings.code);
	if (kind == KIND_availability)
		availability(&answer->availability);
	if (kind == KIND_reservation_get)
		reservations(&answer->reservation_get.reservation, 1);
	if (kind == KIND_ping)
		bytes(answer->ping.payload, answer->ping.payload_size_bytes);
}

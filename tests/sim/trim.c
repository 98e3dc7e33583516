#include "tests/sim/trim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/client.h"

/* Rates of the world, those of its media, and what the harness does by itself. */
static const struct {
	const char *name;
	size_t offset;
} faults[] = {
#define RATE(field)                                                                                \
	{                                                                                          \
#field, offsetof(struct cluster_plan, world.faults.field)                          \
	}
#define MEDIA(field)                                                                               \
	{                                                                                          \
#field, offsetof(struct cluster_plan, media.field)                                 \
	}
#define PLAN(field)                                                                                \
	{                                                                                          \
#field, offsetof(struct cluster_plan, field)                                       \
	}
#define TROUBLE(name, kind)                                                                        \
	{                                                                                          \
#name, offsetof(struct cluster_plan, troubles[kind])                               \
	}
	RATE(net_split),
	RATE(net_spike),
	RATE(net_reset),
	RATE(net_silence),
	RATE(net_flip),
	RATE(net_duplicate),
	RATE(disk_spike),
	RATE(disk_short),
	RATE(disk_sync_error),
	RATE(disk_write_error),
	RATE(crash_kill),
	RATE(crash_power),
	RATE(pause),
	RATE(wall_step),
	MEDIA(net_astray),
	MEDIA(disk_write_lost),
	MEDIA(disk_write_astray),
	MEDIA(disk_rot),
	MEDIA(disk_read_flip),
	MEDIA(disk_read_error),
	PLAN(strike_tail),
	PLAN(strike_rest),
	PLAN(aim),
	PLAN(aim_troubles),
	PLAN(router_inside),
	TROUBLE(full_disk, CLUSTER_FULL),
	TROUBLE(partition, CLUSTER_CUT),
	TROUBLE(kill, CLUSTER_KILL),
	TROUBLE(power_cut, CLUSTER_POWER),
	TROUBLE(router_kill, CLUSTER_ROUTER_KILL),
	TROUBLE(crash_at, CLUSTER_CRASH_AT),
	TROUBLE(days, CLUSTER_DAYS),
	TROUBLE(restart, CLUSTER_RESTART),
	TROUBLE(stand_still, CLUSTER_PAUSE),
	TROUBLE(far_clocks, CLUSTER_WALL),
	TROUBLE(frozen_clocks, CLUSTER_FREEZE),
	TROUBLE(crash_loop, CLUSTER_CRASH_LOOP),
	TROUBLE(rival, CLUSTER_RIVAL),
	TROUBLE(reply_kill, CLUSTER_REPLY_KILL),
	TROUBLE(stranger, CLUSTER_STRANGER),
	TROUBLE(half_close, CLUSTER_HALF_CLOSE),
	TROUBLE(deaf, CLUSTER_DEAF),
	TROUBLE(storm, CLUSTER_STORM),
};
_Static_assert(KR_ARRAY_COUNT(faults) < 64, "a bit for each");

static const char *const numbers[TRIM_NUMBERS] = {
	"shards", "routers", "clients", "hotels", "operations", "crashes", "safety-ms"};

void trim_init(struct trim *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (uint32_t i = 0; i < TRIM_NUMBERS; i++)
		ret->numbers[i] = TRIM_NONE;
}

uint32_t trim_fault_count(void)
{
	return KR_ARRAY_COUNT(faults);
}

const char *trim_fault_name(uint32_t fault)
{
	kr_assert(fault < KR_ARRAY_COUNT(faults));
	return faults[fault].name;
}

const char *trim_number_name(enum trim_number number)
{
	kr_assert(number < TRIM_NUMBERS);
	return numbers[number];
}

static uint32_t *rate_of(struct cluster_plan *plan, uint32_t fault)
{
	kr_assert(fault < KR_ARRAY_COUNT(faults));
	return (uint32_t *)((char *)plan + faults[fault].offset);
}

uint64_t trim_faults_of(const struct cluster_plan *plan)
{
	struct cluster_plan copy = *plan;
	uint64_t on = 0;
	for (uint32_t i = 0; i < KR_ARRAY_COUNT(faults); i++)
		if (*rate_of(&copy, i) != 0)
			on |= UINT64_C(1) << i;
	return on;
}

static bool number_parse(const char *text, uint64_t max, uint64_t *ret)
{
	char *end;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0' && *ret <= max;
}

bool trim_number_parse(struct trim *trim, enum trim_number number, const char *text)
{
	kr_assert(number < TRIM_NUMBERS);
	const bool is_size = number <= TRIM_HOTELS;
	return number_parse(text, TRIM_NONE - 1, &trim->numbers[number]) &&
	       (!is_size || trim->numbers[number] > 0);
}

bool trim_stir_parse(struct trim *trim, const char *text)
{
	uint64_t stir;
	if (!number_parse(text, TRIM_STIR_MAX, &stir))
		return false;
	trim->stir = (uint32_t)stir;
	return true;
}

bool trim_faults_parse(struct trim *trim, const char *text)
{
	trim->faults_off = (UINT64_C(1) << KR_ARRAY_COUNT(faults)) - 1;
	if (strcmp(text, "none") == 0)
		return true;
	for (;;) {
		const size_t length = strcspn(text, ",");
		uint32_t i = 0;
		while (i < KR_ARRAY_COUNT(faults) &&
			(strlen(faults[i].name) != length ||
				memcmp(faults[i].name, text, length) != 0))
			i++;
		if (i == KR_ARRAY_COUNT(faults))
			return false;
		trim->faults_off &= ~(UINT64_C(1) << i);
		if (text[length] == '\0')
			return true;
		text += length + 1;
	}
}

static void put(char *text, size_t size_bytes, const char *word, const char *value)
{
	const size_t at = strlen(text);
	const int length = snprintf(text + at, size_bytes - at, "%s%s", word, value);
	kr_assert(length >= 0 && (size_t)length < size_bytes - at);
}

void trim_print(const struct trim *trim, char *text, size_t size_bytes)
{
	char word[64];
	kr_assert(size_bytes > 0);
	text[0] = '\0';
	for (uint32_t i = 0; i < TRIM_NUMBERS; i++) {
		if (trim->numbers[i] == TRIM_NONE)
			continue;
		snprintf(word, sizeof(word), " --%s %llu", numbers[i],
			(unsigned long long)trim->numbers[i]);
		put(text, size_bytes, word, "");
	}
	const uint64_t all = (UINT64_C(1) << KR_ARRAY_COUNT(faults)) - 1;
	const char *before = " --faults ";
	if (trim->faults_off == all)
		put(text, size_bytes, before, "none");
	for (uint32_t i = 0; trim->faults_off != 0 && i < KR_ARRAY_COUNT(faults); i++) {
		if (trim->faults_off & UINT64_C(1) << i)
			continue;
		put(text, size_bytes, before, faults[i].name);
		before = ",";
	}
	if (trim->stir == 0)
		return;
	snprintf(word, sizeof(word), " --stir %u", trim->stir);
	put(text, size_bytes, word, "");
}

static uint64_t at_most(uint64_t drawn, uint64_t number)
{
	return KR_MIN(drawn, number);
}

void trim_apply(const struct trim *trim, struct cluster_plan *p)
{
	const uint64_t *n = trim->numbers;
	p->shard_count = (uint32_t)at_most(p->shard_count, n[TRIM_SHARDS]);
	p->server.shard.shard_count = p->shard_count;
	p->router_count = (uint32_t)at_most(p->router_count, n[TRIM_ROUTERS]);
	p->client_count = (uint32_t)at_most(p->client_count, n[TRIM_CLIENTS]);
	p->hotel_count = (uint32_t)at_most(p->hotel_count, n[TRIM_HOTELS]);
	p->operations_max = at_most(p->operations_max, n[TRIM_OPERATIONS]);
	p->crashes_max = at_most(p->crashes_max, n[TRIM_CRASHES]);
	p->has_crash_limit = n[TRIM_CRASHES] != TRIM_NONE;
	if (n[TRIM_SAFETY_MS] < p->safety_us / 1000)
		p->safety_us = n[TRIM_SAFETY_MS] * 1000;
	for (uint32_t i = 0; i < KR_ARRAY_COUNT(faults); i++)
		if (trim->faults_off & UINT64_C(1) << i)
			*rate_of(p, i) = 0;
	if (trim->stir == 0)
		return;
	p->world.seed += UINT64_C(0x9e3779b97f4a7c15) * trim->stir;
	rng_init(&p->rng, p->world.seed);
}

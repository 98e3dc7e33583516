#include "tests/sim/client.h"

#include <stdlib.h>
#include <string.h>

#include "engine/inventory/inventory.h"
#include "tests/sim/oracle.h"

#define DAY_US INT64_C(86400000000)
#define ROLL_US (INT64_C(4) * 3600 * 1000000)
#define MINUTE_US UINT64_C(60000000)

const struct client_zone client_zones[SIM_HOTELS] = {
	{"Etc/UTC", 0}, {"Etc/GMT-1", 3600}, {"Etc/GMT+1", -3600}};

uint64_t client_hotel(uint32_t number)
{
	return 101 + number * 17;
}

/* Of hotels that turn at four in the morning, by universal time. */
int client_today(const struct client *c)
{
	return (int)((io_clock_wall_us(c->caller.loop) - ROLL_US) / DAY_US);
}

static void on_call_end(void *context, const struct client_end *end)
{
	struct client *c = context;
	struct open_call *call = &c->calls[end->call];
	kr_assert(call->is_used);
	call->is_used = false;
	oracle_answer(c, call, end);
}

static void on_load(struct io_timer *timer)
{
	struct client *c = timer->context;
	struct rng *rng = &c->cluster->rng;
	if (c->is_loading && sim_world_now_us(c->cluster->world) >= c->cluster->lull_until_us) {
		for (uint64_t n = rng_below(rng, 6); n > 0; n--)
			if (c->cluster->operation_count < c->cluster->plan.operations_max) {
				c->cluster->operation_count++;
				client_do_something(c);
			}
		if (c->cluster->operation_count < c->cluster->plan.operations_max)
			client_ask_due(c);
		caller_pump(&c->caller);
	}
	io_timer_start(c->caller.loop, timer,
		io_clock_boot_us(c->caller.loop) + 2000 + rng_below(rng, 60000));
}

static bool resolve(struct client *c, uint32_t index)
{
	struct m_transition m;
	const struct track *t = &c->tracks[index];
	if (t->is_change_open)
		return ask_transition(c, &t->change, index);
	/* nobody can make the absence of such an id final: it is brought in again */
	if (t->is_imported && client_id_is_foreign(t->asked.id))
		return ask_import(c, &t->import, index);
	memset(&m, 0, sizeof(m));
	m.what = M_RESOLVE;
	m.id = t->asked.id;
	return ask_transition(c, &m, index);
}

void client_settle(struct client *c)
{
	for (uint32_t i = 0; i < c->track_count; i++)
		if (!c->tracks[i].is_busy && oracle_is_in_doubt(&c->tracks[i]) && !resolve(c, i))
			break;
	caller_pump(&c->caller);
}

bool client_is_idle(const struct client *c)
{
	for (uint32_t i = 0; i < CLIENT_CALLS; i++)
		if (c->calls[i].is_used)
			return false;
	return true;
}

void client_load(struct client *c, bool is_on)
{
	c->is_loading = is_on;
}

/* ---- preparing ---- */

static void prepare_wait(struct client *c)
{
	caller_pump(&c->caller);
	while (!client_is_idle(c))
		if (!sim_world_step(c->cluster->world))
			cluster_fail(c->cluster, "the hotels cannot be made");
}

static void put_hotel(struct client *c, uint32_t hotel)
{
	struct m_hotel_settings s;
	memset(&s, 0, sizeof(s));
	s.offset_s = client_zones[hotel].offset_s;
	s.day_roll_minute = 240;
	s.check_in_minute = 900;
	s.nights_max = 30;
	s.hold_ttl_us = 15 * MINUTE_US;
	s.hold_ttl_max_us = s.hold_total_max_us = 60 * MINUTE_US;
	s.status = 1;
	const bool asked = ask_hotel(c, hotel, &s, true);
	kr_assert(asked);
}

static void put_type(struct client *c, uint32_t hotel, int type)
{
	struct m_type_settings s;
	memset(&s, 0, sizeof(s));
	s.status = s.plan_status = 1;
	s.has_physical = true;
	s.physical = 3 + 12 * type;
	const bool asked = ask_type(c, hotel, type, &s, true);
	kr_assert(asked);
}

/* Type 0 has plan 1, so that every hotel has it, and plan 2 that is a tenth less. */
static void put_plan(struct client *c, uint32_t hotel, int plan)
{
	struct m_plan_put p;
	memset(&p, 0, sizeof(p));
	p.hotel = client_hotel(hotel);
	p.plan = plan;
	if (plan == 2) {
		p.mask = INV_PLAN_PARENT | INV_PLAN_DERIVATION | INV_PLAN_ADJUSTMENT;
		p.settings.parent = 1;
		p.settings.derivation = 2;
		p.settings.adjustment = -1000;
	}
	const bool asked = ask_plan(c, &p, true);
	kr_assert(asked);
}

static void put_prices(struct client *c, uint32_t hotel, int plan)
{
	struct m_update u;
	memset(&u, 0, sizeof(u));
	u.hotel = client_hotel(hotel);
	u.first_day = client_today(c) + 1;
	u.last_day = client_today(c) + 11;
	u.weekday_mask = 127;
	u.set = INV_UPDATE_PRICE;
	u.price = 100;
	u.plan = plan;
	const bool asked = ask_update(c, &u, true);
	kr_assert(asked);
}

/* Hotels before their types: after an accident either may be asked for again, in any order. */
void client_prepare(struct client *c)
{
	for (uint32_t h = 0; h < c->cluster->plan.hotel_count; h++)
		put_hotel(c, h);
	prepare_wait(c);
	for (uint32_t h = 0; h < c->cluster->plan.hotel_count; h++)
		for (int t = 0; t < (int)SIM_TYPES; t++)
			put_type(c, h, t);
	prepare_wait(c);
	for (int plan = 1; plan <= 2; plan++) {
		for (uint32_t h = 0; h < c->cluster->plan.hotel_count; h++)
			put_plan(c, h, plan);
		prepare_wait(c);
	}
	for (uint32_t h = 0; h < c->cluster->plan.hotel_count; h++)
		for (int plan = 0; plan <= 1; plan++)
			put_prices(c, h, plan);
	prepare_wait(c);
}

/* ---- life ---- */

struct client *client_new(struct cluster *cluster, uint32_t number)
{
	struct client *c = calloc(1, sizeof(*c));
	kr_assert(c != NULL);
	c->cluster = cluster;
	c->number = number;
	c->caller.on_end = on_call_end;
	c->caller.context = c;
	c->caller.is_booking =
		cluster->plan.booking_from > 0 && number >= cluster->plan.booking_from;
	caller_init(&c->caller, cluster, number, CLIENT_CALLS);
	io_timer_init(&c->load, on_load, c);
	io_timer_start(c->caller.loop, &c->load, io_clock_boot_us(c->caller.loop) + 1000);
	return c;
}

struct client *client_free(struct client *c)
{
	caller_fini(&c->caller);
	lists_free(c);
	free(c);
	return NULL;
}

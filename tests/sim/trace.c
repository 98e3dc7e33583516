/*
 * keyrack-sim-trace: plays a booking trace in virtual time, each operation on its own date, through
 * a simulated router and two shards, and compares what became of it with what a naive replay found.
 *
 *   keyrack-sim-trace --data DIR [--depth N] [--crashes N] [--seed N] [--told] [--twice]
 *
 * A date goes like this, in the hotel's local time:
 *
 *   12:00  the operations of the date are played, pipelined
 *   03:55  before the next date begins: the night is read, which nobody can sell any more
 *   04:00  the day rolls: a WINDOW effect drops that night and brings in one 760 nights ahead
 *
 * In between router and client stand still, as a program can; the shards are on their own, with
 * their rolls, retirements and snapshots. When all is played the days go on until every stay has
 * been retired. Exit status: 0 as expected, 1 not, 2 usage, 77 there is no such data.
 */
#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/tz_load.h"
#include "engine/inventory/digest.h"
#include "tests/sim/player.h"

#define SKIPPED 77
#define PATH_SIZE 4096u
#define ZONE "Europe/Lisbon"
#define WINDOW_NIGHTS 760u
/* Fewer than the trace has bookings, so that it cannot be played unless records retire. */
#define RESERVATIONS_MAX 6400u
#define ROLL_MINUTE 240
#define NOON_MINUTE (12 * 60)
#define QUIET_MINUTE (18 * 60)
#define EVE_MINUTE (24 * 60 + ROLL_MINUTE - 5) /* of the date that ends */
#define VERIFY_DAYS 50
#define STAY_KEEP_DAYS 7 /* after check-out */
#define IDLE_US UINT64_C(20000000)
#define ROLL_BEFORE_US UINT64_C(1000)
#define ROLL_AFTER_US UINT64_C(5000000) /* time for a shard to come back */
#define CALM_US UINT64_C(60000000)

struct options {
	const char *data;
	uint32_t depth, crashes;
	uint64_t seed;
	bool is_told, is_twice;
};

struct show {
	struct options options;
	struct cluster cluster;
	struct tz_db tz;
	uint16_t zone;
	struct trace trace;
	struct player *player;
	/* The neighbour lives on the other shard; its holds are never confirmed. */
	uint64_t hotel, neighbour;
	uint32_t home; /* the shard of the hotel */
	struct outcome outcome;
	bool is_played;                                    /* no operation comes any more */
	uint32_t rest[TRACE_TYPES_MAX][PLAYER_NIGHTS_MAX]; /* booked, read when all was played */
	int32_t rest_day;
	uint64_t rolls, peak, retired, forgotten, graces;
	uint32_t crash_days; /* dates on which something crashes */
};

/* ---- the clock ---- */

/* Virtual time of a minute after local midnight. */
static uint64_t instant(const struct show *s, int32_t day, int32_t minute)
{
	const int64_t unix_us = tz_local_to_unix_s(&s->tz, s->zone, day, minute) * 1000000;
	kr_assert(unix_us >= s->cluster.plan.world.wall_start_us);
	return (uint64_t)(unix_us - s->cluster.plan.world.wall_start_us);
}

/* The roll that ends it is the one after which the last stay is not kept any more. */
static int32_t last_day(const struct show *s)
{
	return s->trace.last_day + 1 + STAY_KEEP_DAYS - 1;
}

/* Who asks and who forwards stand still; the shards go on. */
static void sleep_until(struct show *s, uint64_t until_us)
{
	for (uint32_t i = 0; i < s->cluster.router_count; i++)
		sim_node_pause(s->cluster.routers[i].node, until_us);
	sim_node_pause(s->player->caller.node, until_us);
	sim_world_run_until(s->cluster.world, until_us);
}

/* What has crashed comes back by itself. */
static void await_serving(struct show *s)
{
	const uint64_t until = sim_world_now_us(s->cluster.world) + CALM_US;
	while (!cluster_is_serving(&s->cluster))
		if (!sim_world_step(s->cluster.world) || sim_world_now_us(s->cluster.world) > until)
			cluster_fail(&s->cluster, "it does not come back");
}

/* ---- what is true at any time ---- */

static void hotel_view(struct show *s, uint64_t hotel, uint32_t shard, struct inv_hotel_view *ret)
{
	if (!inv_hotel_get(cluster_inventory(&s->cluster, shard), (struct hotel_id){hotel}, ret))
		cluster_fail(&s->cluster, "hotel %llu is gone", (unsigned long long)hotel);
}

static void verify(struct show *s)
{
	struct inv_contradiction why = {0};
	for (uint32_t i = 0; i < s->cluster.shard_count; i++)
		if (inv_verify(cluster_inventory(&s->cluster, i), &why) != 0)
			cluster_fail(&s->cluster, "shard %u: %s", i, why.what);
}

/* Every effect of the hotel is one that was asked for, a roll or a retirement: none twice, none too
 * early, none missing. */
static void check_effects(struct show *s, int32_t day)
{
	const struct player *p = s->player;
	struct inv_hotel_view view;
	hotel_view(s, s->hotel, s->home, &view);
	const uint64_t admitted = p->confirmed;
	const uint64_t asked = 1 + s->trace.type_count + 2 * admitted + p->released;
	const uint64_t remembered = player_remembered(p, day, STAY_KEEP_DAYS);
	s->retired = admitted - remembered;
	if (view.reservation_count != remembered)
		cluster_fail(&s->cluster, "%llu records are there, not %llu",
			(unsigned long long)view.reservation_count, (unsigned long long)remembered);
	s->peak = KR_MAX(s->peak, view.reservation_count);
	if (view.event_seq != asked + s->rolls + s->retired)
		cluster_fail(&s->cluster,
			"%llu effects, but %llu were asked for, with %llu rolls and %llu "
			"retirements",
			(unsigned long long)view.event_seq, (unsigned long long)asked,
			(unsigned long long)s->rolls, (unsigned long long)s->retired);
}

/* ---- a date ---- */

/* The roll of today has been, and was one. */
static void check_day(struct show *s, int32_t day)
{
	if (s->player->reading.business_day != day)
		cluster_fail(&s->cluster, "the business date is %d, the calendar's %d",
			s->player->reading.business_day, day);
}

/* Something of the cluster goes at one of its next completions. */
static void arm(struct show *s, uint64_t within)
{
	struct rng *rng = &s->cluster.rng;
	const bool is_home = rng_below(rng, 4) != 0;
	struct shard_node *shard = &s->cluster.shards[is_home ? s->home : 1 - s->home];
	if (sim_node_is_alive(shard->node))
		sim_node_crash_at(shard->node, 1 + rng_below(rng, within),
			rng_below(rng, 2) == 0 ? SIM_KILL : SIM_POWER);
	if (within > 100 && rng_below(rng, 4) == 0)
		sim_node_crash_at(s->cluster.routers[0].node, 1 + rng_below(rng, within), SIM_KILL);
}

static void play_date(struct show *s, int32_t day, uint32_t *next)
{
	struct player *p = s->player;
	const struct trace_op *ops = s->trace.ops;
	if (*next == s->trace.op_count || ops[*next].day != day)
		return;
	sleep_until(s, instant(s, day, NOON_MINUTE));
	player_read(p, s->hotel, day, 1);
	check_day(s, day);
	player_forget(p, s->neighbour, day);
	s->forgotten++;
	/* Only one at a time can be asked again without losing the order. */
	if (s->crash_days > 0 && p->depth == 1 && day % (int32_t)s->crash_days == 0)
		arm(s, 300);
	while (*next < s->trace.op_count && ops[*next].day == day)
		player_play(p, &ops[(*next)++]);
	player_drain(p);
	if (*next < s->trace.op_count && ops[*next].day < day)
		cluster_fail(&s->cluster, "the trace goes back in time");
}

static void keep_night(struct show *s, int32_t day)
{
	for (uint32_t t = 0; t < s->trace.type_count; t++) {
		const struct cell_counter cell = player_cell(s->player, t, 0);
		if (cell.held != 0 || cell_left(cell) < 0)
			cluster_fail(&s->cluster, "type %u night %d: %u held, %u booked, limit %d",
				t, day, cell.held, cell.booked, cell.limit);
		if (s->is_played && cell.booked != s->rest[t][day - s->rest_day])
			cluster_fail(&s->cluster, "type %u night %d: %u booked, it was %u", t, day,
				cell.booked, s->rest[t][day - s->rest_day]);
		outcome_cell_add(&s->outcome, s->trace.types[t].code, day, cell.booked);
	}
}

static void check_window(struct show *s, int32_t day)
{
	struct inv_hotel_view view;
	hotel_view(s, s->hotel, s->home, &view);
	if (view.business_day != day)
		cluster_fail(
			&s->cluster, "the window begins on day %d, not %d", view.business_day, day);
}

/* The shard rolls by itself, at its hour and not before, whatever happens to it meanwhile. */
static void roll(struct show *s, int32_t day)
{
	const uint64_t at = instant(s, day + 1, ROLL_MINUTE);
	sleep_until(s, at - ROLL_BEFORE_US);
	check_window(s, day);
	if (s->crash_days > 0 && (day + 1) % (int32_t)s->crash_days == 0)
		arm(s, 12);
	sleep_until(s, at + ROLL_AFTER_US);
	await_serving(s);
	check_window(s, day + 1);
	s->rolls++;
}

/* The night that is about to be dropped, then the roll that drops it. */
static void end_date(struct show *s, int32_t day)
{
	sleep_until(s, instant(s, day, EVE_MINUTE));
	player_read(s->player, s->hotel, day, 1);
	check_day(s, day);
	await_serving(s);
	keep_night(s, day);
	if (day % VERIFY_DAYS == 0)
		verify(s);
	check_effects(s, day);
	roll(s, day);
}

/* ---- when all is played ---- */

static void power_cut(struct show *s)
{
	for (uint32_t i = 0; i < s->cluster.shard_count; i++)
		sim_node_crash(s->cluster.shards[i].node, SIM_POWER);
	await_serving(s);
}

/* Of all hotels at home; a start moves the shard's own clock. */
static uint64_t hotels_digest(struct show *s)
{
	const struct inv *inv = cluster_inventory(&s->cluster, s->home);
	return inv_digest(inv) - inv_digest_shard(inv);
}

/* All nights of the window at once: those still to be dropped must say the same again then. What
 * recovery finds is what was there. */
static void end_trace(struct show *s, int32_t day)
{
	/* At an hour at which nothing is due. */
	sleep_until(s, instant(s, day, QUIET_MINUTE));
	const uint64_t digest = hotels_digest(s);
	power_cut(s);
	if (hotels_digest(s) != digest)
		cluster_fail(&s->cluster, "recovery came to another digest");
	player_read(s->player, s->hotel, day, WINDOW_NIGHTS);
	check_day(s, day);
	for (uint32_t t = 0; t < s->trace.type_count; t++)
		for (uint32_t n = 0; n < WINDOW_NIGHTS; n++)
			s->rest[t][n] = player_cell(s->player, t, n).booked;
	s->rest_day = day;
	s->is_played = true;
}

static void check_empty(struct show *s)
{
	struct inv_counts counts;
	struct inv_hotel_view view;
	inv_counts_get(cluster_inventory(&s->cluster, s->home), &counts);
	if (counts.reservations != 0 || counts.holds != 0 || counts.nodes != 0)
		cluster_fail(&s->cluster, "%u records and %u nodes were never retired",
			counts.reservations, counts.nodes);
	hotel_view(s, s->neighbour, 1 - s->home, &view);
	/* HOLD, EXPIRE and RETIRE of each that was forgotten; and one that lapsed while the shard
	 * was down has got a GRACE. */
	const uint64_t effects = 2 + s->rolls + 3 * s->forgotten;
	const uint64_t graces_max =
		s->crash_days == 0 ? 0 : s->cluster.shards[1 - s->home].crash_count;
	if (view.event_seq < effects || view.event_seq > effects + graces_max)
		cluster_fail(&s->cluster, "the neighbour has %llu effects, not %llu",
			(unsigned long long)view.event_seq, (unsigned long long)effects);
	s->graces = view.event_seq - effects;
}

static void play(struct show *s)
{
	uint32_t next = 0;
	const int32_t first = s->trace.ops[0].day, last = last_day(s);
	player_prepare(s->player, s->hotel, ZONE, s->trace.type_count);
	player_prepare(s->player, s->neighbour, ZONE, 1);
	for (int32_t day = first; day <= last; day++) {
		play_date(s, day, &next);
		if (next == s->trace.op_count && !s->is_played)
			end_trace(s, day);
		end_date(s, day);
	}
	check_effects(s, last + 1);
	check_empty(s);
	verify(s);
}

/* ---- the world ---- */

static void plan_world(struct show *s, struct cluster_plan *plan)
{
	const struct options *o = &s->options;
	sim_config_default(&plan->world);
	plan->world.seed = o->seed;
	plan->world.wall_start_us =
		tz_local_to_unix_s(&s->tz, s->zone, s->trace.ops[0].day, NOON_MINUTE - 60) *
		1000000;
	plan->world.faults = (struct sim_faults){
		.fate_kept = 1, .fate_dropped = 1, .fate_torn = 1, .fate_zeroed = 1};
}

static void plan_server(const struct show *s, struct server_config *server)
{
	server_config_default(server);
	server->directory = "/shard";
	server->segment_size_bytes = UINT64_C(4) << 20;
	server->log.stop_room_bytes = UINT64_C(1) << 20;
	server->conn_max_count = 8;
	server->no_huge_pages = true;
	server->tz = &s->tz;
	server->shard.cluster = CLUSTER_ID;
	server->shard.shard_count = 2;
	server->shard.map_epoch = 1;
	server->shard.snapshot_effects = 1500;
	server->shard.idle_timeout_us = IDLE_US; /* a router that stands still costs no turns */
	server->shard.inventory = (struct inv_config){
		.hotels_max = 2,
		.rows_max = 16,
		.window_nights = WINDOW_NIGHTS,
		.reservations_max = RESERVATIONS_MAX,
		.nodes_max = 2 * RESERVATIONS_MAX,
		.refusals_max = 1024,
		.denials_max = 1024,
		.stock_runs_max = 64,
		.retention_us = PLAYER_RETENTION_US,
		.grace_us = INV_GRACE_US,
	};
}

static void plan(struct show *s, struct cluster_plan *plan)
{
	const struct options *o = &s->options;
	memset(plan, 0, sizeof(*plan));
	rng_init(&plan->rng, o->seed);
	plan->seed = o->seed;
	snprintf(plan->again, sizeof(plan->again),
		"keyrack-sim-trace --data %.400s --depth %u --crashes %u --seed %llu --told",
		o->data, o->depth, o->crashes, (unsigned long long)o->seed);
	plan->is_told = o->is_told;
	plan->shard_count = 2;
	plan->router_count = 1;
	plan->router_window = plan->router_wait_frames = CALLER_CALLS_MAX;
	plan_world(s, plan);
	plan_server(s, &plan->server);
}

static uint32_t shard_of(uint64_t hotel)
{
	return slot_of_hotel((struct hotel_id){hotel}) >= slot_range_first(1, 2);
}

static void show_open(struct show *s)
{
	struct cluster_plan p;
	const int32_t days = last_day(s) - s->trace.ops[0].day;
	s->zone = tz_find(&s->tz, ZONE, strlen(ZONE));
	kr_assert(s->zone != TZ_ZONE_NONE);
	s->hotel = s->trace.ops[0].hotel;
	s->home = shard_of(s->hotel);
	for (s->neighbour = s->hotel + 1; shard_of(s->neighbour) == s->home; s->neighbour++)
		;
	if (s->options.crashes > 0)
		s->crash_days = KR_MAX(1, (uint32_t)days / s->options.crashes);
	plan(s, &p);
	cluster_open(&s->cluster, &p);
	cluster_start(&s->cluster);
	s->player = player_new(&s->cluster, &s->trace, s->options.depth);
}

static void show_close(struct show *s)
{
	cluster_calm(&s->cluster); /* a crash may still be armed */
	cluster_stop_shards(&s->cluster);
	cluster_close(&s->cluster);
	s->player = player_free(s->player);
	outcome_fini(&s->outcome);
	trace_free(&s->trace);
	tz_free(&s->tz);
}

/* ---- the verdict ---- */

static int compare_count(const json_t *expected, const char *name, uint64_t found)
{
	const json_int_t wanted = json_integer_value(json_object_get(expected, name));
	printf("  %-20s %llu\n", name, (unsigned long long)found);
	if ((uint64_t)wanted == found)
		return 0;
	printf("    %lld was expected\n", (long long)wanted);
	return 1;
}

static int compare_hash(const json_t *expected, const char *name, const char *found)
{
	const char *wanted = json_string_value(json_object_get(expected, name));
	printf("  %-20s %s\n", name, found);
	if (wanted != NULL && strcmp(wanted, found) == 0)
		return 0;
	printf("    %s was expected\n", wanted == NULL ? "nothing" : wanted);
	return 1;
}

static void tell(const struct show *s)
{
	const struct cluster *c = &s->cluster;
	const struct player *p = s->player;
	uint64_t crashes = c->routers[0].crash_count, snapshots = 0;
	for (uint32_t i = 0; i < c->shard_count; i++) {
		crashes += c->shards[i].crash_count;
		snapshots += c->shards[i].snapshot_count;
	}
	printf("%u operations as %llu frames, %u in flight, in %.1f days of virtual time\n",
		s->trace.op_count, (unsigned long long)p->frames, p->depth,
		(double)sim_world_now_us(c->world) / 86400e6);
	printf("%llu WINDOW effects, %llu retirements, %llu expiries, %llu graces, at most %llu "
	       "records at "
	       "once, "
	       "%llu snapshots\n",
		(unsigned long long)s->rolls, (unsigned long long)(s->retired + s->forgotten),
		(unsigned long long)s->forgotten, (unsigned long long)s->graces,
		(unsigned long long)s->peak, (unsigned long long)snapshots);
	printf("%llu crashes, %llu states verified after recovery, %llu tries repeated, %llu "
	       "events, trace %016llx\n",
		(unsigned long long)crashes, (unsigned long long)c->verify_count,
		(unsigned long long)p->retries, (unsigned long long)sim_world_event_count(c->world),
		(unsigned long long)sim_world_trace(c->world));
}

static int judge(struct show *s, const char *path)
{
	const struct player *p = s->player;
	char refused[OUTCOME_HEX_SIZE], cells[OUTCOME_HEX_SIZE];
	json_t *expected = json_load_file(path, 0, NULL);
	int wrong = 0;
	if (expected == NULL) {
		printf("%s cannot be read\n", path);
		return 1;
	}
	player_refused(p, &s->outcome);
	outcome_hash(&s->outcome, refused, cells);
	wrong += compare_count(expected, "refused", p->refused);
	wrong += compare_count(expected, "released", p->released);
	wrong += compare_count(expected, "booked_at_end", p->confirmed - p->released);
	wrong += compare_hash(expected, "refused_ids_sha256", refused);
	wrong += compare_hash(expected, "final_cells_sha256", cells);
	json_decref(expected);
	return wrong > 0;
}

/* ---- the command ---- */

static error_t option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	switch (key) {
	case 'd':
		o->data = arg;
		break;
	case 'n':
		o->depth = (uint32_t)strtoul(arg, NULL, 10);
		break;
	case 'c':
		o->crashes = (uint32_t)strtoul(arg, NULL, 10);
		break;
	case 's':
		o->seed = strtoull(arg, NULL, 10);
		break;
	case 't':
		o->is_told = true;
		break;
	case '2':
		o->is_twice = true;
		break;
	case ARGP_KEY_END:
		if (o->data == NULL || o->depth == 0 || o->depth > CALLER_CALLS_MAX)
			argp_error(state, "--data is needed, and a depth of 1 to %u",
				CALLER_CALLS_MAX);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static void read_input(struct show *s)
{
	char trace[PATH_SIZE], capacity[PATH_SIZE];
	struct kr_error_text text = {0};
	snprintf(trace, sizeof(trace), "%s/resort_trace.csv.gz", s->options.data);
	snprintf(capacity, sizeof(capacity), "%s/resort_capacity.csv", s->options.data);
	if (access(trace, R_OK) != 0) {
		printf("skipped: there is no %s\n", trace);
		exit(SKIPPED);
	}
	if (trace_read(&s->trace, trace, capacity, &text) != 0) {
		printf("%s\n", text.bytes);
		exit(2);
	}
	if (tz_load(TZ_FOLDER, &s->tz) != 0) {
		puts("tzdata is missing");
		exit(2);
	}
}

/* 0 as expected. *ret_trace: the hash of all that happened. */
static int run(const struct options *options, bool is_quiet, uint64_t *ret_trace)
{
	static struct show show;
	struct show *s = &show;
	char expected[PATH_SIZE];
	int wrong = 0;
	memset(s, 0, sizeof(*s));
	s->options = *options;
	read_input(s);
	show_open(s);
	play(s);
	*ret_trace = sim_world_trace(s->cluster.world);
	if (!is_quiet) {
		snprintf(expected, sizeof(expected), "%s/resort_expected.json", options->data);
		tell(s);
		wrong = judge(s, expected);
	}
	show_close(s);
	return wrong;
}

int main(int argc, char **argv)
{
	static const struct argp_option words[] = {
		{"data", 'd', "DIR", 0, "where the trace, capacities and expectations are", 0},
		{"depth", 'n', "N", 0, "frames in flight (256)", 0},
		{"crashes", 'c', "N", 0, "days and nights with a crash (0)", 0},
		{"seed", 's', "N", 0, "of delays, crashes and ids (1)", 0},
		{"told", 't', NULL, 0, "tell the story in virtual time", 0},
		{"twice", '2', NULL, 0, "play it again: the same must happen", 0},
		{0},
	};
	static const struct argp argp = {words, option, NULL,
		"Plays a booking trace to a simulated cluster, date by date.", NULL, NULL, NULL};
	struct options options = {.depth = 256, .seed = 1};
	uint64_t one, two;
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	int wrong = run(&options, false, &one);
	if (options.is_twice && run(&options, true, &two) == 0 && one != two) {
		printf("trace %016llx the second time\n", (unsigned long long)two);
		wrong = 1;
	}
	return wrong;
}

#include "tests/sim/aim.h"

#define AIM_RATE 500u
#define AIM_FACTOR 1000u
#define AIM_NETS 5u /* and frames that go astray, drawn apart */
#define AIM_ASTRAY AIM_NETS
#define AIM_DUPLICATE 4u
#define AIM_MAX 100000u /* in a million */

static bool coin(struct rng *rng)
{
	kr_assert(rng != NULL);
	return rng_below(rng, 2) == 0;
}

static void draw_disk(struct cluster_plan *p, struct rng *rng)
{
	struct sim_faults *const world = &p->world.faults, *const media = &p->media;
	uint32_t *const rates[] = {&world->disk_spike, &world->disk_write_error,
		&world->disk_sync_error, &world->disk_short, &media->disk_write_lost,
		&media->disk_write_astray, &media->disk_rot, &media->disk_read_error,
		&media->disk_read_flip};
	for (uint32_t i = 0; i < (p->has_damage ? KR_ARRAY_COUNT(rates) : 4); i++)
		if (coin(rng))
			*rates[i] = KR_MAX(*rates[i], AIM_RATE);
	/* One of them: what fails is not misread. */
	if (p->has_damage && coin(rng))
		media->disk_read_error = AIM_RATE;
	else if (p->has_damage)
		media->disk_read_flip = AIM_RATE;
}

static uint32_t *net_rate(struct sim_faults *f, uint32_t which)
{
	uint32_t *const rates[] = {&f->net_spike, &f->net_reset, &f->net_silence, &f->net_flip,
		&f->net_duplicate, &f->net_astray};
	kr_assert(KR_ARRAY_COUNT(rates) == AIM_NETS + 1);
	kr_assert(which <= AIM_ASTRAY);
	return rates[which];
}

/* Before it serves a shard has no connection, and while it serves they break often enough. One
 * kind only: what is reset or silent meets no other. */
static void draw_net(struct cluster_plan *p, struct rng *rng)
{
	const uint32_t which = (uint32_t)rng_below(rng, AIM_NETS);
	kr_assert(p->aim != 0);
	if (p->aim <= 1 + CLUSTER_SERVING)
		return;
	uint32_t *const rate = net_rate(&p->world.faults, which);
	*rate = KR_MAX(*rate, AIM_RATE);
	p->aim_net = 1 + which;
}

void aim_draw(struct cluster_plan *p)
{
	struct rng rng;
	rng_init(&rng, p->seed ^ UINT64_C(0x61696d));
	if (rng_below(&rng, 3) == 0)
		return;
	/* The short ones more often. */
	const uint32_t aim = (uint32_t)rng_below(&rng, 2 * CLUSTER_PHASES);
	p->aim = 1 + (aim < CLUSTER_PHASES  ? aim
			     : aim % 2 == 0 ? CLUSTER_SNAPSHOTTING
					    : CLUSTER_STOPPING);
	draw_disk(p, &rng);
	if (p->aim == 1 + CLUSTER_SNAPSHOTTING)
		p->server.shard.snapshot_effects = 20;
	draw_net(p, &rng);
	p->aim_troubles = coin(&rng);
	if (p->aim_net != 0 && rng_below(&rng, AIM_NETS + 1) == 0) {
		p->aim_net = 1 + AIM_ASTRAY;
		p->media.net_astray = AIM_RATE;
	}
}

bool aim_copies(const struct cluster_plan *p)
{
	kr_assert(p->aim_net <= 1 + AIM_ASTRAY);
	return p->aim_net == 1 + AIM_DUPLICATE;
}

static void raise(uint32_t *const rates[], uint32_t count, uint32_t most)
{
	kr_assert(most <= 6 * AIM_MAX);
	for (uint32_t i = 0; i < count; i++)
		*rates[i] = KR_MIN(*rates[i] * AIM_FACTOR, most);
}

void aim_faults(const struct cluster *c, struct sim_faults *f)
{
	uint32_t *const disk[] = {
		&f->disk_spike, &f->disk_short, &f->disk_write_error, &f->disk_sync_error};
	uint32_t *const media[] = {&f->disk_read_error, &f->disk_read_flip, &f->disk_write_lost,
		&f->disk_write_astray, &f->disk_rot};
	uint32_t *const crash[] = {&f->crash_kill, &f->crash_power};
	/* Snapshots are seldom read back; a start that often misreads would never get through. */
	const bool is_short = c->plan.aim > 1 + CLUSTER_SERVING;
	kr_assert(c->is_aimed);
	raise(disk, KR_ARRAY_COUNT(disk), AIM_MAX);
	raise(crash, KR_ARRAY_COUNT(crash), AIM_MAX / 4);
	raise(media, KR_ARRAY_COUNT(media), is_short ? 5 * AIM_MAX : AIM_MAX / 2);
	if (c->plan.aim_net != 0) {
		uint32_t *const net[] = {net_rate(f, c->plan.aim_net - 1)};
		/* A shard that stops has little left to send. */
		raise(net, 1, (c->plan.aim == 1 + CLUSTER_STOPPING ? 6 : 3) * AIM_MAX);
	}
}

#include "tests/sim/inside.h"

#include "tests/sim/swarm.h"

#define WORLDS 4u      /* one of so many */
#define LOOK_US 10000u /* between looks at a router that drains */

/* By the seed alone; the seeds in seeds.txt are not among them: they would tell of other worlds. */
void inside_draw(struct cluster_plan *p)
{
	struct rng rng;
	kr_assert(p->router_count > 0 && p->shard_count > 0);
	rng_init(&rng, p->seed ^ UINT64_C(0x696e7369646528));
	p->router_inside = rng_below(&rng, WORLDS) == 0;
}

struct router_node *inside_of(const struct shard_node *s)
{
	struct router_node *first = &s->cluster->routers[0];
	kr_assert(first->host == NULL || first->node == first->host->node);
	return first->host == s ? first : NULL;
}

/* The simulated network is one for all processes. */
struct io_address inside_address(uint32_t shard)
{
	kr_assert(shard < CLUSTER_SHARDS_MAX);
	return (struct io_address){.kind = IO_ADDRESS_INPROC, .port = (uint16_t)(1 + shard)};
}

static bool is_linked(const struct shard_node *s, const struct router_node *r)
{
	kr_assert(r->host == s);
	return router_link_is_up(r->router, s->number);
}

/* As the process does after every turn. */
static void look(void *context)
{
	struct shard_node *s = context;
	struct sim_world *world = s->cluster->world;
	const struct router_node *r = inside_of(s);
	if (s->server == NULL || s->has_ended || !router_is_stopping(r->router))
		return; /* it died meanwhile, and another may run */
	kr_assert(r->host == s);
	if (router_is_stopped(r->router))
		server_stop(s->server);
	else
		sim_world_call_at(world, sim_world_now_us(world) + LOOK_US, look, s);
}

void inside_ready(struct shard_node *s)
{
	const struct router_node *r = inside_of(s);
	kr_assert(s->is_ready);
	if (r != NULL && r->router != NULL)
		router_shard_serves(r->router, s->number);
}

void inside_stop(struct shard_node *s)
{
	const struct router_node *r = inside_of(s);
	kr_assert(s->server != NULL);
	if (r == NULL) {
		server_stop(s->server);
		return;
	}
	if (!router_is_stopping(r->router)) {
		s->cluster->marks[CLUSTER_MARK_INSIDE_DRAINED] += is_linked(s, r);
		router_stop(r->router);
	}
	look(s);
}

void inside_end(struct shard_node *s)
{
	const struct router_node *r = inside_of(s);
	if (r == NULL)
		return;
	kr_assert(r->router != NULL);
	if (!router_is_stopping(r->router))
		router_stop(r->router);
	if (!router_is_stopped(r->router))
		router_stop(r->router);
}

bool inside_has_ended(const struct shard_node *s)
{
	const struct router_node *r = inside_of(s);
	kr_assert(s->has_ended);
	return r == NULL || router_is_stopped(r->router);
}

void inside_drop(struct shard_node *s)
{
	struct router_node *r = inside_of(s);
	if (r == NULL || r->router == NULL)
		return;
	s->cluster->marks[CLUSTER_MARK_INSIDE_DIED] += is_linked(s, r);
	swarm_router_ends(s->cluster, r->router);
	r->router = router_free(r->router);
}

void inside_partition(struct cluster *c, uint32_t shard, bool is_cut)
{
	struct shard_node *s = &c->shards[shard];
	const uint32_t router = inside_of(s) == NULL ? 0 : 1;
	kr_assert(shard < c->shard_count);
	if (router == c->router_count)
		return;
	sim_node_partition(s->node, c->routers[router].node, is_cut);
	if (is_cut)
		cluster_tell(c, "shard %u is cut off router %u", shard, router);
}

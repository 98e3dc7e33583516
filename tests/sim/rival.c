#include "tests/sim/rival.h"

#include <stdlib.h>

#define WAIT_US UINT64_C(900000)
#define PORT 7190u

/* One world at a time. */
static struct rival {
	struct cluster *cluster;
	uint32_t number;
	struct sim_node *node;
	struct io_loop *loop;
	struct server *server; /* NULL: there is none now */
	bool has_ended;
} rivals[CLUSTER_SHARDS_MAX];

static void drop(struct rival *r)
{
	if (r->server == NULL)
		return;
	if (r->has_ended)
		server_fini(r->server);
	else
		server_abandon(r->server);
	free(r->server);
	r->server = NULL;
}

static void bury(void *context)
{
	struct rival *r = context;
	if (r->server == NULL || !r->has_ended)
		return;
	drop(r);
	if (sim_node_loop(r->node) != NULL)
		(void)io_loop_free(r->loop);
}

static void on_ready(void *context)
{
	const struct rival *r = context;
	cluster_fail(r->cluster, "shard %u: two processes serve one directory", r->number);
}

static void on_note(void *context, const struct kr_note *note)
{
	const struct rival *r = context;
	cluster_tell(r->cluster, "rival of shard %u: %s", r->number, note->sentence);
}

static void on_end(void *context, int end, const struct kr_error_text *text)
{
	struct rival *r = context;
	cluster_tell(
		r->cluster, "rival of shard %u: ended with %d %s", r->number, end, text->bytes);
	if (end != SERVER_IN_USE && !sim_node_is_dying(r->node))
		cluster_fail(r->cluster, "shard %u: a rival ended with %d %s", r->number, end,
			text->bytes);
	r->cluster->marks[CLUSTER_MARK_RIVAL_IN_USE] += end == SERVER_IN_USE;
	r->has_ended = true;
	sim_world_call_at(r->cluster->world, sim_world_now_us(r->cluster->world) + 1, bury, r);
}

void rival_start(struct cluster *c, uint32_t shard)
{
	struct rival *r = &rivals[shard];
	struct shard_node *owner = &c->shards[shard];
	struct kr_error_text text = {0};
	struct io_config config;
	if (r->server != NULL || owner->server == NULL || !owner->is_ready)
		return;
	r->cluster = c;
	r->number = shard;
	r->has_ended = false;
	if (r->node == NULL)
		r->node = sim_node_new(c->world, owner->disk, "rival");
	else if (!sim_node_is_alive(r->node))
		sim_node_start(r->node);
	io_config_default(&config);
	config.environment = r->node;
	if (io_loop_new(&config, &r->loop, &text) != 0)
		cluster_fail(c, "rival: %s", text.bytes);
	struct server_config as = owner->server->config;
	as.lock_wait_us = WAIT_US;
	as.listen[0].port = PORT;
	as.handler = (struct server_handler){
		.context = r, .on_ready = on_ready, .on_note = on_note, .on_end = on_end};
	r->server = calloc(1, sizeof(*r->server));
	kr_assert(r->server != NULL);
	c->marks[CLUSTER_MARK_RIVAL]++;
	if (server_start(r->server, r->loop, &as, &text) != 0 && !sim_node_is_dying(r->node))
		cluster_fail(c, "a rival of shard %u does not start: %s", shard, text.bytes);
}

void rival_kill(struct cluster *c, uint32_t shard)
{
	struct rival *r = &rivals[shard];
	kr_assert(shard < c->shard_count);
	if (r->server != NULL && sim_node_is_alive(r->node))
		sim_node_crash(r->node, SIM_KILL);
}

bool rival_crashed(struct cluster *c, const struct sim_node *node)
{
	for (uint32_t i = 0; i < c->shard_count; i++) {
		if (rivals[i].node != node)
			continue;
		drop(&rivals[i]);
		return true;
	}
	return false;
}

void rival_close(struct cluster *c)
{
	for (uint32_t i = 0; i < c->shard_count; i++) {
		drop(&rivals[i]);
		rivals[i] = (struct rival){0};
	}
}

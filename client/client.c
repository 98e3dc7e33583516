/* A client's life, and the turn of its loop. */
#include "client/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "proto/slot.h"

/* One turn reads at most so often: what is still there is the next turn's. */
#define CLIENT_READS_PER_TURN 16

uint64_t client_now_us(void)
{
	struct timespec now;
	int r = clock_gettime(CLOCK_MONOTONIC, &now);
	kr_assert(r == 0);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t client_submit_us(const struct keyrack_client *client)
{
	return client->in_callback ? client->now_us : client_now_us();
}

static uint64_t client_default(uint64_t value, uint64_t otherwise)
{
	kr_assert(otherwise > 0);
	return value != 0 ? value : otherwise;
}

static int client_config_check(const struct keyrack_config *config)
{
	if (config == NULL || config->routers == NULL)
		return -EINVAL;
	if (config->in_flight_max > CLIENT_CALLS_MAX)
		return -EINVAL;
	if (config->deadline_us > CLIENT_DEADLINE_MAX_US)
		return -EINVAL;
	if (config->agent != NULL && strlen(config->agent) > CLIENT_AGENT_SIZE_MAX)
		return -EINVAL;
	uint64_t first_us = client_default(config->retry_first_us, CLIENT_RETRY_FIRST_DEFAULT_US);
	uint64_t max_us = client_default(config->retry_max_us, CLIENT_RETRY_MAX_DEFAULT_US);
	uint64_t longest_us = KR_MAX(config->connect_timeout_us, config->silence_us);
	if (first_us > max_us || KR_MAX(max_us, longest_us) > CLIENT_DEADLINE_MAX_US)
		return -EINVAL;
	return 0;
}

static uint64_t client_seed(const struct keyrack_config *config)
{
	uint64_t seed = config->random_seed;
	if (seed == 0 && getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		seed = client_now_us() ^ (uint64_t)(uintptr_t)&seed;
	return seed;
}

/* Without a given seed the whole state comes from the system: ids must not repeat across hosts. */
static void client_seed_ids(struct keyrack_client *client, const struct keyrack_config *config)
{
	rng_init(&client->id_rng, client_seed(config));
	if (config->random_seed != 0)
		return;
	uint64_t state[4];
	if (getrandom(state, sizeof(state), 0) != (ssize_t)sizeof(state))
		return;
	if ((state[0] | state[1] | state[2] | state[3]) != 0)
		memcpy(client->id_rng.state, state, sizeof(state));
}

static int client_new_memory(struct keyrack_client *client, struct client_core_config *core)
{
	size_t count = core->call_count_max;
	core->in_size_bytes = 2 * CLIENT_BUFFER_SIZE_MIN;
	core->out_size_bytes = 2 * CLIENT_BUFFER_SIZE_MIN;
	core->calls = malloc(count * sizeof(*core->calls));
	core->heap_handles = malloc(count * sizeof(*core->heap_handles));
	core->in_bytes = malloc(core->in_size_bytes);
	core->out_bytes = malloc(core->out_size_bytes);
	client->entries = calloc(count, sizeof(*client->entries));
	uint8_t *arena = malloc(CLIENT_ARENA_SIZE);
	if (arena != NULL)
		pb_arena_init(&client->arena, arena, CLIENT_ARENA_SIZE);
	bool whole = core->calls != NULL && core->heap_handles != NULL && core->in_bytes != NULL &&
		     core->out_bytes != NULL && client->entries != NULL && arena != NULL;
	client->core.config = *core; /* so that freeing finds what there is */
	return whole ? 0 : -ENOMEM;
}

static void client_core_configure(const struct keyrack_config *config, uint32_t router_count,
	struct client_core_config *ret_core)
{
	uint32_t calls = (uint32_t)client_default(config->in_flight_max, CLIENT_IN_FLIGHT_DEFAULT);
	uint64_t first_us = client_default(config->retry_first_us, CLIENT_RETRY_FIRST_DEFAULT_US);
	uint64_t max_us = client_default(config->retry_max_us, CLIENT_RETRY_MAX_DEFAULT_US);
	*ret_core = (struct client_core_config){
		.call_count_max = calls,
		.router_count = router_count,
		.cluster = config->cluster,
		.connect_timeout_us =
			client_default(config->connect_timeout_us, CLIENT_CONNECT_DEFAULT_US),
		.silence_us = client_default(config->silence_us, CLIENT_SILENCE_DEFAULT_US),
		.retry_first_us = first_us,
		.retry_max_us = max_us,
		.retry_budget = (uint32_t)client_default(config->retry_budget, 2 * calls),
		.tries_max = (uint32_t)client_default(config->tries_max, CLIENT_TRIES_DEFAULT),
		.fail_fast = config->fail_fast,
		.agent = config->agent,
		.seed = client_seed(config),
	};
}

static int client_token_read(struct keyrack_client *client, const char *path)
{
	struct token_set tokens = {.count = 0};
	struct kr_error_text text;
	if (path == NULL)
		return 0;
	/* What the token lets this client do is the server's to know. */
	int r = token_set_read(&tokens, ACCESS_BOOKING, path, &text);
	kr_assert(r < 0 || tokens.count > 0);
	if (r == 0)
		client->token = tokens.items[0];
	token_set_clear(&tokens);
	if (r == 0)
		return 0;
	return r == -KR_E_INVALID ? -EBADMSG : -EACCES;
}

int keyrack_client_new(const struct keyrack_config *config, struct keyrack_client **ret_client)
{
	struct client_core_config core;
	uint32_t router_count = 0;
	int r = client_config_check(config);
	if (r != 0)
		return r;
	struct keyrack_client *client = calloc(1, sizeof(*client));
	if (client == NULL)
		return -ENOMEM;
	client_socket_init(&client->socket);
	r = client_address_parse(
		config->routers, client->routers, CLIENT_ROUTERS_MAX, &router_count);
	if (r == 0)
		r = client_token_read(client, config->token_file);
	if (r == 0) {
		client_core_configure(config, router_count, &core);
		core.token = client->token.number != 0 ? &client->token : NULL;
		r = client_new_memory(client, &core);
	}
	if (r != 0) {
		keyrack_client_free(client);
		return r;
	}
	client_core_init(&client->core, &core);
	client_seed_ids(client, config);
	client->deadline_us = client_default(config->deadline_us, CLIENT_DEADLINE_DEFAULT_US);
	client->actor = config->actor;
	client->source = config->source;
	client->no_retry = config->no_retry;
	*ret_client = client;
	return 0;
}

struct keyrack_client *keyrack_client_free(struct keyrack_client *client)
{
	if (client == NULL)
		return NULL;
	kr_assert(!client->in_callback);
	const struct client_core_config *core = &client->core.config;
	for (uint32_t i = 0; client->entries != NULL && i < core->call_count_max; i++) {
		client_fan_free(client->entries[i].fan);
		free(client->entries[i].large);
	}
	client_fan_free(client->held);
	client_socket_close(&client->socket);
	free(core->calls);
	free(core->heap_handles);
	free(core->in_bytes);
	free(core->out_bytes);
	free(client->entries);
	free(client->arena.arena.base);
	explicit_bzero(&client->token, sizeof(client->token));
	free(client);
	return NULL;
}

void keyrack_client_info(const struct keyrack_client *client, struct keyrack_client_info *ret_info)
{
	const struct client_core *core = &client->core;
	const struct client_counters *counters = &core->counters;
	*ret_info = (struct keyrack_client_info){
		.connected = core->state == CLIENT_UP,
		.router = client->routers[core->router].text,
		.agent = core->router_agent,
		.cluster = core->cluster,
		.version = core->version,
		.features = core->features,
		.window = core->window,
		.shard_count = core->shard_count,
		.map_epoch = core->map_epoch,
		.open = core->open_count,
		.last_fault = core->fault,
		.submitted = counters->submitted,
		.ended = counters->ended,
		.tries = counters->tries,
		.retries = counters->retries,
		.connects = counters->connects,
		.losses = counters->losses,
		.late_answers = counters->late_answers,
		.bytes_sent = counters->bytes_sent,
		.bytes_received = counters->bytes_received,
	};
}

struct keyrack_id keyrack_id_mint(struct keyrack_client *client, uint64_t hotel_id)
{
	struct timespec now;
	/* Coarse: some milliseconds old at most, and a fraction of the price. */
	int r = clock_gettime(CLOCK_REALTIME_COARSE, &now);
	kr_assert(r == 0);
	uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	return keyrack_id_make(ms, keyrack_slot_of_hotel(hotel_id), rng_next(&client->id_rng));
}

/* ---- one turn -------------------------------------------------------------------------------- */

static void client_disconnected(struct keyrack_client *client)
{
	client_core_disconnected(&client->core, client->now_us);
}

static void client_finish_connect(struct keyrack_client *client)
{
	kr_assert(client->socket.is_connecting);
	int r = client_socket_finish(&client->socket);
	if (r == 0)
		client_core_connected(&client->core, client->now_us);
	else if (r == CLIENT_SOCKET_LOST)
		client_disconnected(client);
}

/* Reads until there is no more, and hands over what that ended. Returns the callbacks run. */
static int client_turn_read(struct keyrack_client *client)
{
	int count = 0;
	for (int n = 0; n < CLIENT_READS_PER_TURN; n++) {
		size_t space_bytes, got_bytes;
		/* A stop leaves frames in the buffer: they go first, for there may be no room. */
		count += client_drain(client);
		if (client->is_undrained || client->core.must_close || client->socket.fd < 0)
			break;
		void *space = client_core_in_space(&client->core, &space_bytes);
		int r = client_socket_receive(&client->socket, space, space_bytes, &got_bytes);
		if (r == CLIENT_SOCKET_LOST)
			client_disconnected(client);
		if (r != 0)
			break;
		client_core_in_add(&client->core, got_bytes, client->now_us);
		if (got_bytes < space_bytes) {
			count += client_drain(client);
			break;
		}
	}
	return count;
}

static void client_turn_write(struct keyrack_client *client)
{
	while (client->core.state >= CLIENT_ASKING) {
		size_t size_bytes, sent_bytes;
		const void *bytes = client_core_out(&client->core, client->now_us, &size_bytes);
		if (size_bytes == 0)
			break;
		int r = client_socket_send(&client->socket, bytes, size_bytes, &sent_bytes);
		if (r == CLIENT_SOCKET_LOST)
			client_disconnected(client);
		if (r != 0)
			break;
		client_core_out_sent(&client->core, sent_bytes);
		if (sent_bytes < size_bytes)
			break;
	}
}

/* Closes and connects as the core asks: at most once round the routers. */
static void client_turn_act(struct keyrack_client *client)
{
	for (uint32_t n = 0; n <= 2 * client->core.config.router_count; n++) {
		enum client_action action = client_core_action(&client->core, client->now_us);
		if (action == CLIENT_DO_NOTHING)
			return;
		if (action == CLIENT_DO_CLOSE) {
			client_socket_close(&client->socket);
			continue;
		}
		kr_assert(action == CLIENT_DO_CONNECT);
		int r = client_socket_connect(
			&client->socket, &client->routers[client->core.router]);
		if (r == 0)
			client_core_connected(&client->core, client->now_us);
		else if (r == CLIENT_SOCKET_LOST)
			client_disconnected(client);
		if (r != CLIENT_SOCKET_LOST)
			return;
	}
}

int keyrack_client_process(struct keyrack_client *client)
{
	if (client->in_callback)
		return -EDEADLK;
	client->now_us = client_now_us();
	int count = 0;
	if (client->socket.fd >= 0 && client->socket.is_connecting)
		client_finish_connect(client);
	if (client->socket.fd >= 0 && !client->socket.is_connecting)
		count += client_turn_read(client);
	client_core_tick(&client->core, client->now_us);
	count += client_drain(client);
	client_turn_act(client);
	client_turn_write(client);
	return count;
}

int keyrack_client_fd(const struct keyrack_client *client)
{
	return client->socket.fd;
}

unsigned keyrack_client_want(const struct keyrack_client *client)
{
	if (client->socket.fd < 0)
		return 0;
	if (client->socket.is_connecting)
		return KEYRACK_WANT_WRITE;
	bool out = client_core_wants_out(&client->core);
	return KEYRACK_WANT_READ | (out ? KEYRACK_WANT_WRITE : 0);
}

int64_t keyrack_client_timeout_us(const struct keyrack_client *client)
{
	if (client->is_undrained)
		return 0;
	return client_core_timeout_us(&client->core, client_now_us());
}

int keyrack_client_wait(struct keyrack_client *client, int64_t timeout_us)
{
	if (client->in_callback)
		return -EDEADLK;
	int64_t due_us = keyrack_client_timeout_us(client);
	if (due_us < 0 || (timeout_us >= 0 && timeout_us < due_us))
		due_us = timeout_us;
	unsigned want = keyrack_client_want(client);
	struct pollfd pfd = {.fd = client->socket.fd};
	pfd.events = (short)(((want & KEYRACK_WANT_READ) != 0 ? POLLIN : 0) |
			     ((want & KEYRACK_WANT_WRITE) != 0 ? POLLOUT : 0));
	struct timespec pause = {due_us / 1000000, due_us % 1000000 * 1000};
	if (due_us != 0)
		(void)ppoll(&pfd, 1, due_us < 0 ? NULL : &pause, NULL);
	return keyrack_client_process(client);
}

uint32_t keyrack_client_open(const struct keyrack_client *client)
{
	return client->core.open_count;
}

uint32_t keyrack_client_room(const struct keyrack_client *client)
{
	return client_core_room(&client->core);
}

/* Addresses and sizes of a local cluster: pure. */
#include <stdio.h>
#include <string.h>

#include "tools/keyrack/cluster.h"

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static bool address_is_local(const char *address)
{
	return starts_with(address, "127.") || starts_with(address, "[::1]:") ||
	       starts_with(address, "unix:");
}

static bool address_is_unix(const char *address)
{
	return starts_with(address, "unix:");
}

static bool each_is(const char *listen, bool (*is_it)(const char *))
{
	for (;;) {
		if (!is_it(listen))
			return false;
		listen += strcspn(listen, ",");
		if (*listen == '\0')
			return true;
		listen++;
	}
}

bool cluster_listen_is_local(const char *listen)
{
	return each_is(listen, address_is_local);
}

bool cluster_listen_is_unix(const char *listen)
{
	return each_is(listen, address_is_unix);
}

const char *cluster_token_file(const struct cluster_config *config)
{
	kr_assert(config->shards > 0);
	if (config->operator_token_file[0] != '\0')
		return config->operator_token_file;
	return config->booking_token_file[0] != '\0' ? config->booking_token_file : NULL;
}

void cluster_router_address(
	const struct cluster_config *config, char ret_address[static CLUSTER_LISTEN_SIZE])
{
	static const char any4[] = "0.0.0.0:";
	static const char any6[] = "[::]:";
	size_t length = strcspn(config->listen, ",");
	const char *listen = config->listen;
	kr_assert(length < CLUSTER_LISTEN_SIZE);
	if (starts_with(listen, any4))
		(void)snprintf(ret_address, CLUSTER_LISTEN_SIZE, "127.0.0.1:%.*s",
			(int)(length - strlen(any4)), listen + strlen(any4));
	else if (starts_with(listen, any6))
		(void)snprintf(ret_address, CLUSTER_LISTEN_SIZE, "[::1]:%.*s",
			(int)(length - strlen(any6)), listen + strlen(any6));
	else
		(void)snprintf(ret_address, CLUSTER_LISTEN_SIZE, "%.*s", (int)length, listen);
}

uint32_t cluster_part(uint32_t whole, uint32_t shards, uint32_t slack)
{
	uint64_t part;
	kr_assert(shards > 0);
	part = ((uint64_t)whole + shards - 1) / shards;
	return (uint32_t)KR_MIN((uint64_t)whole, part + part / 4 + slack);
}

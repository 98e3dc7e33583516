#include <criterion/criterion.h>
#include <stdio.h>

#include "tools/keyrack/cluster.h"

Test(cluster_sizes, one_shard_gets_everything)
{
	cr_assert_eq(cluster_part(1000, 1, 64), 1000);
	cr_assert_eq(cluster_part(4000000000u, 1, 4096), 4000000000u);
}

Test(cluster_sizes, a_part_is_more_than_equal_and_never_more_than_all)
{
	cr_assert_eq(cluster_part(10000, 4, 64), 2500 + 625 + 64);
	cr_assert_eq(cluster_part(10, 4, 64), 10);
	for (uint32_t shards = 1; shards <= CLUSTER_SHARDS_MAX; shards++)
		for (uint32_t whole = 1; whole < 100000; whole += 777) {
			uint32_t part = cluster_part(whole, shards, 64);
			cr_assert_leq(part, whole);
			cr_assert_geq((uint64_t)part * shards, whole);
		}
}

Test(cluster_sizes, tells_addresses_that_other_machines_reach)
{
	const char *const local[] = {"127.0.0.1:7070", "127.9.9.9:1", "[::1]:7070", "unix:/tmp/x",
		"127.0.0.1:7070,unix:/x"};
	const char *const remote[] = {"0.0.0.0:7070", "[::]:7070", "10.0.0.1:7070", "hotel:7070",
		"", "127.0.0.1:7070,10.0.0.1:7070", "1270.0.0.1:1"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(local); i++)
		cr_assert(cluster_listen_is_local(local[i]), "%s", local[i]);
	for (size_t i = 0; i < KR_ARRAY_COUNT(remote); i++)
		cr_assert_not(cluster_listen_is_local(remote[i]), "%s", remote[i]);
}

Test(cluster_sizes, a_client_here_connects_to_the_first_address)
{
	const struct {
		const char *listen;
		const char *address;
	} rows[] = {{"127.0.0.1:7070", "127.0.0.1:7070"}, {"0.0.0.0:7070", "127.0.0.1:7070"},
		{"[::]:7070", "[::1]:7070"}, {"10.0.0.1:1,127.0.0.1:2", "10.0.0.1:1"},
		{"0.0.0.0:1,10.0.0.1:2", "127.0.0.1:1"}, {"unix:/tmp/x", "unix:/tmp/x"}};
	for (size_t i = 0; i < KR_ARRAY_COUNT(rows); i++) {
		struct cluster_config config = {.shards = 1};
		char address[CLUSTER_LISTEN_SIZE];
		(void)snprintf(config.listen, sizeof(config.listen), "%s", rows[i].listen);
		cluster_router_address(&config, address);
		cr_assert_str_eq(address, rows[i].address);
	}
}

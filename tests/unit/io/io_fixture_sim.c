#include "io_fixture.h"

#include <string.h>

#include "base/io/sim/sim.h"
#include "base/io/sim/sim_node.h"

void io_fixture_init(struct io_fixture *fixture, const struct io_config *config)
{
	struct sim_config sim;
	struct io_config own;
	struct kr_error_text text;
	static const char *const names[FIXTURE_LOOP_COUNT] = {"zero", "one"};
	memset(fixture, 0, sizeof(*fixture));
	fault_set_init(&fixture->faults);
	sim_config_default(&sim);
	sim.faults.net_split = 200000;
	sim.faults.net_spike = 1000;
	sim.faults.disk_short = 100000;
	fixture->backend = sim_world_new(&sim);
	struct sim_disk *disk = sim_disk_new(fixture->backend, 0);
	io_config_default(&own);
	if (config != NULL)
		own = *config;
	own.faults = &fixture->faults;
	for (uint32_t i = 0; i < FIXTURE_LOOP_COUNT; i++) {
		fixture->nodes[i] = sim_node_new(fixture->backend, disk, names[i]);
		own.environment = fixture->nodes[i];
		int r = io_loop_new(&own, &fixture->loops[i], &text);
		cr_assert_eq(r, 0, "%s", text.bytes);
	}
	memcpy(fixture->path, "data", sizeof("data"));
	sim_media_truncate(disk, fixture->path, "seed", 0);
	sim_media_remove(disk, fixture->path, "seed");
}

void io_fixture_fini(struct io_fixture *fixture)
{
	for (uint32_t i = 0; i < FIXTURE_LOOP_COUNT; i++)
		fixture->loops[i] = io_loop_free(fixture->loops[i]);
	fixture->backend = sim_world_free(fixture->backend);
}

void io_fixture_step(struct io_fixture *fixture)
{
	(void)sim_world_step(fixture->backend);
}

struct io_address io_fixture_tcp(const struct io_fixture *fixture)
{
	struct io_address address;
	int r = io_address_parse("10.0.0.1:0", 10, &address);
	cr_assert_eq(r, 0);
	return address;
}

struct io_address io_fixture_unix(const struct io_fixture *fixture)
{
	struct io_address address = {.kind = IO_ADDRESS_UNIX, .path = "/run/socket"};
	return address;
}

bool io_fixture_is_real(void)
{
	return false;
}

void io_fixture_signal(struct io_fixture *fixture, int number)
{
	struct sim_node *node = fixture->nodes[0];
	sim_node_signal(node, number);
}

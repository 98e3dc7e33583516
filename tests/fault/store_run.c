#include "tests/fault/store_run.h"

#include <criterion/criterion.h>
#include <string.h>

#define STEP_US 1000000u

static void on_crash(void *context, struct sim_node *node, enum sim_crash how)
{
	struct store_run *run = context;
	if (run->is_open)
		kr_memory_release(&run->store.memory);
	run->is_open = false;
}

void store_run_begin(struct store_run *run, const struct world *files, uint64_t seed,
	const struct sim_faults *fates)
{
	struct sim_config config;
	memset(run, 0, sizeof(*run));
	fault_set_init(&run->faults);
	sim_config_default(&config);
	config.seed = seed;
	config.faults = *fates;
	config.on_crash = on_crash;
	config.context = run;
	run->world = sim_world_new(&config);
	run->disk = sim_disk_new(run->world, 0);
	run->node = sim_node_new(run->world, run->disk, "process");
	for (uint32_t i = 0; i < files->file_count; i++)
		sim_media_write(run->disk, STORE_RUN_PATH, files->files[i].name, 0,
			files->files[i].bytes, files->files[i].size_bytes);
}

void store_run_end(struct store_run *run)
{
	if (run->is_open)
		kr_memory_release(&run->store.memory);
	run->is_open = false;
	run->world = sim_world_free(run->world);
}

void store_run_open(struct store_run *run)
{
	struct io_config config;
	struct kr_error_text text;
	kr_assert(!run->is_open);
	if (!sim_node_is_alive(run->node))
		sim_node_start(run->node);
	io_config_default(&config);
	config.environment = run->node;
	config.faults = &run->faults;
	cr_assert_eq(io_loop_new(&config, &run->loop, &text), 0);
	int r = log_store_open(run->loop, &run->store, STORE_RUN_PATH, 0, false, &text);
	cr_assert_eq(r, 0, "%s", text.bytes);
	run->is_open = true;
	do {
		r = log_store_lock(&run->store, &text);
		sim_world_run_until(run->world, sim_world_now_us(run->world) + STEP_US);
	} while (r == LOG_STORE_LOCKED);
	cr_assert_eq(r, 0);
}

void store_run_close(struct store_run *run)
{
	kr_assert(run->is_open);
	log_store_close(&run->store);
	run->is_open = false;
	run->loop = io_loop_free(run->loop);
}

bool store_run_is_alive(const struct store_run *run)
{
	return sim_node_is_alive(run->node) && !sim_node_is_dying(run->node);
}

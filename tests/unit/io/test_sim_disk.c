#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "base/io/io_file.h"
#include "base/io/sim/sim.h"
#include "base/io/sim/sim_node.h"
#include "base/rng.h"

#define BLOCK IO_FILE_ALIGN
#define SECTOR SIM_SECTOR_SIZE
#define PATH "data"

/* One machine with one process and what that process holds. */
struct machine {
	struct sim_world *world;
	struct sim_disk *disk;
	struct sim_node *node;
	struct io_loop *loop;
	struct io_directory directory;
	struct io_file file;
	struct io_op op;
	uint32_t done_count;
	uint32_t crash_count;
	enum sim_crash crash_how;
};

static _Alignas(BLOCK) uint8_t buffer[16 * BLOCK];

static void on_crash(void *context, struct sim_node *node, enum sim_crash how)
{
	struct machine *machine = context;
	machine->crash_count++;
	machine->crash_how = how;
	machine->loop = NULL;
}

static void on_done(struct io_op *op)
{
	struct machine *machine = op->context;
	machine->done_count++;
}

static void machine_boot(struct machine *machine)
{
	struct io_config config;
	struct kr_error_text text;
	io_config_default(&config);
	config.environment = machine->node;
	cr_assert_eq(io_loop_new(&config, &machine->loop, &text), 0);
	cr_assert_eq(io_directory_open(
			     machine->loop, &machine->directory, PATH, IO_DIRECTORY_CREATE, &text),
		0);
	io_op_init(&machine->op, on_done, machine);
}

static void machine_init(struct machine *machine, const struct sim_config *config)
{
	struct sim_config own = *config;
	memset(machine, 0, sizeof(*machine));
	own.on_crash = on_crash;
	own.context = machine;
	machine->world = sim_world_new(&own);
	machine->disk = sim_disk_new(machine->world, 0);
	machine->node = sim_node_new(machine->world, machine->disk, "shard");
	machine_boot(machine);
}

static void machine_reboot(struct machine *machine, enum sim_crash how)
{
	uint32_t before = machine->crash_count;
	sim_node_crash(machine->node, how);
	cr_assert_eq(machine->crash_count, before + 1);
	cr_assert_eq(machine->crash_how, how);
	cr_assert(!sim_node_is_alive(machine->node));
	sim_node_start(machine->node);
	machine_boot(machine);
}

static void file_open(struct machine *machine, const char *name, unsigned flags)
{
	cr_assert_eq(io_file_open(&machine->directory, &machine->file, name, flags), 0);
}

static void steps(struct machine *machine, const struct io_op *op)
{
	for (uint32_t i = 0; op->is_running; i++) {
		cr_assert(i < 1000);
		cr_assert(sim_world_step(machine->world));
	}
}

static const unsigned plain = IO_FILE_READ | IO_FILE_WRITE | IO_FILE_CREATE;
static const unsigned synced =
	IO_FILE_READ | IO_FILE_WRITE | IO_FILE_CREATE | IO_FILE_DIRECT | IO_FILE_DSYNC;

static enum sim_fate drop_all(void *context, const char *name, uint64_t offset)
{
	return SIM_FATE_DROPPED;
}

Test(power, keeps_what_was_synced_and_loses_what_was_not)
{
	struct sim_config config;
	struct machine machine;
	uint8_t back[BLOCK];
	sim_config_default(&config);
	machine_init(&machine, &config);
	sim_disk_fate_set(machine.disk, drop_all, NULL);
	file_open(&machine, "log", plain);
	memset(buffer, 1, BLOCK);
	cr_assert_eq(io_file_write_now(&machine.file, buffer, BLOCK, 0), 0);
	cr_assert_eq(io_file_sync_now(&machine.file), 0);
	cr_assert_eq(io_directory_sync_now(&machine.directory), 0);
	memset(buffer, 2, BLOCK);
	cr_assert_eq(io_file_write_now(&machine.file, buffer, BLOCK, 0), 0);
	machine_reboot(&machine, SIM_POWER);
	sim_media_read(machine.disk, PATH, "log", 0, back, BLOCK);
	memset(buffer, 1, BLOCK);
	cr_assert_arr_eq(back, buffer, BLOCK);
	cr_assert_eq(sim_world_mark_count(machine.world, SIM_SECTOR_DROPPED), 8);
	machine.world = sim_world_free(machine.world);
}

Test(power, a_killed_process_leaves_its_writes_in_the_cache)
{
	struct sim_config config;
	struct machine machine;
	uint8_t back[BLOCK];
	sim_config_default(&config);
	machine_init(&machine, &config);
	file_open(&machine, "log", plain);
	memset(buffer, 3, BLOCK);
	cr_assert_eq(io_file_write_now(&machine.file, buffer, BLOCK, 0), 0);
	machine_reboot(&machine, SIM_KILL);
	sim_media_read(machine.disk, PATH, "log", 0, back, BLOCK);
	cr_assert_arr_eq(back, buffer, BLOCK);
	machine.world = sim_world_free(machine.world);
}

Test(power, a_durable_write_that_completed_is_there)
{
	struct sim_config config;
	struct machine machine;
	uint8_t back[4 * BLOCK];
	sim_config_default(&config);
	for (uint64_t seed = 1; seed <= 50; seed++) {
		config.seed = seed;
		config.faults.disk_short = 300000;
		machine_init(&machine, &config);
		file_open(&machine, "log", synced);
		cr_assert_eq(io_directory_sync_now(&machine.directory), 0);
		memset(buffer, (int)seed, 4 * BLOCK);
		io_file_write(&machine.file, &machine.op, buffer, 4 * BLOCK, 0);
		steps(&machine, &machine.op);
		cr_assert_eq(machine.op.result, 0);
		machine_reboot(&machine, SIM_POWER);
		cr_assert_eq(sim_media_size(machine.disk, PATH, "log"), 4 * BLOCK);
		sim_media_read(machine.disk, PATH, "log", 0, back, 4 * BLOCK);
		cr_assert_arr_eq(back, buffer, 4 * BLOCK);
		machine.world = sim_world_free(machine.world);
	}
}

struct chosen {
	uint32_t bits;
	uint32_t count;
};

static enum sim_fate choose_by_bits(void *context, const char *name, uint64_t offset)
{
	struct chosen *chosen = context;
	cr_assert_str_eq(name, "log");
	cr_assert_eq(offset, (uint64_t)chosen->count * SECTOR);
	return chosen->bits >> chosen->count++ & 1 ? SIM_FATE_KEPT : SIM_FATE_DROPPED;
}

Test(power, every_subset_of_the_sectors_of_a_write_in_flight_can_be_had)
{
	struct sim_config config;
	struct machine machine;
	uint8_t back[BLOCK];
	sim_config_default(&config);
	for (uint32_t bits = 0; bits < 256; bits++) {
		struct chosen chosen = {.bits = bits};
		machine_init(&machine, &config);
		sim_disk_fate_set(machine.disk, choose_by_bits, &chosen);
		memset(buffer, 0xaa, BLOCK);
		sim_media_write(machine.disk, PATH, "log", 0, buffer, BLOCK);
		file_open(&machine, "log", synced);
		memset(buffer, 0xbb, BLOCK);
		io_file_write(&machine.file, &machine.op, buffer, BLOCK, 0);
		machine_reboot(&machine, SIM_POWER);
		cr_assert_eq(machine.done_count, 0);
		cr_assert_eq(chosen.count, 8);
		sim_media_read(machine.disk, PATH, "log", 0, back, BLOCK);
		for (uint32_t i = 0; i < BLOCK; i++)
			cr_assert_eq(back[i], bits >> i / SECTOR & 1 ? 0xbb : 0xaa);
		machine.world = sim_world_free(machine.world);
	}
}

Test(power, the_rates_give_every_fate)
{
	struct sim_config config;
	struct machine machine;
	static const enum sim_mark marks[] = {SIM_SECTOR_KEPT, SIM_SECTOR_DROPPED, SIM_SECTOR_TORN,
		SIM_SECTOR_ZEROED, SIM_SECTOR_GARBAGE};
	sim_config_default(&config);
	config.faults.fate_kept = 20;
	config.faults.fate_dropped = 20;
	config.faults.fate_torn = 20;
	config.faults.fate_zeroed = 20;
	config.faults.fate_garbage = 20;
	machine_init(&machine, &config);
	for (uint32_t i = 0; i < 20; i++) {
		file_open(&machine, "log", synced);
		cr_assert_eq(io_directory_sync_now(&machine.directory), 0);
		io_file_write(&machine.file, &machine.op, buffer, 16 * BLOCK, 0);
		machine_reboot(&machine, SIM_POWER);
	}
	for (uint32_t i = 0; i < KR_ARRAY_COUNT(marks); i++)
		cr_assert(sim_world_mark_count(machine.world, marks[i]) > 100);
	machine.world = sim_world_free(machine.world);
}

/* A file is replaced by a new one with all syncs: at any moment one of the two is there, whole. */
static void replace(struct machine *machine, uint8_t content)
{
	memset(buffer, content, 2 * BLOCK);
	if (io_file_open(&machine->directory, &machine->file, "tmp", plain) < 0)
		return;
	if (io_file_write_now(&machine->file, buffer, 2 * BLOCK, 0) < 0)
		return;
	if (io_file_sync_now(&machine->file) < 0)
		return;
	io_file_close(&machine->file);
	if (io_directory_rename_now(&machine->directory, "tmp", "snapshot") < 0)
		return;
	if (io_directory_sync_now(&machine->directory) < 0)
		return;
}

Test(power, replacing_by_rename_is_atomic_at_every_crash_point)
{
	struct sim_config config;
	struct machine machine;
	uint32_t old_count = 0, new_count = 0;
	uint8_t back[2 * BLOCK];
	sim_config_default(&config);
	for (uint64_t run = 0; run < 600; run++) {
		config.seed = run;
		machine_init(&machine, &config);
		replace(&machine, 1);
		sim_node_crash_at(machine.node, run % 7 + 1, SIM_POWER);
		replace(&machine, 2);
		if (!sim_node_is_dying(machine.node))
			sim_node_crash(machine.node, SIM_POWER);
		else
			(void)sim_world_step(machine.world);
		cr_assert_eq(machine.crash_count, 1);
		cr_assert_eq(sim_media_size(machine.disk, PATH, "snapshot"), 2 * BLOCK);
		sim_media_read(machine.disk, PATH, "snapshot", 0, back, 2 * BLOCK);
		cr_assert(back[0] == 1 || back[0] == 2);
		memset(buffer, back[0], 2 * BLOCK);
		cr_assert_arr_eq(back, buffer, 2 * BLOCK);
		old_count += back[0] == 1;
		new_count += back[0] == 2;
		/* Past the directory sync only the new one will do. */
		cr_assert(run % 7 + 1 <= 5 || back[0] == 2);
		machine.world = sim_world_free(machine.world);
	}
	cr_assert(old_count > 100);
	cr_assert(new_count > 100);
}

Test(power, without_a_directory_sync_a_new_file_may_be_lost)
{
	struct sim_config config;
	struct machine machine;
	uint32_t lost_count = 0;
	sim_config_default(&config);
	for (uint64_t seed = 1; seed <= 100; seed++) {
		config.seed = seed;
		machine_init(&machine, &config);
		file_open(&machine, "log", plain);
		cr_assert_eq(io_file_write_now(&machine.file, buffer, BLOCK, 0), 0);
		cr_assert_eq(io_file_sync_now(&machine.file), 0);
		machine_reboot(&machine, SIM_POWER);
		lost_count += sim_media_size(machine.disk, PATH, "log") < 0;
		machine.world = sim_world_free(machine.world);
	}
	cr_assert(lost_count > 20 && lost_count < 80);
}

Test(power, a_failed_sync_drops_what_it_should_have_kept)
{
	struct sim_config config;
	struct machine machine;
	uint8_t back[BLOCK];
	sim_config_default(&config);
	machine_init(&machine, &config);
	struct sim_faults faults = {.disk_sync_error = 1000000};
	memset(buffer, 1, BLOCK);
	sim_media_write(machine.disk, PATH, "log", 0, buffer, BLOCK);
	file_open(&machine, "log", plain);
	memset(buffer, 2, BLOCK);
	cr_assert_eq(io_file_write_now(&machine.file, buffer, BLOCK, 0), 0);
	sim_world_faults_set(machine.world, &faults);
	cr_assert_eq(io_file_sync_now(&machine.file), -KR_E_IO);
	sim_world_faults_set(machine.world, &config.faults);
	/* A second sync succeeds and keeps nothing: never to be retried. */
	cr_assert_eq(io_file_sync_now(&machine.file), 0);
	sim_media_read(machine.disk, PATH, "log", 0, back, BLOCK);
	cr_assert_eq(back[0], 2);
	machine_reboot(&machine, SIM_POWER);
	sim_media_read(machine.disk, PATH, "log", 0, back, BLOCK);
	cr_assert_eq(back[0], 1);
	machine.world = sim_world_free(machine.world);
}

Test(lock, outlives_the_late_writes_of_a_killed_process)
{
	struct sim_config config;
	struct machine machine;
	struct kr_error_text text;
	uint32_t held_count = 0;
	uint8_t back[BLOCK];
	sim_config_default(&config);
	for (uint64_t seed = 1; seed <= 40; seed++) {
		config.seed = seed;
		machine_init(&machine, &config);
		cr_assert_eq(io_directory_lock(&machine.directory, &text), 0);
		memset(buffer, 1, BLOCK);
		sim_media_write(machine.disk, PATH, "log", 0, buffer, BLOCK);
		file_open(&machine, "log", synced);
		memset(buffer, 2, BLOCK);
		io_file_write(&machine.file, &machine.op, buffer, BLOCK, 0);
		machine_reboot(&machine, SIM_KILL);
		int r = io_directory_lock(&machine.directory, &text);
		sim_media_read(machine.disk, PATH, "log", 0, back, BLOCK);
		if (r == IO_DIRECTORY_LOCKED) {
			held_count++;
			cr_assert_eq(back[0], 1);
			while (r == IO_DIRECTORY_LOCKED) {
				cr_assert(sim_world_step(machine.world));
				r = io_directory_lock(&machine.directory, &text);
			}
			sim_media_read(machine.disk, PATH, "log", 0, back, BLOCK);
			cr_assert_eq(back[0], 2, "the lock was free before the write");
		}
		cr_assert_eq(r, 0);
		machine.world = sim_world_free(machine.world);
	}
	cr_assert(held_count > 20);
	cr_assert(held_count < 40);
}

Test(media, a_full_disk_refuses_to_grow_and_recovers)
{
	struct sim_config config;
	struct machine machine;
	uint64_t free_bytes;
	sim_config_default(&config);
	machine_init(&machine, &config);
	sim_disk_capacity_set(machine.disk, 4 * BLOCK);
	file_open(&machine, "log", synced);
	cr_assert_eq(io_file_write_now(&machine.file, buffer, 4 * BLOCK, 0), 0);
	cr_assert_eq(io_directory_free_bytes(&machine.directory, &free_bytes), 0);
	cr_assert_eq(free_bytes, 0);
	cr_assert_eq(io_file_write_now(&machine.file, buffer, BLOCK, 4 * BLOCK), -KR_E_NOSPACE);
	cr_assert_eq(machine.file.errno_number, ENOSPC);
	cr_assert_eq(io_file_write_now(&machine.file, buffer, 4 * BLOCK, 0), 0);
	io_file_allocate(&machine.file, &machine.op, 0, 5 * BLOCK);
	steps(&machine, &machine.op);
	cr_assert_eq(machine.op.result, -KR_E_NOSPACE);
	cr_assert_eq(io_file_truncate_now(&machine.file, BLOCK), 0);
	cr_assert_eq(io_directory_free_bytes(&machine.directory, &free_bytes), 0);
	cr_assert_eq(free_bytes, 3 * BLOCK);
	cr_assert_eq(io_file_write_now(&machine.file, buffer, BLOCK, 3 * BLOCK), 0);
	io_file_close(&machine.file);
	cr_assert_eq(io_directory_unlink_now(&machine.directory, "log"), 0);
	cr_assert_eq(io_directory_sync_now(&machine.directory), 0);
	cr_assert_eq(sim_disk_used_bytes(machine.disk), 0);
	machine.world = sim_world_free(machine.world);
}

Test(media, a_broken_sector_fails_until_it_is_written)
{
	struct sim_config config;
	struct machine machine;
	size_t size;
	sim_config_default(&config);
	machine_init(&machine, &config);
	sim_media_write(machine.disk, PATH, "log", 0, buffer, 2 * BLOCK);
	sim_media_break(machine.disk, PATH, "log", BLOCK + SECTOR);
	file_open(&machine, "log", synced);
	cr_assert_eq(io_file_read_now(&machine.file, buffer, BLOCK, 0, &size), 0);
	cr_assert_eq(io_file_read_now(&machine.file, buffer, 2 * BLOCK, 0, &size), -KR_E_IO);
	cr_assert_eq(io_file_write_now(&machine.file, buffer, BLOCK, BLOCK), 0);
	cr_assert_eq(io_file_read_now(&machine.file, buffer, 2 * BLOCK, 0, &size), 0);
	machine.world = sim_world_free(machine.world);
}

Test(media, every_disk_fault_happens_at_its_rate)
{
	struct sim_config config;
	struct machine machine;
	static const enum sim_mark marks[] = {SIM_DISK_SPIKE, SIM_DISK_SHORT, SIM_DISK_READ_ERROR,
		SIM_DISK_READ_FLIP, SIM_DISK_WRITE_ERROR, SIM_DISK_WRITE_LOST,
		SIM_DISK_WRITE_ASTRAY, SIM_DISK_SYNC_ERROR, SIM_DISK_ROT};
	sim_config_default(&config);
	config.faults.disk_spike = 100000;
	config.faults.disk_short = 100000;
	config.faults.disk_read_error = 100000;
	config.faults.disk_read_flip = 100000;
	config.faults.disk_write_error = 100000;
	config.faults.disk_write_lost = 100000;
	config.faults.disk_write_astray = 100000;
	config.faults.disk_sync_error = 100000;
	config.faults.disk_rot = 100000;
	machine_init(&machine, &config);
	sim_media_write(machine.disk, PATH, "log", 0, buffer, 16 * BLOCK);
	file_open(&machine, "log", synced);
	uint32_t error_count = 0;
	for (uint32_t i = 0; i < 3000; i++) {
		if (i % 3 == 0)
			io_file_write(&machine.file, &machine.op, buffer, 2 * BLOCK, 0);
		else if (i % 3 == 1)
			io_file_read(&machine.file, &machine.op, buffer, 2 * BLOCK, 0);
		else
			io_file_sync(&machine.file, &machine.op);
		steps(&machine, &machine.op);
		error_count += machine.op.result < 0;
	}
	cr_assert(error_count > 200 && error_count < 450);
	for (uint32_t i = 0; i < KR_ARRAY_COUNT(marks); i++)
		cr_assert(sim_world_mark_count(machine.world, marks[i]) > 50, "%s",
			sim_mark_name(marks[i]));
	machine.world = sim_world_free(machine.world);
}

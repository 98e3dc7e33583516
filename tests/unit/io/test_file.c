#include "io_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

#define BLOCK IO_FILE_ALIGN
#define SIZE (64u * BLOCK)

static uint32_t done_count;

static void on_done(struct io_op *op)
{
	cr_assert(!op->is_running);
	done_count++;
}

static void wait(struct io_fixture *fixture, const struct io_op *op)
{
	io_fixture_until(fixture, !op->is_running);
}

static uint8_t *block_alloc(size_t size_bytes)
{
	uint8_t *bytes = aligned_alloc(BLOCK, size_bytes);
	cr_assert_not_null(bytes);
	memset(bytes, 0, size_bytes);
	return bytes;
}

static void directory_open(struct io_fixture *fixture, struct io_directory *directory)
{
	struct kr_error_text text;
	int r = io_directory_open(fixture->loops[0], directory, fixture->path, 0, &text);
	cr_assert_eq(r, 0, "%s", text.bytes);
}

static void file_open(
	struct io_directory *directory, struct io_file *file, const char *name, unsigned flags)
{
	int r = io_file_open(directory, file, name, flags);
	cr_assert_eq(r, 0);
}

static const unsigned log_flags =
	IO_FILE_READ | IO_FILE_WRITE | IO_FILE_CREATE | IO_FILE_DIRECT | IO_FILE_DSYNC;

/* Random aligned writes and reads against an array of bytes. */
static void compare_with_array(struct io_fixture *fixture, unsigned flags)
{
	struct io_directory directory;
	struct io_file file;
	struct io_op op;
	struct rng rng;
	uint8_t *expected = block_alloc(SIZE), *bytes = block_alloc(SIZE);
	directory_open(fixture, &directory);
	file_open(&directory, &file, "data", flags);
	rng_init(&rng, 11);
	io_op_init(&op, on_done, NULL);
	io_file_write(&file, &op, expected, SIZE, 0);
	wait(fixture, &op);
	for (uint32_t i = 0; i < 200; i++) {
		uint64_t first = rng_below(&rng, SIZE / BLOCK);
		uint64_t count = rng_range(&rng, 1, SIZE / BLOCK - first);
		if (rng_chance(&rng, 500000)) {
			rng_fill(&rng, bytes, count * BLOCK);
			memcpy(expected + first * BLOCK, bytes, count * BLOCK);
			io_file_write(&file, &op, bytes, count * BLOCK, first * BLOCK);
			cr_assert(op.is_running, "no callback inside the call");
			wait(fixture, &op);
		} else {
			io_file_read(&file, &op, bytes, count * BLOCK, first * BLOCK);
			wait(fixture, &op);
			cr_assert_arr_eq(bytes, expected + first * BLOCK, count * BLOCK);
		}
		cr_assert_eq(op.result, 0);
		cr_assert_eq(op.size_bytes, count * BLOCK);
	}
	cr_assert_eq(done_count, 201);
	io_file_close(&file);
	io_directory_close(&directory);
	free(expected);
	free(bytes);
}

Test(file, direct_writes_read_back)
{
	struct io_fixture fixture;
	io_fixture_init(&fixture, NULL);
	compare_with_array(&fixture, log_flags);
	cr_assert_eq(io_loop_stats(fixture.loops[0])->file_sync_count, 0);
	io_fixture_fini(&fixture);
}

Test(file, without_direct_it_says_so_and_works_the_same)
{
	struct io_fixture fixture;
	struct io_directory directory;
	struct io_file file;
	io_fixture_init(&fixture, NULL);
	fault_arm(&fixture.faults, FAULT_FILE_DIRECT, 1, true);
	compare_with_array(&fixture, log_flags);
	directory_open(&fixture, &directory);
	file_open(&directory, &file, "data", log_flags);
	cr_assert(!file.is_direct);
	io_file_close(&file);
	fault_disarm(&fixture.faults, FAULT_FILE_DIRECT);
	file_open(&directory, &file, "data", log_flags);
	cr_assert(file.is_direct);
	cr_assert(!directory.is_tmpfs);
	io_file_close(&file);
	io_directory_close(&directory);
	io_fixture_fini(&fixture);
}

Test(file, several_operations_are_in_flight_at_once)
{
	struct io_fixture fixture;
	struct io_directory directory;
	struct io_file file;
	struct io_op ops[16];
	uint8_t *bytes = block_alloc(16 * BLOCK), *back = block_alloc(16 * BLOCK);
	io_fixture_init(&fixture, NULL);
	directory_open(&fixture, &directory);
	file_open(&directory, &file, "data", log_flags);
	for (uint32_t i = 0; i < 16; i++) {
		memset(bytes + i * BLOCK, (int)i + 1, BLOCK);
		io_op_init(&ops[i], on_done, NULL);
		io_file_write(&file, &ops[i], bytes + i * BLOCK, BLOCK, (uint64_t)i * BLOCK);
	}
	cr_assert_eq(file.in_flight_count, 16);
	io_fixture_until(&fixture, done_count == 16);
	cr_assert_eq(file.in_flight_count, 0);
	io_file_read(&file, &ops[0], back, 16 * BLOCK, 0);
	wait(&fixture, &ops[0]);
	cr_assert_arr_eq(bytes, back, 16 * BLOCK);
	io_file_close(&file);
	io_directory_close(&directory);
	io_fixture_fini(&fixture);
	free(bytes);
	free(back);
}

Test(file, a_read_stops_at_the_end_of_the_file)
{
	struct io_fixture fixture;
	struct io_directory directory;
	struct io_file file;
	struct io_op op;
	uint8_t *bytes = block_alloc(4 * BLOCK);
	size_t size = 99;
	uint64_t file_size = 99;
	io_fixture_init(&fixture, NULL);
	directory_open(&fixture, &directory);
	file_open(&directory, &file, "data", IO_FILE_READ | IO_FILE_WRITE | IO_FILE_CREATE);
	memset(bytes, 7, 4 * BLOCK);
	cr_assert_eq(io_file_write_now(&file, bytes, BLOCK + 100, 0), 0);
	cr_assert_eq(io_file_size(&file, &file_size), 0);
	cr_assert_eq(file_size, BLOCK + 100);
	cr_assert_eq(io_file_read_now(&file, bytes, 4 * BLOCK, BLOCK, &size), 0);
	cr_assert_eq(size, 100);
	io_op_init(&op, on_done, NULL);
	io_file_read(&file, &op, bytes, 4 * BLOCK, 0);
	wait(&fixture, &op);
	cr_assert_eq(op.result, 0);
	cr_assert_eq(op.size_bytes, BLOCK + 100);
	io_file_read(&file, &op, bytes, BLOCK, 10 * BLOCK);
	wait(&fixture, &op);
	cr_assert_eq(op.result, 0);
	cr_assert_eq(op.size_bytes, 0);
	io_file_close(&file);

	file_open(&directory, &file, "data", IO_FILE_READ | IO_FILE_DIRECT);
	io_file_read(&file, &op, bytes, 4 * BLOCK, 0);
	wait(&fixture, &op);
	cr_assert_eq(op.result, 0);
	cr_assert_eq(op.size_bytes, BLOCK + 100);
	io_file_close(&file);
	io_directory_close(&directory);
	io_fixture_fini(&fixture);
	free(bytes);
}

Test(file, truncating_cuts_and_extends_with_zeroes)
{
	struct io_fixture fixture;
	struct io_directory directory;
	struct io_file file;
	uint8_t bytes[1000], back[1000];
	size_t size;
	uint64_t file_size;
	io_fixture_init(&fixture, NULL);
	directory_open(&fixture, &directory);
	file_open(&directory, &file, "data", IO_FILE_READ | IO_FILE_WRITE | IO_FILE_CREATE);
	memset(bytes, 9, sizeof(bytes));
	cr_assert_eq(io_file_write_now(&file, bytes, sizeof(bytes), 0), 0);
	cr_assert_eq(io_file_truncate_now(&file, 300), 0);
	cr_assert_eq(io_file_truncate_now(&file, 900), 0);
	cr_assert_eq(io_file_sync_now(&file), 0);
	cr_assert_eq(io_directory_file_size(&directory, "data", &file_size), 0);
	cr_assert_eq(file_size, 900);
	cr_assert_eq(io_file_read_now(&file, back, sizeof(back), 0, &size), 0);
	cr_assert_eq(size, 900);
	memset(bytes + 300, 0, 600);
	cr_assert_arr_eq(bytes, back, 900);
	io_file_close(&file);
	io_directory_close(&directory);
	io_fixture_fini(&fixture);
}

Test(file, allocating_gives_zeroes_and_the_size)
{
	struct io_fixture fixture;
	struct io_directory directory;
	struct io_file file;
	struct io_op op;
	uint64_t size;
	uint8_t *bytes = block_alloc(BLOCK);
	io_fixture_init(&fixture, NULL);
	directory_open(&fixture, &directory);
	file_open(&directory, &file, "segment", log_flags);
	io_op_init(&op, on_done, NULL);
	io_file_allocate(&file, &op, 0, 1u << 20);
	wait(&fixture, &op);
	cr_assert_eq(op.result, 0);
	cr_assert_eq(io_file_size(&file, &size), 0);
	cr_assert_eq(size, 1u << 20);
	memset(bytes, 1, BLOCK);
	io_file_read(&file, &op, bytes, BLOCK, (1u << 20) - BLOCK);
	wait(&fixture, &op);
	for (uint32_t i = 0; i < BLOCK; i++)
		cr_assert_eq(bytes[i], 0);
	io_file_sync(&file, &op);
	wait(&fixture, &op);
	cr_assert_eq(op.result, 0);
	io_file_close(&file);
	io_directory_close(&directory);
	io_fixture_fini(&fixture);
	free(bytes);
}

Test(file, what_has_no_name_any_more_gives_its_space_back_in_pieces)
{
	struct io_fixture fixture;
	struct io_directory directory;
	struct io_file file, reader;
	struct io_op op;
	uint64_t size;
	size_t got;
	uint8_t *bytes = block_alloc(4 * BLOCK);
	io_fixture_init(&fixture, NULL);
	directory_open(&fixture, &directory);
	file_open(&directory, &file, "segment", log_flags);
	io_op_init(&op, on_done, NULL);
	memset(bytes, 7, 4 * BLOCK);
	cr_assert_eq(io_file_write_now(&file, bytes, 4 * BLOCK, 0), 0);
	file_open(&directory, &reader, "segment", IO_FILE_READ | IO_FILE_DIRECT);
	cr_assert_eq(io_directory_unlink_now(&directory, "segment"), 0);
	cr_assert_eq(io_directory_sync_now(&directory), 0);
	io_file_release(&file, &op, BLOCK, 2 * BLOCK);
	wait(&fixture, &op);
	cr_assert_eq(op.result, 0);
	cr_assert_eq(io_file_read_now(&reader, bytes, 4 * BLOCK, 0, &got), 0);
	for (uint32_t i = 0; i < 4 * BLOCK; i++)
		cr_assert_eq(bytes[i], 7, "who reads it still has all of it");
	io_file_close(&reader);
	io_file_release(&file, &op, BLOCK, 2 * BLOCK);
	wait(&fixture, &op);
	cr_assert_eq(op.result, 0);
	cr_assert_eq(io_file_size(&file, &size), 0);
	cr_assert_eq(size, 4 * BLOCK, "the size stays");
	cr_assert_eq(io_file_read_now(&file, bytes, 4 * BLOCK, 0, &got), 0);
	for (uint32_t i = 0; i < 4 * BLOCK; i++)
		cr_assert_eq(bytes[i], i < BLOCK || i >= 3 * BLOCK ? 7 : 0);
	io_file_close(&file);
	io_directory_close(&directory);
	io_fixture_fini(&fixture);
	free(bytes);
}

Test(file, exclusive_creation_finds_what_is_there)
{
	struct io_fixture fixture;
	struct io_directory directory;
	struct io_file file, other;
	unsigned flags = log_flags | IO_FILE_EXCLUSIVE;
	io_fixture_init(&fixture, NULL);
	directory_open(&fixture, &directory);
	cr_assert_eq(
		io_file_open(&directory, &file, "new", log_flags & ~IO_FILE_CREATE), -KR_E_NOENT);
	cr_assert_eq(file.errno_number, ENOENT);
	file_open(&directory, &file, "new", flags);
	cr_assert_eq(io_file_open(&directory, &other, "new", flags), -KR_E_EXISTS);
	io_file_close(&file);
	io_directory_close(&directory);
	io_fixture_fini(&fixture);
}

struct listing {
	char names[8][16];
	uint32_t count;
};

static void on_name(void *context, const char *name)
{
	struct listing *listing = context;
	cr_assert(listing->count < KR_ARRAY_COUNT(listing->names));
	strncat(listing->names[listing->count++], name, 15);
}

static void expect_names(struct io_directory *directory, const char *const *names, uint32_t count)
{
	struct listing listing = {0};
	cr_assert_eq(io_directory_list(directory, on_name, &listing), 0);
	cr_assert_eq(listing.count, count);
	for (uint32_t i = 0; i < count; i++)
		cr_assert_str_eq(listing.names[i], names[i]);
}

Test(directory, lists_renames_and_removes)
{
	struct io_fixture fixture;
	struct io_directory directory;
	struct io_file file;
	struct io_op op;
	uint64_t bytes = 0;
	static const char *const names[] = {"b", "c", "a"};
	io_fixture_init(&fixture, NULL);
	directory_open(&fixture, &directory);
	expect_names(&directory, NULL, 0);
	for (uint32_t i = 0; i < 3; i++) {
		file_open(&directory, &file, names[i], IO_FILE_WRITE | IO_FILE_CREATE);
		io_file_close(&file);
	}
	expect_names(&directory, (const char *const[]){"a", "b", "c"}, 3);

	io_op_init(&op, on_done, NULL);
	io_directory_rename(&directory, &op, "a", "d");
	wait(&fixture, &op);
	cr_assert_eq(op.result, 0);
	io_directory_unlink(&directory, &op, "b");
	wait(&fixture, &op);
	cr_assert_eq(op.result, 0);
	io_directory_sync(&directory, &op);
	wait(&fixture, &op);
	cr_assert_eq(op.result, 0);
	expect_names(&directory, (const char *const[]){"c", "d"}, 2);

	/* A rename takes the place of what was there. */
	cr_assert_eq(io_directory_rename_now(&directory, "c", "d"), 0);
	expect_names(&directory, (const char *const[]){"d"}, 1);
	cr_assert_eq(io_directory_rename_now(&directory, "c", "d"), -KR_E_NOENT);
	io_directory_unlink(&directory, &op, "c");
	wait(&fixture, &op);
	cr_assert_eq(op.result, -KR_E_NOENT);
	cr_assert_eq(op.errno_number, ENOENT);
	cr_assert_eq(io_directory_unlink_now(&directory, "d"), 0);
	cr_assert_eq(io_directory_sync_now(&directory), 0);
	expect_names(&directory, NULL, 0);
	cr_assert_eq(io_directory_file_size(&directory, "d", &bytes), -KR_E_NOENT);
	cr_assert_eq(io_directory_free_bytes(&directory, &bytes), 0);
	cr_assert(bytes > 0);
	io_directory_close(&directory);
	io_fixture_fini(&fixture);
}

Test(directory, a_missing_one_is_told_with_its_path)
{
	struct io_fixture fixture;
	struct io_directory directory;
	struct kr_error_text text;
	io_fixture_init(&fixture, NULL);
	int r = io_directory_open(fixture.loops[0], &directory, "/nowhere/at/all", 0, &text);
	cr_assert_eq(r, -KR_E_NOENT);
	cr_assert_not_null(strstr(text.bytes, "/nowhere/at/all"));
	io_fixture_fini(&fixture);
}

Test(directory, only_one_process_takes_the_lock)
{
	struct io_fixture fixture;
	struct io_directory first, second;
	struct kr_error_text text;
	io_fixture_init(&fixture, NULL);
	directory_open(&fixture, &first);
	int r = io_directory_open(fixture.loops[1], &second, fixture.path, 0, &text);
	cr_assert_eq(r, 0);
	cr_assert_eq(io_directory_lock(&first, &text), 0);
	cr_assert_eq(io_directory_lock(&second, &text), IO_DIRECTORY_LOCKED);
	cr_assert_not_null(strstr(text.bytes, "in use by process"));
	io_directory_close(&first);
	cr_assert_eq(io_directory_lock(&second, &text), 0);
	directory_open(&fixture, &first);
	cr_assert_eq(io_directory_lock(&first, &text), IO_DIRECTORY_LOCKED);
	io_directory_close(&second);
	cr_assert_eq(io_directory_lock(&first, &text), 0);
	io_directory_close(&first);
	io_fixture_fini(&fixture);
}

static int run_op(struct io_fixture *fixture, struct io_op *op)
{
	wait(fixture, op);
	return op->result;
}

Test(file, every_file_fault_point_is_met)
{
	struct io_fixture fixture;
	struct io_directory directory, other;
	struct io_file file, second;
	struct io_op op;
	struct kr_error_text text;
	size_t size;
	uint8_t *bytes = block_alloc(BLOCK);
	io_fixture_init(&fixture, NULL);
	struct fault_set *faults = &fixture.faults;
	directory_open(&fixture, &directory);
	file_open(&directory, &file, "data", log_flags);
	io_op_init(&op, on_done, NULL);

	fault_arm(faults, FAULT_DIRECTORY_OPEN, 1, false);
	cr_assert_eq(io_directory_open(fixture.loops[0], &other, fixture.path, 0, &text), -KR_E_IO);
	fault_arm(faults, FAULT_DIRECTORY_LOCK, 1, false);
	cr_assert_eq(io_directory_lock(&directory, &text), IO_DIRECTORY_LOCKED);
	fault_arm(faults, FAULT_FILE_OPEN, 1, false);
	cr_assert_eq(io_file_open(&directory, &second, "data", log_flags), -KR_E_IO);

	fault_arm(faults, FAULT_FILE_WRITE, 1, true);
	io_file_write(&file, &op, bytes, BLOCK, 0);
	cr_assert_eq(run_op(&fixture, &op), -KR_E_IO);
	cr_assert_eq(op.errno_number, EIO);
	cr_assert_eq(io_file_write_now(&file, bytes, BLOCK, 0), -KR_E_IO);
	fault_disarm(faults, FAULT_FILE_WRITE);
	fault_arm(faults, FAULT_FILE_WRITE_FULL, 1, true);
	io_file_write(&file, &op, bytes, BLOCK, 0);
	cr_assert_eq(run_op(&fixture, &op), -KR_E_NOSPACE);
	cr_assert_eq(io_file_write_now(&file, bytes, BLOCK, 0), -KR_E_NOSPACE);
	fault_disarm(faults, FAULT_FILE_WRITE_FULL);
	io_file_write(&file, &op, bytes, BLOCK, 0);
	cr_assert_eq(run_op(&fixture, &op), 0);

	fault_arm(faults, FAULT_FILE_READ, 1, true);
	io_file_read(&file, &op, bytes, BLOCK, 0);
	cr_assert_eq(run_op(&fixture, &op), -KR_E_IO);
	cr_assert_eq(io_file_read_now(&file, bytes, BLOCK, 0, &size), -KR_E_IO);
	fault_arm(faults, FAULT_FILE_SYNC, 1, true);
	io_file_sync(&file, &op);
	cr_assert_eq(run_op(&fixture, &op), -KR_E_IO);
	cr_assert_eq(io_file_sync_now(&file), -KR_E_IO);
	fault_arm(faults, FAULT_FILE_ALLOCATE, 1, true);
	io_file_allocate(&file, &op, 0, 2 * BLOCK);
	cr_assert_eq(run_op(&fixture, &op), -KR_E_NOSPACE);
	fault_arm(faults, FAULT_FILE_TRUNCATE, 1, false);
	io_file_release(&file, &op, 0, BLOCK);
	cr_assert_eq(run_op(&fixture, &op), -KR_E_IO);
	fault_arm(faults, FAULT_FILE_RENAME, 1, true);
	io_directory_rename(&directory, &op, "data", "d2");
	cr_assert_eq(run_op(&fixture, &op), -KR_E_IO);
	cr_assert_eq(io_directory_rename_now(&directory, "data", "d2"), -KR_E_IO);
	fault_arm(faults, FAULT_FILE_UNLINK, 1, true);
	io_directory_unlink(&directory, &op, "data");
	cr_assert_eq(run_op(&fixture, &op), -KR_E_IO);
	cr_assert_eq(io_directory_unlink_now(&directory, "data"), -KR_E_IO);
	fault_arm(faults, FAULT_DIRECTORY_SYNC, 1, true);
	io_directory_sync(&directory, &op);
	cr_assert_eq(run_op(&fixture, &op), -KR_E_IO);
	cr_assert_eq(io_directory_sync_now(&directory), -KR_E_IO);

	expect_names(&directory, (const char *const[]){"data"}, 1);
	io_file_close(&file);
	io_directory_close(&directory);
	io_fixture_fini(&fixture);
	free(bytes);
}

static void on_no_name(void *context, const char *name)
{
	(void)context;
	cr_assert_fail("%s was listed", name);
}

Test(file, fault_points_make_questions_about_files_fail)
{
	struct io_fixture fixture;
	struct io_directory directory;
	struct io_file file;
	uint64_t size;
	io_fixture_init(&fixture, NULL);
	struct fault_set *faults = &fixture.faults;
	directory_open(&fixture, &directory);
	file_open(&directory, &file, "data", log_flags);

	fault_arm(faults, FAULT_DIRECTORY_LIST, 1, false);
	cr_assert_eq(io_directory_list(&directory, on_no_name, NULL), -KR_E_IO);
	cr_assert_eq(directory.errno_number, EIO);
	fault_arm(faults, FAULT_DIRECTORY_SPACE, 1, false);
	cr_assert_eq(io_directory_free_bytes(&directory, &size), -KR_E_IO);
	cr_assert_eq(io_directory_free_bytes(&directory, &size), 0);
	fault_arm(faults, FAULT_FILE_SIZE, 1, true);
	cr_assert_eq(io_directory_file_size(&directory, "data", &size), -KR_E_IO);
	cr_assert_eq(io_file_size(&file, &size), -KR_E_IO);
	fault_disarm(faults, FAULT_FILE_SIZE);
	fault_arm(faults, FAULT_FILE_TRUNCATE, 1, false);
	cr_assert_eq(io_file_truncate_now(&file, BLOCK), -KR_E_IO);
	cr_assert_eq(file.errno_number, EIO);
	cr_assert_eq(io_file_size(&file, &size), 0);
	cr_assert_eq(size, 0);

	expect_names(&directory, (const char *const[]){"data"}, 1);
	io_file_close(&file);
	io_directory_close(&directory);
	io_fixture_fini(&fixture);
}

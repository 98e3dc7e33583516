#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "engine/log/source.h"
#include "tests/unit/log/real_dir.h"

/* What is read ahead has to be what a plain read of the same place gives. */

#define WINDOW ((uint64_t)LOG_RECOVER_WINDOW_SIZE)
#define BLOCK ((uint64_t)LOG_BLOCK_SIZE)
#define FILE_SIZE (5 * WINDOW + 3 * BLOCK)

static uint8_t window[LOG_RECOVER_WINDOW_SIZE] __attribute__((aligned(4096)));
static uint8_t bad[LOG_SCAN_WINDOW_BLOCKS];
static struct real_dir dir;
static struct log_source source;
static struct log_dir_text name;

/* Each block begins with its own number, mixed. */
static uint64_t mark_of(uint64_t offset)
{
	return hash_mix(offset + 1);
}

static void path_of(char path[256])
{
	cr_assert_lt(snprintf(path, 256, "%s/%s", dir.path, name.bytes), 256);
}

static void begin(void)
{
	static uint8_t block[BLOCK];
	char path[256];
	real_dir_init(&dir);
	log_dir_segment_name(1, &name);
	path_of(path);
	FILE *file = fopen(path, "w");
	cr_assert_not_null(file);
	for (uint64_t offset = 0; offset < FILE_SIZE; offset += BLOCK) {
		const uint64_t mark = mark_of(offset);
		memcpy(block, &mark, sizeof(mark));
		cr_assert_eq(fwrite(block, BLOCK, 1, file), 1);
	}
	cr_assert_eq(fclose(file), 0);
	real_dir_open(&dir);
	log_source_init(&source, &dir.store, window, bad);
}

static void end(void)
{
	log_source_fini(&source);
	real_dir_fini(&dir);
}

/* Reads it and checks every block; blocks from `bad_from` on cannot be read. */
static void read_at(uint64_t offset, uint64_t size, uint64_t bad_from)
{
	struct log_recover_event need = {
		.name = name, .offset_bytes = offset, .size_bytes = (uint32_t)size};
	memset(bad, 0xff, sizeof(bad));
	cr_assert_eq(log_source_read(&source, &need), 0);
	for (uint64_t at = 0; at < size; at += BLOCK) {
		uint64_t mark;
		memcpy(&mark, source.window + at, sizeof(mark));
		const bool is_bad = offset + at >= bad_from;
		cr_assert_eq(bad[at / BLOCK] != 0, is_bad, "block at %llu",
			(unsigned long long)(offset + at));
		cr_assert_eq(mark, is_bad ? 0 : mark_of(offset + at), "block at %llu",
			(unsigned long long)(offset + at));
	}
}

static uint64_t window_size_at(uint64_t offset)
{
	return KR_MIN(FILE_SIZE - offset, WINDOW);
}

Test(source, answers_what_follows_from_what_was_read_ahead)
{
	begin();
	/* The scan goes on at the batch that did not fit: some way before the window's end. */
	uint64_t offset = 0, step = WINDOW - 7 * BLOCK;
	read_at(offset, WINDOW, FILE_SIZE);
	cr_assert_eq(source.window, window);
	for (offset = step; offset < FILE_SIZE; offset += step) {
		read_at(offset, window_size_at(offset), FILE_SIZE);
		cr_assert(source.window < window || source.window >= window + sizeof(window));
	}
	end();
}

Test(source, answers_what_does_not_follow_as_well)
{
	begin();
	uint64_t offset = 0;
	for (uint64_t i = 0; i < 60; i++) {
		read_at(offset, window_size_at(offset), FILE_SIZE);
		const uint64_t drawn = hash_mix(i) % (FILE_SIZE / BLOCK) * BLOCK;
		/* Mostly onwards, by up to a window; at times anywhere. */
		offset = i % 5 == 4 ? drawn : offset + drawn % WINDOW / BLOCK * BLOCK;
		if (offset >= FILE_SIZE)
			offset = drawn;
	}
	end();
}

Test(source, tells_blocks_that_are_not_there_when_they_are_asked_for)
{
	begin();
	char path[256];
	const uint64_t cut = 2 * WINDOW + 5 * BLOCK;
	read_at(0, WINDOW, FILE_SIZE);
	(void)io_ahead_wait(source.ahead);
	path_of(path);
	cr_assert_eq(truncate(path, (off_t)cut), 0);
	read_at(WINDOW, WINDOW, FILE_SIZE);
	/* What was to be read ahead is not there in full: the plain read says so. */
	read_at(2 * WINDOW, WINDOW, cut);
	cr_assert_eq(source.window, window);
	end();
}

Test(source, a_read_ahead_that_fails_is_read_again_when_it_is_asked_for)
{
	begin();
	fault_arm(&dir.faults, FAULT_FILE_READ, 2, false);
	read_at(0, WINDOW, FILE_SIZE);
	read_at(WINDOW, WINDOW, FILE_SIZE);
	cr_assert_eq(source.window, window);
	read_at(2 * WINDOW, WINDOW, FILE_SIZE);
	cr_assert_neq(source.window, window);
	end();
}

Test(source, a_file_of_one_window_needs_no_ring)
{
	begin();
	read_at(FILE_SIZE - 3 * BLOCK, 3 * BLOCK, FILE_SIZE);
	cr_assert_null(source.ahead);
	end();
}

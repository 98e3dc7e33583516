#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "tests/crash/cut_store.h"

enum {
	IMAGE_BLOCKS = 64,
	IMAGE_SIZE_BYTES = IMAGE_BLOCKS * CUT_BLOCK_SIZE_BYTES,
};

static const struct cut_plan drop_all = {.seed = 1, .unit_bytes = CUT_SECTOR_SIZE_BYTES};

/* A zero-filled disk; ret_image sees what is durable, past the store. */
static struct cut_store disk_new(int *ret_image)
{
	struct cut_store store;
	int fd = memfd_create("image", MFD_CLOEXEC);

	kr_assert(fd >= 0);
	cr_assert_eq(ftruncate(fd, IMAGE_SIZE_BYTES), 0);
	*ret_image = fd;
	cr_assert_eq(cut_store_init(&store, dup(fd)), 0);
	return store;
}

static void disk_fill(struct cut_store *store, uint8_t value, size_t size, uint64_t offset)
{
	static uint8_t data[IMAGE_SIZE_BYTES];

	memset(data, value, size);
	cr_assert_eq(cut_store_write(store, data, size, offset), 0);
}

static bool bytes_are(const uint8_t *data, size_t size, uint8_t value)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] != value) {
			return false;
		}
	}
	return true;
}

static bool disk_reads(struct cut_store *store, uint8_t value, size_t size, uint64_t offset)
{
	static uint8_t data[IMAGE_SIZE_BYTES];

	cr_assert_eq(cut_store_read(store, data, size, offset), 0);
	return bytes_are(data, size, value);
}

static bool image_holds(int image, uint8_t value, size_t size, uint64_t offset)
{
	static uint8_t data[IMAGE_SIZE_BYTES];

	cr_assert_eq(pread(image, data, size, (off_t)offset), (ssize_t)size);
	return bytes_are(data, size, value);
}

Test(cut_store, reads_back_what_is_not_durable_yet)
{
	int image;
	struct cut_store store = disk_new(&image);

	disk_fill(&store, 7, 1024, 3 * 512);
	cr_assert(disk_reads(&store, 7, 1024, 3 * 512));
	cr_assert(disk_reads(&store, 0, 512, 2 * 512));
	cr_assert(disk_reads(&store, 0, 512, 5 * 512));
	cr_assert(image_holds(image, 0, IMAGE_SIZE_BYTES, 0));
	cut_store_fini(&store);
}

Test(cut_store, makes_everything_durable_by_a_sync)
{
	int image;
	struct cut_store store = disk_new(&image);

	disk_fill(&store, 7, 10 * CUT_BLOCK_SIZE_BYTES + 512, 512);
	disk_fill(&store, 8, 512, 4 * CUT_BLOCK_SIZE_BYTES);
	cr_assert_eq(cut_store_sync(&store), 0);
	cr_assert(image_holds(image, 0, 512, 0));
	cr_assert(image_holds(image, 7, 4 * CUT_BLOCK_SIZE_BYTES - 512, 512));
	cr_assert(image_holds(image, 8, 512, 4 * CUT_BLOCK_SIZE_BYTES));
	cr_assert(image_holds(image, 7, 512, 10 * CUT_BLOCK_SIZE_BYTES + 512));
	cr_assert(image_holds(image, 0, 512, 10 * CUT_BLOCK_SIZE_BYTES + 1024));
	cr_assert_eq(store.dirty_count, 0);
	cut_store_fini(&store);
}

Test(cut_store, drops_what_was_not_synced_and_keeps_what_was)
{
	int image;
	struct cut_store store = disk_new(&image);

	disk_fill(&store, 1, CUT_BLOCK_SIZE_BYTES, 0);
	cr_assert_eq(cut_store_sync(&store), 0);
	disk_fill(&store, 2, 512, 0);
	disk_fill(&store, 3, 2 * CUT_BLOCK_SIZE_BYTES, CUT_BLOCK_SIZE_BYTES);
	cr_assert_eq(cut_store_cut(&store, &drop_all), 0);
	cr_assert(image_holds(image, 1, CUT_BLOCK_SIZE_BYTES, 0));
	cr_assert(image_holds(image, 0, 2 * CUT_BLOCK_SIZE_BYTES, CUT_BLOCK_SIZE_BYTES));
	cr_assert_eq(store.counts.kept_sectors, 0);
	cr_assert_eq(store.counts.dropped_sectors, 1 + 16);
	cut_store_fini(&store);
}

Test(cut_store, answers_nothing_after_the_cut)
{
	int image;
	struct cut_store store = disk_new(&image);
	uint8_t sector[512] = {1};

	cr_assert_eq(cut_store_cut(&store, &drop_all), 0);
	cr_assert_eq(cut_store_write(&store, sector, 512, 0), CUT_STORE_OFF);
	cr_assert_eq(cut_store_read(&store, sector, 512, 0), CUT_STORE_OFF);
	cr_assert_eq(cut_store_sync(&store), CUT_STORE_OFF);
	cr_assert_eq(cut_store_cut(&store, &drop_all), CUT_STORE_OFF);
	cr_assert(image_holds(image, 0, IMAGE_SIZE_BYTES, 0));
	cut_store_fini(&store);
}

/* Bit per sector: which of a fully dirty disk the plan keeps. */
static void plan_try(const struct cut_plan *plan, uint8_t *ret_kept)
{
	int image;
	struct cut_store store = disk_new(&image);

	disk_fill(&store, 9, IMAGE_SIZE_BYTES, 0);
	cr_assert_eq(cut_store_cut(&store, plan), 0);
	for (uint32_t i = 0; i < IMAGE_SIZE_BYTES / 512; i++) {
		ret_kept[i] = image_holds(image, 9, 512, (uint64_t)i * 512);
		cr_assert(ret_kept[i] || image_holds(image, 0, 512, (uint64_t)i * 512));
	}
	cut_store_fini(&store);
	close(image);
}

static uint32_t kept_count(const uint8_t *kept)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < IMAGE_SIZE_BYTES / 512; i++) {
		count += kept[i];
	}
	return count;
}

Test(cut_store, keeps_the_same_sectors_for_the_same_seed)
{
	static uint8_t first[IMAGE_SIZE_BYTES / 512];
	static uint8_t again[IMAGE_SIZE_BYTES / 512];
	static uint8_t other[IMAGE_SIZE_BYTES / 512];
	struct cut_plan plan = {.seed = 5, .keep_permille = 500, .unit_bytes = 512};

	plan_try(&plan, first);
	plan_try(&plan, again);
	plan.seed = 6;
	plan_try(&plan, other);
	cr_assert_eq(memcmp(first, again, sizeof(first)), 0);
	cr_assert_neq(memcmp(first, other, sizeof(first)), 0);
	/* 512 draws of one half: outside of these bounds once in 10^18. */
	cr_assert_gt(kept_count(first), 150);
	cr_assert_lt(kept_count(first), 362);
}

Test(cut_store, tears_within_a_block_only_when_asked_for_sectors)
{
	static uint8_t kept[IMAGE_SIZE_BYTES / 512];
	struct cut_plan plan = {.seed = 5, .keep_permille = 500, .unit_bytes = 4096};
	uint32_t torn = 0;

	plan_try(&plan, kept);
	for (uint32_t i = 0; i < IMAGE_SIZE_BYTES / 512; i++) {
		torn += kept[i] != kept[i - i % CUT_BLOCK_SECTORS];
	}
	cr_assert_eq(torn, 0);
	plan.unit_bytes = 512;
	plan_try(&plan, kept);
	for (uint32_t i = 0; i < IMAGE_SIZE_BYTES / 512; i++) {
		torn += kept[i] != kept[i - i % CUT_BLOCK_SECTORS];
	}
	cr_assert_gt(torn, 0);
}

Test(cut_store, refuses_plans_and_ranges_that_make_no_sense)
{
	int image;
	struct cut_store store = disk_new(&image);
	uint8_t sector[1024] = {1};
	struct cut_plan wide = {.unit_bytes = 1024};
	struct cut_plan much = {.unit_bytes = 512, .keep_permille = 1001};

	cr_assert_eq(cut_store_cut(&store, &wide), -KR_E_INVALID);
	cr_assert_eq(cut_store_cut(&store, &much), -KR_E_INVALID);
	cr_assert_not(store.off);
	cr_assert_eq(cut_store_write(&store, sector, 512, 1), CUT_STORE_BAD_RANGE);
	cr_assert_eq(cut_store_write(&store, sector, 511, 0), CUT_STORE_BAD_RANGE);
	cr_assert_eq(
		cut_store_write(&store, sector, 1024, IMAGE_SIZE_BYTES - 512), CUT_STORE_BAD_RANGE);
	cr_assert_eq(cut_store_read(&store, sector, 512, UINT64_MAX - 511), CUT_STORE_BAD_RANGE);
	cr_assert_eq(store.dirty_count, 0);
	cut_store_fini(&store);
}

Test(cut_store, writes_itself_out_when_its_cache_is_full)
{
	int image;
	struct cut_store store = disk_new(&image);

	store.dirty_max = 4;
	disk_fill(&store, 5, 6 * CUT_BLOCK_SIZE_BYTES, 0);
	cr_assert_eq(store.counts.destage_count, 1);
	cr_assert(disk_reads(&store, 5, 6 * CUT_BLOCK_SIZE_BYTES, 0));
	cr_assert(image_holds(image, 5, 4 * CUT_BLOCK_SIZE_BYTES, 0));
	cr_assert(image_holds(image, 0, 2 * CUT_BLOCK_SIZE_BYTES, 4 * CUT_BLOCK_SIZE_BYTES));
	cut_store_fini(&store);
}

Test(cut_store, fails_as_many_writes_and_syncs_as_are_ordered_and_changes_nothing_by_them)
{
	static uint8_t other[CUT_BLOCK_SIZE_BYTES];
	int image;
	struct cut_store store = disk_new(&image);

	disk_fill(&store, 3, CUT_BLOCK_SIZE_BYTES, 0);
	cut_store_fail(&store, 2, 0);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(cut_store_write(&store, other, sizeof(other), 0), CUT_STORE_FAILED);
	cr_assert(disk_reads(&store, 3, CUT_BLOCK_SIZE_BYTES, 0));
	cr_assert_eq(cut_store_sync(&store), 0);
	disk_fill(&store, 4, CUT_BLOCK_SIZE_BYTES, 0);
	cut_store_fail(&store, 0, UINT64_MAX);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(cut_store_sync(&store), CUT_STORE_FAILED);
	cr_assert(image_holds(image, 3, CUT_BLOCK_SIZE_BYTES, 0));
	cr_assert(disk_reads(&store, 4, CUT_BLOCK_SIZE_BYTES, 0));
	cut_store_fail(&store, 0, 0);
	cr_assert_eq(cut_store_sync(&store), 0);
	cr_assert(image_holds(image, 4, CUT_BLOCK_SIZE_BYTES, 0));
	cr_assert_eq(store.counts.failed_count, 7);
	cut_store_fini(&store);
}

Test(cut_store, cannot_read_what_is_spoilt_until_it_is_written)
{
	static uint8_t data[4 * CUT_BLOCK_SIZE_BYTES];
	int image;
	struct cut_store store = disk_new(&image);

	disk_fill(&store, 7, 8 * CUT_BLOCK_SIZE_BYTES, 0);
	cr_assert_eq(
		cut_store_spoil(&store, 2 * CUT_BLOCK_SIZE_BYTES, 2 * CUT_BLOCK_SIZE_BYTES), 0);
	cr_assert(disk_reads(&store, 7, 2 * CUT_BLOCK_SIZE_BYTES, 0));
	cr_assert(disk_reads(&store, 7, 4 * CUT_BLOCK_SIZE_BYTES, 4 * CUT_BLOCK_SIZE_BYTES));
	for (uint64_t at = 512; at < 4 * CUT_BLOCK_SIZE_BYTES; at += 512) {
		size_t size = sizeof(data) - at;
		cr_assert_eq(cut_store_read(&store, data, size, at), CUT_STORE_SPOILT);
	}
	cr_assert_eq(cut_store_read(&store, data, 512, 3 * CUT_BLOCK_SIZE_BYTES), CUT_STORE_SPOILT);
	disk_fill(&store, 8, CUT_BLOCK_SIZE_BYTES, 2 * CUT_BLOCK_SIZE_BYTES);
	cr_assert(disk_reads(&store, 8, CUT_BLOCK_SIZE_BYTES, 2 * CUT_BLOCK_SIZE_BYTES));
	cr_assert_eq(cut_store_read(&store, data, 512, 3 * CUT_BLOCK_SIZE_BYTES), CUT_STORE_SPOILT);
	cr_assert_eq(cut_store_spoil(&store, 512, CUT_BLOCK_SIZE_BYTES), CUT_STORE_BAD_RANGE);
	cr_assert_eq(cut_store_spoil(&store, 0, 0), CUT_STORE_BAD_RANGE);
	cr_assert_eq(cut_store_spoil(&store, IMAGE_SIZE_BYTES, CUT_BLOCK_SIZE_BYTES),
		CUT_STORE_BAD_RANGE);
	cut_store_fini(&store);
}

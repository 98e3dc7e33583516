#include "engine/log/source.h"

#include <string.h>

#include "engine/log/store_priv.h"

/* A half: what is left of the window before, then what was read ahead. */
#define HALF_LEFT_SIZE ((size_t)STORE_WINDOW_SIZE)
#define HALF_SIZE (HALF_LEFT_SIZE + STORE_WINDOW_SIZE)

void log_source_init(
	struct log_source *source, struct log_store *store, uint8_t *data, uint8_t *bad)
{
	memset(source, 0, sizeof(*source));
	source->store = store;
	source->data = data;
	source->bad = bad;
	kr_assert((uintptr_t)data % IO_FILE_ALIGN == 0);
}

static void ahead_drop(struct log_source *source)
{
	if (source->next_end != 0)
		(void)io_ahead_wait(source->ahead);
	source->next_end = 0;
	source->have = NULL;
	kr_assert(source->ahead == NULL || !io_ahead_is_running(source->ahead));
}

static void source_close(struct log_source *source)
{
	ahead_drop(source);
	if (source->is_open)
		io_file_close(&source->file);
	source->is_open = false;
}

void log_source_fini(struct log_source *source)
{
	source_close(source);
	source->ahead = io_ahead_free(source->ahead);
	kr_memory_release(&source->memory);
	kr_assert(!source->is_open);
}

/* Is it the disk that cannot read, or the process that is ending? */
static bool is_of_the_medium(int error)
{
	kr_assert(error < 0);
	return error == -KR_E_IO || error == -KR_E_CORRUPT;
}

/* One block at a time, so that one bad sector costs one block. */
static int read_blocks(struct log_source *source, uint64_t offset, uint32_t block_count)
{
	for (uint32_t i = 0; i < block_count; i++) {
		uint8_t *block = source->data + (size_t)i * LOG_BLOCK_SIZE;
		size_t size = 0;
		int r = io_file_read_now(&source->file, block, LOG_BLOCK_SIZE,
			offset + (uint64_t)i * LOG_BLOCK_SIZE, &size);
		if (r < 0 && !is_of_the_medium(r))
			return r;
		kr_assert(size <= LOG_BLOCK_SIZE);
		source->bad[i] = r < 0 || size < LOG_BLOCK_SIZE;
		if (source->bad[i] != 0)
			memset(block, 0, LOG_BLOCK_SIZE);
	}
	return 0;
}

static struct io_directory *directory_of(struct log_store *store, const struct log_dir_text *name)
{
	struct log_dir_name parsed;
	log_dir_parse(name->bytes, &parsed);
	kr_assert(parsed.kind != LOG_DIR_OTHER);
	return parsed.kind == LOG_DIR_SEGMENT && parsed.number < store->archive_end
		       ? &store->archive
		       : &store->directory;
}

static int source_open(struct log_source *source, const struct log_dir_text *name)
{
	if (source->is_open && strcmp(source->name.bytes, name->bytes) == 0)
		return 0;
	source_close(source);
	/* Directly: what counts is what the disk has, not what the page cache remembers. */
	int r = io_file_open(directory_of(source->store, name), &source->file, name->bytes,
		IO_FILE_READ | IO_FILE_DIRECT);
	if (r < 0)
		return r;
	source->name = *name;
	source->is_open = true;
	source->file_size_bytes = 0;
	return 0;
}

static int read_plain(struct log_source *source, const struct log_recover_event *need)
{
	uint32_t block_count = need->size_bytes / LOG_BLOCK_SIZE;
	size_t size = 0;
	ahead_drop(source);
	source->window = source->data;
	int r = io_file_read_now(
		&source->file, source->data, need->size_bytes, need->offset_bytes, &size);
	if (r < 0 && !is_of_the_medium(r))
		return r;
	if (r < 0)
		return read_blocks(source, need->offset_bytes, block_count);
	uint32_t whole = (uint32_t)(size / LOG_BLOCK_SIZE);
	memset(source->bad, 0, whole);
	memset(source->bad + whole, 1, block_count - whole);
	memset(source->data + (size_t)whole * LOG_BLOCK_SIZE, 0,
		(size_t)(block_count - whole) * LOG_BLOCK_SIZE);
	if (whole < block_count)
		return 0;
	source->have = source->data;
	source->have_begin = need->offset_bytes;
	source->have_end = need->offset_bytes + need->size_bytes;
	kr_assert(source->next_end == 0);
	return 0;
}

static uint8_t *half_at(const struct log_source *source, unsigned half)
{
	kr_assert(half < 2 && source->memory.base != NULL);
	return (uint8_t *)source->memory.base + half * HALF_SIZE + HALF_LEFT_SIZE;
}

static bool is_there(const struct log_source *source, const struct log_recover_event *need)
{
	kr_assert(need->size_bytes > 0);
	return source->have != NULL && need->offset_bytes >= source->have_begin &&
	       need->offset_bytes + need->size_bytes <= source->have_end;
}

/* Is all of it there once what is being read has come? */
static bool is_coming(const struct log_source *source, const struct log_recover_event *need)
{
	kr_assert(source->next_end == 0 || source->have != NULL);
	return source->next_end != 0 && need->offset_bytes >= source->have_begin &&
	       need->offset_bytes <= source->have_end &&
	       need->offset_bytes + need->size_bytes <= source->next_end;
}

/* On to the half that was read into, with what is still wanted of the other in front of it. */
static bool take_next(struct log_source *source, uint64_t from)
{
	if (!io_ahead_wait(source->ahead))
		return false;
	size_t left = (size_t)(source->have_end - from);
	uint8_t *at = half_at(source, source->half) - left;
	kr_assert(left <= HALF_LEFT_SIZE);
	memcpy(at, source->have + (from - source->have_begin), left);
	source->have = at;
	source->have_begin = from;
	source->have_end = source->next_end;
	source->next_end = 0;
	source->half = 1 - source->half;
	return true;
}

/* At the first file that is longer than a window; never asked again where it cannot be had. */
static bool ahead_init(struct log_source *source)
{
	struct kr_error_text text;
	if (source->ahead != NULL || source->is_ahead_off)
		return !source->is_ahead_off;
	source->is_ahead_off = true;
	source->ahead = io_ahead_new(source->store->loop);
	if (source->ahead == NULL ||
		kr_memory_reserve(&source->memory, 2 * HALF_SIZE, KR_MEMORY_HUGE, NULL, &text) < 0)
		return false;
	kr_assert((uintptr_t)source->memory.base % IO_FILE_ALIGN == 0);
	source->is_ahead_off = false;
	return true;
}

/* A file that ends within its first window is not worth a ring. */
static void read_ahead(struct log_source *source, uint32_t size_bytes)
{
	if (size_bytes < STORE_WINDOW_SIZE || source->have == NULL || source->next_end != 0 ||
		!ahead_init(source))
		return;
	if (source->file_size_bytes == 0 &&
		io_file_size(&source->file, &source->file_size_bytes) < 0)
		return;
	const uint64_t file_end = source->file_size_bytes & ~(uint64_t)(LOG_BLOCK_SIZE - 1);
	if (source->have_end >= file_end)
		return;
	const uint64_t left = file_end - source->have_end;
	const size_t size = (size_t)KR_MIN(left, STORE_WINDOW_SIZE);
	source->next_end = source->have_end + size;
	kr_assert(source->have < half_at(source, source->half) - HALF_LEFT_SIZE ||
		  source->have >= half_at(source, source->half) + STORE_WINDOW_SIZE);
	io_ahead_read(source->ahead, &source->file, half_at(source, source->half), size,
		source->have_end);
}

int log_source_read(struct log_source *source, const struct log_recover_event *need)
{
	kr_assert(need->size_bytes <= STORE_WINDOW_SIZE && need->size_bytes >= LOG_BLOCK_SIZE);
	int r = source_open(source, &need->name);
	if (r < 0)
		return r;
	if (is_there(source, need) ||
		(is_coming(source, need) && take_next(source, need->offset_bytes))) {
		source->window = source->have + (need->offset_bytes - source->have_begin);
		memset(source->bad, 0, need->size_bytes / LOG_BLOCK_SIZE);
	} else {
		r = read_plain(source, need);
	}
	if (r == 0)
		read_ahead(source, need->size_bytes);
	return r;
}

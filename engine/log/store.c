#include "engine/log/store.h"

#include <string.h>

#include "engine/log/source.h"
#include "engine/log/store_priv.h"

/* Of the one region: the recovery, a window at a multiple of 4 KiB, a flag for each block. */
#define RECOVER_SIZE                                                                               \
	((sizeof(struct log_recover) + LOG_BLOCK_SIZE - 1) / LOG_BLOCK_SIZE * LOG_BLOCK_SIZE)

kr_static_assert(LOG_BLOCK_SIZE == IO_FILE_ALIGN, "blocks can be read and written directly");

int log_store_failed(int error, int errno_number, const char *doing, const char *name,
	struct kr_error_text *text)
{
	kr_assert(error < 0);
	return kr_error_text_set(text, error, errno_number, "%s the file %s", doing, name);
}

int log_store_open(struct io_loop *loop, struct log_store *store, const char *path, unsigned flags,
	bool allow_tmpfs, struct kr_error_text *text)
{
	memset(store, 0, sizeof(*store));
	store->loop = loop;
	int r = io_directory_open(loop, &store->directory, path, flags, text);
	if (r < 0)
		return r;
	if (store->directory.is_tmpfs && !allow_tmpfs) {
		io_directory_close(&store->directory);
		return kr_error_text_set(text, -KR_E_TMPFS, 0,
			"%s is in memory and would keep nothing over a power cut; choose a "
			"directory on a disk, or allow it by option",
			path);
	}
	r = kr_memory_reserve(&store->memory,
		RECOVER_SIZE + LOG_RECOVER_WINDOW_SIZE + LOG_SCAN_WINDOW_BLOCKS, 0,
		io_loop_faults(loop), text);
	if (r < 0) {
		io_directory_close(&store->directory);
		return r;
	}
	store->recover = store->memory.base;
	log_recover_init(store->recover, NULL);
	return 0;
}

int log_store_open_archive(struct log_store *store, const char *path, struct kr_error_text *text)
{
	kr_assert(!store->has_archive);
	int r = io_directory_open(store->loop, &store->archive, path, 0, text);
	store->has_archive = r == 0;
	return r;
}

int log_store_lock(struct log_store *store, struct kr_error_text *text)
{
	kr_assert(!store->is_locked);
	int r = io_directory_lock(&store->directory, text);
	if (r < 0)
		return r;
	store->is_locked = r == 0;
	return store->is_locked ? 0 : LOG_STORE_LOCKED;
}

void log_store_close(struct log_store *store)
{
	kr_assert(store->recover != NULL);
	io_directory_close(&store->directory);
	if (store->has_archive)
		io_directory_close(&store->archive);
	kr_memory_release(&store->memory);
	store->has_archive = false;
	store->recover = NULL;
	store->is_locked = false;
}

/* --- reading --- */

struct lister {
	struct log_store *store;
	int error;
};

static void list_one(void *context, const char *name)
{
	struct lister *lister = context;
	uint64_t size = 0;
	if (lister->error < 0)
		return;
	kr_assert(name[0] != '\0');
	int r = io_directory_file_size(&lister->store->directory, name, &size);
	/* Gone since it was listed: nobody else may write here, but anybody may remove. */
	if (r == -KR_E_NOENT)
		return;
	if (r < 0)
		lister->error = r;
	else
		log_recover_add_file(lister->store->recover, name, size);
}

/* Backwards from the directory's oldest segment to the first copy that is missing. */
static int list_archive(struct log_store *store)
{
	struct log_recover *recover = store->recover;
	store->archive_end = 0;
	if (!store->has_archive || recover->segment_count == 0)
		return 0;
	store->archive_end = recover->segments[0].number;
	for (uint64_t number = store->archive_end - 1; number > 0; number--) {
		struct log_dir_text name;
		uint64_t size;
		if (recover->segment_count == LOG_DIR_SEGMENT_MAX)
			break;
		log_dir_segment_name(number, &name);
		int r = io_directory_file_size(&store->archive, name.bytes, &size);
		if (r == -KR_E_NOENT)
			break;
		if (r < 0)
			return r;
		kr_assert(recover->segments[0].number == number + 1);
		log_recover_add_file(recover, name.bytes, size);
	}
	return 0;
}

/* --- applying --- */

static int apply_call(const struct log_applier *applier, enum log_recover_step step,
	const struct log_recover_event *event, struct log_trouble *trouble)
{
	switch (step) {
	case LOG_RECOVER_RESET:
		return applier->on_reset(applier->context);
	case LOG_RECOVER_CHUNK:
		return applier->on_chunk(applier->context, event->chunk, event->body, trouble);
	case LOG_RECOVER_BATCH:
		return applier->on_batch(applier->context, event->header, event->body, trouble);
	default:
		kr_assert(step == LOG_RECOVER_DIGEST);
		return applier->on_digest(applier->context, event->header, trouble);
	}
}

static int apply(struct log_store *store, const struct log_applier *applier,
	enum log_recover_step step, const struct log_recover_event *event)
{
	struct log_trouble trouble = {0};
	if (applier == NULL)
		return 0;
	int r = apply_call(applier, step, event, &trouble);
	if (r <= 0)
		return r;
	kr_assert(r == LOG_APPLY_CONTRADICTION || r == LOG_APPLY_DIGEST);
	trouble.text[sizeof(trouble.text) - 1] = '\0';
	log_recover_contradict(store->recover,
		r == LOG_APPLY_DIGEST ? LOG_VERDICT_DIGEST : LOG_VERDICT_CONTRADICTION, trouble.lsn,
		trouble.text);
	return 0;
}

static void note_snaps(struct log_store *store)
{
	const struct log_recover *recover = store->recover;
	store->snap_count = 0;
	if (!recover->report.has_snap)
		return;
	for (uint32_t i = 0; i < recover->snap_count && store->snap_count < 2; i++) {
		if (!recover->snaps[i].is_bad)
			store->snap_lsns[store->snap_count++] = recover->snaps[i].name_lsn;
	}
	kr_assert(store->snap_count > 0);
}

static int drive(struct log_store *store, struct log_source *source,
	const struct log_applier *applier, struct kr_error_text *text)
{
	struct log_recover_event event;
	for (;;) {
		enum log_recover_step step = log_recover_next(store->recover, &event);
		if (step == LOG_RECOVER_DONE)
			return 0;
		int r = step == LOG_RECOVER_NEED ? log_source_read(source, &event)
						 : apply(store, applier, step, &event);
		if (r < 0 && step == LOG_RECOVER_NEED)
			return log_store_failed(
				r, source->file.errno_number, "reading", event.name.bytes, text);
		if (r < 0)
			return r;
		if (step == LOG_RECOVER_NEED)
			log_recover_feed(store->recover, source->window, source->bad);
	}
}

int log_store_recover(struct log_store *store, const struct log_meta *wanted, bool wants_all,
	const struct log_applier *applier, struct kr_error_text *text)
{
	struct lister lister = {.store = store};
	struct log_source source;
	uint8_t *data = (uint8_t *)store->memory.base + RECOVER_SIZE;
	log_source_init(&source, store, data, data + LOG_RECOVER_WINDOW_SIZE);
	kr_assert(!store->is_repaired);
	log_recover_init(store->recover, wanted);
	store->recover->wants_all = wants_all;
	store->recover->reach = store->reach;
	int r = io_directory_list(&store->directory, list_one, &lister);
	if (r == 0)
		r = lister.error;
	if (r == 0)
		r = list_archive(store);
	if (r < 0)
		return kr_error_text_set(
			text, r, store->directory.errno_number, "listing the directory");
	r = drive(store, &source, applier, text);
	log_source_fini(&source);
	if (r < 0)
		return r;
	if (store->recover->report.is_out_of_reach)
		return LOG_STORE_OUT_OF_REACH;
	if (!store->reach.from_oldest)
		note_snaps(store);
	return 0;
}

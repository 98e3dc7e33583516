/*
 * Removing a large file without a wait for whoever else uses the disk.
 *
 *   opened -> its name removed -> the directory synced -> its space given back in pieces, with a
 *   pause between -> closed
 *
 * A file system that is mounted with `discard` tells the disk of all the space of a removed file
 * at once, and an append that comes behind that waits for 5 to 30 ms. So the file is kept open
 * while its last name goes, and what it holds goes piece by piece. Not before the name is gone for
 * good: a power cut would else bring back a file with holes. A process that dies meanwhile leaves
 * the rest to the system, and a file that cannot be opened, or whose system knows no holes, goes as
 * a whole.
 */
#ifndef ENGINE_LOG_RELEASE_H
#define ENGINE_LOG_RELEASE_H

#include "base/io/io_file.h"
#include "engine/log/dir.h"

#define LOG_RELEASE_PIECE_SIZE (1u << 20)
#define LOG_RELEASE_PACE_US_DEFAULT UINT64_C(1000)

enum log_release_step {
	LOG_RELEASE_IDLE,
	LOG_RELEASE_UNLINK,
	LOG_RELEASE_SYNC_DIRECTORY,
	LOG_RELEASE_PIECES,
};

struct log_release {
	struct io_directory *directory;
	uint64_t pace_us; /* 0: without pauses */
	/* From the loop, once. After an error, failed_step: of SYNC_DIRECTORY it says that no later
	 * sync of this directory can be believed; else the name is still there. */
	void (*on_done)(struct log_release *release, int result);
	void *context;

	enum log_release_step step;
	bool is_hurried; /* what is left goes at once */
	struct log_dir_text name;
	struct io_file file;
	bool is_open;
	uint64_t offset_bytes;
	uint64_t size_bytes;
	enum log_release_step failed_step;
	int errno_number;
	struct io_op op;
	struct io_timer timer;
};

void log_release_init(struct log_release *release, struct io_directory *directory, uint64_t pace_us,
	void (*on_done)(struct log_release *release, int result), void *context);
/* No operation is under way. */
void log_release_fini(struct log_release *release);

void log_release_start(struct log_release *release, const char *name);
/* Somebody waits for its end. */
void log_release_hurry(struct log_release *release);

static inline bool log_release_is_busy(const struct log_release *release)
{
	return release->step != LOG_RELEASE_IDLE;
}

#endif

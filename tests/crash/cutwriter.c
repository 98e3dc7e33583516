/*
 * cutwriter: the smallest program that promises durability, and the smallest ones that break it.
 *
 *   cutwriter prepare DIR BLOCKS   zero-filled file `blocks`, files `tmp-N`; all of it synced
 *   cutwriter MODE DIR BLOCKS      writes block after block, or renames file after file, and
 *                                  acknowledges each on standard output by its number, a line each
 *
 * Modes:  dsync      O_DIRECT|O_DSYNC into the zero-filled file: the product's way
 *         nosync     O_DIRECT alone: the mistake of taking "direct" for "durable"
 *         buffered   neither: the mistake of taking the page cache for the disk
 *         dirsync    rename tmp-N to file-N, then fsync the directory
 *         nodirsync  the same without the fsync
 *
 * Block i is i and the magic below, repeated; the reader is in test_cutfs.py.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"

enum {
	BLOCK_SIZE_BYTES = 4096,
	BLOCK_COUNT_MAX = 65536,
	NAME_MAX_BYTES = 32,
};

#define BLOCK_MAGIC 0x4b65797261636b21ULL

struct writer {
	int dir_fd;
	uint32_t block_count;
	uint8_t *block; /* aligned for O_DIRECT */
};

static _Noreturn void die(const char *what)
{
	/* A cut ends every mode here with EIO: that is the expected end of the program. */
	fprintf(stderr, "cutwriter: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void acknowledge(uint32_t number)
{
	char line[NAME_MAX_BYTES];
	int size = snprintf(line, sizeof(line), "%" PRIu32 "\n", number);

	kr_assert(size > 0 && (size_t)size < sizeof(line));
	if (write(STDOUT_FILENO, line, (size_t)size) != size) {
		die("acknowledge");
	}
}

static void block_fill(struct writer *writer, uint32_t number)
{
	uint64_t words[2] = {number, BLOCK_MAGIC};

	kr_assert(number < writer->block_count);
	for (size_t at = 0; at < BLOCK_SIZE_BYTES; at += sizeof(words)) {
		memcpy(writer->block + at, words, sizeof(words));
	}
}

static void name_make(char *ret_name, const char *prefix, uint32_t number)
{
	int size = snprintf(ret_name, NAME_MAX_BYTES, "%s-%" PRIu32, prefix, number);

	kr_assert(size > 0 && size < NAME_MAX_BYTES);
}

static void blocks_write(struct writer *writer, int fd, bool zero)
{
	for (uint32_t i = 0; i < writer->block_count; i++) {
		if (zero) {
			memset(writer->block, 0, BLOCK_SIZE_BYTES);
		} else {
			block_fill(writer, i);
		}
		if (pwrite(fd, writer->block, BLOCK_SIZE_BYTES, (off_t)i * BLOCK_SIZE_BYTES) !=
			BLOCK_SIZE_BYTES) {
			die("write");
		}
		if (!zero) {
			acknowledge(i);
		}
	}
}

static void mode_prepare(struct writer *writer)
{
	int fd = openat(writer->dir_fd, "blocks", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	char name[NAME_MAX_BYTES];

	if (fd < 0) {
		die("blocks");
	}
	blocks_write(writer, fd, true);
	if (fsync(fd) != 0) {
		die("fsync blocks");
	}
	close(fd);
	for (uint32_t i = 0; i < writer->block_count; i++) {
		name_make(name, "tmp", i);
		fd = openat(writer->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0) {
			die(name);
		}
		close(fd);
	}
	if (fsync(writer->dir_fd) != 0) {
		die("fsync directory");
	}
}

static void mode_blocks(struct writer *writer, int flags)
{
	int fd = openat(writer->dir_fd, "blocks", O_WRONLY | O_CLOEXEC | flags);

	kr_assert((flags & O_CREAT) == 0);
	if (fd < 0) {
		die("blocks");
	}
	blocks_write(writer, fd, false);
	/* Wait for the cut without closing: an exit would add nothing, but nor should it be needed.
	 */
	pause();
}

static void mode_renames(struct writer *writer, bool sync)
{
	char from[NAME_MAX_BYTES];
	char to[NAME_MAX_BYTES];

	for (uint32_t i = 0; i < writer->block_count; i++) {
		name_make(from, "tmp", i);
		name_make(to, "file", i);
		if (renameat(writer->dir_fd, from, writer->dir_fd, to) != 0) {
			die(from);
		}
		if (sync && fsync(writer->dir_fd) != 0) {
			die("fsync directory");
		}
		acknowledge(i);
	}
	pause();
}

static bool mode_run(struct writer *writer, const char *mode)
{
	kr_assert(writer->dir_fd >= 0);
	if (strcmp(mode, "prepare") == 0) {
		mode_prepare(writer);
	} else if (strcmp(mode, "dsync") == 0) {
		mode_blocks(writer, O_DIRECT | O_DSYNC);
	} else if (strcmp(mode, "nosync") == 0) {
		mode_blocks(writer, O_DIRECT);
	} else if (strcmp(mode, "buffered") == 0) {
		mode_blocks(writer, 0);
	} else if (strcmp(mode, "dirsync") == 0) {
		mode_renames(writer, true);
	} else if (strcmp(mode, "nodirsync") == 0) {
		mode_renames(writer, false);
	} else {
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct writer writer = {.dir_fd = -1};
	unsigned long count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;

	if (count == 0 || count > BLOCK_COUNT_MAX) {
		fprintf(stderr, "usage: cutwriter MODE DIR BLOCKS (1 to %d)\n", BLOCK_COUNT_MAX);
		return 2;
	}
	writer.block_count = (uint32_t)count;
	writer.dir_fd = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (writer.dir_fd < 0) {
		die(argv[2]);
	}
	writer.block = aligned_alloc(BLOCK_SIZE_BYTES, BLOCK_SIZE_BYTES);
	kr_assert(writer.block != NULL);
	if (!mode_run(&writer, argv[1])) {
		fprintf(stderr, "cutwriter: unknown mode %s\n", argv[1]);
		return 2;
	}
	free(writer.block);
	close(writer.dir_fd);
	return 0;
}

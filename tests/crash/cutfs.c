/*
 * cutfs: a FUSE file system with one file, `image`, that behaves like a disk whose power can go.
 *
 *   cutfs IMAGE MOUNTPOINT
 *
 * A write is kept in memory until FSYNC; closing the file (FUSE flush) makes nothing durable,
 * because no disk knows when a file is closed. The file is opened with direct_io, so that the
 * kernel keeps no page cache of it: every sector asked for is asked of us.
 *
 * Commands come on standard input, one a line, each answered by one line on standard output:
 *   cut SEED KEEP_PERMILLE UNIT_BYTES   drop what is unsynced; from then on every request is EIO
 *   spoil OFFSET SIZE                   reading these blocks is EIO until they are written
 *   fail WRITES SYNCS                   so many of the next ones are EIO and do nothing; -1: all
 *   stat                                counters
 *   quit                                unmount and leave without writing what is unsynced
 * End of input means the same as quit: a parent that dies takes its disk with it.
 *
 * One thread serves requests and commands in turn, so a cut falls between two requests, and
 * nothing it drops was ever answered by FSYNC.
 *
 * After mounting it leaves the mount namespace of its parent. A process that is the last of a
 * namespace unmounts what is mounted there, and it does so before its own files are closed: killed
 * together with its parent, cutfs would wait, for ever and unkillable, for its own answers to the
 * write-back of the file system above. So the parent takes the mount below itself down as well.
 */
#define FUSE_USE_VERSION 35

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/check.h"
#include "tests/crash/cut_store.h"

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

enum {
	CUTFS_FILE_INO = 2,
	CUTFS_TRANSFER_MAX_BYTES = 1 << 20,
	CUTFS_LINE_MAX_BYTES = 128,
	CUTFS_EXIT_SKIP = 77,
};

/* Nothing but the size of the file is ever asked for, and it never changes. */
#define CUTFS_ATTR_TIMEOUT_S 3600.0

/* Conditions of this program. */
enum {
	CUTFS_UNMOUNTED = 1, /* from outside: a normal end */
	CUTFS_NO_MOUNT = 2,  /* this machine lets nobody mount FUSE: exit 77, a skip for the test */
};

static const char cutfs_file_name[] = "image";

struct cutfs {
	struct cut_store store;
	struct fuse_session *session;
	struct fuse_buf request;
	uint8_t *transfer; /* CUTFS_TRANSFER_MAX_BYTES, for the answer to a read */
	char line[CUTFS_LINE_MAX_BYTES];
	size_t line_size_bytes;
	bool quit;
};

static int store_errno(int rc)
{
	if (rc == 0) {
		return 0;
	}
	if (rc == CUT_STORE_BAD_RANGE) {
		return EINVAL;
	}
	/* A dead or rotten disk has one answer. An error of the image file itself is told apart on
	 * stderr. */
	kr_assert(
		rc < 0 || rc == CUT_STORE_OFF || rc == CUT_STORE_SPOILT || rc == CUT_STORE_FAILED);
	if (rc < 0) {
		fprintf(stderr, "cutfs: the image file failed: %s\n", kr_error_sentence(rc));
	}
	return EIO;
}

static bool cutfs_stat(const struct cutfs *fs, fuse_ino_t ino, struct stat *ret_st)
{
	*ret_st = (struct stat){.st_ino = ino};
	if (ino == FUSE_ROOT_ID) {
		ret_st->st_mode = S_IFDIR | 0700;
		ret_st->st_nlink = 2;
		return true;
	}
	if (ino != CUTFS_FILE_INO) {
		return false;
	}
	ret_st->st_mode = S_IFREG | 0600;
	ret_st->st_nlink = 1;
	ret_st->st_size = (off_t)fs->store.size_bytes;
	ret_st->st_blksize = CUT_BLOCK_SIZE_BYTES;
	kr_assert(ret_st->st_size > 0);
	return true;
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	kr_assert(userdata != NULL);
	conn->max_write = CUTFS_TRANSFER_MAX_BYTES;
	conn->max_read = CUTFS_TRANSFER_MAX_BYTES;
	/* The kernel must not gather writes on its own: only what reached us can be dropped by us.
	 */
	conn->want &= ~(unsigned)FUSE_CAP_WRITEBACK_CACHE;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct cutfs *fs = fuse_req_userdata(req);
	struct fuse_entry_param entry = {
		.ino = CUTFS_FILE_INO,
		.attr_timeout = CUTFS_ATTR_TIMEOUT_S,
		.entry_timeout = CUTFS_ATTR_TIMEOUT_S,
	};

	if (parent != FUSE_ROOT_ID || strcmp(name, cutfs_file_name) != 0) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	if (!cutfs_stat(fs, CUTFS_FILE_INO, &entry.attr)) {
		kr_assert(false);
	}
	fuse_reply_entry(req, &entry);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	struct cutfs *fs = fuse_req_userdata(req);
	struct stat st;

	if (!cutfs_stat(fs, ino, &st)) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	fuse_reply_attr(req, &st, CUTFS_ATTR_TIMEOUT_S);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	if (ino != CUTFS_FILE_INO) {
		fuse_reply_err(req, EISDIR);
		return;
	}
	info->direct_io = 1;
	info->keep_cache = 0;
	fuse_reply_open(req, info);
}

static void op_read(
	fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *info)
{
	struct cutfs *fs = fuse_req_userdata(req);
	uint64_t from = (uint64_t)offset;
	int error;

	kr_assert(ino == CUTFS_FILE_INO);
	if (offset < 0 || size > CUTFS_TRANSFER_MAX_BYTES) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	if (from > fs->store.size_bytes) {
		from = fs->store.size_bytes;
	}
	if (size > fs->store.size_bytes - from) {
		size = (size_t)(fs->store.size_bytes - from);
	}
	error = store_errno(cut_store_read(&fs->store, fs->transfer, size, from));
	if (error != 0) {
		fuse_reply_err(req, error);
		return;
	}
	fuse_reply_buf(req, (const char *)fs->transfer, size);
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
	struct fuse_file_info *info)
{
	struct cutfs *fs = fuse_req_userdata(req);
	int error;

	kr_assert(ino == CUTFS_FILE_INO);
	if (offset < 0) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	error = store_errno(
		cut_store_write(&fs->store, (const uint8_t *)data, size, (uint64_t)offset));
	if (error != 0) {
		fuse_reply_err(req, error);
		return;
	}
	fuse_reply_write(req, size);
}

static void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	struct cutfs *fs = fuse_req_userdata(req);

	kr_assert(ino == CUTFS_FILE_INO);
	fuse_reply_err(req, fs->store.off ? EIO : 0);
}

static void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *info)
{
	struct cutfs *fs = fuse_req_userdata(req);

	kr_assert(ino == CUTFS_FILE_INO);
	fuse_reply_err(req, store_errno(cut_store_sync(&fs->store)));
}

/* Whatever is absent here the kernel is told once that it does not exist (ENOSYS). */
static const struct fuse_lowlevel_ops cutfs_ops = {
	.init = op_init,
	.lookup = op_lookup,
	.getattr = op_getattr,
	.open = op_open,
	.read = op_read,
	.write = op_write,
	.flush = op_flush,
	.fsync = op_fsync,
};

static void command_cut(struct cutfs *fs, const char *line)
{
	struct cut_plan plan = {0};
	char extra;
	int rc;

	if (sscanf(line, "cut %" SCNu64 " %" SCNu32 " %" SCNu32 " %c", &plan.seed,
		    &plan.keep_permille, &plan.unit_bytes, &extra) != 3) {
		printf("error usage: cut SEED KEEP_PERMILLE UNIT_BYTES\n");
		return;
	}
	rc = cut_store_cut(&fs->store, &plan);
	if (rc != 0) {
		printf("error %s\n", rc == CUT_STORE_OFF ? "already off" : kr_error_sentence(rc));
		return;
	}
	kr_assert(fs->store.off);
	printf("ok kept=%" PRIu64 " dropped=%" PRIu64 "\n", fs->store.counts.kept_sectors,
		fs->store.counts.dropped_sectors);
}

static void command_spoil(struct cutfs *fs, const char *line)
{
	uint64_t offset;
	uint64_t size;
	char extra;

	if (sscanf(line, "spoil %" SCNu64 " %" SCNu64 " %c", &offset, &size, &extra) != 2) {
		printf("error usage: spoil OFFSET SIZE\n");
		return;
	}
	kr_assert(fs->store.size_bytes > 0);
	if (cut_store_spoil(&fs->store, offset, size) != 0) {
		printf("error not whole blocks of the disk\n");
		return;
	}
	printf("ok\n");
}

static void command_fail(struct cutfs *fs, const char *line)
{
	int64_t writes;
	int64_t syncs;
	char extra;

	kr_assert(fs->store.size_bytes > 0);
	if (sscanf(line, "fail %" SCNd64 " %" SCNd64 " %c", &writes, &syncs, &extra) != 2 ||
		writes < -1 || syncs < -1) {
		printf("error usage: fail WRITES SYNCS\n");
		return;
	}
	if (fs->store.off) {
		printf("error off\n");
		return;
	}
	/* -1 is UINT64_MAX. */
	cut_store_fail(&fs->store, (uint64_t)writes, (uint64_t)syncs);
	printf("ok\n");
}

static void command_run(struct cutfs *fs, const char *line)
{
	const struct cut_counts *counts = &fs->store.counts;

	if (strncmp(line, "cut ", 4) == 0) {
		command_cut(fs, line);
	} else if (strncmp(line, "spoil ", 6) == 0) {
		command_spoil(fs, line);
	} else if (strncmp(line, "fail ", 5) == 0) {
		command_fail(fs, line);
	} else if (strcmp(line, "stat") == 0) {
		printf("ok writes=%" PRIu64 " syncs=%" PRIu64 " destages=%" PRIu64
		       " failed=%" PRIu64 " dirty_blocks=%" PRIu32 " off=%d\n",
			counts->write_count, counts->sync_count, counts->destage_count,
			counts->failed_count, fs->store.dirty_count, (int)fs->store.off);
	} else if (strcmp(line, "quit") == 0) {
		fs->quit = true;
		printf("ok\n");
	} else {
		printf("error unknown command\n");
	}
}

/* A line longer than the buffer is nobody's command: leave rather than guess. */
static void commands_read(struct cutfs *fs)
{
	size_t room = sizeof(fs->line) - 1 - fs->line_size_bytes;
	ssize_t n = read(STDIN_FILENO, fs->line + fs->line_size_bytes, room);
	char *end;

	if (n < 0 && errno == EINTR) {
		return;
	}
	if (n <= 0 || room == 0) {
		fs->quit = true;
		return;
	}
	fs->line_size_bytes += (size_t)n;
	kr_assert(fs->line_size_bytes < sizeof(fs->line));
	fs->line[fs->line_size_bytes] = '\0';
	while (!fs->quit && (end = strchr(fs->line, '\n')) != NULL) {
		*end = '\0';
		command_run(fs, fs->line);
		fs->line_size_bytes -= (size_t)(end + 1 - fs->line);
		memmove(fs->line, end + 1, fs->line_size_bytes + 1);
	}
}

/* 0 to go on, CUTFS_UNMOUNTED, or fatal. */
static int request_serve(struct cutfs *fs)
{
	int rc = fuse_session_receive_buf(fs->session, &fs->request);

	if (rc == -EINTR || rc == -EAGAIN) {
		return 0;
	}
	if (rc == 0 || rc == -ENODEV) {
		return CUTFS_UNMOUNTED;
	}
	if (rc < 0) {
		return kr_error_from_errno(-rc);
	}
	fuse_session_process_buf(fs->session, &fs->request);
	return fuse_session_exited(fs->session) ? CUTFS_UNMOUNTED : 0;
}

static int cutfs_serve(struct cutfs *fs)
{
	struct pollfd polled[2] = {
		{.fd = fuse_session_fd(fs->session), .events = POLLIN},
		{.fd = STDIN_FILENO, .events = POLLIN},
	};

	kr_assert(polled[0].fd >= 0);
	while (!fs->quit) {
		int rc = poll(polled, 2, -1);

		if (rc < 0 && errno != EINTR) {
			return kr_error_from_errno(errno);
		}
		if (rc > 0 && polled[1].revents != 0) {
			commands_read(fs);
		}
		if (rc > 0 && !fs->quit && polled[0].revents != 0) {
			rc = request_serve(fs);
			if (rc != 0) {
				return rc == CUTFS_UNMOUNTED ? 0 : rc;
			}
		}
	}
	return 0;
}

/* 0, CUTFS_NO_MOUNT, or fatal. */
static int cutfs_run(struct cutfs *fs, const char *mountpoint)
{
	char options[CUTFS_LINE_MAX_BYTES];
	char name[] = "cutfs";
	char *arguments[] = {name, options, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(2, arguments);
	int rc;

	/* libfuse wants the largest read said twice: here and in op_init. */
	snprintf(options, sizeof(options), "-ofsname=cutfs,max_read=%d", CUTFS_TRANSFER_MAX_BYTES);
	fs->session = fuse_session_new(&args, &cutfs_ops, sizeof(cutfs_ops), fs);
	fuse_opt_free_args(&args);
	if (fs->session == NULL) {
		return -KR_E_INVALID;
	}
	if (fuse_session_mount(fs->session, mountpoint) != 0) {
		fuse_session_destroy(fs->session);
		return CUTFS_NO_MOUNT;
	}
	rc = unshare(CLONE_NEWNS) == 0 ? 0 : kr_error_from_errno(errno);
	if (rc == 0) {
		printf("ready\n");
		rc = cutfs_serve(fs);
	}
	fuse_session_unmount(fs->session);
	fuse_session_destroy(fs->session);
	free(fs->request.mem);
	return rc;
}

int main(int argc, char **argv)
{
	struct cutfs fs = {0};
	int fd;
	int rc;

	if (argc != 3) {
		fprintf(stderr, "usage: cutfs IMAGE MOUNTPOINT\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* We stand below a block device: memory we ask for must not wait for its write-back. */
	(void)prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
	fd = open(argv[1], O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "cutfs: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	rc = cut_store_init(&fs.store, fd);
	if (rc < 0) {
		fprintf(stderr, "cutfs: %s: %s\n", argv[1], kr_error_sentence(rc));
		return 1;
	}
	fs.transfer = malloc(CUTFS_TRANSFER_MAX_BYTES);
	kr_assert(fs.transfer != NULL);
	rc = cutfs_run(&fs, argv[2]);
	if (rc < 0) {
		fprintf(stderr, "cutfs: %s: %s\n", argv[2], kr_error_sentence(rc));
	}
	free(fs.transfer);
	cut_store_fini(&fs.store);
	return rc < 0 ? 1 : rc == CUTFS_NO_MOUNT ? CUTFS_EXIT_SKIP : 0;
}

#include "base/io/sim/disk_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int failed(struct io_directory *directory, int number)
{
	kr_assert(number > 0);
	directory->errno_number = number;
	return kr_error_from_errno(number);
}

static int name_failed(
	struct io_directory *directory, const char *path, int number, struct kr_error_text *text)
{
	return kr_error_text_set(
		text, failed(directory, number), number, "opening the directory %s", path);
}

int io_directory_open(struct io_loop *loop, struct io_directory *directory, const char *path,
	unsigned flags, struct kr_error_text *text)
{
	struct sim_disk *disk = loop->node->disk;
	kr_assert((flags & ~IO_DIRECTORY_CREATE) == 0);
	memset(directory, 0, sizeof(*directory));
	directory->loop = loop;
	directory->lock_fd = -1;
	directory->fd = -1;
	if (sim_node_point(loop->node) || fault_fires(loop->config.faults, FAULT_DIRECTORY_OPEN))
		return name_failed(directory, path, EIO, text);
	if (disk == NULL)
		return name_failed(directory, path, ENODEV, text);
	struct sim_folder *folder = flags & IO_DIRECTORY_CREATE ? sim_folder_make(disk, path)
								: sim_folder_find(disk, path);
	if (folder == NULL)
		return name_failed(directory, path, ENOENT, text);
	directory->backend = folder;
	directory->fd = 0;
	loop->open_count++;
	return 0;
}

void io_directory_close(struct io_directory *directory)
{
	struct sim_folder *folder = directory->backend;
	struct io_loop *loop = directory->loop;
	kr_assert(directory->fd >= 0);
	directory->fd = -1;
	if (sim_loop_is_gone(loop))
		return;
	kr_assert(loop->open_count > 0);
	if (directory->lock_fd >= 0) {
		kr_assert(folder->lock_node == loop->node);
		folder->lock_node = NULL;
		directory->lock_fd = -1;
	}
	loop->open_count--;
}

int io_directory_lock(struct io_directory *directory, struct kr_error_text *text)
{
	struct sim_folder *folder = directory->backend;
	struct io_loop *loop = directory->loop;
	kr_assert(directory->lock_fd < 0);
	if (sim_node_point(loop->node))
		return kr_error_text_set(text, failed(directory, EIO), EIO, "locking");
	bool is_locked = folder->lock_node != NULL || folder->late_count > 0;
	if (is_locked)
		sim_mark_add(loop->world, loop->node, SIM_LOCK_HELD);
	if (is_locked || fault_fires(loop->config.faults, FAULT_DIRECTORY_LOCK)) {
		(void)kr_error_text_set(text, -KR_E_BUSY, 0,
			"the directory is in use by process %s, or writes of a killed process are "
			"still on their way",
			folder->lock_node == NULL ? "0" : folder->lock_node->name);
		return IO_DIRECTORY_LOCKED;
	}
	folder->lock_node = loop->node;
	directory->lock_fd = 0;
	/* As on a real disk, the file is there from now on. */
	if (sim_folder_inode(folder, IO_DIRECTORY_LOCK_NAME) == NULL) {
		struct sim_inode *inode = sim_inode_new(folder->disk);
		(void)sim_folder_link(folder, IO_DIRECTORY_LOCK_NAME, inode);
		sim_inode_put(inode);
	}
	return 0;
}

int io_directory_list(struct io_directory *directory,
	void (*on_name)(void *context, const char *name), void *context)
{
	kr_assert(directory->fd >= 0);
	kr_assert(on_name != NULL);
	const struct sim_folder *folder = directory->backend;
	if (sim_node_point(directory->loop->node) ||
		fault_fires(directory->loop->config.faults, FAULT_DIRECTORY_LIST))
		return failed(directory, EIO);
	/* The callback may change names: a copy, as readdir would have read it. */
	uint32_t count = folder->now.count;
	struct sim_entry *entries = sim_alloc((count + 1u) * sizeof(*entries));
	if (count > 0)
		memcpy(entries, folder->now.entries, count * sizeof(*entries));
	for (uint32_t i = 0; i < count; i++)
		on_name(context, entries[i].name);
	free(entries);
	return 0;
}

int io_directory_file_size(
	struct io_directory *directory, const char *name, uint64_t *ret_size_bytes)
{
	kr_assert(strchr(name, '/') == NULL);
	if (sim_node_point(directory->loop->node) ||
		fault_fires(directory->loop->config.faults, FAULT_FILE_SIZE))
		return failed(directory, EIO);
	const struct sim_inode *inode = sim_folder_inode(directory->backend, name);
	if (inode == NULL)
		return failed(directory, ENOENT);
	*ret_size_bytes = inode->size_bytes;
	return 0;
}

int io_directory_free_bytes(struct io_directory *directory, uint64_t *ret_free_bytes)
{
	kr_assert(directory->fd >= 0);
	const struct sim_folder *folder = directory->backend;
	const struct sim_disk *disk = folder->disk;
	if (sim_node_point(directory->loop->node) ||
		fault_fires(directory->loop->config.faults, FAULT_DIRECTORY_SPACE))
		return failed(directory, EIO);
	if (disk->capacity_bytes == 0)
		*ret_free_bytes = INT64_MAX;
	else
		*ret_free_bytes = disk->capacity_bytes > disk->used_bytes
					  ? disk->capacity_bytes - disk->used_bytes
					  : 0;
	return 0;
}

/* A crash inside: the change may have come about, and no sync has kept it. */
static bool crash_inside(struct io_directory *directory)
{
	kr_assert(directory->fd >= 0);
	struct sim_node *node = directory->loop->node;
	bool was_dying = node->dying != SIM_CRASH_NONE;
	if (!sim_node_point(node))
		return false;
	if (!was_dying)
		sim_mark_add(node->world, node, SIM_CRASH_IN_CALL);
	return true;
}

int io_directory_rename_now(struct io_directory *directory, const char *from, const char *to)
{
	kr_assert(strchr(from, '/') == NULL && strchr(to, '/') == NULL);
	struct sim_folder *folder = directory->backend;
	bool was_dying = sim_loop_is_gone(directory->loop);
	if (crash_inside(directory)) {
		if (!was_dying && rng_below(&folder->disk->world->rng_disk, 2) == 0)
			(void)sim_folder_rename(folder, from, to);
		return failed(directory, EIO);
	}
	if (fault_fires(directory->loop->config.faults, FAULT_FILE_RENAME))
		return failed(directory, EIO);
	int number = sim_folder_rename(folder, from, to);
	return number != 0 ? failed(directory, number) : 0;
}

int io_directory_unlink_now(struct io_directory *directory, const char *name)
{
	kr_assert(strchr(name, '/') == NULL);
	struct sim_folder *folder = directory->backend;
	bool was_dying = sim_loop_is_gone(directory->loop);
	if (crash_inside(directory)) {
		if (!was_dying && rng_below(&folder->disk->world->rng_disk, 2) == 0)
			(void)sim_folder_unlink(folder, name);
		return failed(directory, EIO);
	}
	if (fault_fires(directory->loop->config.faults, FAULT_FILE_UNLINK))
		return failed(directory, EIO);
	int number = sim_folder_unlink(folder, name);
	return number != 0 ? failed(directory, number) : 0;
}

int io_directory_sync_now(struct io_directory *directory)
{
	struct sim_folder *folder = directory->backend;
	struct io_loop *loop = directory->loop;
	loop->stats.file_sync_count++;
	if (crash_inside(directory) || fault_fires(loop->config.faults, FAULT_DIRECTORY_SYNC))
		return failed(directory, EIO);
	if (sim_disk_fault(folder->disk, loop->node, loop->world->config.faults.disk_sync_error,
		    SIM_DISK_SYNC_ERROR))
		return failed(directory, EIO);
	sim_folder_sync(folder, folder->disk->seq);
	return 0;
}

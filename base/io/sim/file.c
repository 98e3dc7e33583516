#include "base/io/sim/disk_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int failed(struct io_file *file, int number)
{
	kr_assert(number > 0);
	file->errno_number = number;
	return kr_error_from_errno(number);
}

static int inode_open(struct io_directory *directory, const char *name, unsigned flags,
	struct sim_inode **ret_inode)
{
	kr_assert(ret_inode != NULL);
	struct sim_folder *folder = directory->backend;
	struct sim_disk *disk = folder->disk;
	struct sim_inode *inode = sim_folder_inode(folder, name);
	if (inode != NULL && (flags & IO_FILE_CREATE) && (flags & IO_FILE_EXCLUSIVE))
		return EEXIST;
	if (inode == NULL && !(flags & IO_FILE_CREATE))
		return ENOENT;
	if (inode != NULL) {
		*ret_inode = sim_inode_get(inode);
		return 0;
	}
	if (sim_disk_fault(disk, directory->loop->node, disk->world->config.faults.disk_full,
		    SIM_DISK_FULL))
		return ENOSPC;
	inode = sim_inode_new(disk);
	(void)sim_folder_link(folder, name, inode);
	*ret_inode = inode;
	return 0;
}

int io_file_open(
	struct io_directory *directory, struct io_file *file, const char *name, unsigned flags)
{
	struct io_loop *loop = directory->loop;
	struct sim_inode *inode = NULL;
	kr_assert(flags & (IO_FILE_READ | IO_FILE_WRITE));
	kr_assert(strchr(name, '/') == NULL && strlen(name) <= IO_NAME_LENGTH_MAX);
	memset(file, 0, sizeof(*file));
	file->fd = -1;
	if (sim_node_point(loop->node) || fault_fires(loop->config.faults, FAULT_FILE_OPEN))
		return failed(file, EIO);
	int number = inode_open(directory, name, flags, &inode);
	if (number != 0)
		return failed(file, number);
	struct sim_handle *handle = sim_alloc(sizeof(*handle));
	handle->inode = inode;
	handle->folder = directory->backend;
	kr_list_init(&handle->link);
	kr_list_push_back(&loop->node->handles, &handle->link);
	file->loop = loop;
	file->backend = handle;
	file->fd = 0;
	file->flags = flags;
	file->is_direct =
		(flags & IO_FILE_DIRECT) && !fault_fires(loop->config.faults, FAULT_FILE_DIRECT);
	loop->open_count++;
	return 0;
}

void io_file_close(struct io_file *file)
{
	struct sim_handle *handle = file->backend;
	kr_assert(file->fd >= 0);
	file->fd = -1;
	if (sim_loop_is_gone(file->loop))
		return;
	kr_assert(file->in_flight_count == 0);
	kr_assert(file->loop->open_count > 0);
	file->loop->open_count--;
	file->backend = NULL;
	kr_list_remove(&handle->link);
	sim_inode_put(handle->inode);
	free(handle);
}

static struct sim_inode *inode_of(const struct io_file *file)
{
	const struct sim_handle *handle = file->backend;
	kr_assert(file->fd >= 0);
	return handle->inode;
}

static struct sim_disk *disk_of(const struct io_file *file)
{
	return inode_of(file)->disk;
}

int io_file_size(struct io_file *file, uint64_t *ret_size_bytes)
{
	kr_assert(ret_size_bytes != NULL);
	if (sim_node_point(file->loop->node) ||
		fault_fires(file->loop->config.faults, FAULT_FILE_SIZE))
		return failed(file, EIO);
	*ret_size_bytes = inode_of(file)->size_bytes;
	return 0;
}

int io_file_read_now(struct io_file *file, void *bytes, size_t size_bytes, uint64_t offset,
	size_t *ret_size_bytes)
{
	uint64_t done = 0;
	kr_assert(file->flags & IO_FILE_READ);
	if (sim_node_point(file->loop->node) ||
		fault_fires(file->loop->config.faults, FAULT_FILE_READ))
		return failed(file, EIO);
	int number = sim_disk_read(
		disk_of(file), file->loop->node, inode_of(file), offset, bytes, size_bytes, &done);
	if (number != 0)
		return failed(file, number);
	file->loop->stats.file_read_bytes += done;
	*ret_size_bytes = done;
	return 0;
}

/* A crash inside a write: part of it is in the cache, none of it kept. */
static bool crash_inside(
	struct io_file *file, const void *bytes, size_t size_bytes, uint64_t offset)
{
	kr_assert(size_bytes > 0);
	struct sim_node *node = file->loop->node;
	struct sim_inode *inode = inode_of(file);
	bool was_dying = node->dying != SIM_CRASH_NONE;
	if (!sim_node_point(node))
		return false;
	if (was_dying)
		return true;
	sim_mark_add(node->world, node, SIM_CRASH_IN_CALL);
	uint64_t part = rng_range(&node->world->rng_disk, 0, size_bytes);
	if (part > 0 &&
		(offset + part <= inode->size_bytes || sim_inode_resize(inode, offset + part) == 0))
		sim_inode_write(inode, offset, bytes, part, false);
	return true;
}

int io_file_write_now(struct io_file *file, const void *bytes, size_t size_bytes, uint64_t offset)
{
	struct fault_set *faults = file->loop->config.faults;
	kr_assert(file->flags & IO_FILE_WRITE);
	if (size_bytes == 0)
		return 0;
	if (crash_inside(file, bytes, size_bytes, offset))
		return failed(file, EIO);
	if (fault_fires(faults, FAULT_FILE_WRITE_FULL))
		return failed(file, ENOSPC);
	if (fault_fires(faults, FAULT_FILE_WRITE))
		return failed(file, EIO);
	int number = sim_disk_write(disk_of(file), file->loop->node, inode_of(file), offset, bytes,
		size_bytes, (file->flags & IO_FILE_DSYNC) != 0);
	if (number != 0)
		return failed(file, number);
	file->loop->stats.file_write_bytes += size_bytes;
	return 0;
}

int io_file_sync_now(struct io_file *file)
{
	struct sim_disk *disk = disk_of(file);
	file->loop->stats.file_sync_count++;
	if (sim_node_point(file->loop->node) ||
		fault_fires(file->loop->config.faults, FAULT_FILE_SYNC))
		return failed(file, EIO);
	int number = sim_disk_sync(disk, file->loop->node, inode_of(file), disk->seq);
	return number != 0 ? failed(file, number) : 0;
}

int io_file_truncate_now(struct io_file *file, uint64_t size_bytes)
{
	kr_assert(file->flags & IO_FILE_WRITE);
	kr_assert(size_bytes <= INT64_MAX);
	if (sim_node_point(file->loop->node) ||
		fault_fires(file->loop->config.faults, FAULT_FILE_TRUNCATE))
		return failed(file, EIO);
	int number = sim_inode_resize(inode_of(file), size_bytes);
	return number != 0 ? failed(file, number) : 0;
}

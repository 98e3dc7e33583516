#include "base/io/sim/disk_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct sim_disk *sim_disk_new(struct sim_world *world, uint64_t capacity_bytes)
{
	kr_assert(world->disk_count < SIM_DISK_COUNT_MAX);
	struct sim_disk *disk = sim_alloc(sizeof(*disk));
	disk->world = world;
	disk->capacity_bytes = capacity_bytes;
	disk->has_faults = true;
	kr_list_init(&disk->folders);
	kr_list_init(&disk->late);
	world->disks[world->disk_count++] = disk;
	return disk;
}

void sim_disk_free(struct sim_disk *disk)
{
	sim_disk_late_drop(disk, false);
	while (!kr_list_is_empty(&disk->folders))
		sim_folder_free(kr_list_first(&disk->folders, struct sim_folder, link));
	kr_assert(disk->used_bytes == 0);
	free(disk);
}

void sim_disk_capacity_set(struct sim_disk *disk, uint64_t capacity_bytes)
{
	disk->capacity_bytes = capacity_bytes;
}

uint64_t sim_disk_used_bytes(const struct sim_disk *disk)
{
	return disk->used_bytes;
}

void sim_disk_faults_enable(struct sim_disk *disk, bool is_enabled)
{
	disk->has_faults = is_enabled;
}

void sim_disk_fate_set(struct sim_disk *disk,
	enum sim_fate (*choose)(void *context, const char *name, uint64_t offset), void *context)
{
	disk->choose = choose;
	disk->choose_context = context;
}

void sim_disk_cut_set(struct sim_disk *disk, const struct sim_cut *cut)
{
	kr_assert(cut == NULL || (cut->names != NULL && cut->keeps_size != NULL));
	disk->cut = cut;
}

void sim_disk_power_cut(struct sim_disk *disk)
{
	kr_assert(!disk->world->is_in_turn);
	sim_disk_late_drop(disk, true);
	kr_list_foreach(link, &disk->folders)
	{
		sim_folder_power_cut(kr_container_of(link, struct sim_folder, link));
	}
}

bool sim_disk_fault(
	struct sim_disk *disk, struct sim_node *node, uint32_t per_million, enum sim_mark mark)
{
	return disk->has_faults &&
	       sim_fault(disk->world, &disk->world->rng_disk, node, per_million, mark);
}

static int grow(
	struct sim_disk *disk, struct sim_node *node, struct sim_inode *inode, uint64_t size_bytes)
{
	kr_assert(inode->disk == disk);
	if (size_bytes <= inode->size_bytes)
		return 0;
	if (sim_disk_fault(disk, node, disk->world->config.faults.disk_full, SIM_DISK_FULL))
		return ENOSPC;
	int number = sim_inode_resize(inode, size_bytes);
	if (number == ENOSPC)
		sim_mark_add(disk->world, node, SIM_DISK_FULL);
	return number;
}

/* The same bytes at another aligned place of the file. */
static uint64_t astray(
	struct sim_disk *disk, const struct sim_inode *inode, uint64_t offset, uint64_t size_bytes)
{
	kr_assert(size_bytes <= inode->size_bytes);
	uint64_t room = (inode->size_bytes - size_bytes) / SIM_BLOCK_SIZE;
	uint64_t place = rng_range(&disk->world->rng_disk, 0, room) * SIM_BLOCK_SIZE;
	return place + offset % SIM_BLOCK_SIZE + size_bytes <= inode->size_bytes
		       ? place + offset % SIM_BLOCK_SIZE
		       : place;
}

static void rot(struct sim_disk *disk, struct sim_node *node, struct sim_inode *inode)
{
	kr_assert(inode->disk == disk);
	const struct sim_faults *faults = &disk->world->config.faults;
	if (inode->size_bytes == 0 || !sim_disk_fault(disk, node, faults->disk_rot, SIM_DISK_ROT))
		return;
	sim_inode_flip(inode, rng_below(&disk->world->rng_disk, inode->size_bytes * 8));
}

int sim_disk_write(struct sim_disk *disk, struct sim_node *node, struct sim_inode *inode,
	uint64_t offset, const uint8_t *bytes, uint64_t size_bytes, bool is_durable)
{
	kr_assert(inode->disk == disk);
	const struct sim_faults *faults = &disk->world->config.faults;
	kr_assert(size_bytes > 0);
	int number = grow(disk, node, inode, offset + size_bytes);
	if (number != 0)
		return number;
	if (sim_disk_fault(disk, node, faults->disk_write_error, SIM_DISK_WRITE_ERROR)) {
		/* An unknown part of it was carried out. */
		uint64_t part = rng_below(&disk->world->rng_disk, size_bytes);
		sim_inode_write(inode, offset, bytes, part, is_durable);
		return EIO;
	}
	if (sim_disk_fault(disk, node, faults->disk_write_lost, SIM_DISK_WRITE_LOST))
		return 0;
	if (sim_disk_fault(disk, node, faults->disk_write_astray, SIM_DISK_WRITE_ASTRAY))
		offset = astray(disk, inode, offset, size_bytes);
	sim_inode_write(inode, offset, bytes, size_bytes, is_durable);
	rot(disk, node, inode);
	return 0;
}

int sim_disk_read(struct sim_disk *disk, struct sim_node *node, const struct sim_inode *inode,
	uint64_t offset, uint8_t *bytes, uint64_t size_bytes, uint64_t *ret_size_bytes)
{
	kr_assert(inode->disk == disk);
	const struct sim_faults *faults = &disk->world->config.faults;
	struct rng *rng = &disk->world->rng_disk;
	uint64_t left = offset < inode->size_bytes ? inode->size_bytes - offset : 0;
	uint64_t size = KR_MIN(size_bytes, left);
	if (!sim_inode_is_readable(inode, offset, size) ||
		sim_disk_fault(disk, node, faults->disk_read_error, SIM_DISK_READ_ERROR))
		return EIO;
	if (size > 0) {
		sim_inode_read(inode, offset, bytes, size);
		if (sim_disk_fault(disk, node, faults->disk_read_flip, SIM_DISK_READ_FLIP)) {
			uint64_t bit = rng_below(rng, size * 8);
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
	*ret_size_bytes = size;
	return 0;
}

int sim_disk_sync(
	struct sim_disk *disk, struct sim_node *node, struct sim_inode *inode, uint64_t seq)
{
	kr_assert(inode->disk == disk);
	kr_assert(seq <= disk->seq);
	const struct sim_faults *faults = &disk->world->config.faults;
	if (sim_disk_fault(disk, node, faults->disk_sync_error, SIM_DISK_SYNC_ERROR)) {
		sim_inode_sync_drop(inode, seq);
		return EIO;
	}
	sim_inode_sync(inode, seq);
	return 0;
}

/* --- media --- */

static struct sim_inode *media_find(struct sim_disk *disk, const char *path, const char *name)
{
	kr_assert(name != NULL);
	struct sim_folder *folder = sim_folder_find(disk, path);
	return folder == NULL ? NULL : sim_folder_inode(folder, name);
}

int64_t sim_media_size(struct sim_disk *disk, const char *path, const char *name)
{
	const struct sim_inode *inode = media_find(disk, path, name);
	return inode == NULL ? -1 : (int64_t)inode->size_bytes;
}

void sim_media_read(struct sim_disk *disk, const char *path, const char *name, uint64_t offset,
	void *bytes, size_t size_bytes)
{
	const struct sim_inode *inode = media_find(disk, path, name);
	kr_assert(inode != NULL);
	sim_inode_read(inode, offset, bytes, size_bytes);
}

static struct sim_inode *media_make(struct sim_disk *disk, const char *path, const char *name)
{
	struct sim_folder *folder = sim_folder_make(disk, path);
	struct sim_inode *inode = sim_folder_inode(folder, name);
	if (inode != NULL)
		return inode;
	inode = sim_inode_new(disk);
	int number = sim_folder_link(folder, name, inode);
	kr_assert(number == 0);
	sim_inode_put(inode);
	sim_folder_sync(folder, disk->seq);
	return inode;
}

void sim_media_write(struct sim_disk *disk, const char *path, const char *name, uint64_t offset,
	const void *bytes, size_t size_bytes)
{
	struct sim_inode *inode = media_make(disk, path, name);
	if (offset + size_bytes > inode->size_bytes) {
		int number = sim_inode_resize(inode, offset + size_bytes);
		kr_assert(number == 0);
	}
	sim_inode_write(inode, offset, bytes, size_bytes, true);
}

void sim_media_truncate(
	struct sim_disk *disk, const char *path, const char *name, uint64_t size_bytes)
{
	struct sim_inode *inode = media_make(disk, path, name);
	int number = sim_inode_resize(inode, size_bytes);
	kr_assert(number == 0);
	sim_inode_sync(inode, disk->seq);
}

void sim_media_remove(struct sim_disk *disk, const char *path, const char *name)
{
	struct sim_folder *folder = sim_folder_find(disk, path);
	kr_assert(folder != NULL);
	int number = sim_folder_unlink(folder, name);
	kr_assert(number == 0);
	sim_folder_sync(folder, disk->seq);
}

void sim_media_break(struct sim_disk *disk, const char *path, const char *name, uint64_t offset)
{
	struct sim_inode *inode = media_find(disk, path, name);
	kr_assert(inode != NULL);
	sim_inode_break(inode, offset);
}

void sim_media_list(struct sim_disk *disk, const char *path,
	void (*on_name)(void *context, const char *name), void *context)
{
	const struct sim_folder *folder = sim_folder_find(disk, path);
	for (uint32_t i = 0; folder != NULL && i < folder->now.count; i++)
		on_name(context, folder->now.entries[i].name);
}

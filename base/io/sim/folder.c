#include "base/io/sim/disk_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct sim_folder *sim_folder_find(struct sim_disk *disk, const char *path)
{
	kr_assert(path != NULL);
	kr_list_foreach(link, &disk->folders)
	{
		struct sim_folder *folder = kr_container_of(link, struct sim_folder, link);
		if (strcmp(folder->path, path) == 0)
			return folder;
	}
	return NULL;
}

struct sim_folder *sim_folder_make(struct sim_disk *disk, const char *path)
{
	struct sim_folder *folder = sim_folder_find(disk, path);
	size_t length = strlen(path);
	if (folder != NULL)
		return folder;
	kr_assert(length < SIM_PATH_MAX);
	folder = sim_alloc(sizeof(*folder));
	folder->disk = disk;
	memcpy(folder->path, path, length + 1);
	kr_list_init(&folder->link);
	struct kr_list *place = disk->folders.next;
	while (place != &disk->folders &&
		strcmp(kr_container_of(place, struct sim_folder, link)->path, path) < 0)
		place = place->next;
	kr_list_insert_before(place, &folder->link);
	return folder;
}

/* Where the name stands, or where it would. */
static uint32_t names_place(const struct sim_names *names, const char *name, bool *ret_is_there)
{
	kr_assert(name != NULL);
	uint32_t first = 0, end = names->count;
	while (first < end) {
		uint32_t middle = first + (end - first) / 2;
		if (strcmp(names->entries[middle].name, name) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	*ret_is_there = first < names->count && strcmp(names->entries[first].name, name) == 0;
	return first;
}

static struct sim_inode *names_find(const struct sim_names *names, const char *name)
{
	bool is_there;
	uint32_t place = names_place(names, name, &is_there);
	return is_there ? names->entries[place].inode : NULL;
}

static void names_remove(struct sim_names *names, const char *name)
{
	bool is_there;
	uint32_t place = names_place(names, name, &is_there);
	if (!is_there)
		return;
	sim_inode_put(names->entries[place].inode);
	names->count--;
	memmove(&names->entries[place], &names->entries[place + 1],
		(names->count - place) * sizeof(*names->entries));
}

/* Takes the name from whatever has it. */
static void names_set(struct sim_names *names, const char *name, struct sim_inode *inode)
{
	bool is_there;
	/* First, since the name may be the inode's last reference. */
	sim_inode_get(inode);
	names_remove(names, name);
	uint32_t place = names_place(names, name, &is_there);
	kr_assert(!is_there);
	if (names->count == names->capacity) {
		names->capacity = KR_MAX(names->capacity * 2, 16u);
		names->entries = realloc(names->entries, names->capacity * sizeof(*names->entries));
		kr_assert(names->entries != NULL);
	}
	memmove(&names->entries[place + 1], &names->entries[place],
		(names->count - place) * sizeof(*names->entries));
	names->count++;
	memcpy(names->entries[place].name, name, strlen(name) + 1);
	names->entries[place].inode = inode;
}

static void names_rename(struct sim_names *names, const char *from, const char *to)
{
	kr_assert(from != NULL && to != NULL);
	struct sim_inode *inode = names_find(names, from);
	if (inode == NULL || strcmp(from, to) == 0)
		return;
	names_set(names, to, inode);
	names_remove(names, from);
}

static void names_clear(struct sim_names *names)
{
	while (names->count > 0)
		names_remove(names, names->entries[names->count - 1].name);
}

static void names_copy(struct sim_names *to, const struct sim_names *from)
{
	kr_assert(to != from);
	names_clear(to);
	for (uint32_t i = 0; i < from->count; i++)
		names_set(to, from->entries[i].name, from->entries[i].inode);
}

struct sim_inode *sim_folder_inode(const struct sim_folder *folder, const char *name)
{
	return names_find(&folder->now, name);
}

static struct sim_change *change_add(
	struct sim_folder *folder, enum sim_change_kind kind, const char *name)
{
	if (folder->change_count == folder->change_capacity) {
		folder->change_capacity = KR_MAX(folder->change_capacity * 2, 16u);
		folder->changes = realloc(
			folder->changes, folder->change_capacity * sizeof(*folder->changes));
		kr_assert(folder->changes != NULL);
	}
	struct sim_change *change = &folder->changes[folder->change_count++];
	*change = (struct sim_change){.kind = kind, .seq = ++folder->disk->seq};
	kr_assert(strlen(name) <= IO_NAME_LENGTH_MAX);
	memcpy(change->name, name, strlen(name) + 1);
	return change;
}

int sim_folder_link(struct sim_folder *folder, const char *name, struct sim_inode *inode)
{
	kr_assert(names_find(&folder->now, name) == NULL);
	struct sim_change *change = change_add(folder, SIM_LINK, name);
	change->inode = sim_inode_get(inode);
	names_set(&folder->now, name, inode);
	return 0;
}

int sim_folder_unlink(struct sim_folder *folder, const char *name)
{
	kr_assert(strlen(name) <= IO_NAME_LENGTH_MAX);
	if (names_find(&folder->now, name) == NULL)
		return ENOENT;
	(void)change_add(folder, SIM_UNLINK, name);
	names_remove(&folder->now, name);
	return 0;
}

int sim_folder_rename(struct sim_folder *folder, const char *from, const char *to)
{
	kr_assert(strlen(from) <= IO_NAME_LENGTH_MAX);
	kr_assert(strlen(to) <= IO_NAME_LENGTH_MAX);
	if (names_find(&folder->now, from) == NULL)
		return ENOENT;
	struct sim_change *change = change_add(folder, SIM_RENAME, from);
	memcpy(change->to, to, strlen(to) + 1);
	names_rename(&folder->now, from, to);
	return 0;
}

/* The first change becomes durable, or is dropped. */
static void change_take(struct sim_folder *folder, bool is_kept)
{
	kr_assert(folder->change_count > 0);
	struct sim_change *change = &folder->changes[0];
	if (is_kept && change->kind == SIM_LINK)
		names_set(&folder->durable, change->name, change->inode);
	else if (is_kept && change->kind == SIM_UNLINK)
		names_remove(&folder->durable, change->name);
	else if (is_kept)
		names_rename(&folder->durable, change->name, change->to);
	if (change->inode != NULL)
		sim_inode_put(change->inode);
	folder->change_count--;
	memmove(change, change + 1, folder->change_count * sizeof(*change));
}

void sim_folder_sync(struct sim_folder *folder, uint64_t seq)
{
	kr_assert(seq <= folder->disk->seq);
	while (folder->change_count > 0 && folder->changes[0].seq <= seq)
		change_take(folder, true);
}

static uint32_t cut_names(struct sim_folder *folder)
{
	const struct sim_cut *cut = folder->disk->cut;
	struct rng *rng = &folder->disk->world->rng_disk;
	if (cut == NULL)
		return (uint32_t)rng_below(rng, (uint64_t)folder->change_count + 1);
	uint32_t kept = cut->names(cut->context, folder->path, folder->change_count);
	kr_assert(kept <= folder->change_count);
	return kept;
}

/* The journal keeps changes in order: a power cut leaves the first few of them. */
void sim_folder_power_cut(struct sim_folder *folder)
{
	kr_assert(folder->late_count == 0);
	struct sim_world *world = folder->disk->world;
	uint32_t kept = cut_names(folder);
	for (; folder->change_count > 0; kept -= kept > 0) {
		sim_mark_add(world, NULL, kept > 0 ? SIM_NAME_KEPT : SIM_NAME_LOST);
		change_take(folder, kept > 0);
	}
	names_copy(&folder->now, &folder->durable);
	for (uint32_t i = 0; i < folder->now.count; i++)
		sim_inode_power_cut(folder->now.entries[i].inode, folder->now.entries[i].name);
	folder->lock_node = NULL;
	folder->late_count = 0;
}

void sim_folder_free(struct sim_folder *folder)
{
	while (folder->change_count > 0)
		change_take(folder, false);
	names_clear(&folder->now);
	names_clear(&folder->durable);
	free(folder->now.entries);
	free(folder->durable.entries);
	free(folder->changes);
	kr_list_remove(&folder->link);
	free(folder);
}

/*
 * Simulated disks: what processes see (the page cache, `now`) and what a power cut would leave
 * (`durable`), in sectors of 512 bytes; folders with the changes that no sync has made last.
 */
#ifndef BASE_IO_SIM_DISK_PRIV_H
#define BASE_IO_SIM_DISK_PRIV_H

#include "base/io/io_file.h"
#include "base/io/sim/sim_priv.h"

#define SIM_BLOCK_SIZE 4096u
#define SIM_BLOCK_SECTORS (SIM_BLOCK_SIZE / SIM_SECTOR_SIZE)

struct sim_block {
	uint8_t now[SIM_BLOCK_SIZE];
	uint8_t *durable;                      /* NULL: the same as now */
	uint64_t dirty_seq[SIM_BLOCK_SECTORS]; /* when it was written; 0: nothing to sync */
	uint8_t broken;                        /* a bit a sector: reads fail */
};

struct sim_inode {
	struct sim_disk *disk;
	struct sim_block **blocks; /* NULL: zeroes */
	uint64_t block_count;
	uint64_t size_bytes;
	uint64_t durable_size_bytes;
	uint64_t size_seq;      /* when the size changed; 0: it is durable */
	uint64_t charged_bytes; /* counted as used on the disk */
	uint32_t reference_count;
	uint32_t sync_count; /* syncs on their way */
};

struct sim_entry {
	char name[IO_NAME_LENGTH_MAX + 1];
	struct sim_inode *inode;
};

/* Sorted by name. */
struct sim_names {
	struct sim_entry *entries;
	uint32_t count;
	uint32_t capacity;
};

enum sim_change_kind { SIM_LINK, SIM_UNLINK, SIM_RENAME };

/* A change of names that is in `now` and not yet in `durable`. */
struct sim_change {
	enum sim_change_kind kind;
	uint64_t seq;
	char name[IO_NAME_LENGTH_MAX + 1];
	char to[IO_NAME_LENGTH_MAX + 1];
	struct sim_inode *inode; /* of a link */
};

struct sim_folder {
	struct kr_list link; /* of the disk, sorted by path */
	struct sim_disk *disk;
	char path[SIM_PATH_MAX];
	struct sim_names now;
	struct sim_names durable;
	struct sim_change *changes;
	uint32_t change_count;
	uint32_t change_capacity;
	struct sim_node *lock_node;
	uint32_t late_count; /* writes on their way of a killed process that held the lock */
};

struct sim_disk {
	struct sim_world *world;
	struct kr_list folders;
	struct kr_list late; /* struct sim_request: writes of killed processes */
	uint64_t capacity_bytes;
	uint64_t used_bytes;
	uint64_t seq;
	bool has_faults;
	enum sim_fate (*choose)(void *context, const char *name, uint64_t offset);
	void *choose_context;
	const struct sim_cut *cut;
};

/* An open file. */
struct sim_handle {
	struct kr_list link; /* of the node */
	struct sim_inode *inode;
	struct sim_folder *folder;
};

/* inode.c */
struct sim_inode *sim_inode_new(struct sim_disk *disk);
struct sim_inode *sim_inode_get(struct sim_inode *inode);
void sim_inode_put(struct sim_inode *inode);
/* 0 or ENOSPC. */
int sim_inode_resize(struct sim_inode *inode, uint64_t size_bytes);
void sim_inode_read(
	const struct sim_inode *inode, uint64_t offset, uint8_t *bytes, uint64_t size_bytes);
/* False when a sector of the range is broken. */
bool sim_inode_is_readable(const struct sim_inode *inode, uint64_t offset, uint64_t size_bytes);
/* The range lies within the size. */
void sim_inode_write(struct sim_inode *inode, uint64_t offset, const uint8_t *bytes,
	uint64_t size_bytes, bool is_durable);
/* Makes durable what was written up to `seq`. */
void sim_inode_sync(struct sim_inode *inode, uint64_t seq);
/* A failed sync: what it should have kept is dropped, and nothing remembers. */
void sim_inode_sync_drop(struct sim_inode *inode, uint64_t seq);
void sim_inode_flip(struct sim_inode *inode, uint64_t bit);
void sim_inode_break(struct sim_inode *inode, uint64_t offset);
void sim_inode_power_cut(struct sim_inode *inode, const char *name);

/* folder.c */
struct sim_folder *sim_folder_find(struct sim_disk *disk, const char *path);
struct sim_folder *sim_folder_make(struct sim_disk *disk, const char *path);
void sim_folder_free(struct sim_folder *folder);
struct sim_inode *sim_folder_inode(const struct sim_folder *folder, const char *name);
/* 0 or an errno. */
int sim_folder_link(struct sim_folder *folder, const char *name, struct sim_inode *inode);
int sim_folder_unlink(struct sim_folder *folder, const char *name);
int sim_folder_rename(struct sim_folder *folder, const char *from, const char *to);
void sim_folder_sync(struct sim_folder *folder, uint64_t seq);
void sim_folder_power_cut(struct sim_folder *folder);

/* request.c: late writes meet a power cut, or the end of the world */
void sim_disk_late_drop(struct sim_disk *disk, bool is_power_cut);

/* disk.c: the rates, while they apply to the disk */
bool sim_disk_fault(
	struct sim_disk *disk, struct sim_node *node, uint32_t per_million, enum sim_mark mark);
/* Writes with the faults of the media; 0 or an errno. Grows the file. */
int sim_disk_write(struct sim_disk *disk, struct sim_node *node, struct sim_inode *inode,
	uint64_t offset, const uint8_t *bytes, uint64_t size_bytes, bool is_durable);
int sim_disk_read(struct sim_disk *disk, struct sim_node *node, const struct sim_inode *inode,
	uint64_t offset, uint8_t *bytes, uint64_t size_bytes, uint64_t *ret_size_bytes);
int sim_disk_sync(
	struct sim_disk *disk, struct sim_node *node, struct sim_inode *inode, uint64_t seq);

#endif

#include "base/io/sim/disk_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define BYTES_PER_US 1000u /* of a write, beyond its fixed delay */
#define STUCK_US 10000000u
#define LATE_OF 4u /* one in so many writes of a killed process never starts */

enum op_kind {
	OP_READ = 1,
	OP_WRITE,
	OP_SYNC,
	OP_ALLOCATE,
	OP_RENAME,
	OP_UNLINK,
	OP_FOLDER_SYNC,
	OP_RELEASE,
};

/* An asynchronous operation as the kernel holds it. */
struct sim_request {
	struct kr_list link; /* of the node while the process lives, then of the disk */
	struct sim_world *world;
	struct sim_node *node; /* NULL: its process was killed */
	struct sim_disk *disk;
	struct io_loop *loop;
	struct io_op *op; /* NULL: the same */
	struct sim_folder *folder;
	struct sim_folder *locked; /* the folder whose lock it keeps */
	struct sim_inode *inode;
	struct sim_event event;
	struct sim_ready ready;
	uint8_t kind;
	uint64_t offset; /* as in the op, which goes with its process */
	uint64_t wanted_bytes;
	uint64_t seq;        /* a sync: of the disk when it was asked for */
	uint64_t sum;        /* a write: of the caller's bytes, which must stay as they are */
	uint8_t *bytes;      /* a write: a copy */
	uint32_t done_bytes; /* a write in two parts: carried out already */
	bool is_durable;     /* a write: on disk when it completes */
	int errno_number;
	char name[IO_NAME_LENGTH_MAX + 1];
	char to[IO_NAME_LENGTH_MAX + 1];
};

static uint64_t delay_us(struct sim_request *request, uint64_t size_bytes)
{
	kr_assert(request->disk != NULL);
	struct sim_world *world = request->world;
	const uint32_t *range = world->config.disk_delay_us;
	struct rng *rng = &world->rng_disk;
	uint64_t delay = rng_range(rng, range[0], range[1]);
	if (request->kind == OP_READ)
		delay /= 2;
	if (sim_disk_fault(
		    request->disk, request->node, world->config.faults.disk_spike, SIM_DISK_SPIKE))
		delay += rng_below(rng, (uint64_t)world->config.disk_spike_us + 1);
	if (delay > STUCK_US)
		sim_mark_add(world, request->node, SIM_DISK_STUCK);
	return delay + size_bytes / BYTES_PER_US;
}

static void request_free(struct sim_request *request)
{
	sim_event_remove(request->world, &request->event);
	kr_list_remove(&request->link);
	kr_list_remove(&request->ready.link);
	if (request->inode != NULL)
		sim_inode_put(request->inode);
	free(request->bytes);
	free(request);
}

static void request_deliver(struct sim_ready *ready)
{
	struct sim_request *request = kr_container_of(ready, struct sim_request, ready);
	struct io_op *op = request->op;
	struct io_loop *loop = request->loop;
	kr_assert(op->is_running);
	kr_assert(loop->open_count > 0);
	loop->open_count--;
	if (op->file != NULL)
		op->file->in_flight_count--;
	op->is_running = false;
	op->errno_number = request->errno_number;
	op->result = op->errno_number > 0 ? kr_error_from_errno(op->errno_number) : 0;
	op->backend = NULL;
	sim_trace_u64(request->world, loop->node->index, op->kind, (uint64_t)op->errno_number);
	if (op->kind == OP_WRITE) {
		/* Whoever writes must leave the bytes alone until the write is done. */
		kr_assert(hash_64(op->bytes, op->wanted_bytes) == request->sum);
	}
	request_free(request);
	op->on_done(op);
}

static int fault_number(struct sim_request *request, enum op_kind kind)
{
	kr_assert(request->loop != NULL);
	struct fault_set *faults = request->loop->config.faults;
	switch (kind) {
	case OP_READ:
		return fault_fires(faults, FAULT_FILE_READ) ? EIO : 0;
	case OP_WRITE:
		if (fault_fires(faults, FAULT_FILE_WRITE_FULL))
			return ENOSPC;
		return fault_fires(faults, FAULT_FILE_WRITE) ? EIO : 0;
	case OP_SYNC:
		return fault_fires(faults, FAULT_FILE_SYNC) ? EIO : 0;
	case OP_ALLOCATE:
		return fault_fires(faults, FAULT_FILE_ALLOCATE) ? ENOSPC : 0;
	case OP_RENAME:
		return fault_fires(faults, FAULT_FILE_RENAME) ? EIO : 0;
	case OP_UNLINK:
		return fault_fires(faults, FAULT_FILE_UNLINK) ? EIO : 0;
	case OP_FOLDER_SYNC:
		return fault_fires(faults, FAULT_DIRECTORY_SYNC) ? EIO : 0;
	case OP_RELEASE:
		return fault_fires(faults, FAULT_FILE_TRUNCATE) ? EIO : 0;
	}
	kr_unreachable();
}

static int write_finish(struct sim_request *request)
{
	kr_assert(request->done_bytes < request->wanted_bytes);
	uint32_t done = request->done_bytes;
	return sim_disk_write(request->disk, request->node, request->inode, request->offset + done,
		request->bytes + done, request->wanted_bytes - done, request->is_durable);
}

static int folder_sync_finish(struct sim_request *request)
{
	kr_assert(request->folder != NULL);
	uint32_t rate = request->world->config.faults.disk_sync_error;
	if (sim_disk_fault(request->disk, request->node, rate, SIM_DISK_SYNC_ERROR))
		return EIO;
	sim_folder_sync(request->folder, request->seq);
	return 0;
}

static int allocate_finish(struct sim_request *request)
{
	kr_assert(request->wanted_bytes > 0);
	uint64_t end = request->offset + request->wanted_bytes;
	uint32_t rate = request->world->config.faults.disk_full;
	if (sim_disk_fault(request->disk, request->node, rate, SIM_DISK_FULL))
		return ENOSPC;
	if (end <= request->inode->size_bytes)
		return 0;
	int number = sim_inode_resize(request->inode, end);
	if (number != 0)
		sim_mark_add(request->world, request->node, SIM_DISK_FULL);
	return number;
}

/* The holes are in the cache only: where the name that went comes back with a power cut, a file
 * with holes in it may come back. */
static int release_finish(struct sim_request *request)
{
	static const uint8_t zeroes[SIM_BLOCK_SIZE];
	struct sim_inode *inode = request->inode;
	uint64_t end = KR_MIN(request->offset + request->wanted_bytes, inode->size_bytes);
	kr_assert(request->wanted_bytes > 0);
	/* The file's and this request's; another is a name, durable or not, or who reads it. */
	if (inode->reference_count > 2)
		return 0;
	for (uint64_t at = request->offset; at < end; at += sizeof(zeroes))
		sim_inode_write(inode, at, zeroes, KR_MIN(end - at, sizeof(zeroes)), false);
	return 0;
}

static int read_finish(struct sim_request *request)
{
	kr_assert(request->op != NULL);
	struct io_op *op = request->op;
	return sim_disk_read(request->disk, request->node, request->inode, op->offset, op->bytes,
		op->wanted_bytes, &op->size_bytes);
}

static int carry_out(struct sim_request *request, enum op_kind kind)
{
	switch (kind) {
	case OP_READ:
		return read_finish(request);
	case OP_WRITE:
		return write_finish(request);
	case OP_SYNC:
		return sim_disk_sync(request->disk, request->node, request->inode, request->seq);
	case OP_ALLOCATE:
		return allocate_finish(request);
	case OP_RENAME:
		return sim_folder_rename(request->folder, request->name, request->to);
	case OP_UNLINK:
		return sim_folder_unlink(request->folder, request->name);
	case OP_FOLDER_SYNC:
		return folder_sync_finish(request);
	case OP_RELEASE:
		return release_finish(request);
	}
	kr_unreachable();
}

/* A write that the kernel carries out in two parts: the first now, the rest later. */
static bool write_splits(struct sim_request *request)
{
	kr_assert(request->kind == OP_WRITE);
	struct rng *rng = &request->world->rng_disk;
	uint64_t sectors = request->wanted_bytes / SIM_SECTOR_SIZE;
	if (request->done_bytes > 0 || sectors < 2)
		return false;
	if (!sim_disk_fault(request->disk, request->node, request->world->config.faults.disk_short,
		    SIM_DISK_SHORT))
		return false;
	uint32_t part = (uint32_t)rng_range(rng, 1, sectors - 1) * SIM_SECTOR_SIZE;
	uint64_t end = request->offset + part;
	if (end > request->inode->size_bytes && sim_inode_resize(request->inode, end) != 0)
		return false;
	sim_inode_write(request->inode, request->offset, request->bytes, part, request->is_durable);
	request->done_bytes = part;
	sim_event_add(request->world, &request->event,
		request->world->now_us + delay_us(request, request->wanted_bytes - part));
	return true;
}

static void land(struct sim_request *request, bool is_durable)
{
	struct sim_inode *inode = request->inode;
	uint64_t end = request->offset + request->wanted_bytes;
	kr_assert(request->kind == OP_WRITE);
	if (end > inode->size_bytes && sim_inode_resize(inode, end) != 0)
		return;
	sim_inode_write(inode, request->offset, request->bytes, request->wanted_bytes, is_durable);
}

static void late_end(struct sim_request *request)
{
	kr_assert(request->node == NULL);
	if (request->locked != NULL) {
		kr_assert(request->locked->late_count > 0);
		request->locked->late_count--;
	}
	request_free(request);
}

/* The process is gone: only its write is left to land, and then the lock is free. */
static void late_fire(struct sim_request *request)
{
	kr_assert(request->op == NULL);
	kr_assert(request->kind == OP_WRITE);
	sim_mark_add(request->world, NULL, SIM_LATE_WRITE);
	land(request, request->is_durable);
	late_end(request);
}

void sim_disk_late_drop(struct sim_disk *disk, bool is_power_cut)
{
	struct kr_list *link;
	while ((link = kr_list_pop_front(&disk->late)) != NULL) {
		struct sim_request *request = kr_container_of(link, struct sim_request, link);
		if (is_power_cut)
			land(request, false);
		late_end(request);
	}
}

static void request_fire(struct sim_event *event)
{
	struct sim_request *request = kr_container_of(event, struct sim_request, event);
	kr_assert(request->op == NULL || request->op->is_running);
	if (request->op == NULL) {
		late_fire(request);
		return;
	}
	enum op_kind kind = (enum op_kind)request->kind;
	struct io_stats *stats = &request->loop->stats;
	if (kind == OP_WRITE && write_splits(request))
		return;
	request->errno_number = fault_number(request, kind);
	if (request->errno_number == 0)
		request->errno_number = carry_out(request, kind);
	if (kind == OP_SYNC)
		request->inode->sync_count--;
	if (kind == OP_WRITE && request->errno_number == 0) {
		request->op->size_bytes = request->op->wanted_bytes;
		stats->file_write_bytes += request->op->size_bytes;
		sim_world_trace_add(request->world, request->bytes, request->op->size_bytes);
	}
	if (kind == OP_READ)
		stats->file_read_bytes += request->op->size_bytes;
	/* From here on it is done, whether or not its process lives to hear of it. */
	kr_list_remove(&request->link);
	kr_list_push_back(&request->node->requests, &request->link);
	sim_loop_ready(request->loop, &request->ready);
}

static struct sim_request *begin(
	struct io_loop *loop, struct io_op *op, struct io_file *file, enum op_kind kind)
{
	kr_assert(op->on_done != NULL);
	kr_assert(!op->is_running);
	op->loop = loop;
	op->file = file;
	op->kind = (uint8_t)kind;
	op->result = 0;
	op->errno_number = 0;
	op->size_bytes = 0;
	op->is_running = true;
	if (sim_loop_is_gone(loop))
		return NULL;
	struct sim_request *request = sim_alloc(sizeof(*request));
	request->world = loop->world;
	request->node = loop->node;
	request->loop = loop;
	request->op = op;
	request->kind = (uint8_t)kind;
	request->offset = op->offset;
	request->wanted_bytes = op->wanted_bytes;
	request->ready.deliver = request_deliver;
	kr_list_init(&request->ready.link);
	kr_list_init(&request->link);
	sim_event_init(&request->event, request_fire);
	kr_list_push_back(&loop->node->requests, &request->link);
	op->backend = request;
	loop->open_count++;
	if (file != NULL) {
		const struct sim_handle *handle = file->backend;
		file->in_flight_count++;
		request->folder = handle->folder;
		request->inode = sim_inode_get(handle->inode);
	}
	return request;
}

static void launch(struct sim_request *request, uint64_t size_bytes)
{
	kr_assert(request->folder != NULL);
	request->disk = request->folder->disk;
	request->seq = request->disk->seq;
	if (request->folder->lock_node == request->node)
		request->locked = request->folder;
	sim_event_add(request->world, &request->event,
		request->world->now_us + delay_us(request, size_bytes));
}

static void range_check(
	const struct io_file *file, const void *bytes, size_t size_bytes, uint64_t offset)
{
	kr_assert(size_bytes > 0 && size_bytes <= IO_OP_SIZE_MAX);
	kr_assert(offset <= INT64_MAX - IO_OP_SIZE_MAX);
	if (file->flags & IO_FILE_DIRECT) {
		kr_assert(((uintptr_t)bytes | size_bytes | offset) % IO_FILE_ALIGN == 0);
	}
}

void io_file_read(
	struct io_file *file, struct io_op *op, void *bytes, size_t size_bytes, uint64_t offset)
{
	kr_assert(file->flags & IO_FILE_READ);
	range_check(file, bytes, size_bytes, offset);
	op->bytes = bytes;
	op->offset = offset;
	op->wanted_bytes = size_bytes;
	struct sim_request *request = begin(file->loop, op, file, OP_READ);
	if (request != NULL)
		launch(request, size_bytes);
}

void io_file_write(struct io_file *file, struct io_op *op, const void *bytes, size_t size_bytes,
	uint64_t offset)
{
	kr_assert(file->flags & IO_FILE_WRITE);
	range_check(file, bytes, size_bytes, offset);
	op->bytes = (uint8_t *)(uintptr_t)bytes;
	op->offset = offset;
	op->wanted_bytes = size_bytes;
	struct sim_request *request = begin(file->loop, op, file, OP_WRITE);
	if (request == NULL)
		return;
	request->bytes = sim_alloc(size_bytes);
	memcpy(request->bytes, bytes, size_bytes);
	request->sum = hash_64(bytes, size_bytes);
	request->is_durable = (file->flags & IO_FILE_DSYNC) != 0;
	launch(request, size_bytes);
}

void io_file_sync(struct io_file *file, struct io_op *op)
{
	struct sim_request *request = begin(file->loop, op, file, OP_SYNC);
	if (request == NULL)
		return;
	request->inode->sync_count++;
	file->loop->stats.file_sync_count++;
	launch(request, 0);
}

void io_file_allocate(struct io_file *file, struct io_op *op, uint64_t offset, uint64_t size_bytes)
{
	kr_assert(file->flags & IO_FILE_WRITE);
	kr_assert(size_bytes > 0 && size_bytes <= INT64_MAX - offset);
	op->offset = offset;
	op->wanted_bytes = size_bytes;
	struct sim_request *request = begin(file->loop, op, file, OP_ALLOCATE);
	if (request != NULL)
		launch(request, 0);
}

void io_file_release(struct io_file *file, struct io_op *op, uint64_t offset, uint64_t size_bytes)
{
	kr_assert(file->flags & IO_FILE_WRITE);
	kr_assert(size_bytes > 0 && size_bytes <= INT64_MAX - offset);
	op->offset = offset;
	op->wanted_bytes = size_bytes;
	struct sim_request *request = begin(file->loop, op, file, OP_RELEASE);
	if (request != NULL)
		launch(request, 0);
}

static void name_copy(char to[static IO_NAME_LENGTH_MAX + 1], const char *name)
{
	size_t length = strlen(name);
	kr_assert(length > 0 && length <= IO_NAME_LENGTH_MAX);
	kr_assert(strchr(name, '/') == NULL);
	memcpy(to, name, length + 1);
}

void io_directory_rename(
	struct io_directory *directory, struct io_op *op, const char *from, const char *to)
{
	struct sim_request *request = begin(directory->loop, op, NULL, OP_RENAME);
	if (request == NULL)
		return;
	request->folder = directory->backend;
	name_copy(request->name, from);
	name_copy(request->to, to);
	launch(request, 0);
}

void io_directory_unlink(struct io_directory *directory, struct io_op *op, const char *name)
{
	struct sim_request *request = begin(directory->loop, op, NULL, OP_UNLINK);
	if (request == NULL)
		return;
	request->folder = directory->backend;
	name_copy(request->name, name);
	launch(request, 0);
}

void io_directory_sync(struct io_directory *directory, struct io_op *op)
{
	struct sim_request *request = begin(directory->loop, op, NULL, OP_FOLDER_SYNC);
	if (request == NULL)
		return;
	request->folder = directory->backend;
	directory->loop->stats.file_sync_count++;
	launch(request, 0);
}

static void orphan(struct sim_request *request)
{
	kr_assert(request->kind == OP_WRITE);
	kr_assert(sim_event_is_queued(&request->event));
	request->op = NULL;
	request->node = NULL;
	request->loop = NULL;
	kr_list_push_back(&request->disk->late, &request->link);
	if (request->locked != NULL)
		request->locked->late_count++;
}

/* What was on its way comes about; a power cut then decides, sector by sector, what is left. */
static void cut_short(struct sim_request *request)
{
	kr_assert(request->op != NULL);
	if (request->kind == OP_WRITE)
		land(request, false);
	else if (request->kind == OP_RENAME)
		(void)sim_folder_rename(request->folder, request->name, request->to);
	else if (request->kind == OP_UNLINK)
		(void)sim_folder_unlink(request->folder, request->name);
}

static void request_crash(struct sim_request *request, enum sim_crash how)
{
	kr_assert(request->op != NULL);
	kr_assert(how != SIM_CRASH_NONE);
	bool is_pending = sim_event_is_queued(&request->event);
	uint64_t draw = rng_below(&request->world->rng_disk, LATE_OF);
	if (is_pending && request->kind == OP_SYNC)
		request->inode->sync_count--;
	if (is_pending && how == SIM_KILL && request->kind == OP_WRITE && draw > 0) {
		orphan(request);
		return;
	}
	if (is_pending && (how == SIM_POWER || draw > 0))
		cut_short(request);
	request->op = NULL;
	request_free(request);
}

static void handles_crash(struct sim_node *node)
{
	struct kr_list *link;
	while ((link = kr_list_pop_front(&node->handles)) != NULL) {
		struct sim_handle *handle = kr_container_of(link, struct sim_handle, link);
		if (handle->folder->lock_node == node)
			handle->folder->lock_node = NULL;
		sim_inode_put(handle->inode);
		free(handle);
	}
}

void sim_node_requests_crash(struct sim_node *node, enum sim_crash how)
{
	kr_assert(how == SIM_KILL || how == SIM_POWER);
	struct kr_list *link;
	while ((link = kr_list_pop_front(&node->requests)) != NULL)
		request_crash(kr_container_of(link, struct sim_request, link), how);
	handles_crash(node);
	if (node->disk == NULL)
		return;
	kr_list_foreach(folder_link, &node->disk->folders)
	{
		struct sim_folder *folder = kr_container_of(folder_link, struct sim_folder, link);
		if (folder->lock_node == node)
			folder->lock_node = NULL;
	}
}

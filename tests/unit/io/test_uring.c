#include <criterion/criterion.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/io/io.h"
#include "base/io/io_file.h"
#include "base/io/io_memory.h"
#include "base/io/io_stream.h"

#define PEER_COUNT 1000u
#define MESSAGE_SIZE 64u

static struct io_loop *loop_new(const struct io_config *config)
{
	struct io_loop *loop;
	struct kr_error_text text;
	int r = io_loop_new(config, &loop, &text);
	cr_assert_eq(r, 0, "%s", text.bytes);
	return loop;
}

struct peer {
	struct io_stream stream;
	uint64_t received_bytes;
	uint64_t next;
	uint32_t sent_count;
	uint8_t out[MESSAGE_SIZE];
	bool is_open;
	bool has_ended;
	bool is_closed;
};

static struct peer servers[PEER_COUNT], clients[PEER_COUNT];
static uint32_t accepted_count, open_count, closed_count;
static bool listener_is_closed;

static void on_open(struct io_stream *stream, int result)
{
	struct peer *peer = stream->context;
	cr_assert_eq(result, 0);
	peer->is_open = true;
	open_count++;
}

/* Every eight bytes are a number, one up. */
static void on_data(struct io_stream *stream, const uint8_t *bytes, size_t size_bytes)
{
	struct peer *peer = stream->context;
	for (size_t i = 0; i < size_bytes; i++, peer->received_bytes++) {
		uint64_t expected = peer->received_bytes / 8;
		cr_assert_eq(bytes[i], (uint8_t)(expected >> peer->received_bytes % 8 * 8));
	}
}

static void on_end(struct io_stream *stream, int result)
{
	struct peer *peer = stream->context;
	peer->has_ended = true;
}

static void on_sent(struct io_stream *stream, int result)
{
	struct peer *peer = stream->context;
	cr_assert_eq(result, 0);
	peer->sent_count++;
}

static void on_closed(struct io_stream *stream)
{
	struct peer *peer = stream->context;
	peer->is_closed = true;
	closed_count++;
}

static const struct io_stream_handler handler = {
	.on_open = on_open,
	.on_data = on_data,
	.on_end = on_end,
	.on_sent = on_sent,
	.on_closed = on_closed,
};

static struct io_stream *on_accept(struct io_listener *listener)
{
	struct peer *peer = &servers[accepted_count++];
	io_stream_init(&peer->stream, &handler, peer);
	return &peer->stream;
}

static void on_listener_closed(struct io_listener *listener)
{
	listener_is_closed = true;
}

static void send_next(struct peer *peer)
{
	for (uint32_t i = 0; i < MESSAGE_SIZE; i += 8)
		kr_store_u64(peer->out + i, peer->next++);
	struct iovec part = {.iov_base = peer->out, .iov_len = MESSAGE_SIZE};
	io_stream_send(&peer->stream, &part, 1);
}

static void tick(struct io_loop *loop)
{
	cr_assert_eq(io_loop_tick(loop, 1000), 0);
}

static void many_peers(struct io_loop *loop, uint32_t count, uint32_t message_count)
{
	struct io_listener listener;
	struct io_address address;
	struct kr_error_text text;
	cr_assert_eq(io_address_parse("127.0.0.1:0", 11, &address), 0);
	io_listener_init(&listener, on_accept, on_listener_closed, NULL);
	cr_assert_eq(io_listener_start(loop, &listener, &address, &text), 0);
	for (uint32_t i = 0; i < count; i++) {
		io_stream_init(&clients[i].stream, &handler, &clients[i]);
		cr_assert_eq(
			io_stream_connect(loop, &clients[i].stream, io_listener_address(&listener)),
			0);
	}
	while (open_count < count || accepted_count < count)
		tick(loop);
	for (uint32_t round = 0; round < message_count; round++) {
		for (uint32_t i = 0; i < count; i++) {
			while (io_stream_is_sending(&clients[i].stream))
				tick(loop);
			send_next(&clients[i]);
		}
	}
	/* Which server a client got is the kernel's choice: all got the same bytes. */
	for (uint32_t i = 0; i < count; i++) {
		while (servers[i].received_bytes < (uint64_t)message_count * MESSAGE_SIZE)
			tick(loop);
	}
	for (uint32_t i = 0; i < count; i++) {
		io_stream_close(&clients[i].stream);
		io_stream_close(&servers[i].stream);
	}
	io_listener_close(&listener);
	while (closed_count < 2 * count || !listener_is_closed)
		tick(loop);
}

Test(uring, a_thousand_connections_on_a_small_ring_lose_nothing)
{
	struct io_config config;
	io_config_default(&config);
	config.submission_count = 8;
	config.buffer_count = 16;
	struct io_loop *loop = loop_new(&config);
	many_peers(loop, PEER_COUNT, 20);
	const struct io_stats *stats = io_loop_stats(loop);
	cr_assert_eq(stats->accept_count, PEER_COUNT);
	cr_assert_eq(stats->connect_count, PEER_COUNT);
	cr_assert_eq(stats->close_count, 2 * PEER_COUNT);
	cr_assert_eq(stats->send_bytes, UINT64_C(20) * PEER_COUNT * MESSAGE_SIZE);
	cr_assert_eq(stats->receive_bytes, stats->send_bytes);
	cr_assert(stats->submission_full_count > 0);
	cr_assert(stats->overflow_count > 0, "the completion queue was to overflow");
	cr_assert(stats->buffer_starved_count > 0);
	cr_assert_null(io_loop_free(loop));
}

Test(uring, spinning_finds_completions_and_gives_up_where_there_are_none)
{
	struct io_config config;
	io_config_default(&config);
	config.spin_us = 200;
	struct io_loop *loop = loop_new(&config);
	many_peers(loop, 2, 200);
	uint64_t waits = io_loop_stats(loop)->wait_count;
	for (uint32_t i = 0; i < 20; i++)
		cr_assert_eq(io_loop_tick(loop, 2000), 0);
	cr_assert(io_loop_stats(loop)->wait_count >= waits + 19, "it sleeps in the end");
	cr_assert_null(io_loop_free(loop));
}

Test(uring, a_crowd_is_slept_for_and_one_peer_is_spun_for)
{
	struct io_config config;
	io_config_default(&config);
	config.spin_us = 200;
	struct io_loop *loop = loop_new(&config);
	const struct io_stats *stats = io_loop_stats(loop);
	many_peers(loop, 200, 20);
	uint64_t spins = stats->spin_count;
	cr_assert(stats->completion_count > 3 * stats->tick_count, "it is a crowd");
	cr_assert_eq(io_loop_tick(loop, 2000), 0);
	cr_assert_eq(stats->spin_count, spins);
	for (uint32_t i = 0; i < 100; i++)
		cr_assert_eq(io_loop_tick(loop, 500), 0);
	cr_assert(stats->spin_count > spins, "the crowd is forgotten");
	cr_assert_null(io_loop_free(loop));
}

Test(uring, sleeping_ends_at_the_timeout)
{
	struct io_config config;
	io_config_default(&config);
	struct io_loop *loop = loop_new(&config);
	uint64_t start_us = io_clock_boot_us(loop);
	cr_assert_eq(io_loop_tick(loop, 30000), 0);
	cr_assert(io_clock_boot_us(loop) - start_us >= 30000);
	start_us = io_clock_boot_us(loop);
	cr_assert_eq(io_loop_tick(loop, 0), 0);
	cr_assert(io_clock_boot_us(loop) - start_us < 30000);
	cr_assert_null(io_loop_free(loop));
}

Test(uring, an_offline_loop_needs_no_ring)
{
	struct io_config config;
	struct io_directory directory;
	struct io_file file;
	struct kr_error_text text;
	char path[] = "/var/tmp/keyrack-uring-XXXXXX";
	uint8_t bytes[4] = {0};
	size_t size;
	cr_assert_not_null(mkdtemp(path));
	io_config_default(&config);
	config.is_offline = true;
	struct io_loop *loop = loop_new(&config);
	cr_assert(io_clock_boot_us(loop) > 0);
	cr_assert_eq(io_directory_open(loop, &directory, path, 0, &text), 0);
	cr_assert_eq(io_directory_lock(&directory, &text), 0);
	unsigned flags = IO_FILE_READ | IO_FILE_WRITE | IO_FILE_CREATE;
	cr_assert_eq(io_file_open(&directory, &file, "note", flags), 0);
	cr_assert_eq(io_file_write_now(&file, "abc", 3, 0), 0);
	cr_assert_eq(io_file_read_now(&file, bytes, 4, 0, &size), 0);
	cr_assert_eq(size, 3);
	cr_assert_str_eq((char *)bytes, "abc");
	io_file_close(&file);
	cr_assert_eq(io_directory_unlink_now(&directory, "note"), 0);
	cr_assert_eq(io_directory_unlink_now(&directory, IO_DIRECTORY_LOCK_NAME), 0);
	io_directory_close(&directory);
	cr_assert_null(io_loop_free(loop));
	cr_assert_eq(rmdir(path), 0);
}

/* Takes the lock, says so, and goes on until it is killed. */
static void lock_and_stay(const char *path, int told)
{
	struct io_config config;
	struct io_directory directory;
	struct kr_error_text text;
	io_config_default(&config);
	struct io_loop *loop = loop_new(&config);
	if (io_directory_open(loop, &directory, path, 0, &text) < 0)
		_exit(1);
	if (io_directory_lock(&directory, &text) != 0)
		_exit(2);
	ssize_t r = write(told, "x", 1);
	(void)r;
	while (io_loop_tick(loop, 10000) == 0)
		continue;
	_exit(3);
}

Test(uring, a_killed_process_gives_its_lock_back)
{
	struct io_config config;
	struct io_directory directory;
	struct kr_error_text text;
	char path[] = "/var/tmp/keyrack-uring-XXXXXX", byte;
	char pid_text[32];
	int told[2], status, r;
	cr_assert_not_null(mkdtemp(path));
	cr_assert_eq(pipe(told), 0);
	pid_t pid = fork();
	if (pid == 0)
		lock_and_stay(path, told[1]);
	cr_assert_eq(read(told[0], &byte, 1), 1);

	io_config_default(&config);
	struct io_loop *loop = loop_new(&config);
	cr_assert_eq(io_directory_open(loop, &directory, path, 0, &text), 0);
	cr_assert_eq(io_directory_lock(&directory, &text), IO_DIRECTORY_LOCKED);
	snprintf(pid_text, sizeof(pid_text), "process %d", (int)pid);
	cr_assert_not_null(strstr(text.bytes, pid_text), "%s", text.bytes);

	cr_assert_eq(kill(pid, SIGKILL), 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	for (uint32_t i = 0; i < 3000; i++) {
		r = io_directory_lock(&directory, &text);
		if (r == 0)
			break;
		cr_assert_eq(r, IO_DIRECTORY_LOCKED);
		cr_assert_eq(io_loop_tick(loop, 10000), 0);
	}
	cr_assert_eq(r, 0);
	cr_assert_eq(io_directory_unlink_now(&directory, IO_DIRECTORY_LOCK_NAME), 0);
	io_directory_close(&directory);
	cr_assert_null(io_loop_free(loop));
	cr_assert_eq(rmdir(path), 0);
}

Test(uring, a_directory_in_memory_is_known_as_such)
{
	struct io_config config;
	struct io_directory directory;
	struct kr_error_text text;
	if (access("/dev/shm", W_OK) != 0)
		cr_skip_test("no tmpfs at /dev/shm");
	io_config_default(&config);
	config.is_offline = true;
	struct io_loop *loop = loop_new(&config);
	cr_assert_eq(io_directory_open(loop, &directory, "/dev/shm", 0, &text), 0);
	cr_assert(directory.is_tmpfs);
	io_directory_close(&directory);
	cr_assert_null(io_loop_free(loop));
}

Test(uring, a_unix_path_of_a_dead_process_is_taken_over)
{
	struct io_config config;
	struct io_listener listener;
	struct io_address address = {.kind = IO_ADDRESS_UNIX};
	struct kr_error_text text;
	char path[] = "/var/tmp/keyrack-uring-XXXXXX";
	cr_assert_not_null(mkdtemp(path));
	snprintf(address.path, sizeof(address.path), "%s/socket", path);
	io_config_default(&config);
	pid_t pid = fork();
	if (pid == 0) {
		struct io_loop *loop = loop_new(&config);
		io_listener_init(&listener, on_accept, on_listener_closed, NULL);
		/* Ends without closing: the path stays behind. */
		_exit(io_listener_start(loop, &listener, &address, &text) == 0 ? 0 : 1);
	}
	int status;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
	cr_assert_eq(access(address.path, F_OK), 0);
	struct io_loop *loop = loop_new(&config);
	io_listener_init(&listener, on_accept, on_listener_closed, NULL);
	cr_assert_eq(io_listener_start(loop, &listener, &address, &text), 0);
	io_listener_close(&listener);
	while (!listener_is_closed)
		tick(loop);
	cr_assert_eq(access(address.path, F_OK), -1);
	cr_assert_null(io_loop_free(loop));
	cr_assert_eq(rmdir(path), 0);
}

static void on_populated(struct io_op *op)
{
	*(bool *)op->context = true;
}

static int populate(struct io_loop *loop, void *base, size_t size_bytes)
{
	bool is_done = false;
	struct io_op op;
	io_op_init(&op, on_populated, &is_done);
	cr_assert(io_memory_populate(loop, &op, base, size_bytes));
	cr_assert(op.is_running);
	while (!is_done)
		cr_assert_eq(io_loop_tick(loop, IO_WAIT_FOREVER), 0);
	cr_assert_not(op.is_running);
	return op.result;
}

Test(uring, populated_memory_is_there_and_keeps_what_was_in_it)
{
	struct io_config config;
	unsigned char resident[16];
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), size = page * sizeof(resident);
	io_config_default(&config);
	struct io_loop *loop = loop_new(&config);
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(memory, MAP_FAILED);
	cr_assert_eq(madvise(memory, size, MADV_NOHUGEPAGE), 0);
	memory[page * 3] = 'x';
	cr_assert_eq(populate(loop, memory, size), 0);
	cr_assert_eq(mincore(memory, size, resident), 0);
	for (size_t i = 0; i < sizeof(resident); i++)
		cr_assert_eq(resident[i] & 1, 1, "page %zu", i);
	cr_assert_eq(memory[page * 3], 'x');
	cr_assert_eq(memory[page * 4], 0);
	munmap(memory, size);
	cr_assert_lt(populate(loop, memory, size), 0, "no memory is an error and nothing more");
	io_loop_free(loop);
}

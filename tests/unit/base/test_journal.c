#include <criterion/criterion.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/journal.h"
#include "base/journal_entry.h"
#include "base/service.h"
#include "base/uuid.h"

static char path[108];

/* ---- entries ---- */

Test(journal, has_a_kind_of_event_once)
{
	for (int i = 0; i < KR_EVENT_COUNT; i++) {
		const char *id = kr_event_id((enum kr_event)i);
		cr_assert_eq(strspn(id, "0123456789abcdef"), KR_EVENT_ID_LENGTH);
		cr_assert_eq(id[KR_EVENT_ID_LENGTH], 0);
		cr_assert_eq(id[12], '4', "%s is no random id", id);
		for (int k = 0; k < i; k++) {
			cr_assert_str_neq(id, kr_event_id((enum kr_event)k));
			cr_assert_str_neq(
				kr_event_name((enum kr_event)i), kr_event_name((enum kr_event)k));
		}
	}
	cr_assert_eq(kr_event_priority(KR_EVENT_REFUSED), 3);
	cr_assert_eq(kr_event_priority(KR_EVENT_READY), 6);
}

Test(journal, writes_a_value_with_newlines_by_its_size)
{
	static struct journal_entry entry;
	journal_entry_init(&entry);
	journal_entry_put(&entry, "MESSAGE", "one");
	journal_entry_put(&entry, "A_1", "");
	journal_entry_put(&entry, "LINES", "a\n\nB=c\n");
	journal_entry_format(&entry, "N", "%u", 7);
	static const char expected[] =
		"MESSAGE=one\nA_1=\nLINES\n\x07\0\0\0\0\0\0\0a\n\nB=c\n\nN=7\n";
	cr_assert_eq(entry.length, sizeof(expected) - 1);
	cr_assert_arr_eq(entry.bytes, expected, sizeof(expected) - 1);
	cr_assert_not(entry.is_cut);
}

Test(journal, cuts_what_is_too_long_and_stays_whole)
{
	static struct journal_entry entry;
	static char value[3 * JOURNAL_ENTRY_SIZE];
	for (size_t first = 0; first < JOURNAL_ENTRY_SIZE; first += 97) {
		/* with and without a newline, up to the last byte of the room */
		memset(value, 'x', sizeof(value) - 1);
		value[first] = '\n';
		journal_entry_init(&entry);
		journal_entry_put(&entry, "ONE", value);
		cr_assert(entry.is_cut);
		cr_assert_leq(entry.length, JOURNAL_VALUE_SIZE_MAX + 13);
		value[first] = 0;
		journal_entry_put(&entry, "TWO", value);
		value[first] = 'x';
		journal_entry_put(&entry, "THREE", value);
		journal_entry_put(&entry, "FOUR", value);
		cr_assert_leq(entry.length, sizeof(entry.bytes));
		cr_assert_eq(entry.bytes[entry.length - 1], '\n');
	}
	journal_entry_init(&entry);
	journal_entry_put(&entry, "ONE", "\n");
	cr_assert_not(entry.is_cut);
	cr_assert_eq(kr_load_u64(entry.bytes + 4), 1);
}

/* ---- on their way ---- */

/* A journal's socket, or with `is_deaf` a path at which nobody listens. */
static int journal_listen(bool is_deaf)
{
	struct sockaddr_un address;
	socklen_t size_bytes;
	(void)snprintf(path, sizeof(path), "/tmp/keyrack-journal-%ld", (long)getpid());
	unlink(path);
	setenv(JOURNAL_SOCKET_VARIABLE, path, 1);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	cr_assert_eq(service_address(path, &address, &size_bytes), 0);
	cr_assert(is_deaf || bind(fd, (struct sockaddr *)&address, size_bytes) == 0);
	return fd;
}

/* Standard error is one end of a stream, as a unit's is; gives the other one. */
static int stream_begin(bool is_the_journals)
{
	int ends[2];
	char text[64];
	struct stat at;
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	cr_assert_eq(dup2(ends[0], STDERR_FILENO), STDERR_FILENO);
	close(ends[0]);
	cr_assert_eq(fstat(STDERR_FILENO, &at), 0);
	(void)snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)at.st_dev,
		(unsigned long long)at.st_ino + !is_the_journals);
	setenv("JOURNAL_STREAM", text, 1);
	return ends[1];
}

static size_t get(int fd, char *bytes, size_t size_bytes)
{
	ssize_t length = recv(fd, bytes, size_bytes - 1, MSG_DONTWAIT);
	length = KR_MAX(length, (ssize_t)0);
	bytes[length] = 0;
	return (size_t)length;
}

Test(journal, says_what_an_event_is_about)
{
	static struct journal journal;
	static char bytes[2 * JOURNAL_ENTRY_SIZE];
	int fd = journal_listen(false);
	int stream = stream_begin(true);
	journal_open(&journal, "keyrack-test");
	cr_assert(journal.is_on);
	journal.cluster = 7;
	journal.directory = "/d";
	journal_tell(&journal, &(struct kr_note){.event = KR_EVENT_LINK_DOWN,
				       .sentence = "it\nfell",
				       .code = "GONE",
				       .has_shard = true,
				       .shard = 3,
				       .lsn = 12});
	static const char expected[] =
		"MESSAGE_ID=e797837f99744f329109bb24070f143f\nPRIORITY=4\n"
		"SYSLOG_IDENTIFIER=keyrack-test\nKEYRACK_EVENT=LINK_DOWN\nKEYRACK_CLUSTER=7\n"
		"KEYRACK_SHARD=3\nKEYRACK_LSN=12\nKEYRACK_CODE=GONE\n"
		"MESSAGE\n\7\0\0\0\0\0\0\0it\nfell\nKEYRACK_DIRECTORY=/d\n";
	cr_assert_eq(get(fd, bytes, sizeof(bytes)), sizeof(expected) - 1);
	cr_assert_arr_eq(bytes, expected, sizeof(expected) - 1);
	journal_say(&journal, KR_EVENT_STOPPED, "stopped");
	cr_assert_gt(get(fd, bytes, sizeof(bytes)), 0);
	cr_assert_null(strstr(bytes, "KEYRACK_SHARD"));
	cr_assert_eq(get(stream, bytes, sizeof(bytes)), 0, "nothing is said twice");
	journal_close(&journal);
	journal_close(&journal);
	unlink(path);
}

Test(journal, leaves_a_standard_error_alone_that_leads_elsewhere)
{
	static struct journal journal;
	char bytes[128];
	int fd = journal_listen(false);
	int stream = stream_begin(false);
	for (int i = 0; i < 2; i++) {
		journal_open(&journal, "keyrack-test");
		cr_assert_not(journal.is_on);
		journal_say(&journal, KR_EVENT_READY, "up");
		cr_assert_gt(get(stream, bytes, sizeof(bytes)), 0);
		cr_assert_str_eq(bytes, "keyrack-test: up\n");
		cr_assert_eq(get(fd, bytes, sizeof(bytes)), 0);
		unsetenv("JOURNAL_STREAM");
	}
	journal_close(&journal);
	unlink(path);
}

Test(journal, says_a_line_where_the_journal_is_gone)
{
	static struct journal journal;
	char bytes[128];
	int deaf = journal_listen(true);
	int stream = stream_begin(true);
	journal_open(&journal, "keyrack-test");
	journal_say(&journal, KR_EVENT_READY, "up");
	cr_assert_gt(get(stream, bytes, sizeof(bytes)), 0);
	cr_assert_str_eq(bytes, "keyrack-test: up\n");
	/* A path that is none does no harm either. */
	setenv(JOURNAL_SOCKET_VARIABLE, "relative", 1);
	journal_say(&journal, KR_EVENT_READY, "up");
	cr_assert_gt(get(stream, bytes, sizeof(bytes)), 0);
	journal_close(&journal);
	close(deaf);
}

/* Long after the journal's owner would have closed it without waiting. */
static void *read_later(void *argument)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	const int *fd = argument;
	char bytes[JOURNAL_ENTRY_SIZE];
	(void)nanosleep(&pause, NULL);
	cr_assert_gt(get(*fd, bytes, sizeof(bytes)), 0);
	return NULL;
}

Test(journal, closes_when_its_last_words_are_read_or_nobody_reads)
{
	static struct journal journal;
	char bytes[JOURNAL_ENTRY_SIZE];
	pthread_t reader;
	int fd = journal_listen(false);
	(void)stream_begin(true);
	for (int is_read = 0; is_read < 2; is_read++) {
		journal_open(&journal, "keyrack-test");
		journal_say(&journal, KR_EVENT_STOPPED, "stopped");
		if (is_read)
			cr_assert_eq(pthread_create(&reader, NULL, read_later, &fd), 0);
		journal_close(&journal);
		cr_assert_eq(get(fd, bytes, sizeof(bytes)) == 0, is_read);
		if (is_read)
			cr_assert_eq(pthread_join(reader, NULL), 0);
	}
	unlink(path);
}

Test(journal, never_waits_and_counts_what_is_lost)
{
	static struct journal journal;
	static char bytes[2 * JOURNAL_ENTRY_SIZE];
	const uint32_t said_count = 5000;
	uint32_t entry_count = 0, line_count = 0, lost_count = 0;
	int fd = journal_listen(false);
	int stream = stream_begin(true);
	const char *lost;
	journal_open(&journal, "keyrack-test");
	for (uint32_t i = 0; i < said_count; i++)
		journal_say(&journal, KR_EVENT_READY, "nobody reads this");
	lost_count = journal.lost_count;
	while (get(fd, bytes, sizeof(bytes)) > 0)
		entry_count++;
	for (size_t length = 1; length > 0;) {
		length = get(stream, bytes, sizeof(bytes));
		for (size_t i = 0; i < length; i++)
			line_count += bytes[i] == '\n';
	}
	cr_assert_gt(entry_count, 0);
	cr_assert_gt(line_count, 0);
	cr_assert_gt(lost_count, 0);
	cr_assert_eq(entry_count + line_count + lost_count, said_count);
	journal_say(&journal, KR_EVENT_READY, "heard");
	cr_assert_gt(get(fd, bytes, sizeof(bytes)), 0);
	lost = strstr(bytes, "KEYRACK_LOST=");
	cr_assert_not_null(lost);
	cr_assert_eq(strtoul(lost + strlen("KEYRACK_LOST="), NULL, 10), lost_count);
	journal_say(&journal, KR_EVENT_READY, "heard");
	cr_assert_gt(get(fd, bytes, sizeof(bytes)), 0);
	cr_assert_null(strstr(bytes, "KEYRACK_LOST="), "told once");
	journal_close(&journal);
	unlink(path);
}

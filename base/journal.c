#include "base/journal.h"

#include <errno.h>
#include <stdio.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/journal_entry.h"
#include "base/service.h"
#include "base/text.h"

#define STREAM_TEXT_SIZE 64u
#define LOOK_MS 5

/* The variable is inherited by processes whose standard error leads elsewhere. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char bytes[STREAM_TEXT_SIZE];
	struct kr_text text;
	struct stat at;
	if (stream == NULL || fstat(STDERR_FILENO, &at) < 0)
		return false;
	kr_text_init(&text, bytes, sizeof(bytes));
	kr_text_put_u64(&text, at.st_dev);
	kr_text_put(&text, ":", 1);
	kr_text_put_u64(&text, at.st_ino);
	kr_assert(!text.is_cut);
	return strcmp(stream, bytes) == 0;
}

void journal_open(struct journal *journal, const char *program)
{
	kr_assert(program != NULL);
	*journal = (struct journal){.program = program, .fd = -1};
	if (!stderr_is_journal())
		return;
	journal->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	journal->is_on = journal->fd >= 0;
}

/* A datagram counts as its sender's until somebody has read it. */
static bool is_read(const struct journal *journal)
{
	int left_bytes = 0;
	return ioctl(journal->fd, SIOCOUTQ, &left_bytes) < 0 || left_bytes == 0;
}

static void nap_ms(long ms)
{
	const struct timespec pause = {.tv_nsec = ms * 1000000};
	kr_assert(ms > 0 && ms < 1000);
	(void)nanosleep(&pause, NULL);
}

void journal_close(struct journal *journal)
{
	kr_assert(journal->is_on == (journal->fd >= 0));
	if (journal->is_on) {
		for (unsigned ms = 0; ms < JOURNAL_READ_WAIT_MAX_MS && !is_read(journal); ms++)
			nap_ms(1);
		/* It looks in /proc after it has read. */
		nap_ms(LOOK_MS);
		close(journal->fd);
	}
	journal->is_on = false;
	journal->fd = -1;
}

static void entry_fill(
	struct journal_entry *entry, const struct journal *journal, const struct kr_note *note)
{
	journal_entry_init(entry);
	journal_entry_put(entry, "MESSAGE_ID", kr_event_id(note->event));
	journal_entry_format(entry, "PRIORITY", "%d", (int)kr_event_priority(note->event));
	journal_entry_put(entry, "SYSLOG_IDENTIFIER", journal->program);
	journal_entry_put(entry, "KEYRACK_EVENT", kr_event_name(note->event));
	if (journal->cluster != 0)
		journal_entry_format(
			entry, "KEYRACK_CLUSTER", "%llu", (unsigned long long)journal->cluster);
	kr_assert(!journal->has_shard || !note->has_shard);
	if (journal->has_shard || note->has_shard)
		journal_entry_format(entry, "KEYRACK_SHARD", "%u",
			note->has_shard ? note->shard : journal->shard);
	if (note->lsn != 0)
		journal_entry_format(entry, "KEYRACK_LSN", "%llu", (unsigned long long)note->lsn);
	if (note->code != NULL)
		journal_entry_put(entry, "KEYRACK_CODE", note->code);
	if (journal->lost_count > 0)
		journal_entry_format(entry, "KEYRACK_LOST", "%u", journal->lost_count);
	/* The longest last, so that what is short has its place. */
	journal_entry_put(entry, "MESSAGE", note->sentence);
	if (journal->directory != NULL)
		journal_entry_put(entry, "KEYRACK_DIRECTORY", journal->directory);
}

/* The address each time anew: the journal may have been started again since. */
static bool entry_send(const struct journal *journal, const struct journal_entry *entry)
{
	const char *path = getenv(JOURNAL_SOCKET_VARIABLE);
	struct sockaddr_un address;
	socklen_t size_bytes;
	if (service_address(path != NULL ? path : JOURNAL_SOCKET, &address, &size_bytes) < 0)
		return false;
	kr_assert(journal->fd >= 0 && entry->length > 0);
	return sendto(journal->fd, entry->bytes, entry->length, MSG_DONTWAIT | MSG_NOSIGNAL,
		       (const struct sockaddr *)&address, size_bytes) == (ssize_t)entry->length;
}

/* Standard error is a socket of the journal's, whose reader may have stopped. */
static bool line_send(const struct journal *journal, const struct kr_note *note)
{
	char bytes[JOURNAL_ENTRY_SIZE];
	struct kr_text line;
	kr_text_init(&line, bytes, sizeof(bytes));
	kr_text_format(&line, "%s: %s", journal->program, note->sentence);
	kr_assert(line.length < sizeof(bytes));
	bytes[line.length++] = '\n';
	ssize_t sent = send(STDERR_FILENO, bytes, line.length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0 && errno == ENOTSOCK)
		sent = write(STDERR_FILENO, bytes, line.length);
	return sent == (ssize_t)line.length;
}

void journal_tell(struct journal *journal, const struct kr_note *note)
{
	struct journal_entry entry;
	kr_assert(note->sentence != NULL && (unsigned)note->event < KR_EVENT_COUNT);
	if (!journal->is_on) {
		fprintf(stderr, "%s: %s\n", journal->program, note->sentence);
		return;
	}
	entry_fill(&entry, journal, note);
	if (entry_send(journal, &entry))
		journal->lost_count = 0;
	else if (!line_send(journal, note))
		journal->lost_count++;
}

void journal_say(struct journal *journal, enum kr_event event, const char *sentence)
{
	const struct kr_note note = {.event = event, .sentence = sentence};
	kr_assert(sentence != NULL);
	journal_tell(journal, &note);
}

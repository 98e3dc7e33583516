/*
 * How a server tells its operator: entries of the system's journal where standard error leads
 * there, else lines on standard error, `program: sentence`.
 *
 * Standard error leads to the journal when $JOURNAL_STREAM names its device and inode, as
 * systemd.exec(5) says. An entry is one datagram; nothing here ever waits for the journal. What it
 * does not take goes to standard error as a line, which the journal reads as well; what that does
 * not take either is lost, and the next entry says how many were, in KEYRACK_LOST.
 *
 * The journal learns from /proc of which unit an entry's process is, when it reads the entry: of a
 * process that has ended by then `journalctl -u` would not show its last words. So journal_close()
 * waits until the entry is read, JOURNAL_READ_WAIT_MAX_MS at most.
 *
 * For the main() of a program: prints. One thread.
 */
#ifndef BASE_JOURNAL_H
#define BASE_JOURNAL_H

#include "base/event.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define JOURNAL_SOCKET_VARIABLE "KEYRACK_JOURNAL_SOCKET" /* another path, or @name */

#define JOURNAL_READ_WAIT_MAX_MS 1000u

/* Zeroed, with `program`, it prints lines. */
struct journal {
	const char *program;
	bool is_on;
	int fd;
	/* Of every entry: set when they are known. */
	uint64_t cluster;      /* 0: not yet */
	const char *directory; /* NULL: none */
	bool has_shard;
	uint32_t shard;
	uint32_t lost_count;
};

/* Looks where standard error leads. */
void journal_open(struct journal *journal, const char *program);
void journal_close(struct journal *journal);

void journal_tell(struct journal *journal, const struct kr_note *note);
/* A sentence and nothing else about it. */
void journal_say(struct journal *journal, enum kr_event event, const char *sentence);

#endif

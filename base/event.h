/*
 * What a process tells its operator: a sentence, and for programs which kind of event it is and
 * what it is about. One table; keyrack-journal(7) is tested against it. Pure.
 *
 * A kind keeps its MESSAGE_ID for ever; a kind that goes takes its number with it.
 */
#ifndef BASE_EVENT_H
#define BASE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"

/* As syslog has them. */
enum kr_priority { KR_PRIORITY_ERR = 3, KR_PRIORITY_WARNING, KR_PRIORITY_NOTICE, KR_PRIORITY_INFO };

/* X(name, priority, MESSAGE_ID, of, meaning) */
/* clang-format off */
#define KR_EVENT_TABLE(X)                                                                          \
	X(STARTING, INFO, "57e6120dff294e03b64e74d5e7c6276a", "shard",                             \
		"a process begins: the sizes it was given")                                        \
	X(RECOVERED, NOTICE, "6b31286b4baa4e1d98abd18898c1ac93", "shard",                          \
		"recovery found more than a log that ends cleanly, and mends it")                  \
	X(READY, INFO, "dbe8ee23cb904ff9b79ccd062ea657b9", "both",                                 \
		"clients, or routers, are served from now on")                                     \
	X(RELOAD, NOTICE, "8b5ff88362204af4a0692ee45800fd82", "both",                              \
		"the configuration is read again: an entry for that, one for each result")         \
	X(MISCONFIGURED, ERR, "cfcdf1b164884dde90f76dffcbf38a2e", "both",                          \
		"something in the configuration is wrong, and nothing starts")                     \
	X(WAITING, NOTICE, "d0b4e04c4e51480382bb642fba3365d2", "both",                             \
		"another process still has the directory, or the address")                         \
	X(STOPPING, INFO, "30a8180ff3714a42a543ec192f8d7aad", "both",                              \
		"it was told to stop: what was taken is answered first")                           \
	X(STOPPED, INFO, "95fce6fb017f48f0a37593ee1b0d971c", "both",                               \
		"it stopped as it was told")                                                       \
	X(REFUSED, ERR, "09437c21ed7f490b940e3d638587cd8e", "shard",                               \
		"recovery refuses to start: KEYRACK_CODE is the verdict of keyrack-recover(8)")    \
	X(FAILED, ERR, "5b3895c7e10548c6964dda85ce3c382e", "both",                                 \
		"it did not start, or could not go on: KEYRACK_CODE says why")                     \
	X(DESCRIPTORS, WARNING, "72a9422061ff424b963651358818f05e", "both",                        \
		"too few files may be open: fewer connections than asked for")                    \
	X(UNTOLD, WARNING, "65f32756961d46b88e94c606a58cb901", "both",                             \
		"the service manager, or whoever gave --ready-fd, cannot be told")                 \
	X(BUFFERED, NOTICE, "811273dbf5ae4e3b939dcd586f26b5c4", "shard",                           \
		"the file system has no O_DIRECT: the log is as safe, and slower")                 \
	X(SPACE_SHORT, WARNING, "70d6633a9bb949d69a2e1f99ba87b3e4", "shard",                       \
		"the disk is full or nearly, or the archive behind: KEYRACK_CODE is LOW or STOP")  \
	X(SPACE_BACK, NOTICE, "dd3ee50bf1954404ba1027d900e20835", "shard",                         \
		"there is room again")                                                             \
	X(SNAPSHOT_FAILED, ERR, "96619f8a5e8c4a4d96ae8d923a3781d4", "shard",                       \
		"a snapshot could not be written; the log goes on")                                \
	X(ARCHIVE, WARNING, "8b4550e0db9a4dddb79d095fed13245a", "shard",                           \
		"copying segments to the archive fails, or works again")                           \
	X(LINK_UP, INFO, "710dd6c5dab74cbc947d3d31499d0094", "router",                             \
		"a shard is there: its requests are forwarded")                                    \
	X(LINK_DOWN, WARNING, "e797837f99744f329109bb24070f143f", "router",                       \
		"a shard is not there: its requests wait")                                         \
	X(LINK_BROKEN, ERR, "c3d3cd1ce10648d488a31e3c69b93e32", "router",                          \
		"a shard breaks the protocol: KEYRACK_CODE says how")
/* clang-format on */

#define X(name, priority, id, of, meaning) KR_EVENT_##name,
enum kr_event { KR_EVENT_TABLE(X) KR_EVENT_COUNT };
#undef X

#define KR_EVENT_ID_LENGTH 32u

const char *kr_event_name(enum kr_event event);
enum kr_priority kr_event_priority(enum kr_event event);
/* 32 hexadecimal digits. */
const char *kr_event_id(enum kr_event event);

/* Gone after the call that tells it. */
struct kr_note {
	enum kr_event event;
	const char *sentence; /* without a final newline; some have several lines */
	const char *code;     /* a name, or NULL */
	bool has_shard;       /* about this one; a shard's own number is said without it */
	uint32_t shard;
	uint64_t lsn; /* up to which the log is on disk; 0: not known */
};

#endif

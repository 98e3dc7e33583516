/* Between log_io.c and prepare.c. */
#ifndef ENGINE_LOG_LOG_IO_PRIV_H
#define ENGINE_LOG_LOG_IO_PRIV_H

#include "engine/log/log_io.h"

/* Ends an action: tells the writer, then starts what follows. After a failure: on_failed, once. */
void log_io_done(struct log_io *log, enum log_action_kind kind, int result, int errno_number,
	const char *doing, const char *name);

/* A free place among the open segments, after closing what is not written any more. */
struct log_io_file *log_io_file_free(struct log_io *log);
struct log_io_file *log_io_file_find(struct log_io *log, uint64_t number);
KR_MUST_CHECK int log_io_file_open(struct log_io *log, struct log_io_file *file, uint64_t number);

void log_prepare_init(struct log_io *log);
void log_prepare_start(struct log_io *log, const struct log_action *action);

#endif

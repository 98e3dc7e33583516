/*
 * The options of keyrack-shard: the table, and what a row cannot say. Ways to give them, and
 * reading them again: base/options.h.
 */
#ifndef ENGINE_SERVER_OPTIONS_H
#define ENGINE_SERVER_OPTIONS_H

#include "base/io/io_option.h"
#include "base/options.h"
#include "engine/server/server.h"
#include "router/options.h"

struct shard_options {
	struct server_config server; /* tz and handler are still to be set */
	struct io_address_list listen;
	uint32_t listen_mode;
	struct io_owner listen_owner;
	uint32_t durability; /* 0 = sync, 1 = async */
	uint64_t sync_interval_us;
	const char *pid_file;
	uint32_t ready_fd; /* 0: none */
	uint32_t spin_us;
	const char *token_file;
	/* A router inside; it is there where its listen_count is not 0. */
	struct router_options router;
};

/* Where the router inside reaches this shard. */
#define SHARD_INPROC_PORT 1u

/* Ends the process with status OPTIONS_EXIT_USAGE when anything is wrong: sentences to `say`, or to
 * standard error if that is NULL. */
void shard_options_start(struct option_set *set, int argc, char **argv,
	void (*say)(const char *sentence), struct shard_options *ret_options);

/*
 * Reads the token file again, into options->server. False: there is none, or it is wrong, which
 * `say` hears, and nothing has changed.
 */
KR_MUST_CHECK bool shard_options_reread_tokens(struct shard_options *options,
	void (*say)(void *context, const char *sentence), void *context);

/* What the sizes mean in memory: lines into `text`. */
void shard_options_describe(const struct shard_options *options, struct kr_text *text);

#endif

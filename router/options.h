/*
 * The options of keyrack-router: the table, and what a row cannot say. Ways to give them, and
 * reading them again: base/options.h.
 */
#ifndef ROUTER_OPTIONS_H
#define ROUTER_OPTIONS_H

#include "base/io/io_option.h"
#include "base/options.h"
#include "router/router.h"

struct router_options {
	struct router_config router;
	struct io_address_list listen, booking_listen, shards;
	uint32_t listen_mode, booking_mode;
	struct io_owner listen_owner, booking_owner;
	const char *operator_token_file, *booking_token_file, *shard_token_file;
	uint32_t spin_us;
	const char *pid_file; /* NULL = none */
	uint32_t ready_fd;    /* 0 = none */
};

/* Ends the process with status OPTIONS_EXIT_USAGE when anything is wrong: sentences to `say`, or to
 * standard error if that is NULL. */
void router_options_start(struct option_set *set, int argc, char **argv,
	void (*say)(const char *sentence), struct router_options *ret_options);

/*
 * Reads the token files again, into options->router. False: there are none, or one is wrong, which
 * `say` hears, and nothing has changed.
 */
KR_MUST_CHECK bool router_options_reread_tokens(struct router_options *options,
	void (*say)(void *context, const char *sentence), void *context);

#endif

/*
 * The options of keyrack-router: the table, and what a row cannot say. Ways to give them, and
 * reading them again: base/options.h.
 */
#ifndef ROUTER_OPTIONS_H
#define ROUTER_OPTIONS_H

#include "base/io/io_option.h"
#include "base/options.h"
#include "router/router.h"

#define ROUTER_OPTION_MAX 20u
#define ROUTER_OPTION_PREFIX "router-" /* of its options in a program that has a router inside */

struct router_options {
	const char *prefix; /* of the options' names: "" or ROUTER_OPTION_PREFIX */
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
 * The options of a router inside another program, which keeps a struct router_options at `offset`
 * of its own: all but those that are about the process (OPTION_OF_PROCESS), none of them needed, no
 * address to listen on by default. Returns how many rows. For one program of a process.
 */
uint32_t router_options_embed(struct option_row rows[static ROUTER_OPTION_MAX], size_t offset);
/* Before the program reads its options: everything zero, or by default. */
void router_options_init(struct router_options *ret_options, const char *prefix);
/* Behind them, from the program's finish(), where there is an address to listen on: options->router
 * is complete but for `cluster`, and for `shards` as far as no option names them. */
void router_options_finish(struct option_set *set, struct router_options *options);
/*
 * Whoever tells roles apart guards what is behind, where a shard without a token asks nobody for
 * his rights: complains of each address of `list`, which option `name` gave, that is not a socket
 * of this machine with a mode; `remedy` are the options to give instead.
 */
void router_options_check_behind(struct option_set *set, const struct router_options *options,
	const char *name, const struct io_address_list *list, const char *remedy);

/*
 * Reads the token files again, into options->router. False: there are none, or one is wrong, which
 * `say` hears, and nothing has changed.
 */
KR_MUST_CHECK bool router_options_reread_tokens(struct router_options *options,
	void (*say)(void *context, const char *sentence), void *context);

#endif

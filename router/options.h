/*
 * The command line of keyrack-router.
 */
#ifndef ROUTER_OPTIONS_H
#define ROUTER_OPTIONS_H

#include "router/router.h"

struct options {
	struct router_config router;
	bool allow_remote;
	uint32_t spin_us;
	const char *pid_file; /* NULL = none */
	int ready_fd;         /* -1 = none */
};

/* Ends the process with a sentence and status 2 when the command line is wrong. */
void options_parse(int argc, char **argv, struct options *ret_options);

#endif

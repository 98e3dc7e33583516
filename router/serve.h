/* What a process around a router does beside turning the loop; the simulator does without. */
#ifndef ROUTER_SERVE_H
#define ROUTER_SERVE_H

#include "router/router.h"

#define ROUTER_ADDRESS_PATIENCE_US UINT64_C(5000000)

/*
 * router_start(). While an address is in use, for a killed process's sockets live on for a moment,
 * it is tried again for ROUTER_ADDRESS_PATIENCE_US, of which on_note hears, and the loop turns
 * meanwhile. 0 as well when the router is told to stop first.
 */
KR_MUST_CHECK int router_start_patiently(
	struct router *router, struct io_loop *loop, struct kr_error_text *text);

/* A router that may still be serving, on a loop that nothing else needs any more: closes all there
 * is at once and gives it back. Returns NULL. */
struct router *router_end(struct router *router, struct io_loop *loop);

#endif

#include "router/serve.h"

#include "router/router_priv.h"

#define ADDRESS_RETRY_US UINT64_C(100000)

int router_start_patiently(struct router *router, struct io_loop *loop, struct kr_error_text *text)
{
	uint64_t begin_us = io_clock_boot_us(loop);
	int r = router_start(router, text);

	if (r == -KR_E_ADDRESS_IN_USE)
		router_note(router, (struct kr_note){.event = KR_EVENT_WAITING},
			"an address for clients is in use; trying for some seconds");
	while (r == -KR_E_ADDRESS_IN_USE && !router_is_stopping(router) &&
		io_clock_boot_us(loop) - begin_us < ROUTER_ADDRESS_PATIENCE_US) {
		r = io_loop_tick(loop, ADDRESS_RETRY_US);
		if (r < 0)
			return r;
		if (!router_is_stopping(router))
			r = router_start(router, text);
	}
	return router_is_stopping(router) ? 0 : r;
}

struct router *router_end(struct router *router, struct io_loop *loop)
{
	int r = 0;

	if (!router_is_stopping(router))
		router_stop(router);
	if (!router_is_stopped(router))
		router_stop(router);
	while (r == 0 && !router_is_stopped(router))
		r = io_loop_tick(loop, IO_WAIT_FOREVER);
	return router_free(router);
}

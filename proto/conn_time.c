#include "proto/conn_priv.h"

void conn_check_start(struct conn_set *set)
{
	kr_assert(set->used_count > 0);
	if (!set->check.is_running)
		io_timer_start(set->loop, &set->check, io_clock_boot_us(set->loop) + CONN_CHECK_US);
}

static void check_open(struct conn *conn, uint64_t now_us)
{
	const struct conn_config *config = &conn->set->config;
	uint64_t idle_us = conn->dialled ? 0 : config->idle_timeout_us;

	kr_assert(conn->state == CONN_OPEN);
	if (conn->sending_bytes > 0 && now_us - conn->sending_at_us > CONN_SEND_STALL_US)
		conn_doom(conn, CONN_REASON_SLOW, 0);
	else if (conn->partial_at_us != 0 && now_us - conn->partial_at_us > CONN_STALL_US)
		conn_doom(conn, CONN_REASON_STALLED, 0);
	else if (!conn->greeted && now_us - conn->opened_at_us > CONN_STALL_US)
		conn_doom(conn, CONN_REASON_STALLED, 0);
	else if (idle_us != 0 && now_us - conn->received_at_us > idle_us)
		conn_doom(conn, CONN_REASON_IDLE, 0);
}

static void check_range(struct conn_set *set, uint32_t first, uint32_t count, uint64_t now_us)
{
	kr_assert(first + count <= set->config.accept_max_count + set->config.dial_max_count);
	for (uint32_t i = first; i < first + count; i++) {
		struct conn *conn = &set->conns[i];
		if (conn->state == CONN_OPEN)
			check_open(conn, now_us);
		else if (conn->state == CONN_LEAVING &&
			 now_us - conn->leaving_at_us > CONN_LINGER_US)
			conn_doom(conn, conn->reason, conn->code);
		else if (conn->state == CONN_DIALLING &&
			 now_us - conn->opened_at_us > CONN_STALL_US)
			conn_doom(conn, CONN_REASON_FAILED, 0);
	}
}

void conn_check_on_due(struct io_timer *timer)
{
	struct conn_set *set = timer->context;
	uint64_t now_us = io_clock_boot_us(set->loop);

	check_range(set, 0, set->fresh_accept, now_us);
	check_range(set, set->config.accept_max_count, set->fresh_dial, now_us);
	kr_assert(!set->check.is_running);
	if (set->used_count > 0)
		conn_check_start(set);
}

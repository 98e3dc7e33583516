#include "engine/server/server_priv.h"

/*
 * What the loop and the disk had to do, measured here because the step knows neither.
 */

/* At most one append is under way, and whatever holds it up counts: the disk, or a segment that is
 * not ready yet. */
void server_load_append_begin(struct server *server)
{
	kr_assert(server->append_since_us == 0);
	server->append_since_us = KR_MAX(io_clock_boot_us(server->loop), UINT64_C(1));
}

void server_load_append_end(struct server *server)
{
	struct shard_load *load = &server->load;
	const uint64_t now_us = io_clock_boot_us(server->loop);
	if (server->append_since_us == 0)
		return; /* the epoch's own batch */
	kr_assert(now_us >= server->append_since_us || server->append_since_us == 1);
	const uint64_t took_us = now_us - KR_MIN(now_us, server->append_since_us);
	server->append_since_us = 0;
	load->append_time += took_us;
	load->append_max_us = KR_MAX(load->append_max_us, took_us);
	load->appends_slow += took_us > SHARD_APPEND_SLOW_US;
}

void server_load_note(struct server *server)
{
	const struct io_stats *stats = io_loop_stats(server->loop);
	struct shard_load *load = &server->load;
	if (server->shard == NULL || !server->is_log_open)
		return;
	const uint64_t segment = server->log.writer.position.segment;
	if (server->first_segment == 0)
		server->first_segment = segment;
	kr_assert(segment >= server->first_segment);
	load->turns = stats->tick_count;
	load->turns_slow = stats->turn_slow_count;
	load->turn_time = stats->turn_time_us;
	load->turn_max_us = stats->turn_max_us;
	load->waits = stats->wait_count;
	load->receives = stats->receive_count;
	load->received_bytes = stats->receive_bytes;
	load->sends = stats->send_count;
	load->sent_bytes = stats->send_bytes;
	load->segments = segment - server->first_segment;
	shard_load_note(server->shard, load);
}

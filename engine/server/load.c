#include "engine/server/server_priv.h"

/*
 * What the loop and the disk had to do, measured here because the step knows neither.
 */

void server_load_append(struct server *server, uint64_t since_us)
{
	struct shard_load *load = &server->load;
	const uint64_t now_us = io_clock_boot_us(server->loop);
	kr_assert(now_us >= since_us);
	const uint64_t took_us = now_us - since_us;
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

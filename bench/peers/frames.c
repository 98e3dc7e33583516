/* Frames of chosen sizes that mean nothing: the machine's own limit for the shape of a workload. */
#include "bench/peers/frames.h"

#include <string.h>

#include "bench/peers/peer.h"

#define HEAD_SIZE sizeof(struct frames_head)

static size_t greet(const struct peer_config *config, uint8_t *out)
{
	kr_assert(config != NULL && out != NULL);
	return 0;
}

static size_t encode(
	const struct peer_config *config, const struct peer_request *request, uint8_t *out)
{
	const uint32_t size = config->sizes_bytes[request->kind];
	const struct frames_head head = {
		size, 0, request->slot, config->answers_bytes[request->kind]};
	kr_assert(size >= HEAD_SIZE && size <= PEER_REQUEST_SIZE_MAX);
	kr_assert(head.answer_size >= HEAD_SIZE && head.answer_size <= PEER_ANSWER_SIZE_MAX);
	memcpy(out, &head, sizeof(head));
	memset(out + sizeof(head), 0, size - sizeof(head));
	return size;
}

static int64_t decode(const uint8_t *bytes, size_t count, struct peer_answer *ret)
{
	struct frames_head head;
	if (count < sizeof(head))
		return 0;
	memcpy(&head, bytes, sizeof(head));
	if (head.size < HEAD_SIZE || head.size > PEER_ANSWER_SIZE_MAX)
		return PEER_MALFORMED;
	*ret = (struct peer_answer){.outcome = PEER_DONE, .slot = head.slot};
	return head.size <= count ? (int64_t)head.size : 0;
}

static struct peer_serving serve(const uint8_t *bytes, size_t count, uint8_t *answer)
{
	struct frames_head head;
	if (count < sizeof(head))
		return (struct peer_serving){0};
	memcpy(&head, bytes, sizeof(head));
	if (head.size < HEAD_SIZE || head.size > PEER_REQUEST_SIZE_MAX ||
		head.answer_size < HEAD_SIZE || head.answer_size > PEER_ANSWER_SIZE_MAX)
		return (struct peer_serving){.taken_bytes = PEER_MALFORMED};
	if (head.size > count)
		return (struct peer_serving){0};
	const struct peer_serving serving = {head.size, head.answer_size};
	head.size = head.answer_size;
	memcpy(answer, &head, sizeof(head));
	memset(answer + sizeof(head), 0, serving.answer_size - sizeof(head));
	return serving;
}

const struct peer_protocol peer_frames = {
	.name = "frames",
	.greet = greet,
	.encode = encode,
	.decode = decode,
	.serve = serve,
};

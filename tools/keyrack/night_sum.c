#include "tools/keyrack/night_sum.h"

#include <inttypes.h>
#include <stdio.h>

void night_sum_add(struct night_sum *sum, const struct keyrack_listed_night *night)
{
	int64_t left = (int64_t)night->limit - night->held - night->booked;
	kr_assert(night->has_rooms || (night->rooms == 0 && night->walks == 0));
	sum->nights++;
	sum->held += night->held;
	sum->booked += night->booked;
	sum->left += left > 0 ? (uint64_t)left : 0;
	sum->over_limit += night->over_limit;
	sum->walks += night->walks;
	if (!night->has_rooms)
		return;
	sum->known_nights++;
	sum->rooms += night->rooms;
	sum->booked_known += night->booked;
	kr_assert(sum->known_nights <= sum->nights);
}

void night_sum_join(struct night_sum *sum, const struct night_sum *more)
{
	kr_assert(more->known_nights <= more->nights);
	kr_assert(more->booked_known <= more->booked);
	sum->nights += more->nights;
	sum->known_nights += more->known_nights;
	sum->rooms += more->rooms;
	sum->held += more->held;
	sum->booked += more->booked;
	sum->booked_known += more->booked_known;
	sum->left += more->left;
	sum->over_limit += more->over_limit;
	sum->walks += more->walks;
}

bool night_sum_occupancy(const struct night_sum *sum, uint64_t *ret_permille)
{
	kr_assert(sum->booked_known <= UINT64_MAX / 2001);
	kr_assert(sum->rooms <= UINT64_MAX / 2);
	if (sum->rooms == 0)
		return false;
	*ret_permille = (2000 * sum->booked_known + sum->rooms) / (2 * sum->rooms);
	return true;
}

void night_sum_format(const struct night_sum *sum, char ret_text[static NIGHT_SUM_TEXT_SIZE])
{
	uint64_t permille;
	kr_assert(ret_text != NULL);
	if (night_sum_occupancy(sum, &permille))
		(void)snprintf(ret_text, NIGHT_SUM_TEXT_SIZE, "%" PRIu64 ".%" PRIu64 " %%",
			permille / 10, permille % 10);
	else
		(void)snprintf(ret_text, NIGHT_SUM_TEXT_SIZE, "-");
}

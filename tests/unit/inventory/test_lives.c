/*
 * The life of a reservation as a truth table: every state, before and on the day of arrival, meets
 * every operation, with no, the right and a stale revision. The tables are the words of the
 * domain, not the engine's: a life only moves forward; reaching a state again counts once; a hold
 * at its deadline is over, though the log may not have said so; what was never sold and was
 * resolved never will be.
 */
#include "tests/unit/inventory/sales.h"

#define ROOMS 500u

enum start {
	HELD,
	DUE,
	CONFIRMED,
	RELEASED,
	EXPIRED,
	CANCELLED,
	VOID,
	UNKNOWN,
	STARTS_BEFORE, /* those that a stay can be in before its day */
	CHECKED_IN = STARTS_BEFORE,
	NO_SHOW,
	COMPLETED,
	STARTS
};

enum ask {
	CONFIRM,
	RELEASE,
	CANCEL,
	CANCEL_ANY,
	RESOLVE,
	EXTEND,
	ATTACH,
	MODIFY,
	CHECK_IN,
	COMPLETE,
	MARK_NO_SHOW,
	AGAIN,     /* the same sale once more */
	OTHERWISE, /* the same id, another payload */
	REPLACE,   /* a hold that gives it back */
	REACQUIRE, /* a hold that wants its lines again */
	ASKS
};

/*
 * A letter for each of the operations above:
 *   C R X I D N  moves on: CONFIRMED RELEASED CANCELLED CHECKED_IN COMPLETED NO_SHOW
 *   *  is changed   a  again: counts once   s  is shown   o  done, and this one stays as it is
 *   B  BAD_STATE   E  HOLD_EXPIRED   -  NOT_FOUND   v  NOT_FOUND, for good   V  that from now on
 *   K  KEY_REUSED
 */
static const char *const table[STARTS] = {
	[HELD] = /*       */ "CRBRs***BBBaKRB",
	[DUE] = /*        */ "EEBEsEEEBBBaKEB",
	[CONFIRMED] = /*  */ "aBXXsBB*IDNaKBB",
	[RELEASED] = /*   */ "BaBasBBBBBBaKBB",
	[EXPIRED] = /*    */ "EBBBsEEEBBBaKEo",
	[CANCELLED] = /*  */ "BBaasBBBBBBaKBB",
	[VOID] = /*       */ "BBBBvBBBBBBBBBB",
	[UNKNOWN] = /*    */ "----V------oo--",
	[CHECKED_IN] = /* */ "BBBBsBB*aDBaKBB",
	[NO_SHOW] = /*    */ "BBBBsBBBBBaaKBB",
	[COMPLETED] = /*  */ "BBBBsBBBBaBaKBB",
};

static const uint8_t states[STARTS] = {
	[HELD] = INV_HELD,
	[DUE] = INV_HELD,
	[CONFIRMED] = INV_CONFIRMED,
	[RELEASED] = INV_RELEASED,
	[EXPIRED] = INV_EXPIRED,
	[CANCELLED] = INV_CANCELLED,
	[VOID] = INV_VOID,
	[CHECKED_IN] = INV_CHECKED_IN,
	[NO_SHOW] = INV_NO_SHOW,
	[COMPLETED] = INV_COMPLETED,
};

enum revision { NONE_GIVEN, RIGHT, STALE, REVISIONS };

struct life {
	struct world w;
	int32_t arrival;
	bool is_today;
	uint64_t random;
	struct inv_line line; /* as it was sold */
	bool was_booked;
	uint64_t cases, moves;
};

static bool is_booked_first(enum start start)
{
	return start == CONFIRMED || start >= CHECKED_IN;
}

static void moved(struct world *w, enum inv_transition to, struct kr_id id)
{
	struct inv_transition_op op = transition_op(to, id);
	cr_assert_eq(sales_transition(w, &op), KEYRACK_DONE, "%u", w->answer.code);
}

static struct inv_reserve_op sale_op(struct life *l, uint64_t random)
{
	l->line = stay_line(1, l->arrival, l->arrival + 3);
	return l->was_booked ? book_op(&l->w, random, &l->line, 1)
			     : hold_op(&l->w, random, &l->line, 1);
}

/* A reservation of its own in that state. */
static struct kr_id started(struct life *l, enum start start)
{
	struct world *w = &l->w;
	l->was_booked = is_booked_first(start);
	struct inv_reserve_op op = sale_op(l, ++l->random);
	struct inv_transition_op resolve = transition_op(INV_RESOLVE, op.id);
	resolve.has_hotel = true;
	resolve.hotel.v = WORLD_HOTEL;
	if (start == VOID)
		cr_assert_eq(sales_transition(w, &resolve), KEYRACK_NOT_FOUND);
	if (start == VOID || start == UNKNOWN)
		return op.id;
	cr_assert_eq(sales_reserve(w, &op), KEYRACK_DONE, "%u", w->answer.code);
	if (start == RELEASED)
		moved(w, INV_RELEASE, op.id);
	if (start == CANCELLED) {
		moved(w, INV_CONFIRM, op.id);
		moved(w, INV_CANCEL, op.id);
	}
	if (start == CHECKED_IN)
		moved(w, INV_CHECK_IN, op.id);
	if (start == COMPLETED)
		moved(w, INV_COMPLETE, op.id);
	if (start == NO_SHOW)
		moved(w, INV_MARK_NO_SHOW, op.id);
	if (start == DUE || start == EXPIRED)
		w->now.t_us = w->answer.expires_at_us;
	if (start == EXPIRED)
		cr_assert_gt(sales_due(w), 0);
	return op.id;
}

static uint16_t ask_transition(
	struct life *l, enum ask ask, struct kr_id id, enum revision revision, uint32_t now)
{
	static const enum inv_transition transitions[] = {INV_CONFIRM, INV_RELEASE, INV_CANCEL,
		INV_CANCEL, INV_RESOLVE, INV_EXTEND, INV_ATTACH_PAYMENT, INV_MODIFY, INV_CHECK_IN,
		INV_COMPLETE, INV_MARK_NO_SHOW};
	struct inv_transition_op op = transition_op(transitions[ask], id);
	struct inv_line line = stay_line(1, l->arrival, l->arrival + 2);
	op.any = ask == CANCEL_ANY;
	op.has_expected_revision = revision != NONE_GIVEN;
	op.expected_revision = revision == STALE ? now + 1 : revision == RIGHT ? now : 0;
	if (ask == EXTEND)
		op.expires_at_us = l->w.now.t_us + INV_HOLD_TTL_US + MINUTE_US;
	if (ask == ATTACH)
		op.payment_ref = text("pay-1");
	if (ask == MODIFY) {
		op.lines = &line;
		op.line_count = 1;
	}
	if (ask == EXTEND || ask == ATTACH || ask == MODIFY)
		op.change_id = ++l->random;
	return sales_transition(&l->w, &op);
}

static uint16_t ask_sale(struct life *l, enum ask ask, struct kr_id id)
{
	struct inv_reserve_op op = sale_op(l, ++l->random);
	if (ask == AGAIN || ask == OTHERWISE)
		op.id = id;
	if (ask == OTHERWISE)
		l->line.guests = 2;
	if (ask == REPLACE || ask == REACQUIRE)
		op.book = false;
	if (ask == REPLACE)
		op.replaces = id;
	if (ask == REACQUIRE) {
		op.reacquires = id;
		op.lines = NULL;
		op.line_count = 0;
	}
	return sales_reserve(&l->w, &op);
}

static uint8_t state_of(char letter, uint8_t before)
{
	static const char letters[] = "CRXIDN";
	static const uint8_t after[] = {INV_CONFIRMED, INV_RELEASED, INV_CANCELLED, INV_CHECKED_IN,
		INV_COMPLETED, INV_NO_SHOW};
	const char *at = strchr(letters, letter);
	return at == NULL ? before : after[at - letters];
}

static uint16_t code_of(char letter)
{
	switch (letter) {
	case 'B':
		return KEYRACK_BAD_STATE;
	case 'E':
		return KEYRACK_HOLD_EXPIRED;
	case 'K':
		return KEYRACK_KEY_REUSED;
	case '-':
	case 'v':
	case 'V':
		return KEYRACK_NOT_FOUND;
	default:
		return KEYRACK_DONE;
	}
}

static bool is_move(char letter)
{
	return strchr("CRXIDN*", letter) != NULL;
}

static void try_case(struct life *l, enum start start, enum ask ask, enum revision revision)
{
	struct world *w = &l->w;
	struct inv_reservation_view before = {0}, after = {0};
	const struct kr_id id = started(l, start);
	const bool is_there = inv_reservation_get(w->inv, id, w->now.t_us, &before);
	const char letter = table[start][ask];
	const uint64_t digest = inv_digest(w->inv), lsn = w->lsn;
	uint16_t code = code_of(letter);
	bool moves = is_move(letter);
	cr_assert_eq(is_there, start != UNKNOWN);
	cr_assert_eq(before.state, states[start]);
	if (moves && !l->is_today && ask >= CHECK_IN && ask <= MARK_NO_SHOW)
		code = KEYRACK_TOO_EARLY;
	else if (moves && revision == STALE)
		code = KEYRACK_VERSION_MISMATCH;
	moves = moves && code == KEYRACK_DONE;
	const uint16_t said = ask >= AGAIN ? ask_sale(l, ask, id)
					   : ask_transition(l, ask, id, revision, before.revision);
	cr_assert_eq(said, code, "start %d, ask %d, revision %d: %s, not %s", start, ask, revision,
		code_name(said), code_name(code));
	const bool has_effect = moves || letter == 'o' || letter == 'V';
	cr_assert_eq(w->lsn - lsn, has_effect, "start %d, ask %d", start, ask);
	cr_assert_eq(inv_digest(w->inv) == digest, !has_effect);
	const bool is_there_now = inv_reservation_get(w->inv, id, w->now.t_us, &after);
	cr_assert_eq(is_there_now, is_there || has_effect);
	if (is_there) {
		cr_assert_eq(after.state, moves ? state_of(letter, before.state) : before.state);
		cr_assert_eq(after.revision, before.revision + moves);
	} else if (letter == 'V')
		cr_assert_eq(after.state, INV_VOID);
	if (code == KEYRACK_DONE)
		cr_assert_eq(w->answer.repeated, letter == 'a');
	l->cases++;
	l->moves += has_effect;
}

static bool needs_revision(enum ask ask)
{
	return ask == EXTEND || ask == ATTACH || ask == MODIFY;
}

static void every_ask(struct life *l, enum start start)
{
	for (enum ask ask = 0; ask < ASKS; ask++) {
		const bool has_revision = ask < AGAIN && ask != RESOLVE;
		for (enum revision r = NONE_GIVEN; r < (has_revision ? REVISIONS : 1); r++) {
			if (r == NONE_GIVEN && needs_revision(ask))
				continue;
			try_case(l, start, ask, r);
		}
	}
}

Test(lives, every_state_meets_every_operation_before_and_on_the_day)
{
	struct inv_config config = world_config();
	uint64_t cases = 0, moves = 0;
	config.reservations_max = 1024;
	config.nodes_max = 1024;
	for (int today = 0; today < 2; today++) {
		const enum start end = today ? STARTS : STARTS_BEFORE;
		for (enum start start = 0; start < end; start++) {
			static struct life l;
			memset(&l, 0, sizeof(l));
			world_init(&l.w, &config);
			world_standard(&l.w, 1, ROOMS);
			l.is_today = today;
			l.arrival = world_day(2026, 11, today ? 22 : 25);
			every_ask(&l, start);
			sales_agree(&l.w);
			cases += l.cases;
			moves += l.moves;
			world_fini(&l.w);
		}
	}
	cr_log_info("%llu cases, %llu with an effect", (unsigned long long)cases,
		(unsigned long long)moves);
	cr_assert_geq(cases, 500);
}

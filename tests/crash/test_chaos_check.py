"""The checker of chaos.py on histories made by hand: what is right passes, and each thing that is
wrong is seen for what it is."""

import os
import random
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chaos_check as check  # noqa: E402

HOTEL = 7
LIMITS = [2, 2]
NIGHT = 20000


class World:
    """A hotel that really runs in one order; what it says may be falsified afterwards."""

    def __init__(self):
        self.effects = [check.Effect(0, 0, 1, "START"), check.Effect(HOTEL, 1, 2, "HOTEL"),
                        check.Effect(HOTEL, 2, 3, "TYPE")]
        self.attempts = []
        self.now = 0.0
        self.sent = 0
        self.states, self.lines, self.seqs = {}, {}, {}

    def effect(self, kind, ident, **more):
        seq = self.effects[-1].seq + 1
        self.effects.append(check.Effect(HOTEL, seq, self.effects[-1].lsn + 1, kind, ident,
                                         self.lines.get(ident) if kind in check.SALES else None,
                                         f"{self.now:09.3f}", **more))
        before = self.states.get(ident, check.ABSENT)
        self.effects[-1].revision = 1 + sum(e.id == ident for e in self.effects[:-1])
        self.states[ident] = check.MOVES[kind][before]
        self.seqs[ident] = seq
        return seq

    def attempt(self, kind, ident="", **more):
        """Begins now, ends half an instant later, the next one begins after that."""
        self.sent += 1
        a = check.Attempt(1, self.sent, kind, HOTEL, ident, begun=self.now, ended=self.now + 0.5,
                          heard=self.sent, **more)
        self.now += 1
        self.attempts.append(a)
        return a

    def sell(self, kind, ident, rooms=1, night=NIGHT, nights=1, **more):
        self.lines[ident] = check.Line(0, night, night + nights, rooms)
        more.setdefault("deadline", "999999.000" if kind == "HOLD" else "")
        seq = self.effect(kind, ident, **more)
        return self.attempt(kind, ident, line=self.lines[ident], code="DONE",
                            state=self.states[ident], seq=seq)

    def change(self, ident, night, rooms=1, change="c1"):
        self.lines[ident] = check.Line(0, night, night + 1, rooms)
        seq = self.effect("MODIFY", ident, change=change)
        self.effects[-1].line = self.lines[ident]
        return self.attempt("MODIFY", ident, line=self.lines[ident], change=change, code="DONE",
                            state=self.states[ident], seq=seq, revision=1)

    def move(self, kind, ident):
        return self.attempt(kind, ident, code="DONE", seq=self.effect(kind, ident),
                            state=self.states[ident])

    def again(self, kind, ident):
        return self.attempt(kind, ident, line=self.lines[ident], code="DONE", repeated=True,
                            state=self.states[ident], seq=self.seqs[ident])

    def refused(self, ident, code="SOLD_OUT", rooms=1, kind="BOOK"):
        return self.attempt(kind, ident, line=check.Line(0, NIGHT, NIGHT + 1, rooms), code=code)

    def nights(self):
        counts = {}
        for ident, state in self.states.items():
            if state in (check.HELD, check.CONFIRMED):
                for cell in self.lines[ident].nights():
                    row = counts.setdefault(cell, [*cell, 0, 0])
                    row[2 + (state == check.CONFIRMED)] += self.lines[ident].rooms
        return self.attempt("NIGHT_LIST", code="DONE", seq=self.effects[-1].seq,
                            nights=list(counts.values()))

    def history(self):
        return check.History(self.attempts, self.effects, LIMITS)

    def kinds(self):
        return sorted({v.kind for v in self.history().check()})


def ordinary():
    world = World()
    world.sell("BOOK", "a")
    world.sell("HOLD", "b")
    world.nights()
    world.refused("x")
    world.move("CONFIRM", "b")
    world.again("BOOK", "a")
    world.move("CANCEL", "a")
    world.nights()
    world.sell("HOLD", "c")
    world.move("RELEASE", "c")
    world.sell("IMPORT", "d", nights=3)
    world.nights()
    return world


class Right(unittest.TestCase):
    def test_what_happened_in_one_order_passes(self):
        self.assertEqual(ordinary().history().check(), [])

    def test_requests_under_way_together_may_take_effect_in_either_order(self):
        world = World()
        first, second = world.sell("BOOK", "a"), world.sell("BOOK", "b")
        first.seq, second.seq = second.seq, first.seq
        world.effects[-1].id, world.effects[-2].id = "a", "b"
        first.begun = second.begun = 0
        first.connection = 2
        first.ended = second.ended = 9
        self.assertEqual(world.kinds(), [])

    def test_an_outcome_that_nobody_heard_may_be_either(self):
        world = World()
        world.sell("BOOK", "a").code = None
        world.attempts[-1].ended = None
        world.attempt("BOOK", "b", line=check.Line(0, NIGHT, NIGHT + 1, 1)).ended = None
        world.nights()
        self.assertEqual(world.kinds(), [])

    def test_an_id_that_was_resolved_is_void(self):
        world = World()
        world.attempt("BOOK", "a", line=check.Line(0, NIGHT, NIGHT + 1, 1)).ended = None
        world.effect("VOID", "a")
        world.attempt("RESOLVE", "a", code="NOT_FOUND")
        world.attempt("RESERVATION_GET", "a", code="NOT_FOUND")
        world.refused("a", "BAD_STATE")
        self.assertEqual(world.kinds(), [])

    def test_a_refused_id_may_be_sold_after_a_restart_and_not_before(self):
        world = World()
        world.sell("BOOK", "a", rooms=2)
        world.refused("x")
        world.move("CANCEL", "a")
        world.effects.append(check.Effect(0, 6, world.effects[-1].lsn + 1, "START"))
        world.effects[-1].seq = world.effects[-2].seq
        world.sell("BOOK", "x")
        self.assertEqual(world.kinds(), [])
        world.effects = [e for e in world.effects if e.kind != "START"]
        self.assertEqual(world.kinds(), ["twice"])

    def test_a_hold_that_is_due_is_expired_to_whoever_confirms_it(self):
        world = World()
        world.sell("HOLD", "a", deadline="000001.000")
        world.attempt("CONFIRM", "a", code="HOLD_EXPIRED")
        world.effect("EXPIRE", "a")
        world.attempt("RELEASE", "a", code="BAD_STATE")
        self.assertEqual(world.kinds(), [])


    def test_a_stay_is_changed_and_a_stale_revision_is_told(self):
        world = World()
        world.sell("BOOK", "a", rooms=2)
        world.sell("BOOK", "b", night=NIGHT + 1)
        world.refused("a", kind="MODIFY", rooms=3).change = "c0"
        world.change("a", NIGHT + 1)
        stale = world.refused("a", "VERSION_MISMATCH", kind="MODIFY")
        stale.change, stale.revision = "c2", 1
        world.nights()
        self.assertEqual(world.kinds(), [])
        stale.revision = 2
        self.assertEqual(world.kinds(), ["read"])


    def test_a_hold_that_lives_so_long_already_is_told_as_it_is(self):
        world = World()
        world.sell("HOLD", "a")
        for change in ("MODIFY", "EXTEND"):
            seq = world.effect(change, "a", change="c1", deadline="999999.000")
            world.effects[-1].line = world.lines["a"]
            world.attempt(change, "a", line=world.lines["a"], change="c1", code="DONE", seq=seq,
                          state=check.HELD, revision=1)
            world.attempt("EXTEND", "a", change="c2", code="DONE", seq=seq, state=check.HELD)
            self.assertEqual(world.kinds(), [])
        world.attempts[-1].seq += 1
        self.assertEqual(world.kinds(), ["lost"])


class Wrong(unittest.TestCase):
    def test_a_change_that_took_effect_twice_or_as_another(self):
        world = World()
        world.sell("BOOK", "a")
        world.change("a", NIGHT + 1)
        world.change("a", NIGHT + 2)
        self.assertEqual(world.kinds(), ["twice"])
        world = World()
        world.sell("BOOK", "a")
        world.change("a", NIGHT + 1).line = check.Line(0, NIGHT + 5, NIGHT + 6, 1)
        self.assertEqual(world.kinds(), ["read"])

    def test_a_change_refused_for_rooms_that_were_its_own(self):
        world = World()
        world.sell("BOOK", "a", rooms=2)
        world.refused("a", kind="MODIFY", rooms=2).change = "c0"
        self.assertEqual(world.kinds(), ["read"])

    def test_an_order_that_time_contradicts(self):
        world = World()
        first, second = world.sell("BOOK", "a"), world.sell("BOOK", "b", night=NIGHT + 5)
        first.seq, second.seq = second.seq, first.seq
        world.effects[-1].id, world.effects[-2].id = "a", "b"
        world.effects[-1].line, world.effects[-2].line = first.line, second.line
        second.connection = 2
        self.assertEqual(world.kinds(), ["order", "read"])

    def test_two_requests_of_one_connection_that_changed_places(self):
        world = World()
        first, second = world.sell("BOOK", "a"), world.sell("BOOK", "b")
        first.seq, second.seq = second.seq, first.seq
        world.effects[-1].id, world.effects[-2].id = "a", "b"
        first.begun = second.begun = 0
        first.ended = second.ended = 9
        self.assertEqual(world.kinds(), ["session"])

    def test_answers_of_one_connection_that_changed_places(self):
        world = ordinary()
        world.attempts[0].heard, world.attempts[1].heard = 2, 1
        self.assertEqual(world.kinds(), ["session"])

    def test_a_lost_effect(self):
        world = World()
        world.sell("BOOK", "a")
        world.sell("BOOK", "b")
        world.effects.pop()
        self.assertEqual(world.kinds(), ["lost"])

    def test_a_lost_effect_whose_number_was_given_again(self):
        world = World()
        world.sell("BOOK", "a")
        world.effects.pop()
        world.sell("BOOK", "b")
        self.assertIn("lost", world.kinds())

    def test_an_effect_in_the_middle_that_is_missing_or_there_twice(self):
        world = ordinary()
        del world.effects[4]
        self.assertIn("gap", world.kinds())
        world = ordinary()
        world.effects.insert(4, world.effects[4])
        self.assertIn("gap", world.kinds())

    def test_effects_whose_numbers_are_not_in_the_order_of_the_log(self):
        world = ordinary()
        world.effects[3].lsn, world.effects[4].lsn = world.effects[4].lsn, world.effects[3].lsn
        self.assertIn("gap", world.kinds())

    def test_an_id_that_was_sold_by_two_effects(self):
        world = World()
        world.sell("BOOK", "a")
        world.states.clear()
        world.sell("BOOK", "a")
        self.assertIn("twice", world.kinds())

    def test_one_effect_that_two_requests_were_told_to_have_made(self):
        world = World()
        world.sell("BOOK", "a")
        world.again("BOOK", "a").repeated = False
        self.assertEqual(world.kinds(), ["twice"])

    def test_an_effect_that_nobody_asked_for(self):
        world = World()
        world.sell("BOOK", "a")
        world.attempts.pop()
        self.assertEqual(world.kinds(), ["undone"])

    def test_an_effect_of_a_request_that_was_told_to_try_again(self):
        for code in check.TRANSIENT:
            world = World()
            world.sell("BOOK", "a").code = code
            self.assertEqual(world.kinds(), ["undone"])

    def test_an_effect_that_was_told_as_not_having_happened_and_then_as_repeated(self):
        world = World()
        world.sell("BOOK", "a").code = "UNAVAILABLE"
        world.again("BOOK", "a")
        self.assertEqual(world.kinds(), ["undone"])

    def test_a_void_that_nobody_asked_for_and_a_resolve_that_left_none(self):
        world = World()
        world.effect("VOID", "a")
        self.assertEqual(world.kinds(), ["undone"])
        world = World()
        world.attempt("RESOLVE", "a", code="NOT_FOUND")
        self.assertEqual(world.kinds(), ["lost"])

    def test_more_rooms_than_there_are(self):
        world = World()
        for ident in "abc":
            world.sell("BOOK", ident)
        self.assertEqual(world.kinds(), ["oversold"])

    def test_a_move_that_the_state_does_not_allow(self):
        world = World()
        world.sell("HOLD", "a")
        world.move("RELEASE", "a")
        world.states["a"] = check.HELD
        world.move("CONFIRM", "a")
        self.assertIn("unlawful", world.kinds())

    def test_a_deadline_that_was_not_kept(self):
        world = World()
        world.sell("HOLD", "a", deadline="000000.500")
        world.move("CONFIRM", "a")
        self.assertEqual(world.kinds(), ["unlawful"])
        world = World()
        world.sell("HOLD", "a")
        world.effect("EXPIRE", "a")
        self.assertEqual(world.kinds(), ["unlawful"])

    def test_figures_of_no_position(self):
        for change in range(2, 4):
            world = ordinary()
            read = next(a for a in world.attempts if a.kind == "NIGHT_LIST")
            read.nights[0][change] += 1
            self.assertEqual(world.kinds(), ["read"])

    def test_figures_of_a_night_that_should_have_been_told_and_were_not(self):
        world = ordinary()
        world.attempts[-1].nights = world.attempts[-1].nights[:-1]
        world.sell("BOOK", "z", night=NIGHT + 9)
        world.nights().nights = []
        self.assertIn("read", world.kinds())

    def test_figures_of_the_past(self):
        world = World()
        world.sell("BOOK", "a", night=NIGHT + 3)
        old = world.nights()
        world.sell("BOOK", "b")
        late = world.nights()
        late.seq, late.nights, late.connection = old.seq, old.nights, 2
        self.assertIn("order", world.kinds())

    def test_figures_that_grow_old_between_two_reads(self):
        world = World()
        world.sell("BOOK", "a").code = None
        world.attempts[-1].ended = None
        seen, unseen = world.nights(), world.nights()
        unseen.seq, unseen.nights, unseen.connection = seen.seq - 1, [], 2
        self.assertEqual(world.kinds(), ["order"])

    def test_a_state_of_the_past_or_of_the_future(self):
        world = World()
        world.sell("BOOK", "a")
        world.move("CANCEL", "a")
        world.attempt("RESERVATION_GET", "a", code="DONE", state=check.CONFIRMED, seq=3)
        self.assertEqual(world.kinds(), ["read"])
        world.attempts[-1].begun, world.attempts[-1].ended = 0.1, 0.2
        self.assertEqual(world.kinds(), [])
        world.attempts[-1].state, world.attempts[-1].seq = check.CANCELLED, 4
        self.assertEqual(world.kinds(), ["read"])

    def test_a_refusal_that_was_never_true(self):
        world = World()
        world.sell("BOOK", "a")
        world.refused("x")
        self.assertEqual(world.kinds(), ["read"])

    def test_a_refusal_that_was_true_at_another_time(self):
        world = World()
        world.sell("BOOK", "a", rooms=2)
        world.move("CANCEL", "a")
        world.refused("x")
        self.assertEqual(world.kinds(), ["read"])

    def test_not_found_of_something_that_was_sold_before(self):
        world = World()
        world.sell("BOOK", "a")
        world.attempt("CANCEL", "a", code="NOT_FOUND")
        self.assertEqual(world.kinds(), ["read"])

    def test_a_code_that_nothing_of_all_this_explains(self):
        for code in ("KEY_REUSED", "INVALID", "PAST_DATE", "CLOSED", "BAD_STATE"):
            world = World()
            world.refused("x", code)
            self.assertEqual(world.kinds(), ["read"])

    def test_another_stay_than_the_one_that_was_asked_for(self):
        world = World()
        world.sell("BOOK", "a")
        world.attempts[-1].line = check.Line(0, NIGHT, NIGHT + 1, 2)
        self.assertEqual(world.kinds(), ["read"])

    def test_the_end(self):
        def told(change):
            world = ordinary()
            states, rows = dict(world.states), [list(r) for r in world.attempts[-1].nights]
            change(states, rows)
            history = world.history()
            history.check()
            history.check_final({HOTEL: (world.effects[-1].seq, states, rows)})
            return sorted({v.kind for v in history.violations})
        self.assertEqual(told(lambda states, rows: None), [])
        self.assertEqual(told(lambda states, rows: states.pop("b")), ["final"])
        self.assertEqual(told(lambda states, rows: states.update(b=check.HELD)), ["final"])
        self.assertEqual(told(lambda states, rows: states.update(zzz=check.HELD)), ["final"])
        self.assertEqual(told(lambda states, rows: rows[0].__setitem__(3, 9)), ["final"])
        self.assertEqual(told(lambda states, rows: rows.pop()), ["final"])


class Many(unittest.TestCase):
    """Long histories drawn at random: all pass, and one answer or effect less or more never does."""

    def world(self, seed):
        draw, world = random.Random(seed), World()
        for number in range(60):
            live = [i for i, s in world.states.items() if s in (check.HELD, check.CONFIRMED)]
            kind = draw.choice(("BOOK", "HOLD", "end", "end", "nights"))
            if kind == "nights":
                world.nights()
            elif kind == "end" and live:
                ident = draw.choice(live)
                world.move({check.HELD: draw.choice(("CONFIRM", "RELEASE")),
                            check.CONFIRMED: "CANCEL"}[world.states[ident]], ident)
            elif kind in check.SALES:
                night = NIGHT + draw.randrange(4)
                if sum(any(cell == (0, night) for cell in world.lines[i].nights())
                       for i in live) < 2:
                    world.sell(kind, f"r{number}", night=night)
        world.nights()
        return world

    def test_pass(self):
        for seed in range(50):
            self.assertEqual(self.world(seed).history().check(), [])

    def test_one_effect_that_is_gone_is_seen(self):
        for seed in range(50):
            world = self.world(seed)
            del world.effects[random.Random(seed).randrange(3, len(world.effects))]
            self.assertNotEqual(world.history().check(), [])

    def test_one_answer_that_is_another_is_seen(self):
        for seed in range(50):
            world = self.world(seed)
            done = [a for a in world.attempts if a.code == "DONE" and a.kind in check.MOVES]
            random.Random(seed).choice(done).seq += random.Random(seed).choice((-1, 1))
            self.assertNotEqual(world.history().check(), [])


if __name__ == "__main__":
    unittest.main()

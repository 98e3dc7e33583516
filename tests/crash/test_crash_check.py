"""The checker of crash.py on synthetic journals, and its reading of the programs' JSON: it must
pass what is right and see what is not."""

import json
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import crash  # noqa: E402
import crash_check as check  # noqa: E402

STAY = {"hotel": 7, "type": 2, "check_in": 20000, "check_out": 20003, "rooms": 1}


def journal(*steps):
    """Steps are (id, op, code): the journal's text."""
    return "".join(json.dumps({"id": i, "op": op, "code": code, "t_us": 1, **STAY}) + "\n"
                   for i, op, code in steps)


def history_of(*steps, **options):
    history = check.History(**options)
    history.feed(check.journal_parse(journal(*steps)))
    return history


def reservation(reservation_id, state, **changes):
    stay = {**STAY, **changes}
    line = check.Line(stay["type"], stay["check_in"], stay["check_out"], stay["rooms"])
    return check.Reservation(reservation_id, state, stay["hotel"], (line,))


def kinds(violations):
    return [v.kind for v in violations]


def cells_of(held, booked, limit=10, nights=range(20000, 20003)):
    return [check.Cell(7, 2, night, limit, held, booked) for night in nights]


class Journal(unittest.TestCase):
    def test_a_last_line_without_its_end_is_no_acknowledgement(self):
        text = journal(("a", "BOOK", "DONE"), ("b", "BOOK", "DONE"))
        self.assertEqual([e.id for e in check.journal_parse(text[:-2])], ["a"])
        # Not even a line that would parse: the newline is part of the acknowledgement.
        self.assertEqual([e.id for e in check.journal_parse(text[:-1])], ["a"])

    def test_a_bad_line_in_the_middle_is_an_error(self):
        for bad in ("nonsense\n", "{}\n", "[]\n",
                    journal(("a", "BOOK", "DONE")).replace("BOOK", "STEAL")):
            with self.assertRaises(check.JournalError):
                check.journal_parse(bad + journal(("a", "BOOK", "DONE")))

    def test_ids_compare_without_case(self):
        history = history_of(("AB", "BOOK", "DONE"))
        self.assertEqual(check.reservations_check(history, [reservation("ab", "CONFIRMED")]), [])


class States(unittest.TestCase):
    def assert_allowed(self, steps, *states, **options):
        self.assertEqual(history_of(*steps, **options).allowed("a"), set(states))

    def test_an_acknowledged_sale_is_in_one_state(self):
        self.assert_allowed([("a", "BOOK", "DONE")], "CONFIRMED")
        self.assert_allowed([("a", "HOLD", "DONE")], "HELD", holds_may_expire=False)
        self.assert_allowed([("a", "HOLD", "DONE"), ("a", "CONFIRM", "DONE")], "CONFIRMED")
        self.assert_allowed([("a", "HOLD", "DONE"), ("a", "RELEASE", "DONE")], "RELEASED")
        self.assert_allowed([("a", "BOOK", "DONE"), ("a", "CANCEL", "DONE")], "CANCELLED")

    def test_a_hold_may_expire_but_a_booking_may_not(self):
        self.assert_allowed([("a", "HOLD", "DONE")], "HELD", "EXPIRED")
        self.assert_allowed([("a", "BOOK", "DONE")], "CONFIRMED")

    def test_a_refused_sale_is_absent(self):
        self.assert_allowed([("a", "BOOK", "SOLD_OUT")], "ABSENT")
        self.assert_allowed([("a", "HOLD", "OVERLOADED")], "ABSENT")

    def test_an_unknown_sale_is_whole_or_absent(self):
        self.assert_allowed([("a", "BOOK", "UNKNOWN")], "ABSENT", "CONFIRMED")

    def test_an_unknown_move_is_made_or_not(self):
        self.assert_allowed([("a", "BOOK", "DONE"), ("a", "CANCEL", "UNKNOWN")],
                            "CONFIRMED", "CANCELLED")

    def test_a_later_answer_settles_an_unknown_one(self):
        self.assert_allowed([("a", "BOOK", "UNKNOWN"), ("a", "CANCEL", "DONE")], "CANCELLED")
        self.assert_allowed([("a", "BOOK", "UNKNOWN"), ("a", "BOOK", "DONE")], "CONFIRMED")

    def test_an_unknown_operation_may_still_land_later(self):
        self.assert_allowed([("a", "BOOK", "UNKNOWN"), ("a", "CANCEL", "NOT_FOUND")],
                            "ABSENT", "CONFIRMED")

    def test_an_expired_hold_is_never_confirmed(self):
        steps = [("a", "HOLD", "DONE"), ("a", "CONFIRM", "HOLD_EXPIRED")]
        self.assert_allowed(steps, "EXPIRED", "HELD")
        history = history_of(*steps, ("a", "CONFIRM", "DONE"))
        self.assertEqual(kinds(history.violations), ["contradiction"])

    def test_repeating_is_done_again(self):
        self.assert_allowed([("a", "BOOK", "DONE"), ("a", "BOOK", "DONE")], "CONFIRMED")
        self.assert_allowed([("a", "BOOK", "DONE"), ("a", "CANCEL", "DONE"),
                             ("a", "BOOK", "DONE")], "CANCELLED")

    def test_answers_that_nothing_explains_are_contradictions(self):
        for steps in ([("a", "CONFIRM", "DONE")],
                      [("a", "BOOK", "SOLD_OUT"), ("a", "CANCEL", "DONE")],
                      [("a", "BOOK", "DONE"), ("a", "CANCEL", "NOT_FOUND")],
                      [("a", "BOOK", "DONE"), ("a", "BOOK", "SOLD_OUT")],
                      [("a", "HOLD", "DONE"), ("a", "RELEASE", "DONE"),
                       ("a", "CONFIRM", "DONE")]):
            self.assertEqual(kinds(history_of(*steps).violations), ["contradiction"], steps)

    def test_accepted_ids_are_those_that_must_be_known(self):
        history = history_of(("a", "BOOK", "DONE"), ("b", "BOOK", "SOLD_OUT"),
                             ("c", "BOOK", "UNKNOWN"), ("d", "HOLD", "DONE"))
        self.assertEqual(history.accepted_ids(), ["a", "d"])


class Dump(unittest.TestCase):
    def test_what_was_acknowledged_is_there(self):
        history = history_of(("a", "BOOK", "DONE"), ("b", "BOOK", "SOLD_OUT"))
        self.assertEqual(check.reservations_check(history, [reservation("a", "CONFIRMED")]), [])

    def test_a_missing_acknowledged_sale_is_lost(self):
        history = history_of(("a", "BOOK", "DONE"))
        self.assertEqual(kinds(check.reservations_check(history, [])), ["lost"])

    def test_a_forgotten_cancel_is_lost(self):
        history = history_of(("a", "BOOK", "DONE"), ("a", "CANCEL", "DONE"))
        found = check.reservations_check(history, [reservation("a", "CONFIRMED")])
        self.assertEqual(kinds(found), ["lost"])

    def test_a_refused_sale_that_is_there_is_undone(self):
        history = history_of(("a", "BOOK", "SOLD_OUT"))
        found = check.reservations_check(history, [reservation("a", "CONFIRMED")])
        self.assertEqual(kinds(found), ["undone"])

    def test_another_stay_under_the_id_is_altered(self):
        history = history_of(("a", "BOOK", "DONE"))
        for change in ({"rooms": 2}, {"check_out": 20004}, {"type": 3}, {"hotel": 8}):
            found = check.reservations_check(history, [reservation("a", "CONFIRMED", **change)])
            self.assertEqual(kinds(found), ["altered"], change)

    def test_an_id_of_no_journal_is_a_stranger(self):
        found = [reservation("x", "CONFIRMED")]
        self.assertEqual(kinds(check.reservations_check(check.History(), found)), ["stranger"])
        self.assertEqual(check.reservations_check(check.History(), found, True), [])

    def test_an_id_dumped_twice_is_seen(self):
        history = history_of(("a", "BOOK", "DONE"))
        found = check.reservations_check(history, [reservation("a", "CONFIRMED")] * 2)
        self.assertEqual(kinds(found), ["twice"])

    def test_answers_after_the_restart_are_held_to_the_same(self):
        history = history_of(("a", "BOOK", "DONE"))
        self.assertIsNone(check.answer_check(history, "a", "CONFIRMED"))
        self.assertEqual(check.answer_check(history, "a", "ABSENT").kind, "lost")


class Cells(unittest.TestCase):
    RESERVATIONS = [reservation("a", "CONFIRMED"), reservation("b", "HELD", rooms=2),
                    reservation("c", "CANCELLED"), reservation("d", "EXPIRED")]

    def test_the_sum_of_the_live_reservations_is_right(self):
        self.assertEqual(check.cells_check(self.RESERVATIONS, cells_of(2, 1)), [])

    def test_the_checkout_day_is_no_night(self):
        cells = cells_of(2, 1) + cells_of(2, 1, nights=[20003])
        self.assertEqual(kinds(check.cells_check(self.RESERVATIONS, cells)), ["recount"])

    def test_a_stay_counted_on_some_nights_only_is_seen(self):
        cells = cells_of(2, 1, nights=[20000, 20001]) + cells_of(2, 0, nights=[20002])
        self.assertEqual(kinds(check.cells_check(self.RESERVATIONS, cells)), ["recount"])

    def test_a_cell_that_is_missing_is_seen(self):
        cells = cells_of(2, 1, nights=[20000, 20001])
        self.assertEqual(kinds(check.cells_check(self.RESERVATIONS, cells)), ["recount"])

    def test_more_than_the_limit_is_oversold(self):
        cells = cells_of(2, 1, limit=2)
        self.assertEqual(kinds(check.cells_check(self.RESERVATIONS, cells)), ["oversold"] * 3)


class Contract(unittest.TestCase):
    DUMPED = {"id": "AB", "state": "CONFIRMED", "hotel": 7, "revision": 3,
              "lines": [{"type": 2, "check_in": 20000, "check_out": 20003, "rooms": 1, "plan": 0}]}

    def test_a_list_is_an_array_or_an_object_a_line(self):
        for text in ('[{"a": 1}, {"a": 2}]', '{"a": 1}\n{"a": 2}\n',
                     '{"list": [{"a": 1}, {"a": 2}]}'):
            self.assertEqual(crash.json_list(text, "list"), [{"a": 1}, {"a": 2}], text)
        self.assertEqual(crash.json_list(""), [])
        self.assertEqual(crash.json_list('{"a": 1}\n'), [{"a": 1}])

    def test_a_dumped_reservation_is_the_one_in_the_journal(self):
        history = history_of(("ab", "BOOK", "DONE"))
        found = [crash.reservation_of(self.DUMPED)]
        self.assertEqual(check.reservations_check(history, found), [])

    def test_a_void_record_is_no_reservation(self):
        void = crash.reservation_of({"id": "x", "state": "VOID", "hotel": 0, "lines": []})
        self.assertEqual(check.reservations_check(check.History(), [void]), [])

    def test_a_missing_field_is_an_error_not_a_default(self):
        for field in ("id", "state", "hotel"):
            with self.assertRaises(KeyError):
                crash.reservation_of({k: v for k, v in self.DUMPED.items() if k != field})

    def test_a_cell_is_read_in_order(self):
        cell = crash.cell_of({"hotel": 1, "type": 2, "night": 3, "limit": 4, "held": 5,
                              "booked": 6})
        self.assertEqual(cell, check.Cell(hotel=1, type=2, night=3, limit=4, held=5, booked=6))

    def test_an_answer_tells_a_state(self):
        self.assertEqual(crash.answer_state_of('{"code": "DONE", "state": "HELD"}'), "HELD")
        self.assertEqual(crash.answer_state_of('{"code": "NOT_FOUND"}'), "ABSENT")
        with self.assertRaises(KeyError):
            crash.answer_state_of('{"code": "OVERLOADED"}')

    def test_every_command_can_be_filled_in(self):
        names = {"keyrack": "k", "bench": "b", "recover": "r", "dir": "d", "shards": 2,
                 "router": "a", "journal": "j", "seconds": 1, "seed": 1, "id": "i",
                 "shard_dir": "s", "load": ""}
        for name, command in crash.COMMANDS.items():
            self.assertNotIn("{", (command or "").format(**names), name)


if __name__ == "__main__":
    unittest.main()

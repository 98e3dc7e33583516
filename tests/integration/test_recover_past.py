#!/usr/bin/python3
"""keyrack-recover replay, dump --to-lsn and why, on the history of a real shard.

usage: test_recover_past.py SOURCE_ROOT KEYRACK_SHARD KEYRACK_RECOVER

The states that the tool shows are held against sums made here from the effects that
`dump --log` prints.
"""
import datetime
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import shard_process
import wire
from history import History

ROOT, SHARD, RECOVER = sys.argv[1:4]
PB = wire.messages(ROOT)
HOTEL = shard_process.HOTEL
OUT_OF_REACH = 50


def recover(*words):
    run = subprocess.run([RECOVER, *map(str, words)], capture_output=True, text=True, check=False)
    return run.returncode, run.stdout, run.stderr


def rows(*words):
    status, out, err = recover(*words)
    assert status == 0, (words, status, err)
    return [json.loads(line) for line in out.splitlines()]


def day_of(date):
    return (datetime.date.fromisoformat(date) - datetime.date(1970, 1, 1)).days


def counts_of(effects):
    """Held and booked rooms by night, and the states of reservations."""
    nights, lines, states = {}, {}, {}
    for effect in effects:
        kind, ident = effect["kind"], effect.get("id")
        if kind == "RESERVE":
            lines[ident] = effect["lines"]
            states[ident] = "CONFIRMED" if effect["book"] else "HELD"
            move = (0, 1) if effect["book"] else (1, 0)
        elif kind in ("CONFIRM", "RELEASE", "CANCEL", "EXPIRE"):
            states[ident] = {"CONFIRM": "CONFIRMED", "RELEASE": "RELEASED", "CANCEL": "CANCELLED",
                             "EXPIRE": "EXPIRED"}[kind]
            move = {"CONFIRM": (-1, 1), "CANCEL": (0, -1)}.get(kind, (-1, 0))
        else:
            continue
        for line in lines[ident]:
            for night in range(day_of(line["check_in"]), day_of(line["check_out"])):
                held, booked = nights.get(night, (0, 0))
                nights[night] = (held + move[0] * line["rooms"], booked + move[1] * line["rooms"])
    return {night: pair for night, pair in nights.items() if pair != (0, 0)}, states


class PastTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.history = History(SHARD, PB)
        cls.directory = cls.history.directory
        cls.effects = rows("dump", "--log", "--json", cls.directory)
        cls.last = cls.effects[-1]["lsn"]
        cls.snapshots = sorted(int(name[5:]) for name in os.listdir(cls.directory)
                               if name.startswith("snap-"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.history.folder)

    def copy(self, name):
        path = os.path.join(self.history.folder, name)
        shutil.copytree(self.directory, path)
        self.addCleanup(shutil.rmtree, path)
        return path

    def pruned(self, name):
        """As a prune leaves it, and what it removed, in an archive."""
        path = self.copy(name)
        archive = os.path.join(self.history.folder, name + "-archive")
        os.mkdir(archive)
        self.addCleanup(shutil.rmtree, archive)
        shutil.move(os.path.join(path, "log-000000000001"), archive)
        return path, archive

    def check_state(self, lsn, *more, directory=None):
        directory = directory or self.directory
        nights, states = counts_of([row for row in self.effects if row["lsn"] <= lsn])
        cells = rows("dump", "--cells", "--json", "--to-lsn", lsn, *more, directory)
        self.assertEqual({row["night"]: (row["held"], row["booked"]) for row in cells
                          if row["held"] or row["booked"]}, nights, f"LSN {lsn}")
        found = rows("dump", "--reservations", "--json", "--to-lsn", lsn, *more, directory)
        self.assertEqual({row["id"]: row["state"] for row in found}, states, f"LSN {lsn}")
        summary = rows("replay", "--json", "--to-lsn", lsn, *more, directory)[0]
        self.assertEqual((summary["lsn"], summary["reservations"], summary["holds"]),
                         (lsn, len(states), list(states.values()).count("HELD")))
        effect = self.effects[lsn - 1]
        self.assertEqual((effect["lsn"], effect["t"]), (lsn, summary["time"]))
        return summary

    def test_any_state_of_the_log_can_be_had(self):
        draw = random.Random(5)
        points = [5, self.last, self.last - 1, *self.snapshots, self.snapshots[0] + 1]
        points += [draw.randrange(5, self.last) for _ in range(12)]
        ways = {self.check_state(lsn)["sources"] for lsn in points}
        self.assertEqual(len(ways), 3, ways)
        for lsn in (1, 2, 3, 4):
            self.assertEqual(rows("replay", "--json", "--to-lsn", lsn, self.directory)[0]["lsn"],
                             lsn)

    def test_the_last_state_is_the_one_that_verify_finds(self):
        _, out, _ = recover("verify", self.directory)
        _, again, _ = recover("replay", "--to-lsn", self.last, self.directory)
        line = [line for line in out.splitlines() if line.startswith("state: ")]
        self.assertEqual(line, again.splitlines()[:1])

    def test_every_way_to_a_state_gives_the_same_bytes(self):
        path, archive = self.pruned("ways")
        for lsn in (self.snapshots[-1] + 3, self.snapshots[0] + 2, self.snapshots[0] - 9):
            for what in ("--cells", "--reservations"):
                with_log = recover("dump", what, "--to-lsn", lsn, self.directory)
                with_archive = recover("dump", what, "--to-lsn", lsn, "--archive", archive, path)
                self.assertEqual(with_log[:2], with_archive[:2])
        digests = {rows("replay", "--json", "--to-lsn", lsn, *more)[0]["digest"]
                   for lsn in (self.snapshots[0] + 2,)
                   for more in ((self.directory,), (path,), ("--archive", archive, path))}
        self.assertEqual(len(digests), 1)

    def test_what_is_pruned_is_out_of_reach_and_said_so(self):
        path, archive = self.pruned("pruned")
        first = self.snapshots[0]
        self.check_state(first, directory=path)
        self.check_state(first + 1, directory=path)
        for command in (["replay"], ["dump", "--cells"], ["dump", "--reservations"]):
            status, out, err = recover(*command, "--to-lsn", first - 1, path)
            self.assertEqual((status, out), (OUT_OF_REACH, ""))
            self.assertIn(f"LSN {first - 1} cannot be reached: the oldest snapshot shows "
                          f"everything up to LSN {first}", err)
            self.assertIn("--archive", err)
        summary = self.check_state(first - 1, "--archive", archive, directory=path)
        self.assertEqual(summary["sources"], "from the log's beginning, with the archive")
        self.check_state(7, "--archive", archive, directory=path)
        os.mkdir(os.path.join(archive, "none"))
        status, _, err = recover("replay", "--to-lsn", 7, "--archive",
                                 os.path.join(archive, "none"), path)
        self.assertEqual(status, OUT_OF_REACH)
        self.assertIn("does not close the gap", err)
        status, _, err = recover("replay", "--to-lsn", 7, "--archive", archive + "x", path)
        self.assertEqual(status, 3, err)

    def test_what_has_not_happened_is_out_of_reach(self):
        status, _, err = recover("replay", "--to-lsn", self.last + 1, self.directory)
        self.assertEqual(status, OUT_OF_REACH)
        self.assertIn(f"the log is whole up to LSN {self.last}", err)

    def test_an_instant_is_its_last_effect(self):
        for index in (0, 10, len(self.effects) // 2, len(self.effects) - 1):
            t = self.effects[index]["t"]
            last = max(row["lsn"] for row in self.effects if row["t"] <= t)
            self.assertEqual(rows("replay", "--json", "--to-time", t, self.directory)[0]["lsn"],
                             last)
        first = rows("dump", "--cells", "--json", "--to-time", self.effects[40]["t"],
                     self.directory)
        self.assertEqual(first, rows("dump", "--cells", "--json", "--to-lsn",
                                     max(row["lsn"] for row in self.effects
                                         if row["t"] <= self.effects[40]["t"]), self.directory))
        late = rows("replay", "--json", "--to-time", "2200-01-01T00:00:00Z", self.directory)
        self.assertEqual(late[0]["lsn"], self.last)
        status, _, err = recover("replay", "--to-time", "2020-01-01T00:00:00Z", self.directory)
        self.assertEqual(status, OUT_OF_REACH)
        self.assertIn("the log begins with LSN 1", err)
        path, archive = self.pruned("instant")
        t = self.effects[40]["t"]
        self.assertEqual(recover("replay", "--to-time", t, path)[0], OUT_OF_REACH)
        self.assertEqual(rows("replay", "--json", "--to-time", t, "--archive", archive, path),
                         [dict(rows("replay", "--json", "--to-time", t, self.directory)[0],
                               sources="from the log's beginning, with the archive")])

    def test_damage_behind_the_point_does_not_hide_it(self):
        path = self.copy("damaged")
        with open(os.path.join(path, "log-000000000001"), "r+b") as file:
            file.seek(200 * 4096 + 180)
            file.write(b"\xff\xff\xff\xff")
        status, out, _ = recover("verify", path)
        self.assertEqual(status, 38, out)
        # A batch holds one effect here, but for the few that are empty.
        for lsn in (50, 150):
            status, out, err = recover("dump", "--cells", "--to-lsn", lsn, path)
            self.assertEqual(status, 38)
            self.assertIn("REFUSE DAMAGED", err)
            self.assertEqual(out, recover("dump", "--cells", "--to-lsn", lsn,
                                          self.directory)[1])
        status, out, err = recover("dump", "--cells", "--to-lsn", 900, path)
        self.assertEqual((status, out), (OUT_OF_REACH, ""))
        self.assertIn("the log is whole up to", err)

    def test_the_log_is_shown_in_part(self):
        shown = rows("dump", "--log", "--json", "--from-lsn", 20, "--to-lsn", 30, self.directory)
        self.assertEqual(shown, self.effects[19:30])

    # why

    def why(self, offset, *more, directory=None):
        date = datetime.date(1970, 1, 1) + datetime.timedelta(days=self.history.today + offset)
        return recover("why", HOTEL, 1, date, *more, directory or self.directory)

    def test_why_names_every_effect_on_the_night_and_adds_up(self):
        for offset in (1, 3, 7, 12, 40):
            night = self.history.today + offset
            lines, wanted = {}, []
            for effect in self.effects:
                if effect["kind"] == "RESERVE":
                    lines[effect["id"]] = sum(
                        line["rooms"] for line in effect["lines"]
                        if day_of(line["check_in"]) <= night < day_of(line["check_out"]))
                    kind = "BOOK" if effect["book"] else "HOLD"
                    if lines[effect["id"]]:
                        wanted.append((effect["lsn"], kind, lines[effect["id"]], effect["id"]))
                elif effect["kind"] in ("CONFIRM", "RELEASE", "CANCEL", "EXPIRE", "GRACE"):
                    if lines[effect["id"]]:
                        wanted.append((effect["lsn"], effect["kind"], lines[effect["id"]],
                                       effect["id"]))
                elif effect["kind"] in ("HOTEL", "TYPE") or effect["kind"] == "UPDATE" and (
                        day_of(effect["first_day"]) <= night <= day_of(effect["last_day"])):
                    wanted.append((effect["lsn"], effect["kind"], 0, None))
            status, out, err = self.why(offset, "--json")
            self.assertEqual(status, 0, err)
            found = [json.loads(line) for line in out.splitlines()]
            self.assertEqual([(row["lsn"], row["what"], row["rooms"], row["id"])
                              for row in found[:-1]], wanted)
            cell = [row for row in rows("dump", "--cells", "--json", self.directory)
                    if row["night"] == night][0]
            end = found[-1]
            self.assertEqual((end["what"], end["equals_state"], end["lsn"]),
                             ("VALUE", True, self.last))
            for name in ("limit", "held", "booked", "closed", "price_minor"):
                self.assertEqual(end[name], cell[name])
                self.assertEqual(found[-2][name], cell[name])
            self.assertFalse([row for row in found[:-1] if row["wrong"]])
            status, text, _ = self.why(offset)
            self.assertEqual(len(text.splitlines()), len(found) + 2)
            self.assertIn(f"{len(wanted)} effects, equal to the state", text)

    def test_why_as_of_an_effect_is_a_beginning_of_why(self):
        lsn = self.last // 2
        whole = self.why(3, "--json")[1].splitlines()[:-1]
        part = self.why(3, "--json", "--as-of", lsn)[1].splitlines()
        self.assertEqual(part[:-1], [row for row in whole if json.loads(row)["lsn"] <= lsn])
        value = json.loads(part[-1])
        cell = [row for row in rows("dump", "--cells", "--json", "--to-lsn", lsn, self.directory)
                if row["night"] == self.history.today + 3][0]
        self.assertEqual((value["lsn"], value["held"], value["booked"], value["price_minor"]),
                         (lsn, cell["held"], cell["booked"], cell["price_minor"]))

    def test_why_begins_with_a_snapshot_where_the_log_does_not_reach_the_beginning(self):
        path, archive = self.pruned("why")
        status, out, err = self.why(3, "--json", directory=path)
        self.assertEqual(status, 0, err)
        found = [json.loads(line) for line in out.splitlines()]
        whole = [json.loads(line) for line in self.why(3, "--json")[1].splitlines()]
        first = self.snapshots[0]
        self.assertEqual(found[0]["what"], "SNAPSHOT")
        self.assertLessEqual(found[0]["lsn"], first)
        self.assertEqual(found[1:-1], [row for row in whole[:-1] if row["lsn"] > first])
        before = [row for row in whole[:-1] if row["lsn"] <= first][-1]
        for name in ("limit", "held", "booked", "price_minor"):
            self.assertEqual(found[0][name], before[name])
        self.assertEqual(found[-1]["equals_state"], True)
        _, text, _ = self.why(3, directory=path)
        self.assertIn("what led to this lies before the log that is kept", text)
        self.assertEqual(self.why(3, "--json", "--archive", archive, directory=path)[1],
                         self.why(3, "--json")[1])
        self.assertEqual(self.why(3, "--as-of", 50, directory=path)[0], OUT_OF_REACH)

    def test_why_of_what_is_not_there(self):
        status, out, _ = self.why(-3)
        self.assertEqual(status, 0)
        self.assertIn("- - - - -", out)
        self.assertEqual(recover("why", 99, 1, "2027-01-01", self.directory)[0], OUT_OF_REACH)
        status, out, _ = recover("why", HOTEL, 0, "2027-01-01", self.directory)  # a number too
        self.assertEqual(status, 0, out)
        status, out, _ = recover("why", HOTEL, 9, "2027-01-01", self.directory)
        self.assertEqual(status, 0)
        self.assertIn("VALUE - - - - - -", out)

    # the command line

    def test_what_does_not_go_together(self):
        for words in (["replay"], ["verify", "--json"], ["replay", "--json"],
                      ["replay", "--to-lsn", "0"], ["replay", "--to-lsn", "-1"],
                      ["replay", "--to-lsn", "1", "--to-time", "2026-01-01T00:00:00Z"],
                      ["replay", "--to-time", "yesterday"], ["verify", "--to-lsn", "1"],
                      ["dump", "--cells", "--from-lsn", "1"],
                      ["dump", "--log", "--to-time", "2026-01-01T00:00:00Z"],
                      ["why", "1", "1"], ["why", "1", "1", "soon"], ["why", "0", "1", "2026-01-01"],
                      ["why", "1", "1", "2026-01-01", "--to-lsn", "4"], ["dance"]):
            status, _, err = recover(*words, self.directory)
            self.assertEqual(status, 2, (words, err))


class RulesTest(unittest.TestCase):
    """A hotel whose number no double keeps, and rules that came and went before a snapshot: the
    state it is built into numbers them otherwise than the log does."""

    HOTEL = (1 << 63) + 4711
    ACTOR = (1 << 64) - 1
    REASON = 'asked "so"\\, \u00e9'

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="keyrack-rules-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.directory = os.path.join(self.folder, "d")
        shard = shard_process.Shard(SHARD, PB, self.folder)
        connection = shard.connect()
        self.today = int(time.time() // 86400)
        self.put(connection, "HOTEL_PUT", PB.HotelPutRequest(
            hotel_id=self.HOTEL, mask=6,
            settings=PB.HotelSettings(zone="Europe/Paris", currency="EUR")))
        self.put(connection, "TYPE_PUT", PB.TypePutRequest(
            hotel_id=self.HOTEL, type=1, mask=5,
            settings=PB.TypeSettings(code="DBL", physical=5)))
        for night, nights in ((10, 2), (11, 3), (10, 4), (12, 5)):
            self.put(connection, "INVENTORY_SET", PB.InventorySetRequest(
                hotel_id=self.HOTEL, types=[1], first_day=self.today + night,
                last_day=self.today + night, weekday_mask=127, set_mask=1 << 7 | 1 << 8,
                price_minor=9900, min_arrival=nights, actor=self.ACTOR, reason=self.REASON))
        connection.close()
        shard.end(signal.SIGTERM)

    def put(self, connection, kind, body):
        code, _ = connection.call(kind, wire.HOTEL, self.HOTEL, body)
        self.assertEqual(code, wire.DONE)

    def test_why_tells_rules_and_does_not_take_their_numbers_for_them(self):
        date = datetime.date(1970, 1, 1) + datetime.timedelta(days=self.today + 10)
        status, out, err = recover("why", self.HOTEL, 1, date, "--json", self.directory)
        self.assertEqual(status, 0, (out, err))
        found = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([row["min_arrival"] for row in found if row["what"] == "UPDATE"], [2, 4])
        for row in found:
            if row["what"] == "UPDATE":
                self.assertEqual((row["actor"], row["reason"]), (str(self.ACTOR), self.REASON))
        cell = [row for row in rows("dump", "--cells", "--json", self.directory)
                if row["date"] == str(date)][0]
        end = found[-1]
        for name in end:
            if name not in ("lsn", "what", "counted", "flags", "effects", "equals_state"):
                self.assertEqual(end[name], cell[name], name)
        status, out, err = recover("why", self.HOTEL, 1, date, self.directory)
        self.assertEqual(status, 0, (out, err))
        self.assertIn("equal to the state", out)
        self.assertIn(' reason="asked ?so??, \u00e9"', out)

    def test_a_number_that_doubles_lose_is_text(self):
        for what in ("--cells", "--log"):
            found = [row["hotel"] for row in rows("dump", what, "--json", self.directory)
                     if row["hotel"]]
            self.assertEqual(set(found), {str(self.HOTEL)}, what)
        status, out, _ = recover("diff", "--json", "--from-lsn", 3, self.directory)
        self.assertEqual(status, 53)
        found = [json.loads(line) for line in out.splitlines()]
        self.assertEqual({row["hotel"] for row in found if "hotel" in row}, {str(self.HOTEL)})
        self.assertEqual({row["what"] for row in found}, {"hotel", "cell", "counts"})


unittest.main(argv=sys.argv[:1], verbosity=1)

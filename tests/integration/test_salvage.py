#!/usr/bin/python3
"""keyrack-recover salvage: what is whole of a damaged directory, as one that a shard starts from.

usage: test_salvage.py SOURCE_ROOT KEYRACK_SHARD KEYRACK_RECOVER
"""
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

ROOT, SHARD, RECOVER = sys.argv[1:4]
PB = wire.messages(ROOT)
BLOCK = 4096
HOTELS = [4711, 4712, 4713, 4714, 4715, 4716]
QUIET = 4716  # nothing happens to it after the first few effects
NOT_WHOLE, OUT_OF_REACH = 54, 50


def recover(*words):
    run = subprocess.run([RECOVER, *map(str, words)], capture_output=True, text=True, check=False)
    return run.returncode, run.stdout, run.stderr


def rows(*words):
    _, out, err = recover(*words)
    assert out, (words, err)
    return [json.loads(line) for line in out.splitlines()]


class SalvageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="keyrack-salvage-")
        cls.random = random.Random(11)
        cls.today = None
        cls.run_shard(200, signal.SIGTERM)
        cls.run_shard(200, signal.SIGKILL)
        cls.directory = os.path.join(cls.folder, "d")
        cls.effects = rows("dump", "--log", "--json", cls.directory)
        cls.last = cls.effects[-1]["lsn"]
        cls.blocks = cls.find_blocks()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def run_shard(cls, count, number):
        shard = shard_process.Shard(SHARD, PB, cls.folder)
        connection = shard.connect()
        hotels = HOTELS[:-1]
        try:
            if cls.today is None:
                for hotel in HOTELS:
                    shard_process.HOTEL = hotel
                    cls.today = shard_process.load(connection, PB, rooms=1000)
                hotels = HOTELS
            for index in range(count):
                hotel = cls.random.choice(hotels if index < 20 else HOTELS[:-1])
                cls.sell(connection, hotel)
            time.sleep(0.3)  # idle: the log is sealed, and MARK says so
        finally:
            connection.close()
            shard.end(number)

    @classmethod
    def sell(cls, connection, hotel):
        ident = wire.mint(hotel, cls.random.getrandbits(60))
        code, _ = connection.call(
            cls.random.choice(("HOLD", "BOOK")), wire.HOTEL, hotel, PB.ReserveRequest(
                hotel_id=hotel, id_hi=ident[0], id_lo=ident[1], source=1, lines=[PB.Line(
                    type=1, check_in=cls.today + 3, check_out=cls.today + 5, rooms=1, guests=2)]))
        assert code == wire.DONE, code

    @classmethod
    def find_blocks(cls):
        """Where each LSN's batch begins in the first segment, from the batches' headers."""
        found = {}
        with open(os.path.join(cls.directory, "log-000000000001"), "rb") as file:
            data = file.read()
        for offset in range(0, len(data), BLOCK):
            if data[offset:offset + 8] != b"KYRBATCH":
                continue
            first = int.from_bytes(data[offset + 72:offset + 80], "little")
            count = int.from_bytes(data[offset + 124:offset + 128], "little")
            for lsn in range(first, first + count):
                found[lsn] = offset
        return found

    def copy(self, name, snapshots=False):
        path = os.path.join(self.folder, name)
        shutil.copytree(self.directory, path)
        self.addCleanup(shutil.rmtree, path)
        for other in os.listdir(path):
            if other.startswith("snap-") and not snapshots:
                os.remove(os.path.join(path, other))
        return path

    def damage(self, path, lsn):
        with open(os.path.join(path, "log-000000000001"), "r+b") as file:
            file.seek(self.blocks[lsn] + 170)
            file.write(b"\xff\x00\xff\x00")

    def salvage(self, path):
        """The status, what was said, and the folder with the new directory."""
        folder = path + "-out"
        os.mkdir(folder)
        self.addCleanup(shutil.rmtree, folder)
        status, out, err = recover("salvage", "--out", os.path.join(folder, "d"), path)
        return status, out + err, folder

    def sales(self, effects):
        found = {}
        for effect in effects:
            if effect["kind"] == "RESERVE":
                found.setdefault(effect["hotel"], set()).add(effect["id"])
        return found

    def check_state(self, folder, last_seqs):
        """Each hotel up to its event, and a shard that starts, sells, and is whole."""
        directory = os.path.join(folder, "d")
        wanted = self.sales([row for row in self.effects
                             if row.get("event_seq", 0) <= last_seqs.get(row["hotel"], 0)])
        found = {}
        for row in rows("dump", "--reservations", "--json", directory):
            found.setdefault(row["hotel"], set()).add(row["id"])
        self.assertEqual(found, wanted)
        for number in (signal.SIGKILL, signal.SIGTERM):
            shard = shard_process.Shard(SHARD, PB, folder)
            connection = shard.connect()
            for hotel in last_seqs:
                self.sell(connection, hotel)
            connection.close()
            shard.end(number)
            status, out, _ = recover("verify", directory)
            self.assertIn(status, (0, 11), out)
        count = sum(map(len, wanted.values())) + 2 * len(last_seqs)
        self.assertEqual(len(rows("dump", "--reservations", "--json", directory)), count)

    def seqs(self, until=None):
        """The last event of each hotel, or the last one before it is missing."""
        found = {}
        for row in self.effects:
            if row["hotel"] and row["lsn"] not in (until or ()):
                if row["event_seq"] == found.get(row["hotel"], 0) + 1:
                    found[row["hotel"]] = row["event_seq"]
        return found

    def check_damaged(self, name, lost):
        path = self.copy(name)
        for lsn in lost:
            self.damage(path, lsn)
        before = {other: os.stat(os.path.join(path, other)).st_mtime_ns
                  for other in os.listdir(path) if other != "LOCK"}
        status, said, folder = self.salvage(path)
        self.assertEqual(status, NOT_WHOLE, said)
        after = {other: os.stat(os.path.join(path, other)).st_mtime_ns
                 for other in os.listdir(path) if other != "LOCK"}
        self.assertEqual(before, after)
        self.assertRegex(said, r"missing: LSN \d+ to \d+")
        ended = {row["hotel"] for row in self.effects if row["lsn"] in lost}
        for hotel in ended:
            seq = self.seqs(lost)[hotel]
            self.assertIn(f"hotel {hotel}: whole up to event {seq} (LSN ", said)
            self.assertIn(f"event {seq + 1} is missing", said)
        self.assertIn(f"hotel {QUIET}: whole up to event", said)
        self.assertIn("nothing of it is seen behind what is missing", said)
        self.assertIn(f"salvaged: {len(HOTELS)} hotels; {len(ended)} end at a gap or are lost; 1 "
                      "may lack", said)
        self.check_state(folder, self.seqs(lost))

    def sale_of(self, hotel, index):
        return [row["lsn"] for row in self.effects
                if row["kind"] == "RESERVE" and row["hotel"] == hotel][index]

    def test_only_hotels_with_an_event_in_the_hole_end_there(self):
        self.check_damaged("one", [self.sale_of(4712, 12)])
        self.check_damaged("three", [self.sale_of(4711, 5), self.sale_of(4714, 20),
                                     self.sale_of(4714, 30)])

    def test_a_snapshot_behind_the_damage_leaves_nothing_lost(self):
        path = self.copy("snapshot", snapshots=True)
        self.damage(path, self.sale_of(4712, 3))
        status, out, _ = recover("verify", path)
        self.assertEqual(status, 38, out)
        status, said, folder = self.salvage(path)
        self.assertEqual(status, 0, said)
        self.assertIn("0 end at a gap or are lost; 0 may lack", said)
        self.check_state(folder, self.seqs())

    def test_a_hotel_whose_beginning_is_lost_is_not_recoverable(self):
        path = self.copy("beginning")
        made = [row["lsn"] for row in self.effects
                if row["kind"] == "HOTEL" and row["hotel"] == 4713][0]
        self.damage(path, made)
        status, said, folder = self.salvage(path)
        self.assertEqual(status, NOT_WHOLE, said)
        self.assertIn("hotel 4713: not recoverable; event 1 is missing", said)
        seqs = self.seqs()
        del seqs[4713]
        self.check_state(folder, seqs)

    def test_an_end_that_is_gone_is_counted_as_missing(self):
        path = self.copy("end")
        os.truncate(os.path.join(path, "log-000000000001"), self.blocks[self.last - 40])
        status, said, folder = self.salvage(path)
        self.assertEqual(status, NOT_WHOLE, said)
        self.assertIn(f"missing: LSN {self.last - 40} to ", said)
        self.check_state(folder, self.seqs(range(self.last - 40, self.last + 1)))

    def test_a_directory_that_is_whole_is_copied(self):
        path = self.copy("whole", snapshots=True)
        status, said, folder = self.salvage(path)
        self.assertEqual(status, 0, said)
        self.assertEqual(recover("diff", path, os.path.join(folder, "d"))[0], 0)
        self.check_state(folder, self.seqs())

    def test_where_it_does_not_go(self):
        path = self.copy("nowhere", snapshots=True)
        out = os.path.join(self.folder, "nowhere2")
        self.assertEqual(recover("salvage", path)[0], 2)
        status, _, err = recover("salvage", "--out", self.directory, path)
        self.assertEqual(status, 3)
        self.assertIn("holds a shard already", err)
        os.remove(os.path.join(path, "SHARD"))
        self.assertEqual(recover("salvage", "--out", out, path)[0], 42)
        self.assertFalse(os.path.exists(out))


unittest.main(argv=sys.argv[:1], verbosity=1)

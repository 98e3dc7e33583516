#!/usr/bin/python3
"""keyrack-recover on directories that keyrack-shard wrote, whole and damaged.

usage: test_recover.py SOURCE_ROOT KEYRACK_SHARD KEYRACK_RECOVER
"""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import shard_process
import wire

ROOT, SHARD, RECOVER = sys.argv[1:4]
PB = wire.messages(ROOT)
BLOCK = 4096
WHOLE = (0, 11)  # a killed shard may leave a segment that was being prepared


def recover(*words):
    run = subprocess.run([RECOVER, *words], capture_output=True, text=True, check=False)
    return run.returncode, run.stdout, run.stderr


class RecoverTest(unittest.TestCase):
    """Each test begins with 30 reservations of a shard that was killed."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="keyrack-recover-")
        self.directory = os.path.join(self.folder, "d")
        self.random = random.Random(1)
        self.today = None
        self.booked = []
        self.sell(30, signal.SIGKILL)

    def tearDown(self):
        shutil.rmtree(self.folder)

    def sell(self, count, number):
        shard = shard_process.Shard(SHARD, PB, self.folder)
        connection = shard.connect()
        if self.today is None:
            self.today = shard_process.load(connection, PB, rooms=100)
        for index in range(count):
            ident = wire.mint(shard_process.HOTEL, self.random.getrandbits(60))
            code, _ = connection.call("BOOK", wire.HOTEL, shard_process.HOTEL,
                                      shard_process.sale(PB, self.today, ident, 10 + index % 5))
            self.assertEqual(code, wire.DONE)
            self.booked.append(ident)
        connection.close()
        self.assertEqual(shard.end(number), 0 if number == signal.SIGTERM else -number)

    def path(self, name):
        return os.path.join(self.directory, name)

    def log_end(self):
        """Bytes of the first segment up to its last block that is not zero."""
        with open(self.path("log-000000000001"), "rb") as file:
            return (len(file.read().rstrip(b"\0")) + BLOCK - 1) // BLOCK * BLOCK

    def patch(self, name, offset, data):
        with open(self.path(name), "r+b") as file:
            file.seek(offset)
            file.write(data)

    def test_a_clean_directory_is_clean_and_dumps_what_was_sold(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            status, out, _ = recover("verify", self.directory)
            self.assertIn(status, WHOLE, out)
            self.assertIn("START", out)
            self.assertIn(f"{len(self.booked)} reservations", out)
            _, out, _ = recover("dump", "--reservations", "--json", self.directory)
            found = [json.loads(line) for line in out.splitlines()]
            self.assertEqual([row["id"].replace("-", "") for row in found],
                             [f"{high:016x}{low:016x}" for high, low in sorted(self.booked)])
            self.assertEqual({row["state"] for row in found}, {"CONFIRMED"})
            counts = {}
            for row in found:
                for line in row["lines"]:
                    for night in range(line["check_in"], line["check_out"]):
                        counts[night] = counts.get(night, 0) + line["rooms"]
            _, out, _ = recover("dump", "--cells", "--json", self.directory)
            cells = [json.loads(line) for line in out.splitlines()]
            self.assertEqual({cell["night"]: cell["booked"] for cell in cells if cell["booked"]},
                             counts)
            _, again, _ = recover("dump", "--cells", "--json", self.directory)
            self.assertEqual(out, again)
            self.sell(10, number)

    def test_the_log_is_shown_effect_by_effect(self):
        status, out, _ = recover("dump", "--log", "--json", self.directory)
        self.assertEqual(status, 0)
        rows = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([row["lsn"] for row in rows], list(range(1, len(rows) + 1)))
        self.assertEqual([row["kind"] for row in rows[:4]], ["START", "HOTEL", "TYPE", "UPDATE"])
        self.assertEqual({row["kind"] for row in rows[4:]}, {"RESERVE"})
        seqs = [row["event_seq"] for row in rows[1:]]
        self.assertEqual(seqs, list(range(1, len(rows))))
        _, text, _ = recover("dump", "--log", self.directory)
        self.assertEqual(len(text.splitlines()), len(rows))

    def test_a_torn_tail_is_cut_on_demand_and_its_bytes_are_kept(self):
        self.patch("log-000000000001", self.log_end(), b"garbage" * 100)
        status, out, _ = recover("verify", self.directory)
        self.assertEqual(status, 20, out)
        self.assertIn("keyrack-recover repair-tail DIR", out)
        status, _, _ = recover("dump", "--cells", self.directory)
        self.assertEqual(status, 0)
        status, out, _ = recover("repair-tail", self.directory)
        self.assertEqual(status, 0, out)
        self.assertTrue([name for name in os.listdir(self.directory) if ".torn-" in name])
        status, out, _ = recover("verify", self.directory)
        self.assertEqual(status, 0, out)
        self.assertIn("30 reservations", out)
        status, out, _ = recover("repair-tail", self.directory)
        self.assertIn("nothing was written", out)

    def test_damage_to_what_was_acknowledged_is_refused_by_tool_and_start_alike(self):
        self.patch("log-000000000001", 12 * BLOCK + 200, b"\xff\xff\xff\xff")
        status, out, _ = recover("verify", self.directory)
        self.assertEqual(status, 38, out)
        self.assertIn("REFUSE DAMAGED", out)
        before = {name: os.stat(self.path(name)).st_mtime_ns for name in os.listdir(self.directory)
                  if name != "LOCK"}
        status, out, _ = recover("repair-tail", self.directory)
        self.assertEqual(status, 38)
        shard = shard_process.Shard(SHARD, PB, self.folder, wait=False)
        self.assertEqual(shard.end(0), 38)
        self.assertIn("REFUSE DAMAGED", "".join(shard.lines))
        after = {name: os.stat(self.path(name)).st_mtime_ns for name in os.listdir(self.directory)
                 if name != "LOCK"}
        self.assertEqual(before, after)
        status, out, _ = recover("dump", "--log", self.directory)
        self.assertEqual(status, 38)
        self.assertGreater(len(out.splitlines()), 1)

    def test_a_bad_snapshot_falls_back_to_the_log(self):
        self.sell(5, signal.SIGTERM)
        snap = [name for name in os.listdir(self.directory) if name.startswith("snap-")][0]
        self.patch(snap, 150, b"\xff\xff\xff")
        status, out, _ = recover("verify", self.directory)
        self.assertEqual(status, 15, out)
        self.assertIn("35 reservations", out)
        self.sell(1, signal.SIGTERM)
        status, out, _ = recover("verify", self.directory)
        self.assertIn("36 reservations", out)

    def test_a_directory_in_use_and_none_at_all(self):
        shard = shard_process.Shard(SHARD, PB, self.folder)
        status, _, err = recover("verify", "--lock-wait", "0", self.directory)
        self.assertEqual(status, 44, err)
        self.assertIn("IN_USE", err)
        shard.end(signal.SIGTERM)
        self.assertEqual(recover("verify", os.path.join(self.folder, "none"))[0], 3)
        os.mkdir(os.path.join(self.folder, "empty"))
        self.assertEqual(recover("verify", os.path.join(self.folder, "empty"))[0], 10)
        self.assertEqual(recover("verify")[0], 2)
        self.assertEqual(recover("dump", self.directory)[0], 2)

    def test_sizes_follow_the_directory(self):
        """More nights than the tool's own default, and a log from the beginning as well."""
        other = os.path.join(self.folder, "other")
        os.mkdir(other)
        for number in (signal.SIGKILL, signal.SIGTERM):
            shard = shard_process.Shard(SHARD, PB, other, "--nights", "1500")
            connection = shard.connect()
            shard_process.load(connection, PB, rooms=3, nights=1400)
            connection.close()
            shard.end(number)
            status, out, _ = recover("verify", os.path.join(other, "d"))
            self.assertIn(status, WHOLE, out)
            _, out, _ = recover("dump", "--cells", "--json", os.path.join(other, "d"))
            priced = [row for row in map(json.loads, out.splitlines()) if row["price_minor"]]
            self.assertEqual(len(priced), 1400)


unittest.main(argv=sys.argv[:1], verbosity=1)

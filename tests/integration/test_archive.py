#!/usr/bin/python3
"""keyrack-shard --log-archive: copies of the log, an archive that fails, and going back by it.

usage: test_archive.py SOURCE_ROOT KEYRACK_SHARD KEYRACK_RECOVER
"""
import filecmp
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
HOTEL = shard_process.HOTEL
BATCHES = 2048  # of one effect, in a segment of 8 MiB


def recover(*words):
    run = subprocess.run([RECOVER, *map(str, words)], capture_output=True, text=True, check=False)
    return run.returncode, run.stdout, run.stderr


def wait_until(what, seconds=30):
    end = time.time() + seconds
    while time.time() < end:
        if what():
            return True
        time.sleep(0.05)
    return False


class ArchiveTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="keyrack-archive-")
        self.directory = os.path.join(self.folder, "d")
        self.archive = os.path.join(self.folder, "a")
        self.random = random.Random(7)
        self.today, self.shard, self.connection = None, None, None

    def tearDown(self):
        if self.shard is not None:
            self.shard.end(signal.SIGKILL)
        for name in ("full",):
            subprocess.run(["umount", os.path.join(self.folder, name)], check=False,
                           stderr=subprocess.DEVNULL)
        shutil.rmtree(self.folder)

    def start(self, *more, archive=None):
        self.shard = shard_process.Shard(SHARD, PB, self.folder, "--log-archive",
                                         archive or self.archive, *more)
        self.connection = self.shard.connect()
        if self.today is None:
            self.today = shard_process.load(self.connection, PB, rooms=1000)

    def stop(self, number=signal.SIGTERM):
        self.connection.close()
        status = self.shard.end(number)
        self.assertEqual(status, 0 if number == signal.SIGTERM else -number)
        shard, self.shard = self.shard, None
        return shard

    def call(self, index):
        return self.connection.call("INVENTORY_SET", wire.HOTEL, HOTEL, PB.InventorySetRequest(
            hotel_id=HOTEL, types=[1], first_day=self.today + 2, last_day=self.today + 3,
            weekday_mask=127, set_mask=1 << 7, price_minor=5000 + index % 4000))[0]

    def work(self, count):
        for index in range(count):
            self.assertEqual(self.call(index), wire.DONE)

    def book(self):
        ident = wire.mint(HOTEL, self.random.getrandbits(60))
        return self.connection.call("BOOK", wire.HOTEL, HOTEL, shard_process.sale(
            PB, self.today, ident, 4))[0]

    def stats(self):
        _, answer = self.connection.call("STATS", wire.SHARD, 0, PB.StatsRequest())
        return {stat.name: stat.value for stat in answer.stats}, answer.state

    def segments(self, folder):
        return sorted(name for name in os.listdir(folder)
                      if name.startswith("log-") and "." not in name)

    def same(self, name):
        return filecmp.cmp(os.path.join(self.directory, name), os.path.join(self.archive, name),
                           shallow=False)

    def test_segments_are_copied_and_the_past_can_be_reached_by_them(self):
        self.start()
        self.work(BATCHES + 50)
        self.book()
        # The name is there a little before its directory is synced, and only then it counts.
        self.assertTrue(wait_until(lambda: self.stats()[0]["archived_segments"] == 1))
        self.assertEqual(self.segments(self.archive), ["log-000000000001"])
        self.assertTrue(self.same("log-000000000001"))
        stats, _ = self.stats()
        self.assertEqual((stats["archived_segments"], stats["archive_failures"],
                          stats["archive_lag_segments"]), (1, 0, 0))
        self.stop()
        self.start()
        self.book()
        self.stop()
        # Snapshots lie behind the first segment: the next one to be made recycles it.
        self.start()
        self.book()
        self.connection.call("SNAPSHOT", wire.SHARD, 0, PB.SnapshotRequest())
        self.work(BATCHES)
        self.assertTrue(wait_until(lambda: "log-000000000001" not in
                                   self.segments(self.directory)))
        self.assertTrue(wait_until(lambda: len(self.segments(self.archive)) == 2))
        self.stop(signal.SIGKILL)
        self.assertEqual(recover("replay", "--to-lsn", 9, self.directory)[0], 50)
        status, out, err = recover("replay", "--json", "--to-lsn", 9, "--archive", self.archive,
                                   self.directory)
        self.assertEqual(status, 0, err)
        self.assertEqual(json.loads(out)["lsn"], 9)
        status, out, err = recover("why", HOTEL, 1, time.strftime(
            "%Y-%m-%d", time.gmtime((self.today + 2) * 86400)), "--archive", self.archive,
                                   self.directory)
        self.assertEqual(status, 0, err)
        self.assertIn("from the log's beginning, with the archive", out)
        self.assertIn("equal to the state", out)
        _, log, _ = recover("dump", "--log", "--archive", self.archive, self.directory)
        self.assertEqual(log.split(" ", 1)[0], "1")
        self.assertFalse([name for name in os.listdir(self.archive) if name.endswith(".new")])

    def test_a_copy_of_a_run_before_is_compared_and_replaced_where_it_differs(self):
        self.start()
        self.work(BATCHES + 10)
        self.assertTrue(wait_until(lambda: self.segments(self.archive)))
        self.stop(signal.SIGKILL)
        before = os.stat(os.path.join(self.archive, "log-000000000001"))
        self.start()
        self.assertTrue(wait_until(lambda: self.stats()[0]["archived_segments"] == 1))
        self.stop(signal.SIGKILL)
        after = os.stat(os.path.join(self.archive, "log-000000000001"))
        self.assertEqual((before.st_ino, before.st_mtime_ns), (after.st_ino, after.st_mtime_ns))
        with open(os.path.join(self.archive, "log-000000000001"), "r+b") as file:
            file.seek(5000000)
            file.write(b"another history")
        self.start()
        self.assertTrue(wait_until(lambda: self.stats()[0]["archived_segments"] == 1))
        self.stop(signal.SIGKILL)
        self.assertTrue(self.same("log-000000000001"))
        # Half a copy, of a process that was killed while it was made, is none.
        os.truncate(os.path.join(self.archive, "log-000000000001"), 4096)
        self.start()
        self.assertTrue(wait_until(lambda: self.stats()[0]["archived_segments"] == 1))
        self.stop(signal.SIGKILL)
        self.assertTrue(self.same("log-000000000001"))

    def test_an_archive_is_of_one_shard(self):
        self.start()
        self.stop()
        shutil.rmtree(self.directory)
        shard = shard_process.Shard(SHARD, PB, self.folder, "--log-archive", self.archive,
                                    "--shards", "2", "--shard-index", "1", wait=False)
        self.assertEqual(shard.end(0), 3)
        self.assertIn("is not this shard's", "".join(shard.lines))

    def test_an_archive_that_is_full_is_said_once_and_holds_up_the_log_at_its_cap(self):
        full = os.path.join(self.folder, "full")
        os.mkdir(full)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", full], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("mounting needs rights")
        self.start("--log-archive-keep", "1", "--allow-tmpfs", archive=full)
        code = wire.DONE
        for index in range(4 * BATCHES):
            code = self.call(index)
            if code != wire.DONE:
                break
        self.assertEqual(code, wire.READ_ONLY)
        self.assertEqual(self.book(), wire.READ_ONLY)
        stats, state = self.stats()
        self.assertEqual(state, "read_only")
        self.assertGreaterEqual(stats["archive_failures"], 1)
        self.assertEqual(stats["archive_lag_segments"], 1)
        self.assertEqual(stats["archived_segments"], 0)
        said = "".join(self.shard.lines)
        self.assertEqual(said.count(" fails: "), 1, said)
        self.assertIn("ENOSPC", said)
        self.assertEqual(said.count("the archive does not take segments"), 1, said)
        self.assertLessEqual(len(self.segments(self.directory)), 3)
        subprocess.run(["mount", "-o", "remount,size=100m", full], check=True)
        self.assertTrue(wait_until(lambda: self.stats()[1] == "serving"))
        self.assertEqual(self.book(), wire.DONE)
        self.assertIn("the archive takes segments again", "".join(self.shard.lines))
        self.stop()
        status, out, _ = recover("verify", self.directory)
        self.assertIn(status, (0, 11), out)


unittest.main(argv=sys.argv[:1], verbosity=1)

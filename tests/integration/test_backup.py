#!/usr/bin/python3
"""keyrack backup and restore: under load, through kills, to other numbers of shards and to points in
the past. What a client was told before the backup began is the oracle, as for crashes.

usage: test_backup.py SOURCE_ROOT KEYRACK KEYRACK_SHARD KEYRACK_ROUTER KEYRACK_BENCH KEYRACK_RECOVER
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

import pykeyrack

sys.dont_write_bytecode = True
SOURCE_ROOT, KEYRACK, SHARD, ROUTER, BENCH, RECOVER = sys.argv[1:7]
sys.path.insert(0, os.path.join(SOURCE_ROOT, "tests", "crash"))
import crash  # noqa: E402
import crash_check as check  # noqa: E402
from local_cluster import DONE, REFUSED, TIMEOUT_S, LocalCluster  # noqa: E402

SIZES = ["--hotels", "100", "--types", "800", "--nights", "120", "--reservations", "200000"]
SHEETS = ("hotels", "types", "plans", "calendar")
UNREACHABLE = 3
NO_START = 30  # and more: verdicts that no start goes on from
# Of each kind of accident.
ROUNDS = 10 if os.environ.get("KEYRACK_LONG") else 2


def recover(*words):
    done = subprocess.run([RECOVER, *map(str, words)], capture_output=True, text=True,
                          timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


def dump(folder, shards):
    reservations, cells = [], []
    for shard in range(shards):
        where = os.path.join(folder, f"shard-{shard}")
        words = ["--json", "--allow-tmpfs", where]
        reservations += map(crash.reservation_of,
                            crash.json_list(recover("dump", "--reservations", *words)))
        cells += map(crash.cell_of, crash.json_list(recover("dump", "--cells", *words)))
    return reservations, cells


class Bench:
    """Sells until it is stopped, and journals every answer."""

    def __init__(self, cluster, journal, seed, seconds=900):
        self.journal = journal
        words = ["--router", cluster.router, "--journal", journal, "--seconds", str(seconds),
                 "--warmup", "0", "--seed", str(seed), "--window", "90", "--rate", "2000",
                 "--connections", "4", "--depth", "4",
                 "--mix", "book=2,hold+confirm=1,cancel=1"]
        self.log = open(journal + ".log", "wb")
        self.process = subprocess.Popen([BENCH, "run", *words], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log)
        self.wait_for(200)

    def entries(self):
        try:
            with open(self.journal, encoding="utf-8") as file:
                return check.journal_parse(file.read())
        except FileNotFoundError:
            return []

    def wait_for(self, count):
        """Until so many more answers stand in the journal."""
        wanted = len(self.entries()) + count
        deadline = time.monotonic() + TIMEOUT_S
        while len(self.entries()) < wanted:
            assert time.monotonic() < deadline and self.process.poll() is None, self.said()
            time.sleep(0.05)

    def said(self):
        with open(self.journal + ".log", encoding="utf-8") as file:
            return file.read()

    def stop(self):
        """May be called again. It is killed: what it was told stands in its journal up to the last flush."""
        self.process.kill()
        self.process.wait(TIMEOUT_S)
        self.log.close()


class BackupCase(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="keyrack-backup-")
        self.clusters, self.benches = [], []

    def tearDown(self):
        for bench in self.benches:
            bench.stop()
        for cluster in self.clusters:
            cluster.stop()
        shutil.rmtree(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def cluster(self, shards=2, *more):
        cluster = LocalCluster(KEYRACK, self.path(f"cluster{len(self.clusters)}"), shards,
                               [*SIZES, *more])
        self.clusters.append(cluster)
        return cluster.start()

    def loaded(self, shards=2, *more):
        cluster = self.cluster(shards, *more)
        subprocess.run([BENCH, "load", "--router", cluster.router, "--hotels", "40", "--nights",
                        "110", "--quiet"], check=True, timeout=TIMEOUT_S)
        for hotel in json.loads(cluster.ok("hotel", "list", "--json"))["hotels"][:8]:
            number, first = hotel["hotel_id"], hotel["business_day"]
            cluster.ok("plan", "put", number, 0, 1, "--code", "FLEX", "--policy", "strict")
            cluster.ok("plan", "put", number, 0, 2, "--from", 1, "--percent", "-10")
            cluster.ok("inventory", "set", number, "--types", 0, "--plan", 1, "--nights",
                       f"{first}..{datetime.date.fromisoformat(first) + datetime.timedelta(30)}",
                       "--set", "min-arrival=2")
        return cluster

    def bench(self, cluster, seed=1):
        bench = Bench(cluster, self.path(f"journal{len(self.benches)}"), seed)
        self.benches.append(bench)
        return bench

    def restored(self, backup, name, *more, code=DONE):
        done = self.clusters[0].run("restore", backup, "--dir", self.path(name), "--allow-tmpfs",
                                    *more)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def hold_against(self, bench, known, folder, shards, knows_all=True):
        """Nothing that was acknowledged before is missing or altered, cells are recounted.
        knows_all: the journal goes on behind the backup."""
        entries = bench.entries()
        history = check.History()
        history.feed(entries[:known])
        # What was answered later may be in it or not. The last answers may not be in the journal.
        history.feed([check.Entry(e.id, e.op, "UNKNOWN", e.hotel, e.line)
                      for e in entries[known:]])
        if not knows_all:  # moves that were answered after its last flush
            history.feed([check.Entry(e.id, op, "UNKNOWN", e.hotel, e.line) for e in entries
                          if e.op in check.SALES for op in ("CONFIRM", "CANCEL")])
        reservations, cells = dump(folder, shards)
        self.assertGreater(len(reservations), 100)
        found = check.reservations_check(history, reservations, allow_strangers=True)
        found += check.cells_check(reservations, cells)
        self.assertEqual([str(v) for v in found[:10]], [])
        return reservations


class LoadTest(BackupCase):
    def check_backup_under_load(self, *durability):
        cluster = self.loaded(2, *durability)
        bench = self.bench(cluster)
        cluster.ok("snapshot")
        bench.wait_for(1000)
        known = len(bench.entries())
        told = json.loads(cluster.ok("backup", self.path("backup"), "--dir", cluster.folder,
                                     "--json"))
        bench.wait_for(200)
        bench.stop()
        for part in told["parts"]:
            self.assertGreaterEqual(part["lsn"], part["covers_lsn"])
            where = os.path.join(self.path("backup"), f"shard-{part['shard']}")
            self.assertIn("recounted", recover_verify(where))
        self.assertFalse(os.path.exists(self.path("backup.partial")))
        for shards in (1, 5):
            name = f"restored{shards}"
            self.restored(self.path("backup"), name, "--shards", shards)
            counts = self.hold_against(bench, known, self.path(name), shards)
            self.assertEqual(len(counts), sum(part["reservations"] for part in told["parts"]))
        return cluster

    def test_nothing_acknowledged_before_is_missing_whatever_the_number_of_shards(self):
        cluster = self.check_backup_under_load()
        tables = [cluster.ok("export", sheet) for sheet in SHEETS]
        self.assertEqual(tables[2].count("\n"), 17)
        clone = LocalCluster(KEYRACK, self.path("restored5"), 5)
        self.clusters.append(clone)
        with open(os.path.join(clone.folder, "cluster.json"), encoding="utf-8") as file:
            config = json.load(file)
        config["listen"] = clone.router
        with open(os.path.join(clone.folder, "cluster.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)
        clone.ok("cluster", "start", "--dir", clone.folder)
        self.assertEqual([clone.ok("export", sheet) for sheet in SHEETS], tables)
        clone.ok("stats")

    def test_with_async_durability_too(self):
        self.check_backup_under_load("--durability", "async")


def recover_verify(folder):
    """The words of a verdict that a start would go on from: of two appends that were under way
    while the log was copied the second may be whole in it and the first missing (HOLE)."""
    done = subprocess.run([RECOVER, "verify", "--allow-tmpfs", folder], capture_output=True,
                          text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode < NO_START, done.stdout + done.stderr
    return done.stdout


class KillTest(BackupCase):
    def started(self, cluster, name):
        command, environment = cluster.command("backup", self.path(name), "--dir", cluster.folder)
        return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def test_a_shard_that_is_killed_ends_it_clearly_or_not_at_all(self):
        cluster = self.loaded()
        rng = random.Random(5)
        outcomes = set()
        for i in range(ROUNDS):
            bench = self.bench(cluster, seed=i + 10)
            known = len(bench.entries())
            pid = cluster.processes()["shard 0"]
            with self.started(cluster, f"backup{i}") as backup:
                if i == 0:  # before it begins to copy
                    os.kill(pid, signal.SIGKILL)
                else:
                    time.sleep(rng.random() * 0.4)
                    os.kill(pid, signal.SIGKILL)
                said = backup.communicate(timeout=TIMEOUT_S)[1]
            bench.stop()
            outcomes.add(backup.returncode)
            self.assertIn(backup.returncode, (DONE, UNREACHABLE), said)
            self.assertEqual(os.path.exists(self.path(f"backup{i}")), backup.returncode == DONE)
            if backup.returncode == DONE:
                self.restored(self.path(f"backup{i}"), f"restored{i}", "--shards", "3")
                self.hold_against(bench, known, self.path(f"restored{i}"), 3,
                                  knows_all=False)
            else:
                self.assertNotEqual(said, b"")
            cluster.start()
        cluster.ok("backup", self.path("last"), "--dir", cluster.folder)
        self.restored(self.path("last"), "restored-last")

    def test_what_a_killed_backup_leaves_is_no_backup_and_is_in_nobodys_way(self):
        cluster = self.loaded()
        bench = self.bench(cluster)
        rng = random.Random(6)
        for i in range(ROUNDS):
            name = f"backup{i}"
            with self.started(cluster, name) as backup:
                time.sleep(rng.random() * 0.8)
                backup.kill()
                backup.communicate(timeout=TIMEOUT_S)
            if os.path.exists(self.path(name + ".partial")):
                self.restored(self.path(name + ".partial"), f"no{i}", code=REFUSED)
                self.assertFalse(os.path.exists(self.path(f"no{i}")))
            known = len(bench.entries())
            if os.path.exists(self.path(name)):
                known = 0
            else:
                cluster.ok("backup", self.path(name), "--dir", cluster.folder)
            self.assertFalse(os.path.exists(self.path(name + ".partial")))
            self.restored(self.path(name), f"restored{i}", "--shards", "1")
            bench.wait_for(100)
            self.hold_against(bench, known, self.path(f"restored{i}"), 1)
            shutil.rmtree(self.path(name))
            shutil.rmtree(self.path(f"restored{i}"))

    def test_a_killed_restore_leaves_no_cluster_and_can_be_made_again(self):
        cluster = self.loaded()
        bench = self.bench(cluster)
        known = len(bench.entries())
        cluster.ok("backup", self.path("backup"), "--dir", cluster.folder)
        bench.wait_for(100)
        bench.stop()
        rng = random.Random(7)
        for i in range(ROUNDS):
            command, environment = cluster.command("restore", self.path("backup"), "--dir",
                                                   self.path(f"r{i}"), "--shards", "4",
                                                   "--allow-tmpfs")
            with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as restore:
                time.sleep(rng.random())
                restore.kill()
            if not os.path.exists(self.path(f"r{i}")):
                self.restored(self.path("backup"), f"r{i}", "--shards", "4")
            self.hold_against(bench, known, self.path(f"r{i}"), 4)
            shutil.rmtree(self.path(f"r{i}"))


class PointTest(BackupCase):
    def setUp(self):
        super().setUp()
        self.one = self.cluster(2)
        self.hotels = list(range(1, 9))
        for hotel in self.hotels:
            self.one.ok("hotel", "put", hotel, "--zone", "UTC", "--currency", "EUR")
            self.one.ok("type", "put", hotel, 0, "--physical", 9)
        self.today = datetime.date.fromisoformat(
            json.loads(self.one.ok("hotel", "get", 1, "--json"))["business_day"])

    def book(self, hotel, day):
        stay = f"{self.today + datetime.timedelta(day)}..{self.today + datetime.timedelta(day + 1)}"
        return json.loads(self.one.ok("book", hotel, "--type", "0", "--stay", stay, "--count-only",
                                      "--json"))["id"]

    def ids(self, name, shards):
        return {r.id for r in dump(self.path(name), shards)[0]}

    def last_lsns(self):
        told = json.loads(self.one.ok("stats", "--json"))
        return [shard["stats"]["last_lsn"] for shard in told["shards"]]

    def test_a_point_in_time_and_an_lsn_are_reached(self):
        early = {self.book(hotel, 1) for hotel in self.hotels}
        lsns = self.last_lsns()
        point = datetime.datetime.now(datetime.timezone.utc)
        time.sleep(0.01)
        late = {self.book(hotel, 2) for hotel in self.hotels}
        void = json.loads(self.one.run("resolve", mint(self.hotels[0]), "--json").stdout)["id"]
        backup = self.path("backup")
        self.one.ok("backup", backup, "--dir", self.one.folder)
        self.restored(backup, "then", "--to-time", point.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                      "--shards", "3")
        self.assertEqual(self.ids("then", 3), early)
        self.restored(backup, "lsn", "--to-lsn", f"0:{lsns[0]}", "--to-lsn", f"1:{lsns[1]}")
        self.assertEqual(self.ids("lsn", 2), early)
        self.restored(backup, "half", "--to-lsn", f"1:{lsns[1]}", "--shards", "1")
        self.assertTrue(early < self.ids("half", 1))
        self.restored(backup, "all", "--shards", "4")
        self.assertEqual(self.ids("all", 4), early | late | {void})
        done = self.restored(backup, "never", "--to-lsn", "0:99999999", code=REFUSED)
        self.assertIn("cannot be reached", done.stderr)
        self.assertFalse(os.path.exists(self.path("never.partial")))

    def test_the_restored_cluster_knows_ids_numbers_and_voids(self):
        ident = self.book(3, 4)
        void = mint(5)
        self.assertEqual(self.one.run("resolve", void).returncode, REFUSED)
        seqs = {hotel: json.loads(self.one.ok("hotel", "get", hotel, "--json"))["event_seq"]
                for hotel in self.hotels}
        self.one.ok("backup", self.path("backup"), "--dir", self.one.folder)
        two = LocalCluster(KEYRACK, self.path("two"), 3)
        self.restored(self.path("backup"), "two", "--shards", "3", "--listen", two.router)
        self.clusters.append(two)
        two.ok("cluster", "start", "--dir", two.folder)
        self.assertEqual({hotel: json.loads(two.ok("hotel", "get", hotel, "--json"))["event_seq"]
                          for hotel in self.hotels}, seqs)
        self.assertEqual(json.loads(two.ok("reservation", "get", ident, "--json"))["state"],
                         "CONFIRMED")
        stay = f"{self.today + datetime.timedelta(1)}..{self.today + datetime.timedelta(2)}"
        again = two.run("book", 5, "--type", "0", "--stay", stay, "--count-only", "--id", void)
        self.assertEqual(again.returncode, REFUSED)
        self.assertIn("BAD_STATE", again.stderr)
        two.ok("cancel", ident)
        two.ok("backup", self.path("again"), "--dir", two.folder)
        self.restored(self.path("again"), "three", "--shards", "2")

    def test_names_that_are_taken_and_backups_that_are_damaged_are_refused(self):
        self.book(1, 1)
        backup = self.path("backup")
        os.mkdir(backup)
        done = self.one.run("backup", backup, "--dir", self.one.folder)
        self.assertEqual(done.returncode, REFUSED)
        self.assertEqual(os.listdir(backup), [])
        os.rmdir(backup)
        self.one.ok("backup", backup, "--dir", self.one.folder)
        self.assertEqual(self.one.run("backup", backup, "--dir", self.one.folder).returncode,
                         REFUSED)
        self.restored(backup, "cluster0", code=REFUSED)
        for name in sorted(set(os.listdir(os.path.join(backup, "shard-1"))) - {"LOCK"}):
            path = os.path.join(backup, "shard-1", name)
            with open(path, "r+b") as file:
                kept = file.read(64)
                file.seek(20)
                file.write(bytes([kept[20] ^ 1]))
            done = self.restored(backup, "damaged", code=REFUSED)
            self.assertIn(name, done.stderr)
            with open(path, "r+b") as file:
                file.write(kept)
        self.restored(backup, "whole")
        os.unlink(os.path.join(backup, "manifest.json"))
        self.restored(backup, "headless", code=REFUSED)
        self.one.stop()
        done = self.one.run("backup", self.path("stopped"), "--dir", self.one.folder)
        self.assertEqual(done.returncode, UNREACHABLE)
        self.assertEqual([n for n in os.listdir(self.folder) if n.startswith("stopped")], [])


def mint(hotel):
    return pykeyrack.format_id(pykeyrack.mint(hotel))


if __name__ == "__main__":
    sys.argv = sys.argv[:1] + sys.argv[7:]
    unittest.main(verbosity=2)

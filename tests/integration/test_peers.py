#!/usr/bin/python3
"""The comparison with peers as far as it needs no peer: drivers before servers that decide nothing,
what a report is made of, and packages that are not there.

usage: test_peers.py SOURCE_ROOT KEYRACK_BENCH PEER_LOAD NULL_PEER
"""
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

from ports import free_port

ROOT, BENCH, PEER_LOAD, NULL_PEER = sys.argv[1:5]
sys.path[:0] = [os.path.join(ROOT, "bench", folder) for folder in ("peers", "common")]
sys.dont_write_bytecode = True
import cluster  # noqa: E402
import debian  # noqa: E402
import processes  # noqa: E402
import report  # noqa: E402
import systems  # noqa: E402
import works  # noqa: E402

PROTOCOLS = ("redis", "postgres", "postgres-update", "tarantool", "frames")


def ask(*words):
    done = subprocess.run([str(word) for word in words], text=True, capture_output=True,
                          check=False, timeout=120)
    if done.returncode != 0:
        raise AssertionError(f"{words}: {done.returncode}: {done.stderr}")
    return done.stdout


class DriverTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def null_peer(self, protocol):
        for _ in range(10):  # somebody else may take the port first
            port = free_port()
            child = processes.start([NULL_PEER, protocol, str(port)], self.path("log"))
            self.addCleanup(processes.stop, child)
            try:
                processes.await_port(port, child, 120)
                return port
            except RuntimeError:
                continue
        raise AssertionError("null-peer does not listen")

    def test_every_protocol_is_driven_in_closed_and_open_loop(self):
        for protocol in PROTOCOLS:
            port = self.null_peer(protocol)
            words = [PEER_LOAD, "--protocol", protocol, "--port", port, "--script", "0" * 40,
                     "--connections", 3, "--depth", 5, "--warmup", 0, "--seconds", 0.3]
            closed = json.loads(ask(*words, "--reads", 1, "--preload", 100))
            self.assertGreater(closed["operations"]["book"]["count"], 0)
            self.assertGreater(closed["operations"]["availability"]["count"], 0)
            self.assertEqual(closed["failed"] + closed["refused"] + closed["repeated"], 0)
            series = self.path("series")
            held = json.loads(ask(*words, "--rate", 500, "--series", series))
            self.assertEqual(held["done"], held["count"])
            self.assertLessEqual(held["count"], 151)
            with open(series, encoding="ascii") as file:
                rows = list(csv.DictReader(file))
            self.assertEqual(sum(int(row["count"]) for row in rows), held["count"])

    def test_a_peer_is_one_port_or_one_socket(self):
        words = [PEER_LOAD, "--protocol", "redis", "--script", "0", "--seconds", "0.1"]
        for where, told in (([], "or --socket is wanted"), (["--port", "1", "--socket", "x"],
                                                            "or --socket is wanted"),
                            (["--socket", self.path("none")], self.path("none") + ": "),
                            (["--socket", "/" + "x" * 200], "too long")):
            done = subprocess.run(words + where, text=True, capture_output=True, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(told, done.stderr)

    def test_a_peer_that_is_not_there_is_told(self):
        done = subprocess.run([PEER_LOAD, "--protocol", "redis", "--script", "0", "--port", "1"],
                              text=True, capture_output=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("127.0.0.1:1:", done.stderr)

    def test_keyrack_bench_tells_its_own_ceiling(self):
        series = self.path("series")
        for op in ("book", "availability"):
            got = json.loads(ask(BENCH, "ceiling", "--op", op, "--seconds", 0.3, "--warmup", 0,
                                 "--json", "--series", series))
            self.assertGreater(got["count"], 0)
            self.assertEqual(got["done"], got["calls"])
            self.assertEqual(got["durability"], "none")
            with open(series, encoding="ascii") as file:
                count = sum(int(row["count"]) for row in csv.DictReader(file))
            self.assertEqual(count, got["count"])
        self.assertIn("nothing to count", ask(BENCH, "ceiling", "--seconds", 0.2, "--warmup", 0))
        done = subprocess.run([BENCH, "ceiling", "--op", "cancel"], text=True, capture_output=True,
                              check=False)
        self.assertEqual(done.returncode, 2)


def result(rate, **more):
    return dict({"rate": rate, "count": int(rate), "p50_us": 100, "p90_us": 200, "p99_us": 300,
                 "p99.9_us": 400, "max_us": 500, "refused": 0, "failed": 0, "seconds": 1,
                 "cpu_seconds": 0.5}, **more)


class ReportTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = folder.name

    def write(self, rows):
        stamp = {"stamp": {"date": "today"}, "command": "run.py", "rounds": 3, "seconds": 1,
                 "warmup": 0, "preload": 5, "shards": 2, "shared": True, "snapshots": False,
                 "systems": [{"name": name, "label": name, "version": "1", "durability": "yes"}
                             for name in ("keyrack", "redis-always")],
                 "absent": [{"name": "tarantool-fsync", "why": "no such package"}]}
        with open(os.path.join(self.out, "raw.jsonl"), "w", encoding="utf-8") as file:
            for row in [stamp] + rows:
                file.write(json.dumps(row) + "\n")
        report.plots.draw = lambda *_: ([], "no gnuplot here")
        report.write(self.out, self.out)
        with open(os.path.join(self.out, "README.md"), encoding="utf-8") as file:
            return file.read()

    @staticmethod
    def row(system, number, work, rate, **more):
        return {"system": system, "round": number, "work": work, "offered_rate": 0,
                "command": ["x"], "driver_cpu_share": 0.5, "cpu_us_each": 2.0,
                "resident_bytes": 2**20, "disk_bytes": 2**21, "result": result(rate, **more)}

    def test_medians_spread_ratios_and_shares(self):
        rows = [self.row("keyrack", n, "book-64x16", rate)
                for n, rate in ((1, 3000), (2, 9000), (3, 6000))]
        rows += [self.row("redis-always", n, "book-64x16", 1500) for n in (1, 2, 3)]
        rows += [{"limit": "forwarded-book-64x16", "round": 1, "result": {"rate": 12000}}]
        text = self.write(rows)
        self.assertIn("| BOOKs, 64 x 16 | 6,000 (3,000 to 9,000) | 1,500 (1,500 to 1,500) |", text)
        self.assertIn("| BOOKs, 64 x 16 | 4.00 |", text)
        self.assertIn("| BOOKs, 64 x 16 | 6,000 | 12,000 | 50% |", text)
        self.assertIn("no gnuplot here", text)

    def test_what_went_wrong_is_in_the_report(self):
        text = self.write([
            self.row("keyrack", 1, "book-64x1", 10, refused=3),
            self.row("redis-always", 1, "hot-refused", 100, refused=5),
            dict(self.row("redis-always", 1, "open-5000", 10), offered_rate=5000),
            {"system": "keyrack", "round": 1, "work": "open-20000", "skipped": "does not reach"},
            {"system": "keyrack", "round": 1, "work": "mixed-20", "error": "it burned"}])
        for words in ("tarantool-fsync was left out: no such package", "it burned",
                      "book-64x1, keyrack, round 1: 3 of 10 were refused",
                      "only 5 of 100 were refused", "does not keep up", "not reached"):
            self.assertIn(words, text)


class WorksTest(unittest.TestCase):
    def test_every_work_is_in_one_session_and_in_the_manual(self):
        for shared in (False, True):
            found = [w.name for group in works.sessions(works.ALL, shared) for w in group]
            self.assertEqual(sorted(found), sorted(w.name for w in works.ALL))
            for group in works.sessions(works.ALL, shared):
                self.assertEqual(len({w.hot_rooms for w in group}), 1)
        with open(os.path.join(ROOT, "bench/peers/README.md"), encoding="utf-8") as file:
            told = set(re.findall(r"`([a-z]+-?\w*)`", file.read()))
        for work in works.ALL:
            self.assertIn(work.name, told)

    def test_a_shard_the_router_and_the_driver_have_a_core_each(self):
        self.assertEqual([cluster.shards_default(cores) for cores in (None, 1, 2, 3, 64)],
                         [1, 1, 1, 2, 2])

    def test_a_package_that_is_not_to_be_had_is_missing(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaises(debian.Missing):
            debian.find("no-such-package-as-this", ["usr/bin/no-such-program"], folder)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)

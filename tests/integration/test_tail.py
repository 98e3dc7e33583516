#!/usr/bin/python3
"""The tail's command at a tiny size, and how a cause is told from what was seen.

usage: test_tail.py SOURCE_ROOT BUILD_ROOT
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT, BUILD = sys.argv[1:3]
sys.path[:0] = [os.path.join(ROOT, "bench/common"), os.path.join(ROOT, "bench/tail")]
sys.dont_write_bytecode = True
import causes  # noqa: E402


def seen(*grown):
    """Counters each tenth of a second; `grown`: (from when on, name) by one."""
    samples = []
    for i in range(100):
        stats = dict.fromkeys(("appends_slow", "turns_slow", "segments", "snapshots",
                               "snapshot_running", "clock"), 0)
        for at, name in grown:
            stats[name] += i / 10 >= at
        samples.append((i / 10, {"shard-0": stats}))
    return samples


def queue(*delays):
    """The scheduler's samples; `delays`: (when, us of the router)."""
    return [(i / 50, {"router": sum(us for at, us in delays if i / 50 >= at)}, 0, 0)
            for i in range(500)]


class CausesTest(unittest.TestCase):
    @staticmethod
    def of(scheduler, counters, roll_s=None):
        outlier = causes.Outlier(4.0, 4.2, 10_000)
        return causes.explain(outlier, scheduler, counters, roll_s, 0).cause

    def test_what_was_seen_near_is_the_cause(self):
        for scheduler, counters, roll_s, cause in (
                (queue(), seen(), None, "not explained"),
                (queue((4.1, 9000)), seen(), None, "no core for router"),
                (queue((4.1, 900)), seen(), None, "not explained"),
                (queue((7.0, 9000)), seen((7.0, "segments")), None, "not explained"),
                (queue(), seen((4.1, "appends_slow")), None, "a slow append of shard-0"),
                (queue(), seen((4.1, "turns_slow"), (4.1, "segments")), None,
                 "a slow turn of shard-0 during a change of segment"),
                (queue(), seen((2.0, "snapshot_running")), None, " during a snapshot"),
                (queue(), seen(), 4.1, "the turn of the business day")):
            self.assertEqual(self.of(scheduler, counters, roll_s).strip(),
                             cause.replace(" during a snapshot", "a snapshot"))

    def test_long_in_the_queue_is_a_cause_of_the_longest(self):
        outlier = causes.Outlier(0.0, 9.0, 100_000)
        causes.explain(outlier, queue((4.1, 9000)), seen(), None, 0)
        self.assertEqual(outlier.cause, "no core for router")

    def test_slow_tenths_that_follow_each_other_are_one(self):
        rows = [{"t_s": str(i / 10), "max_us": str(us)}
                for i, us in enumerate([10, 6000, 7000, 10, 10, 10, 10, 10, 9000])]
        found = causes.slow(rows)
        self.assertEqual([o.longest_us for o in found], [7000, 9000])
        self.assertAlmostEqual(found[0].begin, 0.094)


class RunTest(unittest.TestCase):
    def test_a_tiny_run_has_its_report(self):
        with tempfile.TemporaryDirectory() as folder:
            work, out = os.path.join(folder, "work"), os.path.join(folder, "out")
            os.mkdir(work)
            done = subprocess.run(
                [os.path.join(ROOT, "bench/tail/run.sh"), "--build", BUILD, "--no-build", "--dir",
                 work, "--out", out, "--seconds", "3", "--levels", "50", "--maximum", "2000",
                 "--retire", "100", "--hotels", "20", "--shards", "1", "--no-day-roll",
                 "--no-curves"],
                text=True, capture_output=True, check=False, timeout=400)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(os.listdir(work), [])
            with open(os.path.join(out, "raw.jsonl"), encoding="utf-8") as file:
                row = json.loads(file.readlines()[1])
            self.assertEqual(row["rate"], 1000)
            self.assertEqual(row["result"]["differences"], 0)
            self.assertNotIn("snapshot_error", row)
            with open(os.path.join(out, "series/50-3s.seen.json"), encoding="ascii") as file:
                samples = json.load(file)["counters"]
            self.assertGreater(samples[-1][1]["shard-0"]["clock"], 0)  # retired
            self.assertGreater(samples[-1][1]["shard-0"]["slices"], 0)
            self.assertIn("| 50 %, 1,000/s | all |", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)

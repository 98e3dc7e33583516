#!/usr/bin/python3
"""bench/sizes at a size of seconds: every step is in the report, and a failed one too.

usage: test_sizes.py SOURCE_ROOT BUILD_ROOT
"""
import argparse
import json
import os
import sys
import tempfile
import unittest

ROOT, BUILD = sys.argv[1:3]
sys.path[:0] = [os.path.join(ROOT, "bench", folder) for folder in ("sizes", "common")]
sys.dont_write_bytecode = True
import gnuplot  # noqa: E402
import level  # noqa: E402
import report  # noqa: E402
import run  # noqa: E402

gnuplot.draw = lambda *_: ([], "no gnuplot here")
TINY = run.Size("tiny", 20, 1_000, 20_000, 1, 500, (5, 20), 2_000_000, idle_s=0.1)


class SizesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = folder.name

    def measure(self, *words):
        """Exit status, rows by step, the report."""
        sys.argv = ["run.py", "--build", BUILD, "--built", "--out", self.out, "--dir", self.out,
                    "--allow-tmpfs", "--quick", *words]
        run.QUICK = (TINY,)
        status = run.main()
        _, levels = report.read(self.out)
        with open(os.path.join(self.out, "README.md"), encoding="utf-8") as file:
            return status, levels["tiny"], file.read()

    def test_every_step_has_its_figures_beside_what_they_must_be(self):
        status, steps, text = self.measure()
        self.assertEqual(list(steps), list(level.Level.STEPS))
        failed = {step: row["error"] for step, row in steps.items() if "error" in row}
        # Some thousand effects may not show beside the noise of two starts: then that is told.
        self.assertLessEqual(set(failed), {"replay"}, failed)
        self.assertEqual(status, len(failed))
        for words in ("load of 0.0 M nights", "start from that snapshot until all serve",
                      "memory of a night more", "memory of a reservation more",
                      "memory of a connection that says nothing", "BOOKs, 64 connections x 16",
                      "log of a BOOK, records", "a second with a snapshot", "that snapshot",
                      "of the sizing that was printed", "no gnuplot here",
                      "FAILED: " if failed else "effects behind it"):
            self.assertIn(words, text)
        self.assertGreater(steps["book"]["cpu_us_each"]["all"], 0)
        self.assertGreater(steps["snapshot"]["snapshot"]["bytes"], 0)
        self.assertEqual(steps["reservations"]["nodes"], 0, "their records hold their prices")
        self.assertEqual([p["connections"] for p in steps["connections"]["points"]], [0, 5, 20])
        self.assertEqual(os.listdir(self.out).count("raw.jsonl"), 1)
        self.assertFalse([name for name in os.listdir(self.out) if "keyrack-sizes" in name])

    def test_a_failed_step_is_a_row_and_what_stands_on_it_is_not_reached(self):
        tools = {name: "/bin/false" for name in run.TOOLS}
        options = argparse.Namespace(shards=2, router=None, allow_tmpfs=False)
        rows = list(level.Level(tools, TINY, os.path.join(self.out, "c"), options).run(None))
        self.assertIn("status 1", rows[0]["error"])
        for row in rows[1:]:
            self.assertEqual(row["error"], "not reached: start failed")
        figures = report.Figures({row["step"]: row for row in rows}).all()
        self.assertEqual([name for name, *_ in figures], list(level.Level.STEPS))
        self.assertTrue(all("FAILED" in text and holds == "**no**"
                            for _, text, _, holds in figures))

    def test_a_step_without_what_it_stands_on_ends_the_command_with_1(self):
        status, steps, text = self.measure("--steps", "load")
        self.assertEqual(status, 1)
        self.assertIn("error", steps["load"])
        self.assertIn("| load | FAILED: ", text)

    def test_a_must_that_is_missed_is_told_as_missed(self):
        row = {"cells": 73_000_000, "reservations": 1_000_000, "seconds": 21.0,
               "night_bytes": 18.0, "night_more_bytes": 16.5, "memory_bytes": 1}
        with open(os.path.join(self.out, "raw.jsonl"), "w", encoding="utf-8") as file:
            file.write(json.dumps({"stamp": {"date": "today"}, "shards": 2, "command": "x"}) + "\n")
            file.write(json.dumps(dict(row, level="big", step="load", hotels=50_000)) + "\n")
        report.write(self.out, self.out)
        with open(os.path.join(self.out, "README.md"), encoding="utf-8") as file:
            text = file.read()
        self.assertIn("| 21.0 s, 3.5 M a second | 20 s for 73 M | **no** |", text)
        self.assertIn("| 18.0 bytes | 17 | **no** |", text)
        self.assertIn("| 16.5 bytes | 17 | yes |", text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)

#!/usr/bin/python3
"""The limits that the comparison with peers shows beside its figures: each of them answers, and one
that does not is told.

usage: test_limits.py SOURCE_ROOT PROGRAM...
"""
import argparse
import json
import os
import sys
import tempfile
import unittest

ROOT = sys.argv[1]
TOOLS = {os.path.basename(path): path for path in sys.argv[2:]}
sys.path[:0] = [os.path.join(ROOT, "bench", folder) for folder in ("peers", "common")]
sys.dont_write_bytecode = True
import limits  # noqa: E402
import report  # noqa: E402

SHAPES = {"book": [(1, 1), (3, 4)], "read": [(2, 3)]}
KINDS, SIZES = ("growing", "allocated", "pre-zeroed"), (4096, 16384, 65536, 1048576)
ROUTER_FIRST = (limits.PARTS[3], limits.PARTS[1])


class LimitsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = folder.name
        # Short, and a small file: that they answer is asked here, not what they reach.
        limits.SHAPES, limits.DISK_FILE_MIB, limits.QUICK_SECONDS = SHAPES, 4, 0.3

    def stub(self, text):
        """A program that says just this."""
        path = os.path.join(self.work, "stub")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\necho '{text}'\n")
        os.chmod(path, 0o755)
        return path

    def rows(self, parts=limits.PARTS, **others):
        tools = dict(TOOLS, **{name.replace("_", "-"): path for name, path in others.items()})
        options = argparse.Namespace(tools=tools, peer_load=tools["peer-load"], work=self.work,
                                     quick=True)
        self.said = []
        return list(limits.measure(options, self.said.append, parts))

    def test_each_limit_is_reached(self):
        rows = self.rows()
        self.assertEqual([row for row in rows if "error" in row], [])
        expected = {"wake-up"} | {f"disk-{kind}-{size}" for kind in KINDS for size in SIZES}
        expected |= {f"router-book-{c}x{d}" for c, d in SHAPES["book"]}
        for kind, shapes in SHAPES.items():
            expected |= {f"{hop}-{kind}-{c}x{d}" for hop in ("direct", "forwarded")
                         for c, d in shapes}
            expected |= {f"driver-{name}-{kind}" for name in limits.PROTOCOLS + ("keyrack",)}
        self.assertEqual({row["limit"] for row in rows}, expected)
        self.assertEqual(len(rows), len(expected))
        for row in rows:
            self.assertGreater(row["result"]["count"], 0, row)
            self.assertGreater(row["result"].get("rate", 1), 0, row)
            if row["limit"].startswith("disk-"):  # who comes waits for one append at least
                self.assertGreaterEqual(row["result"]["arrival_max_us"],
                                        row["result"]["p50_us"], row)
        self.assertNotIn("FAILED", "\n".join(self.said))

    def test_a_limit_of_nothing_is_a_row_that_says_so(self):
        rows = self.rows(
            ROUTER_FIRST,
            frame_load=self.stub("3 x 4: 0 answers/s, mean wait 0.0 us, 0 not done, own"))
        failed = [row for row in rows if "error" in row]
        self.assertEqual([row["limit"] for row in failed],
                         [f"router-book-{c}x{d}" for c, d in SHAPES["book"]])
        for row in failed:
            self.assertEqual(row["error"], "nothing was answered")
        self.assertIn("disk-growing-4096", {row["limit"] for row in rows})
        self.assertIn("limit router-book-3x4              FAILED: nothing was answered", self.said)
        self.report(rows)

    def report(self, rows):
        """They are in it: beside the other limits, and where it says what went wrong."""
        stamp = {"stamp": {}, "command": "run.py", "rounds": 1, "seconds": 1, "warmup": 0,
                 "preload": 5, "shards": 1, "shared": True, "snapshots": False, "systems": [],
                 "absent": []}
        with open(os.path.join(self.work, "raw.jsonl"), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in [stamp] + rows)
        report.plots.draw = lambda *_: ([], "not here")
        report.write(self.work, self.work)
        with open(os.path.join(self.work, "README.md"), encoding="utf-8") as file:
            text = file.read()
        self.assertIn("| router-book-3x4 | failed |", text)
        self.assertIn("- router-book-3x4, the machine, round 1: nothing was answered", text)

    def test_a_rate_of_refusals_is_no_limit(self):
        rows = self.rows(
            ROUTER_FIRST,
            frame_load=self.stub("3 x 4: 1000 answers/s, mean wait 9.5 us, 290 not done, own"))
        self.assertEqual({row["error"] for row in rows if "error" in row},
                         {"290 of 300 were not done"})

    def test_a_tool_that_fails_or_says_something_else_is_told_and_the_others_are_measured(self):
        rows = self.rows(limits.PARTS[:1] + ROUTER_FIRST, wake_up="/bin/false",
                         frame_load=self.stub("what"))
        self.assertEqual([row["limit"] for row in rows if "error" in row], ["wake", "router"])
        self.assertIn("disk-growing-4096", {row["limit"] for row in rows})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)

#!/usr/bin/python3
"""Real hotels and real calendars load and sell, and every answer is the right one.

usage: test_real.py SOURCE_ROOT KEYRACK KEYRACK_BENCH
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

from local_cluster import LocalCluster

SKIP_EXIT = 77
ROOT, KEYRACK, BENCH = sys.argv[1:4]
DATA = os.path.join(ROOT, "..", "shared", "data")
TIMEOUT_S = 300
SIZES = ("--hotels", 12000, "--types", 12000, "--nights", 370, "--reservations", 1000000)


class RealTest(unittest.TestCase):
    def play(self, part, *more):
        folder = tempfile.TemporaryDirectory(prefix="keyrack-real-test-")
        self.addCleanup(folder.cleanup)
        cluster = LocalCluster(KEYRACK, os.path.join(folder.name, "c"), 2, SIZES)
        self.addCleanup(cluster.stop)
        cluster.start()
        # The script ends with a sentence when an answer is wrong.
        done = subprocess.run(
            [sys.executable, os.path.join(ROOT, "bench/real_calendars.py"), part, "--data", DATA,
             "--keyrack", KEYRACK, "--bench", BENCH, "--router", cluster.router, "--seconds", "1",
             *more], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        outcome = json.loads(done.stdout)
        self.assertEqual((outcome["rejected"], outcome["differences"]), (0, 0))
        self.assertGreater(outcome["room_nights_sold"], 0)
        return outcome

    def test_the_listings_of_singapore_night_by_night(self):
        outcome = self.play("listings")
        self.assertEqual((outcome["listings"], outcome["nights"]), (3483, 1271274))
        self.assertLessEqual({"DONE", "CLOSED", "MIN_LOS"}, set(outcome["codes"]))

    def test_the_hotels_of_france(self):
        outcome = self.play("hotels")
        self.assertEqual(outcome["hotels"], 10702)
        self.assertLessEqual(set(outcome["codes"]), {"DONE", "SOLD_OUT"})


if __name__ == "__main__":
    if not os.path.isdir(DATA):
        print("SKIP: ../shared/data is absent")
        sys.exit(SKIP_EXIT)
    unittest.main(argv=sys.argv[:1] + sys.argv[4:])

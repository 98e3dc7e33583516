#!/usr/bin/python3
"""bench/growth at a size of seconds: every point is in the report, and a failed one too.

usage: test_growth.py SOURCE_ROOT BUILD_ROOT
"""
import os
import sys
import tempfile
import unittest

ROOT, BUILD = sys.argv[1:3]
sys.path[:0] = [os.path.join(ROOT, "bench", folder) for folder in ("growth", "common")]
sys.dont_write_bytecode = True
import build  # noqa: E402
import curves  # noqa: E402
import gnuplot  # noqa: E402
import run  # noqa: E402

gnuplot.draw = lambda *_: ([], "no gnuplot here")


class GrowthTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = folder.name

    def measure(self, *words):
        """Exit status, axes, the report."""
        sys.argv = ["run.py", "--build", BUILD, "--built", "--out", self.out, "--dir", self.out,
                    "--allow-tmpfs", "--seconds", "0.5", "--scale", "100", *words]
        status = run.main()
        with open(os.path.join(self.out, "README.md"), encoding="utf-8") as file:
            return status, curves.read(self.out), file.read()

    def test_each_point_of_an_axis_is_a_row_with_its_cost(self):
        status, (_, axes, failures), text = self.measure("--axes", "connections,shards")
        self.assertEqual((status, failures), (0, []))
        self.assertEqual(sorted(axes), ["connections", "shards"])
        self.assertEqual(sorted(axes["shards"]), [
            (shards, work) for shards in (1, 2, 4) for work in ("availability", "book")])
        for points in axes.values():
            for rows in points.values():
                self.assertGreater(rows[0]["cpu_us_each"]["all"], 0)
        self.assertEqual([name for name in os.listdir(self.out) if "keyrack" in name], [])
        for words in ("## connections", "## shards", "| book | 4 |", "no gnuplot here"):
            self.assertIn(words, text)

    def test_what_is_in_flight_stays_the_same_while_connections_grow(self):
        for scale, flight in ((1, 5000), (10, 500), (100, 100)):
            flights = {p.connections * p.depth for p in run.axes(scale)["connections"]}
            self.assertEqual(flights, {flight})

    def test_a_point_that_fails_is_told_and_ends_the_command_with_1(self):
        programs = dict(build.PROGRAMS)
        self.addCleanup(build.PROGRAMS.update, programs)
        build.PROGRAMS["keyrack"] = "no/such/program"
        status, (_, axes, failures), text = self.measure("--axes", "shards")
        self.assertEqual((status, axes, len(failures)), (1, {}, 3))
        self.assertIn("- shards 4, all, round 1: ", text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)

#!/usr/bin/python3
"""bench/growth without a cluster: what its points are, and that a failed one is in the report.

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

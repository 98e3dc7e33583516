#!/usr/bin/python3
"""The budget of a request at a tiny size, and samples folded into parts.

usage: test_budget.py SOURCE_ROOT BUILD_ROOT
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT, BUILD = sys.argv[1:3]
sys.path[:0] = [os.path.join(ROOT, "bench/common"), os.path.join(ROOT, "bench/budget")]
sys.dont_write_bytecode = True
import counters  # noqa: E402
import parts  # noqa: E402


def stack(command, *frames):
    return command + "\n" + "".join(f"\t  ffff01 {s} ({where})\n" for s, where in frames) + "\n"


class PartsTest(unittest.TestCase):
    def test_a_sample_goes_to_the_first_part_that_is_named(self):
        kernel, shard = "[kernel.kallsyms]", "/x/keyrack-shard"
        text = "".join((
            stack("keyrack-shard", ("inv_judge", shard), ("shard_step", shard)),
            stack("keyrack-shard", ("clear_page", kernel), ("handle_mm_fault", kernel),
                  ("inv_apply", shard)),
            stack("keyrack-router", ("ttwu_queue", kernel), ("tcp_sendmsg_locked", kernel)),
            stack("keyrack-router", ("copy_from_iter", kernel), ("tcp_sendmsg_locked", kernel)),
            stack("keyrack-bench", ("work_start", "/x/keyrack-bench")),
            stack("keyrack-bench", ("call_end", "/x/keyrack-bench")),
            stack("swapper", ("pv_native_safe_halt", kernel)),
            stack("cc1", ("main", "/usr/bin/cc1"))))
        found, other = parts.fold(text)
        self.assertEqual(found, {
            ("keyrack-shard", "admission and state"): 1, ("keyrack-shard", "page faults"): 1,
            ("keyrack-router", "wake-up, scheduling"): 1, ("keyrack-router", "send path"): 1,
            ("keyrack-bench", "driver"): 1, ("keyrack-bench", "client library"): 1})
        self.assertEqual(other, 1)

    def test_a_process_that_is_gone_has_used_nothing(self):
        self.assertEqual(counters.read(2 ** 30)["cpu_ns"], 0)
        self.assertGreater(counters.read(os.getpid())["cpu_ns"], 0)


class BudgetTest(unittest.TestCase):
    def run_it(self, *more):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [os.path.join(ROOT, "bench/budget/run.sh"), "--build", BUILD, "--no-build",
                 "--dir", folder, "--seconds", "1", "--shards", "1", "--router", "process", "--hotels", "20", "--works",
                 "book-64x1,availability-1x1", *more], text=True, capture_output=True,
                check=False, timeout=400)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(os.listdir(folder), [])
            return done.stdout

    def test_every_figure_of_every_process_is_there(self):
        rows = json.loads(self.run_it("--no-perf", "--json"))["rows"]
        self.assertEqual([row["work"] for row in rows], ["book-64x1", "availability-1x1"])
        for row in rows:
            self.assertEqual(set(row["processes"]), {"driver", "router", "shard"})
            for process in row["processes"].values():
                self.assertGreater(process["cpu_ns"], 0)
            self.assertGreater(row["operations"], 0)
            self.assertEqual(row["result"]["differences"], 0)
            for side, names in (("router", ("turns", "receives", "waits", "sends")),
                                ("shards", ("turns", "receives", "waits", "sends"))):
                for name in names:
                    self.assertGreater(row[side][name], 0, (side, name))
        self.assertGreater(rows[0]["shards"]["append_time"], 0)

    def test_without_perf_it_is_said(self):
        text = self.run_it("--no-perf")
        self.assertIn("No parts and no system calls: not asked for.", text)
        self.assertIn("| book-64x1 | driver |", text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)

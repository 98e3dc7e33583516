#!/usr/bin/python3
"""keyrack top: on a terminal, as lines, as JSON, over the death of a shard.

usage: test_top.py KEYRACK
"""
import json
import os
import signal
import subprocess
import sys
import termios
import time
import unittest

import local_cluster
from ports import free_port
from terminal import Terminal

KEYRACK = sys.argv[1]
TIMEOUT_S = 120
ENTER, LEAVE, HOME = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[H"


def run(*words, code=0):
    return local_cluster.run(KEYRACK, *words, code=code).stdout


def frames(seen):
    """The screens that were shown whole, as lists of lines."""
    return [part.split(b"\r\n") for part in seen.split(HOME)[1:-1]]


class TopTest(unittest.TestCase):
    def setUp(self):
        self.cluster = local_cluster.LocalCluster.lent(KEYRACK, self.addCleanup)
        self.router = self.cluster.router

    def ask(self, *words, code=0):
        return run("--router", self.router, *words, code=code)

    def begin(self, *words):
        child = subprocess.Popen([KEYRACK, "--router", self.router, "top", *map(str, words)],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(child.communicate, timeout=TIMEOUT_S)
        self.addCleanup(child.terminate)
        return child

    def test_the_rates_add_up_to_what_was_asked(self):
        child = self.begin("--json", "--interval", "200ms")
        views = [json.loads(child.stdout.readline())]
        for hotel in range(1, 21):
            self.ask("hotel", "put", hotel, "--zone", "Etc/UTC", "--currency", "EUR")

        def counted(of):
            return sum(view["operations"][of] * view["interval_us"] / 1e6 for view in views)
        deadline = time.monotonic() + TIMEOUT_S
        while counted("HOTEL_PUT") < 19.5 and time.monotonic() < deadline:
            views.append(json.loads(child.stdout.readline()))
        self.assertAlmostEqual(counted("HOTEL_PUT"), 20, places=3)
        self.assertGreater(counted("PING"), 0)
        last = views[-1]
        self.assertEqual(sum(s["gauges"]["hotels"] for s in last["shards"]), 20)
        for shard in last["shards"]:
            self.assertEqual((shard["state"], shard["link_up"], shard["gauges"]["rows_max"] > 0),
                             ("serving", True, True))
            self.assertGreater(shard["ping_us"], 0)
        puts = sum(s["operations"]["HOTEL_PUT"] for s in last["shards"])
        self.assertAlmostEqual(puts, last["operations"]["HOTEL_PUT"])

    def test_no_terminal_gets_lines(self):
        lines = self.ask("top", "--interval", "100ms", "--count", 3).splitlines()
        self.assertEqual(len(lines), 3)
        for line in lines:
            self.assertRegex(line, r"^\d{4}-.* shards=2/2 requests=[0-9.]+/s .* STATS=[0-9.]+/s")
        view = self.ask("top", "--interval", "100ms", "--once")
        self.assertNotIn("\x1b", view)
        self.assertRegex(view, r"(?m)^ +1  serving .* \d+%$")
        self.assertRegex(view, r"(?m)^STATS +\d")

    def test_wrong_words_and_nobody_there(self):
        run("top", "--interval", "1ms", code=2)
        run("top", "--interval", "5", code=2)
        run("top", "--count", "0", code=2)
        run("--router", f"127.0.0.1:{free_port()}", "top", code=3)

    def test_a_terminal_is_given_back_as_it_was(self):
        for key in (b"q", b"\x03"):
            terminal = Terminal(KEYRACK, "--router", self.router, "top", "--interval", "100ms")
            terminal.read_until(lambda seen: seen.count(HOME) >= 3)
            during = termios.tcgetattr(terminal.slave)
            self.assertFalse(during[3] & (termios.ECHO | termios.ICANON))
            self.assertTrue(any(b"keyrack top" in frame[0] for frame in frames(terminal.bytes)))
            code, after = terminal.end(key, LEAVE)
            self.assertEqual(code, 0, key)
            self.assertEqual(after, terminal.before)
            self.assertEqual(terminal.bytes.count(ENTER), 1)
            self.assertTrue(terminal.bytes.endswith(b"\x1b[?25h" + LEAVE))

    def test_the_view_is_cut_to_the_terminal_whatever_its_size(self):
        terminal = Terminal(KEYRACK, "--router", self.router, "top", "--interval", "1h", rows=6,
                            columns=40)
        # Nothing comes before the first interval is over; a new size shows what there is.
        terminal.read_until(lambda seen: ENTER in seen)
        for rows, columns in ((3, 20), (1, 10), (40, 200)):
            seen_before = terminal.bytes.count(HOME)
            terminal.resize(rows, columns)
            terminal.read_until(lambda seen, n=seen_before: seen.count(HOME) > n)
        terminal.end(b"q", LEAVE)
        terminal = Terminal(KEYRACK, "--router", self.router, "top", "--interval", "100ms", rows=6,
                            columns=40)
        terminal.read_until(lambda seen: seen.count(HOME) >= 3)
        for frame in frames(terminal.bytes)[1:]:
            self.assertLessEqual(len(frame), 6)
            for line in frame:
                for control in (b"\x1b[K", b"\x1b[J", b"\r"):
                    line = line.replace(control, b"")
                self.assertLessEqual(len(line), 40)
        terminal.end(b"q", LEAVE)

    def test_a_dead_shard_is_shown_and_comes_back(self):
        child = self.begin("--json", "--interval", "100ms", "--deadline", "1s")

        def wait_for(state):
            deadline = time.monotonic() + TIMEOUT_S
            while time.monotonic() < deadline:
                view = json.loads(child.stdout.readline())
                if [s["state"] for s in view["shards"]] == ["serving", state]:
                    return
            self.fail(f"shard 1 never was {state}")
        wait_for("serving")
        os.kill(self.cluster.pid("shard-1"), signal.SIGKILL)
        wait_for(None)
        run("cluster", "start", "--dir", self.cluster.folder)
        wait_for("serving")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])

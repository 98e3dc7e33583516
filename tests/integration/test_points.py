#!/usr/bin/python3
"""The programs as they are installed, with every call to the system failing once.

usage: test_points.py SOURCE_ROOT KEYRACK_SHARD KEYRACK_ROUTER KEYRACK LIBFAILING

failing.c, preloaded, lets the n-th call of a kind fail: n = 1, 2, ... until a run never comes to
it. A program either goes on, or ends with a sentence and a status; it never aborts, never hangs,
and what it leaves behind starts and has what was sold. A failure that lasts is tried from the
1st, 2nd, 4th, ... call on: most of these runs end at the first failure as the others do.
With KEYRACK_LONG every n lasts, too.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import shard_process
import wire


ROOT, SHARD, ROUTER, KEYRACK, FAILING = sys.argv[1:6]
PB = wire.messages(ROOT)
PATIENCE_S = 100
NTH_MAX = 5000
START = ("bind", "listen", "memory", "mmap", "open", "read", "ring", "socket", "stat")
FILES = ("lock", "mkdir", "rename", "ring_allocate", "ring_read", "ring_rename", "ring_sync",
         "ring_unlink", "ring_write", "sync", "truncate", "unlink", "write")
STREAMS = ("ring_accept", "ring_connect")
CLIENT = ("connect", "memory", "open", "poll", "read", "receive", "send", "socket")
LONG = "KEYRACK_LONG" in os.environ


class Points(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="keyrack-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.figures = {}

    def tearDown(self):
        for kind, runs in sorted(self.figures.items()):
            if runs:
                print(f"{self._testMethodName[5:]:30} {kind:14} {runs}")

    def environment(self, kind, nth, is_lasting):
        self.seen = os.path.join(self.folder, "seen")
        if os.path.exists(self.seen):
            os.remove(self.seen)
        return dict(os.environ, LD_PRELOAD=FAILING, KEYRACK_FAIL_SEEN=self.seen,
                    KEYRACK_FAIL=f"{kind}:{nth}{'+' if is_lasting else ''}")

    def sweep(self, kinds, run):
        """Each call of each kind fails once, and some from there on."""
        for kind in kinds:
            self.figures[kind] = 0
            for is_lasting in (False, True):
                nth = 1
                while nth < NTH_MAX:
                    what = f"{kind}:{nth}{'+' if is_lasting else ''}"
                    run(self.environment(kind, nth, is_lasting), what)
                    if not os.path.exists(self.seen):
                        break
                    self.figures[kind] += 1
                    nth += nth if is_lasting and not LONG else 1
                self.assertLess(nth, NTH_MAX)

    def judge(self, what, status, said):
        """Not by a signal, and not without a word."""
        self.assertGreaterEqual(status, 0, f"{what}: {said}")
        if status != 0:
            self.assertTrue(os.path.exists(self.seen), f"{what}: {status} {said}")
            lines = said.strip().splitlines()
            self.assertTrue(lines and " " in lines[-1].strip(), f"{what}: {status}, {said!r}")

    def serve(self, command, ready, environment, what):
        """A process that gets ready, or does not, and is stopped."""
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        said = ""
        alarm = signal.signal(signal.SIGALRM, lambda *_: process.kill())
        signal.alarm(PATIENCE_S)
        for line in process.stderr:
            said += line
            if ready in line:
                process.send_signal(signal.SIGTERM)
        status = process.wait()
        signal.alarm(0)
        signal.signal(signal.SIGALRM, alarm)
        process.stderr.close()
        self.judge(what, status, said)

    def shard(self, folder, environment, what):
        command = [SHARD, "--dir", os.path.join(folder, "d"), "--cluster", "7",
                   "--listen", "unix:" + os.path.join(folder, "s"),
                   "--hotels", "50", "--types", "100", "--nights", "60", "--reservations", "1000",
                   "--refusals", "1024", "--segment-size", "8", "--allow-tmpfs"]
        if environment is not None:
            self.serve(command, "ready\n", environment, what)
        return command

    def start(self):
        sizes = self.shard(self.folder, None, None)[7:]
        shard = shard_process.Shard(SHARD, PB, self.folder, *sizes)
        self.addCleanup(lambda: shard.process.poll() is None and shard.process.kill())
        return shard

    def check(self, today, ident, sold):
        """Unharmed: it starts, and the sale of before is there, once."""
        shard = self.start()
        connection = shard.connect()
        code, answer = connection.call("BOOK", wire.HOTEL, shard_process.HOTEL,
                                       shard_process.sale(PB, today, ident))
        self.assertEqual((code, answer.event_seq), (wire.DONE, sold.event_seq))
        connection.close()
        self.assertEqual(shard.end(signal.SIGTERM), 0)

    def test_a_shard_that_has_sold(self):
        shard = self.start()
        connection = shard.connect()
        today = shard_process.load(connection, PB, nights=30)
        ident = wire.mint(shard_process.HOTEL, 1)
        code, sold = connection.call("BOOK", wire.HOTEL, shard_process.HOTEL,
                                  shard_process.sale(PB, today, ident))
        self.assertEqual(code, wire.DONE)
        connection.close()
        self.assertEqual(shard.end(signal.SIGTERM), 0)
        for kind in START + FILES + STREAMS:
            self.sweep([kind], lambda env, what: self.shard(self.folder, env, what))
            self.check(today, ident, sold)

    def test_a_router(self):
        config = os.path.join(self.folder, "router.yaml")
        with open(config, "w", encoding="ascii") as file:
            file.write(f"cluster: 7\nshard: unix:{self.folder}/none\nlisten: [unix:{self.folder}/r]\n")
        command = [ROUTER, "--config", config]
        self.sweep(START + STREAMS,
                   lambda env, what: self.serve(command, "ready on", env, what))

    def test_a_command(self):
        """libkeyrack's own socket and memory, under keyrack(1), beside an unharmed cluster."""
        shard = self.start()
        connection = shard.connect()
        shard_process.load(connection, PB, nights=30)
        connection.close()
        router = subprocess.Popen(
            [ROUTER, "--cluster", "7", "--shard", "unix:" + os.path.join(self.folder, "s"),
             "--listen", "unix:" + os.path.join(self.folder, "r")], stderr=subprocess.PIPE, text=True)
        self.addCleanup(router.stderr.close)
        self.addCleanup(lambda: router.poll() is None and router.kill())
        while "ready on" not in router.stderr.readline():
            pass
        command = [KEYRACK, "hotel", "get", str(shard_process.HOTEL), "--deadline", "1s",
                   "--router", "unix:" + os.path.join(self.folder, "r")]

        def run(environment, what):
            done = subprocess.run(command, env=environment, capture_output=True, text=True,
                                  timeout=PATIENCE_S, check=False)
            self.judge(what, done.returncode, done.stderr)
            if done.returncode == 0:
                self.assertIn("Europe/Paris", done.stdout, what)

        self.sweep(CLIENT, run)
        self.assertEqual(shard.end(signal.SIGTERM), 0)
        router.send_signal(signal.SIGTERM)
        self.assertEqual(router.wait(PATIENCE_S), 0)


if __name__ == "__main__":
    del sys.argv[1:6]
    unittest.main(verbosity=1)

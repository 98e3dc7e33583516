#!/usr/bin/python3
"""keyrack-shard and keyrack-router under a service manager: SIGHUP, sd_notify, unit files.

usage: test_service.py SOURCE_ROOT KEYRACK_SHARD KEYRACK_ROUTER
"""
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import shard_process
import wire

ROOT, SHARD, ROUTER = sys.argv[1:4]
PB = wire.messages(ROOT)
AGAIN = "reading the configuration again"


def eventually(check, seconds=20):
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)


class Router:
    """A running keyrack-router whose shard is not there."""

    def __init__(self, folder, *more, env=None):
        self.socket = os.path.join(folder, "r")
        self.lines = []
        self.process = subprocess.Popen(
            [ROUTER, "--cluster", "7", "--shard", "unix:" + os.path.join(folder, "none"),
             "--listen", "unix:" + self.socket, *more], stderr=subprocess.PIPE, text=True, env=env)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        eventually(lambda: any("ready on" in line for line in self.lines))

    def read(self):
        for line in self.process.stderr:
            self.lines.append(line)

    def connect(self):
        return wire.Connection(self.socket, 7, PB)

    def end(self, number):
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(60)
        self.reader.join(10)
        self.process.stderr.close()
        return status


class ServiceTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="keyrack-service-")
        self.file = os.path.join(self.folder, "c.yaml")
        self.random = random.Random(1)

    def tearDown(self):
        shutil.rmtree(self.folder)

    def own(self, process):
        """Ends the process with the test, however that ends."""
        self.addCleanup(lambda: process.process.poll() is None and process.process.kill())
        return process

    def shard(self, *more, **options):
        return self.own(shard_process.Shard(SHARD, PB, self.folder, *more, **options))

    def router(self, *more, **options):
        return self.own(Router(self.folder, *more, **options))

    def hello(self, process):
        connection = process.connect()
        connection.close()
        return connection.hello

    def put(self, text):
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(text)

    def reload(self, process, text, *expected):
        """The lines after SIGHUP, without the program's name."""
        self.put(text)
        count = len(process.lines)
        process.process.send_signal(signal.SIGHUP)
        eventually(lambda: len(process.lines) >= count + 1 + len(expected))
        time.sleep(0.1)
        told = [line.split(": ", 1)[1].strip() for line in process.lines[count:]
                if "shard 0" not in line]
        self.assertEqual(told, [AGAIN, *expected])


class ReloadTest(ServiceTest):
    def is_hung_up_on(self, process):
        with socket.socket(socket.AF_UNIX) as raw:
            raw.settimeout(10)
            raw.connect(process.socket)
            return raw.recv(1) == b""

    def limits(self, process):
        """max-connections and idle-timeout take hold of a running process."""
        first, second = process.connect(), process.connect()
        self.reload(process, "max-connections: 2\n",
                    "max-connections: 2 instead of 8192: holds from now on")
        self.assertTrue(self.is_hung_up_on(process))
        first.call("PING", wire.ROUTER if isinstance(process, Router) else wire.SHARD, 0,
                   PB.PingRequest(payload=b"x"))
        self.reload(process, "max-connections: 9000\nspin-us: 50\n",
                    "max-connections: 9000 instead of 2: holds from now on",
                    "spin-us: 50 instead of 0: holds from now on")
        third = process.connect()
        self.put("idle-timeout: 1\n")
        process.process.send_signal(signal.SIGHUP)
        for connection in first, second, third:
            self.assertEqual(connection.socket.recv(1), b"")
            connection.close()
        self.assertEqual(self.hello(process).idle_timeout_us, 1000000)

    def test_a_shard_takes_its_limits_over_while_it_runs(self):
        self.put("{}\n")
        shard = self.shard("--config", self.file)
        self.limits(shard)
        self.assertEqual(shard.end(signal.SIGTERM), 0)

    def test_a_router_takes_its_limits_over_while_it_runs(self):
        self.put("{}\n")
        router = self.router("--config", self.file)
        self.limits(router)
        self.assertEqual(router.end(signal.SIGTERM), 0)

    def test_snapshots_begin_after_as_many_effects_as_are_told_now(self):
        self.put("snapshot-effects: 0\nsnapshot-log: 0\n")
        shard = self.shard("--config", self.file)
        connection = shard.connect()
        today = shard_process.load(connection, PB, rooms=100)

        def snapshots():
            ident = wire.mint(shard_process.HOTEL, self.random.getrandbits(60))
            code, _ = connection.call("BOOK", wire.HOTEL, shard_process.HOTEL,
                                      shard_process.sale(PB, today, ident))
            self.assertEqual(code, wire.DONE)
            _, stats = connection.call("STATS", wire.SHARD, 0, PB.StatsRequest())
            return {stat.name: stat.value for stat in stats.stats}["snapshots"]

        for _ in range(20):
            self.assertEqual(snapshots(), 0)
        self.reload(shard, "snapshot-effects: 10\nsnapshot-log: 7\n",
                    "snapshot-effects: 10 instead of 0: holds from now on",
                    "snapshot-log: 7 instead of 0: holds from now on")
        eventually(lambda: snapshots() > 0)
        connection.close()
        self.assertEqual(shard.end(signal.SIGTERM), 0)

    def test_what_needs_a_restart_is_named_and_a_bad_file_changes_nothing(self):
        self.put("window: 100\nidle-timeout: 50\n")
        router = self.router("--config", self.file)
        self.reload(router, "window: 200\nidle-timeout: 60\nlisten: unix:/elsewhere\n",
                    "window: 200 instead of 100: needs a restart",
                    "idle-timeout: 60 instead of 50: holds from now on")
        self.reload(router, "window: 100\nidle-timeout: 70\nidel-timeout: 1\n",
                    f"{self.file}:3: idel-timeout is no option that a file can hold; "
                    "`keyrack-router --help' lists them",
                    "the configuration stays as it was")
        self.assertEqual(self.hello(router).idle_timeout_us, 60000000)
        self.assertEqual(self.hello(router).window, 100)
        self.reload(router, "window: 100\nidle-timeout: 60\n")
        self.assertEqual(router.end(signal.SIGTERM), 0)

    def test_without_a_file_there_is_nothing_to_read_again(self):
        router = self.router()
        self.reload(router, "",
                    "no file was named with --config: there is nothing to read again")
        self.assertEqual(router.end(signal.SIGTERM), 0)


unittest.main(argv=sys.argv[:1], verbosity=1)

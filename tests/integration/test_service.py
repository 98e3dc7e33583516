#!/usr/bin/python3
"""keyrack-shard and keyrack-router under a service manager: SIGHUP, sd_notify, journal, unit files.

usage: test_service.py SOURCE_ROOT KEYRACK_SHARD KEYRACK_ROUTER
"""
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import journal
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

    def __init__(self, folder, *more, program=ROUTER, env=None, wait=True):
        self.socket = os.path.join(folder, "r")
        self.lines = []
        self.process = subprocess.Popen(
            [program, "--cluster", "7", "--shard", "unix:" + os.path.join(folder, "none"),
             "--listen", "unix:" + self.socket, *more], stderr=subprocess.PIPE, text=True, env=env)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        if wait:
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
                    "spin-us: 50 instead of 200: holds from now on")
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


class Manager:
    """The receiving end of sd_notify."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(20)
        self.socket.bind(address.replace("@", "\0", 1))
        self.env = {**os.environ, "NOTIFY_SOCKET": address}

    def next(self):
        """One message as {name: value}."""
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())

    def until(self, name):
        """All messages up to the first that has `name`."""
        messages = [self.next()]
        while name not in messages[-1]:
            messages.append(self.next())
        return messages

    def is_quiet(self):
        return journal.is_quiet(self.socket)


class NotifyTest(ServiceTest):
    def manager(self, address=None):
        manager = Manager(address or os.path.join(self.folder, "notify"))
        self.addCleanup(manager.socket.close)
        return manager

    def lead(self, process, manager):
        """Ready, read again, stopped: what the manager hears."""
        self.assertEqual(manager.until("READY")[-1]["READY"], "1")
        self.assertTrue(manager.is_quiet())
        before = time.monotonic_ns() // 1000
        self.put("idle-timeout: 9\n")
        process.process.send_signal(signal.SIGHUP)
        told = manager.next()
        self.assertEqual(told["RELOADING"], "1")
        self.assertTrue(before <= int(told["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000)
        self.assertEqual(manager.next()["READY"], "1")
        self.put("idle-timeout: x\n")
        process.process.send_signal(signal.SIGHUP)
        self.assertIn("RELOADING", manager.next())
        self.assertEqual(manager.next()["READY"], "1")
        process.process.send_signal(signal.SIGTERM)
        told = manager.next()
        self.assertEqual(told["STOPPING"], "1")
        self.assertIn("answering", told["STATUS"])
        self.assertEqual(process.end(0), 0)
        self.assertTrue(manager.is_quiet())

    def test_a_shard_is_ready_reloads_and_stops_by_its_manager(self):
        manager = self.manager()
        self.put("{}")
        self.lead(self.shard("--config", self.file, env=manager.env), manager)

    def test_a_router_is_ready_reloads_and_stops_by_its_manager(self):
        manager = self.manager("@keyrack-test-" + self.folder)
        self.put("{}")
        self.lead(self.router("--config", self.file, env=manager.env), manager)

    def test_a_shard_that_replays_says_so_and_asks_for_time_before_it_is_ready(self):
        shard = self.shard()
        connection = shard.connect()
        shard_process.load(connection, PB)
        connection.close()
        shard.end(signal.SIGKILL)
        manager = self.manager()
        shard = self.shard(env=manager.env)
        told = manager.until("READY")
        progress = [message for message in told if "EXTEND_TIMEOUT_USEC" in message]
        self.assertIn("recovering: replayed up to effect", progress[0]["STATUS"])
        self.assertGreaterEqual(int(progress[0]["EXTEND_TIMEOUT_USEC"]), 60000000)
        self.assertEqual(shard.end(signal.SIGTERM), 0)
        shard = self.shard("--shard-index=1", "--shards=2", wait=False, env=manager.env)
        self.assertEqual(shard.end(0), 43)
        told = manager.until("STATUS")[-1]
        while not manager.is_quiet():
            told = manager.next()
        self.assertIn("OTHER_LAYOUT", told["STATUS"])
        self.assertNotIn("READY", told)

    def test_a_manager_that_is_gone_stops_nobody_from_serving(self):
        env = {**os.environ, "NOTIFY_SOCKET": os.path.join(self.folder, "nobody")}
        for process in self.shard(env=env), self.router(env=env):
            process.connect().close()
            eventually(lambda lines=process.lines: any("NOTIFY_SOCKET" in line for line in lines))
            self.assertEqual(process.end(signal.SIGTERM), 0)


class JournalTest(ServiceTest):
    def setUp(self):
        super().setUp()
        self.journal = journal.Journal(self.folder, ROOT)
        self.addCleanup(lambda: self.journal.socket.close())

    def shard(self, *more, **options):
        return self.own(shard_process.Shard(self.journal.wrap(SHARD), PB, self.folder, *more,
                                            wait=False, env=self.journal.env, **options))

    def router(self, *more):
        return self.own(Router(self.folder, *more, program=self.journal.wrap(ROUTER), wait=False,
                               env=self.journal.env))

    def kinds(self, entries):
        return [entry["KEYRACK_EVENT"] for entry in entries]

    def test_a_shards_life(self):
        self.put("{}")
        shard = self.shard("--config", self.file)
        told = self.journal.until("READY")
        self.assertEqual(set(self.kinds(told)) - {"DESCRIPTORS", "BUFFERED"}, {"STARTING", "READY"})
        connection = shard.connect()
        shard_process.load(connection, PB)
        connection.close()
        self.put("idle-timeout: 9\nwindow: 1\n")
        shard.process.send_signal(signal.SIGHUP)
        told += self.journal.until("RELOAD")
        self.assertEqual(told[-1]["MESSAGE"], AGAIN)
        while "stays" not in told[-1]["MESSAGE"]:
            told.append(self.journal.next())
        self.put("idle-timeout: 9\n")
        shard.process.send_signal(signal.SIGHUP)
        while "holds from now on" not in told[-1]["MESSAGE"]:
            told.append(self.journal.next())
        self.assertGreaterEqual(self.kinds(told).count("RELOAD"), 5)
        shard.process.send_signal(signal.SIGTERM)
        told += self.journal.until("STOPPED")
        self.assertIn("STOPPING", self.kinds(told))
        self.assertEqual(shard.end(0), 0)
        for entry in told:
            self.assertEqual({name: entry[name] for name in
                              ("KEYRACK_CLUSTER", "KEYRACK_SHARD", "KEYRACK_DIRECTORY")},
                             {"KEYRACK_CLUSTER": str(shard_process.CLUSTER), "KEYRACK_SHARD": "0",
                              "KEYRACK_DIRECTORY": os.path.join(self.folder, "d")})
        self.assertGreaterEqual(int(told[-1]["KEYRACK_LSN"]), 3)
        self.assertEqual(shard.lines, [], "nothing is said twice")

    def test_what_recovery_found_and_why_it_refuses(self):
        shard = self.shard()
        self.journal.until("READY")
        connection = shard.connect()
        shard_process.load(connection, PB)
        connection.close()
        shard.end(signal.SIGKILL)
        os.unlink(os.path.join(self.folder, "d", "MARK"))
        shard = self.shard()
        found = [entry for entry in self.journal.until("READY")
                 if entry["KEYRACK_EVENT"] == "RECOVERED"]
        self.assertEqual(len(found), 1)
        self.assertEqual(found[0]["KEYRACK_CODE"], "MARK_LOST")
        self.assertIn("MARK_LOST", found[0]["MESSAGE"])
        self.assertEqual(shard.end(signal.SIGTERM), 0)
        self.journal.until("STOPPED")
        shard = self.shard("--shard-index=1", "--shards=2")
        refused = self.journal.until("REFUSED")[-1]
        self.assertEqual(shard.end(0), 43)
        self.assertEqual(refused["KEYRACK_CODE"], "OTHER_LAYOUT")
        self.assertEqual(refused["KEYRACK_SHARD"], "1")
        self.assertIn("OTHER_LAYOUT", refused["MESSAGE"])
        self.assertIn("\n", refused["MESSAGE"])
        shard = self.shard("--listen", "unix:/nonexistent/s")
        failed = self.journal.until("FAILED")[-1]
        self.assertEqual(shard.end(0), 3)
        self.assertEqual(failed["KEYRACK_CODE"], "NOENT")

    def test_a_router_names_the_shard_of_a_link(self):
        router = self.router()
        told = self.journal.until("LINK_DOWN")
        self.assertEqual(told[-1]["KEYRACK_SHARD"], "0")
        if "READY" not in self.kinds(told):
            self.journal.until("READY")
        self.assertNotIn("KEYRACK_SHARD", told[0])
        router.process.send_signal(signal.SIGTERM)
        told = self.journal.until("STOPPED")
        self.assertEqual(self.kinds(told)[-2:], ["STOPPING", "STOPPED"])
        self.assertEqual({entry["KEYRACK_CLUSTER"] for entry in told}, {"7"})
        self.assertEqual(router.end(0), 0)
        self.assertEqual(router.lines, [])

    def test_a_wrong_configuration_is_an_entry_for_each_fault(self):
        self.put("idle-timeout: x\nidel-timeout: 1\n")
        for start in self.shard, self.router:
            self.assertEqual(start("--config", self.file).end(0), 2)
            self.assertEqual(self.kinds([self.journal.next(), self.journal.next()]),
                             ["MISCONFIGURED"] * 2)
            self.assertTrue(self.journal.is_quiet())

    def test_a_journal_that_is_full_or_gone_holds_nobody_up(self):
        self.put("{}")
        router = self.router("--config", self.file)
        self.journal.until("READY")

        def reload(seconds):
            self.put(f"idle-timeout: {seconds}\n")
            router.process.send_signal(signal.SIGHUP)
            eventually(lambda: self.hello(router).idle_timeout_us == seconds * 1000000, 120)
        seconds = 100
        while not any("instead of" in line for line in router.lines):
            seconds += 1
            self.assertLess(seconds, 10000, "the journal takes them all")
            reload(seconds)
        # Nobody empties the journal, so what the last one said is on its way here as well.
        eventually(lambda: any(f"{seconds} instead of" in line for line in router.lines))
        while not self.journal.is_quiet():
            self.assertIn(self.journal.next()["KEYRACK_EVENT"], ("RELOAD", "LINK_DOWN"))
        self.journal.close()
        before = len(router.lines)
        reload(50)
        eventually(lambda: len(router.lines) >= before + 2)
        self.assertEqual(router.lines[before], f"keyrack-router: {AGAIN}\n")
        self.journal.listen()
        reload(51)
        self.assertIn("51 instead of 50", [self.journal.next() for _ in range(2)][-1]["MESSAGE"])
        self.assertEqual(router.end(signal.SIGTERM), 0)

    def test_the_manual_lists_every_kind(self):
        with open(os.path.join(ROOT, "tools/keyrack-journal.7"), encoding="utf-8") as file:
            rows = re.findall(r"^\.It Li (\S+) , Li (\S+)\n(\w+), (\w+): (.+)$", file.read(), re.M)
        words = {"3": "err", "4": "warning", "5": "notice", "6": "info"}
        self.assertEqual(rows, [(name, number, words[priority], of, meaning) for
                                name, (priority, number, of, meaning) in
                                self.journal.table.items()])


UNITS = [("engine/server/keyrack-shard@.service", SHARD), ("router/keyrack-router.service", ROUTER)]


def tool(*words):
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)


class UnitTest(ServiceTest):
    def unit(self, path, program, change=lambda text: text):
        """The unit file for the program as it was built."""
        with open(os.path.join(ROOT, path + ".in"), encoding="utf-8") as file:
            text = file.read().replace("@PROGRAM@", os.path.abspath(program))
        name = os.path.join(self.folder, os.path.basename(path).replace("@", "@0"))
        with open(name, "w", encoding="utf-8") as file:
            file.write(change(text))
        return name

    def complaints(self, unit):
        done = tool("systemd-analyze", "verify", "--man=no", unit)
        return [line for line in done.stderr.splitlines() if "keyrack" in line]

    @unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze")
    def test_systemd_understands_the_unit_files_and_finds_them_tight(self):
        for path, program in UNITS:
            self.assertEqual(self.complaints(self.unit(path, program)), [])
            wrong = self.unit(path, program, lambda text: text.replace("ProtectHome=", "Protect="))
            self.assertNotEqual(self.complaints(wrong), [])
            done = tool("systemd-analyze", "security", "--offline=yes", "--threshold=20",
                        self.unit(path, program))
            if "unrecognized option" not in done.stderr:
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def allowed(self, name, groups):
        """The system calls of a group, those of the groups in it included."""
        found = set()
        for word in groups[name]:
            found |= self.allowed(word, groups) if word.startswith("@") else {word}
        return found

    @unittest.skipUnless(shutil.which("systemd-analyze") and shutil.which("strace") and
                         tool("strace", "-o", "/dev/null", "true").returncode == 0,
                         "there is no systemd-analyze, or nothing can be traced")
    def test_the_programs_make_no_system_call_that_their_units_forbid(self):
        groups, group = {}, None
        for line in tool("systemd-analyze", "syscall-filter").stdout.splitlines():
            word = line.strip().split(" ")[0]
            if line.startswith("@"):
                group = groups.setdefault(word, [])
            elif group is not None and word and not word.startswith("#"):
                group.append(word)
        allowed = self.allowed("@system-service", groups) - self.allowed("@privileged", groups)
        self.assertIn("io_uring_enter", allowed)
        self.put("idle-timeout: 9\n")
        for program in SHARD, ROUTER:
            called = self.calls_of(program)
            self.assertIn("io_uring_enter", called)
            self.assertEqual(called - allowed, set(), program)

    def calls_of(self, program):
        """The system calls of a life: start, a reload, a client, SIGTERM; entries of a journal."""
        with open(program, "rb") as file:
            if b"__asan_init" in file.read():
                self.skipTest("a sanitizer makes calls of its own")
        trace = os.path.join(self.folder, "trace")
        told = journal.Journal(self.folder, ROOT)
        traced = told.wrap(program, f"strace -D -f -qq -o {trace}")
        more = {"env": told.env, "wait": False}
        process = self.own(
            shard_process.Shard(traced, PB, self.folder, "--config", self.file, **more)
            if program == SHARD
            else Router(self.folder, "--config", self.file, program=traced, **more))
        told.until("READY")
        process.process.send_signal(signal.SIGHUP)
        connection = process.connect()
        if program == SHARD:
            shard_process.load(connection, PB)
        connection.close()
        told.close()
        self.assertEqual(process.end(signal.SIGTERM), 0)
        with open(trace, encoding="utf-8", errors="replace") as file:
            text = file.read()
        return set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)(?:\(| resumed)", text, re.M))


unittest.main(argv=sys.argv[:1], verbosity=1)

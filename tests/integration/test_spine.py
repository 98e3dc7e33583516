#!/usr/bin/python3
"""The spine under load: a real trace exactly, the last room once, rubbish, crowds, a full disk.

usage: test_spine.py SOURCE_ROOT KEYRACK KEYRACK_SHARD KEYRACK_ROUTER KEYRACK_BENCH KEYRACK_RECOVER
"""
import json
import hashlib
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from ports import free_port

ROOT, KEYRACK, SHARD, ROUTER, BENCH, RECOVER = sys.argv[1:7]
DATA = os.path.join(ROOT, "..", "shared", "data")
LONG = "KEYRACK_LONG" in os.environ
TIMEOUT_S = 300


def run(*words, check=True, timeout=TIMEOUT_S, **more):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True,
                          timeout=timeout, check=False, **more)
    if check and done.returncode != 0:
        raise AssertionError(f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


class Cluster:
    def __init__(self, folder, shards=2, *sizes):
        self.folder = folder
        self.port = free_port()
        self.router = f"127.0.0.1:{self.port}"
        self.shards = shards
        self.sizes = sizes or ("--hotels", "400", "--types", "2000", "--nights", "400",
                               "--reservations", "400000")

    def start(self):
        run(KEYRACK, "cluster", "start", "--dir", self.folder, "--shards", self.shards,
            "--listen", self.router, "--allow-tmpfs", *self.sizes)
        return self

    def again(self):
        run(KEYRACK, "cluster", "start", "--dir", self.folder)

    def stop(self):
        return run(KEYRACK, "cluster", "stop", "--dir", self.folder, check=False)

    def bench(self, *words, **more):
        return run(BENCH, words[0], "--router", self.router, *words[1:], **more)

    def pid(self, name):
        with open(os.path.join(self.folder, name + ".pid"), encoding="ascii") as file:
            return int(file.read().split()[0])

    def folders(self):
        return [os.path.join(self.folder, f"shard-{i}") for i in range(self.shards)]


class Case(unittest.TestCase):
    sizes = ()

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(dir=os.environ.get("KEYRACK_TEST_DIR"))
        self.cluster = Cluster(os.path.join(self.temporary.name, "c"), 2, *self.sizes).start()

    def tearDown(self):
        self.cluster.stop()
        self.temporary.cleanup()

    def verify(self):
        self.cluster.stop()
        for folder in self.cluster.folders():
            run(RECOVER, "verify", folder)


class Trace(Case):
    """The resort's bookings and cancellations, in file order, must end exactly as they must."""
    sizes = ("--hotels", "10", "--types", "40", "--nights", "830", "--reservations", "200000")

    def setUp(self):
        if not os.path.isdir(DATA):
            self.skipTest("../shared/data is absent")
        with open(os.path.join(DATA, "resort_expected.json"), encoding="utf-8") as file:
            self.expected = json.load(file)
        super().setUp()

    def play(self, *more):
        done = self.cluster.bench(
            "replay", "--trace", os.path.join(DATA, "resort_trace.csv.gz"), "--capacity",
            os.path.join(DATA, "resort_capacity.csv"), "--json", *more, timeout=1200)
        return json.loads(done.stdout)

    def expect(self, outcome):
        for name in ("refused", "released", "booked_at_end", "refused_ids_sha256",
                     "final_cells_sha256"):
            self.assertEqual(outcome[name], self.expected[name], name)

    def cells_on_disk(self, shift_days):
        """The same sum from what keyrack-recover finds, offline."""
        lines, codes = [], {}
        with open(os.path.join(DATA, "resort_capacity.csv"), encoding="utf-8") as file:
            for number, line in enumerate(file.read().split()[1:]):
                codes[number] = line.split(",")[1]
        for folder in self.cluster.folders():
            for line in run(RECOVER, "dump", "--cells", "--json", folder).stdout.splitlines():
                cell = json.loads(line)
                if cell["booked"] > 0:
                    day = cell["night"] - shift_days
                    date = time.strftime("%Y-%m-%d", time.gmtime(day * 86400))
                    lines.append(f"{codes[cell['type']]},{date},{cell['booked']}")
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()

    def test_ends_exactly_as_expected_with_256_in_flight_and_so_does_the_disk(self):
        outcome = self.play("--depth", "256")
        self.expect(outcome)
        self.verify()
        self.assertEqual(self.cells_on_disk(outcome["shift_days"]),
                         self.expected["final_cells_sha256"])

    def test_ends_so_with_the_shard_killed_in_the_middle(self):
        killed = []

        def kill():
            # the shard that owns hotel 1 is the one that grows
            for _ in range(2):
                time.sleep(3)
                for name in ("shard-0", "shard-1"):
                    os.kill(self.cluster.pid(name), signal.SIGKILL)
                    killed.append(name)
                self.cluster.again()

        thread = threading.Thread(target=kill)
        thread.start()
        outcome = self.play("--depth", "1", "--deadline", "120")
        thread.join()
        self.assertEqual(len(killed), 4)
        self.expect(outcome)
        self.verify()


class Races(Case):
    def test_are_won_by_as_many_as_there_are_rooms(self):
        rounds = 100 if LONG else 5
        for rooms in (1, 10):
            done = self.cluster.bench("race", "--requests", "10000", "--connections", "64",
                                      "--rooms", rooms, "--rounds", rounds, "--first-hotel",
                                      1000 * rooms, "--json", timeout=1200)
            self.assertEqual(json.loads(done.stdout)["wrong"], 0)
        self.verify()


def rubbish():
    yield os.urandom(4096)
    yield b"GET / HTTP/1.1\r\nHost: keyrack\r\n\r\n"
    yield b"KRK1"
    yield b"KRK1" + bytes(60)
    yield b"KRK1\x01\x01\x04\x00" + struct.pack("<I", 0xffffffff) + os.urandom(52)
    yield b"\x00" * 100000


class Hostile(Case):
    def connect(self):
        return socket.create_connection(("127.0.0.1", self.cluster.port), timeout=20)

    def memory_kb(self, name):
        with open(f"/proc/{self.cluster.pid(name)}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("VmRSS"):
                    return int(line.split()[1])
        return 0

    def still_serves(self):
        run(KEYRACK, "--router", self.cluster.router, "ping")

    def test_rubbish_is_answered_or_closed_and_nobody_else_notices(self):
        for _ in range(20):
            for bytes_sent in rubbish():
                with self.connect() as peer:
                    try:
                        peer.sendall(bytes_sent)
                        peer.shutdown(socket.SHUT_WR)
                        while peer.recv(65536):
                            pass
                    except (ConnectionError, BrokenPipeError):
                        pass
        self.still_serves()

    def test_five_thousand_idle_connections_cost_little_and_disturb_nobody(self):
        wanted = 5000
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, wanted + 500), hard))
        before = self.memory_kb("router")
        peers = []
        try:
            for _ in range(min(hard - 500, wanted)):
                peers.append(self.connect())
            self.still_serves()
            self.assertLess(self.memory_kb("router") - before, 64 * 1024)
        finally:
            for peer in peers:
                peer.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        self.still_serves()

    def test_sigterm_under_load_drains_and_loses_nothing(self):
        self.cluster.bench("load", "--hotels", "20", "--types-min", "2", "--nights", "400")
        load = subprocess.Popen(
            [BENCH, "run", "--router", self.cluster.router, "--seconds", "6", "--warmup", "0",
             "--deadline", "60", "--connections", "8", "--depth", "8", "--mix",
             "hold+confirm=2,book=2,cancel=1", "--json"], stdout=subprocess.PIPE, text=True)
        time.sleep(2)
        pid = self.cluster.pid("shard-0")
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 30
        while not self.gone(pid):
            self.assertLess(time.monotonic(), deadline, "it does not end")
            time.sleep(0.05)
        self.cluster.again()
        output, _ = load.communicate(timeout=TIMEOUT_S)
        self.assertEqual(load.returncode, 0, output)
        self.assertEqual(json.loads(output)["differences"], 0)
        self.verify()

    @staticmethod
    def gone(pid):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                return file.read().rsplit(")", 1)[1].split()[0] in "ZX"
        except OSError:
            return True


class FullDisk(unittest.TestCase):
    """A shard's disk fills: new work is refused, giving back goes on; with room it sells again."""

    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("mounting needs root")
        self.temporary = tempfile.TemporaryDirectory()
        self.mount = os.path.join(self.temporary.name, "disk")
        image = os.path.join(self.temporary.name, "image")
        os.mkdir(self.mount)
        with open(image, "wb") as file:
            file.truncate(240 << 20)
        if run("mkfs.ext4", "-q", "-m", "0", image, check=False).returncode != 0 or \
                run("mount", "-o", "loop", image, self.mount, check=False).returncode != 0:
            self.temporary.cleanup()
            self.skipTest("loop mounts are impossible here")
        self.cluster = Cluster(os.path.join(self.mount, "c"), 1).start()

    def tearDown(self):
        self.cluster.stop()
        run("umount", "-l", self.mount, check=False)
        self.temporary.cleanup()

    def fill(self):
        path = os.path.join(self.mount, "filler")
        with open(path, "wb") as file:
            try:
                while True:
                    file.write(bytes(1 << 20))
                    file.flush()
            except OSError:
                pass
        return path

    def sell(self, seconds):
        done = self.cluster.bench(
            "run", "--seconds", seconds, "--warmup", "0", "--no-retry", "--connections", "2",
            "--depth", "1", "--mix", "book=3,cancel=1", "--json", timeout=600)
        return json.loads(done.stdout)

    def test_turns_it_read_only_and_back(self):
        self.cluster.bench("load", "--hotels", "20", "--types-min", "2", "--nights", "400",
                           "--physical", "29000")
        filler = self.fill()
        seen = {}
        for _ in range(30):
            result = self.sell(3)
            self.assertEqual(result["differences"], 0)
            for code, count in result["codes"].items():
                seen[code] = seen.get(code, 0) + count
            if "READ_ONLY" in seen:
                break
        self.assertIn("READ_ONLY", seen)
        os.unlink(filler)
        for _ in range(30):
            time.sleep(0.5)
            result = self.sell(0.5)
            self.assertEqual(result["differences"], 0)
            if "READ_ONLY" not in result["codes"] and result["done"] > 0:
                break
        else:
            self.fail("it does not come back")
        self.cluster.stop()
        for folder in self.cluster.folders():
            run(RECOVER, "verify", folder)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[7:], verbosity=2)

#!/usr/bin/python3
"""A shard with a router inside: what it takes, how it ends, who may do what.

usage: test_embedded.py SOURCE-ROOT KEYRACK-ROUTER KEYRACK-SHARD KEYRACK KEYRACK-BENCH
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import pykeyrack
from ports import free_port

ROOT, ROUTER, SHARD, KEYRACK, BENCH = sys.argv[1:]
PROTOCOL = os.path.join(ROOT, "proto", "PROTOCOL.md")
CLUSTER = 9
SIZES = ["--hotels", "50", "--reservations", "200000", "--segment-size", "8"]
TIMEOUT_S = 60
HOTEL, TYPE = 4711, 1


def nights(first, last):
    """As the CLI takes them, counted from today."""
    day = 24 * 3600
    return "..".join(time.strftime("%Y-%m-%d", time.gmtime(time.time() + n * day))
                     for n in (first, last))


def started(*argv):
    """A process that has said that it serves."""
    read, write = os.pipe()
    process = subprocess.Popen([*argv, "--cluster", str(CLUSTER), "--ready-fd", str(write)],
                               pass_fds=[write], stderr=subprocess.PIPE, text=True)
    os.close(write)
    with os.fdopen(read) as line:
        said = line.readline()
    if not said:
        raise RuntimeError(process.communicate(timeout=TIMEOUT_S)[1])
    return process, said


class EmbeddedTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="keyrack-embedded-", dir="/var/tmp")
        self.addCleanup(shutil.rmtree, self.folder)
        self.address = f"127.0.0.1:{free_port()}"

    def own(self, process):
        def end():
            if process.poll() is None:
                process.kill()
            process.communicate(timeout=TIMEOUT_S)
        self.addCleanup(end)
        return process

    def shard(self, *more, index=0):
        process, said = started(SHARD, "--dir", os.path.join(self.folder, f"d{index}"), *SIZES,
                                "--shard-index", str(index), *more)
        return self.own(process), said

    def inside(self, *more):
        process, said = self.shard("--router-listen", self.address, *more)
        self.assertEqual(said, f"ready on {self.address}\n")
        return process

    def refusal(self, *more):
        done = subprocess.run([SHARD, "--dir", os.path.join(self.folder, "d"), "--cluster",
                               str(CLUSTER), *more], capture_output=True, text=True,
                              timeout=TIMEOUT_S, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        return done.stderr

    def client(self, **more):
        client = pykeyrack.Client(pykeyrack.Document(PROTOCOL), [self.address],
                                  deadline=TIMEOUT_S, **more)
        self.addCleanup(client.close)
        return client

    def keyrack(self, *words, code=0):
        done = subprocess.run([KEYRACK, "--router", self.address, *words], capture_output=True,
                              text=True, timeout=TIMEOUT_S, check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def sell(self):
        self.keyrack("hotel", "put", str(HOTEL), "--zone", "UTC", "--currency", "EUR")
        self.keyrack("type", "put", str(HOTEL), str(TYPE), "--code", "DBL", "--physical", "9000")
        self.keyrack("inventory", "set", str(HOTEL), "--types", str(TYPE), "--nights", nights(0, 30),
                     "--set", "price=EUR 99.00")

    def bench_load(self):
        load = subprocess.run([BENCH, "load", "--router", self.address, "--hotels", "20",
                               "--nights", "30", "--quiet"], capture_output=True, text=True,
                              timeout=TIMEOUT_S, check=False)
        self.assertEqual(load.returncode, 0, load.stderr)

    # ---- what it takes ----

    def test_what_contradicts_is_refused_with_the_option_and_what_to_give(self):
        self.assertIn("give --listen, --router-listen, or KEYRACK_SHARD_LISTEN", self.refusal())
        said = self.refusal("--listen", "unix:/s", "--router-window", "7",
                            "--router-booking-listen", "unix:/b")
        self.assertIn("--router-window is about a router inside", said)
        self.assertIn("--router-booking-listen is about a router inside", said)
        said = self.refusal("--router-listen", "0.0.0.0:1")
        self.assertIn("--router-listen", said)
        self.assertIn("give --router-operator-token-file or --router-booking-token-file", said)
        self.assertIn("names 0 shards of 2", self.refusal("--router-listen", "unix:/r",
                                                          "--shards", "2"))
        self.assertIn("names 1 shards of 2", self.refusal("--router-listen", "unix:/r", "--shards",
                                                          "2", "--router-shard", "unix:/a"))
        self.assertIn("--router-booking-listen has an address that --router-listen has as well",
                      self.refusal("--router-listen", "unix:/r", "--router-booking-listen",
                                   "unix:/r"))
        roles = ("--router-listen", "unix:/r", "--router-booking-listen", "unix:/b")
        self.assertIn("--listen has 127.0.0.1:1, where whoever reaches it passes by the rights",
                      self.refusal(*roles, "--listen", "127.0.0.1:1"))
        self.assertIn("make it unix:PATH, or give --router-shard-token-file and, to the shard",
                      self.refusal(*roles, "--listen", "unix:/s", "--shards", "2",
                                   "--router-shard", "unix:/s", "--router-shard", "127.0.0.1:2"))

    def test_an_address_in_use_ends_the_start_before_anything_is_recovered(self):
        self.inside()
        with self.assertRaisesRegex(RuntimeError, "another process is there"):
            started(SHARD, "--dir", os.path.join(self.folder, "other"), "--router-listen",
                    self.address)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "other")))

    def test_clients_take_no_file_that_the_log_needs(self):
        self.check_few_files(0)

    def test_nor_after_the_limits_were_read_again(self):
        self.check_few_files(signal.SIGHUP)

    def check_few_files(self, reread):
        """More clients than the system has files for: a shard that lacks one for its log ends."""
        config = os.path.join(self.folder, "shard.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("router-max-connections: 600\n")
        read, write = os.pipe()
        process = self.own(subprocess.Popen(
            ["sh", "-c", 'ulimit -n 300; exec "$@"', "sh", SHARD, "--config", config,
             "--cluster", str(CLUSTER), "--dir", os.path.join(self.folder, "d0"), *SIZES,
             "--router-listen", self.address, "--ready-fd", str(write), "--snapshot-log", "1"],
            pass_fds=[write], stderr=subprocess.PIPE, text=True))
        os.close(write)
        with os.fdopen(read) as line:
            self.assertEqual(line.readline(), f"ready on {self.address}\n")
        self.bench_load()
        if reread:
            with open(config, "w", encoding="utf-8") as file:
                file.write("router-max-connections: 700\n")
            process.send_signal(reread)
            patience = threading.Timer(TIMEOUT_S, process.kill)
            patience.start()
            for _ in ("at the start", "now"):
                self.assertTrue(any("room for" in line for line in process.stderr))
            patience.cancel()
        host, port = self.address.rsplit(":", 1)
        load = self.own(subprocess.Popen(
            [BENCH, "run", "--router", self.address, "--connections", "4", "--depth", "16",
             "--seconds", "5", "--mix", "book=1,cancel=1"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        time.sleep(1.5)
        for _ in range(400):
            client = socket.create_connection((host, int(port)))
            self.addCleanup(client.close)
        while load.poll() is None:
            self.assertIsNone(process.poll(), "the shard ended")
            time.sleep(0.1)
        out, said = load.communicate(timeout=TIMEOUT_S)
        self.assertEqual(load.returncode, 0, out + said)

    def starting(self, *more):
        """One that cannot serve yet, with a client who is connected to it already."""
        process = self.own(subprocess.Popen(
            [SHARD, "--dir", os.path.join(self.folder, "d0"), *SIZES, "--cluster", str(CLUSTER),
             "--router-listen", self.address, *more], stderr=subprocess.PIPE, text=True))
        host, port = self.address.rsplit(":", 1)
        for _ in range(TIMEOUT_S * 100):
            try:
                client = socket.create_connection((host, int(port)))
                self.addCleanup(client.close)
                return process
            except OSError:
                time.sleep(0.01)
        raise RuntimeError("it does not listen")

    def test_a_stop_while_it_waits_for_its_directory_is_one(self):
        holder, _ = self.shard("--listen", f"unix:{self.folder}/holder")
        process = self.starting("--lock-wait", str(TIMEOUT_S))
        process.terminate()
        self.assertEqual(process.wait(TIMEOUT_S), 0, process.stderr.read())
        self.assertIsNone(holder.poll())

    def test_a_stop_while_it_recovers_is_one(self):
        process = self.starting("--prefault", "--reservations", "4000000")
        process.terminate()
        self.assertEqual(process.wait(TIMEOUT_S), 0, process.stderr.read())

    def test_a_stop_while_it_waits_for_an_address_recovers_nothing(self):
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        process = self.starting("--router-listen", f"127.0.0.1:{taken.getsockname()[1]}")
        process.terminate()
        self.assertEqual(process.wait(TIMEOUT_S), 0, process.stderr.read())
        files = os.listdir(os.path.join(self.folder, "d0"))
        self.assertEqual([name for name in files if name.startswith(("log-", "snap-"))], [])

    # ---- how it serves ----

    def test_it_sells_and_what_it_sold_outlives_a_kill(self):
        process = self.inside()
        self.sell()
        client = self.client()
        today = int(time.time() // 86400)
        messages = client.document.messages

        idents = [pykeyrack.mint(HOTEL) for _ in range(100)]

        def book(ident):
            return client.call("BOOK", hotel_id=HOTEL, id_hi=ident[0], id_lo=ident[1],
                               lines=[messages["Line"](type=TYPE, check_in=today + 3,
                                                       check_out=today + 5, rooms=1, guests=2)])
        for ident in idents:
            self.assertEqual(book(ident).code, 1)
        process.kill()
        process.wait(TIMEOUT_S)
        self.inside()
        for ident in idents:
            again = book(ident)
            self.assertEqual((again.code, again.message.repeated_op), (1, True))
        total = json.loads(self.keyrack("occupancy", str(HOTEL), "--nights", nights(3, 4),
                                        "--by", "total", "--json"))
        self.assertEqual(total["total"]["booked"], 200)

    def test_the_other_shards_are_reached_through_their_sockets(self):
        sockets = [f"unix:{self.folder}/s{i}" for i in range(2)]
        _, said = self.shard("--shards", "2", "--listen", sockets[1], index=1)
        self.assertEqual(said, "ready\n")
        self.inside("--shards", "2", "--listen", sockets[0], "--router-shard", ",".join(sockets))
        for hotel in range(1, 9):
            self.keyrack("hotel", "put", str(hotel), "--zone", "UTC", "--currency", "EUR")
        found = json.loads(self.keyrack("stats", "--json"))
        counts = [shard["stats"]["hotels"] for shard in found["shards"]]
        self.assertEqual(sum(counts), 8)
        self.assertTrue(all(counts), counts)

    def test_another_router_may_stand_before_it(self):
        self.inside("--listen", f"unix:{self.folder}/s")
        address = f"127.0.0.1:{free_port()}"
        router, _ = started(ROUTER, "--listen", address, "--shard", f"unix:{self.folder}/s")
        self.own(router)
        self.sell()
        self.address = address
        self.assertIn(str(HOTEL), self.keyrack("hotel", "list"))

    # ---- who may do what ----

    def test_tokens_and_roles_are_those_of_a_router_and_reread(self):
        tokens = os.path.join(self.folder, "tokens")
        for number, name in enumerate(("operator", "booking", "next"), 1):
            done = subprocess.run([KEYRACK, "token", "--number", str(number),
                                   os.path.join(self.folder, name)], capture_output=True,
                                  text=True, timeout=TIMEOUT_S, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
        shutil.copy(os.path.join(self.folder, "operator"), tokens)
        process = self.inside("--router-operator-token-file", tokens,
                              "--router-booking-token-file",
                              os.path.join(self.folder, "booking"))
        self.keyrack("hotel", "list", code=3)
        self.keyrack("--token-file", tokens, "hotel", "put", "1", "--zone", "UTC", "--currency",
                     "EUR")
        said = self.keyrack("--token-file", os.path.join(self.folder, "booking"), "hotel", "put",
                            "2", "--zone", "UTC", "--currency", "EUR", code=1)
        self.assertIn("operator", said)
        shutil.copy(os.path.join(self.folder, "next"), tokens)
        process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + TIMEOUT_S
        while "tokens are those of the files now" not in process.stderr.readline():
            self.assertLess(time.monotonic(), deadline)
        self.keyrack("--token-file", os.path.join(self.folder, "operator"), "hotel", "list",
                     code=3)

    # ---- how it ends ----

    def test_a_stop_under_load_answers_what_it_took_and_loses_nothing(self):
        process = self.inside()
        self.bench_load()
        bench = subprocess.Popen([BENCH, "run", "--router", self.address, "--connections", "8", "--depth", "8", "--seconds", "6",
                                  "--deadline", "20", "--window", "25", "--mix",
                                  "book=1,cancel=1"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.own(bench)
        restarted = []

        def trouble():
            for number in signal.SIGTERM, signal.SIGKILL:
                time.sleep(1.5)
                last = restarted[-1] if restarted else process
                last.send_signal(number)
                restarted_status = last.wait(TIMEOUT_S)
                self.assertEqual(restarted_status, 0 if number == signal.SIGTERM else -number)
                restarted.append(self.inside())
        thread = threading.Thread(target=trouble)
        thread.start()
        out, err = bench.communicate(timeout=2 * TIMEOUT_S)
        thread.join()
        self.assertEqual(len(restarted), 2)
        self.assertEqual(bench.returncode, 0, out + err)
        self.assertIn("every night is what the answers say", out)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)

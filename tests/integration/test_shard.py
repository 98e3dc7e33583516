#!/usr/bin/python3
"""keyrack-shard as a process: serves, survives SIGKILL, stops cleanly, refuses what it must.

usage: test_shard.py SOURCE_ROOT KEYRACK_SHARD
"""
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import shard_process
import wire

ROOT, SHARD = sys.argv[1:3]
PB = wire.messages(ROOT)
CLUSTER, HOTEL = shard_process.CLUSTER, shard_process.HOTEL


def Shard(folder, *more, wait=True):  # pylint: disable=invalid-name
    return shard_process.Shard(SHARD, PB, folder, *more, wait=wait)


def load(connection, rooms=5):
    return shard_process.load(connection, PB, rooms)


def sale(today, ident):
    return shard_process.sale(PB, today, ident)


def booked(connection, today, offset, nights):
    code, answer = connection.call("AVAILABILITY", wire.HOTEL, HOTEL, PB.AvailabilityRequest(
        hotel_id=HOTEL, types=[1], first_day=today + offset, night_count=nights))
    assert code == wire.DONE, code
    return [word >> 32 & 0xFFFF for word in answer.counters]


class ShardTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="keyrack-shard-")
        self.random = random.Random(1)

    def tearDown(self):
        shutil.rmtree(self.folder)

    def mint(self):
        return wire.mint(HOTEL, self.random.getrandbits(60))

    def test_a_booking_outlives_sigkill_and_its_id_answers_the_same(self):
        shard = Shard(self.folder)
        connection = shard.connect()
        today = load(connection)
        ident = self.mint()
        code, first = connection.call("BOOK", wire.HOTEL, HOTEL, sale(today, ident))
        self.assertEqual((code, first.state, first.total_minor), (wire.DONE, 2, 29700))
        self.assertFalse(first.repeated_op)
        connection.close()
        for _ in range(3):
            self.assertEqual(shard.end(signal.SIGKILL), -signal.SIGKILL)
            shard = Shard(self.folder)
            connection = shard.connect()
            code, again = connection.call("BOOK", wire.HOTEL, HOTEL, sale(today, ident))
            self.assertEqual((code, again.state, again.total_minor), (wire.DONE, 2, 29700))
            self.assertTrue(again.repeated_op)
            self.assertEqual(again.event_seq, first.event_seq)
            self.assertEqual(booked(connection, today, 9, 5), [0, 1, 1, 1, 0])
            connection.close()
        self.assertEqual(shard.end(signal.SIGTERM), 0)

    def test_a_thousand_pipelined_requests_are_answered_in_order(self):
        shard = Shard(self.folder)
        connection = shard.connect()
        today = load(connection, rooms=700)
        sent, frames = [], b""
        for _ in range(1000):
            frames += connection.frame("BOOK", wire.HOTEL, HOTEL, sale(today, self.mint()))
            sent.append(connection.request_id)
        connection.socket.sendall(frames)
        answers = [connection.receive() for _ in sent]
        self.assertEqual([answer[0] for answer in answers], sent)
        codes = [answer[1] for answer in answers]
        self.assertEqual(codes, [wire.DONE] * 700 + [wire.SOLD_OUT] * 300)
        self.assertEqual(booked(connection, today, 10, 3), [700] * 3)
        connection.close()
        self.assertEqual(shard.end(signal.SIGTERM), 0)

    def test_sigterm_under_load_loses_nothing_that_was_answered(self):
        shard = Shard(self.folder)
        connection = shard.connect()
        today = load(connection, rooms=30000)
        done, sent, ids = [], [], {}

        def drain():
            try:
                while True:
                    got, code, _ = connection.receive()
                    if code == wire.DONE:
                        done.append(got)
            except (ConnectionError, OSError):
                pass

        reader = threading.Thread(target=drain)
        reader.start()
        try:
            for count in range(20000):
                ident = self.mint()
                connection.send("BOOK", wire.HOTEL, HOTEL, sale(today, ident))
                ids[connection.request_id] = ident
                sent.append(connection.request_id)
                if count == 3000:
                    shard.process.send_signal(signal.SIGTERM)
        except OSError:
            pass
        self.assertEqual(shard.end(signal.SIGTERM), 0)
        reader.join(10)
        connection.close()
        self.assertGreater(len(done), 100)
        self.assertTrue([name for name in os.listdir(os.path.join(self.folder, "d"))
                         if name.startswith("snap-")])
        shard = Shard(self.folder)
        connection = shard.connect()
        for request in done[:50] + done[-50:]:
            code, answer = connection.call("BOOK", wire.HOTEL, HOTEL, sale(today, ids[request]))
            self.assertEqual((code, answer.repeated_op), (wire.DONE, True))
        self.assertGreaterEqual(booked(connection, today, 10, 1)[0], len(done))
        connection.close()
        self.assertEqual(shard.end(signal.SIGTERM), 0)

    def test_snapshots_on_command_shorten_the_next_start(self):
        shard = Shard(self.folder)
        connection = shard.connect()
        today = load(connection, rooms=3000)
        for _ in range(3):
            for _ in range(100):
                code, _ = connection.call("BOOK", wire.HOTEL, HOTEL, sale(today, self.mint()))
                self.assertEqual(code, wire.DONE)
            code, answer = connection.call("SNAPSHOT", wire.SHARD, 0, PB.SnapshotRequest())
            self.assertEqual((code, answer.started), (wire.DONE, True))
            for _ in range(200):
                code, stats = connection.call("STATS", wire.SHARD, 0, PB.StatsRequest())
                values = {stat.name: stat.value for stat in stats.stats}
                if values["snapshot_lsn"] == answer.lsn:
                    break
                time.sleep(0.01)
            self.assertEqual(values["snapshot_lsn"], answer.lsn)
        snaps = [name for name in os.listdir(os.path.join(self.folder, "d"))
                 if name.startswith("snap-")]
        self.assertEqual(len(snaps), 2)
        shard.end(signal.SIGKILL)
        shard = Shard(self.folder)
        connection.close()
        connection = shard.connect()
        self.assertEqual(booked(connection, today, 10, 3), [300] * 3)
        connection.close()
        self.assertEqual(shard.end(signal.SIGTERM), 0)

    def test_async_durability_survives_sigkill_and_snapshots_behind_the_disk(self):
        shard = Shard(self.folder, "--durability", "async", "--sync-interval", "200",
                      "--snapshot-effects", "50")
        connection = shard.connect()
        today = load(connection, rooms=3000)
        idents = [self.mint() for _ in range(400)]
        for ident in idents:
            code, _ = connection.call("BOOK", wire.HOTEL, HOTEL, sale(today, ident))
            self.assertEqual(code, wire.DONE)
        time.sleep(0.5)
        code, stats = connection.call("STATS", wire.SHARD, 0, PB.StatsRequest())
        values = {stat.name: stat.value for stat in stats.stats}
        self.assertEqual(values["durable_lsn"], values["last_lsn"])
        self.assertGreater(values["snapshots"], 0)
        self.assertEqual(stats.durability, "async")
        connection.close()
        shard.end(signal.SIGKILL)
        shard = Shard(self.folder, "--durability", "async")
        connection = shard.connect()
        self.assertEqual(booked(connection, today, 10, 3), [400] * 3)
        connection.close()
        self.assertEqual(shard.end(signal.SIGTERM), 0)

    def test_holds_expire_by_themselves(self):
        shard = Shard(self.folder)
        connection = shard.connect()
        today = load(connection, rooms=1)
        hold = sale(today, self.mint())
        hold.ttl_us = 1000000
        code, _ = connection.call("HOLD", wire.HOTEL, HOTEL, hold)
        self.assertEqual(code, wire.DONE)
        code, _ = connection.call("BOOK", wire.HOTEL, HOTEL, sale(today, self.mint()))
        self.assertEqual(code, wire.SOLD_OUT)
        time.sleep(1.3)
        code, stats = connection.call("STATS", wire.SHARD, 0, PB.StatsRequest())
        self.assertEqual({stat.name: stat.value for stat in stats.stats}["holds"], 0)
        code, _ = connection.call("BOOK", wire.HOTEL, HOTEL, sale(today, self.mint()))
        self.assertEqual(code, wire.DONE)
        connection.close()
        self.assertEqual(shard.end(signal.SIGTERM), 0)

    @unittest.skipUnless(os.geteuid() == 0, "mounting a small file system needs root")
    def test_a_full_disk_refuses_sales_lets_confirms_go_on_and_comes_back_by_itself(self):
        small = os.path.join(self.folder, "small")
        os.mkdir(small)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=18m", "none", small],
                          check=False).returncode != 0:
            self.skipTest("no file system can be mounted here")
        try:
            self.fill(small)
        finally:
            subprocess.run(["umount", small], check=True)

    def fill(self, small):
        shard = Shard(small, "--allow-tmpfs", "--reservations", "400000")
        connection = shard.connect()
        today = load(connection, rooms=30000)
        held, codes = [], {}
        while wire.READ_ONLY not in codes.values() and len(codes) < 300000:
            frames = b""
            for _ in range(500):
                ident = self.mint()
                frames += connection.frame("HOLD", wire.HOTEL, HOTEL, shard_process.sale(
                    PB, today, ident, 1 + self.random.randrange(50)))
                held.append((connection.request_id, ident))
            connection.socket.sendall(frames)
            for _ in range(500):
                got, code, _ = connection.receive()
                codes[got] = code
        self.assertEqual(set(codes.values()), {wire.DONE, wire.READ_ONLY})
        for request, ident in held[:50]:
            self.assertEqual(codes[request], wire.DONE)
            code, _ = connection.call("CONFIRM", wire.SLOT, wire.slot_of(HOTEL),
                                      PB.TransitionRequest(id_hi=ident[0], id_lo=ident[1]))
            self.assertEqual(code, wire.DONE)
        code, stats = connection.call("STATS", wire.SHARD, 0, PB.StatsRequest())
        self.assertEqual(stats.state, "read_only")
        subprocess.run(["mount", "-o", "remount,size=100m", small], check=True)
        for _ in range(100):
            code, _ = connection.call("HOLD", wire.HOTEL, HOTEL, sale(today, self.mint()))
            if code == wire.DONE:
                break
            time.sleep(0.1)
        self.assertEqual(code, wire.DONE)
        connection.close()
        self.assertEqual(shard.end(signal.SIGTERM), 0)
        shard = Shard(small, "--allow-tmpfs", "--reservations", "400000")
        connection = shard.connect()
        for request, ident in held[:5] + held[-5:]:
            code, answer = connection.call("RESERVATION_GET", wire.SLOT, wire.slot_of(HOTEL),
                                           PB.ReservationGetRequest(id_hi=ident[0], id_lo=ident[1]))
            self.assertEqual(code, codes[request] if codes[request] == wire.DONE
                             else wire.NOT_FOUND)
        connection.close()
        self.assertEqual(shard.end(signal.SIGTERM), 0)

    def test_another_layout_a_second_process_and_remote_addresses_are_refused(self):
        shard = Shard(self.folder)
        second = Shard(self.folder, "--lock-wait", "0", wait=False)
        self.assertEqual(second.end(0), 44)
        self.assertEqual(shard.end(signal.SIGTERM), 0)
        other = Shard(self.folder, "--shards", "2", wait=False)
        self.assertEqual(other.end(0), 43)
        self.assertIn("shard", "".join(other.lines))
        run = subprocess.run([SHARD, "--dir", self.folder, "--cluster", "7", "--listen",
                              "0.0.0.0:7071"], capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 2)
        self.assertIn("--token-file", run.stderr)

    def test_garbage_and_a_wrong_cluster_get_a_reject_and_others_are_served(self):
        shard = Shard(self.folder)
        good = shard.connect()
        raw = wire.socket.socket(wire.socket.AF_UNIX)
        raw.settimeout(10)
        raw.connect(shard.socket)
        raw.sendall(b"GET / HTTP/1.1\r\n" * 8)
        answer = raw.recv(4096)
        self.assertEqual(wire.HEADER.unpack(answer[:64])[13], 128)
        self.assertEqual(raw.recv(4096), b"")
        raw.close()
        with self.assertRaises(AssertionError):
            wire.Connection(shard.socket, CLUSTER + 1, PB)
        code, _ = good.call("PING", wire.SHARD, 0, PB.PingRequest(payload=b"x"))
        self.assertEqual(code, wire.DONE)
        good.close()
        self.assertEqual(shard.end(signal.SIGTERM), 0)


unittest.main(argv=sys.argv[:1], verbosity=1)

#!/usr/bin/python3
"""Who may do what: an operator's socket and a booking socket, and who is logged.

usage: test_access.py SOURCE_ROOT KEYRACK KEYRACK_ROUTER KEYRACK_SHARD KEYRACK_RECOVER
"""
import datetime
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import unittest

import pykeyrack

ROOT, KEYRACK, ROUTER, SHARD, RECOVER = sys.argv[1:6]
DOCUMENT = pykeyrack.Document(os.path.join(ROOT, "proto", "PROTOCOL.md"))
CODE = DOCUMENT.numbers
CLUSTER = 0x6b6579
HOTEL = 42
TODAY = (datetime.datetime.now(datetime.timezone.utc).date() - datetime.date(1970, 1, 1)).days
SIZES = ["--hotels", "50", "--nights", "120", "--reservations", "2000", "--refusals", "1024",
         "--segment-size", "8"]
# What only an operator may do: asked of both, each with a body that an operator is answered DONE.
WRITES = [
    ("HOTEL_PUT", {"hotel_id": HOTEL, "mask": 6,
                   "settings": {"zone": "Europe/Paris", "currency": "EUR"}}),
    ("TYPE_PUT", {"hotel_id": HOTEL, "type": 1, "mask": 5,
                  "settings": {"code": "DBL", "physical": 5}}),
    ("INVENTORY_SET", {"hotel_id": HOTEL, "types": [1], "first_day": TODAY + 2,
                       "last_day": TODAY + 60, "weekday_mask": 127, "set_mask": 0x80,
                       "price_minor": 9900}),
]


def clean_environment():
    return {name: value for name, value in os.environ.items() if not name.startswith("KEYRACK_")}


class Process:
    """A daemon that is waited for until it says a line that begins with `ready`."""

    def __init__(self, *argv):
        self.lines = []
        self.process = subprocess.Popen(list(argv), stderr=subprocess.PIPE, text=True,
                                        env=clean_environment())
        self.is_ready = threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        if not self.is_ready.wait(120) or self.process.poll() is not None:
            self.end(signal.SIGKILL)
            raise RuntimeError("not ready: " + "".join(self.lines))

    def read(self):
        for line in self.process.stderr:
            self.lines.append(line)
            if "ready" in line:
                self.is_ready.set()
        self.is_ready.set()

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(120)
        self.reader.join(120)
        self.process.stderr.close()
        return status


def cli(router, *words):
    return subprocess.run([KEYRACK, "--router", router, *words], capture_output=True, text=True,
                          check=False, timeout=120, env=clean_environment())


class AccessTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="keyrack-access-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.processes = []
        self.addCleanup(self.stop)
        self.shard_address = f"unix:{self.folder}/shard"
        self.operator = f"unix:{self.folder}/operator"
        self.booking = f"unix:{self.folder}/booking"

    def stop(self):
        while self.processes:
            self.processes.pop().end()

    def start(self, *argv):
        self.processes.append(Process(*argv, "--cluster", str(CLUSTER)))

    def start_shard(self, *more):
        self.start(SHARD, "--dir", f"{self.folder}/d", "--listen", self.shard_address, *SIZES,
                   *more)

    def start_router(self, *more):
        self.start(ROUTER, "--shard", self.shard_address, *more)

    def start_both(self):
        self.start_shard()
        self.start_router("--listen", self.operator, "--booking-listen", self.booking)

    def client(self, address):
        client = pykeyrack.Client(DOCUMENT, [address], deadline=60)
        self.addCleanup(client.close)
        return client

    def effects(self):
        done = subprocess.run([RECOVER, "dump", "--log", "--json", f"{self.folder}/d"],
                              capture_output=True, text=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    # ---- rights

    def test_a_booking_socket_is_refused_what_is_the_operators_and_nothing_happens(self):
        self.start_both()
        operator, booking = self.client(self.operator), self.client(self.booking)
        for name, fields in WRITES:
            self.assertEqual(booking.call(name, **fields).code, CODE["FORBIDDEN"], name)
            self.assertEqual(operator.call("HOTEL_GET", hotel_id=HOTEL).code,
                             CODE["NOT_FOUND"] if name == "HOTEL_PUT" else CODE["DONE"])
            self.assertEqual(operator.call(name, **fields).code, CODE["DONE"], name)
            before = operator.call("HOTEL_GET", hotel_id=HOTEL).message
            self.assertEqual(booking.call(name, **fields).code, CODE["FORBIDDEN"], name)
            self.assertEqual(operator.call("HOTEL_GET", hotel_id=HOTEL).message, before)
        self.assertEqual(booking.call("SNAPSHOT", shard=0).code, CODE["FORBIDDEN"])
        self.assertEqual(booking.call("ROUTER_CONNECTIONS").code, CODE["FORBIDDEN"])
        self.assertEqual(operator.call("ROUTER_CONNECTIONS").code, CODE["DONE"])
        stats = {stat.name: stat.value for stat in booking.call("ROUTER_STATUS").message.stats}
        self.assertEqual(stats["forbidden"], 2 * len(WRITES) + 2)
        self.stop()
        kinds = [effect["kind"] for effect in self.effects()]
        self.assertEqual([kinds.count(kind) for kind in ("HOTEL", "TYPE", "UPDATE")], [1, 1, 1])

    def test_a_booking_socket_sells_and_asks(self):
        self.start_both()
        operator, booking = self.client(self.operator), self.client(self.booking)
        for name, fields in WRITES:
            self.assertEqual(operator.call(name, **fields).code, CODE["DONE"], name)
        high, low = pykeyrack.mint(HOTEL)
        sale = {"hotel_id": HOTEL, "id_hi": high, "id_lo": low, "lines": [
            {"type": 1, "check_in": TODAY + 10, "check_out": TODAY + 12, "rooms": 1, "guests": 2}]}
        ident = {"id_hi": high, "id_lo": low}
        for name, fields in (
                ("HOLD", sale), ("CONFIRM", ident), ("RESERVATION_GET", ident), ("CANCEL", ident),
                ("RESOLVE", ident), ("HOTEL_GET", {"hotel_id": HOTEL}),
                ("TYPE_GET", {"hotel_id": HOTEL}), ("PING", {}), ("ROUTER_MAP", {}),
                ("AVAILABILITY", {"hotel_id": HOTEL, "types": [1], "first_day": TODAY + 2,
                                  "night_count": 2})):
            self.assertEqual(booking.call(name, **fields).code, CODE["DONE"], name)
        self.assertEqual(booking.call("STATS", shard=0).code, CODE["DONE"])

    def test_the_command_line_says_whose_role_it_takes(self):
        self.start_both()
        words = ("hotel", "put", str(HOTEL), "--zone", "Europe/Paris", "--currency", "EUR")
        done = cli(self.booking, *words)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("takes the role of an operator", done.stderr)
        self.assertEqual(cli(self.operator, *words).returncode, 0)
        self.assertEqual(cli(self.booking, "hotel", "get", str(HOTEL)).returncode, 0)

    def test_sockets_are_open_to_whom_their_modes_say(self):
        self.start_shard()
        self.start_router("--listen", self.operator, "--booking-listen",
                          f"{self.booking},{self.booking}2", "--booking-owner", f":{os.getgid()}")
        for address, mode in ((self.shard_address, 0o600), (self.operator, 0o600),
                              (self.booking, 0o660), (self.booking + "2", 0o660)):
            self.assertEqual(stat.S_IMODE(os.stat(address[5:]).st_mode), mode, address)

    # ---- who it was

    def test_every_effect_tells_who_asked_and_why_shows_it(self):
        self.start_both()
        operator, booking = self.client(self.operator), self.client(self.booking)
        for name, fields in WRITES:
            self.assertEqual(operator.call(name, actor=7, **fields).code, CODE["DONE"])
        high, low = pykeyrack.mint(HOTEL)
        sale = {"hotel_id": HOTEL, "id_hi": high, "id_lo": low, "actor": 9, "lines": [
            {"type": 1, "check_in": TODAY + 10, "check_out": TODAY + 12, "rooms": 1, "guests": 2}]}
        self.assertEqual(booking.call("BOOK", **sale).code, CODE["DONE"])
        again = operator.call("BOOK", **sale)
        self.assertEqual(again.code, CODE["DONE"], "another principal makes no other request")
        self.assertTrue(again.message.repeated_op)
        self.assertEqual(operator.call("CANCEL", id_hi=high, id_lo=low).code, CODE["DONE"])
        self.stop()
        told = {effect["kind"]: (effect.get("principal"), effect.get("actor"))
                for effect in self.effects()}
        uid = os.getuid()
        for kind in ("HOTEL", "TYPE", "UPDATE"):
            self.assertEqual(told[kind], (f"operator uid {uid}", 7), kind)
        self.assertEqual(told["RESERVE"], (f"booking uid {uid}", 9))
        self.assertEqual(told["CANCEL"], (f"operator uid {uid}", None))
        self.assertEqual(told["START"], (None, None), "the shard's own")
        night = (datetime.date(1970, 1, 1) + datetime.timedelta(TODAY + 10)).isoformat()
        done = subprocess.run([RECOVER, "why", str(HOTEL), "1", night, f"{self.folder}/d"],
                              capture_output=True, text=True, check=True)
        self.assertIn(f'principal="booking uid {uid}"', done.stdout)
        done = subprocess.run([RECOVER, "why", "--json", str(HOTEL), "1", night,
                               f"{self.folder}/d"], capture_output=True, text=True, check=True)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertIn(f"booking uid {uid}", [row.get("principal") for row in rows])


unittest.main(argv=sys.argv[:1], verbosity=1)

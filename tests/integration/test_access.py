#!/usr/bin/python3
"""Who may do what: an operator's socket and a booking socket, tokens over TCP, who is logged.

usage: test_access.py SOURCE_ROOT KEYRACK KEYRACK_ROUTER KEYRACK_SHARD KEYRACK_RECOVER
"""
import contextlib
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
import time
import unittest

import ports
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
    ("PLAN_PUT", {"hotel_id": HOTEL, "type": 1, "plan": 7, "mask": 1,
                  "settings": {"code": "FLEX"}}),
    ("INVENTORY_SET", {"hotel_id": HOTEL, "types": [1], "first_day": TODAY + 2,
                       "last_day": TODAY + 60, "weekday_mask": 127, "set_mask": 0x80,
                       "price_minor": 9900}),
]


def token_file(folder, name, *tokens, mode=0o600):
    """A file of (number, 32 bytes)."""
    path = os.path.join(folder, name)
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "w",
              encoding="ascii") as file:
        file.write("# for tests\n" + "".join(f"{n} {key.hex()}\n" for n, key in tokens))
    os.chmod(path, mode)
    return path


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

    def client(self, address, token=None):
        client = pykeyrack.Client(DOCUMENT, [address], deadline=60, token=token)
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
        self.assertEqual(len(booking.call("PLAN_LIST", hotel_id=HOTEL).message.plans), 2)
        self.assertEqual(booking.call("SNAPSHOT", shard=0).code, CODE["FORBIDDEN"])
        self.assertEqual(booking.call("ROUTER_CONNECTIONS").code, CODE["FORBIDDEN"])
        self.assertEqual(operator.call("ROUTER_CONNECTIONS").code, CODE["DONE"])
        stats = {stat.name: stat.value for stat in booking.call("ROUTER_STATUS").message.stats}
        self.assertEqual(stats["forbidden"], 2 * len(WRITES) + 2)
        self.stop()
        kinds = [effect["kind"] for effect in self.effects()]
        self.assertEqual([kinds.count(kind) for kind in ("HOTEL", "TYPE", "PLAN", "UPDATE")],
                         [1, 1, 1, 1])

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

    def test_only_an_operator_sells_by_force(self):
        self.start_both()
        operator, booking = self.client(self.operator), self.client(self.booking)
        for name, fields in WRITES:
            self.assertEqual(operator.call(name, **fields).code, CODE["DONE"], name)

        def asked(client, **more):
            high, low = pykeyrack.mint(HOTEL)
            line = {"type": 1, "check_in": TODAY + 10, "check_out": TODAY + 12, "rooms": 4000,
                    "guests": 2, "pricing": 2}
            return (high, low), client.call("BOOK", hotel_id=HOTEL, id_hi=high, id_lo=low,
                                            lines=[line], **more).code

        ident, code = asked(booking, force=True)
        self.assertEqual(code, CODE["FORBIDDEN"])
        got = booking.call("RESERVATION_GET", id_hi=ident[0], id_lo=ident[1])
        self.assertEqual(got.code, CODE["NOT_FOUND"])
        self.assertEqual(asked(operator)[1], CODE["SOLD_OUT"])
        ident, code = asked(operator, force=True)
        self.assertEqual(code, CODE["DONE"])
        change = {"id_hi": ident[0], "id_lo": ident[1], "has_expected_revision": True,
                  "expected_revision": 1, "change_id": 7, "lines": [
                      {"type": 1, "check_in": TODAY + 10, "check_out": TODAY + 11, "rooms": 4001,
                       "guests": 2, "pricing": 2}]}
        self.assertEqual(booking.call("MODIFY", force=True, **change).code, CODE["FORBIDDEN"])
        self.assertEqual(booking.call("MODIFY", **change).code, CODE["SOLD_OUT"])
        self.assertEqual(operator.call("MODIFY", force=True, **change).code, CODE["DONE"])

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

    # ---- tokens

    def start_with_tokens(self):
        self.operators = (3, os.urandom(32))
        self.newer = (4, os.urandom(32))
        self.bookings = (9, os.urandom(32))
        self.operator_file = token_file(self.folder, "op", self.operators, self.newer)
        self.booking_file = token_file(self.folder, "bk", self.bookings)
        self.start_shard()
        for _ in range(20):
            self.tcp = f"127.0.0.1:{ports.free_port()}"
            try:
                self.start_router("--listen", self.tcp, "--operator-token-file",
                                  self.operator_file, "--booking-token-file", self.booking_file,
                                  "--booking-listen", self.booking)
                return
            except RuntimeError as error:
                self.assertIn("in use", str(error))
        self.fail("no free port")

    def test_the_right_token_gives_its_role_and_is_logged_by_its_number(self):
        self.start_with_tokens()
        for token, role in ((self.operators, 2), (self.newer, 2), (self.bookings, 1)):
            client = self.client(self.tcp, token)
            self.assertEqual(client.call("PING").code, CODE["DONE"])
            self.assertEqual(client.role, role)
            code = client.call("HOTEL_PUT", hotel_id=token[0], mask=6, settings={
                "zone": "Europe/Paris", "currency": "EUR"}).code
            self.assertEqual(code, CODE["DONE" if role == 2 else "FORBIDDEN"])
            if role == 2:
                told = {c.principal for c in client.call("ROUTER_CONNECTIONS").message.connections}
                self.assertIn(f"operator token {token[0]}", told)
        # The unix socket beside it wants none, and takes none amiss.
        client = self.client(self.booking, self.operators)
        self.assertEqual(client.call("PING").code, CODE["DONE"])
        self.assertEqual(client.role, 1)
        self.stop()
        self.assertEqual([effect["principal"] for effect in self.effects()
                          if effect["kind"] == "HOTEL"], ["operator token 3", "operator token 4"])

    def test_a_wrong_token_or_none_is_refused(self):
        self.start_with_tokens()
        flipped = bytes([self.operators[1][0] ^ 1]) + self.operators[1][1:]
        for token in ((3, flipped), (4, self.operators[1]), (5, self.operators[1]),
                      (0, self.operators[1]), (1 << 31, self.operators[1]), None):
            with self.assertRaises(pykeyrack.Rejected) as caught:
                self.client(self.tcp, token).call("PING")
            self.assertEqual(caught.exception.code, CODE["REJECT_TOKEN"])
            self.assertIn("a token is needed", str(caught.exception))

    def test_a_proof_that_was_overheard_is_refused(self):
        self.start_with_tokens()
        until = time.monotonic() + 60
        honest, thief = (self.client(self.tcp, self.operators) for _ in range(2))
        for client in honest, thief:
            client.open_socket(until)
        nonce = honest.ask_for_nonce(until).nonce
        proof = pykeyrack.prove(self.operators[1], nonce)
        self.assertEqual(honest.send_proof(proof, until).role, 2)
        self.assertNotEqual(thief.ask_for_nonce(until).nonce, nonce)
        with self.assertRaises(pykeyrack.Rejected) as caught:
            thief.send_proof(proof, until)
        self.assertEqual(caught.exception.code, CODE["REJECT_TOKEN"])

    def test_the_command_line_takes_a_token_from_a_file(self):
        self.start_with_tokens()
        words = ("hotel", "put", str(HOTEL), "--zone", "Europe/Paris", "--currency", "EUR")
        done = cli(self.tcp, *words)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("a token is needed", done.stderr)
        self.assertIn("Give --token-file FILE", done.stderr)
        done = cli(self.tcp, "--token-file", self.booking_file, *words)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(cli(self.tcp, "--token-file", self.operator_file, *words).returncode, 0)
        done = subprocess.run([KEYRACK, "--router", self.tcp, "hotel", "list"], check=False,
                              capture_output=True, text=True, timeout=120,
                              env={**clean_environment(), "KEYRACK_TOKEN_FILE": self.booking_file})
        self.assertEqual(done.returncode, 0, done.stderr)
        for mode in 0o640, 0o604:
            os.chmod(self.operator_file, mode)
            done = cli(self.tcp, "--token-file", self.operator_file, "ping")
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("chmod 600", done.stderr)

    def test_a_token_is_changed_without_a_restart(self):
        self.start_with_tokens()
        router = self.processes[-1]

        def reload(until):
            before = len(router.lines)
            router.process.send_signal(signal.SIGHUP)
            while not any(until in line for line in router.lines[before:]):
                self.assertIsNone(router.process.poll())
                time.sleep(0.01)

        def is_taken(token):
            try:
                return self.client(self.tcp, token).call("PING").code == CODE["DONE"]
            except pykeyrack.Rejected:
                return False

        old = self.client(self.tcp, self.operators)
        self.assertEqual(old.call("PING").code, CODE["DONE"])
        fresh = (5, os.urandom(32))
        self.assertFalse(is_taken(fresh))
        token_file(self.folder, "op", self.newer, fresh, mode=0o644)
        reload("the tokens stay as they were")
        self.assertFalse(is_taken(fresh))
        self.assertTrue(is_taken(self.operators))
        os.chmod(self.operator_file, 0o600)
        reload("tokens are those of the files now")
        self.assertTrue(is_taken(fresh))
        self.assertTrue(is_taken(self.bookings))
        self.assertFalse(is_taken(self.operators))
        self.assertEqual(old.call("PING").code, CODE["DONE"], "who is connected stays")

    def test_tokens_are_made_for_files_that_nobody_else_reads(self):
        path = os.path.join(self.folder, "made")
        for number, more in ((1, ()), (2, ()), (7, ("--number", "7")), (8, ())):
            done = cli("127.0.0.1:1", "token", path, *more)
            self.assertEqual((done.returncode, done.stdout),
                             (0, f"token {number} is in {path}\n"), done.stderr)
        with open(path, encoding="ascii") as file:
            lines = [line.split() for line in file]
        self.assertEqual([number for number, _ in lines], ["1", "2", "7", "8"])
        self.assertEqual(len({key for _, key in lines}), 4)
        self.assertTrue(all(len(bytes.fromhex(key)) == 32 for _, key in lines))
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(cli("127.0.0.1:1", "token", path, "--number", "7").returncode, 1)
        self.assertEqual(cli("127.0.0.1:1", "token", path, "--number", "0").returncode, 2)
        os.chmod(path, 0o644)
        done = cli("127.0.0.1:1", "token", path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("chmod 600", done.stderr)
        self.start_shard()
        os.chmod(path, 0o600)
        self.start_router("--listen", self.operator, "--operator-token-file", path)

    def test_a_shard_takes_routers_that_prove_its_token_and_nobody_else(self):
        token, other = (1, os.urandom(32)), (1, os.urandom(32))
        right = token_file(self.folder, "right", token)
        wrong = token_file(self.folder, "wrong", other)
        for _ in range(20):
            self.shard_address = f"127.0.0.1:{ports.free_port()}"
            try:
                self.start_shard("--token-file", right)
                break
            except RuntimeError as error:
                self.assertIn("in use", str(error))
        self.start_router("--listen", self.operator, "--shard-token-file", right)
        self.assertEqual(self.client(self.operator).call("PING", shard=0).code, CODE["DONE"])
        for more, sentence in ((["--shard-token-file", wrong], "none of its tokens"),
                               ([], "a token is needed")):
            router = Process(ROUTER, "--cluster", str(CLUSTER), "--shard", self.shard_address,
                             "--listen", self.operator + "2", *more)
            self.processes.append(router)
            client = self.client(self.operator + "2")
            self.assertEqual(client.call("PING").code, CODE["DONE"], "the router itself")
            with contextlib.suppress(pykeyrack.Unknown):
                self.assertEqual(client.call("PING", shard=0, deadline=1, retry=False).code,
                                 CODE["UNAVAILABLE"])
            until = time.monotonic() + 120
            while sentence not in "".join(router.lines) and time.monotonic() < until:
                time.sleep(0.01)
            self.assertIn(sentence, "".join(router.lines))
            self.processes.pop().end()
        with self.assertRaises(pykeyrack.Rejected):
            self.client(self.shard_address).call("PING", shard=0)

    def test_what_would_leave_a_door_open_is_refused_at_start(self):
        readable = token_file(self.folder, "readable", (1, os.urandom(32)), mode=0o644)
        short = token_file(self.folder, "short", (1, os.urandom(31)))
        router = [ROUTER, "--cluster", "7", "--shard", "unix:/s", "--listen"]
        shard = [SHARD, "--cluster", "7", "--dir", f"{self.folder}/no", "--listen"]
        for argv, sentence in (
                ([*router, "0.0.0.0:0"], "give --operator-token-file or --booking-token-file"),
                ([*router, "unix:/x", "--booking-listen", "0.0.0.0:0"], "can be reached from"),
                ([*router, "127.0.0.1:0", "--booking-listen", "unix:/x"], "make it unix:PATH"),
                ([*router, "unix:/x", "--booking-listen", "unix:/y", "--shard", "127.0.0.1:1"],
                 "shard has 127.0.0.1:1, where whoever reaches it passes by the rights"),
                ([*router, "0.0.0.0:0", "--operator-token-file", readable], "chmod 600 it"),
                ([*router, "0.0.0.0:0", "--booking-token-file", short], "is no token"),
                ([*router, "unix:/x", "--shard-token-file", readable], "chmod 600 it"),
                ([*shard, "0.0.0.0:0"], "give --token-file"),
                ([*shard, "0.0.0.0:0", "--token-file", readable], "chmod 600 it"),
                ([*shard, "[::]:0", "--token-file", short], "is no token")):
            done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120,
                                  env=clean_environment())
            self.assertEqual(done.returncode, 2, (argv, done.stderr))
            self.assertIn(sentence, done.stderr)
        self.assertFalse(os.path.exists(f"{self.folder}/no"))

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

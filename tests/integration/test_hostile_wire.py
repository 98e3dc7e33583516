#!/usr/bin/python3
"""Frames and bodies that break the protocol, drawn at random, against what PROTOCOL.md says of them.

usage: test_hostile_wire.py SOURCE_ROOT KEYRACK_ROUTER KEYRACK_SHARD

What each of them is answered is told beforehand, from the document alone. Afterwards the cluster
still serves, everything that was there is as it was, and no process has ended. The same examples
every time; KEYRACK_LONG=1: many more.
"""
import collections
import datetime
import os
import shutil
import socket
import struct
import sys
import tempfile
import time
import unittest

import xxhash
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, Phase, example, given, settings, strategies as st

import ports
import pykeyrack
import two_shards
from pykeyrack import HOTEL, ROUTER, SHARD, SLOT

ROOT, ROUTER_PROGRAM, SHARD_PROGRAM = sys.argv[1:4]
DOCUMENT = pykeyrack.Document(os.path.join(ROOT, "proto", "PROTOCOL.md"))
CLUSTER = 0x6b6579
SIZES = ["--hotels", "50", "--nights", "60", "--reservations", "20000", "--refusals", "1024",
         "--segment-size", "8"]
TODAY = (datetime.datetime.now(datetime.timezone.utc).date() - datetime.date(1970, 1, 1)).days
THE_HOTEL = 42
BODY_MAX = 1 << 20
TIMEOUT_S = 120
LONG = os.environ.get("KEYRACK_LONG") == "1"
TIMES = int(os.environ.get("KEYRACK_TIMES", "20" if LONG else "1"))
NUMBER = {name: kind.number for name, kind in DOCUMENT.types.items()}
NAME = {number: name for name, number in NUMBER.items()}
FIELDS = ("magic", "version", "kind", "route", "flags", "size", "sum", "body_sum", "cluster",
          "key", "request_id", "remaining_us", "map_epoch", "status", "principal", "via")
Header = collections.namedtuple("Header", FIELDS)
WIDTH = dict(zip(FIELDS, (32, 8, 8, 8, 8, 32, 32, 64, 64, 64, 64, 32, 32, 16, 16, 32)))


def profile(examples):
    return settings(max_examples=examples * TIMES, deadline=None, database=None,
                    derandomize=True, print_blob=False, suppress_health_check=list(HealthCheck),
                    phases=(Phase.explicit, Phase.generate, Phase.shrink))


def summed(header):
    fields = list(header._replace(sum=0))
    packed = pykeyrack.HEADER.pack(*fields)
    return header._replace(sum=xxhash.xxh3_64_intdigest(packed) & 0xFFFFFFFF)


def valid(kind, route, key, body=b"", request_id=7):
    return Header(pykeyrack.MAGIC, 1, NUMBER[kind], route, 0, len(body), 0,
                  xxhash.xxh3_64_intdigest(body), CLUSTER, key, request_id, 60000000, 0, 0, 0, 0)


def body_of(kind, **fields):
    return DOCUMENT.messages[DOCUMENT.types[kind].request](**fields).SerializeToString()


def judge(header, body, is_greeted):
    """The REJECT that section 5 says, None if there is none; "close" for a REJECT from a client."""
    names = DOCUMENT.numbers
    if header.magic != pykeyrack.MAGIC:
        return names["REJECT_MAGIC"]
    if header.version != 1:
        return names["REJECT_VERSION"]
    if summed(header).sum != header.sum:
        return names["REJECT_CHECKSUM"]
    if header.size > BODY_MAX:
        return names["REJECT_SIZE"]
    if header.kind not in NAME or not 1 <= header.route <= 4:
        return names["REJECT_TYPE"]
    if header.flags & ~3:
        return names["REJECT_RESERVED"]
    kind = NAME[header.kind]
    has_sum = xxhash.xxh3_64_intdigest(body) == header.body_sum
    if kind == "REJECT":
        return "close" if has_sum else names["REJECT_CHECKSUM"]
    if header.flags & 1 or header.status or not header.remaining_us or header.principal \
            or header.via:
        return names["REJECT_RESERVED"]
    is_first = kind in ("HELLO", "AUTH")
    if header.cluster != CLUSTER and not (is_first and header.cluster == 0):
        return names["REJECT_CLUSTER"]
    if kind == "AUTH" and header.size > 128:
        return names["REJECT_SIZE"]
    if is_first == is_greeted or (is_first and (header.route, header.key) != (ROUTER, 0)):
        return names["REJECT_STATE"]
    if not has_sum:
        return names["REJECT_CHECKSUM"]
    return names["REJECT_VERSION"] if kind == "HELLO" and speaks_none(body) else None


def speaks_none(body):
    """A HELLO that can be read and names no version."""
    message = DOCUMENT.messages["HelloRequest"]
    try:
        return is_well_formed(body, message.DESCRIPTOR) and message.FromString(body).version == 0
    except DecodeError:
        return False


class Peer:
    """A connection that says bytes and hears frames."""

    def __init__(self, address, is_greeted=True):
        if address.startswith("unix:"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(TIMEOUT_S)
            self.socket.connect(address[5:])
        else:
            host, port = address.rsplit(":", 1)
            self.socket = socket.create_connection((host, int(port)), TIMEOUT_S)
        self.stream = self.socket.makefile("rb")
        if is_greeted:
            self.greet()

    def greet(self):
        hello = body_of("HELLO", version=1)
        self.say(summed(valid("HELLO", ROUTER, 0, hello, 1)), hello)
        assert self.hear().status == 1

    def say(self, header, body=b""):
        self.say_bytes(pykeyrack.HEADER.pack(*header) + body)

    def say_bytes(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # what it said before it closed is still to be read

    def hear(self):
        """The next frame; None when the server has closed."""
        try:
            head = self.stream.read(pykeyrack.HEADER.size)
        except ConnectionResetError:
            return None
        if not head:
            return None
        return pykeyrack.Frame(head, self.stream.read)

    def close(self):
        self.stream.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class HostileTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="keyrack-hostile-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.cluster = two_shards.TwoShards(cls.folder, ROUTER_PROGRAM, SHARD_PROGRAM, CLUSTER,
                                           SIZES, routers=1)
        cls.addClassCleanup(cls.cluster.stop)
        cls.address = cls.cluster.addresses[0]
        cls.client = pykeyrack.Client(DOCUMENT, cls.cluster.addresses, deadline=TIMEOUT_S)
        cls.addClassCleanup(cls.client.close)
        for hotel in (THE_HOTEL, 43):
            cls.done("HOTEL_PUT", hotel_id=hotel, mask=6,
                     settings={"zone": "Etc/UTC", "currency": "EUR"})
            cls.done("TYPE_PUT", hotel_id=hotel, type=1, mask=4, settings={"physical": 5000})
            cls.done("INVENTORY_SET", hotel_id=hotel, first_day=TODAY, last_day=TODAY + 50,
                     weekday_mask=127, set_mask=0x80, price_minor=100)
        cls.sold = pykeyrack.mint(THE_HOTEL)
        cls.done("BOOK", **cls.sale(cls.sold))

    @classmethod
    def done(cls, name, shard=None, **fields):
        answer = cls.client.call(name, shard=shard, **fields)
        assert answer.code == 1, (name, answer)
        return answer.message

    @staticmethod
    def sale(halves, hotel=THE_HOTEL, **more):
        return {"hotel_id": hotel, "id_hi": halves[0], "id_lo": halves[1], "lines": [
            {"type": 1, "check_in": TODAY + 10, "check_out": TODAY + 12, "rooms": 1,
             "guests": 1}], **more}

    @classmethod
    def world(cls):
        """What must not change."""
        told = [cls.done("HOTEL_LIST", shard=shard, from_start=True) for shard in range(2)]
        told.append(cls.done("RESERVATION_LIST", hotel_id=THE_HOTEL))
        told.append(cls.done("AVAILABILITY", hotel_id=THE_HOTEL, first_day=TODAY, night_count=50))
        told.append(cls.done("TYPE_GET", hotel_id=THE_HOTEL))
        return [one.SerializeToString(deterministic=True) for one in told]

    def setUp(self):
        self.before = self.world()

    def tearDown(self):
        self.assertEqual(self.world(), self.before)
        self.assertTrue(self.cluster.is_whole())

    # ---- headers

    def frames(self):
        """Requests that are right, none of which changes anything."""
        high, low = self.sold
        slot = (high & 0xFFF) << 2 | low >> 60 & 3
        return [(valid("PING", ROUTER, 0, body), body) for body in
                (b"", body_of("PING", payload=b"x" * 900))] + [
            (valid(kind, route, key, body_of(kind, **fields)), body_of(kind, **fields))
            for kind, route, key, fields in (
                ("PING", SHARD, 1, {"payload": b"y"}), ("HELLO", ROUTER, 0, {"version": 1}),
                ("AUTH", ROUTER, 0, {}), ("ROUTER_MAP", ROUTER, 0, {}),
                ("HOTEL_GET", HOTEL, THE_HOTEL, {"hotel_id": THE_HOTEL}),
                ("STATS", SHARD, 0, {}), ("RESERVATION_GET", SLOT, slot,
                                          {"id_hi": high, "id_lo": low}),
                ("BOOK", HOTEL, THE_HOTEL, self.sale(self.sold)))]

    def told(self, header, body, is_greeted):
        """What a header is answered: a REJECT's code, "close", or "answer"."""
        with Peer(self.address, is_greeted) as peer:
            peer.say(header, body)
            frame = peer.hear()
            if frame is None:
                return "close"
            if frame.kind == NUMBER["REJECT"]:
                self.assertEqual((frame.request_id, frame.flags, frame.route), (0, 1, ROUTER))
                self.assertIsNone(peer.hear(), "a REJECT is the last frame")
                return frame.status
            self.assertEqual((frame.kind, frame.route, frame.key, frame.request_id),
                             (header.kind, header.route, header.key, header.request_id))
            if frame.kind == NUMBER["AUTH"]:
                peer.greet()
            peer.say(summed(valid("PING", ROUTER, 0, b"", 99)))
            self.assertEqual(peer.hear().request_id, 99)
            return "answer"

    def test_a_header_is_judged_in_the_order_that_is_written(self):
        odd = {"flags": [1, 2, 3, 4, 128], "route": range(6), "kind": [*range(12), 55, 59, 65, 255],
               "cluster": [0, 1], "remaining_us": [0, 1 << 31], "status": [0, 1, 128],
               "size": [0, 1, 100, 129, BODY_MAX, BODY_MAX + 1, (1 << 32) - 1], "version": [0, 2]}
        values = {name: st.sampled_from([*odd.get(name, [])] + [1 << WIDTH[name] - 1, 1])
                  | st.integers(0, (1 << WIDTH[name]) - 1) for name in FIELDS[1:]}
        values["magic"] = st.binary(min_size=4, max_size=4)
        change = st.sampled_from(FIELDS).flatmap(lambda name: st.tuples(st.just(name),
                                                                        values[name]))
        seen = collections.Counter()

        @profile(400)
        @given(frame=st.sampled_from(self.frames()), changes=st.lists(change, max_size=3),
               is_greeted=st.sampled_from([True, True, False]), is_summed=st.sampled_from(
                   [True, True, True, False]))
        def judged(frame, changes, is_greeted, is_summed):
            header, body = frame
            header = summed(header)
            header = header._replace(**dict(changes))
            header = summed(header) if is_summed else header
            if header.size != len(body) and header.size <= BODY_MAX:
                body = body[:header.size].ljust(header.size, b"\0")
            want = judge(header, body, is_greeted)
            if want is None and header.map_epoch:
                header = summed(header._replace(remaining_us=60000000))
            elif want is None and header.remaining_us < 30000000:
                return  # its time may be over before it is answered
            seen[want] += 1
            self.assertEqual(self.told(header, body, is_greeted), want or "answer", header)

        judged()
        self.assertLessEqual({DOCUMENT.numbers["REJECT_" + name] for name in (
            "MAGIC", "VERSION", "CHECKSUM", "SIZE", "TYPE", "RESERVED", "CLUSTER", "STATE")},
            set(seen))
        print(f"headers: {dict(seen)}", file=sys.stderr)

    def test_every_bit_of_a_header_counts(self):
        """512 flips of one bit, unsummed: each breaks the magic, the version or the sum."""
        header, body = self.frames()[0]
        whole = pykeyrack.HEADER.pack(*summed(header)) + body
        for bit in range(512):
            data = bytearray(whole)
            data[bit // 8] ^= 1 << bit % 8
            read = Header(*pykeyrack.HEADER.unpack(bytes(data[:64])))
            self.assertEqual(self.told(read, body, True), judge(read, body, True), bit)

    def test_a_frame_that_ends_early_is_no_frame(self):
        header, body = self.frames()[-1]
        whole = pykeyrack.HEADER.pack(*summed(header)) + body
        for size in range(0, len(whole), 5):
            with Peer(self.address) as peer:
                peer.say_bytes(whole[:size])
                peer.socket.shutdown(socket.SHUT_WR)
                self.assertIsNone(peer.hear(), size)

    def test_a_stream_is_the_same_however_it_is_cut(self):
        frames = self.frames()[:2] + self.frames()[5:]
        numbered = [(summed(header._replace(request_id=i)), body)
                    for i, (header, body) in enumerate(frames)]
        whole = b"".join(pykeyrack.HEADER.pack(*header) + body for header, body in numbered)

        @profile(15)
        @given(cuts=st.lists(st.integers(0, len(whole)), max_size=8))
        def cut(cuts):
            places = [0, *sorted(cuts), len(whole)]
            with Peer(self.address) as peer:
                for begin, end in zip(places, places[1:]):
                    peer.say_bytes(whole[begin:end])
                heard = {peer.hear().request_id for _ in frames}
                self.assertEqual(heard, set(range(len(frames))))

        cut()

    def test_bytes_of_another_protocol_are_rejected_by_the_first_four(self):
        @profile(40)
        @given(data=st.binary(min_size=4, max_size=300), is_greeted=st.booleans())
        @example(data=b"\x16\x03\x01\x02", is_greeted=False)
        def other(data, is_greeted):
            if data[:4] == pykeyrack.MAGIC:
                return
            with Peer(self.address, is_greeted) as peer:
                peer.say_bytes(data)
                self.assertEqual(DOCUMENT.codes[peer.hear().status], "REJECT_MAGIC")
                self.assertIsNone(peer.hear())

        other()

    # ---- order

    WORDS = st.lists(st.sampled_from(["hello", "ask", "wrong", "right", "ping", "answer",
                                      "reject"]), min_size=1, max_size=6)

    def test_greeting_comes_first_and_once(self):
        @profile(80)
        @given(words=self.WORDS)
        def order(words):
            self.talk(self.address, words, None)

        order()

    def test_a_token_is_proved_once_and_first(self):
        token = (5, os.urandom(32))
        path = os.path.join(self.folder, "token")
        with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
            file.write(f"{token[0]} {token[1].hex()}\n")
        address = f"127.0.0.1:{ports.free_port()}"
        self.cluster.start("router_tokens", [
            ROUTER_PROGRAM, "--listen", address, "--operator-token-file", path, "--shard",
            f"unix:{self.folder}/s0", "--shard", f"unix:{self.folder}/s1"])
        self.addCleanup(self.cluster.kill, "router_tokens")

        @profile(80)
        @given(words=self.WORDS)
        @example(words=["ask", "right", "hello", "ping"])
        @example(words=["ask", "wrong", "hello"])
        @example(words=["ask", "right", "right"])
        def order(words):
            self.talk(address, words, token)

        order()

    def talk(self, address, words, token):
        """Says them one by one; the place in the life of a connection tells what comes."""
        code = DOCUMENT.numbers
        state, nonce = "owes" if token else "silent", b""
        with Peer(address, is_greeted=False) as peer:
            for word in words:
                header, body = self.word(word, token, nonce)
                peer.say(header, body)
                frame = peer.hear()
                state, want = self.next_state(state, word, token)
                if want == "close":
                    self.assertIsNone(frame)
                elif isinstance(want, int):
                    self.assertEqual((frame.kind, frame.status), (NUMBER["REJECT"], want))
                    self.assertIsNone(peer.hear())
                else:
                    self.assertEqual((frame.kind, frame.status), (header.kind, code["DONE"]), words)
                if state == "over":
                    return
                if word in ("ask", "right", "wrong"):
                    answer = DOCUMENT.messages["AuthAnswer"].FromString(frame.body)
                    self.assertEqual(len(answer.nonce), 32 if state == "asked" else 0)
                    self.assertEqual(answer.role, 0 if state == "asked" else 2)
                    nonce = answer.nonce

    @staticmethod
    def word(word, token, nonce):
        """The frame of a word."""
        proof = pykeyrack.prove(token[1], nonce) if token and nonce else bytes(32)
        if word == "wrong":
            proof = bytes([proof[0] ^ 1]) + proof[1:]
        number = token[0] if token else 5
        kind = {"hello": "HELLO", "ping": "PING", "answer": "PING",
                "reject": "REJECT"}.get(word, "AUTH")
        fields = {"hello": {"version": 1}, "right": {"number": number, "proof": proof},
                  "wrong": {"number": number, "proof": proof}}.get(word, {})
        body = body_of(kind, **fields)
        header = valid(kind, ROUTER, 0, body)
        return summed(header._replace(flags=word == "answer")), body

    @staticmethod
    def next_state(state, word, token):
        """(state, "done" | "close" | code of a REJECT)"""
        code = DOCUMENT.numbers
        if word == "answer":
            return "over", code["REJECT_RESERVED"]
        if word == "reject":
            return "over", "close"
        if word in ("hello", "ping"):
            if state in ("owes", "asked"):
                return "over", code["REJECT_TOKEN"]
            if (word == "hello") == (state == "greeted"):
                return "over", code["REJECT_STATE"]
            return "greeted", "done"
        if state == "greeted":
            return "over", code["REJECT_STATE"]
        if word == "ask":
            if state == "asked":  # a proof that is none
                return "over", code["REJECT_TOKEN"]
            return ("asked" if state == "owes" else state), "done"
        if state == "asked" and word == "right" and token:
            return "silent", "done"
        return "over", code["REJECT_TOKEN"]

    # ---- routes

    def test_what_is_routed_wrongly_is_invalid(self):
        """Every type over every route, with right and wrong keys, by the table of section 4."""
        high, low = self.sold
        slot = (high & 0xFFF) << 2 | low >> 60 & 3
        keys = {HOTEL: [THE_HOTEL, 43, 0], SLOT: [slot, slot ^ 1, 16384, 1 << 60],
                SHARD: [0, 1, 2, 1 << 40], ROUTER: [0, 1]}
        writes = {"HOTEL_PUT", "TYPE_PUT", "PLAN_PUT", "INVENTORY_SET", "SNAPSHOT", "RESOLVE",
                  "CANCEL", "RELEASE", "CONFIRM", "COMPLETE", "NO_SHOW", "CHECK_IN", "IMPORT"}
        asked = 0
        for name, kind in DOCUMENT.types.items():
            if name in ("HELLO", "AUTH", "REJECT"):
                continue
            body = self.body_about(name)
            for route, some in keys.items():
                for key in some:
                    fits = self.route_fits(kind.route, route, key, slot, body)
                    if fits and name in writes:
                        continue
                    with self.subTest(name=name, route=route, key=key):
                        code = self.answered(name, route, key, body)
                        asked += 1
                        if fits:
                            self.assertNotIn(code, ("MOVED", "OVERLOADED", "UNAVAILABLE"))
                        else:
                            self.assertIn(code, ("INVALID", "MOVED"))
        self.assertGreater(asked, 400)

    def body_about(self, name):
        message = DOCUMENT.messages[DOCUMENT.types[name].request]
        known = message.DESCRIPTOR.fields_by_name
        if name == "IMPORT":
            return message(reservation={"hotel_id": THE_HOTEL}).SerializeToString()
        fields = {"hotel_id": THE_HOTEL} if "hotel_id" in known and "has_hotel" not in known else {}
        if "id_hi" in known:
            fields.update(id_hi=self.sold[0], id_lo=self.sold[1])
        return message(**fields).SerializeToString()

    @staticmethod
    def route_fits(said, route, key, slot, body):
        if said.startswith("ROUTER"):
            return (route, key) == (ROUTER, 0) or ("or SHARD" in said and (
                route == HOTEL or (route == SLOT and key < 16384) or (route == SHARD and key < 2)))
        if said.startswith("SHARD"):
            return route == SHARD and key < 2
        if said.startswith("SLOT"):
            return (route, key) == (SLOT, slot)
        return (route, key) == (HOTEL, THE_HOTEL)

    def answered(self, name, route, key, body):
        with Peer(self.address) as peer:
            peer.say(summed(valid(name, route, key, body)), body)
            frame = peer.hear()
            self.assertEqual((frame.kind, frame.request_id), (NUMBER[name], 7))
            return DOCUMENT.codes[frame.status]

    # ---- bodies

    def bodies(self):
        """Reads with much in them: (type, route, key, body)."""
        high, low = self.sold
        slot = (high & 0xFFF) << 2 | low >> 60 & 3
        line = {"type": 1, "check_in": TODAY + 10, "check_out": TODAY + 13, "rooms": 2,
                "guests": 3, "pricing": 1, "run_nights": [1, 2], "run_price_minor": [300, 70]}
        return [(kind, route, key, body_of(kind, **fields)) for kind, route, key, fields in (
            ("STAY", HOTEL, THE_HOTEL, {"hotel_id": THE_HOTEL, "explain": True, "lines": [line],
                                        "has_expected_total": True, "expected_total_minor": 5}),
            ("AVAILABILITY", HOTEL, THE_HOTEL, {"hotel_id": THE_HOTEL, "types": [1, 1],
                                                "first_day": TODAY, "night_count": 3}),
            ("RESERVATION_LIST", HOTEL, THE_HOTEL,
             {"hotel_id": THE_HOTEL, "state_mask": 4, "has_arrival": True,
              "arrival_first_day": TODAY, "arrival_last_day": TODAY + 20, "external_ref": "é"}),
            ("RESERVATION_GET", SLOT, slot, {"id_hi": high, "id_lo": low}),
            ("STOCK_LIST", HOTEL, THE_HOTEL, {"hotel_id": THE_HOTEL, "from_day": -5, "limit": 9}),
            ("NIGHT_LIST", HOTEL, THE_HOTEL, {"hotel_id": THE_HOTEL, "types": [1],
                                              "first_day": TODAY, "last_day": TODAY + 2}),
            ("PING", ROUTER, 0, {"payload": b"payload"}))]

    def test_a_body_means_what_it_means_to_protobuf(self):
        """What protobuf reads is answered as its plain spelling is; what it cannot is INVALID."""
        counts = collections.Counter()

        @profile(500)
        @given(which=st.sampled_from(self.bodies()), edits=st.lists(EDITS, min_size=1, max_size=3))
        def means(which, edits):
            kind, route, key, body = which
            for edit, *arguments in edits:
                body = edit(body, *arguments)
            plain = self.plain(kind, body)
            told = self.told_of(kind, route, key, body)
            if plain is None:
                counts["malformed"] += 1
                self.assertEqual(told[0], "INVALID", body.hex())
            else:
                counts["read"] += 1
                self.assertEqual(told, self.told_of(kind, route, key, plain), body.hex())

        means()
        self.assertGreater(min(counts.values()), 100)
        print(f"bodies: {dict(counts)}", file=sys.stderr)

    def test_a_sale_spelt_otherwise_is_the_same_sale(self):
        """The payload of an id are its fields, not its bytes: repeated, nothing happens."""
        harmless = st.one_of(EDITS.filter(lambda edit: edit[0] in (
            add_unknown, reverse_fields, stretch_number, repeat_field)))

        @profile(60)
        @given(edits=st.lists(harmless, max_size=4))
        def same(edits):
            halves = pykeyrack.mint(43)
            plain = body_of("BOOK", **self.sale(halves, hotel=43, external_ref=f"é{halves[1]}",
                                                payment_ref="p", guest_lo=9))
            odd = plain
            for edit, *arguments in edits:
                odd = edit(odd, *arguments)
            if self.plain("BOOK", odd) != plain:
                return
            first, again = (DOCUMENT.messages["ReservationAnswer"].FromString(
                self.told_of("BOOK", HOTEL, 43, body)[1]) for body in (odd, plain))
            self.assertEqual((first.state, first.repeated_op, again.repeated_op), (2, False, True))
            self.assertEqual(first.event_seq, again.event_seq)

        same()
        self.before = self.world()

    def test_no_text_comes_in_that_a_client_cannot_read(self):
        """Texts of every request that has some: what is no UTF-8, or has a zero byte, is INVALID."""
        for data in (b"\xff", b"a\0b", b"\xed\xa0\x80", b"\xc0\x80", b"\xf5\x80\x80\x80"):
            for kind, number in (("BOOK", 10), ("BOOK", 11), ("BOOK", 14), ("HOTEL_PUT", 8),
                                 ("TYPE_PUT", 10), ("PLAN_PUT", 10), ("INVENTORY_SET", 32),
                                 ("CONFIRM", 7), ("CANCEL", 11), ("RESERVATION_LIST", 14)):
                base = {"BOOK": self.sale(pykeyrack.mint(THE_HOTEL)),
                        "CONFIRM": dict(zip(("id_hi", "id_lo"), self.sold)),
                        "CANCEL": dict(zip(("id_hi", "id_lo"), self.sold))}.get(
                            kind, {"hotel_id": THE_HOTEL})
                route = (SLOT, (self.sold[0] & 0xFFF) << 2 | self.sold[1] >> 60 & 3) \
                    if kind in ("CONFIRM", "CANCEL") else (HOTEL, THE_HOTEL)
                body = body_of(kind, **base) + varint(number << 3 | 2) + varint(len(data)) + data
                with self.subTest(kind=kind, number=number, data=data):
                    self.assertEqual(self.answered(kind, *route, body), "INVALID")

    @staticmethod
    def plain(kind, body):
        """Spelt again by protobuf, without what is not known; None if it is no message."""
        message = DOCUMENT.messages[DOCUMENT.types[kind].request]
        if not is_well_formed(body, message.DESCRIPTOR):
            return None
        # Of a text that comes again only the last one is judged.
        parts = fields_of(body)
        texts = {field.number << 3 | 2 for field in message.DESCRIPTOR.fields
                 if field.type == field.TYPE_STRING}
        last = {key: at for at, (key, _) in enumerate(parts)}
        try:
            read = message.FromString(b"".join(part for at, (key, part) in enumerate(parts)
                                               if key not in texts or last[key] == at))
        except DecodeError:
            return None
        read.DiscardUnknownFields()
        return read.SerializeToString()

    def told_of(self, kind, route, key, body):
        with Peer(self.address) as peer:
            peer.say(summed(valid(kind, route, key, body)), body)
            frame = peer.hear()
            answer = DOCUMENT.messages[DOCUMENT.types[kind].answer].FromString(frame.body)
            if kind == "PING":
                answer.time_us = 0
            return DOCUMENT.codes[frame.status], answer.SerializeToString(deterministic=True)


# ---- what section 6 says of bodies beside protobuf itself

def is_well_formed(body, descriptor):
    """Whole fields of the four wire types; a known number in its own wire type, or packed."""
    at = 0
    while at < len(body):
        key, at = read_varint(body, at)
        number, wire = (key or 0) >> 3, (key or 0) & 7
        if at is None or not 1 <= number < 1 << 29:
            return False
        part, at = read_value(body, at, wire)
        if at is None:
            return False
        field = descriptor.fields_by_number.get(number)
        if field and not fits(field, wire, part):
            return False
    return True


def read_value(body, at, wire):
    """(bytes of a sized value, where it ends); None for the end if it has none."""
    if wire == 0:
        return b"", read_varint(body, at)[1]
    if wire in (1, 5):
        end = at + (8 if wire == 1 else 4)
        return b"", end if end <= len(body) else None
    size, at = read_varint(body, at) if wire == 2 else (0, None)
    if at is None or at + size > len(body):
        return b"", None
    return body[at:at + size], at + size


def fits(field, wire, part):
    if field.type == field.TYPE_MESSAGE:
        return wire == 2 and is_well_formed(part, field.message_type)
    if field.type in (field.TYPE_STRING, field.TYPE_BYTES):
        return wire == 2 and (field.type == field.TYPE_BYTES or b"\0" not in part)
    own = 1 if field.type == field.TYPE_FIXED64 else 0
    if wire != 2 or field.label != field.LABEL_REPEATED:
        return wire == own
    at = 0
    while at is not None and at < len(part):
        at = read_value(part, at, own)[1]
    return at is not None


# ---- edits of bodies

def varint(value):
    data = bytearray()
    while value >= 0x80:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(data + bytes([value]))


def fields_of(body):
    """(key, whole bytes of the field) at the top of a message; none of what is not well formed."""
    at, found = 0, []
    while at is not None and at < len(body):
        begin = at
        key, at = read_varint(body, at)
        if at is not None:
            at = read_value(body, at, key & 7)[1]
        found.append((key, body[begin:at]))
    return found if at is not None else []


def read_varint(body, at):
    """(value, where it ends); where: None if it does not, or is more than 64 bits."""
    value = 0
    for place in range(10):
        if at >= len(body):
            return value, None
        byte = body[at]
        value, at = value | (byte & 0x7F) << 7 * place, at + 1
        if byte < 0x80:
            return (value, at) if value < 1 << 64 else (value, None)
    return value, None


def add_unknown(body, number, kind, payload):
    """A field with a number nobody has."""
    data = {0: varint(len(payload)), 1: payload.ljust(8, b"x")[:8], 2: varint(len(payload)) + payload,
            5: payload.ljust(4, b"x")[:4]}[kind]
    return body + varint(number << 3 | kind) + data


def repeat_field(body, which):
    found = fields_of(body)
    return body + found[which % len(found)][1] if found else body


def reverse_fields(body):
    return b"".join(part for _, part in reversed(fields_of(body))) or body


def stretch_number(body, which, more):
    """A varint in more bytes than it needs."""
    found = fields_of(body)
    numbers = [i for i, (key, _) in enumerate(found) if key & 7 == 0]
    if not numbers:
        return body
    at = numbers[which % len(numbers)]
    part = bytearray(found[at][1])
    part[-1] |= 0x80
    part += bytes([0x80] * more + [0])
    return b"".join(part if i == at else one for i, (_, one) in enumerate(found))


def other_wire(body, which, kind):
    """A field under its number, in another wire type."""
    found = fields_of(body)
    if not found:
        return body
    key = found[which % len(found)][0]
    data = {0: b"\x01", 1: bytes(8), 2: b"\x02\x01\x01", 3: varint(key & ~7 | 4), 4: b"",
            5: bytes(4), 6: b"", 7: b""}[kind]
    return body + varint(key & ~7 | kind) + data


def set_number(body, which, value):
    found = [key for key, _ in fields_of(body) if key & 7 == 0]
    return body + varint(found[which % len(found)]) + varint(value) if found else body


def set_text(body, which, data):
    found = [key for key, _ in fields_of(body) if key & 7 == 2]
    return body + varint(found[which % len(found)]) + varint(len(data)) + data if found else body


EDITS = st.one_of(
    st.tuples(st.just(add_unknown), st.integers(500, (1 << 29) - 1), st.sampled_from([0, 1, 2, 5]),
              st.binary(max_size=20)),
    st.tuples(st.just(repeat_field), st.integers(0, 9)),
    st.tuples(st.just(reverse_fields)),
    st.tuples(st.just(stretch_number), st.integers(0, 9), st.integers(0, 9)),
    st.tuples(st.just(other_wire), st.integers(0, 9), st.integers(0, 7)),
    st.tuples(st.just(set_text), st.integers(0, 9), st.sampled_from(
        [b"a\0b", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xc3\xa9",
         b"\xf0\x9f\x94\x91"])),
    st.tuples(st.just(set_number), st.integers(0, 9),
              st.sampled_from([0, 1, 2, 1 << 31, 1 << 32, (1 << 33) + 1, (1 << 64) - 1])
              | st.integers(0, (1 << 64) - 1)),
    st.tuples(st.just(lambda body, at, bit: body[:at % (len(body) + 1)] + bytes(
        [body[at % len(body)] ^ 1 << bit]) + body[at % len(body) + 1:] if body else body),
        st.integers(0, 200), st.integers(0, 7)),
    st.tuples(st.just(lambda body, at: body[:at % (len(body) + 1)]), st.integers(0, 200)),
    st.tuples(st.just(lambda body, more: body + more), st.binary(max_size=12)))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)

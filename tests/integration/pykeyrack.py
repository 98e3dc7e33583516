"""A client of Keyrack written from proto/PROTOCOL.md alone.

Not even the .proto file is used: messages, frame types and codes are built from the document's own
tables. So whatever this client can do, a reader of the document can do.
"""
import collections
import hashlib
import os
import re
import select
import socket
import struct
import time

import xxhash
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

HEADER = struct.Struct("<4sBBBBIIQQQQIIHHI")
MAGIC = b"KRK1"
VERSION = 1
ANSWER, STALE_OK = 1, 2
HOTEL, SLOT, SHARD, ROUTER = 1, 2, 3, 4
RETRY_FIRST, RETRY_MAX = 0.005, 0.5

Type = collections.namedtuple("Type", "number request answer route")
Answer = collections.namedtuple("Answer", "code message tries")


class Unknown(Exception):
    """No answer decided before the deadline: it may or may not have happened."""


class Rejected(Exception):
    """The server rejected the connection."""

    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code = code


class Document:
    """What the tables of PROTOCOL.md say."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.text = file.read()
        self.types = {name: Type(int(number), request, answer, route) for
                      number, name, request, answer, route in re.findall(
                          r"^\| (\d+) \| `(\w+)` \| `(\w+)` \| `(\w+)` \| (.*) \|$", self.text, re.M)}
        self.codes = {int(number): name for number, name in re.findall(
            r"^\| (\d+) \| `(\w+)` \| [^|`]* \|$", self.section("## 7. Codes"), re.M)[::-1]}
        self.numbers = {name: number for number, name in self.codes.items()}
        self.messages = self.build()

    def section(self, heading):
        start = self.text.index(heading)
        end = self.text.index("| Rule |", start) if "Codes" in heading else len(self.text)
        return self.text[start:end]

    def build(self):
        """The messages of section 6 as classes."""
        file = descriptor_pb2.FileDescriptorProto(
            name="from_the_document.proto", package="document", syntax="proto3")
        for name, body in re.findall(r"^#### `(\w+)`\n(.*?)(?=^#)", self.text, re.M | re.S):
            message = file.message_type.add(name=name)
            for number, field, repeated, kind in re.findall(
                    r"^\| (\d+) \| `(\w+)` \| (repeated )?(\w+) \|", body, re.M):
                entry = message.field.add(name=field, number=int(number))
                entry.label = entry.LABEL_REPEATED if repeated else entry.LABEL_OPTIONAL
                if kind[0].isupper():
                    entry.type, entry.type_name = entry.TYPE_MESSAGE, ".document." + kind
                else:
                    entry.type = getattr(entry, "TYPE_" + kind.upper())
        pool = descriptor_pool.DescriptorPool()
        pool.Add(file)
        factory = message_factory.MessageFactory(pool)
        return {entry.name: factory.GetPrototype(
            pool.FindMessageTypeByName("document." + entry.name)) for entry in file.message_type}

    def example(self, name):
        """Bytes of the hex dump with that name."""
        block = re.search(rf"^```hex {name}\n(.*?)^```", self.text, re.M | re.S).group(1)
        return bytes.fromhex(re.sub(r"#.*", "", block))


def slot_of(hotel_id):
    return xxhash.xxh3_64_intdigest(struct.pack("<Q", hotel_id)) % 16384


def hotel_of_code(code):
    return xxhash.xxh3_64_intdigest(code.encode())


def mint(hotel_id, unix_ms=None, random=None):
    """A reservation id for that hotel, as its two halves."""
    slot = slot_of(hotel_id)
    ms = int(time.time() * 1000) if unix_ms is None else unix_ms
    random = int.from_bytes(os.urandom(8), "little") if random is None else random
    high = ms << 16 | 0b1000 << 12 | slot >> 2
    low = 0b10 << 62 | (slot & 3) << 60 | random & (1 << 60) - 1
    return high, low


def format_id(halves):
    digits = f"{halves[0]:016x}{halves[1]:016x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def prove(token, nonce):
    """Section 5, tokens."""
    return hashlib.blake2b(b"keyrack token 1\0" + nonce, digest_size=32, key=token).digest()


def seal(kind, route, key, request_id, body, cluster, remaining_us, flags=0):
    """One request frame: section 2."""
    fields = [MAGIC, VERSION, kind, route, flags, len(body), 0, xxhash.xxh3_64_intdigest(body),
              cluster, key, request_id, remaining_us, 0, 0, 0, 0]
    fields[6] = xxhash.xxh3_64_intdigest(HEADER.pack(*fields)) & 0xFFFFFFFF
    return HEADER.pack(*fields) + body


class Frame:
    """An answer, checked."""

    def __init__(self, header, body):
        (self.magic, self.version, self.kind, self.route, self.flags, self.size, self.sum,
         self.body_sum, self.cluster, self.key, self.request_id, self.remaining_us, self.epoch,
         self.status, self.principal, self.via) = HEADER.unpack(header)
        zeroed = header[:12] + bytes(4) + header[16:]
        if self.magic != MAGIC or self.version != VERSION:
            raise ConnectionError("not a frame")
        if xxhash.xxh3_64_intdigest(zeroed) & 0xFFFFFFFF != self.sum:
            raise ConnectionError("the header's sum is wrong")
        self.body = body(self.size)
        if xxhash.xxh3_64_intdigest(self.body) != self.body_sum:
            raise ConnectionError("the body's sum is wrong")
        if not self.flags & ANSWER or self.status == 0:
            raise ConnectionError("not an answer")


class Client:
    """One connection at a time to one of several routers; calls one by one or many in flight."""

    def __init__(self, document, addresses, cluster=0, deadline=5.0, token=None):
        """`token` is (number, 32 bytes)."""
        self.token = token
        self.role = None
        self.document = document
        self.addresses = addresses
        self.cluster = cluster
        self.deadline = deadline
        self.socket = None
        self.turn = 0
        self.request_id = 0
        self.hello = None
        self.received = b""

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None
        self.received = b""

    # ---- section 5: a connection

    def open_socket(self, until):
        address = self.addresses[self.turn % len(self.addresses)]
        self.turn += 1
        if address.startswith("unix:"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(max(until - time.monotonic(), 0.001))
            self.socket.connect(address[5:])
        else:
            host, port = address.rsplit(":", 1)
            self.socket = socket.create_connection((host.strip("[]"), int(port)),
                                                   max(until - time.monotonic(), 0.001))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connect(self, until):
        self.open_socket(until)
        if self.token:
            self.authenticate(until)
        hello = self.document.messages["HelloRequest"](version=VERSION, agent="pykeyrack/1")
        wanted = self.send("HELLO", ROUTER, 0, hello, until)
        answer = self.receive(until)
        if answer.request_id != wanted or answer.status != 1:
            raise ConnectionError("no answer to HELLO")
        self.hello = self.document.messages["HelloAnswer"].FromString(answer.body)
        self.cluster = self.hello.cluster

    def ask_for_nonce(self, until):
        self.send("AUTH", ROUTER, 0, self.document.messages["AuthRequest"](), until)
        return self.document.messages["AuthAnswer"].FromString(self.receive(until).body)

    def send_proof(self, proof, until):
        self.send("AUTH", ROUTER, 0, self.document.messages["AuthRequest"](
            number=self.token[0], proof=proof), until)
        return self.document.messages["AuthAnswer"].FromString(self.receive(until).body)

    def authenticate(self, until):
        answer = self.ask_for_nonce(until)
        if answer.nonce:
            answer = self.send_proof(prove(self.token[1], answer.nonce), until)
        self.role = answer.role

    def send(self, name, route, key, message, until, flags=0):
        self.request_id += 1
        remaining_us = max(int((until - time.monotonic()) * 1e6), 1)
        kind = self.document.types[name].number
        self.socket.sendall(seal(kind, route, key, self.request_id, message.SerializeToString(),
                                 self.cluster, remaining_us, flags))
        return self.request_id

    def take(self, size, until):
        while len(self.received) < size:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                raise TimeoutError
            piece = self.socket.recv(1 << 16)
            if not piece:
                raise ConnectionError("closed")
            self.received += piece
        data, self.received = self.received[:size], self.received[size:]
        return data

    def receive(self, until):
        frame = Frame(self.take(HEADER.size, until), lambda size: self.take(size, until))
        if frame.kind == self.document.types["REJECT"].number:
            notice = self.document.messages["RejectNotice"].FromString(frame.body)
            raise Rejected(frame.status, notice.text)
        if self.cluster and frame.cluster != self.cluster:
            raise ConnectionError("another cluster")
        return frame

    # ---- sections 3, 4 and 9: calls

    def route(self, name, message, shard):
        """Route and key of a call."""
        said = self.document.types[name].route
        if "over all hotels" in said and message.hotel_id == 0:
            return SHARD, message.cursor >> 50
        if said.endswith("of the reservation"):
            return HOTEL, message.reservation.hotel_id
        if said.startswith("HOTEL"):
            return HOTEL, message.hotel_id
        if said.startswith("SLOT"):
            if message.has_hotel:
                return HOTEL, message.hotel_id
            return SLOT, (message.id_hi & 0xFFF) << 2 | message.id_lo >> 60 & 3
        if shard is not None:
            return SHARD, shard
        return ROUTER, 0

    def call(self, name, shard=None, flags=0, retry=True, deadline=None, **fields):
        """Calls until an answer decides. Raises Unknown when none did in time."""
        types = self.document.types[name]
        message = self.document.messages[types.request](**fields)
        route, key = self.route(name, message, shard)
        until = time.monotonic() + (deadline or self.deadline)
        tries, pause, last = 0, RETRY_FIRST, None
        while time.monotonic() < until:
            try:
                if not self.socket:
                    self.connect(until)
                wanted = self.send(name, route, key, message, until, flags)
                tries += 1
                frame = self.receive(until)
                while frame.request_id != wanted:  # an answer that came too late
                    frame = self.receive(until)
                answer = self.document.messages[types.answer].FromString(frame.body)
                last = Answer(frame.status, answer, tries)
                if frame.status < 64 or not retry:
                    return last
            except (ConnectionError, FileNotFoundError, TimeoutError, socket.timeout):
                self.close()
                last = None
            time.sleep(min(pause, max(until - time.monotonic(), 0)))
            pause = min(pause * 2, RETRY_MAX)
        if last is None or last.code >= 96:
            raise Unknown(name)
        return last

    def pipeline(self, calls, deadline=None):
        """Many in flight: yields (index, code, message) as answers come. No retries."""
        until = time.monotonic() + (deadline or self.deadline)
        if not self.socket:
            self.connect(until)
        flying = {}
        for index, (name, fields) in enumerate(calls):
            types = self.document.types[name]
            while len(flying) >= self.hello.window:
                yield self.landed(flying, until)
            message = self.document.messages[types.request](**fields)
            flying[self.send(name, *self.route(name, message, None), message, until)] = (
                index, types.answer)
        while flying:
            yield self.landed(flying, until)

    def landed(self, flying, until):
        frame = self.receive(until)
        index, answer = flying.pop(frame.request_id)
        return index, frame.status, self.document.messages[answer].FromString(frame.body)

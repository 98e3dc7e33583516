"""A raw client of one connection: frames by hand, bodies by protobuf. Shares no code with libkeyrack."""
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time

import xxhash

HEADER = struct.Struct("<IBBBBIIQQQQIIHHI")
MAGIC = 0x314B524B
TYPES = {"HELLO": 1, "PING": 2, "HOTEL_PUT": 10, "HOTEL_GET": 11, "HOTEL_LIST": 12, "TYPE_PUT": 13,
         "TYPE_GET": 14, "INVENTORY_SET": 20, "AVAILABILITY": 30, "STAY": 31, "HOLD": 40, "BOOK": 41,
         "CONFIRM": 42, "RELEASE": 43, "CANCEL": 44, "RESOLVE": 45, "RESERVATION_GET": 46,
         "SNAPSHOT": 60, "STATS": 61}
HOTEL, SLOT, SHARD, ROUTER = 1, 2, 3, 4
ANSWERS = {"HELLO": "HelloAnswer", "PING": "PingAnswer", "HOTEL_PUT": "HotelAnswer",
           "HOTEL_GET": "HotelAnswer", "HOTEL_LIST": "HotelListAnswer", "TYPE_PUT": "TypeAnswer",
           "TYPE_GET": "TypeListAnswer", "INVENTORY_SET": "InventorySetAnswer",
           "AVAILABILITY": "AvailabilityAnswer", "STAY": "StayAnswer",
           "RESERVATION_GET": "ReservationGetAnswer", "SNAPSHOT": "SnapshotAnswer",
           "STATS": "StatsAnswer"}
DONE, SOLD_OUT, NOT_FOUND, READ_ONLY = 1, 10, 25, 66


def messages(root):
    """The generated module of keyrack.proto."""
    folder = tempfile.mkdtemp(prefix="keyrack-pb-")
    subprocess.run(["protoc", "-I", os.path.join(root, "proto"), "--python_out", folder,
                    "keyrack.proto"], check=True)
    sys.path.insert(0, folder)
    import keyrack_pb2  # pylint: disable=import-outside-toplevel
    return keyrack_pb2


def slot_of(hotel):
    return xxhash.xxh3_64_intdigest(struct.pack("<Q", hotel)) & 16383


def mint(hotel, random, now=None):
    slot = slot_of(hotel)
    ms = int((time.time() if now is None else now) * 1000)
    high = ms << 16 | 0b1000 << 12 | slot >> 2
    low = 0b10 << 62 | (slot & 3) << 60 | random & (1 << 60) - 1
    return high, low


class Connection:
    def __init__(self, path, cluster, pb, timeout=10):
        self.pb = pb
        self.cluster = cluster
        self.request_id = 0
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        code, hello = self.call("HELLO", ROUTER, 0, pb.HelloRequest(version=1))
        assert code == DONE, code
        self.hello = hello

    def close(self):
        self.socket.close()

    def frame(self, kind, route, key, body, remaining_us=5000000, flags=0):
        self.request_id += 1
        data = body.SerializeToString()
        fields = [MAGIC, 1, TYPES[kind], route, flags, len(data), 0, xxhash.xxh3_64_intdigest(data),
                  self.cluster, key, self.request_id, remaining_us, 0, 0, 0, 0]
        fields[6] = xxhash.xxh3_64_intdigest(HEADER.pack(*fields)) & 0xFFFFFFFF
        return HEADER.pack(*fields) + data

    def send(self, kind, route, key, body, **more):
        self.socket.sendall(self.frame(kind, route, key, body, **more))
        return self.request_id

    def read(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise ConnectionError("closed")
            data += piece
        return data

    def receive(self):
        """(request id, code, message)"""
        fields = HEADER.unpack(self.read(HEADER.size))
        assert fields[0] == MAGIC and fields[4] & 1, fields
        body = self.read(fields[5])
        assert xxhash.xxh3_64_intdigest(body) == fields[7]
        kind = next((name for name, number in TYPES.items() if number == fields[2]), None)
        if kind is None:
            return fields[10], fields[13], None
        message = getattr(self.pb, ANSWERS.get(kind, "ReservationAnswer"))()
        message.ParseFromString(body)
        return fields[10], fields[13], message

    def call(self, kind, route, key, body, **more):
        wanted = self.send(kind, route, key, body, **more)
        got, code, message = self.receive()
        assert got == wanted, (got, wanted)
        return code, message

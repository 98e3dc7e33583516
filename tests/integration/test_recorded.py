#!/usr/bin/python3
"""What clients of older builds said, said again to today's server.

usage: test_recorded.py SOURCE_ROOT KEYRACK_ROUTER KEYRACK_SHARD LIBSHIFTED_CLOCK

recorded/NAME.json holds the frames of each conversation, both ways, as recorded/record.py of that
time took them; recorded/NAME.proto the messages as that client knew them. The requests go out byte
for byte, to a cluster whose clock shows the day of the recording. Every answer has to be read by
that client's messages, and to say in their fields what it said then, but for what the server draws:
instants, its own name, sizes and figures, and cursors.
"""
import datetime
import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

import pykeyrack
import two_shards

ROOT, ROUTER, SHARD, SHIFTED_CLOCK = sys.argv[1:5]
DOCUMENT = pykeyrack.Document(os.path.join(ROOT, "proto", "PROTOCOL.md"))
RECORDED = os.path.join(ROOT, "tests", "integration", "recorded")
NAMES = {number: name for name, (number, *_) in DOCUMENT.types.items()}
TIMEOUT_S = 120
# What a server draws: of these fields only whether they are told counts.
DRAWN = {"created_at_us", "changed_at_us", "expires_at_us", "time_us", "uptime_us", "age_us",
         "idle_us", "next_cursor", "lsn", "free_cancel_until_us", "agent", "version"}
# Figures of one server at one moment: the answer has to be read, and is not compared.
FIGURES = {"STATS", "ROUTER_STATUS", "ROUTER_CONNECTIONS"}
# Deliberate changes of meaning: (recording, type): why. PROTOCOL.md, section 11, tells them.
CHANGED = {}


class Messages:
    """The messages of a .proto of some time, in a pool of their own."""

    def __init__(self, path):
        with tempfile.NamedTemporaryFile() as file:
            subprocess.run(["protoc", "-I", os.path.dirname(path), "--descriptor_set_out",
                            file.name, os.path.basename(path)], check=True)
            files = descriptor_pb2.FileDescriptorSet.FromString(file.read())
        self.pool = descriptor_pool.DescriptorPool()
        for one in files.file:
            self.pool.Add(one)
        self.factory = message_factory.MessageFactory(self.pool)

    def read(self, name, body):
        """As the client sees it: what it does not know is passed over."""
        message = self.factory.GetPrototype(
            self.pool.FindMessageTypeByName("keyrack." + name)).FromString(body)
        message.DiscardUnknownFields()
        return json_format.MessageToDict(message, preserving_proto_field_name=True)


def comparable(told):
    """Without what the server draws, and without an order that means nothing."""
    if isinstance(told, dict):
        return {name: "drawn" if name in DRAWN else comparable(value)
                for name, value in told.items()}
    if isinstance(told, list):
        parts = [comparable(one) for one in told]
        if all(isinstance(one, dict) and "id_hi" in one for one in parts):
            parts.sort(key=lambda one: (one["id_hi"], one["id_lo"]))
        return parts
    return told


def header(frame):
    return pykeyrack.Frame(frame[:64], lambda size: frame[64:64 + size])


def covers(new, old):
    """Whether all that the old reading tells is in the new one."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(name in new and covers(new[name], old[name])
                                             for name in old)
    if isinstance(old, list):
        return isinstance(new, list) and len(new) == len(old) and all(map(covers, new, old))
    return new == old


class RecordedTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="keyrack-recorded-")
        self.addCleanup(shutil.rmtree, self.folder)

    def recordings(self):
        paths = sorted(glob.glob(os.path.join(RECORDED, "*.json")))
        self.assertGreaterEqual(len(paths), 2)
        for path in paths:
            with open(path, encoding="ascii") as file:
                yield os.path.basename(path)[:-5], json.load(file)

    def start(self, recording):
        shift_s = int(recording["unix_us"] / 1e6 - time.time()) + 1
        folder = tempfile.mkdtemp(dir=self.folder)
        cluster = two_shards.TwoShards(
            folder, ROUTER, SHARD, recording["cluster"], recording["sizes"], routers=1,
            environment={"LD_PRELOAD": SHIFTED_CLOCK, "KEYRACK_CLOCK_SHIFT_S": str(shift_s)})
        self.addCleanup(cluster.stop)
        return cluster

    def replay(self, cluster, frames):
        """Says the requests; yields (answer then, answer now) as they came then."""
        streams, now = {}, {}
        for number, direction, text in frames:
            frame = bytes.fromhex(text)
            if number not in streams:
                streams[number] = self.connected(cluster)
            stream = streams[number]
            if direction == "asked":
                stream.write(frame)
                stream.flush()
                continue
            wanted = number, header(frame).request_id
            while wanted not in now:
                head = stream.read(pykeyrack.HEADER.size)
                self.assertEqual(len(head), pykeyrack.HEADER.size, "the server hung up")
                got = pykeyrack.Frame(head, stream.read)
                now[number, got.request_id] = got
            yield header(frame), now.pop(wanted)
        for stream in streams.values():
            stream.close()

    @staticmethod
    def connected(cluster):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(TIMEOUT_S)
            connection.connect(cluster.addresses[0][5:])
            return connection.makefile("rwb")

    def compare(self, messages, then, now, name):
        kind = NAMES[then.kind]
        answer = DOCUMENT.types[kind].answer
        self.assertEqual((now.kind, now.route, now.flags, now.key, now.cluster, now.status),
                         (then.kind, then.route, then.flags, then.key, then.cluster, then.status))
        told = messages.read(answer, now.body)
        if kind not in FIGURES and (name, kind) not in CHANGED:
            self.assertEqual(comparable(told), comparable(messages.read(answer, then.body)))

    def test_an_old_clients_requests_are_answered_as_they_were(self):
        for name, recording in self.recordings():
            messages = Messages(os.path.join(RECORDED, name + ".proto"))
            cluster = self.start(recording)
            answers = 0
            for talk in recording["conversations"]:
                with self.subTest(recording=name, said=talk["what"]):
                    for then, now in self.replay(cluster, talk["frames"]):
                        self.compare(messages, then, now, name)
                        answers += 1
            self.assertTrue(cluster.is_whole())
            print(f"{name}: {len(recording['conversations'])} conversations, {answers} answers, "
                  f"recorded {datetime.date.fromtimestamp(recording['unix_us'] / 1e6)}",
                  file=sys.stderr)

    def test_an_old_servers_answers_are_read_by_todays_client(self):
        for name, recording in self.recordings():
            messages = Messages(os.path.join(RECORDED, name + ".proto"))
            for talk in recording["conversations"]:
                for _, direction, text in talk["frames"]:
                    frame = bytes.fromhex(text)
                    kind = NAMES[frame[5]]
                    part = DOCUMENT.types[kind][1 if direction == "asked" else 2]
                    today = DOCUMENT.messages[part].FromString(frame[64:])
                    today = json_format.MessageToDict(today, preserving_proto_field_name=True)
                    with self.subTest(recording=name, said=talk["what"], message=part):
                        self.assertTrue(covers(today, messages.read(part, frame[64:])))

    def test_every_operation_of_that_time_is_in_the_recording(self):
        """HELLO aside, what cannot be a request or needs tokens is not."""
        for name, recording in self.recordings():
            said = {NAMES[bytes.fromhex(text)[5]] for talk in recording["conversations"]
                    for _, _, text in talk["frames"]}
            with open(os.path.join(RECORDED, name + ".proto"), encoding="utf-8") as file:
                known = file.read()
            missing = {kind for kind, (_, request, _, _) in DOCUMENT.types.items()
                       if f"message {request} " in known} - said
            self.assertLessEqual(missing, {"AUTH", "REJECT", "MODIFY"}, name)

    def test_a_difference_is_seen(self):
        then = {"state": 2, "expires_at_us": 5, "lines": [{"type": 1}]}
        self.assertEqual(comparable(then), comparable({**then, "expires_at_us": 6}))
        self.assertNotEqual(comparable(then), comparable({**then, "state": 3}))
        self.assertNotEqual(comparable(then), comparable({"state": 2, "lines": [{"type": 1}]}))
        self.assertFalse(covers({"lines": []}, {"lines": [{"type": 1}]}))
        self.assertTrue(covers({"lines": [{"type": 1, "plan": 2}]}, {"lines": [{"type": 1}]}))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)

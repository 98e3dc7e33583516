"""chaos_proxy.py: what it lets through it leaves as it is, and each trouble is the trouble it says."""

import os
import random
import socket
import sys
import threading
import time
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import chaos_cluster  # noqa: E402

TIMEOUT_S = 60


class Echo:
    """Says what it hears, and keeps it."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(16)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.heard = {}          # number of the connection: bytes
        self.ended = {}          # number of the connection: how
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        number = 0
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(number, peer), daemon=True).start()
            number += 1

    def serve(self, number, peer):
        self.heard[number] = b""
        try:
            while True:
                data = peer.recv(65536)
                if not data:
                    break
                self.heard[number] += data
                peer.sendall(data)
            self.ended[number] = "end"
        except OSError:
            self.ended[number] = "reset"
        peer.close()


class ProxyTest(unittest.TestCase):
    def setUp(self):
        self.echo = Echo()
        self.proxy = chaos_cluster.Helper(os.path.join(HERE, "chaos_proxy.py"), "7")
        self.port = int(self.proxy.ask(f"link a {self.echo.address}")[0])
        self.peers = []

    def tearDown(self):
        for peer in self.peers:
            peer.close()
        self.proxy.close()
        self.echo.listener.close()

    def connect(self):
        peer = socket.create_connection(("127.0.0.1", self.port), TIMEOUT_S)
        self.peers.append(peer)
        return peer

    def wait_for(self, what):
        until = time.monotonic() + TIMEOUT_S
        while not what():
            self.assertLess(time.monotonic(), until)
            time.sleep(0.005)

    @staticmethod
    def read(peer, size):
        data = b""
        while len(data) < size:
            piece = peer.recv(65536)
            if not piece:
                break
            data += piece
        return data

    def said_and_heard(self, peer, size):
        """What goes to the echo and back, whole and in order."""
        data = random.Random(size).randbytes(size)
        threading.Thread(target=peer.sendall, args=(data,), daemon=True).start()
        return data, self.read(peer, size)

    def test_without_trouble_every_byte_passes_as_it_is(self):
        peers = [self.connect() for _ in range(5)]
        for size in (1, 64, 70000, 3 << 20):
            for peer in peers:
                said, heard = self.said_and_heard(peer, size)
                self.assertEqual(said, heard)

    def test_the_end_of_a_stream_passes_in_its_direction(self):
        peer = self.connect()
        peer.sendall(b"last words")
        peer.shutdown(socket.SHUT_WR)
        self.assertEqual(self.read(peer, 100), b"last words")
        self.wait_for(lambda: self.echo.ended.get(0) == "end")

    def test_delays_and_dribbles_change_no_byte_and_no_order(self):
        for kind, size in (("delay", 200000), ("dribble", 400)):
            peer = self.connect()
            self.proxy.ask(f"trouble a {kind} 0")
            said, heard = self.said_and_heard(peer, size)
            self.assertEqual(said, heard)
            self.proxy.ask("calm a")

    def test_a_dribble_is_slow_and_in_small_pieces(self):
        peer = self.connect()
        self.said_and_heard(peer, 1)
        self.proxy.ask("trouble a dribble 0")
        begun = time.monotonic()
        peer.sendall(bytes(70))
        self.assertLessEqual(len(peer.recv(65536)), 7)
        self.read(peer, 60)
        self.assertGreater(time.monotonic() - begun, 0.05)

    def test_a_stall_keeps_everything_and_lets_it_go_afterwards(self):
        peer = self.connect()
        self.said_and_heard(peer, 1)
        self.proxy.ask("trouble a stall 0")
        peer.sendall(b"x" * 1000)
        peer.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            peer.recv(1)
        self.assertEqual(len(self.echo.heard[0]), 1)
        self.proxy.ask("calm *")
        peer.settimeout(TIMEOUT_S)
        self.assertEqual(self.read(peer, 1000), b"x" * 1000)

    def test_deafness_is_of_one_direction(self):
        """Over some connections both directions come up."""
        self.proxy.ask("trouble a deaf 0")
        arrived = set()
        for number in range(12):
            peer = self.connect()
            peer.sendall(b"hello")
            peer.settimeout(0.2)
            with self.assertRaises(TimeoutError):
                peer.recv(1)
            arrived.add(self.echo.heard.get(number, b"") == b"hello")
        self.assertEqual(arrived, {True, False})

    def test_a_cut_resets_both_sides_in_the_middle_of_something(self):
        lengths = set()
        for number in range(12):
            peer = self.connect()
            self.said_and_heard(peer, 1)
            self.proxy.ask("trouble a cut 0")
            with self.assertRaises(ConnectionError):
                for _ in range(10000):
                    peer.sendall(bytes(100))
                    if not peer.recv(65536):
                        raise ConnectionResetError
            self.wait_for(lambda n=number: n in self.echo.ended)
            lengths.add(len(self.echo.heard[number]) - 1)
        self.assertGreater(len(lengths), 2)
        self.assertTrue(any(length % 100 for length in lengths), lengths)

    def test_what_lingers_arrives_after_its_sender_has_been_told_the_end(self):
        peer = self.connect()
        self.said_and_heard(peer, 1)
        self.proxy.ask("trouble a stall 0")
        peer.sendall(b"late")
        self.proxy.ask("trouble a linger 0")
        with self.assertRaises(ConnectionError):
            if not peer.recv(1):
                raise ConnectionResetError
        self.assertEqual(self.echo.heard[0], self.echo.heard[0][:1])
        self.proxy.ask("calm a")
        self.wait_for(lambda: self.echo.heard[0][1:] == b"late")
        self.wait_for(lambda: 0 in self.echo.ended)

    def test_half_a_connection_is_closed_and_the_other_half_goes_on(self):
        seen = set()
        for number in range(12):
            peer = self.connect()
            self.said_and_heard(peer, 1)
            self.proxy.ask("trouble a half 0")
            peer.settimeout(0.2)
            try:
                peer.sendall(b"more")
                seen.add("to me" if peer.recv(1) == b"" else "neither")
            except (TimeoutError, ConnectionError):
                seen.add("to the server")
            self.wait_for(lambda n=number: n in self.echo.ended or "to me" in seen)
        self.assertLessEqual({"to me"}, seen)

    def test_refusals_and_unknown_commands(self):
        self.proxy.ask("trouble a refuse 0")
        with self.assertRaises(ConnectionError):  # at once, or with the first byte
            if not self.connect().recv(1):
                raise ConnectionResetError
        self.proxy.ask("calm a")
        said, heard = self.said_and_heard(self.connect(), 10)
        self.assertEqual(said, heard)
        self.proxy.say("dance")
        self.assertTrue(self.proxy.hear().startswith("error"))
        self.assertIn("refuse=1", self.proxy.ask("stat"))


if __name__ == "__main__":
    unittest.main()

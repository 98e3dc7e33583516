#!/usr/bin/python3
"""A TCP proxy that makes the trouble real networks make. It never changes a byte.

    chaos_proxy.py SEED

Commands are lines on standard input, each answered by one line on standard output:

    link NAME HOST:PORT         listens for that target: `ok PORT`
    trouble NAME KIND SECONDS   for so long (0: for ever), on the link's connections, old and new
    calm NAME|*                 ends its troubles
    stat                        `ok name=count ...`
    quit                        so does the end of input

    delay     each piece comes 1 to 300 ms later, in order
    dribble   1 to 7 bytes at a time, some hundred bytes a second
    stall     nothing passes, nothing is closed; what was sent meanwhile comes afterwards
    deaf      the same in one direction
    cut       each connection is reset after a few more bytes, in the middle of a frame
    linger    each side is told at once that the other has closed, but what was on its way still
              arrives, up to two seconds later
    half      each connection is closed in one direction only
    refuse    new connections are reset as soon as they are made

One thread. Bytes that were read from one side and not yet written to the other are the wire.
"""
import collections
import random
import selectors
import socket
import struct
import sys
import time

PIECE = 65536
WIRE_MAX = 1 << 20
BACKLOG = 64
TICK_S = 0.002
IDLE_S = 0.5
KINDS = ("delay", "dribble", "stall", "deaf", "cut", "linger", "half", "refuse")
DELAY_S = (0.001, 0.3)
LINGER_S = (0.05, 2.0)
# How many bytes still pass before a cut: often less than a header, at times a few frames.
CUT_BYTES = (0, 7, 63, 64, 90, 300, 2000)
DRIBBLE_BYTES = 7
DRIBBLE_PAUSE_S = 0.01


class Pipe:
    """One direction of a connection: a wire of (due, bytes), None being the end of the stream."""

    def __init__(self, link, source, target, random_):
        self.link, self.source, self.target = link, source, target
        self.random = random_
        self.wire = collections.deque()
        self.size = 0
        self.is_ended = False      # nothing more comes in
        self.is_shut = False       # nothing more goes out
        self.left = None           # bytes until the cut
        self.not_before = 0.0
        self.is_blocked = False    # the target takes nothing now
        self.is_deaf = False

    def wants_read(self, now):
        return not self.is_ended and self.size < WIRE_MAX and not self.is_stalled(now)

    def is_stalled(self, now):
        return self.link.has("stall", now) or self.is_deaf and self.link.has("deaf", now)

    def put(self, data, now):
        due = now
        if self.link.has("delay", now):
            due = now + self.random.uniform(*DELAY_S)
        if self.wire:
            due = max(due, self.wire[-1][0])
        self.wire.append((due, data))
        self.size += len(data) if data is not None else 0

    def next_due(self, now):
        """When something may be written; None: nothing waits, or the target has to be waited for."""
        if not self.wire or self.is_shut or self.is_blocked:
            return None
        if self.is_stalled(now):
            return now + TICK_S
        return max(self.wire[0][0], self.not_before)

    def piece(self, data, now):
        if self.left is not None:
            data = data[:self.left]
        if self.link.has("dribble", now):
            self.not_before = now + DRIBBLE_PAUSE_S
            data = data[:self.random.randint(1, DRIBBLE_BYTES)]
        return data


class Pair:
    """A connection on both sides of the proxy."""

    def __init__(self, link, client, server, random_):
        self.link = link
        self.sockets = (client, server)
        self.pipes = (Pipe(link, client, server, random_), Pipe(link, server, client, random_))
        self.pipes[random_.randrange(2)].is_deaf = True


class Link:
    def __init__(self, name, target, listener):
        self.name, self.target, self.listener = name, target, listener
        self.troubles = {}  # kind: until when
        self.pairs = set()

    def has(self, kind, now):
        return self.troubles.get(kind, 0) > now


def reset(sock):
    """Closes with RST: what the other side has not read is gone."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass
    sock.close()


class Proxy:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.selector = selectors.DefaultSelector()
        self.links = {}
        self.pairs = set()
        self.counts = collections.Counter()
        self.is_over = False
        self.line = b""

    # ---- commands

    def command(self, words):
        if words[0] == "link" and len(words) == 3:
            return f"ok {self.listen(words[1], words[2])}"
        if words[0] == "trouble" and len(words) == 4 and words[2] in KINDS:
            self.trouble(self.links[words[1]], words[2], float(words[3]))
            return "ok"
        if words[0] == "calm" and len(words) == 2:
            for link in self.links.values():
                if words[1] in ("*", link.name):
                    link.troubles.clear()
            return "ok"
        if words[0] == "stat":
            return " ".join(["ok"] + [f"{k}={v}" for k, v in sorted(self.counts.items())])
        if words[0] == "quit":
            self.is_over = True
            return "ok"
        return "error unknown command"

    def listen(self, name, target):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen(BACKLOG)
        listener.setblocking(False)
        host, port = target.rsplit(":", 1)
        self.links[name] = Link(name, (host, int(port)), listener)
        self.selector.register(listener, selectors.EVENT_READ, self.links[name])
        return listener.getsockname()[1]

    def trouble(self, link, kind, seconds):
        now = time.monotonic()
        self.counts[kind] += 1
        if kind in ("cut", "linger", "half"):
            for pair in sorted(link.pairs, key=id):
                self.strike(pair, kind, now)
            return
        link.troubles[kind] = now + (seconds or 1e9)

    def strike(self, pair, kind, now):
        if kind == "cut":
            pipe = self.random.choice(pair.pipes)
            pipe.left = self.random.choice(CUT_BYTES)
            if pipe.left == 0:
                self.drop(pair)
        elif kind == "half":
            pipe = self.random.choice(pair.pipes)
            pipe.is_ended = True
            pipe.put(None, now)
        else:
            self.linger(pair, now)

    def linger(self, pair, now):
        """Both sides hear the end now. What was on the wire to the server comes later all the
        same, as after a path that broke: its client has long gone on elsewhere."""
        forth, back = pair.pipes
        try:
            pair.sockets[0].setblocking(False)
            data = pair.sockets[0].recv(PIECE)
        except OSError:
            data = b""
        if data:
            forth.put(data, now)
        back.is_ended = back.is_shut = True
        self.release(pair.sockets[0])
        reset(pair.sockets[0])
        forth.is_ended = True
        until = now + self.random.uniform(*LINGER_S)
        forth.not_before = until
        forth.put(None, until)

    # ---- bytes

    def accept(self, link, now):
        client, _ = link.listener.accept()
        self.counts["connections"] += 1
        if link.has("refuse", now):
            reset(client)
            return
        server = socket.socket()
        try:
            server.settimeout(1)
            server.connect(link.target)
        except OSError:
            server.close()
            reset(client)
            return
        pair = Pair(link, client, server, self.random)
        for sock in pair.sockets:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(sock, selectors.EVENT_READ, pair)
        link.pairs.add(pair)
        self.pairs.add(pair)

    def release(self, sock):
        try:
            self.selector.unregister(sock)
        except (KeyError, ValueError):
            pass

    def drop(self, pair):
        self.counts["resets"] += 1
        for sock in pair.sockets:
            self.release(sock)
            reset(sock)
        self.forget(pair)

    def forget(self, pair):
        pair.link.pairs.discard(pair)
        self.pairs.discard(pair)

    def read(self, pair, pipe, now):
        try:
            data = pipe.source.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            self.drop(pair)
            return
        if not data:
            pipe.is_ended = True
        pipe.put(data or None, now)

    def write(self, pair, pipe, now):
        """As much as is due. False: the pair is gone."""
        while pipe.wire and not pipe.is_blocked:
            due = pipe.next_due(now)
            if due is None or due > now:
                return True
            _, data = pipe.wire[0]
            if data is None:
                pipe.wire.popleft()
                return self.shut(pair, pipe)
            try:
                sent = pipe.target.send(pipe.piece(data, now))
            except BlockingIOError:
                pipe.is_blocked = True
                return True
            except OSError:
                self.drop(pair)
                return False
            pipe.size -= sent
            self.counts["bytes"] += sent
            if pipe.left is not None:
                pipe.left -= sent
                if pipe.left <= 0:
                    self.drop(pair)
                    return False
            if sent < len(data):
                pipe.wire[0] = (due, data[sent:])
            else:
                pipe.wire.popleft()
        return True

    def shut(self, pair, pipe):
        pipe.is_shut = True
        try:
            pipe.target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        if all(p.is_shut for p in pair.pipes):
            for sock in pair.sockets:
                self.release(sock)
                sock.close()
            self.forget(pair)
            return False
        return True

    # ---- the loop

    def watch(self, pair, now):
        """What to wait for at its sockets. A socket with nothing to wait for is not watched."""
        for sock, incoming, outgoing in zip(pair.sockets, pair.pipes, reversed(pair.pipes)):
            if sock.fileno() < 0:
                continue
            events = selectors.EVENT_READ if incoming.wants_read(now) else 0
            events |= selectors.EVENT_WRITE if outgoing.is_blocked else 0
            try:
                key = self.selector.get_key(sock)
            except KeyError:
                key = None
            if key is None and events:
                self.selector.register(sock, events, pair)
            elif key is not None and not events:
                self.selector.unregister(sock)
            elif key is not None and key.events != events:
                self.selector.modify(sock, events, pair)

    def sleep_s(self, now):
        """Until something is due, or a trouble may have ended."""
        sleep = IDLE_S
        for pair in self.pairs:
            for pipe in pair.pipes:
                due = pipe.next_due(now)
                if due is not None:
                    sleep = min(sleep, due - now)
            if pair.link.troubles:
                sleep = min(sleep, 5 * TICK_S)
        return max(sleep, 0)

    def turn(self):
        now = time.monotonic()
        for pair in list(self.pairs):
            self.watch(pair, now)
        for key, events in self.selector.select(self.sleep_s(now)):
            now = time.monotonic()
            if isinstance(key.data, Link):
                self.accept(key.data, now)
            elif key.data is None:
                self.hear()
            elif key.data in self.pairs:
                self.serve(key.data, key.fileobj, events, now)
        now = time.monotonic()
        for pair in list(self.pairs):
            for pipe in pair.pipes:
                if pair not in self.pairs or not self.write(pair, pipe, now):
                    break

    def serve(self, pair, sock, events, now):
        for pipe in pair.pipes:
            if sock is pipe.target and events & selectors.EVENT_WRITE:
                pipe.is_blocked = False
            if sock is pipe.source and events & selectors.EVENT_READ and pair in self.pairs:
                self.read(pair, pipe, now)

    def hear(self):
        data = sys.stdin.buffer.raw.read(PIECE)
        self.is_over = self.is_over or not data
        *lines, self.line = (self.line + data).split(b"\n")
        for line in lines:
            print(self.command(line.decode().split() or [""]), flush=True)

    def run(self):
        self.selector.register(sys.stdin, selectors.EVENT_READ, None)
        while not self.is_over:
            self.turn()


if __name__ == "__main__":
    Proxy(int(sys.argv[1])).run()

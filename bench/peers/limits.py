"""The machine's own limits for the shapes that are measured, and the drivers' own ceilings."""
import json
import os
import re
import subprocess

import processes

SHAPES = {"book": [(1, 1), (64, 1), (64, 16), (64, 128)], "read": [(64, 1), (64, 16), (16, 128)]}
PROTOCOLS = ("redis", "postgres", "postgres-update", "tarantool")
SCRIPT = "0" * 40
ROUNDS = 3


def _out(words):
    done = subprocess.run(words, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{words[0]}: {done.stderr.strip()[-300:]}")
    return done.stdout


class _Servers:
    """Processes that live for some measurements."""

    def __init__(self, options):
        self.log = os.path.join(options.work, "limits.log")
        self.children = []

    def start(self, port, *words):
        self.children.append(processes.start([str(word) for word in words], self.log))
        processes.await_port(port, self.children[-1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        while self.children:
            processes.stop(self.children.pop())


def _load(options, protocol, port, kind, connections, depth):
    text = _out([options.peer_load, "--protocol", protocol, "--port", str(port), "--script",
                 SCRIPT, "--seconds", str(_seconds(options)), "--warmup", "0.3",
                 "--books", str(int(kind == "book")), "--reads", str(int(kind == "read")),
                 "--connections", str(connections), "--depth", str(depth)])
    return json.loads(text)


def _seconds(options):
    return 1 if options.quick else 5


def _disk(options):
    for line in _out([options.tools["disk-append"], options.work,
                      str(_seconds(options) / 2)]).splitlines():
        row = json.loads(line)
        yield {"limit": f"disk-{row['kind']}-{row['size_bytes']}", "result": row}


def _frames(options):
    """Frames of the sizes of Keyrack's, straight and through a forwarder."""
    with _Servers(options) as servers:
        back, front = processes.free_port(), processes.free_port()
        servers.start(back, options.tools["null-peer"], "frames", back)
        servers.start(front, options.tools["forward"], front, back)
        for kind, shapes in SHAPES.items():
            for connections, depth in shapes:
                for hop, port in (("direct", back), ("forwarded", front)):
                    yield {"limit": f"{hop}-{kind}-{connections}x{depth}",
                           "result": _load(options, "frames", port, kind, connections, depth)}


def _router(options):
    """Keyrack's own router in front of a shard that decides nothing."""
    pattern = re.compile(r"(\d+) answers/s, mean wait ([\d.]+) us")
    with _Servers(options) as servers:
        shard, router = processes.free_port(), processes.free_port()
        servers.start(shard, options.tools["null-shard"], f"127.0.0.1:{shard}", 77, 0, 1)
        servers.start(router, options.tools["keyrack-router"], "--cluster", 77, "--listen",
                      f"127.0.0.1:{router}", "--shard", f"127.0.0.1:{shard}")
        for connections, depth in SHAPES["book"]:
            text = _out([options.tools["frame-load"], f"127.0.0.1:{router}", "77",
                         str(connections), str(depth), str(_seconds(options))])
            rate, wait = pattern.search(text).groups()
            yield {"limit": f"router-book-{connections}x{depth}",
                   "result": {"rate": float(rate), "mean_us": float(wait)}}


def _drivers(options):
    """What the drivers reach when every request is answered at once."""
    for protocol in PROTOCOLS:
        with _Servers(options) as servers:
            port = processes.free_port()
            servers.start(port, options.tools["null-peer"], protocol, port)
            for kind in SHAPES:
                yield {"limit": f"driver-{protocol}-{kind}",
                       "result": _load(options, protocol, port, kind, 64, 16)}
    for kind, op in (("book", "book"), ("read", "availability")):
        text = _out([options.tools["keyrack-bench"], "ceiling", "--op", op, "--json", "--seconds",
                     str(_seconds(options))])
        yield {"limit": f"driver-keyrack-{kind}", "result": json.loads(text)}


def _wake(options):
    yield {"limit": "wake-up",
           "result": json.loads(_out([options.tools["wake-up"], str(_seconds(options))]))}


def measure(options, say):
    """Rows for the raw file; what fails is said and left out."""
    for number in range(1, (1 if options.quick else ROUNDS) + 1):
        for part in (_wake, _disk, _frames, _router, _drivers):
            try:
                for row in part(options):
                    rate = row["result"].get("rate")
                    say(f"limit {row['limit']:28} " + (
                        f"{rate:12,.0f}/s" if rate else f"p50 {row['result']['p50_us']} us"))
                    yield dict(row, round=number)
            except (RuntimeError, OSError, ValueError, AttributeError) as error:
                say(f"limit {part.__name__[1:]}: FAILED: {error}")
                yield {"limit": part.__name__[1:], "round": number, "error": str(error)}

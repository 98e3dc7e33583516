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
DISK_FILE_MIB = 256
SECONDS, QUICK_SECONDS = 5, 1
# Answers that are none. All servers here say yes to everything.
NOT_MEANT = ("refused", "failed", "repeated", "transient", "unknown", "not_done")


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

    def start(self, words_at):
        """Its port: `words_at` makes the command for one. Somebody else may take it first."""
        for left in range(9, -1, -1):
            port = processes.free_port()
            child = processes.start([str(word) for word in words_at(port)], self.log)
            self.children.append(child)
            try:
                processes.await_port(port, child)
                return port
            except RuntimeError:
                if left == 0:
                    raise
        raise AssertionError

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
    return QUICK_SECONDS if options.quick else SECONDS


def _disk(options):
    for line in _out([options.tools["disk-append"], options.work, str(_seconds(options) / 2),
                      str(DISK_FILE_MIB)]).splitlines():
        row = json.loads(line)
        yield {"limit": f"disk-{row['kind']}-{row['size_bytes']}", "result": row}


def _frames(options):
    """Frames of the sizes of Keyrack's, straight and through a forwarder."""
    with _Servers(options) as servers:
        back = servers.start(lambda port: [options.tools["null-peer"], "frames", port])
        front = servers.start(lambda port: [options.tools["forward"], port, back])
        for kind, shapes in SHAPES.items():
            for connections, depth in shapes:
                for hop, port in (("direct", back), ("forwarded", front)):
                    yield {"limit": f"{hop}-{kind}-{connections}x{depth}",
                           "result": _load(options, "frames", port, kind, connections, depth)}


def _frame_load(options, router, connections, depth, seconds):
    text = _out([options.tools["frame-load"], f"127.0.0.1:{router}", "77", str(connections),
                 str(depth), str(seconds)])
    rate, wait, not_done = re.search(
        r"(\d+) answers/s, mean wait ([\d.]+) us, (\d+) not done", text).groups()
    return {"rate": float(rate), "mean_us": float(wait), "count": int(float(rate) * seconds),
            "not_done": int(not_done)}


def _router(options):
    """Keyrack's own router in front of a shard that decides nothing."""
    with _Servers(options) as servers:
        shard = servers.start(lambda port: [options.tools["null-shard"], f"127.0.0.1:{port}", 77,
                                            0, 1])
        router = servers.start(lambda port: [
            options.tools["keyrack-router"], "--cluster", 77, "--listen", f"127.0.0.1:{port}",
            "--shard", f"127.0.0.1:{shard}"])
        for _ in range(30):  # a router listens before it has reached its shard
            if _wrong(_frame_load(options, router, 1, 1, 0.1)) is None:
                break
        for connections, depth in SHAPES["book"]:
            yield {"limit": f"router-book-{connections}x{depth}",
                   "result": _frame_load(options, router, connections, depth, _seconds(options))}


def _drivers(options):
    """What the drivers reach when every request is answered at once."""
    for protocol in PROTOCOLS:
        with _Servers(options) as servers:
            port = servers.start(
                lambda port, name=protocol: [options.tools["null-peer"], name, port])
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


def _wrong(result):
    """Why this is no limit, or None: nothing was answered, or more than one in 100 was a no."""
    if not result["rate"] if "rate" in result else not result["count"]:
        return "nothing was answered"
    wrong = sum(result.get(key, 0) for key in NOT_MEANT)
    if wrong * 100 > result["count"]:
        return f"{wrong:,} of {result['count']:,} were not done"
    return None


def _told(row, say):
    """A row for the raw file; one that is no figure says so in its place."""
    result = row["result"]
    error = _wrong(result)
    figure = (f"{result['rate']:12,.0f}/s" if "rate" in result
              else f"p50 {result['p50_us']} us")
    say(f"limit {row['limit']:28} " + (f"FAILED: {error}" if error else figure))
    return {"limit": row["limit"], "error": error} if error else row


PARTS = (_wake, _disk, _frames, _router, _drivers)


def measure(options, say, parts=PARTS):
    """Rows for the raw file. What fails is a row that says why."""
    for number in range(1, (1 if options.quick else ROUNDS) + 1):
        for part in parts:
            try:
                for row in part(options):
                    yield dict(_told(row, say), round=number)
            except (RuntimeError, OSError, ValueError, AttributeError, KeyError) as error:
                why = f"{type(error).__name__}: {error}"
                say(f"limit {part.__name__[1:]}: FAILED: {why}")
                yield {"limit": part.__name__[1:], "round": number, "error": why}

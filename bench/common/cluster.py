"""A cluster of Keyrack as `keyrack cluster start` makes it, on loopback or a unix socket, with a
driver for it."""
import json
import os
import re
import signal
import subprocess
import time

import endpoint
import processes

TIMEOUT_S = 900
SHARDS = re.compile(r"shard-\d+$")


def ask(words, **more):
    """What a program printed; RuntimeError with its last words where it failed."""
    done = subprocess.run([str(word) for word in words], text=True, capture_output=True,
                          check=False, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words[:3]))}: status {done.returncode}: "
                           f"{(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout


def shards_default(cores):
    """A shard, the router and the driver want a core each; with fewer, more shards are slower."""
    return 2 if cores is not None and cores > 2 else 1


def shape_options(parser, cores):
    """--shards and --router of a command; shape() reads them."""
    parser.add_argument("--shards", type=int, default=shards_default(cores),
                        help="(1 where there are 2 cores or fewer, else 2)")
    parser.add_argument("--router", choices=("inside", "process"), help="inside the shard, or a "
                        "process of its own (inside where there is one shard)")


def router_place(shards, router=None):
    return router or ("inside" if shards == 1 else "process")


def shape(shards, router=None):
    """The words of `cluster start` for it."""
    is_inside = router_place(shards, router) == "inside"
    return ("--shards", str(shards), "--embedded-router", "yes" if is_inside else "no")


class Cluster:
    """One folder, which may hold a cluster already; ends with this process."""

    def __init__(self, tools, folder, transport="tcp"):
        self.tools = tools
        self.folder = folder
        self.transport = transport
        self.router = None  # where it listens, once it was started
        processes.on_end(self.end)

    def start(self, *words):
        """Makes it of these sizes, or starts what is missing of it; seconds until all serve."""
        if self.router is None:
            place = endpoint.Endpoint(self.transport, os.path.dirname(self.folder), "router")
            self.router = place.address
        begin = time.monotonic()
        told = ask([self.tools["keyrack"], "cluster", "start", "--dir", self.folder, "--listen",
                    self.router, "--timeout", f"{TIMEOUT_S}s", *words])
        return time.monotonic() - begin, told

    def keyrack(self, *words):
        return ask([self.tools["keyrack"], "--router", self.router, *words])

    def bench(self, command, *words):
        """The words of a driver at it."""
        return [self.tools["keyrack-bench"], command, "--router", self.router, *map(str, words)]

    def pids(self):
        """{role: pid} of what runs."""
        found = {}
        for name in sorted(os.listdir(self.folder)):
            if name.endswith(".pid"):
                with open(os.path.join(self.folder, name), encoding="ascii") as file:
                    found[name[:-4]] = int(file.read().split()[0])
        return found

    def router_role(self):
        """Whose process the router is in."""
        return "router" if "router" in self.pids() else "shard-0"

    def shard_folders(self):
        return [os.path.join(self.folder, name) for name in sorted(os.listdir(self.folder))
                if SHARDS.match(name)]

    def resident_bytes(self):
        """{role: bytes}"""
        return {role: processes.usage([pid], with_memory=True)[1]
                for role, pid in self.pids().items()}

    def stats(self):
        """Counters and gauges of each shard, and their sums under "totals"."""
        return json.loads(self.keyrack("stats", "--json"))

    def kill(self):
        """SIGKILL to shards and router, as a crash of the machine's processes."""
        pids = self.pids()
        for pid in pids.values():
            os.kill(pid, signal.SIGKILL)
        for pid in pids.values():
            while processes.is_running(pid):
                time.sleep(0.001)

    def stop(self):
        """Drained, with a snapshot; seconds."""
        begin = time.monotonic()
        ask([self.tools["keyrack"], "cluster", "stop", "--dir", self.folder, "--timeout",
             f"{TIMEOUT_S}s"])
        return time.monotonic() - begin

    def end(self):
        """However it stands."""
        if self.router is not None and os.path.isdir(self.folder):
            subprocess.run([self.tools["keyrack"], "cluster", "stop", "--dir", self.folder,
                            "--kill", "--timeout", "60s"], check=False, capture_output=True,
                           timeout=TIMEOUT_S)
        self.router = None

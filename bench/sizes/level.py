"""One size: the steps that are measured, each on the cluster that the one before has left."""
import glob
import json
import os
import re
import subprocess
import time

import driven
import processes
from cluster import Cluster, ask, shape

ROOMS = 2000  # of a type: no night sells out
PRELOAD = ("--seconds", 0.1, "--warmup", 0, "--op", "availability", "--connections", 64, "--depth",
           64)
SIZING = re.compile(r"^shard \d+: sizes: .*?(\d+) MiB at most", re.M)
BLOCK = 4096
SNAPSHOT_TIMEOUT_S = 600
REST_S = 10


class Failed(RuntimeError):
    """What was measured is not what was meant."""


def used_blocks(path):
    """Bytes of the blocks of a log that hold anything: segments are zero before they are used."""
    zero, used = bytes(BLOCK), 0
    for name in glob.glob(os.path.join(path, "log-*")):
        with open(name, "rb") as file:
            while block := file.read(BLOCK):
                used += block != zero[:len(block)]
    return used * BLOCK


class Level:
    """`size` has hotels, types, nights, reservations, seconds, rate, replayed, connections."""
    STEPS = ("start", "load", "reservations", "restart", "widen", "book", "open", "snapshot",
             "connections", "replay")

    def __init__(self, tools, size, folder, options):
        self.tmpfs = ["--allow-tmpfs"] if options.allow_tmpfs else []
        self.tools, self.size, self.shards = tools, size, options.shards
        self.shape = shape(options.shards, options.router)
        self.cluster = Cluster(tools, folder)
        self.cells = size.hotels * size.types * size.nights

    def run(self, steps):
        """A row for each step; behind a step that failed the rest is not reached."""
        failed = None
        for name in self.STEPS:
            if steps and name not in steps:
                continue
            row = {"level": self.size.name, "step": name, "cells": self.cells,
                   "hotels": self.size.hotels, "reservations": self.size.reservations}
            begin = time.monotonic()
            if failed:
                row["error"] = f"not reached: {failed} failed"
            else:
                try:
                    row.update(getattr(self, name)())
                except (RuntimeError, OSError, subprocess.SubprocessError, ValueError,
                        KeyError) as error:
                    row["error"] = str(error)
                    failed = name
            row["took_s"] = time.monotonic() - begin
            yield row
        self.cluster.end()

    # ---- what the steps share ----

    def memory(self):
        resident = self.cluster.resident_bytes()
        return sum(size for role, size in resident.items() if role != "router")

    def memory_at_rest(self):
        """What a shard takes of itself, behind its word that it is ready, is none of the load."""
        until, last = time.monotonic() + REST_S, -1
        while (now := self.memory()) != last and time.monotonic() < until:
            last = now
            time.sleep(0.5)
        return now

    def totals(self):
        return self.cluster.stats()["totals"]

    def drive(self, *words, seconds, middle=None):
        row = driven.run(self.cluster, [*words, "--window", self.size.nights], seconds, middle)
        wrong = driven.problems(row["result"])
        if wrong:
            raise Failed(f"the run had {wrong}")
        return row

    def sell(self, count, seed):
        """So many BOOKs, without a report of them."""
        ask(self.cluster.bench("run", "--preload", count, "--window", self.size.nights, "--seed",
                               seed, *PRELOAD))

    def sizes(self, reservations):
        s = self.size
        return ("--hotels", s.hotels, "--types", s.hotels * s.types, "--nights", s.nights,
                "--plans", 1, "--reservations", reservations)

    def snapshot_done(self, before):
        """Waits until each shard has written one more; seconds, bytes of the newest."""
        begin = time.monotonic()
        while time.monotonic() - begin < SNAPSHOT_TIMEOUT_S:
            totals = self.totals()
            if totals["snapshot_failures"]:
                raise Failed("a snapshot could not be written")
            if totals["snapshots"] >= before + self.shards and not totals["snapshot_running"]:
                break
            time.sleep(0.1)
        else:
            raise Failed("a snapshot does not come to its end")
        newest = [max(glob.glob(os.path.join(at, "snap-*"))) for at in
                  self.cluster.shard_folders()]
        return time.monotonic() - begin, sum(map(os.path.getsize, newest))

    # ---- the steps ----

    def start(self):
        seconds, told = self.cluster.start(*self.shape, *self.tmpfs,
                                           *self.sizes(self.size.reservations))
        printed = sum(map(int, SIZING.findall(told))) * 2**20
        self.printed_bytes = printed
        self.empty_bytes = self.memory_at_rest()
        return {"seconds": seconds, "printed_bytes": printed, "memory_bytes": self.empty_bytes}

    def load(self):
        """A tenth, and the rest: what everything costs, and what one night more costs."""
        first = max(self.size.hotels // 10, 1)
        parts, seconds, memory = ((1, first), (first + 1, self.size.hotels - first)), 0, []
        for begin, count in parts:
            t = time.monotonic()
            ask(self.cluster.bench("load", "--first-hotel", begin, "--hotels", count,
                                   "--types-min", self.size.types, "--nights", self.size.nights,
                                   "--physical", ROOMS))
            seconds += time.monotonic() - t
            memory.append(self.memory())
        self.loaded_bytes = memory[1]
        cells = parts[1][1] * self.size.types * self.size.nights
        return {"seconds": seconds, "memory_bytes": memory[1],
                "night_bytes": (memory[1] - self.empty_bytes) / self.cells,
                "night_more_bytes": (memory[1] - memory[0]) / cells}

    def reservations(self):
        memory, half, begin = [], self.size.reservations // 2, time.monotonic()
        for seed in (4711, 4712):
            self.sell(half, seed)
            memory.append(self.memory())
        told = self.totals()
        if told["reservations"] != 2 * half:
            raise Failed(f"there are {told['reservations']:,} reservations")
        return {"seconds": time.monotonic() - begin, "memory_bytes": memory[1],
                "nodes": told["nodes"], "printed_bytes": self.printed_bytes,
                "reservation_bytes": (memory[1] - self.loaded_bytes) / (2 * half),
                "reservation_more_bytes": (memory[1] - memory[0]) / half}

    def restart(self):
        """Stopped, which writes a snapshot, and started from that."""
        stop_s = self.cluster.stop()
        seconds, _ = self.cluster.start()
        return {"stop_s": stop_s, "seconds": seconds, "memory_bytes": self.memory()}

    def widen(self):
        """Room for what the runs from here on sell."""
        s = self.size
        room = s.reservations + s.runs_room + s.replayed
        self.cluster.stop()
        seconds, _ = self.cluster.start(*self.sizes(room))
        return {"seconds": seconds, "room": room}

    def book(self):
        before = self.totals()
        row = self.drive("--op", "book", "--seed", 11, seconds=self.size.seconds)
        after = self.totals()
        effects = after["effects"] - before["effects"]
        return dict(row, log_bytes=(after["append_bytes"] - before["append_bytes"]) / effects,
                    appends=after["appends"] - before["appends"], effects=effects)

    def open(self):
        return self.drive("--op", "book", "--rate", self.size.rate, "--seed", 12,
                          seconds=self.size.seconds)

    def snapshot(self):
        """The same rate, and a snapshot of everything in the meantime."""
        told, before = {}, self.totals()["snapshots"]

        def ask_for_it(second):
            self.cluster.keyrack("snapshot")
            told["begin_s"] = second
            told["seconds"], told["bytes"] = self.snapshot_done(before)
        row = self.drive("--op", "book", "--rate", self.size.rate, "--seed", 13,
                         seconds=self.size.seconds, middle=ask_for_it)
        if "bytes" not in told:
            raise Failed("the run ended before its snapshot began")
        return dict(row, snapshot=told)

    def connections(self):
        """Memory by role and CPU, while so many connections say nothing."""
        points, role = [], self.cluster.router_role()
        for count in (0, *self.size.connections):
            with IdleConnections(self.cluster, count, self.tools):
                pids = list(self.cluster.pids().values())
                cpu = processes.usage(pids)[0]
                time.sleep(self.size.idle_s)
                cpu = processes.usage(pids)[0] - cpu
                points.append({"connections": count, "cpu_share": cpu / self.size.idle_s,
                               "resident": self.cluster.resident_bytes()[role]})
        grown = points[-1]["resident"] - points[0]["resident"]
        return {"points": points, "connection_bytes": grown / self.size.connections[-1]}

    def replay(self):
        """Killed behind a snapshot and started; killed behind that snapshot and N BOOKs, and
        started: the difference is the replay of what those N have logged."""
        before = self.totals()["snapshots"]
        self.cluster.keyrack("snapshot")
        self.snapshot_done(before)
        at = self.stats_of_shards()
        self.cluster.kill()
        bare_tool_s = self.recover(at)
        bare_s, _ = self.cluster.start()
        blocks = sum(map(used_blocks, self.cluster.shard_folders()))
        self.sell(self.size.replayed, 14)
        then = self.stats_of_shards()
        if self.totals()["snapshots"] != 0:
            raise Failed("a snapshot came in between")
        self.cluster.kill()
        blocks = sum(map(used_blocks, self.cluster.shard_folders())) - blocks
        tool_s = self.recover(then)
        seconds, _ = self.cluster.start()
        effects = [b["last_lsn"] - a["last_lsn"] for a, b in zip(at, then)]
        if seconds <= bare_s or tool_s <= bare_tool_s:
            raise Failed(f"{sum(effects):,} effects are too few: {bare_s:.2f} s without, "
                         f"{seconds:.2f} s with them; the tool {bare_tool_s:.2f} and "
                         f"{tool_s:.2f} s")
        return {"effects": sum(effects), "bare_s": bare_s, "seconds": seconds,
                "rate": sum(effects) / (seconds - bare_s), "tool_bare_s": bare_tool_s,
                "tool_s": tool_s, "tool_rate": effects[0] / (tool_s - bare_tool_s),
                "disk_bytes": blocks / sum(effects)}

    def stats_of_shards(self):
        return [shard["stats"] for shard in self.cluster.stats()["shards"]]

    def recover(self, shards):
        """Seconds that keyrack-recover needs for the state of shard 0."""
        begin = time.monotonic()
        told = ask([self.tools["keyrack-recover"], "replay", "--json", *self.tmpfs,
                    f"--to-lsn={shards[0]['last_lsn']}", self.cluster.shard_folders()[0]])
        if json.loads(told)["lsn"] != shards[0]["last_lsn"]:
            raise Failed("keyrack-recover came to another LSN")
        return time.monotonic() - begin


class IdleConnections:
    def __init__(self, cluster, count, tools):
        self.words = cluster.bench("idle", "--connections", count)
        self.log = os.path.join(os.path.dirname(cluster.folder), "idle.log")
        self.count, self.child, self.tools = count, None, tools

    def __enter__(self):
        if self.count:
            self.child = processes.start(self.words, self.log, own_out=subprocess.PIPE,
                                         own_in=subprocess.PIPE)
            said = self.child.stdout.readline().decode()
            if f"{self.count} connections stand" not in said:
                raise Failed(f"{self.count} connections do not stand: {said}")
        return self

    def __exit__(self, *_):
        if self.child:
            self.child.stdin.close()
            processes.stop(self.child)
            self.child.stdout.close()

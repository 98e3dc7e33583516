#!/usr/bin/python3
"""What an operation costs as hotels, reservations, connections and shards grow.
usage: run.py [--quick]   (see README.md)
"""
import argparse
import dataclasses
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "common"))
import build  # noqa: E402
import driven  # noqa: E402
import machine  # noqa: E402
import processes  # noqa: E402
import shared_options  # noqa: E402
from cluster import Cluster, ask, shape  # noqa: E402

import curves  # noqa: E402

ROOMS = 2000
TYPES, NIGHTS = 4, 365
ROOM_A_SECOND = 900_000  # reservations that a second of a run may make
WORKS = ("book", "availability")


@dataclasses.dataclass(frozen=True)
class Point:
    hotels: int = 500
    reservations: int = 100_000
    connections: int = 64
    depth: int = 16
    shards: int = 1
    router: str = "inside"


def axes(scale):
    """{name: points}; of connections the requests in flight stay the same."""
    base = Point(max(500 // scale, 5), 100_000 // scale)
    few = max(50 // scale, 1)
    flight = few * 100
    return {
        "hotels": [dataclasses.replace(base, hotels=base.hotels * x) for x in (1, 10, 100)],
        "reservations": [dataclasses.replace(base, hotels=base.hotels * 10,
                                             reservations=base.reservations * x)
                         for x in (1, 10, 100)],
        "connections": [dataclasses.replace(base, connections=few * x, depth=flight // few // x)
                        for x in (1, 10, 100)],
        "shards": [dataclasses.replace(base, shards=x, router="process") for x in (1, 2, 4)]}


def say(text):
    print(time.strftime("%H:%M:%S ") + text, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, 2 s a run")
    parser.add_argument("--scale", type=int, help="divide all sizes (1; quick: 10)")
    parser.add_argument("--seconds", type=float, help="of each run (10; quick: 2)")
    parser.add_argument("--rounds", type=int, default=1, help="of everything (1)")
    parser.add_argument("--axes", help="only these: hotels,reservations,connections,shards")
    options = shared_options.parse(parser, HERE)
    options.scale = options.scale or (10 if options.quick else 1)
    options.seconds = options.seconds or (2 if options.quick else 10)
    return options


def prepared(options, point, folder):
    """A cluster of that size with its reservations."""
    cluster = Cluster(options.tools, os.path.join(folder, "cluster"))
    room = point.reservations + int((options.seconds + 1) * ROOM_A_SECOND)
    cluster.start(*shape(point.shards, point.router), "--hotels", point.hotels * 2, "--types",
                  point.hotels * TYPES * 2, "--nights", NIGHTS, "--plans", 1, "--reservations",
                  room, *(["--allow-tmpfs"] if options.allow_tmpfs else []))
    ask(cluster.bench("load", "--hotels", point.hotels, "--types-min", TYPES, "--nights", NIGHTS,
                      "--physical", ROOMS))
    ask(cluster.bench("run", "--preload", point.reservations, "--seconds", 0.1, "--warmup", 0,
                      "--op", "availability", "--connections", 64, "--depth", 64))
    return cluster


def measure(options, axis, point, number):
    """A row for each work; a failure is one too."""
    folder = tempfile.mkdtemp(prefix="keyrack-growth-", dir=options.dir)
    processes.own_folder(folder)
    head = {"axis": axis, "round": number, **dataclasses.asdict(point)}
    cluster = None
    try:
        cluster = prepared(options, point, folder)
        for work in WORKS:
            row = driven.run(cluster, ["--op", work, "--connections", point.connections, "--depth",
                                       point.depth, "--warmup", 0.5], options.seconds)
            wrong = driven.problems(row["result"])
            del row["series"]
            yield dict(head, work=work, **({"error": f"the run had {wrong}"} if wrong else row))
    except (RuntimeError, OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        yield dict(head, work="all", error=str(error))
    finally:
        if cluster is not None:
            cluster.end()
        shutil.rmtree(folder, ignore_errors=True)


def measure_all(options, raw):
    wrong = 0
    for number in range(1, options.rounds + 1):
        for axis, points in axes(options.scale).items():
            if options.axes and axis not in options.axes.split(","):
                continue
            for point in points:
                for row in measure(options, axis, point, number):
                    raw.write(json.dumps(row) + "\n")
                    raw.flush()
                    wrong += "error" in row
                    say(f"{axis:13} {getattr(point, axis):10,} {row['work']:13} "
                        + curves.line_of(row))
    return wrong


def main():
    options = arguments()
    if options.report_only:
        curves.write(options.out, options.cache)
        return 0
    processes.watch_signals()
    if options.built:
        options.tools = {name: os.path.join(os.path.abspath(options.build), at)
                         for name, at in build.PROGRAMS.items()}
    else:
        options.tools = build.programs(options.build, build.PROGRAMS, say)
    os.makedirs(options.out, exist_ok=True)
    path = os.path.join(options.out, "raw.jsonl")
    with open(path, "a" if options.add else "w", encoding="utf-8") as raw:
        raw.write(json.dumps({
            "stamp": machine.stamp(options.dir),
            "command": "bench/growth/run.py " + " ".join(map(shlex.quote, sys.argv[1:]))}) + "\n")
        wrong = measure_all(options, raw)
    curves.write(options.out, options.cache)
    say(f"the report is {os.path.join(options.out, 'README.md')}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

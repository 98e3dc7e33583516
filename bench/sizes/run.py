#!/usr/bin/python3
"""What a large cluster takes: load, sales, snapshot, restart, replay, memory, log; each figure
beside what it must be.  usage: run.py [--quick]   (see README.md)
"""
import argparse
import dataclasses
import json
import os
import shlex
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "common"))
import build  # noqa: E402
import cluster  # noqa: E402
import machine  # noqa: E402
import processes  # noqa: E402
import shared_options  # noqa: E402

import level  # noqa: E402
import report  # noqa: E402

TOOLS = dict(build.PROGRAMS, **{"keyrack-recover": "tools/keyrack-recover"})


@dataclasses.dataclass(frozen=True)
class Size:
    name: str
    hotels: int
    reservations: int
    replayed: int  # BOOKs between a snapshot and a kill
    seconds: float  # of each run
    rate: int  # of the open loop, a second
    connections: tuple
    runs_room: int  # reservations that the runs may make
    types: int = 4
    nights: int = 365
    idle_s: float = 2


QUICK = (Size("quick", 2_000, 100_000, 400_000, 3, 20_000, (100, 1_000), 4_000_000, idle_s=1),)
FULL = (Size("1 M reservations", 50_000, 1_000_000, 2_000_000, 10, 50_000, (1_000, 5_000),
             10_000_000),
        Size("10 M reservations", 50_000, 10_000_000, 4_000_000, 20, 50_000, (1_000, 5_000),
             20_000_000))


def say(text):
    print(time.strftime("%H:%M:%S ") + text, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="one small size, a minute")
    parser.add_argument("--levels", help="only these, by the beginning of the name: 1 M,10 M")
    parser.add_argument("--steps", help="only these, by name; what they stand on must be among "
                        "them: " + ",".join(level.Level.STEPS))
    parser.add_argument("--hotels", type=int, help="instead of those of the level")
    parser.add_argument("--reservations", type=int)
    parser.add_argument("--replayed", type=int, help="BOOKs between a snapshot and a kill")
    parser.add_argument("--seconds", type=float, help="of each run")
    parser.add_argument("--rate", type=int, help="of the open loop")
    cluster.shape_options(parser, os.cpu_count())
    options = shared_options.parse(parser, HERE)
    return options


def chosen(options):
    names = options.levels.split(",") if options.levels else [""]
    given = {key: getattr(options, key) for key in
             ("hotels", "reservations", "replayed", "seconds", "rate") if getattr(options, key)}
    return [dataclasses.replace(size, **given) for size in (QUICK if options.quick else FULL)
            if any(size.name.startswith(name) for name in names)]


def measure(options, raw):
    wrong = 0
    for size in chosen(options):
        folder = tempfile.mkdtemp(prefix="keyrack-sizes-", dir=options.dir)
        processes.own_folder(folder)
        one = level.Level(options.tools, size, os.path.join(folder, "cluster"), options)
        for row in one.run(options.steps.split(",") if options.steps else None):
            raw.write(json.dumps(row) + "\n")
            raw.flush()
            wrong += "error" in row
            say(f"{size.name:18} {row['step']:14} {row['took_s']:7.1f} s  {report.line_of(row)}")
        shutil.rmtree(folder, ignore_errors=True)
    return wrong


def main():
    options = arguments()
    if options.report_only:
        report.write(options.out, options.cache)
        return 0
    processes.watch_signals()
    if options.built:
        options.tools = {name: os.path.join(os.path.abspath(options.build), at)
                         for name, at in TOOLS.items()}
    else:
        options.tools = build.programs(options.build, TOOLS, say)
    os.makedirs(options.out, exist_ok=True)
    path = os.path.join(options.out, "raw.jsonl")
    is_new = not (options.add and os.path.exists(path))
    with open(path, "w" if is_new else "a", encoding="utf-8") as raw:
        raw.write(json.dumps({
            "stamp": machine.stamp(options.dir), "shards": options.shards,
            "router": cluster.router_place(options.shards, options.router),
            "command": "bench/sizes/run.py " + " ".join(map(shlex.quote, sys.argv[1:]))}) + "\n")
        wrong = measure(options, raw)
    report.write(options.out, options.cache)
    say(f"the report is {os.path.join(options.out, 'README.md')}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

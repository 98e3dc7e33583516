#!/usr/bin/python3
"""How many of the simulator's seeds notice each planted bug?  usage: seeds.py BUILD [A..B]

BUILD is a build with -Dplanted_bugs=true that has tests/sim/keyrack-sim; without a range seeds
1..10 are run. Prints the table of tests/RELIABILITY.md: how many of the seeds fail with the bug on.
Without a bug each of them has to pass. Nothing is demanded of the numbers: what must be caught, and
by which test, is score.py's.
Exit status 0, 1 when a seed fails without a bug, 2 when the arguments are wrong.
"""
import argparse
import concurrent.futures
import os
import subprocess
import sys

from score import bugs_of_header

WALL_SECONDS_MAX = 300
PROGRAM = "tests/sim/keyrack-sim"


def notices(build, bug, seed):
    environment = dict(os.environ, KEYRACK_BUG=bug) if bug else dict(os.environ)
    try:
        done = subprocess.run([os.path.join(build, PROGRAM), "--seed", str(seed)], check=False,
                              env=environment, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=WALL_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build")
    parser.add_argument("seeds", nargs="?", default="1..10", metavar="A..B")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    options = parser.parse_args()
    first, _, last = options.seeds.partition("..")
    if not (first.isdigit() and last.isdigit() and int(first) <= int(last)):
        parser.error(f"{options.seeds}: a range of seeds is A..B, such as 1..10")
    if not os.path.exists(os.path.join(options.build, PROGRAM)):
        parser.error(f"{options.build}: no {PROGRAM} there; build it with -Dplanted_bugs=true")
    seeds = range(int(first), int(last) + 1)
    names = [""] + sorted(bugs_of_header())
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        counts = {name: [pool.submit(notices, options.build, name, seed) for seed in seeds]
                  for name in names}
        counts = {name: sum(job.result() for job in jobs) for name, jobs in counts.items()}
    print(f"| Of {len(seeds)} seeds | Bugs |\n|---|---|")
    for count in sorted(set(counts[name] for name in names if name), reverse=True):
        print(f"| {count} |", *(f"`{name}`" for name in names if name and counts[name] == count), "|")
    if counts[""]:
        print(f"{counts['']} seeds fail without any bug")
        sys.exit(1)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""A journal of keyrack-bench against the directories of a cluster that has ended.

    journal_check.py --journal FILE --recover KEYRACK_RECOVER SHARD_DIR...

Everything acknowledged must be there, nothing refused may be, every night must be the sum of its
reservations and within its limit. Exit codes: 0 it is so; 1 it is not; 2 usage; 3 unreadable.
"""

import argparse
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import crash  # noqa: E402
import crash_check as check  # noqa: E402


EMPTY = '"held":0,"booked":0,'  # a night that nobody took: nothing to compare


def dump(recover, what, folder):
    """One object a line, as they come: a large cluster has millions of nights."""
    objects = []
    with subprocess.Popen([recover, "dump", what, "--json", folder], stdout=subprocess.PIPE,
                          text=True) as process:
        for line in process.stdout:
            if EMPTY not in line:
                objects.append(json.loads(line))
    if process.returncode != 0:
        sys.exit(3)
    return objects


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--journal", required=True)
    parser.add_argument("--recover", required=True)
    parser.add_argument("folders", nargs="+")
    options = parser.parse_args()
    try:
        with open(options.journal, encoding="utf-8") as file:
            entries = check.journal_parse(file.read())
    except (OSError, check.JournalError) as error:
        print(f"journal_check: {error}", file=sys.stderr)
        sys.exit(3)
    history = check.History()
    history.feed(entries)
    reservations, cells = [], []
    for folder in options.folders:
        reservations += [crash.reservation_of(r) for r in dump(options.recover, "--reservations", folder)]
        cells += [crash.cell_of(c) for c in dump(options.recover, "--cells", folder)]
    violations = check.reservations_check(history, reservations)
    violations += check.cells_check(reservations, cells)
    for violation in violations[:20]:
        print(violation)
    print(f"{len(entries)} answers, {len(reservations)} reservations, {len(cells)} nights with "
          f"something in them: {len(violations)} violations")
    sys.exit(1 if violations else 0)


main()

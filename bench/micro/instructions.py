#!/usr/bin/env python3
"""Instructions an operation costs the pure shard, counted by callgrind: the same figures on any
machine, however busy it is. Prints a table; asserts only that every operation could be counted.

usage: instructions.py SHARD_OPS [OPERATION...]
"""

import json
import re
import subprocess
import sys
import tempfile

COUNT = 10000
OPERATIONS = ["book", "book-hot", "hold", "confirm", "release", "cancel", "availability", "expire"]


def collected(program, operation, folder):
    """Instructions inside the measured steps, all COUNT operations, and bytes of log of one."""
    words = ["valgrind", "--tool=callgrind", "--toggle-collect=measured*",
             f"--callgrind-out-file={folder}/{operation}",
             program, "--rounds", "1", "--hotels", "200", "--count", str(COUNT), "--only", operation, "--json"]
    run = subprocess.run(words, capture_output=True, text=True, check=True)
    found = re.search(r"Collected : (\d+)", run.stderr)
    if found is None:
        sys.exit(f"callgrind counted nothing for {operation}:\n{run.stderr}")
    return int(found.group(1)), json.loads(run.stdout)["log_bytes"]


def main():
    program, operations = sys.argv[1], sys.argv[2:] or OPERATIONS
    print(f"{'operation':<14} {'instructions':>12} {'log bytes':>10}")
    with tempfile.TemporaryDirectory(prefix="keyrack-instructions-") as folder:
        for operation in operations:
            total, log_bytes = collected(program, operation, folder)
            if total < COUNT:
                sys.exit(f"{operation}: {total} instructions for {COUNT} operations: the "
                         "measured function is not there any more")
            print(f"{operation:<14} {total / COUNT:12.0f} {log_bytes:10.1f}", flush=True)


if __name__ == "__main__":
    main()

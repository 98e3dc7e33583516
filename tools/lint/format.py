#!/usr/bin/python3
"""Every C file is as clang-format would write it.  usage: format.py ROOT CLANG_FORMAT"""
import concurrent.futures
import re
import subprocess
import sys

import tree

PROCESSES = 2
# What is said of a file that differs; the first place is enough.
COMPLAINT = re.compile(r"^(.+?):\d+:\d+: (?:error|warning): ")


def differing(root, formatter, paths):
    """Those of the paths that would be written otherwise."""
    done = subprocess.run([formatter, "--style=file", "--dry-run", "--Werror", *paths], cwd=root,
                          check=False, capture_output=True, text=True)
    found = {match[1] for match in map(COMPLAINT.match, done.stderr.splitlines()) if match}
    if done.returncode and not found:
        # It could not run: that is no word about the files.
        sys.exit(f"{formatter}: {done.stderr.strip() or f'status {done.returncode}'}")
    return found


def main(root, formatter):
    paths = tree.sources(root)
    parts = [part for part in (paths[i::PROCESSES] for i in range(PROCESSES)) if part]
    with concurrent.futures.ThreadPoolExecutor(PROCESSES) as pool:
        found = set().union(*pool.map(lambda part: differing(root, formatter, part), parts))
    tree.finish("format", [f"{path}: run {formatter} -i on it" for path in paths if path in found])


main(sys.argv[1], sys.argv[2])

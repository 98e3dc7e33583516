#!/usr/bin/python3
"""What the tests ran of the pure modules.  usage: coverage.py SOURCE BUILD EXPLAINED ARCHIVE...

Asks gcov for every object of the archives and prints lines and branches by module, then each
uncovered line: with its reason where EXPLAINED has one, else as unexplained. A line of EXPLAINED is
`FILE:FUNCTION | TEXT OF THE LINE | REASON`, the first with wildcards, and the first that fits
counts; one that no uncovered line needs is told as stale. Branches of
assertions are left out: their other side ends the process. Ends with status 1 if a module is
below the floor, or if a line is unexplained or stale.
"""
import fnmatch
import glob
import json
import os
import subprocess
import sys
from collections import defaultdict

FLOOR_PERCENT = 95.0


def gcov(source, build, archive):
    """Yields (file, its lines as gcov counts them) of every object in the archive."""
    private = archive + ".p"
    for note in sorted(glob.glob(os.path.join(private, "*.gcno"))):
        done = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", note],
                              cwd=build, check=True, capture_output=True, text=True)
        for text in filter(None, done.stdout.splitlines()):
            for file in json.loads(text)["files"]:
                name = os.path.relpath(os.path.join(build, file["file"]), source)
                if not name.startswith("..") and not os.path.isabs(name):
                    yield name, file["lines"]


def collect(source, build, archives):
    """{file: {line: [count, branches, function]}}; inline functions are added up over their users."""
    seen = defaultdict(dict)
    for archive in archives:
        for name, lines in gcov(source, build, archive):
            if os.path.relpath(build, source) + os.sep in name:
                continue
            for line in lines:
                branches = [branch["count"] for branch in line["branches"]]
                function = line.get("function_name", "")
                old = seen[name].setdefault(line["line_number"], [0, [], function])
                old[0] += line["count"]
                if len(old[1]) == len(branches):
                    old[1] = [a + b for a, b in zip(old[1], branches)]
                elif len(old[1]) < len(branches):
                    old[1] = branches
    return seen


def asserted(text):
    """Numbers of the lines that belong to an assertion."""
    inside, depth, found = False, 0, set()
    for number, line in enumerate(text, 1):
        if not inside and line.lstrip().startswith(("kr_assert(", "kr_assert_checked(")):
            inside, depth = True, 0
        if inside:
            found.add(number)
            depth += line.count("(") - line.count(")")
            inside = depth > 0
    return found


def explanations(path):
    found = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                names, text, reason = (part.strip() for part in line.split(" | ", 2))
                found[names, text] = reason
    return found


def explanation(reasons, place, line):
    """The key of the first that fits, or None."""
    return next((key for key in reasons
                 if key[1] in (line, "*") and fnmatch.fnmatchcase(place, key[0])), None)


def share(hit, total):
    return 100.0 * hit / total if total else 100.0


def main(source, build, explained_path, archives):
    source, build = os.path.realpath(source), os.path.realpath(build)
    seen = collect(source, build, [os.path.join(build, a) for a in archives])
    reasons = explanations(explained_path)
    used, unexplained, known = set(), [], []
    modules = defaultdict(lambda: [0, 0, 0, 0])
    files = defaultdict(lambda: [0, 0, 0, 0])
    for name in sorted(seen):
        with open(os.path.join(source, name), encoding="utf-8") as file:
            text = file.read().split("\n")
        assertions = asserted(text)
        for number, (count, branches, function) in sorted(seen[name].items()):
            line = text[number - 1].strip()
            for sums in (modules[os.path.dirname(name)], files[name]):
                sums[0] += count > 0
                sums[1] += 1
                if number not in assertions:
                    sums[2] += sum(branch > 0 for branch in branches)
                    sums[3] += len(branches)
            if count:
                continue
            key = explanation(reasons, f"{name}:{function}", line)
            if key is not None:
                used.add(key)
                known.append((name, number, function, line, reasons[key]))
            else:
                unexplained.append((name, number, function, line))

    total = [sum(column) for column in zip(*modules.values())]
    print(f"{'module':24} {'lines':>15} {'':>7} {'branches':>15}")
    for name, sums in [*sorted(modules.items()), ("all", total)]:
        print(f"{name:24} {sums[0]:7}/{sums[1]:7} {share(*sums[:2]):6.1f}%"
              f" {sums[2]:7}/{sums[3]:7} {share(*sums[2:]):6.1f}%")
    print("\nfiles below the floor:")
    for name, sums in sorted(files.items()):
        if share(*sums[:2]) < FLOOR_PERCENT:
            print(f"  {name:40} {sums[0]:5}/{sums[1]:5} {share(*sums[:2]):6.1f}%")
    print(f"\nuncovered and explained: {len(known)} lines")
    for name, number, function, line, reason in known:
        print(f"  {name}:{number}: {function}: {line}\n      {reason}")
    print(f"\nuncovered and not explained: {len(unexplained)} lines")
    for name, number, function, line in unexplained:
        print(f"  {name}:{number}: {function}: {line}")
    stale = sorted(set(reasons) - used)
    print(f"\nexplanations that nothing needs: {len(stale)}")
    for name, line in stale:
        print(f"  {name}: {line}")
    low = [name for name, sums in modules.items() if share(*sums[:2]) < FLOOR_PERCENT]
    sys.exit(1 if low or unexplained or stale else 0)


if len(sys.argv) < 5:
    sys.exit(__doc__)
main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])

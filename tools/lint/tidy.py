#!/usr/bin/python3
"""Style that a formatter cannot see: columns, banned calls, sizes, notes.  usage: tidy.py ROOT

Function lengths and assertion counts come from a small scanner that trusts the formatter: a
function's body opens with a brace in the first column and closes with one.
"""
import re
import statistics
import sys

import tree

COLUMNS = 100
HEADER_LINES = 150
FILE_LINES = 800
FUNCTION_LINES = 70
FUNCTION_P90 = 50
FUNCTION_MEDIAN = 15
# Headers that are one table or one public contract, with the reason.
LONG_HEADERS = {
    "client/include/keyrack/keyrack.h": "the one installed header",
}
BANNED = {
    "strcpy": "memcpy with a checked length", "strcat": "snprintf", "sprintf": "snprintf",
    "gets": "fgets", "atoi": "strtol with checks", "atol": "strtol with checks",
    "strtok": "strchr", "alloca": "an arena", "rand": "rng_next (base/rng.h)", "srand": "kr_rng",
    "strncpy": "memcpy with a checked length", "assert": "kr_assert", "system": "posix_spawn",
    "gmtime": "kr_civil", "localtime": "tz_db",
}
PURE = ("engine/inventory", "engine/shard", "router/route", "client/core")
NOTE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
STRING = re.compile(r'"(?:\\.|[^"\\])*"|/\*.*?\*/|//[^\n]*', re.S)


def functions(body):
    """(name, first line, length, text) of each function of a formatted C file."""
    lines = body.split("\n")
    start = None
    for number, line in enumerate(lines):
        if line == "{" and number and lines[number - 1].rstrip().endswith(")"):
            start = number
        elif line == "}" and start is not None:
            head = start - 1
            while head > 0 and lines[head][:1] in ("\t", " "):
                head -= 1
            match = re.search(r"(\w+)\(", " ".join(lines[head:start]))
            yield (match.group(1) if match else "?", start, number - start - 1,
                   "\n".join(lines[start:number]))
            start = None


def columns(line):
    return len(line.expandtabs(8))


def check_lines(path, body, complaints):
    for number, line in enumerate(body.split("\n"), 1):
        if columns(line) > COLUMNS:
            complaints.append(f"{path}:{number}: {columns(line)} columns, {COLUMNS} at most")
        if NOTE.search(line):
            complaints.append(f"{path}:{number}: an unfinished note; do it or put it elsewhere")
        if line != line.rstrip():
            complaints.append(f"{path}:{number}: white space at the end")
    code = STRING.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), body)
    for match in CALL.finditer(code):
        number = code.count("\n", 0, match.start()) + 1
        name = match.group(1)
        complaints.append(f"{path}:{number}: {name}() is banned; use {BANNED[name]}")


def check_size(path, body, complaints):
    count = body.count("\n")
    if path.endswith(".h") and count > HEADER_LINES and path not in LONG_HEADERS:
        complaints.append(f"{path}: {count} lines, a header has {HEADER_LINES} at most: split it")
    if count > FILE_LINES and path not in LONG_HEADERS:
        complaints.append(f"{path}: {count} lines, {FILE_LINES} at most: split it")


def main(root):
    complaints = []
    lengths = []
    asserts = {"pure": [0, 0], "other": [0, 0]}
    for path in tree.sources(root):
        body = tree.text(root, path)
        check_lines(path, body, complaints)
        check_size(path, body, complaints)
        product = not path.startswith("tests/")
        for name, line, length, text in functions(body) if path.endswith(".c") else ():
            if length > FUNCTION_LINES:
                complaints.append(
                    f"{path}:{line}: {name} has {length} lines, {FUNCTION_LINES} at most")
            if product:
                lengths.append(length)
                kind = "pure" if path.startswith(PURE) else "other"
                asserts[kind][0] += len(re.findall(r"\bkr_assert\w*\s*\(", text))
                asserts[kind][1] += 1
    if lengths:
        lengths.sort()
        median = statistics.median(lengths)
        p90 = lengths[int(len(lengths) * 0.9)]
        print(f"functions: {len(lengths)}, median {median:.0f} lines, p90 {p90}, "
              f"longest {lengths[-1]}")
        if median > FUNCTION_MEDIAN:
            complaints.append(f"median function {median} lines, {FUNCTION_MEDIAN} at most")
        if p90 > FUNCTION_P90:
            complaints.append(f"p90 function {p90} lines, {FUNCTION_P90} at most")
    for kind, (count, total) in asserts.items():
        if total:
            print(f"assertions: {kind} code {count / total:.2f} a function")
    tree.finish("tidy", complaints)


main(sys.argv[1])

#!/usr/bin/python3
"""A planted bug is found by random lives of hotels, and the life that shows it is made small.

usage: shrinks.py PYTHON TEST_STATEFUL ARGUMENT...
"""
import os
import re
import subprocess
import sys

BUG = "limit_off_by_one"
STEPS_MAX = 4  # a room too few, a sale; and what the lives may need beside


def main():
    done = subprocess.run(sys.argv[1:], env=dict(os.environ, KEYRACK_BUG=BUG, KEYRACK_LONG=""),
                          capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    print(said)
    steps = re.findall(r"state\.(\w+)\(", said.split("Falsifying example:")[-1])
    steps = [step for step in steps if step not in ("open_hotels", "teardown",
                                                    "everything_is_as_the_rules_say")]
    seen = "the rules say" in said or "a process has ended" in said and "assertion failed" in said
    found = done.returncode == 1 and "Falsifying example:" in said and seen
    if not found or not 0 < len(steps) <= STEPS_MAX:
        sys.exit(f"{BUG} is not found and made small: {steps}")
    print(f"{BUG}: found, and made small: {', '.join(steps)}")


main()

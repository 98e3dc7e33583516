#!/bin/sh
# What the slowest answers are, and why; see README.md. Words go to run.py.
exec /usr/bin/python3 "$(dirname "$0")/run.py" "$@"

#!/bin/sh
# Cost of an operation as everything grows; see README.md. Words go to run.py.
exec /usr/bin/python3 "$(dirname "$0")/run.py" "$@"

#!/bin/sh
# Where the time of a request goes; see README.md. Words go to run.py.
exec /usr/bin/python3 "$(dirname "$0")/run.py" "$@"

#!/bin/sh
# Size, time and memory of a large cluster; see README.md. Words go to run.py.
exec /usr/bin/python3 "$(dirname "$0")/run.py" "$@"

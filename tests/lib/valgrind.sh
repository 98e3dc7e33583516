#!/bin/sh
# usage: valgrind.sh VALGRIND PROGRAM [ARGUMENT...]
# Runs a test under valgrind. The test framework hides valgrind's exit code: the logs decide.
set -u
valgrind=$1
shift
logs=$(mktemp -d) || exit 1
trap 'rm -rf "$logs"' EXIT
timeout -s KILL 800 "$valgrind" --trace-children=yes --log-file="$logs/log.%p" --leak-check=full \
	--errors-for-leak-kinds=definite --error-exitcode=9 "$@"
code=$?
bad=$(grep -LE 'ERROR SUMMARY: 0 errors' "$logs"/log.* 2>/dev/null)
if [ -n "$bad" ]; then
	for log in $bad; do
		[ -z "${KEYRACK_REPORTS:-}" ] || cp "$log" "$KEYRACK_REPORTS/valgrind-$(basename "$log")"
		head -n 60 "$log"
	done
	exit 1
fi
exit $code

#!/bin/sh
# usage: canary.sh PROGRAM KIND [VALGRIND]
# The canary makes a mistake: its test must fail, or a report must land where the test command looks
# for reports.
set -u
program=$1 kind=$2 valgrind=${3:-}
reports=$(mktemp -d) || exit 1
trap 'rm -rf "$reports"' EXIT
export KEYRACK_CANARY="$kind"
export ASAN_OPTIONS="log_path=$reports/asan:abort_on_error=1:detect_leaks=1"
export UBSAN_OPTIONS="log_path=$reports/ubsan:print_stacktrace=1:halt_on_error=1"
if [ -n "$valgrind" ]; then
	timeout -s KILL 120 "$valgrind" --trace-children=yes --log-file="$reports/valgrind.%p" \
		--leak-check=full --errors-for-leak-kinds=definite "$program" >/dev/null 2>&1
	grep -lE 'ERROR SUMMARY: [1-9]' "$reports"/valgrind.* >/dev/null && exit 0
else
	"$program" >/dev/null 2>&1 || exit 0
	[ -n "$(find "$reports" -type f -size +0)" ] && exit 0
fi
echo "the canary \"$kind\" sang and nobody heard it"
exit 1

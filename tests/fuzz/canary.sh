#!/bin/sh
# The gate bites: a target that is wrong has to be found so by run.sh, from no corpus, as the others
# are run, and its report has to be said.
# usage: canary.sh RUN_SH TARGET
set -eu
run=$1 target=$2
folder=$(mktemp -d "${TMPDIR:-/tmp}/keyrack-canary-XXXXXX")
trap 'rm -rf "$folder"; rm -f "$target"-crash-*' EXIT
mkdir "$folder/corpus"
# Its report is meant, and is not to lie where reports must not.
unset ASAN_OPTIONS UBSAN_OPTIONS
status=0
sh "$run" "$target" runs=2000000 "$folder/corpus" >"$folder/said" 2>&1 || status=$?
if grep -q 'addresses cannot be fixed' "$folder/said"; then
	echo "skipped: without fixed addresses the kept corpus alone is run"
	exit 77
fi
if [ "$status" = 0 ]; then
	echo "a read beyond the input was not found"
	exit 1
fi
grep -a 'heap-buffer-overflow' "$folder/said" | head -n 1
grep -a -q 'heap-buffer-overflow' "$folder/said" && grep -q 'the input that failed is' "$folder/said"

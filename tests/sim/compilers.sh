#!/bin/sh
# usage: compilers.sh KEYRACK-SIM
# The same seeds give the same traces, whichever compiler built the program: this one and the one
# that KEYRACK_OTHER_SIM names. Skipped (77) where it names none.
set -u
sim=$1
other=${KEYRACK_OTHER_SIM:-}
if [ ! -x "$other" ]; then
	echo "KEYRACK_OTHER_SIM names no keyrack-sim of another compiler"
	exit 77
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
ulimit -c 0

"$sim" --seeds 1..50 --twice 0 --hashes "$work/this" >"$work/out" 2>&1 ||
	{ tail -n 20 "$work/out"; exit 1; }
"$other" --seeds 1..50 --twice 0 --hashes "$work/other" >"$work/out" 2>&1 ||
	{ tail -n 20 "$work/out"; exit 1; }
[ "$(wc -l <"$work/this")" -eq 50 ] || { echo "50 traces are expected"; exit 1; }
diff "$work/this" "$work/other" || { echo "the compilers differ: undefined behaviour?"; exit 1; }

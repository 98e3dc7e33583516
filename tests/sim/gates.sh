#!/bin/sh
# usage: gates.sh KEYRACK-SIM
# The simulator's gates bite: a seed whose oracle is lied to once fails, says how to see it again,
# and what it says does; it is made small, and what is left fails in the same way.
set -u
sim=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
ulimit -c 0

die()
{
	echo "$1"
	cat "$work"/* 2>/dev/null | tail -n 60
	exit 1
}

# The words that a run failed with, without the time and its numbers.
words()
{
	sed -n 's/^at [0-9.]* s: //p' "$1" | sed 's/[0-9][0-9]*/#/g'
}

# Runs what a run has printed: "keyrack-sim OPTIONS".
again()
{
	# shellcheck disable=SC2086 # options are meant to be parted
	"$sim" ${1#keyrack-sim }
}

for seed in 3 4 5; do
	"$sim" --seed $seed --canary >"$work/one" 2>&1 && die "seed $seed: the canary sang unheard"
	command=$(sed -n 's/^to see it again: //p' "$work/one")
	[ -n "$command" ] || die "seed $seed: no command to see it again"
	again "$command" >"$work/two" 2>&1 && die "$command: does not fail"
	[ -n "$(words "$work/one")" ] || die "seed $seed: no words"
	[ "$(words "$work/one")" = "$(words "$work/two")" ] || die "$command: fails otherwise"
	grep -q 'is killed\|loses its power' "$work/two" || die "$command: no story"
done
"$sim" --seeds 3..4 --canary >"$work/one" 2>&1 && die "many seeds: the canary sang unheard"

for seed in 3 5; do
	"$sim" --seed $seed --canary --minimise >"$work/small" 2>&1 ||
		die "seed $seed is not made small"
	command=$(sed -n 's/^smallest: //p' "$work/small")
	again "$command" >"$work/two" 2>&1 && die "$command: does not fail"
	"$sim" --seed $seed --canary >"$work/one" 2>&1
	[ "$(words "$work/one")" = "$(words "$work/two")" ] || die "$command: fails otherwise"
	# drawn: F faults, shards S, ..., operations O, crashes C, safety-ms M
	set -- $(sed -n 's/^drawn: //p; s/^needed: //p' "$work/small" | tr -d ',')
	[ $# -eq 32 ] || die "seed $seed: two lines of numbers are expected"
	[ "${17}" -lt "$1" ] || die "seed $seed: as many faults as before"
	[ "${26}" -le "${10}" ] || die "seed $seed: more hotels"
	[ "${28}" -lt "${12}" ] || die "seed $seed: as many operations"
	[ "${30}" -eq 1 ] || die "seed $seed: more than the one crash that is needed"
	[ "${32}" -lt "${16}" ] || die "seed $seed: as long"
	# a day that passes stops both shards at once
	[ "$(grep -c 'is killed\|loses its power' "$work/two")" -ge 1 ] || die "$command: no crash"
done

"$sim" --seed 3 --minimise >"$work/one" 2>&1
[ $? -eq 3 ] || die "a seed that does not fail is made small"
"$sim" --seeds 1..2 --coverage >"$work/one" 2>&1 && die "two seeds cover everything"
"$sim" --seed 3 --faults hail >"$work/one" 2>&1 && die "an unknown fault is taken"
"$sim" --seed 3 --faults none --crashes 0 --clients 1 --operations 50 >"$work/one" 2>&1 ||
	die "a small world in peace fails"
exit 0

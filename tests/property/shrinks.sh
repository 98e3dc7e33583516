#!/bin/sh
# usage: shrinks.sh TEST-MODEL
# A mismatch is told with the fewest operations that lead to it, and what is told does so: a run in
# which each confirmation counts as one must come down to a hold, its confirmation and what makes
# the hold possible.
set -u
model=$1
most=8
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
ulimit -c 0

die()
{
	echo "$1"
	cat "$work"/* | tail -n 40
	exit 1
}

for seed in 1 2 3; do
	"$model" --canary 4000 $seed >"$work/one" 2>&1 && die "seed $seed: the canary sang unheard"
	left=$(sed -n 's/^made small: \([0-9]*\) of .*/\1/p' "$work/one")
	[ -n "$left" ] || die "seed $seed: not made small"
	[ "$left" -le $most ] || die "seed $seed: $left operations are left"
	command=$(sed -n 's/^to see it again: test_model //p' "$work/one")
	[ -n "$command" ] || die "seed $seed: no command to see it again"
	# shellcheck disable=SC2086 # options are meant to be parted
	"$model" $command >"$work/two" 2>&1 && die "$command: does not fail"
	grep -q 'the canary sings' "$work/two" || die "$command: fails otherwise"
	[ "$(grep -c 'step [0-9]*: confirm of' "$work/two")" -ge 1 ] || die "$command: no story"
	echo "seed $seed: $(sed -n 's/^made small: //p' "$work/one")"
done
"$model" --whole --canary 4000 1 >"$work/one" 2>&1 && die "--whole: the canary sang unheard"
grep -q 'made small' "$work/one" && die "--whole: was made small"
exit 0

#!/bin/sh
# Builds with gcc --coverage, runs the unit and property tests and the simulator's first seeds, and
# prints what they ran of the pure modules: lines, branches, and every line that was left out.
set -u
cd "$(dirname "$0")/.." || exit 1
. tools/deps.sh

seeds=20
where=build-coverage
while [ $# -gt 0 ]; do
	case $1 in
	--seeds) shift; seeds=${1:?--seeds needs a count} ;;
	--build) shift; where=${1:?--build needs a folder} ;;
	-h | --help)
		cat <<-EOT
		usage: sh tools/coverage.sh [--seeds N] [--build DIR]
		  --seeds N    seeds of the simulator, besides the kept ones (default: 20)
		  --build DIR  where the build goes (default: build-coverage)
		Exit status 0 when every pure module is covered and every line left out is explained in
		tests/coverage.txt, 1 otherwise.
		EOT
		exit 0 ;;
	*) echo "unknown option $1; see --help" >&2; exit 2 ;;
	esac
	shift
done

# shellcheck disable=SC2086
keyrack_install $KEYRACK_BUILD_PACKAGES libcriterion-dev python3 tzdata || exit 1

[ -f "$where/build.ninja" ] || CC=gcc meson setup "$where" . --buildtype=debug -Db_coverage=true \
	>"$where.log" 2>&1 || { tail -n 30 "$where.log"; exit 1; }
ninja -C "$where" >"$where/build.log" 2>&1 || { tail -n 60 "$where/build.log"; exit 1; }
# Only this run's tests count.
find "$where" -name '*.gcda' -delete

meson test -C "$where" --no-rebuild --timeout-multiplier 10 --quiet --print-errorlogs \
	--suite unit --suite property || exit 1
for of in "--list tests/sim/seeds.txt" "--seeds 1..$seeds"; do
	# An option and its value.
	# shellcheck disable=SC2086
	"$where/tests/sim/keyrack-sim" $of >"$where/sim.log" ||
		{ tail -n 30 "$where/sim.log"; exit 1; }
done

ninja --quiet -C "$where" pure-coverage >"$where/coverage.log" 2>&1
status=$?
grep -v '^ninja: ' "$where/coverage.log"
exit $status

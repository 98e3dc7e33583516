#!/bin/sh
# One target: first its kept corpus, then so many runs, or for so many seconds. What is found goes
# to a folder that is removed; an input that fails is kept, and its name said.
# usage: run.sh TARGET runs=N|max_total_time=SECONDS CORPUS [OPTION-OF-LIBFUZZER...]
set -eu
target=$1 bound=$2 corpus=$3
shift 3
found=$(mktemp -d "${TMPDIR:-/tmp}/keyrack-fuzz-XXXXXX")
trap 'rm -rf "$found"' EXIT
# Comparisons of addresses are hints to libFuzzer: with the same ones a seed gives the same runs.
# Where they cannot be had, a bounded run would be another one each time: then the corpus alone.
fixed="setarch -R"
if ! $fixed true 2>/dev/null; then
	fixed=
	case $bound in runs=*)
		echo "addresses cannot be fixed here (setarch -R): the kept corpus alone is run"
		bound=runs=0 ;;
	esac
fi
status=0
$fixed "$target" "-$bound" -seed=1 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -error_exitcode=99 \
	-artifact_prefix="$target-" "$@" "$found" "$corpus" >"$found.log" 2>&1 || status=$?
grep -a -m 1 'PC tables' "$found.log" || true
grep -a -v -e 'PC tables' -e '# Uses:' -e NEW -e REDUCE -e 'pulse' -e '####' "$found.log" | tail -n 2000
rm -f "$found.log"
# libFuzzer says 77 by itself, which would be a skipped test.
[ "$status" = 0 ] || echo "the input that failed is $target-*; see it again: $target FILE"
exit "$status"

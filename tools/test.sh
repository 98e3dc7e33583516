#!/bin/sh
# Installs what the tests need, builds with sanitizers and without, runs every test, and ends with
# a line "N passed, N failed, N skipped". See --help.
set -u
cd "$(dirname "$0")/.." || exit 1
. tools/deps.sh

long=0
where=build-test
while [ $# -gt 0 ]; do
	case $1 in
	--long) long=1 ;;
	--builds) shift; where=${1:?--builds needs a folder} ;;
	-h | --help)
		cat <<-EOT
		usage: sh tools/test.sh [--long] [--builds DIR]
		  --long        the full numbers (hours) instead of the short run (minutes)
		  --builds DIR  where the builds go (default: build-test)
		Exit status 0 when nothing failed, 1 otherwise.
		EOT
		exit 0 ;;
	*) echo "unknown option $1; see --help" >&2; exit 2 ;;
	esac
	shift
done

# shellcheck disable=SC2086
keyrack_install $KEYRACK_BUILD_PACKAGES $KEYRACK_TEST_PACKAGES || exit 1

started=$(date +%s)
mkdir -p "$where" || exit 1
where=$(cd "$where" && pwd)
reports=$where/reports
rm -rf "$reports" && mkdir -p "$reports" || exit 1
[ "$long" = 0 ] || export KEYRACK_LONG=1
KEYRACK_PROMTOOL=$(keyrack_promtool "$where/promtool")
export KEYRACK_PROMTOOL
[ -d ../shared/data ] || echo "../shared/data is absent: the tests that read it will be skipped"

# Criterion hides what the sanitizers print and even that they stopped: their reports go into a
# folder that must stay empty, and the canaries prove that a report would land there.
export ASAN_OPTIONS="log_path=$reports/asan:abort_on_error=1:detect_leaks=1:strict_string_checks=1"
export UBSAN_OPTIONS="log_path=$reports/ubsan:print_stacktrace=1:halt_on_error=1"
export KEYRACK_REPORTS="$reports"

targets= # of the next build; none means all of them
build() { # NAME COMPILER OPTION...
	name=$1 compiler=$2
	shift 2
	echo "== build $name"
	if [ ! -f "$where/$name/build.ninja" ]; then
		CC=$compiler meson setup "$where/$name" . "$@" >"$where/$name.log" 2>&1 ||
			{ tail -n 30 "$where/$name.log"; return 1; }
	fi
	# Names of targets are parted.
	# shellcheck disable=SC2086
	ninja -C "$where/$name" $targets >"$where/$name.log" 2>&1 || { tail -n 60 "$where/$name.log"; return 1; }
}

broken=0
run() { # NAME MESON-TEST-ARGUMENT...
	name=$1
	shift
	echo "== test $name: $*"
	# A machine that is busy with something else is slow, not broken.
	meson test -C "$where/$name" --no-rebuild --timeout-multiplier 4 --print-errorlogs \
		--logbase "log-$name-$runs" "$@" || broken=1
	cat "$where/$name/meson-logs/log-$name-$runs.json" >>"$where/results.json" 2>/dev/null
	runs=$((runs + 1))
}

runs=0
: >"$where/results.json"
build release gcc --buildtype=release || exit 1
# One step of optimising is quicker to compile, and the tests are as quick.
build asan gcc --buildtype=debug -Doptimization=1 -Db_sanitize=address,undefined || exit 1
# What clang has to say of the code does not depend on optimising it. Its libFuzzer brings its own
# sanitizers: see tests/fuzz.
build clang clang-14 --buildtype=debug || exit 1

run release --suite lint --suite crash --suite integration --suite property --suite seeds
run asan --suite unit --suite sim --suite fault
KEYRACK_OTHER_SIM=$where/release/tests/sim/keyrack-sim
export KEYRACK_OTHER_SIM
run clang --suite unit --suite fuzz --suite compilers
run release --suite valgrind
targets="$(/usr/bin/python3 tests/bugs/score.py --programs) chaos-programs" || exit 1
build bugs gcc --buildtype=plain -Doptimization=1 -Dplanted_bugs=true || exit 1
targets=
if [ "$long" = 1 ]; then
	run bugs --suite bugs --suite bugs_long --verbose
else
	run bugs --suite bugs --verbose
fi

if [ "$long" = 1 ]; then
	echo "== the simulator's long run"
	"$where/release/tests/sim/keyrack-sim" --seeds 501..10500 --twice 0 --coverage || broken=1
	run release --suite mutants
	echo "== mutants"
	tests/mutants/mutate.py "$where/release" --seed 1 --count 200
	case $? in 0) ;; 77) echo "skipped" ;; *) broken=1 ;; esac
	echo "== fuzzing"
	sh tests/fuzz/long.sh "$where/clang" 120 || broken=1
fi

echo "== reports of sanitizers and valgrind"
left=$(find "$reports" -type f -size +0 ! -name 'canary*' | head -n 20)
if [ -n "$left" ]; then
	echo "$left" | while read -r report; do echo "--- $report"; head -n 30 "$report"; done
	broken=1
fi

python3=/usr/bin/python3
$python3 - "$where/results.json" "$broken" "$(($(date +%s) - started))" <<'EOT'
import json
import sys

SHOWN = 40  # lines of what a failed test printed

counts = {"OK": 0, "SKIP": 0}
failed = []
with open(sys.argv[1], encoding="utf-8") as file:
    for line in file:
        test = json.loads(line)
        result = test["result"]
        if result in counts:
            counts[result] += 1
        elif result == "EXPECTEDFAIL":
            counts["OK"] += 1
        else:
            failed.append(test)
for test in failed:
    # Said again here: of a long run often only the end is kept.
    print("failed:", test["name"])
    said = test.get("stdout", "") + test.get("stderr", "")
    for line in said.splitlines()[-SHOWN:]:
        print("    " + line)
bad = len(failed) + (1 if sys.argv[2] != "0" and not failed else 0)
print(f"in {sys.argv[3]} s")
print(f"{counts['OK']} passed, {bad} failed, {counts['SKIP']} skipped")
sys.exit(1 if bad or not counts["OK"] else 0)
EOT

#!/bin/sh
# From a clone to a durable cluster that sold real stays and survived a kill: see --help.
set -u
cd "$(dirname "$0")/.." || exit 1
. tools/deps.sh

dir="keyrack-demo"
seconds=8
hotels=500
port=${KEYRACK_QUICKSTART_PORT:-7070}
while [ $# -gt 0 ]; do
	case $1 in
	--dir) shift; dir=${1:?--dir needs a folder} ;;
	--seconds) shift; seconds=${1:?--seconds needs a number} ;;
	--hotels) shift; hotels=${1:?--hotels needs a number} ;;
	--port) shift; port=${1:?--port needs a number} ;;
	-h | --help)
		cat <<-EOT
		usage: sh tools/quickstart.sh [--dir DIR] [--seconds N] [--hotels N] [--port N]
		Installs what is missing from Debian, builds a release in build/, starts a local cluster
		of one router and two shards in DIR (default: keyrack-demo), loads a demo chain, sells and
		cancels stays, kills one shard in the middle and restarts it, and then checks every
		acknowledged operation against what is on disk. The cluster goes on running.
		EOT
		exit 0 ;;
	*) echo "unknown option $1; see --help" >&2; exit 2 ;;
	esac
	shift
done
router=127.0.0.1:$port

# A list of packages split into words is what is meant.
# shellcheck disable=SC2086
keyrack_install $KEYRACK_BUILD_PACKAGES || exit 1

echo "== building a release"
[ -f build/build.ninja ] ||
	meson setup build . --buildtype=release -Db_lto=true -Dtests=false >/dev/null || exit 1
ninja -C build >build/quickstart.log 2>&1 || { tail -n 40 build/quickstart.log; exit 1; }
keyrack=build/tools/keyrack/keyrack
bench=build/bench/keyrack-bench
recover=build/tools/keyrack-recover

if [ -e "$dir/cluster.json" ]; then
	$keyrack cluster stop --dir "$dir" >/dev/null 2>&1
	rm -rf "$dir"
fi
fail() {
	echo "quickstart: $1" >&2
	exit 1
}

echo "== starting 1 router and 2 shards in $dir, durability sync"
$keyrack cluster start --dir "$dir" --shards 2 --listen "$router" --hotels "$hotels" \
	--types $((hotels * 20)) --reservations 4000000 || fail "the cluster does not start"
export KEYRACK_ROUTER="$router"

echo "== loading $hotels hotels x 4 to 20 room types x 731 nights"
$bench load --hotels "$hotels" --types-min 4 --types-max 20 --nights 731 --seed 7 ||
	fail "the demo chain cannot be loaded"

echo "== selling and cancelling for $seconds s; shard 1 is killed in the middle"
journal=$dir/journal.jsonl
result=$dir/run.json
$bench run --mix hold+confirm=4,book=4,cancel=2 --connections 16 --depth 16 --warmup 0 \
	--seconds "$seconds" --deadline 60 --journal "$journal" --data-dir "$dir" --json >"$result" &
load=$!
sleep $((seconds / 2))
kill -KILL "$(cat "$dir/shard-1.pid")" || fail "shard 1 cannot be killed"
killed_ms=$(date +%s%3N)
$keyrack cluster start --dir "$dir" --shards 2 >/dev/null || fail "shard 1 does not come back"
recovery_ms=$(($(date +%s%3N) - killed_ms))
wait $load || fail "the counters are not what was answered; see $result"

echo "== checking the journal against the disk"
$keyrack cluster stop --dir "$dir" >/dev/null || fail "the cluster does not stop"
/usr/bin/python3 tests/crash/journal_check.py --journal "$journal" --recover "$recover" \
	"$dir"/shard-0 "$dir"/shard-1 || fail "the disk does not hold what was acknowledged"
$keyrack cluster start --dir "$dir" --shards 2 >/dev/null || fail "the cluster does not start again"

/usr/bin/python3 - "$result" "$recovery_ms" "$router" "$dir" <<'EOT'
import json
import sys

path, recovery_ms, router, folder = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    run = json.load(file)
print()
print(f"  durability         {run['durability']}, {run['shards']} shards, {run['device']}")
print(f"  operations         {run['rate']:,.0f} a second, {run['connections']} x {run['depth']} in flight")
print(f"  latency            p50 {run['p50_us'] / 1000:.2f} ms, p99 {run['p99_us'] / 1000:.2f} ms, "
      f"max {run['max_us'] / 1000:.0f} ms (the kill included)")
print(f"  answers            {run['done']:,} done, {run['refused']:,} refused, "
      f"{run['unknown']:,} unknown and resolved")
print(f"  shard 1            killed with SIGKILL, serving again after {int(recovery_ms)} ms")
print("  verdict            nothing acknowledged is missing, nothing else is there")
print()
print(f"The cluster is running at {router}. Go on with:")
print(f"  export KEYRACK_ROUTER={router}")
print('  export PATH="$PWD/build/tools/keyrack:$PWD/build/tools:$PWD/build/bench:$PATH"')
print("  keyrack availability 1 --nights 2027-01-01..2027-01-07")
print("  keyrack book 1 --type 0 --stay 2027-01-01..2027-01-03")
print("  keyrack --help")
print(f"  keyrack cluster stop --dir {folder}        (the tour in README.md begins with it)")
EOT

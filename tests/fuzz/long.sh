#!/bin/sh
# Every target for so many seconds, two at a time, and a table of what that came to.
# usage: long.sh BUILD-FOLDER SECONDS
set -eu
here=$(cd "$(dirname "$0")" && pwd)
one() { # TARGET SECONDS
	name=${1##*/fuzz_}
	set -- "$1" "max_total_time=$2" "$here/corpus/$name"
	case $name in
	config_*) set -- "$@" -detect_leaks=0 "-dict=$here/yaml.dict" ;;
	cli) set -- "$@" -detect_leaks=0 "-dict=$here/cli.dict" ;;
	tables | token | trace) set -- "$@" "-dict=$here/$name.dict" ;;
	client | frame | link | message | shard) set -- "$@" "-dict=$here/wire.dict" ;;
	record | scan | snapshot) set -- "$@" "-dict=$here/disk.dict" ;;
	esac
	result=clean
	log=$(sh "$here/run.sh" "$@") || result=FAILED
	edges=$(echo "$log" | sed -n 's/.* cov: \([0-9]*\) .*/\1/p' | tail -n 1)
	all=$(echo "$log" | sed -n 's/.*Loaded 1 PC tables (\([0-9]*\) PCs.*/\1/p')
	runs=$(echo "$log" | sed -n 's/^stat::number_of_executed_units: *//p')
	echo "| $name | $runs | $edges | $all | $result |"
	[ "$result" = clean ] || echo "$log" >&2
	[ "$result" = clean ]
}
if [ "$1" = --one ]; then
	one "$3" "$2"
	exit
fi
targets=$(find "$1/tests/fuzz" -maxdepth 1 -type f -name "fuzz_*" -perm -u+x ! -name fuzz_seeds | sort)
if [ -z "$targets" ]; then
	echo "skipped: $1 has no targets; it needs clang with its libFuzzer"
	exit
fi
echo "| Target | Executions in $2 s | Edges met | of | Result |"
echo "|---|---|---|---|---|"
echo "$targets" | xargs -P 2 -n 1 sh "$0" --one "$2"

#!/bin/sh
# The sources that fuzz targets are linked with, from the root of the tree: a new file is in the
# list by itself. usage: sources.sh ROOT parts|cli
set -eu
cd "$1"
case $2 in
parts)
	ls base/*.c base/io/*.c base/io/sim/*.c proto/*.c engine/inventory/*.c engine/log/*.c \
		engine/shard/*.c engine/server/*.c router/*.c tests/unit/shard/world*.c \
		tests/unit/log/random_effect.c | grep -v -e /main.c -e /server/options.c -e router/options.c
	;;
cli) ls tools/keyrack/*.c client/*.c | grep -v /main.c ;;
esac

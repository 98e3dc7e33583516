#!/bin/sh
# The sources that fuzz targets are linked with, from the root of the tree: a new file is in the
# list by itself. usage: sources.sh ROOT parts|cli
set -eu
cd "$1"
case $2 in
parts)
	# Planted bugs are for builds that ask for them (meson.build).
	find base proto engine router -name '*.c' ! -name main.c ! -path base/bug.c \
		! -path 'base/io/uring/*' ! -path engine/server/options.c ! -path router/options.c
	find tests/unit/shard -name 'world*.c'
	echo tests/unit/log/random_effect.c
	;;
cli) find tools/keyrack client -name '*.c' ! -name main.c ! -path 'client/examples/*' ;;
esac | sort

# The one list of Debian packages, by what they are for. Sourced by quickstart.sh and test.sh.
# shellcheck shell=sh disable=SC2034

KEYRACK_BUILD_PACKAGES="gcc libc6-dev libsodium-dev gzip meson ninja-build pkgconf ca-certificates liburing-dev
libjemalloc-dev libxxhash-dev libprotobuf-c-dev protobuf-c-compiler libprotobuf-dev
protobuf-compiler libsmartcols-dev libjansson-dev libyaml-dev libedit-dev tzdata procps"

KEYRACK_TEST_PACKAGES="git libcriterion-dev clang-14 libclang-rt-14-dev llvm-14 clang-format-14
valgrind libc6-dbg python3 python3-protobuf python3-hypothesis python3-xxhash mandoc shellcheck
codespell iproute2 strace systemd fuse3 libfuse3-dev e2fsprogs mount util-linux"

# Installs what is missing of the packages given; says what it does; needs root or sudo for it.
keyrack_install() {
	missing=
	for package in "$@"; do
		state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=
		[ "$state" = installed ] || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	as=
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || {
			echo "These Debian packages are missing:$missing" >&2
			echo "Run this as root or install sudo." >&2
			return 1
		}
		as=sudo
	fi
	echo "Installing from Debian:$missing"
	# A list of packages split into words is what is meant.
	# shellcheck disable=SC2086
	$as env DEBIAN_FRONTEND=noninteractive sh -c 'apt-get update -qq &&
		apt-get install -y -qq --no-install-recommends "$@" >/dev/null' sh $missing
}

# promtool out of Debian's prometheus: installing the package would start a service that nobody
# asked for. Prints where it is, or nothing where it is not to be had.
keyrack_promtool() { # FOLDER
	if command -v promtool; then return 0; fi
	if [ ! -x "$1/usr/bin/promtool" ]; then
		mkdir -p "$1" && (cd "$1" && apt-get download -qq prometheus &&
			dpkg-deb --fsys-tarfile prometheus_*.deb | tar x ./usr/bin/promtool &&
			rm -f prometheus_*.deb) >/dev/null 2>&1 || return 0
	fi
	echo "$1/usr/bin/promtool"
}

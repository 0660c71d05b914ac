# common.sh - names and folders that every part of deps uses, and how it talks.
# Sourced by deps/deps; never run alone. It must not touch the network.
# shellcheck shell=bash

LOCK_FILE=${DEPS_LOCK:-$DEPS_HERE/deps.lock}
RECIPE_DIR=${DEPS_RECIPES:-$DEPS_HERE/recipes}
PATCH_DIR=$DEPS_HERE/patches
CONFIG_DIR=$DEPS_HERE/../rootfs
CACHE=${CORACLE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/coracle}
TARGET=x86_64-linux-musl
JOBS=${DEPS_JOBS:-$(nproc)}
HOST_CC=${DEPS_CC:-gcc}
VARIANT=musl
NAMES=()

say() { echo "deps: $*" >&2; }

die() {
	echo "deps: error: $*" >&2
	exit 1
}

# Seconds with one decimal since START, a value of now_ms.
now_ms() { echo $(($(date +%s%N) / 1000000)); }
seconds_since() {
	local ms=$(($(now_ms) - $1))
	echo "$((ms / 1000)).$((ms % 1000 / 100))"
}

human_size() {
	awk -v n="$1" 'BEGIN {
		if (n >= 1000000) printf "%.1f MB\n", n / 1000000
		else printf "%.0f kB\n", n / 1000 }'
}

# Sets VARIANT and NAMES from the arguments after the command.
parse_options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--variant)
			[ $# -ge 2 ] || die "--variant needs a value: musl or asan"
			VARIANT=$2
			shift
			;;
		--variant=*) VARIANT=${1#*=} ;;
		-*) die "unknown option '$1'; try deps/deps help" ;;
		*) NAMES+=("$1") ;;
		esac
		shift
	done
	case $VARIANT in
	musl | asan) ;;
	*) die "unknown variant '$VARIANT'; it is musl or asan" ;;
	esac
}

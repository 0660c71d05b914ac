# shellcheck shell=bash
# tests/config/lib.sh: the head of the shell tests of coracle-config. Sourced first, it brings tests/lib/tap.sh and sets top, build, config (the
# program) and work (a folder of the test's own, removed at its end; a test with more to undo sets its own trap).

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${CORACLE_BUILD:-$top/build}
# shellcheck disable=SC2034 # for who sources this
config=$build/bin/coracle-config
# shellcheck source=tests/lib/tap.sh
source "$top/tests/lib/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# exits CODE COMMAND...: the command ends with this exit status; its words are in $work/out.
exits() {
	local want=$1 code=0
	shift
	"$@" >"$work/out" 2>&1 || code=$?
	[[ $code == "$want" ]] || { echo "exit status $code, not $want"; cat "$work/out"; return 1; }
}
# json EXPRESSION: of standard input as v.
json() { python3 -c 'import json, sys; print(eval(sys.argv[1], {"v": json.load(sys.stdin)}))' "$1"; }
# seed [INSTANCE]: standard input as user-data, in $work/seed.
seed() { rm -rf "$work/seed"; mkdir "$work/seed"; cat >"$work/seed/user-data"; printf 'instance-id: %s\n' "${1:-i-1}" >"$work/seed/meta-data"; }

#!/bin/bash
# tests/runtime/many.sh: N containers created, started and deleted, PARALLEL at a time. Prints `N containers, F failed, S seconds`,
# the reasons of what failed, and what was left on the host; exit 0 only when nothing failed and nothing is left. Needs root.
# Usage: many.sh N PARALLEL [RUNTIME]
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
count=${1:?many.sh N PARALLEL [RUNTIME]}
parallel=${2:?many.sh N PARALLEL [RUNTIME]}
runtime=${3:-$runtime}
group=/coracle-many-$$
trap 'find /sys/fs/cgroup -depth -type d -path "*$group*" -exec rmdir {} \; 2>/dev/null; rm -rf "$work"' EXIT
make_bundle
export runtime state work
# each has its own bundle, so its own control group, on the one root file system
bundles() {
	local i
	CGROUP=$group/ID config 'p["args"] = ["/bin/true"]' "c['root'] = {'path': '$bundle/rootfs', 'readonly': True}"
	for ((i = 0; i < count; i++)); do
		mkdir -p "$work/b/$i"
		sed "s|$group/ID|$group/$i|" "$bundle/config.json" >"$work/b/$i/config.json"
	done
}
one() {
	local id=many-$1 out
	out=$(exec 2>&1; "$runtime" --root "$state" create --bundle "$work/b/$1" --pid-file "$work/b/$1/pid" "$id" </dev/null >"$work/b/$1/out" 2>&1 || cat "$work/b/$1/out"
		"$runtime" --root "$state" start "$id" && "$runtime" --root "$state" delete --force "$id")
	[[ -z $out ]] || echo "$id: $out"
}
export -f one
bundles
mkdir -p "$state"
mounts=$(wc -l </proc/self/mountinfo)
begin=$EPOCHREALTIME
seq 0 $((count - 1)) | xargs -P "$parallel" -I{} bash -c 'one {}' >"$work/failed"
end=$EPOCHREALTIME
failed=$(grep -c '^many-' "$work/failed")
LC_ALL=C awk -v n="$count" -v f="$failed" -v a="$begin" -v b="$end" 'BEGIN { printf "%d containers, %d failed, %.1f seconds\n", n, f, b - a }'
head -20 "$work/failed"
left=$(find /sys/fs/cgroup -type d -path "*$group/*"; ls -A "$state"; (($(wc -l </proc/self/mountinfo) == mounts)) || echo "mounts"
	for i in "$work"/b/*/pid; do p=$(cat "$i"); grep -sq "^PPid:.*[[:space:]]1$" "/proc/$p/status" && grep -sq coracle "/proc/$p/comm" && echo "process $p"; done)
[[ -z $left ]] || printf 'left: %s\n' "$left" | head -20
[[ -z $left && $failed == 0 ]]

#!/bin/bash
# tests/runtime/test_bad_input.sh: configurations, state directories and ids that are wrong in every way: one line that says what, runc's exit
# code, and nothing left. Needs root.
# timeout: 900
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
begin
chmod 755 "$work"
trap 'umount "$work"/small* 2>/dev/null; rt delete -f c1 >/dev/null 2>&1; rmdir /sys/fs/cgroup/*"${CGROUP%/c1}" 2>/dev/null; rm -rf "$work"' EXIT
before=$(host_state)

## config.json: each property in turn

each_property() {
	python3 "$here/bad_input.py" "$runtime" "$work" "$bundle" >"$work/properties" || { grep -A9 '^not ok' "$work/properties"; return 1; }
	grep -q '^1\.\.2[2-9][0-9]$' "$work/properties" || { tail -3 "$work/properties"; return 1; }
}
check "config.json: every property with wrong types, null, empty, too large, unknown" each_property

# refused TEXT COMMAND...: fails with exit code 1 (255 for exec, as runc), one line which contains TEXT, and leaves nothing
refused() {
	local text=$1 code out want=1
	shift
	[[ " $* " == *" exec "* ]] && want=255
	out=$("$@" 2>&1 </dev/null)
	code=$?
	same "$want" "$code" && same 1 "$(wc -l <<<"$out")" && contains "${out//\\/}" "$text" && same "$before" "$(host_state)"
}
# text NAME EXPECTED JSON: a configuration as it stands
text() {
	printf '%s' "$3" >"$bundle/config.json"
	check "config.json: $1" refused "$2" rt create -b "$bundle" c1
}
text "empty" "config.json" ""
text "not JSON" "config.json" "hello"
text "cut off" "at byte" '{"ociVersion": "1.0.2", "root": {"pa'
text "two documents" "config.json" '{"ociVersion": "1.0.2"} {}'
text "a comment" "config.json" '{"ociVersion": "1.0.2" /* */}'
text "an array" "expected an object, found an array" '[]'
text "a byte that is no UTF-8" "config.json" $'{"ociVersion": "1.0.2", "hostname": "\xff"}'
text "half a surrogate pair" "config.json" '{"ociVersion": "1.0.2", "hostname": "\ud800"}'
text "a name that is there twice" "root: is there twice" '{"ociVersion": "1.0.2", "root": {"path": "rootfs"}, "root": {"path": "/"}}'
text "a key that is there twice" "annotations.a: is there twice" '{"ociVersion": "1.0.2", "root": {"path": "rootfs"}, "annotations": {"a": "1", "b": "2", "a": "3"}}'
head -c 9000000 /dev/zero | tr '\0' ' ' >"$bundle/config.json"
check "config.json: more than 8 MiB" refused "config.json: more than 8388608 bytes" rt create -b "$bundle" c1
ln -sf /dev/zero "$bundle/config.json"
check "config.json: without an end" refused "config.json: more than 8388608 bytes" rt create -b "$bundle" c1
rm "$bundle/config.json"
check "config.json: missing" refused "config.json" rt create -b "$bundle" c1
mkdir "$bundle/config.json"
check "config.json: a directory" refused "config.json: Is a directory" rt create -b "$bundle" c1
rmdir "$bundle/config.json"
python3 -c 'print("{\"ociVersion\": \"1.0.2\", \"x\":" + "[" * 2000000 + "]" * 2000000 + "}")' >"$bundle/config.json"
check "config.json: nested two million deep" refused "root: missing" rt create -b "$bundle" c1
config 'p["args"] = ["true"] + ["x" * 100] * 30000'
check "config.json: more arguments than execve takes" refused "rgument list too long" rt run -b "$bundle" c1
config 'l["resources"]["devices"] = [{"allow": True, "type": "c", "major": 1, "minor": i, "access": "r"} for i in range(20000)]'
check "config.json: 20000 device rules" refused "devices" rt create -b "$bundle" c1
config 'c["mounts"] = [mount("/x", "bind", "/no/such", "bind") for i in range(50000)]'
check "config.json: 50000 mounts, the first of which fails" refused "mount" rt create -b "$bundle" c1
config 'del c["annotations"]; l["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_KILL", "args": [{"index": 0, "value": i, "op": "SCMP_CMP_EQ"}]} for i in range(2000)]}'
check "linux.seccomp: more instructions than the kernel takes" refused "linux.seccomp: needs more than 4096 BPF instructions" rt create -b "$bundle" c1
config 'del c["annotations"]; l["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"] * 40000, "action": "SCMP_ACT_KILL"}]}'
check "linux.seccomp: 40000 rules" refused "linux.seccomp: too many rules" rt create -b "$bundle" c1

## exec --process

config 'p["args"] = ["sleep", "1000"]'
quiet rt run -d -b "$bundle" c1
before=$(host_state)
process() {
	printf '%s' "$3" >"$work/process.json"
	check "exec --process: $1" refused "$2" rt exec --process "$work/process.json" c1
}
process "cut off" "at byte" '{"args": ["x'
process "a string" "expected an object" '"x"'
process "no cwd" "process.cwd" '{"args": ["true"]}'
process "args of a wrong type" "process.args: expected an array, found a number" '{"args": 5, "cwd": "/"}'
process "no args" "process.args" '{"cwd": "/"}'
process "a name that is there twice" "process.cwd: is there twice" '{"args": ["true"], "cwd": "/", "cwd": "/tmp"}'
check "exec --process: missing" refused "nosuch.json" rt exec --process "$work/nosuch.json" c1

## The state directory: damaged

damaged() { # NAME TEXT CONTENT: state, start, kill, exec, list say so and change nothing
	local verb
	printf '%s' "$3" >"$state/c1/state.json"
	for verb in "state c1" "start c1" "kill c1 KILL" "exec c1 true" "pause c1" "delete c1"; do
		# shellcheck disable=SC2086 # words
		check "state.json $1: $verb" refused "$2" rt $verb
	done
	check "state.json $1: list goes on" rt list
}
cp "$state/c1/state.json" "$work/state.json"
damaged "empty" "state.json" ""
damaged "cut off" "state.json" "$(head -c 50 "$work/state.json")"
damaged "garbage" "state.json" $'\x01\x02\x03'
damaged "of a wrong type" "state.json: pid: expected an integer" "$(sed 's/"pid":[0-9]*/"pid":"x"/' "$work/state.json")"
damaged "of another container" "is of container" "$(sed 's/"id":"c1"/"id":"c2"/' "$work/state.json")"
check "state.json of another container: delete --force leaves its processes alone" refused "has processes" rt delete --force c1
cp "$work/state.json" "$state/c1/state.json"
check "with the right one it is deleted" rt delete --force c1
before=$(host_state)
mkdir -p "$state/c1"
before=$(host_state)
check "a directory without state.json: state says what it is" refused "is being created, or its creation was cut off" rt state c1
check "...create refuses its id" refused "container with given ID already exists" rt create -b "$bundle" c1
check "...delete --force removes it" rt delete --force c1
check "...and all of it" test ! -e "$state/c1"
: >"$state/c2"
before=$(host_state)
check "a file in the place of a container" refused "c2" rt state c2
rm "$state/c2"
before=$(host_state)

## The state directory: full, read-only, in the way

for size in 4k 12k; do
	mkdir -p "$work/small$size"
	mount -t tmpfs -o "size=$size" tmpfs "$work/small$size"
	config 'c["annotations"]["a"] = "x" * 20000'
	before=$(host_state)
	check "a full state directory ($size)" refused "No space left on device" rt --root "$work/small$size" create -b "$bundle" c1
	check "...is empty afterwards ($size)" same "" "$(ls -A "$work/small$size")"
	umount "$work/small$size"
done
mkdir -p "$work/small"
mount -t tmpfs -o nr_inodes=3 tmpfs "$work/small"
config
before=$(host_state)
check "a state directory without inodes" refused "No space left on device" rt --root "$work/small" create -b "$bundle" c1
check "...is empty afterwards" same "" "$(ls -A "$work/small")"
mount -o remount,ro "$work/small"
before=$(host_state)
check "a read-only state directory" refused "Read-only file system" rt --root "$work/small" create -b "$bundle" c1
check "...can be listed" rt --root "$work/small" list
umount "$work/small"
: >"$work/file"
before=$(host_state)
check "a file as state directory" refused "Not a directory" rt --root "$work/file" create -b "$bundle" c1

## Ids

for id in "" . .. a/b ../x /x 'a b' $'a\nb' 'ä' "$(printf 'x%.0s' {1..256})" "$(printf 'x%.0s' {1..5000})"; do
	for verb in "create -b $bundle" state start kill delete "delete --force" pause; do
		# shellcheck disable=SC2086 # words
		check "id \"$(head -c 20 <<<"${id//$'\n'/\\n}")\": $verb" refused "ontainer" rt $verb "$id"
	done
done
check "an id of 255 letters is none that is too long" refused "container does not exist" rt state "$(printf 'x%.0s' {1..255})"

## Two callers with one id

config 'p["args"] = ["sleep", "1000"]'
race() {
	local n a b wins
	for ((n = 0; n < 40; n++)); do
		rt create -b "$bundle" c1 </dev/null >"$work/race1" 2>&1 & a=$!
		rt create -b "$bundle" c1 </dev/null >"$work/race2" 2>&1 & b=$!
		wins=0
		wait $a && wins=$((wins + 1))
		wait $b && wins=$((wins + 1))
		same 1 $wins && contains "$(cat "$work/race1" "$work/race2")" "container with given ID already exists" || return 1
		contains "$(rt state c1)" '"status": "created"' && rt delete --force c1 && same "$before" "$(host_state)" || return 1
	done
}
check "40 times two create with one id: one wins, the other says why" race
race_delete() {
	local n a b
	for ((n = 0; n < 20; n++)); do
		quiet rt run -d -b "$bundle" c1 || return 1
		rt delete --force c1 >"$work/race1" 2>&1 & a=$!
		rt delete --force c1 >"$work/race2" 2>&1 & b=$!
		wait $a || { cat "$work/race1"; return 1; }
		wait $b || { cat "$work/race2"; return 1; }
		same "$before" "$(host_state)" || return 1
	done
}
check "20 times two delete --force at once: both succeed, nothing is left" race_delete
race_start() {
	local n a b wins
	for ((n = 0; n < 20; n++)); do
		quiet rt create -b "$bundle" c1 || return 1
		rt start c1 >"$work/race1" 2>&1 & a=$!
		rt start c1 >"$work/race2" 2>&1 & b=$!
		wins=0
		wait $a && wins=$((wins + 1))
		wait $b && wins=$((wins + 1))
		same 1 $wins && contains "$(cat "$work/race1" "$work/race2")" "cannot start an already running container" && rt delete --force c1 || return 1
	done
}
check "20 times two start at once: one wins" race_start
check "nothing is left" same "$before" "$(host_state)"

tap_end

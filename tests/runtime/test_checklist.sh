#!/bin/bash
# tests/runtime/test_checklist.sh: what the other files do not ask: whole lists of the specification, and questions that
# users of other runtimes have asked. Needs root.
# timeout: 300
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
begin
many=(m{1..30})
trap 'for id in c1 "${many[@]}"; do rt delete -f "$id"; done >/dev/null 2>&1; rmdir /sys/fs/cgroup/*"${CGROUP%/c1}" 2>/dev/null; rm -rf "$work"' EXIT
before=$(host_state)

## Whole lists

options="async atime bind defaults dev diratime dirsync exec iversion lazytime loud noatime nodev nodiratime noexec noiversion
nolazytime norelatime nostrictatime nosuid private rbind relatime remount ro rprivate rshared rslave runbindable rw shared silent
slave strictatime suid sync unbindable mand nomand tmpcopyup nosymfollow symfollow ratime rdev rdiratime relatime rexec rnoatime
rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow rrelatime rro rrw rstrictatime rsuid rsymfollow idmap ridmap"
missing() { "$runtime" features | python3 -c 'import json, sys; print(*sorted(set(sys.argv[1].split()) - set(json.load(sys.stdin)["mountOptions"])))' "$options"; }
check "features: mountOptions: every option of the specification" same "" "$(missing)"
architectures() {
	local a
	for a in $("$runtime" features | python3 -c 'import json, sys; print(*json.load(sys.stdin)["linux"]["seccomp"]["archs"])'); do
		config 'del c["annotations"]' "l['seccomp'] = {'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': ['$a']}"
		rt run -b "$bundle" c1 || { echo "$a"; return 1; }
	done
}
check "linux.seccomp.architectures: each that features names" architectures
capabilities() {
	ALL=$("$runtime" features | python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)["linux"]["capabilities"]))') \
		config 'p["capabilities"] = {k: json.loads(os.environ["ALL"]) for k in ("bounding", "effective", "permitted")}; p["args"] = ["grep", "CapBnd", "/proc/self/status"]'
	rt run -b "$bundle" c1 2>/dev/null
}
check "process.capabilities: each that features names and this machine has" same "$(grep CapBnd /proc/self/status)" "$(capabilities)"

## seccomp and calls that are newer than a profile

tools='c["mounts"] += [mount(d, "bind", d, "rbind", "ro") for d in ("/usr", "/lib", "/lib64") if os.path.exists(d)]'
call() { in_container "python3 -c 'import ctypes, os; l = ctypes.CDLL(None, use_errno=True); r = l.syscall($1, 0, 0, 0, 0, 0); print(os.strerror(ctypes.get_errno()))'" "$tools"; }
check "linux.seccomp: a call newer than the profile gives ENOSYS" same "Function not implemented" "$(call 1000)"
check "linux.seccomp: one that the profile knows and forbids gives EPERM" same "Operation not permitted" "$(call 165)"

## Namespaces as engines of today send them

new_time='l["namespaces"].append({"type": "time"})'
check "linux.namespaces: a time namespace without offsets" lacks "$(in_container 'readlink /proc/self/ns/time' "$new_time")" "$(readlink /proc/self/ns/time)"
clock() { in_container 'cut -d. -f1 /proc/uptime' "$new_time"; }
near() {
	local host there
	host=$(cut -d. -f1 /proc/uptime)
	there=$(clock)
	((there >= host && there <= host + 60)) || { echo "$host, $there"; return 1; }
}
check "linux.namespaces: ...in which the clocks are the host's" near
config "$new_time" 'p["args"] = ["sleep", "1000"]'
quiet rt run -d -b "$bundle" c1
check "linux.namespaces: ...and exec is in it" same "$(readlink "/proc/$(rt ps -f json c1 | tr -d '[] \n')/ns/time")" "$(rt exec c1 readlink /proc/self/ns/time)"
check "linux.namespaces: ...delete" rt delete -f c1

## What is not of the specification

check "a property that is not specified (landlock) is ignored" same fine "$(in_container 'echo fine' 'p["landlock"] = {"ruleset": {"handledAccessFS": ["read_file"]}}; l["landlock"] = {}')"

## What was there before stays

tree() { (cd "$work" && find bundle volume -printf '%p %y %m %U %G %s\n' | sort); }
mkdir -p "$work/volume/dir"
echo data >"$work/volume/file"
config 'p["args"] = ["true"]' "c['mounts'] += [mount('/mnt', 'bind', '$work/volume', 'rbind')]"
mkdir -p "$bundle"/rootfs/{mnt,proc,sys,dev}
was=$(tree)
check "delete: bundle, root and volumes are as before" same "$was" "$(quiet rt create -b "$bundle" c1; rt start c1; rt delete -f c1; tree)"
if [[ -d /sys/fs/cgroup/memory ]]; then
	mkdir -p "/sys/fs/cgroup/memory$CGROUP"
	config
	rt run -b "$bundle" c1
	check "delete: a group of others is left there" test -d "/sys/fs/cgroup/memory$CGROUP"
	rmdir "/sys/fs/cgroup/memory$CGROUP"
fi

## The cost of one container among many

# System calls of run (with the container's own making), create, start and delete that look at files: none of them may
# depend on what else is on the host. (-f would wait for a created container's process.)
calls() {
	: >"$work/$1"
	traced() { strace "${@:2}" </dev/null >/dev/null 2>&1; cat "$work/trace" >>"$work/$1"; }
	traced "$1" -f -o "$work/trace" "$runtime" --root "$state" run -b "$bundle" c1
	traced "$1" -o "$work/trace" "$runtime" --root "$state" create -b "$bundle" c1
	traced "$1" -o "$work/trace" "$runtime" --root "$state" start c1
	traced "$1" -o "$work/trace" "$runtime" --root "$state" delete -f c1
	grep -cE '\<(open|openat|openat2|read|getdents64|readlink|stat|statx|newfstatat|mount|write|unlinkat|mkdirat)\(' "$work/$1"
}
if type -P strace >/dev/null; then
	config 'p["args"] = ["true"]'
	calls warm >/dev/null
	alone=$(calls alone)
	for id in "${many[@]}"; do
		CGROUP=${CGROUP%/c1}/$id config 'p["args"] = ["sleep", "1000"]'
		quiet rt run -d -b "$bundle" "$id"
	done
	config 'p["args"] = ["true"]'
	among=$(calls among)
	few() {
		((among <= alone + 12 && among > 50)) && return 0
		echo "alone $alone, among ${#many[@]}: $among"
		diff "$work/alone" "$work/among"
		return 1
	}
	check "create, start, delete: no more work with ${#many[@]} containers on the host" few
	check "create, start, delete: nobody reads the host's table of mounts" lacks "$(cat "$work/among")" mountinfo
	for id in "${many[@]}"; do rt delete -f "$id"; done
fi
check "nothing is left" same "$before" "$(host_state)"
tap_end

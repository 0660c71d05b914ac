#!/bin/bash
# tests/clients/test_containerd.sh: Debian's containerd, its shim io.containerd.runc.v2 with coracle-runtime as its binary.
# timeout: 600
set -uo pipefail
# shellcheck source=tests/clients/lib.sh
. "$(dirname "$0")/lib.sh"
needs containerd ctr

# names of containers are names of control groups, and another of these may run now
export CONTAINERD_NAMESPACE=coracle-$$
cat >"$work/config.toml" <<-CONF
	version = 2
	root = "$work/root"
	state = "$work/state"
	disabled_plugins = ["io.containerd.grpc.v1.cri"]
	[grpc]
	address = "$work/sock"
CONF
# With --uidmap, ctr 1.6 forgets --runc-binary and the shim looks for "runc".
mkdir "$work/bin"
ln -s "$runtime" "$work/bin/runc"
PATH=$work/bin:$PATH containerd -c "$work/config.toml" >"$work/log" 2>&1 &
daemon=$!

ctr() { command ctr -a "$work/sock" "$@"; }
run() { ctr run --runtime io.containerd.runc.v2 --runc-binary "$runtime" --snapshotter native "$@"; }
# ctr stops reading a task's output when the task has ended, and its shim's log files lose what comes on two descriptors at
# once: on a busy machine they lose the output of short programs, with every runtime. So what a program says comes by a
# file, which is whole when it has ended; where it must come by ctr, the program outlives its words.
mkdir -m 1777 "$work/said"
outlived='; sleep 1'
once() { # [OPTION]... SCRIPT
	local id=once-$BASHPID-$RANDOM code=0
	run --rm --mount "type=bind,src=$work/said,dst=/said,options=rbind:rw" "${@:1:$#-1}" "$image" "$id" sh -c "{ ${*: -1}; } >/said/$id 2>&1" 2>&1 || code=$?
	cat "$work/said/$id"
	return $code
}
inside() { ctr tasks exec --exec-id "e$BASHPID-$RANDOM" "$@"; }

check 'containerd is up' eventually ctr version
check 'import' ctr images import --snapshotter native "$fixtures/busybox.oci.tar"
image=$(ctr images ls -q)
check 'run' same hello "$(run --rm "$image" hello sh -c "echo hello$outlived" 2>&1)"
check 'run: the exit code' gives 7 once 'exit 7'
check 'run: a program that is not there' contains "$(run --rm "$image" missing nosuch 2>&1)" 'executable file not found in $PATH'
check 'run --read-only' contains "$(once --read-only 'touch /x')" 'Read-only file system'
check 'run --memory-limit' same 67108864 "$(once --memory-limit 67108864 --mount type=cgroup,src=cgroup,dst=/sys/fs/cgroup,options=ro "$memory_limit")"
check 'run --uidmap: a user namespace' contains "$(once --uidmap 0:100000:65536 --gidmap 0:100000:65536 'cat /proc/self/uid_map')" '0     100000      65536'
check 'run --seccomp' contains "$(once --seccomp 'cat /proc/self/status')" $'Seccomp:\t2'
check 'run --privileged' contains "$(once --privileged 'cat /proc/self/status')" $'CapBnd:\t000001ff'
check 'run -t: a terminal' contains "$(on_terminal ctr -a "$work/sock" run --runtime io.containerd.runc.v2 --runc-binary "$runtime" --snapshotter native --rm -t "$image" term sh -c "tty$outlived")" /dev/pts/0
check 'run --cpus --cpu-shares' same '50000 512' \
	"$(echo $(once --cpus 0.5 --cpu-shares 512 --mount type=cgroup,src=cgroup,dst=/sys/fs/cgroup,options=ro 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.shares 2>/dev/null || echo 50000 512'))"
check 'run --device' contains "$(once --device /dev/fuse 'ls -l /dev/fuse; : <>/dev/fuse && echo opened')" '10, 229' opened
check 'run --cap-drop' lacks "$(once --cap-drop CAP_CHOWN 'cat /proc/self/status')" $'CapEff:\t00000000a80425fb'
check 'run --net-host' same "$(readlink /proc/self/ns/net)" "$(once --net-host 'readlink /proc/self/ns/net')"
check 'run --cwd --env' same '/tmp x' "$(once --cwd /tmp --env A=x 'echo $(pwd) $A')"
check 'run --with-ns' same "$(readlink /proc/self/ns/uts)" "$(once --with-ns uts:/proc/$$/ns/uts 'readlink /proc/self/ns/uts')"
check 'run --annotation' gives 0 once --annotation a=b true
check 'run: out of memory is 137' gives 137 once --memory-limit 16777216 'tail /dev/zero'

run -d "$image" long sh -c "$waits" >/dev/null
check 'tasks ls: running' contains "$(ctr tasks ls)" long RUNNING
check 'tasks exec' contains "$(inside long sh -c "id$outlived")" 'uid=0(root)'
check 'tasks exec: the exit code' gives 3 inside long sh -c 'exit 3'
check 'tasks exec -t' contains "$(on_terminal ctr -a "$work/sock" tasks exec -t --exec-id e3 long sh -c "tty$outlived")" /dev/pts/
check 'tasks exec --user --cwd' same '1000 /tmp' "$(inside --user 1000 --cwd /tmp long sh -c 'echo $(id -u) $(pwd)'"$outlived")"
check 'tasks exec --detach' ctr tasks exec --detach --exec-id e5 long sh -c 'echo $$ >/tmp/detached'
check 'tasks exec --detach: it has run' eventually ctr tasks exec --exec-id "e6-$RANDOM" long test -s /tmp/detached
check 'tasks ps' contains "$(ctr tasks ps long)" PID "$(ctr tasks ls | awk '$1 == "long" { print $2 }')"
check 'tasks metrics' contains "$(ctr tasks metrics long)" memory cpu
check 'tasks pause' ctr tasks pause long
check 'tasks ls: paused' contains "$(ctr tasks ls)" PAUSED
check 'tasks resume' ctr tasks resume long
check 'tasks kill' ctr tasks kill -s TERM long
stopped() { ctr tasks ls | grep -q STOPPED; }
check 'tasks ls: stopped' eventually stopped
check 'tasks rm: with the exit code of the program' contains "$(ctr tasks rm long 2>&1)" 'exit code 5'
check 'containers rm' ctr containers rm long
# a user namespace, for as long as it takes
run -d --uidmap 0:100000:65536 --gidmap 0:100000:65536 "$image" mapped sh -c "$waits" >/dev/null
check 'user namespace: tasks exec' contains "$(inside mapped sh -c "id; cat /proc/self/uid_map$outlived")" 'uid=0(root)' 100000
check 'user namespace: tasks exec -t' contains "$(on_terminal ctr -a "$work/sock" tasks exec -t --exec-id m2 mapped sh -c "tty$outlived")" /dev/pts/
check 'user namespace: tasks pause, resume' eval 'ctr tasks pause mapped && ctr tasks resume mapped'
check 'user namespace: tasks kill' ctr tasks kill -s KILL mapped
check 'user namespace: tasks ls: stopped' eventually stopped
check 'user namespace: tasks rm' contains "$(ctr tasks rm mapped 2>&1)" 'exit code 137'
check 'user namespace: containers rm' ctr containers rm mapped
check 'nothing is left: mounts' same '' "$(mounts)"
check 'nothing is left: processes' no_processes
groups() { find /sys/fs/cgroup -mindepth 2 -type d -path "*/$CONTAINERD_NAMESPACE/*" 2>/dev/null; }
check 'nothing is left: control groups' same '' "$(groups)"
find /sys/fs/cgroup -depth -type d -name "$CONTAINERD_NAMESPACE" -exec rmdir {} + 2>/dev/null
tap_end

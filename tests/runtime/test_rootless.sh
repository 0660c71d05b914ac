#!/bin/bash
# tests/runtime/test_rootless.sh: coracle-runtime as an ordinary user: alone with one mapping, with newuidmap and
# newgidmap, as root of a user namespace; and as a root without CAP_SYS_RESOURCE. Needs root, to become that user.
# timeout: 300
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
if [[ ${CORACLE_ROOTLESS-} == "" && $EUID == 0 ]]; then
	# a passwd, subuid and subgid of our own: not the host's to change
	export CORACLE_ROOTLESS=1
	exec unshare -m bash -c 'mount --make-rprivate / && t=$(mktemp -d) && mount -t tmpfs etc "$t" && mkdir "$t/up" "$t/work" &&
		mount -t overlay -o "lowerdir=/etc,upperdir=$t/up,workdir=$t/work" etc /etc && umount -l "$t" && rmdir "$t" && exec bash "$0"' "${BASH_SOURCE[0]}"
fi
source "$here/lib.sh"
begin
command -v setpriv >/dev/null || skip_all "setpriv is not installed"
uid=12345
echo "walker:x:$uid:$uid::/nonexistent:/bin/sh" >>/etc/passwd
echo "walker:x:$uid:" >>/etc/group
echo "walker:200000:1000" >/etc/subuid
echo "walker:300000:1000" >/etc/subgid
# the build may lie where only root can go
cp "$runtime" "$work/coracle-runtime"
trap 'user rt delete -f c1 >/dev/null 2>&1; rmdir /sys/fs/cgroup/*"${CGROUP%/c1}" 2>/dev/null; rm -rf "$work"' EXIT
chmod 755 "$work" "$work/coracle-runtime"
mkdir "$work/run" "$work/readable"
echo hello >"$work/readable/file"
chown -R $uid:$uid "$work"

# user COMMAND...: as the user, with no capability and no further group. rt is the runtime with the user's own state.
user() {
	[[ $1 == rt ]] && set -- timeout 60 "$work/coracle-runtime" --root "$state" "${@:2}"
	env -u XDG_RUNTIME_DIR HOME=/ setpriv --reuid $uid --regid $uid --clear-groups --inh-caps=-all "${confined[@]}" "$@"
}
confined=()
# what a user can have: a user namespace, no gid that is not mapped, no control group
rootless='l["namespaces"].append({"type": "user"}); del l["cgroupsPath"]; c["mounts"][2]["options"].remove("gid=5")'
one="$rootless; one = lambda i: [{'containerID': 0, 'hostID': i, 'size': 1}]; l['uidMappings'] = one($uid); l['gidMappings'] = one($uid)"
many="$rootless; many = lambda s: [{'containerID': 0, 'hostID': $uid, 'size': 1}, {'containerID': 1, 'hostID': s, 'size': 1000}]; l['uidMappings'] = many(200000); l['gidMappings'] = many(300000)"
# in_rootless SCRIPT [STATEMENT]...: what a shell in the user's container prints
in_rootless() {
	SCRIPT=$1 config "$maps" 'p["args"] = sh(os.environ["SCRIPT"])' "${@:2}"
	user rt run --bundle "$bundle" c1 2>&1
}
state_of() { user rt state c1 | python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

## One mapping, no helper

maps=$one
before=$(host_state)
out=$(in_rootless 'id -u; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; cat /proc/mounts; echo x >/dev/null && echo null; cat /proc/self/status; touch /data/mine; for n in pid net mnt ipc uts cgroup user; do readlink /proc/self/ns/$n; done')
check "rootless: root inside by one mapping" contains "$out" $'0\n         0      12345          1\n         0      12345          1\ndeny'
check "rootless: mounts and devices are there" contains "$out" "proc /proc proc" "/dev/pts devpts" "sysfs /sys sysfs ro" "/dev/mqueue mqueue" $'\nnull\n'
check "rootless: capabilities and seccomp are config.json's" contains "$out" $'CapEff:\t00000000a80425fb' $'Seccomp:\t2'
fresh() { local ns; for ns in pid net mnt ipc uts cgroup user; do contains "$out" "$ns:[" && lacks "$out" "$(readlink /proc/self/ns/$ns)" || return 1; done; }
check "rootless: all namespaces are new" fresh
check "rootless: files made inside are the user's" same "$uid" "$(stat -c %u "$bundle/rootfs/data/mine")"
check "rootless: cgroup mount shows the hierarchies" contains "$(in_rootless 'cat /proc/mounts')" "/sys/fs/cgroup/"
check "rootless: bind mount, read-only" contains "$(in_rootless 'cat /mnt/file; touch /mnt/x' "c['mounts'].append(mount('/mnt', 'bind', '$work/readable', 'rbind', 'ro'))")" hello "Read-only"
coproc agent { exec python3 "$here/seccomp_agent.py" "$work/agent.sock" "$work/agent.log"; }
agent_pid=$agent_PID
read -r _ <&"${agent[0]}"
chmod 777 "$work/agent.sock"
notify() { echo "c.pop('annotations', None); l['seccomp'] = {'defaultAction': 'SCMP_ACT_ALLOW', 'listenerPath': '$work/agent.sock', 'syscalls': [{'names': ['$1'], 'action': 'SCMP_ACT_NOTIFY'}]}"; }
check "rootless: linux.seccomp: SCMP_ACT_NOTIFY reaches the agent" contains "$(in_rootless 'mkdir /tmp/x' "$(notify mkdir)")" "No medium found"
check "rootless: SCMP_ACT_NOTIFY for sendmsg, which hands the listener over, is refused" contains "$(in_rootless true "$(notify sendmsg)")" "cannot be used for the sendmsg syscall"
kill $agent_pid
wait $agent_pid 2>/dev/null
check "rootless: nothing is left" same "$before" "$(host_state)"

config "$one" 'del c["linux"]["uidMappings"], c["linux"]["gidMappings"]; l["namespaces"].pop()'
check "rootless: without a user namespace the error says so (runc's words)" fails "rootless container requires user namespaces" user rt run -b "$bundle" c1
config "$one" 'l["resources"]["memory"] = {"limit": 100000000}'
check "rootless: a limit without a delegated cgroup is an error (runc's words)" fails "cannot set memory limit: container could not join or create cgroup" user rt run -b "$bundle" c1
config "$one" 'l["resources"]["pids"] = {"limit": 10}'
check "rootless: and for pids" fails "cannot set pids limit" user rt run -b "$bundle" c1
config "$one" 'l["cgroupsPath"] = "/coracle-test-nobody/x"'
check "rootless: a cgroupsPath that cannot be made is an error (as runc)" fails "make the cgroup" user rt run -b "$bundle" c1
config "$one" 'p["user"]["additionalGids"] = [5]'
check "uidMappings: additional groups where setgroups is denied" fails "cannot set any additional groups in a rootless container" user rt run -b "$bundle" c1
config "$one" 'c["mounts"][2]["options"].append("gid=5")'
check "uidMappings: a mount option with a gid that is not mapped is named" fails "this gid is not in linux.gidMappings" user rt run -b "$bundle" c1
config "$one" "c['mounts'].append(mount('/mnt', 'bind', '$work/readable', 'bind', 'idmap'))"
check "idmap: not for rootless (runc's words)" fails "id-mapped mounts are not supported for rootless containers" user rt run -b "$bundle" c1
check "rootless: nothing is left after failures" same "$before" "$(host_state)"

config "$one" 'p["args"] = sh("trap \"exit 7\" TERM; echo up > /data/up; while :; do sleep 0.1; done")'
quiet user rt create --pid-file "$work/pid" -b "$bundle" c1
check "rootless: create, then state: created" same created "$(state_of status)"
# while it waits it is our binary: nobody but root may open what it runs
check "rootless: the waiting process does not show its executable" fails "Permission denied" user ls -l "/proc/$(cat "$work/pid")/exe"
check "rootless: start" user rt start c1
check "rootless: state: running" same running "$(state_of status)"
check "rootless: exec joins user and pid namespaces" same "0 $(readlink "/proc/$(cat "$work/pid")/ns/user") $(readlink "/proc/$(cat "$work/pid")/ns/pid")" \
	"$(user rt exec c1 sh -c 'echo $(id -u) $(readlink /proc/self/ns/user) $(readlink /proc/self/ns/pid)' 2>&1)"
check "rootless: exec: exit status" same 5 "$(user rt exec c1 sh -c 'exit 5'; echo $?)"
check "rootless: exec -t has a terminal" contains "$(user rt exec -t c1 tty </dev/null 2>&1)" /dev/pts/
check "rootless: exec -d with a pid file" quiet user rt exec -d --pid-file "$work/pid2" c1 sleep 1000
check "rootless: ...its process is in the container" same "$(readlink "/proc/$(cat "$work/pid")/ns/pid")" "$(readlink "/proc/$(cat "$work/pid2")/ns/pid")"
check "rootless: list" contains "$(user rt list)" c1 running
check "rootless: kill" user rt kill c1 TERM
for ((i = 0; i < 500; i++)); do [[ $(state_of status) == stopped ]] && break; sleep 0.02; done
check "rootless: state: stopped" same stopped "$(state_of status)"
check "rootless: delete" user rt delete c1
quiet user rt run -d -b "$bundle" c1
check "rootless: delete -f of a running container" user rt delete -f c1
check "rootless: nothing is left of it" same "$before" "$(host_state)"
config "$one"
check "--root: XDG_RUNTIME_DIR for a user without it" same "coracle" "$(setpriv --reuid $uid --regid $uid --clear-groups --inh-caps=-all \
	env XDG_RUNTIME_DIR="$work/run" "$work/coracle-runtime" run -b "$bundle" c1 2>&1; ls "$work/run")"

## Many mappings, by newuidmap and newgidmap

if command -v newuidmap newgidmap >/dev/null; then
	maps=$many
	touch "$bundle/rootfs/data/theirs"; chown $uid:$uid "$bundle/rootfs/data/theirs"
	out=$(in_rootless 'cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; chown 33:34 /data/theirs && stat -c %u:%g /data/theirs')
	check "uidMappings: newuidmap and newgidmap map the user's subordinate ids" contains "$(echo $out)" "0 12345 1 1 200000 1000 0 12345 1 1 300000 1000 allow 33:34"
	check "uidMappings: on the host they are the subordinate ids" same "200032:300033" "$(stat -c %u:%g "$bundle/rootfs/data/theirs")"
	out=$(in_rootless 'id -u; id -G; cat /proc/self/setgroups' 'p["user"] = {"uid": 33, "gid": 34, "additionalGids": [27]}')
	check "uidMappings: user and additional groups among the mapped" same "33 34 27 allow" "$(echo $out)"
	check "devpts gid=5 when 5 is mapped" contains "$(in_rootless 'cat /proc/mounts' 'c["mounts"][2]["options"].append("gid=5")')" "gid=300004"
	config "$many" 'l["uidMappings"][1]["hostID"] = 500000'
	check "uidMappings: ids that are not the user's: newuidmap's reason, one line" fails "linux.uidMappings: newuidmap failed: " user rt run -b "$bundle" c1
	config "$many"
	check "uidMappings: without the helper the error names it" fails "needs the program newuidmap" user env PATH=/nowhere "$work/coracle-runtime" --root "$state" run -b "$bundle" c1
else
	echo "ok $((++tap_count)) - newuidmap # SKIP package uidmap is not installed"
fi
check "rootless: nothing is left of the helpers' containers" same "$before" "$(host_state)"

## root of a user namespace: as rootless engines call us

inside() { user unshare -Urm "$@" 2>&1; }
config 'del l["cgroupsPath"]; c["mounts"][2]["options"].remove("gid=5")'
SCRIPT='id -u; cat /proc/self/uid_map; ls -l /dev/null' config 'del l["cgroupsPath"]; c["mounts"][2]["options"].remove("gid=5"); p["args"] = sh(os.environ["SCRIPT"])'
out=$(inside "$work/coracle-runtime" --root "$state" run -b "$bundle" c1)
check "root of a user namespace: no namespace of its own, devices bound" contains "$out" "12345          1" "/dev/null"
session() { inside env -u USER "XDG_RUNTIME_DIR=$work/run3" "$@" "$work/coracle-runtime" run -b "$bundle" c1; }
check "--root: XDG_RUNTIME_DIR for root of a user namespace" contains "$(user mkdir "$work/run3"; session; ls "$work/run3")" "12345          1" coracle
check "--root: not where USER is root" fails "make the state directory /run/coracle/runtime/c1: Permission denied" session USER=root
SCRIPT='ls /sys/fs/cgroup/*/cgroup.procs' config 'del l["cgroupsPath"]; c["mounts"][2]["options"].remove("gid=5"); p["args"] = sh(os.environ["SCRIPT"])' 'l["namespaces"] = [n for n in l["namespaces"] if n["type"] != "cgroup"]'
[[ $(stat -fc %T /sys/fs/cgroup) == cgroup2fs ]] ||
	check "root of a user namespace: cgroup mount with the host's cgroup namespace: the groups that it is in" contains "$(inside "$work/coracle-runtime" --root "$state" run -b "$bundle" c1)" /sys/fs/cgroup/memory/ /sys/fs/cgroup/pids/
config 'del l["cgroupsPath"]; c["mounts"][2]["options"].remove("gid=5"); l["resources"]["cpu"] = {"shares": 100}'
check "root of a user namespace: a limit is an error" contains "$(inside "$work/coracle-runtime" --root "$state" run -b "$bundle" c1)" "cannot set cpu limit"
config 'l["resources"]["unified"] = {"a": "b"}'
check "root of the host: a cgroup that cannot be made is never left out" fails "linux.resources.unified" rt run -b "$bundle" c1

## root without CAP_SYS_RESOURCE

poor() { setpriv --bounding-set -sys_resource --inh-caps=-all "$@"; }
check "without CAP_SYS_RESOURCE: a default container runs" same "fine" "$(config 'p["args"] = ["echo", "fine"]'; poor "$work/coracle-runtime" --root "$work/state2" run -b "$bundle" c1 2>&1)"
config 'p["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 64, "hard": 100}]' 'p["args"] = sh("ulimit -Hn")'
check "without CAP_SYS_RESOURCE: limits can be lowered" same "100" "$(poor "$work/coracle-runtime" --root "$work/state2" run -b "$bundle" c1 2>&1)"
raise() { (ulimit -n 500 && poor "$work/coracle-runtime" --root "$work/state2" run -b "$bundle" c1); }
config 'p["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 600, "hard": 600}]'
check "without CAP_SYS_RESOURCE: one that cannot be raised is named" fails "process.rlimits" raise
check "nothing is left" same "$before" "$(host_state)"

tap_end

#!/bin/bash
# tests/runtime/test_cgroup_v2.sh: containers in a pure cgroup v2 hierarchy. On a host that is not one already, the
# hybrid host's unified hierarchy is shown as /sys/fs/cgroup in a mount namespace of our own. Needs root.
# timeout: 600
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
if [[ $(stat -fc %T /sys/fs/cgroup) != cgroup2fs && ${CORACLE_V2-} == "" && $EUID == 0 ]]; then
	[[ $(stat -fc %T /sys/fs/cgroup/unified 2>/dev/null) == cgroup2fs ]] || { echo "1..0 # SKIP no cgroup v2 on this host"; exit 0; }
	export CORACLE_V2=1
	exec unshare -m bash -c 'mount --make-rprivate / && mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup && exec bash "$0"' "${BASH_SOURCE[0]}"
fi
source "$here/lib.sh"
begin
trap 'rt delete -f c1 >/dev/null 2>&1; rmdir "/sys/fs/cgroup${CGROUP%/c1}" 2>/dev/null; rm -rf "$work"' EXIT
before=$(host_state)

out=$(in_container 'cat /proc/self/cgroup; cat /proc/mounts; cat /sys/fs/cgroup/cgroup.procs; touch /sys/fs/cgroup/x')
check "the container is in its own group" contains "$out" "0::/"
check "and sees it as the root, read-only" contains "$out" "cgroup /sys/fs/cgroup cgroup2 ro," $'\n1\n' "Read-only file system"
out=$(in_container 'mknod /tmp/kmsg c 1 11; (: < /tmp/kmsg) && echo opened; echo x > /dev/null && echo null; head -c1 /dev/zero | wc -c' "$syslog"; rm -f "$bundle/rootfs/tmp/kmsg")
check "the device program: kmsg refused, null and zero allowed" contains "$out" "Operation not permitted" null $'\n1'
out=$(in_container 'mknod /tmp/kmsg c 1 11; : < /tmp/kmsg && echo opened' "$syslog" 'l["resources"]["devices"] = [{"allow": True, "access": "rwm"}]'; rm -f "$bundle/rootfs/tmp/kmsg")
check "all devices for a privileged container" same opened "$out"
check "host cgroup namespace: the path is seen" contains "$(in_container 'cat /proc/self/cgroup' 'l["namespaces"] = [n for n in l["namespaces"] if n["type"] != "cgroup"]')" "${CGROUP#/}"
config 'l["resources"]["unified"] = {"nosuch.file": "1"}'
check "a file that is not there is an error with its name" fails nosuch.file rt create -b "$bundle" c1
config 'l["resources"]["network"] = {"classID": 5}'
check "network classes are refused on v2" fails "no network controller" rt create -b "$bundle" c1
if [[ $(cat /sys/fs/cgroup/cgroup.controllers) == *memory* ]]; then
	out=$(in_container 'cd /sys/fs/cgroup; echo $(cat memory.max memory.swap.max memory.low pids.max cpu.weight cpu.max)' 'l["resources"].update({"memory": {"limit": 67108864, "swap": 100663296, "reservation": 1048576}, "pids": {"limit": 50}, "cpu": {"shares": 1024, "quota": 20000, "period": 50000}})')
	check "memory, pids and cpu limits" same "67108864 33554432 1048576 50 100 20000 50000" "$out"
else
	echo "ok $((++tap_count)) - memory, pids and cpu limits # SKIP no controllers in this hierarchy"
fi
config 'p["args"] = sh("sleep 1000 & sleep 1000 & wait")'
quiet rt run -d --pid-file "$work/pid" -b "$bundle" c1
check "exec lands in the group" contains "$(rt exec c1 cat /proc/self/cgroup)" "0::/"
check "pause" rt pause c1
check "paused" contains "$(rt state c1)" '"status": "paused"'
check "frozen for the kernel" contains "$(cat "/sys/fs/cgroup$CGROUP/cgroup.events")" "frozen 1"
check "delete -f of a paused container with children" rt delete -f c1
gone() { [[ ! -e /proc/$1 || $(cut -d" " -f3 "/proc/$1/stat" 2>/dev/null) != [RSDT] ]]; }
check "its first process is gone" gone "$(cat "$work/pid")"
mkdir -p "/sys/fs/cgroup$CGROUP"
check "a group made by others is used" same "there" "$(in_container 'echo there')"
check "and left there" test -d "/sys/fs/cgroup$CGROUP"
for _ in 1 2 3; do quiet rt run -b "$bundle" c1; done
check "with no programs piling up in it" rt run -b "$bundle" c1
sleep 1000 & sleeper=$!
echo $sleeper >"/sys/fs/cgroup$CGROUP/cgroup.procs"
check "a group with processes is refused" fails "is not empty" rt run -b "$bundle" c1
kill $sleeper; wait $sleeper 2>/dev/null
rmdir "/sys/fs/cgroup$CGROUP"
check "nothing is left" same "$before" "$(host_state)"

tap_end

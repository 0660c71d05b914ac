#!/bin/bash
# tests/runtime/test_cgroup_v1.sh: control groups on hosts with v1 hierarchies (hybrid too): limits, paths, low memory,
# groups inside the container's, what is left behind. Needs root.
# timeout: 180
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
begin
[[ $(stat -fc %T /sys/fs/cgroup/memory 2>/dev/null) == cgroupfs ]] || skip_all "no cgroup v1 on this host"
root=/sys/fs/cgroup
trap 'rt delete -f c1 >/dev/null 2>&1; kill $(jobs -p) 2>/dev/null; find $root -depth -type d -path "*${CGROUP%/c1}*" -exec rmdir {} \; 2>/dev/null; rm -rf "$work"' EXIT
before=$(host_state)
disk=$(lsblk -dnro MAJ:MIN,TYPE 2>/dev/null | sed -n 's/ disk$//p;T;q')

# limits RESOURCES FILE...: what the files say in a container with these resources.
limits() {
	local resources=$1 file
	shift
	config 'p["args"] = ["sleep", "1000"]' "l['resources'].update($resources)"
	quiet rt create -b "$bundle" c1 || return 1
	for file; do cat "$root/${file%%/*}$CGROUP/${file#*/}"; done | tr '\n' ' '
	rt delete -f c1
}
bad() { config "${@:3}"; check "$1" fails "$2" quiet rt create -b "$bundle" c1; rt delete -f c1 2>/dev/null; }

## linux.resources

check "linux.resources.memory: limit, swap, reservation, swappiness" same "67108864 134217728 33554432 10 " \
	"$(limits '{"memory": {"limit": 67108864, "swap": 134217728, "reservation": 33554432, "swappiness": 10}}' memory/memory.{limit_in_bytes,memsw.limit_in_bytes,soft_limit_in_bytes,swappiness})"
check "linux.resources.memory.limit: -1 is no limit" same "9223372036854771712 " "$(limits '{"memory": {"limit": -1}}' memory/memory.limit_in_bytes)"
check "linux.resources.memory.disableOOMKiller" contains "$(limits '{"memory": {"limit": 67108864, "disableOOMKiller": True}}' memory/memory.oom_control)" "oom_kill_disable 1"
check "linux.resources.memory: kernel and kernelTCP are ignored with a warning" contains "$(in_container true 'l["resources"]["memory"] = {"kernelTCP": 4096}')" "level=warning" "linux.resources.memory.kernel"
check "linux.resources.memory: kernel, kernelTCP, useHierarchy, checkBeforeUpdate are accepted" same "67108864 " \
	"$(limits '{"memory": {"limit": 67108864, "kernel": 4096, "kernelTCP": 4096, "useHierarchy": True, "checkBeforeUpdate": True}}' memory/memory.limit_in_bytes)"
bad "linux.resources.memory.swappiness: beyond 100 is an error" "linux.resources.memory.swappiness: invalid value 101" 'l["resources"]["memory"] = {"swappiness": 101}'
bad "linux.resources.memory.swap: below the limit is an error" "linux.resources.memory: write" 'l["resources"]["memory"] = {"limit": 67108864, "swap": 33554432}'
check "linux.resources.cpu: shares, quota, period, burst, cpus, mems" same "300 40000 80000 20000 0 0 " \
	"$(limits '{"cpu": {"shares": 300, "quota": 40000, "period": 80000, "burst": 20000, "cpus": "0", "mems": "0"}}' cpu/cpu.{shares,cfs_quota_us,cfs_period_us,cfs_burst_us} cpuset/cpuset.{cpus,mems})"
check "linux.resources.cpu.idle" same "1 " "$(limits '{"cpu": {"idle": 1}}' cpu/cpu.idle)"
bad "linux.resources.cpu.shares: beyond the kernel's bounds is an error" "the minimum allowed cpu-shares is 2" 'l["resources"]["cpu"] = {"shares": 1}'
if [[ -e $root/cpu/cpu.rt_runtime_us ]]; then
	mkdir -p "$root/cpu${CGROUP%/c1}" && echo 200000 >"$root/cpu${CGROUP%/c1}/cpu.rt_runtime_us"
	check "linux.resources.cpu: realtimePeriod, realtimeRuntime" same "900000 100000 " "$(limits '{"cpu": {"realtimePeriod": 900000, "realtimeRuntime": 100000}}' cpu/cpu.rt_{period,runtime}_us)"
fi
check "without linux.resources.cpu.cpus the cpuset is the one above's" same "$(cat $root/cpuset/cpuset.cpus) " "$(limits '{}' cpuset/cpuset.cpus)"
check "linux.resources.pids.limit" same "30 " "$(limits '{"pids": {"limit": 30}}' pids/pids.max)"
check "linux.resources.pids.limit: -1 is max" same "max " "$(limits '{"pids": {"limit": -1}}' pids/pids.max)"
check "linux.resources.pids.limit: 0 is a limit" same "1 " "$(limits '{"pids": {"limit": 0}}' pids/pids.max)"
check "linux.resources.pids.limit: the program runs under 0 and cannot fork" contains "$(in_container 'echo in; (true); echo out' 'l["resources"]["pids"] = {"limit": 0}')" in "can't fork"
if [[ -n $disk ]]; then
	d="\"major\": ${disk%:*}, \"minor\": ${disk#*:}"
	check "linux.resources.blockIO: throttling by bytes and operations" same "$disk 1000000 $disk 2000000 $disk 300 $disk 400 " \
		"$(limits "{\"blockIO\": {\"throttleReadBpsDevice\": [{$d, \"rate\": 1000000}], \"throttleWriteBpsDevice\": [{$d, \"rate\": 2000000}], \"throttleReadIOPSDevice\": [{$d, \"rate\": 300}], \"throttleWriteIOPSDevice\": [{$d, \"rate\": 400}]}}" blkio/blkio.throttle.{read_bps,write_bps,read_iops,write_iops}_device)"
else
	echo "ok $((++tap_count)) - linux.resources.blockIO: throttling # SKIP no disk"
fi
mkdir "$root/blkio/coracle-probe-$$"
weights=$(ls "$root/blkio/coracle-probe-$$")
rmdir "$root/blkio/coracle-probe-$$"
if [[ $weights == *bfq.weight* ]]; then
	check "linux.resources.blockIO.weight" same "500 " "$(limits '{"blockIO": {"weight": 500}}' blkio/blkio.bfq.weight)"
else
	bad "linux.resources.blockIO.weight: an error where the kernel has no weights" "linux.resources.blockIO: write" 'l["resources"]["blockIO"] = {"weight": 500}'
fi
bad "linux.resources.blockIO.leafWeight: an error where the kernel has no weights" "linux.resources.blockIO: write" 'l["resources"]["blockIO"] = {"leafWeight": 500}'
# without CONTROLLER PROPERTY RESOURCES: a controller that the host lacks
without() {
	if [[ -d $root/$1 ]]; then
		echo "ok $((++tap_count)) - linux.resources.$2 # SKIP this host has $1 mounted"
	else
		bad "linux.resources.$2: an error on a host without $1" "linux.resources.$2: this host has no $1 cgroup" "l['resources'].update($3)"
	fi
}
without hugetlb hugepageLimits '{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}'
without net_cls network.classID '{"network": {"classID": 1048577}}'
without net_prio network.priorities '{"network": {"priorities": [{"name": "lo", "priority": 3}]}}'
without rdma rdma '{"rdma": {"mlx5_0": {"hcaHandles": 3, "hcaObjects": 10}}}'
bad "linux.resources.unified: an error on v1" "linux.resources.unified: cannot be used on cgroup v1" 'l["resources"]["unified"] = {"memory.high": "1"}'
check "linux.resources.devices: none means the default devices" same "b *:* m c *:* m c 136:* rwm c 1:3 rwm c 1:5 rwm c 1:7 rwm c 1:8 rwm c 1:9 rwm c 5:0 rwm c 5:1 rwm c 5:2 rwm" \
	"$(config 'p["args"] = ["sleep", "1000"]' 'del l["resources"]["devices"]'; quiet rt create -b "$bundle" c1; LC_ALL=C sort "$root/devices$CGROUP/devices.list" | tr '\n' ' ' | sed 's/ $//'; rt delete -f c1)"
check "linux.resources.devices: rules apply in order" contains "$(limits '{"devices": [{"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rwm"}, {"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "major": 10, "minor": 200, "access": "rw"}]}' devices/devices.list | sed '/10:229/s/^/too much /')" "c 10:200 rw"
check "linux.resources.devices: an earlier allow is forgotten by deny all" lacks "$(limits '{"devices": [{"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rwm"}, {"allow": False, "access": "rwm"}]}' devices/devices.list)" "10:229"
check "linux.resources.devices: allow all" same "a *:* rwm " "$(limits '{"devices": [{"allow": True, "access": "rwm"}]}' devices/devices.list)"

## linux.cgroupsPath

paths() { config 'p["args"] = ["sleep", "1000"]' "l['cgroupsPath'] = '$1'"; quiet rt create -b "$bundle" c1; cut -d: -f3 "/proc/$(rt state c1 | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')/cgroup" | sort -u | tr '\n' ' '; rt delete -f c1; }
check "linux.cgroupsPath: absolute, the same in every hierarchy" same "$CGROUP " "$(paths "$CGROUP")"
check "linux.cgroupsPath: relative counts from the root too" same "$CGROUP/a/b " "$(paths "${CGROUP#/}/a/b")"
find $root -depth -type d -path "*$CGROUP*" -exec rmdir {} \;
check "linux.cgroupsPath: without one it is /coracle/ID" same "/coracle/c1 " "$(config 'p["args"] = ["sleep", "1000"]' 'del l["cgroupsPath"]'; quiet rt create -b "$bundle" c1; cut -d: -f3 "/proc/$(rt state c1 | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')/cgroup" | sort -u | tr '\n' ' '; rt delete -f c1)"
mkdir -p "$root/memory$CGROUP"
check "linux.cgroupsPath: a group that is there is used" same "there" "$(in_container 'echo there')"
sleep 1000 & sleeper=$!
echo $sleeper >"$root/memory$CGROUP/cgroup.procs"
config
check "linux.cgroupsPath: a group with processes is an error" fails "is not empty" rt run -b "$bundle" c1
kill $sleeper; wait $sleeper 2>/dev/null
rmdir "$root/memory$CGROUP" 2>/dev/null
mkdir -p "$root/freezer$CGROUP" && echo FROZEN >"$root/freezer$CGROUP/freezer.state"
check "linux.cgroupsPath: a frozen group is an error" fails "unexpectedly frozen" rt run -b "$bundle" c1
echo THAWED >"$root/freezer$CGROUP/freezer.state"
rmdir "$root/freezer$CGROUP"

## Little memory: what is made for the container is not charged to it

# On one processor: the kernel charges 64 pages ahead on each that the program visits, all of the second limit, and takes them back from others too late.
processor=$(taskset -cp $$ | sed 's/.*: *//; s/[-,].*//')
for limit in 131072 262144 1048576; do
	check "linux.resources.memory.limit $limit: the program runs" same "small 0" "$(config 'p["args"] = ["/bin/echo", "small"]' "l['resources']['memory'] = {'limit': $limit}"; echo $(taskset -c "$processor" timeout 60 "$runtime" --root "$state" run -b "$bundle" c1 2>&1) $?)"
done
config 'p["args"] = ["/bin/true"]' 'l["resources"]["memory"] = {"limit": 131072}' 'l["namespaces"].append({"type": "user"}); l["uidMappings"] = l["gidMappings"] = [{"containerID": 0, "hostID": 0, "size": 65536}]'
check "linux.resources.memory.limit 131072 with a user namespace" rt run -b "$bundle" c1
config 'p["args"] = ["sleep", "1000"]' 'l["resources"]["memory"] = {"limit": 1048576}'
quiet rt create -b "$bundle" c1
check "linux.resources.memory.limit: the created process is in its group" contains "$(cat "$root/memory$CGROUP/cgroup.procs")" "$(rt state c1 | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')"
check "linux.resources.memory.limit: create, start, exec" same "in" "$(rt start c1; rt exec c1 echo in 2>&1)"
check "linux.resources.memory.limit: its cgroup namespace has the group as root" same "0 4:memory:/" "$(echo 0 $(rt exec c1 grep memory /proc/self/cgroup | sed 's/^[0-9]*/4/'))"
rt delete -f c1
config 'l["resources"]["memory"] = {"limit": 8192}'
check "linux.resources.memory.limit: too low says so (run)" fails "linux.resources.memory.limit" rt run -b "$bundle" c1
quiet rt create -b "$bundle" c1 2>/dev/null
check "linux.resources.memory.limit: too low says so (create or start)" fails "memory.limit" sh -c 'cat "$1"; exec timeout 60 "$2" --root "$3" start c1' sh "$work/out" "$runtime" "$state"
rt delete -f c1

## exec --cgroup

config 'p["args"] = ["sleep", "1000"]'
quiet rt run -d -b "$bundle" c1
for h in "$root"/*; do [[ -d $h && ! -L $h ]] && mkdir -p "$h$CGROUP/sub"; done
cat $root/cpuset$CGROUP/cpuset.cpus >$root/cpuset$CGROUP/sub/cpuset.cpus; cat $root/cpuset$CGROUP/cpuset.mems >$root/cpuset$CGROUP/sub/cpuset.mems
out=$(rt exec --cgroup memory:/sub c1 cat /proc/self/cgroup)
check "exec --cgroup CONTROLLER:PATH: that controller alone" contains "$out" "memory:/sub" "pids:/"$'\n'
out=$(rt exec --cgroup memory,pids:sub --cgroup cpu:sub c1 cat /proc/self/cgroup)
check "exec --cgroup: several" contains "$out" "memory:/sub" "pids:/sub" "cpu:/sub" "devices:/"$'\n'
check "exec --cgroup PATH: all controllers" contains "$(rt exec --cgroup sub c1 cat /proc/self/cgroup)" "memory:/sub" "pids:/sub" "devices:/sub"
check "exec --cgroup: a path out of the container's is an error" fails "is not a sub cgroup path" rt exec --cgroup memory:../.. c1 true
check "exec --cgroup: no such group" fails "No such file" rt exec --cgroup memory:none c1 true
check "exec --cgroup: no such controller" fails "unknown controller nosuch" rt exec --cgroup nosuch:sub c1 true
check "exec --cgroup: a controller twice without one" fails "missing <controller>: prefix" rt exec --cgroup memory:sub --cgroup sub c1 true
check "exec --cgroup: an empty controller" fails "empty <controller> prefix" rt exec --cgroup :sub c1 true

## Processes that are left, groups inside

quiet rt exec -d --cgroup sub c1 sleep 1001
check "ps --format json: processes in groups inside, too" same 2 "$(rt ps -f json c1 | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')"
check "ps: the host's table" contains "$(rt ps c1)" PID "sleep 1000" "sleep 1001"
check "pause: groups inside, too" same "FROZEN FROZEN" "$(rt pause c1; echo $(cat $root/freezer$CGROUP/freezer.state $root/freezer$CGROUP/sub/freezer.state))"
check "pause of a paused container" fails "container not running" rt pause c1
check "resume" same "THAWED" "$(rt resume c1; cat $root/freezer$CGROUP/freezer.state)"
check "resume of a running container" fails "container not paused" rt resume c1
check "delete --force: groups with children" rt delete -f c1
config 'p["args"] = sh("setsid sleep 1002 & setsid sleep 1003 & exec sleep 1004")' 'l["namespaces"] = [n for n in l["namespaces"] if n["type"] != "pid"]'
quiet rt run -d -b "$bundle" c1
until [[ $(rt ps -f json c1) == *,*,* ]]; do sleep 0.02; done
pids=$(rt ps -f json c1 | tr -d '[]' | tr , ' ')
alive() { local p n=0; for p in $pids; do [[ $(cut -d' ' -f3 "/proc/$p/stat" 2>/dev/null) == [RSD] ]] && n=$((n + 1)); done; echo $n; }
kill -9 "$(rt state c1 | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')"
until [[ $(rt state c1) == *stopped* ]]; do sleep 0.02; done
check "kill --all reaches processes that outlive the first one" rt kill --all c1 KILL
until [[ $(alive) == 0 ]]; do sleep 0.02; done
check "...all of them" same 0 "$(alive)"
rt delete c1
quiet rt run -d -b "$bundle" c1
until [[ $(rt ps -f json c1) == *,*,* ]]; do sleep 0.02; done
pids=$(rt ps -f json c1 | tr -d '[]' | tr , ' ')
kill -9 "$(rt state c1 | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')"
until [[ $(rt state c1) == *stopped* ]]; do sleep 0.02; done
check "delete of a stopped container with processes left" rt delete c1
check "...ends them" same 0 "$(alive)"
config 'p["args"] = sh("f() { f | f & }; f; sleep 1000")' 'l["resources"]["pids"] = {"limit": 200}' 'l["namespaces"] = [n for n in l["namespaces"] if n["type"] != "pid"]'
quiet rt run -d -b "$bundle" c1
until (($(cat $root/pids$CGROUP/pids.current 2>/dev/null || echo 0) > 20)); do sleep 0.01; done
check "delete --force of what forks all the time" rt delete -f c1
# crun leaves such directories where a hierarchy is not mounted.
without_unified() {
	unshare -m bash -c 'mount --make-rprivate / && umount /sys/fs/cgroup/unified && mkdir -p "/sys/fs/cgroup/unified$CGROUP" &&
		echo 1 >"/sys/fs/cgroup/unified$CGROUP/cgroup.procs" && "$@"; code=$?
		rm -rf "/sys/fs/cgroup/unified${CGROUP%/c1}"; exit $code' bash "$@"
}
config
if [[ $(stat -fc %T $root/unified 2>/dev/null) == cgroup2fs ]]; then
	check "linux.cgroupsPath: a plain directory in the place of a hierarchy is left alone" without_unified "$runtime" --root "$state" run -b "$bundle" c1
fi
find $root -depth -type d -path "*${CGROUP%/c1}*" -exec rmdir {} \; 2>/dev/null
check "nothing is left" same "$before" "$(host_state)"

tap_end

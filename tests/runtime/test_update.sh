#!/bin/bash
# tests/runtime/test_update.sh: `update` on this host's control groups: each flag, --resources, what is refused. Needs root.
# timeout: 180
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
begin
[[ $(stat -fc %T /sys/fs/cgroup/memory 2>/dev/null) == cgroupfs ]] || skip_all "no cgroup v1 on this host (v2: test_cgroup_v2_guest.sh)"
trap leave EXIT
before=$(host_state)

# of CONTROLLER FILE: what the kernel has for the container.
of() { cat "/sys/fs/cgroup/$1$CGROUP/$2"; }
# now WANT CONTROLLER FILE
now() { same "$1" "$(of "$2" "$3")"; }
# after WANT CONTROLLER FILE FLAG...: the update succeeds and the kernel has the value.
after() {
	local want=$1 controller=$2 file=$3
	shift 3
	rt update "$@" c1 && now "$want" "$controller" "$file"
}

config 'p["args"] = ["sleep", "1000"]' 'l["resources"].update({"memory": {"limit": 67108864, "swap": 134217728}})'
quiet rt run -d -b "$bundle" c1
check "update --memory" after 50331648 memory memory.limit_in_bytes --memory 50331648
check "update --memory: units are powers of 1024" after 33554432 memory memory.limit_in_bytes --memory 32M
check "update --memory-reservation" after 16777216 memory memory.soft_limit_in_bytes --memory-reservation 16MiB
check "update --memory-swap" after 100663296 memory memory.memsw.limit_in_bytes --memory-swap 96m
check "update --memory and --memory-swap that both grow: swap goes first" after 268435456 memory memory.limit_in_bytes --memory 256M --memory-swap 512M
check "update --memory and --memory-swap that both shrink" after 67108864 memory memory.memsw.limit_in_bytes --memory 64M --memory-swap 64M
check "update --memory -1 frees swap too" after 9223372036854771712 memory memory.memsw.limit_in_bytes --memory -1
check "update --memory below the usage says what is used" fails "unable to set memory limit to 4096 (current usage: " rt update --memory 4096 c1
check "update --kernel-memory is accepted and without effect" rt update --kernel-memory 10M --kernel-memory-tcp 10M c1
check "update --cpu-share" after 512 cpu cpu.shares --cpu-share 512
check "update --cpu-share beyond the kernel's bounds is an error" fails "the maximum allowed cpu-shares is 262144" rt update --cpu-share 1000000 c1
check "update --cpu-period --cpu-quota" after 20000 cpu cpu.cfs_quota_us --cpu-period 50000 --cpu-quota 20000
check "update --cpu-period: as given" now 50000 cpu cpu.cfs_period_us
check "update --cpu-burst" after 10000 cpu cpu.cfs_burst_us --cpu-burst 10000
check "update --cpu-quota with a burst above the old quota" after 90000 cpu cpu.cfs_burst_us --cpu-quota 100000 --cpu-burst 90000 --cpu-period 100000
check "update --cpu-idle 1" after 1 cpu cpu.idle --cpu-idle 1
check "update --cpu-idle 0 with shares" after 1024 cpu cpu.shares --cpu-idle 0 --cpu-share 1024
check "update --cpuset-cpus" after 0 cpuset cpuset.cpus --cpuset-cpus 0
check "update --cpuset-mems" after 0 cpuset cpuset.mems --cpuset-mems 0
check "update --cpuset-cpus of what the machine has not" fails "linux.resources.cpu" rt update --cpuset-cpus 4000 c1
check "update --pids-limit" after 20 pids pids.max --pids-limit 20
check "update --pids-limit -1 is max" after max pids pids.max --pids-limit -1
check "update --pids-limit 0 is a limit" after 1 pids pids.max --pids-limit 0
if [[ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ]]; then
	check "update --cpu-rt-runtime beyond the group above is an error" fails "linux.resources.cpu" rt update --cpu-rt-runtime 100000 c1
	echo 200000 >"/sys/fs/cgroup/cpu${CGROUP%/c1}/cpu.rt_runtime_us"
	check "update --cpu-rt-period --cpu-rt-runtime" after 900000 cpu cpu.rt_period_us --cpu-rt-period 900000 --cpu-rt-runtime 100000
	check "update --cpu-rt-runtime: as given" now 100000 cpu cpu.rt_runtime_us
else
	check "update --cpu-rt-period: a kernel without RT_GROUP_SCHED is an error" fails "cpu.rt_period_us" rt update --cpu-rt-period 900000 --cpu-rt-runtime 100000 c1
fi
if [[ -e /sys/fs/cgroup/blkio$CGROUP/blkio.bfq.weight ]]; then
	check "update --blkio-weight" after 500 blkio blkio.bfq.weight --blkio-weight 500
else
	check "update --blkio-weight: a kernel without BFQ is an error" fails "linux.resources.blockIO" rt update --blkio-weight 500 c1
fi
if [[ -e /sys/fs/resctrl/schemata ]]; then
	echo "ok $((++tap_count)) - update --l3-cache-schema # SKIP this host has resctrl"
else
	check "update --l3-cache-schema: runc's words where there is none" fails "Intel RDT/CAT: l3 cache schema is not enabled" rt update --l3-cache-schema 'L3:0=f' c1
	check "update --mem-bw-schema: runc's words where there is none" fails "Intel RDT/MBA: memory bandwidth schema is not enabled" rt update --mem-bw-schema 'MB:0=10' c1
fi

## --resources

echo '{"memory": {"limit": 41943040, "swap": 83886080, "checkBeforeUpdate": true}, "cpu": {"shares": 100}, "pids": {"limit": 7}, "fromTheFuture": 1}' >"$work/r.json"
check "update --resources FILE" after 41943040 memory memory.limit_in_bytes --resources "$work/r.json"
check "update --resources FILE: all of it" same "83886080 100 7" "$(of memory memory.memsw.limit_in_bytes) $(of cpu cpu.shares) $(of pids pids.max)"
from_stdin() { echo '{"pids": {"limit": 9}}' | rt update --resources - c1 && now 9 pids pids.max; }
check "update --resources -" from_stdin
check "update -r=FILE" after 7 pids pids.max -r="$work/r.json"
# half_way NAME JSON: the last part of it is refused; what came before is set back.
everything() { (cd /sys/fs/cgroup && for f in memory/memory.{limit,soft_limit,memsw.limit}_in_bytes memory/memory.{swappiness,oom_control} cpu/cpu.{shares,cfs_quota_us,cfs_period_us,cfs_burst_us} cpuset/cpuset.{cpus,mems} pids/pids.max hugetlb/hugetlb.2MB.limit_in_bytes; do
	[[ ! -e ${f%%/*}$CGROUP/${f#*/} ]] || echo "$f: $(<"${f%%/*}$CGROUP/${f#*/}")"; done); }
half_way() {
	local had
	had=$(everything)
	echo "$3" >"$work/r.json"
	fails "$2" rt update --resources "$work/r.json" c1 && same "$had" "$(everything)"
}
values='"memory": {"limit": 134217728, "swap": 268435456, "reservation": 1048576, "swappiness": 7, "disableOOMKiller": true}, "pids": {"limit": 3}'
check "update that fails half-way: what was written is set back (cpu)" half_way "cpu" "allowed cpu-shares is" "{$values, \"cpu\": {\"cpus\": \"0\", \"shares\": 10000000}}"
check "update that fails half-way: what was written is set back (cpuset)" half_way "cpuset" "linux.resources.cpu" "{$values, \"cpu\": {\"shares\": 77, \"quota\": 30000, \"period\": 60000, \"burst\": 1000, \"cpus\": \"4000\"}}"
check "update that fails half-way: what was written is set back (memory)" half_way "memory" "linux.resources.memory" '{"pids": {"limit": 3}, "cpu": {"shares": 77}, "memory": {"limit": 4096, "swap": 8192}}'
check "update: a missing controller is found before anything is written" half_way "network" "linux.resources.network" "{$values, \"cpu\": {\"shares\": 77}, \"network\": {\"classID\": 5, \"priorities\": [{\"name\": \"nosuch0\", \"priority\": 3}]}}"
check "the same update without its last part is accepted" same "" "$(echo "{$values}" | rt update --resources - c1 2>&1)"
check "...and changes what was set back before" now 3 pids pids.max
devices=$(of devices devices.list)
echo '{"devices": [{"allow": true, "access": "rwm"}]}' >"$work/r.json"
check "update --resources leaves device rules alone" after "$devices" devices devices.list --resources "$work/r.json"
echo '{"unified": {"memory.high": "1"}}' >"$work/r.json"
check "update --resources: unified is an error on v1" fails "linux.resources.unified: cannot be used on cgroup v1" rt update -r "$work/r.json" c1
echo '{"memory": {"limit": "x"}}' >"$work/r.json"
check "update --resources: a wrong type names the property" fails "memory.limit: expected an integer" rt update -r "$work/r.json" c1
echo '{"memory": ' >"$work/r.json"
check "update --resources: truncated JSON" fails "r.json" rt update -r "$work/r.json" c1
check "update --resources of no file" fails "No such file" rt update -r "$work/none" c1
check "update --memory of no number" fails 'invalid value for memory: "lots"' rt update --memory lots c1
check "update --cpu-period of no number" fails 'invalid value for cpu-period' rt update --cpu-period 1x c1
check "update of no container" fails "container does not exist" rt update --memory 64M c2
rt kill c1 KILL
until [[ $(rt state c1) == *stopped* ]]; do sleep 0.02; done
check "update of a stopped container" fails "container not running" rt update --memory 64M c1
rt delete c1
check "nothing is left" same "$before" "$(host_state)"

tap_end

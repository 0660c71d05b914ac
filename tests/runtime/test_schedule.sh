#!/bin/bash
# tests/runtime/test_schedule.sh: scheduler, I/O priority, processor affinity, memory policy and personality, as the kernel tells them back. Needs root.
# timeout: 300
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
begin
[[ -x /usr/bin/chrt && -x /usr/bin/ionice ]] || skip_all "needs chrt and ionice"
trap leave EXIT
before=$(host_state)
budget=
# the host's chrt and ionice in the container
tools='c["mounts"] += [mount(d, "bind", d, "rbind", "ro") for d in ("/usr", "/lib", "/lib64") if os.path.exists(d)]; del c["annotations"]'
sched() { in_container '/usr/bin/chrt -p 1; cut -d" " -f19 /proc/1/stat' "$tools" "$budget" "p['scheduler'] = $1"; }
bad() { config "${@:3}"; check "$1" fails "$2" rt create -b "$bundle" c1; }

## process.scheduler

# real-time budgets of v1 groups are given from the top
if [[ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ]]; then
	bad "process.scheduler: no real-time budget, and what to do" "linux.resources.cpu.realtimeRuntime): Operation not permitted" 'p["scheduler"] = {"policy": "SCHED_RR", "priority": 1}'
	mkdir -p "/sys/fs/cgroup/cpu${CGROUP%/c1}"
	echo 100000 >"/sys/fs/cgroup/cpu${CGROUP%/c1}/cpu.rt_runtime_us"
	budget='l["resources"]["cpu"] = {"realtimeRuntime": 50000, "realtimePeriod": 1000000}'
fi
check "process.scheduler: SCHED_FIFO with priority" contains "$(sched '{"policy": "SCHED_FIFO", "priority": 42}')" SCHED_FIFO "priority: 42"
check "process.scheduler: SCHED_RR with priority" contains "$(sched '{"policy": "SCHED_RR", "priority": 7}')" SCHED_RR "priority: 7"
check "process.scheduler: SCHED_OTHER with nice" contains "$(sched '{"policy": "SCHED_OTHER", "nice": -5}')" SCHED_OTHER $'\n-5'
check "process.scheduler: SCHED_BATCH with nice" contains "$(sched '{"policy": "SCHED_BATCH", "nice": 12}')" SCHED_BATCH $'\n12'
check "process.scheduler: SCHED_IDLE" contains "$(sched '{"policy": "SCHED_IDLE"}')" SCHED_IDLE
# a deadline takes a group without a cpuset of its own and a processor with room: the kernel may say busy, never that the values are wrong
out=$(sched '{"policy": "SCHED_DEADLINE", "runtime": 1000000, "deadline": 20000000, "period": 30000000, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}')
deadline() { contains "$out" SCHED_DEADLINE 1000000/20000000/30000000 || contains "$out" "set process.scheduler to SCHED_DEADLINE: " && lacks "$out" "Invalid argument"; }
check "process.scheduler: SCHED_DEADLINE with runtime, deadline, period" deadline
check "process.scheduler: SCHED_FLAG_RESET_ON_FORK" contains "$(sched '{"policy": "SCHED_RR", "priority": 1, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}')" "SCHED_RR|SCHED_RESET_ON_FORK"
check "process.scheduler: SCHED_FLAG_KEEP_POLICY" contains "$(sched '{"policy": "SCHED_OTHER", "nice": 3, "flags": ["SCHED_FLAG_KEEP_POLICY"]}')" SCHED_OTHER $'\n3'
# flags that belong to a deadline, or to what a kernel may be built without
for flag in RECLAIM DL_OVERRUN KEEP_PARAMS UTIL_CLAMP_MIN UTIL_CLAMP_MAX; do
	out=$(sched '{"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_'$flag'"]}')
	known() { lacks "$out" "unknown flag" && { contains "$out" SCHED_OTHER >/dev/null || contains "$out" "set process.scheduler to SCHED_OTHER: "; }; }
	check "process.scheduler: SCHED_FLAG_$flag is the kernel's to judge" known
done
bad "process.scheduler: SCHED_ISO is refused by this kernel, clearly" "set process.scheduler to SCHED_ISO: Invalid argument" 'p["scheduler"] = {"policy": "SCHED_ISO"}'
bad "process.scheduler: priority for SCHED_OTHER" "process.scheduler.priority: can only be specified for SCHED_FIFO or SCHED_RR" 'p["scheduler"] = {"policy": "SCHED_OTHER", "priority": 1}'
bad "process.scheduler: unknown policy" 'process.scheduler.policy: unknown value "SCHED_EXT2"' 'p["scheduler"] = {"policy": "SCHED_EXT2"}'
bad "process.scheduler: unknown flag" 'process.scheduler.flags: unknown flag "X"' 'p["scheduler"] = {"policy": "SCHED_IDLE", "flags": ["X"]}'
bad "process.scheduler: nice out of range" "process.scheduler.nice: expected an integer from -20 to 19" 'p["scheduler"] = {"policy": "SCHED_OTHER", "nice": -21}'

## process.ioPriority

io() { in_container '/usr/bin/ionice -p 1' "$tools" "p['ioPriority'] = $1"; }
check "process.ioPriority: IOPRIO_CLASS_RT" same "realtime: prio 2" "$(io '{"class": "IOPRIO_CLASS_RT", "priority": 2}')"
check "process.ioPriority: IOPRIO_CLASS_BE" same "best-effort: prio 7" "$(io '{"class": "IOPRIO_CLASS_BE", "priority": 7}')"
check "process.ioPriority: IOPRIO_CLASS_IDLE" same "idle" "$(io '{"class": "IOPRIO_CLASS_IDLE", "priority": 0}')"
bad "process.ioPriority: unknown class" 'process.ioPriority.class: unknown value "IOPRIO_CLASS_X"' 'p["ioPriority"] = {"class": "IOPRIO_CLASS_X", "priority": 0}'
bad "process.ioPriority: priority out of range" "process.ioPriority.priority: expected an integer from 0 to 7" 'p["ioPriority"] = {"class": "IOPRIO_CLASS_BE", "priority": 8}'

## linux.memoryPolicy

mem() { in_container 'head -n 1 /proc/1/numa_maps' "l['memoryPolicy'] = $1"; }
if [[ -r /proc/self/numa_maps ]]; then
	check "linux.memoryPolicy: MPOL_BIND" contains "$(mem '{"mode": "MPOL_BIND", "nodes": "0"}')" " bind:0 "
	check "linux.memoryPolicy: MPOL_INTERLEAVE" contains "$(mem '{"mode": "MPOL_INTERLEAVE", "nodes": "0"}')" " interleave:0 "
	check "linux.memoryPolicy: MPOL_PREFERRED" contains "$(mem '{"mode": "MPOL_PREFERRED", "nodes": "0"}')" " prefer:0 "
	check "linux.memoryPolicy: MPOL_LOCAL" contains "$(mem '{"mode": "MPOL_LOCAL"}')" " local "
	check "linux.memoryPolicy: MPOL_DEFAULT" contains "$(mem '{"mode": "MPOL_DEFAULT"}')" " default "
	check "linux.memoryPolicy: MPOL_PREFERRED_MANY" contains "$(mem '{"mode": "MPOL_PREFERRED_MANY", "nodes": "0"}')" "prefer (many):0 "
	check "linux.memoryPolicy: MPOL_WEIGHTED_INTERLEAVE" contains "$(mem '{"mode": "MPOL_WEIGHTED_INTERLEAVE", "nodes": "0"}')" "weighted interleave:0 "
	check "linux.memoryPolicy: MPOL_F_STATIC_NODES" contains "$(mem '{"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}')" " bind=static:0 "
	check "linux.memoryPolicy: MPOL_F_RELATIVE_NODES" contains "$(mem '{"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_RELATIVE_NODES"]}')" " bind=relative:0 "
	check "linux.memoryPolicy: MPOL_F_NUMA_BALANCING" contains "$(mem '{"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_NUMA_BALANCING"]}')" " bind"
	bad "linux.memoryPolicy: nodes that are not there" "set linux.memoryPolicy to MPOL_BIND: Invalid argument" 'l["memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": "900"}'
fi
bad "linux.memoryPolicy: MPOL_BIND without nodes" "MPOL_BIND needs at least one node" 'l["memoryPolicy"] = {"mode": "MPOL_BIND"}'
bad "linux.memoryPolicy: unknown mode" 'linux.memoryPolicy.mode: unknown value "MPOL_X"' 'l["memoryPolicy"] = {"mode": "MPOL_X"}'

## linux.personality

check "linux.personality: LINUX32" same i686 "$(in_container 'uname -m' 'l["personality"] = {"domain": "LINUX32"}')"
check "linux.personality: LINUX undoes an inherited one" same x86_64 "$(export SCRIPT='uname -m'; config 'p["args"] = sh(os.environ["SCRIPT"])' 'l["personality"] = {"domain": "LINUX"}'; setarch i686 "$runtime" --root "$state" run -b "$bundle" c1)"
check "linux.personality.flags: reserved, a warning" contains "$(in_container 'echo runs' 'l["personality"] = {"domain": "LINUX", "flags": ["X"]}')" "ignoring linux.personality.flags" runs
bad "linux.personality.domain: unknown" 'linux.personality.domain: unknown value "BSD"' 'l["personality"] = {"domain": "BSD"}'

## process.execCPUAffinity: exec only

if (($(nproc) > 1)); then
	cpus='cat /proc/self/status | sed -n "s/Cpus_allowed_list:.//p"'
	check "process.execCPUAffinity: not for the first process" same "$(bash -c "$cpus")" "$(in_container "$cpus" 'p["execCPUAffinity"] = {"initial": "1", "final": "1"}')"
	config 'p["args"] = sh("sleep 1000")' 'p["execCPUAffinity"] = {"final": "1"}'
	quiet rt run -d -b "$bundle" c1
	check "process.execCPUAffinity.final: of the container's own process" same 1 "$(rt exec c1 sh -c "$cpus")"
	exec_with() { echo "{\"cwd\": \"/\", \"env\": [\"PATH=/bin\"], \"args\": [\"sh\", \"-c\", \"sed -n s/Cpus_allowed_list:.//p /proc/self/status\"], \"execCPUAffinity\": $1}" >"$work/p.json"; rt exec --process "$work/p.json" c1 2>&1; }
	check "process.execCPUAffinity.final" same 0 "$(exec_with '{"initial": "1", "final": "0"}')"
	check "process.execCPUAffinity.initial: only until the group is joined" same "$(bash -c "$cpus")" "$(exec_with '{"initial": "1"}')"
	check "process.execCPUAffinity: not a list" contains "$(exec_with '{"initial": "x"}')" "process.execCPUAffinity.initial:" "is not a list of numbers"
	check "process.execCPUAffinity: no such processor" contains "$(exec_with '{"final": "4000"}')" "set process.execCPUAffinity.final: Invalid argument"
	initial() { strace -f -e trace=sched_setaffinity,clone3 -o "$work/trace" "$runtime" --root "$state" exec --process "$work/p.json" c1 >/dev/null && grep -o 'sched_setaffinity(0, 1024, \[[0-9]*\|clone3' "$work/trace" | head -n 2; }
	exec_with '{"initial": "1"}' >/dev/null
	if [[ -x /usr/bin/strace ]]; then
		check "process.execCPUAffinity.initial: set before the process is made" contains "$(initial | tr '\n' ' ')" "[1 clone3"
	fi
	rt delete -f c1
	check "linux.resources.cpu.cpus: of a runtime that is confined itself" same "0" "$(SCRIPT=$cpus config 'p["args"] = sh(os.environ["SCRIPT"])' 'l["resources"]["cpu"] = {"cpus": "0"}'; taskset -c 0 "$runtime" --root "$state" run -b "$bundle" c1)"
	check "linux.resources.cpu.cpus: more than its own processors" same "0-1" "$(SCRIPT=$cpus config 'p["args"] = sh(os.environ["SCRIPT"])' 'l["resources"]["cpu"] = {"cpus": "0-1"}'; taskset -c 0 "$runtime" --root "$state" run -b "$bundle" c1)"
fi

## linux.intelRdt

if ! grep -q " resctrl " /proc/self/mounts; then
	bad "linux.intelRdt: an error where no resctrl is mounted" "linux.intelRdt: no resctrl file system is mounted" 'l["intelRdt"] = {"closID": "gold"}'
fi
check "nothing is left" same "$before" "$(host_state)"

tap_end

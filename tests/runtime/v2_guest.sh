#!/bin/sh
# tests/runtime/v2_guest.sh: runs in a machine with a pure cgroup v2 (test_cgroup_v2_guest.sh); busybox's sh. Bundles are
# /b/NAME, with CGROUP /t/c1. Each case is a line `ok - NAME` or `not ok - NAME`, the last line is `guest done`.
G=/sys/fs/cgroup/t/c1
rt() { timeout 20 /bin/coracle-runtime --root /run/state "$@"; }
# is NAME WANT GOT
is() { if [ "$2" = "$3" ]; then echo "ok - $1"; else echo "not ok - $1"; echo "# expected: $2"; echo "# got:      $3" | head -5; fi; }
# has NAME WORD TEXT
has() { case $3 in *"$2"*) echo "ok - $1" ;; *) echo "not ok - $1"; echo "# missing: $2"; echo "# in: $3" | head -5 ;; esac; }
# of FILE...: what the kernel has, in one line
of() { local f; for f; do cat "$G/$f" 2>&1; done | tr '\n' ' ' | sed 's/ $//'; }
make() { rt create -b "/b/$1" c1 </dev/null >/tmp/out 2>&1 || cat /tmp/out; }
gone() { rt delete -f c1; }
# limits NAME WANT BUNDLE FILE...
limits() { local n=$1 w=$2; make "$3"; shift 3; is "$n" "$w" "$(of "$@")"; gone; }
# bad NAME WORD BUNDLE
bad() { has "$1" "$2" "$(make "$3" | tr -d '\\')"; gone 2>/dev/null; }

disk=$(cat /sys/block/vda/dev 2>/dev/null)
for c in /b/*/config.json; do sed -i "s/99999/${disk%:*}/; s/88888/${disk#*:}/" "$c"; done

limits "linux.resources.memory: limit, swap and reservation on v2" "67108864 33554432 1048576" memory memory.max memory.swap.max memory.low
limits "linux.resources.memory.limit: -1 is max on v2, and so is swap" "max max" memory-free memory.max memory.swap.max
bad "linux.resources.memory.swap: without a limit is an error on v2" "unable to set swap limit without memory limit" swap-alone
bad "linux.resources.memory.swap: below the limit is an error on v2" "memory+swap limit should be >= memory limit" swap-low
limits "linux.resources.cpu: shares 1024 become weight 100, quota, period, burst, cpuset" "100 20000 50000 10000 0 0" cpu cpu.weight cpu.max cpu.max.burst cpuset.cpus cpuset.mems
limits "linux.resources.cpu.shares: 2 becomes 1" 1 shares-2 cpu.weight
limits "linux.resources.cpu.shares: 512 becomes 59" 59 shares-512 cpu.weight
limits "linux.resources.cpu.shares: 262144 becomes 10000" 10000 shares-max cpu.weight
limits "linux.resources.cpu.idle on v2" 1 idle cpu.idle
bad "linux.resources.cpu.realtimeRuntime: an error on v2" "cgroup v2 has no realtimeRuntime" rt
limits "linux.resources.pids.limit on v2" 30 pids pids.max
limits "linux.resources.pids.limit: -1 is max on v2" max pids-max pids.max
limits "linux.resources.pids.limit: 0 is a limit on v2" 1 pids-0 pids.max
limits "linux.resources.blockIO: throttling is io.max" "$disk rbps=1000000 wbps=2000000 riops=300 wiops=400" io io.max
limits "linux.resources.blockIO.weight: io.weight where there is no BFQ" "default 4950" weight io.weight
echo "$disk enable=1 ctrl=auto" >/sys/fs/cgroup/io.cost.qos
limits "linux.resources.blockIO.weightDevice: io.weight of a device" "default 100 $disk 4950" weight-device io.weight
limits "linux.resources.hugepageLimits: limit and reservation" "4194304 4194304" hugetlb hugetlb.2MB.max hugetlb.2MB.rsvd.max
bad "linux.resources.network: an error on v2" "cgroup v2 has no network controller" network
bad "linux.resources.rdma: a missing controller is an error" "linux.resources.rdma: the rdma controller is not available" rdma
limits "linux.resources.unified: files are written" "33554432 7" unified memory.high pids.max
bad "linux.resources.unified: a missing controller is an error" 'controller "rdma" not available' unified-controller
bad "linux.resources.unified: unknown files are still written, which is an error" 'unable to set unified resource "memory.nosuch"' unified-file
has "linux.resources.devices: a later deny wins, in the BPF program" "Operation not permitted" "$(rt run -b /b/devices-deny c1 2>&1)"
is "linux.resources.devices: a later allow wins" "opened" "$(rt run -b /b/devices-allow c1 2>&1)"
has "linux.resources.devices: default devices always" "null" "$(rt run -b /b/devices-deny c1 2>&1)"
rt create -b /b/weight c1 </dev/null >/tmp/out 2>&1
has "linux.resources.blockIO.leafWeight: a warning on v2" "linux.resources.blockIO.leafWeight: cgroup v2 has none" "$(cat /tmp/out)"
gone

## ownership
make owner
is "cgroup ownership: the directory and the delegated files are the user's" "1000 1000 1000 0" "$(stat -c %u $G $G/cgroup.procs $G/cgroup.subtree_control $G/memory.max | tr '\n' ' ' | sed 's/ $//')"
rt start c1
until [ -s /rootfs/data/made ]; do :; done
is "cgroup ownership: the user makes groups inside" "made" "$(cat /rootfs/data/made)"
gone
make owner-ro
is "cgroup ownership: nothing is given when the mount is read-only" "0 0" "$(stat -c %u $G $G/cgroup.procs | tr '\n' ' ' | sed 's/ $//')"
gone

## little memory
is "linux.resources.memory.limit 131072 on v2: the program runs" "small" "$(rt run -b /b/small-128k c1 2>&1)"
for b in small-256k small-1m; do is "linux.resources.memory.limit on v2: $b runs" "small" "$(rt run -b /b/$b c1 2>&1)"; done
has "linux.resources.memory.limit on v2: too low says so" "linux.resources.memory.limit" "$(rt run -b /b/small-8k c1 2>&1)"
make small-1m
has "linux.resources.memory.limit on v2: the created process is in its group" "$(cat /run/state/c1/state.json | sed 's/.*"pid":\([0-9]*\).*/\1/')" "$(cat $G/cgroup.procs)"
gone

## update
rt run -d -b /b/sleep c1 </dev/null >/dev/null 2>&1
up() { local n=$1 w=$2 f=$3; shift 3; rt update "$@" c1 2>&1; is "$n on v2" "$w" "$(of $f)"; }
up "update --memory" 67108864 memory.max --memory 64M
up "update --memory --memory-swap" 33554432 memory.swap.max --memory 64M --memory-swap 96M
up "update --memory keeps the sum with swap" 16777216 memory.swap.max --memory 80M
has "update --memory beyond the sum is an error on v2" "memory+swap limit should be >= memory limit" "$(rt update --memory 128M c1 2>&1)"
up "update --memory-swap alone" 20971520 memory.swap.max --memory-swap 100M
up "update --memory -1" "max" memory.max --memory -1
up "update --memory-reservation" 1048576 memory.low --memory-reservation 1M
echo '{"memory": {"limit": 4096, "checkBeforeUpdate": true}}' >/tmp/r.json
has "linux.resources.memory.checkBeforeUpdate: below the usage is an error" "rejecting memory limit 4096 <= usage" "$(rt update -r /tmp/r.json c1 2>&1)"
is "linux.resources.memory.checkBeforeUpdate: the program lives" 1 "$(wc -l <$G/cgroup.procs)"
up "update --cpu-share" 100 cpu.weight --cpu-share 1024
up "update --cpu-quota" "30000 100000" cpu.max --cpu-quota 30000
up "update --cpu-period keeps the quota" "30000 60000" cpu.max --cpu-period 60000
up "update --cpu-burst" 10000 cpu.max.burst --cpu-burst 10000
up "update --cpu-quota -1" "max 60000" cpu.max --cpu-quota -1 --cpu-burst 0
up "update --cpu-idle" 1 cpu.idle --cpu-idle 1
up "update --cpuset-cpus" 0 cpuset.cpus --cpuset-cpus 0
up "update --pids-limit" 40 pids.max --pids-limit 40
up "update --blkio-weight" "default 4950" io.weight --blkio-weight 500
echo '{"unified": {"memory.high": "12345344"}}' >/tmp/r.json
up "update --resources: unified" 12345344 memory.high --resources /tmp/r.json
has "update --cpu-rt-runtime is an error on v2" "cgroup v2 has no realtimeRuntime" "$(rt update --cpu-rt-runtime 1000 c1 2>&1)"

## events, groups inside, freezing
has "events --stats on v2" '"pids":{"current":1,"limit":40}' "$(rt events --stats c1)"
has "events --stats on v2: memory.raw" '"raw":{"anon":' "$(rt events --stats c1)"
mkdir $G/sub
has "exec --cgroup PATH on v2" "0::/sub" "$(rt exec --cgroup /sub c1 cat /proc/self/cgroup 2>&1)"
has "exec --cgroup CONTROLLER:PATH is an error on v2" "cgroup v2 has one path" "$(rt exec --cgroup memory:sub c1 true 2>&1)"
has "exec --cgroup out of the container's is an error on v2" "is not a sub cgroup path" "$(rt exec --cgroup ../.. c1 true 2>&1)"
rt exec -d --cgroup sub c1 sleep 1000 </dev/null >/dev/null 2>&1
is "ps on v2: processes in groups inside, too" 2 "$(rt ps -f json c1 | tr ',' '\n' | wc -l)"
rt pause c1
has "pause on v2: the whole tree" "frozen 1" "$(cat $G/sub/cgroup.events)"
rt resume c1
has "resume on v2" "frozen 0" "$(cat $G/cgroup.events)"
gone
is "delete -f on v2: groups inside, too" "" "$(ls -d $G 2>/dev/null)"
rt run -d -b /b/sleep c1 </dev/null >/dev/null 2>&1
mkdir $G/init; cat $G/cgroup.procs >$G/init/cgroup.procs; echo +memory >$G/cgroup.subtree_control
has "exec on v2: a container whose first process has moved to a group inside" "0::/init" "$(rt exec c1 cat /proc/self/cgroup 2>&1)"
gone
rt run -d -b /b/oom c1 </dev/null >/dev/null 2>&1
rt events --interval 50ms c1 >/tmp/events &
until [ -s /tmp/events ]; do :; done
echo go >/rootfs/data/go
wait $!
has "events on v2: an oom event" '"type":"oom","id":"c1"' "$(grep oom\", /tmp/events)"
gone
mkdir -p /sys/fs/cgroup/above/own
in_own() { (echo 0 >/sys/fs/cgroup/above/own/cgroup.procs; "$@"); }
relative() { cat /proc/$(rt state c1 | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')/cgroup; }
in_own rt create -b /b/relative c1 </dev/null >/tmp/out 2>&1 || cat /tmp/out
is "linux.cgroupsPath: relative counts from the group above the runtime's own on v2" "0::/above/rel/c1" "$(relative)"
gone
is "...and is deleted by a runtime that is elsewhere" "" "$(ls -d /sys/fs/cgroup/above/rel/c1 2>/dev/null)"
rt create -b /b/relative c1 </dev/null >/tmp/out 2>&1 || cat /tmp/out
is "linux.cgroupsPath: relative counts from the root for a runtime in the root group" "0::/rel/c1" "$(relative)"
gone
mkdir -p $G; echo 1 >$G/cgroup.freeze
has "linux.cgroupsPath: a frozen group is an error on v2" "unexpectedly frozen" "$(make sleep)"
echo 0 >$G/cgroup.freeze; rmdir $G
is "nothing is left on v2" "" "$(ls -d $G /run/state/* 2>/dev/null)"
echo "guest done"

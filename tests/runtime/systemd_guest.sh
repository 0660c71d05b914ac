#!/bin/sh
# tests/runtime/systemd_guest.sh: a service of a machine with a real systemd (test_systemd_guest.sh); busybox's sh. Bundles are
# /b/NAME, with linux.cgroupsPath test-sub.slice:pre:c1. Each case is a line `ok - NAME` or `not ok - NAME`, the last `guest done`.
U=pre-c1.scope
G=/sys/fs/cgroup/test.slice/test-sub.slice/$U
export SYSTEMD_COLORS=0
rt() { timeout 20 /bin/coracle-runtime --root /run/state --systemd-cgroup "$@"; }
# is NAME WANT GOT
is() { if [ "$2" = "$3" ]; then echo "ok - $1"; else echo "not ok - $1"; echo "# expected: $2"; echo "# got:      $3" | head -5; fi; }
# has NAME WORD TEXT
has() { case $3 in *"$2"*) echo "ok - $1" ;; *) echo "not ok - $1"; echo "# missing: $2"; echo "# in: $3" | head -5 ;; esac; }
# of FILE...: what the kernel has, in one line
of() { local f; for f; do cat "$G/$f" 2>&1; done | tr '\n' ' ' | sed 's/ $//'; }
# show PROPERTY...: what systemd has, in the order asked for
show() {
	local p
	systemctl show $(printf -- '-p %s ' "$@") $U >/tmp/show
	for p; do sed -n "s/^$p=//p" /tmp/show; done | tr '\n' ' ' | sed 's/ $//'
}
make() { rt "${2:-create}" -b "/b/$1" c1 </dev/null >/tmp/out 2>&1 || cat /tmp/out; }
gone() { rt delete -f c1; }
# in the container: whether a device node opens ("-": no such device of the machine, but the group lets it)
opens() {
	rt exec c1 sh -c "rm -f /tmp/d; mknod /tmp/d $1 && { (exec 3<>/tmp/d) && echo opens; } 2>&1 | sed 's/.*: //'"
}
kernel() { of memory.max memory.swap.max memory.low memory.high memory.min cpu.weight cpu.max cpu.max.burst cpuset.cpus cpuset.mems pids.max hugetlb.2MB.max; }
TOLD="MemoryMax MemorySwapMax MemoryLow MemoryHigh MemoryMin CPUWeight CPUQuotaPerSecUSec CPUQuotaPeriodUSec AllowedCPUs AllowedMemoryNodes TasksMax"
WANT="67108864 33554432 1048576 33554432 4096 59 25000 50000 5000 0 0 30 4194304"
WORDS="67108864 33554432 1048576 33554432 4096 59 500ms 50ms 0 0 30"

is "the first process is systemd" systemd "$(cat /proc/1/comm)"

## a scope
has "linux.cgroupsPath slice:prefix:name: run is in the scope" "0::/test.slice/test-sub.slice/$U" "$(make shell run; cat /tmp/out)"
is "run: the scope ends with the program" "inactive" "$(show ActiveState)"
gone 2>/dev/null
make all
is "create: the scope is active, in its slice, delegated" "active running test-sub.slice yes" "$(show ActiveState SubState Slice Delegate)"
is "create: the scope's description" "container c1" "$(show Description)"
pid=$(rt ps -f json c1 | tr -d '[]')
is "create: the process is in the scope" "0::/test.slice/test-sub.slice/$U" "$(cat /proc/$pid/cgroup)"
is "create: limits of the control group" "$WANT" "$(kernel)"
is "create: limits of the unit" "$WORDS" "$(show $TOLD)"
is "linux.resources.devices: DevicePolicy" strict "$(show DevicePolicy)"
allow=$(show DeviceAllow)
has "linux.resources.devices: DeviceAllow has the rule" "/dev/char/10:229 rw" "$allow"
has "linux.resources.devices: DeviceAllow has the default devices" "/dev/char/1:3 rwm" "$allow"
has "linux.resources.devices: DeviceAllow has mknod of all" "block-* m" "$allow"
has "linux.resources.devices: DeviceAllow by major" "char-136 rwm" "$allow"
is "start" "" "$(rt start c1 2>&1)"
devices() { echo "$(opens 'c 1 3')/$(opens 'c 10 200')/$(opens 'c 10 229')"; }
before=$(devices)
is "linux.resources.devices: a default device opens, others do not" "opens/Operation not permitted" "$(echo "$before" | cut -d/ -f1,2)"
is "linux.resources.devices: one that a rule allows is not refused" "opens" "$(echo "$before" | cut -d/ -f3)"
is "systemctl daemon-reload" "" "$(systemctl daemon-reload 2>&1)"
is "after daemon-reload: limits of the control group" "$WANT" "$(kernel)"
is "after daemon-reload: limits of the unit" "$WORDS" "$(show $TOLD)"
is "after daemon-reload: linux.resources.devices" "$before" "$(devices)"
is "systemctl daemon-reexec" "" "$(systemctl daemon-reexec 2>&1)"
is "after daemon-reexec: limits of the control group" "$WANT" "$(kernel)"
is "after daemon-reexec: linux.resources.devices" "$before" "$(devices)"
has "exec: in the scope" "0::/" "$(rt exec c1 cat /proc/self/cgroup)"

## update
# up NAME FILE WANT PROPERTY WANT OPTION...
up() {
	local n=$1 f=$2 w=$3 p=$4 v=$5; shift 5
	is "$n: accepted" "" "$(rt update "$@" c1 2>&1)"
	is "$n: the control group" "$w" "$(of $f)"
	is "$n: the unit" "$v" "$(show $p)"
}
up "update --memory" "memory.max memory.swap.max" "83886080 16777216" "MemoryMax MemorySwapMax" "83886080 16777216" --memory 80M
up "update --memory-swap" memory.swap.max 20971520 MemorySwapMax 20971520 --memory-swap 100M
up "update --cpu-quota: systemd has whole percents, the kernel the exact one" cpu.max "12345 50000" CPUQuotaPerSecUSec 250ms --cpu-quota 12345
up "update --cpu-period" cpu.max "12345 60000" CPUQuotaPeriodUSec 60ms --cpu-period 60000
up "update --cpu-share" cpu.weight 100 CPUWeight 100 --cpu-share 1024
up "update --pids-limit" pids.max 40 TasksMax 40 --pids-limit 40
echo '{"unified": {"memory.high": "50331648"}}' >/tmp/r.json
up "update --resources: unified" memory.high 50331648 MemoryHigh 50331648 --resources /tmp/r.json
after=$(kernel)
systemctl daemon-reload
is "update: what it has changed is there after daemon-reload" "$after" "$(kernel)"
is "update: device rules are there after daemon-reload" "$before" "$(devices)"
echo '{"memory": {"limit": 100663296}, "pids": {"limit": 50}, "unified": {"memory.nosuch": "1"}}' >/tmp/r.json
has "update that fails half-way: says so" "memory.nosuch" "$(rt update --resources /tmp/r.json c1 2>&1 | tr -d '\\')"
is "update that fails half-way: the control group is as before" "$after" "$(kernel)"
is "update that fails half-way: the unit is as before" "83886080 40" "$(show MemoryMax TasksMax)"
is "pause and resume" "1/0" "$(rt pause c1; cat $G/cgroup.freeze | tr '\n' /; rt resume c1; cat $G/cgroup.freeze)"
is "kill and delete" "" "$(rt kill c1 KILL 2>&1; gone 2>&1)"
is "delete: the scope is gone" "inactive not-found" "$(show ActiveState LoadState)"
is "delete: the control group is gone" "" "$(ls -d $G 2>/dev/null)"

## what systemd cannot say, annotations
rt run -d -b /b/deny c1 </dev/null >/tmp/out 2>&1
systemctl daemon-reload
is "linux.resources.devices: a later deny holds after daemon-reload" "opens/Operation not permitted" "$(opens 'c 1 3')/$(rt exec c1 sh -c 'rm -f /tmp/d; mknod /tmp/d c 10 229 && { (exec 3</tmp/d) && echo opens; } 2>&1' | sed 's/.*: //')"
gone
make properties
is "org.systemd.property.*: numbers, strings, booleans, arrays" "inactive-or-failed 33 yes" "$(show CollectMode CPUWeight SendSIGHUP)"
is "org.systemd.property.Documentation: an array of strings" "man:a man:b" "$(show Documentation)"
gone
has "org.systemd.property.*: one that systemd does not know is an error" "Cannot set property NoSuchThing" "$(make unknown)"
has "org.systemd.property.*: a wrong value is an error" "annotations.org.systemd.property.CPUWeight: not a number of that type" "$(make wrong | tr -d '\\')"
has "org.systemd.property.*: a wrong name is an error" "annotations.org.systemd.property.X1: not the name of a property" "$(make short-name)"
rt run -d -b /b/short-life c1 </dev/null >/tmp/out 2>&1
is "org.systemd.property.RuntimeMaxSec: in microseconds" 1s "$(show RuntimeMaxUSec)"
until rt state c1 | grep -q "\"status\": \"stopped\""; do sleep 0.1; done
has "org.systemd.property.RuntimeMaxSec: systemd ends the container" '"status": "stopped"' "$(rt state c1)"
is "a unit that systemd has given up is failed" failed "$(show ActiveState)"
gone
is "delete: a failed unit is forgotten" "inactive not-found" "$(show ActiveState LoadState)"

## what fails leaves nothing
has "create that fails" "createRuntime" "$(make bad-hook)"
is "create that fails: no scope, no control group, no state" "inactive" "$(show ActiveState)$(ls -d $G /run/state/* 2>/dev/null)"
make sleep
has "a unit that is there already is an error" "UnitExists" "$(timeout 20 /bin/coracle-runtime --root /run/other --systemd-cgroup create -b /b/sleep c2 </dev/null 2>&1)"
is "...and leaves the first one alone" "active" "$(show ActiveState)"
gone

## the bus
systemctl start dbus.service
mv /run/systemd/private /run/systemd/away
make all
is "the system bus: create" "$WANT" "$(kernel)"
has "the system bus: update" "" "$(rt update --pids-limit 40 c1 2>&1)"
gone
mv /run/systemd/away /run/systemd/private
is "the system bus: the unit is gone" "inactive not-found" "$(show ActiveState LoadState)"
is "nothing is left" "" "$(ls -d $G /run/state/* 2>/dev/null)"
echo "guest done"

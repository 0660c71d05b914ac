#!/bin/bash
# tests/runtime/test_systemd.sh: --systemd-cgroup against a mock of systemd (mock_systemd.py), over its own socket, the
# system bus and the user's; and what is said where there is none. /run is the test's own. Needs root.
# timeout: 180
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
if [[ $EUID == 0 && ${CORACLE_RUN-} == "" ]]; then
	export CORACLE_RUN=1
	exec unshare -m bash -c 'mount --make-rprivate / && mount -t tmpfs run /run && exec bash "$0"' "${BASH_SOURCE[0]}"
fi
source "$here/lib.sh"
begin
[[ -e /sys/fs/cgroup/systemd/cgroup.procs || -e /sys/fs/cgroup/cgroup.procs ]] || skip_all "no hierarchy of systemd's on this host"
slice=coracletest$$.slice
export CGROUP=$slice:pre:c1
group=/$slice/pre-c1.scope
mock=
trap 'rt delete -f c1 >/dev/null 2>&1; [[ -z $mock ]] || kill $mock; find /sys/fs/cgroup -depth -type d -path "*/$slice*" -exec rmdir {} \; 2>/dev/null; rm -rf "$work"' EXIT
left() { find /sys/fs/cgroup -type d -name "*.scope" -path "*/$slice*" | sort; ls -A "$state" 2>/dev/null; }
sd() { timeout 60 "$runtime" --root "$state" --systemd-cgroup "$@"; }
# systemd SOCKET MODE [bus]: a mock in place of the one before.
systemd() {
	local ready
	if [[ -n $mock ]]; then kill $mock; wait $mock 2>/dev/null; fi
	rm -rf /run/systemd /run/dbus /run/user
	mkdir -p "$(dirname "$1")"
	: >"$work/calls"
	rm -f "$work/ready"; mkfifo "$work/ready"
	python3 "$here/mock_systemd.py" "$1" "$work/calls" "${@:2}" >"$work/ready" &
	mock=$!
	read -r ready <"$work/ready"
}
# calls EXPRESSION: of the calls (c: a list; last(member): its arguments; p(name): a property of StartTransientUnit).
calls() {
	python3 -c '
import json, sys
c = [json.loads(l) for l in open(sys.argv[1])]
last = lambda m: [x["args"] for x in c if x["member"] == m][-1]
p = lambda n: dict((k, v) for k, v in last("StartTransientUnit")[2]).get(n)
print(eval(sys.argv[2]))' "$work/calls" "$1"
}

## No systemd

config
check "--systemd-cgroup: without a systemd the error says so and the way out" fails "systemd support for managing cgroups is not available" sd run -b "$bundle" c1
check "...naming what was tried" fails "connect to /run/systemd/private: No such file or directory; connect to /run/dbus/system_bus_socket" sd run -b "$bundle" c1
check "without --systemd-cgroup a systemd name is refused with the way out" fails "is a systemd name; use --systemd-cgroup" rt run -b "$bundle" c1
check "nothing is left" same "" "$(left)"

## systemd's own socket

systemd /run/systemd/private ok
config 'p["args"] = sh("cat /proc/self/cgroup; cat /proc/mounts")' 'l["resources"].update({"memory": {"limit": 67108864, "reservation": 33554432, "swap": 134217728}, "cpu": {"shares": 512, "quota": 25000, "period": 100000}, "pids": {"limit": 40}})' 'l["namespaces"] = [n for n in l["namespaces"] if n["type"] != "cgroup"]'
out=$(sd run -b "$bundle" c1 2>&1)
check "linux.cgroupsPath slice:prefix:name: the process is in the scope" contains "$out" "$group"
in_all() { local l; while IFS= read -r l; do [[ $l != [0-9]*:*:/* || $l == *"$group" ]] || { echo "$l"; return 1; }; done <<<"$out"; }
check "...in every hierarchy" in_all
check "StartTransientUnit: name and mode" same "['pre-c1.scope', 'replace']" "$(calls 'last("StartTransientUnit")[:2]')"
check "StartTransientUnit: Slice, Delegate, PIDs, DefaultDependencies" same "$slice 1 True 0" "$(calls '"%s %s %s %s" % (p("Slice")[1], p("Delegate")[1], p("PIDs")[0] == "au" and len(p("PIDs")[1]) == 1, p("DefaultDependencies")[1])')"
if [[ -e /sys/fs/cgroup/cgroup.procs ]]; then
	check "StartTransientUnit: limits" same "67108864 33554432 67108864 59 250000 40" "$(calls '"%d %d %d %d %d %d" % tuple(p(n)[1] for n in ("MemoryMax", "MemoryLow", "MemorySwapMax", "CPUWeight", "CPUQuotaPerSecUSec", "TasksMax"))')"
else
	check "StartTransientUnit: limits" same "67108864 512 250000 40" "$(calls '"%d %d %d %d" % tuple(p(n)[1] for n in ("MemoryLimit", "CPUShares", "CPUQuotaPerSecUSec", "TasksMax"))')"
fi
check "StartTransientUnit: DevicePolicy, DeviceAllow" same "strict True True" "$(calls '"%s %s %s" % (p("DevicePolicy")[1], ["/dev/char/1:3", "rwm"] in p("DeviceAllow")[1], ["char-136", "rwm"] in p("DeviceAllow")[1])')"
check "StopUnit after the end" same "['pre-c1.scope', 'replace']" "$(calls 'last("StopUnit")')"
check "every message was well-formed" same 0 "$(calls 'sum(x["member"] == "BROKEN" for x in c)')"
check "nothing is left" same "" "$(left)"
config 'p["args"] = ["sleep", "1000"]'
check "create" quiet sd create -b "$bundle" c1
check "start, without the flag: the state knows the unit" rt start c1
check "exec lands in the scope" contains "$(rt exec c1 sh -c 'cat /proc/self/mounts >/dev/null; echo ran'; cat "/proc/$(rt ps -f json c1 | tr -d '[]')/cgroup")" ran "$group"
if [[ -e /sys/fs/cgroup/memory ]]; then
	limit_now() { rt update --memory 48M c1 && same 50331648 "$(cat "/sys/fs/cgroup/memory$group/memory.limit_in_bytes")" && same 50331648 "$(calls 'dict(last("SetUnitProperties")[2])["MemoryLimit"][1]')"; }
	check "update: systemd is told too (SetUnitProperties)" limit_now
	check "SetUnitProperties: until the machine stops" same "['pre-c1.scope', 1]" "$(calls 'last("SetUnitProperties")[:2]')"
fi
check "pause and resume" contains "$(rt pause c1; rt state c1; rt resume c1)" paused
check "delete -f" rt delete -f c1
check "nothing is left" same "" "$(left)"
config 'l["resources"]["devices"] = [{"allow": True, "access": "rwm"}, {"allow": False, "type": "c", "major": 10, "minor": 229, "access": "rw"}]'
check "StartTransientUnit: rules that systemd cannot say leave it out of devices" same "auto []" "$(sd run -b "$bundle" c1; calls '"%s %s" % (p("DevicePolicy")[1], p("DeviceAllow")[1])')"
config 'c["annotations"].update({"org.systemd.property.CollectMode": "\x27inactive\x27", "org.systemd.property.TimeoutStopSec": "1.5", "org.systemd.property.Documentation": "[\x27a\x27]"})'
check "org.systemd.property.*: StartTransientUnit" same "['s', 'inactive'] ['t', 1500000] ['as', ['a']]" "$(sd run -b "$bundle" c1; calls '"%s %s %s" % (p("CollectMode"), p("TimeoutStopUSec"), p("Documentation"))')"
config 'c["annotations"]["org.systemd.property.CollectMode"] = "inactive"'
check "org.systemd.property.*: a value that is no GVariant text is an error" fails "annotations.org.systemd.property.CollectMode: not a value" sd run -b "$bundle" c1
config 'c["annotations"]["org.systemd.property.CollectMode"] = "inactive"' "l['cgroupsPath'] = '/$slice/c1'"
check "org.systemd.property.*: no matter without --systemd-cgroup" rt run -b "$bundle" c1
config 'l["cgroupsPath"] = ""'
: >"$work/calls"
check "linux.cgroupsPath empty: coracle-ID.scope in system.slice" same "coracle-c1.scope system.slice" "$(sd run -b "$bundle" c1; calls '"%s %s" % (last("StartTransientUnit")[0], p("Slice")[1])')"
config "l['cgroupsPath'] = '$slice::c1'"
check "linux.cgroupsPath with an empty prefix" same "c1.scope" "$(sd run -b "$bundle" c1; calls 'last("StartTransientUnit")[0]')"
config "l['cgroupsPath'] = '${slice%.slice}-sub.slice:a:b'"
check "linux.cgroupsPath in a slice of a slice" rt --systemd-cgroup run -b "$bundle" c1
for bad in /a/path a:b a:b:c:d; do
	config "l['cgroupsPath'] = '$bad'"
	check "linux.cgroupsPath $bad is refused" fails 'expected cgroupsPath to be of format "slice:prefix:name"' sd run -b "$bundle" c1
done
config 'l["cgroupsPath"] = "noslice:a:b"'
check "linux.cgroupsPath: no slice" fails "invalid slice name: noslice" sd run -b "$bundle" c1
config 'p["args"] = ["true"]' 'l["namespaces"].append({"type": "user"}); l["uidMappings"] = l["gidMappings"] = [{"containerID": 0, "hostID": 0, "size": 65536}]'
check "with a user namespace" sd run -b "$bundle" c1

## The system bus

systemd /run/dbus/system_bus_socket ok bus
config 'p["args"] = ["true"]'
check "the system bus, where systemd's socket is not" sd run -b "$bundle" c1
check "...with Hello, AddMatch, Subscribe, then the unit" same "Hello AddMatch Subscribe StartTransientUnit" "$(calls '" ".join(x["member"] for x in c if x["member"] in ("AddMatch", "Subscribe", "StartTransientUnit") or x is c[0])')"
check "...to systemd" same "org.freedesktop.systemd1" "$(calls '[x["destination"] for x in c if x["member"] == "StartTransientUnit"][0]')"
systemd "$work/bus" ok bus
check "DBUS_SYSTEM_BUS_ADDRESS" env DBUS_SYSTEM_BUS_ADDRESS="unix:path=$work/bus,guid=1" "$runtime" --root "$state" --systemd-cgroup run -b "$bundle" c1

## The user's manager

systemd "$work/user/systemd/private" refuse
as_user() { XDG_RUNTIME_DIR=$work/user unshare -U -r "$runtime" --root "$state" --systemd-cgroup run -b "$bundle" c1; }
check "in a user namespace it is the user's manager that is asked" fails "start the systemd unit" as_user
systemd "$work/user/bus" refuse bus
check "...or the user's bus" fails "start the systemd unit" as_user
check "...and without XDG_RUNTIME_DIR the error says so" fails "XDG_RUNTIME_DIR is not set" unshare -U -r env -u XDG_RUNTIME_DIR "$runtime" --root "$state" --systemd-cgroup run -b "$bundle" c1

## What goes wrong

systemd /run/systemd/private refuse
check "an error of systemd's is the error" fails "StartTransientUnit: Permission denied (org.freedesktop.DBus.Error.AccessDenied)" sd run -b "$bundle" c1
systemd /run/systemd/private failed
check "a job that fails" fails 'result is "failed"' sd run -b "$bundle" c1
systemd /run/systemd/private exists
check "a failed unit of that name is reset" sd run -b "$bundle" c1
systemd /run/systemd/private silent
check "a systemd that does not answer is an error, not a hang" fails "Operation timed out" sd run -b "$bundle" c1
check "nothing is left" same "" "$(left)"

tap_end
